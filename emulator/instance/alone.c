/* Instances without ids of their own: see alone.h. */
#include "instance/alone.h"

#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_MAX                                                                                   \
	(256 << 10) /* bytes of one in /etc; what is larger is nothing that is asked for           \
		     */
#define DEPTH_MAX 4

/* Programs, and what they need. */
static const char *const bound[] = { "usr", "bin", "sbin", "lib", "lib32", "lib64" };
static_assert(ARRAY_SIZE(bound) <= ALONE_BOUND_MAX, "all of them");

static const char *const empty[] = { "boot", "dev",	  "etc",     "home",	"mnt",	  "opt",
				     "proc", "root",	  "run",     "srv",	"sys",	  "tmp",
				     "var",  "var/cache", "var/lib", "var/log", "var/tmp" };

static bool lacks(const char *path, uint32_t first, uint32_t count)
{
	unsigned int from, length;
	FILE *file = fopen(path, "re");
	bool found = false;

	while (file && !found && fscanf(file, "%u %*u %u", &from, &length) == 2)
		found = first >= from && first - from < length && count <= length - (first - from);
	if (file)
		fclose(file);
	return file && !found;
}

bool alone_lacks(uint32_t first, uint32_t count)
{
	return lacks("/proc/self/uid_map", first, count) ||
	       lacks("/proc/self/gid_map", first, count);
}

/* ---- in the host's mounts ---- */

/* With all that is mounted below: in a user namespace nothing may be uncovered. */
static int copy_tree(int directory, const char *name)
{
	return open_tree(directory, name,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
}

int alone_take(struct alone *ret_alone, const char *const devices[], size_t count,
	       struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	struct stat status;

	memset(ret_alone, -1, sizeof(*ret_alone)); /* of each file: there is none */
	ret_alone->root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret_alone->etc = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret_alone->proc = copy_tree(AT_FDCWD, "/proc");
	if (ret_alone->root < 0 || ret_alone->proc < 0)
		return error_sys(error, errno, "a copy of /proc");
	for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
		if (fstatat(ret_alone->root, bound[i], &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(status.st_mode))
			continue;
		ret_alone->bound[i] = copy_tree(ret_alone->root, bound[i]);
		if (ret_alone->bound[i] < 0 ||
		    mount_setattr(ret_alone->bound[i], "", AT_EMPTY_PATH | AT_RECURSIVE,
				  &attributes, sizeof(attributes)) < 0)
			return error_sys(error, errno, "a copy of /%s", bound[i]);
	}
	for (size_t i = 0; i < count && i < ALONE_DEVICES_MAX; i++) {
		CLEANUP(freep) char *path = xasprintf("/dev/%s", devices[i]);

		ret_alone->devices[i] = copy_tree(AT_FDCWD, path);
		if (ret_alone->devices[i] < 0)
			return error_sys(error, errno, "%s", path);
	}
	return 0;
}

void alone_close(struct alone *alone)
{
	closep(&alone->root);
	closep(&alone->etc);
	closep(&alone->proc);
	for (size_t i = 0; i < ALONE_BOUND_MAX; i++)
		closep(&alone->bound[i]);
	for (size_t i = 0; i < ALONE_DEVICES_MAX; i++)
		closep(&alone->devices[i]);
}

/* ---- a layer ---- */

static int copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(from, name, target, sizeof(target) - 1);

	if (length < 0)
		return -errno;
	target[length] = '\0';
	return symlinkat(target, to, name) < 0 ? -errno : 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *status)
{
	CLEANUP(closep) int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(closep) int out = -1;
	char data[16384];
	ssize_t size;

	if (in < 0)
		return errno == EACCES || errno == ENOENT ? 0 : -errno;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	while ((size = read(in, data, sizeof(data))) > 0)
		if (write(out, data, (size_t)size) != size)
			return -EIO;
	return size < 0 || fchmod(out, status->st_mode & 0777) < 0 ? -errno : 0;
}

static bool is_public(const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return (status->st_mode & (S_IROTH | S_IXOTH)) == (S_IROTH | S_IXOTH);
	return S_ISLNK(status->st_mode) ||
	       (S_ISREG(status->st_mode) && (status->st_mode & S_IROTH) &&
		status->st_size <= FILE_MAX);
}

/* What is in a directory, into another that is empty. Takes `from` over. */
static int copy_directory(int from, int to, int depth)
{
	DIR *directory = fdopendir(from);
	struct dirent *entry;
	struct stat status;
	int r = 0;

	if (!directory) {
		closep(&from);
		return -errno;
	}
	while (r == 0 && (entry = readdir(directory))) {
		const char *name = entry->d_name;

		if (streq(name, ".") || streq(name, "..") ||
		    fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !is_public(&status))
			continue;
		if (S_ISLNK(status.st_mode)) {
			r = copy_link(from, to, name);
		} else if (S_ISREG(status.st_mode)) {
			r = copy_file(from, to, name, &status);
		} else if (depth > 0) {
			int below =
				openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			CLEANUP(closep) int copy = -1;

			if (below < 0)
				continue;
			if (mkdirat(to, name, 0755) == 0)
				copy = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (copy < 0) {
				r = -errno;
				close(below);
			} else {
				r = copy_directory(below, copy, depth - 1);
			}
		}
	}
	closedir(directory);
	return r;
}

/* Where programs are: a link is a link, a directory something to mount at. */
static int place_bound(const struct alone *alone, int host)
{
	char path[32];

	for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
		struct stat status;
		int r;

		if (alone->bound[i] < 0) {
			r = copy_link(alone->root, host, bound[i]);
			if (r < 0 && r != -ENOENT && r != -EINVAL)
				return r;
			continue;
		}
		snprintf(path, sizeof(path), ALONE_BOUND "/%s", bound[i]);
		if (fstat(alone->bound[i], &status) < 0 || mkdirat(host, bound[i], 0755) < 0 ||
		    mkdir(path, 0755) < 0 ||
		    move_mount(alone->bound[i], "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -errno;
	}
	return 0;
}

int alone_fill(const struct alone *alone, struct error *error)
{
	CLEANUP(closep) int host = -1;
	CLEANUP(closep) int etc = -1;
	int from, r;

	if (mkdir("host", 0755) < 0 || mkdir(ALONE_BOUND, 0755) < 0)
		return error_sys(error, errno, "a layer");
	host = open("host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		if (mkdirat(host, empty[i], streq(empty[i], "root") ? 0700 : 0755) < 0)
			return error_sys(error, errno, "/%s", empty[i]);
	if (fchmodat(host, "var/tmp", 01777, 0) < 0)
		return error_sys(error, errno, "/var/tmp");
	r = place_bound(alone, host);
	if (r < 0)
		return error_sys(error, r, "this machine's programs");
	etc = openat(host, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	from = alone->etc < 0 ? -1 : fcntl(alone->etc, F_DUPFD_CLOEXEC, 0);
	r = from < 0 ? 0 : copy_directory(from, etc, DEPTH_MAX);
	return r < 0 ? error_sys(error, r, "a copy of /etc") : 0;
}

/* ---- a disk ---- */

int alone_bind(const char *place, const char *disk)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
		CLEANUP(closep) int tree = -1;

		stpcpy(stpcpy(stpcpy(from, place), "/"), bound[i]);
		stpcpy(stpcpy(stpcpy(to, disk), "/"), bound[i]);
		tree = open_tree(AT_FDCWD, from,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (tree < 0 && errno == ENOENT)
			continue;
		if (tree < 0 || move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -1;
	}
	return 0;
}
