"""Systems Manager's public parameters: how templates and scripts ask for the newest image."""
import datetime
import json
import re

import pytest

import wire
from lib import names, refused

LINUX = "/aws/service/ami-amazon-linux-latest"
UBUNTU = "/aws/service/canonical/ubuntu/server"
DEBIAN = "/aws/service/debian/release"

# What people ask for, and what they find: the image's name, and its architecture.
KNOWN = {
    f"{LINUX}/al2023-ami-kernel-default-x86_64": ("al2023-ami-2023", "x86_64"),
    f"{LINUX}/al2023-ami-kernel-default-arm64": ("al2023-ami-2023", "arm64"),
    f"{LINUX}/al2023-ami-kernel-6.1-x86_64": ("al2023-ami-2023", "x86_64"),
    f"{LINUX}/al2023-ami-minimal-kernel-default-x86_64": ("al2023-ami-minimal", "x86_64"),
    f"{LINUX}/amzn2-ami-hvm-x86_64-gp2": ("amzn2-ami-hvm", "x86_64"),
    f"{LINUX}/amzn2-ami-hvm-arm64-gp2": ("amzn2-ami-hvm", "arm64"),
    f"{LINUX}/amzn2-ami-kernel-5.10-hvm-x86_64-gp2": ("amzn2-ami-kernel-5.10", "x86_64"),
    f"{UBUNTU}/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": ("ubuntu/images", "x86_64"),
    f"{UBUNTU}/noble/stable/current/arm64/hvm/ebs-gp3/ami-id": ("ubuntu/images", "arm64"),
    f"{UBUNTU}/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id": ("ubuntu/images", "x86_64"),
    f"{UBUNTU}/jammy/stable/current/arm64/hvm/ebs-gp2/ami-id": ("ubuntu/images", "arm64"),
    f"{UBUNTU}/20.04/stable/current/amd64/hvm/ebs-gp2/ami-id": ("ubuntu/images", "x86_64"),
    f"{DEBIAN}/12/latest/amd64": ("debian-12-amd64", "x86_64"),
    f"{DEBIAN}/12/latest/arm64": ("debian-12-arm64", "arm64"),
    f"{DEBIAN}/11/latest/amd64": ("debian-11-amd64", "x86_64"),
}
NAME = f"{LINUX}/al2023-ami-kernel-default-x86_64"


@pytest.fixture(scope="module")
def ssm(world):
    return world.client("ssm")


def everything(ssm):
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/aws/service",
                                                                 Recursive=True)
    return [entry for page in pages for entry in page["Parameters"]]


@pytest.mark.parametrize("name", KNOWN)
def test_known(ec2, ssm, name):
    found = ssm.get_parameter(Name=name)["Parameter"]
    assert found["Name"] == name and found["Type"] == "String" and found["Version"] == 1
    assert found["ARN"] == f"arn:aws:ssm:us-east-1::parameter{name}"
    assert found["DataType"] == "text"
    assert isinstance(found["LastModifiedDate"], datetime.datetime)
    image, = ec2.describe_images(ImageIds=[found["Value"]])["Images"]
    assert image["Name"].startswith(KNOWN[name][0])
    assert image["Architecture"] == KNOWN[name][1]
    assert image["CreationDate"][:10] == f"{found['LastModifiedDate']:%Y-%m-%d}"


def test_every_one_leads_to_a_listed_image(ec2, ssm):
    listed = names(ec2.describe_images(Owners=["amazon", "099720109477", "136693071363"])[
        "Images"], "ImageId")
    found = everything(ssm)
    assert len(found) > 10 and set(KNOWN) <= set(names(found, "Name"))
    assert set(names(found, "Value")) == set(listed)
    assert names(found, "Name") == sorted(set(names(found, "Name")))


def test_instances_start_from_them(world, ssm):
    vpc = world.vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    image = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    for text in (image, f"resolve:ssm:{NAME}"):
        made, = world.ec2.run_instances(ImageId=text, MinCount=1, MaxCount=1, SubnetId=subnet)[
            "Instances"]
        assert made["ImageId"] == image
        world.await_state("running", made["InstanceId"])
    refused("InvalidParameterValue", world.ec2.run_instances, ImageId="resolve:ssm:/nothing",
            MinCount=1, MaxCount=1, SubnetId=subnet)
    world.clear()


def test_selectors_and_arns(ssm):
    value = ssm.get_parameter(Name=NAME)["Parameter"]["Value"]
    chosen = ssm.get_parameter(Name=f"{NAME}:1")["Parameter"]
    assert (chosen["Name"], chosen["Value"], chosen["Selector"]) == (NAME, value, ":1")
    by_arn = ssm.get_parameter(Name=f"arn:aws:ssm:us-east-1::parameter{NAME}")["Parameter"]
    assert (by_arn["Name"], by_arn["Value"]) == (NAME, value)
    refused("ParameterVersionNotFound", ssm.get_parameter, Name=f"{NAME}:2")
    refused("ParameterNotFound", ssm.get_parameter,
            Name=f"arn:aws:ssm:eu-west-1::parameter{NAME}")


@pytest.mark.parametrize("name", ["/nothing", "nothing", "/aws/service", f"{NAME}/", NAME[1:],
                                  NAME.upper(), "/aws/reference/secretsmanager/x"])
def test_unknown(ssm, name):
    refused("ParameterNotFound", ssm.get_parameter, Name=name)
    found = ssm.get_parameters(Names=[name, NAME])
    assert names(found["Parameters"], "Name") == [NAME] and found["InvalidParameters"] == [name]


def test_several(ssm):
    wanted = list(KNOWN)[:10]
    found = ssm.get_parameters(Names=wanted, WithDecryption=True)
    assert names(found["Parameters"], "Name") == wanted and found["InvalidParameters"] == []
    refused("ValidationException", ssm.get_parameters, Names=list(KNOWN)[:11],
            text=re.compile("length less than or equal to 10"))


def test_by_path(ssm):
    flat = ssm.get_parameters_by_path(Path=LINUX)["Parameters"]
    assert flat and all(entry["Name"].count("/") == LINUX.count("/") + 1 for entry in flat)
    assert ssm.get_parameters_by_path(Path=LINUX + "/")["Parameters"] == flat
    assert ssm.get_parameters_by_path(Path="/aws/service")["Parameters"] == []
    assert ssm.get_parameters_by_path(Path="/nothing", Recursive=True)["Parameters"] == []
    assert ssm.get_parameters_by_path(Path=LINUX[:-1], Recursive=True)["Parameters"] == []
    page = ssm.get_parameters_by_path(Path=DEBIAN, Recursive=True, MaxResults=3)
    rest = ssm.get_parameters_by_path(Path=DEBIAN, Recursive=True, MaxResults=3,
                                      NextToken=page["NextToken"])
    assert "NextToken" not in rest
    assert names(page["Parameters"] + rest["Parameters"], "Name") == [
        f"{DEBIAN}/{number}/latest/{kind}" for number in (11, 12) for kind in ("amd64", "arm64")]
    for code, arguments in (("ValidationException", {"Path": "aws"}),
                            ("InvalidNextToken", {"Path": LINUX, "NextToken": "banana"}),
                            ("InvalidNextToken", {"Path": LINUX, "NextToken": "-1"}),
                            ("ValidationException", {"Path": LINUX, "MaxResults": 10,
                                                     "ParameterFilters": [{"Key": "Type"}]})):
        refused(code, ssm.get_parameters_by_path, **arguments)


def test_regions_have_their_own(world):
    found = world.client("ssm", region="eu-west-1").get_parameter(Name=NAME)["Parameter"]
    assert found["ARN"].startswith("arn:aws:ssm:eu-west-1::")


def test_by_the_awscli(world):
    value = world.aws("ssm", "get-parameters", "--names", NAME, "--query",
                      "Parameters[0].Value")
    assert re.fullmatch("ami-[0-9a-f]{17}", value)
    done = world.aws("ssm", "get-parameter", "--name", "/nothing", check=False)
    assert done.returncode == 254 and "(ParameterNotFound)" in done.stderr
    assert len(world.aws("ssm", "get-parameters-by-path", "--path", LINUX)["Parameters"]) > 5


# The protocol.

def say(world, body, target="AmazonSSM.GetParameter", signed=True, **more):
    request = wire.signed(world, body, service="ssm", headers={
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}, **more)
    if not signed:
        del request.headers["Authorization"]
    reply = wire.send(world, request)
    assert reply.headers["content-type"] == "application/x-amz-json-1.1"
    assert "x-amzn-requestid" in reply.headers
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize("body, kind", [
    ("", "ValidationException"), ("{}", "ValidationException"), ("{", "SerializationException"),
    ("[]", "SerializationException"), ('"x"', "SerializationException"),
    ('{"Name": "\\u0000"}', "SerializationException"),
    ('{"Name": ' + "[" * 3000 + "]" * 3000 + "}", "SerializationException"),
    ('{"Name": ' + '{"a":' * 20 + "1" + "}" * 21, "SerializationException"),
    ('{"Name": null}', "ValidationException"), ('{"Name": ""}', "ValidationException"),
    ('{"Name": {"a": 1}}', "ValidationException"), ('{"Name": ["x"]}', "ValidationException"),
    ('{"Name": "/x", "WithDecryption": 7}', "ValidationException"),
    ('{"Name": "/x", "Colour": "red"}', "ValidationException"),
    ('{"Name": 7}', "ParameterNotFound"), ('{"Name": 1.5e300}', "ParameterNotFound"),
    ('{"Name": "\\ud83d\\ude00"}', "ParameterNotFound"),
    (json.dumps({"Names": list(range(30000))}), "SerializationException")])
def test_bodies(world, body, kind):
    status, reply = say(world, body)
    assert (status, reply["__type"]) == (400, kind) and reply["message"]
    assert say(world, json.dumps({"Name": NAME}))[0] == 200


def test_who_may(world):
    body = json.dumps({"Name": NAME})
    for arguments, kind in (({"secret": "x"}, "InvalidSignatureException"),
                            ({"key": "AKIAAAAAAAAAAAAAAAAA"}, "UnrecognizedClientException"),
                            ({"signed": False}, "MissingAuthenticationTokenException")):
        status, reply = say(world, body, **arguments)
        assert (status, reply["__type"]) == (400, kind)
    for target in ("AmazonSSM.PutParameter", "AmazonSSM.", "DynamoDB_20120810.ListTables", "x"):
        status, reply = say(world, body, target=target)
        assert (status, reply["__type"]) in ((400, "UnknownOperationException"),
                                             (400, "MissingAction")), target


def test_unlike_protocols_stay_apart(world):
    """A query to ssm and JSON to EC2 are refused."""
    reply = wire.send(world, wire.signed(world, wire.form("GetParameter", Name=NAME),
                                         service="ssm"))
    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "UnknownOperationException")
    reply = wire.send(world, wire.signed(
        world, json.dumps({"CidrBlock": "10.0.0.0/16"}), headers={
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.CreateVpc"}))
    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "UnknownOperationException")
    assert len(world.ec2.describe_vpcs()["Vpcs"]) == 1
