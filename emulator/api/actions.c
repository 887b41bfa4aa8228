/*
 * The action table. Parameters are in the notation of params_check(): what the API model has for
 * the call. A parameter that we can't honour is known here, and refused by its handler by name.
 */
#include "api/actions.h"

#define ENFORCED(name_, handler_, parameters_)                                                     \
	{                                                                                          \
		"ec2", name_, parameters_, handler_, ACTION_ENFORCED                               \
	}
#define RECORDED(name_, handler_, parameters_)                                                     \
	{                                                                                          \
		"ec2", name_, parameters_, handler_, ACTION_RECORDED                               \
	}
#define READ(name_, handler_, parameters_)                                                         \
	{                                                                                          \
		"ec2", name_, parameters_, handler_, ACTION_READ                                   \
	}
#define OWN(name_, handler_, parameters_)                                                          \
	{                                                                                          \
		"minivpc", name_, parameters_, handler_, ACTION_READ                               \
	}
#define STACK(name_, handler_, parameters_, effect_)                                               \
	{                                                                                          \
		"cloudformation", name_, parameters_, handler_, effect_                            \
	}

/* What a stack, or a change set, is to be made of. */
#define STACK_PARAMETERS                                                                           \
	"TemplateBody TemplateURL Parameters.member.N.ParameterKey "                               \
	"Parameters.member.N.ParameterValue Parameters.member.N.UsePreviousValue:b "               \
	"Parameters.member.N.ResolvedValue Capabilities.member.N NotificationARNs.member.N "       \
	"ResourceTypes.member.N RoleARN Tags.member.N.Key Tags.member.N.Value "                    \
	"RollbackConfiguration.RollbackTriggers.member.N.Arn "                                     \
	"RollbackConfiguration.RollbackTriggers.member.N.Type "                                    \
	"RollbackConfiguration.MonitoringTimeInMinutes:i "

#define PAGED "Filter.N NextToken MaxResults:i "
#define TAGS  "TagSpecification.N.* "

#define ROUTE_PARAMETERS                                                                           \
	"DestinationPrefixListId VpcEndpointId TransitGatewayId LocalGatewayId CarrierGatewayId "  \
	"CoreNetworkArn OdbNetworkArn RouteTableId! DestinationCidrBlock GatewayId "               \
	"DestinationIpv6CidrBlock EgressOnlyInternetGatewayId InstanceId NetworkInterfaceId "      \
	"VpcPeeringConnectionId NatGatewayId "

#define ACL_ENTRY_PARAMETERS                                                                       \
	"NetworkAclId! RuleNumber!:i Protocol! RuleAction! Egress!:b CidrBlock Ipv6CidrBlock "     \
	"Icmp.Code:i Icmp.Type:i PortRange.From:i PortRange.To:i"
#define PERMISSIONS                                                                                \
	"IpPermissions.N.IpProtocol IpPermissions.N.FromPort:i IpPermissions.N.ToPort:i "          \
	"IpPermissions.N.Groups.N.Description IpPermissions.N.Groups.N.UserId "                    \
	"IpPermissions.N.Groups.N.GroupName IpPermissions.N.Groups.N.GroupId "                     \
	"IpPermissions.N.Groups.N.VpcId IpPermissions.N.Groups.N.VpcPeeringConnectionId "          \
	"IpPermissions.N.Groups.N.PeeringStatus IpPermissions.N.IpRanges.N.Description "           \
	"IpPermissions.N.IpRanges.N.CidrIp IpPermissions.N.Ipv6Ranges.N.Description "              \
	"IpPermissions.N.Ipv6Ranges.N.CidrIpv6 IpPermissions.N.PrefixListIds.N.Description "       \
	"IpPermissions.N.PrefixListIds.N.PrefixListId "
/* The same of one rule, as it was before there were permissions. */
#define FLAT_PERMISSION                                                                            \
	"CidrIp FromPort:i IpProtocol SourceSecurityGroupName SourceSecurityGroupOwnerId "         \
	"ToPort:i "
#define NEW_DESCRIPTIONS                                                                           \
	"SecurityGroupRuleDescription.N.SecurityGroupRuleId "                                      \
	"SecurityGroupRuleDescription.N.Description "
#define NEW_RULE "SecurityGroupRule.N!.SecurityGroupRule."

#define PEERING_OPTIONS(side_)                                                                     \
	side_ "PeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc:b " side_                  \
	      "PeeringConnectionOptions.AllowEgressFromLocalClassicLinkToRemoteVpc:b " side_       \
	      "PeeringConnectionOptions.AllowEgressFromLocalVpcToRemoteClassicLink:b "

/* What a launch and a launch template say alike; `p_` is before each name. */
#define LAUNCH_PARAMETERS(p_)                                                                      \
	p_ "BlockDeviceMapping.N.Ebs.DeleteOnTermination:b " p_                                    \
	   "BlockDeviceMapping.N.Ebs.Iops:i " p_ "BlockDeviceMapping.N.Ebs.SnapshotId " p_         \
	   "BlockDeviceMapping.N.Ebs.VolumeSize:i " p_ "BlockDeviceMapping.N.Ebs.VolumeType " p_   \
	   "BlockDeviceMapping.N.Ebs.KmsKeyId " p_ "BlockDeviceMapping.N.Ebs.Throughput:i " p_     \
	   "BlockDeviceMapping.N.Ebs.Encrypted:b " p_                                              \
	   "BlockDeviceMapping.N.Ebs.AvailabilityZone " p_                                         \
	   "BlockDeviceMapping.N.Ebs.VolumeInitializationRate:i " p_                               \
	   "BlockDeviceMapping.N.Ebs.AvailabilityZoneId " p_                                       \
	   "BlockDeviceMapping.N.Ebs.EbsCardIndex:i " p_ "BlockDeviceMapping.N.NoDevice " p_       \
	   "BlockDeviceMapping.N.DeviceName " p_ "BlockDeviceMapping.N.VirtualName " p_            \
	   "ImageId " p_ "InstanceType " p_ "KeyName " p_ "Monitoring.Enabled:b " p_               \
	   "Placement.AvailabilityZoneId " p_ "Placement.Affinity " p_ "Placement.GroupName " p_   \
	   "Placement.PartitionNumber:i " p_ "Placement.HostId " p_ "Placement.Tenancy " p_        \
	   "Placement.SpreadDomain " p_ "Placement.HostResourceGroupArn " p_                       \
	   "Placement.GroupId " p_ "Placement.AvailabilityZone " p_ "SecurityGroupId.N " p_        \
	   "SecurityGroup.N " p_ "UserData " p_ "CreditSpecification.CpuCredits " p_               \
	   "CpuOptions.CoreCount:i " p_ "CpuOptions.ThreadsPerCore:i " p_                          \
	   "CpuOptions.AmdSevSnp " p_ "CpuOptions.NestedVirtualization " p_                        \
	   "MetadataOptions.HttpTokens " p_ "MetadataOptions.HttpPutResponseHopLimit:i " p_        \
	   "MetadataOptions.HttpEndpoint " p_ "MetadataOptions.HttpProtocolIpv6 " p_               \
	   "MetadataOptions.InstanceMetadataTags " p_ "PrivateDnsNameOptions.HostnameType " p_     \
	   "PrivateDnsNameOptions.EnableResourceNameDnsARecord:b " p_                              \
	   "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord:b " p_ "DisableApiStop:b " p_    \
	   "DisableApiTermination:b " p_ "InstanceInitiatedShutdownBehavior " p_                   \
	   "NetworkInterface.N.AssociatePublicIpAddress:b " p_                                     \
	   "NetworkInterface.N.DeleteOnTermination:b " p_ "NetworkInterface.N.Description " p_     \
	   "NetworkInterface.N.DeviceIndex:i " p_ "NetworkInterface.N.SecurityGroupId.N " p_       \
	   "NetworkInterface.N.Ipv6AddressCount:i " p_                                             \
	   "NetworkInterface.N.Ipv6Addresses.N.Ipv6Address " p_                                    \
	   "NetworkInterface.N.Ipv6Addresses.N.IsPrimaryIpv6:b " p_                                \
	   "NetworkInterface.N.NetworkInterfaceId " p_ "NetworkInterface.N.PrivateIpAddress " p_   \
	   "NetworkInterface.N.PrivateIpAddresses.N.Primary:b " p_                                 \
	   "NetworkInterface.N.PrivateIpAddresses.N.PrivateIpAddress " p_                          \
	   "NetworkInterface.N.SecondaryPrivateIpAddressCount:i " p_                               \
	   "NetworkInterface.N.SubnetId " p_ "NetworkInterface.N.AssociateCarrierIpAddress:b " p_  \
	   "NetworkInterface.N.InterfaceType " p_ "NetworkInterface.N.NetworkCardIndex:i " p_      \
	   "NetworkInterface.N.Ipv4PrefixCount:i " p_                                              \
	   "NetworkInterface.N.Ipv4Prefix.N.Ipv4Prefix " p_                                        \
	   "NetworkInterface.N.Ipv6PrefixCount:i " p_                                              \
	   "NetworkInterface.N.Ipv6Prefix.N.Ipv6Prefix " p_ "NetworkInterface.N.PrimaryIpv6:b " p_ \
	   "NetworkInterface.N.ConnectionTrackingSpecification.TcpEstablishedTimeout:i " p_        \
	   "NetworkInterface.N.ConnectionTrackingSpecification.UdpStreamTimeout:i " p_             \
	   "NetworkInterface.N.ConnectionTrackingSpecification.UdpTimeout:i " p_                   \
	   "NetworkInterface.N.EnaQueueCount:i " p_ "IamInstanceProfile.Arn " p_                   \
	   "IamInstanceProfile.Name " p_ "EbsOptimized:b " p_                                      \
	   "HibernationOptions.Configured:b " p_ "EnclaveOptions.Enabled:b " p_                    \
	   "MaintenanceOptions.AutoRecovery " p_ "InstanceMarketOptions.MarketType " p_            \
	   "CapacityReservationSpecification.CapacityReservationPreference " p_                    \
	   "TagSpecification.N.* "

#define RUN_PARAMETERS                                                                             \
	LAUNCH_PARAMETERS("")                                                                      \
	"Ipv6AddressCount:i Ipv6Address.N.Ipv6Address Ipv6Address.N.IsPrimaryIpv6:b MaxCount!:i "  \
	"MinCount!:i SubnetId LaunchTemplate.LaunchTemplateId LaunchTemplate.LaunchTemplateName "  \
	"LaunchTemplate.Version EnablePrimaryIpv6:b PrivateIpAddress ClientToken AdditionalInfo "

#define TEMPLATE_PARAMETERS                                                                        \
	LAUNCH_PARAMETERS("LaunchTemplateData.")                                                   \
	"VersionDescription ClientToken "

#define ENDPOINT_PARAMETERS                                                                        \
	"DnsOptions.DnsRecordIpType DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint:b "        \
	"DnsOptions.PrivateDnsPreference DnsOptions.PrivateDnsSpecifiedDomain.N "                  \
	"PrivateDnsEnabled:b SubnetConfiguration.N.SubnetId SubnetConfiguration.N.Ipv4 "           \
	"SubnetConfiguration.N.Ipv6 "

const struct action actions[] = {
	ENFORCED("CreateVpc", create_vpc,
		 "CidrBlock Ipv6Pool Ipv6CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength:i "
		 "Ipv6IpamPoolId "
		 "Ipv6NetmaskLength:i Ipv6CidrBlockNetworkBorderGroup " TAGS
		 "InstanceTenancy AmazonProvidedIpv6CidrBlock:b"),
	ENFORCED("DeleteVpc", delete_vpc, "VpcId!"),
	READ("DescribeVpcs", describe_vpcs, PAGED "VpcId.N"),
	READ("DescribeVpcAttribute", describe_vpc_attribute, "Attribute! VpcId!"),
	ENFORCED("ModifyVpcAttribute", modify_vpc_attribute,
		 "EnableDnsHostnames.Value:b EnableDnsSupport.Value:b VpcId! "
		 "EnableNetworkAddressUsageMetrics.Value:b"),
	ENFORCED("CreateDefaultVpc", create_default_vpc, ""),
	ENFORCED("CreateDefaultSubnet", create_default_subnet,
		 "AvailabilityZone Ipv6Native:b AvailabilityZoneId"),
	ENFORCED("AssociateVpcCidrBlock", associate_vpc_cidr_block,
		 "CidrBlock Ipv6CidrBlockNetworkBorderGroup Ipv6Pool Ipv6CidrBlock Ipv4IpamPoolId "
		 "Ipv4NetmaskLength:i Ipv6IpamPoolId Ipv6NetmaskLength:i VpcId! "
		 "AmazonProvidedIpv6CidrBlock:b"),
	ENFORCED("DisassociateVpcCidrBlock", disassociate_vpc_cidr_block, "AssociationId!"),
	ENFORCED(
		"CreateSubnet", create_subnet,
		TAGS
		"AvailabilityZone AvailabilityZoneId CidrBlock Ipv6CidrBlock VpcId! Ipv6Native:b "
		"OutpostArn Ipv4IpamPoolId Ipv4NetmaskLength:i Ipv6IpamPoolId Ipv6NetmaskLength:i"),
	ENFORCED("DeleteSubnet", delete_subnet, "SubnetId!"),
	READ("DescribeSubnets", describe_subnets, PAGED "SubnetId.N"),
	ENFORCED("ModifySubnetAttribute", modify_subnet_attribute,
		 "AssignIpv6AddressOnCreation.Value:b MapPublicIpOnLaunch.Value:b SubnetId! "
		 "MapCustomerOwnedIpOnLaunch.Value:b CustomerOwnedIpv4Pool EnableDns64.Value:b "
		 "PrivateDnsHostnameTypeOnLaunch EnableResourceNameDnsARecordOnLaunch.Value:b "
		 "EnableResourceNameDnsAAAARecordOnLaunch.Value:b EnableLniAtDeviceIndex:i "
		 "DisableLniAtDeviceIndex.Value:b"),
	RECORDED("AssociateSubnetCidrBlock", associate_subnet_cidr_block,
		 "Ipv6IpamPoolId Ipv6NetmaskLength:i SubnetId! Ipv6CidrBlock"),
	RECORDED("DisassociateSubnetCidrBlock", disassociate_subnet_cidr_block, "AssociationId!"),
	ENFORCED("CreateInternetGateway", create_internet_gateway, TAGS),
	ENFORCED("DeleteInternetGateway", delete_internet_gateway, "InternetGatewayId!"),
	ENFORCED("AttachInternetGateway", attach_internet_gateway, "InternetGatewayId! VpcId!"),
	ENFORCED("DetachInternetGateway", detach_internet_gateway, "InternetGatewayId! VpcId!"),
	READ("DescribeInternetGateways", describe_internet_gateways, PAGED "InternetGatewayId.N"),
	RECORDED("CreateEgressOnlyInternetGateway", create_egress_only_internet_gateway,
		 "ClientToken VpcId! " TAGS),
	RECORDED("DeleteEgressOnlyInternetGateway", delete_egress_only_internet_gateway,
		 "EgressOnlyInternetGatewayId!"),
	READ("DescribeEgressOnlyInternetGateways", describe_egress_only_internet_gateways,
	     PAGED "EgressOnlyInternetGatewayId.N"),
	ENFORCED("CreateRouteTable", create_route_table, TAGS "ClientToken VpcId!"),
	ENFORCED("DeleteRouteTable", delete_route_table, "RouteTableId!"),
	READ("DescribeRouteTables", describe_route_tables, PAGED "RouteTableId.N"),
	ENFORCED("AssociateRouteTable", associate_route_table,
		 "GatewayId PublicIpv4Pool SubnetId RouteTableId!"),
	ENFORCED("DisassociateRouteTable", disassociate_route_table, "AssociationId!"),
	ENFORCED("ReplaceRouteTableAssociation", replace_route_table_association,
		 "AssociationId! RouteTableId!"),
	ENFORCED("CreateRoute", create_route, ROUTE_PARAMETERS),
	ENFORCED("ReplaceRoute", replace_route, ROUTE_PARAMETERS "LocalTarget:b"),
	ENFORCED("DeleteRoute", delete_route,
		 "DestinationPrefixListId RouteTableId! DestinationCidrBlock "
		 "DestinationIpv6CidrBlock"),
	ENFORCED("CreateSecurityGroup", create_security_group,
		 "GroupDescription! GroupName! VpcId " TAGS),
	ENFORCED("DeleteSecurityGroup", delete_security_group, "GroupId GroupName"),
	READ("DescribeSecurityGroups", describe_security_groups, PAGED "GroupId.N GroupName.N"),
	ENFORCED("CreateNetworkAcl", create_network_acl, TAGS "ClientToken VpcId!"),
	ENFORCED("DeleteNetworkAcl", delete_network_acl, "NetworkAclId!"),
	READ("DescribeSecurityGroupRules", describe_security_group_rules,
	     PAGED "SecurityGroupRuleId.N"),
	ENFORCED("AuthorizeSecurityGroupIngress", authorize_ingress,
		 "GroupId GroupName " TAGS FLAT_PERMISSION PERMISSIONS),
	ENFORCED("AuthorizeSecurityGroupEgress", authorize_egress,
		 "GroupId! " TAGS FLAT_PERMISSION PERMISSIONS),
	ENFORCED("RevokeSecurityGroupIngress", revoke_ingress,
		 "GroupId GroupName SecurityGroupRuleId.N " FLAT_PERMISSION PERMISSIONS),
	ENFORCED("RevokeSecurityGroupEgress", revoke_egress,
		 "GroupId! SecurityGroupRuleId.N " FLAT_PERMISSION PERMISSIONS),
	ENFORCED("ModifySecurityGroupRules", modify_security_group_rules,
		 "GroupId! SecurityGroupRule.N!.SecurityGroupRuleId " NEW_RULE
		 "IpProtocol " NEW_RULE "FromPort:i " NEW_RULE "ToPort:i " NEW_RULE
		 "CidrIpv4 " NEW_RULE "CidrIpv6 " NEW_RULE "PrefixListId " NEW_RULE
		 "ReferencedGroupId " NEW_RULE "Description"),
	RECORDED("UpdateSecurityGroupRuleDescriptionsIngress", update_descriptions_ingress,
		 "GroupId GroupName " PERMISSIONS NEW_DESCRIPTIONS),
	RECORDED("UpdateSecurityGroupRuleDescriptionsEgress", update_descriptions_egress,
		 "GroupId GroupName " PERMISSIONS NEW_DESCRIPTIONS),
	READ("DescribeSecurityGroupReferences", describe_security_group_references, "GroupId.N!"),
	READ("DescribeStaleSecurityGroups", describe_stale_security_groups,
	     "MaxResults:i NextToken VpcId!"),
	READ("DescribeNetworkAcls", describe_network_acls, PAGED "NetworkAclId.N"),
	ENFORCED("CreateNetworkAclEntry", create_network_acl_entry, ACL_ENTRY_PARAMETERS),
	ENFORCED("ReplaceNetworkAclEntry", replace_network_acl_entry, ACL_ENTRY_PARAMETERS),
	ENFORCED("DeleteNetworkAclEntry", delete_network_acl_entry,
		 "NetworkAclId! RuleNumber!:i Egress!:b"),
	ENFORCED("ReplaceNetworkAclAssociation", replace_network_acl_association,
		 "AssociationId! NetworkAclId!"),
	ENFORCED("CreateManagedPrefixList", create_managed_prefix_list,
		 TAGS
		 "PrefixListName! Entry.N.Cidr Entry.N.Description MaxEntries!:i AddressFamily! "
		 "ClientToken"),
	ENFORCED("DeleteManagedPrefixList", delete_managed_prefix_list, "PrefixListId!"),
	READ("DescribeManagedPrefixLists", describe_managed_prefix_lists, PAGED "PrefixListId.N"),
	ENFORCED("ModifyManagedPrefixList", modify_managed_prefix_list,
		 "PrefixListId! CurrentVersion:i PrefixListName AddEntry.N.Cidr "
		 "AddEntry.N.Description "
		 "RemoveEntry.N.Cidr MaxEntries:i IpamPrefixListResolverSyncEnabled:b"),
	ENFORCED("RestoreManagedPrefixListVersion", restore_managed_prefix_list_version,
		 "PrefixListId! PreviousVersion!:i CurrentVersion!:i"),
	READ("GetManagedPrefixListEntries", get_managed_prefix_list_entries,
	     "PrefixListId! TargetVersion:i MaxResults:i NextToken"),
	READ("GetManagedPrefixListAssociations", get_managed_prefix_list_associations,
	     "PrefixListId! MaxResults:i NextToken"),
	READ("DescribePrefixLists", describe_prefix_lists, PAGED "PrefixListId.N"),
	ENFORCED("CreateVpcPeeringConnection", create_vpc_peering_connection,
		 TAGS "PeerRegion VpcId! PeerVpcId PeerOwnerId"),
	ENFORCED("AcceptVpcPeeringConnection", accept_vpc_peering_connection,
		 "VpcPeeringConnectionId!"),
	ENFORCED("RejectVpcPeeringConnection", reject_vpc_peering_connection,
		 "VpcPeeringConnectionId!"),
	ENFORCED("DeleteVpcPeeringConnection", delete_vpc_peering_connection,
		 "VpcPeeringConnectionId!"),
	READ("DescribeVpcPeeringConnections", describe_vpc_peering_connections,
	     PAGED "VpcPeeringConnectionId.N"),
	ENFORCED("ModifyVpcPeeringConnectionOptions", modify_vpc_peering_connection_options,
		 PEERING_OPTIONS("Accepter")
			 PEERING_OPTIONS("Requester") "VpcPeeringConnectionId!"),
	ENFORCED("CreateNatGateway", create_nat_gateway,
		 TAGS "AvailabilityMode AllocationId ClientToken SubnetId! VpcId "
		      "ConnectivityType PrivateIpAddress SecondaryAllocationId.N "
		      "SecondaryPrivateIpAddress.N SecondaryPrivateIpAddressCount:i"),
	ENFORCED("DeleteNatGateway", delete_nat_gateway, "NatGatewayId!"),
	ENFORCED("AssociateNatGatewayAddress", associate_nat_gateway_address,
		 "NatGatewayId! AllocationId.N! PrivateIpAddress.N"),
	ENFORCED("DisassociateNatGatewayAddress", disassociate_nat_gateway_address,
		 "NatGatewayId! AssociationId.N! MaxDrainDurationSeconds:i"),
	ENFORCED("AssignPrivateNatGatewayAddress", assign_private_nat_gateway_address,
		 "NatGatewayId! PrivateIpAddress.N PrivateIpAddressCount:i"),
	ENFORCED("UnassignPrivateNatGatewayAddress", unassign_private_nat_gateway_address,
		 "NatGatewayId! PrivateIpAddress.N! MaxDrainDurationSeconds:i"),
	READ("DescribeNatGateways", describe_nat_gateways, PAGED "NatGatewayId.N"),
	ENFORCED("CreateDhcpOptions", create_dhcp_options,
		 "DhcpConfiguration.N!.Key DhcpConfiguration.N!.Value.N " TAGS),
	ENFORCED("DeleteDhcpOptions", delete_dhcp_options, "DhcpOptionsId!"),
	ENFORCED("AssociateDhcpOptions", associate_dhcp_options, "DhcpOptionsId! VpcId!"),
	READ("DescribeDhcpOptions", describe_dhcp_options, PAGED "DhcpOptionsId.N"),
	READ("DescribeNetworkInterfaces", describe_network_interfaces,
	     PAGED "NetworkInterfaceId.N IncludeManagedResources:b"),
	ENFORCED("CreateNetworkInterface", create_network_interface,
		 "Ipv4Prefix.N.Ipv4Prefix Ipv4PrefixCount:i Ipv6Prefix.N.Ipv6Prefix "
		 "Ipv6PrefixCount:i "
		 "InterfaceType " TAGS "ClientToken EnablePrimaryIpv6:b "
		 "ConnectionTrackingSpecification.TcpEstablishedTimeout:i "
		 "ConnectionTrackingSpecification.UdpStreamTimeout:i "
		 "ConnectionTrackingSpecification.UdpTimeout:i SubnetId! Description "
		 "PrivateIpAddress "
		 "SecurityGroupId.N PrivateIpAddresses.N.Primary:b "
		 "PrivateIpAddresses.N.PrivateIpAddress "
		 "SecondaryPrivateIpAddressCount:i Ipv6Addresses.N.Ipv6Address "
		 "Ipv6Addresses.N.IsPrimaryIpv6:b Ipv6AddressCount:i"),
	ENFORCED("DeleteNetworkInterface", delete_network_interface, "NetworkInterfaceId!"),
	ENFORCED("AttachNetworkInterface", attach_network_interface,
		 "NetworkCardIndex:i EnaQueueCount:i NetworkInterfaceId! InstanceId! "
		 "DeviceIndex!:i"),
	ENFORCED("DetachNetworkInterface", detach_network_interface, "AttachmentId! Force:b"),
	ENFORCED("AssignPrivateIpAddresses", assign_private_ip_addresses,
		 "Ipv4Prefix.N Ipv4PrefixCount:i NetworkInterfaceId! PrivateIpAddress.N "
		 "SecondaryPrivateIpAddressCount:i AllowReassignment:b"),
	ENFORCED("UnassignPrivateIpAddresses", unassign_private_ip_addresses,
		 "Ipv4Prefix.N NetworkInterfaceId! PrivateIpAddress.N"),
	RECORDED("AssignIpv6Addresses", assign_ipv6_addresses,
		 "Ipv6PrefixCount:i Ipv6Prefix.N NetworkInterfaceId! Ipv6Addresses.N "
		 "Ipv6AddressCount:i"),
	ENFORCED("ResetNetworkInterfaceAttribute", reset_network_interface_attribute,
		 "NetworkInterfaceId! SourceDestCheck"),
	READ("DescribeNetworkInterfaceAttribute", describe_network_interface_attribute,
	     "NetworkInterfaceId! Attribute"),
	ENFORCED("ModifyNetworkInterfaceAttribute", modify_network_interface_attribute,
		 "EnablePrimaryIpv6:b ConnectionTrackingSpecification.TcpEstablishedTimeout:i "
		 "ConnectionTrackingSpecification.UdpStreamTimeout:i "
		 "ConnectionTrackingSpecification.UdpTimeout:i AssociatePublicIpAddress:b "
		 "AssociatedSubnetId.N NetworkInterfaceId! Description.Value "
		 "SourceDestCheck.Value:b "
		 "SecurityGroupId.N Attachment.DefaultEnaQueueCount:b Attachment.EnaQueueCount:i "
		 "Attachment.AttachmentId Attachment.DeleteOnTermination:b"),
	ENFORCED("AllocateAddress", allocate_address,
		 "Domain Address PublicIpv4Pool NetworkBorderGroup CustomerOwnedIpv4Pool " TAGS
		 "IpamPoolId"),
	ENFORCED("AssociateAddress", associate_address,
		 "AllocationId InstanceId PublicIp NetworkInterfaceId PrivateIpAddress "
		 "AllowReassociation:b"),
	ENFORCED("DisassociateAddress", disassociate_address, "AssociationId PublicIp"),
	ENFORCED("ReleaseAddress", release_address, "AllocationId PublicIp NetworkBorderGroup"),
	READ("DescribeAddresses", describe_addresses, "PublicIp.N Filter.N AllocationId.N"),
	READ("DescribeAddressesAttribute", describe_addresses_attribute,
	     "AllocationId.N Attribute NextToken MaxResults:i"),
	ENFORCED("ModifyAddressAttribute", modify_address_attribute, "AllocationId! DomainName"),
	ENFORCED("ResetAddressAttribute", reset_address_attribute, "AllocationId! Attribute!"),
	ENFORCED("RunInstances", run_instances, RUN_PARAMETERS),
	READ("DescribeInstanceAttribute", describe_instance_attribute, "InstanceId! Attribute!"),
	ENFORCED("ModifyInstanceAttribute", modify_instance_attribute,
		 "SourceDestCheck.Value:b DisableApiStop.Value:b InstanceId! Attribute Value "
		 "BlockDeviceMapping.N.DeviceName BlockDeviceMapping.N.Ebs.VolumeId "
		 "BlockDeviceMapping.N.Ebs.DeleteOnTermination:b BlockDeviceMapping.N.VirtualName "
		 "BlockDeviceMapping.N.NoDevice DisableApiTermination.Value:b InstanceType.Value "
		 "Kernel.Value Ramdisk.Value UserData.Value:base64 "
		 "InstanceInitiatedShutdownBehavior.Value GroupId.N EbsOptimized.Value:b "
		 "SriovNetSupport.Value EnaSupport.Value:b"),
	ENFORCED("ModifyInstanceMetadataOptions", modify_instance_metadata_options,
		 "InstanceId! HttpTokens HttpPutResponseHopLimit:i HttpEndpoint HttpProtocolIpv6 "
		 "InstanceMetadataTags"),
	READ("GetInstanceMetadataDefaults", get_instance_metadata_defaults, ""),
	ENFORCED("ModifyInstanceMetadataDefaults", modify_instance_metadata_defaults,
		 "HttpTokens HttpPutResponseHopLimit:i HttpEndpoint InstanceMetadataTags "
		 "HttpTokensEnforced"),
	READ("DescribeInstanceCreditSpecifications", describe_instance_credit_specifications,
	     PAGED "InstanceId.N"),
	RECORDED("ModifyInstanceCreditSpecification", modify_instance_credit_specification,
		 "ClientToken InstanceCreditSpecification.N!.InstanceId "
		 "InstanceCreditSpecification.N!.CpuCredits"),
	READ("GetConsoleOutput", get_console_output, "InstanceId! Latest:b"),
	RECORDED("MonitorInstances", monitor_instances, "InstanceId.N!"),
	RECORDED("UnmonitorInstances", unmonitor_instances, "InstanceId.N!"),
	RECORDED("ModifyInstanceMaintenanceOptions", modify_instance_maintenance_options,
		 "InstanceId! AutoRecovery RebootMigration"),
	ENFORCED("ModifyPrivateDnsNameOptions", modify_private_dns_name_options,
		 "InstanceId! PrivateDnsHostnameType EnableResourceNameDnsARecord:b "
		 "EnableResourceNameDnsAAAARecord:b"),
	RECORDED("CreateLaunchTemplate", create_launch_template,
		 TEMPLATE_PARAMETERS TAGS "LaunchTemplateName!"),
	RECORDED("CreateLaunchTemplateVersion", create_launch_template_version,
		 TEMPLATE_PARAMETERS "LaunchTemplateId LaunchTemplateName SourceVersion"),
	RECORDED("DeleteLaunchTemplate", delete_launch_template,
		 "LaunchTemplateId LaunchTemplateName"),
	RECORDED("ModifyLaunchTemplate", modify_launch_template,
		 "ClientToken LaunchTemplateId LaunchTemplateName SetDefaultVersion"),
	READ("GetLaunchTemplateData", get_launch_template_data, "InstanceId!"),
	READ("DescribeLaunchTemplates", describe_launch_templates,
	     PAGED "LaunchTemplateId.N LaunchTemplateName.N"),
	READ("DescribeLaunchTemplateVersions", describe_launch_template_versions,
	     PAGED "LaunchTemplateId LaunchTemplateName LaunchTemplateVersion.N MinVersion "
		   "MaxVersion"),
	RECORDED("DeleteLaunchTemplateVersions", delete_launch_template_versions,
		 "LaunchTemplateId LaunchTemplateName LaunchTemplateVersion.N!"),
	READ("DescribeInstances", describe_instances,
	     PAGED "InstanceId.N IncludeManagedResources:b"),
	READ("DescribeInstanceStatus", describe_instance_status,
	     PAGED "InstanceId.N IncludeAllInstances:b IncludeManagedResources:b"),
	ENFORCED("StartInstances", start_instances, "InstanceId.N! AdditionalInfo"),
	ENFORCED("StopInstances", stop_instances,
		 "InstanceId.N! Hibernate:b SkipOsShutdown:b Force:b"),
	ENFORCED("RebootInstances", reboot_instances, "InstanceId.N!"),
	ENFORCED("TerminateInstances", terminate_instances,
		 "InstanceId.N! Force:b SkipOsShutdown:b"),
	RECORDED("CreateKeyPair", create_key_pair, "KeyName! KeyType " TAGS "KeyFormat"),
	RECORDED("ImportKeyPair", import_key_pair, TAGS "KeyName! PublicKeyMaterial!:base64"),
	RECORDED("DeleteKeyPair", delete_key_pair, "KeyName KeyPairId"),
	READ("DescribeKeyPairs", describe_key_pairs,
	     "KeyName.N KeyPairId.N IncludePublicKey:b Filter.N"),
	READ("DescribeVolumes", describe_volumes, PAGED "VolumeId.N IncludeManagedResources:b"),
	READ("DescribeVolumeStatus", describe_volume_status,
	     PAGED "VolumeId.N IncludeManagedResources:b"),
	READ("DescribeVolumeAttribute", describe_volume_attribute, "Attribute! VolumeId!"),
	RECORDED("CreateVolume", create_volume,
		 TAGS "AvailabilityZone AvailabilityZoneId Encrypted:b Iops:i KmsKeyId OutpostArn "
		      "Size:i SnapshotId VolumeType MultiAttachEnabled:b Throughput:i ClientToken "
		      "VolumeInitializationRate:i Operator.Principal"),
	RECORDED("DeleteVolume", delete_volume, "VolumeId!"),
	RECORDED("AttachVolume", attach_volume, "Device! InstanceId! VolumeId! EbsCardIndex:i"),
	RECORDED("DetachVolume", detach_volume, "Device Force:b InstanceId VolumeId!"),
	RECORDED("ModifyVolume", modify_volume,
		 "VolumeId! Size:i VolumeType Iops:i Throughput:i MultiAttachEnabled:b"),
	READ("DescribeVolumesModifications", describe_volumes_modifications, PAGED "VolumeId.N"),
	RECORDED("ModifyVolumeAttribute", modify_volume_attribute,
		 "VolumeId! AutoEnableIO.Value:b"),
	READ("DescribeImages", describe_images,
	     PAGED "ExecutableBy.N ImageId.N Owner.N IncludeDeprecated:b IncludeDisabled:b"),
	READ("DescribeInstanceTypes", describe_instance_types,
	     PAGED "InstanceType.N IncludeUnsupportedInRegion:b"),
	READ("DescribeInstanceTypeOfferings", describe_instance_type_offerings,
	     PAGED "LocationType"),
	READ("DescribeAccountAttributes", describe_account_attributes, "AttributeName.N"),
	RECORDED("CreateTags", create_tags, "ResourceId.N! Tag.N!.Key Tag.N!.Value"),
	RECORDED("DeleteTags", delete_tags, "ResourceId.N! Tag.N.Key Tag.N.Value"),
	READ("DescribeTags", describe_tags, PAGED),
	READ("DescribeRegions", describe_regions, "RegionName.N AllRegions:b Filter.N"),
	READ("DescribeAvailabilityZones", describe_availability_zones,
	     "ZoneName.N ZoneId.N AllAvailabilityZones:b Filter.N"),
	{ "ssm", "GetParameter", "Name! WithDecryption:b", get_parameter, ACTION_READ },
	{ "ssm", "GetParameters", "Names.N! WithDecryption:b", get_parameters, ACTION_READ },
	{ "ssm", "GetParametersByPath",
	  "Path! Recursive:b ParameterFilters.N.Key ParameterFilters.N.Option "
	  "ParameterFilters.N.Values.N MaxResults:i NextToken WithDecryption:b",
	  get_parameters_by_path, ACTION_READ },
	{ "sts", "GetCallerIdentity", "", get_caller_identity, ACTION_READ },
	{ "sts", "AssumeRole",
	  "RoleArn! RoleSessionName! DurationSeconds:i ExternalId Policy PolicyArns.member.N.arn "
	  "Tags.member.N.Key Tags.member.N.Value TransitiveTagKeys.member.N SerialNumber TokenCode "
	  "SourceIdentity ProvidedContexts.member.N.ProviderArn "
	  "ProvidedContexts.member.N.ContextAssertion",
	  assume_role, ACTION_READ },
	OWN("ListInstances", list_instances, ""),
	OWN("ListNatGateways", list_nat_gateways, ""),
	OWN("ListActions", list_actions, ""),
	OWN("ListDrops", list_drops, "Instance"),
	OWN("Audit", audit, "Repair:b"),
	OWN("TracePath", trace_path, "Source! Destination! Protocol Port:i"),
	OWN("TracePaths", trace_paths, "VpcId Protocol Port:i"),
	OWN("GetInstanceProcess", get_instance_process, "Instance!"),
	OWN("GetInternetHost", get_internet_host, "Name"),
	OWN("GetInternetAddress", get_internet_address, "Name"),
	OWN("CreateInternetHost", create_internet_host, "Name! Address"),
	OWN("ListInternetHosts", list_internet_hosts, ""),
	OWN("DeleteInternetHost", delete_internet_host, "Name!"),
	RECORDED("RegisterImage", register_image,
		 "ImageLocation Architecture BlockDeviceMapping.N.DeviceName "
		 "BlockDeviceMapping.N.VirtualName BlockDeviceMapping.N.Ebs.DeleteOnTermination:b "
		 "BlockDeviceMapping.N.Ebs.Iops:i BlockDeviceMapping.N.Ebs.SnapshotId "
		 "BlockDeviceMapping.N.Ebs.VolumeSize:i BlockDeviceMapping.N.Ebs.VolumeType "
		 "BlockDeviceMapping.N.Ebs.KmsKeyId BlockDeviceMapping.N.Ebs.Throughput:i "
		 "BlockDeviceMapping.N.Ebs.OutpostArn BlockDeviceMapping.N.Ebs.Encrypted:b "
		 "BlockDeviceMapping.N.Ebs.AvailabilityZone "
		 "BlockDeviceMapping.N.Ebs.AvailabilityZoneId "
		 "BlockDeviceMapping.N.Ebs.VolumeInitializationRate:i "
		 "BlockDeviceMapping.N.Ebs.EbsCardIndex:i "
		 "BlockDeviceMapping.N.NoDevice Description EnaSupport:b KernelId Name! "
		 "BillingProduct.N RamdiskId RootDeviceName SriovNetSupport VirtualizationType "
		 "BootMode "
		 "TpmSupport UefiData ImdsSupport " TAGS),
	RECORDED("DeregisterImage", deregister_image, "ImageId! DeleteAssociatedSnapshots:b"),
	READ("DescribeImageAttribute", describe_image_attribute, "Attribute! ImageId!"),
	RECORDED("ModifyImageAttribute", modify_image_attribute,
		 "Attribute Description.Value ImageId! LaunchPermission.Add.N.Group "
		 "LaunchPermission.Add.N.UserId LaunchPermission.Add.N.OrganizationArn "
		 "LaunchPermission.Add.N.OrganizationalUnitArn LaunchPermission.Remove.N.Group "
		 "LaunchPermission.Remove.N.UserId LaunchPermission.Remove.N.OrganizationArn "
		 "LaunchPermission.Remove.N.OrganizationalUnitArn OperationType ProductCode.N "
		 "UserGroup.N UserId.N Value OrganizationArn.N OrganizationalUnitArn.N "
		 "ImdsSupport.Value"),
	OWN("ImportImage", import_image, "Name! Path!"),
	OWN("ListImages", list_images, "Image"),
	OWN("DeleteImage", delete_image, "Image!"),
	OWN("GetInstanceConsole", get_instance_console, "Instance! From:i"),
	RECORDED("CreateFlowLogs", create_flow_logs,
		 "ClientToken DeliverLogsPermissionArn DeliverCrossAccountRole LogGroupName "
		 "ResourceId.N! ResourceType! TrafficType LogDestinationType LogDestination "
		 "LogFormat "
		 "MaxAggregationInterval:i DestinationOptions.FileFormat "
		 "DestinationOptions.HiveCompatiblePartitions:b "
		 "DestinationOptions.PerHourPartition:b "
		 "TagFieldSpecification.N.ResourceType TagFieldSpecification.N.TagKey.N " TAGS),
	RECORDED("DeleteFlowLogs", delete_flow_logs, "FlowLogId.N!"),
	READ("DescribeFlowLogs", describe_flow_logs, PAGED "FlowLogId.N"),
	RECORDED("CreateVpcEndpoint", create_vpc_endpoint,
		 "VpcEndpointType VpcId! ServiceName PolicyDocument RouteTableId.N SubnetId.N "
		 "SecurityGroupId.N IpAddressType " ENDPOINT_PARAMETERS TAGS
		 "ClientToken ServiceNetworkArn ResourceConfigurationArn ServiceRegion"),
	RECORDED("DeleteVpcEndpoints", delete_vpc_endpoints, "VpcEndpointId.N!"),
	READ("DescribeVpcEndpoints", describe_vpc_endpoints, PAGED "VpcEndpointId.N"),
	RECORDED("ModifyVpcEndpoint", modify_vpc_endpoint,
		 "VpcEndpointId! ResetPolicy:b PolicyDocument AddRouteTableId.N "
		 "RemoveRouteTableId.N "
		 "AddSubnetId.N RemoveSubnetId.N AddSecurityGroupId.N RemoveSecurityGroupId.N "
		 "IpAddressType " ENDPOINT_PARAMETERS),
	READ("DescribeVpcEndpointServices", describe_vpc_endpoint_services,
	     PAGED "ServiceName.N ServiceRegion.N"),
	OWN("CreateFault", create_fault, "Type! Target! Loss Rate Delay"),
	OWN("ListFaults", list_faults, ""),
	OWN("ListEvents", list_events, "From:i"),
	OWN("DeleteFault", delete_fault, "Target!"),
	OWN("CreateAccount", create_account, "Account"),
	OWN("ListAccounts", list_accounts, ""),
	OWN("GetTopology", get_topology, ""),
	OWN("GetCapturePoint", get_capture_point, "Target!"),
	STACK("CreateStack", create_stack,
	      STACK_PARAMETERS "StackName! ClientRequestToken DisableRollback:b "
			       "EnableTerminationProtection:b OnFailure RetainExceptOnCreate:b "
			       "StackPolicyBody StackPolicyURL TimeoutInMinutes:i",
	      ACTION_ENFORCED),
	STACK("UpdateStack", update_stack,
	      STACK_PARAMETERS "StackName! ClientRequestToken DisableRollback:b "
			       "RetainExceptOnCreate:b StackPolicyBody StackPolicyURL "
			       "StackPolicyDuringUpdateBody StackPolicyDuringUpdateURL "
			       "UsePreviousTemplate:b",
	      ACTION_ENFORCED),
	STACK("DeleteStack", delete_stack,
	      "StackName! ClientRequestToken RetainResources.member.N RoleARN DeletionMode",
	      ACTION_ENFORCED),
	STACK("UpdateTerminationProtection", update_termination_protection,
	      "StackName! EnableTerminationProtection!:b", ACTION_RECORDED),
	STACK("DescribeStacks", describe_stacks, "StackName NextToken", ACTION_READ),
	STACK("ListStacks", list_stacks, "NextToken StackStatusFilter.member.N", ACTION_READ),
	STACK("DescribeStackEvents", describe_stack_events, "StackName NextToken", ACTION_READ),
	STACK("DescribeStackResources", describe_stack_resources,
	      "StackName LogicalResourceId PhysicalResourceId", ACTION_READ),
	STACK("DescribeStackResource", describe_stack_resource, "StackName! LogicalResourceId!",
	      ACTION_READ),
	STACK("ListStackResources", list_stack_resources, "StackName! NextToken", ACTION_READ),
	STACK("SignalResource", signal_resource, "StackName! LogicalResourceId! UniqueId! Status!",
	      ACTION_RECORDED),
	STACK("GetTemplate", get_template, "StackName! ChangeSetName TemplateStage", ACTION_READ),
	STACK("ValidateTemplate", validate_template, "TemplateBody TemplateURL", ACTION_READ),
	STACK("GetTemplateSummary", get_template_summary, "StackName TemplateBody TemplateURL",
	      ACTION_READ),
	STACK("CreateChangeSet", create_change_set,
	      STACK_PARAMETERS "StackName! ChangeSetName! ChangeSetType ClientToken Description "
			       "DisableRollback:b IncludeNestedStacks:b ImportExistingResources:b "
			       "OnStackFailure UsePreviousTemplate:b "
			       "ResourcesToImport.member.N.ResourceType "
			       "ResourcesToImport.member.N.LogicalResourceId",
	      ACTION_RECORDED),
	STACK("DescribeChangeSet", describe_change_set, "ChangeSetName! StackName NextToken",
	      ACTION_READ),
	STACK("ListChangeSets", list_change_sets, "StackName! NextToken", ACTION_READ),
	STACK("DeleteChangeSet", delete_change_set, "ChangeSetName! StackName", ACTION_RECORDED),
	STACK("ExecuteChangeSet", execute_change_set,
	      "ChangeSetName! StackName ClientRequestToken DisableRollback:b "
	      "RetainExceptOnCreate:b",
	      ACTION_ENFORCED),
	STACK("ListExports", list_exports, "NextToken", ACTION_READ),
	STACK("ListImports", list_imports, "ExportName! NextToken", ACTION_READ),
	{ NULL, NULL, NULL, NULL, ACTION_READ },
};
