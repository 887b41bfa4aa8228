/* VPC endpoints: see vpc_endpoint.h. */
#include "model/vpc_endpoint.h"

#include "model/group.h"

#include <inttypes.h>

#define POLICY_MAX 20480
#define GATEWAY_POLICY                                                                             \
	"{\"Version\":\"2008-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\","    \
	"\"Action\":\"*\",\"Resource\":\"*\"}]}"
#define INTERFACE_POLICY                                                                           \
	"{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\",\"Principal\":\"*\","              \
	"\"Resource\":\"*\"}]}"

static const char *const kind_names[] = { "Gateway", "Interface", NULL };

/* ---- what clients see ---- */

static const struct vpc_endpoint *seen(const struct view *view)
{
	return (const struct vpc_endpoint *)view->resource;
}

/* The index'th interface, in the order of creation. */
static const struct interface *interface_of(const struct vpc_endpoint *endpoint, size_t index)
{
	for_each_resource (struct interface, interface, endpoint->resource.scope,
			   KIND_NETWORK_INTERFACE)
		if (rid_equal(interface->endpoint, endpoint->resource.id) && index-- == 0)
			return interface;
	return NULL;
}

static bool child_interface(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	ret_child->object = interface_of(seen(view), index);
	return ret_child->object;
}

static const char *get_interface_id(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = view->object;

	return get_print(scratch, "%s", rid_format(interface->resource.id).text);
}

static const struct field interface_id_fields[] = {
	FIELD_GET_OF(get_interface_id, "", NULL),
	FIELD_END,
};

static const struct field subnet_id_fields[] = {
	FIELD_OF(struct interface, subnet, FIELD_RID, "", NULL, FIELD_SHOWN),
	FIELD_END,
};

static bool child_table(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	for_each_resource (struct route_table, table, view->resource->scope, KIND_ROUTE_TABLE)
		if (route_table_leads_to(table, view->resource->id) && index-- == 0) {
			ret_child->object = table;
			return true;
		}
	return false;
}

static const struct field table_id_fields[] = {
	FIELD_OF(struct route_table, resource.id, FIELD_RID, "", NULL, FIELD_SHOWN),
	FIELD_END,
};

static const char *get_group_name(const struct view *view, struct buffer *scratch)
{
	const struct rid_item *item = view->object;
	const struct group *group = (const struct group *)model_get(view->model, NULL, item->id);

	(void)scratch;
	return group ? group->name : NULL;
}

static const struct field group_fields[] = {
	FIELD_OF(struct rid_item, id, FIELD_RID, "groupId", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_group_name, "groupName", NULL),
	FIELD_END,
};

static const char *get_region(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return view->resource->scope->region;
}

/* ---- its names: of the region, of each zone, and the private one ---- */

static const struct endpoint_service *service_of(const struct vpc_endpoint *endpoint)
{
	return endpoint_service_find(endpoint->resource.scope, endpoint->service);
}

static size_t count_interfaces(const struct vpc_endpoint *endpoint)
{
	size_t count = 0;

	while (interface_of(endpoint, count))
		count++;
	return count;
}

/* What a name is of: the endpoint, then its interfaces, then its service. */
static bool child_dns(const struct view *view, size_t index, struct view *ret_child)
{
	const struct vpc_endpoint *endpoint = seen(view);
	const size_t interfaces = count_interfaces(endpoint);

	*ret_child = *view;
	if (index > 0 && index <= interfaces)
		ret_child->object = interface_of(endpoint, index - 1);
	else if (index > interfaces)
		ret_child->object = service_of(endpoint);
	return endpoint->kind == ENDPOINT_INTERFACE &&
	       index < 1 + interfaces + endpoint->private_dns;
}

static const char *get_dns_name(const struct view *view, struct buffer *scratch)
{
	const struct vpc_endpoint *endpoint = seen(view);
	const struct rid id = endpoint->resource.id;
	const struct scope *scope = endpoint->resource.scope;
	CLEANUP(buffer_clear) struct buffer zone = BUFFER_INIT;

	if (view->object == service_of(endpoint))
		return endpoint_service_private_name(scope, service_of(endpoint), scratch);
	if (view->object != endpoint) {
		const struct interface *interface = view->object;

		buffer_puts(&zone, "-");
		subnet_zone_name(subnet_get(view->model, interface->subnet), &zone);
	}
	return get_print(scratch, "%s-%08" PRIx32 "%s.%s.%s.vpce.amazonaws.com",
			 rid_format(id).text, (uint32_t)(id.n ^ id.n >> 32),
			 zone.data ? zone.data : "", service_of(endpoint)->word, scope->region);
}

/* There are no zones: AWS's word for one that is not there yet. */
static const struct field dns_fields[] = {
	FIELD_GET_OF(get_dns_name, "dnsName", NULL),
	FIELD_CONST_OF("ZONEIDPENDING", "hostedZoneId", NULL),
	FIELD_END,
};

static const char *get_record_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return seen(view)->kind == ENDPOINT_GATEWAY ? "service-defined" : "ipv4";
}

static const char *get_for_resolver(const struct view *view, struct buffer *scratch)
{
	const struct vpc_endpoint *endpoint = seen(view);

	(void)scratch;
	if (endpoint->kind == ENDPOINT_GATEWAY || !service_of(endpoint)->private_dns_off)
		return NULL;
	return endpoint->private_dns_for_resolver ? "true" : "false";
}

static const struct field dns_option_fields[] = {
	FIELD_GET_OF(get_record_type, "dnsRecordIpType", NULL),
	FIELD_GET_OF(get_for_resolver, "privateDnsOnlyForInboundResolverEndpoint", NULL),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct vpc_endpoint),
	FIELD_GET_OF(get_id, "vpcEndpointId", "vpc-endpoint-id"),
	FIELD_ENUM_OF(struct vpc_endpoint, kind, kind_names, "vpcEndpointType", "vpc-endpoint-type",
		      FIELD_BOTH),
	FIELD_OF(struct vpc_endpoint, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_OF(struct vpc_endpoint, service, FIELD_TEXT, "serviceName", "service-name",
		 FIELD_BOTH),
	FIELD_CONST_OF("available", "state", "vpc-endpoint-state"),
	FIELD_OF(struct vpc_endpoint, policy, FIELD_TEXT, "policyDocument", NULL, FIELD_BOTH),
	FIELD_CHILDREN_OF(child_table, table_id_fields, "routeTableIdSet"),
	FIELD_CHILDREN_OF(child_interface, subnet_id_fields, "subnetIdSet"),
	FIELD_LIST_OF(struct vpc_endpoint, groups, group_count, group_fields, "groupSet",
		      FIELD_BOTH),
	FIELD_CONST_OF("ipv4", "ipAddressType", "ip-address-type"),
	FIELD_CHILD_OF(child_self, dns_option_fields, "dnsOptions"),
	FIELD_OF(struct vpc_endpoint, private_dns, FIELD_BOOL, "privateDnsEnabled", NULL,
		 FIELD_BOTH),
	FIELD_CONST_OF("false", "requesterManaged", NULL),
	FIELD_CHILDREN_OF(child_interface, interface_id_fields, "networkInterfaceIdSet"),
	FIELD_CHILDREN_OF(child_dns, dns_fields, "dnsEntrySet"),
	FIELD_OF(struct vpc_endpoint, create_time, FIELD_TIME, "creationTimestamp", NULL,
		 FIELD_BOTH),
	FIELD_GET_OF(get_owner, "ownerId", NULL),
	FIELD_GET_OF(get_region, "serviceRegion", "service-region"),
	FIELD_OF(struct vpc_endpoint, private_dns_for_resolver, FIELD_BOOL, "privateDnsForResolver",
		 NULL, FIELD_STORED),
	FIELD_OF(struct vpc_endpoint, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_OF(struct vpc_endpoint, token_digest, FIELD_TEXT, "tokenDigest", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type vpc_endpoint_type = {
	.kind = KIND_VPC_ENDPOINT,
	.size = sizeof(struct vpc_endpoint),
	.fields = fields,
	.tag_type = "vpc-endpoint",
};

/* ---- checks ---- */

void endpoint_request_clear(struct endpoint_request *request)
{
	freep(&request->tables);
	freep(&request->subnets);
	freep(&request->groups);
}

void endpoint_change_clear(struct endpoint_change *change)
{
	endpoint_request_clear(&change->add);
	freep(&change->tables);
	freep(&change->subnets);
	freep(&change->groups);
}

static int only_for(const char *what, int kind, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER,
			 "%s are only supported for %s type VPC Endpoints.", what,
			 kind_names[kind]);
}

/* What the other kind alone can have. */
static int check_kind(int kind, const struct endpoint_request *request, struct error *error)
{
	if (kind == ENDPOINT_INTERFACE && request->table_count)
		return only_for("Route table IDs", ENDPOINT_GATEWAY, error);
	if (kind == ENDPOINT_GATEWAY && request->subnet_count)
		return only_for("Subnet IDs", ENDPOINT_INTERFACE, error);
	if (kind == ENDPOINT_GATEWAY && request->group_count)
		return only_for("Security Group IDs", ENDPOINT_INTERFACE, error);
	if (kind == ENDPOINT_GATEWAY && request->private_dns && *request->private_dns)
		return only_for("Private DNS names", ENDPOINT_INTERFACE, error);
	if (request->policy && strlen(request->policy) > POLICY_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "The policy document exceeds %d characters.", POLICY_MAX);
	return 0;
}

static int check_service(const struct endpoint_request *request, struct error *error)
{
	const struct endpoint_service *service = request->service;
	const char *types = !service->block	    ? "Interface"
			    : service->by_interface ? "Gateway, Interface"
						    : "Gateway";

	if (request->kind == ENDPOINT_GATEWAY ? service->block != NULL : service->by_interface)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER,
			 "Endpoint type (%s) does not match available service types ([%s]).",
			 kind_names[request->kind], types);
}

static int check_quota(const struct model *model, const struct endpoint_request *request,
		       struct error *error)
{
	const bool by_region = request->kind == ENDPOINT_GATEWAY;
	const struct scope *scope = request->vpc->resource.scope;
	size_t count = 1;

	for_each_resource (struct vpc_endpoint, other, scope, KIND_VPC_ENDPOINT)
		count += other->kind == request->kind &&
			 (by_region || rid_equal(other->vpc, request->vpc->resource.id));
	return quota_check(model, by_region ? QUOTA_GATEWAY_ENDPOINTS : QUOTA_INTERFACE_ENDPOINTS,
			   count, error);
}

/* "the VPC must have both DNS attributes", and a name is one endpoint's. */
static int check_private_dns(const struct vpc *vpc, const struct endpoint_service *service,
			     const struct vpc_endpoint *self, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT;
	const struct scope *scope = vpc->resource.scope;

	if (!vpc->dns_support || !vpc->dns_hostnames)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "Enabling private DNS requires both enableDnsSupport and "
				 "enableDnsHostnames VPC attributes set to true for %s",
				 rid_format(vpc->resource.id).text);
	for_each_resource (struct vpc_endpoint, other, scope, KIND_VPC_ENDPOINT)
		if (other != self && other->private_dns && service_of(other) == service &&
		    rid_equal(other->vpc, vpc->resource.id))
			return error_set(error, ERROR_INVALID_PARAMETER,
					 "private-dns-enabled cannot be set because there is "
					 "already a conflicting DNS domain for %s in the VPC %s",
					 endpoint_service_private_name(scope, service, &name),
					 rid_format(vpc->resource.id).text);
	return 0;
}

static bool is_removed(const struct endpoint_subnet *removed, size_t count, struct rid subnet)
{
	for (size_t i = 0; i < count; i++)
		if (rid_equal(removed[i].subnet->resource.id, subnet))
			return true;
	return false;
}

static int in_zone(const struct subnet *subnet, struct error *error)
{
	return error_set(error, ERROR_SUBNETS_IN_ZONE,
			 "Found another VPC endpoint subnet in the availability zone of %s. VPC "
			 "endpoint subnets should be in different availability zones supported by "
			 "the VPC endpoint service.",
			 rid_format(subnet->resource.id).text);
}

/* One of each zone, of the endpoint's VPC; `change` NULL: it has none yet and loses none. */
static int check_subnets(const struct model *model, const struct endpoint_request *add,
			 const struct vpc_endpoint *self, const struct endpoint_change *change,
			 struct error *error)
{
	const struct interface *held;

	for (size_t i = 0; i < add->subnet_count; i++) {
		const struct subnet *subnet = add->subnets[i].subnet;

		if (!rid_equal(subnet->vpc, add->vpc->resource.id))
			return error_set(error, ERROR_INVALID_PARAMETER,
					 "Subnet %s does not belong to the VPC %s",
					 rid_format(subnet->resource.id).text,
					 rid_format(add->vpc->resource.id).text);
		for (size_t j = 0; j < i; j++)
			if (add->subnets[j].subnet->zone == subnet->zone)
				return in_zone(subnet, error);
		for (size_t j = 0; self && (held = interface_of(self, j)); j++)
			if (!is_removed(change->subnets, change->subnet_count, held->subnet) &&
			    subnet_get(model, held->subnet)->zone == subnet->zone)
				return in_zone(subnet, error);
	}
	return 0;
}

/* ---- its parts ---- */

static int add_tables(struct transaction *transaction, struct vpc_endpoint *endpoint,
		      const struct endpoint_request *add, struct error *error)
{
	const struct prefix_list *list;
	int r = 0;

	if (!add->table_count)
		return 0;
	list = endpoint_service_list(endpoint->resource.scope, service_of(endpoint));
	for (size_t i = 0; r == 0 && i < add->table_count; i++)
		r = route_table_add_endpoint(transaction, add->tables[i], list, &endpoint->resource,
					     endpoint->vpc, error);
	return r;
}

static int add_interface(struct transaction *transaction, struct vpc_endpoint *endpoint,
			 const struct endpoint_subnet *subnet, struct error *error)
{
	CLEANUP(freep)
	char *description =
		xasprintf("VPC Endpoint Interface %s", rid_format(endpoint->resource.id).text);
	CLEANUP(interface_request_clear)
	struct interface_request request = {
		.subnet = subnet->subnet,
		.address = subnet->address,
		.endpoint = endpoint->resource.id,
		.description = description,
	};
	struct interface *interface;

	for (size_t i = 0; i < endpoint->group_count; i++)
		rid_item_add(&request.groups, &request.group_count, endpoint->groups[i].id);
	return interface_create(transaction, &request, &interface, error);
}

static int add_interfaces(struct transaction *transaction, struct vpc_endpoint *endpoint,
			  const struct endpoint_request *add, struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < add->subnet_count; i++)
		r = add_interface(transaction, endpoint, &add->subnets[i], error);
	return r;
}

static int check_groups(const struct model *model, const struct vpc_endpoint *endpoint,
			struct error *error)
{
	for (size_t i = 0; i < endpoint->group_count; i++) {
		const struct group *group =
			(const struct group *)model_get(model, NULL, endpoint->groups[i].id);

		if (!rid_equal(group->vpc, endpoint->vpc))
			return error_set(error, ERROR_INVALID_PARAMETER,
					 "Security group %s and VPC %s belong to different "
					 "networks.",
					 rid_format(group->resource.id).text,
					 rid_format(endpoint->vpc).text);
	}
	if (endpoint->kind == ENDPOINT_INTERFACE && !endpoint->group_count)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "An interface endpoint has one security group or more.");
	return quota_check(model, QUOTA_INTERFACE_GROUPS, endpoint->group_count, error);
}

static void set_policy(struct vpc_endpoint *endpoint, const char *policy)
{
	const char *first = endpoint->kind == ENDPOINT_GATEWAY ? GATEWAY_POLICY : INTERFACE_POLICY;

	free(endpoint->policy);
	endpoint->policy = xstrdup(policy && *policy ? policy : first);
}

/* ---- verbs ---- */

static int fill(struct transaction *transaction, struct vpc_endpoint *endpoint,
		const struct endpoint_request *request, struct error *error)
{
	const struct rid vpc = request->vpc->resource.id;
	int r;

	for (size_t i = 0; i < request->group_count; i++)
		rid_item_add(&endpoint->groups, &endpoint->group_count, request->groups[i].id);
	if (request->kind == ENDPOINT_INTERFACE && !request->group_count)
		rid_item_add(&endpoint->groups, &endpoint->group_count,
			     group_named(endpoint->resource.scope, vpc, "default")->resource.id);
	if ((r = check_groups(transaction->model, endpoint, error)) < 0 ||
	    (r = add_tables(transaction, endpoint, request, error)) < 0)
		return r;
	return add_interfaces(transaction, endpoint, request, error);
}

/* 1: there is one, made with the same token. */
static int find_made(const struct endpoint_request *request, struct vpc_endpoint **ret_endpoint,
		     struct error *error)
{
	const struct scope *scope = request->vpc->resource.scope;

	for_each_resource (struct vpc_endpoint, other, scope, KIND_VPC_ENDPOINT) {
		if (!request->client_token || !streq(other->client_token, request->client_token))
			continue;
		*ret_endpoint = other;
		return streq(other->token_digest, request->token_digest)
			       ? 1
			       : idempotent_mismatch(error);
	}
	return 0;
}

int vpc_endpoint_create(struct transaction *transaction, const struct endpoint_request *request,
			struct vpc_endpoint **ret_endpoint, struct error *error)
{
	const bool private_dns =
		request->kind == ENDPOINT_INTERFACE &&
		(request->private_dns ? *request->private_dns : !request->service->private_dns_off);
	CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT;
	struct scope *scope = request->vpc->resource.scope;
	struct vpc_endpoint *endpoint;
	int r = find_made(request, ret_endpoint, error);

	if (r)
		return MIN(r, 0);
	if ((r = check_service(request, error)) < 0 ||
	    (r = check_kind(request->kind, request, error)) < 0 ||
	    (r = check_quota(transaction->model, request, error)) < 0 ||
	    (private_dns &&
	     (r = check_private_dns(request->vpc, request->service, NULL, error)) < 0) ||
	    (r = check_subnets(transaction->model, request, NULL, NULL, error)) < 0)
		return r;
	endpoint = transaction_create(transaction, scope, KIND_VPC_ENDPOINT);
	endpoint->vpc = request->vpc->resource.id;
	endpoint->kind = request->kind;
	endpoint->service = xstrdup(endpoint_service_name(scope, request->service, &name));
	endpoint->private_dns = private_dns;
	endpoint->private_dns_for_resolver =
		request->private_dns_for_resolver && *request->private_dns_for_resolver;
	endpoint->create_time = transaction->now;
	endpoint->client_token = xstrdup_null(request->client_token);
	endpoint->token_digest = xstrdup_null(request->token_digest);
	set_policy(endpoint, request->policy);
	*ret_endpoint = endpoint;
	return fill(transaction, endpoint, request, error);
}

static void remove_subnet(struct transaction *transaction, const struct vpc_endpoint *endpoint,
			  struct rid subnet)
{
	const struct interface *held;

	for (size_t i = 0; (held = interface_of(endpoint, i)); i++)
		if (rid_equal(held->subnet, subnet)) {
			interface_remove(transaction,
					 interface_get(transaction->model, held->resource.id));
			return;
		}
}

/* Its groups, and so those of the interfaces that stay. */
static int change_groups(struct transaction *transaction, struct vpc_endpoint *endpoint,
			 const struct endpoint_change *change, struct error *error)
{
	const struct interface *held;
	int r;

	for (size_t i = 0; i < change->add.group_count; i++)
		rid_item_add(&endpoint->groups, &endpoint->group_count, change->add.groups[i].id);
	for (size_t i = 0; i < change->group_count; i++)
		for (size_t j = endpoint->group_count; j-- > 0;)
			if (rid_equal(endpoint->groups[j].id, change->groups[i].id))
				array_remove(endpoint->groups, &endpoint->group_count, j);
	if ((r = check_groups(transaction->model, endpoint, error)) < 0)
		return r;
	for (size_t i = 0; (held = interface_of(endpoint, i)); i++)
		if ((r = interface_set_groups(transaction,
					      interface_get(transaction->model, held->resource.id),
					      endpoint->groups, endpoint->group_count, error)) < 0)
			return r;
	return 0;
}

static int change_dns(struct vpc_endpoint *endpoint, const struct endpoint_request *add,
		      struct error *error)
{
	int r;

	if (add->private_dns && *add->private_dns && !endpoint->private_dns &&
	    (r = check_private_dns(add->vpc, service_of(endpoint), endpoint, error)) < 0)
		return r;
	if (add->private_dns)
		endpoint->private_dns = *add->private_dns;
	if (add->private_dns_for_resolver)
		endpoint->private_dns_for_resolver = *add->private_dns_for_resolver;
	return 0;
}

int vpc_endpoint_modify(struct transaction *transaction, struct vpc_endpoint *endpoint,
			const struct endpoint_change *change, struct error *error)
{
	const struct endpoint_request *add = &change->add;
	int r;

	if ((r = check_kind(endpoint->kind, add, error)) < 0 ||
	    (change->table_count && endpoint->kind != ENDPOINT_GATEWAY &&
	     (r = only_for("Route table IDs", ENDPOINT_GATEWAY, error)) < 0) ||
	    ((change->subnet_count || change->group_count) &&
	     endpoint->kind != ENDPOINT_INTERFACE &&
	     (r = only_for("Subnet IDs and Security Group IDs", ENDPOINT_INTERFACE, error)) < 0) ||
	    (r = check_subnets(transaction->model, add, endpoint, change, error)) < 0)
		return r;
	transaction_edit(transaction, endpoint);
	if ((r = change_dns(endpoint, add, error)) < 0)
		return r;
	if (add->policy)
		set_policy(endpoint, add->policy);
	for (size_t i = 0; i < change->table_count; i++)
		route_table_remove_endpoint(transaction, change->tables[i], endpoint->resource.id);
	for (size_t i = 0; i < change->subnet_count; i++)
		remove_subnet(transaction, endpoint, change->subnets[i].subnet->resource.id);
	if ((r = change_groups(transaction, endpoint, change, error)) < 0 ||
	    (r = add_tables(transaction, endpoint, add, error)) < 0)
		return r;
	return add_interfaces(transaction, endpoint, add, error);
}

void vpc_endpoint_delete(struct transaction *transaction, struct vpc_endpoint *endpoint)
{
	const struct interface *held;

	for_each_resource (struct route_table, table, endpoint->resource.scope, KIND_ROUTE_TABLE)
		route_table_remove_endpoint(transaction, table, endpoint->resource.id);
	while ((held = interface_of(endpoint, 0)))
		interface_remove(transaction, interface_get(transaction->model, held->resource.id));
	transaction_delete(transaction, endpoint);
}

bool vpc_has_endpoints(const struct vpc *vpc)
{
	for_each_resource (struct vpc_endpoint, endpoint, vpc->resource.scope, KIND_VPC_ENDPOINT)
		if (rid_equal(endpoint->vpc, vpc->resource.id))
			return true;
	return false;
}
