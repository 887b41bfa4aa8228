/* objects: emulator/http/http.o emulator/http/microhttpd.o emulator/base/library.o emulator/api/front.o emulator/api/errors.o emulator/api/xml.o emulator/base/base64.o emulator/base/loop.o emulator/base/cidr.o emulator/base/socket_address.o emulator/base/error.o emulator/base/buffer.o emulator/base/util.o emulator/base/text.o */
/* libs: nettle */
/*
 * What comes over a connection to the API's server, in two pieces: the first byte of the input says
 * where it is cut. Whatever it is, it is answered or the connection is closed, and what is taken
 * for a request is one. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#define REPLAY_COST 10

#include "api/front.h"
#include "replay.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 32768 /* a socket takes so much at once */

static struct loop *loop;
static struct front *front;
static struct {
	int fd;
	struct loop_source *source, *timer;
	const uint8_t *rest;
	size_t size;
} client;

static void on_request(void *context, const struct http_request *request, struct http_reply *reply)
{
	(void)context;
	if (!request->method || *request->path != '/' || !request->query || !request->body ||
	    request->body[request->body_length] || request->body_length > FRONT_BODY_MAX)
		abort();
	for (size_t i = 0; i < request->header_count; i++)
		if (!request->headers[i].name || !request->headers[i].value)
			abort();
	buffer_puts(&reply->body, request->path);
}

static void open_server(void)
{
	const struct front_options options = { "127.0.0.1:0", on_request, NULL };
	struct error error = ERROR_INIT;

	if (loop_new(&loop, &error) < 0 || front_open(loop, &options, &front, &error) < 0)
		abort();
}

/* The rest once there is an answer to the first piece, or a moment has passed; then the end. */
static void send_rest(void)
{
	if (client.size && send(client.fd, client.rest, client.size, MSG_NOSIGNAL) < 0)
		client.size = 0; /* it is closed already */
	client.size = 0;
	shutdown(client.fd, SHUT_WR);
}

static void on_readable(void *context, uint32_t events)
{
	char bytes[4096];
	ssize_t length = recv(client.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)context;
	(void)events;
	if (length <= 0)
		loop_stop(loop);
	else if (client.size)
		send_rest();
}

/* The server has all, and what it has to say it has said; it may wait, but nobody here does. */
static void on_end(void *context)
{
	(void)context;
	client.timer = NULL;
	loop_stop(loop);
}

static void wait_for(loop_timer_fn what, uint64_t milliseconds)
{
	struct error error = ERROR_INIT;

	if (loop_add_timer(loop, milliseconds, what, NULL, &client.timer, &error) < 0)
		abort();
}

static void on_moment(void *context)
{
	(void)context;
	send_rest();
	wait_for(on_end, 3);
}

static void connect_with(const uint8_t *data, size_t size)
{
	const struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(1) };
	const size_t first = size ? data[0] * (size - 1) / 255 : 0;
	struct error error = ERROR_INIT;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	client.fd = pair[0];
	client.rest = data + (size ? 1 : 0) + first;
	client.size = size ? size - 1 - first : 0;
	if (first && send(client.fd, data + 1, first, MSG_NOSIGNAL) < 0)
		abort();
	http_accept(front_http(front), pair[1], (const struct sockaddr *)&peer, sizeof(peer),
		    &client);
	if (loop_add_fd(loop, client.fd, EPOLLIN | EPOLLHUP, on_readable, NULL, &client.source,
			&error) < 0)
		abort();
	wait_for(on_moment, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = ERROR_INIT;

	if (size > MOST)
		return 0;
	if (!loop)
		open_server();
	connect_with(data, size);
	if (loop_run(loop, &error) < 0)
		abort();
	loop_remove(client.source);
	loop_remove(client.timer);
	close(client.fd);
	return 0;
}
