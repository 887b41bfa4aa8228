/* The launcher, the daemon's end and its own: see launcher.h. */
#include "instance/launcher.h"

#include "instance/confine.h"
#include "instance/image.h"
#include "instance/limit.h"
#include "instance/memory.h"
#include "instance/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME	  "launcher"
#define ANSWER_MS 10000
#define STAGE_MS  120000 /* a machine's files may have to be walked: see shift.h */

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWCGROUP)

/* The first reply has no pid: the root is staged. */
struct launcher_reply {
	pid_t pid;
	int32_t sys; /* positive: failed */
	bool fresh;
	/* what failed; of LAUNCHER_LIST's replies a name, "" the last */
	char text[sizeof(((struct error *)NULL)->text)];
};

/* What it needs for its work. */
struct stage {
	struct root root;
	uint32_t first_id;
	char disk_options[DISK_OPTIONS_MAX];
	pid_t *shared;
};

/* Its descriptors, after standard input, output and error. */
enum {
	SOCKET = 3,
	ENDS,
	REPORT,
	LIFELINE,
	MAPS,
};

/* ---- its own side ---- */

/* What the daemon had set up for itself is no business of an init's. */
static void forget_signals(void)
{
	struct sigaction fallback = { .sa_handler = SIG_DFL };
	sigset_t all;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &fallback, NULL); /* fails for some: they have none */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

/* `ps` shows what stands where argv[0] stood: the same for the launcher and its inits, whose names
 * tell them apart, so that no page is copied for it. */
static void set_arguments(const char *text)
{
	char *arguments = program_invocation_name;
	char old[4096];
	CLEANUP(closep) int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, old, sizeof(old));

	/* Only if it is what the kernel shows, and not text that somebody put there instead. */
	if (size <= (ssize_t)strlen(text) || memcmp(old, arguments, strlen(arguments) + 1) != 0)
		return;
	memset(arguments, 0, (size_t)size);
	memcpy(arguments, text, strlen(text));
}

/* Keeps nothing of the daemon's but the socket and the file for the inits' ends (-1: none);
 * standard streams come with the new root, which has no /proc. */
static int keep_files(int socket, int ends)
{
	const int files[] = { socket, ends, open("/proc/self/maps", O_RDONLY) };
	static const int places[] = { SOCKET, ENDS, MAPS };
	int high[ARRAY_SIZE(files)];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		high[i] = files[i] < 0 ? -1 : fcntl(files[i], F_DUPFD, MAPS + 1);
		if (high[i] < 0 && places[i] != ENDS)
			return -errno;
	}
	if (close_range(0, MAPS, 0) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (high[i] >= 0 && dup2(high[i], places[i]) < 0)
			return -errno;
	return close_range(MAPS + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* Twice: nothing else may get these numbers, and then they are to hold nothing of the host's. */
static int open_null(bool has_ends)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= LIFELINE; fd++)
		if (null < 0 || (fd != SOCKET && !(has_ends && fd == ENDS) && dup2(null, fd) < 0))
			return -errno;
	if (null > LIFELINE)
		close(null);
	return 0;
}

static int prepare(int socket, const struct launcher *launcher, struct stage *stage,
		   struct error *error)
{
	const bool has_ends = launcher->ends >= 0;
	struct rlimit limit;
	int r;

	r = confine_memory();
	if (r == 0)
		r = keep_files(socket, launcher->ends);
	if (r == 0)
		r = open_null(has_ends);
	if (r < 0)
		return error_sys(error, r, "the launcher's socket");
	umask(0);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = launcher->open_files;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	set_arguments(INIT_NAME);
	/*
	 * An init's memory is a copy of the daemon's, secrets included: root in an instance must
	 * not read it, and may not trace what isn't dumpable.
	 */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_sys(error, errno, "the launcher's memory");
	stage->first_id = launcher->root.first_id;
	stage->shared = launcher->shared;
	disk_options(launcher->disk_size, stage->first_id, stage->disk_options);
	r = root_stage(&launcher->root, &stage->root, error);
	if (r < 0)
		return r;
	r = open_null(has_ends);
	if (r < 0)
		return error_sys(error, r, "/dev/null");
	r = confine_launcher();
	if (r < 0)
		return error_sys(error, r, "dropping privileges");
	return 0;
}

/* How many descriptors come with it. */
static size_t fds_with(const struct launcher_request *request)
{
	return (request->first ? 2 : 0) + (request->boot ? 1 : 0) + (request->limited ? 1 : 0);
}

/* Those of the launch before were left open: these are new numbers. */
static int keep_pipes(const int pipes[2])
{
	if (dup2(pipes[0], REPORT) < 0 || dup2(pipes[1], LIFELINE) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		if (pipes[i] > LIFELINE)
			close(pipes[i]);
	return 0;
}

/* What comes with a request beside the pipes; -1: it doesn't. */
struct enclosed {
	int boot, group;
};

static void enclosed_clear(struct enclosed *enclosed)
{
	closep(&enclosed->boot);
	closep(&enclosed->group);
}

static int receive_request(struct launcher_request *request, struct enclosed *ret_enclosed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(LAUNCHER_FDS * sizeof(int))];
	} control;
	struct iovec data = { request, sizeof(*request) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(SOCKET, &message, 0);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[LAUNCHER_FDS];
	size_t count;

	*ret_enclosed = (struct enclosed){ -1, -1 };
	if (n != sizeof(*request))
		return -EPIPE;
	count = fds_with(request);
	if (!count)
		return 0;
	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(count * sizeof(int)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	if (request->limited)
		ret_enclosed->group = fds[--count];
	if (request->boot)
		ret_enclosed->boot = fds[--count];
	return request->first ? keep_pipes(fds) : 0;
}

/* "/proc/PID/uid_map" and the like; nothing here may allocate. */
static int write_map(pid_t pid, const char *name, const char *map)
{
	char path[48] = "/proc/", digits[16], *end = path + 6;
	CLEANUP(closep) int fd = -1;
	size_t count = 0;

	for (; pid; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count > 0)
		*end++ = digits[--count];
	stpcpy(end, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, strlen(map)) != (ssize_t)strlen(map))
		return -1;
	return 0;
}

static void format_map(const struct stage *stage, char map[32])
{
	uint32_t first = stage->first_id;
	char digits[16];
	size_t count = 0;

	if (stage->root.alone) {
		stpcpy(map, "0 0 1");
		return;
	}
	static_assert(ROOT_IDS == 65536, "as in the text");
	map = stpcpy(map, "0 ");
	for (; first; first /= 10)
		digits[count++] = (char)('0' + first % 10);
	while (count > 0)
		*map++ = digits[--count];
	stpcpy(map, " 65536");
}

/* `birth`: the control group that it is born in; -1: ours. */
static pid_t clone_from_bare(const struct stage *stage, const struct init_plan *plan, int go,
			     int birth)
{
	struct clone_args arguments = {
		/* The daemon's child, not ours. The kernel writes the pid where the daemon sees it
		 * even if we are killed before we can say it. */
		.flags = NAMESPACES | CLONE_PARENT | CLONE_PARENT_SETTID |
			 (birth < 0 ? 0 : CLONE_INTO_CGROUP),
		.parent_tid = (uint64_t)(uintptr_t)stage->shared,
		.cgroup = (uint64_t)MAX(birth, 0),
	};
	pid_t pid;
	int sys;

	if (setns(stage->root.bare, CLONE_NEWNS) < 0)
		return -1;
	pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0) {
		close(SOCKET);
		close(go);
		close(stage->root.disks);
		close(stage->root.bare);
		closep(&(int){ stage->root.host });
		closep(&birth);
		init_main(plan);
	}
	sys = errno;
	if (setns(stage->root.disks, CLONE_NEWNS) < 0)
		_exit(1);
	errno = sys;
	return pid;
}

/*
 * The kernel counts a user namespace's processes on whoever made it, and holds it to the limit of
 * that one's at that time, unless that is root (enforced_nproc_rlimit(), inc_rlimit_ucounts()): so
 * it is a user of the instance's own, for a moment.
 */
static pid_t clone_as(uid_t owner, const struct stage *stage, const struct init_plan *plan, int go,
		      int birth)
{
	pid_t pid;
	int sys;

	if (setresuid(owner, owner, (uid_t)-1) < 0)
		return -1;
	pid = clone_from_bare(stage, plan, go, birth);
	sys = errno;
	if (setresuid(0, 0, (uid_t)-1) < 0)
		_exit(1);
	errno = sys;
	return pid;
}

/* An init waits for its user namespace's ids: a byte, or the end of file when it gets none. */
static pid_t clone_init(const struct launcher_request *request, const struct stage *stage, int disk,
			const struct enclosed *enclosed, bool fresh)
{
	CLEANUP(closep) int wait = -1;
	CLEANUP(closep) int go = -1;
	struct init_plan plan = {
		.identity = &request->identity,
		.limited = request->limited,
		.tasks = request->limited == 1 ? enclosed->group : -1,
		.fresh = fresh,
		.root = disk,
		.boot = enclosed->boot,
		.index = request->index,
		.report = REPORT,
		.lifeline = LIFELINE,
		.ends = ENDS,
		.name = request->disk,
	};
	char map[32];
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	plan.wait = wait = pair[0];
	go = pair[1];
	pid = clone_as(stage->root.alone ? 0 : request->owner, stage, &plan, go,
		       request->limited == 2 ? enclosed->group : -1);
	if (pid < 0)
		return -1;
	format_map(stage, map);
	if (write_map(pid, "/uid_map", map) == 0 && write_map(pid, "/gid_map", map) == 0 &&
	    write(go, "", 1) < 0)
		return pid; /* it is gone: the daemon sees that */
	return pid;
}

static bool answer_with(struct launcher_reply *reply, int fd)
{
	return pass_send(SOCKET, reply, sizeof(*reply), fd) == sizeof(*reply);
}

static bool answer(struct launcher_reply *reply)
{
	return answer_with(reply, -1);
}

static bool refuse(const char *what)
{
	struct launcher_reply reply = { .sys = errno };

	stpcpy(reply.text, what);
	return answer(&reply);
}

static bool launch(const struct launcher_request *request, const struct enclosed *enclosed,
		   struct stage *stage)
{
	struct launcher_reply reply = { 0 };
	CLEANUP(closep) int disk = -1;

	if (root_pin(&stage->root) < 0)
		return refuse("keeping the instances' disks");
	disk = disk_open(&stage->root, request->image, request->disk, stage->disk_options,
			 &reply.fresh);
	if (disk < 0)
		return refuse("the instance's disk");
	reply.pid = clone_init(request, stage, disk, enclosed, reply.fresh);
	if (reply.pid > 0)
		return answer(&reply);
	if (reply.fresh) {
		int sys = errno;

		disk_forget(request->disk);
		errno = sys;
	}
	return refuse("cloning the instance's namespaces");
}

static bool tell_name(void *context, const char *name)
{
	struct launcher_reply reply = { 0 };

	(void)context;
	if (strlen(name) < DISK_NAME_MAX)
		stpcpy(reply.text, name);
	return answer(&reply);
}

static bool list(void)
{
	if (disk_list(tell_name, NULL) < 0)
		return refuse("listing the instances' disks");
	return answer(&(struct launcher_reply){ 0 });
}

static bool pass_log(const char *disk)
{
	CLEANUP(closep) int fd = disk_open_file(disk, INIT_LOG);

	return answer_with(&(struct launcher_reply){ 0 }, fd);
}

static bool perform(const struct launcher_request *request, const struct enclosed *enclosed,
		    struct stage *stage)
{
	switch (request->task) {
	case LAUNCHER_CLONE:
		return launch(request, enclosed, stage);
	case LAUNCHER_FORGET:
		disk_forget(request->disk); /* what is left the next start finds */
		return true;
	case LAUNCHER_UNSTAGE:
		image_unstage(request->image); /* the same */
		return true;
	case LAUNCHER_LOG:
		return pass_log(request->disk);
	default:
		return list();
	}
}

/* `sys`: it couldn't join the inits' control group. */
static noreturn void launcher_main(int socket, const struct launcher *launcher, pid_t daemon,
				   int sys)
{
	struct error error = ERROR_INIT;
	struct launcher_reply reply = { 0 };
	struct launcher_request request;
	struct enclosed enclosed;
	struct stage stage;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != daemon)
		_exit(1);
	prctl(PR_SET_NAME, NAME);
	setsid();
	forget_signals();
	r = sys < 0 ? error_sys(&error, sys, "joining the control group of instances")
		    : prepare(socket, launcher, &stage, &error);
	if (r < 0) {
		reply.sys = -r;
		snprintf(reply.text, sizeof(reply.text), "%s", error.text);
	}
	if (!answer(&reply) || r < 0)
		_exit(1);
	memory_narrow(MAPS,
		      stage.shared); /* `launcher` and all it points to is gone with the heap */
	close(MAPS);
	while (receive_request(&request, &enclosed) == 0 && perform(&request, &enclosed, &stage))
		enclosed_clear(&enclosed);
	_exit(0);
}

/* ---- the daemon's side ---- */

int launcher_start(struct launcher *launcher, struct error *error)
{
	CLEANUP(closep) int ours = -1;
	CLEANUP(closep) int its = -1;
	int pair[2];
	pid_t daemon = getpid(), pid;
	int sys;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(error, errno, "the launcher's socket");
	ours = pair[0];
	its = pair[1];
	if (!launcher->shared) {
		launcher->shared = mmap(NULL, sizeof(*launcher->shared), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (launcher->shared == MAP_FAILED) {
			launcher->shared = NULL;
			return error_sys(error, errno, "the launcher's memory");
		}
	}
	*launcher->shared = launcher->reported = 0;
	pid = limits_fork(launcher->group, &sys);
	if (pid < 0)
		return error_sys(error, errno, "forking the launcher");
	if (pid == 0)
		launcher_main(its, launcher, daemon, sys);
	launcher->pid = pid;
	launcher->socket = steal_fd(&ours);
	launcher->staged = false;
	return 0;
}

void launcher_stop(struct launcher *launcher)
{
	closep(&launcher->socket);
	if (launcher->pid) {
		kill(launcher->pid, SIGKILL);
		while (waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	launcher->pid = 0;
}

void launcher_clear(struct launcher *launcher)
{
	launcher_stop(launcher);
	if (launcher->shared)
		munmap(launcher->shared, sizeof(*launcher->shared));
	launcher->shared = NULL;
}

bool launcher_alive(const struct launcher *launcher)
{
	struct pollfd hangup = { .fd = launcher->socket };

	return launcher->pid && poll(&hangup, 1, 0) == 0;
}

/* `ret_fd` is what came with it, or -1. */
static int receive_reply(struct launcher *launcher, int patience, struct launcher_reply *reply,
			 int *ret_fd, struct error *error)
{
	struct pollfd answered = { .fd = launcher->socket, .events = POLLIN };
	ssize_t size;
	int n;

	do {
		n = poll(&answered, 1, patience);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		launcher_stop(launcher);
		return error_sys(error, ETIMEDOUT, "the launcher");
	}
	size = pass_receive(launcher->socket, reply, sizeof(*reply), MSG_DONTWAIT, ret_fd);
	/* Requests that it left unread are told of once, before the replies that it left us. */
	if (size < 0 && errno == ECONNRESET)
		size = pass_receive(launcher->socket, reply, sizeof(*reply), MSG_DONTWAIT, ret_fd);
	if (size == sizeof(*reply))
		return 0;
	launcher_stop(launcher);
	return error_sys(error, EPIPE, "the launcher died");
}

int launcher_wait_staged(struct launcher *launcher, struct error *error)
{
	struct launcher_reply reply;
	int r, none;

	if (launcher->staged)
		return 0;
	r = receive_reply(launcher, STAGE_MS, &reply, &none, error);
	if (r < 0)
		return r;
	if (reply.sys) {
		launcher_stop(launcher);
		error_set(error, ERROR_INTERNAL, "staging the root of instances: %s", reply.text);
		error->sys = reply.sys;
		return -reply.sys;
	}
	launcher->staged = true;
	return 0;
}

int launcher_request(struct launcher *launcher, const struct launcher_request *request,
		     const int fds[], struct error *error)
{
	const size_t size = fds_with(request) * sizeof(int);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(LAUNCHER_FDS * sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(size),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct launcher_request copy = *request;
	struct iovec data = { &copy, sizeof(copy) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	int sys;

	if (size) {
		memcpy(CMSG_DATA(&control.header), fds, size);
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(size);
	}
	if (launcher->pid && sendmsg(launcher->socket, &message, MSG_NOSIGNAL) == sizeof(copy))
		return 0;
	sys = launcher->pid ? errno : EPIPE;
	/* The second is told where it left requests unread. */
	if (sys == EPIPE || sys == ECONNRESET)
		return error_sys(error, EPIPE, "the launcher died");
	return error_sys(error, sys, "a request to the launcher");
}

/* A reply, or the refusal that it tells. */
static int hear_with(struct launcher *launcher, struct launcher_reply *reply, int *ret_fd,
		     struct error *error)
{
	int r;

	if (!launcher->pid)
		return error_sys(error, EPIPE, "the launcher died");
	r = receive_reply(launcher, ANSWER_MS, reply, ret_fd, error);
	if (r < 0)
		return r;
	return reply->sys ? error_sys(error, reply->sys, "%s", reply->text) : 0;
}

static int hear(struct launcher *launcher, struct launcher_reply *reply, struct error *error)
{
	int none;

	return hear_with(launcher, reply, &none, error);
}

int launcher_reply(struct launcher *launcher, struct launcher_clone *ret_clone, struct error *error)
{
	struct launcher_reply reply;
	int r = hear(launcher, &reply, error);

	if (r < 0)
		return r;
	launcher->reported = reply.pid;
	*ret_clone = (struct launcher_clone){ reply.pid, reply.fresh };
	return 0;
}

int launcher_list(struct launcher *launcher, char ***ret_names, size_t *ret_count,
		  struct error *error)
{
	const struct launcher_request request = { .task = LAUNCHER_LIST };
	struct launcher_reply reply;
	char **names = NULL;
	size_t count = 0;
	int r = launcher_request(launcher, &request, NULL, error);

	while (r == 0 && (r = hear(launcher, &reply, error)) == 0 && reply.text[0])
		*array_grow(&names, &count) = xstrdup(reply.text);
	for (size_t i = 0; r < 0 && i < count; i++)
		free(names[i]);
	if (r < 0) {
		free(names);
		return r;
	}
	*ret_names = names;
	*ret_count = count;
	return 0;
}

int launcher_log(struct launcher *launcher, const char *disk, int *ret_fd, struct error *error)
{
	struct launcher_request request = { .task = LAUNCHER_LOG };
	struct launcher_reply reply;
	int r;

	snprintf(request.disk, sizeof(request.disk), "%s", disk);
	r = launcher_request(launcher, &request, NULL, error);
	return r < 0 ? r : hear_with(launcher, &reply, ret_fd, error);
}

pid_t launcher_unreported(struct launcher *launcher)
{
	pid_t pid = launcher->shared ? *launcher->shared : 0;

	if (launcher->pid || pid == launcher->reported)
		return 0;
	launcher->reported = pid;
	return pid;
}
