/* A program run to its end. */
#pragma once

#include "base/error.h"

/*
 * Runs argv[0], found in PATH, in `directory` (NULL: ours), with `input` (-1: ours) as its standard
 * input. Returns its exit status as a shell has it (126 or 127 with a line on standard error where
 * it couldn't be run), or a negative errno.
 */
int child_run(const char *directory, int input, char *const argv[], struct error *error);
