"""
What there is, three times, each as a comparable value: what the API tells (the model), what the
database holds (the store), what the kernel has. The last two are read past the program: by sqlite3,
and by netlink and /proc. Numbers that differ from one time to the next (indexes, handles, pids,
counters, times) are left out.
"""
import collections
import ctypes
import json
import os
import re
import socket
import sqlite3
import stat
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
NLM_F_REQUEST, NLM_F_DUMP, NLM_F_DUMP_INTR = 1, 0x300, 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3

# ---- netlink ----


class Netlink:
    """A socket of one family in a namespace that the thread is in."""

    def __init__(self, protocol):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.settimeout(5)

    def dump(self, kind, body):
        """(type, payload) of each message; None where it was interrupted by a change."""
        self.socket.send(struct.pack("=LHHLL", 16 + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP,
                                     1, 0) + body)
        found = []
        while True:
            data = self.socket.recv(1 << 16)
            at = 0
            while at < len(data):
                length, type_, flags, _, _ = struct.unpack_from("=LHHLL", data, at)
                if flags & NLM_F_DUMP_INTR:
                    raise InterruptedError
                if type_ == NLMSG_DONE:
                    return found
                if type_ == NLMSG_ERROR:
                    error = -struct.unpack_from("=i", data, at + 16)[0]
                    raise OSError(error, f"netlink dump {kind}: {os.strerror(error)}")
                found.append((type_, data[at + 16:at + length]))
                at += (length + 3) & ~3


def attributes(data, start=0):
    """(type, value) of each."""
    at = start
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        yield kind & 0x3fff, data[at + 4:at + length]
        at += (length + 3) & ~3


def text(data):
    return data.rstrip(b"\0").decode()


def packed(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


IFLA = {1: "address", 4: "mtu", 13: "txqlen", 27: "group"}
# Of a bridge's port: mode, guard, protect, leave, learning, floods, proxies, isolated …
PORT = {1, 4, 5, 6, 7, 8, 9, 10, 11, 27, 30, 32, 33}


def links(netlink):
    """Links by name, and names by index."""
    found, names = {}, {0: ""}
    for _, data in netlink.dump(18, struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0)):
        _, _, _, index, flags, _ = struct.unpack_from("=BBHiII", data)
        kept = dict(attributes(data, 16))
        names[index] = text(kept[3])
        link = {name: kept[kind].hex() for kind, name in IFLA.items() if kind in kept}
        link["up"] = flags & 1
        link["master"] = struct.unpack("=I", kept[10])[0] if 10 in kept else 0
        for kind, value in attributes(kept.get(18, b"")):
            if kind == 1:
                link["kind"] = text(value)
            if kind == 5:  # what the bridge has set of its port
                link["port"] = sorted((k, v.hex()) for k, v in attributes(value) if k in PORT)
        found[names[index]] = link
    for link in found.values():
        if link.get("kind") == "bridge" or link["master"]:
            del link["address"]  # the kernel's choice
        link["master"] = names.get(link["master"], "?")
    return {name: json.dumps(link, sort_keys=True) for name, link in found.items()}, names


def entries(netlink, names):
    """Addresses, routes, neighbours, FDB, rules, queues, as lines."""
    for _, data in netlink.dump(22, struct.pack("=BBBBi", 0, 0, 0, 0, 0)):
        family, length, _, _, index = struct.unpack_from("=BBBBi", data)
        kept = dict(attributes(data, 8))
        yield f"address {names[index]} {family} {kept[1].hex()}/{length}"
    for family in (socket.AF_INET, socket.AF_INET6):
        for _, data in netlink.dump(26, struct.pack("=BBBBBBBBI", family, *[0] * 8)):
            head = struct.unpack_from("=BBBBBBBBI", data)
            kept = {k: v.hex() for k, v in attributes(data, 12) if k not in (4, 12)}
            device = [names[struct.unpack("=I", v)[0]] for k, v in attributes(data, 12) if k == 4]
            yield f"route {head[:8]} {device} {sorted(kept.items())}"
    for family in (0, socket.AF_BRIDGE if hasattr(socket, "AF_BRIDGE") else 7):
        for _, data in netlink.dump(30, struct.pack("=BBHiHBB", family, *[0] * 6)):
            family_, _, _, index, state, flags, kind = struct.unpack_from("=BBHiHBB", data)
            if not state & 0xc0 or names[index] == "lo":  # learnt, or being asked for
                continue
            if family_ == 7 and state & 0x80:
                continue  # a bridge's port's own
            kept = {k: v.hex() for k, v in attributes(data, 12) if k in (1, 2, 5)}
            if kept.get(1, "").startswith(("ff", "e0")):
                continue  # multicast: the kernel's own
            yield (f"neighbour {names[index]} {family_} {state} {flags} {kind} "
                   f"{sorted(kept.items())}")
    for _, data in netlink.dump(34, struct.pack("=BBBBBBBBI", socket.AF_INET, *[0] * 8)):
        yield f"rule {data.hex()}"
    for _, data in netlink.dump(38, struct.pack("=BBHiIII", *[0] * 7)):
        index = struct.unpack_from("=BBHi", data)[3]
        kept = dict(attributes(data, 20))
        kind = text(kept[1])
        if kind not in ("noqueue", "pfifo_fast", "fq_codel", "mq"):
            yield f"queue {names[index]} {kind} {kept.get(2, b'').hex()}"


NFT = 10 << 8
GETTABLE, GETCHAIN, GETRULE, GETSET, GETSETELEM = 1, 4, 7, 10, 13


def nfgen(family=0):
    return struct.pack("=BBH", family, 0, 0)


def expression(data):
    """A counter is left out of what it holds."""
    kept = dict(attributes(data))
    name = text(kept[1])
    return f"{name} {'' if name == 'counter' else kept.get(2, b'').hex()}"


def element(data):
    kept = dict(attributes(data))
    words = [f"{kind}:{kept[kind].hex()}" for kind in (1, 10, 2, 3) if kind in kept]
    if 7 in kept:
        words.append(expression(kept[7]))
    return None if 5 in kept else " ".join(words)  # one that expires comes and goes with packets


def rules(netlink):
    """Everything in nftables, as lines; of a chain its rules in their order."""
    sets, order = [], collections.Counter()
    for _, data in netlink.dump(NFT | GETTABLE, nfgen()):
        kept = dict(attributes(data, 4))
        yield f"table {data[0]} {text(kept[1])} {kept.get(6, b'').hex()}"
    for _, data in netlink.dump(NFT | GETCHAIN, nfgen()):
        kept = {k: v.hex() for k, v in attributes(data, 4) if k not in (2, 6, 8, 11)}
        yield f"chain {data[0]} {sorted(kept.items())}"
    for _, data in netlink.dump(NFT | GETRULE, nfgen()):
        kept = dict(attributes(data, 4))
        place = (data[0], text(kept[1]), text(kept[2]))
        order[place] += 1
        says = [expression(value) for _, value in attributes(kept.get(4, b""))]
        yield f"rule {place} {order[place]} {'; '.join(says)}"
    for _, data in netlink.dump(NFT | GETSET, nfgen()):
        kept = dict(attributes(data, 4))
        sets.append((data[0], kept[1], kept[2]))
        words = {k: v.hex() for k, v in kept.items() if k not in (10, 16, 17, 18, 20)}
        yield f"set {data[0]} {text(kept[2])} {sorted(words.items())}"
    for family, table, name in sets:
        body = nfgen(family) + packed(1, table) + packed(2, name)
        for _, data in netlink.dump(NFT | GETSETELEM, body):
            for kind, listed in attributes(data, 4):
                if kind != 3:
                    continue
                for _, one in attributes(listed):
                    found = element(one)
                    if found:
                        yield f"element {family} {text(name)} {found}"


def inside(name, home):
    """All of a namespace."""
    with open(f"/run/netns/{name}", "rb") as file:
        if LIBC.setns(file.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")
        try:
            route, netfilter = Netlink(NETLINK_ROUTE), Netlink(NETLINK_NETFILTER)
        finally:
            LIBC.setns(home, CLONE_NEWNET)
    with route.socket, netfilter.socket:
        found, names = links(route)
        lines = [f"link {link} {what}" for link, what in found.items()]
        lines += entries(route, names)
        lines += rules(netfilter)
    return sorted(f"{name}: {line}" for line in lines)


# ---- /proc and /sys ----


def mounts_of(pid):
    """Of a process: where, from where, of what kind."""
    found = []
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, right = line.split(" - ")
            fields, rest = left.split(), right.split()
            source = re.sub(r":\[\d+\]", "", fields[3])
            found.append(f"{fields[4]} {source} {rest[0]} {fields[5]}")
    return sorted(found)


def processes(us):
    """Of each that isn't ours: its name, its namespaces' names, its group, its mounts."""
    named = {}
    for name in sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []:
        named[os.stat(f"/run/netns/{name}").st_ino] = name
    home = os.stat("/proc/self/ns/net").st_ino
    here = os.stat("/proc/self/ns/mnt").st_ino
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            state, flags = rest.split()[0], int(rest.split()[6])
            if int(pid) in us or flags & 0x200000 or state in "ZX":
                continue
            net = os.stat(f"/proc/{pid}/ns/net").st_ino
            with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
                group = [line.strip().split(":", 1)[1] for line in file if "memory" in line
                         or line.startswith("0::")]
            place = "host" if net == home else named.get(net, "NOWHERE")
            yield f"process {name} in {place}, {group}"
            if os.stat(f"/proc/{pid}/ns/mnt").st_ino != here:
                for mount in mounts_of(pid):
                    if mount.startswith("/world/images/"):
                        continue  # an image that was launched once stays at hand
                    yield f"mount of {name} in {place}: {mount}"
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended


def files(directory):
    """What a directory holds; of what is a record what it says too."""
    for place, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith("ami-")] or folders[:0]
        for name in sorted(os.listdir(place)):
            path = os.path.join(place, name)
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                continue
            if name.endswith(("-wal", "-shm", ".log")) or name == "images":
                continue
            yield f"file {path} {stat.filemode(status.st_mode)}"
    return


def groups(run):
    """The world's control groups: named as its directory of run-time files, below the test's own."""
    name = "minivpc-" + os.path.basename(run)
    for top, below, _ in os.walk("/sys/fs/cgroup"):
        if os.path.basename(top) == name or f"/{name}/" in top:
            yield f"group {top}"
        below[:] = [one for one in below if not one.startswith("minivpc-") or one == name]


def kernel(world):
    """Everything there is of the world, and whatever else there is that shouldn't be."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    lines = []
    try:
        names = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []
        for name in names:
            lines += inside(name, home)
        lines += [f"namespace {name}" for name in names]
        lines += sorted(f"host mount {mount}" for mount in mounts_of("self"))
        lines += sorted(processes(world.ours()))
        lines += sorted(set(files(world.state)) | set(files(world.run_directory)))
        lines += sorted(groups(world.run_directory))
    finally:
        os.close(home)
    return lines


# ---- the store ----

# Why something is stopped: a start that was cut short has its own reason, as on AWS.
REASON = {"reason", "reasonCode", "reasonMessage"}
REASONS = re.compile(r"<(reason|stateReason)>.*?</\1>|<(reason|stateReason)/>", re.DOTALL)
VOLATILE = {"pid", "startTime", "order"} | REASON


def settled(value):
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return sorted((settled(item) for item in value), key=json.dumps)
    return value


TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00| GMT)?")
# An association that is replaced has another id afterwards, whatever it is replaced by.
ASSOCIATION = re.compile(r"\b(aclassoc|rtbassoc)-0[0-9a-f]{16}")
SECONDS = re.compile(r'"(\d{10})"')


# Kept for its id: nobody is told of it.
DEREGISTERED = re.compile('"kept": "false".*"stateNow": "deregistered"')


def plain(line):
    return ASSOCIATION.sub(r"\1-00000000000000000", line)


def store(path):
    """A line for each row; those of launches under way too."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        rows = database.execute("SELECT id, account, region, body FROM resource").fetchall()
        lines = [f"{i} {account} {region} {json.dumps(settled(json.loads(body)), sort_keys=True)}"
                 for i, account, region, body in rows]
        lines += [f"provisional {row}" for row in
                  database.execute("SELECT id FROM provisional").fetchall()]
    finally:
        database.close()
    return sorted(SECONDS.sub('"TIME"', TIME.sub("TIME", plain(line))) for line in lines
                  if not DEREGISTERED.search(line))


# ---- the model ----

EC2 = ("DescribeVpcs", "DescribeSubnets", "DescribeInternetGateways",
       "DescribeEgressOnlyInternetGateways", "DescribeRouteTables", "DescribeInstances",
       "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSecurityGroupRules",
       "DescribeNetworkAcls", "DescribeDhcpOptions", "DescribeManagedPrefixLists",
       "DescribeVpcPeeringConnections", "DescribeNatGateways", "DescribeAddresses",
       "DescribeTags", "DescribeInstanceStatus", "DescribeVolumes",
       "DescribeVolumesModifications", "DescribeKeyPairs", "DescribeLaunchTemplates",
       "DescribeFlowLogs", "DescribeVpcEndpoints", "GetInstanceMetadataDefaults")
OWN = ("ListInternetHosts", "ListImages", "ListFaults", "ListAccounts", "ListNatGateways")
STACKS = ("DescribeStacks", "ListStacks", "ListExports")
NOISE = re.compile(r"<(requestId|RequestId)>[^<]*<")
ITEM = re.compile(r"(?=<item>)|(?=<member>)")
CLOSING = re.compile(r"(\s*</\w+>)+\s*$")  # which of several comes last is of no interest


def model(world):
    """A line for each call and each thing that it tells of."""
    lines = []
    for service, actions in (("ec2", EC2), ("minivpc", OWN), ("cloudformation", STACKS)):
        for action in actions:
            reply = REASONS.sub("", NOISE.sub("", TIME.sub("TIME", plain(world.call(action, service=service)))))
            lines += sorted(f"{action}: {CLOSING.sub('', part)}" for part in ITEM.split(reply))
    return lines


# ---- all three ----

Dump = collections.namedtuple("Dump", "model store kernel")


def all_of(world):
    for _ in range(20):
        try:
            return Dump(model(world), store(os.path.join(world.state, "world.db")), kernel(world))
        except (InterruptedError, FileNotFoundError, ProcessLookupError, sqlite3.OperationalError):
            continue  # something changed while we looked
    raise AssertionError("the world doesn't come to rest")


def differences(wanted, found, most=12):
    """What tells two dumps apart."""
    lines = []
    for name, left, right in zip(Dump._fields, wanted, found):
        left, right = collections.Counter(left), collections.Counter(right)
        lines += [f"{name}: lacks {line[:300]}" for line in list((left - right).keys())[:most]]
        lines += [f"{name}: has {line[:300]}" for line in list((right - left).keys())[:most]]
    return "\n".join(lines)
