"""What a packet's way costs: one TCP stream and its round trip along each path of a world, beside a
bare veth pair of the path's own MTU that is measured right before it; and beside what one would
build by hand without any rules, a Linux bridge or a router between the two.

Both ends of every connection are on one CPU, so all that is between them is on that CPU too. Each
round measures every path once, each next to its pair; the ratio is the median of the rounds' own.
The MTU is what TCP finds on the path: 9001 within a VPC, 1500 where the Internet is on it.
"""

import os
import subprocess
import time
from collections import namedtuple
from contextlib import ExitStack

from botocore.exceptions import ClientError

from report import Figure
from world import Failed, World

PORT = 7000
IMAGE = "ami-0123456789abcdef0"
ANY = "0.0.0.0/0"
KINDS = {"stream": 0.5, "echo": 20000}  # seconds; round trips

# `client` and `server` are what runs a command there; `aim`: of a bare pair's; `peer`: what stands
# between two ends that one builds by hand.
Path = namedtuple("Path", "name client server address aim peer")
INSIDE, OUTSIDE = 0.85, 0.7


class Pair:
    """Two namespaces and a veth pair, with nothing between them; or a third, with a bridge or a
    router in it."""

    TITLES = {None: "bare veth", "bridge": "Linux bridge", "router": "one Linux router"}

    def __init__(self, mtu: int, between: str = None):
        self.mtu, self.between = mtu, between
        self.title = self.TITLES[between]
        self.names = [f"bare-{os.getpid()}-{mtu}-{between or 'veth'}-{end}" for end in "abc"]
        self.address = "192.0.3.2" if between == "router" else "192.0.2.2"

    def __enter__(self):
        one, two, middle = self.names
        try:
            for name in self.names if self.between else self.names[:2]:
                ip("netns", "add", name)
            if self.between:
                self.link(one, middle, "left")
                self.link(two, middle, "right")
                getattr(self, self.between)(middle)
            else:
                self.link(one, two, "veth0")
            for name, address in (one, "192.0.2.1"), (two, self.address):
                ip("-n", name, "address", "add", f"{address}/24", "dev", "veth0")
            if self.between == "router":
                for name, net in (one, 2), (two, 3):
                    ip("-n", name, "route", "add", "default", "via", f"192.0.{net}.9")
        except BaseException:
            self.__exit__()
            raise
        return self

    def link(self, one: str, two: str, there: str) -> None:
        ip("-n", one, "link", "add", "veth0", "mtu", self.mtu, "type", "veth",
           "peer", "name", there, "mtu", self.mtu, "netns", two)
        ip("-n", one, "link", "set", "veth0", "up")
        ip("-n", two, "link", "set", there, "up")

    def bridge(self, middle: str) -> None:
        ip("-n", middle, "link", "add", "bridge0", "mtu", self.mtu, "type", "bridge")
        for port in "left", "right":
            ip("-n", middle, "link", "set", port, "master", "bridge0")
        ip("-n", middle, "link", "set", "bridge0", "up")

    @staticmethod
    def router(middle: str) -> None:
        for port, net in ("left", 2), ("right", 3):
            ip("-n", middle, "address", "add", f"192.0.{net}.9/24", "dev", port)
        ip("netns", "exec", middle, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")

    def __exit__(self, *_):
        for name in self.names:
            ip("netns", "delete", name, check=False)

    def path(self) -> Path:
        one, two = (("ip", "netns", "exec", name) for name in self.names[:2])
        return Path(f"{self.title}, MTU {self.mtu}", one, two, self.address, None, None)


def ip(*words, check: bool = True) -> None:
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Failed(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")


class Network:
    """Two peered VPCs, an instance at every end of a path, and a gateway for the first."""

    def __init__(self, world: World):
        self.world, self.ec2 = world, world.client()
        self.skipped = {}

    def vpc(self, block: str) -> str:
        """A public server's filters: anybody may connect, and nobody is tracked for it."""
        vpc = self.ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
        group, = self.ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
        self.ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"], IpProtocol="tcp", FromPort=PORT, ToPort=PORT, CidrIp=ANY)
        return vpc

    def subnet(self, vpc: str, block: str, **routes: dict) -> str:
        """With a table of its own; `routes`: destination by target."""
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"]
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        for target, (identifier, destination) in routes.items():
            self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination,
                                  **{target: identifier})
        return subnet

    def launch(self, subnet: str, public: bool = False):
        """What runs commands there, its private and its public address."""
        made, = self.ec2.run_instances(
            ImageId=IMAGE, MinCount=1, MaxCount=1, NetworkInterfaces=[
                {"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": public}],
        )["Instances"]
        ids = [made["InstanceId"]]

        def read():
            return self.ec2.describe_instances(InstanceIds=ids)["Reservations"][0]["Instances"][0]

        self.wait(lambda: read()["State"]["Name"] == "running", f"{ids[0]} doesn't run")
        words = (self.world.binary, "exec", "--state", self.world.state, *ids, "--")
        return words, made["PrivateIpAddress"], read().get("PublicIpAddress")

    @staticmethod
    def wait(condition, problem: str) -> None:
        end = time.monotonic() + 20
        while not condition():
            if time.monotonic() > end:
                raise Failed(problem)
            time.sleep(0.02)

    def nat_gateway(self, subnet: str) -> str:
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
        ids = [made["NatGateway"]["NatGatewayId"]]

        def state():
            return self.ec2.describe_nat_gateways(NatGatewayIds=ids)["NatGateways"][0]["State"]

        self.wait(lambda: state() == "available", f"{ids[0]} isn't available")
        return ids[0]

    def paths(self) -> list:
        near, far = self.vpc("10.0.0.0/16"), self.vpc("10.1.0.0/16")
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=near)
        peering = self.ec2.create_vpc_peering_connection(VpcId=near, PeerVpcId=far)[
            "VpcPeeringConnection"]["VpcPeeringConnectionId"]
        self.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
        front = self.subnet(near, "10.0.1.0/24", GatewayId=(gateway, ANY),
                            VpcPeeringConnectionId=(peering, "10.1.0.0/16"))
        back = self.subnet(near, "10.0.2.0/24")
        peer = self.subnet(far, "10.1.1.0/24", VpcPeeringConnectionId=(peering, "10.0.0.0/16"))
        client, _, _ = self.launch(front, public=True)
        beside, address, public = self.launch(front, public=True)
        across, across_address, _ = self.launch(back)
        peered, peered_address, _ = self.launch(peer)
        host = (self.world.binary, "internet", "exec", "--state", self.world.state, "--")
        outside = self.world.run("internet", "address").stdout.strip()
        return [
            Path("in one subnet", client, beside, address, INSIDE, "bridge"),
            Path("across subnets", client, across, across_address, INSIDE, "router"),
            Path("by a peering", client, peered, peered_address, INSIDE, "router"),
            Path("to the Internet", client, host, outside, OUTSIDE, "router"),
            Path("to a public address (hairpin)", client, beside, public, OUTSIDE, "router"),
            *self.nat_paths(near, front, host, outside),
        ]

    def nat_paths(self, vpc: str, public_subnet: str, host: tuple, outside: str) -> list:
        name = "by a NAT gateway"
        try:
            nat = self.nat_gateway(public_subnet)
            private = self.subnet(vpc, "10.0.3.0/24", NatGatewayId=(nat, ANY))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("InvalidAction", "UnsupportedOperation"):
                raise Failed(f"{name}: {error}") from error
            self.skipped[name] = error.response["Error"]["Message"]
            return []
        client, _, _ = self.launch(private)
        return [Path(name, client, host, outside, OUTSIDE, "router")]


class Paths:
    def __init__(self, build: str, rounds: int, share: float = 1):
        """`share`: of the packets."""
        self.amounts = {kind: type(n)(n * share) for kind, n in KINDS.items()}
        self.binary = os.path.join(build, "minivpc")
        self.traffic = os.path.abspath(os.path.join(build, "bench", "traffic"))
        self.rounds = rounds
        self.samples = {}  # (path, kind): pairs of its own and its bare pair's figure
        self.peers = {}  # (MTU, what is between, kind): figures
        self.rows = []  # (path, its pair's MTU)
        self.skipped = {}

    def run(self, kind: str, path: Path, *arguments) -> float:
        done = subprocess.run(
            [*path.client, self.traffic, kind, path.address, str(PORT), *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise Failed(f"{path.name}: traffic {kind}: {done.stderr.strip()[-300:]}")
        return float(done.stdout)

    def serve(self, stack: ExitStack, server: tuple) -> None:
        """Answers there until its standard input ends."""
        process = stack.enter_context(subprocess.Popen(
            [*server, self.traffic, "serve", str(PORT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        if process.stdout.readline() != b"ready\n":
            raise Failed(f"traffic serve: {' '.join(server)}")

    def round(self, number: int, pairs: dict) -> None:
        # The order changes, so that what comes first isn't always the same.
        rows = self.rows if number % 2 == 0 else self.rows[::-1]
        for path, mtu in rows:
            for kind, amount in self.amounts.items():
                bare = self.run(kind, pairs[mtu, None].path(), amount)
                own = self.run(kind, path, amount)
                self.samples.setdefault((path.name, kind), []).append((own, bare))
        for key, pair in pairs.items():
            for kind, amount in self.amounts.items():
                if pair.between:
                    self.peers.setdefault((*key, kind), []).append(
                        self.run(kind, pair.path(), amount))

    def measure(self) -> None:
        with World(self.binary) as world, ExitStack() as stack:
            world.start()
            network = Network(world)
            paths = network.paths()
            self.skipped = network.skipped
            for server in {path.server for path in paths}:
                self.serve(stack, server)
            self.rows = [(path, int(self.run("mtu", path))) for path in paths]
            wanted = {(mtu, between) for path, mtu in self.rows for between in (None, path.peer)}
            pairs = {key: stack.enter_context(Pair(*key)) for key in sorted(wanted, key=str)}
            for (mtu, _), pair in pairs.items():
                self.serve(stack, pair.path().server)
                if self.run("mtu", pair.path()) != mtu:
                    raise Failed(f"the MTU of a {pair.title} isn't {mtu}")
            for number in range(self.rounds):
                self.round(number, pairs)

    def report(self, report) -> None:
        for path, mtu in self.rows:
            for kind, title, unit, scale in (("stream", "TCP", "Gbit/s", 1e9),
                                             ("echo", "round trip", "µs", 1)):
                own, bare = ([sample / scale for sample in column]
                             for column in zip(*self.samples[path.name, kind]))
                report.add("paths", f"{title} {path.name}", unit, Figure(own),
                           floor=Figure(bare, "bare veth"), paired=True,
                           peer=Figure([sample / scale for sample in
                                        self.peers[mtu, path.peer, kind]], Pair.TITLES[path.peer]),
                           more_is_better=kind == "stream", aims={"floor": path.aim})
        for name, why in self.skipped.items():
            report.notes.append(f"{name}: skipped: {why}")
