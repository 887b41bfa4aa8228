/* Control groups: see limit.h. */
#include "instance/limit.h"

#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "minivpc-"

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
static int find_parent(struct hierarchy *ret_hierarchy, char ret_path[PATH_MAX],
		       struct error *error)
{
	CLEANUP(closep) int fd = -1;
	int r;

	if (!find_hierarchy(ret_hierarchy))
		return error_sys(error, ENOENT, "no control groups for memory are mounted");
	if (ret_hierarchy->version == 1)
		return find_group(ret_hierarchy, "self", ret_path)
			       ? 0
			       : error_sys(error, ENOENT, "our own control group");
	snprintf(ret_path, PATH_MAX, "%s", ret_hierarchy->mount);
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : hand_on(fd);
	return r < 0 ? error_sys(error, r, "%s/cgroup.subtree_control", ret_path) : 0;
}

/* Named as the world's directory of run-time files, which `record` is in. */
static int make_group(const char *record, char ret_path[PATH_MAX], struct error *error)
{
	const char *end = strrchr(record, '/'), *begin = end;
	struct hierarchy hierarchy;
	char parent[PATH_MAX];
	int r = find_parent(&hierarchy, parent, error);

	if (r < 0)
		return r;
	while (begin > record && begin[-1] != '/')
		begin--;
	if (snprintf(ret_path, PATH_MAX, "%s/" PREFIX "%.*s", parent, (int)(end - begin), begin) >=
	    PATH_MAX)
		return error_sys(error, ENAMETOOLONG, "%s", parent);
	r = write_record(record, ret_path);
	if (r == 0 && mkdir(ret_path, 0755) < 0 && errno != EEXIST)
		r = -errno;
	return r < 0 ? error_sys(error, r, "%s", ret_path) : 0;
}

/* Those that somebody is in stay: the kernel sees to it. */
static void sweep(int group)
{
	int fd = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			unlinkat(group, entry->d_name, AT_REMOVEDIR);
	if (directory)
		closedir(directory);
}

void limits_open(struct limits *limits, const char *record, bool wanted, struct error *error)
{
	char path[PATH_MAX];
	int r = 0;

	*limits = (struct limits)LIMITS_INIT;
	if (!record)
		return;
	if (read_record(record, path))
		limits->group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (limits->group < 0 && wanted && make_group(record, path, error) == 0)
		limits->group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (limits->group < 0)
		return;
	sweep(limits->group);
	limits->version = faccessat(limits->group, "memory.limit_in_bytes", F_OK, 0) == 0 ? 1 : 2;
	if (limits->version == 2 && wanted && (r = hand_on(limits->group)) < 0)
		error_sys(error, r, "%s/cgroup.subtree_control", path);
	limits->is_on = wanted && r == 0;
}

void limits_close(struct limits *limits)
{
	closep(&limits->group);
	limits->group = -1;
}

void limits_remove(const char *record)
{
	char path[PATH_MAX];
	CLEANUP(closep) int group = -1;

	if (!read_record(record, path))
		return;
	group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group >= 0)
		sweep(group);
	rmdir(path);
}

/* ---- an instance's ---- */

/* The second keeps it from using as much of the swap, where the kernel counts that. */
static int set_limit(int version, int group, uint64_t memory)
{
	static const char *const files[][2] = {
		{ "memory.limit_in_bytes", "memory.memsw.limit_in_bytes" },
		{ "memory.max", "memory.swap.max" },
	};
	int r = put_number(group, files[version - 1][0], memory);

	if (r < 0)
		return r;
	r = put_number(group, files[version - 1][1], version == 1 ? memory : 0);
	return r == -ENOENT ? 0 : r;
}

/* A group that is there already was left by another init of the instance. */
int limits_enter(const struct limits *limits, const char *name, pid_t pid, uint64_t memory,
		 struct error *error)
{
	CLEANUP(closep) int group = -1;
	int r;

	if (!limits->is_on || !memory)
		return 0;
	limits_leave(limits, name);
	if (mkdirat(limits->group, name, 0755) < 0 && errno != EEXIST)
		return error_sys(error, errno, "the control group of %s", name);
	group = openat(limits->group, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = group < 0 ? -errno : set_limit(limits->version, group, memory);
	if (r == 0)
		r = put_number(group, "cgroup.procs", (uint64_t)pid);
	return r < 0 ? error_sys(error, r, "limiting the memory of %s", name) : 0;
}

void limits_leave(const struct limits *limits, const char *name)
{
	if (limits->group >= 0)
		unlinkat(limits->group, name, AT_REMOVEDIR);
}

/* Before anything is looked for: most have none. */
static bool may_have_group(const char *pid)
{
	char name[32], text[4096];
	CLEANUP(closep) int fd = -1;
	ssize_t size;

	snprintf(name, sizeof(name), "/proc/%s/cgroup", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[MAX(size, (ssize_t)0)] = '\0';
	return strstr(text, "/" PREFIX) != NULL;
}

int limits_join(pid_t pid)
{
	CLEANUP(closep) int group = -1;
	struct hierarchy hierarchy;
	char path[PATH_MAX], text[16], *slash;

	snprintf(text, sizeof(text), "%d", (int)pid);
	if (!may_have_group(text) || !find_hierarchy(&hierarchy) ||
	    !find_group(&hierarchy, text, path))
		return 0;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (!is_ours(path))
		return 0; /* it has none of its own */
	*slash = '/';
	group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return group < 0 ? -errno : put(group, "cgroup.procs", "0");
}
