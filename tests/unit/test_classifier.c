/* objects: emulator/fabric/classifier.o emulator/base/cidr.o emulator/base/map.o emulator/base/util.o */
/* The classifier against a walk of the rules, packet by packet, and its size. */
#include "fabric/classifier.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define RULES_MAX  200
#define BLOCKS_MAX 6
#define NONE	   UINT32_MAX

static uint64_t seed; /* of the rules under test */

/* Like assert_true(), and says which rules they were. */
#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("seed %llu: %s", (unsigned long long)seed, #condition);           \
	} while (0)

/* --- random rules -------------------------------------------------------------------------- */

struct list {
	struct classifier_rule rules[RULES_MAX];
	struct cidr blocks[RULES_MAX][BLOCKS_MAX];
	size_t count;
	uint64_t random;
};

static uint32_t below(struct list *list, uint32_t limit)
{
	uint64_t z = list->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z >> 32) % limit);
}

static uint32_t any_address(struct list *list)
{
	static const uint32_t nasty[] = { 0,	      1,	  0x0a000000,
					  0x0a0000ff, 0x0a000100, 0x7fffffff,
					  0x80000000, 0xfffffffe, 0xffffffff };

	return below(list, 4) ? nasty[below(list, ARRAY_SIZE(nasty))] : below(list, UINT32_MAX);
}

static uint16_t any_port(struct list *list)
{
	static const uint16_t nasty[] = { 0, 1, 2, 22, 80, 443, 65534, 65535 };

	return below(list, 4) ? nasty[below(list, ARRAY_SIZE(nasty))]
			      : (uint16_t)below(list, 65536);
}

static uint8_t any_protocol(struct list *list)
{
	static const uint8_t nasty[] = { 0, 1, 6, 7, 17, 58, 254, 255 };

	return nasty[below(list, ARRAY_SIZE(nasty))];
}

/* A canonical block or not, one in eight of IPv6. */
static struct cidr any_block(struct list *list)
{
	static const uint8_t lengths[] = { 0, 1, 8, 23, 24, 25, 30, 31, 32, 32, 32 };
	struct cidr block = { address_v4(any_address(list)),
			      lengths[below(list, ARRAY_SIZE(lengths))] };

	if (below(list, 8) == 0)
		block.address.family = AF_INET6;
	return below(list, 2) ? cidr_canonical(block) : block;
}

/* One, all of 0 … limit, or from one to another, now and then the wrong way round. */
static void any_range(struct list *list, uint32_t *first, uint32_t *last, uint32_t limit)
{
	uint32_t low = MIN(*first, *last), high = MAX(*first, *last);

	switch (below(list, 4)) {
	case 0:
		*last = *first;
		return;
	case 1:
		*first = 0;
		*last = limit;
		return;
	case 2:
		if (below(list, 8) == 0)
			return;
	}
	*first = low;
	*last = high;
}

static struct classifier_rule any_rule(struct list *list, struct cidr *blocks)
{
	uint32_t protocols[2] = { any_protocol(list), any_protocol(list) };
	uint32_t ports[2] = { any_port(list), any_port(list) };
	struct classifier_rule rule = { .cidrs = blocks, .by_reference = below(list, 5) == 0 };

	any_range(list, &protocols[0], &protocols[1], 255);
	any_range(list, &ports[0], &ports[1], 65535);
	rule.protocol_first = (uint8_t)protocols[0];
	rule.protocol_last = (uint8_t)protocols[1];
	rule.first = (uint16_t)ports[0];
	rule.last = (uint16_t)ports[1];
	rule.cidr_count = below(list, BLOCKS_MAX + 1);
	for (size_t i = 0; i < rule.cidr_count; i++)
		blocks[i] = any_block(list);
	if (!rule.cidr_count && below(list, 2))
		rule.cidrs = NULL;
	return rule;
}

static void any_list(struct list *list, size_t count)
{
	*list = (struct list){ .count = count, .random = seed };
	for (size_t i = 0; i < count; i++) {
		list->rules[i] = any_rule(list, list->blocks[i]);
		if (i && below(list, 6) == 0)
			list->rules[i] = list->rules[below(list, (uint32_t)i)];
	}
}

/* --- what the rules say, one after the other ----------------------------------------------- */

struct packet {
	uint8_t protocol;
	uint16_t port;
	uint32_t address;
};

static bool has_block(const struct classifier_rule *rule)
{
	for (size_t i = 0; i < rule->cidr_count; i++)
		if (rule->cidrs[i].address.family == AF_INET)
			return true;
	return false;
}

static bool has_service(const struct classifier_rule *rule, struct packet packet)
{
	return rule->protocol_first <= packet.protocol && packet.protocol <= rule->protocol_last &&
	       rule->first <= packet.port && packet.port <= rule->last &&
	       (rule->by_reference || has_block(rule));
}

static bool has_peer(const struct classifier_rule *rule, struct packet packet)
{
	if (rule->by_reference || rule->protocol_first > rule->protocol_last ||
	    rule->first > rule->last)
		return false;
	for (size_t i = 0; i < rule->cidr_count; i++)
		if (cidr_contains(rule->cidrs[i], address_v4(packet.address)))
			return true;
	return false;
}

struct rule_set {
	bool has[RULES_MAX];
};

static struct rule_set rules_having(const struct list *list, struct packet packet,
				    bool (*has)(const struct classifier_rule *, struct packet))
{
	struct rule_set set = { 0 };

	for (size_t i = 0; i < list->count; i++)
		set.has[i] = has(&list->rules[i], packet);
	return set;
}

static uint32_t first_match(const struct list *list, struct packet packet)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (has_service(&list->rules[i], packet) && has_peer(&list->rules[i], packet))
			return i;
	return NONE;
}

/* --- what the classifier says -------------------------------------------------------------- */

static uint32_t service_of(const struct classifier *classifier, struct packet packet)
{
	size_t low = 0, high = classifier->service_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct classifier_service *box = &classifier->services[middle];
		bool same = box->protocol_first <= packet.protocol &&
			    packet.protocol <= box->protocol_last;

		if (same && box->first <= packet.port && packet.port <= box->last)
			return box->class;
		if (same ? packet.port < box->first : packet.protocol < box->protocol_first)
			high = middle;
		else
			low = middle + 1;
	}
	return NONE;
}

static uint32_t peer_of(const struct classifier *classifier, struct packet packet)
{
	for (size_t i = 0; i < classifier->peer_count; i++)
		if (classifier->peers[i].first <= packet.address &&
		    packet.address <= classifier->peers[i].last)
			return classifier->peers[i].class;
	return NONE;
}

static uint32_t rule_of(const struct classifier *classifier, uint32_t service, uint32_t peer)
{
	for (size_t i = 0; i < classifier->pair_count; i++)
		if (classifier->pairs[i].service == service && classifier->pairs[i].peer == peer)
			return classifier->pairs[i].rule;
	return NONE;
}

/* --- one against the other ----------------------------------------------------------------- */

/* Which rules each class stands for, as the packets show it. */
struct shown {
	struct rule_set *sets;
	bool *is_shown;
	size_t count;
};

static void shown_clear(struct shown *shown)
{
	free(shown->sets);
	free(shown->is_shown);
}

static struct shown shown_new(size_t count)
{
	return (struct shown){ xcalloc(count, sizeof(struct rule_set)),
			       xcalloc(count, sizeof(bool)), count };
}

/* A packet of these rules was found to be of `class`, which is always of the same rules. */
static void show(struct shown *shown, uint32_t class, const struct rule_set *set)
{
	static const struct rule_set empty;

	if (class == NONE) {
		check(memcmp(set, &empty, sizeof(empty)) == 0);
		return;
	}
	check(class < shown->count);
	check(memcmp(set, &empty, sizeof(empty)) != 0);
	if (shown->is_shown[class])
		check(memcmp(&shown->sets[class], set, sizeof(*set)) == 0);
	shown->is_shown[class] = true;
	shown->sets[class] = *set;
}

static void check_all_differ(const struct shown *shown)
{
	for (size_t i = 0; i < shown->count; i++) {
		check(shown->is_shown[i]);
		for (size_t j = 0; j < i; j++)
			check(memcmp(&shown->sets[i], &shown->sets[j], sizeof(*shown->sets)) != 0);
	}
}

struct values {
	uint32_t *items;
	size_t count;
};

static void values_clear(struct values *values)
{
	free(values->items);
}

static int compare_values(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* The ends of a range and what is just outside, as far as 0 … limit has it. */
static void add_corners(struct values *values, uint32_t first, uint32_t last, uint32_t limit)
{
	*array_grow(&values->items, &values->count) = first;
	*array_grow(&values->items, &values->count) = last;
	if (first > 0)
		*array_grow(&values->items, &values->count) = first - 1;
	if (last < limit)
		*array_grow(&values->items, &values->count) = last + 1;
}

static void sort_corners(struct values *values)
{
	size_t kept = 0;

	qsort(values->items, values->count, sizeof(*values->items), compare_values);
	for (size_t i = 0; i < values->count; i++)
		if (!kept || values->items[kept - 1] != values->items[i])
			values->items[kept++] = values->items[i];
	values->count = kept;
}

static void check_services(const struct list *list, const struct classifier *classifier,
			   struct shown *shown)
{
	CLEANUP(values_clear) struct values protocols = { 0 };
	CLEANUP(values_clear) struct values ports = { 0 };

	add_corners(&protocols, 0, 255, 255);
	add_corners(&ports, 0, 65535, 65535);
	for (size_t i = 0; i < list->count; i++) {
		const struct classifier_rule *rule = &list->rules[i];

		add_corners(&protocols, rule->protocol_first, rule->protocol_last, 255);
		add_corners(&ports, rule->first, rule->last, 65535);
	}
	sort_corners(&protocols);
	sort_corners(&ports);
	for (size_t i = 0; i < protocols.count; i++)
		for (size_t j = 0; j < ports.count; j++) {
			struct packet packet = { (uint8_t)protocols.items[i],
						 (uint16_t)ports.items[j], 0 };
			struct rule_set set = rules_having(list, packet, has_service);

			show(shown, service_of(classifier, packet), &set);
		}
	check_all_differ(shown);
}

static void check_peers(const struct list *list, const struct classifier *classifier,
			struct shown *shown)
{
	CLEANUP(values_clear) struct values addresses = { 0 };

	add_corners(&addresses, 0, UINT32_MAX, UINT32_MAX);
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < list->rules[i].cidr_count; j++) {
			struct cidr block = list->rules[i].cidrs[j];
			uint32_t mask = block.length ? UINT32_MAX << (32 - block.length) : 0;
			uint32_t address = address_to_v4(block.address);

			add_corners(&addresses, address & mask, address | ~mask, UINT32_MAX);
		}
	sort_corners(&addresses);
	for (size_t i = 0; i < addresses.count; i++) {
		struct packet packet = { .address = addresses.items[i] };
		struct rule_set set = rules_having(list, packet, has_peer);

		show(shown, peer_of(classifier, packet), &set);
	}
	check_all_differ(shown);
}

static void check_pairs(const struct list *list, const struct classifier *classifier,
			const struct shown *services, const struct shown *peers)
{
	size_t next = 0;

	for (uint32_t i = 0; i < services->count; i++)
		for (uint32_t j = 0; j < peers->count; j++) {
			const struct classifier_pair *pair = &classifier->pairs[next];
			uint32_t rule = 0;

			while (rule < list->count &&
			       !(services->sets[i].has[rule] && peers->sets[j].has[rule]))
				rule++;
			if (rule == list->count)
				continue;
			check(next++ < classifier->pair_count);
			check(pair->service == i && pair->peer == j && pair->rule == rule);
			check(!list->rules[rule].by_reference);
		}
	check(next == classifier->pair_count);
}

static void check_references(const struct list *list, const struct classifier *classifier,
			     const struct shown *services)
{
	for (size_t i = 0; i < services->count; i++) {
		const struct classifier_references *references = &classifier->references[i];
		size_t next = 0;

		for (uint32_t rule = 0; rule < list->count; rule++) {
			if (!services->sets[i].has[rule] || !list->rules[rule].by_reference)
				continue;
			check(next < references->count);
			check(references->rules[next++] == rule);
		}
		check(next == references->count);
	}
}

/* Neither overlapping nor to be merged with a neighbour. */
static void check_order(const struct classifier *classifier)
{
	for (size_t i = 0; i < classifier->service_count; i++) {
		const struct classifier_service *box = &classifier->services[i];
		const struct classifier_service *before = i ? box - 1 : NULL;

		check(box->first <= box->last && box->protocol_first <= box->protocol_last);
		if (!before || before->protocol_last < box->protocol_first)
			continue;
		check(before->protocol_first == box->protocol_first);
		check(before->protocol_last == box->protocol_last);
		check(before->last < box->first);
		check(before->last + 1 < box->first || before->class != box->class);
	}
	for (size_t i = 0; i < classifier->peer_count; i++) {
		const struct classifier_peer *peer = &classifier->peers[i];
		const struct classifier_peer *before = i ? peer - 1 : NULL;

		check(peer->first <= peer->last);
		if (!before)
			continue;
		check(before->last < peer->first);
		check(before->last + 1 < peer->first || before->class != peer->class);
	}
}

static bool has_same_ports(const struct classifier_service *a, size_t a_count,
			   const struct classifier_service *b, size_t b_count)
{
	for (size_t i = 0; i < a_count && i < b_count; i++)
		if (a[i].first != b[i].first || a[i].last != b[i].last || a[i].class != b[i].class)
			return false;
	return a_count == b_count;
}

/* Neighbouring protocols differ in some port. */
static void check_protocols(const struct classifier *classifier)
{
	const struct classifier_service *before = NULL;
	size_t before_count = 0, count;

	for (size_t i = 0; i < classifier->service_count; i += count) {
		const struct classifier_service *boxes = &classifier->services[i];

		for (count = 1; i + count < classifier->service_count; count++)
			if (boxes[count].protocol_first != boxes->protocol_first)
				break;
		if (before && before->protocol_last + 1 == boxes->protocol_first)
			check(!has_same_ports(before, before_count, boxes, count));
		before = boxes;
		before_count = count;
	}
}

static void check_packets(struct list *list, const struct classifier *classifier, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct packet packet = { any_protocol(list), any_port(list), any_address(list) };
		uint32_t service = service_of(classifier, packet);
		uint32_t peer = peer_of(classifier, packet);

		check(rule_of(classifier, service, peer) == first_match(list, packet));
	}
}

static void check_list(struct list *list, const struct classifier *classifier)
{
	CLEANUP(shown_clear) struct shown services = shown_new(classifier->class_count);
	CLEANUP(shown_clear) struct shown peers = { 0 };
	size_t peer_classes = 0;

	for (size_t i = 0; i < classifier->peer_count; i++)
		peer_classes = MAX(peer_classes, classifier->peers[i].class + 1ul);
	peers = shown_new(peer_classes);
	check_order(classifier);
	check_protocols(classifier);
	check_services(list, classifier, &services);
	check_peers(list, classifier, &peers);
	check_pairs(list, classifier, &services, &peers);
	check_references(list, classifier, &services);
	check_packets(list, classifier, 100);
}

static void random_lists_agree_with_a_walk(void **state)
{
	static struct list list;

	(void)state;
	for (seed = 1; seed <= 4000; seed++) {
		CLEANUP(classifier_clear) struct classifier classifier;

		any_list(&list, seed % 13);
		classifier_build(list.rules, list.count, &classifier);
		check_list(&list, &classifier);
	}
}

/* More rules than one word of a bitset has, and at its edges. */
static void long_lists_agree_with_a_walk(void **state)
{
	static const size_t counts[] = { 63, 64, 65, 127, 128, 129, RULES_MAX };
	static struct list list;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		CLEANUP(classifier_clear) struct classifier classifier;

		seed = 1000000 + i;
		any_list(&list, counts[i]);
		/* With more blocks each, the first few rules would hide all that come after. */
		for (size_t j = 0; j < list.count; j++)
			list.rules[j].cidr_count = MIN(list.rules[j].cidr_count, (size_t)1);
		classifier_build(list.rules, list.count, &classifier);
		check_list(&list, &classifier);
	}
}

static void the_same_rules_give_the_same_classifier(void **state)
{
	static struct list list;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		CLEANUP(classifier_clear) struct classifier a;
		CLEANUP(classifier_clear) struct classifier b;

		any_list(&list, 1 + seed % 30);
		classifier_build(list.rules, list.count, &a);
		classifier_build(list.rules, list.count, &b);
		check(a.service_count == b.service_count && a.peer_count == b.peer_count);
		check(a.pair_count == b.pair_count && a.class_count == b.class_count);
		for (size_t i = 0; i < a.service_count; i++)
			check(!memcmp(&a.services[i], &b.services[i], sizeof(*a.services)));
		for (size_t i = 0; i < a.peer_count; i++)
			check(!memcmp(&a.peers[i], &b.peers[i], sizeof(*a.peers)));
		for (size_t i = 0; i < a.pair_count; i++)
			check(!memcmp(&a.pairs[i], &b.pairs[i], sizeof(*a.pairs)));
		for (size_t i = 0; i < a.class_count; i++)
			check(a.references[i].count == b.references[i].count);
	}
}

/* --- by hand ------------------------------------------------------------------------------- */

static struct cidr block_of(uint32_t address, uint8_t length)
{
	return (struct cidr){ address_v4(address), length };
}

static struct classifier_rule tcp(uint16_t port, const struct cidr *cidrs, size_t cidr_count)
{
	return (struct classifier_rule){ 6, 6, port, port, cidrs, cidr_count, false };
}

static void nothing_comes_of_nothing(void **state)
{
	const struct cidr v6 = { .address.family = AF_INET6, .length = 64 };
	const struct classifier_rule idle[] = {
		{ 0, 255, 0, 65535, NULL, 0, false },
		{ 0, 255, 0, 65535, &v6, 1, false },
	};
	struct classifier classifier;

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(idle); i++) {
		classifier_build(i ? idle : NULL, i, &classifier);
		assert_int_equal(classifier.service_count, 0);
		assert_int_equal(classifier.peer_count, 0);
		assert_int_equal(classifier.pair_count, 0);
		assert_int_equal(classifier.class_count, 0);
		classifier_clear(&classifier);
		classifier_clear(&classifier);
	}
}

static void all_is_one_box_and_one_interval(void **state)
{
	const struct cidr halves[] = { block_of(0x80000000, 1), block_of(0, 1) };
	const struct classifier_rule rules[] = {
		{ 0, 255, 0, 65535, NULL, 0, true },
		{ 0, 255, 0, 65535, halves, 2, false },
	};
	CLEANUP(classifier_clear) struct classifier classifier;

	(void)state;
	classifier_build(rules, ARRAY_SIZE(rules), &classifier);
	assert_int_equal(classifier.service_count, 1);
	assert_int_equal(classifier.services[0].protocol_first, 0);
	assert_int_equal(classifier.services[0].protocol_last, 255);
	assert_int_equal(classifier.services[0].first, 0);
	assert_int_equal(classifier.services[0].last, 65535);
	assert_int_equal(classifier.peer_count, 1);
	assert_int_equal(classifier.peers[0].first, 0);
	assert_int_equal(classifier.peers[0].last, UINT32_MAX);
	assert_int_equal(classifier.pair_count, 1);
	assert_int_equal(classifier.pairs[0].rule, 1);
	assert_int_equal(classifier.class_count, 1);
	assert_int_equal(classifier.references[0].count, 1);
	assert_int_equal(classifier.references[0].rules[0], 0);
}

static void a_reference_has_a_service_and_no_peer(void **state)
{
	const struct cidr ignored = block_of(0x0a000000, 8);
	const struct classifier_rule rule = { 6, 6, 22, 22, &ignored, 1, true };
	CLEANUP(classifier_clear) struct classifier classifier;

	(void)state;
	classifier_build(&rule, 1, &classifier);
	assert_int_equal(classifier.service_count, 1);
	assert_int_equal(classifier.class_count, 1);
	assert_int_equal(classifier.references[0].count, 1);
	assert_int_equal(classifier.peer_count, 0);
	assert_int_equal(classifier.pair_count, 0);
}

/* --- size ---------------------------------------------------------------------------------- */

#define MANY 1000

static void distinct_rules_cost_one_each(void **state)
{
	static struct classifier_rule rules[MANY];
	static struct cidr blocks[MANY];
	CLEANUP(classifier_clear) struct classifier classifier;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		blocks[i] = block_of(0x0a000000 + i, 32);
		rules[i] = tcp((uint16_t)(1000 + i), &blocks[i], 1);
	}
	classifier_build(rules, MANY, &classifier);
	assert_int_equal(classifier.service_count, MANY);
	assert_int_equal(classifier.class_count, MANY);
	assert_int_equal(classifier.peer_count, MANY);
	assert_int_equal(classifier.pair_count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(classifier.services[i].first, 1000 + i);
		assert_int_equal(classifier.peers[i].first, 0x0a000000 + i);
		assert_int_equal(classifier.pairs[i].rule, i);
	}
}

static void one_rule_has_many_blocks(void **state)
{
	static struct cidr blocks[2 * MANY];
	const struct classifier_rule rule = tcp(80, blocks, ARRAY_SIZE(blocks));
	CLEANUP(classifier_clear) struct classifier classifier;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		blocks[i] = block_of(i << 9, 24); /* every other one */
		blocks[MANY + i] = block_of((i << 9) + 7, 32);
	}
	classifier_build(&rule, 1, &classifier);
	assert_int_equal(classifier.service_count, 1);
	assert_int_equal(classifier.peer_count, MANY);
	assert_int_equal(classifier.pair_count, 1);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(classifier.peers[i].last, (i << 9) + 255);
		assert_int_equal(classifier.peers[i].class, 0);
	}
}

/* Blocks in turn: no two neighbours have the same rule. A walk of all for each would take hours. */
static void many_rules_have_many_blocks(void **state)
{
	static struct classifier_rule rules[MANY];
	CLEANUP(freep) struct cidr *blocks = xcalloc(MANY * MANY, sizeof(*blocks));
	CLEANUP(classifier_clear) struct classifier classifier;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		rules[i] = tcp((uint16_t)i, blocks + (size_t)i * MANY, MANY);
		for (uint32_t j = 0; j < MANY; j++)
			blocks[i * MANY + j] = block_of((j * MANY + i) << 4, 28);
	}
	classifier_build(rules, MANY, &classifier);
	assert_int_equal(classifier.service_count, MANY);
	assert_int_equal(classifier.peer_count, MANY * MANY);
	assert_int_equal(classifier.pair_count, MANY);
}

/* One block in the next: each address has all rules from some on. */
static void nested_blocks_cost_two_each(void **state)
{
	struct classifier_rule rules[33];
	struct cidr blocks[33];
	CLEANUP(classifier_clear) struct classifier classifier;

	(void)state;
	for (uint8_t i = 0; i < 33; i++) {
		blocks[i] = block_of(0x0a000080, i);
		rules[i] = tcp(80, &blocks[i], 1);
	}
	classifier_build(rules, 33, &classifier);
	assert_int_equal(classifier.service_count, 1);
	assert_int_equal(classifier.pair_count, 33);
	assert_in_range(classifier.peer_count, 33, 65);
	for (size_t i = 0; i < classifier.pair_count; i++)
		assert_int_equal(classifier.pairs[i].rule, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lists_agree_with_a_walk),
		cmocka_unit_test(long_lists_agree_with_a_walk),
		cmocka_unit_test(the_same_rules_give_the_same_classifier),
		cmocka_unit_test(nothing_comes_of_nothing),
		cmocka_unit_test(all_is_one_box_and_one_interval),
		cmocka_unit_test(a_reference_has_a_service_and_no_peer),
		cmocka_unit_test(distinct_rules_cost_one_each),
		cmocka_unit_test(one_rule_has_many_blocks),
		cmocka_unit_test(many_rules_have_many_blocks),
		cmocka_unit_test(nested_blocks_cost_two_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
