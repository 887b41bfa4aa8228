"""The daemon is killed and started again, 20 times: no packet is lost, no connection notices."""
import signal
import subprocess
import time
import types

import pytest

from flows import Flows, iperf3
from kernel import differences, objects
from lib import INTERNET, assert_kernel_agrees, environment, namespaces, wait_for

pytestmark = iperf3

RESTARTS = 20
SECONDS = 12  # of a round: 20 restarts need no more where nothing else takes the processors
PACE = 0.5    # from a restart to the next, at least
ANY = "0.0.0.0/0"


def build(world):
    """
    front, beside --- internet gateway          far, in a VPC that is peered
    back          --- NAT gateway (in front's subnet)
    """
    ec2, here = world.ec2, types.SimpleNamespace(world=world)
    vpc, peer = world.open_vpc("10.0.0.0/16"), world.open_vpc("10.1.0.0/16")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24", "us-east-1b"),
               world.subnet(peer, "10.1.1.0/24")]
    gateway, peering = world.gateway(vpc), world.peering(vpc, peer)
    tables = [world.route_table(vpc, subnets[0], gateway), world.route_table(vpc, subnets[1]),
              world.route_table(peer, subnets[2])]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=world.elastic_ip()[0])[
        "NatGateway"]["NatGatewayId"]
    wait_for(lambda: ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] ==
             "available", 10, "the NAT gateway is available")
    ec2.create_route(RouteTableId=tables[1], DestinationCidrBlock=ANY, NatGatewayId=nat)
    for table, block in ((tables[1], "10.1.0.0/16"), (tables[2], "10.0.0.0/16")):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=block,
                         VpcPeeringConnectionId=peering)
    here.front, here.beside = (world.run_instances(subnets[0], public=True)[0] for _ in range(2))
    here.back, here.far = (world.run_instances(subnet)[0] for subnet in subnets[1:])
    address, internet = world.private, world.internet_address()
    here.paths = {
        "in a subnet": (here.front, address(here.beside), here.beside),
        "to a subnet": (here.front, address(here.back), here.back),
        "by the gateway out": (here.front, internet, INTERNET),
        "by the gateway in": (INTERNET, world.public(here.front), here.front),
        "by NAT": (here.back, internet, INTERNET),
        "by the peering": (here.back, address(here.far), here.far)}
    return here


@pytest.fixture(scope="module")
def lab(world):
    return build(world)


def services(lab):
    """What the daemon itself answers, as an instance has it now."""
    world = lab.world
    name = "ip-" + world.private(lab.back).replace(".", "-") + ".ec2.internal"
    named = world.exec(lab.front, f"dig +short +time=5 +tries=1 @10.0.0.2 {name}").strip()
    said = world.exec(lab.back, ["sh", "-c", """
        token=$(curl -sS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
            http://169.254.169.254/latest/api/token) &&
        curl -sS -m 5 -H "X-aws-ec2-metadata-token: $token" \
            http://169.254.169.254/latest/meta-data/instance-id"""])
    return named, said


def test_nobody_notices_20_restarts(lab):
    """Rounds of traffic until there were as many restarts while all of it was under way."""
    world, restarts, pings, carried, rounds = lab.world, 0, 0, 0, 0
    before, expected = objects(namespaces()), (world.private(lab.back), lab.back)
    inits = {name: world.init(name) for name in (lab.front, lab.beside, lab.back, lab.far)}
    while restarts < RESTARTS:
        flows = Flows(world, lab.paths, SECONDS)
        while flows.running():
            begin = time.monotonic()
            world.restart(signal.SIGKILL)
            assert services(lab) == expected
            restarts += flows.running()
            time.sleep(max(0.0, PACE - (time.monotonic() - begin)))
        assert not flows.broken()
        pings, carried, rounds = pings + flows.moved()[0], carried + flows.moved()[1], rounds + 1
    print(f"{restarts} restarts in {rounds} rounds: {pings} pings, none lost; {carried >> 20} MiB "
          f"by {rounds * len(lab.paths)} connections")
    assert {name: world.init(name) for name in inits} == inits
    assert differences(before, objects(namespaces())) == []
    assert_kernel_agrees(world)


def test_an_outage_would_be_noticed(lab):
    """The proof of the above: 0.3 s without the subnet's rules of forwarding, by one path."""
    subnet = lab.world.instance(lab.back)["SubnetId"]
    paths = {name: lab.paths[name] for name in ("in a subnet", "by NAT")}
    flows = Flows(lab.world, paths, 3)
    for value in "0", "1":
        subprocess.run(["ip", "netns", "exec", subnet, "sysctl", "-q",
                        f"net.ipv4.ip_forward={value}"], check=True, env=environment())
        time.sleep(0.3)
    assert set(flows.broken()) == {"ping by NAT"}
