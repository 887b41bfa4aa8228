/*
 * AllowedPattern: regular expressions as Java has them, as far as POSIX can say the same. A value
 * must match the whole of one.
 */
#pragma once

#include "base/error.h"

struct pattern;

/*
 * NULL-safe to free. -EINVAL with a reason (static text): it is no pattern; it has what POSIX lacks
 * (look-ahead, references back …); it would take too long.
 */
int pattern_compile(const char *text, struct pattern **ret_pattern, const char **ret_reason);
void pattern_freep(struct pattern **pattern);
bool pattern_matches(const struct pattern *pattern, const char *text);
