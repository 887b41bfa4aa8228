/* Where a walk over a template is: see internal.h. */
#include "lab/internal.h"

#include <errno.h>
#include <stdio.h>

size_t place_enter(struct place *place, const char *key, size_t at)
{
	const size_t before = place->path.length;

	if (key)
		buffer_printf(&place->path, "%s%s", before ? "." : "", key);
	else
		buffer_printf(&place->path, "[%zu]", at);
	return before;
}

void place_leave(struct place *place, size_t before)
{
	place->path.length = before;
	if (place->path.data)
		place->path.data[before] = '\0';
}

int place_wrap(const struct place *place, const struct node *node, int result)
{
	const char *path = place->path.length ? place->path.data : "Template";

	if (node->line)
		return error_wrap(place->error, result, "%s (line %u)", path, node->line);
	return error_wrap(place->error, result, "%s", path);
}

int place_fail(const struct place *place, const struct node *node, const char *format, ...)
{
	va_list arguments;

	error_set(place->error, ERROR_INVALID_TEMPLATE, "%s", "");
	va_start(arguments, format);
	vsnprintf(place->error->text, sizeof(place->error->text), format, arguments);
	va_end(arguments);
	return place_wrap(place, node, -EINVAL);
}
