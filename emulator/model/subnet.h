/*
 * Subnets. Rules: VPC user guide, "Subnet CIDR blocks".
 */
#pragma once

#include "model/vpc.h"

struct subnet {
	struct resource resource;
	struct rid vpc;
	struct cidr cidr;
	struct block *ipv6_cidrs; /* one at most */
	size_t ipv6_cidr_count;
	int64_t zone; /* index into the region's zones */
	bool map_public_ip;
	bool default_for_az;
	bool assign_ipv6;
	bool dns64;
	char *hostname_type; /* "ip-name" or "resource-name" */
	bool resource_name_a, resource_name_aaaa;
	bool realized; /* present in the kernel, see struct vpc */
};

extern const struct resource_type subnet_type;

struct subnet *subnet_get(const struct model *model, struct rid id);

struct subnet_request {
	struct vpc *vpc;
	struct cidr cidr;
	const char *cidr_text; /* as the caller wrote it, for error texts */
	const char *zone;      /* a zone's name or id; NULL: chosen */
};

/* Errors: ERROR_SUBNET_RANGE, ERROR_SUBNET_CONFLICT, ERROR_INVALID_PARAMETER_VALUE (zone),
 * ERROR_QUOTA. */
int subnet_create(struct transaction *transaction, const struct subnet_request *request,
		  struct subnet **ret_subnet, struct error *error);
/* ERROR_DEPENDENCY_VIOLATION while a network interface is in it. */
int subnet_delete(struct transaction *transaction, struct subnet *subnet, struct error *error);

/*
 * Gives it an IPv6 block, a /64 (host bits are cleared) within one of its VPC's; `text` is how the
 * caller wrote it. ERROR_SUBNET_RANGE, ERROR_SUBNET_CONFLICT, ERROR_CIDR_LIMIT: it has one.
 */
int subnet_associate(struct transaction *transaction, struct subnet *subnet, struct cidr cidr,
		     const char *text, const struct block **ret_block, struct error *error);
/* Takes it away. ERROR_CIDR_IN_USE while an attribute of the subnet needs it. */
int subnet_disassociate(struct transaction *transaction, struct subnet *subnet,
			struct error *error);
/* The subnet with that association; NULL when there is none. */
struct subnet *subnet_find_association(const struct scope *scope, struct rid association,
				       const struct block **ret_block);
/* The attributes that only a subnet with an IPv6 block may have; NULL: as it is.
 * ERROR_INVALID_PARAMETER_VALUE. */
struct ipv6_attributes {
	const bool *assign_ipv6, *dns64, *resource_name_aaaa;
};
int subnet_set_ipv6(struct transaction *transaction, struct subnet *subnet,
		    const struct ipv6_attributes *attributes, struct error *error);
/* Is its block of that family within `cidr`? */
bool subnet_is_within(const struct subnet *subnet, struct cidr cidr);

/* The VPC's router: the first address after the network's own. */
struct address subnet_router(const struct subnet *subnet);
/* Addresses that instances can still get: size - 5 - held by interfaces. */
int64_t subnet_free_addresses(const struct model *model, const struct subnet *subnet);
const char *subnet_zone_name(const struct subnet *subnet, struct buffer *scratch);
/* Marks it and its VPC as present in the kernel. */
void subnet_realize(struct transaction *transaction, struct subnet *subnet);
/* The default subnet in a zone (by name; NULL: any), or NULL. */
struct subnet *subnet_default(const struct scope *scope, const char *zone);
