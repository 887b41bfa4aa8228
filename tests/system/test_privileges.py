"""What the daemon, its helpers and instances may do: as the kernel has it of each process."""
import os
import re

import pytest

import lib
from lib import wait_for

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/sys/kernel/seccomp"),
                                reason="no CONFIG_SECCOMP_FILTER")

# As /usr/include/linux/capability.h numbers them.
KEPT = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6,
        "SETUID": 7, "SETPCAP": 8, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "SYS_CHROOT": 18,
        "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_RESOURCE": 24, "MKNOD": 27, "SETFCAP": 31}
LAUNCHER = KEPT.keys() - {"KILL", "NET_BIND_SERVICE", "NET_ADMIN", "SYS_PTRACE", "MKNOD"}
TAR = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP"}
SETS = ("CapPrm", "CapEff", "CapBnd")
FILTER = "2"


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(re.findall(r"^(\w+):\s+(.*?)$", file.read(), re.MULTILINE))


def bits(names):
    """Those of them that the machine's own root has: a container may lack some."""
    return sum(1 << KEPT[name] for name in names) & int(status("self")["CapBnd"], 16)


def assert_has(pid, names):
    found = status(pid)
    for which in SETS:
        assert int(found[which], 16) == bits(names), (which, found[which])
    assert int(found["CapInh"], 16) == int(found["CapAmb"], 16) == 0
    assert found["Seccomp"] == FILTER
    return found


def offspring(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return {status(int(child))["Name"]: int(child) for child in file.read().split()}


@pytest.fixture(scope="module", name="instance")
def fixture_instance(world):
    """One that looks at itself when it boots."""
    script = ("#!/bin/sh\ngrep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status\n"
              "cp /usr/bin/id /usr/local/bin/other && chown 1000 /usr/local/bin/other && "
              "chmod 4755 /usr/local/bin/other && /usr/local/bin/other -un 2>/dev/null\n"
              "python3 -c \"import ctypes; print(ctypes.CDLL(None).ptrace(0, 0, 0, 0))\"\n"
              "echo end\n")
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    return world.run_instances(subnet, UserData=script)[0]


def test_the_daemon(world):
    found = assert_has(world.daemon.pid, KEPT)
    # It would be its instances', and keep sudo and ping from working there.
    assert found["NoNewPrivs"] == "0"


def test_it_says_nothing_of_it_where_all_is_well(world):
    assert "given up" not in world.log_tail() and "filter" not in world.log_tail()


def test_the_launcher(world, instance):  # pylint: disable=unused-argument
    assert_has(offspring(world.daemon.pid)["launcher"], LAUNCHER)


def test_a_second_launcher_is_held_to_the_same(world, instance):
    first = offspring(world.daemon.pid)["launcher"]
    os.kill(first, 9)
    wait_for(lambda: status(first)["State"].startswith("Z"), 10, "the first is dead")
    other, = world.run_instances(world.instance(instance)["SubnetId"])
    second = offspring(world.daemon.pid)["launcher"]
    assert second != first
    assert_has(second, LAUNCHER)
    assert status(world.init(other))["NoNewPrivs"] == "0"


def test_instances_have_everything_over_what_is_theirs(world, instance):
    """A user namespace begins with all capabilities, and programs may gain some."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        everything = f"{(2 << int(file.read())) - 1:016x}"
    found = status(world.init(instance))
    assert {found[which] for which in SETS} == {everything}
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("0", FILTER)

    def said():
        return world.ec2.get_console_output(InstanceId=instance).get("Output", "")
    lines = wait_for(lambda: said().endswith("end\n") and said(), 20, "user data").splitlines()
    assert [line.split()[-1] for line in lines] == [
        everything, everything, "0", FILTER, lines[4], "0", "end"]
    assert lines[4] in ("1000", world.exec(instance, ["id", "-un", "1000"],
                                           check=False).stdout.strip()), lines


def test_who_unpacks_an_image(world, tmp_path):
    archive = str(tmp_path / "archive")
    os.mkfifo(archive)
    keep = os.open(archive, os.O_RDWR)  # it never ends
    try:
        image = world.ec2.register_image(Name="endless", ImageLocation=f"file://{archive}")["ImageId"]
        pid = wait_for(lambda: offspring(world.daemon.pid).get("tar"), 10, "tar is at work")
        assert assert_has(pid, TAR)["NoNewPrivs"] == "1"
        for kind in ("net", "pid", "mnt", "ipc"):
            assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
    finally:
        os.close(keep)
    world.ec2.deregister_image(ImageId=image)


def test_no_more_after_a_restart(own_world):
    own_world.restart()
    assert_has(own_world.daemon.pid, KEPT)


def test_what_cannot_be_given_up_is_told(make_world, scratch, monkeypatch):
    """Without CAP_SETPCAP the bounding set stays; what it uses itself is as little as ever."""
    wrapper = os.path.join(scratch, "without-setpcap")
    with open(wrapper, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nexec setpriv --bounding-set -setpcap {lib.BINARY} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    monkeypatch.setattr(lib, "BINARY", wrapper)
    with make_world() as world:
        assert "error not all capabilities can be given up: Operation not permitted" \
            in world.log_tail()
        assert int(status(world.daemon.pid)["CapPrm"], 16) == bits(KEPT.keys() - {"SETPCAP"})
