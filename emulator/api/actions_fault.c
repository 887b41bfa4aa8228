/* The private actions behind `minivpc fault`: see model/fault.h. */
#include "api/actions.h"
#include "model/fault.h"
#include "model/nat_gateway.h"

#define MICRO 1000000.0

static void reply_fault(struct call *call, const struct fault *fault)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct resource *target = model_get(call_model(call), NULL, fault->target);

	xml_text(call->xml, "faultId", rid_format(fault->resource.id).text);
	xml_text(call->xml, "type", fault_type_names[fault->type]);
	xml_text(call->xml, "target", fault_target(fault, &scratch));
	if (target) {
		xml_text(call->xml, "name", resource_tag(target, "Name"));
		xml_text(call->xml, "account", target->scope->account);
	}
	xml_text(call->xml, "region", target ? target->scope->region : fault->region);
	buffer_clear(&scratch);
	if (fault->link.loss)
		xml_text(call->xml, "loss",
			 get_print(&scratch, "%g", (double)fault->link.loss / (MICRO / 100)));
	if (fault->link.rate)
		xml_int(call->xml, "rate", fault->link.rate);
	buffer_clear(&scratch);
	if (fault->link.delay)
		xml_text(call->xml, "delay",
			 get_print(&scratch, "%g", (double)fault->link.delay / 1000));
	xml_time(call->xml, "since", fault->since);
}

/* ---- what is asked for ---- */

/* A number that ends in one of the units; the unit's factor is in `factors`. */
struct unit {
	const char *name;
	double factor;
};

static int read_amount(const struct call *call, const char *name, const struct unit *units,
		       const char *example, int64_t *ret_amount, struct error *error)
{
	const char *text = call_text(call, name);
	double number;
	char *end;

	if (!text)
		return 0;
	number = strtod(text, &end);
	for (const struct unit *unit = units; end != text && unit->name; unit++)
		if (streq(end, unit->name) && number > 0 && number * unit->factor < 1e15) {
			*ret_amount = (int64_t)(number * unit->factor + 0.5);
			return 0;
		}
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "'%s' is no %s: %s is", text, name,
			 example);
}

static int read_link(const struct call *call, struct fault_link *ret_link, struct error *error)
{
	static const struct unit percent[] = { { "", MICRO / 100 },
					       { "%", MICRO / 100 },
					       { NULL, 0 } };
	static const struct unit rates[] = { { "", 1 },	      { "bit", 1 },    { "kbit", 1e3 },
					     { "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 } };
	static const struct unit times[] = {
		{ "", 1e3 }, { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { NULL, 0 }
	};
	int r;

	if ((r = read_amount(call, "Loss", percent, "5 or 0.1", &ret_link->loss, error)) < 0 ||
	    (r = read_amount(call, "Rate", rates, "500kbit or 10mbit", &ret_link->rate, error)) < 0)
		return r;
	return read_amount(call, "Delay", times, "50ms or 1s", &ret_link->delay, error);
}

/* One of the kind in whatever account and region. */
static int find_resource(const struct call *call, enum kind kind, const char *what,
			 const char *text, struct resource **ret, struct error *error)
{
	struct rid id;

	if (rid_parse(text, kind, &id) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' is no id of %s: \"%s-…\" is", text, what, kind_prefix(kind));
	*ret = model_get(call_model(call), NULL, id);
	return *ret ? 0 : error_set(error, ERROR_NOT_FOUND, "There is no such thing as '%s'", text);
}

static int find_linked(const struct call *call, const char *text, struct resource **ret,
		       struct error *error)
{
	struct instance *instance;
	struct rid id;
	int r;

	if (rid_parse(text, KIND_NETWORK_INTERFACE, &id) == 0)
		return find_resource(call, KIND_NETWORK_INTERFACE, "an interface", text, ret,
				     error);
	if ((r = find_instance(call, text, &instance, error)) < 0)
		return r;
	*ret = &instance->resource;
	return 0;
}

static int make_bad_link(struct call *call, const char *text, struct fault **ret,
			 struct error *error)
{
	struct fault_link link = { 0 };
	struct resource *target;
	int r;

	if ((r = read_link(call, &link, error)) < 0 ||
	    (r = find_linked(call, text, &target, error)) < 0)
		return r;
	return fault_bad_link(&call->transaction, target, &link, ret, error);
}

static int make_zone(struct call *call, const char *text, struct fault **ret, struct error *error)
{
	return fault_zone(&call->transaction, text, ret, error);
}

static int make_nat(struct call *call, const char *text, struct fault **ret, struct error *error)
{
	struct resource *target;
	int r = find_resource(call, KIND_NAT_GATEWAY, "a NAT gateway", text, &target, error);

	return r < 0 ? r : fault_resource(&call->transaction, FAULT_NAT, target, ret, error);
}

static int make_subnet(struct call *call, const char *text, struct fault **ret, struct error *error)
{
	struct resource *target;
	int r = find_resource(call, KIND_SUBNET, "a subnet", text, &target, error);

	return r < 0 ? r : fault_resource(&call->transaction, FAULT_SUBNET, target, ret, error);
}

static int make_instance(struct call *call, const char *text, struct fault **ret,
			 struct error *error)
{
	struct instance *instance;
	int r = find_instance(call, text, &instance, error);

	return r < 0 ? r
		     : fault_resource(&call->transaction, FAULT_INSTANCE, &instance->resource, ret,
				      error);
}

int create_fault(struct call *call, struct error *error)
{
	static int (*const table[])(struct call *, const char *, struct fault **,
				    struct error *) = {
		[FAULT_ZONE] = make_zone,     [FAULT_NAT] = make_nat,
		[FAULT_SUBNET] = make_subnet, [FAULT_INSTANCE] = make_instance,
		[FAULT_LINK] = make_bad_link,
	};
	const char *type = call_text(call, "Type");
	struct fault *fault = NULL;
	int r;

	static_assert(ARRAY_SIZE(table) == FAULT_TYPE_MAX, "each type is made by something");
	for (size_t i = 0; i < FAULT_TYPE_MAX; i++) {
		if (!streq(type, fault_type_names[i]))
			continue;
		if ((r = table[i](call, call_text(call, "Target"), &fault, error)) == 0)
			reply_fault(call, fault);
		return r;
	}
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "'%s' is no type of fault", type);
}

int list_faults(struct call *call, struct error *error)
{
	(void)error;
	xml_open(call->xml, "faultSet");
	for_each_fault(fault, call_model(call))
	{
		xml_open(call->xml, "item");
		reply_fault(call, fault);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

/* ---- healing ---- */

/* By its own id, by what it is about, or by the name of that. */
static bool is_meant(const struct call *call, const struct fault *fault, const char *text)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct resource *target = model_get(call_model(call), NULL, fault->target);

	return streq(text, "all") || streq(text, rid_format(fault->resource.id).text) ||
	       streq(text, fault_target(fault, &scratch)) ||
	       (target && streq(text, resource_tag(target, "Name")));
}

int delete_fault(struct call *call, struct error *error)
{
	const char *text = call_text(call, "Target");
	CLEANUP(freep) struct fault **found = NULL;
	size_t count = 0;

	for_each_fault(fault, call_model(call)) if (is_meant(call, fault, text)) *
		array_grow(&found, &count) = fault;
	if (!count && !streq(text, "all"))
		return error_set(error, ERROR_NOT_FOUND,
				 "Nothing is faulty about '%s': minivpc fault list tells what is",
				 text);
	xml_open(call->xml, "faultSet");
	for (size_t i = 0; i < count; i++) {
		xml_open(call->xml, "item");
		reply_fault(call, found[i]);
		xml_close(call->xml);
		transaction_delete(&call->transaction, found[i]);
	}
	xml_close(call->xml);
	return 0;
}
