"""The uplink: from instances through pasta to what stands for the real Internet, and nothing else."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import types

import pytest

import isolation
from host import output
from lib import (BINARY, INTERNET, alive, environment, namespaces, read_line, stop, tag_specification,
                 wait_for)

pytestmark = [
    pytest.mark.skipif(not shutil.which("pasta"), reason="no pasta (apt install passt)"),
    pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun"),
    pytest.mark.skipif(isolation.INSIDE not in os.environ,
                       reason="gives the host a network: only inside namespaces of the suite's own"),
]

OUTSIDE = "203.0.113.80"  # a server of the real Internet
LAN = "192.168.77.1"      # the host's neighbour, whom nobody behind the uplink may see
HOST = "192.168.77.2"

SERVER = """
import socket, sys, threading
print('there', flush=True)
sys.stdin.readline()
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('203.0.113.80', 7000))  # it answers from there too
    while True:
        data, peer = s.recvfrom(65535)
        s.sendto(peer[0].encode() + b' ' + str(len(data)).encode(), peer)
threading.Thread(target=udp, daemon=True).start()
s = socket.create_server(('0.0.0.0', 7000))
print('ready', flush=True)
def serve(peer, address):
    while True:
        data = peer.recv(65536)
        if not data:
            return
        peer.sendall(address[0].encode() + b' ' + str(len(data)).encode())
while True:
    threading.Thread(target=serve, args=s.accept(), daemon=True).start()
"""

CLIENT = """
import socket, sys
kind, address = sys.argv[1:3]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(1)
s.connect((address, 7000))
s.send(b'x' * int(sys.argv[3]))
print(s.recv(100).decode())
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True, env=environment())


@pytest.fixture(scope="module")
def outside():
    """
    The real Internet: a server at 203.0.113.80, to which the host has a route as it would at home.

        host wan0 192.168.77.2 -- eth0 192.168.77.1 and 203.0.113.80, in a namespace of its own
    """
    process = subprocess.Popen(
        ["unshare", "--net", "python3", "-c", SERVER], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, bufsize=0, env=environment(), start_new_session=True)
    try:
        assert read_line(process, 10, "server") == "there"
        real = str(process.pid)
        ip("link", "add", "wan0", "type", "veth", "peer", "name", "eth0", "netns", real)
        ip("address", "add", f"{HOST}/24", "dev", "wan0")
        ip("link", "set", "wan0", "up")
        inside = ("nsenter", "--target", real, "--net", "ip")
        for command in (f"address add {LAN}/24 dev eth0", f"address add {OUTSIDE}/32 dev eth0",
                        "link set lo up", "link set eth0 up"):
            subprocess.run([*inside, *command.split()], check=True, env=environment())
        ip("route", "add", "default", "via", LAN)
        process.stdin.write(b"go\n")
        assert read_line(process, 10, "server") == "ready"
        wait_for(lambda: "tentative" not in subprocess.run(
            ["ip", "-6", "address"], capture_output=True, text=True, check=True).stdout, 5, "IPv6")
        yield
    finally:
        process.stdin.close()
        stop(process)
        wait_for(lambda: "wan0" not in output("ip", "link"), 5, "wan0 is gone")


def pastas():
    """pid of every pasta -> its command line"""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            words = file.read().decode().split("\0")
            if words[0].split("/")[-1] == "pasta" and alive(int(name)):
                found[int(name)] = words
    return found


def router():
    name, = [name for name in namespaces() if re.match("internet-0", name)]
    return name


def device():
    """What ip(8) says of the uplink's device."""
    return subprocess.run(["ip", "-n", router(), "address", "show", "dev", "uplink", "up"],
                          capture_output=True, text=True, check=False, env=environment()).stdout


def routes():
    return subprocess.run(["ip", "-n", router(), "route"], capture_output=True, text=True,
                          check=True, env=environment()).stdout


def await_uplink(seconds=10):
    wait_for(lambda: "169.254.2.2/30" in device() and "default via" in routes(), seconds, "uplink")


def ask(world, place, address=OUTSIDE, kind="tcp", size=1):
    """Whom the server took the asker for, and how much it heard; None: no answer."""
    done = world.exec(place, ["python3", "-c", CLIENT, kind, address, str(size)], check=False)
    return done.stdout.split() or None


def furnish(world):
    vpc = world.open_vpc()
    subnet, inner = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    public, other = world.run_instances(subnet, count=2, public=True,
                                        TagSpecifications=tag_specification("instance", Name="p"))
    private, = world.run_instances(inner)
    return types.SimpleNamespace(public=public, other=other, private=private)


def test_without_pasta(scratch):
    state = os.path.join(scratch, "no-pasta")
    done = subprocess.run([BINARY, "serve", "--state", state, "--listen", "127.0.0.1:0",
                           "--uplink"], capture_output=True, text=True, timeout=10, check=False,
                          env=environment(PATH="/nonexistent"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("minivpc: --uplink needs pasta, which is not in PATH: "
                           "apt install passt\n")
    assert not os.path.exists(state)


def test_attempts_are_ever_rarer(make_world):
    """Without a route of the host's own pasta gives up at once."""
    if subprocess.run(["ip", "route", "show", "default"], capture_output=True, text=True,
                      check=True).stdout:
        pytest.skip("the host has a default route")
    with make_world("--uplink") as world:
        lines = []

        def attempts():
            lines[:] = [line for line in world.log_tail().splitlines() if "next attempt" in line]
            return len(lines) >= 3
        begin = time.monotonic()
        wait_for(attempts, 15, "three attempts")
        assert time.monotonic() - begin > 2
        for line, delay in zip(lines, (1, 2, 4)):
            assert "pasta has ended (External interface not usable)" in line, line
            assert line.endswith(f"next attempt in {delay} s")
        assert world.internet("true") == ""


@pytest.fixture(scope="module")
def linked(make_world, outside):  # pylint: disable=unused-argument
    with make_world("--uplink") as world:
        lab = furnish(world)
        await_uplink()
        lab.world = world
        yield lab
    assert pastas() == {}


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_public_instances_get_out(linked, kind):
    for place in (linked.public, linked.other, INTERNET):
        assert ask(linked.world, place, kind=kind, size=1000) == [HOST, "1000"]


def test_those_without_a_public_address_do_not(linked):
    assert ask(linked.world, linked.private) is None


def test_the_simulated_internet_is_as_before(linked):
    world = linked.world
    world.run("internet create", "web", "--address", "203.0.113.7")
    for address in (world.internet_address(), "203.0.113.7"):
        world.assert_reaches(linked.public, address)
    world.assert_reaches(f"{INTERNET}:web", world.public(linked.public))
    world.assert_reaches(linked.public, world.public(linked.other))
    world.run("internet delete", "web")


@pytest.mark.parametrize("address", [LAN, HOST, "10.99.0.1", "169.254.2.1", "198.18.0.99",
                                     "198.18.77.7", "198.19.0.1", "127.0.0.1"])
def test_private_destinations_stay_dropped(linked, address):
    """Nor does the host hear of it: its neighbour has a server at that port."""
    assert ask(linked.world, INTERNET, address) is None
    if address != "127.0.0.1":
        linked.world.assert_silent(linked.public, address, count=1)


def test_the_host_is_not_behind_the_gateways_address(linked):
    """pasta would map it to the host's loopback, where the API listens."""
    script = (f"import socket; socket.create_connection(('169.254.2.1', {linked.world.port}), 1)")
    done = linked.world.internet(["python3", "-c", script], check=False)
    assert done.returncode == 1 and "Error" in done.stderr


def test_the_mtu_is_1500(linked):
    assert "mtu 1500 " in device()
    assert ask(linked.world, linked.public, kind="udp", size=1472) == [HOST, "1472"]
    assert ask(linked.world, linked.public, size=100000)[0] == HOST


def test_no_port_of_the_host_leads_in(linked):
    (_, words), = pastas().items()
    for option in ("--tcp-ports", "--udp-ports", "--tcp-ns", "--udp-ns"):
        assert words[words.index(option) + 1] == "none"
    assert "--no-map-gw" in words and linked
    serving = linked.world.spawn(INTERNET, [
        "python3", "-c", "import socket, time; s = socket.create_server(('0.0.0.0', 8099)); "
                         "print('ready', flush=True); time.sleep(100)"])
    assert read_line(serving, 10, "server") == "ready"
    heard = subprocess.run(["ss", "-Htlnu"], capture_output=True, text=True, check=True).stdout
    assert ":8099" not in heard
    stop(serving)


def open_files(pid):
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def test_it_has_nothing_of_the_daemons(linked):
    linked.world.kill()
    for pid in pastas():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not pastas(), 5, "pasta is gone")
    linked.world.serve()  # now it is this daemon's child
    await_uplink()
    pid, = wait_for(lambda: pastas() if len(pastas()) == 1 else None, 5, "it has forked")
    shared = open_files(pid) & open_files(linked.world.daemon.pid)
    assert {name for name in shared if not name.startswith("anon_inode:")} <= {
        "/dev/null", f"/run/netns/{router()}"}  # which it has opened itself
    assert not any(linked.world.state in name for name in open_files(pid))


def test_an_unknown_protocol_does_not_disturb(linked):
    """pasta takes whatever source it sees for its only neighbour's."""
    forge = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)\n"
             f"for _ in range(5): s.sendto(b'x' * 20, ('{OUTSIDE}', 0))\n")
    linked.world.internet(["python3", "-c", forge])
    ack = ("import socket, struct\n"
           "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)\n"
           "h = struct.pack('!HHIIBBHHH', 5, 7000, 1, 1, 0x50, 0x10, 100, 0, 0)\n"
           f"for _ in range(5): s.sendto(h, ('{OUTSIDE}', 0))\n")
    linked.world.internet(["python3", "-c", ack])
    for place in (linked.public, INTERNET):
        assert ask(linked.world, place) == [HOST, "1"]


TALKER = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 7000), 2)
s.settimeout(5)
for i in range(40):
    s.sendall(b'x')
    assert s.recv(100)
    if i == 0:
        print('talking', flush=True)
    time.sleep(0.05)
print('done', flush=True)
"""


def test_a_flow_outlives_the_daemon(linked):
    world, before = linked.world, pastas()
    mended = world.log_tail().count("mended")  # at its first start, all of it
    talking = world.spawn(linked.public, ["python3", "-c", TALKER, OUTSIDE])
    assert read_line(talking, 10, "talker") == "talking"
    for how in (signal.SIGKILL, signal.SIGTERM):
        world.restart(how)
    assert read_line(talking, 10, "talker") == "done"
    assert pastas() == before
    assert world.log_tail().count("mended") == mended


def test_it_gains_no_privileges(linked):  # pylint: disable=unused-argument
    pid, = pastas()
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        assert "\nNoNewPrivs:\t1\n" in file.read()


def test_one_that_dies_is_replaced(linked):
    linked.world.restart()
    for attempt, how in enumerate(("no reason given", "signal 9")):  # adopted; a child of its own
        pid, = pastas()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pastas() and pid not in pastas(), 5, "another pasta")
        await_uplink()
        assert ask(linked.world, linked.public) == [HOST, "1"]
        lines = [line for line in linked.world.log_tail().splitlines() if "pasta has" in line]
        assert lines[-1].endswith(
            f"uplink: pasta has ended ({how}): next attempt in {attempt + 1} s"), lines


def test_one_that_died_with_the_daemon_is_replaced(linked):
    linked.world.kill()
    pid, = pastas()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not pastas(), 5, "pasta is gone")
    assert "blackhole default" in routes() and "default via" not in routes()
    linked.world.serve()
    await_uplink()
    assert ask(linked.world, linked.public) == [HOST, "1"]


def test_served_without_it_the_world_is_closed(linked):
    world = linked.world
    world.kill()
    world.arguments = ()
    world.serve()
    assert pastas() == {} and "uplink" not in device()
    assert routes().startswith("blackhole default")
    assert ask(world, linked.public) is None
    world.assert_reaches(linked.public, world.internet_address())
    world.kill()
    world.arguments = ("--uplink",)
    world.serve()
    await_uplink()
    assert ask(world, linked.public) == [HOST, "1"]
