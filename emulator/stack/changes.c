/*
 * What a change set would do. Values that come from what is to be made are not known yet: what
 * depends on them is compared as if they were different, and said to be conditional.
 */
#include "stack/internal.h"

static void detail_add(struct stack_change *change, const char *property, enum update update,
		       bool dynamic)
{
	static const char *const recreation[] = { [UPDATE_IN_PLACE] = "Never",
						  [UPDATE_INTERRUPTED] = "Conditionally",
						  [UPDATE_REPLACED] = "Always" };

	*array_grow(&change->details, &change->detail_count) = (struct stack_change_detail){
		.property = xstrdup(property),
		.recreation = xstrdup(recreation[update]),
		.dynamic = dynamic,
	};
}

/* Which properties differ, and what each alone would do. */
static void compare_each(struct stack_change *change, const struct type *type,
			 const struct node *before, const struct node *after, bool dynamic)
{
	for (int side = 0; side < 2; side++) {
		const struct node *from = side ? before : after, *to = side ? after : before;

		for (size_t i = 0; i < from->count; i++) {
			const char *key = from->items[i]->key;
			const struct node *other = node_get(to, key);
			CLEANUP(node_freep) struct node *alone = NULL;

			if (side ? other != NULL : other && node_equal(other, from->items[i]))
				continue;
			alone = node_new(NODE_MAP);
			for (size_t j = 0; j < before->count; j++)
				if (!streq(before->items[j]->key, key))
					node_add(alone, before->items[j]->key,
						 node_copy(before->items[j]));
			if (!side)
				node_add(alone, key, node_copy(from->items[i]));
			detail_add(change, key, type_compare(type, before, alone), dynamic);
		}
	}
}

static struct stack_change *change_add(struct change_set *set, const char *action,
				       const char *logical, const char *type)
{
	struct stack_change *change = array_grow(&set->changes, &set->change_count);

	change->action = xstrdup(action);
	change->logical = xstrdup(logical);
	change->type = xstrdup(type);
	return change;
}

/* One that is there already. */
static void modify(struct work *work, struct change_set *set,
		   const struct template_resource *resource, const struct stack_resource *row)
{
	CLEANUP(node_freep) struct node *before = node_of(row->properties);
	CLEANUP(node_freep) struct node *after = NULL;
	struct error ignored = ERROR_INIT;
	struct stack_change *change;
	enum update update;
	bool known;
	int r;

	work->unknown = false;
	r = evaluation_properties(work->evaluation, resource, &after, &ignored);
	known = !work->unknown;
	if (r == 0 && streq(row->type, resource->type) && node_equal(before, after))
		return;
	change = change_add(set, "Modify", resource->name, resource->type);
	change->physical = xstrdup_null(row->physical);
	update = !streq(row->type, resource->type) ? UPDATE_REPLACED
		 : r < 0			   ? UPDATE_INTERRUPTED
			 : type_compare(type_find(row->type), before, after);
	change->replacement = xstrdup(update != UPDATE_REPLACED ? "False"
				      : known			? "True"
								: "Conditional");
	if (r == 0 && streq(row->type, resource->type))
		compare_each(change, type_find(row->type), before, after, !known);
}

/* Dependencies first: what they become says what others become. */
static void visit(struct work *work, struct change_set *set, bool *seen, size_t at,
		  unsigned int depth)
{
	const struct template_resource *resource = template_resource_at(work->template, at);
	const struct stack_resource *row;

	if (seen[at] || depth > 64)
		return;
	seen[at] = true;
	for (size_t i = 0; i < resource->dependency_count; i++)
		for (size_t j = 0; j < template_resource_count(work->template); j++)
			if (streq(template_resource_at(work->template, j)->name,
				  resource->dependencies[i]))
				visit(work, set, seen, j, depth + 1);
	if (!evaluation_has(work->evaluation, resource->node))
		return;
	row = stack_resource_find(work_stack(work), resource->name);
	if (!row || row_is_gone(row))
		change_add(set, "Add", resource->name, resource->type);
	else
		modify(work, set, resource, row);
}

static void compare_all(struct work *work, struct change_set *set)
{
	CLEANUP(freep)
	bool *seen = xcalloc(template_resource_count(work->template) + 1, sizeof(*seen));
	const struct stack *stack = work_stack(work);

	for (size_t i = 0; i < template_resource_count(work->template); i++)
		visit(work, set, seen, i, 0);
	for_each_stack_resource (row, stack) {
		struct stack_change *change;

		if (row->superseded || row_is_gone(row) || work_resource(work, row->logical))
			continue;
		change = change_add(set, "Remove", row->logical, row->type);
		change->physical = xstrdup_null(row->physical);
	}
}

/* Only outputs or tags differ: that is an update too, with nothing in its list. */
static bool differs_otherwise(struct work *work, const struct stack *stack,
			      const struct change_set *set)
{
	CLEANUP(template_outputs_clear) struct template_outputs outputs = { NULL, 0 };
	struct error ignored = ERROR_INIT;

	if (set->source.tag_count != stack->source.tag_count)
		return true;
	for (size_t i = 0; i < set->source.tag_count; i++)
		if (!streq(set->source.tags[i].key, stack->source.tags[i].key) ||
		    !streq(set->source.tags[i].value, stack->source.tags[i].value))
			return true;
	if (evaluation_outputs(work->evaluation, &outputs, &ignored) < 0 ||
	    outputs.count != stack->output_count)
		return true;
	for (size_t i = 0; i < outputs.count; i++)
		if (!streq(outputs.items[i].name, stack->outputs[i].key) ||
		    !streq(outputs.items[i].value, stack->outputs[i].value) ||
		    !streq(outputs.items[i].description, stack->outputs[i].description) ||
		    !streq(outputs.items[i].export_name, stack->outputs[i].export_name))
			return true;
	return false;
}

static void set_failed(struct change_set *set, const char *reason)
{
	set->status = CHANGE_SET_FAILED;
	set->execution = CHANGE_SET_UNAVAILABLE;
	free(set->reason);
	set->reason = xstrdup(reason);
}

void changes_make(struct stacks *stacks, struct change_set *set)
{
	struct transaction transaction = stacks_begin(stacks);
	const struct stack *stack =
		(const struct stack *)model_get(stacks->options.model, NULL, set->stack);
	CLEANUP(work_freep) struct work *work = NULL;
	struct error error = ERROR_INIT;
	int r;

	transaction_edit(&transaction, set);
	r = work_open(stacks, stack, set, &work, &error);
	if (r < 0) {
		set_failed(set, error.text);
	} else {
		compare_all(work, set);
		set->status = CHANGE_SET_CREATE_COMPLETE;
		set->execution = CHANGE_SET_AVAILABLE;
		if (!set->change_count && !set->creates && !differs_otherwise(work, stack, set))
			set_failed(set, "The submitted information didn't contain changes. Submit "
					"different information to create a change set.");
	}
	stacks_commit(stacks, &transaction);
}
