"""What the kernel holds in network namespaces, as comparable values."""
import ctypes
import json
import os
import socket
import struct
import subprocess

from lib import environment

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
NETLINK_NETFILTER, NLM_F_REQUEST, GETGEN = 12, 1, 10 << 8 | 16

# What moves by itself, or counts.
MOVING = {"stats64", "counter", "counters", "expires", "used", "lastuse", "updated", "metainfo"}


def fixed(value):
    """Without what moves."""
    if isinstance(value, dict):
        return {key: fixed(entry) for key, entry in value.items() if key not in MOVING}
    return [fixed(entry) for entry in value if not (isinstance(entry, dict) and
                                                    set(entry) <= MOVING)] \
        if isinstance(value, list) else value


def ask(namespace, *command):
    done = subprocess.run(["ip", "netns", "exec", namespace, *command], check=True,
                          capture_output=True, text=True, env=environment())
    return fixed(json.loads(done.stdout or "[]"))


def generation(namespace):
    """The number of its rules: the kernel counts each change of any table, chain, rule or element
    but those that packets make."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        assert LIBC.setns(there, CLONE_NEWNET) == 0, ctypes.get_errno()
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    finally:
        LIBC.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)
    with asking:
        asking.send(struct.pack("=LHHLLBBH", 20, GETGEN, NLM_F_REQUEST, 1, 0, 0, 0, 0))
        return struct.unpack_from("!L", asking.recv(4096), 24)[0]


def links(name):
    """Without what the kernel makes of LOWER_UP in its own time (net/core/link_watch.c: a second)."""
    return [{key: value for key, value in link.items() if key != "operstate"}
            for link in ask(name, "ip", "-j", "address")]


def objects(names):
    """Links, addresses, routes, permanent neighbours, forwarding entries and rules of each."""
    return {name: {
        "links": links(name),
        "routes": [ask(name, "ip", "-j", *family, "route", "show", "table", "all")
                   for family in ([], ["-6"])],
        "neighbours": ask(name, "ip", "-j", "neighbour", "show", "nud", "permanent"),
        "forwarding": [entry for entry in ask(name, "bridge", "-j", "fdb")
                       if entry.get("state") in ("permanent", "static")],
        "rules": [generation(name)],
    } for name in names}


def differences(then, now):
    """Between two of the above, a line each."""
    found = [f"{name}: {'gone' if name in then else 'new'}" for name in set(then) ^ set(now)]
    for name in set(then) & set(now):
        for kind, old in then[name].items():
            new = now[name][kind]
            if old != new:
                gone = [entry for entry in old if entry not in new]
                fresh = [entry for entry in new if entry not in old]
                found.append(f"{name}: {kind}: gone {gone}, new {fresh}")
    return found
