/*
 * Questions that the host's resolver answers, asked as this machine. Only a world that leads to the
 * real Internet does this.
 */
#pragma once

#include "base/loop.h"

struct forwarder;
struct forwarding;

/* Once, with the whole reply, whose id is the query's; size 0: nobody has answered. */
typedef void (*forward_fn)(void *context, const uint8_t *reply, size_t size);

struct forwarder *forwarder_new(struct loop *loop);
/* When nothing is being forwarded any more. NULL is fine; always NULL. */
struct forwarder *forwarder_free(struct forwarder *forwarder);
/*
 * Asks the servers of /etc/resolv.conf, one after the other, by UDP or TCP. NULL when there is
 * none, or too much is being asked already. What it returns is good until `done` is called.
 */
struct forwarding *forward(struct forwarder *forwarder, const uint8_t *query, size_t size,
			   bool stream, forward_fn done, void *context);
/* `done` won't be called. NULL is fine; always NULL. */
struct forwarding *forward_cancel(struct forwarding *forwarding);
