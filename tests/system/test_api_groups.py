"""Security groups and their rules, and who carries which: as the API tells it."""
import re
import string

import pytest

import wire
from conformance import demand
from lib import ACCOUNT, IMAGE, api_state, names, refused, tag_specification, tags

NOWHERE = "sg-0fedcba9876543210"
NO_RULE = "sgr-0fedcba9876543210"
ANY, ANY6 = "0.0.0.0/0", "::/0"
GONE = "The specified rule does not exist in this security group."
ALPHABET = string.ascii_letters + string.digits + ". _-:/()#,@[]+=&;{}!$*"


@pytest.fixture(scope="module")
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture(scope="module")
def subnet(world, vpc):
    return world.subnet(vpc, "10.1.1.0/24")


@pytest.fixture(scope="module")
def default_vpc(ec2):
    return ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]


@pytest.fixture(scope="module")
def default_group(ec2, vpc):
    return ec2.describe_security_groups(Filters=[
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]


@pytest.fixture
def group(world, vpc):
    """For one test."""
    identifier = world.security_group(vpc, "web")
    yield identifier
    world.ec2.delete_security_group(GroupId=identifier)


@pytest.fixture
def other(world, vpc, group):
    """Rules of `group` may name it."""
    identifier = world.security_group(vpc, "other")
    yield identifier
    found = names(rules(world.ec2, group, out=False), "SecurityGroupRuleId")
    if found:
        world.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=found)
    found = names(rules(world.ec2, group, out=True), "SecurityGroupRuleId")
    if found:
        world.ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=found)
    world.ec2.delete_security_group(GroupId=identifier)


@pytest.fixture
def elsewhere(world):
    """A group of another VPC."""
    vpc = world.vpc("10.2.0.0/16")
    identifier = world.security_group(vpc)
    yield identifier
    world.ec2.delete_security_group(GroupId=identifier)
    world.ec2.delete_vpc(VpcId=vpc)


@pytest.fixture(scope="module")
def instance(world, subnet):
    return world.run_instances(subnet)[0]


def permission(protocol="tcp", first=None, last=None, **peers):
    """`cidr`, `cidr6` and `group`: one or several; those of a tuple have a description."""
    ports = {} if first is None else {"FromPort": first, "ToPort": first if last is None else last}
    found = {"IpProtocol": protocol, **ports}
    for name, (member, inner) in {"cidr": ("IpRanges", "CidrIp"),
                                  "cidr6": ("Ipv6Ranges", "CidrIpv6"),
                                  "prefix_list": ("PrefixListIds", "PrefixListId"),
                                  "group": ("UserIdGroupPairs", "GroupId")}.items():
        values = peers.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            value, text = value if isinstance(value, tuple) else (value, None)
            found.setdefault(member, []).append(
                {inner: value, **({"Description": text} if text else {})})
    return found


def ingress(ec2, group, *permissions, **more):
    return ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions),
                                                **more)["SecurityGroupRules"]


def egress(ec2, group, *permissions, **more):
    return ec2.authorize_security_group_egress(GroupId=group, IpPermissions=list(permissions),
                                               **more)["SecurityGroupRules"]


def read(ec2, group):
    return ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]


def rules(ec2, group, out=None):
    found = ec2.describe_security_group_rules(Filters=[
        {"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return [rule for rule in found if out is None or rule["IsEgress"] == out]


def folded(entry):
    """A permission as AWS shows it: all four lists are there."""
    return {"UserIdGroupPairs": [], "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], **entry}


# Groups.

def test_life_cycle(ec2, vpc):
    created = ec2.create_security_group(
        GroupName="web", Description="of the web", VpcId=vpc,
        TagSpecifications=tag_specification("security-group", Name="front"))
    identifier = created["GroupId"]
    assert re.fullmatch("sg-[0-9a-f]{17}", identifier)
    assert created["Tags"] == tags(Name="front")
    found = read(ec2, identifier)
    assert found == {
        "GroupId": identifier, "GroupName": "web", "Description": "of the web", "VpcId": vpc,
        "OwnerId": ACCOUNT, "Tags": tags(Name="front"), "IpPermissions": [],
        "IpPermissionsEgress": [folded({"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY}]})],
        **{name: value for name, value in found.items() if name == "SecurityGroupArn"}}
    ec2.delete_security_group(GroupId=identifier)
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[identifier],
            text=f"The security group '{identifier}' does not exist")
    assert rules(ec2, identifier) == []


def test_replies_of_today(world, vpc):
    """Members that Debian's botocore doesn't read."""
    reply = wire.call(world, "CreateSecurityGroup", GroupName="wired", GroupDescription="x",
                      VpcId=vpc)
    space = reply.root.tag[:-len("CreateSecurityGroupResponse")]
    identifier = reply.root.findtext(space + "groupId")
    assert reply.root.findtext(space + "securityGroupArn") == \
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{identifier}"
    flat = {"GroupId": identifier, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
            "CidrIp": "10.0.0.0/8"}
    made = wire.call(world, "AuthorizeSecurityGroupIngress", **flat).root
    rule = made.findtext(f"{space}securityGroupRuleSet/{space}item/{space}securityGroupRuleId")
    assert made.findtext(f".//{space}securityGroupRuleArn") == \
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group-rule/{rule}"
    revoked = wire.call(world, "RevokeSecurityGroupIngress", **flat).root
    item, = revoked.find(space + "revokedSecurityGroupRuleSet")
    assert {child.tag[len(space):]: child.text for child in item} == {
        "securityGroupRuleId": rule, "groupId": identifier, "isEgress": "false",
        "ipProtocol": "tcp", "fromPort": "22", "toPort": "22", "cidrIpv4": "10.0.0.0/8"}
    deleted = wire.call(world, "DeleteSecurityGroup", GroupId=identifier).root
    assert deleted.findtext(space + "groupId") == identifier
    assert deleted.findtext(space + "return") == "true"


def test_the_default_group(ec2, vpc, default_group):
    found = read(ec2, default_group)
    assert found["Description"] == "default VPC security group"
    assert found["IpPermissions"] == [folded({"IpProtocol": "-1", "UserIdGroupPairs": [
        {"GroupId": default_group, "UserId": ACCOUNT}]})]
    assert found["IpPermissionsEgress"] == [
        folded({"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY}]})]
    refused("CannotDelete", ec2.delete_security_group, GroupId=default_group,
            text=f'the specified group: "{default_group}" name: "default" cannot be deleted by a '
                 "user")
    for name in ("default", "Default"):
        refused("InvalidGroup.Reserved", ec2.create_security_group, GroupName=name,
                Description="x", VpcId=vpc)


def test_a_vpc_takes_its_default_group_along(world, ec2):
    vpc = world.vpc("10.3.0.0/16")
    identifier, = names(ec2.describe_security_groups(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"], "GroupId")
    ingress(ec2, identifier, permission("tcp", 22, cidr=ANY))
    assert len(rules(ec2, identifier)) == 3
    another = world.security_group(vpc)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc,
            text=f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    ec2.delete_security_group(GroupId=another)
    ec2.delete_vpc(VpcId=vpc)
    assert rules(ec2, identifier) == [] and rules(ec2, another) == []


def test_names(ec2, vpc, group):
    for name in ("web", "WEB", "web  "):
        refused("InvalidGroup.Duplicate", ec2.create_security_group, GroupName=name,
                Description="x", VpcId=vpc,
                text=f"The security group '{name.rstrip()}' already exists for VPC '{vpc}'")
    for name in ("sg-web", "sg-0123456789abcdef0", "é", "a\tb", "x" * 256, "a|b", "   "):
        refused("InvalidParameterValue", ec2.create_security_group, GroupName=name,
                Description="x", VpcId=vpc)
    for text in ("é", "x" * 256, "<x>"):
        refused("InvalidParameterValue", ec2.create_security_group, GroupName="x",
                Description=text, VpcId=vpc)
    for name, text in ((ALPHABET, ALPHABET), ("x" * 255, "y" * 255)):
        made = ec2.create_security_group(GroupName=name, Description=text, VpcId=vpc)["GroupId"]
        assert read(ec2, made)["GroupName"] == name and read(ec2, made)["Description"] == text
        ec2.delete_security_group(GroupId=made)
    assert read(ec2, group)["GroupName"] == "web"


def test_create_refused(world, ec2, vpc):
    arguments = {"GroupName": "new", "Description": "x", "VpcId": vpc}
    refused("InvalidVpcID.NotFound", ec2.create_security_group,
            **{**arguments, "VpcId": "vpc-0fedcba9876543210"})
    refused("DryRunOperation", ec2.create_security_group, **arguments, DryRun=True, status=412)
    refused("InvalidParameterValue", ec2.create_security_group, **arguments,
            TagSpecifications=tag_specification("vpc", Name="x"))
    assert wire.call(world, "CreateSecurityGroup", GroupName="x").code == "MissingParameter"
    assert wire.call(world, "CreateSecurityGroup", GroupDescription="x").code == "MissingParameter"
    assert "new" not in names(ec2.describe_security_groups()["SecurityGroups"], "GroupName")


def test_by_name_in_the_default_vpc(world, ec2, vpc, default_vpc):
    made = ec2.create_security_group(GroupName="named", Description="x")["GroupId"]
    found, = ec2.describe_security_groups(GroupNames=["named"])["SecurityGroups"]
    assert found["GroupId"] == made and found["VpcId"] == default_vpc["VpcId"]
    ec2.authorize_security_group_ingress(GroupName="named", IpProtocol="tcp", FromPort=1,
                                         ToPort=2, CidrIp="10.9.9.9/24")
    rule, = rules(ec2, made, out=False)
    assert (rule["CidrIpv4"], rule["FromPort"], rule["ToPort"]) == ("10.9.9.0/24", 1, 2)
    ec2.authorize_security_group_ingress(GroupName="named", SourceSecurityGroupName="default")
    whole = [(entry["IpProtocol"], entry["FromPort"], entry["ToPort"])
             for entry in rules(ec2, made, out=False) if "ReferencedGroupInfo" in entry]
    assert sorted(whole) == [("icmp", -1, -1), ("tcp", 0, 65535), ("udp", 0, 65535)]
    ec2.revoke_security_group_ingress(GroupName="named", IpProtocol="tcp", FromPort=1, ToPort=2,
                                      CidrIp="10.9.9.0/24")
    assert len(rules(ec2, made, out=False)) == 3
    ec2.delete_security_group(GroupName="named")
    for call in (ec2.delete_security_group, ec2.authorize_security_group_ingress):
        refused("InvalidGroup.NotFound", call, GroupName="named",
                text="The security group 'named' does not exist")
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupNames=["named"])
    stranger = world.security_group(vpc, "stranger")
    refused("InvalidGroup.NotFound", ec2.delete_security_group, GroupName="stranger")
    refused("InvalidParameterCombination", ec2.delete_security_group, GroupName="stranger",
            GroupId=stranger)
    refused("MissingParameter", ec2.delete_security_group,
            text="The request must contain the parameter groupName or groupId")
    ec2.delete_security_group(GroupId=stranger)


def test_no_default_vpc(make_world):
    with make_world() as world:
        ec2 = world.ec2
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        gateway = ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        ec2.delete_vpc(VpcId=vpc)
        refused("VPCIdNotSpecified", ec2.create_security_group, GroupName="x", Description="x",
                text="No default VPC for this user")
        refused("VPCIdNotSpecified", ec2.describe_security_groups, GroupNames=["x"],
                text="No default VPC for this user. GroupName is only supported for EC2-Classic "
                     "and default VPC.")


def test_delete_refused(world, ec2, group, other, vpc):
    ingress(ec2, other, permission("tcp", 80, group=[group, other]))
    refused("DependencyViolation", ec2.delete_security_group, GroupId=group,
            text=f"resource {group} has a dependent object")
    ec2.revoke_security_group_ingress(GroupId=other,
                                      IpPermissions=[permission("tcp", 80, group=group)])
    # `other` still names itself: the fixture deletes it.
    refused("InvalidGroup.NotFound", ec2.delete_security_group, GroupId=NOWHERE)
    refused("InvalidGroupId.Malformed", ec2.delete_security_group, GroupId="foobar")
    refused("DryRunOperation", ec2.delete_security_group, GroupId=group, DryRun=True, status=412)
    assert read(ec2, group)


# Authorizing.

def test_a_rule(ec2, group):
    made, = ingress(ec2, group, permission("tcp", 22, cidr=("203.0.113.77/24", "office")),
                    TagSpecifications=tag_specification("security-group-rule", Name="ssh"))
    identifier = made["SecurityGroupRuleId"]
    assert re.fullmatch("sgr-[0-9a-f]{17}", identifier)
    assert made == {
        "SecurityGroupRuleId": identifier, "GroupId": group, "GroupOwnerId": ACCOUNT,
        "IsEgress": False, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "CidrIpv4": "203.0.113.0/24", "Description": "office", "Tags": tags(Name="ssh"),
        **{name: value for name, value in made.items() if name == "SecurityGroupRuleArn"}}
    assert rules(ec2, group, out=False) == [made]
    assert read(ec2, group)["IpPermissions"] == [folded({
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "office"}]})]


def test_all_kinds_of_peers(ec2, group, other):
    made = ingress(ec2, group, permission("udp", 53, 54, cidr=[ANY, "10.1.2.3/32"],
                                          cidr6="2001:db8::1/32", group=[(group, "me"), other]))
    assert {(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in made} == {
        (53, 54, "udp")}
    peers = [rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule["ReferencedGroupInfo"]["GroupId"]
             for rule in made]
    assert peers == [group, other, ANY, "10.1.2.3/32", "2001:db8::/32"]
    assert made[0]["ReferencedGroupInfo"] == {"GroupId": group, "UserId": ACCOUNT,
                                              "VpcId": read(ec2, group)["VpcId"]}
    shown, = read(ec2, group)["IpPermissions"]
    assert (shown["FromPort"], shown["ToPort"], shown["IpProtocol"]) == (53, 54, "udp")
    assert {pair["GroupId"]: pair.get("Description") for pair in shown["UserIdGroupPairs"]} == {
        group: "me", other: None}
    assert {pair["UserId"] for pair in shown["UserIdGroupPairs"]} == {ACCOUNT}
    assert sorted(names(shown["IpRanges"], "CidrIp")) == [ANY, "10.1.2.3/32"]
    assert shown["Ipv6Ranges"] == [{"CidrIpv6": "2001:db8::/32"}]
    assert shown["PrefixListIds"] == []


def test_folding(ec2, group):
    ingress(ec2, group, permission("tcp", 80, cidr="10.0.0.0/8"),
            permission("tcp", 80, 81, cidr="10.0.0.0/8"), permission("-1", cidr="10.0.0.0/8"))
    ingress(ec2, group, permission("tcp", 80, cidr="172.16.0.0/12"),
            permission("udp", 80, cidr="172.16.0.0/12"))
    shown = {(entry["IpProtocol"], entry.get("FromPort"), entry.get("ToPort")):
             sorted(names(entry["IpRanges"], "CidrIp"))
             for entry in read(ec2, group)["IpPermissions"]}
    assert shown == {
        ("-1", None, None): ["10.0.0.0/8"], ("tcp", 80, 80): ["10.0.0.0/8", "172.16.0.0/12"],
        ("tcp", 80, 81): ["10.0.0.0/8"], ("udp", 80, 80): ["172.16.0.0/12"]}
    assert len(rules(ec2, group, out=False)) == 5


@pytest.mark.parametrize("given, ports, shown, rule", [
    ("tcp", (1, 2), ("tcp", 1, 2), (1, 2)),
    ("6", (1, 2), ("tcp", 1, 2), (1, 2)),
    ("TCP", (0, 65535), ("tcp", 0, 65535), (0, 65535)),
    ("17", (5, 5), ("udp", 5, 5), (5, 5)),
    ("icmp", (8, 0), ("icmp", 8, 0), (8, 0)),
    ("icmp", (8, -1), ("icmp", 8, -1), (8, -1)),
    ("1", (-1, -1), ("icmp", -1, -1), (-1, -1)),
    ("icmp", (None, None), ("icmp", -1, -1), (-1, -1)),
    ("icmpv6", (128, 0), ("icmpv6", 128, 0), (128, 0)),
    ("58", (-1, -1), ("icmpv6", -1, -1), (-1, -1)),
    ("-1", (22, 22), ("-1", None, None), (-1, -1)),
    ("-1", (None, None), ("-1", None, None), (-1, -1)),
    ("50", (22, 22), ("50", None, None), (-1, -1)),
    ("0", (None, None), ("0", None, None), (-1, -1)),
    ("255", (None, None), ("255", None, None), (-1, -1)),
])
def test_protocols(ec2, group, given, ports, shown, rule):
    made, = ingress(ec2, group, permission(given, *ports, cidr=ANY))
    assert (made["IpProtocol"], made["FromPort"], made["ToPort"]) == (shown[0], *rule)
    entry, = read(ec2, group)["IpPermissions"]
    assert (entry["IpProtocol"], entry.get("FromPort"), entry.get("ToPort")) == shown
    again = permission(given, *ports, cidr=ANY)
    refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group,
            IpPermissions=[again])
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[again])


@pytest.mark.parametrize("given, text", [
    (permission("tcp", 22, cidr=ANY), f"peer: {ANY}, TCP, from port: 22, to port: 22, ALLOW"),
    (permission("udp", 1, 2, cidr6="2001:DB8::/32"),
     "peer: 2001:db8::/32, UDP, from port: 1, to port: 2, ALLOW"),
    (permission("-1", cidr=ANY), f"peer: {ANY}, ALL, ALLOW"),
    (permission("50", cidr="10.0.0.1/8"), "peer: 10.0.0.0/8, protocol: 50, ALLOW"),
    (permission("icmp", 8, -1, cidr=ANY), f"peer: {ANY}, ICMP, type: 8, code: ALL, ALLOW"),
    (permission("tcp", 22, group=None), "peer: {}, TCP, from port: 22, to port: 22, ALLOW"),
])
def test_duplicates(ec2, group, given, text):
    if "UserIdGroupPairs" in given:
        given = permission("tcp", 22, group=group)
    ingress(ec2, group, given)
    refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group,
            IpPermissions=[permission("tcp", 9999, cidr=ANY), given],
            text=f'the specified rule "{text.format(group)}" already exists')
    assert len(rules(ec2, group, out=False)) == 1  # the good one was not added
    egress(ec2, group, permission("tcp", 9999, cidr=ANY))  # the other direction is another rule


def test_twice_in_one_request(ec2, group):
    for twice in ([permission("tcp", 1, cidr=["10.0.0.1/8", "10.0.0.2/8"])],
                  [permission("tcp", 1, cidr=(ANY, "a")), permission("6", 1, cidr=(ANY, "b"))],
                  [permission("tcp", 1, group=[group, group])]):
        refused("InvalidParameterValue", ec2.authorize_security_group_ingress, GroupId=group,
                IpPermissions=twice, text="The same permission must not appear multiple times")
    assert rules(ec2, group, out=False) == []


BAD = {
    "Invalid TCP port range (22:21)": permission("tcp", 22, 21, cidr=ANY),
    "Invalid UDP port range (2:1)": permission("udp", 2, 1, cidr=ANY),
    "TCP/UDP port (65536) out of range": permission("tcp", 1, 65536, cidr=ANY),
    "TCP/UDP port (-1) out of range": permission("tcp", -1, -1, cidr=ANY),
    "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.":
        permission("tcp", cidr=ANY),
    "ICMP type (256) out of range": permission("icmp", 256, 0, cidr=ANY),
    "ICMP code (0) out of range": permission("icmp", -1, 0, cidr=ANY),
    "ICMPv6 code (256) out of range": permission("icmpv6", 1, 256, cidr6=ANY6),
    "Invalid value 'banana' for IP protocol. Unknown protocol.": permission("banana", cidr=ANY),
    "Invalid value '256' for IP protocol. Unknown protocol.": permission("256", cidr=ANY),
    "Invalid value '-2' for IP protocol. Unknown protocol.": permission("-2", cidr=ANY),
    "CIDR block 10.0.0.0 is malformed": permission("tcp", 1, cidr="10.0.0.0"),
    "CIDR block 10.0.0.0/33 is malformed": permission("tcp", 1, cidr="10.0.0.0/33"),
    "CIDR block ::/0 is malformed": permission("tcp", 1, cidr=ANY6),
    "CIDR block 0.0.0.0/0 is malformed": permission("tcp", 1, cidr6=ANY),
}


@pytest.mark.parametrize("text", BAD)
def test_values_refused(ec2, group, text):
    for call in (ec2.authorize_security_group_ingress, ec2.authorize_security_group_egress,
                 ec2.revoke_security_group_ingress):
        refused("InvalidParameterValue", call, GroupId=group, text=text,
                IpPermissions=[permission("tcp", 7777, cidr=ANY), BAD[text]])
    assert rules(ec2, group, out=False) == [] and len(rules(ec2, group, out=True)) == 1


def test_peers_refused(ec2, group, elsewhere):
    def refuse(code, text, entry):
        refused(code, ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[
            permission("tcp", 7777, cidr=ANY), entry], text=text)
        assert rules(ec2, group, out=False) == []

    refuse("InvalidGroup.NotFound", f"The security group '{NOWHERE}' does not exist",
           permission("tcp", 1, group=NOWHERE))
    refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different "
           "networks.", permission("tcp", 1, group=elsewhere))
    refuse("InvalidGroupId.Malformed", None, permission("tcp", 1, group="banana"))
    refuse("InvalidPrefixListID.NotFound", "The prefix list ID 'pl-0fedcba9876543210' does not "
           "exist", permission("tcp", 1, prefix_list="pl-0fedcba9876543210"))
    refuse("InvalidPrefixListId.Malformed", None, permission("tcp", 1, prefix_list="banana"))
    refuse("InvalidGroup.NotFound", f"The security group '{group}' does not exist",
           {**permission("tcp", 1), "UserIdGroupPairs": [
               {"GroupId": group, "UserId": "999999999999"}]})
    refuse("InvalidVpcPeeringConnectionID.NotFound", None,
           {**permission("tcp", 1), "UserIdGroupPairs": [
               {"GroupId": group, "VpcPeeringConnectionId": "pcx-0fedcba9876543210"}]})
    refuse("InvalidParameterValue", "Invalid value 'web' for groupName. You may not reference "
           "Amazon VPC security groups by name. Please use the corresponding id for this "
           "operation.", {**permission("tcp", 1), "UserIdGroupPairs": [{"GroupName": "web"}]})
    refuse("MissingParameter", "Source group ID missing.", permission("tcp", 1))
    refuse("MissingParameter", "Source group ID missing.",
           {**permission("tcp", 1), "UserIdGroupPairs": [{"UserId": ACCOUNT}]})


@pytest.mark.parametrize("text", ["é", "x" * 256, "a|b", "<x>"])
def test_descriptions_refused(ec2, group, text):
    refused("InvalidParameterValue", ec2.authorize_security_group_ingress, GroupId=group,
            IpPermissions=[permission("tcp", 1, cidr=(ANY, text))],
            text=re.compile("^Invalid rule description"))
    made, = ingress(ec2, group, permission("tcp", 1, cidr=(ANY, ALPHABET)))
    assert made["Description"] == ALPHABET
    refused("InvalidParameterValue", ec2.update_security_group_rule_descriptions_ingress,
            GroupId=group, IpPermissions=[permission("tcp", 1, cidr=(ANY, text))])
    assert rules(ec2, group, out=False)[0]["Description"] == ALPHABET


def test_requests_refused(world, ec2, group):
    both = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": ANY}
    refused("InvalidParameterCombination", ec2.authorize_security_group_ingress, **both,
            IpPermissions=[permission("tcp", 2, cidr=ANY)])
    refused("InvalidParameterCombination", ec2.authorize_security_group_ingress, GroupId=group,
            SourceSecurityGroupOwnerId="123456789012", IpPermissions=[permission("tcp", 2, cidr=ANY)])
    refused("MissingParameter", ec2.authorize_security_group_ingress, GroupId=group,
            text="The request must contain the parameter ipPermissions")
    refused("MissingParameter", ec2.authorize_security_group_ingress, GroupId=group,
            IpProtocol="tcp", FromPort=1, ToPort=1)
    refused("InvalidParameterCombination", ec2.authorize_security_group_ingress, **both,
            SourceSecurityGroupName="default")
    refused("MissingParameter", ec2.authorize_security_group_ingress,
            IpPermissions=[permission("tcp", 2, cidr=ANY)])
    refused("InvalidGroup.NotFound", ec2.authorize_security_group_egress, GroupId=NOWHERE,
            IpPermissions=[permission("tcp", 2, cidr=ANY)])
    refused("DryRunOperation", ec2.authorize_security_group_ingress, **both, DryRun=True,
            status=412)
    refused("InvalidParameterValue", ec2.authorize_security_group_ingress, **both,
            TagSpecifications=tag_specification("security-group", Name="x"))
    assert wire.call(world, "AuthorizeSecurityGroupIngress", GroupId=group,
                     IpPermissions__1__IpRanges__1__CidrIp=ANY).message == \
        "Invalid value 'null' for protocol. VPC security group rules must specify protocols " \
        "explicitly."
    assert rules(ec2, group, out=False) == []


def cidrs(count, net=10):
    return [f"{net}.{number // 256}.{number % 256}.0/24" for number in range(count)]


def test_sixty_rules_per_direction_and_family(ec2, group, other):
    ingress(ec2, group, permission("tcp", 1, cidr=cidrs(59)))
    full = "The maximum number of rules per security group has been reached."
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress,
            GroupId=group, IpPermissions=[permission("tcp", 1, cidr=cidrs(2, 11))], text=full)
    assert len(rules(ec2, group, out=False)) == 59
    ingress(ec2, group, permission("tcp", 1, group=other))  # the 60th, of IPv6 the first
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress,
            GroupId=group, IpPermissions=[permission("tcp", 1, cidr=ANY)], text=full)
    ingress(ec2, group, permission("tcp", 1, cidr6=[f"2001:db8:{n:x}::/48" for n in range(59)]))
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress,
            GroupId=group, IpPermissions=[permission("tcp", 1, cidr6=ANY6)], text=full)
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress,
            GroupId=group, IpPermissions=[permission("udp", 1, group=other)], text=full)
    egress(ec2, group, permission("tcp", 1, cidr=cidrs(59)))  # and the one that was there
    refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_egress,
            GroupId=group, IpPermissions=[permission("udp", 1, cidr=ANY)], text=full)
    shown, = read(ec2, group)["IpPermissions"]
    assert len(shown["IpRanges"]) == 59 and len(shown["Ipv6Ranges"]) == 59
    rule = rules(ec2, group, out=False)[0]
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[  # a full group too
        {"SecurityGroupRuleId": rule["SecurityGroupRuleId"],
         "SecurityGroupRule": {"IpProtocol": "-1", "CidrIpv4": ANY}}])


# Revoking.

def test_revoke_exactly(ec2, group, other):
    ingress(ec2, group, permission("tcp", 80, 90, cidr=(ANY, "x"), group=other))
    for near in (permission("tcp", 80, cidr=ANY), permission("udp", 80, 90, cidr=ANY),
                 permission("tcp", 80, 90, cidr="0.0.0.0/1"),
                 permission("tcp", 80, 90, cidr6=ANY6), permission("tcp", 80, 90, group=group),
                 permission("-1", cidr=ANY)):
        refused("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=group,
                IpPermissions=[permission("tcp", 80, 90, cidr=ANY), near], text=GONE)
    refused("InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=group,
            IpPermissions=[permission("tcp", 80, 90, cidr=ANY)], text=GONE)
    assert len(rules(ec2, group, out=False)) == 2
    reply = ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[
        permission("tcp", 80, 90, cidr=(ANY, "another description"), group=other)])
    assert reply["Return"] is True and reply["UnknownIpPermissions"] == []
    assert rules(ec2, group, out=False) == [] and read(ec2, group)["IpPermissions"] == []


def test_revoke_what_terraform_revokes(ec2, group):
    """It sends ports of 0 with a protocol that has none."""
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
        permission("-1", 0, 0, cidr=ANY)])
    refused("InvalidPermission.NotFound", ec2.revoke_security_group_egress, GroupId=group,
            IpPermissions=[permission("-1", 0, 0, cidr6=ANY6)], text=GONE)
    assert read(ec2, group)["IpPermissionsEgress"] == []


def test_revoke_by_id(ec2, group, other):
    one, two = ingress(ec2, group, permission("tcp", 1, cidr=[ANY, "10.0.0.0/8"]))
    out, = rules(ec2, group, out=True)
    strange, = rules(ec2, other, out=True)
    for wrong in (NO_RULE, out["SecurityGroupRuleId"], strange["SecurityGroupRuleId"]):
        refused("InvalidSecurityGroupRuleId.NotFound", ec2.revoke_security_group_ingress,
                GroupId=group, SecurityGroupRuleIds=[one["SecurityGroupRuleId"], wrong],
                text=f"The security group rule ID '{wrong}' does not exist")
    refused("InvalidSecurityGroupRuleId.Malformed", ec2.revoke_security_group_ingress,
            GroupId=group, SecurityGroupRuleIds=["banana"])
    refused("InvalidParameterCombination", ec2.revoke_security_group_ingress, GroupId=group,
            SecurityGroupRuleIds=[one["SecurityGroupRuleId"]],
            IpPermissions=[permission("tcp", 1, cidr=ANY)])
    refused("MissingParameter", ec2.revoke_security_group_ingress, GroupId=group)
    refused("DryRunOperation", ec2.revoke_security_group_ingress, GroupId=group, DryRun=True,
            SecurityGroupRuleIds=[one["SecurityGroupRuleId"]], status=412)
    assert rules(ec2, group, out=False) == [one, two]
    ec2.revoke_security_group_ingress(GroupId=group,
                                      SecurityGroupRuleIds=[one["SecurityGroupRuleId"]] * 2)
    assert rules(ec2, group, out=False) == [two]
    ec2.revoke_security_group_egress(GroupId=group,
                                     SecurityGroupRuleIds=[out["SecurityGroupRuleId"]])
    assert rules(ec2, group, out=True) == []


def test_unknown_permissions_of_the_default_vpc(world, ec2, default_vpc):
    group = world.security_group(default_vpc["VpcId"], "tolerant")
    ingress(ec2, group, permission("tcp", 1, cidr=ANY))
    reply = ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[
        permission("tcp", 1, cidr=ANY), permission("tcp", 2, cidr="10.0.0.0/8"),
        permission("-1", group=group), permission("udp", 3, cidr6=(ANY6, "six"))])
    assert reply["Return"] is True
    assert reply["UnknownIpPermissions"] == [
        folded({"IpProtocol": "tcp", "FromPort": 2, "ToPort": 2,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}),
        folded({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group, "UserId": ACCOUNT}]}),
        folded({"IpProtocol": "udp", "FromPort": 3, "ToPort": 3,
                "Ipv6Ranges": [{"CidrIpv6": ANY6, "Description": "six"}]})]
    assert rules(ec2, group, out=False) == []
    ec2.delete_security_group(GroupId=group)


# Changing rules.

def modify(ec2, group, *changes):
    return ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[
        {"SecurityGroupRuleId": identifier, "SecurityGroupRule": rule}
        for identifier, rule in changes])


def test_modify(ec2, group, other):
    made = ingress(ec2, group, permission("tcp", 1, cidr=(ANY, "old"), cidr6=ANY6, group=other))
    ids = names(made, "SecurityGroupRuleId")
    ec2.create_tags(Resources=ids, Tags=tags(Name="kept"))
    assert modify(
        ec2, group,
        (ids[0], {"IpProtocol": "udp", "FromPort": 5, "ToPort": 6, "ReferencedGroupId": group}),
        (ids[1], {"IpProtocol": "-1", "CidrIpv4": "10.0.0.1/8"}),
        (ids[2], {"IpProtocol": "icmpv6", "FromPort": -1, "ToPort": -1, "CidrIpv6": "2001:db8::/32",
                  "Description": "new"}))["Return"] is True
    found = rules(ec2, group, out=False)
    assert names(found, "SecurityGroupRuleId") == ids
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule.get("Description"))
            for rule in found] == [
                ("udp", 5, 6, None), ("-1", -1, -1, None), ("icmpv6", -1, -1, "new")]
    assert found[0]["ReferencedGroupInfo"]["GroupId"] == group
    assert found[1]["CidrIpv4"] == "10.0.0.0/8" and found[2]["CidrIpv6"] == "2001:db8::/32"
    assert {tag["Value"] for rule in found for tag in rule["Tags"]} == {"kept"}
    assert len(read(ec2, group)["IpPermissions"]) == 3


def test_modify_swaps(ec2, group):
    one, two = names(ingress(ec2, group, permission("tcp", 1, cidr=[ANY, "10.0.0.0/8"])),
                     "SecurityGroupRuleId")
    spec = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
    refused("InvalidPermission.Duplicate", modify, ec2, group,
            (one, {**spec, "CidrIpv4": "10.0.0.0/8"}))
    refused("InvalidParameterValue", modify, ec2, group, (one, {**spec, "CidrIpv4": ANY}),
            (two, {**spec, "CidrIpv4": ANY}),
            text="The same permission must not appear multiple times")
    modify(ec2, group, (one, {**spec, "CidrIpv4": "10.0.0.0/8"}), (two, {**spec, "CidrIpv4": ANY}))
    assert {rule["SecurityGroupRuleId"]: rule["CidrIpv4"] for rule in rules(ec2, group, False)} == {
        one: "10.0.0.0/8", two: ANY}
    # Both are where a search finds them.
    for peer in (ANY, "10.0.0.0/8"):
        ec2.revoke_security_group_ingress(GroupId=group,
                                          IpPermissions=[permission("tcp", 1, cidr=peer)])


def test_modify_refused(world, ec2, group, other, elsewhere):
    made, = ingress(ec2, group, permission("tcp", 1, cidr=ANY))
    identifier = made["SecurityGroupRuleId"]
    strange = rules(ec2, other)[0]["SecurityGroupRuleId"]
    spec = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2}

    def refuse(code, rule, text=None, which=identifier):
        refused(code, modify, ec2, group, (which, rule), text=text)
        assert rules(ec2, group, out=False) == [made]

    for unknown in (NO_RULE, strange):
        refuse("InvalidSecurityGroupRuleId.NotFound", {**spec, "CidrIpv4": ANY},
               f"The security group rule ID '{unknown}' does not exist", which=unknown)
    refuse("MissingParameter", spec)
    refuse("InvalidParameterCombination", {**spec, "CidrIpv4": ANY, "CidrIpv6": ANY6},
           "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified")
    refuse("InvalidParameterValue", {"FromPort": 1, "ToPort": 2, "CidrIpv4": ANY},
           "Invalid value 'null' for protocol. VPC security group rules must specify protocols "
           "explicitly.")
    refuse("InvalidParameterValue", {"IpProtocol": "tcp", "FromPort": 1, "CidrIpv4": ANY},
           "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
    refuse("InvalidParameterValue", {**spec, "CidrIpv6": ANY6},
           f"Invalid rule type for security group rule '{identifier}'. You may not specify "
           "CidrIpv6 for an existing IPv4 CIDR rule.")
    refuse("InvalidParameterValue", {**spec, "ReferencedGroupId": group})
    refuse("InvalidPrefixListID.NotFound", {**spec, "PrefixListId": "pl-0fedcba9876543210"})
    refuse("InvalidGroup.NotFound", {**spec, "ReferencedGroupId": NOWHERE})
    refused("InvalidParameterValue", modify, ec2, group, (identifier, {**spec, "CidrIpv4": ANY}),
            (identifier, {**spec, "CidrIpv4": "10.0.0.0/8"}))
    by_group, = ingress(ec2, group, permission("udp", 1, group=other))
    refused("InvalidGroup.NotFound", modify, ec2, group,
            (by_group["SecurityGroupRuleId"], {**spec, "ReferencedGroupId": elsewhere}),
            (identifier, {**spec, "CidrIpv4": "10.0.0.0/8"}))
    assert rules(ec2, group, out=False) == [made, by_group]
    assert wire.call(world, "ModifySecurityGroupRules", GroupId=group).code == "MissingParameter"


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_descriptions(ec2, group, other, direction):
    out = direction == "egress"
    made = (egress if out else ingress)(
        ec2, group, permission("tcp", 1, cidr=(ANY, "old"), group=other))
    ids = names(made, "SecurityGroupRuleId")
    update = getattr(ec2, f"update_security_group_rule_descriptions_{direction}")
    reverse = getattr(ec2, "update_security_group_rule_descriptions_" +
                      ("ingress" if out else "egress"))

    def descriptions():
        found = {rule["SecurityGroupRuleId"]: rule.get("Description") for rule in rules(ec2, group)}
        return [found[identifier] for identifier in ids]

    assert update(GroupId=group, IpPermissions=[
        permission("tcp", 1, cidr=(ANY, "new"), group=(other, "named"))])["Return"] is True
    assert descriptions() == ["named", "new"]
    update(GroupId=group, IpPermissions=[permission("tcp", 1, cidr=ANY)])
    assert descriptions() == ["named", None]
    update(GroupId=group, SecurityGroupRuleDescriptions=[
        {"SecurityGroupRuleId": ids[1], "Description": "by id"},
        {"SecurityGroupRuleId": ids[0]}])
    assert descriptions() == [None, "by id"]
    refused("InvalidPermission.NotFound", update, GroupId=group, IpPermissions=[
        permission("tcp", 1, cidr=(ANY, "lost")), permission("tcp", 2, cidr=(ANY, "x"))], text=GONE)
    refused("InvalidPermission.NotFound", reverse, GroupId=group, IpPermissions=[
        permission("tcp", 1, cidr=(ANY, "x"))])
    for call, wrong in ((update, NO_RULE), (reverse, ids[0])):
        refused("InvalidSecurityGroupRuleId.NotFound", call, GroupId=group,
                SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": wrong}])
    refused("MissingParameter", update, GroupId=group)
    refused("InvalidParameterCombination", update, GroupId=group,
            IpPermissions=[permission("tcp", 1, cidr=ANY)],
            SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": ids[0]}])
    assert descriptions() == [None, "by id"]


# Describing.

def test_filters(ec2, group, other, vpc):
    ingress(ec2, group, permission("tcp", 4242, 4343, cidr="10.77.0.0/16"),
            permission("udp", 1, cidr6="2001:db8:77::/48"), permission("50", group=other))
    egress(ec2, group, permission("icmp", 8, 0, cidr="10.78.0.0/16"),
           permission("tcp", 1, cidr6="2001:db8:78::/48", group=other))

    def found(name, *values):
        return names(ec2.describe_security_groups(Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": name, "Values": list(values)}])["SecurityGroups"], "GroupId")

    for name, value in {
            "ip-permission.cidr": "10.77.0.0/16", "ip-permission.from-port": "4242",
            "ip-permission.to-port": "4343", "ip-permission.protocol": "50",
            "ip-permission.group-id": other, "ip-permission.group-name": "other",
            "ip-permission.ipv6-cidr": "2001:db8:77::/48",
            "egress.ip-permission.cidr": "10.78.*", "egress.ip-permission.from-port": "8",
            "egress.ip-permission.to-port": "0", "egress.ip-permission.protocol": "icmp",
            "egress.ip-permission.group-id": other, "egress.ip-permission.group-name": "oth?r",
            "egress.ip-permission.ipv6-cidr": "2001:db8:78::/48",
            "egress.ip-permission.user-id": ACCOUNT, "description": "web",
            "group-name": "web"}.items():
        assert found(name, value) == [group], name
    for name, value in {
            "egress.ip-permission.cidr": "10.77.0.0/16", "ip-permission.protocol": "6",
            "ip-permission.cidr": "10.77.0.1/32", "ip-permission.prefix-list-id": "*",
            "egress.ip-permission.prefix-list-id": "pl-1"}.items():
        assert found(name, value) == [], name
    assert group in found("ip-permission.user-id", ACCOUNT)


def test_rules_by_tag_and_page(ec2, group):
    made = ingress(ec2, group, permission("tcp", 1, cidr=cidrs(12)))
    ec2.create_tags(Resources=names(made[:2], "SecurityGroupRuleId"), Tags=tags(Suite="x"))
    assert names(ec2.describe_security_group_rules(Filters=[
        {"Name": "tag:Suite", "Values": ["x"]}])["SecurityGroupRules"], "SecurityGroupRuleId") == \
        names(made[:2], "SecurityGroupRuleId")
    found = ec2.describe_tags(Filters=[
        {"Name": "resource-type", "Values": ["security-group-rule"]}])["Tags"]
    assert sorted(names(found, "ResourceId")) == sorted(names(made[:2], "SecurityGroupRuleId"))
    one = made[5]["SecurityGroupRuleId"]
    assert ec2.describe_security_group_rules(
        SecurityGroupRuleIds=[one])["SecurityGroupRules"] == [made[5]]
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group]}], PaginationConfig={"PageSize": 5})
    sizes = [len(page["SecurityGroupRules"]) for page in pages]
    assert sizes == [5, 5, 3]
    demand(made[0], ["SecurityGroupRuleId", "GroupId", "GroupOwnerId", "IsEgress", "IpProtocol",
                     "FromPort", "ToPort", "CidrIpv4", "Tags"])


def test_references_and_stale_groups(ec2, vpc, group, other):
    ingress(ec2, group, permission("tcp", 1, group=other))
    assert ec2.describe_security_group_references(
        GroupId=[group, other])["SecurityGroupReferenceSet"] == []
    refused("InvalidGroup.NotFound", ec2.describe_security_group_references, GroupId=[NOWHERE])
    assert ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"] == []
    refused("InvalidVpcID.NotFound", ec2.describe_stale_security_groups,
            VpcId="vpc-0fedcba9876543210")
    refused("InvalidParameterValue", ec2.describe_stale_security_groups, VpcId=vpc, MaxResults=256)


# Who carries them.

def interface_of(ec2, instance):
    return ec2.describe_network_interfaces(Filters=[
        {"Name": "attachment.instance-id", "Values": [instance]}])["NetworkInterfaces"][0]


def test_groups_of_an_interface(ec2, instance, group, other, default_group):
    interface = interface_of(ec2, instance)["NetworkInterfaceId"]
    change = ec2.modify_network_interface_attribute
    change(NetworkInterfaceId=interface, Groups=[group, other, group])
    assert names(interface_of(ec2, instance)["Groups"], "GroupId") == [group, other]
    shown = ec2.describe_network_interface_attribute(NetworkInterfaceId=interface,
                                                     Attribute="groupSet")
    assert shown["Groups"] == [{"GroupId": group, "GroupName": "web"},
                               {"GroupId": other, "GroupName": "other"}]
    assert names(ec2.describe_instances(Filters=[{"Name": "instance.group-name", "Values": [
        "web"]}])["Reservations"][0]["Instances"], "InstanceId") == [instance]
    refused("DependencyViolation", ec2.delete_security_group, GroupId=group,
            text=f"resource {group} has a dependent object")
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[default_group])
    assert names(interface_of(ec2, instance)["Groups"], "GroupId") == [default_group]
    shown = ec2.describe_instance_attribute(InstanceId=instance, Attribute="groupSet")
    assert shown["Groups"] == [{"GroupId": default_group, "GroupName": "default"}]


def test_groups_of_an_interface_refused(world, ec2, vpc, instance, elsewhere, default_group):
    found = interface_of(ec2, instance)
    subnet = found["SubnetId"]
    many = [world.security_group(vpc, f"many-{number}") for number in range(6)]
    for call, more in ((ec2.modify_network_interface_attribute,
                        {"NetworkInterfaceId": found["NetworkInterfaceId"]}),
                       (ec2.modify_instance_attribute, {"InstanceId": instance})):
        refused("SecurityGroupsPerInterfaceLimitExceeded", call, **more, Groups=many,
                text="The maximum number of security groups per interface has been reached.")
        refused("InvalidParameter", call, **more, Groups=[elsewhere],
                text=f"Security group {elsewhere} and subnet {subnet} belong to different "
                     "networks.")
        refused("InvalidGroup.NotFound", call, **more, Groups=[default_group, NOWHERE])
        refused("InvalidGroupId.Malformed", call, **more, Groups=["banana"])
        refused("InvalidParameterCombination", call, **more, Groups=many[:1],
                SourceDestCheck={"Value": False},
                text="Fields for multiple attribute types specified")
        refused("MissingParameter", call, **more)
        refused("DryRunOperation", call, **more, Groups=many[:1], DryRun=True, status=412)
    assert interface_of(ec2, instance) == found
    launch = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1}
    refused("SecurityGroupsPerInterfaceLimitExceeded", ec2.run_instances, **launch,
            SubnetId=subnet, SecurityGroupIds=many)
    refused("InvalidParameter", ec2.run_instances, **launch, SubnetId=subnet,
            SecurityGroupIds=[elsewhere])
    for identifier in many:
        ec2.delete_security_group(GroupId=identifier)


def test_launching_with_groups(world, ec2, vpc, subnet, default_vpc):
    groups = [world.security_group(vpc, f"launch-{number}") for number in range(5)]
    launch = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
    made = []
    for more in ({"SubnetId": subnet, "SecurityGroupIds": groups},
                 {"SubnetId": subnet, "SecurityGroupIds": groups[:3] + groups[:1],
                  "SecurityGroups": ["launch-2", "launch-3", "launch-4"]},
                 {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet,
                                         "Groups": groups}]}):
        entry, = ec2.run_instances(**launch, **more)["Instances"]
        assert names(entry["SecurityGroups"], "GroupId") == groups
        assert names(entry["NetworkInterfaces"][0]["Groups"], "GroupId") == groups
        made.append(entry["InstanceId"])
    refused("InvalidGroup.NotFound", ec2.run_instances, **launch, SubnetId=subnet,
            SecurityGroups=["nobody"])
    named = world.security_group(default_vpc["VpcId"], "by-name")
    entry, = ec2.run_instances(**launch, SecurityGroups=["by-name"])["Instances"]
    assert entry["SecurityGroups"] == [{"GroupId": named, "GroupName": "by-name"}]
    made.append(entry["InstanceId"])
    ec2.terminate_instances(InstanceIds=made)
    world.await_state("terminated", *made)
    for identifier in groups + [named]:
        ec2.delete_security_group(GroupId=identifier)


def test_attributes_of_an_interface(world, ec2, instance):
    found = interface_of(ec2, instance)
    identifier = found["NetworkInterfaceId"]
    change, show = ec2.modify_network_interface_attribute, lambda name: \
        ec2.describe_network_interface_attribute(NetworkInterfaceId=identifier, Attribute=name)
    assert show("sourceDestCheck")["SourceDestCheck"] == {"Value": True}
    change(NetworkInterfaceId=identifier, SourceDestCheck={"Value": False})
    assert show("sourceDestCheck")["SourceDestCheck"] == {"Value": False}
    assert world.instance(instance)["SourceDestCheck"] is False
    change(NetworkInterfaceId=identifier, SourceDestCheck={"Value": True})
    change(NetworkInterfaceId=identifier, Description={"Value": "a router"})
    assert show("description")["Description"] == {"Value": "a router"}
    change(NetworkInterfaceId=identifier, Description={"Value": ""})
    assert show("description")["Description"] == {"Value": ""}
    attachment = found["Attachment"]["AttachmentId"]
    change(NetworkInterfaceId=identifier, Attachment={"AttachmentId": attachment,
                                                      "DeleteOnTermination": False})
    assert show("attachment")["Attachment"]["DeleteOnTermination"] is False
    change(NetworkInterfaceId=identifier, Attachment={"AttachmentId": attachment,
                                                      "DeleteOnTermination": True})
    assert show("attachment")["Attachment"] == found["Attachment"]
    assert show("associatePublicIpAddress")["NetworkInterfaceId"] == identifier
    refused("InvalidAttachmentID.NotFound", change, NetworkInterfaceId=identifier, Attachment={
        "AttachmentId": "eni-attach-0fedcba9876543210", "DeleteOnTermination": True})
    refused("InvalidNetworkInterfaceID.NotFound", change, SourceDestCheck={"Value": True},
            NetworkInterfaceId="eni-0fedcba9876543210")
    refused("InvalidParameterValue", show, "banana")
    refused("MissingParameter", ec2.describe_network_interface_attribute,
            NetworkInterfaceId=identifier)
    assert wire.call(world, "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=identifier,
                     EnablePrimaryIpv6="true").code == "UnsupportedOperation"
    assert interface_of(ec2, instance) == found


def test_attributes_of_an_instance(world, ec2, subnet):
    instance, = world.run_instances(subnet, UserData="#!/bin/sh\n")
    change, show = ec2.modify_instance_attribute, lambda name: \
        ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
    change(InstanceId=instance, SourceDestCheck={"Value": False})
    assert show("sourceDestCheck")["SourceDestCheck"] == {"Value": False}
    assert interface_of(ec2, instance)["SourceDestCheck"] is False
    change(InstanceId=instance, DisableApiStop={"Value": True})
    assert show("disableApiStop")["DisableApiStop"] == {"Value": True}
    refused("OperationNotPermitted", ec2.stop_instances, InstanceIds=[instance])
    refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[instance], text=(
        f"The instance '{instance}' may not be terminated. Modify its 'disableApiStop' instance "
        "attribute and try again."))
    assert world.instance(instance)["State"]["Name"] == "running"
    change(InstanceId=instance, Attribute="disableApiStop", Value="false")
    assert show("disableApiStop")["DisableApiStop"] == {"Value": False}
    change(InstanceId=instance, InstanceInitiatedShutdownBehavior={"Value": "terminate"})
    assert show("instanceInitiatedShutdownBehavior")["InstanceInitiatedShutdownBehavior"] == {
        "Value": "terminate"}
    assert show("instanceType")["InstanceType"] == {"Value": "t3.micro"}
    assert show("userData")["UserData"] == {"Value": "IyEvYmluL3NoCg=="}
    assert show("rootDeviceName")["RootDeviceName"] == {"Value": "/dev/xvda"}
    assert show("ebsOptimized")["EbsOptimized"] == {"Value": False}
    assert show("enaSupport")["EnaSupport"] == {"Value": True}
    assert show("kernel")["KernelId"] == {}
    device, = show("blockDeviceMapping")["BlockDeviceMappings"]
    assert device["DeviceName"] == "/dev/xvda"
    for wrong in ({"InstanceInitiatedShutdownBehavior": {"Value": "explode"}},
                  {"Attribute": "disableApiStop", "Value": "perhaps"}):
        refused("InvalidParameterValue", change, InstanceId=instance, **wrong)
    for other in ({"InstanceType": {"Value": "t3.large"}}, {"UserData": {"Value": b"x"}},
                  {"EbsOptimized": {"Value": True}}):
        refused("IncorrectInstanceState", change, InstanceId=instance, **other,
                text=f"The instance '{instance}' is not in the 'stopped' state.")
    refused("UnsupportedOperation", change, InstanceId=instance, Attribute="kernel", Value="x")
    refused("InvalidParameterCombination", change, InstanceId=instance,
            DisableApiStop={"Value": True}, DisableApiTermination={"Value": True})
    refused("InvalidInstanceID.NotFound", change, InstanceId="i-0fedcba9876543210",
            DisableApiStop={"Value": True})
    refused("InvalidParameterValue", show, "banana")
    change(InstanceId=instance, DisableApiTermination={"Value": True})
    refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[instance])
    change(InstanceId=instance, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    refused("InvalidGroup.NotFound", change, InstanceId=instance, Groups=["sg-0fedcba9876543210"])
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    for late in ({"Groups": [group]}, {"SourceDestCheck": {"Value": True}}):
        refused("IncorrectInstanceState", change, InstanceId=instance, **late)
    assert show("groupSet")["Groups"] == []


# Clients, and time.

def test_the_command_line(world, vpc):
    """What people type."""
    group = world.aws("ec2", "create-security-group", "--group-name", "typed", "--description",
                      "typed", "--vpc-id", vpc)["GroupId"]
    rule, = world.aws("ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol",
                      "tcp", "--port", "8000-8080", "--cidr", "10.0.0.0/8")["SecurityGroupRules"]
    assert (rule["FromPort"], rule["ToPort"]) == (8000, 8080)
    for more in (("--protocol", "icmp", "--port", "-1", "--cidr", ANY),
                 ("--protocol", "all", "--source-group", group),
                 ("--ip-permissions", "IpProtocol=udp,FromPort=53,ToPort=53,"
                  "Ipv6Ranges=[{CidrIpv6=::/0,Description=dns}]", "--tag-specifications",
                  "ResourceType=security-group-rule,Tags=[{Key=Name,Value=dns}]")):
        world.aws("ec2", "authorize-security-group-ingress", "--group-id", group, *more)
    shown, = world.aws("ec2", "describe-security-groups", "--group-ids", group)["SecurityGroups"]
    assert sorted(names(shown["IpPermissions"], "IpProtocol")) == ["-1", "icmp", "tcp", "udp"]
    world.aws("ec2", "revoke-security-group-ingress", "--group-id", group, "--protocol", "icmp",
              "--port", "-1", "--cidr", ANY)
    world.aws("ec2", "revoke-security-group-ingress", "--group-id", group,
              "--security-group-rule-ids", rule["SecurityGroupRuleId"])
    world.aws("ec2", "modify-security-group-rules", "--group-id", group, "--security-group-rules",
              "SecurityGroupRuleId=" + next(
                  entry["SecurityGroupRuleId"] for entry in rules(world.ec2, group)
                  if entry["IpProtocol"] == "udp") +
              ",SecurityGroupRule={IpProtocol=tcp,FromPort=53,ToPort=53,CidrIpv6=::/0}")
    assert sorted(rule["IpProtocol"] for rule in rules(world.ec2, group, out=False)) == [
        "-1", "tcp"]
    world.aws("ec2", "delete-security-group", "--group-id", group)


def test_a_restart_keeps_everything(own_world):
    """Groups, rules, what names what, their order; and the index of it all."""
    ec2 = own_world.ec2
    vpc = own_world.vpc()
    subnet = own_world.subnet(vpc, "10.0.1.0/24")
    one, two = own_world.security_group(vpc, "one"), own_world.security_group(vpc, "two")
    ingress(ec2, one, permission("tcp", 1, 2, cidr=(ANY, "text"), cidr6=ANY6, group=[one, two]),
            permission("icmp", 8, -1, cidr=ANY), permission("50", cidr=ANY),
            TagSpecifications=tag_specification("security-group-rule", Name="x"))
    egress(ec2, two, permission("udp", 5, group=one))
    ec2.revoke_security_group_egress(GroupId=two, IpPermissions=[permission("-1", cidr=ANY)])
    instance, = own_world.run_instances(subnet, SecurityGroupIds=[two, one])
    ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
    before = api_state(own_world)
    for _ in range(2):
        own_world.restart()
        assert api_state(own_world) == before
    ec2 = own_world.ec2
    refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=one,
            IpPermissions=[permission("tcp", 1, 2, group=two)])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=one)
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[permission("tcp", 1, 2,
                                                                             cidr6=ANY6)])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=two)
    own_world.restart()
    assert len(rules(own_world.ec2, one, out=False)) == 5
    assert names(interface_of(own_world.ec2, instance)["Groups"], "GroupId") == [two, one]
