/* Network interfaces: made, attached, given addresses. */
#include "api/actions.h"
#include "api/interface_params.h"
#include "model/attachment.h"

#define IPV4_PREFIXES "Ipv4Prefix", "Ipv4PrefixCount"

/*
 * An attachment that has ended is "detached" for a while, to who looks for it by its id: a client
 * that waits for the end must see it. Here that while is until the interface is attached again.
 */
static bool asks_for_attachments(const struct call *call)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "Filter", &indices);

	for (size_t i = 0; i < count; i++)
		if (streq(params_get(call->params, "Filter.%u.Name", indices[i]),
			  "attachment.attachment-id"))
			return true;
	return false;
}

static void show_ended(struct rows *rows, struct interface *copies)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct interface *interface = rows->items[i].object;

		if (!rid_is_set(interface->ended.id))
			continue;
		copies[i] = attachment_ended_view(interface);
		rows->items[i].resource = &copies[i].resource;
		rows->items[i].object = &copies[i];
	}
}

int describe_network_interfaces(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "networkInterfaceSet",
		.kind = KIND_NETWORK_INTERFACE,
		.ids = "NetworkInterfaceId",
		.minimum = 5,
		.maximum = 1000,
		.absent = "association.allocation-id association.association-id "
			  "ipv6-addresses.ipv6-address operator.managed operator.principal "
			  "requester-id",
	};

	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	CLEANUP(freep) struct interface *copies = NULL;
	int r = resource_rows(call, &listing, &rows, error);

	if (r < 0)
		return r;
	if (asks_for_attachments(call)) {
		copies = xcalloc(rows.count + 1, sizeof(*copies));
		show_ended(&rows, copies);
	}
	return describe_rows(call, &listing, &rows, error);
}

/* ---- create, delete ---- */

static void reply_created(struct call *call, struct interface *interface, bool fresh)
{
	interface->is_fresh = fresh;
	reply_resource(call, "networkInterface", interface);
	interface->is_fresh = false;
	xml_text(call->xml, "clientToken", interface->client_token);
}

/* 1: a repetition, answered with `ret_interface`; 0: a new one. */
static int check_token(const struct call *call, const char *digest,
		       struct interface **ret_interface, struct error *error)
{
	const char *token = call_text(call, "ClientToken");

	if (!token || !*token)
		return 0;
	if (strlen(token) > 64)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter clientToken is invalid.", token);
	for_each_resource (struct interface, interface, call->scope, KIND_NETWORK_INTERFACE) {
		if (!streq(interface->client_token, token))
			continue;
		*ret_interface = interface;
		return streq(interface->token_digest, digest) ? 1 : idempotent_mismatch(error);
	}
	return 0;
}

static int read_request(const struct call *call, struct interface_request *request,
			struct error *error)
{
	int r;

	if ((r = check_card(call, "", error)) < 0 ||
	    (r = call_resource(call, "SubnetId", KIND_SUBNET, &request->subnet, error)) < 0 ||
	    (r = read_addresses(call, "", request, error)) < 0)
		return r;
	request->description = call_text(call, "Description");
	return call_groups(call, "SecurityGroupId", &request->groups, &request->group_count, error);
}

int create_network_interface(struct call *call, struct error *error)
{
	static const char *const refused[] = {
		IPV4_PREFIXES,
		"ConnectionTrackingSpecification.TcpEstablishedTimeout",
		"ConnectionTrackingSpecification.UdpStreamTimeout",
		"ConnectionTrackingSpecification.UdpTimeout",
		NULL,
	};
	CLEANUP(interface_request_clear) struct interface_request request = { 0 };
	CLEANUP(freep) char *digest = call_digest(call);
	const char *token = call_text(call, "ClientToken");
	struct interface *interface = NULL;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_refuse_ipv6(call, "", error)) < 0 ||
	    (r = read_request(call, &request, error)) < 0 ||
	    (r = check_token(call, digest, &interface, error)) < 0)
		return r;
	if (r > 0) {
		reply_created(call, interface, false);
		return 0;
	}
	if (token && *token) {
		request.client_token = token;
		request.token_digest = digest;
	}
	if ((r = interface_create(&call->transaction, &request, &interface, error)) < 0 ||
	    (r = call_tag(call, interface, error)) < 0)
		return r;
	reply_created(call, interface, true);
	return 0;
}

int delete_network_interface(struct call *call, struct error *error)
{
	struct interface *interface;
	int r;

	if ((r = call_resource(call, "NetworkInterfaceId", KIND_NETWORK_INTERFACE, &interface,
			       error)) < 0 ||
	    (r = interface_delete(&call->transaction, interface, error)) < 0)
		return r;
	return reply_true(call);
}

/* ---- attach, detach ---- */

int attach_network_interface(struct call *call, struct error *error)
{
	static const char *const refused[] = { "EnaQueueCount", NULL };
	struct interface *interface;
	struct instance *instance;
	long index;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = params_int(call_text(call, "DeviceIndex"), "deviceIndex", 0, DEVICE_INDEX_MAX,
			    &index, error)) < 0 ||
	    (r = check_card(call, "", error)) < 0 ||
	    (r = call_interface(call, &interface, error)) < 0 ||
	    (r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0 ||
	    (r = attachment_check(call_model(call), instance, interface, index, error)) < 0)
		return r;
	attachment_make(&call->transaction, instance, interface, index, false);
	xml_text(call->xml, "attachmentId", rid_format(interface->attachment).text);
	xml_int(call->xml, "networkCardIndex", 0);
	return 0;
}

/* Force is for a guest that doesn't let go of the device; none here can hold it. */
int detach_network_interface(struct call *call, struct error *error)
{
	const char *text = call_text(call, "AttachmentId");
	struct interface *interface;
	struct rid id;
	int r;

	if (rid_parse(text, KIND_ATTACHMENT, &id) < 0)
		return malformed(KIND_ATTACHMENT, text, error);
	interface = attachment_find(call->scope, id);
	if (!interface)
		return not_found(KIND_ATTACHMENT, text, false, error);
	if ((r = attachment_check_end(interface, error)) < 0)
		return r;
	attachment_end(&call->transaction, interface);
	return reply_true(call);
}

/* ---- secondary addresses ---- */

static int read_assignment(const struct call *call, struct assignment *assignment,
			   struct error *error)
{
	int r;

	if ((r = read_listed(call, "PrivateIpAddress", &assignment->addresses, &assignment->count,
			     error)) < 0 ||
	    (r = read_count(call, "SecondaryPrivateIpAddressCount", &assignment->more, error)) < 0)
		return r;
	if (assignment->count && assignment->more)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter privateIpAddress cannot be used with the parameter "
				 "secondaryPrivateIpAddressCount");
	if (!assignment->count && !assignment->more)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter privateIpAddress or "
				 "secondaryPrivateIpAddressCount");
	assignment->may_move = call_bool(call, "AllowReassignment", false);
	return 0;
}

static void reply_assigned(struct call *call, const struct interface *interface,
			   const struct assignment *assignment)
{
	const size_t first = interface->secondary_count - assignment->more;

	xml_text(call->xml, "networkInterfaceId", rid_format(interface->resource.id).text);
	xml_open(call->xml, "assignedPrivateIpAddressesSet");
	for (size_t i = 0; i < assignment->count + assignment->more; i++) {
		const struct interface_address *shown =
			assignment->count ? &assignment->addresses[i]
					  : &interface->secondaries[first + i];

		xml_open(call->xml, "item");
		xml_text(call->xml, "privateIpAddress", address_format(shown->address).text);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

int assign_private_ip_addresses(struct call *call, struct error *error)
{
	static const char *const refused[] = { IPV4_PREFIXES, NULL };
	struct assignment assignment = { 0 };
	struct interface *interface;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_interface(call, &interface, error)) < 0)
		return r;
	assignment.limit = attachment_address_limit(call_model(call), interface);
	if ((r = read_assignment(call, &assignment, error)) == 0 &&
	    (r = interface_assign(&call->transaction, interface, &assignment, error)) == 0)
		reply_assigned(call, interface, &assignment);
	free(assignment.addresses);
	return r;
}

int assign_ipv6_addresses(struct call *call, struct error *error)
{
	struct interface *interface;
	int r = call_interface(call, &interface, error);

	return r < 0 ? r
		     : ipv6_not_forwarded(error,
					  "the network interface '%s' can't have IPv6 "
					  "addresses",
					  rid_format(interface->resource.id).text);
}

int unassign_private_ip_addresses(struct call *call, struct error *error)
{
	static const char *const refused[] = { "Ipv4Prefix", NULL };
	CLEANUP(freep) struct interface_address *addresses = NULL;
	struct interface *interface;
	size_t count = 0;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_interface(call, &interface, error)) < 0 ||
	    (r = read_listed(call, "PrivateIpAddress", &addresses, &count, error)) < 0)
		return r;
	if (!count)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter privateIpAddress");
	if ((r = interface_unassign(&call->transaction, interface, addresses, count, error)) < 0)
		return r;
	return reply_true(call);
}
