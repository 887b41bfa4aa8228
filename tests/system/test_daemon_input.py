"""Bad input at the command line: one clear line, the right exit status, nothing changed."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError

from host import Snapshot
from lib import BINARY, environment, namespaces, wait_for


@pytest.fixture
def state(scratch):
    """A path for a state directory that isn't there yet."""
    path = os.path.join(tempfile.mkdtemp(dir=scratch), "world")
    yield path
    shutil.rmtree(os.path.dirname(path))


def run(*arguments, prefix=(), binary=BINARY):
    """To its end: a daemon that does come up fails the test by time."""
    return subprocess.run([*prefix, binary, *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=5, check=False, env=environment())


def refuses(*arguments, status=1, about=(), **more):
    before = Snapshot()
    done = run(*arguments, **more)
    assert done.returncode == status, (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and len(lines[0]) > 20, done.stderr
    for word in about:
        assert word in lines[0], lines[0]
    before.assert_same(within=3)
    return lines[0]


def tree(directory):
    """Every file below, with owner, mode and content."""
    found = {}
    for top, directories, files in os.walk(directory):
        for name in directories + files:
            path = os.path.join(top, name)
            stat = os.lstat(path)
            content = None
            if name in files:
                with open(path, "rb") as file:
                    content = file.read()
            found[path] = (stat.st_uid, stat.st_mode, content)
    return found


@pytest.mark.parametrize("arguments, about", [
    (["--banana"], "banana"), (["banana"], "banana"), (["serve", "--banana"], "--banana"),
    (["serve", "extra"], "extra"), (["serve", "--listen"], "--listen"),
    (["serve", "--state"], "--state"), (["ps", "-o", "xml"], "xml"), (["ps", "extra"], "--drops"),
    (["exec"], ""), (["exec", "i-0123456789abcdef0"], ""), (["internet"], ""),
    (["internet", "banana"], "banana"), (["internet", "exec"], ""), (["down", "lab", "extra"], "extra"),
    (["env", "--listen", "x"], "--listen"), ([], "")])
def test_wrong_usage(arguments, about):
    refuses(*arguments, status=2, about=[about])


def test_port_in_use(state):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refuses("serve", "--state", state, "--listen", f"127.0.0.1:{port}",
                about=[port, "in use"])
    assert not os.path.exists(state)


@pytest.mark.parametrize("listen, statuses", [
    ("banana", (1, 2)), ("127.0.0.1", (1, 2)), ("127.0.0.1:99999", (1, 2)), ("127.0.0.1:", (1, 2)),
    ("127.0.0.1:-1", (1, 2)), ("127.0.0.1:80x", (1, 2)), ("", (1, 2)), ("256.0.0.1:80", (1, 2)),
    ("192.0.2.1:4566", (1,))])
def test_bad_listen_address(state, listen, statuses):
    before = Snapshot()
    done = run("serve", "--state", state, "--listen", listen)
    assert done.returncode in statuses and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert listen in done.stderr
    assert not os.path.exists(state)
    before.assert_same(within=3)


def test_bad_region(state):
    before = Snapshot()
    done = run("serve", "--state", state, "--listen", "127.0.0.1:0", "--region", "mars-north-1")
    assert done.returncode in (1, 2) and "mars-north-1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not os.path.exists(state)
    before.assert_same(within=3)


@pytest.mark.parametrize("quota, about", [
    ("banana=1", ["banana", "vpcs-per-region", "tags-per-resource"]),
    ("vpcs-per-region", ["vpcs-per-region", "number"]), ("vpcs-per-region=0", ["'0'"]),
    ("vpcs-per-region=many", ["'many'"]), ("entries-per-network-acl=41", ["1 to 40"]),
    ("rules-per-security-group=201", ["201", "security-groups-per-interface (5)", "1000"])])
def test_bad_quota(state, quota, about):
    refuses("serve", "--state", state, "--listen", "127.0.0.1:0", "--quota", "subnets-per-vpc=3",
            "--quota", quota, status=2, about=about)
    assert not os.path.exists(state)


@pytest.mark.parametrize("verb", ["serve", "down", "ps"])
def test_no_root(scratch, verb):
    """As somebody who could write the state directory, to make root the only matter."""
    home = os.path.join(scratch, "nobody")
    os.mkdir(home)
    binary = shutil.copy(BINARY, home)
    os.chown(home, 65534, 65534)
    try:
        refuses(verb, "--state", os.path.join(home, "world"), binary=binary, about=["root"],
                prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
        assert os.listdir(home) == ["minivpc"]
    finally:
        shutil.rmtree(home)


def test_root_without_its_powers(state):
    refuses("serve", "--state", state, "--listen", "127.0.0.1:0",
            prefix=("setpriv", "--bounding-set=-net_admin,-sys_admin"))
    assert not os.path.exists(state)


def test_unwritable_state(scratch):
    disk = os.path.join(scratch, "readonly")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", disk], check=True)
    try:
        path = os.path.join(disk, "world")
        refuses("serve", "--state", path, "--listen", "127.0.0.1:0",
                about=[path, "Read-only file system"])
    finally:
        subprocess.run(["umount", disk], check=True)
        os.rmdir(disk)


def test_state_without_a_parent(scratch):
    path = os.path.join(scratch, "not", "there", "world")
    refuses("serve", "--state", path, "--listen", "127.0.0.1:0",
            about=[path, "not exist"])


def test_state_that_is_a_file(state):
    with open(state, "w", encoding="utf-8") as file:
        file.write("mine")
    refuses("serve", "--state", state, "--listen", "127.0.0.1:0", about=[state])
    with open(state, encoding="utf-8") as file:
        assert file.read() == "mine"


@pytest.mark.parametrize("verb", ["serve", "down"])
@pytest.mark.parametrize("files", [
    {"thesis.tex": b"years"}, {"world.db": b"not a database at all", "notes": b""},
    {"world.db": b"SQLite format 3\0" + b"\0" * 4080},
    {"config": b"[default]\nregion = eu-west-1\n",
     "credentials": b"[default]\naws_access_key_id = AKIAREALREALREALREAL\n"
                    b"aws_secret_access_key = real\n"}])
def test_foreign_state(state, verb, files):
    os.mkdir(state)
    for name, content in files.items():
        with open(os.path.join(state, name), "wb") as file:
            file.write(content)
    before = tree(state)
    more = ("--listen", "127.0.0.1:0") if verb == "serve" else ()
    refuses(verb, "--state", state, *more, about=[state])
    assert tree(state) == before


def test_state_of_another_owner(state):
    """A directory that somebody else can write is no place for root's secrets."""
    os.mkdir(state, 0o777)
    os.chmod(state, 0o777)
    os.chown(state, 65534, 65534)
    refuses("serve", "--state", state, "--listen", "127.0.0.1:0", about=[state])
    assert os.listdir(state) == []


def test_second_daemon(world):
    before = Snapshot()
    done = run("serve", "--state", world.state, "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and world.state in done.stderr
    before.assert_same(within=3)
    assert world.ec2.describe_vpcs()["Vpcs"] and world.daemon.poll() is None


def test_second_daemon_by_another_path(world, scratch):
    link = os.path.join(scratch, "link")
    os.symlink(world.state, link)
    try:
        done = run("serve", "--state", link, "--listen", "127.0.0.1:0")
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    finally:
        os.unlink(link)


def test_down_of_nothing(state):
    """Nothing there is nothing to do."""
    before = Snapshot()
    for _ in range(2):
        done = run("down", "--state", state)
        assert done.returncode == 0, done.stderr
    assert not os.path.exists(state)
    before.assert_same(within=3)


def down_twice(world):
    first, second = world.run("down", timeout=60), world.run("down")
    assert first.returncode == second.returncode == 0
    assert not os.path.exists(world.state), os.listdir(world.state)
    world.before.assert_same(within=10)


def busy(world):
    vpc = world.vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    ids = world.run_instances(subnet, count=20, public=True)
    world.ec2.stop_instances(InstanceIds=ids[:3])
    world.spawn(ids[10], "sleep 1000")
    # A client that comes after the daemon's end would start another one.
    wait_for(lambda: "sleep" in world.exec(ids[10], "ps -e -o comm="), 5, "sleep runs")
    return ids


def test_down_with_a_daemon(own_world):
    busy(own_world)
    down_twice(own_world)
    assert own_world.daemon.wait(5) is not None


def test_down_without_a_daemon(own_world):
    busy(own_world)
    own_world.kill(15)
    down_twice(own_world)


def test_down_after_a_crash(own_world):
    busy(own_world)
    own_world.kill(9)
    down_twice(own_world)


def test_down_after_a_crash_in_the_middle(own_world):
    """The daemon dies at work; nobody starts it again before `down`."""
    subnet = own_world.subnet(own_world.vpc(), "10.0.0.0/20")

    def launch():
        try:
            own_world.ec2.run_instances(ImageId="ami-12345678", MinCount=200, MaxCount=200,
                                        SubnetId=subnet)
        except BotoCoreError:
            pass
    thread = threading.Thread(target=launch)
    thread.start()
    time.sleep(0.1)
    own_world.kill(9)
    thread.join(10)
    down_twice(own_world)


def test_down_with_the_state_lost(own_world):
    """Somebody removed the files by hand: what runs is still ours to remove, or is named."""
    ids = busy(own_world)
    own_world.kill(9)
    saved = own_world.state + ".saved"
    os.rename(own_world.state, saved)
    own_world.run("down", check=False)
    os.rename(saved, own_world.state)
    own_world.run("down")
    assert not os.path.exists(own_world.state)
    assert not set(ids) & set(namespaces())


def test_down_keeps_what_is_not_ours(make_world):
    world = make_world()
    world.__enter__()
    notes = os.path.join(world.state, "notes.txt")
    foreign = subprocess.Popen(["sleep", "1000"])
    subprocess.run(["ip", "netns", "add", "somebody-elses"], check=True, env=environment())
    try:
        busy(world)
        with open(notes, "w", encoding="utf-8") as file:
            file.write("keep me")
        world.run("down")
        with open(notes, encoding="utf-8") as file:
            assert file.read() == "keep me"
        assert os.listdir(world.state) == ["notes.txt"]
        assert foreign.poll() is None
        assert os.listdir("/run/netns") == ["somebody-elses"]
    finally:
        foreign.kill()
        foreign.wait()
        subprocess.run(["ip", "netns", "delete", "somebody-elses"], check=True, env=environment())
        shutil.rmtree(world.state, ignore_errors=True)
        world.daemon.wait(5)
        world.daemon.stdout.close()
    # ip(8) makes /run/netns a mount of its own and leaves it behind.
    subprocess.run(["umount", "/run/netns"], check=False, capture_output=True)
    world.before.assert_same(within=10)


def test_a_started_daemon_ends_with_down(state):
    """`ps` starts one where none runs; `down` ends that one too."""
    before = Snapshot()
    try:
        assert run("ps", "--state", state).returncode == 0
        assert "AWS_ENDPOINT_URL" in run("env", "--state", state).stdout
    finally:
        done = run("down", "--state", state)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: not os.path.exists(state), 2, "state removed")
    before.assert_same(within=5)
