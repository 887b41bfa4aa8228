/*
 * Base64 (RFC 4648, 4), as clients send binary values and as keys are written.
 */
#pragma once

#include "base/buffer.h"

/* Appends what `text` says; white space in it is passed over. Returns 0, or -EINVAL when it is no
 * base64 (something may have been appended). */
int base64_read(const char *text, size_t length, struct buffer *bytes);
/* Appends the text of `length` bytes, padded; a newline after every `width` characters and after
 * the last ones, or none at all (0). */
void base64_write(const void *bytes, size_t length, size_t width, struct buffer *text);
