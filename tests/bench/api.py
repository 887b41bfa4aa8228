"""What API calls cost: one after the other by one kept connection, and many connections at once.

All requests are signed before the clock starts and sent by a small C program, so what is measured
is the daemon: HTTP, the signature's verification, the parameters, the model, the reply's XML, and
for what changes the world the disk and the kernel too. Beside the wall's clock stands the daemon's
own time on a CPU per call: others on the machine don't change it, and its inverse is what one core
can answer.
"""

import glob
import os
import subprocess
from collections import namedtuple

from latency import Caller, IMAGE
from report import Figure
from world import Failed, World

INSTANCES, PAGE, CHANGES = 1000, 100, 200
CONNECTIONS = 64
MS = 1e3
# What one account is let do in a region, in the long run: describing calls, and instances launched.
DESCRIBE_QUOTA, LAUNCH_QUOTA = 20, 2

Sample = namedtuple("Sample", "replies seconds p50 p99 worst size fewest cpu")


class Api:
    QUOTAS = ("--quota", f"vpcs-per-region={2 * CHANGES}",
              "--quota", f"subnets-per-vpc={2 * CHANGES}")

    def __init__(self, build: str, seconds: float, instances: int = INSTANCES):
        self.count = instances
        self.binary = os.path.join(build, "minivpc")
        self.calls = os.path.join(build, "bench", "calls")
        self.seconds = seconds
        self.rows = []
        self.many = self.memory = None
        self.world = self.caller = None

    # --- sending ---------------------------------------------------------------------------------

    def cpu(self) -> float:
        """Seconds that the daemon's threads have spent on a CPU."""
        total = 0
        for path in glob.glob(f"/proc/{self.world.daemon.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9

    def resident(self) -> int:
        """KiB"""
        with open(f"/proc/{self.world.daemon.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if "VmRSS" in line)

    def request(self, action: str, **parameters) -> bytes:
        """As it goes over the wire."""
        headers, body = self.caller.signed(action, **parameters)
        host = self.world.endpoint.removeprefix("http://")
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST / HTTP/1.1", f"Host: {host}", *lines,
                            f"Content-Length: {len(body)}", "", ""])
        return (head + body).encode()

    def send(self, requests: list, count: int, connections: int = 1, seconds: float = 120
             ) -> Sample:
        path = os.path.join(self.world.directory, "requests")
        with open(path, "wb") as file:
            for request in requests:
                file.write(b"%d\n" % len(request) + request)
        before = self.cpu()
        sample = self.calling(self.world.endpoint.rsplit(":", 1)[1], path, connections, count,
                              seconds)
        return sample._replace(cpu=(self.cpu() - before) / sample.replies)

    def calling(self, port: str, path: str, connections: int, count: int, seconds: float) -> Sample:
        done = subprocess.run([self.calls, port, str(connections), str(count), str(seconds), path],
                              capture_output=True, text=True, check=False, timeout=seconds + 60)
        words = done.stdout.split()
        if done.returncode or len(words) != 8 or words[1] != "0":
            raise Failed(f"calls: {done.stdout.strip()} {done.stderr.strip()[-300:]}")
        replies, _, wall, p50, p99, worst, size, fewest = map(float, words)
        return Sample(replies, wall, p50, p99, worst, size, fewest, 0)

    def bare(self, size: float, count: int) -> float:
        """The median in µs of a server that only answers as much, to the requests sent last."""
        path = os.path.join(self.world.directory, "requests")
        with subprocess.Popen([self.calls, "answer", str(int(size))], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as server:
            port = server.stdout.readline().strip()
            try:
                return self.calling(port, path, 1, count, 60).p50
            finally:
                server.stdin.close()

    def row(self, title: str, requests: list, count: int, aim: tuple = None) -> None:
        """`aim`: of what ("rate" of one core, "p50" in ms), and how much."""
        sample = self.send(requests, count)
        floor = self.bare(sample.size, count) if title.startswith("Describe") else None
        self.rows.append((title, sample, aim, floor))

    # --- what is measured ------------------------------------------------------------------------

    def measure(self) -> None:
        with World(self.binary, *self.QUOTAS) as world:
            world.start()
            self.world, self.caller = world, Caller(world)
            vpcs = self.request("DescribeVpcs")
            self.send([vpcs], 2000)  # warm
            self.row("DescribeVpcs", [vpcs], 20000, ("rate", 10000))
            self.at_once(vpcs)
            self.changes(world.client())

    def at_once(self, request: bytes) -> None:
        """Many connections; what memory the daemon has after the first second it keeps."""
        self.send([request], 10**7, CONNECTIONS, 1)
        before = self.resident()
        self.many = self.send([request], 10**7, CONNECTIONS, self.seconds)
        self.memory = before, self.resident()

    def changes(self, client) -> None:
        blocks = [f"10.{n}.0.0/16" for n in range(CHANGES)]
        self.row("CreateVpc", [self.request("CreateVpc", CidrBlock=block) for block in blocks],
                 CHANGES)
        vpc = client.create_vpc(CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
        blocks = [f"172.16.{n}.0/24" for n in range(CHANGES)]
        self.subnets([self.request("CreateSubnet", VpcId=vpc, CidrBlock=block)
                      for block in blocks])
        subnet = client.create_subnet(
            VpcId=client.create_vpc(CidrBlock="172.17.0.0/16")["Vpc"]["VpcId"],
            CidrBlock="172.17.0.0/20")["Subnet"]["SubnetId"]
        launch = {"ImageId": IMAGE, "SubnetId": subnet, "MinCount": 1, "MaxCount": 1}
        self.row("RunInstances of one", [self.request("RunInstances", **launch)
                                         for _ in range(CHANGES)], CHANGES)
        launch.update(MinCount=self.count - CHANGES, MaxCount=self.count - CHANGES)
        client.run_instances(**launch)
        self.instances(client)

    def subnets(self, requests: list) -> None:
        """Each knows the way to all that are there, so the first costs less than the last."""
        for first in 0, 40, CHANGES - 10:
            some = requests[first:first + 10]
            self.row(f"CreateSubnet, {first + 1} to {first + 10} of a VPC", some, len(some))
            between = requests[first + 10:40 if first == 0 else CHANGES - 10]
            if between:
                self.send(between, len(between))

    def instances(self, client) -> None:
        self.row(f"DescribeInstances of {self.count}", [self.request("DescribeInstances")], 100,
                 ("p50", 15))
        tokens = [None]
        while len(tokens) < 2 or tokens[-1]:
            more = {"NextToken": tokens[-1]} if tokens[-1] else {}
            reply = client.describe_instances(MaxResults=PAGE, **more)
            tokens.append(reply.get("NextToken"))
        pages = [self.request("DescribeInstances", MaxResults=PAGE,
                              **({"NextToken": token} if token else {})) for token in tokens[:-1]]
        if len(pages) != self.count // PAGE:
            raise Failed(f"{len(pages)} pages of {PAGE}")
        self.row(f"DescribeInstances, a page of {PAGE}", pages, 10 * len(pages))
        self.row("DescribeInstances by id", [self.request("DescribeInstances", **{
            "InstanceId.1": reply["Reservations"][0]["Instances"][0]["InstanceId"]})], 5000)
        self.row(f"DescribeInstances by a filter, 1 of {self.count}", [
            self.request("DescribeInstances", **{"Filter.1.Name": "private-ip-address",
                                                 "Filter.1.Value.1": "172.17.0.200"})], 100)

    def report(self, report) -> None:
        firsts = {}
        for title, sample, aim, floor in self.rows:
            core = Figure(1 / sample.cpu)
            aims = {"most": aim[1]} if aim and aim[0] == "p50" else {}
            report.add("api", title, "ms", Figure(sample.p50 / MS), aims=aims,
                       floor=floor and Figure(floor / MS, "bare server"))
            if title == "DescribeVpcs":
                report.add("api", f"{title}, of one core", "per s", core, more_is_better=True,
                           peer=Figure(DESCRIBE_QUOTA, "AWS's quota"),
                           floor=Figure(aim[1], "the aim"), aims={"least": aim[1]})
            elif title.startswith("RunInstances"):
                report.add("api", f"{title}, one after the other", "per s",
                           Figure(sample.replies / sample.seconds), more_is_better=True,
                           peer=Figure(LAUNCH_QUOTA, "AWS's quota"))
            else:
                first = firsts.setdefault(title.split(",")[0], sample)
                report.add("api", f"{title}, CPU of the daemon", "ms", Figure(sample.cpu * 1000),
                           floor=Figure(first.cpu * 1000, "the first ten")
                           if title.startswith("CreateSubnet") and first is not sample else None)
        many, (before, after) = self.many, self.memory
        report.add("api", f"DescribeVpcs, {CONNECTIONS} connections at once", "per s",
                   Figure(many.replies / many.seconds), more_is_better=True,
                   peer=Figure(DESCRIBE_QUOTA, "AWS's quota"))
        report.add("api", f"memory after {many.seconds:.0f} s of that", "MiB", Figure(after / 1024),
                   floor=Figure(before / 1024, "after 1 s"))
        report.add("api", "replies of the connection served least", "share",
                   Figure(many.fewest / (many.replies / CONNECTIONS)), floor=Figure(1, "all alike"),
                   more_is_better=True)
