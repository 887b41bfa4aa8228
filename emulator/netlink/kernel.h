/*
 * The kernel boundary: the only room that speaks to libmnl and libnftnl. Three verbs:
 * transact, dump, watch (watch comes when somebody needs it). fake.c implements this header in
 * memory for tests/plan.
 */
#pragma once

#include "netlink/object.h"

struct kernel;

/* One step: absent→present (put), present→absent (delete), or present→present (replace). */
struct change {
	struct object before; /* kind OBJECT_NONE: nothing is there yet */
	struct object after;  /* kind OBJECT_NONE: remove `before` */
};

/*
 * Makes a handle; opens nothing in any namespace and changes nothing yet. Needs CAP_SYS_ADMIN and
 * CAP_NET_ADMIN. /run/netns is made with the first namespace, as a mount of our own when it is
 * none, and goes with the last.
 */
int kernel_open(struct kernel **ret_kernel, struct error *error);
struct kernel *kernel_close(struct kernel *kernel); /* NULL is fine; always NULL */
void kernel_closep(struct kernel **kernel);

/*
 * Applies the changes in their order. Idempotent: putting what is there already (and is the same)
 * and deleting what is gone are successes; putting over something different under the same name is
 * an error (-EEXIST). All or nothing: when one fails, those before it are undone in reverse and the
 * error carries the object's description and the kernel's own words (errno and NLMSGERR_ATTR_MSG).
 *
 * Changes to one namespace that follow each other share a system call, and an nftables batch: it
 * pays to order them so. Removed links go together, before the next thing is put. Removed
 * namespaces go last of all, for they can't be brought back; a world that goes down altogether
 * needs no other deletions.
 *
 * Undoing the removal of a link brings back the link, not what the kernel removed with it
 * (addresses, routes): remove that first, in the same transaction. A link known by a dump alone has
 * no peer, so its removal can't be undone. "lo", once up, stays up.
 */
int kernel_transact(struct kernel *kernel, const struct change *changes, size_t count,
		    struct error *error);

/*
 * Everything of ours in one namespace, in the form the wanted objects have: links ("lo" if it is
 * up), addresses (not on "lo" 127.0.0.0/8 and ::1, no IPv6 link-local ones, not on devices of kinds
 * that we don't make), routes of ROUTE_PROTOCOL, permanent neighbours, static FDB entries of bridge
 * ports that are not the port's own
 * ("permanent"), the skeleton, elements. -ENOENT when the namespace does not exist. Fails loudly:
 * an interrupted or refused dump is never a short list.
 */
int kernel_dump(struct kernel *kernel, struct rid ns, struct object_list *ret_objects,
		struct error *error);

/* The namespaces of ours that have a file in /run/netns: every name that is a well-formed id of a
 * kind that owns namespaces. The caller decides by its store which are its own. */
int kernel_list_netns(struct kernel *kernel, struct rid **ret_ids, size_t *ret_count,
		      struct error *error);

/*
 * What dumps don't show: each of these sysctls of one namespace gets the value that it has now;
 * those that there are not are taken out of the list. -ENOENT when the namespace does not exist.
 */
int kernel_read_sysctls(struct kernel *kernel, struct rid ns, struct object_list *sysctls,
			struct error *error);

enum netns_state {
	NETNS_THERE,
	NETNS_MISSING, /* no namespace has that name */
	NETNS_OTHER,   /* another one has */
};

/*
 * Whether the name of a wanted OBJECT_NETNS leads to that namespace: the process's, or the one that
 * this handle has made or has found here first. It holds on to those until it removes them: taken
 * away by somebody else, they live on, and putting or replacing the object brings the name back.
 */
int kernel_check_netns(struct kernel *kernel, const struct object *netns,
		       enum netns_state *ret_state, struct error *error);

/* Removes our mount on /run/netns where nothing is in there: a removal of namespaces may have been
 * cut short before. */
void kernel_sweep(struct kernel *kernel);

/* What a namespace tracks. -ENOENT when it does not exist. */
int kernel_connections(struct kernel *kernel, struct rid ns, struct connection_counts *ret_counts,
		       struct error *error);
/*
 * What a subnet's namespace has dropped, by port and reason; a day after the last packet a counter
 * is forgotten. The caller frees ret_drops->items. -ENOENT when the namespace does not exist.
 */
int kernel_drops(struct kernel *kernel, struct rid ns, struct drop_list *ret_drops,
		 struct error *error);
