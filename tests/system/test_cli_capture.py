"""`minivpc capture`: the packets that pass a thing, all of them, as lines and in files."""
import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import types

import pytest

from lib import environment, names, stop, wait_for

SECTION, INTERFACE, STATISTICS, PACKET = 0x0a0d0d0a, 1, 5, 6
IN, OUT = 1, 2


@pytest.fixture(scope="module")
def lab(world):
    """web and db in a public subnet, inner behind a NAT gateway."""
    here = types.SimpleNamespace(world=world, host=world.internet_address())
    here.vpc = world.open_vpc()
    here.gateway = world.gateway(here.vpc)
    here.public, here.private = (world.subnet(here.vpc, f"10.0.{n}.0/24") for n in (1, 2))
    world.route_table(here.vpc, here.public, here.gateway)
    allocation, here.nat_public = world.elastic_ip()
    here.nat = world.ec2.create_nat_gateway(SubnetId=here.public, AllocationId=allocation)[
        "NatGateway"]["NatGatewayId"]
    world.ec2.create_route(RouteTableId=world.route_table(here.vpc, here.private),
                           DestinationCidrBlock="0.0.0.0/0", NatGatewayId=here.nat)
    here.web, here.db = (world.run_instances(here.public, public=True)[0] for _ in range(2))
    here.inner, = world.run_instances(here.private)
    world.ec2.create_tags(Resources=[here.web], Tags=[{"Key": "Name", "Value": "web"}])
    here.nat_private, = [
        entry["PrivateIp"] for entry in world.ec2.describe_nat_gateways(
            NatGatewayIds=[here.nat])["NatGateways"][0]["NatGatewayAddresses"]]
    for place in (here.web, here.inner):
        world.assert_reaches(place, here.host)  # neighbours and the rest are there now
    return here


@contextlib.contextmanager
def capturing(world, target, *arguments, stdout=subprocess.PIPE):
    """From the moment on that nothing is missed."""
    process = subprocess.Popen(world.command("capture", target, *arguments), stdout=stdout,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               env=environment(TZ="UTC"), start_new_session=True)
    try:
        assert b"capturing" in process.stderr.readline()
        yield process
    finally:
        stop(process)
        process.stderr.close()


def end(process, how=signal.SIGINT):
    """Its standard output, and (packets, dropped) of the summary."""
    if how:
        process.send_signal(how)
    out, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    counts = re.fullmatch(r"\S+: (\d+) packets? captured, (\d+) dropped by the kernel(; .*)?\n",
                          said.decode())
    assert counts, said
    return (out or b"").decode(), (int(counts[1]), int(counts[2]))


def blocks(data):
    """Of a pcapng file: (type, body) of each; the last one must be whole."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert length % 4 == 0 and at + length <= len(data), "cut short"
        assert struct.unpack_from("=I", data, at + length - 4)[0] == length
        yield kind, data[at + 8:at + length - 4]
        at += length


def options(body):
    found, at = {}, 0
    while at < len(body):
        kind, length = struct.unpack_from("=HH", body, at)
        found[kind] = body[at + 4:at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
    return found


def packets(data):
    """(device, direction, source, target, protocol, frame) of the IPv4 ones, in order."""
    devices, found = [], []
    for kind, body in blocks(data):
        if kind == INTERFACE:
            assert struct.unpack_from("=H", body)[0] == 1
            devices.append(options(body[8:])[2].decode())
        if kind != PACKET:
            continue
        device, _, _, kept, original = struct.unpack_from("=IIIII", body)
        frame = body[20:20 + kept]
        assert kept == original
        flags = struct.unpack("=I", options(body[20 + (kept + 3) // 4 * 4:])[2])[0]
        if frame[12:14] == b"\x08\x00":
            source, target = (".".join(map(str, frame[start:start + 4])) for start in (26, 30))
            found.append((devices[device], flags & 3, source, target, frame[23], frame))
    return found


def tcpdump(data):
    """What it reads in the capture, a line each."""
    done = subprocess.run(["tcpdump", "-n", "-t", "-r", "-"], input=data, capture_output=True,
                          check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def test_lines(world, lab):
    web = world.private(lab.web)
    with capturing(world, "web") as process:
        assert world.ping(lab.web, lab.host, count=3).received == 3
        out, counts = end(process)
    lines = [line for line in out.splitlines() if "ARP" not in line]
    assert counts == (len(out.splitlines()), 0)
    assert len(lines) == 6
    for i, line in enumerate(lines):
        ends = f"out IP {web} > {lab.host}: icmp echo request" if i % 2 == 0 else \
            f"in IP {lab.host} > {web}: icmp echo reply"
        assert re.fullmatch(rf"\d\d:\d\d:\d\d\.\d{{6}} {ends}, id \d+, seq {i // 2 + 1}, length 64",
                            line), line


def test_lines_of_json(world, lab):
    web = world.private(lab.web)
    with capturing(world, lab.web, "-o", "json") as process:
        assert world.ping(lab.web, lab.host, count=1).received == 1
        out, counts = end(process)
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == counts[0]
    there, back = [entry for entry in found if "icmp" in entry["packet"]]
    assert (there["direction"], back["direction"], there["length"]) == ("out", "in", 98)
    assert there["packet"].startswith(f"IP {web} > {lab.host}: icmp echo request, id ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", there["time"])
    assert there["time"] < back["time"] and there["device"].startswith("eni")


def test_a_file_is_what_tcpdump_reads(world, lab, tmp_path):
    file = tmp_path / "web.pcapng"
    with capturing(world, lab.web, "-w", str(file)) as process:
        assert world.ping(lab.web, lab.host, count=5).received == 5
        out, counts = end(process, signal.SIGTERM)
    data = file.read_bytes()
    assert out == "" and counts[1] == 0
    kinds = [kind for kind, _ in blocks(data)]
    assert kinds[0] == SECTION and kinds[-1] == STATISTICS and kinds.count(PACKET) == counts[0]
    found = packets(data)
    assert [entry[1] for entry in found] == [OUT, IN] * 5
    web = world.private(lab.web)
    assert {(entry[2], entry[3]) for entry in found} == {(web, lab.host), (lab.host, web)}
    lines = [line for line in tcpdump(data) if "ICMP" in line]
    assert len(lines) == 10
    assert lines[0].startswith(f"IP {web} > {lab.host}: ICMP echo request")


def test_a_pipe_is_live(world, lab):
    """A reader has each packet when it passes, and its end is the capture's."""
    with capturing(world, lab.web, "-w", "-") as process:
        read_through = b""
        for n in range(1, 4):
            assert world.ping(lab.web, lab.host, count=1).received == 1

            def seen():
                nonlocal read_through
                read_through += os.read(process.stdout.fileno(), 65536)
                return len(packets(read_through)) == 2 * n
            wait_for(seen, 5, "both packets of a ping")
        process.stdout.close()
        process.stdout = None
        _, counts = end(process, how=None)  # without another packet
    assert counts[0] >= 6
    assert len([line for line in tcpdump(read_through) if "ICMP" in line]) == 6


def test_count_and_seconds(world, lab):
    with capturing(world, lab.web, "--count", "4") as process:
        world.ping(lab.web, lab.host, count=5)
        out, counts = end(process, how=None)
    assert counts[0] == len(out.splitlines()) == 4
    with capturing(world, lab.web, "--seconds", "1") as process:
        world.ping(lab.web, lab.host, count=1)
        out, counts = end(process, how=None)
    assert counts[0] == len(out.splitlines()) >= 2


def test_interface_of_a_stopped_instance(world, lab):
    spare, = world.run_instances(lab.public)
    card = world.instance(spare)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    with capturing(world, card) as process:
        world.ping(spare, world.private(lab.db), count=1)
        world.ec2.stop_instances(InstanceIds=[spare])
        process.wait(10)
        process.stderr.peek()
        out = process.stdout.read().decode()
        assert b"; its link is gone" in process.stderr.readline()
    assert out.count("echo request") == out.count("echo reply") == 1
    world.await_state("stopped", spare)
    done = world.run("capture", spare, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"minivpc: no packet can pass {spare} now: it is attached to nothing " \
        "that runs\n"
    world.ec2.terminate_instances(InstanceIds=[spare])
    world.await_state("terminated", spare)
    assert "is terminated" in world.run("capture", spare, check=False).stderr


def test_a_subnet_sees_each_of_its_ports(world, lab, tmp_path):
    file = tmp_path / "subnet.pcapng"
    with capturing(world, lab.public, "-w", str(file)) as process:
        assert world.ping(lab.web, world.private(lab.db), count=1).received == 1
        end(process)
    web, db = world.private(lab.web), world.private(lab.db)
    cards = ["eni" + world.instance(one)["NetworkInterfaces"][0]["NetworkInterfaceId"][4:16]
             for one in (lab.web, lab.db)]
    assert [entry[:4] for entry in packets(file.read_bytes())] == [
        (cards[0], IN, web, db), (cards[1], OUT, web, db),
        (cards[1], IN, db, web), (cards[0], OUT, db, web)]
    assert len([line for line in tcpdump(file.read_bytes()) if "ICMP" in line]) == 4


def test_a_nat_gateway_shows_both_sides(world, lab, tmp_path):
    """And the internet gateway what becomes of its address."""
    files = {lab.nat: tmp_path / "nat.pcapng", lab.gateway: tmp_path / "igw.pcapng"}
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(capturing(world, target, "-w", str(file)))
                     for target, file in files.items()]
        assert world.ping(lab.inner, lab.host, count=1).received == 1
        for process in processes:
            end(process)
    inner, host = world.private(lab.inner), lab.host
    assert [entry[1:4] for entry in packets(files[lab.nat].read_bytes())] == [
        (IN, inner, host), (OUT, lab.nat_private, host),
        (IN, host, lab.nat_private), (OUT, host, inner)]
    assert [entry[:4] for entry in packets(files[lab.gateway].read_bytes())] == [
        ("fabric", IN, lab.nat_private, host), ("internet", OUT, lab.nat_public, host),
        ("internet", IN, host, lab.nat_public), ("fabric", OUT, host, lab.nat_private)]


def test_a_killed_capture_leaves_a_whole_file(world, lab, tmp_path):
    file = tmp_path / "killed.pcapng"
    with capturing(world, lab.web, "-w", str(file)) as process:
        world.ping(lab.web, lab.host, count=200, interval=0.002)
        process.kill()
        process.wait(10)
    data = file.read_bytes()
    kinds = [kind for kind, _ in blocks(data)]
    assert kinds.count(PACKET) >= 390 and STATISTICS not in kinds
    assert len([line for line in tcpdump(data) if "ICMP" in line]) >= 390


def test_nothing_is_lost_of_a_burst(world, lab, tmp_path):
    """20,000 packets as fast as one process can send."""
    file = tmp_path / "burst.pcapng"
    sender = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n" \
        f"for i in range(20000): s.sendto(b'%d' % i, ('{world.private(lab.db)}', 9))"
    with capturing(world, lab.web, "-w", str(file)) as process:
        world.exec(lab.web, ["python3", "-c", sender])
        _, counts = end(process)
    assert counts[1] == 0
    sent = [int(entry[5][42:].rstrip(b"\0")) for entry in packets(file.read_bytes())
            if entry[4] == 17]
    assert sent == list(range(20000))


def test_tcp_and_udp_lines(world, lab):
    """Names of flags, ports, and lengths of what is carried."""
    with capturing(world, lab.db) as process:
        world.talk(lab.db, lab.web, world.private(lab.db), port=7001)
        world.talk(lab.db, lab.web, world.private(lab.db), kind="udp", port=7002)
        out, _ = end(process)
    web, db = world.private(lab.web), world.private(lab.db)
    assert re.search(rf" in IP {web}\.\d+ > {db}\.7001: tcp SYN, length 0\n", out)
    assert re.search(rf" out IP {db}\.7001 > {web}\.\d+: tcp SYN\+ACK, length 0\n", out)
    assert re.search(rf" in IP {web}\.\d+ > {db}\.7002: udp, length \d+\n", out)


def test_what_can_not_be_captured(world, lab, tmp_path):
    for target, text in (
            ("nobody", "There is no instance 'nobody': minivpc ps lists them (InvalidInstanceID.NotFound)"),
            ("igw-0123456789abcdef0", "There is no 'igw-0123456789abcdef0' "),
            (world.default_group(lab.vpc), "No packets pass 'sg-"),
            (names(world.ec2.describe_subnets(Filters=[{
                "Name": "default-for-az", "Values": ["true"]}])["Subnets"], "SubnetId")[0],
             "nothing has needed it yet"),
            (world.ec2.create_network_interface(SubnetId=lab.public)["NetworkInterface"][
                "NetworkInterfaceId"], "it is attached to nothing that runs")):
        done = world.run("capture", target, "-w", str(tmp_path / "x"), "--seconds", "1",
                         check=False)
        assert (done.returncode, done.stdout) == (1, "") and text in done.stderr, done.stderr
        assert not (tmp_path / "x").exists()
    done = world.run("capture", lab.web, "-w", "/nonexistent/x", check=False)
    assert done.returncode == 1 and "/nonexistent/x: No such file or directory" in done.stderr
    with open("/dev/full", "wb") as full:
        done = subprocess.run(world.command("capture", lab.web, "-w", "-"), stdout=full,
                              stderr=subprocess.PIPE, check=False, env=environment(), timeout=10)
    assert done.returncode == 1 and b"No space left on device" in done.stderr


def test_down_ends_it(make_world):
    """And it keeps no namespace."""
    with make_world() as own:
        subnet = own.subnet(own.open_vpc(), "10.0.1.0/24")
        own.run_instances(subnet)
        with capturing(own, subnet) as process:
            own.run("down", timeout=60)
            assert process.wait(10) == 0
            assert b"; it is gone" in process.stderr.readline()
