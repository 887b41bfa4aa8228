/*
 * A document as a tree of texts, lists and maps, each with its place in the file: YAML as
 * CloudFormation takes it, or JSON, which is read the same way. Numbers and booleans stay the texts
 * they were written as; short tags are spelled out (!GetAtt A.B is { "Fn::GetAtt": ["A", "B"] }).
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

enum node_type {
	NODE_NULL,
	NODE_TEXT,
	NODE_LIST,
	NODE_MAP,
};

struct node {
	enum node_type type;
	char *key;  /* of a map's member; else NULL */
	char *text; /* NODE_TEXT */
	struct node **items;
	size_t count;
	unsigned int line, column; /* from 1; 0: it was made, not read */
};

/*
 * ERROR_INVALID_TEMPLATE with the place in the text: no well-formed document, a key given twice, an
 * unknown tag, more than one document, too deep or too large (a template has 1 MB at most:
 * CloudFormation quotas). Anchors and aliases are copies, bounded too.
 */
int node_parse(const char *text, size_t length, struct node **ret_node, struct error *error);
void node_freep(struct node **node);

struct node *node_new(enum node_type type);
struct node *node_text_new(const char *text); /* copied */
struct node *node_copy(const struct node *node);
/* Takes `item` over; `key` (copied) is for maps, else NULL. Returns `item`. */
struct node *node_add(struct node *parent, const char *key, struct node *item);

/* The member of a map; NULL when `node` is NULL, no map, or has none. */
struct node *node_get(const struct node *node, const char *key);
/* The text of such a member; NULL when it is none. */
const char *node_get_text(const struct node *node, const char *key);
/* Maps in any order; places don't count. */
bool node_equal(const struct node *a, const struct node *b);

/* As compact JSON, maps in their order; and back (places are lost). */
void node_json(const struct node *node, struct buffer *ret_text);
