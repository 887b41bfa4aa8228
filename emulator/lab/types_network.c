/* AWS::EC2::… types of networks (AWS CloudFormation Template Reference). */
#include "lab/type_rows.h"

ERRORS(available, "available");
ERRORS(no_vpc, "InvalidVpcID.NotFound");
ERRORS(no_subnet, "InvalidSubnetID.NotFound");
ERRORS(no_gateway, "InvalidInternetGatewayID.NotFound");
ERRORS(no_table, "InvalidRouteTableID.NotFound");
ERRORS(no_group, "InvalidGroup.NotFound");
ERRORS(no_association, "InvalidAssociationID.NotFound");
ERRORS(no_route, "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound");
ERRORS(not_attached, "Gateway.NotAttached", "InvalidInternetGatewayID.NotFound",
       "InvalidVpcID.NotFound");
ERRORS(no_rule, "InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound");

/* ---- VPCs ---- */

static const struct property vpc_properties[] = {
	NEEDED("CidrBlock"),
	/* Names need the resolver, so it comes first. */
	{ "EnableDnsSupport", SHAPE_FLAG, .parameter = "", .fallback = "true",
	  .change = { "ModifyVpcAttribute", "VpcId={id} EnableDnsSupport.Value=." } },
	{ "EnableDnsHostnames", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = { "ModifyVpcAttribute", "VpcId={id} EnableDnsHostnames.Value=." } },
	FIXED("InstanceTenancy", SHAPE_TEXT),
	LACKING("Ipv4IpamPoolId"),
	LACKING("Ipv4NetmaskLength"),
	TAGS,
	END,
};
static const struct attribute vpc_attributes[] = {
	{ "VpcId", NULL },
	{ "CidrBlock", "vpcSet/item/cidrBlock" },
	{ "CidrBlockAssociations", "vpcSet/item/cidrBlockAssociationSet/item/associationId#" },
	{ "DefaultNetworkAcl", "networkAclSet/item/networkAclId" },
	{ "DefaultSecurityGroup", "securityGroupInfo/item/groupId" },
	{ "Ipv6CidrBlocks", "vpcSet/item/ipv6CidrBlockAssociationSet/item/ipv6CidrBlock#" },
	END,
};
static const struct type vpc = {
	"AWS::EC2::VPC",
	.tags = "vpc",
	.properties = vpc_properties,
	.attributes = vpc_attributes,
	.create = { { { "CreateVpc", "*" }, .yields = "vpcId" } },
	.delete = { { { "DeleteVpc", "VpcId={id}" },
		      .tolerates = no_vpc,
		      .retries = type_in_use } },
	.describe = { { { "DescribeVpcs", "VpcId.1={id}" }, .tolerates = no_vpc },
		      { .call = { "DescribeNetworkAcls",
				  "Filter.1.Name=vpc-id Filter.1.Value.1={id} "
				  "Filter.2.Name=default Filter.2.Value.1=true" } },
		      { .call = { "DescribeSecurityGroups",
				  "Filter.1.Name=vpc-id Filter.1.Value.1={id} "
				  "Filter.2.Name=group-name Filter.2.Value.1=default" } } },
	.states = { "vpcSet/item/state", .ready = available },
};

static const struct property vpc_block_properties[] = {
	FIXED("AmazonProvidedIpv6CidrBlock", SHAPE_FLAG),
	FIXED("CidrBlock", SHAPE_TEXT),
	LACKING("Ipv4IpamPoolId"),
	LACKING("Ipv4NetmaskLength"),
	LACKING("Ipv6CidrBlock"),
	FIXED("Ipv6CidrBlockNetworkBorderGroup", SHAPE_TEXT),
	LACKING("Ipv6IpamPoolId"),
	LACKING("Ipv6NetmaskLength"),
	LACKING("Ipv6Pool"),
	NEEDED("VpcId"),
	END,
};
static const struct attribute id_attributes[] = { { "Id", NULL }, END };
ERRORS(no_block, "InvalidVpcCidrBlockAssociationID.NotFound", "InvalidVpcID.NotFound");
static const struct type vpc_block = {
	"AWS::EC2::VPCCidrBlock",
	.properties = vpc_block_properties,
	.attributes = id_attributes,
	.one_of = "AmazonProvidedIpv6CidrBlock CidrBlock",
	.create = { { { "AssociateVpcCidrBlock", "*" }, .yields = "associationId" } },
	.delete = { { { "DisassociateVpcCidrBlock", "AssociationId={id}" },
		      .tolerates = no_block,
		      .retries = type_in_use } },
};

/* ---- subnets ---- */

#define SUBNET_CHANGE(parameter_)                                                                  \
	{                                                                                          \
		"ModifySubnetAttribute", "SubnetId={id} " parameter_ "=."                          \
	}

static const struct property subnet_name_members[] = {
	{ "EnableResourceNameDnsAAAARecord", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = SUBNET_CHANGE("EnableResourceNameDnsAAAARecordOnLaunch.Value") },
	{ "EnableResourceNameDnsARecord", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = SUBNET_CHANGE("EnableResourceNameDnsARecordOnLaunch.Value") },
	{ "HostnameType", SHAPE_TEXT, .parameter = "", .fallback = "ip-name",
	  .change = SUBNET_CHANGE("PrivateDnsHostnameTypeOnLaunch") },
	END,
};
static const struct property subnet_properties[] = {
	{ "AssignIpv6AddressOnCreation", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = SUBNET_CHANGE("AssignIpv6AddressOnCreation.Value") },
	FIXED("AvailabilityZone", SHAPE_TEXT),
	FIXED("AvailabilityZoneId", SHAPE_TEXT),
	NEEDED("CidrBlock"),
	{ "EnableDns64", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = SUBNET_CHANGE("EnableDns64.Value") },
	LACKING("EnableLniAtDeviceIndex"),
	LACKING("Ipv4IpamPoolId"),
	LACKING("Ipv4NetmaskLength"),
	{ .name = "Ipv6CidrBlock", .shape = SHAPE_TEXT },
	LACKING("Ipv6IpamPoolId"),
	{ "Ipv6Native", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false" },
	LACKING("Ipv6NetmaskLength"),
	{ "MapPublicIpOnLaunch", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = SUBNET_CHANGE("MapPublicIpOnLaunch.Value") },
	LACKING("OutpostArn"),
	{ "PrivateDnsNameOptionsOnLaunch", SHAPE_STRUCTURE, .parameter = "",
	  .members = subnet_name_members },
	TAGS,
	NEEDED("VpcId"),
	END,
};
static const struct attribute subnet_attributes[] = {
	{ "SubnetId", NULL },
	{ "AvailabilityZone", "subnetSet/item/availabilityZone" },
	{ "AvailabilityZoneId", "subnetSet/item/availabilityZoneId" },
	{ "CidrBlock", "subnetSet/item/cidrBlock" },
	{ "Ipv6CidrBlocks", "subnetSet/item/ipv6CidrBlockAssociationSet/item/ipv6CidrBlock#" },
	{ "NetworkAclAssociationId", "networkAclSet/item/associationSet/item[subnetId={id}]/"
				     "networkAclAssociationId" },
	{ "VpcId", "subnetSet/item/vpcId" },
	END,
};
static const struct type subnet = {
	"AWS::EC2::Subnet",
	.tags = "subnet",
	.first_update = plan_block_given,
	.more_update = plan_block_taken,
	.properties = subnet_properties,
	.attributes = subnet_attributes,
	.create = { { { "CreateSubnet", "*" }, .yields = "subnetId" } },
	.delete = { { { "DeleteSubnet", "SubnetId={id}" },
		      .tolerates = no_subnet,
		      .retries = type_in_use } },
	.describe = { { { "DescribeSubnets", "SubnetId.1={id}" }, .tolerates = no_subnet },
		      { .call = { "DescribeNetworkAcls", "Filter.1.Name=association.subnet-id "
							 "Filter.1.Value.1={id}" } } },
	.states = { "subnetSet/item/state", .ready = available },
};

/* ---- internet gateways ---- */

static const struct property tags_only[] = { TAGS, END };
static const struct attribute gateway_attributes[] = { { "InternetGatewayId", NULL }, END };
static const struct type internet_gateway = {
	"AWS::EC2::InternetGateway",
	.tags = "internet-gateway",
	.properties = tags_only,
	.attributes = gateway_attributes,
	.create = { { { "CreateInternetGateway", "*" }, .yields = "internetGatewayId" } },
	.delete = { { { "DeleteInternetGateway", "InternetGatewayId={id}" },
		      .tolerates = no_gateway,
		      .retries = type_in_use } },
	.describe = { { { "DescribeInternetGateways", "InternetGatewayId.1={id}" },
			.tolerates = no_gateway } },
};

static const struct property attachment_properties[] = {
	{ "InternetGatewayId", SHAPE_TEXT, .required = true },
	NEEDED("VpcId"),
	LACKING("VpnGatewayId"),
	END,
};
static const struct type gateway_attachment = {
	"AWS::EC2::VPCGatewayAttachment",
	.properties = attachment_properties,
	.create = { { { "AttachInternetGateway", "*" }, .yields = "=IGW|{VpcId}" } },
	.update = { { { "DetachInternetGateway",
			"InternetGatewayId={-InternetGatewayId} VpcId={-VpcId}" },
		      .tolerates = not_attached },
		    { .call = { "AttachInternetGateway", "*" } } },
	.delete = { { { "DetachInternetGateway", "*" },
		      .tolerates = not_attached,
		      .retries = type_in_use } },
};

/* ---- route tables ---- */

static const struct property of_vpc_properties[] = { TAGS, NEEDED("VpcId"), END };
static const struct attribute table_attributes[] = { { "RouteTableId", NULL }, END };
static const struct type route_table = {
	"AWS::EC2::RouteTable",
	.tags = "route-table",
	.properties = of_vpc_properties,
	.attributes = table_attributes,
	.create = { { { "CreateRouteTable", "* ClientToken={token}" },
		      .yields = "routeTable/routeTableId" } },
	.delete = { { { "DeleteRouteTable", "RouteTableId={id}" },
		      .tolerates = no_table,
		      .retries = type_in_use } },
	.describe = { { { "DescribeRouteTables", "RouteTableId.1={id}" }, .tolerates = no_table } },
};

#define ROUTE_TARGET(name_)                                                                        \
	{                                                                                          \
		.name = (name_), .shape = SHAPE_TEXT                                               \
	}

static const struct property route_properties[] = {
	LACKING("CarrierGatewayId"),
	LACKING("CoreNetworkArn"),
	FIXED("DestinationCidrBlock", SHAPE_TEXT),
	FIXED("DestinationIpv6CidrBlock", SHAPE_TEXT),
	FIXED("DestinationPrefixListId", SHAPE_TEXT),
	ROUTE_TARGET("EgressOnlyInternetGatewayId"),
	ROUTE_TARGET("GatewayId"),
	ROUTE_TARGET("InstanceId"),
	LACKING("LocalGatewayId"),
	ROUTE_TARGET("NatGatewayId"),
	ROUTE_TARGET("NetworkInterfaceId"),
	NEEDED("RouteTableId"),
	LACKING("TransitGatewayId"),
	LACKING("VpcEndpointId"),
	ROUTE_TARGET("VpcPeeringConnectionId"),
	END,
};
#define ROUTE_TO(destination_)                                                                     \
	{                                                                                          \
		.call = { "CreateRoute", "*" }, .yields = "={RouteTableId}|{" destination_ "}",    \
		.when = destination_                                                               \
	}
static const struct type route = {
	"AWS::EC2::Route",
	.properties = route_properties,
	.one_of = "DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId;"
		  "EgressOnlyInternetGatewayId GatewayId InstanceId NatGatewayId "
		  "NetworkInterfaceId VpcPeeringConnectionId",
	.create = { ROUTE_TO("DestinationCidrBlock"), ROUTE_TO("DestinationIpv6CidrBlock"),
		    ROUTE_TO("DestinationPrefixListId") },
	.update = { { .call = { "ReplaceRoute", "*" } } },
	.delete = { { { "DeleteRoute", "RouteTableId DestinationCidrBlock "
				       "DestinationIpv6CidrBlock DestinationPrefixListId" },
		      .tolerates = no_route } },
};

static const struct property table_association_properties[] = {
	{ "RouteTableId", SHAPE_TEXT, .required = true },
	NEEDED("SubnetId"),
	END,
};
static const struct type table_association = {
	"AWS::EC2::SubnetRouteTableAssociation",
	.properties = table_association_properties,
	.attributes = id_attributes,
	.create = { { { "AssociateRouteTable", "*" }, .yields = "associationId" } },
	.update = { { { "ReplaceRouteTableAssociation", "AssociationId={id} RouteTableId" },
		      .yields = "newAssociationId" } },
	.delete = { { { "DisassociateRouteTable", "AssociationId={id}" },
		      .tolerates = no_association } },
};

/* ---- security groups ---- */

/* As type_more.c makes permissions of them: no call takes them by name. */
#define RULE(name_, shape_)                                                                        \
	{                                                                                          \
		(name_), (shape_), UPDATE_REPLACED, .parameter = ""                                \
	}
#define RULE_TRAFFIC                                                                               \
	RULE("CidrIp", SHAPE_TEXT), RULE("CidrIpv6", SHAPE_TEXT), RULE("FromPort", SHAPE_NUMBER),  \
		RULE("ToPort", SHAPE_NUMBER),                                                      \
	{                                                                                          \
		"IpProtocol", SHAPE_TEXT, UPDATE_REPLACED, .required = true, .parameter = ""       \
	}
#define RULE_SOURCE                                                                                \
	RULE("SourcePrefixListId", SHAPE_TEXT), RULE("SourceSecurityGroupId", SHAPE_TEXT),         \
		RULE("SourceSecurityGroupName", SHAPE_TEXT),                                       \
		RULE("SourceSecurityGroupOwnerId", SHAPE_TEXT)
#define RULE_DESTINATION                                                                           \
	RULE("DestinationPrefixListId", SHAPE_TEXT), RULE("DestinationSecurityGroupId", SHAPE_TEXT)

static const struct property ingress_members[] = {
	RULE_TRAFFIC,
	RULE_SOURCE,
	RULE("Description", SHAPE_TEXT),
	END,
};
static const struct property egress_members[] = {
	RULE_TRAFFIC,
	RULE_DESTINATION,
	RULE("Description", SHAPE_TEXT),
	END,
};
static const struct property group_properties[] = {
	{ "GroupDescription", SHAPE_TEXT, UPDATE_REPLACED, .required = true },
	{ "GroupName", SHAPE_TEXT, UPDATE_REPLACED, .parameter = "" },
	{ "SecurityGroupEgress", SHAPE_STRUCTURES, .parameter = "", .members = egress_members },
	{ "SecurityGroupIngress", SHAPE_STRUCTURES, .parameter = "", .members = ingress_members },
	TAGS,
	FIXED("VpcId", SHAPE_TEXT),
	END,
};
static const struct attribute group_attributes[] = {
	{ "GroupId", NULL },
	{ "Id", NULL },
	{ "VpcId", "securityGroupInfo/item/vpcId" },
	END,
};
static const struct type group = {
	"AWS::EC2::SecurityGroup",
	.tags = "security-group",
	.properties = group_properties,
	.attributes = group_attributes,
	.create = { { { "CreateSecurityGroup", "* GroupName={GroupName|{token}}" },
		      .yields = "groupId" } },
	.delete = { { { "DeleteSecurityGroup", "GroupId={id}" },
		      .tolerates = no_group,
		      .retries = type_in_use } },
	.describe = { { { "DescribeSecurityGroups", "GroupId.1={id}" }, .tolerates = no_group } },
	.more_create = plan_new_group,
	.more_update = plan_group_rules,
};

#define RULE_DESCRIPTION(direction_)                                                               \
	{                                                                                          \
		"Description", SHAPE_TEXT, .parameter = "", .fallback = "", .change = {            \
			"UpdateSecurityGroupRuleDescriptions" direction_,                          \
			"GroupId GroupName SecurityGroupRuleDescription.1.SecurityGroupRuleId="    \
			"{id} SecurityGroupRuleDescription.1.Description=."                        \
		}                                                                                  \
	}

static const struct property ingress_properties[] = {
	RULE_TRAFFIC,
	RULE_SOURCE,
	RULE_DESCRIPTION("Ingress"),
	FIXED("GroupId", SHAPE_TEXT),
	FIXED("GroupName", SHAPE_TEXT),
	END,
};
static const struct type group_ingress = {
	"AWS::EC2::SecurityGroupIngress",
	.properties = ingress_properties,
	.attributes = id_attributes,
	.one_of = "GroupId GroupName",
	.more_create = plan_ingress,
	.delete = { { { "RevokeSecurityGroupIngress",
			"GroupId GroupName SecurityGroupRuleId.1={id}" },
		      .tolerates = no_rule } },
};

static const struct property egress_properties[] = {
	RULE_TRAFFIC, RULE_DESTINATION, RULE_DESCRIPTION("Egress"), NEEDED("GroupId"), END,
};
static const struct type group_egress = {
	"AWS::EC2::SecurityGroupEgress",
	.properties = egress_properties,
	.attributes = id_attributes,
	.more_create = plan_egress,
	.delete = { { { "RevokeSecurityGroupEgress", "GroupId SecurityGroupRuleId.1={id}" },
		      .tolerates = no_rule } },
};

/* ---- network ACLs ---- */

ERRORS(no_acl, "InvalidNetworkAclID.NotFound");
ERRORS(no_entry, "InvalidNetworkAclEntry.NotFound", "InvalidNetworkAclID.NotFound");
static const struct type acl = {
	"AWS::EC2::NetworkAcl",
	.tags = "network-acl",
	.properties = of_vpc_properties,
	.attributes = id_attributes,
	.create = { { { "CreateNetworkAcl", "* ClientToken={token}" },
		      .yields = "networkAcl/networkAclId" } },
	.delete = { { { "DeleteNetworkAcl", "NetworkAclId={id}" },
		      .tolerates = no_acl,
		      .retries = type_in_use } },
	.describe = { { { "DescribeNetworkAcls", "NetworkAclId.1={id}" }, .tolerates = no_acl } },
};

static const struct property icmp_members[] = {
	{ .name = "Code", .shape = SHAPE_NUMBER },
	{ .name = "Type", .shape = SHAPE_NUMBER },
	END,
};
static const struct property port_members[] = {
	{ .name = "From", .shape = SHAPE_NUMBER },
	{ .name = "To", .shape = SHAPE_NUMBER },
	END,
};
static const struct property entry_properties[] = {
	{ .name = "CidrBlock", .shape = SHAPE_TEXT },
	/* The call wants to be told either way. */
	{ "Egress", SHAPE_FLAG, UPDATE_REPLACED, .parameter = "" },
	{ "Icmp", SHAPE_STRUCTURE, .members = icmp_members },
	{ .name = "Ipv6CidrBlock", .shape = SHAPE_TEXT },
	NEEDED("NetworkAclId"),
	{ "PortRange", SHAPE_STRUCTURE, .members = port_members },
	{ "Protocol", SHAPE_NUMBER, .required = true },
	{ "RuleAction", SHAPE_TEXT, .required = true },
	{ "RuleNumber", SHAPE_NUMBER, UPDATE_REPLACED, .required = true },
	END,
};
static const struct type acl_entry = {
	"AWS::EC2::NetworkAclEntry",
	.properties = entry_properties,
	.attributes = id_attributes,
	.one_of = "CidrBlock Ipv6CidrBlock",
	.create = { { { "CreateNetworkAclEntry", "* Egress={Egress|false}" },
		      .yields = "={NetworkAclId}|{RuleNumber}|{Egress}" } },
	.update = { { .call = { "ReplaceNetworkAclEntry", "* Egress={Egress|false}" } } },
	.delete = { { { "DeleteNetworkAclEntry", "NetworkAclId RuleNumber Egress={Egress|false}" },
		      .tolerates = no_entry } },
};

static const struct property acl_association_properties[] = {
	NEEDED("NetworkAclId"),
	NEEDED("SubnetId"),
	END,
};
static const struct attribute association_attributes[] = { { "AssociationId", NULL }, END };
/* A subnet always has an ACL: what is there is replaced, and in the end by the VPC's default. */
static const struct type acl_association = {
	"AWS::EC2::SubnetNetworkAclAssociation",
	.properties = acl_association_properties,
	.attributes = association_attributes,
	.create = { { { "DescribeNetworkAcls",
			"Filter.1.Name=association.subnet-id Filter.1.Value.1={SubnetId}" },
		      .keep = "association",
		      .keep_path = "networkAclSet/item/associationSet/item[subnetId={SubnetId}]/"
				   "networkAclAssociationId" },
		    { { "ReplaceNetworkAclAssociation",
			"AssociationId={association} NetworkAclId" },
		      .yields = "newAssociationId" } },
	.delete = { { { "DescribeSubnets", "SubnetId.1={SubnetId}" },
		      .keep = "vpc",
		      .keep_path = "subnetSet/item/vpcId" },
		    { { "DescribeNetworkAcls",
			"Filter.1.Name=vpc-id Filter.1.Value.1={vpc} Filter.2.Name=default "
			"Filter.2.Value.1=true" },
		      .keep = "default",
		      .keep_path = "networkAclSet/item/networkAclId" },
		    { { "ReplaceNetworkAclAssociation",
			"AssociationId={id} NetworkAclId={default}" },
		      .tolerates = no_association } },
};

const struct type *const types_network[] = {
	&vpc,
	&vpc_block,
	&subnet,
	&internet_gateway,
	&gateway_attachment,
	&route_table,
	&route,
	&table_association,
	&group,
	&group_ingress,
	&group_egress,
	&acl,
	&acl_entry,
	&acl_association,
	NULL,
};
