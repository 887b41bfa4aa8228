/*
 * The packets of the benchmark: one TCP connection, as fast as it goes or as quick as it answers.
 *
 *	traffic serve PORT			answers everything, until its standard input ends
 *	traffic stream ADDRESS PORT SECONDS	prints bits per second
 *	traffic echo ADDRESS PORT COUNT		prints the median round trip in microseconds
 *	traffic connect ADDRESS PORT COUNT	prints the median of connecting, in microseconds
 *	traffic mtu ADDRESS PORT		prints the MTU of the path, as TCP found it
 */
#include "base/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (128 << 10)

static char chunk[CHUNK];

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

static int connect_to(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die(address);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* One byte is answered by one byte; more is swallowed. */
static void answer(int fd)
{
	ssize_t n;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		if (n == 1 && send(fd, chunk, 1, MSG_NOSIGNAL) != 1)
			break;
	close(fd);
}

/* One connection at a time; standard input is the leash. */
static int serve(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct pollfd polled[] = { { .fd = fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0)
		die(port);
	printf("ready\n");
	fflush(stdout);
	while (poll(polled, ARRAY_SIZE(polled), -1) > 0 && !polled[1].revents)
		if (polled[0].revents)
			answer(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

static int stream(const char *address, const char *port, double seconds)
{
	int fd = connect_to(address, port);
	double start, end;
	double sent = 0;

	/* The first quarter of a second is TCP's own start. */
	for (end = now() + 0.25; now() < end;)
		if (send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) < 0)
			die("send");
	for (start = now(), end = start + seconds; now() < end;) {
		ssize_t n = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		sent += (double)n;
	}
	printf("%.0f\n", sent * 8 / (now() - start));
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int print_median(double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	printf("%.3f\n", times[count / 2] * 1e6);
	free(times);
	return 0;
}

static int echo(const char *address, const char *port, size_t count)
{
	int fd = connect_to(address, port);
	double *times = xcalloc(count, sizeof(*times));

	for (size_t i = 0; i < count; i++) {
		double start = now();

		if (send(fd, chunk, 1, MSG_NOSIGNAL) != 1 || recv(fd, chunk, 1, 0) != 1)
			die("echo");
		times[i] = now() - start;
	}
	return print_median(times, count);
}

static int connecting(const char *address, const char *port, size_t count)
{
	double *times = xcalloc(count, sizeof(*times));

	for (size_t i = 0; i < count; i++) {
		const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		double start = now();
		int fd = connect_to(address, port);

		times[i] = now() - start;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)); /* no TIME_WAIT */
		close(fd);
	}
	return print_median(times, count);
}

static int mtu(const char *address, const char *port)
{
	enum {
		HEADERS = 20 + 20 + 12 /* of time stamps */
	};
	int fd = connect_to(address, port), segment;
	socklen_t length = sizeof(segment);

	if (getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, &length) < 0)
		die("TCP_MAXSEG");
	printf("%d\n", segment + HEADERS);
	return 0;
}

/* Both ends on one CPU: whether the scheduler spreads them makes more difference than the rules. */
static void stay_on_one_cpu(void)
{
	cpu_set_t allowed, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

int main(int argc, char **argv)
{
	stay_on_one_cpu();
	if (argc == 3 && streq(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 4 && streq(argv[1], "mtu"))
		return mtu(argv[2], argv[3]);
	if (argc == 5 && streq(argv[1], "stream"))
		return stream(argv[2], argv[3], atof(argv[4]));
	if (argc == 5 && streq(argv[1], "echo") && atoi(argv[4]) > 0)
		return echo(argv[2], argv[3], (size_t)atoi(argv[4]));
	if (argc == 5 && streq(argv[1], "connect") && atoi(argv[4]) > 0)
		return connecting(argv[2], argv[3], (size_t)atoi(argv[4]));
	fprintf(stderr, "usage: traffic serve PORT | stream|echo|connect ADDRESS PORT N | "
			"mtu ADDRESS PORT\n");
	return 2;
}
