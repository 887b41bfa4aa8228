/* Where a packet starts and where it is to go: see path.h. */
#include "path/path.h"

#include "model/instance.h"
#include "model/peering.h"

#include <netinet/in.h>

static int no_such(const char *text, struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND,
			 "There is no instance, network interface or Internet host '%s': minivpc "
			 "ps and minivpc internet list tell what there is",
			 text);
}

static int find_id(const struct model *model, struct rid id, const char *text,
		   struct path_place *place, struct error *error)
{
	if (id.kind == KIND_INSTANCE)
		place->instance = instance_get(model, id);
	else if (id.kind == KIND_NETWORK_INTERFACE)
		place->interface = interface_get(model, id);
	else
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' sends no packets: name an instance, a network interface or "
				 "an Internet host",
				 text);
	if (place->interface)
		place->instance = instance_get(model, place->interface->instance);
	return place->instance || place->interface ? 0 : no_such(text, error);
}

static int find_name(const struct model *model, const char *text, struct path_place *place,
		     struct error *error)
{
	struct instance *instance = NULL;
	int r = instance_named(model, text, &instance, error);

	if (r < 0)
		return r;
	place->instance = instance;
	if (!instance)
		place->host = internet_host_find(model, text);
	return instance || place->host ? 0 : no_such(text, error);
}

int path_find(const struct model *model, const char *text, struct path_place *ret_place,
	      struct error *error)
{
	struct path_place place = { 0 };
	struct rid id;
	int r;

	if (address_parse(text, &place.address) == 0) {
		if (place.address.family != AF_INET)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "'%s': nothing but IPv4 leaves an instance", text);
		*ret_place = place;
		return 0;
	}
	r = rid_parse_any(text, &id) == 0 ? find_id(model, id, text, &place, error)
					  : find_name(model, text, &place, error);
	if (r == 0)
		*ret_place = place;
	return r;
}

const char *path_label(const struct path_place *place, struct buffer *scratch)
{
	const char *name =
		place->instance ? resource_tag(&place->instance->resource, "Name") : NULL;

	if (name && *name)
		return name;
	if (place->host)
		return internet_host_name(place->host);
	buffer_clear(scratch);
	if (place->instance)
		buffer_puts(scratch, rid_format(place->instance->resource.id).text);
	else if (place->interface)
		buffer_puts(scratch, rid_format(place->interface->resource.id).text);
	else
		buffer_puts(scratch, address_format(place->address).text);
	return scratch->data;
}

/* ---- addresses ---- */

/* Of the first card, or of the one whose subnet the destination is in. */
static const struct interface *card_of(const struct model *model, const struct instance *instance,
				       struct address destination)
{
	for (size_t i = 0; address_is_set(destination) && i < instance->interface_count; i++) {
		const struct interface *interface =
			interface_get(model, instance->interfaces[i].id);

		if (interface &&
		    cidr_contains(subnet_get(model, interface->subnet)->cidr, destination))
			return interface;
	}
	return instance_primary(model, instance);
}

static bool is_near(const struct model *model, struct rid vpc, struct rid other)
{
	CLEANUP(freep) struct peering **peerings = NULL;
	size_t count = peerings_of(model, vpc, &peerings);

	for (size_t i = 0; i < count; i++)
		if (rid_equal(peering_other(peerings[i], vpc), other))
			return true;
	return rid_equal(vpc, other);
}

/* `from`: the sender's interface; NULL: it is on the Internet. */
static int address_of(const struct model *model, const struct path_place *to,
		      const struct interface *from, struct address *ret, struct error *error)
{
	const struct interface *interface = to->interface;
	struct address outside = { 0 };
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	*ret = to->host ? to->host->address : to->address;
	if (address_is_set(*ret))
		return 0;
	if (!interface)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' has no address any more: it is terminated",
				 path_label(to, &scratch));
	outside = interface_public_at(model, interface, interface->address);
	*ret = address_is_set(outside) && !(from && is_near(model, from->vpc, interface->vpc))
		       ? outside
		       : interface->address;
	return 0;
}

int path_choose(const struct model *model, struct path_place *from, struct path_place *to,
		uint8_t protocol, uint16_t port, struct path_packet *ret_packet,
		struct error *error)
{
	struct path_packet packet = { .protocol = protocol, .first = port, .last = port };
	const struct interface *first = from->interface;
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	int r;

	if (address_is_set(from->address))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' is an address: name the instance, network interface or "
				 "Internet host that sends",
				 address_format(from->address).text);
	if (protocol == IPPROTO_ICMP)
		packet.first = packet.last = 8 << 8; /* an echo request */
	if (!first && from->instance)
		first = instance_primary(model, from->instance);
	if (!from->host && !first)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' has no address any more: it is terminated",
				 path_label(from, &scratch));
	if (!to->interface && to->instance)
		to->interface = instance_primary(model, to->instance);
	if ((r = address_of(model, to, first, &packet.destination, error)) < 0)
		return r;
	if (!from->interface && from->instance)
		from->interface = card_of(model, from->instance, packet.destination);
	packet.source = from->host ? from->host->address : from->interface->address;
	*ret_packet = packet;
	return 0;
}
