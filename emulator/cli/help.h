/*
 * The usage text, printed from the tables in tokens.h.
 */
#pragma once

#include "base/buffer.h"
#include "cli/parse.h"

/* Explains the verb that request->path leads to, or all of them when it is empty. */
void help_print(struct buffer *buffer, const struct request *request);
