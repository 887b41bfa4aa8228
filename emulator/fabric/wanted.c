/*
 * The wanted kernel objects of each facet: see facet.h and fabric.h. Those of a VPC's edges are
 * in edges.c, those of route tables in routes.c, those of groups and ACLs in filters.c.
 */
#include "fabric/facet.h"
#include "fabric/want.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "model/attachment.h"
#include "model/gateway.h"
#include "model/internet.h"
#include "model/nat_gateway.h"
#include "model/route.h"
#include "model/service.h"

#define INTERNET_LENGTH 15   /* 198.18.0.0/15: nothing of it is anywhere else */
#define LAST_RESORT	1000 /* a metric that the uplink's default route, 0, goes before */

/* The default route by the uplink is not ours: it comes and goes with the device. */
static void want_uplink(struct object_list *list, struct rid id)
{
	struct object object = object_in(id, OBJECT_ROUTE);

	object.route.destination = everywhere;
	object.route.type = ROUTE_BLACKHOLE;
	object.route.metric = LAST_RESORT;
	object_list_add(list, &object);
	want_blackhole(list, id, (struct cidr){ address_v4(INTERNET_NETWORK), INTERNET_LENGTH });
	want_skeleton(list, id, SKELETON_UPLINK);
}

static void want_internet(const struct model *model, struct rid id, struct object_list *list)
{
	const struct internet *internet = (const struct internet *)model_get(model, NULL, id);

	if (!internet || !internet->realized)
		return;
	want_netns(list, id, 0);
	want_router(list, id);
	want_address(list, id, "lo", cidr_host(address_v4(INTERNET_ROUTER)));
	if (internet->uplink)
		want_uplink(list, id);
	else
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
	/* The bridge only carries: there is nothing for br_netfilter to show packets to. */
	want_sysctl(list, id, "bridge/bridge-nf-call-iptables", 0);
	set_name(object.link.name, "fabric");
	object.link.type = LINK_BRIDGE;
	object.link.mtu = MTU_VPC;
	object_list_add(list, &object);
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

/* How SKELETON_SUBNET knows it; a port of 0: the address as such. */
static void want_listener(struct object_list *list, struct rid ns, const struct service *service,
			  bool port)
{
	struct object object = object_in(ns, OBJECT_ELEMENT);
	const uint16_t number = htons(service->port);

	object.element.map = ELEMENT_LISTENER;
	element_put_address(object.element.key, service->address);
	if (port) {
		object.element.key[4] = service->protocol;
		memcpy(object.element.key + 8, &number, sizeof(number));
	}
	object_list_add(list, &object);
}

/*
 * After FACET_SUBNET: the kernel takes the first address of a namespace for the source of its ICMP
 * errors, and that is to be the router's.
 */
static void want_services(const struct model *model, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(model, id);
	CLEANUP(freep) struct service *services = NULL;
	size_t count = subnet ? services_of(model, subnet, &services) : 0;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !address_equal(services[i].address, services[i - 1].address)) {
			want_listener(list, id, &services[i], false);
			want_address(list, id, "lo", cidr_host(services[i].address));
		}
		if (!services[i].silent)
			want_listener(list, id, &services[i], true);
	}
}

static void want_machine(const struct model *model, struct rid id, struct object_list *list)
{
	const struct resource *resource = model_get(model, NULL, id);

	if (!resource)
		return;
	if (id.kind == KIND_NAT_GATEWAY) {
		want_nat_gateway(model, (const struct nat_gateway *)resource, list);
		return;
	}
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

/* The namespace that the interface is a device of now; unset: none. */
static struct rid machine_of(const struct model *model, const struct interface *interface)
{
	const struct instance *instance = instance_get(model, interface->instance);

	if (!attachment_is_live(model, interface) || (instance && !instance->pid))
		return (struct rid){ KIND_NONE, 0 };
	return instance ? instance->resource.id : interface->nat_gateway;
}

static void want_interface_port(const struct model *model, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(model, id);
	struct rid machine = { KIND_NONE, 0 };
	const struct subnet *subnet;
	char device[DEVICE_NAME_MAX];
	struct port port;

	if (interface)
		machine = machine_of(model, interface);
	if (!rid_is_set(machine))
		return;
	subnet = subnet_get(model, interface->subnet);
	snprintf(device, sizeof(device), "eth%d", (int)interface->device_index);
	port = (struct port){
		.router_ns = interface->subnet,
		.machine = machine,
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
	want_delay(model, interface, rid_device(id).text, list);
}

static void want_host_port(const struct model *model, struct rid id, struct object_list *list)
{
	const struct internet_host *host = (const struct internet_host *)model_get(model, NULL, id);
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
		.length = 32, /* everything is behind the router */
		.router = address_v4(INTERNET_ROUTER),
		.router_mac = router_mac(internet->resource.id),
		.machine_mac = mac_of(0x02, id),
		.mtu = MTU_INTERNET,
		.is_default = true,
	};
	want_port(list, &port);
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
		[FACET_SERVICES] = want_services,
		[FACET_GATEWAY_PORT] = want_gateway_port,
		[FACET_PEERING] = want_peering,
		[FACET_SUBNET_ROUTES] = want_subnet_routes,
		[FACET_MACHINE] = want_machine,
		[FACET_PORT] = want_any_port,
		[FACET_STEERING] = want_steering,
		[FACET_APPLIANCE] = want_appliance,
		[FACET_VIA] = want_via,
		[FACET_FAULTS] = want_faults,
		[FACET_FAULTY] = want_faulty,
		[FACET_PUBLIC] = want_public,
		[FACET_PUBLIC_ROUTE] = want_public_route,
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
