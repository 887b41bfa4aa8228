/* What a fresh region holds: see defaults.h. */
#include "model/defaults.h"

#include "model/dhcp.h"
#include "model/gateway.h"
#include "model/region.h"
#include "model/route.h"
#include "model/subnet.h"

static int create_subnets(struct transaction *transaction, struct vpc *vpc, struct error *error)
{
	const struct region *region = region_find(vpc->resource.scope->region);
	int r;

	for (size_t zone = 0; region->zones[zone]; zone++) {
		struct zone_text name = zone_name(region, zone);
		struct subnet_request request = {
			.vpc = vpc,
			/* 172.31.0.0/20, 172.31.16.0/20 … */
			.cidr = { address_v4(0xac1f0000u + (uint32_t)zone * 4096), 20 },
			.cidr_text = "172.31.0.0/20",
			.zone = name.text,
		};
		struct subnet *subnet;

		if ((r = subnet_create(transaction, &request, &subnet, error)) < 0)
			return r;
		subnet->default_for_az = true;
		subnet->map_public_ip = true;
	}
	return 0;
}

static int create(struct transaction *transaction, struct scope *scope, struct error *error)
{
	const struct cidr everywhere = { { .family = AF_INET }, 0 };
	struct gateway *gateway;
	struct vpc *vpc;
	int r;

	dhcp_create_default(transaction, scope);
	if ((r = vpc_create(transaction, scope, (struct cidr){ address_v4(0xac1f0000u), 16 }, NULL,
			    &vpc, error)) < 0)
		return r;
	vpc->is_default = true;
	vpc->dns_hostnames = true;
	vpc->realized = false;
	if ((r = create_subnets(transaction, vpc, error)) < 0)
		return r;
	gateway = transaction_create(transaction, scope, KIND_INTERNET_GATEWAY);
	gateway->vpc = vpc->resource.id;
	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		if (rid_equal(table->vpc, vpc->resource.id))
			return route_create(transaction, table, to_cidr(everywhere),
					    &gateway->resource, error);
	return 0;
}

/* What a region comes with is there whatever the quotas are. */
int defaults_create(struct transaction *transaction, struct scope *scope, struct error *error)
{
	const struct quotas quotas = transaction->model->quotas;
	int r;

	if (rid_is_set(dhcp_default(scope)))
		return 0;
	transaction->model->quotas = (struct quotas){ 0 };
	r = create(transaction, scope, error);
	transaction->model->quotas = quotas;
	return r;
}
