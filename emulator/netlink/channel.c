/* Netlink sockets in namespaces: see channel.h. */
#include "netlink/channel.h"

#include "netlink/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_MAX 65536 /* more than the kernel puts into one datagram of a dump */

static void channel_close(struct channel *channel)
{
	closep(&channel->fd);
	closep(&channel->ns_fd);
	*channel = (struct channel){ .ns_fd = -1, .fd = -1 };
}

int channels_open(struct channels *channels, struct error *error)
{
	*channels = (struct channels){ .epoch = 1 };
	for (size_t i = 0; i < ARRAY_SIZE(channels->items); i++)
		channels->items[i] = (struct channel){ .ns_fd = -1, .fd = -1 };
	channels->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (channels->home < 0)
		return error_sys(error, errno, "/proc/thread-self/ns/net");
	return 0;
}

void channels_close(struct channels *channels)
{
	for (size_t i = 0; i < ARRAY_SIZE(channels->items); i++)
		channel_close(&channels->items[i]);
	closep(&channels->home);
}

void channels_refresh(struct channels *channels)
{
	channels->epoch++;
}

void channels_forget(struct channels *channels, struct rid ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(channels->items); i++)
		if (rid_equal(channels->items[i].ns, ns))
			channel_close(&channels->items[i]);
}

void channel_set_options(int fd, int protocol)
{
	static const int on = 1, room = 4 << 20;

	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (protocol == NETLINK_ROUTE) {
		setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
		return;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

static int channel_open(struct channel *channel, int home, struct rid ns, int protocol)
{
	CLEANUP(closep) int ns_fd = netns_open(ns);
	int fd;

	if (ns_fd < 0)
		return ns_fd;
	fd = netns_socket(home, ns_fd, protocol);
	if (fd < 0)
		return fd;
	channel_set_options(fd, protocol);
	*channel = (struct channel){
		.ns = ns, .protocol = protocol, .ns_fd = steal_fd(&ns_fd), .fd = fd
	};
	return 0;
}

/* The one for (ns, protocol), else a free one, else the least recently used one. */
static struct channel *find(struct channels *channels, struct rid ns, int protocol)
{
	struct channel *best = &channels->items[0];

	for (size_t i = 0; i < ARRAY_SIZE(channels->items); i++) {
		struct channel *channel = &channels->items[i];

		if (rid_equal(channel->ns, ns) && channel->protocol == protocol)
			return channel;
		if (channel->used < best->used)
			best = channel;
	}
	return best;
}

int channel_get(struct channels *channels, struct rid ns, int protocol,
		struct channel **ret_channel, struct error *error)
{
	struct channel *channel = find(channels, ns, protocol);
	bool open = rid_equal(channel->ns, ns) && channel->protocol == protocol;
	int r;

	if (open && channel->verified != channels->epoch && !netns_is(ns, channel->ns_fd))
		open = false;
	if (!open) {
		channel_close(channel);
		r = channel_open(channel, channels->home, ns, protocol);
		if (r == -EPROTONOSUPPORT)
			return error_sys(error, r, "this kernel has no netlink protocol %d (%s)",
					 protocol,
					 protocol == NETLINK_ROUTE ? "rtnetlink" : "nfnetlink");
		if (r < 0)
			return error_sys(error, r, "network namespace %s", rid_format(ns).text);
	}
	channel->verified = channels->epoch;
	channel->used = ++channels->clock;
	*ret_channel = channel;
	return 0;
}

int channel_ifindex(const struct channel *channel, const char *device)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(channel->fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	return request.ifr_ifindex;
}

static int take_text(const struct nlattr *attribute, void *context)
{
	const char **text = context;

	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
		*text = mnl_attr_get_str(attribute);
	return MNL_CB_OK;
}

int channel_verdict(const struct nlmsghdr *reply, const char **ret_text)
{
	const struct nlmsgerr *nlmsgerr = mnl_nlmsg_get_payload(reply);
	size_t length = mnl_nlmsg_get_payload_len(reply), offset = sizeof(int);
	int result;

	*ret_text = NULL;
	if (length < sizeof(int))
		return reply->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&result, nlmsgerr, sizeof(result));
	if (reply->nlmsg_type == NLMSG_ERROR) {
		offset = sizeof(*nlmsgerr);
		if (length < offset)
			return -EBADMSG;
		if (!(reply->nlmsg_flags & NLM_F_CAPPED))
			offset += MNL_ALIGN(nlmsgerr->msg.nlmsg_len - sizeof(struct nlmsghdr));
	}
	if (reply->nlmsg_flags & NLM_F_ACK_TLVS && offset <= length)
		mnl_attr_parse(reply, (unsigned int)offset, take_text, ret_text);
	return result > 0 ? -EBADMSG : result;
}

ssize_t channel_receive(const struct channel *channel, void *data, size_t size)
{
	ssize_t length = recv(channel->fd, data, size, MSG_DONTWAIT | MSG_TRUNC);

	if (length < 0)
		return errno == EAGAIN ? 0 : -errno;
	if ((size_t)length > size)
		return -EMSGSIZE;
	return length;
}

struct dump {
	channel_dump_fn callback;
	void *context;
	uint32_t sequence;
	bool interrupted;
	int result; /* the callback's first error; the rest of the dump is still read */
};

/* 1: that was the end of the dump. */
static int dump_message(struct dump *dump, const struct nlmsghdr *message, struct error *error)
{
	const char *text;
	int r;

	if (message->nlmsg_seq != dump->sequence)
		return 0;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->interrupted = true;
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		r = channel_verdict(message, &text);
		if (r == 0 || r == -EINTR)
			return r < 0 ? r : 1;
		return error_sys(error, r, "dump%s%s", text ? ": " : "", text ? text : "");
	}
	if (dump->result == 0)
		dump->result = dump->callback(dump->context, message, error);
	return 0;
}

int channel_dump(struct channels *channels, const struct channel *channel, struct nlmsghdr *request,
		 channel_dump_fn callback, void *context, struct error *error)
{
	struct dump dump = { callback, context, .sequence = ++channels->sequence };
	char data[RECEIVE_MAX] __attribute__((aligned(8)));
	int r = 0;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = dump.sequence;
	if (send(channel->fd, request, request->nlmsg_len, 0) < 0)
		return error_sys(error, errno, "dump: send");
	while (r == 0) {
		ssize_t received = channel_receive(channel, data, sizeof(data));
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)data;
		int length = (int)received;

		if (received <= 0)
			return error_sys(error, received ? length : EPROTO, "dump: receive");
		for (; r == 0 && mnl_nlmsg_ok(message, length);
		     message = mnl_nlmsg_next(message, &length))
			r = dump_message(&dump, message, error);
	}
	if (r < 0)
		return r;
	if (dump.result < 0)
		return dump.result;
	return dump.interrupted ? -EINTR : 0;
}
