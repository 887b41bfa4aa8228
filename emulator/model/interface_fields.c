/* What clients see of a network interface, on its own and inside an instance: its descriptors. */
#include "model/interface.h"

#include "model/elastic_ip.h"
#include "model/group.h"
#include "model/vpc.h"

static const char *get_mac(const struct view *view, struct buffer *scratch)
{
	return interface_mac_text(view->resource->id, scratch);
}

static const char *get_status(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = (const struct interface *)view->resource;

	(void)scratch;
	if (interface->is_fresh)
		return "pending";
	if (interface->is_seen_ended)
		return "available";
	return rid_is_set(interface->attachment) || interface_is_managed(interface) ? "in-use"
										    : "available";
}

static const char *get_attachment_status(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct interface *)view->resource)->is_seen_ended ? "detached" : "attached";
}

static const char *get_managed(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return interface_is_managed((const struct interface *)view->resource) ? "true" : "false";
}

static const char *get_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	if (rid_is_set(((const struct interface *)view->resource)->endpoint))
		return "vpc_endpoint";
	return interface_is_managed((const struct interface *)view->resource) ? "nat_gateway"
									      : "interface";
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

/* An interface tells its names only where its VPC has host names; an instance always does. */
static bool has_names(const struct view *view)
{
	const struct interface *interface = (const struct interface *)view->resource;

	return vpc_get(view->model, interface->vpc)->dns_hostnames;
}

static const char *get_own_dns(const struct view *view, struct buffer *scratch)
{
	return has_names(view) ? get_private_dns(view, scratch) : NULL;
}

/* ---- of one private address: its public one ---- */

static struct address public_address(const struct view *view)
{
	const struct interface_address *item = view->object;

	return interface_public_at(view->model, (const struct interface *)view->resource,
				   item->address);
}

static const struct elastic_ip *elastic_ip_of(const struct view *view)
{
	const struct interface_address *item = view->object;

	return elastic_ip_at(view->model, view->resource->id, item->address);
}

static const char *get_public_address(const struct view *view, struct buffer *scratch)
{
	return get_copy(scratch, address_format(public_address(view)).text);
}

static const char *get_public_dns(const struct view *view, struct buffer *scratch)
{
	const struct interface_address *item = view->object;

	return interface_public_dns(view->model, (const struct interface *)view->resource,
				    item->address, scratch);
}

static const char *get_address_owner(const struct view *view, struct buffer *scratch)
{
	return elastic_ip_of(view) ? get_owner(view, scratch) : "amazon";
}

static const char *get_allocation(const struct view *view, struct buffer *scratch)
{
	const struct elastic_ip *elastic_ip = elastic_ip_of(view);

	return elastic_ip ? get_copy(scratch, rid_format(elastic_ip->resource.id).text) : NULL;
}

static const char *get_association(const struct view *view, struct buffer *scratch)
{
	const struct elastic_ip *elastic_ip = elastic_ip_of(view);

	return elastic_ip ? get_copy(scratch, rid_format(elastic_ip->association).text) : NULL;
}

/* ---- nested elements ---- */

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
	*ret_child = *view;
	return index == 0 && address_is_set(public_address(view));
}

/* An interface itself shows the primary address's. */
static bool child_primary_association(const struct view *view, size_t index, struct view *ret_child)
{
	const struct interface *interface = view->object;
	const struct view primary = { view->model, view->resource, &interface->address };

	return child_association(&primary, index, ret_child);
}

/* The primary one, in an interface itself, is seen like the others in their array. */
static bool child_address(const struct view *view, size_t index, struct view *ret_child)
{
	const struct interface *interface = view->object;

	if (index > interface->secondary_count)
		return false;
	*ret_child = *view;
	ret_child->object = index ? (const void *)(interface->secondaries + index - 1)
				  : (const void *)&interface->address;
	return true;
}

static bool is_primary(const struct view *view)
{
	return view->object == &((const struct interface *)view->resource)->address;
}

static const char *get_primary(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return is_primary(view) ? "true" : "false";
}

static const char *get_address_dns(const struct view *view, struct buffer *scratch)
{
	const struct interface_address *item = view->object;

	return private_dns_name(view->resource->scope, item->address, scratch);
}

static const char *get_own_address_dns(const struct view *view, struct buffer *scratch)
{
	return has_names(view) ? get_address_dns(view, scratch) : NULL;
}

/*
 * The two places an interface is shown differ in their filters' names and in some members, so the
 * nested tables are made by macros of the filters' prefix. Inside an instance it does not show the
 * ids of an Elastic IP, but can be found by them.
 */
#define ASSOCIATION_FIELDS(prefix_, ids_)                                                          \
	FIELD_GET_OF(get_address_owner, "ipOwnerId",                                               \
		     prefix_ "association.ip-owner-id " prefix_ "association.owner-id"),           \
		FIELD_GET_OF(get_public_dns, "publicDnsName",                                      \
			     prefix_ "association.public-dns-name"),                               \
		FIELD_GET_OF(get_public_address, "publicIp", prefix_ "association.public-ip"),     \
		{ .name = "allocationId",                                                          \
		  .filter = prefix_ "association.allocation-id",                                   \
		  .type = FIELD_GET,                                                               \
		  .flags = (ids_),                                                                 \
		  .get = get_allocation },                                                         \
	{                                                                                          \
		.name = "associationId", .filter = prefix_ "association.association-id",           \
		.type = FIELD_GET, .flags = (ids_), .get = get_association                         \
	}

#define GROUP_FIELDS(id_filter_, name_filter_)                                                     \
	FIELD_OF(struct rid_item, id, FIELD_RID, "groupId", id_filter_, FIELD_BOTH),               \
		FIELD_GET_OF(get_group_name, "groupName", name_filter_)

#define ATTACHMENT_FIELDS(prefix_)                                                                 \
	FIELD_OF(struct interface, attachment, FIELD_RID, "attachmentId",                          \
		 prefix_ "attachment.attachment-id", FIELD_SHOWN),                                 \
		FIELD_OF(struct interface, device_index, FIELD_INT, "deviceIndex",                 \
			 prefix_ "attachment.device-index", FIELD_SHOWN),                          \
		FIELD_CONST_OF("0", "networkCardIndex", prefix_ "attachment.network-card-index"),  \
		FIELD_GET_OF(get_attachment_status, "status", prefix_ "attachment.status"),        \
		FIELD_OF(struct interface, attach_time, FIELD_TIME, "attachTime",                  \
			 prefix_ "attachment.attach-time", FIELD_SHOWN),                           \
		FIELD_OF(struct interface, delete_on_termination, FIELD_BOOL,                      \
			 "deleteOnTermination", prefix_ "attachment.delete-on-termination",        \
			 FIELD_SHOWN)

static const struct field association_fields[] = { ASSOCIATION_FIELDS("", FIELD_SHOWN), FIELD_END };
static const struct field address_association_fields[] = {
	ASSOCIATION_FIELDS("addresses.", FIELD_SHOWN), FIELD_END
};
static const struct field group_fields[] = { GROUP_FIELDS("group-id", NULL), FIELD_END };

static const struct field secondary_fields[] = {
	FIELD_OF(struct interface_address, address, FIELD_ADDRESS, "", NULL, FIELD_STORED),
	FIELD_END,
};

static const struct field attachment_fields[] = {
	ATTACHMENT_FIELDS(""),
	FIELD_OF(struct interface, instance, FIELD_RID, "instanceId", "attachment.instance-id",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_owner, "instanceOwnerId", "attachment.instance-owner-id"),
	FIELD_END,
};

static const struct field address_fields[] = {
	FIELD_CHILD_OF(child_association, address_association_fields, "association"),
	FIELD_GET_OF(get_primary, "primary", "addresses.primary"),
	FIELD_GET_OF(get_own_address_dns, "privateDnsName", NULL),
	FIELD_OF(struct interface_address, address, FIELD_ADDRESS, "privateIpAddress",
		 "addresses.private-ip-address", FIELD_SHOWN),
	FIELD_END,
};

const struct field interface_fields[] = {
	RESOURCE_FIELDS(struct interface),
	FIELD_GET_OF(get_id, "networkInterfaceId", "network-interface-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_OF(struct interface, subnet, FIELD_RID, "subnetId", "subnet-id", FIELD_BOTH),
	FIELD_OF(struct interface, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),
	FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id"),
	FIELD_OF(struct interface, description, FIELD_TEXT, "description", "description",
		 FIELD_BOTH),
	FIELD_GET_OF(get_managed, "requesterManaged", "requester-managed"),
	FIELD_GET_OF(get_status, "status", "status"),
	FIELD_GET_OF(get_mac, "macAddress", "mac-address"),
	FIELD_OF(struct interface, address, FIELD_ADDRESS, "privateIpAddress", "private-ip-address",
		 FIELD_BOTH),
	FIELD_GET_OF(get_own_dns, "privateDnsName", "private-dns-name"),
	FIELD_OF(struct interface, source_dest_check, FIELD_BOOL, "sourceDestCheck",
		 "source-dest-check", FIELD_BOTH),
	FIELD_LIST_OF(struct interface, groups, group_count, group_fields, "groupSet", FIELD_BOTH),
	FIELD_CHILD_OF(child_attachment, attachment_fields, "attachment"),
	FIELD_CHILD_OF(child_primary_association, association_fields, "association"),
	FIELD_CHILDREN_OF(child_address, address_fields, "privateIpAddressesSet"),
	FIELD_CHILDREN_OF(child_none, address_fields, "ipv6AddressesSet"),
	FIELD_GET_OF(get_type, "interfaceType", "interface-type"),
	FIELD_OF(struct interface, nat_gateway, FIELD_RID, "natGateway", NULL, FIELD_STORED),
	FIELD_OF(struct interface, endpoint, FIELD_RID, "endpoint", NULL, FIELD_STORED),
	FIELD_LIST_OF(struct interface, secondaries, secondary_count, secondary_fields,
		      "secondaryAddresses", FIELD_STORED),
	FIELD_OF(struct interface, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_OF(struct interface, token_digest, FIELD_TEXT, "tokenDigest", NULL, FIELD_STORED),
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

static const char *get_instance(const struct view *view, struct buffer *scratch)
{
	const struct interface *interface = view->object;

	return get_copy(scratch, rid_format(interface->instance).text);
}

static const struct field instance_association_fields[] = { ASSOCIATION_FIELDS(NI, 0), FIELD_END };
static const struct field instance_address_association_fields[] = {
	ASSOCIATION_FIELDS(NI "addresses.", 0), FIELD_END
};
static const struct field instance_group_fields[] = { GROUP_FIELDS(NI "group-id", NI "group-name"),
						      FIELD_END };
/* Filters whose values the reply has elsewhere, or not at all. */
#define HIDDEN(filter_, get_)                                                                      \
	{                                                                                          \
		.name = "", .filter = NI filter_, .type = FIELD_GET, .get = (get_)                 \
	}
static const struct field instance_attachment_fields[] = {
	ATTACHMENT_FIELDS(NI),
	HIDDEN("attachment.instance-id", get_instance),
	HIDDEN("attachment.instance-owner-id", get_owner),
	FIELD_END,
};

static const struct field instance_address_fields[] = {
	FIELD_CHILD_OF(child_association, instance_address_association_fields, "association"),
	FIELD_GET_OF(get_primary, "primary", NI "addresses.primary"),
	FIELD_GET_OF(get_address_dns, "privateDnsName", NI "addresses.private-dns-name"),
	FIELD_OF(struct interface_address, address, FIELD_ADDRESS, "privateIpAddress",
		 NI "addresses.private-ip-address", FIELD_SHOWN),
	FIELD_END,
};

const struct field interface_instance_fields[] = {
	FIELD_CHILD_OF(child_primary_association, instance_association_fields, "association"),
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
	HIDDEN("availability-zone", get_zone),
	HIDDEN("requester-managed", get_managed),
	FIELD_END,
};
