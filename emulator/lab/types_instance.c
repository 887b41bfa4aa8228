/* AWS::EC2::… types of instances and what is theirs (AWS CloudFormation Template Reference). */
#include "lab/type_rows.h"

/* ---- instances ---- */

static const struct property ebs_members[] = {
	FIXED("DeleteOnTermination", SHAPE_FLAG),
	FIXED("Encrypted", SHAPE_FLAG),
	FIXED("Iops", SHAPE_NUMBER),
	FIXED("KmsKeyId", SHAPE_TEXT),
	FIXED("SnapshotId", SHAPE_TEXT),
	FIXED("Throughput", SHAPE_NUMBER),
	FIXED("VolumeSize", SHAPE_NUMBER),
	FIXED("VolumeType", SHAPE_TEXT),
	END,
};
static const struct property device_members[] = {
	NEEDED("DeviceName"),
	{ "Ebs", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = ebs_members },
	FIXED("NoDevice", SHAPE_EMPTY),
	LACKING("VirtualName"),
	END,
};
static const struct property private_address_members[] = {
	FIXED("Primary", SHAPE_FLAG),
	NEEDED("PrivateIpAddress"),
	END,
};
static const struct property card_members[] = {
	LACKING("AssociateCarrierIpAddress"),
	FIXED("AssociatePublicIpAddress", SHAPE_FLAG),
	FIXED("DeleteOnTermination", SHAPE_FLAG),
	FIXED("Description", SHAPE_TEXT),
	{ "DeviceIndex", SHAPE_NUMBER, UPDATE_REPLACED, .required = true },
	LACKING("EnaSrdSpecification"),
	{ "GroupSet", SHAPE_LIST, UPDATE_REPLACED, .parameter = "SecurityGroupId" },
	{ "Ipv6AddressCount", SHAPE_NUMBER, .lacks = "0" },
	LACKING("Ipv6Addresses"),
	FIXED("NetworkInterfaceId", SHAPE_TEXT),
	FIXED("PrivateIpAddress", SHAPE_TEXT),
	{ "PrivateIpAddresses", SHAPE_STRUCTURES, UPDATE_REPLACED,
	  .members = private_address_members },
	FIXED("SecondaryPrivateIpAddressCount", SHAPE_NUMBER),
	FIXED("SubnetId", SHAPE_TEXT),
	END,
};
static const struct property cpu_members[] = {
	FIXED("CoreCount", SHAPE_NUMBER),
	FIXED("ThreadsPerCore", SHAPE_NUMBER),
	END,
};
static const struct property credit_members[] = {
	{ "CPUCredits", SHAPE_TEXT, .parameter = "CpuCredits",
	  .change = { "ModifyInstanceCreditSpecification",
		      "InstanceCreditSpecification.1.InstanceId={id} "
		      "InstanceCreditSpecification.1.CpuCredits=." } },
	END,
};
static const struct property configured_members[] = {
	{ "Configured", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false" },
	END,
};
static const struct property enabled_members[] = {
	{ "Enabled", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false" },
	END,
};
static const struct property launch_template_members[] = {
	FIXED("LaunchTemplateId", SHAPE_TEXT),
	FIXED("LaunchTemplateName", SHAPE_TEXT),
	NEEDED("Version"),
	END,
};
static const struct property metadata_members[] = {
	{ .name = "HttpEndpoint", .shape = SHAPE_TEXT },
	{ .name = "HttpProtocolIpv6", .shape = SHAPE_TEXT },
	{ .name = "HttpPutResponseHopLimit", .shape = SHAPE_NUMBER },
	{ .name = "HttpTokens", .shape = SHAPE_TEXT },
	{ .name = "InstanceMetadataTags", .shape = SHAPE_TEXT },
	END,
};
#define NAME_CHANGE(parameter_)                                                                    \
	{                                                                                          \
		"ModifyPrivateDnsNameOptions", "InstanceId={id} " parameter_ "=."                  \
	}
static const struct property name_members[] = {
	{ "EnableResourceNameDnsAAAARecord", SHAPE_FLAG, .fallback = "false",
	  .change = NAME_CHANGE("EnableResourceNameDnsAAAARecord") },
	{ "EnableResourceNameDnsARecord", SHAPE_FLAG, .fallback = "false",
	  .change = NAME_CHANGE("EnableResourceNameDnsARecord") },
	{ "HostnameType", SHAPE_TEXT, .fallback = "ip-name",
	  .change = NAME_CHANGE("PrivateDnsHostnameType") },
	END,
};
static const struct property volume_members[] = {
	{ "Device", SHAPE_TEXT, .required = true },
	{ "VolumeId", SHAPE_TEXT, .required = true },
	END,
};

#define INSTANCE_CHANGE(parameter_)                                                                \
	{                                                                                          \
		"ModifyInstanceAttribute", "InstanceId={id} " parameter_ "=."                      \
	}

static const struct property instance_properties[] = {
	FIXED("AdditionalInfo", SHAPE_TEXT),
	LACKING("Affinity"),
	{ "AvailabilityZone", SHAPE_TEXT, UPDATE_REPLACED,
	  .parameter = "Placement.AvailabilityZone" },
	{ "BlockDeviceMappings", SHAPE_STRUCTURES, UPDATE_REPLACED,
	  .parameter = "BlockDeviceMapping", .members = device_members },
	{ "CpuOptions", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = cpu_members },
	{ "CreditSpecification", SHAPE_STRUCTURE, .members = credit_members },
	{ "DisableApiTermination", SHAPE_FLAG, .fallback = "false",
	  .change = INSTANCE_CHANGE("DisableApiTermination.Value") },
	{ "EbsOptimized", SHAPE_FLAG, UPDATE_INTERRUPTED, .fallback = "false",
	  .change = INSTANCE_CHANGE("EbsOptimized.Value") },
	LACKING("ElasticGpuSpecifications"),
	LACKING("ElasticInferenceAccelerators"),
	{ "EnclaveOptions", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = enabled_members },
	{ "HibernationOptions", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = configured_members },
	LACKING("HostId"),
	LACKING("HostResourceGroupArn"),
	LACKING("IamInstanceProfile"),
	FIXED("ImageId", SHAPE_TEXT),
	{ "InstanceInitiatedShutdownBehavior", SHAPE_TEXT, .fallback = "stop",
	  .change = INSTANCE_CHANGE("InstanceInitiatedShutdownBehavior.Value") },
	{ "InstanceType", SHAPE_TEXT, UPDATE_INTERRUPTED,
	  .change = INSTANCE_CHANGE("InstanceType.Value") },
	{ "Ipv6AddressCount", SHAPE_NUMBER, UPDATE_REPLACED, .lacks = "0" },
	LACKING("Ipv6Addresses"),
	LACKING("KernelId"),
	FIXED("KeyName", SHAPE_TEXT),
	{ "LaunchTemplate", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = launch_template_members },
	LACKING("LicenseSpecifications"),
	{ "MetadataOptions", SHAPE_STRUCTURE, .members = metadata_members,
	  .change = { "ModifyInstanceMetadataOptions", "InstanceId={id} =." } },
	{ "Monitoring", SHAPE_FLAG, .parameter = "Monitoring.Enabled" },
	{ "NetworkInterfaces", SHAPE_STRUCTURES, UPDATE_REPLACED, .parameter = "NetworkInterface",
	  .members = card_members },
	LACKING("PlacementGroupName"),
	{ "PrivateDnsNameOptions", SHAPE_STRUCTURE, UPDATE_INTERRUPTED, .members = name_members },
	FIXED("PrivateIpAddress", SHAPE_TEXT),
	{ "PropagateTagsToVolumeOnCreation", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false" },
	LACKING("RamdiskId"),
	{ "SecurityGroupIds", SHAPE_LIST, .parameter = "SecurityGroupId",
	  .change = INSTANCE_CHANGE("GroupId") },
	{ "SecurityGroups", SHAPE_LIST, UPDATE_REPLACED, .parameter = "SecurityGroup" },
	{ "SourceDestCheck", SHAPE_FLAG, .parameter = "", .fallback = "true",
	  .change = INSTANCE_CHANGE("SourceDestCheck.Value") },
	LACKING("SsmAssociations"),
	FIXED("SubnetId", SHAPE_TEXT),
	TAGS,
	{ "Tenancy", SHAPE_TEXT, UPDATE_REPLACED, .parameter = "Placement.Tenancy" },
	{ "UserData", SHAPE_TEXT, UPDATE_INTERRUPTED, .fallback = "",
	  .change = INSTANCE_CHANGE("UserData.Value") },
	{ "Volumes", SHAPE_STRUCTURES, .parameter = "", .members = volume_members,
	  .adds = { "AttachVolume", "InstanceId={id} Device={Device} VolumeId={VolumeId}" },
	  .removes = { "DetachVolume", "InstanceId={id} VolumeId={VolumeId}" } },
	END,
};

#define OF_INSTANCE "reservationSet/item/instancesSet/item/"

static const struct attribute instance_attributes[] = {
	{ "AvailabilityZone", OF_INSTANCE "placement/availabilityZone" },
	{ "InstanceId", NULL },
	{ "PrivateDnsName", OF_INSTANCE "privateDnsName" },
	{ "PrivateIp", OF_INSTANCE "privateIpAddress" },
	{ "PublicDnsName", OF_INSTANCE "dnsName" },
	{ "PublicIp", OF_INSTANCE "ipAddress" },
	{ "State.Code", OF_INSTANCE "instanceState/code" },
	{ "State.Name", OF_INSTANCE "instanceState/name" },
	{ "VpcId", OF_INSTANCE "vpcId" },
	END,
};
ERRORS(no_instance, "InvalidInstanceID.NotFound");
ERRORS(other_state, "IncorrectInstanceState", "IncorrectState");
ERRORS(running, "running");
ERRORS(not_running, "terminated", "shutting-down", "stopped", "stopping");
ERRORS(terminated, "terminated");
static const struct type instance = {
	"AWS::EC2::Instance",
	.tags = "instance",
	.properties = instance_properties,
	.attributes = instance_attributes,
	.one_of = "ImageId LaunchTemplate",
	.create = { { { "RunInstances", "MinCount=1 MaxCount=1 ClientToken={token} *" },
		      .yields = "instancesSet/item/instanceId" } },
	.delete = { { { "TerminateInstances", "InstanceId.1={id}" }, .tolerates = no_instance } },
	.describe = { { { "DescribeInstances", "InstanceId.1={id}" }, .tolerates = no_instance } },
	.stop = { { "StopInstances", "InstanceId.1={id}" }, .retries = other_state },
	.start = { { "StartInstances", "InstanceId.1={id}" }, .retries = other_state },
	.change_retries = other_state,
	.more_update = update_monitoring,
	.states = { OF_INSTANCE "instanceState/name", .ready = running, .failed = not_running,
		    .gone = terminated, .reason_path = OF_INSTANCE "stateReason/message" },
};

const struct type *const types_instance[] = { &instance, NULL };
