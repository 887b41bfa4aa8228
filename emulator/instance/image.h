/*
 * Images: what an instance's disk lies above when it isn't the machine's own root. A directory is
 * staged once per world, at its first use, and never written to:
 *
 *	the directory   idmapped, read-only   images/ami-…/host
 *	   |            its owners            images/ami-…/shift   see shift.h
 *	an instance's own tmpfs               disks/i-…            see disk.h
 *
 * The owners are shifted where the directory can't be idmapped.
 *
 * What is in an image is the image's: nothing is hidden, and root in an instance reads all of it.
 * What is mounted below the directory is no part of it.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

/*
 * Stages the directory at `path` as `name`, in the mount namespace that process `launcher` is in,
 * with owners from `first_id` on; another one staged by that name makes way, and goes on below the
 * disks that are above it. Staged already is fine. Forks for it and waits; takes some milliseconds,
 * and 20 µs a file where it can't be idmapped.
 */
int image_stage(pid_t launcher, const char *name, const char *path, uint32_t first_id,
		struct error *error);

/* For the launcher, in that namespace; disks above it go on. Gone is fine. System calls and string
 * functions only; returns negative with errno set. */
int image_unstage(const char *name);
