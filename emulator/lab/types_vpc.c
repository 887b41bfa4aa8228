/* AWS::EC2::… types of what VPCs have or share (AWS CloudFormation Template Reference). */
#include "lab/type_rows.h"

static const struct attribute id_attributes[] = { { "Id", NULL }, END };

/* ---- peering ---- */

ERRORS(active, "active");
ERRORS(not_active, "failed", "rejected", "expired", "deleted");
ERRORS(deleted, "deleted");
/* Or it has ended already. */
ERRORS(no_peering, "InvalidVpcPeeringConnectionID.NotFound", "InvalidStateTransition");

static const struct property peering_properties[] = {
	LACKING("AssumeRoleRegion"),
	FIXED("PeerOwnerId", SHAPE_TEXT),
	FIXED("PeerRegion", SHAPE_TEXT),
	LACKING("PeerRoleArn"),
	NEEDED("PeerVpcId"),
	TAGS,
	NEEDED("VpcId"),
	END,
};
/* Who makes it accepts it too: without a role in it another account's VPC can't be peered with. */
static const struct type peering = {
	"AWS::EC2::VPCPeeringConnection",
	.tags = "vpc-peering-connection",
	.properties = peering_properties,
	.attributes = id_attributes,
	.create = { { { "CreateVpcPeeringConnection", "*" }, .yields = "vpcPeeringConnectionId" },
		    { .call = { "AcceptVpcPeeringConnection", "VpcPeeringConnectionId={id}" } } },
	.delete = { { { "DeleteVpcPeeringConnection", "VpcPeeringConnectionId={id}" },
		      .tolerates = no_peering } },
	.describe = { { { "DescribeVpcPeeringConnections", "VpcPeeringConnectionId.1={id}" },
			.tolerates = no_peering } },
	.states = { "vpcPeeringConnectionSet/item/status/code", .ready = active,
		    .failed = not_active, .gone = deleted,
		    .reason_path = "vpcPeeringConnectionSet/item/status/message" },
};

/* ---- DHCP options ---- */

/* As type_more.c makes a configuration of each. */
#define OPTION(name_, shape_)                                                                      \
	{                                                                                          \
		(name_), (shape_), UPDATE_REPLACED, .parameter = ""                                \
	}

ERRORS(no_options, "InvalidDhcpOptionID.NotFound");
ERRORS(no_vpc, "InvalidVpcID.NotFound");

static const struct property options_properties[] = {
	OPTION("DomainName", SHAPE_TEXT),
	OPTION("DomainNameServers", SHAPE_LIST),
	OPTION("Ipv6AddressPreferredLeaseTime", SHAPE_NUMBER),
	OPTION("NetbiosNameServers", SHAPE_LIST),
	OPTION("NetbiosNodeType", SHAPE_NUMBER),
	OPTION("NtpServers", SHAPE_LIST),
	TAGS,
	END,
};
static const struct attribute options_attributes[] = { { "DhcpOptionsId", NULL }, END };
static const struct type options = {
	"AWS::EC2::DHCPOptions",
	.tags = "dhcp-options",
	.properties = options_properties,
	.attributes = options_attributes,
	.one_of = "DomainName DomainNameServers Ipv6AddressPreferredLeaseTime NetbiosNameServers "
		  "NetbiosNodeType NtpServers",
	.more_create = plan_dhcp_options,
	.delete = { { { "DeleteDhcpOptions", "DhcpOptionsId={id}" },
		      .tolerates = no_options,
		      .retries = type_in_use } },
	.describe = { { { "DescribeDhcpOptions", "DhcpOptionsId.1={id}" },
			.tolerates = no_options } },
};

static const struct property options_association_properties[] = {
	{ "DhcpOptionsId", SHAPE_TEXT, .required = true },
	NEEDED("VpcId"),
	END,
};
#define ASSOCIATE_OPTIONS                                                                          \
	{                                                                                          \
		{                                                                                  \
			{ "AssociateDhcpOptions", "*" }, .yields = "={DhcpOptionsId}|{VpcId}"      \
		}                                                                                  \
	}
static const struct type options_association = {
	"AWS::EC2::VPCDHCPOptionsAssociation",
	.properties = options_association_properties,
	.create = ASSOCIATE_OPTIONS,
	.update = ASSOCIATE_OPTIONS,
	.delete = { { { "AssociateDhcpOptions", "DhcpOptionsId=default VpcId" },
		      .tolerates = no_vpc } },
};

/* ---- prefix lists ---- */

ERRORS(no_list, "InvalidPrefixListID.NotFound");
ERRORS(list_later, "IncorrectState", "PrefixListVersionMismatch");
ERRORS(list_complete, "create-complete", "modify-complete", "restore-complete");
ERRORS(list_failed, "create-failed", "modify-failed");
ERRORS(list_deleted, "delete-complete");

static const struct property list_entry_members[] = {
	{ "Cidr", SHAPE_TEXT, .required = true },
	{ .name = "Description", .shape = SHAPE_TEXT },
	END,
};
static const struct property list_properties[] = {
	NEEDED("AddressFamily"),
	{ "Entries", SHAPE_STRUCTURES, .parameter = "Entry", .members = list_entry_members },
	{ "MaxEntries", SHAPE_NUMBER, .required = true,
	  .change = { "ModifyManagedPrefixList", "PrefixListId={id} MaxEntries=." } },
	{ "PrefixListName", SHAPE_TEXT, .required = true,
	  .change = { "ModifyManagedPrefixList", "PrefixListId={id} PrefixListName=." } },
	TAGS,
	END,
};
static const struct attribute list_attributes[] = {
	{ "Arn", "prefixListSet/item/prefixListArn" },
	{ "OwnerId", "prefixListSet/item/ownerId" },
	{ "PrefixListId", NULL },
	{ "Version", "prefixListSet/item/version" },
	END,
};
static const struct type prefix_list = {
	"AWS::EC2::PrefixList",
	.tags = "prefix-list",
	.properties = list_properties,
	.attributes = list_attributes,
	.create = { { { "CreateManagedPrefixList", "* ClientToken={token}" },
		      .yields = "prefixListId" } },
	.delete = { { { "DeleteManagedPrefixList", "PrefixListId={id}" },
		      .tolerates = no_list,
		      .retries = type_in_use } },
	.describe = { { { "DescribeManagedPrefixLists", "PrefixListId.1={id}" },
			.tolerates = no_list } },
	.change_retries = list_later,
	.more_update = plan_list_entries,
	.states = { "prefixListSet/item/state", .ready = list_complete, .failed = list_failed,
		    .gone = list_deleted, .reason_path = "prefixListSet/item/stateMessage" },
};

/* ---- egress-only internet gateways ---- */

ERRORS(no_gateway, "InvalidGatewayID.NotFound");

static const struct property of_vpc_properties[] = { TAGS, NEEDED("VpcId"), END };
static const struct type egress_gateway = {
	"AWS::EC2::EgressOnlyInternetGateway",
	.tags = "egress-only-internet-gateway",
	.properties = of_vpc_properties,
	.attributes = id_attributes,
	.create = { { { "CreateEgressOnlyInternetGateway", "* ClientToken={token}" },
		      .yields = "egressOnlyInternetGatewayId" } },
	.delete = { { { "DeleteEgressOnlyInternetGateway", "EgressOnlyInternetGatewayId={id}" },
		      .tolerates = no_gateway,
		      .retries = type_in_use } },
	.describe = { { { "DescribeEgressOnlyInternetGateways",
			  "EgressOnlyInternetGatewayId.1={id}" },
			.tolerates = no_gateway } },
};

/* ---- flow logs ---- */

ERRORS(no_log, "InvalidFlowLogId.NotFound");

static const struct property log_option_members[] = {
	FIXED("FileFormat", SHAPE_TEXT),
	FIXED("HiveCompatiblePartitions", SHAPE_FLAG),
	FIXED("PerHourPartition", SHAPE_FLAG),
	END,
};
static const struct property log_properties[] = {
	FIXED("DeliverCrossAccountRole", SHAPE_TEXT),
	FIXED("DeliverLogsPermissionArn", SHAPE_TEXT),
	{ "DestinationOptions", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = log_option_members },
	FIXED("LogDestination", SHAPE_TEXT),
	FIXED("LogDestinationType", SHAPE_TEXT),
	FIXED("LogFormat", SHAPE_TEXT),
	FIXED("LogGroupName", SHAPE_TEXT),
	FIXED("MaxAggregationInterval", SHAPE_NUMBER),
	{ "ResourceId", SHAPE_TEXT, UPDATE_REPLACED, .required = true,
	  .parameter = "ResourceId.1" },
	NEEDED("ResourceType"),
	LACKING("TagFieldSpecifications"),
	TAGS,
	FIXED("TrafficType", SHAPE_TEXT),
	END,
};
static const struct type flow_log = {
	"AWS::EC2::FlowLog",
	.tags = "vpc-flow-log",
	.properties = log_properties,
	.attributes = id_attributes,
	.create = { { { "CreateFlowLogs", "* ClientToken={token}" },
		      .yields = "flowLogIdSet/item" } },
	.delete = { { { "DeleteFlowLogs", "FlowLogId.1={id}" }, .tolerates = no_log } },
	.describe = { { { "DescribeFlowLogs", "FlowLogId.1={id}" }, .tolerates = no_log } },
};

/* ---- endpoints ---- */

ERRORS(available, "available");
ERRORS(endpoint_failed, "failed", "rejected", "expired");
ERRORS(no_endpoint, "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound");

#define ENDPOINT(words_)                                                                           \
	{                                                                                          \
		"ModifyVpcEndpoint", "VpcEndpointId={id} " words_                                  \
	}

static const struct property endpoint_dns_members[] = {
	{ .name = "DnsRecordIpType", .shape = SHAPE_TEXT },
	{ .name = "PrivateDnsOnlyForInboundResolverEndpoint",
	  .shape = SHAPE_FLAG,
	  .parameter = "PrivateDnsOnlyForInboundResolverEndpoint" },
	LACKING("PrivateDnsPreference"),
	LACKING("PrivateDnsSpecifiedDomains"),
	END,
};
static const struct property endpoint_properties[] = {
	{ "DnsOptions", SHAPE_STRUCTURE, .members = endpoint_dns_members,
	  .change = ENDPOINT("DnsOptions=.") },
	{ "IpAddressType", SHAPE_TEXT, .lacks = "ipv4" },
	{ "PolicyDocument", SHAPE_JSON, .change = ENDPOINT("PolicyDocument=."),
	  .removes = ENDPOINT("ResetPolicy=true") },
	{ "PrivateDnsEnabled", SHAPE_FLAG, .fallback = "false",
	  .change = ENDPOINT("PrivateDnsEnabled=.") },
	LACKING("ResourceConfigurationArn"),
	{ "RouteTableIds", SHAPE_LIST, .parameter = "RouteTableId",
	  .adds = ENDPOINT("AddRouteTableId=."), .removes = { .words = "RemoveRouteTableId=." } },
	{ "SecurityGroupIds", SHAPE_LIST, .parameter = "SecurityGroupId",
	  .adds = ENDPOINT("AddSecurityGroupId=."),
	  .removes = { .words = "RemoveSecurityGroupId=." } },
	NEEDED("ServiceName"),
	LACKING("ServiceNetworkArn"),
	FIXED("ServiceRegion", SHAPE_TEXT),
	{ "SubnetIds", SHAPE_LIST, .parameter = "SubnetId", .adds = ENDPOINT("AddSubnetId=."),
	  .removes = { .words = "RemoveSubnetId=." } },
	TAGS,
	FIXED("VpcEndpointType", SHAPE_TEXT),
	NEEDED("VpcId"),
	END,
};
static const struct attribute endpoint_attributes[] = {
	{ "CreationTimestamp", "vpcEndpointSet/item/creationTimestamp" },
	{ "DnsEntries", "vpcEndpointSet/item/dnsEntrySet/item/hostedZoneId:dnsName#" },
	{ "Id", NULL },
	{ "NetworkInterfaceIds", "vpcEndpointSet/item/networkInterfaceIdSet/item#" },
	END,
};
static const struct type endpoint = {
	"AWS::EC2::VPCEndpoint",
	.tags = "vpc-endpoint",
	.properties = endpoint_properties,
	.attributes = endpoint_attributes,
	.create = { { { "CreateVpcEndpoint", "* ClientToken={token}" },
		      .yields = "vpcEndpoint/vpcEndpointId" } },
	.delete = { { { "DeleteVpcEndpoints", "VpcEndpointId.1={id}" },
		      .tolerates = no_endpoint } },
	.describe = { { { "DescribeVpcEndpoints", "VpcEndpointId.1={id}" },
			.tolerates = no_endpoint } },
	.states = { "vpcEndpointSet/item/state", .ready = available, .failed = endpoint_failed,
		    .gone = deleted, .reason_path = "vpcEndpointSet/item/lastError/message" },
};

const struct type *const types_vpc[] = {
	&peering,  &options, &options_association, &prefix_list, &egress_gateway, &flow_log,
	&endpoint, NULL,
};
