/*
 * What a fresh region holds, and how what is gone of it comes back. VPC user guide, "Default VPCs".
 * None of it is in the kernel until an instance needs it.
 */
#pragma once

#include "model/instance.h"

/* The mark of a region that was filled: what is deleted of its defaults stays away. It also holds
 * what launches begin with where they don't say. */
struct defaults {
	struct resource resource;
	char *http_tokens, *http_endpoint, *metadata_tags; /* NULL: no preference */
	int64_t hop_limit;				   /* 0: no preference */
	bool has_service_lists; /* false in a world from before there were any */
};

extern const struct resource_type defaults_type;

/*
 * Fills an empty scope: Amazon's prefix lists, the default DHCP options, and the default VPC
 * (172.31.0.0/16) with a /20 subnet per Availability Zone, its gateway and the route to it,
 * whatever the quotas are. Does nothing when the scope has been filled before.
 */
int defaults_create(struct transaction *transaction, struct scope *scope, struct error *error);

/*
 * Makes a default VPC with all that it has. ERROR_DEFAULT_VPC_EXISTS, ERROR_QUOTA.
 */
int default_vpc_create(struct transaction *transaction, struct scope *scope, struct vpc **ret_vpc,
		       struct error *error);
/*
 * Makes the default subnet of a zone (its name or id) in the first free /20 of the default VPC.
 * ERROR_DEFAULT_VPC_MISSING, ERROR_DEFAULT_SUBNET_EXISTS, ERROR_INSUFFICIENT_CIDR_BLOCKS; those
 * of subnet_create().
 */
int default_subnet_create(struct transaction *transaction, struct scope *scope, const char *zone,
			  struct subnet **ret_subnet, struct error *error);

/* NULL in a scope that was never filled. */
struct defaults *defaults_get(const struct scope *scope);
/* GetInstanceMetadataDefaults' members. */
extern const struct field defaults_metadata_fields[];
/* Sets the metadata options that are NULL or 0 to the scope's defaults, as far as it has any. */
void defaults_fill_metadata(const struct scope *scope, struct instance_template *options);
/* Those of `wanted` that are given: "" and -1 take a default away. Running instances keep theirs.
 */
void defaults_set_metadata(struct transaction *transaction, struct defaults *defaults,
			   const struct instance_template *wanted);
