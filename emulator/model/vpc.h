/*
 * VPCs. Rules: VPC user guide, "VPC CIDR blocks" and "Delete your VPC".
 */
#pragma once

#include "model/block.h"

struct vpc {
	struct resource resource;
	struct block *cidrs; /* the first is the primary block */
	size_t cidr_count;
	struct block *ipv6_cidrs;
	size_t ipv6_cidr_count;
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
/* Can it be a VPC's IPv4 block at all? ERROR_VPC_RANGE. */
int vpc_check_range(struct cidr cidr, struct error *error);
/*
 * Adds an IPv4 block (host bits are cleared) and its local route to every table of the VPC.
 * ERROR_VPC_RANGE: of a wrong size, restricted beside the primary block, or overlapping with
 * another block, a route's destination or a peer; ERROR_OPERATION_NOT_PERMITTED: the VPC has asked
 * for a peering that is pending; ERROR_CIDR_LIMIT.
 */
int vpc_associate(struct transaction *transaction, struct vpc *vpc, struct cidr cidr,
		  const struct block **ret_block, struct error *error);
/*
 * Adds an IPv6 block of Amazon's, a /56 that no other VPC has. Every table gains its local route;
 * what AWS adds to ACLs and the default group, they gain, see acl_add_ipv6() and group_add_ipv6().
 * ERROR_CIDR_LIMIT.
 */
int vpc_associate_ipv6(struct transaction *transaction, struct vpc *vpc,
		       const struct block **ret_block, struct error *error);
/*
 * Takes a block away, and its local routes, whatever their targets are. ERROR_CIDR_IN_USE while a
 * subnet is in it, ERROR_OPERATION_NOT_PERMITTED for the primary one.
 */
int vpc_disassociate(struct transaction *transaction, struct vpc *vpc, const struct block *block,
		     struct error *error);
/* The VPC with that association; NULL when there is none. */
struct vpc *vpc_find_association(const struct scope *scope, struct rid association,
				 const struct block **ret_block);
/* True when the address is in one of its blocks. */
bool vpc_contains(const struct vpc *vpc, struct address address);
/* Marks it, and the gateway attached to it, as present in the kernel. */
void vpc_realize(struct transaction *transaction, struct vpc *vpc);
/* The region's default VPC, or NULL. */
struct vpc *vpc_default(const struct scope *scope);
