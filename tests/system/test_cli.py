"""The AWS CLI's waiters, pages, queries and forms of output."""
import json

import pytest
from botocore import xform_name

import wire
from commandline import CommandLine
from lib import IMAGE, names

NOWHERE = "0123456789abcdef0"


@pytest.fixture(scope="module")
def aws(world):
    with CommandLine(world) as running:
        yield running


@pytest.fixture(scope="module")
def things(world):
    ec2 = world.ec2
    vpc, other = world.vpc("10.2.0.0/16"), world.vpc("10.3.0.0/16")
    subnet = world.subnet(vpc, "10.2.1.0/24")
    instance, stopped, gone = world.run_instances(subnet, count=3)
    ec2.stop_instances(InstanceIds=[stopped])
    ec2.terminate_instances(InstanceIds=[gone])
    gateway = world.gateway(vpc)
    nat = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]
    card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    ec2.create_key_pair(KeyName="login")
    root = world.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    return {"vpc": vpc, "subnet": subnet, "instance": instance, "stopped": stopped, "gone": gone,
            "gateway": gateway, "nat": nat["NatGatewayId"], "card": card, "volume": volume,
            "root": root, "peering": world.peering(vpc, other), "image": IMAGE,
            "group": world.default_group(vpc)}


# Waiter, option, what it finds at once.
CONTENT = [
    ("image-available", "--image-ids", "image"), ("image-exists", "--image-ids", "image"),
    ("instance-exists", "--instance-ids", "instance"),
    ("instance-running", "--instance-ids", "instance"),
    ("instance-status-ok", "--instance-ids", "instance"),
    ("instance-stopped", "--instance-ids", "stopped"),
    ("instance-terminated", "--instance-ids", "gone"),
    ("internet-gateway-exists", "--internet-gateway-ids", "gateway"),
    ("key-pair-exists", "--key-names", None), ("nat-gateway-available", "--nat-gateway-ids", "nat"),
    ("network-interface-available", "--network-interface-ids", "card"),
    ("security-group-exists", "--group-ids", "group"),
    ("subnet-available", "--subnet-ids", "subnet"),
    ("system-status-ok", "--instance-ids", "instance"),
    ("volume-available", "--volume-ids", "volume"), ("volume-in-use", "--volume-ids", "root"),
    ("vpc-available", "--vpc-ids", "vpc"), ("vpc-exists", "--vpc-ids", "vpc"),
    ("vpc-peering-connection-exists", "--vpc-peering-connection-ids", "peering")]

# Those of an end, tried below.
ENDS = ["nat-gateway-deleted", "volume-deleted", "vpc-peering-connection-deleted"]


def answered(world, actions):
    return [action for action in actions
            if wire.call(world, action, Nonsense="1").code == "UnknownParameter"]


def test_every_waiter_is_tried(world):
    client = world.ec2
    operations = {name: client.get_waiter(name).config.operation for name in client.waiter_names}
    there = set(answered(world, set(operations.values())))
    assert {xform_name(name, "-") for name in operations if operations[name] in there} <= {
        *(name.replace("-", "_") for name, _, _ in CONTENT),
        *(name.replace("-", "_") for name in ENDS)}


@pytest.mark.parametrize("waiter, option, thing", CONTENT, ids=[row[0] for row in CONTENT])
def test_content(world, aws, things, waiter, option, thing):
    """After the second look at most."""
    done = aws(f"ec2 wait {waiter} {option}", things[thing] if thing else "login")
    assert done.out == "" and len(done.slept) <= 1


def test_ends(world, aws, things):
    ec2 = world.ec2
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    nat = ec2.create_nat_gateway(SubnetId=things["subnet"], ConnectivityType="private")
    nat = nat["NatGateway"]["NatGatewayId"]
    third = world.vpc("10.4.0.0/16")
    peering = world.peering(things["vpc"], third)
    for command, waiter, option, identifier in (
            ("delete-volume", "volume-deleted", "--volume-id", volume),
            ("delete-nat-gateway", "nat-gateway-deleted", "--nat-gateway-id", nat),
            ("delete-vpc-peering-connection", "vpc-peering-connection-deleted",
             "--vpc-peering-connection-id", peering)):
        aws(f"ec2 {command} {option}", identifier)
        done = aws(f"ec2 wait {waiter} {option}s", identifier)
        assert done.out == "" and len(done.slept) <= 1, (waiter, done)
    ec2.delete_vpc(VpcId=third)


def test_a_machines_life(aws, things):
    """Each state is waited for as scripts do."""
    instance = aws.text("ec2 run-instances --image-id", IMAGE, "--subnet-id", things["subnet"],
                        "--query", "Instances[].InstanceId")
    for command, waiter in ((None, "running"), ("stop", "stopped"), ("start", "running"),
                            ("terminate", "terminated")):
        if command:
            aws(f"ec2 {command}-instances --instance-ids", instance)
        assert len(aws(f"ec2 wait instance-{waiter} --instance-ids", instance).slept) <= 1


# What never comes: a failure at once, or AWS's number of looks, and AWS's words.
FAILURES = [
    ("instance-running", "--instance-ids", "gone", 'terminal failure state: For expression "Res'
     'ervations[].Instances[].State.Name" we matched expected path: "terminated" at least once', 0),
    ("network-interface-available", "--network-interface-ids", "eni-" + NOWHERE,
     "service error code: InvalidNetworkInterfaceID.NotFound", 0),
    ("vpc-available", "--vpc-ids", "vpc-" + NOWHERE, "(InvalidVpcID.NotFound)", 0),
    ("subnet-available", "--subnet-ids", "subnet-" + NOWHERE, "(InvalidSubnetID.NotFound)", 0),
    ("vpc-exists", "--vpc-ids", "vpc-" + NOWHERE, "(InvalidVpcID.NotFound)|Max attempts", 4),
    ("key-pair-exists", "--key-names", "nobody", "(InvalidKeyPair.NotFound)|Max attempts", 5),
    ("internet-gateway-exists", "--internet-gateway-ids", "banana",
     "(InvalidInternetGatewayId.Malformed)", 0),
    ("vpc-peering-connection-exists", "--vpc-peering-connection-ids", "banana",
     "(InvalidVpcPeeringConnectionId.Malformed)", 0)]


@pytest.mark.parametrize("waiter, option, thing, text, pauses", FAILURES,
                         ids=[row[0] for row in FAILURES])
def test_failures(aws, things, waiter, option, thing, text, pauses):
    done = aws.try_(f"ec2 wait {waiter} {option}", things.get(thing, thing))
    assert done.status == 255 and len(done.slept) == pauses, done
    assert any(words in done.err for words in text.split("|")), done.err


# Pages.

PAGED = {  # action: the least page that AWS gives
    "DescribeInstances": 5, "DescribeVpcs": 5, "DescribeSubnets": 5, "DescribeRouteTables": 5,
    "DescribeSecurityGroups": 5, "DescribeSecurityGroupRules": 5, "DescribeTags": 5,
    "DescribeNetworkAcls": 5, "DescribeInternetGateways": 5, "DescribeVolumes": 5,
    "DescribeNetworkInterfaces": 5, "DescribeInstanceTypes": 5, "DescribeInstanceStatus": 5,
    "DescribeManagedPrefixLists": 1, "DescribeDhcpOptions": 5}


@pytest.fixture(scope="module")
def many(world, things):
    """More of everything than a page holds, in a region of its own."""
    ec2 = world.client(region="eu-west-1")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number in range(2):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
               for number in range(6)]
    for number in range(7):
        ec2.create_route_table(VpcId=vpc)
        ec2.create_network_acl(VpcId=vpc)
        ec2.create_security_group(VpcId=vpc, GroupName=f"g{number}", Description="x")
        ec2.create_network_interface(SubnetId=subnets[0])
        ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)
        ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["x.org"]}])
        ec2.create_managed_prefix_list(PrefixListName=f"l{number}", MaxEntries=1,
                                       AddressFamily="IPv4")
    for _ in range(3):
        ec2.create_internet_gateway()
    ec2.create_tags(Resources=subnets, Tags=[{"Key": "a", "Value": "b"}])
    for _ in range(6):
        ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=subnets[0])
    return ec2


@pytest.mark.parametrize("action", PAGED)
def test_pages(aws, many, action):
    """--page-size tells the API, --max-items and --starting-token the CLI; the whole is the same."""
    paginator = many.get_paginator(xform_name(action))
    member = paginator.result_keys[0].expression
    command, least = f"ec2 {xform_name(action, '-')} --region eu-west-1", str(PAGED[action])
    whole = aws(command).json[member]
    assert aws(command, "--page-size", least).json[member] == whole
    first = aws(command, "--page-size", least, "--max-items", "2").json
    rest = aws(command, "--page-size", least, "--starting-token", first["NextToken"]).json
    assert len(first[member]) == min(2, len(whole)) and first[member] + rest[member] == whole
    assert "NextToken" not in rest
    single = aws(command, "--no-paginate", "--max-results", least).json
    assert single[member] == whole[:PAGED[action]]
    assert ("NextToken" in single) == (len(whole) > PAGED[action])
    if "NextToken" in single:
        following = aws(command, "--no-paginate", "--max-results", least, "--next-token",
                        single["NextToken"]).json
        assert following[member] == whole[PAGED[action]:2 * PAGED[action]]
    assert [entry for page in paginator.paginate(PaginationConfig={"PageSize": PAGED[action]})
            for entry in page[member]] == many.get_paginator(
                xform_name(action)).paginate().build_full_result()[member]


def test_pages_refused(aws, things):
    aws.refused("InvalidNextToken", "ec2 describe-vpcs --next-token banana --no-paginate")
    aws.refused("InvalidParameterCombination", "ec2 describe-instances --max-results 5 "
                "--instance-ids", things["instance"])


def test_every_page_there_is(world, aws):
    """Every action that botocore pages takes its options."""
    client = world.ec2
    paged = [action for action in answered(world, client.meta.service_model.operation_names)
             if client.can_paginate(xform_name(action))]
    needs = {"DescribeStaleSecurityGroups", "GetManagedPrefixListEntries",
             "GetManagedPrefixListAssociations", "DescribeAddressesAttribute",
             "DescribeLaunchTemplateVersions"}
    assert len(paged) > 25
    for action in sorted(set(paged) - needs):
        done = aws(f"ec2 {xform_name(action, '-')} --page-size 5 --max-items 1")
        assert done.status == 0 and isinstance(done.json, dict), action
        assert len(next(iter(done.json.values()), [])) <= 1 or "NextToken" in done.json


# Queries, filters, forms of output.

def test_filters_and_queries(aws, things):
    vpc = things["vpc"]
    assert aws.text("ec2 describe-subnets --filters", f"Name=vpc-id,Values={vpc}",
                    "Name=state,Values=pending,available", "--query",
                    "Subnets[].SubnetId") == things["subnet"]
    assert aws("ec2 describe-instances --filters Name=instance-state-name,Values=stopped,running",
               "--query", "sort(Reservations[].Instances[].State.Name)").json == [
                   "running", "stopped"]
    assert aws("ec2 describe-instances --query", "Reservations[].Instances[?State.Name=="
               "`stopped`].[InstanceId,PrivateIpAddress][]", "--output", "text",
               ).words[0] == things["stopped"]
    assert aws("ec2 describe-vpcs --filters",
               json.dumps([{"Name": "cidr", "Values": ["10.2.*"]}]),
               "--query", "Vpcs[0].VpcId").json == vpc
    assert aws("ec2 describe-vpcs --query", "Vpcs[?VpcId=='none'] | [0]", "--output", "text",
               ).out == "None\n"


def test_output(aws, things):
    command = ["ec2 describe-vpcs --vpc-ids", things["vpc"]]
    table = aws(*command, "--output", "table").out
    assert "|  CidrBlock" in table and things["vpc"] in table and "DescribeVpcs" in table
    text = aws(*command, "--output", "text").out.splitlines()
    assert text[0].split()[:2] == ["VPCS", "10.2.0.0/16"]
    if aws.version < 2:
        return
    yaml = aws(*command, "--output", "yaml").out
    assert yaml.startswith("Vpcs:\n- CidrBlock: 10.2.0.0/16\n")
    stream = aws("ec2 describe-subnets --page-size 5 --output yaml-stream").out
    assert stream.startswith("- NextToken: ") and things["subnet"] in stream


def test_exit_statuses(aws, things):
    assert aws.try_("ec2 describe-vpcs").status == 0
    assert aws.refused("InvalidVpcID.NotFound", "ec2 delete-vpc --vpc-id", "vpc-" + NOWHERE)
    assert aws.try_("ec2 delete-vpc").status == (252 if aws.version > 1 else 2)
    assert names(aws("ec2 describe-vpcs --vpc-ids", things["vpc"]).json["Vpcs"], "VpcId") == [
        things["vpc"]]
