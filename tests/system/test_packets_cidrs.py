"""Further blocks of a VPC, by packets: within it, to the Internet, and through a peering."""
import subprocess
import types

import pytest

from lib import assert_kernel_agrees, environment, namespaces, refused

ANY = "0.0.0.0/0"


@pytest.fixture(scope="module")
def lab(world):
    """
    A: 10.1/16 a, 10.2/16 a2, 10.3.0/24 a3 (one subnet as large as its block); an internet gateway
    B: 10.5/16 b, 10.6/16 b2                               peered with A, routes for every block
    """
    here = types.SimpleNamespace(ec2=world.ec2, blocks={}, subnets={})
    here.a_vpc, here.b_vpc = world.open_vpc("10.1.0.0/16"), world.open_vpc("10.5.0.0/16")
    gateway = world.gateway(here.a_vpc)
    here.a_table, here.b_table = (world.main_table(vpc)["RouteTableId"]
                                  for vpc in (here.a_vpc, here.b_vpc))
    here.ec2.create_route(RouteTableId=here.a_table, DestinationCidrBlock=ANY, GatewayId=gateway)
    launch(world, here, "a", "10.1.1.0/24")
    launch(world, here, "b", "10.5.1.0/24")
    # the world is running when the blocks come
    here.peering = world.peering(here.a_vpc, here.b_vpc)
    for vpc, cidr in (("a", "10.2.0.0/16"), ("a", "10.3.0.0/24"), ("b", "10.6.0.0/16")):
        associate(here, vpc, cidr)
    for name, cidr in (("a2", "10.2.1.0/24"), ("a3", "10.3.0.0/24"), ("b2", "10.6.1.0/24")):
        launch(world, here, name, cidr)
    for table, cidrs in ((here.a_table, ("10.5.0.0/16", "10.6.0.0/16")),
                         (here.b_table, ("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/24"))):
        for cidr in cidrs:
            here.ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr,
                                  VpcPeeringConnectionId=here.peering)
    return here


def associate(lab, name, cidr):
    vpc = getattr(lab, f"{name[0]}_vpc")
    lab.blocks[cidr] = lab.ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=cidr)[
        "CidrBlockAssociation"]["AssociationId"]


def disassociate(lab, cidr):
    lab.ec2.disassociate_vpc_cidr_block(AssociationId=lab.blocks.pop(cidr))


def launch(world, lab, name, cidr):
    """An instance at .10 of a new subnet; of A's with a public address."""
    subnet = world.subnet(getattr(lab, f"{name[0]}_vpc"), cidr)
    address = cidr.rsplit(".", 1)[0] + ".10"
    instance, = world.run_instances(subnet, address=address, public=name[0] == "a")
    lab.subnets[name] = subnet
    setattr(lab, name, instance)
    setattr(lab, f"{name}_address", address)


def terminate(world, lab, name):
    instance = getattr(lab, name)
    lab.ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    lab.ec2.delete_subnet(SubnetId=lab.subnets.pop(name))


def assert_talk(world, lab, one, other, kind="tcp"):
    """By true addresses, in both directions."""
    for client, server in ((one, other), (other, one)):
        address, source = getattr(lab, f"{server}_address"), getattr(lab, f"{client}_address")
        assert world.talk(getattr(lab, server), getattr(lab, client), address, kind=kind) == {
            "server_saw": source, "client_saw": address, "client_is": source}


# Within the VPC.

@pytest.mark.parametrize("one, other", [("a", "a2"), ("a", "a3"), ("a2", "a3")])
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_across_blocks(world, lab, one, other, kind):
    assert_talk(world, lab, one, other, kind)


@pytest.mark.parametrize("address", ["10.2.1.77", "10.2.1.1", "10.2.9.10", "10.3.0.77",
                                     "10.2.255.255"])
def test_unused_addresses_are_silent(world, lab, address):
    """Nobody's, a router's, outside of every subnet; asked from each block and from the peer."""
    for client in (lab.a, lab.b) if address == "10.2.1.1" else (lab.a, lab.a2, lab.b):
        world.assert_silent(client, address)


def test_no_hop_and_jumbo_frames(world, lab):
    world.assert_reaches(lab.a, lab.a2_address, options=f"-t 1 -M do -s {9001 - 28}")


# The Internet.

@pytest.mark.parametrize("name", ["a", "a2", "a3"])
def test_to_the_internet_and_back(world, lab, name):
    host, public = world.internet_address(), world.public(getattr(lab, name))
    seen = world.talk("internet", getattr(lab, name), host)
    assert seen == {"server_saw": public, "client_saw": host,
                    "client_is": getattr(lab, f"{name}_address")}
    assert world.talk(getattr(lab, name), "internet", public)["server_saw"] == host


def test_a_block_takes_what_the_internet_had(world, lab):
    """
    The host's own network becomes the VPC's: its addresses are unused ones of the VPC, though
    0.0.0.0/0 leads to the gateway. When the block goes, the Internet is back.
    """
    host = world.internet_address()
    network = host.rsplit(".", 1)[0] + ".0/24"
    world.assert_reaches(lab.a2, host)
    associate(lab, "a", network)
    for client in (lab.a, lab.a2, lab.a3):
        world.assert_silent(client, host)
    world.assert_reaches(lab.a, lab.a2_address)
    disassociate(lab, network)
    for client in (lab.a, lab.a2, lab.a3):
        world.assert_reaches(client, host)


# The peering.

@pytest.mark.parametrize("one", ["a", "a2", "a3"])
@pytest.mark.parametrize("other", ["b", "b2"])
def test_through_the_peering(world, lab, one, other):
    assert_talk(world, lab, one, other)


def test_the_peers_routes_are_the_users(world, lab):
    """A block more makes no route in the peer's tables."""
    lab.ec2.delete_route(RouteTableId=lab.b_table, DestinationCidrBlock="10.2.0.0/16")
    world.assert_silent(lab.b, lab.a2_address)
    world.assert_silent(lab.a2, lab.b_address)
    world.assert_reaches(lab.b, lab.a_address)
    world.assert_reaches(lab.b, lab.a3_address)
    lab.ec2.create_route(RouteTableId=lab.b_table, DestinationCidrBlock="10.2.0.0/16",
                         VpcPeeringConnectionId=lab.peering)
    world.assert_reaches(lab.b, lab.a2_address)


# Groups and ACLs.

def test_a_reference_matches_members_in_every_block(world, lab):
    group = world.security_group(lab.a_vpc, "door")
    lab.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{
        "IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": world.default_group(lab.a_vpc)}]}])
    interface = world.instance(lab.a2)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    modify = lab.ec2.modify_network_interface_attribute
    modify(NetworkInterfaceId=interface, Groups=[group])
    world.assert_reaches(lab.a, lab.a2_address)
    world.assert_reaches(lab.a3, lab.a2_address)
    world.assert_silent(lab.b, lab.a2_address)
    modify(NetworkInterfaceId=interface, Groups=[world.default_group(lab.a_vpc)])
    lab.ec2.delete_security_group(GroupId=group)
    world.assert_reaches(lab.b, lab.a2_address)


def test_acls_by_block(world, lab):
    acl = lab.ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [lab.a_vpc]}])["NetworkAcls"][0]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 10, "Egress": False}
    lab.ec2.create_network_acl_entry(**entry, Protocol="-1", RuleAction="deny",
                                     CidrBlock="10.2.0.0/16")
    for client, address in ((lab.a2, lab.a_address), (lab.a, lab.a2_address),
                            (lab.a2, lab.a3_address)):
        world.assert_silent(client, address)
    for client, address in ((lab.a, lab.a3_address), (lab.a2, lab.b_address)):
        world.assert_reaches(client, address)
    lab.ec2.delete_network_acl_entry(**entry)
    world.assert_reaches(lab.a2, lab.a_address)


# An appliance.

def test_a_block_led_to_an_appliance(world, lab):
    """The local route of the second block leads by a3: nothing else arrives."""
    interface = world.instance(lab.a3)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    table = world.route_table(lab.a_vpc, subnet=lab.subnets["a"])
    world.assert_reaches(lab.a, lab.a2_address)
    lab.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.2.0.0/16",
                          NetworkInterfaceId=interface)
    world.assert_silent(lab.a, lab.a2_address)  # its check is on, and it forwards nothing
    world.assert_reaches(lab.a, lab.a3_address)
    lab.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.2.0.0/16", LocalTarget=True)
    world.assert_reaches(lab.a, lab.a2_address)
    association, = lab.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0][
        "Associations"]
    lab.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    lab.ec2.delete_route_table(RouteTableId=table)


# Time passes.

def reaches_all(world, lab):
    for client, server in (("a", "a2"), ("a2", "a3"), ("a2", "b2"), ("b", "a3"), ("b2", "a")):
        world.assert_reaches(getattr(lab, client), getattr(lab, f"{server}_address"))
    world.assert_reaches(lab.a2, world.internet_address())


def test_after_a_restart(world, lab):
    mended = world.log_tail().count("mended")
    world.restart()
    lab.ec2 = world.ec2
    reaches_all(world, lab)
    assert_kernel_agrees(world)
    assert world.log_tail().count("mended") == mended, world.log_tail()


def ip(namespace, *words):
    return subprocess.run(["ip", "-n", namespace, *words], check=True, capture_output=True,
                          text=True, env=environment()).stdout


def mentions(text):
    """The namespaces with an address, a route or a neighbour of that text."""
    return {namespace for namespace in namespaces()
            for words in (("address",), ("route", "show", "table", "all"), ("neighbour",))
            if text in ip(namespace, *words)}


def test_a_block_that_goes(world, lab):
    """The last test: after a restart, so that nothing depends on what the daemon remembers."""
    refused("InvalidCidrBlock.InUse", lab.ec2.disassociate_vpc_cidr_block,
            AssociationId=lab.blocks["10.2.0.0/16"])
    reaches_all(world, lab)
    assert {lab.subnets["a"], lab.subnets["b"], lab.peering} < mentions("10.2.")
    terminate(world, lab, "a2")
    disassociate(lab, "10.2.0.0/16")
    lab.ec2.delete_route(RouteTableId=lab.b_table, DestinationCidrBlock="10.2.0.0/16")
    assert mentions("10.2.") == set()
    # its neighbours on either side are still there, for the peer too
    assert_talk(world, lab, "a", "b")
    assert_talk(world, lab, "a3", "b2")
    world.assert_silent(lab.a, "10.2.1.10")
    # and it can come back
    associate(lab, "a", "10.2.0.0/16")
    launch(world, lab, "a2", "10.2.1.0/24")
    lab.ec2.create_route(RouteTableId=lab.b_table, DestinationCidrBlock="10.2.0.0/16",
                         VpcPeeringConnectionId=lab.peering)
    reaches_all(world, lab)
