"""RunInstances: counts, addresses, parameters, idempotency, refusals."""
import ipaddress
import re

import pytest

from conformance import demand
from lib import ACCOUNT, IMAGE, names, namespaces, refused, tag_specification

ONE = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1}


@pytest.fixture(scope="module")
def vpc(world):
    return world.vpc("10.1.0.0/16")


@pytest.fixture(scope="module")
def subnet(world, vpc):
    return world.subnet(vpc, "10.1.1.0/24", "us-east-1c")


@pytest.fixture
def small(world, vpc):
    """A /28, eleven addresses."""
    identifier = world.subnet(vpc, "10.1.2.0/28")
    yield identifier
    ids = [entry["InstanceId"] for entry in living(world.ec2, identifier)]
    if ids:
        world.ec2.terminate_instances(InstanceIds=ids)
        world.await_state("terminated", *ids)
    world.ec2.delete_subnet(SubnetId=identifier)


@pytest.fixture
def launched(world):
    """Instances of one test."""
    ids = []
    yield ids
    if ids:
        world.ec2.terminate_instances(InstanceIds=ids)


def living(ec2, subnet):
    reply = ec2.describe_instances(Filters=[
        {"Name": "subnet-id", "Values": [subnet]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}])
    return [entry for reservation in reply["Reservations"] for entry in reservation["Instances"]]


def test_reply(world, ec2, vpc, subnet, launched):
    reply = ec2.run_instances(**ONE, SubnetId=subnet, InstanceType="t3.micro",
                              TagSpecifications=tag_specification("instance", Name="one"))
    launched += names(reply["Instances"], "InstanceId")
    demand(reply, ["ReservationId", "OwnerId", "Groups"])
    assert reply["OwnerId"] == ACCOUNT
    assert re.fullmatch("r-[0-9a-f]{17}", reply["ReservationId"])
    created, = reply["Instances"]
    demand(created, [
        "InstanceId", "ImageId", "State", "PrivateDnsName", "AmiLaunchIndex", "InstanceType",
        "LaunchTime", ("Placement", ["AvailabilityZone", "Tenancy", "GroupName"]),
        ("Monitoring", ["State"]), "SubnetId", "VpcId", "PrivateIpAddress", "Architecture",
        "RootDeviceName", "RootDeviceType", "VirtualizationType", "Hypervisor", "SourceDestCheck",
        "EbsOptimized", "Tags", ("SecurityGroups", ["GroupId", "GroupName"]),
        ("CpuOptions", ["CoreCount", "ThreadsPerCore"]), ("MetadataOptions", [
            "State", "HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "HttpProtocolIpv6",
            "InstanceMetadataTags"]), ("EnclaveOptions", ["Enabled"]),
        ("HibernationOptions", ["Configured"]), ("MaintenanceOptions", ["AutoRecovery"]),
        ("PrivateDnsNameOptions", ["HostnameType"]),
        ("CapacityReservationSpecification", ["CapacityReservationPreference"]),
        ("NetworkInterfaces", [
            "NetworkInterfaceId", "SubnetId", "VpcId", "OwnerId", "Status", "MacAddress",
            "PrivateIpAddress", "SourceDestCheck", "InterfaceType", "Description",
            ("Groups", ["GroupId", "GroupName"]), ("PrivateIpAddresses", [
                "PrivateIpAddress", "Primary"]), ("Attachment", [
                    "AttachTime", "AttachmentId", "DeleteOnTermination", "DeviceIndex",
                    "Status"])])])
    assert created["State"] in ({"Code": 0, "Name": "pending"}, {"Code": 16, "Name": "running"})
    assert created["ImageId"] == IMAGE and created["AmiLaunchIndex"] == 0
    assert created["Placement"] == {"AvailabilityZone": "us-east-1c", "GroupName": "",
                                    "Tenancy": "default"}
    assert created["Monitoring"]["State"] == "disabled"
    assert (created["SubnetId"], created["VpcId"]) == (subnet, vpc)
    assert created["Hypervisor"] == "xen" and created["VirtualizationType"] == "hvm"
    assert created["SourceDestCheck"] is True
    address = created["PrivateIpAddress"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network("10.1.1.0/24")
    assert created["PrivateDnsName"] == f"ip-{address.replace('.', '-')}.ec2.internal"
    interface, = created["NetworkInterfaces"]
    assert interface["PrivateIpAddress"] == address
    assert interface["PrivateIpAddresses"][0]["Primary"] is True
    assert interface["Attachment"]["DeviceIndex"] == 0
    assert interface["Attachment"]["DeleteOnTermination"] is True
    assert re.fullmatch("0[26ae](:[0-9a-f]{2}){5}", interface["MacAddress"])
    assert re.fullmatch("eni-attach-[0-9a-f]{17}", interface["Attachment"]["AttachmentId"])
    assert created["Tags"] == [{"Key": "Name", "Value": "one"}]
    world.await_state("running", *launched)
    described = world.instance(launched[0])
    assert described["State"] == {"Code": 16, "Name": "running"}
    assert described["LaunchTime"] == created["LaunchTime"]
    assert described["MetadataOptions"]["State"] == "applied"
    assert set(described) >= set(created) - {"StateReason"}


def test_default_group_unless_named(ec2, vpc, subnet, launched):
    group, = ec2.describe_security_groups(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    wanted = [{"GroupId": group["GroupId"], "GroupName": "default"}]
    for more in ({}, {"SecurityGroupIds": [group["GroupId"]]}):
        created, = ec2.run_instances(**ONE, SubnetId=subnet, **more)["Instances"]
        launched.append(created["InstanceId"])
        assert created["SecurityGroups"] == wanted
        assert created["NetworkInterfaces"][0]["Groups"] == wanted
    refused("InvalidGroup.NotFound", ec2.run_instances, **ONE, SubnetId=subnet,
            SecurityGroupIds=["sg-0fedcba9876543210"],
            text="The security group 'sg-0fedcba9876543210' does not exist")


def test_default_subnet_unless_named(world, ec2, launched):
    created, = ec2.run_instances(**ONE)["Instances"]
    launched.append(created["InstanceId"])
    subnet, = ec2.describe_subnets(SubnetIds=[created["SubnetId"]])["Subnets"]
    assert subnet["DefaultForAz"] is True
    world.await_state("running", *launched)
    described = world.instance(launched[0])
    address = described["PublicIpAddress"].replace(".", "-")
    assert described["PublicDnsName"] == f"ec2-{address}.compute-1.amazonaws.com"
    interface, = described["NetworkInterfaces"]
    association = {"PublicIp": described["PublicIpAddress"], "IpOwnerId": "amazon",
                   "PublicDnsName": described["PublicDnsName"]}
    assert interface["Association"] == association
    assert interface["PrivateIpAddresses"][0]["Association"] == association


def test_zone_picks_the_default_subnet(ec2, launched):
    created, = ec2.run_instances(**ONE, Placement={"AvailabilityZone": "us-east-1d"})["Instances"]
    launched.append(created["InstanceId"])
    assert created["Placement"]["AvailabilityZone"] == "us-east-1d"


# Counts.

def test_many_in_one_call(world, ec2, subnet, launched):
    reply = ec2.run_instances(ImageId=IMAGE, MinCount=20, MaxCount=20, SubnetId=subnet)
    launched += names(reply["Instances"], "InstanceId")
    assert len(set(launched)) == 20
    assert [entry["AmiLaunchIndex"] for entry in reply["Instances"]] == list(range(20))
    assert len(set(names(reply["Instances"], "PrivateIpAddress"))) == 20
    world.await_state("running", *launched)
    found = ec2.describe_instances(InstanceIds=launched)["Reservations"]
    assert [entry["ReservationId"] for entry in found] == [reply["ReservationId"]]
    first, last = launched[0], launched[-1]
    world.assert_reaches(first, world.private(last))
    assert set(launched) <= set(namespaces())


def test_as_many_as_fit(ec2, small):
    reply = ec2.run_instances(ImageId=IMAGE, MinCount=5, MaxCount=50, SubnetId=small)
    assert len(reply["Instances"]) == 11
    assert ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]["AvailableIpAddressCount"] == 0


def test_none_below_the_minimum(ec2, small):
    before = namespaces()
    refused("InsufficientFreeAddressesInSubnet", ec2.run_instances, ImageId=IMAGE, MinCount=12,
            MaxCount=50, SubnetId=small,
            text=f"There are not enough free addresses in subnet '{small}' to satisfy the "
                 "requested number of instances.")
    assert living(ec2, small) == []
    assert ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]["AvailableIpAddressCount"] == 11
    assert namespaces() == before


@pytest.mark.parametrize("minimum, maximum", [(2, 1), (0, 1), (0, 0), (1, 0), (-1, 1)])
def test_senseless_counts(ec2, subnet, minimum, maximum):
    refused("InvalidParameterValue", ec2.run_instances, ImageId=IMAGE, MinCount=minimum,
            MaxCount=maximum, SubnetId=subnet)


# Private addresses.

def test_address_of_ones_choice(world, ec2, subnet, launched):
    launched += world.run_instances(subnet, address="10.1.1.99")
    assert world.private(launched[0]) == "10.1.1.99"
    world.assert_reaches(launched[0], "10.1.1.1")
    refused("InvalidIPAddress.InUse", ec2.run_instances, **ONE, SubnetId=subnet,
            PrivateIpAddress="10.1.1.99", text="Address 10.1.1.99 is in use.")
    launched += world.run_instances(subnet, public=False, address="10.1.1.98")
    assert world.private(launched[1]) == "10.1.1.98"


@pytest.mark.parametrize("address", ["10.1.1.0", "10.1.1.1", "10.1.1.2", "10.1.1.3",
                                     "10.1.1.255"])
def test_reserved_addresses(ec2, subnet, address):
    refused("InvalidParameterValue", ec2.run_instances, **ONE, SubnetId=subnet,
            PrivateIpAddress=address,
            text=f"Address {address} is in subnet's reserved address range")


@pytest.mark.parametrize("address", ["10.1.2.4", "10.2.1.4", "8.8.8.8"])
def test_addresses_outside(ec2, subnet, address):
    refused("InvalidParameterValue", ec2.run_instances, **ONE, SubnetId=subnet,
            PrivateIpAddress=address,
            text=f"Address {address} does not fall within the subnet's address range")


def test_no_address_at_all(ec2, subnet):
    for text in ("banana", "10.1.1", "10.1.1.4/24", "::1"):
        refused("InvalidParameterValue", ec2.run_instances, **ONE, SubnetId=subnet,
                PrivateIpAddress=text)


def test_one_address_for_two(ec2, subnet):
    refused("InvalidParameterCombination", ec2.run_instances, ImageId=IMAGE, MinCount=2,
            MaxCount=2, SubnetId=subnet, PrivateIpAddress="10.1.1.77")


def test_a_terminated_instances_address_is_free(world, ec2, subnet, launched):
    one, = world.run_instances(subnet, address="10.1.1.100")
    ec2.terminate_instances(InstanceIds=[one])
    world.await_state("terminated", one)
    launched += world.run_instances(subnet, address="10.1.1.100")
    neighbour, = world.run_instances(subnet)
    launched.append(neighbour)
    world.assert_reaches(neighbour, "10.1.1.100")


# Interfaces.

def test_interface_and_subnet_exclude_each_other(ec2, subnet):
    refused("InvalidParameterCombination", ec2.run_instances, **ONE, SubnetId=subnet,
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet}],
            text="Network interfaces and an instance-level subnet ID may not be specified on the "
                 "same request")


def test_interface_parameters(world, ec2, subnet, launched):
    created, = ec2.run_instances(**ONE, NetworkInterfaces=[{
        "DeviceIndex": 0, "SubnetId": subnet, "Description": "a card", "DeleteOnTermination": True,
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.1.1.110", "Primary": True}]}])["Instances"]
    launched.append(created["InstanceId"])
    assert created["PrivateIpAddress"] == "10.1.1.110"
    found, = ec2.describe_network_interfaces(Filters=[
        {"Name": "attachment.instance-id", "Values": launched}])["NetworkInterfaces"]
    assert found["Description"] == "a card"


def test_public_address_overrides_the_subnet(world, ec2, vpc, launched):
    eager = world.subnet(vpc, "10.1.3.0/24")
    ec2.modify_subnet_attribute(SubnetId=eager, MapPublicIpOnLaunch={"Value": True})
    for public, wanted in ((None, True), (False, False), (True, True)):
        one, = world.run_instances(eager, public=public)
        launched.append(one)
        assert ("PublicIpAddress" in world.instance(one)) is wanted


# What else may be wrong.

def test_unknown_and_malformed(ec2, subnet):
    refused("InvalidSubnetID.NotFound", ec2.run_instances, **ONE,
            SubnetId="subnet-0fedcba9876543210",
            text="The subnet ID 'subnet-0fedcba9876543210' does not exist")
    refused("InvalidSubnetID.Malformed", ec2.run_instances, **ONE, SubnetId="banana")
    for image in ("banana", "ami-xyz", "i-0123456789abcdef0"):
        refused("InvalidAMIID.Malformed", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1,
                SubnetId=subnet)
    refused("InvalidParameterValue", ec2.run_instances, **ONE, SubnetId=subnet,
            InstanceType="z9.banana", text="Invalid value 'z9.banana' for InstanceType.")
    refused("InvalidKeyPair.NotFound", ec2.run_instances, **ONE, SubnetId=subnet, KeyName="nokey",
            text="The key pair 'nokey' does not exist")


@pytest.mark.parametrize("image", ["ami-12345678", "ami-0c55b159cbfafe1f0",
                                   "ami-00000000000000001"])
def test_any_well_formed_image_boots(world, ec2, subnet, launched, image):
    created, = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1,
                                 SubnetId=subnet)["Instances"]
    launched.append(created["InstanceId"])
    assert created["ImageId"] == image
    world.await_state("running", *launched)
    assert world.exec(launched[0], "id -u").strip() == "0"


def test_dry_run_launches_nothing(ec2, small):
    refused("DryRunOperation", ec2.run_instances, **ONE, SubnetId=small, DryRun=True, status=412)
    refused("InvalidSubnetID.NotFound", ec2.run_instances, **ONE, DryRun=True,
            SubnetId="subnet-0fedcba9876543210")
    assert living(ec2, small) == []


# Idempotency.

def test_client_token(world, ec2, subnet, launched):
    arguments = {**ONE, "SubnetId": subnet, "ClientToken": "only-once"}
    first, second = (ec2.run_instances(**arguments) for _ in range(2))
    launched += names(first["Instances"], "InstanceId")
    assert first["ReservationId"] == second["ReservationId"]
    assert names(second["Instances"], "InstanceId") == launched
    assert world.instance(launched[0])["ClientToken"] == "only-once"
    refused("IdempotentParameterMismatch", ec2.run_instances, **{**arguments, "MaxCount": 2})
    assert names(ec2.run_instances(**arguments)["Instances"], "InstanceId") == launched
    ec2.terminate_instances(InstanceIds=launched)
    world.await_state("terminated", *launched)
    refused("IdempotentInstanceTerminated", ec2.run_instances, **arguments)


def test_different_tokens_are_different_launches(ec2, subnet, launched):
    for token in ("a", "b", "x" * 64):
        launched += names(ec2.run_instances(**ONE, SubnetId=subnet, ClientToken=token)[
            "Instances"], "InstanceId")
    assert len(set(launched)) == 3
    refused("InvalidParameterValue", ec2.run_instances, **ONE, SubnetId=subnet,
            ClientToken="x" * 65)


def test_a_token_survives_a_restart(own_world):
    subnet = own_world.subnet(own_world.vpc(), "10.0.0.0/24")
    arguments = {**ONE, "SubnetId": subnet, "ClientToken": "again"}
    first = own_world.ec2.run_instances(**arguments)
    own_world.restart()
    second = own_world.ec2.run_instances(**arguments)
    assert first["ReservationId"] == second["ReservationId"]
    assert len(living(own_world.ec2, subnet)) == 1
    refused("IdempotentParameterMismatch", own_world.ec2.run_instances,
            **{**arguments, "InstanceType": "t3.large"})
