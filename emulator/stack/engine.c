/*
 * The engine: see stack.h. A stack's status says which way it goes:
 *
 *	CREATE, UPDATE			what its template has is made or changed,
 *					dependencies first; then outputs; after an
 *					update, CLEANUP
 *	…_CLEANUP, ROLLBACK, DELETE	what is doomed is deleted, dependents first
 *	UPDATE_ROLLBACK			what was changed is changed back; then CLEANUP
 */
#include "stack/internal.h"

#include <time.h>

#include "base/log.h"
#include "model/instance.h"

#define DELAY_MIN 1
#define DELAY_MAX 64
#define HURRY	  250

static void on_turn(void *context);

int64_t stacks_now(void)
{
	return time(NULL);
}

struct transaction stacks_begin(const struct stacks *stacks)
{
	return transaction_begin(stacks->options.model, stacks_now());
}

int stacks_commit(const struct stacks *stacks, struct transaction *transaction)
{
	struct error error = ERROR_INIT;
	int r = stacks->options.commit(stacks->options.context, transaction, &error);

	if (r < 0)
		log_error("stacks: %s", error.text);
	return r;
}

static bool step(struct stacks *stacks, struct stack *stack)
{
	switch (stack->status) {
	case STACK_CREATE_IN_PROGRESS:
	case STACK_UPDATE_IN_PROGRESS:
		return stack_forward(stacks, stack);
	case STACK_UPDATE_ROLLBACK_IN_PROGRESS:
		return stack_back(stacks, stack);
	default:
		work_forget(stacks, stack->resource.id);
		return stack_removal(stacks, stack);
	}
}

static bool is_pending(const struct change_set *set)
{
	return set->status == CHANGE_SET_CREATE_PENDING ||
	       set->status == CHANGE_SET_CREATE_IN_PROGRESS;
}

/* What there is to do, in any order that stays while nothing comes or goes. */
static struct rid *find_due(const struct stacks *stacks, size_t *ret_count)
{
	const struct model *model = stacks->options.model;
	struct rid *ids = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct change_set, set, model->scopes[i], KIND_CHANGE_SET)
			if (is_pending(set))
				*array_grow(&ids, ret_count) = set->resource.id;
		for_each_resource (struct stack, stack, model->scopes[i], KIND_STACK)
			if (stack_is_busy(stack))
				*array_grow(&ids, ret_count) = stack->resource.id;
	}
	return ids;
}

static bool step_of(struct stacks *stacks, struct rid id)
{
	struct resource *resource = model_get(stacks->options.model, NULL, id);

	if (id.kind == KIND_STACK)
		return step(stacks, (struct stack *)resource);
	changes_make(stacks, (struct change_set *)resource);
	return true;
}

static void arm(struct stacks *stacks, uint64_t delay)
{
	struct error error = ERROR_INIT;

	loop_remove(stacks->timer);
	stacks->timer = NULL;
	if (loop_add_timer(stacks->options.loop, delay, on_turn, stacks, &stacks->timer, &error) <
	    0)
		log_error("stacks: %s", error.text);
}

/* One step of the next that can do one; was there one? */
static bool take_turn(struct stacks *stacks, size_t *ret_count)
{
	CLEANUP(freep) struct rid *ids = find_due(stacks, ret_count);
	bool any = false;

	for (size_t i = 0; i < *ret_count && !any; i++) {
		stacks->turn++;
		any = step_of(stacks, ids[stacks->turn % *ret_count]);
	}
	return any || scaling_mend(stacks);
}

static void on_turn(void *context)
{
	struct stacks *stacks = context;
	size_t count;
	bool any;

	stacks->timer = NULL;
	any = take_turn(stacks, &count);
	stacks->delay = any ? 0 : MIN(MAX(stacks->delay * 2, (uint64_t)DELAY_MIN), DELAY_MAX);
	if (count || any)
		arm(stacks, stacks->delay);
}

void stacks_hurry(struct stacks *stacks)
{
	const int64_t end = now_ms() + HURRY;
	size_t count;

	while (take_turn(stacks, &count) && now_ms() < end)
		;
}

/* An instance that was one of a group's, perhaps. */
static bool has_ended(const struct journal_entry *entry)
{
	const struct instance *after = (const struct instance *)entry->after;

	return entry->before && entry->before->id.kind == KIND_INSTANCE &&
	       (!after || (after->state != INSTANCE_RUNNING && after->state != INSTANCE_PENDING));
}

bool stacks_concerned(const struct transaction *transaction)
{
	for_each_journal (entry, transaction) {
		const struct resource *resource = entry->after ? entry->after : entry->before;

		if (resource->id.kind == KIND_STACK || resource->id.kind == KIND_CHANGE_SET ||
		    has_ended(entry))
			return true;
	}
	return false;
}

void stacks_look(struct stacks *stacks)
{
	if (!stacks || (stacks->timer && !stacks->delay))
		return;
	stacks->delay = 0;
	arm(stacks, 0);
}

struct stacks *stacks_open(const struct stacks_options *options)
{
	struct stacks *stacks = xcalloc(1, sizeof(*stacks));

	stacks->options = *options;
	stacks->opened = stacks_now();
	return stacks;
}

struct stacks *stacks_close(struct stacks *stacks)
{
	if (!stacks)
		return NULL;
	loop_remove(stacks->timer);
	for (size_t i = 0; i < stacks->work_count; i++)
		work_freep(&stacks->works[i]);
	free(stacks->works);
	free(stacks);
	return NULL;
}
