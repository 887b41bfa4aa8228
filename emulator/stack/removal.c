/* Deletion of what is doomed, dependents first: see engine.c. */
#include "stack/internal.h"

static bool is_retained(const struct stack *stack, const struct stack_resource *row)
{
	const char *policy = row->superseded ? row->replace_policy : row->deletion_policy;

	for (size_t i = 0; i < stack->retained_count; i++)
		if (streq(stack->retained[i].value, row->logical))
			return true;
	if (!row->physical || stack->status == STACK_UPDATE_ROLLBACK_CLEANUP)
		return false;
	return streq(policy, "Retain") || (streq(policy, "RetainExceptOnCreate") &&
					   stack->status != STACK_ROLLBACK_IN_PROGRESS);
}

static bool gave_up(const struct stack *stack, const struct stack_resource *row)
{
	return row->status == STACK_DELETE_FAILED && row->generation == stack->generation &&
	       row->phase == STACK_PHASE_NONE;
}

/* Is there another one to be deleted that needs it? */
static bool is_needed(const struct stack *stack, const struct stack_resource *row)
{
	for_each_stack_resource (other, stack)
		if (other != row && other->doomed && !row_is_gone(other) &&
		    list_has(other->dependencies, row->logical))
			return true;
	return false;
}

static bool is_leaving(const struct stack_resource *row)
{
	return row->phase == STACK_PHASE_REMOVE || row->phase == STACK_PHASE_VANISH;
}

static void begin_removal(struct transaction *transaction, const struct stack *stack,
			  struct stack_resource *row)
{
	transaction_edit(transaction, row);
	row->step = 0;
	row->phase = STACK_PHASE_NONE;
	if (is_retained(stack, row)) {
		stack_resource_set_status(transaction, row, STACK_DELETE_SKIPPED, NULL);
	} else if (!row->physical) {
		stack_resource_set_status(transaction, row, STACK_DELETE_COMPLETE, NULL);
	} else {
		row->phase = STACK_PHASE_REMOVE;
		stack_resource_set_status(transaction, row, STACK_DELETE_IN_PROGRESS, NULL);
	}
}

/* Who imports what it exports; NULL: nobody. */
static char *exports_used(const struct stack *stack)
{
	for (size_t i = 0; i < stack->output_count; i++) {
		const char *name = stack->outputs[i].export_name;

		for_each_resource (struct stack, user, stack->resource.scope, KIND_STACK)
			if (name && user != stack && stack_imports(user, name))
				return xasprintf("Cannot delete export %s as it is in use by %s",
						 name, user->name);
	}
	return NULL;
}

static void finish_removal(struct stacks *stacks, struct stack *stack)
{
	struct transaction transaction = stacks_begin(stacks);
	struct resource_list *list = &stack->resource.scope->lists[KIND_STACK_RESOURCE];
	CLEANUP(freep) char *names = failed_names(stack);
	CLEANUP(freep) char *reason = NULL;
	bool failed = false;

	for_each_stack_resource (row, stack)
		failed = failed || (row->doomed && !row_is_gone(row));
	if (failed)
		reason = xasprintf("The following resource(s) failed to delete: [%s].", names);
	switch (stack->status) {
	case STACK_ROLLBACK_IN_PROGRESS:
		stack_set_status(&transaction, stack,
				 failed ? STACK_ROLLBACK_FAILED : STACK_ROLLBACK_COMPLETE, reason);
		break;
	case STACK_DELETE_IN_PROGRESS:
		stack_set_status(&transaction, stack,
				 failed ? STACK_DELETE_FAILED : STACK_DELETE_COMPLETE, reason);
		break;
	default: /* what couldn't be cleaned up is left, and forgotten */
		stack_set_status(&transaction, stack,
				 stack->status == STACK_UPDATE_CLEANUP
					 ? STACK_UPDATE_COMPLETE
					 : STACK_UPDATE_ROLLBACK_COMPLETE,
				 NULL);
		for (size_t i = list->count; i-- > 0;) {
			struct stack_resource *row = (struct stack_resource *)list->items[i];

			if (!rid_equal(row->stack, stack->resource.id))
				continue;
			if (row->doomed) {
				transaction_delete(&transaction, row);
				continue;
			}
			transaction_edit(&transaction, row);
			freep(&row->before);
		}
	}
	stacks_commit(stacks, &transaction);
}

/* ---- instances ---- */

#define TOGETHER_MAX 64

/* Those that are ended by one call. */
struct ending {
	struct stack_resource *rows[TOGETHER_MAX];
	size_t count;
};

static void find_ending(const struct stack *stack, struct ending *ret)
{
	ret->count = 0;
	for_each_stack_resource (row, stack)
		if (row->phase == STACK_PHASE_REMOVE && !row->step && row->physical &&
		    streq(row->type, "AWS::EC2::Instance") && ret->count < TOGETHER_MAX)
			ret->rows[ret->count++] = row;
}

static int on_ended(void *context, struct transaction *transaction, const struct node *reply,
		    struct error *error)
{
	const struct ending *ending = context;

	(void)reply;
	(void)error;
	for (size_t i = 0; i < ending->count; i++) {
		struct stack_resource *row = transaction_edit(transaction, ending->rows[i]);

		row->phase = STACK_PHASE_VANISH;
		row->time = transaction->now;
	}
	return 0;
}

/*
 * The kernel takes its time to remove an interface, and less for each of many. When the call fails
 * each is ended by itself.
 */
static bool end_together(struct stacks *stacks, const struct stack *stack)
{
	struct template_value parameters[TOGETHER_MAX];
	struct ending ending;
	struct type_call call = { .service = "ec2",
				  .action = "TerminateInstances",
				  .parameters = parameters };
	const struct stack_call made = { .call = &call, .amend = on_ended, .context = &ending };
	struct error ignored = ERROR_INIT;
	bool ended;

	find_ending(stack, &ending);
	if (ending.count < 2)
		return false;
	for (size_t i = 0; i < ending.count; i++)
		parameters[i] = (struct template_value){ xasprintf("InstanceId.%zu", i + 1),
							 ending.rows[i]->physical };
	call.parameter_count = ending.count;
	ended = stacks_call(stacks, stack->resource.scope, &made, NULL, &ignored) == 0;
	for (size_t i = 0; i < ending.count; i++)
		free(parameters[i].name);
	return ended;
}

bool stack_removal(struct stacks *stacks, struct stack *stack)
{
	struct transaction transaction = stacks_begin(stacks);
	CLEANUP(freep) char *used = NULL;
	bool busy = false;

	if (stack->status == STACK_DELETE_IN_PROGRESS && (used = exports_used(stack))) {
		stack_set_status(&transaction, stack, STACK_DELETE_FAILED, used);
		return stacks_commit(stacks, &transaction) == 0;
	}
	for_each_stack_resource (row, stack)
		if (row->doomed && !row_is_gone(row) && !is_leaving(row) && !gave_up(stack, row) &&
		    !is_needed(stack, row))
			begin_removal(&transaction, stack, row);
	if (transaction.count)
		return stacks_commit(stacks, &transaction) == 0;
	if (end_together(stacks, stack))
		return true;
	for_each_stack_resource (row, stack)
		if (is_leaving(row)) {
			busy = true;
			if (row_advance(stacks, row))
				return true;
		}
	if (!busy)
		finish_removal(stacks, stack);
	return !busy;
}
