/*
 * Resources as JSON: see record.h. Scalars are strings in their one text form; a list of structs
 * is an array of objects, a list of scalars an array of strings. Absent values are left out, and
 * members that the descriptor doesn't know are passed over, so a field can be added or dropped.
 */
#include "store/record.h"

#include <errno.h>
#include <jansson.h>

static json_t *encode_fields(const struct field *fields, const struct view *view);

static bool is_scalar_list(const struct field *field)
{
	return field->type == FIELD_LIST && *field->fields->name == '\0';
}

static json_t *encode_text(const struct field *field, const struct view *view)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const char *text = field_text(field, view, &scratch);
	json_t *value = text ? json_string(text) : NULL;

	/* All text came through params_parse(), which takes nothing but UTF-8. */
	if (text && !value)
		abort();
	return value;
}

static json_t *encode_list(const struct field *field, const struct view *view)
{
	json_t *array = json_array();
	struct view child;

	for (size_t i = 0; field_child(field, view, i, &child); i++)
		json_array_append_new(array, is_scalar_list(field)
						     ? encode_text(field->fields, &child)
						     : encode_fields(field->fields, &child));
	return array;
}

static json_t *encode_fields(const struct field *fields, const struct view *view)
{
	json_t *object = json_object();

	for (const struct field *field = fields; field->name; field++) {
		struct view child;
		json_t *value;

		if (!(field->flags & FIELD_STORED))
			continue;
		if (field->type == FIELD_LIST) {
			value = encode_list(field, view);
		} else if (field->type == FIELD_STRUCT) {
			field_child(field, view, 0, &child);
			value = encode_fields(field->fields, &child);
		} else {
			value = encode_text(field, view);
		}
		if (value)
			json_object_set_new(object, field->name, value);
	}
	return object;
}

char *record_encode(const struct resource *resource)
{
	struct view view = { NULL, resource, resource };
	json_t *object = encode_fields(resource_type(resource->id.kind)->fields, &view);
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (!text)
		abort();
	return text;
}

static int decode_fields(const struct field *fields, json_t *json, void *object);

static int decode_list(const struct field *field, json_t *array, void *object)
{
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return -EBADMSG;
	json_array_foreach(array, i, item)
	{
		void *element = field_list_grow(field, object);

		if (!is_scalar_list(field)) {
			if (decode_fields(field->fields, item, element) < 0)
				return -EBADMSG;
		} else if (!json_is_string(item) ||
			   field_parse(field->fields, element, json_string_value(item)) < 0) {
			return -EBADMSG;
		}
	}
	return 0;
}

static int decode_fields(const struct field *fields, json_t *json, void *object)
{
	for (const struct field *field = fields; field->name; field++) {
		json_t *value = json_object_get(json, field->name);
		int r = 0;

		if (!value || !(field->flags & FIELD_STORED))
			continue;
		if (field->type == FIELD_LIST)
			r = decode_list(field, value, object);
		else if (field->type == FIELD_STRUCT)
			r = decode_fields(field->fields, value, (char *)object + field->offset);
		else if (!json_is_string(value) ||
			 field_parse(field, object, json_string_value(value)) < 0)
			r = -EBADMSG;
		if (r < 0)
			return r;
	}
	return 0;
}

int record_decode(const char *json, struct resource *resource, struct error *error)
{
	json_t *object = json_loads(json, 0, NULL);
	int r = json_is_object(object)
			? decode_fields(resource_type(resource->id.kind)->fields, object, resource)
			: -EBADMSG;

	json_decref(object);
	return r < 0 ? error_sys(error, EBADMSG, "record of %s", rid_format(resource->id).text) : 0;
}
