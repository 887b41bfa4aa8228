/* The model's container and its transactions: see model.h. */
#include "model/model.h"

#include "model/group.h"
#include "model/group_set.h"

const struct field tag_fields[] = {
	FIELD_OF(struct tag, key, FIELD_TEXT, "key", NULL, FIELD_BOTH),
	FIELD_OF(struct tag, value, FIELD_TEXT, "value", NULL, FIELD_BOTH),
	FIELD_END,
};

struct resource *resource_new(enum kind kind, struct rid id)
{
	struct resource *resource = xcalloc(1, resource_type(kind)->size);

	resource->id = id;
	return resource;
}

void resource_free(struct resource *resource)
{
	if (!resource)
		return;
	fields_free_owned(resource_type(resource->id.kind)->fields, resource);
	free(resource);
}

static struct resource *resource_copy(const struct resource *resource)
{
	const struct resource_type *type = resource_type(resource->id.kind);
	struct resource *copy = xmemdup(resource, type->size);

	fields_copy_owned(type->fields, copy);
	return copy;
}

static void index_resource(struct model *model, struct resource *resource, bool add)
{
	const struct resource_type *type = resource_type(resource->id.kind);

	if (type->index)
		type->index(model, resource, add);
}

/* The place of `order` in the list: nearly always its end. */
static size_t place(const struct resource_list *list, int64_t order)
{
	size_t low = 0, high = list->count;

	if (high == 0 || list->items[high - 1]->order < order)
		return high;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (list->items[middle]->order < order)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void model_insert(struct model *model, struct scope *scope, struct resource *resource)
{
	struct resource_list *list = &scope->lists[resource->id.kind];
	size_t position = place(list, resource->order);

	array_grow(&list->items, &list->count);
	memmove(list->items + position + 1, list->items + position,
		(list->count - 1 - position) * sizeof(*list->items));
	list->items[position] = resource;
	resource->scope = scope;
	model->next_order = MAX(model->next_order, resource->order + 1);
	map_put(&model->resources, map_key_rid(resource->id), resource);
	index_resource(model, resource, true);
}

static void withdraw(struct model *model, struct resource *resource)
{
	struct resource_list *list = &resource->scope->lists[resource->id.kind];

	index_resource(model, resource, false);
	map_take(&model->resources, map_key_rid(resource->id));
	array_remove(list->items, &list->count, place(list, resource->order));
}

void model_clear(struct model *model)
{
	map_for_each (&model->usage, slot)
		free(slot->value);
	map_for_each (&model->group_rules, slot)
		group_rules_free(slot->value);
	group_sets_clear(model);
	map_for_each (&model->resources, slot)
		resource_free(slot->value);
	for (size_t i = 0; i < model->scope_count; i++) {
		for (size_t kind = 0; kind < KIND_MAX; kind++)
			free(model->scopes[i]->lists[kind].items);
		free(model->scopes[i]);
	}
	free(model->scopes);
	map_clear(&model->resources);
	map_clear(&model->addresses);
	map_clear(&model->usage);
	map_clear(&model->group_rules);
	map_clear(&model->publics);
	map_clear(&model->elastic_ips);
	*model = (struct model){ 0 };
}

struct scope *model_scope(struct model *model, const char *account, const char *region)
{
	struct scope *scope;

	for (size_t i = 0; i < model->scope_count; i++) {
		scope = model->scopes[i];
		if (streq(scope->account, account) && streq(scope->region, region))
			return scope;
	}
	scope = xcalloc(1, sizeof(*scope));
	strncpy(scope->account, account, sizeof(scope->account) - 1);
	strncpy(scope->region, region, sizeof(scope->region) - 1);
	*array_grow(&model->scopes, &model->scope_count) = scope;
	return scope;
}

struct resource *model_get(const struct model *model, const struct scope *scope, struct rid id)
{
	struct resource *resource = map_get(&model->resources, map_key_rid(id));

	return resource && (!scope || resource->scope == scope) ? resource : NULL;
}

struct transaction transaction_begin(struct model *model, int64_t now)
{
	return (struct transaction){ .model = model, .now = now };
}

static struct journal_entry *journal(struct transaction *transaction, struct resource *before,
				     struct resource *after)
{
	struct journal_entry *entry = array_grow(&transaction->entries, &transaction->count);

	entry->before = before;
	entry->after = after;
	return entry;
}

void *transaction_create(struct transaction *transaction, struct scope *scope, enum kind kind)
{
	struct resource *resource = resource_new(kind, rid_new(kind));

	resource->order = transaction->model->next_order++;
	resource->journalled = true;
	transaction->model->changes[kind]++;
	model_insert(transaction->model, scope, resource);
	journal(transaction, NULL, resource);
	return resource;
}

void *transaction_edit(struct transaction *transaction, void *object)
{
	struct resource *resource = object;

	transaction->model->changes[resource->id.kind]++;
	if (!resource->journalled) {
		journal(transaction, resource_copy(resource), resource);
		resource->journalled = true;
	}
	return resource;
}

/* The journal keeps the state before the transaction; what was only made in it leaves no trace. */
void transaction_delete(struct transaction *transaction, void *object)
{
	struct resource *resource = object;

	withdraw(transaction->model, resource);
	transaction->model->changes[resource->id.kind]++;
	for_each_journal (entry, transaction) {
		if (entry->after != resource)
			continue;
		entry->after = NULL;
		resource_free(resource);
		return;
	}
	journal(transaction, resource, NULL);
}

static void restore(struct model *model, struct journal_entry *entry)
{
	const struct resource_type *type;
	struct resource *before;

	if (entry->before || entry->after)
		model->changes[(entry->after ? entry->after : entry->before)->id.kind]++;
	if (!entry->after) { /* deleted */
		if (!entry->before)
			return;
		before = steal(&entry->before);
		before->journalled = false;
		model_insert(model, before->scope, before);
		return;
	}
	if (!entry->before) { /* created */
		withdraw(model, entry->after);
		resource_free(entry->after);
		return;
	}
	/* Changed: the struct goes back in place, so pointers to it stay good. */
	type = resource_type(entry->after->id.kind);
	index_resource(model, entry->after, false);
	fields_free_owned(type->fields, entry->after);
	memcpy(entry->after, entry->before, type->size);
	free(steal(&entry->before));
	index_resource(model, entry->after, true);
}

void transaction_rollback(struct transaction *transaction)
{
	for (size_t i = transaction->count; i-- > 0;)
		restore(transaction->model, &transaction->entries[i]);
	free(transaction->entries);
	*transaction = transaction_begin(transaction->model, transaction->now);
}

void transaction_commit(struct transaction *transaction)
{
	for_each_journal (entry, transaction) {
		if (entry->after)
			entry->after->journalled = false;
		resource_free(entry->before);
	}
	free(transaction->entries);
	*transaction = transaction_begin(transaction->model, transaction->now);
}

const char *resource_tag(const struct resource *resource, const char *key)
{
	for (size_t i = 0; i < resource->tag_count; i++)
		if (streq(resource->tags[i].key, key))
			return resource->tags[i].value;
	return NULL;
}
