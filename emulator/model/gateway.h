/*
 * Internet gateways. VPC user guide, "Internet gateways".
 */
#pragma once

#include "model/vpc.h"

struct gateway {
	struct resource resource;
	struct rid vpc; /* unset while detached */
	bool realized;	/* present in the kernel: false only for a default VPC's unused one */
};

extern const struct resource_type gateway_type;

struct gateway *gateway_get(const struct model *model, struct rid id);
/* The gateway attached to a VPC, or NULL. */
struct gateway *gateway_of(const struct vpc *vpc);

/* ERROR_QUOTA. */
int gateway_create(struct transaction *transaction, struct scope *scope,
		   struct gateway **ret_gateway, struct error *error);
/* ERROR_ALREADY_ASSOCIATED, ERROR_INVALID_PARAMETER_VALUE. */
int gateway_attach(struct transaction *transaction, struct gateway *gateway, struct vpc *vpc,
		   struct error *error);
/* ERROR_GATEWAY_NOT_ATTACHED; ERROR_DEPENDENCY_VIOLATION while public addresses are mapped. */
int gateway_detach(struct transaction *transaction, struct gateway *gateway, struct vpc *vpc,
		   struct error *error);
/* ERROR_DEPENDENCY_VIOLATION while attached. Routes to it become blackholes; its table is no longer
 * associated. */
int gateway_delete(struct transaction *transaction, struct gateway *gateway, struct error *error);
