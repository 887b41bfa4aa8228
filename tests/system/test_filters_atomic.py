"""
Rules flip 1,000 times under traffic. A flow that the rules allow before and after a change loses no
packet by it, and of one that both deny none gets through: no packet sees half a change. Each packet
comes from a port of its own, so each is judged anew.
"""
import time

import pytest

from agents import Program
from filters import ANYWHERE, OPEN, Lab, allow, bind_acl, entry, set_groups, set_rules

GOOD, BAD = 7001, 7002
FLIPS = 1000
EVERYBODY = "10.0.0.0/8"

# Numbered datagrams to each port of each address in turn, until told to stop; how many of each.
SENDER = """
import select, socket, struct, sys, time
source, rate, targets = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
ports = [int(port) for port in sys.stdin.readline().split()]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
me = socket.inet_aton(source)
flows = [(address, port, socket.inet_aton(address)) for address in targets for port in ports]
first, sent, start = int(sys.stdin.readline()), 0, time.monotonic()
while not select.select([0], [], [], 0)[0]:
    for _ in range(4):
        for address, port, to in flows:
            s.sendto(struct.pack('!BBHHHBBH4s4sHHHHI', 0x45, 0, 32, 0, 0, 64, 17, 0, me, to,
                                 1024 + (first + sent) % 64000, port, 12, 0, sent), (address, 0))
        sent += 1
    ahead = start + sent / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
print(sent)
"""

# Tells, for each port, how many different datagrams came.
RECEIVER = """
import json, os, select, socket, struct, sys
ports = [int(word) for word in sys.argv[1:]]
made = {}
for port in ports:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    s.bind(('0.0.0.0', port))
    s.setblocking(False)
    made[s] = set()
print('ready', flush=True)
while True:
    # What has come is counted before anybody is told.
    for one in sorted(select.select([0, *made], [], [])[0], key=lambda ready: ready == 0):
        if one == 0:
            if not os.read(0, 100):
                sys.exit()
            print(json.dumps([len(made[s]) for s in made]), flush=True)
            for s in made:
                made[s].clear()
            continue
        try:
            while True:
                made[one].add(struct.unpack('!I', one.recv(100))[0])
        except BlockingIOError:
            pass
"""


class Traffic:
    """From A to B in its subnet and to C in another, as a context; `rate` for each flow."""

    first = 0

    def __init__(self, world, lab, receivers, rate=1200):
        self.world, self.lab, self.receivers, self.rate = world, lab, receivers, rate

    def __enter__(self):
        self.sender = Program(self.world, self.lab.a.id, SENDER, self.lab.a.address, self.rate,
                              *(guest.address for guest in self.receivers))
        self.sender.say(f"{GOOD} {BAD}")
        self.sender.say(str(Traffic.first))
        time.sleep(0.1)  # it speaks before anything changes
        return self

    def __exit__(self, kind, *_):
        self.sender.say("stop")
        self.sent = self.sender.line()
        self.sender.close()
        Traffic.first += self.sent
        time.sleep(0.1)  # what is on its way
        self.heard = {}
        for guest, receiver in self.receivers.items():
            receiver.say("report")
            self.heard[guest] = receiver.line()
        if kind is None:
            assert self.sent > 50
            assert self.heard == {guest: [self.sent, 0] for guest in self.receivers}, \
                f"of {self.sent} packets each, [allowed, denied] that arrived: {self.heard}"


@pytest.fixture(scope="module")
def lab(world):
    made = Lab(world)
    made.close()
    made.more = {name: world.security_group(made.vpc, name) for name in ("one", "two", "there")}
    made.spare = made.ec2.create_network_acl(VpcId=made.vpc)["NetworkAcl"]["NetworkAclId"]
    made.prefixes = made.ec2.create_managed_prefix_list(
        PrefixListName="flip", AddressFamily="IPv4", MaxEntries=5,
        Entries=[{"Cidr": made.a.cidr}])["PrefixList"]["PrefixListId"]
    made.flips = 0
    return made


@pytest.fixture(scope="module")
def receivers(world, lab):
    found = {guest: Program(world, guest.id, RECEIVER, GOOD, BAD) for guest in (lab.b, lab.c)}
    for receiver in found.values():
        assert receiver.process.stdout.readline() == b"ready\n"
    yield found
    for receiver in found.values():
        receiver.close()


def good(**peers):
    return allow("udp", GOOD, **peers)


def swap(lab, guests, egress=False, **choices):
    """One rule for another: first the new one comes, then the old one goes."""
    add, remove = ((lab.ec2.authorize_security_group_egress,
                    lab.ec2.revoke_security_group_egress) if egress else
                   (lab.ec2.authorize_security_group_ingress,
                    lab.ec2.revoke_security_group_ingress))
    old, new = (good(**{choices["by"]: value}) for value in choices["values"])

    def turn(old_one, new_one):
        return [lambda call=call, guest=guest, rule=rule: call(
            GroupId=guest.group, IpPermissions=[rule])
            for guest in guests for call, rule in ((add, new_one), (remove, old_one))]
    return turn(old, new) + turn(new, old)


# Each sets up its rules and gives a round of calls that ends where it began. Every call is a flip.

def other_rules(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(cidr=lab.a.cidr)])
    others = [allow("tcp", 22), allow("udp", 6000, GOOD - 1, cidr=lab.d.cidr),
              allow("udp", BAD, cidr="10.0.2.0/24"), allow("udp", BAD, group=lab.d.group)]
    return [lambda call=call, guest=guest, other=other: call(GroupId=guest.group,
                                                              IpPermissions=[other])
            for other in others
            for call in (lab.ec2.authorize_security_group_ingress,
                         lab.ec2.revoke_security_group_ingress) for guest in (lab.b, lab.c)]


def a_wider_rule(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(cidr=lab.a.cidr)])
    return swap(lab, (lab.b, lab.c), by="cidr", values=(lab.a.cidr, EVERYBODY))


def tracked_or_not(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good()], [allow()])
    return swap(lab, (lab.b, lab.c), by="cidr", values=(ANYWHERE, EVERYBODY))


def the_senders_rules(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good()])
    lab.rules(lab.a, [], [good(cidr="10.0.0.0/16")])
    return swap(lab, (lab.a,), egress=True, by="cidr", values=("10.0.0.0/16", EVERYBODY))


def modified_in_place(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(cidr=lab.a.cidr)])
    rules = {rule["GroupId"]: rule["SecurityGroupRuleId"]
             for rule in lab.ec2.describe_security_group_rules()["SecurityGroupRules"]
             if not rule["IsEgress"]}

    def modify(guest, first, last, cidr):
        lab.ec2.modify_security_group_rules(GroupId=guest.group, SecurityGroupRules=[
            {"SecurityGroupRuleId": rules[guest.group], "SecurityGroupRule": {
                "IpProtocol": "udp", "FromPort": first, "ToPort": last, "CidrIpv4": cidr}}])
    return [lambda guest=guest, new=new: modify(guest, *new)
            for new in ((GOOD - 5, GOOD, "10.0.1.0/24"), (GOOD, GOOD, lab.a.cidr))
            for guest in (lab.b, lab.c)]


def a_prefix_list(lab):
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(prefixes=lab.prefixes)])

    def change(add, remove):
        version = lab.ec2.describe_managed_prefix_lists(
            PrefixListIds=[lab.prefixes])["PrefixLists"][0]["Version"]
        lab.ec2.modify_managed_prefix_list(
            PrefixListId=lab.prefixes, CurrentVersion=version, AddEntries=[{"Cidr": add}],
            RemoveEntries=[{"Cidr": remove}])
    return [lambda: change("10.0.1.0/24", lab.a.cidr), lambda: change(lab.a.cidr, "10.0.1.0/24")]


def references(lab):
    set_groups(lab.ec2, lab.a.id, lab.a.group, lab.more["one"], lab.more["two"])
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(group=lab.more["one"]), allow("udp", BAD, group=lab.d.group)])
    return swap(lab, (lab.b, lab.c), by="group", values=(lab.more["one"], lab.more["two"]))


def members(lab):
    """Of the sender other groups change, and of the group other members."""
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(group=lab.more["one"]), allow("udp", BAD, group=lab.more["two"])])
    sender = (lab.a.group, lab.more["one"])
    set_groups(lab.ec2, lab.a.id, *sender)
    return [lambda pair=pair: set_groups(lab.ec2, *pair) for pair in (
        (lab.d.id, lab.more["one"]), (lab.a.id, *sender, lab.more["there"]),
        (lab.d.id, lab.more["two"]), (lab.a.id, *sender), (lab.d.id, lab.d.group))]


def the_targets_groups(lab):
    set_rules(lab.ec2, lab.more["there"], [allow("udp", GOOD - 5, GOOD, cidr=EVERYBODY)])
    for guest in (lab.b, lab.c):
        lab.rules(guest, [good(cidr=lab.a.cidr)])
    return [lambda guest=guest, groups=groups: set_groups(lab.ec2, guest.id, *groups)
            for guest in (lab.b, lab.c)
            for groups in ((guest.group, lab.more["there"]), (lab.more["there"],),
                           (guest.group, lab.more["there"]), (guest.group,))]


def behind_acls(lab):
    """To C, only ACLs deny; B is in the sender's subnet, where none counts."""
    lab.rules(lab.c, [allow("udp", GOOD, BAD, cidr="10.0.1.0/24")])
    lab.rules(lab.b, [good(cidr=lab.a.cidr)])


def an_acls_entries(lab):
    behind_acls(lab)
    lab.acl(lab.back, [entry(50, "deny", "udp", BAD), entry(100, "allow", "udp", GOOD)])
    lab.acl(lab.front, OPEN, OPEN)

    def replace(subnet, egress, *arguments, **more):
        lab.ec2.replace_network_acl_entry(NetworkAclId=lab.acls[subnet], Egress=egress,
                                          **entry(*arguments, **more))
    return [lambda: replace(lab.back, False, 50, "deny", "udp", BAD, BAD + 9),
            lambda: replace(lab.back, False, 100, "allow", "-1", cidr="10.0.0.0/16"),
            lambda: replace(lab.front, True, 100, "allow", "udp", GOOD, BAD),
            lambda: replace(lab.back, False, 50, "deny", "udp", BAD, cidr=lab.a.cidr),
            lambda: replace(lab.back, False, 100, "allow", "udp", GOOD, cidr=lab.a.cidr),
            lambda: replace(lab.front, True, 100)]


def entries_around(lab):
    behind_acls(lab)
    lab.acl(lab.back, [entry(50, "deny", "udp", BAD), entry(100, "allow", "udp", GOOD)])
    acl = lab.acls[lab.back]
    return [call for new in (entry(10, "deny", "tcp", 22), entry(30, "allow", "udp", GOOD),
                             entry(40, "deny", cidr="10.0.3.0/24"), entry(60, "allow"))
            for call in (
                lambda new=new: lab.ec2.create_network_acl_entry(NetworkAclId=acl, Egress=False,
                                                                 **new),
                lambda new=new: lab.ec2.delete_network_acl_entry(
                    NetworkAclId=acl, Egress=False, RuleNumber=new["RuleNumber"]))]


def an_acls_association(lab):
    behind_acls(lab)
    lab.acl(lab.back, [entry(50, "deny", "udp", BAD), *OPEN])
    if not [one for one in lab.ec2.describe_network_acls(NetworkAclIds=[lab.spare])[
            "NetworkAcls"][0]["Entries"] if one["RuleNumber"] < 32767]:
        lab.ec2.create_network_acl_entry(NetworkAclId=lab.spare, Egress=False,
                                         **entry(100, "allow", "udp", GOOD))
        lab.ec2.create_network_acl_entry(NetworkAclId=lab.spare, Egress=True, **entry(100))
    return [lambda: bind_acl(lab.ec2, lab.back, lab.spare),
            lambda: bind_acl(lab.ec2, lab.back, lab.acls[lab.back])]


CHANGES = (other_rules, a_wider_rule, tracked_or_not, the_senders_rules, modified_in_place,
           a_prefix_list, references, members, the_targets_groups, an_acls_entries,
           entries_around, an_acls_association)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_no_packet_sees_half_a_change(world, lab, receivers, change):
    for guest in lab.guests:
        set_groups(lab.ec2, guest.id, guest.group)
        lab.rules(guest)
    for subnet in (lab.front, lab.back):
        lab.acl(subnet)
    lab.rules(lab.a, [], [allow("udp", GOOD, BAD)])
    calls = change(lab)
    flips = 0
    with Traffic(world, lab, receivers):
        while flips < FLIPS / len(CHANGES):
            for call in calls:
                call()
            flips += len(calls)
    lab.flips += flips


def test_there_were_enough_flips(lab):
    assert lab.flips >= FLIPS
