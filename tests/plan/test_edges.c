/* objects: tests/plan/world.o tests/unit/world.o emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/* What leads out of a VPC, from the model into the kernel: Elastic IPs, NAT gateways, peerings. */
#include "world.h"

/* ---- Elastic IPs ---- */

static void associate(struct elastic_ip *elastic_ip, struct interface *interface, size_t index)
{
	assert_int_equal(elastic_ip_associate(&transaction, elastic_ip, interface,
					      interface_address_at(interface, index), true, &error),
			 0);
}

/* Running: `web` with a public address of its own, `database` with a second private address, and
 * `neighbour` in the subnet of that. */
static struct instance *neighbour;

static void seed_running(void)
{
	struct assignment assignment = { .more = 1, .limit = 9 };

	seed();
	neighbour = launch(private_subnet, 1);
	instance_settle(&transaction, web);
	instance_settle(&transaction, database);
	instance_settle(&transaction, neighbour);
	assert_int_equal(
		interface_assign(&transaction, interface_of(database), &assignment, &error), 0);
}

/* What leads to a public address and back, and how much of it there is at the gateway. */
static void assert_mapped(const char *outside, const char *inside, size_t all)
{
	CLEANUP(freep) char *public = xasprintf("%s : %s of map public", outside, inside);
	CLEANUP(freep) char *private = xasprintf("%s : %s of map private", inside, outside);
	CLEANUP(freep) char *route = xasprintf("route %s/32 via 169.254.0.2 dev igw", outside);

	assert_has(gateway->resource.id, public);
	assert_has(gateway->resource.id, private);
	assert_has(internet_get(&model)->resource.id, route);
	assert_int_equal(count_elements(gateway->resource.id, ELEMENT_PUBLIC), all);
	assert_int_equal(count_elements(gateway->resource.id, ELEMENT_PRIVATE), all);
}

static void an_elastic_ip_is_wired(void **state)
{
	struct elastic_ip *elastic_ip;

	(void)state;
	seed_running();
	elastic_ip = allocate();
	assert_int_equal(commit(), 0);
	assert_mapped("198.18.1.0", "10.0.1.4", 1);
	associate(elastic_ip, interface_of(web), 0);
	assert_int_equal(commit(), 0);
	assert_mapped("198.18.1.1", "10.0.1.4", 1); /* in the other's place */
	assert_lacks(internet_get(&model)->resource.id, "198.18.1.0");
	associate(elastic_ip, interface_of(database), 1);
	assert_int_equal(commit(), 0);
	assert_mapped("198.18.1.1", "10.0.2.6", 2);
	assert_mapped("198.18.1.2", "10.0.1.4", 2); /* a new one */
	assert_int_equal(instance_stop(&transaction, database, &error), 0);
	instance_exited(&transaction, database, true);
	assert_int_equal(commit(), 0);
	assert_mapped("198.18.1.2", "10.0.1.4", 1); /* what is stopped is silent */
	assert_lacks(internet_get(&model)->resource.id, "198.18.1.1");
	assert_int_equal(instance_start(&transaction, database, &error), 0);
	database->pid = 4711;
	assert_int_equal(commit(), 0);
	assert_mapped("198.18.1.1", "10.0.2.6", 2);
	assert_whole();
}

/*
 * The translations of a move are one batch: nothing else is between them, and the Internet's route
 * is not touched.
 */
static void a_moved_elastic_ip_costs_what_it_must(void **state)
{
	struct elastic_ip *elastic_ip;
	size_t before;

	(void)state;
	seed_running();
	elastic_ip = allocate();
	associate(elastic_ip, interface_of(database), 0);
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	associate(elastic_ip, interface_of(database), 1);
	assert_int_equal(commit(), 0);
	/* "private" of the old one and of the new one, and where "public" leads */
	assert_int_equal(fake_changes(kernel) - before, 3);
	assert_mapped("198.18.1.1", "10.0.2.6", 2);
	assert_whole();
}

static struct elastic_ip *publics[2];

static void prepare_publics(void)
{
	seed_running();
	publics[0] = allocate();
	publics[1] = allocate();
}

/* What is done with the two, one step after the other. */
static void step_associate(void)
{
	associate(publics[0], interface_of(web), 0);
}

static void step_associate_second(void)
{
	associate(publics[1], interface_of(database), 1);
}

static void step_displace(void)
{
	associate(publics[0], interface_of(database), 1);
}

static void step_follow(void)
{
	struct interface_address moved = { publics[0]->private_address };
	struct assignment assignment = { &moved, 1, 0, 9, true };

	assert_int_equal(
		interface_assign(&transaction, interface_of(neighbour), &assignment, &error), 0);
}

static void step_disassociate(void)
{
	elastic_ip_disassociate(&transaction, publics[0]);
}

static void step_detach_all(void)
{
	elastic_ip_disassociate(&transaction, publics[1]);
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
}

static void an_elastic_ip_is_changed_whole_or_not(void **state)
{
	static const struct step steps[] = {
		{ step_associate, 3, MANY },	{ step_associate_second, 3, MANY },
		{ step_displace, 3, MANY },	{ step_follow, 3, MANY },
		{ step_disassociate, 3, MANY }, { step_detach_all, 3, MANY },
	};

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = prepare_publics, STEPS(steps) });
}

/* ---- peerings ---- */

static void a_peering_is_wired(void **state)
{
	const struct peering *peering;
	struct rid id;

	(void)state;
	seed_other();
	peering = join();
	assert_int_equal(commit(), 0);
	id = peering->resource.id;
	assert_has(vpc->resource.id, "veth pcx");
	assert_has(other_vpc->resource.id, "veth pcx");
	assert_has(id, "route 10.0.1.0/24 via 10.0.1.1 dev requester");
	assert_has(id, "route 10.0.2.0/24 via 10.0.2.1 dev requester");
	assert_has(id, "route 10.1.1.0/24 via 10.1.1.1 dev accepter");
	assert_has(id, "blackhole 0.0.0.0/0");
	assert_has(id, "VPC peering connection skeleton");
	assert_int_equal(count_elements(id, ELEMENT_REQUESTER), 1);
	assert_int_equal(count_elements(id, ELEMENT_ACCEPTER), 1);
	assert_has(public_subnet->resource.id, "route 10.1.0.0/16 via 169.254.1.1 dev fabric");
	assert_has(private_subnet->resource.id, "route 10.1.0.0/16 via 169.254.1.1 dev fabric");
	assert_has(other_subnet->resource.id, "route 10.0.0.0/16 via 169.254.1.1 dev fabric");
	assert_has(other_subnet->resource.id, "neighbour 169.254.1.1");
	assert_has(public_subnet->resource.id, "10.1.1.4 of set members");
	assert_lacks(other_subnet->resource.id, "10.0.1.4 of set members"); /* not referred to */
	assert_whole();
}

static void a_later_subnet_is_reached(void **state)
{
	const struct peering *peering;
	struct subnet *late;

	(void)state;
	seed_other();
	peering = join();
	assert_int_equal(commit(), 0);
	late = make_subnet(other_vpc, "10.1.2.0/24");
	launch(late, 1);
	assert_int_equal(commit(), 0);
	assert_has(peering->resource.id, "route 10.1.2.0/24 via 10.1.2.1 dev accepter");
	assert_has(late->resource.id, "route 10.0.0.0/16 via 169.254.1.1 dev fabric");
	assert_has(private_subnet->resource.id, "10.1.2.4 of set members");
	assert_whole();
}

/* What refers to it stays in the model, as blackholes and stale rules, and nothing in the kernel.
 */
static void a_deleted_peering_leaves_nothing(void **state)
{
	struct peering *peering;
	struct rid id;

	(void)state;
	seed_other();
	peering = join();
	assert_int_equal(commit(), 0);
	id = peering->resource.id;
	assert_int_equal(peering_delete(&transaction, peering, scope, &error), 0);
	assert_int_equal(commit(), 0);
	assert_false(fake_has_netns(kernel, id));
	assert_lacks(vpc->resource.id, "pcx");
	assert_lacks(other_vpc->resource.id, "pcx");
	assert_lacks(public_subnet->resource.id, "169.254.1.1");
	assert_lacks(other_subnet->resource.id, "169.254.1.1");
	assert_has(public_subnet->resource.id, "blackhole 10.1.0.0/16");
	assert_has(other_subnet->resource.id, "blackhole 10.0.0.0/16");
	assert_lacks(public_subnet->resource.id, "10.1.1.4 of set members"); /* at once */
	sweep();
	assert_whole();
}

static void a_pending_one_is_not_in_the_kernel(void **state)
{
	struct peering_request request;
	struct peering *peering = NULL;
	size_t before;

	(void)state;
	seed_other();
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	request = (struct peering_request){ vpc, other_vpc->resource.id, scope->account,
					    scope->region };
	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(commit(), 0);
	assert_int_equal(fake_changes(kernel), before);
	route_through(vpc->resource.id, "10.1.0.0/16", peering);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "blackhole 10.1.0.0/16");
}

static struct peering *joined;

static void step_join(void)
{
	joined = join();
}

static void step_part(void)
{
	assert_int_equal(peering_delete(&transaction, joined, scope, &error), 0);
}

static void a_peering_is_whole_or_not_at_all(void **state)
{
	static const struct step steps[] = { { step_join, 41, MANY }, { step_part, 6, MANY } };

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed_other, STEPS(steps) });
}

/* ---- NAT gateways ---- */

/* One in the public subnet, and the private one's way out. */
static struct nat_gateway *translate(void)
{
	struct nat_request request = { .subnet = public_subnet };
	struct route_table *own = NULL;
	struct rid association;
	struct nat_gateway *nat = NULL;

	array_grow(&request.allocations, &request.allocation_count)->id = allocate()->resource.id;
	assert_int_equal(nat_gateway_create(&transaction, &request, &nat, &error), 0);
	nat_gateway_settle(&transaction, nat);
	nat_request_clear(&request);
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &own, &error), 0);
	assert_int_equal(
		route_table_associate(&transaction, own, private_subnet, &association, &error), 0);
	assert_int_equal(route_create(&transaction, own, to_cidr(cidr_of("0.0.0.0/0")),
				      &nat->resource, &error),
			 0);
	return nat;
}

static void a_nat_gateway_is_wired(void **state)
{
	const struct nat_gateway *nat;
	struct rid id, subnet;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	nat = translate();
	assert_int_equal(nat->state, NAT_AVAILABLE);
	assert_int_equal(commit(), 0);
	id = nat->resource.id;
	subnet = public_subnet->resource.id;
	assert_has(id, "NAT gateway skeleton");
	assert_has(id, "address 10.0.1.5/24 dev eth0");
	assert_has(id, "route 0.0.0.0/0 via 10.0.1.1 dev eth0");
	assert_int_equal(count_elements(id, ELEMENT_INSIDE), 1);
	assert_int_equal(count_elements(id, ELEMENT_NAT_SLOT), NAT_SLOTS);
	assert_has(subnet, "route 10.0.1.5/32 dev eni");
	assert_has(subnet, "steered");
	assert_has(private_subnet->resource.id, "route 0.0.0.0/0 via 10.0.1.5 dev fabric");
	assert_lacks(private_subnet->resource.id, "via 169.254.0.1");
	assert_has(gateway->resource.id, "10.0.1.5");
	assert_whole();
}

static void a_deleted_nat_gateway_leaves_nothing(void **state)
{
	struct nat_gateway *nat;

	(void)state;
	seed();
	nat = translate();
	assert_int_equal(commit(), 0);
	nat_gateway_delete(&transaction, nat);
	assert_int_equal(commit(), 0);
	assert_false(fake_has_netns(kernel, nat->resource.id));
	assert_lacks(public_subnet->resource.id, "10.0.1.5");
	assert_lacks(private_subnet->resource.id, "10.0.1.5");
	assert_lacks(gateway->resource.id, "10.0.1.5");
	assert_has(private_subnet->resource.id, "blackhole 0.0.0.0/0");
	sweep();
	assert_whole();
}

static struct nat_gateway *translator;

static void step_translate(void)
{
	translator = translate();
}

static void step_translate_no_more(void)
{
	nat_gateway_delete(&transaction, translator);
}

static void a_nat_gateway_is_whole_or_not_at_all(void **state)
{
	static const struct step steps[] = {
		{ step_translate, 41, MANY },
		{ step_translate_no_more, 11, MANY },
	};

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed, STEPS(steps) });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(a_nat_gateway_is_wired),
		CASE(a_deleted_nat_gateway_leaves_nothing),
		CASE(a_nat_gateway_is_whole_or_not_at_all),
		CASE(an_elastic_ip_is_wired),
		CASE(a_moved_elastic_ip_costs_what_it_must),
		CASE(an_elastic_ip_is_changed_whole_or_not),
		CASE(a_peering_is_wired),
		CASE(a_later_subnet_is_reached),
		CASE(a_deleted_peering_leaves_nothing),
		CASE(a_pending_one_is_not_in_the_kernel),
		CASE(a_peering_is_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
