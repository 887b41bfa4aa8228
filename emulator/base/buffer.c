/* A growing byte string: see buffer.h. */
#include "base/buffer.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void buffer_reserve_(struct buffer *buffer, size_t more)
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

void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
	size_t room = buffer->capacity - buffer->length;
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(room ? buffer->data + buffer->length : NULL, room, format, arguments);
	if (length >= 0 && (size_t)length >= room) {
		buffer_reserve_(buffer, (size_t)length);
		vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
	}
	va_end(again);
	buffer->length += length < 0 ? 0 : (size_t)length;
}

int buffer_read(struct buffer *buffer, int fd, size_t most)
{
	char part[8192];
	ssize_t length = 1;

	while (length != 0 && buffer->length <= most) {
		length = read(fd, part, sizeof(part));
		if (length < 0 && errno != EINTR)
			return -errno;
		if (length > 0)
			buffer_append(buffer, part, (size_t)length);
	}
	return 0;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(buffer, format, arguments);
	va_end(arguments);
}

void buffer_escape(struct buffer *buffer, const char *text, size_t length, const char *keep)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c && (isalnum((unsigned char)c) || strchr("-._~", c) || strchr(keep, c)))
			buffer_putc(buffer, c);
		else
			buffer_printf(buffer, "%%%02X", (unsigned int)(unsigned char)c);
	}
}

void buffer_hex(struct buffer *buffer, const void *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	buffer_reserve(buffer, 2 * length);
	for (size_t i = 0; i < length; i++) {
		buffer->data[buffer->length++] = digits[bytes[i] >> 4];
		buffer->data[buffer->length++] = digits[bytes[i] & 15];
	}
	buffer->data[buffer->length] = '\0';
}

/* Where a number's decimal digits begin that end before `end`. */
static char *write_digits(char *end, uint64_t number)
{
	do
		*--end = (char)('0' + number % 10);
	while (number /= 10);
	return end;
}

void buffer_number(struct buffer *buffer, int64_t number)
{
	char text[20], *end = text + sizeof(text), *start;

	start = write_digits(end, number < 0 ? -(uint64_t)number : (uint64_t)number);
	if (number < 0)
		*--start = '-';
	buffer_append(buffer, start, (size_t)(end - start));
}

/*
 * The civil calendar from a count of days, by years that begin in March ("Euclidean affine
 * functions and their application to calendar algorithms", Neri and Schneider).
 */
static void date_of(int64_t days, unsigned int *ret_year, unsigned int *ret_month,
		    unsigned int *ret_day)
{
	const uint64_t n1 = 4 * (uint64_t)(days + 719468) + 3;
	const uint64_t century = n1 / 146097, n2 = n1 % 146097 | 3;
	const uint64_t year = n2 / 1461, n3 = 2141 * (n2 % 1461 / 4) + 197913;
	const unsigned int month = (unsigned int)(n3 >> 16);

	*ret_year = (unsigned int)(100 * century + year) + (month >= 13);
	*ret_month = month >= 13 ? month - 12 : month;
	*ret_day = (unsigned int)((n3 & 0xffff) / 2141) + 1;
}

void buffer_time(struct buffer *buffer, int64_t seconds)
{
	/* Every number has its leading zeros from the text that is there. */
	char text[] = "0000-00-00T00:00:00.000Z";
	unsigned int year, month, day, second;

	seconds = MIN(MAX(seconds, (int64_t)0), TIME_LAST);
	second = (unsigned int)(seconds % 86400);
	date_of(seconds / 86400, &year, &month, &day);
	write_digits(text + 4, year);
	write_digits(text + 7, month);
	write_digits(text + 10, day);
	write_digits(text + 13, second / 3600);
	write_digits(text + 16, second / 60 % 60);
	write_digits(text + 19, second % 60);
	buffer_append(buffer, text, sizeof(text) - 1);
}

char *buffer_steal(struct buffer *buffer)
{
	char *text;

	buffer_reserve(buffer, 0);
	buffer->data[buffer->length] = '\0';
	text = buffer->data;
	*buffer = (struct buffer)BUFFER_INIT;
	return text;
}
