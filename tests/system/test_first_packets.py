"""
The main job: a VPC built call by call with the AWS CLI as Debian ships it, proven with packets.
"""
import ipaddress
import os
import select
import subprocess
import time
import types

import pytest

from lib import IMAGE, INTERNET, environment, namespaces, read_line, stop, wait_for


@pytest.fixture(scope="module")
def ec2(world):
    return lambda *arguments: world.aws("ec2", *arguments)


@pytest.fixture(scope="module")
def lab(world, ec2):
    """One public and one private instance, no flag that AWS would not take."""
    vpc = ec2("create-vpc", "--cidr-block", "10.0.0.0/16")["Vpc"]["VpcId"]
    ec2("authorize-security-group-ingress", "--group-id", world.default_group(vpc),
        "--protocol", "all", "--cidr", "0.0.0.0/0")
    gateway = ec2("create-internet-gateway")["InternetGateway"]["InternetGatewayId"]
    ec2("attach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", vpc)
    front, back = (
        ec2("create-subnet", "--vpc-id", vpc, "--cidr-block", cidr,
            "--availability-zone", zone)["Subnet"]["SubnetId"]
        for cidr, zone in (("10.0.1.0/24", "us-east-1a"), ("10.0.2.0/24", "us-east-1b")))
    table = ec2("create-route-table", "--vpc-id", vpc)["RouteTable"]["RouteTableId"]
    ec2("create-route", "--route-table-id", table, "--gateway-id", gateway,
        "--destination-cidr-block", "0.0.0.0/0")
    association = ec2("associate-route-table", "--route-table-id", table,
                      "--subnet-id", front)["AssociationId"]
    public = ec2("run-instances", "--image-id", IMAGE, "--instance-type", "t3.micro",
                 "--subnet-id", front, "--associate-public-ip-address")
    private = ec2("run-instances", "--image-id", IMAGE, "--instance-type", "t3.micro",
                  "--subnet-id", back)
    public, private = (reply["Instances"][0]["InstanceId"] for reply in (public, private))
    ec2("wait", "instance-running", "--instance-ids", public, private)
    return types.SimpleNamespace(
        vpc=vpc, gateway=gateway, front=front, back=back, table=table, association=association,
        public=public, private=private, public_address=world.public(public),
        public_inside=world.private(public), private_inside=world.private(private),
        internet=world.internet_address())


@pytest.fixture
def cut_route(world, lab):
    """The 0/0 route is put back whatever the test did."""
    yield lambda: world.ec2.delete_route(RouteTableId=lab.table, DestinationCidrBlock="0.0.0.0/0")
    put_back(world, lab)


def put_back(world, lab):
    routes = world.ec2.describe_route_tables(RouteTableIds=[lab.table])["RouteTables"][0]["Routes"]
    if len(routes) == 1:
        world.ec2.create_route(RouteTableId=lab.table, GatewayId=lab.gateway,
                               DestinationCidrBlock="0.0.0.0/0")


def test_addresses_lie_where_they_should(lab):
    assert ipaddress.ip_address(lab.public_address) in ipaddress.ip_network("198.18.0.0/16")
    assert ipaddress.ip_address(lab.public_inside) in ipaddress.ip_network("10.0.1.0/24")
    assert ipaddress.ip_address(lab.private_inside) in ipaddress.ip_network("10.0.2.0/24")


def test_guest_sees_one_private_address(world, lab):
    entry = world.instance(lab.public)["NetworkInterfaces"][0]
    assert world.exec(lab.public, "cat /sys/class/net/eth0/address").strip() == entry["MacAddress"]
    listed = world.exec(lab.public, "ip -4 -o address show dev eth0").split()
    assert listed[listed.index("inet") + 1] == lab.public_inside + "/24"
    assert listed.count("inet") == 1
    assert "default via 10.0.1.1 dev eth0" in world.exec(lab.public, "ip route")


def test_private_addresses_reach_each_other(world, lab):
    world.assert_reaches(lab.public, lab.private_inside)
    world.assert_reaches(lab.private, lab.public_inside)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_across_subnets_sources_are_private(world, lab, kind):
    assert world.talk(lab.private, lab.public, lab.private_inside, kind) == {
        "server_saw": lab.public_inside, "client_saw": lab.private_inside,
        "client_is": lab.public_inside}


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_internet_sees_the_public_address(world, lab, kind):
    assert world.talk(INTERNET, lab.public, lab.internet, kind) == {
        "server_saw": lab.public_address, "client_saw": lab.internet,
        "client_is": lab.public_inside}


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_public_instance_is_reached_from_the_internet(world, lab, kind):
    assert world.talk(lab.public, INTERNET, lab.public_address, kind) == {
        "server_saw": lab.internet, "client_saw": lab.public_address, "client_is": lab.internet}


def test_closed_port_is_refused_by_the_guest_itself(world, lab):
    done = world.internet(["python3", "-c",
                           "import socket, sys; s = socket.socket(); s.settimeout(2);"
                           "print(s.connect_ex((sys.argv[1], 9)))", lab.public_address])
    assert done.strip() == "111"  # ECONNREFUSED: a RST came back through the gateway


def test_ping_both_ways_through_the_gateway(world, lab):
    world.assert_reaches(lab.public, lab.internet)
    world.assert_reaches(INTERNET, lab.public_address)


def test_private_instance_cannot_leave(world, lab):
    world.assert_silent(lab.private, lab.internet)
    assert world.talk(INTERNET, lab.private, lab.internet) is None


def test_private_addresses_do_not_exist_on_the_internet(world, lab):
    for address in (lab.private_inside, lab.public_inside):
        assert world.ping(INTERNET, address).received == 0


def test_unmapped_public_addresses_are_silent(world, lab):
    used = {lab.public_address, lab.internet}
    free = [str(address) for address in ipaddress.ip_network("198.18.200.0/29")
            if str(address) not in used]
    assert world.ping(INTERNET, free[1]).received == 0
    world.assert_silent(lab.public, free[1])


def test_deleted_route_cuts_off_at_once(world, lab, cut_route):
    world.assert_reaches(lab.public, lab.internet)
    cut_route()
    world.assert_silent(lab.public, lab.internet)
    assert world.ping(INTERNET, lab.public_address).received == 0  # the reply has no way
    world.assert_reaches(lab.public, lab.private_inside)  # local routes stay
    put_back(world, lab)
    world.assert_reaches(lab.public, lab.internet)
    world.assert_reaches(INTERNET, lab.public_address)


def replies(process, seconds):
    """How many replies a running ping prints in this time."""
    return len([line for line in read_for(process, seconds).splitlines() if "icmp_seq=" in line])


def read_for(process, seconds):
    text, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([process.stdout], [], [], left)[0]:
            text += os.read(process.stdout.fileno(), 65536)
    return text.decode()


def test_a_running_ping_sees_the_route_go_and_come(world, lab, cut_route):
    ping = world.spawn(lab.public, f"ping -n -i 0.05 {lab.internet}")
    assert "PING" in read_line(ping, 5, "ping")
    assert "bytes from" in read_line(ping, 2, "ping")
    cut_route()
    read_for(ping, 0.1)  # what was on its way to us
    assert read_for(ping, 0.5) == ""
    put_back(world, lab)
    assert "bytes from" in read_line(ping, 1, "ping after CreateRoute")
    assert replies(ping, 0.5) >= 5


def test_an_open_connection_survives_the_cut(world, lab, cut_route):
    """Nothing in the gateway keeps state: a cut is silence, not an end."""
    echo = ("import socket; s = socket.create_server(('', 7100)); print('ready', flush=True);"
            "c = s.accept()[0]\nwhile d := c.recv(100): c.sendall(d)")
    talk = ("import socket, sys; s = socket.create_connection((sys.argv[1], 7100)); s.settimeout(8)"
            "\nfor line in (b'one', b'two'):\n s.sendall(line); print(s.recv(10).decode(), "
            "flush=True); sys.stdin.readline() if line == b'one' else 0")
    server = world.spawn(INTERNET, ["python3", "-c", echo])
    assert read_line(server, 5, "echo server") == "ready"
    client = subprocess.Popen(
        world.command(*world.where(lab.public, ["python3", "-c", talk, lab.internet])),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment(),
        start_new_session=True)
    try:
        assert read_line(client, 5, "client") == "one"
        cut_route()
        client.stdin.write(b"\n")
        assert read_for(client, 0.3) == ""
        put_back(world, lab)
        assert read_line(client, 8, "client after CreateRoute") == "two"
    finally:
        client.stdin.close()
        stop(client)


def test_replaced_association_changes_the_way(world, lab):
    bare = world.route_table(lab.vpc)
    change = world.ec2.replace_route_table_association
    moved = change(AssociationId=lab.association, RouteTableId=bare)["NewAssociationId"]
    try:
        world.assert_silent(lab.public, lab.internet)
    finally:
        lab.association = change(AssociationId=moved, RouteTableId=lab.table)["NewAssociationId"]
    world.assert_reaches(lab.public, lab.internet)
    world.ec2.delete_route_table(RouteTableId=bare)


def test_without_association_the_main_table_rules(world, lab):
    world.ec2.disassociate_route_table(AssociationId=lab.association)
    try:
        world.assert_silent(lab.public, lab.internet)
        world.assert_reaches(lab.public, lab.private_inside)
    finally:
        lab.association = world.ec2.associate_route_table(
            RouteTableId=lab.table, SubnetId=lab.front)["AssociationId"]
    world.assert_reaches(lab.public, lab.internet)


def test_a_route_in_the_main_table_opens_the_way(world, lab):
    main = world.main_table(lab.vpc)["RouteTableId"]
    visitor, = world.run_instances(lab.back, public=True)
    try:
        world.assert_silent(visitor, lab.internet)
        world.ec2.create_route(RouteTableId=main, GatewayId=lab.gateway,
                               DestinationCidrBlock="0.0.0.0/0")
        world.assert_reaches(visitor, lab.internet)
        world.assert_silent(lab.private, lab.internet)  # no public address: dies at the gateway
        world.ec2.delete_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0")
        world.assert_silent(visitor, lab.internet)
    finally:
        world.ec2.terminate_instances(InstanceIds=[visitor])


def test_detach_is_refused_while_public_addresses_are_mapped(world, lab):
    done = world.aws("ec2", "detach-internet-gateway", "--internet-gateway-id", lab.gateway,
                     "--vpc-id", lab.vpc, check=False)
    assert done.returncode == 254
    assert (f"(DependencyViolation) when calling the DetachInternetGateway operation: "
            f"Network {lab.vpc} has some mapped public address(es). Please unmap those public "
            f"address(es) before detaching the gateway.") in done.stderr
    world.assert_reaches(lab.public, lab.internet)


def test_public_subnet_without_public_address(world, lab):
    shy, = world.run_instances(lab.front, public=False)
    try:
        world.assert_silent(shy, lab.internet)
        world.assert_reaches(shy, lab.public_inside)
    finally:
        world.ec2.terminate_instances(InstanceIds=[shy])


def test_hairpin_through_the_gateway(world, lab):
    """Neighbours that use public addresses see public addresses."""
    other, = world.run_instances(lab.front, public=True)
    try:
        assert world.talk(lab.public, other, lab.public_address) == {
            "server_saw": world.public(other), "client_saw": lab.public_address,
            "client_is": world.private(other)}
    finally:
        world.ec2.terminate_instances(InstanceIds=[other])


def test_a_terminated_instance_falls_silent(world, lab):
    doomed, = world.run_instances(lab.front, public=True)
    inside, outside = world.private(doomed), world.public(doomed)
    world.assert_reaches(INTERNET, outside)
    world.assert_reaches(lab.private, inside)
    world.ec2.terminate_instances(InstanceIds=[doomed])
    assert world.ping(INTERNET, outside).received == 0
    world.assert_silent(lab.private, inside)
    world.await_state("terminated", doomed)
    wait_for(lambda: doomed not in namespaces(), 5, "its namespace gone")


def test_stop_and_start(world, lab):
    sleeper, = world.run_instances(lab.front, public=True)
    inside, outside = world.private(sleeper), world.public(sleeper)
    world.ec2.stop_instances(InstanceIds=[sleeper])
    world.await_state("stopped", sleeper)
    assert "PublicIpAddress" not in world.instance(sleeper)
    assert world.private(sleeper) == inside
    assert world.ping(INTERNET, outside).received == 0
    world.assert_silent(lab.private, inside)
    world.ec2.start_instances(InstanceIds=[sleeper])
    world.await_state("running", sleeper)
    assert world.private(sleeper) == inside
    fresh = world.public(sleeper)
    assert fresh != outside
    world.assert_reaches(lab.private, inside)
    world.assert_reaches(INTERNET, fresh)
    world.assert_reaches(sleeper, lab.internet)
    assert world.ping(INTERNET, outside).received == 0
    world.ec2.terminate_instances(InstanceIds=[sleeper])


def test_map_public_ip_on_launch(world, lab, ec2):
    subnet = world.subnet(lab.vpc, "10.0.3.0/24")
    ec2("modify-subnet-attribute", "--subnet-id", subnet, "--map-public-ip-on-launch")
    world.ec2.associate_route_table(RouteTableId=lab.table, SubnetId=subnet)
    one, = world.run_instances(subnet)
    world.assert_reaches(INTERNET, world.public(one))
    ec2("modify-subnet-attribute", "--subnet-id", subnet, "--no-map-public-ip-on-launch")
    other, = world.run_instances(subnet)
    assert "PublicIpAddress" not in world.instance(other)
    world.assert_silent(other, lab.internet)
    world.ec2.terminate_instances(InstanceIds=[one, other])


def test_ip_netns_lists_every_id(lab):
    listed = namespaces()
    for identifier in (lab.vpc, lab.gateway, lab.front, lab.back, lab.public, lab.private):
        assert identifier in listed
    assert any(name.startswith("internet-host-") for name in listed)
