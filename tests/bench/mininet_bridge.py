"""Mininet with N hosts on one Linux bridge. Prints "N SECONDS".

Run it in namespaces of its own (tests/bench/run does): Mininet's bridge and veths are made in the
network namespace that it runs in, and everything is gone with it.
"""

import resource
import sys
import time

import mininet.net
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

# Mininet would raise the machine's sysctls; its processes' own limit is all that it needs.
mininet.net.fixLimits = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))


def main() -> None:
    count = int(sys.argv[1])
    start = time.monotonic()
    net = mininet.net.Mininet(
        topo=SingleSwitchTopo(count), switch=LinuxBridge, controller=None, ipBase="10.0.0.0/20"
    )
    net.start()
    elapsed = time.monotonic() - start
    if ", 0% packet loss" not in net.hosts[0].cmd(f"ping -c 1 -W 5 {net.hosts[-1].IP()}"):
        sys.exit("the last host can't be reached from the first")
    print(count, f"{elapsed:.6f}", flush=True)


main()
