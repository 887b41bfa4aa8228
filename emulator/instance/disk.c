/* Disks: see disk.h. */
#include "instance/disk.h"

#include "instance/alone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PER_INODE 8192 /* bytes of a disk for each file that it may have, or have removed */

void disk_options(uint64_t size, uint32_t first_id, char ret_options[DISK_OPTIONS_MAX])
{
	snprintf(ret_options, DISK_OPTIONS_MAX, "mode=755,uid=%u,gid=%u,size=%llu,nr_inodes=%llu",
		 first_id, first_id, (unsigned long long)size,
		 (unsigned long long)(size / PER_INODE) + 1024);
}

/* Where the text says 0, the layer's number. */
static void set_layer(char *text, size_t layer)
{
	while ((text = strchr(text, '0')))
		*text++ = (char)('0' + layer);
}

/* The layer's root has its owner and mode, as `like` has them, from the part that can be written.
 */
static int make_upper(size_t layer, const char *like)
{
	char upper[] = "upper0", work[] = "work0";
	struct stat status;

	static_assert(ROOT_LAYERS_MAX < 10, "a digit");
	set_layer(upper, layer);
	set_layer(work, layer);
	if (stat(like, &status) < 0 || mkdir(upper, 0755) < 0 || mkdir(work, 0700) < 0 ||
	    chown(upper, status.st_uid, status.st_gid) < 0)
		return -1;
	return chmod(upper, status.st_mode & 07777);
}

/* The caller is in the disk's own file system, which is about to be covered. */
static int mount_layer(const struct root *root, size_t layer, const char *target)
{
	static const char shifted[] = "lowerdir=" ROOT_LAYERS "/0/mask:" ROOT_LAYERS
				      "/0/shift/upper:" ROOT_LAYERS "/0/host,"
				      "upperdir=upper0,workdir=work0,"
				      "index=off,xino=off,redirect_dir=on,metacopy=on";
	char options[] = "lowerdir=" ROOT_LAYERS "/0/mask:" ROOT_LAYERS "/0/inner,"
			 "upperdir=upper0,workdir=work0,"
			 "index=off,xino=off,redirect_dir=on,metacopy=off";

	set_layer(options, layer);
	return mount("overlay", target, "overlay", MS_NODEV,
		     root->shifted && layer == 0 ? shifted : options);
}

/* The same above an image. */
static int mount_above(const char *image, const char *target, bool alone)
{
	char host[sizeof(ROOT_IMAGES "//shift/upper") + DISK_NAME_MAX], shift[sizeof(host)];
	char options[2 * sizeof(host) + 128], *end = stpcpy(options, "lowerdir=");
	bool shifted;

	stpcpy(stpcpy(stpcpy(host, ROOT_IMAGES "/"), image), "/host");
	stpcpy(stpcpy(stpcpy(shift, ROOT_IMAGES "/"), image), "/shift/upper");
	shifted = access(shift, F_OK) == 0;
	if (make_upper(0, shifted ? shift : host) < 0)
		return -1;
	if (shifted)
		end = stpcpy(stpcpy(end, shift), ":");
	end = stpcpy(stpcpy(end, host), ",upperdir=upper0,workdir=work0,index=off,xino=off,");
	if (alone)
		stpcpy(end, "userxattr");
	else
		stpcpy(stpcpy(end, "redirect_dir=on,metacopy="), shifted ? "on" : "off");
	return mount("overlay", target, "overlay", MS_NODEV, options);
}

static void place(char path[], const char *name, const char *at)
{
	stpcpy(stpcpy(stpcpy(path, ROOT_DISKS "/"), name), at);
}

#define PLACE_MAX (sizeof(ROOT_DISKS) + DISK_NAME_MAX + PATH_MAX)

/* The last mount of all is there. */
static bool is_whole(const struct root *root, const char *image, const char *name)
{
	char path[PLACE_MAX];
	struct statfs status;

	if (root->alone && !*image) {
		place(path, name, "/usr/bin");
		return access(path, F_OK) == 0;
	}
	place(path, name, *image ? "" : root->at[root->layer_count - 1]);
	return statfs(path, &status) == 0 && status.f_type == OVERLAYFS_SUPER_MAGIC;
}

static int mount_layers(const struct root *root, const char *name)
{
	char path[PLACE_MAX], mask[] = ROOT_LAYERS "/0/mask";

	for (size_t i = 0; i < root->layer_count; i++) {
		mask[sizeof(ROOT_LAYERS)] = (char)('0' + i);
		if (make_upper(i, mask) < 0)
			return -1;
	}
	for (size_t i = 0; i < root->layer_count; i++) {
		place(path, name, root->at[i]);
		if (mount_layer(root, i, path) < 0)
			return -1;
	}
	return 0;
}

/* See alone.h. Its own attributes are a user's there. */
static int mount_alone(const char *path)
{
	static const char host[] = ROOT_LAYERS "/0/host";

	if (make_upper(0, host) < 0 ||
	    mount("overlay", path, "overlay", MS_NODEV,
		  "lowerdir=" ROOT_LAYERS "/0/host,upperdir=upper0,workdir=work0,"
		  "index=off,xino=off,userxattr") < 0)
		return -1;
	return alone_bind(ROOT_LAYERS "/0/" ALONE_BOUND, path);
}

static int mount_disk(const struct root *root, const char *image, const char *name,
		      const char *path)
{
	if (*image)
		return mount_above(image, path, root->alone);
	return root->alone ? mount_alone(path) : mount_layers(root, name);
}

static int make(const struct root *root, const char *image, const char *name, const char *options)
{
	char path[PLACE_MAX];

	place(path, name, "");
	if (mkdir(path, 0755) < 0 ||
	    mount("tmpfs", path, "tmpfs", MS_NODEV | MS_NOSUID, options) < 0 || chdir(path) < 0)
		return -1;
	if (mount_disk(root, image, name, path) < 0)
		return -1;
	return chdir("/");
}

int disk_open(const struct root *root, const char *image, const char *name, const char *options,
	      bool *ret_fresh)
{
	char path[sizeof(ROOT_DISKS) + DISK_NAME_MAX];
	int fd = -1, sys;

	place(path, name, "");
	*ret_fresh = !is_whole(root, image, name);
	if (!*ret_fresh || (disk_forget(name) == 0 && make(root, image, name, options) == 0))
		fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (fd < 0 && *ret_fresh) {
		sys = errno;
		disk_forget(name);
		errno = sys;
	}
	return fd;
}

int disk_forget(const char *name)
{
	char path[sizeof(ROOT_DISKS) + DISK_NAME_MAX];

	place(path, name, "");
	return root_vacate(path);
}

int disk_list(bool (*each)(void *context, const char *name), void *context)
{
	char entries[8192] __attribute__((aligned(8)));
	CLEANUP(closep) int fd = open(ROOT_DISKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t size = -1;

	if (fd < 0)
		return -1;
	while ((size = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *entry = (const void *)(entries + at);

			at += entry->d_reclen;
			if (entry->d_name[0] != '.' && !each(context, entry->d_name))
				return 0;
		}
	}
	return size < 0 ? -1 : 0;
}

/* A pipe, a lease that somebody has on it: nothing may make us wait. */
int disk_open_file(const char *name, const char *file)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char path[sizeof(ROOT_DISKS) + DISK_NAME_MAX];
	CLEANUP(closep) int root = -1;
	CLEANUP(closep) int fd = -1;
	struct stat status;

	place(path, name, "");
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, root, file, &how, sizeof(how));
	return fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ? -1 : steal_fd(&fd);
}
