"""What must not meet doesn't: VPCs, worlds, regions, the host."""
import subprocess

import pytest

from lib import INTERNET, environment, namespaces, wait_for


@pytest.fixture(autouse=True)
def cleared(request):
    """AWS allows five VPCs in a region."""
    yield
    if "world" in request.fixturenames:
        request.getfixturevalue("world").clear()


def pair(world, base="10.0"):
    """A VPC with two subnets and an instance in each."""
    vpc = world.open_vpc(f"{base}.0.0/16")
    table = world.route_table(vpc, gateway=world.gateway(vpc))
    subnets = [world.subnet(vpc, f"{base}.{n}.0/24") for n in (1, 2)]
    for subnet in subnets:
        world.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return [world.run_instances(subnet, public=True, address=f"{base}.{n}.50")[0]
            for n, subnet in enumerate(subnets, 1)]


def serve_name(world, place, name):
    return world.spawn(place, ["python3", "-c",
                               "import socket, sys; s = socket.create_server(('', 7200));\n"
                               "while True:\n c, _ = s.accept(); c.sendall(sys.argv[1].encode());"
                               " c.close()", name])


def ask_name(world, place, address):
    def ask():
        done = world.exec(place, ["python3", "-c",
                                  "import socket, sys; s = socket.create_connection((sys.argv[1],"
                                  " 7200), 2); print(s.recv(100).decode())", address], check=False)
        return done.stdout.strip()
    return wait_for(ask, 10, f"the server at {address}")


def test_equal_cidrs_side_by_side(world):
    """Two VPCs, the same addresses in use in both: each sees its own."""
    vpcs = []
    for name in ("red", "blue"):
        vpc = world.open_vpc("10.9.0.0/16")
        subnets = [world.subnet(vpc, f"10.9.{n}.0/24") for n in (1, 2)]
        server, = world.run_instances(subnets[0], address="10.9.1.10")
        client, = world.run_instances(subnets[1], address="10.9.2.10")
        serve_name(world, server, name)
        vpcs.append((name, server, client, subnets))
    for name, server, client, _ in vpcs:
        assert ask_name(world, client, "10.9.1.10") == name
    _, _, client, subnets = vpcs[1]
    lonely, = world.run_instances(vpcs[0][3][0], address="10.9.1.77")
    world.assert_reaches(vpcs[0][2], "10.9.1.77")
    world.assert_silent(client, "10.9.1.77")
    world.ec2.terminate_instances(InstanceIds=[lonely])


def test_vpcs_do_not_see_each_other(world):
    mine, other = pair(world, "10.7"), pair(world, "10.8")
    for address in (world.private(other[0]), "10.8.1.1"):
        world.assert_silent(mine[0], address)
    # By public address they meet, as any two hosts on the Internet.
    assert world.talk(other[0], mine[0], world.public(other[0])) == {
        "server_saw": world.public(mine[0]), "client_saw": world.public(other[0]),
        "client_is": world.private(mine[0])}


def test_two_worlds_at_once(make_world):
    """The same CIDRs, the same calls; one goes down and the other doesn't notice."""
    with make_world() as first:
        here = pair(first)
        serve_name(first, here[1], "first")
        assert ask_name(first, here[0], first.private(here[1])) == "first"
        with make_world() as second:
            there = pair(second)
            assert first.private(here[0]) == second.private(there[0])
            for world, instances in ((first, here), (second, there)):
                world.assert_reaches(instances[0], world.private(instances[1]))
                world.assert_reaches(instances[0], world.internet_address())
                world.assert_reaches(INTERNET, world.public(instances[0]))
            assert second.ec2.describe_vpcs(Filters=[
                {"Name": "vpc-id", "Values": [first.instance(here[0])["VpcId"]]}])["Vpcs"] == []
            serve_name(second, there[1], "second")
            assert ask_name(first, here[0], first.private(here[1])) == "first"
            assert ask_name(second, there[0], second.private(there[1])) == "second"
        first.assert_reaches(here[0], first.private(here[1]))
        first.assert_reaches(INTERNET, first.public(here[0]))
        assert set(here) <= set(namespaces()) and not set(there) & set(namespaces())


def test_regions_meet_only_on_the_internet(world):
    east = world.default_instance("us-east-1", "172.31.0.77")
    west = world.default_instance("eu-west-1", "172.31.0.88")
    world.assert_silent(east["InstanceId"], "172.31.0.88")
    world.assert_silent(west["InstanceId"], "172.31.0.77")
    assert world.talk(west["InstanceId"], east["InstanceId"], west["PublicIpAddress"]) == {
        "server_saw": east["PublicIpAddress"], "client_saw": west["PublicIpAddress"],
        "client_is": "172.31.0.77"}


def test_default_vpc_appears_in_the_kernel_with_its_first_instance(own_world):
    default = own_world.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    assert default not in namespaces()
    own_world.open(default)
    instance, = own_world.run_instances(
        own_world.ec2.describe_subnets()["Subnets"][0]["SubnetId"])
    assert default in namespaces()
    own_world.assert_reaches(instance, own_world.internet_address())
    own_world.assert_reaches(INTERNET, own_world.public(instance))


def test_a_subnet_has_its_namespace_when_create_subnet_answers(world):
    vpc = world.open_vpc("10.20.0.0/16")
    subnet = world.subnet(vpc, "10.20.1.0/24")
    assert {vpc, subnet} <= set(namespaces())
    gateway = world.gateway()
    assert gateway not in namespaces() or not has_port(gateway)
    world.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert gateway in namespaces()
    world.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    world.ec2.delete_internet_gateway(InternetGatewayId=gateway)
    world.ec2.delete_subnet(SubnetId=subnet)
    assert gateway not in namespaces() and subnet not in namespaces()
    world.ec2.delete_vpc(VpcId=vpc)
    assert vpc not in namespaces()


def has_port(namespace):
    done = subprocess.run(["ip", "netns", "exec", namespace, "ip", "-o", "link"], check=True,
                          capture_output=True, text=True, env=environment())
    return any("fabric" in line for line in done.stdout.splitlines())


def test_a_blackhole_has_no_fallback(world):
    """A detached gateway's more specific route swallows what 0/0 would carry."""
    vpc = world.open_vpc("10.30.0.0/16")
    old, new = world.gateway(vpc), world.gateway()
    subnet = world.subnet(vpc, "10.30.1.0/24")
    table = world.route_table(vpc, subnet, old)
    host = world.internet_address() + "/32"
    world.ec2.create_route(RouteTableId=table, DestinationCidrBlock=host, GatewayId=old)
    world.ec2.detach_internet_gateway(InternetGatewayId=old, VpcId=vpc)
    world.ec2.attach_internet_gateway(InternetGatewayId=new, VpcId=vpc)
    instance, = world.run_instances(subnet, public=True)
    world.assert_silent(instance, world.internet_address())
    world.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=new)
    world.assert_silent(instance, world.internet_address())
    world.ec2.replace_route(RouteTableId=table, DestinationCidrBlock=host, GatewayId=new)
    world.assert_reaches(instance, world.internet_address())
    world.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=host)
    world.assert_reaches(instance, world.internet_address())
    assert world.ping(INTERNET, world.public(instance)).received == 2


def test_route_by_longest_prefix(world):
    """Only the way that a route opens is open."""
    vpc = world.open_vpc("10.31.0.0/16")
    subnet = world.subnet(vpc, "10.31.1.0/24")
    table = world.route_table(vpc, subnet)
    world.ec2.create_route(RouteTableId=table, GatewayId=world.gateway(vpc),
                           DestinationCidrBlock="203.0.113.0/24")
    instance, = world.run_instances(subnet, public=True)
    world.assert_silent(instance, world.internet_address())
    world.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock=world.internet_address() + "/32",
        GatewayId=world.ec2.describe_route_tables(
            RouteTableIds=[table])["RouteTables"][0]["Routes"][-1]["GatewayId"])
    world.assert_reaches(instance, world.internet_address())


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.1.1", "0.0.0.0"])
def test_the_daemon_is_not_reachable_from_an_instance(world, address):
    place = pair(world, "10.40")[0]
    done = world.exec(place, ["python3", "-c",
                              "import socket, sys; s = socket.socket(); s.settimeout(1);"
                              "print(s.connect_ex((sys.argv[1], int(sys.argv[2]))))",
                              address, str(world.port)])
    assert done.strip() != "0"
