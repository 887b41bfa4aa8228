"""Route tables, their associations and their routes."""
import pytest

from conformance import demand
from lib import ACCOUNT, refused, routes_of, table_of, tag_specification

NOWHERE = "rtb-0fedcba9876543210"
ANY = "0.0.0.0/0"


@pytest.fixture(scope="module")
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture(scope="module")
def gateway(world, vpc):
    return world.gateway(vpc)


@pytest.fixture
def table(world, vpc):
    """For one test; goes with its associations."""
    identifier = world.route_table(vpc)
    yield identifier
    found = world.ec2.describe_route_tables(Filters=[
        {"Name": "route-table-id", "Values": [identifier]}])["RouteTables"]
    for entry in found:
        for association in entry["Associations"]:
            world.ec2.disassociate_route_table(
                AssociationId=association["RouteTableAssociationId"])
        world.ec2.delete_route_table(RouteTableId=identifier)


@pytest.fixture
def subnet(world, vpc):
    identifier = world.subnet(vpc, "10.1.1.0/24")
    yield identifier
    world.ec2.delete_subnet(SubnetId=identifier)


# Tables.

def test_life_cycle(ec2, vpc):
    created = ec2.create_route_table(VpcId=vpc, TagSpecifications=tag_specification(
        "route-table", Name="ways"))["RouteTable"]
    demand(created, ["RouteTableId", "VpcId", "OwnerId", "Associations", "PropagatingVgws", "Tags",
                     ("Routes", ["DestinationCidrBlock", "GatewayId", "Origin", "State"])])
    assert created == table_of(ec2, created["RouteTableId"])
    assert created["VpcId"] == vpc and created["OwnerId"] == ACCOUNT
    assert created["Associations"] == [] and created["PropagatingVgws"] == []
    assert created["Routes"] == [{"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local",
                                  "Origin": "CreateRouteTable", "State": "active"}]
    ec2.delete_route_table(RouteTableId=created["RouteTableId"])
    refused("InvalidRouteTableID.NotFound", ec2.delete_route_table,
            RouteTableId=created["RouteTableId"],
            text=f"The routeTable ID '{created['RouteTableId']}' does not exist")


def test_create_refused(ec2):
    refused("InvalidVpcID.NotFound", ec2.create_route_table, VpcId="vpc-0fedcba9876543210")
    refused("InvalidVpcID.Malformed", ec2.create_route_table, VpcId="banana")


def test_delete_refused(world, ec2, vpc, table, subnet):
    main = world.main_table(vpc)["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    for used in (main, table):
        refused("DependencyViolation", ec2.delete_route_table, RouteTableId=used,
                text=f"The routeTable '{used}' has dependencies and cannot be deleted.")
    refused("InvalidRouteTableId.Malformed", ec2.delete_route_table, RouteTableId="banana")


def test_dry_runs(ec2, vpc, table, gateway):
    refused("DryRunOperation", ec2.create_route_table, VpcId=vpc, DryRun=True, status=412)
    refused("DryRunOperation", ec2.create_route, RouteTableId=table, DestinationCidrBlock=ANY,
            GatewayId=gateway, DryRun=True, status=412)
    assert list(routes_of(ec2, table)) == ["10.1.0.0/16"]
    refused("DryRunOperation", ec2.delete_route_table, RouteTableId=table, DryRun=True, status=412)
    assert table_of(ec2, table)


# Associations.

def test_associate(ec2, table, subnet):
    reply = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    assert reply["AssociationId"].startswith("rtbassoc-")
    assert reply["AssociationState"]["State"] == "associated"
    assert table_of(ec2, table)["Associations"] == [{
        "Main": False, "RouteTableAssociationId": reply["AssociationId"], "RouteTableId": table,
        "SubnetId": subnet, "AssociationState": {"State": "associated"}}]
    again = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    assert again["AssociationId"] == reply["AssociationId"]


def test_a_subnet_has_one_table(world, ec2, vpc, table, subnet):
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    other = world.route_table(vpc)
    refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=other,
            SubnetId=subnet, text=f"the specified association for route table {other} conflicts "
                                  "with an existing association")
    ec2.delete_route_table(RouteTableId=other)


def test_replace_association(world, ec2, vpc, table, subnet):
    old = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    other = world.route_table(vpc)
    reply = ec2.replace_route_table_association(AssociationId=old, RouteTableId=other)
    new = reply["NewAssociationId"]
    assert new != old and reply["AssociationState"]["State"] == "associated"
    assert table_of(ec2, table)["Associations"] == []
    assert table_of(ec2, other)["Associations"][0]["RouteTableAssociationId"] == new
    assert table_of(ec2, other)["Associations"][0]["SubnetId"] == subnet
    refused("InvalidAssociationID.NotFound", ec2.replace_route_table_association,
            AssociationId=old, RouteTableId=table,
            text=f"The association ID '{old}' does not exist")
    ec2.disassociate_route_table(AssociationId=new)
    refused("InvalidAssociationID.NotFound", ec2.disassociate_route_table, AssociationId=new,
            text=f"The association ID '{new}' does not exist")
    ec2.delete_route_table(RouteTableId=other)


def test_replace_the_main_table(world, ec2):
    vpc = world.vpc("10.2.0.0/16")
    old, new = world.main_table(vpc), world.route_table(vpc)
    association = old["Associations"][0]["RouteTableAssociationId"]
    reply = ec2.replace_route_table_association(AssociationId=association, RouteTableId=new)
    assert world.main_table(vpc)["RouteTableId"] == new
    assert world.main_table(vpc)["Associations"][0]["RouteTableAssociationId"] == \
        reply["NewAssociationId"]
    assert table_of(ec2, old["RouteTableId"])["Associations"] == []
    ec2.delete_route_table(RouteTableId=old["RouteTableId"])
    refused("DependencyViolation", ec2.delete_route_table, RouteTableId=new)
    ec2.delete_vpc(VpcId=vpc)


def test_the_main_association_stays(world, ec2, vpc):
    main = world.main_table(vpc)["Associations"][0]["RouteTableAssociationId"]
    refused("InvalidParameterValue", ec2.disassociate_route_table, AssociationId=main,
            text=f"cannot disassociate the main route table association {main}")


def test_the_main_table_explicitly(world, ec2, vpc, subnet):
    main = world.main_table(vpc)["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=main, SubnetId=subnet)["AssociationId"]
    assert [entry["Main"] for entry in table_of(ec2, main)["Associations"]].count(True) == 1
    assert len(table_of(ec2, main)["Associations"]) == 2
    ec2.disassociate_route_table(AssociationId=association)


def test_associations_refused(world, ec2, table, subnet):
    elsewhere = world.vpc("10.3.0.0/16")
    stranger = world.route_table(elsewhere)
    refused("InvalidRouteTableID.NotFound", ec2.associate_route_table, RouteTableId=NOWHERE,
            SubnetId=subnet, text=f"The routeTable ID '{NOWHERE}' does not exist")
    refused("InvalidSubnetID.NotFound", ec2.associate_route_table, RouteTableId=table,
            SubnetId="subnet-0fedcba9876543210")
    refused("InvalidParameterValue", ec2.associate_route_table, RouteTableId=stranger,
            SubnetId=subnet)
    refused("InvalidAssociationID.NotFound", ec2.disassociate_route_table,
            AssociationId="rtbassoc-0fedcba9876543210")
    refused("MissingParameter", ec2.associate_route_table, RouteTableId=table)
    ec2.delete_route_table(RouteTableId=stranger)
    ec2.delete_vpc(VpcId=elsewhere)


# Routes.

def test_create_replace_delete(ec2, table, gateway):
    assert ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY,
                            GatewayId=gateway)["Return"] is True
    route = {"DestinationCidrBlock": ANY, "GatewayId": gateway, "Origin": "CreateRoute",
             "State": "active"}
    assert routes_of(ec2, table)[ANY] == route
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock=ANY, GatewayId=gateway)
    assert routes_of(ec2, table)[ANY] == route
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ANY)
    assert list(routes_of(ec2, table)) == ["10.1.0.0/16"]
    refused("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table,
            DestinationCidrBlock=ANY,
            text=f"no route with destination-cidr-block {ANY} in route table {table}")


def test_destinations_are_canonical(ec2, table, gateway):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="203.0.113.77/24", GatewayId=gateway)
    assert "203.0.113.0/24" in routes_of(ec2, table)
    refused("RouteAlreadyExists", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationCidrBlock="203.0.113.1/24",
            text="The route identified by 203.0.113.0/24 already exists.")
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="203.0.113.9/24")
    assert list(routes_of(ec2, table)) == ["10.1.0.0/16"]


def test_duplicates(ec2, table, gateway):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, GatewayId=gateway)
    refused("RouteAlreadyExists", ec2.create_route, RouteTableId=table, DestinationCidrBlock=ANY,
            GatewayId=gateway, text=f"The route identified by {ANY} already exists.")


def test_the_local_route(ec2, table, gateway):
    refused("InvalidParameterValue", ec2.delete_route, RouteTableId=table,
            DestinationCidrBlock="10.1.0.0/16",
            text=f"cannot remove local route 10.1.0.0/16 in route table {table}")
    refused("InvalidGatewayID.NotFound", ec2.create_route, RouteTableId=table, GatewayId="local",
            DestinationCidrBlock="172.16.0.0/16", text="The gateway ID 'local' does not exist")


@pytest.mark.parametrize("cidr", ["10.1.1.0/24", "10.1.0.0/17", "10.1.255.255/32"])
def test_nothing_more_specific_than_local(ec2, table, gateway, cidr):
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationCidrBlock=cidr,
            text=f"The destination CIDR block {cidr} is equal to or more specific than one of this "
                 "VPC's CIDR blocks. This route can target only an interface or an instance.")


def test_a_wider_one_is_fine(ec2, table, gateway):
    ec2.create_route(RouteTableId=table, GatewayId=gateway, DestinationCidrBlock="10.0.0.0/8")
    assert routes_of(ec2, table)["10.0.0.0/8"]["State"] == "active"


@pytest.mark.parametrize("cidr", ["169.254.168.0/22", "169.254.169.254/32", "169.254.169.0/24"])
def test_link_local_services_stay(ec2, table, gateway, cidr):
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationCidrBlock=cidr)


def test_link_local_superset_is_accepted(ec2, table, gateway):
    ec2.create_route(RouteTableId=table, GatewayId=gateway, DestinationCidrBlock="169.254.0.0/16")


@pytest.mark.parametrize("cidr", ["banana", "0.0.0.0", "1.2.3.4/33", "::/0"])
def test_no_cidr_at_all(ec2, table, gateway, cidr):
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationCidrBlock=cidr,
            text=f"Value ({cidr}) for parameter destinationCidrBlock is invalid. "
                 "This is not a valid CIDR block.")


def test_targets_refused(world, ec2, table, gateway):
    elsewhere, loose = world.vpc("10.4.0.0/16"), world.gateway()
    for state in ("detached", "of another VPC"):
        if state == "of another VPC":
            ec2.attach_internet_gateway(InternetGatewayId=loose, VpcId=elsewhere)
        refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, GatewayId=loose,
                DestinationCidrBlock=ANY,
                text=f"route table {table} and network gateway {loose} belong to different "
                     "networks")
    ec2.detach_internet_gateway(InternetGatewayId=loose, VpcId=elsewhere)
    ec2.delete_internet_gateway(InternetGatewayId=loose)
    ec2.delete_vpc(VpcId=elsewhere)
    missing = "igw-0fedcba9876543210"
    refused("InvalidGatewayID.NotFound", ec2.create_route, RouteTableId=table, GatewayId=missing,
            DestinationCidrBlock=ANY, text=f"The gateway ID '{missing}' does not exist")
    refused("MissingParameter", ec2.create_route, RouteTableId=table, DestinationCidrBlock=ANY)
    refused("MissingParameter", ec2.create_route, RouteTableId=table, GatewayId=gateway)
    refused("InvalidRouteTableID.NotFound", ec2.create_route, RouteTableId=NOWHERE,
            GatewayId=gateway, DestinationCidrBlock=ANY)
    refused("InvalidRouteTableId.Malformed", ec2.create_route, RouteTableId="x", GatewayId=gateway,
            DestinationCidrBlock=ANY)


def test_replace_refused(ec2, table, gateway):
    refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table, GatewayId=gateway,
            DestinationCidrBlock=ANY, text=f"There is no route defined for '{ANY}' in the route "
                                           "table. Use CreateRoute instead.")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, GatewayId=gateway)
    refused("InvalidGatewayID.NotFound", ec2.replace_route, RouteTableId=table,
            GatewayId="igw-0fedcba9876543210", DestinationCidrBlock=ANY)
    assert routes_of(ec2, table)[ANY]["GatewayId"] == gateway


def test_blackhole_and_back(world, ec2):
    vpc = world.vpc("10.5.0.0/16")
    gateway = world.gateway(vpc)
    table = world.route_table(vpc, gateway=gateway)
    for _ in range(2):
        assert routes_of(ec2, table)[ANY]["State"] == "active"
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        assert routes_of(ec2, table)[ANY] == {"DestinationCidrBlock": ANY, "GatewayId": gateway,
                                              "Origin": "CreateRoute", "State": "blackhole"}
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert routes_of(ec2, table)[ANY]["State"] == "blackhole"
    assert table in [entry["RouteTableId"] for entry in ec2.describe_route_tables(Filters=[
        {"Name": "route.state", "Values": ["blackhole"]}])["RouteTables"]]
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ANY)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc(VpcId=vpc)
