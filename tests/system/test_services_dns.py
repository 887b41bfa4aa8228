"""Amazon's DNS in every subnet: what names mean, to whom, and from when; by dig in instances."""
import os
import re
import shutil
import subprocess
import types

import pytest

import isolation
from lib import environment, read_line, stop, wait_for

pytestmark = pytest.mark.skipif(not shutil.which("dig"), reason="no dig (apt install bind9-dnsutils)")

LINK_LOCAL = "169.254.169.253"
SOA = "ns0.amazonaws.com. hostmaster.amazon.com."


class Reply:
    """What dig tells of an answer; status "timeout" when there is none."""

    def __init__(self, text):
        status = re.search(r"status: (\w+)", text)
        self.text = text
        self.status = status[1] if status else "timeout"
        self.records = {"ANSWER": [], "AUTHORITY": []}
        section = None
        for line in text.splitlines():
            head = re.match(r";; (\w+) SECTION:", line)
            if head:
                section = self.records.setdefault(head[1], [])
            elif section is not None and line and not line.startswith(";"):
                section.append(line.split(None, 4))

    @property
    def answer(self):
        """Type and data of each record."""
        return [(record[3], record[4]) for record in self.records["ANSWER"]]

    @property
    def zone(self):
        """Whose SOA says that there is nothing."""
        (name, _, _, kind, data), = self.records["AUTHORITY"]
        assert kind == "SOA" and data.startswith(SOA)
        return name

    def __repr__(self):
        return self.text


def ask(world, place, name, *options, server="10.0.0.2", kind="A", seconds=1):
    done = world.exec(place, ["dig", f"+time={seconds}", "+tries=1", "+nobadcookie", f"@{server}",
                              "-t", kind, "-q", name, *options], check=False)
    assert "refused." not in done.stdout, done.stdout  # by an ICMP error
    return Reply(done.stdout)


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def private_name(address, domain="ec2.internal"):
    return f"ip-{address.replace('.', '-')}.{domain}"


def public_name(address):
    return f"ec2-{address.replace('.', '-')}.compute-1.amazonaws.com"


def hostnames(world, vpc, value=True):
    world.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": value})


def support(world, vpc, value):
    world.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": value})


@pytest.fixture(scope="module")
def lab(world):
    """
    a, in whose subnet the VPC's DNS server has its address, and b, in another one; c in a peered
    VPC. a has an Elastic IP. There is no way out but by a's own route table.
    """
    vpc, other = world.open_vpc("10.0.0.0/16"), world.open_vpc("10.1.0.0/16")
    hostnames(world, vpc)
    gateway = world.gateway(vpc)
    front, back = world.subnet(vpc, "10.0.0.0/24"), world.subnet(vpc, "10.0.1.0/24")
    far = world.subnet(other, "10.1.0.0/24")
    world.route_table(vpc, front, gateway)
    a, = world.run_instances(front, address="10.0.0.5")
    b, = world.run_instances(back, address="10.0.1.5")
    c, = world.run_instances(far, address="10.1.0.5")
    allocation, public = world.elastic_ip(a)
    return types.SimpleNamespace(world=world, ec2=world.ec2, vpc=vpc, other=other, front=front,
                                 back=back, far=far, a=a, b=b, c=c, public=public,
                                 allocation=allocation)


@pytest.mark.parametrize("server", ["10.0.0.2", LINK_LOCAL])
@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_private_names(lab, server, how):
    for place in (lab.a, lab.b):
        for address in ("10.0.0.5", "10.0.1.5"):
            name = private_name(address)
            assert ask(lab.world, place, name, how, server=server).answer == [("A", address)]
            assert ask(lab.world, place, reverse(address), how, server=server,
                       kind="PTR").answer == [("PTR", name + ".")]


def test_a_name_is_one_in_any_case(lab):
    reply = ask(lab.world, lab.a, "IP-10-0-1-5.Ec2.INTERNAL")
    assert reply.records["ANSWER"] == [["IP-10-0-1-5.Ec2.INTERNAL.", "60", "IN", "A", "10.0.1.5"]]
    assert "flags: qr rd ra;" in reply.text


def test_without_edns(lab):
    assert "OPT" not in ask(lab.world, lab.a, private_name("10.0.1.5"), "+noedns").text
    assert "version: 0, flags:; udp: 1232" in ask(lab.world, lab.a, private_name("10.0.1.5")).text
    reply = ask(lab.world, lab.a, private_name("10.0.1.5"), "+edns=1", "+noednsnegotiation")
    assert (reply.status, reply.answer) == ("BADVERS", [])


@pytest.mark.parametrize("name", [
    "ip-10-0-1-6.ec2.internal", "ip-10-1-0-5.ec2.internal", "ip-10-0-1-05.ec2.internal",
    "ip-10-0-1-5-.ec2.internal", "ip-10-0-1.ec2.internal", "ip--10-0-1-5.ec2.internal",
    "ip-10-0-1-5.x.ec2.internal", "i-0123456789abcdef0.ec2.internal", "ip-10-0-0-2.ec2.internal",
    "ip-10-0-1-500.ec2.internal", "x." * 100 + "ec2.internal"])
def test_no_such_private_name(lab, name):
    reply = ask(lab.world, lab.a, name)
    assert (reply.status, reply.answer, reply.zone) == ("NXDOMAIN", [], "ec2.internal.")


@pytest.mark.parametrize("name, kind, zone", [
    (private_name("10.0.1.5"), "AAAA", "ec2.internal."), ("ec2.internal", "A", "ec2.internal."),
    (private_name("10.0.1.5"), "PTR", "ec2.internal."),
    (reverse("10.0.1.5"), "A", "0.10.in-addr.arpa."),
    ("1.0.10.in-addr.arpa", "PTR", "0.10.in-addr.arpa."),
    ("10.in-addr.arpa", "PTR", "0.10.in-addr.arpa.")])
def test_nothing_of_that_type(lab, name, kind, zone):
    reply = ask(lab.world, lab.a, name, kind=kind)
    assert (reply.status, reply.answer, reply.zone) == ("NOERROR", [], zone)


@pytest.mark.parametrize("name, zone", [
    (reverse("10.0.1.6"), "0.10.in-addr.arpa."), (reverse("10.1.0.5"), "10.in-addr.arpa."),
    (reverse("192.168.1.1"), "168.192.in-addr.arpa."), (reverse("198.18.0.10"), "198.in-addr.arpa."),
    ("ip-10-0-1-5.us-west-2.compute.internal", "internal."), ("internal", "internal.")])
def test_no_such_name(lab, name, zone):
    reply = ask(lab.world, lab.a, name, kind="PTR" if "arpa" in name else "A")
    assert (reply.status, reply.answer, reply.zone) == ("NXDOMAIN", [], zone)


@pytest.mark.parametrize("name", ["www.example.com", ".", "com", reverse("8.8.8.8"), "localhost"])
def test_what_it_cannot_know_it_refuses(lab, name):
    assert ask(lab.world, lab.a, name, "-p", "53").status == "REFUSED"


def test_soa(lab):
    (kind, data), = ask(lab.world, lab.a, "ec2.internal", kind="SOA").answer
    assert kind == "SOA" and data.startswith(SOA)


def test_a_zone_is_not_given_away(lab):
    done = lab.world.exec(lab.a, "dig +time=1 +tries=1 @10.0.0.2 ec2.internal AXFR", check=False)
    assert "Transfer failed" in done.stdout and "10.0" not in done.stdout.split("ec2.internal", 1)[1]


def test_secondary_addresses(lab):
    interface = lab.world.instance(lab.b)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=interface,
                                        PrivateIpAddresses=["10.0.1.77"])
    assert ask(lab.world, lab.a, private_name("10.0.1.77")).answer == [("A", "10.0.1.77")]
    lab.ec2.unassign_private_ip_addresses(NetworkInterfaceId=interface,
                                          PrivateIpAddresses=["10.0.1.77"])
    assert ask(lab.world, lab.a, private_name("10.0.1.77")).status == "NXDOMAIN"


def test_resource_names(lab):
    """As the instance says: what its subnet says counts at the launch. The address keeps its own."""
    name = f"{lab.b}.ec2.internal"
    change = lab.ec2.modify_private_dns_name_options
    assert ask(lab.world, lab.a, name).status == "NXDOMAIN"
    for turn in range(3):
        change(InstanceId=lab.b, EnableResourceNameDnsARecord=True)
        for server in ("10.0.0.2", LINK_LOCAL):
            assert ask(lab.world, lab.a, name, server=server).answer == [("A", "10.0.1.5")]
        assert ask(lab.world, lab.a, name.upper()).status == "NOERROR"
        assert ask(lab.world, lab.a, name, kind="AAAA").status == "NOERROR"
        assert ask(lab.world, lab.c, name, server="10.1.0.2").status == "NXDOMAIN"
        assert ask(lab.world, lab.a, private_name("10.0.1.5")).answer == [("A", "10.0.1.5")]
        assert ask(lab.world, lab.a, reverse("10.0.1.5"), kind="PTR").answer == [
            ("PTR", private_name("10.0.1.5") + ".")]
        change(InstanceId=lab.b, EnableResourceNameDnsARecord=False)
        assert ask(lab.world, lab.a, name).status == "NXDOMAIN", turn


def test_resource_names_from_the_launch_on(lab):
    """The subnet's word, and the launch's own before it; the machine is called so itself."""
    subnet = lab.world.subnet(lab.vpc, "10.0.7.0/24")
    lab.ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    lab.ec2.modify_subnet_attribute(SubnetId=subnet,
                                    EnableResourceNameDnsARecordOnLaunch={"Value": True})
    one, = lab.world.run_instances(subnet, address="10.0.7.5")
    two, = lab.world.run_instances(subnet, address="10.0.7.6", PrivateDnsNameOptions={
        "HostnameType": "ip-name", "EnableResourceNameDnsARecord": False})
    assert lab.world.exec(one, "hostname").strip() == one
    assert ask(lab.world, lab.a, f"{one}.ec2.internal").answer == [("A", "10.0.7.5")]
    assert one in lab.world.exec(one, "getent hosts 10.0.7.5")
    assert lab.world.exec(two, f"getent hosts {one}").split()[0] == "10.0.7.5"  # by the domain
    assert lab.world.exec(two, "hostname").strip() == "ip-10-0-7-6"
    assert ask(lab.world, lab.a, f"{two}.ec2.internal").status == "NXDOMAIN"
    # Later the subnet has no say.
    lab.ec2.modify_subnet_attribute(SubnetId=subnet,
                                    EnableResourceNameDnsARecordOnLaunch={"Value": False})
    assert ask(lab.world, lab.a, f"{one}.ec2.internal").status == "NOERROR"
    lab.ec2.terminate_instances(InstanceIds=[one, two])
    assert ask(lab.world, lab.a, f"{one}.ec2.internal").status == "NXDOMAIN"


def test_public_names(lab):
    """Row 22: the private address inside; outside, which another VPC is too, the public one."""
    world, name = lab.world, public_name(lab.public)
    for place in (lab.a, lab.b):
        assert ask(world, place, name).answer == [("A", "10.0.0.5")]
        assert ask(world, place, reverse(lab.public), kind="PTR").answer == [("PTR", name + ".")]
    assert ask(world, lab.c, name, server="10.1.0.2").answer == [("A", lab.public)]
    assert ask(world, "internet", name, server="198.18.0.1").answer == [("A", lab.public)]
    assert ask(world, "internet", reverse(lab.public), server="198.18.0.1",
               kind="PTR").answer == [("PTR", name + ".")]
    assert ask(world, "internet", private_name("10.0.0.5"), server="198.18.0.1").status == "NXDOMAIN"
    assert ask(world, "internet", reverse("10.0.0.5"), server="198.18.0.1",
               kind="PTR").status == "NXDOMAIN"
    for wrong in (public_name("198.18.77.77"),
                  name.replace("compute-1.", "us-west-2.compute.")):
        assert ask(world, lab.a, wrong).status == "NXDOMAIN"


def test_an_elastic_ips_own_reverse_name(lab):
    lab.ec2.modify_address_attribute(AllocationId=lab.allocation, DomainName="mail.example.com")
    try:
        assert ask(lab.world, "internet", reverse(lab.public), server="198.18.0.1",
                   kind="PTR").answer == [("PTR", "mail.example.com.")]
    finally:
        lab.ec2.reset_address_attribute(AllocationId=lab.allocation, Attribute="domain-name")


def test_a_peer_is_told_the_private_address_when_it_may(lab):
    """AllowDnsResolutionFromRemoteVpc is the option of the side whose names they are."""
    world, name = lab.world, public_name(lab.public)
    hostnames(world, lab.other)
    peering = world.peering(lab.vpc, lab.other)
    mine, theirs = "RequesterPeeringConnectionOptions", "AccepterPeeringConnectionOptions"

    def answer():
        return ask(world, lab.c, name, server="10.1.0.2").answer
    try:
        assert answer() == [("A", lab.public)]
        lab.ec2.modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=peering, **{theirs: {"AllowDnsResolutionFromRemoteVpc": True}})
        assert answer() == [("A", lab.public)]
        lab.ec2.modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=peering, **{mine: {"AllowDnsResolutionFromRemoteVpc": True}})
        assert answer() == [("A", "10.0.0.5")]
        # The peer's server itself is out of reach.
        for vpc, block in ((lab.vpc, "10.1.0.0/16"), (lab.other, "10.0.0.0/16")):
            lab.ec2.create_route(RouteTableId=world.main_table(vpc)["RouteTableId"],
                                 DestinationCidrBlock=block, VpcPeeringConnectionId=peering)
        world.assert_reaches(lab.b, "10.1.0.5")
        assert ask(world, lab.b, name, server="10.1.0.2").status == "timeout"
    finally:
        lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    assert answer() == [("A", lab.public)]
    hostnames(world, lab.other, False)


def test_another_regions_names(world):
    ec2 = world.client(region="eu-west-1")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    instance = ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1,
                                 SubnetId=subnet, PrivateIpAddress="10.9.0.9")["Instances"][0]
    name = "ip-10-9-0-9.eu-west-1.compute.internal"
    assert instance["PrivateDnsName"] == name
    for asked, status in ((name, "NOERROR"), (private_name("10.9.0.9"), "NXDOMAIN")):
        assert ask(world, instance["InstanceId"], asked, server="10.9.0.2").status == status


def test_hostnames_off(lab):
    world = lab.world
    hostnames(world, lab.vpc, False)
    try:
        for name in (private_name("10.0.1.5"), public_name(lab.public)):
            assert ask(world, lab.a, name).status == "NXDOMAIN"
        assert ask(world, lab.a, reverse("10.0.1.5"), kind="PTR").status == "NXDOMAIN"
        assert ask(world, lab.c, public_name(lab.public), server="10.1.0.2").status == "NXDOMAIN"
    finally:
        hostnames(world, lab.vpc)
    assert ask(world, lab.a, private_name("10.0.1.5")).status == "NOERROR"


def test_row_51_support_off(lab):
    """No answer at all, nor an ICMP error."""
    world = lab.world
    hostnames(world, lab.vpc, False)
    support(world, lab.vpc, False)
    try:
        for server in ("10.0.0.2", LINK_LOCAL):
            for how in ("+notcp", "+tcp"):
                reply = ask(world, lab.b, private_name("10.0.1.5"), how, server=server)
                assert reply.status == "timeout", reply
                assert "timed out" in reply.text, reply
    finally:
        support(world, lab.vpc, True)
        hostnames(world, lab.vpc)
    assert ask(world, lab.b, private_name("10.0.1.5"), "+tcp").status == "NOERROR"


def test_a_further_block_has_one_too(lab):
    world = lab.world
    block = lab.ec2.associate_vpc_cidr_block(VpcId=lab.vpc, CidrBlock="10.5.0.0/24")[
        "CidrBlockAssociation"]["AssociationId"]
    assert ask(world, lab.b, private_name("10.0.1.5"), server="10.5.0.2").status == "NOERROR"
    assert ask(world, lab.b, "5.10.in-addr.arpa", kind="PTR").zone == "0.5.10.in-addr.arpa."
    lab.ec2.disassociate_vpc_cidr_block(AssociationId=block)
    assert ask(world, lab.b, private_name("10.0.1.5"), server="10.5.0.2").status == "timeout"


def test_right_in_the_instant(lab):
    """As soon as a call is answered."""
    world = lab.world
    for n in range(5):
        address = f"10.0.1.{100 + n}"
        name = private_name(address)
        assert ask(world, lab.a, name).status == "NXDOMAIN"
        instance, = world.run_instances(lab.back, address=address)
        assert ask(world, lab.a, name).answer == [("A", address)]
        assert ask(world, instance, private_name("10.0.0.5")).answer == [("A", "10.0.0.5")]
        allocation, public = world.elastic_ip(instance)
        assert ask(world, lab.a, public_name(public)).answer == [("A", address)]
        lab.ec2.terminate_instances(InstanceIds=[instance])
        assert ask(world, lab.a, name).status == "NXDOMAIN"
        assert ask(world, lab.a, public_name(public)).status == "NXDOMAIN"
        world.release(allocation)
    subnet = world.subnet(lab.vpc, "10.0.9.0/24")
    instance, = world.run_instances(subnet, address="10.0.9.9")
    assert ask(world, instance, private_name("10.0.9.9")).answer == [("A", "10.0.9.9")]


FORGE = """
import socket, struct, sys
source, target, port = sys.argv[1:4]
question = bytes.fromhex('1234010000010000000000000365633208696e7465726e616c0000060001')
udp = struct.pack('!HHHH', 4444, int(port), 8 + len(question), 0) + question
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                   socket.inet_aton(source), socket.inet_aton(target))
for _ in range(3):
    raw.sendto(head + udp, (target, 0))
"""

HEAR = """
import select, socket
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
print('ready', flush=True)
heard = 0
while select.select([raw], [], [], 1)[0]:
    heard += raw.recv(4000)[20:22] == b'\\0\\x35'
print(heard, flush=True)
"""


@pytest.mark.parametrize("server", ["10.0.0.2", LINK_LOCAL])
def test_only_the_own_address_is_answered(lab, server):
    """Source check or not: no answer goes to whose address was forged."""
    world = lab.world
    victim, = world.run_instances(lab.back, address="10.0.1.50")
    attacker, = world.run_instances(lab.back, address="10.0.1.60")
    lab.ec2.modify_instance_attribute(InstanceId=attacker, SourceDestCheck={"Value": False})
    try:
        for source, listener, count in (("10.0.1.60", attacker, 3), ("10.0.1.50", victim, 0)):
            hearing = world.spawn(listener, ["python3", "-c", HEAR])
            assert read_line(hearing, 10, "listener") == "ready"
            world.exec(attacker, ["python3", "-c", FORGE, source, server, "53"])
            assert read_line(hearing, 10, "listener") == str(count)
    finally:
        lab.ec2.terminate_instances(InstanceIds=[victim, attacker])


def daemon_sockets(world):
    """How many the daemon has."""
    found = 0
    for name in os.listdir(f"/proc/{world.daemon.pid}/fd"):
        try:
            found += os.readlink(f"/proc/{world.daemon.pid}/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            pass
    return found


TALK = """
import socket, sys, time
made = [socket.create_connection(('169.254.169.253', 53)) for _ in range(int(sys.argv[1]))]
print('ready', flush=True)
time.sleep(600)
"""


def test_a_subnets_end_is_the_end_of_its_sockets(own_world):
    """Each would keep the namespace alive, connections too."""
    world = own_world
    vpc = world.vpc()
    world.subnet(vpc, "10.0.0.0/24")
    before = daemon_sockets(world)
    subnet = world.subnet(vpc, "10.0.1.0/24")
    instance, = world.run_instances(subnet)
    talking = world.spawn(instance, ["python3", "-c", TALK, "5"])
    assert read_line(talking, 10, "TALK") == "ready"
    wait_for(lambda: daemon_sockets(world) > before + 6, 5, "connections")
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.ec2.delete_subnet(SubnetId=subnet)
    # the connection that the call came by, and netlink's, may stay
    wait_for(lambda: daemon_sockets(world) <= before + 2, 3, "sockets are closed")


def test_connections_are_bounded(lab):
    """One guest can't use up the daemon's descriptors; others are served."""
    world = lab.world
    before = daemon_sockets(world)
    talking = world.spawn(lab.b, ["python3", "-c", TALK, "300"])
    assert read_line(talking, 10, "TALK") == "ready"
    assert daemon_sockets(world) <= before + 40
    assert ask(world, lab.b, private_name("10.0.1.5"), "+tcp").status == "NOERROR"
    stop(talking)


ROT = """
import random, socket, sys
good = bytes.fromhex('000101000001000000000001') + b'\\x0bip-10-0-1-5\\x03ec2\\x08internal' \\
    + bytes.fromhex('0000010001' '00002904d0000000000000')
chance = random.Random(7)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('169.254.169.253', 53))
for n in range(4000):
    data = bytearray(good)
    for _ in range(chance.randrange(6)):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0xc0, 0xff, chance.randrange(256)))
    data = bytes(data[:chance.randrange(len(data) + 1)]) if n % 3 == 0 else bytes(data)
    try:
        udp.send(data)
    except OSError:
        pass
    if n % 40 == 0:
        with socket.create_connection(('169.254.169.253', 53)) as tcp:
            tcp.settimeout(0.05)
            try:
                tcp.send(chance.choice((b'', b'\\0', b'\\xff\\xff', len(data).to_bytes(2, 'big'))) + data)
                tcp.recv(1000)
            except OSError:
                pass
"""


def test_whatever_is_sent(lab):
    lab.world.exec(lab.b, ["python3", "-c", ROT])
    assert ask(lab.world, lab.b, private_name("10.0.1.5")).status == "NOERROR"


def test_untracked(lab):
    """
    Rows 5 and 49: a full table of connections is no hindrance, for they aren't in it. In a subnet
    of its own: the kernel forgets lazily.
    """
    subnet = lab.world.subnet(lab.vpc, "10.0.8.0/24")
    instance, = lab.world.run_instances(subnet)

    def tracked():
        return int(subprocess.run(
            ["ip", "netns", "exec", subnet, "cat", "/proc/sys/net/netfilter/nf_conntrack_count"],
            check=True, capture_output=True, env=environment()).stdout)
    for how in ("+notcp", "+tcp"):
        assert ask(lab.world, instance, private_name("10.0.1.5"), how).status == "NOERROR"
        assert tracked() == 0
    lab.world.assert_reaches(instance, "10.0.1.5")
    assert tracked() == 1


def test_without_the_daemon_nobody_answers(own_world):
    """And the next one does."""
    world = own_world
    vpc = world.vpc("10.0.0.0/16")
    hostnames(world, vpc)
    instance, = world.run_instances(world.subnet(vpc, "10.0.0.0/24"), address="10.0.0.9")
    name = private_name("10.0.0.9")
    assert ask(world, instance, name, "+tcp").status == "NOERROR"
    world.kill()
    # `minivpc exec` would start another one.
    done = subprocess.run(["ip", "netns", "exec", instance, "dig", "+time=1", "+tries=1",
                           "@10.0.0.2", name], capture_output=True, text=True, check=False,
                          env=environment())
    assert Reply(done.stdout).status == "timeout", done.stdout + done.stderr
    world.serve()
    for how in ("+notcp", "+tcp"):
        for server in ("10.0.0.2", LINK_LOCAL):
            assert ask(world, instance, name, how, server=server).answer == [("A", "10.0.0.9")]


# Asking the host's resolver.

RESOLVER = """
import socket, struct, threading
def answer(query, stream):
    name = query[12:query.index(b'\\0', 12)]
    head = query[:2] + (b'\\x87\\x80' if b'big' in name and not stream else b'\\x85\\x80')
    if b'\\x06silent' in name:
        return None
    question = query[12:query.index(b'\\0', 12) + 5]
    if head[2] & 2:
        return head + b'\\0\\1' + bytes(6) + question
    data = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('192.0.2.55')
    many = 100 if b'big' in name else 1
    return head + b'\\0\\1' + struct.pack('!H', many) + bytes(4) + question + data * many
def udp():
    while True:
        query, peer = u.recvfrom(4000)
        data = answer(query, False)
        if data:
            u.sendto(b'xx' + data[2:], peer)  # somebody else's
            u.sendto(data, peer)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('127.0.0.1', 53))
t = socket.create_server(('127.0.0.1', 53))
threading.Thread(target=udp, daemon=True).start()
print('ready', flush=True)
while True:
    peer, _ = t.accept()
    query = peer.recv(4000)
    data = answer(query[2:], True)
    if data:
        peer.sendall(struct.pack('!H', len(data)) + data)
    peer.close()
"""


@pytest.fixture
def resolver(tmp_path):
    """The host's: what it says, and the file that names it."""
    if isolation.INSIDE not in os.environ:
        pytest.skip("gives the host a resolver: only inside namespaces of the suite's own")
    process = subprocess.Popen(["python3", "-c", RESOLVER], stdout=subprocess.PIPE, bufsize=0,
                               env=environment(), start_new_session=True)
    mounted = False
    try:
        assert read_line(process, 10, "resolver") == "ready"
        file = tmp_path / "resolv.conf"
        file.write_text("nameserver 127.0.0.2\nnameserver 127.0.0.1\n", encoding="utf-8")
        path = os.path.realpath("/etc/resolv.conf")
        subprocess.run(["mount", "--bind", str(file), path], check=True)
        mounted = True
        yield
    finally:
        if mounted:
            subprocess.run(["umount", path], check=True)
        stop(process)


@pytest.mark.skipif(not shutil.which("pasta"), reason="no pasta (apt install passt)")
def test_with_an_uplink_others_are_asked(make_world, resolver):
    with make_world("--uplink") as world:
        vpc = world.vpc("10.0.0.0/16")
        hostnames(world, vpc)
        instance, = world.run_instances(world.subnet(vpc, "10.0.0.0/24"), address="10.0.0.9")
        for name in ("www.example.com", public_name("54.1.2.3")):
            for how in ("+notcp", "+tcp"):
                reply = ask(world, instance, name, how, seconds=5)
                assert reply.answer == [("A", "192.0.2.55")], reply
        big = ask(world, instance, "big.example.com", "+ignore", seconds=5)
        assert " tc " in big.text and big.answer == []
        assert len(ask(world, instance, "big.example.com", seconds=5).answer) == 100
        assert ask(world, "internet", "www.example.com", server="198.18.0.1",
                   seconds=5).answer == [("A", "192.0.2.55")]
        # What is ours nobody else is asked for.
        assert ask(world, instance, private_name("10.0.0.9")).answer == [("A", "10.0.0.9")]
        for name in ("nobody.ec2.internal", reverse("10.0.0.77"), reverse("172.16.1.1")):
            assert ask(world, instance, name, seconds=5).status == "NXDOMAIN"
        assert ask(world, instance, "www.example.com", "+norecurse").status == "REFUSED"
        assert ask(world, instance, "silent.example.com", seconds=12).status == "SERVFAIL"
