/* The kernel held against the whole model: see audit.h. */
#include "fabric/audit.h"

#include <errno.h>
#include <stdio.h>

#include "fabric/internal.h"

void drift_list_clear(struct drift_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].why);
	freep(&list->items);
	list->count = 0;
}

/* What is wanted and what there is. */
struct sight {
	bool deep; /* insides of instances too */
	struct facet_set set;
	struct object_list *wanted; /* by facet */
	struct object_list want, have;
	struct object_list unseen; /* namespaces whose name doesn't lead to them … */
	struct map unseen_by_id; /* … rid → enum netns_state, as a pointer, which is not NULL */
	struct map dumped;	 /* rid → anything */
	/* Far ends in instances of ports that are not whole, and these instances. */
	struct object_list questioned;
	struct map asked;
};

static void sight_clear(struct sight *sight)
{
	if (sight->wanted)
		wanted_free(sight->wanted, sight->set.count);
	facet_set_clear(&sight->set);
	object_list_clear(&sight->want);
	object_list_clear(&sight->have);
	object_list_clear(&sight->unseen);
	object_list_clear(&sight->questioned);
	map_clear(&sight->unseen_by_id);
	map_clear(&sight->dumped);
	map_clear(&sight->asked);
}

static bool is_guest(struct rid ns)
{
	return ns.kind == KIND_INSTANCE || ns.kind == KIND_INTERNET_HOST;
}

static bool has_id(const struct map *map, struct rid id)
{
	return map_get(map, map_key_rid(id)) != NULL;
}

static struct object object_of(struct rid ns, enum object_kind kind)
{
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = kind;
	object.ns = ns;
	return object;
}

static struct object link_of(struct rid ns, const char *device)
{
	struct object link = object_of(ns, OBJECT_LINK);

	memcpy(link.link.name, device, strnlen(device, sizeof(link.link.name) - 1));
	return link;
}

static bool is_pair(const struct object *object)
{
	return object->kind == OBJECT_LINK && object->link.type == LINK_VETH;
}

/* A dump shows both ends of a pair, the wanted list names the far one within the near one. */
static struct object far_end(const struct object *near)
{
	struct object far = link_of(near->link.peer_ns, near->link.peer_name);

	far.link.type = LINK_VETH;
	far.link.mtu = near->link.mtu;
	far.link.mac = near->link.peer_mac;
	return far;
}

/* ---- looking ---- */

static int dump_one(const struct fabric *fabric, struct rid ns, struct sight *sight,
		    struct error *error)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };
	int r;

	if (map_put(&sight->dumped, map_key_rid(ns), sight))
		return 0;
	r = kernel_dump(fabric->kernel, ns, &objects, error);
	if (r == 0)
		object_list_append(&objects, 1, &sight->have);
	return r;
}

static int look_at_wanted(const struct fabric *fabric, struct sight *sight,
			  const struct object *netns, struct error *error)
{
	enum netns_state state;
	int r = kernel_check_netns(fabric->kernel, netns, &state, error);

	if (r < 0)
		return r;
	if (state != NETNS_THERE) {
		object_list_add(&sight->unseen, netns);
		map_put(&sight->unseen_by_id, map_key_rid(netns->ns),
			(void *)(uintptr_t)(1 + state));
		return 0;
	}
	object_list_add(&sight->have, netns);
	return sight->deep || !is_guest(netns->ns) ? dump_one(fabric, netns->ns, sight, error) : 0;
}

/* Names that the model knows and does not want; those it doesn't know are another world's. */
static int look_for_others(const struct fabric *fabric, struct sight *sight, struct error *error)
{
	CLEANUP(freep) const struct object **index = objects_sorted(&sight->want);
	CLEANUP(freep) struct rid *ids = NULL;
	size_t count;
	int r = kernel_list_netns(fabric->kernel, &ids, &count, error);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct object netns = object_of(ids[i], OBJECT_NETNS);

		if (model_get(fabric->model, NULL, ids[i]) &&
		    !objects_find(index, sight->want.count, &netns))
			object_list_add(&sight->have, &netns);
	}
	return r;
}

/* Devices that a wanted route by them is missing of, as links. */
static void find_lost_ways(const struct sight *sight, struct object_list *ret_devices)
{
	CLEANUP(freep) const struct object **index = objects_sorted(&sight->have);

	for (size_t i = 0; i < sight->want.count; i++) {
		const struct object *route = &sight->want.items[i], *found;
		struct object device;

		if (route->kind != OBJECT_ROUTE || !*route->route.device || is_guest(route->ns))
			continue;
		found = objects_find(index, sight->have.count, route);
		if (found && object_same(found, route))
			continue;
		device = link_of(route->ns, route->route.device);
		object_list_add(ret_devices, &device);
	}
}

/* Ports of instances that are not whole: then their insides have to be looked at. */
static int look_into_guests(const struct fabric *fabric, struct sight *sight, struct error *error)
{
	CLEANUP(freep) const struct object **index = objects_sorted(&sight->have), **lost = NULL;
	CLEANUP(freep) const struct object **doubtful = objects_sorted(&fabric->doubtful);
	CLEANUP(object_list_clear) struct object_list ways = { 0 };
	const size_t count = sight->have.count; /* it grows, and the index points into it */
	int r = 0;

	find_lost_ways(sight, &ways);
	lost = objects_sorted(&ways);
	for (size_t i = 0; i < sight->want.count; i++) {
		const struct object *near = &sight->want.items[i], *found;
		struct object far;

		if (!is_pair(near) || !is_guest(near->link.peer_ns) ||
		    has_id(&sight->unseen_by_id, near->ns) ||
		    has_id(&sight->unseen_by_id, near->link.peer_ns))
			continue;
		found = objects_find(index, count, near);
		if (found && object_same(found, near) && !objects_find(lost, ways.count, near) &&
		    !objects_find(doubtful, fabric->doubtful.count, near))
			continue;
		far = far_end(near);
		object_list_add(&sight->questioned, &far);
		map_put(&sight->asked, map_key_rid(far.ns), sight);
	}
	freep(&index);
	for (size_t i = 0; r == 0 && i < sight->questioned.count; i++)
		r = dump_one(fabric, sight->questioned.items[i].ns, sight, error);
	return r;
}

/* The sysctls of one namespace: `count` of them, one after the other. */
static int read_sysctls(const struct fabric *fabric, struct sight *sight,
			const struct object *const *sysctls, size_t count, struct error *error)
{
	CLEANUP(object_list_clear) struct object_list list = { 0 };
	const struct rid ns = sysctls[0]->ns;
	int r;

	if (has_id(&sight->unseen_by_id, ns) || (is_guest(ns) && !has_id(&sight->asked, ns)))
		return 0;
	for (size_t i = 0; i < count; i++)
		object_list_add(&list, sysctls[i]);
	r = kernel_read_sysctls(fabric->kernel, ns, &list, error);
	if (r == 0)
		object_list_append(&list, 1, &sight->have);
	return r;
}

static int look_at_sysctls(const struct fabric *fabric, struct sight *sight, struct error *error)
{
	CLEANUP(freep) const struct object **index = objects_sorted(&sight->want);
	size_t end;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sight->want.count; i = end) {
		for (end = i + 1; end < sight->want.count && index[end]->kind == index[i]->kind &&
				  rid_equal(index[end]->ns, index[i]->ns);)
			end++;
		if (index[i]->kind == OBJECT_SYSCTL)
			r = read_sysctls(fabric, sight, index + i, end - i, error);
	}
	return r;
}

static int look(const struct fabric *fabric, bool deep, struct sight *sight, struct error *error)
{
	int r = 0;

	*sight = (struct sight){ .deep = deep };
	sight->wanted = wanted_by_facet(fabric->model, fabric->filters, &sight->set);
	object_list_append(sight->wanted, sight->set.count, &sight->want);
	for (size_t i = 0; r == 0 && i < sight->want.count; i++)
		if (sight->want.items[i].kind == OBJECT_NETNS)
			r = look_at_wanted(fabric, sight, &sight->want.items[i], error);
	if (r == 0)
		r = look_for_others(fabric, sight, error);
	if (r == 0)
		r = look_into_guests(fabric, sight, error);
	if (r == 0)
		r = look_at_sysctls(fabric, sight, error);
	return r;
}

/* ---- whose is what ---- */

/* In an instance a thing is ours when it belongs to a port that is not whole. */
static bool is_in_question(const struct sight *sight, const struct object **questioned,
			   const struct object *object)
{
	struct object device;

	if (object->kind == OBJECT_SYSCTL)
		return has_id(&sight->asked, object->ns);
	device = link_of(object->ns, object_device(object));
	return objects_find(questioned, sight->questioned.count, &device) != NULL;
}

/* The device that an object is, or is about; "" for none. */
static struct object device_of(const struct object *object)
{
	static const char neighbours[] = "ipv4/neigh/";
	const char *name = object->kind == OBJECT_LINK ? object->link.name : object_device(object);
	char part[DEVICE_NAME_MAX];

	if (object->kind != OBJECT_SYSCTL ||
	    strncmp(object->sysctl.path, neighbours, strlen(neighbours)) != 0)
		return link_of(object->ns, name);
	snprintf(part, sizeof(part), "%.*s",
		 (int)strcspn(object->sysctl.path + strlen(neighbours), "/"),
		 object->sysctl.path + strlen(neighbours));
	return link_of(object->ns, part);
}

/* Pairs that can't be made now: where their far ends are to be has no name. */
static void find_impossible(const struct sight *sight, struct object_list *ret)
{
	for (size_t i = 0; i < sight->want.count; i++)
		if (is_pair(&sight->want.items[i]) &&
		    has_id(&sight->unseen_by_id, sight->want.items[i].link.peer_ns))
			object_list_add(ret, &sight->want.items[i]);
}

/* What is to be there as far as it is ours to say, and can be seen. */
static void choose_wanted(const struct sight *sight, struct object_list *ret)
{
	CLEANUP(freep) const struct object **questioned = objects_sorted(&sight->questioned);
	CLEANUP(freep) const struct object **never = NULL;
	CLEANUP(object_list_clear) struct object_list impossible = { 0 };

	find_impossible(sight, &impossible);
	never = objects_sorted(&impossible);

	for (size_t i = 0; i < sight->want.count; i++) {
		const struct object *object = &sight->want.items[i];
		const struct object device = device_of(object);

		if (!has_id(&sight->unseen_by_id, object->ns) &&
		    !objects_find(never, impossible.count, &device) &&
		    (object->kind == OBJECT_NETNS || !is_guest(object->ns) ||
		     is_in_question(sight, questioned, object)))
			object_list_add(ret, object);
	}
}

static bool is_unmarked(const struct object *object)
{
	return (object->kind == OBJECT_ADDRESS && object->address.unmarked) ||
	       (object->kind == OBJECT_NEIGHBOUR && object->neighbour.unmarked);
}

/* What may be too much: of what is in an instance, that which bears our mark. */
static void choose_removable(const struct sight *sight, struct object_list *ret)
{
	for (size_t i = 0; i < sight->have.count; i++) {
		const struct object *object = &sight->have.items[i];
		const bool is_lo =
			object->kind == OBJECT_LINK && object->link.type == LINK_LOOPBACK;

		/* "lo" does no harm where nobody needs it. */
		if (!is_lo && (!is_guest(object->ns) || object->kind == OBJECT_NETNS ||
			       (object->kind != OBJECT_LINK && object->kind != OBJECT_FOREIGN &&
				!is_unmarked(object))))
			object_list_add(ret, object);
	}
}

/* What may be there: all that is wanted, far ends, and what goes with the next sweeps. */
static void choose_allowed(const struct fabric *fabric, const struct sight *sight,
			   struct object_list *ret)
{
	object_list_append(&sight->want, 1, ret);
	object_list_append(&fabric->doomed, 1, ret);
	object_list_append(&fabric->superseded, 1, ret);
	for (size_t i = 0; i < sight->want.count; i++) {
		struct object far;

		if (!is_pair(&sight->want.items[i]))
			continue;
		far = far_end(&sight->want.items[i]);
		object_list_add(ret, &far);
	}
}

/* ---- broken pairs ---- */

/* The devices `gone`, and what is on them, are no more. */
static void drop_devices(struct object_list *have, const struct object_list *gone)
{
	CLEANUP(freep) const struct object **index = objects_sorted(gone);
	size_t kept = 0;

	for (size_t i = 0; i < have->count; i++) {
		const struct object *object = &have->items[i];
		const struct object device = device_of(object);

		if (!objects_find(index, gone->count, &device))
			have->items[kept++] = *object;
	}
	have->count = kept;
}

/* The object of that identity is there as it is wanted. */
static bool is_whole(const struct object **have, size_t count, const struct object *wanted)
{
	const struct object *found = objects_find(have, count, wanted);

	return found && object_same(found, wanted);
}

/* The bridge that a pair's near end is a port of is there, and up, as it is wanted. */
static bool has_bridge(const struct object **have, size_t count, const struct object **want,
		       size_t want_count, const struct object *near)
{
	const struct object key = link_of(near->ns, near->link.master);
	const struct object *bridge = objects_find(want, want_count, &key);

	return !*near->link.master || (bridge && is_whole(have, count, bridge));
}

/* An end of an instance's can't be judged, nor one in a namespace that can't be seen. */
static bool is_far_end_whole(const struct sight *sight, const struct object **have, size_t count,
			     const struct object *near)
{
	const struct object far = far_end(near);

	return is_guest(far.ns) || has_id(&sight->unseen_by_id, far.ns) ||
	       is_whole(have, count, &far);
}

/* Which end a broken pair is to be removed by; NULL for a whole one, or for none at all. */
static const struct object *broken_end(const struct sight *sight, const struct object **have,
				       const struct object **want, const struct object *near)
{
	const size_t count = sight->have.count;
	const struct object *end = objects_find(have, count, near);
	const struct object far = far_end(near);

	if (!end)
		return objects_find(have, count, &far);
	if (!object_same(end, near) || !is_far_end_whole(sight, have, count, near) ||
	    !has_bridge(have, count, want, sight->want.count, near))
		return end;
	return NULL;
}

/*
 * A pair of which one end is missing, down or otherwise changed, or whose bridge is, is made anew;
 * so what hangs on either end has to be put again: it counts as not there.
 */
static void drop_broken_pairs(struct sight *sight, struct change_list *changes)
{
	CLEANUP(freep) const struct object **have = objects_sorted(&sight->have);
	CLEANUP(freep) const struct object **want = objects_sorted(&sight->want);
	CLEANUP(object_list_clear) struct object_list gone = { 0 };

	for (size_t i = 0; i < sight->want.count; i++) {
		const struct object *near = &sight->want.items[i], *end;
		struct object far;

		if (!is_pair(near) || has_id(&sight->unseen_by_id, near->ns) ||
		    has_id(&sight->unseen_by_id, near->link.peer_ns))
			continue;
		end = broken_end(sight, have, want, near);
		if (!end)
			continue;
		change_list_add(changes, end, NULL);
		far = far_end(near);
		object_list_add(&gone, near);
		object_list_add(&gone, &far);
	}
	drop_devices(&sight->have, &gone);
}

/* A skeleton that is laid down anew has no elements. */
static void drop_elements_of_damaged(struct sight *sight)
{
	CLEANUP(freep) const struct object **want = objects_sorted(&sight->want);
	struct map damaged[SKELETON_MAX] = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < sight->have.count; i++) {
		const struct object *object = &sight->have.items[i];

		if (object->kind == OBJECT_SKELETON && !is_whole(want, sight->want.count, object))
			map_put(&damaged[object->skeleton.skeleton], map_key_rid(object->ns),
				sight);
	}
	for (size_t i = 0; i < sight->have.count; i++) {
		const struct object *object = &sight->have.items[i];

		if (object->kind != OBJECT_ELEMENT ||
		    !has_id(&damaged[skeleton_of(object->element.map)], object->ns))
			sight->have.items[kept++] = *object;
	}
	sight->have.count = kept;
	for (size_t i = 0; i < SKELETON_MAX; i++)
		map_clear(&damaged[i]);
}

/* ---- differences ---- */

static void add_drift(struct drift_list *list, const struct object *wanted,
		      const struct object *found)
{
	struct drift *drift = array_grow(&list->items, &list->count);

	drift->kind = !found ? DRIFT_MISSING : !wanted ? DRIFT_UNEXPECTED : DRIFT_DIFFERENT;
	drift->wanted = wanted ? *wanted : object_of((struct rid){ KIND_NONE, 0 }, OBJECT_NONE);
	drift->found = found ? *found : object_of((struct rid){ KIND_NONE, 0 }, OBJECT_NONE);
}

/* A far end that is missing with its pair is not told by itself. */
static void list_far_ends(const struct sight *sight, struct drift_list *list)
{
	CLEANUP(freep) const struct object **have = objects_sorted(&sight->have);

	for (size_t i = 0; i < sight->want.count; i++) {
		const struct object *near = &sight->want.items[i], *found;
		struct object far;

		if (!is_pair(near) || has_id(&sight->unseen_by_id, near->ns) ||
		    is_far_end_whole(sight, have, sight->have.count, near))
			continue;
		far = far_end(near);
		found = objects_find(have, sight->have.count, &far);
		if (found || objects_find(have, sight->have.count, near))
			add_drift(list, &far, found);
	}
}

static void list_changes(const struct change_list *changes, struct drift_list *list)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];

		add_drift(list, change->after.kind ? &change->after : NULL,
			  change->before.kind ? &change->before : NULL);
	}
}

static void list_names(const struct sight *sight, struct drift_list *list)
{
	for (size_t i = 0; i < sight->unseen.count; i++) {
		const struct object *netns = &sight->unseen.items[i], other = *netns;
		const void *state = map_get(&sight->unseen_by_id, map_key_rid(netns->ns));

		add_drift(list, netns, (uintptr_t)state == 1 + NETNS_OTHER ? &other : NULL);
	}
}

/* Deletions first, then what is missing or different, in the order in which it is to be made. */
static void compare(const struct fabric *fabric, const struct sight *sight,
		    struct change_list *changes)
{
	CLEANUP(object_list_clear) struct object_list want = { 0 }, allowed = { 0 };
	CLEANUP(object_list_clear) struct object_list removable = { 0 };

	choose_wanted(sight, &want);
	choose_removable(sight, &removable);
	choose_allowed(fabric, sight, &allowed);
	difference_delete(&(struct difference){ &removable, &allowed, 0, 0, false }, changes);
	difference_put(&(struct difference){ &sight->have, &want, 0, 0, false }, changes);
	drop_what_goes_anyway(changes);
}

static void list_differences(const struct fabric *fabric, const struct sight *sight,
			     struct drift_list *list)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };

	list_names(sight, list);
	list_far_ends(sight, list);
	compare(fabric, sight, &changes);
	list_changes(&changes, list);
}

int fabric_audit(struct fabric *fabric, struct drift_list *ret_list, struct error *error)
{
	CLEANUP(sight_clear) struct sight sight;
	int r = look(fabric, false, &sight, error);

	*ret_list = (struct drift_list){ 0 };
	if (r == 0)
		list_differences(fabric, &sight, ret_list);
	return r;
}

/* ---- mending ---- */

static struct change change_of_name(const struct sight *sight, size_t i)
{
	const struct object *netns = &sight->unseen.items[i];
	const void *state = map_get(&sight->unseen_by_id, map_key_rid(netns->ns));
	struct change change;

	memset(&change, 0, sizeof(change));
	change.after = *netns;
	if ((uintptr_t)state == 1 + NETNS_OTHER)
		change.before = *netns;
	return change;
}

static const struct object *subject_of(const struct drift *drift)
{
	return drift->wanted.kind ? &drift->wanted : &drift->found;
}

/* Why the change of `object` failed, for its difference. */
static void blame(struct drift_list *list, const struct object *object, const char *why)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i].why &&
		    object_compare_key(subject_of(&list->items[i]), object) == 0)
			list->items[i].why = xstrdup(why);
}

/* Names first: only then can be seen what is behind them. */
static int mend_names(const struct fabric *fabric, const struct sight *sight,
		      struct drift_list *list, bool strict, struct error *error)
{
	for (size_t i = 0; i < sight->unseen.count; i++) {
		const struct change change = change_of_name(sight, i);
		struct error cause = ERROR_INIT;
		int r = kernel_transact(fabric->kernel, &change, 1, &cause);

		/* An instance's goes with its last process, which may have just ended. */
		if (r < 0 && strict && !is_guest(change.after.ns)) {
			*error = cause;
			return r;
		}
		if (r < 0)
			blame(list, &change.after, cause.text);
	}
	return 0;
}

/* One by one, where they can't be made together. */
static void mend_singly(const struct fabric *fabric, const struct change_list *changes,
			struct drift_list *list)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->items[i];
		struct error cause = ERROR_INIT;

		if (kernel_transact(fabric->kernel, change, 1, &cause) < 0)
			blame(list, change->after.kind ? &change->after : &change->before,
			      cause.text);
	}
}

static int mend(struct fabric *fabric, struct sight *sight, struct drift_list *list, bool strict,
		struct error *error)
{
	CLEANUP(change_list_clear) struct change_list changes = { 0 };
	struct error cause = ERROR_INIT;
	int r = 0;

	drop_broken_pairs(sight, &changes);
	drop_elements_of_damaged(sight);
	compare(fabric, sight, &changes);
	if (changes.count)
		r = kernel_transact(fabric->kernel, changes.items, changes.count, &cause);
	if (r < 0 && strict)
		*error = cause;
	else if (r < 0)
		mend_singly(fabric, &changes, list);
	return strict ? r : 0;
}

/* Adds what `more` has and `list` has not; takes it over. */
static void merge(struct drift_list *list, struct drift_list *more)
{
	CLEANUP(object_list_clear) struct object_list known = { 0 };
	CLEANUP(freep) const struct object **index = NULL;

	for (size_t i = 0; i < list->count; i++)
		object_list_add(&known, subject_of(&list->items[i]));
	index = objects_sorted(&known);
	for (size_t i = 0; i < more->count; i++)
		if (!objects_find(index, known.count, subject_of(&more->items[i])))
			*array_grow(&list->items, &list->count) = more->items[i];
	freep(&more->items);
	more->count = 0;
}

/* What is mended is not found any more. */
static int judge(struct fabric *fabric, struct drift_list *list, struct error *error)
{
	CLEANUP(object_list_clear) struct object_list left = { 0 };
	CLEANUP(freep) const struct object **index = NULL;
	struct drift_list now = { 0 };
	int r = fabric_audit(fabric, &now, error);

	for (size_t i = 0; i < now.count; i++)
		object_list_add(&left, subject_of(&now.items[i]));
	merge(list, &now);
	index = objects_sorted(&left);
	for (size_t i = 0; r == 0 && i < list->count; i++)
		list->items[i].mended =
			!objects_find(index, left.count, subject_of(&list->items[i]));
	return r;
}

static int look_again(const struct fabric *fabric, struct sight *sight, struct drift_list *ret_list,
		      struct error *error)
{
	const bool deep = sight->deep;
	int r;

	sight_clear(sight);
	r = look(fabric, deep, sight, error);
	if (r == 0)
		list_differences(fabric, sight, ret_list);
	return r;
}

/*
 * What is made anew takes along what dumps don't tell belongs to it (the sysctls of a device, the
 * chains on it): that shows at the next look, and is no drift.
 */
#define LOOKS 4

/* Something that is not somebody else's. */
static bool has_mendable(const struct drift_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].found.kind != OBJECT_FOREIGN)
			return true;
	return false;
}

/* Nobody but who has made it knows what it is for. */
static void leave_foreign(struct drift_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].found.kind == OBJECT_FOREIGN)
			blame(list, &list->items[i].found, "it bears no mark of minivpc's");
}

static int look_and_mend(struct fabric *fabric, struct sight *sight, struct drift_list *list,
			 bool strict, struct error *error)
{
	struct drift_list more = { 0 };
	int r = 0;

	list_differences(fabric, sight, list);
	if (sight->unseen.count && ((r = mend_names(fabric, sight, list, strict, error)) < 0 ||
				    (r = look_again(fabric, sight, &more, error)) < 0))
		return r;
	merge(list, &more);
	for (int i = 0; r == 0 && i < LOOKS && has_mendable(i ? &more : list); i++) {
		drift_list_clear(&more);
		if ((r = mend(fabric, sight, list, strict, error)) == 0)
			r = look_again(fabric, sight, &more, error);
	}
	drift_list_clear(&more);
	leave_foreign(list);
	return r;
}

int fabric_repair(struct fabric *fabric, struct drift_list *ret_list, struct error *error)
{
	CLEANUP(sight_clear) struct sight sight;
	int r = look(fabric, false, &sight, error);

	*ret_list = (struct drift_list){ 0 };
	if (r == 0)
		r = look_and_mend(fabric, &sight, ret_list, false, error);
	if (r == 0 && ret_list->count)
		r = judge(fabric, ret_list, error);
	if (r < 0)
		drift_list_clear(ret_list);
	return r;
}

int fabric_reconcile(struct fabric *fabric, struct drift_list *ret_list, struct error *error)
{
	CLEANUP(sight_clear) struct sight sight;
	int r = look(fabric, true, &sight, error);

	*ret_list = (struct drift_list){ 0 };
	if (r == 0)
		r = look_and_mend(fabric, &sight, ret_list, true, error);
	if (r < 0) {
		drift_list_clear(ret_list);
		return r;
	}
	for (size_t i = 0; i < ret_list->count; i++)
		ret_list->items[i].mended = !ret_list->items[i].why;
	fabric_remember(fabric, &sight.set, sight.wanted);
	return 0;
}
