/* What a world is made of: see topology.h. */
#include "picture/topology.h"

#include "base/display.h"

#include <errno.h>

#define NAME_TAG "Name"

const char *const place_kind_names[] = {
	[PLACE_WORLD] = "world",     [PLACE_INTERNET] = "internet", [PLACE_HOST] = "host",
	[PLACE_PEERING] = "peering", [PLACE_REGION] = "region",	    [PLACE_VPC] = "vpc",
	[PLACE_GATEWAY] = "gateway", [PLACE_TABLE] = "table",	    [PLACE_ACL] = "acl",
	[PLACE_GROUP] = "group",     [PLACE_ZONE] = "zone",	    [PLACE_SUBNET] = "subnet",
	[PLACE_NAT] = "nat",	     [PLACE_INSTANCE] = "instance", [PLACE_INTERFACE] = "interface",
};
static_assert(ARRAY_SIZE(place_kind_names) == PLACE_KINDS, "one name per kind");

const char *const place_kind_labels[] = {
	[PLACE_WORLD] = "",
	[PLACE_INTERNET] = "",
	[PLACE_HOST] = "",
	[PLACE_PEERING] = "",
	[PLACE_REGION] = "region ",
	[PLACE_VPC] = "VPC ",
	[PLACE_GATEWAY] = "",
	[PLACE_TABLE] = "route table ",
	[PLACE_ACL] = "network ACL ",
	[PLACE_GROUP] = "security group ",
	[PLACE_ZONE] = "",
	[PLACE_SUBNET] = "subnet ",
	[PLACE_NAT] = "",
	[PLACE_INSTANCE] = "",
	[PLACE_INTERFACE] = "",
};
static_assert(ARRAY_SIZE(place_kind_labels) == PLACE_KINDS, "one label per kind");

struct reading {
	const struct reply *reply;
	const char *wanted; /* the only VPC; NULL: all */
	struct topology topology;
	struct place *internet;
	bool found;
};

/* ---- lines and places ---- */

static void PRINTF(2, 3) add_line(struct lines *lines, const char *format, ...)
{
	struct buffer line = BUFFER_INIT;
	CLEANUP(freep) char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	display_line(&line, text);
	*array_grow(&lines->items, &lines->count) = buffer_steal(&line);
}

static void lines_clear(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
}

static void place_free(struct place *place)
{
	if (!place)
		return;
	for (size_t i = 0; i < place->child_count; i++)
		place_free(place->children[i]);
	free(place->children);
	free(place->id);
	free(place->title);
	lines_clear(&place->lines);
	lines_clear(&place->details);
	free(place);
}

void topology_clear(struct topology *topology)
{
	for (size_t i = 0; i < topology->edge_count; i++)
		free(topology->edges[i].label);
	free(topology->edges);
	place_free(topology->world);
	*topology = (struct topology){ NULL, NULL, 0 };
}

static const char *name_of(const void *item)
{
	const void *tag = NULL;

	while ((tag = reply_item_next(item, "tagSet", tag)))
		if (streq(reply_item_value(tag, "key"), NAME_TAG))
			return reply_item_value(tag, "value");
	return NULL;
}

/* `title` NULL: the item's name, or the id; what isn't the title is in the details. */
static struct place *add_place(struct place *parent, enum place_kind kind, const char *id,
			       const char *title, const void *item)
{
	struct place *place = xcalloc(1, sizeof(*place));
	struct buffer line = BUFFER_INIT;
	const char *name = item ? name_of(item) : NULL;

	place->kind = kind;
	place->id = xstrdup(id ? id : "?");
	place->item = item;
	display_line(&line, title ? title : name ? name : id);
	place->title = buffer_steal(&line);
	if (item)
		add_line(&place->details, "%s", place->id);
	if (name)
		add_line(&place->details, "Name: %s", name);
	place->parent = parent;
	if (parent)
		*array_grow(&parent->children, &parent->child_count) = place;
	return place;
}

static struct place *find_below(struct place *place, const char *id)
{
	struct place *found = streq(place->id, id) ? place : NULL;

	for (size_t i = 0; !found && i < place->child_count; i++)
		found = find_below(place->children[i], id);
	return found;
}

static struct place *find(const struct reading *reading, const char *id)
{
	return id ? find_below(reading->topology.world, id) : NULL;
}

static struct place *find_kind(const struct reading *reading, const char *id, enum place_kind kind)
{
	struct place *place = find(reading, id);

	return place && place->kind == kind ? place : NULL;
}

/* The child of that id, made when it is not there. */
static struct place *enter(struct place *parent, enum place_kind kind, const char *id,
			   const char *title)
{
	for (size_t i = 0; i < parent->child_count; i++)
		if (streq(parent->children[i]->id, id))
			return parent->children[i];
	return add_place(parent, kind, id, title, NULL);
}

static const char *value(const void *item, const char *path)
{
	const char *text = reply_item_value(item, path);

	return text ? text : "";
}

/* "a b c", of what `path` leads to in the items of `set`. */
static char *join(const void *item, const char *set, const char *path)
{
	struct buffer text = BUFFER_INIT;
	const void *child = NULL;

	while ((child = reply_item_next(item, set, child)))
		if (reply_item_value(child, path))
			buffer_printf(&text, "%s%s", text.length ? ", " : "", value(child, path));
	return buffer_steal(&text);
}

/* ---- VPCs and what is in them ---- */

static struct place *region_of(struct reading *reading, const void *item)
{
	CLEANUP(freep) char *id = xasprintf("%s %s", value(item, "region"), value(item, "account"));
	struct place *world = reading->topology.world;
	size_t count = world->child_count;
	struct place *region = enter(world, PLACE_REGION, id, value(item, "region"));

	if (world->child_count > count)
		add_line(&region->lines, "account %s", value(item, "account"));
	return region;
}

/* Is anything in a default VPC that didn't come with it? */
static bool is_used(const struct reading *reading, const char *vpc)
{
	static const char *const sets[] = { "networkInterfaces", "natGateways" };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		for (const void *item = NULL; (item = reply_next(reading->reply, sets[i], item));)
			if (streq(value(item, "vpcId"), vpc))
				return true;
	return false;
}

static void fold(const struct reading *reading, struct place *place)
{
	size_t count = 0;

	for (const void *item = NULL; (item = reply_next(reading->reply, "subnets", item));)
		count += streq(value(item, "vpcId"), place->id);
	place->is_faded = true;
	add_line(&place->lines, "the default VPC: nothing is in its %zu subnets (shown by --vpc)",
		 count);
}

static void read_vpcs(struct reading *reading)
{
	for (const void *item = NULL; (item = reply_next(reading->reply, "vpcs", item));) {
		const char *id = value(item, "vpcId"), *wanted = reading->wanted;
		CLEANUP(freep) char *blocks = join(item, "cidrBlockAssociationSet", "cidrBlock");
		CLEANUP(freep)
		char *ipv6 = join(item, "ipv6CidrBlockAssociationSet", "ipv6CidrBlock");
		struct place *place;

		if (wanted && !streq(wanted, id) && !streq(wanted, name_of(item)))
			continue;
		place = add_place(region_of(reading, item), PLACE_VPC, id, NULL, item);
		add_line(&place->lines, "%s%s%s", blocks, *ipv6 ? ", " : "", ipv6);
		reading->found = true;
		if (!wanted && streq(value(item, "isDefault"), "true") && !is_used(reading, id))
			fold(reading, place);
	}
}

/* The VPC that the item is in; NULL when it is not shown, or folded. */
static struct place *vpc_of(const struct reading *reading, const void *item)
{
	struct place *vpc = find_kind(reading, reply_item_value(item, "vpcId"), PLACE_VPC);

	return vpc && !vpc->is_faded ? vpc : NULL;
}

static void read_subnets(struct reading *reading)
{
	for (const void *item = NULL; (item = reply_next(reading->reply, "subnets", item));) {
		struct place *vpc = vpc_of(reading, item), *place;
		const char *zone = value(item, "availabilityZone");
		CLEANUP(freep) char *id = vpc ? xasprintf("%s %s", vpc->id, zone) : NULL;
		CLEANUP(freep)
		char *ipv6 = join(item, "ipv6CidrBlockAssociationSet", "ipv6CidrBlock");

		if (!vpc)
			continue;
		place = add_place(enter(vpc, PLACE_ZONE, id, zone), PLACE_SUBNET,
				  value(item, "subnetId"), NULL, item);
		add_line(&place->lines, "%s%s%s", value(item, "cidrBlock"), *ipv6 ? ", " : "",
			 ipv6);
		if (streq(value(item, "mapPublicIpOnLaunch"), "true"))
			add_line(&place->details, "gives public addresses at launch");
	}
}

static bool comes_before(const struct place *a, const struct place *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return (a->kind == PLACE_ZONE || a->kind == PLACE_REGION) && strcmp(a->id, b->id) < 0;
}

/* By kinds, zones and regions by their names, the rest as they were made. Almost in order already,
 * and qsort() may change what is equal. */
static void sort(struct place *place)
{
	struct place **children = place->children;

	for (size_t i = 1; i < place->child_count; i++)
		for (size_t j = i; j > 0 && comes_before(children[j], children[j - 1]); j--) {
			struct place *other = children[j];

			children[j] = children[j - 1];
			children[j - 1] = other;
		}
	for (size_t i = 0; i < place->child_count; i++)
		sort(children[i]);
}

static void read_gateways(struct reading *reading)
{
	static const struct {
		const char *set, *id, *attachments, *what;
	} kinds[] = {
		{ "internetGateways", "internetGatewayId", "attachmentSet", "internet gateway" },
		{ "egressOnlyInternetGateways", "egressOnlyInternetGatewayId", "attachmentSet",
		  "egress-only gateway" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (const void *item = NULL;
		     (item = reply_next(reading->reply, kinds[i].set, item));) {
			const void *attachment = reply_item_next(item, kinds[i].attachments, NULL);
			struct place *vpc = attachment ? vpc_of(reading, attachment) : NULL, *place;

			if (!vpc && (attachment || reading->wanted))
				continue;
			place = add_place(vpc ? vpc : region_of(reading, item), PLACE_GATEWAY,
					  value(item, kinds[i].id), NULL, item);
			add_line(&place->lines, "%s%s", kinds[i].what, vpc ? "" : ", detached");
			place->is_faded = !vpc;
			if (vpc && i == 0)
				*array_grow(&reading->topology.edges,
					    &reading->topology.edge_count) =
					(struct edge){ EDGE_INTERNET, place, reading->internet,
						       NULL };
		}
}

static void read_nat_gateways(struct reading *reading)
{
	for (const void *item = NULL; (item = reply_next(reading->reply, "natGateways", item));) {
		struct place *subnet = find(reading, reply_item_value(item, "subnetId")), *place;
		const char *state = value(item, "state");

		if (!subnet || streq(state, "deleted") || streq(state, "failed"))
			continue;
		place = add_place(subnet, PLACE_NAT, value(item, "natGatewayId"), NULL, item);
		place->is_faded = !streq(state, "available");
		add_line(&place->lines, "NAT gateway%s%s%s",
			 streq(value(item, "connectivityType"), "private") ? ", private" : "",
			 place->is_faded ? ", " : "", place->is_faded ? state : "");
		for (const void *address = NULL;
		     (address = reply_item_next(item, "natGatewayAddressSet", address));)
			add_line(&place->lines, "%s%s%s", value(address, "privateIp"),
				 reply_item_value(address, "publicIp") ? " as " : "",
				 value(address, "publicIp"));
	}
}

/* Of an instance or an interface: its addresses and its groups. */
static void add_contents(struct place *place, const void *item, const char *public_address)
{
	CLEANUP(freep) char *groups = join(item, "groupSet", "groupName");
	CLEANUP(freep) char *ids = join(item, "groupSet", "groupId");

	add_line(&place->lines, "%s%s%s", value(item, "privateIpAddress"),
		 reply_item_value(item, public_address) ? " as " : "", value(item, public_address));
	if (*groups)
		add_line(&place->lines, "groups: %s", groups);
	if (*ids)
		add_line(&place->details, "groups: %s", ids);
}

static void read_instances(struct reading *reading)
{
	for (const void *item = NULL; (item = reply_next(reading->reply, "instances", item));) {
		struct place *subnet = find(reading, reply_item_value(item, "subnetId")), *place;
		const char *state = value(item, "instanceState/name");

		if (!subnet || streq(state, "terminated"))
			continue;
		place = add_place(subnet, PLACE_INSTANCE, value(item, "instanceId"), NULL, item);
		place->is_faded = !streq(state, "running");
		add_contents(place, item, "ipAddress");
		add_line(place->is_faded ? &place->lines : &place->details, "%s", state);
		add_line(&place->details, "%s", value(item, "instanceType"));
	}
}

/* Its owner says what there is to say. */
static bool is_told(const struct reading *reading, const void *item)
{
	return streq(value(item, "interfaceType"), "nat_gateway") ||
	       (streq(value(item, "attachment/deviceIndex"), "0") &&
		find(reading, reply_item_value(item, "attachment/instanceId")));
}

static void read_interfaces(struct reading *reading)
{
	for (const void *item = NULL;
	     (item = reply_next(reading->reply, "networkInterfaces", item));) {
		struct place *subnet = find(reading, reply_item_value(item, "subnetId"));
		struct place *owner =
			find(reading, reply_item_value(item, "attachment/instanceId"));
		const char *description = reply_item_value(item, "description");
		struct place *place;

		if (owner)
			add_line(&owner->details, "%s: %s", value(item, "networkInterfaceId"),
				 value(item, "privateIpAddress"));
		if (!subnet || is_told(reading, item))
			continue;
		place = add_place(subnet, PLACE_INTERFACE, value(item, "networkInterfaceId"), NULL,
				  item);
		place->is_faded = !streq(value(item, "status"), "in-use");
		add_contents(place, item, "association/publicIp");
		if (owner)
			add_line(&place->lines, "interface %s of %s",
				 value(item, "attachment/deviceIndex"), owner->title);
		else
			add_line(&place->lines, "interface%s%s", description ? ": " : "",
				 description ? description : "");
	}
}

/* ---- peering connections ---- */

static void attach_peering(struct reading *reading, struct place *peering, const char *vpc)
{
	struct place *place = find_kind(reading, vpc, PLACE_VPC);

	if (place)
		*array_grow(&reading->topology.edges, &reading->topology.edge_count) =
			(struct edge){ EDGE_ATTACHED, place, peering, NULL };
}

static bool has_ended(const char *state)
{
	return streq(state, "deleted") || streq(state, "failed") || streq(state, "rejected") ||
	       streq(state, "expired");
}

static const char *title_of(const struct reading *reading, const char *id)
{
	const struct place *place = find(reading, id);

	return place ? place->title : id;
}

static void read_peerings(struct reading *reading)
{
	for (const void *item = NULL; (item = reply_next(reading->reply, "peerings", item));) {
		const char *from = value(item, "requesterVpcInfo/vpcId");
		const char *to = value(item, "accepterVpcInfo/vpcId");
		const char *state = value(item, "status/code");
		struct place *place;

		if (has_ended(state) || (!find(reading, from) && !find(reading, to)))
			continue;
		place = add_place(reading->topology.world, PLACE_PEERING,
				  value(item, "vpcPeeringConnectionId"), NULL, item);
		place->is_faded = !streq(state, "active");
		add_line(&place->lines, "peering%s%s", place->is_faded ? ", " : "",
			 place->is_faded ? state : "");
		add_line(&place->lines, "%s", title_of(reading, from));
		add_line(&place->lines, "with %s", title_of(reading, to));
		attach_peering(reading, place, from);
		attach_peering(reading, place, to);
	}
}

/* ---- routes ---- */

static const char *destination_of(const void *route)
{
	static const char *const names[] = { "destinationCidrBlock", "destinationIpv6CidrBlock",
					     "destinationPrefixListId" };
	const char *text = NULL;

	for (size_t i = 0; !text && i < ARRAY_SIZE(names); i++)
		text = reply_item_value(route, names[i]);
	return text ? text : "?";
}

static const char *target_of(const void *route)
{
	static const char *const names[] = { "natGatewayId", "vpcPeeringConnectionId",
					     "egressOnlyInternetGatewayId", "networkInterfaceId",
					     "gatewayId" };
	const char *text = NULL;

	for (size_t i = 0; !text && i < ARRAY_SIZE(names); i++)
		text = reply_item_value(route, names[i]);
	return text ? text : "nothing";
}

/* Where a route leads; an instance's first interface is the instance's place. */
static struct place *place_of_target(const struct reading *reading, const void *route)
{
	struct place *place = find(reading, target_of(route));

	return place ? place : find(reading, reply_item_value(route, "instanceId"));
}

static void add_route(struct reading *reading, const struct place *from, struct place *to,
		      const char *destination)
{
	struct topology *topology = &reading->topology;
	struct edge *edge = topology->edges;
	CLEANUP(freep) char *before = NULL;

	while (edge < topology->edges + topology->edge_count &&
	       !(edge->kind == EDGE_ROUTE && edge->from == from && edge->to == to))
		edge++;
	if (edge == topology->edges + topology->edge_count) {
		edge = array_grow(&topology->edges, &topology->edge_count);
		*edge = (struct edge){ EDGE_ROUTE, from, to, NULL };
	}
	before = edge->label;
	edge->label = before ? xasprintf("%s, %s", before, destination) : xstrdup(destination);
	to->is_target = true;
}

static void add_routes(struct reading *reading, const struct place *from, const void *table)
{
	for (const void *route = NULL; (route = reply_item_next(table, "routeSet", route));) {
		struct place *to = place_of_target(reading, route);

		if (to && !streq(value(route, "state"), "blackhole"))
			add_route(reading, from, to, destination_of(route));
	}
}

static void add_table_lines(struct reading *reading, struct place *place)
{
	for (const void *route = NULL; (route = reply_item_next(place->item, "routeSet", route));) {
		const struct place *to = place_of_target(reading, route);
		bool is_black = streq(value(route, "state"), "blackhole");

		add_line(&place->lines, "%s → %s%s", destination_of(route),
			 to ? to->title : target_of(route), is_black ? " (blackhole)" : "");
		if (to && !streq(to->title, target_of(route)))
			add_line(&place->details, "%s → %s", destination_of(route),
				 target_of(route));
	}
}

/* Gives `from` the table. */
static void use_table(struct reading *reading, struct place *table, struct place *from)
{
	if (from->kind == PLACE_SUBNET) {
		from->table = table;
		add_line(&from->lines, "routes: %s", table->title);
	}
	add_line(&table->details, "used by %s%s%s", from->title,
		 streq(from->title, from->id) ? "" : " ",
		 streq(from->title, from->id) ? "" : from->id);
	add_routes(reading, from, table->item);
}

/* The subnets of the VPC that have no table yet have its main one. */
static void use_main_table(struct reading *reading, struct place *table, struct place *below)
{
	if (below->kind == PLACE_SUBNET && !below->table)
		use_table(reading, table, below);
	for (size_t i = 0; i < below->child_count; i++)
		use_main_table(reading, table, below->children[i]);
}

static void associate_table(struct reading *reading, struct place *table, bool main)
{
	for (const void *item = NULL;
	     (item = reply_item_next(table->item, "associationSet", item));) {
		const char *subnet = reply_item_value(item, "subnetId");
		struct place *from = find(reading, subnet ? subnet : value(item, "gatewayId"));

		if (main && streq(value(item, "main"), "true"))
			use_main_table(reading, table, table->parent);
		else if (!main && from)
			use_table(reading, table, from);
	}
}

static bool is_main(const void *table)
{
	for (const void *item = NULL; (item = reply_item_next(table, "associationSet", item));)
		if (streq(value(item, "main"), "true"))
			return true;
	return false;
}

static void read_tables(struct reading *reading)
{
	CLEANUP(freep) struct place **tables = NULL;
	size_t count = 0;

	for (const void *item = NULL; (item = reply_next(reading->reply, "routeTables", item));) {
		struct place *vpc = vpc_of(reading, item), *place;

		if (!vpc)
			continue;
		place = add_place(vpc, PLACE_TABLE, value(item, "routeTableId"),
				  is_main(item) && !name_of(item) ? "main" : NULL, item);
		if (is_main(item))
			add_line(&place->details, "the VPC's main table");
		add_table_lines(reading, place);
		*array_grow(&tables, &count) = place;
	}
	for (int main = 0; main < 2; main++)
		for (size_t i = 0; i < count; i++)
			associate_table(reading, tables[i], main);
}

/* ---- network ACLs and groups ---- */

/* "all", "tcp 443", "udp 67-68", "icmp". */
static void put_traffic(struct buffer *buffer, const char *protocol, const char *from,
			const char *to)
{
	static const struct {
		const char *number, *name;
	} names[] = { { "-1", "all" },
		      { "1", "icmp" },
		      { "6", "tcp" },
		      { "17", "udp" },
		      { "58", "icmpv6" } };
	const char *name = protocol;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i].number, protocol))
			name = names[i].name;
	buffer_puts(buffer, name);
	if (strncmp(name, "icmp", 4) == 0) {
		if (from && !streq(from, "-1"))
			buffer_printf(buffer, " type %s", from);
	} else if (from && !(streq(from, "0") && streq(to, "65535"))) {
		buffer_printf(buffer, " %s", from);
		if (!streq(from, to))
			buffer_printf(buffer, "-%s", to ? to : "");
	}
}

static void add_entry(struct lines *lines, const void *entry)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	const char *block = reply_item_value(entry, "cidrBlock");
	bool is_icmp = reply_item_value(entry, "icmpTypeCode/type");

	put_traffic(&text, value(entry, "protocol"),
		    reply_item_value(entry, is_icmp ? "icmpTypeCode/type" : "portRange/from"),
		    reply_item_value(entry, "portRange/to"));
	add_line(lines, "%s %s %s %s %s", streq(value(entry, "egress"), "true") ? "out" : "in",
		 value(entry, "ruleNumber"), value(entry, "ruleAction"), text.data,
		 block ? block : value(entry, "ipv6CidrBlock"));
}

/* What no other entry is about is dropped by every ACL, by the one beyond 32766: no need to say. */
static void add_entries(struct lines *lines, const void *acl, const char *egress)
{
	for (const void *entry = NULL; (entry = reply_item_next(acl, "entrySet", entry));)
		if (streq(value(entry, "egress"), egress) &&
		    !streq(value(entry, "ruleNumber"), "32767"))
			add_entry(lines, entry);
}

static void read_acls(struct reading *reading)
{
	for (const void *item = NULL; (item = reply_next(reading->reply, "networkAcls", item));) {
		struct place *vpc = vpc_of(reading, item), *place, *subnet;
		bool is_default = streq(value(item, "default"), "true");

		if (!vpc)
			continue;
		place = add_place(vpc, PLACE_ACL, value(item, "networkAclId"),
				  is_default && !name_of(item) ? "default" : NULL, item);
		add_entries(&place->lines, item, "false");
		add_entries(&place->lines, item, "true");
		for (const void *used = NULL;
		     (used = reply_item_next(item, "associationSet", used));)
			if ((subnet = find(reading, reply_item_value(used, "subnetId"))))
				add_line(&subnet->lines, "ACL: %s", place->title);
	}
}

/* Whom one of a group's permissions is about. */
static void put_peers(struct buffer *buffer, const struct reading *reading, const void *permission,
		      const struct place *group)
{
	static const char *const sets[][2] = { { "ipRanges", "cidrIp" },
					       { "ipv6Ranges", "cidrIpv6" },
					       { "prefixListIds", "prefixListId" },
					       { "groups", "groupId" } };
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		for (const void *item = NULL;
		     (item = reply_item_next(permission, sets[i][0], item));) {
			const char *text = value(item, sets[i][1]);

			buffer_printf(buffer, "%s%s", separator,
				      streq(text, group->id) ? "itself" : title_of(reading, text));
			separator = ", ";
		}
}

static void add_permissions(const struct reading *reading, struct place *group, const char *set,
			    const char *direction, const char *preposition)
{
	for (const void *item = NULL; (item = reply_item_next(group->item, set, item));) {
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

		put_traffic(&text, value(item, "ipProtocol"), reply_item_value(item, "fromPort"),
			    reply_item_value(item, "toPort"));
		buffer_printf(&text, " %s ", preposition);
		put_peers(&text, reading, item, group);
		add_line(&group->lines, "%s %s", direction, text.data);
	}
}

static void read_groups(struct reading *reading)
{
	CLEANUP(freep) struct place **groups = NULL;
	size_t count = 0;

	for (const void *item = NULL;
	     (item = reply_next(reading->reply, "securityGroups", item));) {
		struct place *vpc = vpc_of(reading, item);

		if (vpc)
			*array_grow(&groups, &count) =
				add_place(vpc, PLACE_GROUP, value(item, "groupId"),
					  reply_item_value(item, "groupName"), item);
	}
	for (size_t i = 0; i < count; i++) {
		add_permissions(reading, groups[i], "ipPermissions", "in", "from");
		add_permissions(reading, groups[i], "ipPermissionsEgress", "out", "to");
	}
}

/* ---- all of it ---- */

static void read_hosts(struct reading *reading, const struct reply *hosts)
{
	for (const void *item = NULL; (item = reply_next(hosts, "hostSet", item));) {
		CLEANUP(freep) char *id = xasprintf("host %s", value(item, "name"));
		struct place *place =
			add_place(reading->internet, PLACE_HOST, id, value(item, "name"), NULL);

		add_line(&place->lines, "%s", value(item, "address"));
		place->is_faded = !streq(value(item, "state"), "running");
	}
}

int topology_read(const struct reply *topology, const struct reply *hosts, const char *vpc,
		  struct topology *ret_topology, struct error *error)
{
	struct reading reading = { .reply = topology, .wanted = vpc };
	struct place *world = add_place(NULL, PLACE_WORLD, "world", "world", NULL);

	reading.topology.world = world;
	reading.internet = add_place(world, PLACE_INTERNET, "internet", "Internet", NULL);
	read_hosts(&reading, hosts);
	read_vpcs(&reading);
	if (vpc && !reading.found) {
		topology_clear(&reading.topology);
		error_set(error, ERROR_INTERNAL,
			  "there is no VPC '%s': minivpc graph without --vpc shows all", vpc);
		return -ENOENT;
	}
	read_subnets(&reading);
	read_gateways(&reading);
	read_nat_gateways(&reading);
	read_instances(&reading);
	read_interfaces(&reading);
	read_peerings(&reading);
	read_tables(&reading);
	read_acls(&reading);
	read_groups(&reading);
	sort(world);
	*ret_topology = reading.topology;
	return 0;
}
