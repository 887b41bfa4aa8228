"""
`minivpc ec2 …`, and other services', beside the AWS CLI: the same script runs with both, each in a world of its own, and what
they print and return is compared, ids and times aside.
"""
import difflib
import functools
import json
import re
import subprocess
import tempfile
import time
import types

import botocore
import botocore.session
import pytest
from botocore import xform_name

import minimal
import test_cli_requests
import test_cli_spelling
import wire
from commandline import CommandLine, Done
from lib import BINARY, IMAGE, ROOT, environment

# Names that are made up anew in each world, by how they look.
MADE = [
    r"\b(?:[a-z]+-)*(?:vpc|subnet|igw|eigw|rtb|rtbassoc|sg|sgr|acl|aclassoc|eni|eni-attach|eipalloc|"
    r"eipassoc|nat|pcx|i|r|vol|lt|key|ami|dopt|pl|fl|vpce|cidr-assoc|assoc)-[0-9a-f]{8,17}\b",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    r"\b(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}\b",
    r"\bpackage-deploy-\d+", r"\b198\.1[89]\.\d+\.\d+\b", r"\b198-1[89]-\d+-\d+\b",
    r"\b10\.0\.[12]\.\d+\b", r"\bip-10-0-[12]-\d+\b",
    r"-----BEGIN [^-]*-----[^-]*-----END [^-]*-----", r"\bSHA256:\S+", r"[A-Za-z0-9+/]{43}=",
    r"/\S*/cli\d+\b", r"\b(?:AKIA|ASIA|AROA)[A-Z0-9]{16}\b", r"\b[A-Za-z0-9+/]{40}\b",
    # Those have no leading zeros, so that one is shorter than another, and the rest of its cell longer.
    r"\b[0-9a-f]{4}(?::[0-9a-f]{1,4}){3,7}(?:::)?(?:/\d+)?(?: +(?=\|))?",
    r"[0-9a-f]{1,4}(?::[0-9a-f]{1,4})+::/\d+(?: +(?=\|))?",
]


def plain(text):
    """With the same words for what is the same, in the order in which it is met."""
    # Two worlds' seconds begin at other moments, and the place of a fault is told in other words.
    text = re.sub(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z| GMT)?", "<time>", text)
    text = re.sub(r"(Bad value for --query \S*:).*", r"\1", text, flags=re.DOTALL)
    for pattern in MADE:
        met = {}
        text = re.sub(pattern, lambda found: met.setdefault(found[0].rstrip(), f"<{len(met)}>"),
                      text)
    return text


class Recording:
    """Of each command line what came of it."""

    def try_(self, command, *words):
        done = super().try_(command, *words)
        self.log.append(([*command.split(), *words], done))
        return done


class AwsCli(Recording, CommandLine):
    """The AWS CLI."""

    def __init__(self, world):
        super().__init__(world)
        self.log = []


class Verbs:
    """`minivpc ec2 …`, with the AWS CLI's manners."""
    version, refusal = 2, 254
    __call__, text, refused = CommandLine.__call__, CommandLine.text, CommandLine.refused

    def __init__(self, world):
        self.world, self.used = world, set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def try_(self, command, *words):
        line = [*command.split(), *words]
        done = subprocess.run([BINARY, "--state", self.world.state, *line], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              env=environment())
        if done.returncode == 0:
            self.used.add(line[1])
        return Done(done.returncode, done.stdout, done.stderr, [])


class RecordedVerbs(Recording, Verbs):
    """The same, written down."""

    def __init__(self, world):
        super().__init__(world)
        self.log = []


def known(value, shape):
    """Without members that the model of this AWS CLI hasn't: ours has those of newer ones too."""
    if shape.type_name == "structure":
        return {name: known(member, shape.members[name]) for name, member in value.items()
                if name in shape.members}
    if shape.type_name == "list":
        return [known(item, shape.member) for item in value]
    return value


@functools.cache
def newer_names():
    """Members that our tables have, and this AWS CLI's model hasn't where they are."""
    model = botocore.session.get_session().get_service_model("ec2")
    with open(f"{ROOT}/emulator/aws/shapes.c", encoding="utf-8") as file:
        text = "".join(re.findall(r'^\t"(.*)"', file.read(), re.MULTILINE))
    names = set()
    for name, members in re.findall(r"\\n:(\w+)([^\\]*)", text):
        old = model.shape_for(name).members if name in model.shape_names else {}
        names |= {word.split("=")[0].split(":")[0].split("|")[0] for word in members.split()} - set(old)
    return names


def pruned(value, pattern):
    """What a query found, without newer members that the other side's answer hasn't."""
    if isinstance(value, dict) and isinstance(pattern, dict):
        return {name: pruned(member, pattern.get(name)) for name, member in value.items()
                if name in pattern or name not in newer_names()}
    if isinstance(value, list) and isinstance(pattern, list) and len(value) == len(pattern):
        return [pruned(*pair) for pair in zip(value, pattern)]
    return value


def as_printed(value):
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n" if value != {} else ""


def known_output(line, out):
    """JSON as that AWS CLI prints it, if it is the whole result."""
    if not out.startswith("{") or "--query" in line or "text" in line:
        return out
    assert out == as_printed(json.loads(out)), line
    model = botocore.session.get_session().get_service_model(line[0])
    action = next(name for name in model.operation_names if xform_name(name, "-") == line[1])
    shape = model.operation_model(action).output_shape
    value = known(json.loads(out), shape) if shape else {}
    token = {key: json.loads(out)[key] for key in ["NextToken"] if key in json.loads(out)}
    return as_printed({**value, **token})


def same(theirs, ours):
    """Two logs: what differs, in words."""
    wrong = [] if len(theirs) == len(ours) else [f"{len(theirs)} lines, and {len(ours)}"]
    for (line, aws), (_, mine) in zip(theirs, ours):
        out = known_output(line, mine.out) if line[0] in ("ec2", "cloudformation") else mine.out
        if "--query" in line and aws.out[:1] in ("{", "[") and out[:1] == aws.out[:1]:
            out = as_printed(pruned(json.loads(out), json.loads(aws.out)))
        # A waiter has nothing to say; usage is told in other words, and nearer to what was meant.
        err = "" if mine.err.startswith("minivpc: ") and aws.status == 252 else aws.err
        pair = [(aws.status, plain(aws.out), plain(err)),
                (mine.status, plain(out), plain("" if err == "" else mine.err))]
        if pair[0] != pair[1]:
            print(f"{' '.join(line)}\n--- aws\n{pair[0]}\n--- minivpc\n{pair[1]}")
            wrong.append("\n".join([" ".join(line), *difflib.unified_diff(
                [*pair[0][1].split("\n"), f"{pair[0]}"[-300:]],
                [*pair[1][1].split("\n"), f"{pair[1]}"[-300:]], n=1, lineterm="")]))
    return "\n".join(wrong)


# What reads, as it is after the script: every form of output, and every kind of query.
READS = [line.split("  ") for line in """
ec2 describe-vpcs
ec2 describe-subnets  --output  text  --query  Subnets[].[SubnetId,CidrBlock]
ec2 describe-subnets  --output  table  --query  Subnets[].{Id:SubnetId,Zone:AvailabilityZone}
ec2 describe-route-tables
ec2 describe-route-tables  --output  text
ec2 describe-route-tables  --output  table
ec2 describe-network-acls  --output  table
ec2 describe-network-acls  --output  text
ec2 describe-security-groups
ec2 describe-security-group-rules
ec2 describe-network-interfaces
ec2 describe-instances
ec2 describe-instances  --output  table  --query  Reservations[].Instances[].{Zone:Placement.AvailabilityZone,State:State}
ec2 describe-instances  --query  Reservations[*].Instances[*].[InstanceId,State.Name][]  --output  text
ec2 describe-volumes
ec2 describe-images  --owners  self
ec2 describe-addresses
ec2 describe-nat-gateways
ec2 describe-key-pairs
ec2 describe-launch-templates
ec2 describe-tags
ec2 describe-tags  --output  table
ec2 describe-dhcp-options
ec2 describe-dhcp-options  --output  table
ec2 describe-regions
ec2 describe-regions  --output  text
ec2 describe-availability-zones
ec2 describe-account-attributes  --output  table
ec2 describe-prefix-lists
ec2 describe-vpc-endpoint-services
ec2 describe-instance-types  --instance-types  t3.micro  m5.large
ec2 describe-instance-types  --max-items  3
ec2 describe-instance-types  --max-items  3  --page-size  5  --query  InstanceTypes[].InstanceType
ec2 describe-instance-types  --page-size  5  --query  length(InstanceTypes)
ec2 describe-instance-types  --max-items  2  --output  text  --query  InstanceTypes[].VCpuInfo.DefaultVCpus
ec2 describe-instance-types  --no-paginate  --max-results  5  --query  InstanceTypes[].InstanceType
ec2 describe-instance-types  --starting-token  eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiA1fQ==  --max-items  1
ec2 describe-vpcs  --no-paginate
ec2 describe-vpcs  --query  Vpcs[?IsDefault].CidrBlock|[0]
ec2 describe-vpcs  --query  Vpcs[0].Nothing
ec2 describe-vpcs  --query  Vpcs[0].Nothing  --output  text
ec2 describe-vpcs  --query  sort_by(Vpcs,&CidrBlock)[*].{Block:CidrBlock,Tags:Tags[?Key=='Name'].Value|[0]}
ec2 describe-vpcs  --query  [length(Vpcs),max_by(Vpcs,&length(CidrBlock)).CidrBlock,join('+',sort(Vpcs[].CidrBlock))]
ec2 describe-vpcs  --query  Vpcs[-1:].to_string(IsDefault)
ec2 describe-vpcs  --query  Vpcs[].CidrBlock|[::-1]
ec2 describe-vpcs  --query  Vpcs[?starts_with(CidrBlock,'10.')&&!IsDefault||`false`].[CidrBlock,`1`,`{"a":[1.5,null]}`]
ec2 describe-vpcs  --query  Vpcs[].*|[0][?type(@)=='string']|length(@)
ec2 describe-vpcs  --query  Vpcs[].Tags[].{"a key":Key,v:not_null(Value,'none')}
ec2 describe-vpcs  --query  map(&CidrBlock,Vpcs)
ec2 describe-vpcs  --query  length(Nothing)  --output  text
ec2 describe-vpcs  --filters  Name=cidr,Values=10.0.0.0/16,172.31.0.0/16  Name=state,Values=available
ec2 describe-vpcs  --filters  [{"Name":"is-default","Values":["true"]}]
ec2 describe-vpcs  --filters  {"Name":"is-default","Values":["true"]}
ec2 describe-vpcs  --filters  Name="is-default",Values=['true']
ec2 describe-vpcs  --filters  Name=tag:Name,Values='ma in','a\\'b'
ec2 describe-vpcs  --filters  Name=tag:Name,Values=a\\,b
ec2 describe-vpcs  --filters
ec2 describe-vpcs  --vpc-ids
ec2 describe-vpcs  --filter=Name=is-default,Values=true  --out=text  --query=Vpcs[].CidrBlock
ec2 describe-vpcs  --region  eu-west-1  --no-cli-pager  --color  off
ec2 describe-flow-logs
sts get-caller-identity
sts get-caller-identity  --output  text
ssm get-parameter  --name  /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64
ssm get-parameters  --names  /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64  /x
ssm get-parameters-by-path  --path  /aws/service/ami-amazon-linux-latest  --max-items  2
ssm get-parameters-by-path  --path  /aws/service/ami-amazon-linux-latest  --query  Parameters[].Name
""".strip().splitlines()]

# What is wrong, each in its way.
FAULTS = [line.split("  ") for line in """
ec2 describe-vpcs  --vpc-ids  vpc-0123456789abcdef0
ec2 describe-vpcs  --vpc-ids  vpc
ec2 describe-vpcs  --filters  Name=nonsense,Values=x
ec2 describe-vpcs  --filters  Name==x,y
ec2 describe-vpcs  --filters  Name
ec2 describe-vpcs  --filters  Name=x,Name=y
ec2 describe-vpcs  --filters  Name=x,Valued=y
ec2 describe-vpcs  --filters  Name=x,Values=[a
ec2 describe-vpcs  --filters  Name=x,Values={a=b}
ec2 describe-vpcs  --filters  Name=x,Values='a
ec2 describe-vpcs  --filters  [{"Name":1,"Values":"x"}]
ec2 describe-vpcs  --filters  file:///nonexistent/file
ec2 describe-vpcs  --max-results  1
ec2 describe-vpcs  --max-results  x
ec2 describe-vpcs  --output  nonsense
ec2 describe-vpcs  --query  Vpcs[
ec2 describe-vpcs  --nonsense
ec2 describe-vpcs  words
ec2 describe-vpcs  --region
ec2 describe-vpcs  --vpc-idz  x
ec2 describe-vpc
ec2 nonsense
ec2 wait  nonsense
ec2 create-vpc  --cidr-block
ec2 create-vpc  --cidr-block  10.0.0.0/8
ec2 create-vpc  --cidr-block  10.0.0.0/16  --dry-run
ec2 create-subnet  --cidr-block  10.0.0.0/16
ec2 create-subnet  --vpc-id  vpc-0123456789abcdef0  --cidr-block  10.0.0.0/24
ec2 create-tags  --resources  vpc-0123456789abcdef0  --tags  Key=a,Value=b
ec2 run-instances  --image-id  ami-0123456789abcdef0  --count  0
ec2 run-instances  --image-id  ami-0123456789abcdef0  --network-interfaces  DeviceIndex=0  --secondary-private-ip-address-count  2
ec2 run-instances  --image-id  ami-0123456789abcdef0  --block-device-mappings  DeviceName=/dev/sdf,Ebs={VolumeSize=x}
ec2 authorize-security-group-ingress  --group-id  sg-0123456789abcdef0  --protocol  nonsense
ec2 authorize-security-group-ingress  --group-id  sg-0123456789abcdef0  --protocol  300
ec2 authorize-security-group-ingress  --group-id  sg-0123456789abcdef0  --protocol  tcp  --port  a-b
ec2 authorize-security-group-ingress  --group-id  sg-0123456789abcdef0  --port  22  --ip-permissions  IpProtocol=tcp
ec2 modify-vpc-attribute  --vpc-id  vpc-0123456789abcdef0  --enable-dns-support  true
ec2 modify-vpc-attribute  --vpc-id  vpc-0123456789abcdef0  --enable-dns-support  Value=maybe
ec2 create-network-acl-entry  --network-acl-id  acl-0123456789abcdef0  --rule-number  100  --protocol  -1  --rule-action  allow
ec2 import-key-pair  --key-name  x  --public-key-material  abc
ec2 wait  network-interface-available  --network-interface-ids  eni-0123456789abcdef0
ec2 wait  vpc-available  --vpc-ids  vpc
ec2 describe-instance-types  --no-paginate  --max-items  1
ec2 describe-vpcs  --profile  nonsense
sts assume-role  --role-arn  arn:aws:iam::123456789012:role/x
sts assume-role  --role-arn  x  --role-session-name  y
ssm get-parameter  --name  /nonsense
""".strip().splitlines()]


def inputs(aws, at):
    """Requests in files, and values in forms that the rest of the script hasn't."""
    whole, tags = at.folder / "vpc.json", at.folder / "tags.json"
    whole.write_text(json.dumps({"CidrBlock": "10.7.0.0/16", "InstanceTenancy": "default"}))
    tags.write_text('[{"ResourceType": "vpc", "Tags": [{"Key": "ä", "Value": "\\u00fc, ✓ \\"x\\""}]}]')
    vpc = aws("ec2 create-vpc --cli-input-json", f"file://{whole}", "--cidr-block", "10.6.0.0/16",
              "--tag-specifications", f"file://{tags}").json["Vpc"]["VpcId"]
    aws("ec2 describe-vpcs --vpc-ids", vpc)
    aws("ec2 describe-vpcs --output text --query Vpcs[].Tags --vpc-ids", vpc)
    for value in [["Value=false"], [], ['{"Value":true}']]:
        aws("ec2 modify-vpc-attribute --vpc-id", vpc, "--enable-dns-hostnames", *value)
        aws("ec2 describe-vpc-attribute --attribute enableDnsHostnames --vpc-id", vpc)
    aws("ec2 modify-vpc-attribute --no-enable-dns-hostnames --vpc-id", vpc)
    aws("ec2 create-tags --resources", vpc, "--tags", "Key=a,Value=", "Key=b=c,Value='x,y'",
        'Key=d,Value="e\\"f"')
    aws("ec2 describe-tags --filters", f"Name=resource-id,Values={vpc}")
    aws("ec2 delete-tags --resources", vpc, "--tags", "Key=a", '{"Key":"d"}'[0:0] + "Key=d")
    aws("ec2 wait vpc-available --vpc-ids", vpc)
    aws("ec2 wait vpc-exists --vpc-ids", vpc)
    aws("ec2 delete-vpc --vpc-id", vpc)


def launches(aws, at):
    """RunInstances as it is typed."""
    subnet = ["--image-id", IMAGE, "--subnet-id", at.subnet]
    data = at.folder / "bytes"
    data.write_bytes(b"#!/bin/sh\n\xff\r\n")
    made = aws("ec2 run-instances --user-data", "echo ä", "--secondary-private-ip-addresses",
               "10.0.1.201", "10.0.1.202", "--private-ip-address", "10.0.1.200",
               "--security-group-ids", at.group, *subnet).json["Instances"][0]["InstanceId"]
    aws("ec2 describe-instance-attribute --attribute userData --instance-id", made)
    more = aws("ec2 run-instances --count 1:2 --no-associate-public-ip-address --user-data",
               f"fileb://{data}", "--client-token", "mine", *subnet).json["Instances"]
    aws("ec2 describe-instance-attribute --attribute userData --instance-id", more[0]["InstanceId"])
    last = aws("ec2 run-instances --network-interfaces", json.dumps([
        {"DeviceIndex": 0, "SubnetId": at.subnet, "Groups": [at.group]}]), "--placement",
        "AvailabilityZone=us-east-1a", "--image-id", IMAGE).json["Instances"]
    every = [made, *(each["InstanceId"] for each in more + last)]
    aws("ec2 wait instance-running --instance-ids", *every)
    aws("ec2 describe-instances --instance-ids", *every)
    aws("ec2 terminate-instances --instance-ids", *every)
    aws("ec2 wait instance-terminated --instance-ids", *every)
    done = aws.try_("ec2 wait instance-running --instance-ids", made)
    assert done.status == 255


def reads(aws, _at):
    for line in READS:
        aws.try_(*line)


def faults(aws, _at):
    for line in FAULTS:
        assert aws.try_(*line).status != 0, line


SCRIPT = [*test_cli_spelling.STEPS[:-1], inputs, launches, reads, faults, test_cli_spelling.the_end]


def run(runner, folder):
    """The script with one of them: of each step its log, and what went wrong in it."""
    at, logs = types.SimpleNamespace(folder=folder), {}
    with runner as aws:
        if aws.version < 2:
            pytest.skip("an AWS CLI of version 1")
        for step in SCRIPT:
            aws.log = []
            logs[step.__name__] = [aws.log, None]
            try:
                step(aws, at)
            except Exception as error:  # told by the step's own test
                logs[step.__name__][1] = error
                break
    return logs


GATE = {"AWSTemplateFormatVersion": "2010-09-09", "Description": "a gateway",
        "Parameters": {"Word": {"Type": "String", "Default": "x"},
                       "Words": {"Type": "CommaDelimitedList", "Default": "a,b"}},
        "Resources": {"Gate": {"Type": "AWS::EC2::InternetGateway", "Properties": {
            "Tags": [{"Key": "Name", "Value": {"Ref": "Word"}}]}}},
        "Outputs": {"Gate": {"Value": {"Ref": "Gate"}, "Export": {"Name": "gate"}}}}

# Between them a stack is made, changed and deleted; {} is where files are.
STACKS = """
create-stack  --stack-name  one  --template-body  file://{}/gate.json  --parameters  ParameterKey=Word,ParameterValue=y  ParameterKey=Words,ParameterValue=c\\,d  --tags  Key=Owner,Value=us  --no-disable-rollback
wait  stack-create-complete  --stack-name  one
wait  stack-exists  --stack-name  one
describe-stacks
describe-stacks  --stack-name  one  --output  text
describe-stacks  --stack-name  one  --output  table
describe-stacks  --query  Stacks[0].Outputs[?OutputKey=='Gate'].OutputValue|[0]  --output  text
describe-stack-resources  --stack-name  one
describe-stack-resource  --stack-name  one  --logical-resource-id  Gate
list-stack-resources  --stack-name  one  --output  table
describe-stack-events  --stack-name  one  --max-items  2  --query  StackEvents[].ResourceStatus
describe-stack-events  --stack-name  one  --output  text
get-template  --stack-name  one
get-template  --stack-name  one  --query  TemplateBody.Resources.Gate.Type
get-template-summary  --template-body  file://{}/gate.yaml
validate-template  --template-body  file://{}/gate.yaml
list-exports
list-imports  --export-name  gate
update-termination-protection  --stack-name  one  --enable-termination-protection
delete-stack  --stack-name  one
update-termination-protection  --stack-name  one  --no-enable-termination-protection
create-change-set  --stack-name  one  --change-set-name  next  --use-previous-template  --parameters  file://{}/parameters.json
wait  change-set-create-complete  --stack-name  one  --change-set-name  next
describe-change-set  --stack-name  one  --change-set-name  next
describe-change-set  --stack-name  one  --change-set-name  next  --output  text
describe-change-set  --stack-name  one  --change-set-name  next  --no-paginate
list-change-sets  --stack-name  one
execute-change-set  --stack-name  one  --change-set-name  next
wait  stack-update-complete  --stack-name  one
update-stack  --stack-name  one  --template-body  file://{}/gate.yaml
wait  stack-update-complete  --stack-name  one
get-template  --stack-name  one  --output  text
update-stack  --stack-name  one  --use-previous-template
create-change-set  --stack-name  one  --change-set-name  same  --use-previous-template
wait  change-set-create-complete  --stack-name  one  --change-set-name  same
delete-change-set  --stack-name  one  --change-set-name  same
list-stacks  --stack-status-filter  UPDATE_COMPLETE  DELETE_COMPLETE
describe-stacks  --stack-name  nobody
wait  stack-create-complete  --stack-name  nobody
create-stack  --template-body  x
create-stack  --stack-name  two  --template-body  file://{}/nothing
create-stack  --stack-name  two  --template-body  {"Resources":1}
create-stack  --stack-name  two  --template-body  x  --parameters  ParameterKey=Words,ParameterValue=c,d
create-stack  --stack-name  two  --template-body  x  --timeout-in-minutes  soon
create-change-set  --stack-name  one  --change-set-name  x  --resources-to-import  ResourceType=a,LogicalResourceId=b,ResourceIdentifier={VpcId=c,Other=d}
create-change-set  --stack-name  one  --change-set-name  x  --resources-to-import  [{"ResourceType":"a","LogicalResourceId":"b","ResourceIdentifier":{"VpcId":1}}]
create-change-set  --stack-name  one  --change-set-name  x  --resources-to-import  ResourceType=a,LogicalResourceId=b,ResourceIdentifier=c
deploy  --template-file  {}/gate.json  --stack-name  three  --parameter-overrides  Word=q  --no-execute-changeset  --tags  a=b
list-change-sets  --stack-name  three
deploy  --template-file  {}/gate.json  --stack-name  one  --parameter-overrides  Word=q=r  --capabilities  CAPABILITY_IAM
deploy  --template-file  {}/gate.json  --stack-name  one
deploy  --template-file  {}/gate.json  --stack-name  one  --fail-on-empty-changeset
describe-stacks  --stack-name  one
deploy  --template-file  {}/gate.json  --stack-name  one  --parameter-overrides  file://{}/overrides.json  --no-fail-on-empty-changeset  --tags  Owner=them  x=
describe-stacks  --stack-name  one
deploy  --template-file  {}/gate.json  --stack-name  one  --parameter-overrides  file://{}/pipeline.json  --disable-rollback
deploy  --template-file  {}/gate.json  --stack-name  one  --parameter-overrides  ["Word=v"]
describe-stacks  --stack-name  one
deploy  --template-file  {}/bad.json  --stack-name  one
describe-stacks  --stack-name  one  --query  Stacks[].StackStatus
deploy  --template-file  {}/bad.json  --stack-name  four
deploy  --template-file  {}/none.json  --stack-name  four
deploy  --template-file  {}/nothing  --stack-name  one
deploy  --template-file  {}/large  --stack-name  one
deploy  --template-file  {}/gate.json  --stack-name  one  --tags  Owner
deploy  --template-file  {}/gate.json  --stack-name  one  --parameter-overrides  [{"ParameterKey":"Word"}]
deploy  --stack-name  one
describe-stack  --stack-name  one
wait  stack-creat-complete  --stack-name  one
delete-stack  --stack-name  one
wait  stack-delete-complete  --stack-name  one
""".strip().splitlines()


def test_stacks(make_world, tmp_path):
    """`cloudformation` with both: every verb but signal-resource, deploy, and what is
    refused."""
    (tmp_path / "gate.json").write_text(json.dumps(GATE))
    (tmp_path / "gate.yaml").write_text(
        "Description: a gateway\nResources:\n  Gate:\n    Type: AWS::EC2::InternetGateway\n")
    (tmp_path / "parameters.json").write_text('[{"ParameterKey": "Word", "ParameterValue": "z"}]')
    (tmp_path / "overrides.json").write_text('[{"ParameterKey": "Word", "ParameterValue": "t"}]')
    (tmp_path / "pipeline.json").write_text('{"Parameters": {"Word": "u"}}')
    (tmp_path / "bad.json").write_text(json.dumps({"Resources": {"Net": {
        "Type": "AWS::EC2::Subnet", "Properties": {
            "VpcId": "vpc-0123456789abcdef0", "CidrBlock": "10.0.0.0/24"}}}}))
    (tmp_path / "none.json").write_text("{}")
    (tmp_path / "large").write_text("a: b\n" * 20000)
    found = []
    for runner in (AwsCli, RecordedVerbs):
        with make_world() as world, runner(world) as aws:
            if aws.version < 2:
                pytest.skip("an AWS CLI of version 1")
            for line in STACKS:
                if runner is AwsCli and line.startswith("deploy"):
                    time.sleep(1.01 - time.time() % 1)  # its change sets are called by the second
                aws.try_(*f"cloudformation  {line.replace('{}', str(tmp_path))}".split("  "))
            found.append(aws.log)
    assert {done.status for _, done in found[0]} == {0, 252, 254, 255}
    wrong = same(*found)
    assert not wrong, wrong


@pytest.fixture(scope="module")
def logs(make_world, tmp_path_factory):
    """The AWS CLI's and ours, each of a world of its own."""
    found = []
    for runner in (AwsCli, RecordedVerbs):
        with make_world() as world:
            found.append(run(runner(world), tmp_path_factory.mktemp("cli")))
    return found


@pytest.mark.parametrize("step", [step.__name__ for step in SCRIPT])
def test_step(logs, step):
    """The script, step by step: the AWS CLI and ours say the same."""
    (theirs, fault), (ours, other) = (each.get(step, ([], "an earlier step failed"))
                                      for each in logs)
    assert not fault, fault
    wrong = same(theirs, ours)
    assert not wrong, wrong
    assert not other, other


def test_nearest(world):
    """What isn't there is told with what may have been meant, in one line; and a count that is none."""
    ours = Verbs(world)
    for line, said in [
            ("ec2 describe-vpc", "ec2: unknown verb describe-vpc: did you mean describe-vpcs? try "
                                 "minivpc ec2 help"),
            ("ec2 describe-vpcs --vpc-idz x", "ec2 describe-vpcs: unknown option --vpc-idz: did you "
             "mean --vpc-ids? try minivpc ec2 describe-vpcs help"),
            ("ec2 wait instance-runnin", "ec2: unknown waiter instance-runnin: did you mean "
                                         "instance-running? try minivpc ec2 help"),
            ("ec2 create-subnet", "ec2 create-subnet: the following arguments are required: --vpc-id: "
                                  "try minivpc ec2 create-subnet help"),
            ("ec2 describe-vpcs --generate-cli-skeleton x", "ec2 describe-vpcs: "
             "--generate-cli-skeleton is not supported: use minivpc aws: try minivpc ec2 "
             "describe-vpcs help")]:
        done = ours.try_(line)
        assert (done.status, done.out, done.err) == (252, "", f"minivpc: {said}\n")
    assert ours.try_("ec2 run-instances --image-id x --count x").status == 252


def test_help(world):
    """Every verb there is has its options told, and so is every waiter."""
    ours = Verbs(world)
    verbs, waiters = (re.findall(r"^  (\S+)$", part, re.MULTILINE)
                      for part in ours("ec2 help").out.split("Waiters"))
    assert len(verbs) > 150 and "instance-running" in waiters
    model = world.ec2.meta.service_model
    for name in model.operation_names:
        verb = xform_name(name, "-")
        if verb not in verbs:
            continue
        options = set(re.findall(r"^  --(\S+)", ours(f"ec2 {verb} help").out, re.MULTILINE))
        shape = model.operation_model(name).input_shape
        members = {xform_name(member, "-") for member in shape.members} if shape else set()
        assert members <= options | {"min-count", "max-count"}, name


def test_the_tables():
    """They are what botocore has, of this Debian's version and in its order."""
    data = f"{botocore.__path__[0]}/data"
    done = subprocess.run([f"{ROOT}/scripts/aws-shapes", "--check", data], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    newer = tuple(map(int, botocore.__version__.split(".")[:2])) > (1, 29)
    if newer:
        done = subprocess.run([f"{ROOT}/scripts/aws-shapes", "--check", "--newer", data],
                              check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_dry_runs(world, tmp_path, scratch):
    """Every action's request by --cli-input-json, and its members all known."""
    things, model = minimal.furnish(world, tempfile.mkdtemp(dir=scratch)), world.ec2.meta.service_model
    answered = [action for action in model.operation_names
                if wire.call(world, action, Nonsense="1").code == "UnknownParameter"]
    test_cli_requests.test_dry_runs(world, Verbs(world), answered, things, tmp_path)
