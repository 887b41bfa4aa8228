/* objects: emulator/services/message.o emulator/services/ntp.o emulator/base/cidr.o emulator/base/util.o */
/* libs: -lresolv */
/*
 * DNS and NTP messages: what is read, what is written, and that nothing that comes does harm.
 */
#include "services/message.h"
#include "services/ntp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* "Ab.c", type A, with EDNS. */
static const uint8_t good[] = { 0x12, 0x34, 1, 0, 0, 1, 0, 0,  0, 0, 0, 1, 2, 'A', 'b', 1, 'c',
				0,    0,    1, 0, 1, 0, 0, 41, 4, 0, 0, 0, 0, 0,   0,	0 };

static void a_query_is_read(void **state)
{
	struct dns_query query;

	(void)state;
	assert_int_equal(dns_parse(good, sizeof(good), &query), 0);
	assert_int_equal(query.rcode, 0);
	assert_int_equal(query.id, 0x1234);
	assert_true(query.recursion_desired && query.has_question && query.has_edns);
	assert_string_equal(query.name, "Ab.c");
	assert_int_equal(query.type, ns_t_a);
}

static void what_is_wrong_has_a_code(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int rcode;
	} changes[] = {
		{ 2, 0x11, ns_r_notimpl }, /* an opcode */
		{ 5, 0, ns_r_formerr },	   /* questions */
		{ 5, 2, ns_r_formerr },
		{ 11, 2, ns_r_formerr },    /* records */
		{ 12, 0xc0, ns_r_formerr }, /* a pointer to nowhere */
		{ 12, 0x40, ns_r_formerr }, /* no label */
		{ 19, 252, ns_r_refused },  /* a zone transfer */
		{ 21, 3, ns_r_refused },    /* CHAOS */
		{ 28, 1, 16 },		    /* EDNS version 1: BADVERS */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		uint8_t data[sizeof(good)];
		struct dns_query query;

		memcpy(data, good, sizeof(good));
		data[changes[i].at] = changes[i].value;
		assert_int_equal(dns_parse(data, sizeof(data), &query), 0);
		assert_int_equal(query.rcode, changes[i].rcode);
	}
}

static void what_is_no_query_is_passed_over(void **state)
{
	uint8_t data[sizeof(good)];
	struct dns_query query;

	(void)state;
	memcpy(data, good, sizeof(good));
	data[2] |= 0x80; /* a reply: else two servers could go on for ever */
	assert_int_equal(dns_parse(data, sizeof(data), &query), -EBADMSG);
	for (size_t size = 0; size < 12; size++)
		assert_int_equal(dns_parse(good, size, &query), -EBADMSG);
	assert_int_equal(dns_parse(good, 13, &query), 0);
	assert_int_equal(query.rcode, ns_r_formerr);
}

static void the_longest_answer_fits(void **state)
{
	struct dns_query query = { .has_question = true, .has_edns = true, .type = ns_t_a };
	struct dns_answer answer = { .rcode = ns_r_nxdomain };
	uint8_t data[DNS_ANSWER_MAX];
	ns_msg message;
	size_t length;

	(void)state;
	for (size_t i = 0; i < 253; i++) {
		query.name[i] = i % 64 == 63 ? '.' : 'q';
		answer.zone[i] = i % 64 == 63 ? '.' : 'z';
	}
	length = dns_write(&query, &answer, data);
	assert_int_equal(ns_initparse(data, (int)length, &message), 0);
	/* With two such names it doesn't, and this is said. */
	assert_int_equal(ns_msg_getflag(message, ns_f_rcode), ns_r_servfail);
	snprintf(answer.zone, sizeof(answer.zone), "us-gov-west-1.compute.internal");
	length = dns_write(&query, &answer, data);
	assert_int_equal(ns_initparse(data, (int)length, &message), 0);
	assert_int_equal(ns_msg_getflag(message, ns_f_rcode), ns_r_nxdomain);
	assert_int_equal(ns_msg_count(message, ns_s_ns), 1);
}

static void a_name_that_is_none_fails(void **state)
{
	struct dns_query query = { .has_question = true, .type = ns_t_ptr, .name = "a" };
	struct dns_answer answer = { .type = ns_t_ptr };
	uint8_t data[DNS_ANSWER_MAX];

	(void)state;
	memset(answer.target, 'x', 100); /* one label */
	assert_int_equal(dns_write(&query, &answer, data), NS_HFIXEDSZ);
	assert_int_equal(data[3] & 15, ns_r_servfail);
}

static void a_reply_is_to_one_question(void **state)
{
	uint8_t reply[sizeof(good)];
	static const struct {
		size_t at;
		uint8_t value;
		bool good;
	} changes[] = { { 0, 0x12, true },  { 13, 'a', true }, { 1, 0x35, false },
			{ 13, 'x', false }, { 19, 2, false },  { 21, 3, false },
			{ 2, 0, false },    { 5, 0, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		memcpy(reply, good, sizeof(good));
		reply[2] |= 0x80;
		reply[changes[i].at] = changes[i].value;
		assert_int_equal(dns_is_reply_to(reply, sizeof(reply), good, sizeof(good)),
				 changes[i].good);
	}
}

/* Under ASan this is where a mistake shows. */
static void whatever_comes_is_answered_well(void **state)
{
	static const uint8_t tempting[] = { 0, 1, 0x3f, 0x40, 0xc0, 0xff };
	unsigned int seed = 7;

	(void)state;
	for (int n = 0; n < 200000; n++) {
		size_t size = (unsigned int)rand_r(&seed) % (sizeof(good) + 1);
		struct dns_answer answer = { .rcode = ns_r_nxdomain, .zone = "ec2.internal" };
		CLEANUP(freep) uint8_t *data = xmemdup(good, sizeof(good));
		CLEANUP(freep) uint8_t *exact = NULL;
		uint8_t written[DNS_ANSWER_MAX];
		struct dns_query query;
		ns_msg message;
		size_t length;

		if (n % 2)
			size = sizeof(good);
		for (int i = rand_r(&seed) % 6; i > 0; i--)
			data[(unsigned int)rand_r(&seed) % sizeof(good)] =
				n % 3 ? tempting[(unsigned int)rand_r(&seed) % sizeof(tempting)]
				      : (uint8_t)rand_r(&seed);
		exact = xmemdup(data, size ? size : 1);
		dns_is_reply_to(exact, size, good, sizeof(good));
		if (dns_parse(exact, size, &query) < 0)
			continue;
		answer.rcode = query.rcode ? query.rcode : answer.rcode;
		length = dns_write(&query, &answer, written);
		assert_true(length >= NS_HFIXEDSZ && length <= sizeof(written));
		assert_int_equal(ns_initparse(written, (int)length, &message), 0);
		assert_int_equal(ns_msg_id(message), exact[0] << 8 | exact[1]);
	}
}

static void the_time_is_told(void **state)
{
	const struct timespec now = { 1, 500000000 };
	uint8_t request[NTP_SIZE] = { 4 << 3 | 3 }, answer[NTP_SIZE];

	(void)state;
	request[40] = 0xab;
	assert_true(ntp_answer(request, sizeof(request), now, answer));
	assert_int_equal(answer[0], 4 << 3 | 4);
	assert_int_equal(answer[24], 0xab);
	assert_int_equal(ns_get32(answer + 32), 2208988801u);
	assert_int_equal(ns_get32(answer + 36), 0x80000000u);
	assert_memory_equal(answer + 32, answer + 40, 8);
	assert_false(ntp_answer(request, sizeof(request) - 1, now, answer));
	assert_false(ntp_answer(answer, sizeof(answer), now, request));
	assert_false(ntp_answer(NULL, 0, now, answer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_read),
		cmocka_unit_test(what_is_wrong_has_a_code),
		cmocka_unit_test(what_is_no_query_is_passed_over),
		cmocka_unit_test(the_longest_answer_fits),
		cmocka_unit_test(a_name_that_is_none_fails),
		cmocka_unit_test(a_reply_is_to_one_question),
		cmocka_unit_test(whatever_comes_is_answered_well),
		cmocka_unit_test(the_time_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
