/* objects: emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/base/paths.o emulator/base/credentials.o emulator/base/loop.o */
/* The floor: addresses, ids, maps, arrays, errors, the loop. */
#include "base/buffer.h"
#include "base/cidr.h"
#include "base/credentials.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr), 0);
	return cidr;
}

static void cidrs_are_read_strictly(void **state)
{
	static const char *const bad[] = { "",
					   "10.0.0.0",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0/16",
					   "10.0.0.0/+8",
					   "10.0.0.0/ 8",
					   "10.0.0.0/8x",
					   "::/129",
					   "/8",
					   "10.0.0.0/-1",
					   "1.2.3.4.5/8",
					   "10.0.0.256/8" };
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cidr_parse(bad[i], &cidr), -EINVAL);
	assert_string_equal(cidr_format(cidr_of("10.0.0.5/16")).text, "10.0.0.5/16");
	assert_string_equal(cidr_format(cidr_of("fd00::1/64")).text, "fd00::1/64");
}

static void cidrs_are_made_canonical(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "100.68.0.18/18", "100.68.0.0/18" }, { "10.255.255.255/8", "10.0.0.0/8" },
		{ "1.2.3.4/32", "1.2.3.4/32" },	       { "255.255.255.255/0", "0.0.0.0/0" },
		{ "10.0.3.255/22", "10.0.0.0/22" },    { "fd00:1::ff/9", "fd00::/9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(cidr_format(cidr_canonical(cidr_of(cases[i].from))).text,
				    cases[i].to);
}

static void cidrs_overlap_or_cover(void **state)
{
	(void)state;
	assert_true(cidr_overlaps(cidr_of("10.0.0.0/16"), cidr_of("10.0.255.0/24")));
	assert_true(cidr_overlaps(cidr_of("10.0.255.0/24"), cidr_of("10.0.0.0/16")));
	assert_false(cidr_overlaps(cidr_of("10.0.0.0/24"), cidr_of("10.0.1.0/24")));
	assert_true(cidr_covers(cidr_of("10.0.0.0/16"), cidr_of("10.0.0.0/16")));
	assert_false(cidr_covers(cidr_of("10.0.0.0/17"), cidr_of("10.0.0.0/16")));
	assert_false(cidr_overlaps(cidr_of("10.0.0.0/8"), cidr_of("::/0")));
	assert_int_equal(cidr_size(cidr_of("10.0.0.0/20")), 4096);
}

static void addresses_are_counted_on(void **state)
{
	struct address address;

	(void)state;
	assert_int_equal(address_parse("10.0.0.255", &address), 0);
	assert_string_equal(address_format(address_add(address, 1)).text, "10.0.1.0");
	assert_int_equal(address_to_v4(address_v4(0xc6120001u)), 0xc6120001u);
	assert_int_equal(address_parse("10.0.0", &address), -EINVAL);
}

static void ids_are_read_and_written(void **state)
{
	static const char *const bad[] = { "vpc",
					   "vpc-",
					   "vpc-123",
					   "vpc-0123456789ABCDEF0",
					   "subnet-0123456789abcdef0",
					   "vpc-0123456789abcdef01",
					   "xvpc-12345678" };
	struct rid id = rid_new(KIND_VPC), again;

	(void)state;
	assert_int_equal(rid_parse(rid_format(id).text, KIND_VPC, &again), 0);
	assert_true(rid_equal(id, again));
	assert_int_equal(strlen(rid_format(id).text), 4 + 17);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(rid_parse(bad[i], KIND_VPC, &again), -EINVAL);
	/* well-formed, but never ours */
	assert_int_equal(rid_parse("vpc-12345678", KIND_VPC, &again), 0);
	assert_int_equal(again.n, 0);
	assert_int_equal(rid_parse("vpc-f0000000000000001", KIND_VPC, &again), 0);
	assert_int_equal(again.n, 0);
	assert_string_equal(rid_format((struct rid){ KIND_NONE, 0 }).text, "");
}

static void ids_of_any_kind_are_told_apart(void **state)
{
	struct rid id;

	(void)state;
	for (enum kind kind = KIND_NONE + 1; kind < KIND_MAX; kind++) {
		struct rid made = rid_new(kind);

		assert_int_equal(rid_parse_any(rid_format(made).text, &id), 0);
		assert_true(rid_equal(made, id));
		assert_true(strlen(rid_device(made).text) < DEVICE_NAME_MAX);
	}
	assert_string_equal(
		rid_device((struct rid){ KIND_NETWORK_INTERFACE, 0x0123456789abcdef }).text,
		"eni00123456789a");
	assert_string_equal(rid_device((struct rid){ KIND_INTERNET_HOST, 0x0123456789abcdef }).text,
			    "host00123456789");
}

static void a_map_agrees_with_an_array(void **state)
{
	enum {
		ROOM = 512,
		ROUNDS = 40000
	};
	static char values[ROOM];
	void *expected[ROOM] = { NULL };
	struct map map = { 0 };
	size_t count = 0, walked = 0;
	unsigned int random = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		size_t i;
		struct map_key key;

		random = random * 1103515245 + 12345;
		i = (random >> 16) % ROOM;
		key = (struct map_key){ i % 7, i };
		if (random & 0x8000) {
			assert_ptr_equal(map_put(&map, key, &values[i]), expected[i]);
			count += expected[i] == NULL;
			expected[i] = &values[i];
		} else {
			assert_ptr_equal(map_take(&map, key), expected[i]);
			count -= expected[i] != NULL;
			expected[i] = NULL;
		}
		assert_int_equal(map.count, count);
	}
	for (size_t i = 0; i < ROOM; i++)
		assert_ptr_equal(map_get(&map, (struct map_key){ i % 7, i }), expected[i]);
	map_for_each (&map, slot)
		walked++;
	assert_int_equal(walked, count);
	map_clear(&map);
}

static void arrays_grow_and_shrink(void **state)
{
	int *items = NULL;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		*array_grow(&items, &count) = i;
	for (size_t i = 0; i < 50; i++)
		array_remove(items, &count, i); /* every second one */
	assert_int_equal(count, 50);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i], 2 * (int)i + 1);
	free(items);
}

static void errors_are_wrapped(void **state)
{
	struct error error = ERROR_INIT;
	char long_text[2048];

	(void)state;
	assert_int_equal(error_sys(&error, EEXIST, "port %s", "eth0"), -EEXIST);
	assert_string_equal(error.text, "port eth0: File exists");
	assert_int_equal(error_wrap(&error, -EEXIST, "subnet-%d", 1), -EEXIST);
	assert_string_equal(error.text, "subnet-1: port eth0: File exists");
	assert_int_equal(error.sys, EEXIST);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	error_set(&error, ERROR_VPC_RANGE, "%s", long_text);
	error_wrap(&error, -1, "%s", long_text);
	assert_true(strlen(error.text) < sizeof(error.text));
}

static void credentials_are_kept_private(void **state)
{
	char path[] = "/tmp/minivpc-test-XXXXXX";
	CLEANUP(freep) char *file = NULL;
	struct credentials_list list, made, none = { NULL, 0 };
	const struct credentials *added;
	struct credentials read;
	struct error error = ERROR_INIT;
	struct stat status;

	(void)state;
	assert_non_null(mkdtemp(path));
	file = xasprintf("%s/credentials", path);
	assert_int_equal(credentials_read(file, NULL, &read, &error), -ENOENT);
	assert_int_equal(credentials_create(file, &made, &error), 0);
	assert_int_equal(credentials_create(file, &none, &error), -EEXIST);
	assert_int_equal(credentials_read(file, NULL, &read, &error), 0);
	assert_string_equal(made.items[0].access_key, read.access_key);
	assert_string_equal(made.items[0].secret_key, read.secret_key);
	assert_string_equal(read.account, DEFAULT_ACCOUNT);
	assert_int_equal(credentials_read(file, "210987654321", &read, &error), -ESRCH);
	assert_int_equal(credentials_add(file, &made, "210987654321", &added, &error), 0);
	assert_string_equal(added->account, "210987654321");
	assert_int_equal(credentials_add(file, &made, "210987654321", &added, &error), -EINVAL);
	assert_int_equal(credentials_add(file, &made, DEFAULT_ACCOUNT, &added, &error), -EINVAL);
	assert_int_equal(credentials_add(file, &made, "21098765432", &added, &error), -EINVAL);
	assert_int_equal(credentials_add(file, &made, NULL, &added, &error), 0);
	assert_true(credentials_is_account(added->account));
	assert_int_equal(credentials_load(file, &list, &error), 0);
	assert_int_equal(list.count, 3);
	assert_memory_equal(list.items, made.items, 3 * sizeof(*list.items));
	assert_int_equal(credentials_read(file, "210987654321", &read, &error), 0);
	assert_string_equal(read.secret_key, made.items[1].secret_key);
	assert_string_not_equal(read.secret_key, made.items[0].secret_key);
	credentials_clear(&list);
	credentials_clear(&made);
	assert_int_equal(strlen(read.access_key), 20);
	assert_int_equal(strlen(read.secret_key), 40);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	unlink(file);
	rmdir(path);
}

static void paths_need_no_directory_yet(void **state)
{
	struct error error = ERROR_INIT;
	struct paths a, b;

	(void)state;
	assert_int_equal(paths_for("/tmp/minivpc-no-such", &a, &error), 0);
	assert_string_equal(a.database, "/tmp/minivpc-no-such/world.db");
	assert_int_equal(paths_for("/tmp/../tmp/minivpc-no-such", &b, &error), 0);
	assert_string_equal(a.run, b.run);
	assert_int_equal(paths_for("/tmp/minivpc-other", &b, &error), 0);
	assert_string_not_equal(a.run, b.run);
	assert_int_equal(paths_for("/tmp/minivpc-no/such", &b, &error), -ENOENT);
}

struct rounds {
	struct loop *loop;
	struct loop_source *pipe, *late;
	int read, write, bytes, timers;
};

static void on_pipe(void *context, uint32_t events)
{
	struct rounds *rounds = context;
	char byte;

	(void)events;
	assert_int_equal(read(rounds->read, &byte, 1), 1);
	if (++rounds->bytes == 3) {
		rounds->pipe = loop_remove(rounds->pipe); /* from its own callback */
		rounds->late = loop_remove(rounds->late); /* another's that never fires */
		loop_stop(rounds->loop);
	}
}

static void on_tick(void *context)
{
	struct rounds *rounds = context;
	struct error error = ERROR_INIT;

	rounds->timers++;
	assert_int_equal(write(rounds->write, "x", 1), 1);
	if (rounds->timers < 3)
		assert_int_equal(loop_add_timer(rounds->loop, 1, on_tick, rounds, NULL, &error), 0);
}

static void on_never(void *context)
{
	(void)context;
	fail();
}

static void the_loop_serves_pipes_and_timers(void **state)
{
	struct rounds rounds = { 0 };
	struct error error = ERROR_INIT;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	rounds.read = ends[0];
	rounds.write = ends[1];
	assert_int_equal(loop_new(&rounds.loop, &error), 0);
	assert_int_equal(
		loop_add_fd(rounds.loop, ends[0], EPOLLIN, on_pipe, &rounds, &rounds.pipe, &error),
		0);
	assert_int_equal(loop_add_timer(rounds.loop, 0, on_tick, &rounds, NULL, &error), 0);
	assert_int_equal(loop_add_timer(rounds.loop, 60000, on_never, NULL, &rounds.late, &error),
			 0);
	assert_int_equal(loop_run(rounds.loop, &error), 0);
	assert_int_equal(rounds.bytes, 3);
	assert_int_equal(rounds.timers, 3);
	rounds.loop = loop_free(rounds.loop);
	close(ends[0]);
	close(ends[1]);
}

/* ---- buffers ---- */

static void assert_written(struct buffer *buffer, const char *text)
{
	assert_string_equal(buffer->data, text);
	assert_int_equal(buffer->length, strlen(text));
	buffer->length = 0;
}

static void numbers_are_written(void **state)
{
	static const int64_t numbers[] = { 0, 7, 10, -1, -10, 4294967296, INT64_MAX, INT64_MIN };
	CLEANUP(buffer_clear) struct buffer buffer = BUFFER_INIT;
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(text, sizeof(text), "%" PRId64, numbers[i]);
		buffer_number(&buffer, numbers[i]);
		assert_written(&buffer, text);
	}
	buffer_hex(&buffer, "\x00\x0f\xf0\xa5", 4);
	assert_written(&buffer, "000ff0a5");
	buffer_hex(&buffer, "", 0);
	assert_written(&buffer, "");
}

/* Every day of four hundred years and more, by libc's own calendar. */
static void times_are_written(void **state)
{
	CLEANUP(buffer_clear) struct buffer buffer = BUFFER_INIT;

	(void)state;
	for (time_t when = 0; when < (time_t)500 * 366 * 86400; when += 86400 - 61) {
		struct tm broken;
		char text[64];

		gmtime_r(&when, &broken);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &broken);
		buffer_time(&buffer, when);
		assert_written(&buffer, text);
	}
	buffer_time(&buffer, INT64_MAX);
	assert_written(&buffer, "9999-12-31T23:59:59.000Z");
	buffer_time(&buffer, -1);
	assert_written(&buffer, "1970-01-01T00:00:00.000Z");
}

static void text_grows(void **state)
{
	CLEANUP(buffer_clear) struct buffer buffer = BUFFER_INIT;
	char whole[1001];

	(void)state;
	memset(whole, 'x', sizeof(whole) - 1);
	whole[sizeof(whole) - 1] = '\0';
	/* Printing where there is no room, just enough, and too little. */
	for (size_t cut = 0; cut < sizeof(whole); cut++) {
		buffer_printf(&buffer, "%.*s", (int)cut, whole);
		buffer_printf(&buffer, "%s", whole + cut);
		assert_written(&buffer, whole);
		if (cut % 3 == 0)
			buffer_clear(&buffer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(text_grows),
		cmocka_unit_test(cidrs_are_read_strictly),
		cmocka_unit_test(cidrs_are_made_canonical),
		cmocka_unit_test(cidrs_overlap_or_cover),
		cmocka_unit_test(addresses_are_counted_on),
		cmocka_unit_test(ids_are_read_and_written),
		cmocka_unit_test(ids_of_any_kind_are_told_apart),
		cmocka_unit_test(a_map_agrees_with_an_array),
		cmocka_unit_test(arrays_grow_and_shrink),
		cmocka_unit_test(errors_are_wrapped),
		cmocka_unit_test(credentials_are_kept_private),
		cmocka_unit_test(paths_need_no_directory_yet),
		cmocka_unit_test(the_loop_serves_pipes_and_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
