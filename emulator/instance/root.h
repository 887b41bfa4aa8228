/*
 * What the disks of a world's instances are made of, in mount namespaces of the launcher's own.
 * Nothing of it is ever seen in the namespace that the caller came from.
 *
 *	host's /      idmapped, read-only      layers/0/host
 *	   |          read as nobody           layers/0/inner   only what is everybody's
 *	   +- mask    what is hidden or fresh  layers/0/mask    see mask.h
 *	       |
 *	  an instance's own tmpfs              disks/i-…        see disk.h
 *
 * Rights are the kernel's to judge, at each access: an overlay asks them of a file beneath it for
 * whoever mounted it. The inner one is nobody's, without any capability over files. So root in an
 * instance owns what root owns here, may change all of it on its own disk, and reads what any user
 * of this machine can read, whenever that was written.
 */
#pragma once

#include "base/error.h"

#include <limits.h>

#define ROOT_IDS 65536u /* an instance's own, from 0 */

#define ROOT_WORLD  "/world"
#define ROOT_LAYERS ROOT_WORLD "/layers"
#define ROOT_DISKS  ROOT_WORLD "/disks"
#define ROOT_IMAGES ROOT_WORLD "/images" /* see image.h */

#define ROOT_LAYERS_MAX 8 /* file systems that the machine's own is put together from */

struct root_options {
	const char *const *hidden; /* ends in NULL; directories that don't exist are fine */
	const char *pin;	   /* where the world's mounts are kept; NULL: nowhere */
	uint32_t first_id;	   /* the host's id of an instance's root */
	bool alone;		   /* that is the only id an instance has: see alone.h */
};

struct root {
	int disks; /* the mount namespace with the layers and all disks; the caller is in it */
	int bare;  /* the one that inits get a copy of: next to nothing */
	int host;  /* where the caller came from, to pin; -1: pinned, or nowhere to pin */
	char pin[PATH_MAX];
	uint32_t first_id;
	bool shifted; /* the root's own layer: it can't be idmapped, see shift.h */
	bool alone;   /* as in the options */
	size_t layer_count;
	char at[ROOT_LAYERS_MAX][PATH_MAX]; /* below the root: "" or "/home" */
};

/*
 * Leaves the caller's mount namespace for the world's: the one pinned at `pin` if an earlier
 * launcher left one, or else a new one, staged. Containers' and removable file systems are no part
 * of the root, nor what can't be idmapped, unless it is all of it; what is in `hidden`, /dev,
 * /proc, /run, /sys and /tmp is not seen. Needs every capability.
 */
int root_stage(const struct root_options *options, struct root *ret_root, struct error *error);

/* Keeps the world's mounts beyond the caller's life, until `pin` is unmounted; once. System calls
 * only. Returns negative with errno set. */
int root_pin(struct root *root);

/*
 * Unmounts all that is mounted at `path`, a place in the world's mounts, and removes its directory;
 * gone is fine. Tried again once, as nobody may come back to it before the next start. The caller's
 * directory is / then, that nothing is held by it. System calls only. Returns negative with errno
 * set.
 */
int root_vacate(const char *path);

/* A user namespace that nobody is in, for the mapping of an instance's ids alone; of 0, that is the
 * only one. The caller closes it. Returns 0 or a negative errno. */
int root_mapping(uint32_t first_id, int *ret_fd);
