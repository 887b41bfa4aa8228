/* objects: emulator/world/privileges.o emulator/base/capabilities.o emulator/base/error.o emulator/base/util.o emulator/base/log.o emulator/base/buffer.o */
/* libs: libseccomp */
#include "base/capabilities.h"
#include "base/util.h"
#include "world/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Each with arguments that are wrong: who may call it is told so, and nothing happens. */
#define NOWHERE ((long)-4096) /* an address that nobody has */

struct row {
	const char *name;
	long number, arguments[5];
};

static const struct row refused[] = {
	{ "kexec_load", SYS_kexec_load, { 0, 17, NOWHERE, -1 } },
#ifdef SYS_kexec_file_load
	{ "kexec_file_load", SYS_kexec_file_load, { -1, -1, 0, NOWHERE, -1 } },
#endif
	{ "init_module", SYS_init_module, { NOWHERE, 64, NOWHERE } },
	{ "finit_module", SYS_finit_module, { -1, NOWHERE, -1 } },
	{ "delete_module", SYS_delete_module, { NOWHERE, 0 } },
	{ "swapon", SYS_swapon, { NOWHERE, -1 } },
	{ "swapoff", SYS_swapoff, { NOWHERE } },
	{ "settimeofday", SYS_settimeofday, { NOWHERE, NOWHERE } },
	{ "clock_settime", SYS_clock_settime, { CLOCK_REALTIME, NOWHERE } },
	{ "acct", SYS_acct, { NOWHERE } },
	{ "quotactl", SYS_quotactl, { -1, NOWHERE, 0, NOWHERE } },
#ifdef SYS_quotactl_fd
	{ "quotactl_fd", SYS_quotactl_fd, { (unsigned int)-1, (unsigned int)-1, 0, NOWHERE } },
#endif
#ifdef SYS_iopl
	{ "iopl", SYS_iopl, { 17 } },
	{ "ioperm", SYS_ioperm, { -1, -1, 1 } },
#endif
};

/* What guests do, and a filter that goes too far would break. */
static const struct row allowed[] = {
	{ "ptrace", SYS_ptrace, { 17, -1, NOWHERE, NOWHERE } },
	{ "keyctl", SYS_keyctl, { 12345 } },
	{ "bpf", SYS_bpf, { 12345, NOWHERE, 0 } },
	{ "reboot", SYS_reboot, { 1, 2, 3 } },
	{ "mount", SYS_mount, { NOWHERE, NOWHERE, NOWHERE, 0, NOWHERE } },
	{ "unshare", SYS_unshare, { 1 } },
	{ "setns", SYS_setns, { -1, 0 } },
	{ "adjtimex", SYS_adjtimex, { NOWHERE } },
};

static int call(const struct row *row)
{
	const long *a = row->arguments;

	return syscall(row->number, a[0], a[1], a[2], a[3], a[4]) < 0 ? errno : 0;
}

/* Runs it in a child, whose privileges end with it. The number of complaints. */
static int in_child(int (*run)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int try_refused(void)
{
	struct error error = ERROR_INIT;
	int complaints = 0;

	if (privileges_refuse(&error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 99;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		int sys = call(&refused[i]);

		if (sys != EPERM) {
			fprintf(stderr, "%s: %s\n", refused[i].name, strerror(sys));
			complaints++;
		}
	}
	return complaints;
}

/* The filter does it, not a lack of rights: who has them is told something else without it. */
static int try_unrefused(void)
{
	int refusals = 0;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		refusals += call(&refused[i]) == EPERM;
	if (refusals)
		fprintf(stderr, "%d are refused by the machine itself\n", refusals);
	return refusals > 4; /* where a container has not all capabilities */
}

static int try_allowed(void)
{
	struct error error = ERROR_INIT;
	int without[ARRAY_SIZE(allowed)], complaints = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		without[i] = call(&allowed[i]);
	if (privileges_refuse(&error) < 0)
		return 99;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		int sys = call(&allowed[i]);

		if (sys != without[i]) {
			fprintf(stderr, "%s: %s\n", allowed[i].name, strerror(sys));
			complaints++;
		}
	}
	return complaints + (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0);
}

static void needs_root(void)
{
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

static void test_calls_are_refused(void **state)
{
	(void)state;
	needs_root();
	assert_int_equal(in_child(try_unrefused), 0);
	assert_int_equal(in_child(try_refused), 0);
}

static void test_others_are_not(void **state)
{
	(void)state;
	needs_root();
	assert_int_equal(in_child(try_allowed), 0);
}

#define SOME (CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_SETFCAP))

static int try_keep(void)
{
	const uint64_t before = capabilities_there();
	int complaints = 0;

	if (capabilities_keep(SOME) < 0)
		return 99;
	complaints += capabilities_there() != (before & SOME);
	for (unsigned int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
		if (!(SOME & CAPABILITY(number)))
			complaints += prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 0;
	/* Again, now without the right to: there is nothing left to do. */
	return complaints + (capabilities_keep(SOME) != 0);
}

static void test_capabilities_are_kept(void **state)
{
	(void)state;
	needs_root();
	assert_int_equal(in_child(try_keep), 0);
}

static int try_missing(void)
{
	CLEANUP(freep) char *before = privileges_missing();
	CLEANUP(freep) char *after = NULL;

	if (before && strstr(before, "CAP_CHOWN"))
		return 98;
	if (capabilities_keep(~CAPABILITY(CAP_CHOWN)) < 0)
		return 99;
	after = privileges_missing();
	return !after || strncmp(after, "no CAP_CHOWN (images' files)", 28) != 0;
}

static void test_what_is_missing_is_named(void **state)
{
	(void)state;
	needs_root();
	assert_int_equal(in_child(try_missing), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_are_refused),
		cmocka_unit_test(test_others_are_not),
		cmocka_unit_test(test_capabilities_are_kept),
		cmocka_unit_test(test_what_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
