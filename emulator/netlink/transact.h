/*
 * A transaction in the making. Changes become messages (apply.c), messages to one namespace that
 * follow each other go out together, and their answers are settled with the steps they belong to
 * (settle.c); transact.c runs it all and undoes it when something fails.
 *
 * Two things wait. A removed link costs the kernel the same whether alone or with a thousand
 * others, so links are removed together, before the next thing is put or at the end. Removing a
 * namespace can't be undone, so that comes last of all (or when its name is wanted again).
 */
#pragma once

#include "base/map.h"
#include "netlink/batch.h"
#include "netlink/handle.h"

struct step {
	bool removed;	   /* `before` was there and is gone by our doing */
	bool added;	   /* `after` was not there and is, by our doing */
	bool marked;	   /* the link is in the group that will be removed */
	int32_t old_value; /* of a sysctl */
};

struct transaction {
	struct channels *channels;
	struct kernel *kernel;
	const struct change *changes;
	struct step *steps; /* one for each change, owned */
	size_t count;
	const struct object *object; /* what is being applied, for errors */
	struct batch batch;
	bool intervals; /* it puts elements of interval sets, see apply.c */
	size_t *links;	/* steps whose link waits for its removal, owned */
	size_t link_count;
	struct map doomed;	  /* namespaces that wait for theirs: rid → step */
	struct rid found_ns;	  /* what was dumped last, to compare with */
	struct object_list found; /* in order of key */
	/* When undoing, a failure stops nothing: the first is kept here. Else NULL. */
	struct error *first_failure;
};

/* apply.c. Makes the messages of step `i`, or does what needs none. */
int transaction_apply(struct transaction *t, size_t i, struct error *error);

/* transact.c. What waits is done now. */
int transaction_finish_links(struct transaction *t, struct error *error);
int transaction_finish_namespace(struct transaction *t, struct rid ns, struct error *error);

/* settle.c */
/*
 * Makes the batch one for (ns, protocol) with room for one more change; sends what is there if it
 * has to. 1: nothing done, for there is no such namespace and `deleting` says that this is fine.
 */
int transaction_open(struct transaction *t, struct rid ns, int protocol, bool deleting,
		     struct error *error);
/* Sends the batch and settles its steps; there is no batch afterwards. */
int transaction_flush(struct transaction *t, struct error *error);
