"""What a subnet is on the wire: no broadcast, no neighbours but live addresses, routers unseen."""
import json
import types

import pytest

from lib import INTERNET, read_line


@pytest.fixture(scope="module")
def lab(world):
    vpc = world.open_vpc()
    table = world.route_table(vpc, gateway=world.gateway(vpc))
    front, back = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24", "us-east-1b")
    world.ec2.associate_route_table(RouteTableId=table, SubnetId=front)
    here, neighbour = world.run_instances(front, count=2, public=True)
    far, = world.run_instances(back)
    return types.SimpleNamespace(
        vpc=vpc, front=front, back=back, here=here, neighbour=neighbour, far=far,
        here_inside=world.private(here), neighbour_inside=world.private(neighbour),
        far_inside=world.private(far), internet=world.internet_address())


def test_neighbours_in_one_subnet(world, lab):
    world.assert_reaches(lab.here, lab.neighbour_inside)
    assert world.talk(lab.here, lab.neighbour, lab.here_inside) == {
        "server_saw": lab.neighbour_inside, "client_saw": lab.here_inside,
        "client_is": lab.neighbour_inside}


def neighbour_entry(world, instance, address):
    found = json.loads(world.exec(instance, f"ip -j neighbour show {address}") or "[]")
    return found[0] if found else {}


def test_unused_addresses_are_mute(world, lab):
    for place, address in ((lab.here, "10.0.1.200"), (lab.far, "10.0.1.200"),
                           (lab.here, "10.0.2.200"), (lab.here, "10.0.77.7")):
        world.assert_silent(place, address)


def test_no_arp_answer_for_unused_addresses(world, lab):
    world.assert_silent(lab.here, "10.0.1.201")
    assert "lladdr" not in neighbour_entry(world, lab.here, "10.0.1.201")
    world.assert_reaches(lab.here, lab.neighbour_inside)
    assert "lladdr" in neighbour_entry(world, lab.here, lab.neighbour_inside)


def test_own_router_answers_and_others_do_not(world, lab):
    world.assert_reaches(lab.here, "10.0.1.1")
    world.assert_reaches(lab.far, "10.0.2.1")
    world.assert_silent(lab.here, "10.0.2.1")
    world.assert_silent(lab.far, "10.0.1.1")


def test_the_router_is_no_hop(world, lab):
    for address in (lab.neighbour_inside, lab.far_inside):
        world.assert_reaches(lab.here, address, options="-t 1")
    # The first hop that shows is the Internet's own router, behind the gateway.
    edge = world.ping(lab.here, lab.internet, options="-t 1")
    assert edge.received == 0 and "From 198.18.0.1 " in edge.text, edge
    world.assert_reaches(lab.here, lab.internet, options="-t 2")


def test_jumbo_frames_inside(world, lab):
    for place in (lab.here, lab.far):
        assert world.exec(place, "cat /sys/class/net/eth0/mtu").strip() == "9001"
    for address in (lab.neighbour_inside, lab.far_inside):
        world.assert_reaches(lab.here, address, options="-M do -s 8973")
    assert world.ping(lab.here, lab.far_inside, options="-M do -s 8974").received == 0


def test_1500_at_the_gateway(world, lab):
    world.assert_reaches(lab.here, lab.internet, options="-M do -s 1472")
    told = world.ping(lab.here, lab.internet, options="-M do -s 1473")
    assert told.received == 0
    assert "mtu" in told.text and "1500" in told.text, told  # ICMP 3/4, the one error AWS sends
    world.assert_reaches(lab.here, lab.internet, options="-M dont -s 3000")
    world.assert_reaches(INTERNET, world.public(lab.here), options="-M do -s 1472")


SNIFFER = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(('eth0', 3))
s.settimeout(10)
print('ready', flush=True)
while True:
    frame, where = s.recvfrom(65535)
    if where[2] == socket.PACKET_OUTGOING:
        continue
    if frame[12:14] == b'\\x08\\x06':
        print('arp for', socket.inet_ntoa(frame[38:42]), flush=True)
    mark = frame.find(b'marker:')
    if mark >= 0:
        word = frame[mark + 7:].split(b';')[0].decode()
        print(word, flush=True)
        if word == 'end':
            break
"""

SENDER = """
import fcntl, socket, struct, sys
peer, subnet_broadcast = sys.argv[1], sys.argv[2]
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
def send(word, address):
    try:
        u.sendto(b'marker:' + word + b';', (address, 7777))
    except OSError as error:
        print(word, error)
send(b'broadcast', '255.255.255.255')
send(b'subnet-broadcast', subnet_broadcast)
send(b'all-hosts', '224.0.0.1')
send(b'multicast', '239.1.2.3')
send(b'mdns', '224.0.0.251')
r = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
r.bind(('eth0', 0))
me = open('/sys/class/net/eth0/address').read().strip().replace(':', '')
for word, target in (b'ethertype-broadcast', 'ff' * 6), (b'ethertype-multicast', '01005e000001'):
    r.send(bytes.fromhex(target + me + '88b5') + b'marker:' + word + b';' + bytes(60))
mac = sys.argv[3].replace(':', '')
r.send(bytes.fromhex(mac + me + '88b5') + b'marker:ethertype-unicast;' + bytes(60))
who = bytes.fromhex('ffffffffffff' + me + '0806' + '0001080006040001' + me)
for address in sys.argv[4], peer:
    r.send(who + socket.inet_aton(sys.argv[5]) + bytes(6) + socket.inet_aton(address) + bytes(18))
send(b'end', peer)
"""


def sniffed(world, listener, sender, *arguments):
    """What `listener` hears up to the unicast mark."""
    sniffer = world.spawn(listener, ["python3", "-c", SNIFFER])
    assert read_line(sniffer, 10, "sniffer") == "ready"
    world.exec(sender, ["python3", "-c", SENDER, *arguments])
    heard = []
    while "end" not in heard:
        heard.append(read_line(sniffer, 10, "sniffer"))
        assert heard[-1], heard
    return heard


def test_broadcast_and_multicast_go_nowhere(world, lab):
    mac = world.instance(lab.neighbour)["NetworkInterfaces"][0]["MacAddress"]
    # Fill the ARP cache, so that nobody has to ask for the neighbour.
    world.assert_reaches(lab.here, lab.neighbour_inside)
    heard = sniffed(world, lab.neighbour, lab.here, lab.neighbour_inside, "10.0.1.255", mac,
                    "10.0.1.202", lab.here_inside)
    assert [word for word in heard if not word.startswith("arp for")] == ["end"]
    assert f"arp for {lab.neighbour_inside}" not in heard  # queries never reach other guests
    assert "arp for 10.0.1.202" not in heard


def test_multicast_does_not_cross_subnets(world, lab):
    mac = world.instance(lab.far)["NetworkInterfaces"][0]["MacAddress"]
    heard = sniffed(world, lab.far, lab.here, lab.far_inside, "10.0.2.255", mac, "10.0.2.202",
                    lab.here_inside)
    assert [word for word in heard if not word.startswith("arp for")] == ["end"]


def spoof(world, source, address, target):
    """Datagrams with a forged source, then an honest one."""
    script = ("import socket, sys\n"
              "forged, target = sys.argv[1:]\n"
              "for source, word in ((forged, b'marker:forged;'), (None, b'marker:end;')):\n"
              " u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              " u.bind((source or '0.0.0.0', 0)); u.sendto(word, (target, 7777))")
    world.exec(source, f"ip address add {address}/32 dev eth0")
    try:
        world.exec(source, ["python3", "-c", script, address, target])
    finally:
        world.exec(source, f"ip address del {address}/32 dev eth0")


@pytest.mark.parametrize("place", ["neighbour", "far"])
@pytest.mark.parametrize("forged", ["10.0.1.203", "10.0.2.203", "192.0.2.1", "taken"])
def test_forged_sources_are_dropped(world, lab, place, forged):
    """Root inside an instance can't spoof a neighbour: the source check is outside."""
    if forged == "taken":
        forged = lab.far_inside if place == "neighbour" else lab.neighbour_inside
    sniffer = world.spawn(getattr(lab, place), ["python3", "-c", SNIFFER])
    assert read_line(sniffer, 10, "sniffer") == "ready"
    spoof(world, lab.here, forged, getattr(lab, place + "_inside"))
    heard = []
    while "end" not in heard:
        heard.append(read_line(sniffer, 10, "sniffer"))
    assert "forged" not in heard


def test_gratuitous_arp_steals_nothing(world, lab):
    """An address moves only through the API."""
    script = ("import socket, sys\n"
              "me = open('/sys/class/net/eth0/address').read().strip().replace(':', '')\n"
              "r = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); r.bind(('eth0', 0))\n"
              "a = socket.inet_aton(sys.argv[1])\n"
              "for kind in ('0001', '0002'):\n"
              " r.send(bytes.fromhex('ffffffffffff' + me + '0806' + '000108000604' + kind + me)"
              " + a + bytes.fromhex('ff' * 6) + a + bytes(18))")
    world.exec(lab.here, ["python3", "-c", script, lab.neighbour_inside])
    for place in (lab.far, lab.here):
        assert world.talk(lab.neighbour, place, lab.neighbour_inside)["client_saw"] == \
            lab.neighbour_inside
