"""Egress-only internet gateways: records, attached for life; no route leads to one yet."""
import re

import pytest

import wire
from lib import names, refused, tag_specification, tags

NOWHERE = "eigw-0fedcba9876543210"
MEMBER = "EgressOnlyInternetGateways"

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def vpc(world):
    return world.vpc("10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True)


def create(ec2, vpc, **more):
    return ec2.create_egress_only_internet_gateway(VpcId=vpc, **more)["EgressOnlyInternetGateway"]


def delete(ec2, gateway):
    return ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=gateway)


def read(ec2, *ids, **more):
    if ids:
        more["EgressOnlyInternetGatewayIds"] = list(ids)
    return ec2.describe_egress_only_internet_gateways(**more)[MEMBER]


def test_one_comes_and_goes(ec2, vpc):
    made = create(ec2, vpc, TagSpecifications=tag_specification(
        "egress-only-internet-gateway", Name="out"))
    gateway = made["EgressOnlyInternetGatewayId"]
    assert re.fullmatch("eigw-[0-9a-f]{17}", gateway)
    assert made == {"EgressOnlyInternetGatewayId": gateway, "Tags": tags(Name="out"),
                    "Attachments": [{"State": "attached", "VpcId": vpc}]}
    assert read(ec2, gateway) == [made] == read(ec2)
    assert delete(ec2, gateway)["ReturnCode"] is True
    assert read(ec2) == []
    refused("InvalidGatewayID.NotFound", delete, ec2, gateway,
            text=f"The gateway ID '{gateway}' does not exist")
    refused("InvalidGatewayID.NotFound", read, ec2, gateway)


def test_one_per_vpc(world, ec2, vpc):
    create(ec2, vpc)
    refused("InvalidParameterValue", create, ec2, vpc,
            text=f"Network {vpc} already has an egress-only internet gateway attached")
    other = world.vpc("10.2.0.0/16")  # a block of IPv6 is not asked for
    create(ec2, other)
    world.gateway(vpc)  # nor in the way of one of the other kind
    assert [gateway["Attachments"][0]["VpcId"] for gateway in read(ec2)] == [vpc, other]


def test_a_vpc_waits_for_it(ec2, vpc):
    gateway = create(ec2, vpc)["EgressOnlyInternetGatewayId"]
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc,
            text=f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    delete(ec2, gateway)
    ec2.delete_vpc(VpcId=vpc)


def test_client_token(world, ec2, vpc):
    call = ec2.create_egress_only_internet_gateway
    first = call(VpcId=vpc, ClientToken="once")
    assert first["ClientToken"] == "once"
    second = call(VpcId=vpc, ClientToken="once")
    del first["ResponseMetadata"], second["ResponseMetadata"]
    assert second == first and len(read(ec2)) == 1
    other = world.vpc("10.2.0.0/16")
    refused("IdempotentParameterMismatch", call, VpcId=other, ClientToken="once")
    create(ec2, other, ClientToken="twice")


def test_tags_and_filters(world, ec2, vpc):
    one = create(ec2, vpc)["EgressOnlyInternetGatewayId"]
    two = create(ec2, world.vpc("10.2.0.0/16"), TagSpecifications=tag_specification(
        "egress-only-internet-gateway", Name="two"))["EgressOnlyInternetGatewayId"]
    ec2.create_tags(Resources=[one], Tags=tags(Name="one", Suite="x"))

    def find(name, value):
        return names(read(ec2, Filters=[{"Name": name, "Values": [value]}]),
                     "EgressOnlyInternetGatewayId")
    assert find("tag:Name", "one") == find("tag-key", "Suite") == [one]
    assert find("tag:Name", "*") == [one, two]
    found = ec2.describe_tags(Filters=[
        {"Name": "resource-type", "Values": ["egress-only-internet-gateway"]}])["Tags"]
    assert {(tag["ResourceId"], tag["Key"]) for tag in found} == {
        (one, "Name"), (one, "Suite"), (two, "Name")}
    ec2.delete_tags(Resources=[one], Tags=[{"Key": "Name"}])
    assert find("tag:Name", "one") == []
    refused("InvalidParameterValue", read, ec2, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    refused("InvalidParameterValue", create, ec2, vpc,
            TagSpecifications=tag_specification("internet-gateway", Name="out"))


def test_pages(world, ec2):
    every = [create(ec2, world.vpc(f"10.{number}.0.0/16"))["EgressOnlyInternetGatewayId"]
             for number in range(1, 5)]
    default, = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    every.append(create(ec2, default["VpcId"])["EgressOnlyInternetGatewayId"])
    assert names(read(ec2, MaxResults=5), "EgressOnlyInternetGatewayId") == every
    for results in ("4", "256"):
        assert wire.call(world, "DescribeEgressOnlyInternetGateways",
                         MaxResults=results).code == "InvalidParameterValue"
    delete(ec2, every[-1])


def test_unknown_and_malformed(world, ec2, vpc):
    for call in (delete, read):
        refused("InvalidGatewayID.NotFound", call, ec2, NOWHERE,
                text=f"The gateway ID '{NOWHERE}' does not exist")
        refused("InvalidEgressOnlyInternetGatewayId.Malformed", call, ec2, "igw-1a2b3c4d")
    refused("InvalidVpcID.NotFound", create, ec2, "vpc-0fedcba9876543210")
    gateway = create(ec2, vpc)["EgressOnlyInternetGatewayId"]
    far = world.client(region="eu-west-1")
    refused("InvalidGatewayID.NotFound", delete, far, gateway)
    assert read(far) == []


@pytest.mark.parametrize("destination", [{"DestinationIpv6CidrBlock": "::/0"},
                                         {"DestinationCidrBlock": "192.0.2.0/24"}])
def test_no_route_leads_to_it(world, ec2, vpc, destination):
    gateway = create(ec2, vpc)["EgressOnlyInternetGatewayId"]
    table, way_out = world.route_table(vpc), world.gateway(vpc)
    before = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    refused("UnsupportedOperation", ec2.create_route, RouteTableId=table, **destination,
            EgressOnlyInternetGatewayId=gateway,
            text=re.compile("^IPv6 packets are not forwarded yet: a route can't lead to the "))
    refused("InvalidGatewayID.NotFound", ec2.create_route, RouteTableId=table, **destination,
            EgressOnlyInternetGatewayId=NOWHERE)
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"] == before
    if "DestinationCidrBlock" in destination:
        ec2.create_route(RouteTableId=table, **destination, GatewayId=way_out)
        refused("UnsupportedOperation", ec2.replace_route, RouteTableId=table, **destination,
                EgressOnlyInternetGatewayId=gateway)


def test_the_quota(make_world):
    """It goes with that of VPCs, as for internet gateways."""
    with make_world("--quota", "egress-only-internet-gateways-per-region=1") as world:
        create(world.ec2, world.vpc("10.1.0.0/16"))
        refused("ResourceLimitExceeded", create, world.ec2, world.vpc("10.2.0.0/16"),
                text="The maximum number of egress-only internet gateways has been reached.")
    with make_world("--quota", "vpcs-per-region=7") as world:
        for number in range(6):
            create(world.ec2, world.vpc(f"10.{number}.0.0/16"))


def test_it_is_stored(world, ec2, vpc):
    create(ec2, vpc, ClientToken="kept", TagSpecifications=tag_specification(
        "egress-only-internet-gateway", Name="out"))
    before = read(ec2)
    world.restart()
    assert read(world.ec2) == before
    assert [create(world.ec2, vpc, ClientToken="kept")] == before
