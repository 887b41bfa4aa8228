/*
 * Network namespaces as files: see netns.h.
 *
 * Why /run/netns is a mount of its own: `ip netns add` binds /run/netns onto itself when it is not
 * a mount point yet. Namespaces bound before that would be covered by the new mount, could not be
 * unmounted by their path any more, and would live until the next boot. So we come first, with a
 * tmpfs that carries our name (and is thus known as ours when the time comes to remove it); where
 * somebody else came first, we use what is there.
 */
#include "netlink/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DIRECTORY      "/run/netns"
#define OWN_NAMESPACE  "/proc/thread-self/ns/net"
#define MARK	       "minivpc"	   /* source of our tmpfs */
#define MARK_DIRECTORY "minivpc-directory" /* the same, and the directory is ours too */

struct path {
	char text[sizeof(DIRECTORY) + 1 + RID_TEXT_MAX];
};

static struct path path_of(struct rid id)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), DIRECTORY "/%s", rid_format(id).text);
	return path;
}

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* 1 or 0, or -errno. */
static int directory_is_empty(void)
{
	CLEANUP(closedirp) DIR *directory = opendir(DIRECTORY);
	const struct dirent *entry;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			return 0;
	return 1;
}

int netns_prepare(struct error *error)
{
	bool made = mkdir(DIRECTORY, 0755) == 0;
	struct statx status;
	int r;

	if (!made && errno != EEXIST)
		return error_sys(error, errno, DIRECTORY);
	if (statx(AT_FDCWD, DIRECTORY, 0, STATX_TYPE, &status) < 0)
		return error_sys(error, errno, DIRECTORY);
	if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return 0;
	r = directory_is_empty();
	if (r < 0)
		return error_sys(error, r, DIRECTORY);
	if (r)
		r = mount(made ? MARK_DIRECTORY : MARK, DIRECTORY, "tmpfs",
			  MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755");
	else
		r = mount(DIRECTORY, DIRECTORY, NULL, MS_BIND | MS_REC, NULL);
	if (r < 0)
		return error_sys(error, errno, DIRECTORY ": mount");
	if (mount(NULL, DIRECTORY, NULL, MS_PRIVATE, NULL) < 0)
		return error_sys(error, errno, DIRECTORY ": mount, private");
	return 0;
}

/* The source of the topmost mount on /run/netns, when that is a tmpfs of ours. */
static const char *own_mark(void)
{
	static const char *const marks[] = { MARK, MARK_DIRECTORY };
	CLEANUP(fclosep) FILE *file = fopen("/proc/self/mountinfo", "re");
	const char *mark = NULL;
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		char target[64], source[64];
		const char *tail = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %*s %*s %63s", target) != 1 || !streq(target, DIRECTORY))
			continue;
		mark = NULL; /* a mount later in the list covers the earlier one */
		if (!tail || sscanf(tail, " - tmpfs %63s", source) != 1)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
			if (streq(source, marks[i]))
				mark = marks[i];
	}
	return mark;
}

#define SWEEP_TRIES 2 /* nobody comes back to it when the last world is down */

void netns_sweep(void)
{
	const char *mark;

	if (directory_is_empty() <= 0)
		return;
	mark = own_mark();
	/* Not detached: the kernel refuses if somebody has just mounted a namespace there. */
	for (int i = 0; mark && i < SWEEP_TRIES; i++) {
		if (umount2(DIRECTORY, UMOUNT_NOFOLLOW) < 0)
			continue;
		if (streq(mark, MARK_DIRECTORY) && rmdir(DIRECTORY) < 0)
			rmdir(DIRECTORY);
		return;
	}
}

int netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

#define LEAVE_TRIES 100

/* A kernel that is short of memory for a moment is no reason to end. */
void netns_leave(int home)
{
	for (int i = 0; i < LEAVE_TRIES; i++)
		if (setns(home, CLONE_NEWNET) == 0)
			return;
	perror("minivpc: can't come back from a network namespace");
	abort();
}

static bool is_namespace(int fd)
{
	struct statfs status;

	return fstatfs(fd, &status) == 0 && status.f_type == NSFS_MAGIC;
}

int netns_open(struct rid id)
{
	CLEANUP(closep) int fd = open(path_of(id).text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	/* A plain file: a crash between making the file and mounting on it, or before. */
	if (!is_namespace(fd))
		return -ENOENT;
	return steal_fd(&fd);
}

bool netns_is(struct rid id, int fd)
{
	struct stat now, then;

	return stat(path_of(id).text, &now) == 0 && fstat(fd, &then) == 0 &&
	       now.st_dev == then.st_dev && now.st_ino == then.st_ino;
}

int netns_inspect(struct rid id, pid_t pid, int known, struct error *error)
{
	CLEANUP(closep) int fd = netns_open(id);
	struct stat wanted, found;
	char source[64];

	if (fd < 0)
		return error_sys(error, fd, "%s", path_of(id).text);
	snprintf(source, sizeof(source), "/proc/%d/ns/net", pid);
	if (!pid && known < 0)
		return 0;
	if ((pid ? stat(source, &wanted) : fstat(known, &wanted)) < 0)
		return error_sys(error, errno, "%s", pid ? source : path_of(id).text);
	if (fstat(fd, &found) < 0)
		return error_sys(error, errno, "%s", path_of(id).text);
	if (wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino)
		return 0;
	if (pid)
		return error_sys(error, EEXIST, "%s is not the one of process %d", path_of(id).text,
				 pid);
	return error_sys(error, EEXIST, "%s is another one", path_of(id).text);
}

static int make_file(const char *path, struct error *error)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		CLEANUP(closep) int fd = -1;
		int r;

		fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if (fd >= 0)
			return 0;
		if (errno == EEXIST)
			return -EEXIST;
		if (errno != ENOENT)
			break;
		r = netns_prepare(error); /* swept since we looked */
		if (r < 0)
			return r;
	}
	return error_sys(error, errno, "%s", path);
}

/* What OWN_NAMESPACE leads to from here on: a new one, or that. */
static int enter_source(int known)
{
	if (known >= 0)
		return netns_enter(known);
	return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

int netns_put(int home, struct rid id, pid_t pid, int known, bool *ret_made, struct error *error)
{
	char source[64] = OWN_NAMESPACE;
	struct path path = path_of(id);
	int r;

	r = netns_prepare(error); /* each time: it is cheap, and others may sweep */
	if (r < 0)
		return r;
	r = make_file(path.text, error);
	if (r == -EEXIST) {
		r = netns_inspect(id, pid, known, error);
		if (r == 0)
			*ret_made = false;
		if (r != -ENOENT)
			return r;
	} else if (r < 0) {
		return r;
	}
	if (pid)
		snprintf(source, sizeof(source), "/proc/%d/ns/net", pid);
	r = pid ? 0 : enter_source(known);
	if (r < 0)
		error_sys(error, r, "new network namespace");
	if (r >= 0 && mount(source, path.text, NULL, MS_BIND, NULL) < 0)
		r = error_sys(error, errno, "%s: mount", path.text);
	if (!pid)
		netns_leave(home);
	if (r < 0) {
		unlink(path.text);
		return r;
	}
	*ret_made = true;
	return 0;
}

int netns_delete(struct rid id, bool *ret_deleted, struct error *error)
{
	struct path path = path_of(id);
	bool deleted = false;

	/* Once, unless somebody has mounted over it. */
	for (int i = 0; i < 16 && umount2(path.text, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; i++)
		deleted = true;
	if (unlink(path.text) == 0)
		deleted = true;
	else if (errno != ENOENT)
		return error_sys(error, errno, "%s", path.text);
	*ret_deleted = deleted;
	return 0;
}

static int open_socket(int home, int fd, int family, int type, int protocol)
{
	int result;

	if ((result = netns_enter(fd)) < 0)
		return result;
	result = socket(family, type | SOCK_CLOEXEC, protocol);
	if (result < 0)
		result = -errno;
	netns_leave(home);
	return result;
}

int netns_socket(int home, int fd, int protocol)
{
	return open_socket(home, fd, AF_NETLINK, SOCK_RAW, protocol);
}

int netns_packet_socket(struct rid id, struct error *error)
{
	CLEANUP(closep) int home = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	CLEANUP(closep) int fd = netns_open(id);
	int result;

	if (fd == -ENOENT)
		return -ENOENT;
	if (home < 0 || fd < 0)
		return error_sys(error, home < 0 ? errno : -fd, "%s", path_of(id).text);
	result = open_socket(home, fd, AF_PACKET, SOCK_RAW, 0);
	return result < 0 ? error_sys(error, -result, "packet socket in %s", path_of(id).text)
			  : result;
}

#define BRIDGE_FILTER "/bridge/bridge-nf-call-"

struct sysctl_path {
	char text[96];
};

static struct sysctl_path sysctl_path(const char *path)
{
	struct sysctl_path full;

	snprintf(full.text, sizeof(full.text), "/proc/sys/net/%s", path);
	return full;
}

static int read_number(int fd, int32_t *ret_value)
{
	char text[16] = "", *end;

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	*ret_value = (int32_t)strtol(text, &end, 10);
	return end == text || (*end != '\n' && *end != '\0') ? -EINVAL : 0;
}

/* What br_netfilter would do is not done where it is not there. */
static bool is_absent_filter(const char *path)
{
	return errno == ENOENT && strstr(path, BRIDGE_FILTER);
}

int netns_read_sysctl(const char *path, int32_t *ret_value)
{
	const struct sysctl_path full = sysctl_path(path);
	CLEANUP(closep) int fd = open(full.text, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return read_number(fd, ret_value);
	if (!is_absent_filter(full.text))
		return -errno;
	*ret_value = 0;
	return 0;
}

/* In the namespace already. */
static int write_sysctl(const char *path, int32_t value, int32_t *ret_old)
{
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[16];
	int32_t old;
	int length, r;

	if (fd < 0 && value == 0 && is_absent_filter(path)) {
		*ret_old = 0;
		return 0;
	}
	if (fd < 0)
		return -errno;
	if ((r = read_number(fd, &old)) < 0)
		return r;
	length = snprintf(text, sizeof(text), "%d", value);
	if (old != value && pwrite(fd, text, (size_t)length, 0) != length)
		return -errno;
	*ret_old = old;
	return 0;
}

int netns_sysctl(int home, int fd, const char *path, int32_t value, int32_t *ret_old)
{
	const struct sysctl_path full = sysctl_path(path);
	int r;

	if ((r = netns_enter(fd)) < 0)
		return r;
	r = write_sysctl(full.text, value, ret_old);
	netns_leave(home);
	return r;
}

/* Kinds that own namespaces. */
static bool owns_namespace(enum kind kind)
{
	return kind == KIND_VPC || kind == KIND_SUBNET || kind == KIND_INTERNET_GATEWAY ||
	       kind == KIND_VPC_PEERING || kind == KIND_NAT_GATEWAY || kind == KIND_INSTANCE ||
	       kind == KIND_INTERNET || kind == KIND_INTERNET_HOST;
}

int netns_list(struct rid **ret_ids, size_t *ret_count, struct error *error)
{
	CLEANUP(closedirp) DIR *directory = opendir(DIRECTORY);
	CLEANUP(freep) struct rid *ids = NULL;
	const struct dirent *entry;
	size_t count = 0;
	struct rid id;

	if (!directory && errno != ENOENT)
		return error_sys(error, errno, DIRECTORY);
	while (directory && (errno = 0, entry = readdir(directory)))
		if (rid_parse_any(entry->d_name, &id) == 0 && owns_namespace(id.kind) && id.n)
			*array_grow(&ids, &count) = id;
	if (directory && errno)
		return error_sys(error, errno, DIRECTORY);
	*ret_ids = steal(&ids);
	*ret_count = count;
	return 0;
}
