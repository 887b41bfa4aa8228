/*
 * What is in a namespace, in the form that fabric/ wants it to have. The kernel's dumps come in
 * several requests; devices are named by index in all but the first. An index that the first did
 * not have, or an interrupted dump, means that something changed meanwhile: everything is asked
 * again.
 */
#include "netlink/connections.h"
#include "netlink/handle.h"
#include "netlink/nft.h"
#include "netlink/print.h"
#include "netlink/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

#define ATTEMPTS 50

struct device {
	int index, master; /* master: 0 for none */
	bool foreign;	   /* of a kind that we never make: what is on it is not ours */
	char name[DEVICE_NAME_MAX];
};

struct dump {
	struct rid ns;
	struct device *devices; /* in order of index once all are there */
	size_t device_count;
	struct object_list *objects;
};

static int compare_devices(const void *a, const void *b)
{
	const struct device *left = a, *right = b;

	return (left->index > right->index) - (left->index < right->index);
}

static const struct device *device_find(const struct dump *dump, int index)
{
	const struct device key = { .index = index };

	if (!dump->device_count)
		return NULL;
	return bsearch(&key, dump->devices, dump->device_count, sizeof(key), compare_devices);
}

/* -EINTR: not there when the devices were dumped. */
static int name_device(const struct dump *dump, int index, char name[DEVICE_NAME_MAX])
{
	const struct device *device = device_find(dump, index);

	if (!device)
		return -EINTR;
	memcpy(name, device->name, DEVICE_NAME_MAX);
	return 0;
}

static struct object object_new(const struct dump *dump, enum object_kind kind)
{
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = kind;
	object.ns = dump->ns;
	return object;
}

/* The attributes of a message by their type; those we read are all small numbers. */
struct attributes {
	const struct nlattr *of[32];
};

static int keep_attribute(const struct nlattr *attribute, void *context)
{
	struct attributes *attributes = context;

	if (mnl_attr_get_type(attribute) < ARRAY_SIZE(attributes->of))
		attributes->of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static struct attributes read_attributes(const struct nlmsghdr *message, size_t header)
{
	struct attributes attributes = { 0 };

	mnl_attr_parse(message, (unsigned int)header, keep_attribute, &attributes);
	return attributes;
}

static struct attributes read_nest(const struct nlattr *nest)
{
	struct attributes attributes = { 0 };

	mnl_attr_parse_nested(nest, keep_attribute, &attributes);
	return attributes;
}

/* 0 when absent. */
static uint32_t read_number(const struct nlattr *attribute)
{
	return attribute ? mnl_attr_get_u32(attribute) : 0;
}

static bool is_marked(const struct nlattr *protocol)
{
	return protocol && mnl_attr_get_payload_len(protocol) >= 1 &&
	       mnl_attr_get_u8(protocol) == ROUTE_PROTOCOL;
}

static void read_bytes(const struct nlattr *attribute, void *data, size_t size)
{
	if (attribute && mnl_attr_get_payload_len(attribute) == size)
		memcpy(data, mnl_attr_get_payload(attribute), size);
}

/* Stays unset when absent. */
static void read_address(const struct nlattr *attribute, uint8_t family, struct address *address)
{
	if (!attribute)
		return;
	*address = (struct address){ .family = family };
	read_bytes(attribute, address->bytes, address_size(*address));
}

/* False for a kind that is none of ours. */
static bool read_link_type(const struct nlattr *information, enum link_type *type)
{
	struct attributes attributes = { 0 };
	const char *kind;

	if (!information)
		return false;
	attributes = read_nest(information);
	if (!attributes.of[IFLA_INFO_KIND])
		return false;
	kind = mnl_attr_get_str(attributes.of[IFLA_INFO_KIND]);
	*type = streq(kind, "bridge") ? LINK_BRIDGE : LINK_VETH;
	return streq(kind, "bridge") || streq(kind, "veth");
}

/* Down it is as good as none. */
static void take_loopback(const struct dump *dump, bool down)
{
	struct object object = object_new(dump, OBJECT_LINK);

	object.link.type = LINK_LOOPBACK;
	memcpy(object.link.name, "lo", sizeof("lo"));
	if (!down)
		object_list_add(dump->objects, &object);
}

static int take_link(void *context, const struct nlmsghdr *message,
		     struct error *error __attribute__((unused)))
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = read_attributes(message, sizeof(*header));
	struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_LINK);
	struct device *device = array_grow(&dump->devices, &dump->device_count);

	device->index = header->ifi_index;
	device->master = (int)read_number(attributes.of[IFLA_MASTER]);
	if (attributes.of[IFLA_IFNAME])
		snprintf(device->name, sizeof(device->name), "%s",
			 mnl_attr_get_str(attributes.of[IFLA_IFNAME]));
	memcpy(object.link.name, device->name, sizeof(object.link.name));
	object.link.mtu = read_number(attributes.of[IFLA_MTU]);
	object.link.group = read_number(attributes.of[IFLA_GROUP]);
	read_bytes(attributes.of[IFLA_ADDRESS], &object.link.mac, sizeof(object.link.mac));
	object.link.down = !(header->ifi_flags & IFF_UP);
	device->foreign = !read_link_type(attributes.of[IFLA_LINKINFO], &object.link.type) &&
			  !streq(device->name, "lo");
	if (streq(device->name, "lo"))
		take_loopback(dump, object.link.down);
	else if (!device->foreign)
		object_list_add(dump->objects, &object);
	return 0;
}

static bool is_link_local(struct address address)
{
	return address.family == AF_INET6 && address.bytes[0] == 0xfe &&
	       (address.bytes[1] & 0xc0) == 0x80;
}

static bool is_loopback(struct address address)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (address.family == AF_INET)
		return address.bytes[0] == 127;
	return memcmp(address.bytes, loopback6, sizeof(loopback6)) == 0;
}

static int take_address(void *context, const struct nlmsghdr *message,
			struct error *error __attribute__((unused)))
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = read_attributes(message, sizeof(*header));
	const struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_ADDRESS);
	struct address *address = &object.address.cidr.address;
	const struct device *device;

	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return 0;
	/* IPv4: the other one is a point-to-point link's far end. IPv6 mostly has the other one. */
	read_address(attributes.of[IFA_ADDRESS], header->ifa_family, address);
	read_address(attributes.of[IFA_LOCAL], header->ifa_family, address);
	object.address.cidr.length = header->ifa_prefixlen;
	object.address.unmarked = !is_marked(attributes.of[IFA_PROTO]);
	device = device_find(dump, (int)header->ifa_index);
	if (!device)
		return -EINTR;
	memcpy(object.address.device, device->name, sizeof(object.address.device));
	if (!device->foreign && !is_link_local(*address) &&
	    !(is_loopback(*address) && streq(object.address.device, "lo")))
		object_list_add(dump->objects, &object);
	return 0;
}

/* A family that the kernel lacks is answered with all of them. */
static bool is_route(const struct rtmsg *header)
{
	return (header->rtm_family == AF_INET || header->rtm_family == AF_INET6) &&
	       header->rtm_protocol > RTPROT_KERNEL && header->rtm_protocol != RTPROT_RA &&
	       !(header->rtm_flags & RTM_F_CLONED);
}

/* Somebody else's, unless it is by the uplink, whose routes come and go with it. */
static int take_foreign_route(struct dump *dump, const struct rtmsg *header,
			      const struct attributes *attributes)
{
	struct object object = object_new(dump, OBJECT_FOREIGN);
	struct cidr destination = { { .family = header->rtm_family }, header->rtm_dst_len };
	const int index = (int)read_number(attributes->of[RTA_OIF]);
	char device[DEVICE_NAME_MAX] = "";

	if (index && name_device(dump, index, device) < 0)
		return -EINTR;
	if (streq(device, UPLINK_DEVICE))
		return 0;
	read_address(attributes->of[RTA_DST], header->rtm_family, &destination.address);
	snprintf(object.foreign.what, sizeof(object.foreign.what),
		 "route %s%s%s table %u protocol %u", cidr_format(destination).text,
		 *device ? " dev " : "", device, read_number(attributes->of[RTA_TABLE]),
		 header->rtm_protocol);
	object_list_add(dump->objects, &object);
	return 0;
}

static int take_route(void *context, const struct nlmsghdr *message,
		      struct error *error __attribute__((unused)))
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = read_attributes(message, sizeof(*header));
	struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_ROUTE);
	struct route_object *route = &object.route;
	int index = (int)read_number(attributes.of[RTA_OIF]), r;

	if (!is_route(header))
		return 0;
	if (header->rtm_protocol != ROUTE_PROTOCOL)
		return take_foreign_route(dump, header, &attributes);
	route->table = read_number(attributes.of[RTA_TABLE]);
	if (route->table == RT_TABLE_MAIN)
		route->table = 0;
	/* IPv6's routes always have one. */
	if (header->rtm_family == AF_INET)
		route->metric = read_number(attributes.of[RTA_PRIORITY]);
	route->destination.address.family = header->rtm_family;
	route->destination.length = header->rtm_dst_len;
	read_address(attributes.of[RTA_DST], header->rtm_family, &route->destination.address);
	if (attributes.of[RTA_METRICS])
		route->mtu = read_number(read_nest(attributes.of[RTA_METRICS]).of[RTAX_MTU]);
	if (header->rtm_type == RTN_BLACKHOLE) {
		route->type = ROUTE_BLACKHOLE; /* IPv6 gives it to "lo" */
	} else if (header->rtm_type == RTN_UNICAST && index) {
		read_address(attributes.of[RTA_GATEWAY], header->rtm_family, &route->gateway);
		r = name_device(dump, index, route->device);
		if (r < 0)
			return r;
	} else {
		return 0;
	}
	object_list_add(dump->objects, &object);
	return 0;
}

static int take_neighbour(const struct dump *dump, const struct ndmsg *header,
			  const struct attributes *attributes)
{
	struct object object = object_new(dump, OBJECT_NEIGHBOUR);
	int r;

	if (!(header->ndm_state & NUD_PERMANENT) || !attributes->of[NDA_DST] ||
	    !attributes->of[NDA_LLADDR])
		return 0;
	read_address(attributes->of[NDA_DST], header->ndm_family, &object.neighbour.address);
	read_bytes(attributes->of[NDA_LLADDR], &object.neighbour.mac, sizeof(object.neighbour.mac));
	object.neighbour.unmarked = !is_marked(attributes->of[NDA_PROTOCOL]);
	r = name_device(dump, header->ndm_ifindex, object.neighbour.device);
	if (r == 0)
		object_list_add(dump->objects, &object);
	return r;
}

/*
 * "self" entries are the device's own filter and have no master; NUD_PERMANENT ones are the
 * bridge's for the port's own address; those with a VLAN are the kernel's copies for the VLANs of
 * the port.
 */
static int take_fdb(const struct dump *dump, const struct ndmsg *header,
		    const struct attributes *attributes)
{
	struct object object = object_new(dump, OBJECT_FDB);
	int r;

	if (header->ndm_state != NUD_NOARP || !attributes->of[NDA_LLADDR] ||
	    !attributes->of[NDA_MASTER] || attributes->of[NDA_VLAN])
		return 0;
	read_bytes(attributes->of[NDA_LLADDR], &object.fdb.mac, sizeof(object.fdb.mac));
	r = name_device(dump, header->ndm_ifindex, object.fdb.device);
	if (r == 0)
		object_list_add(dump->objects, &object);
	return r;
}

static int take_rule(void *context, const struct nlmsghdr *message,
		     struct error *error __attribute__((unused)))
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = read_attributes(message, sizeof(*header));
	const struct nlattr *protocol = attributes.of[FRA_PROTOCOL];
	const struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_RULE);

	if (header->family != AF_INET || !protocol || mnl_attr_get_u8(protocol) == RTPROT_KERNEL)
		return 0;
	if (mnl_attr_get_u8(protocol) != ROUTE_PROTOCOL) {
		object.kind = OBJECT_FOREIGN;
		snprintf(object.foreign.what, sizeof(object.foreign.what),
			 "rule priority %u table %u", read_number(attributes.of[FRA_PRIORITY]),
			 read_number(attributes.of[FRA_TABLE]));
		object_list_add(dump->objects, &object);
		return 0;
	}
	object.rule.mark = read_number(attributes.of[FRA_FWMARK]);
	object.rule.table = read_number(attributes.of[FRA_TABLE]);
	object_list_add(dump->objects, &object);
	return 0;
}

static int take_delay(void *context, const struct nlmsghdr *message,
		      struct error *error __attribute__((unused)))
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = read_attributes(message, sizeof(*header));
	const struct nlattr *kind = attributes.of[TCA_KIND], *options = attributes.of[TCA_OPTIONS];
	const struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_DELAY);
	int r;

	if (header->tcm_parent != TC_H_ROOT || !kind || !options ||
	    !streq(mnl_attr_get_str(kind), "netem") ||
	    mnl_attr_get_payload_len(options) < sizeof(struct tc_netem_qopt))
		return 0;
	object.delay.microseconds = route_delay_of(mnl_attr_get_payload(options));
	r = name_device(dump, header->tcm_ifindex, object.delay.device);
	if (r == 0)
		object_list_add(dump->objects, &object);
	return r;
}

static int take_entry(void *context, const struct nlmsghdr *message,
		      struct error *error __attribute__((unused)))
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	struct attributes attributes = read_attributes(message, sizeof(*header));

	if (header->ndm_family == AF_BRIDGE)
		return take_fdb(context, header, &attributes);
	if (header->ndm_family == AF_INET || header->ndm_family == AF_INET6)
		return take_neighbour(context, header, &attributes);
	return 0;
}

static struct nlmsghdr *start(char *data, uint16_t type)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(data);

	request->nlmsg_type = type;
	return request;
}

static int dump_links(struct channels *channels, const struct channel *channel, struct dump *dump,
		      struct error *error)
{
	char data[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(data, RTM_GETLINK);
	int r;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = channel_dump(channels, channel, request, take_link, dump, error);
	if (r < 0)
		return r;
	qsort(dump->devices, dump->device_count, sizeof(*dump->devices), compare_devices);
	return 0;
}

/* The masters' names, now that all devices are known. */
static int name_masters(struct dump *dump)
{
	for (size_t i = 0; i < dump->device_count; i++) {
		const struct device *device = &dump->devices[i];
		char master[DEVICE_NAME_MAX];

		if (!device->master)
			continue;
		if (name_device(dump, device->master, master) < 0)
			return -EINTR;
		for (size_t n = 0; n < dump->objects->count; n++) {
			struct link_object *link = &dump->objects->items[n].link;

			if (streq(link->name, device->name))
				memcpy(link->master, master, sizeof(link->master));
		}
	}
	return 0;
}

static int dump_addresses(struct channels *channels, const struct channel *channel,
			  struct dump *dump, struct error *error)
{
	char data[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(data, RTM_GETADDR);

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
	return channel_dump(channels, channel, request, take_address, dump, error);
}

static int dump_routes(struct channels *channels, const struct channel *channel, struct dump *dump,
		       uint8_t family, struct error *error)
{
	char data[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(data, RTM_GETROUTE);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->rtm_family = family;
	/* Not by table: a namespace that never had a route has no main table, which would be
	 * ENOENT. */
	return channel_dump(channels, channel, request, take_route, dump, error);
}

static int dump_entries(struct channels *channels, const struct channel *channel, struct dump *dump,
			uint8_t family, struct error *error)
{
	char data[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(data, RTM_GETNEIGH);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->ndm_family = family;
	return channel_dump(channels, channel, request, take_entry, dump, error);
}

static int dump_rules(struct channels *channels, const struct channel *channel, struct dump *dump,
		      struct error *error)
{
	char data[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(data, RTM_GETRULE);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->family = AF_INET;
	return channel_dump(channels, channel, request, take_rule, dump, error);
}

/* A kernel without queues has no delays. */
static int dump_delays(struct channels *channels, const struct channel *channel, struct dump *dump,
		       struct error *error)
{
	char data[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start(data, RTM_GETQDISC);
	struct error cause = ERROR_INIT;
	int r;

	mnl_nlmsg_put_extra_header(request, sizeof(struct tcmsg));
	r = channel_dump(channels, channel, request, take_delay, dump, &cause);
	if (r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		*error = cause;
	return r;
}

static int dump_rtnetlink(struct channels *channels, struct dump *dump, struct error *error)
{
	static const uint8_t families[] = { AF_INET, AF_INET6, AF_BRIDGE };
	struct channel *channel;
	int r;

	r = channel_get(channels, dump->ns, NETLINK_ROUTE, &channel, error);
	if (r == 0)
		r = dump_links(channels, channel, dump, error);
	if (r == 0)
		r = name_masters(dump);
	if (r == 0)
		r = dump_addresses(channels, channel, dump, error);
	if (r == 0)
		r = dump_rules(channels, channel, dump, error);
	if (r == 0)
		r = dump_delays(channels, channel, dump, error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		if (families[i] != AF_BRIDGE)
			r = dump_routes(channels, channel, dump, families[i], error);
		if (r == 0)
			r = dump_entries(channels, channel, dump, families[i], error);
	}
	return r;
}

static int dump_once(struct channels *channels, struct rid ns, struct object_list *ret_objects,
		     struct error *error)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };
	struct dump dump = { .ns = ns, .objects = &objects };
	int r;

	r = dump_rtnetlink(channels, &dump, error);
	free(dump.devices);
	if (r == 0)
		r = nft_dump(channels, ns, &objects, error);
	if (r < 0)
		return r;
	*ret_objects = objects;
	objects = (struct object_list){ 0 };
	return 0;
}

static int restless(struct rid ns, struct error *error)
{
	return error_sys(error, EBUSY, "%s: dump: it changed %d times meanwhile",
			 rid_format(ns).text, ATTEMPTS);
}

/* Reads again what a change has interrupted: `take` starts over each time. */
static int read_again(struct kernel *kernel, struct rid ns,
		      int (*take)(struct channels *channels, struct rid ns, void *ret,
				  struct error *error),
		      void *ret, struct error *error)
{
	int r = -EINTR;

	channels_refresh(&kernel->channels);
	for (int i = 0; i < ATTEMPTS && r == -EINTR; i++)
		r = take(&kernel->channels, ns, ret, error);
	if (r == -EINTR)
		return restless(ns, error);
	return r < 0 ? error_wrap(error, r, "%s", rid_format(ns).text) : 0;
}

static int take_connections(struct channels *channels, struct rid ns, void *ret,
			    struct error *error)
{
	return connections_count(channels, ns, ret, error);
}

int kernel_connections(struct kernel *kernel, struct rid ns, struct connection_counts *ret_counts,
		       struct error *error)
{
	return read_again(kernel, ns, take_connections, ret_counts, error);
}

static int take_drops(struct channels *channels, struct rid ns, void *ret, struct error *error)
{
	struct drop_list *drops = ret;

	freep(&drops->items);
	drops->count = 0;
	return nft_drops(channels, ns, drops, error);
}

int kernel_drops(struct kernel *kernel, struct rid ns, struct drop_list *ret_drops,
		 struct error *error)
{
	return read_again(kernel, ns, take_drops, ret_drops, error);
}

static int take_objects(struct channels *channels, struct rid ns, void *ret, struct error *error)
{
	return dump_once(channels, ns, ret, error);
}

int kernel_dump(struct kernel *kernel, struct rid ns, struct object_list *ret_objects,
		struct error *error)
{
	int r = read_again(kernel, ns, take_objects, ret_objects, error);

	for (int i = -ATTEMPTS; r == 0 && i < 0; i++) {
		int judged =
			prints_judge(&kernel->prints, &kernel->channels, ns, ret_objects, error);

		if (judged != -EINTR)
			return judged;
	}
	return r < 0 ? r : restless(ns, error);
}
