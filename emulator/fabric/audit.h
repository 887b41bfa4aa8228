/*
 * The kernel held against the whole model: what differs, and mending it. One comparison serves the
 * start of a daemon, `minivpc audit` and its repair.
 *
 * What is in the network namespace of an instance, or of a host of the Internet, is its root's own,
 * as a machine's insides are: addresses, routes and devices in there are not looked at. Its ports
 * are, outside of it; one whose making was cut short, or that was taken away, is made whole on both
 * ends. That shows by the ways of its addresses, the last that is put (wanted.c, want_way()).
 */
#pragma once

#include "fabric/fabric.h"

enum drift_kind {
	DRIFT_MISSING,
	DRIFT_UNEXPECTED,
	DRIFT_DIFFERENT,
};

/* One difference. */
struct drift {
	enum drift_kind kind;
	struct object wanted; /* OBJECT_NONE: nothing is */
	struct object found;  /* OBJECT_NONE: nothing was */
	bool mended;
	char *why; /* it was not, in the kernel's words; owned, NULL: nobody tried */
};

struct drift_list {
	struct drift *items;
	size_t count;
};
void drift_list_clear(struct drift_list *list); /* for CLEANUP() too */

/*
 * Lists what differs and changes nothing. Of a namespace whose name leads nowhere, or elsewhere,
 * nothing more is told: what is in it shows when it has its name again.
 */
int fabric_audit(struct fabric *fabric, struct drift_list *ret_list, struct error *error);
/*
 * Lists and mends what differs: what is missing is made, what is different is made anew, what is
 * too much in a namespace of ours is removed. What can't be mended is told in the list and is no
 * failure. Whoever needs a namespace's process (instances) has adopted or started it before.
 */
int fabric_repair(struct fabric *fabric, struct drift_list *ret_list, struct error *error);
/*
 * The same for a daemon that starts: all is looked at, insides of instances too, for what a call
 * that was cut short has left there; and what can't be mended is a failure.
 */
int fabric_reconcile(struct fabric *fabric, struct drift_list *ret_list, struct error *error);
