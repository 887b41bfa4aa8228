"""AWS::AutoScaling::AutoScalingGroup: as many instances as wanted, each that ends replaced."""
import collections
import json
import os
import signal
import time

import pytest

from lib import IMAGE, names, wait_for
from stacks import (create, delete, get, network, outputs, physical, reasons, ref, resource,
                    template, update)


@pytest.fixture
def client(world):
    return world.client("cloudformation")


def body(desired=3, **more):
    group = {"MinSize": "1", "MaxSize": "5", "DesiredCapacity": desired,
             "VPCZoneIdentifier": [ref("Public"), ref("Other")],
             "LaunchTemplate": {"LaunchTemplateId": ref("Launch"),
                                "Version": get("Launch", "LatestVersionNumber")},
             "Tags": [{"Key": "Name", "Value": "bastion", "PropagateAtLaunch": True},
                      {"Key": "Quiet", "Value": "x", "PropagateAtLaunch": False}], **more}
    return template({
        **network(),
        "Other": resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.20.2.0/24",
                          AvailabilityZone="us-east-1b", MapPublicIpOnLaunch=True),
        "OtherRouted": resource("EC2::SubnetRouteTableAssociation", RouteTableId=ref("Table"),
                                SubnetId=ref("Other")),
        "Launch": resource("EC2::LaunchTemplate", LaunchTemplateData={
            "ImageId": IMAGE, "InstanceType": "t3.micro", "SecurityGroupIds": [ref("Group")]}),
        "Bastions": resource("AutoScaling::AutoScalingGroup", **group),
    }, {"Group": ref("Bastions")})


def running(world, group):
    found = world.ec2.describe_instances(Filters=[
        {"Name": "tag:aws:autoscaling:groupName", "Values": [group]},
        {"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]
    return [entry for reservation in found for entry in reservation["Instances"]]


def test_a_group(world, client):
    create(client, "lab", body())
    group = outputs(client, "lab")["Group"]
    found = running(world, group)
    assert physical(client, "lab")["Bastions"] == group and len(found) == 3
    assert sorted(collections.Counter(names(found, "SubnetId")).values()) == [1, 2]
    for entry in found:
        world.assert_reaches("internet", entry["PublicIpAddress"])
        of = {tag["Key"]: tag["Value"] for tag in entry["Tags"]}
        assert of["Name"] == "bastion" and "Quiet" not in of
        assert of["aws:cloudformation:logical-id"] == "Bastions"

    # One is terminated, one crashes: others come, and carry packets.
    world.ec2.terminate_instances(InstanceIds=[found[0]["InstanceId"]])
    world.exec(found[1]["InstanceId"], "kill -9 -1", check=False)
    world.ec2.stop_instances(InstanceIds=[found[1]["InstanceId"]])
    now = wait_for(lambda: [entry for entry in (running(world, group),) if len(entry) == 3 and not (
        {found[0]["InstanceId"], found[1]["InstanceId"]} & set(names(entry, "InstanceId")))],
        20, "others")[0]
    assert sorted(collections.Counter(names(now, "SubnetId")).values()) == [1, 2]
    for entry in now:
        world.assert_reaches("internet", entry["PublicIpAddress"])

    # While no daemon looks, too.
    lost, pid = now[0]["InstanceId"], world.init(now[0]["InstanceId"])
    world.kill()
    os.kill(pid, signal.SIGKILL)
    world.serve()
    client = world.client("cloudformation")
    kept = set(names(now, "InstanceId")) - {lost}
    wait_for(lambda: len(running(world, group)) == 3, 20, "another one")
    assert kept < set(names(running(world, group), "InstanceId")) - {lost}

    update(client, "lab", body(5))
    assert kept < set(names(running(world, group), "InstanceId"))
    assert len(running(world, group)) == 5
    update(client, "lab", body(1))
    assert len(running(world, group)) == 1
    delete(client, "lab")
    assert running(world, group) == []


def test_a_template_with_a_network_interface(world, client):
    """The subnet is the interface's own, and the rest of it is as the template says."""
    lab = body(2)
    lab["Resources"]["Launch"]["Properties"]["LaunchTemplateData"] = {
        "ImageId": IMAGE, "InstanceType": "t3.micro", "NetworkInterfaces": [
            {"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [ref("Group")]}]}
    create(client, "lab", lab)
    found = running(world, outputs(client, "lab")["Group"])
    group = physical(client, "lab")["Group"]
    assert [names(entry["SecurityGroups"], "GroupId") for entry in found] == [[group], [group]]
    assert len(set(names(found, "SubnetId"))) == 2
    for entry in found:
        world.assert_reaches("internet", entry["PublicIpAddress"])
    delete(client, "lab")


def test_bounds(world, client):
    create(client, "bad", body(6), "ROLLBACK_COMPLETE")
    assert "between the specified min size:1 and max size:5" in reasons(client, "bad")[
        "Bastions", "CREATE_FAILED"]
    delete(client, "bad")
    create(client, "lab", body(2))
    group = outputs(client, "lab")["Group"]
    before = set(names(running(world, group), "InstanceId"))
    update(client, "lab", body(9), "UPDATE_ROLLBACK_COMPLETE")
    assert set(names(running(world, group), "InstanceId")) == before
    delete(client, "lab")


@pytest.mark.parametrize("delay", [0.02, 0.04, 0.06])
def test_killed_meanwhile(own_world, delay):
    """No instance that nobody knows of, and as many as wanted."""
    world = own_world
    client = world.client("cloudformation")
    client.create_stack(StackName="lab", TemplateBody=json.dumps(body(4)))
    time.sleep(delay)
    world.restart()
    client = world.client("cloudformation")
    wait_for(lambda: client.describe_stacks(StackName="lab")["Stacks"][0]["StackStatus"] ==
             "CREATE_COMPLETE", 30, "the stack")
    assert wait_for(lambda: len(running(world, outputs(client, "lab")["Group"])) == 4, 10, "four")
    assert len([entry for reservation in world.ec2.describe_instances(Filters=[
        {"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]
        for entry in reservation["Instances"]]) == 4
    delete(client, "lab")


def test_a_launch_configuration(world, client):
    """What there was before launch templates; its public address is of the group's subnet."""
    resources = body(1)["Resources"]
    group = resources["Bastions"]["Properties"]
    del group["LaunchTemplate"]
    group.update(LaunchConfigurationName=ref("Launch"), VPCZoneIdentifier=[ref("Other")])
    resources["Launch"] = resource(
        "AutoScaling::LaunchConfiguration", ImageId=IMAGE, InstanceType="t3.micro",
        SecurityGroups=[ref("Group")], AssociatePublicIpAddress=True)
    create(client, "old", template(resources))
    made = physical(client, "old")
    (entry, ) = running(world, made["Bastions"])
    assert made["Launch"].startswith("old-Launch-") and entry["SubnetId"] == made["Other"]
    assert names(entry["SecurityGroups"], "GroupId") == [made["Group"]]
    world.assert_reaches("internet", entry["PublicIpAddress"])
    group["LaunchConfigurationName"] = "none"
    group["DesiredCapacity"] = 2
    update(client, "old", template(resources), "UPDATE_ROLLBACK_COMPLETE")
    assert "with the name: none" in reasons(client, "old")["Bastions", "UPDATE_FAILED"]
    delete(client, "old")
