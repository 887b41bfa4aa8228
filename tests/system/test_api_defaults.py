"""What is there before anybody asks: the default VPC of each region, and regions kept apart."""
import pytest

from conformance import demand
from lib import ACCOUNT, IMAGE, names, namespaces, refused


@pytest.fixture(scope="module")
def regions(world):
    """Untouched regions, of six, three and a few zones."""
    return {region: world.client(region=region)
            for region in ("us-east-1", "eu-central-1", "ap-northeast-1")}


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-northeast-1"])
def test_default_vpc(regions, region):
    ec2 = regions[region]
    vpc, = ec2.describe_vpcs()["Vpcs"]
    assert vpc["IsDefault"] is True and vpc["CidrBlock"] == "172.31.0.0/16"
    assert vpc["State"] == "available" and vpc["OwnerId"] == ACCOUNT
    for attribute, member in (("enableDnsSupport", "EnableDnsSupport"),
                              ("enableDnsHostnames", "EnableDnsHostnames")):
        reply = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
        assert reply[member]["Value"] is True
    zones = names(ec2.describe_availability_zones()["AvailabilityZones"], "ZoneName")
    subnets = ec2.describe_subnets()["Subnets"]
    assert sorted(names(subnets, "AvailabilityZone")) == sorted(zones)
    assert sorted(names(subnets, "CidrBlock")) == sorted(
        f"172.31.{16 * number}.0/20" for number in range(len(zones)))
    for subnet in subnets:
        assert subnet["DefaultForAz"] is True and subnet["MapPublicIpOnLaunch"] is True
        assert subnet["AvailableIpAddressCount"] == 4091 and subnet["VpcId"] == vpc["VpcId"]
        assert subnet["State"] == "available"
    gateway, = ec2.describe_internet_gateways()["InternetGateways"]
    assert gateway["Attachments"] == [{"State": "available", "VpcId": vpc["VpcId"]}]
    table, = ec2.describe_route_tables()["RouteTables"]
    assert [(entry["Main"], "SubnetId" in entry) for entry in table["Associations"]] == [
        (True, False)]
    assert sorted(table["Routes"], key=lambda route: route["DestinationCidrBlock"]) == [
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway["InternetGatewayId"],
         "Origin": "CreateRoute", "State": "active"},
        {"DestinationCidrBlock": "172.31.0.0/16", "GatewayId": "local",
         "Origin": "CreateRouteTable", "State": "active"}]
    group, = ec2.describe_security_groups()["SecurityGroups"]
    assert group["GroupName"] == "default" and group["VpcId"] == vpc["VpcId"]
    acl, = ec2.describe_network_acls()["NetworkAcls"]
    assert acl["IsDefault"] is True and acl["VpcId"] == vpc["VpcId"]
    assert sorted(names(acl["Associations"], "SubnetId")) == sorted(names(subnets, "SubnetId"))
    options, = ec2.describe_dhcp_options()["DhcpOptions"]
    demand(options, ["DhcpOptionsId", "OwnerId", "Tags", ("DhcpConfigurations", [
        "Key", ("Values", ["Value"])])])
    assert vpc["DhcpOptionsId"] == options["DhcpOptionsId"]
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    assert {entry["Key"]: [value["Value"] for value in entry["Values"]]
            for entry in options["DhcpConfigurations"]} == {
                "domain-name": [domain], "domain-name-servers": ["AmazonProvidedDNS"]}
    assert ec2.describe_instances()["Reservations"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_tags()["Tags"] == []


def test_looking_makes_nothing_in_the_kernel(world, regions):
    for ec2 in regions.values():
        ec2.describe_vpcs()
    prefixes = ("vpc-", "subnet-", "igw-", "i-")
    assert not [name for name in namespaces() if name.startswith(prefixes)
                and not name.startswith("internet")]


def test_regions_are_apart(world, regions):
    east, west = regions["us-east-1"], regions["eu-central-1"]
    vpc = west.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert vpc not in names(east.describe_vpcs()["Vpcs"], "VpcId")
    refused("InvalidVpcID.NotFound", east.describe_vpcs, VpcIds=[vpc])
    refused("InvalidVpcID.NotFound", east.delete_vpc, VpcId=vpc)
    refused("InvalidVpcID.NotFound", east.create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24")
    refused("InvalidVpcID.NotFound", east.create_tags, Resources=[vpc],
            Tags=[{"Key": "a", "Value": "b"}])
    subnet = west.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]
    assert subnet["AvailabilityZone"].startswith("eu-central-1")
    assert subnet["SubnetArn"].startswith(f"arn:aws:ec2:eu-central-1:{ACCOUNT}:subnet/")
    refused("InvalidSubnetID.NotFound", east.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1,
            SubnetId=subnet["SubnetId"])
    west.delete_subnet(SubnetId=subnet["SubnetId"])
    west.delete_vpc(VpcId=vpc)


def test_names_carry_their_region(world):
    ireland = world.client(region="eu-west-1")
    instance, = ireland.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"]
    dashed = instance["PrivateIpAddress"].replace(".", "-")
    assert instance["PrivateDnsName"] == f"ip-{dashed}.eu-west-1.compute.internal"
    found, = ireland.describe_instances()["Reservations"][0]["Instances"]
    dashed = found["PublicIpAddress"].replace(".", "-")
    assert found["PublicDnsName"] == f"ec2-{dashed}.eu-west-1.compute.amazonaws.com"
    assert world.ec2.describe_instances()["Reservations"] == []
    ireland.terminate_instances(InstanceIds=[instance["InstanceId"]])


def test_serve_in_another_region(make_world):
    """--region is where `env` and the CLI go."""
    with make_world("--region", "eu-north-1", region="eu-north-1") as world:
        assert world.exports["AWS_DEFAULT_REGION"] == "eu-north-1"
        zones = world.aws("ec2", "describe-availability-zones")["AvailabilityZones"]
        assert {zone["RegionName"] for zone in zones} == {"eu-north-1"}
        elsewhere = world.aws("ec2", "describe-availability-zones", "--region", "us-west-2")
        assert {zone["RegionName"] for zone in elsewhere["AvailabilityZones"]} == {"us-west-2"}


def test_the_default_vpc_may_go(own_world):
    ec2 = own_world.ec2
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    gateway = ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)
    assert ec2.describe_vpcs()["Vpcs"] == []
    refused("VPCIdNotSpecified", ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1,
            text="No default VPC for this user")
    own_world.restart()
    assert own_world.ec2.describe_vpcs()["Vpcs"] == []  # it doesn't come back by itself
    assert own_world.client(region="us-west-1").describe_vpcs()["Vpcs"]
