/*
 * Tags. EC2 user guide, "Tag your Amazon EC2 resources": up to 50, keys of 1 to 128 characters not
 * beginning with "aws:", values up to 256.
 */
#pragma once

#include "model/model.h"

/* Sets or overwrites one. ERROR_TAG_KEY_MALFORMED, ERROR_INVALID_PARAMETER_VALUE, ERROR_TAG_LIMIT.
 */
int tag_set(struct transaction *transaction, struct resource *resource, const char *key,
	    const char *value, struct error *error);
/* Sets one of AWS's own, "aws:…", which no client may set and no quota counts. */
void tag_set_own(struct transaction *transaction, struct resource *resource, const char *key,
		 const char *value);
/* Removes one, if its value is `value` (NULL: whatever it is); not there is fine. */
void tag_remove(struct transaction *transaction, struct resource *resource, const char *key,
		const char *value);
/* The kind that a ResourceType word names ("vpc", "internet-gateway"); KIND_NONE. */
enum kind tag_kind(const char *word);
