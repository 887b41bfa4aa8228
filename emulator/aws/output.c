/* A result as the AWS CLI prints it: see output.h. */
#include "aws/output.h"

#include "aws/json.h"

#include <ctype.h>

void aws_output_json(const json_t *json, struct buffer *text)
{
	if (json_is_object(json) && json_object_size(json) == 0)
		return;
	aws_json_write(json, text);
	buffer_putc(text, '\n');
}

static bool is_scalar(const json_t *json)
{
	return !json_is_object(json) && !json_is_array(json);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void aws_output_names(const json_t *object, bool scalars, const char ***names, size_t *count)
{
	const char *name;
	json_t *value, *mutable;

	memcpy(&mutable, &object, sizeof(mutable)); /* which walking it doesn't change */
	json_object_foreach(mutable, name, value)
	{
		size_t i = 0;

		if (is_scalar(value) != scalars)
			continue;
		while (i < *count && !streq((*names)[i], name))
			i++;
		if (i == *count)
			*array_grow(names, count) = name;
	}
	if (*count)
		qsort(*names, *count, sizeof(**names), compare_names);
}

static void put_capitals(const char *word, struct buffer *text)
{
	for (; *word; word++)
		buffer_putc(text, (char)toupper((unsigned char)*word));
}

static void put_text(const json_t *json, const char *name, const char *const *columns, size_t count,
		     struct buffer *text);

/* A structure: a line of its scalars, then what else is in it. `columns`: those of all in a list.
 */
static void put_object(const json_t *json, const char *name, const char *const *columns,
		       size_t count, struct buffer *text)
{
	const char **others = NULL;
	size_t other_count = 0;

	aws_output_names(json, false, &others, &other_count);
	if (name && count)
		put_capitals(name, text);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(json, columns[i]);

		if (i || name)
			buffer_putc(text, '\t');
		if (value)
			aws_json_python(value, false, text);
	}
	if (count)
		buffer_putc(text, '\n');
	for (size_t i = 0; i < other_count; i++)
		put_text(json_object_get(json, others[i]), others[i], NULL, 0, text);
	free(others);
}

static void put_scalars(const json_t *json, const char *name, struct buffer *text)
{
	bool first = true;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value)
	{
		if (!is_scalar(value))
			continue;
		if (name)
			put_capitals(name, text);
		if (name || !first)
			buffer_putc(text, '\t');
		aws_json_python(value, false, text);
		if (name)
			buffer_putc(text, '\n');
		first = false;
	}
	if (!name && !first)
		buffer_putc(text, '\n');
}

static void put_list(const json_t *json, const char *name, struct buffer *text)
{
	const char **columns = NULL;
	bool objects = false;
	size_t i, count = 0;
	json_t *value;

	json_array_foreach(json, i, value)
	{
		objects |= json_is_object(value);
	}
	if (!objects) {
		put_scalars(json, name, text);
		json_array_foreach(json, i, value)
		{
			if (json_is_array(value))
				put_text(value, name, NULL, 0, text);
		}
		return;
	}
	json_array_foreach(json, i, value)
	{
		if (json_is_object(value))
			aws_output_names(value, true, &columns, &count);
	}
	json_array_foreach(json, i, value)
	{
		put_text(value, name, columns ? columns : (const char *const[]){ "" }, count, text);
	}
	free(columns);
}

/* `columns`: of a structure in a list, even if there are none; NULL: its own. */
static void put_text(const json_t *json, const char *name, const char *const *columns, size_t count,
		     struct buffer *text)
{
	if (json_is_array(json)) {
		put_list(json, name, text);
	} else if (json_is_object(json) && columns) {
		put_object(json, name, columns, count, text);
	} else if (json_is_object(json)) {
		const char **own = NULL;
		size_t own_count = 0;

		aws_output_names(json, true, &own, &own_count);
		put_object(json, name, own, own_count, text);
		free(own);
	} else {
		aws_json_python(json, false, text);
		buffer_putc(text, '\n');
	}
}

void aws_output_text(const json_t *json, struct buffer *text)
{
	put_text(json, NULL, NULL, 0, text);
}
