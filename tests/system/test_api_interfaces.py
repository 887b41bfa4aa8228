"""Network interfaces as resources of their own: made, attached, given addresses."""
import re

import pytest

import wire
from conformance import demand
from lib import (ACCOUNT, IMAGE, api_state, links, names, namespaces, refused, tag_specification,
                 tags)

NOWHERE = "eni-0fedcba9876543210"
NO_ATTACHMENT = "eni-attach-0fedcba9876543210"
IN_USE = "Interface: [{}] in use."
LAUNCH = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1}


@pytest.fixture(scope="module")
def vpc(world):
    return world.open_vpc("10.1.0.0/16")


@pytest.fixture(scope="module")
def subnet(world, vpc):
    return world.subnet(vpc, "10.1.1.0/24")


@pytest.fixture(scope="module")
def other_subnet(world, vpc):
    """In the same zone."""
    return world.subnet(vpc, "10.1.2.0/24")


@pytest.fixture(scope="module")
def far_subnet(world, vpc):
    """In another zone."""
    return world.subnet(vpc, "10.1.3.0/24", "us-east-1b")


@pytest.fixture(scope="module")
def instance(world, subnet):
    """Of a type with three cards and four addresses on each."""
    return launch(world, subnet, "t3.small")


@pytest.fixture
def make(ec2, subnet):
    """Makes interfaces for one test."""
    made = []

    def create(**more):
        reply = ec2.create_network_interface(**{"SubnetId": subnet, **more})
        made.append(reply["NetworkInterface"]["NetworkInterfaceId"])
        return made[-1]
    yield create
    for entry in ec2.describe_network_interfaces(Filters=[
            {"Name": "network-interface-id", "Values": [*made, NOWHERE]}])["NetworkInterfaces"]:
        if "Attachment" in entry:
            ec2.detach_network_interface(AttachmentId=entry["Attachment"]["AttachmentId"])
        ec2.delete_network_interface(NetworkInterfaceId=entry["NetworkInterfaceId"])


@pytest.fixture
def launched(world, ec2):
    """Terminated after the test."""
    ids = []
    yield ids
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        world.await_state("terminated", *ids)


def launch(world, subnet, kind):
    reply = world.ec2.run_instances(**LAUNCH, SubnetId=subnet, InstanceType=kind)
    identifier = reply["Instances"][0]["InstanceId"]
    world.await_state("running", identifier)
    return identifier


def read(ec2, interface):
    return ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]


def addresses(ec2, interface):
    return names(read(ec2, interface)["PrivateIpAddresses"], "PrivateIpAddress")


def attach(ec2, interface, instance, index=1):
    return ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=instance,
                                        DeviceIndex=index)["AttachmentId"]


def free(ec2, subnet):
    return ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]


def primary(world, instance):
    return world.instance(instance)["NetworkInterfaces"][0]


# Made and deleted.

def test_life_cycle(world, ec2, vpc, subnet):
    before = free(ec2, subnet)
    created = ec2.create_network_interface(
        SubnetId=subnet, Description="a card", PrivateIpAddress="10.1.1.50",
        TagSpecifications=tag_specification("network-interface", Name="card"))["NetworkInterface"]
    identifier = created["NetworkInterfaceId"]
    assert re.fullmatch("eni-[0-9a-f]{17}", identifier)
    assert created["Status"] == "pending"
    found = read(ec2, identifier)
    demand(found, ["AvailabilityZone", "Description", ("Groups", ["GroupId", "GroupName"]),
                   "InterfaceType", "Ipv6Addresses", "MacAddress", "NetworkInterfaceId", "OwnerId",
                   "PrivateIpAddress", ("PrivateIpAddresses", ["Primary", "PrivateIpAddress"]),
                   "RequesterManaged", "SourceDestCheck", "Status", "SubnetId", "VpcId"])
    assert found == {**created, "Status": "available"}
    assert found["TagSet"] == tags(Name="card")
    assert (found["OwnerId"], found["VpcId"], found["SubnetId"]) == (ACCOUNT, vpc, subnet)
    assert found["AvailabilityZone"] == "us-east-1a" and found["SourceDestCheck"] is True
    assert names(found["Groups"], "GroupId") == [world.default_group(vpc)]
    assert [(entry["PrivateIpAddress"], entry["Primary"])
            for entry in found["PrivateIpAddresses"]] == [("10.1.1.50", True)]
    assert re.fullmatch("0[26ae](:[0-9a-f]{2}){5}", found["MacAddress"])
    assert "Attachment" not in found and "Association" not in found
    assert free(ec2, subnet) == before - 1
    ec2.delete_network_interface(NetworkInterfaceId=identifier)
    assert free(ec2, subnet) == before
    missing = f"The networkInterface ID '{identifier}' does not exist"
    for call, name in ((ec2.describe_network_interfaces, "NetworkInterfaceIds"),
                       (ec2.delete_network_interface, "NetworkInterfaceId")):
        refused("InvalidNetworkInterfaceID.NotFound", call, text=missing,
                **{name: [identifier] if name[-1] == "s" else identifier})


def test_groups_of_ones_own(world, ec2, vpc, make):
    web, other = world.security_group(vpc, "web"), world.security_group(vpc, "other")
    card = make(Groups=[web, other, web])
    assert names(read(ec2, card)["Groups"], "GroupId") == [web, other]
    refused("DependencyViolation", ec2.delete_security_group, GroupId=web,
            text=f"resource {web} has a dependent object")
    ec2.modify_network_interface_attribute(NetworkInterfaceId=card, Groups=[other])
    ec2.delete_security_group(GroupId=web)
    elsewhere = world.vpc("10.2.0.0/16")
    refused("InvalidParameter", make, Groups=[world.default_group(elsewhere)],
            text=re.compile("^Security group sg-.* and subnet subnet-.* belong to different"))
    refused("InvalidGroup.NotFound", make, Groups=["sg-0fedcba9876543210"])
    many = [world.security_group(vpc, f"group-{number}") for number in range(6)]
    refused("SecurityGroupsPerInterfaceLimitExceeded", make, Groups=many)


def test_addresses_asked_for(ec2, make):
    card = make(PrivateIpAddresses=[{"PrivateIpAddress": "10.1.1.60", "Primary": False},
                                    {"PrivateIpAddress": "10.1.1.61", "Primary": True}])
    assert addresses(ec2, card) == ["10.1.1.61", "10.1.1.60"]
    chosen = addresses(ec2, make(PrivateIpAddresses=[{"PrivateIpAddress": "10.1.1.62"}]))
    assert chosen[1] == "10.1.1.62" and chosen[0] not in ("10.1.1.60", "10.1.1.61", "10.1.1.62")
    some = addresses(ec2, make(PrivateIpAddress="10.1.1.63", SecondaryPrivateIpAddressCount=3))
    assert some[0] == "10.1.1.63" and len(set(some)) == 4


@pytest.mark.parametrize("address, code, text", [
    ("10.1.1.0", "InvalidParameterValue", "Address 10.1.1.0 is in subnet's reserved address range"),
    ("10.1.1.3", "InvalidParameterValue", "Address 10.1.1.3 is in subnet's reserved address range"),
    ("10.1.1.255", "InvalidParameterValue",
     "Address 10.1.1.255 is in subnet's reserved address range"),
    ("10.1.2.9", "InvalidParameterValue",
     "Address 10.1.2.9 does not fall within the subnet's address range"),
    ("banana", "InvalidParameterValue", "invalid value for parameter address: banana"),
    ("2001:db8::1", "InvalidParameterValue", "invalid value for parameter address: 2001:db8::1"),
    ("10.1.1.70", "InvalidIPAddress.InUse", "Address 10.1.1.70 is in use."),
    ("10.1.1.71", "InvalidIPAddress.InUse", "Address 10.1.1.71 is in use.")])
def test_addresses_refused(make, address, code, text):
    make(PrivateIpAddresses=[{"PrivateIpAddress": "10.1.1.70", "Primary": True},
                             {"PrivateIpAddress": "10.1.1.71", "Primary": False}])
    refused(code, make, PrivateIpAddress=address, text=text)
    refused(code, make, PrivateIpAddresses=[{"PrivateIpAddress": address}], text=text)


def test_creation_refused(ec2, subnet, make):
    two = [{"PrivateIpAddress": f"10.1.1.8{number}", "Primary": True} for number in range(2)]
    refused("InvalidParameterCombination", make, PrivateIpAddresses=two,
            text="Only one primary private IP address can be specified.")
    refused("InvalidParameterCombination", make, PrivateIpAddresses=two[:1],
            PrivateIpAddress="10.1.1.90")
    refused("InvalidParameterCombination", make, SecondaryPrivateIpAddressCount=1,
            PrivateIpAddresses=[{"PrivateIpAddress": "10.1.1.80"}])
    refused("InvalidParameterValue", make, PrivateIpAddress="10.1.1.80",
            PrivateIpAddresses=[{"PrivateIpAddress": "10.1.1.80"}])
    refused("PrivateIpAddressLimitExceeded", make, SecondaryPrivateIpAddressCount=50)
    refused("InvalidSubnetID.NotFound", make, SubnetId="subnet-0fedcba9876543210")
    refused("InvalidSubnetID.Malformed", make, SubnetId="banana")
    refused("UnsupportedOperation", make, InterfaceType="efa")
    refused("UnsupportedOperation", make, Ipv4PrefixCount=1,
            text="The parameter Ipv4PrefixCount is not supported.")
    refused("InvalidParameterValue", make, TagSpecifications=tag_specification("instance", A="b"),
            text="'instance' is not a valid taggable resource type for this operation.")
    refused("DryRunOperation", make, DryRun=True, status=412)
    assert ec2.describe_network_interfaces(Filters=[
        {"Name": "subnet-id", "Values": [subnet]},
        {"Name": "status", "Values": ["available"]}])["NetworkInterfaces"] == []


def test_a_full_subnet(world, ec2, vpc):
    small = world.subnet(vpc, "10.1.16.0/28")
    card = ec2.create_network_interface(SubnetId=small, SecondaryPrivateIpAddressCount=9)[
        "NetworkInterface"]["NetworkInterfaceId"]
    refused("InvalidParameterValue", ec2.create_network_interface, SubnetId=small,
            SecondaryPrivateIpAddressCount=1,
            text="There aren't sufficient free Ipv4 addresses or prefixes")
    refused("InsufficientFreeAddressesInSubnet", ec2.assign_private_ip_addresses,
            NetworkInterfaceId=card, SecondaryPrivateIpAddressCount=2,
            text="The specified subnet does not have enough free addresses to satisfy the request.")
    refused("InsufficientFreeAddressesInSubnet", ec2.run_instances, **LAUNCH,
            InstanceType="t3.small", NetworkInterfaces=[{
                "DeviceIndex": 0, "SubnetId": small, "SecondaryPrivateIpAddressCount": 1}])
    ec2.assign_private_ip_addresses(NetworkInterfaceId=card, SecondaryPrivateIpAddressCount=1)
    assert free(ec2, small) == 0
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=small,
            text=f"The subnet '{small}' has dependencies and cannot be deleted.")
    ec2.delete_network_interface(NetworkInterfaceId=card)
    ec2.delete_subnet(SubnetId=small)


def test_client_token(ec2, subnet, make):
    first = make(ClientToken="once", Description="x")
    again = ec2.create_network_interface(SubnetId=subnet, ClientToken="once", Description="x")
    assert again["NetworkInterface"]["NetworkInterfaceId"] == first
    assert again["ClientToken"] == "once" and again["NetworkInterface"]["Status"] == "available"
    refused("IdempotentParameterMismatch", make, ClientToken="once", Description="y")
    refused("InvalidParameterValue", make, ClientToken="x" * 65)
    assert make(ClientToken="twice", Description="x") != first


# Attached and detached.

def test_hot_plug(world, ec2, instance, other_subnet, make):
    card = make(SubnetId=other_subnet)
    mac, address = (read(ec2, card)[name] for name in ("MacAddress", "PrivateIpAddress"))
    reply = ec2.attach_network_interface(NetworkInterfaceId=card, InstanceId=instance,
                                         DeviceIndex=1)
    attachment = reply["AttachmentId"]
    assert re.fullmatch("eni-attach-[0-9a-f]{17}", attachment)
    assert reply["NetworkCardIndex"] == 0
    found = read(ec2, card)
    assert found["Status"] == "in-use"
    assert {**found["Attachment"], "AttachTime": None} == {
        "AttachmentId": attachment, "AttachTime": None, "DeleteOnTermination": False,
        "DeviceIndex": 1, "NetworkCardIndex": 0, "InstanceId": instance,
        "InstanceOwnerId": ACCOUNT, "Status": "attached"}
    inner = world.instance(instance)["NetworkInterfaces"]
    assert [entry["Attachment"]["DeviceIndex"] for entry in inner] == [0, 1]
    assert inner[1]["NetworkInterfaceId"] == card and inner[1]["MacAddress"] == mac
    assert world.exec(instance, "cat /sys/class/net/eth1/address").strip() == mac
    assert f"inet {address}/24" in world.exec(instance, "ip -4 address show eth1")
    assert world.instance(instance)["PrivateIpAddress"] == inner[0]["PrivateIpAddress"] != address
    refused("InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=card,
            text=f"Network interface '{card}' is currently in use.")
    ec2.detach_network_interface(AttachmentId=attachment)
    assert "eth1" not in links(instance)
    found = read(ec2, card)
    assert found["Status"] == "available" and "Attachment" not in found
    assert (found["MacAddress"], found["PrivateIpAddress"]) == (mac, address)
    assert len(world.instance(instance)["NetworkInterfaces"]) == 1
    # Who looks for the attachment by its id sees that it has ended, until there is another.
    by_id = [{"Name": "attachment.attachment-id", "Values": [attachment]}]
    ended, = ec2.describe_network_interfaces(Filters=by_id)["NetworkInterfaces"]
    assert ended["NetworkInterfaceId"] == card and ended["Status"] == "available"
    assert (ended["Attachment"]["AttachmentId"], ended["Attachment"]["Status"]) == (
        attachment, "detached")
    assert ended["Attachment"]["InstanceId"] == instance
    again = attach(ec2, card, instance, 5)
    assert again != attachment and "eth5" in links(instance)
    assert ec2.describe_network_interfaces(Filters=by_id)["NetworkInterfaces"] == []
    assert world.exec(instance, "cat /sys/class/net/eth5/address").strip() == mac
    ec2.detach_network_interface(AttachmentId=again, Force=True)
    assert links(instance) == {"lo", "eth0"}


def test_devices_are_in_order(world, ec2, instance, make):
    late, early = make(), make()
    attach(ec2, late, instance, 3)
    attach(ec2, early, instance, 1)
    inner = world.instance(instance)["NetworkInterfaces"]
    assert names(inner, "NetworkInterfaceId")[1:] == [early, late]


def test_attach_refused(world, ec2, vpc, subnet, instance, far_subnet, make, launched):
    one, two, three = make(), make(), make()
    attach(ec2, one, instance)
    call = ec2.attach_network_interface
    busy = {"NetworkInterfaceId": two, "InstanceId": instance}
    for index in (0, 1):
        refused("InvalidParameterValue", call, **busy, DeviceIndex=index,
                text=f"Instance '{instance}' already has an interface attached at device index "
                     f"'{index}'.")
    refused("InvalidNetworkInterface.InUse", call, NetworkInterfaceId=one, InstanceId=instance,
            DeviceIndex=2, text=IN_USE.format(one))
    refused("InvalidNetworkInterface.InUse", call, InstanceId=instance, DeviceIndex=2,
            NetworkInterfaceId=primary(world, instance)["NetworkInterfaceId"])
    attach(ec2, two, instance, 2)
    refused("AttachmentLimitExceeded", call, NetworkInterfaceId=three, InstanceId=instance,
            DeviceIndex=3, text="Interface count 4 exceeds the limit for t3.small")
    small = launch(world, subnet, "t3.micro")
    launched.append(small)
    many = make(SecondaryPrivateIpAddressCount=2)
    refused("PrivateIpAddressLimitExceeded", call, NetworkInterfaceId=many, InstanceId=small,
            DeviceIndex=1, text="Number of private addresses will exceed limit.")
    refused("InvalidParameterCombination", call, NetworkInterfaceId=make(SubnetId=far_subnet),
            InstanceId=small, DeviceIndex=1,
            text="You may not attach a network interface to an instance if they are not in the "
                 "same availability zone")
    elsewhere = world.subnet(world.vpc("10.3.0.0/16"), "10.3.1.0/24")
    refused("InvalidParameterCombination", call, NetworkInterfaceId=make(SubnetId=elsewhere),
            InstanceId=small, DeviceIndex=1)
    free_card = {"NetworkInterfaceId": three, "InstanceId": small}
    for wrong in (-1, 100):
        refused("InvalidParameterValue", call, **free_card, DeviceIndex=wrong)
    refused("InvalidParameterValue", call, **free_card, DeviceIndex=1, NetworkCardIndex=1)
    refused("InvalidNetworkInterfaceID.NotFound", call, **{**free_card, "DeviceIndex": 1,
                                                           "NetworkInterfaceId": NOWHERE})
    refused("InvalidInstanceID.NotFound", call, **{**free_card, "DeviceIndex": 1,
                                                   "InstanceId": "i-0fedcba9876543210"})
    refused("InvalidNetworkInterfaceId.Malformed", call, **{**free_card, "DeviceIndex": 1,
                                                            "NetworkInterfaceId": "banana"})
    refused("DryRunOperation", call, **free_card, DeviceIndex=1, DryRun=True, status=412)
    assert links(small) == {"lo", "eth0"}
    ec2.terminate_instances(InstanceIds=[small])
    world.await_state("terminated", small)
    refused("IncorrectInstanceState", call, **free_card, DeviceIndex=1)
    assert read(ec2, three)["Status"] == "available"
    assert vpc == read(ec2, three)["VpcId"]


def test_detach_refused(world, ec2, instance, make):
    first = primary(world, instance)["Attachment"]["AttachmentId"]
    for more in ({}, {"Force": True}):
        refused("OperationNotPermitted", ec2.detach_network_interface, AttachmentId=first, **more,
                text="The network interface at device index 0 and networkCard index 0 cannot be "
                     "detached.")
    refused("InvalidAttachmentID.NotFound", ec2.detach_network_interface,
            AttachmentId=NO_ATTACHMENT, text=f"The attachment ID '{NO_ATTACHMENT}' does not exist")
    refused("InvalidNetworkInterfaceAttachmentId.Malformed", ec2.detach_network_interface,
            AttachmentId="eni-0fedcba9876543210")
    gone = attach(ec2, make(), instance)
    ec2.detach_network_interface(AttachmentId=gone)
    refused("InvalidAttachmentID.NotFound", ec2.detach_network_interface, AttachmentId=gone)


def test_a_stopped_instance_finds_it_at_its_start(world, ec2, subnet, make, launched):
    instance = launch(world, subnet, "t3.small")
    launched.append(instance)
    early, late = make(), make()
    going = attach(ec2, early, instance, 1)
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    assert read(ec2, early)["Status"] == "in-use"
    attach(ec2, late, instance, 2)
    ec2.detach_network_interface(AttachmentId=going)
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert links(instance) == {"lo", "eth0", "eth2"}
    attach(ec2, early, instance, 1)
    world.reboot(instance)
    assert links(instance) == {"lo", "eth0", "eth1", "eth2"}
    inner = world.instance(instance)["NetworkInterfaces"]
    assert names(inner, "NetworkInterfaceId")[1:] == [early, late]


def test_termination(world, ec2, subnet, make):
    instance = launch(world, subnet, "t3.small")
    goes, stays = make(), make()
    attachment = attach(ec2, goes, instance, 1)
    attach(ec2, stays, instance, 2)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=goes, Attachment={
        "AttachmentId": attachment, "DeleteOnTermination": True})
    assert read(ec2, goes)["Attachment"]["DeleteOnTermination"] is True
    first = primary(world, instance)["NetworkInterfaceId"]
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    for gone in (first, goes):
        refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces,
                NetworkInterfaceIds=[gone])
    found = read(ec2, stays)
    assert found["Status"] == "available" and "Attachment" not in found


def test_attributes(world, ec2, instance, make):
    card = make()

    def show(name):
        return ec2.describe_network_interface_attribute(NetworkInterfaceId=card, Attribute=name)
    assert "Attachment" not in show("attachment")
    attachment = attach(ec2, card, instance)
    assert show("attachment")["Attachment"]["AttachmentId"] == attachment
    ec2.modify_network_interface_attribute(NetworkInterfaceId=card, SourceDestCheck={
        "Value": False})
    assert show("sourceDestCheck")["SourceDestCheck"] == {"Value": False}
    ec2.reset_network_interface_attribute(NetworkInterfaceId=card, SourceDestCheck="true")
    assert show("sourceDestCheck")["SourceDestCheck"] == {"Value": True}
    refused("MissingParameter", ec2.reset_network_interface_attribute, NetworkInterfaceId=card)
    several = (f"There are multiple interfaces attached to instance '{instance}'. Please specify "
               "an interface ID for the operation instead.")
    for more in ({"SourceDestCheck": {"Value": False}},
                 {"Groups": [world.default_group(read(ec2, card)["VpcId"])]}):
        refused("InvalidInstanceID", ec2.modify_instance_attribute, InstanceId=instance, **more,
                text=several)


# Addresses.

def test_assign_and_unassign(ec2, subnet, make):
    card, before = make(), free(ec2, subnet)
    reply = ec2.assign_private_ip_addresses(NetworkInterfaceId=card,
                                            SecondaryPrivateIpAddressCount=2)
    assert reply["NetworkInterfaceId"] == card
    chosen = names(reply["AssignedPrivateIpAddresses"], "PrivateIpAddress")
    assert len(set(chosen)) == 2 and addresses(ec2, card)[1:] == chosen
    asked = ["10.1.1.100", "10.1.1.101"]
    reply = ec2.assign_private_ip_addresses(NetworkInterfaceId=card, PrivateIpAddresses=asked)
    assert names(reply["AssignedPrivateIpAddresses"], "PrivateIpAddress") == asked
    assert addresses(ec2, card)[1:] == chosen + asked
    assert [entry["Primary"] for entry in read(ec2, card)["PrivateIpAddresses"]] == \
        [True] + 4 * [False]
    assert free(ec2, subnet) == before - 4
    ec2.assign_private_ip_addresses(NetworkInterfaceId=card, PrivateIpAddresses=asked[:1])
    assert addresses(ec2, card)[1:] == chosen + asked  # it had it
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=card,
                                      PrivateIpAddresses=[chosen[0], asked[1]])
    assert addresses(ec2, card)[1:] == [chosen[1], asked[0]]
    assert free(ec2, subnet) == before - 2
    found = ec2.describe_network_interfaces(Filters=[
        {"Name": "addresses.private-ip-address", "Values": asked[:1]},
        {"Name": "addresses.primary", "Values": ["false"]}])["NetworkInterfaces"]
    assert names(found, "NetworkInterfaceId") == [card]


def test_an_address_is_moved(ec2, subnet, make):
    one, other, before = make(SecondaryPrivateIpAddressCount=1), make(), free(ec2, subnet)
    first, moved = addresses(ec2, one)
    call = ec2.assign_private_ip_addresses
    refused("Resource.AlreadyAssigned", call, NetworkInterfaceId=other, PrivateIpAddresses=[moved],
            text=f"[{moved}] assigned, but move is not allowed.")
    refused("InvalidParameterValue", call, NetworkInterfaceId=other, PrivateIpAddresses=[first],
            AllowReassignment=True)
    assert addresses(ec2, one) == [first, moved]
    call(NetworkInterfaceId=other, PrivateIpAddresses=[moved], AllowReassignment=True)
    assert addresses(ec2, one) == [first] and addresses(ec2, other)[1:] == [moved]
    assert free(ec2, subnet) == before


def test_assignment_refused(world, ec2, instance, make):
    card, call = make(), ec2.assign_private_ip_addresses
    refused("MissingParameter", call, NetworkInterfaceId=card)
    refused("InvalidParameterCombination", call, NetworkInterfaceId=card,
            PrivateIpAddresses=["10.1.1.110"], SecondaryPrivateIpAddressCount=1)
    refused("InvalidNetworkInterfaceID.NotFound", call, NetworkInterfaceId=NOWHERE,
            SecondaryPrivateIpAddressCount=1)
    for address in ("10.1.1.2", "10.1.2.9", "banana"):
        refused("InvalidParameterValue", call, NetworkInterfaceId=card,
                PrivateIpAddresses=[address])
    refused("UnsupportedOperation", call, NetworkInterfaceId=card, Ipv4PrefixCount=1)
    refused("PrivateIpAddressLimitExceeded", call, NetworkInterfaceId=card,
            SecondaryPrivateIpAddressCount=50)
    first = primary(world, instance)["NetworkInterfaceId"]
    refused("PrivateIpAddressLimitExceeded", call, NetworkInterfaceId=first,
            SecondaryPrivateIpAddressCount=4, text="Number of private addresses will exceed limit.")
    assert len(addresses(ec2, card)) == len(addresses(ec2, first)) == 1


def test_unassignment_refused(world, ec2, make):
    card, call = make(PrivateIpAddress="10.1.1.120"), ec2.unassign_private_ip_addresses
    refused("InvalidParameterValue", call, NetworkInterfaceId=card,
            PrivateIpAddresses=["10.1.1.120"])
    refused("InvalidParameterValue", call, NetworkInterfaceId=card,
            PrivateIpAddresses=["10.1.1.121"],
            text=f"Some of [10.1.1.121] addresses are not assigned to interface {card}")
    refused("InvalidNetworkInterfaceID.NotFound", call, NetworkInterfaceId=NOWHERE,
            PrivateIpAddresses=["10.1.1.121"])
    assert wire.call(world, "UnassignPrivateIpAddresses",
                     NetworkInterfaceId=card).code == "MissingParameter"


# Launched with several.

def test_a_launch_with_several(world, ec2, vpc, subnet, other_subnet, make, launched):
    web = world.security_group(vpc, "launched")
    own = make(PrivateIpAddress="10.1.1.130")
    created, = ec2.run_instances(
        **LAUNCH, InstanceType="t3.small",
        TagSpecifications=tag_specification("network-interface", Name="made"), NetworkInterfaces=[
            {"DeviceIndex": 2, "NetworkInterfaceId": own},
            {"DeviceIndex": 1, "SubnetId": other_subnet, "Groups": [web], "Description": "second",
             "DeleteOnTermination": False, "SecondaryPrivateIpAddressCount": 2},
            {"DeviceIndex": 0, "SubnetId": subnet}])["Instances"]
    instance = created["InstanceId"]
    launched.append(instance)
    world.await_state("running", instance)
    first, second, third = world.instance(instance)["NetworkInterfaces"]
    assert created["SubnetId"] == subnet and "PublicIpAddress" not in created
    assert [entry["Attachment"]["DeviceIndex"] for entry in (first, second, third)] == [0, 1, 2]
    assert [entry["Attachment"]["DeleteOnTermination"] for entry in (first, second, third)] == \
        [True, False, False]
    assert third["NetworkInterfaceId"] == own and second["SubnetId"] == other_subnet
    assert names(second["Groups"], "GroupId") == [web] and second["Description"] == "second"
    assert len(second["PrivateIpAddresses"]) == 3
    assert links(instance) == {"lo", "eth0", "eth1", "eth2"}
    made = ec2.describe_network_interfaces(Filters=[
        {"Name": "tag:Name", "Values": ["made"]}])["NetworkInterfaces"]
    assert {entry["NetworkInterfaceId"] for entry in made} == {
        first["NetworkInterfaceId"], second["NetworkInterfaceId"]}
    ec2.terminate_instances(InstanceIds=launched)
    world.await_state("terminated", instance)
    for kept in (own, second["NetworkInterfaceId"]):
        assert read(ec2, kept)["Status"] == "available"
    ec2.delete_network_interface(NetworkInterfaceId=second["NetworkInterfaceId"])


def test_an_existing_interface_as_the_first(world, ec2, other_subnet, make, launched):
    own = make(SubnetId=other_subnet)
    address = read(ec2, own)["PrivateIpAddress"]
    created, = ec2.run_instances(**LAUNCH, NetworkInterfaces=[
        {"DeviceIndex": 0, "NetworkInterfaceId": own}])["Instances"]
    launched.append(created["InstanceId"])
    assert (created["PrivateIpAddress"], created["SubnetId"]) == (address, other_subnet)
    world.await_state("running", *launched)
    refused("InvalidNetworkInterface.InUse", ec2.run_instances, **LAUNCH, NetworkInterfaces=[
        {"DeviceIndex": 0, "NetworkInterfaceId": own}], text=IN_USE.format(own))
    ec2.terminate_instances(InstanceIds=launched)
    world.await_state("terminated", *launched)
    assert read(ec2, own)["Status"] == "available"


def test_several_of_several(world, ec2, subnet, other_subnet, launched):
    reply = ec2.run_instances(ImageId=IMAGE, MinCount=3, MaxCount=3, InstanceType="t3.micro",
                              NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet},
                                                 {"DeviceIndex": 1, "SubnetId": other_subnet}])
    launched += names(reply["Instances"], "InstanceId")
    world.await_state("running", *launched)
    found = [address for entry in world.instances(*launched)
             for card in entry["NetworkInterfaces"]
             for address in names(card["PrivateIpAddresses"], "PrivateIpAddress")]
    assert len(set(found)) == 6


def test_launch_refused(ec2, subnet, far_subnet, make):
    own = make()
    new, old = {"DeviceIndex": 0, "SubnetId": subnet}, {"DeviceIndex": 1, "NetworkInterfaceId": own}

    def wrong(code, *cards, text=None, **more):
        refused(code, ec2.run_instances, **{**LAUNCH, "InstanceType": "t3.micro", **more},
                NetworkInterfaces=list(cards), text=text)
    wrong("InvalidParameterValue", {"SubnetId": subnet},
          text="Each network interface requires a device index.")
    wrong("InvalidParameterCombination", {**new, "DeviceIndex": 1},
          text="When specifying network interfaces, you must include a device at index 0.")
    wrong("InvalidParameterValue", new, new)
    wrong("InvalidNetworkInterface.InUse", {**old, "DeviceIndex": 0}, old, text=IN_USE.format(own))
    wrong("AttachmentLimitExceeded", new, old, {**new, "DeviceIndex": 2},
          text="Interface count 3 exceeds the limit for t3.micro")
    wrong("PrivateIpAddressLimitExceeded", {**new, "SecondaryPrivateIpAddressCount": 2})
    for public in (True, False):
        wrong("InvalidParameterCombination", {**new, "AssociatePublicIpAddress": public}, old)
        wrong("InvalidParameterCombination", {**old, "DeviceIndex": 0,
                                              "AssociatePublicIpAddress": public})
    wrong("InvalidParameterCombination", new, {**old, "SubnetId": subnet})
    wrong("InvalidParameterCombination", new, {**old, "DeleteOnTermination": True})
    wrong("InvalidParameterCombination", new, old, MaxCount=2)
    wrong("InvalidParameterCombination", {**new, "PrivateIpAddresses": [
        {"PrivateIpAddress": "10.1.1.140"}]}, MaxCount=2)
    wrong("InvalidParameterCombination", new, {"DeviceIndex": 1, "SubnetId": far_subnet})
    wrong("InvalidNetworkInterfaceID.NotFound", new, {**old, "NetworkInterfaceId": NOWHERE})
    wrong("InvalidNetworkInterfaceId.Malformed", new, {**old, "NetworkInterfaceId": "banana"})
    wrong("UnsupportedOperation", {**new, "Ipv6AddressCount": 1})
    wrong("UnsupportedOperation", {**new, "InterfaceType": "efa"})
    wrong("InvalidParameterCombination", new, SubnetId=subnet)
    assert read(ec2, own)["Status"] == "available"


def test_no_public_address_beside_a_second_card(world, ec2, vpc, make, launched):
    eager = world.subnet(vpc, "10.1.9.0/24")
    ec2.modify_subnet_attribute(SubnetId=eager, MapPublicIpOnLaunch={"Value": True})
    created, = ec2.run_instances(**LAUNCH, InstanceType="t3.micro", NetworkInterfaces=[
        {"DeviceIndex": index, "SubnetId": eager} for index in range(2)])["Instances"]
    instance = launch(world, eager, "t3.micro")
    launched += [created["InstanceId"], instance]
    assert "PublicIpAddress" not in world.instance(created["InstanceId"])
    assert "PublicIpAddress" in world.instance(instance)
    attach(ec2, make(SubnetId=eager), instance)
    assert "PublicIpAddress" in world.instance(instance)  # it keeps what it has
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert "PublicIpAddress" not in world.instance(instance)


def test_in_a_default_subnet(own_world):
    """Which is in the kernel from the first interface on."""
    ec2 = own_world.ec2
    subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])[
        "Subnets"][0]["SubnetId"]
    assert subnet not in namespaces()
    card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert read(ec2, card)["Status"] == "available"
    assert subnet in namespaces()
    created, = ec2.run_instances(**LAUNCH)["Instances"]
    own_world.await_state("running", created["InstanceId"])
    attach(ec2, card, created["InstanceId"])
    assert links(created["InstanceId"]) == {"lo", "eth0", "eth1"}
    assert own_world.internet_address()


# Described.

@pytest.fixture
def named(ec2, vpc):
    """While the VPC has host names, its interfaces tell theirs."""
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    yield
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})


def test_names(ec2, vpc, make):
    """An interface tells its private names where its VPC has host names, and nowhere else."""
    card = make(PrivateIpAddress="10.1.1.130")
    for value in (True, False):
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": value})
        found = read(ec2, card)
        told = [found.get("PrivateDnsName"), found["PrivateIpAddresses"][0].get("PrivateDnsName")]
        assert told == ["ip-10-1-1-130.ec2.internal" if value else None] * 2
        reply = ec2.describe_network_interfaces(Filters=[
            {"Name": "private-dns-name", "Values": ["ip-10-1-1-130.ec2.internal"]}])
        assert names(reply["NetworkInterfaces"], "NetworkInterfaceId") == [card] * value


@pytest.mark.usefixtures("named")
def test_filters(ec2, instance, other_subnet, make):
    idle, busy = make(Description="idle", SubnetId=other_subnet), make(Description="busy")
    attachment = attach(ec2, busy, instance)
    both = {"Name": "network-interface-id", "Values": [idle, busy]}
    found = {entry["NetworkInterfaceId"]: entry for entry in
             ec2.describe_network_interfaces(Filters=[both])["NetworkInterfaces"]}
    for name, value, wanted in (
            ("status", "available", [idle]), ("status", "in-use", [busy]),
            ("attachment.attachment-id", attachment, [busy]),
            ("attachment.instance-id", instance, [busy]),
            ("attachment.instance-owner-id", ACCOUNT, [busy]),
            ("attachment.device-index", "1", [busy]),
            ("attachment.status", "attached", [busy]),
            ("attachment.delete-on-termination", "false", [busy]),
            ("attachment.delete-on-termination", "true", []),
            ("attachment.attach-time", "2*", [busy]),
            ("subnet-id", other_subnet, [idle]), ("description", "idle", [idle]),
            ("mac-address", found[idle]["MacAddress"], [idle]),
            ("private-ip-address", found[busy]["PrivateIpAddress"], [busy]),
            ("private-dns-name", found[busy]["PrivateDnsName"], [busy]),
            ("owner-id", ACCOUNT, [idle, busy]), ("availability-zone", "us-east-1a", [idle, busy]),
            ("interface-type", "interface", [idle, busy]),
            ("requester-managed", "true", []), ("requester-id", "*", []),
            ("association.public-ip", "*", []), ("addresses.association.owner-id", "*", []),
            ("source-dest-check", "true", [idle, busy])):
        reply = ec2.describe_network_interfaces(Filters=[both, {"Name": name, "Values": [value]}])
        assert set(names(reply["NetworkInterfaces"], "NetworkInterfaceId")) == set(wanted), name


def test_pages(ec2, make):
    made = [make() for _ in range(7)]
    pages = list(ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "network-interface-id", "Values": made}],
        PaginationConfig={"PageSize": 5}))
    assert [len(page["NetworkInterfaces"]) for page in pages] == [5, 2]
    assert [identifier for page in pages
            for identifier in names(page["NetworkInterfaces"], "NetworkInterfaceId")] == made


# Kept.

def test_a_restart_keeps_everything(own_world):
    world, ec2 = own_world, own_world.ec2
    vpc = world.open_vpc()
    subnet, other = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24")
    instance, near, far = (launch(world, where, "t3.small") for where in (subnet, subnet, other))
    cards = [ec2.create_network_interface(SubnetId=other, **more)["NetworkInterface"]
             ["NetworkInterfaceId"] for more in (
                 {"SecondaryPrivateIpAddressCount": 2, "ClientToken": "kept"}, {})]
    attach(ec2, cards[0], instance)
    ec2.assign_private_ip_addresses(NetworkInterfaceId=cards[1], SecondaryPrivateIpAddressCount=1)
    first = primary(world, instance)["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=["10.0.1.77"])
    before, guest = api_state(world), world.exec(instance, "ip -4 -o address")
    world.restart()
    ec2 = world.ec2
    assert "reconciled" not in world.log_tail()
    assert api_state(world) == before and world.exec(instance, "ip -4 -o address") == guest
    for address in addresses(ec2, cards[0]):
        world.assert_reaches(far, address)
    world.assert_reaches(near, "10.0.1.77")
    again = ec2.create_network_interface(SubnetId=other, SecondaryPrivateIpAddressCount=2,
                                         ClientToken="kept")["NetworkInterface"]
    assert again["NetworkInterfaceId"] == cards[0]
    ec2.detach_network_interface(
        AttachmentId=read(ec2, cards[0])["Attachment"]["AttachmentId"])
    assert "eth1" not in links(instance)
    assert primary(world, instance)["NetworkInterfaceId"] == first
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=["10.0.1.77"])
    world.assert_silent(near, "10.0.1.77")
