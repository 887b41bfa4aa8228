/*
 * CIDR blocks that are associated with a VPC or a subnet.
 */
#pragma once

#include "model/common.h"

enum block_state {
	BLOCK_ASSOCIATED, /* every one that there is */
	/* In replies only: what is asked for is done when the reply leaves. */
	BLOCK_ASSOCIATING,
	BLOCK_DISASSOCIATING,
};

struct block {
	struct rid association; /* KIND_VPC_CIDR_ASSOCIATION, KIND_SUBNET_CIDR_ASSOCIATION */
	struct cidr cidr;	/* canonical */
	int state;		/* enum block_state; not stored */
};

extern const struct field vpc_block_fields[];
extern const struct field vpc_ipv6_block_fields[];
extern const struct field subnet_block_fields[]; /* IPv6 ones */

/* Appends a block under a new association. */
struct block *block_add(struct block **blocks, size_t *count, enum kind association,
			struct cidr cidr);
/* The block of that association, or NULL. */
struct block *block_find(struct block *blocks, size_t count, struct rid association);
