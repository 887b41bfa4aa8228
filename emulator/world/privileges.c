/* Privileges: see privileges.h. */
#include "world/privileges.h"

#include "base/buffer.h"
#include "base/capabilities.h"
#include "base/log.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>

#define NAMED(number) number, #number

/* Whatever else root has, an intruder has not: modules, the clock, raw memory, other processes'
 * priorities, the kernel's log, security modules … */
static const struct {
	int number;
	const char *name, *use;
} kept[] = {
	{ NAMED(CAP_CHOWN), "images' files" },
	{ NAMED(CAP_DAC_OVERRIDE), "instances' disks" },
	{ NAMED(CAP_FOWNER), "images' files" },
	{ NAMED(CAP_FSETID), "images' files" },
	{ NAMED(CAP_KILL), "stopping instances" },
	{ NAMED(CAP_SETGID), "user namespaces" },
	{ NAMED(CAP_SETUID), "user namespaces" },
	{ NAMED(CAP_SETPCAP), "giving up privileges" },
	{ NAMED(CAP_NET_BIND_SERVICE), "DNS, the time, metadata" },
	{ NAMED(CAP_NET_ADMIN), "networks" },
	{ NAMED(CAP_SYS_CHROOT), "instances' disks" },
	{ NAMED(CAP_SYS_PTRACE), "instances' namespaces" },
	{ NAMED(CAP_SYS_ADMIN), "namespaces and mounts" },
	{ NAMED(CAP_SYS_RESOURCE), "instances' score when memory is short" },
	{ NAMED(CAP_MKNOD), "instances' /dev" },
	{ NAMED(CAP_SETFCAP), "images' files" },
};

#define CALL(name) SCMP_SYS(name), #name

/* All are about the machine as a whole, and allowed to CAP_SYS_ADMIN in part. */
static const struct {
	int number;
	const char *name;
} refused[] = {
	{ CALL(kexec_load) },	  { CALL(kexec_file_load) }, { CALL(init_module) },
	{ CALL(finit_module) },	  { CALL(delete_module) },   { CALL(create_module) },
	{ CALL(swapon) },	  { CALL(swapoff) },	     { CALL(settimeofday) },
	{ CALL(clock_settime) },  { CALL(clock_settime64) }, { CALL(stime) },
	{ CALL(acct) },		  { CALL(quotactl) },	     { CALL(quotactl_fd) },
	{ CALL(iopl) },		  { CALL(ioperm) },	     { CALL(vm86) },
	{ CALL(lookup_dcookie) }, { CALL(nfsservctl) },	     { CALL(uselib) },
};

/* What a 32-bit program, or one in a container, calls by other numbers. */
static const uint32_t others[] = {
#if defined(__x86_64__)
	SCMP_ARCH_X86,
	SCMP_ARCH_X32,
#elif defined(__aarch64__)
	SCMP_ARCH_ARM,
#endif
	SCMP_ARCH_NATIVE,
};

/* ---- capabilities ---- */

static uint64_t all_kept(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		set |= CAPABILITY(kept[i].number);
	return set;
}

char *privileges_kept(void)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		buffer_printf(&text, "%s%s", i ? ", " : "", kept[i].name);
	return buffer_steal(&text);
}

char *privileges_missing(void)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	const uint64_t there = capabilities_there();
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!(there & CAPABILITY(kept[i].number)))
			buffer_printf(&text, "%s%s (%s)", count++ ? ", " : "no ", kept[i].name,
				      kept[i].use);
	return count ? buffer_steal(&text) : NULL;
}

/* ---- system calls ---- */

char *privileges_refused(void)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		buffer_printf(&text, "%s%s", i ? ", " : "", refused[i].name);
	return buffer_steal(&text);
}

/*
 * Looks at numbers alone, so that the kernel knows beforehand what it lets pass, and a call that
 * is let pass costs nothing. Without the mitigation of speculative stores, which old kernels would
 * turn on with a filter, in instances too.
 */
static int fill(scmp_filter_ctx filter)
{
	int r;

	if ((r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0)) < 0 ||
	    (r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM))) < 0)
		return r;
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1); /* fails before Linux 4.17 */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		r = seccomp_arch_add(filter, others[i]);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i].number, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

int privileges_refuse(struct error *error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = filter ? fill(filter) : -ENOMEM;

	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? error_sys(error, r, "refusing system calls by a filter") : 0;
}

void privileges_give_up(void)
{
	struct error error = ERROR_INIT;
	int r;

	if (!(capabilities_there() & CAPABILITY(CAP_SYS_ADMIN)))
		return; /* it will not start, and says so */
	r = capabilities_keep(all_kept());
	if (r < 0)
		log_error("not all capabilities can be given up: %s", strerror(-r));
	if (privileges_refuse(&error) < 0) /* with CAP_SYS_ADMIN, so without no_new_privs */
		log_error("%s", error.text);
}
