/*
 * The skeletons themselves. Whoever changes one changes its mark: a daemon that finds an older
 * one says so instead of working with it.
 */
#include "netlink/skeleton.h"

#include "netlink/object.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

static const struct field source = { NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 10, true };
static const struct field destination = { NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 10, true };
static const struct field protocol = { NFT_PAYLOAD_NETWORK_HEADER, 9, 1, 0, false };
static const struct field ttl = { NFT_PAYLOAD_NETWORK_HEADER, 8, 1, 10, false };
static const struct field icmp_type = { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0, false };
/*
 * The header of the packet that an ICMP error is about starts 8 bytes into the message. Mending
 * that header's own checksum leaves the sum over both, and so the ICMP checksum, as it was.
 */
static const struct field inner_source = { NFT_PAYLOAD_TRANSPORT_HEADER, 8 + 12, 4, 8 + 10, false };
static const struct field inner_destination = { NFT_PAYLOAD_TRANSPORT_HEADER, 8 + 16, 4, 8 + 10,
						false };

/* clang-format off */
#define IN(device)	{ .kind = WORD_IN, .name = (device) }
#define OUT(device)	{ .kind = WORD_OUT, .name = (device) }
#define IPV4		{ .kind = WORD_IPV4 }
#define LOAD(what)	{ .kind = WORD_LOAD, .field = &(what) }
#define IS(number)	{ .kind = WORD_IS, .value = (number) }
#define IN_SET(set)	{ .kind = WORD_IN_SET, .name = (set) }
#define MAP(map)	{ .kind = WORD_MAP, .name = (map) }
#define STORE(what)	{ .kind = WORD_STORE, .field = &(what) }
#define NOTRACK		{ .kind = WORD_NOTRACK }
#define ACCEPT		{ .kind = WORD_ACCEPT }
#define DROP		{ .kind = WORD_DROP }
#define JUMP(chain)	{ .kind = WORD_JUMP, .name = (chain) }
#define GOTO(chain)	{ .kind = WORD_GOTO, .name = (chain) }
/* clang-format on */

/*
 * AWS's routers are no hops: they don't count down the time to live, and no traceroute shows them.
 * The kernel's do, so it is counted up before. There is no addition in nftables, but there are
 * maps. Without the count a loop would never end: there is none, because nothing from the fabric
 * goes back to it, but for a gateway's hairpin, whose destination is then a private address.
 */
#define NEXT_TTL "next_ttl"

static const struct set subnet_sets[] = {
	{ NEXT_TTL, SET_NEXT_BYTE, NULL, 0 },
};

static const struct chain subnet_chains[] = {
	{ "prerouting", true, false, NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE },
	{ "forward", true, false, NF_INET_FORWARD, 0 },
	{ "input", true, false, NF_INET_LOCAL_IN, 0 },
};

static const struct rule subnet_rules[] = {
	{ "prerouting", { IPV4, LOAD(ttl), MAP(NEXT_TTL), STORE(ttl) } },
	/* No loops, by construction. */
	{ "forward", { IN("fabric"), OUT("fabric"), DROP } },
	/* A router's address answers its own subnet only. */
	{ "input", { IN("fabric"), DROP } },
};

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

static const struct set gateway_sets[] = {
	{ "reserved", SET_ADDRESSES, not_on_internet, ARRAY_SIZE(not_on_internet) },
	{ "public", SET_ADDRESS_MAP, NULL, 0 },
	{ "private", SET_ADDRESS_MAP, NULL, 0 },
	{ NEXT_TTL, SET_NEXT_BYTE, NULL, 0 },
};

static const struct chain gateway_chains[] = {
	{ "prerouting", true, true, NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ "not_counted", true, false, NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE },
	{ "forward", true, false, NF_INET_FORWARD, 0 },
	{ "outward", false, false, 0, 0 },
	{ "outward_mapped", false, false, 0, 0 },
	{ "inward", false, false, 0, 0 },
	{ "icmp_error", false, false, 0, 0 },
	{ "icmp_inner", false, false, 0, 0 },
};

static const struct rule gateway_rules[] = {
	{ "prerouting", { IN("fabric"), GOTO("outward") } },
	{ "prerouting", { IN("internet"), GOTO("inward") } },
	{ "not_counted", { LOAD(ttl), MAP(NEXT_TTL), STORE(ttl) } },

	{ "outward", { NOTRACK } },
	{ "outward", { LOAD(destination), IN_SET("reserved"), DROP } },
	{ "outward", { LOAD(protocol), IS(IPPROTO_ICMP), JUMP("icmp_error") } },
	{ "outward", { LOAD(source), MAP("private"), GOTO("outward_mapped") } },
	{ "outward", { DROP } },
	/* A hairpin: straight on to another public address of this gateway. */
	{ "outward_mapped", { LOAD(destination), MAP("public"), STORE(destination) } },
	{ "outward_mapped", { ACCEPT } },
	/* After the MTU was looked at: "fragmentation needed" goes to the private address. */
	{ "forward", { IN("fabric"), LOAD(source), MAP("private"), STORE(source) } },

	{ "inward", { NOTRACK } },
	{ "inward", { LOAD(source), IN_SET("reserved"), DROP } },
	{ "inward", { LOAD(protocol), IS(IPPROTO_ICMP), JUMP("icmp_error") } },
	{ "inward", { LOAD(destination), MAP("public"), STORE(destination), ACCEPT } },
	{ "inward", { DROP } },

	/*
	 * The packet inside is as the error's sender saw it: on the way out it was sent to a
	 * private address; on the way in (and in a hairpin) it came from a public one. Without this
	 * no traceroute, no path MTU discovery and no "connection refused" for UDP.
	 */
	{ "icmp_error", { LOAD(icmp_type), IS(ICMP_UNREACHABLE), GOTO("icmp_inner") } },
	{ "icmp_error", { LOAD(icmp_type), IS(ICMP_TIME_EXCEEDED), GOTO("icmp_inner") } },
	{ "icmp_error", { LOAD(icmp_type), IS(ICMP_BAD_PARAMETER), GOTO("icmp_inner") } },
	{ "icmp_inner", { LOAD(inner_source), MAP("public"), STORE(inner_source) } },
	{ "icmp_inner", { LOAD(inner_destination), MAP("private"), STORE(inner_destination) } },
};

const struct skeleton_text skeleton_texts[] = {
	[SKELETON_SUBNET] = {
		.mark = "minivpc subnet 2",
		.family = NFPROTO_INET,
		.sets = subnet_sets,
		.set_count = ARRAY_SIZE(subnet_sets),
		.chains = subnet_chains,
		.chain_count = ARRAY_SIZE(subnet_chains),
		.rules = subnet_rules,
		.rule_count = ARRAY_SIZE(subnet_rules),
	},
	[SKELETON_INTERNET_GATEWAY] = {
		.mark = "minivpc internet gateway 3",
		.family = NFPROTO_IPV4,
		.chains = gateway_chains,
		.chain_count = ARRAY_SIZE(gateway_chains),
		.sets = gateway_sets,
		.set_count = ARRAY_SIZE(gateway_sets),
		.rules = gateway_rules,
		.rule_count = ARRAY_SIZE(gateway_rules),
	},
};
static_assert(ARRAY_SIZE(skeleton_texts) == SKELETON_MAX, "every skeleton has its text");

const char *const skeleton_map_names[] = {
	[ELEMENT_PUBLIC] = "public", [ELEMENT_PRIVATE] = "private"
};
static_assert(ARRAY_SIZE(skeleton_map_names) == ELEMENT_MAP_MAX, "every map has a name");
