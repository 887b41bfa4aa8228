"""An instance's life: states, transitions, interfaces, statuses, what it looks like inside."""
import os
import re

import pytest

from conformance import demand
from lib import ACCOUNT, names, namespaces, refused, tags, wait_for

NOWHERE = "i-0fedcba9876543210"


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")


@pytest.fixture
def instance(world, subnet):
    identifier, = world.run_instances(subnet)
    yield identifier
    world.ec2.terminate_instances(InstanceIds=[identifier])
    world.await_state("terminated", identifier)


def change(reply, members):
    entry, = reply[members]
    return entry["InstanceId"], entry["PreviousState"]["Name"], entry["CurrentState"]["Name"]


def test_stop_start(world, ec2, instance):
    stopped = change(ec2.stop_instances(InstanceIds=[instance]), "StoppingInstances")
    assert stopped in ((instance, "running", "stopping"), (instance, "running", "stopped"))
    world.await_state("stopped", instance)
    described = world.instance(instance)
    assert described["State"] == {"Code": 80, "Name": "stopped"}
    assert described["StateReason"] == {
        "Code": "Client.UserInitiatedShutdown",
        "Message": "Client.UserInitiatedShutdown: User initiated shutdown"}
    assert re.fullmatch(r"User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)",
                        described["StateTransitionReason"])
    assert change(ec2.stop_instances(InstanceIds=[instance]), "StoppingInstances") == (
        instance, "stopped", "stopped")
    started = change(ec2.start_instances(InstanceIds=[instance]), "StartingInstances")
    assert started in ((instance, "stopped", "pending"), (instance, "stopped", "running"))
    world.await_state("running", instance)
    assert "StateReason" not in world.instance(instance)
    assert change(ec2.start_instances(InstanceIds=[instance]), "StartingInstances") == (
        instance, "running", "running")
    assert world.exec(instance, "true") == ""


def test_processes_end_with_a_stop(world, ec2, instance):
    sleeper = world.spawn(instance, "sleep 1000")
    wait_for(lambda: "sleep" in world.exec(instance, "ps -e -o comm="), 5, "sleep runs")
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    assert sleeper.wait(5) != 0
    done = world.exec(instance, "true", check=False)
    assert done.returncode == 1 and "stopped" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_memory_of_a_stop(world, ec2, instance):
    """MAC and interface stay with the instance."""
    def identity():
        entry = world.instance(instance)["NetworkInterfaces"][0]
        return entry["NetworkInterfaceId"], entry["MacAddress"], entry["PrivateIpAddress"]
    before = identity()
    ec2.stop_instances(InstanceIds=[instance], Force=True)
    world.await_state("stopped", instance)
    assert identity() == before
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert identity() == before
    assert world.exec(instance, "cat /sys/class/net/eth0/address").strip() == before[1]


def test_reboot(world, ec2, instance):
    before = world.instance(instance)
    old = set(world.pids(instance))
    marker = world.spawn(instance, "sleep 1000")
    wait_for(lambda: "sleep" in world.exec(instance, "ps -e -o comm="), 5, "sleep runs")
    ec2.reboot_instances(InstanceIds=[instance])
    marker.wait(10)

    def fresh():
        now = set(world.pids(instance)) if instance in namespaces() else set()
        return now and not now & old
    wait_for(fresh, 10, "a new init")
    world.await_state("running", instance)
    after = world.instance(instance)
    for member in ("PrivateIpAddress", "NetworkInterfaces", "InstanceId", "LaunchTime"):
        assert after[member] == before[member]
    wait_for(lambda: world.ping(instance, "10.1.1.1").received, 10, "the network is back")


def test_terminate(world, ec2, subnet):
    instance, = world.run_instances(subnet, TagSpecifications=[
        {"ResourceType": "instance", "Tags": tags(Name="doomed")}])
    interface = world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ended = change(ec2.terminate_instances(InstanceIds=[instance]), "TerminatingInstances")
    assert ended in ((instance, "running", "shutting-down"), (instance, "running", "terminated"))
    world.await_state("terminated", instance)
    described = world.instance(instance)
    assert described["State"] == {"Code": 48, "Name": "terminated"}
    assert described["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert described["Tags"] == [{"Key": "Name", "Value": "doomed"}]
    for gone in ("PrivateIpAddress", "PublicIpAddress", "SubnetId", "VpcId"):
        assert gone not in described
    assert described["NetworkInterfaces"] == []
    refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces,
            NetworkInterfaceIds=[interface])
    assert change(ec2.terminate_instances(InstanceIds=[instance]), "TerminatingInstances") == (
        instance, "terminated", "terminated")
    for call, verb in ((ec2.start_instances, "started"), (ec2.stop_instances, None),
                       (ec2.reboot_instances, None)):
        refused("IncorrectInstanceState", call, InstanceIds=[instance],
                text=verb and f"The instance '{instance}' is not in a state from which it can be "
                              f"{verb}.")
    done = world.exec(instance, "true", check=False)
    assert done.returncode == 1 and done.stderr


def test_a_stopped_instance_terminates(world, ec2, subnet):
    instance, = world.run_instances(subnet)
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)


def test_several_at_once(world, ec2, subnet):
    ids = world.run_instances(subnet, count=5)
    reply = ec2.stop_instances(InstanceIds=ids)
    assert names(reply["StoppingInstances"], "InstanceId") == ids
    world.await_state("stopped", *ids)
    ec2.start_instances(InstanceIds=ids)
    world.await_state("running", *ids)
    for instance in ids:
        world.assert_reaches(instance, "10.1.1.1", count=1)
    ec2.terminate_instances(InstanceIds=ids)
    world.await_state("terminated", *ids)


CALLS = ["start_instances", "stop_instances", "reboot_instances", "terminate_instances"]


@pytest.mark.parametrize("call", CALLS)
def test_one_bad_id_and_none_is_touched(world, ec2, instance, call):
    refused("InvalidInstanceID.NotFound", getattr(ec2, call), InstanceIds=[instance, NOWHERE],
            text=f"The instance ID '{NOWHERE}' does not exist")
    refused("InvalidInstanceID.Malformed", getattr(ec2, call), InstanceIds=[instance, "banana"],
            text=re.compile(r'Invalid id: "banana" \(expecting "i-'))
    refused("DryRunOperation", getattr(ec2, call), InstanceIds=[instance], DryRun=True, status=412)
    assert world.instance(instance)["State"]["Name"] == "running"
    assert world.exec(instance, "true") == ""


def test_status_lists_the_running(world, ec2, instance):
    entry, = ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
    demand(entry, ["AvailabilityZone", "InstanceId", "InstanceState",
                   ("InstanceStatus", ["Status", ("Details", ["Name", "Status"])]),
                   ("SystemStatus", ["Status", ("Details", ["Name", "Status"])])])
    assert entry["InstanceState"] == {"Code": 16, "Name": "running"}
    assert entry["InstanceStatus"] == entry["SystemStatus"] == {
        "Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}
    assert not entry.get("Events")
    for name, value in (("instance-status.status", "ok"), ("system-status.status", "ok"),
                        ("attached-ebs-status.status", "ok"), ("instance-state-code", "16"),
                        ("instance-status.reachability", "passed"),
                        ("system-status.reachability", "passed"),
                        ("availability-zone", entry["AvailabilityZone"])):
        for wanted, count in ((value, 1), ("x", 0)):
            assert len(ec2.describe_instance_status(InstanceIds=[instance], Filters=[
                {"Name": name, "Values": [wanted]}])["InstanceStatuses"]) == count
    assert ec2.describe_instance_status(Filters=[
        {"Name": "event.code", "Values": ["*"]}])["InstanceStatuses"] == []
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    assert ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"] == []
    entry, = ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)[
        "InstanceStatuses"]
    assert entry["InstanceState"]["Name"] == "stopped"
    assert entry["InstanceStatus"]["Status"] == "not-applicable"
    stopped = ec2.describe_instance_status(IncludeAllInstances=True, Filters=[
        {"Name": "instance-state-name", "Values": ["stopped"]}])["InstanceStatuses"]
    assert instance in names(stopped, "InstanceId")


def test_status_refused(ec2, instance):
    refused("InvalidInstanceID.NotFound", ec2.describe_instance_status, InstanceIds=[NOWHERE])
    refused("InvalidInstanceID.Malformed", ec2.describe_instance_status, InstanceIds=["x"])
    refused("DryRunOperation", ec2.describe_instance_status, DryRun=True, status=412)
    refused("InvalidParameterCombination", ec2.describe_instance_status, InstanceIds=[instance],
            MaxResults=5)


def test_status_pages(world, ec2, subnet):
    ids = world.run_instances(subnet, count=7)
    filters = [{"Name": "instance-state-name", "Values": ["running"]}]
    pages = list(ec2.get_paginator("describe_instance_status").paginate(
        Filters=filters, PaginationConfig={"PageSize": 5}))
    assert len(pages) > 1 and all(len(page["InstanceStatuses"]) <= 5 for page in pages)
    found = [entry["InstanceId"] for page in pages for entry in page["InstanceStatuses"]]
    assert set(ids) <= set(found) and len(found) == len(set(found))
    ec2.terminate_instances(InstanceIds=ids)


def test_network_interface(world, ec2, instance, subnet):
    described = world.instance(instance)
    inner = described["NetworkInterfaces"][0]
    entry, = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[inner["NetworkInterfaceId"]])["NetworkInterfaces"]
    demand(entry, [
        "NetworkInterfaceId", "OwnerId", "SubnetId", "VpcId", "AvailabilityZone", "Description",
        "Groups", "InterfaceType", "MacAddress", "PrivateIpAddress", "RequesterManaged",
        "SourceDestCheck", "Status", "TagSet", "Ipv6Addresses",
        ("Attachment", ["AttachTime", "AttachmentId", "DeleteOnTermination", "DeviceIndex",
                        "InstanceId", "InstanceOwnerId", "Status"]),
        ("PrivateIpAddresses", ["Primary", "PrivateIpAddress"])])
    assert entry["OwnerId"] == entry["Attachment"]["InstanceOwnerId"] == ACCOUNT
    assert entry["SubnetId"] == subnet and entry["Status"] == "in-use"
    assert entry["InterfaceType"] == "interface" and entry["RequesterManaged"] is False
    assert entry["Attachment"]["InstanceId"] == instance
    assert entry["Attachment"]["Status"] == "attached"
    for member in ("MacAddress", "PrivateIpAddress", "SourceDestCheck", "Groups"):
        assert entry[member] == inner[member]
    assert entry["Attachment"]["AttachmentId"] == inner["Attachment"]["AttachmentId"]


def test_inside(world, instance):
    """A host of its own: name, processes, root, and the machine's files behind glass."""
    address = world.private(instance).replace(".", "-")
    assert world.exec(instance, "hostname").strip() == f"ip-{address}"
    assert world.exec(instance, "id -u").strip() == "0"
    assert len(world.exec(instance, ["sh", "-c", "ls -d /proc/[0-9]*"]).split()) < 8
    assert world.exec(instance, "cat /proc/1/comm").strip() != "systemd"
    assert world.exec(instance, "ls /sys/class/net").split() == ["eth0", "lo"]
    assert "LOOPBACK,UP" in world.exec(instance, "ip link show lo")
    for path in ("/etc/minivpc-test-probe", "/usr/minivpc-test-probe", "/minivpc-test-probe",
                 "/var/lib/minivpc-test-probe"):
        world.exec(instance, ["sh", "-c", f"echo x > {path}"], check=False)
        assert not os.path.exists(path)
    assert world.exec(instance, ["sh", "-c", "echo x > /tmp/probe && cat /tmp/probe"]) == "x\n"
    assert not os.path.exists("/tmp/probe")


def test_root_inside_is_not_root_outside(world, instance):
    """What would reach the host is refused inside."""
    with open("/proc/sys/kernel/hostname", encoding="utf-8") as file:
        name = file.read()
    for command in ("echo stolen > /proc/sys/kernel/hostname", "hostname stolen"):
        world.exec(instance, ["sh", "-c", command], check=False)
    with open("/proc/sys/kernel/hostname", encoding="utf-8") as file:
        assert file.read() == name
    same = "value=$(cat /proc/sys/vm/swappiness); echo $value > /proc/sys/vm/swappiness"
    for command in (same, "mount -o remount,rw /", "mknod /tmp/disk b 254 0 && head -c1 /tmp/disk",
                    "ls /proc/1/root/run/minivpc/*", f"cat {world.state}/credentials"):
        assert world.exec(instance, ["sh", "-c", command], check=False).returncode != 0, command


def test_instances_do_not_see_each_others_processes(world, instance, subnet):
    other, = world.run_instances(subnet)
    world.spawn(other, "sleep 31415")
    wait_for(lambda: "31415" in world.exec(other, "ps -e -o args="), 5, "sleep runs")
    assert "31415" not in world.exec(instance, "ps -e -o args=")
    world.exec(other, ["sh", "-c", "echo mine > /tmp/secret"])
    assert world.exec(instance, "cat /tmp/secret", check=False).returncode != 0
    world.ec2.terminate_instances(InstanceIds=[other])
