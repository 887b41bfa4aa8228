/* At the edges of a VPC: gateways, peerings and the Internet. See walk.h. */
#include "path/walk.h"

#include "model/attachment.h"
#include "model/elastic_ip.h"
#include "model/nat_gateway.h"

#include <netinet/in.h>

#define NAT_FIRST 1024 /* VPC guide, "NAT gateways": the ports that one gives to its flows */
#define NAT_LAST  65535

bool walk_is_private(struct address address)
{
	struct cidr block;

	return cidr_is_private(cidr_host(address), &block);
}

/* ---- internet gateways ---- */

/* The interface of the VPC that has the private address, if it takes packets. */
static const struct interface *holder_in(const struct model *model, struct rid vpc,
					 struct address address)
{
	const struct vpc *of = vpc_get(model, vpc);

	for_each_resource (struct subnet, subnet, of->resource.scope, KIND_SUBNET) {
		const struct interface *interface =
			rid_equal(subnet->vpc, vpc)
				? interface_at(model, subnet->resource.id, address)
				: NULL;

		if (interface)
			return attachment_is_live(model, interface) ? interface : NULL;
	}
	return NULL;
}

static struct address public_of(const struct model *model, struct rid vpc, struct address address)
{
	const struct interface *interface = holder_in(model, vpc, address);

	return interface ? interface_public_at(model, interface, address) : (struct address){ 0 };
}

static void remember(struct walk *walk, const struct interface *interface)
{
	*array_grow(&walk->translations, &walk->translation_count) = (struct translation){
		.interface = interface->resource.id,
		.source = walk->packet.source,
		.first = walk->source_first,
		.last = walk->source_last,
	};
}

/*
 * A NAT instance: what its gateway takes from it must have its own address, so that is what its
 * kernel must have made of the source.
 */
static struct address masquerade(struct walk *walk, struct rid vpc)
{
	const struct interface *appliance = walk->answer ? NULL : walk->appliance;
	struct address outside = { 0 };

	if (!appliance || !rid_equal(appliance->vpc, vpc))
		return outside;
	outside = public_of(walk->model, vpc, appliance->address);
	if (!address_is_set(outside))
		return outside;
	walk_step(walk,
		  (struct path_step){ .kind = PATH_APPLIANCE,
				      .result = PATH_DEPENDS,
				      .at = appliance->resource.id,
				      .by = appliance->instance },
		  "%s has no public address: it passes if the instance translates it to its own",
		  address_format(walk->packet.source).text);
	remember(walk, appliance);
	walk->packet.source = appliance->address;
	return outside;
}

/* What a public address leads to. */
struct mapping {
	const struct interface *interface; /* NULL: nobody's */
	struct address inside;
	const struct gateway *gateway; /* NULL: it is silent */
};

static struct mapping mapping_of(const struct model *model, struct address address)
{
	const struct resource *holder = internet_public_holder(model, address);
	struct mapping mapping = { NULL, { 0 }, NULL };
	const struct elastic_ip *elastic_ip = NULL;

	if (!holder)
		return mapping;
	if (holder->id.kind == KIND_ELASTIC_IP)
		elastic_ip = elastic_ip_get(model, holder->id);
	mapping.interface = interface_get(model, elastic_ip ? elastic_ip->interface : holder->id);
	if (!mapping.interface)
		return mapping;
	mapping.inside = elastic_ip ? elastic_ip->private_address : mapping.interface->address;
	if (attachment_is_live(model, mapping.interface))
		mapping.gateway = gateway_of(vpc_get(model, mapping.interface->vpc));
	return mapping;
}

static bool come_in(struct walk *walk, const struct mapping *mapping)
{
	const struct address outside = walk->packet.destination;
	CLEANUP(freep) char *text = xstrdup(address_format(outside).text);

	walk->packet.destination = mapping->inside;
	walk_step(walk,
		  (struct path_step){ .kind = PATH_INTERNET_GATEWAY,
				      .at = mapping->gateway->resource.id,
				      .by = mapping->gateway->resource.id },
		  "in: %s is the public address of %s", text, address_format(mapping->inside).text);
	return walk_route_inward(walk, mapping->gateway);
}

bool walk_out(struct walk *walk, const struct gateway *gateway)
{
	struct path_step step = { .kind = PATH_INTERNET_GATEWAY,
				  .at = gateway->resource.id,
				  .by = gateway->resource.id };
	CLEANUP(freep) char *source = NULL;
	struct mapping mapping;
	struct address outside;

	if (walk_is_private(walk->packet.destination)) {
		step.result = PATH_STOPS;
		walk_step(walk, step, "%s is private: nobody on the Internet has it",
			  address_format(walk->packet.destination).text);
		walk_advise(walk, "peer the VPCs, or send to the public address");
		return false;
	}
	outside = public_of(walk->model, gateway->vpc, walk->packet.source);
	if (!address_is_set(outside))
		outside = masquerade(walk, gateway->vpc);
	source = xstrdup(address_format(walk->packet.source).text);
	if (!address_is_set(outside)) {
		step.result = PATH_STOPS;
		walk_step(walk, step, "%s has no public address to leave with", source);
		walk_advise(walk, "aws ec2 allocate-address and associate-address, or a route to a "
				  "NAT gateway in place of that to the internet gateway");
		return false;
	}
	walk->packet.source = outside;
	walk_step(walk, step, "out: %s leaves as %s", source, address_format(outside).text);
	mapping = mapping_of(walk->model, walk->packet.destination);
	if (mapping.gateway == gateway) /* a hairpin */
		return come_in(walk, &mapping);
	return walk_internet(walk);
}

/* ---- the Internet ---- */

static bool arrive_at_host(struct walk *walk, const struct internet_host *host)
{
	walk->end = END_HOST;
	walk->host = host;
	return walk_step(walk, (struct path_step){ .kind = PATH_INTERNET, .at = host->resource.id },
			 "%s has it", internet_host_name(host));
}

static bool stop_at_silent(struct walk *walk, const struct mapping *mapping, struct path_step step)
{
	const struct interface *interface = mapping->interface;
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	CLEANUP(freep) char *kept = xstrdup(address_format(walk->packet.destination).text);

	step.result = PATH_STOPS;
	if (!interface)
		return walk_step(walk, step, "nobody on the Internet has the address %s", kept);
	step.at = interface->resource.id;
	if (attachment_is_live(walk->model, interface)) {
		walk_step(walk, step, "%s is silent: its VPC has no internet gateway", kept);
		walk_advise(walk, "aws ec2 attach-internet-gateway --vpc-id %s",
			    rid_format(interface->vpc).text);
		return false;
	}
	walk_step(walk, step, "%s is silent: %s does not run", kept,
		  walk_owner(walk, interface, &scratch));
	if (rid_is_set(interface->instance))
		walk_advise(walk, "aws ec2 start-instances --instance-ids %s",
			    rid_format(interface->instance).text);
	return false;
}

bool walk_internet(struct walk *walk)
{
	const struct address destination = walk->packet.destination;
	const struct internet *internet = internet_get(walk->model);
	struct path_step step = { .kind = PATH_INTERNET, .at = internet->resource.id };
	const struct cidr own = { address_v4(INTERNET_NETWORK), 15 };
	struct mapping mapping;

	if (walk_is_lost(walk, step.at))
		return false;
	for_each_internet_host (host, walk->model)
		if (host->running && address_equal(host->address, destination))
			return arrive_at_host(walk, host);
	if (address_equal(destination, address_v4(INTERNET_ROUTER))) {
		walk->end = END_SERVICE;
		return walk_step(walk, step, "the Internet's own router has it");
	}
	mapping = mapping_of(walk->model, destination);
	if (mapping.gateway)
		return come_in(walk, &mapping);
	if (!mapping.interface && internet->uplink && !cidr_contains(own, destination) &&
	    !walk_is_private(destination)) {
		walk->end = END_BEYOND;
		step.result = PATH_DEPENDS;
		return walk_step(walk, step, "it leaves for the real Internet");
	}
	return stop_at_silent(walk, &mapping, step);
}

/* ---- peerings ---- */

bool walk_peering(struct walk *walk, const struct vpc *vpc, const struct peering *peering)
{
	const struct vpc *other = vpc_get(walk->model, peering_other(peering, vpc->resource.id));
	struct path_step step = { .kind = PATH_PEERING,
				  .at = peering->resource.id,
				  .by = peering->resource.id };
	const bool is_from = vpc_contains(vpc, walk->packet.source);

	if (is_from && vpc_contains(other, walk->packet.destination)) {
		walk_step(walk, step, "from %s to %s", rid_format(vpc->resource.id).text,
			  rid_format(other->resource.id).text);
		return walk_local(walk, other);
	}
	step.result = PATH_STOPS;
	walk_step(walk, step,
		  "%s is no address of %s: a peering leads from one VPC to the other "
		  "and no further",
		  address_format(is_from ? walk->packet.destination : walk->packet.source).text,
		  rid_format(is_from ? other->resource.id : vpc->resource.id).text);
	walk_advise(walk, "peer the two VPCs themselves: a peering is not transitive");
	return false;
}

/* ---- NAT ---- */

bool walk_nat(struct walk *walk, const struct interface *interface)
{
	const struct vpc *vpc = vpc_get(walk->model, interface->vpc);
	struct path_step step = { .kind = PATH_NAT_GATEWAY,
				  .at = interface->resource.id,
				  .by = interface->nat_gateway };
	CLEANUP(freep) char *source = xstrdup(address_format(walk->packet.source).text);

	step.result = PATH_STOPS;
	if (walk->answer)
		return walk_step(walk, step,
				 "%s knows no such flow: what it did not lead out has "
				 "no answer to pass",
				 rid_format(step.by).text);
	if (!vpc_contains(vpc, walk->packet.source))
		return walk_step(walk, step, "%s translates its own VPC's addresses only, not %s",
				 rid_format(step.by).text, source);
	remember(walk, interface);
	walk->packet.source = interface->address;
	walk->source_first = NAT_FIRST;
	walk->source_last = NAT_LAST;
	step.result = PATH_PASSES;
	walk_step(walk, step, "%s leaves as %s", source, address_format(interface->address).text);
	return walk_send(walk, interface);
}

bool walk_is_translated(const struct walk *walk, const struct interface *interface)
{
	return walk->answer && walk->translation_count &&
	       rid_equal(walk->translations[walk->translation_count - 1].interface,
			 interface->resource.id);
}

bool walk_restore(struct walk *walk, const struct interface *interface)
{
	const struct translation *last = &walk->translations[--walk->translation_count];
	struct path_step step = { .kind = PATH_NAT_GATEWAY,
				  .at = interface->resource.id,
				  .by = interface->nat_gateway };

	walk->packet.destination = last->source;
	if (walk->packet.protocol != IPPROTO_ICMP) {
		walk->packet.first = last->first;
		walk->packet.last = last->last;
	}
	if (!rid_is_set(interface->nat_gateway)) {
		step.kind = PATH_APPLIANCE;
		step.by = interface->instance;
		step.result = PATH_DEPENDS;
	}
	walk_step(walk, step, "the answer is for %s", address_format(last->source).text);
	return walk_send(walk, interface);
}
