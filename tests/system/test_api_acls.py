"""Network ACLs: their entries, associations and refusals."""
import re

import pytest

import wire
from conformance import demand
from lib import ACCOUNT, names, refused, tag_specification, tags

NOWHERE = "acl-0fedcba9876543210"
LAST = 32767
DENY = {"CidrBlock": "0.0.0.0/0", "Protocol": "-1", "RuleAction": "deny", "RuleNumber": LAST}
BOTH_DENY = [{**DENY, "Egress": True}, {**DENY, "Egress": False}]


@pytest.fixture(scope="module")
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture
def acl(ec2, vpc):
    """For one test; its subnets are back with the default ACL by then."""
    identifier = create(ec2, vpc)
    yield identifier
    ec2.delete_network_acl(NetworkAclId=identifier)


@pytest.fixture
def subnet(world, vpc):
    identifier = world.subnet(vpc, "10.1.1.0/24")
    yield identifier
    world.ec2.delete_subnet(SubnetId=identifier)


def create(ec2, vpc):
    return ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]


def read(ec2, acl):
    return ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]


def default_of(ec2, vpc):
    found, = ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    return found


def association_of(ec2, subnet):
    """(ACL, association) of a subnet: there is always one."""
    found, = ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    association, = [entry for entry in found["Associations"] if entry["SubnetId"] == subnet]
    assert association["NetworkAclId"] == found["NetworkAclId"]
    return found["NetworkAclId"], association["NetworkAclAssociationId"]


def entry(number=100, **more):
    """Arguments of an entry: TCP port 80 from anywhere, in."""
    tcp = {} if "Protocol" in more else {"PortRange": {"From": 80, "To": 80}}
    return {"RuleNumber": number, "Protocol": "6", "RuleAction": "allow", "Egress": False,
            "CidrBlock": "0.0.0.0/0", **tcp, **more}


def entries(ec2, acl):
    """All but the denies at the end."""
    return [found for found in read(ec2, acl)["Entries"] if found["RuleNumber"] != LAST]


# ACLs.

def test_life_cycle(ec2, vpc):
    created = ec2.create_network_acl(VpcId=vpc, TagSpecifications=tag_specification(
        "network-acl", Name="wall"))["NetworkAcl"]
    identifier = created["NetworkAclId"]
    assert re.fullmatch("acl-[0-9a-f]{17}", identifier)
    assert created == {"NetworkAclId": identifier, "VpcId": vpc, "OwnerId": ACCOUNT,
                       "IsDefault": False, "Associations": [], "Entries": BOTH_DENY,
                       "Tags": tags(Name="wall")}
    assert read(ec2, identifier) == created
    ec2.delete_network_acl(NetworkAclId=identifier)
    refused("InvalidNetworkAclID.NotFound", ec2.delete_network_acl, NetworkAclId=identifier,
            text=f"The networkAcl ID '{identifier}' does not exist")


def test_default_acl(world, ec2, vpc, subnet):
    found = default_of(ec2, vpc)
    allow = {**DENY, "RuleAction": "allow", "RuleNumber": 100}
    assert found["Entries"] == [{**allow, "Egress": True}, {**DENY, "Egress": True},
                                {**allow, "Egress": False}, {**DENY, "Egress": False}]
    assert names(found["Associations"], "SubnetId") == [subnet]
    refused("InvalidParameterValue", ec2.delete_network_acl, NetworkAclId=found["NetworkAclId"],
            text=f"cannot delete default network ACL {found['NetworkAclId']}")


def test_the_default_acl_is_editable(ec2, vpc):
    default = default_of(ec2, vpc)["NetworkAclId"]
    before = read(ec2, default)["Entries"]
    ec2.create_network_acl_entry(NetworkAclId=default, **entry(90))
    ec2.delete_network_acl_entry(NetworkAclId=default, RuleNumber=100, Egress=False)
    assert [found["RuleNumber"] for found in read(ec2, default)["Entries"]] == [
        100, LAST, 90, LAST]
    ec2.replace_network_acl_entry(NetworkAclId=default, **entry(90, Protocol="-1"))
    ec2.create_network_acl_entry(NetworkAclId=default, **entry(100, Protocol="-1"))
    ec2.delete_network_acl_entry(NetworkAclId=default, RuleNumber=90, Egress=False)
    assert read(ec2, default)["Entries"] == before


def test_create_refused(ec2, vpc):
    refused("InvalidVpcID.NotFound", ec2.create_network_acl, VpcId="vpc-0fedcba9876543210")
    refused("InvalidVpcID.Malformed", ec2.create_network_acl, VpcId="banana")
    refused("InvalidParameterValue", ec2.create_network_acl, VpcId=vpc,
            TagSpecifications=tag_specification("route-table", Name="x"))
    assert len(ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]) == 1


def test_client_token(world, ec2, vpc):
    """This botocore doesn't know the parameter yet."""
    def make(where, token):
        return wire.call(world, "CreateNetworkAcl", VpcId=where, ClientToken=token)

    def identifier(reply):
        return re.search("<networkAclId>(acl-[0-9a-f]+)</networkAclId>", reply.body)[1]
    first, again, other = make(vpc, "a"), make(vpc, "a"), make(vpc, "b")
    assert "<clientToken>a</clientToken>" in first.body
    assert identifier(first) == identifier(again) != identifier(other)
    elsewhere = world.vpc("10.2.0.0/16")
    assert make(elsewhere, "a").code == "IdempotentParameterMismatch"
    for made in (first, other):
        ec2.delete_network_acl(NetworkAclId=identifier(made))
    assert identifier(make(elsewhere, "a")) != identifier(first)
    ec2.delete_network_acl(NetworkAclId=ec2.describe_network_acls(Filters=[
        {"Name": "default", "Values": ["false"]}])["NetworkAcls"][0]["NetworkAclId"])
    ec2.delete_vpc(VpcId=elsewhere)


def test_dry_runs(ec2, vpc, acl, subnet):
    before = read(ec2, acl)
    _, association = association_of(ec2, subnet)
    for call, arguments in (
            (ec2.create_network_acl, {"VpcId": vpc}),
            (ec2.delete_network_acl, {"NetworkAclId": acl}),
            (ec2.create_network_acl_entry, {"NetworkAclId": acl, **entry()}),
            (ec2.replace_network_acl_association,
             {"NetworkAclId": acl, "AssociationId": association})):
        refused("DryRunOperation", call, DryRun=True, status=412, **arguments)
    assert read(ec2, acl) == before
    assert association_of(ec2, subnet)[1] == association


def test_a_vpc_with_custom_acls_stays(world, ec2):
    vpc = world.vpc("10.3.0.0/16")
    acl, default = create(ec2, vpc), default_of(ec2, vpc)["NetworkAclId"]
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc,
            text=f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    ec2.delete_network_acl(NetworkAclId=acl)
    ec2.delete_vpc(VpcId=vpc)
    refused("InvalidNetworkAclID.NotFound", ec2.describe_network_acls, NetworkAclIds=[default])


def test_quota(world, ec2):
    vpc = world.vpc("10.4.0.0/16")
    made = [create(ec2, vpc) for _ in range(199)]  # and the default one
    refused("NetworkAclLimitExceeded", ec2.create_network_acl, VpcId=vpc)
    for acl in made:
        ec2.delete_network_acl(NetworkAclId=acl)
    ec2.delete_vpc(VpcId=vpc)


# Entries.

@pytest.mark.parametrize("given,number", [
    ("tcp", "6"), ("6", "6"), ("UDP", "17"), ("17", "17"), ("icmp", "1"), ("1", "1"),
    ("icmpv6", "58"), ("58", "58"), ("all", "-1"), ("-1", "-1"), ("50", "50"), ("0", "0"),
    ("255", "255")])
def test_protocols(ec2, acl, given, number):
    more, shown = {}, {}
    if number in ("6", "17"):
        more = shown = {"PortRange": {"From": 1024, "To": 65535}}
    elif number in ("1", "58"):
        more = shown = {"IcmpTypeCode": {"Type": 8, "Code": 0}}
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(7, Protocol=given, **more))
    assert entries(ec2, acl) == [{"CidrBlock": "0.0.0.0/0", "Egress": False, "Protocol": number,
                                  "RuleAction": "allow", "RuleNumber": 7, **shown}]


def test_what_the_protocol_has_not_is_ignored(ec2, acl):
    """Terraform sends a port range with every entry that is not ICMP."""
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(
        1, Protocol="-1", PortRange={"From": 0, "To": 0}))
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(
        2, Protocol="6", PortRange={"From": 22, "To": 22}, IcmpTypeCode={"Type": 8, "Code": 0}))
    first, second = entries(ec2, acl)
    assert "PortRange" not in first and "IcmpTypeCode" not in second
    assert second["PortRange"] == {"From": 22, "To": 22}


def test_order_and_directions(ec2, acl):
    for number, egress in ((200, False), (50, True), (100, False), (32766, True), (1, False)):
        ec2.create_network_acl_entry(NetworkAclId=acl, **entry(number, Egress=egress))
    assert [(found["Egress"], found["RuleNumber"]) for found in read(ec2, acl)["Entries"]] == [
        (True, 50), (True, 32766), (True, LAST),
        (False, 1), (False, 100), (False, 200), (False, LAST)]
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(50))  # the other direction's is apart
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=50, Egress=True)
    assert [found["Egress"] for found in entries(ec2, acl) if found["RuleNumber"] == 50] == [False]


def test_blocks_are_canonical(ec2, acl):
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(1, CidrBlock="100.68.0.18/18"))
    found, = entries(ec2, acl)
    assert found["CidrBlock"] == "100.68.0.0/18" and "Ipv6CidrBlock" not in found


def test_ipv6(ec2, acl):
    wanted = entry(1)
    del wanted["CidrBlock"]
    ec2.create_network_acl_entry(NetworkAclId=acl, **wanted, Ipv6CidrBlock="2001:DB8::1/32")
    found, = entries(ec2, acl)
    assert found["Ipv6CidrBlock"] == "2001:db8::/32" and "CidrBlock" not in found
    refused("NetworkAclEntryAlreadyExists", ec2.create_network_acl_entry, NetworkAclId=acl,
            **entry(1))


def test_duplicates(ec2, acl):
    for _ in range(2):
        ec2.create_network_acl_entry(NetworkAclId=acl, **entry(100, CidrBlock="10.0.0.7/8"))
    assert len(entries(ec2, acl)) == 1
    for change in ({"RuleAction": "deny"}, {"CidrBlock": "10.0.0.0/9"}, {"Protocol": "-1"},
                   {"PortRange": {"From": 80, "To": 81}}):
        refused("NetworkAclEntryAlreadyExists", ec2.create_network_acl_entry, NetworkAclId=acl,
                **entry(100, **{"CidrBlock": "10.0.0.0/8", **change}),
                text="The network acl entry identified by 100 already exists.")
    assert entries(ec2, acl)[0]["RuleAction"] == "allow"


def test_replace(ec2, acl):
    refused("InvalidNetworkAclEntry.NotFound", ec2.replace_network_acl_entry, NetworkAclId=acl,
            **entry(100))
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(100))
    refused("InvalidNetworkAclEntry.NotFound", ec2.replace_network_acl_entry, NetworkAclId=acl,
            **entry(100, Egress=True))
    ec2.replace_network_acl_entry(NetworkAclId=acl, **entry(
        100, Protocol="icmp", RuleAction="deny", CidrBlock="10.9.0.1/16",
        IcmpTypeCode={"Type": -1, "Code": -1}))
    assert entries(ec2, acl) == [{"CidrBlock": "10.9.0.0/16", "Egress": False, "Protocol": "1",
                                  "IcmpTypeCode": {"Code": -1, "Type": -1},
                                  "RuleAction": "deny", "RuleNumber": 100}]


def test_delete(ec2, acl):
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(100))
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
    assert read(ec2, acl)["Entries"] == BOTH_DENY
    refused("InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry, NetworkAclId=acl,
            RuleNumber=100, Egress=False)


@pytest.mark.parametrize("number", [0, -1, 32767, 32768, 99999])
def test_numbers_out_of_range(ec2, acl, number):
    for call in (ec2.create_network_acl_entry, ec2.replace_network_acl_entry):
        refused("InvalidParameterValue", call, NetworkAclId=acl, **entry(number))
    refused("InvalidParameterValue", ec2.delete_network_acl_entry, NetworkAclId=acl,
            RuleNumber=number, Egress=True)
    assert read(ec2, acl)["Entries"] == BOTH_DENY


@pytest.mark.parametrize("code,change", [
    ("MissingParameter", {"PortRange": {"From": 80}}),
    ("MissingParameter", {"PortRange": {"To": 80}}),
    ("MissingParameter", {"Protocol": "udp"}),
    ("MissingParameter", {"Protocol": "icmp", "PortRange": {"From": 1, "To": 2}}),
    ("MissingParameter", {"Protocol": "icmp", "IcmpTypeCode": {"Type": 8}}),
    ("MissingParameter", {"Protocol": "58", "IcmpTypeCode": {"Code": 0}}),
    ("MissingParameter", {"CidrBlock": ""}),
    ("InvalidParameterValue", {"PortRange": {"From": 81, "To": 80}}),
    ("InvalidParameterValue", {"PortRange": {"From": -1, "To": 80}}),
    ("InvalidParameterValue", {"PortRange": {"From": 0, "To": 65536}}),
    ("InvalidParameterValue", {"Protocol": "1", "IcmpTypeCode": {"Type": -1, "Code": 0}}),
    ("InvalidParameterValue", {"Protocol": "1", "IcmpTypeCode": {"Type": 256, "Code": 0}}),
    ("InvalidParameterValue", {"Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -2}}),
    ("InvalidParameterValue", {"Protocol": "256"}),
    ("InvalidParameterValue", {"Protocol": "-2"}),
    ("InvalidParameterValue", {"Protocol": "ipx"}),
    ("InvalidParameterValue", {"Protocol": "6x"}),
    ("InvalidParameterValue", {"RuleAction": "reject"}),
    ("InvalidParameterValue", {"CidrBlock": "10.0.0.0"}),
    ("InvalidParameterValue", {"CidrBlock": "10.0.0.0/33"}),
    ("InvalidParameterValue", {"CidrBlock": "::/0"}),
    ("InvalidParameterCombination", {"Ipv6CidrBlock": "::/0"}),
])
def test_entries_refused(ec2, acl, code, change):
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(9))
    for call, number in ((ec2.create_network_acl_entry, 8), (ec2.replace_network_acl_entry, 9)):
        refused(code, call, NetworkAclId=acl, **entry(number, **change))
    assert [found["RuleNumber"] for found in entries(ec2, acl)] == [9]


def test_no_block_and_bad_ipv6(ec2, acl):
    wanted = entry()
    del wanted["CidrBlock"]
    refused("MissingParameter", ec2.create_network_acl_entry, NetworkAclId=acl, **wanted)
    refused("InvalidParameterValue", ec2.create_network_acl_entry, NetworkAclId=acl, **wanted,
            Ipv6CidrBlock="10.0.0.0/8",
            text="Value (10.0.0.0/8) for parameter ipv6CidrBlock is invalid. This is not a valid "
                 "CIDR block.")


def test_entries_of_no_acl(ec2):
    for call in (ec2.create_network_acl_entry, ec2.replace_network_acl_entry):
        refused("InvalidNetworkAclID.NotFound", call, NetworkAclId=NOWHERE, **entry())
        refused("InvalidNetworkAclId.Malformed", call, NetworkAclId="wall", **entry())
    refused("InvalidNetworkAclID.NotFound", ec2.delete_network_acl_entry, NetworkAclId=NOWHERE,
            RuleNumber=1, Egress=True)
    refused("InvalidNetworkAclId.Malformed", ec2.delete_network_acl, NetworkAclId="wall")


def test_entry_quota(ec2, acl):
    """20 of each direction and family, with the deny at the end."""
    def ipv6(number, **more):
        wanted = entry(number, Ipv6CidrBlock="::/0", **more)
        del wanted["CidrBlock"]
        return wanted
    for number in range(1, 20):
        ec2.create_network_acl_entry(NetworkAclId=acl, **entry(number))
        ec2.create_network_acl_entry(NetworkAclId=acl, **entry(number, Egress=True))
        ec2.create_network_acl_entry(NetworkAclId=acl, **ipv6(100 + number))
    for more in ({}, {"Egress": True}):
        refused("NetworkAclEntryLimitExceeded", ec2.create_network_acl_entry, NetworkAclId=acl,
                **entry(20, **more))
    refused("NetworkAclEntryLimitExceeded", ec2.create_network_acl_entry, NetworkAclId=acl,
            **ipv6(200))
    refused("NetworkAclEntryLimitExceeded", ec2.replace_network_acl_entry, NetworkAclId=acl,
            **ipv6(1))  # it would be one more of IPv6
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(19))  # there already
    ec2.replace_network_acl_entry(NetworkAclId=acl, **entry(19, RuleAction="deny"))
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=19, Egress=False)
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(20))


# Associations.

def test_replace_association(ec2, vpc, acl, subnet):
    default, first = association_of(ec2, subnet)
    assert default == default_of(ec2, vpc)["NetworkAclId"]
    reply = ec2.replace_network_acl_association(AssociationId=first, NetworkAclId=acl)
    assert re.fullmatch("aclassoc-[0-9a-f]{17}", reply["NewAssociationId"])
    assert association_of(ec2, subnet) == (acl, reply["NewAssociationId"])
    assert reply["NewAssociationId"] != first
    refused("InvalidAssociationID.NotFound", ec2.replace_network_acl_association,
            AssociationId=first, NetworkAclId=acl,
            text=f"The association ID '{first}' does not exist")
    refused("DependencyViolation", ec2.delete_network_acl, NetworkAclId=acl,
            text=f"The networkAcl '{acl}' has dependencies and cannot be deleted.")
    ec2.replace_network_acl_association(AssociationId=reply["NewAssociationId"],
                                        NetworkAclId=default)
    assert association_of(ec2, subnet)[0] == default


def test_a_deleted_subnet_is_forgotten(world, ec2, vpc, acl):
    subnet = world.subnet(vpc, "10.1.2.0/24")
    _, association = association_of(ec2, subnet)
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    ec2.delete_subnet(SubnetId=subnet)
    assert read(ec2, acl)["Associations"] == []


def test_associations_refused(world, ec2, acl, subnet):
    elsewhere = world.vpc("10.5.0.0/16")
    stranger = create(ec2, elsewhere)
    _, association = association_of(ec2, subnet)
    refused("InvalidParameterValue", ec2.replace_network_acl_association,
            AssociationId=association, NetworkAclId=stranger)
    refused("InvalidNetworkAclID.NotFound", ec2.replace_network_acl_association,
            AssociationId=association, NetworkAclId=NOWHERE)
    refused("InvalidAssociationID.NotFound", ec2.replace_network_acl_association,
            AssociationId="aclassoc-0fedcba9876543210", NetworkAclId=acl)
    refused("InvalidParameterValue", ec2.replace_network_acl_association, AssociationId="banana",
            NetworkAclId=acl)
    assert association_of(ec2, subnet)[1] == association
    ec2.delete_network_acl(NetworkAclId=stranger)
    ec2.delete_vpc(VpcId=elsewhere)


# Describe.

def test_filters(ec2, vpc, acl):
    """What test_api_describe.py has no data for."""
    wanted = entry(1234, Ipv6CidrBlock="2001:db8::/32", PortRange={"From": 4001, "To": 4002},
                   Egress=True)
    del wanted["CidrBlock"]
    ec2.create_network_acl_entry(NetworkAclId=acl, **wanted)
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(
        77, Protocol="icmp", IcmpTypeCode={"Type": 3, "Code": 4}, CidrBlock="198.51.100.0/24"))

    def found(name, *values):
        return names(ec2.describe_network_acls(Filters=[
            {"Name": name, "Values": list(values)}])["NetworkAcls"], "NetworkAclId")
    for name, value in (
            ("entry.cidr", "198.51.100.0/24"), ("entry.ipv6-cidr", "2001:db8::/32"),
            ("entry.icmp.code", "4"), ("entry.icmp.type", "3"), ("entry.port-range.from", "4001"),
            ("entry.port-range.to", "4002"), ("entry.protocol", "6"), ("entry.protocol", "tcp"),
            ("entry.protocol", "icmp"), ("entry.rule-number", "1234"), ("network-acl-id", acl)):
        assert found(name, value) == [acl], name
        assert found(name, "no such value") == [], name
    assert acl in found("entry.rule-action", "deny") and acl in found("entry.egress", "true")
    assert acl in found("default", "false") and acl not in found("default", "true")
    assert acl in found("vpc-id", vpc) and acl in found("owner-id", ACCOUNT)
    demand(read(ec2, acl), ["Associations", ("Entries", ["Egress", "Protocol", "RuleAction",
                                                         "RuleNumber"])])


def test_pages(ec2, vpc):
    made = [create(ec2, vpc) for _ in range(12)]
    mine = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["false"]}]
    pages = list(ec2.get_paginator("describe_network_acls").paginate(
        Filters=mine, PaginationConfig={"PageSize": 5}))
    assert [len(page["NetworkAcls"]) for page in pages] == [5, 5, 2]
    assert [identifier for page in pages
            for identifier in names(page["NetworkAcls"], "NetworkAclId")] == made
    for acl in made:
        ec2.delete_network_acl(NetworkAclId=acl)


def test_restart_keeps_all(own_world):
    ec2, vpc = own_world.ec2, own_world.vpc("10.1.0.0/16")
    acl, subnet = create(ec2, vpc), own_world.subnet(vpc, "10.1.1.0/24")
    ec2.create_tags(Resources=[acl], Tags=tags(Name="kept"))
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(1))
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry(
        2, Protocol="icmp", IcmpTypeCode={"Type": 8, "Code": -1}, RuleAction="deny"))
    wanted = entry(3, Ipv6CidrBlock="2001:db8::/32", Egress=True)
    del wanted["CidrBlock"]
    ec2.create_network_acl_entry(NetworkAclId=acl, **wanted)
    ec2.replace_network_acl_association(AssociationId=association_of(ec2, subnet)[1],
                                        NetworkAclId=acl)
    before = ec2.describe_network_acls()["NetworkAcls"]
    assert association_of(ec2, subnet)[0] == acl
    own_world.restart()
    assert own_world.ec2.describe_network_acls()["NetworkAcls"] == before
    own_world.ec2.delete_subnet(SubnetId=subnet)
    own_world.ec2.delete_network_acl(NetworkAclId=acl)
    own_world.ec2.delete_vpc(VpcId=vpc)
