"""Sets of DHCP options: what may be in one, which VPC has which, and when one may go."""
import re

import pytest

import wire
from lib import ACCOUNT, names, refused, tag_specification

NOWHERE = "dopt-0fedcba9876543210"
SERVERS = ["10.2.5.1", "10.2.5.2"]


def configured(options):
    return [(entry["Key"], names(entry["Values"], "Value"))
            for entry in options["DhcpConfigurations"]]


def create(ec2, **options):
    """create(ec2, domain_name=["x"]), in the order given."""
    return ec2.create_dhcp_options(DhcpConfigurations=[
        {"Key": key.replace("_", "-"), "Values": values} for key, values in options.items()])[
            "DhcpOptions"]


def read(ec2, identifier):
    return ec2.describe_dhcp_options(DhcpOptionsIds=[identifier])["DhcpOptions"][0]


def of_vpc(ec2, vpc):
    return ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"]


@pytest.fixture
def options(ec2):
    """Some set; it goes, whatever became of it."""
    made = create(ec2, domain_name=["example.com"], domain_name_servers=SERVERS)["DhcpOptionsId"]
    yield made
    for vpc in ec2.describe_vpcs(Filters=[{"Name": "dhcp-options-id", "Values": [made]}])["Vpcs"]:
        ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc["VpcId"])
    ec2.delete_dhcp_options(DhcpOptionsId=made)


@pytest.fixture
def vpc(world, ec2):
    made = world.vpc("10.1.0.0/16")
    yield made
    ec2.delete_vpc(VpcId=made)


def test_life_cycle(ec2):
    made = ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "netbios-node-type", "Values": ["2"]},
                            {"Key": "ntp-servers", "Values": ["169.254.169.123"]},
                            {"Key": "domain-name-servers", "Values": SERVERS},
                            {"Key": "netbios-name-servers", "Values": ["10.2.5.3"]},
                            {"Key": "domain-name", "Values": ["example.com"]}],
        TagSpecifications=tag_specification("dhcp-options", Name="office"))["DhcpOptions"]
    identifier = made["DhcpOptionsId"]
    assert re.fullmatch("dopt-[0-9a-f]{17}", identifier)
    assert made["OwnerId"] == ACCOUNT and made["Tags"] == [{"Key": "Name", "Value": "office"}]
    assert configured(made) == [  # in the order of their keys
        ("domain-name", ["example.com"]), ("domain-name-servers", SERVERS),
        ("netbios-name-servers", ["10.2.5.3"]), ("netbios-node-type", ["2"]),
        ("ntp-servers", ["169.254.169.123"])]
    assert read(ec2, identifier) == made
    ec2.delete_dhcp_options(DhcpOptionsId=identifier)
    for call in (ec2.delete_dhcp_options, lambda **it: ec2.describe_dhcp_options(
            DhcpOptionsIds=[it["DhcpOptionsId"]])):
        refused("InvalidDhcpOptionID.NotFound", call, DhcpOptionsId=identifier,
                text=f"The dhcpOption ID '{identifier}' does not exist")


def test_one_value_with_commas(ec2):
    made = create(ec2, domain_name_servers=[",".join(SERVERS)])
    assert configured(made) == [("domain-name-servers", SERVERS)]
    ec2.delete_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"])


@pytest.mark.parametrize("key, values, shown", [
    ("domain-name", ["a b"], None), ("domain-name-servers", ["AmazonProvidedDNS"], None),
    ("domain-name-servers", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "AmazonProvidedDNS"], None),
    ("domain-name-servers", ["10.0.0.1,10.0.0.2", "10.0.0.3"],
     ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
    ("domain-name-servers", ["fd00:ec2::253"], None),
    ("ntp-servers", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00:ec2::123"], None),
    ("ipv6-address-preferred-lease-time", ["140"], None)])
def test_what_an_option_may_be(ec2, key, values, shown):
    made = create(ec2, **{key: values})
    assert configured(made) == [(key, shown or values)]
    ec2.delete_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"])


FIVE = [f"10.0.0.{number}" for number in range(1, 6)]


@pytest.mark.parametrize("key, values, named", [
    ("colour", ["blue"], "colour"), ("Domain-Name", ["example.com"], "Domain-Name"),
    ("domain-name", [""], ""), ("domain-name", ["a", "b"], "b"), ("domain-name", ["a..b"], "a..b"),
    ("domain-name-servers", FIVE, FIVE[-1]),
    ("domain-name-servers", FIVE[:4] + ["AmazonProvidedDNS"], "AmazonProvidedDNS"),
    ("domain-name-servers", ["ns.example.com"], "ns.example.com"),
    ("domain-name-servers", ["10.0.0.256"], "10.0.0.256"),
    ("domain-name-servers", ["10.0.0.1, 10.0.0.2"], "10.0.0.1, 10.0.0.2"),
    ("ntp-servers", FIVE, FIVE[-1]), ("ntp-servers", ["AmazonProvidedDNS"], "AmazonProvidedDNS"),
    ("netbios-name-servers", FIVE, FIVE[-1]), ("netbios-name-servers", ["::1"], "::1"),
    ("netbios-node-type", ["3"], "3"), ("netbios-node-type", ["1", "2"], "2"),
    ("ipv6-address-preferred-lease-time", ["139"], "139")])
def test_what_an_option_may_not_be(ec2, key, values, named):
    before = ec2.describe_dhcp_options()["DhcpOptions"]
    wrong = refused("InvalidParameterValue", create, ec2, **{key: values})
    assert wrong.message.startswith(f"Value ({named}) for parameter "), wrong
    assert ec2.describe_dhcp_options()["DhcpOptions"] == before


def test_an_option_is_there_once(ec2):
    refused("InvalidParameterValue", ec2.create_dhcp_options, DhcpConfigurations=[
        {"Key": "domain-name", "Values": [name]} for name in ("a", "b")],
        text=re.compile("more than once"))


def test_something_must_be_there(world, ec2):
    assert wire.call(world, "CreateDhcpOptions").code == "MissingParameter"
    assert wire.call(world, "CreateDhcpOptions",
                     DhcpConfiguration__1__Value__1="a").code == "MissingParameter"
    refused("MissingParameter", create, ec2, domain_name=[])


def test_association(ec2, vpc, options):
    given = of_vpc(ec2, vpc)
    assert given != options
    for identifier in (options, options, "default", "default", options, given):
        ec2.associate_dhcp_options(DhcpOptionsId=identifier, VpcId=vpc)
        assert of_vpc(ec2, vpc) == identifier
        found = ec2.describe_vpcs(Filters=[
            {"Name": "dhcp-options-id", "Values": [identifier]}])["Vpcs"]
        assert vpc in names(found, "VpcId")


def test_association_refused(ec2, vpc, options):
    refused("InvalidDhcpOptionID.NotFound", ec2.associate_dhcp_options, DhcpOptionsId=NOWHERE,
            VpcId=vpc, text=f"The dhcpOption ID '{NOWHERE}' does not exist")
    refused("InvalidDhcpOptionsId.Malformed", ec2.associate_dhcp_options, DhcpOptionsId="none",
            VpcId=vpc)
    refused("InvalidVpcID.NotFound", ec2.associate_dhcp_options, DhcpOptionsId=options,
            VpcId="vpc-0fedcba9876543210")
    refused("InvalidVpcID.NotFound", ec2.associate_dhcp_options, DhcpOptionsId="default",
            VpcId="vpc-0fedcba9876543210")
    refused("DryRunOperation", ec2.associate_dhcp_options, DhcpOptionsId=options, VpcId=vpc,
            DryRun=True, status=412)
    assert of_vpc(ec2, vpc) != options


def test_another_region_has_its_own(world, ec2, options, vpc):
    west = world.client(region="us-west-2")
    refused("InvalidDhcpOptionID.NotFound", west.delete_dhcp_options, DhcpOptionsId=options)
    foreign = west.describe_dhcp_options()["DhcpOptions"][0]["DhcpOptionsId"]
    refused("InvalidDhcpOptionID.NotFound", ec2.associate_dhcp_options, DhcpOptionsId=foreign,
            VpcId=vpc)


def test_deletion_waits_for_the_last_vpc(world, ec2, options):
    made = create(ec2, domain_name=["example.org"])["DhcpOptionsId"]
    vpcs = [world.vpc(f"10.{number}.0.0/16") for number in (1, 2)]
    for vpc in vpcs:
        ec2.associate_dhcp_options(DhcpOptionsId=made, VpcId=vpc)
    refused("DependencyViolation", ec2.delete_dhcp_options, DhcpOptionsId=made,
            text=f"The dhcpOptions '{made}' has dependencies and cannot be deleted.")
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpcs[0])
    refused("DependencyViolation", ec2.delete_dhcp_options, DhcpOptionsId=made)
    ec2.delete_vpc(VpcId=vpcs[1])
    assert configured(read(ec2, made)) == [("domain-name", ["example.org"])]  # it outlives the VPC
    ec2.delete_dhcp_options(DhcpOptionsId=made)
    ec2.delete_vpc(VpcId=vpcs[0])


def test_new_vpcs_get_the_default_set(world, ec2):
    """Which is made anew once nobody has it and it was deleted."""
    with_default = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    given, home = with_default[0]["DhcpOptionsId"], with_default[0]["VpcId"]
    refused("DependencyViolation", ec2.delete_dhcp_options, DhcpOptionsId=given)
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=home)
    ec2.delete_dhcp_options(DhcpOptionsId=given)
    assert given not in names(ec2.describe_dhcp_options()["DhcpOptions"], "DhcpOptionsId")
    assert names(ec2.describe_vpcs()["Vpcs"], "VpcId") == [home]  # nothing else comes back
    vpc = world.vpc("10.3.0.0/16")
    fresh = read(ec2, of_vpc(ec2, vpc))
    assert fresh["DhcpOptionsId"] != given
    assert configured(fresh) == [("domain-name", ["ec2.internal"]),
                                 ("domain-name-servers", ["AmazonProvidedDNS"])]
    ec2.associate_dhcp_options(DhcpOptionsId=fresh["DhcpOptionsId"], VpcId=home)
    ec2.delete_vpc(VpcId=vpc)


def test_a_restart_keeps_them(own_world):
    ec2 = own_world.ec2
    made = create(ec2, domain_name=["example.com"], ntp_servers=["10.0.0.1", "10.0.0.2"])
    vpcs = [own_world.vpc(f"10.{number}.0.0/16") for number in (1, 2)]
    for vpc, identifier in zip(vpcs, (made["DhcpOptionsId"], "default")):
        ec2.associate_dhcp_options(DhcpOptionsId=identifier, VpcId=vpc)
    own_world.restart()
    ec2 = own_world.ec2
    assert read(ec2, made["DhcpOptionsId"]) == made
    assert [of_vpc(ec2, vpc) for vpc in vpcs] == [made["DhcpOptionsId"], "default"]


def test_by_the_aws_cli(world):
    made = world.aws("ec2", "create-dhcp-options", "--dhcp-configurations",
                     "Key=domain-name-servers,Values=10.2.5.1,10.2.5.2",
                     "Key=domain-name,Values=example.com")["DhcpOptions"]
    assert configured(made) == [("domain-name", ["example.com"]),
                                ("domain-name-servers", SERVERS)]
    world.ec2.delete_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"])
