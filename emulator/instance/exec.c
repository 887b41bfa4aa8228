/*
 * Commands in an instance: process_exec() of instance.h. Used by the client, not by the daemon.
 *
 *	caller ── fork ── helper: setns() into every namespace, makes the terminal
 *	  │                  └── clone3(CLONE_PARENT) ── command: in the PID namespace
 *	  └ the command is the caller's child: it copies the terminal, passes signals on
 *
 * So the caller itself never leaves its own namespaces.
 */
#include "instance/confine.h"
#include "instance/init.h"
#include "instance/limit.h"
#include "instance/pass.h"
#include "instance/process.h"
#include "instance/sysfs.h"
#include "instance/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS       10000
#define PAUSE_MS       1
#define NOT_EXECUTABLE 126
#define NOT_FOUND      127
#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWCGROUP)

struct target {
	pid_t pid;
	int pidfd;
	int caller; /* a pidfd of the caller's */
	int sys;    /* its helper's: it couldn't join the control group */
};

/* What the helper says before it ends. */
struct entered {
	pid_t pid;   /* the command's */
	int32_t sys; /* positive: it failed, in `step` */
	char step[32];
};

/* ---- the command ---- */

static void set_environment(void)
{
	static const char *const kept[] = { "TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE" };
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/root", user[] = "USER=root", name[] = "LOGNAME=root";
	static char *environment[ARRAY_SIZE(kept) + 5] = { path, home, user, name };
	size_t count = 4;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value)
			environment[count++] = xasprintf("%s=%s", kept[i], value);
	}
	environ = environment;
}

static void reset_signals(void)
{
	struct sigaction fallback = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &fallback, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False when the caller has died before it could be told of: it is in no PID namespace that the
 * command sees. */
static bool die_with(int caller)
{
	struct pollfd gone = { .fd = caller, .events = POLLIN };

	return prctl(PR_SET_PDEATHSIG, SIGHUP) == 0 && poll(&gone, 1, 0) == 0;
}

static const char *become(int slave, int caller)
{
	if (!die_with(caller))
		return "starting";
	/* A session of its own: no other terminal of the caller's can be its controlling one. */
	setsid();
	if (slave >= 0 && terminal_take(slave) < 0)
		return "taking the terminal";
	if (close_range(3, ~0U, 0) < 0)
		return "closing files";
	if (confine_enter() < 0)
		return "taking the limits";
	if (chdir("/") < 0)
		return "starting";
	umask(022);
	reset_signals();
	set_environment();
	return NULL;
}

static noreturn void command_main(int slave, int caller, char *const argv[])
{
	const char *failed = become(slave, caller);
	int sys;

	if (!failed)
		execvp(argv[0], argv);
	sys = errno;
	dprintf(STDERR_FILENO, "minivpc: %s: %s\n", failed ? failed : argv[0], strerror(sys));
	_exit(!failed && (sys == ENOENT || sys == ENOTDIR) ? NOT_FOUND : NOT_EXECUTABLE);
}

/* ---- the helper ---- */

/* The memory is a copy of the caller's: nobody in there may look into it. */
static int become_root(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    (setgroups(0, NULL) < 0 && errno != EPERM) || /* see init.c */
	    setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int enter(const struct target *target, bool with_terminal, struct entered *entered,
		 int ret_terminal[2])
{
	int r;

	snprintf(entered->step, sizeof(entered->step), "leaving the keyring");
	if ((r = confine_keyring()) < 0)
		return r;
	snprintf(entered->step, sizeof(entered->step), "joining its control group");
	if ((r = target->sys) < 0 || (r = confine_memory()) < 0)
		return r;
	snprintf(entered->step, sizeof(entered->step), "entering its namespaces");
	if (setns(target->pidfd, NAMESPACES) < 0)
		return -errno;
	snprintf(entered->step, sizeof(entered->step), "becoming root");
	if ((r = become_root()) < 0)
		return r;
	sysfs_mount();
	if (!with_terminal)
		return 0;
	snprintf(entered->step, sizeof(entered->step), "making a terminal");
	return terminal_make(&ret_terminal[0], &ret_terminal[1]);
}

static noreturn void helper_main(const struct target *target, int socket, bool with_terminal,
				 char *const argv[])
{
	struct clone_args arguments = { .flags = CLONE_PARENT };
	struct entered entered = { 0 };
	int terminal[2] = { -1, -1 };
	int r;

	r = enter(target, with_terminal, &entered, terminal);
	if (r == 0) {
		snprintf(entered.step, sizeof(entered.step), "starting a process");
		entered.pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
		if (entered.pid == 0)
			command_main(terminal[1], target->caller, argv);
		if (entered.pid < 0) /* ENOMEM: its init is gone */
			r = errno == ENOMEM ? -ESRCH : -errno;
	}
	entered.sys = -r;
	/* If nobody listens, nobody needs to know. */
	pass_send(socket, &entered, sizeof(entered), terminal[0]);
	_exit(0);
}

/* ---- the caller ---- */

static int hear(int socket, struct entered *ret_entered, int *ret_master)
{
	ssize_t size;

	do {
		size = pass_receive(socket, ret_entered, sizeof(*ret_entered), 0, ret_master);
	} while (size < 0 && errno == EINTR);
	return size == sizeof(*ret_entered) ? 0 : -EPIPE;
}

static int start(struct target *target, char *const argv[], pid_t *ret_pid, int *ret_master,
		 struct error *error)
{
	bool with_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct entered entered = { 0 };
	CLEANUP(closep) int group = -1;
	int pair[2], r;
	pid_t helper;

	target->caller = pidfd_open(getpid(), 0);
	if (target->caller < 0)
		return error_sys(error, errno, "watching ourselves");
	r = limits_find(target->pid, &group);
	if (r < 0)
		return error_sys(error, r, "the instance's control group");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(error, errno, "a socket");
	helper = limits_fork(group, &target->sys);
	if (helper == 0)
		helper_main(target, pair[1], with_terminal, argv);
	r = helper < 0 ? -errno : 0;
	close(pair[1]);
	if (r == 0)
		r = hear(pair[0], &entered, ret_master);
	close(pair[0]);
	if (helper > 0)
		waitpid(helper, NULL, 0);
	if (r < 0)
		return error_sys(error, r, "entering the instance");
	if (entered.sys)
		return error_sys(error, entered.sys, "instance: %s", entered.step);
	*ret_pid = entered.pid;
	return 0;
}

static void pass_signal(int signals, pid_t pid, const struct terminal *terminal)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		terminal_resize(terminal);
	else if (kill(-pid, (int)info.ssi_signo) < 0) /* no session of its own yet */
		kill(pid, (int)info.ssi_signo);
}

static int attend(pid_t pid, int signals, int master, int *ret_status, struct error *error)
{
	CLEANUP(closep) int pidfd = pidfd_open(pid, 0);
	struct terminal terminal;
	struct pollfd fds[4] = { { .fd = signals, .events = POLLIN },
				 { .fd = pidfd, .events = POLLIN } };
	siginfo_t info = { 0 };

	if (pidfd < 0) {
		int sys = errno;

		closep(&master);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return error_sys(error, sys, "watching the command");
	}
	terminal_open(&terminal, master);
	while (!fds[1].revents) {
		terminal_poll(&terminal, &fds[2]);
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			pass_signal(signals, pid, &terminal);
		terminal_copy(&terminal, &fds[2]);
	}
	terminal_close(&terminal);
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return error_sys(error, errno, "waiting for the command");
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

/* The name is given last of all: see init_main(). */
static int wait_ready(struct process process, struct error *error)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	char path[32], name[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)process.pid);
	for (int waited = 0; waited < READY_MS; waited += PAUSE_MS) {
		CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t size = fd < 0 ? -1 : read(fd, name, sizeof(name));

		if (size == sizeof(INIT_NAME) && memcmp(name, INIT_NAME "\n", (size_t)size) == 0)
			return 0;
		if (!process_alive(process))
			return error_sys(error, ESRCH, "the instance's process");
		nanosleep(&pause, NULL);
	}
	return error_sys(error, ETIMEDOUT, "the instance's process is not ready");
}

/* A closed standard stream's number would be taken by the next file opened here. */
static int fill_standard_streams(struct error *error)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return error_sys(error, errno, "/dev/null");
	return 0;
}

int process_exec(struct process process, char *const argv[], int *ret_status, struct error *error)
{
	static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	struct sigaction fallback = { .sa_handler = SIG_DFL }, old_child;
	CLEANUP(closep) int pidfd = -1;
	CLEANUP(closep) int signals = -1;
	struct target target = { .pid = process.pid, .caller = -1 };
	sigset_t taken, blocked, old;
	int master = -1, r;
	pid_t pid = 0;

	r = fill_standard_streams(error);
	if (r == 0)
		r = process_open(process, &pidfd, error);
	if (r == 0)
		r = wait_ready(process, error);
	if (r < 0)
		return r;
	sigemptyset(&taken);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(&taken, passed[i]);
	blocked = taken;
	sigaddset(&blocked, SIGPIPE); /* our output hung up: EPIPE, and the command is told */
	sigaddset(&blocked, SIGTTOU);
	signals = signalfd(-1, &taken, SFD_CLOEXEC);
	if (signals < 0)
		return error_sys(error, errno, "signals");
	sigprocmask(SIG_BLOCK, &blocked, &old);
	sigaction(SIGCHLD, &fallback, &old_child); /* ignored, it would eat the status */
	target.pidfd = pidfd;
	r = start(&target, argv, &pid, &master, error);
	if (r == 0)
		r = attend(pid, signals, master, ret_status, error);
	else
		closep(&master);
	closep(&target.caller);
	sigaction(SIGCHLD, &old_child, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
