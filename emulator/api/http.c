/*
 * The HTTP server: see http.h. libmicrohttpd keeps its sockets in an epoll instance of its own, and
 * that instance's descriptor is one source on our loop.
 *
 *	accept → line → headers → admit() → body → answer() → reply sent → next request, or close
 *
 * Patience is counted in ticks of a timer that runs only while somebody is connected. A tick that
 * comes late because the daemon was busy is one tick, so nobody is cut off for our own slowness.
 */
#include "api/http.h"

#include "api/errors.h"
#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX	  1000
#define CONNECTION_MEMORY ((size_t)64 * 1024) /* request line and headers, while they are read */
#define PATIENCE	  30
#define TICK_MS		  1000
#define ROUNDS_MAX	  8
#define FAREWELL_TICKS	  5
#define DISCARD_MAX	  ((size_t)64 * 1024 * 1024)

/* A connection. */
struct peer {
	struct http *http;
	struct peer *next, *previous;
	struct MHD_Connection *connection;
	unsigned int since; /* the tick of the last step forward */
	bool answered;	    /* the last request, in full: nothing of it is left to read */
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
	http_handler_fn handler;
	void *context;
	struct peer *peers;
	struct farewell *farewells;
	unsigned int tick, patience;
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

static void new_uuid(char ret_text[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (b[6] & 0x0f) | 0x40; /* version 4 */
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(ret_text, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

static struct http_reply new_reply(void)
{
	struct http_reply reply = { 200, "text/xml;charset=UTF-8", "", BUFFER_INIT };

	new_uuid(reply.request_id);
	return reply;
}

/* ---- replies ----------------------------------------------------------------------------------
 */

/* Hands the reply's body over to libmicrohttpd. */
static enum MHD_Result send_reply(struct peer *peer, struct http_reply *reply, bool last)
{
	size_t length = reply->body.length;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		length, buffer_steal(&reply->body), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response)
		abort();
	MHD_add_response_header(response, "x-amzn-RequestId", reply->request_id);
	MHD_add_response_header(response, "Cache-Control", "no-cache, no-store");
	MHD_add_response_header(response, "Content-Type", reply->content_type);
	if (last)
		MHD_add_response_header(response, "Connection", "close");
	peer->answered = !last;
	result = MHD_queue_response(peer->connection, reply->status, response);
	MHD_destroy_response(response);
	peer->since = peer->http->tick;
	return result;
}

static enum MHD_Result refuse(struct peer *peer, const struct error *error)
{
	struct http_reply reply = new_reply();

	error_document(error, "", reply.request_id, &reply);
	return send_reply(peer, &reply, true);
}

static enum MHD_Result refuse_size(struct peer *peer)
{
	struct error error = ERROR_INIT;

	error_set(&error, ERROR_REQUEST_TOO_LARGE, "The request body is larger than %zu bytes",
		  HTTP_BODY_MAX);
	return refuse(peer, &error);
}

static const char *header(struct peer *peer, const char *name)
{
	return MHD_lookup_connection_value(peer->connection, MHD_HEADER_KIND, name);
}

/* ---- admission --------------------------------------------------------------------------------
 */

/* "127.0.0.1", "localhost:4566", "[::1]:80": the listening address or localhost, any port. */
static bool is_own_host(const struct http *http, const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	const char *port = end && *end == ']' ? end + 1 : end;
	struct address address, v6_loopback;
	char name[ADDRESS_TEXT_MAX];

	if (!end || (port[0] && (port[0] != ':' || port[1 + strspn(port + 1, "0123456789")])))
		return false;
	host += host[0] == '[';
	if ((size_t)(end - host) >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(end - host), host);
	if (*end != ']' && strcasecmp(name, "localhost") == 0)
		return true;
	if (address_parse(name, &address) < 0 || (address.family == AF_INET6) != (*end == ']'))
		return false;
	return address_equal(address, http->address) ||
	       address_equal(address, address_v4(INADDR_LOOPBACK)) ||
	       (address_parse("::1", &v6_loopback) == 0 && address_equal(address, v6_loopback));
}

struct tally {
	unsigned int hosts, page;
};

static enum MHD_Result tally_header(void *context, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	struct tally *tally = context;

	(void)kind;
	tally->hosts += strcasecmp(name, "Host") == 0;
	/* Browsers send these and don't let a page forge them; "none" is a typed address. */
	tally->page += strcasecmp(name, "Origin") == 0;
	tally->page += strcasecmp(name, "Sec-Fetch-Site") == 0 && !streq(value, "none");
	return MHD_YES;
}

/* Looks at the headers before the body is read. */
static enum MHD_Result admit(struct peer *peer, const struct exchange *exchange)
{
	const char *host = header(peer, "Host"), *length = header(peer, "Content-Length");
	struct error error = ERROR_INIT;
	struct tally tally = { 0 };

	MHD_get_connection_values(peer->connection, MHD_HEADER_KIND, tally_header, &tally);
	if (tally.hosts != 1 || exchange->path[0] != '/') {
		error_set(&error, ERROR_MALFORMED_QUERY,
			  "The request must have a path and one Host header");
		return refuse(peer, &error);
	}
	if (!host || !is_own_host(peer->http, host)) {
		error_set(&error, ERROR_UNAUTHORIZED_HOST,
			  "Requests must be addressed to localhost or to the listening address");
		return refuse(peer, &error);
	}
	if (tally.page) {
		error_set(&error, ERROR_UNAUTHORIZED_HOST, "Requests from web pages are refused");
		return refuse(peer, &error);
	}
	if (length && strtoull(length, NULL, 10) > HTTP_BODY_MAX)
		return refuse_size(peer);
	return MHD_YES;
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

static enum MHD_Result answer(struct peer *peer, const char *method, struct exchange *exchange)
{
	struct header_list headers = { NULL, 0 };
	struct http_reply reply = new_reply();
	struct http_request request;

	if (exchange->discarded)
		return refuse_size(peer);
	MHD_get_connection_values(peer->connection, MHD_HEADER_KIND, list_header, &headers);
	request = (struct http_request){
		.method = method,
		.path = exchange->path,
		.query = exchange->query,
		.body = exchange->body.data ? exchange->body.data : "",
		.body_length = exchange->body.length,
		.headers = headers.items,
		.header_count = headers.count,
	};
	peer->http->handler(peer->http->context, &request, &reply);
	free(headers.items);
	return send_reply(peer, &reply, false);
}

/* A chunked body shows its size only while it comes: then it is read to its end, and refused. */
static enum MHD_Result take_body(struct exchange *exchange, const char *data, size_t *length)
{
	if (exchange->discarded || exchange->body.length + *length > HTTP_BODY_MAX) {
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
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
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
		return admit(peer, exchange);
	}
	return *length ? take_body(exchange, data, length) : answer(peer, method, exchange);
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
	peer->since = peer->http->tick;
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
	peer_of(connection)->since = peer_of(connection)->http->tick;
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

static int peer_socket(const struct peer *peer)
{
	return MHD_get_connection_info(peer->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

static bool nothing_sent(int socket)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_bytes_sent == 0;
}

/* libmicrohttpd drops some of what isn't HTTP without a word. */
static void refuse_garbage(int socket)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct http_reply reply = new_reply();
	struct error error = ERROR_INIT;

	error_set(&error, ERROR_MALFORMED_QUERY, "The request is not HTTP");
	error_document(&error, "", reply.request_id, &reply);
	buffer_printf(&text,
		      "HTTP/1.1 %u Bad Request\r\nConnection: close\r\nContent-Type: %s\r\n"
		      "x-amzn-RequestId: %s\r\nContent-Length: %zu\r\n\r\n%s",
		      reply.status, reply.content_type, reply.request_id, reply.body.length,
		      reply.body.data);
	buffer_clear(&reply.body);
	send(socket, text.data, text.length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **peer_pointer,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct peer *peer = *peer_pointer;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		peer = xcalloc(1, sizeof(*peer));
		*peer = (struct peer){ .http = http, .connection = connection };
		peer->since = http->tick;
		peer->next = http->peers;
		if (peer->next)
			peer->next->previous = peer;
		http->peers = peer;
		*peer_pointer = peer;
		start_ticking(http);
		return;
	}
	if (!peer->answered && !http->closing) {
		if (nothing_sent(peer_socket(peer)))
			refuse_garbage(peer_socket(peer));
		farewell_start(http, peer_socket(peer));
	}
	if (peer->previous)
		peer->previous->next = peer->next;
	else
		http->peers = peer->next;
	if (peer->next)
		peer->next->previous = peer->previous;
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
		MHD_run(http->daemon);
		if (MHD_get_timeout(http->daemon, &wait) != MHD_YES)
			return;
		if (wait > 0)
			break;
	}
	http->again = loop_remove(http->again);
	loop_add_timer(http->loop, wait, on_again, http, &http->again, &error);
}

/* Cuts off who made no step forward for too long; libmicrohttpd then sees the end and closes. */
static void on_tick(void *context)
{
	struct http *http = context;
	struct farewell *farewell, *next;

	http->ticker = NULL;
	http->tick++;
	for (struct peer *peer = http->peers; peer; peer = peer->next)
		if (http->tick - peer->since > http->patience)
			shutdown(peer_socket(peer), SHUT_RDWR);
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

/* "127.0.0.1:4566", "[::1]:0" */
static int parse_listen(const char *text, struct address *ret_address, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	struct address address;
	char name[ADDRESS_TEXT_MAX];
	size_t length;
	long port;

	if (!colon || colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
	    strlen(colon + 1) > 5 || (bracket && (colon == text || colon[-1] != ']')))
		return -EINVAL;
	port = strtol(colon + 1, NULL, 10);
	length = (size_t)(colon - text) - (bracket ? 2 : 0);
	if (length >= sizeof(name) || port > UINT16_MAX)
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)length, text + bracket);
	if (address_parse(name, &address) < 0 || (address.family == AF_INET6) != bracket)
		return -EINVAL;
	*ret_address = address;
	*ret_port = (uint16_t)port;
	return 0;
}

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Returns a listening socket, or a negative errno. */
static int listen_on(struct address address, uint16_t port)
{
	union socket_address name = { .any.sa_family = address.family };
	bool is_v6 = address.family == AF_INET6;
	CLEANUP(closep) int fd = -1;
	int on = 1;

	if (is_v6) {
		name.v6.sin6_port = htons(port);
		memcpy(&name.v6.sin6_addr, address.bytes, sizeof(name.v6.sin6_addr));
	} else {
		name.v4.sin_port = htons(port);
		memcpy(&name.v4.sin_addr, address.bytes, sizeof(name.v4.sin_addr));
	}
	fd = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A restart must not wait for the old connections' TIME_WAIT. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, &name.any, is_v6 ? sizeof(name.v6) : sizeof(name.v4)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
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

/* Half of the descriptors at most: the other rooms need some too. */
static unsigned int connection_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 > CONNECTIONS_MAX)
		return CONNECTIONS_MAX;
	return (unsigned int)limit.rlim_cur / 2;
}

static void http_freep(struct http **http)
{
	*http = http_close(*http);
}

int http_open(struct loop *loop, const char *listen, http_handler_fn handler, void *context,
	      struct http **ret_http, struct error *error)
{
	CLEANUP(http_freep) struct http *http = xcalloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;
	uint16_t port;
	int fd, r;

	http->loop = loop;
	http->handler = handler;
	http->context = context;
	http->patience = PATIENCE;
	if (parse_listen(listen, &http->address, &port) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%s: not an ADDRESS:PORT such as 127.0.0.1:4566 or [::1]:4566",
				 listen);
	fd = listen_on(http->address, port);
	if (fd < 0)
		return error_sys(error, fd, "%s", listen);
	http->url = bound_url(fd, http->address);
	/* Turbo: no shutdown() before a connection's end is told, so that a reply can still go. */
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TURBO, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connection_limit(),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
		1, MHD_OPTION_URI_LOG_CALLBACK, on_line, http, MHD_OPTION_NOTIFY_COMPLETED, on_done,
		http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
	if (!http->daemon) {
		close(fd);
		return error_sys(error, errno ? errno : ENOMEM, "%s: HTTP server", listen);
	}
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = loop_add_fd(loop, info->epoll_fd, EPOLLIN, on_readable, http, &http->readable, error);
	if (r < 0)
		return r;
	*ret_http = steal(&http);
	return 0;
}

const char *http_url(const struct http *http)
{
	return http->url;
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
		MHD_stop_daemon(http->daemon);
	while (http->farewells)
		farewell_end(http->farewells);
	loop_remove(http->ticker);
	free(http->url);
	free(http);
	return NULL;
}
