/* `minivpc fault …`: what is to fail, what fails, and that it heals. */
#pragma once

#include "base/buffer.h"
#include "cli/tokens.h"
#include "client/client.h"

/* Does what the request's verb, one of VERB_FAULT_…, says; `ret_text` is what to print. */
int fault_run(const struct client *client, const struct request *request, struct buffer *ret_text,
	      struct error *error);
