/*
 * The HTTP/1.1 server: libmicrohttpd on the daemon's own loop, no threads. It takes whole requests
 * (headers and body), refuses what no AWS client would send, and hands the rest to one handler.
 *
 * Refused before the handler, in EC2's error envelope: a Host that is neither the listening address
 * nor localhost (403: DNS rebinding), any sign of a web page, such as an Origin (403: it must not
 * drive a root daemon), a body over 1 MiB (413, unread), a target that is no path (400). What isn't
 * HTTP at all gets libmicrohttpd's own 400. Each of these has 30 s: to begin a request, to complete
 * it, to take the reply; then the connection is closed. Time in which the daemon itself was busy
 * doesn't count.
 */
#pragma once

#include "base/buffer.h"
#include "base/loop.h"

#define HTTP_BODY_MAX ((size_t)1024 * 1024)

struct http;

struct http_header {
	const char *name, *value;
};

/* Borrowed for the length of the handler's call. */
struct http_request {
	const char *method;
	const char *path;  /* raw, still encoded, without the query */
	const char *query; /* raw, still encoded, "" if none */
	const char *body;  /* body_length bytes and a NUL; never NULL */
	size_t body_length;
	const struct http_header *headers; /* in the order sent, duplicates kept */
	size_t header_count;
};

/*
 * Comes to the handler filled in: 200, "text/xml;charset=UTF-8", a fresh random UUID, no body. The
 * server frees the body.
 */
struct http_reply {
	unsigned int status;
	const char *content_type; /* static */
	char request_id[37];	  /* sent as x-amzn-RequestId */
	struct buffer body;
};

/* The reply goes out when this returns; it must not block. It must not call http_close(). */
typedef void (*http_handler_fn)(void *context, const struct http_request *request,
				struct http_reply *reply);

/* The first header of that name, in any case; NULL when there is none. */
const char *http_header_get(const struct http_request *request, const char *name);

/*
 * Listens on `listen`: "127.0.0.1:4566", "[::1]:4566"; port 0 picks a free one. Errors: -EINVAL for
 * a bad address; -EADDRINUSE, -EACCES … with "127.0.0.1:4566: Address already in use".
 */
int http_open(struct loop *loop, const char *listen, http_handler_fn handler, void *context,
	      struct http **ret_http, struct error *error);
/* "http://127.0.0.1:4566", as really bound. */
const char *http_url(const struct http *http);
/* For tests: seconds instead of 30. */
void http_set_patience(struct http *http, unsigned int seconds);
/* Drops the connections. NULL is fine; always returns NULL. */
struct http *http_close(struct http *http);
