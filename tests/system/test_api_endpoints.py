"""VPC endpoints: records, with a route in tables and interfaces in subnets that nobody answers at."""
import json
import re

import pytest

import wire
from lib import ACCOUNT, names, refused, tag_specification, tags

NOWHERE = "vpce-0fedcba9876543210"
S3 = "com.amazonaws.us-east-1.s3"
DYNAMODB = "com.amazonaws.us-east-1.dynamodb"
SSM = "com.amazonaws.us-east-1.ssm"

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture
def subnets(world, ec2, vpc):
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    return [world.subnet(vpc, f"10.1.{index}.0/24", zone=f"us-east-1{zone}")
            for index, zone in enumerate("abc")]


def make(ec2, vpc, service=S3, **more):
    return ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, **more)["VpcEndpoint"]


def interface(ec2, vpc, service=SSM, **more):
    return make(ec2, vpc, service, VpcEndpointType="Interface", **more)


def read(ec2, *ids, **more):
    if ids:
        more["VpcEndpointIds"] = list(ids)
    return ec2.describe_vpc_endpoints(**more)["VpcEndpoints"]


def modify(ec2, made, **more):
    assert ec2.modify_vpc_endpoint(VpcEndpointId=made["VpcEndpointId"], **more)["Return"] is True
    return read(ec2, made["VpcEndpointId"])[0]


def delete(ec2, *ids):
    return ec2.delete_vpc_endpoints(VpcEndpointIds=list(ids))["Unsuccessful"]


def service_list(ec2, service=S3):
    [found] = ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [service]}])[
        "PrefixLists"]
    return found


def main_table(ec2, vpc):
    return ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[
        "RouteTables"][0]["RouteTableId"]


def group_of(ec2, vpc, name):
    return ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"]


def routes(ec2, table):
    return ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]


def test_a_gateway_endpoint(world, ec2, vpc):
    main = main_table(ec2, vpc)
    made = make(ec2, vpc, RouteTableIds=[main], TagSpecifications=tag_specification(
        "vpc-endpoint", Name="e"))
    endpoint = made["VpcEndpointId"]
    assert re.fullmatch("vpce-[0-9a-f]{17}", endpoint)
    assert read(ec2, endpoint) == [made]
    assert made.pop("CreationTimestamp").year >= 2024
    assert json.loads(made.pop("PolicyDocument"))["Statement"] == [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]
    assert made.pop("DnsOptions") == {"DnsRecordIpType": "service-defined"}
    assert made == {
        "VpcEndpointId": endpoint, "VpcEndpointType": "Gateway", "VpcId": vpc, "ServiceName": S3,
        "State": "available", "RouteTableIds": [main], "SubnetIds": [], "Groups": [],
        "IpAddressType": "ipv4", "PrivateDnsEnabled": False, "RequesterManaged": False,
        "NetworkInterfaceIds": [], "DnsEntries": [], "Tags": tags(Name="e"),
        "OwnerId": ACCOUNT}
    prefixes = service_list(ec2)["PrefixListId"]
    assert routes(ec2, main)[1:] == [{"DestinationPrefixListId": prefixes, "GatewayId": endpoint,
                                      "Origin": "CreateRoute", "State": "active"}]
    assert delete(ec2, endpoint) == []
    assert len(routes(ec2, main)) == 1
    refused("InvalidVpcEndpointId.NotFound", read, ec2, endpoint,
            text=f"The Vpc Endpoint Id '{endpoint}' does not exist")
    assert delete(ec2, endpoint) == [{"ResourceId": endpoint, "Error": {
        "Code": "InvalidVpcEndpoint.NotFound",
        "Message": f"The Vpc Endpoint Id '{endpoint}' does not exist"}}]
    refused("InvalidVpcEndpointId.Malformed", delete, ec2, "endpoint")


def test_its_route_is_its_own(ec2, vpc):
    main = main_table(ec2, vpc)
    endpoint = make(ec2, vpc, RouteTableIds=[main])["VpcEndpointId"]
    prefixes = service_list(ec2)["PrefixListId"]
    refused("RouteAlreadyExists", make, ec2, vpc, RouteTableIds=[main],
            text=f"route table {main} already has a route with destination-prefix-list-id "
                 f"{prefixes}")
    assert names(read(ec2), "VpcEndpointId") == [endpoint]
    refused("InvalidParameterValue", ec2.delete_route, RouteTableId=main,
            DestinationPrefixListId=prefixes,
            text=f"cannot remove VPC endpoint route {prefixes} in route table {main}")
    refused("InvalidParameterValue", ec2.replace_route, RouteTableId=main,
            DestinationPrefixListId=prefixes, LocalTarget=True)
    make(ec2, vpc, DYNAMODB, RouteTableIds=[main])
    assert len(routes(ec2, main)) == 3


def test_tables_come_and_go(world, ec2, vpc):
    main = main_table(ec2, vpc)
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    made = make(ec2, vpc, RouteTableIds=[main])
    assert modify(ec2, made, AddRouteTableIds=[other])["RouteTableIds"] == [main, other]
    assert modify(ec2, made, RemoveRouteTableIds=[main])["RouteTableIds"] == [other]
    ec2.delete_route_table(RouteTableId=other)
    assert read(ec2)[0]["RouteTableIds"] == []
    foreign = main_table(ec2, world.vpc("10.2.0.0/16"))
    refused("InvalidParameterValue", modify, ec2, made, AddRouteTableIds=[foreign])
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)


def test_policies(ec2, vpc):
    policy = '{"Statement": []}'
    made = make(ec2, vpc, PolicyDocument=policy)
    assert made["PolicyDocument"] == policy
    assert modify(ec2, made, ResetPolicy=True)["PolicyDocument"] != policy
    assert modify(ec2, made, PolicyDocument=policy)["PolicyDocument"] == policy
    refused("InvalidParameter", modify, ec2, made, PolicyDocument="x" * 20481)


def test_an_interface_endpoint(world, ec2, vpc, subnets):
    group = group_of(ec2, vpc, "endpoints")
    made = interface(ec2, vpc, SubnetIds=subnets[:2], SecurityGroupIds=[group])
    endpoint = made["VpcEndpointId"]
    assert (made["VpcEndpointType"], made["State"]) == ("Interface", "available")
    assert made["SubnetIds"] == subnets[:2] and made["PrivateDnsEnabled"] is True
    assert made["Groups"] == [{"GroupId": group, "GroupName": "endpoints"}]
    assert made["DnsOptions"] == {"DnsRecordIpType": "ipv4"}
    found = names(made["DnsEntries"], "DnsName")
    tail = r"\.ssm\.us-east-1\.vpce\.amazonaws\.com"
    for name, pattern in zip(found, [rf"{endpoint}-[0-9a-f]{{8}}{tail}",
                                     rf"{endpoint}-[0-9a-f]{{8}}-us-east-1a{tail}",
                                     rf"{endpoint}-[0-9a-f]{{8}}-us-east-1b{tail}",
                                     r"ssm\.us-east-1\.amazonaws\.com"], strict=True):
        assert re.fullmatch(pattern, name)
    inside = ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])[
        "NetworkInterfaces"]
    assert names(inside, "SubnetId") == subnets[:2]
    for each in inside:
        assert (each["InterfaceType"], each["Status"]) == ("vpc_endpoint", "in-use")
        assert each["RequesterManaged"] is True and names(each["Groups"], "GroupId") == [group]
        assert each["Description"] == f"VPC Endpoint Interface {endpoint}"
    refused("AuthFailure", ec2.modify_network_interface_attribute,
            NetworkInterfaceId=made["NetworkInterfaceIds"][0], Description={"Value": "mine"})
    refused("InvalidParameterValue", ec2.delete_network_interface,
            NetworkInterfaceId=made["NetworkInterfaceIds"][0])
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnets[0])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
    delete(ec2, endpoint)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    ec2.delete_security_group(GroupId=group)


def test_its_subnets_and_groups_change(world, ec2, vpc, subnets):
    first, second = group_of(ec2, vpc, "first"), group_of(ec2, vpc, "second")
    made = interface(ec2, vpc, SubnetIds=subnets[:1], SecurityGroupIds=[first])
    changed = modify(ec2, made, AddSubnetIds=[subnets[2]], AddSecurityGroupIds=[second])
    assert changed["SubnetIds"] == [subnets[0], subnets[2]]
    assert names(changed["Groups"], "GroupId") == [first, second]
    changed = modify(ec2, made, RemoveSubnetIds=[subnets[0]], RemoveSecurityGroupIds=[first])
    assert changed["SubnetIds"] == [subnets[2]]
    [own] = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert names(own["Groups"], "GroupId") == [second]
    refused("InvalidParameter", modify, ec2, made, RemoveSecurityGroupIds=[second])
    assert modify(ec2, made, PrivateDnsEnabled=False)["PrivateDnsEnabled"] is False
    wire.call(world, "ModifyVpcEndpoint", **{
        "VpcEndpointId": made["VpcEndpointId"], "SubnetConfiguration.1.SubnetId": subnets[1],
        "SubnetConfiguration.1.Ipv4": "10.1.1.77"})
    changed = read(ec2)[0]
    assert "10.1.1.77" in names(ec2.describe_network_interfaces(
        NetworkInterfaceIds=changed["NetworkInterfaceIds"])["NetworkInterfaces"],
        "PrivateIpAddress")


def test_private_names_are_one_endpoints(world, ec2, vpc, subnets):
    bare = world.vpc("10.2.0.0/16")
    refused("InvalidParameter", interface, ec2, bare,
            text="Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
                 f"attributes set to true for {bare}")
    interface(ec2, bare, PrivateDnsEnabled=False)
    interface(ec2, vpc)
    refused("InvalidParameter", interface, ec2, vpc,
            text="private-dns-enabled cannot be set because there is already a conflicting DNS "
                 f"domain for ssm.us-east-1.amazonaws.com in the VPC {vpc}")
    plain = interface(ec2, vpc, PrivateDnsEnabled=False)
    refused("InvalidParameter", modify, ec2, plain, PrivateDnsEnabled=True)
    # S3's are for the inbound resolver's, unless asked for.
    assert interface(ec2, vpc, S3)["PrivateDnsEnabled"] is False


def test_refusals(world, ec2, vpc, subnets):
    twin = world.subnet(vpc, "10.1.9.0/24", zone="us-east-1a")
    group = group_of(ec2, world.vpc("10.2.0.0/16"), "foreign")
    refused("InvalidServiceName", make, ec2, vpc, "com.amazonaws.us-east-1.nothing",
            text="The Vpc Endpoint Service 'com.amazonaws.us-east-1.nothing' does not exist")
    refused("InvalidParameter", make, ec2, vpc, SSM,
            text="Endpoint type (Gateway) does not match available service types ([Interface]).")
    refused("InvalidParameter", make, ec2, vpc, SubnetIds=subnets[:1])
    refused("InvalidParameter", make, ec2, vpc, PrivateDnsEnabled=True)
    refused("InvalidParameter", interface, ec2, vpc, RouteTableIds=[main_table(ec2, vpc)])
    refused("InvalidParameter", interface, ec2, vpc, SubnetIds=subnets, SecurityGroupIds=[group])
    refused("InvalidParameter", interface, ec2, vpc, IpAddressType="dualstack")
    refused("DuplicateSubnetsInSameZone", interface, ec2, vpc, SubnetIds=[subnets[0], twin])
    refused("UnsupportedOperation", make, ec2, vpc, VpcEndpointType="GatewayLoadBalancer")
    refused("InvalidVpcID.NotFound", make, ec2, "vpc-0fedcba9876543210")
    refused("InvalidRouteTableID.NotFound", make, ec2, vpc,
            RouteTableIds=["rtb-0fedcba9876543210"])
    refused("InvalidVpcEndpointId.NotFound", ec2.modify_vpc_endpoint, VpcEndpointId=NOWHERE)
    assert read(ec2) == [] == ec2.describe_network_interfaces()["NetworkInterfaces"]


def test_tokens(ec2, vpc):
    made = make(ec2, vpc, ClientToken="t")
    assert make(ec2, vpc, ClientToken="t") == made
    refused("IdempotentParameterMismatch", make, ec2, vpc, DYNAMODB, ClientToken="t")
    assert len(read(ec2)) == 1


def test_filters(ec2, vpc, subnets):
    one = make(ec2, vpc, TagSpecifications=tag_specification("vpc-endpoint", Name="one"))[
        "VpcEndpointId"]
    two = interface(ec2, vpc, SubnetIds=subnets[:1])["VpcEndpointId"]
    for name, value, expected in [
            ("service-name", S3, [one]), ("vpc-id", vpc, [one, two]), ("vpc-endpoint-id", two, [two]),
            ("vpc-endpoint-state", "available", [one, two]), ("vpc-endpoint-type", "Gateway", [one]),
            ("ip-address-type", "ipv4", [one, two]), ("service-region", "us-east-1", [one, two]),
            ("tag:Name", "one", [one]), ("tag-key", "Name", [one])]:
        found = read(ec2, Filters=[{"Name": name, "Values": [value]}])
        assert names(found, "VpcEndpointId") == expected, name
    page = ec2.describe_vpc_endpoints(MaxResults=1)
    rest = ec2.describe_vpc_endpoints(MaxResults=1, NextToken=page["NextToken"])
    assert names(page["VpcEndpoints"] + rest["VpcEndpoints"], "VpcEndpointId") == [one, two]


def test_services(ec2):
    reply = ec2.describe_vpc_endpoint_services()
    assert len(reply["ServiceNames"]) == len(set(reply["ServiceNames"]))
    assert {S3, DYNAMODB, SSM} <= set(reply["ServiceNames"])
    both = ec2.describe_vpc_endpoint_services(ServiceNames=[S3])
    assert both["ServiceNames"] == [S3]
    assert [names(each["ServiceType"], "ServiceType") for each in both["ServiceDetails"]] == [
        ["Gateway"], ["Interface"]]
    gateways = ec2.describe_vpc_endpoint_services(Filters=[
        {"Name": "service-type", "Values": ["Gateway"]}])
    assert gateways["ServiceNames"] == [S3, DYNAMODB]
    [ssm] = ec2.describe_vpc_endpoint_services(Filters=[
        {"Name": "service-name", "Values": [SSM]}])["ServiceDetails"]
    assert ssm["PrivateDnsName"] == "ssm.us-east-1.amazonaws.com"
    assert ssm["AvailabilityZones"][:2] == ["us-east-1a", "us-east-1b"]
    assert (ssm["Owner"], ssm["AcceptanceRequired"]) == ("amazon", False)
    refused("InvalidServiceName", ec2.describe_vpc_endpoint_services, ServiceNames=["s3"])


def test_amazons_prefix_lists(world, ec2, vpc):
    s3, dynamodb = ec2.describe_prefix_lists()["PrefixLists"]
    assert (s3["PrefixListName"], dynamodb["PrefixListName"]) == (S3, DYNAMODB)
    prefixes = s3["PrefixListId"]
    assert ec2.describe_prefix_lists(PrefixListIds=[prefixes])["PrefixLists"] == [s3]
    assert [entry["Cidr"] for entry in ec2.get_managed_prefix_list_entries(PrefixListId=prefixes)[
        "Entries"]] == s3["Cidrs"]
    [managed] = ec2.describe_managed_prefix_lists(PrefixListIds=[prefixes])["PrefixLists"]
    assert managed == {
        "PrefixListId": prefixes, "PrefixListName": S3, "AddressFamily": "IPv4", "OwnerId": "AWS",
        "State": "create-complete", "Tags": [],
        "PrefixListArn": f"arn:aws:ec2:us-east-1:aws:prefix-list/{prefixes}"}
    refused("OperationNotPermitted", ec2.delete_managed_prefix_list, PrefixListId=prefixes)
    refused("OperationNotPermitted", ec2.modify_managed_prefix_list, PrefixListId=prefixes,
            PrefixListName="mine")
    group = group_of(ec2, vpc, "to-s3")
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[{
        "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "PrefixListIds": [{"PrefixListId": prefixes}]}])
    assert names(ec2.get_managed_prefix_list_associations(PrefixListId=prefixes)[
        "PrefixListAssociations"], "ResourceId") == [group]


def test_they_outlive_the_daemon(own_world):
    ec2 = own_world.ec2
    vpc = own_world.vpc("10.1.0.0/16")
    subnet = own_world.subnet(vpc, "10.1.0.0/24")
    make(ec2, vpc, RouteTableIds=[main_table(ec2, vpc)])
    interface(ec2, vpc, SubnetIds=[subnet], PrivateDnsEnabled=False)
    before = read(ec2), ec2.describe_route_tables()["RouteTables"]
    own_world.restart()
    ec2 = own_world.ec2
    assert (read(ec2), ec2.describe_route_tables()["RouteTables"]) == before
