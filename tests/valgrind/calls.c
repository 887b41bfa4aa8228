/*
 * Loaded into a daemon that valgrind runs: the system calls that valgrind (3.19) doesn't know, or
 * fails at, are made on the real processor. x86-64 only.
 */
#include <errno.h>
#include <linux/sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

enum {
	NUMBER,
	ARGUMENTS = 6
};

static long call(const long *a)
{
	register long fourth __asm__("r10") = a[4], fifth __asm__("r8") = a[5],
			     sixth __asm__("r9") = a[6];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(a[NUMBER]), "D"(a[1]), "S"(a[2]), "d"(a[3]), "r"(fourth), "r"(fifth),
			   "r"(sixth)
			 : "rcx", "r11", "memory");
	return result;
}

/* Of a thread that valgrind names, not of its simulated processor. */
static long call_really(unsigned int thread, const long *a)
{
	(void)thread;
	return call(a);
}

static long outcome(long result)
{
	if (result >= 0 || result < -4095)
		return result;
	errno = (int)-result;
	return -1;
}

static long really(long number, long a, long b, long c, long d, long e)
{
	const long arguments[1 + ARGUMENTS] = { number, a, b, c, d, e };

	return outcome((long)VALGRIND_NON_SIMD_CALL1(call_really, arguments));
}

/* clone(2) it knows, and must, to go on in the child; without a control group. */
static long clone_simply(const struct clone_args *wanted)
{
	const long flags = (long)((wanted->flags & UINT32_MAX) | wanted->exit_signal);
	const long arguments[1 + ARGUMENTS] = { SYS_clone, flags, 0,
						(long)(flags & CLONE_PIDFD ? wanted->pidfd
									   : wanted->parent_tid) };

	return outcome(call(arguments));
}

long syscall(long number, ...)
{
	long arguments[1 + ARGUMENTS] = { number };
	va_list list;

	va_start(list, number);
	for (int i = 1; i <= ARGUMENTS; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	switch (number) {
	case SYS_clone3:
		return clone_simply((const void *)(uintptr_t)arguments[1]);
	case SYS_pivot_root:
	case SYS_pidfd_send_signal:
	case SYS_openat2:
	case SYS_seccomp:
		return really(number, arguments[1], arguments[2], arguments[3], arguments[4], 0);
	default:
		return outcome(call(arguments));
	}
}

#define WORD(value) ((long)(intptr_t)(value))

int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data)
{
	return (int)really(SYS_mount, WORD(source), WORD(target), WORD(type), (long)flags,
			   WORD(data));
}

int open_tree(int fd, const char *path, unsigned int flags)
{
	return (int)really(SYS_open_tree, fd, WORD(path), flags, 0, 0);
}

int move_mount(int from, const char *path, int to, const char *target, unsigned int flags)
{
	return (int)really(SYS_move_mount, from, WORD(path), to, WORD(target), flags);
}

int fsopen(const char *name, unsigned int flags)
{
	return (int)really(SYS_fsopen, WORD(name), flags, 0, 0, 0);
}

int fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux)
{
	return (int)really(SYS_fsconfig, fd, command, WORD(key), WORD(value), aux);
}

int fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)really(SYS_fsmount, fd, flags, attributes, 0, 0);
}

int mount_setattr(int fd, const char *path, unsigned int flags, struct mount_attr *attributes,
		  size_t size)
{
	return (int)really(SYS_mount_setattr, fd, WORD(path), flags, WORD(attributes), (long)size);
}

int pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)really(SYS_pidfd_open, pid, flags, 0, 0, 0);
}

int pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned int flags)
{
	return (int)really(SYS_pidfd_send_signal, fd, number, WORD(info), flags, 0);
}

/* Its own descriptors are above. */
int close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)really(SYS_close_range, first, last > 1000 ? 1000 : last, flags, 0, 0);
}

static pid_t daemon_pid;

__attribute__((constructor)) static void remember(void)
{
	daemon_pid = getpid();
}

/* The launcher gives back all memory that it doesn't know, valgrind's too. */
int munmap(void *start, size_t size)
{
	return getpid() == daemon_pid
		       ? (int)outcome(
				 call((long[1 + ARGUMENTS]){ SYS_munmap, WORD(start), (long)size }))
		       : 0;
}
