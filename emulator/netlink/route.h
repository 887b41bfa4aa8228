/*
 * rtnetlink messages, written in place: links, addresses, routes, neighbours, fdb entries. Each
 * function completes a header from batch_message().
 *
 * By libmnl, not libnl: libnl has no message of many requests, drops the kernel's sentence, has no
 * bridge options, allocates for every message, and its headers live in <netlink/…> as ours do.
 */
#pragma once

#include "netlink/object.h"

#include <linux/netlink.h>

enum verb {
	VERB_ADD,     /* EEXIST when there is one */
	VERB_REPLACE, /* in one go, for what has VERB_REPLACE in the kernel: no address */
	VERB_DELETE,  /* only what is exactly this */
};

/* Not set up yet, and of the default MTU: see link_object. */
void route_new_bridge(struct nlmsghdr *message, const struct link_object *link);
/*
 * To be sent in the peer's namespace: the peer is the device asked for (its name is the one looked
 * up there, and it can be set up at once), and our own end goes to the namespace `fd`, down.
 */
void route_new_veth(struct nlmsghdr *message, const struct link_object *link, int fd);
void route_set_up(struct nlmsghdr *message, const char *device);
/* Asks about it; the answer is of no use, but for what apply.c says. */
void route_get_link(struct nlmsghdr *message, const char *device);
void route_set_mtu(struct nlmsghdr *message, const char *device, uint32_t mtu);
/* No IPv6 address generation: no router solicitations, no duplicate address detection. */
void route_set_quiet(struct nlmsghdr *message, const char *device);
void route_set_master(struct nlmsghdr *message, const char *device, int master);
/* A bridge port that learns nothing and gets nothing that isn't for it. */
void route_set_port(struct nlmsghdr *message, int index);
void route_set_group(struct nlmsghdr *message, const char *device, uint32_t group);
void route_delete_group(struct nlmsghdr *message, uint32_t group);

void route_address(struct nlmsghdr *message, const struct address_object *address, enum verb verb,
		   int index);
/* `index` is ignored for a blackhole. */
void route_route(struct nlmsghdr *message, const struct route_object *route, enum verb verb,
		 int index);
void route_neighbour(struct nlmsghdr *message, const struct neighbour_object *neighbour,
		     enum verb verb, int index);
void route_fdb(struct nlmsghdr *message, const struct fdb_object *fdb, enum verb verb, int index);
void route_delay(struct nlmsghdr *message, const struct delay_object *delay, enum verb verb,
		 int index);
/* What a netem has for a delay, for dumps. */
uint32_t route_delay_of(const void *options);
void route_rule(struct nlmsghdr *message, const struct rule_object *rule, enum verb verb);
