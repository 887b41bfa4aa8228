/*
 * The connections that a namespace tracks: see kernel_connections().
 */
#pragma once

#include "netlink/channel.h"
#include "netlink/object.h"

/* -EINTR: interrupted by a change; -ENOENT when the namespace does not exist. */
int connections_count(struct channels *channels, struct rid ns,
		      struct connection_counts *ret_counts, struct error *error);
