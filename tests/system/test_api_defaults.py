"""What is there before anybody asks: the default VPC of each region, and regions kept apart."""
import pytest

import wire
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


def launch(ec2, **more):
    return ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, **more)


def test_the_default_vpc_may_go(own_world):
    ec2 = own_world.ec2
    own_world.remove_default_vpc()
    assert ec2.describe_vpcs()["Vpcs"] == []
    no_vpc = "No default VPC for this user"
    refused("VPCIdNotSpecified", launch, ec2, text=no_vpc)
    refused("VPCIdNotSpecified", launch, ec2, SecurityGroups=["default"])
    refused("VPCIdNotSpecified", ec2.create_security_group, GroupName="a", Description="b",
            text=no_vpc)
    named = no_vpc + ". GroupName is only supported for EC2-Classic and default VPC."
    refused("VPCIdNotSpecified", ec2.describe_security_groups, GroupNames=["default"], text=named)
    refused("VPCIdNotSpecified", ec2.delete_security_group, GroupName="default", text=named)
    refused("VPCIdNotSpecified", ec2.authorize_security_group_ingress, GroupName="default",
            IpProtocol="tcp", FromPort=1, ToPort=1, CidrIp="0.0.0.0/0", text=named)
    refused("DefaultVpcDoesNotExist", ec2.create_default_subnet, AvailabilityZone="us-east-1a",
            text="No default VPC exists for this account in this region.")
    own_world.restart()
    assert own_world.ec2.describe_vpcs()["Vpcs"] == []  # it doesn't come back by itself
    assert own_world.client(region="us-west-1").describe_vpcs()["Vpcs"]


def test_there_is_one_default_vpc(world, regions):
    for ec2 in regions.values():
        refused("DefaultVpcAlreadyExists", ec2.create_default_vpc,
                text="A Default VPC already exists for this account in this region.")
        assert len(ec2.describe_vpcs()["Vpcs"]) == 1


def test_a_default_vpc_comes_back_with_all_it_had(world):
    """In a region of its own; nothing of it is in the kernel."""
    ec2 = world.client(region="ca-central-1")

    def everything():
        vpc, = ec2.describe_vpcs()["Vpcs"]
        table, = ec2.describe_route_tables()["RouteTables"]
        gateway, = ec2.describe_internet_gateways()["InternetGateways"]
        return (
            {**vpc, "VpcId": "", "CidrBlockAssociationSet": ""},
            [(entry["CidrBlock"], entry["AvailabilityZone"], entry["DefaultForAz"],
              entry["MapPublicIpOnLaunch"], entry["AvailableIpAddressCount"])
             for entry in ec2.describe_subnets()["Subnets"]],
            sorted((route["DestinationCidrBlock"],
                    route["GatewayId"].replace(gateway["InternetGatewayId"], "the gateway"))
                   for route in table["Routes"]),
            [entry["GroupName"] for entry in ec2.describe_security_groups()["SecurityGroups"]],
            [entry["IsDefault"] for entry in ec2.describe_network_acls()["NetworkAcls"]],
            [ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)[member]["Value"]
             for attribute, member in (("enableDnsSupport", "EnableDnsSupport"),
                                       ("enableDnsHostnames", "EnableDnsHostnames"))])
    before = everything()
    gone = world.remove_default_vpc(ec2)
    refused("DryRunOperation", ec2.create_default_vpc, DryRun=True, status=412)
    assert ec2.describe_vpcs()["Vpcs"] == []
    made = ec2.create_default_vpc()["Vpc"]
    assert made["IsDefault"] is True and made["VpcId"] != gone
    assert made["CidrBlock"] == "172.31.0.0/16" and made["State"] == "available"
    assert everything() == before
    assert made["VpcId"] not in namespaces()


def test_the_default_vpc_counts(make_world):
    with make_world("--quota", "vpcs-per-region=1") as world:
        world.remove_default_vpc()
        vpc = world.vpc()
        refused("VpcLimitExceeded", world.ec2.create_default_vpc)
        world.ec2.delete_vpc(VpcId=vpc)
        world.gateway()  # as many as there may be VPCs
        refused("InternetGatewayLimitExceeded", world.ec2.create_default_vpc)
        for things in (world.ec2.describe_vpcs()["Vpcs"], world.ec2.describe_subnets()["Subnets"],
                       world.ec2.describe_route_tables()["RouteTables"]):
            assert things == []


def test_default_subnets_come_and_go(world):
    ec2 = world.client(region="eu-west-2")
    first = ec2.describe_subnets()["Subnets"]
    where = {entry["AvailabilityZone"]: entry for entry in first}
    vpc = first[0]["VpcId"]
    taken = where["eu-west-2b"]["SubnetId"]
    refused("DefaultSubnetAlreadyExistsInAvailabilityZone", ec2.create_default_subnet,
            AvailabilityZone="eu-west-2b",
            text=f"'{taken}' is already the default subnet in eu-west-2b.")
    ec2.delete_subnet(SubnetId=taken)
    refused("InvalidInput", launch, ec2, Placement={"AvailabilityZone": "eu-west-2b"},
            text="No default subnet for availability zone: 'eu-west-2b'.")
    refused("InvalidParameterValue", launch, ec2, Placement={"AvailabilityZone": "eu-west-2z"})
    other = ec2.create_subnet(VpcId=vpc, CidrBlock="172.31.16.0/24",
                              AvailabilityZone="eu-west-2b")["Subnet"]
    assert other["DefaultForAz"] is False and other["MapPublicIpOnLaunch"] is False
    made = ec2.create_default_subnet(AvailabilityZone="eu-west-2b")["Subnet"]
    assert made["CidrBlock"] == "172.31.48.0/20"  # the first that is free
    assert made == {**where["eu-west-2b"], "SubnetId": made["SubnetId"],
                    "SubnetArn": made["SubnetArn"], "CidrBlock": made["CidrBlock"]}
    acl, = ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [made["SubnetId"]]}])["NetworkAcls"]
    assert acl["IsDefault"] is True
    for subnet in (other["SubnetId"], made["SubnetId"]):
        ec2.delete_subnet(SubnetId=subnet)
    reply = wire.send(world, wire.signed(world, wire.form(
        "CreateDefaultSubnet", AvailabilityZoneId="euw2-az2"), region="eu-west-2"))
    assert reply.status == 200 and "172.31.16.0/20" in reply.body
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    refused("MissingInput", launch, ec2,
            text=f"No subnets found for the default VPC '{vpc}'. Please specify a subnet.")


def test_default_subnets_refused(world, regions):
    ec2 = regions["us-east-1"]
    refused("InvalidParameterValue", ec2.create_default_subnet, AvailabilityZone="us-east-1z")
    refused("InvalidParameterValue", ec2.create_default_subnet, AvailabilityZone="eu-central-1a")
    assert wire.call(world, "CreateDefaultSubnet").code == "MissingParameter"
    assert wire.call(world, "CreateDefaultSubnet", AvailabilityZone="us-east-1a",
                     AvailabilityZoneId="use1-az1").code == "InvalidParameterCombination"
    refused("UnsupportedOperation", ec2.create_default_subnet, AvailabilityZone="us-east-1a",
            Ipv6Native=True)


def test_an_instance_of_a_default_vpc_made_again_reaches_the_internet(own_world):
    ec2, before = own_world.ec2, namespaces()
    own_world.remove_default_vpc()
    vpc = ec2.create_default_vpc()["Vpc"]["VpcId"]
    own_world.open(vpc)
    one = launch(ec2)["Instances"][0]["InstanceId"]
    own_world.await_state("running", one)
    own_world.assert_reaches(one, own_world.internet_address())
    own_world.assert_reaches("internet", own_world.public(one))
    # A default subnet that comes when the VPC is in the kernel already.
    taken, = ec2.describe_subnets(Filters=[
        {"Name": "availability-zone", "Values": ["us-east-1c"]}])["Subnets"]
    ec2.delete_subnet(SubnetId=taken["SubnetId"])
    made = ec2.create_default_subnet(AvailabilityZone="us-east-1c")["Subnet"]
    other = launch(ec2, Placement={"AvailabilityZone": "us-east-1c"})["Instances"][0]
    assert other["SubnetId"] == made["SubnetId"]
    own_world.await_state("running", other["InstanceId"])
    own_world.assert_reaches(other["InstanceId"], own_world.internet_address())
    own_world.assert_reaches(other["InstanceId"], own_world.private(one))
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=made["SubnetId"])
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    ec2.terminate_instances(InstanceIds=[one, other["InstanceId"]])
    own_world.await_state("terminated", one, other["InstanceId"])
    own_world.remove_default_vpc()
    assert not [name for name in namespaces() if name not in before
                and name.startswith(("vpc-", "subnet-", "igw-"))]
