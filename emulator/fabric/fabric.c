/* From the model to the kernel: see fabric.h. */
#include "fabric/internal.h"

#include <errno.h>

static struct map_key applied_key(struct facet_key key)
{
	return (struct map_key){ (uint64_t)key.kind << 32 | key.id.kind, key.id.n };
}

struct fabric *fabric_new(struct kernel *kernel, const struct model *model)
{
	struct fabric *fabric = xcalloc(1, sizeof(*fabric));

	fabric->kernel = kernel;
	fabric->model = model;
	fabric->filters = filters_new(model);
	return fabric;
}

struct fabric *fabric_free(struct fabric *fabric)
{
	if (!fabric)
		return NULL;
	map_for_each (&fabric->applied, slot) {
		struct applied *applied = slot->value;

		object_list_clear(&applied->objects);
		free(applied);
	}
	map_for_each (&fabric->references, slot) {
		struct applied_references *references = slot->value;

		reference_list_clear(&references->list);
		free(references);
	}
	map_clear(&fabric->applied);
	map_clear(&fabric->references);
	object_list_clear(&fabric->doomed);
	object_list_clear(&fabric->superseded);
	object_list_clear(&fabric->doubtful);
	filters_free(fabric->filters);
	free(fabric);
	return NULL;
}

/* ---- applying ---- */

static int compare_facets(const void *a, const void *b)
{
	return (int)((const struct facet_key *)a)->kind - (int)((const struct facet_key *)b)->kind;
}

static const struct object_list *applied_objects(const struct fabric *fabric, struct facet_key key)
{
	static const struct object_list nothing = { NULL, 0 };
	const struct applied *applied = map_get(&fabric->applied, applied_key(key));

	return applied ? &applied->objects : &nothing;
}

/* Takes `objects` over. */
static void remember(struct fabric *fabric, struct facet_key key, struct object_list *objects)
{
	struct applied *applied = map_take(&fabric->applied, applied_key(key));

	if (applied) {
		object_list_clear(&applied->objects);
		freep(&applied);
	}
	if (!objects->count)
		return;
	applied = xcalloc(1, sizeof(*applied));
	applied->key = key;
	applied->objects = *objects;
	*objects = (struct object_list){ NULL, 0 };
	map_put(&fabric->applied, applied_key(key), applied);
}

void wanted_free(struct object_list *lists, size_t count)
{
	for (size_t i = 0; i < count; i++)
		object_list_clear(&lists[i]);
	free(lists);
}

void fabric_touched(const struct transaction *transaction, struct facet_set *set)
{
	for_each_journal (entry, transaction) {
		if (entry->before)
			facets_of(transaction->model, entry->before, set);
		if (entry->after)
			facets_of(transaction->model, entry->after, set);
	}
}

/* ---- references ---- */

static const struct reference_list *wanted_references(const struct fabric *fabric, struct rid id)
{
	static const struct reference_list nothing = { NULL, 0 };
	const struct subnet *subnet = subnet_get(fabric->model, id);

	return subnet && subnet->realized ? filters_references(fabric->filters, id) : &nothing;
}

static struct applied_references *applied_references(struct fabric *fabric, struct rid subnet)
{
	struct applied_references *references = map_get(&fabric->references, map_key_rid(subnet));

	if (!references) {
		references = xcalloc(1, sizeof(*references));
		map_put(&fabric->references, map_key_rid(subnet), references);
	}
	return references;
}

static void each_subnet(struct fabric *fabric,
			void (*function)(struct fabric *, struct rid, struct facet_set *),
			struct facet_set *set)
{
	for (size_t i = 0; i < fabric->model->scope_count; i++)
		for_each_resource (struct subnet, subnet, fabric->model->scopes[i], KIND_SUBNET)
			function(fabric, subnet->resource.id, set);
}

static void touch_members(struct fabric *fabric, struct rid subnet, struct facet_set *set)
{
	facets_of_references(fabric->model, subnet, &applied_references(fabric, subnet)->list,
			     wanted_references(fabric, subnet), set);
}

static void remember_references(struct fabric *fabric, struct rid subnet,
				struct facet_set *set __attribute__((unused)))
{
	struct applied_references *references = applied_references(fabric, subnet);

	reference_list_clear(&references->list);
	reference_list_copy(wanted_references(fabric, subnet), &references->list);
}

static void forget_gone_subnets(struct fabric *fabric)
{
	CLEANUP(freep) struct rid *gone = NULL;
	size_t count = 0;

	map_for_each (&fabric->references, slot) {
		struct rid subnet = { (enum kind)slot->key.a, slot->key.b };

		if (!subnet_get(fabric->model, subnet))
			*array_grow(&gone, &count) = subnet;
	}
	for (size_t i = 0; i < count; i++) {
		struct applied_references *references =
			map_take(&fabric->references, map_key_rid(gone[i]));

		reference_list_clear(&references->list);
		free(references);
	}
}

/* What the kernel has now is what the model wants. */
static void remember_all_references(struct fabric *fabric)
{
	if (fabric->stamp == filters_stamp(fabric->model))
		return;
	each_subnet(fabric, remember_references, NULL);
	forget_gone_subnets(fabric);
	fabric->stamp = filters_stamp(fabric->model);
}

/* ---- what goes later ---- */

static bool goes_later(struct fabric *fabric, const struct object *object)
{
	uint64_t reference;

	if (filters_is_versioned(object))
		return true;
	if (object->kind != OBJECT_ELEMENT || object->element.map != ELEMENT_MEMBER)
		return false;
	/* A member of what is still asked for has left: at once. */
	memcpy(&reference, object->element.key, sizeof(reference));
	return !reference_find(wanted_references(fabric, object->ns), reference);
}

/*
 * Members of what nobody asked for any more: if it is asked for again, those that have left in the
 * meantime must be gone before. They go to `settled`.
 */
static void remove_stale_members(struct fabric *fabric, const struct object_list *waiting,
				 struct change_list *changes, struct object_list *settled)
{
	CLEANUP(change_list_clear) struct change_list later = { 0 };
	CLEANUP(object_list_clear) struct object_list stale = { 0 };
	CLEANUP(freep) const struct object **index = objects_sorted(settled);

	for (size_t i = 0; i < waiting->count; i++)
		if (!goes_later(fabric, &waiting->items[i]) &&
		    !objects_find(index, settled->count, &waiting->items[i]))
			object_list_add(&stale, &waiting->items[i]);
	if (!stale.count)
		return;
	later = *changes;
	*changes = (struct change_list){ 0 };
	for (size_t i = 0; i < stale.count; i++)
		change_list_add(changes, &stale.items[i], NULL);
	for (size_t i = 0; i < later.count; i++)
		*array_grow(&changes->items, &changes->count) = later.items[i];
	freep(&index); /* it points into `settled` */
	object_list_append(&stale, 1, settled);
}

/*
 * Takes out of the changes the removal of what may still be asked for (to `superseded`), and the
 * making of what is still there (to `settled`), which at most changes.
 */
static void put_off(struct fabric *fabric, struct change_list *changes,
		    struct object_list *superseded, struct object_list *settled)
{
	CLEANUP(object_list_clear) struct object_list waiting = { 0 };
	CLEANUP(freep) const struct object **index = NULL;
	size_t kept = 0;

	object_list_append(&fabric->doomed, 1, &waiting);
	object_list_append(&fabric->superseded, 1, &waiting);
	index = objects_sorted(&waiting);
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];
		const struct object *there;

		if (change->after.kind == OBJECT_NONE && goes_later(fabric, &change->before)) {
			object_list_add(superseded, &change->before);
			continue;
		}
		there = waiting.count && change->before.kind == OBJECT_NONE
				? objects_find(index, waiting.count, &change->after)
				: NULL;
		if (there)
			object_list_add(settled, there);
		if (there && object_same(there, &change->after))
			continue;
		changes->items[kept] = *change;
		if (there)
			changes->items[kept].before = *there;
		kept++;
	}
	changes->count = kept;
	if (waiting.count)
		remove_stale_members(fabric, &waiting, changes, settled);
}

static void take_out(struct object_list *from, const struct object_list *what)
{
	CLEANUP(freep) const struct object **index = objects_sorted(what);
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++)
		if (!objects_find(index, what->count, &from->items[i]))
			from->items[kept++] = from->items[i];
	from->count = kept;
}

struct place {
	struct change change;
	size_t index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;
	const struct object *x =
		left->change.after.kind ? &left->change.after : &left->change.before;
	const struct object *y =
		right->change.after.kind ? &right->change.after : &right->change.before;

	if (x->ns.n != y->ns.n)
		return x->ns.n < y->ns.n ? -1 : 1;
	return left->index < right->index ? -1 : 1;
}

static bool is_element(const struct change *change)
{
	return change->before.kind == OBJECT_ELEMENT || change->after.kind == OBJECT_ELEMENT;
}

/*
 * An interface has elements in many namespaces, and each turn from one to another ends a batch of
 * netlink's. Elements of different namespaces don't depend on each other: each one's stay in order.
 */
static void order_elements(struct change_list *changes)
{
	CLEANUP(freep) struct place *places = xcalloc(changes->count, sizeof(*places));
	size_t end;

	for (size_t start = 0; start < changes->count; start = end) {
		for (end = start; end < changes->count && is_element(&changes->items[end]); end++)
			places[end] = (struct place){ changes->items[end], end };
		if (end > start)
			qsort(places + start, end - start, sizeof(*places), compare_places);
		for (size_t i = start; i < end; i++)
			changes->items[i] = places[i].change;
		end += end == start;
	}
}

bool fabric_needs_sweep(const struct fabric *fabric)
{
	return fabric->doomed.count || fabric->superseded.count;
}

int fabric_sweep(struct fabric *fabric, struct error *error)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	int r = 0;

	/* What was in a namespace that is gone, is gone. */
	for (size_t i = 0; i < fabric->doomed.count; i++)
		if (subnet_get(fabric->model, fabric->doomed.items[i].ns))
			change_list_add(&changes, &fabric->doomed.items[i], NULL);
	if (changes.count)
		r = kernel_transact(fabric->kernel, changes.items, changes.count, error);
	if (r < 0)
		return r;
	object_list_clear(&fabric->doomed);
	fabric->doomed = fabric->superseded;
	fabric->superseded = (struct object_list){ 0 };
	return 0;
}

/* ---- the change ---- */

static void add_differences(const struct fabric *fabric, const struct facet_set *set,
			    const struct object_list *wanted, struct change_list *changes)
{
	CLEANUP(freep) struct difference *it = xcalloc(set->count, sizeof(*it));

	for (size_t i = 0; i < set->count; i++)
		it[i] = difference_of(applied_objects(fabric, set->keys[i]), &wanted[i]);
	for (size_t i = set->count; i-- > 0;)
		difference_delete(&it[i], changes);
	for (size_t i = 0; i < set->count; i++)
		difference_put(&it[i], changes);
}

static void doubt(struct fabric *fabric, const struct change_list *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];

		if (change->before.kind == OBJECT_LINK && !change->after.kind)
			object_list_add(&fabric->doubtful, &change->before);
	}
}

int fabric_apply(struct fabric *fabric, struct facet_set *set, struct error *error)
{
	CLEANUP(object_list_clear) struct object_list superseded = { 0 }, settled = { 0 };
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct object_list *wanted;
	int r;

	if (fabric->stamp != filters_stamp(fabric->model))
		each_subnet(fabric, touch_members, set);
	wanted = xcalloc(set->count, sizeof(*wanted));
	if (set->count)
		qsort(set->keys, set->count, sizeof(*set->keys), compare_facets);
	for (size_t i = 0; i < set->count; i++)
		facet_wanted(fabric->model, fabric->filters, set->keys[i], &wanted[i]);
	add_differences(fabric, set, wanted, &changes);
	drop_what_goes_anyway(&changes);
	put_off(fabric, &changes, &superseded, &settled);
	order_elements(&changes);
	r = changes.count ? kernel_transact(fabric->kernel, changes.items, changes.count, error)
			  : 0;
	for (size_t i = 0; r == 0 && i < set->count; i++)
		remember(fabric, set->keys[i], &wanted[i]);
	wanted_free(wanted, set->count);
	if (r < 0) {
		doubt(fabric, &changes);
		return r;
	}
	remember_all_references(fabric);
	if (settled.count) {
		take_out(&fabric->doomed, &settled);
		take_out(&fabric->superseded, &settled);
	}
	object_list_append(&superseded, 1, &fabric->superseded);
	return 0;
}

/* ---- the whole ---- */

struct object_list *wanted_by_facet(const struct model *model, struct filters *filters,
				    struct facet_set *set)
{
	struct object_list *wanted;

	facets_all(model, set);
	if (set->count)
		qsort(set->keys, set->count, sizeof(*set->keys), compare_facets);
	wanted = xcalloc(set->count, sizeof(*wanted));
	for (size_t i = 0; i < set->count; i++)
		facet_wanted(model, filters, set->keys[i], &wanted[i]);
	return wanted;
}

void fabric_remember(struct fabric *fabric, const struct facet_set *set, struct object_list *wanted)
{
	for (size_t i = 0; i < set->count; i++)
		remember(fabric, set->keys[i], &wanted[i]);
	remember_all_references(fabric);
	object_list_clear(&fabric->doubtful);
}
