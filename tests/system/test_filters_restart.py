"""The rules are the kernel's: they hold while the daemon is dead, and it mends what was broken."""
import signal
import subprocess

import pytest

from filters import Lab, allow, entry, set_groups
from lib import PATH
from test_filters_atomic import BAD, GOOD, RECEIVER, Program, Traffic

TABLE = "inet minivpc"
SETS = ("sources", "ports", "tracked", "egress", "ingress", "acl", "services", "peers", "open",
        "narrow", "denied", "members", "wide")


@pytest.fixture(scope="module")
def lab(world):
    """A rule of each kind: CIDR, reference, prefix list; ACLs that allow and deny."""
    made = Lab(world)
    prefixes = made.ec2.create_managed_prefix_list(
        PrefixListName="kept", AddressFamily="IPv4", MaxEntries=2,
        Entries=[{"Cidr": made.a.cidr}])["PrefixList"]["PrefixListId"]
    made.rules(made.a, [], [allow("udp", GOOD, BAD), allow("tcp", 0, 65535), allow(47)])
    made.rules(made.b, [allow("udp", GOOD, group=made.a.group),
                        allow("tcp", 80, group=made.d.group)])
    made.rules(made.c, [allow("udp", GOOD, BAD, prefixes=prefixes), allow("tcp", 80, 443)])
    made.acl(made.back, [entry(50, "deny", "udp", BAD), entry(60, "deny", "tcp", 81), entry(100)],
             [entry(70, "deny", "udp", 1, 32767), entry(100)])
    yield made
    made.close()


def check(lab):
    lab.check(("ok", lab.a, lab.b, "udp", GOOD), ("no", lab.a, lab.b, "udp", BAD),
              ("ok", lab.a, lab.c, "udp", GOOD), ("no", lab.a, lab.c, "udp", BAD),
              ("no", lab.d, lab.b, "udp", GOOD), ("no", lab.a, lab.b, "tcp", 80),
              ("ok", lab.a, lab.c, "tcp", 80), ("no", lab.a, lab.c, "tcp", 81),
              ("ok", lab.a, lab.c, "tcp", 82), ("no", lab.b, lab.a, "udp", GOOD),
              ("no", lab.c, lab.a, "tcp", 80), ("no", lab.outside, lab.a, "tcp", 80))
    lab.a.agent.send(lab.probe(lab.a, lab.c, "udp", GOOD, "o", pretend="10.0.1.99")[1])
    lab.assert_heard(lab.c)


@pytest.fixture
def receivers(world, lab):
    found = {guest: Program(world, guest.id, RECEIVER, GOOD, BAD) for guest in (lab.b, lab.c)}
    for receiver in found.values():
        assert receiver.process.stdout.readline() == b"ready\n"
    yield found
    for receiver in found.values():
        receiver.close()


def test_rules_hold_while_the_daemon_is_dead(world, lab):
    check(lab)
    world.kill(signal.SIGKILL)
    check(lab)
    world.serve()
    lab.ec2 = world.ec2
    check(lab)
    set_groups(lab.ec2, lab.d.id, lab.a.group)  # what is adopted can be changed
    lab.check(("ok", lab.d, lab.b, "udp", GOOD), ("no", lab.d, lab.b, "tcp", 80))
    set_groups(lab.ec2, lab.d.id, lab.d.group)
    check(lab)


def test_no_window_in_a_restart(world, lab, receivers):
    """Nothing lost of what is allowed, nothing through of what isn't."""
    with Traffic(world, lab, receivers):
        for _ in range(3):
            world.restart(signal.SIGKILL)
    lab.ec2 = world.ec2
    check(lab)


def test_no_window_when_killed_amid_changes(world, lab, receivers):
    """What was superseded and not swept yet goes at the next start."""
    with Traffic(world, lab, receivers):
        for number in range(3):
            ec2 = world.ec2
            for port in range(10):
                ec2.authorize_security_group_ingress(
                    GroupId=lab.c.group, IpPermissions=[allow("tcp", 1000 + 10 * number + port)])
            world.restart(signal.SIGKILL)
    lab.ec2 = world.ec2
    lab.check(("ok", lab.a, lab.c, "tcp", 1000), ("ok", lab.a, lab.c, "tcp", 1029),
              ("no", lab.a, lab.c, "tcp", 1030))
    lab.ec2.revoke_security_group_ingress(GroupId=lab.c.group, IpPermissions=[
        allow("tcp", 1000 + port) for port in range(30)])
    check(lab)


def nft(lab, *commands):
    """In both subnets; nft tells maps from sets."""
    listed = subprocess.run(["ip", "netns", "exec", lab.front, "nft", "list", "maps"], check=True,
                            capture_output=True, text=True, env={"PATH": PATH}).stdout
    for subnet in (lab.front, lab.back):
        for command in commands:
            if f"map {command.split()[-1]} {{" in listed:
                command = command.replace("flush set", "flush map")
            subprocess.run(["ip", "netns", "exec", subnet, "nft", command], check=True,
                           env={"PATH": PATH})


DAMAGE = {
    **{f"no {name}": [f"flush set {TABLE} {name}"] for name in SETS},
    "no table": [f"delete table {TABLE}"],
    "no ARP table": ["delete table arp minivpc"],
    "nothing at all": ["flush ruleset"],
    "no rules": [f"flush chain {TABLE} forward"],
    "one rule too many": [f"insert rule {TABLE} forward accept"],
    "one chain too many": [f"add chain {TABLE} more"],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_mended_at_the_next_start(world, lab, damage):
    world.kill(signal.SIGKILL)
    nft(lab, *DAMAGE[damage])
    before = world.log_size()
    world.serve()
    assert "reconciled: subnet-" in world.log_since(before)
    lab.ec2 = world.ec2
    check(lab)
