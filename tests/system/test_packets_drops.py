"""Who dropped a packet: `minivpc ps --drops` and what it counts, packet by packet."""
import json

import pytest

from lib import tag_specification

PING = 84  # bytes of an echo request: 20 of IPv4, 8 of ICMP, 56 of data
STAR = "*"


@pytest.fixture
def vpc(world):
    yield world.open_vpc()
    world.clear()


def drops(world, instance=None):
    """Rows of the listing as (instance, direction, reason, rule, packets, bytes)."""
    rows = json.loads(world.run("ps", "--drops", "-o", "json",
                                *([instance] if instance else [])).stdout)
    return [(row["instanceId"], row["direction"], row["reason"], row["ruleNumber"],
             row["packets"], row["bytes"]) for row in rows]


def row(instance, direction, reason, packets, rule=None):
    return (instance, direction, reason, rule, packets, packets * PING)


def launch(world, subnet, name, *groups, **more):
    if groups:
        more["SecurityGroupIds"] = list(groups)
    instance, = world.run_instances(subnet, TagSpecifications=tag_specification(
        "instance", Name=name), **more)
    return instance


def mute(world, vpc):
    """A group that lets nothing in or out."""
    group = world.security_group(vpc, "mute")
    world.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    return group


def acl_of(world, subnet):
    return world.ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"][0]


def new_acl(world, vpc, subnet):
    """The subnet's own, which denies all."""
    acl = world.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    there, = [entry for entry in acl_of(world, subnet)["Associations"]
              if entry["SubnetId"] == subnet]
    world.ec2.replace_network_acl_association(
        AssociationId=there["NetworkAclAssociationId"], NetworkAclId=acl)
    return acl


def entry(world, acl, number, action, egress, cidr="0.0.0.0/0"):
    world.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, RuleAction=action,
                                       Egress=egress, Protocol="-1", CidrBlock=cidr)


def test_nothing(world, vpc):
    one, other = world.run_instances(world.subnet(vpc, "10.0.1.0/24"), count=2)
    world.assert_reaches(one, world.private(other))
    for arguments in ((), (one,)):
        assert world.run("ps", "--drops", *arguments).stdout == "no packet was dropped\n"
        assert world.run("ps", "--drops", "-o", "json", *arguments).stdout == "[]\n"
    done = world.run("ps", "--drops", "nobody", check=False)
    assert done.returncode == 1 and "nobody" in done.stderr and done.stdout == ""


def test_groups(world, vpc):
    """Both directions, two interfaces in one subnet, one row each."""
    subnet = world.subnet(vpc, "10.0.1.0/24")
    silent = mute(world, vpc)
    default = world.default_group(vpc)
    here, there = launch(world, subnet, "here", silent), launch(world, subnet, "there")
    world.assert_silent(here, world.private(there), count=3)
    assert drops(world) == [row(here, "egress", "security-group", 3)]
    world.assert_silent(there, world.private(here), count=2)
    assert drops(world) == [row(here, "egress", "security-group", 3),
                            row(here, "ingress", "security-group", 2)]

    second = launch(world, subnet, "second", silent, world.security_group(vpc, "empty"))
    world.assert_silent(there, world.private(second), count=4)
    assert drops(world, "here") == [row(here, "egress", "security-group", 3),
                                    row(here, "ingress", "security-group", 2)]
    assert drops(world, "second") == drops(world, second) == [
        row(second, "ingress", "security-group", 4)]
    assert drops(world, "there") == []
    world.assert_reaches(there, "10.0.1.1")

    found = json.loads(world.run("ps", "--drops", "-o", "json", second).stdout)[0]
    instance = world.instance(second)
    assert found == {
        "instanceId": second, "name": "second", "privateIpAddress": world.private(second),
        "networkInterfaceId": instance["NetworkInterfaces"][0]["NetworkInterfaceId"],
        "subnetId": subnet, "vpcId": vpc, "direction": "ingress", "packets": 4, "bytes": 4 * PING,
        "reason": "security-group", "ruleNumber": None, "networkAclId": None,
        "groupSet": [{"groupId": group["GroupId"]} for group in instance["SecurityGroups"]],
        "region": "us-east-1", "account": found["account"]}
    assert default not in str(found)
    lines = world.run("ps", "--drops").stdout.splitlines()
    assert lines[0].split() == ["INSTANCE", "NAME", "PRIVATE", "DIRECTION", "PACKETS", "BYTES",
                                "REASON", "RULE", "OF"]
    assert lines[3].split() == [
        second, "second", world.private(second), "ingress", "4", str(4 * PING), "security-group",
        "-", ",".join(group["groupId"] for group in found["groupSet"])]


def test_acls(world, vpc):
    """By the number of the rule, at the interface that the packet left or was to reach."""
    front, back = world.subnet(vpc, "10.0.1.0/24"), world.subnet(vpc, "10.0.2.0/24", "us-east-1b")
    sender, receiver = launch(world, front, "sender"), launch(world, back, "receiver")
    target = world.private(receiver)
    out, inward = new_acl(world, vpc, front), new_acl(world, vpc, back)

    world.assert_silent(sender, target, count=1)
    expected = [row(sender, "egress", "network-acl", 1, STAR)]
    assert drops(world) == expected
    entry(world, out, 200, "allow", True)
    entry(world, out, 150, "deny", True, "10.0.2.0/24")
    world.assert_silent(sender, target, count=2)
    expected = [row(sender, "egress", "network-acl", 2, "150"), *expected]
    assert drops(world) == expected
    entry(world, out, 40, "allow", True, target + "/32")
    world.assert_silent(sender, target, count=3)
    expected += [row(receiver, "ingress", "network-acl", 3, STAR)]
    assert drops(world) == expected
    entry(world, inward, 7, "deny", False, "10.0.1.0/24")
    world.assert_silent(sender, target, count=4)
    expected.insert(2, row(receiver, "ingress", "network-acl", 4, "7"))
    assert drops(world) == expected
    assert drops(world, "sender") == expected[:2] and drops(world, "receiver") == expected[2:]

    table = world.run("ps", "--drops", "receiver").stdout.splitlines()
    assert [line.split()[-3:] for line in table[1:]] == [["network-acl", "7", inward],
                                                         ["network-acl", STAR, inward]]
    # A neighbour is no matter of the ACL's.
    world.assert_reaches(sender, world.private(launch(world, front, "neighbour")))
    assert drops(world) == expected
    # The reply is judged too: an ACL keeps no connections.
    world.ec2.delete_network_acl_entry(NetworkAclId=inward, RuleNumber=7, Egress=False)
    entry(world, inward, 7, "allow", False)
    world.assert_silent(sender, target, count=5)
    expected.insert(2, row(receiver, "egress", "network-acl", 5, STAR))
    assert drops(world) == expected


def test_source_check(world, vpc):
    subnet = world.subnet(vpc, "10.0.1.0/24")
    liar, honest = launch(world, subnet, "liar"), launch(world, subnet, "honest")
    world.assert_reaches(liar, world.private(honest))  # ARP in another's name gets no answer
    assert drops(world) == []
    world.exec(liar, "ip address add 10.0.1.99/32 dev eth0")
    world.assert_silent(liar, world.private(honest), count=3, options="-I 10.0.1.99")
    assert drops(world) == [row(liar, "egress", "source-check", 3)]
    world.assert_reaches(liar, world.private(honest))
    assert drops(world, "liar") == [row(liar, "egress", "source-check", 3)]
    assert "source-check" in world.run("ps", "--drops").stdout


def test_they_outlive_the_daemon_and_go_with_the_instance(own_world):
    world = own_world
    vpc = world.vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    group = mute(world, vpc)
    sender = launch(world, subnet, "sender")
    victim = launch(world, subnet, "victim", group, PrivateIpAddress="10.0.1.20")
    world.assert_silent(sender, "10.0.1.20", count=3)
    world.restart()
    assert drops(world) == [row(victim, "ingress", "security-group", 3)]
    world.assert_silent(sender, "10.0.1.20", count=2)
    assert drops(world) == [row(victim, "ingress", "security-group", 5)]

    world.ec2.stop_instances(InstanceIds=[victim])
    world.await_state("stopped", victim)
    assert drops(world) == [row(victim, "ingress", "security-group", 5)]
    world.ec2.start_instances(InstanceIds=[victim])
    world.await_state("running", victim)
    world.assert_silent(sender, "10.0.1.20", count=1)
    assert drops(world) == [row(victim, "ingress", "security-group", 6)]

    world.ec2.terminate_instances(InstanceIds=[victim])
    world.await_state("terminated", victim)
    assert drops(world) == [] and drops(world, victim) == []
    heir = launch(world, subnet, "heir", group, PrivateIpAddress="10.0.1.20")
    assert drops(world) == []
    world.assert_silent(sender, "10.0.1.20", count=2)
    assert drops(world) == [row(heir, "ingress", "security-group", 2)]
    world.restart()
    assert drops(world) == [row(heir, "ingress", "security-group", 2)]
