"""`minivpc why` and `ping-matrix`: each kind of stop word by word, and the real packet beside it."""
import json
import os
import pty
import re
import subprocess

import pytest

from filters import bind_acl, entry, set_acl, set_groups
from lib import IMAGE, INTERNET, environment, tag_specification, wait_for


def launch(world, subnet, name, **more):
    instance, = world.run_instances(subnet, TagSpecifications=tag_specification(
        "instance", Name=name), **more)
    return instance


class Lab:
    """web (public) in `front`, db in `back`; the default group lets in its own members."""

    def __init__(self, world):
        self.world, self.ec2 = world, world.ec2
        self.vpc = world.vpc()
        self.gateway = world.gateway(self.vpc)
        self.front = world.subnet(self.vpc, "10.0.1.0/24")
        self.back = world.subnet(self.vpc, "10.0.2.0/24", "us-east-1b")
        self.table = world.route_table(self.vpc, self.front, self.gateway)
        self.main = world.main_table(self.vpc)["RouteTableId"]
        self.group = world.default_group(self.vpc)
        self.acl, = [found["NetworkAclId"] for found in self.ec2.describe_network_acls(Filters=[
            {"Name": "vpc-id", "Values": [self.vpc]}])["NetworkAcls"]]
        self.web = launch(world, self.front, "web", public=True)
        self.db = launch(world, self.back, "db")
        self.public = world.public(self.web)

    def card(self, instance):
        return self.world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]

    def closed_acl(self, subnet):
        acl = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        bind_acl(self.ec2, subnet, acl)
        return acl

    def why(self, *arguments, status=0):
        done = self.world.run("why", "-o", "json", *arguments, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    def stops(self, *arguments, says, result="silent", arrived=False):
        """It is stopped with these words, and the real packet too."""
        found = self.why(*arguments, status=1)
        assert found["model"]["summary"] == says
        assert found["agree"] is True
        assert found["packet"]["result"] == result
        assert found["packet"]["arrived"] in (arrived, None)
        return found


@pytest.fixture
def lab(world):
    yield Lab(world)
    world.run("fault", "heal")
    world.clear()


def counted(found):
    return [(row["networkInterfaceId"], row["direction"], row["reason"], row["ruleNumber"])
            for row in found["packet"]["drops"]]


def test_a_way_as_it_is_printed(world, lab):
    """The whole of it, ids aside; no colours but on a terminal."""
    done = world.run("why", "web", "db", "tcp/443")
    text = re.sub(r"sgr-\w+", "sgr", done.stdout)
    for identifier, name in ((lab.card(lab.web), "eni-web"), (lab.card(lab.db), "eni-db"),
                             (lab.front, "front"), (lab.back, "back"), (lab.acl, "acl"),
                             (lab.table, "own"), (lab.main, "main")):
        text = text.replace(identifier, name)
    text = re.sub(r"  +", "  ", text)
    assert text == """\
web (10.0.1.4) to db (10.0.2.4), tcp/443:
  ok  source-check  eni-web  10.0.1.4 is its own address
  ok  security-group  eni-web  rule sgr lets tcp/443 out
  ok  network-acl  front  entry 100 of acl lets tcp/443 out
  ok  route  front  10.0.0.0/16 local in own, the subnet's own table
  ok  network-acl  back  entry 100 of acl lets tcp/443 in
  ok  security-group  eni-db  rule sgr lets tcp/443 in
  ok  delivery  eni-db  db has it
and its answer:
  ok  source-check  eni-db  10.0.2.4 is its own address
  ok  security-group  eni-db  the answer to what it let pass
  ok  network-acl  back  entry 100 of acl lets tcp/32768-60999 out
  ok  route  back  10.0.0.0/16 local in main, the VPC's main table
  ok  network-acl  front  entry 100 of acl lets tcp/32768-60999 in
  ok  security-group  eni-web  the answer to what it let pass
  ok  delivery  eni-web  web has it

model:  reaches
packet: refused by a closed port: so the way is open
They agree.
"""


def test_colours(world, lab):
    """On a terminal that has some, unless NO_COLOR asks for none."""
    for more, expected in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                           ({"TERM": ""}, False)):
        master, slave = pty.openpty()
        subprocess.run(world.command("why", "web", "db"), stdin=subprocess.DEVNULL, stdout=slave,
                       env=environment(**more), check=True, timeout=60)
        os.close(slave)
        text = b""
        while True:
            try:
                text += os.read(master, 65536)
            except OSError:  # all was read
                break
        os.close(master)
        assert b"They agree." in text and (b"\033[" in text) is expected


def test_what_is_answered(world, lab):
    """An open port, a closed one, an echo, services, and a datagram that nobody hears."""
    serving = world.spawn("db", ["python3", "-c", "import socket\ns = socket.create_server(('', 80))"
                                 "\nprint('ready', flush=True)\nwhile True: s.accept()"])
    assert serving.stdout.readline() == b"ready\n"
    assert lab.why("web", "db", "tcp/80")["packet"]["result"] == "answered"
    assert lab.why("web", lab.db, "tcp/81")["packet"]["result"] == "refused"
    assert lab.why(lab.card(lab.web), "10.0.2.4")["packet"]["result"] == "answered"
    for target, service in (("169.254.169.254", "tcp/80"), ("10.0.0.2", "udp/53"),
                            ("169.254.169.123", "udp/123"), ("10.0.1.1", "icmp"),
                            (INTERNET, "icmp"), ("198.18.0.1", "icmp")):
        found = lab.why("web", target, service)
        assert (found["packet"]["result"], found["agree"]) == ("answered", True)
    hearing = world.spawn("db", ["python3", "-c", "import socket\ns = socket.socket(type=2)\n"
                                 "s.bind(('', 90))\nprint('ready', flush=True)\ns.recv(9)\ns.recv(9)"])
    assert hearing.stdout.readline() == b"ready\n"
    found = lab.why("web", "db", "udp/90", status=1)
    assert found["model"]["verdict"] == "reaches" and found["agree"] is True
    assert found["packet"] == {"result": "silent", "arrived": True, "milliseconds": None,
                               "drops": []}


def test_groups(world, lab):
    silent = world.security_group(lab.vpc, "silent")
    world.ec2.revoke_security_group_egress(GroupId=silent, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    set_groups(lab.ec2, lab.db, silent)
    card = lab.card(lab.db)
    found = lab.stops("web", "db", "tcp/443", says=(
        f"stopped by security group {silent} at {card}: no ingress rule of {silent} lets tcp/443 "
        "from 10.0.1.4 pass"))
    assert set(counted(found)) == {(card, "ingress", "security-group", None)}
    advice = found["model"]["advice"]
    assert advice == (f"aws ec2 authorize-security-group-ingress --group-id {silent} "
                      "--protocol tcp --port 443 --cidr 10.0.1.4/32")
    found = lab.stops("db", "web", says=(
        f"stopped by security group {silent} at {card}: no egress rule of {silent} lets icmp echo "
        "request to 10.0.1.4 pass"))
    assert set(counted(found)) == {(card, "egress", "security-group", None)}
    world.run("aws", *advice.split()[1:])
    assert lab.why("web", "db", "tcp/443")["packet"]["result"] == "refused"
    text = world.run("why", "db", "web", check=False).stdout
    assert text.endswith(
        "packet: no answer, and none arrived at web\n"
        f"        the kernel counted 1 dropped by security-group, egress at {card} (db)\n"
        "They agree.\n")


def test_network_acls(world, lab):
    acl = lab.closed_acl(lab.back)
    card = lab.card(lab.db)
    found = lab.stops("web", "db", "tcp/443", says=(
        f"stopped by network ACL {acl} at {lab.back}: entry * of {acl} denies tcp/443 from "
        "10.0.1.4"))
    assert set(counted(found)) == {(card, "ingress", "network-acl", "*")}
    world.run("aws", *found["model"]["advice"].split()[1:])
    found = lab.stops("web", "db", "tcp/443", arrived=True, says=(
        f"the answer is stopped by network ACL {acl} at {lab.back}: entry * of {acl} denies "
        "tcp/32768-60999 to 10.0.1.4"))
    assert set(counted(found)) == {(card, "egress", "network-acl", "*")}
    text = world.run("why", "web", "db", "tcp/443", check=False).stdout
    assert "\npacket: it arrived at db, and its answer got lost\n" in text
    world.run("aws", *found["model"]["advice"].split()[1:])
    assert lab.why("web", "db", "tcp/443")["agree"] is True
    set_acl(lab.ec2, acl, [entry(50, "deny", "tcp", 443), entry(60)], [entry(60)])
    lab.stops("web", "db", "tcp/443", says=(
        f"stopped by network ACL {acl} at {lab.back}: entry 50 of {acl} denies tcp/443 from "
        "10.0.1.4"))
    set_acl(lab.ec2, acl, [entry(60)], [entry(60, "allow", "tcp", 1024, 40000)])
    done = world.run("why", "-o", "json", "web", "db", "tcp/443", check=False)
    found = json.loads(done.stdout)
    assert found["model"]["verdict"] == "sometimes" and found["agree"] is None
    assert found["model"]["summary"] == (
        f"the answer is let pass in part by network ACL {acl} at {lab.back}: {acl} lets only ports "
        "32768-40000 of tcp/32768-60999 out")
    assert done.returncode == (0 if found["packet"]["result"] == "refused" else 1)


def test_a_refused_datagram(lab):
    """The ICMP message that refuses it is judged by other entries than its answer would be."""
    acl = lab.closed_acl(lab.back)
    set_acl(lab.ec2, acl, [entry(1)], [entry(1, "allow", "icmp", -1, -1)])
    lab.stops("web", "db", "udp/90", result="refused", arrived=True, says=(
        f"the answer is stopped by network ACL {acl} at {lab.back}: entry * of {acl} denies "
        "udp/32768-60999 to 10.0.1.4"))
    set_acl(lab.ec2, acl, [entry(1)], [entry(1, "allow", "udp", 0, 65535)])
    found = lab.why("web", "db", "udp/90")
    assert (found["packet"]["result"], found["packet"]["arrived"]) == ("silent", True)


def test_routes(world, lab):
    lab.stops("db", INTERNET, says=(
        f"stopped by route table {lab.main} at {lab.back}: {lab.main} has no route to 198.18.0.10"))
    lab.ec2.create_route(RouteTableId=lab.main, DestinationCidrBlock="0.0.0.0/0",
                         GatewayId=lab.gateway)
    lab.stops("db", INTERNET, says=(
        f"stopped by internet gateway {lab.gateway}: 10.0.2.4 has no public address to leave with"))
    lab.stops("web", "192.168.0.1", says=(
        f"stopped by internet gateway {lab.gateway}: 192.168.0.1 is private: nobody on the Internet "
        "has it"))
    other = lab.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    lab.ec2.delete_route(RouteTableId=lab.main, DestinationCidrBlock="0.0.0.0/0")
    spare = world.vpc("10.9.0.0/16")
    lab.ec2.attach_internet_gateway(InternetGatewayId=other, VpcId=spare)
    table = world.main_table(spare)["RouteTableId"]
    lab.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=other)
    lab.ec2.detach_internet_gateway(InternetGatewayId=other, VpcId=spare)
    subnet = world.subnet(spare, "10.9.1.0/24")
    launch(world, subnet, "far")
    lab.stops("far", INTERNET, says=(
        f"stopped by route table {table} at {subnet}: 0.0.0.0/0 to {other} in {table} is a "
        "blackhole: it is not attached to this VPC"))


def test_addresses(world, lab):
    """Nobody's, a stopped instance's, a loose interface's, another subnet's router's."""
    lab.stops("web", "10.0.1.99", says=(
        f"stopped by the address at {lab.front}: nobody in {lab.front} has the address 10.0.1.99"))
    lab.stops("web", "10.0.2.99", says=(
        f"stopped by the address at {lab.back}: nobody in {lab.back} has the address 10.0.2.99"))
    lab.stops("web", "10.0.9.9", says=(
        f"stopped by the address at {lab.vpc}: no subnet of {lab.vpc} has the address 10.0.9.9"))
    lab.stops("web", "10.0.2.1", says=(
        f"stopped by the address at {lab.back}: a subnet's router answers its own subnet only"))
    lab.stops("web", "169.254.169.254", says=(
        f"stopped by the address at {lab.front}: instance metadata is there, and does not answer "
        "icmp echo request"))
    lab.stops(INTERNET, "198.18.77.7", says=re.sub("^", "", (
        f"stopped by the Internet at {internet_of(lab)}: nobody on the Internet has the address "
        "198.18.77.7")))
    loose = lab.ec2.create_network_interface(SubnetId=lab.back)["NetworkInterface"][
        "NetworkInterfaceId"]
    lab.stops("web", loose, says=(
        f"stopped by the address at {loose}: the interface is attached to no instance"))
    card = lab.card(lab.db)
    lab.ec2.stop_instances(InstanceIds=[lab.db])
    world.await_state("stopped", lab.db)
    lab.stops("web", "db", says=f"stopped by the address at {card}: {lab.db} is stopped")
    found = lab.why("db", "web", status=1)
    assert found["model"]["summary"] == f"stopped by the sender at {lab.db}: {lab.db} is stopped"
    assert found["packet"] is None and found["agree"] is None
    lab.ec2.delete_network_interface(NetworkInterfaceId=loose)


def internet_of(lab):
    """Whatever the Internet's own id is."""
    done = lab.world.run("why", "--model", "-o", "json", INTERNET, "198.18.77.7", check=False)
    return json.loads(done.stdout)["model"]["steps"][0]["at"]


def test_from_outside(world, lab):
    card = lab.card(lab.web)
    lab.stops(INTERNET, "web", "tcp/22", says=(
        f"stopped by security group {lab.group} at {card}: no ingress rule of {lab.group} lets "
        "tcp/22 from 198.18.0.10 pass"))
    world.open(lab.vpc)
    found = lab.why(INTERNET, "web", "tcp/22")
    assert found["to"]["address"] == lab.public and found["packet"]["arrived"] is True
    lab.ec2.delete_route(RouteTableId=lab.table, DestinationCidrBlock="0.0.0.0/0")
    lab.stops(INTERNET, lab.public, "tcp/22", arrived=True, says=(
        f"the answer is stopped by route table {lab.table} at {lab.front}: {lab.table} has no route "
        "to 198.18.0.10"))


def test_nat(world, lab):
    nat = lab.ec2.create_nat_gateway(SubnetId=lab.front, AllocationId=world.elastic_ip()[0])[
        "NatGateway"]
    gateway, address = nat["NatGatewayId"], nat["NatGatewayAddresses"][0]
    lab.ec2.create_route(RouteTableId=lab.main, DestinationCidrBlock="0.0.0.0/0",
                         NatGatewayId=gateway)
    found = lab.why("db", INTERNET, "tcp/22")
    assert [step["text"] for step in found["model"]["steps"] if step["kind"] == "nat-gateway"] == [
        f"10.0.2.4 leaves as {address['PrivateIp']}", "the answer is for 10.0.2.4"]
    card = address["NetworkInterfaceId"]
    lab.stops("web", address["PrivateIp"], says=(
        f"stopped by NAT gateway at {card}: {gateway} leads out and not in"))
    acl = lab.closed_acl(lab.front)
    set_acl(lab.ec2, acl, [entry(1, "allow", "tcp", 22)], [entry(1)])
    lab.stops("db", INTERNET, "tcp/22", says=(
        f"the answer is stopped by network ACL {acl} at {lab.front}: entry * of {acl} denies "
        "tcp/1024-65535 from 198.18.0.10"), arrived=True)
    lab.ec2.delete_nat_gateway(NatGatewayId=gateway)
    bind_acl(lab.ec2, lab.front, lab.acl)
    lab.stops("db", INTERNET, "tcp/22", says=(
        f"stopped by route table {lab.main} at {lab.back}: 0.0.0.0/0 to {gateway} in {lab.main} is "
        "a blackhole: it is not available"))


def fault(world, *words):
    return world.run("fault", *words).stdout.strip()


def test_faults(world, lab):
    nat = lab.ec2.create_nat_gateway(SubnetId=lab.front, AllocationId=world.elastic_ip()[0])[
        "NatGateway"]
    gateway, address = nat["NatGatewayId"], nat["NatGatewayAddresses"][0]
    lab.ec2.create_route(RouteTableId=lab.main, DestinationCidrBlock="0.0.0.0/0",
                         NatGatewayId=gateway)
    cards = {"web": lab.card(lab.web), "db": lab.card(lab.db), gateway: address["NetworkInterfaceId"]}
    for words, at, target, pairs in (
            (("az", "us-east-1b"), "db", "us-east-1b", [("web", "db"), ("db", "web")]),
            (("subnet", lab.front), "web", lab.front, [("web", "db"), ("db", "web")]),
            (("instance", "web"), "web", lab.web, [(INTERNET, "web"), ("db", "web")]),
            (("nat", gateway), gateway, gateway, [("db", INTERNET)])):
        identifier = fault(world, *words)
        for pair in pairs:
            found = lab.stops(*pair, says=(
                f"stopped by the fault {identifier} at {cards[at]}: {target} is dark"))
            assert found["model"]["advice"] == f"minivpc fault heal {identifier}"
        fault(world, "heal")
    identifier = fault(world, "link", "db", "--loss", "100")
    lab.stops("web", "db", says=(f"stopped by the fault {identifier} at {cards['db']}: its link "
                                 "loses 100 % of the packets"))
    fault(world, "link", "db", "--loss", "1")
    assert lab.why("web", "db", "tcp/22")["agree"] is None
    fault(world, "heal")
    assert lab.why("web", "db", "tcp/22")["agree"] is True


def test_a_matrix_of_a_dark_zone(world, lab):
    identifier = fault(world, "az", "us-east-1b")
    lines = world.run("ping-matrix").stdout.splitlines()
    assert lines[:3] == ["     web      db", "web  -        fault", "db   fault    -"]
    assert (f"    stopped by the fault {identifier} at {lab.card(lab.db)}: us-east-1b is dark"
            in lines)


def test_peerings(world, lab):
    second, third = world.open_vpc("10.1.0.0/16"), world.open_vpc("10.2.0.0/16")
    far = world.subnet(second, "10.1.1.0/24")
    there = launch(world, far, "there")
    launch(world, world.subnet(third, "10.2.1.0/24"), "beyond")
    peering = world.peering(lab.vpc, second)
    world.peering(second, third)
    lab.stops("db", "there", says=(
        f"stopped by route table {lab.main} at {lab.back}: {lab.main} has no route to 10.1.1.4"))
    lab.ec2.create_route(RouteTableId=lab.main, DestinationCidrBlock="10.0.0.0/8",
                         VpcPeeringConnectionId=peering)
    table = world.main_table(second)["RouteTableId"]
    lab.stops("db", "there", arrived=True, says=(
        f"the answer is stopped by route table {table} at {far}: {table} has no route to 10.0.2.4"))
    lab.ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/16",
                         VpcPeeringConnectionId=peering)
    assert lab.why("db", there)["packet"]["result"] == "answered"
    lab.stops("db", "10.2.1.4", says=(
        f"stopped by peering {peering}: 10.2.1.4 is no address of {second}: a peering leads from "
        "one VPC to the other and no further"))
    lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    lab.stops("db", "10.1.1.4", says=(
        f"stopped by route table {lab.main} at {lab.back}: 10.0.0.0/8 to {peering} in "
        f"{lab.main} is a blackhole: it is not active"))


def test_appliances(world, lab):
    """What an instance on the way does is its own: the packet tells."""
    world.open(lab.vpc)
    box = launch(world, world.subnet(lab.vpc, "10.0.3.0/24"), "box")
    card = lab.card(box)
    lab.ec2.create_route(RouteTableId=lab.table, DestinationCidrBlock="10.0.2.0/24",
                         InstanceId=box)
    lab.stops("web", "db", says=(
        f"stopped by the source/destination check at {card}: box takes nothing that is not for "
        "itself: its source/destination check is on"))
    lab.ec2.modify_instance_attribute(InstanceId=box, SourceDestCheck={"Value": False})
    world.exec("box", ["sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"])
    says = ("reaches, as far as rules say; it depends on the instance "
            f"{box} at {card}: box forwards it, if its own kernel does")
    found = lab.why("web", "db", status=1)
    assert (found["model"]["summary"], found["agree"]) == (says, None)
    assert found["packet"]["arrived"] is False
    text = world.run("why", "web", "db", check=False).stdout
    assert text.endswith("No rule stops it: look at the instance on the way (sysctl "
                         "net.ipv4.ip_forward, its routes, its own filter).\n")
    world.exec("box", ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])
    found = lab.why("web", "db")
    assert (found["model"]["summary"], found["packet"]["result"]) == (says, "answered")


def test_two_cards(world, lab):
    """The guest's own routes choose the card, and the source check minds it."""
    second = lab.ec2.create_network_interface(SubnetId=world.subnet(lab.vpc, "10.0.4.0/24"))[
        "NetworkInterface"]["NetworkInterfaceId"]
    lab.ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=lab.web,
                                     DeviceIndex=1)
    card = lab.card(lab.web)
    card = [found["NetworkInterfaceId"] for found in world.instance(lab.web)["NetworkInterfaces"]
            if found["Attachment"]["DeviceIndex"] == 0][0]
    found = lab.stops(second, "db", says=(
        f"stopped by the source/destination check at {card}: 10.0.4.4 is not an address of {card}, "
        "by which the instance's own routes lead, and its source/destination check is on"))
    assert set(counted(found)) == {(card, "egress", "source-check", None)}


def test_a_filter_inside(world, lab):
    """What arrives and is not answered is no disagreement: the model ends at the interface."""
    done = world.exec("db", "ip route add blackhole 10.0.1.4/32", check=False)
    assert done.returncode == 0, done.stderr
    found = lab.why("web", "db", status=1)
    assert (found["model"]["verdict"], found["packet"]["arrived"], found["agree"]) == (
        "reaches", True, True)
    text = world.run("why", "web", "db", check=False).stdout
    assert ("packet: it arrived at db, which did not answer: nobody listens there, or something "
            "inside filters\n") in text


def test_a_disagreement_is_told(world, lab):
    """Behind the model's back the kernel is told otherwise: it is said aloud, and by the status."""
    world.run("why", "web", "db")
    subprocess.run(["ip", "netns", "exec", lab.back, "ip", "route", "replace", "blackhole",
                    "10.0.1.0/24"], check=True)
    done = world.run("why", "web", "db", check=False)
    assert done.returncode == 3
    assert "THEY DISAGREE" in done.stdout and "\033" not in done.stdout
    done = world.run("ping-matrix", check=False)
    assert done.returncode == 3
    assert "THE MODEL AND 2 PACKETS DISAGREE" in done.stdout
    assert "web > db: the packet was not answered; the model: reaches" in done.stdout
    found = json.loads(world.run("ping-matrix", "-o", "json", check=False).stdout)
    assert found["disagreements"] == 2


# The matrix.

def test_a_matrix(world, lab):
    closed = world.security_group(lab.vpc, "closed")
    cache = launch(world, lab.back, "cache", SecurityGroupIds=[closed])
    acl = lab.closed_acl(lab.back)
    text = world.run("ping-matrix").stdout
    assert text.splitlines()[:4] == [
        "       web      db       cache",
        "web    -        acl      acl",
        "db     acl      -        group",
        "cache  acl      group    -"]
    for pairs, direction in (("web > db, web > cache", "from"), ("db > web, cache > web", "to")):
        assert (f"{pairs}:\n    stopped by network ACL {acl} at {lab.back}: entry * of {acl} denies "
                f"icmp echo request {direction} 10.0.1.4\n"
                "    the kernel counted 2 dropped there\n") in text
    assert (f"cache > db:\n    stopped by security group {lab.group} at {lab.card(lab.db)}: no "
            f"ingress rule of {lab.group} lets icmp echo request from 10.0.2.5 pass\n"
            "    the kernel counted 1 dropped there\n") in text
    bind_acl(lab.ec2, lab.back, lab.acl)
    assert world.run("ping-matrix", "--port", "80").stdout.splitlines()[:4] == [
        "       web      db       cache",
        "web    -        closed   group",
        "db     closed   -        group",
        "cache  group    group    -"]
    found = json.loads(world.run("ping-matrix", "--vpc", lab.vpc, "-o", "json").stdout)
    assert [member["name"] for member in found["instances"]] == ["web", "db", "cache"]
    assert {(pair["from"], pair["to"]): pair["result"] for pair in found["pairs"]} == {
        (lab.web, lab.db): "answered", (lab.db, lab.web): "answered",
        (lab.web, cache): "silent", (lab.db, cache): "silent",
        (cache, lab.web): "silent", (cache, lab.db): "silent"}


def test_matrices_of_little(world):
    """Of nobody, of one, and of another VPC's."""
    assert world.run("ping-matrix").stdout == "there are no two running instances\n"
    vpc, other = world.vpc(), world.vpc("10.5.0.0/16")
    launch(world, world.subnet(vpc, "10.0.1.0/24"), "one")
    assert world.run("ping-matrix").stdout == "there are no two running instances\n"
    launch(world, world.subnet(other, "10.5.1.0/24"), "two")
    assert world.run("ping-matrix", "--vpc", vpc).stdout == "there are no two running instances\n"
    assert world.run("ping-matrix").stdout.splitlines()[:3] == [
        "     one      two", "one  -        route", "two  route    -"]
    done = world.run("ping-matrix", "--vpc", "vpc-0123456789abcdef0", check=False)
    assert done.returncode == 1 and "There is no VPC 'vpc-0123456789abcdef0'" in done.stderr
    world.clear()


def test_a_large_matrix(world):
    """
    2,450 pairs at once, with numbers where names don't fit. In one subnet so many would fill
    the machine's ARP table.
    """
    vpc = world.vpc()
    for number in range(5):
        world.ec2.run_instances(ImageId=IMAGE, MinCount=10, MaxCount=10,
                                SubnetId=world.subnet(vpc, f"10.0.{number}.0/24"))
    wait_for(lambda: len(json.loads(world.run("ps", "-o", "json").stdout)) == 50, 20, "50 instances")
    world.run("ping-matrix")
    text = world.run("ping-matrix").stdout
    assert text.splitlines()[0].split() == [str(n) for n in range(1, 51)]
    assert sum(line.count(" .") for line in text.splitlines()[1:51]) == 2450
    found = json.loads(world.run("ping-matrix", "--port", "80", "-o", "json").stdout)
    assert [pair["result"] for pair in found["pairs"]] == ["refused"] * 2450
    world.clear()


def test_names(world, lab):
    """What controls a terminal stays out of it; what two share names neither."""
    odd = launch(world, lab.back, "a\x9bb")
    text = world.run("why", "web", odd).stdout
    assert "web (10.0.1.4) to a?b (10.0.2.5), icmp:" in text and "\x9b" not in text
    assert lab.why("web", odd)["to"]["name"] == "a\x9bb"
    twin = launch(world, lab.back, "web")
    lines = world.run("ping-matrix").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["web", "db", "a?b", twin]
    assert "\x9b" not in "".join(lines)


# What is refused.

def test_refusals(world, lab):
    for arguments, status, says in (
            (("nobody", "db"), 1, "There is no instance, network interface or Internet host "
                                  "'nobody': minivpc ps and minivpc internet list tell what there "
                                  "is (InvalidParameterValue)"),
            (("10.0.1.4", "db"), 1, "'10.0.1.4' is an address: name the instance, network interface "
                                    "or Internet host that sends (InvalidParameterValue)"),
            (("web", lab.vpc), 1, f"'{lab.vpc}' sends no packets: name an instance, a network "
                                  "interface or an Internet host (InvalidParameterValue)"),
            (("web", "::1"), 1, "'::1': nothing but IPv4 leaves an instance "
                                "(InvalidParameterValue)"),
            (("web", "db", "tcp/65536"), 2, "why: SERVICE can't be tcp/65536: try minivpc help why"),
            (("web", "db", "gre"), 2, "why: SERVICE can't be gre: try minivpc help why"),
            (("web",), 2, "why: needs DST: try minivpc help why")):
        done = world.run("why", *arguments, check=False)
        assert (done.returncode, done.stderr, done.stdout) == (status, f"minivpc: {says}\n", "")
    launch(world, lab.front, "web")
    done = world.run("why", "web", "db", check=False)
    assert done.returncode == 1 and "2 instances are named 'web'" in done.stderr


def test_the_model_alone(world, lab):
    """It sends nothing."""
    closed = world.security_group(lab.vpc, "closed")
    set_groups(lab.ec2, lab.db, closed)
    found = lab.why("--model", "web", "db", status=1)
    assert found["packet"] is None and found["agree"] is None
    assert world.run("ps", "--drops").stdout == "no packet was dropped\n"
    assert lab.why("--model", "web", INTERNET)["model"]["verdict"] == "reaches"
