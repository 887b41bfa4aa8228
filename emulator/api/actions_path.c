/*
 * The private actions behind `minivpc why` and `ping-matrix`: what the model says becomes of a
 * packet, and the processes that the client sends the real one from. They see every account and
 * region, as those in actions_world.c.
 */
#include "api/actions.h"
#include "path/path.h"

#include <netinet/in.h>

/* Of whom each reaches each: what the daemon does for a call takes no longer than a moment. */
#define MATRIX_MAX 200

struct service_asked {
	uint8_t protocol;
	uint16_t port;
};

static int read_service(const struct call *call, struct service_asked *ret, struct error *error)
{
	const char *protocol = call_text(call, "Protocol"), *port = call_text(call, "Port");
	struct service_asked asked = { IPPROTO_ICMP, 0 };
	long number = 0;
	int r;

	if (streq(protocol, "tcp"))
		asked.protocol = IPPROTO_TCP;
	else if (streq(protocol, "udp"))
		asked.protocol = IPPROTO_UDP;
	else if (protocol && !streq(protocol, "icmp"))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' is none of tcp, udp and icmp", protocol);
	if ((asked.protocol != IPPROTO_ICMP) != (port != NULL))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "tcp and udp have a port, icmp has none");
	if (port && (r = params_int(port, "Port", 0, UINT16_MAX, &number, error)) < 0)
		return r;
	asked.port = (uint16_t)number;
	*ret = asked;
	return 0;
}

static void reply_id(struct call *call, const char *name, struct rid id)
{
	if (rid_is_set(id))
		xml_text(call->xml, name, rid_format(id).text);
}

static void reply_address(struct call *call, const char *name, struct address address)
{
	if (address_is_set(address))
		xml_text(call->xml, name, address_format(address).text);
}

/* Which of its rules a group or an ACL was asked by. */
static void reply_filter(struct call *call, const struct path_step *step)
{
	if (step->kind == PATH_GROUP || step->kind == PATH_ACL)
		xml_text(call->xml, "filter", step->egress ? "egress" : "ingress");
}

static void reply_step(struct call *call, const struct path_step *step)
{
	xml_open(call->xml, "item");
	xml_text(call->xml, "direction", step->answer ? "answer" : "request");
	xml_text(call->xml, "kind", path_kind_names[step->kind]);
	xml_text(call->xml, "result", path_result_names[step->result]);
	reply_id(call, "at", step->at);
	reply_id(call, "by", step->by);
	reply_id(call, "rule", step->rule);
	reply_filter(call, step);
	if (step->number)
		xml_int(call->xml, "ruleNumber", step->number);
	reply_address(call, "source", step->packet.source);
	reply_address(call, "destination", step->packet.destination);
	xml_text(call->xml, "text", step->text);
	xml_close(call->xml);
}

/* A place of the request: who it is, and the process that is there. */
static void reply_place(struct call *call, const char *name, const struct path_place *place)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	const struct instance *instance = place->instance;
	const struct internet_host *host = place->host;

	xml_open(call->xml, name);
	xml_open(call->xml, "item");
	xml_text(call->xml, "name", path_label(place, &scratch));
	if (instance)
		reply_id(call, "instanceId", instance->resource.id);
	if (place->interface)
		reply_id(call, "networkInterfaceId", place->interface->resource.id);
	if (instance ? instance_is_live(instance) && instance->pid : host && host->running) {
		xml_int(call->xml, "pid", instance ? instance->pid : host->pid);
		xml_int(call->xml, "startTime", instance ? instance->start_time : host->start_time);
	}
	xml_close(call->xml);
	xml_close(call->xml);
}

/* Whoever has the address that the packet is sent to, where the request named no more. */
static void find_receiver(const struct call *call, const struct path *path, struct path_place *to)
{
	const struct interface *interface = interface_get(call_model(call), path->arrives_at);

	if (!interface)
		return;
	to->interface = interface;
	to->instance = instance_get(call_model(call), interface->instance);
}

static void reply_path(struct call *call, const struct path *path)
{
	CLEANUP(buffer_clear) struct buffer summary = BUFFER_INIT;

	path_summary(path, &summary);
	reply_address(call, "source", path->packet.source);
	reply_address(call, "destination", path->packet.destination);
	reply_address(call, "seenSource", path->seen.source);
	reply_address(call, "seenDestination", path->seen.destination);
	xml_text(call->xml, "verdict", path_verdict_names[path->verdict]);
	xml_bool(call->xml, "assumes", path->assumes);
	xml_text(call->xml, "summary", summary.data);
	xml_text(call->xml, "advice", path->advice);
	xml_open(call->xml, "stepSet");
	for (size_t i = 0; i < path->step_count; i++)
		reply_step(call, &path->steps[i]);
	xml_close(call->xml);
}

/* Who asks is about to send packets there. */
static int realize_hosts(struct call *call, const struct path_place *from,
			 const struct path_place *to, struct error *error)
{
	if (!from->host && !to->host)
		return 0;
	internet_realize(&call->transaction);
	return call->hooks->commit(call->hooks->context, &call->transaction, error);
}

int trace_path(struct call *call, struct error *error)
{
	const struct model *model = call_model(call);
	CLEANUP(path_clear) struct path path = { 0 };
	struct path_place from = { 0 }, to = { 0 };
	struct service_asked asked = { 0, 0 };
	struct path_packet packet;
	int r;

	if ((r = read_service(call, &asked, error)) < 0 ||
	    (r = path_find(model, call_text(call, "Source"), &from, error)) < 0 ||
	    (r = path_find(model, call_text(call, "Destination"), &to, error)) < 0 ||
	    (r = realize_hosts(call, &from, &to, error)) < 0 ||
	    (r = path_choose(model, &from, &to, asked.protocol, asked.port, &packet, error)) < 0)
		return r;
	path_trace(model, &from, &packet, &path);
	find_receiver(call, &path, &to);
	reply_place(call, "from", &from);
	reply_place(call, "to", &to);
	reply_path(call, &path);
	return 0;
}

/* ---- all pairs ---- */

struct members {
	const struct instance **items;
	size_t count;
};

static int find_members(const struct call *call, struct members *members, struct error *error)
{
	const struct model *model = call_model(call);
	const char *text = call_text(call, "VpcId");
	struct rid vpc = { KIND_NONE, 0 };

	if (text && (rid_parse(text, KIND_VPC, &vpc) < 0 || !model_get(model, NULL, vpc)))
		return error_subject(error, ERROR_NOT_FOUND, "vpc", "There is no VPC '%s'", text);
	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct instance, instance, model->scopes[i], KIND_INSTANCE)
			if (instance_is_live(instance) && instance->pid &&
			    (!text || rid_equal(instance->vpc, vpc)))
				*array_grow(&members->items, &members->count) = instance;
	if (members->count > MATRIX_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%zu instances are too many for one matrix, %d at most: name a "
				 "VPC (--vpc)",
				 members->count, MATRIX_MAX);
	return 0;
}

static void reply_pair(struct call *call, const struct instance *one, const struct instance *other,
		       struct service_asked asked)
{
	struct path_place from = { .instance = one }, to = { .instance = other };
	CLEANUP(buffer_clear) struct buffer summary = BUFFER_INIT;
	CLEANUP(path_clear) struct path path = { 0 };
	struct error error = ERROR_INIT;
	struct path_packet packet;

	if (path_choose(call_model(call), &from, &to, asked.protocol, asked.port, &packet, &error) <
	    0)
		return; /* it has just lost its address */
	path_trace(call_model(call), &from, &packet, &path);
	path_summary(&path, &summary);
	xml_open(call->xml, "item");
	reply_id(call, "from", one->resource.id);
	reply_id(call, "to", other->resource.id);
	reply_address(call, "source", packet.source);
	reply_address(call, "destination", packet.destination);
	xml_text(call->xml, "verdict", path_verdict_names[path.verdict]);
	if (path.assumes)
		xml_bool(call->xml, "assumes", true);
	if (path.verdict != PATH_REACHES) {
		const struct path_step *step = &path.steps[path.decisive];

		xml_text(call->xml, "kind", path_kind_names[step->kind]);
		reply_id(call, "at", step->at);
		reply_id(call, "by", step->by);
		reply_filter(call, step);
		xml_text(call->xml, "summary", summary.data);
	}
	xml_close(call->xml);
}

static void reply_listed(struct call *call, const struct instance *instance)
{
	const struct interface *interface = instance_primary(call_model(call), instance);
	const char *name = resource_tag(&instance->resource, "Name");

	xml_open(call->xml, "item");
	reply_id(call, "instanceId", instance->resource.id);
	xml_text(call->xml, "name", name);
	reply_id(call, "vpcId", instance->vpc);
	if (interface)
		reply_address(call, "privateIpAddress", interface->address);
	xml_int(call->xml, "pid", instance->pid);
	xml_int(call->xml, "startTime", instance->start_time);
	xml_close(call->xml);
}

int trace_paths(struct call *call, struct error *error)
{
	struct members members = { NULL, 0 };
	struct service_asked asked = { 0, 0 };
	int r = read_service(call, &asked, error);

	if (r == 0)
		r = find_members(call, &members, error);
	if (r == 0) {
		xml_open(call->xml, "instanceSet");
		for (size_t i = 0; i < members.count; i++)
			reply_listed(call, members.items[i]);
		xml_close(call->xml);
		xml_open(call->xml, "pairSet");
		for (size_t i = 0; i < members.count; i++)
			for (size_t j = 0; j < members.count; j++)
				if (i != j)
					reply_pair(call, members.items[i], members.items[j], asked);
		xml_close(call->xml);
	}
	free(members.items);
	return r;
}
