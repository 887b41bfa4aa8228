"""Regions, zones, images, instance types: what callers look up before they make anything."""
import re

import pytest

import wire
from conformance import demand
from lib import IMAGE, names, refused


# Regions and zones.

def test_regions(ec2):
    regions = {entry["RegionName"]: entry for entry in ec2.describe_regions()["Regions"]}
    for name in ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1",
                 "eu-north-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1", "ca-central-1"):
        assert regions[name] == {"RegionName": name, "OptInStatus": "opt-in-not-required",
                                 "Endpoint": f"ec2.{name}.amazonaws.com"}
    everywhere = {entry["RegionName"] for entry in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert set(regions) <= everywhere
    assert {"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} <= everywhere


def test_regions_by_name_and_filter(ec2):
    def found(**arguments):
        return set(names(ec2.describe_regions(**arguments)["Regions"], "RegionName"))
    assert found(RegionNames=["eu-west-1", "us-east-1"]) == {"eu-west-1", "us-east-1"}
    assert found(Filters=[{"Name": "region-name", "Values": ["eu-west-?"]}]) == {
        "eu-west-1", "eu-west-2", "eu-west-3"}
    assert found(Filters=[{"Name": "endpoint", "Values": ["*us-east-2*"]}]) == {"us-east-2"}
    assert found(Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]) >= {
        "us-east-1"}
    refused("InvalidParameterValue", ec2.describe_regions, RegionNames=["mars-north-1"])
    refused("DryRunOperation", ec2.describe_regions, DryRun=True, status=412)


def test_zones(ec2):
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    for zone in zones:
        demand(zone, ["State", "OptInStatus", "RegionName", "ZoneName", "ZoneId", "GroupName",
                      "NetworkBorderGroup", "ZoneType", "Messages"])
        assert zone["State"] == "available" and zone["ZoneType"] == "availability-zone"
        assert zone["OptInStatus"] == "opt-in-not-required"
        assert zone["RegionName"] == zone["NetworkBorderGroup"] == "us-east-1"
    assert names(zones, "ZoneName") == [f"us-east-1{letter}" for letter in "abcdef"]
    assert sorted(names(zones, "ZoneId")) == [f"use1-az{number}" for number in range(1, 7)]


def test_zones_by_name_and_filter(ec2):
    def found(**arguments):
        return names(ec2.describe_availability_zones(**arguments)["AvailabilityZones"], "ZoneName")
    identifier = ec2.describe_availability_zones(
        ZoneNames=["us-east-1b"])["AvailabilityZones"][0]["ZoneId"]
    assert found(ZoneIds=[identifier]) == ["us-east-1b"]
    assert found(ZoneNames=["us-east-1a", "us-east-1c"]) == ["us-east-1a", "us-east-1c"]
    for name, values in (("zone-name", ["us-east-1b"]), ("zone-id", [identifier])):
        assert found(Filters=[{"Name": name, "Values": values}]) == ["us-east-1b"]
    for name, value in (("state", "available"), ("region-name", "us-east-1"),
                        ("zone-type", "availability-zone"), ("zone-name", "us-east-1?"),
                        ("opt-in-status", "opt-in-not-required")):
        assert len(found(Filters=[{"Name": name, "Values": [value]}])) == 6
    assert found(Filters=[{"Name": "state", "Values": ["impaired"]}]) == []
    assert len(found(AllAvailabilityZones=True)) >= 6
    refused("InvalidParameterValue", ec2.describe_availability_zones, ZoneNames=["us-east-1z"])
    refused("DryRunOperation", ec2.describe_availability_zones, DryRun=True, status=412)


def test_every_region_has_its_own_zones(world, ec2):
    seen = set()
    for region in names(ec2.describe_regions()["Regions"], "RegionName"):
        body = wire.form("DescribeAvailabilityZones")
        root = wire.send(world, wire.signed(world, body, region=region)).root
        space = "{http://ec2.amazonaws.com/doc/2016-11-15/}"
        zones = [{each.tag[len(space):]: each.text for each in item}
                 for item in root.find(space + "availabilityZoneInfo")]
        assert len(zones) >= 2
        for zone in zones:
            assert re.fullmatch(re.escape(region) + "[a-f]", zone["zoneName"])
            assert re.fullmatch(r"[a-z]{3,4}\d-az\d", zone["zoneId"])
            assert zone["regionName"] == region and zone["zoneId"] not in seen
            seen.add(zone["zoneId"])


def test_no_such_region(world):
    reply = wire.send(world, wire.signed(world, wire.form("DescribeVpcs"), region="mars-north-1"))
    assert reply.status in (400, 401, 403) and reply.code


# Images.

PATTERNS = [
    ("amazon", "amzn2-ami-hvm-*-x86_64-gp2"), ("amazon", "amzn2-ami-hvm-2.0.*-x86_64-gp2"),
    ("amazon", "al2023-ami-*-x86_64"), ("amazon", "al2023-ami-2023.*-kernel-6.1-x86_64"),
    ("137112412989", "amzn2-ami-*"),
    ("099720109477", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"),
    ("099720109477", "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-*"),
    ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"),
    ("099720109477", "ubuntu/images/*ubuntu-*-amd64-server-*"),
    ("136693071363", "debian-12-amd64-*"), ("136693071363", "debian-11-amd64-*")]


@pytest.mark.parametrize("owner, pattern", PATTERNS)
def test_the_usual_patterns(ec2, owner, pattern):
    filters = [{"Name": "name", "Values": [pattern]},
               {"Name": "virtualization-type", "Values": ["hvm"]},
               {"Name": "architecture", "Values": ["x86_64"]},
               {"Name": "state", "Values": ["available"]}]
    images = ec2.describe_images(Owners=[owner], Filters=filters)["Images"]
    assert images
    expression = re.escape(pattern).replace(r"\*", ".*")
    for image in images:
        assert re.fullmatch(expression, image["Name"])
        demand(image, ["ImageId", "Name", "OwnerId", "State", "Public", "Architecture",
                       "CreationDate", "ImageLocation", "ImageType", "Hypervisor",
                       "VirtualizationType", "RootDeviceName", "RootDeviceType", "Description",
                       "BlockDeviceMappings"])
        assert image["State"] == "available" and image["Architecture"] == "x86_64"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", image["CreationDate"])
        assert re.fullmatch("ami-[0-9a-f]{17}", image["ImageId"])
        assert owner in (image["OwnerId"], image.get("ImageOwnerAlias"))
    newest = max(images, key=lambda image: image["CreationDate"])
    again = ec2.describe_images(ImageIds=[newest["ImageId"]])["Images"]
    assert names(again, "Name") == [newest["Name"]]


def test_an_image_found_by_pattern_boots(world, ec2):
    image = ec2.describe_images(Owners=["amazon"], Filters=[
        {"Name": "name", "Values": ["al2023-ami-*-x86_64"]}])["Images"][0]["ImageId"]
    reply = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    identifier = reply["Instances"][0]["InstanceId"]
    world.await_state("running", identifier)
    assert world.instance(identifier)["ImageId"] == image
    ec2.terminate_instances(InstanceIds=[identifier])


def test_images_nobody_has(ec2):
    def found(**arguments):
        return ec2.describe_images(**arguments)["Images"]
    assert found(Filters=[{"Name": "name", "Values": ["windows-banana-*"]}]) == []
    assert found(Owners=["999999999999"]) == []
    assert found(Filters=[{"Name": "architecture", "Values": ["banana"]}]) == []
    assert found(ExecutableUsers=["self"]) == found(ExecutableUsers=["999999999999"]) == []
    assert found(ExecutableUsers=["all"]) == found(Filters=[
        {"Name": "is-public", "Values": ["true"]}]) != []
    refused("InvalidAMIID.Malformed", ec2.describe_images, ImageIds=["banana"])
    refused("DryRunOperation", ec2.describe_images, DryRun=True, status=412)
    refused("InvalidParameterValue", ec2.describe_images,
            Filters=[{"Name": "colour", "Values": ["red"]}], text="The filter 'colour' is invalid")


def test_images_filters(ec2):
    everything = ec2.describe_images()["Images"]
    assert everything
    for name, member in (("image-id", "ImageId"), ("name", "Name"), ("owner-id", "OwnerId"),
                         ("root-device-name", "RootDeviceName"), ("image-type", "ImageType"),
                         ("hypervisor", "Hypervisor"), ("creation-date", "CreationDate"),
                         ("description", "Description")):
        value = everything[0][member]
        found = ec2.describe_images(Filters=[{"Name": name, "Values": [value]}])["Images"]
        assert names(found, "ImageId") == [
            image["ImageId"] for image in everything if image[member] == value], name


# Types.

def test_instance_types(ec2):
    found = {entry["InstanceType"]: entry for entry in ec2.describe_instance_types(
        InstanceTypes=["t3.micro", "c5.xlarge", "m5.large"])["InstanceTypes"]}
    assert set(found) == {"t3.micro", "c5.xlarge", "m5.large"}
    for entry in found.values():
        demand(entry, [
            "CurrentGeneration", "SupportedVirtualizationTypes", "Hypervisor", "BareMetal",
            "BurstablePerformanceSupported", "InstanceStorageSupported", "SupportedUsageClasses",
            ("VCpuInfo", ["DefaultVCpus", "DefaultCores", "DefaultThreadsPerCore"]),
            ("MemoryInfo", ["SizeInMiB"]), ("ProcessorInfo", ["SupportedArchitectures"]),
            ("NetworkInfo", ["MaximumNetworkInterfaces", "Ipv4AddressesPerInterface",
                             "NetworkPerformance", "EnaSupport"])])
    micro, big = found["t3.micro"], found["c5.xlarge"]
    assert (micro["VCpuInfo"]["DefaultVCpus"], micro["MemoryInfo"]["SizeInMiB"]) == (2, 1024)
    assert (big["VCpuInfo"]["DefaultVCpus"], big["MemoryInfo"]["SizeInMiB"]) == (4, 8192)
    assert micro["BurstablePerformanceSupported"] is True
    assert big["BurstablePerformanceSupported"] is False
    for entry, cards, addresses in ((micro, 2, 2), (big, 4, 15)):
        assert entry["NetworkInfo"]["MaximumNetworkInterfaces"] == cards
        assert entry["NetworkInfo"]["Ipv4AddressesPerInterface"] == addresses


def test_instance_types_filters_and_pages(ec2):
    pages = list(ec2.get_paginator("describe_instance_types").paginate(
        PaginationConfig={"PageSize": 5}))
    everything = [entry["InstanceType"] for page in pages for entry in page["InstanceTypes"]]
    assert len(everything) == len(set(everything)) > 5 and len(pages) == (len(everything) + 4) // 5
    found = names(ec2.describe_instance_types(Filters=[
        {"Name": "instance-type", "Values": ["t3.*"]}])["InstanceTypes"], "InstanceType")
    assert sorted(found) == sorted(name for name in everything if name.startswith("t3."))
    assert {"t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.large"} <= set(found)
    burstable = names(ec2.describe_instance_types(Filters=[
        {"Name": "burstable-performance-supported", "Values": ["true"]}])["InstanceTypes"],
        "InstanceType")
    assert all(name.startswith("t") for name in burstable)


def test_instance_types_refused(ec2):
    refused("InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["z9.banana"])
    refused("DryRunOperation", ec2.describe_instance_types, DryRun=True, status=412)
    refused("InvalidParameterValue", ec2.describe_instance_types,
            Filters=[{"Name": "colour", "Values": ["red"]}], text="The filter 'colour' is invalid")


def test_where_there_is_which_type(world, ec2):
    kinds = set(names(ec2.describe_instance_types()["InstanceTypes"], "InstanceType"))
    zones = ec2.describe_availability_zones()["AvailabilityZones"]

    def offered(client=ec2, **arguments):
        found = [(entry["InstanceType"], entry["LocationType"], entry["Location"])
                 for entry in client.describe_instance_type_offerings(**arguments)[
                     "InstanceTypeOfferings"]]
        assert len(set(found)) == len(found)
        return set(found)
    assert offered() == offered(LocationType="region") == {
        (kind, "region", "us-east-1") for kind in kinds}
    for where, member in (("availability-zone", "ZoneName"), ("availability-zone-id", "ZoneId")):
        assert offered(LocationType=where) == {
            (kind, where, zone[member]) for kind in kinds for zone in zones}
    assert offered(LocationType="availability-zone", Filters=[
        {"Name": "instance-type", "Values": ["t3.mic*"]},
        {"Name": "location", "Values": ["us-east-1b", "us-east-1c", "eu-west-1a"]}]) == {
            ("t3.micro", "availability-zone", f"us-east-1{letter}") for letter in "bc"}
    assert {entry[2] for entry in offered(world.client(region="eu-west-1"))} == {"eu-west-1"}
    assert offered(LocationType="outpost") == set()
    pages = list(ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", PaginationConfig={"PageSize": 100}))
    assert sum(len(page["InstanceTypeOfferings"]) for page in pages) == len(kinds) * len(zones)
    assert len(pages) == (len(kinds) * len(zones) + 99) // 100
    refused("InvalidParameterValue", ec2.describe_instance_type_offerings, LocationType="moon")
    refused("InvalidParameterValue", ec2.describe_instance_type_offerings,
            Filters=[{"Name": "tag:Name", "Values": ["x"]}])


# The account.

def attributes(ec2, *wanted):
    reply = ec2.describe_account_attributes(**({"AttributeNames": list(wanted)} if wanted else {}))
    return {entry["AttributeName"]: names(entry["AttributeValues"], "AttributeValue")
            for entry in reply["AccountAttributes"]}


def test_account_attributes(world, ec2):
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    everything = {"supported-platforms": ["VPC"], "default-vpc": [vpc], "max-instances": ["20"],
                  "vpc-max-security-groups-per-interface": ["5"], "max-elastic-ips": ["65279"],
                  "vpc-max-elastic-ips": ["65279"]}
    assert attributes(ec2) == everything
    for name, values in everything.items():
        assert attributes(ec2, name) == {name: values}
    assert attributes(ec2, "default-vpc", "default-vpc") == {"default-vpc": [vpc]}
    assert attributes(world.client(region="eu-west-1"))["default-vpc"] != [vpc]
    refused("InvalidParameterValue", attributes, ec2, "max-instances", "colour")
    refused("DryRunOperation", ec2.describe_account_attributes, DryRun=True, status=412)


def test_account_attributes_are_the_quotas(make_world):
    with make_world("--quota", "security-groups-per-interface=7",
                    "--quota", "addresses-per-region=9", "--quota", "instances-per-region=3",
                    ) as world:
        ec2 = world.ec2
        found = attributes(ec2)
        assert found["vpc-max-security-groups-per-interface"] == ["7"]
        assert found["max-elastic-ips"] == found["vpc-max-elastic-ips"] == ["9"]
        assert found["max-instances"] == ["3"]
        world.remove_default_vpc()
        assert attributes(ec2, "default-vpc") == {"default-vpc": ["none"]}
        again = ec2.create_default_vpc()["Vpc"]["VpcId"]
        assert attributes(ec2, "default-vpc") == {"default-vpc": [again]}


def test_what_is_described_launches(world, ec2):
    """Each family's first: what DescribeInstanceTypes offers, RunInstances takes."""
    everything = names(ec2.describe_instance_types()["InstanceTypes"], "InstanceType")
    for kind in everything[::max(1, len(everything) // 5)]:
        refused("DryRunOperation", ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1,
                InstanceType=kind, DryRun=True, status=412)
