/* --query: see query.h. Here a query is walked over a value. */
#include "aws/query.h"

#include "aws/query_tree.h"

#include <errno.h>

int aws_query_compile(const char *text, struct aws_query **ret_query, struct aws_failure *failure)
{
	struct query_node *root = NULL;
	CLEANUP(freep) char *wrong = NULL;

	if (query_parse(text, &root, &wrong) < 0)
		return aws_fail(failure, AWS_USAGE, "Bad value for --query %s: %s", text, wrong);
	*ret_query = xcalloc(1, sizeof(**ret_query));
	(*ret_query)->root = root;
	return 0;
}

void aws_query_freep(struct aws_query **query)
{
	if (*query)
		query_free((*query)->root);
	free(*query);
	*query = NULL;
}

bool query_holds(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return json_object_size(json) > 0;
	case JSON_ARRAY:
		return json_array_size(json) > 0;
	case JSON_STRING:
		return json_string_length(json) > 0;
	case JSON_FALSE:
	case JSON_NULL:
		return false;
	default:
		return true;
	}
}

bool query_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b);
}

static json_t *compare(const char *sign, const json_t *a, const json_t *b)
{
	double x = json_number_value(a), y = json_number_value(b);

	if (streq(sign, "=="))
		return json_boolean(query_equal(a, b));
	if (streq(sign, "!="))
		return json_boolean(!query_equal(a, b));
	if (!json_is_number(a) || !json_is_number(b))
		return json_null();
	if (streq(sign, "<"))
		return json_boolean(x < y);
	if (streq(sign, "<="))
		return json_boolean(x <= y);
	return json_boolean(streq(sign, ">") ? x > y : x >= y);
}

static json_t *at_index(const json_t *json, long index)
{
	const long size = (long)json_array_size(json);
	json_t *found = json_array_get(json, (size_t)(index < 0 ? index + size : index));

	return index >= -size && found ? json_incref(found) : json_null();
}

/* As Python slices. */
static json_t *slice(const struct query_node *node, const json_t *json)
{
	const long size = (long)json_array_size(json);
	const long step = node->given[2] ? node->numbers[2] : 1;
	const long low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
	long ends[2] = { step < 0 ? high : low, step < 0 ? low : high };
	json_t *found;

	if (!json_is_array(json))
		return json_null();
	for (size_t i = 0; i < 2; i++)
		if (node->given[i])
			ends[i] =
				MAX(MIN(node->numbers[i] + (node->numbers[i] < 0 ? size : 0), high),
				    low);
	found = json_array();
	for (long i = ends[0]; step > 0 ? i < ends[1] : i > ends[1]; i += step)
		json_array_append(found, json_array_get(json, (size_t)i));
	return found;
}

static json_t *flatten(const json_t *json)
{
	json_t *found, *item;
	size_t i;

	if (!json_is_array(json))
		return json_null();
	found = json_array();
	json_array_foreach(json, i, item)
	{
		if (json_is_array(item))
			json_array_extend(found, item);
		else
			json_array_append(found, item);
	}
	return found;
}

/* An object's values as an array, an array as it is; NULL: neither. */
static json_t *items_of(const struct query_node *node, json_t *json)
{
	const char *name;
	json_t *items, *value;

	if (node->kind != QUERY_EACH_VALUE)
		return json_is_array(json) ? json_incref(json) : NULL;
	if (!json_is_object(json))
		return NULL;
	items = json_array();
	json_object_foreach(json, name, value)
	{
		json_array_append(items, value);
	}
	return items;
}

/* `a` and the like, of each of what was found. */
static int walk_each(const struct aws_query *query, const struct query_node *node, json_t *json,
		     json_t **ret_found)
{
	CLEANUP(aws_json_freep) json_t *items = items_of(node, json);
	CLEANUP(aws_json_freep) json_t *found = json_array();
	json_t *item;
	size_t i;

	if (!items) {
		*ret_found = json_null();
		return 0;
	}
	json_array_foreach(items, i, item)
	{
		CLEANUP(aws_json_freep) json_t *holds = NULL;
		json_t *each = NULL;
		int r = 0;

		if (node->kind == QUERY_FILTER)
			r = query_walk(query, node->children[2], item, &holds);
		if (r < 0)
			return r;
		if (holds && !query_holds(holds))
			continue;
		if ((r = query_walk(query, node->children[1], item, &each)) < 0)
			return r;
		if (json_is_null(each))
			json_decref(each);
		else
			json_array_append_new(found, each);
	}
	*ret_found = steal(&found);
	return 0;
}

/* [a, b] and {x: a, y: b} */
static int walk_several(const struct aws_query *query, const struct query_node *node, json_t *json,
			json_t **ret_found)
{
	CLEANUP(aws_json_freep)
	json_t *found = node->kind == QUERY_LIST ? json_array() : json_object();

	if (json_is_null(json)) {
		*ret_found = json_null();
		return 0;
	}
	for (size_t i = 0; i < node->count; i++) {
		json_t *each = NULL;
		int r = query_walk(query, node->children[i], json, &each);

		if (r < 0)
			return r;
		if (node->kind == QUERY_LIST)
			json_array_append_new(found, each);
		else
			json_object_set_new(
				found, json_string_value(json_array_get(node->literal, i)), each);
	}
	*ret_found = steal(&found);
	return 0;
}

static int walk_function(const struct aws_query *query, const struct query_node *node, json_t *json,
			 json_t **ret_found)
{
	json_t **arguments = xcalloc(node->count + 1, sizeof(*arguments));
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->count; i++)
		if (node->children[i]->kind != QUERY_DEFERRED)
			r = query_walk(query, node->children[i], json, &arguments[i]);
	if (r == 0)
		r = query_function(query, node, arguments, ret_found);
	for (size_t i = 0; i < node->count; i++)
		json_decref(arguments[i]);
	free(arguments);
	return r;
}

/* What is done with what the first child found in the value. */
static int walk_second(const struct aws_query *query, const struct query_node *node, json_t *json,
		       json_t *first, json_t **ret_found)
{
	CLEANUP(aws_json_freep) json_t *second = NULL;
	int r;

	switch (node->kind) {
	case QUERY_INTO:
		return query_walk(query, node->children[1], first, ret_found);
	case QUERY_FLATTEN:
		*ret_found = flatten(first);
		return 0;
	case QUERY_NOT:
		*ret_found = json_boolean(!query_holds(first));
		return 0;
	case QUERY_AND:
	case QUERY_OR:
		if (query_holds(first) == (node->kind == QUERY_AND))
			return query_walk(query, node->children[1], json, ret_found);
		*ret_found = json_incref(first);
		return 0;
	case QUERY_COMPARE:
		if ((r = query_walk(query, node->children[1], json, &second)) < 0)
			return r;
		*ret_found = compare(node->text, first, second);
		return 0;
	default:
		return walk_each(query, node, first, ret_found);
	}
}

int query_walk(const struct aws_query *query, const struct query_node *node, json_t *json,
	       json_t **ret_found)
{
	CLEANUP(aws_json_freep) json_t *first = NULL;
	json_t *field;
	int r;

	switch (node->kind) {
	case QUERY_IDENTITY:
		*ret_found = json_incref(json);
		return 0;
	case QUERY_FIELD:
		field = json_object_get(json, node->text);
		*ret_found = field ? json_incref(field) : json_null();
		return 0;
	case QUERY_LITERAL:
		*ret_found = json_incref(node->literal);
		return 0;
	case QUERY_INDEX:
		*ret_found = at_index(json, node->numbers[0]);
		return 0;
	case QUERY_SLICE:
		*ret_found = slice(node, json);
		return 0;
	case QUERY_LIST:
	case QUERY_HASH:
		return walk_several(query, node, json, ret_found);
	case QUERY_FUNCTION:
		return walk_function(query, node, json, ret_found);
	case QUERY_DEFERRED:
		return aws_fail(query->failure, AWS_FAILED, "&: only for a function to take");
	default:
		if ((r = query_walk(query, node->children[0], json, &first)) < 0)
			return r;
		return walk_second(query, node, json, first, ret_found);
	}
}

int aws_query_search(const struct aws_query *query, const json_t *json, json_t **ret_found,
		     struct aws_failure *failure)
{
	const struct aws_query searching = { query->root, failure };
	json_t *mutable;

	memcpy(&mutable, &json, sizeof(mutable)); /* to count its owners */
	return query_walk(&searching, query->root, mutable, ret_found);
}
