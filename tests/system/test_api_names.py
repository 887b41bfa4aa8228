"""PrivateDnsNameOptions: how an instance is called, by its address or by its id. DNS itself is
asked in test_services_dns.py."""
import pytest

from conformance import demand
from lib import IMAGE, names, refused

NOWHERE = "i-0fedcba9876543210"
DEFAULT = {"HostnameType": "ip-name", "EnableResourceNameDnsARecord": False,
           "EnableResourceNameDnsAAAARecord": False}


@pytest.fixture(scope="module")
def ec2(world):
    return world.ec2


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")


@pytest.fixture
def launch(world, ec2, subnet):
    ids = []

    def run(**more):
        ids.extend(world.run_instances(subnet, address="10.1.1.10", **more))
        return ids[-1]
    yield run
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        world.await_state("terminated", *ids)


def stop(world, instance):
    world.ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)


def start(world, instance):
    world.ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)


def test_by_default(world, launch):
    instance = world.instance(launch())
    demand(instance, ["PrivateDnsName", ("PrivateDnsNameOptions", list(DEFAULT))])
    assert instance["PrivateDnsNameOptions"] == DEFAULT
    assert instance["PrivateDnsName"] == "ip-10-1-1-10.ec2.internal"


def test_at_launch(world, ec2, launch):
    options = {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True,
               "EnableResourceNameDnsAAAARecord": True}
    instance = launch(PrivateDnsNameOptions=options)
    shown = world.instance(instance)
    assert shown["PrivateDnsNameOptions"] == options
    assert shown["PrivateDnsName"] == f"{instance}.ec2.internal"
    card, = shown["NetworkInterfaces"]
    assert card["PrivateDnsName"] == "ip-10-1-1-10.ec2.internal"  # an address' name
    for name, value in (("private-dns-name", f"{instance}.ec2.internal"),
                        ("private-dns-name-options.hostname-type", "resource-name"),
                        ("private-dns-name-options.enable-resource-name-dns-a-record", "true"),
                        ("private-dns-name-options.enable-resource-name-dns-aaaa-record", "true")):
        for values, found in (([value], [instance]), (["x"], [])):
            reply = ec2.describe_instances(Filters=[{"Name": name, "Values": values}])
            assert names([entry for reservation in reply["Reservations"]
                          for entry in reservation["Instances"]], "InstanceId") == found


def test_another_region(world):
    ec2 = world.client(region="eu-west-1")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    instance = ec2.run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=subnet,
        PrivateDnsNameOptions={"HostnameType": "resource-name"})["Instances"][0]
    assert instance["PrivateDnsName"] == \
        f"{instance['InstanceId']}.eu-west-1.compute.internal"
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])


def test_from_a_template(world, ec2, subnet):
    template = ec2.create_launch_template(LaunchTemplateName="named", LaunchTemplateData={
        "ImageId": IMAGE, "PrivateDnsNameOptions": {"HostnameType": "resource-name"}})[
            "LaunchTemplate"]["LaunchTemplateId"]
    instance = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet, LaunchTemplate={
        "LaunchTemplateId": template})["Instances"][0]
    assert instance["PrivateDnsNameOptions"] == {**DEFAULT, "HostnameType": "resource-name"}
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    ec2.delete_launch_template(LaunchTemplateId=template)


def test_changes(world, ec2, launch):
    """The type of a stopped one alone; it is called so when it runs again."""
    instance = launch()
    change = ec2.modify_private_dns_name_options
    assert change(InstanceId=instance, EnableResourceNameDnsARecord=True)["Return"] is True
    assert world.instance(instance)["PrivateDnsNameOptions"] == {
        **DEFAULT, "EnableResourceNameDnsARecord": True}
    refused("IncorrectInstanceState", change, InstanceId=instance,
            PrivateDnsHostnameType="resource-name",
            text=f"The instance '{instance}' is not in the 'stopped' state.")
    stop(world, instance)
    refused("DryRunOperation", change, InstanceId=instance, DryRun=True, status=412,
            PrivateDnsHostnameType="resource-name")
    change(InstanceId=instance, PrivateDnsHostnameType="resource-name",
           EnableResourceNameDnsARecord=False)
    shown = world.instance(instance)
    assert shown["PrivateDnsNameOptions"] == {**DEFAULT, "HostnameType": "resource-name"}
    assert shown["PrivateDnsName"] == f"{instance}.ec2.internal"
    start(world, instance)
    assert world.exec(instance, "hostname").strip() == instance
    stop(world, instance)
    change(InstanceId=instance, PrivateDnsHostnameType="ip-name")
    start(world, instance)
    assert world.exec(instance, "hostname").strip() == "ip-10-1-1-10"


def test_refused(world, ec2, subnet, launch):
    change = ec2.modify_private_dns_name_options
    instance = launch()
    refused("MissingParameter", change, InstanceId=instance)
    refused("InvalidInstanceID.NotFound", change, InstanceId=NOWHERE,
            EnableResourceNameDnsARecord=True)
    refused("InvalidInstanceID.Malformed", change, InstanceId="banana",
            EnableResourceNameDnsARecord=True)
    refused("InvalidParameterValue", change, InstanceId=instance, PrivateDnsHostnameType="banana")
    refused("InvalidParameterValue", ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1,
            SubnetId=subnet, PrivateDnsNameOptions={"HostnameType": "banana"})
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    refused("IncorrectInstanceState", change, InstanceId=instance,
            EnableResourceNameDnsARecord=True)


def test_what_the_machine_reads(world, launch):
    """Instance metadata has the same name, with the domain of the DHCP options."""
    instance = launch(PrivateDnsNameOptions={"HostnameType": "resource-name"})
    for leaf in ("hostname", "local-hostname"):
        assert world.exec(instance, "curl -s -m 2 http://169.254.169.254/latest/meta-data/"
                          + leaf) == f"{instance}.ec2.internal"


def test_restart(make_world):
    with make_world() as world:
        subnet = world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")
        options = {"HostnameType": "resource-name", "EnableResourceNameDnsARecord": True,
                   "EnableResourceNameDnsAAAARecord": False}
        instance, = world.run_instances(subnet, PrivateDnsNameOptions=options)
        world.restart()
        assert world.instance(instance)["PrivateDnsNameOptions"] == options
