"""How long a person waits: one call, from the first byte of the request until a ping is answered.

The pings are sent from an instance that runs all the while, one every 100 µs, to the address that
the call names: so the clock says when packets flow, whatever the reply or the state says. Beside
it the floor program's way of making one instance, what exec of a command takes, and what a call
does from a shell: by `minivpc ec2` and by the AWS CLI.
"""

import ctypes
import os
import select
import shutil
import socket
import struct
import subprocess
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from launches import HERE, seconds_printed
from report import Figure
from world import Failed, World

ROUTER, SENDER, TARGET = "10.0.0.1", "10.0.0.9", "10.0.0.10"
IMAGE = "ami-0123456789abcdef0"
MS = 1000
EVERY = 0.0001  # s
PATIENCE = 10  # s

ROWS = (  # of what is measured: its name, what it is, the aim in ms, its floor, its peer
    ("launch", "RunInstances until a ping is answered", 10, "floor", "target"),
    ("launch reply", "RunInstances until its reply", None, "floor", "shell"),
    ("start", "StartInstances until a ping is answered", 10, "floor", "target"),
    ("stop", "StopInstances until the last answer", 10, "floor", None),
    ("exec", "minivpc exec of true", 5, "true", "netns"),
    ("ec2", "minivpc ec2 describe-vpcs", 10, "true", "aws"),
)
NAMES = {
    "floor": "bare C",
    "target": "Firecracker's target",
    "shell": "shell loop of ip",
    "true": "a bare process",
    "netns": "ip netns exec",
    "aws": "AWS CLI",
}
FIRECRACKER = 125  # ms: its design's target, from the call until init runs
SHELLS = 5


def enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0) < 0:
        raise OSError(ctypes.get_errno(), "setns")


class Pinger:
    """ICMP echo requests from within a network namespace."""

    def __init__(self, instance: str, address: str):
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{instance}", os.O_RDONLY)
        try:
            enter(other)
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        finally:
            enter(own)
            os.close(own)
            os.close(other)
        self.address = address
        self.number = 0

    def request(self) -> bytes:
        self.number = (self.number + 1) & 0xFFFF
        words = (8 << 8, os.getpid() & 0xFFFF, self.number)
        total = sum(words)
        total = (total & 0xFFFF) + (total >> 16)
        return struct.pack("!BBHHH", 8, 0, ~total & 0xFFFF, *words[1:])

    def wait(self, answering: bool) -> float:
        """The time at which the first request is answered; or the last answered one, if none is
        to be for 20 ms."""
        end = time.monotonic() + PATIENCE
        last = time.monotonic()
        while time.monotonic() < end:
            try:
                self.socket.sendto(self.request(), (self.address, 0))
            except OSError:
                pass  # unreachable: not yet, or not any more
            ready, _, _ = select.select([self.socket], [], [], EVERY)
            if ready and self.socket.recv(2048)[20] == 0:
                last = time.monotonic()
                if answering:
                    self.drain()
                    return last
            if not answering and time.monotonic() > last + 0.02:
                return last
        raise Failed(f"no answer from {self.address} in {PATIENCE} s")

    def drain(self) -> None:
        while select.select([self.socket], [], [], 0)[0]:
            self.socket.recv(2048)

    def close(self) -> None:
        self.socket.close()


def know_neighbour(world: World, sender: str) -> None:
    """Else the kernel's own patience with an ARP request that nobody answered yet, a second, is
    what would be measured; the router answers for all of a subnet's addresses."""
    script = (f"ping -c 1 -W 2 {ROUTER} > /dev/null;"
              f" mac=$(ip neigh show {ROUTER} | sed 's/.*lladdr \\([^ ]*\\).*/\\1/');"
              f" ip neigh replace {TARGET} lladdr $mac dev eth0 nud permanent")
    done = world.run("exec", sender, "--", "sh", "-c", script)
    if done.returncode:
        raise Failed(f"the neighbour: {done.stderr.strip()[-300:]}")


class Caller:
    """Calls by one kept connection, signed before the clock starts."""

    def __init__(self, world: World):
        session = world.client()
        self.credentials = session._request_signer._credentials  # pylint: disable=protected-access
        self.endpoint = world.endpoint
        address = urlsplit(world.endpoint)
        self.connection = HTTPConnection(address.hostname, address.port, timeout=30)

    def signed(self, action: str, **parameters) -> tuple:
        """The headers and the body."""
        body = urlencode({"Action": action, "Version": "2016-11-15", **parameters})
        request = AWSRequest("POST", self.endpoint + "/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        SigV4Auth(self.credentials, "ec2", "us-east-1").add_auth(request)
        return dict(request.headers.items()), body

    def call(self, action: str, **parameters):
        headers, body = self.signed(action, **parameters)
        start = time.monotonic()
        self.connection.request("POST", "/", body, headers)
        return start, self.finish

    def finish(self) -> float:
        """Takes in the reply; the time at which it was there."""
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise Failed(f"the call failed: {text.decode()[:300]}")
        return time.monotonic()


class Latency:
    def __init__(self, build: str, samples: int):
        self.binary = os.path.join(build, "minivpc")
        self.floor = os.path.join(build, "bench", "floor")
        self.samples = samples
        self.times = {"target": [FIRECRACKER]}

    def note(self, name: str, seconds: float) -> None:
        self.times.setdefault(name, []).append(seconds * MS)

    def until(self, client, instance: str, state: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = client.describe_instances(InstanceIds=[instance])
            if found["Reservations"][0]["Instances"][0]["State"]["Name"] == state:
                return
            time.sleep(0.002)
        raise Failed(f"{instance} isn't {state}")

    def one_floor(self) -> None:
        with subprocess.Popen([self.floor, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as program:
            words = program.stdout.readline().split()
            program.stdin.close()
        if len(words) == 2:
            self.note("floor", float(words[1]))

    def launch(self, client, caller: Caller, pinger: Pinger, subnet: str) -> None:
        pinger.drain()
        start, finish = caller.call("RunInstances", ImageId=IMAGE, SubnetId=subnet, MinCount=1,
                                    MaxCount=1, PrivateIpAddress=TARGET)
        answered = pinger.wait(True)
        self.note("launch", answered - start)
        self.note("launch reply", finish() - start)
        found = client.describe_instances(
            Filters=[{"Name": "private-ip-address", "Values": [TARGET]}])
        instance = found["Reservations"][0]["Instances"][0]["InstanceId"]
        self.until(client, instance, "running")
        own = (self.binary, "--state", self.state)
        self.commands("true", "true")
        self.commands("exec", *own, "exec", instance, "--", "true")
        self.commands("netns", "ip", "netns", "exec", instance, "true")
        self.commands("ec2", *own, "ec2", "describe-vpcs")
        start, finish = caller.call("StopInstances", **{"InstanceId.1": instance})
        silent = pinger.wait(False)
        finish()
        self.note("stop", max(silent - start, 0))
        self.until(client, instance, "stopped")
        pinger.drain()
        start, finish = caller.call("StartInstances", **{"InstanceId.1": instance})
        self.note("start", pinger.wait(True) - start)
        finish()
        client.terminate_instances(InstanceIds=[instance])
        self.until(client, instance, "terminated")

    def commands(self, name: str, *words: str) -> None:
        for _ in range(3):
            start = time.monotonic()
            subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
            self.note(name, time.monotonic() - start)

    def measure(self) -> None:
        with World(self.binary) as world:
            world.start()
            self.state = world.state
            client = world.client()
            vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
            group = client.describe_security_groups(
                Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]["GroupId"]
            client.authorize_security_group_ingress(
                GroupId=group, IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="0.0.0.0/0")
            sender = client.run_instances(ImageId=IMAGE, SubnetId=subnet, MinCount=1, MaxCount=1,
                                          PrivateIpAddress=SENDER)["Instances"][0]["InstanceId"]
            self.until(client, sender, "running")
            know_neighbour(world, sender)
            pinger = Pinger(sender, TARGET)
            caller = Caller(world)
            for _ in range(self.samples):
                self.one_floor()
                self.launch(client, caller, pinger, subnet)
            pinger.close()
            if shutil.which("aws"):
                self.commands("aws", self.binary, "--state", self.state, "aws", "ec2",
                              "describe-vpcs")
        for _ in range(SHELLS if shutil.which("ip") else 0):
            self.note("shell", seconds_printed([os.path.join(HERE, "shell")], 1))

    def report(self, report) -> None:
        for name, title, most, *beside in ROWS:
            if name not in self.times:
                continue
            floor, peer = (Figure(self.times[other], NAMES[other]) if other in self.times else None
                           for other in beside)
            report.add("latency", title, "ms", Figure(self.times[name]), floor=floor, peer=peer,
                       aims={"most": most} if most else {})
