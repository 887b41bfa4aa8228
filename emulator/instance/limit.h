/*
 * The memory of instances, held to limits by control groups: of all of a world together, so that
 * they don't take the machine's, and of each by itself. They are below one of the world's, in the
 * hierarchy that has the memory controller:
 *
 *	version 1	below the daemon's own group	…/minivpc-<world>/instances, …/i-…
 *	version 2	below the mount's, where that one hands the controller on
 *
 * No other group is touched. Together costs nothing: the launcher is in `instances`, and its clones
 * are born there. Alone costs much: some 200 µs at each launch, and as much of the kernel's memory
 * as there are file systems mounted on the machine, some 8 bytes for each.
 *
 * What an instance writes to its disk is memory too, and in the group of whoever wrote it. Where
 * there is no more the kernel kills in the group that is full, who has most first.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

#define LIMITS_SHARE   0	  /* of what the machine has, or the daemon's own group */
#define LIMITS_PERCENT 80	  /* that share */
#define LIMITS_NONE    UINT64_MAX /* any */

struct limits_options {
	/* A file of the world's, where the place of its group is kept from one daemon to the next;
	 * NULL: nowhere, and there are no limits. */
	const char *record;
	uint64_t memory; /* bytes of all together */
	bool each;	 /* by its own limit, too */
};

struct limits {
	int group;    /* the world's, a directory; -1: none */
	int together; /* where those are that have none of their own, a directory; -1: none */
	int version;
	/* For what is launched from now on: */
	uint64_t memory; /* of all together; LIMITS_NONE: any */
	bool is_on;	 /* each has its own */
};

#define LIMITS_INIT                                                                                \
	{                                                                                          \
		.group = -1, .together = -1, .memory = LIMITS_NONE                                 \
	}

/*
 * Groups that nobody is in any more go. Where one can't be made or limited, *error says why, and
 * `limits` what holds; that is no failure.
 */
void limits_open(struct limits *limits, const struct limits_options *options, struct error *error);
void limits_close(struct limits *limits);

/* As fork(); the child is in `group` (a directory; -1: the caller's). *ret_sys: 0, in the child a
 * negative errno where it couldn't join. */
pid_t limits_fork(int group, int *ret_sys);

/*
 * Makes the group `name`, for what may use `memory` bytes. *ret_fd, to close, is how a process gets
 * into it: version 1's file that it writes "0" to, or version 2's directory, to be cloned into. To
 * be moved by somebody else takes up to 20 ms. It is -1, and nothing is made, where limits are off
 * or for 0 bytes.
 */
int limits_make(const struct limits *limits, const char *name, uint64_t memory, int *ret_fd,
		struct error *error);
/* The group goes, if it is there and nobody is in it. */
void limits_leave(const struct limits *limits, const char *name);
/* Those that nobody is in: of inits that were still ending when they were to go. */
void limits_sweep(const struct limits *limits);

/* The group, of those above, that the instance is in whose init is `pid`: a directory, to close;
 * *ret_group is -1 where it is in none. 0 or a negative errno. */
int limits_find(pid_t pid, int *ret_group);

/* In which of the world's groups a process is. */
enum limits_place {
	LIMITS_NOWHERE,
	LIMITS_TOGETHER, /* with all that have none of their own */
	LIMITS_ALONE,	 /* in the one of that name */
};
enum limits_place limits_place_of(const char *name, pid_t pid);
/* Puts it there again, by itself; a group that is gone is -ENOENT. */
int limits_return(const struct limits *limits, const char *name, enum limits_place place, pid_t pid,
		  struct error *error);

/* For a world that goes: all its groups go, once whoever was killed in them is no more. Fails where
 * one stays: after five seconds somebody is in it still. */
int limits_remove(const char *record, struct error *error);

/* Could there be limits? Changes nothing; the error says why not. */
int limits_check(struct error *error);
