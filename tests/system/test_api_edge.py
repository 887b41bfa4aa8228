"""Route tables of an internet gateway (edge associations): what is accepted, told and refused."""
import re
from types import SimpleNamespace

import pytest

import wire
from lib import names, refused, routes_of, table_of

VPC, FRONT, BACK, ANY = "10.1.0.0/16", "10.1.1.0/24", "10.1.2.0/24", "0.0.0.0/0"
NOWHERE = "igw-0fedcba9876543210"
EDGE_ONLY = "A route table that is associated with a gateway can't have a route to "


@pytest.fixture(scope="module")
def net(world):
    vpc = world.vpc(VPC)
    front, back = world.subnet(vpc, FRONT), world.subnet(vpc, BACK)
    interface = world.ec2.create_network_interface(SubnetId=front)["NetworkInterface"]
    return SimpleNamespace(vpc=vpc, gateway=world.gateway(vpc), front=front, back=back,
                           interface=interface["NetworkInterfaceId"])


@pytest.fixture
def table(world, net):
    identifier = world.route_table(net.vpc)
    yield identifier
    world.delete_table(identifier)


@pytest.fixture
def other(world, net):
    identifier = world.route_table(net.vpc)
    yield identifier
    world.delete_table(identifier)


def associations(ec2, table):
    return table_of(ec2, table)["Associations"]


def associate(ec2, table, gateway):
    reply = ec2.associate_route_table(RouteTableId=table, GatewayId=gateway)
    assert reply["AssociationState"] == {"State": "associated"}
    return reply["AssociationId"]


def told(association, table, gateway):
    return {"Main": False, "RouteTableAssociationId": association, "RouteTableId": table,
            "GatewayId": gateway, "AssociationState": {"State": "associated"}}


def test_associate_and_disassociate(ec2, net, table):
    association = associate(ec2, table, net.gateway)
    assert re.fullmatch("rtbassoc-[0-9a-f]{17}", association)
    assert associations(ec2, table) == [told(association, table, net.gateway)]
    assert associate(ec2, table, net.gateway) == association
    refused("DependencyViolation", ec2.delete_route_table, RouteTableId=table,
            text=f"The routeTable '{table}' has dependencies and cannot be deleted.")
    ec2.disassociate_route_table(AssociationId=association)
    assert associations(ec2, table) == []
    refused("InvalidAssociationID.NotFound", ec2.disassociate_route_table,
            AssociationId=association)


def test_beside_a_subnet(ec2, net, table):
    ec2.associate_route_table(RouteTableId=table, SubnetId=net.back)
    association = associate(ec2, table, net.gateway)
    assert told(association, table, net.gateway) in associations(ec2, table)
    assert [entry.get("SubnetId") for entry in associations(ec2, table)] == [net.back, None]


def test_one_table_for_a_gateway(ec2, net, table, other):
    associate(ec2, table, net.gateway)
    refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=other,
            GatewayId=net.gateway,
            text=f"the specified association for route table {other} conflicts with an existing "
                 "association")
    assert associations(ec2, other) == []


def test_replace(ec2, net, table, other):
    old = associate(ec2, table, net.gateway)
    new = ec2.replace_route_table_association(AssociationId=old, RouteTableId=other)
    assert new["AssociationState"] == {"State": "associated"} and new["NewAssociationId"] != old
    assert associations(ec2, table) == []
    assert associations(ec2, other) == [told(new["NewAssociationId"], other, net.gateway)]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, GatewayId=net.gateway)
    refused("InvalidParameterValue", ec2.replace_route_table_association,
            AssociationId=new["NewAssociationId"], RouteTableId=table)
    assert associations(ec2, other) == [told(new["NewAssociationId"], other, net.gateway)]


def test_filters(ec2, net, table, other):
    association = associate(ec2, table, net.gateway)

    def found(**values):
        return names(ec2.describe_route_tables(Filters=[
            {"Name": "vpc-id", "Values": [net.vpc]},
            *({"Name": "association." + name.replace("_", "-"), "Values": [value]}
              for name, value in values.items())])["RouteTables"], "RouteTableId")

    assert found(gateway_id=net.gateway) == [table]
    assert found(gateway_id="igw-*", main="false") == [table]
    assert found(gateway_id=NOWHERE) == found(gateway_id="subnet-*") == []
    assert found(route_table_association_id=association) == [table]
    assert table not in found(main="true") and other not in found(gateway_id="*")
    ec2.disassociate_route_table(AssociationId=association)
    assert found(gateway_id=net.gateway) == []


# Who may be associated.

def test_parameters_refused(world, ec2, net, table):
    call = ec2.associate_route_table
    refused("MissingParameter", call, RouteTableId=table)
    refused("InvalidParameterCombination", call, RouteTableId=table, GatewayId=net.gateway,
            SubnetId=net.front)
    for absent in (NOWHERE, "vgw-0fedcba9876543210", net.front, "banana"):
        refused("InvalidGatewayID.NotFound", call, RouteTableId=table, GatewayId=absent,
                text=f"The gateway ID '{absent}' does not exist")
    refused("InvalidRouteTableID.NotFound", call, RouteTableId="rtb-0fedcba9876543210",
            GatewayId=net.gateway)
    reply = wire.call(world, "AssociateRouteTable", RouteTableId=table,
                      PublicIpv4Pool="ipv4pool-ec2-0fedcba9876543210")
    assert (reply.code, reply.message) == ("UnsupportedOperation",
                                           "PublicIpv4Pool is not supported yet.")
    refused("DryRunOperation", call, RouteTableId=table, GatewayId=net.gateway, DryRun=True,
            status=412)
    assert associations(ec2, table) == []


def test_another_vpcs_gateway(world, ec2, table):
    elsewhere = world.vpc("10.3.0.0/16")
    foreign, loose = world.gateway(elsewhere), world.gateway()
    for gateway in (foreign, loose):
        refused("InvalidParameterValue", ec2.associate_route_table, RouteTableId=table,
                GatewayId=gateway, text=f"route table {table} and network gateway {gateway} "
                                        "belong to different networks")
    assert associations(ec2, table) == []


def test_the_main_table(world, ec2, net, table):
    main = world.main_table(net.vpc)
    refused("InvalidParameterValue", ec2.associate_route_table, GatewayId=net.gateway,
            RouteTableId=main["RouteTableId"])
    association = associate(ec2, table, net.gateway)
    refused("InvalidParameterValue", ec2.replace_route_table_association,
            AssociationId=association, RouteTableId=main["RouteTableId"])
    refused("InvalidParameterValue", ec2.replace_route_table_association, RouteTableId=table,
            AssociationId=main["Associations"][0]["RouteTableAssociationId"])
    assert world.main_table(net.vpc) == main


# What it may hold.

def test_routes_it_may_hold(ec2, net, table):
    to = {"NetworkInterfaceId": net.interface}
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=FRONT, **to)
    associate(ec2, table, net.gateway)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=BACK, **to)
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock=VPC, **to)
    assert {block: route.get("NetworkInterfaceId")
            for block, route in routes_of(ec2, table).items()} == {
                VPC: net.interface, FRONT: net.interface, BACK: net.interface}
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock=VPC, LocalTarget=True)
    assert routes_of(ec2, table)[VPC]["GatewayId"] == "local"
    for block in (FRONT, BACK):
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock=block)
    assert list(routes_of(ec2, table)) == [VPC]


def foreign_routes(world, net):
    """Routes that a gateway's table may not hold."""
    lists = world.ec2.create_managed_prefix_list(
        PrefixListName="near", MaxEntries=2, AddressFamily="IPv4",
        Entries=[{"Cidr": BACK}])["PrefixList"]["PrefixListId"]
    eni = {"NetworkInterfaceId": net.interface}
    return [
        ({"DestinationPrefixListId": lists, **eni}, f"a prefix list: {lists}"),
        ({"DestinationCidrBlock": ANY, "GatewayId": net.gateway},
         f"a destination outside of this VPC's CIDR blocks: {ANY}"),
        ({"DestinationCidrBlock": ANY, **eni},
         f"a destination outside of this VPC's CIDR blocks: {ANY}"),
        ({"DestinationCidrBlock": "10.0.0.0/15", **eni},
         "a destination outside of this VPC's CIDR blocks: 10.0.0.0/15"),
        ({"DestinationCidrBlock": "192.0.2.0/24", **eni},
         "a destination outside of this VPC's CIDR blocks: 192.0.2.0/24")]


def test_other_routes_and_the_association_shut_each_other_out(world, ec2, net, table):
    for route, what in foreign_routes(world, net):
        ec2.create_route(RouteTableId=table, **route)
        refused("InvalidParameterValue", ec2.associate_route_table, RouteTableId=table,
                GatewayId=net.gateway, text=EDGE_ONLY + what)
        assert associations(ec2, table) == []
        ec2.delete_route(RouteTableId=table, **{
            name: value for name, value in route.items() if name.startswith("Destination")})
        association = associate(ec2, table, net.gateway)
        before = routes_of(ec2, table)
        refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, **route,
                text=EDGE_ONLY + what)
        assert routes_of(ec2, table) == before
        ec2.disassociate_route_table(AssociationId=association)


def test_targets_refused(ec2, net, table):
    associate(ec2, table, net.gateway)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=BACK,
                     NetworkInterfaceId=net.interface)
    before = routes_of(ec2, table)
    only = EDGE_ONLY + f"{net.gateway}: only to a network interface or local"
    for block in (VPC, BACK):
        refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table,
                DestinationCidrBlock=block, GatewayId=net.gateway, text=only)
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock=FRONT, GatewayId=net.gateway, text=only)
    for block in ("10.1.2.0/25", "10.1.2.4/32", "10.1.0.0/17", "10.1.9.0/24"):  # no whole subnet
        refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
                DestinationCidrBlock=block, NetworkInterfaceId=net.interface)
    refused("RouteAlreadyExists", ec2.create_route, RouteTableId=table, DestinationCidrBlock=BACK,
            NetworkInterfaceId=net.interface)
    assert routes_of(ec2, table) == before


# The gateway's end.

def test_detached_and_deleted(world, ec2):
    """Detached it keeps its table; deleted it does not."""
    vpc, elsewhere = world.vpc("10.4.0.0/16"), world.vpc("10.5.0.0/16")
    gateway, table = world.gateway(vpc), world.route_table(vpc)
    association = associate(ec2, table, gateway)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert associations(ec2, table) == [told(association, table, gateway)]
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="192.0.2.0/24", GatewayId=gateway)
    # Another VPC's, it has no use for the table, and can be given no other before it's freed.
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=elsewhere)
    far = world.route_table(elsewhere)
    refused("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=far,
            GatewayId=gateway)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=elsewhere)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert associations(ec2, table) == []
    ec2.delete_route_table(RouteTableId=table)


def test_a_restart_keeps_it(own_world):
    world = own_world
    vpc = world.vpc(VPC)
    gateway, table = world.gateway(vpc), world.route_table(vpc)
    association = associate(world.ec2, table, gateway)
    world.restart()
    assert associations(world.ec2, table) == [told(association, table, gateway)]
    assert associate(world.ec2, table, gateway) == association
