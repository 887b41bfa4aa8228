/*
 * The skeletons themselves. Whoever changes one raises the number in its mark: a daemon that finds
 * another one puts its own in that one's place.
 */
#include "netlink/skeleton.h"

#include "netlink/object.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

static const struct field source = { NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 10, true };
static const struct field destination = { NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 10, true };
static const struct field protocol = { NFT_PAYLOAD_NETWORK_HEADER, 9, 1, 0, false };
static const struct field ttl = { NFT_PAYLOAD_NETWORK_HEADER, 8, 1, 10, false };
static const struct field fragment = { NFT_PAYLOAD_NETWORK_HEADER, 6, 2, 0, false };
static const struct field icmp_type = { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0, false };
/*
 * The header of the packet that an ICMP error is about starts 8 bytes into the message. Mending
 * that header's own checksum leaves the sum over both, and so the ICMP checksum, as it was.
 */
static const struct field inner_source = { NFT_PAYLOAD_TRANSPORT_HEADER, 8 + 12, 4, 8 + 10, false };
static const struct field inner_destination = { NFT_PAYLOAD_TRANSPORT_HEADER, 8 + 16, 4, 8 + 10,
						false };

#define ICMP_UNREACHABLE   3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_BAD_PARAMETER 12

static const struct interval not_on_internet[] = {
	{ 0x0a000000, 0x0b000000 }, /* 10.0.0.0/8 */
	{ 0x64400000, 0x64800000 }, /* 100.64.0.0/10 */
	{ 0xa9fe0000, 0xa9ff0000 }, /* 169.254.0.0/16 */
	{ 0xac100000, 0xac200000 }, /* 172.16.0.0/12 */
	{ 0xc0a80000, 0xc0a90000 }, /* 192.168.0.0/16 */
};

/* clang-format off */
#define ADDRESS { { NFT_TYPE_IPV4, 4 } }
#define NOTHING { { 0, 0 } }
/* clang-format on */

static const struct set gateway_sets[] = {
	{ "reserved", SET_ADDRESSES, ADDRESS, NOTHING, not_on_internet,
	  ARRAY_SIZE(not_on_internet) },
	{ "public", SET_ELEMENTS, ADDRESS, ADDRESS, NULL, 0 },
	{ "private", SET_ELEMENTS, ADDRESS, ADDRESS, NULL, 0 },
	NEXT_TTL_SET,
};

static const struct chain gateway_chains[] = {
	{ "prerouting", true, true, false, NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ "not_counted", true, false, false, NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE },
	{ "forward", true, false, false, NF_INET_FORWARD, 0 },
	{ "outward", false, false, false, 0, 0 },
	{ "outward_mapped", false, false, false, 0, 0 },
	{ "inward", false, false, false, 0, 0 },
	{ "output", true, false, false, NF_INET_LOCAL_OUT, 0 },
	{ "icmp_error", false, false, false, 0, 0 },
	{ "icmp_inner", false, false, false, 0, 0 },
};

static const struct rule gateway_rules[] = {
	{ "prerouting", { IN("fabric"), GOTO("outward") } },
	{ "prerouting", { IN("internet"), GOTO("inward") } },
	{ "not_counted", { LOAD(ttl, 0), MAP(NEXT_TTL, 0, 0), STORE(ttl, 0) } },

	{ "outward", { NOTRACK } },
	{ "outward", { LOAD(destination, 0), IN_SET("reserved", 0), DROP } },
	{ "outward", { LOAD(protocol, 0), IS(IPPROTO_ICMP, 0), JUMP("icmp_error") } },
	{ "outward", { LOAD(source, 0), MAP("private", 0, 0), GOTO("outward_mapped") } },
	{ "outward", { DROP } },
	/* A hairpin: straight on to another public address of this gateway. */
	{ "outward_mapped", { LOAD(destination, 0), MAP("public", 0, 0), STORE(destination, 0) } },
	{ "outward_mapped", { ACCEPT } },
	/*
	 * After the MTU was looked at: "fragmentation needed" goes to the private address. An
	 * address that was taken away since the packet came in must not let the private one out.
	 */
	{ "forward",
	  { IN("fabric"), LOAD(source, 0), MAP("private", 0, 0), STORE(source, 0), ACCEPT } },
	{ "forward", { IN("fabric"), DROP } },

	{ "inward", { NOTRACK } },
	{ "inward", { LOAD(source, 0), IN_SET("reserved", 0), DROP } },
	{ "inward", { LOAD(protocol, 0), IS(IPPROTO_ICMP, 0), JUMP("icmp_error") } },
	{ "inward", { LOAD(destination, 0), MAP("public", 0, 0), STORE(destination, 0), ACCEPT } },
	{ "inward", { DROP } },

	/* A hairpin that is too large: its sender knows nobody's private address but its own. */
	{ "output", { LOAD(protocol, 0), IS(IPPROTO_ICMP, 0), JUMP("icmp_error") } },

	/*
	 * The packet inside is as the error's sender saw it: on the way out it was sent to a
	 * private address; on the way in (and in a hairpin) it came from a public one. Without this
	 * no traceroute, no path MTU discovery and no "connection refused" for UDP.
	 */
	{ "icmp_error", { LOAD(icmp_type, 0), IS(ICMP_UNREACHABLE, 0), GOTO("icmp_inner") } },
	{ "icmp_error", { LOAD(icmp_type, 0), IS(ICMP_TIME_EXCEEDED, 0), GOTO("icmp_inner") } },
	{ "icmp_error", { LOAD(icmp_type, 0), IS(ICMP_BAD_PARAMETER, 0), GOTO("icmp_inner") } },
	{ "icmp_inner", { LOAD(inner_source, 0), MAP("public", 0, 0), STORE(inner_source, 0) } },
	{ "icmp_inner",
	  { LOAD(inner_destination, 0), MAP("private", 0, 0), STORE(inner_destination, 0) } },
};

static const struct skeleton_text skeleton_gateway = {
	.mark = "minivpc internet gateway 4",
	.family = NFPROTO_IPV4,
	.chains = gateway_chains,
	.chain_count = ARRAY_SIZE(gateway_chains),
	.sets = gateway_sets,
	.set_count = ARRAY_SIZE(gateway_sets),
	.rules = gateway_rules,
	.rule_count = ARRAY_SIZE(gateway_rules),
};

/*
 * A peering leads from one VPC's blocks to the other's subnets and nowhere else (VPC peering guide,
 * "Limitations"): where a packet leaves is the routes' to say, so what isn't for a subnet of the
 * other side goes no further.
 */
static const struct set peering_sets[] = {
	{ "requester", SET_INTERVALS, ADDRESS, NOTHING, NULL, 0 },
	{ "accepter", SET_INTERVALS, ADDRESS, NOTHING, NULL, 0 },
	NEXT_TTL_SET,
};

static const struct chain peering_chains[] = {
	{ "not_counted", true, false, false, NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE },
	{ "input", true, true, false, NF_INET_LOCAL_IN, NF_IP_PRI_FILTER },
	{ "forward", true, true, false, NF_INET_FORWARD, NF_IP_PRI_FILTER },
};

static const struct rule peering_rules[] = {
	{ "not_counted", { LOAD(ttl, 0), MAP(NEXT_TTL, 0, 0), STORE(ttl, 0) } },
	{ "forward",
	  { IN("requester"), OUT("accepter"), LOAD(source, 0), IN_SET("requester", 0), ACCEPT } },
	{ "forward",
	  { IN("accepter"), OUT("requester"), LOAD(source, 0), IN_SET("accepter", 0), ACCEPT } },
};

static const struct skeleton_text skeleton_peering = {
	.mark = "minivpc peering 1",
	.family = NFPROTO_IPV4,
	.chains = peering_chains,
	.chain_count = ARRAY_SIZE(peering_chains),
	.sets = peering_sets,
	.set_count = ARRAY_SIZE(peering_sets),
	.rules = peering_rules,
	.rule_count = ARRAY_SIZE(peering_rules),
};

/*
 * A NAT gateway: VPC guide, "NAT gateways". Connections that it has no state of any more get a
 * reset; so its tracking must not take up what it did not see begin (nf_conntrack_tcp_loose), and
 * must not call a packet invalid for its sequence numbers (…_be_liberal): see fabric/wanted.c.
 */
static const struct set nat_sets[] = {
	{ "inside", SET_INTERVALS, ADDRESS, NOTHING, NULL, 0 },
	{ "slots", SET_ELEMENTS, { { NFT_TYPE_MARK, 4 } }, ADDRESS, NULL, 0 },
};

static const struct chain nat_chains[] = {
	/* Before the kernel puts fragments together, at -400. */
	{ "fragments", true, false, false, NF_INET_PRE_ROUTING, -450 },
	{ "input", true, true, false, NF_INET_LOCAL_IN, NF_IP_PRI_FILTER },
	{ "forward", true, true, false, NF_INET_FORWARD, NF_IP_PRI_FILTER },
	{ "outward", false, false, false, 0, 0 },
	{ "translate", true, false, true, NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC },
};

/* What a register holds that has these two bytes in network order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NETWORK_ORDER(n) __builtin_bswap16(n)
#else
#define NETWORK_ORDER(n) ((uint32_t)(n) << 16)
#endif
#define IS_FRAGMENT NETWORK_ORDER(0x3fff) /* "more fragments" and the offset */

#define FRESH(protocol_)                                                                           \
	{                                                                                          \
		"outward",                                                                         \
		{                                                                                  \
			CT(NFT_CT_STATE, 0), ANY_OF(NF_CT_STATE_BIT(IP_CT_NEW), 0),                \
				LOAD(protocol, 0), IS(protocol_, 0), ACCEPT                        \
		}                                                                                  \
	}

static const struct rule nat_rules[] = {
	{ "fragments", { LOAD(protocol, 0), IS(IPPROTO_UDP, 0), ACCEPT } },
	{ "fragments", { LOAD(fragment, 0), ANY_OF(IS_FRAGMENT, 0), DROP } },

	{ "forward",
	  { CT(NFT_CT_STATE, 0),
	    ANY_OF(NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), 0),
	    ACCEPT } },
	{ "forward", { LOAD(source, 0), IN_SET("inside", 0), GOTO("outward") } },
	FRESH(IPPROTO_TCP),
	FRESH(IPPROTO_UDP),
	FRESH(IPPROTO_ICMP),
	{ "outward",
	  { CT(NFT_CT_STATE, 0), ANY_OF(NF_CT_STATE_INVALID_BIT, 0), LOAD(protocol, 0),
	    IS(IPPROTO_TCP, 0), RESET } },

	{ "translate",
	  { OUT("eth0"), SLOT(NAT_SLOTS, 0), MAP("slots", 0, 0),
	    SET(NETWORK_ORDER(NAT_PORT_FIRST), 1), SET(NETWORK_ORDER(NAT_PORT_LAST), 2),
	    SNAT(0) } },
};

static const struct skeleton_text skeleton_nat = {
	.mark = "minivpc nat gateway 1",
	.family = NFPROTO_IPV4,
	.chains = nat_chains,
	.chain_count = ARRAY_SIZE(nat_chains),
	.sets = nat_sets,
	.set_count = ARRAY_SIZE(nat_sets),
	.rules = nat_rules,
	.rule_count = ARRAY_SIZE(nat_rules),
};

/*
 * The Internet with an uplink. Who carries packets on from there (pasta) knows one neighbour by its
 * address, and takes any new source for that: so nothing but the translated may ever leave.
 */
static const struct set uplink_sets[] = {
	{ "reserved", SET_ADDRESSES, ADDRESS, NOTHING, not_on_internet,
	  ARRAY_SIZE(not_on_internet) },
};

static const struct chain uplink_chains[] = {
	{ .name = "translate",
	  .base = true,
	  .nat = true,
	  .hook = NF_INET_POST_ROUTING,
	  .priority = NF_IP_PRI_NAT_SRC },
	{ .name = "leaving",
	  .base = true,
	  .hook = NF_INET_POST_ROUTING,
	  .priority = NF_IP_PRI_NAT_SRC + 1 },
};

static const struct rule uplink_rules[] = {
	{ "translate", { OUT(UPLINK_DEVICE), MASQUERADE } },
	{ "leaving", { OUT(UPLINK_DEVICE), LOAD(destination, 0), IN_SET("reserved", 0), DROP } },
	{ "leaving", { OUT(UPLINK_DEVICE), LOAD(source, 0), IS_WORD(UPLINK_ADDRESS, 0), ACCEPT } },
	{ "leaving", { OUT(UPLINK_DEVICE), DROP } },
};

static const struct skeleton_text skeleton_uplink = {
	.mark = "minivpc uplink 1",
	.family = NFPROTO_IPV4,
	.chains = uplink_chains,
	.chain_count = ARRAY_SIZE(uplink_chains),
	.sets = uplink_sets,
	.set_count = ARRAY_SIZE(uplink_sets),
	.rules = uplink_rules,
	.rule_count = ARRAY_SIZE(uplink_rules),
};

const struct skeleton_text *const skeleton_texts[] = {
	[SKELETON_SUBNET] = &skeleton_subnet,
	[SKELETON_SUBNET_ARP] = &skeleton_subnet_arp,
	[SKELETON_SUBNET_STEERING] = &skeleton_subnet_steering,
	[SKELETON_SUBNET_FAULTS] = &skeleton_subnet_faults,
	[SKELETON_INTERNET_GATEWAY] = &skeleton_gateway,
	[SKELETON_PEERING] = &skeleton_peering,
	[SKELETON_NAT_GATEWAY] = &skeleton_nat,
	[SKELETON_UPLINK] = &skeleton_uplink,
};
static_assert(ARRAY_SIZE(skeleton_texts) == SKELETON_MAX, "every skeleton has its text");

static const struct {
	enum skeleton skeleton;
	const char *name;
} element_maps[] = {
	[ELEMENT_PUBLIC] = { SKELETON_INTERNET_GATEWAY, "public" },
	[ELEMENT_PRIVATE] = { SKELETON_INTERNET_GATEWAY, "private" },
	[ELEMENT_REQUESTER] = { SKELETON_PEERING, "requester" },
	[ELEMENT_ACCEPTER] = { SKELETON_PEERING, "accepter" },
	[ELEMENT_INSIDE] = { SKELETON_NAT_GATEWAY, "inside" },
	[ELEMENT_NAT_SLOT] = { SKELETON_NAT_GATEWAY, "slots" },
	[ELEMENT_SOURCE] = { SKELETON_SUBNET, "sources" },
	[ELEMENT_UNCHECKED] = { SKELETON_SUBNET, "unchecked" },
	[ELEMENT_PORT] = { SKELETON_SUBNET, "ports" },
	[ELEMENT_TRACKED] = { SKELETON_SUBNET, "tracked" },
	[ELEMENT_EGRESS] = { SKELETON_SUBNET, "egress" },
	[ELEMENT_INGRESS] = { SKELETON_SUBNET, "ingress" },
	[ELEMENT_ACL] = { SKELETON_SUBNET, "acl" },
	[ELEMENT_SERVICE] = { SKELETON_SUBNET, "services" },
	[ELEMENT_PEER] = { SKELETON_SUBNET, "peers" },
	[ELEMENT_OPEN] = { SKELETON_SUBNET, "open" },
	[ELEMENT_NARROW] = { SKELETON_SUBNET, "narrow" },
	[ELEMENT_DENIED] = { SKELETON_SUBNET, "denied" },
	[ELEMENT_MEMBER] = { SKELETON_SUBNET, "members" },
	[ELEMENT_WIDE] = { SKELETON_SUBNET, "wide" },
	[ELEMENT_LISTENER] = { SKELETON_SUBNET, "listeners" },
	[ELEMENT_SENDER] = { SKELETON_SUBNET_ARP, "senders" },
	[ELEMENT_STEERED] = { SKELETON_SUBNET_STEERING, "steered" },
	[ELEMENT_DARK] = { SKELETON_SUBNET_FAULTS, "dark" },
	[ELEMENT_LOST] = { SKELETON_SUBNET_FAULTS, "lost" },
	[ELEMENT_RATE_FROM] = { SKELETON_SUBNET_FAULTS, "too_fast_from" },
	[ELEMENT_RATE_TO] = { SKELETON_SUBNET_FAULTS, "too_fast_to" },
};
static_assert(ARRAY_SIZE(element_maps) == ELEMENT_MAP_MAX, "every map has its place");

enum skeleton skeleton_of(enum element_map map)
{
	return element_maps[map].skeleton;
}

const struct set *skeleton_set(enum element_map map)
{
	const struct skeleton_text *text = skeleton_texts[element_maps[map].skeleton];

	for (size_t i = 0; i < text->set_count; i++)
		if (streq(text->sets[i].name, element_maps[map].name))
			return &text->sets[i];
	abort();
}

size_t set_length(const struct set_field *fields)
{
	size_t length = 0;

	for (size_t i = 0; i < SET_FIELDS; i++)
		length += ROUND_UP(fields[i].length, 4u);
	return length;
}
