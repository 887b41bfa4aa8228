/* Where a socket listens or leads to: "127.0.0.1:4566", "[::1]:4566". */
#pragma once

#include "base/cidr.h"

#include <netinet/in.h>
#include <sys/socket.h>

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Returns 0 or -EINVAL. */
int socket_address_parse(const char *text, struct address *ret_address, uint16_t *ret_port);
/* Returns its length. */
socklen_t socket_address_of(struct address address, uint16_t port, union socket_address *ret_name);
