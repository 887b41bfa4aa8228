"""
Elastic IPs, by packets: what reaches them, what leaves by them, and what must not. The rows are
those of AWS's behaviour at an internet gateway.
"""
import json
import re
import subprocess
import time
import types

import pytest

from agents import Agent, Program
from filters import OPEN, allow, bind_acl, entry, set_acl, set_groups, set_rules
from lib import INTERNET, environment, namespaces, read_line, refused, stop
from packets import ICMP, UDP, probe

# On the Internet's host, beside its own address: of nobody, and three that may not be there.
ABROAD, *RESERVED = "203.0.113.7", "192.168.7.7", "172.20.7.7", "100.64.7.7"
ECHO = (8, 0)


def ip(namespace, *arguments):
    subprocess.run(["ip", "-n", namespace, *arguments], check=True, capture_output=True,
                   env=environment())


@pytest.fixture(scope="module")
def lab(world):
    """Three in a subnet with a route to the gateway, one in one without; none is public."""
    vpc = world.open_vpc()
    gateway = world.gateway(vpc)
    front, back = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24")
    table = world.route_table(vpc, front, gateway)
    web, app, other = world.run_instances(front, count=3)
    db, = world.run_instances(back)
    return types.SimpleNamespace(
        vpc=vpc, gateway=gateway, front=front, back=back, table=table, web=web, app=app,
        other=other, db=db, internet=world.internet_address())


@pytest.fixture(autouse=True)
def released(world):
    yield
    found = [one["AllocationId"] for one in world.ec2.describe_addresses()["Addresses"]]
    if found:
        world.release(*found)


@pytest.fixture
def launch(world, lab):
    made = []

    def run(subnet=None, **more):
        made.extend(world.run_instances(subnet or lab.front, **more))
        return made[-1]
    yield run
    if made:
        world.ec2.terminate_instances(InstanceIds=made)
        world.await_state("terminated", *made)


@pytest.fixture(scope="module")
def wide_internet(world, lab):
    """Its router sends everything on to its host, as if that were the whole Internet."""
    router, = [name for name in namespaces() if re.fullmatch("internet-[0-9a-f]{17}", name)]
    host, = [name for name in namespaces() if name.startswith("internet-host-")]
    for address in (ABROAD, *RESERVED):
        ip(host, "address", "add", f"{address}/32", "dev", "lo")
        ip(router, "route", "add", f"{address}/32", "via", lab.internet)
    yield
    for address in (ABROAD, *RESERVED):
        ip(router, "route", "del", f"{address}/32")
        ip(host, "address", "del", f"{address}/32", "dev", "lo")


@pytest.fixture
def agent(world):
    """Agents of instances, or of the Internet's host."""
    made = []

    def start(place):
        made.append(Agent(world.command(*world.where(place, []))))
        return made[-1]
    yield start
    for one in made:
        one.close()


def first_card(world, instance):
    return world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]


def assert_public(world, instance, address, inside=None, kinds=("tcp",)):
    """
    Both ways, as 1:1 translation has it. What a guest sends by itself, a UDP server's answers too,
    is its first private address's; `inside` is another one.
    """
    outside = world.internet_address()
    for kind in kinds:
        assert world.talk(instance, INTERNET, address, kind) == {
            "server_saw": outside, "client_saw": address, "client_is": outside}
        if not inside:
            assert world.talk(INTERNET, instance, outside, kind) == {
                "server_saw": address, "client_saw": outside,
                "client_is": world.private(instance)}
    if inside:
        world.assert_reaches(instance, outside, options=f"-I {inside}")
    world.assert_reaches(INTERNET, address)


# Rows 15 to 20.

def test_no_public_address_no_internet(world, lab):
    """Row 15: what has none dies at the gateway; row 16: what has one passes."""
    world.assert_silent(lab.web, lab.internet)
    assert world.talk(INTERNET, lab.web, lab.internet) is None
    allocation, address = world.elastic_ip(lab.web)
    assert_public(world, lab.web, address, kinds=("tcp", "udp"))
    world.assert_silent(lab.app, lab.internet)  # its neighbour has none
    world.release(allocation)
    world.assert_silent(lab.web, lab.internet)
    world.assert_silent(INTERNET, address)


def test_the_guest_does_not_see_it(world, lab):
    _, address = world.elastic_ip(lab.web)
    assert address not in world.exec(lab.web, "ip address")


def test_no_route_to_the_gateway(world, lab, agent):
    """Row 17: it is reached, and its answer finds no way."""
    _, address = world.elastic_ip(lab.db)
    outside, inside = agent(INTERNET), agent(lab.db)
    question = probe(lab.internet, address, ICMP, "17", 17, ECHO)
    outside.send(question)
    assert [(seen.tag, seen.source) for seen in heard_by(inside, 1)] == [("17", lab.internet)]
    assert heard_by(outside, 0) == []
    world.assert_silent(lab.db, lab.internet)
    world.ec2.associate_route_table(RouteTableId=lab.table, SubnetId=lab.back)
    try:
        outside.send(question)
        heard_by(inside, 1)
        assert [(seen.direction, seen.source) for seen in heard_by(outside, 1)] == [("r", address)]
    finally:
        association, = [one["RouteTableAssociationId"] for one in world.ec2.describe_route_tables(
            RouteTableIds=[lab.table])["RouteTables"][0]["Associations"]
            if one.get("SubnetId") == lab.back]
        world.ec2.disassociate_route_table(AssociationId=association)


def heard_by(agent, count, seconds=2):
    """Probes that arrive: `count` of them at least, or a quiet time's."""
    found, end = [], time.monotonic() + (seconds if count else 0.1)
    while time.monotonic() < end:
        found += [seen for seen in agent.heard() if seen.tag]
        if count and len(found) >= count:
            break
        time.sleep(0.01)
    return found


def test_not_mapped(world, lab):
    """Row 18: allocated, given back, or nobody's ever: one is as silent as the other."""
    world.elastic_ip(lab.web)
    spare, address = world.elastic_ip()
    for target in (address, "198.18.200.1"):
        world.assert_silent(INTERNET, target)
        world.assert_silent(lab.web, target)
    world.release(spare)
    world.assert_silent(INTERNET, address)


def test_no_way_out_to_reserved_addresses(world, lab, agent, wide_internet):
    """Row 19: what is private, or a carrier's, is not on the Internet, whoever has it there."""
    world.elastic_ip(lab.web)
    inside, outside = agent(lab.web), agent(INTERNET)
    own = world.private(lab.web)
    for number, target in enumerate((*RESERVED, ABROAD)):
        inside.send(probe(own, target, UDP, f"19{number}", 1900, 1900))
    assert [seen.target for seen in heard_by(outside, 1)] == [ABROAD]
    assert heard_by(outside, 0) == []
    heard_by(inside, 0)
    world.assert_reaches(lab.web, ABROAD)
    for target in RESERVED:
        world.assert_silent(lab.web, target)


def test_no_way_in_from_reserved_addresses(world, lab, agent, wide_internet):
    """Row 20: nor is it a source, even of what is one-way."""
    _, address = world.elastic_ip(lab.web)
    inside, outside = agent(lab.web), agent(INTERNET)
    for number, source in enumerate((*RESERVED, "10.0.1.77", ABROAD)):
        outside.send(probe(source, address, UDP, f"20{number}", 2000, 2000, direction="o"))
    assert [seen.source for seen in heard_by(inside, 1)] == [ABROAD]
    assert heard_by(inside, 0) == []


# Row 21: from public to public within the VPC.

@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_neighbours_see_public_addresses(world, lab, kind):
    (_, one), (_, two) = world.elastic_ip(lab.web), world.elastic_ip(lab.app)
    assert world.talk(lab.app, lab.web, two, kind) == {
        "server_saw": one, "client_saw": two, "client_is": world.private(lab.web)}
    # And by private addresses they see private ones.
    assert world.talk(lab.app, lab.web, world.private(lab.app), kind)["server_saw"] == \
        world.private(lab.web)


def test_its_own_public_address(world, lab):
    _, address = world.elastic_ip(lab.web)
    assert world.talk(lab.web, lab.web, address) == {
        "server_saw": address, "client_saw": address, "client_is": world.private(lab.web)}


def test_who_has_none_reaches_no_neighbour_so(world, lab):
    _, address = world.elastic_ip(lab.app)
    world.assert_silent(lab.web, address)
    world.assert_reaches(lab.web, world.private(lab.app))


def test_references_do_not_match_public_addresses(world, lab):
    """A group that admits its members admits them by private addresses."""
    (_, one), (_, two) = world.elastic_ip(lab.web), world.elastic_ip(lab.app)
    default = world.default_group(lab.vpc)
    friends, served = (world.security_group(lab.vpc, name) for name in ("friends", "served"))
    set_rules(world.ec2, served, [allow("icmp", -1, group=friends)], [allow()])
    set_groups(world.ec2, lab.web, friends)
    set_groups(world.ec2, lab.app, served)
    try:
        world.assert_reaches(lab.web, world.private(lab.app))
        world.assert_silent(lab.web, two)
        set_rules(world.ec2, served, [allow("icmp", -1, cidr=f"{one}/32")], [allow()])
        world.assert_reaches(lab.web, two)
        world.assert_silent(lab.web, world.private(lab.app))
    finally:
        for instance in (lab.web, lab.app):
            set_groups(world.ec2, instance, default)
        for group in (served, friends):
            set_rules(world.ec2, group)
            world.ec2.delete_security_group(GroupId=group)


def test_both_acls_apply(world, lab):
    """In one subnet too: what goes by the gateway has left it, and comes back."""
    (_, one), (_, two) = world.elastic_ip(lab.web), world.elastic_ip(lab.app)
    before = world.ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [lab.front]}])["NetworkAcls"][0]["NetworkAclId"]
    acl = world.ec2.create_network_acl(VpcId=lab.vpc)["NetworkAcl"]["NetworkAclId"]
    bind_acl(world.ec2, lab.front, acl)
    try:
        for inward, outward, passes in (
                (OPEN, OPEN, True),
                ([entry(50, "deny", cidr=f"{one}/32"), *OPEN], OPEN, False),
                (OPEN, [entry(50, "deny", cidr=f"{two}/32"), *OPEN], False),
                # Neither sees the private addresses of what is public.
                ([entry(50, "deny", cidr="10.0.0.0/16"), *OPEN],
                 [entry(50, "deny", cidr="10.0.0.0/16"), *OPEN], True)):
            set_acl(world.ec2, acl, inward, outward)
            (world.assert_reaches if passes else world.assert_silent)(lab.web, two)
            world.assert_reaches(lab.web, world.private(lab.app))  # no ACL in between
    finally:
        bind_acl(world.ec2, lab.front, before)
        world.ec2.delete_network_acl(NetworkAclId=acl)


def test_between_subnets(world, lab):
    """To one whose subnet has no way back: a one-way street."""
    world.elastic_ip(lab.web)
    _, address = world.elastic_ip(lab.db)
    world.assert_silent(lab.web, address)
    world.assert_silent(lab.db, address)
    world.assert_reaches(lab.web, world.private(lab.db))


# Rows 23 and 60: gateways and instances come and go.

def test_a_detached_gateway(world, lab):
    allocation, address = world.elastic_ip(lab.web)
    assert_public(world, lab.web, address)
    pair = {"InternetGatewayId": lab.gateway, "VpcId": lab.vpc}
    refused("DependencyViolation", world.ec2.detach_internet_gateway, **pair)
    world.assert_reaches(INTERNET, address)
    association = world.ec2.describe_addresses()["Addresses"][0]["AssociationId"]
    world.ec2.disassociate_address(AssociationId=association)
    world.ec2.detach_internet_gateway(**pair)
    try:
        refused("Gateway.NotAttached", world.ec2.associate_address, AllocationId=allocation,
                InstanceId=lab.web)
        world.assert_silent(lab.web, lab.internet)
        world.assert_silent(INTERNET, address)
    finally:
        world.ec2.attach_internet_gateway(**pair)
    world.assert_silent(lab.web, lab.internet)
    world.ec2.associate_address(AllocationId=allocation, InstanceId=lab.web)
    assert_public(world, lab.web, address)


def test_a_stopped_instance(world, lab, launch):
    sleeper = launch()
    allocation, address = world.elastic_ip(sleeper)
    assert_public(world, sleeper, address)
    world.ec2.stop_instances(InstanceIds=[sleeper])
    world.await_state("stopped", sleeper)
    world.assert_silent(INTERNET, address)
    world.ec2.start_instances(InstanceIds=[sleeper])
    world.await_state("running", sleeper)
    assert_public(world, sleeper, address)
    world.reboot(sleeper)
    assert_public(world, sleeper, address)
    world.ec2.terminate_instances(InstanceIds=[sleeper])
    world.await_state("terminated", sleeper)
    world.assert_silent(INTERNET, address)
    world.ec2.associate_address(AllocationId=allocation, InstanceId=lab.web)
    assert_public(world, lab.web, address)


def test_one_for_a_stopped_instance(world, launch):
    """It is there when the instance is."""
    sleeper = launch()
    world.ec2.stop_instances(InstanceIds=[sleeper])
    world.await_state("stopped", sleeper)
    _, address = world.elastic_ip(sleeper)
    world.assert_silent(INTERNET, address)
    world.ec2.start_instances(InstanceIds=[sleeper])
    world.await_state("running", sleeper)
    assert_public(world, sleeper, address)


# What it takes the place of.

def test_in_place_of_the_one_that_came_with_it(world, launch):
    instance = launch(public=True)
    first = world.public(instance)
    assert_public(world, instance, first)
    allocation, address = world.elastic_ip(instance)
    world.assert_silent(INTERNET, first)
    assert_public(world, instance, address)
    world.release(allocation)
    fresh = world.public(instance)
    for gone in (first, address):
        world.assert_silent(INTERNET, gone)
    assert_public(world, instance, fresh)


def test_displaced(world, lab):
    _, old = world.elastic_ip(lab.web)
    _, new = world.elastic_ip(lab.web)
    world.assert_silent(INTERNET, old)
    assert_public(world, lab.web, new)


# Other private addresses than the first.

@pytest.fixture
def second(world, lab):
    identifier = first_card(world, lab.web)
    reply = world.ec2.assign_private_ip_addresses(NetworkInterfaceId=identifier,
                                                  SecondaryPrivateIpAddressCount=1)
    address = reply["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]
    yield identifier, address
    for card in (identifier, first_card(world, lab.app)):
        if address in str(world.ec2.describe_network_interfaces(NetworkInterfaceIds=[card])):
            world.ec2.unassign_private_ip_addresses(NetworkInterfaceId=card,
                                                    PrivateIpAddresses=[address])


def test_a_second_address(world, lab, second):
    identifier, inside = second
    _, address = world.elastic_ip(identifier, PrivateIpAddress=inside)
    assert_public(world, lab.web, address, inside)
    world.assert_silent(lab.web, lab.internet)  # in the first one's name
    _, first = world.elastic_ip(lab.web)
    assert_public(world, lab.web, first)
    assert_public(world, lab.web, address, inside)
    world.ec2.unassign_private_ip_addresses(NetworkInterfaceId=identifier,
                                            PrivateIpAddresses=[inside])
    world.assert_silent(INTERNET, address)
    assert_public(world, lab.web, first)


def test_an_address_that_moves_takes_it_along(world, lab, second):
    identifier, inside = second
    _, address = world.elastic_ip(identifier, PrivateIpAddress=inside)
    world.assert_reaches(INTERNET, address)
    world.ec2.assign_private_ip_addresses(NetworkInterfaceId=first_card(world, lab.app),
                                          PrivateIpAddresses=[inside], AllowReassignment=True)
    assert_public(world, lab.app, address, inside)
    world.assert_silent(lab.app, lab.internet)


def test_a_second_card(world, lab, launch):
    """The guest has to answer by the device that was asked, or the source check drops it."""
    instance = launch()
    card = world.ec2.create_network_interface(SubnetId=lab.front)["NetworkInterface"]
    inside, identifier = card["PrivateIpAddress"], card["NetworkInterfaceId"]
    _, address = world.elastic_ip(identifier)
    world.assert_silent(INTERNET, address)  # a card that nobody has
    world.ec2.attach_network_interface(NetworkInterfaceId=identifier, InstanceId=instance,
                                       DeviceIndex=1)
    try:
        world.assert_silent(INTERNET, address)
        world.exec(instance, f"ip rule add from {inside} table 100")
        world.exec(instance, "ip route add default via 10.0.1.1 dev eth1 table 100")
        assert_public(world, instance, address, inside)
        _, first = world.elastic_ip(first_card(world, instance))
        assert_public(world, instance, first)
    finally:
        world.ec2.detach_network_interface(AttachmentId=world.instance(instance)[
            "NetworkInterfaces"][1]["Attachment"]["AttachmentId"])
    world.assert_silent(INTERNET, address)
    world.ec2.delete_network_interface(NetworkInterfaceId=identifier)


def test_the_default_vpc(world):
    instance = world.default_instance("us-east-1", "172.31.0.77")["InstanceId"]
    _, address = world.elastic_ip(instance)
    assert_public(world, instance, address)
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)


# Moves under traffic.

SENDER = """
import json, select, socket, struct, sys, time
target, rate = (sys.argv[1], 7100), float(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
sent, start, sources = 0, time.monotonic(), set()
while not select.select([0], [], [], 0)[0]:
    s.sendto(struct.pack('!Id', sent, time.monotonic()), target)
    sent += 1
    try:
        while True:
            sources.add(s.recvfrom(100)[1][0])
    except BlockingIOError:
        pass
    ahead = start + sent / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
print(json.dumps([sent, sorted(sources)]))
"""

# Answers everything; tells number and time of what came.
RECEIVER = """
import json, os, select, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
s.bind(('0.0.0.0', 7100))
s.setblocking(False)
found = []
print('"ready"', flush=True)
while True:
    ready = select.select([0, s], [], [])[0]
    try:
        while True:
            data, who = s.recvfrom(100)
            found.append(struct.unpack('!Id', data))
            s.sendto(b'answer', who)
    except BlockingIOError:
        pass
    if 0 in ready:
        print(json.dumps(found), flush=True)
        break
"""


def moved_under_traffic(world, allocation, address, instances, moves, rate=1500):
    """
    Moves it round and round while the Internet sends; how many were sent, and what each got. No
    packet came to an instance while it was another's: between the end of one call and the beginning
    of the next. The third of what is returned: the addresses that answered.
    """
    receivers = [Program(world, instance, RECEIVER) for instance in instances]
    for receiver in receivers:
        assert receiver.line() == "ready"
    sender = Program(world, INTERNET, SENDER, address, rate)
    turns = []  # who has it, from when, until when
    current, since = 0, time.monotonic()
    for move in range(moves):
        time.sleep(0.03)
        until = time.monotonic()
        turns.append((current, since, until))
        current = (move + 1) % len(instances)
        world.ec2.associate_address(AllocationId=allocation, InstanceId=instances[current])
        since = time.monotonic()
    time.sleep(0.1)
    turns.append((current, since, time.monotonic()))
    sender.say("stop")
    sent, sources = sender.line()
    time.sleep(0.1)
    found = []
    for receiver in receivers:
        receiver.say("report")
        found.append(receiver.line())
    for program in (sender, *receivers):
        program.close()
    wrong = [(who, number) for who, packets in enumerate(found) for number, when in packets
             for owner, start, end in turns if owner != who and start <= when < end]
    assert not wrong, f"of {sent} packets {len(wrong)} came to a wrong instance: {wrong[:9]}"
    return sent, [[number for number, _ in packets] for packets in found], sources


def test_a_move_loses_nothing(world, lab):
    """Between instances of a VPC it is one change in the kernel: one has it, or the other."""
    allocation, address = world.elastic_ip(lab.web)
    sent, found, sources = moved_under_traffic(world, allocation, address,
                                               [lab.web, lab.app, lab.other], 60)
    assert all(found) and sources == [address]
    numbers = sorted(number for packets in found for number in packets)
    assert numbers == list(range(sent)), f"{sent} sent, {len(numbers)} arrived"


def test_a_move_with_public_addresses_of_their_own(world, lab, launch):
    """Where it has been, a new one comes; where it comes, the other goes."""
    instances = [launch(public=True) for _ in range(2)]
    allocation, address = world.elastic_ip(instances[0])
    sent, found, sources = moved_under_traffic(world, allocation, address, instances, 40)
    # What was asked before a move and answered after it comes from the new one.
    assert address in sources and all(source.startswith("198.18.") for source in sources)
    numbers = sorted(number for packets in found for number in packets)
    assert numbers == list(range(sent)), f"{sent} sent, {len(numbers)} arrived"
    assert_public(world, instances[0], address)
    assert_public(world, instances[1], world.public(instances[1]))


def test_a_move_to_another_vpc(world, lab):
    """By way of another gateway: no packet to a wrong one, though some to none."""
    vpc = world.open_vpc("10.9.0.0/16")
    subnet = world.subnet(vpc, "10.9.1.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    there, = world.run_instances(subnet)
    allocation, address = world.elastic_ip(lab.web)
    _, found, sources = moved_under_traffic(world, allocation, address, [lab.web, there], 20)
    assert all(found) and sources == [address]
    assert_public(world, lab.web, address)
    world.ec2.terminate_instances(InstanceIds=[there])
    world.await_state("terminated", there)


# The daemon is not needed for packets.

def test_it_outlives_the_daemon(own_world):
    world = own_world
    vpc = world.open_vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    one, two = world.run_instances(subnet, count=2)
    allocation, address = world.elastic_ip(one)
    world.internet_address()
    ping = world.spawn(INTERNET, f"ping -n -i 0.02 {address}")
    assert "PING" in read_line(ping, 5, "ping")
    world.restart()
    time.sleep(0.3)
    ping.send_signal(2)
    text = ping.stdout.read().decode()
    assert re.search(r"(\d+) packets transmitted, \1 received", text), text
    stop(ping)
    assert_public(world, one, address)
    world.ec2.associate_address(AllocationId=allocation, InstanceId=two)
    assert_public(world, two, address)
    world.assert_silent(one, world.internet_address())
    world.clear()
    assert json.loads(world.run("ps", "-o", "json").stdout) == []
