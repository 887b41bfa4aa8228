/*
 * What fabric.c and audit.c share: what is thought to be in the kernel.
 */
#pragma once

#include "fabric/difference.h"
#include "fabric/fabric.h"

/* What a facet has in the kernel, as far as we know. */
struct applied {
	struct facet_key key;
	struct object_list objects;
};

/* The references that a subnet's lists have, as applied. */
struct applied_references {
	struct reference_list list;
};

struct fabric {
	struct kernel *kernel;
	const struct model *model;
	struct filters *filters;
	struct map applied;    /* facet → struct applied */
	struct map references; /* subnet → struct applied_references */
	uint64_t stamp;	       /* of what references are made of, as applied */
	/*
	 * Elements that nothing points at any more, but packets that were on their way may still
	 * ask for: what was superseded before the last sweep and since.
	 */
	struct object_list doomed, superseded;
	/* Pairs whose removal the kernel has refused: some were made again, without what was on
	 * them in an instance. */
	struct object_list doubtful;
};

/* Every facet of the model, in the order of its kinds, and what each wants: an array of lists,
 * which the caller gives to wanted_free(). */
struct object_list *wanted_by_facet(const struct model *model, struct filters *filters,
				    struct facet_set *set);
void wanted_free(struct object_list *lists, size_t count);
/* The kernel has all of that now: takes the lists over. */
void fabric_remember(struct fabric *fabric, const struct facet_set *set,
		     struct object_list *wanted);
