/* Taking a world down, with or without its daemon. */
#include "world/internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instance/limit.h"
#include "world/state.h"
#include "world/uplink.h"

#define DAEMON_PATIENCE 15000 /* milliseconds for a daemon to end */

static int open_pidfd(int pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* The daemon holds the lock, so its pid can't be somebody else's. */
static int stop_daemon(const struct paths *paths, struct error *error)
{
	CLEANUP(closep) int fd = -1;
	struct pollfd wait;
	int pid, r = state_holder(paths, &pid);

	if (r < 0)
		return error_sys(error, r, "%s", paths->lock);
	if (!pid)
		return 0;
	fd = open_pidfd(pid);
	if (fd < 0)
		return errno == ESRCH ? 0 : error_sys(error, errno, "daemon %d", pid);
	wait = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		return error_sys(error, errno, "daemon %d", pid);
	if (poll(&wait, 1, DAEMON_PATIENCE) == 0)
		return error_sys(error, ETIMEDOUT, "daemon %d does not end", pid);
	return 0;
}

static int kill_processes(struct instances *instances, const struct model *model,
			  struct error *error)
{
	CLEANUP(freep) struct rid *ids = NULL;
	CLEANUP(freep) struct process *processes = NULL;
	size_t id_count = 0, count = 0;

	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct instance, instance, model->scopes[i], KIND_INSTANCE) {
			if (!instance->pid)
				continue;
			*array_grow(&ids, &id_count) = instance->resource.id;
			*array_grow(&processes, &count) = instance_process(instance);
		}
	}
	for_each_internet_host (host, model) {
		if (!host->pid)
			continue;
		*array_grow(&ids, &id_count) = host->resource.id;
		*array_grow(&processes, &count) = host_process(host);
	}
	return count ? instances_kill(instances, ids, processes, count, error) : 0;
}

/* Those that the store knows, now or until its last change. */
static int remove_namespaces(struct kernel *kernel, const struct model *model, struct store *store,
			     struct error *error)
{
	CLEANUP(freep) struct rid *ids = NULL, *orphans = NULL;
	size_t count, orphan_count, kept = 0;
	int r;

	if ((r = store_orphans(store, &orphans, &orphan_count, error)) < 0 ||
	    (r = kernel_list_netns(kernel, &ids, &count, error)) < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		bool ours = model_get(model, NULL, ids[i]) != NULL;

		for (size_t j = 0; j < orphan_count; j++)
			ours |= rid_equal(ids[i], orphans[j]);
		if (ours)
			ids[kept++] = ids[i];
	}
	return kept ? world_remove_netns(kernel, ids, kept, error) : 0;
}

static int take_down(const struct paths *paths, struct error *error)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(kernel_closep) struct kernel *kernel = NULL;
	struct instances *instances = NULL;
	struct model model = { 0 };
	int r;

	if (access(paths->database, F_OK) < 0) /* it never got so far */
		return limits_remove(paths->limits, error);
	if ((r = store_open(paths->database, &store, error)) < 0)
		return r;
	r = store_load(store, &model, error);
	if (r == 0)
		r = kernel_open(&kernel, error);
	if (r == 0)
		r = instances_open(NULL, NULL, NULL, NULL, &instances, error);
	if (r == 0)
		r = kill_processes(instances, &model, error);
	if (r == 0)
		r = limits_remove(paths->limits, error);
	if (r == 0)
		r = uplink_end(paths, error);
	if (r == 0)
		r = remove_namespaces(kernel, &model, store, error);
	if (r == 0)
		kernel_sweep(kernel);
	instances_close(instances);
	model_clear(&model);
	return r;
}

int world_down(const struct paths *paths, struct error *error)
{
	CLEANUP(closep) int lock = -1;
	int r;

	if (access(paths->state, F_OK) == 0) {
		if ((r = stop_daemon(paths, error)) < 0 ||
		    (r = state_take_existing(paths, &lock, error)) < 0 ||
		    (r = take_down(paths, error)) < 0)
			return r;
	}
	return state_remove(paths, error);
}
