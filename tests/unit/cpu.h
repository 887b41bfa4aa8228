/* Bounds of CPU time, against what grows without end: wide ones, and wider on a slower machine. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* Whether it took no longer since then; where TEST_PATIENCE says so, so many times as long. */
static inline bool is_within(int seconds, clock_t start)
{
	const char *patience = getenv("TEST_PATIENCE");

	return (double)(clock() - start) <
	       seconds * (patience ? atof(patience) : 1) * CLOCKS_PER_SEC;
}
