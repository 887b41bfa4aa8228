/*
 * The HTTP/1.1 server: libmicrohttpd on the daemon's own loop, no threads. It takes whole requests
 * (headers and body) and hands them to a service, which answers them. Its connections come from a
 * socket that it listens on, or one by one from somebody who accepted them.
 *
 * Refused before the service answers, in its own words: what it doesn't admit, a body that is too
 * large (413, unread), a target that is no path (400), what isn't HTTP at all (400; libmicrohttpd's
 * own words where it has some). Each of these has the service's patience: to begin a request, to
 * complete it, to take the reply; then the connection is closed. Time in which the daemon itself
 * was busy doesn't count. Where there are nearly as many connections as there may be, the one whose
 * last step forward is longest ago makes room for who comes.
 */
#pragma once

#include "base/buffer.h"
#include "base/cidr.h"
#include "base/loop.h"

struct http;

struct http_header {
	const char *name, *value;
};

/* Borrowed for the length of a callback. */
struct http_request {
	const char *method;
	const char *path;  /* raw, still encoded, without the query */
	const char *query; /* raw, still encoded, "" if none */
	const char *body;  /* body_length bytes and a NUL; never NULL; "" in admit() */
	size_t body_length;
	const struct http_header *headers; /* in the order sent, duplicates kept */
	size_t header_count;
	const void *origin; /* http_accept()'s; NULL for a connection it listened for */
};

#define HTTP_REPLY_HEADERS_MAX 4

struct http_reply_header {
	const char *name; /* static */
	char value[64];
};

/* A fresh one is 200, without a type, headers or a body. The server frees the body. */
struct http_reply {
	unsigned int status;
	const char *content_type; /* static */
	char request_id[37];	  /* sent as x-amzn-RequestId; "": not sent */
	struct http_reply_header headers[HTTP_REPLY_HEADERS_MAX];
	size_t header_count;
	/* Of the packets that the connection sends from now on (IPv4's TTL); 0: as it was. */
	uint8_t hop_limit;
	struct buffer body;
};

/* Who answers. None of these may block or call http_close(). */
struct http_service {
	/* What every reply has, refusals too. */
	void (*prepare)(void *context, struct http_reply *reply);
	/*
	 * The headers have come, the body is unread: false sends `reply` and closes the connection.
	 * NULL: all are admitted.
	 */
	bool (*admit)(void *context, const struct http_request *request, struct http_reply *reply);
	/* A whole request; the reply goes out when this returns. */
	void (*answer)(void *context, const struct http_request *request, struct http_reply *reply);
	/* Says a refusal of the server's: ERROR_MALFORMED_QUERY, ERROR_REQUEST_TOO_LARGE. */
	void (*refuse)(void *context, const struct error *error, struct http_reply *reply);
	/* The connection with that origin is gone, or never began; NULL: nobody cares. */
	void (*gone)(void *context, void *origin);
	size_t body_max;
	size_t header_memory;	       /* of a connection: request line and headers, both ways */
	unsigned int connections_max;  /* and never more than its share of the descriptors */
	unsigned int descriptor_share; /* 2: half of those the process may have */
	unsigned int patience;	       /* seconds */
	bool one_request;	       /* a connection is closed after its reply */
};

struct http_options {
	const char *listen;		    /* NULL: connections come by http_accept() alone */
	const struct http_service *service; /* must outlive the server */
	void *context;
};

/* The first header of that name, in any case; NULL when there is none. */
const char *http_header_get(const struct http_request *request, const char *name);
/* Adds a header; its value is cut to what fits. */
void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
	PRINTF(3, 4);

/*
 * Listens on "127.0.0.1:4566", "[::1]:4566"; port 0 picks a free one. Errors: -EINVAL for a bad
 * address; -EADDRINUSE, -EACCES … with "127.0.0.1:4566: Address already in use".
 */
int http_open(struct loop *loop, const struct http_options *options, struct http **ret_http,
	      struct error *error);
/*
 * Takes a connected stream socket, owned from now on, whatever becomes of it. `origin` (not NULL)
 * comes with each of its requests and goes to gone() at the end.
 */
void http_accept(struct http *http, int fd, const struct sockaddr *peer, socklen_t length,
		 void *origin);
/* "http://127.0.0.1:4566", as really bound; NULL: it doesn't listen. */
const char *http_url(const struct http *http);
/* The address that it listens on; unset for none. */
struct address http_address(const struct http *http);
/* For tests: seconds instead of the service's. */
void http_set_patience(struct http *http, unsigned int seconds);
/* Drops the connections. NULL is fine; always returns NULL. */
struct http *http_close(struct http *http);
