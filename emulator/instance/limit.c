/* Control groups: see limit.h. */
#include "instance/limit.h"

#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define PREFIX	 "minivpc-"
#define TOGETHER "instances"

/* Where a hierarchy is mounted. */
struct hierarchy {
	int version;
	char root[PATH_MAX]; /* the group that is seen there */
	char mount[PATH_MAX];
};

/* ---- files of a group ---- */

static int put(int group, const char *file, const char *text)
{
	CLEANUP(closep) int fd = openat(group, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int put_number(int group, const char *file, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return put(group, file, text);
}

static bool holds_word(int group, const char *file, const char *word)
{
	CLEANUP(closep) int fd = openat(group, file, O_RDONLY | O_CLOEXEC);
	char text[1024];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (size < 0)
		return false;
	text[size] = '\0';
	for (char *rest = text, *at; (at = strsep(&rest, " \n"));)
		if (streq(at, word))
			return true;
	return false;
}

/* ---- where ---- */

static bool has_item(char *list, const char *item)
{
	for (char *at; (at = strsep(&list, ","));)
		if (streq(at, item))
			return true;
	return false;
}

/* A line of /proc/self/mountinfo. */
static bool read_mount(char *line, struct hierarchy *ret)
{
	char type[16], options[1024], *rest = strstr(line, " - ");

	if (!rest || sscanf(rest, " - %15s %*s %1023s", type, options) != 2 ||
	    sscanf(line, "%*s %*s %*s %4095s %4095s", ret->root, ret->mount) != 2)
		return false;
	ret->version = streq(type, "cgroup2") ? 2 : 1;
	return streq(type, "cgroup2") || (streq(type, "cgroup") && has_item(options, "memory"));
}

static bool controls_memory(const struct hierarchy *hierarchy)
{
	CLEANUP(closep)
	int fd = open(hierarchy->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return hierarchy->version == 1 ||
	       (fd >= 0 && holds_word(fd, "cgroup.controllers", "memory"));
}

/* The one that has the memory controller. */
static bool find_hierarchy(struct hierarchy *ret)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (file && !found && getline(&line, &size, file) > 0)
		found = read_mount(line, ret) && controls_memory(ret);
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* The directory of the group that process `pid` ("self") is in. */
static bool find_group(const struct hierarchy *hierarchy, const char *pid, char ret_path[PATH_MAX])
{
	char *line = NULL, name[64];
	size_t size = 0, skip = streq(hierarchy->root, "/") ? 0 : strlen(hierarchy->root);
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%s/cgroup", pid);
	file = fopen(name, "re");
	while (file && !found && getline(&line, &size, file) > 0) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		found = (hierarchy->version == 2 ? !controllers[1]
						 : has_item(controllers + 1, "memory")) &&
			strncmp(path, hierarchy->root, skip) == 0 && !strstr(path, "/..") &&
			snprintf(ret_path, PATH_MAX, "%s%s", hierarchy->mount,
				 streq(path + skip, "/") ? "" : path + skip) < PATH_MAX;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* ---- the world's ---- */

static bool is_ours(const char *path)
{
	const char *slash = strrchr(path, '/');

	return path[0] == '/' && strncmp(slash + 1, PREFIX, strlen(PREFIX)) == 0;
}

/* What an earlier daemon made: it may have been in another group. */
static bool read_record(const char *record, char ret_path[PATH_MAX])
{
	CLEANUP(closep) int fd = open(record, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, ret_path, PATH_MAX - 1);

	if (size <= 0)
		return false;
	ret_path[size] = '\0';
	return is_ours(ret_path);
}

static int write_record(const char *record, const char *path)
{
	CLEANUP(closep) int fd = open(record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 || write(fd, path, strlen(path)) != (ssize_t)strlen(path) ? -errno : 0;
}

/* A group with processes can't hand its controllers on, unless it is the machine's own. */
static int hand_on(int group)
{
	return holds_word(group, "cgroup.subtree_control", "memory")
		       ? 0
		       : put(group, "cgroup.subtree_control", "+memory");
}

/* The group that the world's is made in. */
static int find_parent(char ret_path[PATH_MAX], struct error *error)
{
	struct hierarchy hierarchy;

	if (!find_hierarchy(&hierarchy))
		return error_sys(error, ENOENT, "no control groups for memory are mounted");
	if (hierarchy.version == 1)
		return find_group(&hierarchy, "self", ret_path)
			       ? 0
			       : error_sys(error, ENOENT, "our own control group");
	snprintf(ret_path, PATH_MAX, "%s", hierarchy.mount);
	return 0;
}

/* Named as the world's directory of run-time files, which `record` is in. */
static int find_place(const char *record, char ret_path[PATH_MAX], struct error *error)
{
	const char *end = strrchr(record, '/'), *begin = end;
	char parent[PATH_MAX];
	int r = find_parent(parent, error);

	if (r < 0)
		return r;
	while (begin > record && begin[-1] != '/')
		begin--;
	return snprintf(ret_path, PATH_MAX, "%s/" PREFIX "%.*s", parent, (int)(end - begin),
			begin) < PATH_MAX
		       ? 0
		       : error_sys(error, ENAMETOOLONG, "%s", parent);
}

/* What the world's group is to have its limit by. */
static int prepare_parent(const char *path, struct error *error)
{
	CLEANUP(freep)
	char *parent = xasprintf("%.*s", (int)(strrchr(path, '/') - path), path);
	CLEANUP(closep) int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return error_sys(error, errno, "%s", parent);
	if (faccessat(fd, "cgroup.subtree_control", F_OK, 0) == 0) /* version 2 */
		r = hand_on(fd);
	return r < 0 ? error_sys(error, r, "%s/cgroup.subtree_control does not take +memory",
				 parent)
		     : 0;
}

static int make_group(const char *record, char ret_path[PATH_MAX], struct error *error)
{
	int r;

	if ((r = find_place(record, ret_path, error)) < 0 ||
	    (r = prepare_parent(ret_path, error)) < 0)
		return r;
	r = write_record(record, ret_path);
	if (r == 0 && mkdir(ret_path, 0755) < 0 && errno != EEXIST)
		r = -errno;
	return r < 0 ? error_sys(error, r, "%s", ret_path) : 0;
}

#define LEAVE_TRIES 2 /* once it may have failed for a moment's shortage */

/* One that somebody is in stays: the kernel sees to it. */
static void remove_group(int parent, const char *name)
{
	for (int i = 0; i < LEAVE_TRIES; i++)
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return;
}

static void sweep(int group, const char *kept)
{
	int fd = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    !(kept && streq(entry->d_name, kept)))
			remove_group(group, entry->d_name);
	if (directory)
		closedir(directory);
}

/* The world's group, where there is one or it is to be. */
static int open_group(struct limits *limits, const char *record, bool wanted, struct error *error)
{
	char path[PATH_MAX];

	if (read_record(record, path))
		limits->group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (limits->group < 0 && wanted) {
		int r = make_group(record, path, error);

		if (r < 0)
			return r;
		limits->group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (limits->group < 0)
			return error_sys(error, errno, "%s", path);
	}
	if (limits->group < 0)
		return 0;
	sweep(limits->group, NULL);
	limits->version = faccessat(limits->group, "memory.limit_in_bytes", F_OK, 0) == 0 ? 1 : 2;
	return 0;
}

/* ---- limits ---- */

/* The second keeps it from using as much of the swap, where the kernel counts that; version 1 wants
 * it to be the larger at any time. */
static int set_limit(int version, int group, uint64_t memory)
{
	static const char *const files[][2] = {
		{ "memory.limit_in_bytes", "memory.memsw.limit_in_bytes" },
		{ "memory.max", "memory.swap.max" },
	};
	const char *const *file = files[version - 1], *any = version == 1 ? "-1" : "max";
	int r = put(group, file[1], any);

	if (r < 0 && r != -ENOENT)
		return r;
	r = memory == LIMITS_NONE ? put(group, file[0], any) : put_number(group, file[0], memory);
	if (r < 0 || memory == LIMITS_NONE)
		return r;
	r = put_number(group, file[1], version == 1 ? memory : 0);
	return r == -ENOENT ? 0 : r;
}

/* What the daemon's own group is held to, or the one that a container sees as the machine's. */
static uint64_t limit_above(const struct limits *limits)
{
	CLEANUP(closep)
	int fd = openat(limits->group, limits->version == 1 ? "../memory.stat" : "../memory.max",
			O_RDONLY | O_CLOEXEC);
	char text[8192], *at = text;
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned long long limit;

	text[MAX(size, (ssize_t)0)] = '\0';
	if (limits->version == 1) {
		static const char word[] = "hierarchical_memory_limit ";

		at = strstr(text, word);
		at = at ? at + strlen(word) : text + strlen(text);
	}
	return sscanf(at, "%llu", &limit) == 1 ? limit : LIMITS_NONE;
}

static uint64_t share(const struct limits *limits)
{
	struct sysinfo info;
	uint64_t memory = limit_above(limits);

	if (sysinfo(&info) == 0)
		memory = MIN(memory, (uint64_t)info.totalram * info.mem_unit);
	return memory / 100 * LIMITS_PERCENT;
}

/* One that there isn't holds nobody, one that there is may hold some from an earlier daemon. */
static int limit_together(struct limits *limits, uint64_t memory, struct error *error)
{
	int r;

	if (limits->group < 0)
		return 0;
	if (memory == LIMITS_SHARE)
		memory = share(limits);
	r = set_limit(limits->version, limits->group, memory);
	if (r < 0 && memory == LIMITS_NONE)
		r = 0; /* it never had one: there is nothing to undo */
	else if (r < 0)
		return error_sys(error, r, "limiting it to %llu MiB",
				 (unsigned long long)memory >> 20);
	if (memory == LIMITS_NONE)
		return 0;
	if (mkdirat(limits->group, TOGETHER, 0755) < 0 && errno != EEXIST)
		return error_sys(error, errno, "the control group of instances");
	limits->together = openat(limits->group, TOGETHER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (limits->together < 0)
		return error_sys(error, errno, "the control group of instances");
	limits->memory = memory;
	return 0;
}

void limits_open(struct limits *limits, const struct limits_options *options, struct error *error)
{
	int r;

	*limits = (struct limits)LIMITS_INIT;
	if (!options->record ||
	    open_group(limits, options->record, options->each || options->memory != LIMITS_NONE,
		       error) < 0)
		return;
	limit_together(limits, options->memory, error);
	if (!options->each || limits->group < 0)
		return;
	r = limits->version == 2 ? hand_on(limits->group) : 0;
	if (r < 0)
		error_sys(error, r, "handing the world's memory on to its instances");
	limits->is_on = r == 0;
}

void limits_close(struct limits *limits)
{
	closep(&limits->together);
	closep(&limits->group);
	*limits = (struct limits)LIMITS_INIT;
}

#define REMOVE_MS 5000

/* Who was killed, or whose parent was, is in there until it is no more; and once it may fail for a
 * moment's shortage. */
static int remove_world(const char *path)
{
	const int64_t end = now_ms() + REMOVE_MS;
	int sys = 0;

	for (int i = 0; i < LEAVE_TRIES || (sys == EBUSY && now_ms() < end); i++) {
		CLEANUP(closep) int group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (group < 0 && errno == ENOENT) /* rmdir() may say it is read-only instead */
			return 0;
		if (group >= 0)
			sweep(group, NULL);
		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
		sys = errno;
		poll(NULL, 0, 1);
	}
	return -sys;
}

int limits_remove(const char *record, struct error *error)
{
	struct error none = ERROR_INIT;
	char path[PATH_MAX];
	int r;

	/* A record that somebody removed is no reason to leave what it led to. */
	if (!read_record(record, path) && find_place(record, path, &none) < 0)
		return 0;
	r = remove_world(path);
	return r < 0 ? error_sys(error, r, "the control group %s", path) : 0;
}

/* ---- who is in them ---- */

/* Born there where the kernel can do that: to be moved takes it up to 20 ms, except for a task that
 * moves itself alone, which version 2 doesn't have. */
pid_t limits_fork(int group, int *ret_sys)
{
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)group,
	};
	pid_t pid;

	*ret_sys = 0;
	if (group >= 0 && faccessat(group, "tasks", F_OK, 0) < 0)
		return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	pid = fork();
	if (pid == 0 && group >= 0)
		*ret_sys = put(group, "tasks", "0");
	return pid;
}

/* A group that is there already was left by another init of the instance. */
static int make(const struct limits *limits, const char *name, uint64_t memory, int *ret_fd)
{
	CLEANUP(closep) int group = -1;
	int r;

	if (mkdirat(limits->group, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	group = openat(limits->group, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = group < 0 ? -errno : set_limit(limits->version, group, memory);
	if (r < 0)
		return r;
	*ret_fd = limits->version == 2 ? steal_fd(&group)
				       : openat(group, "tasks", O_WRONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

int limits_make(const struct limits *limits, const char *name, uint64_t memory, int *ret_fd,
		struct error *error)
{
	int r;

	*ret_fd = -1;
	if (!limits->is_on || !memory)
		return 0;
	limits_leave(limits, name);
	r = make(limits, name, memory, ret_fd);
	if (r < 0)
		limits_leave(limits, name);
	return r < 0 ? error_sys(error, r, "the control group of %s", name) : 0;
}

void limits_leave(const struct limits *limits, const char *name)
{
	if (limits->group >= 0)
		remove_group(limits->group, name);
}

void limits_sweep(const struct limits *limits)
{
	if (limits->group >= 0)
		sweep(limits->group, TOGETHER);
}

struct groups_text {
	char text[4096];
};

/* "" for what is not there. */
static struct groups_text groups_of(const char *pid)
{
	struct groups_text groups;
	CLEANUP(closep) int fd = -1;
	char name[32];
	ssize_t size;

	snprintf(name, sizeof(name), "/proc/%s/cgroup", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, groups.text, sizeof(groups.text) - 1);
	groups.text[MAX(size, (ssize_t)0)] = '\0';
	return groups;
}

/* Before anything is looked for: most have none. */
static bool may_have_group(const char *pid)
{
	return strstr(groups_of(pid).text, "/" PREFIX) != NULL;
}

enum limits_place limits_place_of(const char *name, pid_t pid)
{
	char number[16];
	struct groups_text groups;

	snprintf(number, sizeof(number), "%d", (int)pid);
	groups = groups_of(number);
	for (char *at = groups.text, *line; (line = strsep(&at, "\n"));) {
		const char *end = strrchr(line, '/');

		if (!strstr(line, "/" PREFIX) || !end)
			continue;
		if (streq(end + 1, TOGETHER))
			return LIMITS_TOGETHER;
		if (streq(end + 1, name))
			return LIMITS_ALONE;
	}
	return LIMITS_NOWHERE;
}

int limits_return(const struct limits *limits, const char *name, enum limits_place place, pid_t pid,
		  struct error *error)
{
	CLEANUP(closep) int group = -1;
	int r;

	if (place == LIMITS_NOWHERE || limits->group < 0)
		return error_sys(error, ENOENT, "the control group of %s", name);
	group = openat(limits->group, place == LIMITS_TOGETHER ? TOGETHER : name,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = group < 0 ? -errno : put_number(group, "cgroup.procs", (uint64_t)pid);
	return r < 0 ? error_sys(error, r, "the control group of %s", name) : 0;
}

int limits_find(pid_t pid, int *ret_group)
{
	struct hierarchy hierarchy;
	char path[PATH_MAX], text[16], *slash;
	int group;

	*ret_group = -1;
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (!may_have_group(text) || !find_hierarchy(&hierarchy) ||
	    !find_group(&hierarchy, text, path))
		return 0;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (!is_ours(path))
		return 0; /* the daemon is in a group that is named alike */
	*slash = '/';
	group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return -errno;
	*ret_group = group;
	return 0;
}

int limits_check(struct error *error)
{
	char path[PATH_MAX];
	int r = find_parent(path, error);

	if (r < 0)
		return r;
	return access(path, W_OK) < 0 ? error_sys(error, errno, "%s", path) : 0;
}
