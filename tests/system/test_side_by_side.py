"""Five worlds at once, alike in every name, block and address, under load: none notices another."""
import contextlib
import itertools
import re
import signal
import subprocess
import threading
import types

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from flows import Flows, iperf3
from host import Snapshot
from kernel import differences, objects
from lib import (IMAGE, INTERNET, environment, names, namespaces, read_line,
                 refused, tag_specification, wait_for)

pytestmark = iperf3

COUNT = 5
SECONDS = 6  # of a round of traffic
WEB, DB, PORT = "10.0.1.10", "10.0.2.10", 8000
SAYS = """
import socket, sys
server = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    with peer:
        peer.sendall(sys.argv[2].encode())
"""
ASKS = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as peer:
    print(peer.recv(100).decode())
"""

PINGS = 'for address; do ping -n -c 2 -i 0.2 -W 1 "$address" & done; wait'


class Load(threading.Thread):
    """Makes and unmakes things in a VPC of its own, until told to end or the daemon is gone."""

    def __init__(self, world):
        super().__init__()
        self.world, self.ec2 = world, world.client(checked=False)
        self.over, self.calls, self.refusal = threading.Event(), 0, None

    def run(self):
        try:
            while not self.over.is_set():
                self.turn()
        except (BotoCoreError, ClientError) as refusal:
            self.refusal = refusal

    def call(self, name, **arguments):
        self.calls += 1
        return getattr(self.ec2, name)(**arguments)

    def turn(self):
        vpc = self.call("create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        made = self.call("create_subnet", VpcId=vpc, CidrBlock="10.9.1.0/24")
        subnet = made["Subnet"]["SubnetId"]
        made = names(self.call("run_instances", ImageId=IMAGE, MinCount=2, MaxCount=2,
                               SubnetId=subnet)["Instances"], "InstanceId")
        self.call("create_tags", Resources=made, Tags=[{"Key": "Name", "Value": "web"}])
        self.call("terminate_instances", InstanceIds=made)
        self.world.await_state("terminated", *made, seconds=60)
        self.call("delete_subnet", SubnetId=subnet)
        self.call("delete_vpc", VpcId=vpc)


def furnish(world, number):
    """web (public) and db, as in all others; and one at an address that no other world has."""
    ec2, here = world.ec2, types.SimpleNamespace(world=world, number=number, text=f"world {number}")
    before = set(namespaces())
    world.remove_default_vpc()
    here.vpc = world.open_vpc(TagSpecifications=tag_specification("vpc", Name="prod"))
    front, back = world.subnet(here.vpc, "10.0.1.0/24"), world.subnet(here.vpc, "10.0.2.0/24")
    world.route_table(here.vpc, front, world.gateway(here.vpc))

    def launch(subnet, name, address, **more):
        return world.run_instances(subnet, address=address, TagSpecifications=tag_specification(
            "instance", Name=name), **more)[0]
    here.web, here.db = launch(front, "web", WEB, public=True), launch(back, "db", DB)
    here.single = f"10.0.1.{100 + number}"
    here.one = launch(front, "one", here.single)
    here.public = world.public(here.web)
    here.ids = {here.vpc, front, back, here.web, here.db, here.one}
    for place in here.web, here.db:
        serving = world.spawn(place, ["python3", "-c", SAYS, str(PORT), here.text])
        assert read_line(serving, 10, "server") == "ready"
    here.namespaces = set(namespaces()) - before
    here.paths = {"to a subnet": (here.web, DB, here.db),
                  "from the Internet": (INTERNET, here.public, here.web)}
    assert ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web"]}])["Reservations"]
    return here


@pytest.fixture(scope="module")
def five(make_world):
    """Ends all that still run."""
    before = Snapshot()
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(COUNT):
            world = make_world()
            stack.callback(lambda one=world: one.daemon and one.end())
            world.serve()
            found.append(furnish(world, number))
        yield found
    before.assert_same(within=20)


def ask(here, place, address):
    return here.world.exec(place, ["python3", "-c", ASKS, address, str(PORT)]).strip()


def assert_own_contents(here):
    for place, address in ((here.web, DB), (here.db, WEB), (INTERNET, here.public)):
        assert ask(here, place, address) == here.text, (here.number, place, address)
    assert here.world.run("exec", "db", "--", "hostname").returncode == 0  # by its name


def peers(namespace):
    """The namespaces that its devices lead to."""
    said = subprocess.run(["ip", "-n", namespace, "-o", "link", "show", "type", "veth"], check=True,
                          capture_output=True, text=True, env=environment()).stdout
    found = re.findall(r"link-netns(?:id)? (\S+)", said)
    assert len(found) == len(said.splitlines()), said
    return set(found)


def test_they_are_alike(five):
    """Or the rest would prove nothing."""
    for what in (lambda here: here.public, lambda here: here.world.internet_address(),
                 lambda here: here.world.private(here.web)):
        assert len({what(here) for here in five}) == 1
    assert len(set().union(*(here.ids for here in five))) == sum(len(here.ids) for here in five)


def test_no_wire_leads_from_one_to_another(five):
    for one, other in itertools.combinations(five, 2):
        assert not one.namespaces & other.namespaces
    for here in five:
        for name in here.namespaces:
            assert peers(name) <= here.namespaces, name


def test_no_packet_comes_to_another(five):
    for here in five:
        assert_own_contents(here)
        for place in here.web, here.db:
            said = here.world.exec(place, ["sh", "-c", PINGS, "sh", *(one.single for one in five)])
            assert set(re.findall("bytes from ([0-9.]+)", said)) == {here.single}, said


def test_no_call_comes_to_another(five):
    for here, other in zip(five, [*five[1:], five[0]]):
        found = here.world.ec2.describe_instances()["Reservations"]
        assert {entry["InstanceId"] for reservation in found
                for entry in reservation["Instances"]} == {here.web, here.db, here.one}
        refused("InvalidInstanceID.NotFound", here.world.ec2.describe_instances,
                InstanceIds=[other.web])
        refused("InvalidVpcID.NotFound", here.world.ec2.delete_vpc, VpcId=other.vpc)
        stranger = here.world.client(key=other.world.key, secret=other.world.secret)
        refused("AuthFailure", stranger.describe_vpcs, status=401)


def go_on_while(others, happens):
    """Rounds of traffic in the others, from before it happens until after; what noticed it."""
    thread, noticed = threading.Thread(target=happens), []
    pings = carried = 0
    while True:
        last = thread.ident is not None and not thread.is_alive()
        flows = [Flows(here.world, here.paths, SECONDS) for here in others]
        if thread.ident is None:
            thread.start()
        noticed += [(here.number, broken) for here, round_ in zip(others, flows)
                    if (broken := round_.broken())]
        pings += sum(round_.moved()[0] for round_ in flows)
        carried += sum(round_.moved()[1] for round_ in flows)
        if last or noticed:
            break
    thread.join()
    return noticed, pings, carried


def down(here):
    """All of it, in order."""
    here.world.end()


def crash(here):
    """The daemon killed, then taken down."""
    here.world.kill(signal.SIGKILL)
    here.world.end()


@pytest.mark.parametrize("how", [down, crash])
def test_the_end_of_one_leaves_the_rest_alone(five, how):
    """Under load: calls that change each world, and traffic through each, packets counted."""
    leaving = five.pop(0)
    loads = [Load(here.world) for here in [leaving, *five]]
    before = {here.number: objects(here.namespaces) for here in five}
    for load in loads:
        load.start()
    failed = []

    def happens():
        wait_for(lambda: all(load.calls > 7 or load.refusal for load in loads), 60, "some load")
        loads[0].over.set()
        if how is down:
            loads[0].join(60)
        try:
            how(leaving)
        except BaseException as problem:  # pytest's own too
            failed.append(problem)
    noticed, pings, carried = go_on_while(five, happens)
    for load in loads:
        load.over.set()
    for load in loads:
        load.join(60)
    assert not failed and not noticed
    assert [load.refusal for load in loads[1:]] == [None] * len(five)
    assert not leaving.namespaces & set(namespaces())
    for here in five:
        assert differences(before[here.number], objects(here.namespaces)) == []
        assert_own_contents(here)
    print(f"{sum(load.calls for load in loads)} calls; {pings} pings, none lost; "
          f"{carried >> 20} MiB by TCP")


def test_the_rest_is_what_its_own_api_tells(five):
    """What each kernel holds that is left."""
    everything = set(namespaces())
    assert everything == set().union(*(here.namespaces for here in five))
    for here in five:
        here.world.restart(signal.SIGKILL)
        assert_own_contents(here)
