/*
 * The wanted kernel objects of each facet: see facet.h and the picture in fabric.h.
 *
 * Next hops on the fabric are named by addresses nobody has to configure: a subnet by its router's
 * address (its first), a gateway and a peering by a link-local one. The neighbour entries are
 * permanent, so there is no ARP on the fabric and its bridge never floods.
 */
#include "fabric/facet.h"

#include <stdio.h>

#include "model/gateway.h"
#include "model/internet.h"
#include "model/peering.h"
#include "model/route.h"

#define MTU_VPC	     9001 /* EC2 guide, "Network MTU": jumbo frames inside a VPC */
#define MTU_INTERNET 1500

static const struct address gateway_hop = { AF_INET, { 169, 254, 0, 1 } };
static const struct address internet_hop = { AF_INET, { 169, 254, 0, 2 } };
static const struct address peering_hops = { AF_INET, { 169, 254, 1, 0 } }; /* + its number */
static const struct cidr everywhere = { { .family = AF_INET }, 0 };

/* ---- one object each ---- */

static void set_name(char *ret, const char *name)
{
	snprintf(ret, DEVICE_NAME_MAX, "%s", name);
}

static struct object object_in(struct rid ns, enum object_kind kind)
{
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = kind;
	object.ns = ns;
	return object;
}

static void want_netns(struct object_list *list, struct rid ns, pid_t pid)
{
	struct object object = object_in(ns, OBJECT_NETNS);

	object.netns_pid = pid;
	object_list_add(list, &object);
}

static void want_sysctl(struct object_list *list, struct rid ns, const char *path, int value)
{
	struct object object = object_in(ns, OBJECT_SYSCTL);

	snprintf(object.sysctl.path, sizeof(object.sysctl.path), "%s", path);
	object.sysctl.value = value;
	object_list_add(list, &object);
}

static void want_skeleton(struct object_list *list, struct rid ns, enum skeleton skeleton)
{
	struct object object = object_in(ns, OBJECT_SKELETON);

	object.skeleton.skeleton = skeleton;
	object_list_add(list, &object);
}

static void want_loopback(struct object_list *list, struct rid ns)
{
	struct object object = object_in(ns, OBJECT_LINK);

	set_name(object.link.name, "lo");
	object.link.type = LINK_LOOPBACK;
	object_list_add(list, &object);
}

static void want_address(struct object_list *list, struct rid ns, const char *device,
			 struct cidr cidr)
{
	struct object object = object_in(ns, OBJECT_ADDRESS);

	set_name(object.address.device, device);
	object.address.cidr = cidr;
	object_list_add(list, &object);
}

static void want_blackhole(struct object_list *list, struct rid ns, struct cidr destination)
{
	struct object object = object_in(ns, OBJECT_ROUTE);

	object.route.destination = destination;
	object.route.type = ROUTE_BLACKHOLE;
	object_list_add(list, &object);
}

static void want_route(struct object_list *list, struct rid ns, struct cidr destination,
		       struct address gateway, const char *device)
{
	struct object object = object_in(ns, OBJECT_ROUTE);

	object.route.destination = destination;
	object.route.type = ROUTE_UNICAST;
	object.route.gateway = gateway;
	set_name(object.route.device, device);
	object_list_add(list, &object);
}

static void want_neighbour(struct object_list *list, struct rid ns, const char *device,
			   struct address address, struct mac mac)
{
	struct object object = object_in(ns, OBJECT_NEIGHBOUR);

	set_name(object.neighbour.device, device);
	object.neighbour.address = address;
	object.neighbour.mac = mac;
	object_list_add(list, &object);
}

static void want_fdb(struct object_list *list, struct rid ns, const char *device, struct mac mac)
{
	struct object object = object_in(ns, OBJECT_FDB);

	set_name(object.fdb.device, device);
	object.fdb.mac = mac;
	object_list_add(list, &object);
}

/* ---- device addresses ---- */

static struct mac mac_of(uint8_t first, struct rid id)
{
	struct mac mac = { { first } };

	for (int i = 1; i < 6; i++)
		mac.bytes[i] = (uint8_t)(id.n >> (8 * (7 - i)));
	return mac;
}

/* On the fabric, a subnet or gateway is known by this address. */
static struct mac fabric_mac(struct rid id)
{
	return mac_of(0x0e, id);
}

/* What the instances of a subnet see as the router: the same on every port. */
static struct mac router_mac(struct rid subnet)
{
	return mac_of(0x06, subnet);
}

static struct mac interface_own_mac(struct rid interface)
{
	struct mac mac;

	interface_mac(interface, mac.bytes);
	return mac;
}

/* ---- what a routing namespace needs ---- */

/*
 * IPv4 settings of a new namespace are copied from the host's (devconf_inherit_init_net), so all
 * that matters is set, whatever its usual default.
 */
static void want_router(struct object_list *list, struct rid ns)
{
	static const struct {
		const char *path;
		int value;
	} settings[] = {
		{ "ipv4/ip_forward", 1 },
		{ "ipv4/conf/all/rp_filter", 0 },
		{ "ipv4/conf/default/rp_filter", 0 },
		{ "ipv4/conf/all/arp_ignore", 0 },
		{ "ipv4/conf/default/arp_ignore", 0 },
		{ "ipv4/conf/all/arp_filter", 0 },
		{ "ipv4/conf/default/arp_filter", 0 },
		{ "ipv4/conf/all/send_redirects", 0 },
		{ "ipv4/conf/default/send_redirects", 0 },
		{ "ipv4/conf/all/accept_redirects", 0 },
		{ "ipv4/conf/default/accept_redirects", 0 },
		{ "ipv4/conf/default/proxy_arp", 1 },
		{ "ipv6/conf/default/disable_ipv6", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		want_sysctl(list, ns, settings[i].path, settings[i].value);
	want_loopback(list, ns);
}

/* A port of `id`'s namespace on the VPC's bridge; the far end is called `device`. */
static void want_fabric_port(struct object_list *list, struct rid vpc, struct rid id,
			     const char *device)
{
	struct object object = object_in(vpc, OBJECT_LINK);

	set_name(object.link.name, rid_device(id).text);
	object.link.type = LINK_VETH;
	object.link.mtu = MTU_VPC;
	set_name(object.link.master, "fabric");
	set_name(object.link.peer_name, device);
	object.link.peer_ns = id;
	object.link.peer_mac = fabric_mac(id);
	object_list_add(list, &object);
	want_fdb(list, vpc, object.link.name, fabric_mac(id));
}

/* A route that is to go by way of an appliance, whether the way is open or not. */
static bool is_by_interface(const struct route *route)
{
	return route->target.kind == KIND_NETWORK_INTERFACE;
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

/*
 * The way to every subnet of the VPC, whose fabric is at `device`, but to `ns` itself and those
 * that `table` (or NULL) diverts.
 */
static void want_subnets(struct object_list *list, struct rid ns, const struct vpc *vpc,
			 const char *device, const struct route_table *table)
{
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET) {
		struct rid id = subnet->resource.id;

		if (!subnet->realized || !rid_equal(subnet->vpc, vpc->resource.id) ||
		    rid_equal(id, ns))
			continue;
		want_neighbour(list, ns, device, subnet_router(subnet), fabric_mac(id));
		if (!is_diverted(table, subnet->cidr))
			want_route(list, ns, subnet->cidr, subnet_router(subnet), device);
	}
}

/* ---- facets ---- */

static void want_internet(const struct model *model, struct rid id, struct object_list *list)
{
	const struct internet *internet = (const struct internet *)model_get(model, NULL, id);

	if (!internet || !internet->realized)
		return;
	want_netns(list, id, 0);
	want_router(list, id);
	want_address(list, id, "lo", cidr_host(address_v4(INTERNET_ROUTER)));
	want_blackhole(list, id, everywhere);
}

static void want_vpc(const struct model *model, struct rid id, struct object_list *list)
{
	const struct vpc *vpc = vpc_get(model, id);
	struct object object = object_in(id, OBJECT_LINK);

	if (!vpc || !vpc->realized)
		return;
	want_netns(list, id, 0);
	want_sysctl(list, id, "ipv6/conf/default/disable_ipv6", 1);
	set_name(object.link.name, "fabric");
	object.link.type = LINK_BRIDGE;
	object.link.mtu = MTU_VPC;
	object_list_add(list, &object);
}

static void want_gateway(const struct model *model, struct rid id, struct object_list *list)
{
	const struct gateway *gateway = (const struct gateway *)model_get(model, NULL, id);
	const struct internet *internet = internet_get(model);
	struct object object;

	if (!gateway || !gateway->realized || !internet)
		return;
	want_netns(list, id, 0);
	want_router(list, id);
	want_address(list, id, "lo", cidr_host(gateway_hop)); /* the source of its ICMP */
	want_skeleton(list, id, SKELETON_INTERNET_GATEWAY);
	object = object_in(internet->resource.id, OBJECT_LINK);
	set_name(object.link.name, rid_device(id).text);
	object.link.type = LINK_VETH;
	object.link.mtu = MTU_INTERNET;
	object.link.mac = fabric_mac(internet->resource.id);
	set_name(object.link.peer_name, "internet");
	object.link.peer_ns = id;
	object.link.peer_mac = fabric_mac(id);
	object_list_add(list, &object);
	want_neighbour(list, object.ns, object.link.name, internet_hop, object.link.peer_mac);
	want_neighbour(list, id, "internet", internet_hop, object.link.mac);
	want_route(list, id, everywhere, internet_hop, "internet");
}

static void want_subnet(const struct model *model, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(model, id);

	if (!subnet || !subnet->realized)
		return;
	want_netns(list, id, 0);
	want_router(list, id);
	want_skeleton(list, id, SKELETON_SUBNET);
	want_skeleton(list, id, SKELETON_SUBNET_ARP);
	/*
	 * Connection tracking as EC2 guide, "Security group connection tracking", has it; a port
	 * is a filter, no judge of sequence numbers.
	 */
	want_sysctl(list, id, "netfilter/nf_conntrack_tcp_be_liberal", 1);
	want_sysctl(list, id, "netfilter/nf_conntrack_tcp_timeout_established", 432000);
	want_sysctl(list, id, "netfilter/nf_conntrack_udp_timeout", 30);
	want_sysctl(list, id, "netfilter/nf_conntrack_udp_timeout_stream", 180);
	want_address(list, id, "lo", cidr_host(subnet_router(subnet)));
	want_blackhole(list, id, subnet->cidr); /* but for the addresses in use: FACET_PORT */
	want_fabric_port(list, subnet->vpc, id, "fabric");
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

static void want_gateway_port(const struct model *model, struct rid id, struct object_list *list)
{
	const struct gateway *gateway = (const struct gateway *)model_get(model, NULL, id);
	const struct vpc *vpc = gateway ? vpc_get(model, gateway->vpc) : NULL;

	if (!vpc || !gateway->realized)
		return;
	want_fabric_port(list, gateway->vpc, id, "fabric");
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (!is_one_subnet(vpc, vpc->cidrs[i].cidr))
			want_blackhole(list, id, vpc->cidrs[i].cidr);
	want_subnets(list, id, vpc, "fabric", NULL);
}

/* The blocks that packets of a side may come from. */
static void want_side_blocks(struct object_list *list, struct rid ns, const struct vpc *vpc,
			     enum element_map map)
{
	for (size_t i = 0; i < vpc->cidr_count; i++) {
		const struct cidr cidr = vpc->cidrs[i].cidr;
		struct object object = object_in(ns, OBJECT_ELEMENT);

		object.element.map = map;
		element_put_address(object.element.key, cidr.address);
		element_put_address(object.element.end, address_add(cidr.address, cidr_size(cidr)));
		object_list_add(list, &object);
	}
}

static void want_side(struct object_list *list, struct rid id, const struct vpc *vpc,
		      const char *device)
{
	want_fabric_port(list, vpc->resource.id, id, device);
	want_subnets(list, id, vpc, device, NULL);
}

static void want_peering(const struct model *model, struct rid id, struct object_list *list)
{
	const struct peering *peering = peering_get(model, id);
	const struct vpc *requester, *accepter;

	if (!peering || peering->state != PEERING_ACTIVE)
		return;
	requester = vpc_get(model, peering->requester.vpc);
	accepter = vpc_get(model, peering->accepter.vpc);
	want_netns(list, id, 0);
	want_router(list, id);
	want_skeleton(list, id, SKELETON_PEERING);
	want_side_blocks(list, id, requester, ELEMENT_REQUESTER);
	want_side_blocks(list, id, accepter, ELEMENT_ACCEPTER);
	want_blackhole(list, id, everywhere);
	want_side(list, id, requester, "requester");
	want_side(list, id, accepter, "accepter");
}

static const struct gateway *attached_gateway(const struct vpc *vpc)
{
	const struct gateway *gateway = gateway_of(vpc);

	return gateway && gateway->realized ? gateway : NULL;
}

/* A subnet's table on its way into the kernel. */
struct programming {
	const struct model *model;
	const struct route_table *table;
	const struct gateway *gateway; /* NULL: nothing leads out */
	struct rid ns;
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

static void want_subnet_routes(const struct model *model, struct rid id, struct object_list *list)
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
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (!is_one_subnet(vpc, vpc->cidrs[i].cidr) &&
		    !is_diverted(programming.table, vpc->cidrs[i].cidr))
			want_blackhole(list, id, vpc->cidrs[i].cidr);
	want_table(&programming);
	want_subnets(list, id, vpc, "fabric", programming.table);
}

static void want_machine(const struct model *model, struct rid id, struct object_list *list)
{
	const struct resource *resource = model_get(model, NULL, id);

	if (!resource)
		return;
	if (id.kind == KIND_INSTANCE) {
		const struct instance *instance = (const struct instance *)resource;

		if (!instance_is_live(instance) || !instance->pid)
			return;
		want_netns(list, id, (pid_t)instance->pid);
	} else {
		const struct internet_host *host = (const struct internet_host *)resource;

		if (!host->running || !host->pid)
			return;
		want_netns(list, id, (pid_t)host->pid);
	}
	want_loopback(list, id);
}

struct port {
	struct rid router_ns;	/* where the near end is */
	struct rid machine;	/* where eth0 is */
	struct rid id;		/* names the near end */
	const char *device;	/* the far end's name */
	struct address address; /* of the machine; an interface may have more beside it */
	uint8_t length;		/* of the network as the machine sees it */
	struct address router;
	struct mac router_mac, machine_mac;
	uint32_t mtu;
	bool is_default;		   /* the default route goes through it */
	const struct interface *interface; /* NULL: filtered by nobody */
};

/*
 * Every private address is the device's from the start, secondary ones too. AWS itself tells a
 * guest of them by instance metadata alone, and there what Amazon Linux runs (ec2-net-utils)
 * configures them when they come and go; nothing runs in a guest here, and an address that is
 * assigned and does not answer would surprise more than one that needs no `ip address add`. Routes
 * are left out: like in a guest without such a tool there is the on-link one of each device, and
 * the default by the first. What leaves by another device than its source address's is dropped.
 */
static void want_addresses(struct object_list *list, const struct port *port)
{
	want_address(list, port->machine, port->device,
		     (struct cidr){ port->address, port->length });
	for (size_t i = 0; port->interface && i < port->interface->secondary_count; i++)
		want_address(
			list, port->machine, port->device,
			(struct cidr){ port->interface->secondaries[i].address, port->length });
}

/* The router's way to an address of the machine. */
static void want_way(struct object_list *list, const struct port *port, struct address address,
		     const char *device)
{
	want_neighbour(list, port->router_ns, device, address, port->machine_mac);
	/* Last: from here on packets find it. */
	want_route(list, port->router_ns, cidr_host(address), (struct address){ 0 }, device);
}

/* A routed port: the machine has its addresses and a default route, the router a /32 to each. */
static void want_port(struct object_list *list, const struct port *port)
{
	struct object object = object_in(port->router_ns, OBJECT_LINK);
	char delay[48];

	set_name(object.link.name, rid_device(port->id).text);
	object.link.type = LINK_VETH;
	object.link.mtu = port->mtu;
	object.link.mac = port->router_mac;
	object.link.group = port->interface ? filters_port_group(port->interface) : 0;
	set_name(object.link.peer_name, port->device);
	object.link.peer_ns = port->machine;
	object.link.peer_mac = port->machine_mac;
	object_list_add(list, &object);
	/* Each device has its own, and the default of 0.8 s would delay every first packet. */
	snprintf(delay, sizeof(delay), "ipv4/neigh/%s/proxy_delay", object.link.name);
	want_sysctl(list, port->router_ns, delay, 0);
	want_addresses(list, port);
	/*
	 * The kernel's ARP table has one limit for all namespaces (gc_thresh3, 1024 by default): an
	 * entry for its router in every instance must not count, and permanent ones don't.
	 */
	want_neighbour(list, port->machine, port->device, port->router, port->router_mac);
	/*
	 * With a second device a guest would ask by one of them in the name of the other's address,
	 * which nobody here answers, and while it waits its own packets to that neighbour wait too.
	 */
	if (!port->is_default)
		want_sysctl(list, port->machine, "ipv4/conf/all/arp_announce", 2);
	if (port->is_default)
		want_route(list, port->machine, everywhere, port->router, port->device);
	want_way(list, port, port->address, object.link.name);
	for (size_t i = 0; port->interface && i < port->interface->secondary_count; i++)
		want_way(list, port, port->interface->secondaries[i].address, object.link.name);
}

static void want_interface_port(const struct model *model, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(model, id);
	const struct instance *instance =
		interface ? instance_get(model, interface->instance) : NULL;
	const struct subnet *subnet;
	char device[DEVICE_NAME_MAX];
	struct port port;

	if (!instance || !instance_is_live(instance) || !instance->pid)
		return;
	subnet = subnet_get(model, interface->subnet);
	snprintf(device, sizeof(device), "eth%d", (int)interface->device_index);
	port = (struct port){
		.router_ns = interface->subnet,
		.machine = interface->instance,
		.id = id,
		.device = device,
		.address = interface->address,
		.length = subnet->cidr.length,
		.router = subnet_router(subnet),
		.router_mac = router_mac(interface->subnet),
		.machine_mac = interface_own_mac(id),
		.mtu = MTU_VPC,
		.is_default = interface->device_index == 0,
		.interface = interface,
	};
	want_port(list, &port);
}

static void want_host_port(const struct model *model, struct rid id, struct object_list *list)
{
	const struct internet_host *host = internet_host_get(model);
	const struct internet *internet = internet_get(model);
	struct port port;

	if (!host || !internet || !host->running || !host->pid)
		return;
	port = (struct port){
		.router_ns = internet->resource.id,
		.machine = id,
		.id = id,
		.device = "eth0",
		.address = host->address,
		.length = 24,
		.router = address_v4(INTERNET_ROUTER),
		.router_mac = router_mac(internet->resource.id),
		.machine_mac = mac_of(0x02, id),
		.mtu = MTU_INTERNET,
		.is_default = true,
	};
	want_port(list, &port);
}

/* ---- appliances ---- */

/*
 * The appliance that a route leads to now. With its source/destination check on, it would get
 * nothing that isn't for itself (VPC guide, "NAT instances"): then the route's blackhole remains.
 */
static const struct interface *appliance_of(const struct model *model, const struct route *route)
{
	const struct interface *interface = route_interface(model, route);
	const struct instance *instance =
		interface ? instance_get(model, interface->instance) : NULL;

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
			if (rid_equal(table->routes[i].target, id) &&
			    appliance_of(model, &table->routes[i]))
				return true;
	return false;
}

static void want_steering(const struct model *model, struct rid id, struct object_list *list)
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

static void want_appliance(const struct model *model, struct rid id, struct object_list *list)
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

static void want_via_block(struct programming *programming, const struct route *route,
			   struct cidr block)
{
	const struct interface *appliance = appliance_of(programming->model, route);
	const struct subnet *subnet = subnet_get(programming->model, programming->ns);

	/* What is within the subnet is delivered, never routed. */
	if (!appliance || cidr_equal(block, subnet->cidr))
		return;
	if (rid_equal(appliance->subnet, programming->ns)) {
		want_route(programming->list, programming->ns, block, appliance->address,
			   rid_device(appliance->resource.id).text);
		return;
	}
	want_steering_hop(programming, appliance);
	want_route(programming->list, programming->ns, block, appliance->address, "fabric");
}

static void want_via(const struct model *model, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(model, id);
	struct programming programming = { .model = model, .ns = id, .list = list };

	if (!subnet || !subnet->realized)
		return;
	programming.table = route_table_of(subnet);
	want_blocks(&programming, want_via_block);
}

static void want_element(struct object_list *list, struct rid ns, enum element_map map,
			 struct address key, struct address value)
{
	struct object object = object_in(ns, OBJECT_ELEMENT);

	object.element.map = map;
	element_put_address(object.element.key, key);
	element_put_address(object.element.value, value);
	object_list_add(list, &object);
}

static void want_public(const struct model *model, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(model, id);
	const struct instance *instance =
		interface ? instance_get(model, interface->instance) : NULL;
	const struct internet *internet = internet_get(model);
	const struct gateway *gateway;

	if (!instance || !instance_is_live(instance) || !internet ||
	    !address_is_set(interface->public_address))
		return;
	gateway = attached_gateway(vpc_get(model, interface->vpc));
	if (!gateway)
		return;
	want_element(list, gateway->resource.id, ELEMENT_PUBLIC, interface->public_address,
		     interface->address);
	want_element(list, gateway->resource.id, ELEMENT_PRIVATE, interface->address,
		     interface->public_address);
	want_route(list, internet->resource.id, cidr_host(interface->public_address), internet_hop,
		   rid_device(gateway->resource.id).text);
}

static void want_any_port(const struct model *model, struct rid id, struct object_list *list)
{
	if (id.kind == KIND_INTERNET_HOST)
		want_host_port(model, id, list);
	else
		want_interface_port(model, id, list);
}

void facet_wanted(const struct model *model, struct filters *filters, struct facet_key key,
		  struct object_list *list)
{
	static void (*const table[FACET_MAX])(const struct model *, struct rid,
					      struct object_list *) = {
		[FACET_INTERNET] = want_internet,
		[FACET_VPC] = want_vpc,
		[FACET_GATEWAY] = want_gateway,
		[FACET_SUBNET] = want_subnet,
		[FACET_GATEWAY_PORT] = want_gateway_port,
		[FACET_PEERING] = want_peering,
		[FACET_SUBNET_ROUTES] = want_subnet_routes,
		[FACET_MACHINE] = want_machine,
		[FACET_PORT] = want_any_port,
		[FACET_STEERING] = want_steering,
		[FACET_APPLIANCE] = want_appliance,
		[FACET_VIA] = want_via,
		[FACET_PUBLIC] = want_public,
	};

	static void (*const filtering[FACET_MAX])(struct filters *, struct rid,
						  struct object_list *) = {
		[FACET_ACL] = filters_want_acl,
		[FACET_MEMBER] = filters_want_member,
		[FACET_INTERFACE] = filters_want_interface,
		[FACET_GROUP_SET] = filters_want_group_set,
	};

	if (table[key.kind])
		table[key.kind](model, key.id, list);
	else
		filtering[key.kind](filters, key.id, list);
}
