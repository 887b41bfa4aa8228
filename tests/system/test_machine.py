"""An instance as a machine: its root, its disk, its tools."""
import os
import shlex
import shutil
import signal
import subprocess
import tempfile

import pytest

from lib import environment, wait_for

TEXT = "/etc/minivpc-test"


@pytest.fixture(scope="module")
def pair(world):
    """Two neighbours in one subnet."""
    vpc = world.open_vpc("10.7.0.0/16")
    return world.run_instances(world.subnet(vpc, "10.7.1.0/24"), count=2)


def fresh(world, pair):
    """One more beside them, for a test that breaks it."""
    return world.run_instances(world.instance(pair[0])["SubnetId"])[0]


def sh(world, place, line, **options):
    return world.exec(place, ["sh", "-c", line], **options)


def host_pid(world, place):
    return world.pids(place)[0]


def test_root_inside_is_nobody_outside(world, pair):
    assert sh(world, pair[0], "id -u; id -g") == "0\n0\n"
    sh(world, pair[0], f"echo x >{TEXT}; chown 1000:1001 {TEXT}")
    pid = host_pid(world, pair[0])
    with open(f"/proc/{pid}/uid_map", encoding="ascii") as file:
        inside, outside, count = map(int, file.read().split())
    assert inside == 0 and outside >= 1 << 30 and count == 65536
    status = os.stat(f"/proc/{pid}/root{TEXT}")
    assert (status.st_uid, status.st_gid) == (outside + 1000, outside + 1001)
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("Uid:"))
    assert set(line.split()[1:]) == {str(outside)}


@pytest.mark.parametrize("kind", ["user", "pid", "mnt", "net", "uts", "ipc", "cgroup"])
def test_namespaces_are_its_own(world, pair, kind):
    def identity(pid):
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    found = {identity("self"), *(identity(host_pid(world, place)) for place in pair)}
    assert len(found) == 3


def test_names(world, pair):
    address = world.private(pair[0])
    name = "ip-" + address.replace(".", "-")
    assert sh(world, pair[0], "hostname; cat /etc/hostname") == f"{name}\n" * 2
    assert f"{address} {name}\n" in sh(world, pair[0], "cat /etc/hosts")
    assert sh(world, pair[0], "getent hosts localhost").split()[0] in ("127.0.0.1", "::1")
    assert sh(world, pair[0], "grep -v '#' /etc/resolv.conf") == \
        "nameserver 10.7.0.2\nsearch ec2.internal\n"


def test_resolver_by_dhcp_options(world, pair):
    """Its own servers and domain; what changes comes with the next start."""
    ec2, vpc = world.ec2, world.instance(pair[0])["VpcId"]
    options = ec2.create_dhcp_options(DhcpConfigurations=[
        {"Key": "domain-name-servers", "Values": ["10.7.1.9", "AmazonProvidedDNS"]},
        {"Key": "domain-name", "Values": ["corp.example"]}])["DhcpOptions"]["DhcpOptionsId"]
    before = next(entry for entry in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"])["DhcpOptionsId"]
    instance = fresh(world, pair)
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    try:
        assert "corp" not in sh(world, instance, "cat /etc/resolv.conf")
        world.reboot(instance)
        assert sh(world, instance, "grep -v '#' /etc/resolv.conf") == \
            "nameserver 10.7.1.9\nnameserver 10.7.0.2\nsearch corp.example\n"
    finally:
        ec2.associate_dhcp_options(DhcpOptionsId=before, VpcId=vpc)
        ec2.delete_dhcp_options(DhcpOptionsId=options)


@pytest.mark.parametrize("line, wanted", [
    ("ip link add name br9 type bridge && ip link show br9 && ip link del br9", "br9"),
    ("nft add table inet mine && nft add chain inet mine in '{ type filter hook input "
     "priority 0; }' && nft list ruleset && nft delete table inet mine", "chain in"),
    ("ip addr add 192.0.2.1/32 dev lo && ping -c 1 -W 2 192.0.2.1; ip addr del 192.0.2.1/32 "
     "dev lo", "1 received"),
    ("sysctl -w net.ipv4.ip_forward=1 && sysctl -w net.ipv4.ip_forward=0", "= 1"),
    ("ip netns add x && nsenter --net=/run/netns/x ip link && ip netns del x", "lo:"),
    ("ip netns add x && ip netns exec x ls /sys/class/net && ip netns del x", "lo"),
    ("ip netns add x; ip netns add y; ip netns exec x ip netns exec y ip link; ip netns del x; "
     "ip netns del y", "lo:"),
    ("unshare --net --mount sh -c 'mount -t sysfs x /sys && ls /sys/class/net'", "lo\n"),
    ("cat /sys/class/net/eth0/operstate", "up"),
    ("mkdir -p /m && mount -t tmpfs x /m && umount /m && rmdir /m && echo fine", "fine"),
    ("unshare --user --map-root-user id -u", "0"),
    ("su postgres -s /bin/sh -c id 2>/dev/null || su nobody -s /bin/sh -c id", "uid="),
    ("python3 -c 'import multiprocessing; multiprocessing.Lock(); print(\"shm\")'", "shm"),
    ("script -qc tty /dev/null", "/dev/pts/")])
def test_tools(world, pair, line, wanted):
    assert wanted in sh(world, pair[0], line)


def test_capture(world, pair):
    """tcpdump and raw sockets, on its own card."""
    listener = world.spawn(pair[0], ["timeout", "10", "tcpdump", "-lni", "eth0", "-c", "1", "icmp"])
    try:
        wait_for(lambda: world.ping(pair[1], world.private(pair[0]), count=1).received and
                 listener.poll() is not None, 10, "a packet was captured")
        assert b"ICMP echo" in listener.stdout.read()
    finally:
        listener.kill()


def test_packages(world, pair, scratch):
    """apt-get install and remove, of a package that needs no network."""
    tree = os.path.join(scratch, "package")
    os.makedirs(os.path.join(tree, "DEBIAN"))
    os.makedirs(os.path.join(tree, "usr/bin"))
    with open(os.path.join(tree, "DEBIAN/control"), "w", encoding="ascii") as file:
        file.write("Package: minivpc-test\nVersion: 1\nArchitecture: all\n"
                   "Maintainer: x <x@example.org>\nDescription: x\n")
    with open(os.path.join(tree, "DEBIAN/postinst"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nset -e\nuseradd --system minivpc-tester\n"
                   "install -d -o minivpc-tester /var/lib/minivpc-tester\nldconfig\n")
    os.chmod(os.path.join(tree, "DEBIAN/postinst"), 0o755)
    with open(os.path.join(tree, "usr/bin/minivpc-tool"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nstat -c %U /var/lib/minivpc-tester\n")
    os.chmod(os.path.join(tree, "usr/bin/minivpc-tool"), 0o755)
    package = os.path.join(scratch, "minivpc-test_1_all.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, package], check=True,
                   capture_output=True, env=environment())
    world.run("cp", package, f"{pair[0]}:/var/tmp/x.deb")
    sh(world, pair[0], "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "
       "--allow-downgrades /var/tmp/x.deb")
    assert sh(world, pair[0], "minivpc-tool") == "minivpc-tester\n"
    assert not os.path.exists("/usr/bin/minivpc-tool")
    assert "minivpc-tester" not in sh(world, pair[1], "cat /etc/passwd")
    with open("/etc/passwd", encoding="utf-8") as file:
        assert "minivpc-tester" not in file.read()
    sh(world, pair[0], "dpkg --purge minivpc-test")


def listing(path):
    return sorted(entry.name for entry in os.scandir(path))


def test_rm_rf(world, pair):
    """The whole of it: the machine and the neighbour are as they were."""
    victim = fresh(world, pair)
    before = [listing(path) for path in ("/", "/etc", "/usr/bin")]
    neighbour = sh(world, pair[0], "ls -A / /etc /usr/bin")
    sh(world, victim, "rm -rf --no-preserve-root /etc /usr/bin /usr/sbin /home /opt /srv /var/lib",
       check=False)
    assert world.exec(victim, ["hostname"], check=False).returncode == 127
    assert [listing(path) for path in ("/", "/etc", "/usr/bin")] == before
    assert sh(world, pair[0], "ls -A / /etc /usr/bin") == neighbour
    world.ec2.terminate_instances(InstanceIds=[victim])


def test_disk_is_kept(own_world):
    """Over stop and start, reboot, and the daemon's end and death; not over termination."""
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    one, other = world.run_instances(subnet, count=2)

    def check(text):
        world.await_state("running", one)
        assert sh(world, one, f"cat {TEXT}; test -e /etc/motd.gone || echo gone") == \
            f"{text}\ngone\n"
        sh(world, one, f"echo {text}x >{TEXT}")
        assert sh(world, other, f"cat {TEXT}", check=False).returncode != 0
    sh(world, one, f"echo a >{TEXT}")
    world.ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    world.ec2.start_instances(InstanceIds=[one])
    check("a")
    world.reboot(one)
    check("ax")
    world.restart(signal.SIGKILL)
    check("axx")
    world.ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    world.restart(signal.SIGKILL)
    world.restart(signal.SIGTERM)
    world.ec2.start_instances(InstanceIds=[one])
    check("axxx")
    os.kill(host_pid(world, one), signal.SIGKILL)
    world.await_state("stopped", one)
    world.ec2.start_instances(InstanceIds=[one])
    check("axxxx")
    world.ec2.terminate_instances(InstanceIds=[one])
    world.await_state("terminated", one)
    wait_for(lambda: one not in disks() and other in disks(), 5, "its disk is gone")


def disks():
    """The ids of instances that have one, of all worlds."""
    launchers = subprocess.run(["pgrep", "-x", "launcher"], check=True, capture_output=True,
                               text=True, env=environment()).stdout.split()
    found = set()
    for pid in launchers:
        with open(f"/proc/{pid}/mountinfo", encoding="ascii") as file:
            points = (line.split()[4].split("/") for line in file)
            found.update(point[3] for point in points if point[1:3] == ["world", "disks"] and len(point) > 3)
    return found


def test_what_is_mounted_in_private_is_no_part_of_the_root(make_world):
    """And no hindrance: below a directory of mode 700, where no layer could be mounted."""
    private = tempfile.mkdtemp(dir="/var/tmp")
    point = os.path.join(private, "below", "mounted")
    os.makedirs(point)
    subprocess.run(["mount", "-t", "tmpfs", "x", point], check=True, env=environment())
    try:
        with make_world() as world:
            one, = world.run_instances(world.subnet(world.open_vpc(), "10.0.1.0/24"))
            world.await_state("running", one)
            assert sh(world, one, f"ls {point}", check=False).returncode != 0
            assert point not in sh(world, one, "cat /proc/mounts")
    finally:
        subprocess.run(["umount", point], check=True, env=environment())
        shutil.rmtree(private)


def test_full_disk(make_world):
    """Of the size that the daemon was told; hurts that instance only."""
    with make_world("--disk", "64M") as world:
        subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
        one, other = world.run_instances(subnet, count=2)
        assert int(sh(world, one, "df -B1M --output=size / | tail -1")) == 64
        done = sh(world, one, "head -c 70M /dev/zero >/full", check=False)
        assert "No space left" in done.stderr
        assert sh(world, other, "head -c 50M /dev/zero >/most && wc -c </most") == "52428800\n"
        world.assert_reaches(one, world.private(other))
        world.ec2.stop_instances(InstanceIds=[one])  # it starts and is mended
        world.await_state("stopped", one)
        world.ec2.start_instances(InstanceIds=[one])
        world.await_state("running", one)
        assert sh(world, one, "rm /full; echo x >/x; cat /x") == "x\n"


def test_cp(world, pair, scratch):
    """Both ways: a file under a new name, a directory, and into one that is there."""
    source = os.path.join(scratch, "to copy")
    os.makedirs(os.path.join(source, "inner"))
    with open(os.path.join(source, "inner", "file"), "w", encoding="ascii") as file:
        file.write("hello\n")
    quoted = shlex.quote
    world.run("cp", os.path.join(source, "inner", "file"), f"{pair[0]}:/var/tmp/new")
    assert sh(world, pair[0], "cat /var/tmp/new; stat -c %u /var/tmp/new") == "hello\n0\n"
    world.run("cp", source, f"{pair[0]}:/var/tmp")
    assert sh(world, pair[0], f"cat {quoted('/var/tmp/to copy/inner/file')}") == "hello\n"
    back = os.path.join(scratch, "back")
    world.run("cp", f"{pair[0]}:/var/tmp/to copy", back)
    assert listing(back) == ["inner"] and os.stat(back).st_uid == 0
    world.run("cp", f"{pair[0]}:/var/tmp/new", back)
    with open(os.path.join(back, "new"), encoding="ascii") as file:
        assert file.read() == "hello\n"
    for words in ([f"{pair[0]}:/no/such", back], ["/no/such", f"{pair[0]}:/"], [back, back],
                  [f"{pair[0]}:/etc", f"{pair[1]}:/etc"]):
        done = world.run("cp", *words, check=False)
        assert done.returncode == 1 and done.stderr, words


def test_shell(world, pair):
    """A login shell, in root's home."""
    done = subprocess.run(world.command("shell", pair[0]), input="pwd; hostname; exit 7\n",
                          capture_output=True, text=True, check=False, env=environment(),
                          timeout=20)
    assert done.returncode == 7
    assert done.stdout.split()[-2:] == ["/root", sh(world, pair[0], "hostname").strip()]


def test_internet_hosts_are_machines_too(world):
    sh(world, "internet", f"echo x >{TEXT}")
    assert sh(world, "internet", f"cat {TEXT}; id -u; cat /etc/hostname") == "x\n0\ninternet\n"
    assert not os.path.exists(TEXT)
