/*
 * The token that names where a list goes on: the order of the next page's first row, which never
 * changes. Clients hand it back as they got it; anything else is refused.
 */
#pragma once

#include "base/buffer.h"

/* `from` is not negative. */
void page_token_write(int64_t from, struct buffer *ret_token);
/* Returns 0, or -EINVAL for what page_token_write() never wrote. */
int page_token_read(const char *token, int64_t *ret_from);
