/* See why.h. */
#include "cli/why.h"

#include "base/display.h"
#include "cli/drops.h"
#include "cli/listing.h"
#include "cli/paint.h"
#include "cli/probe.h"

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TRIES	 3
#define PATIENCE 2000 /* milliseconds: a lost SYN is sent again after one second */

enum agreement {
	AGREE_UNASKED, /* no packet was sent */
	AGREE_YES,
	AGREE_NO,
	AGREE_OPEN, /* the model leaves it to what it doesn't know */
};

struct end {
	char *name, *instance, *interface; /* owned */
	uint64_t pid, start_time;	   /* 0: no process is there */
};

struct why {
	struct reply *reply;
	struct end from, to;
	uint8_t protocol;
	char *port; /* owned; NULL: it has none */
	char *source, *destination, *verdict, *summary, *advice;
	bool assumes, of_answer; /* the verdict is about the answer */
	/* the packet */
	bool sent, witnessed;
	bool full; /* lost while the machine's table of neighbours was */
	struct probe probe;
	struct witness witness;
	struct drops drops;
	enum agreement agreement;
};

bool why_service_is_valid(const char *text)
{
	const size_t length = strlen(text);

	if (streq(text, "icmp"))
		return true;
	return (strncmp(text, "tcp/", 4) == 0 || strncmp(text, "udp/", 4) == 0) && length > 4 &&
	       length <= 9 && strspn(text + 4, "0123456789") == length - 4 &&
	       atoi(text + 4) <= UINT16_MAX;
}

static void end_clear(struct end *end)
{
	free(end->name);
	free(end->instance);
	free(end->interface);
}

static void why_clear(struct why *why)
{
	reply_freep(&why->reply);
	end_clear(&why->from);
	end_clear(&why->to);
	free(why->port);
	free(why->source);
	free(why->destination);
	free(why->verdict);
	free(why->summary);
	free(why->advice);
	drops_clear(&why->drops);
	closep(&why->witness.fd);
}

/* ---- the model ---- */

static struct end read_end(const struct reply *reply, const char *set)
{
	const void *item = reply_next(reply, set, NULL);
	struct end end = { 0 };
	CLEANUP(freep) char *pid = NULL, *start = NULL;

	if (!item)
		return end;
	pid = reply_item_text(item, "pid");
	start = reply_item_text(item, "startTime");
	end = (struct end){
		.name = reply_item_text(item, "name"),
		.instance = reply_item_text(item, "instanceId"),
		.interface = reply_item_text(item, "networkInterfaceId"),
		.pid = pid ? strtoull(pid, NULL, 10) : 0,
		.start_time = start ? strtoull(start, NULL, 10) : 0,
	};
	return end;
}

/* Is the step that stops it one of the answer's? */
static bool stops_answer(const struct reply *reply)
{
	const void *item = NULL;

	while ((item = reply_next(reply, "stepSet", item))) {
		CLEANUP(freep) char *result = reply_item_text(item, "result");
		CLEANUP(freep) char *direction = reply_item_text(item, "direction");

		if (streq(result, "stops"))
			return streq(direction, "answer");
	}
	return false;
}

static int ask(const struct client *client, const struct request *request, struct why *why,
	       struct error *error)
{
	const char *service = request->service ? request->service : "icmp";
	const char *slash = strchr(service, '/');
	CLEANUP(freep) char *assumes = NULL;
	char protocol[5];
	int r;

	snprintf(protocol, sizeof(protocol), "%.*s", slash ? (int)(slash - service) : 4, service);
	why->port = slash ? xstrdup(slash + 1) : NULL;
	why->protocol = streq(protocol, "tcp")	 ? IPPROTO_TCP
			: streq(protocol, "udp") ? IPPROTO_UDP
						 : IPPROTO_ICMP;
	const struct parameter parameters[] = { { "Source", request->from },
						{ "Destination", request->to },
						{ "Protocol", protocol },
						{ "Port", why->port },
						{ NULL, NULL } };

	if ((r = client_call(client, "TracePath", parameters, &why->reply, error)) < 0)
		return r;
	why->from = read_end(why->reply, "from");
	why->to = read_end(why->reply, "to");
	why->source = reply_text(why->reply, "source");
	why->destination = reply_text(why->reply, "destination");
	why->verdict = reply_text(why->reply, "verdict");
	why->summary = reply_text(why->reply, "summary");
	why->advice = reply_text(why->reply, "advice");
	assumes = reply_text(why->reply, "assumes");
	why->assumes = streq(assumes, "true");
	why->of_answer = stops_answer(why->reply);
	if (why->source && why->destination && why->verdict && why->summary)
		return 0;
	error_set(error, ERROR_INTERNAL, "the reply holds no usable path");
	return -EBADMSG;
}

/* ---- the packet ---- */

/* What arrives where it is to go; not on a machine that is not ours to look into. */
static int open_witness(const struct cli_hooks *hooks, struct why *why, struct error *error)
{
	CLEANUP(closep) int process = -1;
	int r;

	if (!why->to.pid || (why->to.pid == why->from.pid))
		return 0;
	r = hooks->open((pid_t)why->to.pid, why->to.start_time, &process, error);
	if (r == 0)
		r = witness_open(process, &why->witness, error);
	why->witnessed = r == 0;
	return r;
}

/* Where the machine's table of neighbours was full, another time: in a moment it has room. */
static int send_patiently(struct why *why, struct error *error)
{
	const struct timespec pause = { PROBE_NEIGHBOUR_MS / 1000,
					PROBE_NEIGHBOUR_MS % 1000 * 1000000L };
	int r;

	for (int tries = 1;; tries++) {
		const uint64_t full = probe_neighbours_full();

		r = probes_run(&why->probe, 1, PATIENCE, error);
		why->full = probe_neighbours_full() != full && why->probe.expected &&
			    why->probe.result == PROBE_SILENT;
		if (r < 0 || !why->full || tries == TRIES)
			return r;
		nanosleep(&pause, NULL);
	}
}

static int send_packet(const struct cli_hooks *hooks, struct why *why, struct error *error)
{
	CLEANUP(closep) int process = -1;
	struct probe_source source = { .icmp = -1 };
	int r;

	if (address_parse(why->source, &source.address) < 0 ||
	    address_parse(why->destination, &why->probe.destination) < 0)
		return error_set(error, ERROR_INTERNAL, "the reply holds no usable address");
	if ((r = hooks->open((pid_t)why->from.pid, why->from.start_time, &process, error)) < 0 ||
	    (r = open_witness(hooks, why, error)) < 0)
		return r;
	source.process = process;
	why->probe.source = &source;
	why->probe.protocol = why->protocol;
	why->probe.port = why->port ? (uint16_t)atoi(why->port) : 0;
	why->probe.expected = !streq(why->verdict, "stopped");
	if ((r = send_patiently(why, error)) < 0)
		return r;
	why->sent = true;
	if (why->witnessed)
		witness_read(&why->witness, &why->probe);
	return 0;
}

static int try_packet(const struct client *client, const struct cli_hooks *hooks, struct why *why,
		      struct error *error)
{
	CLEANUP(drops_clear) struct drops before = { NULL, 0 };
	int r;

	if (!why->from.pid) /* the model has said why */
		return 0;
	if (geteuid() != 0)
		return -EPERM;
	if ((r = drops_read(client, &before, error)) < 0 ||
	    (r = send_packet(hooks, why, error)) < 0 ||
	    (r = drops_read(client, &why->drops, error)) < 0)
		return r;
	drops_subtract(&before, &why->drops);
	return 0;
}

static bool is_answered(const struct why *why)
{
	return why->probe.result == PROBE_OPEN || why->probe.result == PROBE_REFUSED;
}

/*
 * A datagram's refusal is an ICMP error, which ACLs judge by other entries than an answer: it shows
 * that the datagram has arrived, and no more.
 */
static bool is_refused_datagram(const struct why *why)
{
	return why->protocol == IPPROTO_UDP &&
	       (why->probe.result == PROBE_REFUSED || (why->witnessed && why->witness.refused));
}

/*
 * Silence says less than an answer: a datagram that nobody listens for, and whatever an instance
 * itself filters, has arrived all the same where the witness has seen it.
 */
static enum agreement compare(const struct why *why)
{
	const bool arrived = why->witnessed && why->witness.arrived;

	if (!why->sent)
		return AGREE_UNASKED;
	if (streq(why->verdict, "sometimes") || (why->full && !arrived))
		return AGREE_OPEN;
	if (why->assumes) /* an instance on the way may make another packet of it */
		return streq(why->verdict, "stopped") && !is_answered(why) ? AGREE_YES : AGREE_OPEN;
	if (is_refused_datagram(why))
		return streq(why->verdict, "reaches") || why->of_answer ? AGREE_YES : AGREE_NO;
	if (streq(why->verdict, "reaches")) {
		if (is_answered(why))
			return AGREE_YES;
		return arrived && !why->witness.answered ? AGREE_YES : AGREE_NO;
	}
	if (is_answered(why))
		return AGREE_NO;
	return why->witnessed && arrived != why->of_answer ? AGREE_NO : AGREE_YES;
}

static int status_of(const struct why *why)
{
	switch (why->agreement) {
	case AGREE_NO:
		return WHY_DISAGREE;
	case AGREE_UNASKED:
		return streq(why->verdict, "stopped") ? WHY_STOPPED : WHY_REACHES;
	default:
		if (is_refused_datagram(why) && !why->assumes)
			return streq(why->verdict, "stopped") ? WHY_STOPPED : WHY_REACHES;
		return is_answered(why) ? WHY_REACHES : WHY_STOPPED;
	}
}

/* ---- as a text ---- */

static void put_step(const void *item, bool colours, struct buffer *text)
{
	static const struct {
		const char *result, *mark, *colour;
	} marks[] = {
		{ "passes", "ok", PAINT_GREEN },
		{ "stops", "STOP", PAINT_RED },
		{ "partly", "part", PAINT_YELLOW },
		{ "depends", "?", PAINT_YELLOW },
		{ "note", "note", "" },
	};
	CLEANUP(freep) char *result = reply_item_text(item, "result");
	CLEANUP(freep) char *kind = reply_item_text(item, "kind");
	CLEANUP(freep) char *at = reply_item_text(item, "at");
	CLEANUP(freep) char *said = reply_item_text(item, "text");
	size_t i = 0;

	display_plain(said);
	while (i + 1 < ARRAY_SIZE(marks) && !streq(marks[i].result, result))
		i++;
	buffer_printf(text, "  %s%-4s%s  %-16s  %-24s  %s\n", paint(colours, marks[i].colour),
		      marks[i].mark, paint(colours, *marks[i].colour ? PAINT_OFF : ""),
		      kind ? kind : "", at ? at : "", said ? said : "");
}

static void put_steps(const struct why *why, bool colours, struct buffer *text)
{
	const void *item = NULL;
	bool back = false;

	while ((item = reply_next(why->reply, "stepSet", item))) {
		CLEANUP(freep) char *direction = reply_item_text(item, "direction");

		if (!back && streq(direction, "answer")) {
			buffer_puts(text, "and its answer:\n");
			back = true;
		}
		put_step(item, colours, text);
	}
}

static void put_service(const struct why *why, struct buffer *text)
{
	if (why->port)
		buffer_printf(text, "%s/%s", why->protocol == IPPROTO_TCP ? "tcp" : "udp",
			      why->port);
	else
		buffer_puts(text, "icmp");
}

static void put_end(const struct end *end, const char *address, struct buffer *text)
{
	buffer_puts(text, end->name ? end->name : address);
	if (end->name && !streq(end->name, address))
		buffer_printf(text, " (%s)", address);
}

static void put_packet(const struct why *why, struct buffer *text)
{
	const struct probe *probe = &why->probe;
	const char *who = why->to.name ? why->to.name : why->destination;

	buffer_puts(text, "packet: ");
	if (probe->result == PROBE_OPEN)
		buffer_printf(text, "answered in %.2f ms\n", (double)probe->us / 1000);
	else if (probe->result == PROBE_REFUSED && is_refused_datagram(why) &&
		 streq(why->verdict, "stopped"))
		buffer_puts(text, "refused by a closed port, in an ICMP message: so it arrived\n");
	else if (probe->result == PROBE_REFUSED)
		buffer_puts(text, "refused by a closed port: so the way is open\n");
	else if (probe->result == PROBE_UNSENT)
		buffer_printf(text, "not sent: %s\n", strerror(probe->sys));
	else if (is_refused_datagram(why))
		buffer_printf(text,
			      "it arrived at %s, whose port is closed; the ICMP message that says "
			      "so got lost\n",
			      who);
	else if (why->witnessed && why->witness.answered)
		buffer_printf(text, "it arrived at %s, and its answer got lost\n", who);
	else if (why->witnessed && why->witness.arrived)
		buffer_printf(text,
			      "it arrived at %s, which did not answer: nobody listens there, or "
			      "something inside filters\n",
			      who);
	else
		buffer_printf(text, "no answer%s%s\n",
			      why->witnessed ? ", and none arrived at " : "",
			      why->witnessed ? who : "");
}

static void put_drop(const struct drop *drop, struct buffer *text)
{
	buffer_printf(text, "        the kernel counted %llu dropped by ",
		      (unsigned long long)drop->packets);
	if (drop->rule)
		buffer_printf(text, "entry %s of ", drop->rule);
	buffer_printf(text, "%s, %s at %s (%s)\n",
		      drop->acl	     ? drop->acl
		      : drop->reason ? drop->reason
				     : "a rule",
		      drop->direction ? drop->direction : "", drop->interface,
		      drop->name       ? drop->name
		      : drop->instance ? drop->instance
				       : "no instance");
}

static void put_agreement(const struct why *why, bool colours, struct buffer *text)
{
	if (why->agreement == AGREE_NO)
		buffer_printf(text,
			      "%sTHEY DISAGREE%s: the world has changed meanwhile, or minivpc is "
			      "wrong in one of the two; look at both before you trust either\n",
			      paint(colours, PAINT_RED), paint(colours, PAINT_OFF));
	else if (why->agreement == AGREE_YES)
		buffer_puts(text, "They agree.\n");
	else if (why->full)
		buffer_puts(text,
			    "This machine's ARP table, one for all instances of all worlds, is "
			    "full: a larger net.ipv4.neigh.default.gc_thresh3 helps.\n");
	else if (why->agreement == AGREE_OPEN && why->assumes && !is_answered(why))
		buffer_puts(text, "No rule stops it: look at the instance on the way "
				  "(sysctl net.ipv4.ip_forward, its routes, its own filter).\n");
}

static void make_plain(struct why *why)
{
	display_plain(why->from.name);
	display_plain(why->to.name);
	display_plain(why->summary);
	for (size_t i = 0; i < why->drops.count; i++)
		display_plain(why->drops.items[i].name);
}

static void put_text(struct why *why, struct buffer *text)
{
	const bool colours = paint_is_wanted();
	const bool reaches = streq(why->verdict, "reaches");

	make_plain(why);
	put_end(&why->from, why->source, text);
	buffer_puts(text, " to ");
	put_end(&why->to, why->destination, text);
	buffer_puts(text, ", ");
	put_service(why, text);
	buffer_puts(text, ":\n");
	put_steps(why, colours, text);
	buffer_printf(text, "\nmodel:  %s%s%s\n",
		      paint(colours, reaches ? PAINT_GREEN : PAINT_BOLD), why->summary,
		      paint(colours, PAINT_OFF));
	if (why->advice)
		buffer_printf(text, "        try: %s\n", why->advice);
	if (why->sent)
		put_packet(why, text);
	for (size_t i = 0; i < why->drops.count; i++)
		put_drop(&why->drops.items[i], text);
	put_agreement(why, colours, text);
}

/* ---- as JSON ---- */

static void set_text(json_t *object, const char *name, const char *value)
{
	json_object_set_new(object, name, value ? json_string(value) : json_null());
}

static json_t *steps_json(const struct reply *reply)
{
	static const char *const members[] = { "direction",   "kind", "result", "at",
					       "by",	      "rule", "filter", "source",
					       "destination", "text" };
	json_t *array = json_array();
	const void *item = NULL;

	while ((item = reply_next(reply, "stepSet", item))) {
		CLEANUP(freep) char *number = reply_item_text(item, "ruleNumber");
		json_t *step = json_object();

		for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
			CLEANUP(freep) char *value = reply_item_text(item, members[i]);

			set_text(step, members[i], value);
		}
		json_object_set_new(step, "ruleNumber",
				    number ? json_integer(strtoll(number, NULL, 10)) : json_null());
		json_array_append_new(array, step);
	}
	return array;
}

static json_t *end_json(const struct end *end, const char *address)
{
	json_t *object = json_object();

	set_text(object, "name", end->name);
	set_text(object, "instanceId", end->instance);
	set_text(object, "networkInterfaceId", end->interface);
	set_text(object, "address", address);
	return object;
}

static json_t *packet_json(const struct why *why)
{
	static const char *const results[] = {
		[PROBE_SILENT] = "silent",
		[PROBE_OPEN] = "answered",
		[PROBE_REFUSED] = "refused",
		[PROBE_UNSENT] = "not-sent",
	};
	json_t *object, *drops = json_array();

	if (!why->sent) {
		json_decref(drops);
		return json_null();
	}
	object = json_object();
	set_text(object, "result", results[why->probe.result]);
	json_object_set_new(object, "arrived",
			    why->witnessed ? json_boolean(why->witness.arrived) : json_null());
	json_object_set_new(object, "milliseconds",
			    is_answered(why) ? json_real((double)why->probe.us / 1000)
					     : json_null());
	for (size_t i = 0; i < why->drops.count; i++) {
		const struct drop *drop = &why->drops.items[i];
		json_t *row = json_object();

		set_text(row, "networkInterfaceId", drop->interface);
		set_text(row, "instanceId", drop->instance);
		set_text(row, "reason", drop->reason);
		set_text(row, "direction", drop->direction);
		set_text(row, "ruleNumber", drop->rule);
		set_text(row, "networkAclId", drop->acl);
		json_object_set_new(row, "packets", json_integer((json_int_t)drop->packets));
		json_array_append_new(drops, row);
	}
	json_object_set_new(object, "drops", drops);
	return object;
}

static void put_json(const struct why *why, struct buffer *text)
{
	CLEANUP(buffer_clear) struct buffer service = BUFFER_INIT;
	json_t *object = json_object(), *model = json_object();

	put_service(why, &service);
	json_object_set_new(object, "from", end_json(&why->from, why->source));
	json_object_set_new(object, "to", end_json(&why->to, why->destination));
	set_text(object, "service", service.data);
	set_text(model, "verdict", why->verdict);
	json_object_set_new(model, "assumes", json_boolean(why->assumes));
	set_text(model, "summary", why->summary);
	set_text(model, "advice", why->advice);
	json_object_set_new(model, "steps", steps_json(why->reply));
	json_object_set_new(object, "model", model);
	json_object_set_new(object, "packet", packet_json(why));
	json_object_set_new(object, "agree",
			    why->agreement == AGREE_YES || why->agreement == AGREE_NO
				    ? json_boolean(why->agreement == AGREE_YES)
				    : json_null());
	listing_document(object, text);
}

int why_run(const struct client *client, const struct cli_hooks *hooks,
	    const struct request *request, struct buffer *text, int *ret_status,
	    struct error *error)
{
	CLEANUP(why_clear) struct why why = { .witness.fd = -1 };
	int r = ask(client, request, &why, error);

	if (r == 0 && !request->model_only)
		r = try_packet(client, hooks, &why, error);
	if (r < 0)
		return r;
	why.agreement = compare(&why);
	if (streq(request->output, "json"))
		put_json(&why, text);
	else
		put_text(&why, text);
	*ret_status = status_of(&why);
	return 0;
}
