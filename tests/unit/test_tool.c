/* objects: emulator/instance/tool.o emulator/base/capabilities.o emulator/base/error.o emulator/base/loop.o emulator/base/util.o */
/*
 * Tools beside the daemon, on the real kernel: needs root, and skips without. A shell stands in for
 * what an archive could make of tar.
 */
#include "instance/tool.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static char place[] = "/var/tmp/minivpc-test-XXXXXX";
static int ended, status;
static char complaint[1024];

static const char *const ignored[] = { ": not worth it", NULL };

static void on_end(void *context, int how, const char *what)
{
	assert_ptr_equal(context, &ended);
	ended++;
	status = how;
	snprintf(complaint, sizeof(complaint), "%s", what);
	loop_stop(loop);
}

static void on_timeout(void *context)
{
	(void)context;
	loop_stop(loop);
}

static struct tool *start(const char *script)
{
	const char *const arguments[] = { "sh", "-c", script, place, NULL };
	const struct tool_options options = {
		.program = "/bin/sh", .arguments = arguments, .directory = place, .ignored = ignored
	};
	struct error error = ERROR_INIT;
	struct tool *tool = NULL;

	if (tool_start(loop, &options, on_end, &ended, &tool, &error) < 0)
		fail_msg("%s", error.text);
	return tool;
}

/* Its status; what it said last is in `complaint`. */
static int run(const char *script)
{
	struct error error = ERROR_INIT;
	struct loop_source *timer;
	const int before = ended;

	start(script);
	assert_int_equal(loop_add_timer(loop, 10000, on_timeout, NULL, &timer, &error), 0);
	assert_int_equal(loop_run(loop, &error), 0);
	assert_int_equal(ended, before + 1);
	loop_remove(timer);
	return status;
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_string_equal(complaint, "");
	assert_int_equal(run("exit 3"), 3);
	assert_int_equal(run("kill -KILL $$ 2>&1; exit 7"), 7); /* PID 1 of its own */
	assert_int_equal(
		run("echo one >&2; echo \"tw\to\" >&2; echo that: not worth it >&2; exit 2"), 2);
	assert_string_equal(complaint, "tw?o");
	assert_int_equal(run("printf 'without an end' >&2"), 0);
	assert_string_equal(complaint, "without an end");
	assert_int_equal(run("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done"),
			 0);
	assert_string_equal(complaint, "line 19999");
	assert_int_equal(run("head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; exit 1"), 1);
	assert_int_equal(strlen(complaint), 511);
}

static void test_writes(void **state)
{
	char outside[sizeof(place) + 16];

	(void)state;
	snprintf(outside, sizeof(outside), "%s.outside", place);
	assert_int_equal(run("cd $0 && mkdir a && echo x >a/b && chown 1000:1001 a/b && "
			     "chmod 4755 a/b && ln -s .. c && stat -c '%u %g %a' a/b >&2"),
			 0);
	assert_string_equal(complaint, "1000 1001 4755");
	assert_int_not_equal(run("echo x >$0.outside"), 0);
	assert_non_null(strstr(complaint, "Read-only file system"));
	assert_int_equal(access(outside, F_OK), -1);
	assert_int_not_equal(run("ln -s /var/tmp $0/out; echo x >$0/out/$(basename $0).outside"),
			     0);
	assert_non_null(strstr(complaint, "Read-only file system"));
	assert_int_equal(access(outside, F_OK), -1);
	assert_int_not_equal(run("mount -o remount,rw,bind /"), 0);
	assert_int_not_equal(run("mount -t tmpfs x /mnt"), 0);
	assert_int_not_equal(run("echo x >/proc/sys/kernel/hostname"), 0);
	assert_int_equal(run("rm -rf $0/a $0/c $0/out"), 0);
}

static void test_rights(void **state)
{
	(void)state;
	assert_int_not_equal(run("mknod $0/null c 1 3"), 0);
	assert_non_null(strstr(complaint, "Operation not permitted"));
	assert_int_equal(run("sed -n '3,$p' /proc/net/dev | wc -l >&2"), 0);
	assert_string_equal(complaint, "1"); /* "lo" alone */
	assert_int_equal(run("[ $$ = 1 ] && env | sort | tr '\\n' ' ' >&2"), 0);
	assert_non_null(strstr(complaint, "LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_null(strstr(complaint, "HOME"));
	assert_int_equal(run("ls /proc/self/fd | wc -l >&2"), 0);
	assert_string_equal(complaint, "4"); /* the last is that of ls */
	assert_int_equal(run("grep CapEff /proc/self/status >&2"), 0);
	assert_string_equal(complaint, "CapEff:?000000008000001b");
	/* What it left behind ends with it. */
	assert_int_equal(run("setsid sh -c 'sleep 1; touch $0/late' $0 & exit 0"), 0);
	sleep(2);
	assert_int_equal(run("ls $0 >&2"), 0);
	assert_string_equal(complaint, "");
}

static void test_not_there(void **state)
{
	const char *const arguments[] = { "x", NULL };
	struct tool_options options = { .program = "/no/such/tool",
					.arguments = arguments,
					.directory = place };
	struct error error = ERROR_INIT;
	struct tool *tool;

	(void)state;
	assert_int_equal(tool_start(loop, &options, on_end, &ended, &tool, &error), 0);
	assert_int_equal(loop_run(loop, &error), 0);
	assert_int_equal(status, 125);
	assert_string_equal(complaint, "/no/such/tool: No such file or directory");
	options.program = "/bin/true";
	options.directory = "/no/such/place";
	assert_int_equal(tool_start(loop, &options, on_end, &ended, &tool, &error), 0);
	assert_int_equal(loop_run(loop, &error), 0);
	assert_int_equal(status, 125);
	assert_string_equal(complaint, "/no/such/place: No such file or directory");
}

static void test_stop(void **state)
{
	struct error error = ERROR_INIT;
	const int before = ended;

	(void)state;
	tool_stop(start("touch $0/begun; sleep 60 & sleep 60"));
	assert_null(tool_stop(NULL));
	assert_int_equal(loop_add_timer(loop, 50, on_timeout, NULL, NULL, &error), 0);
	assert_int_equal(loop_run(loop, &error), 0);
	assert_int_equal(ended, before);
}

static int set_up(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	return mkdtemp(place) ? loop_new(&loop, &error) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	run("rm -f $0/*");
	loop = loop_free(loop);
	return rmdir(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),   cmocka_unit_test(test_writes),
		cmocka_unit_test(test_rights), cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_stop),
	};

	if (geteuid() != 0) {
		printf("skipped: tools with rights to give away need root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
