/*
 * From a list of rules to what the kernel can look up at a flat cost: packets are told apart by
 * service (protocol and port) and by peer (address), each in one look-up among disjoint intervals,
 * and a pair of a service class and a peer class has one answer: the first rule that has both.
 * Pure: no model, no kernel. Group references are no addresses, so they are listed per service.
 */
#pragma once

#include "base/cidr.h"

struct classifier_rule {
	uint8_t protocol_first, protocol_last; /* 0 … 255, both included */
	/* Port, or for ICMP type × 256 + code; both included. */
	uint16_t first, last;
	/* The peers: any of these blocks, which may overlap. Blocks of IPv6 are passed over. */
	const struct cidr *cidrs;
	size_t cidr_count;
	bool by_reference; /* instead: the members of a group; no block is looked at */
};

/*
 * A box of protocols × ports. Boxes are disjoint, by ascending protocol and then port; what is in
 * none has no rule at all.
 */
struct classifier_service {
	uint8_t protocol_first, protocol_last;
	uint16_t first, last;
	uint32_t class;
};

/*
 * An interval of addresses, host order, both included. Intervals are disjoint and ascending; what
 * is in none has no rule but those by reference.
 */
struct classifier_peer {
	uint32_t first, last;
	uint32_t class;
};

/*
 * For packets of this service and peer class, `rule` (an index) is the first that has both, those
 * by reference apart. Ascending by service and then peer; two classes without a pair share no rule.
 */
struct classifier_pair {
	uint32_t service, peer;
	uint32_t rule;
};

/* Of one service class: the rules by reference that have it, ascending. */
struct classifier_references {
	uint32_t *rules;
	size_t count;
};

struct classifier {
	struct classifier_service *services;
	size_t service_count;
	struct classifier_peer *peers;
	size_t peer_count;
	struct classifier_pair *pairs;
	size_t pair_count;
	struct classifier_references *references; /* by service class */
	size_t class_count;			  /* of services */
};

/*
 * Builds the classifier of rules in the order in which they are to match. Two boxes or intervals
 * share a class exactly when the same rules have them, so there are few. Merged is what touches and
 * agrees: addresses, ports of one protocol, protocols with the same rules. Services and peers
 * number their classes from 0 on, each for themselves. The same rules give the same classifier.
 * Rules without any IPv4 block that are not by reference have no effect, nor have those whose
 * protocols or ports end before they begin. `ret_classifier` is overwritten and owns all it has.
 */
void classifier_build(const struct classifier_rule *rules, size_t count,
		      struct classifier *ret_classifier);
void classifier_clear(struct classifier *classifier); /* for CLEANUP() too */
