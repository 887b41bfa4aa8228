/* The rules of security groups: see group.h. */
#include "model/group.h"
#include "model/peering.h"
#include "model/prefix_list.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- the index ---- */

typedef int compare_fn(const struct group_rule *a, const struct group_rule *b);

enum group_peer group_rule_peer(const struct group_rule *rule)
{
	if (rid_is_set(rule->peer))
		return GROUP_PEER_GROUP;
	if (rid_is_set(rule->prefix_list))
		return GROUP_PEER_PREFIX_LIST;
	return rule->cidr.address.family == AF_INET6 ? GROUP_PEER_IPV6 : GROUP_PEER_IPV4;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_peer(const struct group_rule *a, const struct group_rule *b)
{
	int r = ORDER(group_rule_peer(a), group_rule_peer(b));

	if (r == 0)
		r = memcmp(a->cidr.address.bytes, b->cidr.address.bytes,
			   sizeof(a->cidr.address.bytes));
	if (r == 0)
		r = ORDER(a->cidr.length, b->cidr.length);
	if (r == 0)
		r = ORDER(a->prefix_list.n, b->prefix_list.n);
	return r ? r : ORDER(a->peer.n, b->peer.n);
}

int group_rule_compare(const struct group_rule *a, const struct group_rule *b)
{
	int r = ORDER(a->egress, b->egress);

	if (r == 0)
		r = ORDER(a->traffic.protocol, b->traffic.protocol);
	if (r == 0)
		r = ORDER(a->traffic.from, b->traffic.from);
	if (r == 0)
		r = ORDER(a->traffic.to, b->traffic.to);
	return r ? r : compare_peer(a, b);
}

static int compare_order(const struct group_rule *a, const struct group_rule *b)
{
	return ORDER(a->resource.order, b->resource.order);
}

/* Two rules that change places are the same rule for a moment: their order keeps them apart. */
static int compare_sorted(const struct group_rule *a, const struct group_rule *b)
{
	int r = group_rule_compare(a, b);

	return r ? r : compare_order(a, b);
}

/* The index of the first item that is not before `rule`. */
static size_t place(struct group_rule *const *items, size_t count, const struct group_rule *rule,
		    compare_fn *compare)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(items[middle], rule) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void put(struct group_rule ***items, size_t *count, struct group_rule *rule,
		compare_fn *compare)
{
	size_t position = place(*items, *count, rule, compare);

	array_grow(items, count);
	memmove(*items + position + 1, *items + position,
		(*count - 1 - position) * sizeof(**items));
	(*items)[position] = rule;
}

static void index_rule(struct model *model, struct resource *resource, bool add)
{
	struct group_rule *rule = (struct group_rule *)resource;
	struct map_key key = map_key_rid(rule->group);
	struct group_rules *rules = map_get(&model->group_rules, key);

	if (!rid_is_set(rule->group))
		return; /* just made: add_rule() comes back when it is filled in */
	if (!rules) {
		rules = xcalloc(1, sizeof(*rules));
		map_put(&model->group_rules, key, rules);
	}
	rules->revision = ++model->revision;
	if (add) {
		put(&rules->items, &rules->count, rule, compare_order);
		put(&rules->sorted, &rules->sorted_count, rule, compare_sorted);
		return;
	}
	array_remove(rules->items, &rules->count,
		     place(rules->items, rules->count, rule, compare_order));
	array_remove(rules->sorted, &rules->sorted_count,
		     place(rules->sorted, rules->sorted_count, rule, compare_sorted));
	if (!rules->count)
		group_rules_free(map_take(&model->group_rules, key));
}

const struct resource_type group_rule_type = {
	.kind = KIND_SECURITY_GROUP_RULE,
	.size = sizeof(struct group_rule),
	.fields = group_rule_fields,
	.tag_type = "security-group-rule",
	.index = index_rule,
};

void group_rules_free(struct group_rules *rules)
{
	free(rules->items);
	free(rules->sorted);
	free(rules);
}

const struct group_rules *group_rules(const struct model *model, struct rid group)
{
	static const struct group_rules none = { 0 };
	const struct group_rules *rules = map_get(&model->group_rules, map_key_rid(group));

	return rules ? rules : &none;
}

struct group_rule *group_rule_find(const struct model *model, const struct group_rule *like)
{
	const struct group_rules *rules = group_rules(model, like->group);
	size_t position = place(rules->sorted, rules->sorted_count, like, group_rule_compare);

	return position < rules->sorted_count &&
			       group_rule_compare(rules->sorted[position], like) == 0
		       ? rules->sorted[position]
		       : NULL;
}

/* ---- protocols ---- */

static const struct {
	const char *name, *title;
	int64_t number;
	bool ports; /* else types and codes */
} protocols[] = {
	{ "tcp", "TCP", 6, true },
	{ "udp", "UDP", 17, true },
	{ "icmp", "ICMP", 1, false },
	{ "icmpv6", "ICMPv6", 58, false },
};

/* The index in `protocols`, or -1. */
static int protocol_index(int64_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == number)
			return (int)i;
	return -1;
}

bool group_protocol_has_ports(int64_t protocol)
{
	return protocol_index(protocol) >= 0;
}

const char *group_protocol_name(int64_t protocol, struct buffer *scratch)
{
	int i = protocol_index(protocol);

	return i >= 0 ? protocols[i].name : get_print(scratch, "%" PRId64, protocol);
}

static int parse_protocol(const char *text, int64_t *ret_protocol)
{
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcasecmp(protocols[i].name, text) == 0) {
			*ret_protocol = protocols[i].number;
			return 0;
		}
	if (streq(text, "-1")) {
		*ret_protocol = -1;
		return 0;
	}
	if (digits == 0 || digits > 3 || text[digits] || atoi(text) > 255)
		return -1;
	*ret_protocol = atoi(text);
	return 0;
}

static int read_ports(const char *title, const int64_t *from, const int64_t *to,
		      struct traffic *traffic, struct error *error)
{
	const int64_t *const ports[] = { from, to };

	if (!from || !to)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value for portRange. Must specify both from and to ports "
				 "with TCP/UDP.");
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		if (*ports[i] < 0 || *ports[i] > 65535)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "TCP/UDP port (%" PRId64 ") out of range", *ports[i]);
	if (*from > *to)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid %s port range (%" PRId64 ":%" PRId64 ")", title, *from,
				 *to);
	traffic->from = *from;
	traffic->to = *to;
	return 0;
}

static int read_type(const char *title, const int64_t *type, const int64_t *code,
		     struct traffic *traffic, struct error *error)
{
	traffic->from = type ? *type : -1;
	traffic->to = code ? *code : -1;
	if (traffic->from < -1 || traffic->from > 255)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%s type (%" PRId64 ") out of range", title, traffic->from);
	if (traffic->to < -1 || traffic->to > 255 || (traffic->from == -1 && traffic->to != -1))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%s code (%" PRId64 ") out of range", title, traffic->to);
	return 0;
}

int group_traffic(const char *protocol, const int64_t *from, const int64_t *to,
		  struct traffic *ret_traffic, struct error *error)
{
	struct traffic traffic = { -1, -1, -1 };
	int i, r = 0;

	if (!protocol || !*protocol)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value 'null' for protocol. VPC security group rules must "
				 "specify protocols explicitly.");
	if (parse_protocol(protocol, &traffic.protocol) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for IP protocol. Unknown protocol.", protocol);
	i = protocol_index(traffic.protocol);
	if (i >= 0 && protocols[i].ports)
		r = read_ports(protocols[i].title, from, to, &traffic, error);
	else if (i >= 0)
		r = read_type(protocols[i].title, from, to, &traffic, error);
	if (r == 0)
		*ret_traffic = traffic;
	return r;
}

/* ---- checks ---- */

static void print_peer(const struct group_rule *rule, struct buffer *text)
{
	buffer_puts(text, rid_is_set(rule->peer)	  ? rid_format(rule->peer).text
			  : rid_is_set(rule->prefix_list) ? rid_format(rule->prefix_list).text
							  : cidr_format(rule->cidr).text);
}

static void print_type(int64_t value, const char *name, struct buffer *text)
{
	if (value < 0)
		buffer_printf(text, ", %s: ALL", name);
	else
		buffer_printf(text, ", %s: %" PRId64, name, value);
}

/* As AWS quotes a rule: "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW". */
static void print_rule(const struct group_rule *rule, struct buffer *text)
{
	const struct traffic *traffic = &rule->traffic;
	int i = protocol_index(traffic->protocol);

	buffer_puts(text, "peer: ");
	print_peer(rule, text);
	if (i >= 0)
		buffer_printf(text, ", %s", protocols[i].title);
	else if (traffic->protocol < 0)
		buffer_puts(text, ", ALL");
	else
		buffer_printf(text, ", protocol: %" PRId64, traffic->protocol);
	if (i >= 0 && protocols[i].ports) {
		buffer_printf(text, ", from port: %" PRId64 ", to port: %" PRId64, traffic->from,
			      traffic->to);
	} else if (i >= 0) {
		print_type(traffic->from, "type", text);
		print_type(traffic->to, "code", text);
	}
	buffer_puts(text, ", ALLOW");
}

static int check_description(const char *text, struct error *error)
{
	if (!text || group_text_is_valid(text))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Invalid rule description. Valid descriptions are strings less than 256 "
			 "characters from the following set: " GROUP_ALPHABET);
}

static const struct group *group_get(const struct model *model, struct rid id)
{
	return (const struct group *)model_get(model, NULL, id);
}

/* A rule may name a group of its own VPC, or of one that is peered with it. */
static int check_peer(const struct model *model, const struct group *group,
		      const struct group_rule *rule, struct error *error)
{
	const struct group *peer = group_get(model, rule->peer);

	if (!rid_is_set(rule->peer) || (peer && (rid_equal(peer->vpc, group->vpc) ||
						 peering_between(model, group->vpc, peer->vpc))))
		return 0;
	return error_subject(error, ERROR_NOT_FOUND, "sg",
			     "You have specified two resources that belong to different networks.");
}

static int compare_wanted(const void *a, const void *b)
{
	return group_rule_compare(*(const struct group_rule *const *)a,
				  *(const struct group_rule *const *)b);
}

static int check_distinct(const struct group_rule *wanted, size_t count, struct error *error)
{
	CLEANUP(freep) const struct group_rule **sorted = xcalloc(count, sizeof(const void *));

	for (size_t i = 0; i < count; i++)
		sorted[i] = &wanted[i];
	qsort(sorted, count, sizeof(*sorted), compare_wanted);
	for (size_t i = 1; i < count; i++)
		if (group_rule_compare(sorted[i - 1], sorted[i]) == 0)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The same permission must not appear multiple times");
	return 0;
}

/* A list counts for all that it may ever hold (VPC guide, "Amazon VPC quotas"). */
static int64_t prefix_list_weight(const struct prefix_list *list, bool ipv6)
{
	return list && (list->family == PREFIX_LIST_IPV6) == ipv6 ? list->max_entries : 0;
}

/* What a rule counts for: a group is of both families. */
static int64_t weight(const struct model *model, const struct group_rule *rule, bool ipv6)
{
	switch (group_rule_peer(rule)) {
	case GROUP_PEER_IPV4:
		return !ipv6;
	case GROUP_PEER_IPV6:
		return ipv6;
	case GROUP_PEER_PREFIX_LIST:
		return prefix_list_weight(prefix_list_get(model, rule->prefix_list), ipv6);
	case GROUP_PEER_GROUP:
		break;
	}
	return 1;
}

static int64_t weight_of_all(const struct model *model, const struct group_rules *rules,
			     bool egress, bool ipv6)
{
	int64_t sum = 0;

	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i]->egress == egress)
			sum += weight(model, rules->items[i], ipv6);
	return sum;
}

bool group_has_room(const struct model *model, const struct group *group,
		    const struct prefix_list *list, int64_t more)
{
	const struct group_rules *rules = group_rules(model, group->resource.id);
	const bool ipv6 = list->family == PREFIX_LIST_IPV6;

	for (int egress = 0; egress <= 1; egress++) {
		int64_t grown = 0;

		for (size_t i = 0; i < rules->count; i++)
			if (rules->items[i]->egress == egress &&
			    rid_equal(rules->items[i]->prefix_list, list->resource.id))
				grown += more;
		if (grown > 0 && weight_of_all(model, rules, egress, ipv6) + grown >
					 quota_of(model, QUOTA_SECURITY_GROUP_RULES))
			return false;
	}
	return true;
}

bool group_uses_prefix_list(const struct model *model, const struct group *group, struct rid list)
{
	const struct group_rules *rules = group_rules(model, group->resource.id);

	for (size_t i = 0; i < rules->count; i++)
		if (rid_equal(rules->items[i]->prefix_list, list))
			return true;
	return false;
}

static int check_limit(const struct model *model, const struct group *group,
		       struct group_rule *const *replaced, const struct group_rule *wanted,
		       size_t count, struct error *error)
{
	const struct group_rules *rules = group_rules(model, group->resource.id);
	int r;

	for (int i = 0; i < 4; i++) {
		bool egress = i & 1, ipv6 = i & 2;
		int64_t before = weight_of_all(model, rules, egress, ipv6), after = before;

		for (size_t n = 0; n < count; n++) {
			if (wanted[n].egress == egress)
				after += weight(model, &wanted[n], ipv6);
			if (replaced && replaced[n]->egress == egress)
				after -= weight(model, replaced[n], ipv6);
		}
		if (after > before &&
		    (r = quota_check(model, QUOTA_SECURITY_GROUP_RULES, (size_t)after, error)) < 0)
			return r;
	}
	return 0;
}

static bool is_replaced(struct group_rule *const *replaced, size_t count,
			const struct group_rule *rule)
{
	for (size_t i = 0; replaced && i < count; i++)
		if (replaced[i] == rule)
			return true;
	return false;
}

/* `replaced`: the rules that `wanted` takes the place of; NULL: none. */
static int check_rules(const struct model *model, const struct group *group,
		       struct group_rule *const *replaced, const struct group_rule *wanted,
		       size_t count, struct error *error)
{
	int r = check_distinct(wanted, count, error);

	for (size_t i = 0; r == 0 && i < count; i++) {
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
		struct group_rule like = wanted[i];
		const struct group_rule *same;

		if ((r = check_peer(model, group, &wanted[i], error)) < 0 ||
		    (r = check_description(wanted[i].description, error)) < 0)
			return r;
		like.group = group->resource.id;
		same = group_rule_find(model, &like);
		if (!same || is_replaced(replaced, count, same))
			continue;
		print_rule(same, &text);
		return error_set(error, ERROR_PERMISSION_DUPLICATE,
				 "the specified rule \"%s\" already exists", text.data);
	}
	return r < 0 ? r : check_limit(model, group, replaced, wanted, count, error);
}

/* ---- references to groups ---- */

bool group_rule_is_stale(const struct model *model, const struct group_rule *rule)
{
	const struct group *group = group_get(model, rule->group);

	return rid_is_set(rule->peering) && (!group_get(model, rule->peer) ||
					     !peering_between(model, group->vpc, rule->peer_vpc));
}

bool group_is_stale(const struct model *model, const struct group *group)
{
	const struct group_rules *rules = group_rules(model, group->resource.id);

	for (size_t i = 0; i < rules->count; i++)
		if (group_rule_is_stale(model, rules->items[i]))
			return true;
	return false;
}

bool group_refers_to(const struct model *model, struct rid group, struct rid peer)
{
	const struct group_rules *rules = group_rules(model, group);

	for (size_t i = 0; i < rules->count; i++)
		if (rid_equal(rules->items[i]->peer, peer))
			return true;
	return false;
}

bool group_is_referred_to_by(const struct model *model, struct rid peer, const struct vpc *vpc)
{
	for_each_resource (struct group, group, vpc->resource.scope, KIND_SECURITY_GROUP)
		if (rid_equal(group->vpc, vpc->resource.id) &&
		    group_refers_to(model, group->resource.id, peer))
			return true;
	return false;
}

/* ---- verbs ---- */

/* Direction, traffic, peer and description; the rule is in no index meanwhile. */
static void fill(struct group_rule *rule, const struct group_rule *wanted)
{
	rule->egress = wanted->egress;
	rule->traffic = wanted->traffic;
	rule->cidr = wanted->cidr;
	rule->prefix_list = wanted->prefix_list;
	rule->peer = wanted->peer;
	free(rule->description);
	rule->description = xstrdup_null(wanted->description);
}

/* Where a peer of another VPC is to be found. */
static void fill_peer(const struct model *model, const struct group *group, struct group_rule *rule)
{
	const struct group *peer = group_get(model, rule->peer);

	rule->peer_vpc = rule->peering = (struct rid){ KIND_NONE, 0 };
	freep(&rule->peer_owner);
	if (!peer || rid_equal(peer->vpc, group->vpc))
		return;
	rule->peer_vpc = peer->vpc;
	rule->peering = peering_between(model, group->vpc, peer->vpc)->resource.id;
	rule->peer_owner = xstrdup(peer->resource.scope->account);
}

int group_authorize(struct transaction *transaction, const struct group *group,
		    const struct group_rule *wanted, size_t count, struct group_rule **ret_rules,
		    struct error *error)
{
	int r = check_rules(transaction->model, group, NULL, wanted, count, error);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct group_rule *rule = transaction_create(transaction, group->resource.scope,
							     KIND_SECURITY_GROUP_RULE);

		fill(rule, &wanted[i]);
		fill_peer(transaction->model, group, rule);
		rule->group = group->resource.id;
		index_rule(transaction->model, &rule->resource, true);
		ret_rules[i] = rule;
	}
	return r;
}

/* ModifySecurityGroupRules can't make a rule about one kind of peer one about another. */
static int check_same_kind(const struct group_rule *rule, const struct group_rule *wanted,
			   struct error *error)
{
	static const char *const parameters[] = { "CidrIpv4", "CidrIpv6", "PrefixListId",
						  "ReferencedGroupId" };
	static const char *const kinds[] = { "IPv4 CIDR", "IPv6 CIDR", "prefix list",
					     "referenced group" };
	enum group_peer is = group_rule_peer(rule), becomes = group_rule_peer(wanted);

	if (is == becomes)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Invalid rule type for security group rule '%s'. You may not specify %s "
			 "for an existing %s rule.",
			 rid_format(rule->resource.id).text, parameters[becomes], kinds[is]);
}

int group_revise(struct transaction *transaction, const struct group *group,
		 struct group_rule *const *rules, const struct group_rule *wanted, size_t count,
		 struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_same_kind(rules[i], &wanted[i], error);
	if (r < 0 || (r = check_rules(transaction->model, group, rules, wanted, count, error)) < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		transaction_edit(transaction, rules[i]);
		index_rule(transaction->model, &rules[i]->resource, false);
		fill(rules[i], &wanted[i]);
		fill_peer(transaction->model, group, rules[i]);
		index_rule(transaction->model, &rules[i]->resource, true);
	}
	return 0;
}

int group_rule_describe(struct transaction *transaction, struct group_rule *rule,
			const char *description, struct error *error)
{
	int r = check_description(description, error);

	if (r < 0)
		return r;
	transaction_edit(transaction, rule);
	free(rule->description);
	rule->description = xstrdup_null(description);
	return 0;
}
