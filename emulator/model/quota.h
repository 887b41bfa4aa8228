/*
 * Quotas. VPC user guide, "Amazon VPC quotas"; EC2 API reference, the …LimitExceeded error codes.
 *
 * Limits of shape, to what one resource may hold, hold always. Those by count, of a region or an
 * account, hold where they were asked for, one by one or all together: a world is there to be
 * filled.
 *
 * They are properties of the running daemon: a resource that is there stays, whatever the quota is
 * now; only what would be one more is refused.
 */
#pragma once

#include "base/error.h"

enum quota {
	QUOTA_VPCS,
	QUOTA_INTERNET_GATEWAYS,
	QUOTA_EGRESS_GATEWAYS,
	QUOTA_SUBNETS,
	QUOTA_ROUTE_TABLES,
	QUOTA_ROUTES,
	QUOTA_NETWORK_ACLS,
	QUOTA_NETWORK_ACL_ENTRIES, /* of one direction and address family, the last deny counted */
	QUOTA_SECURITY_GROUPS,
	QUOTA_SECURITY_GROUP_RULES, /* of one direction and address family */
	QUOTA_INTERFACE_GROUPS,
	QUOTA_INTERFACES,
	QUOTA_INSTANCES,
	QUOTA_ADDRESSES, /* Elastic IPs */
	QUOTA_PREFIX_LISTS,
	QUOTA_PREFIX_LIST_ENTRIES,
	QUOTA_NAT_GATEWAYS,	/* in an Availability Zone */
	QUOTA_PEERINGS,		/* active ones of a VPC */
	QUOTA_PEERING_REQUESTS, /* outstanding ones of an account in a region */
	QUOTA_VPC_BLOCKS,	/* IPv4 ones of a VPC, the primary one counted */
	QUOTA_VPC_IPV6_BLOCKS,
	QUOTA_KEY_PAIRS,
	QUOTA_LAUNCH_TEMPLATES,
	QUOTA_IMAGES,
	QUOTA_FLOW_LOGS, /* of one VPC, subnet or interface */
	QUOTA_GATEWAY_ENDPOINTS,
	QUOTA_INTERFACE_ENDPOINTS, /* of a VPC */
	QUOTA_TAGS,
	QUOTA_MAX,
};

/* Zeroed: the defaults, none by count. */
struct quotas {
	bool aws;		   /* those by count too */
	int64_t values[QUOTA_MAX]; /* 0: not set */
};

/*
 * Reads "NAME=N" texts, and "aws": AWS's own, by count too, but for those that a text names. Of two
 * for the same name the later one counts. -EINVAL and one line for an unknown name (it lists them
 * all), for what is no number of at least 1, for one that AWS doesn't raise this quota to, and for
 * rules per group and groups per interface whose product it refuses.
 */
int quotas_parse(const char *const *texts, size_t count, struct quotas *ret_quotas,
		 struct error *error);
/* Where there is none: a number that is never reached. */
int64_t quotas_get(const struct quotas *quotas, enum quota quota);

struct model;
int64_t quota_of(const struct model *model, enum quota quota);
/* Would `total` of them be too many? ERROR_QUOTA, with AWS's text. */
int quota_check(const struct model *model, enum quota quota, size_t total, struct error *error);
