/*
 * Recovery: the store says what was asked for, the kernel what is there. See commit.c for what a
 * killed daemon can leave.
 */
#include "world/internal.h"

#include <errno.h>

#include "base/log.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/stack.h"

#define FORGET_AFTER 3600 /* seconds that a terminated instance stays visible */

int world_remove_netns(struct kernel *kernel, const struct rid *ids, size_t count,
		       struct error *error)
{
	CLEANUP(freep) struct change *changes = xcalloc(count, sizeof(*changes));

	for (size_t i = 0; i < count; i++) {
		changes[i].before.kind = OBJECT_NETNS;
		changes[i].before.ns = ids[i];
	}
	return kernel_transact(kernel, changes, count, error);
}

static bool has_process(const struct instance *instance)
{
	return instance->pid && process_alive(instance_process(instance));
}

static int kill_one(struct world *world, const struct instance *instance, struct error *error)
{
	struct process process = instance_process(instance);

	return has_process(instance) ? instances_kill(world->instances, &instance->resource.id,
						      &process, 1, error)
				     : 0;
}

/* Its init is gone; where that means termination, there is nothing more to wait for. */
static void exited(struct transaction *transaction, struct instance *instance, bool orderly)
{
	instance_exited(transaction, instance, orderly);
	if (instance->state == INSTANCE_SHUTTING_DOWN)
		instance_settle(transaction, instance);
}

static void end_unseen(struct world *world, struct transaction *transaction,
		       struct instance *instance)
{
	enum instance_end end =
		instances_end(world->instances, instance->resource.id, instance_process(instance));

	if (instance->state == INSTANCE_RUNNING && end == INSTANCE_REBOOTED)
		*array_grow(&world->rebooted, &world->rebooted_count) = instance->resource.id;
	else
		exited(transaction, instance, end == INSTANCE_SHUT_DOWN);
}

static int adopt(struct world *world, struct transaction *transaction, struct instance *instance,
		 struct error *error)
{
	int r = instances_adopt(world->instances, instance->resource.id, instance_process(instance),
				error);

	if (r == -ESRCH) {
		end_unseen(world, transaction, instance);
		return 0;
	}
	if (r < 0)
		return r;
	return instance->state == INSTANCE_STOPPING
		       ? instances_stop(world->instances, instance->resource.id,
					instance_process(instance), STOP_GRACE, error)
		       : 0;
}

/* One that was between two inits ran, and was asked to go on. */
static bool start_again(struct world *world, struct transaction *transaction,
			struct instance *instance)
{
	const struct process any = { 0 };

	if (instances_end(world->instances, instance->resource.id, any) != INSTANCE_REBOOTED)
		return false;
	transaction_edit(transaction, instance);
	instance->state = INSTANCE_RUNNING;
	instance->pid = instance->start_time = 0;
	*array_grow(&world->rebooted, &world->rebooted_count) = instance->resource.id;
	return true;
}

static int recover_instance(struct world *world, struct transaction *transaction,
			    struct instance *instance, struct error *error)
{
	int r;

	switch (instance->state) {
	case INSTANCE_RUNNING:
	case INSTANCE_STOPPING:
		return adopt(world, transaction, instance, error);
	case INSTANCE_PENDING:
		if ((r = kill_one(world, instance, error)) < 0)
			return r;
		/* Never answered: a new one was never asked for, a started one stays stopped. */
		if (!start_again(world, transaction, instance))
			exited(transaction, instance, false);
		return 0;
	case INSTANCE_SHUTTING_DOWN:
		instance_settle(transaction, instance);
		return kill_one(world, instance, error);
	default:
		return kill_one(world, instance, error);
	}
}

static int recover_host(struct world *world, struct transaction *transaction,
			struct internet_host *host, struct error *error)
{
	struct process process = host_process(host);
	bool alive = process.pid && process_alive(process);

	if (alive && host->running && !host->unborn)
		return instances_adopt(world->instances, host->resource.id, process, error);
	if (alive && host->ending)
		return instances_kill(world->instances, &host->resource.id, &process, 1, error);
	if (alive) {
		int r = instances_kill(world->instances, &host->resource.id, &process, 1, error);

		if (r < 0)
			return r;
	}
	transaction_edit(transaction, host);
	host->running = false;
	host->pid = host->start_time = 0;
	host->ending |= host->unborn; /* its making was never answered */
	return 0;
}

static int recover_hosts(struct world *world, struct transaction *transaction, struct error *error)
{
	int r = 0;

	for_each_internet_host (host, &world->model)
		if (r == 0)
			r = recover_host(world, transaction, host, error);
	return r;
}

/* What is in `list` may shrink meanwhile: from the end. */
static int recover_scope(struct world *world, struct transaction *transaction,
			 const struct scope *scope, struct error *error)
{
	for (size_t i = scope->lists[KIND_INSTANCE].count; i-- > 0;) {
		struct instance *instance = (struct instance *)scope->lists[KIND_INSTANCE].items[i];
		int r = recover_instance(world, transaction, instance, error);

		if (r < 0)
			return error_wrap(error, r, "%s", rid_format(instance->resource.id).text);
	}
	return 0;
}

/* Launches that were never answered are forgotten, once their namespaces are gone. */
static void forget_unborn(struct world *world, struct transaction *transaction)
{
	for (size_t i = 0; i < world->model.scope_count; i++) {
		struct resource_list *list = &world->model.scopes[i]->lists[KIND_INSTANCE];

		for (size_t j = list->count; j-- > 0;) {
			struct instance *instance = (struct instance *)list->items[j];

			if (!instance->has_run && !instance_is_live(instance))
				instance_forget(transaction, instance);
		}
	}
}

int world_save(struct world *world, struct transaction *transaction, struct error *error)
{
	int r = store_save(world->store, transaction, true, error);

	if (r < 0)
		transaction_rollback(transaction);
	else
		transaction_commit(transaction);
	return r;
}

static int recover_orphans(struct world *world, struct error *error)
{
	CLEANUP(freep) struct rid *ids = NULL;
	size_t count;
	int r = store_orphans(world->store, &ids, &count, error);

	return r < 0 || !count ? r : world_remove_netns(world->kernel, ids, count, error);
}

/*
 * Launches that were never confirmed were never answered: they are as those that were pending. A
 * new instance is told by never having run.
 */
static int recover_provisional(struct world *world, struct transaction *transaction,
			       struct error *error)
{
	CLEANUP(freep) struct provisional *launched = NULL;
	size_t count;
	int r = store_provisional(world->store, &launched, &count, error);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct resource *resource = model_get(&world->model, NULL, launched[i].id);

		if (!resource)
			continue;
		transaction_edit(transaction, resource);
		if (resource->id.kind == KIND_INSTANCE) {
			struct instance *instance = (struct instance *)resource;

			instance->state = INSTANCE_PENDING;
			instance->has_run = !launched[i].fresh;
		} else {
			((struct internet_host *)resource)->unborn = launched[i].fresh;
		}
	}
	return r;
}

/* What was mended until now because they were there goes with them. */
static int forget_all(struct world *world, struct error *error)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };
	int r;

	forget_unborn(world, &transaction);
	internet_forget_hosts(&transaction);
	fabric_touched(&transaction, &set);
	if ((r = world_save(world, &transaction, error)) < 0)
		return r;
	return fabric_apply(world->fabric, &set, error);
}

static bool has_disk(void *context, const char *id)
{
	const struct model *model = context;
	const struct instance *instance;
	struct rid rid;

	if (rid_parse(id, KIND_INSTANCE, &rid) == 0) {
		instance = instance_get(model, rid);
		return instance && instance->state != INSTANCE_TERMINATED;
	}
	return rid_parse(id, KIND_INTERNET_HOST, &rid) == 0 && model_get(model, NULL, rid);
}

int world_recover(struct world *world, struct error *error)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());
	int r;

	if ((r = recover_orphans(world, error)) < 0)
		return r;
	r = recover_provisional(world, &transaction, error);
	for (size_t i = 0; r == 0 && i < world->model.scope_count; i++)
		r = recover_scope(world, &transaction, world->model.scopes[i], error);
	if (r == 0)
		r = recover_hosts(world, &transaction, error);
	if (r == 0)
		world_images_interrupted(world, &transaction);
	if (r < 0) {
		transaction_rollback(&transaction);
		return r;
	}
	if ((r = world_save(world, &transaction, error)) < 0 ||
	    (r = world_reconcile(world, error)) < 0)
		return r;
	if ((r = forget_all(world, error)) < 0 ||
	    (r = instances_keep(world->instances, has_disk, &world->model, error)) < 0)
		return r;
	world_images_look(world);
	world_images_sweep(world);
	return world_purge(world, error);
}

void world_resume(struct world *world)
{
	for (size_t i = 0; i < world->rebooted_count; i++)
		world_on_exit(world, world->rebooted[i], INSTANCE_REBOOTED);
	freep(&world->rebooted);
	world->rebooted_count = 0;
	instances_forget_ends(world->instances);
}

int world_purge(struct world *world, struct error *error)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());

	for (size_t i = 0; i < world->model.scope_count; i++) {
		struct resource_list *list = &world->model.scopes[i]->lists[KIND_INSTANCE];

		for (size_t j = list->count; j-- > 0;) {
			struct instance *instance = (struct instance *)list->items[j];

			if (instance->state == INSTANCE_TERMINATED &&
			    instance->end_time + FORGET_AFTER < transaction.now)
				instance_forget(&transaction, instance);
		}
	}
	peerings_age(&transaction); /* what goes or ends here was in no kernel */
	nat_gateways_age(&transaction);
	stacks_age(&transaction);
	return world_save(world, &transaction, error);
}
