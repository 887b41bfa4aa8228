"""Stacks by the CloudFormation API: what is made carries packets, and what fails leaves nothing."""
import json

import pytest

from lib import api_state, assert_kernel_agrees, names, refused, tags, wait_for
from stacks import (await_status, create, delete, events, get, network, outputs, physical, reasons,
                    ref, resource, status, template, update, web)


PUBLIC_AMI = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}"


@pytest.fixture
def client(world):
    return world.client("cloudformation")


@pytest.fixture
def tidied(world, client):
    """What there is besides, before and after."""
    before = api_state(world)
    yield before
    for stack in client.describe_stacks()["Stacks"]:
        client.delete_stack(StackName=stack["StackName"])
        await_status(client, stack["StackId"], "DELETE_COMPLETE")
    after = api_state(world)
    for state in (before, after):  # terminated instances are told of for an hour
        for call in ("describe_instances", "describe_tags", "describe_nat_gateways"):
            state.pop(call, None)
    assert after == before
    assert_kernel_agrees(world)


def test_packets(world, client, tidied):
    """Public and private subnets, a NAT gateway: as the template says, so the packets go."""
    body = template({
        **network(),
        "Web": web(Tags=tags(Name="web")),
        "Private": resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.20.2.0/24"),
        "Address": resource("EC2::EIP", Domain="vpc"),
        "Nat": resource("EC2::NatGateway", SubnetId=ref("Public"),
                        AllocationId=get("Address", "AllocationId")),
        "Inner": resource("EC2::RouteTable", VpcId=ref("Net")),
        "Out": resource("EC2::Route", RouteTableId=ref("Inner"), NatGatewayId=ref("Nat"),
                        DestinationCidrBlock="0.0.0.0/0"),
        "Inside": resource("EC2::SubnetRouteTableAssociation", RouteTableId=ref("Inner"),
                           SubnetId=ref("Private")),
        "Store": {**web(), "Properties": {**web()["Properties"], "SubnetId": ref("Private")}},
    }, {"Address": get("Web", "PublicIp"), "Web": ref("Web"), "Store": ref("Store"),
        "Outside": ref("Address")})
    create(client, "lab", body, Tags=tags(Owner="us"))
    told = outputs(client, "lab")
    world.assert_reaches("internet", told["Address"])
    world.assert_reaches(told["Web"], world.private(told["Store"]))
    world.assert_reaches(told["Store"], world.internet_address())
    assert world.private(told["Store"]).startswith("10.20.2.")
    found = physical(client, "lab")
    assert found["Web"] == told["Web"] and len(found) == len(body["Resources"])
    of = {tag["Key"]: tag["Value"] for tag in world.instance(told["Web"])["Tags"]}
    stack = client.describe_stacks(StackName="lab")["Stacks"][0]
    assert of == {"Name": "web", "Owner": "us", "aws:cloudformation:stack-name": "lab",
                  "aws:cloudformation:stack-id": stack["StackId"],
                  "aws:cloudformation:logical-id": "Web"}
    assert_kernel_agrees(world)


def test_order(client, tidied):
    """What a resource needs is there before; the attachment of the gateway too, unasked."""
    create(client, "order", template({**network(), "Web": web()}))
    told = [name for name, what in events(client, "order") if what == "CREATE_COMPLETE"]
    for first, second in (("Net", "Public"), ("Table", "Default"), ("Attach", "Default"),
                          ("Group", "Web"), ("Attach", "Web"), ("Web", "order")):
        assert told.index(first) < told.index(second)
    begun = events(client, "order")
    assert begun.index(("Gate", "CREATE_IN_PROGRESS")) < begun.index(("Net", "CREATE_COMPLETE"))
    made = client.describe_stacks(StackName="order")["Stacks"][0]["StackId"]
    delete(client, "order")
    gone = [name for name, what in events(client, made) if what == "DELETE_COMPLETE"]
    for first, second in (("Web", "Group"), ("Web", "Attach"), ("Default", "Attach"),
                          ("Attach", "Net"), ("Net", "order")):
        assert gone.index(first) < gone.index(second)


def test_update(world, client, tidied):
    """In place what can be, replaced what can't; what isn't in the template goes."""
    resources = {**network(), "Web": web(), "Spare": resource("EC2::InternetGateway")}
    create(client, "lab", template(resources, {"Group": ref("Group")}))
    before = physical(client, "lab")
    assert refused("ValidationError", client.update_stack, StackName="lab",
                   TemplateBody=json.dumps(template(resources, {"Group": ref("Group")}))
                   ).message == "No updates are to be performed."
    del resources["Spare"]
    resources["Net"]["Properties"]["Tags"] = tags(Name="changed")
    resources["Group"]["Properties"]["GroupDescription"] = "other pings"
    resources["Group"]["Properties"]["SecurityGroupEgress"] = [
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "0.0.0.0/0"}]
    update(client, "lab", template(resources, {"Group": ref("Group")}))
    after = physical(client, "lab")
    assert {name for name in before if before[name] != after.get(name)} == {"Spare", "Group"}
    assert outputs(client, "lab") == {"Group": after["Group"]}
    ec2 = world.ec2
    assert {"Key": "Name", "Value": "changed"} in ec2.describe_vpcs(VpcIds=[after["Net"]])[
        "Vpcs"][0]["Tags"]
    assert names(world.instance(after["Web"])["SecurityGroups"], "GroupId") == [after["Group"]]
    world.assert_reaches("internet", world.public(after["Web"]))
    for what, gone in (("InternetGatewayID", before["Spare"]), ("Group", before["Group"])):
        call = ec2.describe_internet_gateways if what != "Group" else ec2.describe_security_groups
        key = "InternetGatewayIds" if what != "Group" else "GroupIds"
        refused(f"Invalid{what}.NotFound", call, **{key: [gone]})
    told = events(client, "lab")
    assert told.index(("lab", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")) < told.index(
        ("Spare", "DELETE_IN_PROGRESS"))


def test_braces_are_a_users_own(world, client, tidied):
    """What a call is filled in with stands in braces, too."""
    name = "{id} {{id}} {VpcId} {"
    body = template({"Net": resource("EC2::VPC", CidrBlock="10.20.0.0/16", Tags=tags(Name=name))})
    create(client, "lab", body)
    vpc = physical(client, "lab")["Net"]
    assert {"Key": "Name", "Value": name} in world.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    body["Resources"]["Net"]["Properties"]["Tags"] = tags(Name="{id}", More="{{")
    update(client, "lab", body)
    found = world.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    assert {"Key": "Name", "Value": "{id}"} in found and {"Key": "More", "Value": "{{"} in found


def test_tags_of_the_stack(world, client, tidied):
    """What it makes has them, also when only they change; its own tags come first."""
    body = template({"Gate": resource("EC2::InternetGateway", Tags=tags(Own="x", Both="mine"))})

    def found():
        gate = physical(client, "lab")["Gate"]
        return {tag["Key"]: tag["Value"] for tag in world.ec2.describe_internet_gateways(
            InternetGatewayIds=[gate])["InternetGateways"][0]["Tags"]
            if not tag["Key"].startswith("aws:")}
    create(client, "lab", body, Tags=tags(Both="stack", Owner="us", Stage="one"))
    assert found() == {"Own": "x", "Both": "mine", "Owner": "us", "Stage": "one"}
    update(client, "lab", body, Tags=tags(Owner="them", More="y"))
    assert found() == {"Own": "x", "Both": "mine", "Owner": "them", "More": "y"}


def test_an_instance_of_another_type(world, client, tidied):
    """Some interruption: the same instance, stopped and started; user data make it a new one."""
    resources = {**network(), "Web": web()}
    create(client, "lab", template(resources))
    before = physical(client, "lab")["Web"]
    resources["Web"]["Properties"]["InstanceType"] = "t3.small"
    update(client, "lab", template(resources))
    assert physical(client, "lab")["Web"] == before
    found = world.instance(before)
    assert (found["InstanceType"], found["State"]["Name"]) == ("t3.small", "running")
    world.assert_reaches("internet", world.public(before))
    resources["Web"]["Properties"]["ImageId"] = PUBLIC_AMI
    update(client, "lab", template(resources))
    after = physical(client, "lab")["Web"]
    assert after != before and world.instance(before)["State"]["Name"] == "terminated"
    world.assert_reaches("internet", world.public(after))


def test_the_daemon_answers_meanwhile(world, client, tidied):
    """Steps are small: whoever calls comes in between."""
    many = {f"S{i}": resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock=f"10.20.{i}.0/24")
            for i in range(2, 80)}
    client.create_stack(StackName="many", TemplateBody=json.dumps(template({**network(), **many})))
    calls = 0
    while client.describe_stack_events(StackName="many")["StackEvents"][0][
            "LogicalResourceId"] != "many" or not calls:
        world.ec2.describe_regions(RegionNames=["us-east-1"])
        calls += 1
    assert calls > 3
    await_status(client, "many", "CREATE_COMPLETE")


def test_a_failure_leaves_nothing(world, client, tidied):
    bad = {**network(), "Web": web(),
           "Bad": resource("EC2::Subnet", depends="Web", VpcId=ref("Net"), CidrBlock="10.99.0.0/24")}
    create(client, "bad", template(bad), "ROLLBACK_COMPLETE")
    why = reasons(client, "bad")
    assert "InvalidSubnet.Range" in why["Bad", "CREATE_FAILED"]
    assert why["bad", "ROLLBACK_IN_PROGRESS"] == (
        "The following resource(s) failed to create: [Bad]. Rollback requested by user.")
    assert physical(client, "bad") == {}
    refused("ValidationError", client.update_stack, StackName="bad",
            TemplateBody=json.dumps(template(network())))
    assert_kernel_agrees(world)
    made = create(client, "gone", template(bad), "DELETE_COMPLETE", OnFailure="DELETE")
    assert status(client, "gone") is None and status(client, made) == "DELETE_COMPLETE"
    create(client, "stays", template(bad), "CREATE_FAILED", DisableRollback=True)
    assert {"Net", "Web"} <= set(physical(client, "stays"))


def test_nobody_waits_for_what_waits(client, tidied):
    """When something has failed, what is still at work is cancelled."""
    create(client, "cut", template({
        "Handle": resource("CloudFormation::WaitConditionHandle"),
        "Long": resource("CloudFormation::WaitCondition", Handle=ref("Handle"), Timeout="3600"),
        **network(),
        "Bad": resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.99.0.0/24")}),
           "ROLLBACK_COMPLETE")
    assert reasons(client, "cut")["Long", "CREATE_FAILED"] == "Resource creation cancelled"


def test_an_update_that_fails_is_undone(world, client, tidied):
    resources = {**network(), "Web": web()}
    create(client, "lab", template(resources, {"Web": ref("Web")}))
    before, state = physical(client, "lab"), api_state(world)
    changed = json.loads(json.dumps(resources))
    changed["Net"]["Properties"]["Tags"] = tags(Name="changed")
    changed["Group"]["Properties"]["GroupDescription"] = "other pings"
    changed["Bad"] = resource("EC2::Subnet", depends="Web", VpcId=ref("Net"), CidrBlock="10.99.0.0/24")
    update(client, "lab", template(changed), "UPDATE_ROLLBACK_COMPLETE")
    assert physical(client, "lab") == before
    assert outputs(client, "lab") == {"Web": before["Web"]}
    assert api_state(world) == state
    world.assert_reaches("internet", world.public(before["Web"]))
    body = client.get_template(StackName="lab")["TemplateBody"]
    assert "Bad" not in body["Resources"]
    del changed["Bad"]
    update(client, "lab", template(changed))


def test_policies(world, client):
    """Retain keeps; a stack that can't be deleted says why, and can leave the rest."""
    kept = resource("EC2::InternetGateway")
    kept["DeletionPolicy"] = "Retain"
    made = create(client, "keep", template({"Kept": kept, **network()}))
    gateway = physical(client, "keep")["Kept"]
    subnet = physical(client, "keep")["Public"]
    card = world.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    world.ec2.delete_network_interface(NetworkInterfaceId=card["NetworkInterfaceId"])
    delete(client, "keep")
    assert ("Kept", "DELETE_SKIPPED") in events(client, made)
    world.ec2.delete_internet_gateway(InternetGatewayId=gateway)
    create(client, "safe", template({"Gate": resource("EC2::InternetGateway")}),
           EnableTerminationProtection=True)
    refused("ValidationError", client.delete_stack, StackName="safe", text=(
        "Stack [safe] cannot be deleted while TerminationProtection is enabled"))
    client.update_termination_protection(StackName="safe", EnableTerminationProtection=False)
    delete(client, "safe")


def test_what_cannot_be_deleted(world, client, tidied):
    """It alone stays, with what it needs; then it goes, or is left alone."""
    create(client, "held", template({**network(), "Web": web(), "Second": web(),
                                     "Held": web(DisableApiTermination=True)}))
    found = physical(client, "held")
    delete(client, "held", "DELETE_FAILED")
    assert reasons(client, "held")["held", "DELETE_FAILED"] == (
        "The following resource(s) failed to delete: [Held].")
    assert "OperationNotPermitted" in reasons(client, "held")["Held", "DELETE_FAILED"]
    assert set(physical(client, "held")) == {"Held", "Public", "Group", "Net", "Attach", "Gate"}
    for name, state in (("Web", "terminated"), ("Second", "terminated"), ("Held", "running")):
        assert world.instance(found[name])["State"]["Name"] == state
    world.ec2.modify_instance_attribute(InstanceId=found["Held"],
                                        DisableApiTermination={"Value": False})
    delete(client, "held")
    create(client, "left", template({"Gate": resource("EC2::InternetGateway"),
                                     "Net": resource("EC2::VPC", CidrBlock="10.20.0.0/16")}))
    found = physical(client, "left")
    subnet = world.subnet(found["Net"], "10.20.0.0/24")
    refused("ValidationError", client.delete_stack, StackName="left", RetainResources=["Net"])
    made = client.describe_stacks(StackName="left")["Stacks"][0]["StackId"]
    client.delete_stack(StackName="left")
    wait_for(lambda: ("Gate", "DELETE_COMPLETE") in events(client, made), 10, "the rest")
    world.ec2.delete_subnet(SubnetId=subnet)  # what depended on it is gone: it is tried again
    await_status(client, made, "DELETE_COMPLETE")


def test_exports(client, tidied):
    """One stack's outputs are another's properties, and stay while they are."""
    net = template(network(), {"Net": {"Value": ref("Net"), "Export": {"Name": "net-id"}}})
    create(client, "net", net)
    create(client, "app", template({"More": resource(
        "EC2::Subnet", VpcId={"Fn::ImportValue": "net-id"}, CidrBlock="10.20.9.0/24")}))
    assert client.list_exports()["Exports"] == [{
        "ExportingStackId": client.describe_stacks(StackName="net")["Stacks"][0]["StackId"],
        "Name": "net-id", "Value": physical(client, "net")["Net"]}]
    assert client.list_imports(ExportName="net-id")["Imports"] == ["app"]
    delete(client, "net", "DELETE_FAILED")
    assert reasons(client, "net")["net", "DELETE_FAILED"] == (
        "Cannot delete export net-id as it is in use by app")
    create(client, "twin", net, "ROLLBACK_COMPLETE")
    create(client, "lost", template({"More": resource(
        "EC2::Subnet", VpcId={"Fn::ImportValue": "nobody"}, CidrBlock="10.20.9.0/24")}),
           "ROLLBACK_COMPLETE")
    assert "No export named nobody found" in reasons(client, "lost")["More", "CREATE_FAILED"]
    delete(client, "app")
    refused("ValidationError", client.list_imports, ExportName="net-id",
            text="Export 'net-id' is not imported by any stack.")
    delete(client, "net")


def test_accounts(world, client, tidied):
    """Each account has its own, of the same name."""
    other = world.run("account create").stdout.strip()
    keys = dict(line.removeprefix("export ").split("=", 1) for line in
                world.run("env", "--account", other).stdout.splitlines())
    key, secret = (keys[name].rstrip(";").strip("'") for name in (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    theirs = world.client("cloudformation", key=key, secret=secret)
    for each in (client, theirs):
        create(each, "same", template(network()))
    assert other in theirs.describe_stacks(StackName="same")["Stacks"][0]["StackId"]
    assert physical(client, "same")["Net"] != physical(theirs, "same")["Net"]
    refused("ValidationError", client.describe_stacks,
            StackName=theirs.describe_stacks()["Stacks"][0]["StackId"])
    delete(theirs, "same")
    assert status(client, "same") == "CREATE_COMPLETE"


def test_waiting(world, client, tidied):
    """A condition is there when its signals are; a parameter is what another template reads."""
    handle, timeout = resource("CloudFormation::WaitConditionHandle"), "600"
    body = template({
        "Handle": handle,
        "None": resource("CloudFormation::WaitCondition", Handle=ref("Handle"), Timeout=timeout,
                         Count=0),
        "One": resource("CloudFormation::WaitCondition", Handle=ref("Handle"), Timeout=timeout),
        "Value": resource("SSM::Parameter", Name="/lab/zone", Type="String", Value="us-east-1b"),
        "Gate": resource("EC2::InternetGateway", depends=["One"]),
    }, {"Handle": ref("Handle"), "Value": get("Value", "Value")})
    made = client.create_stack(StackName="wait", TemplateBody=json.dumps(body))["StackId"]
    wait_for(lambda: {("One", "CREATE_IN_PROGRESS"), ("None", "CREATE_COMPLETE")} <= set(
        events(client, made)), 10, "the condition")
    assert ("Gate", "CREATE_IN_PROGRESS") not in events(client, made)
    assert status(client, "wait") == "CREATE_IN_PROGRESS"
    client.signal_resource(StackName="wait", LogicalResourceId="One", UniqueId="x",
                           Status="SUCCESS")
    await_status(client, "wait", "CREATE_COMPLETE")
    assert outputs(client, "wait")["Value"] == "us-east-1b"
    assert outputs(client, "wait")["Handle"].startswith("https://cloudformation-waitcondition-")
    found = world.client("ssm").get_parameter(Name="/lab/zone")["Parameter"]
    assert (found["Value"], found["Type"], found["ARN"]) == (
        "us-east-1b", "String", "arn:aws:ssm:us-east-1:123456789012:parameter/lab/zone")
    create(client, "reads", template(
        {"Gate": resource("EC2::InternetGateway", Tags=tags(Name=ref("Zone")))},
        {"Zone": ref("Zone")}, Parameters={"Zone": {
            "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/lab/zone"}}))
    assert outputs(client, "reads") == {"Zone": "us-east-1b"}
    stack = client.describe_stacks(StackName="reads")["Stacks"][0]
    assert stack["Parameters"] == [{"ParameterKey": "Zone", "ParameterValue": "/lab/zone",
                                    "ResolvedValue": "us-east-1b"}]
