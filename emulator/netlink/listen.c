/* Sockets of our own in namespaces: see listen.h. */
#include "netlink/listen.h"

#include "netlink/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BACKLOG 128

/* In the namespace already. The descriptor, or -errno. */
static int open_one(const struct listener *listener)
{
	static const int on = 1;
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(listener->port) };
	CLEANUP(closep)
	int fd = socket(AF_INET, listener->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	name.sin_addr.s_addr = htonl(address_to_v4(listener->address));
	/* What a daemon before us has left in TIME_WAIT is no hindrance. */
	if (fd < 0 ||
	    (listener->type == SOCK_STREAM &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    (listener->type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return -errno;
	return steal_fd(&fd);
}

static int open_all(const struct listener *listeners, size_t count, int *ret_fds, size_t *ret_done)
{
	for (*ret_done = 0; *ret_done < count; ++*ret_done) {
		int fd = open_one(&listeners[*ret_done]);

		if (fd < 0)
			return fd;
		ret_fds[*ret_done] = fd;
	}
	return 0;
}

int listen_in(struct rid ns, const struct listener *listeners, size_t count, int *ret_fds,
	      struct error *error)
{
	CLEANUP(closep) int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	CLEANUP(closep) int there = netns_open(ns);
	size_t done = 0;
	int r;

	if (home < 0 || there < 0)
		return error_sys(error, home < 0 ? errno : there, "network namespace %s",
				 rid_format(ns).text);
	if ((r = netns_enter(there)) < 0)
		return error_sys(error, r, "network namespace %s", rid_format(ns).text);
	r = open_all(listeners, count, ret_fds, &done);
	netns_leave(home);
	if (r == 0)
		return 0;
	for (size_t i = 0; i < done; i++)
		closep(&ret_fds[i]);
	return error_sys(error, r, "%s: port %u of %s", rid_format(ns).text, listeners[done].port,
			 address_format(listeners[done].address).text);
}

bool listen_is(struct rid ns, int type, int fd)
{
	CLEANUP(closep) int place = ioctl(fd, SIOCGSKNS);
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	/* Who may not ask where it is (it takes CAP_NET_ADMIN there) has not made it. */
	if (place < 0 || !netns_is(ns, place))
		return false;
	return type != SOCK_STREAM || (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
				       info.tcpi_state == TCP_LISTEN);
}
