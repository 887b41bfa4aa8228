/*
 * The in-memory kernel's other side, for tests: linked in place of the real one, it keeps the rules
 * that a plan can break (parents exist, names are taken once, what goes takes its dependents along)
 * and no others.
 */
#pragma once

#include "netlink/kernel.h"

/*
 * The change number `k`, counted from 0 over this and later transactions, fails once with `sys` (a
 * positive errno).
 */
void fake_fail_at(struct kernel *kernel, size_t k, int sys);
/* From now on nobody can put that object, ENOBUFS; NULL: all can be. Borrowed. */
void fake_refuse(struct kernel *kernel, const struct object *object);
/* An object that is there becomes this one, by somebody else's hand. */
void fake_set(struct kernel *kernel, const struct object *object);
/* Everything in a namespace, "lo", sysctls and the ends of pairs included; empty when there is
 * none. */
void fake_list(struct kernel *kernel, struct rid ns, struct object_list *ret_objects);
bool fake_has_netns(struct kernel *kernel, struct rid ns);
/* Calls of kernel_transact() and the changes in them, failed ones too. */
size_t fake_transactions(const struct kernel *kernel);
size_t fake_changes(const struct kernel *kernel);
