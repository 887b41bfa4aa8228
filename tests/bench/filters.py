"""What rules cost a packet, and what a rule more costs."""

import os
import subprocess
import time

from report import Figure
from world import Failed, World


class Filters:
    """What rules cost: a packet's way by one rule and by 1,000, and a rule more for many members.

    The sender's end stays the same; the receiver has one group of one rule, or five groups of 200
    of which the last has the one that fits. "tracked" is a rule for a narrow block, which makes a
    connection; "untracked" one for 0.0.0.0/0, whose every packet is judged anew.
    """

    RULES, GROUPS, PORT = 1000, 5, 7000
    PACKETS = {"echo": 20000, "connect": 3000, "stream": 0.5}
    QUOTA = ("--quota", f"rules-per-security-group={RULES // GROUPS}")

    def __init__(self, build: str, rounds: int, members: int = 1000, share: float = 1):
        """`members`: of the group that gets a rule more; `share`: of the packets."""
        self.binary = os.path.join(build, "minivpc")
        self.traffic = os.path.abspath(os.path.join(build, "bench", "traffic"))
        self.rounds = rounds
        self.most = members
        self.amounts = {kind: type(n)(n * share) for kind, n in self.PACKETS.items()}
        self.samples = {}
        self.members = {}
        self.world = self.client = self.vpc = None

    def group(self, name: str, permissions: list) -> str:
        made = self.client.create_security_group(
            GroupName=name, Description="of the benchmark", VpcId=self.vpc
        )["GroupId"]
        self.client.authorize_security_group_ingress(GroupId=made, IpPermissions=permissions)
        return made

    def permission(self, port: int, block: str) -> dict:
        return {
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            "IpRanges": [{"CidrIp": block}],
        }

    def groups(self, name: str, block: str) -> dict:
        """One rule that lets the traffic in, alone and as the last of a thousand."""
        fits = self.permission(self.PORT, block)
        each = self.RULES // self.GROUPS
        rules = [
            self.permission(10000 + n, f"172.{16 + n // 256}.{n % 256}.0/24")
            for n in range(self.RULES - 1)
        ]
        parts = [rules[n * each : (n + 1) * each] for n in range(self.GROUPS)]
        parts[-1].append(fits)
        many = [self.group(f"{name}-{number}", part) for number, part in enumerate(parts)]
        return {1: [self.group(name, [fits])], self.RULES: many}

    def send(self, kind: str, sender: str, address: str) -> float:
        done = self.world.run(
            "exec", sender, self.traffic, kind, address, str(self.PORT), str(self.amounts[kind])
        )
        if done.returncode:
            raise Failed(f"traffic {kind}: {done.stderr.strip()[-300:]}")
        return float(done.stdout)

    def packets(self, subnet: str) -> None:
        reply = self.client.run_instances(
            ImageId="ami-0123456789abcdef0", SubnetId=subnet, MinCount=2, MaxCount=2
        )
        sender, receiver = (instance["InstanceId"] for instance in reply["Instances"])
        address = reply["Instances"][1]["PrivateIpAddress"]
        sets = {
            "tracked": self.groups("tracked", "10.0.0.0/16"),
            "untracked": self.groups("untracked", "0.0.0.0/0"),
        }
        command = [self.binary, "exec", "--state", self.world.state, receiver]
        with subprocess.Popen(
            [*command, self.traffic, "serve", str(self.PORT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server:
            if server.stdout.readline() != b"ready\n":
                raise Failed("traffic serve")
            for number in range(self.rounds):
                for name, by_count in sets.items():
                    # The order changes, so that what comes first isn't always the same.
                    for count in sorted(by_count, reverse=number % 2 == 1):
                        self.client.modify_instance_attribute(
                            InstanceId=receiver, Groups=by_count[count]
                        )
                        for kind in self.PACKETS:
                            self.samples.setdefault((name, kind, count), []).append(
                                self.send(kind, sender, address)
                            )
            server.stdin.close()
            server.wait(10)
        self.client.terminate_instances(InstanceIds=[sender, receiver])

    def one_rule_more(self, subnet: str, count: int) -> None:
        """Authorizing and revoking one rule of a group that `count` instances have."""
        group = self.group(f"of-{count}", [self.permission(80, "10.1.0.0/16")])
        self.client.run_instances(
            ImageId="ami-0123456789abcdef0",
            SubnetId=subnet,
            SecurityGroupIds=[group],
            MinCount=count,
            MaxCount=count,
        )
        permission = [self.permission(443, "10.2.0.0/16")]
        times = []
        for _ in range(20):
            start = time.monotonic()
            self.client.authorize_security_group_ingress(GroupId=group, IpPermissions=permission)
            times.append(time.monotonic() - start)
            self.client.revoke_security_group_ingress(GroupId=group, IpPermissions=permission)
        self.members[count] = times

    def measure(self) -> None:
        with World(self.binary, *self.QUOTA) as world:
            world.start()
            self.world, self.client = world, world.client()
            self.vpc = self.client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            small, large = (
                self.client.create_subnet(VpcId=self.vpc, CidrBlock=block)["Subnet"]["SubnetId"]
                for block in ("10.0.16.0/24", "10.0.32.0/20")
            )
            self.packets(small)
            self.one_rule_more(small, 1)
            self.one_rule_more(large, self.most)

    def report(self, report) -> None:
        units = {"echo": ("round trip", "µs"), "connect": ("connecting", "µs"),
                 "stream": ("TCP", "Gbit/s")}
        for name, kind, count in self.samples:
            if count != 1:
                continue
            more = kind == "stream"
            best = max if more else min  # whatever else the machine does only ever costs time
            one, many = ([sample / (1e9 if more else 1) for sample in self.samples[name, kind, n]]
                         for n in (1, self.RULES))
            title, unit = units[kind]
            report.add("rules", f"{title} by {self.RULES} rules, {name}", unit,
                       Figure(many, best=best), floor=Figure(one, "1 rule", best),
                       more_is_better=more, quoted=kind != "connect", aims={} if kind == "connect" else {"floor": 0.95})
        one, *others = ((count, Figure([seconds * 1000 for seconds in times], f"of {count}"))
                        for count, times in self.members.items())
        for count, figure in others:
            figure.name = "minivpc"
            report.add("rules", f"a rule more for a group of {count}", "ms", figure, floor=one[1])
