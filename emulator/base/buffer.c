/* A growing byte string: see buffer.h. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

static void reserve(struct buffer *buffer, size_t more)
{
	size_t need = buffer->length + more + 1;

	if (need <= buffer->capacity)
		return;
	buffer->capacity = MAX(need, MAX(buffer->capacity * 2, (size_t)64));
	buffer->data = xrealloc(buffer->data, buffer->capacity, 1);
}

void buffer_clear(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer)BUFFER_INIT;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	reserve(buffer, length);
	if (length)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void buffer_puts(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_putc(struct buffer *buffer, char c)
{
	buffer_append(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	reserve(buffer, (size_t)length);
	va_start(arguments, format);
	vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buffer->length += (size_t)length;
}

char *buffer_steal(struct buffer *buffer)
{
	char *text;

	reserve(buffer, 0);
	buffer->data[buffer->length] = '\0';
	text = buffer->data;
	*buffer = (struct buffer)BUFFER_INIT;
	return text;
}
