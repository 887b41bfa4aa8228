/*
 * Text as it may stand in XML and JSON, and so in anything that a client names and reads back, and
 * as URLs escape it.
 */
#pragma once

#include "base/util.h"

/*
 * The length of the character at `text`, 1 to 4 bytes of UTF-8; 0 when there is none: broken or
 * overlong UTF-8, or a character that XML doesn't have (XML 1.0, production Char).
 */
size_t text_character(const char *text);
/* "512M", "2G", "1T" or a number of bytes; more than none. Returns 0 or -EINVAL. */
int text_size(const char *text, uint64_t *ret_size);
/* Is the whole of it such characters? */
bool text_is_valid(const char *text);
/*
 * Decodes what a URL escapes ("%2F"), and in a form '+' too, to `out`: `length` bytes at most and a
 * NUL. Returns what is after the NUL; NULL for a bad escape or a NUL.
 */
char *text_unescape(const char *in, size_t length, bool form, char *out);
