"""NAT gateways, by packets: rows 24 to 31, 33, 57, 58 and 61, and what becomes of their state."""
import contextlib
import json
import subprocess
import time
import types

import pytest

from agents import Agent
from lib import INTERNET, environment, read_line, wait_for
from packets import ICMP, TCP, UDP, packet, probe
from wire import form, send, signed

ANY = "0.0.0.0/0"
BLOCKS = {"public": "10.1.0.0/24", "a": "10.1.1.0/24", "b": "10.1.2.0/24", "c": "10.1.3.0/24"}
PORTS = 55_000
GRE, ESP, SCTP = 47, 50, 132


@pytest.fixture(scope="module")
def lab(world):
    """
    a --- NAT one                    c --- NAT two, which is private
                  > public subnet --- internet gateway
    b --- NAT two                    a peered VPC with q, whose way out is the peering
    """
    here = types.SimpleNamespace(world=world, internet=world.internet_address(), addresses={})
    here.vpc = world.open_vpc("10.1.0.0/16")
    here.gateway = world.gateway(here.vpc)
    here.subnets = {name: world.subnet(here.vpc, block) for name, block in BLOCKS.items()}
    here.tables = {name: world.route_table(here.vpc, subnet)
                   for name, subnet in here.subnets.items()}
    route(here, "public", GatewayId=here.gateway)
    here.one, here.two = (nat_gateway(here, "public") for _ in range(2))
    here.private = nat_gateway(here, "public", public=False)
    for name, nat in (("a", here.one), ("b", here.two), ("c", here.private)):
        route(here, name, NatGatewayId=nat)
    for name in "abc":
        setattr(here, name, world.run_instances(here.subnets[name])[0])
    here.front, = world.run_instances(here.subnets["public"], public=True)
    return here


def route(lab, name, cidr=ANY, **target):
    lab.world.ec2.create_route(RouteTableId=lab.tables[name], DestinationCidrBlock=cidr, **target)


def replace(lab, name, cidr=ANY, **target):
    lab.world.ec2.replace_route(RouteTableId=lab.tables[name], DestinationCidrBlock=cidr, **target)


def nat_gateway(lab, name, public=True):
    """An available one; its private and public addresses are in lab.addresses."""
    more = {"ConnectivityType": "private"}
    if public:
        more = {"AllocationId": lab.world.ec2.allocate_address(Domain="vpc")["AllocationId"]}
    made = lab.world.ec2.create_nat_gateway(SubnetId=lab.subnets[name], **more)["NatGateway"]
    assert made["State"] == "pending"
    found, = lab.world.ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"]
    assert found["State"] == "available"
    address, = found["NatGatewayAddresses"]
    lab.addresses[made["NatGatewayId"]] = (address["PrivateIp"], address.get("PublicIp"))
    return made["NatGatewayId"]


def delete(lab, nat):
    """It goes, and its addresses are given back."""
    found, = lab.world.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    lab.world.ec2.delete_nat_gateway(NatGatewayId=nat)
    for address in found["NatGatewayAddresses"]:
        lab.world.ec2.release_address(AllocationId=address["AllocationId"])


def inside(namespace, *command):
    """A command in the namespace of a NAT gateway, which has no process of its own."""
    return subprocess.run(["ip", "netns", "exec", namespace, *command], check=True, text=True,
                          capture_output=True, env=environment()).stdout


def counts(world, nat):
    listed = json.loads(world.run("ps", "--nat", "-o", "json").stdout)
    return next(row for row in listed if row["natGatewayId"] == nat)


# 24: from a private subnet to the Internet.

@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("name", ["a", "b"])
def test_the_internet_sees_the_elastic_ip(world, lab, name, kind):
    nat = lab.one if name == "a" else lab.two
    talk = world.talk(INTERNET, getattr(lab, name), lab.internet, kind)
    assert talk == {"server_saw": lab.addresses[nat][1], "client_saw": lab.internet,
                    "client_is": world.private(getattr(lab, name))}


def test_echoes_pass_too(world, lab):
    for name in "ab":
        world.assert_reaches(getattr(lab, name), lab.internet)


def test_a_neighbours_public_address_sees_the_elastic_ip(world, lab):
    """21, by way of a NAT gateway: out and back in by the internet gateway."""
    talk = world.talk(lab.front, lab.a, world.public(lab.front))
    assert talk["server_saw"] == lab.addresses[lab.one][1]


def test_within_the_vpc_nothing_is_translated(world, lab):
    talk = world.talk(lab.b, lab.a, world.private(lab.b))
    assert talk["server_saw"] == world.private(lab.a)


# 25: from the Internet, unasked.

def test_what_nobody_asked_for_is_dropped(world, lab):
    private, public = lab.addresses[lab.one]
    world.assert_silent(INTERNET, public)
    world.assert_silent(lab.a, private)  # nor does it answer within the VPC
    assert world.talk(lab.a, INTERNET, public) is None
    before = counts(world, lab.one)
    for kind in ("tcp", "udp"):
        assert world.talk(lab.a, INTERNET, public, kind) is None
    assert counts(world, lab.one)["connections"] <= before["connections"]


def test_only_who_was_asked_may_answer(world, lab):
    """A port in use by one flow is no way in for another host or port."""
    agent, outside = agents(world, lab)
    with contextlib.closing(agent), contextlib.closing(outside):
        agent.send(probe(agent.address, lab.internet, UDP, "out", 5000, 6000, direction="o"))
        seen = heard(outside, "out")
        assert seen.source == lab.addresses[lab.one][1]
        for port in (6001, 6000):
            outside.send(udp_probe(lab.internet, seen.source, port, seen.ports[0], f"in{port}"))
        assert [found.tag for found in hear_all(agent)] == ["in6000"]


def agents(world, lab, deaf=True):
    """One in instance a and one on the Internet."""
    here = Agent(world.command("exec", lab.a, "--"), world.private(lab.a), deaf)
    return here, Agent(world.command("internet", "exec", "--"), lab.internet, deaf)


def udp_probe(source, target, first, second, tag):
    return probe(source, target, UDP, tag, first, second, direction="o")


def hear_all(agent, quiet=0.3):
    time.sleep(quiet)
    return [seen for seen in agent.heard() if seen.tag]


def heard(agent, tag):
    found = []

    def arrived():
        found.extend(seen for seen in agent.heard() if seen.tag == tag)
        return found
    return wait_for(arrived, 3, f"probe {tag}")[0]


# 26: idle for too long.

TIMERS = ["tcp_timeout_established", "tcp_timeout_max_retrans", "tcp_timeout_unacknowledged",
          "udp_timeout", "udp_timeout_stream", "icmp_timeout"]

# Connects, says a word, waits to be told, and says another one.
IDLER = """
import socket, sys
s = socket.create_connection((sys.argv[1], 7070), 5)
s.sendall(b"one"); assert s.recv(10) == b"ok"
print("connected", flush=True); sys.stdin.readline()
s.sendall(b"two")
try:
    print("answer" if s.recv(10) else "end", flush=True)
except ConnectionResetError:
    print("reset", flush=True)
except TimeoutError:
    print("silence", flush=True)
"""

LISTENER = """
import socket
s = socket.create_server(("", 7070)); print("ready", flush=True)
peer, _ = s.accept(); peer.recv(10); peer.sendall(b"ok"); peer.settimeout(15)
try:
    print("heard", peer.recv(10), flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
"""


def timers(nat, *names):
    directory = "/proc/sys/net/netfilter/nf_conntrack_"
    return [int(line) for line in inside(nat, "cat", *(directory + name for name in names)).split()]


def test_idle_flows_live_for_350_seconds(lab):
    for nat in (lab.one, lab.private):
        assert timers(nat, *TIMERS) == [350] * len(TIMERS)


def test_after_that_the_inside_gets_a_reset(world, lab):
    listener = world.spawn(INTERNET, ["python3", "-c", LISTENER])
    assert read_line(listener, 15, "listener") == "ready"
    path = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"
    try:
        inside(lab.one, "sh", "-c", f"echo 2 > {path}")  # 350 in a hurry
        idler = world.spawn(lab.a, ["python3", "-c", IDLER, lab.internet], stdin=subprocess.PIPE)
        assert read_line(idler, 15, "idler") == "connected"
        gone = "dport=7070 "
        wait_for(lambda: gone not in inside(lab.one, "cat", "/proc/net/nf_conntrack"), 10,
                 "the end of the flow")
        idler.stdin.write(b"\n")
        assert read_line(idler, 15, "idler") == "reset"
    finally:
        inside(lab.one, "sh", "-c", f"echo 350 > {path}")
        listener.terminate()
        listener.wait(10)


def test_a_flow_in_use_goes_on_across_a_restart(world, lab):
    listener = world.spawn(INTERNET, ["python3", "-c", LISTENER])
    assert read_line(listener, 15, "listener") == "ready"
    idler = world.spawn(lab.a, ["python3", "-c", IDLER, lab.internet], stdin=subprocess.PIPE)
    assert read_line(idler, 15, "idler") == "connected"
    world.restart()
    idler.stdin.write(b"\n")
    assert read_line(listener, 15, "listener") == "heard b'two'"


# 27: TCP, UDP and ICMP only; of fragments only UDP's.

def test_other_protocols_are_dropped(world, lab):
    agent, outside = agents(world, lab)
    with contextlib.closing(agent), contextlib.closing(outside):
        for protocol, tag in ((GRE, "gre"), (ESP, "esp"), (SCTP, "sctp"), (UDP, "udp")):
            agent.send(probe(agent.address, lab.internet, protocol, tag, 4000, 4001, "o"))
        assert {seen.tag for seen in hear_all(outside)} == {"udp"}


def test_of_fragments_only_those_of_udp_pass(world, lab):
    """The control is whole."""
    agent, outside = agents(world, lab)
    with contextlib.closing(agent), contextlib.closing(outside):
        for protocol, second in ((UDP, 4003), (TCP, 4003), (ICMP, (8, 0))):
            whole = probe(agent.address, lab.internet, protocol, "pieces", 4002, second, "o")
            agent.send(whole, *fragments(whole))
        time.sleep(0.3)
        found = sorted((seen.protocol, seen.fragment & 0x3fff != 0) for seen in outside.heard()
                       if seen.source == lab.addresses[lab.one][1])
    assert found == [(ICMP, False), (TCP, False), (UDP, False), (UDP, True), (UDP, True)]


def fragments(whole):
    """The packet in two: 16 bytes of payload, and the rest."""
    source, target = (".".join(map(str, whole[at:at + 4])) for at in (12, 16))
    pieces = ((0x2000, whole[20:36]), (2, whole[36:]))
    return [packet(source, target, whole[9], payload, fragment=fragment, ident=77)
            for fragment, payload in pieces]


# 28: no port is left.

# A UDP packet from each of many ports to one port of one address. Every 250 wait for an echo that
# goes after them: what a busy kernel leaves to ksoftirqd it queues, and of 1,000 it drops the rest.
FLOOD = """
import socket, struct, sys
target, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.connect((target, 0))
echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
echo.setsockopt(255, 1, struct.pack("I", 0xfffffffe))  # SOL_RAW, ICMP_FILTER: all but replies
echo.connect((target, 0))
for port in range(first, last):
    raw.send(struct.pack("!HHHH", port, 9999, 8, 0))
    if port % 250 == 0:
        total = 0x0800 + port
        echo.send(struct.pack("!BBHHH", 8, 0, ~(total + (total >> 16)) & 0xffff, 0, port))
        echo.recv(100)
"""


def test_each_destination_has_55000_ports(world, lab):
    nat = nat_gateway(lab, "public")
    replace(lab, "a", NatGatewayId=nat)
    try:
        world.exec(INTERNET, ["sh", "-c", "echo 0 > /proc/sys/net/ipv4/icmp_ratemask; "
                              "echo 1000000 > /proc/sys/net/ipv4/icmp_ratelimit"])
        world.exec(lab.a, ["python3", "-c", FLOOD, lab.internet, "1024", "51024"])
        before = counts(world, nat)
        assert (before["busiestConnections"], before["portErrors"]) == (50_000, 0)
        assert (before["busiestAddress"], before["busiestPort"], before["busiestProtocol"]) == (
            lab.internet, 9999, "udp")
        world.exec(lab.a, ["python3", "-c", FLOOD, lab.internet, "51024", "65536"])
        after = counts(world, nat)
        # The kernel tries a bounded number of times to find one of the last free ports.
        assert 0.99 * PORTS < after["busiestConnections"] <= PORTS, after
        assert after["portErrors"] == 65536 - 1024 - after["busiestConnections"], after
        # Another destination has its own ports, and so has another port of this one.
        assert world.talk(INTERNET, lab.a, lab.internet, "udp", 7001)
    finally:
        replace(lab, "a", NatGatewayId=lab.one)
        delete(lab, nat)


def test_connections_are_spread_over_its_addresses(world, lab):
    allocations = [lab.world.ec2.allocate_address(Domain="vpc") for _ in range(2)]
    reply = send(world, signed(world, form(
        "CreateNatGateway", SubnetId=lab.subnets["public"],
        AllocationId=allocations[0]["AllocationId"],
        SecondaryAllocationId__1=allocations[1]["AllocationId"])))
    assert reply.status == 200, reply.body
    nat = next(entry["NatGatewayId"] for entry in
               lab.world.ec2.describe_nat_gateways()["NatGateways"]
               if len(entry["NatGatewayAddresses"]) == 2)
    replace(lab, "a", NatGatewayId=nat)
    agent, outside = agents(world, lab)
    try:
        with contextlib.closing(agent), contextlib.closing(outside):
            for port in range(5100, 5164):
                agent.send(probe(agent.address, lab.internet, UDP, "s", port, 6000, "o"))
            seen = [found.source for found in hear_all(outside)]
        assert len(seen) == 64  # that one address gets all has a chance of 1 in 2^63
        assert set(seen) == {address["PublicIp"] for address in allocations}
    finally:
        replace(lab, "a", NatGatewayId=lab.one)
        delete(lab, nat)


# 29: a private NAT gateway has no way to the Internet.

def test_a_private_one_dies_at_the_internet_gateway(world, lab):
    world.assert_silent(lab.c, lab.internet)
    tracked = inside(lab.private, "cat", "/proc/net/nf_conntrack")
    assert f"src={world.private(lab.c)} dst={lab.internet}" in tracked  # so far it came


# 30: only for the VPC's own.

def test_a_peer_gets_nowhere(world, lab):
    vpc = world.open_vpc("10.2.0.0/16")
    subnet = world.subnet(vpc, "10.2.0.0/24")
    stranger, = world.run_instances(subnet)
    peering = world.peering(vpc, lab.vpc)
    table = world.main_table(vpc)["RouteTableId"]
    lab.world.ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY,
                         VpcPeeringConnectionId=peering)
    route(lab, "public", "10.2.0.0/16", VpcPeeringConnectionId=peering)
    world.assert_reaches(stranger, world.private(lab.front))
    world.assert_silent(stranger, lab.internet)
    # But a private one is a way to the peer: it sees the NAT gateway's private address.
    talk = world.talk(stranger, lab.c, world.private(stranger))
    assert talk["server_saw"] == lab.addresses[lab.private][0]


def test_a_foreign_source_is_dropped_there(world, lab):
    """An appliance forwards for others, but the NAT gateway is for the VPC's own addresses."""
    lab.world.ec2.modify_instance_attribute(InstanceId=lab.a, SourceDestCheck={"Value": False})
    agent, outside = agents(world, lab)
    try:
        with contextlib.closing(agent), contextlib.closing(outside):
            for source, tag in (("172.20.0.9", "foreign"), ("10.1.99.9", "own")):
                agent.send(udp_probe(source, lab.internet, 4010, 4011, tag))
            assert {seen.tag for seen in hear_all(outside)} == {"own"}
    finally:
        lab.world.ec2.modify_instance_attribute(InstanceId=lab.a, SourceDestCheck={"Value": True})


# 31: routes to one that is gone.

def test_deleting_one_cuts_off_its_subnets_alone(world, lab):
    nat = nat_gateway(lab, "public")
    replace(lab, "a", NatGatewayId=nat)
    for name in "ab":
        world.assert_reaches(getattr(lab, name), lab.internet)
    delete(lab, nat)
    world.assert_silent(lab.a, lab.internet)
    world.assert_reaches(lab.b, lab.internet)
    assert state(lab, "a") == ("blackhole", nat)
    replace(lab, "a", NatGatewayId=lab.one)
    world.assert_reaches(lab.a, lab.internet)
    assert state(lab, "a") == ("active", lab.one)


def state(lab, name):
    table, = lab.world.ec2.describe_route_tables(RouteTableIds=[lab.tables[name]])["RouteTables"]
    found, = [route for route in table["Routes"] if route["DestinationCidrBlock"] == ANY]
    return found["State"], found["NatGatewayId"]


# 33: the ACL of the NAT gateway's subnet, on both legs and in both directions.

OWN = "10.1.1.0/24"
OUT = "198.18.0.0/16"


@pytest.mark.parametrize("egress,block,request_arrives", [
    (False, OWN, False),  # from the instance
    (True, OUT, False),   # to the Internet
    (False, OUT, True),   # the reply, to the NAT gateway's port
    (True, OWN, True),    # the reply, to the instance's
], ids=["inside-in", "outside-out", "outside-in", "inside-out"])
@pytest.mark.parametrize("kind", ["tcp", "udp", "icmp"])
def test_the_acl_of_its_subnet_judges_both_legs(world, lab, egress, block, request_arrives, kind):
    acl, = lab.world.ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [lab.subnets["public"]]}])["NetworkAcls"]
    entry = {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": 50, "Egress": egress}
    agent, outside = agents(world, lab)
    number = {"tcp": TCP, "udp": UDP, "icmp": ICMP}[kind]
    second = (8, 0) if kind == "icmp" else 4020

    def ask(tag):
        agent.send(probe(agent.address, lab.internet, number, tag, 4021, second))
        arrived = [seen.tag for seen in hear_all(outside, 0.15) if seen.direction == "q"]
        answered = [seen.tag for seen in hear_all(agent, 0.05) if seen.direction == "r"]
        return tag in arrived, tag in answered

    with contextlib.closing(agent), contextlib.closing(outside):
        assert ask("before") == (True, True)
        lab.world.ec2.create_network_acl_entry(**entry, Protocol="-1", RuleAction="deny",
                                         CidrBlock=block)
        try:
            assert ask("denied") == (request_arrives, False)
        finally:
            lab.world.ec2.delete_network_acl_entry(**entry)
        assert ask("after") == (True, True)


# 57, 58: the way out has 1500 bytes.

def test_the_router_tells_what_fits(world, lab):
    whole = world.ping(lab.a, lab.internet, options="-M do -s 1472")
    assert whole.sent == whole.received > 0
    larger = world.ping(lab.a, lab.internet, options="-M do -s 1473")
    assert larger.received == 0
    assert any("1500" in error for error in larger.errors), larger


# 61: it is a hop, the routers are none.

def test_it_is_one_hop(world, lab):
    private, _ = lab.addresses[lab.one]
    first = world.ping(lab.a, lab.internet, count=1, options="-t 1")
    assert len(first.errors) == 1 and private in first.errors[0], first
    from_public = world.ping(lab.front, lab.internet, count=1, options="-t 1")
    beyond = world.ping(lab.a, lab.internet, count=1, options="-t 2")
    # What the public instance sees at its first hop is the second one here.
    assert bool(from_public.received) == bool(beyond.received)
    assert [strip(error) for error in from_public.errors] == [strip(error)
                                                              for error in beyond.errors]


def strip(error):
    return error.split("icmp_seq")[0]
