/*
 * What two lists of kernel objects differ in, as changes that lead from one to the other. For this
 * room alone.
 */
#pragma once

#include "netlink/kernel.h"

struct change_list {
	struct change *items; /* owned */
	size_t count;
};
void change_list_clear(struct change_list *list); /* for CLEANUP() too */
/* `before` or `after` may be NULL: there is nothing. */
void change_list_add(struct change_list *changes, const struct object *before,
		     const struct object *after);

/* Appends copies of what each of the lists has. */
void object_list_append(const struct object_list *lists, size_t count, struct object_list *ret);
/* Pointers to a list's objects, sorted by identity, for look-ups; the caller frees them. */
const struct object **objects_sorted(const struct object_list *list);
/* NULL: there is none of that identity. */
const struct object *objects_find(const struct object **pointers, size_t count,
				  const struct object *object);

/*
 * Two lists of the same are mostly alike: in their order all objects up to `first` pair off, and so
 * do the last `last`. Only those between have to be looked for; a large VPC's subnets have tens of
 * thousands of routes, of which one more subnet changes a few.
 */
struct difference {
	const struct object_list *have, *want;
	size_t first, last;
	bool differs; /* a pair does, in more than its names */
};
struct difference difference_of(const struct object_list *have, const struct object_list *want);
/* What is too much, from the last to the first. */
void difference_delete(const struct difference *it, struct change_list *changes);
/* What is missing or different, from the first to the last. */
void difference_put(const struct difference *it, struct change_list *changes);
/* What a namespace holds goes with it: no need to take it apart first. */
void drop_what_goes_anyway(struct change_list *changes);
