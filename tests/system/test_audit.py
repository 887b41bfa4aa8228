"""What differs between the model and the kernel is told, exactly, and mended; then packets pass as before."""
import json
import os
import signal
import subprocess

import pytest

from lib import INTERNET, environment, links, names, namespaces, tag_specification, wait_for

DIFFERS = 3
IMDS = ["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}",
        "http://169.254.169.254/latest/meta-data/"]


def netns(namespace, *command, check=True):
    done = subprocess.run(["ip", "netns", "exec", namespace, *command], capture_output=True,
                          text=True, check=False, env=environment())
    if check:
        assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def audit(world, *arguments):
    """Exit status, and what is told."""
    done = world.run("audit", *arguments, "-o", "json", check=False)
    assert done.returncode in (0, DIFFERS), done.stderr
    return done.returncode, json.loads(done.stdout)


def told(found):
    """Differences as tuples: resource, how, wanted or (unexpected) found."""
    return sorted((row["resourceId"], row["difference"], row["wanted"] or row["found"])
                  for row in found)


def assert_clean(world):
    status, found = audit(world)
    assert (status, found) == (0, []), found


class Scene:
    """A public and a private subnet with an instance each, and what is between them."""

    def __init__(self, world):
        self.world = world
        vpc = world.open_vpc(TagSpecifications=tag_specification("vpc", Name="audited"))
        self.front = world.subnet(vpc, "10.0.1.0/24")
        self.back = world.subnet(vpc, "10.0.2.0/24", "us-east-1b")
        self.gateway = world.gateway(vpc)
        world.route_table(vpc, self.front, self.gateway)
        self.vpc = vpc
        self.public, = world.run_instances(self.front, public=True)
        self.private, = world.run_instances(self.back)
        self.neighbour, = world.run_instances(self.front)
        self.internet = [name for name in namespaces() if name.startswith("internet-")][0]
        self.eni = self.device(self.front, world.private(self.public))

    @staticmethod
    def device(subnet, address):
        return json.loads(netns(subnet, "ip", "-j", "route", "get", address))[0]["dev"]

    def assert_alive(self):
        world = self.world
        world.assert_reaches(self.public, world.private(self.private))
        world.assert_reaches(self.private, world.private(self.neighbour))
        world.assert_reaches(self.neighbour, world.private(self.public))
        world.assert_reaches(self.public, world.internet_address())
        world.assert_reaches(INTERNET, world.public(self.public))
        world.assert_silent(self.private, world.internet_address())
        assert world.exec(self.neighbour, IMDS) == "200", "instance metadata"

    def names(self):
        """What stands for a thing in the tables below."""
        return {"front": self.front, "back": self.back, "vpc": self.vpc, "igw": self.gateway,
                "internet": self.internet, "public": self.public, "eni": self.eni,
                "fabric": self.device_of(self.front)}

    def device_of(self, subnet):
        """The VPC's end of a subnet's port."""
        found, = [name for name in links(self.vpc) if name.startswith("subnet")
                  and name[6:] in subnet.replace("subnet-", "")] or [None]
        return found


@pytest.fixture(scope="module")
def scene(world):
    made = Scene(world)
    made.assert_alive()
    assert_clean(world)
    return made


def test_nothing_differs(scene):
    assert scene.world.run("audit").stdout == "nothing differs\n"
    assert scene.world.run("audit", "--repair").stdout == "nothing differs\n"


# Where, what is done there, and what of it is told: "missing", "different", "unexpected", and in words.
BREAKS = [
    ("front", "ip route del 10.0.1.4/32", [("front", "missing", "route 10.0.1.4/32 dev {eni}")]),
]


@pytest.mark.parametrize("place, command, differences", BREAKS,
                         ids=[f"{place}: {command}" for place, command, _ in BREAKS])
def test_a_thing_that_was_changed_is_told_and_mended(scene, place, command, differences):
    world, known = scene.world, scene.names()
    netns(known[place], *command.format(**known).split())
    wanted = sorted((known[where], how, text.format(**known)) for where, how, text in differences)
    status, found = audit(world)
    assert (status, told(found)) == (DIFFERS, wanted)
    status, mended = audit(world, "--repair")
    assert (status, told(mended)) == (0, wanted)
    assert all(row["mended"] for row in mended)
    assert_clean(world)
    scene.assert_alive()
