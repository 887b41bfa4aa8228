/* objects: tests/plan/world.o tests/unit/world.o emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/*
 * Model in, kernel objects out, on the in-memory kernel: what a scenario programs, what a change
 * touches, and that a failure at any point leaves the kernel as it was.
 */
#include "world.h"

static void the_default_vpc_is_not_in_the_kernel(void **state)
{
	CLEANUP(freep) struct rid *ids = NULL;
	size_t count;

	(void)state;
	assert_int_equal(kernel_list_netns(kernel, &ids, &count, &error), 0);
	assert_int_equal(count, 0);
	internet_realize(&transaction);
	internet_host_get(&model)->pid = 999;
	launch(subnet_default(scope, "us-east-1c"), 1);
	assert_int_equal(commit(), 0);
	freep(&ids);
	assert_int_equal(kernel_list_netns(kernel, &ids, &count, &error), 0);
	/* the Internet and its host, the VPC, its gateway, one subnet of six, one instance */
	assert_int_equal(count, 6);
}

static void the_seed_scenario_is_wired(void **state)
{
	struct rid subnet, other, machine;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	subnet = public_subnet->resource.id;
	other = private_subnet->resource.id;
	machine = web->resource.id;
	assert_has(vpc->resource.id, "bridge fabric");
	assert_has(subnet, "route 10.0.2.0/24 via 10.0.2.1 dev fabric");
	assert_has(subnet, "route 0.0.0.0/0 via 169.254.0.1 dev fabric");
	assert_has(subnet, "blackhole 10.0.1.0/24");
	assert_has(subnet, "route 10.0.1.4/32 dev eni");
	assert_has(other, "route 10.0.1.0/24 via 10.0.1.1 dev fabric");
	assert_has(other, "blackhole 0.0.0.0/0");
	assert_has(other, "blackhole 10.0.0.0/16");
	assert_has(machine, "address 10.0.1.4/24 dev eth0");
	assert_has(machine, "route 0.0.0.0/0 via 10.0.1.1 dev eth0");
	assert_has(gateway->resource.id, "198.18.1.0");
	assert_has(gateway->resource.id, "route 10.0.1.0/24 via 10.0.1.1 dev fabric mtu 1500");
	assert_has(internet_get(&model)->resource.id,
		   "route 198.18.1.0/32 via 169.254.0.2 dev igw");
}

static void what_is_wanted_is_what_was_made(void **state)
{
	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	assert_whole();
}

static void the_cost_of_a_launch_is_flat(void **state)
{
	struct subnet *subnet;
	size_t first, before;

	(void)state;
	seed();
	subnet = make_subnet(vpc, "10.0.16.0/20");
	launch(subnet, 1); /* brings its groups' rules into the subnet */
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	launch(subnet, 1);
	assert_int_equal(commit(), 0);
	first = fake_changes(kernel) - before;
	launch(subnet, 500);
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	launch(subnet, 1);
	assert_int_equal(commit(), 0);
	assert_int_equal(fake_changes(kernel) - before, first);
}

/* Changes of the kernel that one more subnet of the seed's VPC takes. */
static size_t cost_of_subnet(unsigned int n)
{
	const size_t before = fake_changes(kernel);
	char block[32];

	snprintf(block, sizeof(block), "10.0.%u.0/24", n);
	make_subnet(vpc, block);
	assert_int_equal(commit(), 0);
	return fake_changes(kernel) - before;
}

/* Of a sibling it has to know its place and the way there, and each sibling of it: no more. */
static void a_subnet_costs_the_ways_to_its_siblings(void **state)
{
	size_t first;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	first = cost_of_subnet(100);
	for (unsigned int n = 1; n < 50; n++)
		assert_int_equal(cost_of_subnet(100 + n), first + 4 * n);
	assert_whole();
}

static void terminated_instances_leave_nothing(void **state)
{
	struct rid machine, subnet;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	machine = web->resource.id;
	subnet = public_subnet->resource.id;
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(commit(), 0);
	assert_false(fake_has_netns(kernel, machine));
	sweep();
	assert_lacks(subnet, "10.0.1.4");
	assert_lacks(subnet, "veth eni");
	assert_lacks(gateway->resource.id, "198.18.1.0");
	assert_lacks(internet_get(&model)->resource.id, "198.18.1.0");
}

static void a_detached_gateway_makes_blackholes(void **state)
{
	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "blackhole 0.0.0.0/0");
	assert_lacks(vpc->resource.id, "veth igw");
	assert_true(fake_has_netns(kernel, gateway->resource.id)); /* it stands outside */
}

static void a_deleted_subnet_is_gone_from_its_siblings(void **state)
{
	struct rid gone;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	assert_int_equal(instance_terminate(&transaction, database, &error), 0);
	instance_settle(&transaction, database);
	assert_int_equal(commit(), 0);
	gone = private_subnet->resource.id;
	assert_int_equal(subnet_delete(&transaction, private_subnet, &error), 0);
	assert_int_equal(commit(), 0);
	assert_false(fake_has_netns(kernel, gone));
	assert_lacks(public_subnet->resource.id, "10.0.2.");
	assert_lacks(gateway->resource.id, "10.0.2.");
	assert_lacks(vpc->resource.id, rid_device(gone).text);
}

/* The whole scenario, from nothing. */
static void a_failure_at_any_point_undoes_all(void **state)
{
	static const struct step steps[] = { { seed, 61, MANY } };

	(void)state;
	assert_whole_or_undone(&(struct series){ STEPS(steps) });
}

static void a_subnet_as_large_as_its_vpc_works(void **state)
{
	struct vpc *small;
	struct subnet *subnet;

	(void)state;
	seed();
	assert_int_equal(
		vpc_create(&transaction, scope, cidr_of("10.9.0.0/24"), NULL, &small, &error), 0);
	subnet = make_subnet(small, "10.9.0.0/24");
	assert_int_equal(commit(), 0);
	launch(subnet, 2);
	assert_int_equal(commit(), 0);
	assert_has(subnet->resource.id, "route 10.9.0.4/32 dev eni");
}

/* ---- interfaces of their own ---- */

static void plug(struct instance *instance, struct interface *interface)
{
	/* the launches here leave it in "pending" */
	if (instance->state == INSTANCE_PENDING)
		instance_settle(&transaction, instance);
	assert_int_equal(attachment_check(&model, instance, interface, 1, &error), 0);
	attachment_make(&transaction, instance, interface, 1, false);
}

static void a_second_interface_is_a_second_device(void **state)
{
	struct interface *interface;
	struct rid machine;

	(void)state;
	seed();
	interface = make_interface(private_subnet, 1);
	assert_int_equal(commit(), 0);
	machine = web->resource.id;
	assert_lacks(private_subnet->resource.id, "route 10.0.2.5/32");
	plug(web, interface);
	assert_int_equal(commit(), 0);
	assert_has(machine, "address 10.0.2.5/24 dev eth1");
	assert_has(machine, "address 10.0.2.6/24 dev eth1");
	assert_has(machine, "route 0.0.0.0/0 via 10.0.1.1 dev eth0");
	assert_lacks(machine, "10.0.2.1 dev eth1 via");
	assert_has(private_subnet->resource.id, "route 10.0.2.5/32 dev eni");
	assert_has(private_subnet->resource.id, "route 10.0.2.6/32 dev eni");
	assert_whole();
	attachment_end(&transaction, interface);
	assert_int_equal(commit(), 0);
	assert_lacks(machine, "eth1");
	assert_lacks(private_subnet->resource.id, "route 10.0.2.5/32");
	assert_has(machine, "address 10.0.1.4/24 dev eth0");
	assert_whole();
}

static void the_cost_of_plugging_is_flat(void **state)
{
	struct interface *interface;
	size_t before, first = 0;

	(void)state;
	seed();
	for (int round = 0; round < 2; round++) {
		interface = make_interface(private_subnet, 0);
		assert_int_equal(commit(), 0);
		before = fake_changes(kernel);
		plug(web, interface);
		assert_int_equal(commit(), 0);
		attachment_end(&transaction, interface);
		assert_int_equal(commit(), 0);
		if (!first)
			first = fake_changes(kernel) - before;
		assert_int_equal(fake_changes(kernel) - before, first);
		launch(private_subnet, 100);
		assert_int_equal(commit(), 0);
	}
}

/* One to plug, and one that an instance has. */
static struct interface *cards[2];

static void prepare_cards(void)
{
	seed();
	cards[0] = make_interface(private_subnet, 1);
	cards[1] = interface_of(database);
}

/* What is done to a card, one step after the other. */
static void step_plug(void)
{
	plug(web, cards[0]);
}

static void step_assign(void)
{
	struct assignment assignment = { .more = 1, .limit = 9 };

	assert_int_equal(interface_assign(&transaction, cards[0], &assignment, &error), 0);
}

/* From one guest to the other. */
static void step_move(void)
{
	struct interface_address moved = { cards[0]->secondaries[0].address };
	struct assignment assignment = { &moved, 1, 0, 9, true };

	assert_int_equal(interface_assign(&transaction, cards[1], &assignment, &error), 0);
}

static void step_unplug(void)
{
	attachment_end(&transaction, cards[0]);
}

static const struct step card_steps[] = {
	{ step_plug, 4, MANY },
	{ step_assign, 4, MANY },
	{ step_move, 4, MANY },
	{ step_unplug, 4, MANY },
};

static const struct series card_series = { .prepare = prepare_cards, STEPS(card_steps) };

static void a_card_is_changed_whole_or_not(void **state)
{
	(void)state;
	assert_whole_or_undone(&card_series);
}

static void an_address_that_moves_is_at_one_place(void **state)
{
	(void)state;
	series_go_to(&card_series, 2);
	assert_has(web->resource.id, "address 10.0.2.6/24 dev eth1");
	step_move();
	assert_int_equal(commit(), 0);
	assert_lacks(web->resource.id, "10.0.2.6");
	assert_has(web->resource.id, "address 10.0.2.7/24 dev eth1");
	assert_has(database->resource.id, "address 10.0.2.6/24 dev eth0");
	assert_has(public_subnet->resource.id, "10.0.2.6 of set members");
	assert_whole();
}

/* ---- the Internet ---- */

static struct internet_host *add_host(const char *name, const char *address)
{
	struct internet_host *host = NULL;

	assert_int_equal(internet_host_create(&transaction, name, address, &host, &error), 0);
	host->pid = 998;
	return host;
}

static void hosts_have_ports_on_the_internet(void **state)
{
	const struct internet_host *host;
	struct rid router, id;
	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	host = add_host("dns", "8.8.8.8");
	id = host->resource.id;
	router = internet_get(&model)->resource.id;
	assert_int_equal(commit(), 0);
	assert_has(router, "route 8.8.8.8/32 dev host");
	assert_has(router, "route 198.18.0.10/32 dev host");
	assert_has(id, "address 8.8.8.8/32 dev eth0");
	assert_has(id, "route 0.0.0.0/0 via 198.18.0.1 dev eth0");
	assert_whole();
	assert_int_equal(internet_host_end(&transaction, internet_host_find(&model, "dns"), &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_false(fake_has_netns(kernel, id));
	assert_lacks(router, "8.8.8.8");
}

static struct internet_host *dns;

static void step_add_host(void)
{
	dns = add_host("dns", "8.8.8.8");
}

static void step_end_host(void)
{
	assert_int_equal(internet_host_end(&transaction, dns, &error), 0);
}

static void a_host_is_whole_or_not_at_all(void **state)
{
	static const struct step steps[] = { { step_add_host, 6, MANY },
					     { step_end_host, 1, MANY } };

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed, STEPS(steps) });
}

static void set_uplink(bool uplink)
{
	struct internet *internet = internet_get(&model);

	transaction_edit(&transaction, internet);
	internet->uplink = uplink;
}

static void step_uplink(void)
{
	set_uplink(true);
}

static void step_no_uplink(void)
{
	set_uplink(false);
}

/* The blackhole stands behind the default route that comes with the uplink's device. */
static void an_uplink_comes_and_goes_whole(void **state)
{
	static const struct step steps[] = { { step_uplink, 4, 4 }, { step_no_uplink, 4, 4 } };
	const struct series series = { .prepare = seed, STEPS(steps) };

	(void)state;
	assert_whole_or_undone(&series);
	for (size_t taken = 1; taken <= 2; taken++) {
		const bool uplink = taken == 1;
		struct rid id;

		series_go_to(&series, taken);
		id = internet_get(&model)->resource.id;
		assert_int_equal(has(id, "uplink skeleton"), uplink);
		assert_int_equal(has(id, "blackhole 198.18.0.0/15"), uplink);
		assert_int_equal(has(id, "blackhole 0.0.0.0/0 metric 1000"), uplink);
		assert_has(id, "blackhole 0.0.0.0/0");
	}
}

/* ---- services ---- */

static void set_dns_support(bool support)
{
	assert_int_equal(vpc_set_dns(&transaction, vpc, &support, NULL, &error), 0);
}

static void step_dns(void)
{
	set_dns_support(true);
}

static void step_no_dns(void)
{
	set_dns_support(false);
}

static size_t count_of(struct rid ns, const char *text)
{
	CLEANUP(object_list_clear) struct object_list list = { 0 };
	size_t count = 0;

	assert_int_equal(kernel_dump(kernel, ns, &list, &error), 0);
	for (size_t i = 0; i < list.count; i++)
		count += strstr(object_describe(&list.items[i]).text, text) != NULL;
	return count;
}

static void services_are_in_every_subnet(void **state)
{
	static const char *const addresses[] = { "169.254.169.123/32", "169.254.169.253/32",
						 "169.254.169.254/32", "10.0.0.2/32" };

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		CLEANUP(freep) char *text = xasprintf("address %s dev lo", addresses[i]);

		assert_has(public_subnet->resource.id, text);
		assert_has(private_subnet->resource.id, text);
	}
	/* each address, and what listens there: DNS twice at two of them */
	assert_int_equal(count_of(public_subnet->resource.id, "listeners"), 4 + 6);
	set_dns_support(false);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "address 10.0.0.2/32 dev lo");
	assert_int_equal(count_of(public_subnet->resource.id, "listeners"), 4 + 2);
}

static void dns_comes_and_goes_whole(void **state)
{
	/* two subnets, DNS in four places */
	static const struct step steps[] = { { step_no_dns, 8, 8 }, { step_dns, 8, 8 } };

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed, STEPS(steps) });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(the_default_vpc_is_not_in_the_kernel),
		CASE(the_seed_scenario_is_wired),
		CASE(what_is_wanted_is_what_was_made),
		CASE(the_cost_of_a_launch_is_flat),
		CASE(a_subnet_costs_the_ways_to_its_siblings),
		CASE(terminated_instances_leave_nothing),
		CASE(a_detached_gateway_makes_blackholes),
		CASE(a_deleted_subnet_is_gone_from_its_siblings),
		CASE(a_failure_at_any_point_undoes_all),
		CASE(a_subnet_as_large_as_its_vpc_works),
		CASE(a_second_interface_is_a_second_device),
		CASE(the_cost_of_plugging_is_flat),
		CASE(a_card_is_changed_whole_or_not),
		CASE(an_address_that_moves_is_at_one_place),
		CASE(hosts_have_ports_on_the_internet),
		CASE(a_host_is_whole_or_not_at_all),
		CASE(an_uplink_comes_and_goes_whole),
		CASE(services_are_in_every_subnet),
		CASE(dns_comes_and_goes_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
