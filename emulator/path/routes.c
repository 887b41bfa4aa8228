/* The route that a packet takes: the longest prefix of a table. See walk.h. */
#include "path/walk.h"

#include "model/attachment.h"

static const struct cidr everywhere = { { AF_INET, { 0 } }, 0 };

struct choice {
	const struct route *route; /* NULL: none leads there */
	struct cidr block;	   /* of the route, or of its prefix list's entry */
};

static void consider(struct choice *choice, const struct route *route, struct cidr block,
		     struct address destination)
{
	if (block.address.family == destination.family && cidr_contains(block, destination) &&
	    (!choice->route || block.length > choice->block.length))
		*choice = (struct choice){ route, block };
}

/* Those of endpoints, or the others. */
static struct choice choose(const struct model *model, const struct route_table *table,
			    struct address destination, bool of_endpoints)
{
	struct choice choice = { NULL, everywhere };

	for (size_t i = 0; i < table->route_count; i++) {
		const struct route *route = &table->routes[i];
		const struct prefix_list *list = prefix_list_get(model, route->prefix_list);

		if (route_is_of_endpoint(route) != of_endpoints)
			continue;
		if (!list) {
			consider(&choice, route, route->destination, destination);
			continue;
		}
		for_each_prefix_entry (entry, list, list->version)
			if (of_endpoints || route_entry_counts(model, table, route, entry->cidr))
				consider(&choice, route, entry->cidr, destination);
	}
	return choice;
}

static bool is_associated(const struct route_table *table, struct rid subnet)
{
	for (size_t i = 0; i < table->association_count; i++)
		if (rid_equal(table->associations[i].subnet, subnet))
			return true;
	return false;
}

/* "10.0.0.0/16 by pl-… to igw-…" */
static void put_route(const struct choice *choice, struct buffer *text)
{
	buffer_puts(text, cidr_format(choice->block).text);
	if (rid_is_set(choice->route->prefix_list))
		buffer_printf(text, " of %s", rid_format(choice->route->prefix_list).text);
	if (rid_is_set(choice->route->target))
		buffer_printf(text, " to %s", rid_format(choice->route->target).text);
	else
		buffer_puts(text, " local");
}

/* ---- no way ---- */

static const struct peering *peering_towards(const struct model *model, const struct vpc *vpc,
					     struct address destination)
{
	CLEANUP(freep) struct peering **peerings = NULL;
	size_t count = peerings_of(model, vpc->resource.id, &peerings);

	for (size_t i = 0; i < count; i++)
		if (vpc_contains(vpc_get(model, peering_other(peerings[i], vpc->resource.id)),
				 destination))
			return peerings[i];
	return NULL;
}

static void advise_route(struct walk *walk, const struct route_table *table)
{
	const struct vpc *vpc = vpc_get(walk->model, table->vpc);
	const struct address destination = walk->packet.destination;
	const struct peering *peering = peering_towards(walk->model, vpc, destination);
	const struct gateway *gateway = gateway_of(vpc);
	CLEANUP(freep)
	char *create = xasprintf("aws ec2 create-route --route-table-id %s",
				 rid_format(table->resource.id).text);

	if (peering)
		walk_advise(walk,
			    "%s --destination-cidr-block %s/32 --vpc-peering-connection-id %s",
			    create, address_format(destination).text,
			    rid_format(peering->resource.id).text);
	else if (walk_is_private(destination))
		walk_advise(walk, "peer the VPCs (aws ec2 create-vpc-peering-connection), and "
				  "route to the peer in both");
	else if (gateway)
		walk_advise(walk,
			    "%s --destination-cidr-block 0.0.0.0/0 --gateway-id %s, or "
			    "--nat-gateway-id where it has no public address",
			    create, rid_format(gateway->resource.id).text);
	else
		walk_advise(walk, "aws ec2 create-internet-gateway, aws ec2 "
				  "attach-internet-gateway, and a route to it");
}

/* Why the target takes nothing. */
static const char *why_blackhole(const struct model *model, const struct route *route)
{
	switch (route->target.kind) {
	case KIND_INTERNET_GATEWAY:
		return model_get(model, NULL, route->target) ? "it is not attached to this VPC"
							     : "it is gone";
	case KIND_VPC_PEERING:
		return "it is not active";
	case KIND_NAT_GATEWAY:
		return "it is not available";
	default:
		return model_get(model, NULL, route->target) ? "no instance that runs has it"
							     : "it is gone";
	}
}

static bool stop_at_blackhole(struct walk *walk, struct path_step step, const struct choice *choice)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	put_route(choice, &text);
	step.result = PATH_STOPS;
	walk_step(walk, step, "%s in %s is a blackhole: %s", text.data, rid_format(step.by).text,
		  why_blackhole(walk->model, choice->route));
	walk_advise(walk,
		    "mend %s, or aws ec2 replace-route --route-table-id %s "
		    "--destination-cidr-block %s with another target",
		    rid_format(choice->route->target).text, rid_format(step.by).text,
		    cidr_format(choice->block).text);
	return false;
}

/* ---- by way of an interface ---- */

static bool stop_at_check(struct walk *walk, const struct interface *interface)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	walk_step(walk,
		  (struct path_step){ .kind = PATH_SOURCE_CHECK,
				      .result = PATH_STOPS,
				      .at = interface->resource.id },
		  "%s takes nothing that is not for itself: its source/destination check is on",
		  walk_owner(walk, interface, &scratch));
	walk_advise(walk,
		    "aws ec2 modify-network-interface-attribute --network-interface-id %s "
		    "--no-source-dest-check",
		    rid_format(interface->resource.id).text);
	return false;
}

static bool has_address(const struct walk *walk, const struct instance *instance,
			struct address address)
{
	for (size_t i = 0; i < instance->interface_count; i++) {
		const struct interface *interface =
			interface_get(walk->model, instance->interfaces[i].id);

		for_each_interface_address(own, interface)
		{
			if (address_equal(own, address))
				return true;
		}
	}
	return false;
}

/* The instance has it: it is for itself, or goes on by whatever its kernel does with it. */
static bool forward(struct walk *walk, const struct interface *interface)
{
	const struct instance *instance = instance_get(walk->model, interface->instance);
	struct path_step step = { .kind = PATH_APPLIANCE,
				  .result = PATH_DEPENDS,
				  .at = interface->resource.id,
				  .by = instance->resource.id };
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct interface *out;

	if (walk_is_translated(walk, interface) &&
	    address_equal(walk->packet.destination, interface->address))
		return walk_restore(walk, interface);
	if (has_address(walk, instance, walk->packet.destination)) {
		walk->end = END_INTERFACE;
		walk->at = interface;
		return true;
	}
	walk_step(walk, step, "%s forwards it, if its own kernel does",
		  walk_owner(walk, interface, &scratch));
	if (!walk->answer)
		walk->appliance = interface;
	out = walk_device(walk, instance, walk->packet.destination);
	return out && walk_send(walk, out);
}

/* `from`: the subnet that it comes from; unset: a gateway. */
static bool by_interface(struct walk *walk, const struct interface *interface, struct rid from)
{
	const struct subnet *subnet = subnet_get(walk->model, interface->subnet);

	if (!rid_is_set(interface->nat_gateway) && interface->source_dest_check)
		return stop_at_check(walk, interface);
	if (!walk_ask_faults(walk, interface))
		return false;
	if (!rid_equal(interface->subnet, from) && !walk_ask_acl(walk, subnet, false))
		return false;
	if (rid_is_set(interface->nat_gateway))
		return walk_nat(walk, interface);
	return walk_ask_groups(walk, interface, false) && forward(walk, interface);
}

/* ---- the tables ---- */

/* A record: packets go where they would without it. */
static void note_endpoint(struct walk *walk, const struct route_table *table, struct rid at)
{
	struct choice choice = choose(walk->model, table, walk->packet.destination, true);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (!choice.route)
		return;
	put_route(&choice, &text);
	walk_step(walk,
		  (struct path_step){ .kind = PATH_ENDPOINT,
				      .result = PATH_NOTE,
				      .at = at,
				      .by = choice.route->target },
		  "%s is a record: no service is behind it, and no packet follows it", text.data);
}

static bool follow(struct walk *walk, const struct route_table *table, struct rid from,
		   const struct choice *choice)
{
	const struct vpc *vpc = vpc_get(walk->model, table->vpc);
	const struct rid target = choice->route->target;

	switch (target.kind) {
	case KIND_NONE:
		return walk_local(walk, vpc);
	case KIND_INTERNET_GATEWAY:
		return walk_out(walk, gateway_get(walk->model, target));
	case KIND_VPC_PEERING:
		return walk_peering(walk, vpc, peering_get(walk->model, target));
	default:
		return by_interface(walk, route_interface(walk->model, choice->route), from);
	}
}

bool walk_route(struct walk *walk, const struct subnet *subnet, const struct interface *from)
{
	const struct route_table *table = route_table_of(subnet);
	const struct choice choice = choose(walk->model, table, walk->packet.destination, false);
	struct path_step step = { .kind = PATH_ROUTE,
				  .at = subnet->resource.id,
				  .by = table->resource.id };
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	note_endpoint(walk, table, step.at);
	if (!choice.route) {
		step.result = PATH_STOPS;
		walk_step(walk, step, "%s has no route to %s", rid_format(step.by).text,
			  address_format(walk->packet.destination).text);
		advise_route(walk, table);
		return false;
	}
	if (!route_is_active(walk->model, table, choice.route))
		return stop_at_blackhole(walk, step, &choice);
	if (rid_equal(route_interface_id(walk->model, choice.route), from->resource.id)) {
		step.result = PATH_STOPS;
		put_route(&choice, &text);
		return walk_step(walk, step, "%s in %s leads back to where it comes from: a loop",
				 text.data, rid_format(step.by).text);
	}
	put_route(&choice, &text);
	walk_step(walk, step, "%s in %s, %s", text.data, rid_format(step.by).text,
		  is_associated(table, step.at) ? "the subnet's own table"
						: "the VPC's main table");
	return follow(walk, table, step.at, &choice);
}

bool walk_route_inward(struct walk *walk, const struct gateway *gateway)
{
	const struct route_table *table = route_table_of_gateway(gateway);
	const struct vpc *vpc = vpc_get(walk->model, gateway->vpc);
	struct path_step step = { .kind = PATH_ROUTE, .at = gateway->resource.id };
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	const struct interface *interface;
	struct choice choice = { NULL, everywhere };

	if (table)
		choice = choose(walk->model, table, walk->packet.destination, false);
	if (!choice.route || !route_is_by_interface(choice.route->target))
		return walk_local(walk, vpc);
	step.by = table->resource.id;
	interface = route_interface(walk->model, choice.route);
	if (!interface)
		return stop_at_blackhole(walk, step, &choice);
	put_route(&choice, &text);
	/* VPC guide, "Gateway route tables" */
	if (!address_is_set(interface_public_at(walk->model, interface, interface->address))) {
		step.result = PATH_STOPS;
		walk_step(walk, step, "%s in %s leads nowhere: the interface has no public address",
			  text.data, rid_format(step.by).text);
		walk_advise(walk, "aws ec2 associate-address --network-interface-id %s",
			    rid_format(interface->resource.id).text);
		return false;
	}
	walk_step(walk, step, "%s in %s, the gateway's own table", text.data,
		  rid_format(step.by).text);
	return by_interface(walk, interface, (struct rid){ KIND_NONE, 0 });
}
