/*
 * Lists of rules, compiled: one direction of what the groups of a group set say, or a subnet's ACL,
 * as elements of the subnet's skeleton. See filters.h for what V and R are. Pure: of the model
 * alone.
 */
#pragma once

#include "fabric/filters.h"
#include "model/acl.h"

struct compiled_list {
	uint64_t version;	     /* V: of what the list is and of its rules */
	struct object_list elements; /* all but the one that makes the list count */
	struct reference_list references;
};
void compiled_list_clear(struct compiled_list *list); /* for CLEANUP() too */

/* What any of the groups lets pass: the union of their rules. */
void compile_groups(const struct model *model, const struct group_set *set, bool egress,
		    struct compiled_list *ret);
/* What the first entry that fits says, by number. */
void compile_acl(const struct acl *acl, bool egress, struct rid subnet, struct compiled_list *ret);

/* An element without a key, and the numbers in keys and values as the kernel has them in registers.
 */
struct object element_in(struct rid ns, enum element_map map);
void put_number(uint8_t *bytes, uint32_t number);
void put_id(uint8_t *bytes, uint64_t id);
