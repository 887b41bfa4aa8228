/*
 * The skeletons as data: chains, sets and rules, each rule a row of words. A rule is a little
 * program on 16 registers of 4 bytes; the kernel (6.5 and later) wants every register that a rule
 * reads to be written by the same rule before.
 */
#pragma once

#include "base/util.h"
#include "netlink/object.h"

enum word_kind {
	WORD_END = 0,
	WORD_IN,   /* came in by device `name`; register 0 to 3 are lost */
	WORD_OUT,  /* leaves by device `name`; the same */
	WORD_IPV4, /* it is an IPv4 packet; register 0 is lost */
	WORD_LOAD, /* load a header field into register `to` */
	WORD_META, /* load what the kernel knows about the packet (enum nft_meta_keys `value`) */
	WORD_CT,   /* load what it knows about its connection (enum nft_ct_keys `value`) */
	WORD_PUT,  /* tell the kernel about the packet what is in register `from` (as WORD_META) */
	WORD_SET,  /* register `to` becomes the number `value` */
	WORD_IS,   /* the first byte of register `from` is `value` */
	WORD_IS_WORD, /* register `from` is `value`, in network order */
	WORD_ANY_OF,  /* register `from` has one of the bits of `value` */
	WORD_IN_SET,  /* the key from register `from` on is in the set `name` */
	WORD_MAP,     /* the same with the map `name`: its value goes to register `to` and on */
	WORD_STORE,   /* store register `from` in a header field */
	WORD_COUNT,   /* count the packet under the key from register `from` on in the set `name` */
	WORD_LABEL,   /* add the 16 bytes from register `from` on to the connection's labels */
	WORD_NOTRACK, /* no connection tracking for this packet */
	WORD_RANDOM,  /* register `to` becomes a number below `value`, in network order */
	WORD_SLOT,    /* the same, in the host's order */
	WORD_SNAT,    /* source NAT to the address in register `from`, the ports in the next two */
	WORD_RESET,   /* answer with a TCP reset, and drop */
	WORD_MASQUERADE, /* source NAT to the address of the device it leaves by */
	WORD_ACCEPT,
	WORD_DROP,
	WORD_RETURN, /* to the chain that jumped here */
	WORD_JUMP,   /* to the chain `name`, and come back */
	WORD_GOTO,   /* the same for good */
};

struct field {
	uint8_t base; /* enum nft_payload_bases */
	uint8_t offset, length;
	uint8_t checksum;   /* when stored: the checksum field to mend, from the same base */
	bool pseudo_header; /* and the one of layer 4, which covers this field too */
};

struct word {
	enum word_kind kind;
	const char *name;
	const struct field *field;
	uint32_t value;
	uint8_t from, to; /* registers, 0 … 15 */
};

/* clang-format off */
#define IN(device)	{ .kind = WORD_IN, .name = (device) }
#define OUT(device)	{ .kind = WORD_OUT, .name = (device) }
#define IPV4		{ .kind = WORD_IPV4 }
#define LOAD(what, r)	{ .kind = WORD_LOAD, .field = &(what), .to = (r) }
#define META(key, r)	{ .kind = WORD_META, .value = (key), .to = (r) }
#define CT(key, r)	{ .kind = WORD_CT, .value = (key), .to = (r) }
#define PUT(key, r)	{ .kind = WORD_PUT, .value = (key), .from = (r) }
#define SET(number, r)	{ .kind = WORD_SET, .value = (number), .to = (r) }
#define IS(number, r)	{ .kind = WORD_IS, .value = (number), .from = (r) }
#define IS_WORD(number, r) { .kind = WORD_IS_WORD, .value = (number), .from = (r) }
#define ANY_OF(bits, r)	{ .kind = WORD_ANY_OF, .value = (bits), .from = (r) }
#define IN_SET(set, r)	{ .kind = WORD_IN_SET, .name = (set), .from = (r) }
#define MAP(map, r, s)	{ .kind = WORD_MAP, .name = (map), .from = (r), .to = (s) }
#define STORE(what, r)	{ .kind = WORD_STORE, .field = &(what), .from = (r) }
#define COUNT(set, r)	{ .kind = WORD_COUNT, .name = (set), .from = (r) }
#define LABEL(r)	{ .kind = WORD_LABEL, .from = (r) }
#define NOTRACK		{ .kind = WORD_NOTRACK }
#define RANDOM(below, r) { .kind = WORD_RANDOM, .value = (below), .to = (r) }
#define SLOT(below, r)	{ .kind = WORD_SLOT, .value = (below), .to = (r) }
#define SNAT(r)		{ .kind = WORD_SNAT, .from = (r) }
#define RESET		{ .kind = WORD_RESET }
#define MASQUERADE	{ .kind = WORD_MASQUERADE }
#define ACCEPT		{ .kind = WORD_ACCEPT }
#define DROP		{ .kind = WORD_DROP }
#define RETURN		{ .kind = WORD_RETURN }
#define JUMP(chain)	{ .kind = WORD_JUMP, .name = (chain) }
#define GOTO(chain)	{ .kind = WORD_GOTO, .name = (chain) }
/* clang-format on */

#define RULE_WORDS 16

struct rule {
	const char *chain;
	struct word words[RULE_WORDS]; /* up to WORD_END or all */
};

struct chain {
	const char *name;
	bool base; /* what follows is for base chains only */
	bool drop; /* the policy */
	bool nat;  /* of type "nat": asked once for each connection */
	uint8_t hook;
	int32_t priority;
};

struct interval {
	uint32_t first, end; /* host order; `end` is not in it */
};

enum set_kind {
	SET_ELEMENTS,  /* elements come and go; a map when there is a value */
	SET_INTERVALS, /* the same, with disjoint intervals of keys, compared byte by byte */
	SET_COUNTERS,  /* keys that packets add, with a counter each; idle ones go after a day */
	/*
	 * Keys with a rate each: the value is bytes per second and, beside a second's worth of
	 * them, how many bytes may come at once. A key is in the set when its packets come faster.
	 */
	SET_RATES,
	SET_ADDRESSES, /* the constant set of IPv4 addresses in `intervals` */
	SET_NEXT_BYTE, /* the constant map n : n + 1, for n from 1 to 254 */
};

/* How `nft list` prints a field: its numbers, not the kernel's. */
#define NFT_TYPE_INTEGER 4
#define NFT_TYPE_IPV4	 7
#define NFT_TYPE_ETHER	 9
#define NFT_TYPE_PROTO	 12
#define NFT_TYPE_SERVICE 13
#define NFT_TYPE_MARK	 19
#define NFT_TYPE_BITS	 6 /* of one type's number in that of a concatenation */

struct set_field {
	uint8_t type, length; /* in bytes; a field is padded to a multiple of 4 */
};

#define SET_FIELDS 4

struct set {
	const char *name;
	enum set_kind kind;
	struct set_field key[SET_FIELDS], value[SET_FIELDS];
	const struct interval *intervals;
	size_t interval_count;
};

struct skeleton_text {
	const char *mark;
	uint8_t family;	    /* NFPROTO_… */
	const char *device; /* NFPROTO_NETDEV: of the base chains, which go when it does */
	const struct chain *chains;
	size_t chain_count;
	const struct set *sets;
	size_t set_count;
	const struct rule *rules;
	size_t rule_count;
};

#define SKELETON_TABLE "minivpc"
/* Of SKELETON_SUBNET: what was dropped, see struct drop_counter. */
#define SKELETON_DROPS "drops"

/*
 * AWS's routers are no hops: they don't count down the time to live, and no traceroute shows them.
 * The kernel's do, so it is counted up before. There is no addition in nftables, but there are
 * maps. Without the count a loop would never end: there is none, because nothing from the fabric
 * goes back to it (nor does a peering send anything back), but for a gateway's hairpin, whose
 * destination is then a private address. An appliance that either leads to is a hop and counts.
 */
#define NEXT_TTL "next_ttl"
#define NEXT_TTL_SET                                                                               \
	{                                                                                          \
		NEXT_TTL, SET_NEXT_BYTE, { { NFT_TYPE_INTEGER, 1 } }, { { NFT_TYPE_INTEGER, 1 } }, \
			NULL, 0                                                                    \
	}

extern const struct skeleton_text *const skeleton_texts[]; /* by enum skeleton */
extern const struct skeleton_text skeleton_subnet, skeleton_subnet_arp, skeleton_subnet_steering,
	skeleton_subnet_faults;

/* In which set of its skeleton an element belongs. */
const struct set *skeleton_set(enum element_map map);
/* Of all its fields, padded. */
size_t set_length(const struct set_field *fields);
