"""
Random topologies and rules: what the model of a packet's way says (`minivpc why`, `ping-matrix`) and
what becomes of the real packet must be the same. Whatever they disagree about is a bug of one of the two.

MINIVPC_TEST_SEED=… replays a run; a failure prints it.
"""
import json
import os
import random
import types

import pytest

from filters import ANYWHERE, allow, bind_acl, entry, set_acl, set_groups, set_rules
from lib import INTERNET, tag_specification

SEED = os.environ.get("MINIVPC_TEST_SEED") or str(random.SystemRandom().randrange(10 ** 9))
ROUNDS = 6
LEAST_VERDICTS = 1200
NEAR = ("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/26")
FAR = ("10.1.1.0/24", "10.1.2.0/24")
# Name, subnet, with a public address, with the source/destination check.
MEMBERS = (("a1", 0, True, True), ("a2", 0, False, True), ("b1", 1, False, True),
           ("b2", 1, True, True), ("c1", 2, False, True), ("box", 2, True, False),
           ("f1", 3, True, True), ("f2", 4, False, True))
SERVICES = ("icmp", "tcp/22", "tcp/443", "tcp/8080", "udp/53", "udp/9000")
OPEN = (22, 443)  # the other ports are closed
RANGES = ((0, 65535), (22, 22), (443, 443), (0, 1023), (1024, 65535), (32768, 60999),
          (22, 8080))
# So that no verdict is "sometimes": those are for test_why.py.
EPHEMERAL = ((0, 65535), (1024, 65535))


LISTEN = """
import select, socket, sys
servers = [socket.create_server(("", int(port))) for port in sys.argv[1:]]
print("ready", flush=True)
while True:
    for server in select.select(servers, [], [])[0]:
        server.accept()[0].close()
"""


def new_acl(world, vpc, subnet):
    acl = world.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    bind_acl(world.ec2, subnet, acl)
    return acl


@pytest.fixture(scope="module")
def lab(world):
    ec2 = world.ec2
    near, far = world.vpc("10.0.0.0/16"), world.vpc("10.1.0.0/16")
    subnets = [world.subnet(near, cidr) for cidr in NEAR] + [
        world.subnet(far, cidr) for cidr in FAR]
    vpcs = [near] * len(NEAR) + [far] * len(FAR)
    gateways = {near: world.gateway(near), far: world.gateway(far)}
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=world.elastic_ip()[0])[
        "NatGateway"]["NatGatewayId"]
    found = types.SimpleNamespace(
        world=world, ec2=ec2, subnets=subnets, vpcs=vpcs, gateways=gateways, nat=nat,
        peering=world.peering(near, far), answered=0, verdicts=0, by_box=0,
        groups={vpc: [world.security_group(vpc, f"group {n}") for n in range(3)]
                for vpc in (near, far)},
        tables=[world.route_table(vpc, subnet) for vpc, subnet in zip(vpcs, subnets)],
        acls=[new_acl(world, vpc, subnet) for vpc, subnet in zip(vpcs, subnets)], ids={})
    found.edge = world.route_table(near)
    ec2.associate_route_table(RouteTableId=found.edge, GatewayId=gateways[near])
    found.prefixes = ec2.create_managed_prefix_list(
        PrefixListName="some", AddressFamily="IPv4", MaxEntries=5, Entries=[
            {"Cidr": "10.0.0.0/22"}, {"Cidr": "10.1.1.0/24"}, {"Cidr": "8.8.0.0/16"}])[
                "PrefixList"]["PrefixListId"]
    for name, home, public, check in MEMBERS:
        instance, = world.run_instances(
            subnets[home], public=public,
            TagSpecifications=tag_specification("instance", Name=name))
        found.ids[name] = instance
        serving = world.spawn(name, ["python3", "-c", LISTEN, *map(str, OPEN)])
        assert serving.stdout.readline() == b"ready\n"
        if not check:
            ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
            world.exec(name, ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])
    world.run("internet create", "outside", "--address", "8.8.8.8")
    return found


class Dice:
    """One round's random choices."""

    def __init__(self, lab, number):
        self.lab, self.random = lab, random.Random(f"{SEED} {number}")

    def chance(self, share):
        return self.random.random() < share

    def cidr(self):
        pick = self.random
        return pick.choice((ANYWHERE, ANYWHERE, "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16",
                            *NEAR, *FAR, "198.18.0.0/15", "198.18.0.10/32", "8.8.8.8/32"))

    def service(self, ranges=RANGES):
        pick = self.random
        kind = pick.choice(("all", "tcp", "tcp", "udp", "icmp"))
        if kind == "all":
            return ("-1",)
        if kind == "icmp":
            return ("icmp", -1, -1)
        return (kind, *pick.choice(ranges))

    def permissions(self, groups):
        pick, found = self.random, {}
        for _ in range(pick.randint(1, 4)):
            peer = pick.choice(({"group": pick.choice(groups)}, {"cidr": self.cidr()},
                                {"cidr": self.cidr()}, {"prefixes": self.lab.prefixes}))
            rule = allow(*self.service(), **peer)
            found[json.dumps(rule)] = rule
        if self.chance(0.4):
            rule = allow()
            found[json.dumps(rule)] = rule
        return list(found.values())

    def entries(self):
        pick = self.random
        found = [entry(number, pick.choice(("allow", "allow", "deny")), *self.service(EPHEMERAL),
                       cidr=self.cidr())
                 for number in pick.sample(range(1, 100), pick.randint(0, 3))]
        if self.chance(0.85):
            found.append(entry(100))
        return found

    def routes(self, index):
        """By destination, what a subnet's table leads there."""
        lab, pick, vpc = self.lab, self.random, self.lab.vpcs[index]
        near = vpc == lab.vpcs[0]
        found = {}
        ways = [{"GatewayId": lab.gateways[vpc]}] * 3 + [{}]
        if near:
            ways += [{"NatGatewayId": lab.nat}] * 2 + [{"InstanceId": lab.ids["box"]}]
        way = pick.choice(ways)
        if way:
            found[ANYWHERE] = way
        if self.chance(0.7):
            found["10.1.0.0/16" if near else "10.0.0.0/16"] = {
                "VpcPeeringConnectionId": lab.peering}
        if self.chance(0.2):
            found["8.8.8.0/24"] = pick.choice(ways[:1] + ways[4:] or ways[:1])
        if near and self.chance(0.15):
            other = pick.choice([cidr for n, cidr in enumerate(NEAR) if n != index])
            found[other] = {"InstanceId": lab.ids["box"]}
        if self.chance(0.2):
            found[lab.prefixes] = pick.choice([way for way in ways if way])
        return found

    def edge(self):
        """What the gateway's own table leads to the appliance."""
        return {cidr: {"InstanceId": self.lab.ids["box"]} for cidr in NEAR[:2]
                if self.chance(0.2)}


def set_routes(ec2, table, routes):
    described = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    for route in described:
        if route["Origin"] == "CreateRoute":
            ec2.delete_route(RouteTableId=table, **{
                name: route[name] for name in ("DestinationCidrBlock", "DestinationPrefixListId")
                if name in route})
    for destination, target in routes.items():
        kind = "PrefixListId" if destination.startswith("pl-") else "CidrBlock"
        ec2.create_route(RouteTableId=table, **{f"Destination{kind}": destination}, **target)


def tell(lab, dice):
    """The round's topology, to the API."""
    ec2 = lab.ec2
    for groups in lab.groups.values():
        for group in groups:
            set_rules(ec2, group, dice.permissions(groups), dice.permissions(groups))
    for name, home, _, _ in MEMBERS:
        set_groups(ec2, lab.ids[name], *dice.random.sample(lab.groups[lab.vpcs[home]],
                                                           dice.random.randint(1, 2)))
    for index, acl in enumerate(lab.acls):
        set_acl(ec2, acl, dice.entries(), dice.entries())
        set_routes(ec2, lab.tables[index], dice.routes(index))
    set_routes(ec2, lab.edge, dice.edge())


def fail(what):
    pytest.fail(f"MINIVPC_TEST_SEED={SEED}: {what}", pytrace=False)


def check_matrix(lab, *arguments):
    done = lab.world.run("ping-matrix", "-o", "json", *arguments, check=False)
    found = json.loads(done.stdout)
    assert len(found["pairs"]) == len(MEMBERS) * (len(MEMBERS) - 1)
    if done.returncode:
        table = lab.world.run("ping-matrix", *arguments, check=False).stdout
        wrong = [pair for pair in found["pairs"] if not pair["agree"]]
        ways = "\n".join(lab.world.run("why", "--model", pair["from"], pair["to"],
                                       *([f"tcp/{arguments[1]}"] if arguments else []),
                                       check=False).stdout for pair in wrong[:3])
        fail(f"{arguments}\n{table}\n{ways}")
    assert found["disagreements"] == 0
    lab.verdicts += len(found["pairs"])
    lab.answered += sum(pair["result"] in ("answered", "refused") for pair in found["pairs"])
    for pair in found["pairs"]:
        if pair["assumes"]:
            check_way(lab, pair["from"], pair["to"],
                      f"tcp/{arguments[1]}" if arguments else "icmp")


def check_way(lab, source, target, service):
    """What the model leaves to the instance on the way is known here: it forwards as it is told."""
    done = lab.world.run("why", "-o", "json", source, target, service, check=False)
    found = json.loads(done.stdout) if done.stdout else {}
    if done.returncode not in (0, 1):
        fail(f"{source} {target} {service}\n{done.stderr}\n" +
             lab.world.run("why", source, target, service, check=False).stdout)
    lab.verdicts += 1
    lab.answered += done.returncode == 0
    model = found["model"]
    if not model["assumes"] or any("translates it" in step["text"] for step in model["steps"]):
        return
    if service == "tcp/8080":
        return  # a reset ends the kernel's tracking, and may cross a namespace twice
    lab.by_box += 1
    expected = model["verdict"] == "unknown"
    # A closed UDP port answers by ICMP, which has rules of its own: the way there is what counts.
    datagram = service.startswith("udp/")
    there = any(step["direction"] == "answer" for step in model["steps"])
    arrived = found["packet"]["arrived"]
    if done.returncode != 0 and expected and not (datagram and arrived) or (
            done.returncode == 0 and not expected and not (datagram and there)):
        fail(f"{source} {target} {service}, by box\n" +
             lab.world.run("why", source, target, service, check=False).stdout)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_the_model_and_the_packets_agree(lab, number, capsys):
    if number == 0:
        with capsys.disabled():
            print(f"[MINIVPC_TEST_SEED={SEED}]", end="", flush=True)
    dice = Dice(lab, number)
    tell(lab, dice)
    check_matrix(lab)
    for port in ("22", "443", "8080"):
        check_matrix(lab, "--port", port)
    names = [member[0] for member in MEMBERS]
    public = [member[0] for member in MEMBERS if member[2]]
    for _ in range(2):
        check_way(lab, dice.random.choice(names), dice.random.choice((INTERNET, "outside")),
                  dice.random.choice(SERVICES))
        check_way(lab, dice.random.choice((INTERNET, "outside")), dice.random.choice(public),
                  dice.random.choice(SERVICES))
        source, target = dice.random.sample(names, 2)
        check_way(lab, source, target, dice.random.choice(SERVICES))
        check_way(lab, dice.random.choice(names), lab.world.public(
            lab.ids[dice.random.choice(public)]), dice.random.choice(SERVICES))


def test_there_were_enough_verdicts(lab):
    """Of both kinds: dice that always say no would prove little."""
    assert lab.verdicts >= LEAST_VERDICTS
    assert 0.05 < lab.answered / lab.verdicts < 0.95, f"{lab.answered} of {lab.verdicts}"
