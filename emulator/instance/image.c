/* Images, staged: see image.h. */
#include "instance/image.h"

#include "instance/disk.h"
#include "instance/shift.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE_MAX (sizeof(ROOT_IMAGES) + DISK_NAME_MAX)

static void place(char path[PLACE_MAX], const char *name)
{
	stpcpy(stpcpy(path, ROOT_IMAGES "/"), name);
}

int image_unstage(const char *name)
{
	char path[PLACE_MAX];

	place(path, name);
	return root_vacate(path);
}

/* ---- staging, in a child ---- */

/* A copy of the directory's mount, with the owners that instances have where that can be. */
static int copy_directory(const char *path, uint32_t first_id, int *ret_tree, bool *ret_shifted,
			  struct error *error)
{
	CLEANUP(closep) int mapping = -1;
	CLEANUP(closep)
	int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV,
	};
	struct stat status;
	int r;

	*ret_shifted = false;

	if (tree < 0 || fstat(tree, &status) < 0)
		return error_sys(error, errno, "%s", path);
	if (!S_ISDIR(status.st_mode))
		return error_sys(error, ENOTDIR, "%s", path);
	if (first_id) {
		r = root_mapping(first_id, &mapping);
		if (r < 0)
			return error_sys(error, r, "a user namespace");
		attributes.userns_fd = (uint64_t)mapping;
		attributes.attr_set |= MOUNT_ATTR_IDMAP;
		*ret_shifted =
			mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0;
		attributes.attr_set &= ~(uint64_t)MOUNT_ATTR_IDMAP;
	}
	if ((*ret_shifted || !first_id) &&
	    mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return error_sys(error, errno, "making a copy of %s read-only", path);
	*ret_tree = steal_fd(&tree);
	return 0;
}

static int enter(pid_t launcher, struct error *error)
{
	CLEANUP(closep) int mounts = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)launcher);
	mounts = open(path, O_RDONLY | O_CLOEXEC);
	if (mounts < 0 || setns(mounts, CLONE_NEWNS) < 0)
		return error_sys(error, errno, "the world's mount namespace");
	return 0;
}

/* Whole, and the same directory: while it is staged its inode can't become another's. */
static bool is_staged(const char *name, int tree)
{
	char path[PLACE_MAX + 8];
	struct stat staged, wanted;

	place(path, name);
	strcat(path, "/at");
	if (lstat(path, &staged) < 0)
		return false;
	place(path, name);
	strcat(path, "/host");
	return stat(path, &staged) == 0 && fstat(tree, &wanted) == 0 &&
	       staged.st_dev == wanted.st_dev && staged.st_ino == wanted.st_ino;
}

static int stage(const char *name, const char *path, int tree, bool shifted, uint32_t first_id,
		 struct error *error)
{
	char place_of_it[PLACE_MAX];

	place(place_of_it, name);
	if ((mkdir(ROOT_IMAGES, 0755) < 0 && errno != EEXIST) || image_unstage(name) < 0 ||
	    mkdir(place_of_it, 0755) < 0 ||
	    mount("tmpfs", place_of_it, "tmpfs", MS_NODEV, "mode=755") < 0 ||
	    chdir(place_of_it) < 0 || mkdir("host", 0755) < 0 ||
	    move_mount(tree, "", AT_FDCWD, "host", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_sys(error, errno, "placing %s", path);
	if (shifted) {
		int r = shift_make(first_id, ROOT_IDS, true, error);

		if (r < 0)
			return r;
	}
	return symlink(path, "at") < 0 ? error_sys(error, errno, "placing %s", path) : 0;
}

static int stage_here(pid_t launcher, const char *name, const char *path, uint32_t first_id,
		      struct error *error)
{
	CLEANUP(closep) int tree = -1;
	bool shifted;
	int r;

	if ((r = copy_directory(path, first_id, &tree, &shifted, error)) < 0 ||
	    (r = enter(launcher, error)) < 0 || is_staged(name, tree))
		return r;
	r = stage(name, path, tree, shifted, first_id, error);
	if (r < 0 && chdir("/") == 0)
		image_unstage(name);
	return r;
}

/* What the child has to say: 0 or a negative errno, and the text of it. */
struct outcome {
	int result;
	struct error error;
};

int image_stage(pid_t launcher, const char *name, const char *path, uint32_t first_id,
		struct error *error)
{
	struct outcome outcome = { 0, ERROR_INIT };
	ssize_t size;
	pid_t child;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_sys(error, errno, "staging %s", path);
	child = fork();
	if (child == 0) {
		outcome.result = stage_here(launcher, name, path, first_id, &outcome.error);
		_exit(write(pair[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	close(pair[1]);
	size = child < 0 ? -1 : read(pair[0], &outcome, sizeof(outcome));
	close(pair[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (size != sizeof(outcome))
		return error_sys(error, child < 0 ? EAGAIN : EPIPE, "staging %s", path);
	if (outcome.result < 0)
		*error = outcome.error;
	return outcome.result;
}
