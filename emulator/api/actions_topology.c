/*
 * The private action behind `minivpc graph`: what the world is made of, of every account and
 * region, in one reply, so that a picture is of one moment. Items are as the public Describe calls
 * show them.
 */
#include "api/actions.h"

static const struct {
	const char *set; /* no descriptor has an element of that name */
	enum kind kind;
} sets[] = {
	{ "vpcs", KIND_VPC },
	{ "subnets", KIND_SUBNET },
	{ "internetGateways", KIND_INTERNET_GATEWAY },
	{ "egressOnlyInternetGateways", KIND_EGRESS_GATEWAY },
	{ "natGateways", KIND_NAT_GATEWAY },
	{ "peerings", KIND_VPC_PEERING },
	{ "routeTables", KIND_ROUTE_TABLE },
	{ "networkAcls", KIND_NETWORK_ACL },
	{ "securityGroups", KIND_SECURITY_GROUP },
	{ "instances", KIND_INSTANCE },
	{ "networkInterfaces", KIND_NETWORK_INTERFACE },
};

static void reply_item(struct call *call, const struct resource *resource)
{
	struct view view = { call_model(call), resource, resource };

	xml_open(call->xml, "item");
	reply_fields(call, resource_type(resource->id.kind)->fields, &view);
	xml_text(call->xml, "region", resource->scope->region);
	xml_text(call->xml, "account", resource->scope->account);
	xml_close(call->xml);
}

int get_topology(struct call *call, struct error *error)
{
	const struct model *model = call_model(call);

	(void)error;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		xml_open(call->xml, sets[i].set);
		for (size_t j = 0; j < model->scope_count; j++)
			for_each_resource (struct resource, resource, model->scopes[j],
					   sets[i].kind)
				reply_item(call, resource);
		xml_close(call->xml);
	}
	return 0;
}
