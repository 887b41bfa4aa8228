/*
 * `minivpc capture`: the packets that pass an instance, an interface, a subnet or a gateway.
 */
#pragma once

#include "cli/cli.h"
#include "client/client.h"

struct capture_options {
	const char *target; /* an id, or an instance's Name tag */
	const char *file;   /* where they are written to, "-" is standard output; NULL: as lines */
	bool json;	    /* the lines are objects */
	uint64_t count;	    /* so many at most; 0: any */
	uint64_t seconds;   /* so long at most; 0: any */
};

/*
 * Goes on until enough were seen, SIGINT or SIGTERM, or until nobody reads or nothing can come any
 * more; then says how many there were on standard error.
 */
int capture_run(const struct client *client, const struct cli_hooks *hooks,
		const struct capture_options *options, struct error *error);
