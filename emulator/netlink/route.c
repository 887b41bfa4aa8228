/* rtnetlink messages: see route.h. */
#include "netlink/route.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

static bool mac_is_set(struct mac mac)
{
	static const struct mac none;

	return memcmp(&mac, &none, sizeof(mac)) != 0;
}

static struct ifinfomsg *start_link(struct nlmsghdr *message, uint16_t type, uint16_t flags)
{
	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
}

/*
 * One queue: veth has no use for more (it hands packets straight to the other end), and each costs
 * a handful of sysfs files; without this there is one for each possible CPU.
 */
static void put_device(struct nlmsghdr *message, const char *name, struct mac mac, uint32_t mtu)
{
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	if (mtu)
		mnl_attr_put_u32(message, IFLA_MTU, mtu);
	if (mac_is_set(mac))
		mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac), &mac);
	mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

void route_new_bridge(struct nlmsghdr *message, const struct link_object *link)
{
	struct nlattr *information, *data;

	start_link(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	put_device(message, link->name, link->mac, 0);
	information = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u32(message, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u8(message, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, information);
}

void route_new_veth(struct nlmsghdr *message, const struct link_object *link, int fd)
{
	struct nlattr *information, *data, *peer;
	struct ifinfomsg *header = start_link(message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);

	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
	put_device(message, link->peer_name, link->peer_mac, link->mtu);
	information = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	put_device(message, link->name, link->mac, link->mtu);
	if (link->group)
		mnl_attr_put_u32(message, IFLA_GROUP, link->group);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)fd);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, information);
}

/* RTM_NEWLINK without NLM_F_CREATE changes the device of that name. */
static struct ifinfomsg *start_change(struct nlmsghdr *message, const char *device)
{
	struct ifinfomsg *header = start_link(message, RTM_NEWLINK, 0);

	mnl_attr_put_strz(message, IFLA_IFNAME, device);
	return header;
}

void route_set_up(struct nlmsghdr *message, const char *device)
{
	struct ifinfomsg *header = start_change(message, device);

	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
}

void route_get_link(struct nlmsghdr *message, const char *device)
{
	start_link(message, RTM_GETLINK, 0);
	mnl_attr_put_strz(message, IFLA_IFNAME, device);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

void route_set_mtu(struct nlmsghdr *message, const char *device, uint32_t mtu)
{
	start_change(message, device);
	mnl_attr_put_u32(message, IFLA_MTU, mtu);
}

void route_set_quiet(struct nlmsghdr *message, const char *device)
{
	struct nlattr *families, *inet6;

	start_change(message, device);
	families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(message, AF_INET6);
	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(message, inet6);
	mnl_attr_nest_end(message, families);
}

void route_set_master(struct nlmsghdr *message, const char *device, int master)
{
	start_change(message, device);
	mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t)master);
}

void route_set_port(struct nlmsghdr *message, int index)
{
	struct ifinfomsg *header = start_link(message, RTM_SETLINK, 0);
	struct nlattr *port;

	header->ifi_family = AF_BRIDGE;
	header->ifi_index = index;
	port = mnl_attr_nest_start(message, IFLA_PROTINFO);
	mnl_attr_put_u8(message, IFLA_BRPORT_LEARNING, 0);
	mnl_attr_put_u8(message, IFLA_BRPORT_UNICAST_FLOOD, 0);
	mnl_attr_put_u8(message, IFLA_BRPORT_MCAST_FLOOD, 0);
	mnl_attr_put_u8(message, IFLA_BRPORT_BCAST_FLOOD, 0);
	mnl_attr_nest_end(message, port);
}

void route_set_group(struct nlmsghdr *message, const char *device, uint32_t group)
{
	start_change(message, device);
	mnl_attr_put_u32(message, IFLA_GROUP, group);
}

void route_delete_group(struct nlmsghdr *message, uint32_t group)
{
	start_link(message, RTM_DELLINK, 0);
	mnl_attr_put_u32(message, IFLA_GROUP, group);
}

static void *start(struct nlmsghdr *message, enum verb verb, uint16_t add, size_t size)
{
	static const uint16_t flags[] = { [VERB_ADD] = NLM_F_CREATE | NLM_F_EXCL,
					  [VERB_REPLACE] = NLM_F_CREATE | NLM_F_REPLACE,
					  [VERB_DELETE] = 0 };

	/* In every family of rtnetlink the DEL message follows the NEW message. */
	message->nlmsg_type = verb == VERB_DELETE ? (uint16_t)(add + 1) : add;
	message->nlmsg_flags = flags[verb];
	return mnl_nlmsg_put_extra_header(message, size);
}

static void put_address(struct nlmsghdr *message, uint16_t type, struct address address)
{
	mnl_attr_put(message, type, address_size(address), address.bytes);
}

void route_address(struct nlmsghdr *message, const struct address_object *address, enum verb verb,
		   int index)
{
	struct ifaddrmsg *header = start(message, verb, RTM_NEWADDR, sizeof(*header));

	header->ifa_family = address->cidr.address.family;
	header->ifa_prefixlen = address->cidr.length;
	header->ifa_index = (uint32_t)index;
	if (header->ifa_family == AF_INET6)
		header->ifa_flags = IFA_F_NODAD; /* usable at once */
	put_address(message, IFA_LOCAL, address->cidr.address);
	put_address(message, IFA_ADDRESS, address->cidr.address);
	if (verb != VERB_DELETE) /* kernels before 5.18 pass it by */
		mnl_attr_put_u8(message, IFA_PROTO, ROUTE_PROTOCOL);
}

void route_route(struct nlmsghdr *message, const struct route_object *route, enum verb verb,
		 int index)
{
	struct cidr destination = cidr_canonical(route->destination);
	struct rtmsg *header = start(message, verb, RTM_NEWROUTE, sizeof(*header));
	bool gateway = route->type == ROUTE_UNICAST && address_is_set(route->gateway);

	header->rtm_family = destination.address.family;
	header->rtm_dst_len = destination.length;
	header->rtm_table = route->table ? RT_TABLE_UNSPEC : RT_TABLE_MAIN;
	header->rtm_protocol = ROUTE_PROTOCOL;
	header->rtm_type = route->type == ROUTE_BLACKHOLE ? RTN_BLACKHOLE : RTN_UNICAST;
	if (verb == VERB_DELETE)
		header->rtm_scope = RT_SCOPE_NOWHERE; /* any */
	else if (route->type == ROUTE_UNICAST && !gateway)
		header->rtm_scope = RT_SCOPE_LINK;
	if (gateway)
		header->rtm_flags = RTNH_F_ONLINK;
	put_address(message, RTA_DST, destination.address);
	if (route->table)
		mnl_attr_put_u32(message, RTA_TABLE, route->table);
	if (route->metric)
		mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	if (gateway)
		put_address(message, RTA_GATEWAY, route->gateway);
	if (route->type == ROUTE_UNICAST)
		mnl_attr_put_u32(message, RTA_OIF, (uint32_t)index);
	if (route->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(message, RTA_METRICS);

		mnl_attr_put_u32(message, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(message, metrics);
	}
}

void route_neighbour(struct nlmsghdr *message, const struct neighbour_object *neighbour,
		     enum verb verb, int index)
{
	struct ndmsg *header = start(message, verb, RTM_NEWNEIGH, sizeof(*header));

	header->ndm_family = neighbour->address.family;
	header->ndm_ifindex = index;
	header->ndm_state = NUD_PERMANENT;
	put_address(message, NDA_DST, neighbour->address);
	if (verb != VERB_DELETE) {
		mnl_attr_put(message, NDA_LLADDR, sizeof(neighbour->mac), &neighbour->mac);
		mnl_attr_put_u8(message, NDA_PROTOCOL, ROUTE_PROTOCOL);
	}
}

void route_fdb(struct nlmsghdr *message, const struct fdb_object *fdb, enum verb verb, int index)
{
	struct ndmsg *header = start(message, verb, RTM_NEWNEIGH, sizeof(*header));

	header->ndm_family = AF_BRIDGE;
	header->ndm_ifindex = index;
	header->ndm_state = NUD_NOARP; /* "static"; NUD_PERMANENT would be the port's own */
	header->ndm_flags = NTF_MASTER;
	mnl_attr_put(message, NDA_LLADDR, sizeof(fdb->mac), &fdb->mac);
}

void route_rule(struct nlmsghdr *message, const struct rule_object *rule, enum verb verb)
{
	struct fib_rule_hdr *header = start(message, verb, RTM_NEWRULE, sizeof(*header));

	header->family = AF_INET;
	header->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(message, FRA_PRIORITY, RULE_PRIORITY);
	mnl_attr_put_u32(message, FRA_FWMARK, rule->mark);
	mnl_attr_put_u32(message, FRA_TABLE, rule->table);
	mnl_attr_put_u8(message, FRA_PROTOCOL, ROUTE_PROTOCOL);
}

/* The kernel's clock of packets: include/net/pkt_sched.h, PSCHED_SHIFT. */
#define TICK_NS	     64
#define QUEUE_LENGTH 10000 /* packets that wait; more are lost */

void route_delay(struct nlmsghdr *message, const struct delay_object *delay, enum verb verb,
		 int index)
{
	struct tcmsg *header = start(message, verb, RTM_NEWQDISC, sizeof(*header));
	const struct tc_netem_qopt options = {
		.latency = (uint32_t)((uint64_t)delay->microseconds * 1000 / TICK_NS),
		.limit = QUEUE_LENGTH,
	};

	header->tcm_ifindex = index;
	header->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(message, TCA_KIND, "netem");
	if (verb != VERB_DELETE)
		mnl_attr_put(message, TCA_OPTIONS, sizeof(options), &options);
}

uint32_t route_delay_of(const void *data)
{
	struct tc_netem_qopt options;

	memcpy(&options, data, sizeof(options));
	/* Rounded: what was put in comes out, as ticks of the kernel's hold no microsecond. */
	return (uint32_t)(((uint64_t)options.latency * TICK_NS + 999) / 1000);
}
