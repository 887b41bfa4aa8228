/*
 * Security groups and network ACLs as elements of the subnet's skeleton (netlink/skeleton_subnet.c
 * has the rules that look them up).
 *
 * A list is one direction of the groups of a group set, or of a subnet's ACL. Its elements carry V,
 * a number made of what the list is and of its rules, so a changed list is a wholly new one beside
 * the old; one element ("egress", "ingress", "acl") says which V counts. So a change is: put the
 * new list's elements, turn that one element over, and later, when no packet can be on its way
 * between two look-ups any more, remove the old ones (fabric.h). A packet sees the old list or the
 * new one.
 *
 * References to groups don't become elements for each rule and member: R is a number made of a set
 * of groups, and every interface with one of these groups has its address under R in the namespaces
 * whose lists use R. Launching a member adds elements, and no list changes.
 */
#pragma once

#include "fabric/classifier.h"
#include "model/group_set.h"
#include "netlink/object.h"

/* What R stands for. */
struct reference {
	uint64_t id; /* R */
	struct rid *groups;
	size_t group_count;
};

struct reference_list {
	struct reference *items; /* owned, by id, each once */
	size_t count;
};
void reference_list_clear(struct reference_list *list); /* for CLEANUP() too */
/* Appends a copy, unless it has that one. */
void reference_list_add(struct reference_list *list, const struct reference *reference);
/* Appends copies of what `ret` does not have. */
void reference_list_copy(const struct reference_list *list, struct reference_list *ret);
const struct reference *reference_find(const struct reference_list *list, uint64_t id);
/* Whether the interface carries one of its groups. */
bool reference_has(const struct reference *reference, const struct interface *interface);

/* Keeps what it compiled for as long as the model's rules stay the same. */
struct filters;
struct filters *filters_new(const struct model *model);
struct filters *filters_free(struct filters *filters); /* always NULL */

/* It changes with everything that references are made of. */
uint64_t filters_stamp(const struct model *model);
/* The references in the lists of a subnet; good until the model changes. */
const struct reference_list *filters_references(struct filters *filters, struct rid subnet);

/*
 * The elements of each facet, appended. An interface's are there as long as it is, with or without
 * a port: so a launch of many puts them together, and before anything is routed.
 */
void filters_want_group_set(struct filters *filters, struct rid id, struct object_list *list);
void filters_want_acl(struct filters *filters, struct rid subnet, struct object_list *list);
void filters_want_member(struct filters *filters, struct rid interface, struct object_list *list);
void filters_want_interface(struct filters *filters, struct rid interface,
			    struct object_list *list);
/* By what the kernel's counters know an interface: see struct drop_counter. */
uint32_t filters_port_id(struct rid interface);
/* The device group of its port: its primary address, unique in the subnet. */
uint32_t filters_port_group(const struct interface *interface);

/* True for an element of a list, which packets on their way may still ask for when the list is no
 * more. */
bool filters_is_versioned(const struct object *object);
