/*
 * Subnets. Rules: VPC user guide, "Subnet CIDR blocks".
 */
#pragma once

#include "model/vpc.h"

struct subnet {
	struct resource resource;
	struct rid vpc;
	struct cidr cidr;
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

/* The VPC's router: the first address after the network's own. */
struct address subnet_router(const struct subnet *subnet);
/* Addresses that instances can still get: size - 5 - held by interfaces. */
int64_t subnet_free_addresses(const struct model *model, const struct subnet *subnet);
const char *subnet_zone_name(const struct subnet *subnet, struct buffer *scratch);
/* Marks it and its VPC as present in the kernel. */
void subnet_realize(struct transaction *transaction, struct subnet *subnet);
/* The default subnet in a zone (by name; NULL: any), or NULL. */
struct subnet *subnet_default(const struct scope *scope, const char *zone);
