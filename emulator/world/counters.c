/* What the kernel has counted: packets that subnets dropped, connections that NAT gateways have.
 * See struct api_hooks. */
#include "world/internal.h"

#include <errno.h>

#include "fabric/filters.h"

static const struct {
	enum api_drop_reason reason;
	bool egress;
} kinds[] = {
	[DROP_SOURCE_CHECK] = { API_DROP_SOURCE_CHECK, true },
	[DROP_GROUP_EGRESS] = { API_DROP_SECURITY_GROUP, true },
	[DROP_GROUP_INGRESS] = { API_DROP_SECURITY_GROUP, false },
	[DROP_ACL_EGRESS] = { API_DROP_NETWORK_ACL, true },
	[DROP_ACL_INGRESS] = { API_DROP_NETWORK_ACL, false },
};
static_assert(ARRAY_SIZE(kinds) == DROP_KIND_MAX, "every kind has a row");

struct dropped {
	const struct interface *interface;
	struct drop_counter counter;
};

struct dropped_list {
	struct dropped *items;
	size_t count;
};

static struct map_key port_key(struct rid subnet, uint32_t port)
{
	return (struct map_key){ subnet.n, port };
}

/* By subnet and port, the interface that the counters mean. */
static struct map index_ports(const struct model *model)
{
	struct map ports = { 0 };

	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct interface, interface, model->scopes[i],
				   KIND_NETWORK_INTERFACE)
			map_put(&ports,
				port_key(interface->subnet,
					 filters_port_id(interface->resource.id)),
				interface);
	return ports;
}

/* Counters of interfaces that are gone are left out. */
static int collect(struct world *world, struct rid subnet, const struct map *ports,
		   struct dropped_list *list, struct error *error)
{
	struct error cause = ERROR_INIT;
	struct drop_list drops = { NULL, 0 };
	int r = kernel_drops(world->kernel, subnet, &drops, &cause);

	if (r == -ENOENT) /* a default subnet that nothing was launched in yet */
		return 0;
	if (r < 0) {
		*error = cause;
		return r;
	}
	for (size_t i = 0; i < drops.count; i++) {
		const struct drop_counter *counter = &drops.items[i];
		const struct interface *interface = map_get(ports, port_key(subnet, counter->port));

		if (interface && counter->kind > 0 && counter->kind < DROP_KIND_MAX)
			*array_grow(&list->items, &list->count) =
				(struct dropped){ interface, *counter };
	}
	free(drops.items);
	return 0;
}

/* The kernel's order is a hash table's. */
static int compare(const void *a, const void *b)
{
	const struct dropped *left = a, *right = b;
	const int64_t one = left->interface->resource.order;
	const int64_t other = right->interface->resource.order;

	if (one != other)
		return one < other ? -1 : 1;
	if (left->counter.kind != right->counter.kind)
		return left->counter.kind < right->counter.kind ? -1 : 1;
	return (left->counter.rule > right->counter.rule) -
	       (left->counter.rule < right->counter.rule);
}

static int collect_all(struct world *world, struct dropped_list *list, struct error *error)
{
	struct model *model = &world->model;
	struct map ports = index_ports(model);
	int r = 0;

	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct subnet, subnet, model->scopes[i], KIND_SUBNET)
			if (r == 0)
				r = collect(world, subnet->resource.id, &ports, list, error);
	map_clear(&ports);
	return r;
}

int world_drops(void *context, struct api_drop_list *ret_drops, struct error *error)
{
	struct dropped_list list = { NULL, 0 };
	int r = collect_all(context, &list, error);

	if (r == 0 && list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const struct drop_counter *counter = &list.items[i].counter;

		*array_grow(&ret_drops->items, &ret_drops->count) = (struct api_drop){
			.interface = list.items[i].interface->resource.id,
			.reason = kinds[counter->kind].reason,
			.egress = kinds[counter->kind].egress,
			.rule = counter->rule,
			.packets = counter->packets,
			.bytes = counter->bytes,
		};
	}
	free(list.items);
	return r;
}

int world_nat_counts(void *context, struct rid gateway, struct api_nat_counts *ret_counts,
		     struct error *error)
{
	struct world *world = context;
	struct connection_counts counts;
	int r = kernel_connections(world->kernel, gateway, &counts, error);

	if (r < 0)
		return r;
	*ret_counts = (struct api_nat_counts){
		.connections = counts.connections,
		.busiest = counts.busiest.connections,
		.destination = address_v4(counts.busiest.address),
		.protocol = counts.busiest.protocol,
		.port = counts.busiest.port,
		.port_errors = counts.failed,
	};
	return 0;
}
