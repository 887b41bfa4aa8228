"""IPv6 blocks as records: what shows them, and that whatever would need IPv6 packets is refused."""
import ipaddress
import re

import pytest

import wire
from conformance import demand
from lib import IMAGE, names, refused, table_of, tags, vpc_of

ANY, ANY6 = "0.0.0.0/0", "::/0"
NOT_YET = "IPv6 packets are not forwarded yet: "
LAUNCH = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def vpc(world):
    """With an IPv6 block."""
    return world.vpc("10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True)


@pytest.fixture
def plain(world):
    """Without."""
    return world.vpc("10.2.0.0/16")


def not_yet(call, *args, text=None, **kwargs):
    """Refused by the one line that says so; `text`: its end."""
    found = refused("UnsupportedOperation", call, *args, **kwargs)
    assert found.message.startswith(NOT_YET) and found.message.endswith(text or ""), found


def blocks(ec2, vpc):
    return vpc_of(ec2, vpc)["Ipv6CidrBlockAssociationSet"]


def block(ec2, vpc):
    return ipaddress.ip_network(blocks(ec2, vpc)[0]["Ipv6CidrBlock"])


def part(ec2, vpc, number=0):
    """The n-th /64 of the VPC."""
    return str(list(block(ec2, vpc).subnets(new_prefix=64))[number])


def associate(ec2, vpc):
    return ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)


def subnet_of(ec2, subnet):
    return ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]


def of(call, members, vpc, **more):
    return call(Filters=[{"Name": "vpc-id", "Values": [vpc]}, *(
        {"Name": name.replace("_", "-"), "Values": [value]} for name, value in more.items())])[
            members]


# VPCs.

def test_a_vpc_with_a_block(ec2, vpc):
    found, = blocks(ec2, vpc)
    demand(found, ["AssociationId", "Ipv6CidrBlock", ("Ipv6CidrBlockState", ["State"]),
                   "NetworkBorderGroup", "Ipv6Pool"])
    assert re.fullmatch("vpc-cidr-assoc-[0-9a-f]{17}", found["AssociationId"])
    assert found["Ipv6CidrBlockState"] == {"State": "associated"}
    assert found["Ipv6Pool"] == "Amazon" and found["NetworkBorderGroup"] == "us-east-1"
    network = ipaddress.ip_network(found["Ipv6CidrBlock"])
    assert network.prefixlen == 56
    assert network.subnet_of(ipaddress.ip_network("2001:db8::/32"))
    assert names(vpc_of(ec2, vpc)["CidrBlockAssociationSet"], "CidrBlock") == ["10.1.0.0/16"]


def test_the_reply_of_create_vpc(ec2):
    made = ec2.create_vpc(CidrBlock="10.3.0.0/16", AmazonProvidedIpv6CidrBlock=True,
                          Ipv6CidrBlockNetworkBorderGroup="us-east-1")["Vpc"]
    assert made["Ipv6CidrBlockAssociationSet"] == blocks(ec2, made["VpcId"])
    plain = ec2.create_vpc(CidrBlock="10.4.0.0/16", AmazonProvidedIpv6CidrBlock=False)["Vpc"]
    assert blocks(ec2, plain["VpcId"]) == []


def test_a_block_comes_and_goes(ec2, plain):
    reply = associate(ec2, plain)
    assert reply["VpcId"] == plain and "CidrBlockAssociation" not in reply
    made = reply["Ipv6CidrBlockAssociation"]
    assert made["Ipv6CidrBlockState"] == {"State": "associating"}
    assert blocks(ec2, plain) == [{**made, "Ipv6CidrBlockState": {"State": "associated"}}]
    reply = ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])
    assert reply["VpcId"] == plain and "CidrBlockAssociation" not in reply
    assert reply["Ipv6CidrBlockAssociation"] == {
        **made, "Ipv6CidrBlockState": {"State": "disassociating"}}
    assert blocks(ec2, plain) == []
    refused("InvalidVpcCidrBlockAssociationID.NotFound", ec2.disassociate_vpc_cidr_block,
            AssociationId=made["AssociationId"])


def test_five_different_ones(ec2, vpc, plain):
    for _ in range(4):
        associate(ec2, vpc)
    found = names(blocks(ec2, vpc), "Ipv6CidrBlock") + [
        associate(ec2, plain)["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"]]
    assert len(set(found)) == 6
    refused("CidrLimitExceeded", ec2.associate_vpc_cidr_block, VpcId=vpc,
            AmazonProvidedIpv6CidrBlock=True,
            text=f"This network '{vpc}' has met its maximum number of allowed CIDRs: 5")
    # those of IPv4 are counted apart
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.7.0.0/16")


def test_refused_associations(ec2, vpc):
    call = ec2.associate_vpc_cidr_block
    refused("InvalidParameterCombination", call, VpcId=vpc, AmazonProvidedIpv6CidrBlock=True,
            CidrBlock="10.7.0.0/16")
    refused("MissingParameter", call, VpcId=vpc, AmazonProvidedIpv6CidrBlock=False)
    refused("InvalidParameterValue", call, VpcId=vpc, AmazonProvidedIpv6CidrBlock=True,
            Ipv6CidrBlockNetworkBorderGroup="us-east-1-wl1-bos-wlz-1",
            text="Value (us-east-1-wl1-bos-wlz-1) for parameter ipv6CidrBlockNetworkBorderGroup "
                 "is invalid.")
    for parameter, value in (("Ipv6CidrBlock", "2001:db8::/56"), ("Ipv6Pool", "mine"),
                             ("Ipv6IpamPoolId", "ipam-pool-0fedcba9876543210"),
                             ("Ipv6NetmaskLength", 56)):
        for verb, more in ((call, {"VpcId": vpc}), (ec2.create_vpc, {"CidrBlock": "10.9.0.0/16"})):
            refused("UnsupportedOperation", verb, **more, **{parameter: value},
                    text=f"The parameter {parameter} is not supported.")
    assert len(blocks(ec2, vpc)) == 1


def test_a_block_with_a_subnet_stays(world, ec2, vpc):
    found, = blocks(ec2, vpc)
    subnet = world.subnet(vpc, "10.1.1.0/24", Ipv6CidrBlock=part(ec2, vpc))
    refused("InvalidCidrBlock.InUse", ec2.disassociate_vpc_cidr_block,
            AssociationId=found["AssociationId"],
            text=f"The vpc {vpc} currently has a subnet within CIDR block {found['Ipv6CidrBlock']}")
    association, = subnet_of(ec2, subnet)["Ipv6CidrBlockAssociationSet"]
    ec2.disassociate_subnet_cidr_block(AssociationId=association["AssociationId"])
    ec2.disassociate_vpc_cidr_block(AssociationId=found["AssociationId"])
    assert subnet_of(ec2, subnet)["CidrBlock"] == "10.1.1.0/24"


# What comes with a VPC's block.

def entries(ec2, acl):
    found, = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    return sorted((entry["Egress"], entry["RuleNumber"], entry["RuleAction"],
                   entry.get("CidrBlock", entry.get("Ipv6CidrBlock"))) for entry in found["Entries"])


def default_acl(ec2, vpc):
    found, = of(ec2.describe_network_acls, "NetworkAcls", vpc, default="true")
    return found["NetworkAclId"]


IPV4_ALLOWED, IPV4_DENIED = (100, "allow", ANY), (32767, "deny", ANY)
IPV6_ALLOWED, IPV6_DENIED = (101, "allow", ANY6), (32768, "deny", ANY6)
BOTH_ALLOWED = [IPV4_ALLOWED, IPV6_ALLOWED, IPV4_DENIED, IPV6_DENIED]


def in_both_directions(*rules):
    return [(egress, *rule) for egress in (False, True) for rule in rules]


def test_acls(ec2, vpc, plain):
    assert entries(ec2, default_acl(ec2, vpc)) == in_both_directions(*BOTH_ALLOWED)
    own = {of_vpc: ec2.create_network_acl(VpcId=of_vpc)["NetworkAcl"]["NetworkAclId"]
           for of_vpc in (vpc, plain)}
    assert entries(ec2, own[vpc]) == in_both_directions(IPV4_DENIED, IPV6_DENIED)
    assert entries(ec2, own[plain]) == in_both_directions(IPV4_DENIED)
    associate(ec2, plain)
    assert entries(ec2, own[plain]) == in_both_directions(IPV4_DENIED, IPV6_DENIED)
    assert entries(ec2, default_acl(ec2, plain)) == in_both_directions(*BOTH_ALLOWED)
    associate(ec2, plain)  # a second one changes nothing more
    assert entries(ec2, default_acl(ec2, plain)) == in_both_directions(*BOTH_ALLOWED)
    for number in (32767, 32768):
        refused("InvalidParameterValue", ec2.delete_network_acl_entry, RuleNumber=number,
                NetworkAclId=own[vpc], Egress=True)


@pytest.mark.parametrize("change", ["added", "removed", "replaced"])
def test_a_direction_that_was_changed_gets_no_allow(ec2, plain, change):
    acl = default_acl(ec2, plain)
    if change == "added":
        ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=50, Egress=True, Protocol="-1",
                                     RuleAction="deny", CidrBlock="192.0.2.0/24")
    elif change == "removed":
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=True)
    else:
        ec2.replace_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=True, Protocol="-1",
                                      RuleAction="deny", CidrBlock=ANY)
    before = [entry for entry in entries(ec2, acl) if entry[0]]
    associate(ec2, plain)
    found = entries(ec2, acl)
    assert [entry for entry in found if not entry[0]] == [(False, *rule) for rule in BOTH_ALLOWED]
    assert [entry for entry in found if entry[0]] == before + [(True, *IPV6_DENIED)]


def egress(ec2, group):
    found, = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return sorted((entry["IpProtocol"], address) for entry in found["IpPermissionsEgress"]
                  for address in names(entry["IpRanges"], "CidrIp") +
                  names(entry["Ipv6Ranges"], "CidrIpv6"))


def test_groups(world, ec2, vpc, plain):
    both = [("-1", ANY), ("-1", ANY6)]
    assert egress(ec2, world.default_group(vpc)) == both
    assert egress(ec2, world.security_group(vpc)) == both
    own = world.security_group(plain)
    assert egress(ec2, own) == egress(ec2, world.default_group(plain)) == both[:1]
    associate(ec2, plain)
    assert egress(ec2, world.default_group(plain)) == both
    assert egress(ec2, own) == both[:1]
    # as Terraform takes both away
    group = world.default_group(plain)
    for ranges in ({"IpRanges": [{"CidrIp": ANY}]}, {"Ipv6Ranges": [{"CidrIpv6": ANY6}]}):
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[
            {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, **ranges}])
    assert egress(ec2, group) == []
    associate(ec2, plain)  # not the first one: nothing comes back
    assert egress(ec2, group) == []


def test_a_default_group_that_was_changed_stays(world, ec2, plain):
    group = world.default_group(plain)
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": ANY}]}])
    associate(ec2, plain)
    assert egress(ec2, group) == [("-1", ANY), ("tcp", ANY)]


def routes(ec2, table):
    return table_of(ec2, table)["Routes"]


def test_local_routes(world, ec2, vpc, plain):
    local = {"GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
    six = {"DestinationIpv6CidrBlock": str(block(ec2, vpc)), **local}
    main, own = world.main_table(vpc)["RouteTableId"], world.route_table(vpc)
    for table in (main, own):
        assert routes(ec2, table) == [{"DestinationCidrBlock": "10.1.0.0/16", **local}, six]
    refused("InvalidParameterValue", ec2.delete_route, RouteTableId=own,
            DestinationIpv6CidrBlock=str(block(ec2, vpc)),
            text=f"cannot remove local route {block(ec2, vpc)} in route table {own}")
    found = of(ec2.describe_route_tables, "RouteTables", vpc,
               **{"route.destination-ipv6-cidr-block": str(block(ec2, vpc))})
    assert {table["RouteTableId"] for table in found} == {main, own}
    ec2.disassociate_vpc_cidr_block(AssociationId=blocks(ec2, vpc)[0]["AssociationId"])
    for table in (main, own):
        assert routes(ec2, table) == [{"DestinationCidrBlock": "10.1.0.0/16", **local}]
    # an IPv4 block's comes behind those that are there
    associate(ec2, plain)
    ec2.associate_vpc_cidr_block(VpcId=plain, CidrBlock="10.3.0.0/16")
    table = world.main_table(plain)["RouteTableId"]
    assert [route.get("DestinationCidrBlock") for route in routes(ec2, table)] == [
        "10.2.0.0/16", None, "10.3.0.0/16"]


def test_peerings_show_them(world, ec2, vpc, plain):
    peering = world.peering(vpc, plain)
    found, = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering])[
        "VpcPeeringConnections"]
    assert found["RequesterVpcInfo"]["Ipv6CidrBlockSet"] == [
        {"Ipv6CidrBlock": str(block(ec2, vpc))}]
    assert found["AccepterVpcInfo"].get("Ipv6CidrBlockSet", []) == []


# Subnets.

def test_a_subnet_with_a_block(world, ec2, vpc):
    wanted = part(ec2, vpc, 1)
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24", Ipv6CidrBlock=wanted)["Subnet"]
    found, = made["Ipv6CidrBlockAssociationSet"]
    assert re.fullmatch("subnet-cidr-assoc-[0-9a-f]{17}", found["AssociationId"])
    assert found["Ipv6CidrBlock"] == wanted
    described = subnet_of(ec2, made["SubnetId"])
    assert described["Ipv6CidrBlockAssociationSet"] == [
        {**found, "Ipv6CidrBlockState": {"State": "associated"}}]
    for name, value in (("ipv6-cidr-block", wanted), ("association-id", found["AssociationId"]),
                        ("state", "associated")):
        assert names(of(ec2.describe_subnets, "Subnets", vpc,
                        **{f"ipv6-cidr-block-association.{name}": value}), "SubnetId") == [
                            made["SubnetId"]]


def test_a_subnets_block_comes_and_goes(world, ec2, vpc):
    subnet = world.subnet(vpc, "10.1.1.0/24")
    assert subnet_of(ec2, subnet)["Ipv6CidrBlockAssociationSet"] == []
    first, second = part(ec2, vpc, 0), part(ec2, vpc, 255)
    reply = ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=first)
    assert reply["SubnetId"] == subnet
    made = reply["Ipv6CidrBlockAssociation"]
    assert made["Ipv6CidrBlockState"] == {"State": "associating"}
    assert made["Ipv6CidrBlock"] == first
    assert subnet_of(ec2, subnet)["Ipv6CidrBlockAssociationSet"] == [
        {**made, "Ipv6CidrBlockState": {"State": "associated"}}]
    refused("CidrLimitExceeded", ec2.associate_subnet_cidr_block, SubnetId=subnet,
            Ipv6CidrBlock=second)
    reply = ec2.disassociate_subnet_cidr_block(AssociationId=made["AssociationId"])
    assert reply["SubnetId"] == subnet
    assert reply["Ipv6CidrBlockAssociation"]["Ipv6CidrBlockState"] == {"State": "disassociating"}
    assert subnet_of(ec2, subnet)["Ipv6CidrBlockAssociationSet"] == []
    refused("InvalidSubnetCidrBlockAssociationID.NotFound", ec2.disassociate_subnet_cidr_block,
            AssociationId=made["AssociationId"],
            text=f"The subnet CIDR block with association ID {made['AssociationId']} does not "
                 "exist")
    ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=second)


def test_refused_blocks_of_subnets(world, ec2, vpc, plain):
    used = part(ec2, vpc, 0)
    world.subnet(vpc, "10.1.1.0/24", Ipv6CidrBlock=used)
    subnet, elsewhere = world.subnet(vpc, "10.1.2.0/24"), world.subnet(plain, "10.2.1.0/24")
    for cidr, code, text in (
            ("2001:db8::/64", "InvalidSubnet.Range", "The CIDR '2001:db8::/64' is invalid."),
            (str(block(ec2, vpc)), "InvalidSubnet.Range", None),
            (used.replace("/64", "/80"), "InvalidSubnet.Range", None),
            (used, "InvalidSubnet.Conflict", f"The CIDR '{used}' conflicts with another subnet"),
            ("banana", "InvalidParameterValue", "Value (banana) for parameter ipv6CidrBlock is "
             "invalid. This is not a valid CIDR block."),
            ("10.1.3.0/24", "InvalidParameterValue", None)):
        refused(code, ec2.associate_subnet_cidr_block, SubnetId=subnet, Ipv6CidrBlock=cidr,
                text=text)
        refused(code, ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.3.0/24", Ipv6CidrBlock=cidr,
                text=text)
    refused("InvalidSubnet.Range", ec2.associate_subnet_cidr_block, SubnetId=elsewhere,
            Ipv6CidrBlock=part(ec2, vpc, 5))
    call = "AssociateSubnetCidrBlock"
    assert wire.call(world, call, SubnetId=subnet).code == "MissingParameter"
    assert wire.call(world, call, SubnetId=subnet, Ipv6IpamPoolId="ipam-pool-0fedcba9876543210",
                     Ipv6NetmaskLength="64").code == "UnsupportedOperation"
    refused("InvalidSubnetID.NotFound", ec2.associate_subnet_cidr_block,
            SubnetId="subnet-0fedcba9876543210", Ipv6CidrBlock=used)
    refused("InvalidSubnetCidrBlockAssociationId.Malformed", ec2.disassociate_subnet_cidr_block,
            AssociationId="banana",
            text="The subnet CIDR block with association ID banana is malformed")
    assert len(of(ec2.describe_subnets, "Subnets", vpc)) == 2


def test_subnets_without_ipv4(ec2, vpc):
    six = part(ec2, vpc)
    refused("InvalidParameterCombination", ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.1.0/24",
            Ipv6Native=True, Ipv6CidrBlock=six,
            text="When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set "
                 "ipv6Native to true.")
    refused("MissingParameter", ec2.create_subnet, VpcId=vpc, Ipv6Native=True,
            text="Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.")
    not_yet(ec2.create_subnet, VpcId=vpc, Ipv6Native=True, Ipv6CidrBlock=six)


ATTRIBUTES = {
    "AssignIpv6AddressOnCreation": ("assign-ipv6-address-on-creation",
                                    lambda found: found["AssignIpv6AddressOnCreation"]),
    "EnableDns64": ("enable-dns64", lambda found: found["EnableDns64"]),
    "EnableResourceNameDnsAAAARecordOnLaunch": (
        "enable-resource-name-dns-aaaa-record-on-launch",
        lambda found: found["PrivateDnsNameOptionsOnLaunch"]["EnableResourceNameDnsAAAARecord"]),
}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_attributes_need_a_block(world, ec2, vpc, attribute):
    name, shown = ATTRIBUTES[attribute]
    subnet = world.subnet(vpc, "10.1.1.0/24")

    def set_to(value):
        return {"SubnetId": subnet, attribute: {"Value": value}}
    ec2.modify_subnet_attribute(**set_to(False))
    refused("InvalidParameterValue", ec2.modify_subnet_attribute, **set_to(True),
            text=f"Invalid value 'true' for {name}. Cannot set {name} to true unless the subnet "
                 f"({subnet}) has an IPv6 CIDR block associated with it.")
    assert shown(subnet_of(ec2, subnet)) is False
    association = ec2.associate_subnet_cidr_block(
        SubnetId=subnet, Ipv6CidrBlock=part(ec2, vpc))["Ipv6CidrBlockAssociation"]["AssociationId"]
    ec2.modify_subnet_attribute(**set_to(True))
    found = subnet_of(ec2, subnet)
    assert [show(found) for _, show in ATTRIBUTES.values()] == [
        other == attribute for other in ATTRIBUTES]
    refused("InvalidCidrBlock.InUse", ec2.disassociate_subnet_cidr_block, AssociationId=association,
            text=f"The subnet IPv6 CIDR block with association ID {association} may not be "
                 f"disassociated, because its subnet has {name} set to true.")
    ec2.modify_subnet_attribute(**set_to(False))
    ec2.disassociate_subnet_cidr_block(AssociationId=association)
    ec2.delete_subnet(SubnetId=subnet)


# What would need IPv6 packets.

def test_routes(world, ec2, vpc):
    gateway, table = world.gateway(vpc), world.route_table(vpc)
    six = ec2.create_managed_prefix_list(PrefixListName="six", MaxEntries=1, AddressFamily="IPv6")[
        "PrefixList"]["PrefixListId"]
    local = str(block(ec2, vpc))
    before = routes(ec2, table)
    for wanted in (ANY6, "2001:db8:ffff::/48", part(ec2, vpc)):
        for call in (ec2.create_route, ec2.replace_route):
            if call == ec2.replace_route:
                refused("InvalidParameterValue", call, RouteTableId=table, GatewayId=gateway,
                        DestinationIpv6CidrBlock=wanted,
                        text=f"There is no route defined for '{wanted}' in the route table. Use "
                             "CreateRoute instead.")
            else:
                not_yet(call, RouteTableId=table, DestinationIpv6CidrBlock=wanted,
                        GatewayId=gateway, text=f"a route can't lead to the destination {wanted}")
    not_yet(ec2.create_route, RouteTableId=table, DestinationPrefixListId=six, GatewayId=gateway,
            text=f"a route can't lead to the destination {six}")
    refused("RouteAlreadyExists", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationIpv6CidrBlock=local)
    interface = ec2.create_network_interface(SubnetId=world.subnet(vpc, "10.1.1.0/24"))[
        "NetworkInterface"]["NetworkInterfaceId"]
    not_yet(ec2.replace_route, RouteTableId=table, DestinationIpv6CidrBlock=local,
            NetworkInterfaceId=interface)
    refused("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table,
            DestinationIpv6CidrBlock=ANY6,
            text=f"no route with destination-ipv6-cidr-block ::/0 in route table {table}")
    refused("InvalidParameterValue", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationIpv6CidrBlock=ANY)
    refused("InvalidParameterCombination", ec2.create_route, RouteTableId=table, GatewayId=gateway,
            DestinationIpv6CidrBlock=ANY6, DestinationCidrBlock=ANY)
    assert routes(ec2, table) == before


@pytest.mark.parametrize("name, value", [
    ("Ipv6AddressCount", 1), ("Ipv6Addresses", [{"Ipv6Address": "2001:db8::1"}])])
def test_launches_and_interfaces(world, ec2, vpc, name, value):
    subnet = world.subnet(vpc, "10.1.1.0/24", Ipv6CidrBlock=part(ec2, vpc))
    plain_name = "Ipv6Address" if name == "Ipv6Addresses" else name
    not_yet(ec2.run_instances, **LAUNCH, SubnetId=subnet, **{name: value},
            text=f"the parameter {plain_name} can't be honoured")
    not_yet(ec2.run_instances, **LAUNCH, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet, name: value}],
            text=f"the parameter NetworkInterface.1.{name} can't be honoured")
    not_yet(ec2.create_network_interface, SubnetId=subnet, **{name: value},
            text=f"the parameter {name} can't be honoured")
    assert of(ec2.describe_network_interfaces, "NetworkInterfaces", vpc) == []


def test_no_addresses_later(world, ec2, vpc):
    subnet = world.subnet(vpc, "10.1.1.0/24", Ipv6CidrBlock=part(ec2, vpc))
    interface = ec2.create_network_interface(SubnetId=subnet, Ipv6AddressCount=0)[
        "NetworkInterface"]["NetworkInterfaceId"]
    not_yet(ec2.assign_ipv6_addresses, NetworkInterfaceId=interface, Ipv6AddressCount=1,
            text=f"the network interface '{interface}' can't have IPv6 addresses")
    refused("InvalidNetworkInterfaceID.NotFound", ec2.assign_ipv6_addresses,
            NetworkInterfaceId="eni-0fedcba9876543210", Ipv6AddressCount=1)
    error = wire.call(world, "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface,
                      EnablePrimaryIpv6="true")
    assert error.code == "UnsupportedOperation"


def test_a_subnet_that_assigns(world, ec2, vpc):
    """Refused by name; a count of zero overrides the subnet, as in AWS."""
    subnet = world.subnet(vpc, "10.1.1.0/24", Ipv6CidrBlock=part(ec2, vpc))
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    text = f"the subnet '{subnet}' assigns IPv6 addresses on creation"
    not_yet(ec2.run_instances, **LAUNCH, SubnetId=subnet, text=text)
    not_yet(ec2.run_instances, **LAUNCH, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet}], text=text)
    not_yet(ec2.create_network_interface, SubnetId=subnet, text=text)
    made = ec2.create_network_interface(SubnetId=subnet, Ipv6AddressCount=0)["NetworkInterface"]
    ec2.run_instances(**LAUNCH, SubnetId=subnet, Ipv6AddressCount=0)
    ec2.run_instances(**LAUNCH, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet, "Ipv6AddressCount": 0}])
    assert len(of(ec2.describe_network_interfaces, "NetworkInterfaces", vpc)) == 3
    assert made["Ipv6Addresses"] == []
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": False})
    ec2.run_instances(**LAUNCH, SubnetId=subnet)


def test_a_gateways_table(world, ec2, vpc):
    """The local route of the VPC's block is no route to somewhere else."""
    gateway = world.gateway(vpc)
    table = world.route_table(vpc)
    ec2.associate_route_table(RouteTableId=table, GatewayId=gateway)
    world.delete_table(table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


# IPv4 goes on as it was.

def test_packets_of_ipv4(world, ec2, vpc):
    """With rules, entries and routes of IPv6 about, before and after a restart."""
    one, two = (world.run_instances(world.subnet(vpc, f"10.1.{number}.0/24",
                                                 Ipv6CidrBlock=part(ec2, vpc, number)),
                                    address=f"10.1.{number}.10")[0] for number in (1, 2))
    world.assert_reaches(one, "10.1.2.10")
    associate(ec2, vpc)
    ec2.create_tags(Resources=[vpc], Tags=tags(Name="six"))
    world.assert_reaches(two, "10.1.1.10")
    before = vpc_of(ec2, vpc), of(ec2.describe_subnets, "Subnets", vpc), world.main_table(vpc)
    world.restart()
    ec2 = world.ec2
    assert (vpc_of(ec2, vpc), of(ec2.describe_subnets, "Subnets", vpc),
            world.main_table(vpc)) == before
    world.assert_reaches(one, "10.1.2.10")
