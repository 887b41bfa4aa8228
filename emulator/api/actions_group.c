/* Security groups as a whole; their rules are in actions_group_rule.c. */
#include "api/actions.h"
#include "model/group.h"
#include "model/peering.h"

int create_security_group(struct call *call, struct error *error)
{
	struct group *group;
	struct vpc *vpc = vpc_default(call->scope);
	int r;

	if (call_text(call, "VpcId") &&
	    (r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0)
		return r;
	if (!vpc)
		return error_set(error, ERROR_VPC_ID_NOT_SPECIFIED, "No default VPC for this user");
	if ((r = group_create(&call->transaction, vpc, call_text(call, "GroupName"),
			      call_text(call, "GroupDescription"), &group, error)) < 0 ||
	    (r = call_tag(call, group, error)) < 0)
		return r;
	reply_member(call, "groupId", group);
	reply_member(call, "tagSet", group);
	reply_member(call, "securityGroupArn", group);
	return 0;
}

int delete_security_group(struct call *call, struct error *error)
{
	struct group *group;
	struct rid id;
	int r;

	if ((r = call_group(call, &group, error)) < 0)
		return r;
	id = group->resource.id;
	if ((r = group_delete(&call->transaction, group, error)) < 0)
		return r;
	xml_bool(call->xml, "return", true);
	xml_text(call->xml, "groupId", rid_format(id).text);
	return 0;
}

/* GroupName.N names groups of the default VPC (EC2 API reference). */
static int groups_by_name(struct call *call, const struct listing *listing,
			  const unsigned int *indices, size_t count, struct error *error)
{
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };

	for (size_t i = 0; i < count; i++) {
		const char *name = params_get(call->params, "GroupName.%u", indices[i]);
		struct group *group;
		int r = call_group_named(call, name, &group, error);

		if (r < 0)
			return r;
		rows_add(&rows, call, &group->resource, group);
	}
	return describe_rows(call, listing, &rows, error);
}

int describe_security_groups(struct call *call, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "GroupName", &indices);
	static const struct listing listing = {
		.list = "securityGroupInfo",
		.kind = KIND_SECURITY_GROUP,
		.ids = "GroupId",
		.minimum = 5,
		.maximum = 1000,
	};

	return count ? groups_by_name(call, &listing, indices, count, error)
		     : describe_resources(call, &listing, error);
}

int describe_security_group_rules(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "securityGroupRuleSet",
		.kind = KIND_SECURITY_GROUP_RULE,
		.ids = "SecurityGroupRuleId",
		.minimum = 5,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

static void reply_references(struct call *call, const struct group *group)
{
	const struct model *model = call_model(call);
	CLEANUP(freep) struct vpc **vpcs = NULL;
	size_t count = peering_referable(model, group->vpc, &vpcs);

	for (size_t i = 0; i < count; i++) {
		const struct rid id = group->resource.id, vpc = vpcs[i]->resource.id;

		if (rid_equal(vpc, group->vpc) || !group_is_referred_to_by(model, id, vpcs[i]))
			continue;
		xml_open(call->xml, "item");
		xml_text(call->xml, "groupId", rid_format(id).text);
		xml_text(call->xml, "referencingVpcId", rid_format(vpc).text);
		xml_text(call->xml, "vpcPeeringConnectionId",
			 rid_format(peering_between(model, group->vpc, vpc)->resource.id).text);
		xml_close(call->xml);
	}
}

/* Who refers to the groups from the other end of a peering: their own VPC is not listed. */
int describe_security_group_references(struct call *call, struct error *error)
{
	static const struct listing listing = { .kind = KIND_SECURITY_GROUP, .ids = "GroupId" };
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = resource_rows(call, &listing, &rows, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "securityGroupReferenceSet");
	for (size_t i = 0; i < rows.count; i++)
		reply_references(call, rows.items[i].object);
	xml_close(call->xml);
	return 0;
}

/* A rule goes stale with the peering to the group it names, and with that group. */
int describe_stale_security_groups(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "staleSecurityGroupSet",
		.kind = KIND_SECURITY_GROUP,
		.fields = group_stale_fields,
		.minimum = 5,
		.maximum = 255,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	struct vpc *vpc;
	int r = call_resource(call, "VpcId", KIND_VPC, &vpc, error);

	if (r < 0)
		return r;
	for_each_resource (struct group, group, call->scope, KIND_SECURITY_GROUP)
		if (rid_equal(group->vpc, vpc->resource.id) &&
		    group_is_stale(call_model(call), group))
			rows_add(&rows, call, &group->resource, group);
	return describe_rows(call, &listing, &rows, error);
}
