"""NAT gateways: every call, state and refusal, and what becomes of their interface and address."""
import re

import pytest

from lib import (api_state, assert_kernel_agrees, names, namespaces, refused, tag_specification,
                 tags)
from wire import form, send, signed

ANY = "0.0.0.0/0"
NOWHERE = "nat-0fedcba9876543210"
NO_PERMISSION = "You do not have permission to access the specified resource."


@pytest.fixture(scope="module")
def world(make_world):
    with make_world("--quota", "aws", "--quota", "addresses-per-region=50",
                    "--quota", "vpcs-per-region=50") as running:
        yield running


@pytest.fixture
def vpc(world):
    identifier = world.vpc("10.1.0.0/16")
    world.gateway(identifier)
    yield identifier
    world.clear()


@pytest.fixture
def subnet(world, vpc):
    return world.subnet(vpc, "10.1.1.0/24")


def allocate(world):
    return world.ec2.allocate_address(Domain="vpc")["AllocationId"]


def create(world, subnet, **more):
    more = more or {"AllocationId": allocate(world)}
    return world.ec2.create_nat_gateway(SubnetId=subnet, **more)["NatGateway"]


def read(world, nat):
    found, = world.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    return found


def of_subnet(world, subnet):
    return world.ec2.describe_nat_gateways(Filters=[
        {"Name": "subnet-id", "Values": [subnet]}])["NatGateways"]


def wire(world, action, **parameters):
    """For what this botocore does not know yet."""
    return send(world, signed(world, form(action, **parameters)))


def test_a_public_one(world, vpc, subnet):
    allocation = allocate(world)
    made = create(world, subnet, AllocationId=allocation, TagSpecifications=tag_specification(
        "natgateway", Name="way-out"))
    nat = made["NatGatewayId"]
    assert re.fullmatch("nat-[0-9a-f]{17}", nat)
    assert (made["State"], made["ConnectivityType"]) == ("pending", "public")
    found = read(world, nat)
    assert (found["State"], found["VpcId"], found["SubnetId"]) == ("available", vpc, subnet)
    assert tags(Name="way-out") == found["Tags"]
    assert found["CreateTime"] == made["CreateTime"] and "DeleteTime" not in found
    address, = found["NatGatewayAddresses"]
    elastic, = world.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert address["AllocationId"] == allocation
    assert address["PublicIp"] == elastic["PublicIp"]
    assert address["PrivateIp"] == elastic["PrivateIpAddress"] == "10.1.1.4"
    assert address["NetworkInterfaceId"] == elastic["NetworkInterfaceId"]
    assert_kernel_agrees(world)


def test_its_interface(world, vpc, subnet):
    nat = create(world, subnet, ConnectivityType="private", PrivateIpAddress="10.1.1.77")
    interface, = world.ec2.describe_network_interfaces(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]
    assert interface["Description"] == f"Interface for NAT Gateway {nat['NatGatewayId']}"
    assert interface["InterfaceType"] == "nat_gateway"
    assert interface["RequesterManaged"] is True and interface["SourceDestCheck"] is False
    assert (interface["Status"], interface["Groups"]) == ("in-use", [])
    assert interface["PrivateIpAddress"] == "10.1.1.77"
    assert "Association" not in interface
    free = world.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
    assert free == 250


def test_its_interface_is_not_the_callers(world, vpc, subnet):
    ec2 = world.ec2
    allocation = allocate(world)
    nat = create(world, subnet, AllocationId=allocation)
    interface = nat["NatGatewayAddresses"][0]["NetworkInterfaceId"]
    instance, = world.run_instances(subnet)
    elastic, = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    before = api_state(world)
    for call, arguments in (
            (ec2.modify_network_interface_attribute, {"SourceDestCheck": {"Value": True}}),
            (ec2.modify_network_interface_attribute, {"Groups": [world.default_group(vpc)]}),
            (ec2.reset_network_interface_attribute, {"SourceDestCheck": "true"}),
            (ec2.assign_private_ip_addresses, {"SecondaryPrivateIpAddressCount": 1}),
            (ec2.unassign_private_ip_addresses, {"PrivateIpAddresses": ["10.1.1.4"]}),
            (ec2.attach_network_interface, {"InstanceId": instance, "DeviceIndex": 1})):
        refused("AuthFailure", call, NetworkInterfaceId=interface, text=NO_PERMISSION, **arguments)
    refused("InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=interface,
            text=f"Network interface '{interface}' is currently in use.")
    refused("AuthFailure", ec2.disassociate_address, AssociationId=elastic["AssociationId"],
            text=NO_PERMISSION)
    refused("AuthFailure", ec2.release_address, AllocationId=allocation, text=NO_PERMISSION)
    refused("AuthFailure", ec2.associate_address, AllocationId=allocation, InstanceId=instance,
            text=NO_PERMISSION)
    refused("AuthFailure", ec2.associate_address, AllocationId=allocate(world),
            NetworkInterfaceId=interface, text=NO_PERMISSION)
    after = api_state(world)
    for state in (before, after):  # one more was allocated
        del state["describe_addresses"], state["describe_addresses_attribute"]
    assert after == before


def test_deleting(world, vpc, subnet):
    ec2 = world.ec2
    allocation = allocate(world)
    nat = create(world, subnet, AllocationId=allocation)["NatGatewayId"]
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    table = world.route_table(vpc, subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, NatGatewayId=nat)
    assert ec2.delete_nat_gateway(NatGatewayId=nat)["NatGatewayId"] == nat
    found = read(world, nat)
    assert found["State"] == "deleted" and found["DeleteTime"] >= found["CreateTime"]
    assert found["NatGatewayAddresses"][0]["AllocationId"] == allocation  # as it was
    assert nat not in namespaces()
    assert not ec2.describe_network_interfaces(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]
    elastic, = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert "AssociationId" not in elastic
    found, = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert [(route["State"], route["NatGatewayId"]) for route in found["Routes"]
            if route["DestinationCidrBlock"] == ANY] == [("blackhole", nat)]
    refused("NatGatewayNotFound", ec2.delete_nat_gateway, NatGatewayId=nat)
    refused("NatGatewayNotFound", ec2.replace_route, RouteTableId=table, NatGatewayId=nat,
            DestinationCidrBlock=ANY)
    # The table keeps its blackhole; the subnet goes.
    ec2.delete_subnet(SubnetId=subnet)
    assert_kernel_agrees(world)


def test_a_restart_keeps_it(world, vpc, subnet):
    create(world, subnet)
    create(world, subnet, ConnectivityType="private")
    failed = create(world, world.subnet(world.vpc("10.9.0.0/16"), "10.9.0.0/24"))
    assert read(world, failed["NatGatewayId"])["State"] == "failed"
    before = api_state(world)
    world.restart()
    assert "mended" not in world.log_tail()
    assert api_state(world) == before
    assert_kernel_agrees(world)


# What fails after the answer.

def assert_failed(world, made, code, message):
    assert made["State"] == "pending"
    found = read(world, made["NatGatewayId"])
    assert (found["State"], found["FailureCode"], found["FailureMessage"]) == (
        "failed", code, message)
    assert "NetworkInterfaceId" not in found["NatGatewayAddresses"][0]


def test_without_an_internet_gateway(world, vpc):
    lonely = world.vpc("10.2.0.0/16")
    made = create(world, world.subnet(lonely, "10.2.0.0/24"))
    assert_failed(world, made, "Gateway.NotAttached",
                  f"Network {lonely} has no Internet gateway attached")
    assert not world.ec2.describe_network_interfaces()["NetworkInterfaces"]


def test_an_address_in_use(world, vpc, subnet):
    allocation = allocate(world)
    create(world, subnet, AllocationId=allocation)
    made = create(world, subnet, AllocationId=allocation)
    assert_failed(world, made, "Resource.AlreadyAssociated",
                  f"Elastic IP address [{allocation}] is already associated")


def test_a_full_subnet(world, vpc):
    small = world.subnet(vpc, "10.1.9.0/28")
    for _ in range(11):
        world.ec2.create_network_interface(SubnetId=small)
    made = create(world, small, AllocationId=allocate(world))
    assert_failed(world, made, "InsufficientFreeAddressesInSubnet",
                  "Subnet has insufficient free addresses to create this NAT gateway")


# Refusals.

def test_refusals_of_creation(world, vpc, subnet):
    ec2 = world.ec2
    allocation = allocate(world)
    before = api_state(world)
    for code, arguments in (
            ("MissingParameter", {}),
            ("InvalidAllocationID.NotFound", {"AllocationId": "eipalloc-0fedcba9876543210"}),
            ("InvalidParameterCombination",
             {"AllocationId": allocation, "ConnectivityType": "private"}),
            ("InvalidParameterValue", {"ConnectivityType": "both"}),
            ("InvalidParameterValue",
             {"ConnectivityType": "private", "PrivateIpAddress": "10.9.9.9"}),
            ("InvalidParameterValue",
             {"ConnectivityType": "private", "PrivateIpAddress": "10.1.1.1"}),
            ("InvalidParameterValue",
             {"ConnectivityType": "private", "PrivateIpAddress": "ten"})):
        refused(code, ec2.create_nat_gateway, SubnetId=subnet, **arguments)
    refused("InvalidSubnetID.NotFound", ec2.create_nat_gateway, ConnectivityType="private",
            SubnetId="subnet-0fedcba9876543210")
    refused("NatGatewayNotFound", ec2.delete_nat_gateway, NatGatewayId=NOWHERE)
    refused("NatGatewayMalformed", ec2.delete_nat_gateway, NatGatewayId="nat-x")
    regional = wire(world, "CreateNatGateway", AvailabilityMode="regional", SubnetId=subnet)
    assert regional.code == "UnsupportedOperation"
    assert api_state(world) == before


def test_an_address_taken(world, vpc, subnet):
    world.ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.1.1.9")
    refused("InvalidIPAddress.InUse", world.ec2.create_nat_gateway, SubnetId=subnet,
            ConnectivityType="private", PrivateIpAddress="10.1.1.9")


def test_a_token_makes_one(world, vpc, subnet):
    arguments = {"SubnetId": subnet, "ConnectivityType": "private", "ClientToken": "once"}
    first, again = (world.ec2.create_nat_gateway(**arguments) for _ in range(2))
    assert first["NatGateway"]["NatGatewayId"] == again["NatGateway"]["NatGatewayId"]
    assert first["ClientToken"] == "once"
    refused("IdempotentParameterMismatch", world.ec2.create_nat_gateway,
            **{**arguments, "PrivateIpAddress": "10.1.1.30"})


def test_five_in_a_zone(world, vpc, subnet):
    made = [create(world, subnet, ConnectivityType="private")["NatGatewayId"] for _ in range(5)]
    refused("NatGatewayLimitExceeded", world.ec2.create_nat_gateway, SubnetId=subnet,
            ConnectivityType="private",
            text="Performing this operation would exceed the limit of 5 NAT gateways")
    create(world, world.subnet(vpc, "10.1.2.0/24", zone="us-east-1b"), ConnectivityType="private")
    world.ec2.delete_nat_gateway(NatGatewayId=made[0])
    create(world, subnet, ConnectivityType="private")


# Routes.

def test_routes_to_it(world, vpc, subnet):
    ec2 = world.ec2
    nat = create(world, subnet, ConnectivityType="private")["NatGatewayId"]
    inner = world.subnet(vpc, "10.1.3.0/24")
    table = world.route_table(vpc, inner)
    for block in (ANY, "192.168.0.0/16", "10.1.1.0/24"):  # the last is a whole subnet
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=block, NatGatewayId=nat)
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.1.0.0/16", NatGatewayId=nat)
    found, = ec2.describe_route_tables(Filters=[
        {"Name": "route.nat-gateway-id", "Values": [nat]}])["RouteTables"]
    assert {(route["DestinationCidrBlock"], route["NatGatewayId"], route["State"])
            for route in found["Routes"]} == {
        (block, nat, "active") for block in (ANY, "192.168.0.0/16", "10.1.1.0/24", "10.1.0.0/16")}
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.1.0.0/16", LocalTarget=True)
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, NatGatewayId=nat,
            DestinationCidrBlock="10.1.1.128/25")
    stranger = world.main_table(world.vpc("10.5.0.0/16"))["RouteTableId"]
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=stranger, NatGatewayId=nat,
            DestinationCidrBlock=ANY)
    refused("NatGatewayNotFound", ec2.create_route, RouteTableId=table, NatGatewayId=NOWHERE,
            DestinationCidrBlock="1.0.0.0/8")


# Several addresses.

def test_several_elastic_ips(world, vpc, subnet):
    allocations = [allocate(world) for _ in range(3)]
    reply = wire(world, "CreateNatGateway", SubnetId=subnet, AllocationId=allocations[0],
                 SecondaryAllocationId__1=allocations[1], SecondaryAllocationId__2=allocations[2])
    assert reply.status == 200, reply.body
    nat, = of_subnet(world, subnet)
    shown = nat["NatGatewayAddresses"]
    assert [address["AllocationId"] for address in shown] == allocations
    assert len({address["PrivateIp"] for address in shown}) == 3
    elastic = {address["AllocationId"]: address["PrivateIpAddress"]
               for address in world.ec2.describe_addresses()["Addresses"]}
    assert {address["AllocationId"]: address["PrivateIp"] for address in shown} == elastic
    twice = wire(world, "CreateNatGateway", SubnetId=subnet, AllocationId=allocations[0],
                 SecondaryAllocationId__1=allocations[0])
    assert twice.code == "InvalidParameterValue"


def test_several_private_addresses(world, vpc, subnet):
    reply = wire(world, "CreateNatGateway", SubnetId=subnet, ConnectivityType="private",
                 PrivateIpAddress="10.1.1.20", SecondaryPrivateIpAddress__1="10.1.1.21")
    assert reply.status == 200, reply.body
    nat, = of_subnet(world, subnet)
    assert [address["PrivateIp"] for address in nat["NatGatewayAddresses"]] == [
        "10.1.1.20", "10.1.1.21"]
    eight = {"SubnetId": subnet, "ConnectivityType": "private"}
    assert wire(world, "CreateNatGateway", SecondaryPrivateIpAddressCount="8",
                **eight).code == "InvalidParameterValue"
    assert wire(world, "CreateNatGateway", SecondaryPrivateIpAddressCount="7",
                **eight).status == 200
    assert names(of_subnet(world, subnet), "State") == ["available"] * 2


def addresses_of(world, nat):
    return [address["PrivateIp"] for address in read(world, nat)["NatGatewayAddresses"]]


def test_private_addresses_come_and_go(world, vpc, subnet):
    nat = create(world, subnet, ConnectivityType="private", PrivateIpAddress="10.1.1.20")[
        "NatGatewayId"]
    assert wire(world, "AssignPrivateNatGatewayAddress", NatGatewayId=nat,
                PrivateIpAddress__1="10.1.1.30").status == 200
    reply = wire(world, "AssignPrivateNatGatewayAddress", NatGatewayId=nat,
                 PrivateIpAddressCount="2")
    assert reply.status == 200 and reply.body.count("<privateIp>") == 2, reply.body
    found = addresses_of(world, nat)
    assert found[:2] == ["10.1.1.20", "10.1.1.30"] and len(found) == 4
    for arguments, code in (
            ({"PrivateIpAddressCount": "5"}, "PrivateIpAddressLimitExceeded"),
            ({"PrivateIpAddress__1": "10.9.9.9"}, "InvalidParameterValue"),
            ({}, "InvalidParameterCombination"),
            ({"PrivateIpAddressCount": "1", "PrivateIpAddress__1": "10.1.1.40"},
             "InvalidParameterCombination")):
        assert wire(world, "AssignPrivateNatGatewayAddress", NatGatewayId=nat,
                    **arguments).code == code
    assert wire(world, "UnassignPrivateNatGatewayAddress", NatGatewayId=nat,
                PrivateIpAddress__1="10.1.1.20").code == "InvalidParameterValue"  # the primary
    assert wire(world, "UnassignPrivateNatGatewayAddress", NatGatewayId=nat,
                PrivateIpAddress__1=found[2], PrivateIpAddress__2=found[3]).status == 200
    assert addresses_of(world, nat) == ["10.1.1.20", "10.1.1.30"]
    world.restart()
    assert addresses_of(world, nat) == ["10.1.1.20", "10.1.1.30"]


def test_elastic_ips_come_and_go(world, vpc, subnet):
    nat = create(world, subnet)["NatGatewayId"]
    more = [allocate(world) for _ in range(2)]
    assert wire(world, "AssociateNatGatewayAddress", NatGatewayId=nat, AllocationId__1=more[0],
                PrivateIpAddress__1="10.1.1.30").status == 200
    assert wire(world, "AssociateNatGatewayAddress", NatGatewayId=nat, AllocationId__1=more[1],
                PrivateIpAddress__1="10.1.1.30").code == "Resource.AlreadyAssigned"
    assert wire(world, "AssociateNatGatewayAddress", NatGatewayId=nat,
                AllocationId__1=more[1]).status == 200
    assert wire(world, "AssociateNatGatewayAddress", NatGatewayId=nat,
                AllocationId__1=more[1]).code == "Resource.AlreadyAssociated"
    assert wire(world, "AssignPrivateNatGatewayAddress", NatGatewayId=nat,
                PrivateIpAddressCount="1").code == "InvalidParameterValue"  # it is public
    shown = read(world, nat)["NatGatewayAddresses"]
    assert [entry["AllocationId"] for entry in shown][1:] == more
    assert shown[1]["PrivateIp"] == "10.1.1.30"
    bound = {entry["AllocationId"]: entry.get("AssociationId")
             for entry in world.ec2.describe_addresses()["Addresses"]}
    assert wire(world, "DisassociateNatGatewayAddress", NatGatewayId=nat,
                AssociationId__1=bound[shown[0]["AllocationId"]]).code == "InvalidParameterValue"
    assert wire(world, "DisassociateNatGatewayAddress", NatGatewayId=nat,
                AssociationId__1="eipassoc-0fedcba9876543210").code == \
        "InvalidAssociationID.NotFound"
    assert wire(world, "DisassociateNatGatewayAddress", NatGatewayId=nat,
                AssociationId__1=bound[more[0]]).status == 200
    assert [entry["AllocationId"] for entry in read(world, nat)["NatGatewayAddresses"]] == [
        shown[0]["AllocationId"], more[1]]
    world.ec2.release_address(AllocationId=more[0])
    world.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert wire(world, "AssociateNatGatewayAddress", NatGatewayId=nat,
                AllocationId__1=more[1]).code == "IncorrectState"
