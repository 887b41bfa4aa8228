/*
 * Resource types: see type.h. The tables are in types_*.c; type_check.c and type_plan.c read their
 * rows; here is what becomes of a resource's properties, and of a change in them.
 */
#include "lab/type_table.h"

const char *const type_in_use[] = { "DependencyViolation", NULL };

/* ---- which types there are ---- */

static const struct type *const *const tables[] = {
	types_network, types_interface, types_vpc, types_instance, types_launch, types_played,
};

const struct type *type_at(size_t at)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct type *const *type = tables[i]; *type; type++)
			if (at-- == 0)
				return *type;
	return NULL;
}

const struct type *type_find(const char *name)
{
	const struct type *type;

	for (size_t i = 0; (type = type_at(i)); i++)
		if (streq(type->name, name))
			return type;
	return NULL;
}

const char *type_name(const struct type *type)
{
	return type->name;
}

bool type_is_played(const struct type *type)
{
	return type->played;
}

const struct type_states *type_states(const struct type *type)
{
	return &type->states;
}

static const struct attribute *attribute_find(const struct type *type, const char *name)
{
	for (const struct attribute *row = type->attributes; row && row->name; row++)
		if (streq(row->name, name))
			return row;
	return NULL;
}

bool type_has_attribute(const struct type *type, const char *attribute)
{
	return attribute && attribute_find(type, attribute);
}

const char *type_attribute(const struct type *type, const char *attribute)
{
	/* Ref is the physical id of every type here. */
	const struct attribute *row = attribute ? attribute_find(type, attribute) : NULL;

	return row ? row->path : NULL;
}

/* ---- creation ---- */

static void plan_items(struct plan *plan, const struct property *row, struct wording call,
		       const struct node *items);

/* What a creating call doesn't take. */
static void set_after(struct plan *plan, const struct property *rows, const struct node *map)
{
	for (; rows && rows->name; rows++) {
		const struct node *value = node_get(map, rows->name);

		if (!value || (rows->parameter && *rows->parameter) || !rows->parameter)
			continue;
		if (rows->adds.action)
			plan_items(plan, rows, rows->adds, value);
		else if (rows->change.action && !streq(value->text, rows->fallback))
			plan_call(plan, rows->change, rows, value)->retries =
				plan->type->change_retries;
		else if (rows->shape == SHAPE_STRUCTURE)
			set_after(plan, rows->members, value);
	}
}

int type_create(const struct type *type, const struct node *properties, const char *token,
		struct type_calls *ret_calls, struct error *error)
{
	struct type_calls calls = { NULL, 0 };
	struct plan plan = { .type = type, .after = properties, .token = token, .calls = &calls };
	int r = type_check_values(type, properties, error);

	if (r < 0)
		return r;
	plan_steps(&plan, type->create);
	if (calls.count)
		set_after(&plan, type->properties, properties);
	if (type->more_create)
		type->more_create(&plan);
	*ret_calls = calls;
	return 0;
}

/* ---- update ---- */

static bool has_item(const struct node *list, const struct node *item)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (node_equal(list->items[i], item))
			return true;
	return false;
}

static bool has_own_call(const struct property *row)
{
	return row->change.action || row->adds.action;
}

/* Is it what a call of one of the structure's members does? */
static bool is_set_by_members(const struct property *row)
{
	for (const struct property *member = row->members; member && member->name; member++)
		if (has_own_call(member))
			return row->shape == SHAPE_STRUCTURE;
	return false;
}

static bool is_changed(const struct property *row, const struct node *before,
		       const struct node *after)
{
	const struct node *old = node_get(before, row->name), *new = node_get(after, row->name);

	return old && new ? !node_equal(old, new) : old || new;
}

enum update type_compare(const struct type *type, const struct node *before,
			 const struct node *after)
{
	enum update most = UPDATE_IN_PLACE;

	for (const struct property *row = type->properties; row && row->name; row++) {
		if (!is_changed(row, before, after))
			continue;
		most = MAX(most, row->update);
		/* No call takes a value away: without one to put there it is another resource. */
		if (row->change.action && !row->fallback && !row->removes.action &&
		    !node_get(after, row->name))
			most = UPDATE_REPLACED;
	}
	return most;
}

/* Those of the list that the other has not; the caller frees it. */
static struct node *others_of(const struct node *list, const struct node *other)
{
	struct node *others = node_new(NODE_LIST);

	for (size_t i = 0; list && i < list->count; i++)
		if (!has_item(other, list->items[i]))
			node_add(others, NULL, node_copy(list->items[i]));
	return others;
}

static void plan_items(struct plan *plan, const struct property *row, struct wording call,
		       const struct node *items)
{
	const char *const *retries = plan->type->change_retries;

	if (!items->count)
		return;
	if (row->shape == SHAPE_LIST)
		plan_call(plan, call, row, items)->retries = retries;
	else
		for (size_t i = 0; i < items->count; i++)
			plan_call(plan, call, row, items->items[i])->retries = retries;
}

static void change_list(struct plan *plan, const struct property *row, const struct node *old,
			const struct node *new)
{
	CLEANUP(node_freep) struct node *gone = others_of(old, new);
	CLEANUP(node_freep) struct node *come = others_of(new, old);

	if (row->removes.action) {
		plan_items(plan, row, row->removes, gone);
		plan_items(plan, row, row->adds, come);
	} else if (gone->count || come->count) {
		plan_call(plan, row->adds, row, come)->retries = plan->type->change_retries;
		plan_words(plan, row->removes.words, row, gone);
	}
}

static void change(struct plan *plan, const struct property *row, const struct node *old,
		   const struct node *new)
{
	CLEANUP(node_freep) struct node *fallback = NULL;

	if (row->adds.action) {
		change_list(plan, row, old, new);
		return;
	}
	if (!new && row->removes.action) {
		plan_call(plan, row->removes, NULL, NULL)->retries = plan->type->change_retries;
		return;
	}
	if (!new)
		fallback = node_text_new(row->fallback ? row->fallback : "");
	plan_call(plan, row->change, row, new ? new : fallback)->retries =
		plan->type->change_retries;
}

/* Each of the rows that has a call of its own; returns whether others changed in place. */
static bool change_members(struct plan *plan, const struct property *rows,
			   const struct node *before, const struct node *after)
{
	bool others = false;

	for (; rows && rows->name; rows++) {
		const struct node *old = node_get(before, rows->name);
		const struct node *new = node_get(after, rows->name);

		if (rows->shape == SHAPE_TAGS || !is_changed(rows, before, after))
			continue;
		if (has_own_call(rows))
			change(plan, rows, old, new);
		else if (is_set_by_members(rows))
			others |= change_members(plan, rows->members, old, new);
		else
			others = true;
	}
	return others;
}

static const char *tag_value(const struct node *tags, const char *key)
{
	for (size_t i = 0; tags && i < tags->count; i++)
		if (streq(node_get_text(tags->items[i], "Key"), key))
			return node_get_text(tags->items[i], "Value");
	return NULL;
}

/* Those of `tags` that `other` lacks; with `values`, or has with another value. */
static struct node *tags_missing(const struct node *tags, const struct node *other, bool values)
{
	CLEANUP(node_freep) struct node *missing = node_new(NODE_LIST);

	for (size_t i = 0; tags && i < tags->count; i++) {
		const char *key = node_get_text(tags->items[i], "Key");
		const char *there = tag_value(other, key);

		if (!there || (values && !streq(there, node_get_text(tags->items[i], "Value"))))
			node_add(missing, NULL, node_copy(tags->items[i]));
	}
	return steal(&missing);
}

static void change_tags(struct plan *plan)
{
	const struct node *before = node_get(plan->before, "Tags");
	const struct node *after = node_get(plan->after, "Tags");
	CLEANUP(node_freep) struct node *gone = tags_missing(before, after, false);
	CLEANUP(node_freep) struct node *new = tags_missing(after, before, true);
	const bool looked_up = plan->type->tag_lookup.call.action;
	const char *words = looked_up ? "ResourceId.1={tagged}" : "ResourceId.1={id}";

	if (!plan->type->tags || (!gone->count && !new->count))
		return;
	if (looked_up)
		plan_step(plan, &plan->type->tag_lookup);
	if (gone->count) {
		plan_plain(plan, "DeleteTags", words);
		for (size_t i = 0; i < gone->count; i++)
			plan_parameter(plan, node_get_text(gone->items[i], "Key"), "Tag.%zu.Key",
				       i + 1);
	}
	if (new->count) {
		plan_plain(plan, "CreateTags", words);
		plan_tags(plan, "Tag", new);
	}
}

int type_update(const struct type *type, const char *id, const struct node *before,
		const struct node *after, struct type_calls *ret_calls, struct error *error)
{
	struct type_calls calls = { NULL, 0 };
	struct plan plan = {
		.type = type, .before = before, .after = after, .id = id, .calls = &calls
	};
	const bool interrupted = type_compare(type, before, after) == UPDATE_INTERRUPTED;
	int r = type_check_values(type, after, error);

	if (r < 0)
		return r;
	if (interrupted && type->stop.call.action)
		plan_step(&plan, &type->stop);
	if (type->first_update)
		type->first_update(&plan);
	if (change_members(&plan, type->properties, before, after))
		plan_steps(&plan, type->update);
	if (type->more_update)
		type->more_update(&plan);
	if (interrupted && type->start.call.action)
		plan_step(&plan, &type->start);
	change_tags(&plan);
	*ret_calls = calls;
	return 0;
}

/* ---- deletion, description ---- */

static void plan_list(const struct type *type, const char *id, const struct node *properties,
		      const struct step *steps, struct type_calls *ret_calls)
{
	struct type_calls calls = { NULL, 0 };
	struct plan plan = { .type = type, .after = properties, .id = id, .calls = &calls };

	plan_steps(&plan, steps);
	*ret_calls = calls;
}

int type_delete(const struct type *type, const char *id, const struct node *properties,
		struct type_calls *ret_calls, struct error *error)
{
	(void)error;
	plan_list(type, id, properties, type->delete, ret_calls);
	return 0;
}

int type_describe(const struct type *type, const char *id, const struct node *properties,
		  struct type_calls *ret_calls, struct error *error)
{
	(void)error;
	plan_list(type, id, properties, type->describe, ret_calls);
	return 0;
}
