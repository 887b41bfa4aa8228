"""Agents: a process in each instance that does and tells what a test asks (agent.py)."""
import json
import os
import select
import subprocess
import time

from lib import PATIENCE, environment, stop
from packets import PROBE_TOS, Seen

QUIET = 0.05  # seconds: by then a packet has arrived or never does


def source_text():
    text = []
    for name in ("packets.py", "agent.py"):
        with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
            text.append(file.read().replace("from packets import *", ""))
    return "\n".join(text)


# The instance's own stack is deaf to probes, so nobody but the agent answers them.
DEAF = ("add table ip probes; add chain ip probes input { type filter hook input priority 0; }; "
        f"add rule ip probes input ip dscp {PROBE_TOS >> 2} drop")


class Agent:
    """One instance's; `command` starts a Python there, and is a list without the program's text."""

    def __init__(self, command, address=None, deaf=True):
        self.address = address
        self.process = subprocess.Popen(
            [*command, "python3", "-c", source_text()], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, env=environment(), start_new_session=True)
        self.rest = b""
        assert json.loads(self.line()) == "ready"
        if deaf:
            self.deafen()

    def deafen(self):
        status, text = self("run", "nft", DEAF)
        assert status == 0, text

    def line(self, seconds=15):
        while b"\n" not in self.rest:
            ready = select.select([self.process.stdout], [], [], seconds)[0]
            data = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            assert data, f"the agent has ended or hangs: {self.rest!r}"
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def ask(self, name, *arguments):
        self.process.stdin.write(json.dumps([name, *arguments]).encode() + b"\n")

    def __call__(self, name, *arguments):
        self.ask(name, *arguments)
        return json.loads(self.line())

    def send(self, *packets):
        """IPv4 packets; the instance's kernel finds the way."""
        assert self("send", [data.hex() for data in packets]) == []

    def frames(self, *frames):
        self("frames", [data.hex() for data in frames])

    def heard(self):
        """IPv4 packets that arrived since the last call."""
        frames = map(bytes.fromhex, self("heard"))
        return [Seen(frame[14:]) for frame in frames if frame[12:14] == b"\x08\x00"]

    def heard_frames(self):
        return [bytes.fromhex(frame) for frame in self("heard")]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Program:
    """A Python in an instance, spoken to by lines."""

    def __init__(self, world, place, text, *arguments):
        self.process = subprocess.Popen(
            world.command(*world.where(place, ["python3", "-c", text, *map(str, arguments)])),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(),
            start_new_session=True)

    def say(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def line(self):
        assert select.select([self.process.stdout], [], [], 10 * PATIENCE)[0], "no word from an instance"
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        stop(self.process)


def collect(agents, expected, quiet=QUIET, seconds=3):
    """
    What every agent hears until each has heard `expected[agent]` packets (or time is up), and a
    quiet time longer: agent -> [[direction, tag, source], …], see agent.py's tags().
    """
    found = {agent: [] for agent in agents}
    end = time.monotonic() + seconds * PATIENCE
    last = time.monotonic()
    while True:
        for agent in agents:
            agent.ask("tags")
        for agent in agents:
            new = json.loads(agent.line())
            if new:
                last = time.monotonic()
            found[agent] += new
        now = time.monotonic()
        enough = all(len(found[agent]) >= expected.get(agent, 0) for agent in agents)
        if now > end or (enough and now > last + quiet):
            return found
        time.sleep(0.005)
