/*
 * One HTTP POST to the daemon, whose server is ours too. libcurl would do it, and did: loading it
 * with the twenty libraries behind it took 12 ms, four times what the whole of `minivpc exec` takes
 * without it.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

/*
 * Connects to "http://ADDR:PORT" and, with a request, sends that and takes in the reply: its status
 * and its body, until the other end closes. `request` is the whole of it, head and body; NULL only
 * connects. Bounded: 5 s to connect, `patience` seconds of silence afterwards. -EBADMSG for what is
 * no reply, or is cut short; -EMSGSIZE beyond 64 MiB; -errno of the socket.
 */
int post(const char *url, const struct buffer *request, int patience, int *ret_status,
	 struct buffer *ret_body, struct error *error);
/* "ADDR:PORT", for the Host header. */
const char *post_host(const char *url);
