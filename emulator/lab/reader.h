/*
 * How documents are read: what node_yaml.c and node_json.c share. JSON is read by libyaml too, for
 * its places; what YAML lacks of it (surrogate pairs, keys of more than 1024 characters) is read
 * again by jansson.
 */
#pragma once

#include "lab/node.h"

#define DOCUMENT_SIZE_MAX  ((size_t)1 << 20) /* CloudFormation quotas: a template from S3 */
#define DOCUMENT_DEPTH_MAX 100
#define DOCUMENT_NODES_MAX 200000
#define DOCUMENT_BYTES_MAX ((size_t)8 << 20) /* of texts, with all that aliases copied */

/* What a document has used. */
struct reader_use {
	size_t nodes, bytes;
};

/* -EINVAL and a reason once the document is too large or too deep, else 0. */
int reader_spend(struct reader_use *use, size_t bytes, size_t depth, const char **ret_reason);

/*
 * Of a map's members with the same key those after the first `own` ones, which merge keys brought,
 * give way to earlier ones. Returns the later of two of the others, or NULL.
 */
const struct node *reader_settle(struct node *map, size_t own);

/*
 * JSON by jansson, without places. On failure *ret_offset is how far it came (0: it is well-formed,
 * but too large).
 */
int reader_json(const char *text, size_t length, struct node **ret_node, size_t *ret_offset,
		struct error *error);
