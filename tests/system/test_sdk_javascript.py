"""
The AWS SDK for JavaScript v3, unmodified: create, describe, pages, waiters, errors. It is where
MINIVPC_NODE_MODULES says, or where `scripts/bootstrap --test` has put it; else this is skipped.
"""
import glob
import json
import os
import re
import shutil
import subprocess

import pytest

from lib import IMAGE, ROOT, environment

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = os.environ.get("MINIVPC_NODE_MODULES",
                         os.path.join(ROOT, "build", "npm", "node_modules"))
REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not glob.glob(os.path.join(MODULES, "@aws-sdk", "client-ec2")),
    reason=f"no node, or no @aws-sdk/client-ec2 in {MODULES} (MINIVPC_NODE_MODULES)")


@pytest.fixture(scope="module")
def said(world, tmp_path_factory):
    """What the script found."""
    folder = tmp_path_factory.mktemp("node")
    os.symlink(os.path.abspath(MODULES), folder / "node_modules")
    shutil.copy(os.path.join(HERE, "sdk_v3.mjs"), folder)
    done = subprocess.run(
        [shutil.which("node"), "sdk_v3.mjs", world.url, world.key, world.secret, IMAGE],
        cwd=folder, env=environment(HOME=str(folder)), capture_output=True, text=True,
        timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_create(said):
    vpc, metadata = said["created"]["vpc"], said["created"]["metadata"]
    assert re.fullmatch("vpc-0[0-9a-f]{16}", vpc["VpcId"])
    assert (vpc["CidrBlock"], vpc["IsDefault"]) == ("10.0.0.0/16", False)
    assert vpc["Tags"] == [{"Key": "Name", "Value": "ä & <b>"}]
    assert metadata["httpStatusCode"] == 200 and REQUEST_ID.fullmatch(metadata["requestId"])


def test_describe(said):
    rule, = said["rules"]
    assert (rule["FromPort"], rule["IsEgress"], rule["CidrIpv4"]) == (80, False, "0.0.0.0/0")
    assert said["groups"] == ["default", "web"]
    instance = said["instance"]
    assert instance["dated"] and instance["State"] == {"Code": 16, "Name": "running"}
    assert instance["NetworkInterfaces"][0]["PrivateIpAddress"] == instance["PrivateIpAddress"]
    assert said["whole"] == 1


def test_pages(said):
    assert [len(page) for page in said["pages"]] == [5, 2]
    assert sorted(said["pages"][0] + said["pages"][1]) == sorted(said["subnets"])
    assert said["found"] == [5, 1]


def test_waiters(said):
    assert said["waited"] == ["SUCCESS"] * 3
    assert [said[name] for name in ("running", "stopped", "terminated")] == ["SUCCESS"] * 3
    assert said["nat"] == ["SUCCESS", "SUCCESS", "deleted"]
    assert "eni-0123456789abcdef0" in said["waiterError"]


@pytest.mark.parametrize("name, code, status, text", [
    ("notFound", "InvalidVpcID.NotFound", 400,
     "The vpc ID 'vpc-0123456789abcdef0' does not exist"),
    ("malformed", "InvalidSubnetID.Malformed", 400, 'Invalid id: "banana"'),
    ("dependency", "DependencyViolation", 400, "has dependencies and cannot be deleted"),
    ("dryRun", "DryRunOperation", 412,
     "Request would have succeeded, but DryRun flag is set."),
    ("missing", "MissingParameter", 400, "The request must contain the parameter"),
    ("secret", "AuthFailure", 401,
     "AWS was not able to validate the provided access credentials")])
def test_errors(said, name, code, status, text):
    """A class of its own, whose name is the code."""
    error = said["errors"][name]
    assert (error["name"], error["code"], error["status"]) == (code, code, status)
    assert text in error["message"] and error["kind"] and error["fault"] == "client"
    assert REQUEST_ID.fullmatch(error["requestId"]) and error["attempts"] == 1
