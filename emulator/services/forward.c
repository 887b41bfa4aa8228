/* Asking the host's resolver: see forward.h. */
#include "services/forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/random.h>
#include <unistd.h>

#include "services/message.h"

#define FORWARDINGS_MAX 512
#define SERVERS_MAX	MAXNS
#define ROUNDS		2
#define PATIENCE	2000 /* milliseconds for each attempt */

struct forwarder {
	struct loop *loop;
	size_t count;
};

struct forwarding {
	struct forwarder *forwarder;
	forward_fn done;
	void *context;
	bool stream;
	uint8_t *query; /* with an id of our own, behind room for its length */
	size_t size;
	uint8_t id[2]; /* the asker's */
	struct sockaddr_in servers[SERVERS_MAX];
	size_t server_count, attempt;
	int fd; /* -1: none */
	struct loop_source *source, *timer;
	uint8_t *reply; /* as much as has come, behind its length */
	size_t received;
};

struct forwarder *forwarder_new(struct loop *loop)
{
	struct forwarder *forwarder = xcalloc(1, sizeof(*forwarder));

	forwarder->loop = loop;
	return forwarder;
}

struct forwarder *forwarder_free(struct forwarder *forwarder)
{
	free(forwarder);
	return NULL;
}

/* ---- ends ---- */

static void hang_up(struct forwarding *forwarding)
{
	forwarding->source = loop_remove(forwarding->source);
	forwarding->timer = loop_remove(forwarding->timer);
	closep(&forwarding->fd);
	forwarding->fd = -1;
	forwarding->received = 0;
}

struct forwarding *forward_cancel(struct forwarding *forwarding)
{
	if (!forwarding)
		return NULL;
	hang_up(forwarding);
	forwarding->forwarder->count--;
	free(forwarding->query);
	free(forwarding->reply);
	free(forwarding);
	return NULL;
}

/* Size 0: nobody has answered. */
static void end(struct forwarding *forwarding, size_t size)
{
	forward_fn done = forwarding->done;
	void *context = forwarding->context;
	CLEANUP(freep) uint8_t *reply = steal(&forwarding->reply);

	if (size)
		memcpy(reply + 2, forwarding->id, sizeof(forwarding->id));
	forward_cancel(forwarding);
	done(context, reply + 2, size);
}

/* ---- attempts ---- */

static void attempt(struct forwarding *forwarding);

static void on_timer(void *context)
{
	struct forwarding *forwarding = context;

	forwarding->timer = NULL;
	attempt(forwarding);
}

static bool is_reply(const struct forwarding *forwarding, size_t size)
{
	return dns_is_reply_to(forwarding->reply + 2, size, forwarding->query + 2,
			       forwarding->size);
}

/* What isn't the answer came from somebody else, and is not listened to. */
static void on_datagram(void *context, uint32_t events)
{
	struct forwarding *forwarding = context;
	ssize_t length = recv(forwarding->fd, forwarding->reply + 2, DNS_QUERY_MAX, MSG_DONTWAIT);

	(void)events;
	if (length > 0 && is_reply(forwarding, (size_t)length))
		end(forwarding, (size_t)length);
	else if (length < 0 && errno != EAGAIN)
		attempt(forwarding);
}

static void on_stream(void *context, uint32_t events)
{
	struct forwarding *forwarding = context;
	size_t wanted = 2;
	ssize_t length;

	(void)events;
	if (forwarding->received >= 2)
		wanted += ns_get16(forwarding->reply);
	length = recv(forwarding->fd, forwarding->reply + forwarding->received,
		      wanted - forwarding->received, MSG_DONTWAIT);
	if (length < 0 && errno == EAGAIN)
		return;
	if (length > 0)
		forwarding->received += (size_t)length;
	if (length <= 0 || (forwarding->received == 2 && ns_get16(forwarding->reply) == 0))
		attempt(forwarding);
	else if (forwarding->received > 2 && forwarding->received == wanted) {
		if (is_reply(forwarding, wanted - 2))
			end(forwarding, wanted - 2);
		else
			attempt(forwarding);
	}
}

static int watch(struct forwarding *forwarding, uint32_t events, loop_fd_fn callback)
{
	struct error ignored = ERROR_INIT;

	loop_remove(forwarding->source);
	forwarding->source = NULL;
	return loop_add_fd(forwarding->forwarder->loop, forwarding->fd, events, callback,
			   forwarding, &forwarding->source, &ignored);
}

static void on_connected(void *context, uint32_t events)
{
	struct forwarding *forwarding = context;
	size_t size = forwarding->size + 2;

	(void)events;
	if (send(forwarding->fd, forwarding->query, size, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		    (ssize_t)size ||
	    watch(forwarding, EPOLLIN, on_stream) < 0)
		attempt(forwarding);
}

/* False: not with this server. */
static bool ask(struct forwarding *forwarding)
{
	const struct sockaddr_in *server =
		&forwarding->servers[forwarding->attempt % forwarding->server_count];
	struct error ignored = ERROR_INIT;
	int type = forwarding->stream ? SOCK_STREAM : SOCK_DGRAM;

	forwarding->fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (forwarding->fd < 0 ||
	    (connect(forwarding->fd, (const struct sockaddr *)server, sizeof(*server)) < 0 &&
	     errno != EINPROGRESS))
		return false;
	if (forwarding->stream
		    ? watch(forwarding, EPOLLOUT, on_connected) < 0
		    : send(forwarding->fd, forwarding->query + 2, forwarding->size, 0) < 0 ||
			      watch(forwarding, EPOLLIN, on_datagram) < 0)
		return false;
	return loop_add_timer(forwarding->forwarder->loop, PATIENCE, on_timer, forwarding,
			      &forwarding->timer, &ignored) == 0;
}

/* The next one; or it's over. */
static void attempt(struct forwarding *forwarding)
{
	hang_up(forwarding);
	for (; forwarding->attempt < ROUNDS * forwarding->server_count; hang_up(forwarding))
		if (forwarding->attempt++, ask(forwarding))
			return;
	end(forwarding, 0);
}

/* ---- beginnings ---- */

static size_t find_servers(struct sockaddr_in *ret_servers)
{
	struct __res_state state = { 0 };
	size_t count = 0;

	if (res_ninit(&state) < 0)
		return 0;
	for (int i = 0; i < state.nscount; i++)
		if (state.nsaddr_list[i].sin_family == AF_INET)
			ret_servers[count++] = state.nsaddr_list[i];
	res_nclose(&state);
	return count;
}

static void on_start(void *context)
{
	struct forwarding *forwarding = context;

	forwarding->timer = NULL;
	attempt(forwarding);
}

struct forwarding *forward(struct forwarder *forwarder, const uint8_t *query, size_t size,
			   bool stream, forward_fn done, void *context)
{
	struct forwarding *forwarding;
	struct sockaddr_in servers[SERVERS_MAX];
	size_t count = forwarder->count < FORWARDINGS_MAX ? find_servers(servers) : 0;
	struct error ignored = ERROR_INIT;

	if (!count)
		return NULL;
	forwarding = xcalloc(1, sizeof(*forwarding));
	*forwarding = (struct forwarding){ .forwarder = forwarder,
					   .done = done,
					   .context = context,
					   .stream = stream,
					   .query = xcalloc(1, size + 2),
					   .size = size,
					   .server_count = count,
					   .reply = xcalloc(1, DNS_QUERY_MAX + 2),
					   .fd = -1 };
	memcpy(forwarding->servers, servers, sizeof(servers));
	memcpy(forwarding->id, query, sizeof(forwarding->id));
	ns_put16((unsigned int)size, forwarding->query);
	memcpy(forwarding->query + 2, query, size);
	forwarder->count++;
	/* Not now: whoever asks is not to be answered before this has returned. */
	if (getrandom(forwarding->query + 2, 2, 0) != 2 ||
	    loop_add_timer(forwarder->loop, 0, on_start, forwarding, &forwarding->timer, &ignored) <
		    0)
		return forward_cancel(forwarding);
	return forwarding;
}
