/* What a fresh region holds: see defaults.h. */
#include "model/defaults.h"

#include "model/dhcp.h"
#include "model/endpoint_service.h"
#include "model/gateway.h"
#include "model/region.h"
#include "model/route.h"

#define VPC_NETWORK   0xac1f0000u /* 172.31.0.0 */
#define SUBNET_LENGTH 20
#define SUBNET_SIZE   4096u

static const char *get_hops(const struct view *view, struct buffer *scratch)
{
	const struct defaults *defaults = view->object;

	return defaults->hop_limit ? get_print(scratch, "%lld", (long long)defaults->hop_limit)
				   : NULL;
}

const struct field defaults_metadata_fields[] = {
	FIELD_OF(struct defaults, http_tokens, FIELD_TEXT, "httpTokens", NULL, FIELD_SHOWN),
	FIELD_GET_OF(get_hops, "httpPutResponseHopLimit", NULL),
	FIELD_OF(struct defaults, http_endpoint, FIELD_TEXT, "httpEndpoint", NULL, FIELD_SHOWN),
	FIELD_OF(struct defaults, metadata_tags, FIELD_TEXT, "instanceMetadataTags", NULL,
		 FIELD_SHOWN),
	FIELD_CONST_OF("account", "managedBy", NULL),
	FIELD_END,
};

#define KEPT(member_, type_, name_)                                                                \
	FIELD_OF(struct defaults, member_, type_, name_, NULL, FIELD_STORED)

static const struct field fields[] = {
	RESOURCE_FIELDS(struct defaults),
	KEPT(http_tokens, FIELD_TEXT, "httpTokens"),
	KEPT(http_endpoint, FIELD_TEXT, "httpEndpoint"),
	KEPT(metadata_tags, FIELD_TEXT, "metadataTags"),
	KEPT(hop_limit, FIELD_INT, "hopLimit"),
	KEPT(has_service_lists, FIELD_BOOL, "hasServiceLists"),
	FIELD_END,
};

const struct resource_type defaults_type = {
	.kind = KIND_DEFAULTS,
	.size = sizeof(struct defaults),
	.fields = fields,
};

/* ---- subnets ---- */

static bool is_free(const struct vpc *vpc, struct cidr cidr)
{
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc->resource.id) && cidr_overlaps(subnet->cidr, cidr))
			return false;
	return true;
}

/* The first in any of its blocks: "you can add an IPv4 CIDR block to your VPC" (VPC guide). */
static int find_free(const struct vpc *vpc, struct cidr *ret_cidr, struct error *error)
{
	for (size_t i = 0; i < vpc->cidr_count; i++) {
		uint64_t size = cidr_size(vpc->cidrs[i].cidr);

		for (uint64_t at = 0; at + SUBNET_SIZE <= size; at += SUBNET_SIZE) {
			struct cidr cidr = { address_add(vpc->cidrs[i].cidr.address, at),
					     SUBNET_LENGTH };

			if (is_free(vpc, cidr)) {
				*ret_cidr = cidr;
				return 0;
			}
		}
	}
	return error_set(error, ERROR_INSUFFICIENT_CIDR_BLOCKS,
			 "There is no free /%d CIDR block in the default VPC '%s'.", SUBNET_LENGTH,
			 rid_format(vpc->resource.id).text);
}

static int check_zone(const struct scope *scope, const char *zone, struct error *error)
{
	const struct region *region = region_find(scope->region);
	const struct subnet *subnet;
	struct zone_text name;
	size_t index;

	if (zone_find(region, zone, &index) < 0)
		return 0; /* subnet_create() says it */
	name = zone_name(region, index);
	subnet = subnet_default(scope, name.text);
	if (!subnet)
		return 0;
	return error_set(error, ERROR_DEFAULT_SUBNET_EXISTS,
			 "'%s' is already the default subnet in %s.",
			 rid_format(subnet->resource.id).text, name.text);
}

int default_subnet_create(struct transaction *transaction, struct scope *scope, const char *zone,
			  struct subnet **ret_subnet, struct error *error)
{
	struct subnet_request request = { .vpc = vpc_default(scope), .zone = zone };
	struct address_text text;
	int r;

	if (!request.vpc)
		return error_set(error, ERROR_DEFAULT_VPC_MISSING,
				 "No default VPC exists for this account in this region.");
	if ((r = check_zone(scope, zone, error)) < 0 ||
	    (r = find_free(request.vpc, &request.cidr, error)) < 0)
		return r;
	text = cidr_format(request.cidr);
	request.cidr_text = text.text;
	if ((r = subnet_create(transaction, &request, ret_subnet, error)) < 0)
		return r;
	(*ret_subnet)->default_for_az = true;
	(*ret_subnet)->map_public_ip = true;
	return 0;
}

/* ---- VPCs ---- */

static int create_subnets(struct transaction *transaction, struct scope *scope, struct error *error)
{
	const struct region *region = region_find(scope->region);
	struct subnet *subnet;
	int r = 0;

	for (size_t zone = 0; r == 0 && region->zones[zone]; zone++)
		r = default_subnet_create(transaction, scope, zone_name(region, zone).text, &subnet,
					  error);
	return r;
}

static int create_gateway(struct transaction *transaction, struct vpc *vpc, struct error *error)
{
	const struct cidr everywhere = { { .family = AF_INET }, 0 };
	struct scope *scope = vpc->resource.scope;
	struct gateway *gateway;
	int r = quota_check(transaction->model, QUOTA_INTERNET_GATEWAYS,
			    scope->lists[KIND_INTERNET_GATEWAY].count + 1, error);

	if (r < 0)
		return r;
	gateway = transaction_create(transaction, scope, KIND_INTERNET_GATEWAY);
	gateway->vpc = vpc->resource.id;
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		if (rid_equal(table->vpc, vpc->resource.id))
			return route_create(transaction, table, to_cidr(everywhere),
					    &gateway->resource, error);
	return 0;
}

int default_vpc_create(struct transaction *transaction, struct scope *scope, struct vpc **ret_vpc,
		       struct error *error)
{
	struct vpc *vpc;
	int r;

	if (vpc_default(scope))
		return error_set(error, ERROR_DEFAULT_VPC_EXISTS,
				 "A Default VPC already exists for this account in this region.");
	if ((r = vpc_create(transaction, scope, (struct cidr){ address_v4(VPC_NETWORK), 16 }, NULL,
			    &vpc, error)) < 0)
		return r;
	vpc->is_default = true;
	vpc->dns_hostnames = true;
	vpc->realized = false;
	if ((r = create_subnets(transaction, scope, error)) < 0 ||
	    (r = create_gateway(transaction, vpc, error)) < 0)
		return r;
	*ret_vpc = vpc;
	return 0;
}

static void add_service_lists(struct transaction *transaction, struct defaults *defaults)
{
	if (defaults->has_service_lists)
		return;
	transaction_edit(transaction, defaults);
	defaults->has_service_lists = true;
	endpoint_service_lists_create(transaction, defaults->resource.scope);
}

/* What a region comes with is there whatever the quotas are. */
int defaults_create(struct transaction *transaction, struct scope *scope, struct error *error)
{
	const struct quotas quotas = transaction->model->quotas;
	struct defaults *defaults = defaults_get(scope);
	struct vpc *vpc;
	int r;

	if (defaults) {
		add_service_lists(transaction, defaults);
		return 0;
	}
	add_service_lists(transaction, transaction_create(transaction, scope, KIND_DEFAULTS));
	/* A world from before there was the mark. */
	if (scope->lists[KIND_DHCP_OPTIONS].count)
		return 0;
	transaction->model->quotas = (struct quotas){ 0 };
	r = default_vpc_create(transaction, scope, &vpc, error);
	transaction->model->quotas = quotas;
	return r;
}

/* ---- metadata options ---- */

struct defaults *defaults_get(const struct scope *scope)
{
	const struct resource_list *list = &scope->lists[KIND_DEFAULTS];

	return list->count ? (struct defaults *)list->items[0] : NULL;
}

static void fill(char **text, const char *value)
{
	if (!*text)
		*text = xstrdup_null(value);
}

void defaults_fill_metadata(const struct scope *scope, struct instance_template *options)
{
	const struct defaults *defaults = defaults_get(scope);

	if (!defaults)
		return;
	fill(&options->http_tokens, defaults->http_tokens);
	fill(&options->http_endpoint, defaults->http_endpoint);
	fill(&options->metadata_tags, defaults->metadata_tags);
	if (!options->hop_limit)
		options->hop_limit = defaults->hop_limit;
}

static void set(char **text, const char *wanted)
{
	if (!wanted)
		return;
	free(*text);
	*text = *wanted ? xstrdup(wanted) : NULL;
}

void defaults_set_metadata(struct transaction *transaction, struct defaults *defaults,
			   const struct instance_template *wanted)
{
	transaction_edit(transaction, defaults);
	set(&defaults->http_tokens, wanted->http_tokens);
	set(&defaults->http_endpoint, wanted->http_endpoint);
	set(&defaults->metadata_tags, wanted->metadata_tags);
	if (wanted->hop_limit)
		defaults->hop_limit = MAX(wanted->hop_limit, 0);
}
