"""
What becomes of a packet by groups and ACLs, as a plain model written from the table of AWS's behaviour
alone: test_filters_property.py and the soak hold real packets against it.
"""
import ipaddress

from filters import ANYWHERE
from packets import ICMP, TCP, UDP


# A rule is {out, protocol (-1: all), first, last, peer: (kind, value)}; an ACL's has
# number, action and a CIDR instead. A packet is (protocol, port): of ICMP (type, code).

def inside(address, cidr):
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)


def about(rule, protocol, port):
    if rule.protocol == -1:
        return True
    if rule.protocol != protocol:
        return False
    if protocol in (TCP, UDP):
        return rule.first <= port <= rule.last
    if protocol == ICMP:
        return rule.first in (-1, port[0]) and rule.last in (-1, port[1])
    return True


class Model:
    """What the API was told, and what follows from it (6.1)."""

    def __init__(self):
        self.rules = {}     # group -> rules
        self.members = {}   # guest -> groups
        self.prefixes = {}  # list -> CIDRs
        self.acls = {}      # subnet -> entries

    def is_peer(self, peer, address):
        kind, value = peer
        if kind == "cidr":
            return inside(address, value)
        if kind == "prefixes":
            return any(inside(address, cidr) for cidr in self.prefixes[value])
        return any(value in groups and guest.address == address
                   for guest, groups in self.members.items())

    def rules_of(self, guest, out):
        return [rule for group in self.members[guest] for rule in self.rules[group]
                if rule.out == out]

    def group_allows(self, guest, out, address, protocol, port):
        return any(about(rule, protocol, port) and self.is_peer(rule.peer, address)
                   for rule in self.rules_of(guest, out))

    def acl_allows(self, subnet, out, address, protocol, port):
        for rule in sorted(self.acls[subnet], key=lambda rule: rule.number):
            if rule.out == out and about(rule, protocol, port) and inside(address, rule.cidr):
                return rule.action == "allow"
        return False

    def crosses(self, source, target, protocol, port):
        """From one subnet to another; in one subnet there is no ACL."""
        return source.subnet == target.subnet or (
            self.acl_allows(source.subnet, True, target.address, protocol, port) and
            self.acl_allows(target.subnet, False, source.address, protocol, port))

    def arrives(self, source, target, protocol, port):
        return (self.group_allows(source, True, target.address, protocol, port) and
                self.crosses(source, target, protocol, port) and
                self.group_allows(target, False, source.address, protocol, port))

    def tracks(self, guest, out, protocol, port):
        """Table "Stateful tracking": not what 0.0.0.0/0 may while all of it may the other way."""
        if protocol not in (TCP, UDP):
            return True
        everywhere = ("cidr", ANYWHERE)
        return not (
            any(rule.peer == everywhere and about(rule, protocol, port)
                for rule in self.rules_of(guest, out)) and
            any(rule.peer == everywhere and (rule.protocol == -1 or (
                rule.protocol == protocol and (rule.first, rule.last) == (0, 65535)))
                for rule in self.rules_of(guest, not out)))

    def described(self, *guests):
        """What a failure's reader needs."""
        lines = []
        for guest in guests:
            lines.append(f"{guest}, groups {self.members[guest]}")
            lines += [f"  group: {vars(rule)}" for out in (True, False)
                      for rule in self.rules_of(guest, out)]
            lines += [f"  ACL: {vars(rule)}" for rule in sorted(
                self.acls[guest.subnet], key=lambda rule: (rule.out, rule.number))]
        lines += [f"{name}: {cidrs}" for name, cidrs in self.prefixes.items()]
        lines += [f"{guest}: {groups}" for guest, groups in self.members.items()]
        return "\n".join(lines)
