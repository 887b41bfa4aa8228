"""Stacks, events and pictures by hostile hands: words that steer a terminal, what is too much, and
several at once."""
import json
import re
import signal
import subprocess
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


@pytest.mark.parametrize("description", [
    "\u4e16" * 31, "\u4e16" * 200, "e\u0301" * 200, "x" * 61, "x" * 60, "\u0301" * 300 + "\u4e16" * 31],
    ids=["wide", "very wide", "of two", "one too many", "just right", "of none and wide"])
def test_a_description_is_cut_by_columns(own_world, files, description):
    own_world.run("up", files(template(gates(1), Description=description)))
    line = own_world.run("stacks").stdout.splitlines()[1]
    shown = line.split("CREATE_COMPLETE  ")[1]
    assert description.startswith(shown.rstrip("\u2026"))
    columns = sum(2 if character == "\u4e16" else character != "\u0301" for character in shown)
    assert 58 <= columns <= 60


# Too much.

def deep(levels, form):
    if form == "json":
        return '{"Resources": {"A": {"Type": "T", "Properties": ' + "[" * levels + "]" * levels + "}}}"
    if form == "flow":
        return "Resources: {A: {Type: T, Properties: " + "[" * levels + "]" * levels + "}}"
    if form == "block":
        return "Resources:\n A: {Type: T}\nMetadata:\n" + "".join(
            " " * (i + 1) + "- \n" for i in range(levels))
    inner = '{"Fn::Join": ["", [' * levels + '"x"' + "]]}" * levels
    return '{"Resources": {"G": {"Type": "AWS::EC2::InternetGateway"}}, "Outputs": {"O": {"Value": ' \
        + inner + "}}}"


@pytest.mark.parametrize("text", [
    "#" + "x" * 700 * 1024, "#" + "x" * (1 << 20), "#" + "!" * (700 * 1024 - 1), "\0" * 100, "",
    "\xff\xfe", "&a [*a, *a]", "a: &a [x]\n" * 300,
    "A: &a [" + "x," * 100 + "]\n" + "".join(
        f"{chr(66 + i)}: &{chr(98 + i)} [" + f"*{chr(97 + i)}," * 100 + "]\n" for i in range(9)),
    *(deep(levels, form) for levels in (500, 20000) for form in ("json", "flow", "join")),
    deep(800, "block"),
], ids=lambda text: ascii(text[:12]) + str(len(text)))
def test_too_much_is_refused(world, tmp_path, text):
    """In one short line, soon, and nothing is left of it."""
    path = tmp_path / "lab.yaml"
    path.write_text(text, encoding="latin-1")
    began = time.monotonic()
    done = world.run("up", str(path), check=False)
    assert done.returncode == 1 and time.monotonic() - began < 10
    assert len(done.stderr.splitlines()) == 1 and len(done.stderr) < 1000, done.stderr[:2000]
    assert "internal" not in done.stderr.lower(), done.stderr
    assert stacks(world) == []


PARAMETERS = """
Parameters:
  A: { Type: String, Default: a }
  N: { Type: Number, Default: 1, MaxValue: 5 }
Resources: { G: { Type: AWS::EC2::InternetGateway } }
Outputs: { A: { Value: !Ref A } }
"""


@pytest.mark.parametrize("given", [
    ["A"], ["=x"], [""], ["B=1"], ["A=1", "A=2"], ["N=6"], ["N=x"], ["N=" + "9" * 5000], ["N="],
    ["A=" + "x" * 100000], ["A=\ud8ff"], ["A=a\x1b"], ["AWS::Region=x"], ["A\u0301=1"],
    [f"A{i}=1" for i in range(1000)], ["A.member.1.ParameterKey=x"],
], ids=lambda given: ascii(given[0][:12]) + str(len(given)))
def test_wrong_parameters_are_refused(world, tmp_path, given):
    path = tmp_path / "lab.yaml"
    path.write_text(PARAMETERS)
    words = [word for pair in given for word in ("--parameter", pair)]
    done = world.run("up", str(path), *(word.encode("utf-8", "surrogatepass") for word in words),
                     check=False)
    assert done.returncode in (1, 2), done.stdout
    assert len(done.stderr.splitlines()) == 1 and not STEERS.search(done.stderr), ascii(done.stderr)
    assert len(done.stderr) < 1000, done.stderr[:2000]
    assert stacks(world) == []


@pytest.mark.parametrize("value", ["", "=", "a=b=c", "&x=1%00+ ", "\u4e16", "$(id)`id`'\"\n", " x "])
def test_parameters_are_words(world, tmp_path, value):
    path = tmp_path / "lab.yaml"
    path.write_text(PARAMETERS)
    try:
        world.run("up", str(path), "--parameter", f"A={value}")
        assert json.loads(world.run("outputs", "lab", "-o", "json").stdout) == {"A": value}
        shell = world.run("outputs", "lab", "-o", "env").stdout + 'printf %s "$A"'
        assert subprocess.run(["sh", "-c", shell], stdout=subprocess.PIPE, text=True,
                              check=True).stdout == value
    finally:
        world.run("down", "lab", check=False)


def test_five_hundred_resources(own_world, files):
    world = own_world
    done = world.run("up", files(template(gates(501))), check=False)
    assert done.returncode == 1 and "500" in done.stderr
    done = world.run("up", files(template(gates(500))))
    assert "500 resources made" in done.stdout and done.stderr.count("  made ") == 500


def test_hundreds_of_stacks(own_world):
    """They are listed, and a new daemon has them."""
    world, client = own_world, own_world.client("cloudformation")
    wanted = [f"lab-{i}" for i in range(250)]
    for name in wanted:
        client.create_stack(StackName=name, TemplateBody=(
            "Resources: { G: { Type: AWS::EC2::InternetGateway } }"))
    for name in wanted:
        await_status(client, name, "CREATE_COMPLETE")
    assert sorted(stack["stack"] for stack in stacks(world)) == sorted(wanted)
    assert len(world.run("stacks").stdout.splitlines()) == 251
    world.restart()
    assert len(stacks(world)) == 250


# Several at once.

def test_up_at_once(own_world, files):
    """One makes it; the others say that there is nothing to be done, or that they can't."""
    world, path = own_world, files(template({**network(), "Web": web()}))
    for _ in range(3):
        processes = [start(world, "up", path) for _ in range(6)]
        done = [process.communicate(timeout=60) for process in processes]
        codes = [process.returncode for process in processes]
        assert 0 in codes, done
        assert [stack["status"] for stack in stacks(world)] == ["CREATE_COMPLETE"], done
        assert len(world.ec2.describe_vpcs()["Vpcs"]) == 2
        for _, error in done:
            assert "InternalError" not in error and "internal" not in error.lower(), done
        world.run("down", "lab")


def test_a_dry_run_deletes_nothing(own_world, files):
    """Beside another's `up` of the stack's name, as often as it takes to meet it."""
    world, path = own_world, files(template({**network(), "Web": web()}))
    for _ in range(10):
        dry = [start(world, "up", path, "--dry-run") for _ in range(3)]
        done = start(world, "up", path)
        output = done.communicate(timeout=60)
        for process in dry:
            process.communicate(timeout=60)
        assert done.returncode == 0, output
        assert [stack["status"] for stack in stacks(world)] == ["CREATE_COMPLETE"], output
        world.run("down", "lab")


@pytest.mark.parametrize("delay", [0, 0.05, 0.15, 0.3])
def test_the_world_ends_meanwhile(make_world, tmp_path, delay):
    """Nothing is left (see World), `up` ends, and no daemon is started by it again."""
    path = tmp_path / "lab.yaml"
    path.write_text(json.dumps(template({**network(), **{f"Web{i}": web() for i in range(8)}})))
    with make_world() as world:
        rising = start(world, "up", str(path))
        time.sleep(delay)
        world.run("down")
        output = rising.communicate(timeout=60)
        assert rising.returncode in (0, 1), output
        assert len(output[1].splitlines()) < 40


@pytest.mark.parametrize("delay", [0, 0.01, 0.03, 0.1])
def test_a_daemon_told_to_end(own_world, delay):
    """It ends at once, with status 0, and the next one goes on with the stack."""
    world, client = own_world, own_world.client("cloudformation")
    body = template({**network(), **{f"Web{i}": web() for i in range(6)}})
    made = client.create_stack(StackName="lab", TemplateBody=json.dumps(body))["StackId"]
    time.sleep(delay)
    assert world.kill(signal.SIGTERM) == 0
    world.serve()
    client = world.client("cloudformation")
    await_status(client, made, "CREATE_COMPLETE", seconds=60)
    assert len(client.describe_stack_resources(StackName="lab")["StackResources"]) == 14
    world.run("down", "lab")
    assert status(client, "lab") is None
