/* `minivpc audit`: what differs between the world as it was asked for and the kernel. */
#pragma once

#include "base/buffer.h"
#include "cli/tokens.h"
#include "client/client.h"

#define AUDIT_DIFFERS 3 /* exit status: there are differences (that could not be mended) */

int audit_run(const struct client *client, const struct request *request, struct buffer *ret_text,
	      int *ret_status, struct error *error);
