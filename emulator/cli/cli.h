/*
 * The command line: one table of verbs; `serve` and `down` belong to the daemon's side and are
 * handed in, every other verb is a client of the API and starts the daemon when none runs.
 */
#pragma once

#include "base/check.h"
#include "base/error.h"
#include "base/id.h"
#include "base/paths.h"

#include <sys/types.h>

struct serve_options {
	struct paths paths;
	const char *listen;	   /* ADDR:PORT */
	const char *region;	   /* NULL: the one it was last served with, or DEFAULT_REGION */
	const char *const *quotas; /* "NAME=N" */
	size_t quota_count;
	bool accept_any_credentials;
	bool uplink;
	bool memory_any; /* all instances together take what they want … */
	uint64_t memory; /* … or so many bytes; 0: a share of the machine's */
	bool limit_memory;
	uint64_t disk_size; /* of an instance, in bytes */
};

struct cli_hooks {
	/* Refuses quotas that there are not, before anything is done: wrong usage. */
	int (*check_quotas)(const char *const *quotas, size_t count, struct error *error);
	/* Runs the daemon in the foreground until SIGTERM or SIGINT. */
	int (*serve)(const struct serve_options *options, struct error *error);
	/* Takes the world down and removes its state. */
	int (*down)(const struct paths *paths, struct error *error);
	/* Runs a command inside the namespaces of the process `pid` with that start time (see
	 * instance/instance.h). */
	int (*exec)(pid_t pid, uint64_t start_time, char *const argv[], int *ret_status,
		    struct error *error);
	/* A packet socket in a namespace of the world, not yet bound; see netlink/netns.h. */
	int (*packet_socket)(struct rid namespace, struct error *error);
	/* A pidfd of that process, to enter its network by; the caller closes it. */
	int (*open)(pid_t pid, uint64_t start_time, int *ret_pidfd, struct error *error);
	/* What this machine offers; nothing else can be done afterwards. */
	int (*check)(const struct paths *paths, struct check_list *ret_list, struct error *error);
};

/* Returns the exit status: 0, 1 for a failure (one line on standard error), 2 for wrong usage. */
int cli_main(int argc, char **argv, const struct cli_hooks *hooks);
