"""Hosts of the simulated Internet: who reaches whom, their names and addresses, their life."""
import json
import os
import signal
import types

import pytest

from lib import INTERNET, namespaces, orphans, read_line, wait_for

PUBLIC = {"dns": "8.8.8.8", "lab": "203.0.113.7"}


def place(name):
    return f"{INTERNET}:{name}"


def create(world, name, *arguments):
    return world.run("internet create", name, *arguments).stdout.strip()


def listed(world):
    """name -> [address, state]"""
    hosts = json.loads(world.run("internet list", "-o", "json").stdout)
    assert all(set(host) == {"name", "address", "state"} for host in hosts)
    return {host["name"]: [host["address"], host["state"]] for host in hosts}


@pytest.fixture(scope="module")
def lab(world):
    vpc = world.open_vpc()
    subnet, inner = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    public, other = world.run_instances(subnet, count=2, public=True)
    private, = world.run_instances(inner)
    addresses = {"web": create(world, "web")}
    for name, address in PUBLIC.items():
        addresses[name] = create(world, name, "--address", address)
        assert addresses[name] == address
    return types.SimpleNamespace(
        public=public, other=other, private=private, addresses=addresses,
        public_address=world.public(public))


def test_the_next_address_is_the_default(lab):
    assert lab.addresses["web"] == "198.18.0.11"


def test_a_host_has_its_name_and_its_address_alone(world, lab):
    for name, address in lab.addresses.items():
        assert world.exec(place(name), "hostname").strip() == name
        assert f"inet {address}/32 " in world.exec(place(name), "ip -4 address show dev eth0")
        assert world.run("internet address", name).stdout == address + "\n"
    assert world.internet("hostname").strip() == INTERNET


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("name", ["web", *PUBLIC])
def test_hosts_and_public_instances_reach_one_another(world, lab, name, kind):
    here, host = place(name), lab.addresses[name]
    assert world.talk(here, lab.public, host, kind) == {
        "server_saw": lab.public_address, "client_saw": host,
        "client_is": world.private(lab.public)}
    assert world.talk(lab.public, here, lab.public_address, kind) == {
        "server_saw": host, "client_saw": lab.public_address, "client_is": host}
    own = world.internet_address()
    assert world.talk(here, INTERNET, host, kind) == {
        "server_saw": own, "client_saw": host, "client_is": own}


def test_hosts_reach_one_another(world, lab):
    everyone = {**lab.addresses, "internet": world.internet_address()}
    for name in lab.addresses:
        for address in everyone.values():
            world.assert_reaches(place(name), address, count=1)


@pytest.mark.parametrize("address", [
    "10.0.1.4", "10.0.2.4", "172.31.0.4", "192.168.0.1", "100.64.0.1", "169.254.0.1",
    "169.254.0.2", "198.18.0.200", "198.18.200.1", "1.1.1.1", "203.0.113.8", "10.0.1.1"])
def test_hosts_reach_nothing_else(world, lab, address):
    assert lab
    world.assert_silent(place("lab"), address, count=1, wait=0.3)


def test_a_private_instance_reaches_no_host(world, lab):
    for address in lab.addresses.values():
        world.assert_silent(lab.private, address, count=1, wait=0.3)


def test_a_group_can_name_one_host(world, lab):
    group = world.security_group(world.instance(lab.other)["VpcId"], "one-host")
    world.ec2.modify_instance_attribute(InstanceId=lab.other, Groups=[group])
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1,
         "IpRanges": [{"CidrIp": PUBLIC["lab"] + "/32"}]}])
    address = world.public(lab.other)
    world.assert_reaches(place("lab"), address, count=1)
    world.assert_silent(place("dns"), address, count=1)


def test_list(world, lab):
    wanted = {INTERNET: [world.internet_address(), "running"],
              **{name: [address, "running"] for name, address in lab.addresses.items()}}
    assert listed(world) == wanted
    for verb in ("internet list", "internet ps"):
        header, *lines = world.run(verb).stdout.splitlines()
        assert header.split() == ["NAME", "ADDRESS", "STATE"]
        assert {line.split()[0]: line.split()[1:] for line in lines} == wanted


@pytest.mark.parametrize("arguments, about", [
    (["web"], "There is an Internet host 'web' already"),
    (["internet"], "There is an Internet host 'internet' already"),
    (["a.b"], "'a.b' is no name for a host"), (["-", "--address", "8.8.4.4"], "'-' is no name"),
    (["x", "--address", "8.8.8.8"], "that of the Internet host 'dns'"),
    (["x", "--address", "198.18.0.10"], "that of the Internet host 'internet'"),
    (["x", "--address", "10.0.0.1"], "private"),
    (["x", "--address", "169.254.169.254"], "link-local"),
    (["x", "--address", "127.0.0.1"], "loopback"),
    (["x", "--address", "224.0.0.1"], "multicast"),
    (["x", "--address", "100.64.0.1"], "shared"), (["x", "--address", "198.18.0.1"], "router"),
    (["x", "--address", "198.18.1.0"], "pool for instances")])
def test_refused(world, lab, arguments, about):
    before = listed(world), namespaces()
    done = world.run("internet create", *arguments, check=False)
    assert (done.returncode, done.stdout) == (1, "") and lab
    assert about in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert (listed(world), namespaces()) == before


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("verb, arguments", [
    ("internet exec", ["nobody", "--", "true"]), ("internet address", ["nobody"]),
    ("internet delete", ["nobody"])])
def test_no_such_host(world, verb, arguments):
    done = world.run(verb, *arguments, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert "There is no Internet host 'nobody'" in done.stderr


def test_the_worlds_own_host_stays(world):
    done = world.run("internet delete", INTERNET, check=False)
    assert done.returncode == 1 and "the world's own" in done.stderr
    assert world.internet("hostname").strip() == INTERNET


def test_a_deleted_host_is_gone(world, lab):
    before = namespaces()
    address = create(world, "brief")
    new, = set(namespaces()) - set(before)
    assert new.startswith("internet-host-") and world.pids(new)
    world.spawn(place("brief"), "sleep 1000")
    world.assert_reaches(lab.public, address, count=1)
    assert world.run("internet delete", "brief").stdout == ""
    assert namespaces() == before and orphans() == []
    assert "brief" not in listed(world)
    world.assert_silent(lab.public, address, count=1)
    assert create(world, "brief") == address  # name and address are free
    world.assert_reaches(lab.public, address, count=1)
    world.run("internet delete", "brief")


def test_hosts_survive_the_daemon(own_world):
    world = own_world
    address = create(world, "web")
    create(world, "dns", "--address", "8.8.8.8")
    before, found = listed(world), sorted(namespaces())
    pids = {name: world.pids(name) for name in found}
    pinging = world.spawn(place("web"), "ping -n -i 0.05 -c 40 -W 1 8.8.8.8")
    read_line(pinging, 5, "ping")  # started, or it would start a daemon of its own
    for how in (signal.SIGKILL, signal.SIGTERM):
        world.restart(how)
    assert b"40 packets transmitted, 40 received" in pinging.stdout.read()
    assert (listed(world), sorted(namespaces())) == (before, found)
    assert {name: [pid for pid in world.pids(name) if pid in pids[name]] for name in found} == pids
    world.assert_reaches(place("dns"), address)
    world.assert_reaches(place("web"), world.internet_address())
    assert "mended" not in world.log_tail()


def test_a_host_that_ended_comes_back_when_needed(own_world):
    world = own_world
    before = namespaces()
    address = create(world, "web")
    new = [name for name in set(namespaces()) - set(before) if name.startswith("internet-host-")]
    assert len(new) == 2  # the world's own is made with the first need
    for pid in [pid for name in new for pid in world.pids(name)]:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: listed(world) == {INTERNET: ["198.18.0.10", "stopped"],
                                       "web": [address, "stopped"]}, 5, "both stopped")
    assert world.run("internet address", "web").stdout.strip() == address
    assert {state for _, state in listed(world).values()} == {"running"}
    world.assert_reaches(place("web"), world.internet_address())
