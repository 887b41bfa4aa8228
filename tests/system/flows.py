"""Traffic that must not notice anything: pings by count, and TCP by iperf3, side by side."""
import itertools
import json
import shutil

import pytest

from lib import Ping, read_line, stop, wait_for

PACE = 0.05  # seconds from a ping to the next
RATE = "8M"  # bits per second each way: enough to be always under way, too little to fill a queue

PORTS = itertools.count(5201)  # one that failed may still be in use

iperf3 = pytest.mark.skipif(not shutil.which("iperf3"), reason="no iperf3 (apt install iperf3)")


class PingFlow:
    """For so many seconds."""

    def __init__(self, world, client, address, seconds):
        self.count = round(seconds / PACE)
        # Who waits long loses nothing that is only late.
        self.process = world.spawn(
            client, f"ping -n -q -i {PACE} -c {self.count} -W 10 {address}")
        assert "PING" in read_line(self.process, 10, "ping")

    def outcome(self):
        """What it lost, or None."""
        result = Ping(self.process.stdout.read().decode())
        whole = result.sent == result.received == self.count and not result.errors
        return None if whole else result.text

    def running(self):
        return self.process.poll() is None


class TcpFlow:
    """One connection, both ways, that must move in each of its seconds."""

    def __init__(self, world, client, address, seconds, server, port):
        self.server = world.spawn(server, f"iperf3 --server --one-off --forceflush --port {port}")
        self.await_word("listening")
        self.process = world.spawn(
            client, f"iperf3 --client {address} --port {port} --time {seconds} --bidir --json "
                    f"--bitrate {RATE} --interval 1 --connect-timeout 5000")
        self.bytes = 0
        # Until then the client's verb may be on its way: it would start a daemon where none runs.
        self.await_word("Accepted")

    def await_word(self, word):
        """In a line of the server's."""
        while word not in (line := read_line(self.server, 30, "iperf3's server")):
            assert line, "iperf3's server has ended"

    def outcome(self):
        text = self.process.stdout.read().decode()
        status = self.process.wait(10)
        stop(self.server)
        report = json.loads(text) if text.lstrip().startswith("{") else {"error": text}
        if status or "error" in report:
            return f"iperf3: exit status {status}: {report.get('error')}"
        still = [(number, way) for number, interval in enumerate(report["intervals"])
                 for way in ("sum", "sum_bidir_reverse") if not interval[way]["bytes"]]
        self.bytes = report["end"]["sum_received"]["bytes"]
        if still or len(report["start"]["connected"]) != 2:  # a socket for each way
            return f"iperf3: still in {still}, connected {report['start']['connected']}"
        return None

    def running(self):
        return self.process.poll() is None


class Flows:
    """A ping and a connection by each path: `paths` has client, address and server by its name."""

    def __init__(self, world, paths, seconds):
        self.flows = {}
        for name, (client, address, server) in paths.items():
            self.flows[f"ping {name}"] = PingFlow(world, client, address, seconds)
            self.flows[f"tcp {name}"] = TcpFlow(world, client, address, seconds, server,
                                                next(PORTS))

    def running(self):
        """All of them."""
        return all(flow.running() for flow in self.flows.values())

    def broken(self, seconds=60):
        """Waits for their ends: what became of those that noticed something, by their names."""
        wait_for(lambda: not any(flow.running() for flow in self.flows.values()), seconds,
                 "the end of all flows")
        found = {name: flow.outcome() for name, flow in self.flows.items()}
        return {name: outcome for name, outcome in found.items() if outcome}

    def moved(self):
        """Pings that were answered, bytes that TCP carried one way."""
        return (sum(flow.count for flow in self.flows.values() if isinstance(flow, PingFlow)),
                sum(flow.bytes for flow in self.flows.values() if isinstance(flow, TcpFlow)))
