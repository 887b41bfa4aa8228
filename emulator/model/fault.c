/* What is asked to fail: see fault.h. */
#include "model/fault.h"

#include "model/attachment.h"
#include "model/internet.h"
#include "model/nat_gateway.h"
#include "model/region.h"

const char *const fault_type_names[] = { "az", "nat", "subnet", "instance", "link", NULL };
static_assert(ARRAY_SIZE(fault_type_names) == FAULT_TYPE_MAX + 1, "every type has a name");

static const struct field fields[] = {
	RESOURCE_FIELDS(struct fault),
	FIELD_ENUM_OF(struct fault, type, fault_type_names, "type", NULL, FIELD_BOTH),
	FIELD_OF(struct fault, target, FIELD_RID, "target", NULL, FIELD_STORED),
	FIELD_OF(struct fault, region, FIELD_TEXT, "region", NULL, FIELD_STORED),
	FIELD_OF(struct fault, zone, FIELD_INT, "zone", NULL, FIELD_STORED),
	FIELD_OF(struct fault, link.loss, FIELD_INT, "loss", NULL, FIELD_STORED),
	FIELD_OF(struct fault, link.rate, FIELD_INT, "rate", NULL, FIELD_STORED),
	FIELD_OF(struct fault, link.delay, FIELD_INT, "delay", NULL, FIELD_STORED),
	FIELD_OF(struct fault, since, FIELD_TIME, "since", NULL, FIELD_BOTH),
	FIELD_END,
};

const struct resource_type fault_type = {
	.kind = KIND_FAULT,
	.size = sizeof(struct fault),
	.fields = fields,
};

const char *fault_target(const struct fault *fault, struct buffer *scratch)
{
	if (fault->type == FAULT_ZONE)
		return get_copy(scratch,
				zone_name(region_find(fault->region), (size_t)fault->zone).text);
	return get_copy(scratch, rid_format(fault->target).text);
}

/* ---- verbs ---- */

static struct fault *make(struct transaction *transaction, enum fault_type type)
{
	struct fault *fault =
		transaction_create(transaction, internet_scope(transaction->model), KIND_FAULT);

	fault->type = type;
	fault->since = transaction->now;
	return fault;
}

int fault_zone(struct transaction *transaction, const char *zone, struct fault **ret_fault,
	       struct error *error)
{
	struct fault *fault;

	for (size_t i = 0; region_at(i); i++) {
		const struct region *region = region_at(i);
		size_t index;

		if (zone_find(region, zone, &index) < 0)
			continue;
		for_each_fault(other, transaction->model) if (other->type == FAULT_ZONE &&
							      streq(other->region, region->name) &&
							      other->zone == (int64_t)index)
		{
			*ret_fault = other;
			return 0;
		}
		fault = make(transaction, FAULT_ZONE);
		fault->region = xstrdup(region->name);
		fault->zone = (int64_t)index;
		*ret_fault = fault;
		return 0;
	}
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "Invalid availability zone: [%s]",
			 zone);
}

static struct fault *find(const struct model *model, enum fault_type type, struct rid target)
{
	for_each_fault(fault, model) if (fault->type == (int)type &&
					 rid_equal(fault->target, target)) return fault;
	return NULL;
}

/* Only what is there can fail. */
static int check_state(const struct resource *target, struct error *error)
{
	const struct rid_text id = rid_format(target->id);
	const struct instance *instance = (const struct instance *)target;

	if (target->id.kind == KIND_NAT_GATEWAY &&
	    ((const struct nat_gateway *)target)->state != NAT_AVAILABLE)
		return error_set(error, ERROR_INCORRECT_STATE,
				 "The NAT gateway '%s' is not available", id.text);
	if (target->id.kind == KIND_INSTANCE &&
	    (instance->state == INSTANCE_SHUTTING_DOWN || instance->state == INSTANCE_TERMINATED))
		return error_set(error, ERROR_INSTANCE_STATE, "The instance '%s' is %s", id.text,
				 instance_state_names[instance->state]);
	return 0;
}

int fault_resource(struct transaction *transaction, enum fault_type type, struct resource *target,
		   struct fault **ret_fault, struct error *error)
{
	struct fault *fault = find(transaction->model, type, target->id);
	int r = check_state(target, error);

	if (r < 0)
		return r;
	if (type == FAULT_INSTANCE && ((struct instance *)target)->state == INSTANCE_STOPPED)
		return error_set(error, ERROR_INSTANCE_STATE,
				 "The instance '%s' is stopped: it is on no host that could fail",
				 rid_format(target->id).text);
	if (!fault) {
		fault = make(transaction, type);
		fault->target = target->id;
	}
	*ret_fault = fault;
	return 0;
}

/* The kernel may have no way to delay packets, and who asks is to know at once. */
static int check_wired(const struct model *model, const struct resource *target,
		       struct error *error)
{
	const bool is_wired = target->id.kind == KIND_INSTANCE
				      ? instance_is_live((const struct instance *)target)
				      : attachment_is_live(model, (const struct interface *)target);

	if (is_wired)
		return 0;
	return error_set(error, ERROR_INSTANCE_STATE,
			 "'%s' is not at work: start the instance before its link is delayed",
			 rid_format(target->id).text);
}

int fault_bad_link(struct transaction *transaction, struct resource *target,
		   const struct fault_link *link, struct fault **ret_fault, struct error *error)
{
	int r;

	if (!link->loss && !link->rate && !link->delay)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A link's fault is a loss, a rate or a delay, or several of them");
	if (link->loss < 0 || link->loss > FAULT_LOSS_ALL)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A loss is from 0 to 100 percent");
	if (link->rate && (link->rate < FAULT_RATE_LEAST || link->rate > FAULT_RATE_MOST))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A rate is from 8 kilobits to 100 gigabits per second");
	if (link->delay < 0 || link->delay > FAULT_DELAY_MOST)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A delay is of a minute at most");
	if ((r = check_state(target, error)) < 0 ||
	    (link->delay && (r = check_wired(transaction->model, target, error)) < 0) ||
	    (r = fault_resource(transaction, FAULT_LINK, target, ret_fault, error)) < 0)
		return r;
	transaction_edit(transaction, *ret_fault);
	(*ret_fault)->link = *link;
	return 0;
}

void faults_forget(struct transaction *transaction, struct rid target)
{
	struct resource_list *list = &internet_scope(transaction->model)->lists[KIND_FAULT];

	for (size_t i = list->count; i-- > 0;)
		if (rid_equal(((struct fault *)list->items[i])->target, target))
			transaction_delete(transaction, list->items[i]);
}

void fault_leave_host(struct transaction *transaction, const struct instance *instance)
{
	struct fault *fault = find(transaction->model, FAULT_INSTANCE, instance->resource.id);

	if (fault)
		transaction_delete(transaction, fault);
}

/* ---- what is faulty ---- */

const struct fault *fault_of_zone(const struct model *model, const char *region, int64_t zone)
{
	for_each_fault(fault, model) if (fault->type == FAULT_ZONE && fault->zone == zone &&
					 streq(fault->region, region)) return fault;
	return NULL;
}

const struct fault *fault_of_host(const struct model *model, const struct instance *instance)
{
	const struct fault *own = find(model, FAULT_INSTANCE, instance->resource.id);

	return own ? own : fault_of_zone(model, instance->resource.scope->region, instance->zone);
}

/* The whole subnet is in it. */
static bool is_around(const struct fault *fault, const struct subnet *subnet)
{
	if (fault->type == FAULT_ZONE)
		return fault->zone == subnet->zone &&
		       streq(fault->region, subnet->resource.scope->region);
	return fault->type == FAULT_SUBNET && rid_equal(fault->target, subnet->resource.id);
}

bool fault_is_at(const struct model *model, const struct fault *fault,
		 const struct interface *interface)
{
	switch ((enum fault_type)fault->type) {
	case FAULT_ZONE:
	case FAULT_SUBNET:
		return is_around(fault, subnet_get(model, interface->subnet));
	case FAULT_NAT:
		return rid_equal(fault->target, interface->nat_gateway);
	case FAULT_INSTANCE:
		return rid_equal(fault->target, interface->instance);
	case FAULT_LINK:
		return rid_equal(fault->target, interface->instance) ||
		       rid_equal(fault->target, interface->resource.id);
	case FAULT_TYPE_MAX:
		break;
	}
	return false;
}

static bool is_in_subnet(const struct model *model, struct rid id, const struct subnet *subnet)
{
	const struct interface *interface =
		id.kind == KIND_NETWORK_INTERFACE ? interface_get(model, id) : NULL;

	return interface && rid_equal(interface->subnet, subnet->resource.id);
}

bool fault_is_in(const struct model *model, const struct fault *fault, const struct subnet *subnet)
{
	const struct nat_gateway *gateway;
	const struct instance *instance;

	if (is_around(fault, subnet) || is_in_subnet(model, fault->target, subnet))
		return true;
	if (fault->target.kind == KIND_NAT_GATEWAY) {
		gateway = nat_gateway_get(model, fault->target);
		return gateway && is_in_subnet(model, gateway->interface, subnet);
	}
	instance = fault->target.kind == KIND_INSTANCE ? instance_get(model, fault->target) : NULL;
	for (size_t i = 0; instance && i < instance->interface_count; i++)
		if (is_in_subnet(model, instance->interfaces[i].id, subnet))
			return true;
	return false;
}

bool fault_darkens_subnet(const struct model *model, const struct subnet *subnet)
{
	for_each_fault(fault, model) if (is_around(fault, subnet)) return true;
	return false;
}

const struct fault *fault_darkens(const struct model *model, const struct interface *interface)
{
	for_each_fault(fault, model) if (fault->type != FAULT_LINK &&
					 fault_is_at(model, fault, interface)) return fault;
	return NULL;
}

const struct fault *fault_link_of(const struct model *model, const struct interface *interface)
{
	const struct fault *fault = find(model, FAULT_LINK, interface->resource.id);

	if (!fault && rid_is_set(interface->instance))
		fault = find(model, FAULT_LINK, interface->instance);
	return fault;
}

int fault_check_capacity(const struct model *model, const struct subnet *subnet, const char *type,
			 struct error *error)
{
	const struct region *region = region_find(subnet->resource.scope->region);
	CLEANUP(buffer_clear) struct buffer others = BUFFER_INIT;

	if (!fault_of_zone(model, region->name, subnet->zone))
		return 0;
	for (size_t zone = 0; region->zones[zone]; zone++)
		if (!fault_of_zone(model, region->name, (int64_t)zone))
			buffer_printf(&others, "%s%s", others.length ? ", " : "",
				      zone_name(region, zone).text);
	return error_set(error, ERROR_INSTANCE_CAPACITY,
			 "We currently do not have sufficient %s capacity in the Availability Zone "
			 "you requested (%s). Our system will be working on provisioning "
			 "additional capacity.%s%s%s%s%s",
			 type, zone_name(region, (size_t)subnet->zone).text,
			 others.length ? " You can currently get " : "", others.length ? type : "",
			 others.length ? " capacity by not specifying an Availability Zone in your "
					 "request or choosing "
				       : "",
			 others.length ? others.data : "", others.length ? "." : "");
}
