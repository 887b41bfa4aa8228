"""
The machine itself before and after a whole run of tests, seen from outside of what isolates them:
links, addresses, routes, rules, permanent neighbours, nftables, sysctls, mounts, processes, control
groups, and the files of /run, /var/lib and /tmp.

  outside.py note FILE       writes down what there is
  outside.py compare FILE    each difference to that as a line: `- ` what is gone, `+ ` what is new
  outside.py world           a world on the machine itself, isolated by nothing: made, under
                             traffic while its daemon is killed, taken down
  outside.py --self-test     proves that each kind of change is found (as root)

RUN, in the environment, is the run's own directory, of its files; it marks its processes too.
What belongs to others on the machine is not compared, each with its reason below.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

import host
from kernel import fixed

RUN = "MINIVPC_TEST_RUN"
SECONDS = 20  # the kernel tidies up in its own time

# Sysctls that others change, the kernel first of all.
MOVING = {
    "kernel/perf_event_max_sample_rate": "the kernel lowers it where interrupts take long",
    "kernel/perf_cpu_time_max_percent": "goes with it",
    "kernel/tainted": "grows with any module and warning",
    "kernel/hung_task_detect_count": "a counter",
    "vm/lowmem_reserve_ratio": "goes with memory that is plugged in",
    "dev/cdrom/info": "what is in the drive",
}

# Where container engines, logins and other tests mount: they come and go.
PASSING = ("/tmp/", "/var/tmp/", "/var/lib/docker/", "/var/lib/containers/", "/run/docker/",
           "/run/containerd/", "/run/containers/", "/run/user/", "/media/", "/proc/", "/snap/")

# Directories of other tests' and benchmarks' runs in /tmp; this one's are in RUN.
OTHER_RUNS = re.compile(r"minivpc-(?!labs)[a-z]+[-.\w]*[-.]\w{6,10}")


def read(path):
    with open(path, "rb") as file:
        return file.read().decode(errors="replace")


def network():
    """Leases and router advertisements count down; routes to hosts may be cached."""
    for what, said in host.network().items():
        if isinstance(said, str):
            said = re.sub(r"(valid_lft|preferred_lft|expires) \w+", "", said)
            yield from (f"{what}: {' '.join(line.split())}" for line in said.splitlines()
                        if " cache " not in line)
        else:
            yield from (f"nft: {fixed(rule)}" for rule in said)
    for line in host.output("ip", "neighbour", "show", "nud", "permanent").splitlines():
        yield f"neighbour: {line}"


def processes():
    """Those of this run, but for the ones that ask."""
    mark = f"{RUN}={os.environ.get(RUN)}\0"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(pid) not in (os.getpid(), os.getppid()) and mark in read(f"/proc/{pid}/environ"):
                yield f"process {pid}: " + read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
        except OSError:
            continue


def strangers():
    """Daemons that are somebody's own, here, and make and unmake things of their own."""
    here, mark = os.stat("/proc/self/ns/mnt").st_ino, f"{RUN}={os.environ.get(RUN)}\0"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = read(f"/proc/{pid}/cmdline").split("\0")
            if os.path.basename(words[0]) == "minivpc" and "serve" in words and \
                    os.stat(f"/proc/{pid}/ns/mnt").st_ino == here and \
                    mark not in read(f"/proc/{pid}/environ"):
                yield f"stranger {pid}: {' '.join(words)}"
        except OSError:
            continue


def groups():
    """Worlds' control groups, where a daemon started here has its own: see instance/limit.c."""
    places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            places.append("/sys/fs/cgroup/memory" + path.rstrip("/"))
    return [f"control group {os.path.join(place, name)}" for place in places
            for name in host.listing(place) if name.startswith("minivpc-")]


def mounts():
    run = os.environ.get(RUN, "none") + "/"
    return [f"mount at {point}: {kind}" for point, _, kind in host.mounts()
            if not point.startswith(PASSING) or point.startswith(run)]


def files():
    for place in "/run", "/run/netns", "/run/minivpc", "/var/lib":
        yield from (f"file {place}/{name}" for name in host.listing(place)
                    if f"{place}/{name}" not in ("/run/netns", "/run/minivpc"))  # ip(8) leaves it
    for place in "/tmp", "/var/tmp":
        yield from (f"file {place}/{name}" for name in host.listing(place)
                    if name.startswith("minivpc") and not OTHER_RUNS.fullmatch(name))
    if RUN in os.environ:
        yield from (f"file {os.environ[RUN]}/{name}" for name in host.listing(os.environ[RUN]))


# A stranger's worlds have some of each.
WORLDS = ("mount at /run/", "file /run/", "control group ")


def everything():
    return {*network(), *processes(), *strangers(), *groups(), *mounts(), *files(),
            *(f"sysctl {key} = {value.strip()!r}" for key, value in host.sysctls().items()
              if key not in MOVING)}


def differences(then, now):
    """Lines; a sysctl that is new came with a module, and a stranger's end or start is its own."""
    if any(line.startswith("stranger") for line in then | now):
        then, now = ({line for line in lines if not line.startswith(WORLDS + ("stranger",))}
                     for lines in (then, now))
    known = {line.split(" = ")[0] for line in then if line.startswith("sysctl")}
    new = {line for line in now - then
           if not line.startswith("sysctl") or line.split(" = ")[0] in known}
    return [f"- {line}" for line in sorted(then - now)] + [f"+ {line}" for line in sorted(new)]


def note(path):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line.replace("\n", "\\n") + "\n" for line in everything())


def compare(path, seconds=SECONDS):
    """Until nothing differs, at most so long: what does then."""
    then, end = set(read(path).splitlines()), time.monotonic() + seconds
    while True:
        now = {line.replace("\n", "\\n") for line in everything()}
        found = differences(then, now)
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def world():
    """What lib.py's fixtures do, but for their look at a machine of their own."""
    from flows import Flows
    from lib import World
    from test_static_stability import build
    with tempfile.TemporaryDirectory(dir=os.environ.get(RUN)) as directory:
        os.chmod(directory, 0o755)
        running = World(os.path.join(directory, "world"))
        try:
            running.serve()
            flows = Flows(running, build(running).paths, 3)
            running.restart()
            assert not flows.broken()
        finally:
            running.end()


# What is done to a machine (of the test's own: network, mounts; the rest by names of its own), what
# undoes it, and what must be told.
CHANGES = (
    ("ip link add left type bridge", "ip link delete left", r"\+ ip link: .*left"),
    ("ip address add 192.0.2.1/32 dev lo", "ip address delete 192.0.2.1/32 dev lo",
     r"\+ ip address: .*192\.0\.2\.1"),
    ("ip route add blackhole 192.0.2.0/24", "ip route delete blackhole 192.0.2.0/24",
     r"\+ ip route .*192\.0\.2\.0/24"),
    ("ip rule add pref 9 table 9", "ip rule delete pref 9", r"\+ ip rule: 9:"),
    ("ip -6 route add blackhole 2001:db8::/32", "ip -6 route delete blackhole 2001:db8::/32",
     r"\+ ip -6 route .*2001:db8"),
    ("ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:01 dev there",
     "ip neighbour delete 192.0.2.2 dev there", r"\+ neighbour: 192\.0\.2\.2"),
    ("nft add table ip left", "nft delete table ip left", r"\+ nft: .*left"),
    ("echo 1 >/proc/sys/net/ipv4/ip_forward", "echo 0 >/proc/sys/net/ipv4/ip_forward",
     r"- sysctl net/ipv4/ip_forward = '0'\n(.*\n)*\+ sysctl net/ipv4/ip_forward = '1'"),
    ("mkdir /run/left && mount -t tmpfs left /run/left", "umount /run/left && rmdir /run/left",
     r"\+ mount at /run/left: tmpfs"),
    ("ip netns add left", "ip netns delete left", r"\+ file /run/netns/left"),
    ("mkdir -p /run/minivpc/left", "rm -r /run/minivpc", r"\+ file /run/minivpc/left"),
    ("mkdir /var/lib/minivpc", "rmdir /var/lib/minivpc", r"\+ file /var/lib/minivpc"),
    ("touch /tmp/minivpc-left", "rm /tmp/minivpc-left", r"\+ file /tmp/minivpc-left"),
    ('touch "$MINIVPC_TEST_RUN/left"', 'rm "$MINIVPC_TEST_RUN/left"', r"\+ file .*/left"),
    ("sleep 1000 >/dev/null 2>&1 & echo $! >/root/left", "kill $(cat /root/left)",
     r"\+ process \d+: sleep 1000"),
)


def try_changes():
    """In namespaces of its own, with empty directories where it makes something."""
    with tempfile.TemporaryDirectory() as directory:
        for place in "/run", "/var/lib", "/var/tmp", "/root":
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
        subprocess.run("mount --make-rshared /; mkdir -p /run/netns; ip link set lo up; "
                       "ip link add there type bridge; ip netns add some; nft list ruleset",
                       shell=True, check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
        os.makedirs(directory)
        os.environ[RUN] = directory
        noted = "/root/noted"
        note(noted)
        assert compare(noted, 0) == [], compare(noted, 0)
        for change, undo, expected in CHANGES:
            subprocess.run(change, shell=True, check=True)
            found = "\n".join(compare(noted, 0))
            assert re.search(expected, found), f"{change}: not found: {found!r}"
            subprocess.run(undo, shell=True, check=True)
            assert compare(noted, 2) == [], f"after {undo}: {compare(noted, 0)}"
        group = groups_parent()
        if group:
            os.mkdir(group)
            try:
                assert compare(noted, 0) == [f"+ control group {group}"], compare(noted, 0)
            finally:
                os.rmdir(group)


def groups_parent():
    """A group of a name of its own, where the machine has any that can be made."""
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(",") and os.path.isdir("/sys/fs/cgroup/memory" + path):
            return f"/sys/fs/cgroup/memory{path.rstrip('/')}/minivpc-self-test-{os.getpid()}"
    return None


def main():
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                                 "--mount-proc", sys.executable, "-B", os.path.abspath(__file__),
                                 "try"], check=False).returncode)
    if sys.argv[1:] == ["try"]:
        try_changes()
    elif sys.argv[1:] == ["world"]:
        world()
    elif len(sys.argv) == 3 and sys.argv[1] == "note":
        note(sys.argv[2])
    elif len(sys.argv) == 3 and sys.argv[1] == "compare":
        found = compare(sys.argv[2])
        print("\n".join(found))
        sys.exit(bool(found))
    else:
        sys.exit(__doc__.strip())


if __name__ == "__main__":
    main()
