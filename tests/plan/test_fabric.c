/* objects: emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/*
 * Model in, kernel objects out, on the in-memory kernel: what a scenario programs, what a change
 * touches, and that a failure at any point leaves the kernel as it was.
 */
#include "fabric/fabric.h"
#include "model/acl.h"
#include "model/attachment.h"
#include "model/defaults.h"
#include "model/elastic_ip.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/instance.h"
#include "model/internet.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/route.h"
#include "netlink/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW 1700000000

static struct model model;
static struct kernel *kernel;
static struct fabric *fabric;
static struct scope *scope;
static struct transaction transaction;
static struct error error;

/* The seed scenario's resources. */
static struct vpc *vpc;
static struct subnet *public_subnet, *private_subnet;
static struct gateway *gateway;
static struct route_table *table;
static struct instance *web, *database;

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr), 0);
	return cidr;
}

/* As world/ does it: apply; on failure roll back and undo. */
static int commit(void)
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

static struct subnet *make_subnet(struct vpc *of, const char *cidr)
{
	struct subnet_request request = { of, cidr_of(cidr), cidr, "us-east-1a" };
	struct subnet *subnet = NULL;

	assert_int_equal(subnet_create(&transaction, &request, &subnet, &error), 0);
	subnet_realize(&transaction, subnet);
	return subnet;
}

static struct instance *launch(struct subnet *subnet, int count)
{
	static char image[] = "ami-12345678", type[] = "t3.micro", word[] = "default";
	struct launch_interface card = { .make = { .subnet = subnet },
					 .delete_on_termination = true };
	struct launch_request request = {
		.options = { .image_id = image,
			     .type = type,
			     .shutdown_behavior = word,
			     .tenancy = word,
			     .http_tokens = word,
			     .http_endpoint = word,
			     .metadata_tags = word,
			     .metadata_ipv6 = word },
		.interfaces = &card,
		.interface_count = 1,
		.minimum = count,
		.maximum = count,
	};
	struct resource_list *list = &scope->lists[KIND_INSTANCE];
	struct rid reservation;

	assert_int_equal(instance_launch(&transaction, &request, &reservation, &error), 0);
	for (size_t i = list->count - (size_t)count; i < list->count; i++) {
		struct instance *instance = (struct instance *)list->items[i];

		instance->pid = 1000 + (int64_t)i; /* the instance room's part */
	}
	return (struct instance *)list->items[list->count - 1];
}

static void seed(void)
{
	struct internet_host *host;
	struct rid association;

	assert_int_equal(
		vpc_create(&transaction, scope, cidr_of("10.0.0.0/16"), NULL, &vpc, &error), 0);
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

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(kernel_open(&kernel, &error), 0);
	fabric = fabric_new(kernel, &model);
	scope = model_scope(&model, "123456789012", "us-east-1");
	transaction = transaction_begin(&model, NOW);
	internet_create(&transaction);
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	assert_int_equal(commit(), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	transaction_rollback(&transaction);
	fabric = fabric_free(fabric);
	kernel = kernel_close(kernel);
	model_clear(&model);
	return 0;
}

static bool has(struct rid ns, const char *text)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };

	fake_list(kernel, ns, &objects);
	for (size_t i = 0; i < objects.count; i++)
		if (strstr(object_describe(&objects.items[i]).text, text))
			return true;
	return false;
}

static void show(struct rid ns)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };

	fake_list(kernel, ns, &objects);
	for (size_t i = 0; i < objects.count; i++)
		print_message("    %s\n", object_describe(&objects.items[i]).text);
}

#define assert_has(ns, text)                                                                       \
	do {                                                                                       \
		if (!has(ns, text)) {                                                              \
			show(ns);                                                                  \
			fail_msg("missing: %s", text);                                             \
		}                                                                                  \
	} while (0)
#define assert_lacks(ns, text)                                                                     \
	do {                                                                                       \
		if (has(ns, text)) {                                                               \
			show(ns);                                                                  \
			fail_msg("too much: %s", text);                                            \
		}                                                                                  \
	} while (0)

/* What was superseded goes by the second sweep. */
static void sweep(void)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(fabric_sweep(fabric, &error), 0);
	assert_false(fabric_needs_sweep(fabric));
}

/* Everything in every namespace that the model knows, as one text. */
static char *whole_kernel(void)
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

/* ---- tests ---- */

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
	size_t mended = 99;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	assert_int_equal(fabric_reconcile(fabric, &mended, &error), 0);
	assert_int_equal(mended, 0);
}

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

/* Every change of the scenario fails once: nothing of it is left, and then it goes well. */
static void a_failure_at_any_point_undoes_all(void **state)
{
	CLEANUP(freep) char *empty = whole_kernel();
	size_t total, before;

	(void)state;
	before = fake_changes(kernel);
	seed();
	assert_int_equal(commit(), 0);
	total = fake_changes(kernel) - before;
	assert_true(total > 60);
	for (size_t k = 0; k < total; k++) {
		CLEANUP(freep) char *after = NULL;

		tear_down(NULL);
		set_up(NULL);
		seed();
		fake_fail_at(kernel, fake_changes(kernel) + k, ENOMEM);
		assert_int_equal(commit(), -ENOMEM);
		after = whole_kernel();
		assert_string_equal(after, empty);
		seed();
		assert_int_equal(commit(), 0);
	}
	print_message("    %zu points of failure\n", total);
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

static void a_prefix_list_gives_way(void **state)
{
	struct rid subnet;
	size_t mended = 99;

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
	assert_lacks(subnet, "169.254.169.254");
	assert_no_clash(subnet);
	assert_int_equal(fabric_reconcile(fabric, &mended, &error), 0);
	assert_int_equal(mended, 0);
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

/* ---- groups and ACLs ---- */

static void authorize(struct group *group, int port, const char *block, struct rid peer)
{
	struct group_rule wanted = { .group = group->resource.id, .traffic = { 6, port, port } };
	struct group_rule *rule;

	if (block)
		wanted.cidr = cidr_of(block);
	wanted.peer = peer;
	assert_int_equal(group_authorize(&transaction, group, &wanted, 1, &rule, &error), 0);
}

static void revoke(struct group *group, int port, const char *block)
{
	struct group_rule like = { .group = group->resource.id,
				   .traffic = { 6, port, port },
				   .cidr = cidr_of(block) };
	struct group_rule *rule = group_rule_find(&model, &like);

	assert_non_null(rule);
	transaction_delete(&transaction, rule);
}

static struct group *default_group(void)
{
	return group_named(scope, vpc->resource.id, "default");
}

static struct interface *interface_of(const struct instance *instance)
{
	return interface_get(&model, instance->interfaces[0].id);
}

static void assert_whole(void)
{
	size_t mended = 99;

	assert_int_equal(fabric_reconcile(fabric, &mended, &error), 0);
	assert_int_equal(mended, 0);
}

static size_t count_elements(struct rid ns, enum element_map map)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };
	size_t count = 0;

	fake_list(kernel, ns, &objects);
	for (size_t i = 0; i < objects.count; i++)
		count += objects.items[i].kind == OBJECT_ELEMENT &&
			 objects.items[i].element.map == map;
	return count;
}

static void a_superseded_list_goes_by_the_second_sweep(void **state)
{
	struct rid subnet;
	size_t before, turns;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	subnet = public_subnet->resource.id;
	before = count_elements(subnet, ELEMENT_SERVICE);
	turns = count_elements(subnet, ELEMENT_INGRESS);
	authorize(default_group(), 22, "192.0.2.0/24", (struct rid){ KIND_NONE, 0 });
	assert_int_equal(commit(), 0);
	assert_true(count_elements(subnet, ELEMENT_SERVICE) > before);
	assert_int_equal(count_elements(subnet, ELEMENT_INGRESS), turns);
	assert_int_equal(fabric_sweep(fabric, &error), 0);
	before = count_elements(subnet, ELEMENT_SERVICE);
	assert_int_equal(fabric_sweep(fabric, &error), 0);
	assert_true(count_elements(subnet, ELEMENT_SERVICE) < before);
	assert_false(fabric_needs_sweep(fabric));
	assert_whole();
}

static void add_acl_entry(int64_t number, bool allow)
{
	const struct acl_entry entry = { .number = number,
					 .allow = allow,
					 .traffic = { -1, -1, -1 },
					 .cidr = cidr_of(allow ? "0.0.0.0/0" : "10.0.0.0/8") };

	assert_int_equal(acl_add_entry(&transaction, acl_of(public_subnet), &entry, &error), 0);
	assert_int_equal(commit(), 0);
	sweep();
	assert_whole();
}

/* An ACL that lets everything pass is known by its list alone: by the first entry, which decides.
 */
static void a_wide_acl_is_asked_no_further(void **state)
{
	struct rid subnet;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	subnet = public_subnet->resource.id;
	assert_int_equal(count_elements(subnet, ELEMENT_WIDE), 2); /* the default: both ways */
	add_acl_entry(200, false);				   /* too late to say anything */
	assert_int_equal(count_elements(subnet, ELEMENT_WIDE), 2);
	add_acl_entry(50, false);
	assert_int_equal(count_elements(subnet, ELEMENT_WIDE), 1); /* egress */
	add_acl_entry(40, true);
	assert_int_equal(count_elements(subnet, ELEMENT_WIDE), 2);
}

static void a_list_comes_back_before_the_sweep(void **state)
{
	CLEANUP(freep) char *before = NULL, *after = NULL;

	(void)state;
	seed();
	authorize(default_group(), 22, "192.0.2.0/24", (struct rid){ KIND_NONE, 0 });
	assert_int_equal(commit(), 0);
	before = whole_kernel();
	for (int i = 0; i < 3; i++) {
		revoke(default_group(), 22, "192.0.2.0/24");
		assert_int_equal(commit(), 0);
		if (i == 1) /* … and between the sweeps */
			assert_int_equal(fabric_sweep(fabric, &error), 0);
		authorize(default_group(), 22, "192.0.2.0/24", (struct rid){ KIND_NONE, 0 });
		assert_int_equal(commit(), 0);
	}
	sweep();
	after = whole_kernel();
	assert_string_equal(after, before);
}

/* Groups, references, membership and an ACL at once. */
static void change_filters(void)
{
	const struct acl_entry entry = { .number = 90,
					 .traffic = { 6, 80, 80 },
					 .cidr = cidr_of("10.0.0.0/8") };
	struct rid_item groups[2] = { { default_group()->resource.id } };
	struct group *group;

	assert_int_equal(group_create(&transaction, vpc, "web", "web", &group, &error), 0);
	authorize(group, 80, "0.0.0.0/0", (struct rid){ KIND_NONE, 0 });
	authorize(default_group(), 5432, NULL, group->resource.id);
	groups[1].id = group->resource.id;
	assert_int_equal(interface_set_groups(&transaction, interface_of(web), groups, 2, &error),
			 0);
	assert_int_equal(acl_add_entry(&transaction, acl_of(private_subnet), &entry, &error), 0);
}

static void a_changed_filter_is_whole_or_undone(void **state)
{
	size_t total, before;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	change_filters();
	assert_int_equal(commit(), 0);
	total = fake_changes(kernel) - before;
	assert_true(total > 20);
	sweep();
	assert_whole();
	for (size_t k = 0; k < total; k++) {
		CLEANUP(freep) char *intact = NULL, *after = NULL;

		tear_down(NULL);
		set_up(NULL);
		seed();
		assert_int_equal(commit(), 0);
		intact = whole_kernel();
		change_filters();
		fake_fail_at(kernel, k, ENOMEM);
		assert_int_equal(commit(), -ENOMEM);
		after = whole_kernel();
		assert_string_equal(after, intact);
		change_filters();
		assert_int_equal(commit(), 0);
		sweep();
		assert_whole();
	}
	print_message("    %zu points of failure\n", total);
}

/* The port's own element is the last to change, and what its old groups had stays till the sweep.
 */
static void groups_are_changed_in_one_place(void **state)
{
	struct rid subnet;
	size_t ports, turns;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	subnet = public_subnet->resource.id;
	ports = count_elements(subnet, ELEMENT_PORT);
	turns = count_elements(subnet, ELEMENT_INGRESS);
	change_filters();
	assert_int_equal(commit(), 0);
	assert_int_equal(count_elements(subnet, ELEMENT_PORT), ports);
	assert_int_equal(count_elements(subnet, ELEMENT_INGRESS), turns + 1);
	sweep();
	assert_int_equal(count_elements(subnet, ELEMENT_INGRESS), turns);
}

/* A member that leaves is out at once, although the reference stays. */
static void a_member_that_leaves_is_out_at_once(void **state)
{
	struct rid subnet;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	subnet = private_subnet->resource.id;
	assert_has(subnet, "10.0.1.4 of set members");
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(commit(), 0);
	assert_lacks(subnet, "10.0.1.4 of set members");
	assert_has(subnet, "10.0.2.4 of set members");
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
	assert_lacks(vpc->resource.id, "0a:");
	sweep();
	assert_whole();
}

static void a_diversion_is_whole_or_undone(void **state)
{
	size_t total, before;

	(void)state;
	seed();
	assert_int_equal(commit(), 0);
	before = fake_changes(kernel);
	divert();
	assert_int_equal(commit(), 0);
	total = fake_changes(kernel) - before;
	assert_true(total > 5);
	for (size_t k = 0; k < total; k++) {
		CLEANUP(freep) char *intact = NULL, *after = NULL;

		tear_down(NULL);
		set_up(NULL);
		seed();
		assert_int_equal(commit(), 0);
		intact = whole_kernel();
		divert();
		fake_fail_at(kernel, k, ENOMEM);
		assert_int_equal(commit(), -ENOMEM);
		after = whole_kernel();
		assert_string_equal(after, intact);
		divert();
		assert_int_equal(commit(), 0);
		assert_whole();
	}
}

/* ---- interfaces of their own ---- */

static struct interface *make_interface(struct subnet *subnet, size_t more)
{
	struct interface_request request = { .subnet = subnet, .more = more };
	struct interface *interface = NULL;

	assert_int_equal(interface_create(&transaction, &request, &interface, &error), 0);
	return interface;
}

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

/* What is done to a card, one step after the other; each leaves the kernel different. */
static void step_plug(struct interface *const *cards)
{
	plug(web, cards[0]);
}

static void step_assign(struct interface *const *cards)
{
	struct assignment assignment = { .more = 1, .limit = 9 };

	assert_int_equal(interface_assign(&transaction, cards[0], &assignment, &error), 0);
}

/* From one guest to the other. */
static void step_move(struct interface *const *cards)
{
	struct interface_address moved = { cards[0]->secondaries[0].address };
	struct assignment assignment = { &moved, 1, 0, 9, true };

	assert_int_equal(interface_assign(&transaction, cards[1], &assignment, &error), 0);
}

static void step_unplug(struct interface *const *cards)
{
	attachment_end(&transaction, cards[0]);
}

static void (*const card_steps[])(struct interface *const *cards) = {
	step_plug,
	step_assign,
	step_move,
	step_unplug,
};

/* Ready for step `last`; `ret_cards`: one to plug, and one that an instance has. */
static void prepare_cards(size_t last, struct interface **ret_cards)
{
	seed();
	ret_cards[0] = make_interface(private_subnet, 1);
	ret_cards[1] = interface_of(database);
	assert_int_equal(commit(), 0);
	for (size_t i = 0; i < last; i++) {
		card_steps[i](ret_cards);
		assert_int_equal(commit(), 0);
	}
}

static void a_card_is_changed_whole_or_not(void **state)
{
	size_t points = 0;

	(void)state;
	for (size_t step = 0; step < ARRAY_SIZE(card_steps); step++) {
		for (size_t k = 0, total = 1; k <= total; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			struct interface *cards[2];
			size_t before;

			tear_down(NULL);
			set_up(NULL);
			prepare_cards(step, cards);
			intact = whole_kernel();
			if (k > 0) {
				card_steps[step](cards);
				fake_fail_at(kernel, k - 1, ENOMEM);
				assert_int_equal(commit(), -ENOMEM);
				after = whole_kernel();
				assert_string_equal(after, intact);
				points++;
			}
			before = fake_changes(kernel);
			card_steps[step](cards);
			assert_int_equal(commit(), 0);
			if (k == 0)
				total = fake_changes(kernel) - before;
			assert_true(total >= 4);
			sweep();
			assert_whole();
		}
	}
	print_message("    %zu points of failure\n", points);
}

static void an_address_that_moves_is_at_one_place(void **state)
{
	struct interface *cards[2];

	(void)state;
	prepare_cards(2, cards);
	assert_has(web->resource.id, "address 10.0.2.6/24 dev eth1");
	step_move(cards);
	assert_int_equal(commit(), 0);
	assert_lacks(web->resource.id, "10.0.2.6");
	assert_has(web->resource.id, "address 10.0.2.7/24 dev eth1");
	assert_has(database->resource.id, "address 10.0.2.6/24 dev eth0");
	assert_has(public_subnet->resource.id, "10.0.2.6 of set members");
	assert_whole();
}

/* ---- Elastic IPs ---- */

static struct elastic_ip *allocate(void)
{
	struct elastic_ip *elastic_ip = NULL;

	assert_int_equal(elastic_ip_allocate(&transaction, scope, &elastic_ip, &error), 0);
	return elastic_ip;
}

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
	instance_exited(&transaction, database);
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

/* What is done with two of them, one step after the other; each leaves the kernel different. */
static void step_associate(struct elastic_ip *const *of)
{
	associate(of[0], interface_of(web), 0);
}

static void step_associate_second(struct elastic_ip *const *of)
{
	associate(of[1], interface_of(database), 1);
}

static void step_displace(struct elastic_ip *const *of)
{
	associate(of[0], interface_of(database), 1);
}

static void step_follow(struct elastic_ip *const *of)
{
	struct interface_address moved = { of[0]->private_address };
	struct assignment assignment = { &moved, 1, 0, 9, true };

	assert_int_equal(
		interface_assign(&transaction, interface_of(neighbour), &assignment, &error), 0);
}

static void step_disassociate(struct elastic_ip *const *of)
{
	elastic_ip_disassociate(&transaction, of[0]);
}

static void step_detach_all(struct elastic_ip *const *of)
{
	elastic_ip_disassociate(&transaction, of[1]);
	assert_int_equal(instance_terminate(&transaction, web, &error), 0);
	instance_settle(&transaction, web);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
}

static void (*const public_steps[])(struct elastic_ip *const *of) = {
	step_associate, step_associate_second, step_displace,
	step_follow,	step_disassociate,     step_detach_all,
};

static void prepare_publics(size_t last, struct elastic_ip **ret_of)
{
	seed_running();
	ret_of[0] = allocate();
	ret_of[1] = allocate();
	assert_int_equal(commit(), 0);
	for (size_t i = 0; i < last; i++) {
		public_steps[i](ret_of);
		assert_int_equal(commit(), 0);
	}
}

static void an_elastic_ip_is_changed_whole_or_not(void **state)
{
	size_t points = 0;

	(void)state;
	for (size_t step = 0; step < ARRAY_SIZE(public_steps); step++) {
		for (size_t k = 0, total = 1; k <= total; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			struct elastic_ip *of[2];
			size_t before;

			tear_down(NULL);
			set_up(NULL);
			prepare_publics(step, of);
			intact = whole_kernel();
			if (k > 0) {
				public_steps[step](of);
				fake_fail_at(kernel, k - 1, ENOMEM);
				assert_int_equal(commit(), -ENOMEM);
				after = whole_kernel();
				assert_string_equal(after, intact);
				points++;
			}
			before = fake_changes(kernel);
			public_steps[step](of);
			assert_int_equal(commit(), 0);
			if (k == 0)
				total = fake_changes(kernel) - before;
			assert_true(total >= 3);
			sweep();
			assert_whole();
		}
	}
	print_message("    %zu points of failure\n", points);
}

/* ---- peerings ---- */

/* The seed's VPC and another, 10.1.0.0/16, with a subnet and an instance. */
static struct vpc *other;
static struct subnet *other_subnet;

static void seed_other(void)
{
	seed();
	assert_int_equal(
		vpc_create(&transaction, scope, cidr_of("10.1.0.0/16"), NULL, &other, &error), 0);
	other_subnet = make_subnet(other, "10.1.1.0/24");
	launch(other_subnet, 1);
}

static void route_through(struct rid vpc_id, const char *block, const struct peering *peering)
{
	for_each_resource (struct route_table, own, scope, KIND_ROUTE_TABLE)
		if (rid_equal(own->vpc, vpc_id))
			assert_int_equal(route_create(&transaction, own, to_cidr(cidr_of(block)),
						      &peering->resource, &error),
					 0);
}

/* An active peering, routes to it in every table, and a reference from this VPC to the other. */
static struct peering *join(void)
{
	struct peering_request request = { vpc, other->resource.id, scope->account, scope->region };
	struct group *friends = group_named(scope, other->resource.id, "default");
	struct peering *peering = NULL;

	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	peering_settle(&transaction, peering);
	route_through(vpc->resource.id, "10.1.0.0/16", peering);
	route_through(other->resource.id, "10.0.0.0/16", peering);
	authorize(default_group(), 443, NULL, friends->resource.id);
	return peering;
}

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
	assert_has(other->resource.id, "veth pcx");
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
	late = make_subnet(other, "10.1.2.0/24");
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
	assert_lacks(other->resource.id, "pcx");
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
	request =
		(struct peering_request){ vpc, other->resource.id, scope->account, scope->region };
	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(commit(), 0);
	assert_int_equal(fake_changes(kernel), before);
	route_through(vpc->resource.id, "10.1.0.0/16", peering);
	assert_int_equal(commit(), 0);
	assert_has(public_subnet->resource.id, "blackhole 10.1.0.0/16");
}

/* Making one and, apart from that, deleting it: each kernel change fails once. */
static void a_peering_is_whole_or_not_at_all(void **state)
{
	size_t totals[2] = { 0 };

	(void)state;
	for (int deletion = 0; deletion <= 1; deletion++)
		for (size_t k = 0; k == 0 || k <= totals[deletion]; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			struct peering *peering = NULL;
			size_t before;

			tear_down(NULL);
			set_up(NULL);
			seed_other();
			if (deletion)
				peering = join();
			assert_int_equal(commit(), 0);
			intact = whole_kernel();
			if (k > 0)
				fake_fail_at(kernel, k - 1, ENOMEM);
			before = fake_changes(kernel);
			if (deletion)
				peering_delete(&transaction, peering, scope, &error);
			else
				join();
			assert_int_equal(commit(), k > 0 ? -ENOMEM : 0);
			if (k == 0) {
				totals[deletion] = fake_changes(kernel) - before;
				continue;
			}
			after = whole_kernel();
			assert_string_equal(after, intact);
			assert_whole();
		}
	print_message("    %zu and %zu points of failure\n", totals[0], totals[1]);
	assert_true(totals[0] > 40 && totals[1] > 5);
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

/* Making one and, apart from that, deleting it: each kernel change fails once. */
static void a_nat_gateway_is_whole_or_not_at_all(void **state)
{
	size_t totals[2] = { 0 };

	(void)state;
	for (int deletion = 0; deletion <= 1; deletion++)
		for (size_t k = 0; k == 0 || k <= totals[deletion]; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			struct nat_gateway *nat = NULL;
			size_t before;

			tear_down(NULL);
			set_up(NULL);
			seed();
			if (deletion)
				nat = translate();
			assert_int_equal(commit(), 0);
			intact = whole_kernel();
			if (k > 0)
				fake_fail_at(kernel, k - 1, ENOMEM);
			before = fake_changes(kernel);
			if (deletion)
				nat_gateway_delete(&transaction, nat);
			else
				translate();
			assert_int_equal(commit(), k > 0 ? -ENOMEM : 0);
			if (k == 0) {
				totals[deletion] = fake_changes(kernel) - before;
				continue;
			}
			after = whole_kernel();
			assert_string_equal(after, intact);
			assert_whole();
		}
	print_message("    %zu and %zu points of failure\n", totals[0], totals[1]);
	assert_true(totals[0] > 40 && totals[1] > 10);
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

/* Each kernel change of each change of blocks fails once. */
static void a_block_is_whole_or_not_at_all(void **state)
{
	/* a block is in two subnets, the gateway and the peering */
	static const struct {
		void (*prepare)(void), (*change)(void);
		size_t total;
	} changes[] = {
		{ NULL, add_second_block, 4 },
		{ add_second_block, remove_second_block, 4 },
		{ NULL, add_ipv6_block, 0 }, /* nothing carries IPv6 */
	};
	size_t points = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		for (size_t k = 0, total = 0; k <= total; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			size_t before;

			tear_down(NULL);
			set_up(NULL);
			seed_other();
			join();
			if (changes[i].prepare)
				changes[i].prepare();
			assert_int_equal(commit(), 0);
			intact = whole_kernel();
			if (k > 0) {
				changes[i].change();
				fake_fail_at(kernel, k - 1, ENOMEM);
				assert_int_equal(commit(), -ENOMEM);
				after = whole_kernel();
				assert_string_equal(after, intact);
				assert_int_equal(vpc->cidr_count, 1 + !!changes[i].prepare);
				assert_int_equal(vpc->ipv6_cidr_count, 0);
				assert_whole();
				points++;
			}
			before = fake_changes(kernel);
			changes[i].change();
			assert_int_equal(commit(), 0);
			if (k == 0)
				total = fake_changes(kernel) - before;
			assert_int_equal(total, changes[i].total);
			sweep();
			assert_whole();
		}
	print_message("    %zu points of failure\n", points);
}

/* ---- a gateway's table ---- */

static struct route_table *edge;

/* What is done to it, one step after the other; each leaves the kernel different. */
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

static void (*const edge_steps[])(void) = {
	edge_step_associate, edge_step_replace_local, edge_step_local_again,  edge_step_stop,
	edge_step_detach,    edge_step_attach,	      edge_step_disassociate,
};

static void prepare_edge(size_t last)
{
	tear_down(NULL);
	set_up(NULL);
	seed();
	assert_int_equal(commit(), 0);
	for (size_t i = 0; i < last; i++) {
		edge_steps[i]();
		assert_int_equal(commit(), 0);
	}
}

static void take_edge_step(size_t step)
{
	edge_steps[step]();
	assert_int_equal(commit(), 0);
	sweep();
	assert_whole();
}

static void a_gateways_table_is_wired(void **state)
{
	struct rid id;

	(void)state;
	prepare_edge(0);
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
	prepare_edge(1);
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
	size_t points = 0;

	(void)state;
	for (size_t step = 0; step < ARRAY_SIZE(edge_steps); step++)
		for (size_t k = 0, total = 1; k <= total; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			size_t before;

			prepare_edge(step);
			intact = whole_kernel();
			if (k > 0) {
				edge_steps[step]();
				fake_fail_at(kernel, k - 1, ENOMEM);
				assert_int_equal(commit(), -ENOMEM);
				after = whole_kernel();
				assert_string_equal(after, intact);
				points++;
			}
			before = fake_changes(kernel);
			edge_steps[step]();
			assert_int_equal(commit(), 0);
			if (k == 0)
				total = fake_changes(kernel) - before;
			assert_true(total >= 2);
			sweep();
			assert_whole();
		}
	print_message("    %zu points of failure\n", points);
}

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
	size_t mended = 99;

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
	assert_int_equal(fabric_reconcile(fabric, &mended, &error), 0);
	assert_int_equal(mended, 0);
	assert_int_equal(internet_host_end(&transaction, internet_host_find(&model, "dns"), &error),
			 0);
	assert_int_equal(commit(), 0);
	assert_false(fake_has_netns(kernel, id));
	assert_lacks(router, "8.8.8.8");
}

/* The same as for a peering. */
static void a_host_is_whole_or_not_at_all(void **state)
{
	size_t totals[2] = { 0 };

	(void)state;
	for (int deletion = 0; deletion <= 1; deletion++)
		for (size_t k = 0; k == 0 || k <= totals[deletion]; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			struct internet_host *host = NULL;
			size_t before;

			tear_down(NULL);
			set_up(NULL);
			seed();
			if (deletion)
				host = add_host("dns", "8.8.8.8");
			assert_int_equal(commit(), 0);
			intact = whole_kernel();
			if (k > 0)
				fake_fail_at(kernel, k - 1, ENOMEM);
			before = fake_changes(kernel);
			if (deletion)
				assert_int_equal(internet_host_end(&transaction, host, &error), 0);
			else
				add_host("dns", "8.8.8.8");
			assert_int_equal(commit(), k > 0 ? -ENOMEM : 0);
			if (k == 0) {
				totals[deletion] = fake_changes(kernel) - before;
				continue;
			}
			after = whole_kernel();
			assert_string_equal(after, intact);
		}
	print_message("    %zu and %zu points of failure\n", totals[0], totals[1]);
	assert_true(totals[0] > 5 && totals[1] > 0);
}

static void set_uplink(bool uplink)
{
	struct internet *internet = internet_get(&model);

	transaction_edit(&transaction, internet);
	internet->uplink = uplink;
}

/* The blackhole stands behind the default route that comes with the uplink's device. */
static void an_uplink_comes_and_goes_whole(void **state)
{
	for (int uplink = 0; uplink <= 1; uplink++)
		for (size_t k = 0, total = 0; k == 0 || k <= total; k++) {
			CLEANUP(freep) char *intact = NULL, *after = NULL;
			struct rid id;
			size_t before;

			(void)state;
			tear_down(NULL);
			set_up(NULL);
			seed();
			set_uplink(!uplink);
			assert_int_equal(commit(), 0);
			id = internet_get(&model)->resource.id;
			intact = whole_kernel();
			if (k > 0)
				fake_fail_at(kernel, k - 1, ENOMEM);
			before = fake_changes(kernel);
			set_uplink(uplink);
			assert_int_equal(commit(), k > 0 ? -ENOMEM : 0);
			if (k > 0) {
				after = whole_kernel();
				assert_string_equal(after, intact);
				continue;
			}
			total = fake_changes(kernel) - before;
			assert_int_equal(total, 4);
			assert_int_equal(has(id, "uplink skeleton"), uplink);
			assert_int_equal(has(id, "blackhole 198.18.0.0/15"), uplink);
			assert_int_equal(has(id, "blackhole 0.0.0.0/0 metric 1000"), uplink);
			assert_has(id, "blackhole 0.0.0.0/0");
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(the_default_vpc_is_not_in_the_kernel),
		CASE(the_seed_scenario_is_wired),
		CASE(what_is_wanted_is_what_was_made),
		CASE(a_route_change_touches_one_object),
		CASE(the_cost_of_a_launch_is_flat),
		CASE(terminated_instances_leave_nothing),
		CASE(a_detached_gateway_makes_blackholes),
		CASE(a_deleted_subnet_is_gone_from_its_siblings),
		CASE(a_failure_at_any_point_undoes_all),
		CASE(a_subnet_as_large_as_its_vpc_works),
		CASE(a_prefix_list_is_one_route_for_each_entry),
		CASE(a_prefix_list_gives_way),
		CASE(a_superseded_list_goes_by_the_second_sweep),
		CASE(a_wide_acl_is_asked_no_further),
		CASE(a_list_comes_back_before_the_sweep),
		CASE(a_changed_filter_is_whole_or_undone),
		CASE(groups_are_changed_in_one_place),
		CASE(a_member_that_leaves_is_out_at_once),
		CASE(a_route_by_an_appliance_is_wired),
		CASE(a_diversion_is_whole_or_undone),
		CASE(a_second_interface_is_a_second_device),
		CASE(the_cost_of_plugging_is_flat),
		CASE(a_card_is_changed_whole_or_not),
		CASE(an_address_that_moves_is_at_one_place),
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
		CASE(a_second_block_is_wired),
		CASE(a_block_that_goes_leaves_nothing),
		CASE(a_block_is_whole_or_not_at_all),
		CASE(a_gateways_table_is_wired),
		CASE(an_edge_needs_a_public_appliance),
		CASE(an_edge_is_whole_or_undone),
		CASE(hosts_have_ports_on_the_internet),
		CASE(a_host_is_whole_or_not_at_all),
		CASE(an_uplink_comes_and_goes_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
