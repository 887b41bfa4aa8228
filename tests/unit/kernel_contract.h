/*
 * What netlink/kernel.h promises, as tests that the real kernel and the fake one both have to pass:
 * test_kernel.c and test_fake.c include this and run `contract_tests`. A test gets a fresh handle
 * and ids of its own.
 */
#pragma once

#include "netlink/kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* One VPC with a subnet, an instance in it and a gateway beside it. */
struct lab {
	struct kernel *kernel;
	struct rid vpc, subnet, instance, gateway, peering;
	struct object_list wanted; /* in order of making */
	struct object_list extras; /* namespaces beside the lab's own: they go with it */
};

static inline struct object make(enum object_kind kind, struct rid ns)
{
	struct object object;

	memset(&object, 0, sizeof(object));
	object.kind = kind;
	object.ns = ns;
	return object;
}

static inline struct cidr cidr(const char *text)
{
	struct cidr result = { 0 };

	assert_int_equal(cidr_parse(text, &result), 0);
	return result;
}

static inline struct address address(const char *text)
{
	struct address result = { 0 };

	assert_int_equal(address_parse(text, &result), 0);
	return result;
}

static inline struct object make_namespace(struct rid ns)
{
	return make(OBJECT_NETNS, ns);
}

static inline struct object make_link(struct rid ns, enum link_type type, const char *name)
{
	struct object object = make(OBJECT_LINK, ns);

	object.link.type = type;
	snprintf(object.link.name, sizeof(object.link.name), "%s", name);
	return object;
}

/* `n` makes the addresses of the two ends. */
static inline struct object make_veth(struct rid ns, const char *name, struct rid peer_ns,
				      const char *peer_name, uint8_t n)
{
	struct object object = make_link(ns, LINK_VETH, name);

	object.link.mtu = 9001;
	object.link.mac = (struct mac){ { 0x02, 0, 0, 0, 1, n } };
	object.link.peer_mac = (struct mac){ { 0x02, 0, 0, 0, 2, n } };
	object.link.peer_ns = peer_ns;
	snprintf(object.link.peer_name, sizeof(object.link.peer_name), "%s", peer_name);
	return object;
}

static inline struct object make_address(struct rid ns, const char *device, const char *text)
{
	struct object object = make(OBJECT_ADDRESS, ns);

	object.address.cidr = cidr(text);
	snprintf(object.address.device, sizeof(object.address.device), "%s", device);
	return object;
}

/* No device: a blackhole. */
static inline struct object make_route(struct rid ns, const char *destination, const char *gateway,
				       const char *device)
{
	struct object object = make(OBJECT_ROUTE, ns);

	object.route.destination = cidr(destination);
	if (gateway)
		object.route.gateway = address(gateway);
	if (device)
		snprintf(object.route.device, sizeof(object.route.device), "%s", device);
	else
		object.route.type = ROUTE_BLACKHOLE;
	return object;
}

static inline struct object make_neighbour(struct rid ns, const char *device, const char *text,
					   uint8_t n)
{
	struct object object = make(OBJECT_NEIGHBOUR, ns);

	object.neighbour.address = address(text);
	object.neighbour.mac = (struct mac){ { 0x02, 0, 0, 0, 2, n } };
	snprintf(object.neighbour.device, sizeof(object.neighbour.device), "%s", device);
	return object;
}

static inline struct object make_fdb(struct rid ns, const char *device, uint8_t n)
{
	struct object object = make(OBJECT_FDB, ns);

	object.fdb.mac = (struct mac){ { 0x02, 0, 0, 0, 2, n } };
	snprintf(object.fdb.device, sizeof(object.fdb.device), "%s", device);
	return object;
}

static inline struct object make_sysctl(struct rid ns, const char *path, int32_t value)
{
	struct object object = make(OBJECT_SYSCTL, ns);

	snprintf(object.sysctl.path, sizeof(object.sysctl.path), "%s", path);
	object.sysctl.value = value;
	return object;
}

static inline struct object make_skeleton(struct rid ns, enum skeleton skeleton)
{
	struct object object = make(OBJECT_SKELETON, ns);

	object.skeleton.skeleton = skeleton;
	return object;
}

static inline struct object make_table_route(struct rid ns, const char *destination,
					     const char *gateway, const char *device,
					     uint32_t table, uint32_t metric)
{
	struct object object = make_route(ns, destination, gateway, device);

	object.route.table = table;
	object.route.metric = metric;
	return object;
}

static inline struct object make_rule(struct rid ns, uint32_t mark)
{
	struct object object = make(OBJECT_RULE, ns);

	object.rule.mark = object.rule.table = mark;
	return object;
}

static inline struct object make_steered(struct rid ns, uint8_t n, uint32_t mark)
{
	struct object object = make(OBJECT_ELEMENT, ns);

	object.element.map = ELEMENT_STEERED;
	object.element.key[5] = n;
	memcpy(object.element.value, &mark, sizeof(mark));
	return object;
}

static inline struct object make_element(struct rid ns, enum element_map map, const char *key,
					 const char *value)
{
	struct object object = make(OBJECT_ELEMENT, ns);

	object.element.map = map;
	element_put_address(object.element.key, address(key));
	element_put_address(object.element.value, address(value));
	return object;
}

static inline struct object make_interval(struct rid ns, enum element_map map, const char *first,
					  const char *end)
{
	struct object object = make_element(ns, map, first, "0.0.0.0");

	element_put_address(object.element.end, address(end));
	return object;
}

/* Changes, collected and applied. */
struct plan {
	struct change *changes;
	size_t count;
};

static inline void plan_put(struct plan *plan, struct object object)
{
	array_grow(&plan->changes, &plan->count)->after = object;
}

static inline void plan_delete(struct plan *plan, struct object object)
{
	array_grow(&plan->changes, &plan->count)->before = object;
}

static inline void plan_replace(struct plan *plan, struct object before, struct object after)
{
	*array_grow(&plan->changes, &plan->count) = (struct change){ before, after };
}

/* Applies the plan and empties it. */
static inline int plan_run(struct plan *plan, struct kernel *kernel, struct error *error)
{
	int r = kernel_transact(kernel, plan->changes, plan->count, error);

	free(plan->changes);
	*plan = (struct plan){ 0 };
	return r;
}

static inline void plan_succeed(struct plan *plan, struct kernel *kernel)
{
	struct error error = ERROR_INIT;

	if (plan_run(plan, kernel, &error) < 0)
		fail_msg("%s", error.text);
}

static inline void plan_fail(struct plan *plan, struct kernel *kernel, int sys, const char *text)
{
	struct error error = ERROR_INIT;
	int r = plan_run(plan, kernel, &error);

	if (r != -sys)
		fail_msg("expected %d, not %d: %s", -sys, r, error.text);
	assert_int_equal(error.sys, sys);
	if (!strstr(error.text, text) || strstr(error.text, "undoing failed"))
		fail_msg("no \"%s\" in \"%s\"", text, error.text);
}

static inline int order_objects(const void *a, const void *b)
{
	return object_compare_key(a, b);
}

static inline struct object_list dump(struct kernel *kernel, struct rid ns)
{
	struct object_list objects = { 0 };
	struct error error = ERROR_INIT;

	if (kernel_dump(kernel, ns, &objects, &error) < 0)
		fail_msg("%s", error.text);
	if (objects.count)
		qsort(objects.items, objects.count, sizeof(*objects.items), order_objects);
	return objects;
}

static inline bool exists(struct kernel *kernel, struct rid ns)
{
	CLEANUP(freep) struct rid *ids = NULL;
	struct error error = ERROR_INIT;
	size_t count = 0;
	bool found = false;

	assert_int_equal(kernel_list_netns(kernel, &ids, &count, &error), 0);
	for (size_t i = 0; i < count; i++)
		found |= rid_equal(ids[i], ns);
	return found;
}

static inline void assert_lists(const struct object_list *found, const struct object_list *wanted)
{
	for (size_t i = 0; i < MIN(found->count, wanted->count); i++)
		if (!object_same(&found->items[i], &wanted->items[i]))
			fail_msg("found %s, wanted %s", object_describe(&found->items[i]).text,
				 object_describe(&wanted->items[i]).text);
	if (found->count > wanted->count)
		fail_msg("not wanted: %s", object_describe(&found->items[wanted->count]).text);
	if (found->count < wanted->count)
		fail_msg("missing: %s", object_describe(&wanted->items[found->count]).text);
}

static inline bool is_loopback(const struct object *object)
{
	return object->kind == OBJECT_LINK && object->link.type == LINK_LOOPBACK;
}

/* "lo" apart, which stays as it is. The dump of `ns` is exactly what a dump can see of the wanted
 * objects. */
static inline void assert_dump(struct kernel *kernel, struct rid ns,
			       const struct object_list *objects)
{
	CLEANUP(object_list_clear) struct object_list found = dump(kernel, ns), wanted = { 0 };

	for (size_t i = found.count; i-- > 0;)
		if (is_loopback(&found.items[i]))
			array_remove(found.items, &found.count, i);
	for (size_t i = 0; i < objects->count; i++) {
		struct object object = objects->items[i];

		if (object.kind == OBJECT_LINK && object.link.type == LINK_VETH &&
		    rid_equal(object.link.peer_ns, ns)) {
			struct object peer = make_link(ns, LINK_VETH, object.link.peer_name);

			peer.link.mac = object.link.peer_mac;
			peer.link.mtu = object.link.mtu;
			object_list_add(&wanted, &peer);
		}
		if (rid_equal(object.ns, ns) && object.kind != OBJECT_NETNS &&
		    object.kind != OBJECT_SYSCTL && !is_loopback(&object))
			object_list_add(&wanted, &object);
	}
	if (wanted.count)
		qsort(wanted.items, wanted.count, sizeof(*wanted.items), order_objects);
	assert_lists(&found, &wanted);
}

static inline void lab_describe(struct lab *lab)
{
	const struct rid vpc = lab->vpc, subnet = lab->subnet, instance = lab->instance,
			 gateway = lab->gateway, peering = lab->peering;
	struct object port = make_veth(vpc, "subnet1", subnet, "fabric", 1);
	struct object bridge = make_link(vpc, LINK_BRIDGE, "fabric");
	struct object gateway_port = make_veth(vpc, "gateway1", gateway, "fabric", 3);
	struct object limited = make_route(gateway, "10.0.1.0/24", NULL, "fabric");

	memcpy(port.link.master, "fabric", sizeof("fabric"));
	memcpy(gateway_port.link.master, "fabric", sizeof("fabric"));
	bridge.link.mtu = 9001;
	limited.route.mtu = 1500;
	const struct object wanted[] = {
		make_namespace(vpc),
		make_link(vpc, LINK_LOOPBACK, "lo"),
		bridge,
		make_namespace(subnet),
		make_sysctl(subnet, "ipv4/ip_forward", 1),
		make_skeleton(subnet, SKELETON_SUBNET),
		make_link(subnet, LINK_LOOPBACK, "lo"),
		make_address(subnet, "lo", "10.0.1.1/32"),
		make_route(subnet, "10.0.1.0/24", NULL, NULL),
		port,
		make_fdb(vpc, "subnet1", 1),
		make_address(subnet, "fabric", "10.255.0.1/16"),
		make_neighbour(subnet, "fabric", "10.255.0.2", 3),
		make_namespace(gateway),
		gateway_port,
		make_fdb(vpc, "gateway1", 3),
		limited,
		make_route(subnet, "0.0.0.0/0", "10.255.0.2", "fabric"),
		make_skeleton(gateway, SKELETON_INTERNET_GATEWAY),
		make_element(gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.5"),
		make_element(gateway, ELEMENT_PRIVATE, "10.0.1.5", "198.18.0.5"),
		make_namespace(peering),
		make_skeleton(peering, SKELETON_PEERING),
		make_interval(peering, ELEMENT_REQUESTER, "10.0.0.0", "10.1.0.0"),
		make_interval(peering, ELEMENT_REQUESTER, "10.1.0.0", "10.1.4.0"),
		make_namespace(instance),
		make_veth(subnet, "eni1", instance, "eth0", 5),
		make_link(instance, LINK_LOOPBACK, "lo"),
		make_address(instance, "eth0", "10.0.1.5/24"),
		make_address(instance, "eth0", "fd00:1::5/64"),
		make_route(instance, "0.0.0.0/0", "10.0.1.1", "eth0"),
		make_route(instance, "::/0", "fd00:1::1", "eth0"),
		make_route(subnet, "10.0.1.5/32", NULL, "eni1"),
		make_neighbour(subnet, "eni1", "10.0.1.5", 5),
		make_skeleton(subnet, SKELETON_SUBNET_ARP),
		make_skeleton(subnet, SKELETON_SUBNET_STEERING),
		make_steered(subnet, 9, 0x0a000105),
		make_rule(subnet, 0x0a000105),
		make_table_route(subnet, "0.0.0.0/0", "10.255.0.2", "fabric", 0x0a000105, 0),
		make_table_route(subnet, "10.9.0.0/16", "10.255.0.2", "fabric", 0, 0),
		make_table_route(subnet, "10.9.0.0/16", NULL, NULL, 0, 1024),
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		object_list_add(&lab->wanted, &wanted[i]);
}

static inline struct plan lab_plan(const struct lab *lab)
{
	struct plan plan = { 0 };

	for (size_t i = 0; i < lab->wanted.count; i++)
		plan_put(&plan, lab->wanted.items[i]);
	return plan;
}

static inline void lab_assert(const struct lab *lab)
{
	const struct rid all[] = { lab->vpc, lab->subnet, lab->instance, lab->gateway,
				   lab->peering };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_true(exists(lab->kernel, all[i]));
		assert_dump(lab->kernel, all[i], &lab->wanted);
	}
}

static inline void lab_up(struct lab *lab)
{
	struct plan plan = lab_plan(lab);

	plan_succeed(&plan, lab->kernel);
}

static inline int contract_setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct error error = ERROR_INIT;

	if (kernel_open(&lab->kernel, &error) < 0)
		fail_msg("%s", error.text);
	lab->vpc = rid_new(KIND_VPC);
	lab->subnet = rid_new(KIND_SUBNET);
	lab->instance = rid_new(KIND_INSTANCE);
	lab->gateway = rid_new(KIND_INTERNET_GATEWAY);
	lab->peering = rid_new(KIND_VPC_PEERING);
	lab_describe(lab);
	*state = lab;
	return 0;
}

/* A namespace of the test's own, which goes even when the test fails. */
static inline struct rid lab_extra(struct lab *lab)
{
	struct object object = make_namespace(rid_new(KIND_INSTANCE));

	object_list_add(&lab->extras, &object);
	return object.ns;
}

static inline int contract_teardown(void **state)
{
	struct lab *lab = *state;
	struct plan plan = { 0 };

	for (size_t i = 0; i < lab->extras.count; i++)
		plan_delete(&plan, lab->extras.items[i]);
	plan_delete(&plan, make_namespace(lab->instance));
	plan_delete(&plan, make_namespace(lab->gateway));
	plan_delete(&plan, make_namespace(lab->peering));
	plan_delete(&plan, make_namespace(lab->subnet));
	plan_delete(&plan, make_namespace(lab->vpc));
	plan_succeed(&plan, lab->kernel);
	kernel_close(lab->kernel);
	object_list_clear(&lab->wanted);
	object_list_clear(&lab->extras);
	free(lab);
	return 0;
}

static void a_world_is_dumped_as_it_was_wanted(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	lab_assert(lab);
	/* And once more: the same is no conflict. */
	lab_up(lab);
	lab_assert(lab);
}

static void a_world_goes_in_reverse_and_twice(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	for (int round = 0; round < 2; round++) {
		struct plan plan = { 0 };

		for (size_t i = lab->wanted.count; i-- > 0;)
			plan_delete(&plan, lab->wanted.items[i]);
		plan_succeed(&plan, lab->kernel);
		assert_false(exists(lab->kernel, lab->vpc));
		assert_false(exists(lab->kernel, lab->subnet));
		assert_false(exists(lab->kernel, lab->instance));
		assert_false(exists(lab->kernel, lab->gateway));
		assert_false(exists(lab->kernel, lab->peering));
	}
}

static void objects_go_one_by_one(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	while (lab->wanted.count) {
		struct object object = lab->wanted.items[lab->wanted.count - 1];
		struct plan plan = { 0 };

		if (object.kind == OBJECT_NETNS)
			break;
		plan_delete(&plan, object);
		plan_succeed(&plan, lab->kernel);
		lab->wanted.count--;
		lab_assert(lab);
	}
}

/* The whole world, and then something impossible. */
static void a_failure_leaves_nothing(void **state)
{
	struct lab *lab = *state;
	struct plan plan = lab_plan(lab);

	plan_put(&plan, make_route(lab->subnet, "10.0.9.0/24", "10.255.0.9", "nowhere"));
	plan_fail(&plan, lab->kernel, ENODEV,
		  "route 10.0.9.0/24 via 10.255.0.9 dev nowhere: No such device");
	assert_false(exists(lab->kernel, lab->vpc));
	assert_false(exists(lab->kernel, lab->subnet));
	assert_false(exists(lab->kernel, lab->instance));
	assert_false(exists(lab->kernel, lab->gateway));
	assert_false(exists(lab->kernel, lab->peering));
}

/* Every kind of change to a world that stands, taken back. */
static void a_failure_restores_what_was_there(void **state)
{
	struct lab *lab = *state;
	const struct rid subnet = lab->subnet, vpc = lab->vpc, gateway = lab->gateway;
	struct rid more = rid_new(KIND_INSTANCE);
	struct plan plan = { 0 };

	lab_up(lab);
	plan_delete(&plan, make_route(subnet, "10.0.1.0/24", NULL, NULL));
	plan_replace(&plan, make_route(subnet, "0.0.0.0/0", "10.255.0.2", "fabric"),
		     make_route(subnet, "0.0.0.0/0", "10.255.0.7", "fabric"));
	plan_put(&plan, make_route(subnet, "10.0.7.0/24", "10.255.0.7", "fabric"));
	plan_put(&plan, make_address(subnet, "lo", "10.0.1.2/32"));
	plan_delete(&plan, make_address(subnet, "lo", "10.0.1.1/32"));
	plan_replace(&plan, make_neighbour(subnet, "fabric", "10.255.0.2", 3),
		     make_neighbour(subnet, "fabric", "10.255.0.2", 9));
	plan_put(&plan, make_neighbour(subnet, "fabric", "10.255.0.9", 9));
	plan_replace(&plan, make_fdb(vpc, "subnet1", 1), make_fdb(vpc, "gateway1", 1));
	plan_delete(&plan, make_fdb(vpc, "gateway1", 3));
	plan_replace(&plan, make_element(gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.5"),
		     make_element(gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.6"));
	plan_delete(&plan, make_element(gateway, ELEMENT_PRIVATE, "10.0.1.5", "198.18.0.5"));
	plan_put(&plan, make_element(gateway, ELEMENT_PRIVATE, "10.0.1.7", "198.18.0.7"));
	plan_delete(&plan, make_skeleton(subnet, SKELETON_SUBNET));
	plan_put(&plan, make_skeleton(subnet, SKELETON_SUBNET));
	/* A launch and a termination. */
	plan_put(&plan, make_namespace(more));
	plan_put(&plan, make_veth(subnet, "eni2", more, "eth0", 6));
	plan_put(&plan, make_address(more, "eth0", "10.0.1.6/24"));
	plan_delete(&plan, make_route(subnet, "10.0.1.5/32", NULL, "eni1"));
	plan_delete(&plan, make_table_route(subnet, "10.9.0.0/16", "10.255.0.2", "fabric", 0, 0));
	plan_delete(&plan, make_rule(subnet, 0x0a000105));
	plan_delete(&plan, make_neighbour(subnet, "eni1", "10.0.1.5", 5));
	plan_delete(&plan, make_route(lab->instance, "0.0.0.0/0", "10.0.1.1", "eth0"));
	plan_delete(&plan, make_route(lab->instance, "::/0", "fd00:1::1", "eth0"));
	plan_delete(&plan, make_address(lab->instance, "eth0", "10.0.1.5/24"));
	plan_delete(&plan, make_address(lab->instance, "eth0", "fd00:1::5/64"));
	plan_delete(&plan, make_veth(subnet, "eni1", lab->instance, "eth0", 5));
	plan_delete(&plan, make_namespace(lab->instance));
	plan_put(&plan, make_address(subnet, "nowhere", "10.0.1.3/32"));
	plan_fail(&plan, lab->kernel, ENODEV, "address 10.0.1.3/32 dev nowhere: No such device");
	lab_assert(lab);
	assert_false(exists(lab->kernel, more));
}

/* What was there before a transaction is not its own to take back. */
static void a_failure_leaves_what_it_did_not_make(void **state)
{
	struct lab *lab = *state;
	struct plan plan;

	lab_up(lab);
	plan = lab_plan(lab);
	plan_delete(&plan, make_route(lab->subnet, "10.0.99.0/24", NULL, NULL)); /* not there */
	plan_put(&plan, make_address(lab->subnet, "nowhere", "10.0.1.3/32"));
	plan_fail(&plan, lab->kernel, ENODEV, "nowhere");
	lab_assert(lab);
}

static void something_else_is_in_the_way(void **state)
{
	struct lab *lab = *state;
	struct object bridge = make_link(lab->vpc, LINK_BRIDGE, "fabric");
	struct object address = make_address(lab->subnet, "lo", "10.0.1.1/32");
	struct object cases[] = {
		make_route(lab->subnet, "0.0.0.0/0", "10.255.0.3", "fabric"),
		make_route(lab->subnet, "10.0.1.0/24", NULL, "fabric"),
		make_neighbour(lab->subnet, "fabric", "10.255.0.2", 4),
		make_fdb(lab->vpc, "gateway1", 1),
		make_element(lab->gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.6"),
		make_link(lab->vpc, LINK_BRIDGE, "subnet1"),
		bridge,
	};

	cases[ARRAY_SIZE(cases) - 1].link.mtu = 1500;
	lab_up(lab);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan plan = { 0 };

		/* Something before it and after it in the same batch, which must go again. */
		plan_put(&plan, make_route(lab->subnet, "10.0.55.0/24", NULL, NULL));
		plan_put(&plan, cases[i]);
		plan_put(&plan, address);
		plan_fail(&plan, lab->kernel, EEXIST, object_describe(&cases[i]).text);
		lab_assert(lab);
	}
}

static void parents_have_to_exist(void **state)
{
	struct lab *lab = *state;
	struct rid nowhere = rid_new(KIND_SUBNET);
	struct object orphan = make_veth(lab->vpc, "port9", lab->gateway, "other", 9);
	const struct {
		struct object object;
		int sys;
	} cases[] = {
		{ make_link(nowhere, LINK_BRIDGE, "fabric"), ENOENT },
		{ make_link(nowhere, LINK_LOOPBACK, "lo"), ENOENT },
		{ make_veth(nowhere, "eni9", lab->vpc, "eth9", 9), ENOENT },
		{ make_veth(lab->vpc, "eni9", nowhere, "eth9", 9), ENOENT },
		{ make_address(nowhere, "lo", "10.0.0.1/32"), ENOENT },
		{ make_route(nowhere, "10.0.0.1/32", NULL, NULL), ENOENT },
		{ make_sysctl(nowhere, "ipv4/ip_forward", 1), ENOENT },
		{ make_skeleton(nowhere, SKELETON_SUBNET), ENOENT },
		{ make_element(nowhere, ELEMENT_PUBLIC, "198.18.0.1", "10.0.0.1"), ENOENT },
		/* no map there: it has the other skeleton */
		{ make_element(lab->subnet, ELEMENT_PUBLIC, "198.18.0.1", "10.0.0.1"), ENOENT },
		{ make_address(lab->vpc, "nowhere", "10.0.0.1/32"), ENODEV },
		{ make_route(lab->vpc, "10.0.0.1/32", NULL, "nowhere"), ENODEV },
		{ make_neighbour(lab->vpc, "nowhere", "10.0.0.1", 1), ENODEV },
		{ make_fdb(lab->vpc, "nowhere", 9), ENODEV },
		{ make_fdb(lab->subnet, "eni1", 9), EOPNOTSUPP }, /* no port of a bridge */
	};

	memcpy(orphan.link.master, "nobridge", sizeof("nobridge"));
	lab_up(lab);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan plan = { 0 };

		plan_put(&plan, cases[i].object);
		plan_fail(&plan, lab->kernel, cases[i].sys, object_describe(&cases[i].object).text);
		/* Its deletion is no error, though: it isn't there. */
		plan_delete(&plan, cases[i].object);
		plan_succeed(&plan, lab->kernel);
	}
	for (int round = 0; round < 2; round++) {
		struct plan plan = { 0 };

		plan_replace(&plan, make_route(nowhere, "10.0.0.1/32", NULL, NULL),
			     make_route(nowhere, "10.0.0.1/32", NULL, "lo"));
		plan_fail(&plan, lab->kernel, ENOENT, "route 10.0.0.1/32 dev lo");
		plan_put(&plan, orphan);
		plan_fail(&plan, lab->kernel, ENODEV, object_describe(&orphan).text);
		lab_assert(lab); /* the pair that was made before the master was missed is gone */
	}
}

static void replacing(void **state)
{
	struct lab *lab = *state;
	struct object before[] = {
		make_route(lab->subnet, "0.0.0.0/0", "10.255.0.2", "fabric"),
		make_neighbour(lab->subnet, "fabric", "10.255.0.2", 3),
		make_fdb(lab->vpc, "subnet1", 1),
		make_element(lab->gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.5"),
		make_address(lab->subnet, "lo", "10.0.1.1/32"),
		make_route(lab->subnet, "10.0.1.0/24", NULL, NULL),
	};
	const struct object after[] = {
		make_route(lab->subnet, "0.0.0.0/0", NULL, NULL),
		make_neighbour(lab->subnet, "fabric", "10.255.0.2", 9),
		make_fdb(lab->vpc, "gateway1", 1),
		make_element(lab->gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.6"),
		make_address(lab->subnet, "lo", "10.0.1.254/32"),
		make_route(lab->subnet, "10.0.2.0/24", NULL, NULL),
	};
	struct plan plan = { 0 };

	lab_up(lab);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		plan_replace(&plan, before[i], after[i]);
	plan_succeed(&plan, lab->kernel);
	for (size_t i = 0; i < lab->wanted.count; i++)
		for (size_t n = 0; n < ARRAY_SIZE(before); n++)
			if (object_same(&lab->wanted.items[i], &before[n]))
				lab->wanted.items[i] = after[n];
	lab_assert(lab);
	/* And again: it is so already. */
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		plan_replace(&plan, before[i], after[i]);
	plan_succeed(&plan, lab->kernel);
	lab_assert(lab);
}

static void an_end_takes_its_pair_along(void **state)
{
	struct lab *lab = *state;
	struct object_list found;
	struct plan plan = { 0 };

	lab_up(lab);
	plan_delete(&plan, make_veth(lab->subnet, "eni1", lab->instance, "eth0", 5));
	plan_succeed(&plan, lab->kernel);
	found = dump(lab->kernel, lab->instance);
	assert_int_equal(found.count, 1); /* "lo", nor its addresses and routes */
	object_list_clear(&found);
	found = dump(lab->kernel, lab->subnet);
	for (size_t i = 0; i < found.count; i++)
		assert_null(strstr(object_describe(&found.items[i]).text, "eni1"));
	object_list_clear(&found);
}

/* Something is removed for something with its name, all in one. */
static void a_name_is_used_again(void **state)
{
	struct lab *lab = *state;
	struct object eni = make_veth(lab->subnet, "eni1", lab->instance, "eth0", 5);
	struct plan plan = { 0 };

	lab_up(lab);
	plan_delete(&plan, make_route(lab->subnet, "10.0.1.5/32", NULL, "eni1"));
	plan_delete(&plan, eni);
	plan_delete(&plan, make_namespace(lab->instance));
	plan_put(&plan, make_namespace(lab->instance));
	plan_put(&plan, eni);
	plan_put(&plan, make_link(lab->instance, LINK_LOOPBACK, "lo"));
	plan_put(&plan, make_address(lab->instance, "eth0", "10.0.1.5/24"));
	plan_put(&plan, make_address(lab->instance, "eth0", "fd00:1::5/64"));
	plan_put(&plan, make_route(lab->instance, "0.0.0.0/0", "10.0.1.1", "eth0"));
	plan_put(&plan, make_route(lab->instance, "::/0", "fd00:1::1", "eth0"));
	plan_put(&plan, make_neighbour(lab->subnet, "eni1", "10.0.1.5", 5));
	plan_put(&plan, make_route(lab->subnet, "10.0.1.5/32", NULL, "eni1"));
	plan_succeed(&plan, lab->kernel);
	lab_assert(lab);
	/* A namespace on its way out takes nothing more. */
	plan_delete(&plan, make_namespace(lab->instance));
	plan_put(&plan, make_address(lab->instance, "eth0", "10.0.1.6/24"));
	plan_fail(&plan, lab->kernel, ENOENT, "address 10.0.1.6/24 dev eth0");
	lab_assert(lab);
}

/* More than fits into one batch of either kind, in one transaction. */
static void many(void **state)
{
	struct lab *lab = *state;
	struct object_list found;
	struct plan plan = { 0 };

	lab_up(lab);
	for (int round = 0; round < 2; round++) { /* the second one finds it all */
		for (uint32_t i = 0; i < 3000; i++) {
			struct object element = make(OBJECT_ELEMENT, lab->gateway);

			element_put_address(element.element.key, address_v4(0xc6130000 + i));
			element_put_address(element.element.value, address_v4(0x0a010000 + i));
			plan_put(&plan, element);
		}
		for (uint32_t i = 0; i < 1000; i++) {
			struct object route = make(OBJECT_ROUTE, lab->subnet);

			route.route.destination = cidr_host(address_v4(0x0a010000 + i));
			route.route.type = ROUTE_BLACKHOLE;
			plan_put(&plan, route);
		}
		plan_succeed(&plan, lab->kernel);
		found = dump(lab->kernel, lab->gateway);
		assert_int_equal(found.count, 3000 + 5);
		object_list_clear(&found);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		struct object element = make(OBJECT_ELEMENT, lab->gateway);

		/* half are not there */
		element_put_address(element.element.key, address_v4(0xc6130000 + 2 * i));
		element_put_address(element.element.value, address_v4(0x0a010000 + 2 * i));
		plan_delete(&plan, element);
	}
	plan_succeed(&plan, lab->kernel);
	found = dump(lab->kernel, lab->gateway);
	assert_int_equal(found.count, 1500 + 5);
	object_list_clear(&found);
}

static void nothing_to_do(void **state)
{
	const struct change nothing = { 0 };
	struct error error = ERROR_INIT;
	struct lab *lab = *state;
	struct object_list found = { 0 };

	assert_int_equal(kernel_transact(lab->kernel, NULL, 0, &error), 0);
	assert_int_equal(kernel_transact(lab->kernel, &nothing, 1, &error), 0);
	assert_int_equal(kernel_dump(lab->kernel, lab->vpc, &found, &error), -ENOENT);
	assert_null(found.items);
}

#define CONTRACT_TEST(name) cmocka_unit_test_setup_teardown(name, contract_setup, contract_teardown)

static const struct CMUnitTest contract_tests[] = {
	CONTRACT_TEST(a_world_is_dumped_as_it_was_wanted),
	CONTRACT_TEST(a_world_goes_in_reverse_and_twice),
	CONTRACT_TEST(objects_go_one_by_one),
	CONTRACT_TEST(a_failure_leaves_nothing),
	CONTRACT_TEST(a_failure_restores_what_was_there),
	CONTRACT_TEST(a_failure_leaves_what_it_did_not_make),
	CONTRACT_TEST(something_else_is_in_the_way),
	CONTRACT_TEST(parents_have_to_exist),
	CONTRACT_TEST(replacing),
	CONTRACT_TEST(an_end_takes_its_pair_along),
	CONTRACT_TEST(a_name_is_used_again),
	CONTRACT_TEST(many),
	CONTRACT_TEST(nothing_to_do),
};
