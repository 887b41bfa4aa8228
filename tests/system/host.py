"""What must not change on the host: network, rules, sysctls, mounts, namespaces, processes,
control groups."""
import glob
import json
import os
import subprocess
import time

import isolation

# Counters and the like: they move by themselves.
VOLATILE = (
    "fs/aio-nr", "fs/dentry-state", "fs/file-nr", "fs/inode-nr", "fs/inode-state", "fs/quota",
    "fs/epoll", "fs/mount-nr", "kernel/ns_last_pid", "kernel/pty/nr", "kernel/random",
    "net/netfilter/nf_conntrack_count", "kernel/sched_domain", "fs/binfmt_misc",
)

LAUNCHER = "(launcher)"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sysctls():
    values = {}
    for top, _, names in os.walk("/proc/sys"):
        for name in names:
            path = os.path.join(top, name)
            key = os.path.relpath(path, "/proc/sys")
            if key.startswith(VOLATILE) or key.endswith("stat_refresh"):
                continue
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    values[key] = file.read()
            except OSError:
                continue
    return values


def network():
    facts = {}
    for what in (["link"], ["address"], ["route", "show", "table", "all"], ["rule"],
                 ["-6", "route", "show", "table", "all"], ["-6", "rule"]):
        facts["ip " + " ".join(what)] = output("ip", *what)
    rules = json.loads(output("nft", "-j", "list", "ruleset"))["nftables"]
    facts["nft"] = [rule for rule in rules if "metainfo" not in rule]
    return facts


def mounts():
    """Mount points with what is mounted there."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, right = line.split(" - ")
            fields = left.split()
            found.append((fields[4], fields[3], right.split()[0]))
    return sorted(found)


def processes():
    """
    Every process this process can see; kernel threads aside, and a launcher's own children, which
    come and go while it makes ready beside a daemon that serves already. pid -> command line.
    """
    found, names, parents = {}, {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                stat = file.read()
        except OSError:
            continue
        fields = stat.rsplit(")", 1)[1].split()
        names[int(name)], parents[int(name)] = stat.split(" ")[1], int(fields[1])
        if int(fields[6]) & 0x00200000:  # PF_KTHREAD
            continue
        if fields[0] == "Z" and int(fields[1]) == os.getpid():
            continue  # a child that a test started and hasn't waited for
        if isolation.INSIDE not in os.environ and "minivpc" not in command:
            continue  # the machine's own coming and going
        found[int(name)] = command or stat.split(" ")[1] + " (" + fields[0] + ")"
    return {pid: command for pid, command in found.items()
            if names[pid] != LAUNCHER or names.get(parents[pid]) != LAUNCHER}


# The places of worlds' control groups. They are the machine's, where others come and go.
groups_seen = set()


def see_groups():
    for record in glob.glob("/run/minivpc/*/limits"):
        with open(record, encoding="utf-8") as file:
            groups_seen.add(file.read())


def listing(directory):
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return []


class Snapshot:
    """Everything above at one moment."""

    def __init__(self):
        self.facts = {**network(), "netns": listing("/run/netns"), "run": listing("/run/minivpc"),
                      "groups": sorted(path for path in groups_seen if os.path.exists(path)),
                      "mounts": mounts(), "processes": processes(), "sysctl": sysctls()}

    def differences(self):
        now = Snapshot().facts
        # A module that the kernel has loaded meanwhile brings its own; a device's would show itself.
        now["sysctl"] = {key: value for key, value in now["sysctl"].items()
                         if key in self.facts["sysctl"]}
        return [difference(name, then, now[name])
                for name, then in self.facts.items() if then != now[name]]

    def assert_same(self, within):
        """The kernel tidies up in its own time; it has `within` seconds."""
        end = time.monotonic() + within
        while True:
            found = self.differences()
            if not found or time.monotonic() > end:
                break
            time.sleep(0.05)
        assert not found, "left behind on the host:\n" + "\n".join(found)


def difference(name, then, now):
    if isinstance(then, dict):
        keys = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        return f"{name}: " + "; ".join(f"{k}: {then.get(k)!r} -> {now.get(k)!r}" for k in keys[:20])
    if isinstance(then, str):
        then, now = then.splitlines(), now.splitlines()
    gone = [entry for entry in then if entry not in now]
    new = [entry for entry in now if entry not in then]
    return f"{name}: gone {gone[:20]}, new {new[:20]}"
