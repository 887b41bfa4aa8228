"""How an instance ends: asked to, by itself, or by force; and what it says of it."""
import os
import re
import shutil
import signal
import time

import pytest

from lib import alive, wait_for

USER = "Client.UserInitiatedShutdown", "User initiated shutdown"
ITSELF = "Client.InstanceInitiatedShutdown", "Instance initiated shutdown"
CRASH = "Server.InternalError", "Internal error"
LOG = "/var/log/cloud-init-output.log"

POWER_OFF = ["kill -TERM 1", "kill -PWR 1", "kill -RTMIN+4 1", "poweroff", "halt", "shutdown -h now",
             "busybox poweroff", "poweroff -ff"]
OFF = "poweroff" if shutil.which("poweroff") else "kill -PWR 1"
REBOOT = ["kill -INT 1", "kill -RTMIN+5 1", "reboot", "shutdown -r now", "reboot -ff"]

# It writes down when it was asked to end, and does so after a while.
TIDY = """
import signal, sys, time
def end(*_):
    time.sleep(0.3)
    open("/root/tidy", "a").write("tidy\\n")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True: time.sleep(1000)
"""


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.open_vpc("10.9.0.0/16"), "10.9.1.0/24")


@pytest.fixture
def instance(world, subnet):
    identifier, = world.run_instances(subnet)
    yield identifier
    world.ec2.terminate_instances(InstanceIds=[identifier])
    world.await_state("terminated", identifier)


@pytest.fixture
def fleeting(world, subnet):
    """One that is terminated when it shuts down."""
    identifier, = world.run_instances(subnet, InstanceInitiatedShutdownBehavior="terminate")
    return identifier


def asks(lines):
    """Those that the machine has a tool for; the others are skipped, by their names."""
    return [pytest.param(line, marks=[] if shutil.which(line.split()[0]) else pytest.mark.skip(
        reason=f"there is no {line.split()[0]}")) for line in lines]


def sh(world, place, line):
    return world.exec(place, ["sh", "-c", line], check=False)


def assert_reason(world, instance, reason):
    code, text = reason
    described = world.instance(instance)
    assert described["StateReason"] == {"Code": code, "Message": f"{code}: {text}"}
    transition = described.get("StateTransitionReason", "")
    if reason is USER:
        assert re.fullmatch(r"User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)", transition)
    else:
        assert transition == ("" if reason is ITSELF else code)


def start(world, instance):
    world.ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert "StateReason" not in world.instance(instance)


def is_tidy(world, instance):
    return world.exec(instance, "cat /root/tidy").count("tidy")


def tidy(world, instance):
    """A process that needs a moment to end, started."""
    process = world.spawn(instance, ["python3", "-uc", TIDY])
    assert process.stdout.readline() == b"ready\n"


def test_stop_is_orderly(world, instance):
    tidy(world, instance)
    world.ec2.stop_instances(InstanceIds=[instance])
    assert world.instance(instance)["State"]["Name"] == "stopping"
    world.await_state("stopped", instance)
    assert_reason(world, instance, USER)
    start(world, instance)
    assert is_tidy(world, instance) == 1
    assert sh(world, instance, f"cat {LOG}").stdout == ""


def test_stop_ends_what_would_not(world, instance):
    """Within init's patience, and it is told at the console."""
    stubborn = world.spawn(instance, ["sh", "-c", "trap '' TERM HUP; echo ready; "
                                      "while :; do sleep 1; done"])
    assert stubborn.stdout.readline() == b"ready\n"
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance, seconds=15)
    stubborn.wait(5)
    assert_reason(world, instance, USER)
    console = world.ec2.get_console_output(InstanceId=instance)["Output"]
    assert console == "init: killing processes that don't end\n"


@pytest.mark.parametrize("line", asks(POWER_OFF))
def test_power_off_from_inside(world, instance, line):
    sh(world, instance, line)
    world.await_state("stopped", instance)
    assert_reason(world, instance, ITSELF)
    start(world, instance)
    assert world.exec(instance, "echo alive") == "alive\n"


def test_power_off_from_inside_is_orderly(world, instance):
    tidy(world, instance)
    sh(world, instance, OFF)
    world.await_state("stopped", instance)
    start(world, instance)
    assert is_tidy(world, instance) == 1


@pytest.mark.parametrize("line", asks(REBOOT))
def test_reboot_from_inside(world, instance, line):
    """It runs all the time, as far as the API knows; with the same addresses and disk."""
    before = world.instance(instance)
    sh(world, instance, "echo kept >/root/kept")
    world.reboot(instance, lambda: sh(world, instance, line))
    assert world.instance(instance) == before
    assert world.exec(instance, "cat /root/kept") == "kept\n"
    world.assert_reaches(instance, "10.9.1.1")


def test_reboot_is_orderly(world, instance):
    tidy(world, instance)
    world.ec2.reboot_instances(InstanceIds=[instance])
    world.ec2.reboot_instances(InstanceIds=[instance])  # it is at it
    assert world.instance(instance)["State"]["Name"] == "running"
    wait_for(lambda: sh(world, instance, "test -s /root/tidy").returncode == 0, 10, "rebooted")
    wait_for(lambda: world.init(instance), 10, "its init")


def test_a_command_waits_for_a_reboot(world, instance):
    """It runs in the machine that was started again, not in the one that ends."""
    tidy(world, instance)
    world.ec2.reboot_instances(InstanceIds=[instance])
    assert is_tidy(world, instance) == 1


def test_a_command_meets_an_end(world, instance):
    """One that begins while the init goes, before the daemon knows: it finds the next one."""
    for _ in range(40):
        os.kill(wait_for(lambda: world.init(instance), 10, "its init"), signal.SIGINT)
        done = sh(world, instance, "echo here")
        assert (done.returncode, done.stderr) == (0, "") or done.returncode > 128, done


def test_a_stop_overtakes_a_reboot(world, instance):
    tidy(world, instance)
    world.ec2.reboot_instances(InstanceIds=[instance])
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    assert_reason(world, instance, USER)
    time.sleep(0.3)
    assert world.instance(instance)["State"]["Name"] == "stopped"


def test_terminates_where_asked(world, fleeting):
    sh(world, fleeting, OFF)
    world.await_state("terminated", fleeting, seconds=5)
    assert_reason(world, fleeting, ITSELF)


def test_a_crash(world, instance):
    os.kill(world.init(instance), signal.SIGKILL)
    world.await_state("stopped", instance, seconds=5)
    assert_reason(world, instance, CRASH)
    start(world, instance)
    world.assert_reaches(instance, "10.9.1.1")


def test_a_crash_does_not_terminate(world, fleeting):
    os.kill(world.init(fleeting), signal.SIGKILL)
    world.await_state("stopped", fleeting, seconds=5)
    assert_reason(world, fleeting, CRASH)
    world.ec2.terminate_instances(InstanceIds=[fleeting])
    world.await_state("terminated", fleeting)


@pytest.mark.parametrize("line", ["kill -TERM $$", "kill -SEGV 1", "kill -KILL 1", "kill -HUP 1",
                                  "echo junk >/run/initctl", "head -c 4096 /dev/urandom "
                                  ">/run/initctl", "rm /run/initctl"])
def test_what_does_not_end_it(world, instance, line):
    before = world.init(instance)
    sh(world, instance, line)
    assert world.exec(instance, "echo alive") == "alive\n"
    assert world.init(instance) == before
    sh(world, instance, "kill -TERM 1")
    world.await_state("stopped", instance)


ENDS = {OFF: ("stopped", ITSELF), "kill -TERM 1": ("stopped", ITSELF), None: ("stopped", CRASH)}


@pytest.mark.parametrize("line", ENDS)
@pytest.mark.parametrize("when", ["while the daemon is away", "under the next daemon"])
def test_other_daemons(world, instance, fleeting, line, when):
    """The daemon that launched it isn't the one that is told of its end. A shell that forks while
    it blocks signals may have a child that was never asked to end: nothing is forked here."""
    state, reason = ENDS[line]
    if when == "under the next daemon":
        world.restart(signal.SIGKILL)
    inits = {one: world.init(one) for one in (instance, fleeting)}
    processes = [world.spawn(one, ["sh", "-c", f"echo ready; read x; {line or 'exit'}; exec sleep 100"],
                             stdin=-1) for one in inits]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    if when == "while the daemon is away":
        world.kill(signal.SIGKILL)
    for process, init in zip(processes, inits.values()):
        if line:
            process.stdin.write(b"\n")
        else:
            os.kill(init, signal.SIGKILL)
        process.wait(10)
        process.stdin.close()
    wait_for(lambda: not any(map(alive, inits.values())), 10, "ends")
    if when == "while the daemon is away":
        world.serve()
    world.await_state(state, instance)
    assert_reason(world, instance, reason)
    world.await_state("terminated" if reason is ITSELF else "stopped", fleeting)
    assert_reason(world, fleeting, reason)
    start(world, instance)
    world.ec2.terminate_instances(InstanceIds=[fleeting])


def test_an_end_is_told_once(world, instance):
    """It was shut down and started; when it crashes that isn't a shutdown."""
    sh(world, instance, OFF)
    world.await_state("stopped", instance)
    start(world, instance)
    init = world.init(instance)
    world.kill(signal.SIGKILL)
    os.kill(init, signal.SIGKILL)
    world.serve()
    world.await_state("stopped", instance)
    assert_reason(world, instance, CRASH)


@pytest.mark.parametrize("when", ["while the daemon is away", "under the next daemon"])
def test_reboot_and_other_daemons(world, instance, when):
    before = world.instance(instance)
    if when == "under the next daemon":
        world.restart(signal.SIGKILL)
        world.reboot(instance, lambda: sh(world, instance, "kill -INT 1"))
    else:
        init = world.init(instance)
        process = world.spawn(instance, ["sh", "-c", "echo ready; read x; kill -INT 1; exec sleep 9"], stdin=-1)
        assert process.stdout.readline() == b"ready\n"
        world.kill(signal.SIGKILL)
        process.stdin.write(b"\n")
        process.stdin.close()
        wait_for(lambda: not alive(init), 10, "its end")
        world.serve()
        assert world.init(instance) not in (None, init)
    assert world.instance(instance) == before
    world.assert_reaches(instance, "10.9.1.1")
