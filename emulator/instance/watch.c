/*
 * Watching inits by pidfd, stopping and killing them: see instance.h. An init is our child if this
 * daemon launched it, and somebody else's if an earlier one did; a pidfd tells of both ends, and
 * only the former leaves a zombie to us.
 */
#include "instance/watch.h"

#include "base/hash.h"
#include "instance/alone.h"
#include "instance/end.h"
#include "instance/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_MS	  10000
#define NOTES_MAX (1 << 20) /* bytes */
#define KILL_MANY 512	    /* pidfds open at once for inits that were not watched */

struct watched {
	struct instances *instances;
	struct rid id;
	int pidfd;
	pid_t pid;
	enum limits_place place; /* see watch_place() */
	struct loop_source *source;
	struct loop_source *grace; /* NULL: not asked to stop */
	bool is_rebooting;
	uint64_t start_time; /* of one that was adopted */
};

static struct watched *watched_free(struct watched *watched)
{
	if (!watched)
		return NULL;
	map_take(&watched->instances->watched, map_key_rid(watched->id));
	loop_remove(watched->source);
	loop_remove(watched->grace);
	closep(&watched->pidfd);
	free(watched);
	return NULL;
}

static enum instance_end end_of(const struct watched *watched)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)watched->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid)
		return watched->is_rebooting ? INSTANCE_REBOOTED : end_of_status(&info);
	if (watched->is_rebooting)
		return INSTANCE_REBOOTED;
	return end_read_note(watched->instances->ends, rid_format(watched->id).text,
			     watched->start_time);
}

static void on_gone(void *context, uint32_t events)
{
	struct watched *watched = context;
	struct instances *instances = watched->instances;
	struct rid id = watched->id;
	enum instance_end end = end_of(watched);

	(void)events;
	watched_free(watched);
	limits_leave(&instances->limits, rid_format(id).text);
	instances->on_exit(instances->context, id, end);
}

int watch_add(struct instances *instances, struct rid id, struct process process, int pidfd,
	      struct error *error)
{
	struct watched *watched;
	int r;

	if (!instances->loop || map_get(&instances->watched, map_key_rid(id))) {
		close(pidfd);
		return error_set(error, ERROR_INTERNAL, "%s: watched already, or nobody to watch",
				 rid_format(id).text);
	}
	watched = xcalloc(1, sizeof(*watched));
	watched->instances = instances;
	watched->id = id;
	watched->pidfd = pidfd;
	watched->pid = process.pid;
	watched->place = LIMITS_NOWHERE;
	r = loop_add_fd(instances->loop, pidfd, EPOLLIN, on_gone, watched, &watched->source, error);
	if (r < 0) {
		close(pidfd);
		free(watched);
		return r;
	}
	map_put(&instances->watched, map_key_rid(id), watched);
	return 0;
}

static struct watched *find(const struct instances *instances, struct rid id)
{
	return map_get(&instances->watched, map_key_rid(id));
}

void watch_place(const struct instances *instances, struct rid id)
{
	struct watched *watched = find(instances, id);

	if (watched)
		watched->place = limits_place_of(rid_format(id).text, watched->pid);
}

bool instances_is_in_place(const struct instances *instances, struct rid id)
{
	const struct watched *watched = find(instances, id);

	return !watched || watched->place == LIMITS_NOWHERE ||
	       limits_place_of(rid_format(id).text, watched->pid) == watched->place;
}

int instances_return(const struct instances *instances, struct rid id, struct error *error)
{
	const struct watched *watched = find(instances, id);

	return watched ? limits_return(&instances->limits, rid_format(id).text, watched->place,
				       watched->pid, error)
		       : 0;
}

int watch_pidfd(const struct instances *instances, struct rid id)
{
	const struct watched *watched = find(instances, id);

	return watched ? watched->pidfd : -1;
}

int instances_adopt(struct instances *instances, struct rid id, struct process process,
		    struct error *error)
{
	int pidfd;
	int r;

	r = process_open(process, &pidfd, error);
	if (r < 0)
		return error_wrap(error, r, "%s", rid_format(id).text);
	r = watch_add(instances, id, process, pidfd, error);
	if (r < 0)
		return r;
	find(instances, id)->start_time = process.start_time;
	watch_place(instances, id);
	return 0;
}

#define SIGNAL_TRIES 3

/* Gone already is fine. Whoever is to end is not let live by what fails once. */
static int send_signal(int pidfd, int signal)
{
	int sys = 0;

	for (int i = 0; i < SIGNAL_TRIES; i++) {
		if (pidfd_send_signal(pidfd, signal, NULL, 0) == 0 || errno == ESRCH)
			return 0;
		sys = errno;
	}
	return -sys;
}

static void on_grace_over(void *context)
{
	struct watched *watched = context;

	watched->grace = NULL;
	send_signal(watched->pidfd, SIGKILL);
}

/* NULL: it is not alive. */
static int find_or_adopt(struct instances *instances, struct rid id, struct process process,
			 struct watched **ret_watched, struct error *error)
{
	int r = 0;

	if (!find(instances, id))
		r = instances_adopt(instances, id, process, error);
	*ret_watched = find(instances, id);
	return r == -ESRCH ? 0 : r;
}

static int ask(struct watched *watched, int signal, unsigned int grace, struct error *error)
{
	int r;

	watched->grace = loop_remove(watched->grace);
	/* Where its time can't be counted it has none: it must not be asked in vain. */
	if (loop_add_timer(watched->instances->loop, grace, on_grace_over, watched, &watched->grace,
			   error) < 0)
		signal = SIGKILL;
	r = send_signal(watched->pidfd, signal);
	return r < 0 ? error_sys(error, r, "stopping %s", rid_format(watched->id).text) : 0;
}

int instances_stop(struct instances *instances, struct rid id, struct process process,
		   unsigned int grace, struct error *error)
{
	struct watched *watched;
	int r = find_or_adopt(instances, id, process, &watched, error);

	if (r < 0 || !watched)
		return r;
	watched->is_rebooting = false;
	return ask(watched, SIGTERM, grace, error);
}

int instances_reboot(struct instances *instances, struct rid id, struct process process,
		     unsigned int grace, struct error *error)
{
	struct watched *watched;
	int r = find_or_adopt(instances, id, process, &watched, error);

	if (r < 0 || !watched || watched->is_rebooting)
		return r;
	r = ask(watched, SIGINT, grace, error);
	if (r == 0)
		watched->is_rebooting = true;
	return r;
}

bool instances_is_rebooting(const struct instances *instances, struct rid id)
{
	const struct watched *watched = find(instances, id);

	return watched && watched->is_rebooting;
}

enum instance_end instances_end(struct instances *instances, struct rid id, struct process process)
{
	return end_read_note(instances->ends, rid_format(id).text, process.start_time);
}

/*
 * An init that was adopted alive may have left its note by now, and be on its way out: small as
 * they are, the notes stay until there are thousands. They are told apart by their time.
 */
void instances_forget_ends(struct instances *instances)
{
	struct stat status;

	if (instances->ends < 0 || fstat(instances->ends, &status) < 0 ||
	    status.st_size < NOTES_MAX || ftruncate(instances->ends, 0) < 0)
		return;
}

/* A pidfd to kill by, or -1 when the process is gone. One that was watched is so no more. */
static int take_pidfd(struct instances *instances, struct rid id, struct process process,
		      int *ret_pidfd, struct error *error)
{
	struct watched *watched = map_get(&instances->watched, map_key_rid(id));
	int r;

	*ret_pidfd = -1;
	if (watched) {
		*ret_pidfd = steal_fd(&watched->pidfd);
		watched_free(watched);
		return 0;
	}
	r = process_open(process, ret_pidfd, error);
	return r == -ESRCH ? 0 : r;
}

static int kill_some(struct instances *instances, const struct rid *ids,
		     const struct process *processes, size_t count, struct error *error)
{
	int64_t deadline = now_ms() + KILL_MS;
	int pidfds[KILL_MANY];
	int result = 0;

	/* All are dying before the first is waited for; whatever fails, the others must go too. */
	for (size_t i = 0; i < count; i++) {
		int r = take_pidfd(instances, ids[i], processes[i], &pidfds[i], error);

		if (r == 0 && pidfds[i] >= 0 && (r = send_signal(pidfds[i], SIGKILL)) < 0)
			error_sys(error, r, "killing %s", rid_format(ids[i]).text);
		if (r < 0)
			result = r;
	}
	for (size_t i = 0; i < count; i++) {
		int r = pidfds[i] < 0 ? 0 : process_wait(pidfds[i], deadline);

		if (r < 0)
			result = error_sys(error, r, "waiting for the end of %s",
					   rid_format(ids[i]).text);
		limits_leave(&instances->limits, rid_format(ids[i]).text);
		closep(&pidfds[i]);
	}
	return result;
}

int instances_kill(struct instances *instances, const struct rid *ids,
		   const struct process *processes, size_t count, struct error *error)
{
	int result = 0;

	for (size_t done = 0; done < count; done += KILL_MANY) {
		size_t some = MIN(count - done, (size_t)KILL_MANY);
		int r = kill_some(instances, ids + done, processes + done, some, error);

		if (r < 0)
			result = r;
	}
	return result;
}

/* ---- open and close ---- */

/* Returns the soft limit as it was, for the inits. */
static rlim_t raise_open_files(void)
{
	struct rlimit limit;
	rlim_t old;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	old = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* a launch that runs into the old one says so */
	return old;
}

static char **copy_list(const char *const list[])
{
	size_t count = 0;
	char **copy;

	while (list[count])
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(list[i]);
	return copy;
}

/* Ids of the host's that its own users don't have (systemd's table of ids leaves these free), the
 * same for a world whenever it is served. */
static uint32_t first_id(const char *disks)
{
	uint64_t hash = disks ? hash_bytes(HASH_START, disks, strlen(disks)) : 0;

	return 0x70000000u + (uint32_t)(hash % 4095) * ROOT_IDS;
}

static int open_ends(struct instances *instances, const struct instances_options *options,
		     struct error *error)
{
	if (!options || !options->ends)
		return 0;
	instances->ends = open(options->ends, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return instances->ends < 0 ? error_sys(error, errno, "%s", options->ends) : 0;
}

int instances_open(const struct instances_options *options, struct loop *loop,
		   instance_exit_fn on_exit, void *context, struct instances **ret_instances,
		   struct error *error)
{
	static const char *const nothing[] = { NULL };
	struct instances *instances = xcalloc(1, sizeof(*instances));
	struct launcher *launcher = &instances->launcher;
	int r;

	instances->loop = loop;
	instances->on_exit = on_exit;
	instances->context = context;
	instances->hidden = copy_list(options ? options->hidden : nothing);
	instances->disks = xstrdup_null(options ? options->disks : NULL);
	instances->ends = -1;
	limits_open(&instances->limits,
		    options ? &options->limits : &(const struct limits_options){ 0 },
		    &instances->unlimited);
	*launcher = (struct launcher)LAUNCHER_INIT;
	launcher->open_files = raise_open_files();
	launcher->disk_size = options ? options->disk_size : 0;
	launcher->root.hidden = (const char *const *)instances->hidden;
	launcher->root.pin = instances->disks;
	launcher->group = instances->limits.together;
	launcher->root.first_id = first_id(instances->disks);
	if (alone_lacks(launcher->root.first_id, ROOT_IDS)) {
		launcher->root.alone = true;
		launcher->root.first_id = 0;
	}
	if (loop) {
		r = open_ends(instances, options, error);
		launcher->ends = instances->ends;
		if (r == 0)
			r = launcher_start(launcher, error);
		if (r < 0) {
			instances_close(instances);
			return r;
		}
	}
	*ret_instances = instances;
	return 0;
}

const struct limits *instances_limits(const struct instances *instances, const char **ret_why)
{
	*ret_why = instances->unlimited.text;
	return &instances->limits;
}

void instances_sweep(struct instances *instances)
{
	limits_sweep(&instances->limits);
}

bool instances_are_alone(const struct instances *instances)
{
	return instances->launcher.root.alone;
}

struct instances *instances_close(struct instances *instances)
{
	if (!instances)
		return NULL;
	launcher_clear(&instances->launcher);
	closep(&instances->ends);
	limits_close(&instances->limits);
	map_for_each (&instances->watched, slot) {
		struct watched *watched = slot->value;

		loop_remove(watched->source);
		loop_remove(watched->grace);
		closep(&watched->pidfd);
		free(watched);
	}
	map_clear(&instances->watched);
	for (char **path = instances->hidden; *path; path++)
		free(*path);
	free(instances->hidden);
	free(instances->disks);
	free(instances->staged);
	free(instances);
	return NULL;
}
