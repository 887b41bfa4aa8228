/* objects: tests/plan/world.o tests/unit/world.o emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/* Faults, from the model into the kernel: what is dark, what is slow, and that it heals. */
#include "world.h"

#include "model/fault.h"

#define DARK_ROUTER "element 00000000 of set dark"
#define DARK_WEB    "element 0401000a of set dark"
#define DARK_DATA   "element 0402000a of set dark"
#define FAULTS	    "subnet's faults skeleton"

static struct fault *fault;

/* The only one. */
static void heal(void)
{
	transaction_delete(&transaction, internet_scope(&model)->lists[KIND_FAULT].items[0]);
}

static void step_zone(void)
{
	assert_int_equal(fault_zone(&transaction, "us-east-1a", &fault, &error), 0);
}

static void step_subnet(void)
{
	assert_int_equal(fault_resource(&transaction, FAULT_SUBNET, &private_subnet->resource,
					&fault, &error),
			 0);
}

static void step_instance(void)
{
	assert_int_equal(
		fault_resource(&transaction, FAULT_INSTANCE, &web->resource, &fault, &error), 0);
}

static void step_link(void)
{
	const struct fault_link link = { .loss = 50000, .rate = 8000000 };

	assert_int_equal(fault_bad_link(&transaction, &web->resource, &link, &fault, &error), 0);
}

static void step_slower(void)
{
	const struct fault_link link = { .rate = 800000 };

	assert_int_equal(fault_bad_link(&transaction, &web->resource, &link, &fault, &error), 0);
}

static void step_card(void)
{
	const struct fault_link link = { .loss = FAULT_LOSS_ALL };

	assert_int_equal(fault_bad_link(&transaction, &interface_of(database)->resource, &link,
					&fault, &error),
			 0);
}

static void step_delay(void)
{
	const struct fault_link link = { .delay = 50000 };

	assert_int_equal(fault_bad_link(&transaction, &web->resource, &link, &fault, &error), 0);
}

static void step_longer(void)
{
	const struct fault_link link = { .delay = 80000, .loss = 1 };

	assert_int_equal(fault_bad_link(&transaction, &web->resource, &link, &fault, &error), 0);
}

static void a_zone_is_dark_by_its_ports(void **state)
{
	struct rid subnet;

	(void)state;
	seed();
	assert_int_equal(public_subnet->zone, private_subnet->zone);
	private_subnet->zone = 1;
	subnet = public_subnet->resource.id;
	assert_int_equal(commit(), 0);
	assert_lacks(subnet, FAULTS);
	step_zone();
	assert_int_equal(commit(), 0);
	assert_has(subnet, FAULTS);
	assert_has(subnet, DARK_ROUTER);
	assert_has(subnet, DARK_WEB);
	assert_lacks(subnet, "of set senders"); /* nobody is asked for by ARP */
	assert_lacks(private_subnet->resource.id, FAULTS);
	assert_whole();
	heal();
	assert_int_equal(commit(), 0);
	assert_lacks(subnet, FAULTS);
	assert_lacks(subnet, "of set dark");
	assert_has(subnet, "of set senders");
	assert_whole();
}

static void a_host_takes_its_own_ports_along(void **state)
{
	struct instance *neighbour;
	struct rid subnet;

	(void)state;
	seed();
	neighbour = launch(public_subnet, 1);
	subnet = public_subnet->resource.id;
	assert_int_equal(commit(), 0);
	step_instance();
	assert_int_equal(commit(), 0);
	assert_has(subnet, DARK_WEB);
	assert_int_equal(count_elements(subnet, ELEMENT_DARK), 1);
	assert_int_equal(count_elements(subnet, ELEMENT_SENDER), 1);
	/* what comes later into the subnet is well */
	launch(public_subnet, 3);
	assert_int_equal(commit(), 0);
	assert_int_equal(count_elements(subnet, ELEMENT_DARK), 1);
	assert_true(fault_darkens(&model, interface_of(web)));
	assert_false(fault_darkens(&model, interface_of(neighbour)));
	assert_whole();
}

static void what_comes_into_a_dark_subnet_is_dark(void **state)
{
	struct rid subnet;

	(void)state;
	seed();
	subnet = private_subnet->resource.id;
	step_subnet();
	assert_int_equal(commit(), 0);
	assert_int_equal(count_elements(subnet, ELEMENT_DARK), 2);
	launch(private_subnet, 3);
	assert_int_equal(commit(), 0);
	assert_int_equal(count_elements(subnet, ELEMENT_DARK), 5);
	assert_whole();
}

static void a_bad_link_has_its_numbers(void **state)
{
	struct rid subnet;

	(void)state;
	seed();
	subnet = public_subnet->resource.id;
	assert_int_equal(commit(), 0);
	step_link();
	assert_int_equal(commit(), 0);
	assert_has(subnet, "element 0401000a . 00000000 - 0401000a . 0000c350 of set lost");
	/* 1,000,000 bytes per second, in the host's order */
	assert_has(subnet, "element 0401000a : 40420f0000000000 . 00000100 of map too_fast_to");
	assert_has(subnet, "element 0401000a : 40420f0000000000 . 00000100 of map too_fast_from");
	step_slower();
	assert_int_equal(commit(), 0);
	assert_lacks(subnet, "of set lost");
	assert_has(subnet, "element 0401000a : a086010000000000 . 00000100 of map too_fast_to");
	assert_int_equal(count_elements(subnet, ELEMENT_DARK), 0);
	assert_whole();
}

static void what_comes_by_a_slow_link_waits(void **state)
{
	const struct fault_link link = { .delay = 50000 };
	struct interface *idle;
	struct rid subnet;

	(void)state;
	seed();
	idle = make_interface(private_subnet, 0);
	subnet = public_subnet->resource.id;
	assert_int_equal(commit(), 0);
	step_delay();
	assert_int_equal(commit(), 0);
	assert_has(subnet, "delay of 50000 us dev eni");
	assert_lacks(web->resource.id, "delay of"); /* its root could take that off */
	step_longer();
	assert_int_equal(commit(), 0);
	assert_has(subnet, "delay of 80000 us dev eni");
	assert_whole();
	/* whether the kernel can is known only by doing it */
	assert_int_not_equal(fault_bad_link(&transaction, &idle->resource, &link, &fault, &error),
			     0);
	assert_int_equal(error.code, ERROR_INSTANCE_STATE);
	heal();
	assert_int_equal(commit(), 0);
	assert_lacks(subnet, "delay of");
	assert_whole();
}

static void faults_go_with_what_they_are_about(void **state)
{
	struct fault *link;
	struct rid subnet;

	(void)state;
	seed();
	subnet = public_subnet->resource.id;
	step_link();
	link = fault;
	step_instance();
	assert_ptr_not_equal(link, fault);
	assert_int_equal(commit(), 0);
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(commit(), 0);
	for_each_fault(left, &model) fail_msg("left: %s", fault_type_names[left->type]);
	assert_lacks(subnet, FAULTS);
	sweep();
	assert_whole();
}

/* Another host is well; the link is as it was. */
static void a_start_finds_another_host(void **state)
{
	size_t left = 0;

	(void)state;
	seed();
	instance_settle(&transaction, web);
	step_link();
	step_instance();
	assert_int_equal(commit(), 0);
	assert_non_null(fault_of_host(&model, web));
	assert_int_equal(instance_stop(&transaction, web, &error), 0);
	instance_exited(&transaction, web, true);
	assert_int_equal(commit(), 0);
	assert_int_not_equal(
		fault_resource(&transaction, FAULT_INSTANCE, &web->resource, &fault, &error), 0);
	assert_int_equal(error.code, ERROR_INSTANCE_STATE);
	assert_int_equal(instance_start(&transaction, web, &error), 0);
	assert_int_equal(commit(), 0);
	assert_null(fault_of_host(&model, web));
	for_each_fault(other, &model) left++;
	assert_int_equal(left, 1);
	assert_int_equal(count_elements(public_subnet->resource.id, ELEMENT_DARK), 0);
	assert_whole();
}

static void each_fault_is_there_whole_or_not(void **state)
{
	static const struct step steps[] = {
		{ step_zone, 4, MANY },	 { heal, 4, MANY },	     { step_subnet, 2, MANY },
		{ heal, 2, MANY },	 { step_instance, 2, MANY }, { heal, 2, MANY },
		{ step_link, 4, MANY },	 { step_slower, 3, MANY },   { heal, 2, MANY },
		{ step_delay, 2, MANY }, { step_longer, 2, MANY },   { heal, 2, MANY },
		{ step_card, 2, MANY },	 { heal, 2, MANY },
	};

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed, STEPS(steps) });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(a_zone_is_dark_by_its_ports),
		CASE(a_host_takes_its_own_ports_along),
		CASE(what_comes_into_a_dark_subnet_is_dark),
		CASE(a_bad_link_has_its_numbers),
		CASE(what_comes_by_a_slow_link_waits),
		CASE(faults_go_with_what_they_are_about),
		CASE(a_start_finds_another_host),
		CASE(each_fault_is_there_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
