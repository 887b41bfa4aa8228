/* objects: tests/plan/world.o tests/unit/world.o emulator/model/ emulator/fabric/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o */
/*
 * Drift: what somebody else changes in the kernel is told, and mended, and then the kernel is as it
 * was.
 */
#include "world.h"

/* Behind the fabric's back. */
static void change(const struct object *before, const struct object *after)
{
	struct change change;

	memset(&change, 0, sizeof(change));
	if (before)
		change.before = *before;
	if (after)
		change.after = *after;
	assert_int_equal(kernel_transact(kernel, &change, 1, &error), 0);
}

/* Everything that there is, a namespace after the other. */
static struct object_list everything(void)
{
	struct object_list all = { 0 };
	CLEANUP(freep) struct rid *ids = NULL;
	size_t count;

	assert_int_equal(kernel_list_netns(kernel, &ids, &count, &error), 0);
	qsort(ids, count, sizeof(*ids), rid_compare);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(object_list_clear) struct object_list objects = { 0 };

		fake_list(kernel, ids[i], &objects);
		for (size_t j = 0; j < objects.count; j++)
			object_list_add(&all, &objects.items[j]);
	}
	return all;
}

static bool is_guests(const struct object *object)
{
	return object->ns.kind == KIND_INSTANCE || object->ns.kind == KIND_INTERNET_HOST;
}

/* A pair goes by either end, and is told by the near one. */
static bool tells_of(const struct drift_list *drifts, const struct object *object)
{
	if (object->kind == OBJECT_LINK && object->link.type == LINK_VETH)
		for (size_t i = 0; i < drifts->count; i++)
			if (drifts->items[i].wanted.kind == OBJECT_LINK &&
			    streq(drifts->items[i].wanted.link.peer_name, object->link.name) &&
			    rid_equal(drifts->items[i].wanted.link.peer_ns, object->ns))
				return true;
	for (size_t i = 0; i < drifts->count; i++)
		if ((drifts->items[i].wanted.kind &&
		     object_compare_key(&drifts->items[i].wanted, object) == 0) ||
		    (drifts->items[i].found.kind &&
		     object_compare_key(&drifts->items[i].found, object) == 0))
			return true;
	return false;
}

/* Lists it, and mends it. */
static struct drift_list assert_mended(const char *intact)
{
	CLEANUP(freep) char *broken = whole_kernel(), *after = NULL;
	struct drift_list listed = { 0 }, mended = { 0 };

	assert_int_equal(fabric_audit(fabric, &listed, &error), 0);
	after = whole_kernel();
	assert_string_equal(after, broken); /* looking changes nothing */
	assert_int_equal(fabric_repair(fabric, &mended, &error), 0);
	assert_int_equal(mended.count, listed.count);
	for (size_t i = 0; i < mended.count; i++)
		if (!mended.items[i].mended)
			fail_msg("%s is not mended: %s",
				 object_describe(&mended.items[i].wanted).text,
				 mended.items[i].why ? mended.items[i].why : "");
	drift_list_clear(&mended);
	freep(&after);
	after = whole_kernel();
	assert_string_equal(after, intact);
	return listed;
}

/* One without whose going nothing else goes. */
static bool goes_alone(const struct object *object)
{
	return object->kind == OBJECT_ROUTE || object->kind == OBJECT_NEIGHBOUR ||
	       object->kind == OBJECT_FDB || object->kind == OBJECT_RULE ||
	       object->kind == OBJECT_DELAY || object->kind == OBJECT_ELEMENT;
}

static void scenario(void)
{
	seed_other();
	join();
	assert_int_equal(commit(), 0);
	sweep();
	assert_whole();
}

static void each_object_is_missed_and_made_again(void **state)
{
	CLEANUP(object_list_clear) struct object_list all = { 0 };
	CLEANUP(freep) char *intact = NULL;
	size_t looked_at = 0;

	(void)state;
	scenario();
	intact = whole_kernel();
	all = everything();
	for (size_t i = 0; i < all.count; i++) {
		const struct object *object = &all.items[i];
		struct drift_list drifts;

		if (is_guests(object) || object->kind == OBJECT_SYSCTL ||
		    (object->kind == OBJECT_LINK && object->link.type == LINK_LOOPBACK))
			continue;
		change(object, NULL);
		drifts = assert_mended(intact);
		if (!tells_of(&drifts, object))
			fail_msg("not told: %s", object_describe(object).text);
		if (goes_alone(object))
			assert_int_equal(drifts.count, 1);
		assert_int_equal(drifts.items[0].kind, DRIFT_MISSING);
		drift_list_clear(&drifts);
		looked_at++;
	}
	print_message("    %zu objects\n", looked_at);
	assert_true(looked_at > 100);
}

/* What the table below makes of a thing; false: there is nothing to change in it. */
static bool vary(struct object *object)
{
	switch (object->kind) {
	case OBJECT_LINK:
		object->link.mtu ^= 1;
		return object->link.type == LINK_VETH;
	case OBJECT_ROUTE:
		object->route.mtu = 1400;
		return object->route.type == ROUTE_UNICAST;
	case OBJECT_NEIGHBOUR:
		object->neighbour.mac.bytes[5] ^= 1;
		return true;
	case OBJECT_SYSCTL:
		object->sysctl.value ^= 1;
		return true;
	case OBJECT_ELEMENT:
		object->element.value[0] ^= 1;
		return object->element.map == ELEMENT_PORT ||
		       object->element.map == ELEMENT_EGRESS ||
		       object->element.map == ELEMENT_INGRESS ||
		       object->element.map == ELEMENT_ACL ||
		       object->element.map == ELEMENT_PUBLIC ||
		       object->element.map == ELEMENT_PRIVATE;
	default:
		return false;
	}
}

static void each_object_is_seen_to_be_different(void **state)
{
	CLEANUP(object_list_clear) struct object_list all = { 0 };
	CLEANUP(freep) char *intact = NULL;
	size_t looked_at = 0;

	(void)state;
	scenario();
	intact = whole_kernel();
	all = everything();
	for (size_t i = 0; i < all.count; i++) {
		struct object other = all.items[i];
		struct drift_list drifts;

		if (is_guests(&other) || !vary(&other))
			continue;
		fake_set(kernel, &other);
		drifts = assert_mended(intact);
		if (drifts.count != 1)
			fail_msg("%zu told of %s", drifts.count, object_describe(&other).text);
		assert_int_equal(drifts.items[0].kind, DRIFT_DIFFERENT);
		assert_true(tells_of(&drifts, &other));
		drift_list_clear(&drifts);
		looked_at++;
	}
	print_message("    %zu objects\n", looked_at);
	assert_true(looked_at > 50);
}

static void what_is_too_much_goes(void **state)
{
	CLEANUP(freep) char *intact = NULL;
	struct object route, address, element;
	struct drift_list drifts;

	(void)state;
	scenario();
	intact = whole_kernel();
	memset(&route, 0, sizeof(route));
	route.kind = OBJECT_ROUTE;
	route.ns = public_subnet->resource.id;
	address = element = route;
	route.route.destination = cidr_of("203.0.113.0/24");
	route.route.type = ROUTE_BLACKHOLE;
	address.kind = OBJECT_ADDRESS;
	address.address.cidr = cidr_of("203.0.113.1/32");
	memcpy(address.address.device, "lo", sizeof("lo"));
	element.kind = OBJECT_ELEMENT;
	element.element.map = ELEMENT_UNCHECKED;
	element.element.key[0] = 9;
	change(NULL, &route);
	change(NULL, &address);
	change(NULL, &element);
	drifts = assert_mended(intact);
	assert_int_equal(drifts.count, 3);
	for (size_t i = 0; i < drifts.count; i++)
		assert_int_equal(drifts.items[i].kind, DRIFT_UNEXPECTED);
	drift_list_clear(&drifts);
}

/* Its root's own: nobody looks, and nobody puts it back; a port is put back with all it has. */
static void an_instance_is_its_roots_own(void **state)
{
	CLEANUP(object_list_clear) struct object_list inside = { 0 };
	CLEANUP(freep) char *intact = NULL;
	struct drift_list drifts;

	(void)state;
	scenario();
	intact = whole_kernel();
	fake_list(kernel, web->resource.id, &inside);
	for (size_t i = 0; i < inside.count; i++)
		if (inside.items[i].kind == OBJECT_ADDRESS || inside.items[i].kind == OBJECT_ROUTE)
			change(&inside.items[i], NULL);
	assert_whole();
	assert_lacks(web->resource.id, "address");
	for (size_t i = 0; i < inside.count; i++)
		if (inside.items[i].kind == OBJECT_LINK && inside.items[i].link.type == LINK_VETH)
			change(&inside.items[i], NULL);
	drifts = assert_mended(intact);
	assert_true(drifts.count > 0);
	drift_list_clear(&drifts);
}

/* What the kernel refuses is told, and everything else is mended. */
static void what_cannot_be_mended_is_told(void **state)
{
	CLEANUP(object_list_clear) struct object_list all = { 0 };
	struct drift_list drifts = { 0 };
	const struct object *refused = NULL;
	size_t gone = 0, left = 0;

	(void)state;
	scenario();
	all = everything();
	for (size_t i = 0; i < all.count && gone < 3; i++)
		if (all.items[i].kind == OBJECT_NEIGHBOUR && !is_guests(&all.items[i])) {
			change(&all.items[i], NULL);
			refused = &all.items[i];
			gone++;
		}
	fake_refuse(kernel, refused);
	assert_int_equal(fabric_repair(fabric, &drifts, &error), 0);
	fake_refuse(kernel, NULL);
	assert_int_equal(drifts.count, 3);
	for (size_t i = 0; i < drifts.count; i++) {
		left += !drifts.items[i].mended;
		assert_int_equal(!drifts.items[i].mended, drifts.items[i].why != NULL);
	}
	assert_int_equal(left, 1);
	drift_list_clear(&drifts);
	assert_int_equal(fabric_repair(fabric, &drifts, &error), 0);
	assert_int_equal(drifts.count, 1);
	assert_true(drifts.items[0].mended);
	drift_list_clear(&drifts);
	assert_whole();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_object_is_missed_and_made_again),
		CASE(each_object_is_seen_to_be_different),
		CASE(what_is_too_much_goes),
		CASE(an_instance_is_its_roots_own),
		CASE(what_cannot_be_mended_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
