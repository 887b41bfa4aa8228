"""The daemon comes and goes; the world goes on. SIGKILL between any two steps loses nothing."""
import collections
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import isolation
from host import listing
from lib import (IMAGE, INTERNET, Error, Ping, alive, api_state, assert_kernel_agrees,
                 environment, links,
                 living, names, namespaces, orphans, read_line, tag_specification, wait_for)


def furnish(world):
    """A public and a private instance and a stopped one; what a world may hold."""
    vpc = world.open_vpc(TagSpecifications=tag_specification("vpc", Name="kept"))
    world.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    front, back = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24", "us-east-1b")
    world.route_table(vpc, front, world.gateway(vpc))
    public, = world.run_instances(front, public=True)
    private, asleep = world.run_instances(back, count=2)
    world.ec2.stop_instances(InstanceIds=[asleep])
    world.await_state("stopped", asleep)
    gone, = world.run_instances(back)
    world.ec2.terminate_instances(InstanceIds=[gone])
    world.await_state("terminated", gone)
    return public, private, asleep


def test_a_reboot_that_was_answered_happens(own_world):
    """Whatever it had come to when the daemon was killed: the instance runs again."""
    subnet = own_world.subnet(own_world.open_vpc(), "10.0.1.0/24")
    instance, = own_world.run_instances(subnet)
    for delay in (0, 0, 0, 0.005, 0.01, 0.02, 0.03):
        before = own_world.init(instance)
        own_world.ec2.reboot_instances(InstanceIds=[instance])
        time.sleep(delay)
        own_world.kill()
        wait_for(lambda: not alive(before), 10, "the old init's end")
        own_world.serve()
        own_world.await_state("running", instance)
        assert own_world.init(instance) not in (None, before)


def assert_alive(world, public, private):
    world.assert_reaches(public, world.private(private))
    world.assert_reaches(public, world.internet_address())
    world.assert_reaches(INTERNET, world.public(public))
    world.assert_silent(private, world.internet_address())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_stop_stops_the_daemon_only(own_world, how):
    public, private, _ = furnish(own_world)
    before, target = api_state(own_world), own_world.private(private)
    pids = {name: own_world.pids(name) for name in (public, private)}
    assert all(pids.values())
    daemon = own_world.daemon
    daemon.send_signal(how)
    rest = daemon.stdout.read()
    assert daemon.wait(5) == 0
    assert rest == b""  # `ready …` was the only line
    assert {name: own_world.pids(name) for name in pids} == pids
    done = subprocess.run(["ip", "netns", "exec", public, "ping", "-n", "-c", "3", "-i", "0.1",
                           "-W", "1", target], capture_output=True, text=True, check=False,
                          env=environment())
    assert Ping(done.stdout).received == 3, done
    own_world.serve()
    assert api_state(own_world) == before
    assert {name: own_world.pids(name) for name in pids} == pids
    assert_alive(own_world, public, private)


def test_sigkill_between_calls_loses_no_reply(own_world):
    public, private, asleep = furnish(own_world)
    pids = {name: sorted(own_world.pids(name)) for name in (public, private)}
    addresses = own_world.private(public), own_world.public(public), own_world.private(private)
    pings = [own_world.spawn(place, f"ping -n -i 0.05 -c 100 -W 2 {address}")
             for place, address in ((public, addresses[2]), (private, addresses[0]),
                                    (public, own_world.internet_address()),
                                    (INTERNET, addresses[1]))]
    for ping in pings:
        assert "PING" in read_line(ping, 5, "ping")
    cycles, vpc = 0, own_world.instance(public)["VpcId"]
    changes = [lambda: own_world.subnet(vpc, f"10.0.{10 + cycles}.0/24"),
               lambda: own_world.route_table(vpc),
               lambda: own_world.ec2.create_tags(Resources=[public], Tags=[
                   {"Key": f"cycle-{cycles}", "Value": "x"}]),
               lambda: own_world.run_instances(own_world.instance(private)["SubnetId"]),
               lambda: own_world.ec2.delete_vpc(VpcId=own_world.open_vpc("10.100.0.0/16"))]
    while cycles < 3 or any(ping.poll() is None for ping in pings):
        changes[cycles % len(changes)]()
        before = api_state(own_world)
        own_world.restart(signal.SIGKILL)
        assert api_state(own_world) == before
        cycles += 1
    for ping in pings:
        result = Ping(ping.stdout.read().decode())
        assert (result.sent, result.received) == (100, 100), result
    assert {name: sorted(own_world.pids(name)) for name in pids} == pids
    assert (own_world.private(public), own_world.public(public),
            own_world.private(private)) == addresses
    assert_alive(own_world, public, private)
    assert_kernel_agrees(own_world)
    own_world.ec2.start_instances(InstanceIds=[asleep])
    own_world.await_state("running", asleep)
    own_world.assert_reaches(asleep, addresses[0])


def launch_in_the_background(world, subnet, count):
    """A thread that launches and may lose its connection; its reply, if any, is in the list."""
    replies = []
    client = world.ec2

    def launch():
        try:
            replies.append(client.run_instances(ImageId=IMAGE, MinCount=count, MaxCount=count,
                                                SubnetId=subnet))
        except (BotoCoreError, ClientError):
            pass
    thread = threading.Thread(target=launch)
    thread.start()
    return thread, replies


def states(world, subnet):
    """How many instances of a subnet are in which state; the terminated have left it."""
    found = world.ec2.describe_instances(Filters=[{"Name": "subnet-id", "Values": [subnet]}])
    return collections.Counter(entry["State"]["Name"] for reservation in found["Reservations"]
                               for entry in reservation["Instances"])


@pytest.mark.parametrize("count, delays", [
    (100, (0.002, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3)),
    (3, (0.003, 0.006, 0.009, 0.012, 0.015, 0.02, 0.025, 0.03))], ids=["many", "few"])
def test_sigkill_in_the_middle_of_a_launch(own_world, count, delays):
    """Whole or absent, nothing orphaned, and everything works."""
    subnet = own_world.subnet(own_world.open_vpc(), "10.0.0.0/20")
    witness, = own_world.run_instances(subnet)
    empty = links(subnet)
    for delay in delays:
        thread, replies = launch_in_the_background(own_world, subnet, count)
        time.sleep(delay)
        own_world.kill(signal.SIGKILL)
        thread.join(10)
        own_world.serve()
        wait_for(lambda: "pending" not in states(own_world, subnet), 15, "nothing pending")
        there = sorted(living(own_world) - {witness})
        assert len(there) in (0, count), f"{delay}: {len(there)} of {count}"
        if replies:
            assert there == sorted(names(replies[0]["Instances"], "InstanceId"))
        counted = states(own_world, subnet)
        assert counted == {"running": 1 + len(there)}, f"neither whole nor absent: {counted}"
        wait_for(lambda: orphans() == [], 5, "no orphans")
        assert_kernel_agrees(own_world)
        for sample in there[::49]:
            own_world.assert_reaches(sample, own_world.private(witness))
            own_world.assert_reaches(witness, own_world.private(sample))
        if there:
            own_world.ec2.terminate_instances(InstanceIds=there)
            own_world.await_state("terminated", *there)
        wait_for(lambda: links(subnet) == empty, 5, "no device left in the subnet")
        free = own_world.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]
        assert free["AvailableIpAddressCount"] == 4090
    assert own_world.run_instances(subnet, count=3)


def helpers(daemon):
    """Processes that the daemon has beside it on the host: its children but for the inits."""
    done = subprocess.run(["ps", "--ppid", str(daemon.pid), "-o", "pid="], capture_output=True,
                          text=True, check=False, env=environment())
    here = os.stat("/proc/self/ns/net").st_ino
    return [pid for pid in map(int, done.stdout.split())
            if os.stat(f"/proc/{pid}/ns/net").st_ino == here]


def test_sigkill_while_a_launch_is_held_up(own_world):
    """Stored, not yet in the kernel, not answered: absent or whole."""
    subnet = own_world.subnet(own_world.open_vpc(), "10.0.1.0/24")
    own_world.run_instances(subnet)
    held = helpers(own_world.daemon)
    assert held, "nobody to hold up: this test needs another way"
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    thread, replies = launch_in_the_background(own_world, subnet, 3)
    time.sleep(0.3)
    own_world.kill(signal.SIGKILL)
    for pid in held:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it went with the daemon
    thread.join(10)
    own_world.serve()
    wait_for(lambda: "pending" not in states(own_world, subnet), 15, "nothing pending")
    counted = states(own_world, subnet)
    assert counted in ({"running": 1}, {"running": 4}), f"neither whole nor absent: {counted}"
    assert counted == {"running": 4} or not replies
    wait_for(lambda: orphans() == [], 5, "no orphans")
    assert_kernel_agrees(own_world)
    # Its addresses are free, in the kernel's maps too: the next ones get them.
    witness, *later = own_world.run_instances(subnet, count=6)
    for sample in later:
        own_world.assert_reaches(sample, own_world.private(witness))
    before = own_world.log_tail().count("mended")
    own_world.restart()
    assert own_world.log_tail().count("mended") == before


class Worker(threading.Thread):
    """Makes and unmakes things until the daemon is gone, and remembers what it was told."""

    def __init__(self, world, number):
        super().__init__()
        self.ec2, self.number = world.ec2, number
        self.made = set()     # answered
        self.leaving = set()  # to be deleted, answered or not
        self.gone = set()     # deletion answered
        self.refusal = None

    def run(self):
        try:
            for _ in range(1000):
                self.turn()
        except BotoCoreError:
            pass
        except ClientError as refusal:
            self.refusal = refusal

    def note(self, *identifiers):
        self.made |= set(identifiers)
        return identifiers[0]

    def drop(self, call, *identifiers, **arguments):
        self.leaving |= set(identifiers)
        call(**arguments)
        self.gone |= set(identifiers)

    def turn(self):
        ec2 = self.ec2
        vpc = self.note(ec2.create_vpc(CidrBlock=f"10.{self.number}.0.0/16")["Vpc"]["VpcId"])
        gateway = self.note(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        subnet = self.note(ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.{self.number}.1.0/24")["Subnet"]["SubnetId"])
        table = self.note(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        association = ec2.associate_route_table(RouteTableId=table,
                                                SubnetId=subnet)["AssociationId"]
        launched = names(ec2.run_instances(
            ImageId=IMAGE, MinCount=3, MaxCount=3, NetworkInterfaces=[
                {"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": True}])[
                    "Instances"], "InstanceId")
        self.note(*launched)
        card = self.note(ec2.create_network_interface(SubnetId=subnet)[
            "NetworkInterface"]["NetworkInterfaceId"])
        attachment = ec2.attach_network_interface(
            NetworkInterfaceId=card, InstanceId=launched[0], DeviceIndex=1)["AttachmentId"]
        ec2.assign_private_ip_addresses(NetworkInterfaceId=card, SecondaryPrivateIpAddressCount=1)
        ec2.detach_network_interface(AttachmentId=attachment)
        self.drop(ec2.delete_network_interface, card, NetworkInterfaceId=card)
        self.drop(ec2.terminate_instances, *launched, InstanceIds=launched)
        ec2.disassociate_route_table(AssociationId=association)
        self.drop(ec2.delete_route_table, table, RouteTableId=table)
        wait_for(lambda: not ec2.describe_network_interfaces()["NetworkInterfaces"], 10, "the end")
        self.drop(ec2.delete_subnet, subnet, SubnetId=subnet)
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.drop(ec2.delete_internet_gateway, gateway, InternetGatewayId=gateway)
        self.drop(ec2.delete_vpc, vpc, VpcId=vpc)


def everything(ec2):
    """Ids of what a Worker makes; instances only as long as they live."""
    return {*names(ec2.describe_vpcs()["Vpcs"], "VpcId"),
            *names(ec2.describe_subnets()["Subnets"], "SubnetId"),
            *names(ec2.describe_network_interfaces()["NetworkInterfaces"], "NetworkInterfaceId"),
            *names(ec2.describe_internet_gateways()["InternetGateways"], "InternetGatewayId"),
            *names(ec2.describe_route_tables()["RouteTables"], "RouteTableId")}


def test_sigkill_anywhere(own_world):
    """A storm of calls, cut short: all that was answered is there, the kernel agrees."""
    chance = random.Random(2)
    for number in range(6):
        worker = Worker(own_world, number)
        worker.start()
        time.sleep(chance.uniform(0.03, 0.4))
        own_world.kill(signal.SIGKILL)
        worker.join(20)
        assert not worker.is_alive() and worker.refusal is None, worker.refusal
        own_world.serve()
        wait_for(lambda: orphans() == [], 10, "no orphans")
        running = living(own_world)
        there = everything(own_world.ec2) | running
        assert worker.made - worker.leaving <= there
        assert not worker.gone & there
        for instance in running:
            assert links(instance) == {"lo"} | {
                f"eth{entry['Attachment']['DeviceIndex']}"
                for entry in own_world.instance(instance)["NetworkInterfaces"]}
        for instance in sorted((running & worker.made) - worker.leaving)[:2]:
            own_world.assert_reaches(instance, own_world.internet_address())
        assert_kernel_agrees(own_world)
        own_world.clear()
        assert_kernel_agrees(own_world)


@pytest.mark.parametrize("kind", ["vpc", "subnet", "igw"])
def test_a_name_without_its_namespace(own_world, kind):
    """What a SIGKILL leaves between making the file in /run/netns and mounting on it."""
    vpc = own_world.open_vpc()
    subnet = own_world.subnet(vpc, "10.0.1.0/24")
    own_world.route_table(vpc, subnet, own_world.gateway(vpc))
    own_world.kill(signal.SIGKILL)
    for name in namespaces():
        if name.startswith(kind + "-"):
            subprocess.run(["umount", "-l", f"/run/netns/{name}"], check=True)
    own_world.serve()
    one, other = own_world.run_instances(subnet, count=2, public=True)
    own_world.assert_reaches(one, own_world.private(other))
    own_world.assert_reaches(INTERNET, own_world.public(one))
    assert_kernel_agrees(own_world)


def test_a_name_of_what_has_ended(own_world):
    """What a SIGKILL leaves between unmounting a namespace and removing its file."""
    subnet = own_world.subnet(own_world.open_vpc(), "10.0.1.0/24")
    gone, stays = own_world.run_instances(subnet, count=2)
    own_world.ec2.terminate_instances(InstanceIds=[gone])
    own_world.await_state("terminated", gone)
    wait_for(lambda: gone not in namespaces(), 5, "its name gone")
    own_world.kill(signal.SIGKILL)
    os.close(os.open(f"/run/netns/{gone}", os.O_CREAT | os.O_EXCL, 0o444))
    own_world.serve()
    wait_for(lambda: gone not in namespaces(), 5, "its name gone again")
    own_world.assert_reaches(stays, "10.0.1.1")
    assert_kernel_agrees(own_world)


def test_an_instance_that_died_meanwhile_is_stopped(own_world):
    public, private, _ = furnish(own_world)
    address = own_world.public(public)
    own_world.kill(signal.SIGKILL)
    for pid in own_world.pids(public):
        os.kill(pid, signal.SIGKILL)
    own_world.serve()
    own_world.await_state("stopped", public, seconds=5)
    own_world.assert_silent(private, own_world.private(public))
    assert own_world.ping(INTERNET, address).received == 0
    own_world.ec2.start_instances(InstanceIds=[public])
    own_world.await_state("running", public)
    assert_alive(own_world, public, private)


@pytest.mark.parametrize("place, command", [
    ("SubnetId", ["ip", "route", "flush", "table", "main"]),
    ("SubnetId", ["ip", "link", "set", "fabric", "down"]),
    ("VpcId", ["ip", "link", "set", "fabric", "down"]),
    ("SubnetId", ["nft", "flush", "ruleset"]),
    ("gateway", ["nft", "flush", "ruleset"])])
def test_what_was_torn_meanwhile_is_mended(own_world, place, command):
    """A restart is load and reconcile."""
    public, private, _ = furnish(own_world)
    namespace = own_world.instance(public).get(place) or [
        name for name in namespaces() if name.startswith("igw-")][0]
    own_world.kill(signal.SIGKILL)
    subprocess.run(["ip", "netns", "exec", namespace, *command], check=True, env=environment())
    own_world.serve()
    assert_alive(own_world, public, private)


def test_the_machine_was_rebooted(own_world):
    """The state survives, the kernel's part is gone: networks come back, instances are stopped."""
    if isolation.INSIDE not in os.environ:
        pytest.skip("takes namespaces away: only inside namespaces of the suite's own")
    public, private, _ = furnish(own_world)
    inside = own_world.private(public)
    own_world.kill(signal.SIGKILL)
    for name in namespaces():
        for pid in own_world.pids(name):
            os.kill(pid, signal.SIGKILL)
    for name in namespaces():
        subprocess.run(["ip", "netns", "delete", name], check=True, env=environment())
    for name in set(listing("/run/minivpc")) - set(own_world.before.facts["run"]):
        subprocess.run(["umount", f"/run/minivpc/{name}/disks"], check=True, env=environment())
        shutil.rmtree(os.path.join("/run/minivpc", name))
    wait_for(lambda: orphans() == [], 5, "everything dead")
    own_world.serve()
    own_world.await_state("stopped", public, private, seconds=5)
    own_world.ec2.start_instances(InstanceIds=[public, private])
    own_world.await_state("running", public, private)
    assert own_world.private(public) == inside
    assert_alive(own_world, public, private)
    assert_kernel_agrees(own_world)


def test_verbs_start_the_daemon(own_world):
    public, private, _ = furnish(own_world)
    target, before = own_world.private(private), sorted(own_world.pids(public))
    own_world.kill(signal.SIGKILL)
    assert own_world.exec(public, "echo hello") == "hello\n"
    own_world.assert_reaches(public, target)
    assert public in own_world.run("ps").stdout
    found = own_world.aws("ec2", "describe-instances", "--instance-ids", public)
    assert found["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    assert sorted(own_world.pids(public)) == before


def test_a_kernel_failure_half_way_leaves_nothing(own_world):
    """No room for another name in /run/netns, somewhere among a hundred."""
    if isolation.INSIDE not in os.environ:
        pytest.skip("limits /run: only inside namespaces of the suite's own")
    subnet = own_world.subnet(own_world.open_vpc(), "10.0.0.0/24")
    witness, = own_world.run_instances(subnet)
    empty, before = links(subnet), api_state(own_world)
    disk = "/run/netns" if os.path.ismount("/run/netns") else "/run"
    used = os.statvfs(disk)
    inodes = used.f_files - used.f_ffree
    subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes + 50}", disk], check=True)
    try:
        with pytest.raises(ClientError) as caught:
            own_world.ec2.run_instances(ImageId=IMAGE, MinCount=100, MaxCount=100, SubnetId=subnet)
    finally:
        subprocess.run(["mount", "-o", "remount,nr_inodes=0", disk], check=True)
    error = Error(caught.value)
    assert error.status == 500 and "No space left on device" in error.message, error
    assert api_state(own_world) == before
    assert links(subnet) == empty
    wait_for(lambda: orphans() == [], 5, "no orphans")
    assert_kernel_agrees(own_world)
    fresh = own_world.run_instances(subnet, count=100)
    own_world.assert_reaches(fresh[99], own_world.private(witness))


def test_a_full_disk_is_an_error_and_nothing_else(make_world, scratch):
    disk = os.path.join(scratch, "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    try:
        world = make_world()
        world.state, world.log = os.path.join(disk, "world"), os.path.join(scratch, "disk.log")
        with world:
            vpc = world.open_vpc()
            filler = os.path.join(disk, "filler")
            with open(filler, "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            failures = 0
            for number in range(200):  # some room may be left inside SQLite's files
                before, known = api_state(world), sorted(namespaces())
                try:
                    world.subnet(vpc, f"10.0.{number}.0/24")
                except ClientError as caught:
                    failures += 1
                    assert Error(caught).status == 500, caught
                    assert api_state(world) == before and sorted(namespaces()) == known
                    if failures == 3:
                        break
            assert failures == 3
            os.unlink(filler)
            subnet = world.subnet(vpc, "10.0.255.0/24")
            one, = world.run_instances(subnet)
            world.assert_reaches(one, "10.0.255.1")
            world.restart()
            assert_kernel_agrees(world)
    finally:
        subprocess.run(["umount", disk], check=True)
        os.rmdir(disk)


MARKS = {"subnet": {"inet": "subnet", "arp": "subnet arp"}, "igw": {"ip": "internet gateway"}}


def ruleset(namespace):
    """Chains, and the maps and sets with what is in them; nft can't say all of the rules."""
    text = "".join(nft(namespace, "-s", "list", what) for what in ("chains", "maps", "sets"))
    return sorted(line.strip(" \t,") for line in text.splitlines() if "counter" not in line)


def nft(namespace, *words):
    return subprocess.run(["ip", "netns", "exec", namespace, "nft", *words], check=True,
                          capture_output=True, text=True, env=environment()).stdout


def age(namespace):
    """The tables become another version's, with other things in them, and nothing passes."""
    for family, mark in MARKS[namespace.split("-")[0]].items():
        table = f"{family} minivpc"
        hook = "input" if family == "arp" else "forward"
        nft(namespace, f'delete table {table}; add table {table} {{ comment "minivpc {mark} 0"; }};'
            f"add chain {table} wall {{ type filter hook {hook} priority 0; policy drop; }}")
        yield mark


def test_another_versions_tables_are_replaced(own_world):
    """A daemon that comes to a world of an older one lets it go on, filtered as it was."""
    public, private, _ = furnish(own_world)
    pids = {name: own_world.pids(name) for name in (public, private)}
    places = [name for name in namespaces() if not name.startswith(("i-", "vpc-", "internet"))]
    before = {name: ruleset(name) for name in places}
    own_world.kill()
    assert {mark for name in places for mark in age(name)} == {
        "subnet", "subnet arp", "internet gateway"}
    assert all(ruleset(name) != before[name] for name in places)
    # By a verb of ours a daemon would come back.
    silent = subprocess.run(["ip", "netns", "exec", public, "ping", "-n", "-c", "1", "-W", "1",
                             "198.18.0.10"], capture_output=True, check=False, env=environment())
    assert silent.returncode == 1
    own_world.serve()
    assert {name: ruleset(name) for name in places} == before
    assert {name: own_world.pids(name) for name in pids} == pids
    assert_alive(own_world, public, private)
    assert_kernel_agrees(own_world)
