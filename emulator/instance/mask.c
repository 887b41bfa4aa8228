/* The mask: see mask.h. */
#include "instance/mask.h"

#include "instance/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Where private files stand among public ones, and how deep it is worth to look. */
static const struct {
	const char *path;
	int depth;
} places[] = {
	{ ".", 0 },
	{ "etc", 8 },
	{ "var/cache", 3 },
	{ "var/log", 2 },
	{ "var/spool", 2 },
	{ "var/lib", 1 },
	{ "var/lib/apt/lists", 0 },
	{ "var/lib/dpkg/triggers", 0 },
};

/* What the machine calls itself: an instance writes its own at its first start, and what isn't
 * there it need not remove, from an overlay, at each. */
static const char *const names[] = {
	"etc/hostname",
	"etc/hosts",
	"etc/resolv.conf",
	&INIT_LOG[1],
};

struct mask {
	int host, mask;
	uint32_t shift;
};

static bool is_public(const struct stat *status)
{
	mode_t needed = S_ISDIR(status->st_mode) ? S_IROTH | S_IXOTH : S_IROTH;

	return S_ISLNK(status->st_mode) || (status->st_mode & needed) == needed;
}

/* As the host's is: chown() takes the set-user-id bits, so the mode comes last. */
static int take_after(const struct mask *mask, const char *path, const struct stat *status)
{
	if (fchownat(mask->mask, path, mask->shift + status->st_uid, mask->shift + status->st_gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(mask->mask, path, status->st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

static int make_directory(const struct mask *mask, const char *path)
{
	struct stat status;

	if (mkdirat(mask->mask, path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fstatat(mask->host, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return take_after(mask, path, &status);
}

/* A directory in two layers has the upper one's owner and mode: the same as below. */
static int make_parents(const struct mask *mask, const char *path)
{
	char parent[PATH_MAX];
	int r = 0;

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = strchr(parent, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_directory(mask, parent);
		*slash = '/';
	}
	return r;
}

static int empty_directory(const struct mask *mask, const char *path)
{
	CLEANUP(closep) int fd = -1;
	int r = make_directory(mask, path);

	if (r < 0)
		return r;
	fd = openat(mask->mask, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return -errno;
	return 0;
}

static int write_file(const struct mask *mask, const char *path, const struct stat *status,
		      const char *text)
{
	CLEANUP(closep)
	int fd = openat(mask->mask, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (*text && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -EIO;
	return take_after(mask, path, status);
}

static int leave_out(const struct mask *mask, const char *path)
{
	return mknodat(mask->mask, path, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

/* An empty file is a lock or the like. One that holds something is as if it had never been made. */
static int replace(const struct mask *mask, const char *path, const struct stat *status)
{
	int r = make_parents(mask, path);

	if (r < 0)
		return r;
	if (S_ISDIR(status->st_mode))
		return empty_directory(mask, path);
	if (S_ISREG(status->st_mode) && status->st_size == 0)
		return write_file(mask, path, status, "");
	return leave_out(mask, path);
}

/* A file or a link, as if it had never been made. */
static int forget(const struct mask *mask, const char *path)
{
	struct stat status;
	int r;

	if (fstatat(mask->host, path, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(status.st_mode))
		return 0;
	r = make_parents(mask, path);
	return r < 0 ? r : leave_out(mask, path);
}

static int look_at(const struct mask *mask, const char *path, int depth);

static int look_into(const struct mask *mask, const char *path, int depth)
{
	int fd = openat(mask->host, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char below[PATH_MAX];
	int r = 0;

	if (!directory) {
		r = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
		closep(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(directory))) {
		const char *prefix = streq(path, ".") ? "" : path;

		if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
		    entry->d_type == DT_LNK)
			continue;
		if (snprintf(below, sizeof(below), "%s%s%s", prefix, *prefix ? "/" : "",
			     entry->d_name) < (int)sizeof(below))
			r = look_at(mask, below, depth);
	}
	closedir(directory);
	return r;
}

static int look_at(const struct mask *mask, const char *path, int depth)
{
	struct stat status, done;

	/* Gone meanwhile, or replaced already. */
	if (fstatat(mask->host, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!is_public(&status))
		return fstatat(mask->mask, path, &done, AT_SYMLINK_NOFOLLOW) == 0
			       ? 0
			       : replace(mask, path, &status);
	return S_ISDIR(status.st_mode) && depth > 0 ? look_into(mask, path, depth - 1) : 0;
}

/* Every name of `list`, one a line, followed by `rest`: nobody can log in by a password. */
static int lock_accounts(const struct mask *mask, const char *list, const char *path,
			 const char *rest)
{
	int fd = openat(mask->host, list, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL, *text = NULL;
	struct stat status;
	size_t size = 0, length = 0;
	FILE *out;
	int r;

	if (!file || fstatat(mask->host, path, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		if (file)
			fclose(file);
		else
			closep(&fd);
		return 0; /* it has no such file to stand in for */
	}
	out = open_memstream(&text, &length);
	while (out && getline(&line, &size, file) > 0)
		if (strchr(line, ':'))
			fprintf(out, "%.*s%s\n", (int)strcspn(line, ":"), line, rest);
	free(line);
	fclose(file);
	if (!out || fclose(out) != 0)
		return -ENOMEM;
	r = make_parents(mask, path);
	if (r == 0)
		r = write_file(mask, path, &status, text);
	free(text);
	return r;
}

int mask_hide(int host, int mask_directory, uint32_t shift, const char *const hidden[],
	      struct error *error)
{
	const struct mask mask = { host, mask_directory, shift };

	for (size_t i = 0; hidden[i]; i++) {
		struct stat status;
		int r;

		if (fstatat(host, hidden[i], &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(status.st_mode))
			continue;
		r = make_parents(&mask, hidden[i]);
		if (r == 0)
			r = empty_directory(&mask, hidden[i]);
		if (r < 0)
			return error_sys(error, r, "hiding /%s", hidden[i]);
	}
	return 0;
}

int mask_private(int host, int mask_directory, uint32_t shift, struct error *error)
{
	const struct mask mask = { host, mask_directory, shift };
	int r;

	r = lock_accounts(&mask, "etc/passwd", "etc/shadow", ":*:19000:0:99999:7:::");
	if (r == 0)
		r = lock_accounts(&mask, "etc/group", "etc/gshadow", ":*::");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
		r = forget(&mask, names[i]);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = look_into(&mask, places[i].path, places[i].depth);
	return r < 0 ? error_sys(error, r, "private files") : 0;
}
