"""Managed prefix lists: versions, refusals, routes to them, and the packets that follow."""
import re

import pytest

from lib import ACCOUNT, names, own_prefix_lists, refused, table_of, tag_specification, tags

NOWHERE = "pl-0fedcba9876543210"
TAKEN_BACK = "The prefix list has the incorrect version number."


@pytest.fixture(autouse=True)
def cleared(request):
    yield
    if "world" in request.fixturenames:
        request.getfixturevalue("world").clear()


def create(ec2, *cidrs, size=10, **more):
    arguments = {"PrefixListName": "office", "AddressFamily": "IPv4", "MaxEntries": size,
                 "Entries": [{"Cidr": cidr} for cidr in cidrs], **more}
    return ec2.create_managed_prefix_list(**arguments)["PrefixList"]["PrefixListId"]


def read(ec2, prefixes):
    return ec2.describe_managed_prefix_lists(PrefixListIds=[prefixes])["PrefixLists"][0]


def entries(ec2, prefixes, **more):
    return ec2.get_managed_prefix_list_entries(PrefixListId=prefixes, **more)["Entries"]


def cidrs(ec2, prefixes, **more):
    return names(entries(ec2, prefixes, **more), "Cidr")


def modify(ec2, prefixes, version=None, add=(), remove=(), **more):
    if version is not None:
        more["CurrentVersion"] = version
    if add:
        more["AddEntries"] = [{"Cidr": cidr} for cidr in add]
    if remove:
        more["RemoveEntries"] = [{"Cidr": cidr} for cidr in remove]
    return ec2.modify_managed_prefix_list(PrefixListId=prefixes, **more)["PrefixList"]


# Lists.

def test_life_cycle(ec2):
    created = ec2.create_managed_prefix_list(
        PrefixListName="office", AddressFamily="IPv4", MaxEntries=5,
        Entries=[{"Cidr": "198.51.100.7/24", "Description": "first"}, {"Cidr": "203.0.113.0/25"}],
        TagSpecifications=tag_specification("prefix-list", Name="o"))["PrefixList"]
    prefixes = created["PrefixListId"]
    assert re.fullmatch("pl-[0-9a-f]{17}", prefixes)
    assert created == {
        "PrefixListId": prefixes, "AddressFamily": "IPv4", "State": "create-complete",
        "PrefixListArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:prefix-list/{prefixes}",
        "PrefixListName": "office", "MaxEntries": 5, "Version": 1, "OwnerId": ACCOUNT,
        "Tags": tags(Name="o")}
    assert read(ec2, prefixes) == created
    assert entries(ec2, prefixes) == [{"Cidr": "198.51.100.0/24", "Description": "first"},
                                      {"Cidr": "203.0.113.0/25"}]
    deleted = ec2.delete_managed_prefix_list(PrefixListId=prefixes)["PrefixList"]
    assert deleted == {**created, "State": "delete-complete"}
    refused("InvalidPrefixListID.NotFound", ec2.delete_managed_prefix_list, PrefixListId=prefixes,
            text=f"The prefix list ID '{prefixes}' does not exist")
    assert own_prefix_lists(ec2) == []


def test_ipv6(ec2):
    prefixes = create(ec2, "2001:DB8:1::5/48", AddressFamily="IPv6")
    assert read(ec2, prefixes)["AddressFamily"] == "IPv6"
    assert cidrs(ec2, prefixes) == ["2001:db8:1::/48"]
    refused("InvalidParameterValue", modify, ec2, prefixes, 1, add=["10.0.0.0/8"])


@pytest.mark.parametrize("code,change", [
    ("InvalidParameterValue", {"AddressFamily": "ipv4"}),
    ("InvalidParameterValue", {"PrefixListName": "com.amazonaws.mine"}),
    ("InvalidParameterValue", {"PrefixListName": "x" * 256}),
    ("InvalidParameterValue", {"MaxEntries": 0}),
    ("InvalidParameterValue", {"MaxEntries": -1}),
    ("InvalidParameterValue", {"MaxEntries": 1001}),
    ("InvalidParameterValue", {"Entries": [{"Cidr": "banana"}]}),
    ("InvalidParameterValue", {"Entries": [{"Cidr": "10.0.0.0"}]}),
    ("InvalidParameterValue", {"Entries": [{"Cidr": "::/0"}]}),
    ("InvalidParameterValue", {"Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "10.1.0.0/8"}]}),
    ("InvalidParameterValue", {"Entries": [{"Cidr": "10.0.0.0/8", "Description": "x" * 256}]}),
    ("InvalidParameterValue", {"MaxEntries": 200, "Entries": [
        {"Cidr": f"10.0.{number}.0/24"} for number in range(101)]}),
    ("PrefixListMaxEntriesExceeded", {"MaxEntries": 1, "Entries": [
        {"Cidr": "10.0.0.0/8"}, {"Cidr": "11.0.0.0/8"}]}),
    ("MissingParameter", {"Entries": [{"Cidr": "", "Description": "no block"}]}),
    ("MissingParameter", {"PrefixListName": ""}),
    ("InvalidParameterValue", {"TagSpecifications": tag_specification("vpc", Name="x")}),
])
def test_create_refused(ec2, code, change):
    refused(code, create, ec2, **change)
    assert own_prefix_lists(ec2) == []


def test_client_token(ec2):
    first = create(ec2, "10.0.0.0/8", ClientToken="a")
    assert create(ec2, "10.0.0.0/8", ClientToken="a") == first
    assert create(ec2, "10.0.0.0/8", ClientToken="b") != first
    refused("IdempotentParameterMismatch", create, ec2, "11.0.0.0/8", ClientToken="a")


def test_unknown_and_malformed(ec2):
    for call in (ec2.delete_managed_prefix_list, ec2.modify_managed_prefix_list,
                 ec2.get_managed_prefix_list_entries, ec2.get_managed_prefix_list_associations):
        refused("InvalidPrefixListID.NotFound", call, PrefixListId=NOWHERE,
                text=f"The prefix list ID '{NOWHERE}' does not exist")
        refused("InvalidPrefixListId.Malformed", call, PrefixListId="list")
    versions = {"PreviousVersion": 1, "CurrentVersion": 1}
    refused("InvalidPrefixListID.NotFound", ec2.restore_managed_prefix_list_version,
            PrefixListId=NOWHERE, **versions)
    refused("InvalidPrefixListId.Malformed", ec2.restore_managed_prefix_list_version,
            PrefixListId="list", **versions)


def test_dry_runs(ec2):
    prefixes = create(ec2, "10.0.0.0/8")
    before = read(ec2, prefixes)
    for call, arguments in (
            (ec2.create_managed_prefix_list,
             {"PrefixListName": "x", "MaxEntries": 1, "AddressFamily": "IPv4"}),
            (ec2.modify_managed_prefix_list, {"PrefixListId": prefixes, "PrefixListName": "y"}),
            (ec2.delete_managed_prefix_list, {"PrefixListId": prefixes})):
        refused("DryRunOperation", call, DryRun=True, status=412, **arguments)
    assert own_prefix_lists(ec2) == [before]


# Versions.

def test_modify(ec2):
    prefixes = create(ec2, "10.0.0.0/8", "11.0.0.0/8")
    reply = modify(ec2, prefixes, 1, add=["12.0.0.9/8"], remove=["10.0.0.0/8"])
    assert (reply["Version"], reply["State"]) == (2, "modify-complete")
    assert reply == read(ec2, prefixes)
    assert cidrs(ec2, prefixes) == ["11.0.0.0/8", "12.0.0.0/8"]
    assert cidrs(ec2, prefixes, TargetVersion=1) == ["10.0.0.0/8", "11.0.0.0/8"]
    assert modify(ec2, prefixes, 2, add=["10.0.0.0/8"])["Version"] == 3
    assert cidrs(ec2, prefixes) == ["11.0.0.0/8", "12.0.0.0/8", "10.0.0.0/8"]
    for version in (0, -1, 4):
        refused("InvalidParameterValue", entries, ec2, prefixes, TargetVersion=version)


def test_name_and_size_make_no_version(ec2):
    prefixes = create(ec2, "10.0.0.0/8", "11.0.0.0/8")
    reply = modify(ec2, prefixes, PrefixListName="home")
    assert (reply["PrefixListName"], reply["Version"]) == ("home", 1)
    assert reply["State"] == "modify-complete"
    reply = modify(ec2, prefixes, 1, MaxEntries=2)
    assert (reply["MaxEntries"], reply["Version"]) == (2, 1)
    refused("InvalidParameterValue", modify, ec2, prefixes, MaxEntries=1)
    refused("InvalidParameterValue", modify, ec2, prefixes, MaxEntries=1001)
    refused("InvalidParameterValue", modify, ec2, prefixes, PrefixListName="com.amazonaws.x")
    assert read(ec2, prefixes) == reply


def test_modify_refused(ec2):
    prefixes = create(ec2, "10.0.0.0/8", size=2)
    before = read(ec2, prefixes)
    refused("PrefixListVersionMismatch", modify, ec2, prefixes, 2, add=["11.0.0.0/8"],
            text=TAKEN_BACK)
    refused("PrefixListVersionMismatch", modify, ec2, prefixes, 2, PrefixListName="x")
    refused("InvalidParameterValue", modify, ec2, prefixes, 0, add=["11.0.0.0/8"])
    refused("MissingParameter", modify, ec2, prefixes, add=["11.0.0.0/8"])
    refused("InvalidParameterCombination", modify, ec2, prefixes, 1, add=["11.0.0.0/8"],
            MaxEntries=3, text="You cannot modify the entries and the maximum entries for the "
                               "prefix list in the same request.")
    refused("InvalidParameterValue", modify, ec2, prefixes, 1, add=["10.0.0.0/8"],
            remove=["10.9.0.0/8"], text="Request cannot contain Cidr 10.0.0.0/8 in both "
                                        "AddPrefixListEntries and RemovePrefixListEntries")
    refused("InvalidRequest", modify, ec2, prefixes, 1, add=["10.0.0.0/8"])
    refused("InvalidRequest", modify, ec2, prefixes, 1)
    refused("InvalidPrefixListModification", modify, ec2, prefixes, 1, remove=["11.0.0.0/8"])
    refused("PrefixListMaxEntriesExceeded", modify, ec2, prefixes, 1,
            add=["11.0.0.0/8", "12.0.0.0/8"])
    refused("InvalidParameterValue", modify, ec2, prefixes, 1, remove=["10.0.0.0"])
    refused("InvalidParameterValue", modify, ec2, prefixes, 1, PrefixListName="y",
            add=["11.0.0.0/8", "11.0.0.1/8"])
    assert read(ec2, prefixes) == before  # the name too
    assert cidrs(ec2, prefixes) == ["10.0.0.0/8"]


def test_a_description_changes_in_two_steps(ec2):
    prefixes = create(ec2, Entries=[{"Cidr": "10.0.0.0/8", "Description": "old"}])
    modify(ec2, prefixes, 1, remove=["10.0.0.0/8"])
    modify(ec2, prefixes, 2, AddEntries=[{"Cidr": "10.0.0.0/8", "Description": "new"}])
    assert [names(entries(ec2, prefixes, TargetVersion=version), "Description")
            for version in (1, 2, 3)] == [["old"], [], ["new"]]


def restore(ec2, prefixes, previous, current):
    return ec2.restore_managed_prefix_list_version(
        PrefixListId=prefixes, PreviousVersion=previous, CurrentVersion=current)["PrefixList"]


def test_restore(ec2):
    prefixes = create(ec2, Entries=[{"Cidr": "10.0.0.0/8", "Description": "ten"},
                                    {"Cidr": "11.0.0.0/8"}], size=3)
    first = entries(ec2, prefixes)
    modify(ec2, prefixes, 1, add=["12.0.0.0/8"], remove=["10.0.0.0/8"])
    second = entries(ec2, prefixes)
    reply = restore(ec2, prefixes, 1, 2)
    assert (reply["Version"], reply["State"]) == (3, "restore-complete")

    def found(version):
        return sorted(entries(ec2, prefixes, TargetVersion=version), key=lambda one: one["Cidr"])
    assert found(3) == found(1) == first and found(2) == second
    restore(ec2, prefixes, 2, 3)
    assert found(4) == second and found(3) == first
    refused("PrefixListVersionMismatch", restore, ec2, prefixes, 1, 3, text=TAKEN_BACK)
    for previous in (0, 5):
        refused("InvalidParameterValue", restore, ec2, prefixes, previous, 4)
    modify(ec2, prefixes, 4, remove=["11.0.0.0/8", "12.0.0.0/8"])
    modify(ec2, prefixes, 5, MaxEntries=1)
    refused("PrefixListMaxEntriesExceeded", restore, ec2, prefixes, 1, 5)
    assert cidrs(ec2, prefixes) == [] and read(ec2, prefixes)["Version"] == 5


def test_old_versions_are_forgotten(ec2):
    """A thousand are kept."""
    prefixes = create(ec2, "10.0.0.0/8")
    for version in range(1, 1001):
        if version % 2:
            modify(ec2, prefixes, version, add=["11.0.0.0/8"], remove=["10.0.0.0/8"])
        else:
            modify(ec2, prefixes, version, add=["10.0.0.0/8"], remove=["11.0.0.0/8"])
    assert read(ec2, prefixes)["Version"] == 1001
    assert cidrs(ec2, prefixes, TargetVersion=2) == ["11.0.0.0/8"]
    refused("InvalidParameterValue", entries, ec2, prefixes, TargetVersion=1)
    assert restore(ec2, prefixes, 2, 1001)["Version"] == 1002
    assert cidrs(ec2, prefixes) == ["11.0.0.0/8"]


# Describe.

def test_filters(ec2):
    office, home = create(ec2, PrefixListName="office"), create(ec2, PrefixListName="home")
    ec2.create_tags(Resources=[home], Tags=tags(Suite="one"))

    def found(name, *values):
        return names(ec2.describe_managed_prefix_lists(Filters=[
            {"Name": name, "Values": list(values)}])["PrefixLists"], "PrefixListId")
    assert found("prefix-list-name", "office") == [office]
    assert found("prefix-list-name", "*o*e") == [office, home]
    assert found("prefix-list-id", home) == [home] == found("tag:Suite", "one")
    assert found("owner-id", ACCOUNT) == [office, home]
    assert found("owner-id", "AWS") == found("prefix-list-name", "com.amazonaws.*")
    refused("InvalidParameterValue", ec2.describe_managed_prefix_lists,
            Filters=[{"Name": "colour", "Values": ["x"]}])


def test_pages(ec2):
    made = [create(ec2, *(f"10.{number}.0.0/16" for number in range(7))) for _ in range(5)]
    pages = list(ec2.get_paginator("describe_managed_prefix_lists").paginate(
        PaginationConfig={"PageSize": 2}))
    assert [len(page["PrefixLists"]) for page in pages] == [2, 2, 2, 1]  # two are Amazon's
    assert [one for page in pages for one in names(page["PrefixLists"], "PrefixListId")][2:] == made
    pages = list(ec2.get_paginator("get_managed_prefix_list_entries").paginate(
        PrefixListId=made[0], PaginationConfig={"PageSize": 3}))
    assert [len(page["Entries"]) for page in pages] == [3, 3, 1]
    assert [one for page in pages for one in names(page["Entries"], "Cidr")] == [
        f"10.{number}.0.0/16" for number in range(7)]


def test_lists_of_aws(ec2):
    """DescribePrefixLists is about AWS's services alone; see test_api_endpoints.py."""
    prefixes = create(ec2, "10.0.0.0/8")
    assert names(ec2.describe_prefix_lists()["PrefixLists"], "PrefixListName") == [
        "com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"]
    assert ec2.describe_prefix_lists(Filters=[
        {"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.sqs"]},
        {"Name": "prefix-list-id", "Values": ["pl-*"]}])["PrefixLists"] == []
    refused("InvalidPrefixListId.NotFound", ec2.describe_prefix_lists, PrefixListIds=[prefixes],
            text=f"The prefix list ID '{prefixes}' does not exist")
    refused("InvalidPrefixListId.Malformed", ec2.describe_prefix_lists, PrefixListIds=["x"])


# Routes.

@pytest.fixture
def net(world):
    """A VPC with a gateway, and a table without routes: (vpc, gateway, table)."""
    vpc = world.vpc("10.1.0.0/16")
    return vpc, world.gateway(vpc), world.route_table(vpc)


def routes(ec2, table):
    return table_of(ec2, table)["Routes"]


def empty(ec2, table):
    """So that the lists may go."""
    for route in routes(ec2, table):
        if route["Origin"] == "CreateRoute":
            ec2.delete_route(RouteTableId=table, **{
                name: value for name, value in route.items() if name.startswith("Destination")})


def test_routes(ec2, net):
    _, gateway, table = net
    prefixes, other = create(ec2, "198.51.100.0/24"), create(ec2, "198.51.100.0/24")
    to_list = {"RouteTableId": table, "DestinationPrefixListId": prefixes}
    refused("InvalidRoute.NotFound", ec2.delete_route, **to_list,
            text=f"no route with destination-prefix-list-id {prefixes} in route table {table}")
    refused("InvalidParameterValue", ec2.replace_route, **to_list, GatewayId=gateway,
            text=f"There is no route defined for '{prefixes}' in the route table. Use CreateRoute "
                 "instead.")
    assert ec2.create_route(**to_list, GatewayId=gateway)["Return"] is True
    assert routes(ec2, table)[1:] == [{
        "DestinationPrefixListId": prefixes, "GatewayId": gateway, "Origin": "CreateRoute",
        "State": "active"}]
    ec2.replace_route(**to_list, GatewayId=gateway)
    refused("RouteAlreadyExists", ec2.create_route, **to_list, GatewayId=gateway,
            text=f"The route identified by {prefixes} already exists.")
    ec2.create_route(RouteTableId=table, DestinationPrefixListId=other, GatewayId=gateway)
    assert ec2.get_managed_prefix_list_associations(PrefixListId=prefixes)[
        "PrefixListAssociations"] == [{"ResourceId": table, "ResourceOwner": ACCOUNT}]
    refused("DependencyViolation", ec2.delete_managed_prefix_list, PrefixListId=prefixes)
    assert names(ec2.describe_route_tables(Filters=[
        {"Name": "route.destination-prefix-list-id", "Values": [prefixes]}])["RouteTables"],
        "RouteTableId") == [table]
    empty(ec2, table)
    assert len(routes(ec2, table)) == 1
    assert ec2.get_managed_prefix_list_associations(PrefixListId=prefixes)[
        "PrefixListAssociations"] == []


def test_routes_refused(ec2, net):
    _, gateway, table = net
    prefixes, six = create(ec2), create(ec2, AddressFamily="IPv6")
    common = {"RouteTableId": table, "GatewayId": gateway}
    refused("InvalidPrefixListID.NotFound", ec2.create_route, DestinationPrefixListId=NOWHERE,
            **common)
    refused("InvalidPrefixListId.Malformed", ec2.create_route, DestinationPrefixListId="x",
            **common)
    refused("InvalidParameterCombination", ec2.create_route, DestinationPrefixListId=prefixes,
            DestinationCidrBlock="0.0.0.0/0", **common)
    refused("MissingParameter", ec2.create_route, DestinationPrefixListId=prefixes,
            RouteTableId=table)
    refused("UnsupportedOperation", ec2.create_route, DestinationPrefixListId=six, **common)
    refused("DryRunOperation", ec2.create_route, DestinationPrefixListId=prefixes, DryRun=True,
            status=412, **common)
    assert len(routes(ec2, table)) == 1


def test_a_list_counts_as_its_size(ec2, net):
    """500 routes in a table; one is local."""
    _, gateway, table = net
    big, small, more = create(ec2, size=400), create(ec2, size=99), create(ec2, size=100)
    common = {"RouteTableId": table, "GatewayId": gateway}
    ec2.create_route(DestinationPrefixListId=big, **common)
    refused("RouteLimitExceeded", ec2.create_route, DestinationPrefixListId=more, **common)
    ec2.create_route(DestinationPrefixListId=small, **common)
    refused("RouteLimitExceeded", ec2.create_route, DestinationCidrBlock="0.0.0.0/0", **common)
    refused("RouteLimitExceeded", modify, ec2, small, MaxEntries=100, text=re.compile(table))
    assert read(ec2, small)["MaxEntries"] == 99
    modify(ec2, big, MaxEntries=399)
    modify(ec2, small, MaxEntries=100)
    empty(ec2, table)


def test_users_by_pages(world, ec2, net):
    vpc, gateway, first = net
    prefixes = create(ec2)
    tables = [first] + [world.route_table(vpc) for _ in range(6)]
    for table in tables:
        ec2.create_route(RouteTableId=table, DestinationPrefixListId=prefixes, GatewayId=gateway)
    pages = list(ec2.get_paginator("get_managed_prefix_list_associations").paginate(
        PrefixListId=prefixes, PaginationConfig={"PageSize": 5}))
    assert [len(page["PrefixListAssociations"]) for page in pages] == [5, 2]
    assert [one for page in pages
            for one in names(page["PrefixListAssociations"], "ResourceId")] == tables
    for table in tables:
        empty(ec2, table)


def test_packets_follow(own_world):
    """A route by prefix list carries packets; a change of the list moves them, at once."""
    world, ec2, vpc = own_world, own_world.ec2, own_world.vpc("10.1.0.0/16")
    gateway, table = world.gateway(vpc), world.route_table(vpc)
    subnet = world.subnet(vpc, "10.1.1.0/24")
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    one, = world.run_instances(subnet, public=True)
    internet = world.internet_address()
    prefixes = create(ec2, "203.0.113.0/24")
    world.assert_silent(one, internet)
    ec2.create_route(RouteTableId=table, DestinationPrefixListId=prefixes, GatewayId=gateway)
    world.assert_silent(one, internet)
    modify(ec2, prefixes, 1, add=[f"{internet}/24"])
    world.assert_reaches(one, internet)
    modify(ec2, prefixes, 2, remove=[f"{internet}/24"])
    world.assert_silent(one, internet)
    restore(ec2, prefixes, 2, 3)
    world.assert_reaches(one, internet)
    world.restart()
    world.assert_reaches(one, internet)
    world.ec2.delete_route(RouteTableId=table, DestinationPrefixListId=prefixes)
    world.assert_silent(one, internet)


def test_restart_keeps_all(own_world):
    ec2, vpc = own_world.ec2, own_world.vpc("10.1.0.0/16")
    table = own_world.route_table(vpc)
    prefixes = create(ec2, "10.9.0.0/16", "198.51.100.0/24", ClientToken="a",
                      TagSpecifications=tag_specification("prefix-list", Name="kept"))
    modify(ec2, prefixes, 1, add=["203.0.113.0/24"], remove=["10.9.0.0/16"])
    ec2.create_route(RouteTableId=table, DestinationPrefixListId=prefixes,
                     GatewayId=own_world.gateway(vpc))

    def state():
        client = own_world.ec2
        return (read(client, prefixes), routes(client, table),
                [cidrs(client, prefixes, TargetVersion=version) for version in (1, 2)])
    before = state()
    own_world.restart()
    assert state() == before
    assert create(own_world.ec2, "10.9.0.0/16", "198.51.100.0/24", ClientToken="a",
                  TagSpecifications=tag_specification("prefix-list", Name="kept")) == prefixes
