/* Security groups: see group.h. Their rules are in group_rule.c, what is shown in group_fields.c.
 */
#include "model/group.h"

#include "model/interface.h"
#include "model/vpc_endpoint.h"

#define TEXT_MAX 255

const struct resource_type group_type = {
	.kind = KIND_SECURITY_GROUP,
	.size = sizeof(struct group),
	.fields = security_group_fields,
	.tag_type = "security-group",
};

static const struct cidr everywhere = { { .family = AF_INET }, 0 };
static const struct cidr everywhere_ipv6 = { { .family = AF_INET6 }, 0 };

bool group_text_is_valid(const char *text)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789. _-:/()#,@[]+=&;{}!$*";
	size_t length = strspn(text, alphabet);

	return !text[length] && length <= TEXT_MAX;
}

static int check_texts(const char *name, const char *description, struct error *error)
{
	if (!*name || !group_text_is_valid(name))
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"Invalid security group name. Valid names are non-empty strings "
			"less than 256 characters from the following set: " GROUP_ALPHABET);
	if (strncasecmp(name, "sg-", 3) == 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter groupName is invalid. Group names may "
				 "not be in the format sg-*",
				 name);
	if (strcasecmp(name, "default") == 0)
		return error_set(error, ERROR_GROUP_RESERVED,
				 "Cannot use reserved security group name: %s", name);
	if (!*description || !group_text_is_valid(description))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid security group description. Valid descriptions are "
				 "strings less than 256 characters from the following "
				 "set: " GROUP_ALPHABET);
	return 0;
}

static struct group *create(struct transaction *transaction, struct vpc *vpc, const char *name,
			    const char *description)
{
	struct group *group =
		transaction_create(transaction, vpc->resource.scope, KIND_SECURITY_GROUP);

	group->name = xstrdup(name);
	group->description = xstrdup(description);
	group->vpc = vpc->resource.id;
	return group;
}

/* A fresh group's rules break no rule: they are made without asking. */
static void allow_all(struct transaction *transaction, struct group *group,
		      struct group_rule wanted)
{
	struct error ignored = ERROR_INIT;
	struct group_rule *made;

	wanted.traffic = (struct traffic){ -1, -1, -1 };
	group_authorize(transaction, group, &wanted, 1, &made, &ignored);
}

static void allow_out(struct transaction *transaction, struct group *group, struct cidr cidr)
{
	allow_all(transaction, group, (struct group_rule){ .egress = true, .cidr = cidr });
}

void group_create_default(struct transaction *transaction, struct vpc *vpc)
{
	struct group *group = create(transaction, vpc, "default", "default VPC security group");

	allow_all(transaction, group, (struct group_rule){ .peer = group->resource.id });
	allow_out(transaction, group, everywhere);
}

static bool lets_out_ipv4_alone(const struct model *model, const struct group *group)
{
	const struct group_rules *rules = group_rules(model, group->resource.id);
	const struct group_rule *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i]->egress) {
			found = rules->items[i];
			count++;
		}
	return count == 1 && found->traffic.protocol < 0 && cidr_equal(found->cidr, everywhere);
}

void group_add_ipv6(struct transaction *transaction, const struct vpc *vpc)
{
	struct group *group = group_named(vpc->resource.scope, vpc->resource.id, "default");

	if (vpc->ipv6_cidr_count == 1 && lets_out_ipv4_alone(transaction->model, group))
		allow_out(transaction, group, everywhere_ipv6);
}

/* The name without the spaces behind it: AWS trims them. */
static char *trimmed(const char *name)
{
	size_t length = strlen(name);

	while (length && name[length - 1] == ' ')
		length--;
	return xasprintf("%.*s", (int)MIN(length, (size_t)TEXT_MAX + 1), name);
}

int group_create(struct transaction *transaction, struct vpc *vpc, const char *name,
		 const char *description, struct group **ret_group, struct error *error)
{
	CLEANUP(freep) char *kept = trimmed(name);
	struct scope *scope = vpc->resource.scope;
	int r;

	if ((r = check_texts(kept, description, error)) < 0)
		return r;
	for_each_resource (struct group, group, scope, KIND_SECURITY_GROUP)
		if (rid_equal(group->vpc, vpc->resource.id) && strcasecmp(group->name, kept) == 0)
			return error_set(error, ERROR_GROUP_DUPLICATE,
					 "The security group '%s' already exists for VPC '%s'",
					 kept, rid_format(vpc->resource.id).text);
	if ((r = quota_check(transaction->model, QUOTA_SECURITY_GROUPS,
			     scope->lists[KIND_SECURITY_GROUP].count + 1, error)) < 0)
		return r;
	*ret_group = create(transaction, vpc, kept, description);
	allow_out(transaction, *ret_group, everywhere);
	if (vpc->ipv6_cidr_count)
		allow_out(transaction, *ret_group, everywhere_ipv6);
	return 0;
}

static bool is_used(const struct group *group)
{
	const struct scope *scope = group->resource.scope;
	const struct rid id = group->resource.id;

	for_each_resource (struct interface, interface, scope, KIND_NETWORK_INTERFACE)
		for (size_t i = 0; i < interface->group_count; i++)
			if (rid_equal(interface->groups[i].id, id))
				return true;
	for_each_resource (struct vpc_endpoint, endpoint, scope, KIND_VPC_ENDPOINT)
		for (size_t i = 0; i < endpoint->group_count; i++)
			if (rid_equal(endpoint->groups[i].id, id))
				return true;
	/* A reference from another VPC goes stale. */
	for_each_resource (struct group_rule, rule, scope, KIND_SECURITY_GROUP_RULE)
		if (rid_equal(rule->peer, id) && !rid_equal(rule->group, id) &&
		    !rid_is_set(rule->peering))
			return true;
	return false;
}

int group_delete(struct transaction *transaction, struct group *group, struct error *error)
{
	const struct rid_text id = rid_format(group->resource.id);

	if (streq(group->name, "default"))
		return error_set(error, ERROR_CANNOT_DELETE,
				 "the specified group: \"%s\" name: \"default\" cannot be deleted "
				 "by a user",
				 id.text);
	if (is_used(group))
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "resource %s has a dependent object", id.text);
	group_forget(transaction, group);
	return 0;
}

void group_forget(struct transaction *transaction, struct group *group)
{
	const struct group_rules *rules;

	while ((rules = group_rules(transaction->model, group->resource.id))->count)
		transaction_delete(transaction, rules->items[rules->count - 1]);
	transaction_delete(transaction, group);
}

struct group *group_named(const struct scope *scope, struct rid vpc, const char *name)
{
	for_each_resource (struct group, group, scope, KIND_SECURITY_GROUP)
		if (rid_equal(group->vpc, vpc) && streq(group->name, name))
			return group;
	return NULL;
}
