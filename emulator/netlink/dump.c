/*
 * What is in a namespace, in the form that fabric/ wants it to have. The kernel's dumps come in
 * several requests; devices are named by index in all but the first. An index that the first did
 * not have, or an interrupted dump, means that something changed meanwhile: everything is asked
 * again.
 */
#include "netlink/handle.h"
#include "netlink/nft.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

#define ATTEMPTS 50

struct device {
	int index, master; /* master: 0 for none */
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

static void read_bytes(const struct nlattr *attribute, void *data, size_t size)
{
	if (mnl_attr_get_payload_len(attribute) == size)
		memcpy(data, mnl_attr_get_payload(attribute), size);
}

static void read_address(const struct nlattr *attribute, uint8_t family, struct address *address)
{
	*address = (struct address){ .family = family };
	read_bytes(attribute, address->bytes, address_size(*address));
}

/* False for a kind that is none of ours. */
static bool read_link_kind(const struct nlattr *information, enum link_type *type)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, information)
	{
		if (mnl_attr_get_type(attribute) != IFLA_INFO_KIND)
			continue;
		if (streq(mnl_attr_get_str(attribute), "bridge"))
			*type = LINK_BRIDGE;
		else if (streq(mnl_attr_get_str(attribute), "veth"))
			*type = LINK_VETH;
		else
			return false;
		return true;
	}
	return false;
}

static int take_link(void *context, const struct nlmsghdr *message,
		     struct error *error __attribute__((unused)))
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_LINK);
	struct device *device = array_grow(&dump->devices, &dump->device_count);
	const struct nlattr *attribute;
	bool ours = false;

	device->index = header->ifi_index;
	mnl_attr_for_each(attribute, message, sizeof(*header)) switch (mnl_attr_get_type(attribute))
	{
	case IFLA_IFNAME:
		snprintf(device->name, sizeof(device->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MTU:
		object.link.mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_ADDRESS:
		read_bytes(attribute, &object.link.mac, sizeof(object.link.mac));
		break;
	case IFLA_MASTER:
		device->master = (int)mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		ours = read_link_kind(attribute, &object.link.type);
		break;
	}
	memcpy(object.link.name, device->name, sizeof(object.link.name));
	object.link.down = !(header->ifi_flags & IFF_UP);
	if (ours)
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
	const struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_ADDRESS);
	struct address *address = &object.address.cidr.address;
	const struct nlattr *attribute;
	int r;

	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return 0;
	mnl_attr_for_each(attribute, message,
			  sizeof(*header)) if (mnl_attr_get_type(attribute) == IFA_LOCAL ||
					       (mnl_attr_get_type(attribute) == IFA_ADDRESS &&
						!address_is_set(*address)))
		read_address(attribute, header->ifa_family, address);
	object.address.cidr.length = header->ifa_prefixlen;
	r = name_device(dump, (int)header->ifa_index, object.address.device);
	if (r < 0)
		return r;
	if (is_link_local(*address) ||
	    (is_loopback(*address) && streq(object.address.device, "lo")))
		return 0;
	object_list_add(dump->objects, &object);
	return 0;
}

static int take_route(void *context, const struct nlmsghdr *message,
		      struct error *error __attribute__((unused)))
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct dump *dump = context;
	struct object object = object_new(dump, OBJECT_ROUTE);
	struct route_object *route = &object.route;
	const struct nlattr *attribute;
	uint32_t table = header->rtm_table;
	int index = 0, r;

	route->destination.address.family = header->rtm_family;
	route->destination.length = header->rtm_dst_len;
	mnl_attr_for_each(attribute, message, sizeof(*header)) switch (mnl_attr_get_type(attribute))
	{
	case RTA_TABLE:
		table = mnl_attr_get_u32(attribute);
		break;
	case RTA_DST:
		read_address(attribute, header->rtm_family, &route->destination.address);
		break;
	case RTA_GATEWAY:
		read_address(attribute, header->rtm_family, &route->gateway);
		break;
	case RTA_OIF:
		index = (int)mnl_attr_get_u32(attribute);
		break;
	}
	/* Asked for already, but a family that the kernel lacks is answered with all of them. */
	if ((header->rtm_family != AF_INET && header->rtm_family != AF_INET6) ||
	    table != RT_TABLE_MAIN || header->rtm_protocol != ROUTE_PROTOCOL ||
	    header->rtm_flags & RTM_F_CLONED)
		return 0;
	if (header->rtm_type == RTN_BLACKHOLE) {
		route->type = ROUTE_BLACKHOLE; /* IPv6 gives it to "lo" */
	} else if (header->rtm_type == RTN_UNICAST && index) {
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
			  const struct nlattr *destination, const struct nlattr *mac)
{
	struct object object = object_new(dump, OBJECT_NEIGHBOUR);
	int r;

	if (!(header->ndm_state & NUD_PERMANENT) || !destination || !mac)
		return 0;
	read_address(destination, header->ndm_family, &object.neighbour.address);
	read_bytes(mac, &object.neighbour.mac, sizeof(object.neighbour.mac));
	r = name_device(dump, header->ndm_ifindex, object.neighbour.device);
	if (r == 0)
		object_list_add(dump->objects, &object);
	return r;
}

/*
 * "self" entries are the device's own filter and have no master; NUD_PERMANENT ones are the
 * bridge's for the port's own address.
 */
static int take_fdb(const struct dump *dump, const struct ndmsg *header, const struct nlattr *mac)
{
	struct object object = object_new(dump, OBJECT_FDB);
	int r;

	if (header->ndm_state != NUD_NOARP || !mac)
		return 0;
	read_bytes(mac, &object.fdb.mac, sizeof(object.fdb.mac));
	r = name_device(dump, header->ndm_ifindex, object.fdb.device);
	if (r == 0)
		object_list_add(dump->objects, &object);
	return r;
}

static int take_entry(void *context, const struct nlmsghdr *message,
		      struct error *error __attribute__((unused)))
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *destination = NULL, *mac = NULL, *attribute;
	bool master = false, vlan = false;

	mnl_attr_for_each(attribute, message, sizeof(*header)) switch (mnl_attr_get_type(attribute))
	{
	case NDA_DST:
		destination = attribute;
		break;
	case NDA_LLADDR:
		mac = attribute;
		break;
	case NDA_MASTER:
		master = true;
		break;
	case NDA_VLAN: /* the kernel's copies for the VLANs of the port */
		vlan = true;
		break;
	}
	if (header->ndm_family == AF_BRIDGE)
		return master && !vlan ? take_fdb(context, header, mac) : 0;
	if (header->ndm_family == AF_INET || header->ndm_family == AF_INET6)
		return take_neighbour(context, header, destination, mac);
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
	header->rtm_protocol = ROUTE_PROTOCOL;
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

static int dump_route_room(struct channels *channels, struct dump *dump, struct error *error)
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

	r = dump_route_room(channels, &dump, error);
	free(dump.devices);
	if (r == 0)
		r = nft_dump(channels, ns, &objects, error);
	if (r < 0)
		return r;
	*ret_objects = objects;
	objects = (struct object_list){ 0 };
	return 0;
}

int kernel_dump(struct kernel *kernel, struct rid ns, struct object_list *ret_objects,
		struct error *error)
{
	int r = -EINTR;

	channels_refresh(&kernel->channels);
	for (int i = 0; i < ATTEMPTS && r == -EINTR; i++)
		r = dump_once(&kernel->channels, ns, ret_objects, error);
	if (r == -EINTR)
		return error_sys(error, EBUSY, "%s: dump: it changed %d times meanwhile",
				 rid_format(ns).text, ATTEMPTS);
	return r < 0 ? error_wrap(error, r, "%s", rid_format(ns).text) : 0;
}
