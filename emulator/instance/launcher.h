/*
 * The launcher: a process forked once from the daemon that clones inits on request. It waits in the
 * mount namespace that root_stage() made, so that a clone copies a handful of mounts and not the
 * daemon's thousands in /run/netns.
 *
 * Requests and replies are packets on a socket pair, answered in order, so that a caller may have
 * several under way. The launcher dies with the daemon (or with the daemon's end of the socket).
 */
#pragma once

#include "base/error.h"

#include <sys/resource.h>
#include <sys/types.h>

struct launcher {
	pid_t pid; /* 0: none runs */
	int socket;
	bool staged;	   /* it said that the root is in place */
	pid_t *shared;	   /* the pid of the newest clone, reported or not */
	pid_t reported;	   /* the newest that a reply told of */
	rlim_t open_files; /* the soft limit that inits get: ours before it was raised */
};

#define LAUNCHER_INIT                                                                              \
	{                                                                                          \
		.socket = -1                                                                       \
	}

struct launcher_request {
	uint32_t index;
	uint32_t first; /* begins a launch: the two pipes of struct init_plan come with it */
	char hostname[64];
};

/* Forks it, without waiting for the root to be staged. Fork early: inits are clones of it, and
 * pay for every page that the caller has. `hidden` as for root_stage(). */
int launcher_start(struct launcher *launcher, const char *const hidden[], struct error *error);
/* Kills and reaps it; fine when there is none. */
void launcher_stop(struct launcher *launcher);
/* The same, and lets go of the memory; start no other. */
void launcher_clear(struct launcher *launcher);
/* False when it is gone, whatever ended it: start another. */
bool launcher_alive(const struct launcher *launcher);
/* Waits (bounded) until the root is staged; the launcher's own words when it couldn't be. */
int launcher_wait_staged(struct launcher *launcher, struct error *error);

/* Hands one request in; `pipes` (report, lifeline) are lent, and needed if it is the first. */
int launcher_request(struct launcher *launcher, const struct launcher_request *request,
		     const int pipes[2], struct error *error);
/* The pid of the oldest request not yet answered. Bounded; any failure but a refused clone
 * (-EAGAIN, -ENOMEM, -ENOSPC …) means that the launcher must be stopped: launcher_alive() is false.
 */
int launcher_reply(struct launcher *launcher, pid_t *ret_pid, struct error *error);
/* Once the launcher is gone and launcher_reply() has failed: the pid of a clone that it made and
 * was killed before reporting, or 0. Our child, not reaped; told once. */
pid_t launcher_unreported(struct launcher *launcher);
