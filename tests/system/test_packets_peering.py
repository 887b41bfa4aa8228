"""VPC peering, by packets that arrive or are lost: rows 34 to 40 and 67."""
import contextlib
import json
import subprocess
import types

import pytest

from lib import environment, names, namespaces, refused

ANY = "0.0.0.0/0"
MTU = 9001
HEADERS = 28  # of an ICMP echo

# An ICMP echo request from whatever address.
FORGE = """
import socket, struct, sys
source, destination = map(socket.inet_aton, sys.argv[1:3])
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
icmp = struct.pack('!BBHHH', 8, 0, 0, 7, 1)
icmp = icmp[:2] + struct.pack('!H', checksum(icmp)) + icmp[4:]
head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(icmp), 0, 0, 64, 1, 0, source, destination)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
for _ in range(3):
    s.sendto(head + icmp, (sys.argv[2], 0))
"""


@pytest.fixture(scope="module")
def lab(world):
    """
    a, a2 --- A 10.1/16 ---AB--- B 10.2/16 ---BC--- C 10.3/16 --- c      routes everywhere
                                 b, b2, an internet gateway
    """
    here = types.SimpleNamespace(ec2=world.ec2, vpcs={}, tables={}, groups={}, subnets={})
    for number, name in enumerate("abc", 1):
        vpc = world.open_vpc(f"10.{number}.0.0/16")
        here.vpcs[name], here.groups[name] = vpc, world.default_group(vpc)
        here.tables[name] = world.main_table(vpc)["RouteTableId"]
        for index, suffix in ((1, ""), (2, "2")):
            subnet = here.subnets[name + suffix] = world.subnet(vpc, f"10.{number}.{index}.0/24")
            address = f"10.{number}.{index}.10"
            public = name == "b"
            instance, = world.run_instances(subnet, address=address, public=public)
            setattr(here, name + suffix, instance)
            setattr(here, f"{name}{suffix}_address", address)
    gateway = world.gateway(here.vpcs["b"])
    route(here, "b", ANY, GatewayId=gateway)
    here.ab = world.peering(here.vpcs["a"], here.vpcs["b"])
    here.bc = world.peering(here.vpcs["b"], here.vpcs["c"])
    for name, cidr, peering in (("a", "10.2.0.0/16", here.ab), ("b", "10.1.0.0/16", here.ab),
                                ("b", "10.3.0.0/16", here.bc), ("c", "10.2.0.0/16", here.bc)):
        route(here, name, cidr, VpcPeeringConnectionId=peering)
    return here


def route(lab, name, cidr, **target):
    lab.ec2.create_route(RouteTableId=lab.tables[name], DestinationCidrBlock=cidr, **target)


@contextlib.contextmanager
def routed(lab, name, cidr, **target):
    route(lab, name, cidr, **target)
    yield
    lab.ec2.delete_route(RouteTableId=lab.tables[name], DestinationCidrBlock=cidr)


@contextlib.contextmanager
def unrouted(lab, name, cidr, peering):
    lab.ec2.delete_route(RouteTableId=lab.tables[name], DestinationCidrBlock=cidr)
    yield
    route(lab, name, cidr, VpcPeeringConnectionId=peering)


def echoes(world, instance):
    """Echo requests that an instance has got."""
    lines = world.exec(instance, "cat /proc/net/snmp").splitlines()
    heads, values = [line.split() for line in lines if line.startswith("Icmp:")]
    return int(dict(zip(heads, values))["InEchos"])


def packets(peering):
    """What has come in and gone out by each side of a peering."""
    done = subprocess.run(["ip", "-n", peering, "-s", "-j", "link"], check=True, text=True,
                          capture_output=True, env=environment())
    return {f"{entry['ifname']} {way}": entry["stats64"][way]["packets"]
            for entry in json.loads(done.stdout) for way in ("rx", "tx")
            if entry["ifname"] != "lo"}


@contextlib.contextmanager
def dies_in(peering, came_by):
    """What is sent meanwhile gets into the peering, and doesn't get out."""
    before = packets(peering)
    yield
    grown = {name for name, count in packets(peering).items() if count != before[name]}
    assert grown == {f"{came_by} rx"}, (before, packets(peering))


@contextlib.contextmanager
def arrives_at(world, instance, arrives=True):
    before = echoes(world, instance)
    yield
    assert (echoes(world, instance) > before) == arrives


# 34: routes on both sides.

@pytest.mark.parametrize("one", ["a", "a2"])
@pytest.mark.parametrize("other", ["b", "b2"])
@pytest.mark.parametrize("kind", ["icmp", "tcp", "udp"])
def test_private_addresses_are_seen(world, lab, one, other, kind):
    for client, server in ((one, other), (other, one)):
        address, source = getattr(lab, f"{server}_address"), getattr(lab, f"{client}_address")
        if kind == "icmp":
            world.assert_reaches(getattr(lab, client), address)
            continue
        assert world.talk(getattr(lab, server), getattr(lab, client), address, kind=kind) == {
            "server_saw": source, "client_saw": address, "client_is": source}


def test_no_hop_and_jumbo_frames(world, lab):
    world.assert_reaches(lab.a, lab.b_address, options="-t 1")
    world.assert_reaches(lab.a, lab.b_address, options=f"-M do -s {MTU - HEADERS}")


@pytest.mark.parametrize("address", ["10.2.1.77", "10.2.1.1", "10.2.9.10"])
def test_unused_addresses_are_silent(world, lab, address):
    """Nobody's, a router's, outside of every subnet."""
    world.assert_silent(lab.a, address)


def test_a_narrower_route_is_enough(world, lab):
    with unrouted(lab, "a", "10.2.0.0/16", lab.ab):
        with routed(lab, "a", "10.2.2.0/24", VpcPeeringConnectionId=lab.ab):
            world.assert_reaches(lab.a, lab.b2_address)
            with arrives_at(world, lab.b, False):
                world.assert_silent(lab.a, lab.b_address)


@pytest.mark.parametrize("side, egress", [("a", True), ("b", False), ("a", False), ("b", True)])
def test_acls_of_both_sides(world, lab, side, egress):
    """a asks b: which ACL drops what, and so whether the request still arrives."""
    arrives = (side, egress) not in (("a", True), ("b", False))
    acl = lab.ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [lab.vpcs[side]]}])["NetworkAcls"][0]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 10, "Egress": egress}
    lab.ec2.create_network_acl_entry(**entry, Protocol="-1", RuleAction="deny",
                                     CidrBlock="10.2.0.0/16" if side == "a" else "10.1.0.0/16")
    with arrives_at(world, lab.b, arrives):
        world.assert_silent(lab.a, lab.b_address)
    lab.ec2.delete_network_acl_entry(**entry)
    world.assert_reaches(lab.a, lab.b_address)


@contextlib.contextmanager
def in_group(world, lab, name, group):
    """One of the instances has that group alone."""
    interface = world.instance(getattr(lab, name))["NetworkInterfaces"][0]["NetworkInterfaceId"]
    modify = lab.ec2.modify_network_interface_attribute
    modify(NetworkInterfaceId=interface, Groups=[group])
    yield
    modify(NetworkInterfaceId=interface, Groups=[lab.groups[name[0]]])


def test_groups_of_both_sides(world, lab):
    closed = {name: world.security_group(lab.vpcs[name], "closed") for name in "ab"}
    lab.ec2.revoke_security_group_egress(
        GroupId=closed["a"], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY}]}])
    for name in "ab":
        with in_group(world, lab, name, closed[name]):
            with arrives_at(world, lab.b, False):
                world.assert_silent(lab.a, lab.b_address)
        world.assert_reaches(lab.a, lab.b_address)
        lab.ec2.delete_security_group(GroupId=closed[name])


# 35: no way back.

@pytest.mark.parametrize("client, server, cidr", [("a", "b", "10.1.0.0/16"),
                                                  ("b", "a", "10.2.0.0/16")])
def test_no_return_route(world, lab, client, server, cidr):
    with unrouted(lab, server, cidr, lab.ab):
        with arrives_at(world, getattr(lab, server)):
            world.assert_silent(getattr(lab, client), getattr(lab, f"{server}_address"))
    world.assert_reaches(getattr(lab, client), getattr(lab, f"{server}_address"))


# 36: no transit.

def test_no_transit(world, lab):
    """A and C both reach B, and route to each other through it."""
    world.assert_reaches(lab.a, lab.b_address)
    world.assert_reaches(lab.c, lab.b_address)
    with routed(lab, "a", "10.3.0.0/16", VpcPeeringConnectionId=lab.ab), \
            routed(lab, "c", "10.1.0.0/16", VpcPeeringConnectionId=lab.bc), \
            arrives_at(world, lab.c, False), arrives_at(world, lab.a, False):
        with dies_in(lab.ab, "requester"):
            world.assert_silent(lab.a, lab.c_address)
        with dies_in(lab.bc, "accepter"):
            world.assert_silent(lab.c, lab.a_address)


def test_nor_through_an_appliance(world, lab):
    """An instance of B that passes on what is not its own: the peering looks at the source."""
    def forge(source):
        world.exec(lab.b, ["python3", "-c", FORGE, source, lab.a_address])
    lab.ec2.modify_instance_attribute(InstanceId=lab.b, SourceDestCheck={"Value": False})
    with arrives_at(world, lab.a):
        forge("10.2.200.200")  # of B's block, and nobody's
    for source in (lab.c_address, lab.a2_address, "203.0.113.9"):
        with arrives_at(world, lab.a, False), dies_in(lab.ab, "accepter"):
            forge(source)
    lab.ec2.modify_instance_attribute(InstanceId=lab.b, SourceDestCheck={"Value": True})


# 37: no edge to edge.

def test_no_way_through_the_peers_gateway(world, lab):
    internet = world.internet_address()
    world.assert_reaches(lab.b, internet)
    with routed(lab, "a", ANY, VpcPeeringConnectionId=lab.ab), dies_in(lab.ab, "requester"):
        world.assert_silent(lab.a, internet)
        world.assert_silent(lab.a, world.public(lab.b))


# 38: not active.

def test_only_while_it_is_active(world, lab):
    ends = (lab.vpcs["a"], lab.vpcs["c"])
    waiting = world.peering(*ends, accept=False)
    with routed(lab, "a", "10.3.0.0/16", VpcPeeringConnectionId=waiting), \
            routed(lab, "c", "10.1.0.0/16", VpcPeeringConnectionId=waiting):
        with arrives_at(world, lab.c, False):
            world.assert_silent(lab.a, lab.c_address)
        lab.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=waiting)
        for client, address in ((lab.a, lab.c_address), (lab.c, lab.a_address)):
            world.assert_reaches(client, address)
        world.assert_reaches(lab.a, lab.b_address)
        lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=waiting)
        assert waiting not in namespaces()
        with arrives_at(world, lab.c, False):
            world.assert_silent(lab.a, lab.c_address)
        world.assert_reaches(lab.a, lab.b_address)


def test_a_subnet_that_comes_later(world, lab):
    subnet = world.subnet(lab.vpcs["b"], "10.2.3.0/24")
    late, = world.run_instances(subnet, address="10.2.3.10")
    world.assert_reaches(lab.a, "10.2.3.10")
    world.assert_reaches(late, lab.a_address)
    lab.ec2.terminate_instances(InstanceIds=[late])
    world.await_state("terminated", late)
    lab.ec2.delete_subnet(SubnetId=subnet)
    world.assert_silent(lab.a, "10.2.3.10")


# 39 and 40: references to groups.

def permission(group):
    return [{"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1,
             "UserIdGroupPairs": [{"GroupId": group}]}]


def test_references_to_the_peers_group(world, lab):
    friends = world.security_group(lab.vpcs["a"], "friends")
    lab.ec2.authorize_security_group_ingress(GroupId=friends, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY}]}])
    door = world.security_group(lab.vpcs["b"], "door")
    lab.ec2.authorize_security_group_ingress(GroupId=door, IpPermissions=permission(friends))
    with in_group(world, lab, "b", door):
        with in_group(world, lab, "a", friends):
            world.assert_reaches(lab.a, lab.b_address)
            world.assert_silent(lab.a2, lab.b_address)  # not of the group
            world.assert_silent(lab.c, lab.b_address)
            launched, = world.run_instances(lab.subnets["a2"], SecurityGroupIds=[friends])
            world.assert_reaches(launched, lab.b_address)
            lab.ec2.terminate_instances(InstanceIds=[launched])
            world.await_state("terminated", launched)
        world.assert_silent(lab.a, lab.b_address)
        lab.ec2.delete_security_group(GroupId=friends)  # the rule is stale
        world.assert_silent(lab.a, lab.b_address)
    lab.ec2.delete_security_group(GroupId=door)


def test_a_reference_counts_while_the_peering_does(world, lab):
    """The reply of a2 is let in by reference alone: a2 asks, and then nobody."""
    door = world.security_group(lab.vpcs["c"], "door")
    ends = (lab.vpcs["c"], lab.vpcs["a"])
    first = world.peering(*ends)
    lab.ec2.authorize_security_group_ingress(GroupId=door,
                                             IpPermissions=permission(lab.groups["a"]))
    for peering in (first, None):
        peering = peering or world.peering(*ends)  # the rule is good again
        with in_group(world, lab, "c", door), \
                routed(lab, "a", "10.3.0.0/16", VpcPeeringConnectionId=peering), \
                routed(lab, "c", "10.1.0.0/16", VpcPeeringConnectionId=peering):
            world.assert_reaches(lab.a, lab.c_address)
            lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
            world.assert_silent(lab.a, lab.c_address)
            stale = lab.ec2.describe_stale_security_groups(VpcId=lab.vpcs["c"])
            assert names(stale["StaleSecurityGroupSet"], "GroupId") == [door]
    lab.ec2.delete_security_group(GroupId=door)


def test_across_regions(world, lab):
    """Packets pass by address; a group of another region can't be named."""
    far = world.default_instance("eu-west-1", "172.31.0.99")
    europe = world.client(region="eu-west-1")
    peering = world.peering(lab.vpcs["a"], far["VpcId"], accept=False, PeerRegion="eu-west-1")
    europe.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    table = europe.describe_route_tables(Filters=[
        {"Name": "vpc-id", "Values": [far["VpcId"]]}])["RouteTables"][0]["RouteTableId"]
    europe.create_route(RouteTableId=table, DestinationCidrBlock="10.1.0.0/16",
                        VpcPeeringConnectionId=peering)
    with routed(lab, "a", "172.31.0.0/16", VpcPeeringConnectionId=peering):
        assert world.talk(far["InstanceId"], lab.a, "172.31.0.99") == {
            "server_saw": lab.a_address, "client_saw": "172.31.0.99", "client_is": lab.a_address}
        refused("InvalidGroup.NotFound", europe.authorize_security_group_ingress,
                GroupId=world.default_group(far["VpcId"], europe),
                IpPermissions=permission(lab.groups["a"]))
        europe.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
        world.assert_silent(lab.a, "172.31.0.99")


# 67: overlapping blocks.

def test_equal_blocks_side_by_side(world, lab):
    twin = world.open_vpc("10.1.0.0/16")
    subnet = world.subnet(twin, "10.1.1.0/24")
    same, = world.run_instances(subnet, address=lab.a_address)
    other, = world.run_instances(subnet, address="10.1.1.77")
    for ends in ((twin, lab.vpcs["a"]), (lab.vpcs["a"], twin)):
        peering = world.peering(*ends, accept=False)
        found, = lab.ec2.describe_vpc_peering_connections(
            VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"]
        assert found["Status"]["Code"] == "failed"
    world.assert_silent(lab.a, "10.1.1.77")
    world.assert_reaches(same, "10.1.1.77")
    with arrives_at(world, same, False), arrives_at(world, lab.a):
        world.assert_reaches(lab.b, lab.a_address)
    # B may be peered with one of them; the other's route back leads to nobody else.
    second = world.peering(lab.vpcs["b"], twin)
    lab.ec2.create_route(RouteTableId=world.main_table(twin)["RouteTableId"],
                         DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=second)
    with arrives_at(world, lab.b):
        world.assert_silent(other, lab.b_address)
    lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=second)
    world.assert_reaches(lab.a, lab.b_address)
