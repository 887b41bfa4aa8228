"""Routes by way of an interface: middleboxes and NAT instances, with real forwarding inside."""
import types

import pytest

from lib import INTERNET

FORWARD = "echo 1 > /proc/sys/net/ipv4/ip_forward"
MASQUERADE = ("nft add table ip nat && "
              "nft 'add chain ip nat post { type nat hook postrouting priority 100; }' && "
              "nft add rule ip nat post masquerade")
BLOCKS = {"left": "10.0.1.0/24", "right": "10.0.2.0/24", "third": "10.0.3.0/24",
          "middle": "10.0.4.0/24"}


@pytest.fixture(scope="module")
def lab(world):
    """Three subnets with an instance each, and two appliances in a fourth, which has a way out."""
    vpc = world.open_vpc()
    subnets = {name: world.subnet(vpc, block) for name, block in BLOCKS.items()}
    tables = {name: world.route_table(vpc, subnet) for name, subnet in subnets.items()}
    gateway = world.gateway(vpc)
    for name in ("middle", "third"):
        world.ec2.create_route(RouteTableId=tables[name], GatewayId=gateway,
                               DestinationCidrBlock="0.0.0.0/0")
    guests = {name: world.run_instances(subnets[name], public=name == "third")[0]
              for name in ("left", "right", "third")}
    boxes = world.run_instances(subnets["middle"], count=2, public=True)
    for box in boxes:
        world.exec(box, ["sh", "-c", FORWARD])
    return types.SimpleNamespace(
        world=world, vpc=vpc, subnets=subnets, tables=tables, boxes=boxes,
        inside={guest: world.private(guest) for guest in (*guests.values(), *boxes)}, **guests)


def check(world, box, value):
    world.ec2.modify_instance_attribute(InstanceId=box, SourceDestCheck={"Value": value})


@pytest.fixture
def route(world, lab):
    """Makes routes by way of a box; they and its check are put back."""
    made = []

    def by(name, block, box, unchecked=True):
        world.ec2.create_route(RouteTableId=lab.tables[name], DestinationCidrBlock=block,
                               InstanceId=box)
        made.append((name, block))
        check(world, box, not unchecked)

    yield by
    for name, block in made:
        world.ec2.delete_route(RouteTableId=lab.tables[name], DestinationCidrBlock=block)
    for box in lab.boxes:
        check(world, box, True)


def first_hop(world, place, address):
    """Who says that the time to live is over, one hop on."""
    errors = world.ping(place, address, count=1, options="-t 1").errors
    return errors[0].split()[1] if errors else None


def state(world, lab, name, block):
    routes = world.ec2.describe_route_tables(
        RouteTableIds=[lab.tables[name]])["RouteTables"][0]["Routes"]
    return next(one["State"] for one in routes if one.get("DestinationCidrBlock") == block)


def test_row_13_a_checked_interface_gets_nothing_foreign(world, lab, route):
    box = lab.boxes[0]
    route("left", BLOCKS["right"], box, unchecked=False)
    assert state(world, lab, "left", BLOCKS["right"]) == "active"
    world.assert_silent(lab.left, lab.inside[lab.right])
    world.assert_reaches(lab.left, lab.inside[box])  # for itself


def test_row_14_an_appliance_forwards_both_ways(world, lab, route):
    box = lab.boxes[0]
    route("left", BLOCKS["right"], box)
    route("right", BLOCKS["left"], box)
    world.assert_reaches(lab.left, lab.inside[lab.right])
    for place, other in ((lab.left, lab.right), (lab.right, lab.left)):
        assert first_hop(world, place, lab.inside[other]) == lab.inside[box]
        for kind in ("tcp", "udp"):
            assert world.talk(other, place, lab.inside[other], kind) == {
                "server_saw": lab.inside[place], "client_saw": lab.inside[other],
                "client_is": lab.inside[place]}
    check(world, box, True)  # both ways at once
    world.assert_silent(lab.left, lab.inside[lab.right])
    check(world, box, False)
    world.assert_reaches(lab.left, lab.inside[lab.right])


def test_row_14_the_appliances_own_groups_apply(world, lab, route):
    box = lab.boxes[0]
    route("left", BLOCKS["right"], box)
    before = world.instance(box)["SecurityGroups"][0]["GroupId"]
    group = world.ec2.create_security_group(GroupName="closed", Description="no way in",
                                            VpcId=lab.vpc)["GroupId"]
    try:
        world.ec2.modify_instance_attribute(InstanceId=box, Groups=[group])
        world.assert_silent(lab.left, lab.inside[lab.right])
        world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1,
             "IpRanges": [{"CidrIp": lab.inside[lab.left] + "/32"}]}])
        world.assert_reaches(lab.left, lab.inside[lab.right])
    finally:
        world.ec2.modify_instance_attribute(InstanceId=box, Groups=[before])
        world.ec2.delete_security_group(GroupId=group)


def test_row_54_only_what_leaves_the_subnet_is_steered(world, lab, route):
    box, = lab.boxes[:1]
    second, = world.run_instances(lab.subnets["left"])
    route("right", BLOCKS["left"], box)
    assert first_hop(world, lab.right, lab.inside[lab.left]) == lab.inside[box]
    assert first_hop(world, second, lab.inside[lab.left]) is None
    world.assert_reaches(second, lab.inside[lab.left], options="-t 1")
    assert first_hop(world, lab.third, lab.inside[lab.left]) is None  # its table says nothing
    world.ec2.terminate_instances(InstanceIds=[second])


def test_two_subnets_by_two_appliances_of_one(world, lab, route):
    """Each by its own, though the destination and the appliances' subnet are the same."""
    one, two = lab.boxes
    route("left", BLOCKS["right"], one)
    route("third", BLOCKS["right"], two)
    assert first_hop(world, lab.left, lab.inside[lab.right]) == lab.inside[one]
    assert first_hop(world, lab.third, lab.inside[lab.right]) == lab.inside[two]
    world.assert_reaches(lab.left, lab.inside[lab.right])
    world.assert_reaches(lab.third, lab.inside[lab.right])


def test_the_longest_prefix_decides(world, lab, route):
    one, two = lab.boxes
    host = world.internet_address()
    route("left", "0.0.0.0/0", one)
    route("left", BLOCKS["right"], two)
    assert first_hop(world, lab.left, lab.inside[lab.right]) == lab.inside[two]
    assert first_hop(world, lab.left, host) == lab.inside[one]
    assert first_hop(world, lab.left, lab.inside[lab.third]) is None  # local
    world.assert_reaches(lab.left, lab.inside[lab.third])


def test_row_10_a_stopped_appliance_is_a_blackhole(world, lab, route):
    """No fallback: to the local route neither, nor to the default route."""
    box = lab.boxes[0]
    route("third", BLOCKS["left"], box)
    route("third", "198.18.0.0/16", box)
    world.assert_reaches(lab.third, lab.inside[lab.left])
    world.ec2.stop_instances(InstanceIds=[box])
    for block, address in ((BLOCKS["left"], lab.inside[lab.left]),
                           ("198.18.0.0/16", world.internet_address())):
        assert state(world, lab, "third", block) == "blackhole"
        world.assert_silent(lab.third, address)
    world.await_state("stopped", box)
    world.assert_silent(lab.third, lab.inside[lab.left])
    world.ec2.start_instances(InstanceIds=[box])
    world.await_state("running", box)
    world.exec(box, ["sh", "-c", FORWARD])
    world.assert_reaches(lab.third, lab.inside[lab.left])
    assert state(world, lab, "third", BLOCKS["left"]) == "active"


def test_the_local_route_by_an_appliance(world, lab):
    """All that leaves the subnet for the VPC goes that way, until the target is local again."""
    box, ec2 = lab.boxes[0], world.ec2
    check(world, box, False)
    ec2.replace_route(RouteTableId=lab.tables["left"], DestinationCidrBlock="10.0.0.0/16",
                      NetworkInterfaceId=world.instance(box)["NetworkInterfaces"][0][
                          "NetworkInterfaceId"])
    try:
        for guest in (lab.right, lab.third):
            assert first_hop(world, lab.left, lab.inside[guest]) == lab.inside[box]
            world.assert_reaches(lab.left, lab.inside[guest])
        world.assert_reaches(lab.left, lab.inside[box])
        check(world, box, True)
        world.assert_silent(lab.left, lab.inside[lab.right])
    finally:
        ec2.replace_route(RouteTableId=lab.tables["left"], DestinationCidrBlock="10.0.0.0/16",
                          LocalTarget=True)
    assert first_hop(world, lab.left, lab.inside[lab.right]) is None
    world.assert_reaches(lab.left, lab.inside[lab.right])


def test_row_32_a_nat_instance(world, lab, route):
    """Masquerading inside, by the guest's own nftables."""
    box, host = lab.boxes[1], world.internet_address()
    world.exec(box, ["sh", "-c", MASQUERADE])
    try:
        world.assert_silent(lab.left, host)
        route("left", "0.0.0.0/0", box)
        world.assert_reaches(lab.left, host)
        for kind in ("tcp", "udp"):
            seen = world.talk(INTERNET, lab.left, host, kind)
            assert seen["server_saw"] == world.public(box)
            assert seen["client_is"] == lab.inside[lab.left]
        check(world, box, True)
        world.assert_silent(lab.left, host)
    finally:
        world.exec(box, "nft delete table ip nat")


def test_a_restart_keeps_the_way(world, lab, route):
    box = lab.boxes[0]
    route("left", BLOCKS["right"], box)
    world.restart()
    assert first_hop(world, lab.left, lab.inside[lab.right]) == lab.inside[box]
    world.assert_reaches(lab.left, lab.inside[lab.right])


def test_a_terminated_appliance_leaves_a_blackhole(world, lab):
    box, = world.run_instances(lab.subnets["middle"])
    check(world, box, False)
    world.exec(box, ["sh", "-c", FORWARD])
    world.ec2.create_route(RouteTableId=lab.tables["left"], InstanceId=box,
                           DestinationCidrBlock=BLOCKS["right"])
    world.assert_reaches(lab.left, lab.inside[lab.right])
    world.ec2.terminate_instances(InstanceIds=[box])
    world.assert_silent(lab.left, lab.inside[lab.right])
    assert state(world, lab, "left", BLOCKS["right"]) == "blackhole"
    world.ec2.delete_route(RouteTableId=lab.tables["left"], DestinationCidrBlock=BLOCKS["right"])
    world.assert_reaches(lab.left, lab.inside[lab.right])


def test_an_appliance_beside_whom_it_leads_to(world, lab):
    """
    Both are responders of one connection in one namespace, and each tracks it for itself: so the
    answer that goes straight back needs no rule of either.
    """
    box = lab.boxes[0]
    quiet = world.security_group(lab.vpc, "answers only")
    world.ec2.revoke_security_group_egress(GroupId=quiet, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    world.ec2.authorize_security_group_ingress(GroupId=quiet, IpPermissions=[
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1,
         "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
    beside, = world.run_instances(lab.subnets["middle"], SecurityGroupIds=[quiet])
    world.assert_reaches(lab.left, world.private(beside))
    world.ec2.create_route(RouteTableId=lab.tables["left"], InstanceId=box,
                           DestinationCidrBlock=BLOCKS["middle"])
    check(world, box, False)
    assert first_hop(world, lab.left, world.private(beside)) == lab.inside[box]
    world.assert_reaches(lab.left, world.private(beside))
    world.ec2.delete_route(RouteTableId=lab.tables["left"], DestinationCidrBlock=BLOCKS["middle"])
    check(world, box, True)
