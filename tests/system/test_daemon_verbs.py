"""The verbs that people and scripts use: exec, internet, ps, env."""
import fcntl
import ipaddress
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time
import types

import pytest

from lib import BINARY, INTERNET, environment, tag_specification, wait_for


@pytest.fixture(scope="module")
def lab(world):
    vpc = world.vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    web, = world.run_instances(subnet, public=True,
                               TagSpecifications=tag_specification("instance", Name="web"))
    twins = world.run_instances(subnet, count=2,
                                TagSpecifications=tag_specification("instance", Name="twin"))
    return types.SimpleNamespace(subnet=subnet, web=web, twins=twins)


PLACES = pytest.mark.parametrize("place", ["instance", INTERNET])


def at(lab, place):
    return lab.web if place == "instance" else INTERNET


@PLACES
def test_streams_and_status(world, lab, place):
    done = world.exec(at(lab, place), ["sh", "-c", "cat; echo words >&2; exit 7"], check=False,
                      input="line one\nline two")
    assert (done.returncode, done.stdout, done.stderr) == (7, "line one\nline two", "words\n")


@PLACES
def test_a_lot_of_bytes(world, lab, place):
    data = os.urandom(3 << 20)
    done = world.exec(at(lab, place), "cat", check=False, input=data, text=False)
    assert done.returncode == 0 and done.stdout == data


@PLACES
@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["false"], 1), (["sh", "-c", "exit 255"], 255), (["no-such-command"], 127),
    (["/etc/passwd"], 126), (["sh", "-c", "kill -KILL $$"], 137), (["sh", "-c", "kill -TERM $$"],
                                                                   143)])
def test_exit_status(world, lab, place, command, status):
    assert world.exec(at(lab, place), command, check=False).returncode == status


def test_arguments_arrive_as_they_are(world, lab):
    words = ["a b", "", "*", "$HOME", "--state", "-o", "--", "'\"", "ünï"]
    script = "import sys; print(sys.argv[1:])"
    assert world.exec(lab.web, ["python3", "-c", script, *words]).strip() == str(words)


def test_the_dashes_are_optional(world, lab):
    assert world.run("exec", lab.web, "echo", "-n", "x").stdout == "x"
    assert world.run("internet exec", "echo", "-n", "x").stdout == "x"


def test_a_closed_pipe_ends_it(world, lab):
    script = f'"$1" exec --state "$2" {lab.web} -- yes | head -n 1'
    done = subprocess.run(["sh", "-c", script, "sh", BINARY, world.state], capture_output=True,
                          text=True, timeout=10, check=False, env=environment())
    assert done.stdout == "y\n"


def test_by_name(world, lab):
    assert world.exec("web", "hostname") == world.exec(lab.web, "hostname")


@pytest.mark.parametrize("name", [
    "twin", "nobody", "i-0fedcba9876543210", "i-banana", "vpc-0fedcba9876543210"])
@pytest.mark.usefixtures("lab")
def test_no_such_or_ambiguous_instance(world, name):
    done = world.exec(name, "true", check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and name in done.stderr


def test_a_name_is_free_again_after_termination(world, lab):
    old, = world.run_instances(lab.subnet,
                               TagSpecifications=tag_specification("instance", Name="phoenix"))
    world.ec2.terminate_instances(InstanceIds=[old])
    world.await_state("terminated", old)
    new, = world.run_instances(lab.subnet,
                               TagSpecifications=tag_specification("instance", Name="phoenix"))
    assert world.exec("phoenix", "hostname") == world.exec(new, "hostname")
    world.ec2.terminate_instances(InstanceIds=[new])


class Terminal:
    """A command on a terminal of ours."""

    def __init__(self, world, words, rows=33, columns=111):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(environment(TERM="dumb"))
            os.execv(BINARY, world.command(*world.where(*words)))
        self.size(rows, columns)
        self.text = ""

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, word, seconds=5):
        end = time.monotonic() + seconds
        while word not in self.text:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], \
                f"{word!r} awaited, got {self.text!r}"
            try:
                piece = os.read(self.fd, 4096)
            except OSError:
                piece = b""
            assert piece, f"{word!r} awaited, got {self.text!r}"
            self.text += piece.decode(errors="replace")
        return self.text

    def end(self, seconds=5):
        """Exit status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.fd, 4096).decode(errors="replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        pytest.fail(f"still running: {self.text!r}")


def test_no_terminal_where_there_is_none(world, lab):
    assert world.exec(lab.web, ["sh", "-c", "test -t 0 || test -t 1 || echo none"]) == "none\n"


@PLACES
def test_a_terminal_where_there_is_one(world, lab, place):
    terminal = Terminal(world, (at(lab, place), [
        "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && tty && echo ok; exit 5"]))
    terminal.until("ok")
    assert "/dev/pts/" in terminal.text or "/dev/console" in terminal.text
    assert terminal.end() == 5


def test_terminal_size_and_keys(world, lab):
    terminal = Terminal(world, (lab.web, ["sh"]))
    terminal.type("echo st''arted\n")
    terminal.until("started")
    terminal.type("stty size\n")
    terminal.until("33 111")
    terminal.size(44, 122)
    terminal.type("while [ \"$(stty size)\" = '33 111' ]; do sleep 0.01; done; stty size\n")
    terminal.until("44 122")
    terminal.type("sleep 1000\n")
    wait_for(lambda: "sleep 1000" in world.exec(lab.web, "ps -e -o args="), 5, "sleep runs")
    terminal.type("\x03")
    terminal.type("echo still he''re\n")
    terminal.until("still here")
    terminal.type("\x04")
    terminal.end()
    assert "sleep 1000" not in world.exec(lab.web, "ps -e -o args=")


def test_our_terminal_is_as_before(world, lab):
    """Raw mode ends with the command."""
    script = ('before=$(stty -g); "$1" exec --state "$2" "$3" -- stty raw; '
              'test "$before" = "$(stty -g)" && echo same''ly')
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(environment(TERM="dumb"))
        os.execvp("sh", ["sh", "-c", script, "sh", BINARY, world.state, lab.web])
    text, end = "", time.monotonic() + 10
    while time.monotonic() < end:
        try:
            text += os.read(fd, 4096).decode()
        except OSError:
            break
    os.waitpid(pid, 0)
    os.close(fd)
    assert "samely" in text, text


def objects(value):
    """Every JSON object in a value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from objects(entry)


def test_ps(world, lab):
    entry = world.instance(lab.web)
    wanted = {lab.web, "web", "running", "us-east-1a", lab.subnet, entry["PrivateIpAddress"],
              entry["PublicIpAddress"]}
    line, = [line for line in world.run("ps").stdout.splitlines() if lab.web in line]
    assert wanted <= set(line.split())
    listed = list(objects(json.loads(world.run("ps", "-o", "json").stdout)))
    found, = [each for each in listed if lab.web in each.values()]
    assert wanted <= {value for value in found.values() if isinstance(value, str)}
    for twin in lab.twins:
        assert any(twin in each.values() for each in listed)


def test_ps_and_names_from_hell(world, lab):
    name = "a \"b\"\\ <é> 日本"
    world.ec2.create_tags(Resources=[lab.twins[0]], Tags=[{"Key": "Name", "Value": name}])
    try:
        listed = list(objects(json.loads(world.run("ps", "-o", "json").stdout)))
        assert any(name in each.values() for each in listed)
        assert lab.twins[0] in world.run("ps").stdout
    finally:
        world.ec2.create_tags(Resources=[lab.twins[0]], Tags=[{"Key": "Name", "Value": "twin"}])


def test_ps_shows_stopped_ones(world, lab):
    one, = world.run_instances(lab.subnet)
    world.ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    line, = [line for line in world.run("ps").stdout.splitlines() if one in line]
    assert "stopped" in line.split()
    world.ec2.terminate_instances(InstanceIds=[one])


def test_env_is_for_eval(world):
    script = ('eval "$("$1" env --state "$2")"; printf "%s\\n" "$AWS_ENDPOINT_URL" '
              '"$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_DEFAULT_REGION"; '
              'env | grep -c "^AWS_[ADES]"')
    done = subprocess.run(["sh", "-euc", script, "sh", BINARY, world.state], check=True,
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.stdout.split()[:4] == [world.url, world.key, world.secret, "us-east-1"]
    assert int(done.stdout.split()[4]) == 4  # exported


def test_internet_address(world):
    text = world.run("internet address").stdout
    assert text == text.strip() + "\n"
    assert ipaddress.IPv4Address(text.strip())
    assert text.strip() in world.internet("ip -4 -o address show scope global")
    assert world.internet_address() == text.strip()


def test_aws_passes_status_and_streams(world):
    done = world.run("aws", "ec2", "describe-banana", check=False)
    assert done.returncode == 252 and "argument operation: Invalid choice" in done.stderr
    done = world.run("aws", "ec2", "describe-vpcs", "--vpc-ids", "banana", check=False)
    assert done.returncode == 254


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("verb", [["ps"], ["env"], ["internet", "address"],
                                  ["internet", "exec", "id"], ["exec", "web", "id"],
                                  ["aws", "ec2", "describe-regions"]])
def test_every_verb_takes_a_state(world, lab, verb, order):
    """`minivpc --state DIR ps` and `minivpc ps --state DIR`."""
    state, length = ["--state", world.state], 2 if verb[0] == "internet" else 1
    words = [*state, *verb] if order == "before" else [*verb[:length], *state, *verb[length:]]
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, check=False,
                          timeout=30, env=environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_many_execs_at_once(world, lab):
    running = [world.spawn(lab.web, ["sh", "-c", f"sleep 0.2; echo {number}"])
               for number in range(30)]
    for number, process in enumerate(running):
        assert process.wait(20) == 0
        assert process.stdout.read().decode().strip() == str(number)


def test_what_ends_with_exec(world, lab):
    """A client that is killed takes its command along."""
    process = world.spawn(lab.web, "sleep 27182")
    wait_for(lambda: "27182" in world.exec(lab.web, "ps -e -o args="), 5, "sleep runs")
    process.kill()
    process.wait(5)
    wait_for(lambda: "27182" not in world.exec(lab.web, "ps -e -o args="), 5, "sleep ended")


def test_every_verb_explains_itself():
    done = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=False,
                          env=environment(), timeout=5)
    assert done.returncode == 0 and done.stderr == ""
    for verb in ("serve", "env", "aws", "exec", "internet", "ps", "down", "--state"):
        assert verb in done.stdout
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=False,
                             env=environment(), timeout=5)
    assert version.returncode == 0 and version.stdout.startswith("minivpc ")
