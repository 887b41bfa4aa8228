/*
 * The daemon as its clients see it: see start.h.
 *
 * A daemon holds the exclusive lock on the state, and its endpoint file is there while it serves.
 * After a crash the file is stale: it may then name a dead port although the next daemon has the
 * lock already. So a daemon serves when the lock is held and the endpoint takes a connection.
 */
#include "client/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS    10000
#define POLL_MS	    10
#define ATTEMPTS    3
#define MESSAGE_MAX 512
#define MESSAGE_ID  "minivpc: " /* begins a failure's line, see cli.c */

struct daemon_log {
	char *path;
	int fd;
	off_t start;  /* where this start's messages begin */
	bool created; /* by us: nothing is left behind when the start fails */
};

struct child {
	pid_t pid;
	int ready; /* its standard output */
};

static void pause_ms(int milliseconds)
{
	poll(NULL, 0, milliseconds);
}

static int lock_is_held(const struct paths *paths, struct error *error)
{
	CLEANUP(closep) int fd = open(paths->lock, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_sys(error, errno, "%s", paths->lock);
	/* A daemon that tries for it in this very moment fails; that is why a start is retried. */
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : error_sys(error, errno, "%s", paths->lock);
}

/* 1 when a daemon serves the world, 0 when none does or not yet. */
static int open_client(const struct paths *paths, struct client *ret_client, struct error *error)
{
	struct error ignored = ERROR_INIT;
	struct client client;
	int r;

	if ((r = lock_is_held(paths, error)) <= 0)
		return r;
	r = client_open(paths, &client, error);
	if (r == -EACCES || r == -EPERM)
		return r;
	if (r < 0 || client_probe(&client, &ignored) < 0)
		return 0;
	*ret_client = client;
	return 1;
}

static void daemon_log_close(struct daemon_log *log)
{
	closep(&log->fd);
	free(log->path);
}

static int daemon_log_open(const struct paths *paths, struct daemon_log *log, struct error *error)
{
	log->path = xasprintf("%s/daemon.log", paths->run);
	if (mkdir(RUN_ROOT, 0755) < 0 && errno != EEXIST)
		return error_sys(error, errno, "%s", RUN_ROOT);
	log->created = mkdir(paths->run, 0755) == 0;
	if (!log->created && errno != EEXIST)
		return error_sys(error, errno, "%s", paths->run);
	log->fd = open(log->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		return error_sys(error, errno, "%s", log->path);
	log->start = lseek(log->fd, 0, SEEK_END);
	return 0;
}

/* The last failure's line written since the start, without its "minivpc: "; false: none. */
static bool daemon_log_failure(const struct daemon_log *log, char ret[MESSAGE_MAX])
{
	char text[4096];
	off_t end = lseek(log->fd, 0, SEEK_END);
	off_t from = MAX(log->start, end - (off_t)sizeof(text) + 1);
	ssize_t length = pread(log->fd, text, sizeof(text) - 1, from);
	char *next = text;
	bool found = false;

	text[length > 0 ? length : 0] = '\0';
	for (char *line; (line = strsep(&next, "\n"));) {
		if (strncmp(line, MESSAGE_ID, strlen(MESSAGE_ID)) != 0)
			continue;
		snprintf(ret, MESSAGE_MAX, "%s", line + strlen(MESSAGE_ID));
		found = true;
	}
	return found;
}

static int describe_failure(const struct paths *paths, const struct daemon_log *log,
			    struct error *error)
{
	char line[MESSAGE_MAX];

	if (!daemon_log_failure(log, line)) {
		error_set(error, ERROR_INTERNAL, "the daemon ended at its start: see %s",
			  log->path);
		return -ECHILD;
	}
	error_set(error, ERROR_INTERNAL, "%s", line);
	if (log->created) {
		unlink(log->path);
		rmdir(paths->run);
		rmdir(RUN_ROOT); /* stays while another world has its directory there */
	}
	return -ECHILD;
}

/* A world of its own needs a port of its own; the default one is where people expect it. */
static bool is_default_state(const struct paths *paths)
{
	struct error ignored = ERROR_INIT;
	struct paths standard;

	return paths_for(DEFAULT_STATE, &standard, &ignored) == 0 &&
	       streq(standard.state, paths->state);
}

static int spawn(const struct paths *paths, int out, int log, pid_t *ret_pid)
{
	static char name[] = "minivpc", serve[] = "serve", state[] = "--state";
	static char listen[] = "--listen", any_port[] = "127.0.0.1:0";
	CLEANUP(freep) char *directory = xstrdup(paths->state);
	bool standard = is_default_state(paths);
	char *argv[] = { name, serve, state, directory, standard ? NULL : listen, any_port, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigfillset(&signals);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	r = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int spawn_daemon(const struct paths *paths, const struct daemon_log *log,
			struct child *ret_child, struct error *error)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(error, errno, "pipe");
	r = spawn(paths, ends[1], log->fd, &ret_child->pid);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return error_sys(error, r, "starting the daemon");
	}
	ret_child->ready = ends[0];
	return 0;
}

/* 0 once the line "ready …" is there; -EPIPE when it can't come any more; -ETIMEDOUT. */
static int wait_ready(int fd, int64_t deadline)
{
	static const char word[] = "ready ";
	char line[MESSAGE_MAX];
	size_t length = 0;

	while (length < sizeof(line) && !memchr(line, '\n', length)) {
		struct pollfd event = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		ssize_t r;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&event, 1, (int)left) <= 0)
			continue;
		r = read(fd, line + length, sizeof(line) - length);
		if (r <= 0)
			break;
		length += (size_t)r;
	}
	return length > strlen(word) && memcmp(line, word, strlen(word)) == 0 ? 0 : -EPIPE;
}

static int start(const struct paths *paths, int64_t deadline, struct error *error)
{
	CLEANUP(daemon_log_close) struct daemon_log log = { .fd = -1 };
	struct child child;
	int r;

	if ((r = daemon_log_open(paths, &log, error)) < 0 ||
	    (r = spawn_daemon(paths, &log, &child, error)) < 0)
		return r;
	r = wait_ready(child.ready, deadline);
	close(child.ready);
	if (r == -ETIMEDOUT) {
		/* It may be adopting a big world: leave it to that. */
		error_set(error, ERROR_INTERNAL,
			  "the daemon (pid %d) is not ready after %d s: try again, or see %s",
			  child.pid, START_MS / 1000, log.path);
		return r;
	}
	if (r < 0) {
		waitpid(child.pid, NULL, WNOHANG);
		return describe_failure(paths, &log, error);
	}
	return 0;
}

/* Somebody's daemon has the lock and is on its way. */
static int wait_for_other(const struct paths *paths, int64_t deadline, struct error *error)
{
	pause_ms(POLL_MS);
	if (now_ms() < deadline)
		return 0;
	error_set(error, ERROR_INTERNAL,
		  "the daemon of %s does not answer: try again, or end it and try again",
		  paths->state);
	return -ETIMEDOUT;
}

/* Starts a daemon; one that fails is no failure yet while there are attempts left. */
static int try_start(const struct paths *paths, int64_t deadline, int *attempts,
		     struct error *error)
{
	int r;

	if (geteuid() != 0) {
		error_set(error, ERROR_INTERNAL, "no daemon runs for %s", paths->state);
		return -EPERM;
	}
	if (*attempts == 0) {
		error_set(error, ERROR_INTERNAL, "the daemon of %s ends as soon as it is ready",
			  paths->state);
		return -ECHILD;
	}
	--*attempts;
	r = start(paths, deadline, error);
	return r == -ECHILD && *attempts > 0 ? 0 : r;
}

int start_daemon(const struct paths *paths, struct client *ret_client, struct error *error)
{
	struct error problem = ERROR_INIT;
	int64_t deadline = now_ms() + START_MS;
	int attempts = ATTEMPTS, r;

	do {
		r = open_client(paths, ret_client, &problem);
		if (r == 0)
			r = lock_is_held(paths, &problem) == 1
				    ? wait_for_other(paths, deadline, &problem)
				    : try_start(paths, deadline, &attempts, &problem);
	} while (r == 0);
	if (r < 0)
		*error = problem;
	return r < 0 ? r : 0;
}
