/* One HTTP POST: see post.h. */
#include "client/post.h"

#include "base/socket_address.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCHEME	   "http://"
#define CONNECT_MS 5000
#define REPLY_MAX  ((size_t)64 << 20) /* 4,000 instances are 2 MiB */
#define CHUNK	   65536

const char *post_host(const char *url)
{
	return strncmp(url, SCHEME, strlen(SCHEME)) == 0 ? url + strlen(SCHEME) : "";
}

/* 0, or -ETIMEDOUT. */
static int await(int fd, short events, int milliseconds)
{
	struct pollfd event = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&event, 1, milliseconds);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* A socket, or -errno. */
static int connect_to(const char *host)
{
	CLEANUP(closep) int fd = -1;
	union socket_address name;
	struct address address;
	socklen_t length, size = sizeof(int);
	uint16_t port;
	int r, sys = 0;

	if ((r = socket_address_parse(host, &address, &port)) < 0)
		return r;
	length = socket_address_of(address, port, &name);
	fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &name.any, length) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		if ((r = await(fd, POLLOUT, CONNECT_MS)) < 0)
			return r;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &size) < 0)
			return -errno;
	}
	return sys ? -sys : steal_fd(&fd);
}

static int transmit(int fd, const struct buffer *request, int patience)
{
	for (size_t sent = 0; sent < request->length;) {
		ssize_t n = send(fd, request->data + sent, request->length - sent, MSG_NOSIGNAL);
		int r = 0;

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			r = await(fd, POLLOUT, patience * 1000);
		else if (errno != EINTR)
			r = -errno;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Until the other end closes. */
static int receive(int fd, int patience, struct buffer *reply)
{
	char chunk[CHUNK];

	for (;;) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
		int r = 0;

		if (n == 0)
			return 0;
		if (n > 0 && reply->length + (size_t)n > REPLY_MAX)
			return -EMSGSIZE;
		if (n > 0)
			buffer_append(reply, chunk, (size_t)n);
		else if (errno == EAGAIN)
			r = await(fd, POLLIN, patience * 1000);
		else if (errno != EINTR)
			r = -errno;
		if (r < 0)
			return r;
	}
}

/* The value of a header of the head that ends at `end`; NULL when it has none. */
static const char *find_header(const char *head, const char *end, const char *name)
{
	const size_t length = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line && line < end;
	     line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
			return line + 2 + length + 1;
	return NULL;
}

/* "HTTP/1.1 200 OK", headers, an empty line, and as much as Content-Length says. */
static int split(const struct buffer *reply, int *ret_status, struct buffer *ret_body)
{
	const char *head = reply->data ? reply->data : "", *end = strstr(head, "\r\n\r\n");
	const char *length = end ? find_header(head, end, "Content-Length") : NULL;
	size_t body;

	if (!length || sscanf(head, "HTTP/1.%*1[01] %3d ", ret_status) != 1)
		return -EBADMSG;
	body = reply->length - (size_t)(end + 4 - head);
	if (strtoull(length, NULL, 10) != body)
		return -EBADMSG;
	buffer_append(ret_body, end + 4, body);
	return 0;
}

int post(const char *url, const struct buffer *request, int patience, int *ret_status,
	 struct buffer *ret_body, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer reply = BUFFER_INIT;
	CLEANUP(closep) int fd = connect_to(post_host(url));
	int r = MIN(fd, 0);

	if (r == 0 && request) {
		r = transmit(fd, request, patience);
		/* A server that refuses early may have said why. */
		if (r == 0 || r == -EPIPE || r == -ECONNRESET)
			r = receive(fd, patience, &reply);
		if (r == 0)
			r = split(&reply, ret_status, ret_body);
	}
	return r < 0 ? error_sys(error, r, "the daemon at %s does not answer", url) : 0;
}
