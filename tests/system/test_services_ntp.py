"""Amazon Time Sync at 169.254.169.123, and the door of instance metadata, by packets."""
import pytest

ADDRESS = "169.254.169.123"

CLIENT = """
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect(('169.254.169.123', 123))
request = bytes.fromhex(sys.argv[1])
before = time.time()
s.send(request)
try:
    answer = s.recv(1000)
except socket.timeout:
    print('timeout')
    sys.exit()
after = time.time()
def when(at):
    seconds, part = struct.unpack('!II', answer[at:at + 8])
    return seconds - 2208988800 + part / 2**32
assert len(answer) == 48 and answer[24:32] == request[40:48]
assert before - 0.01 <= when(32) <= when(40) <= after + 0.01, (before, when(32), when(40), after)
assert when(16) <= after + 0.01 and before - when(16) < 2
print(answer[0] >> 6, answer[0] >> 3 & 7, answer[0] & 7, answer[1])
"""


def request(version=4, mode=3, size=48):
    return (bytes([version << 3 | mode]) + bytes(39) + bytes.fromhex("0102030405060708")
            + bytes(60))[:size].hex()


@pytest.fixture(scope="module")
def guest(world):
    """No rule lets anything in or out, and no route leads anywhere."""
    vpc = world.vpc()
    group = world.default_group(vpc)
    world.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    acl = world.ec2.describe_network_acls(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]["NetworkAclId"]
    for egress in (True, False):
        world.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=egress)
    instance, = world.run_instances(world.subnet(vpc, "10.0.1.0/24"))
    return instance


def ask(world, guest, data):
    return world.exec(guest, ["python3", "-c", CLIENT, data]).strip()


@pytest.mark.parametrize("version", [1, 3, 4])
def test_the_time(world, guest, version):
    """No alarm, the same version, a server, at stratum 4."""
    assert ask(world, guest, request(version)) == f"0 {version} 4 4"
    assert ask(world, guest, request(version, size=68)) == f"0 {version} 4 4"


@pytest.mark.parametrize("wrong", [
    request(mode=1), request(mode=4), request(mode=6), request(mode=7), request(0), request(5),
    request(size=47), request(size=1)])
def test_what_is_no_request(world, guest, wrong):
    """Nothing that a client doesn't ask is answered; so nothing answers itself."""
    assert ask(world, guest, wrong) == "timeout"


def test_the_door_of_metadata(world, guest):
    """A connection to 169.254.169.254, port 80, is accepted; to another port there is silence."""
    connect = ("import socket; s = socket.create_connection(('169.254.169.254', {}), 0.5); "
               "print('in', s.getsockname()[0])")
    assert world.exec(guest, ["python3", "-c", connect.format(80)]) == \
        f"in {world.private(guest)}\n"
    done = world.exec(guest, ["python3", "-c", connect.format(443)], check=False)
    assert "timed out" in done.stderr
