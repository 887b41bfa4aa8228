/* Instances once they are there: Describe, Start, Stop, Reboot, Terminate. */
#include "api/actions.h"
#include "model/instance.h"

/* DescribeInstances groups instances by the launch that made them. */
static void in_reservation(struct call *call, const struct view *view, const struct view *previous,
			   bool last)
{
	const struct instance *next = view ? view->object : NULL;
	const struct instance *before = previous ? previous->object : NULL;

	if (next && before && rid_equal(next->reservation, before->reservation))
		return;
	if (before) {
		xml_close(call->xml);
		xml_close(call->xml);
	}
	if (last || !next)
		return;
	xml_open(call->xml, "item");
	xml_text(call->xml, "reservationId", rid_format(next->reservation).text);
	xml_text(call->xml, "ownerId", call->scope->account);
	xml_open(call->xml, "groupSet");
	xml_close(call->xml);
	xml_open(call->xml, "instancesSet");
}

static const struct listing instances = {
	.list = "reservationSet",
	.kind = KIND_INSTANCE,
	.ids = "InstanceId",
	.minimum = 5,
	.maximum = 1000,
	.item = in_reservation,
	.absent = "affinity boot-mode capacity-reservation-id "
		  "capacity-reservation-specification.capacity-reservation-target.capacity-"
		  "reservation-id "
		  "capacity-reservation-specification.capacity-reservation-target.capacity-"
		  "reservation-resource-group-arn "
		  "host-id iam-instance-profile.arn iam-instance-profile.id "
		  "instance-lifecycle ipv6-address kernel-id "
		  "metadata-options.http-protocol-ipv4 "
		  "network-interface.addresses.association.allocation-id "
		  "network-interface.addresses.association.association-id "
		  "network-interface.addresses.association.carrier-ip "
		  "network-interface.addresses.association.customer-owned-ip "
		  "network-interface.association.allocation-id "
		  "network-interface.association.association-id "
		  "network-interface.association.carrier-ip "
		  "network-interface.association.customer-owned-ip "
		  "network-interface.deny-all-igw-traffic "
		  "network-interface.ipv4-prefixes.ipv4-prefix "
		  "network-interface.ipv6-address "
		  "network-interface.ipv6-addresses.ipv6-address "
		  "network-interface.ipv6-addresses.is-primary-ipv6 "
		  "network-interface.ipv6-native "
		  "network-interface.ipv6-prefixes.ipv6-prefix "
		  "network-interface.operator.managed "
		  "network-interface.operator.principal "
		  "network-interface.outpost-arn network-interface.public-dns-name "
		  "network-interface.requester-id network-interface.tag-key "
		  "network-interface.tag-value "
		  "network-performance-options.bandwidth-weighting operator.managed "
		  "operator.principal outpost-arn placement-partition-number "
		  "platform product-code product-code.type ramdisk-id requester-id "
		  "spot-instance-request-id tpm-support",
};

int describe_instances(struct call *call, struct error *error)
{
	return describe_resources(call, &instances, error);
}

int describe_instance_status(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "instanceStatusSet",
		.kind = KIND_INSTANCE,
		.ids = "InstanceId",
		.fields = instance_status_fields,
		.no_tags = true,
		.minimum = 5,
		.maximum = 1000,
		.absent = "application-status.status event.code "
			  "event.description event.instance-event-id event.not-after "
			  "event.not-before event.not-before-deadline operator.managed "
			  "operator.principal",
	};
	bool all = call_bool(call, "IncludeAllInstances", false);
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if ((r = resource_rows(call, &listing, &rows, error)) < 0)
		return r;
	for (size_t i = rows.count; !all && i-- > 0;)
		if (((const struct instance *)rows.items[i].object)->state != INSTANCE_RUNNING)
			array_remove(rows.items, &rows.count, i);
	return describe_rows(call, &listing, &rows, error);
}

/* ---- changes of state ---- */

/* The instances named, every one there and each once. */
static int named(struct call *call, struct rows *rows, struct error *error)
{
	static const struct listing listing = { .kind = KIND_INSTANCE, .ids = "InstanceId" };

	return resource_rows(call, &listing, rows, error);
}

static void reply_state(struct call *call, const char *name, int state)
{
	xml_open(call->xml, name);
	xml_int(call->xml, "code", instance_state_code(state));
	xml_text(call->xml, "name", instance_state_names[state]);
	xml_close(call->xml);
}

static int change_state(struct call *call,
			int (*change)(struct transaction *, struct instance *, struct error *),
			struct error *error)
{
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if ((r = named(call, &rows, error)) < 0)
		return r;
	xml_open(call->xml, "instancesSet");
	for (size_t i = 0; i < rows.count; i++) {
		struct instance *instance =
			instance_get(call_model(call), rows.items[i].resource->id);
		int before = instance->state;

		if ((r = change(&call->transaction, instance, error)) < 0)
			return r;
		xml_open(call->xml, "item");
		xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
		reply_state(call, "currentState", instance->state);
		reply_state(call, "previousState", before);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

int start_instances(struct call *call, struct error *error)
{
	return change_state(call, instance_start, error);
}

int stop_instances(struct call *call, struct error *error)
{
	if (call_bool(call, "Hibernate", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The instance was not launched with hibernation enabled.");
	return change_state(call, instance_stop, error);
}

int terminate_instances(struct call *call, struct error *error)
{
	return change_state(call, instance_terminate, error);
}

int reboot_instances(struct call *call, struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if ((r = named(call, &rows, error)) < 0)
		return r;
	for (size_t i = 0; i < rows.count; i++) {
		const struct instance *instance = rows.items[i].object;

		if (instance->state != INSTANCE_RUNNING)
			return error_set(error, ERROR_INSTANCE_STATE,
					 "The instance '%s' is not in a state from which it can be "
					 "rebooted.",
					 rid_format(instance->resource.id).text);
	}
	for (size_t i = 0; i < rows.count && !call_bool(call, "DryRun", false); i++)
		if ((r = hooks->reboot(hooks->context, rows.items[i].resource->id, error)) < 0)
			return r;
	return reply_true(call);
}
