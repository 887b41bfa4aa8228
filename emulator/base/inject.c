/* Faults on demand: see inject.h. Not in the plain build. */
#define INJECT_NO_CALLS
#include "base/inject.h"

#ifdef INJECT

#include <string.h>

extern const struct inject_point __start_inject_points[], __stop_inject_points[];

struct inject_control *inject_control;
static pid_t owner; /* whom INJECT_KILL kills; children inherit it */

static void name(const struct inject_point *point, struct inject_record *record)
{
	snprintf(record->name, sizeof(record->name), "%.48s %s %s:%d", point->call, point->function,
		 strncmp(point->file, "emulator/", 9) == 0 ? point->file + 9 : point->file,
		 point->line);
	record->changes = point->changes;
}

/* Once, in the daemon (or `down`): before it forks anything it has passed a point. */
static struct inject_control *attach(void)
{
	static bool attached;
	const char *path;
	int fd;

	if (attached)
		return inject_control;
	attached = true;
	path = getenv("MINIVPC_INJECT");
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return NULL;
	inject_control =
		mmap(NULL, sizeof(*inject_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (inject_control == MAP_FAILED)
		abort();
	owner = getpid();
	inject_control->count = (uint32_t)(__stop_inject_points - __start_inject_points);
	if (inject_control->count > INJECT_POINTS_MAX)
		abort();
	for (uint32_t i = 0; i < inject_control->count; i++)
		name(&__start_inject_points[i], &inject_control->records[i]);
	return inject_control;
}

/* Is it this one's turn? */
static bool fires(const struct inject_point *point, enum inject_when when)
{
	struct inject_control *control = inject_control;
	uint32_t number = (uint32_t)(point - __start_inject_points);

	if (control->records[number].skipped || (control->only && control->only != number + 1))
		return false;
	__atomic_add_fetch(&control->passed, 1, __ATOMIC_SEQ_CST);
	if (__atomic_sub_fetch(&control->countdown, 1, __ATOMIC_SEQ_CST) != 0)
		return false;
	control->mode = INJECT_OFF;
	control->when = when;
	control->records[number].fired[when]++;
	control->fired = number + 1;
	return true;
}

/* An init has its own numbers of processes, so a child can't do it itself. */
static void end_daemon(void)
{
	if (getpid() == owner)
		kill(owner, SIGKILL);
	inject_control->wanted = 1;
	while (!__atomic_load_n(&inject_control->released, __ATOMIC_SEQ_CST))
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
}

static void pass(const struct inject_point *point, enum inject_when when)
{
	if (inject_control->mode == INJECT_KILL && point->changes && fires(point, when))
		end_daemon();
}

int inject_before(const struct inject_point *point)
{
	int sys = errno, fail = 0;

	if (!attach())
		return 0;
	inject_control->records[point - __start_inject_points].passed++;
	pass(point, INJECT_BEFORE);
	if (inject_control->mode == INJECT_FAIL && fires(point, INJECT_INSTEAD))
		fail = inject_control->sys;
	errno = sys;
	return fail;
}

void inject_after(const struct inject_point *point)
{
	int sys = errno;

	if (inject_control)
		pass(point, INJECT_AFTER);
	errno = sys;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

ssize_t inject_random(void *data, size_t size, unsigned int flags)
{
	unsigned char *bytes = data;

	if (!attach() || !inject_control->seed)
		return getrandom(data, size, flags);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)next_random(&inject_control->seed);
	return (ssize_t)size;
}

time_t inject_time(time_t *ret)
{
	time_t now = time(NULL);

	if (attach())
		now += (time_t)inject_control->clock;
	if (ret)
		*ret = now;
	return now;
}

#endif
