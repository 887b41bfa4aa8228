/* Route tables: see route.h. */
#include "model/route.h"

#include <stdio.h>

#include "model/attachment.h"
#include "model/gateway.h"
#include "model/nat_gateway.h"
#include "model/peering.h"

static const char *const origin_names[] = { "CreateRouteTable", "CreateRoute", NULL };

/* The target's id where it is of this kind: each kind is shown in a member of its own. */
static const char *target_of(const struct view *view, enum kind kind, struct buffer *scratch)
{
	const struct rid target = ((const struct route *)view->object)->target;

	return target.kind == kind ? get_print(scratch, "%s", rid_format(target).text) : NULL;
}

static const char *get_gateway(const struct view *view, struct buffer *scratch)
{
	const struct route *route = view->object;

	if (!rid_is_set(route->target))
		return "local";
	return target_of(view,
			 route_is_of_endpoint(route) ? KIND_VPC_ENDPOINT : KIND_INTERNET_GATEWAY,
			 scratch);
}

static const char *get_peering(const struct view *view, struct buffer *scratch)
{
	return target_of(view, KIND_VPC_PEERING, scratch);
}

static const char *get_nat_gateway(const struct view *view, struct buffer *scratch)
{
	return target_of(view, KIND_NAT_GATEWAY, scratch);
}

static const char *get_interface(const struct view *view, struct buffer *scratch)
{
	return target_of(view, KIND_NETWORK_INTERFACE, scratch);
}

/* The interface that is the target, while it is attached. */
static const struct interface *attached_target(const struct model *model, const struct route *route)
{
	const struct interface *interface = route->target.kind == KIND_NETWORK_INTERFACE
						    ? interface_get(model, route->target)
						    : NULL;

	return interface && rid_is_set(interface->attachment) ? interface : NULL;
}

static const char *get_instance(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = attached_target(view->model, view->object);

	return interface ? get_print(scratch, "%s", rid_format(interface->instance).text) : NULL;
}

static const char *get_instance_owner(const struct view *view, struct buffer *scratch)
{
	return attached_target(view->model, view->object) ? get_owner(view, scratch) : NULL;
}

static const char *get_state(const struct view *view, struct buffer *scratch)
{
	const struct route_table *table = (const struct route_table *)view->resource;

	(void)scratch;
	return route_is_active(view->model, table, view->object) ? "active" : "blackhole";
}

static const char *destination_of(const struct view *view, int family, struct buffer *scratch)
{
	const struct cidr cidr = ((const struct route *)view->object)->destination;

	return cidr.address.family == family ? get_print(scratch, "%s", cidr_format(cidr).text)
					     : NULL;
}

static const char *get_destination(const struct view *view, struct buffer *scratch)
{
	return destination_of(view, AF_INET, scratch);
}

static const char *get_ipv6_destination(const struct view *view, struct buffer *scratch)
{
	return destination_of(view, AF_INET6, scratch);
}

static const struct field route_fields[] = {
	FIELD_GET_OF(get_destination, "destinationCidrBlock", "route.destination-cidr-block"),
	FIELD_GET_OF(get_ipv6_destination, "destinationIpv6CidrBlock",
		     "route.destination-ipv6-cidr-block"),
	FIELD_OF(struct route, destination, FIELD_CIDR, "destinationCidrBlock", NULL, FIELD_STORED),
	FIELD_OF(struct route, prefix_list, FIELD_RID, "destinationPrefixListId",
		 "route.destination-prefix-list-id", FIELD_BOTH),
	FIELD_GET_OF(get_gateway, "gatewayId", "route.gateway-id"),
	FIELD_GET_OF(get_interface, "networkInterfaceId", NULL),
	FIELD_GET_OF(get_instance, "instanceId", "route.instance-id"),
	FIELD_GET_OF(get_instance_owner, "instanceOwnerId", NULL),
	FIELD_GET_OF(get_nat_gateway, "natGatewayId", "route.nat-gateway-id"),
	FIELD_GET_OF(get_peering, "vpcPeeringConnectionId", "route.vpc-peering-connection-id"),
	FIELD_OF(struct route, target, FIELD_RID, "target", NULL, FIELD_STORED),
	FIELD_ENUM_OF(struct route, origin, origin_names, "origin", "route.origin", FIELD_BOTH),
	FIELD_GET_OF(get_state, "state", "route.state"),
	FIELD_END,
};

static bool is_main(const struct route_table_association *association)
{
	return !rid_is_set(association->subnet) && !rid_is_set(association->gateway);
}

static bool is_of(const struct route_table_association *association, struct rid id)
{
	return rid_equal(association->subnet, id) || rid_equal(association->gateway, id);
}

static const char *get_main(const struct view *view, struct buffer *scratch)
{
	const struct route_table_association *association = view->object;

	(void)scratch;
	return is_main(association) ? "true" : "false";
}

static const struct field state_fields[] = {
	FIELD_CONST_OF("associated", "state", NULL),
	FIELD_END,
};

static const struct field association_fields[] = {
	FIELD_GET_OF(get_main, "main", "association.main"),
	FIELD_OF(struct route_table_association, id, FIELD_RID, "routeTableAssociationId",
		 "association.route-table-association-id", FIELD_BOTH),
	FIELD_GET_OF(get_id, "routeTableId", "association.route-table-id"),
	FIELD_OF(struct route_table_association, subnet, FIELD_RID, "subnetId",
		 "association.subnet-id", FIELD_BOTH),
	FIELD_OF(struct route_table_association, gateway, FIELD_RID, "gatewayId",
		 "association.gateway-id", FIELD_BOTH),
	FIELD_CHILD_OF(child_self, state_fields, "associationState"),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct route_table),
	FIELD_GET_OF(get_id, "routeTableId", "route-table-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_OF(struct route_table, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_LIST_OF(struct route_table, routes, route_count, route_fields, "routeSet",
		      FIELD_BOTH),
	FIELD_LIST_OF(struct route_table, associations, association_count, association_fields,
		      "associationSet", FIELD_BOTH),
	FIELD_OF(struct route_table, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_CHILDREN_OF(child_none, state_fields, "propagatingVgwSet"),
	FIELD_END,
};

const struct resource_type route_table_type = {
	.kind = KIND_ROUTE_TABLE,
	.size = sizeof(struct route_table),
	.fields = fields,
	.tag_type = "route-table",
};

bool route_table_is_main(const struct route_table *table)
{
	for (size_t i = 0; i < table->association_count; i++)
		if (is_main(&table->associations[i]))
			return true;
	return false;
}

bool route_table_is_edge(const struct route_table *table)
{
	for (size_t i = 0; i < table->association_count; i++)
		if (rid_is_set(table->associations[i].gateway))
			return true;
	return false;
}

/* The association of a subnet or gateway, wherever it is. */
static struct route_table *find_association_of(const struct scope *scope, struct rid id,
					       size_t *ret_index)
{
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		for (size_t i = 0; i < table->association_count; i++)
			if (is_of(&table->associations[i], id)) {
				*ret_index = i;
				return table;
			}
	return NULL;
}

struct route_table *route_table_of_gateway(const struct gateway *gateway)
{
	size_t index;
	struct route_table *table =
		find_association_of(gateway->resource.scope, gateway->resource.id, &index);

	/* It may have been attached to another VPC since. */
	return table && rid_equal(table->vpc, gateway->vpc) ? table : NULL;
}

struct route_table *route_table_of(const struct subnet *subnet)
{
	struct route_table *main = NULL;

	for_each_resource (struct route_table, table, subnet->resource.scope, KIND_ROUTE_TABLE) {
		if (!rid_equal(table->vpc, subnet->vpc))
			continue;
		for (size_t i = 0; i < table->association_count; i++)
			if (rid_equal(table->associations[i].subnet, subnet->resource.id))
				return table;
		if (route_table_is_main(table))
			main = table;
	}
	return main;
}

bool route_is_active(const struct model *model, const struct route_table *table,
		     const struct route *route)
{
	const struct peering *peering = peering_get(model, route->target);
	const struct resource *target = model_get(model, table->resource.scope, route->target);

	switch (route->target.kind) {
	case KIND_NONE: /* local */
		return true;
	case KIND_INTERNET_GATEWAY:
		return target && rid_equal(((const struct gateway *)target)->vpc, table->vpc);
	case KIND_NETWORK_INTERFACE:
	case KIND_NAT_GATEWAY:
		return route_interface(model, route) != NULL;
	case KIND_VPC_PEERING:
		return peering && peering->state == PEERING_ACTIVE;
	case KIND_VPC_ENDPOINT:
		return target;
	default:
		return false;
	}
}

struct rid route_interface_id(const struct model *model, const struct route *route)
{
	const struct nat_gateway *gateway = nat_gateway_get(model, route->target);

	if (gateway)
		return gateway->interface;
	return route->target.kind == KIND_NETWORK_INTERFACE ? route->target
							    : (struct rid){ KIND_NONE, 0 };
}

const struct interface *route_interface(const struct model *model, const struct route *route)
{
	const struct interface *interface = interface_get(model, route_interface_id(model, route));

	return interface && attachment_is_live(model, interface) ? interface : NULL;
}

/* Behind the other local routes. */
static void add_local(struct route_table *table, struct cidr cidr)
{
	const struct route local = { .destination = cidr };
	size_t i = 0;

	while (i < table->route_count && table->routes[i].origin == ROUTE_ORIGIN_TABLE)
		i++;
	array_grow(&table->routes, &table->route_count);
	memmove(table->routes + i + 1, table->routes + i,
		(table->route_count - 1 - i) * sizeof(*table->routes));
	table->routes[i] = local;
}

static struct route_table *create(struct transaction *transaction, struct vpc *vpc)
{
	struct route_table *table =
		transaction_create(transaction, vpc->resource.scope, KIND_ROUTE_TABLE);

	table->vpc = vpc->resource.id;
	for (size_t i = 0; i < vpc->cidr_count; i++)
		add_local(table, vpc->cidrs[i].cidr);
	for (size_t i = 0; i < vpc->ipv6_cidr_count; i++)
		add_local(table, vpc->ipv6_cidrs[i].cidr);
	return table;
}

/* `of` unset: the main one. */
static struct rid add_association(struct route_table *table, struct rid of)
{
	struct route_table_association *association =
		array_grow(&table->associations, &table->association_count);

	association->id = rid_new(KIND_ROUTE_TABLE_ASSOCIATION);
	if (of.kind == KIND_INTERNET_GATEWAY)
		association->gateway = of;
	else
		association->subnet = of;
	return association->id;
}

void route_table_create_main(struct transaction *transaction, struct vpc *vpc)
{
	add_association(create(transaction, vpc), (struct rid){ KIND_NONE, 0 });
}

int route_table_create(struct transaction *transaction, struct vpc *vpc, const char *client_token,
		       struct route_table **ret_table, struct error *error)
{
	size_t tables = 0;
	int r;

	for_each_resource (struct route_table, table, vpc->resource.scope, KIND_ROUTE_TABLE) {
		tables += rid_equal(table->vpc, vpc->resource.id);
		if (!client_token || !streq(table->client_token, client_token))
			continue;
		if (!rid_equal(table->vpc, vpc->resource.id))
			return idempotent_mismatch(error);
		*ret_table = table;
		return 0;
	}
	if ((r = quota_check(transaction->model, QUOTA_ROUTE_TABLES, tables + 1, error)) < 0)
		return r;
	*ret_table = create(transaction, vpc);
	(*ret_table)->client_token = xstrdup_null(client_token);
	return 0;
}

int route_table_delete(struct transaction *transaction, struct route_table *table,
		       struct error *error)
{
	if (table->association_count)
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "The routeTable '%s' has dependencies and cannot be deleted.",
				 rid_format(table->resource.id).text);
	transaction_delete(transaction, table);
	return 0;
}

static int check_same_vpc(const struct route_table *table, struct rid vpc, struct rid other,
			  struct error *error)
{
	if (rid_equal(table->vpc, vpc))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Route table %s and network %s belong to different networks",
			 rid_format(table->resource.id).text, rid_format(other).text);
}

/* Could the table be a gateway's, as it is? */
static int check_edge(const struct model *model, const struct route_table *table,
		      struct error *error);

/* The association that there is, or a new one. */
static int associate(struct transaction *transaction, struct route_table *table, struct rid id,
		     struct rid *ret_association, struct error *error)
{
	size_t index;
	const struct route_table *other = find_association_of(table->resource.scope, id, &index);

	if (other && other != table)
		return error_set(error, ERROR_ALREADY_ASSOCIATED,
				 "the specified association for route table %s "
				 "conflicts with an existing association",
				 rid_format(table->resource.id).text);
	if (other) {
		*ret_association = other->associations[index].id;
		return 0;
	}
	transaction_edit(transaction, table);
	*ret_association = add_association(table, id);
	return 0;
}

int route_table_associate(struct transaction *transaction, struct route_table *table,
			  const struct subnet *subnet, struct rid *ret_association,
			  struct error *error)
{
	const struct rid id = subnet->resource.id;
	int r = check_same_vpc(table, subnet->vpc, id, error);

	return r < 0 ? r : associate(transaction, table, id, ret_association, error);
}

struct route_table *route_table_find_association(const struct scope *scope, struct rid association,
						 size_t *ret_index)
{
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		for (size_t i = 0; i < table->association_count; i++)
			if (rid_equal(table->associations[i].id, association)) {
				*ret_index = i;
				return table;
			}
	return NULL;
}

int route_table_disassociate(struct transaction *transaction, struct route_table *table,
			     size_t index, struct error *error)
{
	if (is_main(&table->associations[index]))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "cannot disassociate the main route table association %s",
				 rid_format(table->associations[index].id).text);
	transaction_edit(transaction, table);
	array_remove(table->associations, &table->association_count, index);
	return 0;
}

int route_table_replace(struct transaction *transaction, struct route_table *from, size_t index,
			struct route_table *to, struct rid *ret_association, struct error *error)
{
	const struct route_table_association *association = &from->associations[index];
	const struct rid of =
		rid_is_set(association->gateway) ? association->gateway : association->subnet;
	int r;

	if ((r = check_same_vpc(to, from->vpc, from->vpc, error)) < 0)
		return r;
	if (rid_is_set(association->gateway) && (r = check_edge(transaction->model, to, error)) < 0)
		return r;
	if (is_main(association) && route_table_is_edge(to))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Route table %s is associated with a gateway and can't be the "
				 "main route table",
				 rid_format(to->resource.id).text);
	transaction_edit(transaction, from);
	array_remove(from->associations, &from->association_count, index);
	transaction_edit(transaction, to);
	*ret_association = add_association(to, of);
	return 0;
}

void route_table_forget(struct transaction *transaction, struct scope *scope, struct rid id)
{
	size_t index;
	struct route_table *table;

	while ((table = find_association_of(scope, id, &index))) {
		transaction_edit(transaction, table);
		array_remove(table->associations, &table->association_count, index);
	}
}

void route_tables_add_local(struct transaction *transaction, const struct vpc *vpc,
			    struct cidr cidr)
{
	for_each_resource (struct route_table, table, vpc->resource.scope, KIND_ROUTE_TABLE)
		if (rid_equal(table->vpc, vpc->resource.id))
			add_local(transaction_edit(transaction, table), cidr);
}

void route_tables_remove_local(struct transaction *transaction, const struct vpc *vpc,
			       struct cidr cidr)
{
	for_each_resource (struct route_table, table, vpc->resource.scope, KIND_ROUTE_TABLE)
		for (size_t i = table->route_count; i-- > 0;)
			if (rid_equal(table->vpc, vpc->resource.id) &&
			    table->routes[i].origin == ROUTE_ORIGIN_TABLE &&
			    cidr_equal(table->routes[i].destination, cidr)) {
				transaction_edit(transaction, table);
				array_remove(table->routes, &table->route_count, i);
			}
}

/* ---- routes ---- */

static struct address_text destination_text(struct destination destination)
{
	struct address_text text = cidr_format(destination.cidr);

	if (rid_is_set(destination.prefix_list))
		snprintf(text.text, sizeof(text.text), "%s",
			 rid_format(destination.prefix_list).text);
	return text;
}

static struct destination canonical(struct destination destination)
{
	destination.cidr = cidr_canonical(destination.cidr);
	return destination;
}

static struct route *find_route(const struct route_table *table, struct destination destination)
{
	for (size_t i = 0; i < table->route_count; i++)
		if (cidr_equal(table->routes[i].destination, destination.cidr) &&
		    rid_equal(table->routes[i].prefix_list, destination.prefix_list))
			return &table->routes[i];
	return NULL;
}

const struct route *route_within(const struct route_table *table, struct cidr cidr)
{
	for (size_t i = 0; i < table->route_count; i++)
		if (!rid_is_set(table->routes[i].prefix_list) &&
		    cidr_covers(cidr, table->routes[i].destination))
			return &table->routes[i];
	return NULL;
}

static bool is_reserved(struct cidr cidr)
{
	static const struct cidr link_local = { { AF_INET, { 169, 254, 168, 0 } }, 22 };

	return cidr_covers(link_local, cidr);
}

static bool is_local(const struct vpc *vpc, struct cidr cidr)
{
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (cidr_covers(vpc->cidrs[i].cidr, cidr))
			return true;
	for (size_t i = 0; i < vpc->ipv6_cidr_count; i++)
		if (cidr_covers(vpc->ipv6_cidrs[i].cidr, cidr))
			return true;
	return false;
}

static bool is_subnet(const struct vpc *vpc, struct cidr cidr)
{
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc->resource.id) && cidr_equal(subnet->cidr, cidr))
			return true;
	return false;
}

/* Within the VPC a route may only lead a whole subnet, and only to an appliance of the VPC. */
static bool can_lead(const struct vpc *vpc, struct cidr cidr, struct rid target)
{
	return !is_local(vpc, cidr) || (route_is_by_interface(target) && is_subnet(vpc, cidr));
}

bool route_entry_counts(const struct model *model, const struct route_table *table,
			const struct route *route, struct cidr entry)
{
	if (is_reserved(entry) || !can_lead(vpc_get(model, table->vpc), entry, route->target) ||
	    find_route(table, to_cidr(entry)))
		return false;
	for (const struct route *other = table->routes; other < route; other++) {
		const struct prefix_list *list = prefix_list_get(model, other->prefix_list);

		if (list && !route_is_of_endpoint(other) && prefix_list_has(list, entry))
			return false;
	}
	return true;
}

static int check_block(const struct vpc *vpc, struct cidr cidr, struct rid target,
		       struct error *error)
{
	if (is_reserved(cidr))
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"The destination CIDR block %s is in a range reserved for AWS services.",
			cidr_format(cidr).text);
	if (!can_lead(vpc, cidr, target))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The destination CIDR block %s is equal to or more specific than "
				 "one of this VPC's CIDR blocks. This route can target only an "
				 "interface or an instance.",
				 cidr_format(cidr).text);
	return 0;
}

static struct rid vpc_of(const struct resource *target)
{
	switch (target->id.kind) {
	case KIND_NETWORK_INTERFACE:
		return ((const struct interface *)target)->vpc;
	case KIND_NAT_GATEWAY:
		return ((const struct nat_gateway *)target)->vpc;
	default:
		return ((const struct gateway *)target)->vpc;
	}
}

/* A target is of the table's own VPC. */
static int check_target(const struct route_table *table, const struct resource *target,
			struct error *error)
{
	const struct peering *peering = (const struct peering *)target;
	struct rid vpc = vpc_of(target);

	if (target->id.kind == KIND_EGRESS_GATEWAY)
		return ipv6_not_forwarded(error,
					  "a route can't lead to the egress-only internet "
					  "gateway '%s'",
					  rid_format(target->id).text);
	if (target->id.kind == KIND_VPC_PEERING) {
		if (rid_is_set(peering_other(peering, table->vpc)))
			return 0;
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "route table %s and vpc peering connection %s belong to different "
				 "networks",
				 rid_format(table->resource.id).text, rid_format(target->id).text);
	}
	if (rid_equal(vpc, table->vpc))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "route table %s and %s %s belong to different networks",
			 rid_format(table->resource.id).text,
			 target->id.kind == KIND_NETWORK_INTERFACE ? "interface"
								   : "network gateway",
			 rid_format(target->id).text);
}

static int check_family(const struct model *model, struct destination destination,
			struct error *error)
{
	const struct prefix_list *list = prefix_list_get(model, destination.prefix_list);
	const int family =
		list ? prefix_list_address_family(list) : destination.cidr.address.family;

	return family == AF_INET
		       ? 0
		       : ipv6_not_forwarded(error, "a route can't lead to the destination %s",
					    destination_text(destination).text);
}

/*
 * What a gateway's table may hold: VPC guide, "Gateway route tables". Whether what is within the
 * VPC is a whole subnet, or its local route, is every table's rule.
 */
static int check_edge_route(const struct vpc *vpc, struct destination destination,
			    struct rid target, struct error *error)
{
	if (rid_is_set(destination.prefix_list))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A route table that is associated with a gateway can't have a "
				 "route to a prefix list: %s",
				 rid_format(destination.prefix_list).text);
	if (!is_local(vpc, destination.cidr))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A route table that is associated with a gateway can't have a "
				 "route to a destination outside of this VPC's CIDR blocks: %s",
				 cidr_format(destination.cidr).text);
	if (rid_is_set(target) && target.kind != KIND_NETWORK_INTERFACE)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A route table that is associated with a gateway can't have a "
				 "route to %s: only to a network interface or local",
				 rid_format(target).text);
	return 0;
}

static int check_edge(const struct model *model, const struct route_table *table,
		      struct error *error)
{
	const struct vpc *vpc = vpc_get(model, table->vpc);
	int r;

	if (route_table_is_main(table))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The main route table %s can't be associated with a gateway",
				 rid_format(table->resource.id).text);
	for (size_t i = 0; i < table->route_count; i++) {
		const struct route *route = &table->routes[i];

		r = check_edge_route(vpc,
				     (struct destination){ route->destination, route->prefix_list },
				     route->target, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * What every route's destination and target must be; see "Create a route" in the VPC guide. The
 * entries of a prefix list are not checked, for they may change: route_entry_counts() instead.
 */
static int check_route(const struct transaction *transaction, const struct route_table *table,
		       struct destination destination, const struct resource *target,
		       struct error *error)
{
	const struct model *model = transaction->model;
	const struct prefix_list *list = prefix_list_get(model, destination.prefix_list);
	const struct vpc *vpc = vpc_get(model, table->vpc);
	int r;

	if ((r = check_family(model, destination, error)) < 0)
		return r;
	if (route_table_is_edge(table) &&
	    (r = check_edge_route(vpc, destination, target->id, error)) < 0)
		return r;
	if (!list && (r = check_block(vpc, destination.cidr, target->id, error)) < 0)
		return r;
	return check_target(table, target, error);
}

int route_table_associate_gateway(struct transaction *transaction, struct route_table *table,
				  const struct gateway *gateway, struct rid *ret_association,
				  struct error *error)
{
	int r;

	if ((r = check_target(table, &gateway->resource, error)) < 0 ||
	    (r = check_edge(transaction->model, table, error)) < 0)
		return r;
	return associate(transaction, table, gateway->resource.id, ret_association, error);
}

/* How many routes this destination is in the quota. */
static int64_t weight(const struct model *model, struct rid prefix_list)
{
	const struct prefix_list *list = prefix_list_get(model, prefix_list);

	return list ? list->max_entries : 1;
}

static int check_room(const struct model *model, const struct route_table *table, int64_t more,
		      struct error *error)
{
	int64_t routes = more;

	/* Those of IPv6 have a quota of their own, and are local. */
	for (size_t i = 0; i < table->route_count; i++)
		if (table->routes[i].destination.address.family != AF_INET6)
			routes += weight(model, table->routes[i].prefix_list);
	return quota_check(model, QUOTA_ROUTES, (size_t)routes, error);
}

bool route_table_has_room(const struct model *model, const struct route_table *table, int64_t more)
{
	struct error ignored = ERROR_INIT;

	return check_room(model, table, more, &ignored) == 0;
}

int route_create(struct transaction *transaction, struct route_table *table,
		 struct destination destination, const struct resource *target, struct error *error)
{
	const struct model *model = transaction->model;
	struct route *route;
	int r;

	destination = canonical(destination);
	if (find_route(table, destination))
		return error_set(error, ERROR_ROUTE_EXISTS,
				 "The route identified by %s already exists.",
				 destination_text(destination).text);
	if ((r = check_route(transaction, table, destination, target, error)) < 0)
		return r;
	if ((r = check_room(model, table, weight(model, destination.prefix_list), error)) < 0)
		return r;
	transaction_edit(transaction, table);
	route = array_grow(&table->routes, &table->route_count);
	route->destination = destination.cidr;
	route->prefix_list = destination.prefix_list;
	route->target = target->id;
	route->origin = ROUTE_ORIGIN_ROUTE;
	return 0;
}

/*
 * What is within the VPC may be led to an interface as a whole: the target of a local route is
 * replaced, and only there can it be local again.
 */
static int check_replacement(const struct transaction *transaction, const struct route_table *table,
			     const struct route *route, const struct resource *target,
			     struct error *error)
{
	const bool is_local_route = route->origin == ROUTE_ORIGIN_TABLE;
	const struct destination destination = { route->destination, route->prefix_list };

	if (!target && !is_local_route)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The route with destination %s is not a local route: its target "
				 "can't be local.",
				 destination_text(destination).text);
	if (!target)
		return 0;
	if (is_local_route && route_is_by_interface(target->id) &&
	    route->destination.address.family == AF_INET)
		return check_target(table, target, error);
	return check_route(transaction, table, destination, target, error);
}

int route_replace(struct transaction *transaction, struct route_table *table,
		  struct destination destination, const struct resource *target,
		  struct error *error)
{
	struct route *route;
	int r;

	destination = canonical(destination);
	route = find_route(table, destination);
	if (!route)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "There is no route defined for '%s' in the route table. Use "
				 "CreateRoute instead.",
				 destination_text(destination).text);
	if (route_is_of_endpoint(route))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "cannot replace VPC endpoint route %s in route table %s",
				 destination_text(destination).text,
				 rid_format(table->resource.id).text);
	if ((r = check_replacement(transaction, table, route, target, error)) < 0)
		return r;
	transaction_edit(transaction, table);
	route->target = target ? target->id : (struct rid){ KIND_NONE, 0 };
	return 0;
}

int route_delete(struct transaction *transaction, struct route_table *table,
		 struct destination destination, struct error *error)
{
	struct address_text text;
	struct route *route;

	destination = canonical(destination);
	text = destination_text(destination);
	route = find_route(table, destination);
	if (!route)
		return error_set(error, ERROR_ROUTE_NOT_FOUND,
				 "no route with destination-%s %s in route table %s",
				 rid_is_set(destination.prefix_list)	       ? "prefix-list-id"
				 : destination.cidr.address.family == AF_INET6 ? "ipv6-cidr-block"
									       : "cidr-block",
				 text.text, rid_format(table->resource.id).text);
	if (route->origin == ROUTE_ORIGIN_TABLE || route_is_of_endpoint(route))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "cannot remove %s route %s in route table %s",
				 route_is_of_endpoint(route) ? "VPC endpoint" : "local", text.text,
				 rid_format(table->resource.id).text);
	transaction_edit(transaction, table);
	array_remove(table->routes, &table->route_count, (size_t)(route - table->routes));
	return 0;
}

/* ---- VPC endpoints ---- */

int route_table_add_endpoint(struct transaction *transaction, struct route_table *table,
			     const struct prefix_list *list, const struct resource *endpoint,
			     struct rid vpc, struct error *error)
{
	const struct destination destination = { .prefix_list = list->resource.id };
	struct route *route;
	int r;

	if (find_route(table, destination))
		return error_set(error, ERROR_ROUTE_EXISTS,
				 "route table %s already has a route with "
				 "destination-prefix-list-id %s",
				 rid_format(table->resource.id).text,
				 rid_format(list->resource.id).text);
	if ((r = check_same_vpc(table, vpc, vpc, error)) < 0 ||
	    (route_table_is_edge(table) &&
	     (r = check_edge_route(vpc_get(transaction->model, vpc), destination, endpoint->id,
				   error)) < 0) ||
	    (r = check_room(transaction->model, table, list->max_entries, error)) < 0)
		return r;
	transaction_edit(transaction, table);
	route = array_grow(&table->routes, &table->route_count);
	route->prefix_list = list->resource.id;
	route->target = endpoint->id;
	route->origin = ROUTE_ORIGIN_ROUTE;
	return 0;
}

void route_table_remove_endpoint(struct transaction *transaction, struct route_table *table,
				 struct rid endpoint)
{
	for (size_t i = table->route_count; i-- > 0;)
		if (rid_equal(table->routes[i].target, endpoint)) {
			transaction_edit(transaction, table);
			array_remove(table->routes, &table->route_count, i);
		}
}

bool route_table_leads_to(const struct route_table *table, struct rid target)
{
	for (size_t i = 0; i < table->route_count; i++)
		if (rid_equal(table->routes[i].target, target))
			return true;
	return false;
}
