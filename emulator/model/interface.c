/* Network interfaces and their addresses: see interface.h. */
#include "model/interface.h"

#include "model/elastic_ip.h"
#include "model/fault.h"
#include "model/flow_log.h"
#include "model/group.h"
#include "model/group_set.h"
#include "model/internet.h"

/* ---- indexes ---- */

static struct map_key address_key(struct rid subnet, struct address address)
{
	return (struct map_key){ subnet.n, address_to_v4(address) };
}

static struct subnet_usage *usage_of(struct model *model, struct rid subnet)
{
	struct subnet_usage *usage = map_get(&model->usage, map_key_rid(subnet));

	if (!usage) {
		usage = xcalloc(1, sizeof(*usage));
		map_put(&model->usage, map_key_rid(subnet), usage);
	}
	return usage;
}

struct interface *interface_at(const struct model *model, struct rid subnet, struct address address)
{
	return map_get(&model->addresses, address_key(subnet, address));
}

static void hold(struct model *model, struct interface *interface, struct address address)
{
	map_put(&model->addresses, address_key(interface->subnet, address), interface);
	usage_of(model, interface->subnet)->count++;
}

static void let_go(struct model *model, struct interface *interface, struct address address)
{
	/* A roll-back may have given it back to the interface it was moved from. */
	if (interface_at(model, interface->subnet, address) == interface)
		map_take(&model->addresses, address_key(interface->subnet, address));
	usage_of(model, interface->subnet)->count--;
}

static void index_interface(struct model *model, struct resource *resource, bool add)
{
	struct interface *interface = (struct interface *)resource;

	if (address_is_set(interface->address)) {
		for_each_interface_address(address, interface)(add ? hold : let_go)(
			model, interface, address);
		(add ? group_set_enter : group_set_leave)(model, interface);
	}
	if (address_is_set(interface->public_address))
		(add ? internet_hold_public
		     : internet_let_go_public)(model, interface->public_address, resource);
}

int64_t interface_addresses_in(const struct model *model, struct rid subnet)
{
	const struct subnet_usage *usage = map_get(&model->usage, map_key_rid(subnet));

	return usage ? usage->count : 0;
}

struct address interface_address_at(const struct interface *interface, size_t index)
{
	if (index == 0)
		return interface->address;
	if (index > interface->secondary_count)
		return (struct address){ 0 };
	return interface->secondaries[index - 1].address;
}

struct address interface_public_at(const struct model *model, const struct interface *interface,
				   struct address address)
{
	const struct elastic_ip *elastic_ip = elastic_ip_at(model, interface->resource.id, address);

	if (elastic_ip)
		return elastic_ip->address;
	return address_equal(address, interface->address) ? interface->public_address
							  : (struct address){ 0 };
}

bool interface_is_managed(const struct interface *interface)
{
	return rid_is_set(interface->nat_gateway) || rid_is_set(interface->endpoint);
}

void interface_mac(struct rid id, uint8_t ret_mac[6])
{
	ret_mac[0] = 0x02; /* locally administered, unicast (IEEE 802) */
	for (int i = 1; i < 6; i++)
		ret_mac[i] = (uint8_t)(id.n >> (8 * (7 - i)));
}

const char *interface_mac_text(struct rid id, struct buffer *scratch)
{
	uint8_t mac[6];

	interface_mac(id, mac);
	for (size_t i = 0; i < sizeof(mac); i++) {
		if (i)
			buffer_putc(scratch, ':');
		buffer_hex(scratch, &mac[i], 1);
	}
	return scratch->data;
}

/* VPC guide, "DNS attributes for your VPC". */
const char *interface_public_dns(const struct model *model, const struct interface *interface,
				 struct address address, struct buffer *scratch)
{
	const struct address public_address = interface_public_at(model, interface, address);
	const struct vpc *vpc = vpc_get(model, interface->vpc);

	if (!address_is_set(public_address) || !vpc->dns_support || !vpc->dns_hostnames)
		return "";
	return public_dns_name(interface->resource.scope, public_address, scratch);
}

const struct resource_type interface_type = {
	.kind = KIND_NETWORK_INTERFACE,
	.size = sizeof(struct interface),
	.fields = interface_fields,
	.tag_type = "network-interface",
	.index = index_interface,
};

struct interface *interface_get(const struct model *model, struct rid id)
{
	return (struct interface *)model_get(model, NULL, id);
}

/* ---- verbs ---- */

/*
 * The first free address after the cursor, so that one just given back is not reused at once. The
 * caller has seen that there is one.
 */
static struct address choose_address(struct model *model, const struct subnet *subnet)
{
	struct subnet_usage *usage = usage_of(model, subnet->resource.id);
	const uint32_t first = 4, last = (uint32_t)cidr_size(subnet->cidr) - 2;
	struct address address = { 0 };

	for (uint32_t tries = 0; tries <= last - first; tries++) {
		uint32_t offset = first + (usage->cursor + tries) % (last - first + 1);

		address = address_add(subnet->cidr.address, offset);
		if (interface_at(model, subnet->resource.id, address))
			continue;
		usage->cursor = offset - first + 1;
		break;
	}
	return address;
}

/* Could an interface of the subnet have it? */
static int check_range(const struct subnet *subnet, struct address address, struct error *error)
{
	const struct address_text shown = address_format(address);
	uint64_t offset;

	if (address.family != AF_INET || !cidr_contains(subnet->cidr, address))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Address %s does not fall within the subnet's address range",
				 shown.text);
	offset = address_to_v4(address) - address_to_v4(subnet->cidr.address);
	if (offset < 4 || offset == cidr_size(subnet->cidr) - 1)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Address %s is in subnet's reserved address range", shown.text);
	return 0;
}

static int check_address(const struct model *model, const struct subnet *subnet,
			 struct address address, struct error *error)
{
	int r = check_range(subnet, address, error);

	if (r < 0)
		return r;
	if (interface_at(model, subnet->resource.id, address))
		return error_set(error, ERROR_ADDRESS_IN_USE, "Address %s is in use.",
				 address_format(address).text);
	return 0;
}

/* Is it among the first `count`? */
static bool is_among(const struct interface_address *addresses, size_t count,
		     struct address address)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(addresses[i].address, address))
			return true;
	return false;
}

static int check_distinct(const struct interface_address *addresses, size_t count,
			  struct address first, struct error *error)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(addresses[i].address, first) ||
		    is_among(addresses, i, addresses[i].address))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Address %s is specified more than once",
					 address_format(addresses[i].address).text);
	return 0;
}

static int check_limit(size_t count, size_t limit, struct error *error)
{
	if (count <= limit)
		return 0;
	return error_subject(error, ERROR_QUOTA, "private-address",
			     "Number of private addresses will exceed limit.");
}

size_t interface_request_addresses(const struct interface_request *request)
{
	return 1 + request->secondary_count + request->more;
}

void interface_request_clear(struct interface_request *request)
{
	freep(&request->secondaries);
	freep(&request->groups);
	request->secondary_count = request->group_count = 0;
}

static int check_addresses(const struct model *model, const struct interface_request *request,
			   struct error *error)
{
	const struct subnet *subnet = request->subnet;
	const size_t count = interface_request_addresses(request);
	int r;

	if ((r = check_limit(count, INTERFACE_ADDRESSES_MAX, error)) < 0 ||
	    (r = check_distinct(request->secondaries, request->secondary_count, request->address,
				error)) < 0)
		return r;
	if (address_is_set(request->address) &&
	    (r = check_address(model, subnet, request->address, error)) < 0)
		return r;
	for (size_t i = 0; i < request->secondary_count; i++)
		if ((r = check_address(model, subnet, request->secondaries[i].address, error)) < 0)
			return r;
	if (subnet_free_addresses(model, subnet) < (int64_t)count)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "There aren't sufficient free Ipv4 addresses or prefixes");
	return 0;
}

static int check_groups(const struct model *model, struct rid subnet, struct rid vpc,
			const struct rid_item *groups, size_t count, struct error *error)
{
	int r = quota_check(model, QUOTA_INTERFACE_GROUPS, count, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct group *group =
			(const struct group *)model_get(model, NULL, groups[i].id);

		if (!group || !rid_equal(group->vpc, vpc))
			return error_set(
				error, ERROR_INVALID_PARAMETER,
				"Security group %s and subnet %s belong to different networks.",
				rid_format(groups[i].id).text, rid_format(subnet).text);
	}
	return 0;
}

int interface_check_room(const struct model *model, const struct scope *scope, int64_t more,
			 struct error *error)
{
	return quota_check(model, QUOTA_INTERFACES,
			   scope->lists[KIND_NETWORK_INTERFACE].count + (size_t)more, error);
}

static void append_secondary(struct model *model, struct interface *interface,
			     struct address address)
{
	array_grow(&interface->secondaries, &interface->secondary_count)->address = address;
	hold(model, interface, address);
}

/* It was inserted without addresses: now it gets them, and is in the indexes. */
static void set_addresses(struct model *model, struct interface *interface,
			  const struct interface_request *request)
{
	for (size_t i = 0; i < request->secondary_count; i++)
		append_secondary(model, interface, request->secondaries[i].address);
	interface->address = address_is_set(request->address)
				     ? request->address
				     : choose_address(model, request->subnet);
	hold(model, interface, interface->address);
	for (size_t i = 0; i < request->more; i++)
		append_secondary(model, interface, choose_address(model, request->subnet));
	group_set_enter(model, interface);
}

int interface_create(struct transaction *transaction, const struct interface_request *request,
		     struct interface **ret_interface, struct error *error)
{
	struct model *model = transaction->model;
	struct subnet *subnet = request->subnet;
	struct interface *interface;
	int r;

	if ((r = check_groups(model, subnet->resource.id, subnet->vpc, request->groups,
			      request->group_count, error)) < 0 ||
	    (r = interface_check_room(model, subnet->resource.scope, 1, error)) < 0 ||
	    (r = check_addresses(model, request, error)) < 0)
		return r;
	subnet_realize(transaction, subnet);
	interface = transaction_create(transaction, subnet->resource.scope, KIND_NETWORK_INTERFACE);
	interface->subnet = subnet->resource.id;
	interface->vpc = subnet->vpc;
	interface->description = xstrdup(request->description ? request->description : "");
	interface->source_dest_check = !rid_is_set(request->nat_gateway);
	interface->nat_gateway = request->nat_gateway;
	interface->endpoint = request->endpoint;
	interface->client_token = xstrdup_null(request->client_token);
	interface->token_digest = xstrdup_null(request->token_digest);
	for (size_t i = 0; i < request->group_count; i++)
		*array_grow(&interface->groups, &interface->group_count) = request->groups[i];
	if (!request->group_count && !rid_is_set(request->nat_gateway))
		array_grow(&interface->groups, &interface->group_count)->id =
			group_named(subnet->resource.scope, subnet->vpc, "default")->resource.id;
	set_addresses(model, interface, request);
	*ret_interface = interface;
	return 0;
}

int interface_check_managed(const struct interface *interface, struct error *error)
{
	if (!interface_is_managed(interface))
		return 0;
	return error_set(error, ERROR_NO_PERMISSION,
			 "You do not have permission to access the specified resource.");
}

int interface_delete(struct transaction *transaction, struct interface *interface,
		     struct error *error)
{
	if (rid_is_set(interface->attachment) || interface_is_managed(interface))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Network interface '%s' is currently in use.",
				 rid_format(interface->resource.id).text);
	interface_remove(transaction, interface);
	return 0;
}

void interface_remove(struct transaction *transaction, struct interface *interface)
{
	for_each_interface_address(address, interface)
	{
		struct elastic_ip *elastic_ip =
			elastic_ip_at(transaction->model, interface->resource.id, address);

		if (elastic_ip)
			elastic_ip_disassociate(transaction, elastic_ip);
	}
	flow_logs_forget(transaction, &interface->resource);
	faults_forget(transaction, interface->resource.id);
	transaction_delete(transaction, interface);
}

/* ---- secondary addresses ---- */

/* May it be had by this interface, which does not hold it? */
static int check_assignable(const struct model *model, const struct interface *interface,
			    struct address address, bool may_move, struct error *error)
{
	const struct interface *holder = interface_at(model, interface->subnet, address);
	const struct address_text shown = address_format(address);
	int r = check_range(subnet_get(model, interface->subnet), address, error);

	if (r < 0 || !holder)
		return r;
	if (!may_move)
		return error_set(error, ERROR_ALREADY_ASSIGNED,
				 "[%s] assigned, but move is not allowed.", shown.text);
	if (address_equal(holder->address, address))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "[%s] is the primary address of %s and can't be moved.",
				 shown.text, rid_format(holder->resource.id).text);
	return 0;
}

static int check_assignment(const struct model *model, const struct interface *interface,
			    const struct assignment *assignment, struct error *error)
{
	size_t fresh = assignment->more;
	int r;

	for (size_t i = 0; i < assignment->count; i++) {
		const struct address address = assignment->addresses[i].address;

		if (is_among(interface->secondaries, interface->secondary_count, address))
			continue;
		fresh++;
		if ((r = check_assignable(model, interface, address, assignment->may_move, error)) <
		    0)
			return r;
	}
	if ((r = check_limit(1 + interface->secondary_count + fresh, assignment->limit, error)) < 0)
		return r;
	if (subnet_free_addresses(model, subnet_get(model, interface->subnet)) <
	    (int64_t)assignment->more)
		return error_set(error, ERROR_INSUFFICIENT_ADDRESSES,
				 "The specified subnet does not have enough free addresses to "
				 "satisfy the request.");
	return 0;
}

/* Its Elastic IP is the caller's to see to. */
static void take_secondary(struct transaction *transaction, struct interface *interface,
			   struct address address)
{
	transaction_edit(transaction, interface);
	for (size_t i = interface->secondary_count; i-- > 0;) {
		if (!address_equal(interface->secondaries[i].address, address))
			continue;
		let_go(transaction->model, interface, address);
		array_remove(interface->secondaries, &interface->secondary_count, i);
	}
}

/* "Any Elastic IP address that is associated with the IP address is also moved" (API reference). */
static void move_elastic_ip(struct transaction *transaction, const struct interface *from,
			    const struct interface *to, struct address address)
{
	struct elastic_ip *elastic_ip =
		elastic_ip_at(transaction->model, from->resource.id, address);

	if (elastic_ip)
		elastic_ip_follow(transaction, elastic_ip, to);
}

int interface_assign(struct transaction *transaction, struct interface *interface,
		     const struct assignment *assignment, struct error *error)
{
	struct model *model = transaction->model;
	const struct subnet *subnet = subnet_get(model, interface->subnet);
	int r = check_assignment(model, interface, assignment, error);

	if (r < 0)
		return r;
	transaction_edit(transaction, interface);
	for (size_t i = 0; i < assignment->count; i++) {
		const struct address address = assignment->addresses[i].address;
		struct interface *holder = interface_at(model, interface->subnet, address);

		if (holder == interface)
			continue;
		if (holder)
			move_elastic_ip(transaction, holder, interface, address);
		if (holder)
			take_secondary(transaction, holder, address);
		append_secondary(model, interface, address);
	}
	for (size_t i = 0; i < assignment->more; i++)
		append_secondary(model, interface, choose_address(model, subnet));
	return 0;
}

int interface_unassign(struct transaction *transaction, struct interface *interface,
		       const struct interface_address *addresses, size_t count, struct error *error)
{
	const struct rid_text id = rid_format(interface->resource.id);

	for (size_t i = 0; i < count; i++) {
		const struct address_text shown = address_format(addresses[i].address);

		if (address_equal(addresses[i].address, interface->address))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "[%s] is the primary address of %s and can't be "
					 "unassigned.",
					 shown.text, id.text);
		if (!is_among(interface->secondaries, interface->secondary_count,
			      addresses[i].address))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Some of [%s] addresses are not assigned to interface %s",
					 shown.text, id.text);
	}
	for (size_t i = 0; i < count; i++) {
		struct elastic_ip *elastic_ip = elastic_ip_at(
			transaction->model, interface->resource.id, addresses[i].address);

		if (elastic_ip)
			elastic_ip_disassociate(transaction, elastic_ip);
		take_secondary(transaction, interface, addresses[i].address);
	}
	return 0;
}

/* ---- public addresses, groups, attributes ---- */

int interface_assign_public(struct transaction *transaction, struct interface *interface,
			    struct error *error)
{
	struct model *model = transaction->model;
	struct address address;
	int r;

	if (address_is_set(interface->public_address))
		return 0;
	if ((r = internet_choose_public(model, &address, error)) < 0)
		return r;
	transaction_edit(transaction, interface);
	interface->public_address = address;
	internet_hold_public(model, address, &interface->resource);
	return 0;
}

void interface_release_public(struct transaction *transaction, struct interface *interface)
{
	if (!address_is_set(interface->public_address))
		return;
	transaction_edit(transaction, interface);
	internet_let_go_public(transaction->model, interface->public_address, &interface->resource);
	interface->public_address = (struct address){ 0 };
}

int interface_set_groups(struct transaction *transaction, struct interface *interface,
			 const struct rid_item *groups, size_t count, struct error *error)
{
	struct model *model = transaction->model;
	int r = check_groups(model, interface->subnet, interface->vpc, groups, count, error);

	if (r < 0)
		return r;
	transaction_edit(transaction, interface);
	index_interface(model, &interface->resource, false);
	freep(&interface->groups);
	interface->group_count = 0;
	for (size_t i = 0; i < count; i++)
		*array_grow(&interface->groups, &interface->group_count) = groups[i];
	index_interface(model, &interface->resource, true);
	return 0;
}

void interface_set_source_dest_check(struct transaction *transaction, struct interface *interface,
				     bool check)
{
	transaction_edit(transaction, interface);
	interface->source_dest_check = check;
}

void interface_set_description(struct transaction *transaction, struct interface *interface,
			       const char *description)
{
	transaction_edit(transaction, interface);
	free(interface->description);
	interface->description = xstrdup(description);
}
