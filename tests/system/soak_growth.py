"""What an empty world weighs: the daemon's memory and descriptors, and what the kernel holds."""
import collections
import os

import lib
from host import groups_seen, mounts

# Bytes. AWS shows an instance, a NAT gateway or a peering for an hour when it is no more, so the
# daemon remembers it; the rest is the allocator's holes and SQLite's cache, once for all.
PER_SHOWN = 4096
SLACK = 3 << 20


def status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith(name + ":")).split()[1])


def resident(pid):
    return status(pid, "VmRSS") << 10


def descriptors(pid):
    """How many of each kind."""
    found = collections.Counter()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
        if target.startswith(("socket:", "pipe:", "net:", "mnt:", "user:", "pid:")):
            target = target.split("[")[0]  # each has a number of its own
        found[target] += 1
    return found


def children(pid):
    """Command lines of what the daemon has started and not reaped."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            for child in file.read().split():
                with open(f"/proc/{child}/comm", encoding="utf-8") as name:
                    found.append(name.read().strip())
    return collections.Counter(found)


def held_namespaces():
    """Of all processes: how many of each kind."""
    found = collections.defaultdict(set)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for kind in ("net", "mnt", "user", "pid", "uts", "ipc", "cgroup"):
            try:
                found[kind].add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                pass
    return collections.Counter({kind: len(held) for kind, held in found.items()})


def mounts_of(pid):
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
        return len(file.readlines())


def groups():
    """How many control groups worlds have, where there are any."""
    return sum(len(below) + 1 for top in groups_seen for _, below, _ in os.walk(top))


def files(directory):
    """Their names."""
    return collections.Counter(os.path.join(place, name)[len(directory):]
                  for place, _, names in os.walk(directory) for name in names)


class Weight:
    """An empty world's, at one moment; `shown`: how much it has that is no more."""

    def __init__(self, world, shown):
        pid = world.daemon.pid
        self.pid, self.resident, self.shown = pid, resident(pid), shown
        self.exact = {"threads": status(pid, "Threads"), "descriptors": descriptors(pid),
                      "children": children(pid), "names": collections.Counter(lib.namespaces()),
                      "namespaces": held_namespaces(), "groups": groups(),
                      "mounts": len(mounts()),
                      "the daemon's mounts": mounts_of(pid), "files": files(world.state)}
        self.stored = sum(os.path.getsize(os.path.join(world.state, name))
                          for name in os.listdir(world.state)
                          if os.path.isfile(os.path.join(world.state, name)))

    def differences(self, first):
        """What there is more of."""
        return [f"{name}: more by {more}" for name, value in self.exact.items()
                if (more := value - first.exact[name] if isinstance(value, collections.Counter)
                    else max(0, value - first.exact[name]))]

    def assert_no_more_than(self, first):
        wrong = self.differences(first)
        grown = self.resident - first.resident
        if self.pid == first.pid and grown > SLACK + (self.shown - first.shown) * PER_SHOWN:
            wrong.append(f"memory: {grown >> 10} KiB more, with {self.shown - first.shown} "
                         "that are shown and no more")
        assert not wrong, "\n".join(wrong)
