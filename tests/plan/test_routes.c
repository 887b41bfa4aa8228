/* objects: tests/plan/world.o tests/unit/world.o emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/* Routes, from the model into the kernel: tables, prefix lists, appliances, a VPC's blocks, and the
 * table of a gateway. */
#include "world.h"

#include "model/vpc_endpoint.h"

static void a_route_change_touches_one_object(void **state)
{
	size_t before;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	assert_int_equal(route_delete(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")), &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_int_equal(fake_changes(kernel) - before, 1);
	assert_has(public_subnet->resource.id, "blackhole 0.0.0.0/0");
	assert_lacks(public_subnet->resource.id, "route 0.0.0.0/0 via");
	assert_int_equal(route_create(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")),
				      &gateway->resource, &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "route 0.0.0.0/0 via 169.254.0.1");
}

/* ---- prefix lists ---- */

static struct prefix_list *make_list(const char *a, const char *b)
{
	struct prefix_change changes[] = { { .cidr = cidr_of(a) }, { .cidr = cidr_of(b) } };
	struct prefix_list_request request = { .name = "list",
					       .max_entries = 5,
					       .entries = { changes, 2 } };
	struct prefix_list *list = NULL;

	assert_int_equal(prefix_list_create(&transaction, scope, &request, &list, &error), 0);
	return list;
}

static void route_to(const struct prefix_list *list)
{
	struct destination destination = { .prefix_list = list->resource.id };

	assert_int_equal(route_create(&transaction, table, destination, &gateway->resource, &error),
			 0);
}

static void a_prefix_list_is_one_route_for_each_entry(void **state)
{
	struct prefix_change next = { .cidr = cidr_of("192.0.2.0/24") };
	struct prefix_change last = { .cidr = cidr_of("198.51.100.0/24") };
	struct prefix_changes add = { &next, 1 }, remove = { &last, 1 }, nothing = { NULL, 0 };
	struct prefix_list *list;
	struct rid subnet, other;
	size_t before;

	(void)state;
	seed();
	list = make_list("198.51.100.0/24", "203.0.113.0/24");
	route_to(list);
	assert_int_equal(commit(), 0);
	subnet = public_subnet->resource.id;
	other = private_subnet->resource.id;
	assert_has(subnet, "route 198.51.100.0/24 via 169.254.0.1 dev fabric");
	assert_has(subnet, "route 203.0.113.0/24 via 169.254.0.1 dev fabric");
	assert_lacks(other, "203.0.113.0/24"); /* another table's */
	before = fake_changes(kernel);
	assert_int_equal(prefix_list_change(&transaction, list, &add, &nothing, &error), 0);
	assert_int_equal(commit(), 0);
	assert_int_equal(fake_changes(kernel) - before, 1);
	assert_has(subnet, "route 192.0.2.0/24 via 169.254.0.1 dev fabric");
	assert_int_equal(prefix_list_change(&transaction, list, &nothing, &remove, &error), 0);
	assert_int_equal(commit(), 0);
	assert_lacks(subnet, "198.51.100.0/24");
	assert_int_equal(prefix_list_restore(&transaction, list, 1, &error), 0);
	assert_int_equal(commit(), 0);
	assert_has(subnet, "route 198.51.100.0/24 via 169.254.0.1 dev fabric");
	assert_lacks(subnet, "192.0.2.0/24");
}

/* Whatever the table says, no two objects of one key. */
static void assert_no_clash(struct rid subnet)
{
	struct facet_key key = { FACET_SUBNET_ROUTES, subnet };
	CLEANUP(object_list_clear) struct object_list list = { 0 };
	struct filters *filters = filters_new(&model);

	facet_wanted(&model, filters, key, &list);
	filters_free(filters);
	assert_true(list.count > 0);
	for (size_t i = 0; i < list.count; i++)
		for (size_t j = 0; j < i; j++)
			if (object_compare_key(&list.items[i], &list.items[j]) == 0)
				fail_msg("twice: %s", object_describe(&list.items[i]).text);
}

/* A record: what its list holds goes where it would without it, by another list's route too. */
static void an_endpoint_is_in_no_packets_way(void **state)
{
	struct route_table *tables[1];
	struct endpoint_request request = { .kind = ENDPOINT_GATEWAY, .table_count = 1 };
	struct vpc_endpoint *endpoint;
	struct prefix_list *list;
	size_t before;

	(void)state;
	seed();
	endpoint_service_lists_create(&transaction, scope);
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	tables[0] = table;
	request.tables = tables;
	request.vpc = vpc_get(&model, table->vpc);
	request.service = endpoint_service_at(0);
	assert_int_equal(vpc_endpoint_create(&transaction, &request, &endpoint, &error), 0);
	assert_true(route_table_leads_to(table, endpoint->resource.id));
	assert_int_equal(commit(), 0);
	assert_int_equal(fake_changes(kernel), before);
	list = make_list("54.231.0.0/16", "203.0.113.0/24");
	route_to(list);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "route 54.231.0.0/16 via 169.254.0.1 dev fabric");
}

static void a_prefix_list_gives_way(void **state)
{
	struct rid subnet;
	(void)state;
	seed();
	/* the table's own 0/0; the VPC's block and what is in it */
	route_to(make_list("0.0.0.0/0", "203.0.113.0/24"));
	route_to(make_list("10.0.0.0/16", "10.0.2.0/24"));
	route_to(make_list("203.0.113.0/24", "169.254.169.254/32"));
	assert_int_equal(commit(), 0);
	subnet = public_subnet->resource.id;
	assert_has(subnet, "blackhole 10.0.0.0/16");
	assert_has(subnet, "route 10.0.2.0/24 via 10.0.2.1 dev fabric");
	assert_lacks(subnet, "route 169.254.169.254");
	assert_no_clash(subnet);
	assert_whole();
	/* without its own 0/0 the list's counts */
	assert_int_equal(route_delete(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")), &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_has(subnet, "route 0.0.0.0/0 via 169.254.0.1 dev fabric");
	assert_no_clash(subnet);
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(commit(), 0);
	assert_has(subnet, "blackhole 203.0.113.0/24");
	assert_has(subnet, "blackhole 0.0.0.0/0");
}

/* ---- appliances ---- */

/* The public subnet's way to the private one leads by the database, which forwards. */
static void divert(void)
{
	struct interface *interface = interface_of(database);

	transaction_edit(&transaction, interface);
	interface->source_dest_check = false;
	assert_int_equal(route_create(&transaction, table, to_cidr(cidr_of("198.51.100.0/24")),
				      &interface->resource, &error),
			 0);
}

static void a_route_by_an_appliance_is_wired(void **state)
{
	struct rid here, there;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	here = public_subnet->resource.id;
	there = private_subnet->resource.id;
	divert();
	assert_int_equal(commit(), 0);
	assert_has(here, "route 198.51.100.0/24 via 10.0.2.4 dev fabric");
	assert_has(here, "route blackhole 198.51.100.0/24 metric 1024");
	assert_has(there, "rule fwmark 0xa000204 lookup 167772676");
	assert_has(there, "via 10.0.2.4 dev eni");
	assert_has(there, "steering skeleton");
	/* with the check on, and without the appliance, the blackhole is what is left */
	transaction_edit(&transaction, interface_of(database));
	interface_of(database)->source_dest_check = true;
	assert_int_equal(commit(), 0);
	assert_lacks(here, "198.51.100.0/24 via");
	assert_lacks(there, "fwmark");
	assert_lacks(there, "steering");
	transaction_edit(&transaction, interface_of(database));
	interface_of(database)->source_dest_check = false;
	assert_int_equal(commit(), 0);
	assert_has(here, "198.51.100.0/24 via");
	assert_int_equal(instance_terminate(&transaction, database, &error), 0);
	instance_settle(&transaction, database);
	assert_int_equal(commit(), 0);
	assert_lacks(here, "198.51.100.0/24 via");
	assert_has(here, "route blackhole 198.51.100.0/24 metric 1024");
	assert_lacks(there, "steering");
	assert_lacks(vpc->resource.id, "fdb 0a:");
	sweep();
	assert_whole();
}

static void a_diversion_is_whole_or_undone(void **state)
{
	static const struct step steps[] = { { divert, 6, MANY } };

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed, STEPS(steps) });
}

/* ---- further blocks ---- */

static void add_block(const char *cidr)
{
	const struct block *block;

	assert_int_equal(vpc_associate(&transaction, vpc, cidr_of(cidr), &block, &error), 0);
}

static void remove_block(size_t index)
{
	assert_int_equal(vpc_disassociate(&transaction, vpc, &vpc->cidrs[index], &error), 0);
}

static void a_second_block_is_wired(void **state)
{
	const struct peering *peering;
	struct subnet *late, *whole;
	struct rid id;

	(void)state;
	seed_other();
	peering = join();
	assert_int_equal(commit(), 0);
	id = public_subnet->resource.id;
	add_block("10.2.0.0/16");
	add_block("10.3.0.0/24"); /* right behind it */
	assert_int_equal(commit(), 0);
	assert_has(id, "blackhole 10.2.0.0/16");
	assert_has(id, "blackhole 10.3.0.0/24");
	assert_has(gateway->resource.id, "blackhole 10.2.0.0/16");
	assert_int_equal(count_elements(peering->resource.id, ELEMENT_REQUESTER), 3);
	assert_int_equal(count_elements(peering->resource.id, ELEMENT_ACCEPTER), 1);
	assert_whole();
	late = make_subnet(vpc, "10.2.1.0/24");
	whole = make_subnet(vpc, "10.3.0.0/24");
	launch(late, 1);
	launch(whole, 1);
	assert_int_equal(commit(), 0);
	assert_has(id, "route 10.2.1.0/24 via 10.2.1.1 dev fabric");
	assert_has(id, "route 10.3.0.0/24 via 10.3.0.1 dev fabric");
	assert_lacks(id, "blackhole 10.3.0.0/24");
	assert_has(late->resource.id, "blackhole 10.0.0.0/16");
	assert_has(late->resource.id, "route 10.0.1.0/24 via 10.0.1.1 dev fabric");
	assert_has(gateway->resource.id, "route 10.2.1.0/24 via 10.2.1.1 dev fabric");
	assert_has(peering->resource.id, "route 10.2.1.0/24 via 10.2.1.1 dev requester");
	assert_has(id, "10.2.1.4 of set members");
	assert_whole();
}

static void a_block_that_goes_leaves_nothing(void **state)
{
	CLEANUP(freep) char *before = NULL, *after = NULL;

	(void)state;
	seed_other();
	join();
	assert_int_equal(commit(), 0);
	before = whole_kernel();
	add_block("10.2.0.0/16");
	add_block("10.3.0.0/24");
	/* by an appliance: the local route and its target go with the block */
	transaction_edit(&transaction, interface_of(database));
	interface_of(database)->source_dest_check = false;
	assert_int_equal(route_replace(&transaction, table, to_cidr(cidr_of("10.2.0.0/16")),
				       &interface_of(database)->resource, &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "route 10.2.0.0/16 via 10.0.2.4 dev fabric");
	assert_has(public_subnet->resource.id, "blackhole 10.2.0.0/16 metric 1024");
	assert_whole();
	remove_block(1);
	assert_int_equal(commit(), 0);
	assert_lacks(public_subnet->resource.id, "10.2.0.0/16");
	remove_block(1);
	transaction_edit(&transaction, interface_of(database));
	interface_of(database)->source_dest_check = true;
	assert_int_equal(commit(), 0);
	after = whole_kernel();
	assert_string_equal(after, before);
	assert_whole();
}

static void add_ipv6_block(void)
{
	const struct block *block;

	assert_int_equal(vpc_associate_ipv6(&transaction, vpc, &block, &error), 0);
}

static void remove_second_block(void)
{
	remove_block(1);
}

static void add_second_block(void)
{
	add_block("10.2.0.0/16");
}

static void prepare_joined(void)
{
	seed_other();
	join();
}

static void blocks_are_as_before(size_t step)
{
	assert_int_equal(vpc->cidr_count, step == 1 ? 2 : 1);
	assert_int_equal(vpc->ipv6_cidr_count, 0);
}

static void a_block_is_whole_or_not_at_all(void **state)
{
	/* a block is in two subnets, the gateway and the peering; each subnet has an address of it,
	 * which is two services' */
	static const struct step steps[] = {
		{ add_second_block, 12, 12 },
		{ remove_second_block, 12, 12 },
		{ add_ipv6_block, 0, 0 }, /* nothing carries IPv6 */
	};

	(void)state;
	assert_whole_or_undone(&(struct series){
		.prepare = prepare_joined, STEPS(steps), .undone = blocks_are_as_before });
}

/* ---- a gateway's table ---- */

static struct route_table *edge;

/* What is done to it, one step after the other. */
static void edge_step_associate(void)
{
	struct rid id;

	assert_int_equal(route_table_create(&transaction, vpc, NULL, &edge, &error), 0);
	assert_int_equal(route_table_associate_gateway(&transaction, edge, gateway, &id, &error),
			 0);
	transaction_edit(&transaction, interface_of(web));
	interface_of(web)->source_dest_check = false;
	assert_int_equal(route_create(&transaction, edge, to_cidr(cidr_of("10.0.2.0/24")),
				      &interface_of(web)->resource, &error),
			 0);
}

static void edge_step_replace_local(void)
{
	assert_int_equal(route_replace(&transaction, edge, to_cidr(cidr_of("10.0.0.0/16")),
				       &interface_of(web)->resource, &error),
			 0);
}

static void edge_step_local_again(void)
{
	assert_int_equal(
		route_replace(&transaction, edge, to_cidr(cidr_of("10.0.0.0/16")), NULL, &error),
		0);
}

static void edge_step_stop(void)
{
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
}

static void edge_step_detach(void)
{
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
}

static void edge_step_attach(void)
{
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
}

static void edge_step_disassociate(void)
{
	size_t index;

	assert_ptr_equal(route_table_find_association(scope, edge->associations[0].id, &index),
			 edge);
	assert_int_equal(route_table_disassociate(&transaction, edge, index, &error), 0);
}

static const struct step edge_steps[] = {
	{ edge_step_associate, 2, MANY },    { edge_step_replace_local, 2, MANY },
	{ edge_step_local_again, 2, MANY },  { edge_step_stop, 2, MANY },
	{ edge_step_detach, 2, MANY },	     { edge_step_attach, 2, MANY },
	{ edge_step_disassociate, 2, MANY },
};

static const struct series edge_series = { .prepare = seed, STEPS(edge_steps) };

static void take_edge_step(size_t step)
{
	edge_steps[step].take();
	assert_int_equal(commit(), 0);
	sweep();
	assert_whole();
}

static void a_gateways_table_is_wired(void **state)
{
	struct rid id;

	(void)state;
	series_go_to(&edge_series, 0);
	id = gateway->resource.id;
	assert_has(id, "route 10.0.2.0/24 via 10.0.2.1 dev fabric");
	take_edge_step(0);
	assert_has(id, "route 10.0.2.0/24 via 10.0.1.4 dev fabric");
	assert_has(id, "route blackhole 10.0.2.0/24 metric 1024");
	assert_has(id, "neighbour 10.0.1.4");
	assert_has(id, "route 10.0.1.0/24 via 10.0.1.1 dev fabric");
	assert_has(public_subnet->resource.id, "steering skeleton");
	assert_has(private_subnet->resource.id, "route 10.0.1.0/24 via 10.0.1.1 dev fabric");
	take_edge_step(1);
	assert_has(id, "route 10.0.0.0/16 via 10.0.1.4 dev fabric");
	assert_has(id, "route blackhole 10.0.0.0/16 metric 1024");
	assert_lacks(id, "route 10.0.1.0/24");
	take_edge_step(2);
	assert_has(id, "route 10.0.1.0/24 via 10.0.1.1 dev fabric");
	assert_lacks(id, "route 10.0.0.0/16 via");
	take_edge_step(3);
	assert_lacks(id, "via 10.0.1.4");
	assert_has(id, "route blackhole 10.0.2.0/24 metric 1024");
	assert_lacks(public_subnet->resource.id, "steering");
	take_edge_step(4);
	assert_lacks(id, "10.0.2.0/24");
	take_edge_step(5);
	assert_has(id, "route blackhole 10.0.2.0/24 metric 1024");
	take_edge_step(6);
	assert_has(id, "route 10.0.2.0/24 via 10.0.2.1 dev fabric");
	assert_lacks(id, "metric 1024");
}

/* Nothing comes in by one that has no public address. */
static void an_edge_needs_a_public_appliance(void **state)
{
	struct interface *interface;

	(void)state;
	series_go_to(&edge_series, 1);
	interface = interface_of(database);
	transaction_edit(&transaction, interface);
	interface->source_dest_check = false;
	assert_int_equal(route_replace(&transaction, edge, to_cidr(cidr_of("10.0.2.0/24")),
				       &interface->resource, &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_lacks(gateway->resource.id, "route 10.0.2.0/24 via");
	assert_has(gateway->resource.id, "route blackhole 10.0.2.0/24 metric 1024");
	sweep();
	assert_whole();
}

static void an_edge_is_whole_or_undone(void **state)
{
	(void)state;
	assert_whole_or_undone(&edge_series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(a_route_change_touches_one_object),
		CASE(a_prefix_list_is_one_route_for_each_entry),
		CASE(a_prefix_list_gives_way),
		CASE(an_endpoint_is_in_no_packets_way),
		CASE(a_route_by_an_appliance_is_wired),
		CASE(a_diversion_is_whole_or_undone),
		CASE(a_second_block_is_wired),
		CASE(a_block_that_goes_leaves_nothing),
		CASE(a_block_is_whole_or_not_at_all),
		CASE(a_gateways_table_is_wired),
		CASE(an_edge_needs_a_public_appliance),
		CASE(an_edge_is_whole_or_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
