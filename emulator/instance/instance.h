/*
 * Instances as processes: a namespace set with an init, launched, watched, stopped, entered.
 *
 * A launcher process, forked once from a small and clean address space, makes each instance a disk
 * (this machine's own file system, or an image, what is written kept apart) and clones its init
 * from a mount namespace that holds nothing, so that a launch costs the same whether it is the
 * first or the four-thousandth. It clones with CLONE_PARENT: inits are children of the daemon while
 * it lives, and go on under the host's init (or nearest subreaper) when the daemon is gone. Disks
 * live in a mount namespace of their own, and go on when nobody is left in it.
 *
 * Nobody else may wait for children whose pids they don't know (waitpid(-1, …)).
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/id.h"
#include "base/loop.h"
#include "instance/init.h"
#include "instance/limit.h"

#include <sys/types.h>

struct instances;
struct launch;

struct instance_spec {
	struct rid id; /* KIND_INSTANCE or KIND_INTERNET_HOST */
	struct init_identity identity;
	/* What its disk lies above if it must be made; unset: the machine's own root. */
	struct rid image;
	char *image_path; /* the image's directory; borrowed */
	char *boot;	  /* for /bin/sh, at the first boot of its disk (boot.h); NULL for none */
	uint64_t memory;  /* bytes that it may use, what it writes to its disk among them; 0: any */
};

/* A process that can't be mistaken for a later one with the same pid. */
struct process {
	pid_t pid;	     /* in our PID namespace; 0: none */
	uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks since boot */
};

enum instance_end {
	INSTANCE_CRASHED,   /* killed, or nobody knows */
	INSTANCE_SHUT_DOWN, /* in order */
	INSTANCE_REBOOTED,  /* in order, and it wants to start again */
};

/* An init that we launched or adopted is gone. Called from the loop. */
typedef void (*instance_exit_fn)(void *context, struct rid id, enum instance_end end);

struct instances_options {
	/* Directories that instances must not see: the world's state and run directories. Ends in
	 * NULL; those that don't exist are fine. */
	const char *const *hidden;
	/* A file, where the mounts of the disks are kept from the first launch on (unmount it to
	 * let go of them all); NULL: they last no longer than this process and the instances. */
	const char *disks;
	/* A file, where inits leave notes of how they ended; NULL: those that aren't children of
	 * this process have crashed when they are gone. */
	const char *ends;
	struct limits_options limits; /* of their memory; `each` to instance_spec.memory */
	uint64_t disk_size;	      /* of each, in bytes; they take what is written to them */
};

/*
 * Forks the launcher, which stages the root beside us: open early, while the caller is small. A
 * failure to stage it is told by the first launch. The limit of open files is raised as far as it
 * goes: each init takes one. `loop` may be NULL where nobody watches (minivpc down): then there is
 * no launcher, `options` is of no use, and only instances_kill() is.
 */
int instances_open(const struct instances_options *options, struct loop *loop,
		   instance_exit_fn on_exit, void *context, struct instances **ret_instances,
		   struct error *error);
/* Lets go of everything; instances go on. Commit or cancel launches before. NULL is fine; always
 * NULL. */
struct instances *instances_close(struct instances *instances);

/* What holds, and why not what was wanted: "" where all of that does. */
const struct limits *instances_limits(const struct instances *instances, const char **ret_why);

/* Whether each has one id alone, for the daemon has no others to give: see alone.h. */
bool instances_are_alone(const struct instances *instances);

/*
 * A launch: `count` inits, all or none. Each has its own user, network, PID, mount, UTS, IPC and
 * cgroup namespace; its network namespace is empty ("lo" down). Its disk is the one that it had,
 * or made for it. An init lives no longer than the daemon until its launch is committed. So record
 * the processes in the store first: then a daemon that dies, at whatever point, leaves no init
 * that the store doesn't know (it may know some that are gone).
 *
 *	instances_launch_begin()
 *	launch_next() × count		wire each one while the next is being cloned
 *	launch_ready()
 *	(store the processes)
 *	launch_commit()			or launch_cancel() instead, at any point
 *
 * One launch at a time: the next may begin when all processes of the last were taken or it was
 * cancelled. If the launcher is gone another one is started.
 */
int instances_launch_begin(struct instances *instances, const struct instance_spec *specs,
			   size_t count, struct launch **ret_launch, struct error *error);
/* The next one, in the order of the specs. Its namespaces are there, its mounts perhaps not yet. It
 * is watched from now on. On failure cancel the launch. */
int launch_next(struct launch *launch, struct process *ret_process, struct error *error);
/* Waits (bounded: 10 s) until every init has its mounts and runs with an instance's privileges. Not
 * needed before process_exec(), which waits by itself, but what fails in there is told here. */
int launch_ready(struct launch *launch, struct error *error);
/* From now on they go on without the daemon. Cannot fail. Always NULL. */
struct launch *launch_commit(struct launch *launch);
/* Kills them and waits for their end, as instances_kill(), and forgets the disks that it made. NULL
 * is fine; always NULL. */
struct launch *launch_cancel(struct launch *launch);
void launch_cancelp(struct launch **launch);

/* All of the above in one, for callers with nothing to do in between. */
int instances_launch(struct instances *instances, const struct instance_spec *specs, size_t count,
		     struct process *ret_processes, struct error *error);

/* Watches a process found in the store; -ESRCH when it is not alive (or is another one). */
int instances_adopt(struct instances *instances, struct rid id, struct process process,
		    struct error *error);
/* Asks the init to shut down (SIGTERM), and kills it after `grace` milliseconds. Returns at once;
 * on_exit tells when it is gone. Not alive is fine: if it was not watched, on_exit stays silent. */
int instances_stop(struct instances *instances, struct rid id, struct process process,
		   unsigned int grace, struct error *error);
/* The same, for it to start again: INSTANCE_REBOOTED, also when it had to be killed. */
int instances_reboot(struct instances *instances, struct rid id, struct process process,
		     unsigned int grace, struct error *error);
/* Whether instances_reboot() was the last to ask it, and it is not gone yet. */
bool instances_is_rebooting(const struct instances *instances, struct rid id);
/* Whether its init is still in the control group that it was in when it began to be watched. */
bool instances_is_in_place(const struct instances *instances, struct rid id);
/* Puts it there again; of its other processes those that come from now on. */
int instances_return(const struct instances *instances, struct rid id, struct error *error);
/* How an init has ended that was gone before it could be adopted. */
enum instance_end instances_end(struct instances *instances, struct rid id, struct process process);
/* Once nobody needs to know any more of those that are gone: what has become too much. */
void instances_forget_ends(struct instances *instances);
/*
 * Kills at once and waits until every one is gone (bounded: 10 s). on_exit is not called for them.
 * Not alive is fine.
 */
int instances_kill(struct instances *instances, const struct rid *ids,
		   const struct process *processes, size_t count, struct error *error);

/* Their disks go, once nothing runs on them. Returns at once. None is fine. A launcher that is gone
 * leaves them to instances_keep(). */
void instances_forget(struct instances *instances, const struct rid *ids, size_t count);
/* At start: forgets the disks that are none of these; NULL `is_kept` keeps none. */
int instances_keep(struct instances *instances, bool (*is_kept)(void *context, const char *id),
		   void *context, struct error *error);

/* What inits have left that had not quite ended when all of theirs was to go; now and then. */
void instances_sweep(struct instances *instances);

/*
 * Whether the disks would outlive this process: false when somebody has unmounted what keeps them
 * (instances_options.disks) since. To be asked when something has been launched.
 */
bool instances_keeps_disks(const struct instances *instances);
/* Keeps them again, as long as the launcher that has them is alive: -ESRCH. */
int instances_keep_again(struct instances *instances, struct error *error);

/* The image is below no disk that is yet to be made: its directory is let go of. Returns at once.
 * Not staged is fine. */
void instances_unstage(struct instances *instances, struct rid image);

#define INSTANCE_LOG_MAX 65536
#define INSTANCE_LOG_END UINT64_MAX

struct instance_log {
	struct buffer text; /* owned */
	uint64_t end;	    /* the position after it, in bytes */
	int64_t time;	    /* when it was last written to, seconds since 1970; 0: never */
};

/*
 * What has been said on the disk's INIT_LOG, whether anything runs on it or not: at most
 * INSTANCE_LOG_MAX bytes from position `from` on (from the first, if there aren't so many), or the
 * last ones (INSTANCE_LOG_END). Empty where there is no such file, or the instance's owner has put
 * something else in its place.
 */
int instances_log(struct instances *instances, struct rid id, uint64_t from,
		  struct instance_log *ret_log, struct error *error);

/* False: surely not. Where the kernel can't say it counts as alive: whoever uses it is told why. */
bool process_alive(struct process process);

/*
 * Runs `argv` inside the namespaces of the instance whose init is `process`: standard streams pass
 * through; when standard input and output are terminals it gets a terminal of its own, with window
 * size changes. SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on; the command gets SIGHUP when the
 * caller dies. It is root there, and of the environment it has
 * only TERM and the locale. Waits (bounded: 10 s) for an instance that is still being made. Returns
 * 0 and the exit status (128 + n for a signal; 126 not executable; 127 not found, as a shell has
 * it).
 */
int process_exec(struct process process, char *const argv[], int *ret_status, struct error *error);
