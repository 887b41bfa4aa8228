"""
Every action of `minivpc actions` is called, and its reply held against the model of the API: what
conformance.py checks of any reply, and here what is missing. A member that no reply ever has must
be named below, with why.
"""
import json
import types
import xml.etree.ElementTree as ElementTree

import pytest

import wire
from conformance import NAMESPACE
from lib import IMAGE, tag_specification, tags

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbml2cGNNaW5pdnBjTWluaXZwY01pbml2cGNNaW5p"


# Answered by a refusal always: nothing but IPv4 leaves an instance.
REFUSED = ["AssignIpv6Addresses"]

# Not there until the machine has said something.
SOMETIMES = "GetConsoleOutputResult.Output"

# What no reply has, by why. AWS sends none of it for what can be made here, but for the last.
ABSENT = {
    "Outposts, Local Zones, Wavelength, pools of one's own": """
        Address.CarrierIp Address.CustomerOwnedIp Address.CustomerOwnedIpv4Pool
        AllocateAddressResult.CarrierIp AllocateAddressResult.CustomerOwnedIp
        AllocateAddressResult.CustomerOwnedIpv4Pool AvailabilityZone.ParentZoneId
        AvailabilityZone.ParentZoneName EbsBlockDevice.OutpostArn Instance.OutpostArn
        InstanceNetworkInterfaceAssociation.CarrierIp
        InstanceNetworkInterfaceAssociation.CustomerOwnedIp InstanceStatus.OutpostArn
        LaunchTemplateInstanceNetworkInterfaceSpecification.AssociateCarrierIpAddress
        NetworkInterface.OutpostArn NetworkInterfaceAssociation.CarrierIp
        NetworkInterfaceAssociation.CustomerOwnedIp Route.CarrierGatewayId Route.CoreNetworkArn
        Route.LocalGatewayId Route.TransitGatewayId Subnet.CustomerOwnedIpv4Pool
        Subnet.EnableLniAtDeviceIndex Subnet.OutpostArn Volume.OutpostArn
        VolumeStatusItem.OutpostArn""",
    "IPv6 of instances, prefixes of interfaces": """
        AssignPrivateIpAddressesResult.AssignedIpv4Prefixes Instance.Ipv6Address
        InstanceNetworkInterface.Ipv4Prefixes InstanceNetworkInterface.Ipv6Prefixes
        LaunchTemplateInstanceNetworkInterfaceSpecification.Ipv4PrefixCount
        LaunchTemplateInstanceNetworkInterfaceSpecification.Ipv4Prefixes
        LaunchTemplateInstanceNetworkInterfaceSpecification.Ipv6AddressCount
        LaunchTemplateInstanceNetworkInterfaceSpecification.Ipv6Addresses
        LaunchTemplateInstanceNetworkInterfaceSpecification.Ipv6PrefixCount
        LaunchTemplateInstanceNetworkInterfaceSpecification.Ipv6Prefixes
        NetworkInterface.Ipv4Prefixes NetworkInterface.Ipv6Address NetworkInterface.Ipv6Native
        NetworkInterface.Ipv6Prefixes Route.EgressOnlyInternetGatewayId""",
    "hosts, groups, markets, licenses, roles, other machines": """
        BlockDeviceMapping.NoDevice BlockDeviceMapping.VirtualName
        CapacityReservationSpecificationResponse.CapacityReservationTarget
        Image.BootMode Image.DeprecationTime Image.ImdsSupport Image.KernelId Image.Platform
        Image.ProductCodes Image.RamdiskId Image.SriovNetSupport Image.TpmSupport
        Instance.BootMode Instance.CapacityReservationId Instance.ElasticGpuAssociations
        Instance.ElasticInferenceAcceleratorAssociations Instance.IamInstanceProfile
        Instance.InstanceLifecycle Instance.KernelId Instance.Licenses Instance.Platform
        Instance.ProductCodes Instance.RamdiskId Instance.SpotInstanceRequestId
        Instance.SriovNetSupport Instance.TpmSupport InstanceTypeInfo.FpgaInfo
        InstanceTypeInfo.GpuInfo InstanceTypeInfo.InferenceAcceleratorInfo
        InstanceTypeInfo.InstanceStorageInfo LaunchTemplateBlockDeviceMapping.NoDevice
        LaunchTemplateBlockDeviceMapping.VirtualName
        LaunchTemplateCapacityReservationSpecificationResponse.CapacityReservationTarget
        LaunchTemplatePlacement.Affinity LaunchTemplatePlacement.GroupId
        LaunchTemplatePlacement.HostId LaunchTemplatePlacement.HostResourceGroupArn
        LaunchTemplatePlacement.PartitionNumber LaunchTemplatePlacement.SpreadDomain
        NetworkInfo.EfaInfo NetworkInterface.DenyAllIgwTraffic
        NetworkInterfaceAttachment.EnaSrdSpecification Placement.Affinity Placement.GroupId
        Placement.HostId Placement.HostResourceGroupArn Placement.PartitionNumber
        Placement.SpreadDomain Reservation.RequesterId
        ResponseLaunchTemplateData.ElasticGpuSpecifications
        ResponseLaunchTemplateData.ElasticInferenceAccelerators
        ResponseLaunchTemplateData.IamInstanceProfile
        ResponseLaunchTemplateData.InstanceMarketOptions
        ResponseLaunchTemplateData.InstanceRequirements ResponseLaunchTemplateData.KernelId
        ResponseLaunchTemplateData.LicenseSpecifications ResponseLaunchTemplateData.RamDiskId
        Volume.FastRestored""",
    "what went wrong or is scheduled, where nothing does or is": """
        CreateLaunchTemplateResult.Warning CreateLaunchTemplateVersionResult.Warning
        Image.StateReason InstanceStatus.Events InstanceStatusDetails.ImpairedSince
        VpcEndpoint.LastError ManagedPrefixList.StateMessage NatGateway.FailureCode NatGateway.FailureMessage
        NatGateway.ProvisionedBandwidth PtrUpdateStatus.Reason
        RouteTableAssociationState.StatusMessage SubnetCidrBlockState.StatusMessage
        VolumeModification.StatusMessage VpcCidrBlockState.StatusMessage""",
    "EC2-Classic, retired": """
        PeeringConnectionOptions.AllowEgressFromLocalClassicLinkToRemoteVpc
        PeeringConnectionOptions.AllowEgressFromLocalVpcToRemoteClassicLink
        UserIdGroupPair.GroupName
        VpcPeeringConnectionOptionsDescription.AllowEgressFromLocalClassicLinkToRemoteVpc
        VpcPeeringConnectionOptionsDescription.AllowEgressFromLocalVpcToRemoteClassicLink""",
    "AWS sends it, and it is not here": """
        EbsBlockDevice.Iops EbsBlockDevice.KmsKeyId EbsBlockDevice.Throughput
        EbsInfo.EbsOptimizedInfo LaunchTemplateInstanceMetadataOptions.State
        NetworkInterface.RequesterId ProcessorInfo.SustainedClockSpeedInGhz
        ServiceDetail.PayerResponsibility VolumeStatusItem.AttachmentStatuses""",
    "other destinations of flow logs": """
        FlowLog.DeliverCrossAccountRole""",
}


class Seen:
    """The actions that answered, and the members of each shape that a reply had."""

    def __init__(self, client):
        self.actions = set()
        self.members = {}
        self.shapes = {}
        self.model = client.meta.service_model
        client.meta.events.register("response-received.ec2", self.receive)

    def receive(self, event_name, response_dict, exception, **_):
        if exception is not None or response_dict["status_code"] >= 300:
            return
        operation = self.model.operation_model(event_name.rsplit(".", 1)[1])
        self.actions.add(operation.name)
        if operation.output_shape is not None:
            self.walk(operation.output_shape, ElementTree.fromstring(response_dict["body"]))

    def walk(self, shape, element):
        if shape.type_name == "list":
            for item in element:
                self.walk(shape.member, item)
        elif shape.type_name == "structure":
            self.shapes[shape.name] = shape
            seen = self.members.setdefault(shape.name, set())
            found = {child.tag[len(NAMESPACE):]: child for child in element}
            for name, member in shape.members.items():
                child = found.get(member.serialization.get("name", name))
                if child is not None:
                    seen.add(name)
                    self.walk(member, child)

    def missing(self):
        """By shape."""
        return {name: set(shape.members) - self.members[name]
                for name, shape in self.shapes.items()
                if set(shape.members) - self.members[name]}


def newer(lab, action, **parameters):
    """An action that the model on this machine may not have yet: it answers, and no more."""
    reply = wire.call(lab.world, action, **parameters)
    assert reply.status == 200, reply.body
    if action not in lab.ec2.meta.service_model.operation_names:
        lab.newer.add(action)
    return reply


def vpcs(lab):
    ec2, world = lab.ec2, lab.world
    lab.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True,
                             TagSpecifications=tag_specification("vpc", Name="x"))["Vpc"]["VpcId"]
    lab.other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.describe_vpcs()
    for vpc in (lab.vpc, lab.other):
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
        ec2.describe_vpc_attribute(VpcId=lab.vpc, Attribute=name)
    for block in ({"CidrBlock": "10.2.0.0/16"}, {"AmazonProvidedIpv6CidrBlock": True}):
        made = ec2.associate_vpc_cidr_block(VpcId=lab.vpc, **block)
        made = made.get("CidrBlockAssociation") or made["Ipv6CidrBlockAssociation"]
        ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])
    lab.subnet = ec2.create_subnet(
        VpcId=lab.vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1a",
        TagSpecifications=tag_specification("subnet", Name="x"))["Subnet"]["SubnetId"]
    lab.second = world.subnet(lab.vpc, "10.0.2.0/24", "us-east-1a")
    block = ec2.describe_vpcs(VpcIds=[lab.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]
    made = ec2.associate_subnet_cidr_block(
        SubnetId=lab.subnet, Ipv6CidrBlock=block["Ipv6CidrBlock"].replace("/56", "/64"))
    ec2.describe_subnets()
    ec2.disassociate_subnet_cidr_block(
        AssociationId=made["Ipv6CidrBlockAssociation"]["AssociationId"])
    ec2.modify_subnet_attribute(SubnetId=lab.subnet, MapPublicIpOnLaunch={"Value": True})


def defaults(lab):
    ec2 = lab.ec2
    default = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    subnets = ec2.describe_subnets(Filters=[
        {"Name": "vpc-id", "Values": [default["VpcId"]]}])["Subnets"]
    ec2.delete_subnet(SubnetId=subnets[0]["SubnetId"])
    ec2.create_default_subnet(AvailabilityZone=subnets[0]["AvailabilityZone"])
    for entry in ec2.describe_subnets(Filters=[
            {"Name": "vpc-id", "Values": [default["VpcId"]]}])["Subnets"]:
        ec2.delete_subnet(SubnetId=entry["SubnetId"])
    gateway = ec2.describe_internet_gateways(Filters=[
        {"Name": "attachment.vpc-id", "Values": [default["VpcId"]]}])["InternetGateways"][0]
    gateway = {"InternetGatewayId": gateway["InternetGatewayId"]}
    ec2.detach_internet_gateway(VpcId=default["VpcId"], **gateway)
    ec2.delete_internet_gateway(**gateway)
    ec2.delete_vpc(VpcId=default["VpcId"])
    ec2.create_default_vpc()


def gateways(lab):
    ec2 = lab.ec2
    lab.gateway = lab.world.gateway(lab.vpc)
    ec2.create_tags(Resources=[lab.gateway], Tags=tags(Name="x"))
    ec2.describe_internet_gateways()
    made = ec2.create_egress_only_internet_gateway(
        VpcId=lab.vpc, ClientToken="once", TagSpecifications=tag_specification(
            "egress-only-internet-gateway", Name="x"))["EgressOnlyInternetGateway"]
    ec2.describe_egress_only_internet_gateways()
    ec2.delete_egress_only_internet_gateway(
        EgressOnlyInternetGatewayId=made["EgressOnlyInternetGatewayId"])


def lists(lab):
    ec2 = lab.ec2
    lab.prefixes = ec2.create_managed_prefix_list(
        PrefixListName="list", MaxEntries=3, AddressFamily="IPv4",
        Entries=[{"Cidr": "192.168.0.0/16", "Description": "x"}],
        TagSpecifications=tag_specification("prefix-list", Name="x"))["PrefixList"]["PrefixListId"]
    one = {"PrefixListId": lab.prefixes}
    ec2.modify_managed_prefix_list(CurrentVersion=1, AddEntries=[{"Cidr": "192.0.2.0/24"}], **one)
    ec2.restore_managed_prefix_list_version(PreviousVersion=1, CurrentVersion=2, **one)
    ec2.get_managed_prefix_list_entries(**one)
    ec2.describe_managed_prefix_lists()
    ec2.describe_prefix_lists()
    short = ec2.create_managed_prefix_list(PrefixListName="short", MaxEntries=1,
                                           AddressFamily="IPv4")["PrefixList"]
    ec2.delete_managed_prefix_list(PrefixListId=short["PrefixListId"])


def routes(lab):
    ec2 = lab.ec2
    table = ec2.create_route_table(
        VpcId=lab.vpc, TagSpecifications=tag_specification(
            "route-table", Name="x"))["RouteTable"]["RouteTableId"]
    other = lab.world.route_table(lab.vpc)
    one = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(GatewayId=lab.gateway, **one)
    ec2.replace_route(GatewayId=lab.gateway, **one)
    ec2.create_route(RouteTableId=table, DestinationPrefixListId=lab.prefixes,
                     GatewayId=lab.gateway)
    ec2.get_managed_prefix_list_associations(PrefixListId=lab.prefixes)
    made = ec2.associate_route_table(RouteTableId=other, SubnetId=lab.subnet)
    made = ec2.replace_route_table_association(AssociationId=made["AssociationId"],
                                               RouteTableId=table)
    ec2.associate_route_table(RouteTableId=other, GatewayId=lab.gateway)
    ec2.describe_route_tables()
    lab.table, lab.association = table, made["NewAssociationId"]


def groups(lab):
    ec2 = lab.ec2
    lab.group = ec2.create_security_group(
        VpcId=lab.vpc, GroupName="web", Description="x",
        TagSpecifications=tag_specification("security-group", Name="x"))["GroupId"]
    one = {"GroupId": lab.group}
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2,
                  "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x"}],
                  "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32", "Description": "x"}],
                  "PrefixListIds": [{"PrefixListId": lab.prefixes, "Description": "x"}],
                  "UserIdGroupPairs": [{"GroupId": lab.group, "Description": "x"}]}
    made = ec2.authorize_security_group_ingress(
        IpPermissions=[permission], TagSpecifications=tag_specification(
            "security-group-rule", Name="x"), **one)["SecurityGroupRules"]
    ec2.authorize_security_group_egress(IpPermissions=[permission], **one)
    ec2.describe_security_groups()
    ec2.describe_security_group_rules()
    rule, = [each["SecurityGroupRuleId"] for each in made if "CidrIpv4" in each]
    ec2.modify_security_group_rules(SecurityGroupRules=[{
        "SecurityGroupRuleId": rule,
        "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 3, "ToPort": 4,
                              "CidrIpv4": "10.0.0.0/8"}}], **one)
    for call in (ec2.update_security_group_rule_descriptions_ingress,
                 ec2.update_security_group_rule_descriptions_egress):
        call(IpPermissions=[{**permission, "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []}],
             **one)
    ec2.revoke_security_group_egress(IpPermissions=[permission], **one)
    ec2.revoke_security_group_ingress(SecurityGroupRuleIds=[rule], **one)
    other = lab.world.security_group(lab.vpc, "other")
    ec2.delete_security_group(GroupId=other)


def acls(lab):
    ec2 = lab.ec2
    acl = ec2.create_network_acl(VpcId=lab.vpc, TagSpecifications=tag_specification(
        "network-acl", Name="x"))["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 1, "Egress": False}
    for call in (ec2.create_network_acl_entry, ec2.replace_network_acl_entry):
        call(Protocol="6", RuleAction="allow", CidrBlock="0.0.0.0/0",
             PortRange={"From": 1, "To": 2}, **entry)
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=2, Egress=False, Protocol="58",
                                 RuleAction="deny", Ipv6CidrBlock="::/0",
                                 IcmpTypeCode={"Type": 1, "Code": 1})
    subnet = lab.world.subnet(lab.vpc, "10.0.8.0/24")
    found = ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"][0]
    made, = [each for each in found["Associations"] if each["SubnetId"] == subnet]
    ec2.replace_network_acl_association(
        AssociationId=made["NetworkAclAssociationId"], NetworkAclId=acl)
    ec2.describe_network_acls()
    ec2.delete_network_acl_entry(**entry)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_network_acl(NetworkAclId=acl)


def options(lab):
    ec2 = lab.ec2
    made = ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}],
        TagSpecifications=tag_specification("dhcp-options", Name="x"))["DhcpOptions"]
    ec2.associate_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"], VpcId=lab.vpc)
    ec2.describe_dhcp_options()
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=lab.vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=made["DhcpOptionsId"])


def keys(lab):
    ec2 = lab.ec2
    ec2.create_key_pair(KeyName="one", KeyType="ed25519", TagSpecifications=tag_specification(
        "key-pair", Name="x"))
    ec2.import_key_pair(KeyName="two", PublicKeyMaterial=KEY.encode(),
                        TagSpecifications=tag_specification("key-pair", Name="x"))
    ec2.describe_key_pairs(IncludePublicKey=True)
    ec2.delete_key_pair(KeyName="two")


def instances(lab):
    ec2, world = lab.ec2, lab.world
    reply = ec2.run_instances(
        ImageId=IMAGE, InstanceType="t3.large", MinCount=1, MaxCount=1, KeyName="one",
        SubnetId=lab.subnet, SecurityGroupIds=[lab.group], UserData="#!/bin/sh\n",
        ClientToken="token", BlockDeviceMappings=[
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1, "VolumeType": "gp3",
                                               "Encrypted": True}}],
        TagSpecifications=tag_specification("instance", Name="x"))
    lab.instance = reply["Instances"][0]["InstanceId"]
    one, many = {"InstanceId": lab.instance}, {"InstanceIds": [lab.instance]}
    world.await_state("running", lab.instance)
    ec2.describe_instance_status()
    ec2.monitor_instances(**many)
    ec2.unmonitor_instances(**many)
    ec2.get_console_output(**one)
    ec2.get_launch_template_data(**one)
    ec2.modify_instance_maintenance_options(AutoRecovery="disabled", **one)
    ec2.modify_private_dns_name_options(EnableResourceNameDnsARecord=True, **one)
    ec2.modify_instance_metadata_options(HttpTokens="required", **one)
    ec2.describe_instance_credit_specifications()
    ec2.modify_instance_credit_specification(InstanceCreditSpecifications=[
        {**one, "CpuCredits": "standard"}])
    ec2.modify_instance_attribute(SourceDestCheck={"Value": False}, **one)
    for name in [*ec2.meta.service_model.shape_for("InstanceAttributeName").enum,
                 "disableApiStop"]:
        ec2.describe_instance_attribute(Attribute=name, **one)
    ec2.reboot_instances(**many)
    ec2.describe_instances()
    ec2.create_route(RouteTableId=lab.table, DestinationCidrBlock="192.0.2.0/24", **one)


def account(lab):
    newer(lab, "ModifyInstanceMetadataDefaults", HttpTokens="required", HttpEndpoint="enabled")
    assert "<httpTokens>required<" in newer(lab, "GetInstanceMetadataDefaults").body


def interfaces(lab):
    ec2 = lab.ec2
    card = ec2.create_network_interface(
        SubnetId=lab.second, Description="x", Groups=[lab.group],
        TagSpecifications=tag_specification(
            "network-interface", Name="x"))["NetworkInterface"]["NetworkInterfaceId"]
    one = {"NetworkInterfaceId": card}
    made = ec2.assign_private_ip_addresses(SecondaryPrivateIpAddressCount=1, **one)
    ec2.unassign_private_ip_addresses(PrivateIpAddresses=[
        made["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]], **one)
    attachment = ec2.attach_network_interface(InstanceId=lab.instance, DeviceIndex=1, **one)
    ec2.modify_network_interface_attribute(SourceDestCheck={"Value": False}, **one)
    ec2.reset_network_interface_attribute(SourceDestCheck="x", **one)
    for name in ("description", "groupSet", "sourceDestCheck", "attachment"):
        ec2.describe_network_interface_attribute(Attribute=name, **one)
    lab.allocation = ec2.allocate_address(
        Domain="vpc", TagSpecifications=tag_specification("elastic-ip", Name="x"))["AllocationId"]
    allocation = {"AllocationId": lab.allocation}
    association = ec2.associate_address(**allocation, **one)["AssociationId"]
    ec2.modify_address_attribute(DomainName="mail.example.com", **allocation)
    ec2.describe_addresses_attribute(Attribute="domain-name", AllocationIds=[lab.allocation])
    ec2.describe_addresses()
    ec2.describe_network_interfaces()
    ec2.describe_instances()
    ec2.reset_address_attribute(Attribute="domain-name", **allocation)
    ec2.disassociate_address(AssociationId=association)
    ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"])
    ec2.delete_network_interface(**one)


def nat_gateways(lab):
    ec2 = lab.ec2
    nat = ec2.create_nat_gateway(
        SubnetId=lab.subnet, AllocationId=lab.allocation, ClientToken="nat",
        TagSpecifications=tag_specification("natgateway", Name="x"))["NatGateway"]["NatGatewayId"]
    second = ec2.allocate_address(Domain="vpc")["AllocationId"]
    one = {"NatGatewayId": nat}
    newer(lab, "AssociateNatGatewayAddress", NatGatewayId=nat, AllocationId__1=second)
    ec2.describe_nat_gateways()
    ec2.create_route(RouteTableId=lab.table, DestinationCidrBlock="198.51.100.0/24", **one)
    for item in wire.call(lab.world, "DescribeNatGateways", NatGatewayId__1=nat).root.iter(
            NAMESPACE + "item"):
        if item.findtext(NAMESPACE + "allocationId") == second:
            newer(lab, "DisassociateNatGatewayAddress", NatGatewayId=nat,
                  AssociationId__1=item.findtext(NAMESPACE + "associationId"))
    ec2.delete_nat_gateway(**one)
    ec2.describe_nat_gateways()
    ec2.release_address(AllocationId=second)


def private_nat_gateways(lab):
    ec2 = lab.ec2
    one = {"NatGatewayId": ec2.create_nat_gateway(
        SubnetId=lab.second, ConnectivityType="private")["NatGateway"]["NatGatewayId"]}
    for action in ("AssignPrivateNatGatewayAddress", "UnassignPrivateNatGatewayAddress"):
        newer(lab, action, PrivateIpAddress__1="10.0.2.77", **one)
    ec2.delete_nat_gateway(**one)


def peerings(lab):
    ec2 = lab.ec2

    def request(peer):
        return ec2.create_vpc_peering_connection(
            VpcId=lab.vpc, PeerVpcId=peer, TagSpecifications=tag_specification(
                "vpc-peering-connection", Name="x"))["VpcPeeringConnection"][
                    "VpcPeeringConnectionId"]
    third = lab.world.vpc("10.3.0.0/16")
    ec2.reject_vpc_peering_connection(VpcPeeringConnectionId=request(third))
    one = {"VpcPeeringConnectionId": request(lab.other)}
    ec2.accept_vpc_peering_connection(**one)
    ec2.modify_vpc_peering_connection_options(
        AccepterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": False},
        RequesterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": False}, **one)
    ec2.describe_vpc_peering_connections()
    ec2.create_route(RouteTableId=lab.table, DestinationCidrBlock="10.1.0.0/16", **one)
    ec2.describe_route_tables()
    far = lab.world.security_group(lab.other, "far")
    ec2.authorize_security_group_ingress(GroupId=lab.group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "UserIdGroupPairs": [{"GroupId": far}]}])
    ec2.describe_security_groups()
    ec2.describe_security_group_rules()
    ec2.describe_security_group_references(GroupId=[lab.group])
    ec2.describe_stale_security_groups(VpcId=lab.vpc)
    ec2.delete_vpc_peering_connection(**one)
    ec2.delete_vpc(VpcId=third)


def volumes(lab):
    ec2 = lab.ec2
    volume = ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3", Encrypted=True,
        TagSpecifications=tag_specification("volume", Name="x"))["VolumeId"]
    one = {"VolumeId": volume}
    ec2.modify_volume_attribute(AutoEnableIO={"Value": True}, **one)
    for name in ("autoEnableIO", "productCodes"):
        ec2.describe_volume_attribute(Attribute=name, **one)
    ec2.attach_volume(InstanceId=lab.instance, Device="/dev/sdh", **one)
    ec2.modify_volume(Size=2, **one)
    ec2.describe_volumes_modifications()
    ec2.describe_volumes()
    ec2.describe_volume_status()
    ec2.detach_volume(**one)
    ec2.delete_volume(**one)


def templates(lab):
    ec2 = lab.ec2
    data = ec2.get_launch_template_data(InstanceId=lab.instance)["LaunchTemplateData"]
    one = {"LaunchTemplateId": ec2.create_launch_template(
        LaunchTemplateName="the-x", LaunchTemplateData=data, VersionDescription="x",
        TagSpecifications=tag_specification("launch-template", Name="x"))[
            "LaunchTemplate"]["LaunchTemplateId"]}
    ec2.create_launch_template_version(LaunchTemplateData=data, VersionDescription="x", **one)
    ec2.create_launch_template_version(
        LaunchTemplateData={"SecurityGroupIds": [lab.group], "SecurityGroups": ["web"],
                            "NetworkInterfaces": [{"SecondaryPrivateIpAddressCount": 1,
                                                   "DeviceIndex": 0}]}, **one)
    ec2.modify_launch_template(DefaultVersion="2", **one)
    ec2.describe_launch_templates()
    ec2.describe_launch_template_versions(**one)
    ec2.delete_launch_template_versions(Versions=["1", "9"], **one)
    ec2.delete_launch_template(**one)


def logs(lab):
    ec2 = lab.ec2
    made = ec2.create_flow_logs(
        ResourceType="VPC", ResourceIds=[lab.vpc, "vpc-0fedcba9876543210"], TrafficType="ALL",
        LogDestinationType="s3", LogDestination="arn:aws:s3:::bucket", ClientToken="x",
        DestinationOptions={"FileFormat": "parquet", "HiveCompatiblePartitions": True,
                            "PerHourPartition": True},
        TagSpecifications=tag_specification("vpc-flow-log", Name="x"))["FlowLogIds"]
    made += ec2.create_flow_logs(
        ResourceType="VPC", ResourceIds=[lab.vpc], TrafficType="REJECT", LogGroupName="x",
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/x")["FlowLogIds"]
    ec2.describe_flow_logs()
    ec2.delete_flow_logs(FlowLogIds=[*made, "fl-0fedcba9876543210"])


def endpoints(lab):
    ec2, vpc = lab.ec2, {"VpcId": lab.vpc}
    gateway = ec2.create_vpc_endpoint(
        ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[lab.table], ClientToken="x",
        TagSpecifications=tag_specification("vpc-endpoint", Name="x"), **vpc)["VpcEndpoint"]
    interface = ec2.create_vpc_endpoint(
        ServiceName="com.amazonaws.us-east-1.ssm", VpcEndpointType="Interface",
        SubnetIds=[lab.subnet], SecurityGroupIds=[lab.group], **vpc)["VpcEndpoint"]
    ec2.modify_vpc_endpoint(VpcEndpointId=gateway["VpcEndpointId"],
                            RemoveRouteTableIds=[lab.table])
    ec2.describe_vpc_endpoints()
    ec2.describe_vpc_endpoint_services()
    ec2.describe_route_tables()
    ec2.delete_vpc_endpoints(VpcEndpointIds=[
        gateway["VpcEndpointId"], interface["VpcEndpointId"], "vpce-0fedcba9876543210"])


def catalogue(lab):
    ec2 = lab.ec2
    ec2.describe_images(Owners=["amazon"])
    own = {"ImageId": ec2.register_image(Name="own", ImageLocation="/usr")["ImageId"]}
    ec2.describe_images(Owners=["self"])
    ec2.modify_image_attribute(Description={"Value": "mine"}, **own)
    for attribute in ("description", "kernel", "ramdisk", "launchPermission", "productCodes",
                      "blockDeviceMapping", "sriovNetSupport", "bootMode", "tpmSupport",
                      "uefiData", "lastLaunchedTime", "imdsSupport"):
        ec2.describe_image_attribute(Attribute=attribute, **own)
    ec2.deregister_image(**own)
    ec2.describe_instance_types(MaxResults=5)
    ec2.describe_instance_type_offerings(MaxResults=5)
    ec2.describe_account_attributes()
    ec2.describe_regions()
    ec2.describe_availability_zones()
    ec2.describe_tags()
    ec2.delete_tags(Resources=[lab.vpc])
    # The next page's token is a member too.
    for call in (ec2.describe_tags, ec2.describe_subnets):
        call(MaxResults=5)


def the_end(lab):
    ec2, many = lab.ec2, {"InstanceIds": [lab.instance]}
    ec2.stop_instances(**many)
    lab.world.await_state("stopped", lab.instance)
    ec2.start_instances(**many)
    lab.world.await_state("running", lab.instance)
    ec2.terminate_instances(**many)
    lab.world.await_state("terminated", lab.instance)
    ec2.describe_instances()
    ec2.disassociate_route_table(AssociationId=lab.association)
    ec2.delete_route(RouteTableId=lab.table, DestinationCidrBlock="0.0.0.0/0")
    ec2.delete_route_table(RouteTableId=lab.table)


STEPS = [vpcs, defaults, gateways, lists, routes, groups, acls, options, keys, instances, account,
         interfaces, nat_gateways, private_nat_gateways, peerings, volumes, templates, logs,
         endpoints, catalogue, the_end]


def test_every_action(own_world):
    world = own_world
    lab = types.SimpleNamespace(world=world, ec2=world.ec2, newer=set())
    seen = Seen(world.ec2)
    for step in STEPS:
        step(lab)
    listed = {entry["action"] for entry in json.loads(world.run("actions", "-o", "json").stdout)
              if entry["service"] == "ec2"}
    called = seen.actions | lab.newer | set(REFUSED)
    assert listed - called == set(), "not called"
    assert called - listed == set(), "not listed"
    missing = {f"{shape}.{member}" for shape, members in seen.missing().items()
               for member in members if member != "NextToken"}  # of a last page
    named = [each for members in ABSENT.values() for each in members.split()]
    assert len(named) == len(set(named))
    found, stale = missing - set(named) - {SOMETIMES}, set(named) - missing
    assert not found, "no reply has " + " ".join(sorted(found))
    assert not stale, "there after all: " + " ".join(sorted(stale))


def test_an_action_that_is_not_there(own_world):
    """And what is listed is what the table of actions says, once each."""
    listed = [entry["action"] for entry in json.loads(
        own_world.run("actions", "-o", "json").stdout)]
    assert len(listed) == len(set(listed)) > 140 and "ListActions" not in listed
    effects = {line.split()[0]: line.split()[2]
               for line in own_world.run("actions").stdout.splitlines()[1:]}
    assert effects["RunInstances"] == effects["CreateRoute"] == "enforced"
    assert effects["CreateVolume"] == effects["CreateTags"] == "recorded"
    assert effects["DescribeVpcs"] == effects["GetCallerIdentity"] == "read"
    for action in ("CreateVpnGateway", "RequestSpotInstances", "describevpcs"):
        assert action not in listed
        assert wire.call(own_world, action).code == "InvalidAction"
