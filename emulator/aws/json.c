/* JSON values as text: see json.h. */
#include "aws/json.h"

#include <math.h>
#include <stdio.h>

/* The shortest that reads back the same; a whole number keeps its ".0". */
static void put_real(double value, struct buffer *text)
{
	char number[32];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(number, sizeof(number), "%.*g", digits, value);
		if (strtod(number, NULL) == value)
			break;
	}
	if (strchr(number, 'e') && fabs(value) >= 1 && fabs(value) < 1e16)
		snprintf(number, sizeof(number), "%.0f", value);
	buffer_puts(text, number);
	if (!strpbrk(number, ".en"))
		buffer_puts(text, ".0");
}

static void put_string(const json_t *json, struct buffer *text)
{
	const char *c = json_string_value(json), *end = c + json_string_length(json);

	buffer_putc(text, '"');
	for (; c < end; c++) {
		const char *escaped = strchr("\"\"\\\\\nn\rr\tt\ff\bb", *c);

		if (*c == '"' || *c == '\\')
			buffer_printf(text, "\\%c", *c);
		else if (*c && escaped && (unsigned char)*c < 0x20)
			buffer_printf(text, "\\%c", escaped[1]);
		else if ((unsigned char)*c < 0x20)
			buffer_printf(text, "\\u%04x", (unsigned int)*c);
		else
			buffer_putc(text, *c);
	}
	buffer_putc(text, '"');
}

static void indent(size_t depth, struct buffer *text)
{
	buffer_printf(text, "\n%*s", (int)depth * 4, "");
}

static void put(const json_t *json, size_t depth, struct buffer *text);

static void put_object(const json_t *json, size_t depth, struct buffer *text)
{
	const char *name, *separator = "{";
	json_t *value, *mutable;

	memcpy(&mutable, &json, sizeof(mutable)); /* which walking it doesn't change */
	json_object_foreach(mutable, name, value)
	{
		CLEANUP(freep) char *copy = xstrdup(name);
		json_t *key = json_string(copy);

		buffer_puts(text, separator);
		indent(depth + 1, text);
		put_string(key, text);
		json_decref(key);
		buffer_puts(text, ": ");
		put(value, depth + 1, text);
		separator = ",";
	}
	if (*separator == ',')
		indent(depth, text);
	buffer_puts(text, *separator == ',' ? "}" : "{}");
}

static void put_array(const json_t *json, size_t depth, struct buffer *text)
{
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value)
	{
		buffer_puts(text, i ? "," : "[");
		indent(depth + 1, text);
		put(value, depth + 1, text);
	}
	if (i)
		indent(depth, text);
	buffer_puts(text, i ? "]" : "[]");
}

static void put(const json_t *json, size_t depth, struct buffer *text)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		put_object(json, depth, text);
		break;
	case JSON_ARRAY:
		put_array(json, depth, text);
		break;
	case JSON_STRING:
		put_string(json, text);
		break;
	case JSON_INTEGER:
		buffer_number(text, json_integer_value(json));
		break;
	case JSON_REAL:
		put_real(json_real_value(json), text);
		break;
	case JSON_TRUE:
		buffer_puts(text, "true");
		break;
	case JSON_FALSE:
		buffer_puts(text, "false");
		break;
	case JSON_NULL:
		buffer_puts(text, "null");
	}
}

void aws_json_write(const json_t *json, struct buffer *text)
{
	put(json, 0, text);
}

static void put_python_object(const json_t *json, struct buffer *text)
{
	const char *name, *separator = "";
	json_t *value, *mutable;

	memcpy(&mutable, &json, sizeof(mutable));
	buffer_putc(text, '{');
	json_object_foreach(mutable, name, value)
	{
		buffer_printf(text, "%s'%s': ", separator, name);
		aws_json_python(value, true, text);
		separator = ", ";
	}
	buffer_putc(text, '}');
}

void aws_json_python(const json_t *json, bool quoted, struct buffer *text)
{
	json_t *value;
	size_t i;

	if (json_is_object(json)) {
		put_python_object(json, text);
	} else if (json_is_array(json)) {
		buffer_putc(text, '[');
		json_array_foreach(json, i, value)
		{
			buffer_puts(text, i ? ", " : "");
			aws_json_python(value, true, text);
		}
		buffer_putc(text, ']');
	} else if (json_is_string(json)) {
		const char *quote = strchr(json_string_value(json), '\'') ? "\"" : "'";

		buffer_puts(text, quoted ? quote : "");
		buffer_append(text, json_string_value(json), json_string_length(json));
		buffer_puts(text, quoted ? quote : "");
	} else if (json_is_boolean(json)) {
		buffer_puts(text, json_is_true(json) ? "True" : "False");
	} else if (json_is_null(json)) {
		buffer_puts(text, "None");
	} else {
		put(json, 0, text);
	}
}
