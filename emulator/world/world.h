/*
 * A world: the one place where the rooms meet. Here is the write path: a call's transaction goes to
 * the store, to the instances and to the kernel, in an order that a kill -9 between any two steps
 * leaves whole or absent; and its twin, the recovery at start, which is load and reconcile.
 */
#pragma once

#include "base/check.h"
#include "base/paths.h"
#include "model/quota.h"

struct world_options {
	struct paths paths;
	const char *listen; /* ADDR:PORT */
	const char *region; /* NULL: the one it was last served with, or DEFAULT_REGION */
	struct quotas quotas;
	bool accept_any_credentials;
	bool uplink;	    /* the simulated Internet leads to the real one */
	uint64_t memory;    /* of all instances together, see limits_options */
	bool limit_memory;  /* of an instance, to its type's and its disk's */
	uint64_t disk_size; /* of an instance, in bytes */
};

/*
 * Runs the daemon in the foreground until SIGTERM or SIGINT; prints "ready URL" on standard output
 * when it accepts calls. Instances and packets go on after it. Errors: one clear text each for a
 * state directory that is unwritable, foreign or in use, an address in use, a kernel that lacks
 * something; nothing is changed then.
 */
int world_serve(const struct world_options *options, struct error *error);

/*
 * Takes a world down: stops its daemon, kills its instances, removes its namespaces and its files.
 * Works without a daemon, after a crash, and when there is nothing.
 */
int world_down(const struct paths *paths, struct error *error);

/*
 * What this machine offers, for worlds in general: changes nothing, needs no daemon, leaves nothing
 * behind but kernel modules that the kernel has loaded. From then on the caller is in network and
 * mount namespaces of its own, which are for nothing else. The caller clears the list.
 */
int world_check(const struct paths *paths, struct check_list *ret_list, struct error *error);
