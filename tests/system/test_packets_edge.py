"""A gateway's route table: what comes in from the Internet by way of an appliance."""
import json
import types

import pytest

from lib import INTERNET

FORWARD = "echo 1 > /proc/sys/net/ipv4/ip_forward"
WATCH = ("nft add table ip watch && "
         "nft 'add chain ip watch forward {{ type filter hook forward priority 0; }}' && "
         "nft add rule ip watch forward ip daddr {0} counter && "
         "nft add rule ip watch forward ip saddr {0} counter")
VPC, APP, MIDDLE, THIRD = "10.0.0.0/16", "10.0.1.0/24", "10.0.4.0/24", "10.0.3.0/24"
ANY = "0.0.0.0/0"


def interface(world, instance):
    return world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]


@pytest.fixture(scope="module")
def net(world):
    """
    A guest whose way out leads by a box in another subnet, and whose way in may; a neighbour that
    the gateway serves directly; and a box that has no public address.
    """
    ec2, vpc = world.ec2, world.open_vpc(VPC)
    gateway = world.gateway(vpc)
    app, middle, third = (world.subnet(vpc, block) for block in (APP, MIDDLE, THIRD))
    out = world.route_table(vpc, app)
    for subnet in (middle, third):
        world.route_table(vpc, subnet, gateway)
    guest, = world.run_instances(app, public=True)
    neighbour, = world.run_instances(third, public=True)
    box, = world.run_instances(middle, public=True)
    hidden, = world.run_instances(middle, public=False)
    found = types.SimpleNamespace(
        vpc=vpc, gateway=gateway, app=app, guest=guest, neighbour=neighbour, box=box,
        hidden=hidden, inside=world.private(guest), box_inside=world.private(box),
        edge=world.route_table(vpc))
    for one in (box, hidden):
        ec2.modify_instance_attribute(InstanceId=one, SourceDestCheck={"Value": False})
        prepare(world, found, one)
    ec2.create_route(RouteTableId=out, DestinationCidrBlock=ANY, InstanceId=box)
    found.association = ec2.associate_route_table(
        RouteTableId=found.edge, GatewayId=gateway)["AssociationId"]
    return found


def prepare(world, net, box):
    """It forwards, and counts what it forwards to the guest and from it."""
    world.exec(box, ["sh", "-c", FORWARD])
    world.exec(box, ["sh", "-c", WATCH.format(net.inside)])


@pytest.fixture
def lead(world, net):
    """Makes routes of the gateway's table by way of a box; they are put back."""
    made = []

    def by(block, box):
        target = {"DestinationCidrBlock": block, "NetworkInterfaceId": interface(world, box)}
        call = world.ec2.replace_route if block == VPC else world.ec2.create_route
        call(RouteTableId=net.edge, **target)
        made.append(block)

    yield by
    for block in made:
        if block == VPC:
            world.ec2.replace_route(RouteTableId=net.edge, DestinationCidrBlock=VPC,
                                    LocalTarget=True)
        else:
            world.ec2.delete_route(RouteTableId=net.edge, DestinationCidrBlock=block)


def forwarded(world, box):
    """Packets forwarded to the guest and from it."""
    rules = json.loads(world.exec(box, "nft -j list chain ip watch forward"))["nftables"]
    return [part["counter"]["packets"] for entry in rules if "rule" in entry
            for part in entry["rule"]["expr"] if "counter" in part]


class Passing:
    """What the box forwards in the block: `inward` and `outward`."""

    def __init__(self, world, box):
        self.world, self.box = world, box

    def __enter__(self):
        self.before = forwarded(self.world, self.box)
        return self

    def __exit__(self, *_):
        self.inward, self.outward = (
            after - before for before, after in
            zip(self.before, forwarded(self.world, self.box)))


def assert_by_the_box(world, net, count=3):
    """A ping from the Internet passes the box on both ways, each packet once."""
    with Passing(world, net.box) as passing:
        world.assert_reaches(INTERNET, world.public(net.guest), count=count)
    assert (passing.inward, passing.outward) == (count, count)


def assert_local(world, net, count=3):
    """The way out leads by the box still."""
    with Passing(world, net.box) as passing:
        world.assert_reaches(INTERNET, world.public(net.guest), count=count)
    assert (passing.inward, passing.outward) == (0, count)


def test_without_a_route_all_is_local(world, net):
    assert_local(world, net)


@pytest.mark.parametrize("block", [APP, VPC])
def test_in_and_out_by_the_box(world, net, lead, block):
    host, public = world.internet_address(), world.public(net.guest)
    lead(block, net.box)
    assert_by_the_box(world, net)
    with Passing(world, net.box) as passing:
        world.assert_reaches(net.guest, host, count=3)
    assert (passing.inward, passing.outward) == (3, 3)
    for kind in ("tcp", "udp"):
        with Passing(world, net.box) as passing:
            assert world.talk(net.guest, INTERNET, public, kind) == {
                "server_saw": host, "client_saw": public, "client_is": host}
        assert passing.inward > 0 and passing.outward > 0
        with Passing(world, net.box) as passing:
            assert world.talk(INTERNET, net.guest, host, kind) == {
                "server_saw": public, "client_saw": host, "client_is": net.inside}
        assert passing.inward > 0 and passing.outward > 0
    world.assert_reaches(INTERNET, world.public(net.box))  # for itself
    world.assert_reaches(INTERNET, world.public(net.neighbour))


def test_only_the_box_is_a_hop(world, net, lead):
    def who(place, address):
        """Who says that the time to live is over, hop by hop, until somebody answers."""
        said = []
        for ttl in range(1, 6):
            ping = world.ping(place, address, count=1, options=f"-t {ttl}")
            if ping.received:
                return said
            said += [error.split()[1] for error in ping.errors]
        pytest.fail(f"{address} is nowhere: {said}")

    host, public = world.internet_address(), world.public(net.guest)
    before_in, before_out = who(INTERNET, public), who(net.guest, host)
    lead(APP, net.box)
    assert who(INTERNET, public) == [*before_in, world.public(net.box)]
    # The box was on this way before; its answer to what comes back is for it alone.
    assert who(net.guest, host) == before_out and before_out[0] == net.box_inside


def test_errors_find_the_way_back(world, net, lead):
    lead(APP, net.box)
    with Passing(world, net.box) as passing:
        ping = world.ping(net.guest, world.internet_address(), count=1,
                          options="-M do -s 2000")
        assert ping.received == 0 and "mtu = 1500" in ping.text.lower(), ping
    assert passing.inward > 0
    world.exec(net.guest, "ip route flush cache")


def test_within_the_vpc_nothing_changes(world, net, lead):
    lead(VPC, net.box)
    with Passing(world, net.box) as passing:
        world.assert_reaches(net.neighbour, net.inside)
    assert (passing.inward, passing.outward) == (0, 0)


def test_a_hairpin_comes_in_by_the_gateway_too(world, net, lead):
    public = world.public(net.guest)
    with Passing(world, net.box) as passing:
        world.assert_reaches(net.neighbour, public, count=2)
    assert (passing.inward, passing.outward) == (0, 2)
    lead(APP, net.box)
    with Passing(world, net.box) as passing:
        world.assert_reaches(net.neighbour, public, count=2)
    assert (passing.inward, passing.outward) == (2, 2)


def test_row_55_a_box_without_a_public_address(world, net, lead):
    public = world.public(net.guest)
    lead(APP, net.hidden)
    with Passing(world, net.hidden) as passing:
        world.assert_silent(INTERNET, public)
    assert (passing.inward, passing.outward) == (0, 0)
    world.ec2.replace_route(RouteTableId=net.edge, DestinationCidrBlock=APP,
                            NetworkInterfaceId=interface(world, net.box))
    assert_by_the_box(world, net)


def test_a_checked_box_gets_nothing_foreign(world, net, lead):
    public = world.public(net.guest)
    lead(APP, net.box)
    world.ec2.modify_instance_attribute(InstanceId=net.box, SourceDestCheck={"Value": True})
    try:
        with Passing(world, net.box) as passing:
            world.assert_silent(INTERNET, public)
        assert passing.inward == 0
    finally:
        world.ec2.modify_instance_attribute(InstanceId=net.box, SourceDestCheck={"Value": False})
    assert_by_the_box(world, net)


def test_a_stopped_box_is_a_blackhole(world, net, lead):
    """No fallback to the local route; the way in is there again when the box is."""
    lead(APP, net.box)
    assert_by_the_box(world, net)
    world.ec2.stop_instances(InstanceIds=[net.box])
    world.assert_silent(INTERNET, world.public(net.guest))
    world.await_state("stopped", net.box)
    world.assert_silent(INTERNET, world.public(net.guest))
    found = world.ec2.describe_route_tables(RouteTableIds=[net.edge])["RouteTables"][0]["Routes"]
    assert {route["DestinationCidrBlock"]: route["State"] for route in found} == {
        VPC: "active", APP: "blackhole"}
    world.assert_reaches(INTERNET, world.public(net.neighbour))
    world.ec2.start_instances(InstanceIds=[net.box])
    world.await_state("running", net.box)
    prepare(world, net, net.box)
    assert_by_the_box(world, net)


def test_local_again(world, net, lead):
    lead(VPC, net.box)
    assert_by_the_box(world, net)
    world.ec2.replace_route(RouteTableId=net.edge, DestinationCidrBlock=VPC, LocalTarget=True)
    assert_local(world, net)


def test_the_association_decides(world, net, lead):
    lead(APP, net.box)
    assert_by_the_box(world, net)
    other = world.route_table(net.vpc)
    moved = world.ec2.replace_route_table_association(
        AssociationId=net.association, RouteTableId=other)["NewAssociationId"]
    assert_local(world, net)
    world.ec2.disassociate_route_table(AssociationId=moved)
    assert_local(world, net)
    net.association = world.ec2.associate_route_table(
        RouteTableId=net.edge, GatewayId=net.gateway)["AssociationId"]
    assert_by_the_box(world, net)


def test_a_subnet_that_comes_later(world, net, lead):
    """All of it is local, but for what the local route says."""
    subnet = world.subnet(net.vpc, "10.0.5.0/24")
    world.route_table(net.vpc, subnet, net.gateway)
    late, = world.run_instances(subnet, public=True)
    lead(APP, net.box)
    world.assert_reaches(INTERNET, world.public(late))
    lead(VPC, net.box)
    errors = [error for ttl in range(1, 5) for error in world.ping(
        INTERNET, world.public(late), count=1, options=f"-t {ttl}").errors]
    assert world.public(net.box) in " ".join(errors)
    world.assert_reaches(INTERNET, world.public(late))
    world.ec2.terminate_instances(InstanceIds=[late])


def test_a_restart_keeps_the_way(world, net, lead):
    lead(APP, net.box)
    world.restart()
    assert_by_the_box(world, net)


def test_a_gateway_that_was_away(world, net, lead):
    """The table is its own still when it is attached again."""
    lead(APP, net.box)
    everyone = [net.guest, net.box, net.neighbour]
    world.ec2.stop_instances(InstanceIds=everyone)  # their public addresses go
    world.await_state("stopped", *everyone)
    world.ec2.detach_internet_gateway(InternetGatewayId=net.gateway, VpcId=net.vpc)
    world.ec2.attach_internet_gateway(InternetGatewayId=net.gateway, VpcId=net.vpc)
    world.ec2.start_instances(InstanceIds=everyone)
    world.await_state("running", *everyone)
    prepare(world, net, net.box)
    assert_by_the_box(world, net)
