"""`minivpc up`, `down STACK`, `stacks` and `outputs`, as typed."""
import json

import pytest

from lib import api_state, tags
from stacks import network, ref, resource, template, web

YAML = """
Description: a lab
Parameters:
  Cidr: { Type: String, Default: 10.20.0.0/16 }
  Name: { Type: String }
Resources:
  Net:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: !Ref Cidr
      Tags: [{ Key: Name, Value: !Sub "${AWS::StackName}-${Name}" }]
Outputs:
  Id: { Value: !Ref Net, Description: the VPC }
  Words: { Value: !Join [" ", ["it's", "two"]] }
"""


@pytest.fixture
def lab(world, tmp_path):
    """A file called lab.yaml, and what is run with it; its stack is taken down."""
    class Lab:
        path = tmp_path / "lab.yaml"

        def write(self, body):
            self.path.write_text(body if isinstance(body, str) else json.dumps(body))

        def up(self, *arguments, check=True):
            return world.run("up", str(self.path), *arguments, check=check)
    yield Lab()
    for stack in json.loads(world.run("stacks", "-o", "json").stdout):
        world.run("down", stack["stack"])


def test_up_and_down(world, lab):
    lab.write(template({**network(), "Web": web()}, {"Address": {"Fn::GetAtt": "Web.PublicIp"}}))
    done = lab.up()
    assert "lab: 9 resources made in " in done.stdout and "made     Web  i-" in done.stderr
    address = json.loads(world.run("outputs", "lab", "-o", "json").stdout)["Address"]
    assert f"Address  {address}" in done.stdout
    world.assert_reaches("internet", address)
    assert "lab is up to date" in lab.up().stdout
    assert world.run("stacks").stdout.splitlines()[1].split() == ["lab", "CREATE_COMPLETE", "-"]
    down = world.run("down", "lab")
    assert "lab: 9 resources deleted in " in down.stdout
    assert json.loads(world.run("stacks", "-o", "json").stdout) == []
    world.ec2.describe_vpcs()  # the world goes on


def test_parameters_and_outputs(world, lab):
    lab.write(YAML)
    done = lab.up(check=False)
    assert done.returncode == 1 and "Name" in done.stderr
    made = json.loads(lab.up("--parameter", "Name=x", "--stack", "other", "-o", "json").stdout)
    assert made["stack"] == "other" and made["status"] == "CREATE_COMPLETE"
    assert made["milliseconds"] >= 0 and made["changes"][0]["Action"] == "Add"
    vpc = made["outputs"]["Id"]
    assert {"Key": "Name", "Value": "other-x"} in world.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][
        0]["Tags"]
    assert world.run("outputs", "other", "-o", "env").stdout == (
        f"Id='{vpc}'\nWords='it'\\''s two'\n")
    assert world.run("outputs", "other").stdout == f"Id     {vpc}\nWords  it's two\n"
    # What isn't given again stays.
    lab.write(YAML.replace("a lab", "more").replace("Description: the VPC", "Description: it"))
    lab.up("--stack", "other")
    found = world.client("cloudformation").describe_stacks(StackName="other")["Stacks"][0]
    assert {"ParameterKey": "Name", "ParameterValue": "x"} in found["Parameters"]


def test_changes_are_shown_first(world, lab):
    resources = {**network(), "Web": web()}
    lab.write(template(resources))
    before = api_state(world)
    dry = lab.up("--dry-run").stdout
    assert "  + Net  AWS::EC2::VPC" in dry
    assert api_state(world) == before and json.loads(world.run("stacks", "-o", "json").stdout) == []
    lab.up()
    resources["Group"]["Properties"]["GroupDescription"] = "others"
    resources["Net"]["Properties"]["Tags"] = tags(Name="x")
    del resources["Web"]
    lab.write(template(resources))
    before = api_state(world)
    dry = json.loads(lab.up("--dry-run", "-o", "json").stdout)
    assert {(change["LogicalResourceId"], change["Action"]) for change in dry} == {
        ("Group", "Modify"), ("Net", "Modify"), ("Web", "Remove")}
    assert api_state(world) == before
    shown = lab.up().stdout
    for line in ("~ Group  AWS::EC2::SecurityGroup  replaced: GroupDescription",
                 "~ Net  AWS::EC2::VPC  in place: Tags", "- Web  AWS::EC2::Instance"):
        assert line in shown


def test_a_failure(world, lab):
    """The reason in one line, everything undone, exit status 1, and the name is free again."""
    resources = {**network(),
                 "Bad": resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.99.0.0/24")}
    lab.write(template(resources))
    done = lab.up(check=False)
    assert done.returncode == 1
    assert "Bad: " in done.stderr and "All that was made was deleted again" in done.stderr
    del resources["Bad"]
    lab.write(template(resources))
    lab.up()
    resources["Bad"] = resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.99.0.0/24")
    lab.write(template(resources))
    before = api_state(world)
    done = lab.up(check=False)
    assert done.returncode == 1 and "All is as it was before" in done.stderr
    assert api_state(world) == before


def test_what_is_lacking(world, lab):
    lab.write(template({"Role": resource("IAM::Role", AssumeRolePolicyDocument={}),
                        "Gate": resource("EC2::InternetGateway")}))
    done = lab.up(check=False)
    assert done.returncode == 1 and "AWS::IAM::Role" in done.stderr
    assert json.loads(world.run("stacks", "-o", "json").stdout) == []
    done = lab.up("--skip-unsupported")
    assert "left out: " in done.stderr and "1 resource made" in done.stdout


def test_what_is_written_is_plain(world, lab):
    """A template's words don't steer a terminal; JSON has them as they are."""
    lab.write(template({"Gate": resource("EC2::InternetGateway")}, {"Word": "a\u009b31mred\nb"},
                       Description="red \x7f" + "x" * 100))
    done = lab.up()
    assert "Word  a?31mred" in done.stdout and "\x9b" not in done.stdout
    line = world.run("stacks").stdout.splitlines()[1]
    assert line.endswith("xxx…") and len(line) < 100 and "\x7f" not in line
    assert json.loads(world.run("outputs", "lab", "-o", "json").stdout) == {
        "Word": "a\u009b31mred\nb"}


@pytest.mark.parametrize("arguments, text", [
    (["up", "/nonexistent.yaml"], "/nonexistent.yaml: No such file"),
    (["up", "-"], "--stack NAME"),
    (["up", "/etc/passwd", "--stack", "1x"], "--stack NAME"),
    (["up", "/etc/passwd"], ""),
    (["down", "nothing"], "there is no stack nothing"),
    (["outputs", "nothing"], "there is no stack nothing"),
])
def test_refused(world, arguments, text):
    done = world.run(*arguments, check=False)
    assert done.returncode == 1 and text in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_from_standard_input(world, lab):
    done = world.run("up", "-", "--stack", "piped", input=json.dumps(
        template({"Gate": resource("EC2::InternetGateway")})))
    assert "piped: 1 resource made" in done.stdout
