"""
Random groups, rules, prefix lists and ACLs, and what a plain model says becomes of each packet;
real packets must agree: verdicts.py.

MINIVPC_TEST_SEED=… replays a run; a failure prints it.
"""
import ipaddress
import json
import os
import random
import types

import pytest

from agents import collect
from filters import (ANYWHERE, Guest, allow, bind_acl, entry, set_acl, set_groups,
                     set_rules)
from packets import ICMP, REPLY_TYPES, TCP, UDP, probe
from verdicts import Model

SEED = os.environ.get("MINIVPC_TEST_SEED") or str(random.SystemRandom().randrange(10 ** 9))
ROUNDS, PROBES_PER_PAIR = 10, 12
LEAST_VERDICTS = 2000
SUBNETS = ("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/26")
HOMES = (0, 0, 0, 1, 1, 2, 2)  # the subnet of each instance
GROUPS = 5

NAMES = {"tcp": TCP, "udp": UDP, "icmp": ICMP}
PORTS = (0, 22, 53, 79, 80, 81, 443, 1023, 1024, 8080, 32768, 65534, 65535)
RANGES = ((0, 65535), (80, 80), (22, 80), (0, 1023), (1024, 65535), (53, 53), (443, 8080), (81, 81),
          (65535, 65535), (0, 0), (32768, 60999))
KINDS = ((8, 0), (8, 0), (13, 0), (3, 4), (3, 1), (0, 0), (11, 0), (12, 1))
TYPES = ((-1, -1), (8, -1), (8, 0), (3, -1), (3, 4), (0, -1), (13, 0), (12, -1), (14, 0))


# The VPC.

@pytest.fixture(scope="module")
def lab(world):
    vpc = world.vpc()
    subnets = [world.subnet(vpc, cidr) for cidr in SUBNETS]
    groups = [world.security_group(vpc, f"group {n}") for n in range(GROUPS)]
    acls = [world.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
            for _ in subnets]
    for subnet, acl in zip(subnets, acls):
        bind_acl(world.ec2, subnet, acl)
    prefixes = [world.ec2.create_managed_prefix_list(
        PrefixListName=f"list {n}", AddressFamily="IPv4",
        MaxEntries=4)["PrefixList"]["PrefixListId"] for n in range(2)]
    guests = [Guest(world, subnets[home], groups[0], SecurityGroupIds=[groups[0]])
              for home in HOMES]
    found = types.SimpleNamespace(ec2=world.ec2, subnets=subnets, groups=groups,
                                  acls=dict(zip(subnets, acls)), prefixes=prefixes, guests=guests,
                                  verdicts=0, passed=0)
    yield found
    for guest in guests:
        guest.agent.close()


class Dice:
    """One round's random choices."""

    def __init__(self, lab, number):
        self.lab = lab
        self.random = random.Random(f"{SEED} {number}")
        # No flow is ever met again: what one round tracked must not count in the next.
        shuffled = random.Random(SEED)
        ports = shuffled.sample(range(1024, 65536), 60000)
        self.ports = iter(ports[number * 6000:(number + 1) * 6000])
        protocols = shuffled.sample([number for number in range(2, 253)
                                     if number not in (4, 6, 17, 33, 41, 58, 132, 136)], 40)
        self.protocols = protocols[number * 4:number * 4 + 4]

    def some(self, least, most, make):
        return [make() for _ in range(self.random.randint(least, most))]

    def cidr(self):
        pick = self.random
        address = pick.choice(self.lab.guests).address
        width = pick.choice((0, 0, 8, 16, 22, 24, 24, 26, 28, 30, 31, 32, 32))
        if pick.random() < 0.1:
            address = "192.0.2.1"
        return str(ipaddress.ip_network(f"{address}/{width}", strict=False))

    def service(self):
        """Protocol, first, last."""
        pick = self.random
        name = pick.choice(("all", "tcp", "tcp", "udp", "udp", "icmp", "icmp", "number"))
        if name == "all":
            return -1, -1, -1
        if name == "icmp":
            return ICMP, *pick.choice(TYPES)
        if name == "number":
            return pick.choice(self.protocols), -1, -1
        return NAMES[name], *pick.choice(RANGES)

    def rule(self, out):
        kind = self.random.choice(("cidr", "cidr", "cidr", "group", "group", "prefixes"))
        value = self.cidr() if kind == "cidr" else self.random.choice(
            self.lab.groups if kind == "group" else self.lab.prefixes)
        protocol, first, last = self.service()
        return types.SimpleNamespace(out=out, protocol=protocol, first=first, last=last,
                                     peer=(kind, value))

    def rules(self):
        found = self.some(1, 5, lambda: self.rule(False)) + self.some(1, 4, lambda: self.rule(True))
        for out, chance in ((True, 0.5), (False, 0.25)):
            if self.random.random() < chance:
                found.append(types.SimpleNamespace(out=out, protocol=-1, first=-1, last=-1,
                                                   peer=("cidr", ANYWHERE)))
        return list({json.dumps(vars(rule)): rule for rule in found}.values())  # each once

    def entries(self):
        found = []
        for out in (False, True):
            numbers = self.random.sample(range(1, 32000), self.random.randint(0, 6))
            for number in numbers:
                protocol, first, last = self.service()
                found.append(types.SimpleNamespace(
                    number=number, out=out, protocol=protocol, first=first, last=last,
                    cidr=self.cidr(), action=self.random.choice(("allow", "allow", "deny"))))
            if self.random.random() < 0.7:
                found.append(types.SimpleNamespace(number=32766, out=out, protocol=-1, first=-1,
                                                   last=-1, cidr=ANYWHERE, action="allow"))
        return found

    def model(self):
        lab, found = self.lab, Model()
        found.prefixes = {one: sorted(set(self.some(0, 4, self.cidr))) for one in lab.prefixes}
        found.rules = {group: self.rules() for group in lab.groups}
        found.members = {guest: self.random.sample(lab.groups, self.random.randint(1, 3))
                         for guest in lab.guests}
        found.acls = {subnet: self.entries() for subnet in lab.subnets}
        return found

    def probes(self):
        """Every pair of instances, some of each protocol; other protocols once for each pair."""
        found, pick = [], self.random
        for source in self.lab.guests:
            for target in self.lab.guests:
                if source is target:
                    continue
                for _ in range(PROBES_PER_PAIR):
                    protocol = pick.choice((TCP, TCP, UDP, UDP, ICMP))
                    port = pick.choice(KINDS) if protocol == ICMP else pick.choice(PORTS)
                    found.append(Probe(len(found), source, target, protocol, next(self.ports),
                                       port))
                if source.address < target.address:
                    pair = (source, target) if pick.random() < 0.5 else (target, source)
                    found.append(Probe(len(found), *pair, pick.choice(self.protocols), 0, 0))
        return found


class Probe:
    """A flow: its first packet, what answers that, and the first again."""

    def __init__(self, tag, source, target, protocol, first, port):
        self.tag, self.source, self.target = str(tag), source, target
        self.protocol, self.first, self.port = protocol, first, port

    def packet(self, direction="q"):
        return probe(self.source.address, self.target.address, self.protocol, self.tag, self.first,
                     self.port, direction)

    @property
    def is_flow(self):
        """Of ICMP, only a request begins one."""
        return self.protocol != ICMP or self.port[0] in REPLY_TYPES

    @property
    def reply_port(self):
        return (REPLY_TYPES[self.port[0]], 0) if self.protocol == ICMP else self.first

    def __repr__(self):
        return (f"{self.source.address} > {self.target.address} protocol {self.protocol} "
                f"port {self.first} to {self.port}")


# To the API.

def permission(rule):
    ports = () if rule.protocol not in NAMES.values() else (rule.first, rule.last)
    kind, value = rule.peer
    return allow(rule.protocol, *ports, **{kind: value})


def acl_entry(rule):
    names = {number: name for name, number in NAMES.items()}
    ports = () if rule.protocol not in names else (rule.first, rule.last)
    return entry(rule.number, rule.action, names.get(rule.protocol, rule.protocol), *ports,
                 cidr=rule.cidr)


def tell(lab, model):
    for one, cidrs in model.prefixes.items():
        old = {found["Cidr"] for found in lab.ec2.get_managed_prefix_list_entries(
            PrefixListId=one)["Entries"]}
        version = lab.ec2.describe_managed_prefix_lists(
            PrefixListIds=[one])["PrefixLists"][0]["Version"]
        change = {name: [{"Cidr": cidr} for cidr in sorted(members)] for name, members in (
            ("AddEntries", set(cidrs) - old), ("RemoveEntries", old - set(cidrs))) if members}
        if change:
            lab.ec2.modify_managed_prefix_list(PrefixListId=one, CurrentVersion=version, **change)
    for group, rules in model.rules.items():
        set_rules(lab.ec2, group, *([permission(rule) for rule in rules if rule.out == out]
                                    for out in (False, True)))
    for guest, groups in model.members.items():
        set_groups(lab.ec2, guest.id, *groups)
    for subnet, rules in model.acls.items():
        set_acl(lab.ec2, lab.acls[subnet], *([acl_entry(rule) for rule in rules if rule.out == out]
                                             for out in (False, True)))


# The packets.

def send(lab, probes, expected, direction="q"):
    """Sends all; `expected`: which (direction, tag) each guest hears. What was heard, the same."""
    for guest in lab.guests:
        guest.agent("tags")
    for guest in lab.guests:
        guest.agent.send(*(one.packet(direction) for one in probes if one.source is guest))
    heard = collect([guest.agent for guest in lab.guests],
                    {guest.agent: len(expected[guest]) for guest in lab.guests})
    return {guest: {tuple(entry[:2]) for entry in heard[guest.agent]} for guest in lab.guests}


def compare(lab, model, probes, expected, heard, what):
    wrong = [(guest, word, tag) for guest in lab.guests
             for word, tag in sorted(expected[guest] ^ heard[guest])]
    if not wrong:
        return
    lines = []
    for guest, word, tag in wrong[:20]:
        should = "must arrive" if (word, tag) in expected[guest] else "must not arrive"
        meant = next((one for one in probes if one.tag == tag), tag)
        lines.append(f"{what}: {'reply of ' if word == 'r' else ''}{meant} {should} at {guest}")
    guest, _, tag = wrong[0]
    culprit = next((one for one in probes if one.tag == tag), None)
    story = model.described(culprit.source, culprit.target) if culprit else ""
    pytest.fail(f"MINIVPC_TEST_SEED={SEED}: {len(wrong)} wrong verdicts\n" + "\n".join(lines) +
                f"\n{story}", pytrace=False)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_packets_agree_with_the_model(lab, number, capsys):
    if number == 0:
        with capsys.disabled():
            print(f"[MINIVPC_TEST_SEED={SEED}]", end="", flush=True)
    dice = Dice(lab, number)
    model, probes = dice.model(), dice.probes()
    tell(lab, model)
    expected = {guest: set() for guest in lab.guests}
    passed = []
    for one in probes:
        if not model.arrives(one.source, one.target, one.protocol, one.port):
            continue
        passed.append(one)
        expected[one.target].add(("q", one.tag))
        if one.is_flow and model.crosses(one.target, one.source, one.protocol, one.reply_port):
            expected[one.source].add(("r", one.tag))
    compare(lab, model, probes, expected, send(lab, probes, expected), "request")
    lab.verdicts += len(probes) + sum(one.is_flow for one in passed)
    lab.passed += len(passed)

    # All rules go: tracked flows go on, others don't (6.2, rows 3 and 4).
    flows = [one for one in probes if one.is_flow]
    expected = {guest: set() for guest in lab.guests}
    for one in flows:
        if one in passed and all((
                model.tracks(one.source, True, one.protocol, one.port),
                model.tracks(one.target, False, one.protocol, one.port))):
            expected[one.target].add(("o", one.tag))
    for group in lab.groups:
        set_rules(lab.ec2, group)
    compare(lab, model, flows, expected, send(lab, flows, expected, "o"), "after the revocation")
    lab.verdicts += len(flows)


def test_there_were_enough_verdicts(lab):
    """Of both kinds: dice that always say no would prove little."""
    assert lab.verdicts >= LEAST_VERDICTS
    assert 0.05 < lab.passed / lab.verdicts < 0.95, f"{lab.passed} of {lab.verdicts} passed"
