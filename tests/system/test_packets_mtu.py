"""How large a packet may be, path by path: rows 57 and 58, and what is inside a VPC."""
import hashlib
import re
import socket
import types

import pytest

from agents import Agent
from lib import INTERNET, Ping, read_line, wait_for

JUMBO, PLAIN = 9001, 1500
HEADERS = 28  # of an ICMP echo or a UDP datagram
LAB = f"{INTERNET}:lab"

# Datagrams without DF are told what arrived: its length and digest.
SERVER = """
import hashlib, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 7000))
print('ready', flush=True)
while True:
    data, peer = s.recvfrom(65535)
    s.sendto(f'{len(data)} {hashlib.sha256(data).hexdigest()}'.encode(), peer)
"""

CLIENT = """
import socket, sys
address, size, discover = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, discover)  # IP_MTU_DISCOVER
s.settimeout(1)
data = bytes(i * i % 251 for i in range(size))
s.sendto(data, (address, 7000))  # unconnected: the answer may be from the first address
print(s.recv(100).decode())
"""

RECEIVER = """
import socket
s = socket.create_server(('0.0.0.0', 7001))
print('ready', flush=True)
peer, _ = s.accept()
total = 0
while data := peer.recv(1 << 20):
    total += len(data)
peer.sendall(str(total).encode())
"""

SENDER = """
import socket, sys
s = socket.create_connection((sys.argv[1], 7001), 5)
s.settimeout(10)
s.sendall(b'x' * 3000000)
s.shutdown(socket.SHUT_WR)
print(s.recv(100).decode(), s.getsockopt(socket.IPPROTO_IP, 14))  # IP_MTU
"""


@pytest.fixture(scope="module")
def lab(world):
    """
    One VPC: here, twin (front), side (its neighbour subnet), all public; back, private. Another
    one, peered with it: peer, public too.
    """
    vpc, other = world.open_vpc(), world.open_vpc("10.1.0.0/16")
    tables = {}
    subnets = {}
    for name, of, cidr in (("front", vpc, "10.0.1.0/24"), ("side", vpc, "10.0.2.0/24"),
                           ("back", vpc, "10.0.3.0/24"), ("peer", other, "10.1.1.0/24")):
        subnets[name] = world.subnet(of, cidr)
    for of, names in ((vpc, ("front", "side")), (other, ("peer",))):
        gateway = world.gateway(of)
        for name in names:
            tables[name] = world.route_table(of, subnets[name], gateway)
    peering = world.peering(vpc, other)
    for name, cidr in (("front", "10.1.0.0/16"), ("side", "10.1.0.0/16"),
                       ("peer", "10.0.0.0/16")):
        world.ec2.create_route(RouteTableId=tables[name], DestinationCidrBlock=cidr,
                               VpcPeeringConnectionId=peering)
    here, twin = world.run_instances(subnets["front"], count=2, public=True)
    side, = world.run_instances(subnets["side"], public=True)
    back, = world.run_instances(subnets["back"])
    peer, = world.run_instances(subnets["peer"], public=True)
    secondary, = world.ec2.assign_private_ip_addresses(
        NetworkInterfaceId=world.instance(twin)["NetworkInterfaces"][0]["NetworkInterfaceId"],
        PrivateIpAddresses=["10.0.1.99"])["AssignedPrivateIpAddresses"]
    world.run("internet create", "lab", "--address", "203.0.113.7")
    places = {"twin": twin, "side": side, "back": back, "peer": peer}
    made = types.SimpleNamespace(here=here, places={**places, "internet": INTERNET, "lab": LAB})
    made.addresses = {
        "inside": {name: world.private(place) for name, place in places.items()},
        "outside": {**{name: world.public(place) for name, place in places.items()
                       if name != "back"},
                    "internet": world.internet_address(), "lab": "203.0.113.7"}}
    made.addresses["inside"]["twin's second"] = secondary["PrivateIpAddress"]
    made.places["twin's second"] = twin
    for place in (twin, side, back, peer, INTERNET, LAB):
        assert read_line(world.spawn(place, ["python3", "-c", SERVER]), 10, "server") == "ready"
    return made


def ping(world, place, address, options):
    """With what the sender's own kernel has to say, which ping(8) puts on standard error."""
    command = f"ping -n -c 2 -i 0.1 -W 0.5 {options} {address} 2>&1"
    return Ping(world.exec(place, ["sh", "-c", command], check=False).stdout)


# From here: the path, the target, the MTU.
PATHS = [("inside", name, JUMBO) for name in ("twin", "twin's second", "side", "back", "peer")]
PATHS += [("outside", name, PLAIN) for name in ("internet", "lab", "twin", "side", "peer")]


def paths(*names):
    return pytest.mark.parametrize(
        "path, name, mtu", [entry for entry in PATHS if entry[0] in names],
        ids=lambda value: str(value).replace(" ", "_"))


@paths("inside", "outside")
def test_what_fits_with_df(world, lab, path, name, mtu):
    address = lab.addresses[path][name]
    world.assert_reaches(lab.here, address, count=1, options=f"-M do -s {mtu - HEADERS}")


@paths("inside")
def test_inside_more_is_refused_by_the_sender_itself(world, lab, path, name, mtu):
    address = lab.addresses[path][name]
    told = ping(world, lab.here, address, f"-M do -s {mtu + 1 - HEADERS}")
    assert told.received == 0 and f"mtu={mtu}" in told.text, told


@paths("outside")
def test_57_the_router_tells_the_sender(world, lab, path, name, mtu):
    """For each path anew: what is learnt of an address is kept by the sender."""
    address = lab.addresses[path][name]
    world.exec(lab.here, "ip route flush cache")
    told = ping(world, lab.here, address, f"-M do -s {mtu + 1 - HEADERS}")
    assert told.received == 0
    assert re.search(rf"From .* Frag needed and DF set \(mtu = {mtu}\)", told.text), told
    assert f"mtu={mtu}" in told.text, told  # the second one doesn't leave any more
    assert f"mtu {mtu}" in world.exec(lab.here, f"ip route get {address}")
    world.assert_reaches(lab.here, address, count=1, options=f"-M do -s {mtu - HEADERS}")


@pytest.mark.parametrize("name", ["internet", "twin", "peer"])
def test_57_byte_by_byte(world, lab, name):
    """ICMP 3/4 with the MTU, and inside it the packet as the sender sent it."""
    address = lab.addresses["outside"][name]
    own = world.private(lab.here)
    agent = Agent(world.command(*world.where(lab.here, [])), deaf=False)
    try:
        agent("run", "ip", "route", "flush", "cache")
        agent.heard()
        world.exec(lab.here, ["python3", "-c", CLIENT, address, "1473", "2"], check=False)
        told = wait_for(lambda: [seen for seen in agent.heard() if seen.protocol == 1], 3, "ICMP")
        assert len(told) == 1 and told[0].kind == (3, 4) and told[0].target == own
        assert told[0].payload[4:8] == (0).to_bytes(2, "big") + PLAIN.to_bytes(2, "big")
        inner = told[0].payload[8:]
        assert socket.inet_ntoa(inner[12:16]) == own
        assert socket.inet_ntoa(inner[16:20]) == address
        assert int.from_bytes(inner[2:4], "big") == 1501
    finally:
        agent.close()


@pytest.mark.parametrize("size", [1473, 4000, 8973, 20000, 60000])
@paths("inside", "outside")
def test_58_without_df_it_arrives_whole(world, lab, path, name, mtu, size):
    assert mtu
    data = bytes(i * i % 251 for i in range(size))
    said = world.exec(lab.here, ["python3", "-c", CLIENT, lab.addresses[path][name], str(size),
                                 "0"])
    assert said.split() == [str(size), hashlib.sha256(data).hexdigest()]
    if size <= 20000:
        world.assert_reaches(lab.here, lab.addresses[path][name], count=1,
                             options=f"-M dont -s {size}")


@pytest.mark.parametrize("path, name, mtu", [
    ("outside", "internet", PLAIN), ("outside", "twin", PLAIN), ("inside", "twin", JUMBO),
    ("inside", "side", JUMBO), ("inside", "peer", JUMBO)])
def test_58_in_pieces_of_that_mtu(world, lab, path, name, mtu):
    agent = Agent(world.command(*world.where(lab.places[name], [])), deaf=False)
    try:
        agent.heard()
        world.exec(lab.here, ["python3", "-c", CLIENT, lab.addresses[path][name], "20000", "0"])
        pieces = [seen for seen in agent.heard() if seen.protocol == 17]
        lengths = [20 + len(seen.payload) for seen in pieces]
        assert max(lengths) <= mtu and sum(len(seen.payload) for seen in pieces) == 20008
        assert max(lengths) > mtu - 8
        offsets = sorted((seen.fragment & 0x1FFF) * 8 for seen in pieces)
        assert offsets[0] == 0 and len(set(offsets)) == len(pieces) > 2
    finally:
        agent.close()


@pytest.mark.parametrize("path, name, mtu", [
    ("outside", "internet", PLAIN), ("outside", "twin", PLAIN), ("outside", "peer", PLAIN),
    ("inside", "twin", JUMBO), ("inside", "side", JUMBO), ("inside", "peer", JUMBO)])
def test_tcp_learns(world, lab, path, name, mtu):
    """Between instances both ends offer segments of 8961 bytes, whatever is between them."""
    address = lab.addresses[path][name]
    world.exec(lab.here, "ip route flush cache")
    assert read_line(world.spawn(lab.places[name], ["python3", "-c", RECEIVER]), 10,
                     "receiver") == "ready"
    assert world.exec(lab.here, ["python3", "-c", SENDER, address]).split() == [
        "3000000", str(mtu) if name != "internet" else str(JUMBO)]
    if path == "outside" and name != "internet":
        assert f"mtu {mtu}" in world.exec(lab.here, f"ip route get {address}")


def test_a_jumbo_does_not_come_in(world, lab):
    """Not even from a host that takes its wire for a larger one."""
    address = world.public(lab.here)
    told = ping(world, INTERNET, address, "-M do -s 1473")
    assert told.received == 0 and "mtu=1500" in told.text, told
    agent = Agent(world.command(*world.where(lab.here, [])), deaf=False)
    try:
        world.exec(LAB, "ip link set eth0 mtu 9000")
        for options in ("-M do", "-M dont"):
            world.assert_silent(LAB, address, count=1, options=f"{options} -s 4000")
        world.assert_reaches(LAB, address, count=1, options="-M do -s 1472")
        heard = [20 + len(seen.payload) for seen in agent.heard() if seen.source == "203.0.113.7"]
        assert heard == [PLAIN]
    finally:
        world.exec(LAB, "ip link set eth0 mtu 1500")
        agent.close()
