/*
 * Launching: see instance.h. A window of requests is kept under way, so that the launcher clones
 * the next init while the caller wires the one before, and mounts are made on their own time:
 *
 *	daemon    request … take 1, wire 1, take 2, wire 2 …        ready, store, commit
 *	launcher            clone 1, clone 2, clone 3 …
 *	init 1                       mounts, report, wait for the lifeline's byte
 */
#include "instance/image.h"
#include "instance/init.h"
#include "instance/process.h"
#include "instance/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW	 16
#define READY_MS 10000

enum {
	READ,
	WRITE
};

struct launch {
	struct instances *instances;
	struct rid *ids;
	struct rid *images;
	struct init_identity *identities;
	uint64_t *memories;	   /* their limits */
	int *boots;		   /* the scripts, each a file; -1: none */
	struct process *processes; /* those taken */
	bool *is_ready;
	bool *is_fresh; /* of those taken: its disk was made for it */
	size_t count, sent, answered, taken, ready;
	int report[2], lifeline[2];
};

static void launch_free(struct launch *launch)
{
	if (launch->instances->receiving == launch)
		launch->instances->receiving = NULL;
	for (int end = READ; end <= WRITE; end++) {
		closep(&launch->report[end]);
		closep(&launch->lifeline[end]);
	}
	free(launch->ids);
	free(launch->images);
	for (size_t i = 0; i < launch->count; i++)
		closep(&launch->boots[i]);
	free(launch->boots);
	free(launch->identities);
	free(launch->memories);
	free(launch->is_fresh);
	free(launch->processes);
	free(launch->is_ready);
	free(launch);
}

static struct launch *launch_new(struct instances *instances, const struct instance_spec *specs,
				 size_t count)
{
	struct launch *launch = xcalloc(1, sizeof(*launch));

	launch->instances = instances;
	launch->count = count;
	launch->ids = xcalloc(count, sizeof(*launch->ids));
	launch->images = xcalloc(count, sizeof(*launch->images));
	launch->identities = xcalloc(count, sizeof(*launch->identities));
	launch->memories = xcalloc(count, sizeof(*launch->memories));
	launch->boots = xcalloc(count, sizeof(*launch->boots));
	launch->is_fresh = xcalloc(count, sizeof(*launch->is_fresh));
	launch->processes = xcalloc(count, sizeof(*launch->processes));
	launch->is_ready = xcalloc(count, sizeof(*launch->is_ready));
	for (size_t i = 0; i < count; i++) {
		launch->ids[i] = specs[i].id;
		launch->images[i] = specs[i].image;
		launch->identities[i] = specs[i].identity;
		launch->memories[i] = specs[i].memory;
		launch->boots[i] = -1;
	}
	for (int end = READ; end <= WRITE; end++)
		launch->report[end] = launch->lifeline[end] = -1;
	return launch;
}

static void put_name(struct rid id, char ret_name[DISK_NAME_MAX])
{
	struct rid_text text = rid_format(id);

	static_assert(sizeof(text.text) <= DISK_NAME_MAX, "any id");
	memcpy(ret_name, text.text, sizeof(text.text));
}

static int send_next(struct launch *launch, struct error *error)
{
	const struct limits *limits = &launch->instances->limits;
	const size_t next = launch->sent;
	const struct rid id = launch->ids[next];
	struct launcher_request request = {
		.task = LAUNCHER_CLONE,
		.index = (uint32_t)next,
		.first = next == 0,
		.boot = launch->boots[next] >= 0,
		/* Not one of a user, nor the two that mean none. */
		.owner = 0x80000000u | ((uint32_t)id.n & 0x7ffffff0u),
		.identity = launch->identities[next],
	};
	int fds[LAUNCHER_FDS] = { launch->report[WRITE], launch->lifeline[READ] };
	CLEANUP(closep) int group = -1;
	int r, *end = fds + (request.first ? 2 : 0);

	put_name(id, request.disk);
	put_name(launch->images[next], request.image);
	r = limits_make(limits, request.disk, launch->memories[next], &group, error);
	if (r < 0)
		return r;
	if (request.boot)
		*end++ = launch->boots[next];
	if (group >= 0) {
		request.limited = (uint32_t)limits->version;
		*end = group;
	}
	r = launcher_request(&launch->instances->launcher, &request, fds, error);
	if (r < 0) {
		limits_leave(limits, request.disk);
		return r;
	}
	closep(&launch->boots[next]);
	launch->sent++;
	return 0;
}

static int fill_window(struct launch *launch, struct error *error)
{
	int r = 0;

	while (r == 0 && launch->sent < launch->count && launch->sent - launch->answered < WINDOW)
		r = send_next(launch, error);
	return r;
}

static int ensure_launcher(struct instances *instances, struct error *error)
{
	struct launcher *launcher = &instances->launcher;
	int r;

	if (!launcher_alive(launcher)) {
		instances->staged_count = 0;
		launcher_stop(launcher);
		r = launcher_start(launcher, error);
		if (r < 0)
			return r;
	}
	return launcher_wait_staged(launcher, error);
}

static struct staged_image *find_staged(struct instances *instances, struct rid id)
{
	for (size_t i = 0; i < instances->staged_count; i++)
		if (rid_equal(instances->staged[i].id, id))
			return &instances->staged[i];
	return NULL;
}

/* What is at its path now: a directory that was made anew is another one. */
static int ensure_image(struct instances *instances, const struct instance_spec *spec,
			struct error *error)
{
	struct staged_image *staged = find_staged(instances, spec->image);
	struct stat status;
	int r;

	if (stat(spec->image_path, &status) < 0)
		return error_sys(error, errno, "%s: %s", rid_format(spec->image).text,
				 spec->image_path);
	if (staged && staged->device == status.st_dev && staged->inode == status.st_ino)
		return 0;
	r = image_stage(instances->launcher.pid, rid_format(spec->image).text, spec->image_path,
			instances->launcher.root.first_id, error);
	if (r < 0)
		return error_wrap(error, r, "%s", rid_format(spec->image).text);
	if (!staged)
		staged = array_grow(&instances->staged, &instances->staged_count);
	*staged = (struct staged_image){ spec->image, status.st_dev, status.st_ino };
	return 0;
}

static int ensure_images(struct instances *instances, const struct instance_spec *specs,
			 size_t count, struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		if (rid_is_set(specs[i].image) &&
		    (i == 0 || !rid_equal(specs[i].image, specs[i - 1].image)))
			r = ensure_image(instances, &specs[i], error);
	return r;
}

/* A file that is only read from, each time from its beginning: it is not shared. */
static int keep_boots(struct launch *launch, const struct instance_spec *specs, struct error *error)
{
	for (size_t i = 0; i < launch->count; i++) {
		const char *text = specs[i].boot;
		const size_t length = text ? strlen(text) : 0;

		if (!text)
			continue;
		launch->boots[i] = memfd_create("boot", MFD_CLOEXEC);
		if (launch->boots[i] < 0 ||
		    write(launch->boots[i], text, length) != (ssize_t)length ||
		    lseek(launch->boots[i], 0, SEEK_SET) < 0)
			return error_sys(error, errno, "user data of %s",
					 rid_format(launch->ids[i]).text);
	}
	return 0;
}

int instances_launch_begin(struct instances *instances, const struct instance_spec *specs,
			   size_t count, struct launch **ret_launch, struct error *error)
{
	struct launch *launch;
	int r;

	if (!instances->loop || instances->receiving)
		return error_sys(error, EBUSY, "launching");
	r = ensure_launcher(instances, error);
	if (r == 0)
		r = ensure_images(instances, specs, count, error);
	if (r < 0)
		return r;
	launch = launch_new(instances, specs, count);
	if (pipe2(launch->report, O_CLOEXEC) < 0 || pipe2(launch->lifeline, O_CLOEXEC) < 0 ||
	    fcntl(launch->report[READ], F_SETFL, O_NONBLOCK) < 0) {
		r = error_sys(error, errno, "a pipe to the instances");
		launch_free(launch);
		return r;
	}
	instances->receiving = count ? launch : NULL;
	r = keep_boots(launch, specs, error);
	if (r == 0)
		r = fill_window(launch, error);
	if (r < 0) {
		launch_cancel(launch);
		return r;
	}
	*ret_launch = launch;
	return 0;
}

/* Takes in what is there; inits must not wait for us in a full pipe. */
static int take_reports(struct launch *launch, struct error *error)
{
	struct init_report reports[64];
	ssize_t size;

	do {
		size = read(launch->report[READ], reports, sizeof(reports));
		for (size_t i = 0; size > 0 && i < (size_t)size / sizeof(*reports); i++) {
			uint32_t index = reports[i].index;

			if (index >= launch->count)
				return error_sys(error, EPROTO, "an instance's report");
			if (reports[i].sys)
				return error_sys(error, reports[i].sys, "%s: %.*s",
						 rid_format(launch->ids[index]).text,
						 (int)sizeof(reports[i].step), reports[i].step);
			launch->ready += !launch->is_ready[index];
			launch->is_ready[index] = true;
		}
	} while (size == sizeof(reports));
	return 0;
}

/* Forgets a process that nobody else knows of yet. */
static void discard(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int watch(struct launch *launch, pid_t pid, struct error *error)
{
	struct process *process = &launch->processes[launch->taken];
	struct rid id = launch->ids[launch->taken];
	CLEANUP(closep) int pidfd = -1;
	int r;

	process->pid = pid;
	r = process_start_time(pid, &process->start_time);
	if (r == -ESRCH) { /* a zombie: it may have said why */
		r = take_reports(launch, error);
		return r < 0 ? r : error_sys(error, ESRCH, "%s", rid_format(id).text);
	}
	/* Ours and not reaped: the pid can't be anybody else's. */
	if (r == 0)
		pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		r = r < 0 ? -r : errno;
		return error_sys(error, r, "watching %s%s", rid_format(id).text,
				 r == EMFILE ? " (raise the limit, ulimit -n)" : "");
	}
	return watch_add(launch->instances, id, *process, steal_fd(&pidfd), error);
}

int launch_next(struct launch *launch, struct process *ret_process, struct error *error)
{
	struct launcher_clone clone;
	int r;

	if (launch->taken == launch->count)
		return error_sys(error, EINVAL, "a launch has no more instances");
	r = launcher_reply(&launch->instances->launcher, &clone, error);
	launch->answered++;
	if (r < 0)
		return r;
	r = watch(launch, clone.pid, error);
	if (r < 0) {
		discard(clone.pid);
		if (clone.fresh)
			instances_forget(launch->instances, &launch->ids[launch->taken], 1);
		return r;
	}
	launch->is_fresh[launch->taken] = clone.fresh;
	*ret_process = launch->processes[launch->taken++];
	if (launch->taken == launch->count)
		launch->instances->receiving = NULL;
	r = take_reports(launch, error);
	return r < 0 ? r : fill_window(launch, error);
}

/* The first that has not reported has either done so meanwhile, or ended. */
static int wait_report(struct launch *launch, size_t first, int64_t deadline, struct error *error)
{
	struct pollfd fds[2] = {
		{ .fd = launch->report[READ], .events = POLLIN },
		{ .fd = watch_pidfd(launch->instances, launch->ids[first]), .events = POLLIN },
	};
	int n = poll(fds, 2, (int)MAX(deadline - now_ms(), (int64_t)0));
	int r;

	if (n < 0 && errno != EINTR)
		return error_sys(error, errno, "waiting for instances");
	if (n == 0)
		return error_sys(error, ETIMEDOUT, "%s: not ready",
				 rid_format(launch->ids[first]).text);
	r = take_reports(launch, error);
	if (r == 0 && n > 0 && !launch->is_ready[first] && fds[1].revents)
		return error_sys(error, ESRCH, "%s ended while it was being set up",
				 rid_format(launch->ids[first]).text);
	return r;
}

int launch_ready(struct launch *launch, struct error *error)
{
	int64_t deadline = now_ms() + READY_MS;
	size_t first = 0;

	if (launch->taken < launch->count)
		return error_sys(error, EINVAL, "a launch with instances not taken");
	while (launch->ready < launch->count) {
		int r;

		while (launch->is_ready[first])
			first++;
		r = wait_report(launch, first, deadline, error);
		if (r < 0)
			return r;
	}
	return 0;
}

#define COMMIT_TRIES 100 /* of what can only be interrupted */

struct launch *launch_commit(struct launch *launch)
{
	assert(launch->taken == launch->count);
	for (size_t i = 0; i < launch->count; i++)
		watch_place(launch->instances, launch->ids[i]);
	/* One byte for all: they look and leave it there. We hold a reading end too, so there is
	 * always a reader and always room. */
	for (int i = 0; i < COMMIT_TRIES && write(launch->lifeline[WRITE], "", 1) < 0; i++)
		;
	launch_free(launch);
	return NULL;
}

/* Those that the launcher made and nobody took; the groups go when nobody can be in them. */
static void discard_pending(struct launch *launch)
{
	struct launcher *launcher = &launch->instances->launcher;
	struct error ignored = ERROR_INIT;
	struct launcher_clone clone;
	pid_t pid;

	for (; launch->answered < launch->sent; launch->answered++) {
		if (launcher_reply(launcher, &clone, &ignored) < 0)
			continue;
		discard(clone.pid);
		if (clone.fresh)
			instances_forget(launch->instances, &launch->ids[launch->answered], 1);
	}
	pid = launcher_unreported(launcher);
	if (pid)
		discard(pid);
	for (size_t i = launch->taken; i < launch->sent; i++)
		limits_leave(&launch->instances->limits, rid_format(launch->ids[i]).text);
}

struct launch *launch_cancel(struct launch *launch)
{
	struct error ignored = ERROR_INIT; /* what could not be killed loses its lifeline below */

	if (!launch)
		return NULL;
	discard_pending(launch);
	instances_kill(launch->instances, launch->ids, launch->processes, launch->taken, &ignored);
	for (size_t i = 0; i < launch->taken; i++)
		if (launch->is_fresh[i])
			instances_forget(launch->instances, &launch->ids[i], 1);
	launch_free(launch);
	return NULL;
}

void launch_cancelp(struct launch **launch)
{
	*launch = launch_cancel(*launch);
}

int instances_launch(struct instances *instances, const struct instance_spec *specs, size_t count,
		     struct process *ret_processes, struct error *error)
{
	CLEANUP(launch_cancelp) struct launch *launch = NULL;
	int r;

	r = instances_launch_begin(instances, specs, count, &launch, error);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = launch_next(launch, &ret_processes[i], error);
	if (r == 0)
		r = launch_ready(launch, error);
	if (r == 0)
		launch = launch_commit(launch);
	return r;
}

/* ---- disks ---- */

static bool has_disks(const struct instances *instances)
{
	return instances->disks && access(instances->disks, F_OK) == 0;
}

#define FORGET_TRIES 2 /* what stays until the next start takes memory */

void instances_forget(struct instances *instances, const struct rid *ids, size_t count)
{
	struct error ignored = ERROR_INIT;

	for (size_t i = 0; i < count && launcher_alive(&instances->launcher); i++) {
		struct launcher_request request = { .task = LAUNCHER_FORGET };
		int r = -1;

		put_name(ids[i], request.disk);
		for (int tries = 0; r < 0 && tries < FORGET_TRIES; tries++)
			r = launcher_request(&instances->launcher, &request, NULL, &ignored);
	}
}

int instances_keep(struct instances *instances, bool (*is_kept)(void *context, const char *id),
		   void *context, struct error *error)
{
	struct launcher_request request = { .task = LAUNCHER_FORGET };
	char **names;
	size_t count;
	int r;

	if (!has_disks(instances))
		return 0; /* nothing was ever launched */
	r = ensure_launcher(instances, error);
	if (r == 0)
		r = launcher_list(&instances->launcher, &names, &count, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (r == 0 && !(is_kept && is_kept(context, names[i]))) {
			snprintf(request.disk, sizeof(request.disk), "%s", names[i]);
			r = launcher_request(&instances->launcher, &request, NULL, error);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

/* The mount namespace of the disks is the launcher's, but for moments. */
static void source_of_disks(const struct instances *instances, char path[32])
{
	snprintf(path, 32, "/proc/%d/ns/mnt", (int)instances->launcher.pid);
}

bool instances_keeps_disks(const struct instances *instances)
{
	struct stat kept, wanted;
	char source[32];

	if (!instances->disks || !launcher_alive(&instances->launcher))
		return true; /* nothing is to be kept, or nobody knows */
	source_of_disks(instances, source);
	return stat(source, &wanted) < 0 ||
	       (stat(instances->disks, &kept) == 0 && kept.st_dev == wanted.st_dev &&
		kept.st_ino == wanted.st_ino);
}

int instances_keep_again(struct instances *instances, struct error *error)
{
	CLEANUP(closep) int fd = -1;
	char source[32];

	if (instances_keeps_disks(instances))
		return 0;
	source_of_disks(instances, source);
	fd = open(instances->disks, O_RDONLY | O_CREAT | O_CLOEXEC, 0400);
	if (fd < 0 || mount(source, instances->disks, NULL, MS_BIND, NULL) < 0)
		return error_sys(error, errno, "%s", instances->disks);
	return 0;
}

/* ---- images ---- */

void instances_unstage(struct instances *instances, struct rid image)
{
	struct launcher_request request = { .task = LAUNCHER_UNSTAGE };
	struct staged_image *staged = find_staged(instances, image);
	struct error ignored = ERROR_INIT;

	if (staged)
		*staged = instances->staged[--instances->staged_count];
	put_name(image, request.image);
	if (launcher_alive(&instances->launcher))
		launcher_request(&instances->launcher, &request, NULL, &ignored);
}

/* ---- what they said ---- */

static int read_log(int fd, uint64_t from, struct instance_log *log)
{
	char bytes[INSTANCE_LOG_MAX];
	struct stat status;
	uint64_t size;
	ssize_t length;

	if (fstat(fd, &status) < 0)
		return -errno;
	size = (uint64_t)status.st_size;
	if (from == INSTANCE_LOG_END)
		from = size - MIN(size, (uint64_t)sizeof(bytes));
	else if (from > size)
		from = 0;
	length = pread(fd, bytes, sizeof(bytes), (off_t)from);
	if (length < 0)
		return -errno;
	buffer_append(&log->text, bytes, (size_t)length);
	log->end = from + (uint64_t)length;
	log->time = status.st_mtim.tv_sec;
	return 0;
}

int instances_log(struct instances *instances, struct rid id, uint64_t from,
		  struct instance_log *ret_log, struct error *error)
{
	struct instance_log log = { .text = BUFFER_INIT };
	char disk[DISK_NAME_MAX];
	CLEANUP(closep) int fd = -1;
	int r = 0;

	if (instances->receiving)
		return error_sys(error, EBUSY, "launching");
	put_name(id, disk);
	if (has_disks(instances) && (r = ensure_launcher(instances, error)) == 0)
		r = launcher_log(&instances->launcher, disk, &fd, error);
	if (r < 0)
		return r;
	if (fd >= 0 && (r = read_log(fd, from, &log)) < 0)
		return error_sys(error, r, "the console of %s", rid_format(id).text);
	*ret_log = log;
	return 0;
}
