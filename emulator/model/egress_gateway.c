/* Egress-only internet gateways: see egress_gateway.h. */
#include "model/egress_gateway.h"

static const struct field attachment_fields[] = {
	FIELD_CONST_OF("attached", "state", NULL),
	FIELD_OF(struct egress_gateway, vpc, FIELD_RID, "vpcId", NULL, FIELD_SHOWN),
	FIELD_END,
};

static bool child_attachment(const struct view *view, size_t index, struct view *ret_child)
{
	return child_self(view, index, ret_child) && index == 0;
}

static const struct field fields[] = {
	RESOURCE_FIELDS(struct egress_gateway),
	FIELD_GET_OF(get_id, "egressOnlyInternetGatewayId", NULL),
	FIELD_CHILDREN_OF(child_attachment, attachment_fields, "attachmentSet"),
	FIELD_OF(struct egress_gateway, vpc, FIELD_RID, "vpc", NULL, FIELD_STORED),
	FIELD_OF(struct egress_gateway, client_token, FIELD_TEXT, "clientToken", NULL,
		 FIELD_STORED),
	FIELD_END,
};

const struct resource_type egress_gateway_type = {
	.kind = KIND_EGRESS_GATEWAY,
	.size = sizeof(struct egress_gateway),
	.fields = fields,
	.tag_type = "egress-only-internet-gateway",
};

struct egress_gateway *egress_gateway_of(const struct vpc *vpc)
{
	for_each_resource (struct egress_gateway, gateway, vpc->resource.scope, KIND_EGRESS_GATEWAY)
		if (rid_equal(gateway->vpc, vpc->resource.id))
			return gateway;
	return NULL;
}

int egress_gateway_create(struct transaction *transaction, struct vpc *vpc,
			  const char *client_token, struct egress_gateway **ret_gateway,
			  struct error *error)
{
	struct scope *scope = vpc->resource.scope;
	int r;

	for_each_resource (struct egress_gateway, gateway, scope, KIND_EGRESS_GATEWAY) {
		if (!client_token || !streq(gateway->client_token, client_token))
			continue;
		if (!rid_equal(gateway->vpc, vpc->resource.id))
			return idempotent_mismatch(error);
		*ret_gateway = gateway;
		return 0;
	}
	if (egress_gateway_of(vpc))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Network %s already has an egress-only internet gateway attached",
				 rid_format(vpc->resource.id).text);
	if ((r = quota_check(transaction->model, QUOTA_EGRESS_GATEWAYS,
			     scope->lists[KIND_EGRESS_GATEWAY].count + 1, error)) < 0)
		return r;
	*ret_gateway = transaction_create(transaction, scope, KIND_EGRESS_GATEWAY);
	(*ret_gateway)->vpc = vpc->resource.id;
	(*ret_gateway)->client_token = xstrdup_null(client_token);
	return 0;
}
