/*
 * The memory of an instance, held to a limit by a control group of its own. They are below one of
 * the world's, in the hierarchy that has the memory controller:
 *
 *	version 1	below the daemon's own group	…/minivpc-<world>/i-…
 *	version 2	below the mount's, where that one hands the controller on
 *
 * No other group is touched. What an instance writes to its disk is memory too, and in the group of
 * whoever wrote it. A group costs much: some 200 µs at each launch, and as much of the kernel's
 * memory as there are file systems mounted on the machine, some 8 bytes for each.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct limits {
	int group; /* the world's, a directory; -1: none */
	int version;
	bool is_on; /* for what is launched from now on */
};

#define LIMITS_INIT                                                                                \
	{                                                                                          \
		.group = -1                                                                        \
	}

/*
 * `record` is a file of the world's, where the place of its group is kept from one daemon to the
 * next; NULL: nowhere, and there are no limits. Groups that nobody is in any more go. Where the
 * group can't be made, *error says why and limits->is_on is false; that is no failure.
 */
void limits_open(struct limits *limits, const char *record, bool wanted, struct error *error);
void limits_close(struct limits *limits);

/* Puts `pid` and what comes from it into the group `name`, which may use `memory` bytes. No-op
 * where they are off, or for 0 bytes. */
int limits_enter(const struct limits *limits, const char *name, pid_t pid, uint64_t memory,
		 struct error *error);
/* The group goes, if it is there and nobody is in it. */
void limits_leave(const struct limits *limits, const char *name);

/* The caller joins the group of the instance whose init is `pid`, if it has one. 0 or a negative
 * errno. */
int limits_join(pid_t pid);

/* For a world that goes: all its groups go. */
void limits_remove(const char *record);
