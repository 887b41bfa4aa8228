/* What names mean: see names.h. */
#include "services/names.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "model/elastic_ip.h"
#include "model/instance.h"
#include "model/internet.h"
#include "model/peering.h"

#define REVERSE "in-addr.arpa"

/* A question on its way to its answer. */
struct lookup {
	const struct dns_view *view;
	char name[NS_MAXDNAME]; /* in small letters */
	uint16_t type;
	struct dns_answer *answer;
};

/* ---- verdicts ---- */

static bool wants(const struct lookup *lookup, uint16_t type)
{
	return lookup->type == type || lookup->type == ns_t_any;
}

/* The name is there; without a record of the type asked for it is no more than that. */
static void exists(struct lookup *lookup)
{
	lookup->answer->rcode = ns_r_noerror;
	if (wants(lookup, ns_t_soa) && streq(lookup->name, lookup->answer->zone))
		lookup->answer->type = ns_t_soa;
}

static void has_address(struct lookup *lookup, struct address address)
{
	lookup->answer->rcode = ns_r_noerror;
	if (!wants(lookup, ns_t_a))
		return;
	lookup->answer->type = ns_t_a;
	lookup->answer->address = address;
}

static void has_target(struct lookup *lookup, const char *target)
{
	lookup->answer->rcode = ns_r_noerror;
	if (!wants(lookup, ns_t_ptr))
		return;
	lookup->answer->type = ns_t_ptr;
	snprintf(lookup->answer->target, sizeof(lookup->answer->target), "%s", target);
}

static void is_unknown(struct lookup *lookup)
{
	lookup->answer->rcode = ns_r_nxdomain;
}

static void set_zone(struct lookup *lookup, const char *zone)
{
	snprintf(lookup->answer->zone, sizeof(lookup->answer->zone), "%s", zone);
}

/* ---- parts of names ---- */

/* Is it the zone itself, or in it? Then how long the part before the zone is, without the dot. */
static bool is_under(const char *name, const char *zone, size_t *ret_length)
{
	size_t length = strlen(name), tail = strlen(zone);

	if (length < tail || strcmp(name + length - tail, zone) != 0 ||
	    (length > tail && name[length - tail - 1] != '.'))
		return false;
	*ret_length = length > tail ? length - tail - 1 : 0;
	return true;
}

/* "ip-10-0-1-5", and nothing that only looks like it. */
static bool parse_label(const char *label, size_t length, const char *prefix,
			struct address *ret_address)
{
	CLEANUP(buffer_clear) struct buffer back = BUFFER_INIT;
	CLEANUP(freep) char *text = xasprintf("%.*s", (int)length, label);
	size_t skip = strlen(prefix);

	if (length <= skip + 1 || strncmp(text, prefix, skip) != 0 || text[skip] != '-')
		return false;
	for (char *c = text + skip + 1; *c; c++)
		if (*c == '-')
			*c = '.';
	if (address_parse(text + skip + 1, ret_address) < 0 || ret_address->family != AF_INET)
		return false;
	host_label(*ret_address, prefix, &back);
	return back.length == length && strncmp(back.data, label, length) == 0;
}

/* "5.1.0.10" is 10.0.1.5/32, and "0.10" is 10.0.0.0/16. */
static bool parse_reverse(const char *text, size_t length, struct cidr *ret_block)
{
	unsigned int octets[4], count = 0;
	uint32_t address = 0;

	for (const char *at = text, *end = text + length; at < end; at++) {
		unsigned int digits = 0, value = 0;

		for (; at < end && isdigit((unsigned char)*at) && digits < 3; at++, digits++)
			value = value * 10 + (unsigned int)(*at - '0');
		if (!digits || value > 255 || count == 4 || (at < end && *at != '.') ||
		    (digits > 1 && at[-(int)digits] == '0'))
			return false;
		octets[count++] = value;
	}
	for (unsigned int i = 0; i < count; i++)
		address |= octets[count - 1 - i] << (24 - 8 * i);
	*ret_block = (struct cidr){ address_v4(address), (uint8_t)(8 * count) };
	return count > 0;
}

/* ---- private names ---- */

static const struct interface *interface_in(const struct dns_view *view, struct address address)
{
	for_each_resource (struct subnet, subnet, view->vpc->resource.scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, view->vpc->resource.id) &&
		    cidr_contains(subnet->cidr, address))
			return interface_at(view->model, subnet->resource.id, address);
	return NULL;
}

/* The primary address of "i-…", if the instance says that it goes by that name too. */
static struct address resource_address(const struct dns_view *view, const char *label,
				       size_t length)
{
	CLEANUP(freep) char *text = xasprintf("%.*s", (int)length, label);
	const struct instance *instance = NULL;
	const struct interface *interface;
	struct rid id;

	if (rid_parse(text, KIND_INSTANCE, &id) == 0)
		instance = instance_get(view->model, id);
	interface = instance && rid_equal(instance->vpc, view->vpc->resource.id)
			    ? instance_primary(view->model, instance)
			    : NULL;
	return interface && instance->options.resource_name_a ? interface->address
							      : (struct address){ 0 };
}

static bool answer_private(struct lookup *lookup)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct dns_view *view = lookup->view;
	struct address address;
	size_t length;

	if (!view->vpc)
		return false;
	private_dns_domain(view->vpc->resource.scope, &scratch);
	if (!is_under(lookup->name, scratch.data, &length))
		return false;
	set_zone(lookup, scratch.data);
	if (!length) {
		exists(lookup);
		return true;
	}
	if (!parse_label(lookup->name, length, "ip", &address))
		address = resource_address(view, lookup->name, length);
	else if (!interface_in(view, address))
		address = (struct address){ 0 };
	if (address_is_set(address) && view->vpc->dns_hostnames)
		has_address(lookup, address);
	else
		is_unknown(lookup);
	return true;
}

/* ---- public names ---- */

/* What has a public address and a name for it. */
struct named {
	const struct interface *interface;
	struct address address, private_address;
	const char *domain_name; /* the one that its owner gave it; NULL: none */
};

static bool find_named(const struct model *model, struct address address, struct named *ret_named)
{
	const struct resource *holder = internet_public_holder(model, address);
	struct named named = { .address = address };
	const struct vpc *vpc;

	if (holder && holder->id.kind == KIND_ELASTIC_IP) {
		const struct elastic_ip *elastic_ip = (const struct elastic_ip *)holder;

		named.interface = interface_get(model, elastic_ip->interface);
		named.private_address = elastic_ip->private_address;
		named.domain_name = elastic_ip->domain_name;
	} else if (holder && holder->id.kind == KIND_NETWORK_INTERFACE) {
		named.interface = (const struct interface *)holder;
		named.private_address = named.interface->address;
	}
	if (!named.interface)
		return false;
	vpc = vpc_get(model, named.interface->vpc);
	*ret_named = named;
	return vpc->dns_support && vpc->dns_hostnames;
}

/* A public name means the private address to the VPC itself, and to a peer that it lets know. */
static bool is_told_private(const struct dns_view *view, struct rid vpc)
{
	CLEANUP(freep) struct peering **peerings = NULL;
	size_t count;

	if (!view->vpc)
		return false;
	if (rid_equal(view->vpc->resource.id, vpc))
		return true;
	count = peerings_of(view->model, view->vpc->resource.id, &peerings);
	for (size_t i = 0; i < count; i++) {
		const struct peering *peering = peerings[i];
		const struct peering_side *side = rid_equal(peering->requester.vpc, vpc)
							  ? &peering->requester
							  : &peering->accepter;

		if (rid_equal(side->vpc, vpc) && side->remote_dns)
			return true;
	}
	return false;
}

static bool answer_public(struct lookup *lookup)
{
	static const char *const zones[] = { "compute-1.amazonaws.com", "compute.amazonaws.com" };
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct dns_view *view = lookup->view;
	struct address address;
	struct named named;
	size_t i = 0, length;

	while (i < ARRAY_SIZE(zones) && !is_under(lookup->name, zones[i], &length))
		i++;
	if (i == ARRAY_SIZE(zones))
		return false;
	set_zone(lookup, zones[i]);
	if (!length) {
		exists(lookup);
	} else if (parse_label(lookup->name, strcspn(lookup->name, "."), "ec2", &address) &&
		   find_named(view->model, address, &named) &&
		   streq(lookup->name,
			 public_dns_name(named.interface->resource.scope, address, &scratch))) {
		has_address(lookup, is_told_private(view, named.interface->vpc)
					    ? named.private_address
					    : address);
	} else {
		is_unknown(lookup);
		lookup->answer->elsewhere = true; /* Amazon's own */
	}
	return true;
}

/* ---- addresses ---- */

static void set_reverse_zone(struct lookup *lookup, struct cidr block)
{
	const uint8_t *bytes = block.address.bytes;
	char zone[64] = REVERSE;

	for (unsigned int i = 0; i < block.length / 8u; i++) {
		char longer[sizeof(zone) + 8];

		snprintf(longer, sizeof(longer), "%u.%s", bytes[i], zone);
		snprintf(zone, sizeof(zone), "%.63s", longer);
	}
	set_zone(lookup, zone);
}

/* What no server of the Internet is to be asked about: RFC 6303; and the Internet's own here. */
static bool is_local(struct cidr asked, struct cidr *ret_block)
{
	static const struct {
		uint32_t address;
		uint8_t length;
	} blocks[] = { { 0x7f000000, 8 }, { INTERNET_NETWORK, 15 } };

	if (cidr_is_private(asked, ret_block))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct cidr block = { address_v4(blocks[i].address), blocks[i].length };

		*ret_block = block;
		if (cidr_covers(block, asked))
			return true;
	}
	return false;
}

/* One of the VPC's blocks that what is asked about is in, or that is in that. */
static const struct cidr *own_block(const struct dns_view *view, struct cidr asked)
{
	for (size_t i = 0; view->vpc && i < view->vpc->cidr_count; i++)
		if (cidr_overlaps(view->vpc->cidrs[i].cidr, asked))
			return &view->vpc->cidrs[i].cidr;
	return NULL;
}

static void answer_own(struct lookup *lookup, struct cidr asked, struct cidr block)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct vpc *vpc = lookup->view->vpc;

	set_reverse_zone(lookup, block);
	if (asked.length < 32)
		exists(lookup);
	else if (vpc->dns_hostnames && interface_in(lookup->view, asked.address))
		has_target(lookup, private_dns_name(vpc->resource.scope, asked.address, &scratch));
	else
		is_unknown(lookup);
}

static bool answer_named(struct lookup *lookup, struct cidr asked)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct named named;
	bool has_name =
		asked.length == 32 && find_named(lookup->view->model, asked.address, &named);
	CLEANUP(freep) char *given = NULL;

	if (asked.length < 32 ||
	    (!has_name && !internet_public_holder(lookup->view->model, asked.address)))
		return false;
	set_reverse_zone(lookup, (struct cidr){ asked.address, 16 });
	if (!has_name) {
		is_unknown(lookup);
		return true;
	}
	if (named.domain_name)
		given = xasprintf("%.*s", (int)strlen(named.domain_name) - 1, named.domain_name);
	has_target(lookup, given ? given
				 : public_dns_name(named.interface->resource.scope, asked.address,
						   &scratch));
	return true;
}

static bool answer_reverse(struct lookup *lookup)
{
	const struct cidr *own;
	struct cidr asked, block;
	size_t length;

	if (!is_under(lookup->name, REVERSE, &length) || !length ||
	    !parse_reverse(lookup->name, length, &asked))
		return false;
	own = own_block(lookup->view, asked);
	if (own) {
		answer_own(lookup, asked, *own);
		return true;
	}
	if (answer_named(lookup, asked))
		return true;
	if (!is_local(asked, &block))
		return false;
	set_reverse_zone(lookup, block);
	is_unknown(lookup);
	return true;
}

/* ---- all together ---- */

/* Names of private networks: other regions' are not in this one's VPCs. */
static bool answer_internal(struct lookup *lookup)
{
	size_t length;

	if (!is_under(lookup->name, "internal", &length))
		return false;
	set_zone(lookup, "internal");
	is_unknown(lookup);
	return true;
}

void names_answer(const struct dns_view *view, const struct dns_query *query,
		  struct dns_answer *ret_answer)
{
	static bool (*const known[])(struct lookup *) = { answer_private, answer_public,
							  answer_reverse, answer_internal };
	struct lookup lookup = { .view = view, .type = query->type, .answer = ret_answer };

	for (size_t i = 0; query->name[i]; i++)
		lookup.name[i] = (char)tolower((unsigned char)query->name[i]);
	*ret_answer = (struct dns_answer){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i](&lookup))
			return;
	ret_answer->rcode = ns_r_refused;
	ret_answer->elsewhere = true;
}
