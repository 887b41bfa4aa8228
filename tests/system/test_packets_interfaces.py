"""Second cards and second addresses: what reaches them, and what may leave by them."""
import json
import types

import pytest

from lib import links


@pytest.fixture(scope="module")
def lab(world):
    """Two subnets of one zone, a neighbour in each, and a machine in the first."""
    vpc = world.open_vpc()
    front, back = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24")
    machine, near = world.run_instances(front, count=2)
    far, = world.run_instances(back)
    return types.SimpleNamespace(
        vpc=vpc, front=front, back=back, machine=machine, near=near, far=far,
        near_inside=world.private(near), far_inside=world.private(far))


@pytest.fixture
def card(world):
    """Makes interfaces for one test: ids and first addresses."""
    made, ec2 = [], world.ec2

    def create(subnet, **more):
        entry = ec2.create_network_interface(SubnetId=subnet, **more)["NetworkInterface"]
        made.append(entry["NetworkInterfaceId"])
        return made[-1], entry["PrivateIpAddress"]
    yield create
    for identifier in made:
        detach(world, identifier)
        ec2.delete_network_interface(NetworkInterfaceId=identifier)


def attach(world, identifier, instance, index=1):
    world.ec2.attach_network_interface(NetworkInterfaceId=identifier, InstanceId=instance,
                                       DeviceIndex=index)


def detach(world, identifier):
    entry, = world.ec2.describe_network_interfaces(
        NetworkInterfaceIds=[identifier])["NetworkInterfaces"]
    if "Attachment" in entry:
        world.ec2.detach_network_interface(AttachmentId=entry["Attachment"]["AttachmentId"])


def first_card(world, instance):
    return world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]


def answer_by(world, instance, device, address, router):
    """What ec2-net-utils does on Amazon Linux: what comes from the address leaves by its device."""
    world.exec(instance, f"ip rule add from {address} table 100")
    world.exec(instance, f"ip route add default via {router} dev {device} table 100")


def forget(world, instance, address):
    world.exec(instance, f"ip rule del from {address} table 100")


def assert_reaches_soon(world, place, address):
    """After it was silent: a neighbour asks again only a second after its last question."""
    world.assert_reaches(place, address, wait=3)


def rules(world, group, *permissions):
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions))


ICMP = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}
EVERYONE = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


# Second cards.

def test_a_card_is_reached_on_its_own_link(world, lab, card):
    identifier, address = card(lab.back)
    world.assert_silent(lab.far, address)  # nobody has it yet
    attach(world, identifier, lab.machine)
    assert_reaches_soon(world, lab.far, address)
    world.assert_reaches(lab.machine, lab.far_inside)
    assert world.talk(lab.machine, lab.far, address)["client_saw"] == address
    detach(world, identifier)
    world.assert_silent(lab.far, address)
    assert links(lab.machine) == {"lo", "eth0"}
    world.assert_reaches(lab.machine, lab.far_inside)  # by eth0 and its router, as before


def test_no_default_route_by_it(world, lab, card):
    identifier, address = card(lab.back)
    attach(world, identifier, lab.machine)
    found = json.loads(world.exec(lab.machine, "ip -j route"))
    assert sorted((route["dst"], route["dev"]) for route in found) == [
        ("10.0.1.0/24", "eth0"), ("10.0.2.0/24", "eth1"), ("default", "eth0")]
    shown = json.loads(world.exec(lab.machine, "ip -j address show eth1"))[0]
    assert shown["mtu"] == 9001 and shown["operstate"] == "UP"
    assert [entry["local"] for entry in shown["addr_info"]] == [address]


def test_in_by_one_and_out_by_the_other_is_dropped(world, lab, card):
    """Row 56: the answer leaves by eth0, whose address isn't its source."""
    identifier, address = card(lab.back)
    attach(world, identifier, lab.machine)
    world.assert_silent(lab.near, address)
    # It is the source check: without it on eth0 the answer passes …
    first = first_card(world, lab.machine)
    modify = world.ec2.modify_network_interface_attribute
    modify(NetworkInterfaceId=first, SourceDestCheck={"Value": False})
    world.assert_reaches(lab.near, address)
    modify(NetworkInterfaceId=first, SourceDestCheck={"Value": True})
    world.assert_silent(lab.near, address)
    # … and so it does by its own device.
    answer_by(world, lab.machine, "eth1", address, "10.0.2.1")
    try:
        world.assert_reaches(lab.near, address)
    finally:
        forget(world, lab.machine, address)


def test_a_card_in_the_same_subnet(world, lab, card):
    identifier, address = card(lab.front)
    attach(world, identifier, lab.machine)
    world.assert_silent(lab.near, address)  # the subnet is eth0's in the guest's table
    answer_by(world, lab.machine, "eth1", address, "10.0.1.1")
    try:
        for place in (lab.near, lab.far):
            assert_reaches_soon(world, place, address)
            world.assert_reaches(place, world.private(lab.machine))
    finally:
        forget(world, lab.machine, address)


def test_groups_of_its_own(world, lab, card):
    shut = world.security_group(lab.vpc, "shut")
    identifier, address = card(lab.back, Groups=[shut])
    attach(world, identifier, lab.machine)
    world.assert_silent(lab.far, address)
    world.assert_reaches(lab.near, world.private(lab.machine))  # eth0 has the open one
    rules(world, shut, {**ICMP, **EVERYONE})
    world.assert_reaches(lab.far, address)
    assert world.talk(lab.machine, lab.far, address) is None


def test_another_s_card(world, lab, card):
    """A card that is moved is the same: its address and MAC, in another machine."""
    identifier, address = card(lab.back)
    macs = []
    for holder, other in ((lab.machine, lab.near), (lab.near, lab.machine)):
        attach(world, identifier, holder)
        macs.append(world.exec(holder, "cat /sys/class/net/eth1/address"))
        assert world.talk(holder, lab.far, address)["client_saw"] == address
        assert "eth1" not in links(other)
        detach(world, identifier)
    assert macs[0] == macs[1]


def test_a_reboot_and_a_stop_keep_it(world, lab, card):
    identifier, address = card(lab.back)
    instance, = world.run_instances(lab.front)
    attach(world, identifier, instance)
    world.reboot(instance)
    world.assert_reaches(lab.far, address)
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    world.assert_silent(lab.far, address)
    world.ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert_reaches_soon(world, lab.far, address)
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    world.assert_silent(lab.far, address)


# Second addresses.

@pytest.fixture
def second(world, lab):
    """Gives a machine's first card another address for one test."""
    given = []

    def assign(instance, address, **more):
        identifier = first_card(world, instance)
        world.ec2.assign_private_ip_addresses(NetworkInterfaceId=identifier,
                                              PrivateIpAddresses=[address], **more)
        given.append((identifier, address))
        return identifier
    yield assign
    for identifier, address in given:
        if world.ec2.describe_network_interfaces(Filters=[
                {"Name": "network-interface-id", "Values": [identifier]},
                {"Name": "addresses.private-ip-address", "Values": [address]}])[
                    "NetworkInterfaces"]:
            world.ec2.unassign_private_ip_addresses(NetworkInterfaceId=identifier,
                                                    PrivateIpAddresses=[address])


def test_an_address_is_live_when_assigned(world, lab, second):
    address = "10.0.1.77"
    for place in (lab.near, lab.far):
        world.assert_silent(place, address)
    identifier = second(lab.machine, address)
    for place, inside in ((lab.near, lab.near_inside), (lab.far, lab.far_inside)):
        assert_reaches_soon(world, place, address)
        world.assert_reaches(lab.machine, inside, options=f"-I {address}")
        assert world.talk(lab.machine, place, address)["client_saw"] == address
    # What the machine sends by itself is the first one's.
    assert world.talk(lab.near, lab.machine, lab.near_inside)["server_saw"] == \
        world.private(lab.machine)
    world.ec2.unassign_private_ip_addresses(NetworkInterfaceId=identifier,
                                            PrivateIpAddresses=[address])
    for place in (lab.near, lab.far):
        world.assert_silent(place, address)
    assert address not in world.exec(lab.machine, "ip address")


def test_an_address_of_nobody_is_no_source(world, lab, second):
    """The guest may think what it likes: the check is the API's."""
    address = "10.0.1.78"
    world.exec(lab.machine, f"ip address add {address}/32 dev eth0")
    try:
        world.assert_silent(lab.machine, lab.near_inside, options=f"-I {address}")
        second(lab.machine, address)
        world.assert_reaches(lab.machine, lab.near_inside, options=f"-I {address}")
    finally:
        world.exec(lab.machine, f"ip address del {address}/32 dev eth0")


def test_an_address_moves(world, lab, second):
    address = "10.0.1.79"
    second(lab.machine, address)
    assert world.talk(lab.machine, lab.far, address)["client_saw"] == address
    second(lab.near, address, AllowReassignment=True)
    assert world.talk(lab.near, lab.far, address)["client_saw"] == address
    assert world.talk(lab.near, lab.machine, address)["client_saw"] == address
    assert address not in world.exec(lab.machine, "ip address")
    world.assert_reaches(lab.far, world.private(lab.machine))


def test_an_address_is_a_member(world, lab, second):
    """A rule that names a group counts every address of its members, those that come too."""
    friends, served = (world.security_group(lab.vpc, name) for name in ("friends", "served"))
    rules(world, served, {**ICMP, "UserIdGroupPairs": [{"GroupId": friends}]})
    server, = world.run_instances(lab.back, SecurityGroupIds=[served])
    client, = world.run_instances(lab.front, SecurityGroupIds=[friends])
    inside, address = world.private(server), "10.0.1.80"
    world.assert_silent(lab.near, inside)
    world.assert_reaches(client, inside)
    second(client, address)
    world.assert_reaches(client, inside, options=f"-I {address}")
    second(lab.near, address, AllowReassignment=True)  # which is no friend
    world.assert_silent(lab.near, inside, options=f"-I {address}")
    world.ec2.terminate_instances(InstanceIds=[server, client])
    world.await_state("terminated", server, client)


def test_second_addresses_from_the_start(world, lab):
    reply = world.ec2.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="t3.small",
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": lab.front, "PrivateIpAddresses": [
            {"PrivateIpAddress": "10.0.1.90", "Primary": True},
            {"PrivateIpAddress": "10.0.1.91", "Primary": False}]},
            {"DeviceIndex": 1, "SubnetId": lab.back, "SecondaryPrivateIpAddressCount": 2}])
    instance = reply["Instances"][0]["InstanceId"]
    world.await_state("running", instance)
    front, back = ([entry["PrivateIpAddress"] for entry in found["PrivateIpAddresses"]]
                   for found in world.instance(instance)["NetworkInterfaces"])
    assert front == ["10.0.1.90", "10.0.1.91"] and len(back) == 3
    for place, reached in ((lab.near, front), (lab.far, back)):
        for address in reached:
            world.assert_reaches(place, address)
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
