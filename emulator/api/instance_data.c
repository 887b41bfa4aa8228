/* GetLaunchTemplateData: what an instance was launched with, as a launch template would have it. */
#include "api/actions.h"
#include "api/template_data.h"
#include "model/instance.h"

/* Data that is being gathered; held as a version, for that is what is shown. */
static PRINTF(3, 4) void put(struct template_version *data, const char *value, const char *format,
			     ...)
{
	CLEANUP(freep) char *name = NULL;
	va_list arguments;

	if (!value)
		return;
	va_start(arguments, format);
	name = xvasprintf(format, arguments);
	va_end(arguments);
	template_datum_add(&data->data, &data->datum_count, name, value);
}

static const struct field *find(const struct field *fields, const char *name, size_t length)
{
	for (const struct field *field = fields; field->name; field++)
		if (strncmp(field->name, name, length) == 0 && !field->name[length])
			return field;
	return NULL;
}

/* The text of a scalar that is found by its path in the descriptor: "placement.tenancy". */
static const char *text_at(const struct resource *resource, const struct model *model,
			   const char *path, struct buffer *scratch)
{
	struct view view = { model, resource, resource };
	const struct field *field =
		find(resource_type(resource->id.kind)->fields, path, strcspn(path, "."));

	scratch->length = 0;
	while (field && path[strcspn(path, ".")]) {
		path += strcspn(path, ".") + 1;
		if (!field_child(field, &view, 0, &view))
			return NULL;
		field = find(field->fields, path, strcspn(path, "."));
	}
	return field && field_is_scalar(field) ? field_text(field, &view, scratch) : NULL;
}

/* A parameter of RunInstances, and where the descriptor has its value. */
struct source {
	const char *parameter, *path;
};

static void put_all(struct template_version *data, const struct resource *resource,
		    const struct model *model, const char *prefix, const struct source *sources)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	for (; sources->parameter; sources++)
		put(data, text_at(resource, model, sources->path, &scratch), "%s%s", prefix,
		    sources->parameter);
}

static const struct source of_instance[] = {
	{ "ImageId", "imageId" },
	{ "InstanceType", "instanceType" },
	{ "KeyName", "keyName" },
	{ "UserData", "userData" },
	{ "EbsOptimized", "ebsOptimized" },
	{ "DisableApiTermination", "disableApiTermination" },
	{ "DisableApiStop", "disableApiStop" },
	{ "InstanceInitiatedShutdownBehavior", "shutdownBehavior" },
	{ "Monitoring.Enabled", "monitoringEnabled" },
	{ "Placement.AvailabilityZone", "placement.availabilityZone" },
	{ "Placement.GroupName", "placement.groupName" },
	{ "Placement.Tenancy", "placement.tenancy" },
	{ "CpuOptions.CoreCount", "cpuOptions.coreCount" },
	{ "CpuOptions.ThreadsPerCore", "cpuOptions.threadsPerCore" },
	{ "CapacityReservationSpecification.CapacityReservationPreference",
	  "capacityReservationSpecification.capacityReservationPreference" },
	{ "HibernationOptions.Configured", "hibernationOptions.configured" },
	{ "EnclaveOptions.Enabled", "enclaveOptions.enabled" },
	{ "MaintenanceOptions.AutoRecovery", "maintenanceOptions.autoRecovery" },
	{ "MetadataOptions.HttpTokens", "metadataOptions.httpTokens" },
	{ "MetadataOptions.HttpPutResponseHopLimit", "metadataOptions.httpPutResponseHopLimit" },
	{ "MetadataOptions.HttpEndpoint", "metadataOptions.httpEndpoint" },
	{ "MetadataOptions.HttpProtocolIpv6", "metadataOptions.httpProtocolIpv6" },
	{ "MetadataOptions.InstanceMetadataTags", "metadataOptions.instanceMetadataTags" },
	{ "PrivateDnsNameOptions.HostnameType", "privateDnsNameOptions.hostnameType" },
	{ "PrivateDnsNameOptions.EnableResourceNameDnsARecord",
	  "privateDnsNameOptions.enableResourceNameDnsARecord" },
	{ "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord",
	  "privateDnsNameOptions.enableResourceNameDnsAAAARecord" },
	{ NULL, NULL },
};

static const struct source of_volume[] = {
	{ "DeleteOnTermination", "deleteOnTermination" },
	{ "Encrypted", "encrypted" },
	{ "KmsKeyId", "kmsKeyId" },
	{ "SnapshotId", "snapshotId" },
	{ "VolumeSize", "size" },
	{ "VolumeType", "volumeType" },
	{ "Throughput", "throughput" },
	{ NULL, NULL },
};

static const struct source of_interface[] = {
	{ "NetworkInterfaceId", "networkInterfaceId" },
	{ "SubnetId", "subnetId" },
	{ "Description", "description" },
	{ "PrivateIpAddress", "privateIpAddress" },
	{ "InterfaceType", "interfaceType" },
	{ "DeviceIndex", "attachment.deviceIndex" },
	{ "DeleteOnTermination", "attachment.deleteOnTermination" },
	{ "NetworkCardIndex", "attachment.networkCardIndex" },
	{ NULL, NULL },
};

/* What a gp2 volume does comes from its size, and can't be asked for. */
static void put_volume(struct template_version *data, const struct model *model, size_t n,
		       const struct volume *volume)
{
	CLEANUP(freep) char *prefix = xasprintf("BlockDeviceMapping.%zu.Ebs.", n);
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	put(data, volume->device, "BlockDeviceMapping.%zu.DeviceName", n);
	put_all(data, &volume->resource, model, prefix, of_volume);
	if (!streq(volume->shape.type, "gp2"))
		put(data, text_at(&volume->resource, model, "iops", &scratch), "%sIops", prefix);
}

static void put_interface(struct template_version *data, const struct model *model, size_t n,
			  const struct interface *interface)
{
	CLEANUP(freep) char *prefix = xasprintf("NetworkInterface.%zu.", n);
	size_t place = 0;

	put_all(data, &interface->resource, model, prefix, of_interface);
	if (interface->auto_public)
		put(data, "true", "%sAssociatePublicIpAddress", prefix);
	for (size_t i = 0; i < interface->group_count; i++)
		put(data, rid_format(interface->groups[i].id).text, "%sSecurityGroupId.%zu", prefix,
		    i + 1);
	for_each_interface_address(address, interface)
	{
		place++;
		put(data, place > 1 ? "false" : "true", "%sPrivateIpAddresses.%zu.Primary", prefix,
		    place);
		put(data, address_format(address).text, "%sPrivateIpAddresses.%zu.PrivateIpAddress",
		    prefix, place);
	}
}

/* Those that aren't AWS's own. */
static void put_tags(struct template_version *data, const struct resource *resource)
{
	size_t n = 0;

	for (size_t i = 0; i < resource->tag_count; i++) {
		if (strncmp(resource->tags[i].key, "aws:", 4) == 0)
			continue;
		if (n++ == 0)
			put(data, "instance", "TagSpecification.1.ResourceType");
		put(data, resource->tags[i].key, "TagSpecification.1.Tag.%zu.Key", n);
		put(data, resource->tags[i].value, "TagSpecification.1.Tag.%zu.Value", n);
	}
}

static void data_clear(struct template_version *data)
{
	template_data_clear(&data->data, &data->datum_count);
}

int get_launch_template_data(struct call *call, struct error *error)
{
	CLEANUP(data_clear) struct template_version data = { 0 };
	const struct model *model = call_model(call);
	struct instance *instance;
	int r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error);

	if (r < 0)
		return r;
	put_all(&data, &instance->resource, model, "", of_instance);
	put(&data, instance_cpu_credits(instance), "CreditSpecification.CpuCredits");
	for (size_t i = 0; i < instance->volume_count; i++)
		put_volume(&data, model, i + 1, volume_get(model, instance->volumes[i].id));
	for (size_t i = 0; i < instance->interface_count; i++)
		put_interface(&data, model, i + 1,
			      interface_get(model, instance->interfaces[i].id));
	put_tags(&data, &instance->resource);
	reply_template_data(call, &data);
	return 0;
}
