/* What rules say, as steps: see walk.h. */
#include "path/walk.h"

#include "model/fault.h"

#include <netinet/in.h>

bool walk_ask_faults(struct walk *walk, const struct interface *interface)
{
	const struct fault *dark = fault_darkens(walk->model, interface);
	const struct fault *bad = fault_link_of(walk->model, interface);
	struct path_step step = { .kind = PATH_FAULT, .at = interface->resource.id };
	CLEANUP(buffer_clear) struct buffer target = BUFFER_INIT;

	if (dark) {
		step.by = dark->resource.id;
		step.result = PATH_STOPS;
		walk_step(walk, step, "%s is dark", fault_target(dark, &target));
		walk_advise(walk, "minivpc fault heal %s", rid_format(step.by).text);
		return false;
	}
	if (!bad)
		return true;
	step.by = bad->resource.id;
	step.result = bad->link.loss == FAULT_LOSS_ALL ? PATH_STOPS
		      : bad->link.loss		       ? PATH_DEPENDS
						       : PATH_NOTE;
	if (!bad->link.loss)
		return walk_step(walk, step, "its link is slow");
	return walk_step(walk, step, "its link loses %g %% of the packets",
			 (double)bad->link.loss * 100 / FAULT_LOSS_ALL);
}

static bool is_tracking(const struct walk *walk, struct rid interface, bool egress)
{
	for (size_t i = 0; i < walk->tracking_count; i++)
		if (rid_equal(walk->tracking[i].interface, interface) &&
		    walk->tracking[i].egress == egress)
			return true;
	return false;
}

/* "--protocol tcp --port 443", as the AWS CLI has it for groups. */
static void put_group_traffic(const struct path_packet *packet, struct buffer *text)
{
	if (packet->protocol == IPPROTO_ICMP)
		buffer_puts(text, "--protocol icmp --port -1");
	else if (packet->first == packet->last)
		buffer_printf(text, "--protocol %s --port %u",
			      traffic_protocol_name(packet->protocol), packet->first);
	else
		buffer_printf(text, "--protocol %s --port %u-%u",
			      traffic_protocol_name(packet->protocol), packet->first, packet->last);
}

static bool stop_at_groups(struct walk *walk, const struct interface *interface, bool egress)
{
	const struct path_packet *packet = &walk->packet;
	const struct address other = egress ? packet->destination : packet->source;
	CLEANUP(buffer_clear) struct buffer service = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer groups = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer traffic = BUFFER_INIT;

	for (size_t i = 0; i < interface->group_count; i++)
		buffer_printf(&groups, "%s%s", i ? ", " : "",
			      rid_format(interface->groups[i].id).text);
	walk_step(walk,
		  (struct path_step){ .kind = PATH_GROUP,
				      .result = PATH_STOPS,
				      .at = interface->resource.id,
				      .by = interface->groups[0].id,
				      .egress = egress },
		  "no %s rule of %s lets %s %s %s pass", egress ? "egress" : "ingress", groups.data,
		  path_service(packet, &service), egress ? "to" : "from",
		  address_format(other).text);
	put_group_traffic(packet, &traffic);
	walk_advise(walk, "aws ec2 authorize-security-group-%s --group-id %s %s --cidr %s/32",
		    egress ? "egress" : "ingress", rid_format(interface->groups[0].id).text,
		    traffic.data, address_format(other).text);
	return false;
}

bool walk_ask_groups(struct walk *walk, const struct interface *interface, bool egress)
{
	struct path_step step = { .kind = PATH_GROUP,
				  .at = interface->resource.id,
				  .egress = egress };
	CLEANUP(buffer_clear) struct buffer service = BUFFER_INIT;
	struct group_answer answer;
	const char *what;

	if (!interface->group_count)
		return true; /* Amazon's own: nobody is asked */
	if (walk->answer && is_tracking(walk, interface->resource.id, !egress)) {
		step.by = interface->groups[0].id;
		return walk_step(walk, step, "the answer to what it let pass");
	}
	answer = path_ask_groups(walk->model, interface, egress, &walk->packet);
	if (!answer.some)
		return stop_at_groups(walk, interface, egress);
	if (!walk->answer)
		*array_grow(&walk->tracking, &walk->tracking_count) =
			(struct tracked){ interface->resource.id, egress };
	what = path_service(&walk->packet, &service);
	step.by = answer.rule->group;
	step.rule = answer.rule->resource.id;
	if (answer.all)
		return walk_step(walk, step, "rule %s lets %s %s", rid_format(step.rule).text, what,
				 egress ? "out" : "in");
	step.result = PATH_PARTLY;
	return walk_step(walk, step, "rule %s lets only ports %u-%u of %s %s",
			 rid_format(step.rule).text, answer.first, answer.last, what,
			 egress ? "out" : "in");
}

/* ---- network ACLs ---- */

static bool has_number(const struct acl *acl, bool egress, int64_t number)
{
	for (size_t i = 0; i < acl->entry_count; i++)
		if (acl->entries[i].egress == egress && acl->entries[i].number == number)
			return true;
	return false;
}

/* A free one before the entry that denies; 0: there is none. */
static int64_t number_before(const struct acl *acl, bool egress, const struct acl_entry *denies)
{
	int64_t number = denies ? denies->number - 1 : 100;

	while (number > 0 && number <= ACL_NUMBER_MAX && has_number(acl, egress, number))
		number += denies ? -1 : 10;
	return number;
}

static void advise_entry(struct walk *walk, const struct acl *acl, bool egress,
			 const struct acl_entry *denies)
{
	const struct path_packet *packet = &walk->packet;
	const struct address other = egress ? packet->destination : packet->source;
	CLEANUP(buffer_clear) struct buffer traffic = BUFFER_INIT;
	int64_t number = number_before(acl, egress, denies);

	if (packet->protocol == IPPROTO_ICMP)
		buffer_puts(&traffic, "--icmp-type-code Type=-1,Code=-1");
	else if (packet->first == packet->last)
		buffer_printf(&traffic, "--port-range From=%u,To=%u", packet->first, packet->last);
	else /* whatever system the client is: VPC guide, "Ephemeral ports" */
		buffer_puts(&traffic, "--port-range From=1024,To=65535");
	walk_advise(walk,
		    "aws ec2 %s-network-acl-entry --network-acl-id %s --rule-number %lld --%s "
		    "--protocol %s %s --cidr-block %s/32 --rule-action allow",
		    number ? "create" : "replace", rid_format(acl->resource.id).text,
		    (long long)(number ? number : denies->number), egress ? "egress" : "ingress",
		    traffic_protocol_name(packet->protocol), traffic.data,
		    address_format(other).text);
}

bool walk_ask_acl(struct walk *walk, const struct subnet *subnet, bool egress)
{
	const struct acl *acl = acl_of(subnet);
	const struct acl_answer answer = path_ask_acl(acl, egress, &walk->packet);
	const struct address other = egress ? walk->packet.destination : walk->packet.source;
	struct path_step step = { .kind = PATH_ACL,
				  .at = subnet->resource.id,
				  .by = acl->resource.id,
				  .egress = egress };
	CLEANUP(buffer_clear) struct buffer service = BUFFER_INIT;
	const char *what = path_service(&walk->packet, &service);

	if (answer.all) {
		step.number = answer.allows->number;
		return walk_step(walk, step, "entry %lld of %s lets %s %s", (long long)step.number,
				 rid_format(step.by).text, what, egress ? "out" : "in");
	}
	step.result = answer.some ? PATH_PARTLY : PATH_STOPS;
	step.number = answer.denies ? answer.denies->number : ACL_NUMBER_LAST;
	if (answer.some)
		walk_step(walk, step, "%s lets only ports %u-%u of %s %s", rid_format(step.by).text,
			  answer.first, answer.last, what, egress ? "out" : "in");
	else if (answer.denies)
		walk_step(walk, step, "entry %lld of %s denies %s %s %s", (long long)step.number,
			  rid_format(step.by).text, what, egress ? "to" : "from",
			  address_format(other).text);
	else
		walk_step(walk, step, "entry * of %s denies %s %s %s", rid_format(step.by).text,
			  what, egress ? "to" : "from", address_format(other).text);
	if (!walk->path->advice || !answer.some)
		advise_entry(walk, acl, egress, answer.denies);
	return answer.some;
}
