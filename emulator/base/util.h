/*
 * Small idioms every room uses: owning locals, hand-over, array sizes.
 */
#pragma once

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CLEANUP(function)   __attribute__((cleanup(function)))
#define PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#define ARRAY_SIZE(array)   (sizeof(array) / sizeof((array)[0]))
/* <sys/param.h>, which system headers bring along, has two of them. */
#undef MIN
#undef MAX
#define MIN(a, b)	  ((a) < (b) ? (a) : (b))
#define MAX(a, b)	  ((a) > (b) ? (a) : (b))
#define ROUND_UP(n, unit) (((n) + (unit)-1) / (unit) * (unit))

/* Hands an owned pointer over: the variable is NULL afterwards. */
#define steal(pointer)                                                                             \
	({                                                                                         \
		typeof(*(pointer)) stolen_ = *(pointer);                                           \
		*(pointer) = NULL;                                                                 \
		stolen_;                                                                           \
	})

/* Hands a file descriptor over: the variable is -1 afterwards. */
static inline int steal_fd(int *fd)
{
	int value = *fd;

	*fd = -1;
	return value;
}

/* For CLEANUP(): frees what a `char *` or any other pointer variable points to. */
static inline void freep(void *pointer)
{
	free(*(void **)pointer);
	*(void **)pointer = NULL;
}

/* For CLEANUP(): closes the descriptor when it is not negative; errno is kept. */
void closep(int *fd);

/* Milliseconds of CLOCK_MONOTONIC, for deadlines. */
int64_t now_ms(void);

/* Allocation that never returns NULL: out of memory ends the program with a message. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
void *xmemdup(const void *data, size_t size);
char *xstrdup(const char *text);
/* NULL stays NULL. */
char *xstrdup_null(const char *text);
char *xasprintf(const char *format, ...) PRINTF(1, 2);
char *xvasprintf(const char *format, va_list arguments) PRINTF(1, 0);

/*
 * Grows an array so that one more element fits: `array_grow(&items, &count)` returns a pointer to
 * the new, zeroed last element. Amortised doubling at powers of two, so no capacity is stored.
 */
#define array_grow(array, count)                                                                   \
	((typeof(*(array)))array_grow_((void **)(array), (count), sizeof(**(array))))
void *array_grow_(void **array, size_t *count, size_t size);

/* Removes element `index`, keeping the order. */
#define array_remove(array, count, index) array_remove_((array), (count), (index), sizeof(*(array)))
void array_remove_(void *array, size_t *count, size_t index, size_t size);

static inline bool streq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}
