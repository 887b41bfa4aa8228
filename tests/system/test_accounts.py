"""Accounts of one world: keys of their own, roles assumed, and what one can't see of another."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import time

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

import wire
from lib import (ACCOUNT, CONFIG, IMAGE, api_state, environment, names, refused, tag_specification)

OTHER = "210987654321"
THIRD = "000000000042"
ROLE = f"arn:aws:iam::{OTHER}:role/team/Deploy"


def keys_of(world, account):
    """What `minivpc env --account` exports: access key and secret."""
    exports = world.run("env", "--account", account).stdout
    found = dict(re.findall(r"^export (\w+)='(.*)'$", exports, re.MULTILINE))
    assert found["AWS_ENDPOINT_URL"] == world.url
    return found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]


@pytest.fixture(scope="module")
def world(make_world):
    with make_world() as running:
        assert running.run("account create", OTHER).stdout == OTHER + "\n"
        yield running


@pytest.fixture(scope="module")
def keys(world):
    return keys_of(world, OTHER)


@pytest.fixture(scope="module")
def theirs(world, keys):
    """The other account's client."""
    return world.client(key=keys[0], secret=keys[1])


@pytest.fixture(scope="module")
def sts(world):
    return world.client("sts")


def who(client):
    reply = client.get_caller_identity()
    reply.pop("ResponseMetadata")
    return reply


def assume(sts, role=ROLE, name="ci", **more):
    reply = sts.assume_role(RoleArn=role, RoleSessionName=name, **more)
    return reply["Credentials"], reply["AssumedRoleUser"]


def temporary(world, credentials, service="ec2", **more):
    return boto3.session.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"],
        region_name=world.region, **more).client(service, endpoint_url=world.url, config=CONFIG)


# The command line and the file.

def test_accounts_are_listed(world, keys):
    listed = json.loads(world.run("account list", "-o", "json").stdout)
    assert listed[:2] == [
        {"account": ACCOUNT, "profile": "default", "accessKeyId": world.key},
        {"account": OTHER, "profile": OTHER, "accessKeyId": keys[0]}]
    heading = world.run("account list").stdout.splitlines()[0]
    assert heading.split() == ["ACCOUNT", "PROFILE", "ACCESS", "KEY"]


@pytest.mark.parametrize("account", [ACCOUNT, OTHER])
def test_no_account_twice(world, account):
    done = world.run("account create", account, check=False)
    assert done.returncode == 1 and "already" in done.stderr, done


@pytest.mark.parametrize("word", ["12345678901", "1234567890123", "banana", "12345678901x"])
def test_twelve_digits(world, word):
    assert world.run("account create", word, check=False).returncode == 2
    assert world.run("env", "--account", word, check=False).returncode == 2


def test_unknown_accounts_have_no_environment(world):
    done = world.run("env", "--account", "999999999999", check=False)
    assert done.returncode == 1 and "no account 999999999999" in done.stderr and not done.stdout


def test_the_file_is_the_aws_tools(world, keys):
    """Each account is a profile, which --profile, AWS_PROFILE and boto3 choose."""
    path = os.path.join(world.state, "credentials")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert sorted(os.listdir(world.state)).count("credentials.new") == 0

    def identity(*arguments, **more):
        done = subprocess.run(
            ["aws", "--endpoint-url", world.url, "--region", world.region, *arguments,
             "sts", "get-caller-identity", "--query", "Account", "--output", "text"],
            check=True, capture_output=True, text=True,
            env=environment(AWS_SHARED_CREDENTIALS_FILE=path, **more))
        return done.stdout.strip()
    assert identity() == ACCOUNT
    assert identity("--profile", OTHER) == OTHER
    assert identity(AWS_PROFILE=OTHER) == OTHER
    assert world.aws("--profile", OTHER, "sts", "get-caller-identity")["Account"] == OTHER
    assert world.aws("sts", "get-caller-identity")["Account"] == ACCOUNT
    assert keys_of(world, ACCOUNT) == (world.key, world.secret)
    assert keys != (world.key, world.secret)


def test_any_number_that_is_free(make_world):
    """And accounts, what they have and sessions of theirs are there after a restart."""
    with make_world() as world:
        made = world.run("account create").stdout.strip()
        assert re.fullmatch(r"\d{12}", made) and made != ACCOUNT
        path = os.path.join(world.state, "credentials")
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n[mine]\naws_access_key_id = AKIAMINE\naws_secret_access_key = x")
        assert world.run("account create", THIRD).stdout.strip() == THIRD
        with open(path, encoding="utf-8") as file:
            assert "AKIAMINE" in file.read()  # and is nobody here
        key, secret = keys_of(world, THIRD)
        vpc = world.client(key=key, secret=secret).create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]
        session, _ = assume(world.client("sts"), f"arn:aws:iam::{THIRD}:role/x")
        world.restart()
        assert keys_of(world, THIRD) == (key, secret)
        for client in (world.client(key=key, secret=secret), temporary(world, session)):
            found = client.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]
            assert (found["OwnerId"], found["CidrBlock"]) == (THIRD, "10.9.0.0/16")
        assert names(json.loads(world.run("account list", "-o", "json").stdout), "account") == [
            ACCOUNT, made, THIRD]
        reply = wire.send(world, wire.signed(world, wire.form("DescribeVpcs"), key="AKIAMINE",
                                             secret="x"))
        assert (reply.status, reply.code) == (401, "AuthFailure")


# Who is who.

def test_identity(world, keys, sts):
    assert who(sts) == {"Account": ACCOUNT, "UserId": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root"}
    other = world.client("sts", key=keys[0], secret=keys[1])
    assert who(other) == {"Account": OTHER, "UserId": OTHER, "Arn": f"arn:aws:iam::{OTHER}:root"}


def test_each_secret_is_its_own_keys(world, keys):
    for key, secret in ((world.key, keys[1]), (keys[0], world.secret)):
        reply = wire.send(world, wire.signed(world, wire.form("DescribeVpcs"), key=key,
                                             secret=secret))
        assert (reply.status, reply.code) == (401, "AuthFailure")


def test_each_has_a_default_vpc(world, theirs):
    both = [client.describe_vpcs()["Vpcs"] for client in (world.ec2, theirs)]
    assert [vpcs[0]["OwnerId"] for vpcs in both] == [ACCOUNT, OTHER]
    assert not set(names(both[0], "VpcId")) & set(names(both[1], "VpcId"))


def test_the_world_is_the_default_accounts(world, keys):
    """Another account's keys don't open what `minivpc` does."""
    for action in ("ListInstances", "ListAccounts", "CreateAccount", "ListDrops", "TracePaths",
                   "Audit"):
        reply = wire.send(world, wire.signed(
            world, wire.form(action, version="minivpc"), service="minivpc", key=keys[0],
            secret=keys[1]))
        assert (reply.status, reply.code) == (403, "UnauthorizedOperation")
    assert len(json.loads(world.run("account list", "-o", "json").stdout)) == 2


# AssumeRole.

def test_assume_role(world, sts, keys):
    now = datetime.datetime.now(datetime.timezone.utc)
    credentials, user = assume(sts, DurationSeconds=900)
    assert re.fullmatch("ASIA[A-Z2-7]{16}", credentials["AccessKeyId"])
    assert len(credentials["SecretAccessKey"]) == 40
    assert 880 < (credentials["Expiration"] - now).total_seconds() < 920
    assert user["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/Deploy/ci"
    assert re.fullmatch("AROA[A-Z2-7]{16}:ci", user["AssumedRoleId"])
    assert who(temporary(world, credentials, "sts")) == {
        "Account": OTHER, "Arn": user["Arn"], "UserId": user["AssumedRoleId"]}
    ec2 = temporary(world, credentials)
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]
    assert vpc["OwnerId"] == OTHER
    world.client(key=keys[0], secret=keys[1]).delete_vpc(VpcId=vpc["VpcId"])
    assert assume(sts)[0]["AccessKeyId"] != credentials["AccessKeyId"]
    assert assume(sts)[1] == user


def test_the_awscli_assumes_a_role(world, tmp_path):
    """As people configure it: role_arn and source_profile."""
    config = tmp_path / "config"
    config.write_text(f"[profile deploy]\nrole_arn = {ROLE}\nsource_profile = default\n"
                      f"region = {world.region}\n")
    session = botocore.session.Session(profile="deploy")
    session.set_config_variable("config_file", str(config))
    session.set_config_variable("credentials_file", os.path.join(world.state, "credentials"))
    provider = session.get_component("credential_provider").get_provider("assume-role")
    client = world.client("sts")
    provider._client_creator = lambda *_, **__: client  # pylint: disable=protected-access
    provider.cache.clear()
    found = session.get_credentials()
    caller = boto3.session.Session(found.access_key, found.secret_key, found.token,
                                   region_name=world.region)
    assert caller.client("sts", endpoint_url=world.url, config=CONFIG).get_caller_identity()[
        "Account"] == OTHER


def test_a_session_is_presigned(world, sts):
    credentials, _ = assume(sts)
    url = temporary(world, credentials).generate_presigned_url("describe_vpcs", HttpMethod="GET")
    reply = wire.send(world, method="GET", path=url[len(world.url):])
    assert reply.status == 200 and f"<ownerId>{OTHER}</ownerId>" in reply.body


def bend(text, place):
    """Another character of base64 at that place."""
    return text[:place] + ("B" if text[place] == "A" else "A") + text[place + 1:]


def test_a_token_is_verified(world, sts):
    credentials, _ = assume(sts)
    other, _ = assume(sts)
    key, secret, token = (credentials[name] for name in (
        "AccessKeyId", "SecretAccessKey", "SessionToken"))
    bent = [bend(token, place) for place in range(0, len(token) - 4, 7)]
    tries = [(key, secret, token, 200), (key, secret, None, 401), (key, "x" * 40, token, 401),
             (key, secret, other["SessionToken"], 401), (other["AccessKeyId"], secret, token, 401),
             (key, secret, "", 401), (key, secret, "banana", 401), (key, secret, token * 50, 401),
             *((key, secret, text, 401) for text in bent)]
    for access, hidden, session, status in tries:
        reply = wire.send(world, wire.signed(world, wire.form("DescribeVpcs"), key=access,
                                             secret=hidden, token=session))
        assert reply.status == status, (access, session, reply.body)
        assert status == 200 or reply.code == "AuthFailure"


def session_of(world, expiration):
    """Key, secret and token as the daemon makes them: see api/session.c."""
    def code(purpose, text):
        return hmac.new(world.secret.encode(), f"{purpose}\n{text}".encode(),
                        hashlib.sha256).hexdigest()
    key = "ASIAABCDEFGHIJKLMNOP"
    text = f"1:{key}:{OTHER}:{int(expiration)}:Deploy:ci:"
    token = base64.b64encode((text + code("session token", text)).encode()).decode()
    return key, code("secret key", text)[:40], token


@pytest.mark.parametrize("seconds", [5, -1, -86400])
def test_a_session_ends(world, seconds):
    key, secret, token = session_of(world, time.time() + seconds)
    replies = [wire.send(world, wire.signed(world, body, service=service, key=key, secret=secret,
                                            token=token))
               for body, service in ((wire.form("DescribeVpcs"), "ec2"), (
                   "Action=GetCallerIdentity&Version=2011-06-15", "sts"))]
    if seconds > 0:
        assert [reply.status for reply in replies] == [200, 200]
        return
    assert (replies[0].status, replies[0].code) == (400, "RequestExpired")
    assert replies[1].status == 403 and "<Code>ExpiredToken</Code>" in replies[1].body


@pytest.mark.parametrize("arguments, code, status", [
    ({"RoleArn": "arn:aws:iam::999999999999:role/x"}, "AccessDenied", 403),
    ({"RoleArn": f"arn:aws:iam::{OTHER}:user/somebody"}, "ValidationError", 400),
    ({"RoleArn": f"arn:aws:iam::{OTHER}:role/"}, "ValidationError", 400),
    ({"RoleArn": "arn:aws:iam::12345:role/somebody"}, "ValidationError", 400),
    ({"RoleArn": f"arn:aws:iam::{OTHER}:role/{'x' * 65}"}, "ValidationError", 400),
    ({"RoleSessionName": "a b"}, "ValidationError", 400),
    ({"RoleSessionName": "x" * 65}, "ValidationError", 400),
    ({"RoleSessionName": "a:b"}, "ValidationError", 400),
    ({"DurationSeconds": 43201}, "ValidationError", 400),
    ({"Policy": "{}"}, "UnsupportedOperation", 400),
    ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]},
     "UnsupportedOperation", 400),
    ({"Tags": [{"Key": "a", "Value": "b"}]}, "UnsupportedOperation", 400),
    ({"SerialNumber": "arn:aws:iam::1:mfa/x", "TokenCode": "123456"}, "UnsupportedOperation", 400)])
def test_assume_role_refused(sts, arguments, code, status):
    found = refused(code, sts.assume_role, status=status,
                    **{"RoleArn": ROLE, "RoleSessionName": "ci", **arguments})
    if code == "AccessDenied":
        assert found.message == (
            f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: sts:AssumeRole on "
            f"resource: {arguments['RoleArn']}")


def test_chains_are_an_hour_long(world, sts):
    credentials, _ = assume(sts, DurationSeconds=43200)
    chained = temporary(world, credentials, "sts")
    refused("ValidationError", chained.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/back",
            RoleSessionName="again", DurationSeconds=3601)
    back, _ = assume(chained, f"arn:aws:iam::{ACCOUNT}:role/back", "again")
    assert who(temporary(world, back, "sts"))["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/back/again")


# What one owns the other can neither see nor touch: to him it is as what there is not.

NOWHERE = "0fedcba9876543210"
PREFIXES = {"table": "rtb", "tableassoc": "rtbassoc", "group": "sg", "rule": "sgr",
            "options": "dopt", "list": "pl", "peering": "pcx", "interface": "eni",
            "attachment": "eni-attach", "instance": "i", "address": "eipalloc",
            "addressassoc": "eipassoc", "volume": "vol", "template": "lt", "image": "ami",
            "keypair": "key", "endpoint": "vpce", "log": "fl", "cidrassoc": "vpc-cidr-assoc", "network_acl": "acl"}
NAMES = {"key": "nobody", "template_name": "nobody", "public": "198.18.77.77"}

# Action, then parameters: "=kind" is an id of that kind, each tried with the other's in turn.
STRANGERS = """
DeleteVpc VpcId=vpc
DescribeVpcs VpcId.1=vpc
DescribeVpcAttribute VpcId=vpc Attribute:enableDnsSupport
ModifyVpcAttribute VpcId=vpc EnableDnsSupport.Value:true
AssociateVpcCidrBlock VpcId=vpc CidrBlock:100.64.0.0/20
DisassociateVpcCidrBlock AssociationId=cidrassoc
CreateSubnet VpcId=vpc CidrBlock:10.50.200.0/24
DeleteSubnet SubnetId=subnet
DescribeSubnets SubnetId.1=subnet
ModifySubnetAttribute SubnetId=subnet MapPublicIpOnLaunch.Value:false
DeleteInternetGateway InternetGatewayId=igw
AttachInternetGateway InternetGatewayId=igw VpcId=vpc
DetachInternetGateway InternetGatewayId=igw VpcId=vpc
DescribeInternetGateways InternetGatewayId.1=igw
CreateEgressOnlyInternetGateway VpcId=vpc
DeleteEgressOnlyInternetGateway EgressOnlyInternetGatewayId=eigw
CreateRouteTable VpcId=vpc
DeleteRouteTable RouteTableId=table
DescribeRouteTables RouteTableId.1=table
AssociateRouteTable RouteTableId=table SubnetId=subnet
DisassociateRouteTable AssociationId=tableassoc
ReplaceRouteTableAssociation AssociationId=tableassoc RouteTableId=table
CreateRoute RouteTableId=table DestinationCidrBlock:192.0.2.0/24 GatewayId=igw
CreateRoute RouteTableId=table DestinationCidrBlock:192.0.2.0/24 NatGatewayId=nat
CreateRoute RouteTableId=table DestinationCidrBlock:192.0.2.0/24 NetworkInterfaceId=interface
CreateRoute RouteTableId=table DestinationCidrBlock:192.0.2.0/24 InstanceId=instance
CreateRoute RouteTableId=table DestinationCidrBlock:192.0.2.0/24 VpcPeeringConnectionId=peering
CreateRoute RouteTableId=table DestinationPrefixListId=list GatewayId=igw
ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 NatGatewayId=nat
ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 NetworkInterfaceId=interface
ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 InstanceId=instance
ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 VpcPeeringConnectionId=peering
ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 EgressOnlyInternetGatewayId=eigw
CreateRoute RouteTableId=table DestinationIpv6CidrBlock:2001:db8::/32 EgressOnlyInternetGatewayId=eigw
DeleteRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0
CreateSecurityGroup VpcId=vpc GroupName:new GroupDescription:new
DeleteSecurityGroup GroupId=group
DescribeSecurityGroups GroupId.1=group
DescribeSecurityGroupRules SecurityGroupRuleId.1=rule
AuthorizeSecurityGroupIngress GroupId=group IpPermissions.1.IpProtocol:tcp IpPermissions.1.FromPort:1 IpPermissions.1.ToPort:1 IpPermissions.1.Groups.1.GroupId=group
AuthorizeSecurityGroupEgress GroupId=group IpPermissions.1.IpProtocol:tcp IpPermissions.1.FromPort:1 IpPermissions.1.ToPort:1 IpPermissions.1.PrefixListIds.1.PrefixListId=list
RevokeSecurityGroupIngress GroupId=group SecurityGroupRuleId.1=rule
ModifySecurityGroupRules GroupId=group SecurityGroupRule.1.SecurityGroupRuleId=rule SecurityGroupRule.1.SecurityGroupRule.IpProtocol:tcp SecurityGroupRule.1.SecurityGroupRule.FromPort:1 SecurityGroupRule.1.SecurityGroupRule.ToPort:1 SecurityGroupRule.1.SecurityGroupRule.CidrIpv4:192.0.2.0/24
DescribeSecurityGroupReferences GroupId.1=group
DescribeStaleSecurityGroups VpcId=vpc
CreateNetworkAcl VpcId=vpc
DeleteNetworkAcl NetworkAclId=network_acl
DescribeNetworkAcls NetworkAclId.1=network_acl
CreateNetworkAclEntry NetworkAclId=network_acl RuleNumber:7 Protocol:-1 RuleAction:deny Egress:true CidrBlock:192.0.2.0/24
ReplaceNetworkAclEntry NetworkAclId=network_acl RuleNumber:100 Protocol:-1 RuleAction:deny Egress:true CidrBlock:192.0.2.0/24
DeleteNetworkAclEntry NetworkAclId=network_acl RuleNumber:100 Egress:true
ReplaceNetworkAclAssociation AssociationId=aclassoc NetworkAclId=network_acl
DeleteManagedPrefixList PrefixListId=list
DescribeManagedPrefixLists PrefixListId.1=list
GetManagedPrefixListEntries PrefixListId=list
ModifyManagedPrefixList PrefixListId=list PrefixListName:other
CreateVpcPeeringConnection VpcId=vpc PeerVpcId=vpc2
DescribeVpcPeeringConnections VpcPeeringConnectionId.1=peering
AcceptVpcPeeringConnection VpcPeeringConnectionId=peering
RejectVpcPeeringConnection VpcPeeringConnectionId=peering
DeleteVpcPeeringConnection VpcPeeringConnectionId=peering
ModifyVpcPeeringConnectionOptions VpcPeeringConnectionId=peering
CreateNatGateway SubnetId=subnet AllocationId=address
DeleteNatGateway NatGatewayId=nat
DescribeNatGateways NatGatewayId.1=nat
AssociateNatGatewayAddress NatGatewayId=nat AllocationId.1=address
AssignPrivateNatGatewayAddress NatGatewayId=nat PrivateIpAddressCount:1
DeleteDhcpOptions DhcpOptionsId=options
AssociateDhcpOptions DhcpOptionsId=options VpcId=vpc
DescribeDhcpOptions DhcpOptionsId.1=options
CreateNetworkInterface SubnetId=subnet SecurityGroupId.1=group
DeleteNetworkInterface NetworkInterfaceId=interface
DescribeNetworkInterfaces NetworkInterfaceId.1=interface
DescribeNetworkInterfaceAttribute NetworkInterfaceId=interface Attribute:description
ModifyNetworkInterfaceAttribute NetworkInterfaceId=interface SecurityGroupId.1=group
AttachNetworkInterface NetworkInterfaceId=interface InstanceId=instance DeviceIndex:1
DetachNetworkInterface AttachmentId=attachment
AssignPrivateIpAddresses NetworkInterfaceId=interface SecondaryPrivateIpAddressCount:1
UnassignPrivateIpAddresses NetworkInterfaceId=interface PrivateIpAddress.1:10.50.1.77
AssociateAddress AllocationId=address NetworkInterfaceId=interface
AssociateAddress AllocationId=address InstanceId=instance
AssociateAddress PublicIp=public InstanceId=instance
DisassociateAddress AssociationId=addressassoc
ReleaseAddress AllocationId=address
DescribeAddresses AllocationId.1=address
DescribeAddresses PublicIp.1=public
DescribeAddressesAttribute AllocationId.1=address Attribute:domain-name
RunInstances MinCount:1 MaxCount:1 ImageId=image SubnetId=subnet SecurityGroupId.1=group KeyName=key
RunInstances MinCount:1 MaxCount:1 ImageId=image NetworkInterface.1.DeviceIndex:0 NetworkInterface.1.NetworkInterfaceId=interface
RunInstances MinCount:1 MaxCount:1 ImageId=image SubnetId=subnet LaunchTemplate.LaunchTemplateId=template
RunInstances MinCount:1 MaxCount:1 ImageId=image SubnetId=subnet LaunchTemplate.LaunchTemplateName=template_name
DescribeInstances InstanceId.1=instance
DescribeInstanceStatus InstanceId.1=instance
DescribeInstanceAttribute InstanceId=instance Attribute:userData
ModifyInstanceAttribute InstanceId=instance GroupId.1=group
ModifyInstanceMetadataOptions InstanceId=instance HttpTokens:required
StartInstances InstanceId.1=instance
StopInstances InstanceId.1=instance
RebootInstances InstanceId.1=instance
TerminateInstances InstanceId.1=instance
MonitorInstances InstanceId.1=instance
GetConsoleOutput InstanceId=instance
GetLaunchTemplateData InstanceId=instance
DescribeKeyPairs KeyName.1=key
DescribeKeyPairs KeyPairId.1=keypair
DescribeVolumes VolumeId.1=volume
DescribeVolumeStatus VolumeId.1=volume
DescribeVolumeAttribute VolumeId=volume Attribute:autoEnableIO
ModifyVolume VolumeId=volume Size:9
DeleteVolume VolumeId=volume
AttachVolume VolumeId=volume InstanceId=instance Device:/dev/sdf
DetachVolume VolumeId=volume InstanceId=instance
DescribeLaunchTemplates LaunchTemplateId.1=template
DescribeLaunchTemplates LaunchTemplateName.1=template_name
DescribeLaunchTemplateVersions LaunchTemplateId=template
DescribeLaunchTemplateVersions LaunchTemplateName=template_name
CreateLaunchTemplateVersion LaunchTemplateId=template LaunchTemplateData.InstanceType:t3.nano
ModifyLaunchTemplate LaunchTemplateId=template SetDefaultVersion:1
DeleteLaunchTemplate LaunchTemplateId=template
DescribeImages ImageId.1=image
DescribeImageAttribute ImageId=image Attribute:description
ModifyImageAttribute ImageId=image Description.Value:x
DeregisterImage ImageId=image
CreateTags Tag.1.Key:a Tag.1.Value:b ResourceId.1=vpc
CreateTags Tag.1.Key:a Tag.1.Value:b ResourceId.1=instance
CreateTags Tag.1.Key:a Tag.1.Value:b ResourceId.1=image
CreateTags Tag.1.Key:a Tag.1.Value:b ResourceId.1=peering
CreateTags Tag.1.Key:a Tag.1.Value:b ResourceId.1=keypair
CreateVpcEndpoint VpcId=vpc ServiceName:com.amazonaws.us-east-1.dynamodb RouteTableId.1=table
CreateVpcEndpoint VpcId=vpc ServiceName:com.amazonaws.us-east-1.ssm VpcEndpointType:Interface PrivateDnsEnabled:false SubnetId.1=subnet SecurityGroupId.1=group
DescribeVpcEndpoints VpcEndpointId.1=endpoint
ModifyVpcEndpoint VpcEndpointId=endpoint ResetPolicy:true
ModifyVpcEndpoint VpcEndpointId=endpoint AddRouteTableId.1=table
DescribeFlowLogs FlowLogId.1=log
AssociateSubnetCidrBlock SubnetId=subnet Ipv6CidrBlock:2600:1f18::/64
DescribeEgressOnlyInternetGateways EgressOnlyInternetGatewayId.1=eigw
DescribePrefixLists PrefixListId.1=list
GetManagedPrefixListAssociations PrefixListId=list
RestoreManagedPrefixListVersion PrefixListId=list PreviousVersion:1 CurrentVersion:1
DisassociateNatGatewayAddress NatGatewayId=nat AssociationId.1:eipassoc-0fedcba9876543210
UnassignPrivateNatGatewayAddress NatGatewayId=nat PrivateIpAddress.1:10.50.1.88
RevokeSecurityGroupEgress GroupId=group SecurityGroupRuleId.1=rule
UpdateSecurityGroupRuleDescriptionsIngress GroupId=group SecurityGroupRuleDescription.1.SecurityGroupRuleId=rule SecurityGroupRuleDescription.1.Description:x
UpdateSecurityGroupRuleDescriptionsEgress GroupId=group SecurityGroupRuleDescription.1.SecurityGroupRuleId=rule SecurityGroupRuleDescription.1.Description:x
ResetNetworkInterfaceAttribute NetworkInterfaceId=interface SourceDestCheck:true
AssignIpv6Addresses NetworkInterfaceId=interface Ipv6AddressCount:1
ModifyAddressAttribute AllocationId=address DomainName:example.test
ResetAddressAttribute AllocationId=address Attribute:domain-name
UnmonitorInstances InstanceId.1=instance
DescribeInstanceCreditSpecifications InstanceId.1=instance
ModifyInstanceMaintenanceOptions InstanceId=instance AutoRecovery:default
ModifyPrivateDnsNameOptions InstanceId=instance EnableResourceNameDnsARecord:true
DescribeVolumesModifications VolumeId.1=volume
ModifyVolumeAttribute VolumeId=volume AutoEnableIO.Value:true
DeleteLaunchTemplateVersions LaunchTemplateId=template LaunchTemplateVersion.1:1
DeleteTags ResourceId.1=group
DeleteTags ResourceId.1=address
""".strip().splitlines()

# The code that AWS has for one that is not there.
CODES = {"vpc": "InvalidVpcID.NotFound", "vpc2": "InvalidVpcID.NotFound",
         "subnet": "InvalidSubnetID.NotFound", "igw": "InvalidInternetGatewayID.NotFound",
         "eigw": "InvalidGatewayID.NotFound", "table": "InvalidRouteTableID.NotFound",
         "tableassoc": "InvalidAssociationID.NotFound", "aclassoc": "InvalidAssociationID.NotFound",
         "addressassoc": "InvalidAssociationID.NotFound", "group": "InvalidGroup.NotFound",
         "rule": "InvalidSecurityGroupRuleId.NotFound", "options": "InvalidDhcpOptionID.NotFound",
         "list": "InvalidPrefixListID.NotFound", "peering": "InvalidVpcPeeringConnectionID.NotFound",
         "interface": "InvalidNetworkInterfaceID.NotFound",
         "attachment": "InvalidAttachmentID.NotFound", "instance": "InvalidInstanceID.NotFound",
         "address": "InvalidAllocationID.NotFound", "public": "InvalidAddress.NotFound",
         "nat": "NatGatewayNotFound", "volume": "InvalidVolume.NotFound",
         "key": "InvalidKeyPair.NotFound", "keypair": "InvalidKeyPair.NotFound",
         "template": "InvalidLaunchTemplateId.NotFound",
         "template_name": "InvalidLaunchTemplateName.NotFoundException",
         "image": "InvalidAMIID.NotFound", "network_acl": "InvalidNetworkAclID.NotFound",
         "endpoint": "InvalidVpcEndpointId.NotFound", "log": "InvalidFlowLogId.NotFound",
         "cidrassoc": "InvalidVpcCidrBlockAssociationID.NotFound"}


def build(ec2, image_path):
    """One of each kind, by its name above; those of different names may be the same resource."""
    made = {}
    vpc = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]
    made["vpc"] = vpc["VpcId"]
    made["vpc2"] = ec2.create_vpc(CidrBlock="10.51.0.0/16")["Vpc"]["VpcId"]
    made["cidrassoc"] = vpc["CidrBlockAssociationSet"][0]["AssociationId"]
    made["subnet"] = ec2.create_subnet(VpcId=made["vpc"], CidrBlock="10.50.1.0/24",
                                       AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    made["igw"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made["igw"], VpcId=made["vpc"])
    made["eigw"] = ec2.create_egress_only_internet_gateway(VpcId=made["vpc"])[
        "EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    made["table"] = ec2.create_route_table(VpcId=made["vpc"])["RouteTable"]["RouteTableId"]
    made["tableassoc"] = ec2.associate_route_table(
        RouteTableId=made["table"], SubnetId=made["subnet"])["AssociationId"]
    ec2.create_route(RouteTableId=made["table"], DestinationCidrBlock="0.0.0.0/0",
                     GatewayId=made["igw"])
    made["group"] = ec2.create_security_group(GroupName="g", Description="g",
                                              VpcId=made["vpc"])["GroupId"]
    made["rule"] = ec2.authorize_security_group_ingress(GroupId=made["group"], IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])[
            "SecurityGroupRules"][0]["SecurityGroupRuleId"]
    acl = ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [made["vpc"]]}])["NetworkAcls"][0]
    made["network_acl"] = acl["NetworkAclId"]
    made["aclassoc"] = acl["Associations"][0]["NetworkAclAssociationId"]
    made["options"] = ec2.create_dhcp_options(DhcpConfigurations=[
        {"Key": "domain-name", "Values": ["example.test"]}])["DhcpOptions"]["DhcpOptionsId"]
    made["list"] = ec2.create_managed_prefix_list(
        PrefixListName="l", MaxEntries=2, AddressFamily="IPv4",
        Entries=[{"Cidr": "192.0.2.0/25"}])["PrefixList"]["PrefixListId"]
    allocated = ec2.allocate_address(Domain="vpc")
    made["address"], made["public"] = allocated["AllocationId"], allocated["PublicIp"]
    made["nat"] = ec2.create_nat_gateway(
        SubnetId=made["subnet"], AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])[
            "NatGateway"]["NatGatewayId"]
    launched = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=made["subnet"])
    made["instance"] = launched["Instances"][0]["InstanceId"]
    made["interface"] = ec2.create_network_interface(SubnetId=made["subnet"])[
        "NetworkInterface"]["NetworkInterfaceId"]
    made["addressassoc"] = ec2.associate_address(
        AllocationId=made["address"], NetworkInterfaceId=made["interface"])["AssociationId"]
    extra = ec2.create_network_interface(SubnetId=made["subnet"])[
        "NetworkInterface"]["NetworkInterfaceId"]
    made["attachment"] = ec2.attach_network_interface(
        NetworkInterfaceId=extra, InstanceId=made["instance"], DeviceIndex=1)["AttachmentId"]
    made["volume"] = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    made["keypair"] = ec2.create_key_pair(KeyName="ours")["KeyPairId"]
    made["key"] = "ours"
    made["template"] = ec2.create_launch_template(
        LaunchTemplateName="ours", LaunchTemplateData={"InstanceType": "t3.micro"})[
            "LaunchTemplate"]["LaunchTemplateId"]
    made["template_name"] = "ours"
    made["image"] = ec2.register_image(Name="ours", ImageLocation=f"file://{image_path}")["ImageId"]
    made["endpoint"] = ec2.create_vpc_endpoint(
        VpcId=made["vpc"], ServiceName="com.amazonaws.us-east-1.s3",
        RouteTableIds=[made["table"]])["VpcEndpoint"]["VpcEndpointId"]
    made["log"], = ec2.create_flow_logs(
        ResourceIds=[made["vpc"]], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3",
        LogDestination="arn:aws:s3:::bucket")["FlowLogIds"]
    made["peering"] = ec2.create_vpc_peering_connection(
        VpcId=made["vpc"], PeerVpcId=made["vpc2"])["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    return made


@pytest.fixture(scope="module")
def both(make_world, tmp_path_factory):
    """A world with one of each kind in the default account; and in the other all but names."""
    path = tmp_path_factory.mktemp("image")
    (path / "bin").mkdir()
    with make_world() as world:
        world.run("account create", OTHER)
        key, secret = keys_of(world, OTHER)
        theirs = world.client(key=key, secret=secret)
        mine, own = build(world.ec2, path), build(theirs, path)
        # Names are per account: the other's are different ones, or he would find his own.
        theirs.create_key_pair(KeyName="own")
        theirs.create_launch_template(LaunchTemplateName="own",
                                      LaunchTemplateData={"InstanceType": "t3.micro"})
        theirs.delete_key_pair(KeyName="ours")
        theirs.delete_launch_template(LaunchTemplateName="ours")
        own["key"] = own["template_name"] = "own"
        own["keypair"] = theirs.describe_key_pairs()["KeyPairs"][0]["KeyPairId"]
        own["template"] = theirs.describe_launch_templates()[
            "LaunchTemplates"][0]["LaunchTemplateId"]
        yield world, mine, own, (key, secret)


def nowhere(kind):
    kind = {"vpc2": "vpc"}.get(kind, kind)
    return NAMES.get(kind) or f"{PREFIXES.get(kind, kind)}-{NOWHERE}"


def attempt(world, keys, action, parameters):
    request = wire.signed(world, wire.form(action, **parameters), key=keys[0], secret=keys[1])
    return wire.send(world, request)


@pytest.mark.parametrize("line", STRANGERS, ids=lambda line: line[:60].replace(" ", "-"))
def test_strangers(both, line):
    """The other's id and one of nobody's get the same answer, whichever of the parameters it is."""
    world, mine, own, keys = both
    action, *words = line.split()
    plain = dict(word.split(":", 1) for word in words if "=" not in word)
    ids = dict(word.split("=") for word in words if "=" in word)
    assert ids
    for name, kind in ids.items():
        replies = []
        # Any image id that is nobody's own is a public one.
        for identifier in (mine[kind], *([nowhere(kind)] if kind != "image" else [])):
            parameters = {**plain, **{other: own[of] for other, of in ids.items()},
                          name: identifier}
            reply = attempt(world, keys, action, parameters)
            assert reply.status == 400, f"{name}={identifier}: {reply.body}"
            replies.append((reply.code, reply.message.replace(identifier, "X")))
        assert replies[0] == replies[-1]
        code = "InvalidGatewayID.NotFound" if "Route" in action and kind == "igw" else CODES[kind]
        if action == "DescribePrefixLists":  # which spells it in its own way
            code = "InvalidPrefixListId.NotFound"
        assert replies[0][0] == code, (name, replies)


def test_describe_shows_ones_own_only(both):
    world, mine, own, keys = both
    theirs = world.client(key=keys[0], secret=keys[1])
    hidden = {mine[kind] for kind in mine if kind not in ("key", "template_name")}
    assert not hidden & set(own.values())
    for call in ("describe_vpcs", "describe_subnets", "describe_internet_gateways",
                 "describe_egress_only_internet_gateways", "describe_route_tables",
                 "describe_instances", "describe_network_interfaces", "describe_security_groups",
                 "describe_security_group_rules", "describe_network_acls", "describe_dhcp_options",
                 "describe_managed_prefix_lists", "describe_vpc_peering_connections",
                 "describe_nat_gateways", "describe_addresses", "describe_addresses_attribute",
                 "describe_tags", "describe_instance_status", "describe_volumes",
                 "describe_key_pairs", "describe_launch_templates", "describe_images",
                 "describe_vpc_endpoints", "describe_flow_logs"):
        text = json.dumps(getattr(theirs, call)(), default=str)
        assert not [word for word in hidden if f'"{word}"' in text], call


def test_names_are_an_accounts_own(both):
    world, _, _, keys = both
    theirs = world.client(key=keys[0], secret=keys[1])
    theirs.create_key_pair(KeyName="ours")
    theirs.delete_key_pair(KeyName="ours")
    assert names(world.ec2.describe_key_pairs()["KeyPairs"], "KeyName") == ["ours"]
    with pytest.raises(ClientError):
        world.ec2.create_key_pair(KeyName="ours")


def test_a_strangers_calls_change_nothing(both):
    """After all of the above, and after a restart."""
    world, mine, _, keys = both
    before = api_state(world)
    for line in STRANGERS:
        action, *words = line.split()
        parameters = dict(re.split("[=:]", word, maxsplit=1) for word in words)
        parameters = {name: mine.get(value, value) if f"{name}={value}" in words else value
                      for name, value in parameters.items()}
        assert attempt(world, keys, action, parameters).status == 400, line
    assert api_state(world) == before
    world.restart()
    assert api_state(world) == before


def test_bulk_calls_name_what_is_not_there(both):
    """They answer 200, and list what they didn't do: the other's like nobody's."""
    world, mine, _, keys = both
    theirs = world.client(key=keys[0], secret=keys[1])
    for call, parameter, kind in (
            (theirs.delete_vpc_endpoints, "VpcEndpointIds", "endpoint"),
            (theirs.delete_flow_logs, "FlowLogIds", "log")):
        told = [[entry["Error"]["Code"] for entry in call(**{parameter: [identifier]})[
            "Unsuccessful"]] for identifier in (mine[kind], nowhere(kind))]
        assert told[0] == told[1] and len(told[0]) == 1
    for vpc in (mine["vpc"], nowhere("vpc")):
        try:
            reply = theirs.create_flow_logs(
                ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL",
                LogDestinationType="s3", LogDestination="arn:aws:s3:::bucket")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidVpcID.NotFound"
        else:
            assert not reply["FlowLogIds"] and reply["Unsuccessful"]
    assert world.ec2.describe_flow_logs(FlowLogIds=[mine["log"]])["FlowLogs"]


def test_private_tags_are_private(both):
    world, mine, _, keys = both
    theirs = world.client(key=keys[0], secret=keys[1])
    world.ec2.create_tags(Resources=[mine["vpc"]], Tags=[{"Key": "secret", "Value": "x"}])
    assert theirs.describe_tags(Filters=[{"Name": "key", "Values": ["secret"]}])["Tags"] == []
    made = theirs.create_vpc(CidrBlock="10.60.0.0/16",
                             TagSpecifications=tag_specification("vpc", secret="theirs"))
    theirs.delete_vpc(VpcId=made["Vpc"]["VpcId"])
