"""How fast instances are launched, what they take of the machine, and how fast they are gone: beside
a bare C floor, a shell loop of `ip` and Mininet, size by size."""

import gc
import multiprocessing
import os
import statistics
import subprocess
import time

from report import Figure, idle
from world import Failed, World

HERE = os.path.dirname(os.path.abspath(__file__))
SLAB = "/sys/kernel/slab/net_namespace/"
SLOW_MAX = 200  # the shell loop and Mininet aren't asked for more
IN_OWN_NAMESPACES = (
    "unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc".split()
)


def until(condition, seconds: float, step: float = 0.02) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


# --- the kernel ----------------------------------------------------------------------------------


def network_namespaces() -> int:
    """How many the kernel holds, those too that nothing names any more and it has yet to free.

    Since 6.13 a namespace's last bytes are freed only when the next one goes: so one goes first.
    """
    try:
        subprocess.run(["unshare", "--net", "true"], check=True)
        with open(SLAB + "shrink", "w", encoding="ascii") as shrink:
            shrink.write("1")
        with open(SLAB + "objects", encoding="ascii") as objects:
            return int(objects.read().split()[0])
    except OSError:
        return named_namespaces()


def named_namespaces() -> int:
    """Without that slab's figures: those that a process or a mount holds."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            pass
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        found.update(line.split()[3] for line in mounts if " nsfs " in line)
    return len(found)


def gone(baseline: int, seconds: float) -> bool:
    """True once there are no more than at first, but for what the counting itself leaves."""
    return until(lambda: network_namespaces() <= baseline + 3, seconds)


def settle(baseline: int) -> None:
    """The namespaces of the measurement before are gone, and so is the work of freeing them."""
    last = network_namespaces()
    while not gone(baseline, 3):
        now = network_namespaces()
        if now >= last:
            print(f"note: {now - baseline} namespaces of others are there")
            break
        last = now
    until(lambda: idle() > 0.9, 10)


def memory_available() -> int:
    """KiB, once it has come to rest: freed memory comes back with delay."""
    last = [0]

    def read() -> int:
        with open("/proc/meminfo", encoding="ascii") as meminfo:
            return next(int(line.split()[1]) for line in meminfo if "MemAvailable" in line)

    def steady() -> bool:
        before, last[0] = last[0], read()
        return abs(last[0] - before) < 256

    until(steady, 10, 0.5)
    return last[0]


def resident(pid: int) -> float:
    """MiB"""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if "VmRSS" in line) / 1024


# --- what is compared ----------------------------------------------------------------------------


def seconds_printed(command: list, count: int) -> float:
    """Runs a program that prints "N SECONDS"."""
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [*command, str(count)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    words = done.stdout.split()
    if done.returncode or len(words) != 2 or int(words[0]) != count:
        raise Failed(f"{os.path.basename(command[-1])}: {done.stderr.strip()[-300:]}")
    return float(words[1])


class Floor:
    name = "floor"
    limit = 4091

    def __init__(self, build: str, note):
        self.program = os.path.join(build, "bench", "floor")
        self.note = note

    def measure(self, count: int, last: bool) -> float:
        before = memory_available() if last else 0
        with subprocess.Popen(
            [self.program, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            words = program.stdout.readline().split()
            if last and words:
                self.note("floor memory", (before - memory_available()) / count)
            program.stdin.close()
        if program.returncode or len(words) != 2:
            raise Failed("floor failed")
        return float(words[1])


class Shell:
    name = "shell"
    limit = SLOW_MAX

    def measure(self, count: int, last: bool) -> float:
        del last
        return seconds_printed([os.path.join(HERE, "shell")], count)


class Mininet:
    name = "mininet"
    limit = SLOW_MAX

    def measure(self, count: int, last: bool) -> float:
        del last
        script = os.path.join(HERE, "mininet_bridge.py")
        return seconds_printed([*IN_OWN_NAMESPACES, "/usr/bin/python3", script], count)


def launch(world: World, subnet: str, count: int) -> tuple:
    """RunInstances of `count`: the seconds until the reply and until all are running, and the ids.

    The clock stands at the wire: boto3's own parsing of the reply is not minivpc's time.
    """
    client, watcher = world.client(), world.client()
    pending = [{"Name": "instance-state-name", "Values": ["pending"]}]
    watcher.describe_instances(Filters=pending, MaxResults=5)
    clock = {}
    session = client._endpoint.http_session  # pylint: disable=protected-access
    send = session.send

    def timed(request):
        start = time.monotonic()
        response = send(request)
        clock["reply"] = clock["running"] = time.monotonic() - start
        while watcher.describe_instances(Filters=pending, MaxResults=5)["Reservations"]:
            clock["running"] = time.monotonic() - start
            if clock["running"] > 300:
                raise Failed("minivpc: still pending after 300 s")
        return response

    session.send = timed
    reply = client.run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="t3.nano",
        SubnetId=subnet,
        MinCount=count,
        MaxCount=count,
    )
    instances = reply["Instances"]
    first, last = instances[0]["InstanceId"], instances[-1]["PrivateIpAddress"]
    return clock["reply"], clock["running"], len(instances), first, last


def in_child(function, *arguments):
    """Calls it in a process of its own: what it allocates must not show as memory of instances."""
    here, there = multiprocessing.Pipe()

    def child():
        try:
            there.send(("done", function(*arguments)))
        except Exception as problem:  # pylint: disable=broad-except
            there.send(("failed", str(problem)))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    verdict, result = here.recv() if here.poll(400) else ("failed", "no answer in 400 s")
    process.join(5)
    if process.is_alive():
        process.kill()
    if verdict == "failed":
        raise Failed(result)
    return result


class Minivpc:
    name = "minivpc"
    limit = 4091

    def __init__(self, build: str, note):
        self.binary = os.path.join(build, "minivpc")
        self.note = note

    def measure(self, count: int, last: bool) -> float:
        baseline = network_namespaces()
        with World(self.binary) as world:
            world.start()
            subnet = in_child(self.prepare, world)
            before = memory_available() if last else 0
            _, running, made, first, address = in_child(launch, world, subnet, count)
            if made != count:
                raise Failed(f"minivpc: {made} instances instead of {count}")
            if last:
                self.note("memory", (before - memory_available()) / count)
                self.note("resident full", resident(world.daemon.pid))
            ping = world.run("exec", first, "--", "ping", "-c", "1", "-W", "5", address)
            if ping.returncode:
                raise Failed(f"minivpc: ping {address}: {ping.stdout}{ping.stderr}"[-300:])
            start = time.monotonic()
            down = world.run("down", timeout=120)
            answered = time.monotonic() - start
            if down.returncode:
                raise Failed(f"minivpc down: {down.stderr.strip()[-300:]}")
            if not gone(baseline, 60):
                raise Failed("minivpc down: namespaces are left after 60 s")
            self.note(f"down {count}", answered)
            self.note(f"clean {count}", time.monotonic() - start)
        return running

    @staticmethod
    def prepare(world: World) -> str:
        client = world.client()
        vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        return client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]

    def starts(self, times: int) -> None:
        with World(self.binary) as world:
            world.start()
            self.note("resident fresh", resident(world.daemon.pid))
            for _ in range(times):
                world.stop()
                self.note("start", world.start() * 1000)


class Launches:
    def __init__(self, build: str, sizes: list, rounds: int, patient: bool = True):
        """`patient`: each measurement waits until the machine is quiet."""
        self.sizes, self.rounds, self.patient = sizes, rounds, patient
        self.samples = {}
        self.failures = {}
        self.minivpc = Minivpc(build, self.note)
        self.contenders = [self.minivpc, Floor(build, self.note), Shell(), Mininet()]
        self.baseline = network_namespaces()

    def note(self, name, value: float) -> None:
        self.samples.setdefault(name, []).append(value)

    def try_one(self, contender, count: int, number: int) -> None:
        if contender.name in self.failures or count > contender.limit:
            return
        if contender.limit == SLOW_MAX and number > 0:
            return
        if self.patient:
            settle(self.baseline)
        last = self.patient and number == self.rounds - 1 and count == self.sizes[-1]
        try:
            seconds = contender.measure(count, last)
        except (Failed, OSError, subprocess.SubprocessError) as problem:
            self.failures[contender.name] = str(problem)
            print(f"  N = {count:4}  {contender.name}: failed: {problem}", flush=True)
            return
        self.note((contender.name, count), count / seconds)
        print(f"  N = {count:4}  {contender.name:8} {count / seconds:7.1f}/s  ({seconds:.3f} s)",
              flush=True)

    def measure(self) -> None:
        self.minivpc.starts(10 if self.patient else 1)
        for number in range(self.rounds):
            print(f"launches, round {number + 1} of {self.rounds}")
            for count in self.sizes:
                for contender in self.contenders:
                    self.try_one(contender, count, number)
                    gc.collect()
        if self.failures:
            raise Failed("; ".join(f"{name}: {why}" for name, why in self.failures.items()))

    # --- what became of it -----------------------------------------------------------------------

    def figure(self, key, name: str = "minivpc"):
        return Figure(self.samples[key], name) if key in self.samples else None

    def report(self, report) -> None:
        for count in self.sizes:
            ours = self.figure(("minivpc", count))
            if ours:
                self.rates(report, count, ours)
        first, last = (self.figure(("minivpc", count)) for count in (self.sizes[0], self.sizes[-1]))
        if first and last and self.sizes[0] != self.sizes[-1]:
            first.name = f"at {self.sizes[0]}"
            report.add("launch", f"{self.sizes[-1]} at once, beside {self.sizes[0]} at once",
                       "per s", last, floor=first, more_is_better=True, aims={"floor": 0.8})
        self.takes(report)
        for count in self.sizes:
            if f"down {count}" in self.samples:
                report.add("launch", f"down of {count}, answered", "s",
                           self.figure(f"down {count}"))
                report.add("launch", f"down of {count}, kernel clean", "s",
                           self.figure(f"clean {count}"))

    def rates(self, report, count: int, ours: Figure) -> None:
        measured = min(count, SLOW_MAX)
        of = "" if measured == count else f" of {measured}"
        peer = self.figure(("mininet", measured), f"Mininet{of}")
        floor = self.figure(("floor", count), "bare C")
        paired = bool(floor) and len(floor.samples) == len(ours.samples)
        report.add("launch", f"{count} at once", "per s", ours, floor=floor, peer=peer,
                   more_is_better=True, paired=paired, aims={"floor": 0.6, "peer": 10})
        shell = self.figure(("shell", count), "shell loop of ip")
        if shell:
            report.add("launch", f"{count} at once, beside a shell loop", "per s", ours, floor=floor,
                       peer=shell, more_is_better=True, paired=paired, quoted=count == SLOW_MAX)

    def takes(self, report) -> None:
        """Of memory and of time."""
        rows = [
            ("memory of an idle instance", "KiB", "memory", 1024),
            ("memory of a fresh daemon", "MiB", "resident fresh", 10),
            ("start of the daemon", "ms", "start", 25),
        ]
        for what, unit, key, limit in rows:
            if key in self.samples:
                report.add("launch", what, unit, self.figure(key), floor=Figure(limit, "the aim"),
                           peer=self.figure("floor memory", "bare C") if key == "memory" else None,
                           aims={"most": limit})
        if "resident full" in self.samples:
            report.add("launch", f"memory of a daemon with {self.sizes[-1]}", "MiB",
                       self.figure("resident full"))
