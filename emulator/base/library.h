/*
 * Libraries that are loaded when they are first needed. The binary is a daemon and each of its
 * verbs: what only the daemon uses, with the libraries behind it, would be the longest part of a
 * verb's life.
 */
#pragma once

#include "base/error.h"

struct library_symbol {
	const char *name;
	void *pointer; /* to the pointer that is to lead to it */
};

/*
 * Loads `file` ("libNAME.so.N": the ABI that the code was built for) for good, and finds the
 * symbols; the last has no name. Fails with -ELIBACC and the loader's words, and then sets none.
 */
int library_load(const char *file, const struct library_symbol *symbols, struct error *error);
