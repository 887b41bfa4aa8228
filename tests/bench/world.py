"""A throw-away world for the benchmarks."""

import configparser
import os
import shutil
import signal
import subprocess
import tempfile
import time

import boto3
from botocore.config import Config


class Failed(Exception):
    """A measurement that could not be made."""


class World:
    """A throw-away world, and the daemon that serves it."""

    def __init__(self, binary: str, *options: str):
        self.binary = binary
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="minivpc-bench-")
        self.state = os.path.join(self.directory, "state")
        self.daemon = None
        self.endpoint = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.down()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def start(self) -> float:
        """Returns the seconds from exec until it is ready."""
        with open(os.path.join(self.directory, "log"), "ab") as log:
            start = time.monotonic()
            self.daemon = subprocess.Popen(
                [
                    self.binary,
                    "serve",
                    "--state",
                    self.state,
                    "--listen",
                    "127.0.0.1:0",
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.daemon.stdout.readline().split()
        elapsed = time.monotonic() - start
        if len(line) != 2 or line[0] != "ready":
            with open(os.path.join(self.directory, "log"), encoding="utf-8") as log:
                raise Failed(f"minivpc serve: {log.read().strip()[-300:]}")
        self.endpoint = line[1]
        return elapsed

    def stop(self) -> None:
        if self.daemon is None:
            return
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(10)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon.stdout.close()
        self.daemon = None

    def down(self) -> None:
        if os.path.isdir(self.state):
            self.run("down", timeout=120)
        self.stop()

    def run(self, verb: str, *arguments: str, timeout: float = 30):
        return subprocess.run(
            [self.binary, verb, "--state", self.state, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def client(self):
        keys = configparser.ConfigParser()
        keys.read(os.path.join(self.state, "credentials"))
        return boto3.client(
            "ec2",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=keys["default"]["aws_access_key_id"],
            aws_secret_access_key=keys["default"]["aws_secret_access_key"],
            config=Config(retries={"max_attempts": 0}, read_timeout=300),
        )
