"""The labs that ship: each is verified, and its lesson can be walked through to the end."""
import json
import os
import re
import shutil
import subprocess

import pytest

import lib
from lib import environment

LABS = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "labs")
with open(os.path.join(LABS, "contents"), encoding="ascii") as contents:
    NAMES = contents.read().split()


def stacks(world):
    return json.loads(world.run("stacks", "-o", "json").stdout)


def test_they_are_listed(world):
    listed = json.loads(world.run("labs", "-o", "json").stdout)
    assert [lab["name"] for lab in listed] == NAMES
    assert [lab["number"] for lab in listed] == list(range(1, len(NAMES) + 1))
    assert all(lab["title"] for lab in listed)
    table = world.run("labs").stdout
    for lab in listed:
        assert re.search(rf"^{lab['number']} +{lab['name']} +{re.escape(lab['title'])}$", table,
                         re.MULTILINE)


def test_each_is_whole():
    """Nothing ships that isn't listed, nor lacks a part."""
    assert {entry.name for entry in os.scandir(LABS) if entry.is_dir()} == set(NAMES)
    for name in NAMES:
        assert {"template.yaml", "lesson.md", "verify"} <= set(os.listdir(os.path.join(LABS, name)))
        assert os.access(os.path.join(LABS, name, "verify"), os.X_OK)


@pytest.mark.parametrize("name", NAMES)
def test_it_holds(world, name):
    before = world.ec2.describe_vpcs()["Vpcs"]
    done = world.run("lab", name, "--check", timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^ok +{name}: \d+ things hold$", done.stdout, re.MULTILINE)
    assert world.ec2.describe_vpcs()["Vpcs"] == before
    assert stacks(world) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_lesson_can_be_walked(world, name):
    """Every command of it is run; the last takes the stack down. Nothing is misspelt."""
    done = world.run("lab", name, input="\n" * 100, timeout=240)
    for status in 2, 126, 127, 252, 253, 254, 255:
        assert f"(exit status {status})" not in done.stdout, done.stdout
    for complaint in "not found", "unknown verb", "Unknown option", "An error occurred", "minivpc:":
        assert complaint not in done.stdout + done.stderr, done.stdout + done.stderr
    assert stacks(world) == []


def test_what_does_not_hold_is_told(world, tmp_path):
    """A lab's script can fail: of a template without the thing that it is about."""
    files = tmp_path / "groups-and-acls"
    world.run("lab", "groups-and-acls", "--files", str(files))
    template = (files / "template.yaml").read_text()
    (files / "template.yaml").write_text(template.replace("PortRange: { From: 80, To: 80 }",
                                                          "PortRange: { From: 0, To: 65535 }"))
    shutil.copy(os.path.join(LABS, "check.sh"), tmp_path)
    path = f"{os.path.dirname(os.path.abspath(lib.BINARY))}:{os.environ['PATH']}"
    done = subprocess.run([files / "verify"], check=False, capture_output=True, text=True,
                          env={**environment(), "PATH": path, "MINIVPC_STATE": world.state})
    assert done.returncode == 1
    assert "not so: a client in another subnet is not" in done.stderr and "FAILED" in done.stderr
    assert stacks(world) == []


def test_a_program_that_the_machine_lacks_is_told(world, tmp_path):
    """Before anything is made; what then didn't hold would say nothing of why."""
    for name in "sh", "dirname", "basename", "ping", "python3":
        (tmp_path / name).symlink_to(shutil.which(name))
    done = subprocess.run([os.path.join(LABS, "groups-and-acls", "verify")], check=False,
                          capture_output=True, text=True,
                          env={**environment(), "PATH": str(tmp_path)})
    assert done.returncode == 1 and not done.stdout
    assert done.stderr == "FAILED groups-and-acls: it needs curl, which this machine lacks\n"
    assert stacks(world) == []


def test_nobody_answers(world):
    """At the end of standard input the rest is shown, and nothing is run."""
    shown = world.run("lab", "1", stdin=subprocess.DEVNULL).stdout
    assert "## Try further" in shown and shown.count("[Enter] run it") == 1
    assert stacks(world) == []


def test_answers(world):
    """Skip, and quit."""
    shown = world.run("lab", "1", input="s\nq\n").stdout
    assert shown.count("[Enter] run it") == 2 and "Try further" not in shown
    assert stacks(world) == []


def test_refusals(world, tmp_path):
    done = world.run("lab", "nonesuch", check=False)
    assert done.returncode == 1 and "minivpc labs lists them" in done.stderr
    done = world.run("lab", "1", "--files", str(tmp_path), check=False)
    assert done.returncode == 1 and "File exists" in done.stderr


def test_no_files_are_left(world, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    world.run("labs")
    world.run("lab", "1", input="q\n")
    assert not list(tmp_path.iterdir())
