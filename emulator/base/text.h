/*
 * Text as it may stand in XML and JSON, and so in anything that a client names and reads back.
 */
#pragma once

#include "base/util.h"

/*
 * The length of the character at `text`, 1 to 4 bytes of UTF-8; 0 when there is none: broken or
 * overlong UTF-8, or a character that XML doesn't have (XML 1.0, production Char).
 */
size_t text_character(const char *text);
/* Is the whole of it such characters? */
bool text_is_valid(const char *text);
