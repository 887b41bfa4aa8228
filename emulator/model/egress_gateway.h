/*
 * Egress-only internet gateways. VPC user guide, "Egress-only internet gateways". Records so far:
 * they are for IPv6 alone, which nothing carries, so no route leads to one.
 */
#pragma once

#include "model/vpc.h"

struct egress_gateway {
	struct resource resource;
	struct rid vpc;	    /* attached from its making to its deletion */
	char *client_token; /* NULL: none was given */
};

extern const struct resource_type egress_gateway_type;

/* The VPC's, or NULL. */
struct egress_gateway *egress_gateway_of(const struct vpc *vpc);
/*
 * With a client token (or NULL) that made one before: that one, if it was for the same VPC.
 * ERROR_INVALID_PARAMETER_VALUE (the VPC has one), ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH.
 */
int egress_gateway_create(struct transaction *transaction, struct vpc *vpc,
			  const char *client_token, struct egress_gateway **ret_gateway,
			  struct error *error);
