/* Which facets a resource has a part in: see facet.h. */
#include "fabric/facet.h"

#include "model/acl.h"
#include "model/elastic_ip.h"
#include "model/fault.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/internet.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/route.h"

void facet_set_clear(struct facet_set *set)
{
	free(set->keys);
	map_clear(&set->seen);
	*set = (struct facet_set){ 0 };
}

void facet_set_add(struct facet_set *set, enum facet_kind kind, struct rid id)
{
	struct map_key key = { (uint64_t)kind << 32 | id.kind, id.n };

	if (!rid_is_set(id) || map_put(&set->seen, key, set))
		return;
	*array_grow(&set->keys, &set->count) = (struct facet_key){ kind, id };
}

static void add_routes(struct rid subnet, struct facet_set *set)
{
	facet_set_add(set, FACET_SUBNET_ROUTES, subnet);
	facet_set_add(set, FACET_VIA, subnet);
}

static void add_subnet_routes(const struct scope *scope, struct rid vpc, struct facet_set *set)
{
	if (!rid_is_set(vpc))
		return;
	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc))
			add_routes(subnet->resource.id, set);
}

static void add_public(struct rid id, struct facet_set *set)
{
	facet_set_add(set, FACET_PUBLIC, id);
	facet_set_add(set, FACET_PUBLIC_ROUTE, id);
}

/* All the public addresses of an interface. */
static void add_publics(const struct model *model, struct rid id, struct facet_set *set)
{
	const struct interface *interface = interface_get(model, id);

	add_public(id, set);
	if (!interface)
		return;
	for_each_interface_address(address, interface)
	{
		const struct elastic_ip *elastic_ip = elastic_ip_at(model, id, address);

		if (elastic_ip)
			add_public(elastic_ip->resource.id, set);
	}
}

/* Its port on the VPC, and the table that what comes in follows there. */
static void add_gateway_routes(struct rid gateway, struct facet_set *set)
{
	facet_set_add(set, FACET_GATEWAY_PORT, gateway);
	facet_set_add(set, FACET_VIA, gateway);
}

static void add_gateway_of(const struct scope *scope, struct rid vpc, struct facet_set *set)
{
	for_each_resource (struct gateway, gateway, scope, KIND_INTERNET_GATEWAY)
		if (rid_equal(gateway->vpc, vpc))
			add_gateway_routes(gateway->resource.id, set);
}

static void add_peerings(const struct model *model, struct rid vpc, struct facet_set *set)
{
	CLEANUP(freep) struct peering **peerings = NULL;
	size_t count = peerings_of(model, vpc, &peerings);

	for (size_t i = 0; i < count; i++)
		facet_set_add(set, FACET_PEERING, peerings[i]->resource.id);
}

/* Their namespaces know the VPC's blocks. */
static void add_nat_gateways(const struct scope *scope, struct rid vpc, struct facet_set *set)
{
	for_each_resource (struct nat_gateway, gateway, scope, KIND_NAT_GATEWAY)
		if (rid_equal(gateway->vpc, vpc))
			facet_set_add(set, FACET_MACHINE, gateway->resource.id);
}

/* Its blocks and DNS attributes say where the services are. */
static void add_services(const struct scope *scope, struct rid vpc, struct facet_set *set)
{
	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc))
			facet_set_add(set, FACET_SERVICES, subnet->resource.id);
}

static void of_vpc(const struct model *model, const struct resource *resource,
		   struct facet_set *set)
{
	facet_set_add(set, FACET_VPC, resource->id);
	add_services(resource->scope, resource->id, set);
	add_subnet_routes(resource->scope, resource->id, set);
	add_gateway_of(resource->scope, resource->id, set);
	add_nat_gateways(resource->scope, resource->id, set);
	add_peerings(model, resource->id, set);
}

static void of_subnet(const struct model *model, const struct resource *resource,
		      struct facet_set *set)
{
	const struct subnet *subnet = (const struct subnet *)resource;

	facet_set_add(set, FACET_SUBNET, resource->id);
	facet_set_add(set, FACET_SERVICES, resource->id);
	facet_set_add(set, FACET_ACL, resource->id);
	facet_set_add(set, FACET_FAULTS, resource->id);
	facet_set_add(set, FACET_STEERING, resource->id);
	add_routes(resource->id, set);
	add_subnet_routes(resource->scope, subnet->vpc, set);
	add_gateway_of(resource->scope, subnet->vpc, set);
	add_peerings(model, subnet->vpc, set);
}

static void of_gateway(const struct model *model, const struct resource *resource,
		       struct facet_set *set)
{
	const struct gateway *gateway = (const struct gateway *)resource;

	facet_set_add(set, FACET_GATEWAY, resource->id);
	add_gateway_routes(resource->id, set);
	add_subnet_routes(resource->scope, gateway->vpc, set);
	for_each_resource (struct interface, interface, resource->scope, KIND_NETWORK_INTERFACE)
		if (rid_equal(interface->vpc, gateway->vpc))
			add_publics(model, interface->resource.id, set);
}

/* An interface that routes may point at. */
static void add_appliance(const struct model *model, struct rid id, struct facet_set *set)
{
	const struct interface *interface = interface_get(model, id);

	facet_set_add(set, FACET_APPLIANCE, id);
	if (interface)
		facet_set_add(set, FACET_STEERING, interface->subnet);
}

/* Routes to it, and who is a member of groups that the other side refers to. */
static void of_peering(const struct model *model, const struct resource *resource,
		       struct facet_set *set)
{
	const struct peering *peering = (const struct peering *)resource;
	const struct rid ends[] = { peering->requester.vpc, peering->accepter.vpc };

	facet_set_add(set, FACET_PEERING, resource->id);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const struct vpc *vpc = vpc_get(model, ends[i]);

		if (!vpc)
			continue;
		add_subnet_routes(vpc->resource.scope, ends[i], set);
		for_each_resource (struct interface, interface, vpc->resource.scope,
				   KIND_NETWORK_INTERFACE)
			if (rid_equal(interface->vpc, ends[i]))
				facet_set_add(set, FACET_MEMBER, interface->resource.id);
	}
}

static void of_route_table(const struct model *model, const struct resource *resource,
			   struct facet_set *set)
{
	const struct route_table *table = (const struct route_table *)resource;

	for (size_t i = 0; i < table->association_count; i++) {
		if (rid_is_set(table->associations[i].subnet))
			add_routes(table->associations[i].subnet, set);
		if (rid_is_set(table->associations[i].gateway))
			add_gateway_routes(table->associations[i].gateway, set);
	}
	if (route_table_is_main(table))
		add_subnet_routes(resource->scope, table->vpc, set);
	for (size_t i = 0; i < table->route_count; i++)
		add_appliance(model, route_interface_id(model, &table->routes[i]), set);
}

/* Whatever becomes of an interface, the routes that point at it do. */
static void add_routes_to(const struct model *model, const struct scope *scope, struct rid target,
			  struct facet_set *set)
{
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		if (route_table_leads_to(table, target))
			of_route_table(model, &table->resource, set);
}

static void of_interface(const struct model *model, const struct resource *resource,
			 struct facet_set *set)
{
	const struct interface *interface = (const struct interface *)resource;

	facet_set_add(set, FACET_PORT, resource->id);
	add_publics(model, resource->id, set);
	facet_set_add(set, FACET_INTERFACE, resource->id);
	facet_set_add(set, FACET_FAULTY, resource->id);
	facet_set_add(set, FACET_FAULTS, interface->subnet);
	facet_set_add(set, FACET_MEMBER, resource->id);
	facet_set_add(set, FACET_GROUP_SET, group_set_id(interface));
	facet_set_add(set, FACET_APPLIANCE, resource->id);
	facet_set_add(set, FACET_STEERING, interface->subnet);
	add_routes_to(model, resource->scope, resource->id, set);
}

/* A gateway's routes lead to interfaces that have a public address. */
static void of_elastic_ip(const struct model *model, const struct resource *resource,
			  struct facet_set *set)
{
	add_public(resource->id, set);
	add_routes_to(model, resource->scope, ((const struct elastic_ip *)resource)->interface,
		      set);
}

static void of_nat_gateway(const struct model *model, const struct resource *resource,
			   struct facet_set *set)
{
	facet_set_add(set, FACET_MACHINE, resource->id);
	facet_set_add(set, FACET_PORT, ((const struct nat_gateway *)resource)->interface);
	add_appliance(model, ((const struct nat_gateway *)resource)->interface, set);
	add_routes_to(model, resource->scope, resource->id, set);
}

static void of_acl(const struct model *model __attribute__((unused)),
		   const struct resource *resource, struct facet_set *set)
{
	const struct acl *acl = (const struct acl *)resource;

	for (size_t i = 0; i < acl->association_count; i++)
		facet_set_add(set, FACET_ACL, acl->associations[i].subnet);
}

static void add_group_sets(const struct model *model, struct rid group, struct facet_set *set)
{
	for_each_group_set(group_set, model) if (group_set_has(group_set, group))
		facet_set_add(set, FACET_GROUP_SET, group_set->id);
}

static void of_group_rule(const struct model *model, const struct resource *resource,
			  struct facet_set *set)
{
	add_group_sets(model, ((const struct group_rule *)resource)->group, set);
}

static void of_prefix_list(const struct model *model, const struct resource *resource,
			   struct facet_set *set)
{
	CLEANUP(freep) struct resource **users = NULL;
	size_t count = prefix_list_users(model, (const struct prefix_list *)resource, &users);

	for (size_t i = 0; i < count; i++)
		if (users[i]->id.kind == KIND_ROUTE_TABLE)
			of_route_table(model, users[i], set);
		else
			add_group_sets(model, users[i]->id, set);
}

static void of_instance(const struct model *model, const struct resource *resource,
			struct facet_set *set)
{
	const struct instance *instance = (const struct instance *)resource;

	facet_set_add(set, FACET_MACHINE, resource->id);
	for (size_t i = 0; i < instance->interface_count; i++) {
		facet_set_add(set, FACET_PORT, instance->interfaces[i].id);
		add_publics(model, instance->interfaces[i].id, set);
		add_appliance(model, instance->interfaces[i].id, set);
		add_routes_to(model, resource->scope, instance->interfaces[i].id, set);
	}
}

/* The subnets that it has to do with, and the interfaces. */
static void of_fault(const struct model *model, const struct resource *resource,
		     struct facet_set *set)
{
	const struct fault *fault = (const struct fault *)resource;

	for (size_t i = 0; i < model->scope_count; i++) {
		const struct scope *scope = model->scopes[i];

		for_each_resource (struct subnet, subnet, scope, KIND_SUBNET)
			if (fault_is_in(model, fault, subnet))
				facet_set_add(set, FACET_FAULTS, subnet->resource.id);
		for_each_resource (struct interface, interface, scope, KIND_NETWORK_INTERFACE) {
			if (!fault_is_at(model, fault, interface))
				continue;
			facet_set_add(set, FACET_INTERFACE, interface->resource.id);
			facet_set_add(set, FACET_FAULTY, interface->resource.id);
			facet_set_add(set, FACET_PORT, interface->resource.id);
		}
	}
}

static void of_internet(const struct model *model __attribute__((unused)),
			const struct resource *resource, struct facet_set *set)
{
	facet_set_add(set, FACET_INTERNET, resource->id);
}

static void of_internet_host(const struct model *model __attribute__((unused)),
			     const struct resource *resource, struct facet_set *set)
{
	facet_set_add(set, FACET_MACHINE, resource->id);
	facet_set_add(set, FACET_PORT, resource->id);
}

void facets_of(const struct model *model, const struct resource *resource, struct facet_set *set)
{
	static void (*const table[KIND_MAX])(const struct model *, const struct resource *,
					     struct facet_set *) = {
		[KIND_VPC] = of_vpc,
		[KIND_SUBNET] = of_subnet,
		[KIND_INTERNET_GATEWAY] = of_gateway,
		[KIND_ROUTE_TABLE] = of_route_table,
		[KIND_PREFIX_LIST] = of_prefix_list,
		[KIND_VPC_PEERING] = of_peering,
		[KIND_NAT_GATEWAY] = of_nat_gateway,
		[KIND_NETWORK_INTERFACE] = of_interface,
		[KIND_ELASTIC_IP] = of_elastic_ip,
		[KIND_NETWORK_ACL] = of_acl,
		[KIND_SECURITY_GROUP_RULE] = of_group_rule,
		[KIND_INSTANCE] = of_instance,
		[KIND_INTERNET] = of_internet,
		[KIND_FAULT] = of_fault,
		[KIND_INTERNET_HOST] = of_internet_host,
	};

	if (table[resource->id.kind])
		table[resource->id.kind](model, resource, set);
}

static bool are_same(const struct reference_list *a, const struct reference_list *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!reference_find(b, a->items[i].id))
			return false;
	return a->count == b->count; /* each is there once */
}

static bool is_told_apart(const struct interface *interface, const struct reference_list *list,
			  const struct reference_list *other)
{
	for (size_t i = 0; i < list->count; i++)
		if (!reference_find(other, list->items[i].id) &&
		    reference_has(&list->items[i], interface))
			return true;
	return false;
}

static void add_told_apart(const struct vpc *vpc, const struct reference_list *before,
			   const struct reference_list *after, struct facet_set *set)
{
	for_each_resource (struct interface, interface, vpc->resource.scope, KIND_NETWORK_INTERFACE)
		if (rid_equal(interface->vpc, vpc->resource.id) &&
		    (is_told_apart(interface, before, after) ||
		     is_told_apart(interface, after, before)))
			facet_set_add(set, FACET_MEMBER, interface->resource.id);
}

void facets_of_references(const struct model *model, struct rid subnet,
			  const struct reference_list *before, const struct reference_list *after,
			  struct facet_set *set)
{
	const struct subnet *of = subnet_get(model, subnet);

	if (of && !are_same(before, after)) {
		CLEANUP(freep) struct vpc **vpcs = NULL;
		size_t count = peering_referable(model, of->vpc, &vpcs);

		for (size_t i = 0; i < count; i++)
			add_told_apart(vpcs[i], before, after, set);
	}
}

void facets_all(const struct model *model, struct facet_set *set)
{
	map_for_each (&model->resources, slot)
		facets_of(model, slot->value, set);
}
