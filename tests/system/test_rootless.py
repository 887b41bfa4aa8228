"""
The daemon without root: a user's, in namespaces that anybody may make (`unshare -Urnm`), with the one id
that they come with. The network is the same there; of instances' disks see instance/alone.h.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import types

import pytest

from lib import BINARY, IMAGE, World, environment, read_line, wait_for

USER = 54321  # nobody's
SECRET = "minivpc-secret-20817"

# As the README has it.
SHELL = """
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
echo ready
exec sleep infinity
"""
UNSHARE = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "unshare", "-Urnm"]


class Rootless(World):
    """A world whose daemon and command line are the user's."""

    def __init__(self, state, binary, pid):
        super().__init__(state)
        self.binary = binary
        self.pid = pid

    def command(self, verb, *arguments):
        command = super().command(verb, *arguments)
        return ["nsenter", f"--target={self.pid}", "--user", "--mount", "--net", "--wd=/",
                self.binary, *command[1:]]

    def pids(self, namespace):
        """As the World's own does it: ip(8) fails where any process ends meanwhile."""
        found = there(self.pid, f"for try in $(seq 20); do ip netns pids {namespace} && break; done;"
                                " true").split()
        return sorted({int(pid) for pid in found})


def there(pid, line):
    """In the user's namespaces, beside the daemon."""
    return subprocess.run(["nsenter", f"--target={pid}", "--user", "--mount", "--net", "--wd=/",
                           "sh", "-c", line], check=True, capture_output=True, text=True,
                          env=environment()).stdout


@pytest.fixture(scope="module")
def user(scratch):
    """The namespaces, a directory of the user's with a private file, and the program."""
    tried = subprocess.run([*UNSHARE, "true"], check=False, capture_output=True, text=True,
                           env=environment())
    if tried.returncode != 0:
        pytest.skip("users may make no user namespaces here: " + tried.stderr.strip())
    place = os.path.join(scratch, "rootless")
    os.mkdir(place)
    shutil.copy(BINARY, place)
    with open(f"{place}/secret", "w", encoding="utf-8") as file:
        file.write(SECRET)
    os.chmod(f"{place}/secret", 0o600)
    for path in (place, f"{place}/secret"):
        os.chown(path, USER, USER)
    process = subprocess.Popen([*UNSHARE, "sh", "-c", SHELL], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, bufsize=0, env=environment(),
                               start_new_session=True)
    try:
        assert read_line(process, 20, "a user's namespaces") == "ready"
        yield types.SimpleNamespace(place=place, pid=process.pid,
                                    binary=os.path.join(place, os.path.basename(BINARY)))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        process.stdout.close()


@pytest.fixture(scope="module")
def world(user):
    """Its API is reached from in there. Gone without a trace at its end."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = there(user.pid, "cat /proc/self/mountinfo; ls -A /run")
    with open("/proc/thread-self/ns/net", "rb") as own, \
            open(f"/proc/{user.pid}/ns/net", "rb") as network:
        assert libc.setns(network.fileno(), 0) == 0
        try:
            with Rootless(os.path.join(user.place, "world"), user.binary, user.pid) as running:
                yield running
            assert there(user.pid, "cat /proc/self/mountinfo; ls -A /run") == before
        finally:
            assert libc.setns(own.fileno(), 0) == 0


@pytest.fixture(scope="module")
def net(world):
    """Two instances in a public subnet, one in a private one behind a NAT gateway."""
    vpc = world.open_vpc()
    gateway = world.gateway(vpc)
    outer = world.subnet(vpc, "10.0.1.0/24")
    inner = world.subnet(vpc, "10.0.2.0/24", zone="us-east-1b")
    world.route_table(vpc, outer, gateway)
    nat = world.ec2.create_nat_gateway(SubnetId=outer, AllocationId=world.elastic_ip()[0])[
        "NatGateway"]["NatGatewayId"]
    table = world.route_table(vpc, inner)
    wait_for(lambda: world.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0][
        "State"] == "available", 10, "the NAT gateway")
    world.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    web, db = world.run_instances(outer, count=2, public=True)
    app, = world.run_instances(inner, UserData="#!/bin/sh\necho said at boot\n")
    return types.SimpleNamespace(vpc=vpc, web=web, db=db, app=app, outer=outer)


def sh(world, place, line, **options):
    return world.exec(place, ["sh", "-c", line], **options)


def test_nobody_is_root(world, net):
    for pid in (world.daemon.pid, world.init(net.web)):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            assert set(re.search(r"^Uid:(.*)$", file.read(), re.MULTILINE)[1].split()) == {str(USER)}


def test_packets(world, net):
    world.assert_reaches(net.web, world.private(net.db))
    world.assert_reaches(net.app, world.private(net.web))
    assert world.talk(net.db, net.app, world.private(net.db)) is not None


def test_the_internet_and_back(world, net):
    internet = world.internet_address()
    world.assert_reaches(net.web, internet)
    world.assert_reaches("internet", world.public(net.web))
    world.assert_reaches(net.app, internet)  # by the NAT gateway


def test_groups_decide(world, net):
    group = world.security_group(net.vpc)
    world.ec2.modify_instance_attribute(InstanceId=net.db, Groups=[group])
    world.assert_silent(net.web, world.private(net.db))
    rule = {"GroupId": group, "IpProtocol": "icmp", "FromPort": -1, "ToPort": -1,
            "CidrIp": "10.0.1.0/24"}
    world.ec2.authorize_security_group_ingress(**rule)
    world.assert_reaches(net.web, world.private(net.db))
    world.assert_silent(net.app, world.private(net.db))
    world.ec2.modify_instance_attribute(InstanceId=net.db, Groups=[world.default_group(net.vpc)])
    world.assert_reaches(net.app, world.private(net.db))


def test_why_agrees(world, net):
    assert "They agree" in world.run("why", net.app, net.db, "tcp/443").stdout


def test_names_and_metadata(world, net):
    assert sh(world, net.web, "python3 -c 'import urllib.request as r; print(r.urlopen(r.Request("
              "\"http://169.254.169.254/latest/api/token\", method=\"PUT\", headers={"
              "\"X-aws-ec2-metadata-token-ttl-seconds\": \"60\"})).status)'") == "200\n"
    assert "169.254.169.253" in sh(world, net.web, "cat /etc/resolv.conf") or \
        "10.0.0.2" in sh(world, net.web, "cat /etc/resolv.conf")


def test_user_data_has_run(world, net):
    wait_for(lambda: "said at boot" in world.run("logs", net.app).stdout, 10, "the console")


def test_a_disk_of_its_own(world, net):
    """Programs are this machine's and stay; the rest can be written, and nobody else sees it."""
    assert sh(world, net.web, "id -u; echo mine >/etc/passwd; mkdir /srv/new; rm -r /etc/default; "
              "cat /etc/passwd; ls -d /srv/new /etc/default 2>&1 | grep -c new") == "0\nmine\n1\n"
    assert sh(world, net.db, "head -c 5 /etc/passwd; ls /srv; ls -d /etc/default") == \
        "root:/etc/default\n"
    for line in ("echo x >/usr/x", "rm /usr/bin/env", "mount -o remount,rw /usr",
                 "chmod 777 /usr/bin"):
        assert sh(world, net.web, line, check=False).returncode != 0, line
    assert os.path.exists("/usr/bin/env") and not os.path.exists("/usr/x")


def test_the_users_own_files_are_not_in_sight(world, user, net):
    with open(f"{user.place}/secret", encoding="utf-8") as file:
        assert file.read() == SECRET
    for path in (f"{user.place}/secret", user.place, "/etc/shadow", world.state,
                 f"/proc/1/root{user.place}/secret"):
        assert sh(world, net.web, f"cat {path} || ls {path}", check=False).returncode != 0, path
    found = sh(world, net.web, f"grep -rls {SECRET} / --exclude-dir=proc --exclude-dir=usr; true")
    assert found == ""


def test_a_disk_is_kept(world, net):
    sh(world, net.db, "echo kept >/root/kept")
    world.ec2.stop_instances(InstanceIds=[net.db])
    world.await_state("stopped", net.db)
    world.restart()
    world.ec2.start_instances(InstanceIds=[net.db])
    world.await_state("running", net.db)
    assert sh(world, net.db, "cat /root/kept") == "kept\n"
    world.assert_reaches(net.web, world.private(net.db))


def test_packets_while_the_daemon_is_dead(world, net):
    address = world.private(net.db)
    ping = world.spawn(net.web, ["ping", "-n", "-i", "0.1", "-c", "30", address])
    read_line(ping, 10, "ping")
    world.restart()
    assert ping.wait(30) == 0
    assert b"30 received" in ping.stdout.read()


def test_an_instance_ends_and_reboots(world, net):
    world.reboot(net.web)
    world.assert_reaches(net.web, world.private(net.db))
    spare, = world.run_instances(net.outer)
    world.ec2.terminate_instances(InstanceIds=[spare])
    world.await_state("terminated", spare)


def test_an_image_of_ones_own(world, user, net):
    """A directory of the user's: as root in the instance owns it, and it is never changed."""
    tiny = f"{user.place}/tiny"
    there(user.pid, f"mkdir {tiny}; cp -L --parents $(ldd /bin/sh | grep -o '/[^ )]*') /bin/sh {tiny}")
    image = world.run("image import", "tiny", tiny).stdout.strip()
    reply = world.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=net.outer)
    made = reply["Instances"][0]["InstanceId"]
    world.await_state("running", made)
    found = sh(world, made, "echo x >/new && echo /*").split()
    assert {"/bin", "/new"} <= set(found) and "/home" not in found
    assert not os.path.exists(f"{tiny}/new")
    world.ec2.terminate_instances(InstanceIds=[made])
    world.await_state("terminated", made)


def test_capture(world, net):
    capture = subprocess.Popen(world.command("capture", net.web, "--count", "2"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=environment())
    wait_for(lambda: world.ping(net.web, world.internet_address(), count=1).received and
             capture.poll() is not None, 20, "two packets")
    said, told = capture.communicate(timeout=10)
    assert capture.returncode == 0 and "2 packets captured" in told, told
    assert world.private(net.web) in said and world.internet_address() in said


def test_peerings_and_acls(world, net):
    other = world.open_vpc("10.9.0.0/16")
    subnet = world.subnet(other, "10.9.1.0/24")
    far, = world.run_instances(subnet)
    peering = world.peering(net.vpc, other)
    for vpc, cidr in ((net.vpc, "10.9.0.0/16"), (other, "10.0.0.0/16")):
        for table in world.ec2.describe_route_tables(Filters=[
                {"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]:
            world.ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr,
                                   VpcPeeringConnectionId=peering)
    world.assert_reaches(net.web, world.private(far))
    acl = world.ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [other]}])["NetworkAcls"][0]["NetworkAclId"]
    world.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Protocol="1", Egress=False,
                                       RuleAction="deny", CidrBlock="10.0.0.0/16",
                                       IcmpTypeCode={"Type": -1, "Code": -1})
    world.assert_silent(net.web, world.private(far))


def test_a_full_group(world, net):
    """One change of rules is one message to the kernel, and users' messages have their bounds."""
    group = world.security_group(net.vpc, "full")
    world.ec2.modify_instance_attribute(InstanceId=net.db, Groups=[group])
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
         "IpRanges": [{"CidrIp": "10.0.1.0/24"}]} for port in range(1001, 1121, 2)])
    assert world.talk(net.db, net.web, world.private(net.db), port=1101) is not None
    world.ec2.modify_instance_attribute(InstanceId=net.db, Groups=[world.default_group(net.vpc)])


def test_a_stack(world):
    template = {"Resources": {
        "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.7.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet",
                   "Properties": {"VpcId": {"Ref": "Net"}, "CidrBlock": "10.7.1.0/24"}},
        **{name: {"Type": "AWS::EC2::Instance", "Properties": {
            "SubnetId": {"Ref": "Subnet"}, "InstanceType": "t3.micro", "ImageId": IMAGE,
            "Tags": [{"Key": "Name", "Value": name}]}} for name in ("One", "Two")}}}
    world.run("up", "-", "--stack", "rootless", input=json.dumps(template))
    two, = world.ec2.describe_instances(Filters=[
        {"Name": "tag:Name", "Values": ["Two"]}])["Reservations"][0]["Instances"]
    world.assert_reaches("One", two["PrivateIpAddress"])
    world.run("down", "rootless")


def test_what_needs_root_is_said(world):
    """At start, and by the doctor: which works, and names what is missing."""
    assert "served without root: an instance has one user" in world.log_tail()
    done = world.run("check")
    assert "minivpc works here" in done.stdout
    row, = (line for line in done.stdout.splitlines() if "ids for instances" in line)
    assert row.startswith("no     no") and "instances get one id" in row


@pytest.mark.parametrize("before,said", [
    ("ip link set lo up", "mount -t tmpfs tmpfs /run"),
    ("mount -t tmpfs tmpfs /run", "ip link set lo up"),
])
def test_what_is_still_to_be_done_is_said(user, before, said):
    """In fresh namespaces: one line, which names the command."""
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", f"{before}; exec {user.binary} --state {user.place}/other serve"],
        check=False, capture_output=True, text=True, timeout=60, env=environment())
    assert done.returncode == 1 and said in done.stderr, done
    assert len(done.stderr.splitlines()) == 1 and not os.path.exists(f"{user.place}/other")


def test_without_namespaces_a_user_is_told():
    """Not root of anything: one line, and no traceback of what could not be made."""
    done = subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                           BINARY, "--state", "/tmp/minivpc-no-world", "serve"], check=False,
                          capture_output=True, text=True, timeout=60, env=environment())
    if done.returncode == 127:
        pytest.skip("the program is where no other user reaches it")
    assert done.returncode == 1
    assert "needs root" in done.stderr and len(done.stderr.splitlines()) == 1
