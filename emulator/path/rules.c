/* Rules, asked one after the other: see rules.h. */
#include "path/rules.h"

#include "model/peering.h"
#include "model/prefix_list.h"

#include <netinet/in.h>

const char *path_service(const struct path_packet *packet, struct buffer *scratch)
{
	buffer_clear(scratch);
	if (packet->protocol == IPPROTO_ICMP)
		buffer_printf(scratch, "icmp echo %s", packet->first >> 8 ? "request" : "reply");
	else if (packet->first == packet->last)
		buffer_printf(scratch, "%s/%u", traffic_protocol_name(packet->protocol),
			      packet->first);
	else
		buffer_printf(scratch, "%s/%u-%u", traffic_protocol_name(packet->protocol),
			      packet->first, packet->last);
	return scratch->data;
}

static bool is_about(const struct traffic *traffic, uint8_t protocol, uint32_t port)
{
	if (traffic->protocol < 0)
		return true;
	if (traffic->protocol != protocol)
		return false;
	if (protocol == IPPROTO_ICMP)
		return (traffic->from < 0 || traffic->from == port >> 8) &&
		       (traffic->to < 0 || traffic->to == (port & UINT8_MAX));
	return traffic->from <= port && port <= traffic->to;
}

/* The next port after `port` where the rule's say may be another one; `next` if that is sooner. */
static uint32_t next_edge(const struct traffic *traffic, uint32_t port, uint32_t next)
{
	if (!traffic_has_ports(traffic->protocol))
		return next;
	if (traffic->from > port)
		return MIN(next, (uint32_t)traffic->from);
	if (traffic->to >= port)
		return MIN(next, (uint32_t)traffic->to + 1);
	return next;
}

/* ---- security groups ---- */

/* Has an interface of the VPC, or of a peer's, this address and the group? */
static bool is_member(const struct model *model, const struct interface *judge, struct rid group,
		      struct address address)
{
	CLEANUP(freep) struct vpc **vpcs = NULL;
	size_t count = peering_referable(model, judge->vpc, &vpcs);

	for (size_t i = 0; i < count; i++)
		for_each_resource (struct subnet, subnet, vpcs[i]->resource.scope, KIND_SUBNET) {
			const struct interface *interface =
				rid_equal(subnet->vpc, vpcs[i]->resource.id)
					? interface_at(model, subnet->resource.id, address)
					: NULL;

			for (size_t j = 0; interface && j < interface->group_count; j++)
				if (rid_equal(interface->groups[j].id, group))
					return true;
		}
	return false;
}

static bool is_peer(const struct model *model, const struct interface *judge,
		    const struct group_rule *rule, struct address address)
{
	const struct prefix_list *list = prefix_list_get(model, rule->prefix_list);

	if (address_is_set(rule->cidr.address))
		return rule->cidr.address.family == address.family &&
		       cidr_contains(rule->cidr, address);
	if (rid_is_set(rule->peer))
		return is_member(model, judge, rule->peer, address);
	if (!list)
		return false;
	for_each_prefix_entry (entry, list, list->version)
		if (entry->cidr.address.family == address.family &&
		    cidr_contains(entry->cidr, address))
			return true;
	return false;
}

/* What the groups say of one port, and up to which one they say the same. */
static const struct group_rule *rule_for(const struct model *model,
					 const struct interface *interface, bool egress,
					 const struct path_packet *packet, uint32_t *port)
{
	const struct address other = egress ? packet->destination : packet->source;
	const struct group_rule *found = NULL;
	uint32_t next = (uint32_t)packet->last + 1;

	for (size_t i = 0; i < interface->group_count && !found; i++) {
		const struct group_rules *rules = group_rules(model, interface->groups[i].id);

		for (size_t j = 0; j < rules->count && !found; j++) {
			const struct group_rule *rule = rules->items[j];

			if (rule->egress != egress)
				continue;
			next = next_edge(&rule->traffic, *port, next);
			if (is_about(&rule->traffic, packet->protocol, *port) &&
			    is_peer(model, interface, rule, other))
				found = rule;
		}
	}
	*port = next;
	return found;
}

struct group_answer path_ask_groups(const struct model *model, const struct interface *interface,
				    bool egress, const struct path_packet *packet)
{
	struct group_answer answer = { .all = true };

	if (!interface->group_count)
		return (struct group_answer){ true, true, packet->first, packet->last, NULL };
	for (uint32_t port = packet->first; port <= packet->last;) {
		const uint32_t begin = port;
		const struct group_rule *rule = rule_for(model, interface, egress, packet, &port);

		answer.all &= rule != NULL;
		if (rule && !answer.some) {
			answer.some = true;
			answer.rule = rule;
			answer.first = (uint16_t)begin;
			answer.last = (uint16_t)(port - 1);
		} else if (rule && answer.last + 1u == begin) {
			answer.last = (uint16_t)(port - 1);
		}
	}
	return answer;
}

/* ---- network ACLs ---- */

/* The first entry that is about it decides; NULL: none but "*". */
static const struct acl_entry *entry_for(const struct acl *acl, bool egress,
					 const struct path_packet *packet, uint32_t *port)
{
	const struct address other = egress ? packet->destination : packet->source;
	const struct acl_entry *found = NULL;
	uint32_t next = (uint32_t)packet->last + 1;

	for (size_t i = 0; i < acl->entry_count && !found; i++) {
		const struct acl_entry *entry = &acl->entries[i];

		if (entry->egress != egress || entry->cidr.address.family != other.family ||
		    !cidr_contains(entry->cidr, other))
			continue;
		next = next_edge(&entry->traffic, *port, next);
		if (is_about(&entry->traffic, packet->protocol, *port))
			found = entry;
	}
	*port = next;
	return found;
}

struct acl_answer path_ask_acl(const struct acl *acl, bool egress, const struct path_packet *packet)
{
	struct acl_answer answer = { .all = true };
	bool denied = false;

	for (uint32_t port = packet->first; port <= packet->last;) {
		const uint32_t begin = port;
		const struct acl_entry *entry = entry_for(acl, egress, packet, &port);
		const bool allowed = entry && entry->allow;

		answer.all &= allowed;
		if (!allowed && !denied)
			answer.denies = entry && entry->number < ACL_NUMBER_LAST ? entry : NULL;
		denied |= !allowed;
		if (allowed && !answer.some) {
			answer.some = true;
			answer.allows = entry;
			answer.first = (uint16_t)begin;
			answer.last = (uint16_t)(port - 1);
		} else if (allowed && answer.last + 1u == begin) {
			answer.last = (uint16_t)(port - 1);
		}
	}
	return answer;
}
