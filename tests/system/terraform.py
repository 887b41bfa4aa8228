"""Terraform, unmodified, with the provider of a mirror on this machine; nothing is downloaded."""
import glob
import json
import os
import re
import shutil
import subprocess

import pytest

from lib import environment

PROVIDER = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
ENDPOINTS}
"""
ENDPOINTS = """
  endpoints {
    ec2 = "URL"
    sts = "URL"
  }
"""


def mirror():
    """The folder with the providers: where TF_PLUGIN_MIRROR says, or a tf-plugins near the root."""
    named = os.environ.get("TF_PLUGIN_MIRROR")
    found = [named] if named else sorted(glob.glob("/*/tf-plugins") + glob.glob("/*/*/tf-plugins"))
    for folder in found:
        if glob.glob(os.path.join(folder, "*", "hashicorp", "aws")):
            return folder
    return None


needed = pytest.mark.skipif(not shutil.which("terraform") or not mirror(),
                            reason="no terraform, or no mirror of its AWS provider "
                                   "(TF_PLUGIN_MIRROR)")


class Terraform:
    """A working directory against a world: what is to be there, and the commands."""

    def __init__(self, world, folder):
        self.world = world
        self.folder = str(folder)
        config = os.path.join(self.folder, "terraformrc")
        self.write("terraformrc", "provider_installation {\n  filesystem_mirror {\n"
                                  f"    path = \"{mirror()}\"\n  }}\n}}\n")
        self.environment = environment(
            HOME=self.folder, TF_CLI_CONFIG_FILE=config, TF_IN_AUTOMATION="1", CHECKPOINT_DISABLE="1",
            AWS_ENDPOINT_URL=world.url, AWS_ACCESS_KEY_ID=world.key,
            AWS_SECRET_ACCESS_KEY=world.secret, AWS_REGION="us-east-1")
        self.started = False
        self.endpoints = ""

    def use_endpoints(self):
        """From now on the provider's own block names the world, and no variable does."""
        self.endpoints = ENDPOINTS.replace("URL", self.world.url)
        del self.environment["AWS_ENDPOINT_URL"]

    def configure(self, stack):
        self.write("main.tf", PROVIDER.replace("ENDPOINTS", self.endpoints) + stack)
        if not self.started:
            self.run("init", "-input=false")
            self.started = True

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words, statuses=(0,)):
        done = subprocess.run([shutil.which("terraform"), *words, "-no-color"], cwd=self.folder, text=True,
                              env=self.environment, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode in statuses, done.stdout + done.stderr
        return done

    def apply(self, stack, *words):
        """Brings the world to it; a plan afterwards finds nothing to do. What apply printed."""
        self.configure(stack)
        said = self.run("apply", "-auto-approve", "-input=false", *words).stdout
        self.assert_nothing_to_do(*words)
        return said

    def assert_nothing_to_do(self, *words):
        plan = self.run("plan", "-detailed-exitcode", "-input=false", *words, statuses=(0, 2))
        assert plan.returncode == 0, plan.stdout

    def resources(self):
        """What the state holds: attributes by address."""
        state = json.loads(self.run("show", "-json").stdout)
        return {entry["address"]: entry["values"]
                for entry in state["values"]["root_module"]["resources"]
                if entry["mode"] == "managed"}

    def output(self, name):
        return self.run("output", "-raw", name).stdout

    def destroy(self, *words):
        self.run("destroy", "-auto-approve", "-input=false", *words)


def counts(said):
    """Added, changed, destroyed: what apply says at its end."""
    found = re.search(r"Resources: (\d+) added, (\d+) changed, (\d+) destroyed", said)
    return tuple(int(number) for number in found.groups())
