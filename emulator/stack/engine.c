/*
 * The engine: see stack.h. A stack's status says which way it goes:
 *
 *	CREATE, UPDATE_IN_PROGRESS	what its template has is made or changed, dependencies
 *first; then outputs; after an update, CLEANUP …_CLEANUP, ROLLBACK, DELETE	what is doomed is
 *deleted, dependents first UPDATE_ROLLBACK_IN_PROGRESS	what was changed is changed back; then
 *CLEANUP
 */
#include "stack/internal.h"

#include <time.h>

#include "base/log.h"

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

/* ---- names of what failed ---- */

static char *failed_names(const struct stack *stack)
{
	struct buffer names = BUFFER_INIT;

	for_each_stack_resource(row, stack) if (row->status == STACK_CREATE_FAILED ||
						row->status == STACK_UPDATE_FAILED ||
						row->status == STACK_DELETE_FAILED)
		buffer_printf(&names, "%s%s", names.length ? ", " : "", row->logical);
	return buffer_steal(&names);
}

static bool has_failed(const struct stack_resource *row)
{
	return row->status == STACK_CREATE_FAILED || row->status == STACK_UPDATE_FAILED;
}

/* ---- the ways a stack can turn ---- */

static void doom(struct transaction *transaction, struct stack_resource *row)
{
	if (row->doomed)
		return;
	transaction_edit(transaction, row);
	row->doomed = true;
}

static void begin_deletion(struct transaction *transaction, struct stack *stack,
			   enum stack_status status, const char *reason)
{
	stack_set_status(transaction, stack, status, reason);
	for_each_stack_resource(row, stack) doom(transaction, row);
}

static void undo_row(struct transaction *transaction, const struct stack *stack,
		     struct stack_resource *row)
{
	transaction_edit(transaction, row);
	if (row->superseded) {
		row->superseded = false;
		stack_resource_set_status(transaction, row, STACK_UPDATE_COMPLETE, NULL);
	} else if (row->made == stack->generation) {
		row->doomed = true;
	} else if (row->target || row->before) {
		if (row->target && row->step) { /* half changed */
			if (!row->before)
				row->before = xstrdup_null(row->properties);
			free(row->properties);
			row->properties = row->target;
			row->target = NULL;
		}
		freep(&row->target);
		if (!row->before) {
			stack_resource_set_status(transaction, row, STACK_UPDATE_COMPLETE, NULL);
			return;
		}
		row->target = xstrdup(row->before);
		row->phase = STACK_PHASE_CHANGE;
		row->step = 0;
		stack_resource_set_status(transaction, row, STACK_UPDATE_IN_PROGRESS, NULL);
	}
}

/* What was new goes, what was replaced is itself again, what was changed is changed back. */
static void begin_undo(struct transaction *transaction, struct stack *stack, const char *reason)
{
	stack_set_status(transaction, stack, STACK_UPDATE_ROLLBACK_IN_PROGRESS, reason);
	for_each_stack_resource(row, stack) undo_row(transaction, stack, row);
	stack_source_clear(&stack->source);
	stack->source = stack->previous;
	stack->previous = (struct stack_source){ 0 };
}

static void fail(struct stacks *stacks, struct stack *stack, const char *why)
{
	struct transaction transaction = stacks_begin(stacks);
	CLEANUP(freep) char *names = failed_names(stack);
	CLEANUP(freep) char *reason = NULL;
	const bool creates = stack->status == STACK_CREATE_IN_PROGRESS;
	const bool keeps = creates && stack->on_failure == STACK_ON_FAILURE_NOTHING;

	if (why)
		reason = xstrdup(why);
	else
		reason = xasprintf("The following resource(s) failed to %s: [%s].%s",
				   creates ? "create" : "update", names,
				   creates && !keeps ? " Rollback requested by user." : "");
	work_forget(stacks, stack->resource.id);
	if (keeps)
		stack_set_status(&transaction, stack, STACK_CREATE_FAILED, reason);
	else if (!creates)
		begin_undo(&transaction, stack, reason);
	else
		begin_deletion(&transaction, stack,
			       stack->on_failure == STACK_ON_FAILURE_DELETE
				       ? STACK_DELETE_IN_PROGRESS
				       : STACK_ROLLBACK_IN_PROGRESS,
			       reason);
	stacks_commit(stacks, &transaction);
}

/* ---- forward: what the template has ---- */

/* Nothing is being done with it, and it is as the template has it. */
static bool is_complete(const struct stack *stack, const char *logical)
{
	const struct stack_resource *row = stack_resource_find(stack, logical);

	return row && row->generation == stack->generation && row->phase == STACK_PHASE_NONE &&
	       !has_failed(row);
}

static bool is_due(const struct work *work, const struct stack *stack,
		   const struct template_resource *resource)
{
	const struct stack_resource *row = stack_resource_find(stack, resource->name);
	CLEANUP(freep) char *words = NULL;
	const char *at;

	if (!evaluation_has(work->evaluation, resource->node) ||
	    (row && row->generation == stack->generation && !row->doomed))
		return false;
	words = work_dependencies(work, resource);
	for (at = words; *at; at += *at == ' ') {
		CLEANUP(freep) char *word = xasprintf("%.*s", (int)strcspn(at, " "), at);

		at += strlen(word);
		if (work_resource(work, word) && !is_complete(stack, word))
			return false;
	}
	return true;
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = xstrdup_null(value);
}

/* What its template says of it besides its properties. */
static void describe_row(const struct work *work, const struct template_resource *resource,
			 struct stack_resource *row)
{
	free(row->dependencies);
	row->dependencies = work_dependencies(work, resource);
	set_text(&row->deletion_policy, resource->deletion_policy);
	set_text(&row->replace_policy, resource->update_replace_policy);
}

static struct stack_resource *add_row(struct transaction *transaction, const struct work *work,
				      const struct template_resource *resource,
				      const struct node *properties)
{
	struct stack_resource *row = stack_resource_create(transaction, work_stack(work),
							   resource->name, resource->type);

	describe_row(work, resource, row);
	if (properties)
		row->properties = json_of(properties);
	row->phase = STACK_PHASE_MAKE;
	stack_resource_set_status(transaction, row, STACK_CREATE_IN_PROGRESS, NULL);
	return row;
}

static void change_row(struct transaction *transaction, const struct work *work,
		       const struct template_resource *resource, struct stack_resource *row,
		       const struct node *properties)
{
	CLEANUP(node_freep) struct node *before = node_of(row->properties);
	const struct type *type = type_find(row->type);
	const bool same_type = streq(row->type, resource->type);

	transaction_edit(transaction, row);
	if (!same_type || type_compare(type, before, properties) == UPDATE_REPLACED) {
		row->superseded = true;
		stack_resource_set_status(
			transaction, row, STACK_UPDATE_IN_PROGRESS,
			"Requested update requires the creation of a new physical resource; hence "
			"creating one.");
		add_row(transaction, work, resource, properties);
		return;
	}
	row->generation = work->generation;
	describe_row(work, resource, row);
	if (node_equal(before, properties))
		return;
	row->target = json_of(properties);
	row->phase = STACK_PHASE_CHANGE;
	row->step = 0;
	stack_resource_set_status(transaction, row, STACK_UPDATE_IN_PROGRESS, NULL);
}

/* Begins a resource, as a record only; what can't even be said fails there. */
static void begin_row(struct transaction *transaction, struct work *work,
		      const struct template_resource *resource)
{
	struct stack *stack = work_stack(work);
	struct stack_resource *row = stack_resource_find(stack, resource->name);
	CLEANUP(node_freep) struct node *properties = NULL;
	struct error error = ERROR_INIT;
	int r = evaluation_properties(work->evaluation, resource, &properties, &error);

	if (row && (row->doomed || row_is_gone(row)))
		row = NULL;
	if (r == 0 && row) {
		change_row(transaction, work, resource, row, properties);
		return;
	}
	if (!row)
		row = add_row(transaction, work, resource, properties);
	if (r == 0)
		return;
	transaction_edit(transaction, row);
	row->generation = stack->generation;
	row->phase = STACK_PHASE_NONE;
	stack_resource_set_status(transaction, row,
				  row->made == stack->generation ? STACK_CREATE_FAILED
								 : STACK_UPDATE_FAILED,
				  error.text);
}

/* Does the next thing for one of the resources that are at work. */
static bool advance_any(struct stacks *stacks, const struct stack *stack, bool *ret_busy)
{
	*ret_busy = false;
	for_each_stack_resource(row, stack)
	{
		if (row->phase == STACK_PHASE_NONE)
			continue;
		*ret_busy = true;
		if (row_advance(stacks, row))
			return true;
	}
	return false;
}

static bool any_failed(const struct stack *stack)
{
	for_each_stack_resource(row, stack) if (has_failed(row) &&
						row->generation == stack->generation) return true;
	return false;
}

/* ---- forward: the end ---- */

/* Exports have one owner, and don't change while somebody uses them. */
static char *exports_refused(const struct stack *stack, const struct template_outputs *outputs)
{
	const struct stack *other;

	for (size_t i = 0; i < outputs->count; i++) {
		const char *name = outputs->items[i].export_name;

		if (name && stack_export_find(stack->resource.scope, name, &other) &&
		    other != stack)
			return xasprintf("Export with name %s is already exported by stack %s",
					 name, other->name);
	}
	for (size_t i = 0; i < stack->output_count; i++) {
		const struct stack_output *output = &stack->outputs[i];
		bool same = !output->export_name;

		for (size_t j = 0; !same && j < outputs->count; j++)
			same = streq(output->export_name, outputs->items[j].export_name) &&
			       streq(output->value, outputs->items[j].value);
		for_each_resource (struct stack, user, stack->resource.scope, KIND_STACK)
			if (!same && stack_imports(user, output->export_name))
				return xasprintf(
					"Export %s cannot be updated as it is in use by %s",
					output->export_name, user->name);
	}
	return NULL;
}

static void take_outputs(struct stack *stack, const struct template_outputs *outputs)
{
	for (size_t i = 0; i < stack->output_count; i++) {
		free(stack->outputs[i].key);
		free(stack->outputs[i].value);
		free(stack->outputs[i].description);
		free(stack->outputs[i].export_name);
	}
	freep(&stack->outputs);
	stack->output_count = 0;
	for (size_t i = 0; i < outputs->count; i++)
		*array_grow(&stack->outputs, &stack->output_count) = (struct stack_output){
			.key = xstrdup(outputs->items[i].name),
			.value = xstrdup(outputs->items[i].value),
			.description = xstrdup_null(outputs->items[i].description),
			.export_name = xstrdup_null(outputs->items[i].export_name),
		};
}

/* All that the template asks of other stacks, and its outputs. */
static int evaluate_all(struct work *work, struct template_outputs *ret_outputs,
			struct error *error)
{
	int r = 0;

	stack_texts_clear(&work->imports, &work->import_count);
	for (size_t i = 0; r == 0 && i < template_resource_count(work->template); i++) {
		CLEANUP(node_freep) struct node *properties = NULL;
		const struct template_resource *resource = template_resource_at(work->template, i);

		if (evaluation_has(work->evaluation, resource->node))
			r = evaluation_properties(work->evaluation, resource, &properties, error);
	}
	return r < 0 ? r : evaluation_outputs(work->evaluation, ret_outputs, error);
}

/* What the update left behind: replaced, or not in the template any more. */
static void doom_rest(struct transaction *transaction, const struct stack *stack)
{
	for_each_stack_resource(row,
				stack) if (row->superseded || row->generation != stack->generation)
		doom(transaction, row);
}

static void finish_forward(struct stacks *stacks, struct work *work, struct stack *stack)
{
	CLEANUP(template_outputs_clear) struct template_outputs outputs = { NULL, 0 };
	CLEANUP(freep) char *refused = NULL;
	struct error error = ERROR_INIT;
	struct transaction transaction;

	if (evaluate_all(work, &outputs, &error) < 0) {
		fail(stacks, stack, error.text);
		return;
	}
	if ((refused = exports_refused(stack, &outputs))) {
		fail(stacks, stack, refused);
		return;
	}
	transaction = stacks_begin(stacks);
	transaction_edit(&transaction, stack);
	take_outputs(stack, &outputs);
	stack_texts_clear(&stack->imports, &stack->import_count);
	for (size_t i = 0; i < work->import_count; i++)
		stack_texts_add(&stack->imports, &stack->import_count, work->imports[i].value);
	if (stack->status == STACK_CREATE_IN_PROGRESS) {
		stack_set_status(&transaction, stack, STACK_CREATE_COMPLETE, NULL);
	} else {
		stack_source_clear(&stack->previous);
		stack_set_status(&transaction, stack, STACK_UPDATE_CLEANUP, NULL);
		doom_rest(&transaction, stack);
	}
	work_forget(stacks, stack->resource.id);
	stacks_commit(stacks, &transaction);
}

static bool is_late(const struct stack *stack)
{
	return stack->status == STACK_CREATE_IN_PROGRESS && stack->timeout &&
	       stack->create_time + stack->timeout * 60 < stacks_now();
}

static bool step_forward(struct stacks *stacks, struct stack *stack)
{
	struct transaction transaction;
	struct error error = ERROR_INIT;
	struct work *work;
	bool busy, all = true;
	size_t begun;

	if (work_get(stacks, stack, &work, &error) < 0 || is_late(stack)) {
		fail(stacks, stack,
		     *error.text ? error.text
				 : "Stack creation time exceeded the "
				   "specified timeout.");
		return true;
	}
	if (advance_any(stacks, stack, &busy))
		return true;
	if (any_failed(stack)) {
		if (!busy)
			fail(stacks, stack, NULL);
		return !busy;
	}
	transaction = stacks_begin(stacks);
	for (size_t i = 0; i < template_resource_count(work->template); i++) {
		const struct template_resource *resource = template_resource_at(work->template, i);

		if (is_due(work, stack, resource))
			begin_row(&transaction, work, resource);
		all = all && (!evaluation_has(work->evaluation, resource->node) ||
			      is_complete(stack, resource->name));
	}
	begun = transaction.count;
	if (begun && stacks_commit(stacks, &transaction) < 0)
		return false;
	if (!begun && all)
		finish_forward(stacks, work, stack);
	return begun || all;
}

/* ---- back ---- */

static bool step_back(struct stacks *stacks, struct stack *stack)
{
	struct transaction transaction;
	bool busy;

	if (advance_any(stacks, stack, &busy))
		return true;
	if (busy)
		return false;
	transaction = stacks_begin(stacks);
	if (any_failed(stack)) {
		CLEANUP(freep) char *names = NULL;
		bool stuck = false;

		for_each_stack_resource(row, stack) stuck =
			stuck || (row->status == STACK_UPDATE_FAILED && row->target);
		if (stuck) {
			CLEANUP(freep) char *reason = NULL;

			names = failed_names(stack);
			reason = xasprintf("The following resource(s) failed to update: [%s].",
					   names);
			stack_set_status(&transaction, stack, STACK_UPDATE_ROLLBACK_FAILED, reason);
			return stacks_commit(stacks, &transaction) == 0;
		}
	}
	stack_set_status(&transaction, stack, STACK_UPDATE_ROLLBACK_CLEANUP, NULL);
	return stacks_commit(stacks, &transaction) == 0;
}

/* ---- removal ---- */

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
	for_each_stack_resource(other,
				stack) if (other != row && other->doomed && !row_is_gone(other) &&
					   list_has(other->dependencies, row->logical)) return true;
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

	for_each_stack_resource(row, stack) failed = failed || (row->doomed && !row_is_gone(row));
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

static bool step_removal(struct stacks *stacks, struct stack *stack)
{
	struct transaction transaction = stacks_begin(stacks);
	CLEANUP(freep) char *used = NULL;
	bool busy = false;

	if (stack->status == STACK_DELETE_IN_PROGRESS && (used = exports_used(stack))) {
		stack_set_status(&transaction, stack, STACK_DELETE_FAILED, used);
		return stacks_commit(stacks, &transaction) == 0;
	}
	for_each_stack_resource(row, stack) if (row->doomed && !row_is_gone(row) &&
						!is_leaving(row) && !gave_up(stack, row) &&
						!is_needed(stack, row))
		begin_removal(&transaction, stack, row);
	if (transaction.count)
		return stacks_commit(stacks, &transaction) == 0;
	for_each_stack_resource(row, stack) if (is_leaving(row))
	{
		busy = true;
		if (row_advance(stacks, row))
			return true;
	}
	if (!busy)
		finish_removal(stacks, stack);
	return !busy;
}

/* ---- turns ---- */

static bool step(struct stacks *stacks, struct stack *stack)
{
	switch (stack->status) {
	case STACK_CREATE_IN_PROGRESS:
	case STACK_UPDATE_IN_PROGRESS:
		return step_forward(stacks, stack);
	case STACK_UPDATE_ROLLBACK_IN_PROGRESS:
		return step_back(stacks, stack);
	default:
		work_forget(stacks, stack->resource.id);
		return step_removal(stacks, stack);
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
	return any;
}

static void on_turn(void *context)
{
	struct stacks *stacks = context;
	size_t count;
	bool any;

	stacks->timer = NULL;
	any = take_turn(stacks, &count);
	stacks->delay = any ? 0 : MIN(MAX(stacks->delay * 2, (uint64_t)DELAY_MIN), DELAY_MAX);
	if (count)
		arm(stacks, stacks->delay);
}

void stacks_hurry(struct stacks *stacks)
{
	const int64_t end = now_ms() + HURRY;
	size_t count;

	while (take_turn(stacks, &count) && now_ms() < end)
		;
}

bool stacks_concerned(const struct transaction *transaction)
{
	for_each_journal (entry, transaction) {
		const struct resource *resource = entry->after ? entry->after : entry->before;

		if (resource->id.kind == KIND_STACK || resource->id.kind == KIND_CHANGE_SET)
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
