/*
 * The security groups that interfaces carry, as combinations: the interfaces of one subnet with the
 * same groups are filtered alike, and there are far fewer combinations than interfaces. Kept by the
 * interfaces' index; nothing of it is stored.
 */
#pragma once

#include "model/interface.h"

struct group_set {
	struct rid
		id; /* KIND_GROUP_SET: of the subnet and the groups, so the same after a restart */
	struct rid subnet, vpc;
	struct rid *groups; /* sorted, each once */
	size_t group_count;
	size_t interface_count;
};

/* The set an interface belongs to; also for a copy that is no longer in the model. */
struct rid group_set_id(const struct interface *interface);
/* NULL when no interface carries it. */
const struct group_set *group_set_get(const struct model *model, struct rid id);
bool group_set_has(const struct group_set *set, struct rid group);

#define for_each_group_set(set, model)                                                             \
	map_for_each (&(model)->group_sets, slot_##set)                                            \
		for (const struct group_set *set = slot_##set->value; set; set = NULL)

/* For the index. */
void group_set_enter(struct model *model, const struct interface *interface);
void group_set_leave(struct model *model, const struct interface *interface);
void group_sets_clear(struct model *model);
