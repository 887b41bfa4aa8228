"""A daemon that is killed in the middle of a stack goes on with it: nothing is left unknown."""
import json
import time

import pytest

from lib import api_state, assert_kernel_agrees, tags
from stacks import await_status, network, physical, ref, resource, status, template, update, web

DELAYS = [0, 0.002, 0.005, 0.01, 0.02, 0.04]


def body(description="pings", more=None):
    resources = {**network(), "Web": web(), "Second": web(),
                 "Address": resource("EC2::EIP", Domain="vpc"), **(more or {})}
    resources["Group"]["Properties"]["GroupDescription"] = description
    return template(resources, {"Web": ref("Web")})


def bare(world):
    """Without what is told of for an hour after its end."""
    state = api_state(world)
    for call in ("describe_instances", "describe_tags", "describe_nat_gateways",
                 "describe_instance_status"):
        state.pop(call)
    return state


def tagged(world, name):
    """What the stack has made, by the tags that say so."""
    return {entry["ResourceId"] for entry in world.ec2.describe_tags(Filters=[
        {"Name": "tag:aws:cloudformation:stack-name", "Values": [name]}])["Tags"]}


@pytest.mark.parametrize("delay", DELAYS)
def test_creation_goes_on(own_world, delay):
    world, before = own_world, bare(own_world)
    made = world.client("cloudformation").create_stack(
        StackName="lab", TemplateBody=json.dumps(body()))["StackId"]
    time.sleep(delay)
    world.restart()
    client = world.client("cloudformation")
    await_status(client, made, "CREATE_COMPLETE", seconds=60)
    found = physical(client, "lab")
    assert tagged(world, "lab") <= set(found.values()), "made, and no row knows of it"
    world.assert_reaches("internet", world.public(found["Web"]))
    assert_kernel_agrees(world)
    client.delete_stack(StackName="lab")
    time.sleep(delay)
    world.restart()
    client = world.client("cloudformation")
    await_status(client, made, "DELETE_COMPLETE", seconds=60)
    assert bare(world) == before
    assert_kernel_agrees(world)


@pytest.mark.parametrize("delay", DELAYS[::2])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_an_update_goes_on_or_back(own_world, delay, good):
    world = own_world
    client = world.client("cloudformation")
    made = client.create_stack(StackName="lab", TemplateBody=json.dumps(body()))["StackId"]
    await_status(client, made, "CREATE_COMPLETE")
    before, state = physical(client, "lab"), bare(world)
    more = {} if good else {"Bad": resource("EC2::Subnet", depends="Web", VpcId=ref("Net"),
                                            CidrBlock="10.99.0.0/24")}
    client.update_stack(StackName="lab", TemplateBody=json.dumps(body("others", more)))
    time.sleep(delay)
    world.restart()
    client = world.client("cloudformation")
    await_status(client, made, "UPDATE_COMPLETE" if good else "UPDATE_ROLLBACK_COMPLETE",
                 seconds=60)
    after = physical(client, "lab")
    if good:
        assert after["Group"] != before["Group"] and after["Web"] == before["Web"]
    else:
        assert after == before and bare(world) == state
    world.assert_reaches("internet", world.public(after["Web"]))
    assert_kernel_agrees(world)


def test_stacks_outlive_the_daemon(own_world):
    world = own_world
    client = world.client("cloudformation")
    client.create_stack(StackName="lab", TemplateBody=json.dumps(body()), Tags=tags(a="b"))
    await_status(client, "lab", "CREATE_COMPLETE")
    before = client.describe_stacks()["Stacks"], client.describe_stack_events(
        StackName="lab")["StackEvents"], physical(client, "lab")
    world.restart()
    client = world.client("cloudformation")
    assert before == (client.describe_stacks()["Stacks"], client.describe_stack_events(
        StackName="lab")["StackEvents"], physical(client, "lab"))
    update(client, "lab", body(more={"Gate2": resource("EC2::InternetGateway")}))
    assert status(client, "lab") == "UPDATE_COMPLETE"
