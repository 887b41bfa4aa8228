/*
 * VPCs. Rules: VPC user guide, "VPC CIDR blocks" and "Delete your VPC".
 */
#pragma once

#include "model/common.h"

struct vpc_cidr {
	struct rid association; /* KIND_VPC_CIDR_ASSOCIATION */
	struct cidr cidr;
};

struct vpc {
	struct resource resource;
	struct vpc_cidr *cidrs; /* the first is the primary block */
	size_t cidr_count;
	struct rid dhcp_options;
	char *tenancy; /* "default" or "dedicated" */
	bool is_default;
	bool dns_support;
	bool dns_hostnames;
	bool address_usage_metrics;
	/* Present in the kernel: a default VPC only once an instance needs it. */
	bool realized;
};

extern const struct resource_type vpc_type;

/* The VPC of that id, whatever the scope; never NULL for an id that a resource holds. */
struct vpc *vpc_get(const struct model *model, struct rid id);

/*
 * Makes a VPC with all that AWS makes beside it: main route table, default security group and
 * default network ACL. `tenancy` may be NULL. Errors: ERROR_VPC_RANGE, ERROR_QUOTA.
 */
int vpc_create(struct transaction *transaction, struct scope *scope, struct cidr cidr,
	       const char *tenancy, struct vpc **ret_vpc, struct error *error);
/* ERROR_DEPENDENCY_VIOLATION while it holds anything that AWS does not delete with it. */
int vpc_delete(struct transaction *transaction, struct vpc *vpc, struct error *error);
/* The two DNS attributes depend on each other: ERROR_INVALID_PARAMETER_COMBINATION. */
int vpc_set_dns(struct transaction *transaction, struct vpc *vpc, const bool *support,
		const bool *hostnames, struct error *error);
/* True when the address is in one of its blocks. */
bool vpc_contains(const struct vpc *vpc, struct address address);
/* Marks it, and the gateway attached to it, as present in the kernel. */
void vpc_realize(struct transaction *transaction, struct vpc *vpc);
/* The region's default VPC, or NULL. */
struct vpc *vpc_default(const struct scope *scope);
