/* Real packets: see probe.h. */
#include "cli/probe.h"

#include "base/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SHORT_WAIT 300 /* milliseconds, for those that nobody is expected to answer */
#define AGAIN	   400 /* of ICMP and UDP, which nobody else sends again */
#define EVENTS	   64

/* Tells our packets from everybody else's: behind an echo request's and a datagram's header. */
static uint8_t cookie[16];

/* ---- sockets in other namespaces ---- */

static int home(void)
{
	static int fd = -1;

	if (fd < 0) {
		fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (fd < 0 || getrandom(cookie, sizeof(cookie), 0) != sizeof(cookie))
			abort();
	}
	return fd;
}

static int socket_in(int process, int domain, int type, int protocol)
{
	const int back = home();
	int fd, sys;

	if (back < 0 || setns(process, CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	sys = errno;
	if (setns(back, CLONE_NEWNET) < 0)
		abort(); /* whatever came next would be somewhere else */
	return fd < 0 ? -sys : fd;
}

/* ---- echo requests ---- */

static uint16_t icmp_sum(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

struct echo {
	struct icmphdr header;
	uint8_t cookie[sizeof(cookie)];
	uint32_t index; /* of the probe */
};

static uint16_t echo_id(void)
{
	return (uint16_t)(cookie[0] << 8 | cookie[1]);
}

static int send_echo(const struct probe *probe, size_t index)
{
	struct echo echo = { .header = { .type = ICMP_ECHO }, .index = (uint32_t)index };
	union socket_address name;
	socklen_t length = socket_address_of(probe->destination, 0, &name);

	echo.header.un.echo.id = htons(echo_id());
	echo.header.un.echo.sequence = htons((uint16_t)index);
	memcpy(echo.cookie, cookie, sizeof(cookie));
	echo.header.checksum = icmp_sum(&echo, sizeof(echo));
	return sendto(probe->source->icmp, &echo, sizeof(echo), 0, &name.any, length) < 0 ? -errno
											  : 0;
}

/* One for all of the source's. */
static int open_echoes(struct probe_source *source)
{
	const struct icmp_filter filter = { ~(1u << ICMP_ECHOREPLY) };
	union socket_address name;
	socklen_t length = socket_address_of(source->address, 0, &name);
	const int size = 1 << 20;
	int fd;

	if (source->icmp >= 0)
		return 0;
	fd = socket_in(source->process, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, &name.any, length) < 0) {
		int sys = errno;

		closep(&fd);
		return -sys;
	}
	source->icmp = fd;
	return 0;
}

/* ---- the run ---- */

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

struct run {
	struct probe *probes;
	size_t count;
	size_t waiting, expected; /* those without a result, and those of them to wait for */
	int64_t start;
	int epoll;
};

static void settle(struct run *run, struct probe *probe, enum probe_result result, int sys)
{
	if (probe->us >= 0)
		return;
	probe->result = result;
	probe->sys = sys;
	probe->us = now_us() - probe->sent;
	run->waiting--;
	run->expected -= probe->expected;
	closep(&probe->fd);
}

/* By what a socket's error says. */
static void settle_error(struct run *run, struct probe *probe, int sys)
{
	if (sys == ECONNREFUSED)
		settle(run, probe, PROBE_REFUSED, sys);
	else if (sys == EHOSTUNREACH || sys == ETIMEDOUT)
		settle(run, probe, PROBE_SILENT, sys); /* no ARP, no answer */
	else
		settle(run, probe, PROBE_UNSENT, sys);
}

/* What a server of that port is likely to answer: DNS (a query for the root), NTP, or anything. */
static size_t datagram(uint16_t port, uint8_t ret[64])
{
	static const uint8_t query[] = { 0x6d, 0x76, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1 };

	memset(ret, 0, 64);
	if (port == 53) {
		memcpy(ret, query, sizeof(query));
		return sizeof(query);
	}
	if (port == 123) {
		ret[0] = 0x23;
		return 48;
	}
	memcpy(ret, cookie, sizeof(cookie));
	return sizeof(cookie);
}

static void send_datagram(struct run *run, struct probe *probe)
{
	uint8_t data[64];
	size_t size = datagram(probe->port, data);

	if (send(probe->fd, data, size, MSG_NOSIGNAL) < 0)
		settle_error(run, probe, errno);
}

/* A socket of its own, on its way. */
static void start_connection(struct run *run, struct probe *probe, size_t index)
{
	const bool tcp = probe->protocol == IPPROTO_TCP;
	struct epoll_event event = { .events = tcp ? EPOLLOUT : EPOLLIN, .data.u64 = index };
	union socket_address from, to;
	socklen_t from_length = socket_address_of(probe->source->address, 0, &from);
	socklen_t to_length = socket_address_of(probe->destination, probe->port, &to);

	probe->fd = socket_in(probe->source->process, AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (probe->fd < 0) {
		settle(run, probe, PROBE_UNSENT, -probe->fd);
		return;
	}
	if (tcp) {
		const struct linger reset = { 1, 0 }; /* leave no connection behind */

		setsockopt(probe->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (bind(probe->fd, &from.any, from_length) < 0 ||
	    (connect(probe->fd, &to.any, to_length) < 0 && errno != EINPROGRESS) ||
	    epoll_ctl(run->epoll, EPOLL_CTL_ADD, probe->fd, &event) < 0) {
		settle_error(run, probe, errno);
		return;
	}
	if (!tcp)
		send_datagram(run, probe);
}

static void start_echo(struct run *run, struct probe *probe, size_t index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = index };
	const bool first = probe->source->icmp < 0;
	int r = open_echoes(probe->source);

	if (r == 0 && first &&
	    epoll_ctl(run->epoll, EPOLL_CTL_ADD, probe->source->icmp, &event) < 0)
		r = -errno;
	if (r == 0)
		r = send_echo(probe, index);
	if (r < 0)
		settle_error(run, probe, -r);
}

static void start(struct run *run, struct probe *probe, size_t index)
{
	probe->sent = now_us();
	if (probe->protocol == IPPROTO_ICMP)
		start_echo(run, probe, index);
	else
		start_connection(run, probe, index);
}

/* Of whichever probe of the source's they are the answers. */
static void hear_echoes(struct run *run, int fd)
{
	uint8_t data[256];
	ssize_t size;

	while ((size = recv(fd, data, sizeof(data), 0)) > 0) {
		const size_t header = (size_t)(data[0] & 15) * 4;
		struct in_addr from;
		struct echo echo;
		struct probe *probe;

		if ((size_t)size < header + sizeof(echo))
			continue;
		memcpy(&from, data + 12, sizeof(from));
		memcpy(&echo, data + header, sizeof(echo));
		if (memcmp(echo.cookie, cookie, sizeof(cookie)) != 0 || echo.index >= run->count)
			continue;
		probe = &run->probes[echo.index];
		if (probe->source->icmp == fd &&
		    address_to_v4(probe->destination) == ntohl(from.s_addr))
			settle(run, probe, PROBE_OPEN, 0);
	}
}

static void hear(struct run *run, struct probe *probe)
{
	socklen_t size = sizeof(int);
	uint8_t data[512];
	int sys = 0;

	if (probe->protocol == IPPROTO_ICMP) {
		hear_echoes(run, probe->source->icmp);
	} else if (probe->protocol == IPPROTO_UDP) {
		if (recv(probe->fd, data, sizeof(data), 0) >= 0)
			settle(run, probe, PROBE_OPEN, 0);
		else if (errno != EAGAIN)
			settle_error(run, probe, errno);
	} else {
		getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &sys, &size);
		if (sys)
			settle_error(run, probe, sys);
		else
			settle(run, probe, PROBE_OPEN, 0);
	}
}

/* Those that should have been answered: on a busy machine a packet may get lost. */
static void send_again(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct probe *probe = &run->probes[i];

		if (probe->us >= 0 || !probe->expected)
			continue;
		if (probe->protocol == IPPROTO_ICMP)
			send_echo(probe, i);
		else if (probe->protocol == IPPROTO_UDP)
			send_datagram(run, probe);
	}
}

/* How many milliseconds more to wait; 0: no more. */
static int64_t remaining(const struct run *run, int patience)
{
	const int64_t passed = now_ms() - run->start;
	const int64_t wait = run->expected ? patience : MIN(patience, SHORT_WAIT);

	return run->waiting && wait > passed ? wait - passed : 0;
}

static int wait_for_all(struct run *run, int patience, struct error *error)
{
	struct epoll_event events[EVENTS];
	bool again = false;
	int64_t left;

	run->start = now_ms();
	while ((left = remaining(run, patience))) {
		const int64_t until_again = run->start + AGAIN - now_ms();
		int count;

		if (!again && run->expected)
			left = MIN(left, MAX(until_again, 0));
		count = epoll_wait(run->epoll, events, EVENTS, (int)left);
		if (count < 0 && errno != EINTR)
			return error_sys(error, errno, "waiting for packets");
		for (int i = 0; i < count; i++) {
			struct probe *probe = &run->probes[events[i].data.u64];

			if (probe->us < 0 || probe->protocol == IPPROTO_ICMP)
				hear(run, probe);
		}
		if (!again && now_ms() - run->start >= AGAIN) {
			send_again(run);
			again = true;
		}
	}
	return 0;
}

/* A socket for each connection, and then some. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int probes_run(struct probe *probes, size_t count, int patience, struct error *error)
{
	struct run run = { .probes = probes, .count = count, .waiting = count };
	CLEANUP(closep) int epoll = epoll_create1(EPOLL_CLOEXEC);
	int r;

	if (epoll < 0)
		return error_sys(error, errno, "epoll");
	raise_limit();
	run.epoll = epoll;
	for (size_t i = 0; i < count; i++) {
		probes[i].us = -1;
		probes[i].fd = -1;
		probes[i].result = PROBE_SILENT;
		run.expected += probes[i].expected;
	}
	for (size_t i = 0; i < count; i++)
		start(&run, &probes[i], i);
	r = wait_for_all(&run, patience, error);
	for (size_t i = 0; i < count; i++) {
		closep(&probes[i].fd);
		closep(&probes[i].source->icmp);
	}
	return r;
}

/* ---- the machine's neighbours ---- */

/* A line of names, then one of hexadecimal numbers for each CPU; the last is the one. */
uint64_t probe_neighbours_full(void)
{
	FILE *file = fopen("/proc/net/stat/arp_cache", "re");
	uint64_t sum = 0;
	char line[512];

	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && strstr(line, "table_fulls"))
		while (fgets(line, sizeof(line), file)) {
			const char *last;

			line[strcspn(line, "\n")] = '\0';
			while (*line && line[strlen(line) - 1] == ' ')
				line[strlen(line) - 1] = '\0';
			last = strrchr(line, ' ');
			sum += last ? strtoull(last, NULL, 16) : 0;
		}
	fclose(file);
	return sum;
}

/* ---- the witness ---- */

int witness_open(int process, struct witness *ret_witness, struct error *error)
{
	/* Of all protocols: else what is sent would pass unseen. */
	int fd = socket_in(process, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));

	if (fd < 0)
		return error_sys(error, -fd, "entering the instance's network");
	*ret_witness = (struct witness){ .fd = fd };
	return 0;
}

/* "Port unreachable", sent back for a datagram. */
static bool is_error(const struct probe *probe, const uint8_t *data, bool back)
{
	const uint8_t *payload = data + (size_t)(data[0] & 15) * 4;

	return back && probe->protocol == IPPROTO_UDP && data[9] == IPPROTO_ICMP &&
	       payload[0] == ICMP_DEST_UNREACH && payload[1] == ICMP_PORT_UNREACH;
}

/* The probe's own packet, or what is sent back for it: the ports or the cookie tell. */
static bool belongs(const struct probe *probe, const uint8_t *data, size_t size, bool back)
{
	const size_t header = (size_t)(data[0] & 15) * 4;
	const uint8_t *payload = data + header;
	uint16_t port;

	if (size < header + 8)
		return false;
	if (is_error(probe, data, back))
		return true;
	if (data[9] != probe->protocol)
		return false;
	if (probe->protocol == IPPROTO_ICMP)
		return payload[0] == (back ? ICMP_ECHOREPLY : ICMP_ECHO) &&
		       size >= header + sizeof(struct echo) &&
		       memcmp(payload + sizeof(struct icmphdr), cookie, sizeof(cookie)) == 0;
	memcpy(&port, payload + (back ? 0 : 2), sizeof(port));
	return ntohs(port) == probe->port;
}

void witness_read(struct witness *witness, const struct probe *probe)
{
	uint8_t data[512];
	struct sockaddr_ll from;
	socklen_t length = sizeof(from);
	ssize_t size;

	while ((size = recvfrom(witness->fd, data, sizeof(data), 0, (struct sockaddr *)&from,
				&length)) > 0) {
		const bool back = from.sll_pkttype == PACKET_OUTGOING;

		length = sizeof(from);
		if (from.sll_protocol != htons(ETH_P_IP) || (size_t)size < sizeof(struct iphdr) ||
		    !belongs(probe, data, (size_t)size, back))
			continue;
		witness->arrived |= !back;
		witness->answered |= back;
		witness->refused |= is_error(probe, data, back);
	}
}
