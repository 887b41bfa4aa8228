"""A small VPC whose groups and ACLs a test sets as a whole, and probes that tell what passes."""
import itertools
import json

from agents import Agent, collect
from lib import INTERNET
from packets import GRE, ICMP, SCTP, TCP, UDP, probe

ANYWHERE = "0.0.0.0/0"
NUMBERS = {"icmp": ICMP, "tcp": TCP, "udp": UDP, "gre": GRE, "sctp": SCTP}


def allow(protocol="-1", first=None, last=None, **peers):
    """A permission. Of ICMP, `first` and `last` are type and code. Peers: cidr, group, prefixes."""
    found = {"IpProtocol": str(protocol)}
    if first is not None:
        found.update(FromPort=first, ToPort=first if last is None else last)
    for name, value in (peers or {"cidr": ANYWHERE}).items():
        member, inner = {"cidr": ("IpRanges", "CidrIp"),
                         "cidr6": ("Ipv6Ranges", "CidrIpv6"),
                         "prefixes": ("PrefixListIds", "PrefixListId"),
                         "group": ("UserIdGroupPairs", "GroupId")}[name]
        found.setdefault(member, []).append({inner: value})
    return found


def entry(number, action="allow", protocol="-1", first=None, last=None, cidr=ANYWHERE):
    """An ACL's entry, without its direction."""
    found = {"RuleNumber": number, "RuleAction": action, "CidrBlock": cidr,
             "Protocol": str(NUMBERS.get(protocol, protocol))}
    if first is not None:
        last = first if last is None else last
        if protocol == "icmp":
            found["IcmpTypeCode"] = {"Type": first, "Code": last}
        else:
            found["PortRange"] = {"From": first, "To": last}
    return found


OPEN = [entry(100)]


def set_rules(ec2, group, inward=(), outward=()):
    """The group has exactly these rules; its old ones go first."""
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    for old, new, revoke, authorize in (
            (found["IpPermissions"], inward, ec2.revoke_security_group_ingress,
             ec2.authorize_security_group_ingress),
            (found["IpPermissionsEgress"], outward, ec2.revoke_security_group_egress,
             ec2.authorize_security_group_egress)):
        if old:
            revoke(GroupId=group, IpPermissions=old)
        if new:
            authorize(GroupId=group, IpPermissions=list(new))


def set_acl(ec2, acl, inward=(), outward=()):
    """The ACL has exactly these entries and `*`."""
    found = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    for old in found:
        if old["RuleNumber"] < 32767:
            ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=old["RuleNumber"],
                                         Egress=old["Egress"])
    for egress, entries in ((False, inward), (True, outward)):
        for new in entries:
            ec2.create_network_acl_entry(NetworkAclId=acl, Egress=egress, **new)


def set_groups(ec2, instance, *groups):
    ec2.modify_instance_attribute(InstanceId=instance, Groups=list(groups))


def association(ec2, subnet):
    """Of a subnet with its ACL: the ACL's id and the association's."""
    found = ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"][0]
    return found["NetworkAclId"], next(
        entry["NetworkAclAssociationId"] for entry in found["Associations"]
        if entry["SubnetId"] == subnet)


def bind_acl(ec2, subnet, acl):
    ec2.replace_network_acl_association(AssociationId=association(ec2, subnet)[1],
                                        NetworkAclId=acl)


class Guest:
    """An instance with a group of its own, and its agent."""

    def __init__(self, world, subnet, group, **more):
        self.subnet, self.group = subnet, group
        self.id, = world.run_instances(subnet, **more)
        found = world.instance(self.id)
        self.address = found["PrivateIpAddress"]
        self.mac = found["NetworkInterfaces"][0]["MacAddress"]
        self.public = found.get("PublicIpAddress")
        self.cidr = self.address + "/32"
        self.agent = Agent(world.command(*world.where(self.id, [])))

    def __repr__(self):
        return f"{self.id} {self.address}"


class Outside:
    """The Internet's host, with its agent."""

    def __init__(self, world):
        self.id = INTERNET
        self.address = world.internet_address()
        self.cidr = self.address + "/32"
        self.agent = Agent(world.command(*world.where(INTERNET, [])))


class Lab:
    """Subnets front (with a, b, d) and back (with c), each with an ACL of its own; an Internet."""

    def __init__(self, world):
        self.world, self.ec2 = world, world.ec2
        self.vpc = world.vpc()
        self.numbers = itertools.count(33000)
        self.front = world.subnet(self.vpc, "10.0.1.0/24")
        self.back = world.subnet(self.vpc, "10.0.2.0/24", "us-east-1b")
        table = world.route_table(self.vpc, self.front, world.gateway(self.vpc))
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=self.back)
        self.acls = {}
        for subnet in (self.front, self.back):
            self.acls[subnet] = self.ec2.create_network_acl(
                VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
            bind_acl(self.ec2, subnet, self.acls[subnet])
        self.guests = []
        self.a, self.b, self.c, self.d = (
            self.launch(name, subnet, public=True)
            for name, subnet in (("a", self.front), ("b", self.front), ("c", self.back),
                                 ("d", self.front)))
        self.outside = Outside(world)
        self.reset()

    def launch(self, name, subnet, **more):
        group = self.world.security_group(self.vpc, name)
        if more.get("public") is None:
            more["SecurityGroupIds"] = [group]
        guest = Guest(self.world, subnet, group, **more)
        set_groups(self.ec2, guest.id, group)
        self.guests.append(guest)
        return guest

    def close(self):
        for guest in (*self.guests, self.outside):
            guest.agent.close()

    def rules(self, guest, inward=(), outward=()):
        set_rules(self.ec2, guest.group, inward, outward)

    def acl(self, subnet, inward=OPEN, outward=OPEN):
        set_acl(self.ec2, self.acls[subnet], inward, outward)

    def reset(self):
        """No group lets anything by, every ACL everything; nobody speaks."""
        for guest in self.everyone():
            guest.agent("hang_up")
        for subnet, acl in self.acls.items():
            if association(self.ec2, subnet)[0] != acl:
                bind_acl(self.ec2, subnet, acl)
            self.acl(subnet)
        for guest in self.guests:
            set_groups(self.ec2, guest.id, guest.group)
            self.rules(guest)

    def wide_open(self):
        for guest in self.guests:
            self.rules(guest, [allow()], [allow()])

    def probe(self, source, target, protocol, port=0, direction="q", pretend=None,
              via=None):
        """A first packet of a flow that nobody had before, and its tag."""
        number = next(self.numbers)
        tag = str(number)
        outside = INTERNET in (source.id, target.id)
        there = target.public if outside and target.id != INTERNET else target.address
        return tag, probe(pretend or source.address, via or there,
                          NUMBERS.get(protocol, protocol), tag, number, port, direction)

    def check(self, *expected):
        """
        Probes at once, each as (verdict, source, target, protocol, port), where verdict is "ok",
        "no" (it doesn't arrive) or "asked" (it arrives, its answer does not). Whatever else any
        of our instances hears is an error: drops are silent.
        """
        wanted = {guest: [] for guest in self.everyone()}
        self.forget()
        for verdict, source, target, protocol, *port in expected:
            tag, data = self.probe(source, target, protocol, *port)
            source.agent.send(data)
            if verdict != "no":
                wanted[target].append(["q", tag])
            if verdict == "ok":
                wanted[source].append(["r", tag])
        found = self.collect({guest: len(tags) for guest, tags in wanted.items()})
        for guest, heard in found.items():
            assert sorted(entry[:2] for entry in heard) == sorted(wanted[guest]), \
                f"{guest}: {heard}, {expected}"

    def forget(self):
        """What the guests' own conversations brought."""
        for guest in self.everyone():
            guest.agent("tags")

    def everyone(self):
        return (*self.guests, self.outside)

    def collect(self, expected):
        """What all hear: guest -> [[direction, tag, source], …]; `expected`: how many, if known."""
        found = collect([guest.agent for guest in self.everyone()],
                        {guest.agent: count for guest, count in expected.items()})
        return {guest: found[guest.agent] for guest in self.everyone()}

    def assert_heard(self, guest, *tags):
        """These, by him alone."""
        found = self.collect({guest: len(tags)})
        assert {name: [entry[1] for entry in heard] for name, heard in found.items()} == \
            {name: list(tags) if name is guest else [] for name in found}, found

    def neighbour(self, guest, address):
        """The MAC that ARP tells."""
        found = json.loads(guest.agent("run", "ip", "-j", "neighbour", "show", address)[1] or "[]")
        return found[0].get("lladdr") if found else None
