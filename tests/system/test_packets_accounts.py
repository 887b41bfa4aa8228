"""Packets between two accounts, and between two regions, by a peering that both have agreed to."""
import types

import pytest

from lib import ACCOUNT, IMAGE, names, refused, tags, wait_for
from test_accounts import OTHER, keys_of


@pytest.fixture(scope="module", params=[(OTHER, "us-east-1"), (ACCOUNT, "eu-west-1"),
                                        (OTHER, "ap-south-1")], ids=lambda pair: "-".join(pair))
def lab(request, make_world):
    """a in 10.1/16 of the default account, b in 10.2/16 of the other scope; peered, not routed."""
    account, region = request.param
    with make_world() as world:
        world.run("account create", OTHER)
        key, secret = keys_of(world, account)
        here = types.SimpleNamespace(world=world, account=account, region=region)
        here.ends = [end(world, world.ec2, 1), end(world, world.client(
            region=region, key=key, secret=secret), 2)]
        one, two = here.ends
        here.peering = one.ec2.create_vpc_peering_connection(
            VpcId=one.vpc, PeerVpcId=two.vpc, PeerOwnerId=account, PeerRegion=region)[
                "VpcPeeringConnection"]["VpcPeeringConnectionId"]
        for mine, other in ((one, two), (two, one)):
            mine.ec2.create_route(RouteTableId=mine.table, DestinationCidrBlock=other.cidr,
                                  VpcPeeringConnectionId=here.peering)
        yield here


def end(world, ec2, number):
    """A VPC with an open default group and one running instance."""
    made = types.SimpleNamespace(ec2=ec2, cidr=f"10.{number}.0.0/16")
    made.vpc = ec2.create_vpc(CidrBlock=made.cidr)["Vpc"]["VpcId"]
    made.subnet = ec2.create_subnet(VpcId=made.vpc, CidrBlock=f"10.{number}.1.0/24")[
        "Subnet"]["SubnetId"]
    made.table = ec2.describe_route_tables(Filters=[
        {"Name": "vpc-id", "Values": [made.vpc]}])["RouteTables"][0]["RouteTableId"]
    world.open(made.vpc, ec2)
    made.address = f"10.{number}.1.10"
    made.instance = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=made.subnet,
                                      PrivateIpAddress=made.address)["Instances"][0]["InstanceId"]
    wait_for(lambda: ec2.describe_instances(InstanceIds=[made.instance])["Reservations"][0][
        "Instances"][0]["State"]["Name"] == "running", 10, made.instance)
    return made


def read(end_, peering):
    return end_.ec2.describe_vpc_peering_connections(
        VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"][0]


def sorted_tags(found):
    return sorted(found, key=lambda tag: tag["Key"])


def state(table):
    route, = [entry for entry in table["Routes"] if "VpcPeeringConnectionId" in entry]
    return route["State"]


def tables(lab):
    return [each.ec2.describe_route_tables(RouteTableIds=[each.table])["RouteTables"][0]
            for each in lab.ends]


def test_until_it_is_accepted(lab):
    """Both see the request; the accepter's blocks aren't told; no packet passes."""
    one, two = lab.ends
    for seen in (read(one, lab.peering), read(two, lab.peering)):
        assert seen["Status"] == {"Code": "pending-acceptance",
                                  "Message": f"Pending Acceptance by {lab.account}"}
        assert seen["RequesterVpcInfo"]["CidrBlockSet"] == [{"CidrBlock": one.cidr}]
        assert seen["AccepterVpcInfo"] == {
            "OwnerId": lab.account, "VpcId": two.vpc, "Region": lab.region, "CidrBlockSet": [],
            "Ipv6CidrBlockSet": []}
    assert [state(table) for table in tables(lab)] == ["blackhole", "blackhole"]
    lab.world.assert_silent(one.instance, two.address)


def test_only_the_accepter_accepts(lab):
    one, two = lab.ends
    for verb in ("accept", "reject"):
        found = refused("OperationNotPermitted", getattr(
            one.ec2, f"{verb}_vpc_peering_connection"), VpcPeeringConnectionId=lab.peering)
        assert lab.account == ACCOUNT or found.message == (
            f"User {ACCOUNT} cannot {verb} peering {lab.peering}")
        assert lab.account != ACCOUNT or f"in region {lab.region}" in found.message
    accepted = two.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=lab.peering)
    assert accepted["VpcPeeringConnection"]["Status"]["Code"] == "provisioning"
    assert read(one, lab.peering) == read(two, lab.peering)
    seen = read(one, lab.peering)
    assert [(seen[side]["OwnerId"], seen[side]["Region"], seen[side]["CidrBlock"],
             seen[side]["VpcId"]) for side in ("RequesterVpcInfo", "AccepterVpcInfo")] == [
                 (ACCOUNT, "us-east-1", one.cidr, one.vpc),
                 (lab.account, lab.region, two.cidr, two.vpc)]


def test_packets_pass(lab):
    one, two = lab.ends
    assert [state(table) for table in tables(lab)] == ["active", "active"]
    lab.world.assert_reaches(one.instance, two.address)
    lab.world.assert_reaches(two.instance, one.address)
    assert lab.world.talk(two.instance, one.instance, two.address) == {
        "server_saw": one.address, "client_saw": two.address, "client_is": one.address}


def test_the_groups_of_the_peer(lab):
    """May be named within a region, by whatever account; never across regions."""
    one, two = lab.ends
    theirs = lab.world.default_group(two.vpc, two.ec2)
    door = one.ec2.create_security_group(VpcId=one.vpc, GroupName="door", Description="x")["GroupId"]
    interface = one.ec2.describe_instances(InstanceIds=[one.instance])["Reservations"][0][
        "Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    usual = lab.world.default_group(one.vpc, one.ec2)

    def authorize():
        return one.ec2.authorize_security_group_ingress(GroupId=door, IpPermissions=[
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "UserIdGroupPairs": [
                {"GroupId": theirs, "UserId": lab.account}]}])
    one.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[door])
    lab.world.assert_silent(two.instance, one.address)
    if lab.region != "us-east-1":
        refused("InvalidGroup.NotFound", authorize)
    else:
        authorize()
        lab.world.assert_reaches(two.instance, one.address)
        assert two.ec2.describe_security_group_references(GroupId=[theirs])[
            "SecurityGroupReferenceSet"][0]["ReferencingVpcId"] == one.vpc
    one.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[usual])
    one.ec2.delete_security_group(GroupId=door)


def test_each_has_its_own_tags(lab):
    """And sees no other: what Terraform's example of a requester and an accepter does."""
    one, two = lab.ends
    for side, each in (("Requester", one), ("Accepter", two)):
        each.ec2.create_tags(Resources=[lab.peering], Tags=tags(Side=side, Own=side))
    for side, each in (("Requester", one), ("Accepter", two)):
        assert sorted_tags(read(each, lab.peering)["Tags"]) == tags(Own=side, Side=side)
        found = each.ec2.describe_tags(Filters=[
            {"Name": "resource-id", "Values": [lab.peering]}])["Tags"]
        assert {(entry["Key"], entry["Value"]) for entry in found} == {
            ("Side", side), ("Own", side)}
        assert {entry["ResourceType"] for entry in found} == {"vpc-peering-connection"}
        matched = each.ec2.describe_vpc_peering_connections(Filters=[
            {"Name": "tag:Side", "Values": [side]}])["VpcPeeringConnections"]
        assert names(matched, "VpcPeeringConnectionId") == [lab.peering]
        assert each.ec2.describe_vpc_peering_connections(Filters=[
            {"Name": "tag:Side", "Values": ["Nobody"]}])["VpcPeeringConnections"] == []
    refused("InvalidParameterValue", two.ec2.create_tags, Resources=[lab.peering],
            Tags=tags(Fine="x", **{"aws:no": "x"}))
    assert sorted_tags(read(one, lab.peering)["Tags"]) == tags(Own="Requester", Side="Requester")
    assert sorted_tags(read(two, lab.peering)["Tags"]) == tags(Own="Accepter", Side="Accepter")
    two.ec2.delete_tags(Resources=[lab.peering], Tags=[{"Key": "Own"}])
    assert read(two, lab.peering)["Tags"] == tags(Side="Accepter")
    one.ec2.delete_tags(Resources=[lab.peering])
    assert read(one, lab.peering)["Tags"] == []
    assert read(two, lab.peering)["Tags"] == tags(Side="Accepter")


def test_each_sets_its_own_options(lab):
    on = {"AllowDnsResolutionFromRemoteVpc": True}
    sides = ("RequesterPeeringConnectionOptions", "AccepterPeeringConnectionOptions")
    for each in lab.ends:
        each.ec2.modify_vpc_attribute(VpcId=each.vpc, EnableDnsHostnames={"Value": True})
    for index, each in enumerate(lab.ends):
        refused("OperationNotPermitted", each.ec2.modify_vpc_peering_connection_options,
                VpcPeeringConnectionId=lab.peering, **{sides[1 - index]: on})
        each.ec2.modify_vpc_peering_connection_options(VpcPeeringConnectionId=lab.peering,
                                                       **{sides[index]: on})
    for each in lab.ends:
        seen = read(each, lab.peering)
        assert seen["RequesterVpcInfo"]["PeeringOptions"] == on
        assert seen["AccepterVpcInfo"]["PeeringOptions"] == on


def test_after_a_restart(lab):
    one, two = lab.ends
    before = [read(each, lab.peering) for each in lab.ends]
    lab.world.restart()
    for each, region, account in ((one, "us-east-1", ACCOUNT), (two, lab.region, lab.account)):
        key, secret = keys_of(lab.world, account)
        each.ec2 = lab.world.client(region=region, key=key, secret=secret)
    assert [read(each, lab.peering) for each in lab.ends] == before
    lab.world.assert_reaches(one.instance, two.address)


def test_either_deletes(lab):
    one, two = lab.ends
    two.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=lab.peering)
    lab.world.assert_silent(one.instance, two.address)
    for each in lab.ends:
        seen = read(each, lab.peering)
        assert seen["Status"] == {"Code": "deleted", "Message": f"Deleted by {lab.account}"}
        refused("InvalidStateTransition", each.ec2.delete_vpc_peering_connection,
                VpcPeeringConnectionId=lab.peering)
    assert [state(table) for table in tables(lab)] == ["blackhole", "blackhole"]


def test_the_accepter_rejects(lab):
    one, two = lab.ends
    again = one.ec2.create_vpc_peering_connection(
        VpcId=one.vpc, PeerVpcId=two.vpc, PeerOwnerId=lab.account, PeerRegion=lab.region)[
            "VpcPeeringConnection"]["VpcPeeringConnectionId"]
    refused("OperationNotPermitted", one.ec2.reject_vpc_peering_connection,
            VpcPeeringConnectionId=again)
    two.ec2.reject_vpc_peering_connection(VpcPeeringConnectionId=again)
    assert [read(each, again)["Status"]["Code"] for each in lab.ends] == ["rejected", "rejected"]
    assert again in names(two.ec2.describe_vpc_peering_connections(Filters=[
        {"Name": "requester-vpc-info.owner-id", "Values": [ACCOUNT]}])["VpcPeeringConnections"],
        "VpcPeeringConnectionId")
