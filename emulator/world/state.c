/* The state directory: see state.h. */
#include "world/state.h"

#include "world/uplink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

static const char *const our_files[] = { "world.db",	 "world.db-wal",
					 "world.db-shm", "world.db-journal",
					 "credentials",	 "credentials.new",
					 "lock" };
static const char *const run_files[] = { "endpoint", "endpoint.new", "daemon.log",  "disks",
					 "ends",     "limits",	     UPLINK_RECORD, UPLINK_LOG };

/* Of those, what a start makes before it may fail. */
static const char *const start_files[] = { "ends", "limits" };

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
	return streq(name, "images") || streq(name, ".") || streq(name, "..");
}

/*
 * Somebody else's directory is one that another user owns, that has a database of another kind, or
 * other files and no database.
 */
static int check_ours(const struct paths *paths, struct error *error)
{
	CLEANUP(closedirp) DIR *directory = opendir(paths->state);
	struct dirent *entry;
	struct stat status;
	int r;

	if (!directory || fstat(dirfd(directory), &status) < 0)
		return error_sys(error, errno, "state directory %s", paths->state);
	if (status.st_uid != geteuid())
		return error_sys(
			error, EPERM,
			"state directory %s belongs to another user (uid %d); name another "
			"with --state",
			paths->state, (int)status.st_uid);
	r = store_probe(paths->database, error);
	if (r != -ENOENT)
		return r < 0 ? error_wrap(error, r, "state directory %s", paths->state) : 0;
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

/* /run may be somebody else's: root's, for root of a user namespace. */
static int make_run_directories(const struct paths *paths, struct error *error)
{
	int r = make_directory(RUN_ROOT, 0755, error);

	if (r == 0)
		r = make_directory(paths->run, 0755, error);
	if (r == -EACCES)
		error_set(error, ERROR_INTERNAL,
			  "%s can't be made here: mount -t tmpfs tmpfs /run, and try again",
			  paths->run);
	return r;
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

static int remove_files(const char *directory, const char *const names[], size_t count,
			bool directory_too, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", directory, names[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return error_sys(error, errno, "%s", path);
	}
	/* Something else in it is somebody else's: it stays. */
	if (directory_too && rmdir(directory) < 0 && errno != ENOENT && errno != ENOTEMPTY &&
	    errno != EBUSY)
		return error_sys(error, errno, "%s", directory);
	return 0;
}

int state_take(const struct paths *paths, struct state *ret_state, struct error *error)
{
	struct state state = STATE_INIT;
	int r;

	state.made = mkdir(paths->state, 0700) == 0;
	if (!state.made && errno != EEXIST)
		return error_sys(error, errno, "state directory %s", paths->state);
	state.fresh = access(paths->database, F_OK) < 0;
	if ((r = check_ours(paths, error)) < 0 || (r = lock(paths, &state.lock, error)) < 0) {
		if (state.made)
			rmdir(paths->state);
		return r;
	}
	if ((r = make_run_directories(paths, error)) < 0)
		state_release(paths, &state, true);
	else
		state_withdraw(paths); /* what a killed daemon left */
	*ret_state = state;
	return r;
}

void state_release(const struct paths *paths, struct state *state, bool undo)
{
	struct error ignored = ERROR_INIT;

	if (state->lock < 0)
		return;
	if (undo && state->fresh)
		remove_files(paths->run, start_files, ARRAY_SIZE(start_files), false, &ignored);
	if (undo) {
		rmdir(paths->run); /* a client's log in it stays, for the client to show */
		rmdir(RUN_ROOT);
	}
	if (undo && state->fresh)
		remove_files(paths->state, our_files, ARRAY_SIZE(our_files), state->made, &ignored);
	closep(&state->lock);
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

int state_credentials(const struct paths *paths, struct credentials_list *ret_credentials,
		      struct error *error)
{
	CLEANUP(freep) char *fresh = xasprintf("%s.new", paths->credentials);
	int r = credentials_load(paths->credentials, ret_credentials, error);

	unlink(fresh); /* of an account whose making was cut short */
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

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

/* What archives held: links in there lead nowhere. */
static int remove_images(const struct paths *paths, struct error *error)
{
	if (nftw(paths->images, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return error_sys(error, errno, "%s", paths->images);
	return 0;
}

int state_remove(const struct paths *paths, struct error *error)
{
	int r;

	/* The disks go with the last who is in there. */
	if (umount2(paths->disks, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != ENOENT &&
	    errno != EINVAL)
		return error_sys(error, errno, "%s", paths->disks);
	if ((r = remove_files(paths->run, run_files, ARRAY_SIZE(run_files), true, error)) < 0)
		return r;
	rmdir(RUN_ROOT);
	if ((r = remove_images(paths, error)) < 0)
		return r;
	return remove_files(paths->state, our_files, ARRAY_SIZE(our_files), true, error);
}
