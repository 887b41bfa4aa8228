"""Further IPv4 blocks of a VPC: what may be added and removed, and what shows it."""
import re

import pytest

from conformance import demand
from lib import names, refused, table_of, vpc_of

NOWHERE = "vpc-cidr-assoc-0fedcba9876543210"

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def vpc(world):
    return world.vpc("10.1.0.0/16")


def associate(ec2, vpc, cidr):
    reply = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=cidr)
    assert reply["VpcId"] == vpc
    return reply["CidrBlockAssociation"]


def disassociate(ec2, association):
    return ec2.disassociate_vpc_cidr_block(AssociationId=association)


def blocks(ec2, vpc):
    return {entry["CidrBlock"]: entry["CidrBlockState"]["State"]
            for entry in vpc_of(ec2, vpc)["CidrBlockAssociationSet"]}


def routes(ec2, table):
    return [(route["DestinationCidrBlock"], route.get("GatewayId"))
            for route in table_of(ec2, table)["Routes"]]


def test_a_block_comes_and_goes(ec2, vpc):
    made = associate(ec2, vpc, "10.2.3.4/16")
    demand(made, ["AssociationId", "CidrBlock", ("CidrBlockState", ["State"])])
    assert made["CidrBlockState"] == {"State": "associating"}
    assert made["CidrBlock"] == "10.2.0.0/16"
    assert re.fullmatch("vpc-cidr-assoc-[0-9a-f]{17}", made["AssociationId"])
    described = vpc_of(ec2, vpc)
    assert described["CidrBlock"] == "10.1.0.0/16"  # the primary one's
    assert described["CidrBlockAssociationSet"][1] == {
        **made, "CidrBlockState": {"State": "associated"}}
    reply = disassociate(ec2, made["AssociationId"])
    assert reply["VpcId"] == vpc
    assert reply["CidrBlockAssociation"] == {**made, "CidrBlockState": {"State": "disassociating"}}
    assert blocks(ec2, vpc) == {"10.1.0.0/16": "associated"}
    refused("InvalidVpcCidrBlockAssociationID.NotFound", ec2.disassociate_vpc_cidr_block,
            AssociationId=made["AssociationId"],
            text=f"The vpc CIDR block with association ID {made['AssociationId']} does not exist")


def test_every_table_has_its_local_route(world, ec2, vpc):
    main, own = world.main_table(vpc)["RouteTableId"], world.route_table(vpc)
    gateway = world.gateway(vpc)
    ec2.create_route(RouteTableId=own, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    made = associate(ec2, vpc, "10.2.0.0/16")
    late = world.route_table(vpc)
    local = [("10.1.0.0/16", "local"), ("10.2.0.0/16", "local")]
    assert routes(ec2, main) == routes(ec2, late) == local
    assert routes(ec2, own) == [*local, ("0.0.0.0/0", gateway)]
    refused("InvalidParameterValue", ec2.delete_route, RouteTableId=main,
            DestinationCidrBlock="10.2.0.0/16",
            text=f"cannot remove local route 10.2.0.0/16 in route table {main}")
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=main, GatewayId=gateway,
            DestinationCidrBlock="10.2.7.0/24")
    disassociate(ec2, made["AssociationId"])
    for table in (main, late):
        assert routes(ec2, table) == local[:1]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="10.2.7.0/24", GatewayId=gateway)


def test_a_local_route_goes_whatever_its_target(world, ec2, vpc):
    made = associate(ec2, vpc, "10.2.0.0/16")
    subnet = world.subnet(vpc, "10.1.1.0/24")
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    main = world.main_table(vpc)["RouteTableId"]
    ec2.replace_route(RouteTableId=main, DestinationCidrBlock="10.2.0.0/16",
                      NetworkInterfaceId=interface["NetworkInterfaceId"])
    disassociate(ec2, made["AssociationId"])
    assert routes(ec2, main) == [("10.1.0.0/16", "local")]


def test_subnets(world, ec2, vpc):
    refused("InvalidSubnet.Range", ec2.create_subnet, VpcId=vpc, CidrBlock="10.2.1.0/24")
    made = associate(ec2, vpc, "10.2.0.0/16")
    subnet = world.subnet(vpc, "10.2.1.0/24")
    refused("InvalidCidrBlock.InUse", ec2.disassociate_vpc_cidr_block,
            AssociationId=made["AssociationId"],
            text=f"The vpc {vpc} currently has a subnet within CIDR block 10.2.0.0/16")
    assert "10.2.0.0/16" in blocks(ec2, vpc)
    refused("InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc, CidrBlock="10.2.0.0/16")
    ec2.delete_subnet(SubnetId=subnet)
    disassociate(ec2, made["AssociationId"])


def test_the_primary_block_stays(ec2, vpc):
    first = vpc_of(ec2, vpc)["CidrBlockAssociationSet"][0]["AssociationId"]
    associate(ec2, vpc, "10.2.0.0/16")
    refused("OperationNotPermitted", ec2.disassociate_vpc_cidr_block, AssociationId=first,
            text=f"The vpc CIDR block with association ID {first} may not be disassociated. It is "
                 "the primary IPv4 CIDR block of the VPC")


def test_no_more_than_five(ec2, vpc):
    for number in range(2, 6):
        associate(ec2, vpc, f"10.{number}.0.0/16")
    refused("CidrLimitExceeded", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.6.0.0/16",
            text=f"This network '{vpc}' has met its maximum number of allowed CIDRs: 5")
    assert len(blocks(ec2, vpc)) == 5


def test_the_quota_is_raised(make_world):
    with make_world("--quota", "ipv4-cidr-blocks-per-vpc=7") as world:
        vpc = world.vpc("10.1.0.0/16")
        for number in range(2, 8):
            associate(world.ec2, vpc, f"10.{number}.0.0/16")
        refused("CidrLimitExceeded", world.ec2.associate_vpc_cidr_block, VpcId=vpc,
                CidrBlock="10.8.0.0/16", text=re.compile("allowed CIDRs: 7$"))


@pytest.mark.parametrize("cidr", ["10.2.0.0/15", "10.2.0.0/29", "169.254.0.0/16", "0.0.0.0/0"])
def test_of_a_wrong_size(ec2, vpc, cidr):
    refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock=cidr,
            text=f"The CIDR '{cidr}' is invalid.")


@pytest.mark.parametrize("cidr", ["192.168.0.0/16", "172.20.0.0/16", "198.19.7.0/24",
                                  "10.0.0.0/24"])
def test_restricted(ec2, vpc, cidr):
    """More of the table in tests/unit/test_blocks.c."""
    refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock=cidr,
            text=re.compile(f"^The CIDR '{re.escape(cidr)}' is restricted. Use a CIDR from the "
                            "same private address range as the current VPC CIDR, or use a "
                            "publicly-routable CIDR."))


def test_overlaps(world, ec2, vpc):
    associate(ec2, vpc, "100.64.0.0/24")
    for cidr, other in (("10.1.7.0/24", "10.1.0.0/16"), ("100.64.0.0/16", "100.64.0.0/24"),
                        ("100.64.0.0/24", "100.64.0.0/24")):
        refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock=cidr,
                text=f"The CIDR '{cidr}' conflicts with the VPC's CIDR block {other}")
    gateway, table = world.gateway(vpc), world.route_table(vpc)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.2.8.0/24", GatewayId=gateway)
    for cidr in ("10.2.8.0/24", "10.2.0.0/16"):
        refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock=cidr,
                text=f"The CIDR '{cidr}' conflicts with the route to 10.2.8.0/24")
    associate(ec2, vpc, "10.2.8.0/25")
    assert routes(ec2, table)[-1] == ("10.2.8.0/24", gateway)


def status(ec2, peering):
    found, = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering])[
        "VpcPeeringConnections"]
    return found["Status"]["Code"]


def test_peerings(world, ec2, vpc):
    peer = world.vpc("10.5.0.0/16")
    waiting = world.peering(vpc, peer, accept=False)
    refused("OperationNotPermitted", ec2.associate_vpc_cidr_block, VpcId=vpc,
            CidrBlock="10.2.0.0/16",
            text=f"A CIDR block can't be added to {vpc} while its VPC peering connection {waiting} "
                 "is pending acceptance")
    associate(ec2, peer, "10.1.8.0/24")
    reply = ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=waiting)
    assert reply["VpcPeeringConnection"]["Status"]["Code"] == "failed"
    assert status(ec2, waiting) == "failed"
    disassociate(ec2, vpc_of(ec2, peer)["CidrBlockAssociationSet"][1]["AssociationId"])
    active = world.peering(vpc, peer)
    associate(ec2, peer, "10.6.0.0/16")
    refused("InvalidVpc.Range", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.6.7.0/24",
            text=f"The CIDR '10.6.7.0/24' conflicts with 10.6.0.0/16 of {peer}, which is peered by "
                 f"{active}")
    associate(ec2, vpc, "10.7.0.0/16")
    found, = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[active])[
        "VpcPeeringConnections"]
    assert found["RequesterVpcInfo"]["CidrBlock"] == "10.1.0.0/16"
    assert found["RequesterVpcInfo"]["CidrBlockSet"] == [
        {"CidrBlock": "10.1.0.0/16"}, {"CidrBlock": "10.7.0.0/16"}]
    assert found["AccepterVpcInfo"]["CidrBlockSet"] == [
        {"CidrBlock": "10.5.0.0/16"}, {"CidrBlock": "10.6.0.0/16"}]
    found = ec2.describe_vpc_peering_connections(Filters=[
        {"Name": "accepter-vpc-info.cidr-block", "Values": ["10.6.0.0/16"]}])
    assert names(found["VpcPeeringConnections"], "VpcPeeringConnectionId") == [active]


def test_filters(world, ec2, vpc):
    other = world.vpc("10.9.0.0/16")
    made = associate(ec2, vpc, "10.2.0.0/16")
    associate(ec2, other, "10.3.0.0/16")

    def find(**filters):
        return names(ec2.describe_vpcs(Filters=[
            {"Name": f"cidr-block-association.{name.replace('_', '-')}", "Values": [value]}
            for name, value in filters.items()])["Vpcs"], "VpcId")
    assert find(cidr_block="10.2.0.0/16") == find(association_id=made["AssociationId"]) == [vpc]
    assert find(cidr_block="10.?.0.0/16", association_id="*", state="associated") == [vpc, other]
    assert find(cidr_block="10.7.0.0/16") == find(state="associating") == []
    # the primary block's own filter
    assert ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.2.0.0/16"]}])["Vpcs"] == []


def test_malformed_and_missing(ec2, vpc):
    refused("InvalidVpcCidrBlockAssociationID.NotFound", ec2.disassociate_vpc_cidr_block,
            AssociationId=NOWHERE)
    refused("InvalidVpcCidrBlockAssociationId.Malformed", ec2.disassociate_vpc_cidr_block,
            AssociationId="banana",
            text="The vpc CIDR block with association ID banana is malformed")
    refused("InvalidVpcID.NotFound", ec2.associate_vpc_cidr_block, VpcId="vpc-0fedcba9876543210",
            CidrBlock="10.2.0.0/16")
    refused("MissingParameter", ec2.associate_vpc_cidr_block, VpcId=vpc)
    refused("InvalidParameterValue", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="banana",
            text="Value (banana) for parameter cidrBlock is invalid. This is not a valid CIDR "
                 "block.")
    for parameter, value in (("Ipv4IpamPoolId", "ipam-pool-0fedcba9876543210"),
                             ("Ipv4NetmaskLength", 24)):
        refused("UnsupportedOperation", ec2.associate_vpc_cidr_block, VpcId=vpc,
                **{parameter: value}, text=f"The parameter {parameter} is not supported.")
    assert list(blocks(ec2, vpc)) == ["10.1.0.0/16"]


def test_another_region_knows_nothing_of_it(world, ec2, vpc):
    made = associate(ec2, vpc, "10.2.0.0/16")
    refused("InvalidVpcCidrBlockAssociationID.NotFound",
            world.client(region="eu-west-1").disassociate_vpc_cidr_block,
            AssociationId=made["AssociationId"])


def test_the_default_vpc_too(ec2):
    """172.31.0.0/16: its range is at home with itself, but for its own block."""
    default, = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    made = associate(ec2, default["VpcId"], "172.30.0.0/16")
    assert list(blocks(ec2, default["VpcId"])) == ["172.31.0.0/16", "172.30.0.0/16"]
    disassociate(ec2, made["AssociationId"])


def test_they_are_stored(world, ec2, vpc):
    associate(ec2, vpc, "10.2.0.0/16")
    associate(ec2, vpc, "100.64.0.0/16")
    before, main = vpc_of(ec2, vpc), world.main_table(vpc)
    world.restart()
    assert vpc_of(world.ec2, vpc) == before and world.main_table(vpc) == main
