/* Elastic IPs. */
#include "api/actions.h"
#include "api/interface_params.h"
#include "model/elastic_ip.h"
#include "model/internet.h"

/* ---- which one ---- */

/* The value of a parameter; NULL when it is absent or empty. */
static const char *given(const struct call *call, const char *name)
{
	const char *text = call_text(call, name);

	return text && *text ? text : NULL;
}

static int unknown_address(const char *text, struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, "address", "Address '%s' not found.", text);
}

static int find_public(const struct call *call, const char *text,
		       struct elastic_ip **ret_elastic_ip, struct error *error)
{
	struct resource *holder;
	struct address address;

	if (address_parse(text, &address) < 0 || address.family != AF_INET)
		return error_subject(error, ERROR_MALFORMED, "address",
				     "Invalid IPv4 address: \"%s\"", text);
	holder = internet_public_holder(call_model(call), address);
	if (!holder || holder->id.kind != KIND_ELASTIC_IP || holder->scope != call->scope)
		return unknown_address(text, error);
	*ret_elastic_ip = (struct elastic_ip *)holder;
	return 0;
}

static int find_association(const struct call *call, const char *text,
			    struct elastic_ip **ret_elastic_ip, struct error *error)
{
	struct rid id;

	if (rid_parse(text, KIND_ADDRESS_ASSOCIATION, &id) < 0)
		return malformed(KIND_ADDRESS_ASSOCIATION, text, error);
	*ret_elastic_ip = elastic_ip_find(call->scope, id);
	return *ret_elastic_ip ? 0 : not_found(KIND_ADDRESS_ASSOCIATION, text, false, error);
}

static int find_allocation(const struct call *call, const char *text,
			   struct elastic_ip **ret_elastic_ip, struct error *error)
{
	return call_find(call, text, KIND_ELASTIC_IP, ret_elastic_ip, error);
}

/* By PublicIp, or by the parameter `name`, called `title`: exactly one of them. */
static int read_address_call(const struct call *call, const char *name, const char *title,
			     int (*find)(const struct call *, const char *, struct elastic_ip **,
					 struct error *),
			     struct elastic_ip **ret_elastic_ip, struct error *error)
{
	const char *id = given(call, name), *public = given(call, "PublicIp");

	if (id && public)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "You may specify public IP or %s, but not both in the same call",
				 title);
	if (!id && !public)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "Either public IP or %s must be specified", title);
	return id ? find(call, id, ret_elastic_ip, error)
		  : find_public(call, public, ret_elastic_ip, error);
}

static int check_address_own(const struct call *call, const struct elastic_ip *elastic_ip,
			     struct error *error)
{
	const struct interface *interface = interface_get(call_model(call), elastic_ip->interface);

	return interface ? interface_check_managed(interface, error) : 0;
}

/* ---- allocate, release ---- */

/* A region is one network border group here. */
static bool is_border_group(const struct call *call)
{
	const char *group = given(call, "NetworkBorderGroup");

	return !group || streq(group, call->scope->region);
}

static int check_choice(const char *name, const char *value, const char *only, struct error *error)
{
	if (!value || streq(value, only))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid.", value, name);
}

int allocate_address(struct call *call, struct error *error)
{
	static const char *const refused[] = { "Address", "CustomerOwnedIpv4Pool", "IpamPoolId",
					       NULL };
	static const char *const shown[] = { "publicIp", "allocationId", "publicIpv4Pool",
					     "networkBorderGroup", "domain" };
	struct elastic_ip *elastic_ip;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = check_choice("domain", given(call, "Domain"), "vpc", error)) < 0 ||
	    (r = check_choice("publicIpv4Pool", given(call, "PublicIpv4Pool"), "amazon", error)) <
		    0 ||
	    (r = check_choice("networkBorderGroup", given(call, "NetworkBorderGroup"),
			      call->scope->region, error)) < 0 ||
	    (r = elastic_ip_allocate(&call->transaction, call->scope, &elastic_ip, error)) < 0 ||
	    (r = call_tag(call, elastic_ip, error)) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		reply_member(call, shown[i], elastic_ip);
	return 0;
}

int release_address(struct call *call, struct error *error)
{
	struct elastic_ip *elastic_ip;
	int r;

	if ((r = read_address_call(call, "AllocationId", "allocation id", find_allocation,
				   &elastic_ip, error)) < 0)
		return r;
	/* "If you provide an incorrect network border group, you receive … NotFound" */
	if (!is_border_group(call))
		return unknown_address(address_format(elastic_ip->address).text, error);
	if ((r = check_address_own(call, elastic_ip, error)) < 0 ||
	    (r = elastic_ip_release(&call->transaction, elastic_ip, error)) < 0)
		return r;
	return reply_true(call);
}

/* ---- associate, disassociate ---- */

static int read_instance(const struct call *call, const char *text,
			 struct interface **ret_interface, struct error *error)
{
	struct instance *instance;
	int r = call_find(call, text, KIND_INSTANCE, &instance, error);

	if (r < 0)
		return r;
	if (instance->state != INSTANCE_RUNNING && instance->state != INSTANCE_STOPPING &&
	    instance->state != INSTANCE_STOPPED)
		return error_set(error, ERROR_INSTANCE_ID,
				 "The %s instance '%s' is not in a valid state for this operation.",
				 instance_state_names[instance->state], text);
	return instance_sole_interface(call_model(call), instance, ret_interface, error);
}

static int read_target(const struct call *call, struct interface **ret_interface,
		       struct address *ret_private, struct error *error)
{
	const char *instance = given(call, "InstanceId");
	const char *interface = given(call, "NetworkInterfaceId");
	const char *private = given(call, "PrivateIpAddress");
	int r;

	if (instance && interface)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "You may specify instance ID or network interface ID, but not "
				 "both in the same call");
	if (!instance && !interface)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "Either instance ID or network interface ID must be specified");
	*ret_private = (struct address){ 0 };
	if (private && (r = read_address(private, ret_private, error)) < 0)
		return r;
	return instance ? read_instance(call, instance, ret_interface, error)
			: call_find(call, interface, KIND_NETWORK_INTERFACE, ret_interface, error);
}

int associate_address(struct call *call, struct error *error)
{
	const bool may_move = call_bool(call, "AllowReassociation", true);
	struct elastic_ip *elastic_ip;
	struct interface *interface;
	struct address private;
	int r;

	if ((r = read_address_call(call, "AllocationId", "allocation id", find_allocation,
				   &elastic_ip, error)) < 0 ||
	    (r = read_target(call, &interface, &private, error)) < 0 ||
	    (r = check_address_own(call, elastic_ip, error)) < 0 ||
	    (r = interface_check_managed(interface, error)) < 0 ||
	    (r = elastic_ip_associate(&call->transaction, elastic_ip, interface, private, may_move,
				      error)) < 0)
		return r;
	reply_member(call, "associationId", elastic_ip);
	return 0;
}

int disassociate_address(struct call *call, struct error *error)
{
	struct elastic_ip *elastic_ip;
	int r;

	if ((r = read_address_call(call, "AssociationId", "association id", find_association,
				   &elastic_ip, error)) < 0 ||
	    (r = check_address_own(call, elastic_ip, error)) < 0)
		return r;
	elastic_ip_disassociate(&call->transaction, elastic_ip);
	return reply_true(call);
}

/* ---- describe ---- */

static const struct listing listing = {
	.list = "addressesSet",
	.kind = KIND_ELASTIC_IP,
	.ids = "AllocationId",
};

static bool has_row(const struct rows *rows, const struct elastic_ip *elastic_ip)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->items[i].object == elastic_ip)
			return true;
	return false;
}

/* Those that PublicIp.N names, beside what is there already. */
static int public_rows(struct call *call, struct rows *rows, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "PublicIp", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *text = params_get(call->params, "PublicIp.%u", indices[i]);
		struct elastic_ip *elastic_ip;
		int r = find_public(call, text, &elastic_ip, error);

		if (r < 0)
			return r;
		if (!has_row(rows, elastic_ip))
			rows_add(rows, call, &elastic_ip->resource, elastic_ip);
	}
	return 0;
}

int describe_addresses(struct call *call, struct error *error)
{
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	const bool by_public = call_has_list(call, "PublicIp");
	int r = 0;

	if (!by_public || call_has_list(call, "AllocationId"))
		r = resource_rows(call, &listing, &rows, error);
	if (r < 0 || (r = public_rows(call, &rows, error)) < 0)
		return r;
	return describe_rows(call, &listing, &rows, error);
}

/* ---- the domain name ---- */

static int check_attribute(const struct call *call, struct error *error)
{
	return check_choice("attribute", given(call, "Attribute"), "domain-name", error);
}

int describe_addresses_attribute(struct call *call, struct error *error)
{
	static const struct listing attributes = {
		.list = "addressSet",
		.kind = KIND_ELASTIC_IP,
		.ids = "AllocationId",
		.fields = elastic_ip_attribute_fields,
		.minimum = 1,
		.maximum = 1000,
	};
	int r = check_attribute(call, error);

	return r < 0 ? r : describe_resources(call, &attributes, error);
}

/* Two labels or more of letters, digits and hyphens, with or without the last dot (RFC 1035). */
static bool is_domain_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t labels = 0;

	if (strlen(text) > 253)
		return false;
	while (*text) {
		size_t length = strspn(text, letters);

		if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-' ||
		    (text[length] && text[length] != '.'))
			return false;
		text += length + (text[length] == '.');
		labels++;
	}
	return labels > 1;
}

/* The record as it was, and what becomes of it from now on. */
static void reply_update(struct call *call, const struct elastic_ip *elastic_ip, const char *value)
{
	const struct view view = { call_model(call), &elastic_ip->resource, elastic_ip };

	xml_open(call->xml, "address");
	reply_fields(call, elastic_ip_attribute_fields, &view);
	if (value) {
		xml_open(call->xml, "ptrRecordUpdate");
		xml_text(call->xml, "value", value);
		xml_text(call->xml, "status", "PENDING");
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

int modify_address_attribute(struct call *call, struct error *error)
{
	const char *text = given(call, "DomainName");
	CLEANUP(freep) char *name = NULL;
	struct elastic_ip *elastic_ip;
	int r = call_resource(call, "AllocationId", KIND_ELASTIC_IP, &elastic_ip, error);

	if (r < 0)
		return r;
	if (!text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter DomainName");
	if (!is_domain_name(text))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter domainName is invalid.", text);
	name = xasprintf("%s%s", text, text[strlen(text) - 1] == '.' ? "" : ".");
	reply_update(call, elastic_ip, name);
	elastic_ip_set_domain_name(&call->transaction, elastic_ip, name);
	return 0;
}

int reset_address_attribute(struct call *call, struct error *error)
{
	struct elastic_ip *elastic_ip;
	int r;

	if ((r = call_resource(call, "AllocationId", KIND_ELASTIC_IP, &elastic_ip, error)) < 0 ||
	    (r = check_attribute(call, error)) < 0)
		return r;
	reply_update(call, elastic_ip, elastic_ip->domain_name);
	elastic_ip_set_domain_name(&call->transaction, elastic_ip, NULL);
	return 0;
}
