/* objects: emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o emulator/base/error.o emulator/base/util.o emulator/base/cidr.o emulator/base/id.o */
/* Kernel objects as values: identity, sameness, text. */
#include "netlink/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct rid subnet = { KIND_SUBNET, 0xa };
static const struct rid other = { KIND_SUBNET, 0xb };

static struct object make(enum object_kind kind)
{
	struct object object;

	memset(&object, 0, sizeof(object));
	object.kind = kind;
	object.ns = subnet;
	return object;
}

static struct cidr cidr(const char *text)
{
	struct cidr result = { 0 };

	assert_int_equal(cidr_parse(text, &result), 0);
	return result;
}

static struct address address(const char *text)
{
	struct address result = { 0 };

	assert_int_equal(address_parse(text, &result), 0);
	return result;
}

static struct object route(const char *destination, const char *gateway, const char *device)
{
	struct object object = make(OBJECT_ROUTE);

	object.route.destination = cidr(destination);
	if (gateway)
		object.route.gateway = address(gateway);
	snprintf(object.route.device, sizeof(object.route.device), "%s", device);
	return object;
}

static struct object veth(const char *name)
{
	struct object object = make(OBJECT_LINK);

	object.link.type = LINK_VETH;
	object.link.mtu = 9001;
	snprintf(object.link.name, sizeof(object.link.name), "%s", name);
	return object;
}

static void assert_same(const struct object *a, const struct object *b)
{
	assert_int_equal(object_compare_key(a, b), 0);
	assert_true(object_same(a, b));
	assert_true(object_same(b, a));
}

static void assert_clash(const struct object *a, const struct object *b)
{
	assert_int_equal(object_compare_key(a, b), 0);
	assert_false(object_same(a, b));
	assert_false(object_same(b, a));
}

static void assert_apart(const struct object *a, const struct object *b)
{
	int order = object_compare_key(a, b);

	assert_int_not_equal(order, 0);
	assert_true((order < 0) == (object_compare_key(b, a) > 0));
	assert_false(object_same(a, b));
}

static void routes_are_known_by_destination(void **state)
{
	struct object a = route("10.0.2.0/24", "10.0.2.1", "fabric"), b = a;
	struct object blackhole = make(OBJECT_ROUTE);

	(void)state;
	assert_same(&a, &b);
	b = route("10.0.2.0/24", "10.0.2.1", "eni1");
	assert_clash(&a, &b);
	b = route("10.0.2.0/24", "10.0.2.2", "fabric");
	assert_clash(&a, &b);
	b = route("10.0.2.0/24", NULL, "fabric");
	assert_clash(&a, &b);
	b = route("10.0.2.0/25", "10.0.2.1", "fabric");
	assert_apart(&a, &b);
	b = a;
	b.ns = other;
	assert_apart(&a, &b);
	blackhole.route.destination = cidr("10.0.2.0/24");
	blackhole.route.type = ROUTE_BLACKHOLE;
	assert_clash(&a, &blackhole);
}

static void links_leave_room_to_the_kernel(void **state)
{
	struct object a = veth("eni1"), b = a;

	(void)state;
	snprintf(b.link.peer_name, sizeof(b.link.peer_name), "eth0");
	b.link.peer_ns = other;
	b.link.peer_mac.bytes[5] = 1;
	b.link.mac.bytes[5] = 2; /* chosen by the kernel */
	assert_same(&a, &b);
	a.link.mac.bytes[5] = 3;
	assert_clash(&a, &b);
	a.link.mac = b.link.mac;
	b.link.mtu = 0;
	assert_same(&a, &b);
	b.link.mtu = 1500;
	assert_clash(&a, &b);
	b = a;
	b.link.down = true;
	assert_clash(&a, &b);
	b = a;
	snprintf(b.link.master, sizeof(b.link.master), "fabric");
	assert_clash(&a, &b);
	b = a;
	b.link.type = LINK_BRIDGE;
	assert_clash(&a, &b);
	b = veth("eni2");
	assert_apart(&a, &b);
}

static void addresses_keep_host_bits(void **state)
{
	struct object a = make(OBJECT_ADDRESS), b;

	(void)state;
	a.address.cidr = cidr("10.0.1.5/24");
	b = a;
	assert_same(&a, &b);
	b.address.cidr = cidr("10.0.1.6/24");
	assert_apart(&a, &b);
	b.address.cidr = cidr("10.0.1.5/32");
	assert_apart(&a, &b);
	b = a;
	snprintf(b.address.device, sizeof(b.address.device), "eth1");
	assert_apart(&a, &b);
	b.address.cidr = cidr("2001:db8::5/64");
	assert_apart(&a, &b);
}

static void small_kinds(void **state)
{
	struct object a = make(OBJECT_FDB), b = a;

	(void)state;
	snprintf(b.fdb.device, sizeof(b.fdb.device), "port2");
	assert_clash(&a, &b); /* a bridge knows a MAC once */
	b.fdb.mac.bytes[0] = 2;
	assert_apart(&a, &b);

	a = make(OBJECT_NEIGHBOUR);
	a.neighbour.address = address("10.0.0.1");
	b = a;
	assert_same(&a, &b);
	b.neighbour.mac.bytes[0] = 2;
	assert_clash(&a, &b);

	a = make(OBJECT_ELEMENT);
	element_put_address(a.element.key, address("198.18.0.1"));
	element_put_address(a.element.value, address("10.0.0.5"));
	b = a;
	element_put_address(b.element.value, address("10.0.0.6"));
	assert_clash(&a, &b);
	b = a;
	b.element.map = ELEMENT_PRIVATE;
	assert_apart(&a, &b);

	a = make(OBJECT_SYSCTL);
	snprintf(a.sysctl.path, sizeof(a.sysctl.path), "ipv4/ip_forward");
	b = a;
	b.sysctl.value = 1;
	assert_clash(&a, &b);

	a = make(OBJECT_NETNS);
	b = a;
	b.netns_pid = 42;
	assert_same(&a, &b);
	b = make(OBJECT_SKELETON);
	assert_apart(&a, &b);
}

static void assert_text(const struct object *object, const char *text)
{
	assert_string_equal(object_describe(object).text, text);
}

static void texts(void **state)
{
	struct object object = route("10.0.2.0/24", "10.0.2.1", "fabric");

	(void)state;
	assert_text(&object, "subnet-0000000000000000a: route 10.0.2.0/24 via 10.0.2.1 dev fabric");
	object = route("10.0.1.5/32", NULL, "eni1");
	assert_text(&object, "subnet-0000000000000000a: route 10.0.1.5/32 dev eni1");
	object.route.type = ROUTE_BLACKHOLE;
	assert_text(&object, "subnet-0000000000000000a: route blackhole 10.0.1.5/32");
	object = veth("eni1");
	snprintf(object.link.peer_name, sizeof(object.link.peer_name), "eth0");
	object.link.peer_ns = (struct rid){ KIND_INSTANCE, 1 };
	assert_text(&object,
		    "subnet-0000000000000000a: veth eni1 peer eth0 in i-00000000000000001");
	object = make(OBJECT_ELEMENT);
	element_put_address(object.element.key, address("198.18.0.1"));
	element_put_address(object.element.value, address("10.0.0.5"));
	assert_text(&object,
		    "subnet-0000000000000000a: element 198.18.0.1 : 10.0.0.5 of map public");
	object = make(OBJECT_FDB);
	object.fdb.mac = (struct mac){ { 2, 0, 0, 0xab, 0, 1 } };
	snprintf(object.fdb.device, sizeof(object.fdb.device), "port1");
	assert_text(&object, "subnet-0000000000000000a: fdb 02:00:00:ab:00:01 dev port1");
}

/* Whatever is in an object, its description ends within the buffer. */
static void longest_text_fits(void **state)
{
	struct object object = veth("enienienienieni");

	(void)state;
	object.link.down = true;
	snprintf(object.link.master, sizeof(object.link.master), "mastermastermas");
	snprintf(object.link.peer_name, sizeof(object.link.peer_name), "peerpeerpeerpee");
	object.link.peer_ns = (struct rid){ KIND_INTERNET_HOST, UINT64_MAX };
	assert_in_range(strlen(object_describe(&object).text), 60, 255);
	assert_non_null(strstr(object_describe(&object).text, "internet-host-0ffffffffffffffff"));
}

static void lists_grow(void **state)
{
	CLEANUP(object_list_clear) struct object_list list = { 0 };
	struct object object = make(OBJECT_SYSCTL);

	(void)state;
	for (int32_t i = 0; i < 1000; i++) {
		object.sysctl.value = i;
		object_list_add(&list, &object);
	}
	assert_int_equal(list.count, 1000);
	for (int32_t i = 0; i < 1000; i++)
		assert_int_equal(list.items[i].sysctl.value, i);
	object_list_clear(&list);
	assert_null(list.items);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_known_by_destination),
		cmocka_unit_test(links_leave_room_to_the_kernel),
		cmocka_unit_test(addresses_keep_host_bits),
		cmocka_unit_test(small_kinds),
		cmocka_unit_test(texts),
		cmocka_unit_test(longest_text_fits),
		cmocka_unit_test(lists_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
