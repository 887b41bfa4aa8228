/* What lists of lines, values and outputs share: see template.h. */
#include "lab/template.h"

void text_lines_add(struct text_lines *lines, const char *format, ...)
{
	va_list arguments;

	if (!lines)
		return;
	va_start(arguments, format);
	*array_grow(&lines->items, &lines->count) = xvasprintf(format, arguments);
	va_end(arguments);
}

void text_lines_clear(struct text_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
	*lines = (struct text_lines){ NULL, 0 };
}

void template_values_clear(struct template_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		free(values->items[i].name);
		free(values->items[i].value);
	}
	free(values->items);
	*values = (struct template_values){ NULL, 0 };
}

void template_outputs_clear(struct template_outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		free(outputs->items[i].value);
		free(outputs->items[i].description);
		free(outputs->items[i].export_name);
	}
	free(outputs->items);
	*outputs = (struct template_outputs){ NULL, 0 };
}
