/* The DNS server: see dns.h. */
#include "services/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "model/subnet.h"
#include "services/forward.h"
#include "services/names.h"

#define AT_ONCE		256   /* datagrams; then others have their turn */
#define CONNECTIONS_MAX 32    /* in one subnet; the oldest gives way */
#define IDLE		10000 /* milliseconds */

/* Who is answered: by UDP at an address, by TCP the connection. */
struct asker {
	struct dns *dns;
	struct asker *next;
	struct rid place;
	int fd; /* of UDP the subnet's socket, of TCP its own */
	bool stream;
	struct sockaddr_in peer;
	struct forwarding *forwarding; /* NULL: nobody else is being asked */
	/* TCP */
	struct loop_source *source, *timer;
	uint8_t *data; /* as much of the query, behind its length, as has come */
	size_t received;
};

struct dns {
	struct loop *loop;
	const struct model *model;
	struct forwarder *forwarder; /* NULL: nobody else is asked */
	struct asker *askers;	     /* the last one first */
};

/* ---- answers ---- */

size_t dns_answer_to(const struct model *model, struct rid place, const uint8_t *data, size_t size,
		     uint8_t *ret_answer, bool *ret_elsewhere)
{
	const struct subnet *subnet = place.kind == KIND_SUBNET ? subnet_get(model, place) : NULL;
	struct dns_view view = { model, subnet ? vpc_get(model, subnet->vpc) : NULL };
	struct dns_answer answer = { 0 };
	struct dns_query query;

	*ret_elsewhere = false;
	if (dns_parse(data, size, &query) < 0)
		return 0;
	answer.rcode = query.rcode;
	if (!query.rcode) {
		names_answer(&view, &query, &answer);
		*ret_elsewhere = answer.elsewhere && query.recursion_desired;
	}
	return dns_write(&query, &answer, ret_answer);
}

/* When nobody has answered. */
static size_t failure_of(const uint8_t *data, size_t size, uint8_t *ret_answer)
{
	struct dns_answer answer = { .rcode = ns_r_servfail };
	struct dns_query query;

	return dns_parse(data, size, &query) < 0 ? 0 : dns_write(&query, &answer, ret_answer);
}

/* ---- askers ---- */

static struct asker *asker_new(struct dns *dns, struct rid place, int fd, bool stream)
{
	struct asker *asker = xcalloc(1, sizeof(*asker));

	*asker = (struct asker){
		.dns = dns, .next = dns->askers, .place = place, .fd = fd, .stream = stream
	};
	dns->askers = asker;
	return asker;
}

static void asker_free(struct asker *asker)
{
	struct asker **at = &asker->dns->askers;

	while (*at != asker)
		at = &(*at)->next;
	*at = asker->next;
	forward_cancel(asker->forwarding);
	loop_remove(asker->source);
	loop_remove(asker->timer);
	if (asker->stream)
		closep(&asker->fd);
	free(asker->data);
	free(asker);
}

void dns_forget(struct dns *dns, struct rid place)
{
	struct asker *next;

	for (struct asker *asker = dns->askers; asker; asker = next) {
		next = asker->next;
		if (rid_equal(asker->place, place))
			asker_free(asker);
	}
}

/* ---- UDP ---- */

/* Full socket buffers lose datagrams, as networks do. */
static void reply_to(int fd, const struct sockaddr_in *peer, const uint8_t *data, size_t size)
{
	(void)!sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)peer,
		      sizeof(*peer));
}

/* The query was kept, for the case that there is no answer. */
static void on_datagram_answer(void *context, const uint8_t *reply, size_t size)
{
	struct asker *asker = context;
	uint8_t failure[DNS_ANSWER_MAX];

	asker->forwarding = NULL;
	if (!size) {
		size = failure_of(asker->data, asker->received, failure);
		reply = failure;
	}
	reply_to(asker->fd, &asker->peer, reply, size);
	asker_free(asker);
}

/* False: it can't be. */
static bool forward_datagram(struct dns *dns, int fd, struct rid place,
			     const struct sockaddr_in *peer, const uint8_t *data, size_t size)
{
	struct asker *asker = asker_new(dns, place, fd, false);

	asker->peer = *peer;
	asker->data = xmemdup(data, size);
	asker->received = size;
	asker->forwarding = forward(dns->forwarder, data, size, false, on_datagram_answer, asker);
	if (asker->forwarding)
		return true;
	asker_free(asker);
	return false;
}

void dns_receive(struct dns *dns, int fd, struct rid place)
{
	uint8_t data[4096], answer[DNS_ANSWER_MAX]; /* more than that is no query */

	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_in peer;
		socklen_t peer_size = sizeof(peer);
		ssize_t size = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT,
					(struct sockaddr *)&peer, &peer_size);
		bool elsewhere;
		size_t length;

		if (size < 0)
			return;
		length = dns_answer_to(dns->model, place, data, (size_t)size, answer, &elsewhere);
		if (elsewhere && dns->forwarder) {
			if (forward_datagram(dns, fd, place, &peer, data, (size_t)size))
				continue;
			length = failure_of(data, (size_t)size, answer);
		}
		if (length)
			reply_to(fd, &peer, answer, length);
	}
}

/* ---- TCP ---- */

static void on_idle(void *context)
{
	struct asker *asker = context;

	asker->timer = NULL;
	asker_free(asker);
}

/* False: it can't be waited for. */
static bool wait_for_query(struct asker *asker, loop_fd_fn callback)
{
	struct error ignored = ERROR_INIT;

	asker->timer = loop_remove(asker->timer);
	if (loop_add_timer(asker->dns->loop, IDLE, on_idle, asker, &asker->timer, &ignored) < 0)
		return false;
	return asker->source || loop_add_fd(asker->dns->loop, asker->fd, EPOLLIN, callback, asker,
					    &asker->source, &ignored) == 0;
}

/* A small answer to a peer who takes it; others are hung up on. */
static bool send_answer(const struct asker *asker, const uint8_t *data, size_t size)
{
	uint8_t length[2] = { (uint8_t)(size >> 8), (uint8_t)size };
	struct iovec parts[] = { { length, sizeof(length) }, { (void *)(uintptr_t)data, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };

	return size && sendmsg(asker->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) ==
			       (ssize_t)(size + sizeof(length));
}

static void on_readable(void *context, uint32_t events);

static void on_stream_answer(void *context, const uint8_t *reply, size_t size)
{
	struct asker *asker = context;
	uint8_t failure[DNS_ANSWER_MAX];

	asker->forwarding = NULL;
	if (!size) {
		size = failure_of(asker->data + 2, asker->received - 2, failure);
		reply = failure;
	}
	asker->received = 0;
	if (!send_answer(asker, reply, size) || !wait_for_query(asker, on_readable))
		asker_free(asker);
}

/* The query is whole. False: this is the end. */
static bool answer_stream(struct asker *asker)
{
	const uint8_t *query = asker->data + 2;
	size_t size = asker->received - 2;
	uint8_t answer[DNS_ANSWER_MAX];
	bool elsewhere;
	size_t length =
		dns_answer_to(asker->dns->model, asker->place, query, size, answer, &elsewhere);

	if (elsewhere && asker->dns->forwarder) {
		asker->forwarding =
			forward(asker->dns->forwarder, query, size, true, on_stream_answer, asker);
		if (asker->forwarding) {
			asker->source = loop_remove(asker->source);
			asker->timer = loop_remove(asker->timer);
			return true;
		}
		length = failure_of(query, size, answer);
	}
	asker->received = 0;
	return send_answer(asker, answer, length) && wait_for_query(asker, on_readable);
}

static void on_readable(void *context, uint32_t events)
{
	struct asker *asker = context;
	size_t wanted = 2;
	ssize_t length;

	(void)events;
	if (asker->received >= 2)
		wanted += ns_get16(asker->data);
	asker->data = xrealloc(asker->data, wanted, 1);
	length = recv(asker->fd, asker->data + asker->received, wanted - asker->received,
		      MSG_DONTWAIT);
	if (length < 0 && errno == EAGAIN)
		return;
	if (length <= 0) {
		asker_free(asker);
		return;
	}
	asker->received += (size_t)length;
	if (asker->received < 2 || asker->received < 2u + ns_get16(asker->data))
		return;
	if (!answer_stream(asker))
		asker_free(asker);
}

/* A subnet's instances may not take descriptors away from all others. */
static void make_room(struct dns *dns, struct rid place)
{
	struct asker *oldest = NULL;
	size_t count = 0;

	for (struct asker *asker = dns->askers; asker; asker = asker->next) {
		if (!asker->stream || !rid_equal(asker->place, place))
			continue;
		oldest = asker;
		count++;
	}
	if (count >= CONNECTIONS_MAX)
		asker_free(oldest);
}

void dns_accept(struct dns *dns, int fd, struct rid place)
{
	struct asker *asker;

	make_room(dns, place);
	asker = asker_new(dns, place, fd, true);
	if (!wait_for_query(asker, on_readable))
		asker_free(asker);
}

/* ---- all of it ---- */

struct dns *dns_new(struct loop *loop, const struct model *model, bool recursive)
{
	struct dns *dns = xcalloc(1, sizeof(*dns));

	dns->loop = loop;
	dns->model = model;
	dns->forwarder = recursive ? forwarder_new(loop) : NULL;
	return dns;
}

struct dns *dns_free(struct dns *dns)
{
	if (!dns)
		return NULL;
	while (dns->askers)
		asker_free(dns->askers);
	forwarder_free(dns->forwarder);
	free(dns);
	return NULL;
}
