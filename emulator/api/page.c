/* Where a list goes on: see page.h. */
#include "api/page.h"

#include <endian.h>
#include <errno.h>

#define PREFIX "mvpc-"
#define DIGITS (2 * sizeof(uint64_t))

void page_token_write(int64_t from, struct buffer *ret_token)
{
	const uint64_t order = htobe64((uint64_t)from);

	buffer_puts(ret_token, PREFIX);
	buffer_hex(ret_token, &order, sizeof(order));
}

int page_token_read(const char *token, int64_t *ret_from)
{
	const char *digits = token + strlen(PREFIX);
	uint64_t order;

	if (strncmp(token, PREFIX, strlen(PREFIX)) != 0 ||
	    strspn(digits, "0123456789abcdef") != DIGITS || digits[DIGITS] != '\0')
		return -EINVAL;
	order = strtoull(digits, NULL, 16);
	if (order > INT64_MAX)
		return -EINVAL;
	*ret_from = (int64_t)order;
	return 0;
}
