/* libmicrohttpd, loaded by whoever opens a server (see base/library.h): with GnuTLS behind it. */
#pragma once

#include "base/error.h"

#include <microhttpd.h>

#define MICROHTTPD_FUNCTIONS(X)                                                                    \
	X(add_connection)                                                                          \
	X(add_response_header)                                                                     \
	X(create_response_from_buffer)                                                             \
	X(destroy_response)                                                                        \
	X(get_connection_info)                                                                     \
	X(get_connection_values)                                                                   \
	X(get_daemon_info)                                                                         \
	X(get_timeout)                                                                             \
	X(queue_response)                                                                          \
	X(run)                                                                                     \
	X(start_daemon)                                                                            \
	X(stop_daemon)

#define MICROHTTPD_POINTER(name) typeof(MHD_##name) *name;
struct microhttpd {
	MICROHTTPD_FUNCTIONS(MICROHTTPD_POINTER)
};
#undef MICROHTTPD_POINTER

extern struct microhttpd microhttpd;

/* Once is enough, more does no harm. -ELIBACC when it isn't there. */
int microhttpd_load(struct error *error);
