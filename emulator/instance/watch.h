/* What the daemon knows of its inits: shared by watch.c (their ends) and launch.c (their
 * beginnings). */
#pragma once

#include "base/map.h"
#include "instance/instance.h"
#include "instance/launcher.h"
#include "instance/limit.h"

/* What the launcher has staged of an image. */
struct staged_image {
	struct rid id;
	dev_t device;
	ino_t inode;
};

struct instances {
	struct loop *loop; /* NULL: nothing is watched */
	instance_exit_fn on_exit;
	void *context;
	struct map watched; /* rid → struct watched, owned */
	struct launcher launcher;
	const struct launch *receiving; /* the launch with processes not yet taken, or NULL */
	struct staged_image *staged;	/* by the launcher that runs; owned */
	size_t staged_count;
	char **hidden; /* owned, ends in NULL */
	char *disks;   /* NULL: they are kept nowhere */
	int ends;      /* see end.h; -1: none */
	struct limits limits;
	struct error unlimited; /* why they are off */
};

/* Watches `pidfd` (taken over, even on failure) under `id`, which must not be watched yet. */
int watch_add(struct instances *instances, struct rid id, struct process process, int pidfd,
	      struct error *error);
/* Notes the control group that the init is in: once it is ready, as it goes to its own by itself.
 */
void watch_place(const struct instances *instances, struct rid id);
/* Kept by watch.c; -1 when `id` is not watched. */
int watch_pidfd(const struct instances *instances, struct rid id);
