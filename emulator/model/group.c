/* Security groups: see group.h. */
#include "model/group.h"

/* One direction's rules are one ipPermissions item here: they are all of protocol -1. */
static bool has_rule(const struct group *group, bool egress)
{
	for (size_t i = 0; i < group->rule_count; i++)
		if (group->rules[i].egress == egress)
			return true;
	return false;
}

static bool child_ingress(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && has_rule(view->object, false);
}

static bool child_egress(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && has_rule(view->object, true);
}

static bool child_rule(const struct view *view, size_t index, struct view *ret_child, bool egress,
		       bool by_group)
{
	const struct group *group = (const struct group *)view->resource;

	*ret_child = *view;
	for (size_t i = 0; i < group->rule_count; i++) {
		const struct group_rule *rule = &group->rules[i];

		if (rule->egress != egress || rid_is_set(rule->group) != by_group || index-- > 0)
			continue;
		ret_child->object = rule;
		return true;
	}
	return false;
}

static bool child_ingress_group(const struct view *view, size_t index, struct view *ret_child)
{
	return child_rule(view, index, ret_child, false, true);
}

static bool child_ingress_cidr(const struct view *view, size_t index, struct view *ret_child)
{
	return child_rule(view, index, ret_child, false, false);
}

static bool child_egress_group(const struct view *view, size_t index, struct view *ret_child)
{
	return child_rule(view, index, ret_child, true, true);
}

static bool child_egress_cidr(const struct view *view, size_t index, struct view *ret_child)
{
	return child_rule(view, index, ret_child, true, false);
}

static const struct field ingress_group_fields[] = {
	FIELD_OF(struct group_rule, group, FIELD_RID, "groupId", "ip-permission.group-id",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_owner, "userId", "ip-permission.user-id"),
	FIELD_END,
};
static const struct field ingress_cidr_fields[] = {
	FIELD_OF(struct group_rule, cidr, FIELD_CIDR, "cidrIp", "ip-permission.cidr", FIELD_SHOWN),
	FIELD_END,
};
static const struct field egress_group_fields[] = {
	FIELD_OF(struct group_rule, group, FIELD_RID, "groupId", "egress.ip-permission.group-id",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_owner, "userId", "egress.ip-permission.user-id"),
	FIELD_END,
};
static const struct field egress_cidr_fields[] = {
	FIELD_OF(struct group_rule, cidr, FIELD_CIDR, "cidrIp", "egress.ip-permission.cidr",
		 FIELD_SHOWN),
	FIELD_END,
};

static const struct field ingress_fields[] = {
	FIELD_CONST_OF("-1", "ipProtocol", "ip-permission.protocol"),
	FIELD_CHILDREN_OF(child_ingress_group, ingress_group_fields, "groups"),
	FIELD_CHILDREN_OF(child_ingress_cidr, ingress_cidr_fields, "ipRanges"),
	FIELD_CHILDREN_OF(child_none, ingress_cidr_fields, "ipv6Ranges"),
	FIELD_CHILDREN_OF(child_none, ingress_cidr_fields, "prefixListIds"),
	FIELD_END,
};
static const struct field egress_fields[] = {
	FIELD_CONST_OF("-1", "ipProtocol", "egress.ip-permission.protocol"),
	FIELD_CHILDREN_OF(child_egress_group, egress_group_fields, "groups"),
	FIELD_CHILDREN_OF(child_egress_cidr, egress_cidr_fields, "ipRanges"),
	FIELD_CHILDREN_OF(child_none, egress_cidr_fields, "ipv6Ranges"),
	FIELD_CHILDREN_OF(child_none, egress_cidr_fields, "prefixListIds"),
	FIELD_END,
};

static const struct field rule_fields[] = {
	FIELD_OF(struct group_rule, id, FIELD_RID, "id", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, egress, FIELD_BOOL, "egress", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, cidr, FIELD_CIDR, "cidr", NULL, FIELD_STORED),
	FIELD_OF(struct group_rule, group, FIELD_RID, "group", NULL, FIELD_STORED),
	FIELD_END,
};

static const char *get_arn(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "arn:aws:ec2:%s:%s:security-group/%s",
			 view->resource->scope->region, view->resource->scope->account,
			 rid_format(view->resource->id).text);
}

static const struct field fields[] = {
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
	FIELD_LIST_OF(struct group, rules, rule_count, rule_fields, "rules", FIELD_STORED),
	FIELD_END,
};

const struct resource_type group_type = {
	.kind = KIND_SECURITY_GROUP,
	.size = sizeof(struct group),
	.fields = fields,
	.tag_type = "security-group",
};

void group_create_default(struct transaction *transaction, struct vpc *vpc)
{
	struct group *group =
		transaction_create(transaction, vpc->resource.scope, KIND_SECURITY_GROUP);
	struct group_rule *rule;

	group->name = xstrdup("default");
	group->description = xstrdup("default VPC security group");
	group->vpc = vpc->resource.id;
	rule = array_grow(&group->rules, &group->rule_count);
	rule->id = rid_new(KIND_SECURITY_GROUP_RULE);
	rule->group = group->resource.id;
	rule = array_grow(&group->rules, &group->rule_count);
	rule->id = rid_new(KIND_SECURITY_GROUP_RULE);
	rule->egress = true;
	rule->cidr = (struct cidr){ { .family = AF_INET }, 0 };
}

struct group *group_named(const struct scope *scope, struct rid vpc, const char *name)
{
	for_each_resource (struct group, group, scope, KIND_SECURITY_GROUP)
		if (rid_equal(group->vpc, vpc) && streq(group->name, name))
			return group;
	return NULL;
}
