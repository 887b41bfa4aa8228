"""Internet gateways: attachment in all its refusals."""
import pytest

from lib import ACCOUNT, refused, tag_specification

NOWHERE = "igw-0fedcba9876543210"


@pytest.fixture
def pair(world, ec2):
    """A VPC and a gateway; both go, whatever became of them."""
    vpc, gateway = world.vpc("10.1.0.0/16"), world.gateway()
    yield vpc, gateway
    for attachment in read(ec2, gateway)["Attachments"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=attachment["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)


def read(ec2, gateway):
    return ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"][0]


def test_life_cycle(world, ec2):
    created = ec2.create_internet_gateway(TagSpecifications=tag_specification(
        "internet-gateway", Name="door"))["InternetGateway"]
    assert created == {"InternetGatewayId": created["InternetGatewayId"], "OwnerId": ACCOUNT,
                       "Attachments": [], "Tags": [{"Key": "Name", "Value": "door"}]}
    gateway, vpc = created["InternetGatewayId"], world.vpc("10.1.0.0/16")
    assert read(ec2, gateway) == created
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert read(ec2, gateway)["Attachments"] == [{"State": "available", "VpcId": vpc}]
    refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=gateway,
            text=f"The internetGateway '{gateway}' has dependencies and cannot be deleted.")
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert read(ec2, gateway)["Attachments"] == []
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    refused("InvalidInternetGatewayID.NotFound", ec2.delete_internet_gateway,
            InternetGatewayId=gateway,
            text=f"The internetGateway ID '{gateway}' does not exist")
    ec2.delete_vpc(VpcId=vpc)


def test_attached_elsewhere(world, ec2, pair):
    vpc, gateway = pair
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    other = world.vpc("10.2.0.0/16")
    for target in (other, vpc):
        refused("Resource.AlreadyAssociated", ec2.attach_internet_gateway,
                InternetGatewayId=gateway, VpcId=target,
                text=f"resource {gateway} is already attached to network {vpc}")
    refused("Gateway.NotAttached", ec2.detach_internet_gateway, InternetGatewayId=gateway,
            VpcId=other, text=f"resource {gateway} is not attached to network {other}")
    ec2.delete_vpc(VpcId=other)


def test_one_gateway_per_vpc(world, ec2, pair):
    vpc, gateway = pair
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    second = world.gateway()
    refused("InvalidParameterValue", ec2.attach_internet_gateway, InternetGatewayId=second,
            VpcId=vpc, text=f"Network {vpc} already has an internet gateway attached")
    ec2.delete_internet_gateway(InternetGatewayId=second)


def test_detach_unattached(ec2, pair):
    vpc, gateway = pair
    refused("Gateway.NotAttached", ec2.detach_internet_gateway, InternetGatewayId=gateway,
            VpcId=vpc, text=f"resource {gateway} is not attached to network {vpc}")


def test_unknown_and_malformed(ec2, pair):
    vpc, gateway = pair
    for call in (ec2.attach_internet_gateway, ec2.detach_internet_gateway):
        refused("InvalidInternetGatewayID.NotFound", call, InternetGatewayId=NOWHERE, VpcId=vpc,
                text=f"The internetGateway ID '{NOWHERE}' does not exist")
        refused("InvalidVpcID.NotFound", call, InternetGatewayId=gateway,
                VpcId="vpc-0fedcba9876543210")
        refused("InvalidInternetGatewayId.Malformed", call, InternetGatewayId="door", VpcId=vpc)
        refused("InvalidVpcID.Malformed", call, InternetGatewayId=gateway, VpcId="net")
    refused("InvalidInternetGatewayId.Malformed", ec2.delete_internet_gateway,
            InternetGatewayId=vpc)


def test_dry_runs(ec2, pair):
    vpc, gateway = pair
    refused("DryRunOperation", ec2.create_internet_gateway, DryRun=True, status=412)
    refused("DryRunOperation", ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc,
            DryRun=True, status=412)
    assert read(ec2, gateway)["Attachments"] == []
    refused("Gateway.NotAttached", ec2.detach_internet_gateway, InternetGatewayId=gateway,
            VpcId=vpc, DryRun=True)
    refused("DryRunOperation", ec2.delete_internet_gateway, InternetGatewayId=gateway, DryRun=True,
            status=412)
    assert read(ec2, gateway)


def test_detach_waits_for_public_addresses(world, ec2, pair):
    vpc, gateway = pair
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnet = world.subnet(vpc, "10.1.1.0/24")
    one, = world.run_instances(subnet, public=True)
    refused("DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=gateway,
            VpcId=vpc, text=f"Network {vpc} has some mapped public address(es). Please unmap those "
                            "public address(es) before detaching the gateway.")
    ec2.stop_instances(InstanceIds=[one])
    world.await_state("stopped", one)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.terminate_instances(InstanceIds=[one])
    world.await_state("terminated", one)
    ec2.delete_subnet(SubnetId=subnet)
