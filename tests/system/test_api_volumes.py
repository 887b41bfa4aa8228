"""Root volumes: records that come with instances, are read back, and go with them or stay."""
import re

import pytest

from conformance import demand
from lib import IMAGE, names, refused, tags

NOWHERE = "vol-0fedcba9876543210"
ROOT = "/dev/xvda"


@pytest.fixture(scope="module")
def ec2(world):
    return world.ec2


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24", "us-east-1b")


@pytest.fixture
def launch(world, ec2, subnet):
    """Launches with a root volume as told; every instance ends with the test."""
    ids = []

    def run(device=ROOT, **ebs):
        more = {"BlockDeviceMappings": [{"DeviceName": device, "Ebs": ebs}]} if ebs else {}
        ids.extend(world.run_instances(subnet, **more))
        return ids[-1]
    yield run
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        world.await_state("terminated", *ids)


def volume_of(world, instance):
    device, = world.instance(instance)["BlockDeviceMappings"]
    volume, = world.ec2.describe_volumes(VolumeIds=[device["Ebs"]["VolumeId"]])["Volumes"]
    return volume


def test_root_volume(world, ec2, launch):
    instance = launch()
    described = world.instance(instance)
    assert (described["RootDeviceType"], described["RootDeviceName"]) == ("ebs", ROOT)
    device, = described["BlockDeviceMappings"]
    volume = volume_of(world, instance)
    demand(volume, ["VolumeId", "Size", "SnapshotId", "AvailabilityZone", "State", "CreateTime",
                    "VolumeType", "Iops", "Throughput", "Encrypted", "MultiAttachEnabled"])
    assert re.fullmatch("vol-[0-9a-f]{17}", volume["VolumeId"])
    assert device == {"DeviceName": ROOT, "Ebs": {
        "AttachTime": described["LaunchTime"], "DeleteOnTermination": True, "Status": "attached",
        "VolumeId": volume["VolumeId"]}}
    assert volume["Attachments"] == [{
        "AttachTime": described["LaunchTime"], "DeleteOnTermination": True, "Device": ROOT,
        "InstanceId": instance, "State": "attached", "VolumeId": volume["VolumeId"]}]
    assert (volume["State"], volume["AvailabilityZone"]) == ("in-use", "us-east-1b")
    assert [volume[name] for name in ("Size", "VolumeType", "Iops", "Throughput", "Encrypted")] == [
        8, "gp3", 3000, 125, False]
    # The volume is what the image's own mapping says.
    image, = ec2.describe_images(ImageIds=[IMAGE])["Images"]
    ebs = image["BlockDeviceMappings"][0]["Ebs"]
    assert (ebs["SnapshotId"], ebs["VolumeSize"]) == (volume["SnapshotId"], volume["Size"])


@pytest.mark.parametrize("asked, iops, throughput", [
    ({"VolumeSize": 20}, 3000, 125),
    ({"VolumeSize": 20, "VolumeType": "gp3", "Iops": 4000, "Throughput": 250}, 4000, 250),
    ({"VolumeSize": 20, "VolumeType": "gp2"}, 100, None),
    ({"VolumeSize": 1000, "VolumeType": "gp2"}, 3000, None),
    ({"VolumeSize": 10000, "VolumeType": "gp2"}, 16000, None),
    ({"VolumeSize": 20, "VolumeType": "io1", "Iops": 200}, 200, None),
    ({"VolumeSize": 20, "VolumeType": "io2", "Iops": 300}, 300, None),
    ({"VolumeSize": 20, "VolumeType": "standard"}, None, None)])
def test_as_asked(world, launch, asked, iops, throughput):
    volume = volume_of(world, launch(**asked))
    assert volume["Size"] == asked["VolumeSize"]
    assert volume["VolumeType"] == asked.get("VolumeType", "gp3")
    assert (volume.get("Iops"), volume.get("Throughput")) == (iops, throughput)


@pytest.mark.parametrize("code, device, ebs", [
    ("InvalidBlockDeviceMapping", ROOT, {"VolumeSize": 7}),
    ("InvalidParameterValue", ROOT, {"VolumeSize": 16385, "VolumeType": "gp2"}),
    ("InvalidParameterValue", ROOT, {"VolumeType": "st1", "VolumeSize": 125}),
    ("InvalidParameterValue", ROOT, {"VolumeType": "floppy"}),
    ("InvalidParameterValue", ROOT, {"Iops": 2999}),
    ("InvalidParameterValue", ROOT, {"Throughput": 2001}),
    ("InvalidParameterCombination", ROOT, {"Throughput": 125, "VolumeType": "gp2"}),
    ("InvalidParameterCombination", ROOT, {"Iops": 100, "VolumeType": "gp2"}),
    ("MissingParameter", ROOT, {"VolumeType": "io1"}),
    ("UnsupportedOperation", ROOT, {"Encrypted": True}),
    ("UnsupportedOperation", ROOT, {"KmsKeyId": "alias/x"}),
    ("UnsupportedOperation", ROOT, {"SnapshotId": "snap-0123456789abcdef0"}),
    ("UnsupportedOperation", "/dev/sdb", {"VolumeSize": 20})])
def test_refused(ec2, subnet, code, device, ebs):
    found = refused(code, ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=subnet,
                    BlockDeviceMappings=[{"DeviceName": device, "Ebs": ebs}])
    if code == "UnsupportedOperation":
        assert "BlockDeviceMapping.1" in found.message
    if code == "InvalidBlockDeviceMapping":
        assert found.message == ("Volume of size 7GB is smaller than snapshot "
                                 f"'snap{IMAGE[3:]}', expect size >= 8GB")
    assert ec2.describe_volumes(Filters=[
        {"Name": "attachment.status", "Values": ["attached"]}])["Volumes"] == []


def test_other_mappings(ec2, subnet):
    def run(*mappings):
        return {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet,
                "BlockDeviceMappings": list(mappings)}
    refused("UnsupportedOperation", ec2.run_instances, **run({"DeviceName": ROOT, "NoDevice": ""}))
    refused("UnsupportedOperation", ec2.run_instances,
            **run({"DeviceName": ROOT, "VirtualName": "ephemeral0"}))
    refused("MissingParameter", ec2.run_instances, **run({"Ebs": {"VolumeSize": 20}}))
    refused("InvalidBlockDeviceMapping", ec2.run_instances,
            **run({"DeviceName": ROOT, "Ebs": {"VolumeSize": 20}},
                  {"DeviceName": ROOT, "Ebs": {"VolumeSize": 30}}))


def test_gone_with_its_instance(world, ec2, subnet):
    instance, = world.run_instances(subnet)
    volume = volume_of(world, instance)["VolumeId"]
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    assert volume_of(world, instance)["VolumeId"] == volume
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=[volume],
            text=f"The volume '{volume}' does not exist")
    assert world.instance(instance)["BlockDeviceMappings"] == []


def test_outlives_its_instance(world, ec2, subnet):
    instance, = world.run_instances(subnet, BlockDeviceMappings=[
        {"DeviceName": ROOT, "Ebs": {"DeleteOnTermination": False}}])
    volume = volume_of(world, instance)
    assert volume["Attachments"][0]["DeleteOnTermination"] is False
    refused("VolumeInUse", ec2.delete_volume, VolumeId=volume["VolumeId"],
            text=f"Volume {volume['VolumeId']} is currently attached to {instance}")
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    left, = ec2.describe_volumes(VolumeIds=[volume["VolumeId"]])["Volumes"]
    assert (left["State"], left["Attachments"]) == ("available", [])
    ec2.delete_volume(VolumeId=volume["VolumeId"])
    refused("InvalidVolume.NotFound", ec2.delete_volume, VolumeId=volume["VolumeId"])


def test_the_flag_changes(world, ec2, subnet):
    instance, = world.run_instances(subnet)
    volume = volume_of(world, instance)["VolumeId"]

    def flag(value, device=ROOT, **ebs):
        return {"InstanceId": instance, "BlockDeviceMappings": [
            {"DeviceName": device, "Ebs": {"DeleteOnTermination": value, **ebs}}]}
    for value in (False, True, False):
        ec2.modify_instance_attribute(**flag(value, VolumeId=volume))
        assert volume_of(world, instance)["Attachments"][0]["DeleteOnTermination"] is value
    shown = ec2.describe_instance_attribute(InstanceId=instance, Attribute="blockDeviceMapping")
    assert shown["BlockDeviceMappings"] == world.instance(instance)["BlockDeviceMappings"]
    refused("UnsupportedOperation", ec2.modify_instance_attribute, **flag(True, "/dev/sdb"))
    refused("InvalidBlockDeviceMapping", ec2.modify_instance_attribute,
            **flag(True, VolumeId=NOWHERE))
    refused("MissingParameter", ec2.modify_instance_attribute, InstanceId=instance,
            BlockDeviceMappings=[{"DeviceName": ROOT}])
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    ec2.delete_volume(VolumeId=volume)


def test_tags(world, ec2, subnet, launch):
    instance, = world.run_instances(subnet, TagSpecifications=[
        {"ResourceType": "volume", "Tags": tags(Name="disk")},
        {"ResourceType": "instance", "Tags": tags(Name="machine")}])
    assert volume_of(world, instance)["Tags"] == tags(Name="disk")
    assert world.instance(instance)["Tags"] == tags(Name="machine")
    found = ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": ["disk"]}])["Volumes"]
    ec2.create_tags(Resources=names(found, "VolumeId"), Tags=tags(Colour="red"))
    assert {tag["Key"] for tag in volume_of(world, instance)["Tags"]} == {"Name", "Colour"}
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    assert ec2.describe_tags(Filters=[
        {"Name": "resource-type", "Values": ["volume"]}])["Tags"] == []


def test_each_of_many_has_its_own(world, ec2, subnet):
    ids = world.run_instances(subnet, count=5)
    volumes = {volume_of(world, instance)["VolumeId"] for instance in ids}
    assert len(volumes) == 5
    ec2.terminate_instances(InstanceIds=ids)
    world.await_state("terminated", *ids)
    assert ec2.describe_volumes()["Volumes"] == []


def test_status_and_attributes(ec2, world, launch):
    volume = volume_of(world, launch())["VolumeId"]
    status, = ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"]
    demand(status, ["VolumeId", "AvailabilityZone", ("VolumeStatus", [
        "Status", ("Details", ["Name", "Status"])])])
    assert status["VolumeStatus"]["Status"] == "ok"
    shown = ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")
    assert (shown["VolumeId"], shown["AutoEnableIO"]) == (volume, {"Value": False})
    refused("InvalidParameterValue", ec2.describe_volume_attribute, VolumeId=volume,
            Attribute="banana")
    refused("InvalidVolume.NotFound", ec2.describe_volume_status, VolumeIds=[NOWHERE])


def test_restart(make_world):
    with make_world() as world:
        subnet = world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")
        instance, = world.run_instances(subnet, BlockDeviceMappings=[
            {"DeviceName": ROOT, "Ebs": {"VolumeSize": 33, "DeleteOnTermination": False}}])
        before = volume_of(world, instance)
        world.restart()
        assert volume_of(world, instance) == before
        assert before["Size"] == 33


def test_waiters(world, ec2, launch):
    volume = volume_of(world, launch())["VolumeId"]
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume])
    assert world.aws("ec2", "describe-volumes", "--volume-ids", volume)["Volumes"][0]["Size"] == 8
