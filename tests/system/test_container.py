"""
The daemon where it has no file system of the machine's own: in a container, whose root is an
overlay. The kernel idmaps none, and instances get their owners another way (instance/shift.h).
"""
import os
import signal
import subprocess
import time
import types

import pytest

import guest
from lib import BINARY, ROOT, World, environment, read_line, wait_for

SECRET = "minivpc-secret-58112"

# Everything that a container runtime does for a root of layers; ready when it says so.
CONTAINER = """
set -e
mount -t tmpfs -o mode=755 box "$1"
cd "$1"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
cd root
shift
for directory in dev proc sys; do mount --rbind /$directory $directory; done
mount -t tmpfs -o mode=755 run run
for directory; do
    mkdir -p ".$directory"
    mount --bind "$directory" ".$directory"
done
mkdir old
pivot_root . old
cd /
umount -l old
rmdir old
echo ready
exec sleep infinity
"""


class Contained(World):
    """A world whose daemon and command line have another root than the tests."""

    def __init__(self, state, mounts):
        super().__init__(state)
        self.mounts = mounts
        self.pair_key = None

    def command(self, verb, *arguments):
        return ["nsenter", f"--mount={self.mounts}", "--wd=/", *super().command(verb, *arguments)]


def box(container, command, **options):
    """In the container, beside the daemon."""
    return subprocess.run(["nsenter", f"--mount={container.mounts}", "--wd=/", "sh", "-c", command],
                          check=True, capture_output=True, text=True, env=environment(),
                          **options).stdout


@pytest.fixture(scope="module")
def container(scratch):
    """With private files, a set-user-id program, a capability, and an sshd in its layers."""
    if box_type("/") == "overlay":
        pytest.skip("this machine's root is an overlay: every test is this one")
    place = os.path.join(scratch, "container")
    os.mkdir(place)
    process = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", CONTAINER, "sh", place,
         scratch, ROOT, os.path.dirname(BINARY)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, bufsize=0, env=environment(), start_new_session=True)
    try:
        assert read_line(process, 20, "a container") == "ready"
        made = types.SimpleNamespace(mounts=f"/proc/{process.pid}/ns/mnt", process=process)
        box(made, f"""
            mkdir -m 700 /opt/private; echo {SECRET} >/opt/private/file
            for file in /etc/secret /opt/secret; do echo {SECRET} >$file; chmod 600 $file; done
            install -m 4755 /usr/bin/id /opt/id; setcap cap_net_raw+ep /opt/id || true
            echo public >/opt/public
            python3 -c 'import os; os.setxattr("/opt/public", "user.mine", b"x")'
            touch -d 2001-02-03 /opt/public /opt/empty
            ln -s /nowhere /opt/link
            chown 1:2 /opt/public
            cp -r {guest.path("ssh")}/usr /
            getent passwd sshd || useradd --system --home-dir /run/sshd sshd""")
        yield made
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        process.stdout.close()


def box_type(path):
    return subprocess.run(["findmnt", "-no", "FSTYPE", "--target", path], check=True,
                          capture_output=True, text=True, env=environment()).stdout.split()[-1]


@pytest.fixture(scope="module")
def world(container, scratch):
    """Gone without a trace at its end, in there too."""
    before = box(container, "cat /proc/self/mountinfo; ls -A /run")
    with Contained(os.path.join(scratch, "contained"), container.mounts) as running:
        yield running
    assert box(container, "cat /proc/self/mountinfo; ls -A /run") == before


@pytest.fixture(scope="module")
def pair(world):
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    world.pair_key = world.ec2.create_key_pair(KeyName="mine", KeyType="ed25519")["KeyMaterial"]
    began = time.monotonic()
    made = world.run_instances(subnet, count=2, KeyName="mine")
    print(f"the first launch took {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    world.run_instances(subnet)
    assert time.monotonic() - began < 1  # the walk is behind us
    return made


def sh(world, place, line, **options):
    return world.exec(place, ["sh", "-c", line], **options)


def test_packets(world, pair):
    world.assert_reaches(pair[0], world.private(pair[1]))


def test_owners(world, pair):
    """As they are outside, for root and for anybody else."""
    assert sh(world, pair[0], "id -u; stat -c '%u %g %a' / /etc /usr/bin/su /opt/public /etc/passwd") \
        == "0\n0 0 755\n0 0 755\n0 0 4755\n1 2 644\n0 0 644\n"
    assert sh(world, pair[0], "su nobody -s /bin/sh -c '/opt/id -u; cat /opt/public'") == \
        "0\npublic\n"
    status = sh(world, pair[0], "getcap /opt/id", check=False)
    assert "cap_net_raw" in status.stdout or "not found" in status.stderr


def test_all_that_can_be_seen_of_files(world, container, pair):
    """Kinds, modes, owners, sizes, times and targets, of whatever is public."""
    line = ("find /usr/bin /usr/lib /usr/sbin /opt -xdev -type d ! -perm -005 -prune -o "
            "-type d -printf '%p %m %U %G %T@\\n' -o -type f ! -perm -004 -o "
            "-printf '%p %y %m %U %G %s %T@ %l\\n' | sort")
    inside, outside = (text.splitlines() for text in (sh(world, pair[1], line),
                                                      box(container, line)))
    assert len(outside) > 5000
    assert sorted(set(inside) ^ set(outside)) == []
    assert sh(world, pair[1], "sha256sum /usr/bin/dpkg /usr/bin/perl") == \
        box(container, "sha256sum /usr/bin/dpkg /usr/bin/perl")
    if tuple(int(part) for part in os.uname().release.split(".")[:2]) < (6, 6):
        pytest.skip("a user's attributes: this kernel's tmpfs has none (before 6.6)")
    assert sh(world, pair[1], "python3 -c 'import os; print(os.getxattr(\"/opt/public\", "
                              "\"user.mine\"))'") == "b'x'\n"


def test_what_is_written_stays_apart(world, container, pair):
    sh(world, pair[0], "echo mine >/etc/passwd; echo mine >/opt/new; rm -r /usr/share/doc; "
                       "chown 5 /opt/public; chmod 600 /opt/public; echo more >>/opt/public")
    assert sh(world, pair[0], "cat /etc/passwd /opt/new; stat -c %u:%a /opt/public; "
                              "cat /opt/public; ls /usr/share/doc 2>&1 | wc -l") == \
        "mine\nmine\n5:600\npublic\nmore\n1\n"
    for read in (lambda line: box(container, line), lambda line: sh(world, pair[1], line)):
        assert read("head -c 5 /etc/passwd; test -e /opt/new || echo none; ls /usr/share/doc | "
                    "grep -c . | grep -v '^1$' >/dev/null && cat /opt/public") == \
            "root:none\npublic\n"


@pytest.mark.parametrize("path", ["/etc/secret", "/opt/secret", "/opt/private/file"])
def test_private_files_are_private(world, container, pair, path):
    for line in (f"cat {path}", f"chmod 644 {path} && cat {path}", f"chown 0 {path} && cat {path}",
                 f"mv {path} /x && cat /x", f"ln {path} /y && cat /y", f"cp -a {path} /z; cat /z"):
        done = sh(world, pair[0], line, check=False)
        assert done.returncode != 0 and SECRET not in done.stdout, line
    assert SECRET in box(container, f"cat {path}")


def test_a_disk_is_kept(world, pair):
    sh(world, pair[1], "echo kept >/etc/kept; rm /opt/public")
    world.ec2.stop_instances(InstanceIds=[pair[1]])
    world.await_state("stopped", pair[1])
    world.restart()
    world.ec2.start_instances(InstanceIds=[pair[1]])
    world.await_state("running", pair[1])
    assert sh(world, pair[1], "cat /etc/kept; ls /opt/public 2>&1 | grep -c such") == "kept\n1\n"


def test_ssh_at_the_first_boot(world, pair):
    """The image has an sshd: whoever comes at once waits for the key, and is let in."""
    instance, = world.run_instances(world.instance(pair[0])["SubnetId"], KeyName="mine",
                                    UserData="#!/bin/sh\nsleep 60\n")
    address = world.private(instance)
    sh(world, pair[1], "umask 077; cat >/root/key", input=world.pair_key)
    done = sh(world, pair[1], "ssh -F /dev/null -o StrictHostKeyChecking=no -o BatchMode=yes "
                              f"-i /root/key root@{address} hostname", check=False)
    assert done.stdout == "ip-" + address.replace(".", "-") + "\n", done


def test_tools(world, pair):
    assert "lo:" in sh(world, pair[1], "ip netns add x; ip netns exec x ip link")
    wait_for(lambda: "eth0" in sh(world, pair[1], "ls /sys/class/net"), 5, "its own /sys")
