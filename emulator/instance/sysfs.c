/* /sys: see sysfs.h. */
#include "instance/sysfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

void sysfs_show(void)
{
	CLEANUP(closep) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (own < 0 || mkdir(SYSFS_IN_SIGHT, 0555) < 0 || unshare(CLONE_NEWNET) < 0)
		return;
	/* The namespace ends here; it was never given anything to show. */
	if (mount("sysfs", SYSFS_IN_SIGHT, "sysfs", PLAIN, NULL) < 0)
		rmdir(SYSFS_IN_SIGHT);
	if (setns(own, CLONE_NEWNET) < 0)
		_exit(1);
}

void sysfs_mount(void)
{
	struct statfs there;

	if (statfs("/sys", &there) == 0 && there.f_type == SYSFS_MAGIC)
		return;
	mkdir("/sys", 0555); /* somebody may have removed it */
	mount("sysfs", "/sys", "sysfs", MS_RDONLY | PLAIN, NULL);
}
