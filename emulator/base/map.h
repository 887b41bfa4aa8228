/*
 * A hash map from a 128-bit key to a pointer it does not own. Open addressing; the order of a walk
 * is not defined and the map must not change during one.
 */
#pragma once

#include "base/id.h"

struct map_key {
	uint64_t a, b;
};

struct map_slot {
	struct map_key key;
	void *value; /* NULL: free */
};

struct map {
	struct map_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

static inline struct map_key map_key_rid(struct rid id)
{
	return (struct map_key){ id.kind, id.n };
}

void map_clear(struct map *map);			  /* frees the table, not the values */
void *map_get(const struct map *map, struct map_key key); /* NULL when absent */
/* Puts `value` (not NULL) under `key`; returns what was there before, or NULL. */
void *map_put(struct map *map, struct map_key key, void *value);
void *map_take(struct map *map, struct map_key key); /* removes; NULL when absent */

#define map_for_each(map, slot)                                                                    \
	for (struct map_slot *slot = (map)->slots;                                                 \
	     (map)->capacity && slot < (map)->slots + (map)->capacity; slot++)                     \
		if (slot->value)
