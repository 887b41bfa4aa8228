/* Tools beside the daemon: see tool.h. */
#include "instance/tool.h"

#include "base/capabilities.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_KEPT 512
#define NOT_RUN	      125

/* Its PID namespace ends with it: what it started too. */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC)

/* To give files away, with all that they are; no CAP_MKNOD, so no devices. */
#define CAPABILITIES                                                                               \
	(CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_FOWNER) |           \
	 CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_SETFCAP))

struct tool {
	struct loop *loop;
	tool_end_fn on_end;
	void *context;
	int pidfd, errors;
	struct loop_source *end, *speech;
	const char *const *ignored;
	char line[LINE_MAX_KEPT]; /* the one being read, cut when longer */
	size_t length;
	char complaint[LINE_MAX_KEPT];
};

/* ---- the tool's side, until it is executed ---- */

static noreturn void give_up(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(NOT_RUN);
}

/* All mounts are read-only but one, of the directory alone. */
static void confine_writing(const char *directory)
{
	struct mount_attr plain = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
						MOUNT_ATTR_NOEXEC };
	struct mount_attr locked = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &plain, sizeof(plain)) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &locked, sizeof(locked)) < 0 ||
	    move_mount(tree, "", AT_FDCWD, directory, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		give_up(directory);
}

static void confine_rights(void)
{
	if (capabilities_keep(CAPABILITIES) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up("privileges");
}

/* Waits for the daemon's word, so that it can't miss the daemon's death. */
static void follow_daemon(int go)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || read(go, &byte, 1) != 1)
		_exit(NOT_RUN);
}

static noreturn void run(const struct tool_options *options, int go, int errors)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
	char *const environment[] = { path, language, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(errors, STDERR_FILENO) < 0)
		_exit(NOT_RUN);
	follow_daemon(go);
	setsid();
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* fails for some: they have none */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	confine_writing(options->directory);
	confine_rights();
	execve(options->program, (char *const *)(uintptr_t)options->arguments, environment);
	give_up(options->program);
}

/* ---- the daemon's side ---- */

static bool is_ignored(const struct tool *tool, const char *line)
{
	const size_t length = strlen(line);

	for (const char *const *text = tool->ignored; text && *text; text++) {
		const size_t end = strlen(*text);

		if (length >= end && streq(line + length - end, *text))
			return true;
	}
	return length == 0;
}

static void end_line(struct tool *tool)
{
	tool->line[tool->length] = '\0';
	if (!is_ignored(tool, tool->line))
		memcpy(tool->complaint, tool->line, tool->length + 1);
	tool->length = 0;
}

/* What is no text is shown as something that is: names in an archive are anybody's. */
static void take(struct tool *tool, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const char c = text[i];

		if (c == '\n')
			end_line(tool);
		else if (tool->length < sizeof(tool->line) - 1)
			tool->line[tool->length++] = (char)(c < ' ' || c > '~' ? '?' : c);
	}
}

/* Of one that says much no more at a time than a pipe holds. Returns false at the end of it. */
static bool listen_to(struct tool *tool)
{
	char text[4096];
	ssize_t size = 1;

	for (int i = 0; size > 0 && i < 16; i++) {
		size = read(tool->errors, text, sizeof(text));
		if (size > 0)
			take(tool, text, (size_t)size);
	}
	return size > 0 || (size < 0 && errno == EAGAIN);
}

static void on_speech(void *context, uint32_t events)
{
	struct tool *tool = context;

	(void)events;
	if (!listen_to(tool))
		tool->speech = loop_remove(tool->speech);
}

static void tool_free(struct tool *tool)
{
	loop_remove(tool->end);
	loop_remove(tool->speech);
	closep(&tool->pidfd);
	closep(&tool->errors);
	free(tool);
}

static void on_end(void *context, uint32_t events)
{
	struct tool *tool = context;
	const tool_end_fn told = tool->on_end;
	void *const whom = tool->context;
	char complaint[LINE_MAX_KEPT];
	siginfo_t info = { .si_code = CLD_EXITED, .si_status = NOT_RUN };

	(void)events;
	listen_to(tool);
	end_line(tool);
	memcpy(complaint, tool->complaint, sizeof(complaint));
	waitid(P_PIDFD, (id_t)tool->pidfd, &info, WEXITED | WNOHANG);
	tool_free(tool);
	told(whom, info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status, complaint);
}

static int start(struct tool *tool, const struct tool_options *options, struct error *error)
{
	struct clone_args arguments = { .flags = NAMESPACES | CLONE_PIDFD,
					.pidfd = (uint64_t)(uintptr_t)&tool->pidfd,
					.exit_signal = SIGCHLD };
	CLEANUP(closep) int stay = -1;
	CLEANUP(closep) int go = -1;
	CLEANUP(closep) int errors = -1;
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	stay = pair[0];
	go = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	tool->errors = pair[0];
	errors = pair[1];
	if (fcntl(tool->errors, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(go);
		run(options, stay, errors);
	}
	if (loop_add_fd(tool->loop, tool->pidfd, EPOLLIN, on_end, tool, &tool->end, error) < 0 ||
	    loop_add_fd(tool->loop, tool->errors, EPOLLIN, on_speech, tool, &tool->speech, error) <
		    0)
		return -EMFILE;
	return write(go, "", 1) < 0 ? -errno : 0;
}

int tool_start(struct loop *loop, const struct tool_options *options, tool_end_fn told,
	       void *context, struct tool **ret_tool, struct error *error)
{
	struct tool *tool = xcalloc(1, sizeof(*tool));
	int r;

	*tool = (struct tool){ .loop = loop,
			       .on_end = told,
			       .context = context,
			       .ignored = options->ignored,
			       .pidfd = -1,
			       .errors = -1 };
	r = start(tool, options, error);
	if (r < 0) {
		tool_stop(tool);
		return error_sys(error, r, "%s", options->program);
	}
	*ret_tool = tool;
	return 0;
}

struct tool *tool_stop(struct tool *tool)
{
	siginfo_t info;

	if (!tool)
		return NULL;
	if (tool->pidfd >= 0) {
		syscall(SYS_pidfd_send_signal, tool->pidfd, SIGKILL, NULL, 0);
		while (waitid(P_PIDFD, (id_t)tool->pidfd, &info, WEXITED) < 0 && errno == EINTR)
			;
	}
	tool_free(tool);
	return NULL;
}
