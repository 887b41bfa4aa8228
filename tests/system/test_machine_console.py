"""What an instance says at its console: GetConsoleOutput and `minivpc logs`."""
import base64
import signal
import subprocess
import time

import pytest

from lib import IMAGE, names, read_line, refused, wait_for

LOG = "/var/log/cloud-init-output.log"
NOWHERE = "i-0123456789abcdef0"
LIMIT = 65536


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.open_vpc("10.8.0.0/16"), "10.8.1.0/24")


def launch(world, subnet, user_data=None, **more):
    if user_data:
        more["UserData"] = user_data
    made = world.ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                                   SubnetId=subnet, **more)["Instances"]
    identifier, = names(made, "InstanceId")
    world.await_state("running", identifier)
    return identifier


@pytest.fixture(scope="module")
def instance(world, subnet):
    return launch(world, subnet)


def sh(world, place, line, **options):
    return world.exec(place, ["sh", "-c", line], **options)


def console(world, identifier, **more):
    """As boto3 has it: decoded, with what is no UTF-8 replaced; "" for none."""
    return world.ec2.get_console_output(InstanceId=identifier, **more).get("Output", "")


def logs(world, identifier):
    return world.run("logs", identifier, text=False).stdout


def test_nothing_yet(world, subnet):
    before = int(time.time()) - 1  # a file's time is the kernel's coarse clock, which is late
    silent = launch(world, subnet)
    reply = world.ec2.get_console_output(InstanceId=silent)
    assert "Output" not in reply and reply["InstanceId"] == silent
    assert before <= reply["Timestamp"].timestamp() <= time.time()
    assert logs(world, silent) == b""


def test_user_data_speaks(world, subnet):
    """By boto3, the AWS CLI and `logs`; kept and added to over stop and start."""
    one = launch(world, subnet, "#!/bin/sh\necho hello from $(hostname)\necho err >&2\nexit 3\n",
                 TagSpecifications=[{"ResourceType": "instance",
                                     "Tags": [{"Key": "Name", "Value": "speaker"}]}])
    name = world.exec(one, "hostname").strip()
    said = f"hello from {name}\nerr\ncloud-init: part-001 ended with status 3\n"
    wait_for(lambda: console(world, one) == said, 10, "user data spoke")
    assert console(world, one, Latest=True) == said
    assert logs(world, one).decode() == logs(world, "speaker").decode() == said
    done = world.run("aws", "ec2", "get-console-output", "--instance-id", one, "--output", "text",
                     "--query", "Output")
    assert done.stdout.strip() == said.strip()
    stamp = world.ec2.get_console_output(InstanceId=one)["Timestamp"].timestamp()
    assert stamp == int(sh(world, one, f"stat -c %Y {LOG}"))

    world.ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    assert console(world, one) == said and logs(world, one).decode() == said
    world.restart(signal.SIGKILL)
    assert console(world, one) == said
    world.ec2.start_instances(InstanceIds=[one])
    world.await_state("running", one)
    sh(world, one, f"echo more >>{LOG}")
    assert console(world, one) == said + "more\n"

    world.ec2.terminate_instances(InstanceIds=[one])
    world.await_state("terminated", one)
    assert console(world, one) == "" and logs(world, one) == b""


def test_the_last_of_it(world, instance):
    """64 KiB, of any bytes."""
    sh(world, instance, f"seq 100000 >{LOG}")
    whole = "".join(f"{number}\n" for number in range(1, 100001)).encode()
    assert console(world, instance).encode() == whole[-LIMIT:]
    assert logs(world, instance) == whole[-LIMIT:]
    sh(world, instance, rf"printf '\000\377<&>\r\n' >{LOG}")
    assert logs(world, instance) == b"\0\xff<&>\r\n"
    done = world.run("aws", "ec2", "get-console-output", "--instance-id", instance, "--debug")
    assert base64.b64encode(b"\0\xff<&>\r\n").decode() in done.stderr


def test_follow(world, subnet):
    """What comes, though it is much at once, over a stop, a start and a log begun anew; until the
    end."""
    one = launch(world, subnet)
    sh(world, one, f"echo first >{LOG}")
    follower = subprocess.Popen(world.command("logs", one, "--follow"), stdout=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, bufsize=0)
    world.spawned.append(follower)

    def line():
        return read_line(follower, 10, "logs --follow")
    assert line() == "first"
    sh(world, one, f"echo second >>{LOG}; seq 60000 >>{LOG}")
    assert line() == "second"
    assert [line() for _ in range(60000)] == [str(number) for number in range(1, 60001)]
    world.ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    world.ec2.start_instances(InstanceIds=[one])
    world.await_state("running", one)
    sh(world, one, f"echo third >>{LOG}")
    assert line() == "third"
    sh(world, one, f"rm {LOG}; echo anew >{LOG}")
    assert line() == "anew"
    world.ec2.terminate_instances(InstanceIds=[one])
    assert follower.wait(10) == 0 and follower.stdout.read() == b""


SECRET = "/root/minivpc-console-secret"
HOSTILE = {
    "a pipe": "mkfifo $LOG",
    "a pipe that is written to": "mkfifo $LOG; (exec 3<>$LOG; echo x >&3; sleep 1000) >/dev/null 2>&1 &",
    "a directory": "mkdir $LOG",
    "a socket": "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"'$LOG'\")'",
    "a device": "mknod $LOG c 1 5",
    "a link to a device": "ln -s /dev/zero $LOG",
    "a link to the host's file": f"ln -s {SECRET} $LOG",
    "a link out": f"ln -s ../../../../../../../..{SECRET} $LOG",
    "a link into a process": f"ln -s /proc/1/root{SECRET} $LOG",
    "a link to a descriptor": "ln -s /proc/self/fd/0 $LOG",
    "a link to itself": "ln -s cloud-init-output.log $LOG",
    "a directory that leads out": "mv /var/log /var/l; ln -s ../../../../root /var/log; "
                                  f"ln -s {SECRET} /var/l/cloud-init-output.log",
    "no directory": "rm -rf /var/log /var/lib/dpkg; rm -rf /var",
    "a file where a directory was": "mv /var /v; echo x >/var",
    "covered by a mount": "mount -t tmpfs x /var/log; echo x >$LOG",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile(world, subnet, what):
    """The answer is empty, at once, and leads nowhere else; stopped too, and to be started."""
    with open(SECRET, "w", encoding="ascii") as file:
        file.write("secret\n")
    one = launch(world, subnet)
    try:
        sh(world, one, f"LOG={LOG}; rm -f $LOG; {HOSTILE[what]}", check=False)
        for state in "running", "stopped":
            begin = time.monotonic()
            assert console(world, one) == "" and logs(world, one) == b""
            assert time.monotonic() - begin < 2
            if state == "running":
                world.ec2.stop_instances(InstanceIds=[one])
                world.await_state("stopped", one)
        world.ec2.start_instances(InstanceIds=[one])
        world.await_state("running", one)
        assert console(world, one) == ""
    finally:
        world.ec2.terminate_instances(InstanceIds=[one])
        subprocess.run(["rm", "-f", SECRET], check=True)


def test_huge(world, instance):
    sh(world, instance, f"rm -f {LOG}; truncate -s 1T {LOG}; echo end >>{LOG}")
    begin = time.monotonic()
    assert logs(world, instance) == bytes(LIMIT - 4) + b"end\n"
    assert time.monotonic() - begin < 2


def test_a_lease(world, instance):
    """Whoever opens a file that has one would wait for its holder to give it up."""
    sh(world, instance, f"rm -f {LOG}; echo x >{LOG}")
    holder = world.spawn(instance, ["python3", "-uc", f"""
import fcntl, signal, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = open({LOG!r}, "r+")
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held")
time.sleep(1000)
"""])
    assert read_line(holder, 5, "a lease") == "held"
    begin = time.monotonic()
    logs(world, instance)
    assert time.monotonic() - begin < 2
    holder.kill()


def test_a_link_on_the_disk(world, instance):
    """It may keep its log elsewhere."""
    sh(world, instance, f"echo here >/srv/log; ln -sf /srv/log {LOG}")
    assert console(world, instance) == "here\n"


def test_unknown(world):
    refused("InvalidInstanceID.NotFound", world.ec2.get_console_output, InstanceId=NOWHERE)
    refused("InvalidInstanceID.Malformed", world.ec2.get_console_output, InstanceId="web")
    for name in NOWHERE, "nobody":
        done = world.run("logs", name, check=False)
        assert done.returncode != 0 and f"There is no instance '{name}'" in done.stderr
    assert world.run("logs", check=False).returncode == 2
