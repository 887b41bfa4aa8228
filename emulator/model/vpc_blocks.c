/* The CIDR blocks of VPCs: see vpc.h. Rules: VPC user guide, "VPC CIDR blocks". */
#include "model/acl.h"
#include "model/group.h"
#include "model/peering.h"
#include "model/route.h"
#include "model/subnet.h"

#include <inttypes.h>

#define BLOCK(a, b, length)                                                                        \
	{                                                                                          \
		{ AF_INET, { (a), (b) } }, (length)                                                \
	}

int vpc_check_range(struct cidr cidr, struct error *error)
{
	/* Never 169.254/16, nor what can't be an instance's address at all. */
	static const struct cidr refused[] = {
		BLOCK(0, 0, 8),
		BLOCK(127, 0, 8),
		BLOCK(169, 254, 16),
		BLOCK(224, 0, 3),
	};
	bool usable = cidr.address.family == AF_INET && cidr.length >= 16 && cidr.length <= 28;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		usable &= !cidr_overlaps(refused[i], cidr);
	return usable ? 0
		      : error_set(error, ERROR_VPC_RANGE, "The CIDR '%s' is invalid.",
				  cidr_format(cidr).text);
}

/* ---- what may stand beside what ---- */

/* The ranges that AWS tells apart; a block is within one of them, or "public": in none. */
enum range {
	RANGE_10,
	RANGE_172,
	RANGE_192,
	RANGE_198,
	RANGE_PUBLIC, /* 100.64.0.0/10 too */
};

static const struct cidr ranges[] = {
	[RANGE_10] = BLOCK(10, 0, 8),
	[RANGE_172] = BLOCK(172, 16, 12),
	[RANGE_192] = BLOCK(192, 168, 16),
	[RANGE_198] = BLOCK(198, 19, 16),
};

static enum range range_of(struct cidr cidr)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (cidr_covers(ranges[i], cidr))
			return (enum range)i;
	return RANGE_PUBLIC;
}

/*
 * "IPv4 CIDR block association restrictions", by the primary block: a private range is at home
 * with itself and what is public. Two ranges are AWS's own in part.
 */
static bool is_restricted(const struct vpc *vpc, struct cidr cidr)
{
	static const struct cidr low = BLOCK(10, 0, 15), lowest = BLOCK(10, 0, 16);
	static const struct cidr last = BLOCK(172, 31, 16);
	const enum range primary = range_of(vpc->cidrs[0].cidr), added = range_of(cidr);

	if (added != RANGE_PUBLIC && added != primary)
		return true;
	if (primary == RANGE_172 && cidr_covers(last, cidr))
		return true;
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (cidr_covers(low, vpc->cidrs[i].cidr) && cidr_covers(lowest, cidr))
			return true;
	return false;
}

static int conflict(struct cidr cidr, const char *what, const char *name, struct error *error)
{
	return error_set(error, ERROR_VPC_RANGE, "The CIDR '%s' conflicts with %s %s",
			 cidr_format(cidr).text, what, name);
}

static int check_overlap(const struct vpc *vpc, struct cidr cidr, struct error *error)
{
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (cidr_overlaps(vpc->cidrs[i].cidr, cidr))
			return conflict(cidr, "the VPC's CIDR block",
					cidr_format(vpc->cidrs[i].cidr).text, error);
	if (is_restricted(vpc, cidr))
		return error_set(error, ERROR_VPC_RANGE,
				 "The CIDR '%s' is restricted. Use a CIDR from the same private "
				 "address range as the current VPC CIDR, or use a "
				 "publicly-routable CIDR. For additional restrictions, see "
				 "https://docs.aws.amazon.com/vpc/latest/userguide/"
				 "vpc-cidr-blocks.html",
				 cidr_format(cidr).text);
	return 0;
}

/* A local route must not take what a route of the user's has in whole or in part. */
static int check_routes(const struct vpc *vpc, struct cidr cidr, struct error *error)
{
	for_each_resource (struct route_table, table, vpc->resource.scope, KIND_ROUTE_TABLE) {
		const struct route *route = route_within(table, cidr);

		if (rid_equal(table->vpc, vpc->resource.id) && route)
			return conflict(cidr, "the route to", cidr_format(route->destination).text,
					error);
	}
	return 0;
}

static int check_room(const struct model *model, const struct vpc *vpc, enum quota quota,
		      size_t count, struct error *error)
{
	const int64_t limit = quota_of(model, quota);

	if ((int64_t)count < limit)
		return 0;
	return error_set(error, ERROR_CIDR_LIMIT,
			 "This network '%s' has met its maximum number of allowed CIDRs: %" PRId64,
			 rid_format(vpc->resource.id).text, limit);
}

/* ---- verbs ---- */

int vpc_associate(struct transaction *transaction, struct vpc *vpc, struct cidr cidr,
		  const struct block **ret_block, struct error *error)
{
	const struct model *model = transaction->model;
	int r;

	if ((r = vpc_check_range(cidr, error)) < 0)
		return r;
	cidr = cidr_canonical(cidr);
	if ((r = check_room(model, vpc, QUOTA_VPC_BLOCKS, vpc->cidr_count, error)) < 0 ||
	    (r = check_overlap(vpc, cidr, error)) < 0 || (r = check_routes(vpc, cidr, error)) < 0 ||
	    (r = peering_check_block(transaction, vpc, cidr, error)) < 0)
		return r;
	transaction_edit(transaction, vpc);
	*ret_block = block_add(&vpc->cidrs, &vpc->cidr_count, KIND_VPC_CIDR_ASSOCIATION, cidr);
	route_tables_add_local(transaction, vpc, cidr);
	return 0;
}

/* Of the prefix for documentation (RFC 3849), which is nobody's. */
static struct cidr random_ipv6(void)
{
	static const uint8_t prefix[] = { 0x20, 0x01, 0x0d, 0xb8 };
	const uint64_t random = rid_new(KIND_VPC_CIDR_ASSOCIATION).n;
	struct cidr cidr = { { .family = AF_INET6 }, 56 };

	memcpy(cidr.address.bytes, prefix, sizeof(prefix));
	for (size_t i = 0; i < 3; i++)
		cidr.address.bytes[sizeof(prefix) + i] = (uint8_t)(random >> (8 * i));
	return cidr;
}

static bool is_taken(const struct model *model, struct cidr cidr)
{
	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct vpc, vpc, model->scopes[i], KIND_VPC)
			for (size_t j = 0; j < vpc->ipv6_cidr_count; j++)
				if (cidr_equal(vpc->ipv6_cidrs[j].cidr, cidr))
					return true;
	return false;
}

int vpc_associate_ipv6(struct transaction *transaction, struct vpc *vpc,
		       const struct block **ret_block, struct error *error)
{
	struct block *block;
	struct cidr cidr;
	int r;

	if ((r = check_room(transaction->model, vpc, QUOTA_VPC_IPV6_BLOCKS, vpc->ipv6_cidr_count,
			    error)) < 0)
		return r;
	do { /* there are 2^24 */
		cidr = random_ipv6();
	} while (is_taken(transaction->model, cidr));
	transaction_edit(transaction, vpc);
	block = block_add(&vpc->ipv6_cidrs, &vpc->ipv6_cidr_count, KIND_VPC_CIDR_ASSOCIATION, cidr);
	route_tables_add_local(transaction, vpc, cidr);
	acl_add_ipv6(transaction, vpc);
	group_add_ipv6(transaction, vpc);
	*ret_block = block;
	return 0;
}

struct vpc *vpc_find_association(const struct scope *scope, struct rid association,
				 const struct block **ret_block)
{
	for_each_resource (struct vpc, vpc, scope, KIND_VPC)
		if ((*ret_block = block_find(vpc->cidrs, vpc->cidr_count, association)) ||
		    (*ret_block = block_find(vpc->ipv6_cidrs, vpc->ipv6_cidr_count, association)))
			return vpc;
	return NULL;
}

static int check_unused(const struct vpc *vpc, struct cidr cidr, struct error *error)
{
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc->resource.id) && subnet_is_within(subnet, cidr))
			return error_set(error, ERROR_CIDR_IN_USE,
					 "The vpc %s currently has a subnet within CIDR block %s",
					 rid_format(vpc->resource.id).text, cidr_format(cidr).text);
	return 0;
}

int vpc_disassociate(struct transaction *transaction, struct vpc *vpc, const struct block *block,
		     struct error *error)
{
	const struct cidr cidr = block->cidr;
	const bool ipv6 = cidr.address.family == AF_INET6;
	int r;

	if (block == vpc->cidrs)
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "The vpc CIDR block with association ID %s may not be "
				 "disassociated. It is the primary IPv4 CIDR block of the VPC",
				 rid_format(block->association).text);
	if ((r = check_unused(vpc, cidr, error)) < 0)
		return r;
	transaction_edit(transaction, vpc);
	if (ipv6)
		array_remove(vpc->ipv6_cidrs, &vpc->ipv6_cidr_count,
			     (size_t)(block - vpc->ipv6_cidrs));
	else
		array_remove(vpc->cidrs, &vpc->cidr_count, (size_t)(block - vpc->cidrs));
	route_tables_remove_local(transaction, vpc, cidr);
	return 0;
}
