/*
 * The API's load: requests that somebody signed beforehand, sent as they are, each connection
 * sending its next when the reply to the one before is there.
 *
 *	calls PORT CONNECTIONS COUNT SECONDS FILE
 *
 * FILE holds requests one after the other, each behind a line with its length; they are taken in
 * turn, again from the first when they run out. It ends after COUNT replies, or when SECONDS are
 * over, and prints
 *
 *	REPLIES ERRORS SECONDS P50 P99 WORST BYTES FEWEST
 *
 *	calls answer SIZE
 *
 * is the bare server to compare with, for one connection at a time: it prints its port, reads no
 * more of a request than that it is there, and answers SIZE bytes, until its standard input ends.
 *
 * ERRORS are replies other than 200, and a connection's end; the latencies are in µs; BYTES is the
 * largest body; FEWEST are the replies of the connection that had the fewest.
 */
#include "base/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	     ((size_t)256 << 10)
#define REPLIES_MAX  ((size_t)64 << 20) /* bytes of one reply */
#define PATIENCE_MS  30000
#define HEAD_END     "\r\n\r\n"
#define LENGTH_FIELD "Content-Length: "

struct request {
	const char *data;
	size_t length;
};

struct connection {
	int fd;
	char *reply;
	size_t length, capacity;
	size_t body; /* where it begins; 0 while the head is incomplete */
	size_t end;
	double sent;
	unsigned int replies;
};

static struct request *requests;
static size_t request_count, started, replies, errors, limit, largest;
static double *latencies;
static double deadline;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_requests(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t length;

	if (!file)
		die(path);
	while (fscanf(file, "%zu\n", &length) == 1) {
		char *data = xcalloc(length, 1);

		if (fread(data, 1, length, file) != length)
			die(path);
		*array_grow(&requests, &request_count) = (struct request){ data, length };
	}
	fclose(file);
	if (!request_count)
		die(path);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Sends the next request; false once there are enough. */
static bool send_next(struct connection *connection)
{
	const struct request *request = &requests[started % request_count];

	if (started == limit || now() > deadline)
		return false;
	started++;
	connection->length = connection->body = connection->end = 0;
	connection->sent = now();
	/* It fits the socket's buffer, or waits. */
	if (send(connection->fd, request->data, request->length, MSG_NOSIGNAL) !=
	    (ssize_t)request->length) {
		errors++;
		return false;
	}
	return true;
}

/* Finds the end of the head, and so of the reply. */
static void read_head(struct connection *connection)
{
	char *end, *field;

	connection->reply[connection->length] = '\0';
	end = strstr(connection->reply, HEAD_END);
	if (!end)
		return;
	*end = '\0';
	field = strstr(connection->reply, LENGTH_FIELD);
	connection->body = (size_t)(end - connection->reply) + strlen(HEAD_END);
	connection->end =
		connection->body + (field ? strtoul(field + strlen(LENGTH_FIELD), NULL, 10) : 0);
	if (strncmp(connection->reply, "HTTP/1.1 200", 12) != 0 && errors++ == 0)
		fprintf(stderr, "%s\n", connection->reply);
}

/* Takes what has come. False: the connection has nothing more to do. */
static bool receive(struct connection *connection)
{
	ssize_t n;

	if (connection->capacity < connection->length + CHUNK && connection->capacity < REPLIES_MAX)
		connection->reply = xrealloc(connection->reply, connection->capacity += CHUNK, 1);
	n = recv(connection->fd, connection->reply + connection->length,
		 connection->capacity - connection->length - 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		errors++;
		return false;
	}
	connection->length += (size_t)n;
	if (!connection->body)
		read_head(connection);
	if (!connection->body || connection->length < connection->end)
		return true;
	latencies[replies++] = now() - connection->sent;
	connection->replies++;
	largest = MAX(largest, connection->end - connection->body);
	return send_next(connection);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

/* All connections, until each has had its last reply. */
static void work(struct connection *connections, size_t count)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64];
	size_t open = 0;

	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) < 0)
			die("epoll");
		open += send_next(&connections[i]);
	}
	while (open) {
		int n = epoll_wait(epoll, events, ARRAY_SIZE(events), PATIENCE_MS);

		if (n == 0) {
			errors += open;
			break;
		}
		for (int i = 0; i < n; i++) {
			struct connection *connection = events[i].data.ptr;

			if (receive(connection))
				continue;
			epoll_ctl(epoll, EPOLL_CTL_DEL, connection->fd, NULL);
			open--;
		}
	}
	close(epoll);
}

static void answer_all(int fd, const char *reply, size_t length)
{
	static char request[CHUNK];
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (recv(fd, request, sizeof(request), 0) > 0)
		if (send(fd, reply, length, MSG_NOSIGNAL) != (ssize_t)length)
			break;
	close(fd);
}

static int answer(size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct pollfd polled[] = { { .fd = fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	socklen_t length = sizeof(at);
	char *reply = xcalloc(size + 256, 1);
	int head = sprintf(reply, "HTTP/1.1 200 OK\r\n" LENGTH_FIELD "%zu" HEAD_END, size);

	memset(reply + head, 'x', size);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, length) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &length) < 0)
		die("answer");
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	while (poll(polled, ARRAY_SIZE(polled), -1) > 0 && !polled[1].revents)
		if (polled[0].revents)
			answer_all(accept4(fd, NULL, NULL, SOCK_CLOEXEC), reply,
				   (size_t)head + size);
	free(reply);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct connection *connections;
	unsigned int fewest = UINT32_MAX;
	double start, elapsed;
	size_t count;

	if (argc == 3 && streq(argv[1], "answer"))
		return answer(strtoul(argv[2], NULL, 10));
	if (argc != 6) {
		fprintf(stderr, "usage: calls PORT CONNECTIONS COUNT SECONDS FILE | answer SIZE\n");
		return 2;
	}
	read_requests(argv[5]);
	count = strtoul(argv[2], NULL, 10);
	limit = strtoul(argv[3], NULL, 10);
	latencies = xcalloc(limit, sizeof(*latencies));
	connections = xcalloc(count, sizeof(*connections));
	for (size_t i = 0; i < count; i++)
		connections[i].fd = connect_to((uint16_t)atoi(argv[1]));
	start = now();
	deadline = start + strtod(argv[4], NULL);
	work(connections, count);
	elapsed = now() - start;
	for (size_t i = 0; i < count; i++)
		fewest = MIN(fewest, connections[i].replies);
	qsort(latencies, replies, sizeof(*latencies), compare);
	if (!replies)
		return 1;
	printf("%zu %zu %f %f %f %f %zu %u\n", replies, errors, elapsed,
	       latencies[replies / 2] * 1e6, latencies[replies * 99 / 100] * 1e6,
	       latencies[replies - 1] * 1e6, largest, fewest);
	return 0;
}
