/* Parameters become a request: see request.h. */
#include "aws/request.h"

#include "aws/json.h"

#include <errno.h>
#include <sys/random.h>

/* What is found wrong, a line each. */
struct faults {
	struct aws_model *model;
	struct buffer text;
};

static void check_shape(struct faults *faults, const struct aws_shape *shape, json_t *json,
			const char *path);

/* A word of random bits for a token that isn't given (RFC 9562, 5.4). */
static json_t *make_token(void)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	return json_sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
			    b[11], b[12], b[13], b[14], b[15]);
}

/* A type of Python, as the AWS CLI calls it. */
static const char *python_type(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "dict";
	case JSON_ARRAY:
		return "list";
	case JSON_STRING:
		return "str";
	case JSON_INTEGER:
		return "int";
	case JSON_REAL:
		return "float";
	case JSON_TRUE:
	case JSON_FALSE:
		return "bool";
	default:
		return "NoneType";
	}
}

static void wrong_type(struct faults *faults, const char *path, const json_t *json,
		       const char *wanted)
{
	CLEANUP(buffer_clear) struct buffer value = BUFFER_INIT;

	aws_json_python(json, false, &value);
	buffer_printf(
		&faults->text,
		"\nInvalid type for parameter %s, value: %s, type: <class '%s'>, valid types: "
		"%s",
		path, value.data, python_type(json), wanted);
}

static bool is_type(const json_t *json, char type, const char **ret_wanted)
{
	switch (type) {
	case 'i':
		*ret_wanted = "<class 'int'>";
		return json_is_integer(json);
	case 'd':
		*ret_wanted = "<class 'float'>, <class 'decimal.Decimal'>, <class 'int'>";
		return json_is_number(json);
	case 'b':
		*ret_wanted = "<class 'bool'>";
		return json_is_boolean(json);
	case 'm':
	case 'S':
		*ret_wanted = "<class 'dict'>";
		return json_is_object(json);
	default:
		*ret_wanted = "<class 'str'>";
		return json_is_string(json);
	}
}

static void check_least(struct faults *faults, const struct aws_member *member, const json_t *json,
			const char *path)
{
	const bool is_number = member->type == 'i';
	long long value =
		is_number ? json_integer_value(json) : (long long)json_string_length(json);

	if (member->least && value < member->least)
		buffer_printf(&faults->text,
			      "\nInvalid %s for parameter %s, value: %lld, valid min %s: %ld",
			      is_number ? "value" : "length", path, value,
			      is_number ? "value" : "length", member->least);
}

static void check_map(struct faults *faults, json_t *json, const char *path)
{
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value)
	{
		CLEANUP(freep) char *longer = xasprintf("%s.%s", path, key);

		if (!json_is_string(value))
			wrong_type(faults, longer, value, "<class 'str'>");
	}
}

static void check_value(struct faults *faults, const struct aws_member *member, size_t lists,
			json_t *json, const char *path)
{
	const char *wanted;
	json_t *item;
	size_t i;

	if (lists) {
		if (!json_is_array(json)) {
			wrong_type(faults, path, json, "<class 'list'>, <class 'tuple'>");
			return;
		}
		json_array_foreach(json, i, item)
		{
			CLEANUP(freep) char *longer = xasprintf("%s[%zu]", path, i);

			check_value(faults, member, lists - 1, item, longer);
		}
	} else if (!is_type(json, member->type, &wanted)) {
		wrong_type(faults, path, json, wanted);
	} else if (member->type == 'S') {
		check_shape(faults, aws_model_inside(faults->model, member), json, path);
	} else if (member->type == 'm') {
		check_map(faults, json, path);
	} else {
		check_least(faults, member, json, path);
	}
}

static void unknown(struct faults *faults, const struct aws_shape *shape, const char *path,
		    const char *name)
{
	buffer_printf(&faults->text,
		      "\nUnknown parameter in %s: \"%s\", must be one of: ", *path ? path : "input",
		      name);
	for (size_t i = 0; i < shape->count; i++)
		buffer_printf(&faults->text, "%s%s", i ? ", " : "", shape->members[i].name);
}

static void check_shape(struct faults *faults, const struct aws_shape *shape, json_t *json,
			const char *path)
{
	const char *name;
	json_t *value;

	for (size_t i = 0; i < shape->count; i++)
		if (shape->members[i].needed && !json_object_get(json, shape->members[i].name))
			buffer_printf(&faults->text, "\nMissing required parameter in %s: \"%s\"",
				      *path ? path : "input", shape->members[i].name);
	json_object_foreach(json, name, value)
	{
		if (!aws_shape_member(shape, name))
			unknown(faults, shape, path, name);
	}
	json_object_foreach(json, name, value)
	{
		const struct aws_member *member = aws_shape_member(shape, name);
		CLEANUP(freep) char *longer = xasprintf("%s%s%s", path, *path ? "." : "", name);

		if (member)
			check_value(faults, member, member->lists, value, longer);
	}
}

int aws_request_check(struct aws_model *model, const struct aws_action *action, json_t *parameters,
		      struct aws_failure *failure)
{
	const struct aws_shape *shape = aws_model_shape(model, action->input);
	struct faults faults = { .model = model, .text = BUFFER_INIT };
	int r = 0;

	for (size_t i = 0; shape && i < shape->count; i++)
		if (shape->members[i].token && !json_object_get(parameters, shape->members[i].name))
			json_object_set_new(parameters, shape->members[i].name, make_token());
	if (shape)
		check_shape(&faults, shape, parameters, "");
	if (faults.text.length)
		r = aws_fail(failure, AWS_USAGE, "Parameter validation failed:%s",
			     faults.text.data);
	buffer_clear(&faults.text);
	return r;
}

static void put(struct buffer *body, const char *name, const char *text, size_t length)
{
	buffer_printf(body, "&%s=", name);
	buffer_escape(body, text, length, "");
}

static void put_scalar(struct buffer *body, const char *name, const json_t *json)
{
	CLEANUP(buffer_clear) struct buffer number = BUFFER_INIT;

	if (json_is_string(json)) {
		put(body, name, json_string_value(json), json_string_length(json));
	} else if (json_is_boolean(json)) {
		put(body, name, json_is_true(json) ? "true" : "false", json_is_true(json) ? 4 : 5);
	} else {
		aws_json_python(json, false, &number);
		put(body, name, number.data, number.length);
	}
}

static void put_shape(struct aws_model *model, const struct aws_shape *shape, const json_t *json,
		      const char *prefix, struct buffer *body);

/* NAME.entry.1.key=…&NAME.entry.1.value=… */
static void put_map(json_t *json, const char *name, struct buffer *body)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	json_object_foreach(json, key, value)
	{
		CLEANUP(freep) char *key_name = xasprintf("%s.entry.%zu.key", name, ++i);
		CLEANUP(freep) char *value_name = xasprintf("%s.entry.%zu.value", name, i);

		put(body, key_name, key, strlen(key));
		put_scalar(body, value_name, value);
	}
}

static void put_value(struct aws_model *model, const struct aws_member *member, json_t *json,
		      const char *name, struct buffer *body)
{
	const bool query = aws_model_protocol(model) == AWS_PROTOCOL_QUERY;
	json_t *item;
	size_t i;

	if (json_is_array(json)) {
		if (query && json_array_size(json) == 0)
			put(body, name, "", 0);
		json_array_foreach(json, i, item)
		{
			CLEANUP(freep)
			char *longer = xasprintf("%s.%s%zu", name, query ? "member." : "", i + 1);

			put_value(model, member, item, longer, body);
		}
	} else if (member->type == 'S') {
		put_shape(model, aws_model_inside(model, member), json, name, body);
	} else if (member->type == 'm') {
		put_map(json, name, body);
	} else {
		put_scalar(body, name, json);
	}
}

static void put_shape(struct aws_model *model, const struct aws_shape *shape, const json_t *json,
		      const char *prefix, struct buffer *body)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct aws_member *member = &shape->members[i];
		json_t *value = json_object_get(json, member->name);
		CLEANUP(freep)
		char *name = xasprintf("%s%s%s", prefix, *prefix ? "." : "", member->query);

		if (value)
			put_value(model, member, value, name, body);
	}
}

void aws_request_write(struct aws_model *model, const struct aws_action *action,
		       const json_t *parameters, struct buffer *body)
{
	const struct aws_shape *shape = aws_model_shape(model, action->input);

	if (aws_model_protocol(model) == AWS_PROTOCOL_JSON) {
		aws_json_write(parameters, body);
		return;
	}
	buffer_printf(body, "Action=%s&Version=%s", action->name, aws_model_version(model));
	if (shape)
		put_shape(model, shape, parameters, "", body);
}
