/*
 * The root of instances: see root.h. Runs in the launcher, once.
 *
 *	host's mount namespace            launcher's, which each init gets a copy of
 *	/            ext4 rw              /      ext4 ro, nodev
 *	/home        nfs  rw              /home  nfs  ro, nodev
 *	/dev /proc /run /run/netns/… ×n   /dev   tmpfs ro, six devices
 */
#include "instance/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EMPTY "/dev/.empty"

/* What instances mount themselves. */
static const char *const replaced[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

/* Not part of the machine's own system, and many: they would be copied by every clone. */
static const char *const foreign[] = {
	"/mnt", "/media", "/snap", "/var/snap", "/var/lib/docker", "/var/lib/containers",
};

/* Root can write these without any capability; they act on the whole machine. */
static const char *const machine_wide[] = {
	"/proc/sys",  "/proc/sysrq-trigger", "/proc/irq",    "/proc/bus",	    "/proc/fs",
	"/proc/scsi", "/proc/acpi",	     "/proc/asound", "/proc/dynamic_debug",
};

static const struct {
	const char *name;
	unsigned int major, minor;
} devices[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "ptmx", "pts/ptmx" },		 { "shm", "/run/shm" },
	{ "fd", "/proc/self/fd" },	 { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
};

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

static bool is_below_any(const char *path, const char *const directories[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_below(path, directories[i]))
			return true;
	return false;
}

int root_bind(const char *path, uint64_t set, uint64_t clear)
{
	struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };
	CLEANUP(closep) int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -1;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return -1;
	return move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

int root_mount_sys(void)
{
	struct statfs there;

	if (statfs("/sys", &there) == 0 && there.f_type == SYSFS_MAGIC)
		return 0;
	/* EBUSY: somebody else entered at the same moment. */
	if (mount("sysfs", "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return errno == EBUSY ? 0 : -1;
	return 0;
}

/* mountinfo writes blanks and backslashes in octal; in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		unsigned int value;

		if (text[0] == '\\' && sscanf(text + 1, "%3o", &value) == 1) {
			*to = (char)value;
			text += 3;
		} else {
			*to = *text;
		}
	}
	*to = '\0';
}

/*
 * Takes a mount off with all that is below it. Only what is on top counts: thousands of mounts in
 * /run/netns go with /run or /run/netns, and their own lines are passed over. A mount that may not
 * be taken off (locked, in a user namespace) stays, to be covered by the instance's own: so failure
 * is fine.
 */
static void prune(char *line, char *last, size_t size)
{
	char path[PATH_MAX];

	if (sscanf(line, "%*d %*d %*s %*s %4095s", path) != 1)
		return;
	unescape(path);
	if (last[0] && is_below(path, last))
		return;
	if (!is_below_any(path, replaced, ARRAY_SIZE(replaced)) &&
	    !is_below_any(path, foreign, ARRAY_SIZE(foreign)))
		return;
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		snprintf(last, size, "%s", path);
}

static int prune_all(struct error *error)
{
	char last[PATH_MAX] = "";
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen("/proc/self/mountinfo", "re");

	if (!file)
		return error_sys(error, errno, "/proc/self/mountinfo");
	/* The kernel goes on from where it was, whatever was taken off meanwhile. */
	while (getline(&line, &size, file) > 0)
		prune(line, last, sizeof(last));
	free(line);
	fclose(file);
	return 0;
}

/* From here on nothing is heard of the host's mounts, nor the host of ours. */
static int leave_host(struct error *error)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_sys(error, errno, "a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_sys(error, errno, "making mounts private");
	return 0;
}

/* Recursive, so that /usr or /home on a disk of its own is there and as read-only as the rest. */
static int enter_read_only(struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	CLEANUP(closep) int tree = -1;

	tree = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return error_sys(error, errno, "a copy of the root");
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)) <
	    0)
		return error_sys(error, errno, "making the root read-only");
	if (move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_sys(error, errno, "placing the root");
	/* The old root ends up under the new one and is let go of (pivot_root(2), "." twice). */
	if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return error_sys(error, errno, "entering the root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_sys(error, errno, "leaving the old root");
	return 0;
}

static int make_devices(struct error *error)
{
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) < 0)
			return error_sys(error, errno, "%s", path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		snprintf(path, sizeof(path), "/dev/%s", links[i].name);
		if (symlink(links[i].target, path) < 0)
			return error_sys(error, errno, "%s", path);
	}
	if (mkdir("/dev/pts", 0755) < 0 || mkdir(EMPTY, 0555) < 0)
		return error_sys(error, errno, "/dev");
	return 0;
}

/* One for all instances: nothing in it can be changed. */
static int mount_dev(struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	int r;

	if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") < 0)
		return error_sys(error, errno, "mounting /dev");
	r = make_devices(error);
	if (r < 0)
		return r;
	if (mount_setattr(AT_FDCWD, "/dev", 0, &attributes, sizeof(attributes)) < 0)
		return error_sys(error, errno, "making /dev read-only");
	return 0;
}

static int hide(const char *path, struct error *error)
{
	char target[PATH_MAX];
	struct stat empty, there;

	if (!realpath(path, target))
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : error_sys(error, errno, "%s", path);
	if (is_below_any(target, replaced, ARRAY_SIZE(replaced)))
		return 0;
	if (stat(EMPTY, &empty) == 0 && stat(target, &there) == 0 && empty.st_dev == there.st_dev)
		return 0; /* named twice */
	if (mount(EMPTY, target, NULL, MS_BIND, NULL) < 0)
		return error_sys(error, errno, "hiding %s", path);
	return 0;
}

int root_stage(const char *const hidden[], struct root *ret_root, struct error *error)
{
	struct root root = { 0 };
	int r;

	static_assert(ARRAY_SIZE(root.read_only) == ARRAY_SIZE(machine_wide), "room for all");
	for (size_t i = 0; i < ARRAY_SIZE(machine_wide); i++)
		if (access(machine_wide[i], F_OK) == 0)
			root.read_only[root.read_only_count++] = machine_wide[i];
	r = leave_host(error);
	if (r == 0)
		r = prune_all(error);
	if (r == 0)
		r = enter_read_only(error);
	if (r == 0)
		r = mount_dev(error);
	for (size_t i = 0; r == 0 && hidden[i]; i++)
		r = hide(hidden[i], error);
	if (r == 0)
		*ret_root = root;
	return r;
}
