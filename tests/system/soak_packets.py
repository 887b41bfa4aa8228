"""Real packets of the soak: who has an agent, what is sent, and what becomes of it by the model."""
import ipaddress
import json
import types

from agents import Agent, collect
from host import output
from packets import ICMP, REPLY_TYPES, TCP, UDP, probe
from verdicts import Model as Verdicts

PROTOCOLS = {"-1": -1, "tcp": TCP, "udp": UDP, "icmp": ICMP}
PORTS = (22, 53, 79, 80, 443, 1023, 1024, 8080, 65535)
KINDS = ((8, 0), (8, 0), (13, 0), (3, 4))
MOST_AGENTS = 3  # of a client


def full_tables():
    """How often there was no room in the ARP cache."""
    found = output("ip", "-s", "-j", "ntable", "show", "name", "arp_cache")
    return max(table.get("table_fulls", 0) for table in json.loads(found))


class Guest:
    """An interface's primary address: a place that packets come from and go to."""

    def __init__(self, eni, instance=None):
        self.eni, self.instance = eni["networkInterfaceId"], instance
        self.address, self.subnet, self.vpc = eni["_addresses"][0], eni["subnetId"], eni["vpcId"]

    def __repr__(self):
        return f"{self.instance} {self.address}"


class Outside:
    """A host on the Internet."""

    def __init__(self, address):
        self.instance, self.address = None, address

    def __repr__(self):
        return f"internet {self.address}"


class Ways(Verdicts):
    """Groups and ACLs as they are, and where routes lead."""

    def __init__(self, model):
        super().__init__()
        self.model, things = model, model.things
        self.prefixes = {key: thing["_entries"] for key, thing in things["pl"].items()}
        self.rules = {key: [self.group_rule(rule) for rule in group["_rules"].values()]
                      for key, group in things["sg"].items()}
        self.guests = {key: Guest(eni, (eni["_attachment"] or {}).get("instanceId"))
                       for key, eni in things["eni"].items()}
        self.members = {guest: things["eni"][key]["_groups"] for key, guest in self.guests.items()}
        self.acls = {subnet: [self.acl_rule(place, entry) for place, entry in
                              model.acl_of(subnet)["_entries"].items()]
                     for subnet in things["subnet"]}

    def group_rule(self, rule):
        egress, protocol, first, last, kind, peer = rule
        number = PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)
        return types.SimpleNamespace(out=egress, protocol=number, first=first, last=last,
                                     peer=(kind, peer))

    def acl_rule(self, place, entry):
        protocol, detail, action, cidr = entry
        first, last = detail or (-1, -1)
        return types.SimpleNamespace(out=place[0], number=place[1], protocol=int(protocol),
                                     first=first, last=last, action=action, cidr=cidr)

    def route(self, subnet, address):
        """(kind, id) of where its table leads, by the longest prefix; None where nowhere."""
        table = self.model.table_of(subnet)
        number = ipaddress.ip_address(address)
        if any(number in block for block in self.model.cidrs(table["vpcId"])):
            return "local", table["vpcId"]
        fitting = [route for route in table["_routes"]
                   if number in ipaddress.ip_network(route["destination"])]
        if not fitting:
            return None
        best = max(fitting, key=lambda route: int(route["destination"].split("/")[1]))
        return best["target"] if self.model.is_active(best, table["vpcId"]) else None

    def leads(self, subnet, guest):
        """Whether the subnet's table leads to it."""
        way = self.route(subnet, guest.address)
        if way is None:
            return False
        if way[0] == "local":
            return way[1] == guest.vpc
        return way[0] == "vpcPeeringConnectionId" and \
            guest.vpc in self.model.things["pcx"][way[1]]["_vpcs"]

    def crosses(self, source, target, protocol, port):
        return self.leads(source.subnet, target) and super().crosses(
            source, target, protocol, port)

    def is_reached(self, source, target):
        """No: another has the address in the source's own VPC, or it is nobody's."""
        return source.vpc == target.vpc or not any(
            target.address in eni["_addresses"] for key, eni in self.model.things["eni"].items()
            if key != target.eni)

    # To and from the Internet, by the gateway or by NAT.

    def way_out(self, guest, outside):
        """The address that it is seen by out there and the NAT gateway's interface, or None."""
        way = self.route(guest.subnet, outside.address)
        if way is None:
            return None
        if way[0] == "gatewayId":
            public = self.model.public_of(self.model.things["eni"][guest.eni], guest.address)
            return (public, None) if public else None
        if way[0] != "natGatewayId":
            return None
        eni = self.model.things["eni"][self.model.things["nat"][way[1]]["_interface"]]
        at = self.route(eni["subnetId"], outside.address)
        if at is None or at[0] != "gatewayId":
            return None
        return self.model.public_of(eni, eni["_addresses"][0]), Guest(eni)

    def goes_out(self, guest, outside, protocol, port):
        """The address that arrives, or None."""
        way = self.way_out(guest, outside)
        if not way or not self.group_allows(guest, True, outside.address, protocol, port):
            return None
        public, nat = way
        if nat and nat.subnet == guest.subnet:
            return None  # its own NAT gateway: routed in a circle
        if not self.acl_allows(guest.subnet, True, outside.address, protocol, port):
            return None
        if nat and not (self.acl_allows(nat.subnet, False, guest.address, protocol, port) and
                        self.acl_allows(nat.subnet, True, outside.address, protocol, port)):
            return None
        return public

    def comes_back(self, guest, outside, protocol, port):
        """The answer to what went out; port: the answer's. NAT has changed it: None if it matters."""
        _, nat = self.way_out(guest, outside)
        if nat:
            if protocol == ICMP:
                first = [self.acl_allows(nat.subnet, False, outside.address, protocol, port)]
            else:
                bounds = {1024, 65535} | {
                    bound for rule in self.acls[nat.subnet] if rule.protocol == protocol
                    for bound in (rule.first - 1, rule.first, rule.last, rule.last + 1)
                    if 1024 <= bound <= 65535}
                first = {self.acl_allows(nat.subnet, False, outside.address, protocol, bound)
                         for bound in bounds}
            if len(set(first)) > 1:
                return None
            if not (all(first) and
                    self.acl_allows(nat.subnet, True, guest.address, protocol, port) and
                    self.acl_allows(guest.subnet, False, outside.address, protocol, port)):
                return False
            return True
        return self.acl_allows(guest.subnet, False, outside.address, protocol, port)

    def comes_in(self, outside, guest, protocol, port):
        """To its public address."""
        return self.acl_allows(guest.subnet, False, outside.address, protocol, port) and \
            self.group_allows(guest, False, outside.address, protocol, port)

    def answers(self, guest, outside, protocol, port):
        way = self.route(guest.subnet, outside.address)
        return way is not None and way[0] == "gatewayId" and \
            self.acl_allows(guest.subnet, True, outside.address, protocol, port)


class Packets:
    """A client's agents and probes."""

    def __init__(self, client, number):
        self.client, self.world = client, client.soak.world
        self.agents = {}  # instance -> agent
        self.sent = self.arrived = 0
        self.flow = 0
        host = f"soak{number}"
        self.outside = Outside(f"8.8.8.{10 + number}")
        self.world.run("internet create", host, "--address", self.outside.address)
        self.agents[None] = Agent(self.world.command(*self.world.where(f"internet:{host}", [])))

    def forget(self, instance):
        """Its processes end, or have ended."""
        agent = self.agents.pop(instance, None)
        if agent:
            agent.close()

    def close(self):
        for instance in list(self.agents):
            self.forget(instance)

    def ready(self, dice, ways):
        """Running instances of one interface, with an agent each."""
        model, found = self.client.model, []
        for guest in ways.guests.values():
            if guest.instance and len(model.interfaces_of(guest.instance)) == 1 and \
                    model.things["i"][guest.instance]["_state"] == "running":
                found.append(guest)
        found = dice.random.sample(found, min(len(found), MOST_AGENTS))
        for guest in found:
            if guest.instance not in self.agents:
                with self.client.soak.verbs:
                    self.agents[guest.instance] = Agent(
                        self.world.command(*self.world.where(guest.instance, [])))
        return found

    def check(self, dice):
        """
        Sends some, and says what did not become of them what should. The machine's ARP cache is one
        for all its namespaces: what is lost while others fill it is sent again.
        """
        before = full_tables()
        wrong = self.round(dice)
        if wrong and full_tables() != before:
            before = full_tables()
            wrong = self.round(dice)
            if wrong and full_tables() != before:
                return []
        return wrong

    def round(self, dice):
        ways = Ways(self.client.model)
        guests = self.ready(dice, ways)
        if not guests:
            return []
        probes = []
        for source in guests:
            for target in guests:
                if source is not target and ways.is_reached(source, target):
                    probes += self.some(dice, source, target, 3)
            probes += self.some(dice, source, self.outside, 3)
            public = self.client.model.public_of(
                self.client.model.things["eni"][source.eni], source.address)
            if public and ways.model.attached(source.vpc):
                probes += self.some(dice, self.outside, source, 3, public)
        expected, doubtful = {}, set()
        for one in probes:
            self.foretell(ways, one, expected, doubtful)
        heard = self.exchange(guests, probes, expected)
        return self.wrong(ways, probes, expected, heard, doubtful)

    def some(self, dice, source, target, count, to=None):
        made = []
        for _ in range(count):
            protocol = dice.random.choice((TCP, UDP, ICMP))
            self.flow += 1
            made.append(types.SimpleNamespace(
                tag=f"{self.client.model.name}.{self.flow}", source=source, target=target,
                to=to or target.address, protocol=protocol, first=1024 + self.flow % 60000,
                port=dice.random.choice(KINDS if protocol == ICMP else PORTS)))
        return made

    def foretell(self, ways, one, expected, doubtful):
        """Who hears it, and its answer, from whom: (direction, tag, source)."""
        def hears(guest, direction, source):
            expected.setdefault(guest.instance, set()).add((direction, one.tag, source))
        flow = one.protocol != ICMP or one.port[0] in REPLY_TYPES
        back = (REPLY_TYPES.get(one.port[0]), 0) if one.protocol == ICMP else one.first
        if one.target is self.outside:
            public = ways.goes_out(one.source, one.target, one.protocol, one.port)
            way = ways.way_out(one.source, one.target)
            if not flow and way and way[1]:
                doubtful.add(one.tag)  # an error of its own accord, through NAT
            if public:
                hears(one.target, "q", public)
                returns = flow and ways.comes_back(one.source, one.target, one.protocol, back)
                if returns is None:
                    doubtful.add(one.tag)
                elif returns:
                    hears(one.source, "r", one.target.address)
        elif one.source is self.outside:
            if ways.comes_in(one.source, one.target, one.protocol, one.port):
                hears(one.target, "q", one.source.address)
                if flow and ways.answers(one.target, one.source, one.protocol, back):
                    hears(one.source, "r", one.to)
        elif ways.arrives(one.source, one.target, one.protocol, one.port):
            hears(one.target, "q", one.source.address)
            if flow and ways.crosses(one.target, one.source, one.protocol, back):
                hears(one.source, "r", one.target.address)

    def exchange(self, guests, probes, expected):
        agents = {guest.instance: self.agents[guest.instance] for guest in [*guests, self.outside]}
        for agent in agents.values():
            agent("tags")
        for instance, agent in agents.items():
            agent.send(*(probe(one.source.address, one.to, one.protocol, one.tag, one.first,
                               one.port) for one in probes if one.source.instance == instance))
        heard = collect(list(agents.values()), {agent: len(expected.get(instance, ()))
                                                for instance, agent in agents.items()}, seconds=10)
        return {instance: {tuple(entry) for entry in heard[agent] if entry[0] != "?"}
                for instance, agent in agents.items()}

    def wrong(self, ways, probes, expected, heard, doubtful):
        self.sent += len(probes)
        self.arrived += sum(len(entries) for entries in heard.values())
        lines, meant = [], {one.tag: one for one in probes}
        for instance, entries in heard.items():
            for word, tag, source in entries ^ expected.get(instance, set()):
                one = meant.get(tag)
                if tag in doubtful or one is None:
                    continue
                what = "must arrive" if (word, tag, source) in expected.get(instance, ()) else \
                    "must not arrive"
                lines.append(f"{'reply of ' if word == 'r' else ''}{one.source} > {one.to} protocol "
                             f"{one.protocol} {one.first} to {one.port} {what} at "
                             f"{instance or 'the Internet'} from {source}")
                for guest in (one.source, one.target):
                    if guest is not self.outside:
                        lines.append(f"  {guest}: table {ways.model.table_of(guest.subnet)}")
                        lines.append(ways.described(guest))
        return lines
