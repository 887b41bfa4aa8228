/* CIDR blocks of VPCs and subnets: see block.h. */
#include "model/block.h"

static const char *const state_names[] = { "associated", "associating", "disassociating", NULL };

#define BLOCK_FILTER "cidr-block-association."
#define IPV6_FILTER  "ipv6-cidr-block-association."

static const struct field state_fields[] = {
	FIELD_ENUM_OF(struct block, state, state_names, "state", BLOCK_FILTER "state", FIELD_SHOWN),
	FIELD_END,
};

static const struct field ipv6_state_fields[] = {
	FIELD_ENUM_OF(struct block, state, state_names, "state", IPV6_FILTER "state", FIELD_SHOWN),
	FIELD_END,
};

static const char *get_border_group(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return view->resource->scope->region;
}

const struct field vpc_block_fields[] = {
	FIELD_OF(struct block, association, FIELD_RID, "associationId",
		 BLOCK_FILTER "association-id", FIELD_BOTH),
	FIELD_OF(struct block, cidr, FIELD_CIDR, "cidrBlock", BLOCK_FILTER "cidr-block",
		 FIELD_BOTH),
	FIELD_CHILD_OF(child_self, state_fields, "cidrBlockState"),
	FIELD_END,
};

/* What the IPv6 blocks of VPCs and of subnets show. */
#define IPV6_BLOCK_FIELDS                                                                          \
	FIELD_OF(struct block, association, FIELD_RID, "associationId",                            \
		 IPV6_FILTER "association-id", FIELD_BOTH),                                        \
		FIELD_OF(struct block, cidr, FIELD_CIDR, "ipv6CidrBlock",                          \
			 IPV6_FILTER "ipv6-cidr-block", FIELD_BOTH),                               \
		FIELD_CHILD_OF(child_self, ipv6_state_fields, "ipv6CidrBlockState"),               \
		FIELD_CONST_OF("public", "ipv6AddressAttribute", NULL),                            \
		FIELD_CONST_OF("amazon", "ipSource", NULL)

const struct field vpc_ipv6_block_fields[] = {
	IPV6_BLOCK_FIELDS,
	FIELD_GET_OF(get_border_group, "networkBorderGroup", NULL),
	FIELD_CONST_OF("Amazon", "ipv6Pool", IPV6_FILTER "ipv6-pool"),
	FIELD_END,
};

const struct field subnet_block_fields[] = {
	IPV6_BLOCK_FIELDS,
	FIELD_END,
};

struct block *block_add(struct block **blocks, size_t *count, enum kind association,
			struct cidr cidr)
{
	struct block *block = array_grow(blocks, count);

	block->association = rid_new(association);
	block->cidr = cidr;
	return block;
}

struct block *block_find(struct block *blocks, size_t count, struct rid association)
{
	for (size_t i = 0; i < count; i++)
		if (rid_equal(blocks[i].association, association))
			return &blocks[i];
	return NULL;
}
