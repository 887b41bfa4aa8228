/* objects: emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o emulator/base/error.o emulator/base/util.o emulator/base/cidr.o emulator/base/id.o emulator/base/map.o */
/* The fake kernel: the contract of the real one, and what tests/plan needs besides. */
#include "netlink/fake.h"

#include "kernel_contract.h"

static void a_chosen_change_fails(void **state)
{
	struct lab *lab = *state;
	size_t count = lab->wanted.count;

	for (size_t k = 0; k < count; k++) {
		struct plan plan = lab_plan(lab);

		fake_fail_at(lab->kernel, k, ENOSPC);
		plan_fail(&plan, lab->kernel, ENOSPC, object_describe(&lab->wanted.items[k]).text);
		assert_false(fake_has_netns(lab->kernel, lab->vpc));
	}
	assert_int_equal(fake_transactions(lab->kernel), count);
	lab_up(lab); /* it fails once only */
	assert_int_equal(fake_transactions(lab->kernel), count + 1);
	assert_int_equal(fake_changes(lab->kernel), count * (count + 1) / 2 + count);
	assert_true(fake_has_netns(lab->kernel, lab->vpc));
}

/* Later transactions count too. */
static void a_later_change_fails(void **state)
{
	struct lab *lab = *state;
	struct plan plan = { 0 };

	fake_fail_at(lab->kernel, lab->wanted.count + 1, EIO);
	lab_up(lab);
	plan_put(&plan, make_route(lab->subnet, "10.0.7.0/24", NULL, NULL));
	plan_put(&plan, make_route(lab->subnet, "10.0.8.0/24", NULL, NULL));
	plan_fail(&plan, lab->kernel, EIO, "10.0.8.0/24");
	lab_assert(lab);
}

static void the_list_has_what_dumps_lack(void **state)
{
	CLEANUP(object_list_clear) struct object_list list = { 0 };
	struct lab *lab = *state;
	size_t loopbacks = 0, sysctls = 0, peers = 0;

	lab_up(lab);
	fake_list(lab->kernel, lab->subnet, &list);
	for (size_t i = 0; i < list.count; i++) {
		const struct object *object = &list.items[i];

		sysctls += object->kind == OBJECT_SYSCTL;
		if (object->kind != OBJECT_LINK)
			continue;
		loopbacks += object->link.type == LINK_LOOPBACK;
		peers += rid_equal(object->link.peer_ns, lab->instance) ||
			 rid_equal(object->link.peer_ns, lab->vpc);
	}
	assert_int_equal(loopbacks, 1);
	assert_int_equal(sysctls, 1);
	assert_int_equal(peers, 2);
}

static void a_namespace_takes_pairs_along(void **state)
{
	CLEANUP(object_list_clear) struct object_list found = { 0 };
	struct lab *lab = *state;
	struct plan plan = { 0 };

	lab_up(lab);
	plan_delete(&plan, make_namespace(lab->instance));
	plan_delete(&plan, make_namespace(lab->gateway));
	plan_succeed(&plan, lab->kernel);
	found = dump(lab->kernel, lab->subnet);
	for (size_t i = 0; i < found.count; i++)
		assert_null(strstr(object_describe(&found.items[i]).text, "eni1"));
	object_list_clear(&found);
	found = dump(lab->kernel, lab->vpc);
	assert_int_equal(found.count,
			 4); /* "lo", the bridge, the subnet's port and its fdb entry */
}

static void the_last_address_takes_routes_along(void **state)
{
	struct lab *lab = *state;
	struct object_list found;
	struct plan plan = { 0 };

	lab_up(lab);
	plan_put(&plan, make_address(lab->instance, "eth0", "10.0.1.6/24"));
	plan_delete(&plan, make_address(lab->instance, "eth0", "10.0.1.5/24"));
	plan_succeed(&plan, lab->kernel);
	found = dump(lab->kernel, lab->instance);
	assert_int_equal(found.count, 6); /* "lo", eth0, two addresses, both default routes */
	object_list_clear(&found);
	plan_delete(&plan, make_address(lab->instance, "eth0", "10.0.1.6/24"));
	plan_succeed(&plan, lab->kernel);
	found = dump(lab->kernel, lab->instance);
	assert_int_equal(found.count, 4); /* IPv4's is gone */
	object_list_clear(&found);
}

static void a_bridge_is_full(void **state)
{
	struct lab *lab = *state;
	struct plan plan = { 0 };
	char name[DEVICE_NAME_MAX];

	lab_up(lab);
	for (uint32_t i = 2; i <= 1023; i++) { /* 0 and 1 are there */
		snprintf(name, sizeof(name), "port%u", i);
		struct object port = make_veth(lab->vpc, name, lab->instance, name, 0);

		memcpy(port.link.master, "fabric", sizeof("fabric"));
		plan_put(&plan, port);
	}
	plan_fail(&plan, lab->kernel, EXFULL, "port1023");
	lab_assert(lab);
}

static int run_fake(void)
{
	const struct CMUnitTest tests[] = {
		CONTRACT_TEST(a_chosen_change_fails),
		CONTRACT_TEST(a_later_change_fails),
		CONTRACT_TEST(the_list_has_what_dumps_lack),
		CONTRACT_TEST(a_namespace_takes_pairs_along),
		CONTRACT_TEST(the_last_address_takes_routes_along),
		CONTRACT_TEST(a_bridge_is_full),
	};

	return cmocka_run_group_tests_name("fake", tests, NULL, NULL);
}

int main(void)
{
	int failed = cmocka_run_group_tests_name("contract", contract_tests, NULL, NULL);

	return failed + run_fake();
}
