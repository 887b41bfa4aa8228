/* Kernel objects as plain values: see object.h. No netlink here: the fake kernel uses it too. */
#include "netlink/object.h"

#include "netlink/skeleton.h"

#include <stdio.h>

void object_list_clear(struct object_list *list)
{
	free(list->items);
	*list = (struct object_list){ 0 };
}

void object_list_add(struct object_list *list, const struct object *object)
{
	*array_grow(&list->items, &list->count) = *object;
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_address(struct address a, struct address b)
{
	int order = compare_number(a.family, b.family);

	return order ? order : memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

static int compare_cidr(struct cidr a, struct cidr b)
{
	int order = compare_address(a.address, b.address);

	return order ? order : compare_number(a.length, b.length);
}

static int compare_element(const struct element_object *a, const struct element_object *b)
{
	int order = compare_number(a->map, b->map);

	if (order == 0)
		order = memcmp(a->key, b->key, sizeof(a->key));
	return order ? order : memcmp(a->end, b->end, sizeof(a->end));
}

int object_compare_key(const struct object *a, const struct object *b)
{
	int order = compare_number(a->kind, b->kind);

	if (!order)
		order = compare_number(a->ns.kind, b->ns.kind);
	if (!order)
		order = compare_number(a->ns.n, b->ns.n);
	if (order)
		return order;
	switch (a->kind) {
	case OBJECT_NONE:
	case OBJECT_NETNS:
		return 0;
	case OBJECT_LINK:
		return strcmp(a->link.name, b->link.name);
	case OBJECT_ADDRESS:
		order = strcmp(a->address.device, b->address.device);
		return order ? order : compare_cidr(a->address.cidr, b->address.cidr);
	case OBJECT_ROUTE:
		order = compare_number(a->route.table, b->route.table);
		if (!order)
			order = compare_number(a->route.metric, b->route.metric);
		return order ? order : compare_cidr(a->route.destination, b->route.destination);
	case OBJECT_NEIGHBOUR:
		order = strcmp(a->neighbour.device, b->neighbour.device);
		return order ? order : compare_address(a->neighbour.address, b->neighbour.address);
	case OBJECT_FDB:
		return memcmp(&a->fdb.mac, &b->fdb.mac, sizeof(a->fdb.mac));
	case OBJECT_DELAY:
		return strcmp(a->delay.device, b->delay.device);
	case OBJECT_RULE:
		order = compare_number(a->rule.mark, b->rule.mark);
		return order ? order : compare_number(a->rule.table, b->rule.table);
	case OBJECT_SYSCTL:
		return strcmp(a->sysctl.path, b->sysctl.path);
	case OBJECT_SKELETON:
		return compare_number(a->skeleton.skeleton, b->skeleton.skeleton);
	case OBJECT_ELEMENT:
		return compare_element(&a->element, &b->element);
	case OBJECT_FOREIGN:
		return strcmp(a->foreign.what, b->foreign.what);
	}
	return 0;
}

static bool mac_matches(struct mac a, struct mac b)
{
	static const struct mac any;

	return memcmp(&a, &any, sizeof(a)) == 0 || memcmp(&b, &any, sizeof(b)) == 0 ||
	       memcmp(&a, &b, sizeof(a)) == 0;
}

static bool link_same(const struct link_object *a, const struct link_object *b)
{
	return a->type == b->type && streq(a->master, b->master) && a->down == b->down &&
	       (a->group == 0 || b->group == 0 || a->group == b->group) &&
	       (a->mtu == 0 || b->mtu == 0 || a->mtu == b->mtu) && mac_matches(a->mac, b->mac);
}

static bool route_same(const struct route_object *a, const struct route_object *b)
{
	return a->type == b->type && address_equal(a->gateway, b->gateway) && a->mtu == b->mtu &&
	       streq(a->device, b->device);
}

bool object_same(const struct object *a, const struct object *b)
{
	if (object_compare_key(a, b) != 0)
		return false;
	switch (a->kind) {
	case OBJECT_LINK:
		return link_same(&a->link, &b->link);
	case OBJECT_ROUTE:
		return route_same(&a->route, &b->route);
	case OBJECT_NEIGHBOUR:
		return memcmp(&a->neighbour.mac, &b->neighbour.mac, sizeof(struct mac)) == 0;
	case OBJECT_FDB:
		return streq(a->fdb.device, b->fdb.device);
	case OBJECT_DELAY:
		return a->delay.microseconds == b->delay.microseconds;
	case OBJECT_SYSCTL:
		return a->sysctl.value == b->sysctl.value;
	case OBJECT_ELEMENT:
		return memcmp(a->element.value, b->element.value, sizeof(a->element.value)) == 0;
	case OBJECT_NONE: /* these are their identity */
	case OBJECT_NETNS:
	case OBJECT_ADDRESS:
	case OBJECT_RULE:
	case OBJECT_FOREIGN:
		break;
	case OBJECT_SKELETON:
		return streq(a->skeleton.damage, b->skeleton.damage);
	}
	return true;
}

struct mac_text {
	char text[18];
};

static struct mac_text mac_format(struct mac mac)
{
	struct mac_text text;

	snprintf(text.text, sizeof(text.text), "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0],
		 mac.bytes[1], mac.bytes[2], mac.bytes[3], mac.bytes[4], mac.bytes[5]);
	return text;
}

static void describe_link(const struct link_object *link, char *text, size_t size)
{
	static const char *const types[] = {
		[LINK_LOOPBACK] = "loopback", [LINK_BRIDGE] = "bridge", [LINK_VETH] = "veth"
	};
	int n = snprintf(text, size, "%s %s%s", types[link->type], link->name,
			 link->down ? " (down)" : "");

	if (link->master[0])
		n += snprintf(text + n, size - (size_t)n, " master %s", link->master);
	if (link->peer_name[0])
		snprintf(text + n, size - (size_t)n, " peer %s in %s", link->peer_name,
			 rid_format(link->peer_ns).text);
}

static void describe_route(const struct route_object *route, char *text, size_t size)
{
	struct address_text destination = cidr_format(route->destination);
	size_t n = (size_t)snprintf(text, size, "route %s%s",
				    route->type == ROUTE_BLACKHOLE ? "blackhole " : "",
				    destination.text);

	if (address_is_set(route->gateway))
		n += (size_t)snprintf(text + n, size - n, " via %s",
				      address_format(route->gateway).text);
	if (route->type == ROUTE_UNICAST)
		n += (size_t)snprintf(text + n, size - n, " dev %s", route->device);
	if (route->table)
		n += (size_t)snprintf(text + n, size - n, " table %u", route->table);
	if (route->metric)
		n += (size_t)snprintf(text + n, size - n, " metric %u", route->metric);
	if (route->mtu)
		snprintf(text + n, size - n, " mtu %u", route->mtu);
}

/* "0a000105 . 0050"; addresses alone are told as such. */
static size_t describe_fields(const struct set_field *fields, const uint8_t *bytes, char *text,
			      size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < SET_FIELDS && fields[i].length; i++) {
		n += (size_t)snprintf(text + n, size - n, "%s", i ? " . " : "");
		if (fields[i].type == NFT_TYPE_IPV4)
			n += (size_t)snprintf(text + n, size - n, "%u.%u.%u.%u", bytes[0], bytes[1],
					      bytes[2], bytes[3]);
		for (size_t j = 0; fields[i].type != NFT_TYPE_IPV4 && j < fields[i].length; j++)
			n += (size_t)snprintf(text + n, size - n, "%02x", bytes[j]);
		bytes += ROUND_UP(fields[i].length, 4);
	}
	return n;
}

static void describe_element(const struct element_object *element, char *text, size_t size)
{
	const struct set *set = skeleton_set(element->map);
	size_t n = (size_t)snprintf(text, size, "element ");

	n += describe_fields(set->key, element->key, text + n, size - n);
	if (set->kind == SET_INTERVALS) {
		n += (size_t)snprintf(text + n, size - n, " - ");
		n += describe_fields(set->key, element->end, text + n, size - n);
	}
	if (set->value[0].length) {
		n += (size_t)snprintf(text + n, size - n, " : ");
		n += describe_fields(set->value, element->value, text + n, size - n);
	}
	snprintf(text + n, size - n, " of %s %s", set->value[0].length ? "map" : "set", set->name);
}

static void describe(const struct object *object, char *text, size_t size)
{
	static const char *const skeletons[] = {
		[SKELETON_SUBNET] = "subnet",
		[SKELETON_SUBNET_ARP] = "subnet's ARP",
		[SKELETON_SUBNET_STEERING] = "subnet's steering",
		[SKELETON_SUBNET_FAULTS] = "subnet's faults",
		[SKELETON_INTERNET_GATEWAY] = "internet gateway",
		[SKELETON_PEERING] = "VPC peering connection",
		[SKELETON_NAT_GATEWAY] = "NAT gateway",
		[SKELETON_UPLINK] = "uplink",
	};

	static_assert(ARRAY_SIZE(skeletons) == SKELETON_MAX, "every skeleton has a name");
	switch (object->kind) {
	case OBJECT_NONE:
		snprintf(text, size, "nothing");
		break;
	case OBJECT_NETNS:
		snprintf(text, size, "network namespace");
		break;
	case OBJECT_LINK:
		describe_link(&object->link, text, size);
		break;
	case OBJECT_ADDRESS:
		snprintf(text, size, "address %s dev %s", cidr_format(object->address.cidr).text,
			 object->address.device);
		break;
	case OBJECT_ROUTE:
		describe_route(&object->route, text, size);
		break;
	case OBJECT_NEIGHBOUR:
		snprintf(text, size, "neighbour %s lladdr %s dev %s",
			 address_format(object->neighbour.address).text,
			 mac_format(object->neighbour.mac).text, object->neighbour.device);
		break;
	case OBJECT_FDB:
		snprintf(text, size, "fdb %s dev %s", mac_format(object->fdb.mac).text,
			 object->fdb.device);
		break;
	case OBJECT_RULE:
		snprintf(text, size, "rule fwmark %#x lookup %u", object->rule.mark,
			 object->rule.table);
		break;
	case OBJECT_DELAY:
		snprintf(text, size, "delay of %u us dev %s", object->delay.microseconds,
			 object->delay.device);
		break;
	case OBJECT_SYSCTL:
		snprintf(text, size, "sysctl net/%s = %d", object->sysctl.path,
			 object->sysctl.value);
		break;
	case OBJECT_SKELETON:
		snprintf(text, size, "%s skeleton%s%s%s", skeletons[object->skeleton.skeleton],
			 *object->skeleton.damage ? " (" : "", object->skeleton.damage,
			 *object->skeleton.damage ? ")" : "");
		break;
	case OBJECT_ELEMENT:
		describe_element(&object->element, text, size);
		break;
	case OBJECT_FOREIGN:
		snprintf(text, size, "%s", object->foreign.what);
		break;
	}
}

struct object_text object_describe(const struct object *object)
{
	struct object_text text = { "" };
	int n = snprintf(text.text, sizeof(text.text), "%s: ", rid_format(object->ns).text);

	describe(object, text.text + n, sizeof(text.text) - (size_t)n);
	return text;
}

static void describe_link_more(const struct link_object *link, const struct link_object *other,
			       char *text, size_t size)
{
	size_t n = strlen(text);

	if (link->mtu != other->mtu && link->mtu)
		n += (size_t)snprintf(text + n, size - n, " mtu %u", link->mtu);
	if (!mac_matches(link->mac, other->mac))
		n += (size_t)snprintf(text + n, size - n, " address %s",
				      mac_format(link->mac).text);
	if (link->group != other->group)
		snprintf(text + n, size - n, " group %u", link->group);
}

struct object_text object_describe_beside(const struct object *object, const struct object *other)
{
	struct object_text text = { "" };

	describe(object, text.text, sizeof(text.text));
	if (object->kind == OBJECT_LINK && other)
		describe_link_more(&object->link, &other->link, text.text, sizeof(text.text));
	return text;
}

const char *object_device(const struct object *object)
{
	switch (object->kind) {
	case OBJECT_ADDRESS:
		return object->address.device;
	case OBJECT_ROUTE:
		return object->route.device;
	case OBJECT_NEIGHBOUR:
		return object->neighbour.device;
	case OBJECT_FDB:
		return object->fdb.device;
	case OBJECT_DELAY:
		return object->delay.device;
	default:
		return "";
	}
}
