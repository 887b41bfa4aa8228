/*
 * Forward and back: what a template has is made or changed, dependencies first; when something
 * fails, it goes the way that the stack says. See engine.c.
 */
#include "stack/internal.h"

/* ---- names of what failed ---- */

char *failed_names(const struct stack *stack)
{
	struct buffer names = BUFFER_INIT;

	for_each_stack_resource (row, stack)
		if (row->status == STACK_CREATE_FAILED || row->status == STACK_UPDATE_FAILED ||
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
	for_each_stack_resource (row, stack)
		doom(transaction, row);
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
	for_each_stack_resource (row, stack)
		undo_row(transaction, stack, row);
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

/* What its template says of it besides its properties. */
static void describe_row(const struct work *work, const struct template_resource *resource,
			 struct stack_resource *row)
{
	free(row->dependencies);
	row->dependencies = work_dependencies(work, resource);
	set_text(&row->deletion_policy, xstrdup_null(resource->deletion_policy));
	set_text(&row->replace_policy, xstrdup_null(resource->update_replace_policy));
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
	for_each_stack_resource (row, stack) {
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
	for_each_stack_resource (row, stack)
		if (has_failed(row) && row->generation == stack->generation)
			return true;
	return false;
}

/* What still waits when something else has failed is not waited for. */
static void cancel_all(struct stacks *stacks, const struct stack *stack)
{
	struct transaction transaction = stacks_begin(stacks);

	for_each_stack_resource (row, stack) {
		const bool changes =
			row->phase == STACK_PHASE_CHANGE || row->phase == STACK_PHASE_STEADY;

		if (row->phase == STACK_PHASE_NONE)
			continue;
		transaction_edit(&transaction, row);
		row->phase = STACK_PHASE_NONE;
		stack_resource_set_status(
			&transaction, row, changes ? STACK_UPDATE_FAILED : STACK_CREATE_FAILED,
			changes ? "Resource update cancelled" : "Resource creation cancelled");
	}
	stacks_commit(stacks, &transaction);
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
	for_each_stack_resource (row, stack)
		if (row->superseded || row->generation != stack->generation)
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
		stack_set_status(&transaction, stack, STACK_UPDATE_CLEANUP, NULL);
		doom_rest(&transaction, stack);
		for_each_stack_resource (row, stack)
			if (!row->doomed)
				row_retag(&transaction, row);
		stack_source_clear(&stack->previous);
	}
	work_forget(stacks, stack->resource.id);
	stacks_commit(stacks, &transaction);
}

static bool is_late(const struct stack *stack)
{
	return stack->status == STACK_CREATE_IN_PROGRESS && stack->timeout &&
	       stack->create_time + stack->timeout * 60 < stacks_now();
}

bool stack_forward(struct stacks *stacks, struct stack *stack)
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
		if (busy)
			cancel_all(stacks, stack);
		else
			fail(stacks, stack, NULL);
		return true;
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

bool stack_back(struct stacks *stacks, struct stack *stack)
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

		for_each_stack_resource (row, stack)
			stuck = stuck || (row->status == STACK_UPDATE_FAILED && row->target);
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
