/* What tables of resource types can't say: see type_table.h. */
#include "lab/type_table.h"

#include <strings.h>

/* ---- rules of security groups ---- */

/* "AuthorizeSecurityGroupIngress" and its like: of one direction. */
struct direction {
	const char *property; /* the group's list of them */
	const char *authorize, *revoke, *describe;
};

static const struct direction ingress = {
	"SecurityGroupIngress",
	"AuthorizeSecurityGroupIngress",
	"RevokeSecurityGroupIngress",
	"UpdateSecurityGroupRuleDescriptionsIngress",
};
static const struct direction egress = {
	"SecurityGroupEgress",
	"AuthorizeSecurityGroupEgress",
	"RevokeSecurityGroupEgress",
	"UpdateSecurityGroupRuleDescriptionsEgress",
};

/* Who a rule is about: which list of a permission, and what in it. */
static const struct {
	const char *property, *list, *member;
} peers[] = {
	{ "CidrIp", "IpRanges", "CidrIp" },
	{ "CidrIpv6", "Ipv6Ranges", "CidrIpv6" },
	{ "SourcePrefixListId", "PrefixListIds", "PrefixListId" },
	{ "DestinationPrefixListId", "PrefixListIds", "PrefixListId" },
	{ "SourceSecurityGroupId", "Groups", "GroupId" },
	{ "DestinationSecurityGroupId", "Groups", "GroupId" },
	{ "SourceSecurityGroupName", "Groups", "GroupName" },
	{ "SourceSecurityGroupOwnerId", "Groups", "UserId" },
};

/* A rule as IpPermissions.N of the last call. */
static void put_permission(struct plan *plan, const struct node *rule, size_t number)
{
	static const char *const traffic[] = { "IpProtocol", "FromPort", "ToPort" };
	const char *description = node_get_text(rule, "Description"), *list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(traffic); i++)
		if (node_get_text(rule, traffic[i]))
			plan_parameter(plan, node_get_text(rule, traffic[i]),
				       "IpPermissions.%zu.%s", number, traffic[i]);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		const char *value = node_get_text(rule, peers[i].property);

		if (!value)
			continue;
		plan_parameter(plan, value, "IpPermissions.%zu.%s.1.%s", number, peers[i].list,
			       peers[i].member);
		if (description && !streq(list, peers[i].list))
			plan_parameter(plan, description, "IpPermissions.%zu.%s.1.Description",
				       number, peers[i].list);
		list = peers[i].list;
	}
}

/* One call for all of them; none when there are none. */
static void put_rules(struct plan *plan, const char *action, const struct node *rules)
{
	if (!rules->count)
		return;
	plan_plain(plan, action, "GroupId={id}");
	for (size_t i = 0; i < rules->count; i++)
		put_permission(plan, rules->items[i], i + 1);
}

static struct node *without_description(const struct node *rule)
{
	struct node *copy = node_new(NODE_MAP);

	for (size_t i = 0; i < rule->count; i++)
		if (!streq(rule->items[i]->key, "Description"))
			node_add(copy, rule->items[i]->key, node_copy(rule->items[i]));
	return copy;
}

/* The rule of the list that lets the same pass, whatever its description; NULL: none. */
static const struct node *same_rule(const struct node *list, const struct node *rule)
{
	CLEANUP(node_freep) struct node *wanted = without_description(rule);

	for (size_t i = 0; list && i < list->count; i++) {
		CLEANUP(node_freep) struct node *other = without_description(list->items[i]);

		if (node_equal(wanted, other))
			return list->items[i];
	}
	return NULL;
}

/* Those of the list that the other lacks; `described`: that it has with another description. */
static struct node *rules_of(const struct node *list, const struct node *other, bool described)
{
	struct node *rules = node_new(NODE_LIST);

	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *there = same_rule(other, list->items[i]);

		if (described ? there && !node_equal(there, list->items[i]) : !there)
			node_add(rules, NULL, node_copy(list->items[i]));
	}
	return rules;
}

/* What is new is let through before what has gone no longer is. */
static void change_rules(struct plan *plan, const struct direction *direction,
			 const struct node *before, const struct node *after)
{
	CLEANUP(node_freep) struct node *new = rules_of(after, before, false);
	CLEANUP(node_freep) struct node *gone = rules_of(before, after, false);
	CLEANUP(node_freep) struct node *described = rules_of(after, before, true);

	put_rules(plan, direction->authorize, new);
	put_rules(plan, direction->revoke, gone);
	put_rules(plan, direction->describe, described);
}

/* What a new group has: everything may leave. A template that says nothing else leaves it so. */
static struct node *default_egress(void)
{
	struct node *list = node_new(NODE_LIST);
	struct node *rule = node_add(list, NULL, node_new(NODE_MAP));

	node_add(rule, "CidrIp", node_text_new("0.0.0.0/0"));
	node_add(rule, "IpProtocol", node_text_new("-1"));
	return list;
}

static const struct node *rules_or(const struct node *properties, const struct node *otherwise)
{
	const struct node *list = node_get(properties, egress.property);

	return list && list->count ? list : otherwise;
}

void plan_group_rules(struct plan *plan)
{
	CLEANUP(node_freep) struct node *everything = default_egress();

	change_rules(plan, &ingress, node_get(plan->before, ingress.property),
		     node_get(plan->after, ingress.property));
	change_rules(plan, &egress, rules_or(plan->before, everything),
		     rules_or(plan->after, everything));
}

/*
 * The same difference, from what a new group has; in a VPC with IPv6 that is a rule for it too,
 * which goes first, for the template may have just that.
 */
void plan_new_group(struct plan *plan)
{
	static const char *const no_such_rule[] = { "InvalidPermission.NotFound", NULL };

	if (rules_or(plan->after, NULL))
		plan_plain(plan, egress.revoke,
			   "GroupId={id} IpPermissions.1.IpProtocol=-1 "
			   "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0")
			->tolerates = no_such_rule;
	plan_group_rules(plan);
}

static void create_rule(struct plan *plan, const struct direction *direction)
{
	struct type_call *call = plan_plain(plan, direction->authorize, "GroupId GroupName");

	call->yields = "securityGroupRuleId";
	put_permission(plan, plan->after, 1);
}

void plan_ingress(struct plan *plan)
{
	create_rule(plan, &ingress);
}

void plan_egress(struct plan *plan)
{
	create_rule(plan, &egress);
}

/* ---- instances ---- */

/*
 * SecurityGroups are names, and what a template has there is a Ref: to AWS that is the name of a
 * group of the default VPC, and here its id, as of any other.
 */
void plan_named_groups(struct plan *plan)
{
	static const char prefix[] = "SecurityGroup.";
	struct type_call *call = plan->calls->count ? &plan->calls->items[0] : NULL;

	for (size_t i = 0; call && i < call->parameter_count; i++) {
		struct template_value *parameter = &call->parameters[i];
		char *name;

		if (strncmp(parameter->name, prefix, strlen(prefix)) != 0 ||
		    strncmp(parameter->value, "sg-", 3) != 0)
			continue;
		name = xasprintf("SecurityGroupId.1%s", parameter->name + strlen(prefix));
		free(parameter->name);
		parameter->name = name;
	}
}

/* On and off are two calls. */
void plan_monitoring(struct plan *plan)
{
	const char *before = node_get_text(plan->before, "Monitoring");
	const char *after = node_get_text(plan->after, "Monitoring");
	const bool was = before && strcasecmp(before, "true") == 0;
	const bool is = after && strcasecmp(after, "true") == 0;

	if (was != is)
		plan_plain(plan, is ? "MonitorInstances" : "UnmonitorInstances",
			   "InstanceId.1={id}");
}

/* ---- DHCP options ---- */

/* Each option is a key with its values. */
void plan_dhcp_options(struct plan *plan)
{
	static const struct {
		const char *property, *key;
	} keys[] = {
		{ "DomainName", "domain-name" },
		{ "DomainNameServers", "domain-name-servers" },
		{ "Ipv6AddressPreferredLeaseTime", "ipv6-address-preferred-lease-time" },
		{ "NetbiosNameServers", "netbios-name-servers" },
		{ "NetbiosNodeType", "netbios-node-type" },
		{ "NtpServers", "ntp-servers" },
	};
	size_t number = 0;

	plan_plain(plan, "CreateDhcpOptions", "Tags")->yields = "dhcpOptionsId";
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct node *value = node_get(plan->after, keys[i].property);
		const size_t count = !value ? 0 : value->type == NODE_LIST ? value->count : 1;

		if (!count)
			continue;
		plan_parameter(plan, keys[i].key, "DhcpConfiguration.%zu.Key", ++number);
		for (size_t j = 0; j < count; j++)
			plan_parameter(plan,
				       value->type == NODE_LIST ? value->items[j]->text
								: value->text,
				       "DhcpConfiguration.%zu.Value.%zu", number, j + 1);
	}
}

/* ---- prefix lists ---- */

static const struct node *entry_of(const struct node *entries, const char *cidr)
{
	for (size_t i = 0; entries && i < entries->count; i++)
		if (streq(node_get_text(entries->items[i], "Cidr"), cidr))
			return entries->items[i];
	return NULL;
}

/* Entries that `other` has not just so: `name` of the last call. */
static void put_entries(struct plan *plan, const char *name, const struct node *entries,
			const struct node *other)
{
	size_t number = 0;

	for (size_t i = 0; entries && i < entries->count; i++) {
		const struct node *entry = entries->items[i];
		const char *cidr = node_get_text(entry, "Cidr");
		const char *description = node_get_text(entry, "Description");
		const struct node *there = entry_of(other, cidr);

		if (there && node_equal(there, entry))
			continue;
		plan_parameter(plan, cidr, "%s.%zu.Cidr", name, ++number);
		if (description && streq(name, "AddEntry"))
			plan_parameter(plan, description, "%s.%zu.Description", name, number);
	}
}

/* Is there one that `other` has not just so? */
static bool has_others(const struct node *entries, const struct node *other)
{
	for (size_t i = 0; entries && i < entries->count; i++) {
		const struct node *there =
			entry_of(other, node_get_text(entries->items[i], "Cidr"));

		if (!there || !node_equal(there, entries->items[i]))
			return true;
	}
	return false;
}

/* Is there one in both, but not just so? */
static bool is_described_anew(const struct node *before, const struct node *after)
{
	for (size_t i = 0; before && i < before->count; i++) {
		const struct node *there = entry_of(after, node_get_text(before->items[i], "Cidr"));

		if (there && !node_equal(there, before->items[i]))
			return true;
	}
	return false;
}

/* A call that changes the version that the list has then. */
static void modify_list(struct plan *plan)
{
	static const char *const later[] = { "IncorrectState", NULL };
	struct type_call *call =
		plan_plain(plan, "DescribeManagedPrefixLists", "PrefixListId.1={id}");

	call->keep = "version";
	call->keep_path = xstrdup("prefixListSet/item/version");
	plan_plain(plan, "ModifyManagedPrefixList", "PrefixListId={id} CurrentVersion={version}")
		->retries = later;
}

/* An entry with another description has to go first; else one call does both. */
void plan_list_entries(struct plan *plan)
{
	const struct node *before = node_get(plan->before, "Entries");
	const struct node *after = node_get(plan->after, "Entries");

	if (!has_others(before, after) && !has_others(after, before))
		return;
	modify_list(plan);
	put_entries(plan, "RemoveEntry", before, after);
	if (is_described_anew(before, after))
		modify_list(plan);
	put_entries(plan, "AddEntry", after, before);
}

/* ---- what only a reply tells ---- */

/* Keeps "{association}", which the path tells; takes that over. */
static void look_up(struct plan *plan, const char *action, const char *words, char *path)
{
	struct type_call *call = plan_plain(plan, action, words);

	call->keep = "association";
	call->keep_path = path;
}

static void take_block(struct plan *plan, const char *block)
{
	look_up(plan, "DescribeSubnets", "SubnetId.1={id}",
		xasprintf("subnetSet/item/ipv6CidrBlockAssociationSet/item[ipv6CidrBlock=%s]/"
			  "associationId",
			  block));
	plan_plain(plan, "DisassociateSubnetCidrBlock", "AssociationId={association}");
}

/* A subnet has one block of IPv6 at most: it is there before what needs it is set … */
void plan_block_given(struct plan *plan)
{
	const char *before = node_get_text(plan->before, "Ipv6CidrBlock");
	const char *after = node_get_text(plan->after, "Ipv6CidrBlock");

	if (!after || streq(before, after))
		return;
	if (before)
		take_block(plan, before);
	plan_plain(plan, "AssociateSubnetCidrBlock", "SubnetId={id} Ipv6CidrBlock={Ipv6CidrBlock}");
}

/* … and goes after that is no more. */
void plan_block_taken(struct plan *plan)
{
	const char *before = node_get_text(plan->before, "Ipv6CidrBlock");

	if (before && !node_get(plan->after, "Ipv6CidrBlock"))
		take_block(plan, before);
}

static bool has_text(const struct node *list, const char *text)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (streq(list->items[i]->text, text))
			return true;
	return false;
}

/* The second addresses of a NAT gateway: each that goes has an association of its own. */
void plan_nat_addresses(struct plan *plan)
{
	const struct node *before = node_get(plan->before, "SecondaryAllocationIds");
	const struct node *after = node_get(plan->after, "SecondaryAllocationIds");

	for (size_t i = 0; before && i < before->count; i++) {
		if (has_text(after, before->items[i]->text))
			continue;
		look_up(plan, "DescribeNatGateways", "NatGatewayId.1={id}",
			xasprintf("natGatewaySet/item/natGatewayAddressSet/item[allocationId=%s]/"
				  "associationId",
				  before->items[i]->text));
		plan_plain(plan, "DisassociateNatGatewayAddress",
			   "NatGatewayId={id} AssociationId.1={association}");
	}
	for (size_t i = 0; after && i < after->count; i++)
		if (!has_text(before, after->items[i]->text)) {
			plan_plain(plan, "AssociateNatGatewayAddress", "NatGatewayId={id}");
			plan_parameter(plan, after->items[i]->text, "AllocationId.1");
		}
}
