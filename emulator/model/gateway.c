/* Internet gateways: see gateway.h. */
#include "model/gateway.h"

#include "model/interface.h"
#include "model/internet.h"
#include "model/route.h"

static bool child_attachment(const struct view *view, size_t index, struct view *ret_child)
{
	const struct gateway *gateway = view->object;

	*ret_child = *view;
	return index == 0 && rid_is_set(gateway->vpc);
}

static const struct field attachment_fields[] = {
	/* The API model says "attached"; real replies, and Terraform, say "available". */
	FIELD_CONST_OF("available", "state", "attachment.state"),
	FIELD_OF(struct gateway, vpc, FIELD_RID, "vpcId", "attachment.vpc-id", FIELD_SHOWN),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct gateway),
	FIELD_GET_OF(get_id, "internetGatewayId", "internet-gateway-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_CHILDREN_OF(child_attachment, attachment_fields, "attachmentSet"),
	FIELD_OF(struct gateway, vpc, FIELD_RID, "vpc", NULL, FIELD_STORED),
	FIELD_OF(struct gateway, realized, FIELD_BOOL, "realized", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type gateway_type = {
	.kind = KIND_INTERNET_GATEWAY,
	.size = sizeof(struct gateway),
	.fields = fields,
	.tag_type = "internet-gateway",
};

struct gateway *gateway_get(const struct model *model, struct rid id)
{
	return (struct gateway *)model_get(model, NULL, id);
}

struct gateway *gateway_of(const struct vpc *vpc)
{
	for_each_resource (struct gateway, gateway, vpc->resource.scope, KIND_INTERNET_GATEWAY)
		if (rid_equal(gateway->vpc, vpc->resource.id))
			return gateway;
	return NULL;
}

int gateway_create(struct transaction *transaction, struct scope *scope,
		   struct gateway **ret_gateway, struct error *error)
{
	struct gateway *gateway;
	int r = quota_check(transaction->model, QUOTA_INTERNET_GATEWAYS,
			    scope->lists[KIND_INTERNET_GATEWAY].count + 1, error);

	if (r < 0)
		return r;
	gateway = transaction_create(transaction, scope, KIND_INTERNET_GATEWAY);
	gateway->realized = true;
	internet_realize(transaction);
	*ret_gateway = gateway;
	return 0;
}

int gateway_attach(struct transaction *transaction, struct gateway *gateway, struct vpc *vpc,
		   struct error *error)
{
	if (rid_is_set(gateway->vpc))
		return error_set(error, ERROR_ALREADY_ASSOCIATED,
				 "resource %s is already attached to network %s",
				 rid_format(gateway->resource.id).text,
				 rid_format(gateway->vpc).text);
	if (gateway_of(vpc))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Network %s already has an internet gateway attached",
				 rid_format(vpc->resource.id).text);
	transaction_edit(transaction, gateway);
	gateway->vpc = vpc->resource.id;
	vpc_realize(transaction, vpc);
	return 0;
}

static bool has_public_address(const struct model *model, const struct interface *interface)
{
	bool found = false;

	for_each_interface_address(address, interface) found |=
		address_is_set(interface_public_at(model, interface, address));
	return found;
}

static bool has_public_addresses(const struct model *model, const struct vpc *vpc)
{
	for_each_resource (struct interface, interface, vpc->resource.scope, KIND_NETWORK_INTERFACE)
		if (rid_equal(interface->vpc, vpc->resource.id) &&
		    has_public_address(model, interface))
			return true;
	return false;
}

int gateway_detach(struct transaction *transaction, struct gateway *gateway, struct vpc *vpc,
		   struct error *error)
{
	if (!rid_equal(gateway->vpc, vpc->resource.id))
		return error_set(error, ERROR_GATEWAY_NOT_ATTACHED,
				 "resource %s is not attached to network %s",
				 rid_format(gateway->resource.id).text,
				 rid_format(vpc->resource.id).text);
	if (has_public_addresses(transaction->model, vpc))
		return error_set(
			error, ERROR_DEPENDENCY_VIOLATION,
			"Network %s has some mapped public address(es). Please unmap those "
			"public address(es) before detaching the gateway.",
			rid_format(vpc->resource.id).text);
	transaction_edit(transaction, gateway);
	gateway->vpc = (struct rid){ KIND_NONE, 0 };
	return 0;
}

int gateway_delete(struct transaction *transaction, struct gateway *gateway, struct error *error)
{
	if (rid_is_set(gateway->vpc))
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "The internetGateway '%s' has dependencies and cannot be deleted.",
				 rid_format(gateway->resource.id).text);
	route_table_forget(transaction, gateway->resource.scope, gateway->resource.id);
	transaction_delete(transaction, gateway);
	return 0;
}
