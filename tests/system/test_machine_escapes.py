"""
What root in an instance may try: each fails inside, and is without effect outside. The rows are
shell lines or Python programs that end with status 0 if the intrusion has succeeded.
"""
import ctypes
import json
import os
import re
import socket
import subprocess
import tempfile
import time

import pytest

from lib import alive

SECRET = "minivpc-secret-41825"

PRELUDE = """
import ctypes, os, signal, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""

SHELL = {
    # the host's files
    "read the shadow file": "grep -E '^[^:]+:[$]' /etc/shadow",
    "read a private file": "cat {private}",
    "read a private file made open": "chmod 644 {private} && cat {private}",
    "read a private file renamed": "mv {private} /x && cat /x",
    "read a private file by a link": "ln {private} /x && cat /x",
    "list a private directory": "ls {directory}/* 2>/dev/null | grep .",
    "read through init": "cat /proc/1/root{private} || cat /proc/1/cwd{private}",
    "read the world's credentials": "cat {state}/credentials",
    "find the world's run directory": "ls /run/minivpc /run/netns",
    "leave by the root": "mkdir -p /j && mount --rbind / /j && cd /j && "
                         "chroot /j/.. cat {private}",
    "see through the file system's own": "umount -l /tmp && cat /tmp/{token}",
    # devices
    "make a block device": "mknod /disk b $(({major})) $(({minor})) && head -c 1 /disk",
    "make the memory device": "mknod /mem c 1 1 && head -c 1 /mem",
    "make a device in memory": "mount -t tmpfs -o dev x /mnt && mknod /mnt/mem c 1 1",
    "open a disk": "head -c 1 /dev/vda || head -c 1 /dev/sda || head -c 1 /dev/loop0",
    "write to the kernel's console": "echo x >/dev/console || echo x >/dev/kmsg",
    "mount a disk": "mkdir -p /d && mount -t ext4 {disk} /d",
    "mount devtmpfs": "mkdir -p /d && mount -t devtmpfs x /d && ls /d/null",
    "mount securityfs or debugfs": "mount -t debugfs x /mnt || mount -t securityfs x /mnt || "
                                   "mount -t tracefs x /mnt",
    "remount with devices": "mount -o remount,dev,rw /dev && echo x >/dev/new",
    # the kernel
    "write a sysctl": "echo 1 >/proc/sys/kernel/panic",
    "write the core pattern": "echo '|/bin/sh' >/proc/sys/kernel/core_pattern",
    "write a sysctl of a fresh proc": "mkdir -p /p && mount -t proc x /p && "
                                      "echo 1 >/p/sys/vm/overcommit_memory",
    "trigger sysrq": "echo h >/proc/sysrq-trigger",
    "read the kernel's log": "dmesg || cat /proc/kmsg",
    "read the kernel's memory": "head -c 1 /proc/kcore || head -c 1 /dev/mem",
    "learn the kernel's addresses": "grep -v '^0000000000000000' /proc/kallsyms | grep .",
    "load a module": "modprobe dummy_hcd || insmod /lib/modules/x.ko",
    "write to sysfs": "mount -o remount,rw /sys; echo 1 >/sys/kernel/profiling || "
                      "echo x >/sys/power/state || echo 1 >/sys/kernel/mm/ksm/run",
    "write to the sysfs in sight": "cd /dev/.sysfs && ls class/net/eth0 || "
                                   "echo 1 >kernel/profiling || echo 0 >kernel/mm/ksm/run || "
                                   "echo 1 >class/net/lo/mtu || echo mem >power/state",
    "release cgroups": "mount -t cgroup -o memory x /mnt && mkdir /mnt/x && "
                       "echo 1 >/mnt/x/notify_on_release && echo /x >/mnt/release_agent",
    "set the clock": "date -s 2001-01-01",
    "swap": "head -c 1M /dev/zero >/swap && mkswap /swap && swapon /swap",
    # processes
    "see the host's processes": "test -d /proc/{pid} && grep -z minivpc /proc/{pid}/cmdline",
    "kill the host's process": "kill -9 {pid}",
    "look into init's memory": "head -c 1 /proc/1/mem || cat /proc/1/maps | grep . || "
                               "cat /proc/1/environ",
    "use init's program": "readlink /proc/1/exe || echo x >/proc/1/exe",
    "enter by init": "nsenter --target 1 --all cat {private}",
    "lower the score of being killed": "echo -1000 >/proc/self/oom_score_adj",
    "raise a limit": "ulimit -Hn 4000000 && ulimit -Hn",
    "a negative nice value": "nice -n -20 sh -c 'test $(nice) -lt 0'",
    "real-time priority": "chrt -f 99 true",
    # the network
    "find the API": "curl -sm 1 {url} || curl -sm 1 http://{gateway}:{port}",
    "reach the host by its loopback": "ip addr add 127.0.0.2/8 dev lo; curl -sm 1 {url}",
    "move a device out": "ip link set eth0 netns {pid}",
    "name the host's network": "ip netns attach out {pid}",
    "flush its groups from inside": "nft list table inet minivpc",
}

PYTHON = {
    "ptrace init": "call(101, 16, 1, 0, 0)",
    "write into init": "open('/proc/1/mem', 'r+b').write(b'x')",
    "open by handle": """
fd = os.open('/', os.O_RDONLY)
handle = struct.pack('IiQQ', 8, 1, 2, 0)
call(304, fd, handle, os.O_RDONLY)""",
    "load a BPF program": "call(321, 5, b'\\x01' + bytes(127), 128)",
    "init_module": "call(175, b'x', 1, b'')",
    "kexec": "call(246, 0, 0, 0, 0)",
    "iopl": "call(172, 3)",
    "settimeofday": "call(164, struct.pack('qq', 1, 0), 0)",
    "syslog": "b = ctypes.create_string_buffer(100); call(103, 3, b, 100)",
    "perf of the machine": "call(298, struct.pack('II', 1, 112) + bytes(104), -1, 0, -1, 0)",
    "acct": "open('/acct', 'w').close(); call(163, b'/acct')",
    "quotactl": "call(179, 0x80000200, b'{disk}', 0, 0)",
    "reboot": "call(169, 0xfee1dead, 672274793, 0x89abcdef, 0)",
    "read the daemon's key": """
b = ctypes.create_string_buffer(64)
key = call(250, 10, {key})
sys.exit(0 if call(250, 11, {key}, b, 64) > 0 else 1)""",
    "find the key by name": "call(249, b'user', b'{token}', 0, -3)",
    "an abstract socket of the host's": """
s = socket.socket(socket.AF_UNIX)
s.connect('\\0{token}')""",
    "a socket in the file system": """
s = socket.socket(socket.AF_UNIX)
s.connect('{socket}')""",
    "netlink of the host's": """
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
s.send(struct.pack('IHHIIBxHiII', 32, 18, 0x305, 1, 0, 0, 0, 0, 0, 0))
data = s.recv(65536)
sys.exit(0 if b'fabric\\0' in data or b'internet\\0' in data else 1)""",
    "a signal to everybody": """
os.kill(-1, 0)
os.kill({pid}, 9)""",
    "an asynchronous signal's owner": """
import fcntl
r, w = os.pipe()
fcntl.fcntl(r, fcntl.F_SETOWN, {pid})""",
    "a System V segment": "call(29, {shm}, 1, 0)",
    "a user id outside": "os.setresuid(70000, 70000, 70000)",
    "a file's owner outside": "open('/x', 'w').close(); os.chown('/x', 70000, 70000)",
    "setns to a descriptor of init's": "call(308, os.open('/proc/1/ns/net', os.O_RDONLY), 0)",
}


@pytest.fixture(scope="module")
def target(make_world):
    """What an intruder would like to have, on the host; and its values for the rows."""
    # Not below /tmp, which instances don't see at all.
    public = tempfile.mkdtemp(prefix="minivpc-escape-", dir="/var/tmp")
    os.chmod(public, 0o755)
    private = os.path.join(public, "private")
    closed = os.path.join(public, "closed")
    os.mkdir(closed, 0o700)
    for path in (private, os.path.join(closed, "file"), f"/tmp/{SECRET}"):
        with open(path, "w", encoding="ascii") as file:
            file.write(SECRET)
        os.chmod(path, 0o600)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("\0" + SECRET)
    listening.listen()
    named = socket.socket(socket.AF_UNIX)
    named.bind(os.path.join(public, "socket"))
    os.chmod(os.path.join(public, "socket"), 0o600)
    named.listen()
    victim = subprocess.Popen(["sleep", "1000"])
    with make_world() as world:
        subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
        instance, neighbour = world.run_instances(subnet, count=2)
        device = os.stat(public).st_dev
        yield world, instance, neighbour, victim, {
            "private": private, "directory": closed, "state": world.state, "token": SECRET,
            "major": os.major(device), "minor": os.minor(device), "pid": victim.pid,
            "disk": "/dev/vda", "url": world.url, "port": world.port, "gateway": "10.0.1.1",
            "key": make_key(), "socket": os.path.join(public, "socket"), "shm": 0x4d4956}
    victim.kill()
    victim.wait()
    listening.close()
    named.close()
    subprocess.run(["rm", "-rf", public, f"/tmp/{SECRET}"], check=True)


def make_key():
    """In this session's keyring; its number, or one that there isn't where the kernel has none."""
    libc = ctypes.CDLL(None, use_errno=True)
    key = libc.syscall(248, b"user", SECRET.encode(), SECRET.encode(), len(SECRET), -3)
    return key if key > 0 else 1


def state_of_the_machine():
    """Those parts of it that the rows aim at; a kernel may lack some."""
    values = {}
    for name in ("sys/kernel/panic", "sys/kernel/core_pattern", "sys/vm/overcommit_memory",
                 "sys/kernel/hostname", "sys/kernel/modprobe", "sys/net/ipv4/ip_forward", "swaps"):
        if os.path.exists(f"/proc/{name}"):
            with open(f"/proc/{name}", encoding="ascii") as file:
                values[name] = file.read()
    assert len(values) >= 4
    return values


def attempt(target, command):
    world, instance, neighbour, victim, values = target
    before = state_of_the_machine()
    clock = time.time() - time.monotonic()
    done = world.exec(instance, command, check=False, timeout=30)
    assert done.returncode != 0, f"{done.stdout}{done.stderr}"
    assert done.returncode not in (126, 127) or "not found" in done.stderr
    assert SECRET not in done.stdout
    assert state_of_the_machine() == before
    assert abs(time.time() - time.monotonic() - clock) < 5
    assert alive(victim.pid)
    with open(values["private"], encoding="ascii") as file:
        assert file.read() == SECRET
    assert oct(os.stat(values["private"]).st_mode & 0o777) == "0o600"
    for place in (instance, neighbour):
        assert world.exec(place, "echo alive") == "alive\n"


@pytest.mark.parametrize("name", SHELL)
def test_shell(target, name):
    line = re.sub(r"\{(\w+)\}", lambda match: str(target[4][match[1]]), SHELL[name])
    attempt(target, ["bash", "-c", line])


@pytest.mark.parametrize("name", PYTHON)
def test_program(target, name):
    program = re.sub(r"\{(\w+)\}", lambda match: str(target[4][match[1]]), PYTHON[name])
    attempt(target, ["python3", "-c", PRELUDE + program])


def test_what_all_may_read_is_read(target):
    """The rows above fail for the right reason: a public file beside the private one is there."""
    world, instance, _, _, values = target
    path = os.path.join(os.path.dirname(values["private"]), "public")
    with open(path, "w", encoding="ascii") as file:
        file.write("public")
    os.chmod(path, 0o644)
    assert world.exec(instance, f"cat {path}") == "public"
    mapped, = (row["there"] for row in json.loads(world.run("check", "-o", "json").stdout)
               if "idmapped" in row["feature"])
    if not mapped:
        pytest.skip("the root can't be idmapped: a file is private as it was at the first launch")
    os.chmod(path, 0o600)  # and while somebody has seen it
    assert world.exec(instance, f"cat {path}", check=False).returncode != 0


def test_a_device_below_stays_shut(target):
    """One that the host has among its files, made open from inside: never opened, nor copied."""
    world, instance, _, _, values = target
    path = os.path.join(os.path.dirname(values["private"]), "device")
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 1))
    for line in (f"head -c 1 {path}", f"chmod 666 {path} && head -c 1 {path}",
                 f"mv {path} /mem && head -c 1 /mem",
                 f"mount -o remount,dev / && chmod 666 {path} && head -c 1 {path}"):
        assert world.exec(instance, ["sh", "-c", line], check=False).returncode != 0, line


def test_beneath_the_disk_is_nothing(target):
    """The disk covers what the clone began with. Whoever takes it away, in a namespace within so
    that the instance lives on, finds no process there, and nothing that can be changed or removed;
    and no way of climbing leads there while it is in place."""
    world, instance, _, _, _ = target
    seen = json.loads(world.exec(instance, ["unshare", "-m", "python3", "-c", PRELUDE + """
import json
seen = {}
def attempt(name, function, *arguments):
    try:
        function(*arguments)
        seen[name] = "done"
    except OSError as error:
        seen[name] = error.strerror
def look(name, path):
    seen[name] = sorted(os.listdir(path))
own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
root = os.open("/", os.O_RDONLY)
os.chroot("/usr")
os.fchdir(root)
for n in range(9):
    os.chdir("..")
os.chroot(".")
look("climbed", "/")
call(308, own, 0x20000)
look("entered", "/")
call(166, b"/", 2)
call(308, own, 0x20000)
look("beneath", "/")
look("its proc", "/proc")
attempt("write", os.mkdir, "/x")
attempt("write below", os.mkdir, "/world/x")
attempt("sysctl", lambda: open("/proc/sys/kernel/panic", "w"))
attempt("unmount proc", call, 166, b"/proc", 2)
attempt("unmount dev", call, 166, b"/dev", 2)
attempt("unmount all", call, 166, b"/", 2)
print(json.dumps(seen))
"""]))
    assert "etc" in seen["climbed"] and "etc" in seen["entered"]
    assert seen["beneath"] == ["dev", "proc", "world"]
    assert "sys" in seen["its proc"] and not [name for name in seen["its proc"] if name.isdigit()]
    for name in ("write", "write below", "sysctl"):
        assert seen[name] in ("Permission denied", "Value too large for defined data type"), seen
    for name in ("unmount proc", "unmount dev", "unmount all"):
        assert seen[name] == "Invalid argument", seen
    assert "etc" in world.exec(instance, "ls /")


def test_fork_bomb(target):
    """Ends at the limit, for that instance alone."""
    world, instance, neighbour, _, _ = target
    done = world.exec(instance, ["python3", "-c", """
import os, time
count = 0
try:
    while count < 20000:
        if os.fork() == 0:
            os.close(1)
            os.close(2)
            time.sleep(1000)
            os._exit(0)
        count += 1
except OSError as error:
    print(count, error.errno)
"""], check=False, timeout=60)
    # While it lasts: nobody else is near a limit.
    bomb = "import os\nfor n in range(1000):\n if os.fork() == 0: os._exit(0)"
    world.exec(neighbour, ["python3", "-c", bomb])
    count, errno = map(int, done.stdout.split())
    assert 1900 < count <= 2048 and errno == 11
    assert world.exec(neighbour, "echo alive") == "alive\n"
    world.reboot(instance)


def reboot_by_force(how):
    """What `poweroff -ff` and `reboot -ff` come to, which not every root has."""
    return ["python3", "-c", "import ctypes; ctypes.CDLL(None).syscall("
                             f"169, 0xfee1dead, 672274793, {how}, 0)"]


def test_power_off(target):
    """It is its own power that goes off."""
    world, instance, neighbour, _, _ = target
    for command in (reboot_by_force(0x4321fedc), ["sh", "-c", "kill -TERM 1; sleep 1"]):
        world.exec(instance, command, check=False)
        world.await_state("stopped", instance)
        assert world.exec(neighbour, "echo alive") == "alive\n"
        world.ec2.start_instances(InstanceIds=[instance])
        world.await_state("running", instance)


def test_reset(target):
    world, instance, neighbour, _, _ = target
    before = world.init(neighbour)
    world.reboot(instance, lambda: world.exec(instance, reboot_by_force(0x1234567), check=False))
    assert world.init(neighbour) == before


def test_other_user_namespaces_do_not_help(target):
    """Namespaces within: the limit and the devices' absence hold there too."""
    world, instance, _, _, values = target
    for line in (f"unshare -Ur cat {values['private']}", "unshare -Urm mknod /n c 1 1",
                 "unshare -Urmpf --mount-proc sh -c 'echo 1 >/proc/sys/kernel/panic'"):
        assert world.exec(instance, ["sh", "-c", line], check=False).returncode != 0, line
