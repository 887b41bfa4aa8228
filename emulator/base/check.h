/* What a machine was looked at for, thing by thing: `minivpc check`. */
#pragma once

#include "base/util.h"

struct check {
	const char *name;  /* static */
	const char *costs; /* what there is not without it; static */
	bool needed;	   /* nothing works without it */
	bool is_there;
	char *detail; /* owned; how much there is, or why it is missing; NULL: nothing to say */
};

struct check_list {
	struct check *items; /* owned */
	size_t count;
};

static inline void check_list_clear(struct check_list *list) /* for CLEANUP() too */
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].detail);
	free(list->items);
	*list = (struct check_list){ NULL, 0 };
}
