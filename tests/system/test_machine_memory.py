"""Memory within limits, where control groups allow: of all instances together, and
`serve --memory-limits` of each."""
import contextlib
import glob
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

import lib
from lib import World, environment, wait_for

DISK, NANO, MICRO = 64, 512, 1024  # MiB
SMALL = 400  # MiB, of all together where a test fills it
MIB = 1 << 20
LIMITS = ("memory.limit_in_bytes", "memory.max")  # of the two versions
KILLED = 128 + signal.SIGKILL
OPTIONS = ("--memory-limits", "--disk", f"{DISK}M")


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def records():
    """Where the worlds keep the places of their groups."""
    return set(glob.glob("/run/minivpc/*/limits"))


def group(world):
    """Where the groups of the world's instances are."""
    record, = world.records
    return read(record)


def groups(world):
    """Those of an instance each."""
    return {entry.name for entry in os.scandir(group(world))
            if entry.is_dir() and entry.name != "instances"}


def limit_of(path):
    """In MiB."""
    found, = (name for name in LIMITS if os.path.exists(os.path.join(path, name)))
    return int(read(os.path.join(path, found))) // MIB


def limit(world, instance):
    return limit_of(os.path.join(group(world), instance))


def members(path):
    with open(os.path.join(path, "cgroup.procs"), encoding="ascii") as file:
        return {int(line) for line in file}


@contextlib.contextmanager
def limited_world(make_world, *options):
    before = records()
    with make_world(*options) as world:
        refused = re.search(r"the memory of instances is not limited: (.*)", world.log_tail())
        if refused:
            pytest.skip(f"control groups: {refused[1]}")
        world.records = records() - before
        place = group(world)
        yield world
    assert not os.path.exists(place)


@pytest.fixture(scope="module")
def limited(make_world):
    with limited_world(make_world, *OPTIONS) as world:
        assert "the memory of its type and that of its disk at most" in world.log_tail()
        yield world


@pytest.fixture(scope="module")
def subnet(limited):
    return limited.subnet(limited.open_vpc(), "10.0.1.0/24")


def launch(world, subnet, kind="t3.nano", **more):
    made = world.ec2.run_instances(ImageId="ami-12345678", InstanceType=kind, MinCount=1, MaxCount=1,
                                   SubnetId=subnet, **more)["Instances"]
    world.await_state("running", made[0]["InstanceId"])
    return made[0]["InstanceId"]


@pytest.fixture
def instance(limited, subnet):
    identifier = launch(limited, subnet)
    yield identifier
    limited.ec2.terminate_instances(InstanceIds=[identifier])


def take(world, place, size):
    """So many MiB, touched: the exit status."""
    return world.exec(place, ["python3", "-c", f"bytearray({size} << 20)"], check=False).returncode


def test_more_is_refused(limited, subnet, instance):
    """Who asks for too much is killed, and nobody else: not its neighbours within, nor beside it."""
    neighbour = launch(limited, subnet)
    inits = [limited.init(one) for one in (instance, neighbour)]
    within = limited.spawn(instance, ["sh", "-c", "echo ready; sleep 1000"])
    assert within.stdout.readline() == b"ready\n"
    daemon = limited.daemon.pid
    for _ in range(3):
        assert take(limited, instance, NANO + DISK + 20) == KILLED
        assert take(limited, instance, NANO) == 0
    assert within.poll() is None
    assert [limited.init(one) for one in (instance, neighbour)] == inits
    assert limited.daemon.pid == daemon and limited.daemon.poll() is None
    assert take(limited, neighbour, NANO) == 0
    limited.ec2.terminate_instances(InstanceIds=[neighbour])


def test_many_processes_together(limited, instance):
    line = f"for n in 1 2 3 4 5 6; do python3 -c 'bytearray({NANO // 4} << 20); " \
           "import time; time.sleep(1)' & done; wait"
    limited.exec(instance, ["sh", "-c", line], check=False)
    path = os.path.join(group(limited), instance)
    peaks = [name for name in ("memory.max_usage_in_bytes", "memory.peak")
             if os.path.exists(os.path.join(path, name))]
    assert int(read(os.path.join(path, peaks[0]))) <= (NANO + DISK) * MIB
    assert limited.exec(instance, "echo alive") == "alive\n"


def test_the_disk_counts(limited, instance):
    size = NANO + DISK // 2
    assert take(limited, instance, size) == 0
    limited.exec(instance, ["sh", "-c", f"head -c {DISK - 4}M /dev/zero >/full"])
    assert take(limited, instance, size) == KILLED
    limited.exec(instance, "rm /full")
    assert take(limited, instance, size) == 0


def test_user_data_too(limited, subnet):
    instance = launch(limited, subnet,
                      UserData=f"#!/bin/sh\npython3 -c 'bytearray({NANO + DISK + 20} << 20)'\n"
                               "echo status $?\n")
    wait_for(lambda: f"status {KILLED}" in limited.ec2.get_console_output(
        InstanceId=instance).get("Output", ""), 10, "user data was killed")
    limited.ec2.terminate_instances(InstanceIds=[instance])


def test_by_type(limited, subnet, instance):
    other = launch(limited, subnet, "t3.micro")
    assert (limit(limited, instance), limit(limited, other)) == (NANO + DISK, MICRO + DISK)
    limited.ec2.stop_instances(InstanceIds=[other])
    limited.await_state("stopped", other)
    limited.ec2.modify_instance_attribute(InstanceId=other, InstanceType={"Value": "t3.nano"})
    limited.ec2.start_instances(InstanceIds=[other])
    limited.await_state("running", other)
    assert limit(limited, other) == NANO + DISK
    limited.reboot(other)
    assert take(limited, other, NANO + DISK + 20) == KILLED
    limited.ec2.terminate_instances(InstanceIds=[other])


def test_groups_come_and_go(limited, subnet):
    before = groups(limited)
    one, two = (launch(limited, subnet) for _ in range(2))
    assert groups(limited) == before | {one, two}
    limited.ec2.stop_instances(InstanceIds=[one])
    limited.await_state("stopped", one)
    assert groups(limited) == before | {two}
    os.kill(limited.init(two), signal.SIGKILL)
    limited.await_state("stopped", two)
    assert groups(limited) == before
    limited.ec2.start_instances(InstanceIds=[one, two])
    limited.await_state("running", one, two)
    init = limited.init(one)
    limited.kill(signal.SIGKILL)
    os.kill(init, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f"/proc/{init}"), 5, "its end")
    limited.serve()
    assert groups(limited) == before | {two}
    assert take(limited, two, NANO + DISK + 20) == KILLED
    limited.ec2.terminate_instances(InstanceIds=[one, two])
    limited.await_state("terminated", one, two)
    assert groups(limited) == before


def test_nothing_of_it_inside(limited, subnet, instance):
    """Neither its own limit can be changed there nor a neighbour's group be seen."""
    other = launch(limited, subnet)
    assert "minivpc-" not in limited.exec(instance, "cat /proc/self/cgroup /proc/1/cgroup")
    for options in ("-t cgroup -o memory", "-t cgroup2"):
        found = limited.exec(instance, ["sh", "-c", f"mount {options} x /mnt || exit 0; "
                                        f"for f in {' '.join(LIMITS)}; do "
                                        "[ -e /mnt/$f ] && echo 99999999999 >/mnt/$f; done; "
                                        "mkdir /mnt/x && echo 0 >/mnt/x/cgroup.procs; "
                                        "find /mnt -type d; umount /mnt"])
        assert other not in found and "minivpc-" not in found
    assert limit(limited, instance) == NANO + DISK
    assert take(limited, instance, NANO + DISK + 20) == KILLED
    limited.ec2.terminate_instances(InstanceIds=[other])


def test_together_by_default(make_world):
    """All instances of a world, and what runs in them, are in one group with a share of the
    machine's memory; the daemon is not."""
    with limited_world(make_world) as world:
        share, = re.findall(r"all instances together have (\d+) MiB of this machine's memory",
                            world.log_tail())
        assert "no limit of its own to its memory: serve --memory-limits" in world.log_tail()
        total = int(re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo"))[1]) // 1024
        assert limit_of(group(world)) == int(share) <= total * 0.8
        subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
        instance = launch(world, subnet)
        within = world.spawn(instance, ["sh", "-c", "echo ready; exec sleep 1000"])
        assert within.stdout.readline() == b"ready\n"
        assert not groups(world)
        place = os.path.join(group(world), "instances")
        assert world.init(instance) in members(place)
        assert "sleep\n" in {read(f"/proc/{pid}/comm") for pid in members(place)}
        assert world.daemon.pid not in members(place)
        assert take(world, instance, NANO + 20) == 0
        assert "minivpc-" not in world.exec(instance, "cat /proc/self/cgroup /proc/1/cgroup")


def test_together_no_more(make_world):
    """An instance takes more than there is for all: it is killed in there. The daemon, another
    world and a process of the machine's, which has more, are not."""
    with limited_world(make_world) as other:
        elsewhere = launch(other, other.subnet(other.open_vpc(), "10.0.1.0/24"))
        with limited_world(make_world, "--memory", f"{SMALL}M") as world:
            assert limit_of(group(world)) == SMALL
            subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
            greedy, modest = (launch(world, subnet) for _ in range(2))
            inits = [world.init(one) for one in (greedy, modest)]
            line = f"import time; x = bytearray({2 * SMALL} << 20); print('ready', flush=True); " \
                   "time.sleep(1000)"
            with subprocess.Popen([sys.executable, "-c", line], stdout=subprocess.PIPE) as machine:
                assert machine.stdout.readline() == b"ready\n"
                for _ in range(3):
                    assert take(world, greedy, SMALL + 20) == KILLED
                assert take(other, elsewhere, SMALL + 20) == 0
                assert machine.poll() is None
                machine.kill()
            assert [world.init(one) for one in (greedy, modest)] == inits
            assert world.daemon.poll() is None
            assert take(world, modest, SMALL // 2) == 0
            assert launch(world, subnet)


def test_together_over_restarts(make_world):
    """The limit is the newest daemon's; who is there stays where it is, also over a kill -9."""
    with limited_world(make_world, "--memory", f"{SMALL}M") as world:
        subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
        first = launch(world, subnet)
        place = os.path.join(group(world), "instances")
        for size in 2 * SMALL, SMALL // 2:
            world.arguments = ("--memory", f"{size}M")
            world.restart()
            assert limit_of(group(world)) == size
            assert world.init(first) in members(place)
            assert take(world, first, size + 20) == KILLED
        world.arguments = ("--memory", "none")
        world.restart()
        assert "the memory of instances is not limited: serve --memory none" in world.log_tail()
        second = launch(world, subnet)
        assert world.init(second) not in members(place)
        assert take(world, first, 2 * SMALL) == take(world, second, 2 * SMALL) == 0
        world.ec2.terminate_instances(InstanceIds=[first])
        world.await_state("terminated", first)
        world.arguments = ("--memory", f"{SMALL}M", *OPTIONS)
        world.restart()
        third = launch(world, subnet)
        assert groups(world) == {third}
        assert take(world, third, SMALL + 20) == KILLED  # the smaller of the two


def test_a_daemon_that_never_was(make_world, scratch):
    """It couldn't listen: no group is left of it. Beside its own, others' come and go."""
    never = os.path.join(scratch, "never")
    with limited_world(make_world) as world:
        before = records()
        with World(never):
            record, = records() - before
            place = read(record)
        assert os.path.dirname(place) == os.path.dirname(group(world))
        assert not os.path.exists(place)
        failed = subprocess.run([lib.BINARY, "serve", "--state", never,
                                 "--listen", world.url.removeprefix("http://")],
                                check=False, capture_output=True, env=environment())
        assert failed.returncode == 1 and b"in use" in failed.stderr
        assert not os.path.exists(place) and records() == before


def test_the_machine_is_spared(world):
    """Out of memory itself, it looks for some in instances first."""
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    instance = launch(world, subnet, UserData="#!/bin/sh\ncat /proc/self/oom_score_adj\n")
    wait_for(lambda: world.ec2.get_console_output(InstanceId=instance).get("Output") == "500\n", 10,
             "user data is a candidate")
    assert world.exec(instance, "cat /proc/self/oom_score_adj /proc/1/oom_score_adj") == "500\n500\n"
    lower = "echo 499 >/proc/self/oom_score_adj"
    capabilities = re.search(r"^CapEff:\s*(\w+)", read("/proc/self/status"), re.MULTILINE)[1]
    if int(capabilities, 16) & 1 << 24:  # CAP_SYS_RESOURCE: what it sets binds others
        assert world.exec(instance, ["sh", "-c", lower], check=False).returncode != 0
    assert int(read(f"/proc/{world.daemon.pid}/oom_score_adj")) < 500


def test_where_there_are_none(make_world, scratch, monkeypatch):
    """The daemon says so, and goes on without."""
    hide = "mount --make-rprivate /sys && umount -R /sys/fs/cgroup"
    unshare = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c"]
    if subprocess.run([*unshare, hide], check=False, env=environment(),
                      capture_output=True).returncode:
        pytest.skip("/sys/fs/cgroup can't be hidden")
    wrapper = os.path.join(scratch, "without-groups")
    with open(wrapper, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nexec {shlex.join([*unshare, hide])}' && exec \"$0\" \"$@\"' "
                   f"{lib.BINARY} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    monkeypatch.setattr(lib, "BINARY", wrapper)
    with make_world(*OPTIONS) as world:
        assert "the memory of instances is not limited: no control groups for memory are mounted" \
            in world.log_tail()
        assert "no limit of its own to its memory: no control groups" in world.log_tail()
        assert world.ec2.describe_instances()["Reservations"] == []
