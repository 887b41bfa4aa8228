/*
 * VPC endpoints. AWS PrivateLink guide; VPC user guide, "Gateway endpoints".
 *
 * They are records, for there are no services behind them. A gateway endpoint is in route tables as
 * a route to its service's prefix list, which no packet follows; an interface endpoint has an
 * interface in each of its subnets, at whose address nobody answers. Which tables and subnets these
 * are is told by the routes and interfaces alone.
 */
#pragma once

#include "model/endpoint_service.h"
#include "model/interface.h"
#include "model/route.h"

enum endpoint_kind {
	ENDPOINT_GATEWAY,
	ENDPOINT_INTERFACE
};

struct vpc_endpoint {
	struct resource resource;
	struct rid vpc;
	int kind; /* enum endpoint_kind */
	char *service, *policy;
	struct rid_item *groups; /* of its interfaces */
	size_t group_count;
	bool private_dns, private_dns_for_resolver;
	int64_t create_time;
	char *client_token, *token_digest; /* NULL: no token was given */
};

extern const struct resource_type vpc_endpoint_type;

/* A subnet that is to have an interface of it, at an address or one that is chosen. */
struct endpoint_subnet {
	struct subnet *subnet;
	struct address address;
};

struct endpoint_request {
	struct vpc *vpc;
	int kind; /* enum endpoint_kind */
	const struct endpoint_service *service;
	const char *policy; /* NULL: everything is allowed */
	/* Owned, and so in a change. */
	struct route_table **tables;
	size_t table_count;
	struct endpoint_subnet *subnets;
	size_t subnet_count;
	struct rid_item *groups; /* none: the VPC's default group */
	size_t group_count;
	const bool *private_dns, *private_dns_for_resolver; /* NULL: the service's default */
	const char *client_token, *token_digest;	    /* NULL for none */
};
void endpoint_request_clear(struct endpoint_request *request); /* for CLEANUP() too */

/*
 * With a client token that made one before: that one. ERROR_INVALID_PARAMETER (what the other kind
 * alone has, private names without the VPC's DNS or twice), ERROR_SERVICE_NAME,
 * ERROR_SUBNETS_IN_ZONE, ERROR_ROUTE_EXISTS, ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH; those of
 * interface_create().
 */
int vpc_endpoint_create(struct transaction *transaction, const struct endpoint_request *request,
			struct vpc_endpoint **ret_endpoint, struct error *error);

/* What is added is in `add`, with a new policy ("" for the first one) and private names. */
struct endpoint_change {
	struct endpoint_request add;
	struct route_table **tables; /* to be removed; owned */
	size_t table_count;
	struct endpoint_subnet *subnets;
	size_t subnet_count;
	struct rid_item *groups;
	size_t group_count;
};
void endpoint_change_clear(struct endpoint_change *change); /* for CLEANUP() too */
/* Errors as of vpc_endpoint_create(); ERROR_INVALID_PARAMETER for the last subnet or group. */
int vpc_endpoint_modify(struct transaction *transaction, struct vpc_endpoint *endpoint,
			const struct endpoint_change *change, struct error *error);
/* Its routes and interfaces go with it. */
void vpc_endpoint_delete(struct transaction *transaction, struct vpc_endpoint *endpoint);
/* Is there any in the VPC? */
bool vpc_has_endpoints(const struct vpc *vpc);
