/* objects: tests/unit/world.o emulator/model/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o */
/* The CIDR blocks of VPCs: what may stand beside what, and the local routes. */
#include "model/acl.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/internet.h"
#include "model/peering.h"
#include "model/route.h"

#include "world.h"

static int set_up(void **state)
{
	(void)state;
	begin_world();
	internet_create(&transaction);
	return 0;
}

/* 0 or the code of the refusal. */
static enum error_code associate(struct vpc *vpc, const char *cidr)
{
	const struct block *block;

	if (vpc_associate(&transaction, vpc, cidr_of(cidr), &block, &error) == 0)
		return 0;
	assert_true(error.code > 0);
	return error.code;
}

static enum error_code disassociate(struct vpc *vpc, size_t index)
{
	return vpc_disassociate(&transaction, vpc, &vpc->cidrs[index], &error) == 0 ? 0
										    : error.code;
}

/* One pair per line: is the second one allowed beside the first? */
static void what_may_stand_beside_what(void **state)
{
	static const struct {
		const char *primary, *added;
		bool allowed;
	} table[] = {
		{ "10.5.0.0/16", "10.6.0.0/16", true },
		{ "10.5.0.0/16", "172.16.0.0/16", false },
		{ "10.5.0.0/16", "192.168.0.0/24", false },
		{ "10.5.0.0/16", "198.19.0.0/24", false },
		{ "10.5.0.0/16", "198.18.0.0/16", true },
		{ "10.5.0.0/16", "100.64.0.0/16", true },
		{ "10.5.0.0/16", "203.0.113.0/24", true },
		{ "10.5.0.0/16", "10.0.0.0/24", true },
		{ "10.1.0.0/16", "10.0.0.0/24", false },
		{ "10.0.0.0/24", "10.0.1.0/24", false },
		{ "10.0.0.0/24", "10.1.0.0/16", true },
		{ "10.0.0.0/24", "10.2.0.0/16", true },
		{ "172.16.0.0/16", "172.17.0.0/16", true },
		{ "172.16.0.0/16", "172.31.0.0/24", false },
		{ "172.31.0.0/24", "172.31.1.0/24", false },
		{ "172.16.0.0/16", "172.32.0.0/16", true }, /* public */
		{ "172.16.0.0/16", "10.0.0.0/16", false },
		{ "172.16.0.0/16", "192.168.0.0/16", false },
		{ "172.16.0.0/16", "198.19.1.0/24", false },
		{ "192.168.0.0/24", "192.168.1.0/24", true },
		{ "192.168.0.0/24", "10.0.0.0/16", false },
		{ "192.168.0.0/24", "172.16.0.0/16", false },
		{ "192.168.0.0/24", "198.19.1.0/24", false },
		{ "192.168.0.0/24", "192.169.0.0/16", true },
		{ "198.19.0.0/24", "198.19.1.0/24", true },
		{ "198.19.0.0/24", "10.0.0.0/16", false },
		{ "198.19.0.0/24", "100.64.0.0/16", true },
		{ "100.64.0.0/16", "100.65.0.0/16", true },
		{ "100.64.0.0/16", "10.0.0.0/16", false },
		{ "100.64.0.0/16", "198.19.0.0/24", false },
		{ "203.0.113.0/24", "192.168.0.0/24", false },
		{ "203.0.113.0/24", "198.51.100.0/24", true },
		{ "10.5.0.0/16", "169.254.0.0/24", false },
		{ "10.5.0.0/16", "127.1.0.0/16", false },
		{ "10.5.0.0/16", "224.0.0.0/24", false },
		{ "10.5.0.0/16", "10.6.0.0/15", false },
		{ "10.5.0.0/16", "10.6.0.0/29", false },
		{ "10.5.0.0/16", "10.5.0.0/16", false },
		{ "10.5.0.0/24", "10.5.0.0/16", false },
		{ "10.5.0.0/16", "10.5.7.0/24", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct vpc *vpc = make_vpc(table[i].primary);
		enum error_code code = associate(vpc, table[i].added);

		if (code != (table[i].allowed ? 0 : ERROR_VPC_RANGE))
			fail_msg("%s beside %s: %d", table[i].added, table[i].primary, code);
		transaction_rollback(&transaction);
	}
}

/* A public block between does not shut out the primary one's range. */
static void the_primary_block_decides(void **state)
{
	struct vpc *vpc = make_vpc("10.5.0.0/16");

	(void)state;
	assert_int_equal(associate(vpc, "100.64.0.0/16"), 0);
	assert_int_equal(associate(vpc, "10.6.0.0/16"), 0);
	assert_int_equal(associate(vpc, "192.168.0.0/16"), ERROR_VPC_RANGE);
	/* but the low ones count wherever they come */
	assert_int_equal(associate(vpc, "10.1.0.0/16"), 0);
	assert_int_equal(associate(vpc, "10.0.0.0/24"), ERROR_VPC_RANGE);
}

static void no_more_than_the_quota(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16");

	(void)state;
	for (int i = 2; i <= 5; i++) {
		CLEANUP(freep) char *text = xasprintf("10.%d.0.0/16", i);

		assert_int_equal(associate(vpc, text), 0);
	}
	assert_int_equal(associate(vpc, "10.6.0.0/16"), ERROR_CIDR_LIMIT);
	assert_non_null(strstr(error.text, "maximum number of allowed CIDRs: 5"));
	assert_int_equal(vpc->cidr_count, 5);
	assert_int_equal(disassociate(vpc, 2), 0);
	assert_int_equal(associate(vpc, "10.6.0.0/16"), 0);
	assert_int_equal(disassociate(vpc, 0), ERROR_OPERATION_NOT_PERMITTED);
}

/* "destination target" of each route, in order. */
static char *routes_of(const struct route_table *table)
{
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; table && i < table->route_count; i++)
		buffer_printf(&text, "%s%s%s", i ? " " : "",
			      cidr_format(table->routes[i].destination).text,
			      rid_is_set(table->routes[i].target) ? "*" : "");
	return buffer_steal(&text);
}

static void assert_routes(const struct route_table *table, const char *wanted)
{
	CLEANUP(freep) char *text = routes_of(table);

	assert_string_equal(text, wanted);
}

static struct route_table *main_of(const struct vpc *vpc)
{
	struct route_table *found = NULL;

	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		if (rid_equal(table->vpc, vpc->resource.id) && route_table_is_main(table))
			found = table;
	assert_non_null(found);
	return found;
}

static void every_table_has_its_local_routes(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16"), *other = make_vpc("10.1.0.0/16");
	struct route_table *own;
	struct gateway *gateway;

	(void)state;
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(route_create(&transaction, main_of(vpc), to_cidr(cidr_of("0.0.0.0/0")),
				      &gateway->resource, &error),
			 0);
	assert_int_equal(associate(vpc, "10.2.3.4/16"), 0);
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &own, &error), 0);
	assert_routes(main_of(vpc), "10.1.0.0/16 10.2.0.0/16 0.0.0.0/0*");
	assert_routes(own, "10.1.0.0/16 10.2.0.0/16");
	assert_routes(main_of(other), "10.1.0.0/16");
	assert_int_equal(disassociate(vpc, 1), 0);
	assert_routes(main_of(vpc), "10.1.0.0/16 0.0.0.0/0*");
	assert_routes(own, "10.1.0.0/16");
}

/* As large as a route's destination, or larger: refused, in whichever table it is. */
static void a_block_may_not_swallow_a_route(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16");
	struct route_table *own;
	struct gateway *gateway;

	(void)state;
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &own, &error), 0);
	assert_int_equal(route_create(&transaction, own, to_cidr(cidr_of("10.2.0.0/24")),
				      &gateway->resource, &error),
			 0);
	assert_int_equal(associate(vpc, "10.2.0.0/24"), ERROR_VPC_RANGE);
	assert_int_equal(associate(vpc, "10.2.0.0/23"), ERROR_VPC_RANGE);
	assert_int_equal(associate(vpc, "10.2.0.0/25"), 0);
	assert_int_equal(associate(vpc, "10.2.1.0/24"), 0);
	/* another VPC's table is none of its business */
	assert_int_equal(associate(make_vpc("10.9.0.0/16"), "10.2.0.0/16"), 0);
}

static struct peering *ask(struct vpc *vpc, const struct vpc *peer)
{
	struct peering_request request = { vpc, peer->resource.id, scope->account, scope->region };
	struct peering *peering = NULL;

	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	return peering;
}

static void a_pending_request_binds_who_asks(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16"), *peer = make_vpc("10.2.0.0/16");
	struct peering *peering = ask(vpc, peer);

	(void)state;
	assert_int_equal(associate(vpc, "10.3.0.0/16"), ERROR_OPERATION_NOT_PERMITTED);
	assert_int_equal(associate(peer, "10.4.0.0/16"), 0);
	/* a request that has expired binds nobody, looked after or not */
	transaction.now = peering->expiration;
	assert_int_equal(associate(vpc, "10.3.0.0/16"), 0);
	assert_int_equal(associate(vpc, "10.4.0.0/16"), 0); /* the peer's: it is none yet */
}

static void what_overlaps_since_is_not_accepted(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16"), *peer = make_vpc("10.2.0.0/16");
	struct peering *peering = ask(vpc, peer);

	(void)state;
	assert_int_equal(disassociate(peer, 0), ERROR_OPERATION_NOT_PERMITTED);
	assert_int_equal(associate(peer, "10.1.7.0/24"), 0);
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	assert_int_equal(peering->state, PEERING_FAILED);
}

static void peers_keep_apart(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16"), *peer = make_vpc("10.2.0.0/16");
	struct peering *peering = ask(vpc, peer);

	(void)state;
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(associate(peer, "10.3.0.0/16"), 0);
	assert_int_equal(associate(vpc, "10.2.5.0/24"), ERROR_VPC_RANGE);
	assert_int_equal(associate(vpc, "10.3.5.0/24"), ERROR_VPC_RANGE);
	assert_int_equal(associate(peer, "10.1.0.0/24"), ERROR_VPC_RANGE);
	assert_int_equal(associate(vpc, "10.4.0.0/16"), 0);
	assert_int_equal(peering_delete(&transaction, peering, scope, &error), 0);
	assert_int_equal(associate(vpc, "10.3.5.0/24"), 0);
}

static void a_block_with_a_subnet_stays(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16");
	struct subnet_request request = { vpc, cidr_of("10.2.1.0/24"), "10.2.1.0/24", NULL };
	struct subnet *subnet;

	(void)state;
	assert_int_equal(subnet_create(&transaction, &request, &subnet, &error), -EINVAL);
	assert_int_equal(associate(vpc, "10.2.0.0/16"), 0);
	assert_int_equal(associate(vpc, "10.3.0.0/16"), 0);
	assert_int_equal(subnet_create(&transaction, &request, &subnet, &error), 0);
	assert_int_equal(disassociate(vpc, 1), ERROR_CIDR_IN_USE);
	assert_int_equal(disassociate(vpc, 2), 0);
	assert_int_equal(subnet_delete(&transaction, subnet, &error), 0);
	assert_int_equal(disassociate(vpc, 1), 0);
	assert_int_equal(vpc->cidr_count, 1);
	/* none across two blocks, although they are side by side */
	assert_int_equal(associate(vpc, "10.2.0.0/25"), 0);
	assert_int_equal(associate(vpc, "10.2.0.128/25"), 0);
	request.cidr = cidr_of("10.2.0.0/24");
	assert_int_equal(subnet_create(&transaction, &request, &subnet, &error), -EINVAL);
	assert_int_equal(error.code, ERROR_SUBNET_RANGE);
}

/* ---- IPv6 ---- */

static struct cidr associate_ipv6(struct vpc *vpc)
{
	const struct block *block = NULL;

	assert_int_equal(vpc_associate_ipv6(&transaction, vpc, &block, &error), 0);
	assert_non_null(block);
	return block->cidr;
}

static void no_two_vpcs_have_one_block(void **state)
{
	struct scope *elsewhere = model_scope(&model, "210987654321", "eu-west-1");
	struct vpc *vpc = make_vpc("10.1.0.0/16"), *far = NULL;
	const struct block *block = NULL;

	(void)state;
	assert_int_equal(
		vpc_create(&transaction, elsewhere, cidr_of("10.1.0.0/16"), NULL, &far, &error), 0);
	for (int i = 0; i < 5; i++) {
		const struct cidr mine = associate_ipv6(vpc), other = associate_ipv6(far);

		assert_int_equal(mine.length, 56);
		assert_true(cidr_covers(cidr_of("2001:db8::/32"), mine));
		assert_true(cidr_equal(cidr_canonical(mine), mine));
		assert_false(cidr_overlaps(mine, other));
	}
	assert_int_equal(vpc_associate_ipv6(&transaction, vpc, &block, &error), -EINVAL);
	assert_int_equal(error.code, ERROR_CIDR_LIMIT);
	assert_int_equal(associate(vpc, "10.2.0.0/16"), 0); /* counted apart */
}

static size_t count_rules(const struct group *group)
{
	return group_rules(&model, group->resource.id)->count;
}

/* Rolled back, nothing of what came with a block is left. */
static void what_comes_with_a_block_is_one_change(void **state)
{
	struct vpc *vpc = make_vpc("10.1.0.0/16");
	const struct group *group = group_named(scope, vpc->resource.id, "default");
	const struct acl *acl = (const struct acl *)scope->lists[KIND_NETWORK_ACL].items[0];
	const struct route_table *table =
		(const struct route_table *)scope->lists[KIND_ROUTE_TABLE].items[0];

	(void)state;
	transaction_commit(&transaction);
	transaction = transaction_begin(&model, NOW);
	associate_ipv6(vpc);
	assert_int_equal(count_rules(group), 3);
	assert_int_equal(acl->entry_count, 8);
	assert_int_equal(table->route_count, 2);
	transaction_rollback(&transaction);
	assert_int_equal(vpc->ipv6_cidr_count, 0);
	assert_int_equal(count_rules(group), 2);
	assert_int_equal(acl->entry_count, 4);
	assert_int_equal(table->route_count, 1);
}

static void local_routes_of_ipv6_are_no_part_of_the_quota(void **state)
{
	static const char *const low[] = { "routes-per-route-table=2" };
	struct vpc *vpc = make_vpc("10.1.0.0/16");
	struct gateway *gateway;

	(void)state;
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(quotas_parse(low, 1, &model.quotas, &error), 0);
	associate_ipv6(vpc);
	assert_int_equal(route_create(&transaction, main_of(vpc), to_cidr(cidr_of("0.0.0.0/0")),
				      &gateway->resource, &error),
			 0);
	assert_int_equal(route_create(&transaction, main_of(vpc), to_cidr(cidr_of("192.0.2.0/24")),
				      &gateway->resource, &error),
			 -EINVAL);
	assert_int_equal(error.code, ERROR_QUOTA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, end_world)
		CASE(what_may_stand_beside_what),
		CASE(the_primary_block_decides),
		CASE(no_more_than_the_quota),
		CASE(every_table_has_its_local_routes),
		CASE(a_block_may_not_swallow_a_route),
		CASE(a_pending_request_binds_who_asks),
		CASE(what_overlaps_since_is_not_accepted),
		CASE(peers_keep_apart),
		CASE(a_block_with_a_subnet_stays),
		CASE(no_two_vpcs_have_one_block),
		CASE(what_comes_with_a_block_is_one_change),
		CASE(local_routes_of_ipv6_are_no_part_of_the_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
