/* Interfaces as devices of instances: see attachment.h. */
#include "model/attachment.h"

#include "model/catalog.h"
#include "model/nat_gateway.h"

#include <inttypes.h>

/* ---- limits ---- */

/* What isn't in the catalogue is as large as can be. */
static size_t addresses_of(const char *type)
{
	const struct instance_type *known = instance_type_find(type);

	return known ? (size_t)known->addresses : INTERFACE_ADDRESSES_MAX;
}

size_t attachment_address_limit(const struct model *model, const struct interface *interface)
{
	const struct instance *instance = instance_get(model, interface->instance);

	return instance ? addresses_of(instance->options.type) : INTERFACE_ADDRESSES_MAX;
}

int attachment_check_limits(const char *type, size_t interfaces, size_t addresses,
			    struct error *error)
{
	const struct instance_type *known = instance_type_find(type);

	if (known && (int64_t)interfaces > known->interfaces)
		return error_subject(error, ERROR_QUOTA, "eni-attach",
				     "Interface count %zu exceeds the limit for %s", interfaces,
				     type);
	if (addresses > addresses_of(type))
		return error_subject(error, ERROR_QUOTA, "private-address",
				     "Number of private addresses will exceed limit.");
	return 0;
}

/* ---- checks ---- */

int attachment_in_use(const struct interface *interface, struct error *error)
{
	return error_set(error, ERROR_INTERFACE_IN_USE, "Interface: [%s] in use.",
			 rid_format(interface->resource.id).text);
}

int attachment_check_free(const struct interface *interface, struct error *error)
{
	return rid_is_set(interface->attachment) || interface_is_managed(interface)
		       ? attachment_in_use(interface, error)
		       : 0;
}

int attachment_check_place(const struct subnet *of_instance, const struct subnet *of_interface,
			   struct error *error)
{
	const char *what = NULL;

	if (!rid_equal(of_instance->vpc, of_interface->vpc))
		what = "VPC";
	else if (of_instance->zone != of_interface->zone)
		what = "availability zone";
	if (!what)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
			 "You may not attach a network interface to an instance if they are not "
			 "in the same %s",
			 what);
}

static int check_index(const struct model *model, const struct instance *instance, int64_t index,
		       struct error *error)
{
	for (size_t i = 0; i < instance->interface_count; i++)
		if (interface_get(model, instance->interfaces[i].id)->device_index == index)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Instance '%s' already has an interface attached at "
					 "device index '%" PRId64 "'.",
					 rid_format(instance->resource.id).text, index);
	return 0;
}

int attachment_check(const struct model *model, const struct instance *instance,
		     const struct interface *interface, int64_t device_index, struct error *error)
{
	int r;

	if (instance->state != INSTANCE_RUNNING && instance->state != INSTANCE_STOPPED)
		return error_set(error, ERROR_INSTANCE_STATE,
				 "The instance '%s' is not in a state in which an interface can "
				 "be attached.",
				 rid_format(instance->resource.id).text);
	if ((r = attachment_check_free(interface, error)) < 0 ||
	    (r = attachment_check_place(subnet_get(model, instance->subnet),
					subnet_get(model, interface->subnet), error)) < 0 ||
	    (r = check_index(model, instance, device_index, error)) < 0)
		return r;
	return attachment_check_limits(instance->options.type, instance->interface_count + 1,
				       1 + interface->secondary_count, error);
}

int attachment_check_end(const struct interface *interface, struct error *error)
{
	if (interface->device_index != 0)
		return 0;
	return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
			 "The network interface at device index 0 and networkCard index 0 cannot "
			 "be detached.");
}

/* ---- verbs ---- */

/* The list is in the order of the devices. */
static size_t place_of(const struct model *model, const struct instance *instance, int64_t index)
{
	size_t place = 0;

	while (place < instance->interface_count &&
	       interface_get(model, instance->interfaces[place].id)->device_index < index)
		place++;
	return place;
}

void attachment_make(struct transaction *transaction, struct instance *instance,
		     struct interface *interface, int64_t device_index, bool delete_on_termination)
{
	size_t place = place_of(transaction->model, instance, device_index);
	struct rid_item *items;

	transaction_edit(transaction, instance);
	transaction_edit(transaction, interface);
	array_grow(&instance->interfaces, &instance->interface_count);
	items = instance->interfaces;
	memmove(items + place + 1, items + place,
		(instance->interface_count - 1 - place) * sizeof(*items));
	items[place].id = interface->resource.id;
	interface->ended = (struct ended_attachment){ 0 };
	interface->attachment = rid_new(KIND_ATTACHMENT);
	interface->instance = instance->resource.id;
	interface->device_index = device_index;
	interface->attach_time = transaction->now;
	interface->delete_on_termination = delete_on_termination;
}

void attachment_end(struct transaction *transaction, struct interface *interface)
{
	struct instance *instance = instance_get(transaction->model, interface->instance);

	interface_release_public(transaction, interface);
	transaction_edit(transaction, interface);
	transaction_edit(transaction, instance);
	for (size_t i = instance->interface_count; i-- > 0;)
		if (rid_equal(instance->interfaces[i].id, interface->resource.id))
			array_remove(instance->interfaces, &instance->interface_count, i);
	interface->ended = (struct ended_attachment){
		.id = interface->attachment,
		.instance = interface->instance,
		.device_index = interface->device_index,
		.attach_time = interface->attach_time,
		.delete_on_termination = interface->delete_on_termination,
	};
	interface->attachment = (struct rid){ KIND_NONE, 0 };
	interface->instance = (struct rid){ KIND_NONE, 0 };
	interface->device_index = interface->attach_time = 0;
	interface->delete_on_termination = interface->auto_public = false;
}

struct interface attachment_ended_view(const struct interface *interface)
{
	struct interface seen = *interface;

	seen.attachment = interface->ended.id;
	seen.instance = interface->ended.instance;
	seen.device_index = interface->ended.device_index;
	seen.attach_time = interface->ended.attach_time;
	seen.delete_on_termination = interface->ended.delete_on_termination;
	seen.is_seen_ended = true;
	return seen;
}

struct interface *attachment_find(const struct scope *scope, struct rid attachment)
{
	for_each_resource (struct interface, interface, scope, KIND_NETWORK_INTERFACE)
		if (rid_equal(interface->attachment, attachment))
			return interface;
	return NULL;
}

bool attachment_is_live(const struct model *model, const struct interface *interface)
{
	const struct instance *instance = instance_get(model, interface->instance);
	const struct nat_gateway *gateway = nat_gateway_get(model, interface->nat_gateway);

	return instance ? instance_is_live(instance) : gateway && gateway->state == NAT_AVAILABLE;
}
