"""Volumes: records that are made alone or with instances, attached, changed, and read back."""
import re

import pytest

from conformance import demand
from lib import IMAGE, names, refused, tags

NOWHERE = "vol-0fedcba9876543210"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
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
    device = world.instance(instance)["BlockDeviceMappings"][0]
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
    ({"VolumeSize": 20, "SnapshotId": f"snap{IMAGE[3:]}"}, 3000, 125),
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
    ("InvalidParameterDependency", ROOT, {"KmsKeyId": KEY}),
    ("UnsupportedOperation", ROOT, {"Encrypted": True, "KmsKeyId": "alias/x"}),
    ("UnsupportedOperation", ROOT, {"SnapshotId": "snap-0fedcba9876543210"}),
    ("UnsupportedOperation", "/dev/sdb", {"SnapshotId": f"snap{IMAGE[3:]}"}),
    ("MissingParameter", "/dev/sdb", {"VolumeType": "gp3"}),
    ("InvalidParameterValue", "/dev/sdb", {"VolumeType": "st1", "VolumeSize": 124}),
    ("InvalidParameterValue", "/dev/sdb16", {"VolumeSize": 20}),
    ("InvalidParameterValue", "/dev/nvme1n1", {"VolumeSize": 20})])
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
                  {"DeviceName": "xvda", "Ebs": {"VolumeSize": 30}}))
    refused("InvalidBlockDeviceMapping", ec2.run_instances,
            **run({"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20}},
                  {"DeviceName": "sdf", "Ebs": {"VolumeSize": 30}}))
    assert ec2.describe_volumes()["Volumes"] == []


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
    refused("InvalidInstanceAttributeValue", ec2.modify_instance_attribute,
            **flag(True, "/dev/sdb"), text="No device is currently mapped at /dev/sdb")
    refused("InvalidInstanceAttributeValue", ec2.modify_instance_attribute,
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
    for value in (False, True, False):
        ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": value})
        shown = ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")
        assert (shown["VolumeId"], shown["AutoEnableIO"]) == (volume, {"Value": value})
    shown = ec2.describe_volume_attribute(VolumeId=volume, Attribute="productCodes")
    assert shown["ProductCodes"] == []
    refused("MissingParameter", ec2.modify_volume_attribute, VolumeId=volume)
    assert status["VolumeStatus"]["Details"] == [
        {"Name": "io-enabled", "Status": "passed"},
        {"Name": "io-performance", "Status": "not-applicable"}]
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


# Made alone.

@pytest.fixture
def create(ec2):
    """Makes a volume; all end with the test."""
    made = []

    def run(zone="us-east-1b", **asked):
        reply = ec2.create_volume(AvailabilityZone=zone, **{"Size": 10, **asked})
        made.append(reply["VolumeId"])
        return made[-1]
    yield run
    for volume in made:
        try:
            entry = read(ec2, volume)
        except ec2.exceptions.ClientError:
            continue
        if entry["Attachments"]:
            ec2.detach_volume(VolumeId=volume)
        ec2.delete_volume(VolumeId=volume)


def read(ec2, volume):
    return ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


def test_create(ec2):
    made = ec2.create_volume(AvailabilityZone="us-east-1c", Size=33, VolumeType="gp3", Iops=4000,
                             Throughput=300, TagSpecifications=[
                                 {"ResourceType": "volume", "Tags": tags(Name="data")}])
    demand(made, ["VolumeId", "Size", "AvailabilityZone", "State", "CreateTime", "VolumeType",
                  "Iops", "Throughput", "Encrypted", "MultiAttachEnabled", "Tags"])
    assert made["State"] == "creating" and "Attachments" not in made and "SnapshotId" not in made
    volume = read(ec2, made["VolumeId"])
    made.pop("ResponseMetadata")
    assert volume == {**made, "State": "available", "Attachments": []}
    assert [volume[name] for name in ("Size", "VolumeType", "Iops", "Throughput", "Encrypted",
                                      "AvailabilityZone", "Tags")] == [
        33, "gp3", 4000, 300, False, "us-east-1c", tags(Name="data")]
    ec2.get_waiter("volume_available").wait(VolumeIds=[made["VolumeId"]])
    status, = ec2.describe_volume_status(VolumeIds=[made["VolumeId"]])["VolumeStatuses"]
    assert status["VolumeStatus"]["Status"] == "ok"
    ec2.delete_volume(VolumeId=made["VolumeId"])
    ec2.get_waiter("volume_deleted").wait(VolumeIds=[made["VolumeId"]])


@pytest.mark.parametrize("asked, shown", [
    ({"Size": 1}, ("gp2", 100, None)), ({"Size": 16384}, ("gp2", 16000, None)),
    ({"Size": 1, "VolumeType": "gp3"}, ("gp3", 3000, 125)),
    ({"Size": 65536, "VolumeType": "gp3", "Iops": 80000, "Throughput": 2000},
     ("gp3", 80000, 2000)),
    ({"Size": 8, "VolumeType": "gp3", "Iops": 4000, "Throughput": 1000}, ("gp3", 4000, 1000)),
    ({"Size": 4, "VolumeType": "io1", "Iops": 200}, ("io1", 200, None)),
    ({"Size": 4, "VolumeType": "io2", "Iops": 4000}, ("io2", 4000, None)),
    ({"Size": 125, "VolumeType": "st1"}, ("st1", None, None)),
    ({"Size": 16384, "VolumeType": "sc1"}, ("sc1", None, None)),
    ({"Size": 1024, "VolumeType": "standard"}, ("standard", None, None))])
def test_types_and_their_bounds(ec2, create, asked, shown):
    volume = read(ec2, create(**asked))
    assert (volume["VolumeType"], volume.get("Iops"), volume.get("Throughput")) == shown


@pytest.mark.parametrize("code, asked, text", [
    ("InvalidParameterValue", {"Size": 16385},
     "Volume of 16385GiB is too large for volume type gp2; maximum is 16384GiB."),
    ("InvalidParameterValue", {"Size": 3, "VolumeType": "io1", "Iops": 100},
     "Volume of 3GiB is too small for volume type io1; minimum is 4GiB."),
    ("InvalidParameterValue", {"Size": 124, "VolumeType": "st1"}, None),
    ("InvalidParameterValue", {"Size": 124, "VolumeType": "sc1"}, None),
    ("InvalidParameterValue", {"Size": 1025, "VolumeType": "standard"}, None),
    ("InvalidParameterValue", {"Size": 65537, "VolumeType": "io2", "Iops": 100}, None),
    ("InvalidParameterValue", {"Size": -1}, None),
    ("InvalidParameterValue", {"VolumeType": "floppy"}, None),
    ("InvalidParameterValue", {"VolumeType": "gp3", "Iops": 2999}, None),
    ("InvalidParameterValue", {"Size": 20, "VolumeType": "gp3", "Iops": 15000},
     "Iops to volume size ratio of 750.000000 is too high; maximum is 500"),
    ("InvalidParameterValue", {"VolumeType": "io1", "Iops": 501}, None),
    ("InvalidParameterValue", {"VolumeType": "io2", "Iops": 10001}, None),
    ("InvalidParameterValue", {"VolumeType": "io1", "Iops": 99}, None),
    ("InvalidParameterValue", {"Size": 16000, "VolumeType": "io1", "Iops": 64001}, None),
    ("InvalidParameterValue", {"VolumeType": "gp3", "Throughput": 1000},
     "Throughput (MiBps) to iops ratio of 0.333333 is too high; maximum is 0.250000 MiBps per "
     "iops."),
    ("InvalidParameterValue", {"VolumeType": "gp3", "Throughput": 124}, None),
    ("InvalidParameterCombination", {"VolumeType": "gp2", "Iops": 100}, None),
    ("InvalidParameterCombination", {"VolumeType": "io1", "Iops": 100, "Throughput": 125}, None),
    ("MissingParameter", {"VolumeType": "io2"}, None),
    ("InvalidZone.NotFound", {"zone": "us-east-1z"}, "The zone 'us-east-1z' does not exist."),
    ("InvalidParameterDependency", {"KmsKeyId": KEY}, None),
    ("UnsupportedOperation", {"SnapshotId": "snap-0123456789abcdef0"}, None),
    ("UnsupportedOperation", {"OutpostArn": "arn:aws:outposts:x"}, None),
    ("UnsupportedOperation", {"VolumeType": "io1", "Iops": 100, "MultiAttachEnabled": True}, None),
    ("UnsupportedOperation", {"Encrypted": True, "KmsKeyId": "alias/mine"}, None)])
def test_no_such_volume(ec2, create, code, asked, text):
    refused(code, create, **asked, text=text)
    assert ec2.describe_volumes()["Volumes"] == []


def test_no_size(ec2):
    refused("MissingParameter", ec2.create_volume, AvailabilityZone="us-east-1a",
            text="The request must contain the parameter size/snapshot")


def test_encrypted(ec2, create):
    """As a record: with a key of the account's own, or the one that is named."""
    one, two = (read(ec2, create(Encrypted=True)) for _ in range(2))
    assert one["Encrypted"] is True and one["KmsKeyId"] == two["KmsKeyId"]
    assert re.fullmatch(r"arn:aws:kms:us-east-1:\d{12}:key/[0-9a-f]{8}(-[0-9a-f]{4}){3}-"
                        "[0-9a-f]{12}", one["KmsKeyId"])
    named = read(ec2, create(Encrypted=True, KmsKeyId=KEY))["KmsKeyId"]
    assert named.startswith("arn:aws:kms:us-east-1:") and named.endswith(":key/" + KEY)
    assert read(ec2, create(Encrypted=True, KmsKeyId=named))["KmsKeyId"] == named


def test_token(ec2, create):
    asked = {"Size": 5, "ClientToken": "once", "TagSpecifications": [
        {"ResourceType": "volume", "Tags": tags(Name="one")}]}
    volume = create(**asked)
    assert ec2.create_volume(AvailabilityZone="us-east-1b", **asked)["VolumeId"] == volume
    refused("IdempotentParameterMismatch", create, **{**asked, "Size": 6})
    assert len(ec2.describe_volumes()["Volumes"]) == 1


# Attached.

def test_attach(world, ec2, launch, create):
    instance, volume = launch(), create()
    reply = ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    demand(reply, ["AttachTime", "Device", "InstanceId", "State", "VolumeId",
                   "DeleteOnTermination"])
    assert reply["State"] == "attaching"
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume])
    shown = read(ec2, volume)
    assert shown["State"] == "in-use"
    assert shown["Attachments"] == [{
        "AttachTime": reply["AttachTime"], "DeleteOnTermination": False, "Device": "/dev/sdf",
        "InstanceId": instance, "State": "attached", "VolumeId": volume}]
    assert [device["DeviceName"] for device in world.instance(instance)["BlockDeviceMappings"]] \
        == [ROOT, "/dev/sdf"]
    for name, value in (("attachment.device", "/dev/sdf"), ("status", "in-use"),
                        ("attachment.delete-on-termination", "false")):
        assert volume in names(ec2.describe_volumes(Filters=[
            {"Name": name, "Values": [value]}])["Volumes"], "VolumeId")
    found = ec2.describe_instances(Filters=[
        {"Name": "block-device-mapping.volume-id", "Values": [volume]}])["Reservations"]
    assert found[0]["Instances"][0]["InstanceId"] == instance
    reply = ec2.detach_volume(VolumeId=volume)
    assert (reply["State"], reply["Device"], reply["InstanceId"]) == (
        "detaching", "/dev/sdf", instance)
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    assert read(ec2, volume)["Attachments"] == []
    assert len(world.instance(instance)["BlockDeviceMappings"]) == 1


def test_attach_refused(world, ec2, launch, create):
    instance, volume, far = launch(), create(), create(zone="us-east-1c")

    def attach(**other):
        return {"VolumeId": volume, "InstanceId": instance, "Device": "/dev/sdf", **other}
    refused("InvalidVolume.NotFound", ec2.attach_volume, **attach(VolumeId=NOWHERE))
    refused("InvalidVolumeID.Malformed", ec2.attach_volume, **attach(VolumeId="banana"))
    refused("InvalidInstanceID.NotFound", ec2.attach_volume,
            **attach(InstanceId="i-0fedcba9876543210"))
    refused("InvalidVolume.ZoneMismatch", ec2.attach_volume, **attach(VolumeId=far),
            text=f"The volume '{far}' is not in the same availability zone as instance "
                 f"'{instance}'")
    for device in ("/dev/foo", "sd", "/dev/sd1", "/dev/sdf0", "/dev/sdf16", "/dev/xvdabc", "nvme1"):
        refused("InvalidParameterValue", ec2.attach_volume, **attach(Device=device),
                text=f"Value ({device}) for parameter device is invalid. {device} is not a valid "
                     "EBS device name.")
    for device in (ROOT, "xvda"):
        refused("InvalidParameterValue", ec2.attach_volume, **attach(Device=device),
                text=f"Invalid value '{device}' for unixDevice. Attachment point {device} is "
                     "already in use")
    refused("DryRunOperation", ec2.attach_volume, **attach(DryRun=True), status=412)
    for device in ("/dev/sdf", "xvdh", "/dev/xvdba", "/dev/sdz15", "/dev/hdb1"):
        ec2.attach_volume(**attach(Device=device))
        refused("VolumeInUse", ec2.attach_volume, **attach(Device="/dev/sdy"),
                text=f"{volume} is already attached to an instance")
        ec2.detach_volume(VolumeId=volume)
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    refused("IncorrectState", ec2.attach_volume, **attach(),
            text=f"Instance '{instance}' is not 'running'.")


def test_detach_refused(world, ec2, launch, create):
    instance, volume = launch(), create()
    refused("IncorrectState", ec2.detach_volume, VolumeId=volume,
            text=f"Volume '{volume}' is in the 'available' state.")
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    refused("VolumeInUse", ec2.delete_volume, VolumeId=volume)
    refused("InvalidAttachment.NotFound", ec2.detach_volume, VolumeId=volume, Device="/dev/sdg")
    refused("InvalidAttachment.NotFound", ec2.detach_volume, VolumeId=volume,
            InstanceId=launch())
    root = volume_of(world, instance)["VolumeId"]
    refused("OperationNotPermitted", ec2.detach_volume, VolumeId=root, Force=True,
            text=f"Unable to detach root volume '{root}' from instance '{instance}'")
    ec2.detach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")


def test_another_root(world, ec2, launch, create):
    """A stopped instance may change it, and starts with one only."""
    instance = launch()
    root = volume_of(world, instance)["VolumeId"]
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    ec2.detach_volume(VolumeId=root)
    refused("InvalidParameterValue", ec2.start_instances, InstanceIds=[instance],
            text=f"Invalid value '{instance}' for instanceId. Instance does not have a volume "
                 f"attached at root ({ROOT})")
    other = create()
    ec2.attach_volume(VolumeId=other, InstanceId=instance, Device=ROOT)
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert volume_of(world, instance)["VolumeId"] == other
    ec2.delete_volume(VolumeId=root)
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    assert read(ec2, other)["State"] == "available"  # attached later, it stays


def mapped(world, instance):
    """What metadata tells."""
    tree = "http://169.254.169.254/latest/meta-data/block-device-mapping/"
    listed = world.exec(instance, f"curl -sf -m 2 {tree}").split()
    return {name: world.exec(instance, f"curl -sf -m 2 {tree}{name}") for name in listed}


def test_with_the_launch(world, ec2, subnet):
    """Volumes beside the root, which go with the instance unless told not to; and metadata has
    them, those that come later from the next start on."""
    instance, = world.run_instances(subnet, BlockDeviceMappings=[
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20}},
        {"DeviceName": "xvdg", "Ebs": {"VolumeSize": 30, "VolumeType": "io1", "Iops": 300,
                                       "DeleteOnTermination": False, "Encrypted": True}},
        {"DeviceName": "/dev/sdz", "NoDevice": ""}],
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags(Name="disk")}])
    devices = {device["DeviceName"]: device["Ebs"]
               for device in world.instance(instance)["BlockDeviceMappings"]}
    assert list(devices) == [ROOT, "/dev/sdf", "xvdg"]
    assert [ebs["DeleteOnTermination"] for ebs in devices.values()] == [True, True, False]
    one, two = (read(ec2, devices[name]["VolumeId"]) for name in ("/dev/sdf", "xvdg"))
    assert (one["Size"], one["VolumeType"], one["Encrypted"]) == (20, "gp2", False)
    assert (two["Size"], two["VolumeType"], two["Iops"], two["Encrypted"]) == (30, "io1", 300, True)
    assert one["Tags"] == two["Tags"] == tags(Name="disk") and "SnapshotId" not in one
    there = {"ami": ROOT, "ebs1": "/dev/sdf", "ebs2": "xvdg", "root": ROOT}
    assert mapped(world, instance) == there
    more = ec2.create_volume(AvailabilityZone="us-east-1b", Size=1)["VolumeId"]
    ec2.attach_volume(VolumeId=more, InstanceId=instance, Device="/dev/sdh")
    assert mapped(world, instance) == there
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert mapped(world, instance) == {**there, "ebs3": "/dev/sdh"}
    ec2.detach_volume(VolumeId=one["VolumeId"])
    assert mapped(world, instance) == {"ami": ROOT, "ebs1": "xvdg", "ebs2": "/dev/sdh",
                                       "root": ROOT}
    ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=[
        {"DeviceName": "/dev/sdh", "Ebs": {"DeleteOnTermination": True}}])
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    left = names(ec2.describe_volumes()["Volumes"], "VolumeId")
    assert sorted(left) == sorted([one["VolumeId"], two["VolumeId"]])
    for volume in left:
        ec2.delete_volume(VolumeId=volume)


# Changed.

def test_modify(world, ec2, create, launch):
    volume = create(Size=10, VolumeType="gp2")
    refused("InvalidVolumeModification.NotFound", ec2.describe_volumes_modifications,
            VolumeIds=[volume])
    assert ec2.describe_volumes_modifications()["VolumesModifications"] == []
    change = ec2.modify_volume(VolumeId=volume, Size=20, VolumeType="gp3",
                               Throughput=200)["VolumeModification"]
    demand(change, ["VolumeId", "ModificationState", "TargetSize", "TargetIops",
                    "TargetVolumeType", "TargetThroughput", "TargetMultiAttachEnabled",
                    "OriginalSize", "OriginalIops", "OriginalVolumeType",
                    "OriginalMultiAttachEnabled", "Progress", "StartTime", "EndTime"])
    assert [change[name] for name in ("TargetSize", "TargetIops", "TargetVolumeType",
                                      "TargetThroughput", "OriginalSize", "OriginalIops",
                                      "OriginalVolumeType", "Progress")] == [
        20, 3000, "gp3", 200, 10, 100, "gp2", 100]
    assert "OriginalThroughput" not in change
    found, = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
    assert found == change
    shown = read(ec2, volume)
    assert [shown[name] for name in ("Size", "VolumeType", "Iops", "Throughput")] == [
        20, "gp3", 3000, 200]
    for name, value, count in (("modification-state", "completed", 1), ("target-size", "20", 1),
                               ("original-volume-type", "gp2", 1), ("original-size", "11", 0),
                               ("volume-id", volume, 1), ("target-iops", "3000", 1)):
        assert len(ec2.describe_volumes_modifications(Filters=[
            {"Name": name, "Values": [value]}])["VolumesModifications"]) == count
    # What isn't said stays, or is what the type begins with.
    ec2.modify_volume(VolumeId=volume, Iops=5000)
    assert (read(ec2, volume)["Iops"], read(ec2, volume)["Throughput"]) == (5000, 200)
    ec2.modify_volume(VolumeId=volume, VolumeType="io2")
    assert (read(ec2, volume)["Iops"], read(ec2, volume).get("Throughput")) == (3000, None)
    ec2.modify_volume(VolumeId=volume, Size=125, VolumeType="st1")
    assert "Iops" not in read(ec2, volume)
    root = volume_of(world, launch())["VolumeId"]
    ec2.modify_volume(VolumeId=root, Size=16)
    assert read(ec2, root)["Size"] == 16
    refused("InvalidParameterValue", ec2.modify_volume, VolumeId=root, VolumeType="sc1", Size=500)


def test_modify_refused(ec2, create):
    volume = create(Size=10, VolumeType="gp3")
    before = read(ec2, volume)
    for code, asked in (("InvalidParameterValue", {"Size": 9}), ("MissingParameter", {}),
                        ("InvalidParameterValue", {"VolumeType": "st1"}),
                        ("InvalidParameterValue", {"VolumeType": "banana"}),
                        ("InvalidParameterValue", {"Iops": 5001}),
                        ("InvalidParameterValue", {"VolumeType": "io1"}),  # 3000 are too many
                        ("InvalidParameterCombination", {"VolumeType": "gp2", "Iops": 200}),
                        ("UnsupportedOperation", {"MultiAttachEnabled": True})):
        refused(code, ec2.modify_volume, VolumeId=volume, **asked)
    refused("InvalidParameterValue", ec2.modify_volume, VolumeId=volume, Size=9,
            text="New size cannot be smaller than existing size")
    refused("InvalidVolume.NotFound", ec2.modify_volume, VolumeId=NOWHERE, Size=20)
    assert read(ec2, volume) == before
    assert ec2.describe_volumes_modifications()["VolumesModifications"] == []


def test_kept_over_a_restart(make_world):
    with make_world() as world:
        ec2 = world.ec2
        instance, = world.run_instances(world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24"))
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=5, Encrypted=True,
                                   KmsKeyId=KEY, ClientToken="t")["VolumeId"]
        ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        ec2.modify_volume(VolumeId=volume, VolumeType="gp3")
        ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": True})
        before = (read(ec2, volume), world.instance(instance),
                  ec2.describe_volumes_modifications()["VolumesModifications"])
        world.restart()
        ec2 = world.ec2
        assert before == (read(ec2, volume), world.instance(instance),
                          ec2.describe_volumes_modifications()["VolumesModifications"])
        assert ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")[
            "AutoEnableIO"] == {"Value": True}
        assert ec2.create_volume(AvailabilityZone="us-east-1a", Size=5, Encrypted=True,
                                 KmsKeyId=KEY, ClientToken="t")["VolumeId"] == volume


def test_waiters(world, ec2, launch):
    volume = volume_of(world, launch())["VolumeId"]
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume])
    assert world.aws("ec2", "describe-volumes", "--volume-ids", volume)["Volumes"][0]["Size"] == 8
