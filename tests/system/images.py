"""Root file systems small enough to make for a test: a few tools, what they need, a marker."""
import io
import os
import shutil
import subprocess
import tarfile

from lib import IMAGE, environment, names

TOOLS = ("sh", "cat", "ls", "ln", "ping", "mkdir", "chmod", "base64", "stat", "id", "sleep", "rm",
         "wc", "touch", "tar", "dirname", "mktemp", "mv", "cp", "realpath", "basename")


def make_root(directory, marker, tools=TOOLS):
    """A directory with the tools in /bin, a marker, and files that not everybody may read."""
    os.makedirs(os.path.join(directory, "bin"))
    paths = [shutil.which(tool) for tool in tools]
    needed = subprocess.run(["ldd", *paths], check=True, capture_output=True, text=True,
                            env=environment()).stdout.split()
    for path in {word.rstrip(":") for word in needed if word.startswith("/")} - {
            path + suffix for path in paths for suffix in ("", ":")}:
        place = os.path.join(directory, path.lstrip("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy(path, place)
    for path in paths:
        shutil.copy(path, os.path.join(directory, "bin", os.path.basename(path)))
    put(directory, "marker", marker)
    put(directory, "private", f"secret of {marker}", 0o600)
    put(directory, "theirs", "not root's", 0o4750, 1000, 1001)
    return directory


def put(directory, name, text, mode=0o644, uid=0, gid=0):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def pack(directory, archive, compression=""):
    with tarfile.open(archive, f"w:{compression}") as file:
        file.add(directory, ".")
    return archive


def archive_of(path, *members):
    """An archive of (name, what tarfile.TarInfo says of it, content)."""
    with tarfile.open(path, "w") as file:
        for name, what, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in what.items():
                setattr(member, key, value)
            file.addfile(member, io.BytesIO(content))
    return path


def imported(world, name, path, **options):
    return world.run("image import", name, path, **options).stdout.strip()


def launch(world, subnet, image=IMAGE, count=1, **more):
    made = names(world.ec2.run_instances(
        ImageId=image, InstanceType="t3.micro", MinCount=count, MaxCount=count, SubnetId=subnet,
        **more)["Instances"], "InstanceId")
    world.await_state("running", *made)
    return made


def copies(world):
    """What the world has unpacked."""
    try:
        return os.listdir(os.path.join(world.state, "images"))
    except FileNotFoundError:
        return []


def described(world, image):
    return world.ec2.describe_images(ImageIds=[image])["Images"][0]


def tree(directory):
    """All that a directory holds, with owners, modes and sizes."""
    found = {}
    for place, folders, files in os.walk(directory):
        for name in folders + files:
            path = os.path.join(place, name)
            status = os.lstat(path)
            found[os.path.relpath(path, directory)] = (
                status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns,
                status.st_size if os.path.isfile(path) else 0)
    return found
