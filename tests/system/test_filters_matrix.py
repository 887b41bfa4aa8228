"""Groups, ACLs and the source check, packet by packet: each row of the table is a case."""
import pytest

from filters import ANYWHERE, OPEN, Lab, allow, entry

PLACES = ("same", "across")
PORTS = {"tcp": 80, "udp": 53, "icmp": (8, 0)}
NEVER = ("udp", 1)  # a port that no probe has


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
    "1 the rule in is another peer's": ("no", lambda kind: {"in": [exactly(kind, cidr="10.0.2.0/24"),
                                                                  exactly(kind, cidr="10.0.0.0/24")]}),
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
        lab.check(("ok" if by_acl else verdict, lab.a, lab.b, kind, PORTS[kind]),
                  (verdict, lab.a, lab.c, kind, PORTS[kind]))
        # The other way round is a flow of its own, which has no rule.
        if "in" not in changes:
            lab.check(("no", lab.b, lab.a, kind, PORTS[kind]),
                      ("no", lab.c, lab.a, kind, PORTS[kind]))
