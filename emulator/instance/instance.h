/*
 * Instances as processes: a namespace set with an init, launched, watched, stopped, entered.
 *
 * A launcher process, forked once from a small and clean address space, waits in a mount namespace
 * that holds the root for instances (this machine's own file system, read-only) and nothing of
 * /run/netns, so that a launch costs the same whether it is the first or the four-thousandth. It
 * clones each init with CLONE_PARENT: inits are children of the daemon while it lives, and go on
 * under the host's init (or nearest subreaper) when the daemon is gone.
 */
#pragma once

#include "base/error.h"
#include "base/id.h"
#include "base/loop.h"

#include <sys/types.h>

struct instances;

struct instance_spec {
	struct rid id; /* KIND_INSTANCE or KIND_INTERNET_HOST */
	char hostname[64];
};

/* A process that can't be mistaken for a later one with the same pid. */
struct process {
	pid_t pid; /* in our PID namespace; 0: none */
	uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks since boot */
};

/* An init that we launched or adopted is gone. Called from the loop. */
typedef void (*instance_exit_fn)(void *context, struct rid id);

/*
 * `run_directory` exists and is ours: the root is staged below it, in the launcher's own mount
 * namespace only. The launcher is started by the first launch. `loop` may be NULL where nobody
 * watches (minivpc down).
 */
int instances_open(const char *run_directory, struct loop *loop, instance_exit_fn on_exit,
		   void *context, struct instances **ret_instances, struct error *error);
/* Lets go of everything; instances go on. Always NULL. */
struct instances *instances_close(struct instances *instances);

/*
 * Launches `count` inits; all or none: on failure those already running are killed. Each has its
 * own network, PID, mount, UTS and IPC namespace; its network namespace is empty ("lo" down).
 */
int instances_launch(struct instances *instances, const struct instance_spec *specs, size_t count,
		     struct process *ret_processes, struct error *error);
/* Watches a process found in the store; -ESRCH when it is not alive (or is another one). */
int instances_adopt(struct instances *instances, struct rid id, struct process process,
		    struct error *error);
/* Asks the init to shut down (SIGTERM), and kills it after `grace` milliseconds. Returns at once;
 * on_exit tells when it is gone. Not alive is fine. */
int instances_stop(struct instances *instances, struct rid id, struct process process,
		   unsigned int grace, struct error *error);
/*
 * Kills at once and waits until every one is gone (bounded: 10 s). on_exit is not called for them.
 * Not alive is fine.
 */
int instances_kill(struct instances *instances, const struct rid *ids,
		   const struct process *processes, size_t count, struct error *error);

bool process_alive(struct process process);

/*
 * Runs `argv` inside the namespaces of the instance whose init is `process`: standard streams pass
 * through; when standard input and output are terminals it gets a terminal of its own, with window
 * size changes. The command has the privileges an instance's processes have, no more. Returns 0 and the
 * exit status (128 + n for a signal; 126 not executable; 127 not found, as a shell has it).
 */
int process_exec(struct process process, char *const argv[], int *ret_status,
		 struct error *error);
