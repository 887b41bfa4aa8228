"""The machine under a world: what was there before, and what else happens there."""
import os
import subprocess

import pytest

from lib import environment, namespaces


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, env=environment())


@pytest.mark.parametrize("when", ["before", "while"])
def test_the_machines_own_namespaces_stay(make_world, when):
    """What ip(8) makes goes on beside ours, under its name."""
    def add():
        ip("netns", "add", "mine")
        return os.stat("/run/netns/mine").st_ino
    inode = add() if when == "before" else None
    try:
        with make_world() as world:
            subnet = world.subnet(world.vpc(), "10.0.1.0/24")
            world.run_instances(subnet)
            if when == "while":
                inode = add()
            assert {"mine", subnet} < set(namespaces())
            assert os.stat("/run/netns/mine").st_ino == inode
            ip("netns", "exec", "mine", "true")
            if when == "while":
                ip("netns", "delete", "mine")
        assert namespaces() == (["mine"] if when == "before" else [])
        if when == "before":
            assert os.stat("/run/netns/mine").st_ino == inode
            ip("netns", "exec", "mine", "true")
    finally:
        if "mine" in namespaces():
            ip("netns", "delete", "mine")
        # ip(8) makes a mount of the directory and leaves it behind.
        subprocess.run(["umount", "/run/netns"], check=False, capture_output=True)


def test_the_host_gets_no_device(make_world):
    """Instances run; the host's own network namespace has its loopback and nothing new."""
    with make_world() as world:
        subnet = world.subnet(world.vpc(), "10.0.1.0/24")
        world.route_table(world.instance(world.run_instances(subnet)[0])["VpcId"], subnet)
        assert not [line for line in world.before.differences()
                    if not line.startswith(("netns", "run", "groups", "mounts", "processes"))]
