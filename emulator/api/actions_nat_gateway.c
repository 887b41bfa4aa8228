/* NAT gateways. */
#include "api/actions.h"
#include "api/interface_params.h"
#include "model/elastic_ip.h"
#include "model/nat_gateway.h"
#include "model/traffic.h"

/* ---- create ---- */

static int check_mode(const struct call *call, struct error *error)
{
	const char *mode = call_text(call, "AvailabilityMode");

	if (call_text(call, "VpcId") || (mode && !streq(mode, "zonal")))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "Regional NAT gateways are not supported: a NAT gateway is in one "
				 "subnet.");
	return 0;
}

static int read_connectivity(const struct call *call, bool *ret_private, struct error *error)
{
	const char *text = call_text(call, "ConnectivityType");

	*ret_private = streq(text, "private");
	if (!text || *ret_private || streq(text, "public"))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter connectivityType is invalid. It must be public "
			 "or private.",
			 text);
}

static int add_allocation(const struct call *call, const char *text, struct nat_request *request,
			  struct error *error)
{
	const struct elastic_ip *elastic_ip;
	int r = call_find(call, text, KIND_ELASTIC_IP, &elastic_ip, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < request->allocation_count; i++)
		if (rid_equal(request->allocations[i].id, elastic_ip->resource.id))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The allocation ID '%s' is specified more than once",
					 text);
	array_grow(&request->allocations, &request->allocation_count)->id = elastic_ip->resource.id;
	return 0;
}

static int read_elastic_ips(const struct call *call, const char *name, struct nat_request *request,
			    struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, name, &indices);
	int r = 0;

	for (size_t i = 0; r == 0 && i < given; i++)
		r = add_allocation(call, params_get(call->params, "%s.%u", name, indices[i]),
				   request, error);
	return r;
}

static int read_allocations(const struct call *call, struct nat_request *request,
			    struct error *error)
{
	const bool given = call_has_list(call, "SecondaryAllocationId");
	const char *first = call_text(call, "AllocationId");
	int r;

	if (request->is_private && (first || given))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "An AllocationId can't be specified for a private NAT gateway.");
	if (request->is_private)
		return 0;
	if (!first || !*first)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must include the AllocationId parameter. Add the "
				 "required parameter and retry the request.");
	r = add_allocation(call, first, request, error);
	return r < 0 ? r : read_elastic_ips(call, "SecondaryAllocationId", request, error);
}

/* Private addresses; how many more to choose is a private gateway's to say alone. */
static int read_private_addresses(const struct call *call, struct nat_request *request,
				  struct error *error)
{
	const char *primary = call_text(call, "PrivateIpAddress");
	int r;

	if ((primary && (r = read_address(primary, &request->address, error)) < 0) ||
	    (r = read_listed(call, "SecondaryPrivateIpAddress", &request->secondaries,
			     &request->secondary_count, error)) < 0 ||
	    (r = read_count(call, "SecondaryPrivateIpAddressCount", &request->more, error)) < 0)
		return r;
	if (request->more && (!request->is_private || request->secondary_count))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "SecondaryPrivateIpAddressCount can only be specified for a "
				 "private NAT gateway, and without SecondaryPrivateIpAddress.");
	if (!request->is_private && request->secondary_count &&
	    request->secondary_count + 1 != request->allocation_count)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "There must be as many SecondaryPrivateIpAddress as there are "
				 "SecondaryAllocationId.");
	return 0;
}

static int read_request(const struct call *call, struct nat_request *request, struct error *error)
{
	int r;

	if ((r = check_mode(call, error)) < 0 ||
	    (r = call_resource(call, "SubnetId", KIND_SUBNET, &request->subnet, error)) < 0 ||
	    (r = read_connectivity(call, &request->is_private, error)) < 0 ||
	    (r = read_allocations(call, request, error)) < 0)
		return r;
	return read_private_addresses(call, request, error);
}

int create_nat_gateway(struct call *call, struct error *error)
{
	CLEANUP(nat_request_clear) struct nat_request request = { 0 };
	CLEANUP(freep) char *digest = call_digest(call);
	const char *token = call_text(call, "ClientToken");
	struct nat_gateway *gateway;
	int r;

	if ((r = read_request(call, &request, error)) < 0)
		return r;
	if (token && *token) {
		request.client_token = token;
		request.token_digest = digest;
	}
	if ((r = nat_gateway_create(&call->transaction, &request, &gateway, error)) < 0 ||
	    (gateway->state == NAT_PENDING && (r = call_tag(call, gateway, error)) < 0))
		return r;
	xml_text(call->xml, "clientToken", token);
	reply_resource(call, "natGateway", gateway);
	nat_gateway_settle(&call->transaction, gateway);
	return 0;
}

/* ---- its addresses ---- */

static int nat_call(const struct call *call, struct nat_gateway **ret_gateway, struct error *error)
{
	return call_resource(call, "NatGatewayId", KIND_NAT_GATEWAY, ret_gateway, error);
}

static int check_kind(const struct nat_gateway *gateway, bool is_private, struct error *error)
{
	if (gateway->is_private == is_private)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "The NAT gateway %s is %s",
			 rid_format(gateway->resource.id).text,
			 gateway->is_private ? "private" : "public");
}

/* The addresses that the call was about: those from `first` on. */
static void reply_addresses(struct call *call, const struct nat_gateway *gateway, size_t first)
{
	struct view view = { call_model(call), &gateway->resource, gateway };

	xml_text(call->xml, "natGatewayId", rid_format(gateway->resource.id).text);
	xml_open(call->xml, "natGatewayAddressSet");
	for (size_t i = first; i < gateway->address_count; i++) {
		view.object = &gateway->addresses[i];
		xml_open(call->xml, "item");
		reply_fields(call, nat_address_fields, &view);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

/* Each Elastic IP with the private address at its place, or one that is chosen. */
static int associate(struct call *call, struct nat_gateway *gateway, struct nat_request *request,
		     struct error *error)
{
	struct assignment assignment = { .addresses = request->secondaries,
					 .count = request->secondary_count };

	if (request->secondary_count && request->secondary_count != request->allocation_count)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "There must be as many PrivateIpAddress as there are "
				 "AllocationId.");
	if (!request->secondary_count)
		assignment.more = request->allocation_count;
	return nat_gateway_assign(&call->transaction, gateway, &assignment, request->allocations,
				  error);
}

int associate_nat_gateway_address(struct call *call, struct error *error)
{
	CLEANUP(nat_request_clear) struct nat_request request = { 0 };
	struct nat_gateway *gateway;
	size_t first;
	int r;

	if ((r = nat_call(call, &gateway, error)) < 0 ||
	    (r = check_kind(gateway, false, error)) < 0 ||
	    (r = read_elastic_ips(call, "AllocationId", &request, error)) < 0 ||
	    (r = read_listed(call, "PrivateIpAddress", &request.secondaries,
			     &request.secondary_count, error)) < 0)
		return r;
	first = gateway->address_count;
	if ((r = associate(call, gateway, &request, error)) < 0)
		return r;
	reply_addresses(call, gateway, first);
	return 0;
}

int assign_private_nat_gateway_address(struct call *call, struct error *error)
{
	CLEANUP(nat_request_clear) struct nat_request request = { 0 };
	struct assignment assignment = { 0 };
	struct nat_gateway *gateway;
	size_t first;
	int r;

	if ((r = nat_call(call, &gateway, error)) < 0 ||
	    (r = check_kind(gateway, true, error)) < 0 ||
	    (r = read_listed(call, "PrivateIpAddress", &request.secondaries,
			     &request.secondary_count, error)) < 0 ||
	    (r = read_count(call, "PrivateIpAddressCount", &assignment.more, error)) < 0)
		return r;
	if (!request.secondary_count == !assignment.more)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Either PrivateIpAddress or PrivateIpAddressCount must be "
				 "specified");
	assignment.addresses = request.secondaries;
	assignment.count = request.secondary_count;
	first = gateway->address_count;
	if ((r = nat_gateway_assign(&call->transaction, gateway, &assignment, NULL, error)) < 0)
		return r;
	reply_addresses(call, gateway, first);
	return 0;
}

/* The reply shows what goes, so it is written before. */
static int unassign(struct call *call, struct nat_gateway *gateway,
		    const struct interface_address *addresses, size_t count, struct error *error)
{
	struct view view = { call_model(call), &gateway->resource, gateway };

	xml_text(call->xml, "natGatewayId", rid_format(gateway->resource.id).text);
	xml_open(call->xml, "natGatewayAddressSet");
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < gateway->address_count; j++) {
			view.object = &gateway->addresses[j];
			if (!address_equal(gateway->addresses[j].address, addresses[i].address))
				continue;
			xml_open(call->xml, "item");
			reply_fields(call, nat_address_fields, &view);
			xml_close(call->xml);
		}
	xml_close(call->xml);
	return nat_gateway_unassign(&call->transaction, gateway, addresses, count, error);
}

static int find_associated(const struct nat_gateway *gateway, const char *text,
			   struct nat_request *request, struct error *error)
{
	struct rid id;

	if (rid_parse(text, KIND_ADDRESS_ASSOCIATION, &id) < 0)
		return malformed(KIND_ADDRESS_ASSOCIATION, text, error);
	for (size_t i = 0; i < gateway->address_count; i++)
		if (rid_equal(gateway->addresses[i].association, id)) {
			array_grow(&request->secondaries, &request->secondary_count)->address =
				gateway->addresses[i].address;
			return 0;
		}
	return not_found(KIND_ADDRESS_ASSOCIATION, text, false, error);
}

int disassociate_nat_gateway_address(struct call *call, struct error *error)
{
	CLEANUP(nat_request_clear) struct nat_request request = { 0 };
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, "AssociationId", &indices);
	struct nat_gateway *gateway;
	int r = nat_call(call, &gateway, error);

	for (size_t i = 0; r == 0 && i < given; i++)
		r = find_associated(gateway,
				    params_get(call->params, "AssociationId.%u", indices[i]),
				    &request, error);
	return r < 0 ? r
		     : unassign(call, gateway, request.secondaries, request.secondary_count, error);
}

int unassign_private_nat_gateway_address(struct call *call, struct error *error)
{
	CLEANUP(nat_request_clear) struct nat_request request = { 0 };
	struct nat_gateway *gateway;
	int r;

	if ((r = nat_call(call, &gateway, error)) < 0 ||
	    (r = check_kind(gateway, true, error)) < 0 ||
	    (r = read_listed(call, "PrivateIpAddress", &request.secondaries,
			     &request.secondary_count, error)) < 0)
		return r;
	return unassign(call, gateway, request.secondaries, request.secondary_count, error);
}

/* ---- delete, describe ---- */

int delete_nat_gateway(struct call *call, struct error *error)
{
	struct nat_gateway *gateway;
	int r = nat_call(call, &gateway, error);

	if (r < 0)
		return r;
	if (gateway->state == NAT_DELETED)
		return not_found(KIND_NAT_GATEWAY, call_text(call, "NatGatewayId"), false, error);
	nat_gateway_delete(&call->transaction, gateway);
	xml_text(call->xml, "natGatewayId", call_text(call, "NatGatewayId"));
	return 0;
}

int describe_nat_gateways(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "natGatewaySet",
		.kind = KIND_NAT_GATEWAY,
		.ids = "NatGatewayId",
		.minimum = 5,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

/* ---- what they translate now: a private action ---- */

static void reply_counts(struct call *call, const struct api_nat_counts *counts)
{
	xml_int(call->xml, "connections", (int64_t)counts->connections);
	if (counts->busiest) {
		xml_int(call->xml, "busiestConnections", (int64_t)counts->busiest);
		xml_text(call->xml, "busiestAddress", address_format(counts->destination).text);
		xml_text(call->xml, "busiestProtocol", traffic_protocol_name(counts->protocol));
		if (counts->port)
			xml_int(call->xml, "busiestPort", counts->port);
	}
	xml_int(call->xml, "portErrors", (int64_t)counts->port_errors);
}

static int reply_gateway(struct call *call, const struct nat_gateway *gateway, struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	const struct scope *scope = gateway->resource.scope;
	struct api_nat_counts counts;
	int r = hooks->nat_counts(hooks->context, gateway->resource.id, &counts, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "item");
	xml_text(call->xml, "natGatewayId", rid_format(gateway->resource.id).text);
	xml_text(call->xml, "name", resource_tag(&gateway->resource, "Name"));
	xml_text(call->xml, "subnetId", rid_format(gateway->subnet).text);
	xml_text(call->xml, "vpcId", rid_format(gateway->vpc).text);
	xml_text(call->xml, "privateIpAddress", address_format(gateway->addresses[0].address).text);
	if (address_is_set(gateway->addresses[0].public_address))
		xml_text(call->xml, "publicIpAddress",
			 address_format(gateway->addresses[0].public_address).text);
	reply_counts(call, &counts);
	xml_text(call->xml, "region", scope->region);
	xml_text(call->xml, "account", scope->account);
	xml_close(call->xml);
	return 0;
}

int list_nat_gateways(struct call *call, struct error *error)
{
	const struct model *model = call_model(call);
	int r = 0;

	xml_open(call->xml, "natGatewaySet");
	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct nat_gateway, gateway, model->scopes[i], KIND_NAT_GATEWAY)
			if (r == 0 && gateway->state == NAT_AVAILABLE)
				r = reply_gateway(call, gateway, error);
	xml_close(call->xml);
	return r;
}
