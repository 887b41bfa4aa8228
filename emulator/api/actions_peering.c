/* VPC peering connections. */
#include "api/actions.h"
#include "model/peering.h"
#include "model/region.h"

/* A connection that the caller is no party to is as good as none. */
int call_peering(const struct call *call, struct peering **ret_peering, struct error *error)
{
	const char *text = call_text(call, "VpcPeeringConnectionId");
	struct peering *peering;
	struct rid id;

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter VpcPeeringConnectionId");
	if (rid_parse(text, KIND_VPC_PEERING, &id) < 0)
		return malformed(KIND_VPC_PEERING, text, error);
	peering = peering_get(call_model(call), id);
	if (!peering || !peering_is_of(peering, call->scope))
		return not_found(KIND_VPC_PEERING, text, false, error);
	*ret_peering = peering;
	return 0;
}

/* ---- create ---- */

static int read_owner(const struct call *call, const char **ret_owner, struct error *error)
{
	const char *text = call_text(call, "PeerOwnerId");

	if (!text || !*text)
		text = call->scope->account;
	if (strlen(text) != 12 || strspn(text, "0123456789") != 12)
		return error_set(error, ERROR_USER_ID_MALFORMED, "Invalid user id: \"%s\"", text);
	*ret_owner = text;
	return 0;
}

static int read_region(const struct call *call, const char **ret_region, struct error *error)
{
	const char *text = call_text(call, "PeerRegion");

	if (!text || !*text)
		text = call->scope->region;
	if (!region_find(text))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter peerRegion is invalid. There is no such "
				 "region.",
				 text);
	*ret_region = text;
	return 0;
}

static int read_request(const struct call *call, struct peering_request *request,
			struct error *error)
{
	const char *peer = call_text(call, "PeerVpcId");
	int r;

	if (!peer || !*peer)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter PeerVpcId");
	if ((r = call_resource(call, "VpcId", KIND_VPC, &request->vpc, error)) < 0)
		return r;
	if (rid_parse(peer, KIND_VPC, &request->peer) < 0)
		return malformed(KIND_VPC, peer, error);
	if ((r = read_owner(call, &request->peer_account, error)) < 0)
		return r;
	return read_region(call, &request->peer_region, error);
}

int create_vpc_peering_connection(struct call *call, struct error *error)
{
	struct peering_request request;
	struct peering *peering;
	int r;

	if ((r = read_request(call, &request, error)) < 0 ||
	    (r = peering_create(&call->transaction, &request, &peering, error)) < 0 ||
	    (r = call_tag(call, peering, error)) < 0)
		return r;
	reply_resource(call, "vpcPeeringConnection", peering);
	peering_settle(&call->transaction, peering);
	return 0;
}

/* ---- answers ---- */

int accept_vpc_peering_connection(struct call *call, struct error *error)
{
	struct peering *peering, seen;
	int r;

	if ((r = call_peering(call, &peering, error)) < 0 ||
	    (r = peering_accept(&call->transaction, peering, call->scope, error)) < 0)
		return r;
	seen = peering_as_seen(peering, call->scope);
	reply_resource(call, "vpcPeeringConnection", &seen);
	peering_settle(&call->transaction, peering);
	return 0;
}

static int finish(struct call *call,
		  int (*verb)(struct transaction *, struct peering *, const struct scope *,
			      struct error *),
		  struct error *error)
{
	struct peering *peering;
	int r;

	if ((r = call_peering(call, &peering, error)) < 0 ||
	    (r = verb(&call->transaction, peering, call->scope, error)) < 0)
		return r;
	return reply_true(call);
}

int reject_vpc_peering_connection(struct call *call, struct error *error)
{
	return finish(call, peering_reject, error);
}

int delete_vpc_peering_connection(struct call *call, struct error *error)
{
	return finish(call, peering_delete, error);
}

/* ---- describe ---- */

static bool is_seen(const struct resource *resource, const struct scope *scope)
{
	return peering_is_of((const struct peering *)resource, scope);
}

int describe_vpc_peering_connections(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "vpcPeeringConnectionSet",
		.kind = KIND_VPC_PEERING,
		.ids = "VpcPeeringConnectionId",
		.minimum = 5,
		.maximum = 1000,
		.sees = is_seen,
	};

	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	CLEANUP(freep) struct peering *seen = NULL;
	int r = resource_rows(call, &listing, &rows, error);

	seen = xcalloc(rows.count, sizeof(*seen));
	for (size_t i = 0; i < rows.count; i++) {
		seen[i] = peering_as_seen(rows.items[i].object, call->scope);
		rows.items[i].resource = &seen[i].resource;
		rows.items[i].object = &seen[i];
	}
	return r < 0 ? r : describe_rows(call, &listing, &rows, error);
}

/* ---- options ---- */

#define REMOTE_DNS ".AllowDnsResolutionFromRemoteVpc"

static void reply_options(struct call *call, const char *name, const bool *remote_dns)
{
	if (!remote_dns)
		return;
	xml_open(call->xml, name);
	xml_bool(call->xml, "allowDnsResolutionFromRemoteVpc", *remote_dns);
	xml_close(call->xml);
}

/* EC2-Classic is no more: what is about it can only be switched off. */
static int refuse_classic(const struct call *call, struct error *error)
{
	static const char *const names[] = {
		"AccepterPeeringConnectionOptions.AllowEgressFromLocalClassicLinkToRemoteVpc",
		"AccepterPeeringConnectionOptions.AllowEgressFromLocalVpcToRemoteClassicLink",
		"RequesterPeeringConnectionOptions.AllowEgressFromLocalClassicLinkToRemoteVpc",
		"RequesterPeeringConnectionOptions.AllowEgressFromLocalVpcToRemoteClassicLink",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (call_bool(call, names[i], false))
			return error_set(error, ERROR_UNSUPPORTED_OPERATION,
					 "The parameter %s is not supported.", names[i]);
	return 0;
}

int modify_vpc_peering_connection_options(struct call *call, struct error *error)
{
	bool a, b;
	const bool *requester =
		call_optional_bool(call, "RequesterPeeringConnectionOptions" REMOTE_DNS, &a);
	const bool *accepter =
		call_optional_bool(call, "AccepterPeeringConnectionOptions" REMOTE_DNS, &b);
	struct peering *peering;
	int r;

	if ((r = call_peering(call, &peering, error)) < 0 ||
	    (r = refuse_classic(call, error)) < 0 ||
	    (r = peering_set_dns(&call->transaction, peering, call->scope, requester, accepter,
				 error)) < 0)
		return r;
	reply_options(call, "accepterPeeringConnectionOptions", accepter);
	reply_options(call, "requesterPeeringConnectionOptions", requester);
	return 0;
}
