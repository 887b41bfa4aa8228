/* Lists of rules, compiled: see lists.h. */
#include "fabric/lists.h"

#include "base/hash.h"
#include "fabric/classifier.h"
#include "fabric/want.h"
#include "model/group.h"
#include "model/prefix_list.h"

#include <arpa/inet.h>
#include <netinet/in.h>

void put_number(uint8_t *bytes, uint32_t number)
{
	memcpy(bytes, &number, sizeof(number));
}

void put_id(uint8_t *bytes, uint64_t id)
{
	memcpy(bytes, &id, sizeof(id));
}

static void put_port(uint8_t *bytes, uint16_t port)
{
	port = htons(port);
	memcpy(bytes, &port, sizeof(port));
}

static void put_v4(uint8_t *bytes, uint32_t address)
{
	address = htonl(address);
	memcpy(bytes, &address, sizeof(address));
}

/* From an interval's last key to the first after it. */
static void increment(uint8_t *key, size_t size)
{
	while (size-- > 0 && ++key[size] == 0)
		;
}

struct object element_in(struct rid ns, enum element_map map)
{
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = OBJECT_ELEMENT;
	object.ns = ns;
	object.element.map = map;
	return object;
}

/* ---- lists of rules ---- */

enum answer {
	ANSWER_OPEN,
	ANSWER_NARROW,
	ANSWER_DENIED
};

/* One rule on its way into a classifier. */
struct entry {
	struct classifier_rule rule;
	struct cidr *cidrs; /* owned */
	enum answer answer;
	uint32_t number;  /* of an ACL's rule */
	struct rid group; /* of a reference */
};

struct entries {
	struct entry *items;
	size_t count;
};

static void entries_clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->items[i].cidrs);
	free(entries->items);
	*entries = (struct entries){ 0 };
}

static bool has_ports(int64_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* The box of a rule's protocols and ports, as the skeleton's rules load them. */
static void set_box(struct classifier_rule *rule, const struct traffic *traffic)
{
	const bool all = traffic->protocol < 0;
	const bool any_type = traffic->from < 0, any_code = traffic->to < 0;

	rule->protocol_first = all ? 0 : (uint8_t)traffic->protocol;
	rule->protocol_last = all ? UINT8_MAX : (uint8_t)traffic->protocol;
	rule->first = 0;
	rule->last = UINT16_MAX;
	if (has_ports(traffic->protocol)) {
		rule->first = (uint16_t)traffic->from;
		rule->last = (uint16_t)traffic->to;
	} else if (traffic->protocol == IPPROTO_ICMP && !any_type) {
		rule->first = (uint16_t)(traffic->from << 8 | (any_code ? 0 : traffic->to));
		rule->last = (uint16_t)(traffic->from << 8 | (any_code ? UINT8_MAX : traffic->to));
	}
}

static struct entry *add_entry(struct entries *entries, const struct traffic *traffic,
			       enum answer answer)
{
	struct entry *entry = array_grow(&entries->items, &entries->count);

	set_box(&entry->rule, traffic);
	entry->answer = answer;
	return entry;
}

static void add_block(struct entry *entry, struct cidr cidr)
{
	*array_grow(&entry->cidrs, &entry->rule.cidr_count) = cidr;
	entry->rule.cidrs = entry->cidrs;
}

/* ---- a security group's rules ---- */

static bool is_everywhere(const struct group_rule *rule)
{
	return address_is_set(rule->cidr.address) && cidr_equal(rule->cidr, everywhere);
}

static bool is_of_protocol(const struct group_rule *rule, int64_t protocol)
{
	return rule->traffic.protocol < 0 || rule->traffic.protocol == protocol;
}

/*
 * Whether the other direction lets every reply pass: then a flow that 0.0.0.0/0 may have isn't
 * tracked (EC2 guide, "Security group connection tracking").
 */
static bool passes_replies(const struct model *model, const struct group_set *set, bool egress,
			   int64_t protocol)
{
	for (size_t i = 0; i < set->group_count; i++) {
		const struct group_rules *rules = group_rules(model, set->groups[i]);

		for (size_t j = 0; j < rules->count; j++) {
			const struct group_rule *rule = rules->items[j];

			if (rule->egress == egress && is_everywhere(rule) &&
			    is_of_protocol(rule, protocol) &&
			    (rule->traffic.protocol < 0 ||
			     (rule->traffic.from == 0 && rule->traffic.to == UINT16_MAX)))
				return true;
		}
	}
	return false;
}

static void add_blocks(const struct model *model, struct entry *entry,
		       const struct group_rule *rule)
{
	const struct prefix_list *prefixes =
		(const struct prefix_list *)model_get(model, NULL, rule->prefix_list);

	if (address_is_set(rule->cidr.address))
		add_block(entry, rule->cidr);
	for (size_t i = 0; prefixes && i < prefixes->entry_count; i++)
		if (!prefixes->entries[i].until)
			add_block(entry, prefixes->entries[i].cidr);
}

static void add_rule(const struct model *model, const struct group_rule *rule,
		     struct entries *entries)
{
	struct entry *entry;

	if (rule->cidr.address.family == AF_INET6)
		return; /* not carried */
	entry = add_entry(entries, &rule->traffic, ANSWER_NARROW);
	entry->group = rule->peer;
	entry->rule.by_reference = rid_is_set(rule->peer);
	add_blocks(model, entry, rule);
}

/* First what isn't tracked, for the first rule that fits decides; then all rules. */
static void gather_rules(const struct model *model, const struct group_set *set, bool egress,
			 struct entries *entries)
{
	static const int64_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
		if (!passes_replies(model, set, !egress, protocols[p]))
			continue;
		for (size_t i = 0; i < set->group_count; i++) {
			const struct group_rules *rules = group_rules(model, set->groups[i]);

			for (size_t j = 0; j < rules->count; j++) {
				const struct group_rule *rule = rules->items[j];
				struct traffic traffic = { protocols[p], 0, UINT16_MAX };

				if (rule->egress != egress || !is_everywhere(rule) ||
				    !is_of_protocol(rule, protocols[p]))
					continue;
				if (rule->traffic.protocol >= 0)
					traffic = rule->traffic;
				add_block(add_entry(entries, &traffic, ANSWER_OPEN), everywhere);
			}
		}
	}
	for (size_t i = 0; i < set->group_count; i++) {
		const struct group_rules *rules = group_rules(model, set->groups[i]);

		for (size_t j = 0; j < rules->count; j++)
			if (rules->items[j]->egress == egress)
				add_rule(model, rules->items[j], entries);
	}
}

/* Whether what `narrow` lets pass, `wide` does too, and with no worse an answer. */
static bool covers(const struct entry *wide, const struct entry *narrow)
{
	const struct classifier_rule *a = &wide->rule, *b = &narrow->rule;

	return !a->by_reference && !b->by_reference && a->cidr_count == 1 && b->cidr_count == 1 &&
	       wide->answer <= narrow->answer && a->protocol_first <= b->protocol_first &&
	       a->protocol_last >= b->protocol_last && a->first <= b->first && a->last >= b->last &&
	       a->cidrs[0].address.family == b->cidrs[0].address.family &&
	       a->cidrs[0].length <= b->cidrs[0].length &&
	       cidr_contains(a->cidrs[0], b->cidrs[0].address);
}

/*
 * A union has no need of rules that others cover; beside a wide rule, hundreds of narrow ones would
 * make a pair of every service with every peer.
 */
static void drop_covered(struct entries *entries)
{
	size_t kept = 0;

	for (size_t i = 0; i < entries->count; i++) {
		bool covered = false;

		for (size_t j = 0; j < kept && !covered; j++)
			covered = covers(&entries->items[j], &entries->items[i]);
		for (size_t j = i + 1; j < entries->count && !covered; j++)
			covered = covers(&entries->items[j], &entries->items[i]);
		if (covered)
			free(entries->items[i].cidrs);
		else
			entries->items[kept++] = entries->items[i];
	}
	entries->count = kept;
}

/* ---- an ACL's rules ---- */

static void gather_entries(const struct acl *acl, bool egress, struct entries *entries)
{
	for (size_t i = 0; i < acl->entry_count; i++) {
		const struct acl_entry *from = &acl->entries[i];
		struct entry *entry;

		if (from->egress != egress || from->cidr.address.family != AF_INET)
			continue; /* IPv6 is not carried, whatever an entry says */
		entry = add_entry(entries, &from->traffic,
				  from->allow ? ANSWER_OPEN : ANSWER_DENIED);
		entry->number = (uint32_t)from->number;
		add_block(entry, from->cidr);
	}
}

/* ---- a list's elements ---- */

void compiled_list_clear(struct compiled_list *list)
{
	object_list_clear(&list->elements);
	reference_list_clear(&list->references);
}

static uint64_t version_of(uint64_t hash, const struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->items[i];

		hash = hash_number(hash, (uint64_t)entry->rule.protocol_first << 40 |
						 (uint64_t)entry->rule.protocol_last << 32 |
						 (uint64_t)entry->rule.first << 16 |
						 entry->rule.last);
		hash = hash_number(hash, (uint64_t)entry->answer << 32 | entry->number);
		hash = hash_number(hash, entry->group.n);
		for (size_t j = 0; j < entry->rule.cidr_count; j++) {
			hash = hash_bytes(hash, entry->cidrs[j].address.bytes, 16);
			hash = hash_number(hash, (uint64_t)entry->cidrs[j].address.family << 8 |
							 entry->cidrs[j].length);
		}
	}
	return hash;
}

/* R of a service class: 0, which has no members, when it is open to no group. */
static uint64_t reference_of(const struct entries *entries,
			     const struct classifier_references *rules, struct reference_list *list)
{
	CLEANUP(freep) struct rid *groups = xcalloc(rules->count, sizeof(*groups));
	struct reference reference = { .id = HASH_START, .groups = groups };

	for (size_t i = 0; i < rules->count; i++)
		groups[i] = entries->items[rules->rules[i]].group;
	if (!rules->count)
		return 0;
	qsort(groups, rules->count, sizeof(*groups), rid_compare);
	for (size_t i = 0; i < rules->count; i++) {
		size_t n = reference.group_count;

		if (n && rid_equal(groups[n - 1], groups[i]))
			continue;
		groups[reference.group_count++] = groups[i];
		reference.id = hash_number(reference.id, groups[n].n);
	}
	reference_list_add(list, &reference);
	return reference.id;
}

/* The number of a service class: not one of another list. */
static uint64_t service_of(uint64_t version, uint32_t class)
{
	return hash_number(version, class);
}

static void want_services(const struct classifier *classifier, const struct entries *entries,
			  struct rid ns, struct compiled_list *ret)
{
	CLEANUP(freep) uint64_t *references = xcalloc(classifier->class_count, sizeof(*references));

	for (size_t i = 0; i < classifier->class_count; i++)
		references[i] = reference_of(entries, &classifier->references[i], &ret->references);
	for (size_t i = 0; i < classifier->service_count; i++) {
		const struct classifier_service *service = &classifier->services[i];
		struct object object = element_in(ns, ELEMENT_SERVICE);
		struct element_object *element = &object.element;

		/* Else the box would be no interval of keys. */
		assert(service->protocol_first == service->protocol_last ||
		       (service->first == 0 && service->last == UINT16_MAX));
		put_id(element->key, ret->version);
		put_id(element->end, ret->version);
		element->key[8] = service->protocol_first;
		element->end[8] = service->protocol_last;
		put_port(element->key + 12, service->first);
		put_port(element->end + 12, service->last);
		increment(element->end, 16);
		put_id(element->value, references[service->class]);
		put_id(element->value + 8, service_of(ret->version, service->class));
		object_list_add(&ret->elements, &object);
	}
}

static void want_peers(const struct classifier *classifier, struct rid ns,
		       struct compiled_list *ret)
{
	for (size_t i = 0; i < classifier->peer_count; i++) {
		const struct classifier_peer *peer = &classifier->peers[i];
		struct object object = element_in(ns, ELEMENT_PEER);
		struct element_object *element = &object.element;

		put_id(element->key, ret->version);
		put_id(element->end, ret->version);
		put_v4(element->key + 8, peer->first);
		put_v4(element->end + 8, peer->last);
		increment(element->end, 12);
		put_number(element->value, peer->class);
		object_list_add(&ret->elements, &object);
	}
}

static void want_pairs(const struct classifier *classifier, const struct entries *entries,
		       struct rid ns, struct compiled_list *ret)
{
	static const enum element_map maps[] = {
		[ANSWER_OPEN] = ELEMENT_OPEN,
		[ANSWER_NARROW] = ELEMENT_NARROW,
		[ANSWER_DENIED] = ELEMENT_DENIED,
	};

	for (size_t i = 0; i < classifier->pair_count; i++) {
		const struct classifier_pair *pair = &classifier->pairs[i];
		const struct entry *entry = &entries->items[pair->rule];
		struct object object = element_in(ns, maps[entry->answer]);

		put_id(object.element.key, service_of(ret->version, pair->service));
		put_number(object.element.key + 8, pair->peer);
		if (entry->answer == ANSWER_DENIED)
			put_number(object.element.value, entry->number);
		object_list_add(&ret->elements, &object);
	}
}

/* `seed` names the list; the elements go to namespace `ns`. */
static void compile(const struct entries *entries, uint64_t seed, struct rid ns,
		    struct compiled_list *ret)
{
	CLEANUP(freep) struct classifier_rule *rules = xcalloc(entries->count, sizeof(*rules));
	CLEANUP(classifier_clear) struct classifier classifier = { 0 };

	for (size_t i = 0; i < entries->count; i++)
		rules[i] = entries->items[i].rule;
	classifier_build(rules, entries->count, &classifier);
	ret->version = version_of(seed, entries);
	want_services(&classifier, entries, ns, ret);
	want_peers(&classifier, ns, ret);
	want_pairs(&classifier, entries, ns, ret);
}

void compile_groups(const struct model *model, const struct group_set *set, bool egress,
		    struct compiled_list *ret)
{
	static const struct traffic everything = { .protocol = -1 };
	CLEANUP(entries_clear) struct entries entries = { 0 };

	if (!set->group_count) /* an interface of AWS's own */
		add_block(add_entry(&entries, &everything, ANSWER_OPEN), everywhere);
	gather_rules(model, set, egress, &entries);
	drop_covered(&entries);
	compile(&entries, hash_number(set->id.n, egress), set->subnet, ret);
}

/* Whether the first entry, which decides, lets everything pass. */
static bool is_wide(const struct entries *entries)
{
	const struct classifier_rule everything = { .protocol_last = UINT8_MAX,
						    .last = UINT16_MAX,
						    .cidrs = &everywhere,
						    .cidr_count = 1 };
	const struct entry all = { .rule = everything, .answer = ANSWER_OPEN };

	return entries->count && covers(&entries->items[0], &all);
}

void compile_acl(const struct acl *acl, bool egress, struct rid subnet, struct compiled_list *ret)
{
	CLEANUP(entries_clear) struct entries entries = { 0 };

	gather_entries(acl, egress, &entries);
	compile(&entries, hash_number(acl->resource.id.n, egress), subnet, ret);
	if (is_wide(&entries)) {
		struct object object = element_in(subnet, ELEMENT_WIDE);

		put_id(object.element.key, ret->version);
		object_list_add(&ret->elements, &object);
	}
}
