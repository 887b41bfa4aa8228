"""
The AWS CLI, unmodified, many command lines in one process: it takes a second to start, and a command
some hundredths. MINIVPC_TEST_CLI_PYTHON names the interpreter of another AWS CLI than Debian's.
"""
import dataclasses
import json
import os
import subprocess

from lib import environment

PYTHON = os.environ.get("MINIVPC_TEST_CLI_PYTHON", "/usr/bin/python3")

# Each command line runs in a fork, as fresh as a process of its own. A waiter's sleep is told, and
# cut short.
CHILD = """
import io, json, os, sys, time
import awscli
from awscli.clidriver import create_clidriver

driver, answers, slept = create_clidriver(), sys.stdout, []
driver.session.create_client("ec2")  # what takes time to load; and so does this, in version 2
if hasattr(driver, "subcommand_table"):
    driver.subcommand_table["ec2"].subcommand_table
really = time.sleep
def sleep(seconds):
    slept.append(seconds)
    really(min(seconds, 0.2))
time.sleep = sleep

def run(words):
    said = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in "oe"]
    sys.stdout, sys.stderr = said
    try:
        status = driver.main(words)
    except SystemExit as end:
        status = end.code
    out, err = (stream.buffer.getvalue().decode() for stream in said)
    print(json.dumps([status, out, err, slept]), file=answers, flush=True)

print(awscli.__version__, flush=True)
for line in sys.stdin:
    if os.fork() == 0:
        run(json.loads(line))
        os._exit(0)
    os.wait()
"""


@dataclasses.dataclass
class Done:
    """What a command line said; `slept` are the pauses it made, in seconds."""
    status: int
    out: str
    err: str
    slept: list

    @property
    def json(self):
        return json.loads(self.out) if self.out.strip() else None

    @property
    def words(self):
        return self.out.split()

    @property
    def code(self):
        """The error's, as the CLI tells it."""
        return self.err.split("(", 1)[1].split(")", 1)[0] if "An error occurred (" in self.err else None


class CommandLine:
    """`with CommandLine(world) as aws: aws("ec2 describe-vpcs", …)`."""

    def __init__(self, world):
        self.world = world
        self.used = set()  # commands that succeeded

    def __enter__(self):
        world = self.world
        self.process = subprocess.Popen(
            [PYTHON, "-I", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(AWS_ACCESS_KEY_ID=world.key, AWS_SECRET_ACCESS_KEY=world.secret,
                            AWS_DEFAULT_REGION=world.region,
                            AWS_DEFAULT_OUTPUT="json"))
        self.version = int(self.process.stdout.readline().split(".")[0])
        self.refusal = 254 if self.version > 1 else 255  # the exit status
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(30) == 0

    def try_(self, command, *words):
        """`command` is split at spaces, the words that follow are taken as they are."""
        line = [*command.split(), *words, "--endpoint-url", self.world.url]
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        done = Done(*json.loads(self.process.stdout.readline()))
        if done.status == 0:
            self.used.add(line[1])
        return done

    def __call__(self, command, *words):
        done = self.try_(command, *words)
        assert done.status == 0, f"{command} {words}: {done.status}\n{done.err}"
        return done

    def text(self, command, *words):
        """The one word that --query and --output text leave."""
        found, = self(command, *words, "--output", "text").words
        return found

    def refused(self, code, command, *words):
        done = self.try_(command, *words)
        assert (done.status, done.code, done.out) == (self.refusal, code, ""), (command, words, done)
        return done
