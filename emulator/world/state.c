/* The state directory: see state.h. */
#include "world/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const our_files[] = { "world.db",	     "world.db-wal", "world.db-shm",
					 "world.db-journal", "credentials",  "lock" };
static const char *const run_files[] = { "endpoint", "endpoint.new", "daemon.log" };

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(our_files); i++)
		if (streq(our_files[i], name))
			return true;
	return streq(name, ".") || streq(name, "..");
}

/* Somebody else's directory is one with other files in it and no database of ours. */
static int check_ours(const struct paths *paths, struct error *error)
{
	CLEANUP(closedirp) DIR *directory = opendir(paths->state);
	struct dirent *entry;

	if (!directory)
		return error_sys(error, errno, "state directory %s", paths->state);
	if (access(paths->database, F_OK) == 0)
		return 0;
	while ((entry = readdir(directory)))
		if (!is_ours(entry->d_name))
			return error_sys(
				error, ENOTEMPTY,
				"state directory %s holds files that are not minivpc's (%s); "
				"name another with --state",
				paths->state, entry->d_name);
	return 0;
}

static int make_directory(const char *path, mode_t mode, struct error *error)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return error_sys(error, errno, "%s", path);
	return 0;
}

/* A client's look at the lock holds it for a moment: try for a tenth of a second. */
static int lock(const struct paths *paths, int *ret_lock, struct error *error)
{
	CLEANUP(closep) int fd = open(paths->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char text[32];
	int length, holder;

	if (fd < 0)
		return error_sys(error, errno, "state directory %s", paths->state);
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK)
			return error_sys(error, errno, "%s", paths->lock);
		if (tries == 20) {
			state_holder(paths, &holder);
			error_set(error, ERROR_INTERNAL,
				  "state directory %s is in use by another daemon (pid %d)",
				  paths->state, holder);
			return -EWOULDBLOCK;
		}
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	length = snprintf(text, sizeof(text), "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length)
		return error_sys(error, errno, "%s", paths->lock);
	*ret_lock = steal_fd(&fd);
	return 0;
}

int state_take(const struct paths *paths, int *ret_lock, struct error *error)
{
	int r;

	if ((r = make_directory(paths->state, 0700, error)) < 0 ||
	    (r = check_ours(paths, error)) < 0 || (r = lock(paths, ret_lock, error)) < 0)
		return r;
	if ((r = make_directory(RUN_ROOT, 0755, error)) < 0 ||
	    (r = make_directory(paths->run, 0755, error)) < 0)
		closep(ret_lock);
	else
		state_withdraw(paths); /* what a killed daemon left */
	return r;
}

int state_take_existing(const struct paths *paths, int *ret_lock, struct error *error)
{
	int r;

	if (access(paths->state, F_OK) < 0)
		return error_sys(error, errno, "state directory %s", paths->state);
	if ((r = check_ours(paths, error)) < 0)
		return r;
	return lock(paths, ret_lock, error);
}

int state_holder(const struct paths *paths, int *ret_pid)
{
	CLEANUP(closep) int fd = open(paths->lock, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	*ret_pid = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		*ret_pid = atoi(text);
	return 0;
}

int state_credentials(const struct paths *paths, struct credentials *ret_credentials,
		      struct error *error)
{
	int r = credentials_read(paths->credentials, ret_credentials, error);

	return r == -ENOENT ? credentials_create(paths->credentials, ret_credentials, error) : r;
}

int state_announce(const struct paths *paths, const char *url, const char *region,
		   struct error *error)
{
	CLEANUP(freep) char *fresh = xasprintf("%s.new", paths->endpoint);
	FILE *file = fopen(fresh, "we");
	bool good;

	if (!file)
		return error_sys(error, errno, "%s", fresh);
	good = fprintf(file, "%s\n%s\n", url, region) > 0;
	good = fclose(file) == 0 && good;
	if (!good || rename(fresh, paths->endpoint) < 0)
		return error_sys(error, errno, "%s", paths->endpoint);
	return 0;
}

void state_withdraw(const struct paths *paths)
{
	unlink(paths->endpoint);
}

static int remove_files(const char *directory, const char *const names[], size_t count,
			struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", directory, names[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return error_sys(error, errno, "%s", path);
	}
	/* Something else in it is somebody else's: it stays. */
	if (rmdir(directory) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EBUSY)
		return error_sys(error, errno, "%s", directory);
	return 0;
}

int state_remove(const struct paths *paths, struct error *error)
{
	int r;

	if ((r = remove_files(paths->run, run_files, ARRAY_SIZE(run_files), error)) < 0)
		return r;
	rmdir(RUN_ROOT);
	return remove_files(paths->state, our_files, ARRAY_SIZE(our_files), error);
}
