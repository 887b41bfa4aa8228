"""boto3's object interface: what its classes do, by the methods that scripts use."""
import pytest
from botocore.exceptions import ClientError

from lib import IMAGE, names, tag_specification, tags, wait_for


@pytest.fixture(scope="module")
def objects(world):
    return world.resource()


@pytest.fixture
def vpc(objects, world):
    made = objects.create_vpc(CidrBlock="10.0.0.0/16",
                              TagSpecifications=tag_specification("vpc", Name="main"))
    yield made
    world.clear()


@pytest.fixture
def subnet(vpc):
    return vpc.create_subnet(CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1a")


def ids(collection):
    return sorted(entry.id for entry in collection)


def test_vpc(objects, vpc, subnet):
    assert vpc.tags == tags(Name="main") and vpc.state in ("pending", "available")
    vpc.wait_until_exists()
    vpc.wait_until_available()
    vpc.modify_attribute(EnableDnsHostnames={"Value": True})
    assert vpc.describe_attribute(Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    tag, = vpc.create_tags(Tags=tags(Stage="test"))
    assert (tag.resource_id, tag.key, tag.value) == (vpc.id, "Stage", "test")
    vpc.reload()
    assert {entry["Key"] for entry in vpc.tags} == {"Name", "Stage"}
    tag.delete()
    assert objects.Vpc(vpc.id).tags == tags(Name="main")
    group = vpc.create_security_group(GroupName="web", Description="web")
    table, acl = vpc.create_route_table(), vpc.create_network_acl()
    assert vpc.dhcp_options.id == vpc.dhcp_options_id
    assert ids(vpc.subnets.all()) == [subnet.id] and subnet.vpc == vpc
    assert group in vpc.security_groups.filter(Filters=[
        {"Name": "group-name", "Values": ["web"]}])
    assert len(list(vpc.security_groups.all())) == len(list(vpc.route_tables.all())) == 2
    assert acl.id in ids(vpc.network_acls.all()) and table.id in ids(vpc.route_tables.all())
    with pytest.raises(ClientError) as refusal:
        vpc.delete()
    assert refusal.value.response["Error"]["Code"] == "DependencyViolation"


def test_gateway_and_routes(objects, vpc, subnet):
    gateway = objects.create_internet_gateway()
    gateway.attach_to_vpc(VpcId=vpc.id)
    assert ids(vpc.internet_gateways.all()) == [gateway.id]
    table = vpc.create_route_table()
    route = table.create_route(DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway.id)
    assert route.destination_cidr_block == "0.0.0.0/0"
    assert {entry.gateway_id for entry in objects.RouteTable(table.id).routes} == {
        "local", gateway.id}
    association = table.associate_with_subnet(SubnetId=subnet.id)
    table.reload()
    assert table.associations == [association]
    assert table.associations_attribute[0]["SubnetId"] == subnet.id
    main, = [entry for entry in vpc.route_tables.all()
             if entry.associations_attribute and entry.associations_attribute[0]["Main"]]
    association = association.replace_subnet(RouteTableId=main.id)
    association.delete()
    table.reload()
    assert [entry.origin for entry in table.routes] == ["CreateRouteTable", "CreateRoute"]
    route.replace(GatewayId=gateway.id)
    route.delete()
    table.delete()
    gateway.detach_from_vpc(VpcId=vpc.id)
    gateway.delete()
    assert gateway.id not in ids(objects.internet_gateways.all())


def test_security_group(objects, vpc):
    group = objects.create_security_group(GroupName="web", Description="web", VpcId=vpc.id)
    other = vpc.create_security_group(GroupName="db", Description="db")
    group.authorize_ingress(IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0")
    group.authorize_ingress(IpPermissions=[{
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "UserIdGroupPairs": [{"GroupId": other.id}]}])
    group.authorize_egress(IpPermissions=[{
        "IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
    group.load()
    assert sorted(entry["FromPort"] for entry in group.ip_permissions) == [22, 80]
    assert len(group.ip_permissions_egress) == 2
    group.revoke_ingress(IpPermissions=group.ip_permissions)
    group.revoke_egress(IpPermissions=group.ip_permissions_egress)
    group.reload()
    assert group.ip_permissions == group.ip_permissions_egress == []
    group.create_tags(Tags=tags(Name="g"))
    group.delete()
    with pytest.raises(ClientError) as refusal:
        group.reload()
    assert refusal.value.response["Error"]["Code"] == "InvalidGroup.NotFound"


def test_network_acl(vpc, subnet):
    acl = vpc.create_network_acl()
    acl.create_entry(Egress=False, RuleNumber=100, Protocol="-1", RuleAction="allow",
                     CidrBlock="0.0.0.0/0")
    acl.replace_entry(Egress=False, RuleNumber=100, Protocol="-1", RuleAction="deny",
                      CidrBlock="0.0.0.0/0")
    default, = [entry for entry in vpc.network_acls.all() if entry.is_default]
    association = default.associations[0]["NetworkAclAssociationId"]
    acl.replace_association(AssociationId=association)
    acl.reload()
    assert acl.associations[0]["SubnetId"] == subnet.id
    assert [entry["RuleAction"] for entry in acl.entries if entry["RuleNumber"] == 100] == ["deny"]
    default.replace_association(AssociationId=acl.associations[0]["NetworkAclAssociationId"])
    acl.delete_entry(Egress=False, RuleNumber=100)
    acl.delete()


def test_instances(objects, world, vpc, subnet):
    first, second = subnet.create_instances(ImageId=IMAGE, MinCount=2, MaxCount=2,
                                            InstanceType="t3.micro",
                                            TagSpecifications=tag_specification("instance", Name="i"))
    for instance in (first, second):
        instance.wait_until_exists()
        instance.wait_until_running()
    first.reload()
    assert first.state["Name"] == "running" and first.tags == tags(Name="i")
    assert (first.vpc, first.subnet, first.image.id) == (vpc, subnet, IMAGE)
    assert first.network_interfaces[0].private_ip_address == first.private_ip_address
    assert ids(vpc.instances.all()) == ids(subnet.instances.all()) == ids([first, second])
    running = objects.instances.filter(Filters=[
        {"Name": "instance-state-name", "Values": ["running"]}])
    assert ids(running) == ids([first, second]) and ids(running.limit(1)) != []
    assert len(list(running.page_size(5))) == 2
    assert ids(objects.instances.filter(InstanceIds=[first.id])) == [first.id]
    assert {first.id, second.id} == {entry.id for page in running.pages() for entry in page}
    first.modify_attribute(SourceDestCheck={"Value": False})
    assert first.describe_attribute(Attribute="sourceDestCheck")["SourceDestCheck"] == {
        "Value": False}
    assert list(first.volumes.all())[0].attachments[0]["InstanceId"] == first.id
    assert "InstanceId" in first.console_output()
    first.monitor()
    first.unmonitor()
    first.reboot()
    first.wait_until_running()
    first.stop()
    first.wait_until_stopped()
    first.start()
    first.wait_until_running()
    assert names(vpc.instances.terminate()[0]["TerminatingInstances"], "InstanceId") != []
    for instance in (first, second):
        instance.wait_until_terminated()


def test_interfaces_and_addresses(objects, world, subnet):
    instance, = subnet.create_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)
    instance.wait_until_running()
    card = subnet.create_network_interface(Description="second")
    card.assign_private_ip_addresses(PrivateIpAddresses=["10.0.1.200"])
    card.reload()
    assert "10.0.1.200" in names(card.private_ip_addresses, "PrivateIpAddress")
    card.unassign_private_ip_addresses(PrivateIpAddresses=["10.0.1.200"])
    card.modify_attribute(SourceDestCheck={"Value": False})
    card.reset_attribute(SourceDestCheck="x")
    assert card.describe_attribute(Attribute="description")["Description"] == {"Value": "second"}
    card.attach(InstanceId=instance.id, DeviceIndex=1)
    card.reload()
    assert card.attachment["InstanceId"] == instance.id
    assert card in subnet.network_interfaces.all()
    gateway = objects.create_internet_gateway()
    gateway.attach_to_vpc(VpcId=subnet.vpc_id)
    made = world.ec2.allocate_address(Domain="vpc")
    address = objects.VpcAddress(made["AllocationId"])
    address.associate(NetworkInterfaceId=card.id)
    address.reload()
    assert (address.public_ip, address.network_interface_id) == (made["PublicIp"], card.id)
    assert address.association.id == address.association_id
    address.association.delete()
    address.release()
    card.detach()
    wait_for(lambda: objects.NetworkInterface(card.id).status == "available", 5, "detached")
    card.delete()
    instance.terminate()
    instance.wait_until_terminated()


def test_volumes_keys_images(objects, tmp_path):
    volume = objects.create_volume(AvailabilityZone="us-east-1a", Size=1)
    assert objects.Volume(volume.id).state == "available"
    volume.create_tags(Tags=tags(Name="v"))
    assert ids(objects.volumes.filter(Filters=[{"Name": "tag:Name", "Values": ["v"]}])) == [volume.id]
    assert volume.describe_attribute(Attribute="autoEnableIO")["AutoEnableIO"] == {"Value": False}
    volume.delete()
    pair = objects.create_key_pair(KeyName="one", KeyType="ed25519")
    assert "PRIVATE KEY" in pair.key_material
    info, = objects.key_pairs.all()
    assert info.key_fingerprint == pair.key_fingerprint
    info.delete()
    assert list(objects.key_pairs.all()) == []
    image = objects.register_image(Name="mine", ImageLocation=str(tmp_path))
    image.wait_until_exists()
    assert image in objects.images.filter(Owners=["self"]) and image.state == "available"
    image.deregister()
    assert list(objects.images.filter(Owners=["self"])) == []


def test_peering_and_options(objects, vpc):
    other = objects.create_vpc(CidrBlock="10.1.0.0/16")
    peering = vpc.request_vpc_peering_connection(PeerVpcId=other.id)
    peering.wait_until_exists()
    peering.accept()
    peering.reload()
    assert peering.status["Code"] == "active" and peering.accepter_vpc == other
    assert ids(vpc.requested_vpc_peering_connections.all()) == ids(
        other.accepted_vpc_peering_connections.all()) == [peering.id]
    peering.delete()
    options = objects.create_dhcp_options(DhcpConfigurations=[
        {"Key": "domain-name", "Values": ["example.com"]}])
    options.associate_with_vpc(VpcId=vpc.id)
    vpc.reload()
    assert vpc.dhcp_options == options
    vpc.associate_dhcp_options(DhcpOptionsId="default")
    options.delete()


def test_default_vpc(objects):
    default, = objects.vpcs.filter(Filters=[{"Name": "is-default", "Values": ["true"]}])
    assert default.is_default and len(list(default.subnets.all())) == len(
        {subnet.availability_zone for subnet in default.subnets.all()})
    assert objects.meta.client.meta.region_name == "us-east-1"
