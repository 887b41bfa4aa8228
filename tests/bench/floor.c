/*
 * The floor of launch speed: only the kernel calls without which there is no instance, each of
 * their acks checked and nothing else done. What minivpc adds on top (an API, a model, a store,
 * mounts, an init) is what `make bench` shows as its ratio to this.
 *
 *   floor N     launches N, prints "N SECONDS" and waits for standard input to end, then kills all
 *
 * Per instance: clone() of a child that pauses, in five new namespaces; a veth pair made straight
 * into the child's namespace and the subnet's; both ends up; the address and the default route in
 * the child's; its /32 route in the subnet's; its namespace bind-mounted so that it has a name.
 *
 * A second process does the cloning, so that it runs beside the linking; it has a mount namespace
 * of its own, because a child's copies every mount there is, the names too.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMES	     "/run"	 /* a tmpfs of our own mount namespace covers it */
#define SUBNET	     0x0a000000u /* 10.0.0.0/20 */
#define ROUTER	     (SUBNET + 1)
#define FIRST	     (SUBNET + 4)
#define INSTANCE_MAX 4091

/* Several requests that go out in one sendmsg(). */
struct batch {
	_Alignas(NLMSG_ALIGNTO) char data[2048];
	size_t length;
	unsigned int count;
};

static void *batch_grow(struct batch *batch, size_t size)
{
	void *place = batch->data + batch->length;

	if (batch->length + NLMSG_ALIGN(size) > sizeof(batch->data))
		errx(1, "a batch of requests is too long");
	batch->length += NLMSG_ALIGN(size);
	return place;
}

static struct nlmsghdr *request_begin(struct batch *batch, uint16_t type, uint16_t flags,
				      const void *header, size_t size)
{
	struct nlmsghdr *request = batch_grow(batch, NLMSG_HDRLEN + NLMSG_ALIGN(size));

	memset(request, 0, NLMSG_HDRLEN + NLMSG_ALIGN(size));
	request->nlmsg_type = type;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(NLMSG_DATA(request), header, size);
	batch->count++;
	return request;
}

static void request_end(struct batch *batch, struct nlmsghdr *request)
{
	request->nlmsg_len = (uint32_t)(batch->data + batch->length - (char *)request);
}

static struct rtattr *put(struct batch *batch, uint16_t type, const void *value, size_t size)
{
	struct rtattr *attribute = batch_grow(batch, RTA_LENGTH(size));

	memset(attribute, 0, RTA_SPACE(size));
	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size > 0)
		memcpy(RTA_DATA(attribute), value, size);
	return attribute;
}

static void put_end(struct batch *batch, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(batch->data + batch->length - (char *)nest);
}

/* Sends the batch and checks that every request in it was acknowledged. */
static void batch_send(int fd, struct batch *batch, const char *what)
{
	unsigned int acks = 0;

	if (send(fd, batch->data, batch->length, 0) < 0)
		err(1, "%s: send", what);
	while (acks < batch->count) {
		_Alignas(NLMSG_ALIGNTO) char reply[8192];
		ssize_t got = recv(fd, reply, sizeof(reply), 0);
		unsigned int left = (unsigned int)got;

		if (got < 0)
			err(1, "%s: recv", what);
		for (struct nlmsghdr *h = (struct nlmsghdr *)reply; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			const struct nlmsgerr *ack = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				errx(1, "%s: unexpected message %u", what, h->nlmsg_type);
			if (ack->error) {
				errno = -ack->error;
				err(1, "%s", what);
			}
			acks++;
		}
	}
}

static int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

/* The pair: our end "p<n>" in the subnet's namespace; the other, "eth0", in the child's. */
static void add_veth(struct batch *batch, int index, pid_t child)
{
	const struct ifinfomsg ours = { .ifi_index = index };
	const struct ifinfomsg peer = { .ifi_index = 2 };
	struct nlmsghdr *request =
		request_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ours, sizeof(ours));
	struct rtattr *info, *data, *nest;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "p%d", index);
	put(batch, IFLA_IFNAME, name, strlen(name) + 1);
	info = put(batch, IFLA_LINKINFO, NULL, 0);
	put(batch, IFLA_INFO_KIND, "veth", 4);
	data = put(batch, IFLA_INFO_DATA, NULL, 0);
	nest = put(batch, VETH_INFO_PEER, NULL, 0);
	memcpy(batch_grow(batch, sizeof(peer)), &peer, sizeof(peer));
	put(batch, IFLA_IFNAME, "eth0", 5);
	put(batch, IFLA_NET_NS_PID, &child, sizeof(child));
	put_end(batch, nest);
	put_end(batch, data);
	put_end(batch, info);
	request_end(batch, request);
}

/* Up, without an IPv6 link-local address: its duplicate address detection isn't necessary. */
static void set_up(struct batch *batch, int index)
{
	const struct ifinfomsg quiet = { .ifi_index = index };
	const struct ifinfomsg up = { .ifi_index = index,
				      .ifi_flags = IFF_UP,
				      .ifi_change = IFF_UP };
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct nlmsghdr *request;
	struct rtattr *spec, *inet6;

	request = request_begin(batch, RTM_NEWLINK, 0, &quiet, sizeof(quiet));
	spec = put(batch, IFLA_AF_SPEC, NULL, 0);
	inet6 = put(batch, AF_INET6, NULL, 0);
	put(batch, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	put_end(batch, inet6);
	put_end(batch, spec);
	request_end(batch, request);
	request_end(batch, request_begin(batch, RTM_NEWLINK, 0, &up, sizeof(up)));
}

static void add_address(struct batch *batch, int index, uint32_t address, uint8_t prefix)
{
	const struct ifaddrmsg header = { .ifa_family = AF_INET,
					  .ifa_prefixlen = prefix,
					  .ifa_index = (uint32_t)index };
	const uint32_t wire = htonl(address);
	struct nlmsghdr *request = request_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
						 &header, sizeof(header));

	put(batch, IFA_LOCAL, &wire, sizeof(wire));
	put(batch, IFA_ADDRESS, &wire, sizeof(wire));
	request_end(batch, request);
}

/* `gateway` 0: on link. */
static void add_route(struct batch *batch, int index, uint32_t destination, uint8_t prefix,
		      uint32_t gateway)
{
	const struct rtmsg header = {
		.rtm_family = AF_INET,
		.rtm_dst_len = prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	const uint32_t to = htonl(destination), via = htonl(gateway);
	struct nlmsghdr *request = request_begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
						 &header, sizeof(header));

	if (prefix > 0)
		put(batch, RTA_DST, &to, sizeof(to));
	if (gateway)
		put(batch, RTA_GATEWAY, &via, sizeof(via));
	put(batch, RTA_OIF, &index, sizeof(index));
	request_end(batch, request);
}

/* A child of the main process, whoever calls it. */
static pid_t launch(void)
{
	const unsigned long flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS |
				    CLONE_NEWIPC | CLONE_PARENT | SIGCHLD;
	long child = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);

	if (child < 0)
		err(1, "clone");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return (pid_t)child;
}

/* Waits for a word on `fd`, then clones `count` children and writes their process ids to it. */
static void launcher(int fd, int count)
{
	char word;

	if (unshare(CLONE_NEWNS) < 0)
		err(1, "a mount namespace");
	if (read(fd, &word, 1) != 1)
		exit(1);
	for (int n = 0; n < count; n++) {
		pid_t child = launch();

		if (write(fd, &child, sizeof(child)) != sizeof(child))
			err(1, "write");
	}
	exit(0);
}

static int start_launcher(int count)
{
	pid_t child;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		err(1, "socketpair");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		close(fds[0]);
		launcher(fds[1], count);
	}
	close(fds[1]);
	return fds[0];
}

static pid_t next_child(int fd)
{
	pid_t child;

	if (recv(fd, &child, sizeof(child), MSG_WAITALL) != sizeof(child))
		errx(1, "the launcher is gone");
	return child;
}

/* The child's own side; back in the subnet's namespace afterwards. */
static void configure(int namespace, int subnet, uint32_t address)
{
	struct batch batch = { 0 };
	int fd;

	if (setns(namespace, CLONE_NEWNET) < 0)
		err(1, "setns");
	fd = netlink_open();
	if (setns(subnet, CLONE_NEWNET) < 0)
		err(1, "setns");
	set_up(&batch, 1);
	set_up(&batch, 2);
	add_address(&batch, 2, address, 20);
	add_route(&batch, 2, 0, 0, ROUTER);
	batch_send(fd, &batch, "eth0");
	close(fd);
}

static void connect_child(int fd, int subnet, int n, pid_t child)
{
	struct batch ours = { 0 };
	char process[64];
	int namespace, index = 10 + n;

	snprintf(process, sizeof(process), "/proc/%d/ns/net", (int)child);
	namespace = open(process, O_RDONLY | O_CLOEXEC);
	if (namespace < 0)
		err(1, "%s", process);
	add_veth(&ours, index, child);
	set_up(&ours, index);
	add_route(&ours, index, FIRST + (uint32_t)n, 32, 0);
	batch_send(fd, &ours, "veth");
	configure(namespace, subnet, FIRST + (uint32_t)n);
	close(namespace);
}

static void name_child(int n, pid_t child)
{
	char process[64], name[64];
	int fd;

	snprintf(process, sizeof(process), "/proc/%d/ns/net", (int)child);
	snprintf(name, sizeof(name), NAMES "/i-%d", n);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 || close(fd) < 0)
		err(1, "%s", name);
	if (mount(process, name, NULL, MS_BIND, NULL) < 0)
		err(1, "mount %s", name);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		err(1, "%s", path);
}

/* A mount namespace of our own, and the subnet's network namespace, in which we stay. */
static int prepare(void)
{
	struct batch batch = { 0 };
	int subnet, fd;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(1, "a mount namespace");
	if (mount("names", NAMES, "tmpfs", 0, "mode=755") < 0)
		err(1, "mount " NAMES);
	if (unshare(CLONE_NEWNET) < 0)
		err(1, "a network namespace");
	write_file("/proc/sys/net/ipv4/ip_forward", "1");
	write_file("/proc/sys/net/ipv4/conf/all/proxy_arp", "1");
	fd = netlink_open();
	set_up(&batch, 1);
	batch_send(fd, &batch, "lo");
	close(fd);
	subnet = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (subnet < 0)
		err(1, "/proc/self/ns/net");
	return subnet;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static pid_t children[INSTANCE_MAX];
	int count = argc == 2 ? atoi(argv[1]) : 0;
	int subnet, fd, source;
	double start;

	if (count < 1 || count > INSTANCE_MAX) {
		fprintf(stderr, "usage: floor N (1 to %d)\n", INSTANCE_MAX);
		return 2;
	}
	subnet = prepare();
	fd = netlink_open();
	source = start_launcher(count);
	start = now();
	if (write(source, "g", 1) != 1)
		err(1, "write");
	for (int n = 0; n < count; n++) {
		children[n] = next_child(source);
		connect_child(fd, subnet, n, children[n]);
		name_child(n, children[n]);
	}
	printf("%d %.6f\n", count, now() - start);
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (int n = 0; n < count; n++)
		kill(children[n], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
