"""Stacks, events and pictures by hostile hands: words that steer a terminal, what is too much, and
several at once."""
import json
import re
import signal
import subprocess
import threading
import time

import pytest

from lib import environment, tag_specification
from stacks import await_status, network, ref, resource, status, template, web

STEERING = "a\x7f\u009b31m\u0085\u202ez"  # what XML has and a terminal obeys
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def gates(count, **more):
    return {f"Gate{i}": resource("EC2::InternetGateway", **more) for i in range(count)}


def start(world, *arguments, **options):
    process = subprocess.Popen(world.command(*arguments), stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
                               start_new_session=True, **options)
    world.spawned.append(process)
    return process


def stacks(world):
    return json.loads(world.run("stacks", "-o", "json").stdout)


@pytest.fixture
def files(own_world, tmp_path):
    """Writes a template; its path."""
    def write(body, name="lab.yaml"):
        path = tmp_path / name
        path.write_text(body if isinstance(body, str) else json.dumps(body))
        return str(path)
    return write


@pytest.mark.parametrize("arguments", [
    *(["graph", "-o", form] for form in ("text", "json", "dot", "mermaid", "svg", "html")),
    ["events"], ["ps"], ["ps", "-o", "json"], ["fault", "list"], ["fault", "list", "-o", "json"],
    ["stacks"], ["stacks", "-o", "json"], ["outputs", "lab"], ["outputs", "lab", "-o", "json"],
    ["why", "--model", "INSTANCE", "internet"], ["why", "--model", "INSTANCE", "internet", "-o", "json"],
    ["ping-matrix"], ["ping-matrix", "-o", "json"],
], ids=lambda found: "-".join(found))
def test_nothing_steers_a_terminal(named, arguments):
    world, instance = named
    done = world.run(*(instance if word == "INSTANCE" else word for word in arguments), check=False)
    shown = done.stdout + done.stderr
    assert not STEERS.search(shown), ascii(STEERS.search(shown)[0])
    assert done.returncode in (0, 1) and shown.strip()


@pytest.fixture(scope="module")
def named(make_world, tmp_path_factory):
    with make_world() as world:
        vpc = world.vpc("10.7.0.0/16", TagSpecifications=tag_specification("vpc", Name=STEERING))
        instance, = world.run_instances(
            world.subnet(vpc, "10.7.1.0/24", TagSpecifications=tag_specification(
                "subnet", Name=STEERING)),
            TagSpecifications=tag_specification("instance", Name=STEERING))
        world.run("fault", "instance", instance)
        path = tmp_path_factory.mktemp("named") / "lab.yaml"
        path.write_text(json.dumps(template(gates(1), {"Word": STEERING}, Description=STEERING)))
        world.run("up", str(path))
        yield world, instance


def test_reasons_steer_nothing(own_world, files):
    """Of what is refused, and of what fails half-way and is rolled back."""
    for value in (STEERING, "10.99.0.0/24"):
        body = {**network(), "Bad": resource(
            "EC2::Subnet", VpcId=ref("Net"), CidrBlock=value, depends="Net",
            Tags=[{"Key": "Name", "Value": STEERING}, {"Key": STEERING, "Value": "x" * 200}])}
        done = own_world.run("up", files(template(body)), check=False)
        assert done.returncode == 1 and not STEERS.search(done.stderr), ascii(done.stderr)
    assert stacks(own_world) == []


@pytest.mark.parametrize("description", ["\u4e16" * 31, "\u4e16" * 200, "e\u0301" * 200, "x" * 61,
                                         "x" * 60, "\u0301" * 300 + "\u4e16" * 31])
def test_a_description_is_cut_by_columns(own_world, files, description):
    own_world.run("up", files(template(gates(1), Description=description)))
    line = own_world.run("stacks").stdout.splitlines()[1]
    shown = line.split("CREATE_COMPLETE  ")[1]
    assert description.startswith(shown.rstrip("\u2026"))
    columns = sum(2 if character == "\u4e16" else character != "\u0301" for character in shown)
    assert 58 <= columns <= 60
