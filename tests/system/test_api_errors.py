"""
Every action's refusals that follow from its parameters alone, and the order of the checks: names,
what is missing, types, ids that are none, what isn't there, and a dry run last. The actions are those
that the world answers, their parameters those of the API's model.
"""
import functools
import re

import boto3
import pytest

import conformance
import wire
from lib import api_state
from test_accounts import STRANGERS, build

NOWHERE = "0fedcba9876543210"

# Parameter on the wire: the kind of id that it takes. A list's items have the name of the list.
IDS = {
    "VpcId": "vpc", "PeerVpcId": "vpc", "SubnetId": "subnet", "RouteTableId": "rtb",
    "InternetGatewayId": "igw", "EgressOnlyInternetGatewayId": "eigw", "NetworkAclId": "acl",
    "GroupId": "sg", "SecurityGroupId": "sg", "SecurityGroupRuleId": "sgr",
    "NetworkInterfaceId": "eni", "AttachmentId": "eni-attach", "InstanceId": "i",
    "AllocationId": "eipalloc", "NatGatewayId": "nat", "VpcPeeringConnectionId": "pcx",
    "DhcpOptionsId": "dopt", "PrefixListId": "pl", "VolumeId": "vol", "LaunchTemplateId": "lt",
    "ImageId": "ami",
}

# The codes: malformed, not found.
CODES = {
    "vpc": ("InvalidVpcID.Malformed", "InvalidVpcID.NotFound"),
    "subnet": ("InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound"),
    "rtb": ("InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound"),
    "igw": ("InvalidInternetGatewayId.Malformed", "InvalidInternetGatewayID.NotFound"),
    "eigw": ("InvalidEgressOnlyInternetGatewayId.Malformed", "InvalidGatewayID.NotFound"),
    "acl": ("InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.NotFound"),
    "sg": ("InvalidGroupId.Malformed", "InvalidGroup.NotFound"),
    "sgr": ("InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound"),
    "eni": ("InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound"),
    "eni-attach": ("InvalidNetworkInterfaceAttachmentId.Malformed", "InvalidAttachmentID.NotFound"),
    "i": ("InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound"),
    "eipalloc": ("InvalidParameterValue", "InvalidAllocationID.NotFound"),
    "nat": ("NatGatewayMalformed", "NatGatewayNotFound"),
    "pcx": ("InvalidVpcPeeringConnectionId.Malformed", "InvalidVpcPeeringConnectionID.NotFound"),
    "dopt": ("InvalidDhcpOptionsId.Malformed", "InvalidDhcpOptionID.NotFound"),
    "pl": ("InvalidPrefixListId.Malformed", "InvalidPrefixListID.NotFound"),
    "vol": ("InvalidVolumeID.Malformed", "InvalidVolume.NotFound"),
    "lt": ("InvalidLaunchTemplateId.Malformed", "InvalidLaunchTemplateId.NotFound"),
    "ami": ("InvalidAMIID.Malformed", "InvalidAMIID.NotFound"),
}

# What a required parameter that is no id is given.
VALUES = {
    "CidrBlock": "10.0.0.0/24", "Ipv6CidrBlock": "2600:1f18::/64", "Attribute": None,
    "AssociationId": None, "Egress": "true", "Protocol": "-1", "RuleAction": "allow",
    "RuleNumber": "7", "DeviceIndex": "1", "Device": "/dev/sdf", "MinCount": "1", "MaxCount": "1",
    "KeyName": "nobody", "PublicKeyMaterial": "eA==", "AddressFamily": "IPv4", "MaxEntries": "5",
    "PrefixListName": "somebody", "GroupName": "group", "GroupDescription": "group",
    "CurrentVersion": "1", "PreviousVersion": "1", "LaunchTemplateName": "nobody",
    "AvailabilityZone": "us-east-1a", "Size": "1", "Name": "image",
}

SPECIAL = {
    ("DescribeVpcAttribute", "Attribute"): "enableDnsSupport",
    ("DescribeImageAttribute", "Attribute"): "description",
    ("DescribeInstanceAttribute", "Attribute"): "userData",
    ("DescribeVolumeAttribute", "Attribute"): "autoEnableIO",
    ("ResetAddressAttribute", "Attribute"): "domain-name",
    ("DisassociateRouteTable", "AssociationId"): f"rtbassoc-{NOWHERE}",
    ("ReplaceRouteTableAssociation", "AssociationId"): f"rtbassoc-{NOWHERE}",
    ("ReplaceNetworkAclAssociation", "AssociationId"): f"aclassoc-{NOWHERE}",
    ("DisassociateVpcCidrBlock", "AssociationId"): f"vpc-cidr-assoc-{NOWHERE}",
    ("DisassociateSubnetCidrBlock", "AssociationId"): f"subnet-cidr-assoc-{NOWHERE}",
}
STRUCTURES = {
    "DhcpConfiguration": {"Key": "domain-name", "Value.1": "example.test"},
    "LaunchTemplateData": {"InstanceType": "t3.micro"},
    "Tag": {"Key": "a", "Value": "b"},
    "SecurityGroupRule": {"SecurityGroupRuleId": f"sgr-{NOWHERE}",
                          "SecurityGroupRule.IpProtocol": "tcp",
                          "SecurityGroupRule.FromPort": "1", "SecurityGroupRule.ToPort": "1",
                          "SecurityGroupRule.CidrIpv4": "10.0.0.0/8"},
    "InstanceCreditSpecification": {"InstanceId": f"i-{NOWHERE}", "CpuCredits": "unlimited"},
}
# What an action requires though the model doesn't say so: always, or beside an id, for that to be
# looked at.
NEEDED = {
    "AcceptVpcPeeringConnection": ["VpcPeeringConnectionId"],
    "CreateVpcPeeringConnection": ["VpcId", "PeerVpcId"],
    "ModifyPrivateDnsNameOptions": ["InstanceId"],
    "RunInstances": ["ImageId"],
}
# Required by Debian's model; AWS's has others that would do since.
NEEDED_NO_MORE = {"CreateVpcEndpoint": ["ServiceName"]}
WITH = {
    ("AssociateAddress", "InstanceId"): ["AllocationId"],
    ("AssociateAddress", "NetworkInterfaceId"): ["AllocationId"],
    ("AssociateRouteTable", "SubnetId"): ["RouteTableId"],
    ("RevokeSecurityGroupIngress", "SecurityGroupRuleId"): ["GroupId"],
}
# One of several parameters is required: that is told by the action itself, after the types.
ONE_OF = {"CreateDefaultSubnet", "CreateLaunchTemplateVersion", "CreateVolume"}
# Of one of several that would do, the message names another, or what it is called inside.
NAMED_OTHERWISE = {("CreateVolume", "AvailabilityZone")}
# Refused by another code than its kind's; tested elsewhere: any image is somebody's.
UNUSUAL = {("RunInstances", "ImageId"), ("DescribeImages", "ImageId")}


@functools.cache
def model():
    return boto3.session.Session("x", "x", region_name="us-east-1").client(
        "ec2").meta.service_model


def wire_name(name, shape):
    return shape.serialization.get("queryName") or (
        lambda text: text[0].upper() + text[1:])(shape.serialization.get("name", name))


def members(action):
    """Name on the wire: its shape."""
    shape = model().operation_model(action).input_shape
    return {wire_name(name, member): member for name, member in shape.members.items()}


def required(action):
    shape = model().operation_model(action).input_shape
    found = [wire_name(name, shape.members[name]) for name in shape.required_members
             if name not in NEEDED_NO_MORE.get(action, [])]
    return found + [name for name in NEEDED.get(action, []) if name not in found]


@pytest.fixture(scope="module")
def answered(world):
    """Of all that EC2 has, what this one answers."""
    found = [action for action in model().operation_names
             if wire.call(world, action, DryRun="true", Nonsense="1").code != "InvalidAction"]
    assert len(found) > 120 and "DescribeVpcs" in found
    return found


def ask(world, action, parameters):
    reply = wire.call(world, action, **parameters)
    if reply.status != 200:
        conformance.check_error(reply.root)
    return reply


def test_unknown_parameters(world, answered):
    for action in answered:
        for name in ("Nonsense", "vpcId", "Filter.1.Values.1", "TagSpecification.1.Tags.1.Key"):
            reply = ask(world, action, {name: "x"})
            assert (reply.status, reply.code) == (400, "UnknownParameter"), (action, reply.body)
            assert reply.message == f"The parameter {name} is not recognized"


def value_of(action, name):
    """Something that is right in form, and an id that nobody has."""
    if name in IDS:
        return f"{IDS[name]}-{NOWHERE}"
    return SPECIAL.get((action, name), VALUES.get(name))


def flat(action, name, value=None):
    """The parameters that one member takes on the wire."""
    shape, value = members(action)[name], value or value_of(action, name)
    if shape.type_name == "list":
        inner = shape.member
        if inner.type_name == "structure":
            return {f"{name}.1.{key}": text for key, text in STRUCTURES[name].items()}
        return {f"{name}.1": value}
    if shape.type_name == "structure":
        return {f"{name}.{key}": text for key, text in STRUCTURES[name].items()}
    return {name: value}


def complete(action, *more):
    """What an action requires, and those."""
    found = {}
    for name in [*required(action), *more]:
        found.update(flat(action, name))
    return found


def test_missing_parameters(world, answered):
    for action in answered:
        for name in required(action):
            if members(action)[name].type_name == "structure":
                continue  # one that is empty is nothing on the wire
            whole = complete(action)
            left = {key: text for key, text in whole.items() if key.split(".")[0] != name}
            for absent in (left, {**left, name: ""}):
                reply = ask(world, action, absent)
                assert (reply.status, reply.code) == (400, "MissingParameter"), (
                    action, name, reply.body)
                assert name.lower() in reply.message.lower() or (
                    action, name) in NAMED_OTHERWISE, (action, reply.message)


def test_types(world, answered):
    """Before anything is looked for: what is required is nobody's."""
    for action in answered:
        for name, shape in members(action).items():
            if shape.type_name not in ("integer", "boolean", "long", "timestamp"):
                continue
            reply = ask(world, action, {**complete(action), name: "banana"})
            if reply.code == "UnknownParameter":
                continue  # of a newer model than ours
            assert (reply.status, reply.code) == (400, "InvalidParameterValue"), (
                action, name, reply.body)
            assert "banana" in reply.message


def ids_of(action):
    """Its parameters that are ids, lists of them too."""
    return [name for name, shape in members(action).items()
            if name in IDS and (shape.type_name == "string" or (
                shape.type_name == "list" and shape.member.type_name == "string"))]


def test_malformed_ids(world, answered):
    for action in answered:
        for name in ids_of(action):
            if (action, name) in UNUSUAL:
                continue
            kind = IDS[name]
            wrong = "subnet" if kind != "subnet" else "vpc"
            for text in ("banana", f"{kind}-", f"{kind}-banana", f"{kind}-{NOWHERE}0",
                         f"{wrong}-{NOWHERE}", f" {kind}-{NOWHERE}"):
                parameters = {**complete(action, *WITH.get((action, name), ())),
                              **flat(action, name, text)}
                reply = ask(world, action, parameters)
                assert (reply.status, reply.code) == (400, CODES[kind][0]), (
                    action, name, text, reply.body)


def test_not_found(world, answered):
    """With DryRun too: a dry run says what the call would have said."""
    for action in answered:
        for name in ids_of(action):
            if (action, name) in UNUSUAL:
                continue
            parameters = {**complete(action, *WITH.get((action, name), ())), **flat(action, name)}
            for more in ({}, {"DryRun": "true"}):
                reply = ask(world, action, {**parameters, **more})
                codes = {CODES[IDS[key.split(".")[0]]][1] for key in parameters
                         if key.split(".")[0] in IDS}
                codes |= {"InvalidAssociationID.NotFound"} if "AssociationId" in parameters else set()
                if action == "DescribePrefixLists":  # which spells it in its own way
                    codes = {"InvalidPrefixListId.NotFound"}
                assert reply.status == 400 and reply.code in codes, (action, name, reply.body)
                assert NOWHERE in reply.message or IDS[name] == "nat", (action, reply.message)


# Of what is wrong at once, what is told: unknown, missing, types, combinations, ids, what isn't there.

def test_the_order(world, answered):
    for action in answered:
        needed = complete(action)
        scalars = [name for name, shape in members(action).items() if name != "DryRun"
                   and shape.type_name in ("integer", "boolean")]
        wrong = {**({scalars[0]: "banana"} if scalars else {}), "Nonsense": "1"}
        reply = ask(world, action, wrong)
        assert reply.code == "UnknownParameter", (action, reply.body)
        if required(action) and action not in ONE_OF:
            reply = ask(world, action, {"DryRun": "banana"})
            assert reply.code == "MissingParameter", (action, reply.body)
        reply = ask(world, action, {**needed, "DryRun": "banana"})
        assert reply.code == "InvalidParameterValue", (action, reply.body)


def test_strangers_are_tried_everywhere(answered):
    """Every action that takes an id is among those that another account tries in vain."""
    tried = {(line.split()[0], word.split("=")[0].split(".")[0])
             for line in STRANGERS for word in line.split()[1:] if "=" in word}
    left = {(action, name) for action in answered for name in ids_of(action)} - tried
    assert not left, left


# A dry run of what would work, or of what wouldn't.

@pytest.fixture(scope="module")
def full(make_world, tmp_path_factory):
    """A world with one of each kind."""
    path = tmp_path_factory.mktemp("image")
    (path / "bin").mkdir()
    with make_world() as running:
        made = build(running.ec2, path)
        running.await_state("running", made["instance"])
        yield running, made


# Of the calls of STRANGERS with ids of one's own, those that are refused; all others would work.
REFUSED = {
    "DeleteVpc VpcId=vpc": "DependencyViolation",
    "AssociateVpcCidrBlock VpcId=vpc CidrBlock:100.64.0.0/20": "OperationNotPermitted",
    "DisassociateVpcCidrBlock AssociationId=cidrassoc": "OperationNotPermitted",
    "DeleteSubnet SubnetId=subnet": "DependencyViolation",
    "DeleteInternetGateway InternetGatewayId=igw": "DependencyViolation",
    "AttachInternetGateway InternetGatewayId=igw VpcId=vpc": "Resource.AlreadyAssociated",
    "DetachInternetGateway InternetGatewayId=igw VpcId=vpc": "DependencyViolation",
    "CreateEgressOnlyInternetGateway VpcId=vpc": "InvalidParameterValue",
    "DeleteRouteTable RouteTableId=table": "DependencyViolation",
    "CreateRoute RouteTableId=table DestinationCidrBlock:192.0.2.0/24 InstanceId=instance":
        "InvalidInstanceID",
    "DeleteNetworkAcl NetworkAclId=network_acl": "InvalidParameterValue",
    "CreateVpcPeeringConnection VpcId=vpc PeerVpcId=vpc2": "VpcPeeringConnectionAlreadyExists",
    "ModifyVpcPeeringConnectionOptions VpcPeeringConnectionId=peering": "OperationNotPermitted",
    "AssociateNatGatewayAddress NatGatewayId=nat AllocationId.1=address":
        "Resource.AlreadyAssociated",
    "AssignPrivateNatGatewayAddress NatGatewayId=nat PrivateIpAddressCount:1":
        "InvalidParameterValue",
    "AttachNetworkInterface NetworkInterfaceId=interface InstanceId=instance DeviceIndex:1":
        "InvalidParameterValue",
    "UnassignPrivateIpAddresses NetworkInterfaceId=interface PrivateIpAddress.1:10.50.1.77":
        "InvalidParameterValue",
    "AssociateAddress AllocationId=address InstanceId=instance": "InvalidInstanceID",
    "AssociateAddress PublicIp=public InstanceId=instance": "InvalidInstanceID",
    "ReleaseAddress AllocationId=address": "InvalidIPAddress.InUse",
    "ModifyInstanceAttribute InstanceId=instance GroupId.1=group": "InvalidInstanceID",
    "DetachVolume VolumeId=volume InstanceId=instance": "IncorrectState",
    "ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 InstanceId=instance":
        "InvalidInstanceID",
    "ReplaceRoute RouteTableId=table DestinationCidrBlock:0.0.0.0/0 "
    "EgressOnlyInternetGatewayId=eigw": "UnsupportedOperation",
    "CreateRoute RouteTableId=table DestinationIpv6CidrBlock:2001:db8::/32 "
    "EgressOnlyInternetGatewayId=eigw": "UnsupportedOperation",
    "AssociateSubnetCidrBlock SubnetId=subnet Ipv6CidrBlock:2600:1f18::/64": "InvalidSubnet.Range",
    "DescribePrefixLists PrefixListId.1=list": "InvalidPrefixListId.NotFound",
    "DisassociateNatGatewayAddress NatGatewayId=nat AssociationId.1:eipassoc-0fedcba9876543210":
        "InvalidAssociationID.NotFound",
    "UnassignPrivateNatGatewayAddress NatGatewayId=nat PrivateIpAddress.1:10.50.1.88":
        "InvalidParameterValue",
    "RevokeSecurityGroupEgress GroupId=group SecurityGroupRuleId.1=rule":
        "InvalidSecurityGroupRuleId.NotFound",
    "UpdateSecurityGroupRuleDescriptionsEgress GroupId=group "
    "SecurityGroupRuleDescription.1.SecurityGroupRuleId=rule "
    "SecurityGroupRuleDescription.1.Description:x": "InvalidSecurityGroupRuleId.NotFound",
    "AssignIpv6Addresses NetworkInterfaceId=interface Ipv6AddressCount:1": "UnsupportedOperation",
    "DescribeInstanceCreditSpecifications InstanceId.1=instance":
        "InstanceCreditSpecification.NotSupported",
    "ModifyVpcEndpoint VpcEndpointId=endpoint AddRouteTableId.1=table": "RouteAlreadyExists",
    "DescribeVolumesModifications VolumeId.1=volume": "InvalidVolumeModification.NotFound",
}


KINDS = {"vpc": "vpc", "vpc2": "vpc", "address": "eipalloc", "instance": "i", "group": "sg",
         "interface": "eni"}


def attempt_line(world, made, line, **more):
    action, *words = line.split()
    parameters = dict(re.split("[=:]", word, maxsplit=1) for word in words)
    parameters = {name: made[text] if f"{name}={text}" in words else text
                  for name, text in parameters.items()}
    return ask(world, action, {**parameters, **more})


def test_dry_runs_change_nothing(full):
    """What a call would say, and a dry run of it says: 412, or the same as without."""
    world, made = full
    before = api_state(world)
    for line in STRANGERS:
        reply = attempt_line(world, made, line, DryRun="true")
        wanted = REFUSED.get(line, "DryRunOperation")
        assert (reply.status, reply.code) == (
            412 if wanted == "DryRunOperation" else 400, wanted), (line, reply.body)
    assert api_state(world) == before
    for line, code in REFUSED.items():  # and without, nothing else is told or changed
        reply = attempt_line(world, made, line)
        assert (reply.status, reply.code) == (400, code), (line, reply.body)
    assert api_state(world) == before


def test_existence_comes_before_state(full):
    """What isn't there is told, whatever else would be refused of what is."""
    world, made = full
    for line, code in REFUSED.items():
        words = line.split()[1:]
        ids = [word.split("=") for word in words if "=" in word]
        for name, kind in ids[1:] if len(ids) > 1 else []:
            if kind not in KINDS:
                continue
            reply = attempt_line(world, made, line, **{name: f"{KINDS[kind]}-{NOWHERE}"})
            assert (reply.status, reply.code) == (400, CODES[KINDS[kind]][1]), (
                line, name, code, reply.body)
