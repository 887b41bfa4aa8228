/* DHCP option sets. */
#include "api/actions.h"
#include "model/dhcp.h"

#define NO_OPTIONS "default" /* in place of an id: the VPC is to have no set */

static void requests_clear(struct dhcp_request **requests)
{
	for (struct dhcp_request *request = *requests; request && request->key; request++)
		free(request->values);
	free(*requests);
}

/* The options asked for, ended by one without a key. */
static int read_requests(const struct call *call, struct dhcp_request **ret_requests,
			 size_t *ret_count, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "DhcpConfiguration", &indices);
	CLEANUP(requests_clear)
	struct dhcp_request *requests = xcalloc(count + 1, sizeof(*requests));

	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep)
		char *prefix = xasprintf("DhcpConfiguration.%u.Value", indices[i]);
		CLEANUP(freep) unsigned int *values = NULL;
		size_t value_count = params_indices(call->params, prefix, &values);
		struct dhcp_request *request = &requests[i];

		request->key = params_get(call->params, "DhcpConfiguration.%u.Key", indices[i]);
		if (!request->key)
			return error_set(error, ERROR_MISSING_PARAMETER,
					 "The request must contain the parameter "
					 "DhcpConfiguration.%u.Key",
					 indices[i]);
		for (size_t j = 0; j < value_count; j++)
			*array_grow(&request->values, &request->value_count) =
				params_get(call->params, "%s.%u", prefix, values[j]);
	}
	*ret_requests = steal(&requests);
	*ret_count = count;
	return 0;
}

int create_dhcp_options(struct call *call, struct error *error)
{
	CLEANUP(requests_clear) struct dhcp_request *requests = NULL;
	struct dhcp_options *options;
	size_t count = 0;
	int r;

	if ((r = read_requests(call, &requests, &count, error)) < 0 ||
	    (r = dhcp_create(&call->transaction, call->scope, requests, count, &options, error)) <
		    0 ||
	    (r = call_tag(call, options, error)) < 0)
		return r;
	reply_resource(call, "dhcpOptions", options);
	return 0;
}

static int options_call(struct call *call, struct dhcp_options **ret_options, struct error *error)
{
	return call_resource(call, "DhcpOptionsId", KIND_DHCP_OPTIONS, ret_options, error);
}

int delete_dhcp_options(struct call *call, struct error *error)
{
	struct dhcp_options *options;
	int r;

	if ((r = options_call(call, &options, error)) < 0 ||
	    (r = dhcp_delete(&call->transaction, options, error)) < 0)
		return r;
	return reply_true(call);
}

int associate_dhcp_options(struct call *call, struct error *error)
{
	struct dhcp_options *options = NULL;
	struct vpc *vpc;
	int r = 0;

	if (!streq(call_text(call, "DhcpOptionsId"), NO_OPTIONS))
		r = options_call(call, &options, error);
	if (r < 0 || (r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0)
		return r;
	dhcp_associate(&call->transaction, options, vpc);
	return reply_true(call);
}

int describe_dhcp_options(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "dhcpOptionsSet",
		.kind = KIND_DHCP_OPTIONS,
		.ids = "DhcpOptionsId",
		.minimum = 5,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}
