/*
 * What the wanted objects of facets are made of, within this room: one function appends one object
 * (or the few that always go together) to a list.
 */
#pragma once

#include "model/gateway.h"
#include "model/route.h"
#include "netlink/object.h"

#define MTU_VPC	     9001 /* EC2 guide, "Network MTU": jumbo frames inside a VPC */
#define MTU_INTERNET 1500

/*
 * Next hops on the fabric are named by addresses nobody has to configure: a subnet by its router's
 * address (its first), a gateway and a peering by a link-local one. The neighbour entries are
 * permanent, so there is no ARP on the fabric and its bridge never floods.
 */
extern const struct address gateway_hop;
extern const struct cidr everywhere; /* 0.0.0.0/0 */

/* ---- want.c: one object each ---- */

void set_name(char *ret, const char *name); /* into DEVICE_NAME_MAX bytes */
/* Zeroed but for its kind and place: objects are compared whole. */
struct object object_in(struct rid ns, enum object_kind kind);

void want_netns(struct object_list *list, struct rid ns, pid_t pid);
void want_sysctl(struct object_list *list, struct rid ns, const char *path, int value);
void want_skeleton(struct object_list *list, struct rid ns, enum skeleton skeleton);
void want_loopback(struct object_list *list, struct rid ns);
void want_address(struct object_list *list, struct rid ns, const char *device, struct cidr cidr);
void want_blackhole(struct object_list *list, struct rid ns, struct cidr destination);
void want_route(struct object_list *list, struct rid ns, struct cidr destination,
		struct address gateway, const char *device);
/*
 * What comes through a gateway is never jumbo (EC2 guide, "Network MTU"), from its own VPC neither:
 * a hairpin between public addresses leaves by the device that it came by, which takes in more. Of
 * all routes that were appended from `first` on.
 */
void limit_mtu(struct object_list *list, size_t first);
void want_neighbour(struct object_list *list, struct rid ns, const char *device,
		    struct address address, struct mac mac);
void want_fdb(struct object_list *list, struct rid ns, const char *device, struct mac mac);
/* The settings of a namespace that forwards. */
void want_router(struct object_list *list, struct rid ns);
/* A port of `id`'s namespace on the VPC's bridge; the far end is called `device`. */
void want_fabric_port(struct object_list *list, struct rid vpc, struct rid id, const char *device);

/* Device addresses, pure functions of ids: locally administered, the first byte tells the role. */
struct mac mac_of(uint8_t first, struct rid id);
struct mac fabric_mac(struct rid id);	  /* of a subnet, gateway or peering on the fabric */
struct mac router_mac(struct rid subnet); /* what its instances see, on every port */
struct mac interface_own_mac(struct rid interface);

/* ---- edges.c: facets of gateways, peerings and public addresses ---- */

void want_gateway(const struct model *model, struct rid id, struct object_list *list);
void want_gateway_port(const struct model *model, struct rid id, struct object_list *list);
void want_peering(const struct model *model, struct rid id, struct object_list *list);
struct nat_gateway;
void want_nat_gateway(const struct model *model, const struct nat_gateway *gateway,
		      struct object_list *list);
void want_public(const struct model *model, struct rid id, struct object_list *list);
void want_public_route(const struct model *model, struct rid id, struct object_list *list);

/* ---- faults.c ---- */

void want_faults(const struct model *model, struct rid id, struct object_list *list);
/* What `device`, the interface's port, has of them. */
void want_delay(const struct model *model, const struct interface *interface, const char *device,
		struct object_list *list);
void want_faulty(const struct model *model, struct rid id, struct object_list *list);

/* ---- routes.c: facets of route tables, and what they share with others ---- */

void want_subnet_routes(const struct model *model, struct rid id, struct object_list *list);
/* What comes in by an attached gateway goes by its table, or is local. */
void want_gateway_routes(const struct model *model, const struct gateway *gateway,
			 struct object_list *list);
void want_steering(const struct model *model, struct rid id, struct object_list *list);
void want_appliance(const struct model *model, struct rid id, struct object_list *list);
void want_via(const struct model *model, struct rid id, struct object_list *list);

/*
 * The way to every subnet of the VPC, whose fabric is at `device`, but to `ns` itself and those
 * that `table` (or NULL) diverts.
 */
void want_subnets(struct object_list *list, struct rid ns, const struct vpc *vpc,
		  const char *device, const struct route_table *table);
/* NULL: none that is in the kernel. */
const struct gateway *attached_gateway(const struct vpc *vpc);
