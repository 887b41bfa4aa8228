/* The kernel's own counters of what rules dropped, read before and after something. */
#pragma once

#include "client/client.h"

/* What one rule dropped of one interface's packets. All texts are owned; NULL: absent. */
struct drop {
	char *interface, *instance, *name, *subnet;
	char *reason;	 /* "security-group", "network-acl", "source-check" … */
	char *direction; /* "ingress", "egress" */
	char *rule, *acl;
	uint64_t packets;
};

struct drops {
	struct drop *items;
	size_t count;
};
void drops_clear(struct drops *drops); /* for CLEANUP() too */

int drops_read(const struct client *client, struct drops *ret_drops, struct error *error);
/* Leaves in `after` what was counted since `before`. */
void drops_subtract(const struct drops *before, struct drops *after);
