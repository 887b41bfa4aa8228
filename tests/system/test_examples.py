"""
What scripts/examples offers to copy, run as it stands: every line of the workflow, step after step,
the way that the runner does it. Its second job needs a docker of this machine's, and its network:
scripts/check-container --image runs this file as a program.
"""
import os
import re
import subprocess
import tempfile

import pytest
import yaml

from lib import BINARY, ROOT, environment

EXAMPLES = os.path.join(ROOT, "scripts", "examples")
# Installing and building are what has led here; the runner's own network isn't there.
SHIM = "#!/bin/sh\nexit 0\n"


def jobs():
    with open(os.path.join(EXAMPLES, "github-actions.yml"), encoding="utf-8") as file:
        return yaml.safe_load(file)["jobs"]


class Runner:
    """One job: a workspace, and what steps hand to those that follow."""

    def __init__(self, directory, **more):
        self.workspace = os.path.join(directory, "workspace")
        self.paths = []
        self.environment = more
        self.failed = False
        for name in ("workspace", "shims"):
            os.mkdir(os.path.join(directory, name))
        os.symlink(ROOT, os.path.join(self.workspace, "minivpc"))
        self.shims = os.path.join(directory, "shims")
        self.files = {name: os.path.join(directory, name) for name in ("GITHUB_PATH", "GITHUB_ENV")}

    def shim(self, *names):
        for name in names:
            with open(os.path.join(self.shims, name), "w", encoding="utf-8",
                      opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
                file.write(SHIM)

    def run(self, line):
        for path in self.files.values():
            with open(path, "w", encoding="utf-8"):
                pass
        env = environment(**self.environment, **self.files)
        env["PATH"] = os.pathsep.join([self.shims, *self.paths, env["PATH"]])
        done = subprocess.run(["bash", "--noprofile", "--norc", "-ec", line],
                              cwd=self.workspace, env=env, stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, text=True, timeout=1800)
        with open(self.files["GITHUB_PATH"], encoding="utf-8") as file:
            self.paths = [*file.read().split(), *self.paths]
        with open(self.files["GITHUB_ENV"], encoding="utf-8") as file:
            self.environment.update(line.split("=", 1) for line in file.read().splitlines())
        return done

    def job(self, steps):
        """Each step's output; a failure stops all but those that come always."""
        said, failure = {}, None
        for step in steps:
            condition = step.get("if")
            assert condition in (None, "failure()", "always()"), condition
            if "run" not in step or (failure and not condition) or (
                    condition == "failure()" and not failure):
                continue
            done = self.run(step["run"])
            said[step["name"]] = done.stdout
            if done.returncode != 0 and not failure:
                failure = f"{step['name']}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert not failure, failure
        return said


@pytest.fixture
def runner(scratch, tmp_path):
    made = Runner(str(tmp_path), MINIVPC_STATE=os.path.join(scratch, "example"))
    yield made
    subprocess.run([BINARY, "--state", made.environment["MINIVPC_STATE"], "down"], check=True,
                   env=environment(), timeout=60)


def test_steps_are_complete():
    """What the runner wants of each, and what is checked out is where the lines look for it."""
    for name, job in jobs().items():
        assert set(job) <= {"runs-on", "container", "steps"} and job["runs-on"], name
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            assert set(step) <= {"name", "run", "uses", "with", "if"}, step
            assert "uses" in step or step["name"], step
        assert "minivpc" in [step.get("with", {}).get("path") for step in job["steps"]]


def test_the_job_with_packets(runner):
    runner.shim("apt-get")
    if os.path.realpath(BINARY) != os.path.realpath(os.path.join(ROOT, "build", "minivpc")):
        runner.shim("make")  # this run is another build's
        runner.paths = [os.path.dirname(BINARY)]
    else:
        runner.environment["MAKEFLAGS"] = ""
    steps = jobs()["packets"]["steps"]
    said = runner.job(steps)
    assert "minivpc works here" in said["what there is not here, and for what"]
    assert "1 received" in said["your tests"] and "They agree" in said["your tests"]
    assert not os.path.exists(runner.environment["MINIVPC_STATE"])


def test_what_happened_is_told(runner):
    """The steps for a failure run too, and the job fails."""
    runner.shim("apt-get", "make")
    runner.paths = [os.path.dirname(BINARY)]
    steps = [dict(step, run="false") if step.get("name") == "your tests" else step
             for step in jobs()["packets"]["steps"]]
    with pytest.raises(AssertionError, match="your tests: 1"):
        runner.job(steps)


def test_the_image_has_all_that_it_loads():
    """Every library that the program wants is in one of the packages that the image installs."""
    with open(os.path.join(EXAMPLES, "Containerfile"), encoding="utf-8") as file:
        installed = set(re.findall(r"\blib[a-z0-9-]+", file.read()))
    loaded = subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True,
                            env=environment()).stdout
    if "libasan" in loaded:
        pytest.skip("a sanitizer's build loads more")
    own = {"libc6", "libgcc-s1"}
    for path in re.findall(r"=> (/\S+)", loaded):
        found = subprocess.run(["dpkg", "-S", os.path.realpath(path), path, "/usr" + path],
                               check=False, capture_output=True, text=True, env=environment())
        packages = set(re.findall(r"^(\S+?):", found.stdout, re.MULTILINE))
        assert packages & (installed | own), f"{path}: {packages}"


def main():
    """With CONTAINER_OPTIONS for --privileged, which asks for more than some machines have."""
    with tempfile.TemporaryDirectory() as directory:
        runner = Runner(directory, **{name: value for name, value in os.environ.items()
                                      if name.startswith("DOCKER_")})
        runner.paths = os.environ["PATH"].split(os.pathsep)
        steps = jobs()["container"]["steps"]
        options = os.environ.get("CONTAINER_OPTIONS", "--privileged")
        assert sum("--privileged" in step.get("run", "") for step in steps) == 1
        said = runner.job([{**step, "run": step["run"].replace("--privileged", options)}
                           if "run" in step else step for step in steps])
        for name, text in said.items():
            print(f"== {name}\n{text}", end="")
        assert "1 received" in said["your infrastructure and your tests"]


if __name__ == "__main__":
    main()
