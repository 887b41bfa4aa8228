/*
 * What `ps`, `actions`, `internet list` and other lists show, by a table of fields: read from a
 * List… reply or filled in, printed as a table or as JSON.
 */
#pragma once

#include "base/buffer.h"
#include "base/reply.h"

#include <jansson.h>

#define LISTING_FIELDS 15

struct listing_row {
	char *values[LISTING_FIELDS]; /* owned; NULL: absent */
};

struct listing_type;
extern const struct listing_type listing_instances; /* of ListInstances */
extern const struct listing_type listing_drops;	    /* of ListDrops */
extern const struct listing_type listing_nat;	    /* of ListNatGateways */
extern const struct listing_type listing_actions;   /* of ListActions */
extern const struct listing_type listing_hosts;	    /* of ListInternetHosts */
extern const struct listing_type listing_images;    /* of ListImages */
extern const struct listing_type listing_accounts;  /* of ListAccounts */
extern const struct listing_type listing_checks;    /* of no reply: filled in by check.c */
extern const struct listing_type listing_labs;	    /* of no reply: filled in by lab.c */
extern const struct listing_type listing_stacks;    /* filled in by stacks.c, for its table */
extern const struct listing_type listing_faults;    /* of ListFaults and the like */
extern const struct listing_type listing_drifts;    /* of Audit */
extern const struct listing_type listing_mended;    /* of Audit, with what became of it */

struct listing {
	const struct listing_type *type;
	struct listing_row *rows; /* owned */
	size_t count;
};

/* Terminated instances are left out unless `all`. */
void listing_read(const struct reply *reply, const struct listing_type *type, bool all,
		  struct listing *ret_listing);
void listing_clear(struct listing *listing); /* for CLEANUP() */

/* Aligned columns below a header; what is absent is "-". No drops: a line that says so. */
void listing_table(const struct listing *listing, struct buffer *buffer);
/* An array of objects named as in the API's reply; what is absent is null. */
void listing_json(const struct listing *listing, struct buffer *buffer);
/* "json", else a table. */
void listing_put(const struct listing *listing, const char *format, struct buffer *buffer);
/* Any JSON as every verb prints it. Takes the reference. */
void listing_document(json_t *json, struct buffer *buffer);
/* Reads and prints. */
void listing_print(const struct reply *reply, const struct listing_type *type, bool all,
		   const char *format, struct buffer *buffer);
