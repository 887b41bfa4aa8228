/*
 * Security groups, as far as they are shown; they are enforced in an issue of their own.
 */
#pragma once

#include "model/vpc.h"

struct group_rule {
	struct rid id;
	bool egress;
	struct cidr cidr; /* the peer: a block … */
	struct rid group; /* … or a group */
};

struct group {
	struct resource resource;
	char *name, *description;
	struct rid vpc;
	struct group_rule *rules; /* all of protocol -1 so far */
	size_t rule_count;
};

extern const struct resource_type group_type;

void group_create_default(struct transaction *transaction, struct vpc *vpc);
/* The VPC's group of that name; NULL when there is none. */
struct group *group_named(const struct scope *scope, struct rid vpc, const char *name);
