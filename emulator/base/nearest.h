/*
 * The word that somebody may have meant.
 */
#pragma once

#include "base/util.h"

struct nearest {
	const char *typed;
	const char *word; /* the nearest so far that is near enough; NULL: none. Borrowed. */
	size_t distance;
};

struct nearest nearest_to(const char *typed);
/* One that there is. */
void nearest_try(struct nearest *nearest, const char *word);
