/* From the model to the kernel: see fabric.h. */
#include "fabric/fabric.h"

#include <errno.h>

#include "fabric/facet.h"

/* What a facet has in the kernel, as far as we know. */
struct applied {
	struct facet_key key;
	struct object_list objects;
};

/* The references that a subnet's lists have, as applied. */
struct applied_references {
	struct reference_list list;
};

struct fabric {
	struct kernel *kernel;
	const struct model *model;
	struct filters *filters;
	struct map applied;    /* facet → struct applied */
	struct map references; /* subnet → struct applied_references */
	uint64_t stamp;	       /* of what references are made of, as applied */
	/*
	 * Elements that nothing points at any more, but packets that were on their way may still
	 * ask for: what was superseded before the last sweep and since.
	 */
	struct object_list doomed, superseded;
};

struct change_list {
	struct change *items;
	size_t count;
};

static void change_list_clear(struct change_list *list)
{
	freep(&list->items);
	list->count = 0;
}

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
	filters_free(fabric->filters);
	free(fabric);
	return NULL;
}

/* ---- differences ---- */

static int compare_pointers(const void *a, const void *b)
{
	return object_compare_key(*(const struct object *const *)a,
				  *(const struct object *const *)b);
}

/* Pointers to a list's objects, sorted by identity, for look-ups. */
static const struct object **sorted(const struct object_list *list)
{
	const struct object **pointers = xcalloc(list->count, sizeof(const struct object *));

	for (size_t i = 0; i < list->count; i++)
		pointers[i] = &list->items[i];
	qsort(pointers, list->count, sizeof(*pointers), compare_pointers);
	return pointers;
}

static const struct object *find(const struct object **pointers, size_t count,
				 const struct object *object)
{
	const struct object **hit =
		bsearch(&object, pointers, count, sizeof(*pointers), compare_pointers);

	return hit ? *hit : NULL;
}

static void add_change(struct change_list *changes, const struct object *before,
		       const struct object *after)
{
	struct change *change = array_grow(&changes->items, &changes->count);

	if (before)
		change->before = *before;
	if (after)
		change->after = *after;
}

static void flatten(const struct object_list *lists, size_t count, struct object_list *ret)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < lists[i].count; j++)
			object_list_add(ret, &lists[i].items[j]);
}

/*
 * Two lists of the same are mostly alike: in their order all objects up to `first` pair off, and so
 * do the last `last`. Only those between have to be looked for; a large VPC's subnets have tens of
 * thousands of routes, of which one more subnet changes a few.
 */
struct difference {
	const struct object_list *have, *want;
	size_t first, last;
	bool differs; /* a pair does, in more than its names */
};

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

static struct difference difference_of(const struct object_list *have,
				       const struct object_list *want)
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

/* What is too much, from the last to the first. */
static void add_deletions(const struct difference *it, struct change_list *changes)
{
	const struct object_list have = middle(it->have, it), want = middle(it->want, it);
	CLEANUP(freep) const struct object **index = sorted(&want);

	for (size_t i = have.count; i-- > 0;)
		if (!find(index, want.count, &have.items[i]))
			add_change(changes, &have.items[i], NULL);
}

static void add_put(const struct object *old, const struct object *object,
		    struct change_list *changes)
{
	if (!old || !object_same(old, object))
		add_change(changes, old, object);
}

/* What is missing or different, from the first to the last. */
static void add_puts(const struct difference *it, struct change_list *changes)
{
	const struct object_list have = middle(it->have, it), want = middle(it->want, it);
	CLEANUP(freep) const struct object **index = sorted(&have);

	for (size_t i = 0; it->differs && i < it->first; i++)
		add_put(&it->have->items[i], &it->want->items[i], changes);
	for (size_t i = 0; i < want.count; i++)
		add_put(find(index, have.count, &want.items[i]), &want.items[i], changes);
	for (size_t i = it->last; it->differs && i-- > 0;)
		add_put(&it->have->items[it->have->count - 1 - i],
			&it->want->items[it->want->count - 1 - i], changes);
}

/* What a namespace holds goes with it: no need to take it apart first. */
static void drop_what_goes_anyway(struct change_list *changes)
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

static void free_lists(struct object_list *lists, size_t count)
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
	CLEANUP(freep) const struct object **index = sorted(settled);

	for (size_t i = 0; i < waiting->count; i++)
		if (!goes_later(fabric, &waiting->items[i]) &&
		    !find(index, settled->count, &waiting->items[i]))
			object_list_add(&stale, &waiting->items[i]);
	if (!stale.count)
		return;
	later = *changes;
	*changes = (struct change_list){ 0 };
	for (size_t i = 0; i < stale.count; i++)
		add_change(changes, &stale.items[i], NULL);
	for (size_t i = 0; i < later.count; i++)
		*array_grow(&changes->items, &changes->count) = later.items[i];
	freep(&index); /* it points into `settled` */
	flatten(&stale, 1, settled);
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

	flatten(&fabric->doomed, 1, &waiting);
	flatten(&fabric->superseded, 1, &waiting);
	index = sorted(&waiting);
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];
		const struct object *there;

		if (change->after.kind == OBJECT_NONE && goes_later(fabric, &change->before)) {
			object_list_add(superseded, &change->before);
			continue;
		}
		there = waiting.count && change->before.kind == OBJECT_NONE
				? find(index, waiting.count, &change->after)
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
	CLEANUP(freep) const struct object **index = sorted(what);
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++)
		if (!find(index, what->count, &from->items[i]))
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
			add_change(&changes, &fabric->doomed.items[i], NULL);
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
		add_deletions(&it[i], changes);
	for (size_t i = 0; i < set->count; i++)
		add_puts(&it[i], changes);
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
	free_lists(wanted, set->count);
	if (r < 0)
		return r;
	remember_all_references(fabric);
	if (settled.count) {
		take_out(&fabric->doomed, &settled);
		take_out(&fabric->superseded, &settled);
	}
	flatten(&superseded, 1, &fabric->superseded);
	return 0;
}

/* ---- the whole ---- */

static void wanted_by_facet(const struct model *model, struct filters *filters,
			    struct facet_set *set, struct object_list **ret_wanted)
{
	facets_all(model, set);
	if (set->count)
		qsort(set->keys, set->count, sizeof(*set->keys), compare_facets);
	*ret_wanted = xcalloc(set->count, sizeof(**ret_wanted));
	for (size_t i = 0; i < set->count; i++)
		facet_wanted(model, filters, set->keys[i], &(*ret_wanted)[i]);
}

void fabric_wanted(const struct model *model, struct object_list *ret_objects)
{
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };
	struct filters *filters = filters_new(model);
	struct object_list *wanted;

	wanted_by_facet(model, filters, &set, &wanted);
	flatten(wanted, set.count, ret_objects);
	free_lists(wanted, set.count);
	filters_free(filters);
}

static struct object netns_object(struct rid ns)
{
	struct object netns;

	memset(&netns, 0, sizeof(netns));
	netns.kind = OBJECT_NETNS;
	netns.ns = ns;
	return netns;
}

/* A namespace and what is in it. A name without a namespace behind it was cut short: it is stale.
 */
static int dump_one(const struct fabric *fabric, struct rid ns, struct object_list *ret,
		    struct object_list *stale, struct error *error)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };
	const struct object netns = netns_object(ns);
	int r = kernel_dump(fabric->kernel, ns, &objects, error);

	if (r < 0 && r != -ENOENT)
		return r;
	object_list_add(r == -ENOENT ? stale : ret, &netns);
	flatten(&objects, 1, ret);
	return 0;
}

/* The objects in namespaces that the model knows, whether it wants them or not. */
static int dump_known(const struct fabric *fabric, struct object_list *ret,
		      struct object_list *stale, struct error *error)
{
	CLEANUP(freep) struct rid *ids = NULL;
	size_t count;
	int r = kernel_list_netns(fabric->kernel, &ids, &count, error);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (model_get(fabric->model, NULL, ids[i])) /* else another world's */
			r = dump_one(fabric, ids[i], ret, stale, error);
	return r;
}

/* A dump shows both ends of a pair, the wanted list names the far one within the near one. */
static struct object far_end(const struct object *near)
{
	struct object far;

	memset(&far, 0, sizeof(far));
	far.kind = OBJECT_LINK;
	far.ns = near->link.peer_ns;
	far.link.type = LINK_VETH;
	memcpy(far.link.name, near->link.peer_name, sizeof(far.link.name));
	return far;
}

static void add_far_ends(const struct object_list *want, struct object_list *ret)
{
	flatten(want, 1, ret);
	for (size_t i = 0; i < want->count; i++) {
		struct object far;

		if (want->items[i].kind != OBJECT_LINK || want->items[i].link.type != LINK_VETH)
			continue;
		far = far_end(&want->items[i]);
		object_list_add(ret, &far);
	}
}

static void drop_device(struct object_list *have, struct rid ns, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < have->count; i++) {
		const struct object *object = &have->items[i];
		const char *device =
			object->kind == OBJECT_LINK ? object->link.name : object_device(object);

		if (!rid_equal(object->ns, ns) || !streq(device, name))
			have->items[kept++] = *object;
	}
	have->count = kept;
}

/* The bridge that a pair's near end is a port of, as it is now; NULL for none. */
static const struct object *bridge_of(const struct object **index, size_t count,
				      const struct object *near)
{
	struct object bridge;

	if (!*near->link.master)
		return NULL;
	memset(&bridge, 0, sizeof(bridge));
	bridge.kind = OBJECT_LINK;
	bridge.ns = near->ns;
	memcpy(bridge.link.name, near->link.master, sizeof(bridge.link.name));
	return find(index, count, &bridge);
}

/* The end by which a broken pair is to be removed; NULL for a whole one, or for none at all. */
static const struct object *broken_end(const struct object **index, size_t count,
				       const struct object *near)
{
	const struct object far = far_end(near);
	const struct object *end = find(index, count, near), *other = find(index, count, &far);
	const struct object *bridge = bridge_of(index, count, near);

	if (!end)
		return other;
	if (!other || other->link.down || end->link.down || (bridge && bridge->link.down))
		return end;
	return NULL;
}

/*
 * A pair of which one end is missing or down, or whose bridge is, is made anew; so what hangs on
 * either end has to be put again: it counts as not there.
 */
static void drop_broken_pairs(const struct object_list *want, struct object_list *have,
			      struct change_list *changes)
{
	CLEANUP(freep) const struct object **index = sorted(have);

	for (size_t i = 0; i < want->count; i++) {
		const struct object *near = &want->items[i], *end;
		struct object far;

		if (near->kind != OBJECT_LINK || near->link.type != LINK_VETH)
			continue;
		end = broken_end(index, have->count, near);
		if (!end)
			continue;
		far = far_end(near);
		add_change(changes, end, NULL);
		drop_device(have, near->ns, near->link.name);
		drop_device(have, far.ns, far.link.name);
		free(index);
		index = sorted(have);
	}
}

/* Dumps don't show everything: what they don't is put again each time, and mends nothing. */
static size_t count_visible(const struct change_list *changes)
{
	size_t count = 0;

	for (size_t i = 0; i < changes->count; i++) {
		const struct object *after = &changes->items[i].after;

		count += after->kind != OBJECT_SYSCTL &&
			 (after->kind != OBJECT_LINK || after->link.type != LINK_LOOPBACK);
	}
	return count;
}

int fabric_reconcile(struct fabric *fabric, size_t *ret_mended, struct error *error)
{
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };
	CLEANUP(object_list_clear) struct object_list have = { 0 }, want = { 0 };
	CLEANUP(object_list_clear) struct object_list allowed = { 0 }, stale = { 0 };
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct object_list *wanted;
	int r;

	wanted_by_facet(fabric->model, fabric->filters, &set, &wanted);
	flatten(wanted, set.count, &want);
	r = dump_known(fabric, &have, &stale, error);
	if (r == 0) {
		add_far_ends(&want, &allowed);
		drop_broken_pairs(&want, &have, &changes);
		add_deletions(&(struct difference){ &stale, &want, 0, 0, false }, &changes);
		add_deletions(&(struct difference){ &have, &allowed, 0, 0, false }, &changes);
		add_puts(&(struct difference){ &have, &want, 0, 0, false }, &changes);
		drop_what_goes_anyway(&changes);
		if (changes.count)
			r = kernel_transact(fabric->kernel, changes.items, changes.count, error);
	}
	for (size_t i = 0; r == 0 && i < set.count; i++)
		remember(fabric, set.keys[i], &wanted[i]);
	free_lists(wanted, set.count);
	if (r < 0)
		return r;
	remember_all_references(fabric);
	*ret_mended = count_visible(&changes);
	return 0;
}
