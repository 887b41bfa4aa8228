/* Walking a resource by its descriptor: see field.h. */
#include "model/field.h"

#include <errno.h>
#include <time.h>

/* Tables hold offsets; this is the one place that turns them into pointers. */
static void *at(const void *object, size_t offset)
{
	return (char *)(uintptr_t)object + offset;
}

static const char *in_scratch(struct buffer *scratch)
{
	return scratch->length ? scratch->data : NULL;
}

const char *field_text(const struct field *field, const struct view *view, struct buffer *scratch)
{
	const void *value = at(view->object, field->offset);

	scratch->length = 0;
	switch (field->type) {
	case FIELD_TEXT:
		return *(char *const *)value;
	case FIELD_BOOL:
		return *(const bool *)value ? "true" : "false";
	case FIELD_INT:
		buffer_number(scratch, *(const int64_t *)value);
		return in_scratch(scratch);
	case FIELD_TIME:
		if (*(const int64_t *)value)
			buffer_time(scratch, *(const int64_t *)value);
		return in_scratch(scratch);
	case FIELD_ENUM:
		return field->names[*(const int *)value];
	case FIELD_RID:
		buffer_puts(scratch, rid_format(*(const struct rid *)value).text);
		return in_scratch(scratch);
	case FIELD_ADDRESS:
		buffer_puts(scratch, address_format(*(const struct address *)value).text);
		return in_scratch(scratch);
	case FIELD_CIDR:
		buffer_puts(scratch, cidr_format(*(const struct cidr *)value).text);
		return in_scratch(scratch);
	case FIELD_CONST:
		return field->text;
	case FIELD_GET:
		return field->get(view, scratch);
	case FIELD_STRUCT:
	case FIELD_LIST:
	case FIELD_CHILD:
	case FIELD_CHILDREN:
		break;
	}
	return NULL;
}

static int parse_int(const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno || end == text || *end ? -EINVAL : 0;
}

/* As buffer_time() writes it, and no other way. */
static int parse_time(const char *text, int64_t *ret)
{
	CLEANUP(buffer_clear) struct buffer again = BUFFER_INIT;
	struct tm broken = { 0 };

	if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &broken))
		return -EINVAL;
	*ret = timegm(&broken);
	buffer_time(&again, *ret);
	return *ret > 0 && streq(again.data, text) ? 0 : -EINVAL;
}

static int parse_enum(const char *const *names, const char *text, int *ret)
{
	for (int i = 0; names[i]; i++)
		if (streq(names[i], text)) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

int field_parse(const struct field *field, void *object, const char *text)
{
	void *value = at(object, field->offset);

	switch (field->type) {
	case FIELD_TEXT:
		free(*(char **)value);
		*(char **)value = xstrdup(text);
		return 0;
	case FIELD_BOOL:
		*(bool *)value = streq(text, "true");
		return *(bool *)value || streq(text, "false") ? 0 : -EINVAL;
	case FIELD_INT:
		return parse_int(text, value);
	case FIELD_TIME:
		return parse_time(text, value);
	case FIELD_ENUM:
		return parse_enum(field->names, text, value);
	case FIELD_RID:
		return rid_parse_any(text, value);
	case FIELD_ADDRESS:
		return address_parse(text, value);
	case FIELD_CIDR:
		return cidr_parse(text, value);
	case FIELD_CONST:
	case FIELD_GET:
	case FIELD_STRUCT:
	case FIELD_LIST:
	case FIELD_CHILD:
	case FIELD_CHILDREN:
		break;
	}
	return -EINVAL;
}

bool field_child(const struct field *field, const struct view *view, size_t index,
		 struct view *ret_child)
{
	*ret_child = *view;
	switch (field->type) {
	case FIELD_STRUCT:
		ret_child->object = at(view->object, field->offset);
		return index == 0;
	case FIELD_LIST:
		if (index >= *(const size_t *)at(view->object, field->count))
			return false;
		ret_child->object =
			*(char *const *)at(view->object, field->offset) + index * field->size;
		return true;
	case FIELD_CHILD:
		return index == 0 && field->child(view, index, ret_child);
	case FIELD_CHILDREN:
		return field->child(view, index, ret_child);
	default:
		return false;
	}
}

void *field_list_grow(const struct field *field, void *object)
{
	return array_grow_(at(object, field->offset), at(object, field->count), field->size);
}

void fields_copy_owned(const struct field *fields, void *object)
{
	for (const struct field *field = fields; field->name; field++) {
		void *value = at(object, field->offset);

		if (!(field->flags & FIELD_STORED))
			continue;
		if (field->type == FIELD_TEXT) {
			*(char **)value = xstrdup_null(*(char **)value);
		} else if (field->type == FIELD_STRUCT) {
			fields_copy_owned(field->fields, value);
		} else if (field->type == FIELD_LIST) {
			size_t count = *(size_t *)at(object, field->count), room = 1;

			while (room < count) /* as array_grow() leaves it */
				room *= 2;
			if (count) {
				char *copy = xcalloc(room, field->size);

				memcpy(copy, *(char **)value, count * field->size);
				*(char **)value = copy;
			} else {
				*(char **)value = NULL;
			}
			for (size_t i = 0; i < count; i++)
				fields_copy_owned(field->fields, *(char **)value + i * field->size);
		}
	}
}

void fields_free_owned(const struct field *fields, void *object)
{
	for (const struct field *field = fields; field->name; field++) {
		void *value = at(object, field->offset);

		if (!(field->flags & FIELD_STORED))
			continue;
		if (field->type == FIELD_TEXT) {
			freep(value);
		} else if (field->type == FIELD_STRUCT) {
			fields_free_owned(field->fields, value);
		} else if (field->type == FIELD_LIST) {
			size_t *count = at(object, field->count);

			for (size_t i = 0; i < *count; i++)
				fields_free_owned(field->fields, *(char **)value + i * field->size);
			freep(value);
			*count = 0;
		}
	}
}
