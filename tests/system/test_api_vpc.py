"""VPCs: what CreateVpc makes, CIDR rules, attributes, deletion."""
import re

import pytest

from conformance import demand
from lib import ACCOUNT, refused, tag_specification

NOWHERE = "vpc-0fedcba9876543210"


@pytest.fixture
def vpc(world):
    """For one test; its own parts go with it."""
    identifier = world.vpc("10.1.0.0/16")
    yield identifier
    if world.ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [identifier]}])["Vpcs"]:
        world.ec2.delete_vpc(VpcId=identifier)


def of(call, members, vpc):
    return call(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[members]


def test_create_reply(ec2, vpc):
    created = ec2.create_vpc(CidrBlock="10.2.0.0/16", TagSpecifications=tag_specification(
        "vpc", Name="made", Empty=""))["Vpc"]
    demand(created, ["VpcId", "OwnerId", "CidrBlock", "State", "DhcpOptionsId", "InstanceTenancy",
                     "IsDefault", "Tags", ("CidrBlockAssociationSet", [
                         "AssociationId", "CidrBlock", ("CidrBlockState", ["State"])])])
    assert created["State"] in ("pending", "available")
    described, = ec2.describe_vpcs(VpcIds=[created["VpcId"]])["Vpcs"]
    assert described["State"] == "available"
    assert {**created, "State": "available"} == described
    assert described["OwnerId"] == ACCOUNT and described["IsDefault"] is False
    assert described["InstanceTenancy"] == "default" and described["CidrBlock"] == "10.2.0.0/16"
    association, = described["CidrBlockAssociationSet"]
    assert association["AssociationId"].startswith("vpc-cidr-assoc-")
    assert association["CidrBlock"] == "10.2.0.0/16"
    assert association["CidrBlockState"] == {"State": "associated"}
    assert sorted(described["Tags"], key=lambda tag: tag["Key"]) == [
        {"Key": "Empty", "Value": ""}, {"Key": "Name", "Value": "made"}]
    options, = ec2.describe_dhcp_options(DhcpOptionsIds=[described["DhcpOptionsId"]])["DhcpOptions"]
    assert options["DhcpOptionsId"] == described["DhcpOptionsId"]
    ec2.delete_vpc(VpcId=created["VpcId"])


def test_main_route_table_comes_with_it(ec2, vpc):
    table, = of(ec2.describe_route_tables, "RouteTables", vpc)
    demand(table, ["RouteTableId", "OwnerId", "PropagatingVgws", "Tags", ("Associations", [
        "Main", "RouteTableAssociationId", "RouteTableId", ("AssociationState", ["State"])])])
    assert table["Routes"] == [{"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local",
                                "Origin": "CreateRouteTable", "State": "active"}]
    association, = table["Associations"]
    assert association["Main"] is True and "SubnetId" not in association
    assert association["RouteTableId"] == table["RouteTableId"]
    assert association["AssociationState"]["State"] == "associated"


def test_default_group_comes_with_it(ec2, vpc):
    group, = of(ec2.describe_security_groups, "SecurityGroups", vpc)
    assert group["GroupName"] == "default" and group["OwnerId"] == ACCOUNT
    assert group["Description"] == "default VPC security group"
    ingress, = group["IpPermissions"]
    assert ingress["IpProtocol"] == "-1" and "FromPort" not in ingress
    assert ingress["UserIdGroupPairs"] == [{"GroupId": group["GroupId"], "UserId": ACCOUNT}]
    assert ingress["IpRanges"] == []
    egress, = group["IpPermissionsEgress"]
    assert egress["IpProtocol"] == "-1" and egress["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]


def test_default_acl_comes_with_it(ec2, vpc):
    acl, = of(ec2.describe_network_acls, "NetworkAcls", vpc)
    assert acl["IsDefault"] is True and acl["OwnerId"] == ACCOUNT and acl["Associations"] == []
    entries = sorted(((entry["Egress"], entry["RuleNumber"], entry["RuleAction"],
                       entry["Protocol"], entry["CidrBlock"]) for entry in acl["Entries"]))
    assert entries == [(egress, number, action, "-1", "0.0.0.0/0") for egress in (False, True)
                       for number, action in ((100, "allow"), (32767, "deny"))]


def test_nothing_else_comes_with_it(ec2, vpc):
    assert of(ec2.describe_subnets, "Subnets", vpc) == []
    assert ec2.describe_internet_gateways(Filters=[
        {"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"] == []


def test_its_parts_go_with_it(ec2, vpc):
    ec2.delete_vpc(VpcId=vpc)
    for call, members in ((ec2.describe_vpcs, "Vpcs"), (ec2.describe_route_tables, "RouteTables"),
                          (ec2.describe_security_groups, "SecurityGroups"),
                          (ec2.describe_network_acls, "NetworkAcls")):
        assert of(call, members, vpc) == []
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])
    refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId=vpc)


@pytest.mark.parametrize("asked, stored", [
    ("100.68.0.18/18", "100.68.0.0/18"), ("10.0.0.1/16", "10.0.0.0/16"),
    ("10.1.2.3/28", "10.1.2.0/28"), ("192.168.255.255/24", "192.168.255.0/24")])
def test_host_bits_are_cleared(ec2, asked, stored):
    made = ec2.create_vpc(CidrBlock=asked)["Vpc"]
    assert made["CidrBlock"] == stored
    assert made["CidrBlockAssociationSet"][0]["CidrBlock"] == stored
    ec2.delete_vpc(VpcId=made["VpcId"])


@pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/29",
                                  "10.0.0.0/32"])
def test_sizes_beyond_16_to_28(ec2, cidr):
    refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock=cidr,
            text=f"The CIDR '{cidr}' is invalid.")


@pytest.mark.parametrize("cidr", ["banana", "10.0.0.0", "10.0.0/16", "10.0.0.0/33", "256.0.0.0/16",
                                  "10.0.0.0/16 ", "10.0.0.0/-1", "::/16", "10.0.0.0/016x"])
def test_no_cidr_at_all(ec2, cidr):
    refused("InvalidParameterValue", ec2.create_vpc, CidrBlock=cidr,
            text=f"Value ({cidr}) for parameter cidrBlock is invalid. "
                 "This is not a valid CIDR block.")


def test_missing_cidr(ec2):
    refused("MissingParameter", ec2.create_vpc)


def test_tenancy(ec2):
    made = ec2.create_vpc(CidrBlock="10.3.0.0/16", InstanceTenancy="dedicated")["Vpc"]
    assert made["InstanceTenancy"] == "dedicated"
    ec2.delete_vpc(VpcId=made["VpcId"])
    refused("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.3.0.0/16",
            InstanceTenancy="shared")


def test_dry_run_makes_nothing(ec2):
    before = len(ec2.describe_vpcs()["Vpcs"])
    refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True, status=412)
    refused("InvalidVpc.Range", ec2.create_vpc, CidrBlock="10.0.0.0/8", DryRun=True)
    assert len(ec2.describe_vpcs()["Vpcs"]) == before


ATTRIBUTES = [("enableDnsSupport", "EnableDnsSupport", True),
              ("enableDnsHostnames", "EnableDnsHostnames", False),
              ("enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics", False)]


@pytest.mark.parametrize("attribute, member, default", ATTRIBUTES)
def test_attributes(ec2, vpc, attribute, member, default):
    def read():
        reply = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        assert reply["VpcId"] == vpc
        assert set(reply) == {"VpcId", member, "ResponseMetadata"}
        return reply[member]["Value"]
    assert read() is default
    for value in (not default, default):
        ec2.modify_vpc_attribute(VpcId=vpc, **{member: {"Value": value}})
        assert read() is value


def test_hostnames_need_dns_support(ec2, vpc):
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    refused("InvalidParameterCombination", ec2.modify_vpc_attribute, VpcId=vpc,
            EnableDnsHostnames={"Value": True})
    reply = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    assert reply["EnableDnsHostnames"]["Value"] is False


def test_one_attribute_at_a_time(ec2, vpc):
    refused("InvalidParameterCombination", ec2.modify_vpc_attribute, VpcId=vpc,
            EnableDnsHostnames={"Value": True}, EnableDnsSupport={"Value": True})


def test_attributes_refused(ec2, vpc):
    refused("InvalidParameterValue", ec2.describe_vpc_attribute, VpcId=vpc, Attribute="colour")
    for call, more in ((ec2.describe_vpc_attribute, {"Attribute": "enableDnsSupport"}),
                       (ec2.modify_vpc_attribute, {"EnableDnsSupport": {"Value": True}})):
        refused("InvalidVpcID.NotFound", call, VpcId=NOWHERE, **more,
                text=f"The vpc ID '{NOWHERE}' does not exist")
        refused("InvalidVpcID.Malformed", call, VpcId="subnet-0fedcba9876543210", **more)
    refused("DryRunOperation", ec2.describe_vpc_attribute, VpcId=vpc, DryRun=True, status=412,
            Attribute="enableDnsSupport")
    reply = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
    assert reply["EnableDnsSupport"]["Value"] is True


def test_delete_refused(ec2):
    refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId=NOWHERE,
            text=f"The vpc ID '{NOWHERE}' does not exist")
    refused("InvalidVpcID.Malformed", ec2.delete_vpc, VpcId="banana",
            text=re.compile(r'Invalid id: "banana" \(expecting "vpc-'))


def refuse_delete(ec2, vpc):
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc,
            text=f"The vpc '{vpc}' has dependencies and cannot be deleted.")


def test_delete_with_a_subnet(world, ec2, vpc):
    subnet = world.subnet(vpc, "10.1.1.0/24")
    refuse_delete(ec2, vpc)
    ec2.delete_subnet(SubnetId=subnet)


def test_delete_with_a_gateway(world, ec2, vpc):
    gateway = world.gateway(vpc)
    refuse_delete(ec2, vpc)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_delete_with_a_route_table(world, ec2, vpc):
    table = world.route_table(vpc)
    refuse_delete(ec2, vpc)
    ec2.delete_route_table(RouteTableId=table)


def test_delete_dry_run(ec2, vpc):
    refused("DryRunOperation", ec2.delete_vpc, VpcId=vpc, DryRun=True, status=412)
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
