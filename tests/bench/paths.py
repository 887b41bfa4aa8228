"""What a packet's way costs: one TCP stream and its round trip along each path of a world, beside a
bare veth pair of the path's own MTU that is measured right before it.

Both ends of every connection are on one CPU, so all that is between them is on that CPU too. Each
round measures every path once, each next to its pair; the ratio is the median of the rounds' own.
The MTU is what TCP finds on the path: 9001 within a VPC, 1500 where the Internet is on it.
"""

import os
import statistics
import subprocess
import time
from collections import namedtuple
from contextlib import ExitStack

from botocore.exceptions import ClientError

from world import Failed, World

PORT = 7000
IMAGE = "ami-0123456789abcdef0"
ANY = "0.0.0.0/0"
KINDS = {"stream": 0.5, "echo": 20000}  # seconds; round trips

# `client` and `server` are what runs a command there; `aim`: of a bare pair's.
Path = namedtuple("Path", "name client server address aim")
INSIDE, OUTSIDE = 0.85, 0.7


class Pair:
    """Two namespaces and a veth pair, with nothing between them."""

    ADDRESS = "192.0.2.2"

    def __init__(self, mtu: int):
        self.names = [f"bare-{os.getpid()}-{mtu}-{end}" for end in "ab"]
        self.mtu = mtu

    def __enter__(self):
        try:
            for name in self.names:
                ip("netns", "add", name)
            one, two = self.names
            ip("-n", one, "link", "add", "veth0", "mtu", self.mtu, "type", "veth",
               "peer", "name", "veth0", "mtu", self.mtu, "netns", two)
            for number, name in enumerate(self.names, 1):
                ip("-n", name, "address", "add", f"192.0.2.{number}/24", "dev", "veth0")
                ip("-n", name, "link", "set", "veth0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            ip("netns", "delete", name, check=False)

    def path(self) -> Path:
        one, two = (("ip", "netns", "exec", name) for name in self.names)
        return Path(f"bare veth, MTU {self.mtu}", one, two, self.ADDRESS, None)


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
            Path("in one subnet", client, beside, address, INSIDE),
            Path("across subnets", client, across, across_address, INSIDE),
            Path("by a peering", client, peered, peered_address, INSIDE),
            Path("to the Internet", client, host, outside, OUTSIDE),
            Path("to a public address (hairpin)", client, beside, public, OUTSIDE),
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
        return [Path(name, client, host, outside, OUTSIDE)]


class Paths:
    def __init__(self, build: str, rounds: int):
        self.binary = os.path.join(build, "minivpc")
        self.traffic = os.path.abspath(os.path.join(build, "bench", "traffic"))
        self.rounds = rounds
        self.samples = {}  # (path, kind): pairs of its own and its bare pair's figure
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
            for kind, amount in KINDS.items():
                bare = self.run(kind, pairs[mtu].path(), amount)
                own = self.run(kind, path, amount)
                self.samples.setdefault((path.name, kind), []).append((own, bare))

    def measure(self) -> None:
        with World(self.binary) as world, ExitStack() as stack:
            world.start()
            network = Network(world)
            paths = network.paths()
            self.skipped = network.skipped
            for server in {path.server for path in paths}:
                self.serve(stack, server)
            self.rows = [(path, int(self.run("mtu", path))) for path in paths]
            pairs = {mtu: stack.enter_context(Pair(mtu)) for mtu in {row[1] for row in self.rows}}
            for mtu, pair in pairs.items():
                self.serve(stack, pair.path().server)
                if self.run("mtu", pair.path()) != mtu:
                    raise Failed(f"the bare pair's MTU isn't {mtu}")
            for number in range(self.rounds):
                self.round(number, pairs)

    def table(self) -> None:
        print(f"\na packet's way, beside a bare veth pair of the same MTU; {self.rounds} round(s)")
        print(f"{'':31}{'':>6}{'TCP, Gbit/s':>22}{'round trip, µs':>24}")
        print(f"{'':31}{'MTU':>6}{'bare':>8}{'path':>8}{'ratio':>6}{'bare':>10}{'path':>8}"
              f"{'ratio':>6}")
        for path, mtu in self.rows:
            line, missed = f"{path.name:31}{mtu:>6}", []
            for kind, scale, width in (("stream", 1e9, 8), ("echo", 1, 10)):
                samples = self.samples[path.name, kind]
                own, bare = (statistics.median(column) for column in zip(*samples))
                ratio = statistics.median(
                    own / bare if kind == "stream" else bare / own for own, bare in samples)
                line += f"{bare / scale:>{width}.2f}{own / scale:>8.2f}{ratio:>6.2f}"
                if ratio < path.aim:
                    missed.append({"stream": "TCP", "echo": "round trip"}[kind])
            aim = f"  aim: {path.aim}"
            print(line + aim + (f", MISSED: {', '.join(missed)}" if missed else ""))
        for name, why in self.skipped.items():
            print(f"{name:31}  skipped: {why}")
