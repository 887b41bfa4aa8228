/* Files between this machine and an instance: `minivpc cp`. */
#pragma once

#include "cli/cli.h"

/* One of the two places. */
struct copy_place {
	const char *path;
	char *instance; /* owned; NULL: this machine */
};

/* "web:/etc/x" is in an instance; a path with a slash before the colon is not. Borrows `text`. */
struct copy_place copy_parse(const char *text);

/*
 * Copies a file or a directory, as a stream that tar(1) makes at one end and reads at the other:
 * each end works with nothing but its own files, so that an instance gets hold of no others. What
 * arrives belongs to root there. One end is in the process `pid` with that start time.
 */
int copy_run(const struct cli_hooks *hooks, const struct copy_place *from,
	     const struct copy_place *to, pid_t pid, uint64_t start_time, int *ret_status,
	     struct error *error);
