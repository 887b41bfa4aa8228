"""Memory within a limit: `serve --memory-limits`, where control groups allow."""
import glob
import os
import re
import shlex
import signal
import subprocess

import pytest

import lib
from lib import environment, wait_for

DISK, NANO, MICRO = 64, 512, 1024  # MiB
MIB = 1 << 20
LIMITS = ("memory.limit_in_bytes", "memory.max")  # of the two versions
KILLED = 128 + signal.SIGKILL
OPTIONS = ("--memory-limits", "--disk", f"{DISK}M")


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def group(world):
    """Where the groups of the world's instances are."""
    record, = (path for path in glob.glob("/run/minivpc/*/limits")
               if path not in world.before_limits)
    return read(record)


def groups(world):
    return {entry.name for entry in os.scandir(group(world)) if entry.is_dir()}


def limit(world, instance):
    path, = (found for name in LIMITS
             for found in glob.glob(os.path.join(group(world), instance, name)))
    return int(read(path)) // MIB


@pytest.fixture(scope="module")
def limited(make_world):
    before = set(glob.glob("/run/minivpc/*/limits"))
    with make_world(*OPTIONS) as world:
        refused = re.search(r"its memory is not limited: (.*)", world.log_tail())
        if refused:
            pytest.skip(f"control groups: {refused[1]}")
        assert "its memory is that of its type and that of its disk at most" in world.log_tail()
        world.before_limits = before
        yield world
        place = group(world)
    assert not os.path.exists(place)


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


def test_off_unless_wanted(make_world):
    with make_world() as world:
        subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
        instance = launch(world, subnet)
        assert "its memory is not limited (serve --memory-limits)" in world.log_tail()
        assert "minivpc-" not in read(f"/proc/{world.init(instance)}/cgroup")
        assert take(world, instance, NANO + 20) == 0


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
        assert "its memory is not limited: no control groups for memory are mounted" in \
            world.log_tail()
        assert world.ec2.describe_instances()["Reservations"] == []
