/*
 * Shifted owners: see shift.h. The layer is written as an overlay leaves it that has copied every
 * file's metadata up, but straight to memory and on all CPUs: first the directories, one after the
 * other, then what is in them, each by whoever is free.
 */
#include "instance/shift.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WORKERS_MAX 8
#define WORTH_IT    500 /* directories, for one more worker */

#define NO_DATA	       "trusted.overlay.metacopy" /* that is in the layer below */
#define OVERLAY	       "trusted.overlay."
#define ATTRIBUTES_MAX 4096 /* bytes of names, or of a value; what is longer is left out */

struct shift {
	uint32_t first, count;
	bool all;
	dev_t device;
	int host, layer;
	char **directories; /* of both, relative to them */
	size_t directory_count;
	atomic_size_t *next; /* the first that nobody has taken yet; all workers share it */
};

static bool has_owner(const struct shift *shift, const struct stat *status)
{
	return status->st_uid < shift->count && status->st_gid < shift->count;
}

static bool is_wanted(const struct shift *shift, const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return (shift->all ||
			(status->st_mode & (S_IROTH | S_IXOTH)) == (S_IROTH | S_IXOTH)) &&
		       status->st_dev == shift->device;
	if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode))
		return false; /* nobody may open them anyway */
	return shift->all || S_ISLNK(status->st_mode) ||
	       (S_ISREG(status->st_mode) && (status->st_mode & S_IROTH));
}

/* ---- a file or directory that was just made ---- */

/* In the working directory, below which `layer` has it too. Few files have any. */
static int copy_attributes(int layer, const char *name)
{
	char names[ATTRIBUTES_MAX], value[ATTRIBUTES_MAX], target[32 + NAME_MAX];
	const ssize_t length = llistxattr(name, names, sizeof(names));

	snprintf(target, sizeof(target), "/proc/self/fd/%d/%s", layer, name);
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		const ssize_t size = lgetxattr(name, names + at, value, sizeof(value));

		if (size >= 0 && strncmp(names + at, OVERLAY, strlen(OVERLAY)) != 0 &&
		    lsetxattr(target, names + at, value, (size_t)size, 0) < 0 &&
		    errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

/* chown() takes the set-user-id bits and the capabilities: it comes first. */
static int take_after(const struct shift *shift, int layer, const char *name,
		      const struct stat *status)
{
	const uint32_t first = has_owner(shift, status) ? shift->first : 0;
	const struct timespec times[] = { status->st_atim, status->st_mtim };

	if (fchownat(layer, name, first + status->st_uid, first + status->st_gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISLNK(status->st_mode) && fchmodat(layer, name, status->st_mode & 07777, 0) < 0) ||
	    utimensat(layer, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return copy_attributes(layer, name);
}

/* ---- files ---- */

static int make_link(int layer, const char *name)
{
	char target[PATH_MAX];
	const ssize_t length = readlink(name, target, sizeof(target) - 1);

	if (length < 0)
		return -errno;
	target[length] = '\0';
	return symlinkat(target, layer, name) < 0 ? -errno : 0;
}

static int make_file(int layer, const char *name, off_t size)
{
	CLEANUP(closep)
	int fd = openat(layer, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || (size && (ftruncate(fd, size) < 0 || fsetxattr(fd, NO_DATA, "", 0, 0) < 0)))
		return -errno;
	return 0;
}

static int shift_one(const struct shift *shift, int layer, const char *name)
{
	struct stat status;
	int r;

	if (fstatat(AT_FDCWD, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(status.st_mode) ||
	    !is_wanted(shift, &status) || !has_owner(shift, &status))
		return 0;
	if (S_ISLNK(status.st_mode))
		r = make_link(layer, name);
	else if (S_ISREG(status.st_mode))
		r = make_file(layer, name, status.st_size);
	else
		r = mknodat(layer, name, status.st_mode & S_IFMT, 0) < 0 ? -errno : 0;
	return r < 0 ? r : take_after(shift, layer, name, &status);
}

/* A directory and the files in it; it becomes the working directory. */
static int shift_directory(const struct shift *shift, const char *path)
{
	CLEANUP(closep) int layer = openat(shift->layer, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(shift->host, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat status;
	int r = 0;

	if (!directory || layer < 0 || fstat(fd, &status) < 0 || fchdir(fd) < 0) {
		r = errno == ENOENT ? 0 : -errno; /* gone meanwhile */
		if (directory)
			closedir(directory);
		else
			closep(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(directory)))
		if (entry->d_type != DT_DIR)
			r = shift_one(shift, layer, entry->d_name);
	closedir(directory);
	return r < 0 ? r : take_after(shift, layer, ".", &status); /* its time too: so it is last */
}

/* ---- directories ---- */

static bool is_self(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

/* Lists and makes those directly below one. */
static int find_directories(struct shift *shift, const char *path)
{
	int fd = openat(shift->host, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat status;
	int r = 0;

	if (!directory) {
		closep(&fd);
		return 0; /* gone meanwhile */
	}
	while (r == 0 && (entry = readdir(directory))) {
		CLEANUP(freep) char *below = NULL;

		if (is_self(entry->d_name) ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
		    fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(status.st_mode) || !is_wanted(shift, &status))
			continue;
		below = xasprintf("%s/%s", path, entry->d_name);
		r = mkdirat(shift->layer, below, 0700) < 0 ? -errno : 0;
		*array_grow(&shift->directories, &shift->directory_count) = steal(&below);
	}
	closedir(directory);
	return r;
}

/* ---- all of it ---- */

static int work(const struct shift *shift)
{
	int r = 0;

	while (r == 0) {
		const size_t next = atomic_fetch_add(shift->next, 1);

		if (next >= shift->directory_count)
			break;
		r = shift_directory(shift, shift->directories[next]);
	}
	return r;
}

static size_t count_workers(const struct shift *shift)
{
	const size_t worth = 1 + shift->directory_count / WORTH_IT;
	cpu_set_t cpus;
	const size_t free_cpus =
		sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : (size_t)CPU_COUNT(&cpus);

	return MIN(MIN(worth, free_cpus), (size_t)WORKERS_MAX);
}

/* Processes, for each has a working directory. The caller is one of them. */
static int work_together(const struct shift *shift)
{
	const size_t count = count_workers(shift);
	const pid_t parent = getpid();
	pid_t workers[WORKERS_MAX];
	int r, status;

	for (size_t i = 1; i < count; i++) {
		workers[i] = fork();
		if (workers[i] != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(getppid() == parent ? -work(shift) : EOWNERDEAD);
	}
	r = work(shift);
	for (size_t i = 1; i < count; i++) {
		if (workers[i] < 0) /* the others have done it */
			continue;
		if (waitpid(workers[i], &status, 0) < 0 || !WIFEXITED(status))
			r = -ECHILD;
		else if (r == 0)
			r = -WEXITSTATUS(status);
	}
	return r;
}

static int shift_all(struct shift *shift)
{
	int r = 0;

	*array_grow(&shift->directories, &shift->directory_count) = xstrdup(".");
	for (size_t i = 0; r == 0 && i < shift->directory_count; i++)
		r = find_directories(shift, shift->directories[i]);
	if (r == 0)
		r = work_together(shift);
	for (size_t i = 0; i < shift->directory_count; i++)
		free(shift->directories[i]);
	free(shift->directories);
	return r;
}

int shift_make(uint32_t first_id, uint32_t count, bool all, struct error *error)
{
	struct shift shift = { .first = first_id, .count = count, .all = all };
	CLEANUP(closep) int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int host = open("host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int layer = -1;
	struct stat status;
	int r;

	if (here < 0 || host < 0 || fstat(host, &status) < 0 || mkdir("shift", 0755) < 0 ||
	    mkdir("shift/upper", 0755) < 0)
		return error_sys(error, errno, "a layer of owners");
	layer = open("shift/upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	shift.next = mmap(NULL, sizeof(*shift.next), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (layer < 0 || shift.next == MAP_FAILED)
		return error_sys(error, errno, "a layer of owners");
	shift.host = host;
	shift.layer = layer;
	shift.device = status.st_dev;
	r = shift_all(&shift);
	munmap(shift.next, sizeof(*shift.next));
	if (fchdir(here) < 0)
		r = -errno;
	return r < 0 ? error_sys(error, r, "a layer of owners") : 0;
}
