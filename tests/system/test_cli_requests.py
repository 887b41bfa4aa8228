"""
The AWS CLI's --generate-cli-skeleton, --cli-input-json and --dry-run, and every parameter that the
model of the API has for every action we answer.
"""
import http.client
import json
import tempfile

import pytest
from botocore import xform_name
from botocore.serialize import create_serializer
from botocore.utils import ArgumentGenerator

import minimal
import wire
from commandline import CommandLine
from lib import api_state


@pytest.fixture(scope="module")
def things(world, scratch):
    return minimal.furnish(world, tempfile.mkdtemp(dir=scratch))


@pytest.fixture(scope="module")
def aws(world, things):
    with CommandLine(world) as running:
        yield running


@pytest.fixture(scope="module")
def answered(world):
    """The actions of boto3's model that there are: they find fault with a parameter, not a name."""
    return [action for action in world.ec2.meta.service_model.operation_names
            if wire.call(world, action, Nonsense="1").code == "UnknownParameter"]


def test_every_action_has_a_request(answered, things):
    assert len(answered) > 140
    assert [action for action in answered if minimal.request_of(action, things) is None] == []


def skeleton_of(world, action):
    """As the CLI makes it, by a part of it that botocore has."""
    shape = world.ec2.meta.service_model.operation_model(action).input_shape
    return ArgumentGenerator().generate_skeleton(shape)


@pytest.mark.parametrize("action", ["CreateVpc", "RunInstances", "DescribeInstances",
                                    "AuthorizeSecurityGroupIngress", "CreateTags"])
def test_skeletons(world, aws, action):
    made = aws(f"ec2 {xform_name(action, '-')} --generate-cli-skeleton input").json
    assert set(made) >= set(skeleton_of(world, action)) - {"MaxResults", "NextToken"}


def test_dry_runs(world, aws, answered, things, tmp_path):
    """A skeleton that is filled in is the request; with DryRun, which it has, nothing is done."""
    before, done, file = api_state(world), [], tmp_path / "input.json"
    binary = ["--cli-binary-format", "raw-in-base64-out"] if aws.version > 1 else []
    for action in answered:
        request, skeleton = minimal.request_of(action, things), skeleton_of(world, action)
        if "DryRun" not in skeleton:
            continue
        assert set(request) <= set(skeleton), action
        assert skeleton["DryRun"] is True
        file.write_text(json.dumps({**request, "DryRun": skeleton["DryRun"]}))
        command = f"ec2 {xform_name(action, '-')} --cli-input-json file://{file}"
        said = aws.try_(command, *binary, "--region", minimal.REGIONS.get(action, world.region))
        done.append((action, said.status, said.code, said.out, said.err))
    assert len(done) > 130
    wrong = [said for said in done if said[1:4] != (aws.refusal, "DryRunOperation", "")]
    assert not wrong, "\n".join(map(str, wrong))
    assert api_state(world) == before


def test_the_option(world, aws, things):
    """--dry-run and --no-dry-run, as they are typed."""
    command = f"ec2 delete-subnet --subnet-id {things['loose_subnet']}"
    assert aws.refused("DryRunOperation", command, "--dry-run").err.strip() == (
        "An error occurred (DryRunOperation) when calling the DeleteSubnet operation: "
        "Request would have succeeded, but DryRun flag is set.")
    aws.refused("InvalidSubnetID.NotFound", "ec2 delete-subnet --dry-run --subnet-id",
                "subnet-0123456789abcdef0")
    aws(command, "--no-dry-run")
    things["loose_subnet"] = world.subnet(things["vpc"], "10.0.3.0/24")


def without_blobs(skeleton):
    """They have no empty value there."""
    if isinstance(skeleton, dict):
        return {name: without_blobs(value) for name, value in skeleton.items() if value is not None}
    return skeleton


def test_a_skeleton_as_it_is(world, answered):
    """Empty words, zeros, `true`, sent by somebody who filled in nothing: refused, or a dry run."""
    model, connection = world.ec2.meta.service_model, Wire(world)
    for action in answered:
        skeleton, operation = skeleton_of(world, action), model.operation_model(action)
        if "DryRun" in skeleton:
            reply = connection.call(action, serialized(without_blobs(skeleton), operation))
            assert reply.status in (400, 412), (action, reply.body)


def test_yaml_skeletons(world, aws, things, tmp_path):
    if aws.version < 2:
        pytest.skip("an AWS CLI of version 1")
    file = tmp_path / "input.yaml"
    file.write_text(f"VpcId: {things['vpc']}  # of mine\nCidrBlock: 10.0.4.0/24\nTagSpecifications:\n"
                    "- ResourceType: subnet\n  Tags: [{Key: Name, Value: by yaml}]\n")
    made = aws("ec2 create-subnet --cli-input-yaml", f"file://{file}").json["Subnet"]
    assert made["Tags"] == [{"Key": "Name", "Value": "by yaml"}]
    world.ec2.delete_subnet(SubnetId=made["SubnetId"])


def leaves(shape, seen=()):
    """A value with nothing but one scalar in it, for every scalar."""
    if shape.name in seen:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            for value in leaves(member, (*seen, shape.name)):
                yield {name: value}
    elif shape.type_name == "list":
        for value in leaves(shape.member, (*seen, shape.name)):
            yield [value]
    else:
        yield {"boolean": True, "integer": 1, "long": 1, "double": 1.0, "float": 1.0, "blob": b"x",
               "timestamp": "2020-01-01T00:00:00Z", "string": "x"}[shape.type_name]


class Wire:
    """Signed calls by one connection: the code of the refusal and its text."""

    def __init__(self, world):
        self.world = world
        self.connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=10)

    def call(self, action, parameters):
        request = wire.signed(self.world, wire.form(action, **parameters))
        self.connection.request("POST", "/", request.body, dict(request.headers.items()))
        answer = self.connection.getresponse()
        reply = wire.Reply(answer.status, {}, answer.read().decode())
        assert reply.status < 500, (action, parameters, reply.body)
        return reply


def serialized(request, operation):
    """The parameters of the Query protocol."""
    body = create_serializer("ec2", False).serialize_to_request(request, operation)["body"]
    return {name: text for name, text in body.items() if name not in ("Action", "Version")}


def test_every_parameter_is_known(world, answered):
    """By itself, and nothing with it: refused, by name where we don't know it, or it was a dry run."""
    model, calls, connection = world.ec2.meta.service_model, 0, Wire(world)
    for action in answered:
        operation = model.operation_model(action)
        for value in leaves(operation.input_shape):
            given = serialized(value, operation)
            reply = connection.call(action, {**given, "DryRun": "true"})
            calls += 1
            if reply.code == "UnknownParameter":
                assert any(f"The parameter {name} is not" in reply.message for name in given), given
    assert calls > 1000
