/*
 * Network ACLs, as far as they are shown; they are enforced in an issue of their own.
 */
#pragma once

#include "model/vpc.h"

struct acl_entry {
	int64_t number;
	bool egress;
	bool allow;
	struct cidr cidr;
};

struct acl_association {
	struct rid id;
	struct rid subnet;
};

struct acl {
	struct resource resource;
	struct rid vpc;
	bool is_default;
	struct acl_entry *entries; /* all of protocol -1 so far */
	size_t entry_count;
	struct acl_association *associations;
	size_t association_count;
};

extern const struct resource_type acl_type;

void acl_create_default(struct transaction *transaction, struct vpc *vpc);
/* A subnet always has exactly one ACL; a new one gets the VPC's default. */
void acl_associate_default(struct transaction *transaction, struct vpc *vpc, struct rid subnet);
void acl_forget_subnet(struct transaction *transaction, struct scope *scope, struct rid subnet);
