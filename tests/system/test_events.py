"""`minivpc events`: what changes is told, once, in order, and to whoever comes late."""
import json
import signal
import subprocess

from lib import environment, read_line, stop, tag_specification


def events(world):
    return [json.loads(line) for line in world.run("events", "-o", "json").stdout.splitlines()]


def of(found, identifier):
    return [entry for entry in found if entry["id"] == identifier]


def follow(world):
    process = subprocess.Popen(world.command("events", "--follow"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                               env=environment(), start_new_session=True)
    world.spawned.append(process)
    return process


def next_of(process, identifier, kind):
    while True:
        entry = json.loads(read_line(process, 10, "an event"))
        if entry.get("id") == identifier and entry["event"] == kind:
            return entry


def test_what_is_created_changed_and_deleted_is_told(world):
    vpc = world.open_vpc("10.6.0.0/16")
    subnet = world.subnet(vpc, "10.6.1.0/24")
    world.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    world.ec2.delete_subnet(SubnetId=subnet)
    found = events(world)
    numbers = [entry["sequence"] for entry in found]
    assert numbers == sorted(set(numbers))
    created, changed, deleted = of(found, subnet)
    assert (created["event"], changed["event"], deleted["event"]) == (
        "created", "changed", "deleted")
    assert created["kind"] == "subnet" and created["account"] == "123456789012"
    assert created["region"] == "us-east-1"
    assert created["changes"]["vpcId"] == {"before": None, "after": vpc}
    assert list(changed["changes"].values()) == [{"before": "false", "after": "true"}]
    assert deleted["changes"]["vpcId"] == {"before": vpc, "after": None}


def test_an_instances_life_is_told_without_its_secrets(world):
    vpc = world.open_vpc("10.6.0.0/16")
    instance, = world.run_instances(
        world.subnet(vpc, "10.6.2.0/24"), UserData="#!/bin/sh\n: hush-hush\n",
        ClientToken="token-of-mine", TagSpecifications=[
            tag_specification("instance", Name="web")[0]])
    fault = world.run("fault", "instance", instance).stdout.strip()
    world.exec(instance, "sh -c 'kill 1'", check=False)  # as poweroff(8), which not every root has
    world.await_state("stopped", instance)
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    text = world.run("events").stdout
    found = [json.loads(line) for line in text.splitlines()]
    mine = of(found, instance)
    states = [entry["changes"]["state"]["after"] for entry in mine if "state" in entry["changes"]]
    assert states == ["running", "stopped", "terminated"], states
    assert mine[0]["event"] == "created" and mine[0]["name"] == "web"
    stopped = next(entry for entry in mine if entry["changes"]["state"]["after"] == "stopped")
    assert "InstanceInitiatedShutdown" in json.dumps(stopped["changes"]["reasonCode"])
    assert [entry["event"] for entry in of(found, fault)] == ["created", "deleted"]
    assert of(found, fault)[0]["changes"]["target"]["after"] == instance
    for secret in ("userData", "metadataKey", "token-of-mine", "startTime"):
        assert secret not in text


def test_who_follows_hears_it_at_once(world):
    process = follow(world)
    try:
        for _ in range(3):
            vpc = world.vpc("10.5.0.0/16")
            assert next_of(process, vpc, "created")["kind"] == "vpc"
            world.ec2.delete_vpc(VpcId=vpc)
            next_of(process, vpc, "deleted")
    finally:
        stop(process)


def test_a_refused_call_and_one_that_reads_are_no_events(world):
    world.vpc("10.4.0.0/16")
    before = events(world)
    world.ec2.describe_vpcs()
    world.run("fault", "az", "nowhere", check=False)
    assert events(world) == before


def test_who_comes_late_is_told_how_much_was_missed(world):
    vpc = world.vpc("10.3.0.0/16")
    process = follow(world)
    try:
        next_of(process, vpc, "created")
        process.send_signal(signal.SIGSTOP)  # it lags
        group = world.security_group(vpc, "many")
        for number in range(9):
            rules = [{"IpProtocol": "udp", "FromPort": port, "ToPort": port,
                      "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
                     for port in range(number * 50, number * 50 + 50)]
            for _ in range(6):
                world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
                world.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
        process.send_signal(signal.SIGCONT)
        last = None
        while True:
            entry = json.loads(read_line(process, 20, "an event"))
            if entry["event"] == "missed":
                break
            last = entry["sequence"]
        after = json.loads(read_line(process, 20, "an event"))
        assert entry["count"] > 0 and after["sequence"] == last + entry["count"] + 1
    finally:
        stop(process)
    assert len(events(world)) <= 4096


def test_a_new_daemon_begins_anew_and_a_follower_ends_with_the_old(world):
    process = follow(world)
    read_line(process, 10, "an event")
    world.kill()
    _, said = process.communicate(timeout=20)
    text = said.decode()
    assert process.returncode == 1
    assert text.startswith("minivpc: ") and text.count("\n") == 1, text
    stop(process)
    world.serve()
    vpc = world.vpc("10.2.0.0/16")
    found = events(world)
    assert of(found, vpc)[0]["event"] == "created"
    assert found[0]["sequence"] < 50
