/*
 * The model on disk: one SQLite file (WAL, synchronous=FULL: what was committed survives a crash
 * and a power cut), one row per resource, its stored fields as JSON in the form its descriptor
 * says.
 */
#pragma once

#include "model/model.h"

struct store;

/*
 * What is stored, and how. It is raised with every change to a stored field of a resource, and a
 * step in migrate.c brings what was to what is.
 */
#define STORE_FORMAT 3

/*
 * Looks at a file without SQLite, which could change it: 0 when it is ours (an empty one may become
 * it), -ENOENT when there is none, -EBADMSG when it is something else.
 */
int store_probe(const char *path, struct error *error);

/*
 * Opens, or makes, the file. One of an older format is brought to today's, but nothing of that is
 * on disk before store_load() has read it. Errors: -EBADMSG when it is somebody else's or of a
 * later format; whatever SQLite says otherwise, in its own words.
 */
int store_open(const char *path, struct store **ret_store, struct error *error);
struct store *store_close(struct store *store); /* NULL is fine; always NULL */
void store_closep(struct store **store);

/*
 * Reads everything into an empty model. -EBADMSG, in words, when something in there is not as it
 * was written; until this has succeeded the file is as it was found.
 */
int store_load(struct store *store, struct model *model, struct error *error);
/*
 * Ids erased by the last save: if the program ended right after it, their kernel objects may still
 * be there. The caller frees the array.
 */
int store_orphans(struct store *store, struct rid **ret_ids, size_t *ret_count,
		  struct error *error);
/* An instance whose init runs, but would not outlive the daemon yet. */
struct provisional {
	struct rid id;
	bool fresh; /* it was made by this transaction: without it, it never was */
};

/*
 * Writes what a transaction changed, all or nothing, durably. `forward`: as it is after the
 * transaction; else as it was before. What the save before has left provisional or orphaned is that
 * no more.
 */
int store_save(struct store *store, const struct transaction *transaction, bool forward,
	       struct error *error);
/* The same, forward, and durably notes instances whose launch is still to be confirmed. */
int store_save_launch(struct store *store, const struct transaction *transaction,
		      const struct provisional *launched, size_t count, struct error *error);
/* They go on by themselves now. */
int store_confirm(struct store *store, struct error *error);
/* What was never confirmed. The caller frees the array. */
int store_provisional(struct store *store, struct provisional **ret_launched, size_t *ret_count,
		      struct error *error);
