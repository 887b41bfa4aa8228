/*
 * Network namespaces as files in /run/netns, the way `ip netns` keeps them, and the only code that
 * enters one: to open a socket or to write a sysctl, and straight back. `home` is a descriptor of
 * the namespace to come back to; not coming back ends the program, for the next call would change
 * the wrong namespace.
 */
#pragma once

#include "base/error.h"
#include "base/id.h"

#include <sys/types.h>

/*
 * Makes /run/netns fit for namespaces: a private mount, so that nothing of ours spreads to other
 * mount namespaces and an `ip netns add` that comes later covers nothing of ours.
 */
int netns_prepare(struct error *error);
/* Undoes netns_prepare() when no namespace, of anybody, is left. Best effort. */
void netns_sweep(void);

/*
 * The namespace of a process (`pid`), or that of a descriptor (`known`), or a new one (0 and -1),
 * under the name of `id`. One that is there already is fine (*ret_made false) unless it is not that
 * one: -EEXIST.
 */
int netns_put(int home, struct rid id, pid_t pid, int known, bool *ret_made, struct error *error);
/* Whether it is there: 0; -EEXIST for another one, -ENOENT for none. */
int netns_inspect(struct rid id, pid_t pid, int known, struct error *error);
/* Takes the name away; the namespace itself goes with its last user. */
int netns_delete(struct rid id, bool *ret_deleted, struct error *error);

/* A descriptor of the namespace; -ENOENT when there is none of that name. */
int netns_open(struct rid id);
/* Whether `fd` is still what netns_open() would give. */
bool netns_is(struct rid id, int fd);
/* From here on the thread is in the namespace `fd`, until netns_leave(), which never fails: it
 * aborts. 0 or -errno. */
int netns_enter(int fd);
void netns_leave(int home);
/* A netlink socket in the namespace `fd`; or -errno. */
int netns_socket(int home, int fd, int protocol);
/*
 * A packet socket in the namespace of `id`, which receives nothing until it is bound to a protocol.
 * For a process that is no daemon: opens `home` itself. -ENOENT when there is no such namespace,
 * without a text; else -errno with one.
 */
int netns_packet_socket(struct rid id, struct error *error);
/* In the namespace already: the number in /proc/sys/net/`path`, or -errno. */
int netns_read_sysctl(const char *path, int32_t *ret_value);
/* Writes /proc/sys/net/`path` of the namespace `fd` unless the value is there already. */
int netns_sysctl(int home, int fd, const char *path, int32_t value, int32_t *ret_old);

/* See kernel_list_netns(). */
int netns_list(struct rid **ret_ids, size_t *ret_count, struct error *error);
