/*
 * The instances as `ps` shows them: read from a ListInstances reply, printed as a table or as JSON.
 */
#pragma once

#include "base/buffer.h"
#include "cli/reply.h"

#define LISTING_FIELDS 10

struct listing_row {
	char *values[LISTING_FIELDS]; /* owned; NULL: absent */
};

struct listing {
	struct listing_row *rows; /* owned */
	size_t count;
};

/* Terminated instances are left out unless `all`. */
void listing_read(const struct reply *reply, bool all, struct listing *ret_listing);
void listing_clear(struct listing *listing); /* for CLEANUP() */

/* Aligned columns below a header; what is absent is "-". */
void listing_table(const struct listing *listing, struct buffer *buffer);
/* An array of objects named as in the API's reply; what is absent is null. */
void listing_json(const struct listing *listing, struct buffer *buffer);
