/* `minivpc check`: what was found, for people and for programs. */
#pragma once

#include "base/buffer.h"
#include "base/check.h"

/* "json", else a table that ends in what it comes to. Returns whether all that is needed is there.
 */
bool check_print(const struct check_list *list, const char *format, struct buffer *buffer);
