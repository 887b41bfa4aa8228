"""Instances that boot from images of one's own: directories and archives."""
import os
import re
import shutil
import signal
import subprocess
import tarfile
import threading
import time

import pytest

from images import (archive_of, copies, described, imported, launch, make_root, pack, put, tree)
from lib import IMAGE, environment, names, refused, wait_for

LOG = "/var/log/cloud-init-output.log"


@pytest.fixture(scope="module")
def root(scratch):
    return make_root(os.path.join(scratch, "root"), "first")


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.open_vpc(), "10.0.1.0/24")


@pytest.fixture(autouse=True)
def no_images(request):
    """Nothing of one test is there for the next: no instance, no image."""
    yield
    if "world" not in request.fixturenames:
        return
    world = request.getfixturevalue("world")
    living = [instance["InstanceId"] for reservation in
              world.ec2.describe_instances()["Reservations"]
              for instance in reservation["Instances"]
              if instance["State"]["Name"] != "terminated"]
    if living:
        world.ec2.terminate_instances(InstanceIds=living)
    for image in world.ec2.describe_images(Owners=["self"])["Images"]:
        world.ec2.deregister_image(ImageId=image["ImageId"])
    wait_for(lambda: not copies(world), 10, "no copy is left")


def sh(world, instance, line, **options):
    return world.exec(instance, ["/bin/sh", "-c", line], **options)


def test_a_directory(world, subnet, root):
    """It is what the instance has; what the instance writes is not in it."""
    before = tree(root)
    image = imported(world, "directory", root)
    assert not copies(world)
    instance, other = launch(world, subnet, image, count=2)
    own, = launch(world, subnet)
    assert sh(world, instance, "cat /marker /private") == "first\nsecret of first\n"
    assert sh(world, instance, "stat -c '%u %g %a' /theirs /private") == "1000 1001 4750\n0 0 600\n"
    assert set(sh(world, instance, "ls /").split()) == {
        name for name in before if "/" not in name} | {
            "dev", "etc", "proc", "run", "sys", "tmp"}
    assert not os.path.exists("/marker")
    sh(world, instance, "echo changed >/marker; rm -r /private; mkdir /new; chmod 777 /bin/cat")
    assert sh(world, instance, "cat /marker") == "changed\n"
    assert sh(world, other, "cat /marker /private") == "first\nsecret of first\n"
    assert world.exec(own, ["sh", "-c", "ls /marker || echo none"]).strip() == "none"
    assert tree(root) == before


def test_root_is_nobody_here(world, subnet, root):
    """As on the machine's own root: what it owns there is not root's here, nor can it say so."""
    instance, = launch(world, subnet, imported(world, "nobody", root))
    assert sh(world, instance, "id -u; stat -c %u:%g / /bin/sh").split() == ["0", "0:0", "0:0"]
    first, outside, count = sh(world, instance, "cat /proc/self/uid_map").split()
    assert (first, count) == ("0", "65536") and int(outside) >= 65536
    done = sh(world, instance, "echo x >/proc/sys/kernel/core_pattern", check=False)
    assert done.returncode != 0 and "Permission denied" in done.stderr
    disk, = [line for line in sh(world, instance, "cat /proc/self/mounts").splitlines()
             if line.split()[1] == "/"]
    assert disk.split()[2] == "overlay" and {"rw", "nodev"} <= set(disk.split()[3].split(","))


@pytest.fixture
def overlay(root, tmp_path):
    """The same directory seen through a file system that can't be idmapped."""
    for name in ("upper", "work", "merged"):
        (tmp_path / name).mkdir()
    place = str(tmp_path / "merged")
    done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={root},"
                           f"upperdir={tmp_path}/upper,workdir={tmp_path}/work", place],
                          check=False, capture_output=True, env=environment())
    if done.returncode:
        pytest.skip("an overlay on the file system of /tmp")
    yield place
    subprocess.run(["umount", place], check=True, env=environment())


def test_what_can_not_be_idmapped(world, subnet, overlay):
    os.mkfifo(os.path.join(overlay, "pipe"), 0o640)
    os.mknod(os.path.join(overlay, "kmsg"), 0o020666, os.makedev(1, 11))
    before = tree(overlay)
    instance, = launch(world, subnet, imported(world, "overlay", overlay))
    assert sh(world, instance, "cat /marker /private") == "first\nsecret of first\n"
    assert sh(world, instance, "stat -c '%u %g %a' /theirs /private /bin/sh /").split("\n")[:3] == [
        "1000 1001 4750", "0 0 600", "0 0 755"]
    assert sh(world, instance, "stat -c '%F %a' /pipe") == "fifo 640\n"
    shut = sh(world, instance, "cat /kmsg", check=False)
    assert shut.returncode != 0 and "Permission denied" in shut.stderr
    sh(world, instance, "echo changed >/private; rm /marker; chmod 700 /theirs; rm -r /lib64")
    assert tree(overlay) == before


def test_two_side_by_side(world, subnet, root, scratch):
    second = make_root(os.path.join(scratch, "second"), "second")
    images = [imported(world, "first", root),
              imported(world, "second", pack(second, os.path.join(scratch, "second.tar")))]
    pair = [launch(world, subnet, image)[0] for image in images]
    own, = launch(world, subnet)
    assert [sh(world, one, "cat /marker") for one in pair] == ["first\n", "second\n"]
    for one, other in (pair, pair[::-1], (pair[0], own), (own, pair[1])):
        world.assert_reaches(one, world.private(other))


def test_it_is_a_machine(world, subnet, root):
    """Its own name, resolver, /proc, /tmp, /dev; commands, a shell, copies."""
    instance, = launch(world, subnet, imported(world, "machine", root))
    address = world.private(instance)
    label = "ip-" + address.replace(".", "-")
    assert sh(world, instance, "cat /etc/hostname").strip() == label
    assert address in sh(world, instance, "cat /etc/hosts")
    assert "nameserver" in sh(world, instance, "cat /etc/resolv.conf")
    assert sh(world, instance, "cat /proc/1/comm").strip() == "init"
    assert sh(world, instance, "echo x >/tmp/x && echo y >/dev/null && cat /tmp/x") == "x\n"
    shell = world.run("shell", instance, input="cat /marker\nexit 3\n", check=False)
    assert (shell.returncode, shell.stdout) == (3, "first\n")
    missing = world.exec(instance, ["python3"], check=False)
    assert missing.returncode == 127


def test_cp(world, subnet, root, tmp_path):
    instance, = launch(world, subnet, imported(world, "copies", root))
    (tmp_path / "file").write_text("in\n", encoding="ascii")
    world.run("cp", str(tmp_path / "file"), f"{instance}:/in")
    assert sh(world, instance, "cat /in") == "in\n"
    world.run("cp", f"{instance}:/marker", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text(encoding="ascii") == "first\n"


def test_user_data(world, subnet, root):
    image = imported(world, "data", root)
    instance, = launch(world, subnet, image, UserData="#!/bin/sh\ncat /marker; echo ran >/ran\n")
    wait_for(lambda: "ran\n" == sh(world, instance, "cat /ran", check=False).stdout, 10, "/ran")
    assert sh(world, instance, f"cat {LOG}") == "first\n"


def test_without_a_shell(world, subnet, scratch):
    """User data needs one; that it was not run is said where its output would be."""
    bare = make_root(os.path.join(scratch, "bare"), "bare", tools=("cat", "ls"))
    instance, = launch(world, subnet, imported(world, "bare", bare),
                       UserData="#!/bin/sh\necho ran\n")
    wait_for(lambda: world.exec(instance, ["/bin/cat", LOG], check=False).stdout, 10, "the log")
    assert world.exec(instance, ["/bin/cat", LOG]) == (
        "init: there is no /bin/sh to run user data with\n")
    assert world.exec(instance, ["/bin/cat", "/marker"]) == "bare\n"


def test_nothing_in_it(world, subnet, tmp_path):
    """Init is ours: it runs, and answers pings, whatever there is."""
    instance, = launch(world, subnet, imported(world, "empty", str(tmp_path)))
    own, = launch(world, subnet)
    world.assert_reaches(own, world.private(instance))
    assert world.exec(instance, ["ls"], check=False).returncode == 127
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz", "zst"])
def test_archives(world, subnet, root, tmp_path, compression):
    archive = str(tmp_path / f"root.tar{compression and '.' + compression}")
    if compression == "zst":
        if not shutil.which("zstd"):
            pytest.skip("zstd")
        plain = pack(root, str(tmp_path / "plain.tar"))
        subprocess.run(["zstd", "-q", plain, "-o", archive], check=True, env=environment())
    else:
        pack(root, archive, compression)
    image = imported(world, f"archive {compression}", archive)
    assert copies(world) == [image]
    os.remove(archive)
    instance, = launch(world, subnet, image)
    assert sh(world, instance, "cat /marker /private; stat -c '%u %g %a' /theirs; stat -c %a /") \
        == f"first\nsecret of first\n1000 1001 4750\n{os.stat(root).st_mode & 0o7777:o}\n"


def test_nobody_looks_into_copies(world, root, tmp_path):
    image = imported(world, "closed", pack(root, str(tmp_path / "x.tar")))
    status = os.stat(os.path.join(world.state, "images"))
    assert status.st_mode & 0o777 == 0o700
    theirs = os.lstat(os.path.join(world.state, "images", image, "theirs"))
    assert (theirs.st_uid, theirs.st_gid, theirs.st_mode & 0o7777) == (1000, 1001, 0o4750)


def test_what_does_not_unpack_is_named(world, tmp_path):
    """It isn't there, or complains itself; that tar then gives up too is no news."""
    archive = tmp_path / "root.tar.lz"
    archive.write_bytes(b"LZIP\x01" + b"x" * 1000)
    done = world.run("image import", "unpacked", str(archive), check=False)
    assert done.returncode == 1 and "lzip: " in done.stderr, done


SYMLINK, HARDLINK = tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize("name, members, text", [
    ("out", [("../escaped", {}, b"x")], "tar: ../escaped: Member name contains '..'"),
    ("up-later", [("a/b", {}, b"x"), ("a/../../escaped", {}, b"x")], "Member name contains '..'"),
    ("through", [("out", {"type": SYMLINK, "linkname": "{place}"}, b""),
                 ("out/escaped", {}, b"x")], "tar: out/escaped: Cannot open"),
    ("through-up", [("out", {"type": SYMLINK, "linkname": "../../../../../../../{place}"}, b""),
                    ("out/escaped", {}, b"x")], "tar: out/escaped: Cannot open"),
    ("hard", [("link", {"type": HARDLINK, "linkname": "{place}/victim"}, b""),
              ("link", {}, b"overwritten")], "Cannot hard link"),
    ("cut", None, "Unexpected EOF"),
    ("none", b"just text\n" * 100, "does not look like a tar archive")])
def test_hostile_archives(world, tmp_path, name, members, text):
    """Nothing lands outside; it fails with tar's own words, and its name is free again."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "victim").write_text("untouched", encoding="ascii")
    archive = str(tmp_path / "hostile.tar")
    if isinstance(members, list):
        archive_of(archive, *((member, {key: value.format(place=place) if key == "linkname"
                                        else value for key, value in what.items()}, content)
                              for member, what, content in members))
    else:
        whole = pack(make_root(str(tmp_path / "root"), "cut"), str(tmp_path / "whole"), "gz")
        with open(whole, "rb") as file, open(archive, "wb") as cut:
            cut.write(members or file.read()[:20000])
    done = world.run("image import", name, archive, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"minivpc: {archive}: tar: ") and text in done.stderr
    assert done.stderr.count("\n") == 1
    assert [entry.name for entry in place.iterdir()] == ["victim"]
    assert (place / "victim").read_text(encoding="ascii") == "untouched"
    wait_for(lambda: not copies(world), 10, "no copy is left")
    assert not os.path.exists(os.path.join(world.state, "escaped"))
    imported(world, name, str(place))


def test_absolute_names(world, root, tmp_path):
    """They are names in the image."""
    place = tmp_path / "place"
    place.mkdir()
    archive = pack(root, str(tmp_path / "x.tar"))
    with tarfile.open(archive, "a") as file:
        member = tarfile.TarInfo("absolute")
        member.name = f"{place}/inside"
        file.addfile(member)
    image = imported(world, "absolute", archive)
    assert f"{place}/inside".lstrip("/") in tree(os.path.join(world.state, "images", image))
    assert not list(place.iterdir())


def test_device_nodes(world, subnet, root, tmp_path):
    """They are left out of a copy; those of a directory are shut."""
    archive = pack(root, str(tmp_path / "x.tar"))
    with tarfile.open(archive, "a") as file:
        for name, kind, major in (("dev/sda", tarfile.BLKTYPE, 8), ("mem", tarfile.CHRTYPE, 1),
                                  ("pipe", tarfile.FIFOTYPE, 0)):
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.devmajor, member.devminor = kind, 0o666, major, 1
            file.addfile(member)
    image = imported(world, "devices", archive)
    held = tree(os.path.join(world.state, "images", image))
    assert "pipe" in held and "mem" not in held and "dev/sda" not in held
    device = make_root(str(tmp_path / "root"), "device")
    os.mknod(os.path.join(device, "kmsg"), 0o020666, os.makedev(1, 11))
    instance, = launch(world, subnet, imported(world, "device", device))
    done = sh(world, instance, "cat /kmsg", check=False)
    assert done.returncode != 0 and "Permission denied" in done.stderr


def test_a_disk_outlives_a_stop(world, subnet, root, tmp_path):
    copy = imported(world, "copy", pack(root, str(tmp_path / "x.tar")))
    both = [*launch(world, subnet, imported(world, "place", root)), *launch(world, subnet, copy)]
    for one in both:
        sh(world, one, "echo mine >/mine")
    world.ec2.stop_instances(InstanceIds=both)
    world.await_state("stopped", *both)
    world.ec2.start_instances(InstanceIds=both)
    world.await_state("running", *both)
    for one in both:
        assert sh(world, one, "cat /mine /marker") == "mine\nfirst\n"
    world.ec2.reboot_instances(InstanceIds=both)
    for one in both:
        assert sh(world, one, "cat /mine /marker") == "mine\nfirst\n"


def test_deregistered(world, subnet, root, tmp_path):
    """Instances go on, stop and start; the copy goes with the last of them."""
    image = imported(world, "going", pack(root, str(tmp_path / "x.tar")))
    first, second = launch(world, subnet, image, count=2)
    sh(world, first, "echo mine >/mine")
    world.run("image delete", "going")
    assert world.run("image list").stdout == "there is no image of one's own\n"
    refused("InvalidAMIID.Unavailable", world.ec2.run_instances, ImageId=image, MinCount=1,
            MaxCount=1, SubnetId=subnet)
    assert sh(world, first, "cat /marker") == "first\n" and copies(world) == [image]
    world.ec2.terminate_instances(InstanceIds=[second])
    world.ec2.stop_instances(InstanceIds=[first])
    world.await_state("stopped", first)
    assert copies(world) == [image]
    world.ec2.start_instances(InstanceIds=[first])
    world.await_state("running", first)
    assert sh(world, first, "cat /mine /private") == "mine\nsecret of first\n"
    world.ec2.terminate_instances(InstanceIds=[first])
    wait_for(lambda: not copies(world), 10, "the copy is gone")


def test_a_directory_that_goes(world, subnet, root, tmp_path):
    place = str(tmp_path / "root")
    shutil.copytree(root, place)
    image = imported(world, "goes", place)
    instance, = launch(world, subnet, image)
    count = len(world.ec2.describe_instances()["Reservations"])
    os.rename(place, f"{place}.away")
    error = refused("InternalError", world.ec2.run_instances, status=500, ImageId=image,
                    MinCount=2, MaxCount=2, SubnetId=subnet)
    assert str(error) and f"{image}: {place}: No such file or directory" in str(error)
    assert len(world.ec2.describe_instances()["Reservations"]) == count
    assert sh(world, instance, "cat /marker") == "first\n"
    # Another one by its name is what new instances get.
    make_root(place, "another")
    other, = launch(world, subnet, image)
    assert [sh(world, one, "cat /marker") for one in (instance, other)] == ["first\n", "another\n"]


def test_what_can_not_be_one(world, root, tmp_path):
    put(str(tmp_path), "file", "x")
    for path, text in (("/no/such/place", "/no/such/place: No such file or directory"),
                       ("/dev/null", "/dev/null is neither a directory nor an archive"),
                       ("/", "/ holds the world's own state directory"),
                       (os.path.dirname(world.state), "holds the world's own state directory")):
        done = world.run("image import", "wrong", path, check=False)
        assert done.returncode == 1 and text in done.stderr and done.stderr.count("\n") == 1
    imported(world, "taken", root)
    done = world.run("image import", "taken", root, check=False)
    assert "AMI name taken is already in use by AMI ami-" in done.stderr
    assert "AMI names must be between 3 and 128" in world.run(
        "image import", "x", root, check=False).stderr
    assert "There is no image 'nothing'" in world.run("image delete", "nothing", check=False).stderr


class Pipe:
    """An archive that is in flight for as long as one likes."""

    def __init__(self, path, archive):
        os.mkfifo(path)
        self.path = path
        with open(archive, "rb") as file:
            self.content = file.read()
        self.go = threading.Event()
        self.thread = threading.Thread(target=self.feed, daemon=True)

    def feed(self):
        try:
            with open(self.path, "wb", buffering=0) as pipe:
                pipe.write(self.content[:len(self.content) // 2])
                self.go.wait(30)
                pipe.write(self.content[len(self.content) // 2:])
        except BrokenPipeError:
            pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.go.set()
        self.thread.join(30)


def register_pending(world, name, pipe):
    image = world.ec2.register_image(Name=name, ImageLocation=f"file://{pipe.path}")["ImageId"]
    place = os.path.join(world.state, "images", image)
    wait_for(lambda: os.path.isdir(place) and os.listdir(place), 10, "it is being unpacked")
    return image


def test_nobody_waits_for_it(world, subnet, root, tmp_path):
    """While it is unpacked the API answers, and nothing is launched from it."""
    archive = pack(root, str(tmp_path / "x.tar"))
    with Pipe(str(tmp_path / "pipe"), archive) as pipe:
        image = register_pending(world, "slow", pipe)
        start = time.monotonic()
        for _ in range(20):
            assert described(world, image)["State"] == "pending"
        launch(world, subnet, IMAGE)
        assert time.monotonic() - start < 10  # the archive takes 30
        refused("InvalidAMIID.Unavailable", world.ec2.run_instances, ImageId=image, MinCount=1,
                MaxCount=1, SubnetId=subnet, text=f"The image ID '{image}' is not available: it is pending")
        pipe.go.set()
        wait_for(lambda: described(world, image)["State"] == "available", 10, "it is there")
    instance, = launch(world, subnet, image)
    assert sh(world, instance, "cat /marker") == "first\n"


def test_deregistered_while_pending(world, root, tmp_path):
    with Pipe(str(tmp_path / "pipe"), pack(root, str(tmp_path / "x.tar"))) as pipe:
        image = register_pending(world, "dropped", pipe)
        world.ec2.deregister_image(ImageId=image)
        wait_for(lambda: not copies(world), 10, "the copy is gone")
        pipe.go.set()
    refused("InvalidAMIID.NotFound", world.ec2.describe_images, ImageIds=[image])


def tar_processes(place):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if place.encode() in file.read():
                    found.append(pid)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_daemon_ends_meanwhile(own_world, root, tmp_path, how):
    """What was half there is removed, the image has failed; images and instances go on."""
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    archive = pack(root, str(tmp_path / "x.tar"))
    kept, place = imported(world, "kept", archive), imported(world, "place", root)
    running = launch(world, subnet, kept) + launch(world, subnet, place)
    asleep, = launch(world, subnet, kept)
    gone = imported(world, "gone", archive)
    last, = launch(world, subnet, gone)
    world.run("image delete", gone)
    world.ec2.stop_instances(InstanceIds=[asleep])
    world.await_state("stopped", asleep)
    with Pipe(str(tmp_path / "pipe"), archive) as pipe:
        image = register_pending(world, "slow", pipe)
        assert tar_processes(os.path.join(world.state, "images", image))
        world.kill(how)
        wait_for(lambda: not tar_processes(os.path.join(world.state, "images", image)), 5,
                 "tar is gone")
        world.serve()
    wait_for(lambda: sorted(copies(world)) == sorted([kept, gone]), 10, "half a copy is gone")
    found = described(world, image)
    assert found["State"] == "failed"
    assert found["StateReason"]["Message"] == (
        "the daemon ended while the archive was being unpacked")
    refused("InvalidAMIID.Unavailable", world.ec2.run_instances, ImageId=image, MinCount=1,
            MaxCount=1, SubnetId=subnet, text=re.compile(".* it is failed: the daemon ended .*"))
    assert [described(world, one)["State"] for one in (kept, place)] == ["available"] * 2
    world.ec2.start_instances(InstanceIds=[asleep])
    world.await_state("running", asleep)
    more = [launch(world, subnet, one)[0] for one in (kept, place)]
    for one in [*running, asleep, last, *more]:
        assert sh(world, one, "cat /marker") == "first\n"
    world.ec2.terminate_instances(InstanceIds=[last])
    wait_for(lambda: copies(world) == [kept], 10, "the copy is gone")
    assert names(world.ec2.describe_images(Owners=["self"])["Images"], "Name") == [
        "kept", "place", "slow"]


def test_copies_of_a_killed_daemon(own_world, root, tmp_path):
    """What was to be removed when it was killed the next start removes."""
    world = own_world
    image = imported(world, "kept", pack(root, str(tmp_path / "x.tar")))
    world.kill()
    stray = os.path.join(world.state, "images", "ami-0123456789abcdef0")
    os.makedirs(os.path.join(stray, "some", "where"))
    world.serve()
    wait_for(lambda: copies(world) == [image], 10, "what no image keeps is gone")


def test_another_launcher(own_world, root, tmp_path):
    """One that was killed is replaced, and has the images that the last one had."""
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    images = [imported(world, "place", root),
              imported(world, "copy", pack(root, str(tmp_path / "x.tar")))]
    before, = launch(world, subnet, images[0])
    with open(f"/proc/{world.daemon.pid}/task/{world.daemon.pid}/children", encoding="ascii") as file:
        children = file.read().split()
    for pid in children:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read() == "launcher\n":
                os.kill(int(pid), signal.SIGKILL)
                break
    else:
        pytest.fail("there is no launcher")
    after = [launch(world, subnet, image)[0] for image in images]
    for one in (before, *after):
        assert sh(world, one, "cat /marker") == "first\n"


def test_many(own_world, root):
    """One stage for all of them."""
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.0.0/20")
    image = imported(world, "many", root)
    instances = launch(world, subnet, image, count=200)
    assert sh(world, instances[0], "cat /marker") == sh(world, instances[-1], "cat /marker")
    world.assert_reaches(instances[0], world.private(instances[-1]))
