/*
 * Where a world keeps its files. A world is its state directory; what must not outlive the kernel's
 * state (the endpoint, the launcher's staging root) is under /run/minivpc.
 */
#pragma once

#include "base/error.h"

#include <limits.h>

#define DEFAULT_STATE  "/var/lib/minivpc"
#define DEFAULT_LISTEN "127.0.0.1:4566"
#define DEFAULT_REGION "us-east-1"
#define DEFAULT_DISK   "2G"
#define RUN_ROOT       "/run/minivpc"

struct paths {
	char state[PATH_MAX];	    /* absolute, links resolved */
	char database[PATH_MAX];    /* state/world.db */
	char credentials[PATH_MAX]; /* state/credentials, mode 0600, see credentials.h */
	char lock[PATH_MAX];	    /* state/lock: flock()ed by the daemon, holds its pid */
	char images[PATH_MAX];	    /* state/images: what archives held, see world/images.c */
	char run[PATH_MAX];	    /* RUN_ROOT/<16 hexadecimal digits of the state path> */
	char endpoint[PATH_MAX];    /* run/endpoint: "http://ADDR:PORT\nREGION\n" while serving */
	char limits[PATH_MAX];	    /* run/limits: where the instances' control groups are */
	char ends[PATH_MAX];	    /* run/ends: how instances' inits ended */
	char disks[PATH_MAX];	    /* run/disks: the mount namespace with the instances' disks */
};

/*
 * Fills in the paths for `state` (absolute or relative; it need not exist yet, its parent must).
 * Creates nothing. Errors: -ENOENT and friends from realpath(3), -ENAMETOOLONG.
 */
int paths_for(const char *state, struct paths *ret_paths, struct error *error);
