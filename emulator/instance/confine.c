/* Privileges: see confine.h. */
#include "instance/confine.h"

#include "base/capabilities.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* For namespaces and their ids, mounts, and all that is done to files in an overlay. */
#define CAPABILITIES                                                                               \
	(CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_FOWNER) |           \
	 CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETUID) |                \
	 CAPABILITY(CAP_SETPCAP) | CAPABILITY(CAP_SETFCAP) | CAPABILITY(CAP_SYS_ADMIN) |           \
	 CAPABILITY(CAP_SYS_CHROOT) | CAPABILITY(CAP_SYS_RESOURCE))

static int limit_processes(void)
{
	const struct rlimit limit = { CONFINE_PROCESSES, CONFINE_PROCESSES };

	return setrlimit(RLIMIT_NPROC, &limit) < 0 ? -errno : 0;
}

int confine_launcher(void)
{
	int r = confine_keyring();

	if (r < 0)
		return r;
	/* Whatever ids it takes for a moment. A new user namespace begins without this. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		return -errno;
	r = capabilities_keep(CAPABILITIES);
	return r < 0 ? r : limit_processes();
}

/*
 * Where the kernel has no keyrings, or a seccomp filter (an outer container's) refuses the call,
 * that filter is inherited too and nobody inside can reach a keyring.
 */
int confine_keyring(void)
{
	long keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);

	if (keyring < 0)
		return errno == ENOSYS || errno == EPERM ? 0 : -errno;
	return syscall(SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, 0) < 0 ? -errno : 0;
}

int confine_memory(void)
{
	static const char badness[] = "500"; /* as if it had half of all memory */
	CLEANUP(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, badness, strlen(badness)) < 0 ? -errno : 0;
}

int confine_enter(void)
{
	return limit_processes();
}
