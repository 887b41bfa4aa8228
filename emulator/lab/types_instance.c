/* AWS::EC2::… types of instances and what is theirs (AWS CloudFormation Template Reference). */
#include "lab/type_rows.h"

/* ---- instances ---- */

const struct property launch_ebs_members[] = {
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
	{ "Ebs", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = launch_ebs_members },
	FIXED("NoDevice", SHAPE_EMPTY),
	LACKING("VirtualName"),
	END,
};
const struct property launch_private_address_members[] = {
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
	  .members = launch_private_address_members },
	FIXED("SecondaryPrivateIpAddressCount", SHAPE_NUMBER),
	FIXED("SubnetId", SHAPE_TEXT),
	END,
};
const struct property launch_cpu_members[] = {
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
const struct property launch_configured_members[] = {
	{ "Configured", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false" },
	END,
};
const struct property launch_enabled_members[] = {
	{ "Enabled", SHAPE_FLAG, UPDATE_REPLACED, .lacks = "false" },
	END,
};
static const struct property launch_template_members[] = {
	FIXED("LaunchTemplateId", SHAPE_TEXT),
	FIXED("LaunchTemplateName", SHAPE_TEXT),
	NEEDED("Version"),
	END,
};
const struct property launch_metadata_members[] = {
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
	{ "CpuOptions", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = launch_cpu_members },
	{ "CreditSpecification", SHAPE_STRUCTURE, .members = credit_members },
	{ "DisableApiTermination", SHAPE_FLAG, .fallback = "false",
	  .change = INSTANCE_CHANGE("DisableApiTermination.Value") },
	{ "EbsOptimized", SHAPE_FLAG, UPDATE_INTERRUPTED, .fallback = "false",
	  .change = INSTANCE_CHANGE("EbsOptimized.Value") },
	LACKING("ElasticGpuSpecifications"),
	LACKING("ElasticInferenceAccelerators"),
	{ "EnclaveOptions", SHAPE_STRUCTURE, UPDATE_REPLACED, .members = launch_enabled_members },
	{ "HibernationOptions", SHAPE_STRUCTURE, UPDATE_REPLACED,
	  .members = launch_configured_members },
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
	{ "MetadataOptions", SHAPE_STRUCTURE, .members = launch_metadata_members,
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
	{ "PublicDnsName", OF_INSTANCE "dnsName?" },
	{ "PublicIp", OF_INSTANCE "ipAddress?" },
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
	.more_create = plan_named_groups,
	.more_update = plan_monitoring,
	.states = { OF_INSTANCE "instanceState/name", .ready = running, .failed = not_running,
		    .gone = terminated, .reason_path = OF_INSTANCE "stateReason/message" },
};

/* ---- volumes ---- */

ERRORS(volume_ready, "available", "in-use");
ERRORS(volume_failed, "error");
ERRORS(no_volume, "InvalidVolume.NotFound");
ERRORS(volume_used, "VolumeInUse", "IncorrectState");

static const struct property volume_properties[] = {
	{ "AutoEnableIO", SHAPE_FLAG, .parameter = "", .fallback = "false",
	  .change = { "ModifyVolumeAttribute", "VolumeId={id} AutoEnableIO.Value=." } },
	FIXED("AvailabilityZone", SHAPE_TEXT),
	FIXED("AvailabilityZoneId", SHAPE_TEXT),
	FIXED("Encrypted", SHAPE_FLAG),
	{ .name = "Iops", .shape = SHAPE_NUMBER },
	FIXED("KmsKeyId", SHAPE_TEXT),
	{ "MultiAttachEnabled", SHAPE_FLAG, .lacks = "false" },
	LACKING("OutpostArn"),
	{ "Size", SHAPE_NUMBER, .required = true },
	LACKING("SnapshotId"),
	LACKING("SourceVolumeId"),
	TAGS,
	{ .name = "Throughput", .shape = SHAPE_NUMBER },
	LACKING("VolumeInitializationRate"),
	{ .name = "VolumeType", .shape = SHAPE_TEXT },
	END,
};
static const struct attribute volume_attributes[] = { { "VolumeId", NULL }, END };
static const struct type volume = {
	"AWS::EC2::Volume",
	.tags = "volume",
	.properties = volume_properties,
	.attributes = volume_attributes,
	.one_of = "AvailabilityZone AvailabilityZoneId",
	.create = { { { "CreateVolume", "* ClientToken={token}" }, .yields = "volumeId" } },
	.update = { { { "ModifyVolume", "VolumeId={id} Size VolumeType Iops Throughput" },
		      .retries = other_state } },
	.delete = { { { "DeleteVolume", "VolumeId={id}" },
		      .tolerates = no_volume,
		      .retries = volume_used } },
	.describe = { { { "DescribeVolumes", "VolumeId.1={id}" }, .tolerates = no_volume } },
	.states = { "volumeSet/item/status", .ready = volume_ready, .failed = volume_failed },
};

ERRORS(not_attached, "InvalidAttachment.NotFound", "InvalidVolume.NotFound",
       "InvalidInstanceID.NotFound", "IncorrectState");
static const struct property volume_attachment_properties[] = {
	NEEDED("Device"),
	{ "EbsCardIndex", SHAPE_NUMBER, .lacks = "0" },
	NEEDED("InstanceId"),
	NEEDED("VolumeId"),
	END,
};
static const struct type volume_attachment = {
	"AWS::EC2::VolumeAttachment",
	.properties = volume_attachment_properties,
	.create = { { { "AttachVolume", "*" },
		      .yields = "={VolumeId}|{InstanceId}",
		      .retries = other_state } },
	.delete = { { { "DetachVolume", "InstanceId VolumeId" }, .tolerates = not_attached } },
};

/* ---- key pairs ---- */

ERRORS(no_key, "InvalidKeyPair.NotFound");

static const struct property key_properties[] = {
	LACKING("KeyFormat"),
	NEEDED("KeyName"),
	LACKING("KeyType"),
	/* There is nowhere to keep a private half that we would make. */
	{ "PublicKeyMaterial", SHAPE_BYTES, UPDATE_REPLACED, .required = true },
	TAGS,
	END,
};
static const struct attribute key_attributes[] = {
	{ "KeyFingerprint", "keySet/item/keyFingerprint" },
	{ "KeyPairId", "keySet/item/keyPairId" },
	END,
};
static const struct type key = {
	"AWS::EC2::KeyPair",
	.tags = "key-pair",
	.properties = key_properties,
	.attributes = key_attributes,
	.create = { { { "ImportKeyPair", "*" }, .yields = "keyName" } },
	.delete = { { { "DeleteKeyPair", "KeyName={id}" }, .tolerates = no_key } },
	.describe = { { { "DescribeKeyPairs", "KeyName.1={id}" }, .tolerates = no_key } },
	.tag_lookup = { { "DescribeKeyPairs", "KeyName.1={id}" },
			.keep = "tagged",
			.keep_path = "keySet/item/keyPairId" },
};

const struct type *const types_instance[] = {
	&instance, &volume, &volume_attachment, &key, NULL,
};
