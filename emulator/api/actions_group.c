/* Security groups as a whole; their rules are in actions_group_rule.c. */
#include "api/actions.h"
#include "model/group.h"

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

/* Only groups of VPCs at the other end of a peering or a transit gateway are listed. */
int describe_security_group_references(struct call *call, struct error *error)
{
	static const struct listing listing = { .kind = KIND_SECURITY_GROUP, .ids = "GroupId" };
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = resource_rows(call, &listing, &rows, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "securityGroupReferenceSet");
	xml_close(call->xml);
	return 0;
}

/* A rule goes stale with the peering to the group it names: there is none yet. */
int describe_stale_security_groups(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "staleSecurityGroupSet",
		.fields = security_group_fields,
		.minimum = 5,
		.maximum = 255,
	};
	static const struct rows none = { NULL, 0 };
	struct vpc *vpc;
	int r = call_resource(call, "VpcId", KIND_VPC, &vpc, error);

	return r < 0 ? r : describe_rows(call, &listing, &none, error);
}
