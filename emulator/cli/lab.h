/*
 * The labs that ship: each is a CloudFormation template, a lesson in Markdown and a script that
 * verifies what the lesson says. They are in this program (scripts/labs, as a tar archive), and are
 * unpacked for as long as they are needed: tar(1) must be there.
 */
#pragma once

#include "base/buffer.h"
#include "base/paths.h"

/* Their numbers, names and titles, as a table or as JSON. */
int lab_list(const char *format, struct buffer *text, struct error *error);

struct lab_options {
	const char *name; /* or its number */
	const char *to;	  /* a directory that is not there: its files go there, and that is all */
	bool check;	  /* verifies it, instead of walking through it */
};

/*
 * Walks through a lab's lesson in the world of `paths`: asks standard input before each command,
 * and runs it with this program first in its PATH. Verifying, *ret_status is 0 if all of it holds.
 */
int lab_run(const struct lab_options *options, const struct paths *paths, int *ret_status,
	    struct error *error);
