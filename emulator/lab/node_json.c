/* JSON that YAML lacks, and what reading either shares: see reader.h. */
#include "lab/reader.h"

#include "base/text.h"

#include <errno.h>
#include <jansson.h>

int reader_spend(struct reader_use *use, size_t bytes, size_t depth, const char **ret_reason)
{
	use->nodes++;
	use->bytes += bytes;
	if (depth > DOCUMENT_DEPTH_MAX)
		*ret_reason = "it is nested too deeply";
	else if (use->nodes > DOCUMENT_NODES_MAX || use->bytes > DOCUMENT_BYTES_MAX)
		*ret_reason = "it is too large";
	else
		return 0;
	return -EINVAL;
}

/* ---- keys given twice ---- */

struct member {
	struct node *node;
	size_t at;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *one = a, *other = b;
	int order = strcmp(one->node->key, other->node->key);

	return order ? order : one->at < other->at ? -1 : 1;
}

const struct node *reader_settle(struct node *map, size_t own)
{
	CLEANUP(freep) struct member *members = xcalloc(map->count + 1, sizeof(*members));
	const struct node *twice = NULL;
	size_t first = 0, kept = 0;

	for (size_t i = 0; i < map->count; i++)
		members[i] = (struct member){ map->items[i], i };
	qsort(members, map->count, sizeof(*members), compare_members);
	for (size_t i = 1; i < map->count; i++) {
		if (!streq(members[first].node->key, members[i].node->key))
			first = i;
		else if (members[i].at < own)
			twice = members[i].node;
		else
			node_freep(&map->items[members[i].at]);
	}
	for (size_t i = 0; i < map->count; i++)
		if (map->items[i])
			map->items[kept++] = map->items[i];
	map->count = kept;
	return twice;
}

/* ---- jansson ---- */

static void json_freep(json_t **json)
{
	json_decref(*json);
}

static char *text_of(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_STRING:
		return xstrdup(json_string_value(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return xstrdup(json_is_true(json) ? "true" : "false");
	case JSON_INTEGER:
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(json));
	case JSON_REAL:
		return xasprintf("%.17g", json_real_value(json));
	case JSON_NULL:
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return NULL;
}

/* NULL and the reason: it is too large. */
static struct node *convert(json_t *json, struct reader_use *use, size_t depth,
			    const char **ret_reason)
{
	CLEANUP(node_freep)
	struct node *node = node_new(json_is_object(json)  ? NODE_MAP
				     : json_is_array(json) ? NODE_LIST
				     : json_is_null(json)  ? NODE_NULL
							   : NODE_TEXT);
	struct node *item;
	const char *key;
	json_t *value;
	size_t i;

	if (reader_spend(use, json_is_string(json) ? json_string_length(json) : 0, depth,
			 ret_reason) < 0)
		return NULL;
	node->text = text_of(json);
	json_array_foreach(json, i, value)
	{
		item = convert(value, use, depth + 1, ret_reason);
		if (!item)
			return NULL;
		node_add(node, NULL, item);
	}
	json_object_foreach(json, key, value)
	{
		item = convert(value, use, depth + 1, ret_reason);
		if (!item)
			return NULL;
		node_add(node, key, item);
		use->bytes += strlen(key);
	}
	return steal(&node);
}

int reader_json(const char *text, size_t length, struct node **ret_node, size_t *ret_offset,
		struct error *error)
{
	struct reader_use use = { 0, 0 };
	CLEANUP(json_freep) json_t *json = NULL;
	const char *reason;
	json_error_t where;

	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!json) {
		*ret_offset = where.position < 0 ? 0 : (size_t)where.position;
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "JSON not well-formed. (line %d, column %d): %s", where.line,
				 where.column, where.text);
	}
	*ret_node = convert(json, &use, 0, &reason);
	*ret_offset = 0;
	return *ret_node ? 0 : error_set(error, ERROR_INVALID_TEMPLATE, "%s", reason);
}
