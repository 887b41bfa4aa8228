/* AWS::EC2::LaunchTemplate (AWS CloudFormation Template Reference). */
#include "lab/type_rows.h"

static const struct property device_members[] = {
	{ .name = "DeviceName", .shape = SHAPE_TEXT },
	{ "Ebs", SHAPE_STRUCTURE, .members = launch_ebs_members },
	{ .name = "NoDevice", .shape = SHAPE_TEXT },
	LACKING("VirtualName"),
	END,
};
static const struct property credit_members[] = {
	{ .name = "CpuCredits", .shape = SHAPE_TEXT },
	END,
};
static const struct property recovery_members[] = {
	{ .name = "AutoRecovery", .shape = SHAPE_TEXT },
	END,
};
static const struct property monitoring_members[] = {
	{ .name = "Enabled", .shape = SHAPE_FLAG },
	END,
};
static const struct property name_members[] = {
	{ .name = "EnableResourceNameDnsAAAARecord", .shape = SHAPE_FLAG },
	{ .name = "EnableResourceNameDnsARecord", .shape = SHAPE_FLAG },
	{ .name = "HostnameType", .shape = SHAPE_TEXT },
	END,
};
static const struct property placement_members[] = {
	LACKING("Affinity"),
	{ .name = "AvailabilityZone", .shape = SHAPE_TEXT },
	LACKING("GroupId"),
	LACKING("GroupName"),
	LACKING("HostId"),
	LACKING("HostResourceGroupArn"),
	{ "PartitionNumber", SHAPE_NUMBER, .lacks = "0" },
	LACKING("SpreadDomain"),
	{ .name = "Tenancy", .shape = SHAPE_TEXT },
	END,
};
static const struct property card_members[] = {
	LACKING("AssociateCarrierIpAddress"),
	{ .name = "AssociatePublicIpAddress", .shape = SHAPE_FLAG },
	LACKING("ConnectionTrackingSpecification"),
	{ .name = "DeleteOnTermination", .shape = SHAPE_FLAG },
	{ .name = "Description", .shape = SHAPE_TEXT },
	{ .name = "DeviceIndex", .shape = SHAPE_NUMBER },
	LACKING("EnaQueueCount"),
	LACKING("EnaSrdSpecification"),
	{ "Groups", SHAPE_LIST, .parameter = "SecurityGroupId" },
	{ "InterfaceType", SHAPE_TEXT, .lacks = "interface" },
	{ "Ipv4PrefixCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv4Prefixes"),
	{ "Ipv6AddressCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv6Addresses"),
	{ "Ipv6PrefixCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv6Prefixes"),
	{ "NetworkCardIndex", SHAPE_NUMBER, .lacks = "0" },
	{ .name = "NetworkInterfaceId", .shape = SHAPE_TEXT },
	{ "PrimaryIpv6", SHAPE_FLAG, .lacks = "false" },
	{ .name = "PrivateIpAddress", .shape = SHAPE_TEXT },
	{ "PrivateIpAddresses", SHAPE_STRUCTURES, .members = launch_private_address_members },
	{ .name = "SecondaryPrivateIpAddressCount", .shape = SHAPE_NUMBER },
	{ .name = "SubnetId", .shape = SHAPE_TEXT },
	END,
};
static const struct property tag_members[] = {
	NEEDED("Key"),
	NEEDED("Value"),
	END,
};
static const struct property tag_specification_members[] = {
	NEEDED("ResourceType"),
	{ "Tags", SHAPE_STRUCTURES, UPDATE_REPLACED, .required = true, .parameter = "Tag",
	  .members = tag_members },
	END,
};
static const struct property data_members[] = {
	{ "BlockDeviceMappings", SHAPE_STRUCTURES, .parameter = "BlockDeviceMapping",
	  .members = device_members },
	LACKING("CapacityReservationSpecification"),
	{ "CpuOptions", SHAPE_STRUCTURE, .members = launch_cpu_members },
	{ "CreditSpecification", SHAPE_STRUCTURE, .members = credit_members },
	{ .name = "DisableApiStop", .shape = SHAPE_FLAG },
	{ .name = "DisableApiTermination", .shape = SHAPE_FLAG },
	{ .name = "EbsOptimized", .shape = SHAPE_FLAG },
	LACKING("ElasticGpuSpecifications"),
	LACKING("ElasticInferenceAccelerators"),
	{ "EnclaveOptions", SHAPE_STRUCTURE, .members = launch_enabled_members },
	{ "HibernationOptions", SHAPE_STRUCTURE, .members = launch_configured_members },
	LACKING("IamInstanceProfile"),
	{ .name = "ImageId", .shape = SHAPE_TEXT },
	{ .name = "InstanceInitiatedShutdownBehavior", .shape = SHAPE_TEXT },
	LACKING("InstanceMarketOptions"),
	LACKING("InstanceRequirements"),
	{ .name = "InstanceType", .shape = SHAPE_TEXT },
	LACKING("KernelId"),
	{ .name = "KeyName", .shape = SHAPE_TEXT },
	LACKING("LicenseSpecifications"),
	{ "MaintenanceOptions", SHAPE_STRUCTURE, .members = recovery_members },
	{ "MetadataOptions", SHAPE_STRUCTURE, .members = launch_metadata_members },
	{ "Monitoring", SHAPE_STRUCTURE, .members = monitoring_members },
	{ "NetworkInterfaces", SHAPE_STRUCTURES, .parameter = "NetworkInterface",
	  .members = card_members },
	LACKING("NetworkPerformanceOptions"),
	{ "Placement", SHAPE_STRUCTURE, .members = placement_members },
	{ "PrivateDnsNameOptions", SHAPE_STRUCTURE, .members = name_members },
	LACKING("RamDiskId"),
	{ "SecurityGroupIds", SHAPE_LIST, .parameter = "SecurityGroupId" },
	{ "SecurityGroups", SHAPE_LIST, .parameter = "SecurityGroup" },
	{ "TagSpecifications", SHAPE_STRUCTURES, .parameter = "TagSpecification",
	  .members = tag_specification_members },
	{ .name = "UserData", .shape = SHAPE_TEXT },
	END,
};

static const struct property template_properties[] = {
	{ "LaunchTemplateData", SHAPE_STRUCTURE, .required = true, .members = data_members },
	{ "LaunchTemplateName", SHAPE_TEXT, UPDATE_REPLACED, .parameter = "" },
	{ "TagSpecifications", SHAPE_STRUCTURES, UPDATE_REPLACED, .parameter = "TagSpecification",
	  .members = tag_specification_members },
	{ .name = "VersionDescription", .shape = SHAPE_TEXT },
	END,
};
static const struct attribute template_attributes[] = {
	{ "DefaultVersionNumber", "launchTemplates/item/defaultVersionNumber" },
	{ "LatestVersionNumber", "launchTemplates/item/latestVersionNumber" },
	{ "LaunchTemplateId", NULL },
	END,
};
ERRORS(no_template, "InvalidLaunchTemplateId.NotFound");
/* A change is another version; which one is the default stays. */
static const struct type launch_template = {
	"AWS::EC2::LaunchTemplate",
	.properties = template_properties,
	.attributes = template_attributes,
	.create = { { { "CreateLaunchTemplate", "* LaunchTemplateName={LaunchTemplateName|{token}} "
						"ClientToken={token}" },
		      .yields = "launchTemplateId" } },
	.update = { { .call = { "CreateLaunchTemplateVersion",
				"LaunchTemplateId={id} LaunchTemplateData VersionDescription" } } },
	.delete = { { { "DeleteLaunchTemplate", "LaunchTemplateId={id}" },
		      .tolerates = no_template } },
	.describe = { { { "DescribeLaunchTemplates", "LaunchTemplateId.1={id}" },
			.tolerates = no_template } },
};

const struct type *const types_launch[] = { &launch_template, NULL };
