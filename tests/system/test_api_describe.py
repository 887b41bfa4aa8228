"""What every Describe call has in common: ids, filters, wildcards, tags, pages, DryRun."""
import re

import pytest
from botocore.exceptions import ClientError

import describes
from lib import IMAGE, Error, refused, tag_specification, wait_for

COUNT = 6
ADDRESS_COUNT = 5  # AWS's quota
VPC_COUNT = 4  # and the default one: AWS's quota, of gateways too


def many(describe):
    return pytest.param(describe, id=describe.call)


EVERY = pytest.mark.parametrize("describe", [many(entry) for entry in describes.ALL])
PAGED = pytest.mark.parametrize("describe", [
    many(entry) for entry in describes.ALL if entry.paged])
TAGGED = pytest.mark.parametrize("describe", [
    many(entry) for entry in describes.ALL[:5]])


def of_acl(client, acl, number):
    """An entry of each form."""
    common = {"NetworkAclId": acl, "RuleAction": "allow", "Egress": False}
    client.create_network_acl_entry(RuleNumber=1 + number, Protocol="6", CidrBlock="10.0.0.0/8",
                                    PortRange={"From": number, "To": 80 + number}, **common)
    client.create_network_acl_entry(RuleNumber=11 + number, Protocol="1", CidrBlock="0.0.0.0/0",
                                    IcmpTypeCode={"Type": 3, "Code": number}, **common)
    client.create_network_acl_entry(RuleNumber=21 + number, Protocol="17",
                                    Ipv6CidrBlock=f"2001:db8:{number}::/48",
                                    PortRange={"From": 53, "To": 53}, **common)


def peer(world, vpcs, table):
    """A connection between every two VPCs, in several states; a route leads to the first."""
    made = [world.peering(one, other, accept=False, TagSpecifications=tag_specification(
        "vpc-peering-connection", Name=f"{one}-{other}"))
        for number, one in enumerate(vpcs) for other in vpcs[number + 1:]]
    for verb, which in ((world.ec2.accept_vpc_peering_connection, made[:2] + made[4:]),
                        (world.ec2.reject_vpc_peering_connection, made[2:3]),
                        (world.ec2.delete_vpc_peering_connection, made[4:5])):
        for peering in which:
            verb(VpcPeeringConnectionId=peering)
    world.ec2.create_route(RouteTableId=table, DestinationCidrBlock="192.168.0.0/24",
                           VpcPeeringConnectionId=made[0])


# Names of VPCs and subnets that AWS takes beside those it documents; Terraform uses some.
UNDOCUMENTED = {"isDefault", "dhcpOptionsId", "cidrBlock", "cidr-block", "cidr",
                "availabilityZone", "availabilityZoneId", "defaultForAz"}


@pytest.fixture(scope="module")
def ec2(world):
    """A region with six of everything, tagged, and the default VPC beside."""
    client, vpcs = world.ec2, []
    for number in range(COUNT):
        def tagged(kind, number=number):
            return {"TagSpecifications": tag_specification(
                kind, Name=f"{kind}-{number}", Suite="odd" if number % 2 else "even")}
        if number < VPC_COUNT:
            vpcs.append(client.create_vpc(CidrBlock=f"10.{number}.0.0/16",
                                          AmazonProvidedIpv6CidrBlock=number < 3,
                                          **tagged("vpc"))["Vpc"]["VpcId"])
            gateway = client.create_internet_gateway(
                **tagged("internet-gateway"))["InternetGateway"]["InternetGatewayId"]
        vpc = vpcs[number % VPC_COUNT]
        if number < VPC_COUNT:
            group = client.create_security_group(
                GroupName=f"group-{number}", Description="x", VpcId=vpc,
                **tagged("security-group"))["GroupId"]
            for authorize in (client.authorize_security_group_ingress,
                              client.authorize_security_group_egress):
                authorize(GroupId=group, IpPermissions=[{
                    "IpProtocol": "tcp", "FromPort": 100 * number, "ToPort": 100 * number + 9,
                    "IpRanges": [{"CidrIp": f"10.{number}.0.0/16"}],
                    "Ipv6Ranges": [{"CidrIpv6": f"2001:db8:{number}::/48"}],
                    "UserIdGroupPairs": [{"GroupId": group}]}])
        subnet = client.create_subnet(
            VpcId=vpc, CidrBlock=f"10.{number % VPC_COUNT}.{number}.0/24", **tagged("subnet"),
            AvailabilityZone="us-east-1" + "abc"[number % 3])["Subnet"]["SubnetId"]
        if number < 2:
            block, = client.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
            client.associate_subnet_cidr_block(
                SubnetId=subnet, Ipv6CidrBlock=block["Ipv6CidrBlock"].replace("/56", "/64"))
        table = client.create_route_table(
            VpcId=vpc, **tagged("route-table"))["RouteTable"]["RouteTableId"]
        acl = client.create_network_acl(
            VpcId=vpc, **tagged("network-acl"))["NetworkAcl"]["NetworkAclId"]
        of_acl(client, acl, number)
        prefixes = client.create_managed_prefix_list(
            PrefixListName=f"list-{number}", MaxEntries=1, AddressFamily="IPv4",
            **tagged("prefix-list"))["PrefixList"]["PrefixListId"]
        client.create_dhcp_options(**tagged("dhcp-options"), DhcpConfigurations=[
            {"Key": "domain-name", "Values": [f"domain-{number}.example"]},
            {"Key": "ntp-servers", "Values": [f"10.0.0.{number}", "10.0.0.99"]}])
        if number < 3:
            client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
            client.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0",
                                GatewayId=gateway)
            client.create_route(RouteTableId=table, DestinationPrefixListId=prefixes,
                                GatewayId=gateway)
            client.associate_route_table(RouteTableId=table, SubnetId=subnet)
        client.create_key_pair(KeyName=f"key-{number}", KeyType="ed25519", **tagged("key-pair"))
        launched = client.run_instances(
            ImageId=IMAGE, InstanceType="t3.micro" if number % 2 else "t3.small", MinCount=1,
            MaxCount=1, KeyName=f"key-{number}", **tagged("instance"), NetworkInterfaces=[{
                "DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": number < 3}])
        instance = launched["Instances"][0]["InstanceId"]
        client.create_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24",
                            InstanceId=instance)
        volume = client.create_volume(
            AvailabilityZone="us-east-1" + "abc"[number % 3], Size=10 + number,
            VolumeType=("gp2", "gp3", "standard")[number % 3], Encrypted=number > 3,
            **tagged("volume"))["VolumeId"]
        if number < 3:
            client.attach_volume(VolumeId=volume, InstanceId=instance, Device=f"/dev/sd{'fgh'[number]}")
        if number < ADDRESS_COUNT:
            address = client.allocate_address(**tagged("elastic-ip"))["AllocationId"]
        if number < 2:
            client.associate_address(
                AllocationId=address, NetworkInterfaceId=launched["Instances"][0][
                    "NetworkInterfaces"][0]["NetworkInterfaceId"])
        nat = client.create_nat_gateway(SubnetId=subnet, ConnectivityType="private",
                                        **tagged("natgateway"))["NatGateway"]["NatGatewayId"]
        client.create_route(RouteTableId=table, DestinationCidrBlock="198.51.100.0/24",
                            NatGatewayId=nat)
    peer(world, vpcs, world.main_table(vpcs[0])["RouteTableId"])
    wait_for(lambda: {entry["State"]["Name"] for entry in describes.INSTANCES.all(client)} ==
             {"running"}, 20, "all instances running")
    return client


@EVERY
def test_by_ids(ec2, describe):
    everything = sorted(describe.ids(ec2))
    assert len(everything) > VPC_COUNT
    some = everything[:2]
    assert describe.ids(ec2, **{describe.parameter: some}) == set(some)
    assert describe.ids(ec2, **{describe.parameter: [some[0], some[0]]}) == {some[0]}


@EVERY
def test_ids_have_the_shape_of_aws(ec2, describe):
    for identifier in describe.ids(ec2):
        assert re.fullmatch(describe.prefix + "-[0-9a-f]{17}", identifier)


@EVERY
def test_unknown_id(ec2, describe):
    missing = describe.prefix + "-0fedcba9876543210"
    refused(describe.not_found, getattr(ec2, describe.call), **{describe.parameter: [missing]},
            text=describe.text.format(missing))


@EVERY
def test_one_unknown_id_fails_the_whole_call(ec2, describe):
    known = sorted(describe.ids(ec2))[0]
    refused(describe.not_found, getattr(ec2, describe.call),
            **{describe.parameter: [known, describe.prefix + "-0fedcba9876543210"]})


@EVERY
@pytest.mark.parametrize("shape", ["{}-xyz", "{}_0123456789abcdef0", "banana", "{}-",
                                   "{}-0123456789ABCDEF0", "{}-0123456789abcdef01"])
def test_malformed_id(ec2, describe, shape):
    text = shape.format(describe.prefix)
    refused(describe.malformed, getattr(ec2, describe.call), **{describe.parameter: [text]},
            text=re.compile(re.escape(f'Invalid id: "{text}"')))


@EVERY
def test_filter_by_id_and_wildcards(ec2, describe):
    everything = describe.ids(ec2)
    one = sorted(everything)[0]

    def found(*values):
        return describe.ids(ec2, Filters=[{"Name": describe.filter, "Values": list(values)}])
    assert found(one) == {one}
    assert found(*sorted(everything)[:3]) == set(sorted(everything)[:3])  # values are ORed
    assert found(describe.prefix + "-*") == everything
    assert found("*" + one[-8:]) == {one}
    assert found(one[:-1] + "?") >= {one}
    assert found("?" * len(one)) == everything
    assert found(one[:-1]) == set()
    assert found(one + "?") == set()
    assert found(one.replace("-", "\\*", 1)) == set()  # an escaped star is a star
    assert found(one.upper()) == set()
    assert found("nothing") == set()


@EVERY
def test_every_filter_that_can_be_read_off_the_reply(ec2, describe):
    """For each value in use: exactly the resources that have it."""
    everything = describe.all(ec2)
    wrong = []
    for name, read in describe.readable.items():
        values = sorted({value for entry in everything for value in read(entry)})
        if not values and name.startswith("tag"):
            continue
        assert values, f"{name}: nothing to compare with"
        for value in values[:4]:
            wanted = {entry[describe.identifier] for entry in everything if value in read(entry)}
            try:
                found = describe.ids(ec2, Filters=[
                    {"Name": name, "Values": [value.replace("*", "\\*")]}])
            except ClientError as error:
                wrong.append(f"{name}={value}: {error}")
                break
            if found != wanted:
                wrong.append(f"{name}={value}: {sorted(found)}, not {sorted(wanted)}")
    assert not wrong, "\n".join(wrong)


@EVERY
def test_every_documented_filter_is_known(ec2, describe):
    """None that AWS has is refused; what nothing here has matches nothing."""
    unknown = []
    for name in describe.documented.split() + ["tag:Whatever"]:
        try:
            assert describe.all(ec2, Filters=[{"Name": name, "Values": ["no such value"]}]) == []
        except ClientError as error:
            unknown.append(f"{name}: {Error(error)}")
    assert not unknown, "\n".join(unknown)


@EVERY
def test_unknown_filter(ec2, describe):
    for name in ("colour", describe.filter.upper(), describe.identifier):
        refused("InvalidParameterValue", getattr(ec2, describe.call),
                Filters=[{"Name": name, "Values": ["x"]}],
                text=f"The filter '{name}' is invalid")


def names_of(describe):
    return {*describe.documented.split(), *describe.readable}


@EVERY
def test_no_other_filter_is_known(ec2, describe):
    """Neither those of other calls, nor what only begins like one of its own."""
    known = names_of(describe)
    others = {name for other in describes.ALL for name in names_of(other)}
    others |= {name.rpartition(".")[0] + ".colour" for name in known} - {".colour"}
    others |= {name + "-colour" for name in known if not name.startswith("tag:")}
    others |= {name.rpartition("-")[0] for name in known if "-" in name}
    wrong = []
    for name in sorted(others - known - {"", "tag-key"}):
        if name.startswith("tag:") or name == "tag-value" or (
                describe in (describes.VPCS, describes.SUBNETS) and name in UNDOCUMENTED):
            continue
        try:
            getattr(ec2, describe.call)(Filters=[{"Name": name, "Values": ["x"]}])
        except ClientError as error:
            assert Error(error).code == "InvalidParameterValue", error
            assert Error(error).message == f"The filter '{name}' is invalid"
        else:
            wrong.append(name)
    assert not wrong, "\n".join(wrong)


# What is in no list of resources: the filters that AWS has, with one that it doesn't have beside.
OTHERS = {
    "describe_instance_status": """availability-zone event.code event.not-before-deadline
        instance-state-code instance-state-name instance-status.status system-status.reachability
        operator.managed attached-ebs-status.status |
        tag:Name tag-key event.colour operator.colour instance-id vpc-id""",
    "describe_images": """architecture block-device-mapping.snapshot-id image-watermark.source-image-id
        product-code.type source-image-region state-reason-code tag:Name tag-key |
        block-device-mapping.status source-colour product-code.colour state-reason-colour""",
    "describe_instance_types": """instance-type ebs-info.nvme-support network-info.efa-supported
        vcpu-info.valid-cores processor-info.supported-features |
        tag:Name tag-key network-info.colour vcpu-info.colour nitro-colour ebs-info.colour""",
    "describe_availability_zones": """group-name message opt-in-status parent-zone-id state zone-type
        | tag:Name parent-zone-colour cidr-block-association.state""",
    "describe_regions": "endpoint opt-in-status region-name | tag:Name tag-key state",
    "describe_tags": "key resource-id resource-type value tag:Name | colour tags",
    "describe_prefix_lists": "prefix-list-id prefix-list-name | tag:Name owner-id",
}


@pytest.mark.parametrize("call", OTHERS)
def test_filters_of_what_is_no_resource(ec2, call):
    known, unknown = (names.split() for names in OTHERS[call].split("|"))
    for name in known:
        getattr(ec2, call)(Filters=[{"Name": name, "Values": ["no such value"]}])
    for name in unknown:
        refused("InvalidParameterValue", getattr(ec2, call),
                Filters=[{"Name": name, "Values": ["x"]}], text=f"The filter '{name}' is invalid")


@EVERY
def test_filters_are_anded(ec2, describe):
    one, other = sorted(describe.ids(ec2))[0], "nothing"
    both = [{"Name": describe.filter, "Values": [one]},
            {"Name": describe.filter, "Values": [other]}]
    assert describe.ids(ec2, Filters=both) == set()
    assert describe.ids(ec2, Filters=[both[0], both[0]]) == {one}


@EVERY
def test_ids_and_filters_together(ec2, describe):
    known = sorted(describe.ids(ec2))
    filters = [{"Name": describe.filter, "Values": [known[0]]}]
    assert describe.ids(ec2, **{describe.parameter: known[:2]}, Filters=filters) == {known[0]}


@TAGGED
def test_filters_by_tag(ec2, describe):
    kind = describe.all(ec2, Filters=[{"Name": "tag:Suite", "Values": ["even"]}])[0]["Tags"]
    name = {tag["Key"]: tag["Value"] for tag in kind}["Name"].rsplit("-", 1)[0]

    def found(key, *values):
        return {tag["Value"] for entry in
                describe.all(ec2, Filters=[{"Name": key, "Values": list(values)}])
                for tag in entry["Tags"] if tag["Key"] == "Name"}
    names = {f"{name}-{number}" for number in range(
        VPC_COUNT if name in ("vpc", "internet-gateway") else COUNT)}
    assert found("tag:Name", f"{name}-*") == names
    assert found("tag:Name", f"{name}-1", f"{name}-2") == {f"{name}-1", f"{name}-2"}
    assert found("tag:Suite", "e?en") == names & {f"{name}-{number}" for number in (0, 2, 4)}
    assert found("tag-key", "Suite") == names
    assert found("tag-key", "S*e") == names
    assert found("tag:suite", "even") == set()
    assert found("tag:Suite", "Even") == set()
    assert found("tag:Suite", "") == set()


@PAGED
def test_pages(ec2, describe):
    everything = describe.ids(ec2)
    seen, token, pages = [], {}, 0
    while True:
        reply = getattr(ec2, describe.call)(MaxResults=5, **token)
        pages += 1
        page = [entry[describe.identifier] for entry in describe.entries(reply)]
        assert 0 < len(page) <= 5
        seen += page
        if "NextToken" not in reply:
            break
        token = {"NextToken": reply["NextToken"]}
    assert len(seen) == len(set(seen)) and set(seen) == everything
    assert pages == (len(everything) + 4) // 5
    if describe in (describes.SUBNETS, describes.ROUTE_TABLES, describes.INSTANCES,
                    describes.INTERFACES):
        assert pages > 1
    assert "NextToken" not in getattr(ec2, describe.call)()


@PAGED
def test_pages_of_a_filter(ec2, describe):
    filters = [{"Name": describe.filter, "Values": sorted(describe.ids(ec2))[:COUNT]}]
    pages = ec2.get_paginator(describe.call).paginate(
        Filters=filters, PaginationConfig={"PageSize": 5})
    found = [entry[describe.identifier] for page in pages for entry in describe.entries(page)]
    assert sorted(found) == filters[0]["Values"]


@PAGED
def test_pages_exclude_ids(ec2, describe):
    refused("InvalidParameterCombination", getattr(ec2, describe.call), MaxResults=5,
            **{describe.parameter: sorted(describe.ids(ec2))[:1]})


@PAGED
def test_bad_token(ec2, describe):
    with pytest.raises(ClientError) as caught:
        getattr(ec2, describe.call)(MaxResults=5, NextToken="garbage")
    error = Error(caught.value)
    assert error.status == 400
    assert error.code in ("InvalidPaginationToken", "InvalidNextToken"), error


@EVERY
def test_dry_run(ec2, describe):
    refused("DryRunOperation", getattr(ec2, describe.call), DryRun=True, status=412,
            text="Request would have succeeded, but DryRun flag is set.")
    refused(describe.not_found, getattr(ec2, describe.call), DryRun=True,
            **{describe.parameter: [describe.prefix + "-0fedcba9876543210"]})


@EVERY
def test_order_is_stable(ec2, describe):
    first = [entry[describe.identifier] for entry in describe.all(ec2)]
    assert first == [entry[describe.identifier] for entry in describe.all(ec2)]


def test_reservations_are_filtered_too(ec2):
    reservation = ec2.describe_instances()["Reservations"][0]
    found = ec2.describe_instances(Filters=[
        {"Name": "reservation-id", "Values": [reservation["ReservationId"]]}])["Reservations"]
    assert [entry["ReservationId"] for entry in found] == [reservation["ReservationId"]]
    assert ec2.describe_instances(Filters=[
        {"Name": "owner-id", "Values": ["999999999999"]}])["Reservations"] == []


def test_several_unknown_instances_are_all_named(ec2):
    missing = ["i-0fedcba9876543210", "i-0fedcba9876543211"]
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=missing,
            text=f"The instance IDs '{', '.join(missing)}' do not exist")


def test_eight_digit_ids_are_well_formed(ec2):
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-1a2b3c4d"],
            text="The vpc ID 'vpc-1a2b3c4d' does not exist")


def test_too_many_filter_values(ec2):
    refused("FilterLimitExceeded", ec2.describe_vpcs, Filters=[
        {"Name": "vpc-id", "Values": [f"vpc-{number:017x}" for number in range(201)]}])
    most = [{"Name": "vpc-id", "Values": [f"vpc-{number:017x}" for number in range(200)]}]
    assert ec2.describe_vpcs(Filters=most)["Vpcs"] == []
