"""An id of another kind, or of no shape, in every parameter that takes one: refused as malformed, in
AWS's code for what the parameter names, before anything is changed.

The parameters are those of botocore's model; the actions, those of them that the daemon knows.
"""
import functools
import re

import botocore.session

import wire
from lib import api_state

ABSENT = "0fedcba9876543210"
NO_CODE = "InvalidParameterValue"  # AWS has no code of its own for a malformed one
KINDS = {  # of an id's prefix: the code that AWS refuses a malformed one with
    "vpc": "InvalidVpcID.Malformed", "subnet": "InvalidSubnetID.Malformed",
    "igw": "InvalidInternetGatewayId.Malformed",
    "eigw": "InvalidEgressOnlyInternetGatewayId.Malformed",
    "rtb": "InvalidRouteTableId.Malformed", "sg": "InvalidGroupId.Malformed",
    "sgr": "InvalidSecurityGroupRuleId.Malformed", "acl": "InvalidNetworkAclId.Malformed",
    "eni": "InvalidNetworkInterfaceId.Malformed",
    "eni-attach": "InvalidNetworkInterfaceAttachmentId.Malformed",
    "i": "InvalidInstanceID.Malformed", "ami": "InvalidAMIID.Malformed",
    "vol": "InvalidVolumeID.Malformed", "nat": "NatGatewayMalformed",
    "pcx": "InvalidVpcPeeringConnectionId.Malformed", "dopt": "InvalidDhcpOptionsId.Malformed",
    "pl": "InvalidPrefixListId.Malformed", "lt": "InvalidLaunchTemplateId.Malformed",
    "vpc-cidr-assoc": "InvalidVpcCidrBlockAssociationId.Malformed",
    "subnet-cidr-assoc": "InvalidSubnetCidrBlockAssociationId.Malformed",
    "eipalloc": NO_CODE, "eipassoc": NO_CODE, "rtbassoc": NO_CODE, "aclassoc": NO_CODE,
    "key": NO_CODE}
PARAMETERS = {  # by the name on the wire: the prefix of what it names
    "VpcId": "vpc", "PeerVpcId": "vpc", "SubnetId": "subnet", "InternetGatewayId": "igw",
    "EgressOnlyInternetGatewayId": "eigw", "RouteTableId": "rtb", "GroupId": "sg",
    "SecurityGroupId": "sg", "SecurityGroupRuleId": "sgr", "NetworkAclId": "acl",
    "NetworkInterfaceId": "eni", "InstanceId": "i", "ImageId": "ami", "VolumeId": "vol",
    "NatGatewayId": "nat", "VpcPeeringConnectionId": "pcx", "DhcpOptionsId": "dopt",
    "PrefixListId": "pl", "LaunchTemplateId": "lt", "AllocationId": "eipalloc",
    "AttachmentId": "eni-attach", "KeyPairId": "key"}
ASSOCIATIONS = {
    "DisassociateAddress": "eipassoc", "DisassociateRouteTable": "rtbassoc",
    "ReplaceRouteTableAssociation": "rtbassoc", "ReplaceNetworkAclAssociation": "aclassoc",
    "DisassociateVpcCidrBlock": "vpc-cidr-assoc",
    "DisassociateSubnetCidrBlock": "subnet-cidr-assoc"}
# What a list's first element is, where a request must have one beside the id.
ELEMENTS = {"SecurityGroupRule": (".1.SecurityGroupRuleId", f"sgr-{ABSENT}"),
            "LaunchTemplateVersion": (".1", "1")}
FILLS = {"Egress": "true"}  # anything else: "1"
MISSING = re.compile(r"must contain the parameter (\w+)$")


def wire_name(name, member):
    plain = member.serialization.get("name", name)
    return member.serialization.get("queryName") or plain[0].upper() + plain[1:]


@functools.cache
def rows():
    """The action, its parameter and the prefix of what that names."""
    model = botocore.session.get_session().get_service_model("ec2")
    found = []
    for action in model.operation_names:
        shape = model.operation_model(action).input_shape
        for key, member in shape.members.items() if shape else ():
            name = wire_name(key, member)
            prefix = ASSOCIATIONS.get(action) if name == "AssociationId" else PARAMETERS.get(name)
            if prefix:
                found.append((action, name + (".1" if member.type_name == "list" else ""), prefix))
    return found


def call(world, action, given):
    """The reply to a request that has, beside what is given, all that the daemon demands."""
    parameters = dict(given)
    for _ in range(8):
        reply = wire.call(world, action, **parameters)
        missing = reply.code == "MissingParameter" and MISSING.search(reply.message)
        if not missing:
            break
        name = missing[1]
        tail, value = ELEMENTS.get(name, ("", FILLS.get(name, "1")))
        if name in PARAMETERS:
            value = f"{PARAMETERS[name]}-{ABSENT}"
        parameters[name + tail] = value
    return reply


def known_rows(world):
    known = {}
    for action, parameter, prefix in rows():
        if action not in known:
            known[action] = wire.call(world, action, Zzz="1").code != "InvalidAction"
        if known[action]:
            yield action, parameter, prefix


def test_ids_of_other_kinds(world):
    before, wrong, count = api_state(world), [], 0
    for action, parameter, prefix in known_rows(world):
        other = "rtb" if prefix == "vpc" else "vpc"
        for bad in (f"{other}-{ABSENT}", f"{prefix}-", f"{prefix}-{ABSENT.upper()}",
                    f"{prefix}-{ABSENT}0", f"{prefix}_{ABSENT}", "*", "../" * 30, "é" * 2000):
            reply = call(world, action, {parameter: bad})
            count += 1
            if (reply.status, reply.code) != (400, KINDS[prefix]):
                wrong.append((action, parameter, bad[:40], reply.status, reply.body[:400]))
    assert not wrong, "\n".join(map(str, wrong[:40]))
    assert count > 800
    assert api_state(world) == before


def test_malformed_comes_before_absent(world):
    """Form is judged before existence, whichever parameter comes first."""
    for given in ({"InternetGatewayId": f"igw-{ABSENT}", "VpcId": "igw-1"},
                  {"VpcId": "igw-1", "InternetGatewayId": f"igw-{ABSENT}"}):
        reply = wire.call(world, "AttachInternetGateway", **given)
        assert (reply.status, reply.code) == (400, "InvalidVpcID.Malformed")
        assert reply.message == 'Invalid id: "igw-1" (expecting "vpc-...")'


def test_well_formed_ids_are_looked_up(world):
    """The short form too, which nothing here has."""
    for identifier in ("vpc-1234abcd", f"vpc-{ABSENT}"):
        reply = wire.call(world, "DescribeVpcs", VpcId__1=identifier)
        assert (reply.status, reply.code) == (400, "InvalidVpcID.NotFound")
