"""Launch templates: versions, what they show, and launches from them."""
import base64
import re

import pytest

import wire
from conformance import demand
from lib import IMAGE, names, refused, tag_specification, tags

NOWHERE = "lt-0fedcba9876543210"
DATA = {
    "ImageId": IMAGE, "InstanceType": "t3.small", "KeyName": "login", "EbsOptimized": True,
    "UserData": base64.b64encode(b"#!/bin/sh\n").decode(), "Monitoring": {"Enabled": True},
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {
        "VolumeSize": 11, "VolumeType": "gp2", "DeleteOnTermination": True}}],
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 3},
    "CreditSpecification": {"CpuCredits": "standard"},
    "Placement": {"Tenancy": "default"},
    "InstanceInitiatedShutdownBehavior": "terminate",
    "TagSpecifications": [{"ResourceType": "instance", "Tags": tags(Name="web", Tier="front")},
                          {"ResourceType": "volume", "Tags": tags(Name="disk")}]}


@pytest.fixture(scope="module")
def ec2(world):
    world.ec2.create_key_pair(KeyName="login", KeyType="ed25519")
    return world.ec2


@pytest.fixture(scope="module")
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture(scope="module")
def subnet(world, vpc):
    return world.subnet(vpc, "10.1.1.0/24")


@pytest.fixture(autouse=True)
def cleared(request):
    yield
    ec2, world = (request.getfixturevalue(name) for name in ("ec2", "world"))
    for template in names(ec2.describe_launch_templates()["LaunchTemplates"], "LaunchTemplateId"):
        ec2.delete_launch_template(LaunchTemplateId=template)
    ids = [entry["InstanceId"] for reservation in ec2.describe_instances()["Reservations"]
           for entry in reservation["Instances"] if entry["State"]["Name"] != "terminated"]
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        world.await_state("terminated", *ids)


def create(ec2, data, name="web", **more):
    return ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data,
                                      **more)["LaunchTemplate"]["LaunchTemplateId"]


def versions(ec2, template, **more):
    return ec2.describe_launch_template_versions(LaunchTemplateId=template,
                                                 **more)["LaunchTemplateVersions"]


def launch(world, template=None, version=None, **more):
    named = {"LaunchTemplateId": template, **({"Version": version} if version else {})}
    reply = world.ec2.run_instances(**{"MinCount": 1, "MaxCount": 1, "LaunchTemplate": named,
                                       **more})
    instance = reply["Instances"][0]["InstanceId"]
    world.await_state("running", instance)
    return world.instance(instance)


def tag_of(instance):
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def test_create(ec2):
    made = ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData=DATA, VersionDescription="first",
        TagSpecifications=tag_specification("launch-template", Name="t"))["LaunchTemplate"]
    demand(made, ["LaunchTemplateId", "LaunchTemplateName", "CreateTime", "CreatedBy",
                  "DefaultVersionNumber", "LatestVersionNumber", "Tags"])
    assert re.fullmatch("lt-[0-9a-f]{17}", made["LaunchTemplateId"])
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1)
    found, = ec2.describe_launch_templates(LaunchTemplateNames=["web"])["LaunchTemplates"]
    assert found == made
    version, = versions(ec2, made["LaunchTemplateId"])
    assert version["LaunchTemplateData"] == DATA
    assert (version["VersionNumber"], version["VersionDescription"],
            version["DefaultVersion"]) == (1, "first", True)


def test_interfaces_and_groups_are_shown(ec2):
    data = {"SecurityGroupIds": ["sg-0123456789abcdef0", "sg-0123456789abcdef1"],
            "NetworkInterfaces": [{
                "DeviceIndex": number, "Groups": ["sg-0123456789abcdef0"], "SubnetId": "subnet-1",
                "AssociatePublicIpAddress": True, "PrivateIpAddresses": [
                    {"PrivateIpAddress": f"10.1.1.{last}", "Primary": last == 10}
                    for last in (10, 11)]} for number in range(12)]}
    version, = versions(ec2, create(ec2, data))
    assert version["LaunchTemplateData"] == data


def test_a_name_there_must_be(world):
    """boto3 doesn't let one go without."""
    for more in ({}, {"ClientToken": "x"}, {"LaunchTemplateName": ""}):
        found = wire.call(world, "CreateLaunchTemplate", LaunchTemplateData__ImageId=IMAGE, **more)
        assert (found.status, found.code) == (400, "MissingParameter")
        assert found.message == "The request must contain the parameter LaunchTemplateName"


def test_names(ec2):
    create(ec2, DATA)
    refused("InvalidLaunchTemplateName.AlreadyExistsException", ec2.create_launch_template,
            LaunchTemplateName="web", LaunchTemplateData=DATA,
            text="Launch template name already in use.")
    for name in ("with a space", "x" * 128 + "y"):
        refused("InvalidLaunchTemplateName.MalformedException", ec2.create_launch_template,
                LaunchTemplateName=name, LaunchTemplateData=DATA)
    token = {"LaunchTemplateName": "once", "LaunchTemplateData": DATA, "ClientToken": "t"}
    first, second = (ec2.create_launch_template(**token)["LaunchTemplate"] for _ in range(2))
    assert first == second
    refused("IdempotentParameterMismatch", ec2.create_launch_template,
            **{**token, "VersionDescription": "other"})
    for call in (ec2.delete_launch_template, ec2.modify_launch_template):
        refused("InvalidLaunchTemplateId.NotFound", call, LaunchTemplateId=NOWHERE)
        refused("InvalidLaunchTemplateName.NotFoundException", call, LaunchTemplateName="nobody")
        refused("MissingParameter", call)
    refused("InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates,
            LaunchTemplateNames=["nobody"])
    refused("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_templates,
            LaunchTemplateIds=[NOWHERE])
    refused("InvalidLaunchTemplateId.Malformed", ec2.describe_launch_templates,
            LaunchTemplateIds=["banana"])


def test_versions(ec2):
    template = create(ec2, DATA)
    more = ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", VersionDescription="larger",
        LaunchTemplateData={"InstanceType": "t3.large"})["LaunchTemplateVersion"]
    assert (more["VersionNumber"], more["DefaultVersion"]) == (2, False)
    assert more["LaunchTemplateData"] == {**DATA, "InstanceType": "t3.large"}
    bare = ec2.create_launch_template_version(
        LaunchTemplateName="web",
        LaunchTemplateData={"InstanceType": "m5.large"})["LaunchTemplateVersion"]
    assert bare["LaunchTemplateData"] == {"InstanceType": "m5.large"}

    def numbers(**arguments):
        return [entry["VersionNumber"] for entry in versions(ec2, template, **arguments)]
    assert sorted(numbers()) == [1, 2, 3]
    assert numbers(Versions=["$Latest"]) == [3] and numbers(Versions=["$Default"]) == [1]
    assert numbers(Versions=["2", "1"]) == [2, 1]
    assert sorted(numbers(MinVersion="2")) == [2, 3] and numbers(MaxVersion="1") == [1]
    assert numbers(Filters=[{"Name": "instance-type", "Values": ["t3.*"]},
                            {"Name": "is-default-version", "Values": ["false"]}]) == [2]
    assert len(ec2.describe_launch_template_versions(Versions=["$Latest"])[
        "LaunchTemplateVersions"]) == 1
    refused("InvalidLaunchTemplateId.VersionNotFound", versions, ec2, template, Versions=["9"])
    changed = ec2.modify_launch_template(LaunchTemplateId=template,
                                         DefaultVersion="3")["LaunchTemplate"]
    assert (changed["DefaultVersionNumber"], changed["LatestVersionNumber"]) == (3, 3)
    reply = ec2.delete_launch_template_versions(LaunchTemplateId=template,
                                                Versions=["2", "3", "9"])
    assert names(reply["SuccessfullyDeletedLaunchTemplateVersions"], "VersionNumber") == [2]
    failed = reply["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert {entry["VersionNumber"]: entry["ResponseError"]["Code"] for entry in failed} == {
        3: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"}
    assert sorted(numbers()) == [1, 3]
    fourth = ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={})
    assert fourth["LaunchTemplateVersion"]["VersionNumber"] == 4  # a number never comes again


def test_launch(world, ec2, subnet):
    template = create(ec2, DATA)
    instance = launch(world, template, SubnetId=subnet)
    identifier = instance["InstanceId"]
    assert (instance["ImageId"], instance["InstanceType"], instance["KeyName"]) == (
        IMAGE, "t3.small", "login")
    assert instance["EbsOptimized"] is True and instance["Monitoring"] == {"State": "enabled"}
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 3
    assert tag_of(instance) == {"Name": "web", "Tier": "front",
                                "aws:ec2launchtemplate:id": template,
                                "aws:ec2launchtemplate:version": "1"}
    volume, = ec2.describe_volumes(Filters=[
        {"Name": "attachment.instance-id", "Values": [identifier]}])["Volumes"]
    assert (volume["Size"], volume["VolumeType"]) == (11, "gp2")
    assert volume["Tags"] == tags(Name="disk")
    for attribute, member, value in (
            ("userData", "UserData", DATA["UserData"]),
            ("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior",
             "terminate")):
        shown = ec2.describe_instance_attribute(InstanceId=identifier, Attribute=attribute)
        assert shown[member] == {"Value": value}
    found, = ec2.describe_tags(Filters=[
        {"Name": "resource-id", "Values": [identifier]},
        {"Name": "key", "Values": ["aws:ec2launchtemplate:version"]}])["Tags"]
    assert found["Value"] == "1"


def test_the_request_counts_first(world, ec2, subnet):
    template = create(ec2, DATA)
    instance = launch(world, template, SubnetId=subnet, InstanceType="t3.micro",
                      MetadataOptions={"HttpTokens": "optional"},
                      BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}],
                      TagSpecifications=tag_specification("instance", Name="other", Extra="x"))
    assert instance["InstanceType"] == "t3.micro"
    assert instance["MetadataOptions"]["HttpTokens"] == "optional"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 3
    assert {key: value for key, value in tag_of(instance).items() if key[:4] != "aws:"} == {
        "Name": "other", "Tier": "front", "Extra": "x"}
    volume, = ec2.describe_volumes(Filters=[
        {"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}])["Volumes"]
    assert (volume["Size"], volume["VolumeType"]) == (30, "gp3")


def test_no_device(world, ec2, subnet):
    """A device that the launch wants none of is none, and so is one the template wants none of."""
    none = {"DeviceName": "/dev/sdf", "NoDevice": ""}
    disk = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}
    for number, (said, asked, count) in enumerate((([disk], [], 2), ([disk], [none], 1),
                                                   ([none], [], 1), ([none], [disk], 2))):
        template = create(ec2, {"ImageId": IMAGE, "BlockDeviceMappings": said}, f"none{number}")
        instance = ec2.run_instances(
            MinCount=1, MaxCount=1, SubnetId=subnet, BlockDeviceMappings=asked,
            LaunchTemplate={"LaunchTemplateId": template})["Instances"][0]["InstanceId"]
        assert len(world.instance(instance)["BlockDeviceMappings"]) == count
        version, = versions(ec2, template)
        shown = version["LaunchTemplateData"]["BlockDeviceMappings"]
        assert ("NoDevice" in shown[0]) == (said == [none])


def test_which_version(world, ec2, subnet):
    template = create(ec2, {"ImageId": IMAGE, "InstanceType": "t3.small"})
    ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1",
                                       LaunchTemplateData={"InstanceType": "t3.large"})
    for version, kind, number in ((None, "t3.small", "1"), ("$Latest", "t3.large", "2"),
                                  ("$Default", "t3.small", "1"), ("2", "t3.large", "2")):
        instance = launch(world, template, version, SubnetId=subnet)
        assert instance["InstanceType"] == kind
        assert tag_of(instance)["aws:ec2launchtemplate:version"] == number
    by_name = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet, LaunchTemplate={
        "LaunchTemplateName": "web", "Version": "2"})["Instances"][0]
    assert by_name["InstanceType"] == "t3.large"
    one = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    refused("MissingParameter", ec2.run_instances, ImageId=IMAGE, **one,
            LaunchTemplate={"Version": "1"}, text="Either launchTemplateId or launchTemplateName "
            "must be specified.")
    refused("InvalidLaunchTemplateId.VersionNotFound", ec2.run_instances, **one,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "7"})
    refused("InvalidLaunchTemplateId.NotFound", ec2.run_instances, **one,
            LaunchTemplate={"LaunchTemplateId": NOWHERE})
    refused("InvalidLaunchTemplateName.NotFoundException", ec2.run_instances, **one,
            LaunchTemplate={"LaunchTemplateName": "nobody"})


def test_network_of_the_template(world, ec2, vpc, subnet):
    group, other = (world.security_group(vpc, name) for name in ("one", "two"))
    template = create(ec2, {"ImageId": IMAGE, "NetworkInterfaces": [
        {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "Description": "card",
         "PrivateIpAddress": "10.1.1.77"}]})
    instance = launch(world, template)
    assert instance["PrivateIpAddress"] == "10.1.1.77"
    assert instance["SecurityGroups"][0]["GroupId"] == group
    instance = launch(world, template, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [other]}])
    assert instance["PrivateIpAddress"] != "10.1.1.77"
    assert names(instance["SecurityGroups"], "GroupId") == [other]
    refused("InvalidParameterCombination", ec2.run_instances, MinCount=1, MaxCount=1,
            SubnetId=subnet, LaunchTemplate={"LaunchTemplateId": template})
    groups = create(ec2, {"ImageId": IMAGE, "SecurityGroupIds": [group]}, "groups")
    assert names(launch(world, groups, SubnetId=subnet)["SecurityGroups"], "GroupId") == [group]
    instance = launch(world, groups, SubnetId=subnet, SecurityGroupIds=[other])
    assert names(instance["SecurityGroups"], "GroupId") == [other]


def test_what_cannot_be_launched(ec2, subnet):
    one = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    for name, code, data in (
            ("no-image", "MissingParameter", {"InstanceType": "t3.micro"}),
            ("no-type", "InvalidParameterValue", {"ImageId": IMAGE, "InstanceType": "z9.big"}),
            ("no-key", "InvalidKeyPair.NotFound", {"ImageId": IMAGE, "KeyName": "nobody"}),
            ("spot", "UnsupportedOperation",
             {"ImageId": IMAGE, "InstanceMarketOptions": {"MarketType": "spot"}})):
        template = create(ec2, data, name)
        refused(code, ec2.run_instances, **one, LaunchTemplate={"LaunchTemplateId": template})


def test_token(world, ec2, subnet):
    template = create(ec2, {"ImageId": IMAGE})
    arguments = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet, "ClientToken": "once",
                 "LaunchTemplate": {"LaunchTemplateId": template}}
    first, second = (ec2.run_instances(**arguments)["ReservationId"] for _ in range(2))
    assert first == second
    refused("IdempotentParameterMismatch", ec2.run_instances,
            **{**arguments, "LaunchTemplate": {"LaunchTemplateName": "web"}})


def test_data_of_an_instance(world, ec2, vpc, subnet):
    """All that was asked for, which makes the like of it again."""
    group = world.security_group(vpc, "got")
    instance = ec2.run_instances(
        MinCount=1, MaxCount=1, ImageId=IMAGE, InstanceType="t3.small", KeyName="login",
        UserData="#!/bin/sh\n", Monitoring={"Enabled": True}, DisableApiStop=False,
        InstanceInitiatedShutdownBehavior="terminate",
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 4},
        PrivateDnsNameOptions={"HostnameType": "resource-name"},
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5, "DeleteOnTermination": False}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 9, "VolumeType": "gp3",
                                               "Encrypted": True}}],
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group],
                            "PrivateIpAddress": "10.1.1.40", "Description": "card",
                            "SecondaryPrivateIpAddressCount": 1}],
        TagSpecifications=tag_specification("instance", Name="x"))["Instances"][0]["InstanceId"]
    world.await_state("running", instance)
    data = ec2.get_launch_template_data(InstanceId=instance)["LaunchTemplateData"]
    assert {name: data[name] for name in (
        "ImageId", "InstanceType", "KeyName", "Monitoring", "EbsOptimized", "DisableApiStop",
        "DisableApiTermination", "InstanceInitiatedShutdownBehavior", "UserData", "Placement",
        "CreditSpecification", "EnclaveOptions", "HibernationOptions", "TagSpecifications",
        "MaintenanceOptions")} == {
            "ImageId": IMAGE, "InstanceType": "t3.small", "KeyName": "login",
            "Monitoring": {"Enabled": True}, "EbsOptimized": False, "DisableApiStop": False,
            "DisableApiTermination": False, "InstanceInitiatedShutdownBehavior": "terminate",
            "UserData": "IyEvYmluL3NoCg==", "CreditSpecification": {"CpuCredits": "unlimited"},
            "Placement": {"AvailabilityZone": "us-east-1a", "GroupName": "", "Tenancy": "default"},
            "EnclaveOptions": {"Enabled": False}, "HibernationOptions": {"Configured": False},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags(Name="x")}],
            "MaintenanceOptions": {"AutoRecovery": "default"}}
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 4
    assert data["PrivateDnsNameOptions"]["HostnameType"] == "resource-name"
    volumes = {entry["DeviceName"]: {**entry["Ebs"]} for entry in data["BlockDeviceMappings"]}
    assert volumes["/dev/sdf"] == {"DeleteOnTermination": False, "Encrypted": False,
                                   "VolumeSize": 5, "VolumeType": "gp2"}
    assert volumes["/dev/sdg"].pop("KmsKeyId").startswith("arn:aws:kms:")
    assert volumes["/dev/sdg"] == {"DeleteOnTermination": True, "Encrypted": True, "VolumeSize": 9,
                                   "VolumeType": "gp3", "Iops": 3000, "Throughput": 125}
    assert volumes["/dev/xvda"]["SnapshotId"] == f"snap{IMAGE[3:]}"
    card, = data["NetworkInterfaces"]
    assert (card["SubnetId"], card["Groups"], card["Description"], card["DeviceIndex"],
            card["PrivateIpAddress"], len(card["PrivateIpAddresses"])) == (
        subnet, [group], "card", 0, "10.1.1.40", 2)
    assert card["PrivateIpAddresses"][0] == {"Primary": True, "PrivateIpAddress": "10.1.1.40"}
    # The card itself is in use; its like elsewhere is not.
    data["NetworkInterfaces"] = [{name: card[name] for name in ("SubnetId", "Groups",
                                                                 "DeviceIndex", "Description")}]
    again = launch(world, create(ec2, data))["InstanceId"]
    more = ec2.get_launch_template_data(InstanceId=again)["LaunchTemplateData"]
    for entry in (data, more):
        entry.pop("NetworkInterfaces")
    assert more == data
    refused("InvalidInstanceID.NotFound", ec2.get_launch_template_data,
            InstanceId="i-0fedcba9876543210")
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    for volume in ec2.describe_volumes(Filters=[
            {"Name": "status", "Values": ["available"]}])["Volumes"]:
        ec2.delete_volume(VolumeId=volume["VolumeId"])
    assert "NetworkInterfaces" not in ec2.get_launch_template_data(
        InstanceId=instance)["LaunchTemplateData"]


def test_tags_of_aws_stay(world, ec2, subnet):
    instance = launch(world, create(ec2, {"ImageId": IMAGE}), SubnetId=subnet)["InstanceId"]
    refused("InvalidParameterValue", ec2.create_tags, Resources=[instance],
            Tags=tags(**{"aws:ec2launchtemplate:id": "x"}))


def test_restart(own_world):
    ec2 = own_world.ec2
    ec2.create_key_pair(KeyName="login", KeyType="ed25519")
    template = create(ec2, DATA)
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={})
    before = versions(ec2, template), ec2.describe_launch_templates()["LaunchTemplates"]
    own_world.restart()
    ec2 = own_world.ec2
    assert (versions(ec2, template), ec2.describe_launch_templates()["LaunchTemplates"]) == before
