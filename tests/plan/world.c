/* See world.h. */
#include "world.h"

struct kernel *kernel;
struct fabric *fabric;

struct vpc *vpc, *other_vpc;
struct subnet *public_subnet, *private_subnet, *other_subnet;
struct gateway *gateway;
struct route_table *table;
struct instance *web, *database;

int commit(void)
{
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };
	struct error second = ERROR_INIT;
	int r;

	fabric_touched(&transaction, &set);
	r = fabric_apply(fabric, &set, &error);
	if (r == 0) {
		transaction_commit(&transaction);
		return 0;
	}
	transaction_rollback(&transaction);
	assert_int_equal(fabric_apply(fabric, &set, &second), 0);
	return r;
}

struct subnet *make_subnet(struct vpc *of, const char *cidr)
{
	struct subnet *subnet = make_subnet_in(of, cidr, "us-east-1a");

	subnet_realize(&transaction, subnet);
	return subnet;
}

struct instance *launch(struct subnet *subnet, int count)
{
	struct resource_list *list = &scope->lists[KIND_INSTANCE];

	assert_int_equal(try_launch(subnet, count, count), 0);
	for (size_t i = list->count - (size_t)count; i < list->count; i++) {
		struct instance *instance = (struct instance *)list->items[i];

		instance->pid = 1000 + (int64_t)i; /* the instance room's part */
	}
	return newest();
}

void seed(void)
{
	struct internet_host *host;
	struct rid association;

	vpc = make_vpc("10.0.0.0/16");
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	host = internet_host_get(&model);
	transaction_edit(&transaction, host);
	host->pid = 999;
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	public_subnet = make_subnet(vpc, "10.0.1.0/24");
	public_subnet->map_public_ip = true;
	private_subnet = make_subnet(vpc, "10.0.2.0/24");
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &table, &error), 0);
	assert_int_equal(route_create(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")),
				      &gateway->resource, &error),
			 0);
	assert_int_equal(
		route_table_associate(&transaction, table, public_subnet, &association, &error), 0);
	web = launch(public_subnet, 1);
	database = launch(private_subnet, 1);
}

int set_up(void **state)
{
	(void)state;
	assert_int_equal(kernel_open(&kernel, &error), 0);
	fabric = fabric_new(kernel, &model);
	begin_world();
	internet_create(&transaction);
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	assert_int_equal(commit(), 0);
	return 0;
}

int tear_down(void **state)
{
	fabric = fabric_free(fabric);
	kernel = kernel_close(kernel);
	return end_world(state);
}

bool has(struct rid ns, const char *text)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };

	fake_list(kernel, ns, &objects);
	for (size_t i = 0; i < objects.count; i++)
		if (strstr(object_describe(&objects.items[i]).text, text))
			return true;
	return false;
}

void show(struct rid ns)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };

	fake_list(kernel, ns, &objects);
	for (size_t i = 0; i < objects.count; i++)
		print_message("    %s\n", object_describe(&objects.items[i]).text);
}

void sweep(void)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(fabric_sweep(fabric, &error), 0);
	assert_false(fabric_needs_sweep(fabric));
}

char *whole_kernel(void)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(freep) struct rid *ids = NULL;
	size_t count;

	assert_int_equal(kernel_list_netns(kernel, &ids, &count, &error), 0);
	if (count)
		qsort(ids, count, sizeof(*ids), rid_compare);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(object_list_clear) struct object_list objects = { 0 };

		fake_list(kernel, ids[i], &objects);
		buffer_printf(&text, "%s\n", rid_format(ids[i]).text);
		qsort(objects.items, objects.count, sizeof(*objects.items),
		      (int (*)(const void *, const void *))object_compare_key);
		for (size_t j = 0; j < objects.count; j++)
			buffer_printf(&text, "  %s\n", object_describe(&objects.items[j]).text);
	}
	return buffer_steal(&text);
}

void authorize(struct group *group, int port, const char *block, struct rid peer)
{
	struct group_rule wanted = { .group = group->resource.id, .traffic = { 6, port, port } };
	struct group_rule *rule;

	if (block)
		wanted.cidr = cidr_of(block);
	wanted.peer = peer;
	assert_int_equal(group_authorize(&transaction, group, &wanted, 1, &rule, &error), 0);
}

struct group *default_group(void)
{
	return group_named(scope, vpc->resource.id, "default");
}

struct interface *interface_of(const struct instance *instance)
{
	return interface_get(&model, instance->interfaces[0].id);
}

/* Neither has anything drifted, nor has a daemon that starts anything to mend. */
void assert_whole(void)
{
	struct drift_list drifts = { 0 };

	for (int round = 0; round < 2; round++) {
		assert_int_equal(round ? fabric_reconcile(fabric, &drifts, &error)
				       : fabric_audit(fabric, &drifts, &error),
				 0);
		for (size_t i = 0; i < drifts.count; i++)
			fail_msg("drifted: %s", object_describe(drifts.items[i].wanted.kind
									? &drifts.items[i].wanted
									: &drifts.items[i].found)
							.text);
	}
}

size_t count_elements(struct rid ns, enum element_map map)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };
	size_t count = 0;

	fake_list(kernel, ns, &objects);
	for (size_t i = 0; i < objects.count; i++)
		count += objects.items[i].kind == OBJECT_ELEMENT &&
			 objects.items[i].element.map == map;
	return count;
}

void seed_other(void)
{
	seed();
	other_vpc = make_vpc("10.1.0.0/16");
	other_subnet = make_subnet(other_vpc, "10.1.1.0/24");
	launch(other_subnet, 1);
}

void route_through(struct rid vpc_id, const char *block, const struct peering *peering)
{
	for_each_resource (struct route_table, own, scope, KIND_ROUTE_TABLE)
		if (rid_equal(own->vpc, vpc_id))
			assert_int_equal(route_create(&transaction, own, to_cidr(cidr_of(block)),
						      &peering->resource, &error),
					 0);
}

struct peering *join(void)
{
	struct peering_request request = { vpc, other_vpc->resource.id, scope->account,
					   scope->region };
	struct group *friends = group_named(scope, other_vpc->resource.id, "default");
	struct peering *peering = NULL;

	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	peering_settle(&transaction, peering);
	route_through(vpc->resource.id, "10.1.0.0/16", peering);
	route_through(other_vpc->resource.id, "10.0.0.0/16", peering);
	authorize(default_group(), 443, NULL, friends->resource.id);
	return peering;
}

/* ---- each kernel change fails once ---- */

void series_go_to(const struct series *series, size_t taken)
{
	tear_down(NULL);
	set_up(NULL);
	if (series->prepare) {
		series->prepare();
		assert_int_equal(commit(), 0);
	}
	for (size_t i = 0; i < taken; i++) {
		series->steps[i].take();
		assert_int_equal(commit(), 0);
	}
}

/* The step goes well; how many changes of the kernel that took. */
static size_t take(const struct step *step)
{
	const size_t before = fake_changes(kernel);
	size_t changes;

	step->take();
	assert_int_equal(commit(), 0);
	changes = fake_changes(kernel) - before;
	sweep();
	assert_whole();
	return changes;
}

/* The step, of which the change number `k` fails, and all is as before. */
static void take_in_vain(const struct series *series, size_t step, size_t k)
{
	CLEANUP(freep) char *intact = whole_kernel(), *after = NULL;

	series->steps[step].take();
	fake_fail_at(kernel, k, ENOMEM);
	assert_int_equal(commit(), -ENOMEM);
	after = whole_kernel();
	assert_string_equal(after, intact);
	if (series->undone)
		series->undone(step);
}

/*
 * `swept`: without superseded lists, which a reconciliation would find. But it mends what the
 * fabric believes as well: what comes after a failure is seen without one.
 */
static size_t fail_each_change(const struct series *series, size_t step, bool swept)
{
	const struct step *taken = &series->steps[step];
	size_t changes = 0;

	for (size_t k = 0; k <= changes; k++) {
		series_go_to(series, step);
		if (swept)
			sweep();
		if (k > 0)
			take_in_vain(series, step, k - 1);
		if (k > 0 && swept)
			assert_whole();
		else if (k > 0)
			take(taken);
		else
			changes = take(taken);
	}
	assert_in_range(changes, taken->least, taken->most);
	return changes;
}

void assert_whole_or_undone(const struct series *series)
{
	size_t points = 0;

	for (size_t i = 0; i < series->count; i++) {
		fail_each_change(series, i, true);
		points += fail_each_change(series, i, false);
	}
	print_message("    %zu points of failure\n", points);
}
