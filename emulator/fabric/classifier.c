/*
 * Rules to disjoint intervals, classes and pairs: see classifier.h.
 *
 * Every axis (protocols, ports, addresses) is swept in one go: each range of each rule opens at its
 * first value and closes behind its last; between two such edges the same rules hold. Which ones is
 * a bitset over the rules' indices, and equal bitsets are one class.
 */
#include "fabric/classifier.h"

#include "base/map.h"

#define WORD_BITS 64

/*
 * Distinct bitsets, numbered from 0. They are found word by word: the map has, under the number of
 * a prefix (the empty one is 0) and the word behind it, the number of the two together; where that
 * is a whole bitset, its class + 1.
 */
struct classes {
	size_t rule_count;
	uint64_t **sets; /* by number */
	size_t count;
	struct map numbers;
	size_t prefix_count;
};

struct edge {
	uint64_t at; /* may be one more than the axis holds */
	uint32_t rule;
	bool opens;
};

struct edges {
	struct edge *items;
	size_t count;
};

/* A stretch of an axis, both ends included, on which the rules of one class hold. */
struct span {
	uint32_t first, last;
	uint32_t class;
};

struct spans {
	struct span *items;
	size_t count;
};

static size_t words_for(size_t rule_count)
{
	return (rule_count + WORD_BITS - 1) / WORD_BITS;
}

static void classes_clear(struct classes *classes)
{
	for (size_t i = 0; i < classes->count; i++)
		free(classes->sets[i]);
	free(classes->sets);
	map_clear(&classes->numbers);
}

static void edges_clear(struct edges *edges)
{
	free(edges->items);
}

static void spans_clear(struct spans *spans)
{
	free(spans->items);
}

/* What stands under the key: if nothing did, the next number. */
static uint64_t number_of(struct map *numbers, struct map_key key, size_t *count)
{
	void *number = map_get(numbers, key);

	if (!number) {
		(*count)++;
		number = (void *)(uintptr_t)*count;
		map_put(numbers, key, number);
	}
	return (uintptr_t)number;
}

/* The class of this bitset, which is not empty. */
static uint32_t class_of(struct classes *classes, const uint64_t *rules)
{
	size_t last = words_for(classes->rule_count) - 1, count = classes->count;
	struct map_key key = { 0, rules[0] };
	uint64_t number;

	for (size_t i = 0; i < last; i++) {
		key.a = number_of(&classes->numbers, key, &classes->prefix_count);
		key.b = rules[i + 1];
	}
	number = number_of(&classes->numbers, key, &count);
	if (count > classes->count)
		*array_grow(&classes->sets, &classes->count) =
			xmemdup(rules, (last + 1) * sizeof(*rules));
	return (uint32_t)number - 1;
}

/* The first rule at or after `from` that both bitsets have, or rule_count. */
static size_t next_common(const uint64_t *a, const uint64_t *b, size_t from, size_t rule_count)
{
	uint64_t wanted = ~0ull << from % WORD_BITS;

	for (size_t i = from / WORD_BITS; i < words_for(rule_count); i++) {
		uint64_t common = a[i] & b[i] & wanted;

		if (common)
			return i * WORD_BITS + (size_t)__builtin_ctzll(common);
		wanted = ~0ull;
	}
	return rule_count;
}

static size_t next_rule(const uint64_t *rules, size_t from, size_t rule_count)
{
	return next_common(rules, rules, from, rule_count);
}

static void add_range(struct edges *edges, size_t rule, uint64_t first, uint64_t last)
{
	*array_grow(&edges->items, &edges->count) = (struct edge){ first, (uint32_t)rule, true };
	*array_grow(&edges->items, &edges->count) =
		(struct edge){ last + 1, (uint32_t)rule, false };
}

static void add_span(struct spans *spans, uint64_t first, uint64_t last, uint32_t class)
{
	struct span *before = spans->count ? &spans->items[spans->count - 1] : NULL;

	if (before && before->class == class && before->last + 1ull == first)
		before->last = (uint32_t)last;
	else
		*array_grow(&spans->items, &spans->count) =
			(struct span){ (uint32_t)first, (uint32_t)last, class };
}

static int compare_edges(const void *a, const void *b)
{
	const struct edge *left = a, *right = b;

	return (left->at > right->at) - (left->at < right->at);
}

/*
 * Sorts the edges and finds the spans between them, ascending. Ranges of one rule may overlap, so
 * how many are open is counted: the rule holds until the last of them closes.
 */
static struct spans sweep(struct edges *edges, struct classes *classes)
{
	CLEANUP(freep) size_t *open = xcalloc(classes->rule_count, sizeof(*open));
	CLEANUP(freep)
	uint64_t *rules = xcalloc(words_for(classes->rule_count), sizeof(*rules));
	struct spans spans = { 0 };
	size_t held = 0;

	if (edges->count)
		qsort(edges->items, edges->count, sizeof(*edges->items), compare_edges);
	for (size_t i = 0; i < edges->count;) {
		uint64_t at = edges->items[i].at;

		for (; i < edges->count && edges->items[i].at == at; i++) {
			const struct edge *edge = &edges->items[i];
			bool was_open = open[edge->rule] > 0;

			open[edge->rule] += edge->opens ? 1 : -1;
			if (was_open == (open[edge->rule] > 0))
				continue;
			rules[edge->rule / WORD_BITS] ^= 1ull << edge->rule % WORD_BITS;
			held += was_open ? -1 : 1;
		}
		if (held) /* so an edge is left that closes it */
			add_span(&spans, at, edges->items[i].at - 1, class_of(classes, rules));
	}
	return spans;
}

static bool has_effect(const struct classifier_rule *rule)
{
	if (rule->protocol_first > rule->protocol_last || rule->first > rule->last)
		return false;
	for (size_t i = 0; i < rule->cidr_count; i++)
		if (rule->cidrs[i].address.family == AF_INET)
			return true;
	return rule->by_reference;
}

/* Which rules have which protocols. */
static struct spans find_protocols(const struct classifier_rule *rules, struct classes *classes)
{
	CLEANUP(edges_clear) struct edges edges = { 0 };

	for (size_t i = 0; i < classes->rule_count; i++)
		if (has_effect(&rules[i]))
			add_range(&edges, i, rules[i].protocol_first, rules[i].protocol_last);
	return sweep(&edges, classes);
}

/* Which of the rules of a class of protocols have which ports. */
static struct spans find_ports(const struct classifier_rule *rules, const uint64_t *protocols,
			       struct classes *classes)
{
	CLEANUP(edges_clear) struct edges edges = { 0 };
	size_t count = classes->rule_count;

	for (size_t i = next_rule(protocols, 0, count); i < count;
	     i = next_rule(protocols, i + 1, count))
		add_range(&edges, i, rules[i].first, rules[i].last);
	return sweep(&edges, classes);
}

/*
 * Neighbouring protocols with the same rules are one span already, and with different rules they
 * differ on some port: nothing is left to merge.
 */
static void build_services(const struct classifier_rule *rules, struct classes *classes,
			   struct classifier *classifier)
{
	CLEANUP(classes_clear) struct classes by_protocol = { .rule_count = classes->rule_count };
	CLEANUP(spans_clear) struct spans protocols = find_protocols(rules, &by_protocol);

	for (size_t i = 0; i < protocols.count; i++) {
		const struct span *protocol = &protocols.items[i];
		CLEANUP(spans_clear)
		struct spans ports = find_ports(rules, by_protocol.sets[protocol->class], classes);

		for (size_t j = 0; j < ports.count; j++)
			*array_grow(&classifier->services, &classifier->service_count) =
				(struct classifier_service){
					.protocol_first = (uint8_t)protocol->first,
					.protocol_last = (uint8_t)protocol->last,
					.first = (uint16_t)ports.items[j].first,
					.last = (uint16_t)ports.items[j].last,
					.class = ports.items[j].class,
				};
	}
}

static void add_blocks(struct edges *edges, size_t index, const struct classifier_rule *rule)
{
	for (size_t i = 0; i < rule->cidr_count; i++) {
		struct cidr block = cidr_canonical(rule->cidrs[i]);
		uint32_t first = address_to_v4(block.address);

		if (block.address.family == AF_INET)
			add_range(edges, index, first, first + cidr_size(block) - 1);
	}
}

static void build_peers(const struct classifier_rule *rules, struct classes *classes,
			struct classifier *classifier)
{
	CLEANUP(edges_clear) struct edges edges = { 0 };
	CLEANUP(spans_clear) struct spans spans = { 0 };

	for (size_t i = 0; i < classes->rule_count; i++)
		if (has_effect(&rules[i]) && !rules[i].by_reference)
			add_blocks(&edges, i, &rules[i]);
	spans = sweep(&edges, classes);
	for (size_t i = 0; i < spans.count; i++)
		*array_grow(&classifier->peers, &classifier->peer_count) =
			(struct classifier_peer){ spans.items[i].first, spans.items[i].last,
						  spans.items[i].class };
}

/* No peer has a rule by reference, so none is found here. */
static void build_pairs(const struct classes *services, const struct classes *peers,
			struct classifier *classifier)
{
	size_t none = services->rule_count;

	for (uint32_t i = 0; i < services->count; i++)
		for (uint32_t j = 0; j < peers->count; j++) {
			size_t rule = next_common(services->sets[i], peers->sets[j], 0, none);

			if (rule != none)
				*array_grow(&classifier->pairs, &classifier->pair_count) =
					(struct classifier_pair){ i, j, (uint32_t)rule };
		}
}

static void build_references(const struct classifier_rule *rules, const struct classes *services,
			     struct classifier *classifier)
{
	size_t count = services->rule_count;

	classifier->references = xcalloc(services->count, sizeof(*classifier->references));
	classifier->class_count = services->count;
	for (size_t i = 0; i < services->count; i++) {
		const uint64_t *class = services->sets[i];
		struct classifier_references *references = &classifier->references[i];

		for (size_t rule = next_rule(class, 0, count); rule < count;
		     rule = next_rule(class, rule + 1, count))
			if (rules[rule].by_reference)
				*array_grow(&references->rules, &references->count) =
					(uint32_t)rule;
	}
}

void classifier_build(const struct classifier_rule *rules, size_t count,
		      struct classifier *ret_classifier)
{
	CLEANUP(classes_clear) struct classes services = { .rule_count = count };
	CLEANUP(classes_clear) struct classes peers = { .rule_count = count };
	struct classifier classifier = { 0 };

	build_services(rules, &services, &classifier);
	build_peers(rules, &peers, &classifier);
	build_pairs(&services, &peers, &classifier);
	build_references(rules, &services, &classifier);
	*ret_classifier = classifier;
}

void classifier_clear(struct classifier *classifier)
{
	for (size_t i = 0; i < classifier->class_count; i++)
		free(classifier->references[i].rules);
	free(classifier->references);
	free(classifier->pairs);
	free(classifier->peers);
	free(classifier->services);
	*classifier = (struct classifier){ 0 };
}
