/* A packet in a subnet, and the whole of its way: see walk.h. */
#include "path/walk.h"

#include "model/attachment.h"
#include "model/service.h"

#include <netinet/in.h>

static struct path_step delivery(struct rid at)
{
	return (struct path_step){ .kind = PATH_DELIVERY, .at = at };
}

/* ---- from an interface ---- */

static bool is_own(const struct interface *interface, struct address address)
{
	for_each_interface_address(own, interface)
	{
		if (address_equal(own, address))
			return true;
	}
	return false;
}

const struct interface *walk_device(const struct walk *walk, const struct instance *instance,
				    struct address destination)
{
	for (size_t i = 0; i < instance->interface_count; i++) {
		const struct interface *interface =
			interface_get(walk->model, instance->interfaces[i].id);

		if (cidr_contains(subnet_get(walk->model, interface->subnet)->cidr, destination))
			return interface;
	}
	return instance_primary(walk->model, instance); /* the default route's */
}

static bool check_source(struct walk *walk, const struct interface *from)
{
	struct path_step step = { .kind = PATH_SOURCE_CHECK, .at = from->resource.id };
	const struct address source = walk->packet.source;

	if (is_own(from, source))
		return walk_step(walk, step, "%s is its own address", address_format(source).text);
	if (!from->source_dest_check)
		return walk_step(walk, step, "%s is not its own, but its check is off",
				 address_format(source).text);
	step.result = PATH_STOPS;
	walk_step(walk, step,
		  "%s is not an address of %s, by which the instance's own routes lead, and its "
		  "source/destination check is on",
		  address_format(source).text, rid_format(from->resource.id).text);
	walk_advise(walk, "give the instance a rule that routes by source address (ip rule), or "
			  "send from the address of its first interface");
	return false;
}

/*
 * The subnet's own router and Amazon's services, which answer nobody in another's name: 0 passes
 * by, 1 arrives, -1 stops.
 */
static int serve(struct walk *walk, const struct subnet *subnet, bool is_own_source)
{
	static const char *const names[] = {
		[SERVICE_DNS] = "Amazon's DNS",
		[SERVICE_IMDS] = "instance metadata",
		[SERVICE_NTP] = "Amazon's time",
	};
	const struct path_packet *packet = &walk->packet;
	struct path_step step = delivery(subnet->resource.id);
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	CLEANUP(freep) struct service *services = NULL;
	size_t count = services_of(walk->model, subnet, &services);
	const struct service *found = NULL;

	walk->end = END_SERVICE;
	if (address_equal(packet->destination, subnet_router(subnet)))
		return walk_step(walk, step, "the subnet's router answers its own subnet") ? 1 : -1;
	for (size_t i = 0; i < count; i++) {
		if (!address_equal(services[i].address, packet->destination))
			continue;
		found = &services[i];
		if (is_own_source && !found->silent && found->protocol == packet->protocol &&
		    found->port == packet->first) {
			walk_step(walk, step, "%s, whatever groups, ACLs and routes say",
				  names[found->kind]);
			return 1;
		}
	}
	walk->end = END_NOWHERE;
	if (!found)
		return 0;
	step.result = PATH_STOPS;
	if (found->silent)
		walk_step(walk, step, "%s is switched off in this VPC: enableDnsSupport is false",
			  names[found->kind]);
	else
		walk_step(walk, step, "%s is there, and does not answer %s", names[found->kind],
			  path_service(packet, &scratch));
	return -1;
}

bool walk_send(struct walk *walk, const struct interface *from)
{
	const struct subnet *subnet = subnet_get(walk->model, from->subnet);
	int served;

	if (walk_is_lost(walk, subnet->resource.id) || !walk_ask_faults(walk, from) ||
	    !check_source(walk, from))
		return false;
	served = serve(walk, subnet, is_own(from, walk->packet.source));
	if (served)
		return served > 0;
	if (!walk_ask_groups(walk, from, true))
		return false;
	if (cidr_contains(subnet->cidr, walk->packet.destination))
		return walk_deliver(walk, subnet, false);
	return walk_ask_acl(walk, subnet, true) && walk_route(walk, subnet, from);
}

/* ---- to an interface ---- */

static bool stop_at_absent(struct walk *walk, const struct subnet *subnet,
			   const struct interface *interface)
{
	struct path_step step = delivery(subnet->resource.id);
	const struct instance *instance =
		interface ? instance_get(walk->model, interface->instance) : NULL;
	CLEANUP(freep) char *kept = xstrdup(address_format(walk->packet.destination).text);

	step.result = PATH_STOPS;
	if (!interface)
		return walk_step(walk, step, "nobody in %s has the address %s",
				 rid_format(subnet->resource.id).text, kept);
	step.at = interface->resource.id;
	if (rid_is_set(interface->endpoint))
		return walk_step(walk, step, "%s is a record: no service is behind it",
				 rid_format(interface->endpoint).text);
	if (!instance) {
		walk_step(walk, step, "the interface is attached to no instance");
		walk_advise(walk, "aws ec2 attach-network-interface --network-interface-id %s",
			    rid_format(interface->resource.id).text);
		return false;
	}
	walk_step(walk, step, "%s is %s", rid_format(instance->resource.id).text,
		  instance_state_names[instance->state]);
	walk_advise(walk, "aws ec2 start-instances --instance-ids %s",
		    rid_format(instance->resource.id).text);
	return false;
}

static bool take(struct walk *walk, const struct interface *interface)
{
	struct path_step step = delivery(interface->resource.id);
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const char *owner = walk_owner(walk, interface, &scratch);

	if (walk_is_translated(walk, interface))
		return walk_restore(walk, interface);
	if (rid_is_set(interface->nat_gateway)) {
		step.kind = PATH_NAT_GATEWAY;
		step.result = PATH_STOPS;
		return walk_step(walk, step, "%s leads out and not in", owner);
	}
	walk->end = END_INTERFACE;
	walk->at = interface;
	return walk_step(walk, step, "%s has it", owner);
}

bool walk_deliver(struct walk *walk, const struct subnet *subnet, bool from_outside)
{
	const struct address destination = walk->packet.destination;
	const struct interface *interface =
		interface_at(walk->model, subnet->resource.id, destination);
	const struct instance *instance =
		interface ? instance_get(walk->model, interface->instance) : NULL;
	struct path_step step = delivery(subnet->resource.id);

	step.result = PATH_STOPS;
	if (from_outside && address_equal(destination, subnet_router(subnet)))
		return walk_step(walk, step, "a subnet's router answers its own subnet only");
	if (!interface || !attachment_is_live(walk->model, interface) ||
	    (instance && !instance->pid))
		return stop_at_absent(walk, subnet, interface);
	if (!walk_ask_faults(walk, interface))
		return false;
	if (from_outside && !walk_ask_acl(walk, subnet, false))
		return false;
	return walk_ask_groups(walk, interface, false) && take(walk, interface);
}

bool walk_local(struct walk *walk, const struct vpc *vpc)
{
	struct path_step step = delivery(vpc->resource.id);

	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc->resource.id) && subnet->realized &&
		    cidr_contains(subnet->cidr, walk->packet.destination))
			return walk_deliver(walk, subnet, true);
	step.result = PATH_STOPS;
	walk_step(walk, step, "no subnet of %s has the address %s",
		  rid_format(vpc->resource.id).text, address_format(walk->packet.destination).text);
	return false;
}

/* ---- there and back ---- */

static bool stop_at_start(struct walk *walk, struct rid at, const char *why)
{
	return walk_step(walk,
			 (struct path_step){ .kind = PATH_START, .result = PATH_STOPS, .at = at },
			 "%s", why);
}

static bool is_unicast(struct address address)
{
	const uint32_t first = address_to_v4(address) >> 24;

	return first > 0 && first < 224 && first != 127;
}

static bool from_interface(struct walk *walk, const struct interface *from)
{
	const struct instance *instance = instance_get(walk->model, from->instance);
	const struct address destination = walk->packet.destination;
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (!instance) {
		return stop_at_start(walk, from->resource.id, "it is no running instance's");
	} else if (!instance_is_live(instance) || !instance->pid) {
		buffer_printf(&text, "%s is %s", rid_format(instance->resource.id).text,
			      instance_state_names[instance->state]);
		stop_at_start(walk, instance->resource.id, text.data);
		walk_advise(walk, "aws ec2 start-instances --instance-ids %s",
			    rid_format(instance->resource.id).text);
		return false;
	}
	for (size_t i = 0; i < instance->interface_count; i++)
		if (is_own(interface_get(walk->model, instance->interfaces[i].id), destination)) {
			walk->end = END_SERVICE;
			return walk_step(walk, delivery(instance->resource.id),
					 "its own address: it never leaves the instance");
		}
	return walk_send(walk, walk_device(walk, instance, destination));
}

static bool go(struct walk *walk, const struct path_place *from)
{
	if (!is_unicast(walk->packet.destination))
		return stop_at_start(walk,
				     from->interface ? from->interface->resource.id
						     : from->host->resource.id,
				     "only what is sent to one address goes anywhere in a VPC");
	if (from->interface)
		return from_interface(walk, from->interface);
	if (address_equal(walk->packet.destination, from->host->address)) {
		walk->end = END_SERVICE;
		return walk_step(walk, delivery(from->host->resource.id),
				 "its own address: it never leaves the host");
	}
	return walk_internet(walk);
}

static bool is_back(const struct walk *walk, const struct path_place *from)
{
	if (walk->end == END_HOST)
		return walk->host == from->host;
	return walk->end == END_INTERFACE && from->interface &&
	       rid_equal(walk->at->instance, from->interface->instance);
}

/* The answer to what has arrived as walk->packet is. */
static bool go_back(struct walk *walk, const struct path_place *from)
{
	const struct path_packet seen = walk->packet;
	const struct interface *at = walk->at;
	const enum walk_end end = walk->end;
	bool reached;

	walk->answer = true;
	walk->stretches = 0;
	walk->end = END_NOWHERE;
	walk->packet.source = seen.destination;
	walk->packet.destination = seen.source;
	walk->packet.first = seen.protocol == IPPROTO_ICMP ? 0 : walk->source_first;
	walk->packet.last = seen.protocol == IPPROTO_ICMP ? 0 : walk->source_last;
	reached =
		end == END_HOST
			? walk_internet(walk)
			: walk_send(walk, walk_device(walk, instance_get(walk->model, at->instance),
						      walk->packet.destination));
	if (!reached)
		return false;
	if (!is_back(walk, from))
		return stop_at_start(walk, walk->path->steps[walk->path->step_count - 1].at,
				     "the answer comes to somebody who did not ask");
	if (!address_equal(walk->packet.source, walk->path->packet.destination))
		return stop_at_start(walk, walk->path->steps[walk->path->step_count - 1].at,
				     "the answer comes from another address than was asked");
	return true;
}

void path_trace(const struct model *model, const struct path_place *from,
		const struct path_packet *packet, struct path *ret_path)
{
	struct path path = { .packet = *packet };
	struct walk walk = {
		.model = model,
		.path = &path,
		.packet = *packet,
		.source_first = PATH_PORT_FIRST,
		.source_last = PATH_PORT_LAST,
	};

	if (go(&walk, from)) {
		path.seen = walk.packet;
		if (walk.end == END_INTERFACE)
			path.arrives_at = walk.at->resource.id;
		if (walk.end == END_INTERFACE || walk.end == END_HOST)
			go_back(&walk, from);
	}
	free(walk.tracking);
	free(walk.translations);
	*ret_path = path;
}
