/* VPC endpoints, and the services they lead to. */
#include "api/actions.h"
#include "api/failures.h"
#include "api/interface_params.h"
#include "model/region.h"
#include "model/vpc_endpoint.h"

static int refuse_value(const char *value, const char *name, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER,
			 "Value (%s) for parameter %s is invalid or not supported.", value, name);
}

/* ---- what create and modify say alike ---- */

static int read_tables(const struct call *call, const char *name, struct route_table ***tables,
		       size_t *count, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, name, &indices);

	for (size_t i = 0; i < given; i++) {
		const char *text = params_get(call->params, "%s.%u", name, indices[i]);
		struct route_table *table;
		int r = call_find(call, text, KIND_ROUTE_TABLE, &table, error);

		if (r < 0)
			return r;
		*array_grow(tables, count) = table;
	}
	return 0;
}

static int add_subnet(const struct call *call, const char *text, struct endpoint_subnet **subnets,
		      size_t *count, struct endpoint_subnet **ret_subnet, struct error *error)
{
	struct subnet *subnet;
	int r = call_find(call, text ? text : "", KIND_SUBNET, &subnet, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < *count; i++)
		if ((*subnets)[i].subnet == subnet) {
			*ret_subnet = &(*subnets)[i];
			return 0;
		}
	*ret_subnet = array_grow(subnets, count);
	(*ret_subnet)->subnet = subnet;
	return 0;
}

static int read_subnets(const struct call *call, const char *name, struct endpoint_subnet **subnets,
			size_t *count, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, name, &indices);
	struct endpoint_subnet *subnet;
	int r = 0;

	for (size_t i = 0; r == 0 && i < given; i++)
		r = add_subnet(call, params_get(call->params, "%s.%u", name, indices[i]), subnets,
			       count, &subnet, error);
	return r;
}

/* Addresses for subnets, named beside them or here alone. */
static int read_configurations(const struct call *call, struct endpoint_request *request,
			       struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, "SubnetConfiguration", &indices);

	for (size_t i = 0; i < given; i++) {
		CLEANUP(freep) char *prefix = xasprintf("SubnetConfiguration.%u.", indices[i]);
		const char *address = params_get(call->params, "%sIpv4", prefix);
		const char *id = params_get(call->params, "%sSubnetId", prefix);
		struct endpoint_subnet *subnet;
		int r;

		if (params_get(call->params, "%sIpv6", prefix))
			return ipv6_not_forwarded(error, "the parameter %sIpv6 can't be honoured",
						  prefix);
		if ((r = add_subnet(call, id, &request->subnets, &request->subnet_count, &subnet,
				    error)) < 0 ||
		    (address && (r = read_address(address, &subnet->address, error)) < 0))
			return r;
	}
	return 0;
}

static int check_address_type(const struct call *call, int kind, struct error *error)
{
	static const char *const refused[] = { "DnsOptions.PrivateDnsPreference",
					       "DnsOptions.PrivateDnsSpecifiedDomain", NULL };
	const char *address = call_text(call, "IpAddressType");
	const char *record = call_text(call, "DnsOptions.DnsRecordIpType");

	if (address && *address && !streq(address, "ipv4"))
		return refuse_value(address, "IpAddressType", error);
	if (record && *record &&
	    !streq(record, kind == ENDPOINT_GATEWAY ? "service-defined" : "ipv4"))
		return refuse_value(record, "DnsRecordIpType", error);
	return call_refuse(call, refused, error);
}

/* ---- create ---- */

static int read_kind(const struct call *call, int *ret_kind, struct error *error)
{
	const char *text = call_text(call, "VpcEndpointType");

	*ret_kind = streq(text, "Interface") ? ENDPOINT_INTERFACE : ENDPOINT_GATEWAY;
	if (!text || !*text || streq(text, "Gateway") || streq(text, "Interface"))
		return 0;
	if (streq(text, "GatewayLoadBalancer") || streq(text, "Resource") ||
	    streq(text, "ServiceNetwork"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "VPC endpoints of the type %s are not supported.", text);
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter vpcEndpointType is invalid.", text);
}

static int read_service(const struct call *call, const struct endpoint_service **ret_service,
			struct error *error)
{
	const char *name = call_text(call, "ServiceName"),
		   *region = call_text(call, "ServiceRegion");

	if (!name || !*name)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter ServiceName");
	if (region && *region && !streq(region, call->scope->region))
		return refuse_value(region, "ServiceRegion", error);
	*ret_service = endpoint_service_find(call->scope, name);
	if (*ret_service)
		return 0;
	return error_set(error, ERROR_SERVICE_NAME, "The Vpc Endpoint Service '%s' does not exist",
			 name);
}

static int read_request(const struct call *call, struct endpoint_request *request,
			struct error *error)
{
	static const char *const refused[] = { "ServiceNetworkArn", "ResourceConfigurationArn",
					       NULL };
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = read_kind(call, &request->kind, error)) < 0 ||
	    (r = check_address_type(call, request->kind, error)) < 0 ||
	    (r = call_resource(call, "VpcId", KIND_VPC, &request->vpc, error)) < 0 ||
	    (r = read_service(call, &request->service, error)) < 0 ||
	    (r = read_tables(call, "RouteTableId", &request->tables, &request->table_count,
			     error)) < 0 ||
	    (r = read_subnets(call, "SubnetId", &request->subnets, &request->subnet_count, error)) <
		    0 ||
	    (r = read_configurations(call, request, error)) < 0)
		return r;
	return call_groups(call, "SecurityGroupId", &request->groups, &request->group_count, error);
}

#define FOR_RESOLVER "DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint"

int create_vpc_endpoint(struct call *call, struct error *error)
{
	CLEANUP(endpoint_request_clear) struct endpoint_request request = { 0 };
	CLEANUP(freep) char *digest = call_digest(call);
	const char *token = call_text(call, "ClientToken");
	struct vpc_endpoint *endpoint;
	bool private_dns, for_resolver;
	int r;

	if ((r = read_request(call, &request, error)) < 0)
		return r;
	request.policy = call_text(call, "PolicyDocument");
	request.private_dns = call_optional_bool(call, "PrivateDnsEnabled", &private_dns);
	request.private_dns_for_resolver = call_optional_bool(call, FOR_RESOLVER, &for_resolver);
	if (token && *token) {
		request.client_token = token;
		request.token_digest = digest;
	}
	if ((r = vpc_endpoint_create(&call->transaction, &request, &endpoint, error)) < 0 ||
	    (r = call_tag(call, endpoint, error)) < 0)
		return r;
	reply_resource(call, "vpcEndpoint", endpoint);
	xml_text(call->xml, "clientToken", token);
	return 0;
}

/* ---- what is there ---- */

int describe_vpc_endpoints(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "vpcEndpointSet",
		.kind = KIND_VPC_ENDPOINT,
		.ids = "VpcEndpointId",
		.minimum = 1,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

static int read_additions(const struct call *call, struct endpoint_request *add,
			  struct error *error)
{
	int r;

	if ((r = read_tables(call, "AddRouteTableId", &add->tables, &add->table_count, error)) <
		    0 ||
	    (r = read_subnets(call, "AddSubnetId", &add->subnets, &add->subnet_count, error)) < 0 ||
	    (r = read_configurations(call, add, error)) < 0)
		return r;
	return call_groups(call, "AddSecurityGroupId", &add->groups, &add->group_count, error);
}

static int read_removals(const struct call *call, struct endpoint_change *change,
			 struct error *error)
{
	int r;

	if ((r = read_tables(call, "RemoveRouteTableId", &change->tables, &change->table_count,
			     error)) < 0 ||
	    (r = read_subnets(call, "RemoveSubnetId", &change->subnets, &change->subnet_count,
			      error)) < 0)
		return r;
	return call_groups(call, "RemoveSecurityGroupId", &change->groups, &change->group_count,
			   error);
}

int modify_vpc_endpoint(struct call *call, struct error *error)
{
	CLEANUP(endpoint_change_clear) struct endpoint_change change = { 0 };
	struct vpc_endpoint *endpoint;
	bool private_dns, for_resolver;
	int r;

	if ((r = call_resource(call, "VpcEndpointId", KIND_VPC_ENDPOINT, &endpoint, error)) < 0 ||
	    (r = check_address_type(call, endpoint->kind, error)) < 0 ||
	    (r = read_additions(call, &change.add, error)) < 0 ||
	    (r = read_removals(call, &change, error)) < 0)
		return r;
	change.add.vpc = vpc_get(call_model(call), endpoint->vpc);
	change.add.policy =
		call_bool(call, "ResetPolicy", false) ? "" : call_text(call, "PolicyDocument");
	change.add.private_dns = call_optional_bool(call, "PrivateDnsEnabled", &private_dns);
	change.add.private_dns_for_resolver = call_optional_bool(call, FOR_RESOLVER, &for_resolver);
	if ((r = vpc_endpoint_modify(&call->transaction, endpoint, &change, error)) < 0)
		return r;
	return reply_true(call);
}

static void remove_endpoint(struct transaction *transaction, void *endpoint)
{
	vpc_endpoint_delete(transaction, endpoint);
}

int delete_vpc_endpoints(struct call *call, struct error *error)
{
	return call_remove_each(call, "VpcEndpointId", KIND_VPC_ENDPOINT, "vpc-endpoint",
				remove_endpoint, error);
}

/* ---- services ---- */

/* A service of one type, as seen from a region. */
struct offered {
	const struct endpoint_service *service;
	const struct scope *scope;
	const struct zone_text *zones;
	size_t zone_count;
	bool by_interface;
	bool *shown; /* set when it is */
};

static const struct offered *offered(const struct view *view)
{
	return view->object;
}

static const char *get_name(const struct view *view, struct buffer *scratch)
{
	return endpoint_service_name(offered(view)->scope, offered(view)->service, scratch);
}

/* A pure function of the word. */
static const char *get_service_id(const struct view *view, struct buffer *scratch)
{
	uint64_t hash = offered(view)->by_interface;

	for (const char *c = offered(view)->service->word; *c; c++)
		hash = hash * 0x100000001b3 + (unsigned char)*c;
	return get_print(scratch, "vpce-svc-0%016llx", (unsigned long long)hash);
}

static const char *get_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return offered(view)->by_interface ? "Interface" : "Gateway";
}

static const char *get_region(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return offered(view)->scope->region;
}

static const char *get_base_name(const struct view *view, struct buffer *scratch)
{
	const struct offered *item = offered(view);

	return item->by_interface ? get_print(scratch, "%s.%s.vpce.amazonaws.com",
					      item->service->word, item->scope->region)
				  : get_print(scratch, "%s.%s.amazonaws.com", item->service->word,
					      item->scope->region);
}

static const char *get_private_name(const struct view *view, struct buffer *scratch)
{
	const struct offered *item = offered(view);

	return item->by_interface
		       ? endpoint_service_private_name(item->scope, item->service, scratch)
		       : NULL;
}

static const char *get_verification(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return offered(view)->by_interface ? "verified" : NULL;
}

static bool child_one(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0;
}

static bool child_private_name(const struct view *view, size_t index, struct view *ret_child)
{
	return child_one(view, index, ret_child) && offered(view)->by_interface;
}

static bool child_zone(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	ret_child->object = &offered(view)->zones[index];
	return index < offered(view)->zone_count;
}

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct zone_text *)view->object)->text;
}

static const struct field zone_fields[] = {
	FIELD_GET_OF(get_zone, "", NULL),
	FIELD_END,
};

static const struct field service_type_fields[] = {
	FIELD_GET_OF(get_type, "serviceType", "service-type"),
	FIELD_END,
};

static const struct field base_name_fields[] = {
	FIELD_GET_OF(get_base_name, "", NULL),
	FIELD_END,
};

static const struct field private_name_fields[] = {
	FIELD_GET_OF(get_private_name, "privateDnsName", NULL),
	FIELD_END,
};

static const struct field address_type_fields[] = {
	FIELD_CONST_OF("ipv4", "", "supported-ip-address-types"),
	FIELD_END,
};

static const struct field service_fields[] = {
	FIELD_GET_OF(get_name, "serviceName", "service-name"),
	FIELD_GET_OF(get_service_id, "serviceId", NULL),
	FIELD_CHILDREN_OF(child_one, service_type_fields, "serviceType"),
	FIELD_GET_OF(get_region, "serviceRegion", "service-region"),
	FIELD_CHILDREN_OF(child_zone, zone_fields, "availabilityZoneSet"),
	FIELD_CONST_OF("amazon", "owner", "owner"),
	FIELD_CHILDREN_OF(child_one, base_name_fields, "baseEndpointDnsNameSet"),
	FIELD_GET_OF(get_private_name, "privateDnsName", NULL),
	FIELD_CHILDREN_OF(child_private_name, private_name_fields, "privateDnsNameSet"),
	FIELD_CONST_OF("true", "vpcEndpointPolicySupported", NULL),
	FIELD_CONST_OF("false", "acceptanceRequired", NULL),
	FIELD_CONST_OF("false", "managesVpcEndpoints", NULL),
	FIELD_CHILDREN_OF(child_none, nothing_fields, "tagSet"),
	FIELD_GET_OF(get_verification, "privateDnsNameVerificationState", NULL),
	FIELD_CHILDREN_OF(child_one, address_type_fields, "supportedIpAddressTypeSet"),
	FIELD_END,
};

/* Marks what the filters and the page let through: its name is told once more, in a list. */
static void mark_shown(struct call *call, const struct view *view)
{
	(void)call;
	*offered(view)->shown = true;
}

/* Is it among those that ServiceName.N names, if any are? */
static bool is_named(const struct call *call, const char *name)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "ServiceName", &indices);
	bool found = !count;

	for (size_t i = 0; !found && i < count; i++)
		found = streq(params_get(call->params, "ServiceName.%u", indices[i]), name);
	return found;
}

static int check_named(const struct call *call, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "ServiceName", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *name = params_get(call->params, "ServiceName.%u", indices[i]);

		if (!endpoint_service_find(call->scope, name))
			return error_set(error, ERROR_SERVICE_NAME,
					 "The Vpc Endpoint Service '%s' does not exist", name);
	}
	return 0;
}

/* A service is told once for each type it has. */
static void add_offers(const struct call *call, const struct endpoint_service *service,
		       const struct offered *offer, struct offered *items, size_t *count)
{
	CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT;

	if (!is_named(call, endpoint_service_name(call->scope, service, &name)))
		return;
	for (int by_interface = 0; by_interface < 2; by_interface++) {
		if (by_interface ? !service->by_interface : !service->block)
			continue;
		items[*count] = *offer;
		items[*count].service = service;
		items[(*count)++].by_interface = by_interface;
	}
}

static void reply_names(struct call *call, const struct offered *items, const bool *shown,
			size_t count)
{
	xml_open(call->xml, "serviceNameSet");
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT;

		/* Of two types of one service the first one names it. */
		if (shown[i] && !(i && shown[i - 1] && items[i - 1].service == items[i].service))
			xml_text(call->xml, "item",
				 endpoint_service_name(call->scope, items[i].service, &name));
	}
	xml_close(call->xml);
}

static size_t read_offers(const struct call *call, const struct offered *offer,
			  struct offered *items)
{
	const struct endpoint_service *service;
	size_t count = 0;

	for (size_t i = 0; (service = endpoint_service_at(i)); i++)
		add_offers(call, service, offer, items, &count);
	return count;
}

int describe_vpc_endpoint_services(struct call *call, struct error *error)
{
	static const char *const refused[] = { "ServiceRegion", NULL };
	static const struct listing listing = {
		.list = "serviceDetailSet",
		.fields = service_fields,
		.minimum = 1,
		.maximum = 1000,
		.inside = mark_shown,
	};
	const struct region *region = region_find(call->scope->region);
	struct zone_text zones[REGION_ZONES_MAX];
	struct offered items[2 * ENDPOINT_SERVICES_MAX];
	bool shown[ARRAY_SIZE(items)] = { false };
	struct offered offer = { .scope = call->scope, .zones = zones };
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	size_t count;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 || (r = check_named(call, error)) < 0)
		return r;
	for (; region->zones[offer.zone_count]; offer.zone_count++)
		zones[offer.zone_count] = zone_name(region, offer.zone_count);
	count = read_offers(call, &offer, items);
	for (size_t i = 0; i < count; i++) {
		items[i].shown = &shown[i];
		rows_add(&rows, call, NULL, &items[i]);
	}
	if ((r = describe_rows(call, &listing, &rows, error)) < 0)
		return r;
	reply_names(call, items, shown, count);
	return 0;
}
