/*
 * What a fresh region holds, and how what is gone of it comes back. VPC user guide, "Default VPCs".
 * None of it is in the kernel until an instance needs it.
 */
#pragma once

#include "model/subnet.h"

/* The mark of a region that was filled: what is deleted of its defaults stays away. */
extern const struct resource_type defaults_type;

/*
 * Fills an empty scope: the default DHCP options, and the default VPC (172.31.0.0/16) with a /20
 * subnet per Availability Zone, its gateway and the route to it, whatever the quotas are. Does
 * nothing when the scope has been filled before.
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
