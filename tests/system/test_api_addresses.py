"""Elastic IPs: allocated, associated, moved, taken away, released; and every refusal."""
import ipaddress
import re
import types

import pytest

import wire
from lib import ACCOUNT, IMAGE, api_state, names, refused, tag_specification, tags

UNKNOWN = "eipalloc-0fedcba9876543210"
NO_ASSOCIATION = "eipassoc-0fedcba9876543210"
RANGE = ipaddress.ip_network("198.18.0.0/16")
IN_USE = "Address {} is in use."
NOT_FOUND = "Address '{}' not found."


@pytest.fixture(scope="module")
def lab(world):
    """A VPC with a gateway, one without, a stopped instance, and addresses to choose from."""
    vpc, shut = world.vpc(), world.vpc("10.1.0.0/16")
    gateway = world.gateway(vpc)
    subnet, other = world.subnet(vpc, "10.0.1.0/24"), world.subnet(shut, "10.1.1.0/24")
    stopped, = world.run_instances(subnet)
    world.ec2.stop_instances(InstanceIds=[stopped])
    world.await_state("stopped", stopped)
    return types.SimpleNamespace(vpc=vpc, shut=shut, gateway=gateway, subnet=subnet, other=other,
                                 stopped=stopped)


@pytest.fixture(autouse=True)
def released(world):
    """A region has five: what a test allocated goes."""
    yield
    found = names(world.ec2.describe_addresses()["Addresses"], "AllocationId")
    for allocation in found:
        world.ec2.reset_address_attribute(AllocationId=allocation, Attribute="domain-name")
    if found:
        world.release(*found)


@pytest.fixture
def launch(world, ec2, lab):
    """Instances for one test, of a type with three cards of four addresses."""
    made = []

    def run(public=False, subnet=None, addresses=1):
        card = {"DeviceIndex": 0, "SubnetId": subnet or lab.subnet,
                "AssociatePublicIpAddress": public,
                "SecondaryPrivateIpAddressCount": addresses - 1}
        if addresses == 1:
            del card["SecondaryPrivateIpAddressCount"]
        reply = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.small",
                                  NetworkInterfaces=[card])
        made.append(reply["Instances"][0]["InstanceId"])
        world.await_state("running", made[-1])
        return made[-1]
    yield run
    if made:
        ec2.terminate_instances(InstanceIds=made)
        world.await_state("terminated", *made)


@pytest.fixture
def card(ec2, lab):
    """Interfaces for one test."""
    made = []

    def create(**more):
        made.append(ec2.create_network_interface(**{"SubnetId": lab.subnet, **more})[
            "NetworkInterface"]["NetworkInterfaceId"])
        return made[-1]
    yield create
    for entry in ec2.describe_network_interfaces(Filters=[
            {"Name": "network-interface-id", "Values": [*made, "none"]}])["NetworkInterfaces"]:
        if "Attachment" in entry:
            ec2.detach_network_interface(AttachmentId=entry["Attachment"]["AttachmentId"])
        ec2.delete_network_interface(NetworkInterfaceId=entry["NetworkInterfaceId"])


def read(ec2, allocation):
    entry, = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    return entry


def first_card(world, instance):
    return world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]


def interface(ec2, identifier):
    entry, = ec2.describe_network_interfaces(NetworkInterfaceIds=[identifier])["NetworkInterfaces"]
    return entry


def associations(ec2, identifier):
    """Public addresses by private ones, of those that have any."""
    return {entry["PrivateIpAddress"]: entry["Association"]["PublicIp"]
            for entry in interface(ec2, identifier)["PrivateIpAddresses"] if "Association" in entry}


# Allocate, describe, release.

def test_allocate(ec2):
    made = ec2.allocate_address()
    allocation, address = made["AllocationId"], made["PublicIp"]
    del made["ResponseMetadata"]
    assert made == {"AllocationId": allocation, "PublicIp": address, "Domain": "vpc",
                    "PublicIpv4Pool": "amazon", "NetworkBorderGroup": "us-east-1"}
    assert re.fullmatch("eipalloc-[0-9a-f]{17}", allocation)
    assert ipaddress.ip_address(address) in RANGE
    assert read(ec2, allocation) == {**made, "Tags": []}
    ec2.release_address(AllocationId=allocation)
    refused("InvalidAllocationID.NotFound", ec2.release_address, AllocationId=allocation,
            text=f"The allocation ID '{allocation}' does not exist")
    refused("InvalidAddress.NotFound", ec2.release_address, PublicIp=address,
            text=NOT_FOUND.format(address))


def test_tags(ec2):
    allocation = ec2.allocate_address(Domain="vpc", TagSpecifications=tag_specification(
        "elastic-ip", Name="door"))["AllocationId"]
    assert read(ec2, allocation)["Tags"] == tags(Name="door")
    ec2.create_tags(Resources=[allocation], Tags=tags(Suite="one"))
    assert names(ec2.describe_addresses(Filters=[{"Name": "tag:Suite", "Values": ["o*"]}])[
        "Addresses"], "AllocationId") == [allocation]
    found = ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["elastic-ip"]}])
    assert {(tag["ResourceId"], tag["Key"], tag["Value"]) for tag in found["Tags"]} == {
        (allocation, "Name", "door"), (allocation, "Suite", "one")}
    ec2.delete_tags(Resources=[allocation], Tags=[{"Key": "Name"}])
    assert read(ec2, allocation)["Tags"] == tags(Suite="one")
    refused("InvalidParameterValue", ec2.allocate_address,
            TagSpecifications=tag_specification("vpc", Name="door"))


def test_another_region(world, ec2):
    for _ in range(7):  # without a quota there are as many as one likes
        world.elastic_ip()
    abroad = world.client(region="eu-west-1")
    made = abroad.allocate_address()
    assert made["NetworkBorderGroup"] == "eu-west-1"
    assert made["PublicIp"] not in names(ec2.describe_addresses()["Addresses"], "PublicIp")
    refused("InvalidAllocationID.NotFound", ec2.release_address, AllocationId=made["AllocationId"])
    refused("InvalidAddress.NotFound", ec2.release_address, PublicIp=made["PublicIp"])
    abroad.release_address(PublicIp=made["PublicIp"])


def test_what_is_allocated_from(ec2):
    made = ec2.allocate_address(Domain="vpc", PublicIpv4Pool="amazon",
                                NetworkBorderGroup="us-east-1")
    for name, value in (("Domain", "standard"), ("PublicIpv4Pool", "ipv4pool-ec2-1"),
                        ("NetworkBorderGroup", "us-east-1-wl1")):
        refused("InvalidParameterValue", ec2.allocate_address, **{name: value})
    for name in ("Address", "CustomerOwnedIpv4Pool"):
        refused("UnsupportedOperation", ec2.allocate_address, **{name: made["PublicIp"]},
                text=f"The parameter {name} is not supported.")
    refused("InvalidAddress.NotFound", ec2.release_address, AllocationId=made["AllocationId"],
            NetworkBorderGroup="us-east-1-wl1", text=NOT_FOUND.format(made["PublicIp"]))
    ec2.release_address(AllocationId=made["AllocationId"], NetworkBorderGroup="us-east-1")


def test_dry_runs(world, ec2, launch):
    instance = launch()
    allocation, _ = world.elastic_ip()
    before = read(ec2, allocation)
    for call, arguments in (
            (ec2.allocate_address, {}),
            (ec2.associate_address, {"AllocationId": allocation, "InstanceId": instance}),
            (ec2.release_address, {"AllocationId": allocation}),
            (ec2.describe_addresses, {})):
        refused("DryRunOperation", call, DryRun=True, status=412, **arguments)
    assert ec2.describe_addresses()["Addresses"] == [before]


def test_by_public_address(world, ec2):
    (one, first), (two, second), _ = (world.elastic_ip() for _ in range(3))

    def found(**arguments):
        return names(ec2.describe_addresses(**arguments)["Addresses"], "AllocationId")
    assert found(PublicIps=[first]) == [one]
    assert sorted(found(PublicIps=[second, first, second])) == sorted([one, two])
    assert sorted(found(PublicIps=[first, second], AllocationIds=[one])) == sorted([one, two])
    assert found(PublicIps=[first], Filters=[{"Name": "public-ip", "Values": [second]}]) == []
    refused("InvalidAddress.NotFound", ec2.describe_addresses, PublicIps=[first, "198.18.77.7"],
            text=NOT_FOUND.format("198.18.77.7"))
    refused("InvalidAddress.Malformed", ec2.describe_addresses, PublicIps=["door"])
    ec2.release_address(PublicIp=first)
    refused("InvalidAllocationID.NotFound", ec2.describe_addresses, AllocationIds=[one])


# Associate, disassociate.

def test_associate_with_an_instance(world, ec2, launch):
    instance = launch()
    allocation, address = world.elastic_ip()
    identifier, inside = first_card(world, instance), world.private(instance)
    reply = ec2.associate_address(AllocationId=allocation, InstanceId=instance)
    association = reply["AssociationId"]
    assert re.fullmatch("eipassoc-[0-9a-f]{17}", association)
    entry = read(ec2, allocation)
    entry.pop("Tags", None)
    assert entry == {
        "AllocationId": allocation, "PublicIp": address, "Domain": "vpc",
        "PublicIpv4Pool": "amazon", "NetworkBorderGroup": "us-east-1",
        "AssociationId": association, "InstanceId": instance, "NetworkInterfaceId": identifier,
        "NetworkInterfaceOwnerId": ACCOUNT, "PrivateIpAddress": inside}
    # The same again is nothing.
    for more in ({}, {"AllowReassociation": False}, {"PrivateIpAddress": inside}):
        again = ec2.associate_address(AllocationId=allocation, InstanceId=instance, **more)
        assert again["AssociationId"] == association
    again = ec2.associate_address(PublicIp=address, NetworkInterfaceId=identifier)
    assert again["AssociationId"] == association
    refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=allocation,
            text=IN_USE.format(address))
    ec2.disassociate_address(AssociationId=association)
    assert "AssociationId" not in read(ec2, allocation)
    refused("InvalidAssociationID.NotFound", ec2.disassociate_address, AssociationId=association,
            text=f"The association ID '{association}' does not exist")
    ec2.disassociate_address(PublicIp=address)  # it is
    ec2.release_address(AllocationId=allocation)


def test_what_interface_and_instance_show(world, ec2, lab, launch):
    instance = launch(addresses=2)
    identifier = first_card(world, instance)
    allocation, address = world.elastic_ip(instance)
    association = read(ec2, allocation)["AssociationId"]
    shown = {"AllocationId": allocation, "AssociationId": association, "IpOwnerId": ACCOUNT,
             "PublicDnsName": "", "PublicIp": address}
    entry = interface(ec2, identifier)
    assert entry["Association"] == shown
    assert [one.get("Association") for one in entry["PrivateIpAddresses"]] == [shown, None]
    found = world.instance(instance)
    assert found["PublicIpAddress"] == address and found["PublicDnsName"] == ""
    brief = {"IpOwnerId": ACCOUNT, "PublicDnsName": "", "PublicIp": address}
    assert found["NetworkInterfaces"][0]["Association"] == brief
    assert found["NetworkInterfaces"][0]["PrivateIpAddresses"][0]["Association"] == brief
    listed, = [line for line in world.run("ps").stdout.splitlines() if instance in line]
    assert address in listed.split()

    ec2.modify_vpc_attribute(VpcId=lab.vpc, EnableDnsHostnames={"Value": True})
    name = "ec2-" + address.replace(".", "-") + ".compute-1.amazonaws.com"
    assert interface(ec2, identifier)["Association"]["PublicDnsName"] == name
    assert world.instance(instance)["PublicDnsName"] == name
    ec2.modify_vpc_attribute(VpcId=lab.vpc, EnableDnsHostnames={"Value": False})

    second, outside = world.elastic_ip(
        identifier, PrivateIpAddress=entry["PrivateIpAddresses"][1]["PrivateIpAddress"])
    entry = interface(ec2, identifier)
    assert entry["Association"] == shown
    assert [one["Association"]["AllocationId"] for one in entry["PrivateIpAddresses"]] == \
        [allocation, second]
    assert world.instance(instance)["PublicIpAddress"] == address
    for call, prefix, wanted in (
            (ec2.describe_network_interfaces, "", identifier),
            (ec2.describe_instances, "network-interface.", instance)):
        for middle, values in (("association", (allocation, association, address, ACCOUNT)),
                               ("addresses.association", (
                                   second, read(ec2, second)["AssociationId"], outside, ACCOUNT))):
            for name, value in zip(("allocation-id", "association-id", "public-ip",
                                    "ip-owner-id"), values):
                reply = call(Filters=[{"Name": f"{prefix}{middle}.{name}", "Values": [value]}])
                assert wanted in str(reply), f"{prefix}{middle}.{name}"
            none = call(Filters=[{"Name": f"{prefix}{middle}.allocation-id", "Values": [UNKNOWN]}])
            assert wanted not in str(none)


def test_in_place_of_the_public_address(world, launch, ec2):
    instance = launch(public=True)
    first = world.public(instance)
    assert interface(ec2, first_card(world, instance))["Association"]["IpOwnerId"] == "amazon"
    allocation, address = world.elastic_ip(instance)
    assert world.public(instance) == address
    world.release(allocation)
    fresh = world.public(instance)  # at once, and another one
    assert fresh not in (first, address)
    entry = interface(ec2, first_card(world, instance))["Association"]
    assert entry["IpOwnerId"] == "amazon" and "AllocationId" not in entry


def test_no_new_public_address_beside_more(world, ec2, launch, card):
    """EC2 guide: not with a second card, nor with an Elastic IP on a second address."""
    instance = launch(public=True, addresses=2)
    second = interface(ec2, first_card(world, instance))["PrivateIpAddresses"][1][
        "PrivateIpAddress"]
    one, _ = world.elastic_ip(instance, PrivateIpAddress=second)
    assert "PublicIpAddress" in world.instance(instance)  # the first one keeps its own
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    world.ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert "PublicIpAddress" not in world.instance(instance)
    two, address = world.elastic_ip(instance)
    assert world.public(instance) == address
    world.release(two)
    assert "PublicIpAddress" not in world.instance(instance)
    world.release(one)
    assert "PublicIpAddress" in world.instance(instance)
    one, _ = world.elastic_ip(instance)
    ec2.attach_network_interface(NetworkInterfaceId=card(), InstanceId=instance, DeviceIndex=1)
    world.release(one)
    assert "PublicIpAddress" not in world.instance(instance)


def test_it_moves(world, ec2, launch):
    one, two = launch(public=True), launch()
    allocation, address = world.elastic_ip(one)
    other, displaced = world.elastic_ip(two)
    association = read(ec2, allocation)["AssociationId"]
    refused("Resource.AlreadyAssociated", ec2.associate_address, AllocationId=allocation,
            InstanceId=two, AllowReassociation=False,
            text=f"resource {allocation} is already associated with associate-id {association}")
    theirs = read(ec2, other)["AssociationId"]
    ec2.disassociate_address(AssociationId=association)
    refused("Resource.AlreadyAssociated", ec2.associate_address, AllocationId=allocation,
            InstanceId=two, AllowReassociation=False,
            text=f"resource {first_card(world, two)} is already associated with associate-id "
                 f"{theirs}")
    ec2.associate_address(AllocationId=allocation, InstanceId=one)
    reply = ec2.associate_address(AllocationId=allocation, InstanceId=two)
    assert reply["AssociationId"] not in (association, theirs)
    assert read(ec2, allocation)["InstanceId"] == two and world.public(two) == address
    assert world.public(one) not in (address, displaced)  # one by itself
    assert "AssociationId" not in read(ec2, other)
    refused("InvalidAssociationID.NotFound", ec2.disassociate_address, AssociationId=theirs)


def test_which_instance(world, ec2, lab, launch, card):
    allocation, _ = world.elastic_ip()
    common = {"AllocationId": allocation}
    ec2.associate_address(InstanceId=lab.stopped, **common)
    assert world.public(lab.stopped)
    instance = launch()
    ec2.attach_network_interface(NetworkInterfaceId=card(), InstanceId=instance, DeviceIndex=1)
    refused("InvalidInstanceID", ec2.associate_address, InstanceId=instance, **common,
            text=f"There are multiple interfaces attached to instance '{instance}'. Please "
                 "specify an interface ID for the operation instead.")
    gone = launch()
    ec2.terminate_instances(InstanceIds=[gone])
    world.await_state("terminated", gone)
    refused("InvalidInstanceID", ec2.associate_address, InstanceId=gone, **common,
            text=f"The terminated instance '{gone}' is not in a valid state for this operation.")
    refused("InvalidInstanceID.NotFound", ec2.associate_address,
            InstanceId="i-0fedcba9876543210", **common)
    refused("InvalidInstanceID.Malformed", ec2.associate_address, InstanceId="web", **common)
    refused("InvalidNetworkInterfaceID.NotFound", ec2.associate_address,
            NetworkInterfaceId="eni-0fedcba9876543210", **common)
    assert read(ec2, allocation)["InstanceId"] == lab.stopped


def test_which_private_address(world, ec2, card):
    identifier = card(SecondaryPrivateIpAddressCount=2)
    inside = names(interface(ec2, identifier)["PrivateIpAddresses"], "PrivateIpAddress")
    given = [world.elastic_ip(identifier, PrivateIpAddress=address) for address in inside]
    assert associations(ec2, identifier) == {
        address: public for address, (_, public) in zip(inside, given)}
    for address, code in (("10.0.1.250", "InvalidParameterValue"),
                          ("door", "InvalidParameterValue")):
        refused(code, ec2.associate_address, AllocationId=given[0][0],
                NetworkInterfaceId=identifier, PrivateIpAddress=address)
    # On the interface: one gives way to the other.
    ec2.associate_address(AllocationId=given[0][0], NetworkInterfaceId=identifier,
                          PrivateIpAddress=inside[2])
    assert associations(ec2, identifier) == {inside[1]: given[1][1], inside[2]: given[0][1]}
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=identifier, PrivateIpAddresses=inside[1:])
    assert associations(ec2, identifier) == {}
    assert all("AssociationId" not in read(ec2, allocation) for allocation, _ in given)


def test_it_follows_its_private_address(world, ec2, card):
    one, two = card(SecondaryPrivateIpAddressCount=1), card()
    moved = interface(ec2, one)["PrivateIpAddresses"][1]["PrivateIpAddress"]
    allocation, address = world.elastic_ip(one, PrivateIpAddress=moved)
    before = read(ec2, allocation)
    ec2.assign_private_ip_addresses(NetworkInterfaceId=two, PrivateIpAddresses=[moved],
                                    AllowReassignment=True)
    assert read(ec2, allocation) == {**before, "NetworkInterfaceId": two}
    assert associations(ec2, two) == {moved: address} and associations(ec2, one) == {}


def test_it_stays_with_its_card(world, ec2, launch, card):
    instance, identifier = launch(), card()
    ec2.attach_network_interface(NetworkInterfaceId=identifier, InstanceId=instance, DeviceIndex=1)
    allocation, address = world.elastic_ip(identifier)
    assert read(ec2, allocation)["InstanceId"] == instance
    assert "PublicIpAddress" not in world.instance(instance)  # not the first card's
    assert world.instance(instance)["NetworkInterfaces"][1]["Association"]["PublicIp"] == address
    association = interface(ec2, identifier)["Attachment"]["AttachmentId"]
    ec2.detach_network_interface(AttachmentId=association)
    entry = read(ec2, allocation)
    assert entry["NetworkInterfaceId"] == identifier and "InstanceId" not in entry
    ec2.delete_network_interface(NetworkInterfaceId=identifier)
    entry = read(ec2, allocation)
    assert "AssociationId" not in entry and "NetworkInterfaceId" not in entry


def test_stop_start_terminate(world, ec2, launch):
    instance = launch(public=True)
    allocation, address = world.elastic_ip(instance)
    for verb, state in ((ec2.stop_instances, "stopped"), (ec2.start_instances, "running")):
        verb(InstanceIds=[instance])
        world.await_state(state, instance)
        assert world.public(instance) == address
        assert read(ec2, allocation)["InstanceId"] == instance
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    entry = read(ec2, allocation)
    assert entry["PublicIp"] == address and "AssociationId" not in entry
    ec2.release_address(AllocationId=allocation)


def test_it_needs_a_gateway(world, ec2, lab, launch):
    instance = launch(subnet=lab.other)
    allocation, _ = world.elastic_ip()
    refused("Gateway.NotAttached", ec2.associate_address, AllocationId=allocation,
            InstanceId=instance,
            text=f"Network {lab.shut} is not attached to any internet gateway")
    assert "AssociationId" not in read(ec2, allocation)


def test_the_gateway_needs_it_gone(world, ec2, lab, card):
    """Even of a card that nobody has."""
    identifier = card(SecondaryPrivateIpAddressCount=1)
    second = interface(ec2, identifier)["PrivateIpAddresses"][1]["PrivateIpAddress"]
    allocation, _ = world.elastic_ip(identifier, PrivateIpAddress=second)
    pair = {"InternetGatewayId": lab.gateway, "VpcId": lab.vpc}
    refused("DependencyViolation", ec2.detach_internet_gateway, **pair,
            text=f"Network {lab.vpc} has some mapped public address(es). Please unmap those "
                 "public address(es) before detaching the gateway.")
    world.release(allocation)
    ec2.detach_internet_gateway(**pair)
    ec2.attach_internet_gateway(**pair)


def test_default_vpc(world, ec2):
    """Its gateway is there from the start, in the kernel only when it is needed."""
    subnet, = ec2.describe_subnets(Filters=[
        {"Name": "cidr", "Values": ["172.31.0.0/20"]}])["Subnets"]
    identifier = ec2.create_network_interface(SubnetId=subnet["SubnetId"])[
        "NetworkInterface"]["NetworkInterfaceId"]
    allocation, address = world.elastic_ip(identifier)
    assert associations(ec2, identifier) == {read(ec2, allocation)["PrivateIpAddress"]: address}
    ec2.delete_network_interface(NetworkInterfaceId=identifier)


# Parameters.

@pytest.mark.parametrize("call, arguments, code", [
    ("associate_address", {}, "MissingParameter"),
    ("associate_address", {"AllocationId": UNKNOWN}, "InvalidAllocationID.NotFound"),
    ("associate_address", {"AllocationId": "door", "InstanceId": "i-1"}, "InvalidParameterValue"),
    ("associate_address", {"PublicIp": "198.18.77.7"}, "InvalidAddress.NotFound"),
    ("associate_address", {"PublicIp": "door"}, "InvalidAddress.Malformed"),
    ("associate_address", {"PublicIp": "198.18.77.7", "AllocationId": UNKNOWN},
     "InvalidParameterCombination"),
    ("disassociate_address", {}, "MissingParameter"),
    ("disassociate_address", {"AssociationId": NO_ASSOCIATION}, "InvalidAssociationID.NotFound"),
    ("disassociate_address", {"AssociationId": "door"}, "InvalidParameterValue"),
    ("disassociate_address", {"PublicIp": "198.18.77.7"}, "InvalidAddress.NotFound"),
    ("disassociate_address", {"PublicIp": "198.18.77.7", "AssociationId": NO_ASSOCIATION},
     "InvalidParameterCombination"),
    ("release_address", {}, "MissingParameter"),
    ("release_address", {"AllocationId": UNKNOWN}, "InvalidAllocationID.NotFound"),
    ("release_address", {"AllocationId": "door"}, "InvalidParameterValue"),
    ("release_address", {"PublicIp": "198.18.77.7"}, "InvalidAddress.NotFound"),
    ("release_address", {"PublicIp": "198.18.0.10"}, "InvalidAddress.NotFound"),
    ("release_address", {"PublicIp": "198.18.77.7", "AllocationId": UNKNOWN},
     "InvalidParameterCombination"),
    ("modify_address_attribute", {"AllocationId": UNKNOWN, "DomainName": "a.example"},
     "InvalidAllocationID.NotFound"),
    ("reset_address_attribute", {"AllocationId": UNKNOWN, "Attribute": "domain-name"},
     "InvalidAllocationID.NotFound"),
    ("describe_addresses_attribute", {"AllocationIds": [UNKNOWN]}, "InvalidAllocationID.NotFound"),
    ("describe_addresses_attribute", {"Attribute": "colour"}, "InvalidParameterValue"),
])
def test_refusals(ec2, call, arguments, code):
    refused(code, getattr(ec2, call), **arguments)


def test_targets(world, ec2, lab):
    allocation, _ = world.elastic_ip()
    refused("MissingParameter", ec2.associate_address, AllocationId=allocation)
    refused("InvalidParameterCombination", ec2.associate_address, AllocationId=allocation,
            InstanceId=lab.stopped, NetworkInterfaceId=first_card(world, lab.stopped))


def test_an_address_that_is_no_elastic_ip(world, ec2, launch):
    """The one that came with an instance can't be kept, moved or released."""
    address = world.public(launch(public=True))
    for call in (ec2.release_address, ec2.disassociate_address):
        refused("InvalidAddress.NotFound", call, PublicIp=address, text=NOT_FOUND.format(address))
    refused("InvalidAddress.NotFound", ec2.describe_addresses, PublicIps=[address])


# The domain name.

def test_domain_name(world, ec2):
    (one, first), (two, second) = world.elastic_ip(), world.elastic_ip()

    def attributes(*allocations, **more):
        return ec2.describe_addresses_attribute(AllocationIds=list(allocations),
                                                **more)["Addresses"]
    assert attributes() == [{"AllocationId": one, "PublicIp": first},
                            {"AllocationId": two, "PublicIp": second}]
    changed = ec2.modify_address_attribute(AllocationId=one, DomainName="mail.example.com")
    assert changed["Address"] == {
        "AllocationId": one, "PublicIp": first,
        "PtrRecordUpdate": {"Value": "mail.example.com.", "Status": "PENDING"}}
    assert attributes(one, Attribute="domain-name") == [
        {"AllocationId": one, "PublicIp": first, "PtrRecord": "mail.example.com."}]
    assert "PtrRecord" not in attributes(two)[0]
    refused("InvalidAddress.Locked", ec2.release_address, AllocationId=one,
            text=f"The address with allocation id [{one}] cannot be released because it is locked "
                 "to your account")
    for name in ("", "example", "a..example", "-a.example", "a b.example", "x" * 64 + ".example"):
        refused("InvalidParameterValue" if name else "MissingParameter",
                ec2.modify_address_attribute, AllocationId=one, DomainName=name)
    refused("InvalidParameterValue", ec2.reset_address_attribute, AllocationId=one,
            Attribute="colour")
    ec2.reset_address_attribute(AllocationId=one, Attribute="domain-name")
    assert "PtrRecord" not in attributes(one)[0]
    ec2.release_address(AllocationId=one)


def test_pages_of_attributes(world, ec2):
    wanted = sorted(world.elastic_ip()[0] for _ in range(3))
    pages = list(ec2.get_paginator("describe_addresses_attribute").paginate(
        PaginationConfig={"PageSize": 1}))
    assert sorted(names([page["Addresses"][0] for page in pages], "AllocationId")) == wanted
    assert all(len(page["Addresses"]) == 1 for page in pages)


def test_parameters_of_newer_clients(world):
    """What Debian's botocore doesn't know: IPAM pools are refused, what nobody has is unknown."""
    for name, code in (("IpamPoolId", "UnsupportedOperation"), ("Colour", "UnknownParameter")):
        reply = wire.call(world, "AllocateAddress", **{name: "blue"})
        assert (reply.status, reply.code) == (400, code)


# The daemon.

def test_a_restart_keeps_them(own_world):
    world, ec2 = own_world, own_world.ec2
    vpc = world.vpc()
    world.gateway(vpc)
    subnet = world.subnet(vpc, "10.0.1.0/24")
    one, two = (world.run_instances(subnet, public=True)[0] for _ in range(2))
    allocation, address = world.elastic_ip(one)
    spare, _ = world.elastic_ip()
    ec2.modify_address_attribute(AllocationId=spare, DomainName="a.example.com")
    ec2.create_tags(Resources=[spare], Tags=tags(Name="spare"))
    before = api_state(world)
    world.restart()
    assert api_state(world) == before
    # The indexes are there again: nobody gets an address that somebody has.
    three, = world.run_instances(subnet, public=True)
    assert len({world.public(instance) for instance in (one, two, three)}) == 3
    world.ec2.associate_address(AllocationId=allocation, InstanceId=two)
    assert world.public(two) == address and world.public(one) != address
