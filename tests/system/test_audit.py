"""What differs between the model and the kernel is told, exactly, and mended; then packets pass as before."""
import json
import os
import re
import signal
import subprocess

import pytest

from lib import INTERNET, environment, links, namespaces, read_line, tag_specification, wait_for

DIFFERS = 3
IMDS = ["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}",
        "http://169.254.169.254/latest/meta-data/"]


def netns(namespace, *command, check=True):
    done = subprocess.run(["ip", "netns", "exec", namespace, *command], capture_output=True,
                          text=True, check=False, env=environment())
    if check:
        assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def audit(world, *arguments):
    """Exit status, and what is told."""
    done = world.run("audit", *arguments, "-o", "json", check=False)
    assert done.returncode in (0, DIFFERS), done.stderr
    return done.returncode, json.loads(done.stdout)


def told(found):
    """Differences as tuples: resource, how, wanted or (unexpected) found."""
    return sorted((row["resourceId"], row["difference"], row["wanted"] or row["found"])
                  for row in found)


def assert_clean(world):
    status, found = audit(world)
    assert (status, found) == (0, []), found


class Scene:
    """A public and a private subnet with an instance each, and what is between them."""

    def __init__(self, world):
        self.world = world
        vpc = world.open_vpc(TagSpecifications=tag_specification("vpc", Name="audited"))
        self.front = world.subnet(vpc, "10.0.1.0/24")
        self.back = world.subnet(vpc, "10.0.2.0/24", "us-east-1b")
        self.gateway = world.gateway(vpc)
        world.route_table(vpc, self.front, self.gateway)
        self.vpc = vpc
        self.public, = world.run_instances(self.front, public=True)
        self.private, = world.run_instances(self.back)
        self.neighbour, = world.run_instances(self.front)
        self.addresses = {name: world.private(name)
                          for name in (self.public, self.private, self.neighbour)}
        self.addresses["public"] = world.public(self.public)
        self.internet, = [name for name in namespaces()
                          if re.fullmatch("internet-[0-9a-f]+", name)]
        self.fabric_mac = json.loads(
            netns(self.front, "ip", "-j", "link", "show", "fabric"))[0]["address"]
        self.eni = self.device(self.front, world.private(self.public))

    @staticmethod
    def device(subnet, address):
        return json.loads(netns(subnet, "ip", "-j", "route", "get", address))[0]["dev"]

    def assert_alive(self):
        world = self.world
        for place, address in ((self.public, self.addresses[self.private]),
                               (self.private, self.addresses[self.neighbour]),
                               (self.neighbour, self.addresses[self.public]),
                               (self.public, self.world.internet_address()),
                               (INTERNET, self.addresses["public"])):
            world.assert_reaches(place, address, count=1, wait=2)
        world.assert_silent(self.private, self.world.internet_address(), count=1, wait=0.3)
        assert world.exec(self.neighbour, IMDS) == "200", "instance metadata"

    def names(self):
        """What stands for a thing in the tables below."""
        return {"front": self.front, "back": self.back, "vpc": self.vpc, "igw": self.gateway,
                "internet": self.internet, "public": self.public, "eni": self.eni,
                "fabric": self.port(self.vpc, self.front), "fabric_mac": self.fabric_mac,
                "igw_device": self.port(self.internet, self.gateway)}

    @staticmethod
    def port(namespace, resource):
        """The end in the namespace of a thing's port, which is named for it."""
        found, = [name for name in links(namespace)
                  if resource.replace("-", "").startswith(name)]
        return found


@pytest.fixture(scope="module")
def made_scene(world):
    made = Scene(world)
    made.assert_alive()
    assert_clean(world)
    return made


@pytest.fixture
def scene(made_scene):
    """What one test leaves broken is not the next one's."""
    yield made_scene
    audit(made_scene.world, "--repair")


def test_nothing_differs(scene):
    assert scene.world.run("audit").stdout == "nothing differs\n"
    assert scene.world.run("audit", "--repair").stdout == "nothing differs\n"


# Where, what is done there, and what of it is told: how, and in words ("...": they go on).
BREAKS = [
    ("front", "ip route del 10.0.1.4/32", [("front", "missing", "route 10.0.1.4/32 dev {eni}")]),
    ("front", "ip route change 10.0.2.0/24 dev lo proto 77",
     [("front", "different", "route 10.0.2.0/24 via 10.0.2.1 dev fabric")]),
    ("front", "ip route add 10.0.1.99/32 dev {eni} proto 77",
     [("front", "unexpected", "route 10.0.1.99/32 dev {eni}")]),
    ("front", "ip route del blackhole 10.0.1.0/24",
     [("front", "missing", "route blackhole 10.0.1.0/24")]),
    ("front", "ip neigh del 10.0.1.4 dev {eni}",
     [("front", "missing", "neighbour 10.0.1.4 lladdr ... dev {eni}")]),
    ("front", "ip neigh change 10.0.1.4 dev {eni} lladdr 02:00:00:00:00:01 nud permanent",
     [("front", "different", "neighbour 10.0.1.4 lladdr ... dev {eni}")]),
    ("front", "ip address del 10.0.1.1/32 dev lo",
     [("front", "missing", "address 10.0.1.1/32 dev lo")]),
    ("front", "ip address add 10.0.1.250/32 dev lo",
     [("front", "unexpected", "address 10.0.1.250/32 dev lo")]),
    ("vpc", "bridge fdb del {fabric_mac} dev {fabric} master static",
     [("vpc", "missing", "fdb {fabric_mac} dev {fabric}")]),
    ("front", "sysctl -w net.ipv4.ip_forward=0",
     [("front", "different", "sysctl net/ipv4/ip_forward = 1"),
      ("front", "different", "sysctl net/ipv4/conf/all/accept_redirects = 0")]),  # the kernel's doing
    ("front", "sysctl -w net.ipv4.neigh.{eni}.proxy_delay=80",
     [("front", "different", "sysctl net/ipv4/neigh/{eni}/proxy_delay = 0")]),
    ("igw", "sysctl -w net.ipv4.conf.all.rp_filter=1",
     [("igw", "different", "sysctl net/ipv4/conf/all/rp_filter = 0")]),
    ("vpc", "ip link set {fabric} nomaster",
     [("vpc", "different", "veth {fabric} master fabric ..."),
      ("vpc", "missing", "fdb {fabric_mac} dev {fabric}")]),
    ("vpc", "ip link set {fabric} mtu 1400",
     [("vpc", "different", "veth {fabric} master fabric ...")]),
    ("front", "ip link set fabric address 02:00:00:00:00:02",
     None),  # the kernel forgets the neighbours, too
    ("front", "ip link set {eni} group 7", [("front", "different", "veth {eni} peer eth0 ...")]),
    ("front", "ip link add spare type bridge",
     [("front", "unexpected", "bridge spare (down)")]),
    ("igw", "nft flush chain ip minivpc inward", None),
    ("front", "nft flush chain inet minivpc forward",
     [("front", "different", "subnet skeleton")]),
    ("front", "nft add chain inet minivpc more", [("front", "different", "subnet skeleton")]),
    ("front", "nft insert rule inet minivpc forward accept",
     [("front", "different", "subnet skeleton")]),
    ("front", "nft delete element inet minivpc next_ttl {{ 64 }}",
     [("front", "different", "subnet skeleton")]),
    ("front", "nft flush map inet minivpc ports", None),
    ("front", "nft flush set inet minivpc sources", None),
    ("front", "nft flush ruleset", None),
    ("igw", "nft flush ruleset", None),
    ("front", "nft delete table arp minivpc", None),
    ("front", "ip route flush table main", None),
    ("back", "ip link set fabric down", None),
    ("back", "ip link set lo down", None),
    ("back", "ip link delete fabric", None),
    ("vpc", "ip link set fabric down", None),
    ("vpc", "ip link delete fabric", None),
    ("front", "ip link set {eni} down", None),
    ("front", "ip link delete {eni}", None),
    ("public", "ip link delete eth0", None),
    ("internet", "ip link delete {igw_device}", None),
]


def matches(text, pattern):
    """`...` stands for any words."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("...")), text)


@pytest.mark.parametrize("place, command, differences", BREAKS,
                         ids=[f"{place}: {command}" for place, command, _ in BREAKS])
def test_a_thing_that_was_changed_is_told_and_mended(scene, place, command, differences):
    world, known = scene.world, scene.names()
    netns(known[place], *command.format(**known).split())
    status, found = audit(world)
    assert status == DIFFERS and told(found)
    if differences is not None:
        wanted = sorted((known[where], how, text.format(**known))
                        for where, how, text in differences)
        assert len(found) == len(wanted), found
        for row, (where, how, text) in zip(told(found), wanted):
            assert row[:2] == (where, how) and matches(row[2], text), found
    status, mended = audit(world, "--repair")
    assert (status, told(mended)) == (0, told(found)), mended
    assert all(row["mended"] for row in mended)
    assert_clean(world)
    scene.assert_alive()


# Namespaces.

def inode(namespace):
    return os.stat(f"/run/netns/{namespace}").st_ino


MARK = "/proc/sys/net/ipv4/tcp_fin_timeout"  # each namespace has its own, and a new one 60


def mark(namespace):
    """So that it is known again: a new one may get the inode of one that is gone."""
    netns(namespace, "sh", "-c", f"echo 59 >{MARK}")


def is_marked(namespace):
    return netns(namespace, "cat", MARK) == "59\n"


NAMESPACES = ["front", "back", "vpc", "igw", "internet", "public"]


@pytest.mark.parametrize("place", NAMESPACES)
def test_a_namespace_that_lost_its_name_gets_it_back(scene, place):
    """It lives on meanwhile, packets too: the daemon holds it, or the instance's processes do."""
    name = scene.names()[place]
    before = inode(name)
    subprocess.run(["ip", "netns", "delete", name], check=True, env=environment())
    scene.assert_alive()
    status, found = audit(scene.world)
    assert (status, told(found)) == (DIFFERS, [(name, "missing", "network namespace")])
    status, mended = audit(scene.world, "--repair")
    assert (status, told(mended)) == (0, told(found))
    assert_clean(scene.world)
    assert inode(name) == before
    scene.assert_alive()


@pytest.mark.parametrize("place", NAMESPACES)
def test_a_name_that_leads_to_another_namespace_is_told_and_mended(scene, place):
    name = scene.names()[place]
    before = inode(name)
    for verb in ("delete", "add"):
        subprocess.run(["ip", "netns", verb, name], check=True, env=environment())
    status, found = audit(scene.world)
    assert (status, told(found)) == (DIFFERS, [(name, "different", "network namespace")])
    assert found[0]["found"] == "another network namespace"
    status, mended = audit(scene.world, "--repair")
    assert (status, told(mended)) == (0, told(found))
    assert_clean(scene.world)
    assert inode(name) == before
    scene.assert_alive()


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
@pytest.mark.parametrize("place", NAMESPACES)
def test_a_namespace_that_is_gone_is_rebuilt_at_start(scene, place, replaced):
    """Without a daemon nobody holds it: all that was in it goes too, and what leads to it."""
    world, name = scene.world, scene.names()[place]
    world.kill()
    mark(name)
    logged = world.log_size()
    for verb in ("delete", "add") if replaced else ("delete",):
        subprocess.run(["ip", "netns", verb, name], check=True, env=environment())
    world.serve()
    assert_clean(world)
    assert is_marked(name) == (place == "public")
    if not replaced or place == "public":
        assert f"reconciled: {name}: network namespace was " in world.log_since(logged)
    scene.assert_alive()


def test_all_namespaces_at_once(scene):
    world, known = scene.world, [scene.names()[place] for place in NAMESPACES]
    world.kill()
    for name in known:
        subprocess.run(["ip", "netns", "delete", name], check=True, env=environment())
    world.serve()
    assert_clean(world)
    scene.assert_alive()


def test_an_instance_gets_its_devices_back_as_they_were(scene):
    """Its subnet was rebuilt around it: the same address and MAC, and what it runs goes on."""
    world = scene.world
    before = world.exec(scene.public, "ip -br link show eth0").split()[2]
    sleeper = world.spawn(scene.public, ["sh", "-c", "echo here; exec sleep 1000"])
    assert read_line(sleeper, 5, "a process of the instance's") == "here"
    world.kill()
    subprocess.run(["ip", "netns", "delete", scene.front], check=True, env=environment())
    world.serve()
    assert world.exec(scene.public, "ip -br link show eth0").split()[2] == before
    assert "10.0.1.4/24" in world.exec(scene.public, "ip -br address show eth0")
    assert sleeper.poll() is None
    scene.assert_alive()


# What is whose.

def test_what_root_in_an_instance_does_is_its_own(scene):
    """Neither told nor undone, by a repair or at the next start."""
    world, guest = scene.world, scene.neighbour
    address = scene.addresses[guest]
    for command in ("ip address add 192.0.2.1/32 dev eth0", "ip link add own type bridge",
                    "ip link set own up", "ip route add 203.0.113.0/24 dev own",
                    "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent",
                    f"ip address del {address}/24 dev eth0", "ip link set eth0 mtu 1400",
                    "ip link set lo down"):
        world.exec(guest, command)

    def inside():
        return [world.exec(guest, f"ip {what}") for what in
                ("-br address", "route", "neigh show nud permanent", "-o link show eth0")]
    before, logged = inside(), world.log_size()
    assert_clean(world)
    world.restart()
    assert inside() == before
    assert "reconciled" not in world.log_since(logged)
    assert_clean(world)
    for command in ("ip address del 192.0.2.1/32 dev eth0", "ip link del own",
                    f"ip address add {address}/24 dev eth0", "ip link set lo up",
                    "ip link set eth0 mtu 9001",
                    "ip route replace default via 10.0.1.1 dev eth0"):
        world.exec(guest, command)
    scene.assert_alive()


def test_a_killed_init_is_an_instance_that_stops(scene):
    world = scene.world
    os.kill(world.init(scene.neighbour), signal.SIGKILL)
    world.await_state("stopped", scene.neighbour)
    assert_clean(world)
    world.ec2.start_instances(InstanceIds=[scene.neighbour])
    world.await_state("running", scene.neighbour)
    assert_clean(world)
    scene.assert_alive()


def test_a_restart_after_kill_finds_nothing(scene):
    scene.world.restart()
    assert_clean(scene.world)
    scene.assert_alive()


def test_what_is_somebody_elses_is_told_and_left_alone(scene):
    """In a namespace of ours, beside what is ours: packets obey it, and only who made it knows why."""
    world, front = scene.world, scene.front
    made = (("nft add table inet other", "nft delete table inet other",
             "nftables table inet other"),
            ("ip route add 203.0.113.0/24 dev lo", "ip route del 203.0.113.0/24",
             "route 203.0.113.0/24 dev lo table 254 protocol 3"),
            ("ip rule add fwmark 9 table 9 priority 9", "ip rule del priority 9",
             "rule priority 9 table 9"))
    for command, _, _ in made:
        netns(front, *command.split())
    wanted = sorted((front, "unexpected", text) for _, _, text in made)
    assert told(audit(world)[1]) == wanted
    status, found = audit(world, "--repair")
    assert (status, told(found)) == (DIFFERS, wanted)
    assert all((row["mended"], row["reason"]) == (False, "it bears no mark of minivpc's")
               for row in found)
    netns(front, "ip", "route", "del", "10.0.1.4/32")
    status, found = audit(world, "--repair")
    assert status == DIFFERS and len(found) == 4 and sum(row["mended"] for row in found) == 1
    world.restart()
    assert f"left alone: {front}: nftables table inet other" in world.log_tail()
    for _, command, _ in made:
        netns(front, *command.split())
    assert_clean(world)
    scene.assert_alive()


# What the daemon itself has in the namespaces.

def test_a_socket_that_was_ended_is_told_and_opened_again(scene):
    """The kernel lets root end anybody's."""
    world = scene.world
    netns(scene.front, "ss", "-K", "-l", "-t", "src", "169.254.169.254", "sport", "=", "80")
    listening = netns(scene.front, "ss", "-H", "-l", "-t", "-n", "src", "169.254.169.254")
    if listening.strip():
        pytest.skip("this kernel ends no sockets (CONFIG_INET_DIAG_DESTROY)")
    assert world.exec(scene.public, IMDS, check=False).returncode != 0
    status, found = audit(world)
    assert (status, told(found)) == (DIFFERS, [
        (scene.front, "missing", "socket of 169.254.169.254, tcp port 80")])
    wait_for(lambda: "somebody has ended the socket" in world.log_tail(), 5, "a word in the log")
    status, mended = audit(world, "--repair")
    assert (status, told(mended)) == (0, told(found)) and mended[0]["mended"]
    assert_clean(world)
    scene.assert_alive()


def test_the_mount_of_the_disks_is_told_and_mended(scene):
    """What is stopped has its disk there alone, and keeps it over the daemon's end."""
    world = scene.world
    world.exec(scene.neighbour, "touch /root/kept")
    place, = [f"/run/minivpc/{name}/disks" for name in os.listdir("/run/minivpc")
              if os.path.ismount(f"/run/minivpc/{name}/disks")]
    subprocess.run(["umount", place], check=True)
    status, found = audit(world)
    assert (status, [row["wanted"] for row in found]) == (DIFFERS, [f"mount {place} of the disks"])
    status, found = audit(world, "--repair")
    assert status == 0 and found[0]["mended"]
    assert_clean(world)
    world.ec2.stop_instances(InstanceIds=[scene.neighbour])
    world.await_state("stopped", scene.neighbour)
    world.restart()
    world.ec2.start_instances(InstanceIds=[scene.neighbour])
    world.await_state("running", scene.neighbour)
    assert world.exec(scene.neighbour, "ls /root/kept") == "/root/kept\n"
    scene.assert_alive()


def test_an_init_that_left_its_control_group_is_told_and_put_back(scene):
    world, init = scene.world, scene.world.init(scene.neighbour)

    def groups(pid):
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            return file.read()
    before = groups(init)
    if "/minivpc-" not in before:
        pytest.skip("no control groups for memory here")
    records = [f"/run/minivpc/{name}/limits" for name in os.listdir("/run/minivpc")]
    with open(records[0], encoding="ascii") as file:
        parent = os.path.dirname(file.read())
    with open(os.path.join(parent, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write(str(init))
    assert groups(init) != before
    status, found = audit(world)
    assert (status, told(found)) == (DIFFERS, [
        (scene.neighbour, "different", f"init, process {init}, in its control group")])
    status, found = audit(world, "--repair")
    assert status == 0 and found[0]["mended"]
    assert groups(init) == before
    assert_clean(world)


def test_an_instance_that_lost_its_name_and_ended_is_stopped_at_start(scene):
    """There is nothing to bring the name back to, and that keeps no daemon from starting."""
    world = scene.world
    init = world.init(scene.neighbour)
    world.kill()
    subprocess.run(["ip", "netns", "delete", scene.neighbour], check=True, env=environment())
    os.kill(init, signal.SIGKILL)
    world.serve()
    world.await_state("stopped", scene.neighbour)
    assert_clean(world)
    world.ec2.start_instances(InstanceIds=[scene.neighbour])
    world.await_state("running", scene.neighbour)
    scene.assert_alive()
