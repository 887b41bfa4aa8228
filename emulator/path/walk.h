/*
 * A packet on its way, within this room. Each function takes it one stretch further and calls the
 * next one; false: it was stopped, and the last step says where.
 */
#pragma once

#include "model/gateway.h"
#include "model/peering.h"
#include "model/route.h"
#include "path/rules.h"

/* An interface's groups have let the flow out, or in: they let its answer in, or out. */
struct tracked {
	struct rid interface;
	bool egress;
};

/* What NAT made of a flow's sender, to be undone for the answer. */
struct translation {
	struct rid interface; /* that has the address it was given */
	struct address source;
	uint16_t first, last; /* the sender's own ports */
};

enum walk_end {
	END_NOWHERE,
	END_INTERFACE,
	END_HOST,
	END_SERVICE, /* Amazon's, or a router: what is asked there is answered */
	END_BEYOND,  /* the real Internet */
};

struct walk {
	const struct model *model;
	struct path *path;
	struct path_packet packet;
	uint16_t source_first, source_last; /* the ports that it may come from */
	bool answer;
	const struct interface *appliance; /* the last one that it came by; NULL: none */
	struct tracked *tracking;
	size_t tracking_count;
	struct translation *translations; /* in their order */
	size_t translation_count;
	size_t stretches;
	enum walk_end end;
	const struct interface *at; /* END_INTERFACE */
	const struct internet_host *host;
};

/* ---- steps.c ---- */

/* Appends a step, as it is now, and its text; false when it stops. */
bool walk_step(struct walk *walk, struct path_step step, const char *format, ...) PRINTF(3, 4);
/* What to do about the last step. */
void walk_advise(struct walk *walk, const char *format, ...) PRINTF(2, 3);
/* "web", "nat-…", "eni-…": whose interface it is. */
const char *walk_owner(const struct walk *walk, const struct interface *interface,
		       struct buffer *scratch);

/* It has come so far that it goes round, and is stopped. */
bool walk_is_lost(struct walk *walk, struct rid at);

/* ---- filters.c: each is one step ---- */

/* None where nothing is faulty. */
bool walk_ask_faults(struct walk *walk, const struct interface *interface);
bool walk_ask_groups(struct walk *walk, const struct interface *interface, bool egress);
bool walk_ask_acl(struct walk *walk, const struct subnet *subnet, bool egress);

/* ---- walk.c: in a subnet ---- */

/* An interface sends it. */
bool walk_send(struct walk *walk, const struct interface *from);
/* It is in the VPC's router, for one of its subnets. */
bool walk_local(struct walk *walk, const struct vpc *vpc);
/* To an address of the subnet: from another one, or from within. */
bool walk_deliver(struct walk *walk, const struct subnet *subnet, bool from_outside);
/* The interface that a guest's kernel sends by; NULL: it has none. */
const struct interface *walk_device(const struct walk *walk, const struct instance *instance,
				    struct address destination);

/* ---- routes.c ---- */

/* By the route table of the subnet that it is in. */
bool walk_route(struct walk *walk, const struct subnet *subnet, const struct interface *from);
/* By the gateway's own, or to its VPC. */
bool walk_route_inward(struct walk *walk, const struct gateway *gateway);

/* ---- edges.c ---- */

/* Of the blocks that no internet gateway lets pass. */
bool walk_is_private(struct address address);
bool walk_out(struct walk *walk, const struct gateway *gateway);
bool walk_internet(struct walk *walk);
bool walk_peering(struct walk *walk, const struct vpc *vpc, const struct peering *peering);
/* A NAT gateway's interface takes what a route leads to it. */
bool walk_nat(struct walk *walk, const struct interface *interface);
/* The answer to what was translated there; false with nothing said: it is not one. */
bool walk_is_translated(const struct walk *walk, const struct interface *interface);
bool walk_restore(struct walk *walk, const struct interface *interface);
