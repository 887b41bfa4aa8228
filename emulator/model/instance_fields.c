/*
 * What clients see of an instance: the descriptor. Members that no emulated machine can have (GPUs,
 * Outposts …) are left out; those that Terraform reads back always have their default.
 */
#include "model/instance.h"

#include "model/catalog.h"
#include "model/fault.h"

static const struct interface *primary(const struct view *view)
{
	return instance_primary(view->model, view->object);
}

static const char *get_state_name(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return instance_state_names[((const struct instance *)view->object)->state];
}

static const char *get_state_code(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "%d",
			 instance_state_code(((const struct instance *)view->object)->state));
}

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	return zone_name_of(view->resource->scope, ((const struct instance *)view->object)->zone,
			    scratch);
}

static const char *get_zone_id(const struct view *view, struct buffer *scratch)
{
	return zone_id_of(view->resource->scope, ((const struct instance *)view->object)->zone,
			  scratch);
}

static const char *get_private_address(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = primary(view);

	return interface ? get_copy(scratch, address_format(interface->address).text) : NULL;
}

/* Unset: none. */
static struct address public_address(const struct view *view)
{
	const struct interface *interface = primary(view);

	return interface ? interface_public_at(view->model, interface, interface->address)
			 : (struct address){ 0 };
}

static const char *get_public_address(const struct view *view, struct buffer *scratch)
{
	const struct address address = public_address(view);

	return address_is_set(address) ? get_copy(scratch, address_format(address).text) : NULL;
}

static const char *get_private_dns(const struct view *view, struct buffer *scratch)
{
	if (!primary(view))
		return "";
	instance_host_name(view->model, view->object, scratch);
	buffer_putc(scratch, '.');
	private_dns_domain(view->resource->scope, scratch);
	return scratch->data;
}

static const char *get_public_dns(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = primary(view);

	if (!interface)
		return "";
	return interface_public_dns(view->model, interface, interface->address, scratch);
}

static const char *get_architecture(const struct view *view, struct buffer *scratch)
{
	const struct instance_type *type =
		instance_type_find(((const struct instance *)view->object)->options.type);

	(void)scratch;
	return type ? type->architecture : "x86_64";
}

static const char *get_cores(const struct view *view, struct buffer *scratch)
{
	const struct instance_type *type =
		instance_type_find(((const struct instance *)view->object)->options.type);

	return get_print(scratch, "%lld", type ? (long long)type->cpus : 1LL);
}

static const char *get_recovery(const struct view *view, struct buffer *scratch)
{
	const struct instance *instance = view->object;

	(void)scratch;
	return instance->options.auto_recovery ? instance->options.auto_recovery : "default";
}

static const char *get_monitoring(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct instance *)view->object)->options.monitoring ? "enabled" : "disabled";
}

static const char *get_source_dest(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = primary(view);

	(void)scratch;
	if (!interface)
		return NULL;
	return interface->source_dest_check ? "true" : "false";
}

static bool child_reason(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && ((const struct instance *)view->object)->reason_code;
}

static bool child_volume(const struct view *view, size_t index, struct view *ret_child)
{
	const struct instance *instance = view->object;
	const struct volume *volume;

	if (index >= instance->volume_count)
		return false;
	volume = volume_get(view->model, instance->volumes[index].id);
	*ret_child = (struct view){ view->model, &volume->resource, volume };
	return true;
}

static bool child_interface(const struct view *view, size_t index, struct view *ret_child)
{
	const struct instance *instance = view->object;
	struct interface *interface;

	if (index >= instance->interface_count)
		return false;
	interface = interface_get(view->model, instance->interfaces[index].id);
	*ret_child = (struct view){ view->model, &interface->resource, interface };
	return true;
}

/* An instance shows the groups of its first interface. */
static bool child_group(const struct view *view, size_t index, struct view *ret_child)
{
	const struct interface *interface = primary(view);

	if (!interface || index >= interface->group_count)
		return false;
	*ret_child = (struct view){ view->model, &interface->resource, &interface->groups[index] };
	return true;
}

static const char *get_group_name(const struct view *view, struct buffer *scratch)
{
	const struct resource *group =
		model_get(view->model, NULL, ((const struct rid_item *)view->object)->id);
	struct view inner = { view->model, group, group };

	for (const struct field *field = group ? resource_type(KIND_SECURITY_GROUP)->fields : NULL;
	     field && field->name; field++)
		if (streq(field->name, "groupName"))
			return field_text(field, &inner, scratch);
	return NULL;
}

static const struct field group_fields[] = {
	FIELD_OF(struct rid_item, id, FIELD_RID, "groupId", "instance.group-id", FIELD_SHOWN),
	FIELD_GET_OF(get_group_name, "groupName", "instance.group-name"),
	FIELD_END,
};

const struct field instance_state_fields[] = {
	FIELD_GET_OF(get_state_code, "code", "instance-state-code"),
	FIELD_GET_OF(get_state_name, "name", "instance-state-name"),
	FIELD_END,
};

static const struct field placement_fields[] = {
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),
	FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id"),
	FIELD_CONST_OF("", "groupName", "placement-group-name"),
	FIELD_OF(struct instance, options.tenancy, FIELD_TEXT, "tenancy", "tenancy", FIELD_SHOWN),
	FIELD_END,
};

static const struct field monitoring_fields[] = {
	FIELD_GET_OF(get_monitoring, "state", "monitoring-state"),
	FIELD_END,
};

static const struct field reason_fields[] = {
	FIELD_OF(struct instance, reason_code, FIELD_TEXT, "code", "state-reason-code",
		 FIELD_SHOWN),
	FIELD_OF(struct instance, reason_message, FIELD_TEXT, "message", "state-reason-message",
		 FIELD_SHOWN),
	FIELD_END,
};

static const struct field cpu_fields[] = {
	FIELD_GET_OF(get_cores, "coreCount", NULL),
	FIELD_CONST_OF("1", "threadsPerCore", NULL),
	FIELD_END,
};

static const struct field capacity_fields[] = {
	FIELD_CONST_OF("open", "capacityReservationPreference",
		       "capacity-reservation-specification.capacity-reservation-preference"),
	FIELD_END,
};
static const struct field hibernation_fields[] = {
	FIELD_CONST_OF("false", "configured", "hibernation-options.configured"), FIELD_END
};
static const struct field enclave_fields[] = {
	FIELD_CONST_OF("false", "enabled", "enclave-options.enabled"), FIELD_END
};
static const struct field maintenance_fields[] = {
	FIELD_GET_OF(get_recovery, "autoRecovery", "maintenance-options.auto-recovery"), FIELD_END
};
#define NAMES "private-dns-name-options."
static const struct field name_options_fields[] = {
	FIELD_OF(struct instance, options.hostname_type, FIELD_TEXT, "hostnameType",
		 NAMES "hostname-type", FIELD_BOTH),
	FIELD_OF(struct instance, options.resource_name_a, FIELD_BOOL,
		 "enableResourceNameDnsARecord", NAMES "enable-resource-name-dns-a-record",
		 FIELD_BOTH),
	FIELD_OF(struct instance, options.resource_name_aaaa, FIELD_BOOL,
		 "enableResourceNameDnsAAAARecord", NAMES "enable-resource-name-dns-aaaa-record",
		 FIELD_BOTH),
	FIELD_END,
};

#define METADATA "metadata-options."

const struct field instance_metadata_fields[] = {
	FIELD_CONST_OF("applied", "state", METADATA "state"),
	FIELD_OF(struct instance, options.http_tokens, FIELD_TEXT, "httpTokens",
		 METADATA "http-tokens", FIELD_SHOWN),
	FIELD_OF(struct instance, options.hop_limit, FIELD_INT, "httpPutResponseHopLimit",
		 METADATA "http-put-response-hop-limit", FIELD_SHOWN),
	FIELD_OF(struct instance, options.http_endpoint, FIELD_TEXT, "httpEndpoint",
		 METADATA "http-endpoint", FIELD_SHOWN),
	FIELD_OF(struct instance, options.metadata_ipv6, FIELD_TEXT, "httpProtocolIpv6",
		 METADATA "http-protocol-ipv6", FIELD_SHOWN),
	FIELD_OF(struct instance, options.metadata_tags, FIELD_TEXT, "instanceMetadataTags",
		 METADATA "instance-metadata-tags", FIELD_SHOWN),
	FIELD_END,
};

/* What is only kept: the wire has it elsewhere, or not at all. */
#define KEPT(member_, type_, name_)                                                                \
	FIELD_OF(struct instance, member_, type_, name_, NULL, FIELD_STORED)

static const struct field fields[] = {
	RESOURCE_FIELDS(struct instance),
	FIELD_GET_OF(get_id, "instanceId", "instance-id"),
	FIELD_OF(struct instance, options.image_id, FIELD_TEXT, "imageId", "image-id", FIELD_BOTH),
	FIELD_CHILD_OF(child_self, instance_state_fields, "instanceState"),
	FIELD_GET_OF(get_private_dns, "privateDnsName", "private-dns-name"),
	FIELD_GET_OF(get_public_dns, "dnsName", "dns-name"),
	FIELD_OF(struct instance, reason, FIELD_TEXT, "reason", "reason", FIELD_BOTH),
	FIELD_OF(struct instance, options.key_name, FIELD_TEXT, "keyName", "key-name", FIELD_BOTH),
	FIELD_OF(struct instance, launch_index, FIELD_INT, "amiLaunchIndex", "launch-index",
		 FIELD_BOTH),
	FIELD_OF(struct instance, options.type, FIELD_TEXT, "instanceType", "instance-type",
		 FIELD_BOTH),
	FIELD_OF(struct instance, launch_time, FIELD_TIME, "launchTime", "launch-time", FIELD_BOTH),
	FIELD_CHILD_OF(child_self, placement_fields, "placement"),
	FIELD_CHILD_OF(child_self, monitoring_fields, "monitoring"),
	FIELD_OF(struct instance, subnet, FIELD_RID, "subnetId", "subnet-id", FIELD_BOTH),
	FIELD_OF(struct instance, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_GET_OF(get_private_address, "privateIpAddress", "private-ip-address"),
	FIELD_GET_OF(get_public_address, "ipAddress", "ip-address"),
	FIELD_GET_OF(get_source_dest, "sourceDestCheck", "source-dest-check"),
	FIELD_CHILDREN_OF(child_group, group_fields, "groupSet"),
	FIELD_CHILD_OF(child_reason, reason_fields, "stateReason"),
	FIELD_GET_OF(get_architecture, "architecture", "architecture"),
	FIELD_CONST_OF("ebs", "rootDeviceType", "root-device-type"),
	FIELD_CONST_OF(ROOT_DEVICE, "rootDeviceName", "root-device-name"),
	FIELD_CHILDREN_OF(child_volume, volume_mapping_fields, "blockDeviceMapping"),
	FIELD_CONST_OF("hvm", "virtualizationType", "virtualization-type"),
	FIELD_OF(struct instance, options.client_token, FIELD_TEXT, "clientToken", "client-token",
		 FIELD_BOTH),
	FIELD_CONST_OF("xen", "hypervisor", "hypervisor"),
	FIELD_CHILDREN_OF(child_interface, interface_instance_fields, "networkInterfaceSet"),
	FIELD_OF(struct instance, options.ebs_optimized, FIELD_BOOL, "ebsOptimized",
		 "ebs-optimized", FIELD_BOTH),
	FIELD_CONST_OF("true", "enaSupport", "ena-support"),
	FIELD_CHILD_OF(child_self, cpu_fields, "cpuOptions"),
	FIELD_CHILD_OF(child_self, capacity_fields, "capacityReservationSpecification"),
	FIELD_CHILD_OF(child_self, hibernation_fields, "hibernationOptions"),
	FIELD_CHILD_OF(child_self, instance_metadata_fields, "metadataOptions"),
	FIELD_CHILD_OF(child_self, enclave_fields, "enclaveOptions"),
	FIELD_CONST_OF("Linux/UNIX", "platformDetails", "platform-details"),
	FIELD_CONST_OF("RunInstances", "usageOperation", "usage-operation"),
	FIELD_OF(struct instance, launch_time, FIELD_TIME, "usageOperationUpdateTime",
		 "usage-operation-update-time", FIELD_SHOWN),
	{ .name = "privateDnsNameOptions",
	  .type = FIELD_STRUCT, /* at offset 0: its fields are the instance's own */
	  .flags = FIELD_BOTH,
	  .fields = name_options_fields },
	FIELD_CHILD_OF(child_self, maintenance_fields, "maintenanceOptions"),
	FIELD_CONST_OF("legacy-bios", "currentInstanceBootMode", "current-instance-boot-mode"),
	/* the store's own */
	FIELD_OF(struct instance, reservation, FIELD_RID, "reservation", "reservation-id",
		 FIELD_STORED),
	{ .name = "", .filter = "owner-id", .type = FIELD_GET, .get = get_owner },
	FIELD_ENUM_OF(struct instance, state, instance_state_names, "state", NULL, FIELD_STORED),
	KEPT(end_time, FIELD_TIME, "endTime"),
	KEPT(zone, FIELD_INT, "zone"),
	KEPT(reason_code, FIELD_TEXT, "reasonCode"),
	KEPT(reason_message, FIELD_TEXT, "reasonMessage"),
	FIELD_LIST_OF(struct instance, interfaces, interface_count, rid_item_fields, "interfaces",
		      FIELD_STORED),
	FIELD_LIST_OF(struct instance, volumes, volume_count, rid_item_fields, "volumes",
		      FIELD_STORED),
	KEPT(has_run, FIELD_BOOL, "hasRun"),
	KEPT(pid, FIELD_INT, "pid"),
	KEPT(start_time, FIELD_INT, "startTime"),
	KEPT(options.user_data, FIELD_TEXT, "userData"),
	KEPT(options.public_key, FIELD_TEXT, "publicKey"),
	KEPT(options.token_digest, FIELD_TEXT, "tokenDigest"),
	KEPT(options.shutdown_behavior, FIELD_TEXT, "shutdownBehavior"),
	KEPT(options.disable_api_termination, FIELD_BOOL, "disableApiTermination"),
	KEPT(options.disable_api_stop, FIELD_BOOL, "disableApiStop"),
	KEPT(options.monitoring, FIELD_BOOL, "monitoringEnabled"),
	KEPT(options.tenancy, FIELD_TEXT, "tenancy"),
	KEPT(options.cpu_credits, FIELD_TEXT, "cpuCredits"),
	KEPT(options.auto_recovery, FIELD_TEXT, "autoRecovery"),
	KEPT(options.http_tokens, FIELD_TEXT, "httpTokens"),
	KEPT(options.http_endpoint, FIELD_TEXT, "httpEndpoint"),
	KEPT(options.metadata_tags, FIELD_TEXT, "metadataTags"),
	KEPT(options.metadata_ipv6, FIELD_TEXT, "metadataIpv6"),
	KEPT(options.hop_limit, FIELD_INT, "hopLimit"),
	FIELD_END,
};

const struct resource_type instance_type = {
	.kind = KIND_INSTANCE,
	.size = sizeof(struct instance),
	.fields = fields,
	.tag_type = "instance",
};

/* ---- DescribeInstanceStatus ---- */

static const char *get_status(const struct view *view, struct buffer *scratch)
{
	const struct instance *instance = view->object;

	(void)scratch;
	if (instance->state != INSTANCE_RUNNING)
		return "not-applicable";
	return fault_of_host(view->model, instance) ? "impaired" : "ok";
}

static const char *get_reachability(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return fault_of_host(view->model, view->object) ? "failed" : "passed";
}

static const char *get_impaired_since(const struct view *view, struct buffer *scratch)
{
	const struct fault *fault = fault_of_host(view->model, view->object);

	if (!fault)
		return NULL;
	buffer_time(scratch, fault->since);
	return scratch->data;
}

static bool child_detail(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && ((const struct instance *)view->object)->state == INSTANCE_RUNNING;
}

#define STATUS_FIELDS(name_, filter_)                                                              \
	static const struct field name_##_details[] = {                                            \
		FIELD_GET_OF(get_impaired_since, "impairedSince", NULL),                           \
		FIELD_CONST_OF("reachability", "name", NULL),                                      \
		FIELD_GET_OF(get_reachability, "status", filter_ ".reachability"),                 \
		FIELD_END,                                                                         \
	};                                                                                         \
	static const struct field name_##_fields[] = {                                             \
		FIELD_GET_OF(get_status, "status", filter_ ".status"),                             \
		FIELD_CHILDREN_OF(child_detail, name_##_details, "details"),                       \
		FIELD_END,                                                                         \
	}

STATUS_FIELDS(machine, "instance-status");
STATUS_FIELDS(host, "system-status");
STATUS_FIELDS(disks, "attached-ebs-status");

const struct field instance_status_fields[] = {
	FIELD_GET_OF(get_id, "instanceId", NULL),
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),
	FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id"),
	FIELD_CHILD_OF(child_self, instance_state_fields, "instanceState"),
	FIELD_CHILD_OF(child_self, machine_fields, "instanceStatus"),
	FIELD_CHILD_OF(child_self, host_fields, "systemStatus"),
	FIELD_CHILD_OF(child_self, disks_fields, "attachedEbsStatus"),
	FIELD_END,
};
