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

static int read_allocations(const struct call *call, struct nat_request *request,
			    struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, "SecondaryAllocationId", &indices);
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
	if ((r = add_allocation(call, first, request, error)) < 0)
		return r;
	for (size_t i = 0; i < given; i++)
		if ((r = add_allocation(
			     call, params_get(call->params, "SecondaryAllocationId.%u", indices[i]),
			     request, error)) < 0)
			return r;
	return 0;
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

/* ---- delete, describe ---- */

int delete_nat_gateway(struct call *call, struct error *error)
{
	struct nat_gateway *gateway;
	int r = call_resource(call, "NatGatewayId", KIND_NAT_GATEWAY, &gateway, error);

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
