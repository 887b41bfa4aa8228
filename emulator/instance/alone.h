/*
 * Instances without ids of their own: where the daemon is root of a user namespace alone, as after
 * `unshare -Urnm`, which has one id, or few. The machine's files have owners that are nobody there;
 * an overlay of them could be written by nobody. So an instance sees its programs, read-only, and
 *has the rest of its disk to itself:
 *
 *	/usr             the machine's, read-only            layers/0/bound
 *	/bin, /lib …     links as they are there, or the same
 *	/etc             a copy of what everybody may read   layers/0/host
 *
 * Whoever reads in there is the user who serves: nothing else of the machine's is in sight, for
 *that one's own files would be an instance's to read.
 */
#pragma once

#include "base/error.h"

#include <limits.h>

#define ALONE_BOUND "bound"

enum {
	ALONE_BOUND_MAX = 8,
	ALONE_DEVICES_MAX = 8,
};

/* What is taken along from the host's mounts; -1: isn't there. */
struct alone {
	int root, etc, proc;
	int bound[ALONE_BOUND_MAX], devices[ALONE_DEVICES_MAX];
};

/* Whether the caller's user namespace lacks any of these ids. */
bool alone_lacks(uint32_t first, uint32_t count);

/* In the host's mounts. `devices` are names in its /dev, `count` of them. The caller closes,
 * whatever came of it. */
int alone_take(struct alone *ret_alone, const char *const devices[], size_t count,
	       struct error *error);
void alone_close(struct alone *alone);

/* In a layer's own directory: makes "host" and "bound" there. */
int alone_fill(const struct alone *alone, struct error *error);

/* Mounts what is at `bound` below a disk's root; system calls only. Returns negative with errno
 * set. */
int alone_bind(const char *bound, const char *disk);
