/*
 * The root that instances share: this machine's own file system, read-only, in the caller's own
 * mount namespace. Nothing of it is ever seen in the namespace the caller came from.
 */
#pragma once

#include "base/error.h"

struct root {
	/* those of the parts of /proc to protect that this kernel has; static texts */
	const char *read_only[9];
	size_t read_only_count;
};

/*
 * Leaves the caller's mount namespace for a private copy of it that holds as few mounts as
 * possible, since every clone copies them all: what is mounted on /proc, /sys, /dev, /run and /tmp
 * is gone (instances mount their own), and so are containers' and removable file systems. `hidden`
 * (ends in NULL; directories that don't exist are fine) appear empty. Needs CAP_SYS_ADMIN and
 * CAP_MKNOD.
 */
int root_stage(const char *const hidden[], struct root *ret_root, struct error *error);

/* Binds `path` over itself with mount attributes (MOUNT_ATTR_…) set and cleared. Returns negative
 * with errno set. */
int root_bind(const char *path, uint64_t set, uint64_t clear);

/*
 * Mounts /sys (read-only) for the caller's network namespace, unless it is there. For those that
 * enter an instance: sysfs has a superblock per network namespace and looks for one by walking all
 * of them, so that launches would become slower with every instance. Returns negative with errno
 * set.
 */
int root_mount_sys(void);
