/* NAT gateways: see nat_gateway.h. */
#include "model/nat_gateway.h"

#include "model/elastic_ip.h"
#include "model/fault.h"
#include "model/gateway.h"

#define SHOWN_FOR 3600 /* seconds, once it has failed or was deleted */

/* ---- what clients see ---- */

static const char *const state_names[] = { "pending", "failed", "available", "deleted", NULL };

static const struct nat_gateway *seen(const struct view *view)
{
	return (const struct nat_gateway *)view->resource;
}

static const char *get_connectivity(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return seen(view)->is_private ? "private" : "public";
}

static const char *get_interface(const struct view *view, struct buffer *scratch)
{
	const struct rid interface = seen(view)->interface;

	return rid_is_set(interface) ? get_print(scratch, "%s", rid_format(interface).text) : NULL;
}

static const char *get_primary(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return view->object == seen(view)->addresses ? "true" : "false";
}

static const char *get_status(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return seen(view)->failure_code ? "failed" : "succeeded";
}

const struct field nat_address_fields[] = {
	FIELD_OF(struct nat_address, allocation, FIELD_RID, "allocationId", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_interface, "networkInterfaceId", NULL),
	FIELD_OF(struct nat_address, address, FIELD_ADDRESS, "privateIp", NULL, FIELD_BOTH),
	FIELD_OF(struct nat_address, public_address, FIELD_ADDRESS, "publicIp", NULL, FIELD_BOTH),
	FIELD_OF(struct nat_address, association, FIELD_RID, "associationId", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_primary, "isPrimary", NULL),
	FIELD_GET_OF(get_status, "status", NULL),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct nat_gateway),
	FIELD_GET_OF(get_id, "natGatewayId", "nat-gateway-id"),
	FIELD_OF(struct nat_gateway, subnet, FIELD_RID, "subnetId", "subnet-id", FIELD_BOTH),
	FIELD_OF(struct nat_gateway, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_ENUM_OF(struct nat_gateway, state, state_names, "state", "state", FIELD_BOTH),
	FIELD_GET_OF(get_connectivity, "connectivityType", NULL),
	FIELD_OF(struct nat_gateway, create_time, FIELD_TIME, "createTime", NULL, FIELD_BOTH),
	FIELD_OF(struct nat_gateway, delete_time, FIELD_TIME, "deleteTime", NULL, FIELD_BOTH),
	FIELD_OF(struct nat_gateway, failure_code, FIELD_TEXT, "failureCode", NULL, FIELD_BOTH),
	FIELD_OF(struct nat_gateway, failure_message, FIELD_TEXT, "failureMessage", NULL,
		 FIELD_BOTH),
	FIELD_LIST_OF(struct nat_gateway, addresses, address_count, nat_address_fields,
		      "natGatewayAddressSet", FIELD_BOTH),
	FIELD_OF(struct nat_gateway, interface, FIELD_RID, "interface", NULL, FIELD_STORED),
	FIELD_OF(struct nat_gateway, is_private, FIELD_BOOL, "isPrivate", NULL, FIELD_STORED),
	FIELD_OF(struct nat_gateway, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_OF(struct nat_gateway, token_digest, FIELD_TEXT, "tokenDigest", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type nat_gateway_type = {
	.kind = KIND_NAT_GATEWAY,
	.size = sizeof(struct nat_gateway),
	.fields = fields,
	.tag_type = "natgateway",
};

struct nat_gateway *nat_gateway_get(const struct model *model, struct rid id)
{
	return id.kind == KIND_NAT_GATEWAY ? (struct nat_gateway *)model_get(model, NULL, id)
					   : NULL;
}

/* ---- create ---- */

void nat_request_clear(struct nat_request *request)
{
	freep(&request->allocations);
	freep(&request->secondaries);
	request->allocation_count = request->secondary_count = 0;
}

/* How many private addresses it takes. */
static size_t addresses_of(const struct nat_request *request)
{
	const size_t named = 1 + request->secondary_count + request->more;

	return MAX(named, request->allocation_count);
}

static int check_quota(const struct model *model, const struct subnet *subnet, struct error *error)
{
	size_t count = 1;

	for_each_resource (struct nat_gateway, other, subnet->resource.scope, KIND_NAT_GATEWAY) {
		const struct subnet *of = subnet_get(model, other->subnet);

		count += (other->state == NAT_PENDING || other->state == NAT_AVAILABLE) &&
			 of->zone == subnet->zone;
	}
	if ((int64_t)count <= quota_of(model, QUOTA_NAT_GATEWAYS))
		return 0;
	return error_subject(error, ERROR_QUOTA, "nat",
			     "Performing this operation would exceed the limit of %lld NAT "
			     "gateways",
			     (long long)quota_of(model, QUOTA_NAT_GATEWAYS));
}

static void fail(struct nat_gateway *gateway, const char *code, const char *message)
{
	gateway->failure_code = xstrdup(code);
	gateway->failure_message = xstrdup(message);
}

/* What AWS finds out while it makes one; true: it fails. */
static bool check_possible(const struct model *model, const struct nat_request *request,
			   struct nat_gateway *gateway)
{
	const struct vpc *vpc = vpc_get(model, gateway->vpc);
	CLEANUP(freep) char *text = NULL;

	if (!request->is_private && !gateway_of(vpc)) {
		text = xasprintf("Network %s has no Internet gateway attached",
				 rid_format(gateway->vpc).text);
		fail(gateway, "Gateway.NotAttached", text);
		return true;
	}
	for (size_t i = 0; i < request->allocation_count; i++) {
		const struct elastic_ip *elastic_ip =
			elastic_ip_get(model, request->allocations[i].id);

		if (!rid_is_set(elastic_ip->association))
			continue;
		text = xasprintf("Elastic IP address [%s] is already associated",
				 rid_format(elastic_ip->resource.id).text);
		fail(gateway, "Resource.AlreadyAssociated", text);
		return true;
	}
	if (subnet_free_addresses(model, request->subnet) < (int64_t)addresses_of(request)) {
		fail(gateway, "InsufficientFreeAddressesInSubnet",
		     "Subnet has insufficient free addresses to create this NAT gateway");
		return true;
	}
	return false;
}

static int make_interface(struct transaction *transaction, const struct nat_request *request,
			  struct nat_gateway *gateway, struct interface **ret_interface,
			  struct error *error)
{
	CLEANUP(freep)
	char *description =
		xasprintf("Interface for NAT Gateway %s", rid_format(gateway->resource.id).text);
	const struct interface_request wanted = {
		.subnet = request->subnet,
		.address = request->address,
		.secondaries = request->secondaries,
		.secondary_count = request->secondary_count,
		.more = addresses_of(request) - 1 - request->secondary_count,
		.nat_gateway = gateway->resource.id,
		.description = description,
	};

	return interface_create(transaction, &wanted, ret_interface, error);
}

static int bind_address(struct transaction *transaction, struct nat_gateway *gateway, size_t index,
			const struct rid_item *allocation, struct error *error)
{
	struct interface *interface = interface_get(transaction->model, gateway->interface);
	struct elastic_ip *elastic_ip = elastic_ip_get(transaction->model, allocation->id);
	struct nat_address *address = &gateway->addresses[index];
	int r = elastic_ip_associate(transaction, elastic_ip, interface, address->address, false,
				     error);

	if (r < 0)
		return r;
	address->allocation = allocation->id;
	address->association = elastic_ip->association;
	address->public_address = elastic_ip->address;
	return 0;
}

/* Its addresses, each with the Elastic IP it has. */
static int make_addresses(struct transaction *transaction, const struct nat_request *request,
			  struct nat_gateway *gateway, struct error *error)
{
	struct interface *interface;
	int r = make_interface(transaction, request, gateway, &interface, error);

	if (r < 0)
		return r;
	gateway->interface = interface->resource.id;
	for_each_interface_address(address, interface)
		array_grow(&gateway->addresses, &gateway->address_count)
			->address = address;
	for (size_t i = 0; r == 0 && i < request->allocation_count; i++)
		r = bind_address(transaction, gateway, i, &request->allocations[i], error);
	return r;
}

/* One that fails has nothing, and shows what it was asked to have. */
static void keep_allocations(const struct nat_request *request, struct nat_gateway *gateway)
{
	for (size_t i = 0; i < request->allocation_count; i++)
		array_grow(&gateway->addresses, &gateway->address_count)->allocation =
			request->allocations[i].id;
}

/* 1: there is one, made with the same token. */
static int find_made(const struct nat_request *request, struct nat_gateway **ret_gateway,
		     struct error *error)
{
	for_each_resource (struct nat_gateway, other, request->subnet->resource.scope,
			   KIND_NAT_GATEWAY) {
		if (!request->client_token || !streq(other->client_token, request->client_token))
			continue;
		*ret_gateway = other;
		return streq(other->token_digest, request->token_digest)
			       ? 1
			       : idempotent_mismatch(error);
	}
	return 0;
}

int nat_gateway_create(struct transaction *transaction, const struct nat_request *request,
		       struct nat_gateway **ret_gateway, struct error *error)
{
	struct subnet *subnet = request->subnet;
	struct nat_gateway *gateway;
	int r = find_made(request, ret_gateway, error);

	if (r)
		return MIN(r, 0);
	if (addresses_of(request) > NAT_ADDRESSES_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A NAT gateway can have at most %d private IPv4 addresses.",
				 NAT_ADDRESSES_MAX);
	if ((r = check_quota(transaction->model, subnet, error)) < 0)
		return r;
	gateway = transaction_create(transaction, subnet->resource.scope, KIND_NAT_GATEWAY);
	gateway->subnet = subnet->resource.id;
	gateway->vpc = subnet->vpc;
	gateway->is_private = request->is_private;
	gateway->create_time = transaction->now;
	gateway->client_token = xstrdup_null(request->client_token);
	gateway->token_digest = xstrdup_null(request->token_digest);
	*ret_gateway = gateway;
	if (!check_possible(transaction->model, request, gateway))
		return make_addresses(transaction, request, gateway, error);
	keep_allocations(request, gateway);
	return 0;
}

void nat_gateway_settle(struct transaction *transaction, struct nat_gateway *gateway)
{
	if (gateway->state != NAT_PENDING)
		return;
	transaction_edit(transaction, gateway);
	gateway->state = gateway->failure_code ? NAT_FAILED : NAT_AVAILABLE;
	if (gateway->failure_code)
		gateway->delete_time = transaction->now;
}

/* ---- its addresses ---- */

static int check_available(const struct nat_gateway *gateway, struct error *error)
{
	if (gateway->state == NAT_AVAILABLE)
		return 0;
	return error_set(error, ERROR_INCORRECT_STATE, "The NAT gateway %s is %s, not available",
			 rid_format(gateway->resource.id).text, state_names[gateway->state]);
}

/* What `interface_assign` has appended, from the first that the gateway doesn't show. */
static int take_over(struct transaction *transaction, struct nat_gateway *gateway,
		     const struct interface *interface, const struct rid_item *allocations,
		     struct error *error)
{
	const size_t first = gateway->address_count;
	int r = 0;

	for (size_t i = first; i <= interface->secondary_count; i++)
		array_grow(&gateway->addresses, &gateway->address_count)->address =
			interface_address_at(interface, i);
	for (size_t i = first; allocations && r == 0 && i < gateway->address_count; i++)
		r = bind_address(transaction, gateway, i, &allocations[i - first], error);
	return r;
}

/* Each Elastic IP is for an address that comes with it. */
static int check_fresh(const struct interface *interface, const struct assignment *assignment,
		       struct error *error)
{
	for (size_t i = 0; i < assignment->count; i++)
		for_each_interface_address(held, interface) if (
			address_equal(
				held,
				assignment->addresses[i]
					.address)) return error_set(error, ERROR_ALREADY_ASSIGNED,
								    "[%s] assigned, but move is "
								    "not allowed.",
								    address_format(held).text);
	return 0;
}

int nat_gateway_assign(struct transaction *transaction, struct nat_gateway *gateway,
		       struct assignment *assignment, const struct rid_item *allocations,
		       struct error *error)
{
	struct interface *interface = interface_get(transaction->model, gateway->interface);
	int r;

	assignment->limit = NAT_ADDRESSES_MAX;
	if ((r = check_available(gateway, error)) < 0 ||
	    (allocations && (r = check_fresh(interface, assignment, error)) < 0) ||
	    (r = interface_assign(transaction, interface, assignment, error)) < 0)
		return r;
	transaction_edit(transaction, gateway);
	return take_over(transaction, gateway, interface, allocations, error);
}

int nat_gateway_unassign(struct transaction *transaction, struct nat_gateway *gateway,
			 const struct interface_address *addresses, size_t count,
			 struct error *error)
{
	struct interface *interface = interface_get(transaction->model, gateway->interface);
	int r;

	if ((r = check_available(gateway, error)) < 0 ||
	    (r = interface_unassign(transaction, interface, addresses, count, error)) < 0)
		return r;
	transaction_edit(transaction, gateway);
	for (size_t i = 0; i < count; i++)
		for (size_t j = gateway->address_count; j-- > 0;)
			if (address_equal(gateway->addresses[j].address, addresses[i].address))
				array_remove(gateway->addresses, &gateway->address_count, j);
	return 0;
}

/* ---- delete ---- */

void nat_gateway_delete(struct transaction *transaction, struct nat_gateway *gateway)
{
	struct interface *interface = interface_get(transaction->model, gateway->interface);

	if (gateway->state == NAT_DELETED)
		return;
	transaction_edit(transaction, gateway);
	gateway->state = NAT_DELETED;
	gateway->delete_time = transaction->now;
	faults_forget(transaction, gateway->resource.id);
	for (size_t i = 0; i < gateway->address_count; i++)
		gateway->addresses[i].association = (struct rid){ KIND_NONE, 0 };
	if (interface)
		interface_remove(transaction, interface);
}

void nat_gateways_age(struct transaction *transaction)
{
	struct model *model = transaction->model;

	for (size_t i = 0; i < model->scope_count; i++) {
		struct resource_list *list = &model->scopes[i]->lists[KIND_NAT_GATEWAY];

		for (size_t j = list->count; j-- > 0;) {
			struct nat_gateway *gateway = (struct nat_gateway *)list->items[j];

			if (gateway->delete_time &&
			    gateway->delete_time + SHOWN_FOR <= transaction->now)
				transaction_delete(transaction, gateway);
		}
	}
}
