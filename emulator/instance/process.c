/* Processes by pid and start time: see process.h and instance.h. */
#include "instance/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* "PID (any name, even with ") ") S PPID …": the state is field 3, the start time field 22. */
static int parse_stat(const char *text, char *ret_state, uint64_t *ret_start_time)
{
	const char *at = strrchr(text, ')');
	unsigned long long start;

	if (!at || at[1] != ' ')
		return -ESRCH;
	*ret_state = at[2];
	at += 2;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -ESRCH;
		at++;
	}
	if (sscanf(at, "%llu", &start) != 1)
		return -ESRCH;
	*ret_start_time = start;
	return 0;
}

int process_start_time(pid_t pid, uint64_t *ret_start_time)
{
	char path[32], text[1024], state;
	CLEANUP(closep) int fd = -1;
	uint64_t start_time;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (parse_stat(text, &state, &start_time) < 0 || state == 'Z' || state == 'X')
		return -ESRCH;
	*ret_start_time = start_time;
	return 0;
}

bool process_alive(struct process process)
{
	uint64_t start_time;
	int r;

	if (process.pid <= 0)
		return false;
	r = process_start_time(process.pid, &start_time);
	return r < 0 ? r != -ESRCH : start_time == process.start_time;
}

int process_open(struct process process, int *ret_pidfd, struct error *error)
{
	CLEANUP(closep) int fd = -1;
	uint64_t start_time;
	int r;

	if (process.pid <= 0)
		return error_sys(error, ESRCH, "no process");
	fd = pidfd_open(process.pid, 0);
	if (fd < 0 && errno == EMFILE)
		return error_sys(error, EMFILE, "watching process %d (raise the limit, ulimit -n)",
				 (int)process.pid);
	if (fd < 0)
		return error_sys(error, errno == EINVAL ? ESRCH : errno, "process %d",
				 (int)process.pid);
	/* Read after the pidfd pinned the process: the answer is about this one or about none. */
	r = process_start_time(process.pid, &start_time);
	if (r == 0 && start_time != process.start_time)
		r = -ESRCH;
	if (r < 0)
		return error_sys(error, r, "process %d", (int)process.pid);
	*ret_pidfd = steal_fd(&fd);
	return 0;
}

int process_wait(int pidfd, int64_t deadline)
{
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };
	siginfo_t info;

	while (gone.revents == 0) {
		int n = poll(&gone, 1, (int)MAX(deadline - now_ms(), (int64_t)0));

		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	/* ECHILD: an adopted one, whose zombie is for its own parent. */
	waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
	return 0;
}
