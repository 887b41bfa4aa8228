"""
A request of every action, with no more than it needs: `REQUESTS`, whose "@words" stand for things that
`furnish` makes. What reads from all there is needs nothing, and has no row.
"""
import wire
from lib import IMAGE, names

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbml2cGNNaW5pdnBjTWluaXZwY01pbml2cGNNaW5p"


def rule(**more):
    return {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, **more}


OPEN = {"GroupId": "@group",
        "IpPermissions": [rule(IpRanges=[{"CidrIp": "10.9.0.0/16", "Description": "x"}])]}
ENTRY = {"NetworkAclId": "@acl", "RuleNumber": 7, "Egress": False, "Protocol": "6",
         "RuleAction": "allow", "CidrBlock": "10.9.0.0/16", "PortRange": {"From": 1, "To": 2}}
INSTANCE, CARD = {"InstanceId": "@instance"}, {"NetworkInterfaceId": "@card"}
INSTANCES = {"InstanceIds": ["@instance"]}
LIST, ROUTES = {"PrefixListId": "@list"}, {"RouteTableId": "@table"}
PEERING, VPC = {"VpcPeeringConnectionId": "@request"}, {"VpcId": "@vpc"}
TEMPLATE = {"LaunchTemplateId": "@template"}
LOG = {"ResourceType": "VPC", "ResourceIds": ["@vpc"], "TrafficType": "ALL",
       "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::bucket"}

REQUESTS = {
    "AcceptVpcPeeringConnection": PEERING,
    "AllocateAddress": {},
    "AssignIpv6Addresses": {**CARD, "Ipv6AddressCount": 1},
    "AssignPrivateIpAddresses": {**CARD, "SecondaryPrivateIpAddressCount": 1},
    "AssignPrivateNatGatewayAddress": {"NatGatewayId": "@private_nat", "PrivateIpAddressCount": 1},
    "AssociateAddress": {"AllocationId": "@allocation", **CARD},
    "AssociateDhcpOptions": {"DhcpOptionsId": "@options", **VPC},
    "AssociateNatGatewayAddress": {"NatGatewayId": "@nat", "AllocationIds": ["@allocation"]},
    "AssociateRouteTable": {**ROUTES, "SubnetId": "@second"},
    "AssociateSubnetCidrBlock": {"SubnetId": "@subnet", "Ipv6CidrBlock": "@ipv6"},
    "AssociateVpcCidrBlock": {**VPC, "CidrBlock": "10.8.0.0/16"},
    "AttachInternetGateway": {"InternetGatewayId": "@loose_gateway", "VpcId": "@third"},
    "AttachNetworkInterface": {**CARD, "InstanceId": "@stopped", "DeviceIndex": 1},
    "AttachVolume": {"VolumeId": "@volume", **INSTANCE, "Device": "/dev/sdx"},
    "AuthorizeSecurityGroupEgress": OPEN,
    "AuthorizeSecurityGroupIngress": OPEN,
    "CreateDefaultSubnet": {"AvailabilityZone": "@default_zone"},
    "CreateDefaultVpc": {},
    "CreateDhcpOptions": {"DhcpConfigurations": [{"Key": "domain-name", "Values": ["x.org"]}]},
    "CreateEgressOnlyInternetGateway": {"VpcId": "@other"},
    "CreateFlowLogs": LOG,
    "CreateInternetGateway": {},
    "CreateKeyPair": {"KeyName": "third"},
    "CreateLaunchTemplate": {"LaunchTemplateName": "third",
                             "LaunchTemplateData": {"ImageId": IMAGE}},
    "CreateLaunchTemplateVersion": {**TEMPLATE, "LaunchTemplateData": {"ImageId": IMAGE}},
    "CreateManagedPrefixList": {"PrefixListName": "x", "MaxEntries": 5, "AddressFamily": "IPv4"},
    "CreateNatGateway": {"SubnetId": "@subnet", "AllocationId": "@allocation"},
    "CreateNetworkAcl": VPC,
    "CreateNetworkAclEntry": ENTRY,
    "CreateNetworkInterface": {"SubnetId": "@subnet"},
    "CreateRoute": {**ROUTES, "DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "@gateway"},
    "CreateRouteTable": VPC,
    "CreateSecurityGroup": {**VPC, "GroupName": "x", "Description": "x"},
    "CreateSubnet": {**VPC, "CidrBlock": "10.0.9.0/24"},
    "CreateTags": {"Resources": ["@vpc", "@card"], "Tags": [{"Key": "x", "Value": "y"}]},
    "CreateVolume": {"AvailabilityZone": "us-east-1a", "Size": 1},
    "CreateVpc": {"CidrBlock": "10.9.0.0/16"},
    "CreateVpcEndpoint": {**VPC, "ServiceName": "com.amazonaws.us-east-1.dynamodb"},
    "CreateVpcPeeringConnection": {**VPC, "PeerVpcId": "@third"},
    "DeleteDhcpOptions": {"DhcpOptionsId": "@options"},
    "DeleteEgressOnlyInternetGateway": {"EgressOnlyInternetGatewayId": "@egress"},
    "DeleteFlowLogs": {"FlowLogIds": ["@log"]},
    "DeleteInternetGateway": {"InternetGatewayId": "@loose_gateway"},
    "DeleteKeyPair": {"KeyName": "first"},
    "DeleteLaunchTemplate": TEMPLATE,
    "DeleteLaunchTemplateVersions": {**TEMPLATE, "Versions": ["2"]},
    "DeleteManagedPrefixList": LIST,
    "DeleteNatGateway": {"NatGatewayId": "@nat"},
    "DeleteNetworkAcl": {"NetworkAclId": "@acl"},
    "DeleteNetworkAclEntry": {"NetworkAclId": "@acl", "RuleNumber": 1, "Egress": False},
    "DeleteNetworkInterface": CARD,
    "DeleteRoute": {**ROUTES, "DestinationCidrBlock": "192.0.2.0/24"},
    "DeleteRouteTable": {"RouteTableId": "@loose_table"},
    "DeleteSecurityGroup": {"GroupId": "@group"},
    "DeleteSubnet": {"SubnetId": "@loose_subnet"},
    "DeleteTags": {"Resources": ["@vpc"], "Tags": [{"Key": "Name"}]},
    "DeleteVolume": {"VolumeId": "@volume"},
    "DeleteVpc": {"VpcId": "@third"},
    "DeleteVpcEndpoints": {"VpcEndpointIds": ["@endpoint"]},
    "DeleteVpcPeeringConnection": PEERING,
    "DeregisterImage": {"ImageId": "@image"},
    "DescribeAddressesAttribute": {"Attribute": "domain-name"},
    "DescribeImageAttribute": {"ImageId": "@image", "Attribute": "description"},
    "DescribeInstanceAttribute": {**INSTANCE, "Attribute": "instanceType"},
    "DescribeLaunchTemplateVersions": TEMPLATE,
    "DescribeNetworkInterfaceAttribute": {**CARD, "Attribute": "description"},
    "DescribeSecurityGroupReferences": {"GroupId": ["@group"]},
    "DescribeStaleSecurityGroups": VPC,
    "DescribeVolumeAttribute": {"VolumeId": "@volume", "Attribute": "autoEnableIO"},
    "DescribeVpcAttribute": {**VPC, "Attribute": "enableDnsSupport"},
    "DetachInternetGateway": {"InternetGatewayId": "@other_gateway", "VpcId": "@other"},
    "DetachNetworkInterface": {"AttachmentId": "@attachment"},
    "DetachVolume": {"VolumeId": "@attached_volume"},
    "DisassociateAddress": {"AssociationId": "@address_association"},
    "DisassociateNatGatewayAddress": {"NatGatewayId": "@nat",
                                      "AssociationIds": ["@nat_association"]},
    "DisassociateRouteTable": {"AssociationId": "@table_association"},
    "DisassociateSubnetCidrBlock": {"AssociationId": "@subnet_block"},
    "DisassociateVpcCidrBlock": {"AssociationId": "@vpc_block"},
    "GetConsoleOutput": INSTANCE,
    "GetLaunchTemplateData": INSTANCE,
    "GetManagedPrefixListAssociations": LIST,
    "GetManagedPrefixListEntries": LIST,
    "ImportKeyPair": {"KeyName": "third", "PublicKeyMaterial": PUBLIC},
    "ModifyAddressAttribute": {"AllocationId": "@allocation", "DomainName": "x.org"},
    "ModifyImageAttribute": {"ImageId": "@image", "Description": {"Value": "x"}},
    "ModifyInstanceAttribute": {**INSTANCE, "DisableApiTermination": {"Value": True}},
    "ModifyInstanceCreditSpecification": {
        "InstanceCreditSpecifications": [{**INSTANCE, "CpuCredits": "standard"}]},
    "ModifyInstanceMaintenanceOptions": {**INSTANCE, "AutoRecovery": "disabled"},
    "ModifyInstanceMetadataDefaults": {"HttpTokens": "required"},
    "ModifyInstanceMetadataOptions": {**INSTANCE, "HttpTokens": "required"},
    "ModifyLaunchTemplate": {**TEMPLATE, "DefaultVersion": "2"},
    "ModifyManagedPrefixList": {**LIST, "CurrentVersion": 2,
                                "AddEntries": [{"Cidr": "10.9.0.0/16"}]},
    "ModifyNetworkInterfaceAttribute": {**CARD, "Description": {"Value": "x"}},
    "ModifyPrivateDnsNameOptions": {**INSTANCE, "EnableResourceNameDnsARecord": True},
    "ModifySecurityGroupRules": {"GroupId": "@group", "SecurityGroupRules": [
        {"SecurityGroupRuleId": "@rule", "SecurityGroupRule": rule(CidrIpv4="10.9.0.0/16")}]},
    "ModifySubnetAttribute": {"SubnetId": "@subnet", "MapPublicIpOnLaunch": {"Value": True}},
    "ModifyVolume": {"VolumeId": "@volume", "Size": 3},
    "ModifyVolumeAttribute": {"VolumeId": "@volume", "AutoEnableIO": {"Value": True}},
    "ModifyVpcAttribute": {**VPC, "EnableDnsHostnames": {"Value": True}},
    "ModifyVpcEndpoint": {"VpcEndpointId": "@endpoint", "AddRouteTableIds": ["@table"]},
    "ModifyVpcPeeringConnectionOptions": {
        "VpcPeeringConnectionId": "@peering",
        "RequesterPeeringConnectionOptions": {"AllowDnsResolutionFromRemoteVpc": False}},
    "MonitorInstances": INSTANCES,
    "RebootInstances": INSTANCES,
    "RegisterImage": {"Name": "second", "ImageLocation": "@place"},
    "RejectVpcPeeringConnection": PEERING,
    "ReleaseAddress": {"AllocationId": "@allocation"},
    "ReplaceNetworkAclAssociation": {"AssociationId": "@acl_association", "NetworkAclId": "@acl"},
    "ReplaceNetworkAclEntry": {**ENTRY, "RuleNumber": 1},
    "ReplaceRoute": {**ROUTES, "DestinationCidrBlock": "192.0.2.0/24", "NatGatewayId": "@nat"},
    "ReplaceRouteTableAssociation": {"AssociationId": "@table_association",
                                     "RouteTableId": "@loose_table"},
    "ResetAddressAttribute": {"AllocationId": "@allocation", "Attribute": "domain-name"},
    "ResetNetworkInterfaceAttribute": {**CARD, "SourceDestCheck": "x"},
    "RestoreManagedPrefixListVersion": {**LIST, "PreviousVersion": 1, "CurrentVersion": 2},
    "RevokeSecurityGroupEgress": {"GroupId": "@group", "IpPermissions": [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
    "RevokeSecurityGroupIngress": {"GroupId": "@group", "SecurityGroupRuleIds": ["@rule"]},
    "RunInstances": {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": "@subnet"},
    "StartInstances": {"InstanceIds": ["@stopped"]},
    "StopInstances": INSTANCES,
    "TerminateInstances": INSTANCES,
    "UnassignPrivateIpAddresses": {**CARD, "PrivateIpAddresses": ["@secondary"]},
    "UnassignPrivateNatGatewayAddress": {"NatGatewayId": "@private_nat",
                                         "PrivateIpAddresses": ["10.0.1.78"]},
    "UnmonitorInstances": INSTANCES,
    "UpdateSecurityGroupRuleDescriptionsEgress": {"GroupId": "@group", "IpPermissions": [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "x"}]}]},
    "UpdateSecurityGroupRuleDescriptionsIngress": {"GroupId": "@group", "IpPermissions": [
        rule(IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "x"}])]},
}

READING = ("Describe", "Get")

# In the default VPC's region there is a default VPC, and every zone has its default subnet.
NO_DEFAULT_VPC, NO_DEFAULT_SUBNET = "us-west-1", "us-west-2"
REGIONS = {"CreateDefaultVpc": NO_DEFAULT_VPC, "CreateDefaultSubnet": NO_DEFAULT_SUBNET}


def request_of(action, things):
    """None for an action that has to have a row and has none."""
    request = REQUESTS.get(action, {} if action.startswith(READING) else None)
    return None if request is None else filled(request, things)


def filled(value, things):
    if isinstance(value, dict):
        return {name: filled(inner, things) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, things) for inner in value]
    if isinstance(value, str) and value.startswith("@"):
        return things[value[1:]]
    return value


def furnish(world, place):
    """The things by their names; `place` is a directory to make an image of."""
    ec2, things = world.ec2, {"place": f"file://{place}"}
    network(world, ec2, things)
    rules(world, ec2, things)
    machines(world, ec2, things)
    things["image"] = ec2.register_image(Name="first", ImageLocation=things["place"])["ImageId"]
    ec2.create_key_pair(KeyName="first")
    things["log"], = ec2.create_flow_logs(**{**filled(LOG, things), "ResourceIds": [things["other"]]})[
        "FlowLogIds"]
    things["endpoint"] = ec2.create_vpc_endpoint(
        VpcId=things["vpc"], ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"][
            "VpcEndpointId"]
    things["template"] = ec2.create_launch_template(
        LaunchTemplateName="first", LaunchTemplateData={"ImageId": IMAGE})["LaunchTemplate"][
            "LaunchTemplateId"]
    ec2.create_launch_template_version(LaunchTemplateId=things["template"],
                                       LaunchTemplateData={"InstanceType": "t3.micro"})
    world.remove_default_vpc(world.client(region=NO_DEFAULT_VPC))
    elsewhere = world.client(region=NO_DEFAULT_SUBNET)
    zone = elsewhere.describe_subnets()["Subnets"][0]
    elsewhere.delete_subnet(SubnetId=zone["SubnetId"])
    things["default_zone"] = zone["AvailabilityZone"]
    return things


def network(world, ec2, things):
    vpc = things["vpc"] = world.vpc(AmazonProvidedIpv6CidrBlock=True)
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "first"}])
    for number, name in enumerate(("other", "third"), 1):
        things[name] = world.vpc(f"10.{number}.0.0/16")
    things["vpc_block"] = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.7.0.0/16")[
        "CidrBlockAssociation"]["AssociationId"]
    for name, block in (("subnet", "10.0.1.0/24"), ("second", "10.0.2.0/24"),
                        ("loose_subnet", "10.0.3.0/24")):
        things[name] = world.subnet(vpc, block)
    whole = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0][
        "Ipv6CidrBlock"]
    things["ipv6"] = whole.replace("/56", "/64")
    things["subnet_block"] = ec2.associate_subnet_cidr_block(
        SubnetId=things["second"], Ipv6CidrBlock=whole.replace("00::/56", "01::/64"))[
            "Ipv6CidrBlockAssociation"]["AssociationId"]
    things["gateway"] = world.gateway(vpc)
    things["loose_gateway"], things["other_gateway"] = world.gateway(), world.gateway(things["other"])
    things["egress"] = ec2.create_egress_only_internet_gateway(VpcId=vpc)[
        "EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    things["loose_table"] = world.route_table(vpc)
    things["table"] = world.route_table(vpc, gateway=things["gateway"])
    ec2.create_route(RouteTableId=things["table"], DestinationCidrBlock="192.0.2.0/24",
                     GatewayId=things["gateway"])
    things["table_association"] = ec2.associate_route_table(
        RouteTableId=things["table"], SubnetId=things["subnet"])["AssociationId"]
    for name in ("vpc", "other"):
        ec2.modify_vpc_attribute(VpcId=things[name], EnableDnsHostnames={"Value": True})
    things["peering"] = world.peering(vpc, things["other"])
    things["request"] = world.peering(things["other"], things["third"], accept=False)
    things["allocation"] = world.elastic_ip()[0]
    nat_gateways(world, ec2, things)


def nat_gateways(world, ec2, things):
    """With second addresses, of which Debian 12's boto3 doesn't know yet."""
    things["nat"] = ec2.create_nat_gateway(
        SubnetId=things["subnet"], AllocationId=world.elastic_ip()[0])["NatGateway"]["NatGatewayId"]
    made = wire.call(world, "AssociateNatGatewayAddress", NatGatewayId=things["nat"],
                     AllocationId__1=world.elastic_ip()[0]).root
    things["nat_association"] = made.findall(".//{*}associationId")[-1].text
    things["private_nat"] = wire.call(
        world, "CreateNatGateway", SubnetId=things["subnet"], ConnectivityType="private",
        PrivateIpAddress="10.0.1.77", SecondaryPrivateIpAddress__1="10.0.1.78").root.findtext(
            ".//{*}natGatewayId")


def rules(world, ec2, things):
    vpc = things["vpc"]
    things["group"] = world.security_group(vpc)
    things["rule"] = ec2.authorize_security_group_ingress(
        GroupId=things["group"], IpPermissions=[rule(IpRanges=[{"CidrIp": "10.0.0.0/8"}])])[
            "SecurityGroupRules"][0]["SecurityGroupRuleId"]
    things["acl"] = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(**{**filled(ENTRY, things), "RuleNumber": 1})
    default, = ec2.describe_network_acls(Filters=[
        {"Name": "association.subnet-id", "Values": [things["subnet"]]}])["NetworkAcls"]
    things["acl_association"], = [
        each["NetworkAclAssociationId"] for each in default["Associations"]
        if each["SubnetId"] == things["subnet"]]
    things["options"] = ec2.create_dhcp_options(DhcpConfigurations=[
        {"Key": "domain-name", "Values": ["example.com"]}])["DhcpOptions"]["DhcpOptionsId"]
    made = ec2.create_managed_prefix_list(PrefixListName="first", MaxEntries=5,
                                          AddressFamily="IPv4")["PrefixList"]
    things["list"] = made["PrefixListId"]
    ec2.modify_managed_prefix_list(PrefixListId=made["PrefixListId"], CurrentVersion=1,
                                   AddEntries=[{"Cidr": "10.0.0.0/8"}])


def machines(world, ec2, things):
    things["instance"], = world.run_instances(things["subnet"])
    things["stopped"], = world.run_instances(things["subnet"])
    ec2.stop_instances(InstanceIds=[things["stopped"]])
    world.await_state("stopped", things["stopped"])
    things["card"] = ec2.create_network_interface(SubnetId=things["subnet"])["NetworkInterface"][
        "NetworkInterfaceId"]
    things["secondary"] = ec2.assign_private_ip_addresses(
        NetworkInterfaceId=things["card"], SecondaryPrivateIpAddressCount=1)[
            "AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]
    attached = ec2.create_network_interface(SubnetId=things["subnet"])["NetworkInterface"][
        "NetworkInterfaceId"]
    things["attachment"] = ec2.attach_network_interface(
        NetworkInterfaceId=attached, InstanceId=things["instance"], DeviceIndex=1)["AttachmentId"]
    things["address_association"] = ec2.associate_address(
        NetworkInterfaceId=attached, AllocationId=world.elastic_ip()[0])["AssociationId"]
    things["volume"], things["attached_volume"] = names(
        [ec2.create_volume(AvailabilityZone="us-east-1a", Size=1) for _ in "ab"], "VolumeId")
    ec2.attach_volume(VolumeId=things["attached_volume"], InstanceId=things["instance"],
                      Device="/dev/sdf")
