/* Colours, on a terminal only. What else controls one: base/display.h. */
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

static inline const char *paint(bool wanted, const char *colour)
{
	return wanted ? colour : "";
}
