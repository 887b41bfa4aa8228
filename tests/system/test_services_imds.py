"""Instance metadata as programs inside an instance meet it: by curl, botocore, urllib, raw packets."""
import json
import subprocess
import types

import pytest

from lib import ACCOUNT, INTERNET, tag_specification, wait_for

BASE = "http://169.254.169.254"
META = "latest/meta-data"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"
SCRIPT = "#!/bin/sh\necho hello\n"

# The SDKs' own way in: a token, then the region, and credentials that there are none of.
BOTOCORE = """
import json
from botocore.utils import IMDSFetcher, InstanceMetadataFetcher, InstanceMetadataRegionFetcher
fetcher = InstanceMetadataRegionFetcher(timeout=5, num_attempts=1, env={})
credentials = InstanceMetadataFetcher(timeout=5, num_attempts=1, env={})
print(json.dumps({"region": fetcher.retrieve_region(),
                  "token": len(fetcher._fetch_metadata_token() or ""),
                  "credentials": credentials.retrieve_iam_role_credentials()}))
"""

# As cloud-init's crawler reads a tree: what ends in a slash is gone into, "0=name" is a key.
CRAWLER = """
import json, urllib.request

def read(path):
    return urllib.request.urlopen("http://169.254.169.254/" + path, timeout=5).read().decode()

def crawl(path):
    found = {}
    for line in read(path).splitlines():
        if path.endswith("public-keys/"):
            line = line.split("=")[0] + "/"
        found[line.rstrip("/")] = crawl(path + line) if line.endswith("/") else read(path + line)
    return found

print(json.dumps({"meta-data": crawl("latest/meta-data/"), "dynamic": crawl("latest/dynamic/")}))
"""

# The time to live of the packets that bring replies.
LISTENER = """
import json, socket, subprocess, sys
capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
capture.settimeout(10)
curl = subprocess.Popen(["curl", "-s", "-m", "5", "-o", "/dev/null", *sys.argv[1:]])
hops = set()
while True:
    frame, where = capture.recvfrom(65535)
    packet = frame[14:]
    size = (packet[0] & 15) * 4
    if where[2] == socket.PACKET_OUTGOING or packet[12:16] != bytes([169, 254, 169, 254]):
        continue
    data = int.from_bytes(packet[2:4], "big") - size - (packet[size + 12] >> 4) * 4
    if data:
        hops.add(packet[8])
    if packet[size + 13] & 1:
        break
curl.wait()
print(json.dumps(sorted(hops)))
"""

# A namespace of its own behind the instance, as a container on a bridge has: one hop more.
CONTAINER = r"""
echo 1 > /proc/sys/net/ipv4/ip_forward
nft add table ip box
nft 'add chain ip box post { type nat hook postrouting priority 100; }'
nft add rule ip box post oifname eth0 masquerade
unshare --user --map-root-user --net sh -c 'echo $$; exec sleep 60' | {
    read box
    ip link add box0 type veth peer name box1 netns "$box"
    ip address add 172.17.0.1/24 dev box0
    ip link set box0 up
    inside="nsenter --target $box --user --net --preserve-credentials"
    $inside ip address add 172.17.0.2/24 dev box1
    $inside ip link set box1 up
    $inside ip route add default via 172.17.0.1
    $inside curl -s -m 3 -w '\n' "$1/latest/meta-data/instance-id"
    $inside curl -s -m 3 -X PUT -H "$2: 60" -o /dev/null -w '%{http_code}\n' "$1/latest/api/token"
    ip link delete box0
    kill "$box"
}
nft delete table ip box
"""


class Metadata:
    """What curl gets inside an instance."""

    def __init__(self, world, place):
        self.world = world
        self.place = place

    def curl(self, path, *options):
        """Body and status; None and 0 when there is no answer."""
        done = self.world.exec(self.place, ["curl", "-s", "-m", "5", "-w", "\n%{http_code}",
                                            *options, f"{BASE}/{path}"], check=False)
        body, _, status = done.stdout.rpartition("\n")
        return types.SimpleNamespace(body=body, status=int(status), code=done.returncode)

    def status(self, path, *options):
        return self.curl(path, *options).status

    def get(self, path, *options):
        reply = self.curl(path, *options)
        assert reply.status == 200, (path, reply)
        return reply.body

    def meta(self, name, *options):
        return self.get(f"{META}/{name}", *options)

    def token(self, seconds=60):
        return self.get("latest/api/token", "-X", "PUT", "-H", f"{TTL}: {seconds}")


@pytest.fixture(scope="module")
def lab(world):
    """Two instances of one subnet; the first has all that an instance can have."""
    vpc = world.open_vpc()
    world.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = world.subnet(vpc, "10.0.1.0/24", "us-east-1c")
    world.route_table(vpc, subnet, world.gateway(vpc))
    key = world.ec2.create_key_pair(KeyName="my key")["KeyMaterial"]
    first, = world.run_instances(
        subnet, public=True, UserData=SCRIPT, KeyName="my key",
        MetadataOptions={"InstanceMetadataTags": "enabled"},
        TagSpecifications=tag_specification("instance", Name="web", role="a / b"))
    second, = world.run_instances(subnet)
    return types.SimpleNamespace(vpc=vpc, subnet=subnet, first=first, second=second, key=key)


@pytest.fixture
def inside(world, lab):
    return Metadata(world, lab.first)


@pytest.fixture
def options(world, lab):
    """Changes metadata options of the first instance; they are put back."""
    def modify(**wanted):
        world.ec2.modify_instance_metadata_options(InstanceId=lab.first, **wanted)
    yield modify
    modify(HttpTokens="optional", HttpEndpoint="enabled", HttpPutResponseHopLimit=1,
           InstanceMetadataTags="enabled")


def test_what_curl_reads_is_what_the_api_says(world, lab, inside):
    described = world.instance(lab.first)
    card, = described["NetworkInterfaces"]
    mac = inside.meta("mac")
    assert mac == card["MacAddress"]
    assert inside.meta("network/interfaces/macs/") == mac + "/"
    said = {
        "ami-id": described["ImageId"],
        "instance-id": lab.first,
        "instance-type": described["InstanceType"],
        "hostname": described["PrivateDnsName"],
        "local-hostname": described["PrivateDnsName"],
        "local-ipv4": described["PrivateIpAddress"],
        "public-ipv4": described["PublicIpAddress"],
        "public-hostname": described["PublicDnsName"],
        "placement/availability-zone": "us-east-1c",
        "placement/region": "us-east-1",
        "security-groups": "default",
        f"network/interfaces/macs/{mac}/interface-id": card["NetworkInterfaceId"],
        f"network/interfaces/macs/{mac}/subnet-id": lab.subnet,
        f"network/interfaces/macs/{mac}/vpc-id": lab.vpc,
        f"network/interfaces/macs/{mac}/owner-id": ACCOUNT,
        f"network/interfaces/macs/{mac}/subnet-ipv4-cidr-block": "10.0.1.0/24",
        f"network/interfaces/macs/{mac}/security-group-ids": card["Groups"][0]["GroupId"],
        f"network/interfaces/macs/{mac}/ipv4-associations/{described['PublicIpAddress']}":
            described["PrivateIpAddress"],
        "public-keys/": "0=my key",
        "tags/instance/": "Name\nrole",
        "tags/instance/role": "a / b",
    }
    assert {name: inside.meta(name) for name in said} == said
    assert inside.get("latest/user-data") == SCRIPT
    document = json.loads(inside.get("latest/dynamic/instance-identity/document"))
    assert (document["instanceId"], document["accountId"], document["region"]) == (
        lab.first, ACCOUNT, "us-east-1")
    assert inside.get("").splitlines()[-1] == "latest"
    assert inside.get("latest") == "dynamic\nmeta-data\nuser-data"
    assert inside.status("2009-04-04/meta-data/instance-id") == 200


def test_the_key_is_the_one_that_opens(world, lab, inside):
    made = world.exec(lab.second, ["sh", "-c", "umask 077; cat >/tmp/key; "
                                   "ssh-keygen -y -f /tmp/key"], input=lab.key)
    assert inside.meta("public-keys/0/openssh-key").split()[:2] == made.split()[:2]


def test_what_is_not_there(world, lab, inside):
    for path in ("iam/", "iam/security-credentials/", "nothing", "spot/instance-action"):
        reply = inside.curl(f"{META}/{path}")
        assert reply.status == 404 and "<title>404 - Not Found</title>" in reply.body, path
    other = Metadata(world, lab.second)
    for path in ("latest/user-data", f"{META}/public-ipv4", f"{META}/public-keys/",
                 f"{META}/tags/instance/Name"):
        assert other.status(path) == 404, path


def test_headers(world, lab):
    head = world.exec(lab.first, ["curl", "-s", "-m", "5", "-I", f"{BASE}/{META}/ami-id"])
    assert head.startswith("HTTP/1.1 200 OK\n")
    assert "\nContent-Type: text/plain\n" in head and "\nServer: EC2ws\n" in head
    assert "\nContent-Length: 21\n" in head
    head = world.exec(lab.first, ["curl", "-s", "-m", "5", "-I", f"{BASE}/latest/user-data"])
    assert "\nContent-Type: application/octet-stream\n" in head


def test_version_2(world, lab, inside, options):
    token = inside.token()
    with_token = ("-H", f"{TOKEN}: {token}")
    assert inside.meta("instance-id", *with_token) == lab.first
    options(HttpTokens="required")
    assert inside.status(f"{META}/instance-id") == 401
    assert inside.status(f"{META}/instance-id", "-H", f"{TOKEN}: {token[:-4]}AAA=") == 401
    assert inside.meta("instance-id", *with_token) == lab.first
    # It is the first instance's alone, also where none is needed.
    assert Metadata(world, lab.second).status(f"{META}/instance-id", *with_token) == 401
    short = inside.token(1)
    wait_for(lambda: inside.status(f"{META}/instance-id", "-H", f"{TOKEN}: {short}") == 401, 10,
             "the end of a token of one second")


def test_a_token_outlives_the_daemon(world, lab, inside):
    token = inside.token()
    world.kill()
    try:  # nobody but the daemon answers
        done = subprocess.run(["ip", "netns", "exec", lab.first, "curl", "-s", "-m", "2",
                               f"{BASE}/{META}/instance-id"], check=False, capture_output=True)
        assert done.returncode != 0 and done.stdout == b""
    finally:
        world.serve()
    assert inside.meta("instance-id", "-H", f"{TOKEN}: {token}") == lab.first


def test_refusals_of_a_token(inside):
    put = ("latest/api/token", "-X", "PUT")
    assert inside.status(*put) == 400
    for seconds in ("0", "21601", "x"):
        assert inside.status(*put, "-H", f"{TTL}: {seconds}") == 400, seconds
    assert inside.status(*put, "-H", f"{TTL}: 21600") == 200
    assert inside.status(*put, "-H", f"{TTL}: 60", "-H", "X-Forwarded-For: 10.0.1.9") == 403
    assert inside.status("latest/api/token") == 405
    for method in ("POST", "DELETE", "PATCH"):
        assert inside.status(f"{META}/instance-id", "-X", method) == 405, method


def test_the_endpoint_can_be_off(inside, options):
    options(HttpEndpoint="disabled")
    assert inside.status(f"{META}/instance-id") == 403
    assert inside.status("latest/api/token", "-X", "PUT", "-H", f"{TTL}: 60") == 403
    options(HttpEndpoint="enabled")
    assert inside.status(f"{META}/instance-id") == 200


def test_tags_as_they_are(world, lab, inside, options):
    world.ec2.create_tags(Resources=[lab.first], Tags=[{"Key": "late", "Value": "yes"}])
    assert inside.meta("tags/instance/late") == "yes"
    world.ec2.delete_tags(Resources=[lab.first], Tags=[{"Key": "late"}])
    assert inside.status(f"{META}/tags/instance/late") == 404
    options(InstanceMetadataTags="disabled")
    assert inside.status(f"{META}/tags/") == 404
    assert "tags" not in inside.meta("")


def hops(world, place, *arguments):
    return json.loads(world.exec(place, ["python3", "-c", LISTENER, *arguments]))


def test_row_52_a_token_goes_no_further_than_the_hop_limit(world, lab, options):
    """What an instance forwards to a container with a time to live of 1 ends there."""
    container = ["sh", "-c", CONTAINER, "sh", BASE, TTL]
    put = ("-X", "PUT", "-H", f"{TTL}: 60", f"{BASE}/latest/api/token")
    assert hops(world, lab.first, *put) == [1]
    assert hops(world, lab.first, f"{BASE}/{META}/instance-id") == [64]
    assert world.exec(lab.first, container).split() == [lab.first, "000"]  # version 1 does
    options(HttpPutResponseHopLimit=2)
    # What the container never got is sent again for a while.
    wait_for(lambda: hops(world, lab.first, *put) == [2], 20, "a limit of 2 alone")
    assert world.exec(lab.first, container).split() == [lab.first, "200"]


def test_an_instance_gets_only_its_own(world, lab):
    """By its own addresses, secondary ones too; by a neighbour's it gets nothing."""
    own, other = world.private(lab.second), world.private(lab.first)
    card = world.instance(lab.second)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    world.ec2.assign_private_ip_addresses(NetworkInterfaceId=card,
                                          PrivateIpAddresses=["10.0.1.77"])
    second = Metadata(world, lab.second)
    for address in ("10.0.1.77", other, "10.0.1.200"):
        world.exec(lab.second, f"ip address add {address}/32 dev eth0")
    try:
        for address in (own, "10.0.1.77"):
            assert second.meta("instance-id", "--interface", address) == lab.second
        for address in (other, "10.0.1.200"):
            reply = second.curl(f"{META}/instance-id", "--interface", address, "-m", "2")
            assert (reply.status, reply.body) == (0, ""), reply
    finally:
        for address in ("10.0.1.77", other, "10.0.1.200"):
            world.exec(lab.second, f"ip address del {address}/32 dev eth0")
    assert Metadata(world, lab.first).meta("instance-id") == lab.first


def test_equal_addresses_in_two_vpcs(world):
    """Whose an address is depends on the subnet."""
    pairs = []
    for _ in range(2):
        subnet = world.subnet(world.vpc("10.9.0.0/16"), "10.9.1.0/24")
        pairs += world.run_instances(subnet, address="10.9.1.10")
    assert [Metadata(world, place).meta("instance-id") for place in pairs] == pairs


def test_no_filter_and_no_route_keeps_it_away(world):
    """Groups and ACLs don't judge it (VPC guide), and it needs no route."""
    vpc = world.vpc("10.8.0.0/16")
    subnet = world.subnet(vpc, "10.8.1.0/24")
    group = world.security_group(vpc, "closed")
    world.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    instance, = world.run_instances(subnet, SecurityGroupIds=[group])
    acl = world.ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]["NetworkAclId"]
    for egress in (True, False):
        world.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=egress)
    assert Metadata(world, instance).meta("instance-id") == instance


def test_nobody_outside_an_instance_is_answered(world, lab):
    done = world.exec(INTERNET, ["curl", "-s", "-m", "2", f"{BASE}/{META}/"], check=False)
    assert (done.stdout, done.returncode != 0) == ("", True)


def test_botocore(world, lab, options):
    wanted = {"region": "us-east-1", "token": 56, "credentials": {}}
    for tokens in ("optional", "required"):
        options(HttpTokens=tokens)
        said = world.exec(lab.first, ["python3", "-c", BOTOCORE])
        assert json.loads(said) == wanted, tokens


def test_a_crawler_finds_a_tree(world, lab):
    tree = json.loads(world.exec(lab.first, ["python3", "-c", CRAWLER]))
    meta = tree["meta-data"]
    assert meta["instance-id"] == lab.first
    assert meta["placement"]["availability-zone"] == "us-east-1c"
    assert list(meta["public-keys"]) == ["0"] and list(meta["public-keys"]["0"]) == ["openssh-key"]
    card, = meta["network"]["interfaces"]["macs"].values()
    assert card["subnet-id"] == lab.subnet
    assert "document" in tree["dynamic"]["instance-identity"]


def test_a_second_card_is_told(world, lab, inside):
    card = world.ec2.create_network_interface(SubnetId=lab.subnet)["NetworkInterface"]
    attachment = world.ec2.attach_network_interface(
        NetworkInterfaceId=card["NetworkInterfaceId"], InstanceId=lab.first, DeviceIndex=1)
    macs = inside.meta("network/interfaces/macs/").splitlines()
    assert len(macs) == 2 and card["MacAddress"] + "/" in macs
    path = f"network/interfaces/macs/{card['MacAddress']}"
    assert inside.meta(f"{path}/device-number") == "1"
    assert inside.meta(f"{path}/local-ipv4s") == card["PrivateIpAddress"]
    world.ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"], Force=True)
    assert len(inside.meta("network/interfaces/macs/").splitlines()) == 1


def test_many_at_once(world, lab):
    """A burst of 30 is answered, every one; a flood of idle connections ends, and it goes on."""
    script = (f"for i in $(seq 30); do curl -s -m 5 {BASE}/{META}/instance-id & done; wait")
    said = world.exec(lab.first, ["sh", "-c", script])
    assert said == lab.first * 30
    flood = ("import socket, time\n"
             "held = [socket.create_connection(('169.254.169.254', 80)) for _ in range(200)]\n"
             "print('ready', flush=True)\n"
             "for one in held:\n"
             "    one.settimeout(15)\n"
             "    try:\n"
             "        assert one.recv(1) == b''\n"
             "    except ConnectionResetError:\n"
             "        pass\n")
    world.exec(lab.second, ["python3", "-c", flood])
    assert Metadata(world, lab.second).meta("instance-id") == lab.second


def test_stopped_and_started(world, lab):
    instance = lab.second
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    world.ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert Metadata(world, instance).meta("instance-id") == instance
