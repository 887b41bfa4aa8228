/*
 * The shape of ids, before anything is looked up: a malformed one is told before another that
 * doesn't exist. Parameters are known by the last word of their names, which says the same in every
 * action; those that say different things in different ones (AssociationId, GatewayId) are left to
 * their handlers.
 */
#include "api/call.h"

#define TEMPLATE_DATA "LaunchTemplateData."

static const struct {
	const char *word;
	enum kind kind;
	const char *other; /* what stands there too */
} words[] = {
	{ "VpcId", KIND_VPC, NULL },
	{ "PeerVpcId", KIND_VPC, NULL },
	{ "SubnetId", KIND_SUBNET, NULL },
	{ "InternetGatewayId", KIND_INTERNET_GATEWAY, NULL },
	{ "EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY, NULL },
	{ "RouteTableId", KIND_ROUTE_TABLE, NULL },
	{ "GroupId", KIND_SECURITY_GROUP, NULL },
	{ "SecurityGroupId", KIND_SECURITY_GROUP, NULL },
	{ "SecurityGroupRuleId", KIND_SECURITY_GROUP_RULE, NULL },
	{ "NetworkAclId", KIND_NETWORK_ACL, NULL },
	{ "NetworkInterfaceId", KIND_NETWORK_INTERFACE, NULL },
	{ "InstanceId", KIND_INSTANCE, NULL },
	{ "ImageId", KIND_IMAGE, "resolve:ssm:" },
	{ "VolumeId", KIND_VOLUME, NULL },
	{ "NatGatewayId", KIND_NAT_GATEWAY, NULL },
	{ "VpcPeeringConnectionId", KIND_VPC_PEERING, NULL },
	{ "DhcpOptionsId", KIND_DHCP_OPTIONS, "default" },
	{ "PrefixListId", KIND_PREFIX_LIST, NULL },
	{ "LaunchTemplateId", KIND_LAUNCH_TEMPLATE, NULL },
	{ "AllocationId", KIND_ELASTIC_IP, NULL },
	{ "AttachmentId", KIND_ATTACHMENT, NULL },
	{ "KeyPairId", KIND_KEY_PAIR, NULL },
	{ "VpcEndpointId", KIND_VPC_ENDPOINT, NULL },
};

/* The last word of a name, and its length: "SubnetId" of "NetworkInterface.1.SubnetId.2". */
static const char *last_word(const char *name, size_t *ret_length)
{
	const char *end = name + strlen(name), *start;

	while (end > name && end[-1] >= '0' && end[-1] <= '9')
		end--;
	if (end > name && end[-1] == '.')
		end--;
	for (start = end; start > name && start[-1] != '.'; start--)
		;
	*ret_length = (size_t)(end - start);
	return start;
}

static int check(const char *word, size_t length, const char *value, struct error *error)
{
	struct rid id;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *other = words[i].other;

		if (strlen(words[i].word) != length || memcmp(words[i].word, word, length) != 0)
			continue;
		if ((other && strncmp(value, other, strlen(other)) == 0) ||
		    rid_parse(value, words[i].kind, &id) == 0)
			return 0;
		return malformed(words[i].kind, value, error);
	}
	return 0;
}

int call_check_ids(const struct call *call, struct error *error)
{
	const char *name, *value;

	for (size_t i = 0; params_at(call->params, i, &name, &value); i++) {
		size_t length;
		const char *word = last_word(name, &length);
		int r;

		/* A template keeps what it is told; a placement group's id is another thing. */
		if (*value == '\0' || strstr(name, "Placement.") ||
		    strncmp(name, TEMPLATE_DATA, strlen(TEMPLATE_DATA)) == 0)
			continue;
		if ((r = check(word, length, value, error)) < 0)
			return r;
	}
	return 0;
}
