/* The connections that a namespace tracks, counted: see kernel.h. By ctnetlink. */
#include "netlink/connections.h"

#include "base/map.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

struct count {
	struct map destinations; /* of the connections seen: how many each has */
	struct connection_counts *counts;
};

/* Attributes by their type; what is longer than the table is of no interest. */
struct attributes {
	const struct nlattr *items[32];
};

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct attributes *attributes = context;
	uint16_t type = mnl_attr_get_type(attribute);

	if (type < ARRAY_SIZE(attributes->items))
		attributes->items[type] = attribute;
	return MNL_CB_OK;
}

static struct attributes nested(const struct attributes *from, uint16_t type)
{
	struct attributes attributes = { { NULL } };

	if (from->items[type])
		mnl_attr_parse_nested(from->items[type], take_attribute, &attributes);
	return attributes;
}

static struct attributes top(const struct nlmsghdr *message)
{
	struct attributes attributes = { { NULL } };

	mnl_attr_parse(message, sizeof(struct nfgenmsg), take_attribute, &attributes);
	return attributes;
}

static uint32_t number_of(const struct nlattr *attribute)
{
	return attribute ? ntohl(mnl_attr_get_u32(attribute)) : 0;
}

/*
 * A port is a source's once for each destination (address, protocol and port) and each address that
 * it stands behind, which is where the replies go.
 */
static int take_connection(void *context, const struct nlmsghdr *message,
			   struct error *error __attribute__((unused)))
{
	const struct attributes connection = top(message);
	const struct attributes to = nested(&connection, CTA_TUPLE_ORIG);
	const struct attributes back = nested(&connection, CTA_TUPLE_REPLY);
	const struct attributes to_ip = nested(&to, CTA_TUPLE_IP);
	const struct attributes back_ip = nested(&back, CTA_TUPLE_IP);
	const struct attributes protocol = nested(&to, CTA_TUPLE_PROTO);
	const struct nlattr *number = protocol.items[CTA_PROTO_NUM];
	const struct nlattr *port = protocol.items[CTA_PROTO_DST_PORT];
	struct count *count = context;
	struct busiest seen = {
		.address = number_of(to_ip.items[CTA_IP_V4_DST]),
		.protocol = number ? mnl_attr_get_u8(number) : 0,
		.port = port ? ntohs(mnl_attr_get_u16(port)) : 0,
	};
	const struct map_key key = { (uint64_t)number_of(back_ip.items[CTA_IP_V4_DST]) << 32 |
					     seen.address,
				     (uint64_t)seen.protocol << 16 | seen.port };

	seen.connections = (uintptr_t)map_get(&count->destinations, key) + 1;
	map_put(&count->destinations, key, (void *)(uintptr_t)seen.connections);
	count->counts->connections++;
	if (seen.connections > count->counts->busiest.connections)
		count->counts->busiest = seen;
	return 0;
}

static int take_processor(void *context, const struct nlmsghdr *message,
			  struct error *error __attribute__((unused)))
{
	const struct attributes processor = top(message);
	struct count *count = context;

	count->counts->failed += number_of(processor.items[CTA_STATS_INSERT_FAILED]);
	return 0;
}

static int ask(struct channels *channels, const struct channel *channel, uint16_t type,
	       channel_dump_fn take, struct count *count, struct error *error)
{
	char data[64] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(data);
	struct nfgenmsg *head;

	request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	head = mnl_nlmsg_put_extra_header(request, sizeof(*head));
	head->nfgen_family = AF_INET;
	head->version = NFNETLINK_V0;
	return channel_dump(channels, channel, request, take, count, error);
}

int connections_count(struct channels *channels, struct rid ns,
		      struct connection_counts *ret_counts, struct error *error)
{
	struct count count = { { 0 }, ret_counts };
	struct channel *channel;
	int r;

	*ret_counts = (struct connection_counts){ 0 };
	if ((r = channel_get(channels, ns, NETLINK_NETFILTER, &channel, error)) < 0)
		return r;
	r = ask(channels, channel, IPCTNL_MSG_CT_GET, take_connection, &count, error);
	if (r >= 0)
		r = ask(channels, channel, IPCTNL_MSG_CT_GET_STATS_CPU, take_processor, &count,
			error);
	map_clear(&count.destinations);
	return MIN(r, 0);
}
