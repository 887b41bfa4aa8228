/* How inits end: see end.h. */
#include "instance/end.h"

#include "instance/disk.h"

#include <time.h>
#include <unistd.h>

#define TICK 10000000 /* nanoseconds: what start times are counted in (USER_HZ) */

struct note {
	char name[DISK_NAME_MAX];
	uint64_t time; /* ticks since boot */
	int32_t end;
	int32_t reserved;
};

/* Exit statuses of init. Another one, or a signal, is a crash. */
static const int statuses[] = {
	[INSTANCE_SHUT_DOWN] = 0,
	[INSTANCE_REBOOTED] = 64,
};

/* reboot(2) in a PID namespace kills its init, and says by which signal what was asked for. */
enum instance_end end_of_status(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED && info->si_status == statuses[INSTANCE_SHUT_DOWN])
		return INSTANCE_SHUT_DOWN;
	if (info->si_code == CLD_EXITED && info->si_status == statuses[INSTANCE_REBOOTED])
		return INSTANCE_REBOOTED;
	if (info->si_code == CLD_KILLED && info->si_status == SIGINT)
		return INSTANCE_SHUT_DOWN;
	if (info->si_code == CLD_KILLED && info->si_status == SIGHUP)
		return INSTANCE_REBOOTED;
	return INSTANCE_CRASHED;
}

int end_leave_note(int notes, const char *name, enum instance_end end)
{
	struct note note = { .end = end };
	struct timespec now;
	ssize_t written;

	clock_gettime(CLOCK_BOOTTIME, &now);
	note.time = (uint64_t)now.tv_sec * (1000000000 / TICK) + (uint64_t)now.tv_nsec / TICK;
	memcpy(note.name, name, strnlen(name, sizeof(note.name) - 1));
	written = write(notes, &note, sizeof(note));
	(void)written; /* nobody is left to be told */
	return statuses[end];
}

/* An earlier init of the same instance may have left one too. */
enum instance_end end_read_note(int notes, const char *name, uint64_t start_time)
{
	enum instance_end end = INSTANCE_CRASHED;
	struct note some[64];
	off_t at = 0;
	ssize_t size;

	while ((size = pread(notes, some, sizeof(some), at)) > 0) {
		at += size;
		for (size_t i = 0; i < (size_t)size / sizeof(*some); i++)
			if (strncmp(some[i].name, name, sizeof(some[i].name)) == 0 &&
			    some[i].time >= start_time &&
			    (some[i].end == INSTANCE_SHUT_DOWN || some[i].end == INSTANCE_REBOOTED))
				end = (enum instance_end)some[i].end;
	}
	return end;
}
