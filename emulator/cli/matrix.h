/* `minivpc ping-matrix`: who reaches whom, by real packets, all of them together. */
#pragma once

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/tokens.h"
#include "client/client.h"

/*
 * Appends what is to be printed; *ret_status is 0, or 3 when the model and a packet disagree. Whom
 * rules keep apart is no failure.
 */
int matrix_run(const struct client *client, const struct cli_hooks *hooks,
	       const struct request *request, struct buffer *text, int *ret_status,
	       struct error *error);
