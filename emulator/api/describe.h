/*
 * The engine behind every Describe call: ids, filters, pages. Filters: "Filter.N.Name" with values
 * ORed and filters ANDed, wildcards * and ?, \ escapes; "tag:Key", "tag-key" and "tag-value".
 */
#pragma once

#include "api/call.h"

struct listing {
	const char *list; /* the reply's wrapper: "vpcSet" */
	enum kind kind;
	const char *ids;	    /* the parameter with ids: "VpcId"; NULL for none */
	const struct field *fields; /* NULL: the kind's own */
	long minimum, maximum;	    /* of MaxResults; 0: there are no pages */
	/* Filters that AWS documents for what nothing here has: they match nothing. "tag": any
	 * tag:Key. */
	const char *absent;
	/* Which resources the caller's scope sees; NULL: its own. */
	bool (*sees)(const struct resource *resource, const struct scope *scope);
	bool rows_are_tags; /* a row is a struct tag: tag filters are about it alone */
	bool no_tags;	    /* tag filters are unknown, although the kind has tags */
	bool mixed;	    /* not every row is a resource of the kind: pages count them */
	/* Opens and closes what is around items, for DescribeInstances; may be NULL. */
	void (*item)(struct call *call, const struct view *view, const struct view *previous,
		     bool last);
	/* Writes what an item has beside its fields; may be NULL. */
	void (*inside)(struct call *call, const struct view *view);
};

/* A growing list of what there is to show, before filters. */
struct rows {
	struct view *items;
	size_t count;
};

void rows_clear(struct rows *rows);
void rows_add(struct rows *rows, const struct call *call, const struct resource *resource,
	      const void *object);

/* Lists the caller's resources of the listing's kind. */
int describe_resources(struct call *call, const struct listing *listing, struct error *error);
/* The caller's resources of the kind: those named by ids, every one there, or all; in order. */
int resource_rows(struct call *call, const struct listing *listing, struct rows *rows,
		  struct error *error);
/* Lists given rows: filters, then pages. */
int describe_rows(struct call *call, const struct listing *listing, const struct rows *rows,
		  struct error *error);

/* True when `text` fits `pattern` with * and ? and \ escapes. */
bool wildcard_match(const char *pattern, const char *text);
