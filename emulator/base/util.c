/* Small idioms: see util.h. Out of memory ends the program here, so nobody checks for it. */
#include "base/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int64_t now_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *check(void *memory)
{
	if (!memory) {
		static const char text[] = "minivpc: out of memory\n";

		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			abort();
		abort();
	}
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(MAX(count, (size_t)1), MAX(size, (size_t)1)));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	return check(reallocarray(old, MAX(count, (size_t)1), MAX(size, (size_t)1)));
}

void *xmemdup(const void *data, size_t size)
{
	void *copy = xcalloc(1, size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *xstrdup(const char *text)
{
	return check(strdup(text));
}

char *xstrdup_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

char *xvasprintf(const char *format, va_list arguments)
{
	char *text = NULL;

	return check(vasprintf(&text, format, arguments) < 0 ? NULL : text);
}

char *xasprintf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	return text;
}

void *array_grow_(void **array, size_t *count, size_t size)
{
	size_t n = *count;
	char *slot;

	if ((n & (n - 1)) == 0) /* 0 and every power of two: full */
		*array = xrealloc(*array, n ? n * 2 : 1, size);
	slot = (char *)*array + n * size;
	memset(slot, 0, size);
	(*count)++;
	return slot;
}

void array_remove_(void *array, size_t *count, size_t index, size_t size)
{
	char *slot = (char *)array + index * size;

	memmove(slot, slot + size, (*count - index - 1) * size);
	(*count)--;
}
