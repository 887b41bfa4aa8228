/* Steps and what they are called: see walk.h. */
#include "path/walk.h"

#include <stdio.h>

const char *const path_kind_names[] = {
	[PATH_START] = "source",
	[PATH_FAULT] = "fault",
	[PATH_SOURCE_CHECK] = "source-check",
	[PATH_GROUP] = "security-group",
	[PATH_ACL] = "network-acl",
	[PATH_ROUTE] = "route",
	[PATH_ENDPOINT] = "vpc-endpoint",
	[PATH_INTERNET_GATEWAY] = "internet-gateway",
	[PATH_NAT_GATEWAY] = "nat-gateway",
	[PATH_PEERING] = "peering",
	[PATH_APPLIANCE] = "appliance",
	[PATH_INTERNET] = "internet",
	[PATH_DELIVERY] = "delivery",
};
static_assert(ARRAY_SIZE(path_kind_names) == PATH_KIND_MAX, "every kind has a name");

const char *const path_result_names[] = {
	[PATH_PASSES] = "passes",   [PATH_STOPS] = "stops", [PATH_PARTLY] = "partly",
	[PATH_DEPENDS] = "depends", [PATH_NOTE] = "note",
};
static_assert(ARRAY_SIZE(path_result_names) == PATH_RESULT_MAX, "every result has a name");

const char *const path_verdict_names[] = {
	[PATH_REACHES] = "reaches",
	[PATH_STOPPED] = "stopped",
	[PATH_SOMETIMES] = "sometimes",
	[PATH_UNKNOWN] = "unknown",
};

/* In a sentence. */
static const char *const kind_words[PATH_KIND_MAX] = {
	[PATH_START] = "the sender",
	[PATH_FAULT] = "the fault",
	[PATH_SOURCE_CHECK] = "the source/destination check",
	[PATH_GROUP] = "security group",
	[PATH_ACL] = "network ACL",
	[PATH_ROUTE] = "route table",
	[PATH_ENDPOINT] = "VPC endpoint",
	[PATH_INTERNET_GATEWAY] = "internet gateway",
	[PATH_NAT_GATEWAY] = "NAT gateway",
	[PATH_PEERING] = "peering",
	[PATH_APPLIANCE] = "the instance",
	[PATH_INTERNET] = "the Internet",
	[PATH_DELIVERY] = "the address",
};

static void put_place(const struct path_step *step, struct buffer *text)
{
	buffer_puts(text, kind_words[step->kind]);
	if (rid_is_set(step->by))
		buffer_printf(text, " %s", rid_format(step->by).text);
	if (rid_is_set(step->at) && !rid_equal(step->at, step->by))
		buffer_printf(text, " at %s", rid_format(step->at).text);
}

void path_summary(const struct path *path, struct buffer *text)
{
	static const char *const words[] = {
		[PATH_STOPPED] = "stopped by ",
		[PATH_SOMETIMES] = "let pass in part by ",
		[PATH_UNKNOWN] = "reaches, as far as rules say; it depends on ",
	};
	const struct path_step *step = &path->steps[path->decisive];

	if (path->verdict == PATH_REACHES) {
		buffer_puts(text, "reaches");
		return;
	}
	if (step->answer && path->verdict != PATH_UNKNOWN)
		buffer_puts(text, "the answer is ");
	buffer_puts(text, words[path->verdict]);
	put_place(step, text);
	buffer_printf(text, ": %s", step->text);
}

void path_clear(struct path *path)
{
	for (size_t i = 0; i < path->step_count; i++)
		free(path->steps[i].text);
	free(path->steps);
	free(path->advice);
	*path = (struct path){ 0 };
}

/* The worst says what becomes of it; of the same, the first. */
static void judge(struct path *path, enum path_result result)
{
	static const enum path_verdict verdicts[PATH_RESULT_MAX] = {
		[PATH_STOPS] = PATH_STOPPED,
		[PATH_PARTLY] = PATH_SOMETIMES,
		[PATH_DEPENDS] = PATH_UNKNOWN,
	};
	static const int weights[] = {
		[PATH_REACHES] = 0, [PATH_UNKNOWN] = 1, [PATH_SOMETIMES] = 2, [PATH_STOPPED] = 3
	};
	const enum path_verdict verdict = verdicts[result];

	path->assumes |= result == PATH_DEPENDS;
	if (weights[verdict] <= weights[path->verdict])
		return;
	path->verdict = verdict;
	path->decisive = path->step_count - 1;
}

bool walk_step(struct walk *walk, struct path_step step, const char *format, ...)
{
	struct path *path = walk->path;
	va_list arguments;

	step.answer = walk->answer;
	step.packet = walk->packet;
	va_start(arguments, format);
	step.text = xvasprintf(format, arguments);
	va_end(arguments);
	*array_grow(&path->steps, &path->step_count) = step;
	judge(path, step.result);
	return step.result != PATH_STOPS;
}

#define STRETCHES_MAX 16 /* no way that ends has so many */

bool walk_is_lost(struct walk *walk, struct rid at)
{
	if (++walk->stretches <= STRETCHES_MAX)
		return false;
	return !walk_step(walk,
			  (struct path_step){ .kind = PATH_ROUTE, .result = PATH_STOPS, .at = at },
			  "it goes round in a loop");
}

void walk_advise(struct walk *walk, const char *format, ...)
{
	va_list arguments;

	free(walk->path->advice);
	va_start(arguments, format);
	walk->path->advice = xvasprintf(format, arguments);
	va_end(arguments);
}

const char *walk_owner(const struct walk *walk, const struct interface *interface,
		       struct buffer *scratch)
{
	const struct path_place place = { .instance =
						  instance_get(walk->model, interface->instance),
					  .interface = interface };

	buffer_clear(scratch);
	if (rid_is_set(interface->nat_gateway)) {
		buffer_puts(scratch, rid_format(interface->nat_gateway).text);
		return scratch->data;
	}
	return path_label(&place, scratch);
}
