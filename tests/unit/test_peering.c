/* objects: tests/unit/world.o emulator/model/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o */
/* VPC peering connections: what time does to them, and their numbers on the fabrics. */
#include "model/internet.h"
#include "model/peering.h"
#include "model/route.h"

#include "world.h"

#define HOUR 3600
#define DAY  (24 * HOUR)

static int set_up(void **state)
{
	static const char *const raised[] = { "vpcs-per-region=400",
					      "active-peerings-per-vpc=125" };

	(void)state;
	assert_int_equal(quotas_parse(raised, ARRAY_SIZE(raised), &model.quotas, &error), 0);
	begin_world();
	internet_create(&transaction);
	return 0;
}

/* 10.n.m.0/24 */
static struct vpc *make_nth_vpc(int n)
{
	CLEANUP(freep) char *text = xasprintf("10.%d.%d.0/24", n / 256, n % 256);

	return make_vpc(text);
}

static struct peering *ask(struct vpc *vpc, const struct vpc *peer)
{
	struct peering_request request = { vpc, peer->resource.id, scope->account, scope->region };
	struct peering *peering = NULL;

	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(peering->state, PEERING_PENDING);
	return peering;
}

static struct peering *join(struct vpc *vpc, const struct vpc *peer)
{
	struct peering *peering = ask(vpc, peer);

	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(peering->state, PEERING_ACTIVE);
	return peering;
}

/* At this time after NOW. */
static void pass(int64_t seconds)
{
	transaction.now = NOW + seconds;
	peerings_age(&transaction);
}

static void a_request_expires_after_seven_days(void **state)
{
	struct peering *peering = ask(make_nth_vpc(1), make_nth_vpc(2));
	struct rid id = peering->resource.id;

	(void)state;
	pass(7 * DAY - 1);
	assert_int_equal(peering->state, PEERING_PENDING);
	/* Nobody needs to look for it to be over. */
	transaction.now = NOW + 7 * DAY;
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), -EINVAL);
	assert_int_equal(error.code, ERROR_PEERING_STATE);
	assert_non_null(strstr(error.text, "from expired to active"));
	assert_int_equal(peering_delete(&transaction, peering, scope, &error), -EINVAL);
	pass(7 * DAY);
	assert_int_equal(peering->state, PEERING_EXPIRED);
	assert_int_equal(peering->expiration, NOW + 7 * DAY);
	pass(9 * DAY - 1);
	assert_non_null(peering_get(&model, id));
	pass(9 * DAY);
	assert_null(peering_get(&model, id));
}

static void what_has_ended_is_shown_for_a_while(void **state)
{
	struct vpc *one = make_nth_vpc(1), *other = make_nth_vpc(2);
	struct rid rejected, deleted;
	struct peering *peering;

	(void)state;
	peering = ask(one, other);
	rejected = peering->resource.id;
	assert_int_equal(peering_reject(&transaction, peering, scope, &error), 0);
	peering = join(one, other);
	deleted = peering->resource.id;
	assert_int_equal(peering_delete(&transaction, peering, scope, &error), 0);
	pass(2 * HOUR - 1);
	assert_non_null(peering_get(&model, deleted));
	pass(2 * HOUR);
	assert_null(peering_get(&model, deleted));
	assert_non_null(peering_get(&model, rejected));
	pass(2 * DAY);
	assert_null(peering_get(&model, rejected));
}

static void an_active_one_does_not_age(void **state)
{
	struct peering *peering = join(make_nth_vpc(1), make_nth_vpc(2));

	(void)state;
	pass(1000 * DAY);
	assert_int_equal(peering->state, PEERING_ACTIVE);
}

/* Two VPCs with as many as there can be: no number is given twice on either fabric. */
static void numbers_are_distinct_on_each_fabric(void **state)
{
	struct vpc *hubs[] = { make_nth_vpc(0), make_nth_vpc(1) };
	bool seen[2][256] = { { false } };
	struct peering *first;

	(void)state;
	first = join(hubs[0], hubs[1]);
	assert_in_range(first->number, 1, 254);
	seen[0][first->number] = seen[1][first->number] = true;
	for (int i = 0; i < 248; i++) {
		struct peering *peering = join(hubs[i % 2], make_nth_vpc(i + 2));

		assert_in_range(peering->number, 1, 254);
		assert_false(seen[i % 2][peering->number]);
		seen[i % 2][peering->number] = true;
	}
	first = ask(make_nth_vpc(300), hubs[0]);
	assert_int_equal(peering_accept(&transaction, first, scope, &error), -EINVAL);
	assert_int_equal(error.code, ERROR_QUOTA);
}

/* A block that came after the request: the acceptance fails, and that is kept. */
static void an_overlap_that_came_since_fails_the_acceptance(void **state)
{
	struct vpc *one = make_nth_vpc(1), *other = make_nth_vpc(2);
	struct peering *peering = ask(one, other);

	(void)state;
	transaction_edit(&transaction, other);
	array_grow(&other->cidrs, &other->cidr_count)->cidr = one->cidrs[0].cidr;
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(peering->state, PEERING_FAILED);
	assert_int_equal(peering->number, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, end_world)
		CASE(a_request_expires_after_seven_days),
		CASE(what_has_ended_is_shown_for_a_while),
		CASE(an_active_one_does_not_age),
		CASE(numbers_are_distinct_on_each_fabric),
		CASE(an_overlap_that_came_since_fails_the_acceptance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
