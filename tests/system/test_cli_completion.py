"""The tab key, in the shells themselves: what `minivpc completion` prints, typed at a terminal."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from lib import BINARY, environment, tag_specification

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(minivpc completion bash)"'),
    "zsh": (["zsh", "-f", "-i"],
            'autoload -U compinit; compinit -u -D; eval "$(minivpc completion zsh)"'),
}


class Shell:
    """An interactive one at a terminal of its own."""

    def __init__(self, name, directory, world):
        command, setup = SHELLS[name]
        os.symlink(BINARY, directory / "minivpc")
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, close_fds=True,
            cwd=directory, env=environment(PATH=f"{directory}:/usr/bin:/bin", TERM="dumb", PS1="> ",
                                           HOME=str(directory), MINIVPC_STATE=world.state))
        os.close(slave)
        self.seen = ""
        self.type(setup + "\n")
        self.type("echo re''ady\n")
        self.until("\nready")

    def type(self, text):
        os.write(self.master, text.encode())

    def until(self, text, seconds=15):
        """What is shown up to it, once more than echoed."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} isn't in {self.seen!r}"
            shown = os.read(self.master, 65536).decode(errors="replace")
            self.seen += re.sub("\r|\x1b\\[[0-9;?]*[A-Za-z]|\x07", "", shown)
        before, self.seen = self.seen.split(text, 1)
        return before

    def end(self):
        self.process.kill()
        self.process.wait(10)
        os.close(self.master)


@pytest.fixture(params=SHELLS)
def shell(request, world, tmp_path):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param}")
    running = Shell(request.param, tmp_path, world)
    yield running
    running.end()


@pytest.fixture(scope="module", autouse=True)
def instances(world):
    subnet = world.subnet(world.vpc(), "10.0.1.0/24")
    return {name: world.run_instances(subnet, TagSpecifications=tag_specification(
        "instance", Name=name))[0] for name in ("webserver", "$(touch gone)", "data;base", "-rf")}


def typed(shell, line):
    """What the line becomes: the tab key, and then the line is only echoed."""
    shell.type(line + "\t")
    time.sleep(0.3)  # nothing says that a shell offers nothing
    shell.type("\x01echo it is: \x05 :end\n")  # to the line's start, and to its end
    shell.until("\nit is: ")
    return shell.until(" :end\n").strip()


def test_words_and_names(shell, instances, tmp_path):
    assert typed(shell, "minivpc gra") == "minivpc graph"
    assert typed(shell, "minivpc internet addr") == "minivpc internet address"
    assert typed(shell, "minivpc ps --dr") == "minivpc ps --drops"
    assert typed(shell, "minivpc ps -o js") == "minivpc ps -o json"
    assert typed(shell, "minivpc exec webs") == "minivpc exec webserver"
    one = instances["webserver"]
    assert typed(shell, f"minivpc shell {one[:16]}") == f"minivpc shell {one}"
    (tmp_path / "packets.pcapng").touch()
    assert typed(shell, "minivpc capture webserver -w pack") == \
        "minivpc capture webserver -w packets.pcapng"


def test_names_that_a_shell_would_run_are_not_offered(world, shell, instances, tmp_path):
    """Their ids are."""
    assert typed(shell, "minivpc exec da") == "minivpc exec da"
    assert not (tmp_path / "gone").exists()
    offered = [line.split("\t")[0] for line in
               world.run("complete", "--", "exec", "").stdout.splitlines()]
    assert sorted(offered) == sorted([*instances.values(), "webserver"])


def test_nothing_is_started_for_it(tmp_path):
    """Words are offered without a world, and none is made."""
    state = tmp_path / "world"
    done = subprocess.run([BINARY, "complete", "--", "--state", str(state), "exec", "w"],
                          capture_output=True, text=True, check=True, env=environment())
    assert (done.stdout, done.stderr) == ("", "") and not state.exists()
    done = subprocess.run([BINARY, "complete", "--", "gra"], capture_output=True, text=True,
                          check=True, env=environment())
    assert done.stdout.startswith("graph\t")


@pytest.mark.parametrize("name", SHELLS)
def test_scripts_are_well_formed(name):
    if not shutil.which(name):
        pytest.skip(f"no {name}")
    script = subprocess.run([BINARY, "completion", name], capture_output=True, check=True).stdout
    done = subprocess.run([name, "-n"], input=script, capture_output=True, check=True)
    assert done.stderr == b""
