/* The uplink: see uplink.h. */
#include "world/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "instance/process.h"
#include "netlink/object.h"

#define PROGRAM	  "pasta"
#define NEIGHBOUR "169.254.2.1" /* who the device's default route leads to */
#define MTU	  "1500"
#define PATIENCE  10000 /* milliseconds to end in */
#define DELAY_MIN 1	/* seconds before the next attempt */
#define DELAY_MAX 60
#define HEALTHY	  60000 /* milliseconds after which an end is no failed attempt */

struct uplink {
	struct loop *loop;
	struct paths paths;
	char *netns, *program;
	int pidfd; /* -1: none runs */
	struct loop_source *watch, *timer;
	int64_t since; /* it runs, or is tried */
	unsigned int delay;
};

/* ---- the program ---- */

/* Where execvp(3) would find it; NULL. The caller frees it. */
static char *find_program(void)
{
	const char *path = getenv("PATH");

	for (const char *at = path ? path : "/usr/bin"; at;) {
		size_t length = strcspn(at, ":");
		CLEANUP(freep) char *file = xasprintf("%.*s/" PROGRAM, (int)length, at);

		if (at[0] == '/' && access(file, X_OK) == 0)
			return steal(&file);
		at = at[length] ? at + length + 1 : NULL;
	}
	return NULL;
}

int uplink_check(struct error *error)
{
	CLEANUP(freep) char *program = find_program();

	if (program)
		return 0;
	error_set(error, ERROR_INTERNAL,
		  "--uplink needs " PROGRAM ", which is not in PATH: apt install passt");
	return -ENOENT;
}

/* ---- who it is ---- */

static char *file_of(const struct paths *paths, const char *name)
{
	return xasprintf("%s/%s", paths->run, name);
}

/* A pidfd of the one on record; -ESRCH when there is none or it has ended. */
static int open_recorded(const struct paths *paths, int *ret_pidfd)
{
	CLEANUP(freep) char *path = file_of(paths, UPLINK_RECORD);
	struct error ignored = ERROR_INIT;
	FILE *file = fopen(path, "re");
	unsigned long long start;
	int pid, count;

	if (!file)
		return errno == ENOENT || errno == ENOTDIR ? -ESRCH : -errno;
	count = fscanf(file, "%d %llu", &pid, &start);
	fclose(file);
	if (count != 2)
		return -ESRCH;
	return process_open((struct process){ pid, start }, ret_pidfd, &ignored);
}

static bool record_self(const struct paths *paths)
{
	CLEANUP(freep) char *path = file_of(paths, UPLINK_RECORD);
	uint64_t start;
	FILE *file;

	if (process_start_time(getpid(), &start) < 0 || !(file = fopen(path, "we")))
		return false;
	fprintf(file, "%d %llu\n", (int)getpid(), (unsigned long long)start);
	return fclose(file) == 0;
}

/* The last line it has said; the caller frees it. */
static char *last_words(const struct paths *paths)
{
	CLEANUP(freep) char *path = file_of(paths, UPLINK_LOG);
	char line[256], last[sizeof(line)] = "no reason given";
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		/* Its version it tells first, and a machine without a syslog again and again. */
		if (*line && !strstr(line, " bytes to syslog") && strncmp(line, PROGRAM " ", 6))
			memcpy(last, line, sizeof(last));
	}
	if (file)
		fclose(file);
	return xstrdup(last);
}

/* ---- starting ---- */

/*
 * In the child. As nobody, which it becomes by default, it could not join a namespace of the
 * host's user namespace; it keeps two capabilities, in a mount namespace with nothing in it and
 * behind a seccomp filter. No ports of the host lead in (-t, -u) nor any of its own loopback out
 * (-T, -U, --no-map-gw).
 */
static void become_pasta(const struct uplink *uplink)
{
	CLEANUP(freep) char *log = file_of(&uplink->paths, UPLINK_LOG);
	struct address_text address = address_format(address_v4(UPLINK_ADDRESS));
	const char *const argv[] = { PROGRAM,	    "--foreground", "--quiet",	   "--log-file",
				     log,	    "--runas",	    "0:0",	   "--netns",
				     uplink->netns, "--ns-ifname",  UPLINK_DEVICE, "--config-net",
				     "--ipv4-only", "--mtu",	    MTU,	   "--address",
				     address.text,  "--netmask",    "30",	   "--gateway",
				     NEIGHBOUR,	    "--no-map-gw",  "--no-dhcp",   "--no-ndp",
				     "--no-dhcpv6", "--no-ra",	    "--dns",	   "none",
				     "--tcp-ports", "none",	    "--udp-ports", "none",
				     "--tcp-ns",    "none",	    "--udp-ns",	   "none",
				     NULL };
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid(); /* ^C is for the daemon */
	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(127);
	if (!record_self(&uplink->paths)) {
		dprintf(STDERR_FILENO, "%s can't be written\n", UPLINK_RECORD);
		_exit(127);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		execv(uplink->program, (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", uplink->program, strerror(errno));
	_exit(127);
}

static int start(struct uplink *uplink, struct error *error)
{
	pid_t pid = fork();

	if (pid == 0)
		become_pasta(uplink);
	if (pid < 0)
		return error_sys(error, errno, PROGRAM);
	/* Nobody but us reaps it, so this can't be another one. */
	uplink->pidfd = pidfd_open(pid, 0);
	return uplink->pidfd < 0 ? error_sys(error, errno, PROGRAM) : 0;
}

/* ---- watching ---- */

static void on_end(void *context, uint32_t events);
static void on_timer(void *context);

/* The next attempt, and why. */
static void retry(struct uplink *uplink, const char *why)
{
	struct error error = ERROR_INIT;

	if (now_ms() - uplink->since > HEALTHY)
		uplink->delay = DELAY_MIN;
	log_error("uplink: %s: next attempt in %u s", why, uplink->delay);
	if (loop_add_timer(uplink->loop, uplink->delay * 1000u, on_timer, uplink, &uplink->timer,
			   &error) < 0)
		log_error("uplink: %s", error.text);
	uplink->delay = MIN(2 * uplink->delay, DELAY_MAX);
}

/* One that a daemon killed in between has started is there without our knowing it. */
static int adopt_or_start(struct uplink *uplink, struct error *error)
{
	int r = open_recorded(&uplink->paths, &uplink->pidfd);

	uplink->since = now_ms();
	if (r == -ESRCH)
		r = start(uplink, error);
	else if (r < 0)
		return error_sys(error, r, UPLINK_RECORD);
	if (r < 0)
		return r;
	return loop_add_fd(uplink->loop, uplink->pidfd, EPOLLIN, on_end, uplink, &uplink->watch,
			   error);
}

static void let_go(struct uplink *uplink)
{
	uplink->watch = loop_remove(uplink->watch);
	closep(&uplink->pidfd);
	uplink->pidfd = -1;
}

static void on_timer(void *context)
{
	struct error error = ERROR_INIT;
	struct uplink *uplink = context;

	uplink->timer = NULL;
	if (adopt_or_start(uplink, &error) < 0) {
		let_go(uplink);
		retry(uplink, error.text);
	}
}

static void on_end(void *context, uint32_t events)
{
	CLEANUP(freep) char *words = NULL, *why = NULL;
	struct uplink *uplink = context;
	siginfo_t info = { 0 };

	(void)events;
	/* ECHILD: an adopted one, whose zombie is for its own parent. */
	waitid(P_PIDFD, (id_t)uplink->pidfd, &info, WEXITED | WNOHANG);
	let_go(uplink);
	words = last_words(&uplink->paths);
	why = info.si_code == CLD_KILLED
		      ? xasprintf(PROGRAM " has ended (signal %d)", info.si_status)
		      : xasprintf(PROGRAM " has ended (%s)", words);
	retry(uplink, why);
}

int uplink_open(struct loop *loop, const struct paths *paths, struct rid internet,
		struct uplink **ret_uplink, struct error *error)
{
	struct uplink *uplink = xcalloc(1, sizeof(*uplink));
	int r;

	*uplink = (struct uplink){ .loop = loop,
				   .paths = *paths,
				   .netns = xasprintf("/run/netns/%s", rid_format(internet).text),
				   .program = find_program(),
				   .pidfd = -1,
				   .delay = DELAY_MIN };
	r = uplink->program ? adopt_or_start(uplink, error) : uplink_check(error);
	if (r < 0)
		uplink_close(uplink);
	else
		*ret_uplink = uplink;
	return r;
}

struct uplink *uplink_close(struct uplink *uplink)
{
	if (!uplink)
		return NULL;
	let_go(uplink);
	loop_remove(uplink->timer);
	free(uplink->netns);
	free(uplink->program);
	free(uplink);
	return NULL;
}

int uplink_end(const struct paths *paths, struct error *error)
{
	CLEANUP(freep) char *path = file_of(paths, UPLINK_RECORD);
	CLEANUP(closep) int pidfd = -1;
	int r = open_recorded(paths, &pidfd);

	if (r == 0 && pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		r = -errno;
	if (r == 0)
		r = process_wait(pidfd, now_ms() + PATIENCE);
	if (r < 0 && r != -ESRCH)
		return error_sys(error, r, "ending " PROGRAM);
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_sys(error, errno, "%s", path);
	return 0;
}
