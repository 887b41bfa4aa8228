/* Colours, on a terminal only, and nothing else that controls one. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define PAINT_RED    "\033[1;31m"
#define PAINT_GREEN  "\033[32m"
#define PAINT_YELLOW "\033[33m"
#define PAINT_BOLD   "\033[1m"
#define PAINT_OFF    "\033[0m"

/* Standard output is a terminal, and nobody asked for none (NO_COLOR). */
static inline bool paint_is_wanted(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) && terminal && *terminal;
}

/*
 * A tag may hold anything XML can: control characters, C1 (two bytes in UTF-8) among them, become
 * question marks, in place. NULL is fine.
 */
static inline void paint_plain(char *text)
{
	for (unsigned char *c = (unsigned char *)text; c && *c; c++) {
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
			c[0] = c[1] = '?';
		else if (*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

static inline const char *paint(bool wanted, const char *colour)
{
	return wanted ? colour : "";
}
