/*
 * PID 1 of an instance: see init.h. What an instance has beside its disk is mounted here, beside
 * the launcher, which is cloning the next one meanwhile. Only what costs the same however many
 * instances there are: for /sys see sysfs.h.
 *
 * From become_root() on all of it is done as root of the instance: what is on the disk, its links
 * among it, leads nowhere else.
 */
#include "instance/init.h"

#include "instance/confine.h"
#include "instance/end.h"
#include "instance/ssh.h"
#include "instance/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHUTDOWN_MS 10000 /* the daemon's own grace is shorter and ends in SIGKILL */
#define PAUSE_MS    5

/* Where poweroff(8), reboot(8) and shutdown(8) turn to, systemd's own among them. */
#define CONTROL "/run/initctl"

#define PLAIN (MS_NOSUID | MS_NODEV)

/* The file was opened by the host's root, whose right it is to do this. */
static int join_group(const struct init_plan *plan)
{
	if (plan->tasks < 0)
		return 0;
	if (write(plan->tasks, "0", 1) < 0)
		return -1;
	return close(plan->tasks);
}

static int become_root(const struct init_plan *plan)
{
	char byte;

	if (read(plan->wait, &byte, 1) != 1) {
		errno = ECANCELED;
		return -1;
	}
	close(plan->wait);
	/* Who has one id alone may not leave groups: see user_namespaces(7). */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -1;
	return setresgid(0, 0, 0) < 0 ? -1 : setresuid(0, 0, 0);
}

static int set_hostname(const struct init_plan *plan)
{
	return sethostname(plan->identity->hostname, strlen(plan->identity->hostname));
}

/*
 * The disk covers the clone's own root, and nothing more is done about that one: pivot_root(2)
 * would let go of it, but looks at every process of the machine. It holds what any instance may
 * see, a /proc without processes and the /dev that they have: whoever lets go of the disk, being
 * root here, is left with nothing.
 */
static int enter_disk(const struct init_plan *plan)
{
	int devices =
		open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (devices < 0 || move_mount(plan->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    fchdir(plan->root) < 0 || chroot(".") < 0)
		return -1;
	close(plan->root);
	mkdir("/dev", 0755); /* somebody may have removed it, here and below */
	if (move_mount(devices, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	return close(devices);
}

/* The kernel wants another to be in sight, of which nothing is covered: the stage's. Nothing of
 * this one is either: what acts on the machine as a whole is the host's root's. */
static int mount_proc(const struct init_plan *plan)
{
	(void)plan;
	mkdir("/proc", 0555);
	return mount("proc", "/proc", "proc", PLAIN | MS_NOEXEC, NULL);
}

static int mount_run(const struct init_plan *plan)
{
	(void)plan;
	mkdir("/run", 0755);
	if (mount("tmpfs", "/run", "tmpfs", PLAIN, "mode=755,size=64m,nr_inodes=16k") < 0)
		return -1;
	if (mkdir("/run/shm", 01777) < 0 || /* /dev/shm leads here */
	    mkfifo(CONTROL, 0600) < 0)
		return -1;
	return mkdir("/run/lock", 01777);
}

static int mount_tmp(const struct init_plan *plan)
{
	(void)plan;
	mkdir("/tmp", 01777);
	return mount("tmpfs", "/tmp", "tmpfs", PLAIN, "mode=1777,size=256m,nr_inodes=64k");
}

static int mount_terminals(const struct init_plan *plan)
{
	(void)plan;
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=620,gid=5") == 0)
		return 0;
	/* There is no such group where there is one id alone. */
	return errno != EINVAL ? -1
			       : mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
				       "newinstance,ptmxmode=0666,mode=620");
}

/* A link there leads elsewhere, /run perhaps. */
static int put(const char *path, const char *const texts[])
{
	int fd, sys = 0;

	if (unlink(path) < 0 && errno != ENOENT)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1; /* no /etc */
	for (; *texts && !sys; texts++)
		if (write(fd, *texts, strlen(*texts)) < 0)
			sys = errno;
	close(fd);
	errno = sys;
	return sys ? -1 : 0;
}

/* Made with the disk, and its owner's afterwards. */
static int name_machine(const struct init_plan *plan)
{
	const char *hostname = plan->identity->hostname, *address = plan->identity->address;
	const char *const name[] = { hostname, "\n", NULL };
	const char *const hosts[] = { "127.0.0.1 localhost\n"
				      "::1 localhost ip6-localhost ip6-loopback\n",
				      *address ? address : "127.0.1.1",
				      " ",
				      hostname,
				      "\n",
				      NULL };

	if (!plan->fresh)
		return 0;
	unlink(INIT_LOG);    /* what the machine or the image once said is not what this one says */
	mkdir("/etc", 0755); /* an image may have none */
	return put("/etc/hostname", name) < 0 ? -1 : put("/etc/hosts", hosts);
}

/* As a DHCP client does, at each start; a full disk is no reason not to. */
static int name_resolver(const struct init_plan *plan)
{
	const char *const texts[] = { plan->identity->resolver, NULL };

	if (!*plan->identity->resolver)
		return 0;
	return put("/etc/resolv.conf", texts) < 0 && plan->fresh ? -1 : 0;
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
	{ "control group", join_group }, { "user namespace", become_root },
	{ "hostname", set_hostname },	 { "enter its disk", enter_disk },
	{ "mount /proc", mount_proc },	 { "mount /run", mount_run },
	{ "mount /tmp", mount_tmp },	 { "mount /dev/pts", mount_terminals },
	{ "/etc/hosts", name_machine },	 { "/etc/resolv.conf", name_resolver },
	{ "take the limits", confine },
};

static void report(const struct init_plan *plan, int sys, const char step[STEP_MAX])
{
	struct init_report text = { .index = plan->index, .sys = sys };

	memcpy(text.step, step, sizeof(text.step));
	/* Fails when the daemon is gone. If it isn't, our end is what it sees, at once. */
	if (write(plan->report, &text, sizeof(text)) != sizeof(text))
		_exit(1);
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* To append to. It may be anything by now: nothing there makes us wait. */
static int open_log(void)
{
	mkdir("/var", 0755);
	mkdir("/var/log", 0755);
	return open(INIT_LOG, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0640);
}

/* A line on the console; where there is no room for it, nobody hears it. */
static void say(const char *text)
{
	int fd = open_log();
	ssize_t said = fd < 0 ? 0 : write(fd, text, strlen(text));

	(void)said;
	closep(&fd);
}

static noreturn void shut_down(const struct init_plan *plan, enum instance_end end)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	const int64_t deadline = now_ms() + SHUTDOWN_MS;
	bool left;

	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	/* Commands entered from outside are not our children: ask whether anybody is left. */
	while ((left = kill(-1, 0) == 0) && now_ms() < deadline) {
		reap();
		nanosleep(&pause, NULL);
	}
	if (left)
		say("init: killing processes that don't end\n");
	_exit(end_leave_note(plan->ends, plan->name, end)); /* the kernel kills the rest */
}

/* What is asked of an init, by whom: systemd's tools, BusyBox's, LXC's, Ctrl-Alt-Del. BusyBox's
 * reboot says SIGTERM, which asks everybody else to shut down. */
static bool is_request(int number, enum instance_end *ret_end)
{
	const struct {
		int number;
		enum instance_end end;
	} requests[] = {
		{ SIGTERM, INSTANCE_SHUT_DOWN },      { SIGUSR1, INSTANCE_SHUT_DOWN },
		{ SIGUSR2, INSTANCE_SHUT_DOWN },      { SIGPWR, INSTANCE_SHUT_DOWN },
		{ SIGRTMIN + 3, INSTANCE_SHUT_DOWN }, { SIGRTMIN + 4, INSTANCE_SHUT_DOWN },
		{ SIGINT, INSTANCE_REBOOTED },	      { SIGRTMIN + 5, INSTANCE_REBOOTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (requests[i].number != number)
			continue;
		*ret_end = requests[i].end;
		return true;
	}
	return false;
}

static void handle_signal(const struct init_plan *plan, int fd)
{
	struct signalfd_siginfo info;
	enum instance_end end;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (is_request((int)info.ssi_signo, &end))
		shut_down(plan, end);
	reap();
}

/* As initctl(5) has it: System V's runlevels. */
static void handle_control(const struct init_plan *plan, int fd)
{
	struct {
		int32_t magic, command, level, pause;
		char reserved[368];
	} request;

	if (read(fd, &request, sizeof(request)) != sizeof(request) || request.magic != 0x03091969 ||
	    request.command != 1)
		return;
	if (request.level == '0')
		shut_down(plan, INSTANCE_SHUT_DOWN);
	if (request.level == '6')
		shut_down(plan, INSTANCE_REBOOTED);
}

/* Held open at both ends, or it would be at its end whenever a writer goes; and small, for all
 * instances' pipes are counted as one user's. */
static int open_control(void)
{
	int fd = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		fcntl(fd, F_SETPIPE_SZ, 4096);
	return fd;
}

static noreturn void run_script(int script)
{
	static char shell[] = "sh";
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/root", user[] = "USER=root";
	char *const arguments[] = { shell, NULL };
	char *const environment[] = { path, home, user, NULL };
	sigset_t none;
	int log;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(022);
	sysfs_mount();
	log = open_log();
	if (log < 0 || dup2(script, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(1);
	close_range(3, ~0U, 0);
	execve("/bin/sh", arguments, environment);
	say("init: there is no /bin/sh to run user data with\n");
	_exit(127);
}

/* What cloud-init does at the first boot: the instance is wired by now. 0: nothing runs. */
static pid_t boot(const struct init_plan *plan)
{
	pid_t pid = 0;

	if (plan->boot < 0)
		return 0;
	if (plan->fresh && (pid = _Fork()) == 0)
		run_script(plan->boot);
	close(plan->boot);
	return pid < 0 ? 0 : pid;
}

/* Who sees this name may enter. */
static void take_name(void)
{
	prctl(PR_SET_NAME, INIT_NAME, 0, 0, 0);
}

#define ENTER_TRIES 3 /* the launch is over: nobody is told of a moment's shortage any more */

/* The group is what it sees as the root of all of them: no neighbour's. */
static void enter_limits(const struct init_plan *plan)
{
	if (!plan->limited)
		return;
	for (int i = 0; unshare(CLONE_NEWCGROUP) < 0; i++)
		if (i == ENTER_TRIES)
			_exit(1);
	take_name();
}

enum {
	SIGNALS,
	REQUESTS,
	LIFELINE,
	SSH,
	SOURCES
};

/* What says nothing to us does nothing. */
static int open_signals(void)
{
	sigset_t signals;

	sigfillset(&signals);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static noreturn void serve(const struct init_plan *plan, int signals)
{
	struct pollfd fds[SOURCES] = {
		[SIGNALS] = { .fd = signals, .events = POLLIN },
		[REQUESTS] = { .fd = open_control(), .events = POLLIN },
		[LIFELINE] = { .fd = plan->lifeline, .events = POLLIN },
		[SSH] = { .fd = -1, .events = POLLIN },
	};
	pid_t script = 0;

	reap();
	for (;;) {
		if (poll(fds, SOURCES, -1) < 0)
			continue;
		if (fds[SIGNALS].revents)
			handle_signal(plan, fds[SIGNALS].fd);
		if (fds[REQUESTS].revents)
			handle_control(plan, fds[REQUESTS].fd);
		if (fds[SSH].revents)
			ssh_answer(fds[SSH].fd, script);
		if (fds[LIFELINE].revents & POLLIN) {
			closep(&fds[LIFELINE].fd);
			enter_limits(plan);
			script = boot(plan);
			if (plan->identity->ssh)
				fds[SSH].fd = ssh_listen();
		} else if (fds[LIFELINE].revents) {
			_exit(1);
		}
	}
}

void init_main(const struct init_plan *plan)
{
	int signals;

	setsid(); /* the daemon's terminal is not ours; fails for no leader of a group */
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i].run(plan) < 0) {
			report(plan, errno, steps[i].name);
			_exit(1);
		}
	}
	if (!plan->limited)
		take_name();
	signals = open_signals();
	if (signals < 0) {
		report(plan, errno, (const char[STEP_MAX]){ "hear signals" });
		_exit(1);
	}
	report(plan, 0, (const char[STEP_MAX]){ "" });
	close(plan->report);
	serve(plan, signals);
}
