/*
 * The launcher: a process forked once from the daemon that makes disks and clones inits on request.
 * It waits in the mount namespace that root_stage() made, and clones from one with a handful of
 * mounts, so that none copies the daemon's thousands in /run/netns.
 *
 * Requests and replies are packets on a socket pair, answered in order, so that a caller may have
 * several under way. The launcher dies with the daemon (or with the daemon's end of the socket).
 */
#pragma once

#include "instance/disk.h"
#include "instance/init.h"

#include <sys/resource.h>
#include <sys/types.h>

struct launcher {
	pid_t pid; /* 0: none runs */
	int socket;
	bool staged;	   /* it said that the root is in place */
	pid_t *shared;	   /* the pid of the newest clone, reported or not */
	pid_t reported;	   /* the newest that a reply told of */
	rlim_t open_files; /* the soft limit that inits get: ours before it was raised */
	uint64_t disk_size;
	int ends;		  /* borrowed, for the inits; -1: none */
	int group;		  /* borrowed, that inits are born in, see limit.h; -1: ours */
	struct root_options root; /* all of it borrowed */
};

#define LAUNCHER_INIT                                                                              \
	{                                                                                          \
		.socket = -1, .ends = -1, .group = -1                                              \
	}

enum launcher_task {
	LAUNCHER_CLONE,
	LAUNCHER_FORGET,  /* the disk; not answered */
	LAUNCHER_LIST,	  /* the disks */
	LAUNCHER_UNSTAGE, /* the image; not answered */
	LAUNCHER_LOG,	  /* a descriptor of the disk's INIT_LOG */
};

struct launcher_request {
	uint32_t task;
	uint32_t index;
	uint32_t first; /* begins a launch: the two pipes of struct init_plan come with it */
	uint32_t boot;	/* a script to boot with comes with it, after the pipes */
	/* the version of the control groups of which one comes with it, at last, see limits_make()
	 */
	uint32_t limited;
	/* an id of the host's that is nobody else's: what runs in the instance is counted by it */
	uint32_t owner;
	char disk[DISK_NAME_MAX];
	char image[DISK_NAME_MAX]; /* below a new disk, see image_stage(); "": our own root */
	struct init_identity identity;
};

struct launcher_clone {
	pid_t pid;
	bool fresh; /* its disk was made for it */
};

/* Forks it, without waiting for the root to be staged. Fork early: inits are clones of it, and
 * pay for every page that the caller has. */
int launcher_start(struct launcher *launcher, struct error *error);
/* Kills and reaps it; fine when there is none. */
void launcher_stop(struct launcher *launcher);
/* The same, and lets go of the memory; start no other. */
void launcher_clear(struct launcher *launcher);
/* False when it is gone, whatever ended it: start another. */
bool launcher_alive(const struct launcher *launcher);
/* Waits (bounded) until the root is staged; the launcher's own words when it couldn't be. */
int launcher_wait_staged(struct launcher *launcher, struct error *error);

#define LAUNCHER_FDS 4

/* Hands one request in, with the descriptors that it says come with it: they are lent. */
int launcher_request(struct launcher *launcher, const struct launcher_request *request,
		     const int fds[], struct error *error);
/*
 * The answer to the oldest LAUNCHER_CLONE not yet answered. Bounded; any failure but a refused
 * clone or disk (-EAGAIN, -ENOMEM, -ENOSPC …) means that the launcher must be stopped:
 * launcher_alive() is false.
 */
int launcher_reply(struct launcher *launcher, struct launcher_clone *ret_clone,
		   struct error *error);
/* The names of all disks, to free(), each by itself; nothing else may be under way. */
int launcher_list(struct launcher *launcher, char ***ret_names, size_t *ret_count,
		  struct error *error);
/* What boot and init have said on the disk of that name, to read and close: a plain file, and
 * nothing in it blocks; -1 where there is none. Nothing else may be under way. */
int launcher_log(struct launcher *launcher, const char *disk, int *ret_fd, struct error *error);
/* Once the launcher is gone and launcher_reply() has failed: the pid of a clone that it made and
 * was killed before reporting, or 0. Our child, not reaped; told once. */
pid_t launcher_unreported(struct launcher *launcher);
