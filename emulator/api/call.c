/* What handlers share: see call.h. */
#include "api/call.h"

#include <stdio.h>

#include "model/group.h"
#include "model/tags.h"

const char *call_text(const struct call *call, const char *name)
{
	return params_get(call->params, "%s", name);
}

bool call_bool(const struct call *call, const char *name, bool fallback)
{
	bool storage;
	const bool *value = call_optional_bool(call, name, &storage);

	return value ? *value : fallback;
}

const bool *call_optional_bool(const struct call *call, const char *name, bool *storage)
{
	struct error ignored = ERROR_INIT; /* checked before the handler ran */
	const char *value = call_text(call, name);

	return value && params_bool(value, name, storage, &ignored) == 0 ? storage : NULL;
}

char *call_digest(const struct call *call)
{
	return xasprintf("%016llx", (unsigned long long)params_digest(call->params));
}

/* How AWS calls each kind in "The … does not exist". */
static const char *const titles[KIND_MAX] = {
	[KIND_VPC] = "vpc ID",
	[KIND_SUBNET] = "subnet ID",
	[KIND_INTERNET_GATEWAY] = "internetGateway ID",
	[KIND_EGRESS_GATEWAY] = "gateway ID",
	[KIND_ROUTE_TABLE] = "routeTable ID",
	[KIND_SECURITY_GROUP] = "security group",
	[KIND_NETWORK_ACL] = "networkAcl ID",
	[KIND_DHCP_OPTIONS] = "dhcpOption ID",
	[KIND_PREFIX_LIST] = "prefix list ID",
	[KIND_VPC_PEERING] = "vpcPeeringConnection ID",
	[KIND_NAT_GATEWAY] = "natGateway ID",
	[KIND_NETWORK_INTERFACE] = "networkInterface ID",
	[KIND_ELASTIC_IP] = "allocation ID",
	[KIND_ATTACHMENT] = "attachment ID",
	[KIND_INSTANCE] = "instance ID",
	[KIND_VOLUME] = "volume",
	[KIND_KEY_PAIR] = "key pair",
	[KIND_LAUNCH_TEMPLATE] = "launch template ID",
	[KIND_FLOW_LOG] = "flow log ID",
	[KIND_VPC_ENDPOINT] = "Vpc Endpoint Id",
	[KIND_SECURITY_GROUP_RULE] = "security group rule ID",
	[KIND_ROUTE_TABLE_ASSOCIATION] = "association ID",
	[KIND_NETWORK_ACL_ASSOCIATION] = "association ID",
	[KIND_ADDRESS_ASSOCIATION] = "association ID",
};

int not_found(enum kind kind, const char *ids, bool several, struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, kind_prefix(kind),
			     "The %s%s '%s' do%s not exist", titles[kind] ? titles[kind] : "ID",
			     several ? "s" : "", ids, several ? "" : "es");
}

int malformed(enum kind kind, const char *id, struct error *error)
{
	return error_subject(error, ERROR_MALFORMED, kind_prefix(kind),
			     "Invalid id: \"%s\" (expecting \"%s-...\")", id, kind_prefix(kind));
}

int call_find(const struct call *call, const char *text, enum kind kind, void *ret_resource,
	      struct error *error)
{
	struct resource *resource;
	struct rid id;

	if (rid_parse(text, kind, &id) < 0)
		return malformed(kind, text, error);
	resource = model_get(call_model(call), call->scope, id);
	if (!resource)
		return not_found(kind, text, false, error);
	*(struct resource **)ret_resource = resource;
	return 0;
}

int call_resource(const struct call *call, const char *name, enum kind kind, void *ret_resource,
		  struct error *error)
{
	const char *text = call_text(call, name);

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter %s", name);
	return call_find(call, text, kind, ret_resource, error);
}

int call_cidr(const struct call *call, const char *name, struct cidr *ret_cidr, struct error *error)
{
	return call_block(call, name, AF_INET, ret_cidr, error);
}

int call_block(const struct call *call, const char *name, int family, struct cidr *ret_cidr,
	       struct error *error)
{
	const char *text = call_text(call, name);

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter %s", name);
	if (cidr_parse(text, ret_cidr) < 0 || ret_cidr->address.family != family)
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"Value (%s) for parameter %c%s is invalid. This is not a valid CIDR "
			"block.",
			text, name[0] | 0x20, name + 1);
	return 0;
}

int call_group_named(const struct call *call, const char *name, struct group **ret_group,
		     struct error *error)
{
	const struct vpc *vpc = vpc_default(call->scope);
	struct group *group;

	if (!vpc)
		return error_set(error, ERROR_VPC_ID_NOT_SPECIFIED,
				 "No default VPC for this user. GroupName is only supported for "
				 "EC2-Classic and default VPC.");
	group = group_named(call->scope, vpc->resource.id, name);
	if (!group)
		return not_found(KIND_SECURITY_GROUP, name, false, error);
	*ret_group = group;
	return 0;
}

int call_group(const struct call *call, struct group **ret_group, struct error *error)
{
	const char *id = call_text(call, "GroupId"), *name = call_text(call, "GroupName");

	if (id && *id && name && *name)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter groupName cannot be used with the parameter "
				 "groupId");
	if (id && *id)
		return call_find(call, id, KIND_SECURITY_GROUP, ret_group, error);
	if (name && *name)
		return call_group_named(call, name, ret_group, error);
	return error_set(error, ERROR_MISSING_PARAMETER,
			 "The request must contain the parameter groupName or groupId");
}

int call_groups(const struct call *call, const char *name, struct rid_item **groups, size_t *count,
		struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, name, &indices);

	for (size_t i = 0; i < given; i++) {
		const char *text = params_get(call->params, "%s.%u", name, indices[i]);
		struct group *group;
		int r;

		if ((r = call_find(call, text, KIND_SECURITY_GROUP, &group, error)) < 0)
			return r;
		rid_item_add(groups, count, group->resource.id);
	}
	return 0;
}

bool call_has_list(const struct call *call, const char *name)
{
	CLEANUP(freep) unsigned int *indices = NULL;

	return params_indices(call->params, name, &indices) > 0;
}

int call_refuse(const struct call *call, const char *const *names, struct error *error)
{
	for (; *names; names++)
		if (call_text(call, *names) || call_has_list(call, *names))
			return error_set(error, ERROR_UNSUPPORTED_OPERATION,
					 "The parameter %s is not supported.", *names);
	return 0;
}

int call_refuse_ipv6(const struct call *call, const char *prefix, struct error *error)
{
	static const char *const names[] = { "Ipv6AddressCount", "Ipv6Address", "Ipv6Addresses",
					     "Ipv6PrefixCount",	 "Ipv6Prefix",	"PrimaryIpv6",
					     "EnablePrimaryIpv6" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep) char *name = xasprintf("%s%s", prefix, names[i]);
		const char *text = call_text(call, name);
		const bool none = !text || !*text || streq(text, "0") || !strcasecmp(text, "false");

		if (!none || call_has_list(call, name))
			return ipv6_not_forwarded(error, "the parameter %s can't be honoured",
						  name);
	}
	return 0;
}

int call_check_one(size_t given, struct error *error)
{
	if (given == 1)
		return 0;
	if (given == 0)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain exactly one attribute to modify");
	return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
			 "Fields for multiple attribute types specified");
}

static int tag_from(struct call *call, struct resource *resource, unsigned int specification,
		    struct error *error)
{
	CLEANUP(freep) char *prefix = xasprintf("TagSpecification.%u.Tag", specification);
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, prefix, &indices);

	for (size_t i = 0; i < count; i++) {
		const char *key = params_get(call->params, "%s.%u.Key", prefix, indices[i]);
		const char *value = params_get(call->params, "%s.%u.Value", prefix, indices[i]);
		int r = tag_set(&call->transaction, resource, key ? key : "", value ? value : "",
				error);

		if (r < 0)
			return r;
	}
	return 0;
}

int call_tag(struct call *call, void *object, struct error *error)
{
	struct resource *resource = object;
	const char *own = resource_type(resource->id.kind)->tag_type;
	bool launch = streq(call->action->name, "RunInstances");
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "TagSpecification", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *word =
			params_get(call->params, "TagSpecification.%u.ResourceType", indices[i]);
		bool known =
			/* What RunInstances makes beside instances; spot requests aren't kept. */
			launch && (streq(word, "instance") || streq(word, "network-interface") ||
				   streq(word, "volume") || streq(word, "spot-instances-request"));
		int r;

		if (!word)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Tag specification must have a resource type");
		if (!known && !streq(word, own))
			return error_set(
				error, ERROR_INVALID_PARAMETER_VALUE,
				"'%s' is not a valid taggable resource type for this operation.",
				word);
		if (streq(word, own) && (r = tag_from(call, resource, indices[i], error)) < 0)
			return r;
	}
	return 0;
}

int reply_true(struct call *call)
{
	xml_bool(call->xml, "return", true);
	return 0;
}

/* ---- a resource as XML, by its descriptor ---- */

static void reply_list(struct call *call, const struct field *field, const struct view *view)
{
	bool scalars = *field->fields->name == '\0';
	struct view child;

	xml_open(call->xml, field->name);
	for (size_t i = 0; field_child(field, view, i, &child); i++) {
		CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

		if (scalars) {
			xml_text(call->xml, "item", field_text(field->fields, &child, &scratch));
			continue;
		}
		xml_open(call->xml, "item");
		reply_fields(call, field->fields, &child);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

static void reply_struct(struct call *call, const struct field *field, const struct view *view)
{
	struct view child;

	if (!field_child(field, view, 0, &child))
		return;
	xml_open(call->xml, field->name);
	reply_fields(call, field->fields, &child);
	xml_close(call->xml);
}

static void reply_field(struct call *call, const struct field *field, const struct view *view,
			struct buffer *scratch)
{
	if (field_is_scalar(field))
		xml_text(call->xml, field->name, field_text(field, view, scratch));
	else if (field->type == FIELD_LIST || field->type == FIELD_CHILDREN)
		reply_list(call, field, view);
	else
		reply_struct(call, field, view);
}

void reply_fields(struct call *call, const struct field *fields, const struct view *view)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	for (const struct field *field = fields; field->name; field++)
		if (field->flags & FIELD_SHOWN)
			reply_field(call, field, view, &scratch);
}

const char *member_text(const struct call *call, const char *name, const void *object,
			struct buffer *scratch)
{
	const struct resource *resource = object;
	struct view view = { call_model(call), resource, resource };

	for (const struct field *field = resource_type(resource->id.kind)->fields; field->name;
	     field++)
		if (field_is_scalar(field) && streq(field->name, name))
			return field_text(field, &view, scratch);
	return NULL;
}

void reply_member(struct call *call, const char *name, const void *object)
{
	const struct resource *resource = object;
	struct view view = { call_model(call), resource, resource };
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	for (const struct field *field = resource_type(resource->id.kind)->fields; field->name;
	     field++)
		if (field->flags & FIELD_SHOWN && streq(field->name, name))
			reply_field(call, field, &view, &scratch);
}

void reply_resource(struct call *call, const char *name, const void *object)
{
	const struct resource *resource = object;
	struct view view = { call_model(call), resource, resource };

	xml_open(call->xml, name);
	reply_fields(call, resource_type(resource->id.kind)->fields, &view);
	xml_close(call->xml);
}
