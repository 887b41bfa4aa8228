/* Types that no call makes: the engine plays them. */
#include "lab/type_rows.h"

static const struct type wait_handle = {
	"AWS::CloudFormation::WaitConditionHandle",
	.played = true,
};

static const struct property wait_properties[] = {
	{ .name = "Count", .shape = SHAPE_NUMBER },
	{ .name = "Handle", .shape = SHAPE_TEXT },
	{ .name = "Timeout", .shape = SHAPE_NUMBER },
	END,
};
static const struct attribute wait_attributes[] = { { "Data", NULL }, END };
static const struct type wait_condition = {
	"AWS::CloudFormation::WaitCondition",
	.properties = wait_properties,
	.attributes = wait_attributes,
	.played = true,
};

static const struct property parameter_properties[] = {
	LACKING("AllowedPattern"),
	{ "DataType", SHAPE_TEXT, .lacks = "text" },
	{ .name = "Description", .shape = SHAPE_TEXT },
	FIXED("Name", SHAPE_TEXT),
	LACKING("Policies"),
	LACKING("Tags"),
	{ "Tier", SHAPE_TEXT, .lacks = "Standard" },
	{ "Type", SHAPE_TEXT, .required = true, .lacks = "String StringList" },
	{ "Value", SHAPE_TEXT, .required = true },
	END,
};
static const struct attribute parameter_attributes[] = {
	{ "Type", NULL },
	{ "Value", NULL },
	END,
};
static const struct type parameter = {
	"AWS::SSM::Parameter",
	.properties = parameter_properties,
	.attributes = parameter_attributes,
	.played = true,
};

/* ---- groups of instances: see stack/scaling.c ---- */

static const struct property scaling_template_members[] = {
	{ .name = "LaunchTemplateId", .shape = SHAPE_TEXT },
	{ .name = "LaunchTemplateName", .shape = SHAPE_TEXT },
	{ "Version", SHAPE_TEXT, .required = true },
	END,
};
static const struct property scaling_tag_members[] = {
	{ "Key", SHAPE_TEXT, .required = true },
	{ "PropagateAtLaunch", SHAPE_FLAG, .required = true },
	{ "Value", SHAPE_TEXT, .required = true },
	END,
};
/* Whatever says when and how instances are judged: here one that doesn't run is replaced. */
static const struct property scaling_properties[] = {
	FIXED("AutoScalingGroupName", SHAPE_TEXT),
	{ .name = "AvailabilityZones", .shape = SHAPE_LIST },
	{ "CapacityRebalance", SHAPE_FLAG, .lacks = "false" },
	{ .name = "Cooldown", .shape = SHAPE_NUMBER },
	{ .name = "DefaultInstanceWarmup", .shape = SHAPE_NUMBER },
	{ .name = "DesiredCapacity", .shape = SHAPE_NUMBER },
	{ "DesiredCapacityType", SHAPE_TEXT, .lacks = "units" },
	{ .name = "HealthCheckGracePeriod", .shape = SHAPE_NUMBER },
	{ "HealthCheckType", SHAPE_TEXT, .lacks = "EC2" },
	LACKING("InstanceId"),
	LACKING("InstanceMaintenancePolicy"),
	{ .name = "LaunchConfigurationName", .shape = SHAPE_TEXT },
	{ .name = "LaunchTemplate", .shape = SHAPE_STRUCTURE, .members = scaling_template_members },
	LACKING("LifecycleHookSpecificationList"),
	LACKING("LoadBalancerNames"),
	{ "MaxInstanceLifetime", SHAPE_NUMBER, .lacks = "0" },
	{ "MaxSize", SHAPE_NUMBER, .required = true },
	LACKING("MetricsCollection"),
	{ "MinSize", SHAPE_NUMBER, .required = true },
	LACKING("MixedInstancesPolicy"),
	{ "NewInstancesProtectedFromScaleIn", SHAPE_FLAG, .lacks = "false" },
	LACKING("NotificationConfiguration"),
	LACKING("NotificationConfigurations"),
	LACKING("PlacementGroup"),
	LACKING("ServiceLinkedRoleARN"),
	{ .name = "Tags", .shape = SHAPE_STRUCTURES, .members = scaling_tag_members },
	LACKING("TargetGroupARNs"),
	{ "TerminationPolicies", SHAPE_LIST, .lacks = "" },
	LACKING("TrafficSources"),
	{ .name = "VPCZoneIdentifier", .shape = SHAPE_LIST },
	END,
};
static const struct type scaling_group = {
	"AWS::AutoScaling::AutoScalingGroup",
	.properties = scaling_properties,
	.one_of = "LaunchTemplate LaunchConfigurationName;VPCZoneIdentifier AvailabilityZones",
	.create = { { { "RunInstances", "MinCount=1 MaxCount=1 LaunchTemplate" },
		      .yields = "instancesSet/item/instanceId" } },
	.played = true,
};

/* What a group launches from, before there were launch templates: no more than its record. */
static const struct property configuration_device_members[] = {
	NEEDED("DeviceName"),
	{ "Ebs", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = launch_ebs_members },
	{ "NoDevice", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false", .parameter = "" },
	LACKING("VirtualName"),
	END,
};
static const struct property configuration_metadata_members[] = {
	FIXED("HttpEndpoint", SHAPE_TEXT),
	FIXED("HttpPutResponseHopLimit", SHAPE_NUMBER),
	FIXED("HttpTokens", SHAPE_TEXT),
	END,
};
static const struct property configuration_properties[] = {
	{ "AssociatePublicIpAddress", SHAPE_FLAG, UPDATE_REPLACED,
	  .parameter = "NetworkInterface.1.AssociatePublicIpAddress" },
	{ "BlockDeviceMappings", SHAPE_STRUCTURES, UPDATE_REPLACED,
	  .parameter = "BlockDeviceMapping", .members = configuration_device_members },
	LACKING("ClassicLinkVPCId"),
	LACKING("ClassicLinkVPCSecurityGroups"),
	FIXED("EbsOptimized", SHAPE_FLAG),
	LACKING("IamInstanceProfile"),
	NEEDED("ImageId"),
	LACKING("InstanceId"),
	{ "InstanceMonitoring", SHAPE_FLAG, UPDATE_REPLACED, .parameter = "Monitoring.Enabled" },
	NEEDED("InstanceType"),
	LACKING("KernelId"),
	FIXED("KeyName", SHAPE_TEXT),
	{ "LaunchConfigurationName", SHAPE_TEXT, UPDATE_REPLACED, .parameter = "" },
	{ "MetadataOptions", SHAPE_STRUCTURE, UPDATE_REPLACED,
	  .members = configuration_metadata_members },
	{ "PlacementTenancy", SHAPE_TEXT, UPDATE_REPLACED, .parameter = "Placement.Tenancy" },
	LACKING("RamDiskId"),
	{ "SecurityGroups", SHAPE_LIST, UPDATE_REPLACED, .parameter = "SecurityGroupId" },
	LACKING("SpotPrice"),
	FIXED("UserData", SHAPE_TEXT),
	END,
};
static const struct type launch_configuration = {
	"AWS::AutoScaling::LaunchConfiguration",
	.properties = configuration_properties,
	.create = { { { "RunInstances", "MinCount=1 MaxCount=1 *" },
		      .yields = "instancesSet/item/instanceId" } },
	.played = true,
};

const struct type *const types_played[] = {
	&wait_handle, &wait_condition, &parameter, &scaling_group, &launch_configuration, NULL,
};
