/* Network interfaces and their addresses: see interface.h. */
#include "model/interface.h"

#include "model/group.h"
#include "model/group_set.h"
#include "model/internet.h"

/* ---- indexes ---- */

static struct map_key address_key(struct rid subnet, struct address address)
{
	return (struct map_key){ subnet.n, address_to_v4(address) };
}

static struct map_key public_key(struct address address)
{
	return (struct map_key){ 1, address_to_v4(address) };
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

static void index_interface(struct model *model, struct resource *resource, bool add)
{
	struct interface *interface = (struct interface *)resource;

	if (address_is_set(interface->address)) {
		struct map_key key = address_key(interface->subnet, interface->address);

		if (add)
			map_put(&model->addresses, key, interface);
		else
			map_take(&model->addresses, key);
		usage_of(model, interface->subnet)->count += add ? 1 : -1;
		(add ? group_set_enter : group_set_leave)(model, interface);
	}
	if (!address_is_set(interface->public_address))
		return;
	if (add)
		map_put(&model->publics, public_key(interface->public_address), interface);
	else
		map_take(&model->publics, public_key(interface->public_address));
}

int64_t interface_addresses_in(const struct model *model, struct rid subnet)
{
	const struct subnet_usage *usage = map_get(&model->usage, map_key_rid(subnet));

	return usage ? usage->count : 0;
}

/* ---- what clients see ---- */

void interface_mac(struct rid id, uint8_t ret_mac[6])
{
	ret_mac[0] = 0x02; /* locally administered, unicast (IEEE 802) */
	for (int i = 1; i < 6; i++)
		ret_mac[i] = (uint8_t)(id.n >> (8 * (7 - i)));
}

static const char *get_mac(const struct view *view, struct buffer *scratch)
{
	uint8_t mac[6];

	interface_mac(view->resource->id, mac);
	return get_print(scratch, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			 mac[4], mac[5]);
}

static const char *get_status(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = (const struct interface *)view->resource;

	(void)scratch;
	return rid_is_set(interface->attachment) ? "in-use" : "available";
}

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = view->object;

	return subnet_zone_name(subnet_get(view->model, interface->subnet), scratch);
}

static const char *get_zone_id(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = view->object;
	const struct subnet *subnet = subnet_get(view->model, interface->subnet);

	return zone_id_of(view->resource->scope, subnet->zone, scratch);
}

static const char *get_private_dns(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = (const struct interface *)view->resource;

	return private_dns_name(view->resource->scope, interface->address, scratch);
}

/* Given only while both DNS attributes of the VPC are on (VPC guide, "DNS attributes"). */
static const char *get_public_dns(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = (const struct interface *)view->resource;
	const struct vpc *vpc = vpc_get(view->model, interface->vpc);

	if (!vpc->dns_support || !vpc->dns_hostnames)
		return "";
	return public_dns_name(view->resource->scope, interface->public_address, scratch);
}

static const char *get_group_name(const struct view *view, struct buffer *scratch)
{
	const struct rid_item *item = view->object;
	const struct group *group = (const struct group *)model_get(view->model, NULL, item->id);

	(void)scratch;
	return group ? group->name : NULL;
}

static bool child_attachment(const struct view *view, size_t index, struct view *ret_child)
{
	const struct interface *interface = view->object;

	*ret_child = *view;
	return index == 0 && rid_is_set(interface->attachment);
}

static bool child_association(const struct view *view, size_t index, struct view *ret_child)
{
	const struct interface *interface = view->object;

	*ret_child = *view;
	return index == 0 && address_is_set(interface->public_address);
}

static bool child_address(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0; /* the primary one is the only one so far */
}

/*
 * The two places an interface is shown differ in their filters' names and in some members, so the
 * nested tables are made by macros of the filters' prefix.
 */
#define ASSOCIATION_FIELDS(prefix_)                                                                \
	FIELD_CONST_OF("amazon", "ipOwnerId", prefix_ "association.ip-owner-id"),                  \
		FIELD_GET_OF(get_public_dns, "publicDnsName",                                      \
			     prefix_ "association.public-dns-name"),                               \
		FIELD_OF(struct interface, public_address, FIELD_ADDRESS, "publicIp",              \
			 prefix_ "association.public-ip", FIELD_SHOWN)

#define GROUP_FIELDS(id_filter_, name_filter_)                                                     \
	FIELD_OF(struct rid_item, id, FIELD_RID, "groupId", id_filter_, FIELD_BOTH),               \
		FIELD_GET_OF(get_group_name, "groupName", name_filter_)

#define ATTACHMENT_FIELDS(prefix_)                                                                 \
	FIELD_OF(struct interface, attachment, FIELD_RID, "attachmentId",                          \
		 prefix_ "attachment.attachment-id", FIELD_SHOWN),                                 \
		FIELD_OF(struct interface, device_index, FIELD_INT, "deviceIndex",                 \
			 prefix_ "attachment.device-index", FIELD_SHOWN),                          \
		FIELD_CONST_OF("0", "networkCardIndex", prefix_ "attachment.network-card-index"),  \
		FIELD_CONST_OF("attached", "status", prefix_ "attachment.status"),                 \
		FIELD_OF(struct interface, attach_time, FIELD_TIME, "attachTime",                  \
			 prefix_ "attachment.attach-time", FIELD_SHOWN),                           \
		FIELD_OF(struct interface, delete_on_termination, FIELD_BOOL,                      \
			 "deleteOnTermination", prefix_ "attachment.delete-on-termination",        \
			 FIELD_SHOWN)

static const struct field association_fields[] = { ASSOCIATION_FIELDS(""), FIELD_END };
static const struct field address_association_fields[] = { ASSOCIATION_FIELDS("addresses."),
							   FIELD_END };
static const struct field group_fields[] = { GROUP_FIELDS("group-id", "group-name"), FIELD_END };

static const struct field attachment_fields[] = {
	ATTACHMENT_FIELDS(""),
	FIELD_OF(struct interface, instance, FIELD_RID, "instanceId", "attachment.instance-id",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_owner, "instanceOwnerId", "attachment.instance-owner-id"),
	FIELD_END,
};

static const struct field address_fields[] = {
	FIELD_CHILD_OF(child_association, address_association_fields, "association"),
	FIELD_CONST_OF("true", "primary", "addresses.primary"),
	FIELD_GET_OF(get_private_dns, "privateDnsName", NULL),
	FIELD_OF(struct interface, address, FIELD_ADDRESS, "privateIpAddress",
		 "addresses.private-ip-address", FIELD_SHOWN),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct interface),
	FIELD_GET_OF(get_id, "networkInterfaceId", "network-interface-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_OF(struct interface, subnet, FIELD_RID, "subnetId", "subnet-id", FIELD_BOTH),
	FIELD_OF(struct interface, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),
	FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id"),
	FIELD_OF(struct interface, description, FIELD_TEXT, "description", "description",
		 FIELD_BOTH),
	FIELD_CONST_OF("false", "requesterManaged", "requester-managed"),
	FIELD_GET_OF(get_status, "status", "status"),
	FIELD_GET_OF(get_mac, "macAddress", "mac-address"),
	FIELD_OF(struct interface, address, FIELD_ADDRESS, "privateIpAddress", "private-ip-address",
		 FIELD_BOTH),
	FIELD_GET_OF(get_private_dns, "privateDnsName", "private-dns-name"),
	FIELD_OF(struct interface, source_dest_check, FIELD_BOOL, "sourceDestCheck",
		 "source-dest-check", FIELD_BOTH),
	FIELD_LIST_OF(struct interface, groups, group_count, group_fields, "groupSet", FIELD_BOTH),
	FIELD_CHILD_OF(child_attachment, attachment_fields, "attachment"),
	FIELD_CHILD_OF(child_association, association_fields, "association"),
	FIELD_CHILDREN_OF(child_address, address_fields, "privateIpAddressesSet"),
	FIELD_CHILDREN_OF(child_none, address_fields, "ipv6AddressesSet"),
	FIELD_CONST_OF("interface", "interfaceType", "interface-type"),
	FIELD_OF(struct interface, attachment, FIELD_RID, "attachmentId", NULL, FIELD_STORED),
	FIELD_OF(struct interface, instance, FIELD_RID, "instanceId", NULL, FIELD_STORED),
	FIELD_OF(struct interface, device_index, FIELD_INT, "deviceIndex", NULL, FIELD_STORED),
	FIELD_OF(struct interface, attach_time, FIELD_TIME, "attachTime", NULL, FIELD_STORED),
	FIELD_OF(struct interface, delete_on_termination, FIELD_BOOL, "deleteOnTermination", NULL,
		 FIELD_STORED),
	FIELD_OF(struct interface, auto_public, FIELD_BOOL, "autoPublic", NULL, FIELD_STORED),
	FIELD_OF(struct interface, public_address, FIELD_ADDRESS, "publicAddress", NULL,
		 FIELD_STORED),
	FIELD_END,
};

#define NI "network-interface."

static const struct field instance_association_fields[] = { ASSOCIATION_FIELDS(NI), FIELD_END };
static const struct field instance_address_association_fields[] = {
	ASSOCIATION_FIELDS(NI "addresses."), FIELD_END
};
static const struct field instance_group_fields[] = { GROUP_FIELDS(NI "group-id", NI "group-name"),
						      FIELD_END };
static const struct field instance_attachment_fields[] = { ATTACHMENT_FIELDS(NI), FIELD_END };

static const struct field instance_address_fields[] = {
	FIELD_CHILD_OF(child_association, instance_address_association_fields, "association"),
	FIELD_CONST_OF("true", "primary", NI "addresses.primary"),
	FIELD_GET_OF(get_private_dns, "privateDnsName", NI "addresses.private-dns-name"),
	FIELD_OF(struct interface, address, FIELD_ADDRESS, "privateIpAddress",
		 NI "addresses.private-ip-address", FIELD_SHOWN),
	FIELD_END,
};

const struct field interface_instance_fields[] = {
	FIELD_CHILD_OF(child_association, instance_association_fields, "association"),
	FIELD_CHILD_OF(child_attachment, instance_attachment_fields, "attachment"),
	FIELD_OF(struct interface, description, FIELD_TEXT, "description", NI "description",
		 FIELD_SHOWN),
	FIELD_LIST_OF(struct interface, groups, group_count, instance_group_fields, "groupSet",
		      FIELD_SHOWN),
	FIELD_CHILDREN_OF(child_none, instance_address_fields, "ipv6AddressesSet"),
	FIELD_GET_OF(get_mac, "macAddress", NI "mac-address"),
	FIELD_GET_OF(get_id, "networkInterfaceId", NI "network-interface-id"),
	FIELD_GET_OF(get_owner, "ownerId", NI "owner-id"),
	FIELD_GET_OF(get_private_dns, "privateDnsName", NI "private-dns-name"),
	FIELD_OF(struct interface, address, FIELD_ADDRESS, "privateIpAddress",
		 NI "private-ip-address", FIELD_SHOWN),
	FIELD_CHILDREN_OF(child_address, instance_address_fields, "privateIpAddressesSet"),
	FIELD_OF(struct interface, source_dest_check, FIELD_BOOL, "sourceDestCheck",
		 NI "source-dest-check", FIELD_SHOWN),
	FIELD_GET_OF(get_status, "status", NI "status"),
	FIELD_OF(struct interface, subnet, FIELD_RID, "subnetId", NI "subnet-id", FIELD_SHOWN),
	FIELD_OF(struct interface, vpc, FIELD_RID, "vpcId", NI "vpc-id", FIELD_SHOWN),
	FIELD_CONST_OF("interface", "interfaceType", NULL),
	FIELD_END,
};

const struct resource_type interface_type = {
	.kind = KIND_NETWORK_INTERFACE,
	.size = sizeof(struct interface),
	.fields = fields,
	.tag_type = "network-interface",
	.index = index_interface,
};

struct interface *interface_get(const struct model *model, struct rid id)
{
	return (struct interface *)model_get(model, NULL, id);
}

/* ---- verbs ---- */

/* The first free address after the cursor, so that one just given back is not reused at once. */
static int choose_address(struct model *model, const struct subnet *subnet,
			  struct address *ret_address, struct error *error)
{
	struct subnet_usage *usage = usage_of(model, subnet->resource.id);
	const uint32_t first = 4, last = (uint32_t)cidr_size(subnet->cidr) - 2;

	for (uint32_t tries = 0; tries <= last - first; tries++) {
		uint32_t offset = first + (usage->cursor + tries) % (last - first + 1);
		struct address address = address_add(subnet->cidr.address, offset);

		if (map_get(&model->addresses, address_key(subnet->resource.id, address)))
			continue;
		usage->cursor = offset - first + 1;
		*ret_address = address;
		return 0;
	}
	return error_set(error, ERROR_INSUFFICIENT_ADDRESSES,
			 "There are not enough free addresses in subnet '%s' to satisfy the "
			 "requested number of instances.",
			 rid_format(subnet->resource.id).text);
}

static int check_address(const struct model *model, const struct subnet *subnet,
			 struct address address, struct error *error)
{
	const char *text;
	struct address_text shown = address_format(address);
	uint64_t offset;

	text = shown.text;
	if (address.family != AF_INET || !cidr_contains(subnet->cidr, address))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Address %s does not fall within the subnet's address range",
				 text);
	offset = address_to_v4(address) - address_to_v4(subnet->cidr.address);
	if (offset < 4 || offset == cidr_size(subnet->cidr) - 1)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Address %s is in subnet's reserved address range", text);
	if (map_get(&model->addresses, address_key(subnet->resource.id, address)))
		return error_set(error, ERROR_ADDRESS_IN_USE, "Address %s is in use.", text);
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

int interface_create(struct transaction *transaction, const struct interface_request *request,
		     struct interface **ret_interface, struct error *error)
{
	struct model *model = transaction->model;
	struct subnet *subnet = request->subnet;
	struct address address = request->address;
	struct interface *interface;
	int r;

	if ((r = check_groups(model, subnet->resource.id, subnet->vpc, request->groups,
			      request->group_count, error)) < 0 ||
	    (r = interface_check_room(model, subnet->resource.scope, 1, error)) < 0)
		return r;
	if (address_is_set(address))
		r = check_address(model, subnet, address, error);
	else
		r = choose_address(model, subnet, &address, error);
	if (r < 0)
		return r;
	interface = transaction_create(transaction, subnet->resource.scope, KIND_NETWORK_INTERFACE);
	interface->subnet = subnet->resource.id;
	interface->vpc = subnet->vpc;
	interface->description = xstrdup(request->description ? request->description : "");
	interface->source_dest_check = true;
	for (size_t i = 0; i < request->group_count; i++)
		*array_grow(&interface->groups, &interface->group_count) = request->groups[i];
	if (!request->group_count)
		array_grow(&interface->groups, &interface->group_count)->id =
			group_named(subnet->resource.scope, subnet->vpc, "default")->resource.id;
	/* It was inserted without an address: now it is in the indexes too. */
	interface->address = address;
	index_interface(model, &interface->resource, true);
	*ret_interface = interface;
	return 0;
}

int interface_assign_public(struct transaction *transaction, struct interface *interface,
			    struct error *error)
{
	struct model *model = transaction->model;
	const uint32_t size = INTERNET_PUBLIC_LAST - INTERNET_PUBLIC_FIRST + 1;

	if (address_is_set(interface->public_address))
		return 0;
	for (uint32_t tries = 0; tries < size; tries++) {
		struct address address =
			address_v4(INTERNET_PUBLIC_FIRST + (model->next_public + tries) % size);

		if (map_get(&model->publics, public_key(address)))
			continue;
		model->next_public = (model->next_public + tries + 1) % size;
		transaction_edit(transaction, interface);
		interface->public_address = address;
		map_put(&model->publics, public_key(address), interface);
		return 0;
	}
	return error_set(error, ERROR_INSUFFICIENT_ADDRESS_CAPACITY,
			 "Not enough available public addresses to satisfy the request.");
}

void interface_release_public(struct transaction *transaction, struct interface *interface)
{
	if (!address_is_set(interface->public_address))
		return;
	transaction_edit(transaction, interface);
	map_take(&transaction->model->publics, public_key(interface->public_address));
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
