/* The table of quotas: see quota.h. */
#include "model/quota.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buffer.h"
#include "model/model.h"

/* "This quota multiplied by the quota for security groups per network interface cannot exceed
 * 1,000" (VPC guide). */
#define RULES_PER_INTERFACE_MAX 1000
#define RAISED_MAX		1000000000 /* where AWS says no bound, and where there is none */
#define AWS			"aws"

static const struct {
	const char *name;
	bool counted; /* by region, zone or account */
	int64_t standard;
	int64_t maximum; /* that AWS raises it to; 0: it says none */
	/* A refusal: whose code (api/errors.c), and "The maximum number of … has been reached." */
	const char *subject;
	const char *what;
} table[] = {
	[QUOTA_VPCS] = { "vpcs-per-region", true, 5, 0, "vpc", "VPCs" },
	[QUOTA_INTERNET_GATEWAYS] = { "internet-gateways-per-region", true, 5, 0, "igw",
				      "internet gateways" },
	[QUOTA_EGRESS_GATEWAYS] = { "egress-only-internet-gateways-per-region", true, 5, 0, "eigw",
				    "egress-only internet gateways" },
	[QUOTA_SUBNETS] = { "subnets-per-vpc", false, 200, 0, "subnet", "subnets" },
	[QUOTA_ROUTE_TABLES] = { "route-tables-per-vpc", false, 200, 0, "rtb", "route tables" },
	[QUOTA_ROUTES] = { "routes-per-route-table", false, 500, 1000, "route", "routes" },
	[QUOTA_NETWORK_ACLS] = { "network-acls-per-vpc", false, 200, 0, "acl", "network acls" },
	[QUOTA_NETWORK_ACL_ENTRIES] = { "entries-per-network-acl", false, 20, 40, "acl-entry",
					"network acl entries" },
	[QUOTA_SECURITY_GROUPS] = { "security-groups-per-region", true, 2500, 0, "sg",
				    "security groups" },
	[QUOTA_SECURITY_GROUP_RULES] = { "rules-per-security-group", false, 60,
					 RULES_PER_INTERFACE_MAX, "sgr",
					 "rules per security group" },
	[QUOTA_INTERFACE_GROUPS] = { "security-groups-per-interface", false, 5, 16,
				     "interface-group", "security groups per interface" },
	[QUOTA_INTERFACES] = { "network-interfaces-per-region", true, 5000, 0, "eni",
			       "network interfaces" },
	[QUOTA_INSTANCES] = { "instances-per-region", true, 20, 0, "i", "instances" },
	[QUOTA_ADDRESSES] = { "addresses-per-region", true, 5, 0, "eipalloc", "addresses" },
	[QUOTA_PREFIX_LISTS] = { "prefix-lists-per-region", true, 100, 0, "pl", "prefix lists" },
	[QUOTA_PREFIX_LIST_ENTRIES] = { "entries-per-prefix-list", false, 1000, 1000, NULL, NULL },
	[QUOTA_NAT_GATEWAYS] = { "nat-gateways-per-availability-zone", true, 5, 0, "nat",
				 "NAT gateways" },
	[QUOTA_PEERINGS] = { "active-peerings-per-vpc", false, 50, 125, "pcx-active",
			     "active VPC peering connections per VPC" },
	[QUOTA_PEERING_REQUESTS] = { "outstanding-peering-requests", true, 25, 0, "pcx-outstanding",
				     "outstanding VPC peering connection requests" },
	[QUOTA_VPC_BLOCKS] = { "ipv4-cidr-blocks-per-vpc", false, 5, 50, NULL, NULL },
	[QUOTA_VPC_IPV6_BLOCKS] = { "ipv6-cidr-blocks-per-vpc", false, 5, 50, NULL, NULL },
	[QUOTA_KEY_PAIRS] = { "key-pairs-per-region", true, 5000, 0, "key", "key pairs" },
	[QUOTA_LAUNCH_TEMPLATES] = { "launch-templates-per-region", true, 5000, 0, "lt",
				     "launch templates" },
	[QUOTA_IMAGES] = { "amis-per-region", true, 50000, 0, "ami", "AMIs" },
	[QUOTA_FLOW_LOGS] = { "flow-logs-per-resource", false, 2, 2, "fl", "flow logs" },
	[QUOTA_GATEWAY_ENDPOINTS] = { "gateway-endpoints-per-region", true, 20, 255, "vpce",
				      "VPC endpoints" },
	[QUOTA_INTERFACE_ENDPOINTS] = { "interface-endpoints-per-vpc", false, 50, 0, "vpce",
					"VPC endpoints" },
	[QUOTA_TAGS] = { "tags-per-resource", false, 50, 50, NULL, NULL },
};
static_assert(ARRAY_SIZE(table) == QUOTA_MAX, "every quota has a row");

static bool follows_vpcs(enum quota quota)
{
	return quota == QUOTA_INTERNET_GATEWAYS || quota == QUOTA_EGRESS_GATEWAYS;
}

int64_t quotas_get(const struct quotas *quotas, enum quota quota)
{
	if (quotas->values[quota])
		return quotas->values[quota];
	if (table[quota].counted && !quotas->aws &&
	    !(follows_vpcs(quota) && quotas->values[QUOTA_VPCS]))
		return RAISED_MAX;
	/*
	 * "Increasing this quota increases the quota on internet gateways by the same amount", and
	 * so for egress-only ones.
	 */
	if (follows_vpcs(quota))
		return quotas_get(quotas, QUOTA_VPCS);
	return table[quota].standard;
}

int64_t quota_of(const struct model *model, enum quota quota)
{
	return quotas_get(&model->quotas, quota);
}

int quota_check(const struct model *model, enum quota quota, size_t total, struct error *error)
{
	if ((int64_t)total <= quota_of(model, quota))
		return 0;
	return error_subject(error, ERROR_QUOTA, table[quota].subject,
			     "The maximum number of %s has been reached.", table[quota].what);
}

static int unknown(const char *text, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	for (size_t i = 0; i < QUOTA_MAX; i++)
		buffer_printf(&names, ", %s", table[i].name);
	return error_set(error, ERROR_INVALID_PARAMETER,
			 "there is no quota '%.*s'; there are " AWS " (all of AWS's)%s",
			 (int)MIN(strcspn(text, "="), (size_t)40), text, names.data);
}

static int parse_one(struct quotas *quotas, const char *text, struct error *error)
{
	const size_t length = strcspn(text, "=");
	const char *digits = text + length + (text[length] == '=');
	size_t quota = 0;
	int64_t maximum, value = 0;

	if (streq(text, AWS)) {
		quotas->aws = true;
		return 0;
	}
	while (quota < QUOTA_MAX && (strlen(table[quota].name) != length ||
				     memcmp(table[quota].name, text, length) != 0))
		quota++;
	if (quota == QUOTA_MAX)
		return unknown(text, error);
	maximum = table[quota].maximum ? table[quota].maximum : RAISED_MAX;
	for (const char *c = digits; *c >= '0' && *c <= '9' && value <= maximum; c++)
		value = value * 10 + (*c - '0');
	if (digits[strspn(digits, "0123456789")] || value < 1 || value > maximum)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "the quota %s takes a number from 1 to %" PRId64 ", not '%s'",
				 table[quota].name, maximum, digits);
	quotas->values[quota] = value;
	return 0;
}

int quotas_parse(const char *const *texts, size_t count, struct quotas *ret_quotas,
		 struct error *error)
{
	struct quotas quotas = { 0 };
	int64_t rules, groups;
	int r;

	for (size_t i = 0; i < count; i++)
		if ((r = parse_one(&quotas, texts[i], error)) < 0)
			return r;
	rules = quotas_get(&quotas, QUOTA_SECURITY_GROUP_RULES);
	groups = quotas_get(&quotas, QUOTA_INTERFACE_GROUPS);
	if (rules * groups > RULES_PER_INTERFACE_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "the quotas %s (%" PRId64 ") and %s (%" PRId64
				 ") multiplied are %d at most",
				 table[QUOTA_SECURITY_GROUP_RULES].name, rules,
				 table[QUOTA_INTERFACE_GROUPS].name, groups,
				 RULES_PER_INTERFACE_MAX);
	*ret_quotas = quotas;
	return 0;
}
