"""cloud-init itself, Debian's, in an instance: its EC2 data source against the metadata service."""
import json
import os
import types

import pytest

import guest
from lib import wait_for

SCRIPT = "#!/bin/sh\necho by cloud-init >>/root/ran\n"

# A machine is taken for Amazon's by its firmware, which is this machine's own: that is told here.
CRAWL = """
import json
from cloudinit import distros, helpers
from cloudinit.sources import DataSourceEc2 as ec2
ec2._collect_platform_data = lambda: {
    "uuid": "ec2e1916-9099-7caf-fd21-012345abcdef", "uuid_source": "dmi",
    "serial": "ec2e1916-9099-7caf-fd21-012345abcdef", "vendor": "amazon ec2", "asset_tag": "",
    "product_name": "t3.micro"}
paths = helpers.Paths({"cloud_dir": "/var/tmp/cloud", "run_dir": "/run/crawl"})
config = {"datasource": {"Ec2": {"strict_id": True, "timeout": 5, "max_wait": 10}}}
found = ec2.DataSourceEc2(config, distros.fetch("debian")("debian", {}, paths), paths)
print(json.dumps({
    "found": found.get_data(), "cloud": found.cloud_name, "id": found.get_instance_id(),
    "hostname": found.get_hostname(), "fqdn": found.get_hostname(fqdn=True),
    "keys": found.get_public_ssh_keys(), "user data": found.get_userdata_raw().decode(),
    "zone": found.availability_zone, "region": found.region, "index": found.launch_index,
    "network": found.network_config, "identity": found.identity, "meta": found.metadata,
    "root": found.device_name_to_device("root"), "version": found.get_metadata_api_version()}))
"""

# What its package's configuration has, but for what needs systemd or other packages.
CONFIG = """
datasource_list: [Ec2]
datasource: { Ec2: { strict_id: false } }
users: []
disable_root: false
cloud_init_modules: [write-files, set_hostname, update_hostname, users-groups, ssh]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
"""


@pytest.fixture(scope="module")
def lab(world):
    """An instance with all there is to crawl, and cloud-init on its disk."""
    vpc = world.open_vpc()
    world.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = world.subnet(vpc, "10.0.1.0/24", "us-east-1c")
    world.route_table(vpc, subnet, world.gateway(vpc))
    world.ec2.create_key_pair(KeyName="mine", KeyType="ed25519")
    key = world.ec2.describe_key_pairs(KeyNames=["mine"], IncludePublicKey=True)["KeyPairs"][0]
    instance, = world.run_instances(subnet, public=True, KeyName="mine", UserData=SCRIPT,
                                    MetadataOptions={"HttpTokens": "required",
                                                     "InstanceMetadataTags": "enabled"},
                                    TagSpecifications=[{"ResourceType": "instance", "Tags": [
                                        {"Key": "Name", "Value": "web"}]}])
    for part, where in ("usr", "/"), ("etc/cloud", "/etc"):
        world.run("cp", os.path.join(guest.path("cloud-init"), part), f"{instance}:{where}")
    return types.SimpleNamespace(vpc=vpc, subnet=subnet, instance=instance,
                                 key=key["PublicKey"].split()[1])


def crawl(world, lab):
    return json.loads(world.exec(lab.instance, ["python3", "-c", CRAWL]).splitlines()[-1])


def test_the_data_source(world, lab):
    """By tokens, which are required, and as strict as it can be."""
    found = crawl(world, lab)
    told = world.instance(lab.instance)
    assert found["found"] is True and found["cloud"] == "aws" and found["version"] == "2021-03-23"
    assert found["id"] == lab.instance and found["user data"] == SCRIPT
    name = "ip-" + told["PrivateIpAddress"].replace(".", "-")
    assert found["hostname"][0] == name and found["fqdn"][0] == told["PrivateDnsName"]
    assert [key.split()[:2] for key in found["keys"]] == [["ssh-ed25519", lab.key]]
    assert (found["zone"], found["region"], found["index"]) == ("us-east-1c", "us-east-1", "0")
    assert found["root"] == told["RootDeviceName"]
    meta, card = found["meta"], told["NetworkInterfaces"][0]
    assert meta["public-ipv4"] == told["PublicIpAddress"]
    assert meta["public-hostname"] == told["PublicDnsName"]
    assert list(meta["network"]["interfaces"]["macs"]) == [card["MacAddress"]]
    document = found["identity"]
    assert (document["instanceId"], document["privateIp"], document["instanceType"]) == \
        (lab.instance, told["PrivateIpAddress"], told["InstanceType"])
    assert found["network"] == {"version": 2, "ethernets": {"eth0": {
        "dhcp4": True, "dhcp6": False, "set-name": "eth0",
        "match": {"macaddress": card["MacAddress"]}}}}


def test_more_addresses_and_cards(world, lab):
    """A secondary address with its prefix, a second card after the first."""
    card = world.instance(lab.instance)["NetworkInterfaces"][0]
    world.ec2.assign_private_ip_addresses(NetworkInterfaceId=card["NetworkInterfaceId"],
                                          PrivateIpAddresses=["10.0.1.50"])
    more = world.ec2.create_network_interface(SubnetId=lab.subnet)["NetworkInterface"]
    attached = world.ec2.attach_network_interface(
        NetworkInterfaceId=more["NetworkInterfaceId"], InstanceId=lab.instance, DeviceIndex=1)
    try:
        cards = crawl(world, lab)["network"]["ethernets"]
        assert cards["eth0"]["addresses"] == ["10.0.1.50/24"]
        assert cards["eth0"]["dhcp4-overrides"] == {"route-metric": 100}
        assert cards["eth1"]["match"] == {"macaddress": more["MacAddress"]}
        assert cards["eth1"]["dhcp4-overrides"] == {"route-metric": 200}
    finally:
        world.ec2.detach_network_interface(AttachmentId=attached["AttachmentId"], Force=True)
        world.ec2.unassign_private_ip_addresses(NetworkInterfaceId=card["NetworkInterfaceId"],
                                                PrivateIpAddresses=["10.0.1.50"])


def test_its_stages(world, lab):
    """
    As a boot runs them, over what the emulator's own boot has left. Where it doesn't know the
    firmware it asks for no tokens.
    """
    world.ec2.modify_instance_metadata_options(InstanceId=lab.instance, HttpTokens="optional")
    run = wait_for(lambda: world.exec(lab.instance, "cat /root/ran", check=False).stdout, 5,
                   "the first boot's user data")
    assert run == "by cloud-init\n"
    world.exec(lab.instance, ["sh", "-c", "cat >/etc/cloud/cloud.cfg.d/99_test.cfg; mkdir -p "
                                          "/run/systemd; rm -rf /root/.ssh"], input=CONFIG)
    for stage in (["init", "--local"], ["init"], ["modules", "--mode=config"],
                  ["modules", "--mode=final"]):
        world.exec(lab.instance, ["cloud-init", *stage])
    status = json.loads(world.exec(lab.instance, "cat /run/cloud-init/status.json"))["v1"]
    assert status["datasource"] == "DataSourceEc2"
    assert [status[stage]["errors"] for stage in
            ("init-local", "init", "modules-config", "modules-final")] == [[]] * 4

    def query(what):
        return world.exec(lab.instance, ["cloud-init", "query", what]).strip()
    assert query("instance_id") == lab.instance and query("region") == "us-east-1"
    assert query("ds.meta_data.tags.instance.Name") == "web"
    assert world.exec(lab.instance, "cat /root/ran") == "by cloud-init\n" * 2
    assert lab.key in world.exec(lab.instance, "cat /root/.ssh/authorized_keys")
