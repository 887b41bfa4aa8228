/* `minivpc why`: what becomes of a packet, by the model and by a real one. */
#pragma once

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/tokens.h"
#include "client/client.h"

#define WHY_REACHES  0
#define WHY_STOPPED  1
#define WHY_DISAGREE 3 /* the model and the packet do */

/* Appends what is to be printed; *ret_status is one of the above. */
int why_run(const struct client *client, const struct cli_hooks *hooks,
	    const struct request *request, struct buffer *text, int *ret_status,
	    struct error *error);
/* "icmp", "tcp/443", "udp/53" */
bool why_service_is_valid(const char *text);
