"""Clients as they come: boto3's waiters, the AWS CLI as a command."""
import os
import shutil
import subprocess
import time

import pytest

from lib import BINARY, IMAGE, PATH, environment, wait_for


@pytest.fixture(scope="module")
def things(world):
    vpc = world.vpc("10.2.0.0/16")
    subnet = world.subnet(vpc, "10.2.1.0/24")
    instance, = world.run_instances(subnet)
    return {"VpcIds": [vpc], "SubnetIds": [subnet], "InstanceIds": [instance],
            "InternetGatewayIds": [world.gateway(vpc)]}


@pytest.mark.parametrize("waiter, parameter", [
    ("vpc_exists", "VpcIds"), ("vpc_available", "VpcIds"), ("subnet_available", "SubnetIds"),
    ("internet_gateway_exists", "InternetGatewayIds"), ("instance_exists", "InstanceIds"),
    ("instance_running", "InstanceIds"), ("instance_status_ok", "InstanceIds"),
    ("system_status_ok", "InstanceIds")])
def test_waiters_are_content_at_once(world, things, waiter, parameter):
    started = time.monotonic()
    world.ec2.get_waiter(waiter).wait(
        **{parameter: things[parameter]}, WaiterConfig={"MaxAttempts": 1})
    assert time.monotonic() - started < 1


def test_waiters_for_an_end(world, things):
    instance, = world.run_instances(things["SubnetIds"][0])
    for call, waiter in (("stop_instances", "instance_stopped"),
                         ("start_instances", "instance_running"),
                         ("terminate_instances", "instance_terminated")):
        getattr(world.ec2, call)(InstanceIds=[instance])
        world.ec2.get_waiter(waiter).wait(InstanceIds=[instance],
                                          WaiterConfig={"Delay": 1, "MaxAttempts": 10})


def test_running_soon_after_launch(world, things):
    """A waiter's first look, right after RunInstances, may find `pending`, a second one not."""
    reply = world.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1,
                                    SubnetId=things["SubnetIds"][0])
    instance = reply["Instances"][0]["InstanceId"]
    wait_for(lambda: world.instance(instance)["State"]["Name"] == "running", 2, "running")
    world.ec2.terminate_instances(InstanceIds=[instance])


def test_cli_shorthand_and_query(world, things):
    """Text output and JMESPath, as scripts use them."""
    vpc = things["VpcIds"][0]
    done = world.run("aws", "ec2", "describe-subnets", "--filters", f"Name=vpc-id,Values={vpc}",
                     "--query", "Subnets[].SubnetId", "--output", "text")
    assert done.stdout.split() == things["SubnetIds"]
    world.aws("ec2", "create-tags", "--resources", vpc, "--tags", "Key=Name,Value=by cli",
              "Key=Stage,Value=")
    found = world.aws("ec2", "describe-vpcs", "--filters", "Name=tag:Name,Values=by*")["Vpcs"]
    assert [entry["VpcId"] for entry in found] == [vpc]
    world.aws("ec2", "wait", "instance-running", "--instance-ids", *things["InstanceIds"])
    made = world.aws("ec2", "create-vpc", "--cidr-block", "10.3.0.0/16", "--tag-specifications",
                     "ResourceType=vpc,Tags=[{Key=Name,Value=spec},{Key=B,Value=c}]")["Vpc"]
    assert len(made["Tags"]) == 2
    world.aws("ec2", "modify-vpc-attribute", "--vpc-id", made["VpcId"], "--enable-dns-hostnames")
    world.aws("ec2", "delete-vpc", "--vpc-id", made["VpcId"])
    assert world.aws("sts", "get-caller-identity")["Account"] == "123456789012"


def test_cli_pages(world):
    """--page-size and --max-items work on what the API pages."""
    reply = world.aws("ec2", "describe-instance-types", "--page-size", "5", "--max-items", "7")
    assert len(reply["InstanceTypes"]) == 7 and reply["NextToken"]


def test_cli_by_the_shell(world, things):
    """`eval "$(minivpc env)"`, then the AWS CLI as it stands (2.9 wants --endpoint-url)."""
    script = ('eval "$("$1" env --state "$2")" && exec aws ec2 describe-vpcs --output text '
              '--endpoint-url "$AWS_ENDPOINT_URL" --query "Vpcs[].VpcId"')
    done = subprocess.run(["sh", "-euc", script, "sh", BINARY, world.state], check=True,
                          capture_output=True, text=True, env=environment(), timeout=30)
    assert things["VpcIds"][0] in done.stdout


def test_a_newer_cli(world, things):
    """Where another AWS CLI is installed beside Debian's."""
    elsewhere = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep)
                                if part not in PATH.split(":"))
    other = shutil.which("aws", path=elsewhere)
    if not other:
        pytest.skip("no AWS CLI but Debian's")
    done = subprocess.run(
        [BINARY, "--state", world.state, "aws", "ec2", "describe-vpcs", "--output", "text",
         "--query", "Vpcs[].VpcId"], check=True, capture_output=True, text=True, timeout=60,
        env=environment(PATH=os.path.dirname(other) + ":" + PATH))
    assert things["VpcIds"][0] in done.stdout
