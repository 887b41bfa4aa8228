/*
 * The write path. For a transaction that changes everything at once:
 *
 *	1 store what was asked for	launches are pending, terminations shutting down
 *	2 launch and wire, open sockets	an init lives no longer than we do until step 4
 *	3 store what came of it		running with its process, provisionally; terminated
 *	4 let go			inits go on without us
 *	5 store that they do		what was provisional is so no more
 *	6 kill				the terminated end
 *
 * Killed after 1: recovery forgets what never ran, and terminates what was to be. After 2: the
 * same, and the new inits are gone with us. After 3 or 4: the same again, for all that is
 * provisional. After 5: everything is as answered, but for inits that were to be killed, and
 * recovery kills them. A failure in 1 to 5 undoes what was done, in reverse.
 */
#include "world/internal.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/log.h"
#include "instance/boot.h"
#include "model/catalog.h"
#include "model/image.h"

#define CHUNK 64   /* inits wired in one kernel transaction, while the next are being cloned */
#define AGAIN 1000 /* milliseconds; what couldn't be seen to, and nobody tells of a second time */

int64_t world_now(void)
{
	return time(NULL);
}

struct process instance_process(const struct instance *instance)
{
	return (struct process){ (pid_t)instance->pid, (uint64_t)instance->start_time };
}

struct process host_process(const struct internet_host *host)
{
	return (struct process){ (pid_t)host->pid, (uint64_t)host->start_time };
}

/* ---- who is to be launched ---- */

struct machines {
	struct resource **items;
	struct instance_spec *specs;
	struct provisional *launched;
	size_t count, spec_count, launched_count;
};

static void machines_clear(struct machines *machines)
{
	for (size_t i = 0; i < machines->spec_count; i++) {
		free(machines->specs[i].boot);
		free(machines->specs[i].image_path);
	}
	free(machines->items);
	free(machines->specs);
	free(machines->launched);
}

static bool is_to_launch(const struct resource *resource)
{
	if (resource->id.kind == KIND_INSTANCE) {
		const struct instance *instance = (const struct instance *)resource;

		return instance->state == INSTANCE_PENDING && !instance->pid;
	}
	if (resource->id.kind == KIND_INTERNET_HOST) {
		const struct internet_host *host = (const struct internet_host *)resource;

		return host->running && !host->pid;
	}
	return false;
}

/* The caller frees it; NULL for none. */
static char *script_for(const struct instance *instance)
{
	const char *text = instance->options.user_data;
	CLEANUP(buffer_clear) struct buffer data = BUFFER_INIT;
	const struct rid_text id = rid_format(instance->resource.id);
	struct boot_plan plan = { .id = id.text,
				  .first = true,
				  .public_key = instance->options.public_key };

	if (text)
		base64_read(text, strlen(text), &data); /* checked when it came */
	plan.user_data = data.data;
	plan.user_data_size = data.length;
	return boot_script(&plan);
}

/* What its disk lies above; nothing is set for the machine's own root. */
static void find_image(const struct world *world, const struct instance *instance,
		       struct instance_spec *spec)
{
	const struct image *image = image_of(&world->model, instance->options.image_id);

	if (!image)
		return;
	spec->image = image->resource.id;
	spec->image_path = world_image_path(world, image);
}

/* Its disk is memory too. A type that is in no catalogue has no limit. */
static uint64_t memory_of(const struct world *world, const struct instance *instance)
{
	const struct instance_type *type = instance_type_find(instance->options.type);

	return type ? ((uint64_t)type->memory_mib << 20) + world->options.disk_size : 0;
}

static void find_machines(const struct world *world, const struct transaction *transaction,
			  struct machines *machines)
{
	for_each_journal (entry, transaction) {
		struct instance_spec *spec;

		if (!entry->after || !is_to_launch(entry->after))
			continue;
		*array_grow(&machines->items, &machines->count) = entry->after;
		spec = array_grow(&machines->specs, &machines->spec_count);
		spec->id = entry->after->id;
		spec->identity = world_identity(transaction->model, entry->after);
		if (spec->id.kind == KIND_INSTANCE) {
			const struct instance *instance = (const struct instance *)entry->after;

			spec->boot = script_for(instance);
			spec->memory = memory_of(world, instance);
			find_image(world, instance, spec);
		}
		*array_grow(&machines->launched, &machines->launched_count) =
			(struct provisional){ entry->after->id, entry->before == NULL };
	}
}

/*
 * What the kernel refuses is undone, but not everything can be: of a link that was removed and is
 * made again, what else was on it in a namespace that was to go too. So all is looked at then.
 */
static int apply(struct world *world, struct facet_set *set, struct error *error)
{
	int r = fabric_apply(world->fabric, set, error);

	world->is_unsure |= r < 0;
	return r;
}

/* Should this fail the next call tries it again. */
static void make_sure(struct world *world)
{
	struct error error = ERROR_INIT;

	if (!world->is_unsure)
		return;
	world->is_unsure = world_reconcile(world, &error) < 0;
	if (world->is_unsure)
		log_error("mending what could not be undone: %s", error.text);
}

/* ---- launching ---- */

static void set_process(struct resource *resource, struct process process)
{
	if (resource->id.kind == KIND_INSTANCE) {
		struct instance *instance = (struct instance *)resource;

		instance->pid = process.pid;
		instance->start_time = (int64_t)process.start_time;
	} else {
		struct internet_host *host = (struct internet_host *)resource;

		host->pid = process.pid;
		host->start_time = (int64_t)process.start_time;
		host->unborn = false;
	}
}

static struct process get_process(const struct resource *resource)
{
	if (resource->id.kind == KIND_INSTANCE)
		return instance_process((const struct instance *)resource);
	return host_process((const struct internet_host *)resource);
}

static int launch_chunk(struct world *world, struct launch *launch, struct resource **machines,
			size_t count, struct error *error)
{
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct process process;
		int r = launch_next(launch, &process, error);

		if (r < 0)
			return r;
		set_process(machines[i], process);
		facets_of(&world->model, machines[i], &set);
	}
	return apply(world, &set, error);
}

static int launch_all(struct world *world, const struct machines *machines,
		      struct launch **ret_launch, struct error *error)
{
	int r;

	if (!machines->count)
		return 0;
	if ((r = instances_launch_begin(world->instances, machines->specs, machines->count,
					ret_launch, error)) < 0)
		return r;
	for (size_t i = 0; i < machines->count; i += CHUNK)
		if ((r = launch_chunk(world, *ret_launch, machines->items + i,
				      MIN(machines->count - i, (size_t)CHUNK), error)) < 0)
			return r;
	return launch_ready(*ret_launch, error);
}

/* ---- settling ---- */

/* Moves on the instances that were passing through `state`; returns whether there were any. */
static bool settle(struct transaction *transaction, enum instance_state state)
{
	size_t count = transaction->count; /* it grows: interfaces go with their instances */
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct resource *after = transaction->entries[i].after;
		struct instance *instance = (struct instance *)after;

		if (!after || after->id.kind != KIND_INSTANCE || instance->state != (int)state)
			continue;
		instance_settle(transaction, instance);
		any = true;
	}
	return any;
}

/* A host of the Internet that is to end; its record goes when it has. */
static bool is_ending_host(const struct resource *after)
{
	const struct internet_host *host = (const struct internet_host *)after;

	return after && after->id.kind == KIND_INTERNET_HOST && host->ending && host->pid;
}

/* Ends the processes that the transaction says are to end. Too late to fail: it is only logged. */
static void end_processes(struct world *world, const struct transaction *transaction)
{
	CLEANUP(freep) struct rid *ids = xcalloc(transaction->count, sizeof(*ids));
	CLEANUP(freep) struct process *processes = xcalloc(transaction->count, sizeof(*processes));
	struct error error = ERROR_INIT;
	size_t count = 0;

	for_each_journal (entry, transaction) {
		const struct instance *before = (const struct instance *)entry->before;
		const struct instance *after = (const struct instance *)entry->after;

		if (is_ending_host(entry->after)) {
			ids[count] = entry->after->id;
			processes[count++] = get_process(entry->after);
			continue;
		}
		if (!after || after->resource.id.kind != KIND_INSTANCE || !after->pid || !before ||
		    after->state == before->state)
			continue;
		if (after->state == INSTANCE_TERMINATED) {
			ids[count] = after->resource.id;
			processes[count++] = instance_process(after);
		} else if (after->state == INSTANCE_STOPPING &&
			   instances_stop(world->instances, after->resource.id,
					  instance_process(after), STOP_GRACE, &error) < 0) {
			log_error("%s", error.text);
		}
	}
	if (count && instances_kill(world->instances, ids, processes, count, &error) < 0)
		log_error("%s", error.text);
}

static bool is_over(const struct journal_entry *entry)
{
	const struct resource *resource = entry->after ? entry->after : entry->before;
	const struct instance *before = (const struct instance *)entry->before;
	const struct instance *after = (const struct instance *)entry->after;

	if (resource->id.kind == KIND_INTERNET_HOST)
		return !after || ((const struct internet_host *)resource)->ending;
	return resource->id.kind == KIND_INSTANCE && after && before &&
	       after->state == INSTANCE_TERMINATED && before->state != after->state;
}

/* Nothing runs on them any more. */
static void forget_disks(struct world *world, const struct transaction *transaction)
{
	for_each_journal (entry, transaction) {
		struct rid id = entry->after ? entry->after->id : entry->before->id;

		if (is_over(entry))
			instances_forget(world->instances, &id, 1);
	}
}

/* ---- the path ---- */

static int go(struct world *world, struct transaction *transaction, struct facet_set *set,
	      struct machines *machines, struct launch **ret_launch, struct error *error)
{
	int r;

	/* What ends needs nothing more to have ended; its interfaces leave the kernel with it. */
	settle(transaction, INSTANCE_SHUTTING_DOWN);
	fabric_touched(transaction, set);
	if ((r = store_save(world->store, transaction, true, error)) < 0)
		return r;
	find_machines(world, transaction, machines);
	if ((r = apply(world, set, error)) < 0 ||
	    (r = services_changed(world->services, error)) < 0 ||
	    (r = launch_all(world, machines, ret_launch, error)) < 0)
		return r;
	if (!settle(transaction, INSTANCE_PENDING) && !machines->count)
		return 0;
	return store_save_launch(world->store, transaction, machines->launched,
				 machines->launched_count, error);
}

/* The inits go on without us; only then does the store say that they do. */
static int let_go(struct world *world, const struct machines *machines, struct launch *launch,
		  struct error *error)
{
	CLEANUP(freep) struct process *processes = xcalloc(machines->count, sizeof(*processes));
	CLEANUP(freep) struct rid *ids = xcalloc(machines->count, sizeof(*ids));
	struct error second = ERROR_INIT;
	int r;

	if (!launch)
		return 0;
	launch_commit(launch);
	r = store_confirm(world->store, error);
	for (size_t i = 0; r < 0 && i < machines->count; i++) {
		ids[i] = machines->items[i]->id;
		processes[i] = get_process(machines->items[i]);
	}
	if (r < 0 && instances_kill(world->instances, ids, processes, machines->count, &second) < 0)
		log_error("undo: %s", second.text);
	for (size_t i = 0; r < 0 && i < machines->count; i++)
		if (machines->launched[i].fresh)
			instances_forget(world->instances, &ids[i], 1);
	return r;
}

/* What can't be undone either is logged: the next start reconciles. */
static void undo(struct world *world, struct transaction *transaction, struct facet_set *set)
{
	struct error error = ERROR_INIT;

	if (store_save(world->store, transaction, false, &error) < 0)
		log_error("undo: %s", error.text);
	transaction_rollback(transaction);
	if (apply(world, set, &error) < 0)
		log_error("undo: %s", error.text);
	make_sure(world);
	if (services_changed(world->services, &error) < 0)
		log_error("undo: %s", error.text);
}

/* See fabric_sweep(). */
#define SWEEP_EVERY 100 /* milliseconds */

static void on_sweep(void *context);

void world_sweep_later(struct world *world)
{
	struct error error = ERROR_INIT;

	if (world->sweeping || !fabric_needs_sweep(world->fabric))
		return;
	if (loop_add_timer(world->loop, SWEEP_EVERY, on_sweep, world, NULL, &error) < 0)
		log_error("%s", error.text);
	else
		world->sweeping = true;
}

static void on_sweep(void *context)
{
	struct world *world = context;
	struct error error = ERROR_INIT;

	world->sweeping = false;
	if (fabric_sweep(world->fabric, &error) < 0)
		log_error("superseded rules: %s", error.text);
	world_sweep_later(world);
}

static void forget_hosts(struct world *world);

static void on_forget(void *context)
{
	struct world *world = context;

	world->forgetting = false;
	forget_hosts(world);
}

/* Whoever asked for it was answered: until it is stored it is tried again. */
static void forget_hosts(struct world *world)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());
	struct error error = ERROR_INIT;

	internet_forget_hosts(&transaction);
	if (!transaction.count || world_save(world, &transaction, &error) == 0)
		return;
	log_error("%s", error.text);
	if (world->forgetting)
		return;
	if (loop_add_timer(world->loop, AGAIN, on_forget, world, NULL, &error) < 0)
		log_error("%s", error.text);
	else
		world->forgetting = true;
}

int world_commit(void *context, struct transaction *transaction, struct error *error)
{
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };
	CLEANUP(machines_clear) struct machines machines = { 0 };
	struct world *world = context;
	struct launch *launch = NULL;
	bool images, stacks;
	int r;

	if (!transaction->count)
		return 0;
	make_sure(world);
	r = go(world, transaction, &set, &machines, &launch, error);
	if (r < 0)
		launch_cancel(launch);
	else
		r = let_go(world, &machines, launch, error);
	if (r < 0)
		undo(world, transaction, &set);
	world_sweep_later(world);
	if (r < 0)
		return r;
	end_processes(world, transaction);
	forget_disks(world, transaction);
	images = world_images_concerned(transaction);
	stacks = stacks_concerned(transaction);
	events_add(world->events, transaction);
	transaction_commit(transaction);
	forget_hosts(world);
	if (stacks)
		stacks_look(world->stacks);
	if (images)
		world_images_look(world);
	return 0;
}

/* ---- inits that end by themselves ---- */

/* A new init in place of the one that is gone, with the same interfaces and addresses. */
static int start_over(struct world *world, struct instance *instance, struct error *error)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());

	transaction_edit(&transaction, instance);
	instance->state = INSTANCE_PENDING;
	instance->pid = instance->start_time = 0;
	return world_commit(world, &transaction, error);
}

static int end_instance(struct world *world, struct instance *instance, enum instance_end end,
			struct error *error)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());
	int r = -ESRCH;

	if (instance->state == INSTANCE_RUNNING && end == INSTANCE_REBOOTED) {
		r = start_over(world, instance, error);
		if (r == 0)
			return 0;
		log_error("%s does not start again: %s", rid_format(instance->resource.id).text,
			  error->text);
	}
	if (instance->state == INSTANCE_RUNNING && end == INSTANCE_CRASHED)
		log_info("%s: its init was killed", rid_format(instance->resource.id).text);
	instance_exited(&transaction, instance, end == INSTANCE_SHUT_DOWN);
	return world_commit(world, &transaction, error);
}

static int end_host(struct world *world, struct internet_host *host, struct error *error)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());

	transaction_edit(&transaction, host);
	host->running = false;
	host->pid = host->start_time = 0;
	return world_commit(world, &transaction, error);
}

/* An end that couldn't be seen to. */
struct late_end {
	struct world *world;
	struct rid id;
	enum instance_end end;
};

static void on_late_end(void *context)
{
	struct late_end late = *(struct late_end *)context;

	free(context);
	world_on_exit(late.world, late.id, late.end);
}

/* Nobody tells of it a second time. */
static void see_to_it_later(struct world *world, struct rid id, enum instance_end end)
{
	struct late_end *late = xcalloc(1, sizeof(*late));
	struct error error = ERROR_INIT;

	*late = (struct late_end){ world, id, end };
	if (loop_add_timer(world->loop, AGAIN, on_late_end, late, NULL, &error) == 0)
		return;
	log_error("%s", error.text);
	free(late);
}

void world_on_exit(void *context, struct rid id, enum instance_end end)
{
	struct world *world = context;
	struct resource *resource = model_get(&world->model, NULL, id);
	struct error error = ERROR_INIT;
	int r;

	if (!resource)
		return;
	if (id.kind == KIND_INSTANCE)
		r = end_instance(world, (struct instance *)resource, end, &error);
	else
		r = end_host(world, (struct internet_host *)resource, &error);
	if (r == 0)
		return;
	log_error("%s has ended: %s", rid_format(id).text, error.text);
	see_to_it_later(world, id, end);
}

/* It ends in its own time, then world_on_exit() starts it again. */
int world_reboot(void *context, struct rid id, struct error *error)
{
	struct world *world = context;
	struct instance *instance = instance_get(&world->model, id);

	if (!instance || !instance->pid)
		return error_sys(error, ESRCH, "%s", rid_format(id).text);
	return instances_reboot(world->instances, id, instance_process(instance), STOP_GRACE,
				error);
}

bool world_is_rebooting(void *context, struct rid id)
{
	const struct world *world = context;

	return instances_is_rebooting(world->instances, id);
}
