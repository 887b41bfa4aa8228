"""Subnets: sizes, reserved addresses, zones, overlap, attributes, deletion."""
import ipaddress
import re

import pytest

from conformance import demand
from lib import ACCOUNT, IMAGE, names, refused, tag_specification

NOWHERE = "subnet-0fedcba9876543210"


@pytest.fixture(scope="module")
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture
def make(world, vpc, ec2):
    made = []

    def create(cidr, **more):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]
        made.append(subnet["SubnetId"])
        return subnet
    yield create
    for subnet in made:
        ec2.delete_subnet(SubnetId=subnet)


def read(ec2, subnet):
    return ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]


def test_create_reply(ec2, vpc, make):
    created = make("10.1.1.0/24", AvailabilityZone="us-east-1b",
                   TagSpecifications=tag_specification("subnet", Name="made"))
    demand(created, ["SubnetId", "VpcId", "OwnerId", "CidrBlock", "State", "AvailabilityZone",
                     "AvailabilityZoneId", "AvailableIpAddressCount", "DefaultForAz",
                     "MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "SubnetArn",
                     "EnableDns64", "Ipv6Native", "Tags", ("PrivateDnsNameOptionsOnLaunch", [
                         "HostnameType", "EnableResourceNameDnsARecord",
                         "EnableResourceNameDnsAAAARecord"])])
    described = read(ec2, created["SubnetId"])
    assert described["State"] == "available"
    assert {**created, "State": "available"} == described
    assert described["VpcId"] == vpc and described["OwnerId"] == ACCOUNT
    assert described["AvailabilityZone"] == "us-east-1b"
    assert described["AvailableIpAddressCount"] == 251
    for flag in ("DefaultForAz", "MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation",
                 "EnableDns64", "Ipv6Native"):
        assert described[flag] is False
    assert described["SubnetArn"] == \
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/{described['SubnetId']}"
    assert described["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "ip-name", "EnableResourceNameDnsARecord": False,
        "EnableResourceNameDnsAAAARecord": False}
    assert described["Tags"] == [{"Key": "Name", "Value": "made"}]


@pytest.mark.parametrize("length", [28, 27, 24, 20, 17])
def test_five_addresses_are_reserved(make, length):
    assert make(f"10.1.128.0/{length}")["AvailableIpAddressCount"] == 2 ** (32 - length) - 5


def test_the_whole_vpc(make):
    assert make("10.1.0.0/16")["AvailableIpAddressCount"] == 65531


def test_the_smallest_subnet_filled_up(world, vpc, make):
    """A /28 has eleven addresses: .4 to .14."""
    subnet = make("10.1.2.0/28")["SubnetId"]
    ids = world.run_instances(subnet, count=11)
    used = sorted(ipaddress.ip_address(entry["PrivateIpAddress"])
                  for entry in world.instances(*ids))
    assert [str(address) for address in used] == [f"10.1.2.{n}" for n in range(4, 15)]
    assert read(world.ec2, subnet)["AvailableIpAddressCount"] == 0
    refused("InsufficientFreeAddressesInSubnet", world.ec2.run_instances, SubnetId=subnet,
            ImageId=IMAGE, MinCount=1, MaxCount=1,
            text=f"There are not enough free addresses in subnet '{subnet}' to satisfy the "
                 "requested number of instances.")
    world.ec2.terminate_instances(InstanceIds=ids[:3])
    world.await_state("terminated", *ids[:3])
    assert read(world.ec2, subnet)["AvailableIpAddressCount"] == 3
    world.ec2.terminate_instances(InstanceIds=ids)
    world.await_state("terminated", *ids)
    assert read(world.ec2, subnet)["AvailableIpAddressCount"] == 11


def test_a_stopped_instance_keeps_its_address(world, make):
    subnet = make("10.1.3.0/28")["SubnetId"]
    one, = world.run_instances(subnet)
    world.ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    assert read(world.ec2, subnet)["AvailableIpAddressCount"] == 10
    world.ec2.terminate_instances(InstanceIds=[one])
    world.await_state("terminated", one)
    assert read(world.ec2, subnet)["AvailableIpAddressCount"] == 11


def test_host_bits_are_cleared(make):
    assert make("10.1.4.77/24")["CidrBlock"] == "10.1.4.0/24"


@pytest.mark.parametrize("cidr", ["10.2.0.0/24", "10.0.0.0/15", "10.1.0.0/29", "10.1.0.0/32",
                                  "192.168.0.0/24", "10.0.0.0/8"])
def test_outside_or_of_a_wrong_size(ec2, vpc, cidr):
    refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc, CidrBlock=cidr,
            text=f"The CIDR '{cidr}' is invalid.")


@pytest.mark.parametrize("cidr", ["banana", "10.1.0.0", "10.1.0.0/33", "10.1.0.256/24", "::/64"])
def test_no_cidr_at_all(ec2, vpc, cidr):
    refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc, CidrBlock=cidr,
            text=f"Value ({cidr}) for parameter cidrBlock is invalid. "
                 "This is not a valid CIDR block.")


@pytest.mark.parametrize("cidr", ["10.1.8.0/24", "10.1.8.0/25", "10.1.8.128/28", "10.1.0.0/20",
                                  "10.1.0.0/16"])
def test_overlap(ec2, vpc, make, cidr):
    make("10.1.8.0/24")
    refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc, CidrBlock=cidr,
            text=f"The CIDR '{cidr}' conflicts with another subnet")


def test_a_deleted_subnets_range_is_free(world, ec2, vpc, make):
    ec2.delete_subnet(SubnetId=world.subnet(vpc, "10.1.9.0/24"))
    assert make("10.1.9.0/24")


def test_zones(ec2, vpc, make):
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    by_name = {zone["ZoneName"]: zone["ZoneId"] for zone in zones}
    named = make("10.1.10.0/24", AvailabilityZone="us-east-1f")
    assert named["AvailabilityZoneId"] == by_name["us-east-1f"]
    numbered = make("10.1.11.0/24", AvailabilityZoneId=by_name["us-east-1c"])
    assert numbered["AvailabilityZone"] == "us-east-1c"
    assert make("10.1.12.0/24")["AvailabilityZone"] in by_name
    for zone in ("us-east-1g", "eu-west-1a", "us-east-1", "banana"):
        refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.13.0/24",
                AvailabilityZone=zone, text=re.compile(
                    re.escape(f"Value ({zone}) for parameter availabilityZone is invalid. Subnets "
                              "can currently only be created in the following availability zones:")
                    + ".*us-east-1a"))
    refused("InvalidParameterValue", ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.13.0/24",
            AvailabilityZoneId="use1-az99")


def test_create_refused(ec2, vpc):
    refused("InvalidVpcID.NotFound", ec2.create_subnet, VpcId="vpc-0fedcba9876543210",
            CidrBlock="10.1.0.0/24", text="The vpc ID 'vpc-0fedcba9876543210' does not exist")
    refused("InvalidVpcID.Malformed", ec2.create_subnet, VpcId="vpc", CidrBlock="10.1.0.0/24")
    refused("MissingParameter", ec2.create_subnet, VpcId=vpc)
    refused("DryRunOperation", ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24", DryRun=True,
            status=412)


def test_map_public_ip_on_launch(ec2, make):
    subnet = make("10.1.14.0/24")["SubnetId"]
    for value in (True, False, True):
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": value})
        assert read(ec2, subnet)["MapPublicIpOnLaunch"] is value


def test_name_options(ec2, make):
    subnet = make("10.1.15.0/24")["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    ec2.modify_subnet_attribute(SubnetId=subnet,
                                EnableResourceNameDnsARecordOnLaunch={"Value": True})
    assert read(ec2, subnet)["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "resource-name", "EnableResourceNameDnsARecord": True,
        "EnableResourceNameDnsAAAARecord": False}


def test_modify_refused(ec2, make):
    flag = {"MapPublicIpOnLaunch": {"Value": True}}
    refused("InvalidSubnetID.NotFound", ec2.modify_subnet_attribute, SubnetId=NOWHERE, **flag,
            text=f"The subnet ID '{NOWHERE}' does not exist")
    refused("InvalidSubnetID.Malformed", ec2.modify_subnet_attribute, SubnetId="banana", **flag)


def test_delete_refused(world, ec2, make):
    refused("InvalidSubnetID.NotFound", ec2.delete_subnet, SubnetId=NOWHERE)
    refused("InvalidSubnetID.Malformed", ec2.delete_subnet, SubnetId="vpc-0fedcba9876543210")
    subnet = make("10.1.16.0/24")["SubnetId"]
    refused("DryRunOperation", ec2.delete_subnet, SubnetId=subnet, DryRun=True, status=412)
    one, = world.run_instances(subnet)
    for state, change in (("running", None), ("stopped", ec2.stop_instances)):
        if change:
            change(InstanceIds=[one])
        world.await_state(state, one)
        refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet,
                text=f"The subnet '{subnet}' has dependencies and cannot be deleted.")
    ec2.terminate_instances(InstanceIds=[one])
    world.await_state("terminated", one)


def test_deletion_ends_associations(world, ec2, vpc):
    subnet = world.subnet(vpc, "10.1.17.0/24")
    table = world.route_table(vpc, subnet)
    acl, = ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    association, = [entry for entry in acl["Associations"] if entry["SubnetId"] == subnet]
    assert association["NetworkAclId"] == acl["NetworkAclId"]
    assert association["NetworkAclAssociationId"].startswith("aclassoc-")
    ec2.delete_subnet(SubnetId=subnet)
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Associations"] == []
    assert subnet not in names(ec2.describe_network_acls(
        NetworkAclIds=[acl["NetworkAclId"]])["NetworkAcls"][0]["Associations"], "SubnetId")
    ec2.delete_route_table(RouteTableId=table)
    refused("InvalidSubnetID.NotFound", ec2.describe_subnets, SubnetIds=[subnet])
