/*
 * Route tables, programmed: the routes of a subnet, and those by way of appliances. See want.h.
 */
#include "fabric/facet.h"
#include "fabric/want.h"

#include "model/peering.h"

static const struct address peering_hops = { AF_INET, { 169, 254, 1, 0 } }; /* + its number */

/* A route that is to go by way of an appliance, whether the way is open or not. */
static bool is_by_interface(const struct route *route)
{
	return route_is_by_interface(route->target);
}

/*
 * All of a subnet goes by way of an appliance: by a route of its own, more specific than the local
 * one, or by the local one itself.
 */
static bool is_diverted(const struct route_table *table, struct cidr block)
{
	for (size_t i = 0; table && i < table->route_count; i++) {
		const struct route *route = &table->routes[i];

		if (!is_by_interface(route))
			continue;
		if (cidr_equal(route->destination, block) ||
		    (route->origin == ROUTE_ORIGIN_TABLE &&
		     cidr_contains(route->destination, block.address)))
			return true;
	}
	return false;
}

void want_subnets(struct object_list *list, struct rid ns, const struct vpc *vpc,
		  const char *device, const struct route_table *table)
{
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET) {
		struct rid id = subnet->resource.id;
		struct address hop;

		if (!subnet->realized || !rid_equal(subnet->vpc, vpc->resource.id) ||
		    rid_equal(id, ns))
			continue;
		hop = subnet_router(subnet);
		want_neighbour(list, ns, device, hop, fabric_mac(id));
		if (!is_diverted(table, subnet->cidr))
			want_route(list, ns, subnet->cidr, hop, device);
	}
}

/* A subnet may be as large as its VPC: then its route stands where the VPC's blackhole would. */
static bool is_one_subnet(const struct vpc *vpc, struct cidr block)
{
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET)
		if (subnet->realized && rid_equal(subnet->vpc, vpc->resource.id) &&
		    cidr_equal(subnet->cidr, block))
			return true;
	return false;
}

/* What is local and in no subnet, goes nowhere. */
static void want_vpc_blackholes(struct object_list *list, struct rid ns, const struct vpc *vpc,
				const struct route_table *table)
{
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (!is_one_subnet(vpc, vpc->cidrs[i].cidr) &&
		    !is_diverted(table, vpc->cidrs[i].cidr))
			want_blackhole(list, ns, vpc->cidrs[i].cidr);
}

const struct gateway *attached_gateway(const struct vpc *vpc)
{
	const struct gateway *gateway = gateway_of(vpc);

	return gateway && gateway->realized ? gateway : NULL;
}

/* A subnet's or gateway's table on its way into the kernel. */
struct programming {
	const struct model *model;
	const struct route_table *table; /* NULL: a gateway has none */
	const struct gateway *gateway;	 /* NULL: nothing leads out */
	struct rid ns;			 /* the subnet or gateway */
	struct object_list *list;
	bool has_default;
};

/*
 * A route by way of an appliance stands on a blackhole of its own, whatever becomes of the
 * appliance's port: so nothing ever falls through to a shorter prefix.
 */
#define METRIC_BACKING 1024

static void want_backing(struct object_list *list, struct rid ns, struct cidr block)
{
	struct object object = object_in(ns, OBJECT_ROUTE);

	object.route.destination = block;
	object.route.type = ROUTE_BLACKHOLE;
	object.route.metric = METRIC_BACKING;
	object_list_add(list, &object);
}

static struct address peering_hop(const struct peering *peering)
{
	return address_add(peering_hops, (uint64_t)peering->number);
}

/* Where the route's packets go on the fabric; false: nowhere. */
static bool next_hop(const struct programming *programming, const struct route *route,
		     struct address *ret_hop)
{
	if (!route_is_active(programming->model, programming->table, route))
		return false;
	if (route->target.kind == KIND_VPC_PEERING)
		*ret_hop = peering_hop(peering_get(programming->model, route->target));
	else
		*ret_hop = gateway_hop;
	return route->target.kind == KIND_VPC_PEERING || programming->gateway;
}

static void want_block(struct programming *programming, const struct route *route,
		       struct cidr block)
{
	struct address hop;

	programming->has_default |= cidr_equal(block, everywhere);
	if (is_by_interface(route)) {
		want_backing(programming->list, programming->ns, block);
		return;
	}
	if (next_hop(programming, route, &hop))
		want_route(programming->list, programming->ns, block, hop, "fabric");
	else
		want_blackhole(programming->list, programming->ns, block);
}

typedef void block_fn(struct programming *programming, const struct route *route,
		      struct cidr block);

static void want_prefix_list(struct programming *programming, const struct route *route,
			     block_fn *want)
{
	const struct prefix_list *list = prefix_list_get(programming->model, route->prefix_list);

	for_each_prefix_entry (entry, list, list->version)
		if (route_entry_counts(programming->model, programming->table, route, entry->cidr))
			want(programming, route, entry->cidr);
}

/* Every block that the table has a route for, but the local ones. */
static void want_blocks(struct programming *programming, block_fn *want)
{
	const struct route_table *table = programming->table;

	for (size_t i = 0; table && i < table->route_count; i++) {
		const struct route *route = &table->routes[i];

		if (route_is_of_endpoint(route))
			continue; /* a record: nothing is behind it */
		if (rid_is_set(route->prefix_list))
			want_prefix_list(programming, route, want);
		else if (rid_is_set(route->target))
			want(programming, route, route->destination);
		/* local: the siblings' routes, within the VPC's blackhole */
	}
}

static void want_table(struct programming *programming)
{
	want_blocks(programming, want_block);
	if (!programming->has_default) /* no route is silent in a VPC: no ICMP */
		want_blackhole(programming->list, programming->ns, everywhere);
}

static void want_peering_hops(struct object_list *list, const struct model *model,
			      const struct subnet *subnet)
{
	CLEANUP(freep) struct peering **peerings = NULL;
	size_t count = peerings_of(model, subnet->vpc, &peerings);

	for (size_t i = 0; i < count; i++)
		want_neighbour(list, subnet->resource.id, "fabric", peering_hop(peerings[i]),
			       fabric_mac(peerings[i]->resource.id));
}

void want_subnet_routes(const struct model *model, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(model, id);
	struct programming programming = { .model = model, .ns = id, .list = list };
	const struct vpc *vpc;

	if (!subnet || !subnet->realized)
		return;
	vpc = vpc_get(model, subnet->vpc);
	programming.table = route_table_of(subnet);
	programming.gateway = attached_gateway(vpc);
	if (programming.gateway)
		want_neighbour(list, id, "fabric", gateway_hop,
			       fabric_mac(programming.gateway->resource.id));
	want_peering_hops(list, model, subnet);
	want_vpc_blackholes(list, id, vpc, programming.table);
	want_table(&programming);
	want_subnets(list, id, vpc, "fabric", programming.table);
}

void want_gateway_routes(const struct model *model, const struct gateway *gateway,
			 struct object_list *list)
{
	const struct rid id = gateway->resource.id;
	const struct vpc *vpc = vpc_get(model, gateway->vpc);
	struct programming programming = {
		.model = model, .table = route_table_of_gateway(gateway), .ns = id, .list = list
	};

	want_vpc_blackholes(list, id, vpc, programming.table);
	want_blocks(&programming, want_block); /* by interfaces, all of them */
	want_subnets(list, id, vpc, "fabric", programming.table);
}

/* ---- appliances ---- */

/*
 * The appliance, or NAT gateway, that a route leads to now. With its source/destination check on,
 * it would get nothing that isn't for itself (VPC guide, "NAT instances"): then the route's
 * blackhole remains.
 */
static const struct interface *appliance_of(const struct model *model, const struct route *route)
{
	const struct interface *interface = route_interface(model, route);
	const struct instance *instance =
		interface ? instance_get(model, interface->instance) : NULL;

	if (interface && rid_is_set(interface->nat_gateway))
		return interface;
	/* Without a process there is no port yet. */
	return instance && instance->pid && !interface->source_dest_check ? interface : NULL;
}

/* An appliance's own address on the fabric: see SKELETON_SUBNET_STEERING. */
static struct mac steering_mac(struct rid interface)
{
	return mac_of(0x0a, interface);
}

static bool is_appliance(const struct model *model, const struct scope *scope, struct rid id)
{
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		for (size_t i = 0; i < table->route_count; i++)
			if (rid_equal(route_interface_id(model, &table->routes[i]), id) &&
			    appliance_of(model, &table->routes[i]))
				return true;
	return false;
}

void want_steering(const struct model *model, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(model, id);

	if (!subnet || !subnet->realized)
		return;
	for_each_resource (struct route_table, table, subnet->resource.scope, KIND_ROUTE_TABLE)
		for (size_t i = 0; i < table->route_count; i++) {
			const struct interface *appliance = appliance_of(model, &table->routes[i]);

			if (!appliance || !rid_equal(appliance->subnet, id))
				continue;
			want_skeleton(list, id, SKELETON_SUBNET_STEERING);
			return;
		}
}

void want_appliance(const struct model *model, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(model, id);
	const uint32_t mark = interface ? filters_port_group(interface) : 0;
	const struct mac mac = steering_mac(id);
	struct object object;

	if (!interface || !is_appliance(model, interface->resource.scope, id))
		return;
	object = object_in(interface->subnet, OBJECT_ROUTE);
	object.route.table = mark;
	object.route.destination = everywhere;
	object.route.gateway = interface->address;
	set_name(object.route.device, rid_device(id).text);
	object_list_add(list, &object);
	object = object_in(interface->subnet, OBJECT_RULE);
	object.rule.mark = object.rule.table = mark;
	object_list_add(list, &object);
	object = object_in(interface->subnet, OBJECT_ELEMENT);
	object.element.map = ELEMENT_STEERED;
	memcpy(object.element.key, &mac, sizeof(mac));
	memcpy(object.element.value, &mark, sizeof(mark));
	object_list_add(list, &object);
	want_fdb(list, interface->vpc, rid_device(interface->subnet).text, mac);
}

/* Once for all blocks that go the same way. */
static void want_steering_hop(struct programming *programming, const struct interface *appliance)
{
	const struct object_list *list = programming->list;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].kind == OBJECT_NEIGHBOUR &&
		    address_equal(list->items[i].neighbour.address, appliance->address))
			return;
	want_neighbour(programming->list, programming->ns, "fabric", appliance->address,
		       steering_mac(appliance->resource.id));
}

/* May it take what has this destination from the subnet or gateway? */
static bool can_take(const struct programming *programming, const struct interface *appliance,
		     struct cidr block)
{
	/* From a gateway only with a public address: VPC guide, "Gateway route tables". */
	if (programming->ns.kind == KIND_INTERNET_GATEWAY)
		return address_is_set(
			interface_public_at(programming->model, appliance, appliance->address));
	/* What is within the subnet is delivered, never routed. */
	return !cidr_equal(block, subnet_get(programming->model, programming->ns)->cidr);
}

static void want_via_block(struct programming *programming, const struct route *route,
			   struct cidr block)
{
	const struct interface *appliance = appliance_of(programming->model, route);

	if (!appliance || !can_take(programming, appliance, block))
		return;
	if (rid_equal(appliance->subnet, programming->ns)) {
		want_route(programming->list, programming->ns, block, appliance->address,
			   rid_device(appliance->resource.id).text);
		return;
	}
	want_steering_hop(programming, appliance);
	want_route(programming->list, programming->ns, block, appliance->address, "fabric");
}

/* NULL: none that is in the kernel. */
static const struct route_table *table_of_subnet(const struct subnet *subnet)
{
	return subnet && subnet->realized ? route_table_of(subnet) : NULL;
}

static const struct route_table *table_of_gateway(const struct gateway *gateway)
{
	return gateway && gateway->realized ? route_table_of_gateway(gateway) : NULL;
}

void want_via(const struct model *model, struct rid id, struct object_list *list)
{
	struct programming programming = { .model = model, .ns = id, .list = list };
	const size_t first = list->count;

	if (id.kind == KIND_INTERNET_GATEWAY)
		programming.table = table_of_gateway(gateway_get(model, id));
	else
		programming.table = table_of_subnet(subnet_get(model, id));
	want_blocks(&programming, want_via_block);
	if (id.kind == KIND_INTERNET_GATEWAY)
		limit_mtu(list, first);
}
