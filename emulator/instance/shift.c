/* Shifted owners: see shift.h. */
#include "instance/shift.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CAPABILITY "security.capability"

struct shift {
	uint32_t first, count;
	bool all;
	dev_t device;
};

/* chown() takes the set-user-id bits and the capabilities. */
static int shift_one(const struct shift *shift, int directory, const char *name,
		     const struct stat *status)
{
	char path[64 + NAME_MAX], capability[64];
	ssize_t size = -1;

	if (status->st_uid >= shift->count || status->st_gid >= shift->count)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
	if (S_ISREG(status->st_mode) && (status->st_mode & 0111))
		size = lgetxattr(path, CAPABILITY, capability, sizeof(capability));
	if (fchownat(directory, name, shift->first + status->st_uid, shift->first + status->st_gid,
		     AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((status->st_mode & (S_ISUID | S_ISGID)) && !S_ISLNK(status->st_mode) &&
	    fchmodat(directory, name, status->st_mode & 07777, 0) < 0)
		return -errno;
	if (size > 0 && lsetxattr(path, CAPABILITY, capability, (size_t)size, 0) < 0)
		return -errno;
	return 0;
}

static bool is_wanted(const struct shift *shift, const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return (shift->all ||
			(status->st_mode & (S_IROTH | S_IXOTH)) == (S_IROTH | S_IXOTH)) &&
		       status->st_dev == shift->device;
	return shift->all || S_ISLNK(status->st_mode) ||
	       (S_ISREG(status->st_mode) && (status->st_mode & S_IROTH));
}

/* Takes `fd` over. */
static int shift_all(const struct shift *shift, int fd)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;
	struct stat status;
	int r = 0;

	if (!directory) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(directory))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !is_wanted(shift, &status))
			continue;
		r = shift_one(shift, fd, entry->d_name, &status);
		if (r == 0 && S_ISDIR(status.st_mode)) {
			int below = openat(fd, entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			r = below < 0 ? 0 : shift_all(shift, below);
		}
	}
	closedir(directory);
	return r;
}

int shift_make(uint32_t first_id, uint32_t count, bool all, struct error *error)
{
	struct shift shift = { first_id, count, all, 0 };
	struct stat status;
	int fd, r;

	if (mkdir("shift", 0755) < 0 || mkdir("shift/upper", 0755) < 0 ||
	    mkdir("shift/work", 0700) < 0 || mkdir("shift/merged", 0755) < 0 ||
	    mount("overlay", "shift/merged", "overlay", MS_NODEV,
		  "lowerdir=host,upperdir=shift/upper,workdir=shift/work,index=off,xino=off,"
		  "redirect_dir=on,metacopy=on") < 0)
		return error_sys(error, errno, "a layer of owners");
	fd = open("shift/merged", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_sys(error, errno, "a layer of owners");
	shift.device = status.st_dev;
	r = fchown(fd, first_id + status.st_uid, first_id + status.st_gid) < 0 ? -errno : 0;
	if (r == 0)
		r = shift_all(&shift, fd);
	if (r == 0 && umount2("shift/merged", MNT_DETACH) < 0)
		r = -errno;
	return r < 0 ? error_sys(error, r, "a layer of owners") : 0;
}
