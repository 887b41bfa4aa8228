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

/* 9999-12-31T23:59:59Z in seconds since 1970 */
#define TIME_LAST INT64_C(253402300799)

void buffer_clear(struct buffer *buffer); /* frees; the buffer can be used again. For CLEANUP() */
void buffer_reserve_(struct buffer *buffer, size_t more);

/* Makes room for `more` bytes and the NUL. */
static inline void buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->capacity - buffer->length <= more)
		buffer_reserve_(buffer, more);
}

static inline void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	buffer_reserve(buffer, length);
	if (length)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

static inline void buffer_puts(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

static inline void buffer_putc(struct buffer *buffer, char c)
{
	buffer_append(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF(2, 3);
/* Appends what is read from `fd` up to its end, or until the buffer has more than `most` bytes. 0
 * or a negative errno. */
int buffer_read(struct buffer *buffer, int fd, size_t most);
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments) PRINTF(2, 0);
/* As URLs escape it (RFC 3986): all but the unreserved characters, and those of `keep`, as %XX. */
void buffer_escape(struct buffer *buffer, const char *text, size_t length, const char *keep);
/* Bytes in hexadecimal. */
void buffer_hex(struct buffer *buffer, const void *data, size_t length);
/* In decimal. */
void buffer_number(struct buffer *buffer, int64_t number);
/* Seconds since 1970: "2024-05-01T12:34:56.000Z"; what has no four digits for its year is the first
 * or the last that has. */
void buffer_time(struct buffer *buffer, int64_t seconds);
/* Hands the text over ("" when empty); the caller frees it. */
char *buffer_steal(struct buffer *buffer);
