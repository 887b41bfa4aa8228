/*
 * The HTTP server: see http.h. libmicrohttpd keeps its sockets in an epoll instance of its own, and
 * that instance's descriptor is one source on our loop.
 *
 *	accept → line → headers → admit() → body → answer() → reply sent → next request, or close
 *
 * Patience is counted in ticks of a timer that runs only while somebody is connected. A tick that
 * comes late because the daemon was busy is one tick, so nobody is cut off for our own slowness.
 *
 * When there are nearly as many connections as there may be, a new one takes the place of the one
 * whose last step forward is longest ago: who only holds connections keeps nobody out.
 */
#include "http/http.h"

#include "base/socket_address.h"

#include "http/microhttpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS	       1000
#define ROUNDS_MAX     8
#define FAREWELL_TICKS 5
#define DISCARD_MAX    ((size_t)64 * 1024 * 1024)
/* Of the connections that there may be: what is kept free for those that come. */
#define ROOM(limit) ((limit) / 8)

/* A connection. */
struct peer {
	struct http *http;
	struct peer *next, *previous;
	struct MHD_Connection *connection;
	void *origin;
	unsigned int since; /* the tick of the last step forward */
	uint64_t step;	    /* which one of all connections' that was */
	bool answered;	    /* the last request, in full: nothing of it is left to read */
	bool replying;	    /* there is more of the reply to send */
	bool cut_off;
};

/*
 * A socket after libmicrohttpd has closed it, with the client still sending: closing it for good
 * would reset the connection and the client would lose the refusal. What comes is thrown away.
 */
struct farewell {
	struct http *http;
	struct farewell *next;
	struct loop_source *source;
	int fd;
	unsigned int since;
	size_t discarded;
};

struct http {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_source *readable, *again, *ticker;
	struct address address;
	char *url;
	const struct http_service *service;
	void *context;
	void *arriving; /* the origin of the connection that is being added */
	struct peer *peers;
	struct farewell *farewells;
	unsigned int tick, patience;
	uint64_t steps;
	unsigned int limit, count; /* of connections; those that aren't cut off */
	bool closing;
};

/* One request on its way in. */
struct exchange {
	char *path, *query;
	struct buffer body;
	size_t discarded; /* of a body that turned out too big */
	bool admitted;
};

const char *http_header_get(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
{
	struct http_reply_header *header = &reply->headers[reply->header_count];
	va_list arguments;

	assert(reply->header_count < HTTP_REPLY_HEADERS_MAX);
	reply->header_count++;
	header->name = name;
	va_start(arguments, format);
	vsnprintf(header->value, sizeof(header->value), format, arguments);
	va_end(arguments);
}

static struct http_reply new_reply(const struct http *http)
{
	struct http_reply reply = { .status = 200, .body = BUFFER_INIT };

	http->service->prepare(http->context, &reply);
	return reply;
}

/* ---- replies ----------------------------------------------------------------------------------
 */

static int peer_socket(const struct peer *peer)
{
	return microhttpd.get_connection_info(peer->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

static void step_forward(struct peer *peer)
{
	peer->since = peer->http->tick;
	peer->step = ++peer->http->steps;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value && *value)
		microhttpd.add_response_header(response, name, value);
}

/* Hands the reply's body over to libmicrohttpd. `unread`: more of the request may come. */
static enum MHD_Result send_reply(struct peer *peer, struct http_reply *reply, bool unread)
{
	size_t length = reply->body.length;
	struct MHD_Response *response = microhttpd.create_response_from_buffer(
		length, buffer_steal(&reply->body), MHD_RESPMEM_MUST_FREE);
	const int hops = reply->hop_limit;
	enum MHD_Result result;

	if (!response)
		abort();
	/* It stays so: what is sent again must not go further than what was sent first. */
	if (hops)
		setsockopt(peer_socket(peer), IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
	add_header(response, "x-amzn-RequestId", reply->request_id);
	add_header(response, "Content-Type", reply->content_type);
	for (size_t i = 0; i < reply->header_count; i++)
		add_header(response, reply->headers[i].name, reply->headers[i].value);
	if (unread || peer->http->service->one_request)
		add_header(response, "Connection", "close");
	peer->answered = !unread;
	peer->replying = true;
	result = microhttpd.queue_response(peer->connection, reply->status, response);
	microhttpd.destroy_response(response);
	step_forward(peer);
	return result;
}

static enum MHD_Result refuse(struct peer *peer, const struct error *error)
{
	const struct http *http = peer->http;
	struct http_reply reply = new_reply(http);

	http->service->refuse(http->context, error, &reply);
	return send_reply(peer, &reply, true);
}

static enum MHD_Result refuse_size(struct peer *peer)
{
	struct error error = ERROR_INIT;

	error_set(&error, ERROR_REQUEST_TOO_LARGE, "The request body is larger than %zu bytes",
		  peer->http->service->body_max);
	return refuse(peer, &error);
}

/* ---- one request ------------------------------------------------------------------------------
 */

struct header_list {
	struct http_header *items;
	size_t count;
};

static enum MHD_Result list_header(void *context, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct header_list *list = context;

	(void)kind;
	*array_grow(&list->items, &list->count) = (struct http_header){ name, value ? value : "" };
	return MHD_YES;
}

/* The request as far as it has come; `headers` is freed by the caller. */
static struct http_request request_of(struct peer *peer, const char *method,
				      const struct exchange *exchange, struct header_list *headers)
{
	microhttpd.get_connection_values(peer->connection, MHD_HEADER_KIND, list_header, headers);
	return (struct http_request){
		.method = method,
		.path = exchange->path,
		.query = exchange->query,
		.body = exchange->body.data ? exchange->body.data : "",
		.body_length = exchange->body.length,
		.headers = headers->items,
		.header_count = headers->count,
		.origin = peer->origin,
	};
}

/* Looks at the headers before the body is read. */
static enum MHD_Result admit(struct peer *peer, const char *method, const struct exchange *exchange)
{
	const struct http *http = peer->http;
	const struct http_service *service = http->service;
	struct header_list headers = { NULL, 0 };
	struct http_request request = request_of(peer, method, exchange, &headers);
	struct http_reply reply = new_reply(http);
	const char *length = http_header_get(&request, "Content-Length");
	const bool large = length && strtoull(length, NULL, 10) > service->body_max;
	bool admitted = !service->admit || service->admit(http->context, &request, &reply);
	struct error error = ERROR_INIT;

	free(headers.items);
	if (!admitted)
		return send_reply(peer, &reply, true);
	buffer_clear(&reply.body);
	if (exchange->path[0] != '/') {
		error_set(&error, ERROR_MALFORMED_QUERY, "The request must have a path");
		return refuse(peer, &error);
	}
	return large ? refuse_size(peer) : MHD_YES;
}

static enum MHD_Result answer(struct peer *peer, const char *method, struct exchange *exchange)
{
	const struct http *http = peer->http;
	struct header_list headers = { NULL, 0 };
	struct http_reply reply = new_reply(http);
	struct http_request request;

	if (exchange->discarded)
		return refuse_size(peer);
	request = request_of(peer, method, exchange, &headers);
	http->service->answer(http->context, &request, &reply);
	free(headers.items);
	return send_reply(peer, &reply, false);
}

/* A chunked body shows its size only while it comes: then it is read to its end, and refused. */
static enum MHD_Result take_body(size_t max, struct exchange *exchange, const char *data,
				 size_t *length)
{
	if (exchange->discarded || exchange->body.length + *length > max) {
		buffer_clear(&exchange->body);
		exchange->discarded += *length;
		if (exchange->discarded > DISCARD_MAX)
			return MHD_NO;
	} else {
		buffer_append(&exchange->body, data, *length);
	}
	*length = 0;
	return MHD_YES;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	return microhttpd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* libmicrohttpd's handler: once with the headers, then for the body's pieces, then at the end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *length, void **exchange_pointer)
{
	struct exchange *exchange = *exchange_pointer;
	struct peer *peer = peer_of(connection);

	(void)context;
	(void)url;
	(void)version;
	if (!exchange->admitted) {
		exchange->admitted = true;
		return admit(peer, method, exchange);
	}
	return *length ? take_body(peer->http->service->body_max, exchange, data, length)
		       : answer(peer, method, exchange);
}

/* The request line has come. This is the only place to see it before it is decoded. */
static void *on_line(void *context, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));
	struct peer *peer = peer_of(connection);
	size_t path = strcspn(target, "?");

	(void)context;
	exchange->path = xasprintf("%.*s", (int)path, target);
	exchange->query = xstrdup(target + path + (target[path] == '?'));
	step_forward(peer);
	peer->answered = false;
	return exchange;
}

static void on_done(void *context, struct MHD_Connection *connection, void **exchange_pointer,
		    enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *exchange_pointer;

	(void)context;
	(void)code;
	*exchange_pointer = NULL;
	step_forward(peer_of(connection));
	peer_of(connection)->replying = false;
	if (!exchange)
		return;
	free(exchange->path);
	free(exchange->query);
	buffer_clear(&exchange->body);
	free(exchange);
}

/* ---- connections ------------------------------------------------------------------------------
 */

static void on_tick(void *context);

static void start_ticking(struct http *http)
{
	struct error error = ERROR_INIT;

	if (!http->ticker)
		loop_add_timer(http->loop, TICK_MS, on_tick, http, &http->ticker, &error);
}

static void farewell_end(struct farewell *farewell)
{
	struct farewell **link = &farewell->http->farewells;

	while (*link != farewell)
		link = &(*link)->next;
	*link = farewell->next;
	loop_remove(farewell->source);
	close(farewell->fd);
	free(farewell);
}

static void on_farewell(void *context, uint32_t events)
{
	struct farewell *farewell = context;
	/* MSG_TRUNC: TCP drops the bytes without copying them. */
	ssize_t n = recv(farewell->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	farewell->discarded += n > 0 ? (size_t)n : 0;
	if (n <= 0 || farewell->discarded > DISCARD_MAX)
		farewell_end(farewell);
}

static void farewell_start(struct http *http, int socket)
{
	struct error error = ERROR_INIT;
	struct farewell *farewell;
	int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return;
	shutdown(fd, SHUT_WR);
	farewell = xcalloc(1, sizeof(*farewell));
	*farewell = (struct farewell){ .http = http, .fd = fd, .since = http->tick };
	farewell->next = http->farewells;
	http->farewells = farewell;
	if (loop_add_fd(http->loop, fd, EPOLLIN, on_farewell, farewell, &farewell->source, &error) <
	    0)
		farewell_end(farewell);
}

static bool nothing_sent(int socket)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_bytes_sent == 0;
}

/* libmicrohttpd drops some of what isn't HTTP without a word. */
static void refuse_garbage(const struct http *http, int socket)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct http_reply reply = new_reply(http);
	struct error error = ERROR_INIT;

	error_set(&error, ERROR_MALFORMED_QUERY, "The request is not HTTP");
	http->service->refuse(http->context, &error, &reply);
	buffer_printf(&text,
		      "HTTP/1.1 %u Bad Request\r\nConnection: close\r\nContent-Type: %s\r\n"
		      "Content-Length: %zu\r\n",
		      reply.status, reply.content_type, reply.body.length);
	if (reply.request_id[0])
		buffer_printf(&text, "x-amzn-RequestId: %s\r\n", reply.request_id);
	buffer_puts(&text, "\r\n");
	buffer_append(&text, reply.body.data, reply.body.length);
	buffer_clear(&reply.body);
	send(socket, text.data, text.length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void let_go(const struct http *http, void *origin)
{
	if (origin && http->service->gone)
		http->service->gone(http->context, origin);
}

/* libmicrohttpd sees the end and closes. */
static void cut_off(struct peer *peer)
{
	if (!peer->cut_off)
		peer->http->count--;
	peer->cut_off = true;
	shutdown(peer_socket(peer), SHUT_RDWR);
}

static void make_room(struct http *http)
{
	struct peer *last = NULL;

	if (http->count <= http->limit - ROOM(http->limit))
		return;
	for (struct peer *peer = http->peers; peer; peer = peer->next)
		if (!peer->cut_off && (!last || peer->step < last->step))
			last = peer;
	if (last)
		cut_off(last);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **peer_pointer,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct peer *peer = *peer_pointer;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		peer = xcalloc(1, sizeof(*peer));
		*peer = (struct peer){ .http = http, .connection = connection };
		peer->origin = steal(&http->arriving);
		step_forward(peer);
		peer->next = http->peers;
		if (peer->next)
			peer->next->previous = peer;
		http->peers = peer;
		http->count++;
		*peer_pointer = peer;
		make_room(http);
		start_ticking(http);
		return;
	}
	if (!peer->answered && !http->closing) {
		if (nothing_sent(peer_socket(peer)))
			refuse_garbage(http, peer_socket(peer));
		farewell_start(http, peer_socket(peer));
	}
	http->count -= !peer->cut_off;
	if (peer->previous)
		peer->previous->next = peer->next;
	else
		http->peers = peer->next;
	if (peer->next)
		peer->next->previous = peer->previous;
	let_go(http, peer->origin);
	free(peer);
	*peer_pointer = NULL;
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static void pump(struct http *http);

static void on_readable(void *context, uint32_t events)
{
	(void)events;
	pump(context);
}

static void on_again(void *context)
{
	struct http *http = context;

	http->again = NULL;
	pump(http);
}

/* Lets libmicrohttpd work until nothing is left, or for a few rounds: others wait on this loop. */
static void pump(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG wait;
	struct error error = ERROR_INIT;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		microhttpd.run(http->daemon);
		if (microhttpd.get_timeout(http->daemon, &wait) != MHD_YES)
			return;
		if (wait > 0)
			break;
	}
	http->again = loop_remove(http->again);
	loop_add_timer(http->loop, wait, on_again, http, &http->again, &error);
}

/*
 * Has the client closed his side, with nothing of his left to read? libmicrohttpd takes a short
 * read for all there is, and doesn't see an end that came along with the last bytes.
 */
static bool has_ended(const struct peer *peer)
{
	char byte;

	return peer->since != peer->http->tick && !peer->replying &&
	       recv(peer_socket(peer), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Cuts off who has gone, or made no step forward for too long. */
static void on_tick(void *context)
{
	struct http *http = context;
	struct farewell *farewell, *next;

	http->ticker = NULL;
	http->tick++;
	for (struct peer *peer = http->peers; peer; peer = peer->next)
		if (http->tick - peer->since > http->patience || has_ended(peer))
			cut_off(peer);
	for (farewell = http->farewells; farewell; farewell = next) {
		next = farewell->next;
		if (http->tick - farewell->since > FAREWELL_TICKS)
			farewell_end(farewell);
	}
	if (http->peers || http->farewells)
		start_ticking(http);
	pump(http);
}

/* ---- start and stop ---------------------------------------------------------------------------
 */

/* Returns a listening socket, or a negative errno. */
static int listen_on(struct address address, uint16_t port)
{
	union socket_address name;
	const socklen_t length = socket_address_of(address, port, &name);
	bool is_v6 = address.family == AF_INET6;
	CLEANUP(closep) int fd = -1;
	int on = 1;

	fd = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A restart must not wait for the old connections' TIME_WAIT. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, &name.any, length) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	return steal_fd(&fd);
}

static char *bound_url(int fd, struct address address)
{
	union socket_address name;
	socklen_t length = sizeof(name);
	bool is_v6 = address.family == AF_INET6;

	if (getsockname(fd, &name.any, &length) < 0)
		abort();
	return xasprintf(is_v6 ? "http://[%s]:%u" : "http://%s:%u", address_format(address).text,
			 (unsigned int)ntohs(is_v6 ? name.v6.sin6_port : name.v4.sin_port));
}

/* The other rooms need descriptors too. */
static unsigned int connection_limit(const struct http_service *service)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return service->connections_max;
	return (unsigned int)MIN(limit.rlim_cur / service->descriptor_share,
				 (rlim_t)service->connections_max);
}

static void http_freep(struct http **http)
{
	*http = http_close(*http);
}

/* Sets `ret_fd` to -1 when there is nothing to listen on. */
static int open_socket(struct http *http, const char *listen, int *ret_fd, struct error *error)
{
	uint16_t port;
	int fd;

	*ret_fd = -1;
	if (!listen)
		return 0;
	if (socket_address_parse(listen, &http->address, &port) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%s: not an ADDRESS:PORT such as 127.0.0.1:4566 or [::1]:4566",
				 listen);
	fd = listen_on(http->address, port);
	if (fd < 0)
		return error_sys(error, fd, "%s", listen);
	http->url = bound_url(fd, http->address);
	*ret_fd = fd;
	return 0;
}

/* Turbo: no shutdown() before a connection's end is told, so that a reply can still go. */
static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
	const unsigned int flags =
		MHD_USE_EPOLL | MHD_USE_TURBO | (fd < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0);
	const struct MHD_OptionItem listening[] = {
		{ fd < 0 ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_END, 0, NULL }
	};

	return microhttpd.start_daemon(
		flags, 0, NULL, NULL, on_request, http, MHD_OPTION_ARRAY, listening,
		MHD_OPTION_CONNECTION_LIMIT, http->limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		http->service->header_memory, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_line, http, MHD_OPTION_NOTIFY_COMPLETED, on_done,
		http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

int http_open(struct loop *loop, const struct http_options *options, struct http **ret_http,
	      struct error *error)
{
	CLEANUP(http_freep) struct http *http = xcalloc(1, sizeof(*http));
	const char *name = options->listen ? options->listen : "HTTP server";
	const union MHD_DaemonInfo *info;
	int r, fd;

	if ((r = microhttpd_load(error)) < 0)
		return r;
	http->loop = loop;
	http->service = options->service;
	http->context = options->context;
	http->patience = options->service->patience;
	http->limit = connection_limit(options->service);
	if ((r = open_socket(http, options->listen, &fd, error)) < 0)
		return r;
	http->daemon = start_daemon(http, fd);
	if (!http->daemon) {
		closep(&fd);
		return error_sys(error, errno ? errno : ENOMEM, "%s: HTTP server", name);
	}
	info = microhttpd.get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = loop_add_fd(loop, info->epoll_fd, EPOLLIN, on_readable, http, &http->readable, error);
	if (r < 0)
		return r;
	*ret_http = steal(&http);
	return 0;
}

void http_accept(struct http *http, int fd, const struct sockaddr *peer, socklen_t length,
		 void *origin)
{
	http->arriving = origin;
	/* It closes what it doesn't take. */
	if (microhttpd.add_connection(http->daemon, fd, peer, length) != MHD_YES && http->arriving)
		let_go(http, steal(&http->arriving));
	http->arriving = NULL;
	pump(http);
}

const char *http_url(const struct http *http)
{
	return http->url;
}

struct address http_address(const struct http *http)
{
	return http->address;
}

void http_set_patience(struct http *http, unsigned int seconds)
{
	http->patience = seconds;
}

struct http *http_close(struct http *http)
{
	if (!http)
		return NULL;
	http->closing = true;
	loop_remove(http->readable);
	loop_remove(http->again);
	if (http->daemon)
		microhttpd.stop_daemon(http->daemon);
	while (http->farewells)
		farewell_end(http->farewells);
	loop_remove(http->ticker);
	free(http->url);
	free(http);
	return NULL;
}
