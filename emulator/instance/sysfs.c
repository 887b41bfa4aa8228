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

/* A new network namespace has the machine's settings (devconf_inherit_init_net), and where it runs
 * containers it forwards; an instance doesn't until its root says so. */
static void forget_forwarding(void)
{
	CLEANUP(closep) int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "0", 1) < 0)
		return; /* somebody covered it */
}

/* Twice: the first may have failed for want of memory, and nobody asks for it again. */
static bool mount_own(void)
{
	for (int tries = 0; tries < 2; tries++)
		if (mount("sysfs", "/sys", "sysfs", MS_RDONLY | PLAIN, NULL) == 0)
			return true;
	return false;
}

void sysfs_mount(void)
{
	struct statfs there;

	if (statfs("/sys", &there) == 0 &&
	    (there.f_type == SYSFS_MAGIC || there.f_type == TMPFS_MAGIC))
		return;
	forget_forwarding();
	mkdir("/sys", 0555); /* somebody may have removed it */
	if (!mount_own())
		mount("tmpfs", "/sys", "tmpfs", MS_RDONLY | PLAIN, "mode=555,size=4k");
}
