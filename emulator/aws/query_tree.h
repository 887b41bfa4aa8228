/*
 * A query taken apart, for the three files that make it, walk it and know its functions.
 */
#pragma once

#include "aws/query.h"

enum query_kind {
	QUERY_IDENTITY,	  /* @ */
	QUERY_FIELD,	  /* name */
	QUERY_LITERAL,	  /* `1`, 'word' */
	QUERY_INTO,	  /* children one in what the other found: a.b, a[0], a | b */
	QUERY_INDEX,	  /* [0] */
	QUERY_SLICE,	  /* [0:2:1] */
	QUERY_FLATTEN,	  /* of its child: a[] */
	QUERY_EACH,	  /* the second of each that the first found: a[*].b */
	QUERY_EACH_VALUE, /* the same of an object's values: a.*.b */
	QUERY_FILTER,	  /* the same where the third holds: a[?c].b */
	QUERY_COMPARE,	  /* == != < <= > >= */
	QUERY_AND,
	QUERY_OR,
	QUERY_NOT,
	QUERY_LIST,	/* [a, b] */
	QUERY_HASH,	/* {x: a, y: b} */
	QUERY_FUNCTION, /* name(a, b) */
	QUERY_DEFERRED, /* &a, what a function is given */
};

struct query_node {
	enum query_kind kind;
	char *text;	 /* a field's or function's name, a comparison */
	json_t *literal; /* and a hash's keys, as an array */
	long numbers[3]; /* an index; a slice's start, stop and step */
	bool given[3];
	struct query_node **children; /* owned */
	size_t count;
};

struct aws_query {
	struct query_node *root;
	struct aws_failure *failure; /* of the search that goes on */
};

/* Never 0 and a NULL: `ret_found` is json_null() where there is nothing. */
int query_walk(const struct aws_query *query, const struct query_node *node, json_t *json,
	       json_t **ret_found);
/* A function of values that were found already; NULL where a deferred child is. */
int query_function(const struct aws_query *query, const struct query_node *node, json_t **arguments,
		   json_t **ret_found);
/* Neither null, false nor empty. */
bool query_holds(const json_t *json);
bool query_equal(const json_t *a, const json_t *b);

/* Fails with a text; frees nothing. */
int query_parse(const char *text, struct query_node **ret_root, char **ret_wrong);
void query_free(struct query_node *node);
