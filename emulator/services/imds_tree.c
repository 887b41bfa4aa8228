/*
 * Instance metadata's tree: see imds_tree.h. It is a table: a leaf has a function that writes it, a
 * directory a table of its own, or a function that names its entries, whose parts are all alike.
 *
 *	/latest/meta-data/network/interfaces/macs/02:…/local-ipv4s
 *	 version  root      nodes              each    nodes
 */
#include "services/imds_tree.h"

#include <jansson.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/text.h"
#include "model/catalog.h"
#include "model/dhcp.h"
#include "model/elastic_ip.h"
#include "model/group.h"

#define PATH_TEXT_MAX 1024

/* Where in the tree we are, and whose it is. */
struct place {
	const struct model *model;
	const struct instance *instance;
	const struct interface *interface; /* the first one, until a MAC address names another */
	struct address address;		   /* one of its private ones, named by its public one */
	const char *title;		   /* listed as "name=title"; NULL: by its name alone */
	const char *text;		   /* what each() found for the leaf */
};

struct node {
	const char *name;  /* NULL ends a table, or is named by each() */
	const char *since; /* the first version that has it; NULL: all */
	/* A leaf: appends its text; false: the instance has none. */
	bool (*get)(const struct place *place, struct buffer *body);
	const char *type; /* a leaf's, NULL for text/plain */
	/* A directory: its entries … */
	const struct node *nodes;
	/* … or how to find entry `index` and append its name, and what each of them is. */
	bool (*each)(const struct place *place, size_t index, struct place *ret_entry,
		     struct buffer *name);
	const struct node *entry;
	bool bare; /* listed without a slash */
};

/* ---- leaves ---- */

#define CONSTANT(name_, text_)                                                                     \
	static bool name_(const struct place *place, struct buffer *body)                          \
	{                                                                                          \
		(void)place;                                                                       \
		buffer_puts(body, text_);                                                          \
		return true;                                                                       \
	}

CONSTANT(get_manifest, "(unknown)") /* of an image that is no instance store's */
CONSTANT(get_no_events, "[]")
CONSTANT(get_action, "none")
CONSTANT(get_life_cycle, "on-demand")
CONSTANT(get_vhostmd, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
CONSTANT(get_profile, "default-hvm")
CONSTANT(get_network_card, "0")

static bool put(struct buffer *body, const char *text)
{
	if (!text || !*text)
		return false;
	buffer_puts(body, text);
	return true;
}

static bool put_id(struct buffer *body, struct rid id)
{
	return put(body, rid_format(id).text);
}

/* The next of several lines. */
static void put_line(struct buffer *body, bool *first, const char *text)
{
	if (!*first)
		buffer_putc(body, '\n');
	*first = false;
	buffer_puts(body, text);
}

static const struct scope *scope_of(const struct place *place)
{
	return place->instance->resource.scope;
}

static bool get_image(const struct place *place, struct buffer *body)
{
	return put(body, place->instance->options.image_id);
}

static bool get_launch_index(const struct place *place, struct buffer *body)
{
	buffer_printf(body, "%lld", (long long)place->instance->launch_index);
	return true;
}

static bool get_instance_id(const struct place *place, struct buffer *body)
{
	return put_id(body, place->instance->resource.id);
}

static bool get_type(const struct place *place, struct buffer *body)
{
	return put(body, place->instance->options.type);
}

static bool get_reservation(const struct place *place, struct buffer *body)
{
	return put_id(body, place->instance->reservation);
}

static bool get_zone(const struct place *place, struct buffer *body)
{
	return zone_name_of(scope_of(place), place->instance->zone, body);
}

static bool get_zone_id(const struct place *place, struct buffer *body)
{
	return zone_id_of(scope_of(place), place->instance->zone, body);
}

static bool get_region(const struct place *place, struct buffer *body)
{
	return put(body, scope_of(place)->region);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* AWS general reference: the partitions, by their regions' names. */
static bool get_partition(const struct place *place, struct buffer *body)
{
	const char *region = scope_of(place)->region;

	return put(body, starts_with(region, "cn-")	  ? "aws-cn"
			 : starts_with(region, "us-gov-") ? "aws-us-gov"
							  : "aws");
}

static bool get_domain(const struct place *place, struct buffer *body)
{
	return put(body, starts_with(scope_of(place)->region, "cn-") ? "amazonaws.com.cn"
								     : "amazonaws.com");
}

static bool get_user_data(const struct place *place, struct buffer *body)
{
	const char *text = place->instance->options.user_data;

	return text && base64_read(text, strlen(text), body) == 0;
}

/* "2024-05-01T12:34:56Z" */
static json_t *time_value(int64_t seconds)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	buffer_time(&text, seconds);
	return json_sprintf("%.19sZ", text.data);
}

static json_t *taken(struct buffer *text)
{
	json_t *value = text->length ? json_string(text->data) : json_null();

	buffer_clear(text);
	return value;
}

/* EC2 guide, "Instance identity documents". Its signatures only Amazon can make. */
static bool get_document(const struct place *place, struct buffer *body)
{
	const struct instance *instance = place->instance;
	const struct instance_type *type = instance_type_find(instance->options.type);
	struct buffer text = BUFFER_INIT;
	json_t *document = json_object();
	CLEANUP(freep) char *dump = NULL;

	json_object_set_new(document, "accountId", json_string(scope_of(place)->account));
	json_object_set_new(document, "architecture",
			    json_string(type ? type->architecture : "x86_64"));
	get_zone(place, &text);
	json_object_set_new(document, "availabilityZone", taken(&text));
	json_object_set_new(document, "billingProducts", json_null());
	json_object_set_new(document, "devpayProductCodes", json_null());
	json_object_set_new(document, "marketplaceProductCodes", json_null());
	json_object_set_new(document, "imageId", json_string(instance->options.image_id));
	json_object_set_new(document, "instanceId",
			    json_string(rid_format(instance->resource.id).text));
	json_object_set_new(document, "instanceType", json_string(instance->options.type));
	json_object_set_new(document, "kernelId", json_null());
	json_object_set_new(document, "pendingTime", time_value(instance->launch_time));
	json_object_set_new(
		document, "privateIp",
		json_string(
			address_format(instance_primary(place->model, instance)->address).text));
	json_object_set_new(document, "ramdiskId", json_null());
	json_object_set_new(document, "region", json_string(scope_of(place)->region));
	json_object_set_new(document, "version", json_string("2017-09-30"));
	dump = json_dumps(document, JSON_INDENT(2));
	json_decref(document);
	return put(body, dump);
}

/* ---- leaves of an interface ---- */

static const char *dhcp_domain(const struct model *model, const struct vpc *vpc)
{
	const struct dhcp_options *options =
		(const struct dhcp_options *)model_get(model, NULL, vpc->dhcp_options);

	for (size_t i = 0; options && i < options->option_count; i++)
		if (streq(options->options[i].key, "domain-name"))
			return options->options[i].values[0].value;
	return NULL;
}

/*
 * With the domain of the VPC's DHCP options, whatever it is, several names too (which is what real
 * instances see); without one, Amazon's.
 */
static bool get_local_hostname(const struct place *place, struct buffer *body)
{
	const struct interface *interface = place->interface;
	const char *domain = dhcp_domain(place->model, vpc_get(place->model, interface->vpc));

	if (interface == instance_primary(place->model, place->instance))
		instance_host_name(place->model, place->instance, body);
	else
		host_label(interface->address, "ip", body);
	buffer_putc(body, '.');
	if (domain)
		buffer_puts(body, domain);
	else
		private_dns_domain(scope_of(place), body);
	return true;
}

static bool get_public_hostname(const struct place *place, struct buffer *body)
{
	const size_t before = body->length;

	interface_public_dns(place->model, place->interface, place->interface->address, body);
	return body->length > before;
}

static bool get_local_address(const struct place *place, struct buffer *body)
{
	return put(body, address_format(place->interface->address).text);
}

static bool get_public_address(const struct place *place, struct buffer *body)
{
	const struct address address =
		interface_public_at(place->model, place->interface, place->interface->address);

	return put(body, address_format(address).text);
}

static bool get_mac(const struct place *place, struct buffer *body)
{
	interface_mac_text(place->interface->resource.id, body);
	return true;
}

static bool get_device_number(const struct place *place, struct buffer *body)
{
	buffer_printf(body, "%lld", (long long)place->interface->device_index);
	return true;
}

static bool get_interface_id(const struct place *place, struct buffer *body)
{
	return put_id(body, place->interface->resource.id);
}

static bool get_owner_id(const struct place *place, struct buffer *body)
{
	return put(body, scope_of(place)->account);
}

static bool get_local_addresses(const struct place *place, struct buffer *body)
{
	bool first = true;

	for_each_interface_address(address, place->interface)
	{
		put_line(body, &first, address_format(address).text);
	}
	return !first;
}

static bool get_public_addresses(const struct place *place, struct buffer *body)
{
	bool first = true;

	for_each_interface_address(address, place->interface)
	{
		const struct address public_address =
			interface_public_at(place->model, place->interface, address);

		if (address_is_set(public_address))
			put_line(body, &first, address_format(public_address).text);
	}
	return !first;
}

static bool get_group_ids(const struct place *place, struct buffer *body)
{
	bool first = true;

	for (size_t i = 0; i < place->interface->group_count; i++)
		put_line(body, &first, rid_format(place->interface->groups[i].id).text);
	return !first;
}

static bool get_group_names(const struct place *place, struct buffer *body)
{
	bool first = true;

	for (size_t i = 0; i < place->interface->group_count; i++) {
		const struct group *group = (const struct group *)model_get(
			place->model, NULL, place->interface->groups[i].id);

		put_line(body, &first, group->name);
	}
	return !first;
}

static bool get_subnet(const struct place *place, struct buffer *body)
{
	return put_id(body, place->interface->subnet);
}

static bool get_vpc(const struct place *place, struct buffer *body)
{
	return put_id(body, place->interface->vpc);
}

static bool get_subnet_block(const struct place *place, struct buffer *body)
{
	return put(body,
		   cidr_format(subnet_get(place->model, place->interface->subnet)->cidr).text);
}

static bool put_blocks(struct buffer *body, const struct block *blocks, size_t count)
{
	bool first = true;

	for (size_t i = 0; i < count; i++)
		put_line(body, &first, cidr_format(blocks[i].cidr).text);
	return !first;
}

static bool get_subnet_ipv6(const struct place *place, struct buffer *body)
{
	const struct subnet *subnet = subnet_get(place->model, place->interface->subnet);

	return put_blocks(body, subnet->ipv6_cidrs, subnet->ipv6_cidr_count);
}

static bool get_vpc_block(const struct place *place, struct buffer *body)
{
	return put_blocks(body, vpc_get(place->model, place->interface->vpc)->cidrs, 1);
}

static bool get_vpc_blocks(const struct place *place, struct buffer *body)
{
	const struct vpc *vpc = vpc_get(place->model, place->interface->vpc);

	return put_blocks(body, vpc->cidrs, vpc->cidr_count);
}

static bool get_vpc_ipv6(const struct place *place, struct buffer *body)
{
	const struct vpc *vpc = vpc_get(place->model, place->interface->vpc);

	return put_blocks(body, vpc->ipv6_cidrs, vpc->ipv6_cidr_count);
}

/* ---- entries that the instance names ---- */

static bool get_text(const struct place *place, struct buffer *body)
{
	buffer_puts(body, place->text);
	return true;
}

static bool get_private_of_public(const struct place *place, struct buffer *body)
{
	return put(body, address_format(place->address).text);
}

static bool each_interface(const struct place *place, size_t index, struct place *ret_entry,
			   struct buffer *name)
{
	if (index >= place->instance->interface_count)
		return false;
	*ret_entry = *place;
	ret_entry->interface = interface_get(place->model, place->instance->interfaces[index].id);
	return get_mac(ret_entry, name);
}

static bool each_public_address(const struct place *place, size_t index, struct place *ret_entry,
				struct buffer *name)
{
	for_each_interface_address(address, place->interface)
	{
		const struct address public_address =
			interface_public_at(place->model, place->interface, address);

		if (!address_is_set(public_address) || index-- > 0)
			continue;
		*ret_entry = *place;
		ret_entry->address = address;
		return put(name, address_format(public_address).text);
	}
	return false;
}

static bool each_key(const struct place *place, size_t index, struct place *ret_entry,
		     struct buffer *name)
{
	const struct instance_template *options = &place->instance->options;

	if (index > 0 || !options->key_name || !options->public_key)
		return false;
	*ret_entry = *place;
	ret_entry->title = options->key_name;
	return put(name, "0");
}

/* The line that goes into authorized_keys: with the key's name at its end. */
static bool get_key(const struct place *place, struct buffer *body)
{
	buffer_printf(body, "%s %s", place->instance->options.public_key,
		      place->instance->options.key_name);
	return true;
}

static bool each_tag(const struct place *place, size_t index, struct place *ret_entry,
		     struct buffer *name)
{
	const struct resource *resource = &place->instance->resource;

	if (!streq(place->instance->options.metadata_tags, "enabled") ||
	    index >= resource->tag_count)
		return false;
	*ret_entry = *place;
	ret_entry->text = resource->tags[index].value;
	return put(name, resource->tags[index].key);
}

/* How many volumes beside the root were there when the instance started; `ret_volume`: one of
 * them. */
static size_t told_volumes(const struct place *place, size_t index,
			   const struct volume **ret_volume)
{
	const struct instance *instance = place->instance;
	size_t count = 0;

	for (size_t i = 0; i < instance->volume_count; i++) {
		const struct volume *volume = volume_get(place->model, instance->volumes[i].id);

		if (!volume->told || volume_is_root(volume))
			continue;
		if (count++ == index)
			*ret_volume = volume;
	}
	return count;
}

/* "ami", "ebs1" and on, "root": EC2 guide, "Instance metadata categories". */
static bool each_device(const struct place *place, size_t index, struct place *ret_entry,
			struct buffer *name)
{
	const struct volume *volume = NULL;
	const size_t count = told_volumes(place, index - 1, &volume);

	if (index > count + 1)
		return false;
	*ret_entry = *place;
	ret_entry->text = volume ? volume->device : ROOT_DEVICE;
	if (volume)
		buffer_printf(name, "ebs%zu", index);
	else
		buffer_puts(name, index ? "root" : "ami");
	return true;
}

/* ---- the tree ---- */

/* clang-format off */
#define LEAF(name_, since_, get_)	{ .name = (name_), .since = (since_), .get = (get_) }
#define DIRECTORY(name_, since_, nodes_) { .name = (name_), .since = (since_), .nodes = (nodes_) }
#define EACH(name_, since_, each_, entry_)                                                         \
	{ .name = (name_), .since = (since_), .each = (each_), .entry = &(entry_) }
#define END { .name = NULL }

static const struct node device_entry = { .get = get_text };

static const struct node maintenance_nodes[] = {
	LEAF("history", NULL, get_no_events),
	LEAF("scheduled", NULL, get_no_events),
	END,
};

static const struct node event_nodes[] = {
	DIRECTORY("maintenance", NULL, maintenance_nodes),
	END,
};

static const struct node metrics_nodes[] = {
	LEAF("vhostmd", NULL, get_vhostmd),
	END,
};

static const struct node association_entry = { .get = get_private_of_public };

static const struct node interface_nodes[] = {
	LEAF("device-number", NULL, get_device_number),
	LEAF("interface-id", NULL, get_interface_id),
	EACH("ipv4-associations", NULL, each_public_address, association_entry),
	LEAF("local-hostname", NULL, get_local_hostname),
	LEAF("local-ipv4s", NULL, get_local_addresses),
	LEAF("mac", NULL, get_mac),
	LEAF("network-card-index", "2020-10-27", get_network_card),
	LEAF("owner-id", NULL, get_owner_id),
	LEAF("public-hostname", NULL, get_public_hostname),
	LEAF("public-ipv4s", NULL, get_public_addresses),
	LEAF("security-group-ids", NULL, get_group_ids),
	LEAF("security-groups", NULL, get_group_names),
	LEAF("subnet-id", NULL, get_subnet),
	LEAF("subnet-ipv4-cidr-block", NULL, get_subnet_block),
	LEAF("subnet-ipv6-cidr-blocks", "2016-06-30", get_subnet_ipv6),
	LEAF("vpc-id", NULL, get_vpc),
	LEAF("vpc-ipv4-cidr-block", NULL, get_vpc_block),
	LEAF("vpc-ipv4-cidr-blocks", "2016-06-30", get_vpc_blocks),
	LEAF("vpc-ipv6-cidr-blocks", "2016-06-30", get_vpc_ipv6),
	END,
};
static const struct node interface_entry = { .nodes = interface_nodes };

static const struct node interfaces_nodes[] = {
	EACH("macs", NULL, each_interface, interface_entry),
	END,
};

static const struct node network_nodes[] = {
	DIRECTORY("interfaces", NULL, interfaces_nodes),
	END,
};

static const struct node placement_nodes[] = {
	LEAF("availability-zone", NULL, get_zone),
	LEAF("availability-zone-id", "2019-10-01", get_zone_id),
	LEAF("region", "2019-10-01", get_region),
	END,
};

static const struct node key_nodes[] = {
	LEAF("openssh-key", NULL, get_key),
	END,
};
static const struct node key_entry = { .nodes = key_nodes, .bare = true };

static const struct node services_nodes[] = {
	LEAF("domain", NULL, get_domain),
	LEAF("partition", "2015-10-20", get_partition),
	END,
};

static const struct node tag_entry = { .get = get_text };

static const struct node tags_nodes[] = {
	EACH("instance", NULL, each_tag, tag_entry),
	END,
};

/* The versions: EC2 guide, "Instance metadata categories". */
static const struct node metadata_nodes[] = {
	LEAF("ami-id", NULL, get_image),
	LEAF("ami-launch-index", NULL, get_launch_index),
	LEAF("ami-manifest-path", NULL, get_manifest),
	EACH("block-device-mapping", "2007-12-15", each_device, device_entry),
	DIRECTORY("events", "2018-08-17", event_nodes),
	LEAF("hostname", NULL, get_local_hostname),
	LEAF("instance-action", "2008-09-01", get_action),
	LEAF("instance-id", NULL, get_instance_id),
	LEAF("instance-life-cycle", "2019-10-01", get_life_cycle),
	LEAF("instance-type", "2007-08-29", get_type),
	LEAF("local-hostname", "2007-01-19", get_local_hostname),
	LEAF("local-ipv4", NULL, get_local_address),
	LEAF("mac", "2011-01-01", get_mac),
	DIRECTORY("metrics", "2011-05-01", metrics_nodes),
	DIRECTORY("network", "2011-01-01", network_nodes),
	DIRECTORY("placement", "2008-02-01", placement_nodes),
	LEAF("profile", NULL, get_profile),
	LEAF("public-hostname", "2007-01-19", get_public_hostname),
	LEAF("public-ipv4", "2007-01-19", get_public_address),
	EACH("public-keys", NULL, each_key, key_entry),
	LEAF("reservation-id", NULL, get_reservation),
	LEAF("security-groups", NULL, get_group_names),
	DIRECTORY("services", "2014-02-25", services_nodes),
	DIRECTORY("tags", "2021-03-23", tags_nodes),
	END,
};

static const struct node identity_nodes[] = {
	LEAF("document", NULL, get_document),
	END,
};

static const struct node dynamic_nodes[] = {
	DIRECTORY("instance-identity", NULL, identity_nodes),
	END,
};

static const struct node version_nodes[] = {
	{ .name = "dynamic", .since = "2009-04-04", .nodes = dynamic_nodes, .bare = true },
	{ .name = "meta-data", .nodes = metadata_nodes, .bare = true },
	{ .name = "user-data", .get = get_user_data, .type = IMDS_BYTES },
	END,
};
static const struct node version_entry = { .nodes = version_nodes, .bare = true };
/* clang-format on */

static const char *const versions[] = {
	"1.0",	      "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
	"2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12",
	"2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02",
	"2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
	"2021-03-23", "2021-07-15", "latest",
};

static bool each_version(const struct place *place, size_t index, struct place *ret_entry,
			 struct buffer *name)
{
	if (index >= ARRAY_SIZE(versions))
		return false;
	*ret_entry = *place;
	return put(name, versions[index]);
}
static const struct node root = { .each = each_version, .entry = &version_entry };

bool imds_version_is_known(const char *version)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (streq(versions[i], version))
			return true;
	return false;
}

/* ---- walking it ---- */

/* An entry of a directory, as it was found. */
struct entry {
	const struct node *node;
	struct place place;
	struct buffer name;
};

/* Entry `index` of a directory that is the same for all, or of one that the instance names. */
static bool entry_at(const struct node *directory, const struct place *place, size_t index,
		     struct entry *ret_entry)
{
	ret_entry->name.length = 0;
	ret_entry->place = *place;
	if (directory->each) {
		ret_entry->node = directory->entry;
		return directory->each(place, index, &ret_entry->place, &ret_entry->name);
	}
	ret_entry->node = &directory->nodes[index];
	return put(&ret_entry->name, ret_entry->node->name);
}

static bool is_of_version(const struct node *node, const char *version)
{
	return !node->since || strcmp(version, node->since) >= 0;
}

/* Does the instance have it, in this version? A directory is there when something in it is. */
static bool is_there(const struct node *node, const struct place *place, const char *version)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct entry entry = { .name = BUFFER_INIT };
	bool found = false;

	if (!is_of_version(node, version))
		return false;
	if (node->get)
		return node->get(place, &scratch);
	for (size_t i = 0; !found && entry_at(node, place, i, &entry); i++)
		found = is_there(entry.node, &entry.place, version);
	buffer_clear(&entry.name);
	return found;
}

static void list(const struct node *node, const struct place *place, const char *version,
		 struct buffer *body)
{
	struct entry entry = { .name = BUFFER_INIT };
	bool first = true;

	for (size_t i = 0; entry_at(node, place, i, &entry); i++) {
		if (!is_there(entry.node, &entry.place, version))
			continue;
		put_line(body, &first, entry.name.data);
		if (entry.place.title)
			buffer_printf(body, "=%s", entry.place.title);
		if (!entry.node->get && !entry.node->bare)
			buffer_putc(body, '/');
	}
	buffer_clear(&entry.name);
}

/* Goes into the entry of that name. */
static bool enter(const struct node **node, struct place *place, const char *name)
{
	struct entry entry = { .name = BUFFER_INIT };
	bool found = false;

	for (size_t i = 0; !(*node)->get && !found && entry_at(*node, place, i, &entry); i++)
		found = streq(entry.name.data, name);
	buffer_clear(&entry.name);
	if (found) {
		*node = entry.node;
		*place = entry.place;
		place->title = NULL;
	}
	return found;
}

const char *imds_page(const struct model *model, const struct instance *instance, const char *path,
		      struct buffer *body)
{
	struct place place = { .model = model,
			       .instance = instance,
			       .interface = instance_primary(model, instance) };
	char text[PATH_TEXT_MAX], *rest = text, *name;
	const struct node *node = &root;
	const char *version = NULL;

	if (!place.interface || strlen(path) >= sizeof(text) ||
	    !text_unescape(path, strlen(path), false, text))
		return NULL;
	while ((name = strsep(&rest, "/"))) {
		if (!*name)
			continue;
		version = version ? version : name;
		if (!enter(&node, &place, name) || !is_of_version(node, version))
			return NULL;
	}
	if (!is_there(node, &place, version ? version : "latest"))
		return NULL;
	if (node->get)
		node->get(&place, body);
	else
		list(node, &place, version ? version : "latest", body);
	return node->type ? node->type : IMDS_TEXT;
}
