/*
 * Resources as JSON: see record.h. Scalars are strings in their one text form; a list of structs
 * is an array of objects, a list of scalars an array of strings. Absent values are left out. A
 * member that the descriptor doesn't know is an error: see migrate.c for how fields come and go.
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

/* Where something is wrong: "routeSet[2].target". */
struct place {
	const struct place *outer;
	const char *name;
	size_t index; /* of an item of `outer`'s list; used when there is no name */
};

static void put_place(struct buffer *text, const struct place *place)
{
	if (place->outer)
		put_place(text, place->outer);
	if (!place->name)
		buffer_printf(text, "[%zu]", place->index);
	else
		buffer_printf(text, "%s%s", text->length ? "." : "", place->name);
}

static int wrong(const struct place *place, const char *what, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	put_place(&text, place);
	error_set(error, ERROR_INTERNAL, "%s %s", text.data, what);
	return -EBADMSG;
}

static int decode_fields(const struct field *fields, json_t *json, void *object,
			 const struct place *outer, struct error *error);

static int decode_text(const struct field *field, json_t *value, void *object,
		       const struct place *place, struct error *error)
{
	if (!json_is_string(value))
		return wrong(place, "is no string", error);
	if (strlen(json_string_value(value)) != json_string_length(value) ||
	    field_parse(field, object, json_string_value(value)) < 0)
		return wrong(place, "has a value that it can't have", error);
	return 0;
}

static int decode_list(const struct field *field, json_t *array, void *object,
		       const struct place *place, struct error *error)
{
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return wrong(place, "is no list", error);
	json_array_foreach(array, i, item)
	{
		void *element = field_list_grow(field, object);
		const struct place inner = { place, NULL, i };
		int r = is_scalar_list(field)
				? decode_text(field->fields, item, element, &inner, error)
				: decode_fields(field->fields, item, element, &inner, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_field(const struct field *field, json_t *value, void *object,
			const struct place *outer, struct error *error)
{
	const struct place place = { outer, field->name, 0 };

	if (field->type == FIELD_LIST)
		return decode_list(field, value, object, &place, error);
	if (field->type == FIELD_STRUCT)
		return decode_fields(field->fields, value, (char *)object + field->offset, &place,
				     error);
	return decode_text(field, value, object, &place, error);
}

static const struct field *find_stored(const struct field *fields, const char *name)
{
	for (const struct field *field = fields; field->name; field++)
		if ((field->flags & FIELD_STORED) && streq(field->name, name))
			return field;
	return NULL;
}

static int decode_fields(const struct field *fields, json_t *json, void *object,
			 const struct place *outer, struct error *error)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return wrong(outer, "is no object", error);
	json_object_foreach(json, name, value)
	{
		const struct field *field = find_stored(fields, name);
		const struct place place = { outer, name, 0 };
		int r = field ? decode_field(field, value, object, outer, error)
			      : wrong(&place, "is unknown", error);

		if (r < 0)
			return r;
	}
	return 0;
}

int record_decode(const char *json, size_t length, struct resource *resource, struct error *error)
{
	const struct rid_text id = rid_format(resource->id);
	const struct place place = { NULL, id.text, 0 };
	json_error_t why;
	json_t *object = json_loadb(json, length, JSON_REJECT_DUPLICATES, &why);
	int r;

	if (!object) {
		error_set(error, ERROR_INTERNAL, "%s: %s", id.text, why.text);
		return -EBADMSG;
	}
	r = decode_fields(resource_type(resource->id.kind)->fields, object, resource, &place,
			  error);
	json_decref(object);
	return r;
}
