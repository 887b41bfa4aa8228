/* objects: emulator/instance/confine.o emulator/base/capabilities.o emulator/instance/disk.o emulator/instance/exec.o emulator/instance/image.o emulator/instance/init.o emulator/instance/launch.o emulator/instance/launcher.o emulator/instance/mask.o emulator/instance/memory.o emulator/instance/process.o emulator/instance/root.o emulator/instance/shift.o emulator/instance/terminal.o emulator/instance/watch.o emulator/base/error.o emulator/base/util.o emulator/base/id.o emulator/base/map.o emulator/base/loop.o emulator/instance/sysfs.o emulator/instance/ssh.o emulator/instance/pass.o emulator/base/buffer.o emulator/instance/end.o emulator/instance/limit.o emulator/instance/alone.o */
/* libs: -lutil */
/*
 * Instances on the real kernel: needs root, and skips without. Everything it makes is its own
 * child (it is a subreaper), so that the last test can see whether anything is left.
 */
#include "base/buffer.h"
#include "instance/instance.h"
#include "instance/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>

#define PATIENCE_MS 5000

static struct loop *loop;
static struct instances *instances;
static struct rid gone; /* the last that on_exit told of */
static unsigned int gone_count;
static char secret[] = "/var/tmp/minivpc-test-XXXXXX";
static const char *const hidden[] = { secret, secret, "/no/such/directory", NULL };
static const struct instances_options options = { .hidden = hidden, .disk_size = 64 << 20 };

/* ---- helpers ---- */

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(long milliseconds)
{
	struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

#define eventually(condition)                                                                      \
	do {                                                                                       \
		int64_t until_ = clock_ms() + PATIENCE_MS;                                         \
		bool holds_ = false;                                                               \
		while (!(holds_ = (condition)) && clock_ms() < until_)                             \
			pause_ms(2);                                                               \
		if (!holds_)                                                                       \
			fail_msg("never: %s", #condition);                                         \
	} while (0)

static enum instance_end how; /* and how it ended */

static void on_exit_of(void *context, struct rid id, enum instance_end end)
{
	assert_ptr_equal(context, &gone);
	gone = id;
	how = end;
	gone_count++;
	loop_stop(loop);
}

static void on_timeout(void *context)
{
	(void)context;
	loop_stop(loop);
}

/* Runs the loop until an exit is told; false when none is. */
static bool wait_exit(uint64_t milliseconds)
{
	struct error error = ERROR_INIT;
	struct loop_source *timer;
	unsigned int before = gone_count;

	assert_int_equal(loop_add_timer(loop, milliseconds, on_timeout, NULL, &timer, &error), 0);
	assert_int_equal(loop_run(loop, &error), 0);
	if (gone_count != before)
		loop_remove(timer);
	return gone_count != before;
}

static void must(int result, const struct error *error)
{
	if (result < 0)
		fail_msg("%s (%d)", error->text, result);
}

static struct instance_spec spec_new(const char *hostname)
{
	struct instance_spec spec = { .id = rid_new(KIND_INSTANCE) };

	snprintf(spec.identity.hostname, sizeof(spec.identity.hostname), "%s", hostname);
	snprintf(spec.identity.address, sizeof(spec.identity.address), "10.0.1.5");
	snprintf(spec.identity.resolver, sizeof(spec.identity.resolver), "nameserver 10.0.0.2\n");
	return spec;
}

static struct process launch_one(struct rid *ret_id)
{
	struct instance_spec spec = spec_new("ip-10-0-1-5");
	struct error error = ERROR_INIT;
	struct process process;

	must(instances_launch(instances, &spec, 1, &process, &error), &error);
	*ret_id = spec.id;
	return process;
}

static void kill_one(struct rid id, struct process process)
{
	struct error error = ERROR_INIT;

	must(instances_kill(instances, &id, &process, 1, &error), &error);
	assert_false(process_alive(process));
}

/* Its wait status; one that never ends fails the test instead of blocking it. */
static int wait_status(pid_t pid)
{
	int status = -1;

	eventually(waitpid(pid, &status, WNOHANG) == pid);
	return status;
}

struct command {
	pid_t pid;
	int output; /* its standard output and error */
};

static noreturn void exec_main(struct process process, char *const argv[])
{
	struct error error = ERROR_INIT;
	int status = 0;

	if (process_exec(process, argv, &status, &error) < 0) {
		fprintf(stderr, "process_exec: %s\n", error.text);
		fflush(stderr);
		_exit(200);
	}
	_exit(status);
}

/* process_exec() in a process of its own; `input` is a file descriptor, or -1 for a closed one. */
static struct command start(struct process process, int input, char *const argv[])
{
	struct command command;
	int output[2];

	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	command.pid = fork();
	if (command.pid == 0) {
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		if (input < 0)
			close(STDIN_FILENO);
		else
			dup2(input, STDIN_FILENO);
		close_range(3, ~0U, 0); /* the other end of the input among them */
		exec_main(process, argv);
	}
	close(output[1]);
	command.output = output[0];
	return command;
}

static void read_until(int fd, const char *wanted, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	while (length + 1 < size && !(wanted && strstr(text, wanted))) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&ready, 1, PATIENCE_MS) > 0
				    ? read(fd, text + length, size - 1 - length)
				    : 0;

		if (n <= 0)
			break;
		length += (size_t)n;
		text[length] = '\0';
	}
	if (wanted && !strstr(text, wanted))
		fail_msg("no \"%s\" in \"%s\"", wanted, text);
}

static int finish(struct command *command, char *text, size_t size)
{
	int status;

	read_until(command->output, NULL, text, size);
	close(command->output);
	status = wait_status(command->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char output[8192];

/* Runs a shell line; the exit status. What it wrote is in `output`. */
static int shell(struct process process, const char *line)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, xstrdup(line), NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct command command = start(process, null, argv);

	close(null);
	free(argv[2]);
	return finish(&command, output, sizeof(output));
}

static void expect(struct process process, const char *line, const char *wanted)
{
	int status = shell(process, line);

	if (status != 0)
		fail_msg("%s: status %d: %s", line, status, output);
	assert_string_equal(output, wanted);
}

static void refuse(struct process process, const char *line, const char *reason)
{
	assert_int_not_equal(shell(process, line), 0);
	if (!strstr(output, reason))
		fail_msg("%s: \"%s\", not \"%s\"", line, output, reason);
}

/* The file's text in `output`. */
static const char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, output, sizeof(output) - 1);

	if (fd >= 0)
		close(fd);
	output[MAX(size, (ssize_t)0)] = '\0';
	return output;
}

static const char *children_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	return slurp(path);
}

static size_t count_children(void)
{
	size_t count = 0;

	for (const char *at = children_of(getpid()); *at; at++)
		count += *at == ' ';
	return count;
}

static bool is_named(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return strncmp(slurp(path), name, strlen(name)) == 0;
}

static pid_t launcher_pid(void)
{
	char children[4096];

	snprintf(children, sizeof(children), "%s", children_of(getpid()));
	for (char *at = strtok(children, " "); at; at = strtok(NULL, " "))
		if (is_named((pid_t)atoi(at), "launcher"))
			return (pid_t)atoi(at);
	fail_msg("no launcher");
	return 0;
}

/* Dead, but not reaped: that is for the room to do. */
static void kill_launcher(void)
{
	pid_t pid = launcher_pid();
	siginfo_t info;

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* ---- tests ---- */

static void test_inside(void **state)
{
	struct rid id;
	struct process process = launch_one(&id);
	char line[64];

	(void)state;
	expect(process, "hostname", "ip-10-0-1-5\n");
	expect(process, "cat /proc/1/comm", "init\n");
	expect(process, "tr -d '\\0' </proc/1/cmdline", "init");
	expect(process, "tail -n +3 /proc/net/dev | sed 's/:.*//'", "    lo\n");
	expect(process, "ls /sys/class/net", "lo\n");
	expect(process, "ls /run", "initctl\nlock\nshm\n");
	expect(process, "echo x >/tmp/x && echo y >/dev/shm/y && cat /tmp/x /run/shm/y", "x\ny\n");
	expect(process, "echo x >/dev/null; head -c 3 /dev/zero | wc -c", "3\n");
	expect(process,
	       "echo 1 >/proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward", "1\n");
	snprintf(line, sizeof(line), "ls -A %s", secret);
	expect(process, line, "");
	expect(process, "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 "); /* 3 is ls's own */
	expect(process, "env | cut -d= -f1 | grep -v -e TERM -e LANG -e LC_ | sort | tr '\\n' ' '",
	       "HOME LOGNAME PATH PWD USER ");
	expect(process, "cat /etc/hostname /etc/resolv.conf; tail -n 1 /etc/hosts",
	       "ip-10-0-1-5\nnameserver 10.0.0.2\n10.0.1.5 ip-10-0-1-5\n");
	/* A second one is as fresh as the first was. */
	kill_one(id, process);
	process = launch_one(&id);
	expect(process, "ls /tmp; cat /proc/sys/net/ipv4/ip_forward", "0\n");
	kill_one(id, process);
}

static void test_confinement(void **state)
{
	struct rid id;
	struct process process = launch_one(&id);
	char line[128];

	(void)state;
	refuse(process, "echo x >/dev/x", "Read-only file system");
	refuse(process, "echo x >/proc/sys/kernel/panic", "denied");
	refuse(process, "mkdir /sys/x", "");
	refuse(process, "mknod /tmp/null c 1 3", "not permitted");
	refuse(process, "mknod /null c 1 3", "not permitted");
	refuse(process, "cat /proc/1/mem", "denied");
	refuse(process, "cat /proc/1/environ", "denied");
	refuse(process, "ls /proc/1/root/", "denied");
	/* Everything, in its own user namespace. */
	expect(process,
	       "cut -c1-14 /proc/self/setgroups; tr -s ' ' </proc/self/gid_map | cut -d' ' "
	       "-f2,4; cut -f2 /proc/sys/kernel/cap_last_cap",
	       "allow\n0 65536\n40\n");
	expect(process, "grep CapBnd /proc/self/status /proc/1/status | cut -f2 | uniq",
	       "000001ffffffffff\n");
	expect(process, "cat /proc/self/status | grep CapEff | cut -f2", "000001ffffffffff\n");
	snprintf(line, sizeof(line), "kill -0 %d", (int)getpid());
	refuse(process, line, "No such process");
	kill_one(id, process);
}

/* An instance's disk: its own, and kept while it is stopped. */
static void test_disk(void **state)
{
	struct instance_spec spec = spec_new("a"), other = spec_new("b");
	struct error error = ERROR_INIT;
	struct process process, neighbour;
	struct stat before, after;

	(void)state;
	must(instances_launch(instances, &spec, 1, &process, &error), &error);
	must(instances_launch(instances, &other, 1, &neighbour, &error), &error);
	assert_int_equal(stat("/etc/passwd", &before), 0);
	expect(process,
	       "echo x >>/etc/passwd; rm -r /usr/share/dpkg; echo new >/etc/new; cat /etc/new",
	       "new\n");
	assert_int_equal(stat("/etc/passwd", &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(access("/usr/share/dpkg", F_OK), 0);
	assert_int_equal(access("/etc/new", F_OK), -1);
	expect(neighbour,
	       "ls -d /usr/share/dpkg; test -e /etc/new || tail -c 2 /etc/passwd | wc -c",
	       "/usr/share/dpkg\n2\n");
	refuse(process, "head -c 100M /dev/zero >/full", "No space left");
	expect(neighbour, "head -c 20M /dev/zero >/full && wc -c </full", "20971520\n");
	kill_one(spec.id, process);
	must(instances_launch(instances, &spec, 1, &process, &error), &error);
	expect(process, "cat /etc/new; rm /full; test -e /usr/share/dpkg || echo gone",
	       "new\ngone\n");
	kill_one(spec.id, process);
	instances_forget(instances, &spec.id, 1);
	must(instances_launch(instances, &spec, 1, &process, &error), &error);
	expect(process, "ls /etc/new 2>/dev/null || ls -d /usr/share/dpkg", "/usr/share/dpkg\n");
	kill_one(spec.id, process);
	kill_one(other.id, neighbour);
	instances_forget(instances, &spec.id, 1);
	instances_forget(instances, &other.id, 1);
}

/* A directory with a shell, cat, and a marker, one public and one private. */
static void make_image(const char *directory, const char *marker)
{
	CLEANUP(freep)
	char *command = xasprintf(
		"set -e; mkdir -p %1$s/bin; cd %1$s; cp /bin/sh /bin/cat bin/; "
		"ldd /bin/sh /bin/cat | grep -o '/[^ :]*' | sort -u | xargs cp -t . --parents -L; "
		"echo %2$s >public; (umask 077; echo secret of %2$s >private)",
		directory, marker);

	assert_int_equal(system(command), 0);
}

static void remove_image(const char *directory)
{
	CLEANUP(freep) char *command = xasprintf("rm -rf %s", directory);

	assert_int_equal(system(command), 0);
}

/* A directory below the disk in place of the machine's own root. */
static void test_image(void **state)
{
	CLEANUP(freep) char *one = xasprintf("%s/one", secret), *two = xasprintf("%s/two", secret);
	CLEANUP(freep) char *in_one = xasprintf("%s/public", one), *made = xasprintf("%s/new", one);
	struct instance_spec specs[3] = { spec_new("a"), spec_new("b"), spec_new("c") };
	struct error error = ERROR_INIT;
	struct process processes[3];
	struct stat status;

	(void)state;
	make_image(one, "one");
	make_image(two, "two");
	specs[0].image = rid_new(KIND_IMAGE);
	specs[0].image_path = one;
	specs[1].image = rid_new(KIND_IMAGE);
	specs[1].image_path = two;
	must(instances_launch(instances, specs, 3, processes, &error), &error);
	expect(processes[0], "cat /public /private; echo /*; cat /etc/hostname",
	       "one\nsecret of one\n/bin /dev /etc /lib /lib64 /private /proc /public /run "
	       "/sys /tmp\na\n");
	expect(processes[1], "cat /public /private", "two\nsecret of two\n");
	expect(processes[2], "test -e /public || test -d /var/lib/dpkg && echo own", "own\n");
	expect(processes[0], "echo changed >/public; echo x >/new; cat /public", "changed\n");
	assert_int_equal(stat(in_one, &status), 0);
	assert_int_equal(status.st_size, 4);
	assert_int_equal(access(made, F_OK), -1);

	/* Another directory by that name is another one, for new disks; a disk keeps what it has.
	 */
	remove_image(two);
	make_image(two, "other");
	kill_one(specs[2].id, processes[2]);
	specs[2].image = specs[1].image;
	specs[2].image_path = two;
	instances_forget(instances, &specs[2].id, 1);
	kill_one(specs[0].id, processes[0]);
	must(instances_launch(instances, &specs[2], 1, &processes[2], &error), &error);
	must(instances_launch(instances, &specs[0], 1, &processes[0], &error), &error);
	expect(processes[2], "cat /public", "other\n");
	expect(processes[0], "cat /public /new", "changed\nx\n");

	/* Let go of, it goes on below its disks; gone, nothing is launched from it. */
	instances_unstage(instances, specs[0].image);
	expect(processes[0], "cat /private", "secret of one\n");
	for (size_t i = 0; i < 3; i++)
		kill_one(specs[i].id, processes[i]);
	remove_image(one);
	assert_int_equal(instances_launch(instances, specs, 3, processes, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/one: No such file or directory"));
	for (size_t i = 0; i < 3; i++)
		instances_forget(instances, &specs[i].id, 1);
	remove_image(two);
}

static void test_streams(void **state)
{
	struct rid id;
	struct process process = launch_one(&id);
	char *cat[] = { (char[]){ "cat" }, NULL };
	struct command command;
	int input[2];

	(void)state;
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	command = start(process, input[0], cat);
	close(input[0]);
	assert_int_equal(write(input[1], "through\n", 8), 8);
	close(input[1]);
	assert_int_equal(finish(&command, output, sizeof(output)), 0);
	assert_string_equal(output, "through\n");

	command = start(process, -1, cat); /* standard input closed: as if empty */
	assert_int_equal(finish(&command, output, sizeof(output)), 0);
	assert_string_equal(output, "");

	assert_int_equal(shell(process, "exit 7"), 7);
	assert_int_equal(shell(process, "kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(shell(process, "exec /no/such/file"), 127);
	kill_one(id, process);
}

static int run_plain(struct process process, const char *name)
{
	char *argv[] = { xstrdup(name), NULL };
	struct command command = start(process, -1, argv);

	free(argv[0]);
	return finish(&command, output, sizeof(output));
}

static void test_not_executable(void **state)
{
	struct rid id;
	struct process process = launch_one(&id);

	(void)state;
	assert_int_equal(run_plain(process, "no-such-command"), 127);
	assert_non_null(strstr(output, "no-such-command: No such file or directory"));
	assert_int_equal(run_plain(process, "/etc/passwd"), 126);
	assert_non_null(strstr(output, "/etc/passwd: Permission denied"));
	kill_one(id, process);
	assert_int_equal(run_plain(process, "true"), 200); /* exec_main()'s: it failed */
	assert_non_null(strstr(output, "No such process"));
}

/* In a session whose terminal is `slave`. */
static pid_t start_in_terminal(struct process process, int slave, const char *line)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, xstrdup(line), NULL };

		login_tty(slave);
		exec_main(process, argv);
	}
	return pid;
}

static void test_terminal(void **state)
{
	struct winsize size = { .ws_row = 33, .ws_col = 99 };
	struct termios before, during, after;
	struct rid id;
	struct process process = launch_one(&id);
	int master, slave;
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	tcgetattr(slave, &before);
	pid = start_in_terminal(process, slave,
				"tty; stty size; read x; echo got $x; stty size; read y; exit 5");
	read_until(master, "33 99", output, sizeof(output));
	assert_non_null(strstr(output, "/dev/pts/0"));
	tcgetattr(slave, &during);
	assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	size.ws_row = 44;
	ioctl(master, TIOCSWINSZ, &size);
	pause_ms(100); /* the window's signal has no reply to wait for */
	assert_int_equal(write(master, "abc\r", 4), 4);
	read_until(master, "44 99", output, sizeof(output));
	assert_non_null(strstr(output, "got abc"));
	assert_int_equal(write(master, "\r", 1), 1);
	assert_int_equal(WEXITSTATUS(wait_status(pid)), 5);
	tcgetattr(slave, &after);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);

	/* ^C goes to what runs inside, by way of its own terminal. */
	pid = start_in_terminal(process, slave, "echo ready; exec sleep 100");
	read_until(master, "ready", output, sizeof(output));
	assert_int_equal(write(master, "\003", 1), 1);
	assert_int_equal(WEXITSTATUS(wait_status(pid)), 128 + SIGINT);
	close(slave);
	close(master);
	kill_one(id, process);
}

/* More than a terminal's input takes, to a command that doesn't read while it writes. */
static void test_terminal_flood(void **state)
{
	static char typed[65536];
	struct rid id;
	struct process process = launch_one(&id);
	int master, slave, status;
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(master, F_SETFL, O_NONBLOCK);
	pid = start_in_terminal(process, slave, "stty raw -echo; seq 1 20000; echo end; exit 3");
	close(slave);
	memset(typed, 'x', sizeof(typed));
	for (int64_t until = clock_ms() + PATIENCE_MS; clock_ms() < until;) {
		struct pollfd ready = { .fd = master, .events = POLLIN | POLLOUT };

		poll(&ready, 1, 100);
		if (ready.revents & POLLOUT && write(master, typed, sizeof(typed)) < 0)
			assert_int_equal(errno, EAGAIN);
		if (ready.revents & POLLIN && read(master, output, sizeof(output)) <= 0)
			break;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			pid = 0;
			break;
		}
	}
	assert_int_equal(pid, 0);
	assert_int_equal(WEXITSTATUS(status), 3);
	close(master);
	kill_one(id, process);
}

static void test_signals(void **state)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
			 (char[]){ "trap 'exit 9' TERM; echo on; while :; do sleep 0.05; done" },
			 NULL };
	char *sleeping[] = { (char[]){ "sleep" }, (char[]){ "100" }, NULL };
	struct rid id;
	struct process process = launch_one(&id);
	struct command command;
	pid_t pid;

	(void)state;
	command = start(process, -1, argv);
	read_until(command.output, "on", output, sizeof(output));
	kill(command.pid, SIGTERM);
	assert_int_equal(finish(&command, output, sizeof(output)), 9);

	/* The caller's death is the command's: it comes to us, as orphans do. */
	command = start(process, -1, sleeping);
	eventually((pid = (pid_t)atoi(children_of(command.pid))) != 0 && is_named(pid, "sleep"));
	kill(command.pid, SIGKILL);
	wait_status(command.pid);
	close(command.output);
	assert_int_equal(WTERMSIG(wait_status(pid)), SIGHUP);
	kill_one(id, process);
}

static void test_reaping(void **state)
{
	struct rid id;
	struct process process = launch_one(&id);

	(void)state;
	expect(process, "for i in 1 2 3; do (sleep 0.3 >/dev/null 2>&1 &); done", "");
	assert_int_not_equal(children_of(process.pid)[0], '\0'); /* orphans came to the init */
	eventually(children_of(process.pid)[0] == '\0'); /* a zombie would stay in the list */
	kill_one(id, process);
}

static void test_stop(void **state)
{
	char *polite[] = { (char[]){ "sh" }, (char[]){ "-c" },
			   (char[]){ "trap 'echo bye; exit 0' TERM; echo on; "
				     "while :; do sleep 0.05; done" },
			   NULL };
	char *deaf[] = { (char[]){ "sh" }, (char[]){ "-c" },
			 (char[]){ "trap '' TERM; echo on; while :; do sleep 0.05; done" }, NULL };
	struct error error = ERROR_INIT;
	struct rid id;
	struct process process = launch_one(&id);
	struct command command = start(process, -1, polite);
	int64_t start_ms;

	(void)state;
	read_until(command.output, "on", output, sizeof(output));
	start_ms = clock_ms();
	must(instances_stop(instances, id, process, 4000, &error), &error);
	assert_true(wait_exit(PATIENCE_MS));
	assert_true(clock_ms() - start_ms < 2000); /* no waiting for the grace */
	assert_true(rid_equal(gone, id));
	assert_int_equal(finish(&command, output, sizeof(output)), 0);
	assert_non_null(strstr(output, "bye\n"));
	assert_int_equal(how, INSTANCE_SHUT_DOWN);

	process = launch_one(&id);
	must(instances_reboot(instances, id, process, 4000, &error), &error);
	assert_true(wait_exit(PATIENCE_MS));
	assert_int_equal(how, INSTANCE_REBOOTED);

	process = launch_one(&id);
	command = start(process, -1, deaf);
	read_until(command.output, "on", output, sizeof(output));
	start_ms = clock_ms();
	must(instances_stop(instances, id, process, 300, &error), &error);
	assert_true(wait_exit(PATIENCE_MS));
	assert_in_range(clock_ms() - start_ms, 250, 2000);
	assert_int_equal(finish(&command, output, sizeof(output)), 128 + SIGKILL);
	assert_int_equal(how, INSTANCE_CRASHED);

	process = launch_one(&id);
	command = start(process, -1, deaf);
	read_until(command.output, "on", output, sizeof(output));
	must(instances_reboot(instances, id, process, 300, &error), &error);
	assert_true(wait_exit(PATIENCE_MS));
	assert_int_equal(how, INSTANCE_REBOOTED);
	assert_int_equal(finish(&command, output, sizeof(output)), 128 + SIGKILL);

	must(instances_stop(instances, id, process, 300, &error), &error); /* not alive is fine */
	assert_false(wait_exit(100));
}

static void test_many(void **state)
{
	enum {
		MANY = 50
	};
	struct instance_spec specs[MANY];
	struct process processes[MANY];
	struct rid ids[MANY];
	struct error error = ERROR_INIT;
	size_t before = count_children();

	(void)state;
	for (int i = 0; i < MANY; i++) {
		specs[i] = spec_new("x");
		snprintf(specs[i].identity.hostname, sizeof(specs[i].identity.hostname),
			 "ip-10-0-0-%d", i);
		ids[i] = specs[i].id;
	}
	must(instances_launch(instances, specs, 0, processes, &error), &error);
	must(instances_launch(instances, specs, MANY, processes, &error), &error);
	assert_int_equal(count_children(), before + MANY);
	expect(processes[37], "hostname", "ip-10-0-0-37\n");
	processes[3].start_time++; /* watched ones are known by their pidfd, whatever is said */
	must(instances_kill(instances, ids, processes, MANY, &error), &error);
	assert_int_equal(count_children(), before);
	must(instances_kill(instances, ids, processes, MANY, &error), &error);
	assert_false(wait_exit(50)); /* no word of those */
}

static void test_exit_is_told(void **state)
{
	struct rid id;
	struct process process = launch_one(&id);
	struct process other = process;
	struct error error = ERROR_INIT;

	(void)state;
	assert_true(process_alive(process));
	other.start_time++;
	assert_false(process_alive(other));
	assert_int_equal(instances_adopt(instances, rid_new(KIND_INSTANCE), other, &error), -ESRCH);
	kill(process.pid, SIGKILL);
	assert_true(wait_exit(PATIENCE_MS));
	assert_true(rid_equal(gone, id));
	assert_int_equal(instances_adopt(instances, id, process, &error), -ESRCH);
}

/* A daemon of its own in a child: launches three, tells their pids, and waits to be killed. */
static noreturn void daemon_main(int fd, bool commit)
{
	struct instance_spec specs[3] = { spec_new("a"), spec_new("b"), spec_new("c") };
	struct error error = ERROR_INIT;
	struct launch *launch = NULL;
	struct process processes[3];
	struct instances *its;
	struct loop *its_loop;

	if (loop_new(&its_loop, &error) < 0 ||
	    instances_open(&options, its_loop, on_exit_of, &gone, &its, &error) < 0 ||
	    instances_launch_begin(its, specs, 3, &launch, &error) < 0)
		_exit(1);
	for (int i = 0; i < 3; i++)
		if (launch_next(launch, &processes[i], &error) < 0)
			_exit(1);
	if (commit && launch_ready(launch, &error) < 0)
		_exit(1);
	if (commit)
		launch_commit(launch);
	if (write(fd, processes, sizeof(processes)) != sizeof(processes))
		_exit(1);
	for (;;)
		pause();
}

static void run_daemon(bool commit, struct process processes[3])
{
	pid_t pid, its_launcher;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		daemon_main(fds[1], commit);
	close(fds[1]);
	assert_int_equal(read(fds[0], processes, 3 * sizeof(*processes)), 3 * sizeof(*processes));
	close(fds[0]);
	its_launcher = (pid_t)atoi(children_of(pid)); /* the eldest */
	kill(pid, SIGKILL);
	wait_status(pid);
	wait_status(its_launcher); /* died with it */
}

static void test_daemon_killed(void **state)
{
	struct process processes[3];

	(void)state;
	/* Before the commit: none outlives it. They come to us as orphans, to be reaped. */
	run_daemon(false, processes);
	for (int i = 0; i < 3; i++) {
		wait_status(processes[i].pid);
		assert_false(process_alive(processes[i]));
	}
}

static void test_adopt(void **state)
{
	struct rid ids[3] = { rid_new(KIND_INSTANCE), rid_new(KIND_INSTANCE),
			      rid_new(KIND_INSTANCE) };
	struct process processes[3];
	struct error error = ERROR_INIT;
	struct instances *unwatched;

	(void)state;
	run_daemon(true, processes);
	pause_ms(200);
	expect(processes[1], "hostname", "b\n");
	must(instances_adopt(instances, ids[0], processes[0], &error), &error);
	must(instances_stop(instances, ids[0], processes[0], 2000, &error), &error);
	assert_true(wait_exit(PATIENCE_MS));
	assert_true(rid_equal(gone, ids[0]));
	/* Never adopted, and nobody watching: the way of `minivpc down`. */
	must(instances_open(NULL, NULL, NULL, NULL, &unwatched, &error), &error);
	processes[2].start_time++;
	must(instances_kill(unwatched, ids, processes, 3, &error), &error);
	processes[2].start_time--;
	assert_false(process_alive(processes[1]));
	assert_true(process_alive(processes[2])); /* it was said to be another one */
	must(instances_kill(unwatched, ids, processes, 3, &error), &error);
	assert_false(process_alive(processes[2]));
	instances_close(unwatched);
}

static void test_launcher_killed(void **state)
{
	enum {
		MANY = 60
	};
	struct instance_spec specs[MANY];
	struct error error = ERROR_INIT;
	struct process process;
	struct launch *launch;
	struct rid id;
	size_t before = count_children();
	int taken = 0, r = 0;

	(void)state;
	kill_launcher(); /* idle: the next launch starts another */
	process = launch_one(&id);
	kill_one(id, process);
	assert_int_equal(count_children(), before);

	for (int i = 0; i < MANY; i++)
		specs[i] = spec_new("x");
	must(instances_launch_begin(instances, specs, MANY, &launch, &error), &error);
	assert_int_equal(instances_launch(instances, specs, 1, &process, &error), -EBUSY);
	kill_launcher();
	while (taken < MANY && r == 0) {
		r = launch_next(launch, &process, &error);
		taken += r == 0;
	}
	assert_int_equal(r, -EPIPE);
	assert_non_null(strstr(error.text, "launcher died"));
	assert_null(launch_cancel(launch));
	process = launch_one(&id);
	kill_one(id, process);
	assert_int_equal(count_children(), before); /* the new launcher, and none of those inits */
}

/* The kernel tells of requests that it left unread, once, before it tells of its end. */
static void test_launcher_reset(void **state)
{
	struct launcher_request request = { .task = LAUNCHER_LIST };
	struct launcher launcher = LAUNCHER_INIT;
	int pair[2];

	(void)state;
	launcher.pid = getpid(); /* one that lives */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	launcher.socket = pair[0];
	for (int i = 0; i < 4; i++) {
		struct error error = ERROR_INIT;
		int r = launcher_request(&launcher, &request, NULL, &error);

		if (i < 2)
			must(r, &error);
		else
			assert_string_equal(error.text, "the launcher died: Broken pipe");
		assert_int_equal(r, i < 2 ? 0 : -EPIPE);
		if (i == 1)
			close(pair[1]);
	}
	close(pair[0]);
}

static void test_all_or_none(void **state)
{
	enum {
		MANY = 40
	};
	struct instance_spec specs[MANY];
	struct process processes[MANY];
	struct error error = ERROR_INIT;
	struct rlimit limit, low;
	size_t before = count_children();
	int fd = dup(0), r;

	(void)state;
	close(fd);
	for (int i = 0; i < MANY; i++)
		specs[i] = spec_new("x");
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = (rlim_t)fd + 14;
	setrlimit(RLIMIT_NOFILE, &low);
	r = instances_launch(instances, specs, MANY, processes, &error);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(r, -EMFILE);
	assert_non_null(strstr(error.text, "ulimit -n"));
	assert_int_equal(count_children(), before);
}

/* A kernel that refuses one step of an init: sethostname(), by a filter on a daemon of our own. */
static int launch_refused(struct error *error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };
	struct instance_spec specs[2] = { spec_new("a"), spec_new("b") };
	struct process processes[2];
	struct instances *its;
	struct loop *its_loop;
	int r;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0 ||
	    loop_new(&its_loop, error) < 0 ||
	    instances_open(&options, its_loop, on_exit_of, &gone, &its, error) < 0)
		return 0;
	r = instances_launch(its, specs, 2, processes, error);
	instances_close(its);
	return r;
}

static void test_step_refused(void **state)
{
	char text[512] = "";
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct error error = ERROR_INIT;
		int r = launch_refused(&error);

		dprintf(fds[1], "%d %s", r, error.text);
		_exit(0);
	}
	close(fds[1]);
	read_until(fds[0], NULL, text, sizeof(text));
	close(fds[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(atoi(text), -EXDEV);
	assert_non_null(strstr(text, ": hostname: "));
}

static char mounts_before[65536];

static void read_mounts(char *text, size_t size)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	close(fd);
}

/* Last: what all the tests together leave. Others may mount things on this machine meanwhile, but
 * none that has to do with us. */
static void test_nothing_left(void **state)
{
	static char after[sizeof(mounts_before)];
	struct stat root;

	(void)state;
	instances = instances_close(instances);
	loop = loop_free(loop);
	assert_string_equal(children_of(getpid()), "");
	read_mounts(after, sizeof(after));
	for (char *line = strtok(after, "\n"); line; line = strtok(NULL, "\n"))
		if (!strstr(mounts_before, line) && !strstr(line, " - nsfs "))
			fail_msg("new: %s", line);
	assert_int_equal(stat("/tmp/x", &root), -1);
}

/* ---- */

static int set_up(void **state)
{
	static char file[sizeof(secret) + 8];
	struct error error = ERROR_INIT;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	read_mounts(mounts_before, sizeof(mounts_before));
	if (!mkdtemp(secret))
		return -1;
	snprintf(file, sizeof(file), "%s/secret", secret);
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (loop_new(&loop, &error) < 0)
		return -1;
	return instances_open(&options, loop, on_exit_of, &gone, &instances, &error);
}

static int tear_down(void **state)
{
	char file[sizeof(secret) + 8];
	pid_t pid;

	(void)state;
	instances = instances_close(instances);
	loop = loop_free(loop);
	/* Those that a failed test left: all children are ours, and orphans come to us. */
	for (int i = 0; i < 1000 && (pid = (pid_t)atoi(children_of(getpid()))) > 0; i++) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	snprintf(file, sizeof(file), "%s/secret", secret);
	unlink(file);
	rmdir(secret);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inside),	       cmocka_unit_test(test_confinement),
		cmocka_unit_test(test_disk),	       cmocka_unit_test(test_image),
		cmocka_unit_test(test_streams),	       cmocka_unit_test(test_not_executable),
		cmocka_unit_test(test_terminal),       cmocka_unit_test(test_terminal_flood),
		cmocka_unit_test(test_signals),	       cmocka_unit_test(test_reaping),
		cmocka_unit_test(test_stop),	       cmocka_unit_test(test_many),
		cmocka_unit_test(test_exit_is_told),   cmocka_unit_test(test_daemon_killed),
		cmocka_unit_test(test_adopt),	       cmocka_unit_test(test_launcher_killed),
		cmocka_unit_test(test_launcher_reset), cmocka_unit_test(test_all_or_none),
		cmocka_unit_test(test_step_refused),   cmocka_unit_test(test_nothing_left),
	};

	if (geteuid() != 0) {
		printf("skipped: launching instances needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
