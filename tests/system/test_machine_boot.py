"""What an instance does at its first boot: user data, by cloud-init's rules, and a key pair's key."""
import time

from lib import IMAGE, names, wait_for

LOG = "/var/log/cloud-init-output.log"
SCRIPT = """#!/bin/sh
echo "hello from $(hostname)"
ip -4 -o address show eth0 | awk '{ print $4 }'
ping -c 1 -W 2 10.0.1.4 >/dev/null && echo "the network is there"
date +%N >> /root/times
echo to stderr >&2
"""
CONFIG = """#cloud-config
hostname: renamed
write_files:
  - path: /etc/motd.d/welcome
    content: |
      it's here
    permissions: '0600'
runcmd:
  - [ sh, -c, "echo one $1", x, "two three" ]
  - echo ${PATH%%:*}
packages: [ nothing ]
"""


def launch(world, subnet, user_data=None, **more):
    if user_data:
        more["UserData"] = user_data
    made = world.ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                                   SubnetId=subnet, **more)["Instances"]
    identifier, = names(made, "InstanceId")
    world.await_state("running", identifier)
    return identifier


def log(world, instance, lines):
    """What was said, once it is so many lines."""
    def said():
        text = world.exec(instance, ["cat", LOG], check=False)
        text = text if isinstance(text, str) else text.stdout
        return text if text.count("\n") >= lines else None
    return wait_for(said, 10, f"{lines} lines of {LOG}").splitlines()


def test_a_script(own_world):
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    world.run_instances(subnet)  # who is pinged
    instance = launch(world, subnet, SCRIPT)
    assert log(world, instance, 4) == [
        "hello from ip-10-0-1-5", "10.0.1.5/24", "the network is there", "to stderr"]
    # Once, and never again.
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    world.ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    world.reboot(instance)
    time.sleep(1)
    assert len(log(world, instance, 4)) == 4
    assert world.exec(instance, ["wc", "-l", "/root/times"]).split()[0] == "1"


def test_cloud_config(own_world):
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    instance = launch(world, subnet, CONFIG)
    assert log(world, instance, 3) == [
        "cloud-init: not supported: packages", "one two three", "/usr/local/sbin"]
    assert world.exec(instance, ["cat", "/etc/motd.d/welcome"]) == "it's here\n"
    assert world.exec(instance, ["stat", "-c", "%a", "/etc/motd.d/welcome"]).strip() == "600"
    assert world.exec(instance, ["hostname"]).strip() == "renamed"


def test_a_key(own_world):
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    world.ec2.create_key_pair(KeyName="mine", KeyType="ed25519")
    kept = world.ec2.describe_key_pairs(KeyNames=["mine"], IncludePublicKey=True)["KeyPairs"][0]
    instance = launch(world, subnet, KeyName="mine")
    path = "/root/.ssh/authorized_keys"
    wait_for(lambda: world.exec(instance, ["sh", "-c", f"test -s {path} && echo y || true"]).strip(),
             10, path)
    assert world.exec(instance, ["cat", path]).split()[:2] == kept["PublicKey"].split()[:2]
    assert world.exec(instance, ["stat", "-c", "%a", path]).strip() == "600"


def test_many_at_once(own_world):
    """Each has its own; what one says is in no other's log."""
    world = own_world
    subnet = world.subnet(world.open_vpc(), "10.0.1.0/24")
    made = world.run_instances(subnet, count=20, UserData="#!/bin/sh\nhostname\n")
    assert [log(world, instance, 1) for instance in made] == [
        [f"ip-{world.private(instance).replace('.', '-')}"] for instance in made]
