/*
 * A reply of the API: an XML document, read by element names. Only reply.c sees Expat.
 */
#pragma once

#include "base/error.h"

struct reply;

/* Fails with -EBADMSG when the text isn't one well-formed document. */
int reply_parse(const char *text, size_t length, struct reply **ret_reply, struct error *error);
void reply_freep(struct reply **reply);

/*
 * The text of the document's first element of that name, in document order; NULL when there is
 * none or it is empty. The caller frees it.
 */
char *reply_text(const struct reply *reply, const char *name);
/* What an element is called; see below. Borrowed. */
const char *reply_name(const void *element);
/* An unsigned decimal number of at most `max`; fails with -EBADMSG. */
int reply_number(const struct reply *reply, const char *name, uint64_t max, uint64_t *ret_number,
		 struct error *error);
/*
 * Walks the <item>s right below the first element `set`: `item` is NULL for the first; NULL when
 * there is no other.
 */
const void *reply_next(const struct reply *reply, const char *set, const void *item);
/* The text of the item's own child `name`; NULL when absent or empty. The caller frees it. */
char *reply_item_text(const void *item, const char *name);
/* The same, borrowed from the reply; `path` leads down: "association/publicIp". */
const char *reply_item_value(const void *item, const char *path);
/* Walks the <item>s right below what `path` leads to in the item, as reply_next(). */
const void *reply_item_next(const void *item, const char *path, const void *previous);
/* Those of the <item>s in the item's own child `set`, with commas between them; the same. */
char *reply_item_list(const void *item, const char *set, const char *name);

/* Elements one by one: the outermost, the first right below another, the next beside it; NULL when
 * there is none. */
const void *reply_root(const struct reply *reply);
const void *reply_child(const void *element);
const void *reply_sibling(const void *element);
const void *reply_child_named(const void *element, const char *name);
/* An element's text, "" when it has none; borrowed. */
const char *reply_content(const void *element);
