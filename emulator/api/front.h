/*
 * The API's front: which requests come in, and what every reply of it looks like.
 *
 * Refused before the handler, in EC2's error envelope: a Host that is neither the listening address
 * nor localhost (403: DNS rebinding), any sign of a web page, such as an Origin (403: it must not
 * drive a root daemon), a body over 1 MiB (413, unread), a target that is no path or not one Host
 * (400). Patience with a client: 30 s.
 */
#pragma once

#include "http/http.h"

#define FRONT_BODY_MAX ((size_t)1024 * 1024)

struct front;

/*
 * A reply comes to the handler with 200, "text/xml;charset=UTF-8", a fresh random UUID, no body. It
 * must not block, and not call front_close().
 */
struct front_options {
	const char *listen;
	void (*handle)(void *context, const struct http_request *request, struct http_reply *reply);
	void *context;
};

/* Errors: http_open()'s. */
int front_open(struct loop *loop, const struct front_options *options, struct front **ret_front,
	       struct error *error);
/* The server that it is, for http_url() and http_set_patience(). */
struct http *front_http(const struct front *front);
/* NULL is fine; always returns NULL. */
struct front *front_close(struct front *front);
