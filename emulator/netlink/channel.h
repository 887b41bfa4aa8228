/*
 * Netlink sockets in namespaces, kept for a while: opening one costs two changes of namespace.
 */
#pragma once

#include "base/error.h"
#include "base/id.h"

#include <linux/netlink.h>
#include <sys/types.h>

/* One socket; each takes two descriptors. */
struct channel {
	struct rid ns; /* KIND_NONE: free */
	int protocol;  /* NETLINK_ROUTE or NETLINK_NETFILTER */
	int ns_fd;     /* the namespace, for IFLA_NET_NS_FD */
	int fd;
	uint64_t used;	   /* a clock of uses: the least recent goes first */
	uint64_t verified; /* the epoch in which the name was found to mean this namespace */
};

struct channels {
	int home; /* the namespace we live in */
	uint64_t clock, epoch;
	uint32_t sequence;
	struct channel items[64];
};

int channels_open(struct channels *channels, struct error *error);
void channels_close(struct channels *channels);
/* From now on names are looked at again: others may have removed and remade namespaces. */
void channels_refresh(struct channels *channels);
/* Closes what is open in `ns`, so that nothing of ours keeps it alive. */
void channels_forget(struct channels *channels, struct rid ns);

/*
 * The channel to `ns`, owned by `channels` and valid until the next call of this function.
 * -ENOENT when there is no such namespace.
 */
int channel_get(struct channels *channels, struct rid ns, int protocol,
		struct channel **ret_channel, struct error *error);

/*
 * What the socket of every channel has: the kernel's sentence, the cut of the request in errors,
 * and filters in dumps; a kernel that lacks one of them says less, or needs our own filter, which
 * is there anyway. An nftables batch is one datagram, so it needs room.
 */
void channel_set_options(int fd, int protocol);

/* Index of a device, or -errno (-ENODEV). An ioctl: a fraction of a netlink request's cost. */
int channel_ifindex(const struct channel *channel, const char *device);

/*
 * What the kernel says about one message: the errno (0: fine) and its own sentence, if any; it
 * points into the reply. `reply` is an NLMSG_ERROR or the NLMSG_DONE of a dump.
 */
int channel_verdict(const struct nlmsghdr *reply, const char **ret_text);
/* One datagram, without waiting: netlink answers before send() returns. Bytes, 0: none, -errno. */
ssize_t channel_receive(const struct channel *channel, void *data, size_t size);

typedef int (*channel_dump_fn)(void *context, const struct nlmsghdr *message, struct error *error);

/*
 * Sends `request` (its length, sequence and flags are completed here) and calls `callback` for each
 * message of the answer. -EINTR: the dump was interrupted by a change and must be repeated. A
 * refused dump is an error with the kernel's words, never an empty one.
 */
int channel_dump(struct channels *channels, const struct channel *channel, struct nlmsghdr *request,
		 channel_dump_fn callback, void *context, struct error *error);
