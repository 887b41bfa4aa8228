/* objects: tests/plan/world.o tests/unit/world.o emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/* Groups and ACLs, from the model into the kernel: what changes, and what goes later. */
#include "world.h"

static void revoke(struct group *group, int port, const char *block)
{
	struct group_rule like = { .group = group->resource.id,
				   .traffic = { 6, port, port },
				   .cidr = cidr_of(block) };
	struct group_rule *rule = group_rule_find(&model, &like);

	assert_non_null(rule);
	transaction_delete(&transaction, rule);
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
	static const struct step steps[] = { { change_filters, 21, MANY } };

	(void)state;
	assert_whole_or_undone(&(struct series){ .prepare = seed, STEPS(steps) });
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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(a_superseded_list_goes_by_the_second_sweep),
		CASE(a_wide_acl_is_asked_no_further),
		CASE(a_list_comes_back_before_the_sweep),
		CASE(a_changed_filter_is_whole_or_undone),
		CASE(groups_are_changed_in_one_place),
		CASE(a_member_that_leaves_is_out_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
