"""Groups, ACLs and the source check, packet by packet: each row of the table is a case."""
import socket
import struct
import subprocess

import pytest

from filters import OPEN, Guest, Lab, allow, bind_acl, entry, set_groups, set_rules
from lib import read_line, stop, wait_for
from packets import ACK, ICMP, RST, SYN, TCP, UDP, Seen, answer, mark, packet, probe, tcp, udp

PLACES = ("same", "across")
PORTS = {"tcp": 80, "udp": 53, "icmp": (8, 0)}


@pytest.fixture(scope="module")
def shared(world):
    made = Lab(world)
    yield made
    made.close()


@pytest.fixture
def lab(shared):
    """As every test finds it: groups without rules, ACLs that let everything by."""
    yield shared
    shared.reset()


def exactly(kind, **peers):
    """The permission that a probe needs."""
    port = PORTS[kind]
    return allow(kind, *(port if kind == "icmp" else (port, port)), **peers)


def replies(kind, number, action="allow"):
    """The ACL's entry for what answers a probe."""
    return entry(number, action, kind, *((0, 0) if kind == "icmp" else (32768, 60999)))


def requests(kind, number, action="allow", **more):
    port = PORTS[kind]
    return entry(number, action, kind, *(port if kind == "icmp" else (port, port)), **more)


def other(kind):
    return "udp" if kind == "tcp" else "tcp"


# Rows 1, 2, 6, 7 and 8: A asks B in its own subnet, or C in another. A group's direction is a
# list of permissions, an ACL's a list of entries; what a case doesn't say is: the permission that
# is needed, in the groups out of A and into its target; everything, in the ACLs. The verdict is
# that of the two subnets; in one subnet no ACL counts (row 7).
CASES = {
    "1 no rule out": ("no", lambda kind: {"out": []}),
    "1 no rule in": ("no", lambda kind: {"in": []}),
    "1 no rule at all": ("no", lambda kind: {"out": [], "in": []}),
    "1 the rule out is another protocol's": ("no", lambda kind: {
        "out": [allow(other(kind), 0, 65535)]}),
    "1 the rule in is another protocol's": ("no", lambda kind: {
        "in": [allow(other(kind), 0, 65535)]}),
    "1 the rule in is another port's": ("no", lambda kind: {
        "in": [allow(kind, 13, -1) if kind == "icmp" else allow(kind, PORTS[kind] + 1, 65535),
               allow(kind, 9, -1) if kind == "icmp" else allow(kind, 0, PORTS[kind] - 1)]}),
    "1 the rule out is another peer's": ("no", lambda kind: {"out": [
        exactly(kind, cidr="10.0.0.0/24"), exactly(kind, cidr="10.0.4.0/22")]}),
    "1 the rule in is another peer's": ("no", lambda kind: {"in": [
        exactly(kind, cidr="10.0.2.0/24"), exactly(kind, cidr="10.0.0.0/24")]}),
    "1 the rule in is IPv6's": ("no", lambda kind: {"in": [allow(cidr6="::/0")]}),
    "2 the reply needs no rule": ("ok", lambda kind: {}),
    "2 nor with 0.0.0.0/0 both ways": ("ok", lambda kind: {"in": [allow()], "out": [allow()]}),
    "6 ACL denies the request out": ("no", lambda kind: {
        "here out": [requests(kind, 90, "deny"), *OPEN]}),
    "6 ACL denies the request in": ("no", lambda kind: {
        "there in": [requests(kind, 90, "deny"), *OPEN]}),
    "6 ACL denies the reply out": ("asked", lambda kind: {
        "there out": [replies(kind, 90, "deny"), *OPEN]}),
    "6 ACL denies the reply in": ("asked", lambda kind: {
        "here in": [replies(kind, 90, "deny"), *OPEN]}),
    "6 ACL denies all": ("no", lambda kind: {"there in": []}),
    "8 ACL forgets the reply out": ("asked", lambda kind: {
        "there in": [requests(kind, 100)], "there out": [requests(kind, 100)]}),
    "8 ACL forgets the reply in": ("asked", lambda kind: {
        "here out": [requests(kind, 100)], "here in": [requests(kind, 100)]}),
    "8 ACL remembers both": ("ok", lambda kind: {
        "here out": [requests(kind, 100)], "here in": [replies(kind, 100)],
        "there in": [requests(kind, 100)], "there out": [replies(kind, 100)]}),
    "ACL deny 90 before allow 100": ("no", lambda kind: {
        "there in": [requests(kind, 90, "deny"), requests(kind, 100)]}),
    "ACL allow 90 before deny 100": ("ok", lambda kind: {
        "there in": [requests(kind, 90), entry(100, "deny")]}),
    "ACL of another protocol": ("no", lambda kind: {
        "there in": [entry(100, protocol=other(kind), first=0, last=65535)]}),
    "ACL's narrow deny inside a wide allow": ("no", lambda kind: {
        "there in": [requests(kind, 10, "deny", cidr="10.0.1.0/28"),
                     requests(kind, 20, cidr="10.0.1.0/24")]}),
    "ACL's narrow allow inside a wide deny": ("ok", lambda kind: {
        "there in": [requests(kind, 10, cidr="10.0.1.0/28"),
                     requests(kind, 20, "deny", cidr="10.0.1.0/24"), *OPEN]}),
}


@pytest.mark.parametrize("case", CASES)
def test_row(lab, case):
    """TCP, UDP and ICMP, in one subnet and across."""
    verdict, change = CASES[case]
    for kind in PORTS:
        changes = change(kind)
        lab.rules(lab.a, [], changes.get("out", [exactly(kind)]))
        for target in (lab.b, lab.c):
            lab.rules(target, changes.get("in", [exactly(kind)]))
        for subnet, name in ((lab.front, "here"), (lab.back, "there")):
            if {name + " in", name + " out"} & set(changes):
                lab.acl(subnet, changes.get(name + " in", OPEN), changes.get(name + " out", OPEN))
        by_acl = not {"in", "out"} & set(changes)
        # The other way round is a flow of its own, which has no rule.
        back = () if "in" in changes else (lab.b, lab.c)
        lab.check(("ok" if by_acl else verdict, lab.a, lab.b, kind, PORTS[kind]),
                  (verdict, lab.a, lab.c, kind, PORTS[kind]),
                  *(("no", source, lab.a, kind, PORTS[kind]) for source in back))


# Rows 3 and 4: what becomes of a flow whose rule goes.

class Flows:
    """A TCP connection, a UDP conversation and a ping from one guest to another."""

    def __init__(self, lab, source, target):
        self.lab, self.source, self.target = lab, source, target
        self.port = next(lab.numbers)
        target.agent("serve", "tcp", self.port)
        target.agent("serve", "udp", self.port)
        self.tcp, self.udp = (source.agent("connect", kind, target.address, self.port)
                              for kind in ("tcp", "udp"))
        self.ident = next(lab.numbers)

    def ping(self):
        """An echo of one and the same flow."""
        tag = str(next(self.lab.numbers))
        self.source.agent.send(probe(self.source.address, self.target.address, ICMP, tag,
                                     self.ident, (8, 0)))
        heard = self.lab.collect({self.source: 1} if self.expect_ping else {})
        return ["r", tag, self.target.address] in heard[self.source]

    def alive(self, **expected):
        """Which of the three get an answer."""
        self.expect_ping = expected.get("icmp")
        found = {}
        for kind in ("tcp", "udp"):
            text = f"hello {next(self.lab.numbers)}"
            found[kind] = self.source.agent("exchange", getattr(self, kind), text,
                                            1 if expected[kind] else 0.1) == text
        found["icmp"] = self.ping()
        return found

    def new(self, kind):
        """Whether a new flow gets through."""
        number = self.source.agent("connect", kind, self.target.address, self.port, 0.1)
        return isinstance(number, int) and (
            kind == "tcp" or self.source.agent("exchange", number, "new", 0.1) == "new")


ALL_ALIVE = {"tcp": True, "udp": True, "icmp": True}
PING_ALIVE = {"tcp": False, "udp": False, "icmp": True}
CIDR = "10.0.0.0/16"

# What the groups let out of A and into the target at first; which flows outlive the revocation of
# all of the target's rules, and of all of A's. ICMP is always tracked.
REVOCATIONS = {
    "3 narrow rules": ([allow(cidr=CIDR)], [allow(cidr=CIDR)], [], [], ALL_ALIVE, ALL_ALIVE),
    "3 no way out in the target's group": ([allow()], [allow()], [], [], ALL_ALIVE, ALL_ALIVE),
    "3 the target's way out is narrow": ([allow()], [allow()], [allow("tcp", 0, 65535, cidr=CIDR),
                                                              allow("udp", 0, 65534)], [],
                                         ALL_ALIVE, ALL_ALIVE),
    "4 0.0.0.0/0 into and out of the target": ([allow()], [allow()], [allow()], [], PING_ALIVE,
                                               None),
    "4 0.0.0.0/0 of all ports of each protocol": (
        [allow()], [allow("tcp", 1, 65535), allow("udp", 1, 65535), allow("icmp", -1, -1)],
        [allow("tcp", 0, 65535), allow("udp", 0, 65535)], [], PING_ALIVE, None),
    "4 0.0.0.0/0 into and out of A": ([allow()], [allow(cidr=CIDR)], [], [allow()], ALL_ALIVE,
                                      PING_ALIVE),
}


@pytest.mark.parametrize("case", REVOCATIONS)
def test_revoked_rule(lab, case):
    out_of_a, into_target, out_of_target, into_a, without_target, without_a = REVOCATIONS[case]
    flows = []
    lab.rules(lab.a, into_a, out_of_a)
    for target in (lab.b, lab.c):
        lab.rules(target, into_target, out_of_target)
        flows.append(Flows(lab, lab.a, target))
    assert [flow.alive(**ALL_ALIVE) for flow in flows] == [ALL_ALIVE] * 2
    for target in (lab.b, lab.c):
        lab.rules(target)
    assert [flow.alive(**without_target) for flow in flows] == [without_target] * 2
    assert not any(flow.new("tcp") or flow.new("udp") for flow in flows)
    if not without_a:
        return
    lab.rules(lab.a)
    assert [flow.alive(**without_a) for flow in flows] == [without_a] * 2


def test_an_untracked_connection_goes_on_when_its_rule_is_back(lab):
    for guest in (lab.a, lab.c):
        lab.rules(guest, [allow()], [allow()])
    flows = Flows(lab, lab.a, lab.c)
    assert flows.alive(**ALL_ALIVE) == ALL_ALIVE
    lab.rules(lab.c, [], [allow()])
    lab.a.agent("speak", flows.tcp, "again")
    assert lab.a.agent("hear", flows.tcp, 0.3) == "timeout"
    lab.rules(lab.c, [allow()], [allow()])
    assert lab.a.agent("hear", flows.tcp, 5) == "again"  # sent again by the guest's own TCP


def test_an_acl_cuts_tracked_flows(lab):
    """It has no memory: neither an `established` shortcut nor one for the groups' connections."""
    lab.rules(lab.a, [], [allow(cidr=CIDR)])
    lab.rules(lab.c, [allow(cidr=CIDR)])
    flows = Flows(lab, lab.a, lab.c)
    silence = {"tcp": False, "udp": False, "icmp": False}
    for subnet, direction in ((lab.front, "inward"), (lab.front, "outward"), (lab.back, "inward"),
                              (lab.back, "outward")):
        assert flows.alive(**ALL_ALIVE) == ALL_ALIVE
        lab.acl(subnet, **{direction: [entry(10, "deny"), *OPEN]})
        assert flows.alive(**silence) == silence
        lab.acl(subnet)
        assert lab.a.agent("hear", flows.tcp, 5).startswith("hello")
        flows = Flows(lab, lab.a, lab.c)


def test_row_8_the_server_has_read_the_request(lab):
    """With real sockets: the server got it, its answer is lost; nobody says so."""
    lab.rules(lab.a, [], [allow()])
    lab.rules(lab.c, [allow()])
    port = 7008
    lab.c.agent("serve", "udp", port)
    lab.c.agent("serve", "tcp", port)
    lab.acl(lab.back, outward=[entry(100, "allow", "udp", port), entry(110, "allow", "tcp", port)])
    number = lab.a.agent("connect", "udp", lab.c.address, port)
    assert lab.a.agent("exchange", number, "question") == "timeout"
    assert lab.c.agent("received", "udp", port) == ["question"]
    assert lab.a.agent("connect", "tcp", lab.c.address, port) == "timeout"
    lab.acl(lab.back, outward=[entry(100, "allow", "udp", 32768, 60999)])
    assert lab.a.agent("exchange", number, "once more") == "once more"


# Rows 12 to 14. What routes would send to an interface (13: a packet for a foreign address is
# dropped at the receiver; 14: an appliance forwards it on) needs routes to an interface, which
# CreateRoute doesn't know yet; here is what a sender can do by itself.

@pytest.mark.parametrize("forged", ["10.0.1.200", "10.0.2.200", "192.0.2.1", "127.0.0.1",
                                    "0.0.0.0", "10.0.1.1", "224.0.0.1", "255.255.255.255",
                                    "neighbour", "far", "public"])
def test_row_12_a_forged_source(lab, forged):
    """By the guest's kernel, and as frames of its own making."""
    lab.wide_open()
    head = header(lab.a, learn(lab, lab.a, "10.0.1.1"))
    source = {"neighbour": lab.b.address, "far": lab.c.address, "public": lab.a.public}.get(forged,
                                                                                        forged)
    lab.forget()
    for target in (lab.d, lab.b if forged == "far" else lab.c):
        for kind, port in PORTS.items():
            data = lab.probe(lab.a, target, kind, port, "o", pretend=source)[1]
            lab.a.agent.frames(head + data)
            if forged != "0.0.0.0":  # the guest's kernel would put its own
                lab.a.agent.send(data)
    assert not any(lab.collect({}).values())
    lab.check(("ok", lab.a, lab.d, "udp", 53), ("ok", lab.a, lab.c, "udp", 53))


def header(guest, target, kind="0800"):
    """Ethernet's, from its own address."""
    return bytes.fromhex((target + guest.mac).replace(":", "") + kind)


def learn(lab, guest, address):
    """The MAC that the subnet answers for an address; None if it doesn't."""
    guest.agent("run", *f"ping -n -c 1 -W 0.3 {address}".split())
    return lab.neighbour(guest, address)


@pytest.fixture
def unchecked(lab):
    lab.ec2.modify_instance_attribute(InstanceId=lab.a.id, SourceDestCheck={"Value": False})
    yield lab
    lab.ec2.modify_instance_attribute(InstanceId=lab.a.id, SourceDestCheck={"Value": True})


def test_row_12_without_the_check(unchecked):
    """The receiver sees the foreign address, and rules are about what the packet says."""
    lab = unchecked
    lab.rules(lab.a, [], [exactly("udp")])
    for target in (lab.d, lab.c):
        lab.rules(target, [exactly("udp", cidr="192.0.2.0/24")])
        tag, data = lab.probe(lab.a, target, "udp", 53, "o", pretend="192.0.2.7")
        lab.a.agent.send(data)
        assert lab.collect({target: 1})[target] == [["o", tag, "192.0.2.7"]]
        tag, data = lab.probe(lab.a, target, "udp", 53, "o", pretend="192.0.3.7")
        lab.a.agent.send(data)
        lab.assert_heard(target)
        lab.check(("no", lab.a, target, "udp", 53))  # its own address has no rule
    lab.rules(lab.a)
    lab.a.agent.send(lab.probe(lab.a, lab.c, "udp", 53, "o", pretend="192.0.2.7")[1])
    lab.assert_heard(lab.c)
    lab.ec2.modify_instance_attribute(InstanceId=lab.a.id, SourceDestCheck={"Value": True})
    lab.rules(lab.a, [], [exactly("udp")])
    lab.a.agent.send(lab.probe(lab.a, lab.c, "udp", 53, "o", pretend="192.0.2.7")[1])
    lab.assert_heard(lab.c)


# Rows 49 and 50.

DHCP = """
import socket
dhcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dhcp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
dhcp.bind(('0.0.0.0', 67))
print('ready', flush=True)
while True:
    print(dhcp.recv(1000).decode(), flush=True)
"""

# Packets to them, and what the answer begins with; "" for a connection that is accepted.
DNS_QUERY = "\1\2\1\0\0\1\0\0\0\0\0\0\3ec2\x08internal\0\0\6\0\1"
SERVICES = (("udp", "169.254.169.253", 53, DNS_QUERY), ("udp", "10.0.0.2", 53, DNS_QUERY),
            ("udp", "169.254.169.123", 123, "\x23" + "\0" * 47),
            ("tcp", "169.254.169.253", 53, None), ("tcp", "10.0.0.2", 53, None),
            ("tcp", "169.254.169.254", 80, None))


@pytest.fixture
def dhcp(lab):
    """A stand-in, in the subnet's namespace."""
    process = subprocess.Popen(["ip", "netns", "exec", lab.front, "/usr/bin/python3", "-c", DHCP],
                               stdout=subprocess.PIPE, bufsize=0, start_new_session=True)
    try:
        assert read_line(process, 10, "DHCP") == "ready"
        yield process
    finally:
        stop(process)


def test_row_49_link_local_services_pass(lab, dhcp):
    """No rule in any group, ACLs that deny everything."""
    for subnet in (lab.front, lab.back):
        lab.acl(subnet, [], [])
    for kind, address, port, question in SERVICES:
        number = lab.a.agent("connect", kind, address, port)
        assert isinstance(number, int), (kind, address, port, number)
        if question:
            said = lab.a.agent("exchange_hex", number, question.encode().hex())
            # DNS: the same id, an answer; NTP: version 4, a server
            assert said.startswith("0102" if port == 53 else "24"), (address, port, said)
    # Nothing else is there.
    for kind, address, port in (("tcp", "169.254.169.254", 53), ("tcp", "169.254.169.254", 22),
                                ("tcp", "10.0.0.2", 80), ("tcp", "169.254.169.123", 123)):
        assert lab.a.agent("connect", kind, address, port) == "timeout"
    assert lab.a.agent("run", *"ping -n -c 1 -W 0.3 10.0.0.2".split())[0] == 1
    assert lab.a.agent("run", *"ping -n -c 2 -i 0.1 -W 0.5 10.0.1.1".split())[0] == 0
    # DHCP's first words: no address yet, to everybody.
    data = packet("0.0.0.0", "255.255.255.255", UDP,
                  udp("0.0.0.0", "255.255.255.255", 68, 67, b"discover\n"), tos=0)
    lab.a.agent.frames(bytes.fromhex("ff" * 6 + lab.a.mac.replace(":", "") + "0800") + data)
    assert read_line(dhcp, 5, "DHCP") == "discover"
    lab.check(("no", lab.a, lab.b, "udp", 53), ("no", lab.a, lab.c, "udp", 53))


def test_row_50_dns_elsewhere_is_ordinary(lab):
    there = lab.outside
    lab.check(("no", lab.a, there, "udp", 53), ("no", lab.a, there, "tcp", 53))
    lab.rules(lab.a, [], [allow("udp", 53, cidr=there.cidr)])
    lab.check(("ok", lab.a, there, "udp", 53), ("no", lab.a, there, "tcp", 53))
    lab.acl(lab.front, outward=[requests("udp", 10, "deny", cidr=there.cidr), *OPEN])
    lab.check(("no", lab.a, there, "udp", 53))
    lab.acl(lab.front, inward=[replies("udp", 10, "deny"), *OPEN])
    lab.check(("asked", lab.a, there, "udp", 53))


def test_the_internet_asks(lab):
    """A rule sees the peer's own address; the packet has the instance's private one by then."""
    for verdict, cidr in (("ok", lab.outside.cidr), ("no", "10.0.0.0/8")):
        lab.rules(lab.a, [exactly(kind, cidr=cidr) for kind in PORTS])
        lab.check(*((verdict, lab.outside, lab.a, kind, port) for kind, port in PORTS.items()))
    lab.rules(lab.a, [allow(cidr=lab.outside.cidr)])
    lab.acl(lab.front, [requests("tcp", 10, "deny", cidr=lab.outside.cidr), *OPEN])
    lab.check(("no", lab.outside, lab.a, "tcp", 80), ("ok", lab.outside, lab.a, "udp", 53))


# Row 53.

@pytest.mark.parametrize("rules", ["all", "none"])
def test_row_53_what_goes_nowhere(lab, rules):
    """Broadcast, multicast, IPv6 and unknown ethertypes: to everybody, a neighbour, the router."""
    if rules == "all":
        lab.wide_open()
        lab.check(("ok", lab.a, lab.b, "udp", 53))
    router = learn(lab, lab.a, "10.0.1.1")
    targets = ["ff" * 6, "01005e000001", "333300000001", router, lab.b.mac, lab.c.mac]
    to_all = bytes.fromhex("6000000000083a40" + "fe80" + "00" * 13 + "01" + "ff02" + "00" * 13
                           + "01" + "8000000000000000")
    to_one = bytes.fromhex("6000000000143b40" + "fe80" + "00" * 13 + "01" + "fd00" + "00" * 13
                           + "02") + b"probe:oipv6;" + bytes(8)
    sent = []
    for target in targets:
        for kind in ("88b5", "8847", "8100", "0805", "0001", "86dd"):
            sent.append(header(lab.a, target, kind) + b"probe:oframe;" + bytes(60))
        sent += [header(lab.a, target, "86dd") + body for body in (to_all, to_one)]
        for address in ("255.255.255.255", "10.0.1.255", "10.0.2.255", "10.0.1.0", "224.0.0.1",
                        "239.1.2.3", "0.0.0.0"):
            sent.append(header(lab.a, target) +
                        probe(lab.a.address, address, UDP, "spread", 5353, 5353, "o"))
    lab.forget()
    lab.a.agent.frames(*sent)
    assert not any(lab.collect({}).values())


# Rows 59 and 61.

@pytest.mark.parametrize("place", PLACES)
def test_row_59_a_closed_port(lab, place):
    """The guest's own RST and ICMP 3/3 come back by the flow they are about, without a rule."""
    target = lab.b if place == "same" else lab.c
    lab.rules(lab.a, [], [allow("tcp", 4001), allow("udp", 4001)])
    lab.rules(target, [allow("tcp", 4001, cidr=lab.a.cidr), allow("udp", 4001, cidr=lab.a.cidr)])
    assert lab.a.agent("connect", "tcp", target.address, 4001) == "ECONNREFUSED"
    number = lab.a.agent("connect", "udp", target.address, 4001)
    assert lab.a.agent("exchange", number, "anybody?") == "ECONNREFUSED"
    # An ICMP error about a flow that nobody has is an ordinary packet.
    lab.check(("no", target, lab.a, "icmp", (3, 3)))


def test_row_59_the_acl_sees_the_error(lab):
    """ICMP 3/3 crosses the subnet's edge as ICMP."""
    lab.rules(lab.a, [], [allow("udp", 4002, cidr=lab.c.cidr)])
    lab.rules(lab.c, [allow("udp", 4002, cidr=lab.a.cidr)])
    number = lab.a.agent("connect", "udp", lab.c.address, 4002)
    lab.acl(lab.back, outward=[entry(10, "allow", "udp", 0, 65535),
                               entry(20, "allow", "icmp", 3, 4)])
    assert lab.a.agent("exchange", number, "anybody?") == "timeout"
    lab.acl(lab.back, outward=[entry(20, "allow", "icmp", 3, 3)])
    assert lab.a.agent("exchange", number, "anybody?") == "ECONNREFUSED"


@pytest.mark.parametrize("place", PLACES)
def test_row_61_one_hop(lab, place):
    """A traceroute's first datagram is answered by its target."""
    target = lab.b if place == "same" else lab.c
    lab.wide_open()
    assert lab.a.agent("first_hop", target.address, 33434) == [3, 3, target.address]


# Row 66, and who a rule means.

def test_row_66_a_rule_at_once_on_every_member(lab):
    """One group, four interfaces in two subnets."""
    for guest in lab.guests:
        set_groups(lab.ec2, guest.id, lab.a.group)
    pairs = ((lab.a, lab.b), (lab.a, lab.c), (lab.c, lab.d), (lab.d, lab.b))
    for verdict, inward in (("no", []), ("ok", [exactly("udp", group=lab.a.group)]), ("no", []),
                            ("ok", [exactly("udp", cidr="10.0.0.0/22")])):
        lab.rules(lab.a, inward, [allow()])
        lab.check(*((verdict, *pair, "udp", 53) for pair in pairs))


def test_row_66_groups_come_and_go(lab):
    """ModifyInstanceAttribute: what an interface carries is all that counts for it."""
    lab.rules(lab.a, [], [allow()])
    lab.rules(lab.c, [exactly("tcp")])
    lab.rules(lab.b, [exactly("udp")])
    for groups, tcp, udp_ in (([lab.c], "ok", "no"), ([lab.c, lab.b], "ok", "ok"),
                              ([lab.b], "no", "ok"), ([lab.d], "no", "no"),
                              ([lab.d, lab.b, lab.c], "ok", "ok")):
        set_groups(lab.ec2, lab.c.id, *(guest.group for guest in groups))
        lab.check((tcp, lab.a, lab.c, "tcp", 80), (udp_, lab.a, lab.c, "udp", 53))


def test_row_66_a_rule_modified_in_place(lab):
    lab.rules(lab.a, [], [allow()])
    lab.rules(lab.c, [allow("udp", 53)])
    rule, = (found["SecurityGroupRuleId"] for found in lab.ec2.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [lab.c.group]}])["SecurityGroupRules"])
    lab.check(("ok", lab.a, lab.c, "udp", 53), ("no", lab.a, lab.c, "udp", 54))
    lab.ec2.modify_security_group_rules(GroupId=lab.c.group, SecurityGroupRules=[
        {"SecurityGroupRuleId": rule, "SecurityGroupRule": {
            "IpProtocol": "udp", "FromPort": 54, "ToPort": 54, "CidrIpv4": "10.0.0.0/8"}}])
    lab.check(("no", lab.a, lab.c, "udp", 53), ("ok", lab.a, lab.c, "udp", 54))


def test_row_66_members_of_a_referenced_group(lab):
    """Live: launched, given another group, terminated; its address may be another's then."""
    for guest in lab.guests:
        lab.rules(guest, [allow(group=lab.d.group)], [allow()])
    lab.rules(lab.d, [], [allow()])
    lab.check(("ok", lab.d, lab.b, "udp", 53), ("ok", lab.d, lab.c, "tcp", 80),
              ("no", lab.a, lab.c, "udp", 53), ("no", lab.b, lab.d, "udp", 53))
    set_groups(lab.ec2, lab.a.id, lab.a.group, lab.d.group)
    lab.check(("ok", lab.a, lab.c, "udp", 53), ("ok", lab.a, lab.b, "udp", 53))
    set_groups(lab.ec2, lab.a.id, lab.a.group)
    lab.check(("no", lab.a, lab.c, "udp", 53), ("no", lab.a, lab.b, "udp", 53))
    address = "10.0.1.99"
    late = Guest(lab.world, lab.front, lab.d.group, address=address,
                 SecurityGroupIds=[lab.d.group])
    lab.guests.append(late)
    lab.check(("ok", late, lab.c, "udp", 53), ("ok", late, lab.b, "icmp", (8, 0)))
    leave(lab, late)
    other_one = Guest(lab.world, lab.front, lab.a.group, address=address,
                      SecurityGroupIds=[lab.a.group])
    lab.guests.append(other_one)
    lab.check(("no", other_one, lab.c, "udp", 53), ("no", other_one, lab.b, "udp", 53),
              ("ok", lab.d, lab.c, "udp", 53))
    set_groups(lab.ec2, other_one.id, lab.d.group)
    lab.check(("ok", other_one, lab.c, "udp", 53))
    leave(lab, other_one)


def test_row_66_a_member_that_left_unasked(lab):
    """It leaves while no rule asks for the group; when one does again, it isn't a member."""
    for guest in (lab.c, lab.b):
        lab.rules(guest, [allow(group=lab.d.group)])
        lab.rules(lab.a, [], [allow()])
        set_groups(lab.ec2, lab.a.id, lab.a.group, lab.d.group)
        lab.check(("ok", lab.a, guest, "udp", 53))
        set_groups(lab.ec2, guest.id, lab.d.group)
        set_groups(lab.ec2, lab.a.id, lab.a.group)
        set_groups(lab.ec2, guest.id, guest.group)
        lab.check(("no", lab.a, guest, "udp", 53))
        lab.rules(guest)


def leave(lab, guest):
    lab.guests.remove(guest)
    lab.ec2.terminate_instances(InstanceIds=[guest.id])
    lab.world.await_state("terminated", guest.id)
    guest.agent.close()


def test_references_are_about_private_addresses(lab):
    """By public address the receiver sees a public one, which no reference matches (row 21)."""
    lab.rules(lab.a, [], [allow()])
    for inward, verdict in ((allow(group=lab.a.group), "no"), (allow(cidr=lab.a.cidr), "no"),
                            (allow(cidr=lab.a.public + "/32"), "ok")):
        lab.rules(lab.c, [inward])
        tag, data = lab.probe(lab.a, lab.c, "udp", 53, via=lab.c.public)
        lab.forget()
        lab.a.agent.send(data)
        assert ["q", tag, lab.a.public] in lab.collect({lab.c: verdict == "ok"})[lab.c] \
            or verdict == "no"
        lab.check(("no" if verdict == "ok" else "ok", lab.a, lab.c, "udp", 53))


def test_self(lab):
    """The group's own members, and nobody else; outward too."""
    for guest in lab.guests:
        lab.rules(guest, [allow(group=guest.group)], [allow(group=guest.group)])
    lab.check(("no", lab.a, lab.b, "udp", 53), ("no", lab.a, lab.c, "udp", 53))
    for guest in (lab.b, lab.c):
        set_groups(lab.ec2, guest.id, lab.a.group)
    lab.check(("ok", lab.a, lab.b, "udp", 53), ("ok", lab.a, lab.c, "tcp", 80),
              ("ok", lab.c, lab.b, "icmp", (8, 0)), ("no", lab.d, lab.b, "udp", 53),
              ("no", lab.b, lab.d, "udp", 53))


def test_a_reference_outward(lab):
    lab.rules(lab.a, [], [exactly("udp", group=lab.c.group)])
    for guest in (lab.b, lab.c):
        lab.rules(guest, [allow()])
    lab.check(("ok", lab.a, lab.c, "udp", 53), ("no", lab.a, lab.b, "udp", 53),
              ("no", lab.a, lab.c, "udp", 54), ("no", lab.a, lab.c, "tcp", 53))


def test_a_prefix_list_in_rules(lab):
    """What the list holds counts from one moment to the next."""
    made = lab.ec2.create_managed_prefix_list(
        PrefixListName="peers", AddressFamily="IPv4", MaxEntries=5,
        Entries=[{"Cidr": "10.0.1.0/28"}])["PrefixList"]
    identifier = made["PrefixListId"]
    lab.rules(lab.a, [exactly("udp", prefixes=identifier)], [exactly("udp", prefixes=identifier)])
    for guest in (lab.b, lab.c):
        lab.rules(guest, [allow()], [allow()])

    def change(version, **more):
        lab.ec2.modify_managed_prefix_list(PrefixListId=identifier, CurrentVersion=version, **more)

    def check(near, far):
        lab.check((near, lab.a, lab.b, "udp", 53), (near, lab.b, lab.a, "udp", 53),
                  (far, lab.a, lab.c, "udp", 53), (far, lab.c, lab.a, "udp", 53))
    check("ok", "no")
    change(1, AddEntries=[{"Cidr": "10.0.2.0/25"}])
    check("ok", "ok")
    change(2, RemoveEntries=[{"Cidr": "10.0.1.0/28"}], AddEntries=[{"Cidr": lab.d.cidr}])
    check("no", "ok")
    change(3, RemoveEntries=[{"Cidr": "10.0.2.0/25"}, {"Cidr": lab.d.cidr}])
    check("no", "no")
    lab.rules(lab.a)
    lab.ec2.delete_managed_prefix_list(PrefixListId=identifier)


# What a rule says.

def test_protocols_by_number(lab):
    """GRE, SCTP, ESP and a number that means nothing: a rule of one is not another's."""
    lab.rules(lab.a, [], [allow()])
    rest = [47, 132, 50, 253]
    while rest:
        # Such a flow is a pair of addresses, so what has passed once is tracked from then on.
        allowed, port = rest[0], {132: [7]}
        for target in (lab.b, lab.c):
            lab.rules(target, [allow(allowed, cidr=CIDR)])
        lab.check(*(("no", lab.a, target, protocol, *port.get(protocol, []))
                    for protocol in (*rest[1:], "tcp", "udp") for target in (lab.b, lab.c)),
                  *(("ok", lab.a, target, allowed, *port.get(allowed, []))
                    for target in (lab.b, lab.c)))
        rest.pop(0)


def test_protocols_in_acls(lab):
    lab.wide_open()
    for number, allowed in ((10, "51"), (20, "254"), (30, "2")):
        lab.acl(lab.back, [entry(number, protocol=allowed)])
        lab.check(*(("ok" if protocol == int(allowed) else "no", lab.a, lab.c, protocol)
                    for protocol in (51, 254, 2)), ("no", lab.a, lab.c, "tcp", 51))


def test_icmp_types_and_codes(lab):
    kinds = {(8, 0), (13, 0), (3, 4), (3, 1), (5, 0), (0, 0), (11, 0), (12, 0), (12, 1)}
    lab.rules(lab.a, [], [allow()])
    for rule, passing in ((allow("icmp", 8, -1), {(8, 0)}), (allow("icmp", 8, 0), {(8, 0)}),
                          (allow("icmp", 3, 4), {(3, 4)}), (allow("icmp", 3, -1), {(3, 4), (3, 1)}),
                          (allow("icmp", 0, -1), {(0, 0)}), (allow("icmp", 12, 1), {(12, 1)}),
                          (allow("icmp", -1, -1), kinds), (allow("udp", 0, 65535), set())):
        for target in (lab.b, lab.c):
            lab.rules(target, [rule])
        lab.check(*((answered(kind) if kind in passing else "no", lab.a, target, "icmp", kind)
                    for kind in sorted(kinds) for target in (lab.b, lab.c)))


def answered(kind):
    """Only requests have an answer."""
    return "ok" if kind[0] in (8, 13) else "asked"


def test_icmp_types_and_codes_in_acls(lab):
    lab.wide_open()
    kinds = ((8, 0), (3, 4), (3, 1), (0, 0))
    for denied, passing in ((entry(10, "deny", "icmp", 3, 4), {(8, 0), (3, 1), (0, 0)}),
                            (entry(10, "deny", "icmp", 3, -1), {(8, 0), (0, 0)}),
                            (entry(10, "deny", "icmp", -1, -1), set()),
                            (entry(10, "deny", "icmp", 8, -1), {(3, 4), (3, 1), (0, 0)})):
        lab.acl(lab.back, [denied, *OPEN])
        lab.check(*((answered(kind) if kind in passing else "no", lab.a, lab.c, "icmp", kind)
                    for kind in kinds))


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_ports_at_the_edges(lab, kind):
    ports = (0, 1, 79, 80, 81, 1023, 1024, 65534, 65535)
    lab.rules(lab.a, [], [allow()])
    for first, last in ((0, 0), (65535, 65535), (0, 65535), (80, 80), (1, 65534), (1024, 65535)):
        lab.rules(lab.b, [allow(kind, first, last)])
        lab.rules(lab.c, [allow()])
        lab.acl(lab.back, [entry(100, "allow", kind, first, last)])
        lab.check(*(("ok" if first <= port <= last else "no", lab.a, target, kind, port)
                    for port in ports for target in (lab.b, lab.c)))


def test_egress_rules_alone_decide_outward(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [allow()], [allow()])
    lab.rules(lab.a, [allow()], [allow("tcp", 80, cidr=lab.c.cidr), allow("icmp", 8, -1)])
    lab.check(("ok", lab.a, lab.c, "tcp", 80), ("no", lab.a, lab.b, "tcp", 80),
              ("no", lab.a, lab.c, "udp", 80), ("ok", lab.a, lab.b, "icmp", (8, 0)),
              ("no", lab.a, lab.b, "icmp", (13, 0)), ("ok", lab.b, lab.a, "udp", 7),
              ("ok", lab.c, lab.a, "tcp", 22))


def test_five_groups_are_one_union(lab):
    groups = [lab.world.security_group(lab.vpc, f"part {n}") for n in range(5)]
    for group, rule in zip(groups, (allow("tcp", 1), allow("tcp", 3, 4), allow("udp", 2),
                                    allow("icmp", 8, 0), allow("tcp", 5, group=lab.a.group))):
        set_rules(lab.ec2, group, [rule])
    lab.rules(lab.a, [], [allow()])
    lab.rules(lab.b, [], [allow()])
    set_groups(lab.ec2, lab.c.id, *groups)

    def check(source, *last):
        lab.check(("ok", source, lab.c, "tcp", 1), ("no", source, lab.c, "tcp", 2),
                  ("ok", source, lab.c, "tcp", 3), ("ok", source, lab.c, "tcp", 4),
                  ("ok", source, lab.c, "udp", 2), ("no", source, lab.c, "udp", 1),
                  ("ok", source, lab.c, "icmp", (8, 0)), *last)
    check(lab.a, ("ok", lab.a, lab.c, "tcp", 5))
    check(lab.b, ("no", lab.b, lab.c, "tcp", 5))
    set_groups(lab.ec2, lab.c.id, *groups[1:])
    lab.check(("no", lab.a, lab.c, "tcp", 1), ("ok", lab.a, lab.c, "tcp", 3))
    set_groups(lab.ec2, lab.c.id, lab.c.group)
    for group in groups:
        lab.ec2.delete_security_group(GroupId=group)


# ACLs change at once.

def test_an_entry_replaced(lab):
    lab.wide_open()
    for verdict, action in (("ok", "allow"), ("no", "deny"), ("ok", "allow")):
        lab.ec2.replace_network_acl_entry(NetworkAclId=lab.acls[lab.back], Egress=False,
                                          **entry(100, action))
        lab.check((verdict, lab.a, lab.c, "udp", 53), ("ok", lab.a, lab.b, "udp", 53))
    lab.ec2.replace_network_acl_entry(NetworkAclId=lab.acls[lab.back], Egress=False,
                                      **entry(100, "allow", "udp", 50, 60, cidr=lab.a.cidr))
    lab.check(("ok", lab.a, lab.c, "udp", 53), ("no", lab.d, lab.c, "udp", 53),
              ("no", lab.a, lab.c, "udp", 61))


def test_an_association_replaced(lab):
    """A new ACL denies all; the other subnet's ACL is nobody else's."""
    lab.wide_open()
    made = lab.ec2.create_network_acl(VpcId=lab.vpc)["NetworkAcl"]["NetworkAclId"]
    for acl, verdict in ((made, "no"), (lab.acls[lab.back], "ok"), (lab.acls[lab.front], "ok")):
        bind_acl(lab.ec2, lab.back, acl)
        lab.check((verdict, lab.a, lab.c, "udp", 53), (verdict, lab.c, lab.a, "tcp", 80),
                  ("ok", lab.a, lab.b, "udp", 53))
    lab.acl(lab.front, [entry(10, "deny", "udp", 53), *OPEN])  # now both subnets'
    lab.check(("no", lab.a, lab.c, "udp", 53), ("no", lab.c, lab.a, "udp", 53),
              ("ok", lab.a, lab.c, "tcp", 80))
    bind_acl(lab.ec2, lab.back, lab.acls[lab.back])
    lab.check(("ok", lab.a, lab.c, "udp", 53), ("no", lab.c, lab.a, "udp", 53))
    lab.ec2.delete_network_acl(NetworkAclId=made)


# Ways around, tried by root inside an instance.

@pytest.mark.parametrize("place", PLACES)
def test_frames_to_every_mac(lab, place):
    """Around the router, straight to the neighbour, to the router for its own subnet."""
    target = lab.b if place == "same" else lab.c
    lab.rules(lab.a, [], [allow()])
    macs = [lab.b.mac, lab.c.mac, learn(lab, lab.a, "10.0.1.1"), learn(lab, lab.a, lab.b.address)
            or lab.b.mac, "ff:ff:ff:ff:ff:ff"]
    lab.forget()
    for mac in macs:
        lab.a.agent.frames(*(header(lab.a, mac) + lab.probe(lab.a, target, kind, port)[1]
                             for kind, port in PORTS.items()))
    assert not any(lab.collect({}).values())
    lab.rules(lab.a)  # nor out of one's own
    lab.rules(target, [allow()])
    for mac in macs:
        lab.a.agent.frames(*(header(lab.a, mac) + lab.probe(lab.a, target, kind, port)[1]
                             for kind, port in PORTS.items()))
    assert not any(lab.collect({}).values())


def test_frames_to_the_neighbour_where_rules_allow(lab):
    """By the MAC that ARP tells, whatever a guest puts around it by itself."""
    lab.rules(lab.a, [], [exactly("udp")])
    lab.rules(lab.b, [exactly("udp")])
    assert learn(lab, lab.a, lab.b.address)
    lab.forget()
    tag, data = lab.probe(lab.a, lab.b, "udp", 53, "o")
    lab.a.agent.frames(header(lab.a, lab.neighbour(lab.a, lab.b.address)) + data)
    lab.assert_heard(lab.b, tag)


def test_an_established_look_opens_no_acl(lab):
    """ACKs, SYN/ACKs, RSTs and echo replies out of nowhere are packets like any other."""
    lab.rules(lab.a, [allow()], [allow()])
    lab.rules(lab.c, [allow()], [allow()])
    lab.acl(lab.back, [requests("tcp", 10, "deny"), entry(20, "deny", "icmp", -1, -1), *OPEN])
    lab.forget()
    for flags in (ACK, SYN | ACK, RST, RST | ACK, ACK | 1, 0):
        lab.a.agent.send(packet(lab.a.address, lab.c.address, TCP, tcp(
            lab.a.address, lab.c.address, next(lab.numbers), 80, mark("flags", "o"), flags)))
    lab.a.agent.send(lab.probe(lab.a, lab.c, "icmp", (0, 0), "o")[1])
    lab.assert_heard(lab.c)


@pytest.mark.parametrize("flags", [ACK, SYN | ACK, RST, ACK | 1, 0, 255])
def test_an_established_look_opens_no_group(lab, flags):
    """1.10: a TCP packet in mid-stream with no state and no rule is dropped."""
    lab.rules(lab.a, [], [allow()])
    for target in (lab.b, lab.c):
        lab.rules(target, [exactly("udp")])
        lab.a.agent.send(packet(lab.a.address, target.address, TCP, tcp(
            lab.a.address, target.address, next(lab.numbers), 80, mark("flags", "o"), flags)))
    assert not any(lab.collect({}).values())


def test_ipv6_around_a_deny(lab):
    """IPv6 addresses of the guests' own making, link-local ones too: nothing is carried."""
    lab.wide_open()
    lab.acl(lab.front, [entry(10, "deny")], [entry(10, "deny")])
    for number, guest in enumerate((lab.a, lab.b, lab.c), 1):
        for command in (["sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6"],
                        ["ip", "-6", "address", "add", f"fd00::{number}/64", "dev", "eth0",
                         "nodad"]):
            guest.agent("run", *command)
    lab.forget()
    for address in ("fd00::2", "fd00::3", "ff02::1%eth0", "fe80::1%eth0"):
        lab.a.agent("run", *f"ping -6 -n -c 1 -W 0.1 {address}".split())
    for target in (lab.b, lab.c):
        lab.a.agent("run", *f"ip -6 neighbour replace fd00::9 lladdr {target.mac} dev eth0".split())
        lab.a.agent("run", *"ping -6 -n -c 1 -W 0.1 fd00::9".split())
    assert not any(lab.collect({}).values())
    for number, guest in enumerate((lab.a, lab.b, lab.c), 1):
        guest.agent("run", *f"ip -6 address del fd00::{number}/64 dev eth0".split())


def test_flushed_nftables(lab):
    """The instance's own rules are its own business."""
    lab.rules(lab.a, [], [exactly("udp")])
    try:
        for guest in (lab.a, lab.b, lab.c):
            assert guest.agent("run", "nft", "flush", "ruleset")[0] == 0
        for target in (lab.b, lab.c):
            lab.a.agent.send(*(lab.probe(lab.a, target, kind, port, "o")[1]
                               for kind, port in PORTS.items()))
        assert not any(lab.collect({}).values())
    finally:
        for guest in (lab.a, lab.b, lab.c):
            guest.agent.deafen()
    lab.check(("no", lab.a, lab.b, "udp", 53), ("no", lab.a, lab.c, "udp", 53))


def test_a_changed_mac(lab):
    """Another MAC, a neighbour's MAC: nothing leaves. With its own again, everything does."""
    lab.wide_open()
    try:
        for mac in ("02:11:22:33:44:55", lab.b.mac):
            assert lab.a.agent("run", *f"ip link set eth0 address {mac}".split())[0] == 0
            for target in (lab.d, lab.c):
                lab.a.agent.send(lab.probe(lab.a, target, "udp", 53, "o")[1])
            assert not any(lab.collect({}).values())
    finally:
        lab.a.agent("run", *f"ip link set eth0 address {lab.a.mac}".split())
    lab.check(("ok", lab.a, lab.d, "udp", 53), ("ok", lab.a, lab.c, "udp", 53))
    router = learn(lab, lab.a, "10.0.1.1")
    lab.forget()
    lab.a.agent.frames(*(header(lab.b, router) + lab.probe(lab.a, target, "udp", 53, "o")[1]
                         for target in (lab.d, lab.c)))
    assert not any(lab.collect({}).values())


def test_an_added_address(lab):
    """An address that the API doesn't know is no address: neither sends nor hears."""
    lab.wide_open()
    lab.a.agent("run", *"ip address add 10.0.1.77/24 dev eth0".split())
    try:
        lab.forget()
        lab.a.agent.frames(arp(lab.a, 1, lab.a.mac, "10.0.1.77", "ff:ff:ff:ff:ff:ff", "10.0.1.77"))
        for target in (lab.b, lab.c):
            lab.a.agent.send(lab.probe(lab.a, target, "udp", 53, "o", pretend="10.0.1.77")[1])
        for source in (lab.b, lab.c):
            source.agent("send", [probe(source.address, "10.0.1.77", UDP, "x", 9, 53, "o").hex()])
        assert not any(lab.collect({}).values())
    finally:
        lab.a.agent("run", *"ip address del 10.0.1.77/24 dev eth0".split())
        lab.a.agent("run", *"ip neighbour flush all".split())  # it has asked in the wrong name


def arp(guest, kind, sender, sender_address, target, target_address, to="ff:ff:ff:ff:ff:ff"):
    """A frame: 1 asks, 2 answers."""
    return header(guest, to, "0806") + struct.pack("!HHBBH", 1, 0x800, 6, 4, kind) + \
        bytes.fromhex(sender.replace(":", "")) + socket.inet_aton(sender_address) + \
        bytes.fromhex(target.replace(":", "")) + socket.inet_aton(target_address) + bytes(18)


@pytest.mark.parametrize("check", [True, False], ids=["check", "no check"])
def test_forged_arp(lab, check):
    """Neither takes an address from its owner nor one that nobody has; no guest hears of it."""
    lab.wide_open()
    lab.ec2.modify_instance_attribute(InstanceId=lab.a.id, SourceDestCheck={"Value": check})
    router = learn(lab, lab.a, "10.0.1.1")
    for address in (lab.b.address, "10.0.1.1", "10.0.1.78", lab.c.address):
        for kind in (1, 2):
            for mac in (lab.a.mac, lab.b.mac, "02:11:22:33:44:55"):
                for to in ("ff:ff:ff:ff:ff:ff", router, lab.b.mac):
                    lab.a.agent.frames(arp(lab.a, kind, mac, address, router, "10.0.1.1", to),
                                       arp(lab.a, kind, mac, address, mac, address, to))
    for guest in lab.everyone():
        if guest is not lab.a:
            assert all(frame[12:14] != b"\x08\x06" or frame[28:32] != socket.inet_aton("10.0.1.78")
                       for frame in guest.agent.heard_frames())
    lab.d.agent("send", [probe(lab.d.address, "10.0.1.78", UDP, "x", 9, 53, "o").hex()])
    lab.check(("ok", lab.d, lab.b, "udp", 53), ("ok", lab.c, lab.b, "udp", 53),
              ("ok", lab.b, lab.c, "tcp", 80), ("ok", lab.d, lab.a, "udp", 53))
    lab.ec2.modify_instance_attribute(InstanceId=lab.a.id, SourceDestCheck={"Value": True})


def fragments(source, target, body, cuts, ident, protocol=UDP):
    """A packet in pieces; cuts are multiples of 8."""
    edges = [0, *cuts, len(body)]
    return [packet(source.address, target.address, protocol, body[start:end], tos=0, ident=ident,
                   fragment=start // 8 | (0x2000 if end < len(body) else 0))
            for start, end in zip(edges, edges[1:])]


@pytest.mark.parametrize("cuts", [[8], [1000], [8, 16, 24], [64, 512]])
@pytest.mark.parametrize("place", PLACES)
def test_fragments_are_judged_as_a_whole(lab, place, cuts):
    """A piece without ports passes with its flow, and not without; tiny ones and all orders."""
    target = lab.b if place == "same" else lab.c
    lab.rules(lab.a, [], [allow()])
    lab.rules(target, [allow("udp", 6001)])
    for port in (6001, 6002):
        target.agent("serve", "udp", port)
    lab.acl(lab.back, [entry(100, "allow", "udp", 6001)])
    for port in (6001, 6002):
        for backwards in (False, True):
            text = f"{backwards}".encode() + b"x" * 1200
            body = udp(lab.a.address, target.address, next(lab.numbers), port, text)
            pieces = fragments(lab.a, target, body, cuts, next(lab.numbers))
            lab.a.agent.send(*(reversed(pieces) if backwards else pieces))
    wait_for(lambda: len(target.agent("received", "udp", 6001)) >= 2, 3, "both datagrams")
    lab.collect({})
    assert [text.rstrip("x") for text in target.agent("received", "udp", 6001)] == ["False", "True"]
    assert target.agent("received", "udp", 6002) == []


@pytest.mark.parametrize("place", PLACES)
def test_fragments_that_lie(lab, place):
    """Later pieces alone; a second first piece that names another port."""
    target = lab.b if place == "same" else lab.c
    lab.rules(lab.a, [], [allow()])
    lab.rules(target, [allow("udp", 6001)])
    for port in (6001, 6002):
        target.agent("serve", "udp", port)
    body, other_body = (udp(lab.a.address, target.address, 7, port, b"secret" * 20)
                        for port in (6001, 6002))
    lab.forget()
    lab.a.agent.send(*fragments(lab.a, target, other_body, [8, 16], 1001)[1:])
    first, second = fragments(lab.a, target, body, [24], 1002)
    lying, _ = fragments(lab.a, target, other_body, [24], 1002)
    lab.a.agent.send(first, lying, second)
    lying, second = fragments(lab.a, target, other_body, [24], 1003)
    first, _ = fragments(lab.a, target, body, [24], 1003)
    lab.a.agent.send(lying, first, second)
    # A TCP header in two pieces, the flags in the second (RFC 1858).
    segment = tcp(lab.a.address, target.address, 7, 6002, b"tiny")
    lab.a.agent.send(*fragments(lab.a, target, segment, [8], 1004, TCP))
    lab.collect({})
    assert target.agent("received", "udp", 6002) == []
    assert not [seen for seen in target.agent.heard() if seen.protocol == TCP]


OPTIONS = {"nothing": b"\1\1\1\0", "record route": bytes([7, 7, 4, 0, 0, 0, 0, 0]),
           "router alert": bytes([148, 4, 0, 0]), "many": b"\1" * 40}


@pytest.mark.parametrize("options", OPTIONS)
def test_ip_options_hide_no_port(lab, options):
    """The ports are behind the options, wherever that is."""
    lab.rules(lab.a, [], [exactly("udp")])
    for target in (lab.b, lab.c):
        lab.rules(target, [exactly("udp")])
    lab.acl(lab.back, [requests("udp", 10), entry(20, "deny")])
    lab.forget()
    wanted = {}
    for target in (lab.b, lab.c):
        for port in (53, 54):
            tag, data = lab.probe(lab.a, target, "udp", port, "o")
            lab.a.agent.send(packet(lab.a.address, target.address, UDP, data[20:],
                                    options=OPTIONS[options]))
            if port == 53:
                wanted[target] = [tag]
    found = lab.collect({lab.b: 1, lab.c: 1})
    assert {guest: [entry_[1] for entry_ in heard] for guest, heard in found.items() if heard} == \
        wanted


@pytest.mark.parametrize("kind", [131, 137], ids=["loose", "strict"])
def test_source_routing(lab, kind):
    """No detour by a neighbour, the router or another subnet."""
    lab.wide_open()
    lab.rules(lab.c)
    for hop, last in ((lab.b.address, lab.c.address), ("10.0.1.1", lab.c.address),
                      ("10.0.1.1", lab.b.address), ("10.0.2.1", lab.c.address)):
        route = bytes([1, kind, 7, 4]) + socket.inet_aton(last)
        data = lab.probe(lab.a, lab.b, "udp", 53, "o")[1][20:]
        lab.a.agent.frames(header(lab.a, learn(lab, lab.a, "10.0.1.1")) + packet(
            lab.a.address, hop, UDP, data, options=route))
    lab.forget()
    found = lab.collect({})
    assert not found[lab.c] and not found[lab.b], found


# A flow is its own two interfaces'; what looks like it from elsewhere is not it.

@pytest.fixture
def stranger(lab):
    """D may send in any name."""
    lab.ec2.modify_instance_attribute(InstanceId=lab.d.id, SourceDestCheck={"Value": False})
    yield lab.d
    lab.ec2.modify_instance_attribute(InstanceId=lab.d.id, SourceDestCheck={"Value": True})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", PORTS)
def test_a_tracked_flow_is_not_a_strangers(lab, stranger, place, kind):
    """The same 5-tuple out of another interface is judged by that one's own rules."""
    target = lab.b if place == "same" else lab.c
    lab.rules(lab.a, [], [exactly(kind)])
    lab.rules(target, [exactly(kind, cidr=lab.a.cidr)])
    tag, data = lab.probe(lab.a, target, kind, PORTS[kind])
    lab.a.agent.send(data)
    found = lab.collect({lab.a: 1, target: 1})
    assert ["r", tag, target.address] in found[lab.a]
    # What the stranger says in A's name, and in the target's.
    forged, asked = (probe(lab.a.address, target.address, data[9], "forged", *numbers(kind, data),
                           direction) for direction in "oq")
    stranger.agent.send(forged, answer(Seen(asked)))
    assert not any(lab.collect({}).values())
    # Where its own rules let it, it is the receiver's rules' and flows' business (row 14).
    lab.rules(stranger, [], [allow()])
    lab.rules(target, [], [])
    fresh = lab.probe(stranger, target, kind, PORTS[kind], "o", pretend=lab.a.address)[1]
    stranger.agent.send(fresh)
    assert not any(lab.collect({}).values())


def numbers(kind, data):
    """`first` and `second` of the probe, see packets.py."""
    if kind == "icmp":
        return struct.unpack("!H", data[24:26])[0], (8, 0)
    return struct.unpack("!HH", data[20:24])


def test_a_flow_with_another_is_no_rule(lab):
    """A talks to B; that says nothing about B to A anew, or C, or another port."""
    lab.rules(lab.a, [], [allow("udp", 53)])
    lab.rules(lab.b, [allow("udp", 53)], [allow("udp", 1, 65535)])
    tag, data = lab.probe(lab.a, lab.b, "udp", 53)
    lab.forget()
    lab.a.agent.send(data)
    lab.collect({lab.a: 1, lab.b: 1})
    source_port = numbers("udp", data)[0]
    for source, first in ((lab.b, 54), (lab.d, 53), (lab.c, 53)):
        lab.rules(source, [], [allow()])
        source.agent.send(probe(source.address, lab.a.address, UDP, tag, first, source_port, "o"))
    lab.assert_heard(lab.a)
