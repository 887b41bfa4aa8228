/*
 * A growing byte string, always terminated by a NUL that is not counted.
 */
#pragma once

#include "base/util.h"

struct buffer {
	char *data; /* owned; NULL while empty */
	size_t length;
	size_t capacity;
};

#define BUFFER_INIT                                                                                \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void buffer_clear(struct buffer *buffer); /* frees; the buffer can be used again. For CLEANUP() */
void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_putc(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF(2, 3);
/* Hands the text over ("" when empty); the caller frees it. */
char *buffer_steal(struct buffer *buffer);
