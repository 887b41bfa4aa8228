"""Routes to a network interface or an instance: what is accepted, what is told, blackholes."""
import os
import signal
from types import SimpleNamespace

import pytest

from lib import ACCOUNT, IMAGE, names, refused, routes_of

ANY = "0.0.0.0/0"
OUTSIDE = "192.0.2.0/24"
VPC, FRONT, BACK = "10.1.0.0/16", "10.1.1.0/24", "10.1.2.0/24"
NOT_LOCAL = ("The destination CIDR block {} is equal to or more specific than one of this VPC's "
             "CIDR blocks. This route can target only an interface or an instance.")
ONE_TARGET = "Only one target may be specified for a route"


@pytest.fixture(scope="module")
def net(world):
    """A VPC with a gateway, two subnets and an instance that may be a router."""
    vpc = world.vpc(VPC)
    front, back = world.subnet(vpc, FRONT), world.subnet(vpc, BACK)
    router, = world.run_instances(front)
    return SimpleNamespace(vpc=vpc, gateway=world.gateway(vpc), front=front, back=back,
                           router=router, interface=interface_of(world, router))


@pytest.fixture
def table(world, net):
    identifier = world.route_table(net.vpc)
    yield identifier
    world.ec2.delete_route_table(RouteTableId=identifier)


def interface_of(world, instance):
    return world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]


def launch(world, subnet):
    """(instance, interface)"""
    instance, = world.run_instances(subnet)
    return instance, interface_of(world, instance)


def leading(interface, instance=None, to=ANY, state="active"):
    """The whole route as it is told."""
    attached = {"InstanceId": instance, "InstanceOwnerId": ACCOUNT} if instance else {}
    return {"DestinationCidrBlock": to, "NetworkInterfaceId": interface, **attached,
            "Origin": "CreateRoute", "State": state}


# What is accepted.

@pytest.mark.parametrize("cidr", [ANY, OUTSIDE, "10.0.0.0/8", FRONT, BACK])
@pytest.mark.parametrize("kind", ["interface", "instance"])
def test_create_and_delete(ec2, net, table, cidr, kind):
    target = {"NetworkInterfaceId": net.interface} if kind == "interface" else {
        "InstanceId": net.router}
    to = {"RouteTableId": table, "DestinationCidrBlock": cidr}
    assert ec2.create_route(**to, **target)["Return"] is True
    assert routes_of(ec2, table)[cidr] == leading(net.interface, net.router, to=cidr)
    refused("RouteAlreadyExists", ec2.create_route, **to, **target,
            text=f"The route identified by {cidr} already exists.")
    ec2.delete_route(**to)
    assert list(routes_of(ec2, table)) == [VPC]


def test_replace_every_kind_by_every_other(ec2, net, table):
    to = {"RouteTableId": table, "DestinationCidrBlock": ANY}
    by_interface = leading(net.interface, net.router)
    by_gateway = {"DestinationCidrBlock": ANY, "GatewayId": net.gateway, "Origin": "CreateRoute",
                  "State": "active"}
    kinds = [({"GatewayId": net.gateway}, by_gateway),
             ({"NetworkInterfaceId": net.interface}, by_interface),
             ({"InstanceId": net.router}, by_interface)]
    for old, _ in kinds:
        for new, told in kinds:
            ec2.create_route(**to, **old)
            ec2.replace_route(**to, **new)
            assert routes_of(ec2, table)[ANY] == told
            ec2.delete_route(**to)


def test_source_dest_check_is_not_asked(ec2, net, table):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=net.router)
    for check in (False, True):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=net.interface,
                                               SourceDestCheck={"Value": check})
        assert routes_of(ec2, table)[ANY] == leading(net.interface, net.router)


def test_of_a_prefix_list(ec2, net, table):
    prefixes = ec2.create_managed_prefix_list(
        PrefixListName="there", MaxEntries=2, AddressFamily="IPv4",
        Entries=[{"Cidr": OUTSIDE}, {"Cidr": BACK}])["PrefixList"]["PrefixListId"]
    to = {"RouteTableId": table, "DestinationPrefixListId": prefixes}
    ec2.create_route(**to, InstanceId=net.router)
    told = leading(net.interface, net.router)
    del told["DestinationCidrBlock"]
    assert routes_of(ec2, table)[prefixes] == {**told, "DestinationPrefixListId": prefixes}
    ec2.delete_route(**to)
    ec2.delete_managed_prefix_list(PrefixListId=prefixes)


def test_dry_run(ec2, net, table):
    to = {"RouteTableId": table, "DestinationCidrBlock": ANY}
    for target in ({"NetworkInterfaceId": net.interface}, {"InstanceId": net.router}):
        refused("DryRunOperation", ec2.create_route, **to, **target, DryRun=True, status=412)
    assert list(routes_of(ec2, table)) == [VPC]


# What is refused.

@pytest.mark.parametrize("cidr", [
    VPC, "10.1.1.0/25", "10.1.2.4/32", "10.1.0.0/17", "10.1.0.0/23", "10.1.9.0/24"])
def test_within_the_vpc_only_a_whole_subnet(ec2, net, table, cidr):
    for target in ({"NetworkInterfaceId": net.interface}, {"InstanceId": net.router}):
        to = {"RouteTableId": table, "DestinationCidrBlock": cidr, **target}
        if cidr == VPC:
            refused("RouteAlreadyExists", ec2.create_route, **to)
        else:
            refused("InvalidParameterValue", ec2.create_route, **to, text=NOT_LOCAL.format(cidr))
    assert list(routes_of(ec2, table)) == [VPC]


def test_a_whole_subnet_of_another_vpc_is_none_of_this_one(world, ec2, net, table):
    twin = world.vpc(VPC)
    world.subnet(twin, "10.1.9.0/24")
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock="10.1.9.0/24", InstanceId=net.router,
            text=NOT_LOCAL.format("10.1.9.0/24"))


def test_a_gateway_takes_no_subnet_over(ec2, net, table):
    to = {"RouteTableId": table, "DestinationCidrBlock": BACK}
    ec2.create_route(**to, InstanceId=net.router)
    refused("InvalidParameterValue", ec2.replace_route, **to, GatewayId=net.gateway,
            text=NOT_LOCAL.format(BACK))
    assert routes_of(ec2, table)[BACK] == leading(net.interface, net.router, to=BACK)


@pytest.mark.parametrize("cidr", ["169.254.168.0/22", "169.254.169.254/32"])
def test_link_local_services_stay(ec2, net, table, cidr):
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table,
            DestinationCidrBlock=cidr, NetworkInterfaceId=net.interface)


@pytest.mark.parametrize("call", ["create_route", "replace_route"])
def test_targets_refused(world, ec2, net, table, call):
    to = {"RouteTableId": table, "DestinationCidrBlock": ANY}
    if call == "replace_route":
        refused("InvalidParameterValue", ec2.replace_route, **to, InstanceId=net.router,
                text=f"There is no route defined for '{ANY}' in the route table. Use CreateRoute "
                     "instead.")
        ec2.create_route(**to, GatewayId=net.gateway)
    before = routes_of(ec2, table)

    def refuse(code, text=None, **target):
        refused(code, getattr(ec2, call), **to, **target, text=text)
        assert routes_of(ec2, table) == before

    nowhere, nobody = "eni-0fedcba9876543210", "i-0fedcba9876543210"
    refuse("InvalidNetworkInterfaceID.NotFound", NetworkInterfaceId=nowhere,
           text=f"The networkInterface ID '{nowhere}' does not exist")
    refuse("InvalidNetworkInterfaceId.Malformed", NetworkInterfaceId=net.router)
    refuse("InvalidInstanceID.NotFound", InstanceId=nobody,
           text=f"The instance ID '{nobody}' does not exist")
    refuse("InvalidInstanceID.Malformed", InstanceId=net.interface)
    refuse("InvalidGatewayID.NotFound", GatewayId=net.interface,
           text=f"The gateway ID '{net.interface}' does not exist")
    refuse("MissingParameter")
    for pair in (("InstanceId", "NetworkInterfaceId"), ("GatewayId", "InstanceId"),
                 ("GatewayId", "NetworkInterfaceId"), ("NatGatewayId", "InstanceId")):
        every = {"GatewayId": net.gateway, "InstanceId": net.router,
                 "NetworkInterfaceId": net.interface, "NatGatewayId": "nat-0fedcba9876543210"}
        refuse("InvalidParameterCombination", ONE_TARGET, **{name: every[name] for name in pair})
    if call == "replace_route":
        ec2.delete_route(**to)


def test_what_is_not_there_yet_is_named(ec2, table):
    for name, value in (("TransitGatewayId", "tgw-0fedcba9876543210"),
                        ("VpcEndpointId", "vpce-0fedcba9876543210")):
        refused("UnsupportedOperation", ec2.create_route, RouteTableId=table,
                DestinationCidrBlock=ANY, text=f"A route's {name} is not supported yet.",
                **{name: value})


def test_another_vpc(world, ec2, net, table):
    elsewhere = world.vpc("10.3.0.0/16")
    instance, interface = launch(world, world.subnet(elsewhere, "10.3.1.0/24"))
    for target in ({"NetworkInterfaceId": interface}, {"InstanceId": instance}):
        refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, **target,
                DestinationCidrBlock=ANY,
                text=f"route table {table} and interface {interface} belong to different networks")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=net.router)
    refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table,
            DestinationCidrBlock=ANY, NetworkInterfaceId=interface)
    assert routes_of(ec2, table)[ANY] == leading(net.interface, net.router)


def test_another_region(world, net, table):
    far = world.client(region="eu-central-1")
    subnet = far.describe_subnets()["Subnets"][0]
    there = far.create_route_table(VpcId=subnet["VpcId"])["RouteTable"]["RouteTableId"]
    refused("InvalidNetworkInterfaceID.NotFound", far.create_route, RouteTableId=there,
            DestinationCidrBlock=OUTSIDE, NetworkInterfaceId=net.interface)
    refused("InvalidInstanceID.NotFound", far.create_route, RouteTableId=there,
            DestinationCidrBlock=OUTSIDE, InstanceId=net.router)
    far.delete_route_table(RouteTableId=there)


# The local route.

def local(state="active"):
    return {"DestinationCidrBlock": VPC, "GatewayId": "local", "Origin": "CreateRouteTable",
            "State": state}


def test_the_local_route_is_replaced_and_restored(ec2, net, table):
    to = {"RouteTableId": table, "DestinationCidrBlock": VPC}
    told = {**leading(net.interface, net.router, to=VPC), "Origin": "CreateRouteTable"}
    assert routes_of(ec2, table) == {VPC: local()}
    for target in ({"NetworkInterfaceId": net.interface}, {"InstanceId": net.router}):
        ec2.replace_route(**to, **target)
        assert routes_of(ec2, table) == {VPC: told}
        refused("InvalidParameterValue", ec2.delete_route, **to,
                text=f"cannot remove local route {VPC} in route table {table}")
        ec2.replace_route(**to, LocalTarget=True)
        assert routes_of(ec2, table) == {VPC: local()}
        ec2.replace_route(**to, LocalTarget=True)  # as it is


def test_the_local_route_refused(world, ec2, net, table):
    to = {"RouteTableId": table, "DestinationCidrBlock": VPC}
    _, foreign = launch(world, world.subnet(world.vpc("10.4.0.0/16"), "10.4.1.0/24"))
    refused("InvalidParameterValue", ec2.replace_route, **to, GatewayId=net.gateway,
            text=NOT_LOCAL.format(VPC))
    refused("InvalidParameterValue", ec2.replace_route, **to, NetworkInterfaceId=foreign,
            text=f"route table {table} and interface {foreign} belong to different networks")
    refused("InvalidParameterCombination", ec2.replace_route, **to, LocalTarget=True,
            InstanceId=net.router, text=ONE_TARGET)
    refused("MissingParameter", ec2.replace_route, **to, LocalTarget=False)
    refused("InvalidGatewayID.NotFound", ec2.replace_route, **to, GatewayId="local")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=BACK, InstanceId=net.router)
    refused("InvalidParameterValue", ec2.replace_route, RouteTableId=table, LocalTarget=True,
            DestinationCidrBlock=BACK, text=f"The route with destination {BACK} is not a local "
                                            "route: its target can't be local.")
    assert routes_of(ec2, table) == {
        VPC: local(), BACK: leading(net.interface, net.router, to=BACK)}


def test_a_local_route_turns_into_a_blackhole(world, ec2, net, table):
    instance, interface = launch(world, net.front)
    to = {"RouteTableId": table, "DestinationCidrBlock": VPC}
    ec2.replace_route(**to, InstanceId=instance)
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    assert routes_of(ec2, table)[VPC] == {**leading(interface, to=VPC, state="blackhole"),
                                          "Origin": "CreateRouteTable"}
    ec2.replace_route(**to, LocalTarget=True)
    assert routes_of(ec2, table)[VPC] == local()


# States.

def test_stop_start_terminate(world, ec2, net, table):
    instance, interface = launch(world, net.front)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=instance)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=BACK, NetworkInterfaceId=interface)

    def told(*arguments, state="active"):
        found = routes_of(ec2, table)
        assert found[ANY] == leading(interface, *arguments, state=state)
        assert found[BACK] == leading(interface, *arguments, to=BACK, state=state)

    told(instance)
    for _ in range(2):
        ec2.stop_instances(InstanceIds=[instance])
        world.await_state("stopped", instance)
        told(instance, state="blackhole")
        ec2.start_instances(InstanceIds=[instance])
        world.await_state("running", instance)
        told(instance)
    world.reboot(instance)
    told(instance)
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    told(state="blackhole")
    refused("InvalidInstanceID", ec2.create_route, RouteTableId=table, InstanceId=instance,
            DestinationCidrBlock=OUTSIDE,
            text=f"There is no interface attached to instance '{instance}'.")
    refused("InvalidNetworkInterfaceID.NotFound", ec2.replace_route, RouteTableId=table,
            NetworkInterfaceId=interface, DestinationCidrBlock=ANY)
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=net.router)
    assert routes_of(ec2, table)[ANY] == leading(net.interface, net.router)


def test_a_stopped_instance_may_be_a_target(world, ec2, net, table):
    instance, interface = launch(world, net.front)
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=instance)
    assert routes_of(ec2, table)[ANY] == leading(interface, instance, state="blackhole")
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert routes_of(ec2, table)[ANY] == leading(interface, instance)
    ec2.terminate_instances(InstanceIds=[instance])


def test_an_instance_that_ends_itself(world, ec2, net, table):
    instance, interface = launch(world, net.front)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=instance)
    for pid in world.pids(instance):
        os.kill(pid, signal.SIGKILL)
    world.await_state("stopped", instance)
    assert routes_of(ec2, table)[ANY] == leading(interface, instance, state="blackhole")
    ec2.terminate_instances(InstanceIds=[instance])


def test_a_detached_interface(world, ec2, net, table):
    """It outlives its instance: the route to it is a blackhole, and may be made as one."""
    reply = ec2.run_instances(
        ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1,
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": net.front,
                            "DeleteOnTermination": False}])
    instance, = names(reply["Instances"], "InstanceId")
    world.await_state("running", instance)
    interface = interface_of(world, instance)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=instance)
    assert routes_of(ec2, table)[ANY] == leading(interface, instance)
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    assert routes_of(ec2, table)[ANY] == leading(interface, state="blackhole")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=OUTSIDE,
                     NetworkInterfaceId=interface)
    assert routes_of(ec2, table)[OUTSIDE] == leading(interface, to=OUTSIDE, state="blackhole")


def test_a_subnet_that_goes_leaves_its_route(world, ec2, net, table):
    cidr = "10.1.3.0/24"
    subnet = world.subnet(net.vpc, cidr)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, InstanceId=net.router)
    ec2.delete_subnet(SubnetId=subnet)
    assert routes_of(ec2, table)[cidr] == leading(net.interface, net.router, to=cidr)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock=cidr)
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, InstanceId=net.router,
            DestinationCidrBlock=cidr, text=NOT_LOCAL.format(cidr))


def test_filters(world, ec2, net, table):
    instance, _ = launch(world, net.front)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY, InstanceId=instance)

    def found(**values):
        return names(ec2.describe_route_tables(Filters=[
            {"Name": "route." + name.replace("_", "-"), "Values": [value]}
            for name, value in values.items()])["RouteTables"], "RouteTableId")

    assert found(instance_id=instance) == [table]
    assert found(instance_id=net.router) == []
    assert table in found(state="active", instance_id="i-*")
    assert table not in found(state="blackhole")
    assert table not in found(gateway_id="eni-*")
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    assert found(state="blackhole", instance_id=instance) == [table]
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    assert found(instance_id=instance) == [] and table in found(state="blackhole")


# Over a restart of the daemon.

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_restart_keeps_all(own_world, how):
    world = own_world
    vpc = world.vpc(VPC)
    front = world.subnet(vpc, FRONT)
    world.subnet(vpc, BACK)
    table = world.route_table(vpc)
    (running, _), (stopped, _), (gone, _) = (launch(world, front) for _ in range(3))
    for cidr, instance in ((ANY, running), (BACK, stopped), (OUTSIDE, gone)):
        world.ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, InstanceId=instance)
    world.ec2.stop_instances(InstanceIds=[stopped])
    world.ec2.terminate_instances(InstanceIds=[gone])
    world.await_state("stopped", stopped)
    world.await_state("terminated", gone)
    before = routes_of(world.ec2, table)
    assert {cidr: route["State"] for cidr, route in before.items()} == {
        VPC: "active", ANY: "active", BACK: "blackhole", OUTSIDE: "blackhole"}
    world.restart(how)
    assert routes_of(world.ec2, table) == before
    world.ec2.start_instances(InstanceIds=[stopped])
    world.await_state("running", stopped)
    assert routes_of(world.ec2, table)[BACK]["State"] == "active"
    world.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=OUTSIDE)
    assert sorted(routes_of(world.ec2, table)) == sorted([VPC, ANY, BACK])
