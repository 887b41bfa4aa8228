"""RegisterImage, DeregisterImage, DescribeImages of one's own, image attributes."""
import os
import re

import pytest

import wire
from conformance import demand
from images import archive_of
from lib import names, refused, tags, wait_for

NOWHERE = "ami-0fedcba9876543210"
LISTED = "ami-0a10000000000a123"  # of the catalogue


@pytest.fixture(scope="module")
def place(scratch):
    path = os.path.join(scratch, "place")
    os.mkdir(path)
    return path


@pytest.fixture(autouse=True)
def no_images(ec2):
    yield
    for image in own(ec2):
        ec2.deregister_image(ImageId=image["ImageId"])


def own(ec2, *filters, **more):
    return ec2.describe_images(Owners=["self"], Filters=[
        {"Name": name, "Values": list(values)} for name, *values in filters], **more)["Images"]


def register(ec2, place, name="mine", **more):
    return ec2.register_image(Name=name, ImageLocation=f"file://{place}", **more)["ImageId"]


def register_tagged(world, place, name="mine", **pairs):
    """Debian 12's botocore doesn't know TagSpecifications here."""
    parameters = {"Name": name, "ImageLocation": place, "TagSpecification.1.ResourceType": "image"}
    for number, (key, value) in enumerate(pairs.items(), 1):
        parameters[f"TagSpecification.1.Tag.{number}.Key"] = key
        parameters[f"TagSpecification.1.Tag.{number}.Value"] = value
    return wire.call(world, "RegisterImage", **parameters).root.findtext(".//{*}imageId")


def test_a_directory(ec2, place):
    identifier = register(ec2, place, Description="what it is", EnaSupport=True,
                          SriovNetSupport="simple", Architecture="arm64",
                          RootDeviceName="/dev/xvda", VirtualizationType="hvm")
    assert re.fullmatch("ami-0[0-9a-f]{16}", identifier)
    image, = ec2.describe_images(ImageIds=[identifier])["Images"]
    demand(image, ["ImageId", "Name", "OwnerId", "State", "Public", "Architecture", "CreationDate",
                   "ImageLocation", "ImageType", "Hypervisor", "VirtualizationType",
                   "RootDeviceName", "RootDeviceType", "Description", "BlockDeviceMappings"])
    wanted = {"ImageId": identifier, "Name": "mine", "Description": "what it is",
              "State": "available", "Public": False, "Architecture": "arm64", "EnaSupport": True,
              "SriovNetSupport": "simple", "ImageLocation": f"file://{place}",
              "RootDeviceName": "/dev/xvda", "VirtualizationType": "hvm", "Tags": []}
    assert {key: image[key] for key in wanted} == wanted
    assert "StateReason" not in image and "ImageOwnerAlias" not in image
    assert own(ec2) == [image]
    assert image in ec2.describe_images()["Images"]
    assert own(ec2) == ec2.describe_images(Owners=[image["OwnerId"]])["Images"]


def test_what_goes_without_saying(ec2, place):
    identifier = ec2.register_image(Name="plain", ImageLocation=place)["ImageId"]
    image, = own(ec2)
    assert image["ImageId"] == identifier and image["ImageLocation"] == place
    assert image["Architecture"] == {"aarch64": "arm64"}.get(os.uname().machine,
                                                             os.uname().machine)
    assert image["VirtualizationType"] == "hvm" and "Description" not in image
    assert image["EnaSupport"] is False
    mapping, = image["BlockDeviceMappings"]
    assert mapping == {"DeviceName": "/dev/xvda", "Ebs": {
        "DeleteOnTermination": True, "SnapshotId": identifier.replace("ami", "snap"),
        "VolumeSize": 8, "VolumeType": "gp3", "Encrypted": False}}


def test_filters(world, ec2, place):
    first = register_tagged(world, place, "first", Name="one", Suite="images")
    second = register(ec2, f"{place}/.", "second", Description="x",
                      Architecture="arm64")
    everything = [first, second]
    for name, values, found in (
            ("name", ["first"], [first]), ("name", ["*"], everything),
            ("image-id", [second], [second]), ("state", ["available"], everything),
            ("state", ["pending"], []), ("architecture", ["arm64"], [second]),
            ("is-public", ["false"], everything), ("is-public", ["true"], []),
            ("tag:Name", ["one"], [first]), ("tag-key", ["Suite"], [first]),
            ("tag-key", ["Other"], []), ("description", ["x"], [second]),
            ("manifest-location", [f"file://{place}*"], [second]),
            ("root-device-type", ["ebs"], everything), ("virtualization-type", ["hvm"], everything),
            ("owner-alias", ["amazon"], []), ("state-reason-code", ["*"], []),
            ("block-device-mapping.volume-size", ["8"], everything),
            ("ena-support", ["true"], [])):
        assert names(own(ec2, (name, *values)), "ImageId") == found, name
    owner = own(ec2)[0]["OwnerId"]
    assert names(own(ec2, ("owner-id", owner)), "ImageId") == everything
    public = ec2.describe_images(Filters=[{"Name": "is-public", "Values": ["true"]}])["Images"]
    assert public and not {first, second} & set(names(public, "ImageId"))


def test_pages(world, ec2, place):
    made = [register(ec2, place, f"page {number}") for number in range(5)]
    pages, token = [], {}
    while True:
        page = wire.call(world, "DescribeImages", MaxResults="4", **token).root
        found = [element.text for element in page.iterfind(".//{*}imageId")]
        assert found and len(found) <= 4
        pages += found
        if page.find(".//{*}nextToken") is None:
            break
        token = {"NextToken": page.findtext(".//{*}nextToken")}
    assert pages == names(ec2.describe_images()["Images"], "ImageId")
    assert set(made) < set(pages) and len(pages) == len(set(pages))


def test_tags(world, ec2, place):
    identifier = register_tagged(world, place, Name="a")
    ec2.create_tags(Resources=[identifier], Tags=tags(Other="b"))
    assert sorted((tag["Key"], tag["Value"]) for tag in own(ec2)[0]["Tags"]) == [
        ("Name", "a"), ("Other", "b")]
    found = ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["image"]}])["Tags"]
    assert {tag["ResourceId"] for tag in found} == {identifier}
    ec2.delete_tags(Resources=[identifier])
    assert own(ec2)[0]["Tags"] == []
    refused("InvalidAMIID.NotFound", ec2.create_tags, Resources=[NOWHERE], Tags=tags(Name="x"))


def test_volumes(world, ec2, place):
    """What a launch doesn't say of its disk is as the image has it."""
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {
        "VolumeSize": 20, "VolumeType": "io1", "Iops": 500, "DeleteOnTermination": False}}
    identifier = register(ec2, place, BlockDeviceMappings=[mapping])
    shown, = own(ec2)[0]["BlockDeviceMappings"]
    assert {key: shown["Ebs"][key] for key in mapping["Ebs"]} == mapping["Ebs"]
    subnet = world.subnet(world.vpc(), "10.0.1.0/24")

    def volume(**more):
        made, = names(ec2.run_instances(ImageId=identifier, MinCount=1, MaxCount=1,
                                        SubnetId=subnet, **more)["Instances"], "InstanceId")
        found, = ec2.describe_volumes(Filters=[
            {"Name": "attachment.instance-id", "Values": [made]}])["Volumes"]
        ec2.terminate_instances(InstanceIds=[made])
        for left in ec2.describe_volumes(VolumeIds=[])["Volumes"]:
            if left["State"] == "available":
                ec2.delete_volume(VolumeId=left["VolumeId"])
        return (found["Size"], found["VolumeType"], found.get("Iops"),
                found["Attachments"][0]["DeleteOnTermination"])
    assert volume() == (20, "io1", 500, False)
    assert volume(BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {
        "VolumeSize": 30, "VolumeType": "gp3"}}]) == (30, "gp3", 3000, True)
    refused("InvalidBlockDeviceMapping", ec2.run_instances, ImageId=identifier, MinCount=1,
            MaxCount=1, SubnetId=subnet, BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 10}}])


@pytest.mark.parametrize("name", ["ab", "x" * 129, "mine!", "mine\n", "mïne", "a*b"])
def test_malformed_names(ec2, place, name):
    refused("InvalidAMIName.Malformed", register, ec2, place, name)
    assert not own(ec2)


@pytest.mark.parametrize("name", ["abc", "x" * 128, "a (b) [c] ./-'@_ Z9"])
def test_names(ec2, place, name):
    register(ec2, place, name)
    assert names(own(ec2), "Name") == [name]


def test_duplicate_names(world, ec2, place):
    identifier = register(ec2, place)
    refused("InvalidAMIName.Duplicate", register, ec2, place,
            text=f"AMI name mine is already in use by AMI {identifier}")
    west = world.client(region="us-west-2")
    other = register(west, place)
    assert names(own(west), "ImageId") == [other]
    ec2.deregister_image(ImageId=identifier)
    register(ec2, place)
    west.deregister_image(ImageId=other)


def test_another_regions(world, ec2, place):
    west = world.client(region="us-west-2")
    identifier = register(west, place)
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[identifier],
            text=f"The image id '[{identifier}]' does not exist")
    refused("InvalidAMIID.NotFound", ec2.deregister_image, ImageId=identifier)
    refused("InvalidAMIID.NotFound", ec2.run_instances, ImageId=identifier, MinCount=1, MaxCount=1)
    west.deregister_image(ImageId=identifier)


@pytest.mark.parametrize("code, more", [
    ("UnsupportedOperation", {"BootMode": "uefi"}), ("UnsupportedOperation", {"KernelId": "aki-1"}),
    ("UnsupportedOperation", {"RamdiskId": "ari-1"}), ("UnsupportedOperation", {"UefiData": "x"}),
    ("UnsupportedOperation", {"BillingProducts": ["x"]}),
    ("UnsupportedOperation", {"TpmSupport": "v2.0"}),
    ("UnsupportedOperation", {"ImdsSupport": "v2.0"}),
    ("UnsupportedOperation", {"VirtualizationType": "paravirtual"}),
    ("InvalidParameterValue", {"VirtualizationType": "banana"}),
    ("UnsupportedOperation", {"RootDeviceName": "/dev/sda1"}),
    ("InvalidParameterValue", {"Architecture": "banana"}),
    ("InvalidParameterValue", {"SriovNetSupport": "banana"}),
    ("UnsupportedOperation", {"BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-0123456789abcdef0"}}]}),
    ("UnsupportedOperation", {"BlockDeviceMappings": [
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 10}}]}),
    ("InvalidParameterValue", {"BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "banana"}}]}),
    ("InvalidParameterValue", {"ImageLocation": "bucket/image.manifest.xml"}),
    ("InvalidParameterValue", {"ImageLocation": "file://relative"}),
    ("InvalidParameterValue", {"ImageLocation": "/no/such/place"}),
    ("InvalidParameterValue", {"ImageLocation": "/dev/null"}),
    ("InvalidParameterValue", {"ImageLocation": "/"})])
def test_what_can_not_be_registered(ec2, place, code, more):
    error = refused(code, ec2.register_image,
                    **{"Name": "mine", "ImageLocation": f"file://{place}", **more})
    if code == "UnsupportedOperation":  # by its name, in the singular as it is sent
        assert next(iter(more)).rstrip("s") in error.message
    assert not own(ec2)


def test_without_a_location(world, ec2):
    refused("UnsupportedOperation", ec2.register_image, Name="mine",
            RootDeviceName="/dev/xvda", text="An image is registered from a directory or an "
            "archive of this machine's, not from a snapshot: ImageLocation must be "
            "file:///ABSOLUTE/PATH")
    assert wire.call(world, "RegisterImage").code == "MissingParameter"


def test_dry_runs(ec2, place):
    refused("DryRunOperation", register, ec2, place, DryRun=True, status=412)
    assert not own(ec2)
    identifier = register(ec2, place)
    refused("DryRunOperation", ec2.deregister_image, ImageId=identifier, DryRun=True, status=412)
    assert names(own(ec2), "ImageId") == [identifier]


def test_deregistering(ec2, place):
    identifier = register(ec2, place)
    ec2.deregister_image(ImageId=identifier)
    assert not own(ec2)
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[identifier])
    refused("InvalidAMIID.Unavailable", ec2.deregister_image, ImageId=identifier)
    refused("InvalidAMIID.Unavailable", ec2.run_instances, ImageId=identifier, MinCount=1,
            MaxCount=1)
    refused("InvalidAMIID.NotFound", ec2.deregister_image, ImageId=NOWHERE,
            text=f"The image id '[{NOWHERE}]' does not exist")
    refused("InvalidAMIID.Malformed", ec2.deregister_image, ImageId="banana")
    refused("AuthFailure", ec2.deregister_image, ImageId=LISTED,
            text=f"Not authorized for image:{LISTED}")


def test_attributes(world, ec2, place):
    identifier = register(ec2, place, Description="before")

    def read(name):
        reply = ec2.describe_image_attribute(ImageId=identifier, Attribute=name)
        assert reply.pop("ImageId") == identifier
        reply.pop("ResponseMetadata")
        return reply
    assert read("description") == {"Description": {"Value": "before"}}
    assert read("launchPermission") == {"LaunchPermissions": []}
    assert read("productCodes") == {"ProductCodes": []}
    assert read("kernel") == {"KernelId": {}}
    assert read("blockDeviceMapping")["BlockDeviceMappings"] == own(ec2)[0]["BlockDeviceMappings"]
    ec2.modify_image_attribute(ImageId=identifier, Description={"Value": "after"})
    assert read("description") == {"Description": {"Value": "after"}}
    ec2.modify_image_attribute(ImageId=identifier, Attribute="description", Value="at last")
    assert own(ec2)[0]["Description"] == "at last"
    refused("InvalidParameterValue", ec2.describe_image_attribute, ImageId=identifier,
            Attribute="banana")
    refused("AuthFailure", ec2.describe_image_attribute, ImageId=LISTED, Attribute="description")
    refused("AuthFailure", ec2.modify_image_attribute, ImageId=LISTED, Description={"Value": "x"})
    refused("MissingParameter", ec2.modify_image_attribute, ImageId=identifier)
    found = wire.call(world, "ModifyImageAttribute", ImageId=identifier, ImdsSupport__Value="v2.0")
    assert (found.code, found.message) == (
        "UnsupportedOperation", "The parameter ImdsSupport.Value is not supported.")
    refused("UnsupportedOperation", ec2.modify_image_attribute, ImageId=identifier,
            LaunchPermission={"Add": [{"Group": "all"}]})
    refused("UnsupportedOperation", ec2.modify_image_attribute, ImageId=identifier,
            Attribute="productCodes", ProductCodes=["x"])


def test_failed(ec2, tmp_path):
    """It says why, can't be launched, and goes when it is told to."""
    archive = archive_of(str(tmp_path / "x.tar"), ("../x", {}, b""))
    identifier = register(ec2, archive)
    image = wait_for(lambda: own(ec2, ("state", "failed")), 10, "it failed")[0]
    assert image["ImageId"] == identifier
    assert image["StateReason"] == {"Code": "Client.InvalidImage",
                                    "Message": "tar: ../x: Member name contains '..'"}
    assert own(ec2, ("state-reason-message", "tar: *")) == [image]
    refused("InvalidAMIID.Unavailable", ec2.run_instances, ImageId=identifier, MinCount=1,
            MaxCount=1, text=f"The image ID '{identifier}' is not available: it is failed: tar: "
            "../x: Member name contains '..'")
    refused("InvalidAMIName.Duplicate", register, ec2, archive)
    ec2.deregister_image(ImageId=identifier)


def test_kept_by_the_store(own_world, place):
    world = own_world
    world.ec2.create_tags(Tags=tags(Name="a"), Resources=[
        register(world.ec2, place, Description="x", BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20}}])])
    gone = register(world.ec2, place, "gone")
    world.ec2.deregister_image(ImageId=gone)
    before = own(world.ec2)
    world.restart()
    assert own(world.ec2) == before
    refused("InvalidAMIID.Unavailable", world.ec2.run_instances, ImageId=gone, MinCount=1,
            MaxCount=1)


def test_quota(make_world, place):
    with make_world("--quota", "amis-per-region=2") as world:
        register(world.ec2, place, "one")
        second = register(world.ec2, place, "two")
        refused("ResourceLimitExceeded", register, world.ec2, place, "three")
        world.ec2.deregister_image(ImageId=second)
        register(world.ec2, place, "three")


def test_listed_by_the_command(world, ec2, place):
    identifier = register(ec2, place)
    table = world.run("image list").stdout.splitlines()
    assert table[0].split() == ["IMAGE", "NAME", "STATE", "PATH", "REASON"]
    assert table[1].split() == [identifier, "mine", "available", place, "-"]
    assert f'"imageId": "{identifier}"' in world.run("image list", "-o", "json").stdout
    world.run("image delete", identifier)
    assert not own(ec2)
