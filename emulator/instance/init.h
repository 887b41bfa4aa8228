/*
 * PID 1 of an instance. Runs in a clone of the launcher, in fresh namespaces, and never returns.
 * Its address space is a copy of the launcher's, which holds next to nothing (see memory.h): system
 * calls and string functions only.
 */
#pragma once

#include "base/util.h"

#include <stdnoreturn.h>

/* What init is called once process_exec() may enter. */
#define INIT_NAME "init"

#define STEP_MAX 24

/* What the script that an instance boots with says: cloud-init's own place for it. */
#define INIT_LOG "/var/log/cloud-init-output.log"

/* What an instance is called, in texts that end, and whether it lets anybody in. */
struct init_identity {
	char hostname[64];
	char address[64];   /* of its first interface, for /etc/hosts; "" for none */
	char resolver[512]; /* /etc/resolv.conf; "": what the disk has */
	bool ssh;	    /* there is a key: who comes meets sshd, if the disk has one */
};

struct init_report {
	uint32_t index;
	int32_t sys;	     /* 0: everything is in place */
	char step[STEP_MAX]; /* what failed */
};

struct init_plan {
	const struct init_identity *identity;
	bool limited;	/* it has a control group of its own */
	int tasks;	/* which it joins by this file; -1: it was born there, or has none */
	bool fresh;	/* the disk was made for it */
	int root;	/* the disk: a detached tree of mounts */
	int boot;	/* what a fresh disk boots with, for /bin/sh; -1: nothing */
	int wait;	/* pipe: a byte once the user namespace has its ids */
	uint32_t index; /* in its launch, for the report */
	int report;	/* pipe: one struct init_report is written */
	/* pipe: a byte in it (never taken out) means go on for ever; end of file without one means
	 * that the daemon died before it knew of us: exit */
	int lifeline;
	int ends;	  /* see end.h */
	const char *name; /* there */
};

noreturn void init_main(const struct init_plan *plan);
