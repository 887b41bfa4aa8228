/*
 * Faults on demand, for tests/system/test_crash.py: `make inject` builds build/minivpc-inject; the
 * plain program has nothing of this. There this file comes before anything else of the rooms that
 * change something (see the Makefile), and each call of the kernel below is a point, named by the
 * call, the function and the file it stands in, so that none can be forgotten. Two things more are
 * points: each message of a netlink batch, which the kernel then refuses indeed (netlink/batch.c),
 * and what SQLite does with its files (store/inject.c).
 *
 * MINIVPC_INJECT names a file that the program and a test share (struct inject_control): armed, the
 * nth point from then on fires. The launcher, the inits and whatever else is forked share it too.
 *
 *	INJECT_KILL	the daemon is killed before the call, or after it (two points for one call);
 *			a child stops there until the test has killed it, then goes on
 *	INJECT_FAIL	the call isn't made, and fails with `sys`
 *
 * Ids and whatever else is random follow from `seed` while that is set, so that a call made again
 * makes the same; `clock` is added to the time.
 */
#pragma once

#ifdef INJECT

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef _PIDFD_H /* glibc forgets to: included again it would declare what is a macro now */
#define _PIDFD_H
#endif

enum inject_mode {
	INJECT_OFF,
	INJECT_KILL,
	INJECT_FAIL,
};

enum inject_when {
	INJECT_BEFORE,
	INJECT_AFTER,
	INJECT_INSTEAD,
	INJECT_WHENS,
};

#define INJECT_POINTS_MAX 1024

/* What a test sees of a point. */
struct inject_record {
	char name[120];
	uint32_t changes; /* the call changes something: there are points before and after it */
	uint32_t skipped; /* by the test's wish it never fires */
	uint32_t passed;
	uint32_t fired[INJECT_WHENS];
};

/* The shared file. tests/system/inject.py knows its layout. */
struct inject_control {
	uint32_t mode;
	int32_t sys;	   /* INJECT_FAIL: positive */
	int64_t countdown; /* the point that makes it 0 fires, and disarms */
	uint32_t only;	   /* a point's number + 1: only that one counts */
	uint32_t fired;	   /* a point's number + 1 */
	uint32_t when;
	uint32_t wanted;   /* a child waits for the daemon's death */
	uint32_t released; /* it needn't wait any more */
	uint32_t count;	   /* of records */
	uint64_t passed;   /* since it was armed */
	uint64_t seed;	   /* 0: randomness is random */
	int64_t clock;
	struct inject_record records[INJECT_POINTS_MAX];
};

struct inject_point {
	const char *call, *function, *file;
	int line;
	bool changes;
};

/* Where the points of a program are: between these. */
#define INJECT_SECTION __attribute__((section("inject_points"), used, aligned(8)))

/* The errno that the call is to fail with, or 0. May not return. Keeps errno. */
int inject_before(const struct inject_point *point);
void inject_after(const struct inject_point *point);
ssize_t inject_random(void *data, size_t size, unsigned int flags);
time_t inject_time(time_t *ret);
/* The mapping, which the launcher must not unmap; NULL: there is none. */
extern struct inject_control *inject_control;

#define INJECT_NAMED(name, changing)                                                               \
	static const struct inject_point inject_point INJECT_SECTION = { name, __func__, __FILE__, \
									 __LINE__, changing }

#define INJECT_CALL(failure, changing, call, arguments, ...)                                       \
	({                                                                                         \
		INJECT_NAMED(#call "(" arguments ")", changing);                                   \
		const int inject_sys = inject_before(&inject_point);                               \
		__typeof__(call(__VA_ARGS__)) inject_result = failure;                             \
                                                                                                   \
		if (inject_sys)                                                                    \
			errno = inject_sys;                                                        \
		else                                                                               \
			inject_result = call(__VA_ARGS__);                                         \
		inject_after(&inject_point);                                                       \
		inject_result;                                                                     \
	})

#ifndef INJECT_NO_CALLS

/* What changes nothing that outlives the program. */
#define accept4(...)	     INJECT_CALL(-1, false, accept4, #__VA_ARGS__, __VA_ARGS__)
#define bind(...)	     INJECT_CALL(-1, false, bind, #__VA_ARGS__, __VA_ARGS__)
#define connect(...)	     INJECT_CALL(-1, false, connect, #__VA_ARGS__, __VA_ARGS__)
#define dup2(...)	     INJECT_CALL(-1, false, dup2, #__VA_ARGS__, __VA_ARGS__)
#define epoll_create1(...)   INJECT_CALL(-1, false, epoll_create1, #__VA_ARGS__, __VA_ARGS__)
#define epoll_ctl(...)	     INJECT_CALL(-1, false, epoll_ctl, #__VA_ARGS__, __VA_ARGS__)
#define fcntl(...)	     INJECT_CALL(-1, false, fcntl, #__VA_ARGS__, __VA_ARGS__)
#define flock(...)	     INJECT_CALL(-1, false, flock, #__VA_ARGS__, __VA_ARGS__)
#define fopen(...)	     INJECT_CALL(NULL, false, fopen, #__VA_ARGS__, __VA_ARGS__)
#define ioctl(...)	     INJECT_CALL(-1, false, ioctl, #__VA_ARGS__, __VA_ARGS__)
#define listen(...)	     INJECT_CALL(-1, false, listen, #__VA_ARGS__, __VA_ARGS__)
#define memfd_create(...)    INJECT_CALL(-1, false, memfd_create, #__VA_ARGS__, __VA_ARGS__)
#define mmap(...)	     INJECT_CALL(MAP_FAILED, false, mmap, #__VA_ARGS__, __VA_ARGS__)
#define open(...)	     INJECT_CALL(-1, false, open, #__VA_ARGS__, __VA_ARGS__)
#define openat(...)	     INJECT_CALL(-1, false, openat, #__VA_ARGS__, __VA_ARGS__)
#define opendir(...)	     INJECT_CALL(NULL, false, opendir, #__VA_ARGS__, __VA_ARGS__)
#define open_tree(...)	     INJECT_CALL(-1, false, open_tree, #__VA_ARGS__, __VA_ARGS__)
#define pidfd_open(...)	     INJECT_CALL(-1, false, pidfd_open, #__VA_ARGS__, __VA_ARGS__)
#define pipe2(...)	     INJECT_CALL(-1, false, pipe2, #__VA_ARGS__, __VA_ARGS__)
#define prctl(...)	     INJECT_CALL(-1, false, prctl, #__VA_ARGS__, __VA_ARGS__)
#define recv(...)	     INJECT_CALL(-1, false, recv, #__VA_ARGS__, __VA_ARGS__)
#define setns(...)	     INJECT_CALL(-1, false, setns, #__VA_ARGS__, __VA_ARGS__)
#define setsockopt(...)	     INJECT_CALL(-1, false, setsockopt, #__VA_ARGS__, __VA_ARGS__)
#define signalfd(...)	     INJECT_CALL(-1, false, signalfd, #__VA_ARGS__, __VA_ARGS__)
#define socket(...)	     INJECT_CALL(-1, false, socket, #__VA_ARGS__, __VA_ARGS__)
#define socketpair(...)	     INJECT_CALL(-1, false, socketpair, #__VA_ARGS__, __VA_ARGS__)
#define timerfd_create(...)  INJECT_CALL(-1, false, timerfd_create, #__VA_ARGS__, __VA_ARGS__)
#define timerfd_settime(...) INJECT_CALL(-1, false, timerfd_settime, #__VA_ARGS__, __VA_ARGS__)

/* What does. */
#define chmod(...)	       INJECT_CALL(-1, true, chmod, #__VA_ARGS__, __VA_ARGS__)
#define chown(...)	       INJECT_CALL(-1, true, chown, #__VA_ARGS__, __VA_ARGS__)
#define fork(...)	       INJECT_CALL(-1, true, fork, #__VA_ARGS__, __VA_ARGS__)
#define fsync(...)	       INJECT_CALL(-1, true, fsync, #__VA_ARGS__, __VA_ARGS__)
#define ftruncate(...)	       INJECT_CALL(-1, true, ftruncate, #__VA_ARGS__, __VA_ARGS__)
#define mkdir(...)	       INJECT_CALL(-1, true, mkdir, #__VA_ARGS__, __VA_ARGS__)
#define mkdirat(...)	       INJECT_CALL(-1, true, mkdirat, #__VA_ARGS__, __VA_ARGS__)
#define mount(...)	       INJECT_CALL(-1, true, mount, #__VA_ARGS__, __VA_ARGS__)
#define mount_setattr(...)     INJECT_CALL(-1, true, mount_setattr, #__VA_ARGS__, __VA_ARGS__)
#define move_mount(...)	       INJECT_CALL(-1, true, move_mount, #__VA_ARGS__, __VA_ARGS__)
#define nftw(...)	       INJECT_CALL(-1, true, nftw, #__VA_ARGS__, __VA_ARGS__)
#define pidfd_send_signal(...) INJECT_CALL(-1, true, pidfd_send_signal, #__VA_ARGS__, __VA_ARGS__)
#define pwrite(...)	       INJECT_CALL(-1, true, pwrite, #__VA_ARGS__, __VA_ARGS__)
#define rename(...)	       INJECT_CALL(-1, true, rename, #__VA_ARGS__, __VA_ARGS__)
#define rmdir(...)	       INJECT_CALL(-1, true, rmdir, #__VA_ARGS__, __VA_ARGS__)
#define send(...)	       INJECT_CALL(-1, true, send, #__VA_ARGS__, __VA_ARGS__)
#define sendmsg(...)	       INJECT_CALL(-1, true, sendmsg, #__VA_ARGS__, __VA_ARGS__)
#define setresuid(...)	       INJECT_CALL(-1, true, setresuid, #__VA_ARGS__, __VA_ARGS__)
#define symlink(...)	       INJECT_CALL(-1, true, symlink, #__VA_ARGS__, __VA_ARGS__)
#define syscall(...)	       INJECT_CALL(-1, true, syscall, #__VA_ARGS__, __VA_ARGS__)
#define umount2(...)	       INJECT_CALL(-1, true, umount2, #__VA_ARGS__, __VA_ARGS__)
#define unlink(...)	       INJECT_CALL(-1, true, unlink, #__VA_ARGS__, __VA_ARGS__)
#define unlinkat(...)	       INJECT_CALL(-1, true, unlinkat, #__VA_ARGS__, __VA_ARGS__)
#define unshare(...)	       INJECT_CALL(-1, true, unshare, #__VA_ARGS__, __VA_ARGS__)
#define write(...)	       INJECT_CALL(-1, true, write, #__VA_ARGS__, __VA_ARGS__)

#define getrandom(...) inject_random(__VA_ARGS__)
#define time(...)      inject_time(__VA_ARGS__)

#endif
#endif
