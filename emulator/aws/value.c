/* What is typed behind an option as a value of the model: see value.h. */
#include "aws/value.h"

#include "aws/shorthand.h"
#include "base/base64.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

int aws_fail(struct aws_failure *failure, enum aws_status status, const char *format, ...)
{
	va_list arguments;

	buffer_clear(&failure->text);
	va_start(arguments, format);
	buffer_vprintf(&failure->text, format, arguments);
	va_end(arguments);
	failure->status = status;
	return -EINVAL;
}

void aws_json_freep(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

/* As Python reads text: every kind of line end is a newline. */
static void unify_newlines(struct buffer *text)
{
	size_t out = 0;

	for (size_t i = 0; i < text->length; i++) {
		if (text->data[i] == '\r' && text->data[i + 1] == '\n')
			continue;
		text->data[out++] = text->data[i] == '\r' ? '\n' : text->data[i];
	}
	if (text->data)
		text->data[out] = '\0';
	text->length = out;
}

static int read_file(const char *path, struct buffer *text)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : buffer_read(text, fd, SIZE_MAX);
}

static bool is_text(const struct buffer *text)
{
	CLEANUP(aws_json_freep)
	json_t *json = json_stringn(text->data ? text->data : "", text->length);

	return json != NULL;
}

int aws_value_load(const struct aws_reading *reading, const char *option, const char *word,
		   struct buffer *ret_text, bool *ret_binary)
{
	const bool binary = strncmp(word, "fileb://", 8) == 0;
	const char *path = word + (binary ? 8 : 7), *home = getenv("HOME");
	CLEANUP(freep) char *expanded = NULL;
	int r;

	*ret_binary = binary;
	if (!binary && strncmp(word, "file://", 7) != 0) {
		buffer_puts(ret_text, word);
		return 0;
	}
	expanded = xasprintf("%s%s", path[0] == '~' && path[1] == '/' && home ? home : "",
			     path[0] == '~' && path[1] == '/' && home ? path + 1 : path);
	r = read_file(expanded, ret_text);
	if (r < 0)
		return aws_fail(reading->failure, AWS_USAGE,
				"Error parsing parameter '%s': Unable to load paramfile %s: "
				"[Errno %d] %s: '%s'",
				option, word, -r, strerror(-r), expanded);
	if (binary)
		return 0;
	if (!is_text(ret_text))
		return aws_fail(reading->failure, AWS_USAGE,
				"Error parsing parameter '%s': Unable to load paramfile (%s), text "
				"contents could not be decoded.  If this is a binary file, please "
				"use the fileb:// prefix instead of the file:// prefix.",
				option, expanded);
	unify_newlines(ret_text);
	return 0;
}

static int read_json(const struct aws_reading *reading, const char *option, const char *text,
		     json_t **ret_json)
{
	json_error_t error;

	*ret_json = json_loads(text, JSON_DECODE_ANY, &error);
	if (*ret_json)
		return 0;
	return aws_fail(reading->failure, AWS_USAGE,
			"Error parsing parameter '%s': Invalid JSON: %s: line %d column %d (char "
			"%d)\nJSON received: %s",
			option, error.text, error.line, error.column, error.position, text);
}

static int read_number(const struct aws_reading *reading, char type, const char *text,
		       json_t **ret_json)
{
	char *end;

	errno = 0;
	*ret_json =
		type == 'i' ? json_integer(strtoll(text, &end, 10)) : json_real(strtod(text, &end));
	while (isspace((unsigned char)*end))
		end++;
	if (*text && !*end && errno == 0 && *ret_json)
		return 0;
	json_decref(*ret_json);
	*ret_json = NULL;
	if (type == 'i')
		return aws_fail(reading->failure, AWS_FAILED,
				"invalid literal for int() with base 10: '%s'", text);
	return aws_fail(reading->failure, AWS_FAILED, "could not convert string to float: '%s'",
			text);
}

json_t *aws_value_base64(const char *bytes, size_t length)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	base64_write(bytes, length, 0, &text);
	return json_stringn(text.data ? text.data : "", text.length);
}

/* Bytes, as they are sent. */
static int read_bytes(const struct aws_reading *reading, const struct buffer *text, bool binary,
		      json_t **ret_json)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT;

	if (binary || reading->raw) {
		*ret_json = aws_value_base64(text->data, text->length);
		return 0;
	}
	if (base64_read(text->data ? text->data : "", text->length, &bytes) < 0)
		return aws_fail(reading->failure, AWS_FAILED, "Invalid base64: \"%s\"", text->data);
	*ret_json = aws_value_base64(bytes.data, bytes.length);
	return 0;
}

static int read_scalar(const struct aws_reading *reading, const struct aws_member *member,
		       const char *option, const struct buffer *text, bool binary,
		       json_t **ret_json)
{
	const char *data = text->data ? text->data : "";

	switch (member->type) {
	case 'i':
	case 'd':
		return read_number(reading, member->type, data, ret_json);
	case 'b':
		*ret_json = json_boolean(*data && strcasecmp(data, "false") != 0);
		return 0;
	case 'x':
		return read_bytes(reading, text, binary, ret_json);
	default:
		*ret_json = json_stringn(data, text->length);
	}
	if (*ret_json)
		return 0;
	return aws_fail(reading->failure, AWS_USAGE,
			"Error parsing parameter '%s': this is not text in UTF-8", option);
}

static const char *first_of(const struct buffer *text)
{
	const char *c = text->data ? text->data : "";

	while (isspace((unsigned char)*c))
		c++;
	return c;
}

/* A structure whose only member is the word `Value`: that may stand alone. */
static bool is_plain_value(const struct aws_shape *shape, const char *text)
{
	return shape->count == 1 && streq(shape->members[0].name, "Value") &&
	       shape->members[0].type == 's' && !shape->members[0].lists && !strchr(text, '=');
}

/* One structure, of JSON or shorthand. */
static int read_structure(const struct aws_reading *reading, const struct aws_member *member,
			  const char *option, const struct buffer *text, json_t **ret_json)
{
	const struct aws_shape *shape = aws_model_inside(reading->model, member);
	const char *first = first_of(text);
	CLEANUP(aws_json_freep) json_t *json = NULL;
	int r;

	if (*first == '{') {
		r = read_json(reading, option, text->data, &json);
	} else if (*first == '[') {
		r = aws_fail(reading->failure, AWS_USAGE,
			     "Error parsing parameter '%s': Invalid JSON:\n%s", option, text->data);
	} else if (!member->lists && is_plain_value(shape, first)) {
		*ret_json = json_pack("{s:s}", "Value", text->data ? text->data : "");
		return 0;
	} else {
		r = aws_shorthand_read(reading, shape, option, text->data ? text->data : "", &json);
	}
	if (r < 0 || (r = aws_value_encode(reading, shape, json)) < 0)
		return r;
	*ret_json = steal(&json);
	return 0;
}

/* A whole list in one word of JSON. */
static int read_list(const struct aws_reading *reading, const struct aws_member *member,
		     const char *option, const char *text, json_t **ret_json)
{
	CLEANUP(aws_json_freep) json_t *json = NULL;
	json_t *item;
	size_t i;
	int r = read_json(reading, option, text, &json);

	if (r < 0)
		return r;
	json_array_foreach(json, i, item)
	{
		if (member->type == 'S' &&
		    (r = aws_value_encode(reading, aws_model_inside(reading->model, member),
					  item)) < 0)
			return r;
	}
	*ret_json = steal(&json);
	return 0;
}

static int read_item(const struct aws_reading *reading, const struct aws_member *member,
		     const char *option, const struct buffer *text, bool binary, json_t **ret_json)
{
	if (member->type == 'S')
		return read_structure(reading, member, option, text, ret_json);
	return read_scalar(reading, member, option, text, binary, ret_json);
}

int aws_value_read(const struct aws_reading *reading, const struct aws_member *member,
		   const char *option, char *const *words, size_t count, json_t **ret_json)
{
	CLEANUP(aws_json_freep) json_t *list = json_array();
	bool binary = false;
	int r;

	for (size_t i = 0; i < count; i++) {
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
		json_t *item = NULL;

		/* Of several, a file is none: so does the AWS CLI. */
		if (count == 1)
			r = aws_value_load(reading, option, words[i], &text, &binary);
		else
			r = (buffer_puts(&text, words[i]), 0);
		if (r < 0)
			return r;
		if (member->lists && count == 1 && *first_of(&text) == '[')
			return read_list(reading, member, option, text.data, ret_json);
		r = read_item(reading, member, option, &text, binary, &item);
		if (r < 0)
			return r;
		if (!member->lists) {
			*ret_json = item;
			return 0;
		}
		json_array_append_new(list, item);
	}
	*ret_json = steal(&list);
	return 0;
}

static int encode_member(const struct aws_reading *reading, const struct aws_member *member,
			 json_t *json, json_t **ret_new)
{
	json_t *item;
	size_t i;
	int r;

	if (json_is_array(json)) {
		json_array_foreach(json, i, item)
		{
			json_t *new = NULL;

			if ((r = encode_member(reading, member, item, &new)) < 0)
				return r;
			if (new)
				json_array_set_new(json, i, new);
		}
		return 0;
	}
	if (member->type == 'S')
		return aws_value_encode(reading, aws_model_inside(reading->model, member), json);
	if (member->type == 'x' && json_is_string(json)) {
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

		buffer_append(&text, json_string_value(json), json_string_length(json));
		return read_bytes(reading, &text, false, ret_new);
	}
	return 0;
}

int aws_value_encode(const struct aws_reading *reading, const struct aws_shape *shape, json_t *json)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct aws_member *member = &shape->members[i];
		json_t *value = json_object_get(json, member->name), *new = NULL;
		int r = value ? encode_member(reading, member, value, &new) : 0;

		if (r < 0)
			return r;
		if (new)
			json_object_set_new(json, member->name, new);
	}
	return 0;
}
