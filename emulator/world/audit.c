/*
 * The world held against the kernel and what runs in it: `minivpc audit`, and what a daemon that
 * starts finds. Here differences become words. See fabric/audit.h for what is compared.
 */
#include "world/internal.h"

#include "base/log.h"
#include "fabric/audit.h"

#define LOGGED_AT_MOST 100 /* differences that a start has mended */

static struct object_text describe(const struct object *object, const struct object *other)
{
	return object_describe_beside(object, other->kind ? other : NULL);
}

/* In words; `drift` gives away its reason. */
static struct api_drift told(struct drift *drift)
{
	static const enum api_drift_kind kinds[] = {
		[DRIFT_MISSING] = API_DRIFT_MISSING,
		[DRIFT_UNEXPECTED] = API_DRIFT_UNEXPECTED,
		[DRIFT_DIFFERENT] = API_DRIFT_DIFFERENT,
	};
	const struct object *wanted = &drift->wanted, *found = &drift->found;
	struct api_drift result = { .kind = kinds[drift->kind],
				    .id = wanted->kind ? wanted->ns : found->ns,
				    .is_namespace = wanted->kind == OBJECT_NETNS,
				    .mended = drift->mended };

	result.why = steal(&drift->why);
	if (wanted->kind)
		result.wanted = xstrdup(describe(wanted, found).text);
	if (found->kind == OBJECT_NETNS && wanted->kind)
		result.found = xstrdup("another network namespace");
	else if (found->kind)
		result.found = xstrdup(describe(found, wanted).text);
	return result;
}

static void add_told(struct drift_list *from, struct api_drift_list *list)
{
	for (size_t i = 0; i < from->count; i++)
		*array_grow(&list->items, &list->count) = told(&from->items[i]);
	drift_list_clear(from);
}

/* ---- what runs ---- */

/* Out of its control group nothing holds its memory to a limit. */
static void audit_place(const struct world *world, bool repair, struct rid id,
			struct process process, struct api_drift_list *list)
{
	struct error error = ERROR_INIT;
	struct api_drift *drift;

	if (instances_is_in_place(world->instances, id))
		return;
	drift = array_grow(&list->items, &list->count);
	drift->kind = API_DRIFT_DIFFERENT;
	drift->id = id;
	drift->wanted = xasprintf("init, process %d, in its control group", (int)process.pid);
	drift->found = xstrdup("in another one");
	if (!repair)
		return;
	drift->mended = instances_return(world->instances, id, &error) == 0;
	drift->why = drift->mended ? NULL : xstrdup(error.text);
}

/*
 * An init that is gone is an instance that stops, as on AWS: whoever watches it (world_on_exit())
 * is about to see to that, and nobody mends it.
 */
static void audit_process(const struct world *world, bool repair, struct rid id,
			  struct process process, struct api_drift_list *list)
{
	if (process_alive(process)) {
		audit_place(world, repair, id, process, list);
		return;
	}
	*array_grow(&list->items, &list->count) = (struct api_drift){
		.kind = API_DRIFT_MISSING,
		.id = id,
		.wanted = xasprintf("init, process %d", (int)process.pid),
		.why = xstrdup("it has ended, and what it ran stops with it"),
	};
}

static void audit_processes(const struct world *world, bool repair, struct api_drift_list *list)
{
	const struct model *model = &world->model;

	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct instance, instance, model->scopes[i], KIND_INSTANCE)
			if (instance_is_live(instance) && instance->pid)
				audit_process(world, repair, instance->resource.id,
					      instance_process(instance), list);
	for_each_internet_host (host, model)
		if (host->running && host->pid)
			audit_process(world, repair, host->resource.id, host_process(host), list);
}

/* ---- sockets of services ---- */

static void tell_socket(void *context, struct rid place, const char *what)
{
	struct api_drift_list *list = context;

	*array_grow(&list->items, &list->count) = (struct api_drift){ .kind = API_DRIFT_MISSING,
								      .id = place,
								      .wanted = xstrdup(what) };
}

/* After the fabric, for they need their namespaces and addresses. */
static void audit_services(struct world *world, bool repair, struct api_drift_list *list)
{
	CLEANUP(api_drift_list_clear) struct api_drift_list left = { 0 };
	const size_t first = list->count;
	struct error error = ERROR_INIT;
	int r;

	services_audit(world->services, tell_socket, list);
	if (!repair || list->count == first)
		return;
	r = services_repair(world->services, &error);
	services_audit(world->services, tell_socket, &left);
	for (size_t i = first; i < list->count; i++) {
		list->items[i].mended = r == 0 && !left.count;
		list->items[i].why = r < 0 ? xstrdup(error.text) : NULL;
	}
}

/* A namespace that has lost its name, and has not got it back, is told of by itself. */
static bool has_lost_names(const struct api_drift_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].is_namespace && !list->items[i].mended)
			return true;
	return false;
}

/* ---- disks ---- */

static bool anything_runs(const struct model *model)
{
	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct instance, instance, model->scopes[i], KIND_INSTANCE)
			if (instance_is_live(instance) && instance->pid)
				return true;
	return false;
}

/* What runs has its disk; what is stopped would lose it with this daemon. */
static void audit_disks(struct world *world, bool repair, struct api_drift_list *list)
{
	struct error error = ERROR_INIT;
	struct api_drift *drift;

	if (!anything_runs(&world->model) || instances_keeps_disks(world->instances))
		return;
	drift = array_grow(&list->items, &list->count);
	drift->kind = API_DRIFT_MISSING;
	drift->id = internet_get(&world->model)->resource.id;
	drift->wanted = xasprintf("mount %s of the disks", world->options.paths.disks);
	if (!repair)
		return;
	drift->mended = instances_keep_again(world->instances, &error) == 0;
	drift->why = drift->mended ? NULL : xstrdup(error.text);
}

int world_audit(void *context, bool repair, struct api_drift_list *ret_drifts, struct error *error)
{
	struct world *world = context;
	struct drift_list drifts = { 0 };
	int r = (repair ? fabric_repair : fabric_audit)(world->fabric, &drifts, error);

	if (r < 0)
		return r;
	*ret_drifts = (struct api_drift_list){ 0 };
	add_told(&drifts, ret_drifts);
	if (!has_lost_names(ret_drifts))
		audit_services(world, repair, ret_drifts);
	audit_disks(world, repair, ret_drifts);
	audit_processes(world, repair, ret_drifts);
	return 0;
}

/* ---- at start ---- */

static void log_mended(const struct api_drift *drift)
{
	const char *id = rid_format(drift->id).text;

	if (!drift->mended)
		log_info("left alone: %s: %s: %s", id, drift->found ? drift->found : drift->wanted,
			 drift->why);
	else if (drift->kind == API_DRIFT_MISSING)
		log_info("reconciled: %s: %s was missing", id, drift->wanted);
	else if (drift->kind == API_DRIFT_UNEXPECTED)
		log_info("reconciled: %s: %s was too much", id, drift->found);
	else
		log_info("reconciled: %s: %s was %s", id, drift->wanted, drift->found);
}

/* Of a namespace that was made anew not all that was made in it. */
static void log_all(const struct api_drift_list *list)
{
	struct map anew = { 0 };
	size_t logged = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct api_drift *drift = &list->items[i];

		if (logged == LOGGED_AT_MOST || map_get(&anew, map_key_rid(drift->id)))
			continue;
		if (drift->is_namespace)
			map_put(&anew, map_key_rid(drift->id), &list->items[i]);
		log_mended(drift);
		logged++;
	}
	if (logged < list->count)
		log_info("reconciled: and %zu more", list->count - logged);
	map_clear(&anew);
}

int world_reconcile(struct world *world, struct error *error)
{
	CLEANUP(api_drift_list_clear) struct api_drift_list list = { 0 };
	struct drift_list drifts = { 0 };
	int r = fabric_reconcile(world->fabric, &drifts, error);

	if (r < 0)
		return r;
	add_told(&drifts, &list);
	log_all(&list);
	return 0;
}
