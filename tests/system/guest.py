"""Debian's packages for instances, unpacked by scripts/bootstrap and not installed here."""
import os

import pytest

from lib import ROOT

PACKAGES = os.path.join(ROOT, "build", "guest")
SSHD = "/usr/sbin/sshd"


def path(name):
    """Where they are; without them the test is skipped."""
    found = os.path.join(PACKAGES, name)
    if not os.path.exists(os.path.join(found, "packages")):
        pytest.skip(f"no {name} in {PACKAGES}: scripts/bootstrap --test unpacks it")
    return found


def install_sshd(world, *places):
    """An sshd on the disk, if this machine has none; what its package does when it is installed."""
    if os.path.exists(SSHD):
        return
    for place in places:
        world.run("cp", os.path.join(path("ssh"), "usr"), f"{place}:/")
        world.run("cp", os.path.join(path("ssh"), "etc/pam.d/sshd"), f"{place}:/etc/pam.d/")
        world.exec(place, "useradd --system --home-dir /run/sshd --shell /usr/sbin/nologin sshd")
