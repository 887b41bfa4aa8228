"""VPC peering connections: every call, state and refusal, seen from both ends, and a restart."""
import re

import pytest

from conformance import demand
from lib import (ACCOUNT, api_state, assert_kernel_agrees, names, namespaces, refused, routes_of,
                 tag_specification, tags)

NOWHERE = "pcx-0fedcba9876543210"
STRANGER = "vpc-0fedcba9876543210"
OTHER = "210987654321"
FAILED = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"


@pytest.fixture(scope="module")
def world(make_world):
    with make_world("--accept-any-credentials", "--quota", "vpcs-per-region=60") as running:
        yield running


@pytest.fixture(scope="module")
def ec2(world):
    return world.client(key=ACCOUNT, secret="x")


@pytest.fixture
def two(world):
    """Two VPCs of one account and region."""
    yield world.vpc("10.1.0.0/16"), world.vpc("10.2.0.0/16")
    world.clear()


def client(world, account=ACCOUNT, region="us-east-1"):
    return world.client(key=account, secret="x", region=region)


def request(ec2, vpc, peer, **more):
    return ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer,
                                             **more)["VpcPeeringConnection"]


def read(ec2, peering):
    return ec2.describe_vpc_peering_connections(
        VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"][0]


def status(ec2, peering):
    found = read(ec2, peering)["Status"]
    return found["Code"], found["Message"]


def bring(world, two, state):
    """A connection in that state."""
    ec2 = world.ec2
    if state == "failed":
        twin = world.vpc("10.1.0.0/16")
        return world.peering(two[0], twin, accept=False)
    peering = world.peering(*two, accept=state in ("active", "deleted"))
    if state == "rejected":
        ec2.reject_vpc_peering_connection(VpcPeeringConnectionId=peering)
    if state == "deleted":
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    return peering


# The life of one.

def test_create(ec2, two):
    made = request(ec2, *two, TagSpecifications=tag_specification(
        "vpc-peering-connection", Name="bridge"))
    assert re.fullmatch("pcx-[0-9a-f]{17}", made["VpcPeeringConnectionId"])
    assert made["Status"] == {"Code": "initiating-request",
                              "Message": f"Initiating Request to {ACCOUNT}"}
    assert made["RequesterVpcInfo"] == {
        "CidrBlock": "10.1.0.0/16", "CidrBlockSet": [{"CidrBlock": "10.1.0.0/16"}],
        "Ipv6CidrBlockSet": [], "OwnerId": ACCOUNT, "VpcId": two[0], "Region": "us-east-1"}
    assert made["AccepterVpcInfo"] == {"OwnerId": ACCOUNT, "VpcId": two[1], "CidrBlockSet": [],
                                       "Ipv6CidrBlockSet": [], "Region": "us-east-1"}
    assert made["Tags"] == tags(Name="bridge")
    found = read(ec2, made["VpcPeeringConnectionId"])
    assert found["Status"] == {"Code": "pending-acceptance",
                               "Message": f"Pending Acceptance by {ACCOUNT}"}
    assert found["ExpirationTime"] == made["ExpirationTime"]


def test_accept(ec2, two):
    peering = request(ec2, *two)["VpcPeeringConnectionId"]
    reply = ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    accepted = reply["VpcPeeringConnection"]
    assert accepted["Status"] == {"Code": "provisioning", "Message": "Provisioning"}
    found = read(ec2, peering)
    assert found["Status"] == {"Code": "active", "Message": "Active"}
    assert "ExpirationTime" not in found
    for side, cidr in (("RequesterVpcInfo", "10.1.0.0/16"), ("AccepterVpcInfo", "10.2.0.0/16")):
        assert found[side]["CidrBlock"] == cidr
        assert found[side]["CidrBlockSet"] == [{"CidrBlock": cidr}]
        assert found[side]["PeeringOptions"] == {"AllowDnsResolutionFromRemoteVpc": False}
        demand(found[side], ["OwnerId", "VpcId", "Region"])
    assert peering in namespaces()


def test_reject(ec2, two):
    peering = request(ec2, *two)["VpcPeeringConnectionId"]
    assert ec2.reject_vpc_peering_connection(VpcPeeringConnectionId=peering)["Return"] is True
    assert status(ec2, peering) == ("rejected", "Inactive")
    assert peering not in namespaces()
    request(ec2, *two)  # again


@pytest.mark.parametrize("state", ["pending-acceptance", "active"])
def test_delete(world, ec2, two, state):
    peering = bring(world, two, state)
    assert ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)["Return"] is True
    assert status(ec2, peering) == ("deleted", f"Deleted by {ACCOUNT}")
    assert peering not in namespaces()
    found = read(ec2, peering)
    assert "CidrBlock" not in found["RequesterVpcInfo"]
    assert "PeeringOptions" not in found["AccepterVpcInfo"]


def test_overlapping_blocks_fail(world, ec2, two):
    """Row 67: the VPCs live side by side, the peering never comes to be."""
    for cidr in ("10.1.0.0/16", "10.1.128.0/20"):
        other = world.vpc(cidr)
        for ends in ((two[0], other), (other, two[0])):
            peering = request(ec2, *ends)["VpcPeeringConnectionId"]
            assert status(ec2, peering) == ("failed", FAILED)
            assert peering not in namespaces()


@pytest.mark.parametrize("state, verbs", [
    ("active", {"accept": "active", "reject": "rejected"}),
    ("rejected", {"accept": "active", "reject": "rejected", "delete": "deleting"}),
    ("deleted", {"accept": "active", "reject": "rejected", "delete": "deleting"}),
    ("failed", {"accept": "active", "reject": "rejected", "delete": "deleting"})])
def test_wrong_states(world, ec2, two, state, verbs):
    peering = bring(world, two, state)
    for verb, to in verbs.items():
        refused("InvalidStateTransition", getattr(ec2, f"{verb}_vpc_peering_connection"),
                VpcPeeringConnectionId=peering,
                text=f"Invalid state transition for {peering}, attempted to transition from "
                     f"{state} to {to}")
    assert status(ec2, peering)[0] == state


# Refusals.

def test_create_refused(ec2, two):
    one, other = two
    create = ec2.create_vpc_peering_connection
    refused("InvalidVpcID.NotFound", create, VpcId=STRANGER, PeerVpcId=one,
            text=f"The vpc ID '{STRANGER}' does not exist")
    refused("InvalidVpcID.NotFound", create, VpcId=one, PeerVpcId=STRANGER,
            text=f"The vpc ID '{STRANGER}' does not exist")
    refused("InvalidVpcID.Malformed", create, VpcId=one, PeerVpcId="banana")
    refused("InvalidParameterValue", create, VpcId=one, PeerVpcId=one)
    refused("InvalidParameterValue", create, VpcId=one, PeerVpcId=other, PeerRegion="banana")
    refused("InvalidUserID.Malformed", create, VpcId=one, PeerVpcId=other, PeerOwnerId="banana")
    refused("MissingParameter", create, VpcId=one)
    refused("MissingParameter", create, PeerVpcId=other, VpcId="")
    refused("InvalidParameterValue", create, VpcId=one, PeerVpcId=other,
            TagSpecifications=tag_specification("vpc", Name="x"))
    refused("DryRunOperation", create, VpcId=one, PeerVpcId=other, DryRun=True, status=412)


def test_one_for_each_pair(world, ec2, two):
    for state in ("pending-acceptance", "active"):
        peering = world.peering(*two, accept=state == "active")
        for ends in (two, two[::-1]):
            refused("VpcPeeringConnectionAlreadyExists", ec2.create_vpc_peering_connection,
                    VpcId=ends[0], PeerVpcId=ends[1], text=re.compile(peering))
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)


@pytest.mark.parametrize("verb", [
    "accept_vpc_peering_connection", "reject_vpc_peering_connection",
    "delete_vpc_peering_connection", "modify_vpc_peering_connection_options"])
def test_unknown_ones(ec2, verb):
    refused("InvalidVpcPeeringConnectionID.NotFound", getattr(ec2, verb),
            VpcPeeringConnectionId=NOWHERE,
            text=f"The vpcPeeringConnection ID '{NOWHERE}' does not exist")
    refused("InvalidVpcPeeringConnectionId.Malformed", getattr(ec2, verb),
            VpcPeeringConnectionId="banana")


def test_dry_runs(world, ec2, two):
    peering = world.peering(*two, accept=False)
    for verb in ("accept", "reject", "delete"):
        refused("DryRunOperation", getattr(ec2, f"{verb}_vpc_peering_connection"),
                VpcPeeringConnectionId=peering, DryRun=True, status=412)
    assert status(ec2, peering)[0] == "pending-acceptance"


def test_quotas(make_world):
    with make_world("--quota=active-peerings-per-vpc=2",
                    "--quota=outstanding-peering-requests=2") as world:
        vpcs = [world.vpc(f"10.{number}.0.0/16") for number in range(4)]
        for other in vpcs[1:3]:
            world.peering(vpcs[0], other, accept=False)
        refused("OutstandingVpcPeeringConnectionLimitExceeded",
                world.ec2.create_vpc_peering_connection, VpcId=vpcs[0], PeerVpcId=vpcs[3])
        waiting = names(world.ec2.describe_vpc_peering_connections()["VpcPeeringConnections"],
                        "VpcPeeringConnectionId")
        world.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=waiting[0])
        third = world.peering(vpcs[3], vpcs[0], accept=False)
        world.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=waiting[1])
        refused("ActiveVpcPeeringConnectionPerVpcLimitExceeded",
                world.ec2.accept_vpc_peering_connection, VpcPeeringConnectionId=third)
        assert status(world.ec2, third)[0] == "pending-acceptance"


# Tags, options, VPCs that go.

def test_tags(world, ec2, two):
    peering = world.peering(*two)
    ec2.create_tags(Resources=[peering], Tags=tags(Name="one"))
    assert read(ec2, peering)["Tags"] == tags(Name="one")
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [peering]}])["Tags"]
    assert [entry["ResourceType"] for entry in found] == ["vpc-peering-connection"]
    ec2.delete_tags(Resources=[peering])
    assert read(ec2, peering).get("Tags", []) == []


def test_options(world, ec2, two):
    options = {"AllowDnsResolutionFromRemoteVpc": True}
    peering = world.peering(*two, accept=False)
    modify = ec2.modify_vpc_peering_connection_options
    refused("OperationNotPermitted", modify, VpcPeeringConnectionId=peering,
            RequesterPeeringConnectionOptions=options,
            text=f"Peering {peering} is not active. Peering options can be added only to active "
                 "peerings.")
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    for vpc in two:
        refused("InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", modify,
                VpcPeeringConnectionId=peering, AccepterPeeringConnectionOptions=options,
                text=f"VPC {vpc} does not have DNS hostnames enabled")
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    reply = modify(VpcPeeringConnectionId=peering, AccepterPeeringConnectionOptions=options)
    assert reply["AccepterPeeringConnectionOptions"] == options
    assert "RequesterPeeringConnectionOptions" not in reply
    assert read(ec2, peering)["AccepterVpcInfo"]["PeeringOptions"] == options
    assert read(ec2, peering)["RequesterVpcInfo"]["PeeringOptions"] == {
        "AllowDnsResolutionFromRemoteVpc": False}
    refused("UnsupportedOperation", modify, VpcPeeringConnectionId=peering,
            RequesterPeeringConnectionOptions={"AllowEgressFromLocalClassicLinkToRemoteVpc": True})


def test_a_peered_vpc_stays(world, ec2, two):
    peering = world.peering(*two)
    for vpc in two:
        refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc,
                text=f"The vpc '{vpc}' has dependencies and cannot be deleted.")
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    ec2.delete_vpc(VpcId=two[0])
    assert status(ec2, peering)[0] == "deleted"


def test_requests_go_with_their_vpc(world, ec2, two):
    peering = world.peering(*two, accept=False)
    ec2.delete_vpc(VpcId=two[1])
    assert status(ec2, peering) == ("deleted", f"Deleted by {ACCOUNT}")
    assert read(ec2, peering)["AccepterVpcInfo"]["VpcId"] == two[1]


# Routes.

def test_routes(world, ec2, two):
    peering = world.peering(*two, accept=False)
    tables = [world.route_table(vpc) for vpc in two]
    ends = list(zip(tables, ("10.2.0.0/16", "10.1.0.0/16")))
    for table, cidr in ends:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr,
                         VpcPeeringConnectionId=peering)
    for change, state in ((None, "blackhole"), (ec2.accept_vpc_peering_connection, "active"),
                          (ec2.delete_vpc_peering_connection, "blackhole")):
        if change:
            change(VpcPeeringConnectionId=peering)
        for table, cidr in ends:
            assert routes_of(ec2, table)[cidr] == {
                "DestinationCidrBlock": cidr, "VpcPeeringConnectionId": peering,
                "Origin": "CreateRoute", "State": state}
    again = world.peering(*two)
    ec2.replace_route(RouteTableId=tables[0], DestinationCidrBlock="10.2.0.0/16",
                      VpcPeeringConnectionId=again)
    assert routes_of(ec2, tables[0])["10.2.0.0/16"]["VpcPeeringConnectionId"] == again
    assert routes_of(ec2, tables[0])["10.2.0.0/16"]["State"] == "active"


def test_routes_refused(world, ec2, two):
    peering, third = world.peering(*two), world.vpc("10.3.0.0/16")
    table = world.route_table(third)
    create = ec2.create_route
    refused("InvalidParameterValue", create, RouteTableId=table,
            DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=peering,
            text=f"route table {table} and vpc peering connection {peering} belong to different "
                 "networks")
    refused("InvalidVpcPeeringConnectionID.NotFound", create, RouteTableId=table,
            DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=NOWHERE)
    refused("InvalidParameterCombination", create, RouteTableId=table, GatewayId="local",
            DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=peering)
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    own = world.main_table(two[0])["RouteTableId"]
    refused("InvalidVpcPeeringConnectionID.NotFound", create, RouteTableId=own,
            DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=peering)
    refused("InvalidParameterValue", create, RouteTableId=own,
            DestinationCidrBlock="10.1.1.0/24", VpcPeeringConnectionId=world.peering(*two))


# Other accounts and regions.

SCOPES = pytest.mark.parametrize("account, region", [(OTHER, "us-east-1"), (ACCOUNT, "eu-west-1"),
                                                     (OTHER, "eu-west-1")])


def across(world, two, account, region):
    """A request to a VPC of another scope: the accepter's client, the VPC, the connection."""
    theirs = client(world, account, region)
    vpc = theirs.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    made = request(client(world), two[0], vpc, PeerOwnerId=account, PeerRegion=region)
    return theirs, vpc, made["VpcPeeringConnectionId"]


@SCOPES
def test_across_scopes(world, ec2, two, account, region):
    theirs, vpc, peering = across(world, two, account, region)
    assert status(ec2, peering) == ("pending-acceptance", f"Pending Acceptance by {account}")
    assert status(theirs, peering) == status(ec2, peering)
    for verb in ("accept", "reject"):
        refused("OperationNotPermitted", getattr(ec2, f"{verb}_vpc_peering_connection"),
                VpcPeeringConnectionId=peering)
    refused("OperationNotPermitted", theirs.delete_vpc_peering_connection,
            VpcPeeringConnectionId=peering)
    stranger = client(world, "333333333333")
    refused("InvalidVpcPeeringConnectionID.NotFound", stranger.accept_vpc_peering_connection,
            VpcPeeringConnectionId=peering)
    assert stranger.describe_vpc_peering_connections()["VpcPeeringConnections"] == []
    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    found = read(theirs, peering)
    assert found == read(ec2, peering)
    assert found["AccepterVpcInfo"]["OwnerId"] == account
    assert found["AccepterVpcInfo"]["Region"] == region
    assert found["AccepterVpcInfo"]["CidrBlock"] == "10.77.0.0/16"
    refused("OperationNotPermitted", ec2.modify_vpc_peering_connection_options,
            VpcPeeringConnectionId=peering,
            AccepterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": True})
    theirs.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    assert status(ec2, peering) == ("deleted", f"Deleted by {account}")
    theirs.delete_vpc(VpcId=vpc)


@SCOPES
def test_a_stranger_makes_it_fail(world, ec2, two, account, region):
    """What is in another's account isn't told: the request is taken, and fails."""
    for peer in (STRANGER, two[1]):
        made = request(ec2, two[0], peer, PeerOwnerId=account, PeerRegion=region)
        assert status(ec2, made["VpcPeeringConnectionId"]) == ("failed", FAILED)


# References to groups.

def permission(group, **more):
    return {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80,
            "UserIdGroupPairs": [{"GroupId": group, **more}]}


def test_references(world, ec2, two):
    mine, theirs = (world.security_group(vpc) for vpc in two)
    authorize = ec2.authorize_security_group_ingress
    refused("InvalidGroup.NotFound", authorize, GroupId=mine, IpPermissions=[permission(theirs)])
    peering = world.peering(*two)
    made = authorize(GroupId=mine, IpPermissions=[permission(theirs, UserId=ACCOUNT)])
    rule = made["SecurityGroupRules"][0]
    info = {"GroupId": theirs, "PeeringStatus": "active", "UserId": ACCOUNT, "VpcId": two[1],
            "VpcPeeringConnectionId": peering}
    assert rule["ReferencedGroupInfo"] == info

    def pairs():
        group = ec2.describe_security_groups(GroupIds=[mine])["SecurityGroups"][0]
        return group["IpPermissions"][0]["UserIdGroupPairs"]
    assert pairs() == [info]
    assert ec2.describe_security_group_references(
        GroupId=[theirs, mine])["SecurityGroupReferenceSet"] == [{
            "GroupId": theirs, "ReferencingVpcId": two[0], "VpcPeeringConnectionId": peering}]
    assert ec2.describe_stale_security_groups(VpcId=two[0])["StaleSecurityGroupSet"] == []
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    stale = {**info, "PeeringStatus": "deleted"}
    assert pairs() == [stale]
    assert ec2.describe_security_group_references(
        GroupId=[theirs])["SecurityGroupReferenceSet"] == []
    assert ec2.describe_stale_security_groups(VpcId=two[0])["StaleSecurityGroupSet"] == [{
        "Description": "web", "GroupId": mine, "GroupName": "web", "VpcId": two[0],
        "StaleIpPermissions": [{"FromPort": 80, "ToPort": 80, "IpProtocol": "tcp",
                                "IpRanges": [], "PrefixListIds": [],
                                "UserIdGroupPairs": [stale]}],
        "StaleIpPermissionsEgress": []}]
    assert ec2.describe_stale_security_groups(VpcId=two[1])["StaleSecurityGroupSet"] == []
    again = world.peering(*two)
    assert pairs() == [{**info, "VpcPeeringConnectionId": again}]
    assert ec2.describe_stale_security_groups(VpcId=two[0])["StaleSecurityGroupSet"] == []


def test_a_deleted_group_leaves_a_stale_rule(world, ec2, two):
    mine, theirs = (world.security_group(vpc) for vpc in two)
    peering = world.peering(*two)
    ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=[permission(theirs)])
    ec2.authorize_security_group_egress(GroupId=mine, IpPermissions=[permission(theirs)])
    ec2.delete_security_group(GroupId=theirs)
    stale, = ec2.describe_stale_security_groups(VpcId=two[0])["StaleSecurityGroupSet"]
    for direction in ("StaleIpPermissions", "StaleIpPermissionsEgress"):
        pair, = stale[direction][0]["UserIdGroupPairs"]
        assert pair == {"GroupId": theirs, "PeeringStatus": "active", "UserId": ACCOUNT,
                        "VpcId": two[1], "VpcPeeringConnectionId": peering}
    refused("InvalidGroup.NotFound", ec2.authorize_security_group_ingress, GroupId=mine,
            IpPermissions=[{**permission(theirs), "ToPort": 81}])
    described, = ec2.describe_security_groups(GroupIds=[mine])["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=mine, IpPermissions=described["IpPermissions"])
    ec2.revoke_security_group_egress(GroupId=mine, IpPermissions=stale["StaleIpPermissionsEgress"])
    assert ec2.describe_stale_security_groups(VpcId=two[0])["StaleSecurityGroupSet"] == []


def test_references_to_another_account(world, ec2, two):
    theirs, vpc, peering = across(world, two, OTHER, "us-east-1")
    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    group = theirs.create_security_group(VpcId=vpc, GroupName="a", Description="a")["GroupId"]
    mine = world.security_group(two[0])
    authorize = ec2.authorize_security_group_ingress
    refused("InvalidGroup.NotFound", authorize, GroupId=mine,
            IpPermissions=[permission(group, UserId="333333333333")])
    refused("InvalidVpcPeeringConnectionID.NotFound", authorize, GroupId=mine,
            IpPermissions=[permission(group, VpcPeeringConnectionId=NOWHERE)])
    made = authorize(GroupId=mine, IpPermissions=[permission(group, UserId=OTHER)])
    assert made["SecurityGroupRules"][0]["ReferencedGroupInfo"]["UserId"] == OTHER
    assert theirs.describe_security_group_references(
        GroupId=[group])["SecurityGroupReferenceSet"][0]["ReferencingVpcId"] == two[0]
    theirs.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    theirs.delete_security_group(GroupId=group)
    theirs.delete_vpc(VpcId=vpc)


def test_no_references_across_regions(world, ec2, two):
    """Row 40."""
    theirs, vpc, peering = across(world, two, ACCOUNT, "eu-west-1")
    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    refused("InvalidGroup.NotFound", ec2.authorize_security_group_ingress,
            GroupId=world.security_group(two[0]),
            IpPermissions=[permission(world.default_group(vpc, theirs))])
    theirs.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    theirs.delete_vpc(VpcId=vpc)


# Restart.

def test_restart(own_world):
    world = own_world
    vpcs = [world.vpc(f"10.{number}.0.0/16") for number in range(4)]
    for number, vpc in enumerate(vpcs):
        world.subnet(vpc, f"10.{number}.1.0/24")
    for number, other in enumerate(vpcs[1:]):
        world.peering(vpcs[0], other, accept=number < 2)
    table = world.route_table(vpcs[0])
    active = world.ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
    for peering, cidr in zip(active, ("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16")):
        world.ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr,
                               VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    group = world.security_group(vpcs[0])
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        permission(world.default_group(vpcs[1]))])
    world.ec2.delete_vpc_peering_connection(
        VpcPeeringConnectionId=active[0]["VpcPeeringConnectionId"])
    before = api_state(world)
    world.restart()
    assert api_state(world) == before
    assert_kernel_agrees(world)
    assert "mended" not in world.log_tail()
