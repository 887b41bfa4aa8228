/* The root of instances: see root.h. Runs in the launcher, once. */
#include "instance/root.h"

#include "instance/alone.h"
#include "instance/mask.h"
#include "instance/shift.h"
#include "instance/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* What instances mount themselves. */
static const char *const replaced[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

/* Not part of the machine's own system, and many: they would be copied by every clone. */
static const char *const foreign[] = {
	"/mnt", "/media", "/snap", "/var/snap", "/var/lib/docker", "/var/lib/containers", "/boot",
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

/* ---- the file systems that are the machine's own ---- */

/* Not so below a private directory: a file system there is nobody's to see, and the layer that has
 * the directory no place to mount one at. */
static bool is_reachable(const char *path)
{
	const mode_t needed = S_IROTH | S_IXOTH;
	char parent[PATH_MAX];
	struct stat status;

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = strrchr(parent, '/'); slash > parent; slash = strrchr(parent, '/')) {
		*slash = '\0';
		if (lstat(parent, &status) < 0 || (status.st_mode & needed) != needed)
			return false;
	}
	return true;
}

static bool is_wanted(const struct root *root, const char *path)
{
	struct stat status;

	if (streq(path, "/") || is_below_any(path, replaced, ARRAY_SIZE(replaced)) ||
	    is_below_any(path, foreign, ARRAY_SIZE(foreign)))
		return false;
	for (size_t i = 0; i < root->layer_count; i++)
		if (streq(root->at[i], path))
			return false;
	return root->layer_count < ROOT_LAYERS_MAX && lstat(path, &status) == 0 &&
	       S_ISDIR(status.st_mode) && is_reachable(path);
}

/* The first is the root itself; what is mounted at a file (a container's resolv.conf) is none. */
static int find_layers(struct root *root, struct error *error)
{
	char *line = NULL, path[PATH_MAX];
	size_t size = 0;
	FILE *file = fopen("/proc/self/mountinfo", "re");

	if (!file)
		return error_sys(error, errno, "/proc/self/mountinfo");
	root->layer_count = 1;
	root->at[0][0] = '\0';
	while (getline(&line, &size, file) > 0) {
		if (sscanf(line, "%*d %*d %*s %*s %4095s", path) != 1)
			continue;
		unescape(path);
		if (is_wanted(root, path))
			snprintf(root->at[root->layer_count++], PATH_MAX, "%s", path);
	}
	free(line);
	fclose(file);
	return 0;
}

static int write_map(pid_t pid, const char *name, uint32_t first)
{
	char path[64], text[64];
	CLEANUP(closep) int fd = -1;
	int length = snprintf(text, sizeof(text), "0 %u %u\n", first, first ? ROOT_IDS : 1);

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, (size_t)length) != length ? -errno : 0;
}

/* Waits to be killed: by its parent's end too, which may come at any time. */
static noreturn void hold_namespace(pid_t parent, int told)
{
	if (unshare(CLONE_NEWUSER) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	    getppid() == parent && write(told, "", 1) == 1)
		pause();
	_exit(1);
}

int root_mapping(uint32_t first, int *ret_fd)
{
	const pid_t parent = getpid();
	char path[64];
	int pair[2], r = 0, fd = -1;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		hold_namespace(parent, pair[1]);
	close(pair[1]);
	if (pid < 0)
		r = -errno;
	else if (read(pair[0], path, 1) != 1)
		r = -EPERM;
	if (r == 0)
		r = write_map(pid, "uid_map", first);
	if (r == 0)
		r = write_map(pid, "gid_map", first);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	if (r == 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	close(pair[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (r == 0)
		*ret_fd = fd;
	return r;
}

/* Copies of the host's mounts. One that can't be idmapped is left out, but for the root itself. */
static int copy_layers(struct root *root, int mapping, int trees[], struct error *error)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)mapping,
	};
	size_t kept = 0;

	for (size_t i = 0; i < root->layer_count; i++) {
		CLEANUP(closep)
		int tree = open_tree(AT_FDCWD, i ? root->at[i] : "/",
				     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

		if (tree < 0 && i == 0)
			return error_sys(error, errno, "a copy of the root");
		if (tree < 0 ||
		    mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0) {
			if (i > 0)
				continue;
			root->shifted = true;
			attributes.attr_set &= ~(uint64_t)MOUNT_ATTR_IDMAP;
			if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes,
					  sizeof(attributes)) < 0)
				return error_sys(error, errno, "making the root read-only");
			attributes.attr_set |= MOUNT_ATTR_IDMAP;
		}
		memmove(root->at[kept], root->at[i], strlen(root->at[i]) + 1);
		trees[kept++] = steal_fd(&tree);
	}
	root->layer_count = kept;
	return 0;
}

/* ---- the stage ---- */

static int make_directories(const char *const paths[], size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++)
		if (mkdir(paths[i], 0755) < 0)
			return error_sys(error, errno, "%s", paths[i]);
	return 0;
}

/* Leaves the host's mounts for an empty root. */
static int enter_stage(struct error *error)
{
	static const char *const directories[] = { "/proc", "/dev", ROOT_WORLD };
	CLEANUP(closep) int stage = fsopen("tmpfs", FSOPEN_CLOEXEC);
	CLEANUP(closep) int tree = -1;

	if (stage < 0 || fsconfig(stage, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    fsconfig(stage, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_sys(error, errno, "a file system in memory");
	tree = fsmount(stage, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_sys(error, errno, "placing the stage");
	/* The old root ends up on top of the new one and is let go of (pivot_root(2), "." twice).
	 */
	if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return error_sys(error, errno, "entering the stage");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_sys(error, errno, "leaving the host's root");
	return make_directories(directories, ARRAY_SIZE(directories), error);
}

static int make_devices(struct error *error)
{
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) < 0)
			return error_sys(error, errno, "%s", path);
	}
	return 0;
}

static int make_links(struct error *error)
{
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		snprintf(path, sizeof(path), "/dev/%s", links[i].name);
		if (symlink(links[i].target, path) < 0)
			return error_sys(error, errno, "%s", path);
	}
	return mkdir("/dev/pts", 0755) < 0 ? error_sys(error, errno, "/dev/pts") : 0;
}

/* The host's own, where none may be made. */
static int bind_devices(const struct alone *alone, struct error *error)
{
	char path[64];

	static_assert(ARRAY_SIZE(devices) <= ALONE_DEVICES_MAX, "all of them");
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		CLEANUP(closep) int fd = -1;

		snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 ||
		    move_mount(alone->devices[i], "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return error_sys(error, errno, "%s", path);
	}
	return 0;
}

/* One for all instances: nothing in it can be changed. `alone` may be NULL. */
static int mount_dev(const struct alone *alone, struct error *error)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	int r;

	if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") < 0)
		return error_sys(error, errno, "mounting /dev");
	r = alone ? bind_devices(alone, error) : make_devices(error);
	if (r == 0)
		r = make_links(error);
	if (r < 0)
		return r;
	sysfs_show();
	if (mount_setattr(AT_FDCWD, "/dev", 0, &attributes, sizeof(attributes)) < 0)
		return error_sys(error, errno, "making /dev read-only");
	return 0;
}

/* Mounts as nobody: to mount something is all that is left to do, for now and whenever a file in
 * the layer is looked at. */
static int mount_as_nobody(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2], all[2];
	int sys = 0;

	if (setgroups(0, NULL) < 0 || syscall(SYS_capget, &header, all) < 0 ||
	    setresgid((gid_t)-1, NOBODY, (gid_t)-1) < 0 ||
	    setresuid((uid_t)-1, NOBODY, (uid_t)-1) < 0)
		return -errno;
	memcpy(data, all, sizeof(data));
	data[0].effective = 1U << CAP_SYS_ADMIN;
	data[1].effective = 0;
	if (syscall(SYS_capset, &header, data) < 0 ||
	    mount("overlay", "inner", "overlay", MS_RDONLY | MS_NODEV,
		  "lowerdir=host:empty,index=off,xino=off,redirect_dir=off,metacopy=off") < 0)
		sys = errno;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0 || setresgid((gid_t)-1, 0, (gid_t)-1) < 0 ||
	    syscall(SYS_capset, &header, all) < 0)
		sys = errno;
	return -sys;
}

/* What is hidden of this layer, relative to it; the array borrows. */
static void find_hidden(const struct root *root, size_t layer, char *const hidden[],
			const char *ret_hidden[], size_t size)
{
	size_t count = 0;

	for (size_t i = 0; layer == 0 && i < ARRAY_SIZE(replaced); i++)
		ret_hidden[count++] = replaced[i] + 1;
	for (size_t i = 0; hidden[i] && count + 1 < size; i++) {
		size_t owner = 0;

		for (size_t j = 1; j < root->layer_count; j++)
			if (is_below(hidden[i], root->at[j]) &&
			    strlen(root->at[j]) > strlen(root->at[owner]))
				owner = j;
		if (owner == layer && hidden[i][strlen(root->at[layer])] == '/')
			ret_hidden[count++] = hidden[i] + strlen(root->at[layer]) + 1;
	}
	ret_hidden[count] = NULL;
}

/* In the layer's own directory. */
static int fill_layer(const struct root *root, size_t layer, int tree, char *const hidden[],
		      struct error *error)
{
	uint32_t shift = root->shifted && layer == 0 ? root->first_id : 0;
	static const char *const directories[] = { "host", "empty", "mask", "inner" };
	CLEANUP(closep) int host = -1;
	CLEANUP(closep) int mask = -1;
	const char *relative[64];
	struct stat status;
	int r = make_directories(directories, ARRAY_SIZE(directories), error);

	if (r < 0)
		return r;
	if (move_mount(tree, "", AT_FDCWD, "host", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_sys(error, errno, "placing %s/", root->at[layer]);
	host = open("host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mask = open("mask", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The root directory itself is in both layers, as any. */
	if (host < 0 || mask < 0 || fstat(host, &status) < 0 ||
	    fchown(mask, shift + status.st_uid, shift + status.st_gid) < 0 ||
	    fchmod(mask, status.st_mode & 07777) < 0)
		return error_sys(error, errno, "the mask of %s/", root->at[layer]);
	find_hidden(root, layer, hidden, relative, ARRAY_SIZE(relative));
	r = mask_hide(host, mask, shift, relative, error);
	if (r == 0 && layer == 0)
		r = mask_private(host, mask, shift, error);
	if (r < 0)
		return r;
	if (shift)
		return shift_make(shift, ROOT_IDS, false, error);
	r = mount_as_nobody();
	return r < 0 ? error_sys(error, r, "an overlay of %s/", root->at[layer]) : 0;
}

/* Disks are mounted in a file system of their own: an overlay's mount looks at every mount on the
 * file system of each of its layers (has_locked_children()), and the layers' is to have few. */
static int mount_world(struct error *error)
{
	static const char *const directories[] = { ROOT_LAYERS, ROOT_DISKS };
	int r;

	if (mount("tmpfs", ROOT_WORLD, "tmpfs", MS_NODEV, "mode=755") < 0)
		return error_sys(error, errno, ROOT_WORLD);
	r = make_directories(directories, ARRAY_SIZE(directories), error);
	if (r == 0 && mount("tmpfs", ROOT_DISKS, "tmpfs", MS_NODEV, "mode=755") < 0)
		return error_sys(error, errno, ROOT_DISKS);
	return r;
}

static int stage_layers(const struct root *root, const int trees[], char *const hidden[],
			struct error *error)
{
	char path[64];
	int r = mount_world(error);

	for (size_t i = 0; r == 0 && i < root->layer_count; i++) {
		snprintf(path, sizeof(path), ROOT_LAYERS "/%zu", i);
		if (mkdir(path, 0755) < 0 || chdir(path) < 0)
			return error_sys(error, errno, "%s", path);
		if (symlink(root->at[i][0] ? root->at[i] : "/", "at") < 0)
			return error_sys(error, errno, "%s/at", path);
		r = fill_layer(root, i, trees[i], hidden, error);
	}
	return chdir("/") < 0 ? -errno : r;
}

/* Links in hidden paths mean what they mean on the host. */
static char **resolve(const char *const hidden[])
{
	char **resolved = xcalloc(64, sizeof(*resolved));
	size_t count = 0;

	for (size_t i = 0; hidden[i] && count < 63; i++) {
		char *path = realpath(hidden[i], NULL);

		if (path && !is_below_any(path, replaced, ARRAY_SIZE(replaced)))
			resolved[count++] = path;
		else
			free(path);
	}
	return resolved;
}

static void free_list(char ***list)
{
	for (char **item = *list; *item; item++)
		free(*item);
	free(*list);
}

/* Later than the caller's headers may be (Linux 6.11). */
#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(0xb7, 0x5, uint64_t)
#endif

/* Of the mount namespace `fd`, or of the caller's own; 0 where the kernel doesn't tell. */
static uint64_t namespace_number(int fd)
{
	CLEANUP(closep) int own = fd < 0 ? open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC) : -1;
	uint64_t number;

	return ioctl(fd < 0 ? own : fd, NS_GET_MNTNS_ID, &number) == 0 ? number : 0;
}

/*
 * The kernel lets a mount namespace be mounted only in one with a lower number (mnt_ns_loop()),
 * and since 6.18 each CPU has numbers of its own, rising: on the one that made the host's any new
 * one is higher.
 */
static int unshare_above(int host)
{
	uint64_t below = host < 0 ? 0 : namespace_number(host);
	cpu_set_t all, one;
	int r;

	r = unshare(CLONE_NEWNS);
	if (r < 0 || !below || namespace_number(-1) > below ||
	    sched_getaffinity(0, sizeof(all), &all) < 0)
		return r;
	for (int cpu = 0; r == 0 && cpu < CPU_SETSIZE && namespace_number(-1) <= below; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (CPU_ISSET(cpu, &all) && sched_setaffinity(0, sizeof(one), &one) == 0)
			r = unshare(CLONE_NEWNS);
	}
	sched_setaffinity(0, sizeof(all), &all);
	return r;
}

/* From here on nothing is heard of the host's mounts, nor the host of ours. */
static int leave_host(int host, struct error *error)
{
	if (unshare_above(host) < 0)
		return error_sys(error, errno, "a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_sys(error, errno, "making mounts private");
	return 0;
}

static int stage(const struct root_options *options, struct root *root, struct error *error)
{
	CLEANUP(free_list) char **hidden = resolve(options->hidden);
	CLEANUP(closep) int mapping = -1;
	int trees[ROOT_LAYERS_MAX], r;

	r = root_mapping(options->first_id, &mapping);
	if (r < 0)
		return error_sys(error, r, "a user namespace");
	if ((r = leave_host(root->host, error)) < 0 || (r = find_layers(root, error)) < 0 ||
	    (r = copy_layers(root, mapping, trees, error)) < 0 || (r = enter_stage(error)) < 0)
		return r;
	/* A clone may mount its own /proc only where it sees one. */
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return error_sys(error, errno, "mounting /proc");
	if ((r = mount_dev(NULL, error)) == 0)
		r = stage_layers(root, trees, hidden, error);
	for (size_t i = 0; i < root->layer_count; i++)
		close(trees[i]);
	return r;
}

static int stage_around(const struct alone *alone, struct error *error)
{
	int r = enter_stage(error);

	if (r < 0)
		return r;
	if (move_mount(alone->proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_sys(error, errno, "placing /proc");
	if ((r = mount_dev(alone, error)) < 0)
		return r;
	if ((r = mount_world(error)) < 0)
		return r;
	if (mkdir(ROOT_LAYERS "/0", 0755) < 0 || chdir(ROOT_LAYERS "/0") < 0 ||
	    symlink("/", "at") < 0)
		return error_sys(error, errno, ROOT_LAYERS "/0");
	r = alone_fill(alone, error);
	return chdir("/") < 0 ? -errno : r;
}

/* See alone.h. */
static int stage_alone(struct root *root, struct error *error)
{
	const char *names[ARRAY_SIZE(devices)];
	struct alone alone;
	int r = leave_host(root->host, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		names[i] = devices[i].name;
	root->layer_count = 1;
	root->at[0][0] = '\0';
	r = alone_take(&alone, names, ARRAY_SIZE(names), error);
	if (r == 0)
		r = stage_around(&alone, error);
	alone_close(&alone);
	return r;
}

/* ---- what an earlier launcher left ---- */

static bool enter_pinned(const char *pin)
{
	CLEANUP(closep) int fd = open(pin, O_RDONLY | O_CLOEXEC);
	struct statfs status;

	return fd >= 0 && fstatfs(fd, &status) == 0 && status.f_type == NSFS_MAGIC &&
	       setns(fd, CLONE_NEWNS) == 0;
}

static void read_layers(struct root *root)
{
	char path[64];

	root->shifted = access(ROOT_LAYERS "/0/shift", F_OK) == 0;
	for (root->layer_count = 0; root->layer_count < ROOT_LAYERS_MAX; root->layer_count++) {
		char *at = root->at[root->layer_count];
		ssize_t length;

		snprintf(path, sizeof(path), ROOT_LAYERS "/%zu/at", root->layer_count);
		length = readlink(path, at, PATH_MAX - 1);
		if (length < 0)
			break;
		at[length == 1 ? 0 : length] = '\0'; /* "/" is "" */
	}
}

int root_pin(struct root *root)
{
	char source[] = "/proc/self/fd/0";
	int fd, sys = 0;

	if (root->host < 0)
		return 0;
	if (setns(root->host, CLONE_NEWNS) < 0)
		return -1;
	source[sizeof(source) - 2] = (char)('0' + root->disks);
	fd = open(root->pin, O_RDONLY | O_CREAT | O_CLOEXEC, 0400);
	if (fd < 0 || mount(source, root->pin, NULL, MS_BIND, NULL) < 0)
		sys = errno;
	closep(&fd);
	if (setns(root->disks, CLONE_NEWNS) < 0)
		_exit(1); /* never among the host's mounts */
	if (sys) {
		errno = sys;
		return -1;
	}
	closep(&root->host);
	return 0;
}

/*
 * An init may mount a /proc of its own only in sight of one, and what it saw stays beneath its disk
 * (see enter_disk() in init.c): so it is shown one of processes that there are none of. The caller
 * sees a /proc meanwhile.
 */
static int mount_dead_proc(const char *at)
{
	const struct clone_args arguments = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	int status;

	if (pid == 0)
		_exit(mount("proc", at, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? errno
											    : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* A copy of the world's mounts without layers and disks, and with nobody's /proc. */
static int strip(struct error *error)
{
	int r;

	if (umount2(ROOT_WORLD, MNT_DETACH) < 0)
		return error_sys(error, errno, "a mount namespace for clones");
	r = mount_dead_proc(ROOT_WORLD);
	if (r < 0)
		return error_sys(error, r, "a /proc for clones");
	if (umount2("/proc", MNT_DETACH) < 0 || mount(ROOT_WORLD, "/proc", NULL, MS_MOVE, NULL) < 0)
		return error_sys(error, errno, "placing a /proc for clones");
	return 0;
}

static int make_bare(struct root *root, struct error *error)
{
	int r;

	root->disks = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (root->disks > 9) /* there is next to nothing open: root_pin() counts on it */
		return error_sys(error, EMFILE, "the world's mount namespace");
	if (root->disks < 0 || unshare(CLONE_NEWNS) < 0)
		return error_sys(error, errno, "a mount namespace for clones");
	root->bare = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	r = strip(error);
	if (root->bare < 0 || setns(root->disks, CLONE_NEWNS) < 0)
		return error_sys(error, errno, "the world's mount namespace");
	return r;
}

int root_stage(const struct root_options *options, struct root *ret_root, struct error *error)
{
	int r = 0;

	ret_root->host = -1;
	ret_root->shifted = false;
	ret_root->first_id = options->first_id;
	ret_root->alone = options->alone;
	if (options->pin && enter_pinned(options->pin)) {
		read_layers(ret_root);
		return make_bare(ret_root, error);
	}
	if (options->pin) {
		snprintf(ret_root->pin, sizeof(ret_root->pin), "%s", options->pin);
		ret_root->host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		if (ret_root->host < 0)
			return error_sys(error, errno, "the host's mounts");
	}
	r = options->alone ? stage_alone(ret_root, error) : stage(options, ret_root, error);
	return r < 0 ? r : make_bare(ret_root, error);
}

#define VACATE_TRIES 2

int root_vacate(const char *path)
{
	for (int i = 0; i < VACATE_TRIES; i++) {
		if (chdir("/") < 0)
			continue;
		while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			;
		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
	}
	return -1;
}
