/* AWS::EC2::… types of interfaces and addresses (AWS CloudFormation Template Reference). */
#include "lab/type_rows.h"

/* ---- Elastic IPs ---- */

ERRORS(no_address, "InvalidAddress.NotFound");
/* Before the instance runs, after its gateway has gone. */
ERRORS(address_later, "InvalidInstanceID", "IncorrectInstanceState");
ERRORS(address_used, "InvalidIPAddress.InUse", "InvalidAddress.Locked", "DependencyViolation");
ERRORS(no_association, "InvalidAssociationID.NotFound");

static const struct property address_properties[] = {
	LACKING("Address"),
	{ "Domain", SHAPE_TEXT, .parameter = "", .lacks = "vpc" },
	{ "InstanceId", SHAPE_TEXT, .parameter = "",
	  .change = { "AssociateAddress", "PublicIp={id} InstanceId=." },
	  .removes = { "DisassociateAddress", "PublicIp={id}" } },
	LACKING("IpamPoolId"),
	FIXED("NetworkBorderGroup", SHAPE_TEXT),
	FIXED("PublicIpv4Pool", SHAPE_TEXT),
	TAGS,
	LACKING("TransferAddress"),
	END,
};
static const struct attribute address_attributes[] = {
	{ "AllocationId", "addressesSet/item/allocationId" },
	{ "PublicIp", NULL },
	END,
};
static const struct type address = {
	"AWS::EC2::EIP",
	.tags = "elastic-ip",
	.properties = address_properties,
	.attributes = address_attributes,
	.create = { { { "AllocateAddress", "Domain=vpc *" }, .yields = "publicIp" } },
	.delete = { { { "DisassociateAddress", "PublicIp={id}" },
		      .tolerates = no_address,
		      .when = "InstanceId" },
		    { { "ReleaseAddress", "PublicIp={id}" },
		      .tolerates = no_address,
		      .retries = address_used } },
	.describe = { { { "DescribeAddresses", "PublicIp.1={id}" }, .tolerates = no_address } },
	.change_retries = address_later,
	.tag_lookup = { { "DescribeAddresses", "PublicIp.1={id}" },
			.keep = "tagged",
			.keep_path = "addressesSet/item/allocationId" },
};

static const struct property address_association_properties[] = {
	FIXED("AllocationId", SHAPE_TEXT),
	{ "EIP", SHAPE_TEXT, UPDATE_REPLACED, .parameter = "PublicIp" },
	FIXED("InstanceId", SHAPE_TEXT),
	FIXED("NetworkInterfaceId", SHAPE_TEXT),
	FIXED("PrivateIpAddress", SHAPE_TEXT),
	END,
};
static const struct attribute id_attributes[] = { { "Id", NULL }, END };
static const struct type address_association = {
	"AWS::EC2::EIPAssociation",
	.properties = address_association_properties,
	.attributes = id_attributes,
	.one_of = "AllocationId EIP;InstanceId NetworkInterfaceId",
	.create = { { { "AssociateAddress", "*" },
		      .yields = "associationId",
		      .retries = address_later } },
	.delete = { { { "DisassociateAddress", "AssociationId={id}" },
		      .tolerates = no_association } },
};

/* ---- NAT gateways ---- */

ERRORS(available, "available");
ERRORS(failed, "failed");
ERRORS(deleted, "deleted");
ERRORS(no_nat, "NatGatewayNotFound");

static const struct property nat_properties[] = {
	FIXED("AllocationId", SHAPE_TEXT),
	{ "AvailabilityMode", SHAPE_TEXT, UPDATE_REPLACED, .lacks = "zonal" },
	LACKING("AvailabilityZoneAddresses"),
	FIXED("ConnectivityType", SHAPE_TEXT),
	LACKING("MaxDrainDurationSeconds"),
	FIXED("PrivateIpAddress", SHAPE_TEXT),
	{ "SecondaryAllocationIds", SHAPE_LIST, .parameter = "SecondaryAllocationId" },
	FIXED("SecondaryPrivateIpAddressCount", SHAPE_NUMBER),
	{ "SecondaryPrivateIpAddresses", SHAPE_LIST, .parameter = "SecondaryPrivateIpAddress",
	  .adds = { "AssignPrivateNatGatewayAddress", "NatGatewayId={id} PrivateIpAddress=." },
	  .removes = { "UnassignPrivateNatGatewayAddress",
		       "NatGatewayId={id} PrivateIpAddress=." } },
	NEEDED("SubnetId"),
	TAGS,
	LACKING("VpcId"),
	END,
};
static const struct attribute nat_attributes[] = {
	{ "NatGatewayId", NULL },
	{ "EniId", "natGatewaySet/item/natGatewayAddressSet/item/networkInterfaceId" },
	END,
};
static const struct type nat = {
	"AWS::EC2::NatGateway",
	.tags = "natgateway",
	.more_update = plan_nat_addresses,
	.properties = nat_properties,
	.attributes = nat_attributes,
	.create = { { { "CreateNatGateway", "* ClientToken={token}" }, .yields = "natGatewayId" } },
	.delete = { { { "DeleteNatGateway", "NatGatewayId={id}" }, .tolerates = no_nat } },
	.describe = { { { "DescribeNatGateways", "NatGatewayId.1={id}" }, .tolerates = no_nat } },
	.states = { "natGatewaySet/item/state", .ready = available, .failed = failed,
		    .gone = deleted, .reason_path = "natGatewaySet/item/failureMessage" },
};

/* ---- network interfaces ---- */

ERRORS(no_interface, "InvalidNetworkInterfaceID.NotFound");
ERRORS(interface_used, "InvalidNetworkInterface.InUse", "InvalidParameterValue",
       "DependencyViolation");
ERRORS(no_attachment, "InvalidAttachmentID.NotFound", "InvalidNetworkInterfaceID.NotFound");
ERRORS(attach_later, "InvalidNetworkInterface.InUse", "IncorrectInstanceState", "IncorrectState");

#define INTERFACE_CHANGE(parameter_)                                                               \
	{                                                                                          \
		"ModifyNetworkInterfaceAttribute", "NetworkInterfaceId={id} " parameter_ "=."      \
	}

static const struct property interface_properties[] = {
	LACKING("ConnectionTrackingSpecification"),
	{ "Description", SHAPE_TEXT, .fallback = "",
	  .change = INTERFACE_CHANGE("Description.Value") },
	{ "EnablePrimaryIpv6", SHAPE_FLAG, .lacks = "false" },
	{ "GroupSet", SHAPE_LIST, .parameter = "SecurityGroupId",
	  .change = INTERFACE_CHANGE("SecurityGroupId") },
	{ "InterfaceType", SHAPE_TEXT, UPDATE_REPLACED, .lacks = "interface" },
	{ "Ipv4PrefixCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv4Prefixes"),
	{ "Ipv6AddressCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv6Addresses"),
	{ "Ipv6PrefixCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv6Prefixes"),
	FIXED("PrivateIpAddress", SHAPE_TEXT),
	/* Which of them is the primary one can't be changed. */
	{ "PrivateIpAddresses", SHAPE_STRUCTURES, UPDATE_REPLACED,
	  .members = launch_private_address_members },
	LACKING("PublicIpDnsHostnameTypeSpecification"),
	FIXED("SecondaryPrivateIpAddressCount", SHAPE_NUMBER),
	{ "SourceDestCheck", SHAPE_FLAG, .parameter = "", .fallback = "true",
	  .change = INTERFACE_CHANGE("SourceDestCheck.Value") },
	NEEDED("SubnetId"),
	TAGS,
	END,
};
static const struct attribute interface_attributes[] = {
	{ "Id", NULL },
	{ "PrimaryPrivateIpAddress", "networkInterfaceSet/item/privateIpAddress" },
	{ "SecondaryPrivateIpAddresses",
	  "networkInterfaceSet/item/privateIpAddressesSet/item[primary=false]/privateIpAddress#" },
	{ "VpcId", "networkInterfaceSet/item/vpcId" },
	END,
};
static const struct type interface = {
	"AWS::EC2::NetworkInterface",
	.tags = "network-interface",
	.properties = interface_properties,
	.attributes = interface_attributes,
	.create = { { { "CreateNetworkInterface", "* ClientToken={token}" },
		      .yields = "networkInterface/networkInterfaceId" } },
	.delete = { { { "DeleteNetworkInterface", "NetworkInterfaceId={id}" },
		      .tolerates = no_interface,
		      .retries = interface_used } },
	.describe = { { { "DescribeNetworkInterfaces", "NetworkInterfaceId.1={id}" },
			.tolerates = no_interface } },
};

static const struct property attachment_properties[] = {
	{ "DeleteOnTermination", SHAPE_FLAG, .fallback = "true",
	  .change = { "ModifyNetworkInterfaceAttribute",
		      "NetworkInterfaceId={NetworkInterfaceId} Attachment.AttachmentId={id} "
		      "Attachment.DeleteOnTermination=." } },
	{ "DeviceIndex", SHAPE_NUMBER, .required = true },
	LACKING("EnaQueueCount"),
	LACKING("EnaSrdSpecification"),
	{ "InstanceId", SHAPE_TEXT, .required = true },
	{ "NetworkInterfaceId", SHAPE_TEXT, .required = true },
	END,
};
static const struct attribute attachment_attributes[] = { { "AttachmentId", NULL }, END };
#define ATTACH                                                                                     \
	{                                                                                          \
		.call = { "AttachNetworkInterface", "InstanceId NetworkInterfaceId DeviceIndex" }, \
		.yields = "attachmentId", .retries = attach_later                                  \
	}
#define TELL_DELETION                                                                              \
	{                                                                                          \
		.call = {                                                                          \
			"ModifyNetworkInterfaceAttribute",                                         \
			"NetworkInterfaceId={NetworkInterfaceId} Attachment.AttachmentId={id} "    \
			"Attachment.DeleteOnTermination={DeleteOnTermination|true}"                \
		}                                                                                  \
	}
#define DETACH                                                                                     \
	{                                                                                          \
		.call = { "DetachNetworkInterface", "AttachmentId={id} Force=true" },              \
		.tolerates = no_attachment                                                         \
	}
static const struct type interface_attachment = {
	"AWS::EC2::NetworkInterfaceAttachment",	     .properties = attachment_properties,
	.attributes = attachment_attributes,	     .create = { ATTACH, TELL_DELETION },
	.update = { DETACH, ATTACH, TELL_DELETION }, .delete = { DETACH },
};

const struct type *const types_interface[] = {
	&address, &address_association, &nat, &interface, &interface_attachment, NULL,
};
