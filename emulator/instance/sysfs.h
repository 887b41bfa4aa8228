/*
 * /sys in instances. sysfs has a file system for each network namespace, which is found by walking
 * all of them: were it made at each launch, launches would become slower with every instance. So
 * it comes with the first who may look at it. Root of a user namespace may mount one only where it
 * has one in sight already, writable and whole (mount_too_revealing()), so each instance has that
 * of a network namespace in which there is nothing, at a place of its own.
 */
#pragma once

#include "base/util.h"

#define SYSFS_IN_SIGHT "/dev/.sysfs"

/* For root_stage(): mounts what instances have in sight. Nothing where the kernel or an outer
 * container won't have it: instances then have no /sys. */
void sysfs_show(void);

/* In an instance, as its root, before somebody runs there: /sys is there, read-only, or an empty
 * one where it can't be; the first time, what the machine's own network is set to is forgotten.
 * System calls only. */
void sysfs_mount(void);
