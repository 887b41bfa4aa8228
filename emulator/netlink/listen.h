/*
 * Sockets of the daemon's own in namespaces. A socket stays in the namespace where it was made,
 * whoever uses it, and keeps the namespace for as long as it is open.
 */
#pragma once

#include "base/cidr.h"
#include "base/error.h"
#include "base/id.h"

struct listener {
	int type; /* SOCK_DGRAM, or SOCK_STREAM: it listens */
	struct address address;
	uint16_t port;
};

/*
 * Opens a socket for each in the namespace, with one visit there; they don't block. The caller
 * closes them. All or nothing; -ENOENT when there is no such namespace.
 */
int listen_in(struct rid ns, const struct listener *listeners, size_t count, int *ret_fds,
	      struct error *error);
/*
 * Whether such a socket is still what it was: a kernel lets root end anybody's (`ss -K`), and a
 * namespace may have been made anew. The namespace has its name.
 */
bool listen_is(struct rid ns, int type, int fd);
