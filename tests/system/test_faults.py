"""Faults, by packets: what fails, what goes on, and what is said of it."""
import datetime
import json
import re
import select
import signal
import subprocess
import time
import types

import pytest

from lib import (IMAGE, INTERNET, environment, names, read_line, refused, stop,
                 tag_specification)

ANY = "0.0.0.0/0"
A, B = "us-east-1a", "us-east-1b"
NAMESERVER, METADATA = "169.254.169.253", "169.254.169.254"

# Says a number a hundred times a second and counts the echoes; ends with its input.
TALKER = """
import select, socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
print('talking', flush=True)
s.settimeout(None)
n = 0
while not select.select([sys.stdin], [], [], 0.01)[0]:
    s.sendall(b'%08d' % n)
    left = 8
    while left:
        part = s.recv(left)
        if not part:
            sys.exit('the other end has closed')
        left -= len(part)
    n += 1
    print(n, flush=True)
"""

ECHO = """
import socket, sys, threading
def serve(peer):
    while True:
        data = peer.recv(65536)
        if not data:
            return
        peer.sendall(data)
s = socket.create_server(('0.0.0.0', int(sys.argv[1])))
print('ready', flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""

# Sends for so many seconds and prints the bytes that arrived by then, at the other end.
DRAIN = """
import socket, sys, time
s = socket.create_server(('0.0.0.0', int(sys.argv[1])))
print('ready', flush=True)
peer = s.accept()[0]
begin = None
seen = 0
while True:
    data = peer.recv(65536)
    now = time.monotonic()
    if not data:
        break
    begin = begin or now
    # what the link lets through at once, and TCP's slow start, are over
    if now - begin > 1.5:
        seen += len(data)
print(seen * 8 / (now - begin - 1.5), flush=True)
"""

FILL = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
end = time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    s.send(bytes(65536))
"""


class Talk:
    """A TCP connection on which both ends say something all the time."""

    def __init__(self, world, client, server, address, port):
        self.server = world.spawn(server, ["python3", "-c", ECHO, str(port)])
        assert read_line(self.server, 10, "echo server") == "ready"
        self.client = world.spawn(client, ["python3", "-c", TALKER, address, str(port)],
                                  stdin=subprocess.PIPE)
        assert read_line(self.client, 10, "talker") == "talking"
        self.assert_goes_on()

    def told(self, seconds):
        """How many echoes came in that time."""
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            if select.select([self.client.stdout], [], [], max(0, end - time.monotonic()))[0]:
                line = read_line(self.client, 5, "talker")
                assert re.fullmatch(r"\d+", line), line
                count += 1
        return count

    def assert_goes_on(self, seconds=30):
        """Within that time: TCP repeats what was lost later and later."""
        line = read_line(self.client, seconds, "an echo")
        assert re.fullmatch(r"\d+", line), line

    def assert_stalls(self):
        self.told(0.3)  # what was on its way
        assert self.told(0.7) == 0
        assert self.client.poll() is None

    def close(self):
        stop(self.client)
        stop(self.server)


def fault(world, *words):
    return world.run("fault", *words).stdout.strip()


def faults(world):
    return json.loads(world.run("fault", "list", "-o", "json").stdout)


def wrong(world, *words):
    done = world.run("fault", *words, check=False)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


def status(world, instance):
    found, = world.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
    return found


def resolves(world, place):
    """An answer of the VPC's DNS, whatever it says."""
    done = world.exec(place, ["python3", "-c", f'''
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.sendto(bytes.fromhex("123401000001000000000000076578616d706c6503636f6d0000010001"),
         ("{NAMESERVER}", 53))
print(len(s.recv(512)))'''], check=False)
    return done.returncode == 0


def has_metadata(world, place):
    done = world.exec(place, ["python3", "-c", f'''
import urllib.request
print(urllib.request.urlopen(urllib.request.Request(
    "http://{METADATA}/latest/api/token", method="PUT",
    headers={{"X-aws-ec2-metadata-token-ttl-seconds": "60"}}), timeout=1).read())'''], check=False)
    return done.returncode == 0


@pytest.fixture(scope="module")
def lab(world):
    """
    Two zones, each with a public subnet that has a NAT gateway, and private subnets: `a` in zone a
    and `b` in zone b use their own zone's, `astray` in zone b that of zone a. A peered VPC has `p`.
    """
    here = types.SimpleNamespace(world=world, internet=world.internet_address())
    ec2 = world.ec2
    here.vpc = world.open_vpc("10.7.0.0/16")
    here.gateway = world.gateway(here.vpc)
    here.subnets, here.nats = {}, {}
    for index, zone in enumerate((A, B)):
        public = world.subnet(here.vpc, f"10.7.{index}.0/24", zone)
        world.route_table(here.vpc, public, here.gateway)
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        here.nats[zone] = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)[
            "NatGateway"]["NatGatewayId"]
        here.subnets["public-" + zone[-1]] = public
    for name, block, zone, nat in (("a", "10.7.10.0/24", A, A), ("b", "10.7.11.0/24", B, B),
                                   ("astray", "10.7.12.0/24", B, A)):
        here.subnets[name] = world.subnet(here.vpc, block, zone)
        table = world.route_table(here.vpc, here.subnets[name])
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY,
                         NatGatewayId=here.nats[nat])
        setattr(here, name, world.run_instances(here.subnets[name], TagSpecifications=[
            tag_specification("instance", Name=name)[0]])[0])
    here.front_a, = world.run_instances(here.subnets["public-a"], public=True)
    here.front_b, = world.run_instances(here.subnets["public-b"], public=True)
    here.mate, = world.run_instances(here.subnets["a"])
    peer = world.open_vpc("10.8.0.0/16")
    here.p, = world.run_instances(world.subnet(peer, "10.8.0.0/24", B))
    peering = world.peering(here.vpc, peer)
    tables = [entry["RouteTableId"] for entry in ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [here.vpc]}])["RouteTables"]]
    for table, block in [(table, "10.8.0.0/16") for table in tables] + [
            (world.main_table(peer)["RouteTableId"], "10.7.0.0/16")]:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=block,
                         VpcPeeringConnectionId=peering)
    here.address = {name: world.private(getattr(here, name))
                    for name in ("a", "b", "astray", "front_a", "front_b", "mate", "p")}
    return here


@pytest.fixture(autouse=True)
def healed(world):
    yield
    world.run("fault", "heal")
    assert faults(world) == []


def assert_all_is_well(lab):
    world = lab.world
    for name in ("a", "b", "astray", "front_a", "front_b"):
        world.assert_reaches(getattr(lab, name), lab.internet, count=1)
    world.assert_reaches(lab.b, lab.address["a"], count=1)
    world.assert_reaches(lab.p, lab.address["a"], count=1)


# ---- an Availability Zone ----

def test_a_dark_zone_takes_its_own_along_and_no_other(world, lab):
    assert_all_is_well(lab)
    fault(world, "az", A)
    for name in ("a", "front_a"):  # all that is in it
        place = getattr(lab, name)
        for target in (lab.internet, lab.address["mate"], lab.address["b"], lab.address["p"]):
            world.assert_silent(place, target, count=1)
        assert not resolves(world, place) and not has_metadata(world, place)
    for place in (lab.b, lab.p):  # from outside
        world.assert_silent(place, lab.address["a"], count=1)
    world.assert_silent(INTERNET, world.public(lab.front_a), count=1)
    world.assert_silent(lab.astray, lab.internet, count=1)  # its way out is in the dark zone
    # all the others go on
    world.assert_reaches(lab.astray, lab.address["b"], count=1)
    world.assert_reaches(lab.b, lab.internet, count=1)
    world.assert_reaches(lab.b, lab.address["p"], count=1)
    world.assert_reaches(INTERNET, world.public(lab.front_b), count=1)
    assert resolves(world, lab.b) and has_metadata(world, lab.b)
    fault(world, "heal", A)
    assert_all_is_well(lab)
    assert resolves(world, lab.a) and has_metadata(world, lab.a)


def test_what_is_dark_answers_no_arp(world, lab):
    look = ["python3", "-c", """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x806))
s.bind(('eth0', 0x806))
s.settimeout(0.5)
own = s.getsockname()[4]
s.send(b'\\xff' * 6 + own + b'\\x08\\x06\\0\\x01\\x08\\0\\x06\\x04\\0\\x01' + own +
       socket.inet_aton(sys.argv[1]) + b'\\0' * 6 + socket.inet_aton(sys.argv[2]))
while True:
    if s.recv(100)[20:22] == b'\\0\\x02':
        print('answered')
        break
""", lab.address["a"], lab.address["mate"]]
    assert world.exec(lab.a, look).strip() == "answered"
    fault(world, "az", A)
    assert "timed out" in world.exec(lab.a, look, check=False).stderr


def test_connections_outlive_a_dark_zone(world, lab):
    talks = [Talk(world, lab.b, lab.a, lab.address["a"], 7100),
             Talk(world, lab.astray, INTERNET, lab.internet, 7101),  # by the dark NAT gateway
             Talk(world, lab.b, INTERNET, lab.internet, 7102)]
    fault(world, "az", A)
    for talk in talks[:2]:
        talk.assert_stalls()
    assert talks[2].told(1) > 5
    fault(world, "heal")
    for talk in talks:
        talk.assert_goes_on()
        talk.close()


def test_the_api_says_what_is_dark(world, lab):
    before = status(world, lab.a)
    assert before["SystemStatus"]["Status"] == before["InstanceStatus"]["Status"] == "ok"
    began = datetime.datetime.now(datetime.timezone.utc)
    fault(world, "az", A)
    zones = {zone["ZoneName"]: zone
             for zone in world.ec2.describe_availability_zones()["AvailabilityZones"]}
    assert zones[A]["State"] == "impaired" and A in zones[A]["Messages"][0]["Message"]
    assert zones[B]["State"] == "available" and zones[B]["Messages"] == []
    found = world.ec2.describe_availability_zones(
        Filters=[{"Name": "state", "Values": ["impaired"]}])["AvailabilityZones"]
    assert names(found, "ZoneName") == [A]
    for name in ("InstanceStatus", "SystemStatus"):
        what = status(world, lab.a)[name]
        assert what["Status"] == "impaired"
        detail, = what["Details"]
        assert (detail["Name"], detail["Status"]) == ("reachability", "failed")
        assert abs(detail["ImpairedSince"] - began) < datetime.timedelta(seconds=10)
        assert status(world, lab.b)[name]["Status"] == "ok"
    listed = world.ec2.describe_instance_status(Filters=[
        {"Name": "system-status.reachability", "Values": ["failed"]}])["InstanceStatuses"]
    assert sorted(names(listed, "InstanceId")) == sorted([lab.a, lab.mate, lab.front_a])
    # the control plane is regional, and says of the rest what it said before
    assert world.instance(lab.a)["State"]["Name"] == "running"
    nat, = world.ec2.describe_nat_gateways(NatGatewayIds=[lab.nats[A]])["NatGateways"]
    assert nat["State"] == "available"
    # it is everybody's zone, but one region's
    other = world.client(region="us-west-2").describe_availability_zones()["AvailabilityZones"]
    assert all(zone["State"] == "available" for zone in other)


def test_there_is_no_capacity_in_a_dark_zone(world, lab):
    ec2 = world.ec2
    stopped, = world.run_instances(lab.subnets["a"])
    ec2.stop_instances(InstanceIds=[stopped])
    world.await_state("stopped", stopped)
    fault(world, "az", A)
    told = refused("InsufficientInstanceCapacity", ec2.run_instances, status=500, ImageId=IMAGE,
                   MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=lab.subnets["a"])
    assert "(us-east-1a)" in told.message and "us-east-1b, us-east-1c" in told.message
    refused("InsufficientInstanceCapacity", ec2.start_instances, status=500,
            text="Insufficient capacity.", InstanceIds=[stopped])
    # whoever names no zone gets one that is well
    made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]
    assert made["Placement"]["AvailabilityZone"] == B
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    fault(world, "heal")
    ec2.start_instances(InstanceIds=[stopped])
    world.await_state("running", stopped)
    ec2.terminate_instances(InstanceIds=[stopped])
    world.await_state("terminated", stopped)


# ---- NAT gateways, subnets, instances ----

def test_a_nat_gateway_falls_silent(world, lab):
    talk = Talk(world, lab.a, INTERNET, lab.internet, 7110)
    fault(world, "nat", lab.nats[A])
    talk.assert_stalls()
    for name in ("a", "astray"):
        world.assert_silent(getattr(lab, name), lab.internet, count=1)
    world.assert_reaches(lab.b, lab.internet, count=1)  # by the other one
    world.assert_reaches(lab.front_a, lab.internet, count=1)  # by the internet gateway
    world.assert_reaches(lab.a, lab.address["b"], count=1)
    nat, = world.ec2.describe_nat_gateways(NatGatewayIds=[lab.nats[A]])["NatGateways"]
    assert nat["State"] == "available"
    fault(world, "heal", lab.nats[A])
    talk.assert_goes_on()
    talk.close()


def test_a_dark_subnet_is_nobody_elses_trouble(world, lab):
    fault(world, "subnet", lab.subnets["a"])
    world.assert_silent(lab.a, lab.address["mate"], count=1)
    world.assert_silent(lab.b, lab.address["a"], count=1)
    assert not resolves(world, lab.a)
    world.assert_reaches(lab.front_a, lab.internet, count=1)  # of the same zone
    world.assert_reaches(lab.astray, lab.internet, count=1)  # by the zone's NAT gateway
    assert status(world, lab.a)["SystemStatus"]["Status"] == "ok"  # the host is well
    late, = world.run_instances(lab.subnets["a"])
    world.assert_silent(late, lab.address["mate"], count=1)
    world.ec2.terminate_instances(InstanceIds=[late])
    world.await_state("terminated", late)


def test_an_instances_host_dies(world, lab):
    fault(world, "instance", "a")  # by its name
    listed, = faults(world)
    assert (listed["type"], listed["target"], listed["name"]) == ("instance", lab.a, "a")
    world.assert_silent(lab.a, lab.address["mate"], count=1)
    world.assert_silent(lab.mate, lab.address["a"], count=1)
    assert not resolves(world, lab.a) and not has_metadata(world, lab.a)
    world.assert_reaches(lab.mate, lab.internet, count=1)
    assert status(world, lab.a)["SystemStatus"]["Status"] == "impaired"
    assert status(world, lab.mate)["SystemStatus"]["Status"] == "ok"


def test_stop_and_start_lead_to_another_host(world, lab):
    fault(world, "instance", lab.a)
    world.ec2.stop_instances(InstanceIds=[lab.a])
    world.await_state("stopped", lab.a)
    assert len(faults(world)) == 1
    world.ec2.start_instances(InstanceIds=[lab.a])
    world.await_state("running", lab.a)
    assert faults(world) == []
    assert status(world, lab.a)["SystemStatus"]["Status"] == "ok"
    world.assert_reaches(lab.mate, lab.address["a"], count=1)


def test_a_fault_ends_with_what_it_is_about(world, lab):
    instance, = world.run_instances(lab.subnets["b"])
    card = world.ec2.create_network_interface(SubnetId=lab.subnets["b"])["NetworkInterface"][
        "NetworkInterfaceId"]
    subnet = world.subnet(lab.vpc, "10.7.99.0/24", B)
    address = world.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = world.ec2.create_nat_gateway(SubnetId=lab.subnets["public-b"], AllocationId=address)[
        "NatGateway"]["NatGatewayId"]
    for words in (("instance", instance), ("link", instance, "--loss", "1"),
                  ("link", card, "--rate", "1mbit"), ("subnet", subnet), ("nat", nat)):
        assert re.fullmatch(r"fault-0[0-9a-f]{16}", fault(world, *words))
    assert len(faults(world)) == 5
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    assert len(faults(world)) == 3
    world.ec2.delete_network_interface(NetworkInterfaceId=card)
    world.ec2.delete_subnet(SubnetId=subnet)
    world.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert faults(world) == []
    world.release(address)


# ---- links ----

@pytest.mark.parametrize("percent", [2, 20, 60])
def test_a_link_loses_what_it_is_asked_to(world, lab, percent):
    """In each direction by itself: an echo has to pass both."""
    world.ping(lab.mate, lab.address["a"])
    fault(world, "link", lab.a, "--loss", str(percent))
    count = 800
    ping = world.ping(lab.mate, lab.address["a"], count=count, interval=0.002)
    kept = (1 - percent / 100) ** 2
    spread = 5 * (count * kept * (1 - kept)) ** 0.5  # five standard deviations
    assert abs(ping.received - count * kept) < spread, (ping.received, count * kept, spread)
    world.assert_reaches(lab.mate, lab.address["b"])  # nobody else's


def test_a_link_that_loses_everything_and_one_that_loses_little(world, lab):
    fault(world, "link", lab.a, "--loss", "100%")
    world.assert_silent(lab.mate, lab.address["a"])
    talk_fault = fault(world, "link", lab.a, "--loss", "0.5")
    listed, = faults(world)
    assert (listed["faultId"], listed["loss"], listed["rate"]) == (talk_fault, 0.5, None)
    talk = Talk(world, lab.mate, lab.a, lab.address["a"], 7120)  # TCP repeats what is lost
    assert talk.told(1) > 5
    talk.close()


@pytest.mark.parametrize("sender, receiver", [("a", "mate"), ("mate", "a")])
def test_a_link_is_as_slow_as_it_is_asked_to_be(world, lab, sender, receiver):
    fault(world, "link", lab.a, "--rate", "8mbit")
    taking = world.spawn(getattr(lab, receiver), ["python3", "-c", DRAIN, "7130"])
    assert read_line(taking, 10, "drain") == "ready"
    world.exec(getattr(lab, sender),
               ["python3", "-c", FILL, lab.address[receiver], "7130", "4.5"])
    rate = float(read_line(taking, 30, "drain"))
    stop(taking)
    assert 4e6 < rate < 8.8e6, rate


def has_netem(world):
    found = json.loads(world.run("check", "-o", "json").stdout)
    return next(row["there"] for row in found if "netem" in row["feature"])


def test_a_link_is_as_late_as_it_is_asked_to_be_or_the_call_says_why_not(world, lab):
    if not has_netem(world):
        assert "this kernel has no netem (CONFIG_NET_SCH_NETEM, module sch_netem)" in wrong(
            world, "link", lab.a, "--delay", "50ms")
        assert faults(world) == []
        fault(world, "link", lab.a, "--loss", "1")
        wrong(world, "link", lab.a, "--loss", "100", "--delay", "50ms")  # whole or not at all
        assert faults(world)[0]["loss"] == 1
        world.assert_reaches(lab.mate, lab.address["front_a"])
        return
    fault(world, "link", lab.a, "--delay", "50ms")
    assert faults(world)[0]["delay"] == 50
    world.restart()
    for place, target in ((lab.mate, "a"), (lab.a, "mate")):  # one way of each round trip
        times = [float(took) for took in re.findall(
            r"time=([0-9.]+) ms", world.ping(place, lab.address[target], count=5, wait=2).text)]
        assert len(times) == 5 and 50 <= min(times) < 60, times
    fault(world, "link", lab.a, "--delay", "20ms")
    times = [float(took) for took in re.findall(
        r"time=([0-9.]+) ms", world.ping(lab.mate, lab.address["a"], count=5, wait=2).text)]
    assert len(times) == 5 and 20 <= min(times) < 30, times


def test_an_interfaces_link_is_its_own(world, lab):
    card, = names(world.ec2.describe_network_interfaces(Filters=[
        {"Name": "attachment.instance-id", "Values": [lab.a]}])["NetworkInterfaces"],
        "NetworkInterfaceId")
    fault(world, "link", lab.a, "--rate", "1gbit")
    fault(world, "link", card, "--loss", "100")  # the interface's counts, not its instance's
    world.assert_silent(lab.mate, lab.address["a"])
    fault(world, "heal", card)
    world.assert_reaches(lab.mate, lab.address["a"])
    assert [entry["target"] for entry in faults(world)] == [lab.a]


# ---- the daemon ----

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_faults_outlive_the_daemon(world, lab, how):
    fault(world, "az", B)
    fault(world, "link", lab.a, "--loss", "100", "--rate", "5mbit")
    before = faults(world)
    logged = len(world.log_tail())
    world.kill(how)
    world.serve()
    world.assert_silent(lab.b, lab.address["astray"], count=1)
    world.assert_silent(lab.mate, lab.address["a"], count=1)
    world.assert_reaches(lab.mate, lab.address["front_a"], count=1)
    assert faults(world) == before
    assert "mended" not in world.log_tail()[logged:]
    fault(world, "heal")
    world.restart()
    assert faults(world) == []
    assert_all_is_well(lab)


def test_packets_stay_dark_while_there_is_no_daemon(world, lab):
    def received(target):
        done = subprocess.run(
            ["ip", "netns", "exec", lab.mate, "ping", "-n", "-c", "3", "-i", "0.1", "-W", "0.5",
             target], check=False, capture_output=True, text=True, env=environment())
        return int(re.search(r"(\d+) received", done.stdout)[1])
    fault(world, "instance", lab.a)
    world.kill()
    assert received(lab.address["a"]) == 0
    assert received(lab.address["front_a"]) == 3
    world.serve()


def test_a_change_of_the_kernels_is_mended(world, lab):
    fault(world, "instance", lab.a)
    fault(world, "link", lab.mate, "--rate", "5mbit")
    subprocess.run(["ip", "netns", "exec", lab.subnets["a"], "nft", "flush", "set", "ip", "minivpc",
                    "dark"], check=True, env=environment())
    world.assert_reaches(lab.mate, lab.address["a"])
    world.restart()
    world.assert_silent(lab.mate, lab.address["a"])


# ---- what is asked wrongly ----

def test_what_is_not_there_cannot_fail(world, lab):
    assert "us-east-9z" in wrong(world, "az", "us-east-9z")
    assert "no id of a NAT gateway" in wrong(world, "nat", lab.subnets["a"])
    assert "no such thing" in wrong(world, "subnet", "subnet-00000000000000001")
    assert "no instance 'nobody'" in wrong(world, "instance", "nobody")
    assert "a loss, a rate or a delay" in wrong(world, "link", lab.a)
    assert "'lots' is no Loss" in wrong(world, "link", lab.a, "--loss", "lots")
    assert "0 to 100 percent" in wrong(world, "link", lab.a, "--loss", "101")
    assert "8 kilobits" in wrong(world, "link", lab.a, "--rate", "1bit")
    assert "'10 furlongs' is no Rate" in wrong(world, "link", lab.a, "--rate", "10 furlongs")
    assert "Nothing is faulty about" in wrong(world, "heal", lab.a)
    assert faults(world) == []
    assert world.run("fault list").stdout == "nothing is faulty\n"


def test_the_same_again_is_the_same(world, lab):
    for words in (("az", A), ("nat", lab.nats[A]), ("subnet", lab.subnets["a"]),
                  ("instance", lab.a), ("link", lab.a, "--loss", "5")):
        assert fault(world, *words) == fault(world, *words)
    assert len(faults(world)) == 5
    assert fault(world, "az", "use1-az1") == faults(world)[0]["faultId"]
    healed = fault(world, "heal", "a")  # both that are about the instance of that name
    assert len(healed.split()) == 2
    assert [entry["type"] for entry in faults(world)] == ["az", "nat", "subnet"]
