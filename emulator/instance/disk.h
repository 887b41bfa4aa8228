/*
 * Instances' disks: each an overlay above the world's layers, whose upper part is a file system in
 * memory of its own, limited in size. They are mounted in the world's mount namespace (root.h), so
 * they stay while nothing runs on them. Runs in the launcher: system calls and string functions
 * only, and all of them return negative with errno set. An instance of an image's has the image
 * beneath (image.h) in place of the machine's own layers.
 */
#pragma once

#include "instance/root.h"

#define DISK_NAME_MAX	 40
#define DISK_OPTIONS_MAX 96

/* Mount options of a disk's own file system. */
void disk_options(uint64_t size, uint32_t first_id, char ret_options[DISK_OPTIONS_MAX]);

/*
 * A detached copy of the mounts of the disk `name`, for a clone to move in. It is made if it isn't
 * there, or isn't whole; above `image`, which is staged, or "": the machine's own root.
 */
int disk_open(const struct root *root, const char *image, const char *name, const char *options,
	      bool *ret_fresh);
/* Gone is fine. */
int disk_forget(const char *name);
/* Calls `each` for every disk, whole or not; false from it ends the walk. */
int disk_list(bool (*each)(void *context, const char *name), void *context);
/* Opens a file of a disk to read, wherever what is on the disk leads: nowhere but on it. Plain
 * files alone, and at once: -1 for all else. */
int disk_open_file(const char *name, const char *file);
