/* Combinations of groups: see group_set.h. */
#include "model/group_set.h"

#include "base/hash.h"

/* The caller frees the array. */
static struct rid *sorted_groups(const struct interface *interface, size_t *ret_count)
{
	struct rid *groups = xcalloc(interface->group_count, sizeof(*groups));
	size_t count = 0;

	for (size_t i = 0; i < interface->group_count; i++)
		groups[i] = interface->groups[i].id;
	if (interface->group_count)
		qsort(groups, interface->group_count, sizeof(*groups), rid_compare);
	for (size_t i = 0; i < interface->group_count; i++)
		if (!count || !rid_equal(groups[count - 1], groups[i]))
			groups[count++] = groups[i];
	*ret_count = count;
	return groups;
}

static struct rid id_of(struct rid subnet, const struct rid *groups, size_t count)
{
	uint64_t hash = hash_number(HASH_START, subnet.n);

	for (size_t i = 0; i < count; i++)
		hash = hash_number(hash, groups[i].n);
	return (struct rid){ KIND_GROUP_SET, hash };
}

struct rid group_set_id(const struct interface *interface)
{
	size_t count;
	CLEANUP(freep) struct rid *groups = sorted_groups(interface, &count);

	return id_of(interface->subnet, groups, count);
}

const struct group_set *group_set_get(const struct model *model, struct rid id)
{
	return map_get(&model->group_sets, map_key_rid(id));
}

bool group_set_has(const struct group_set *set, struct rid group)
{
	for (size_t i = 0; i < set->group_count; i++)
		if (rid_equal(set->groups[i], group))
			return true;
	return false;
}

void group_set_enter(struct model *model, const struct interface *interface)
{
	size_t count;
	struct rid *groups = sorted_groups(interface, &count);
	struct rid id = id_of(interface->subnet, groups, count);
	struct group_set *set = map_get(&model->group_sets, map_key_rid(id));

	if (set) {
		free(groups);
		set->interface_count++;
		return;
	}
	set = xcalloc(1, sizeof(*set));
	*set = (struct group_set){
		.id = id,
		.subnet = interface->subnet,
		.vpc = interface->vpc,
		.groups = groups,
		.group_count = count,
		.interface_count = 1,
	};
	map_put(&model->group_sets, map_key_rid(id), set);
	model->changes[KIND_GROUP_SET]++;
}

static void set_free(struct group_set *set)
{
	free(set->groups);
	free(set);
}

void group_set_leave(struct model *model, const struct interface *interface)
{
	struct rid id = group_set_id(interface);
	struct group_set *set = map_get(&model->group_sets, map_key_rid(id));

	if (!set || --set->interface_count)
		return;
	map_take(&model->group_sets, map_key_rid(id));
	set_free(set);
	model->changes[KIND_GROUP_SET]++;
}

void group_sets_clear(struct model *model)
{
	map_for_each (&model->group_sets, slot)
		set_free(slot->value);
	map_clear(&model->group_sets);
}
