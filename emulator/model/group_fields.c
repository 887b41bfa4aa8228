/* What clients see of security groups and their rules: the descriptors. See group.h. */
#include "model/group.h"
#include "model/peering.h"

/* ---- a rule ---- */

static const char *get_protocol(const struct view *view, struct buffer *scratch)
{
	return group_protocol_name(((const struct group_rule *)view->object)->traffic.protocol,
				   scratch);
}

static const char *get_cidr(const struct view *view, enum group_peer peer, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;

	return group_rule_peer(rule) == peer
		       ? get_print(scratch, "%s", cidr_format(rule->cidr).text)
		       : NULL;
}

static const char *get_ipv4(const struct view *view, struct buffer *scratch)
{
	return get_cidr(view, GROUP_PEER_IPV4, scratch);
}

static const char *get_ipv6(const struct view *view, struct buffer *scratch)
{
	return get_cidr(view, GROUP_PEER_IPV6, scratch);
}

static const char *get_rule_arn(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "arn:aws:ec2:%s:%s:security-group-rule/%s",
			 view->resource->scope->region, view->resource->scope->account,
			 rid_format(view->resource->id).text);
}

static const struct group *peer_of(const struct view *view)
{
	const struct group_rule *rule = view->object;

	return (const struct group *)model_get(view->model, NULL, rule->peer);
}

static const char *get_peer_vpc(const struct view *view, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;
	const struct group *peer = peer_of(view);

	if (!peer && !rid_is_set(rule->peer_vpc))
		return NULL;
	return get_print(scratch, "%s", rid_format(peer ? peer->vpc : rule->peer_vpc).text);
}

static const char *get_peer_owner(const struct view *view, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;

	return rule->peer_owner ? rule->peer_owner : get_owner(view, scratch);
}

/* The connection that the rule counts through, else the one that it was made with. */
static const struct peering *peering_of(const struct view *view)
{
	const struct group_rule *rule = view->object;
	const struct group *group = (const struct group *)model_get(view->model, NULL, rule->group);
	const struct peering *active =
		group ? peering_between(view->model, group->vpc, rule->peer_vpc) : NULL;

	return active ? active : peering_get(view->model, rule->peering);
}

static const char *get_peering(const struct view *view, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;
	const struct peering *peering = peering_of(view);

	if (!rid_is_set(rule->peering))
		return NULL;
	return get_print(scratch, "%s",
			 rid_format(peering ? peering->resource.id : rule->peering).text);
}

static const char *get_peering_status(const struct view *view, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;
	const struct peering *peering = peering_of(view);

	(void)scratch;
	if (!rid_is_set(rule->peering))
		return NULL;
	return peering && peering->state == PEERING_ACTIVE ? "active" : "deleted";
}

static bool child_peer(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && rid_is_set(((const struct group_rule *)view->object)->peer);
}

static const struct field peer_fields[] = {
	FIELD_OF(struct group_rule, peer, FIELD_RID, "groupId", NULL, FIELD_SHOWN),
	FIELD_GET_OF(get_peering_status, "peeringStatus", NULL),
	FIELD_GET_OF(get_peer_owner, "userId", NULL),
	FIELD_GET_OF(get_peer_vpc, "vpcId", NULL),
	FIELD_GET_OF(get_peering, "vpcPeeringConnectionId", NULL),
	FIELD_END,
};

const struct field group_rule_fields[] = {
	RESOURCE_FIELDS(struct group_rule),
	FIELD_GET_OF(get_id, "securityGroupRuleId", "security-group-rule-id"),
	FIELD_OF(struct group_rule, group, FIELD_RID, "groupId", "group-id", FIELD_BOTH),
	FIELD_GET_OF(get_owner, "groupOwnerId", NULL),
	FIELD_OF(struct group_rule, egress, FIELD_BOOL, "isEgress", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_protocol, "ipProtocol", NULL),
	FIELD_OF(struct group_rule, traffic.protocol, FIELD_INT, "protocol", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, traffic.from, FIELD_INT, "fromPort", NULL, FIELD_BOTH),
	FIELD_OF(struct group_rule, traffic.to, FIELD_INT, "toPort", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_ipv4, "cidrIpv4", NULL),
	FIELD_GET_OF(get_ipv6, "cidrIpv6", NULL),
	FIELD_OF(struct group_rule, cidr, FIELD_CIDR, "cidr", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, prefix_list, FIELD_RID, "prefixListId", NULL, FIELD_BOTH),
	FIELD_CHILD_OF(child_peer, peer_fields, "referencedGroupInfo"),
	FIELD_OF(struct group_rule, peer, FIELD_RID, "peer", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, peer_vpc, FIELD_RID, "peerVpc", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, peering, FIELD_RID, "peering", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, peer_owner, FIELD_TEXT, "peerOwner", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, description, FIELD_TEXT, "description", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_rule_arn, "securityGroupRuleArn", NULL),
	FIELD_END,
};

const struct field group_rule_revoked_fields[] = {
	FIELD_GET_OF(get_id, "securityGroupRuleId", NULL),
	FIELD_OF(struct group_rule, group, FIELD_RID, "groupId", NULL, FIELD_SHOWN),
	FIELD_OF(struct group_rule, egress, FIELD_BOOL, "isEgress", NULL, FIELD_SHOWN),
	FIELD_GET_OF(get_protocol, "ipProtocol", NULL),
	FIELD_OF(struct group_rule, traffic.from, FIELD_INT, "fromPort", NULL, FIELD_SHOWN),
	FIELD_OF(struct group_rule, traffic.to, FIELD_INT, "toPort", NULL, FIELD_SHOWN),
	FIELD_GET_OF(get_ipv4, "cidrIpv4", NULL),
	FIELD_GET_OF(get_ipv6, "cidrIpv6", NULL),
	FIELD_OF(struct group_rule, prefix_list, FIELD_RID, "prefixListId", NULL, FIELD_SHOWN),
	FIELD_OF(struct group_rule, peer, FIELD_RID, "referencedGroupId", NULL, FIELD_SHOWN),
	FIELD_OF(struct group_rule, description, FIELD_TEXT, "description", NULL, FIELD_SHOWN),
	FIELD_END,
};

/* ---- a group ---- */

/* Rules of equal direction and traffic are shown as one permission, with lists of peers. */
static bool is_same_permission(const struct group_rule *a, const struct group_rule *b)
{
	return a->egress == b->egress && a->traffic.protocol == b->traffic.protocol &&
	       a->traffic.from == b->traffic.from && a->traffic.to == b->traffic.to;
}

/* A permission is seen through its first rule; `stale`: only what is. */
static bool child_permission(const struct view *view, size_t index, struct view *ret_child,
			     bool egress, bool stale)
{
	const struct group_rules *rules = group_rules(view->model, view->resource->id);
	const struct group_rule *last = NULL;

	*ret_child = *view;
	for (size_t i = 0; i < rules->sorted_count; i++) {
		const struct group_rule *rule = rules->sorted[i];

		if (rule->egress != egress || (last && is_same_permission(last, rule)) ||
		    (stale && !group_rule_is_stale(view->model, rule)))
			continue;
		last = rule;
		if (index-- > 0)
			continue;
		ret_child->object = rule;
		return true;
	}
	return false;
}

static bool child_ingress(const struct view *view, size_t index, struct view *ret_child)
{
	return child_permission(view, index, ret_child, false, false);
}

static bool child_egress(const struct view *view, size_t index, struct view *ret_child)
{
	return child_permission(view, index, ret_child, true, false);
}

static bool child_stale_ingress(const struct view *view, size_t index, struct view *ret_child)
{
	return child_permission(view, index, ret_child, false, true);
}

static bool child_stale_egress(const struct view *view, size_t index, struct view *ret_child)
{
	return child_permission(view, index, ret_child, true, true);
}

static bool child_of(const struct view *view, size_t index, struct view *ret_child,
		     enum group_peer peer, bool stale)
{
	const struct group_rules *rules = group_rules(view->model, view->resource->id);

	*ret_child = *view;
	for (size_t i = 0; i < rules->sorted_count; i++) {
		const struct group_rule *rule = rules->sorted[i];

		if (!is_same_permission(rule, view->object) || group_rule_peer(rule) != peer ||
		    (stale && !group_rule_is_stale(view->model, rule)) || index-- > 0)
			continue;
		ret_child->object = rule;
		return true;
	}
	return false;
}

static bool child_group(const struct view *view, size_t index, struct view *ret_child)
{
	return child_of(view, index, ret_child, GROUP_PEER_GROUP, false);
}

static bool child_stale_group(const struct view *view, size_t index, struct view *ret_child)
{
	return child_of(view, index, ret_child, GROUP_PEER_GROUP, true);
}

static bool child_ipv4(const struct view *view, size_t index, struct view *ret_child)
{
	return child_of(view, index, ret_child, GROUP_PEER_IPV4, false);
}

static bool child_ipv6(const struct view *view, size_t index, struct view *ret_child)
{
	return child_of(view, index, ret_child, GROUP_PEER_IPV6, false);
}

static bool child_prefix_list(const struct view *view, size_t index, struct view *ret_child)
{
	return child_of(view, index, ret_child, GROUP_PEER_PREFIX_LIST, false);
}

static const char *get_port(const struct view *view, int64_t port, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;

	return group_protocol_has_ports(rule->traffic.protocol)
		       ? get_print(scratch, "%lld", (long long)port)
		       : NULL;
}

static const char *get_from(const struct view *view, struct buffer *scratch)
{
	return get_port(view, ((const struct group_rule *)view->object)->traffic.from, scratch);
}

static const char *get_to(const struct view *view, struct buffer *scratch)
{
	return get_port(view, ((const struct group_rule *)view->object)->traffic.to, scratch);
}

static const char *get_peer_name(const struct view *view, struct buffer *scratch)
{
	const struct group *peer = peer_of(view);

	(void)scratch;
	return peer ? peer->name : NULL;
}

/* In a permission, only of a peer. */
static const char *get_other_vpc(const struct view *view, struct buffer *scratch)
{
	const struct group_rule *rule = view->object;

	return rid_is_set(rule->peer_vpc)
		       ? get_print(scratch, "%s", rid_format(rule->peer_vpc).text)
		       : NULL;
}

#define DESCRIPTION                                                                                \
	FIELD_OF(struct group_rule, description, FIELD_TEXT, "description", NULL, FIELD_SHOWN)

/* The two directions differ in their filters' names only. */
#define PERMISSION_FIELDS(name_, prefix_)                                                          \
	static const struct field name_##_group_fields[] = {                                       \
		DESCRIPTION,                                                                       \
		FIELD_GET_OF(get_peer_owner, "userId", prefix_ "user-id"),                         \
		FIELD_OF(struct group_rule, peer, FIELD_RID, "groupId", prefix_ "group-id",        \
			 FIELD_SHOWN),                                                             \
		FIELD_GET_OF(get_other_vpc, "vpcId", NULL),                                        \
		FIELD_GET_OF(get_peering, "vpcPeeringConnectionId", NULL),                         \
		FIELD_GET_OF(get_peering_status, "peeringStatus", NULL),                           \
		{ .name = "",                                                                      \
		  .filter = prefix_ "group-name",                                                  \
		  .type = FIELD_GET,                                                               \
		  .get = get_peer_name },                                                          \
		FIELD_END,                                                                         \
	};                                                                                         \
	static const struct field name_##_ipv4_fields[] = {                                        \
		DESCRIPTION,                                                                       \
		FIELD_GET_OF(get_ipv4, "cidrIp", prefix_ "cidr"),                                  \
		FIELD_END,                                                                         \
	};                                                                                         \
	static const struct field name_##_ipv6_fields[] = {                                        \
		DESCRIPTION,                                                                       \
		FIELD_GET_OF(get_ipv6, "cidrIpv6", prefix_ "ipv6-cidr"),                           \
		FIELD_END,                                                                         \
	};                                                                                         \
	static const struct field name_##_list_fields[] = {                                        \
		DESCRIPTION,                                                                       \
		FIELD_OF(struct group_rule, prefix_list, FIELD_RID, "prefixListId",                \
			 prefix_ "prefix-list-id", FIELD_SHOWN),                                   \
		FIELD_END,                                                                         \
	};                                                                                         \
	static const struct field name_##_fields[] = {                                             \
		FIELD_GET_OF(get_protocol, "ipProtocol", prefix_ "protocol"),                      \
		FIELD_GET_OF(get_from, "fromPort", prefix_ "from-port"),                           \
		FIELD_GET_OF(get_to, "toPort", prefix_ "to-port"),                                 \
		FIELD_CHILDREN_OF(child_group, name_##_group_fields, "groups"),                    \
		FIELD_CHILDREN_OF(child_ipv4, name_##_ipv4_fields, "ipRanges"),                    \
		FIELD_CHILDREN_OF(child_ipv6, name_##_ipv6_fields, "ipv6Ranges"),                  \
		FIELD_CHILDREN_OF(child_prefix_list, name_##_list_fields, "prefixListIds"),        \
		FIELD_END,                                                                         \
	}

PERMISSION_FIELDS(ingress, "ip-permission.");
PERMISSION_FIELDS(egress, "egress.ip-permission.");

static const char *get_arn(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "arn:aws:ec2:%s:%s:security-group/%s",
			 view->resource->scope->region, view->resource->scope->account,
			 rid_format(view->resource->id).text);
}

const struct field security_group_fields[] = {
	RESOURCE_FIELDS(struct group),
	FIELD_GET_OF(get_id, "groupId", "group-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_GET_OF(get_arn, "securityGroupArn", NULL),
	FIELD_OF(struct group, name, FIELD_TEXT, "groupName", "group-name", FIELD_BOTH),
	FIELD_OF(struct group, description, FIELD_TEXT, "groupDescription", "description",
		 FIELD_BOTH),
	FIELD_OF(struct group, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_CHILDREN_OF(child_ingress, ingress_fields, "ipPermissions"),
	FIELD_CHILDREN_OF(child_egress, egress_fields, "ipPermissionsEgress"),
	FIELD_END,
};

/* ---- what is stale of it ---- */

static const struct field stale_permission_fields[] = {
	FIELD_GET_OF(get_protocol, "ipProtocol", NULL),
	FIELD_GET_OF(get_from, "fromPort", NULL),
	FIELD_GET_OF(get_to, "toPort", NULL),
	FIELD_CHILDREN_OF(child_stale_group, ingress_group_fields, "groups"),
	FIELD_CHILDREN_OF(child_none, ingress_ipv4_fields, "ipRanges"),
	FIELD_CHILDREN_OF(child_none, ingress_list_fields, "prefixListIds"),
	FIELD_END,
};

const struct field group_stale_fields[] = {
	FIELD_GET_OF(get_id, "groupId", NULL),
	FIELD_OF(struct group, name, FIELD_TEXT, "groupName", NULL, FIELD_SHOWN),
	FIELD_OF(struct group, description, FIELD_TEXT, "description", NULL, FIELD_SHOWN),
	FIELD_OF(struct group, vpc, FIELD_RID, "vpcId", NULL, FIELD_SHOWN),
	FIELD_CHILDREN_OF(child_stale_ingress, stale_permission_fields, "staleIpPermissions"),
	FIELD_CHILDREN_OF(child_stale_egress, stale_permission_fields, "staleIpPermissionsEgress"),
	FIELD_END,
};
