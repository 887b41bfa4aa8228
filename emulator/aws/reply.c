/* What a service answers, as the AWS CLI has it: see reply.h. */
#include "aws/reply.h"

#include "base/base64.h"
#include "base/reply.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static json_t *read_shape(struct aws_model *model, const struct aws_shape *shape, const void *node);

/* "2024-05-01T12:34:56.000Z" as Python has it: with the zone as an offset, no empty fraction. */
static json_t *read_time(const char *text)
{
	const char *dot = strchr(text, '.');
	char fraction[8] = "";
	int length = (int)strcspn(text, ".Z+");

	if (length != 19)
		return json_string(text);
	if (dot && strspn(dot + 1, "0123456789") &&
	    strspn(dot + 1, "0") != strspn(dot + 1, "0123456789")) {
		size_t digits = MIN(strspn(dot + 1, "0123456789"), (size_t)6);

		snprintf(fraction, sizeof(fraction), ".%.*s%.*s", (int)digits, dot + 1,
			 (int)(6 - digits), "000000");
	}
	return json_sprintf("%.*s%s+00:00", length, text, fraction);
}

/* Seconds since 1970, as JSON has it: in the zone where we are. */
static json_t *local_time(double seconds)
{
	time_t whole = (time_t)seconds;
	long micro = (long)((seconds - (double)whole) * 1e6 + 0.5);
	char text[32], fraction[16] = "";
	struct tm tm;
	long offset;

	localtime_r(&whole, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	if (micro)
		snprintf(fraction, sizeof(fraction), ".%06ld", micro % 1000000);
	offset = tm.tm_gmtoff / 60;
	return json_sprintf("%s%s%c%02ld:%02ld", text, fraction, offset < 0 ? '-' : '+',
			    labs(offset) / 60, labs(offset) % 60);
}

static json_t *read_text(char type, const char *text)
{
	switch (type) {
	case 'i':
		return json_integer(strtoll(text, NULL, 10));
	case 'd':
		return json_real(strtod(text, NULL));
	case 'b':
		return json_boolean(streq(text, "true"));
	case 't':
		return read_time(text);
	default:
		return json_string(text);
	}
}

/* `lists`: how many there are around what the member is; whatever an item is called. */
static json_t *read_value(struct aws_model *model, const struct aws_member *member, size_t lists,
			  const void *node)
{
	json_t *list;

	if (!lists)
		return member->type == 'S'
			       ? read_shape(model, aws_model_inside(model, member), node)
			       : read_text(member->type, reply_content(node));
	list = json_array();
	for (const void *item = reply_child(node); item; item = reply_sibling(item))
		json_array_append_new(list, read_value(model, member, lists - 1, item));
	return list;
}

static json_t *read_shape(struct aws_model *model, const struct aws_shape *shape, const void *node)
{
	json_t *json = json_object();

	for (size_t i = 0; i < shape->count; i++) {
		const struct aws_member *member = &shape->members[i];
		const void *child = reply_child_named(node, member->wire);

		if (child)
			json_object_set_new(json, member->name,
					    read_value(model, member, member->lists, child));
	}
	return json;
}

static json_t *copy_shape(struct aws_model *model, const struct aws_shape *shape,
			  const json_t *json);

static json_t *copy_value(struct aws_model *model, const struct aws_member *member, json_t *json)
{
	json_t *list, *item;
	size_t i;

	if (json_is_object(json) && member->type == 'S')
		return copy_shape(model, aws_model_inside(model, member), json);
	if (json_is_number(json) && member->type == 't')
		return local_time(json_number_value(json));
	if (!json_is_array(json))
		return json_incref(json);
	list = json_array();
	json_array_foreach(json, i, item)
	{
		json_array_append_new(list, copy_value(model, member, item));
	}
	return list;
}

/* JSON in the model's order. */
static json_t *copy_shape(struct aws_model *model, const struct aws_shape *shape,
			  const json_t *json)
{
	json_t *copy = json_object();

	for (size_t i = 0; i < shape->count; i++) {
		const struct aws_member *member = &shape->members[i];
		json_t *value = json_object_get(json, member->wire);

		if (value && !json_is_null(value))
			json_object_set_new(copy, member->name, copy_value(model, member, value));
	}
	return copy;
}

static int no_reply(const struct buffer *body, struct aws_failure *failure)
{
	return aws_fail(failure, AWS_FAILED,
			"Unable to parse response, invalid reply received. Further retries may "
			"succeed:\n%s",
			body->data ? body->data : "");
}

/* What the console has said is base64 on the wire; what is no text in it is replaced. */
static void decode_console(json_t *json)
{
	const char *text = json_string_value(json_object_get(json, "Output"));
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer output = BUFFER_INIT;

	if (!text || base64_read(text, strlen(text), &bytes) < 0)
		return;
	for (size_t i = 0; i < bytes.length;) {
		const char *c = bytes.data + i;
		size_t length = (unsigned char)*c < 0x80 ? 1 : text_character(c);

		buffer_append(&output, length ? c : "\xef\xbf\xbd", length ? length : 3);
		i += length ? length : 1;
	}
	json_object_set_new(json, "Output",
			    json_stringn(output.data ? output.data : "", output.length));
}

/* A template that is JSON is shown as that, not as text. */
static void decode_template(json_t *json)
{
	const char *text = json_string_value(json_object_get(json, "TemplateBody"));
	json_t *body = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	if (body)
		json_object_set_new(json, "TemplateBody", body);
}

int aws_reply_read(struct aws_model *model, const struct aws_action *action,
		   const struct buffer *body, json_t **ret_json, struct aws_failure *failure)
{
	const struct aws_shape *shape = aws_model_shape(model, action->output);
	CLEANUP(aws_json_freep) json_t *json = NULL;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct error error = ERROR_INIT;
	const void *node;

	if (!shape) {
		*ret_json = json_object();
		return 0;
	}
	if (aws_model_protocol(model) == AWS_PROTOCOL_JSON) {
		json = json_loads(body->data ? body->data : "", 0, NULL);
		if (!json)
			return no_reply(body, failure);
		*ret_json = copy_shape(model, shape, json);
		return 0;
	}
	if (reply_parse(body->data ? body->data : "", body->length, &reply, &error) < 0)
		return no_reply(body, failure);
	node = reply_root(reply);
	/* <AssumeRoleResponse><AssumeRoleResult>… */
	if (aws_model_protocol(model) == AWS_PROTOCOL_QUERY) {
		CLEANUP(freep) char *wrapper = xasprintf("%sResult", action->name);

		node = reply_child_named(node, wrapper);
		if (!node)
			return no_reply(body, failure);
	}
	*ret_json = read_shape(model, shape, node);
	if (streq(action->name, "GetConsoleOutput"))
		decode_console(*ret_json);
	if (streq(action->name, "GetTemplate"))
		decode_template(*ret_json);
	return 0;
}

void aws_reply_error(struct aws_model *model, const struct buffer *body, char **ret_code,
		     char **ret_message)
{
	CLEANUP(aws_json_freep) json_t *json = NULL;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct error error = ERROR_INIT;
	const char *data = body->data ? body->data : "";

	*ret_code = *ret_message = NULL;
	if (aws_model_protocol(model) == AWS_PROTOCOL_JSON && (json = json_loads(data, 0, NULL))) {
		const char *type = json_string_value(json_object_get(json, "__type"));
		const char *hash = type ? strchr(type, '#') : NULL;

		*ret_code = xstrdup_null(hash ? hash + 1 : type);
		*ret_message = xstrdup_null(json_string_value(json_object_get(json, "message")));
	} else if (reply_parse(data, body->length, &reply, &error) == 0) {
		*ret_code = reply_text(reply, "Code");
		*ret_message = reply_text(reply, "Message");
	}
	if (!*ret_code)
		*ret_code = xstrdup("Unknown");
	if (!*ret_message)
		*ret_message = xstrdup("Unknown");
}
