/*
 * PID 1 of an instance: see init.h. The root is the launcher's (read-only); what an instance has of
 * its own is mounted here, beside the launcher, which is cloning the next one meanwhile. Only what
 * costs the same however many instances there are: for /sys see root_mount_sys().
 */
#include "instance/init.h"

#include "instance/confine.h"
#include "instance/root.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHUTDOWN_MS 10000 /* the daemon's own grace is shorter and ends in SIGKILL */
#define PAUSE_MS    5

#define PLAIN (MS_NOSUID | MS_NODEV)

static int set_hostname(const struct init_plan *plan)
{
	return sethostname(plan->hostname, strlen(plan->hostname));
}

static int mount_proc(const struct init_plan *plan)
{
	(void)plan;
	return mount("proc", "/proc", "proc", PLAIN | MS_NOEXEC, NULL);
}

/*
 * Root in here is the host's root to /proc/sys/kernel and its like, which ask for no capability.
 * That these mounts cover parts of /proc also makes the kernel refuse a second, uncovered /proc to
 * a user namespace made inside (mount_too_revealing()).
 */
static int protect_proc(const struct init_plan *plan)
{
	for (size_t i = 0; i < plan->read_only_count; i++)
		if (root_bind(plan->read_only[i], MOUNT_ATTR_RDONLY, 0) < 0)
			return -1;
	/* The network is the instance's own, and so are its settings. */
	return root_bind("/proc/sys/net", 0, MOUNT_ATTR_RDONLY);
}

static int mount_run(const struct init_plan *plan)
{
	(void)plan;
	if (mount("tmpfs", "/run", "tmpfs", PLAIN, "mode=755,size=64m,nr_inodes=16k") < 0)
		return -1;
	if (mkdir("/run/shm", 01777) < 0) /* /dev/shm leads here */
		return -1;
	return mkdir("/run/lock", 01777);
}

static int mount_tmp(const struct init_plan *plan)
{
	(void)plan;
	return mount("tmpfs", "/tmp", "tmpfs", PLAIN, "mode=1777,size=256m,nr_inodes=64k");
}

static int mount_terminals(const struct init_plan *plan)
{
	(void)plan;
	return mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		     "newinstance,ptmxmode=0666,mode=620,gid=5");
}

static int confine(const struct init_plan *plan)
{
	int r = confine_enter();

	(void)plan;
	if (r < 0)
		errno = -r;
	return r;
}

/* In order; each returns negative with errno set. */
static const struct {
	char name[STEP_MAX];
	int (*run)(const struct init_plan *plan);
} steps[] = {
	{ "hostname", set_hostname },	   { "mount /proc", mount_proc },
	{ "protect /proc", protect_proc }, { "mount /run", mount_run },
	{ "mount /tmp", mount_tmp },	   { "mount /dev/pts", mount_terminals },
	{ "drop privileges", confine },
};

static void report(const struct init_plan *plan, int sys, const char step[STEP_MAX])
{
	struct init_report text = { .index = plan->index, .sys = sys };

	memcpy(text.step, step, sizeof(text.step));
	/* Fails when the daemon is gone; the lifeline then says so too. */
	if (write(plan->report, &text, sizeof(text)) != sizeof(text))
		return;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static noreturn void shut_down(void)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	/* Commands entered from outside are not our children: ask whether anybody is left. */
	for (int waited = 0; waited < SHUTDOWN_MS && kill(-1, 0) == 0; waited += PAUSE_MS) {
		reap();
		nanosleep(&pause, NULL);
	}
	_exit(0); /* the kernel kills the rest */
}

static void handle_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTERM)
		shut_down();
	reap();
}

static noreturn void serve(int lifeline)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .fd = lifeline, .events = POLLIN } };
	nfds_t count = 2;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	fds[0].fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (fds[0].fd < 0)
		_exit(1);
	reap();
	for (;;) {
		if (poll(fds, count, -1) < 0)
			continue;
		if (fds[0].revents)
			handle_signal(fds[0].fd);
		if (count == 2 && (fds[1].revents & POLLIN)) {
			close(lifeline);
			count = 1;
		} else if (count == 2 && fds[1].revents) {
			_exit(1);
		}
	}
}

void init_main(const struct init_plan *plan)
{
	setsid(); /* the daemon's terminal is not ours; fails for no leader of a group */
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i].run(plan) < 0) {
			report(plan, errno, steps[i].name);
			_exit(1);
		}
	}
	prctl(PR_SET_NAME, INIT_NAME, 0, 0, 0);
	report(plan, 0, (const char[STEP_MAX]){ "" });
	close(plan->report);
	serve(plan->lifeline);
}
