/* What wanted objects are made of: see want.h. */
#include "fabric/want.h"

#include <stdio.h>

#include "model/interface.h"

const struct address gateway_hop = { AF_INET, { 169, 254, 0, 1 } };
const struct cidr everywhere = { { .family = AF_INET }, 0 };

/* ---- one object each ---- */

void set_name(char *ret, const char *name)
{
	const size_t length = strnlen(name, DEVICE_NAME_MAX - 1);

	memcpy(ret, name, length);
	ret[length] = '\0';
}

struct object object_in(struct rid ns, enum object_kind kind)
{
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = kind;
	object.ns = ns;
	return object;
}

void want_netns(struct object_list *list, struct rid ns, pid_t pid)
{
	struct object object = object_in(ns, OBJECT_NETNS);

	object.netns_pid = pid;
	object_list_add(list, &object);
}

void want_sysctl(struct object_list *list, struct rid ns, const char *path, int value)
{
	struct object object = object_in(ns, OBJECT_SYSCTL);

	snprintf(object.sysctl.path, sizeof(object.sysctl.path), "%s", path);
	object.sysctl.value = value;
	object_list_add(list, &object);
}

void want_skeleton(struct object_list *list, struct rid ns, enum skeleton skeleton)
{
	struct object object = object_in(ns, OBJECT_SKELETON);

	object.skeleton.skeleton = skeleton;
	object_list_add(list, &object);
}

void want_loopback(struct object_list *list, struct rid ns)
{
	struct object object = object_in(ns, OBJECT_LINK);

	set_name(object.link.name, "lo");
	object.link.type = LINK_LOOPBACK;
	object_list_add(list, &object);
}

void want_address(struct object_list *list, struct rid ns, const char *device, struct cidr cidr)
{
	struct object object = object_in(ns, OBJECT_ADDRESS);

	set_name(object.address.device, device);
	object.address.cidr = cidr;
	object_list_add(list, &object);
}

void want_blackhole(struct object_list *list, struct rid ns, struct cidr destination)
{
	struct object object = object_in(ns, OBJECT_ROUTE);

	object.route.destination = destination;
	object.route.type = ROUTE_BLACKHOLE;
	object_list_add(list, &object);
}

void want_route(struct object_list *list, struct rid ns, struct cidr destination,
		struct address gateway, const char *device)
{
	struct object object = object_in(ns, OBJECT_ROUTE);

	object.route.destination = destination;
	object.route.type = ROUTE_UNICAST;
	object.route.gateway = gateway;
	set_name(object.route.device, device);
	object_list_add(list, &object);
}

void limit_mtu(struct object_list *list, size_t first)
{
	for (size_t i = first; i < list->count; i++)
		if (list->items[i].kind == OBJECT_ROUTE && *list->items[i].route.device)
			list->items[i].route.mtu = MTU_INTERNET;
}

void want_neighbour(struct object_list *list, struct rid ns, const char *device,
		    struct address address, struct mac mac)
{
	struct object object = object_in(ns, OBJECT_NEIGHBOUR);

	set_name(object.neighbour.device, device);
	object.neighbour.address = address;
	object.neighbour.mac = mac;
	object_list_add(list, &object);
}

void want_fdb(struct object_list *list, struct rid ns, const char *device, struct mac mac)
{
	struct object object = object_in(ns, OBJECT_FDB);

	set_name(object.fdb.device, device);
	object.fdb.mac = mac;
	object_list_add(list, &object);
}

/* ---- device addresses ---- */

struct mac mac_of(uint8_t first, struct rid id)
{
	struct mac mac = { { first } };

	for (int i = 1; i < 6; i++)
		mac.bytes[i] = (uint8_t)(id.n >> (8 * (7 - i)));
	return mac;
}

/* On the fabric, a subnet or gateway is known by this address. */
struct mac fabric_mac(struct rid id)
{
	return mac_of(0x0e, id);
}

/* What the instances of a subnet see as the router: the same on every port. */
struct mac router_mac(struct rid subnet)
{
	return mac_of(0x06, subnet);
}

struct mac interface_own_mac(struct rid interface)
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
void want_router(struct object_list *list, struct rid ns)
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
void want_fabric_port(struct object_list *list, struct rid vpc, struct rid id, const char *device)
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
