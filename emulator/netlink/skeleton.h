/*
 * The skeletons as data: chains, sets and rules, each rule a row of words.
 */
#pragma once

#include "base/util.h"

enum word_kind {
	WORD_END = 0,
	WORD_IN,     /* came in by device `name` */
	WORD_OUT,    /* leaves by device `name` */
	WORD_LOAD,   /* load a header field */
	WORD_IPV4,   /* it is an IPv4 packet */
	WORD_IS,     /* what was loaded is `value` */
	WORD_IN_SET, /* what was loaded is in the set `name` */
	WORD_MAP,   /* what was loaded becomes what the map `name` has for it; else the rule ends */
	WORD_STORE, /* store it in a header field */
	WORD_NOTRACK, /* no connection tracking for this packet */
	WORD_ACCEPT,
	WORD_DROP,
	WORD_JUMP, /* to the chain `name`, and come back */
	WORD_GOTO, /* the same for good */
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
	uint8_t value;
};

#define RULE_WORDS 6

struct rule {
	const char *chain;
	struct word words[RULE_WORDS]; /* up to WORD_END or all */
};

struct chain {
	const char *name;
	bool base; /* what follows is for base chains only */
	bool drop; /* the policy */
	uint8_t hook;
	int32_t priority;
};

struct interval {
	uint32_t first, end; /* host order; `end` is not in it */
};

enum set_kind {
	SET_ADDRESS_MAP, /* IPv4 address : IPv4 address; empty at first */
	SET_ADDRESSES,	 /* the constant set of IPv4 addresses in `intervals` */
	SET_NEXT_BYTE,	 /* the constant map n : n + 1, for n from 1 to 254 */
};

struct set {
	const char *name;
	enum set_kind kind;
	const struct interval *intervals;
	size_t interval_count;
};

struct skeleton_text {
	const char *mark;
	uint8_t family; /* NFPROTO_… */
	const struct chain *chains;
	size_t chain_count;
	const struct set *sets;
	size_t set_count;
	const struct rule *rules;
	size_t rule_count;
};

#define SKELETON_TABLE "minivpc"

extern const struct skeleton_text skeleton_texts[]; /* by enum skeleton */
extern const char *const skeleton_map_names[];	    /* by enum element_map */
