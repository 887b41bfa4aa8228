"""Row 5: a connection table with no room left drops what is new, silently, and nothing else."""
import os
import subprocess

import pytest

from lib import environment, read_line

# 260,000 connections, kept up faster than they grow old.
pytestmark = pytest.mark.alone

# The most that this takes on: the limit is the host's, and isn't ours to lower.
MOST = 300_000
LIMIT = "/proc/sys/net/netfilter/nf_conntrack_max"
FIRST_PORT, PORTS = 2000, 60_000  # of each of the server's ports, as many of the client's

# Sends a UDP packet of every flow (client port, server port), as the client or as the server.
FLOOD = """
import socket, struct, sys
other, count, side = sys.argv[1], int(sys.argv[2]), sys.argv[3]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
raw.connect((other, 0))
pack, send = struct.Struct("!HHHH").pack, raw.send
for n in range(count):
    client, server = %d + n %% %d, 100 + n // %d
    ports = (client, server) if side == "client" else (server, client)
    send(pack(*ports, 8, 0))
print("sent", flush=True)
""" % (FIRST_PORT, PORTS, PORTS)

# Waits for one UDP packet between two ports and says so.
HEAR = """
import socket, struct, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.settimeout(10)
print("ready", flush=True)
while True:
    packet = raw.recv(2048)
    if struct.unpack("!HH", packet[20:24]) == (int(sys.argv[1]), int(sys.argv[2])):
        print("heard", flush=True)
        break
"""


def number(subnet, name):
    done = subprocess.run(["ip", "netns", "exec", subnet, "cat", f"/proc/sys/net/netfilter/{name}"],
                          check=True, capture_output=True, text=True, env=environment())
    return int(done.stdout)


@pytest.mark.skipif(not os.path.exists(LIMIT) or int(open(LIMIT).read()) > MOST,
                    reason="the host's table of connections is too large to fill")
def test_row_5_a_full_table(own_world):
    world = own_world
    vpc = world.vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    client, server = world.run_instances(subnet, count=2)
    here, there = world.private(client), world.private(server)
    world.ec2.authorize_security_group_ingress(
        GroupId=world.default_group(vpc), IpPermissions=[
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": f"{here}/32"}]}])
    limit = number(subnet, "nf_conntrack_max")

    def flood(place, other, side, count=limit):
        world.exec(place, ["python3", "-c", FLOOD, other, str(count), side])

    for place in (client, server):  # nobody listens: the guests' own words would only cost time
        world.exec(place, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_ratelimit; "
                           "echo 0 > /proc/sys/net/ipv4/icmp_ratemask; true"])
    # A flow is kept against new ones once it was answered and goes on for more than 2 s.
    flood(client, there, "client")
    flood(server, here, "server")
    flood(client, there, "client")
    assert number(subnet, "nf_conntrack_count") > 0.95 * limit

    # What is tracked goes on, both ways.
    for place, ports, other, side in ((server, (FIRST_PORT, 100), client, "client"),
                                      (client, (100, FIRST_PORT), server, "server")):
        hearing = world.spawn(place, ["python3", "-c", HEAR, *map(str, ports)])
        assert read_line(hearing, 10, "listener") == "ready"
        flood(other, there if place == server else here, side, count=1)
        assert read_line(hearing, 10, "listener") == "heard"
        hearing.wait(10)
    # What is new is dropped, without a word. (It may find the place of a flow of which a packet
    # was lost, so nearly all of the tries count.)
    pings = [world.ping(client, there, count=1, wait=0.3) for _ in range(10)]
    assert sum(ping.received == 0 for ping in pings) >= 9
    assert not any(ping.errors for ping in pings)
