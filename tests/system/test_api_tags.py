"""Tags: on every create, later, away again, in filters; AWS's limits."""
import re

import pytest

import wire
from lib import IMAGE, refused, tag_specification, tags


@pytest.fixture
def vpc(world):
    identifier = world.vpc("10.1.0.0/16")
    yield identifier
    world.ec2.delete_vpc(VpcId=identifier)


def of(ec2, resource):
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def makers(world):
    """Every create that takes TagSpecification: kind, call, path to the new resource."""
    ec2 = world.ec2
    vpc = world.vpc("10.2.0.0/16")
    subnet = world.subnet(vpc, "10.2.0.0/24")
    one = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    return [
        ("vpc", lambda **t: ec2.create_vpc(CidrBlock="10.3.0.0/16", **t)["Vpc"], "VpcId",
         lambda i: ec2.describe_vpcs(VpcIds=[i])["Vpcs"][0]),
        ("subnet", lambda **t: ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.2.1.0/24", **t)["Subnet"], "SubnetId",
         lambda i: ec2.describe_subnets(SubnetIds=[i])["Subnets"][0]),
        ("internet-gateway", lambda **t: ec2.create_internet_gateway(**t)["InternetGateway"],
         "InternetGatewayId",
         lambda i: ec2.describe_internet_gateways(InternetGatewayIds=[i])["InternetGateways"][0]),
        ("route-table", lambda **t: ec2.create_route_table(VpcId=vpc, **t)["RouteTable"],
         "RouteTableId",
         lambda i: ec2.describe_route_tables(RouteTableIds=[i])["RouteTables"][0]),
        ("instance", lambda **t: ec2.run_instances(**one, **t)["Instances"][0], "InstanceId",
         world.instance)]


@pytest.fixture
def cleared(world):
    """AWS allows five VPCs in a region."""
    yield
    world.clear()


@pytest.mark.usefixtures("cleared")
def test_on_every_create(world, ec2):
    for kind, create, identifier, read in makers(world):
        made = create(TagSpecifications=tag_specification(kind, Name="n", Color="blue", Empty=""))
        wanted = {"Name": "n", "Color": "blue", "Empty": ""}
        assert {tag["Key"]: tag["Value"] for tag in made["Tags"]} == wanted, kind
        entry = read(made[identifier])
        assert {tag["Key"]: tag["Value"] for tag in entry["Tags"]} == wanted
        assert of(ec2, made[identifier]) == wanted
        listed = ec2.describe_tags(Filters=[
            {"Name": "resource-id", "Values": [made[identifier]]}])["Tags"]
        assert {tag["ResourceType"] for tag in listed} == {kind}


@pytest.mark.usefixtures("cleared")
def test_wrong_kind_on_create(world, ec2):
    for kind, create, _, _ in makers(world):
        other = "vpc" if kind != "vpc" else "subnet"
        assert kind != other
        refused("InvalidParameterValue", create,
                TagSpecifications=tag_specification(other, Name="n"))


@pytest.mark.usefixtures("cleared")
def test_network_interface_gets_tags_at_launch(world, ec2):
    subnet = world.subnet(world.vpc("10.4.0.0/16"), "10.4.0.0/24")
    instance, = world.run_instances(subnet, TagSpecifications=[
        *tag_specification("instance", Name="i"), *tag_specification("network-interface",
                                                                    Name="eni")])
    entry, = ec2.describe_network_interfaces(Filters=[
        {"Name": "tag:Name", "Values": ["eni"]}])["NetworkInterfaces"]
    assert entry["Attachment"]["InstanceId"] == instance
    assert entry["TagSet"] == [{"Key": "Name", "Value": "eni"}]
    ec2.terminate_instances(InstanceIds=[instance])


def test_create_overwrites(ec2, vpc):
    ec2.create_tags(Resources=[vpc], Tags=tags(Name="first", Other="stays"))
    ec2.create_tags(Resources=[vpc], Tags=tags(Name="second"))
    assert of(ec2, vpc) == {"Name": "second", "Other": "stays"}


def test_several_resources_at_once(world, ec2, vpc):
    table = world.main_table(vpc)["RouteTableId"]
    ec2.create_tags(Resources=[vpc, table], Tags=tags(A="1", B="2"))
    assert of(ec2, vpc) == of(ec2, table) == {"A": "1", "B": "2"}
    missing = "vpc-0fedcba9876543210"
    refused("InvalidVpcID.NotFound", ec2.create_tags, Resources=[vpc, missing], Tags=tags(C="3"),
            text=f"The vpc ID '{missing}' does not exist")
    assert of(ec2, vpc) == {"A": "1", "B": "2"}  # all or nothing


def test_delete_by_key_and_value(ec2, vpc):
    def fresh():
        ec2.create_tags(Resources=[vpc], Tags=tags(A="1", B="2", Empty=""))
    fresh()
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "A", "Value": "other"}])
    assert of(ec2, vpc)["A"] == "1"
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "A", "Value": "1"}])
    assert of(ec2, vpc) == {"B": "2", "Empty": ""}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "B", "Value": ""}])  # matches only empty
    assert of(ec2, vpc) == {"B": "2", "Empty": ""}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "Empty", "Value": ""}])
    assert of(ec2, vpc) == {"B": "2"}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "B"}])  # whatever its value
    assert of(ec2, vpc) == {}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "Never", "Value": "x"}, {"Key": "There"}])
    fresh()
    ec2.delete_tags(Resources=[vpc])
    assert of(ec2, vpc) == {}


def test_keys_are_case_sensitive(ec2, vpc):
    ec2.create_tags(Resources=[vpc], Tags=tags(name="a", Name="b", NAME="c"))
    assert of(ec2, vpc) == {"name": "a", "Name": "b", "NAME": "c"}


@pytest.mark.parametrize("text", ["ünï©ødé", "a b  c", "<&>\"'", "+-=._:/@", "日本", "%41%zz",
                                  "*?\\"])
def test_any_text(ec2, vpc, text):
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": text, "Value": text}])
    assert of(ec2, vpc) == {text: text}
    escaped = re.sub(r"([*?\\])", r"\\\1", text)
    found = ec2.describe_vpcs(Filters=[{"Name": f"tag:{text}", "Values": [escaped]}])["Vpcs"]
    assert [entry["VpcId"] for entry in found] == [vpc]


@pytest.mark.parametrize("text", ["\x1b[31m", "a\0b", "\ufffe", "\x08"])
def test_what_xml_cannot_carry_is_refused(world, ec2, vpc, text):
    for key, value in ((text, "v"), ("k", text)):
        reply = wire.call(world, "CreateTags", ResourceId__1=vpc, Tag__1__Key=key,
                          Tag__1__Value=value)
        assert reply.status == 400 and reply.code, reply.body
    assert of(ec2, vpc) == {}


def test_longest(ec2, vpc):
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "k" * 128, "Value": "v" * 256}])
    assert of(ec2, vpc) == {"k" * 128: "v" * 256}
    refused("InvalidParameterValue", ec2.create_tags, Resources=[vpc],
            Tags=[{"Key": "k" * 129, "Value": ""}])
    refused("InvalidParameterValue", ec2.create_tags, Resources=[vpc],
            Tags=[{"Key": "k", "Value": "v" * 257}])
    refused("InvalidTagKey.Malformed", ec2.create_tags, Resources=[vpc],
            Tags=[{"Key": "", "Value": "v"}])
    assert of(ec2, vpc) == {"k" * 128: "v" * 256}


@pytest.mark.parametrize("key", ["aws:", "aws:name", "AWS:name"])
def test_reserved_prefix(ec2, vpc, key):
    text = re.compile("Tag keys starting with 'aws:' are reserved for internal use$")
    refused("InvalidParameterValue", ec2.create_tags, text=text, Resources=[vpc],
            Tags=[{"Key": key, "Value": "x"}])
    refused("InvalidParameterValue", ec2.create_vpc, text=text, CidrBlock="10.9.0.0/16",
            TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": key, "Value": "x"}]}])
    assert of(ec2, vpc) == {}


def test_fifty_is_the_limit(ec2, vpc):
    fifty = [{"Key": f"key-{number}", "Value": str(number)} for number in range(50)]
    ec2.create_tags(Resources=[vpc], Tags=fifty)
    assert len(of(ec2, vpc)) == 50
    refused("TagLimitExceeded", ec2.create_tags, Resources=[vpc], Tags=tags(One="more"))
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "key-0", "Value": "changed"}])
    assert of(ec2, vpc)["key-0"] == "changed"
    refused("TagLimitExceeded", ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=[
        {"ResourceType": "vpc", "Tags": fifty + tags(One="more")}])


def test_targets_refused(world, ec2, vpc):
    for call in (ec2.create_tags, ec2.delete_tags):
        refused("InvalidID", call, Resources=["banana"], Tags=tags(A="1"),
                text="The ID 'banana' is not valid")
        refused("DryRunOperation", call, Resources=[vpc], Tags=tags(A="1"), DryRun=True,
                status=412)
    for identifier, code in (("subnet-0fedcba9876543210", "InvalidSubnetID.NotFound"),
                             ("igw-0fedcba9876543210", "InvalidInternetGatewayID.NotFound"),
                             ("rtb-0fedcba9876543210", "InvalidRouteTableID.NotFound"),
                             ("i-0fedcba9876543210", "InvalidInstanceID.NotFound")):
        refused(code, ec2.create_tags, Resources=[identifier], Tags=tags(A="1"))
    assert wire.call(world, "CreateTags", ResourceId__1=vpc).code == "MissingParameter"
    assert of(ec2, vpc) == {}


def test_everything_takes_tags(world, ec2, vpc):
    """What nobody created by a call of its own as well."""
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    acl = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    options = ec2.describe_dhcp_options()
    for identifier, kind in (
            (world.main_table(vpc)["RouteTableId"], "route-table"),
            (group["SecurityGroups"][0]["GroupId"], "security-group"),
            (acl["NetworkAcls"][0]["NetworkAclId"], "network-acl"),
            (options["DhcpOptions"][0]["DhcpOptionsId"], "dhcp-options")):
        ec2.create_tags(Resources=[identifier], Tags=tags(Mark=kind))
        found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [identifier]}])["Tags"]
        assert found == [{"Key": "Mark", "Value": kind, "ResourceId": identifier,
                          "ResourceType": kind}]
        ec2.delete_tags(Resources=[identifier])


def test_describe_tags(world, ec2, vpc):
    table = world.main_table(vpc)["RouteTableId"]
    ec2.create_tags(Resources=[vpc], Tags=tags(Stage="test", Team="red"))
    ec2.create_tags(Resources=[table], Tags=tags(Stage="prod"))

    def found(*filters):
        return {(tag["ResourceId"], tag["Key"], tag["Value"]) for tag in ec2.describe_tags(
            Filters=[{"Name": name, "Values": values} for name, *values in filters])["Tags"]}
    assert found(("key", "Stage")) == {(vpc, "Stage", "test"), (table, "Stage", "prod")}
    assert found(("key", "St*"), ("value", "t?st")) == {(vpc, "Stage", "test")}
    assert found(("resource-type", "route-table"), ("key", "Stage")) == {(table, "Stage", "prod")}
    assert found(("tag:Team", "red")) == {(vpc, "Team", "red")}
    assert found(("resource-id", vpc, table), ("key", "Team")) == {(vpc, "Team", "red")}
    assert found(("value", "nothing")) == set()
    refused("InvalidParameterValue", ec2.describe_tags,
            Filters=[{"Name": "colour", "Values": ["x"]}], text="The filter 'colour' is invalid")
    refused("DryRunOperation", ec2.describe_tags, DryRun=True, status=412)


def test_describe_tags_pages(ec2, vpc):
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": f"k{number:02}", "Value": "v"}
                                           for number in range(12)])
    pages = list(ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "resource-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5}))
    assert [len(page["Tags"]) for page in pages] == [5, 5, 2]
    assert {tag["Key"] for page in pages for tag in page["Tags"]} == {
        f"k{number:02}" for number in range(12)}


def test_tags_go_with_their_resource(world, ec2):
    gateway = world.gateway()
    ec2.create_tags(Resources=[gateway], Tags=tags(Name="x"))
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert of(ec2, gateway) == {}
