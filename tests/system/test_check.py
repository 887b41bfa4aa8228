"""`minivpc check`: what is there, what is not and for what; and nothing is left of it."""
import json
import os
import re
import subprocess

from host import Snapshot
from lib import BINARY, environment


def check(*arguments, before="true", path=None, state="/var/lib/minivpc"):
    """Run where `before`, a shell's words, has changed the mounts: it sees them and no one else."""
    env = environment(**({"PATH": path} if path else {}))
    words = " ".join((BINARY, "--state", state, "check", *arguments))
    return subprocess.run(
        ["/usr/bin/unshare", "-m", "/bin/sh", "-c",
         f"PATH=/usr/sbin:/usr/bin; {before} && exec env PATH=\"$FOR\" {words}"],
        check=False, capture_output=True, text=True, timeout=120,
        env={**env, "FOR": path or env["PATH"]})


def rows(done):
    return {row["feature"]: row for row in json.loads(done.stdout)}


def row(found, word):
    hits = [entry for name, entry in found.items() if word in name]
    assert len(hits) == 1, (word, list(found))
    return hits[0]


def test_all_that_is_needed_is_here():
    done = check("-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = rows(done)
    assert all(entry["there"] for entry in found.values() if entry["needed"])
    for word in ("network namespaces", "bridge", "veth", "CONFIG_NFT_CT", "user namespaces",
                 "overlay", "labels", "all rules"):
        assert row(found, word)["needed"] and row(found, word)["detail"] is None
    for word in ("CONFIG_NFT_NAT", "pasta", "idmapped", "sshd", "IPv6"):
        assert not row(found, word)["needed"]
    assert all(entry["costs"] for entry in found.values())
    assert row(found, "sshd")["there"] == os.access("/usr/sbin/sshd", os.X_OK)


def test_it_says_what_the_daemon_may_do():
    done = check("-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = row(rows(done), "CONFIG_SECCOMP_FILTER")
    assert calls["there"] and {"finit_module", "swapon", "kexec_load"} <= set(
        calls["detail"].split(", "))
    done = subprocess.run(
        ["/usr/bin/setpriv", "--bounding-set", "-kill", BINARY, "--state", "/tmp/minivpc-no-world",
         "check", "-o", "json"], check=True, capture_output=True, text=True, timeout=120,
        env=environment())
    entry = row(rows(done), "capabilities that serve keeps")
    assert not entry["there"] and not entry["needed"], entry
    assert entry["detail"].startswith("no CAP_KILL (stopping instances)"), entry


def own_groups():
    """The machine's; not those of worlds, which come and go meanwhile in other runs."""
    return sorted(name for name in os.listdir("/sys/fs/cgroup")
                  if not re.fullmatch("minivpc-[0-9a-f]{16}", name))


def test_it_leaves_nothing_behind(scratch):
    state = os.path.join(scratch, "no-world")
    before = Snapshot()
    groups = own_groups()
    assert check(state=state).returncode == 0
    assert not os.path.exists(state)
    before.assert_same(within=5)
    assert own_groups() == groups


def test_what_is_missing_is_named_with_its_price():
    done = check("-o", "json", path="/nonexistent", before=(
        "{ [ ! -d /dev/net ] || mount -t tmpfs none /dev/net; } && "  # no tun, no such directory
        "awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l && "
        "mount -t tmpfs none /usr/sbin"))
    assert done.returncode == 0, done.stdout + done.stderr  # nothing that is needed
    found = rows(done)
    for word, price, detail in (
            ("tun", "--uplink", "/dev/net/tun: No such file"), ("pasta", "--uplink", "apt install"),
            ("aws", "minivpc aws", "not in PATH"), ("tar", "minivpc cp", "not in PATH"),
            ("sshd", "ssh to instances", "/usr/sbin/sshd is not there"),
            ("control groups", "--memory-limits", "no control groups")):
        entry = row(found, word)
        assert not entry["there"] and not entry["needed"], entry
        assert price in entry["costs"] and detail in entry["detail"], entry
    assert row(found, "bridge")["there"]


def test_it_fails_where_something_needed_is_missing(scratch):
    place = os.path.join(scratch, "small")
    os.makedirs(place)
    small = f"mount -t tmpfs -o size=1m none {place}"
    done = check("-o", "json", before=small, state=f"{place}/world")
    assert done.returncode == 1
    entry = row(rows(done), "space for")
    assert not entry["there"] and entry["needed"] and "MiB free" in entry["detail"]
    table = check(before=small, state=f"{place}/world")
    assert table.returncode == 1
    assert "minivpc does not work here: 1 of what it needs is missing" in table.stdout


def test_root_of_a_user_namespace_is_told_what_it_lacks():
    """One that has a single id: none is left to give to instances, and they do with it."""
    done = subprocess.run(
        ["/usr/bin/unshare", "-Urmn", BINARY, "--state", "/tmp/minivpc-no-world", "check", "-o",
         "json"], check=False, capture_output=True, text=True, timeout=120, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    entry = row(rows(done), "ids for instances")
    assert not entry["there"] and not entry["needed"], entry
    assert "users" in entry["costs"] and "instances get one id" in entry["detail"], entry
    assert row(rows(done), "CONFIG_USER_NS")["there"]
    assert row(rows(done), "veth")["there"]


def test_a_table_says_what_it_comes_to():
    done = check()
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["THERE", "NEEDED", "FEATURE", "MISSING", "IT", "COSTS", "DETAIL"]
    assert lines[-1].startswith("minivpc works here")


def test_a_world_beside_it_goes_on(world):
    vpc = world.open_vpc("10.9.0.0/16")
    one, two = world.run_instances(world.subnet(vpc, "10.9.1.0/24"), 2)
    assert world.run("check").returncode == 0
    world.assert_reaches(one, world.private(two))
