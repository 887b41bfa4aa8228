/* The functions of --query (JMESPath's built-in ones): each with the types that it takes. */
#include "aws/json.h"
#include "aws/query_tree.h"

#include <errno.h>
#include <math.h>

/* n(umber), s(tring), a(rray), o(bject), b(oolean), z: null, e: an expression, *: anything. */
static const char *type_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "number";
	case JSON_NULL:
		return "null";
	default:
		return "boolean";
	}
}

static bool takes(const char *types, const json_t *json)
{
	if (!json)
		return strchr(types, 'e');
	return strchr(types, '*') || strchr(types, json_is_null(json) ? 'z' : *type_name(json));
}

struct call {
	const struct aws_query *query;
	const struct query_node *node;
	json_t **arguments;
};

static json_t *number_of(double value)
{
	return value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value)
							   : json_real(value);
}

static int wrong(const struct call *call, const char *what)
{
	return aws_fail(call->query->failure, AWS_FAILED, "In function %s(), %s", call->node->text,
			what);
}

/* <0, 0, >0; numbers and strings alone can be compared, with their like. */
static int order(const json_t *a, const json_t *b)
{
	double x, y;

	if (json_is_string(a))
		return strcmp(json_string_value(a), json_string_value(b));
	x = json_number_value(a);
	y = json_number_value(b);
	return (x > y) - (x < y);
}

struct keyed {
	size_t place;
	json_t *key, *item; /* the key is owned */
};

static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int r = order(x->key, y->key);

	return r ? r : (x->place > y->place) - (x->place < y->place);
}

static void free_keyed(struct keyed *keyed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_decref(keyed[i].key);
	free(keyed);
}

/* An array's items with what they are sorted by: themselves, or what the expression finds. */
static int read_keyed(const struct call *call, struct keyed **ret_keyed)
{
	const struct query_node *by = call->node->count > 1 ? call->node->children[1] : NULL;
	const size_t count = json_array_size(call->arguments[0]);
	struct keyed *keyed = xcalloc(count + 1, sizeof(*keyed));
	json_t *item;
	size_t i;

	json_array_foreach(call->arguments[0], i, item)
	{
		int r = 0;

		keyed[i] = (struct keyed){ i, NULL, item };
		if (by)
			r = query_walk(call->query, by->children[0], item, &keyed[i].key);
		else
			keyed[i].key = json_incref(item);
		if (r == 0 && !json_is_number(keyed[i].key) && !json_is_string(keyed[i].key))
			r = wrong(call, "what is compared must be numbers or strings");
		if (r == 0 && json_is_string(keyed[i].key) != json_is_string(keyed[0].key))
			r = wrong(call, "numbers can't be compared with strings");
		if (r < 0) {
			free_keyed(keyed, i + 1);
			return r;
		}
	}
	*ret_keyed = keyed;
	return 0;
}

static int call_sort(const struct call *call, json_t **ret_found)
{
	const size_t count = json_array_size(call->arguments[0]);
	struct keyed *keyed = NULL;
	int r = read_keyed(call, &keyed);

	if (r < 0)
		return r;
	qsort(keyed, count, sizeof(*keyed), compare_keyed);
	*ret_found = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append(*ret_found, keyed[i].item);
	free_keyed(keyed, count);
	return 0;
}

/* The first of the greatest, or of the least. */
static int call_extreme(const struct call *call, json_t **ret_found)
{
	const int sign = strncmp(call->node->text, "max", 3) == 0 ? 1 : -1;
	const size_t count = json_array_size(call->arguments[0]);
	struct keyed *keyed = NULL;
	size_t best = 0;
	int r = read_keyed(call, &keyed);

	if (r < 0)
		return r;
	for (size_t i = 1; i < count; i++)
		if (order(keyed[i].key, keyed[best].key) * sign > 0)
			best = i;
	*ret_found = count ? json_incref(keyed[best].item) : json_null();
	free_keyed(keyed, count);
	return 0;
}

static int call_number(const struct call *call, json_t **ret_found)
{
	const double value = json_number_value(call->arguments[0]);
	const char *name = call->node->text;

	*ret_found =
		number_of(streq(name, "abs") ? fabs(value)
					     : (streq(name, "ceil") ? ceil(value) : floor(value)));
	return 0;
}

static int call_sum(const struct call *call, json_t **ret_found)
{
	const size_t count = json_array_size(call->arguments[0]);
	double sum = 0;
	json_t *item;
	size_t i;

	json_array_foreach(call->arguments[0], i, item)
	{
		if (!json_is_number(item))
			return wrong(call, "what is added must be numbers");
		sum += json_number_value(item);
	}
	if (streq(call->node->text, "sum"))
		*ret_found = number_of(sum);
	else
		*ret_found = count ? json_real(sum / (double)count) : json_null();
	return 0;
}

static int call_contains(const struct call *call, json_t **ret_found)
{
	const json_t *in = call->arguments[0], *what = call->arguments[1];
	bool found = false;
	json_t *item;
	size_t i;

	if (json_is_string(in))
		found = json_is_string(what) &&
			strstr(json_string_value(in), json_string_value(what));
	json_array_foreach(in, i, item)
	{
		found |= query_equal(item, what);
	}
	*ret_found = json_boolean(found);
	return 0;
}

static int call_affix(const struct call *call, json_t **ret_found)
{
	const char *text = json_string_value(call->arguments[0]);
	const char *affix = json_string_value(call->arguments[1]);
	const size_t length = strlen(text), part = strlen(affix);
	const char *at = streq(call->node->text, "starts_with") ? text : text + length - part;

	*ret_found = json_boolean(part <= length && strncmp(at, affix, part) == 0);
	return 0;
}

static int call_join(const struct call *call, json_t **ret_found)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	json_t *item;
	size_t i;

	json_array_foreach(call->arguments[1], i, item)
	{
		if (!json_is_string(item))
			return wrong(call, "what is joined must be strings");
		buffer_printf(&text, "%s%s", i ? json_string_value(call->arguments[0]) : "",
			      json_string_value(item));
	}
	*ret_found = json_string(text.data ? text.data : "");
	return 0;
}

static int call_members(const struct call *call, json_t **ret_found)
{
	const char *name;
	json_t *value;

	*ret_found = json_array();
	json_object_foreach(call->arguments[0], name, value)
	{
		if (streq(call->node->text, "keys"))
			json_array_append_new(*ret_found, json_string(name));
		else
			json_array_append(*ret_found, value);
	}
	return 0;
}

/* In characters, not in bytes. */
static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static int call_length(const struct call *call, json_t **ret_found)
{
	const json_t *of = call->arguments[0];
	size_t length = json_is_string(of)  ? characters(json_string_value(of))
			: json_is_array(of) ? json_array_size(of)
					    : json_object_size(of);

	*ret_found = json_integer((json_int_t)length);
	return 0;
}

static int call_map(const struct call *call, json_t **ret_found)
{
	CLEANUP(aws_json_freep) json_t *found = json_array();
	json_t *item;
	size_t i;

	json_array_foreach(call->arguments[1], i, item)
	{
		json_t *each = NULL;
		int r = query_walk(call->query, call->node->children[0]->children[0], item, &each);

		if (r < 0)
			return r;
		json_array_append_new(found, each);
	}
	*ret_found = steal(&found);
	return 0;
}

static int call_merge(const struct call *call, json_t **ret_found)
{
	*ret_found = json_object();
	for (size_t i = 0; i < call->node->count; i++)
		json_object_update(*ret_found, call->arguments[i]);
	return 0;
}

static int call_not_null(const struct call *call, json_t **ret_found)
{
	size_t i = 0;

	while (i < call->node->count && json_is_null(call->arguments[i]))
		i++;
	*ret_found = i < call->node->count ? json_incref(call->arguments[i]) : json_null();
	return 0;
}

static int call_reverse(const struct call *call, json_t **ret_found)
{
	const json_t *of = call->arguments[0];
	const char *text = json_string_value(of), *end;
	struct buffer reversed = BUFFER_INIT;

	if (!text) {
		*ret_found = json_array();
		for (size_t i = json_array_size(of); i-- > 0;)
			json_array_append(*ret_found, json_array_get(of, i));
		return 0;
	}
	/* Character by character, each from its first byte on. */
	end = text + strlen(text);
	for (const char *c = end; c-- > text;) {
		if (((unsigned char)*c & 0xc0) == 0x80)
			continue;
		buffer_append(&reversed, c, (size_t)(end - c));
		end = c;
	}
	*ret_found = json_string(reversed.data ? reversed.data : "");
	buffer_clear(&reversed);
	return 0;
}

static int call_to_array(const struct call *call, json_t **ret_found)
{
	json_t *of = call->arguments[0];

	*ret_found = json_is_array(of) ? json_incref(of) : json_pack("[O]", of);
	return 0;
}

static int call_to_number(const struct call *call, json_t **ret_found)
{
	json_t *of = call->arguments[0];
	const char *text = json_string_value(of);
	json_t *number = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_incref(of);

	if (!json_is_number(number)) {
		json_decref(number);
		number = json_null();
	}
	*ret_found = number;
	return 0;
}

static int call_to_string(const struct call *call, json_t **ret_found)
{
	json_t *of = call->arguments[0];
	CLEANUP(freep) char *text = json_dumps(of, JSON_COMPACT | JSON_ENCODE_ANY);

	*ret_found = json_is_string(of) ? json_incref(of) : json_string(text);
	return 0;
}

static int call_type(const struct call *call, json_t **ret_found)
{
	*ret_found = json_string(type_name(call->arguments[0]));
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct call *call, json_t **ret_found);
	const char *types[2]; /* of the arguments */
	bool more;	      /* any number of the first, one at least */
} functions[] = {
	{ "abs", call_number, { "n", NULL }, false },
	{ "avg", call_sum, { "a", NULL }, false },
	{ "ceil", call_number, { "n", NULL }, false },
	{ "contains", call_contains, { "as", "*" }, false },
	{ "ends_with", call_affix, { "s", "s" }, false },
	{ "floor", call_number, { "n", NULL }, false },
	{ "join", call_join, { "s", "a" }, false },
	{ "keys", call_members, { "o", NULL }, false },
	{ "length", call_length, { "sao", NULL }, false },
	{ "map", call_map, { "e", "a" }, false },
	{ "max", call_extreme, { "a", NULL }, false },
	{ "max_by", call_extreme, { "a", "e" }, false },
	{ "merge", call_merge, { "o", NULL }, true },
	{ "min", call_extreme, { "a", NULL }, false },
	{ "min_by", call_extreme, { "a", "e" }, false },
	{ "not_null", call_not_null, { "*", NULL }, true },
	{ "reverse", call_reverse, { "as", NULL }, false },
	{ "sort", call_sort, { "a", NULL }, false },
	{ "sort_by", call_sort, { "a", "e" }, false },
	{ "starts_with", call_affix, { "s", "s" }, false },
	{ "sum", call_sum, { "a", NULL }, false },
	{ "to_array", call_to_array, { "*", NULL }, false },
	{ "to_number", call_to_number, { "*", NULL }, false },
	{ "to_string", call_to_string, { "*", NULL }, false },
	{ "type", call_type, { "*", NULL }, false },
	{ "values", call_members, { "o", NULL }, false },
};

/* "expected one of: ['string', 'array']", as Python lists it. */
static int wrong_type(const struct call *call, const char *types, const json_t *given)
{
	static const char *const names[] = { "array",  "boolean", "expref",
					     "number", "object",  "string" };
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	buffer_puts(&text, "invalid type for value: ");
	if (given)
		aws_json_python(given, false, &text);
	buffer_puts(&text, ", expected one of: [");
	for (const char *type = types; *type; type++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (*names[i] == *type)
				buffer_printf(&text, "%s'%s'", type > types ? ", " : "", names[i]);
	buffer_printf(&text, "], received: \"%s\"", given ? type_name(given) : "expref");
	return wrong(call, text.data);
}

static int check(const struct call *call, size_t function)
{
	const size_t wanted = functions[function].types[1] ? 2 : 1, count = call->node->count;
	const bool more = functions[function].more;

	if (more ? count < 1 : count != wanted)
		return aws_fail(call->query->failure, AWS_FAILED,
				"Expected %zu argument%s for function %s(), received %zu", wanted,
				wanted > 1 ? "s" : "", call->node->text, count);
	for (size_t i = 0; i < count; i++) {
		const char *types = functions[function].types[more ? 0 : i];
		const json_t *given = call->arguments[i];

		if (takes(types, given))
			continue;
		return wrong_type(call, types, given);
	}
	return 0;
}

int query_function(const struct aws_query *query, const struct query_node *node, json_t **arguments,
		   json_t **ret_found)
{
	const struct call call = { query, node, arguments };
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(functions) && !streq(functions[i].name, node->text))
		i++;
	if (i == ARRAY_SIZE(functions))
		return aws_fail(query->failure, AWS_FAILED, "Unknown function: %s()", node->text);
	r = check(&call, i);
	return r < 0 ? r : functions[i].run(&call, ret_found);
}
