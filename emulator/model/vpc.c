/* VPCs: see vpc.h. */
#include "model/vpc.h"

#include "model/acl.h"
#include "model/dhcp.h"
#include "model/egress_gateway.h"
#include "model/flow_log.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/interface.h"
#include "model/internet.h"
#include "model/peering.h"
#include "model/route.h"
#include "model/subnet.h"
#include "model/vpc_endpoint.h"

static const char *get_primary(const struct view *view, struct buffer *scratch)
{
	const struct vpc *vpc = view->object;

	return get_print(scratch, "%s", cidr_format(vpc->cidrs[0].cidr).text);
}

static const char *get_dhcp(const struct view *view, struct buffer *scratch)
{
	const struct vpc *vpc = view->object;

	return rid_is_set(vpc->dhcp_options)
		       ? get_print(scratch, "%s", rid_format(vpc->dhcp_options).text)
		       : "default"; /* AssociateDhcpOptions with "default" leaves none */
}

static const struct field fields[] = {
	RESOURCE_FIELDS(struct vpc),
	FIELD_GET_OF(get_id, "vpcId", "vpc-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_CONST_OF("available", "state", "state"),
	FIELD_GET_OF(get_primary, "cidrBlock", "cidr cidr-block cidrBlock"),
	FIELD_LIST_OF(struct vpc, cidrs, cidr_count, vpc_block_fields, "cidrBlockAssociationSet",
		      FIELD_BOTH),
	FIELD_LIST_OF(struct vpc, ipv6_cidrs, ipv6_cidr_count, vpc_ipv6_block_fields,
		      "ipv6CidrBlockAssociationSet", FIELD_BOTH),
	FIELD_GET_OF(get_dhcp, "dhcpOptionsId", "dhcp-options-id dhcpOptionsId"),
	FIELD_OF(struct vpc, dhcp_options, FIELD_RID, "dhcpOptions", NULL, FIELD_STORED),
	FIELD_OF(struct vpc, tenancy, FIELD_TEXT, "instanceTenancy", NULL, FIELD_BOTH),
	FIELD_OF(struct vpc, is_default, FIELD_BOOL, "isDefault", "is-default isDefault",
		 FIELD_BOTH),
	FIELD_OF(struct vpc, dns_support, FIELD_BOOL, "enableDnsSupport", NULL, FIELD_STORED),
	FIELD_OF(struct vpc, dns_hostnames, FIELD_BOOL, "enableDnsHostnames", NULL, FIELD_STORED),
	FIELD_OF(struct vpc, address_usage_metrics, FIELD_BOOL, "enableNetworkAddressUsageMetrics",
		 NULL, FIELD_STORED),
	FIELD_OF(struct vpc, realized, FIELD_BOOL, "realized", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type vpc_type = {
	.kind = KIND_VPC,
	.size = sizeof(struct vpc),
	.fields = fields,
	.tag_type = "vpc",
};

struct vpc *vpc_get(const struct model *model, struct rid id)
{
	return (struct vpc *)model_get(model, NULL, id);
}

struct vpc *vpc_default(const struct scope *scope)
{
	for_each_resource (struct vpc, vpc, scope, KIND_VPC)
		if (vpc->is_default)
			return vpc;
	return NULL;
}

bool vpc_contains(const struct vpc *vpc, struct address address)
{
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (cidr_contains(vpc->cidrs[i].cidr, address))
			return true;
	return false;
}

int vpc_create(struct transaction *transaction, struct scope *scope, struct cidr cidr,
	       const char *tenancy, struct vpc **ret_vpc, struct error *error)
{
	struct vpc *vpc;
	int r;

	if ((r = vpc_check_range(cidr, error)) < 0)
		return r;
	if (tenancy && !streq(tenancy, "default") && !streq(tenancy, "dedicated"))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter instanceTenancy is invalid.", tenancy);
	if ((r = quota_check(transaction->model, QUOTA_VPCS, scope->lists[KIND_VPC].count + 1,
			     error)) < 0)
		return r;
	vpc = transaction_create(transaction, scope, KIND_VPC);
	block_add(&vpc->cidrs, &vpc->cidr_count, KIND_VPC_CIDR_ASSOCIATION, cidr_canonical(cidr));
	vpc->tenancy = xstrdup(tenancy ? tenancy : "default");
	vpc->dhcp_options = dhcp_default(transaction, scope);
	vpc->dns_support = true;
	vpc->realized = true;
	route_table_create_main(transaction, vpc);
	group_create_default(transaction, vpc);
	acl_create_default(transaction, vpc);
	*ret_vpc = vpc;
	return 0;
}

static bool is_peered(const struct model *model, const struct vpc *vpc)
{
	CLEANUP(freep) struct peering **peerings = NULL;

	return peerings_of(model, vpc->resource.id, &peerings) > 0;
}

static bool has_dependencies(const struct model *model, const struct vpc *vpc)
{
	const struct scope *scope = vpc->resource.scope;

	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc->resource.id))
			return true;
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		if (rid_equal(table->vpc, vpc->resource.id) && !route_table_is_main(table))
			return true;
	for_each_resource (struct group, group, scope, KIND_SECURITY_GROUP)
		if (rid_equal(group->vpc, vpc->resource.id) && !streq(group->name, "default"))
			return true;
	for_each_resource (struct acl, acl, scope, KIND_NETWORK_ACL)
		if (rid_equal(acl->vpc, vpc->resource.id) && !acl->is_default)
			return true;
	return gateway_of(vpc) || egress_gateway_of(vpc) || vpc_has_endpoints(vpc) ||
	       is_peered(model, vpc);
}

/* Deletes every resource of `kind` whose VPC this is; they share where `vpc` is kept. */
#define delete_all(transaction, vpc_, type, kind)                                                  \
	do {                                                                                       \
		struct resource_list *list_ = &(vpc_)->resource.scope->lists[kind];                \
		for (size_t i_ = list_->count; i_-- > 0;)                                          \
			if (rid_equal(((type *)list_->items[i_])->vpc, (vpc_)->resource.id))       \
				transaction_delete(transaction, list_->items[i_]);                 \
	} while (0)

int vpc_delete(struct transaction *transaction, struct vpc *vpc, struct error *error)
{
	if (has_dependencies(transaction->model, vpc))
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "The vpc '%s' has dependencies and cannot be deleted.",
				 rid_format(vpc->resource.id).text);
	peering_forget_vpc(transaction, vpc);
	delete_all(transaction, vpc, struct route_table, KIND_ROUTE_TABLE);
	group_forget(transaction, group_named(vpc->resource.scope, vpc->resource.id, "default"));
	delete_all(transaction, vpc, struct acl, KIND_NETWORK_ACL);
	flow_logs_forget(transaction, &vpc->resource);
	transaction_delete(transaction, vpc);
	return 0;
}

int vpc_set_dns(struct transaction *transaction, struct vpc *vpc, const bool *support,
		const bool *hostnames, struct error *error)
{
	bool next_support = support ? *support : vpc->dns_support;
	bool next_hostnames = hostnames ? *hostnames : vpc->dns_hostnames;

	/* Host names need the resolver; switching the resolver off leaves them without effect. */
	if (hostnames && next_hostnames && !next_support)
		return error_set(
			error, ERROR_INVALID_PARAMETER_COMBINATION,
			"DNS hostnames can only be enabled if DNS support is enabled for the "
			"VPC.");
	transaction_edit(transaction, vpc);
	vpc->dns_support = next_support;
	vpc->dns_hostnames = next_hostnames;
	return 0;
}

void vpc_realize(struct transaction *transaction, struct vpc *vpc)
{
	struct gateway *gateway = gateway_of(vpc);

	if (!vpc->realized) {
		transaction_edit(transaction, vpc);
		vpc->realized = true;
	}
	if (gateway && !gateway->realized) {
		transaction_edit(transaction, gateway);
		gateway->realized = true;
		internet_realize(transaction);
	}
}
