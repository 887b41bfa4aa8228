/* Route tables and their routes. */
#include "api/actions.h"
#include "model/gateway.h"
#include "model/instance.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/route.h"

static int table_call(struct call *call, struct route_table **ret_table, struct error *error)
{
	return call_resource(call, "RouteTableId", KIND_ROUTE_TABLE, ret_table, error);
}

int create_route_table(struct call *call, struct error *error)
{
	const char *token = call_text(call, "ClientToken");
	struct route_table *table;
	struct vpc *vpc;
	int r;

	if ((r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = route_table_create(&call->transaction, vpc, token && *token ? token : NULL, &table,
				    error)) < 0 ||
	    (r = call_tag(call, table, error)) < 0)
		return r;
	reply_resource(call, "routeTable", table);
	xml_text(call->xml, "clientToken", call_text(call, "ClientToken"));
	return 0;
}

int delete_route_table(struct call *call, struct error *error)
{
	struct route_table *table;
	int r;

	if ((r = table_call(call, &table, error)) < 0 ||
	    (r = route_table_delete(&call->transaction, table, error)) < 0)
		return r;
	return reply_true(call);
}

int describe_route_tables(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "routeTableSet",
		.kind = KIND_ROUTE_TABLE,
		.ids = "RouteTableId",
		.minimum = 5,
		.maximum = 100,
		.absent = "route.destination-ipv6-cidr-block "
			  "route.egress-only-internet-gateway-id route.transit-gateway-id",
	};

	return describe_resources(call, &listing, error);
}

static void reply_association(struct call *call, const char *name, struct rid id)
{
	xml_text(call->xml, name, rid_format(id).text);
	xml_open(call->xml, "associationState");
	xml_text(call->xml, "state", "associated");
	xml_close(call->xml);
}

static int gateway_target(const struct call *call, const struct resource **ret_target,
			  struct error *error)
{
	const char *text = call_text(call, "GatewayId");
	struct rid id;

	if (rid_parse(text, KIND_INTERNET_GATEWAY, &id) == 0)
		*ret_target = model_get(call_model(call), call->scope, id);
	else
		*ret_target = NULL;
	if (*ret_target)
		return 0;
	return error_set(error, ERROR_GATEWAY_NOT_FOUND, "The gateway ID '%s' does not exist",
			 text);
}

static int associate_gateway(struct call *call, struct route_table *table, struct rid *ret_id,
			     struct error *error)
{
	const struct resource *gateway;
	int r = gateway_target(call, &gateway, error);

	return r < 0 ? r
		     : route_table_associate_gateway(&call->transaction, table,
						     (const struct gateway *)gateway, ret_id,
						     error);
}

static int associate_subnet(struct call *call, struct route_table *table, struct rid *ret_id,
			    struct error *error)
{
	struct subnet *subnet;
	int r = call_resource(call, "SubnetId", KIND_SUBNET, &subnet, error);

	return r < 0 ? r : route_table_associate(&call->transaction, table, subnet, ret_id, error);
}

int associate_route_table(struct call *call, struct error *error)
{
	const bool is_edge = call_text(call, "GatewayId");
	struct route_table *table;
	struct rid id;
	int r;

	if (call_text(call, "PublicIpv4Pool"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "PublicIpv4Pool is not supported yet.");
	if (is_edge && call_text(call, "SubnetId"))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The request must contain only one of subnetId, gatewayId");
	if ((r = table_call(call, &table, error)) < 0 ||
	    (r = (is_edge ? associate_gateway : associate_subnet)(call, table, &id, error)) < 0)
		return r;
	reply_association(call, "associationId", id);
	return 0;
}

static int find_association(struct call *call, struct route_table **ret_table, size_t *ret_index,
			    struct error *error)
{
	const char *text = call_text(call, "AssociationId");
	struct rid id;

	if (rid_parse(text, KIND_ROUTE_TABLE_ASSOCIATION, &id) < 0)
		return malformed(KIND_ROUTE_TABLE_ASSOCIATION, text, error);
	*ret_table = route_table_find_association(call->scope, id, ret_index);
	return *ret_table ? 0 : not_found(KIND_ROUTE_TABLE_ASSOCIATION, text, false, error);
}

int disassociate_route_table(struct call *call, struct error *error)
{
	struct route_table *table;
	size_t index;
	int r;

	if ((r = find_association(call, &table, &index, error)) < 0 ||
	    (r = route_table_disassociate(&call->transaction, table, index, error)) < 0)
		return r;
	return reply_true(call);
}

int replace_route_table_association(struct call *call, struct error *error)
{
	struct route_table *from, *to;
	struct rid id;
	size_t index;
	int r;

	if ((r = find_association(call, &from, &index, error)) < 0 ||
	    (r = table_call(call, &to, error)) < 0 ||
	    (r = route_table_replace(&call->transaction, from, index, to, &id, error)) < 0)
		return r;
	reply_association(call, "newAssociationId", id);
	return 0;
}

/* ---- routes ---- */

static int destination_of(const struct call *call, struct destination *ret_destination,
			  struct error *error)
{
	static const char *const names[] = { "DestinationCidrBlock", "DestinationIpv6CidrBlock",
					     "DestinationPrefixListId" };
	const struct prefix_list *list;
	size_t given = 0;
	int r;

	*ret_destination = (struct destination){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		given += call_text(call, names[i]) != NULL;
	if (given > 1)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Only one destination may be specified for a route");
	if (call_text(call, names[1]))
		return call_block(call, names[1], AF_INET6, &ret_destination->cidr, error);
	if (!call_text(call, names[2]))
		return call_cidr(call, names[0], &ret_destination->cidr, error);
	if ((r = call_resource(call, names[2], KIND_PREFIX_LIST, &list, error)) < 0)
		return r;
	ret_destination->prefix_list = list->resource.id;
	return 0;
}

/* Known by its name, and refused by the model. */
static int egress_target(const struct call *call, const struct resource **ret_target,
			 struct error *error)
{
	return call_resource(call, "EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY, ret_target,
			     error);
}

static int interface_target(const struct call *call, const struct resource **ret_target,
			    struct error *error)
{
	return call_resource(call, "NetworkInterfaceId", KIND_NETWORK_INTERFACE, ret_target, error);
}

static int instance_target(const struct call *call, const struct resource **ret_target,
			   struct error *error)
{
	const struct instance *instance;
	struct interface *interface;
	int r;

	if ((r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0 ||
	    (r = instance_sole_interface(call_model(call), instance, &interface, error)) < 0)
		return r;
	*ret_target = &interface->resource;
	return 0;
}

static int nat_target(const struct call *call, const struct resource **ret_target,
		      struct error *error)
{
	const struct nat_gateway *gateway;
	int r = call_resource(call, "NatGatewayId", KIND_NAT_GATEWAY, &gateway, error);

	if (r < 0)
		return r;
	if (gateway->delete_time)
		return not_found(KIND_NAT_GATEWAY, call_text(call, "NatGatewayId"), false, error);
	*ret_target = &gateway->resource;
	return 0;
}

/* One that was never accepted makes a blackhole, until it is; one that has ended is none at all. */
static int peering_target(const struct call *call, const struct resource **ret_target,
			  struct error *error)
{
	struct peering *peering;
	int r = call_peering(call, &peering, error);

	if (r < 0)
		return r;
	if (peering->end)
		return not_found(KIND_VPC_PEERING, rid_format(peering->resource.id).text, false,
				 error);
	*ret_target = &peering->resource;
	return 0;
}

/* Exactly one target; NULL for local, which ReplaceRoute alone can ask for. */
static int target_of(const struct call *call, const struct resource **ret_target,
		     struct error *error)
{
	static const struct {
		const char *name;
		/* NULL: not here yet */
		int (*find)(const struct call *call, const struct resource **ret_target,
			    struct error *error);
	} targets[] = {
		{ "GatewayId", gateway_target },
		{ "InstanceId", instance_target },
		{ "NetworkInterfaceId", interface_target },
		{ "EgressOnlyInternetGatewayId", egress_target },
		{ "VpcPeeringConnectionId", peering_target },
		{ "NatGatewayId", nat_target },
		{ "VpcEndpointId", NULL },
		{ "TransitGatewayId", NULL },
		{ "LocalGatewayId", NULL },
		{ "CarrierGatewayId", NULL },
		{ "CoreNetworkArn", NULL },
		{ "OdbNetworkArn", NULL },
	};
	const bool local = call_bool(call, "LocalTarget", false);
	size_t given = local, found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (call_text(call, targets[i].name)) {
			found = i;
			given++;
		}
	if (given == 0)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain exactly one of gatewayId, natGatewayId, "
				 "networkInterfaceId, vpcPeeringConnectionId, "
				 "egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, "
				 "instanceId");
	if (given > 1)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Only one target may be specified for a route");
	if (local) {
		*ret_target = NULL;
		return 0;
	}
	if (!targets[found].find)
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "A route's %s is not supported yet.", targets[found].name);
	return targets[found].find(call, ret_target, error);
}

static int change_route(struct call *call,
			int (*change)(struct transaction *, struct route_table *,
				      struct destination, const struct resource *, struct error *),
			struct error *error)
{
	const struct resource *target = NULL;
	struct route_table *table;
	struct destination destination;
	int r;

	if ((r = table_call(call, &table, error)) < 0 ||
	    (r = destination_of(call, &destination, error)) < 0 ||
	    (r = target_of(call, &target, error)) < 0 ||
	    (r = change(&call->transaction, table, destination, target, error)) < 0)
		return r;
	return reply_true(call);
}

int create_route(struct call *call, struct error *error)
{
	return change_route(call, route_create, error);
}

int replace_route(struct call *call, struct error *error)
{
	return change_route(call, route_replace, error);
}

int delete_route(struct call *call, struct error *error)
{
	struct route_table *table;
	struct destination destination;
	int r;

	if ((r = table_call(call, &table, error)) < 0 ||
	    (r = destination_of(call, &destination, error)) < 0 ||
	    (r = route_delete(&call->transaction, table, destination, error)) < 0)
		return r;
	return reply_true(call);
}
