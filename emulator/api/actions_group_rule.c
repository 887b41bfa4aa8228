/*
 * The rules of security groups: Authorize, Revoke, Modify and the descriptions. A call's
 * permissions are read into rules as the model takes them, then all of them are done or none.
 */
#include "api/actions.h"

#include "model/group.h"
#include "model/peering.h"

/* The rules that a call asks for; the descriptions are owned. */
struct wanted {
	struct group_rule *items;
	size_t count;
};

static void wanted_clear(struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		free(wanted->items[i].description);
	free(wanted->items);
}

/* ---- reading ---- */

/* `prefix`name as a number: points at `storage`, or is NULL when absent. */
static int read_int(const struct call *call, const char *prefix, const char *name, int64_t *storage,
		    const int64_t **ret, struct error *error)
{
	const char *text = params_get(call->params, "%s%s", prefix, name);
	long value;
	int r;

	*ret = NULL;
	if (!text || !*text)
		return 0;
	if ((r = params_int(text, name, INT32_MIN, INT32_MAX, &value, error)) < 0)
		return r;
	*storage = value;
	*ret = storage;
	return 0;
}

static int read_traffic(const struct call *call, const char *prefix, struct traffic *ret_traffic,
			struct error *error)
{
	const int64_t *from, *to;
	int64_t a, b;
	int r;

	if ((r = read_int(call, prefix, "FromPort", &a, &from, error)) < 0 ||
	    (r = read_int(call, prefix, "ToPort", &b, &to, error)) < 0)
		return r;
	return group_traffic(params_get(call->params, "%sIpProtocol", prefix), from, to,
			     ret_traffic, error);
}

static int read_cidr(const char *text, int family, struct group_rule *rule, struct error *error)
{
	if (cidr_parse(text ? text : "", &rule->cidr) < 0 || rule->cidr.address.family != family)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "CIDR block %s is malformed",
				 text ? text : "null");
	rule->cidr = cidr_canonical(rule->cidr);
	return 0;
}

static int read_prefix_list(const struct call *call, const char *text, struct group_rule *rule,
			    struct error *error)
{
	struct resource *list;
	int r = call_find(call, text ? text : "", KIND_PREFIX_LIST, &list, error);

	if (r == 0)
		rule->prefix_list = list->id;
	return r;
}

/* Of another account or region only what a peering leads to is there. */
static bool is_seen(const struct call *call, const struct group *group, const struct resource *peer)
{
	return peer->scope == call->scope ||
	       peering_between(call_model(call), group->vpc, ((const struct group *)peer)->vpc);
}

/*
 * A group of whatever account and VPC, which the model judges; one that is gone may still be named
 * by a rule that is to be revoked. `owner` may be NULL.
 */
static int read_peer(const struct call *call, const struct group *group, const char *text,
		     const char *owner, struct group_rule *rule, struct error *error)
{
	const struct resource *peer;
	struct rid id;

	if (rid_parse(text, KIND_SECURITY_GROUP, &id) < 0)
		return malformed(KIND_SECURITY_GROUP, text, error);
	peer = model_get(call_model(call), NULL, id);
	if (peer && is_seen(call, group, peer)
		    ? owner && *owner && !streq(owner, peer->scope->account)
		    : !group_refers_to(call_model(call), group->resource.id, id))
		return not_found(KIND_SECURITY_GROUP, text, false, error);
	rule->peer = id;
	return 0;
}

/* Names stand for groups of the default VPC only, in rules of groups of the default VPC. */
static int read_peer_name(const struct call *call, const struct group *group, const char *name,
			  struct group_rule *rule, struct error *error)
{
	struct group *peer;
	int r;

	if (!vpc_get(call_model(call), group->vpc)->is_default)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for groupName. You may not reference Amazon "
				 "VPC security groups by name. Please use the corresponding id for "
				 "this operation.",
				 name);
	if ((r = call_group_named(call, name, &peer, error)) == 0)
		rule->peer = peer->resource.id;
	return r;
}

/* The members of an item, for the readers below: `prefix` is all that is before their names. */
typedef int read_item_fn(const struct call *call, const struct group *group, const char *prefix,
			 struct group_rule *rule, struct error *error);

static int read_ipv4_item(const struct call *call, const struct group *group, const char *prefix,
			  struct group_rule *rule, struct error *error)
{
	(void)group;
	return read_cidr(params_get(call->params, "%sCidrIp", prefix), AF_INET, rule, error);
}

static int read_ipv6_item(const struct call *call, const struct group *group, const char *prefix,
			  struct group_rule *rule, struct error *error)
{
	(void)group;
	return read_cidr(params_get(call->params, "%sCidrIpv6", prefix), AF_INET6, rule, error);
}

static int read_list_item(const struct call *call, const struct group *group, const char *prefix,
			  struct group_rule *rule, struct error *error)
{
	(void)group;
	return read_prefix_list(call, params_get(call->params, "%sPrefixListId", prefix), rule,
				error);
}

/* A connection may be named beside a group: one of the caller's, or that of a rule there is. */
static int check_peering(const struct call *call, const struct group *group, const char *text,
			 struct error *error)
{
	const struct group_rules *rules = group_rules(call_model(call), group->resource.id);
	const struct peering *peering;
	struct rid id;

	if (!text || !*text)
		return 0;
	if (rid_parse(text, KIND_VPC_PEERING, &id) < 0)
		return malformed(KIND_VPC_PEERING, text, error);
	peering = peering_get(call_model(call), id);
	if (peering && peering_is_of(peering, call->scope))
		return 0;
	for (size_t i = 0; i < rules->count; i++)
		if (rid_equal(rules->items[i]->peering, id))
			return 0;
	return not_found(KIND_VPC_PEERING, text, false, error);
}

static int read_group_item(const struct call *call, const struct group *group, const char *prefix,
			   struct group_rule *rule, struct error *error)
{
	const char *id = params_get(call->params, "%sGroupId", prefix);
	const char *name = params_get(call->params, "%sGroupName", prefix);
	const char *owner = params_get(call->params, "%sUserId", prefix);
	int r = check_peering(call, group,
			      params_get(call->params, "%sVpcPeeringConnectionId", prefix), error);

	if (r < 0)
		return r;
	if (!(id && *id) && !(name && *name))
		return error_set(error, ERROR_MISSING_PARAMETER, "Source group ID missing.");
	if (id && *id)
		return read_peer(call, group, id, owner, rule, error);
	if (owner && *owner && !streq(owner, call->scope->account))
		return not_found(KIND_SECURITY_GROUP, name, false, error);
	return read_peer_name(call, group, name, rule, error);
}

static struct group_rule *want(struct wanted *wanted, bool egress, const struct traffic *traffic,
			       const char *description)
{
	struct group_rule *rule = array_grow(&wanted->items, &wanted->count);

	rule->egress = egress;
	rule->traffic = *traffic;
	rule->description = xstrdup_null(description);
	return rule;
}

static int read_permission(const struct call *call, const struct group *group, bool egress,
			   unsigned int n, struct wanted *wanted, struct error *error)
{
	static const struct {
		const char *list;
		read_item_fn *read;
	} lists[] = {
		{ "Groups", read_group_item },
		{ "IpRanges", read_ipv4_item },
		{ "Ipv6Ranges", read_ipv6_item },
		{ "PrefixListIds", read_list_item },
	};
	CLEANUP(freep) char *prefix = xasprintf("IpPermissions.%u.", n);
	size_t before = wanted->count;
	struct traffic traffic;
	int r = read_traffic(call, prefix, &traffic, error);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++) {
		CLEANUP(freep) char *list = xasprintf("%s%s", prefix, lists[i].list);
		CLEANUP(freep) unsigned int *indices = NULL;
		size_t count = params_indices(call->params, list, &indices);

		for (size_t j = 0; r == 0 && j < count; j++) {
			CLEANUP(freep) char *item = xasprintf("%s.%u.", list, indices[j]);
			const char *text = params_get(call->params, "%sDescription", item);

			r = lists[i].read(call, group, item, want(wanted, egress, &traffic, text),
					  error);
		}
	}
	if (r == 0 && wanted->count == before)
		return error_set(error, ERROR_MISSING_PARAMETER, "Source group ID missing.");
	return r;
}

/* A group named without a protocol stands for all of TCP, UDP and ICMP (EC2 API reference). */
static int read_flat_group(const struct call *call, const struct group *group, bool egress,
			   struct wanted *wanted, struct error *error)
{
	static const struct traffic all[] = { { 6, 0, 65535 }, { 17, 0, 65535 }, { 1, -1, -1 } };
	const char *name = call_text(call, "SourceSecurityGroupName");
	const char *owner = call_text(call, "SourceSecurityGroupOwnerId");
	int r = 0;

	if (call_text(call, "IpProtocol") || call_text(call, "CidrIp") ||
	    call_text(call, "FromPort") || call_text(call, "ToPort"))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter sourceSecurityGroupName cannot be used with a "
				 "protocol, ports or a CIDR block");
	if (owner && *owner && !streq(owner, call->scope->account))
		return not_found(KIND_SECURITY_GROUP, name, false, error);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++)
		r = read_peer_name(call, group, name, want(wanted, egress, &all[i], NULL), error);
	return r;
}

/* The one rule that older clients send as parameters of their own. */
static int read_flat(const struct call *call, const struct group *group, bool egress,
		     struct wanted *wanted, struct error *error)
{
	struct traffic traffic;
	int r;

	if (call_text(call, "SourceSecurityGroupName"))
		return read_flat_group(call, group, egress, wanted, error);
	if ((r = read_traffic(call, "", &traffic, error)) < 0)
		return r;
	if (!call_text(call, "CidrIp"))
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter cidrIp");
	return read_cidr(call_text(call, "CidrIp"), AF_INET, want(wanted, egress, &traffic, NULL),
			 error);
}

static bool has_flat(const struct call *call)
{
	return call_text(call, "IpProtocol") || call_text(call, "CidrIp") ||
	       call_text(call, "FromPort") || call_text(call, "ToPort") ||
	       call_text(call, "SourceSecurityGroupName") ||
	       call_text(call, "SourceSecurityGroupOwnerId");
}

/* The rules of a call that has them in one form or the other; at least one. */
static int read_wanted(const struct call *call, const struct group *group, bool egress,
		       struct wanted *wanted, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "IpPermissions", &indices);
	int r = 0;

	if (count && has_flat(call))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter ipPermissions cannot be used with the parameters "
				 "of a single permission");
	if (!count && !has_flat(call))
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter ipPermissions");
	if (!count)
		return read_flat(call, group, egress, wanted, error);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = read_permission(call, group, egress, indices[i], wanted, error);
	return r;
}

/* A rule of the group by its id; a rule of another group is as good as none. */
static int find_rule(const struct call *call, const struct group *group, const char *text,
		     struct group_rule **ret_rule, struct error *error)
{
	int r;

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter SecurityGroupRuleId");
	if ((r = call_find(call, text, KIND_SECURITY_GROUP_RULE, ret_rule, error)) < 0)
		return r;
	return rid_equal((*ret_rule)->group, group->resource.id)
		       ? 0
		       : not_found(KIND_SECURITY_GROUP_RULE, text, false, error);
}

/* The same for a call about one direction. */
static int find_rule_of(const struct call *call, const struct group *group, const char *text,
			bool egress, struct group_rule **ret_rule, struct error *error)
{
	int r = find_rule(call, group, text, ret_rule, error);

	return r < 0 || (*ret_rule)->egress == egress
		       ? r
		       : not_found(KIND_SECURITY_GROUP_RULE, text, false, error);
}

/* ---- Authorize ---- */

static int authorize(struct call *call, bool egress, struct error *error)
{
	CLEANUP(wanted_clear) struct wanted wanted = { NULL, 0 };
	CLEANUP(freep) struct group_rule **rules = NULL;
	struct group *group;
	int r;

	if ((r = call_group(call, &group, error)) < 0 ||
	    (r = read_wanted(call, group, egress, &wanted, error)) < 0)
		return r;
	rules = xcalloc(wanted.count, sizeof(*rules));
	if ((r = group_authorize(&call->transaction, group, wanted.items, wanted.count, rules,
				 error)) < 0)
		return r;
	xml_bool(call->xml, "return", true);
	xml_open(call->xml, "securityGroupRuleSet");
	for (size_t i = 0; i < wanted.count; i++) {
		if ((r = call_tag(call, rules[i], error)) < 0)
			return r;
		reply_resource(call, "item", rules[i]);
	}
	xml_close(call->xml);
	return 0;
}

int authorize_ingress(struct call *call, struct error *error)
{
	return authorize(call, false, error);
}

int authorize_egress(struct call *call, struct error *error)
{
	return authorize(call, true, error);
}

/* ---- Revoke ---- */

/* What a Revoke call is about: rules that are there, each once, and permissions that are not. */
struct found {
	struct group_rule **rules;
	size_t rule_count;
	const struct group_rule **unknown;
	size_t unknown_count;
};

static void found_clear(struct found *found)
{
	free(found->rules);
	free(found->unknown);
}

static void add_found(struct found *found, struct group_rule *rule)
{
	for (size_t i = 0; i < found->rule_count; i++)
		if (found->rules[i] == rule)
			return;
	*array_grow(&found->rules, &found->rule_count) = rule;
}

static void find_wanted(const struct call *call, const struct group *group, struct wanted *wanted,
			struct found *found)
{
	for (size_t i = 0; i < wanted->count; i++) {
		struct group_rule *rule;

		wanted->items[i].group = group->resource.id;
		rule = group_rule_find(call_model(call), &wanted->items[i]);
		if (rule)
			add_found(found, rule);
		else
			*array_grow(&found->unknown, &found->unknown_count) = &wanted->items[i];
	}
}

static int rule_not_found(struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, "permission",
			     "The specified rule does not exist in this security group.");
}

static int find_by_ids(const struct call *call, const struct group *group, bool egress,
		       const unsigned int *indices, size_t count, struct found *found,
		       struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		struct group_rule *rule;
		int r = find_rule_of(call, group,
				     params_get(call->params, "SecurityGroupRuleId.%u", indices[i]),
				     egress, &rule, error);

		if (r < 0)
			return r;
		add_found(found, rule);
	}
	return 0;
}

static void reply_list_of(struct call *call, const char *list, const char *name, const char *value,
			  const char *description, const char *owner)
{
	xml_open(call->xml, list);
	if (value) {
		xml_open(call->xml, "item");
		xml_text(call->xml, "description", description);
		xml_text(call->xml, "userId", owner);
		xml_text(call->xml, name, value);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

/* A permission that no rule is: in the form of $IpPermission, with its one peer. */
static void reply_unknown(struct call *call, const struct group_rule *rule)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct address_text cidr = cidr_format(rule->cidr);
	const struct rid_text group = rid_format(rule->peer);
	const struct rid_text list = rid_format(rule->prefix_list);
	enum group_peer peer = group_rule_peer(rule);

	xml_open(call->xml, "item");
	xml_text(call->xml, "ipProtocol", group_protocol_name(rule->traffic.protocol, &scratch));
	if (group_protocol_has_ports(rule->traffic.protocol)) {
		xml_int(call->xml, "fromPort", rule->traffic.from);
		xml_int(call->xml, "toPort", rule->traffic.to);
	}
	reply_list_of(call, "groups", "groupId", peer == GROUP_PEER_GROUP ? group.text : NULL,
		      rule->description, call->scope->account);
	reply_list_of(call, "ipRanges", "cidrIp", peer == GROUP_PEER_IPV4 ? cidr.text : NULL,
		      rule->description, NULL);
	reply_list_of(call, "ipv6Ranges", "cidrIpv6", peer == GROUP_PEER_IPV6 ? cidr.text : NULL,
		      rule->description, NULL);
	reply_list_of(call, "prefixListIds", "prefixListId",
		      peer == GROUP_PEER_PREFIX_LIST ? list.text : NULL, rule->description, NULL);
	xml_close(call->xml);
}

static void reply_revoked(struct call *call, const struct found *found)
{
	xml_bool(call->xml, "return", true);
	xml_open(call->xml, "unknownIpPermissionSet");
	for (size_t i = 0; i < found->unknown_count; i++)
		reply_unknown(call, found->unknown[i]);
	xml_close(call->xml);
	xml_open(call->xml, "revokedSecurityGroupRuleSet");
	for (size_t i = 0; i < found->rule_count; i++) {
		const struct group_rule *rule = found->rules[i];
		struct view view = { call_model(call), &rule->resource, rule };

		xml_open(call->xml, "item");
		reply_fields(call, group_rule_revoked_fields, &view);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

/* In the default VPC what isn't there is reported, elsewhere it is an error (API reference). */
static int revoke(struct call *call, bool egress, struct error *error)
{
	CLEANUP(wanted_clear) struct wanted wanted = { NULL, 0 };
	CLEANUP(found_clear) struct found found = { NULL, 0, NULL, 0 };
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t ids = params_indices(call->params, "SecurityGroupRuleId", &indices);
	struct group *group;
	int r;

	if ((r = call_group(call, &group, error)) < 0)
		return r;
	if (ids && (has_flat(call) || call_has_list(call, "IpPermissions")))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter securityGroupRuleIds cannot be used with the "
				 "parameter ipPermissions");
	if (ids)
		r = find_by_ids(call, group, egress, indices, ids, &found, error);
	else if ((r = read_wanted(call, group, egress, &wanted, error)) == 0)
		find_wanted(call, group, &wanted, &found);
	if (r < 0)
		return r;
	if (found.unknown_count && !vpc_get(call_model(call), group->vpc)->is_default)
		return rule_not_found(error);
	reply_revoked(call, &found);
	for (size_t i = 0; i < found.rule_count; i++)
		transaction_delete(&call->transaction, found.rules[i]);
	return 0;
}

int revoke_ingress(struct call *call, struct error *error)
{
	return revoke(call, false, error);
}

int revoke_egress(struct call *call, struct error *error)
{
	return revoke(call, true, error);
}

/* ---- ModifySecurityGroupRules ---- */

/* The peer of a rule as it is to be: exactly one of four parameters. */
static int read_new_peer(const struct call *call, const struct group *group, const char *prefix,
			 struct group_rule *rule, struct error *error)
{
	static const char *const names[] = { "CidrIpv4", "CidrIpv6", "PrefixListId",
					     "ReferencedGroupId" };
	const char *values[ARRAY_SIZE(names)];
	size_t given = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		values[i] = params_get(call->params, "%s%s", prefix, names[i]);
		given += values[i] != NULL;
	}
	if (given == 0)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain exactly one of: cidrIp, cidrIpv6, "
				 "prefixListId, or referencedGroupId");
	if (given > 1)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId "
				 "can be specified");
	if (values[0])
		return read_cidr(values[0], AF_INET, rule, error);
	if (values[1])
		return read_cidr(values[1], AF_INET6, rule, error);
	return values[2] ? read_prefix_list(call, values[2], rule, error)
			 : read_peer(call, group, values[3], NULL, rule, error);
}

static int read_new_rule(const struct call *call, const struct group *group, unsigned int n,
			 struct wanted *wanted, struct group_rule **ret_rule, struct error *error)
{
	CLEANUP(freep) char *prefix = xasprintf("SecurityGroupRule.%u.SecurityGroupRule.", n);
	struct group_rule *rule = NULL;
	struct traffic traffic;
	int r;

	if ((r = find_rule(call, group,
			   params_get(call->params, "SecurityGroupRule.%u.SecurityGroupRuleId", n),
			   &rule, error)) < 0 ||
	    (r = read_traffic(call, prefix, &traffic, error)) < 0)
		return r;
	*ret_rule = rule;
	return read_new_peer(call, group, prefix,
			     want(wanted, rule->egress, &traffic,
				  params_get(call->params, "%sDescription", prefix)),
			     error);
}

int modify_security_group_rules(struct call *call, struct error *error)
{
	CLEANUP(wanted_clear) struct wanted wanted = { NULL, 0 };
	CLEANUP(found_clear) struct found found = { NULL, 0, NULL, 0 };
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "SecurityGroupRule", &indices);
	struct group *group;
	int r = call_group(call, &group, error);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct group_rule *rule = NULL;

		if ((r = read_new_rule(call, group, indices[i], &wanted, &rule, error)) < 0)
			return r;
		add_found(&found, rule);
		if (found.rule_count <= i)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The security group rule ID '%s' must not appear multiple "
					 "times",
					 rid_format(rule->resource.id).text);
	}
	if (r < 0 || (r = group_revise(&call->transaction, group, found.rules, wanted.items,
				       wanted.count, error)) < 0)
		return r;
	return reply_true(call);
}

/* ---- descriptions ---- */

static int describe_by_ids(struct call *call, const struct group *group, bool egress,
			   const unsigned int *indices, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep)
		char *prefix = xasprintf("SecurityGroupRuleDescription.%u.", indices[i]);
		struct group_rule *rule;
		int r;

		if ((r = find_rule_of(call, group,
				      params_get(call->params, "%sSecurityGroupRuleId", prefix),
				      egress, &rule, error)) < 0 ||
		    (r = group_rule_describe(&call->transaction, rule,
					     params_get(call->params, "%sDescription", prefix),
					     error)) < 0)
			return r;
	}
	return reply_true(call);
}

static int update_descriptions(struct call *call, bool egress, struct error *error)
{
	CLEANUP(wanted_clear) struct wanted wanted = { NULL, 0 };
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t ids = params_indices(call->params, "SecurityGroupRuleDescription", &indices);
	struct group *group;
	int r;

	if ((r = call_group(call, &group, error)) < 0)
		return r;
	if (ids && call_has_list(call, "IpPermissions"))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter securityGroupRuleDescriptions cannot be used with "
				 "the parameter ipPermissions");
	if (ids)
		return describe_by_ids(call, group, egress, indices, ids, error);
	if ((r = read_wanted(call, group, egress, &wanted, error)) < 0)
		return r;
	for (size_t i = 0; i < wanted.count; i++) {
		struct group_rule *rule;

		wanted.items[i].group = group->resource.id;
		rule = group_rule_find(call_model(call), &wanted.items[i]);
		if (!rule)
			return rule_not_found(error);
		if ((r = group_rule_describe(&call->transaction, rule, wanted.items[i].description,
					     error)) < 0)
			return r;
	}
	return reply_true(call);
}

int update_descriptions_ingress(struct call *call, struct error *error)
{
	return update_descriptions(call, false, error);
}

int update_descriptions_egress(struct call *call, struct error *error)
{
	return update_descriptions(call, true, error);
}
