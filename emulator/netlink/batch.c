/* Messages that go to the kernel together: see batch.h. */
#include "netlink/batch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

/*
 * What fits into a socket's send buffer without privilege over the host (a container of a user
 * namespace), and, for rtnetlink, what keeps the answers well below a receive buffer's default.
 */
#define BATCH_SIZE  (256 << 10)
#define ROUTE_COUNT 64

void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->entries[i].text);
	free(batch->entries);
	free(batch->data);
	*batch = (struct batch){ 0 };
}

void batch_begin(struct batch *batch, struct channel *channel)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->entries[i].text);
	free(batch->entries);
	if (!batch->data)
		batch->data = xcalloc(1, BATCH_SIZE);
	batch->entries = NULL;
	batch->count = 0;
	batch->length = 0;
	batch->channel = channel;
	if (channel->protocol == NETLINK_NETFILTER)
		batch->length = nftnl_batch_begin(batch->data, 0)->nlmsg_len;
}

bool batch_has_room(const struct batch *batch)
{
	if (batch->channel->protocol == NETLINK_ROUTE && batch->count >= ROUTE_COUNT)
		return false;
	return batch->length + BATCH_ROOM < BATCH_SIZE;
}

struct nlmsghdr *batch_message(struct batch *batch)
{
	return mnl_nlmsg_put_header(batch->data + batch->length);
}

void batch_add(struct batch *batch, const struct nlmsghdr *message, size_t step, enum role role)
{
	*array_grow(&batch->entries, &batch->count) =
		(struct batch_entry){ .step = step, .role = role, .offset = batch->length };
	batch->length += MNL_ALIGN(message->nlmsg_len);
	assert(batch->length < BATCH_SIZE);
}

static struct nlmsghdr *header(const struct batch *batch, size_t index)
{
	return (struct nlmsghdr *)(void *)(batch->data + batch->entries[index].offset);
}

void batch_drop(struct batch *batch, size_t index)
{
	size_t offset = batch->entries[index].offset;
	size_t length = MNL_ALIGN(header(batch, index)->nlmsg_len);

	memmove(batch->data + offset, batch->data + offset + length,
		batch->length - offset - length);
	batch->length -= length;
	free(batch->entries[index].text);
	array_remove(batch->entries, &batch->count, index);
	for (size_t i = index; i < batch->count; i++)
		batch->entries[i].offset -= length;
}

/*
 * Sequence numbers: `first` for the head of an nftables batch, first + 1 + i for entry i. Each
 * rtnetlink message asks for its answer; of an nftables batch the last one stands for all, and
 * those that fail answer anyway.
 */
static void number(struct batch *batch, uint32_t first, bool nft)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct nlmsghdr *message = header(batch, i);

		message->nlmsg_seq = first + 1 + (uint32_t)i;
		message->nlmsg_flags |= NLM_F_REQUEST;
		message->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		if (!nft || i + 1 == batch->count)
			message->nlmsg_flags |= NLM_F_ACK;
		free(batch->entries[i].text);
		batch->entries[i].text = NULL;
		batch->entries[i].result = nft && i + 1 < batch->count ? 0 : -EPROTO;
	}
	if (nft)
		((struct nlmsghdr *)(void *)batch->data)->nlmsg_seq = first;
}

#ifdef INJECT
/*
 * An entry that the kernel is to refuse: it gets a message of a type that there isn't, and what it
 * says of that is taken for the wanted error. Its sentence about it is not kept.
 */
static void spoil(struct batch *batch)
{
	batch->spoiled = 0;
	for (size_t i = 0; i < batch->count; i++) {
		INJECT_NAMED("netlink message", false);
		int sys = inject_before(&inject_point);

		if (!sys)
			continue;
		header(batch, i)->nlmsg_type = 0xfffe;
		batch->spoiled = i + 1;
		batch->spoiled_sys = sys;
	}
}
#endif

/* One answer. An error of the batch's head is one of the whole batch. */
static int take_answer(struct batch *batch, const struct nlmsghdr *reply, uint32_t first,
		       struct error *error)
{
	uint32_t index = reply->nlmsg_seq - first - 1;
	const char *text;
	int r;

	if (reply->nlmsg_type != NLMSG_ERROR)
		return 0;
	r = channel_verdict(reply, &text);
	if (reply->nlmsg_seq == first && r == -EOPNOTSUPP)
		return error_sys(error, r, "this kernel has no nftables");
	if (reply->nlmsg_seq == first && r < 0)
		return error_sys(error, r, "nftables%s%s", text ? ": " : "", text ? text : "");
#ifdef INJECT
	if (r < 0 && batch->spoiled && index == batch->spoiled - 1)
		r = -batch->spoiled_sys;
#endif
	if (index < batch->count) {
		free(batch->entries[index].text);
		batch->entries[index].text = xstrdup_null(text);
		batch->entries[index].result = r;
	}
	return 0;
}

static int collect(struct batch *batch, uint32_t first, struct error *error)
{
	char data[8192] __attribute__((aligned(8)));
	ssize_t received;
	int r = 0;

	while ((received = channel_receive(batch->channel, data, sizeof(data))) != 0) {
		const struct nlmsghdr *reply = (const struct nlmsghdr *)(void *)data;
		int length = (int)received;

		batch->is_unsure |= received < 0;
		if (received < 0 && r == 0)
			r = error_sys(error, length, "netlink: receive");
		if (received < 0 && received != -ENOBUFS) /* that one: answers were lost, go on */
			break;
		for (; mnl_nlmsg_ok(reply, length); reply = mnl_nlmsg_next(reply, &length))
			if (r == 0)
				r = take_answer(batch, reply, first, error);
	}
	return r;
}

int batch_send(struct batch *batch, struct channels *channels, struct error *error)
{
	bool nft = batch->channel->protocol == NETLINK_NETFILTER;
	uint32_t first = channels->sequence + 1;
	size_t length = batch->length;

	batch->is_unsure = false;
	channels->sequence += (uint32_t)batch->count + 2;
	number(batch, first, nft);
#ifdef INJECT
	spoil(batch);
#endif
	if (nft)
		length += nftnl_batch_end(batch->data + length, channels->sequence)->nlmsg_len;
	if (send(batch->channel->fd, batch->data, length, 0) < 0)
		return error_sys(error, errno, "netlink: send");
	return collect(batch, first, error);
}
