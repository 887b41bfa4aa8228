/* What two lists of kernel objects differ in: see difference.h. */
#include "fabric/difference.h"

#include "base/map.h"

void change_list_clear(struct change_list *list)
{
	freep(&list->items);
	list->count = 0;
}

static int compare_pointers(const void *a, const void *b)
{
	return object_compare_key(*(const struct object *const *)a,
				  *(const struct object *const *)b);
}

const struct object **objects_sorted(const struct object_list *list)
{
	const struct object **pointers = xcalloc(list->count, sizeof(const struct object *));

	for (size_t i = 0; i < list->count; i++)
		pointers[i] = &list->items[i];
	qsort(pointers, list->count, sizeof(*pointers), compare_pointers);
	return pointers;
}

const struct object *objects_find(const struct object **pointers, size_t count,
				  const struct object *object)
{
	const struct object **hit =
		bsearch(&object, pointers, count, sizeof(*pointers), compare_pointers);

	return hit ? *hit : NULL;
}

void change_list_add(struct change_list *changes, const struct object *before,
		     const struct object *after)
{
	struct change *change = array_grow(&changes->items, &changes->count);

	if (before)
		change->before = *before;
	if (after)
		change->after = *after;
}

void object_list_append(const struct object_list *lists, size_t count, struct object_list *ret)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < lists[i].count; j++)
			object_list_add(ret, &lists[i].items[j]);
}

/* Whole objects first: they are compared for much less than their names. */
static bool pair_off(struct difference *it, const struct object *a, const struct object *b)
{
	if (memcmp(a, b, sizeof(*a)) == 0)
		return true;
	if (object_compare_key(a, b) != 0)
		return false;
	it->differs = true;
	return true;
}

struct difference difference_of(const struct object_list *have, const struct object_list *want)
{
	const size_t most = MIN(have->count, want->count);
	struct difference it = { have, want, 0, 0, false };

	while (it.first < most && pair_off(&it, &have->items[it.first], &want->items[it.first]))
		it.first++;
	while (it.last < most - it.first && pair_off(&it, &have->items[have->count - 1 - it.last],
						     &want->items[want->count - 1 - it.last]))
		it.last++;
	return it;
}

/* Those between, as a list that borrows. */
static struct object_list middle(const struct object_list *list, const struct difference *it)
{
	return (struct object_list){ list->items + it->first, list->count - it->first - it->last };
}

void difference_delete(const struct difference *it, struct change_list *changes)
{
	const struct object_list have = middle(it->have, it), want = middle(it->want, it);
	CLEANUP(freep) const struct object **index = objects_sorted(&want);

	for (size_t i = have.count; i-- > 0;)
		if (!objects_find(index, want.count, &have.items[i]))
			change_list_add(changes, &have.items[i], NULL);
}

static void add_put(const struct object *old, const struct object *object,
		    struct change_list *changes)
{
	if (!old || !object_same(old, object))
		change_list_add(changes, old, object);
}

void difference_put(const struct difference *it, struct change_list *changes)
{
	const struct object_list have = middle(it->have, it), want = middle(it->want, it);
	CLEANUP(freep) const struct object **index = objects_sorted(&have);

	for (size_t i = 0; it->differs && i < it->first; i++)
		add_put(&it->have->items[i], &it->want->items[i], changes);
	for (size_t i = 0; i < want.count; i++)
		add_put(objects_find(index, have.count, &want.items[i]), &want.items[i], changes);
	for (size_t i = it->last; it->differs && i-- > 0;)
		add_put(&it->have->items[it->have->count - 1 - i],
			&it->want->items[it->want->count - 1 - i], changes);
}

void drop_what_goes_anyway(struct change_list *changes)
{
	struct map gone = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < changes->count; i++)
		if (changes->items[i].before.kind == OBJECT_NETNS &&
		    changes->items[i].after.kind == OBJECT_NONE)
			map_put(&gone, map_key_rid(changes->items[i].before.ns), changes);
	for (size_t i = 0; i < changes->count && gone.count; i++) {
		const struct change *change = &changes->items[i];

		if (change->after.kind == OBJECT_NONE && change->before.kind != OBJECT_NETNS &&
		    map_get(&gone, map_key_rid(change->before.ns)))
			continue;
		changes->items[kept++] = *change;
	}
	if (gone.count)
		changes->count = kept;
	map_clear(&gone);
}
