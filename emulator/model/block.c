/* CIDR blocks of VPCs: see block.h. */
#include "model/block.h"

static const char *const state_names[] = { "associated", "associating", "disassociating", NULL };

#define BLOCK_FILTER "cidr-block-association."

static const struct field vpc_state_fields[] = {
	FIELD_ENUM_OF(struct block, state, state_names, "state", BLOCK_FILTER "state", FIELD_SHOWN),
	FIELD_END,
};

const struct field vpc_block_fields[] = {
	FIELD_OF(struct block, association, FIELD_RID, "associationId",
		 BLOCK_FILTER "association-id", FIELD_BOTH),
	FIELD_OF(struct block, cidr, FIELD_CIDR, "cidrBlock", BLOCK_FILTER "cidr-block",
		 FIELD_BOTH),
	FIELD_CHILD_OF(child_self, vpc_state_fields, "cidrBlockState"),
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
