/* An in-memory kernel: see fake.h. */
#include "netlink/fake.h"

#include "base/map.h"
#include "netlink/skeleton.h"

#include <errno.h>
#include <stdio.h>

#define BRIDGE_PORTS_MAX 1023 /* the kernel's BR_PORT_BITS */
#define DEFAULT_MTU	 1500

struct space {
	struct rid id;
	pid_t pid;
	struct object_list objects;
};

struct kernel {
	struct map spaces; /* rid → struct space, owned */
	size_t transactions, changes;
	size_t fail_at;		      /* in terms of `changes` */
	int fail_sys;		      /* 0: nothing is to fail */
	const struct object *refused; /* NULL: nothing */
	uint32_t next_mac;
};

static void space_free(struct space *space)
{
	object_list_clear(&space->objects);
	free(space);
}

static void spaces_clear(struct map *spaces)
{
	map_for_each (spaces, slot)
		space_free(slot->value);
	map_clear(spaces);
}

static struct map spaces_copy(const struct map *spaces)
{
	struct map copy = { 0 };

	map_for_each (spaces, slot) {
		const struct space *space = slot->value;
		struct space *twin = xmemdup(space, sizeof(*space));

		twin->objects = (struct object_list){ 0 };
		for (size_t i = 0; i < space->objects.count; i++)
			object_list_add(&twin->objects, &space->objects.items[i]);
		map_put(&copy, slot->key, twin);
	}
	return copy;
}

int kernel_open(struct kernel **ret_kernel, struct error *error __attribute__((unused)))
{
	*ret_kernel = xcalloc(1, sizeof(**ret_kernel));
	return 0;
}

struct kernel *kernel_close(struct kernel *kernel)
{
	if (kernel)
		spaces_clear(&kernel->spaces);
	free(kernel);
	return NULL;
}

void kernel_closep(struct kernel **kernel)
{
	*kernel = kernel_close(*kernel);
}

static struct space *space_get(const struct kernel *kernel, struct rid ns)
{
	return map_get(&kernel->spaces, map_key_rid(ns));
}

/* The index of what has the same identity, or the count. */
static size_t find(const struct space *space, const struct object *object)
{
	size_t i = 0;

	while (i < space->objects.count &&
	       object_compare_key(&space->objects.items[i], object) != 0)
		i++;
	return i;
}

static struct object *find_link(const struct space *space, const char *name)
{
	for (size_t i = 0; i < space->objects.count; i++)
		if (space->objects.items[i].kind == OBJECT_LINK &&
		    streq(space->objects.items[i].link.name, name))
			return &space->objects.items[i];
	return NULL;
}

static bool has_kind(const struct space *space, enum object_kind kind)
{
	for (size_t i = 0; i < space->objects.count; i++)
		if (space->objects.items[i].kind == kind)
			return true;
	return false;
}

static void remove_at(struct space *space, size_t i)
{
	array_remove(space->objects.items, &space->objects.count, i);
}

/* Removes what belongs to the device: all of it, or one kind (IPv4 only, for routes). */
static void remove_dependents(struct space *space, const char *device, enum object_kind only)
{
	for (size_t i = space->objects.count; i-- > 0;) {
		const struct object *object = &space->objects.items[i];

		if (!streq(object_device(object), device))
			continue;
		if (only != OBJECT_NONE && object->kind != only)
			continue;
		if (only == OBJECT_ROUTE && object->route.destination.address.family != AF_INET)
			continue;
		remove_at(space, i);
	}
}

/* One end; `name` is not inside the list. */
static void remove_end(struct space *space, const char *name)
{
	for (size_t i = space->objects.count; i-- > 0;) {
		struct object *object = &space->objects.items[i];

		if (object->kind == OBJECT_LINK && streq(object->link.master, name)) {
			const struct object port = *object;

			memset(object->link.master, 0, sizeof(object->link.master));
			remove_dependents(space, port.link.name, OBJECT_FDB);
			i = MIN(i, space->objects.count);
		}
	}
	remove_dependents(space, name, OBJECT_NONE);
	for (size_t i = 0; i < space->objects.count; i++)
		if (space->objects.items[i].kind == OBJECT_LINK &&
		    streq(space->objects.items[i].link.name, name)) {
			remove_at(space, i);
			return;
		}
}

static void remove_link(struct kernel *kernel, struct space *space, const char *name)
{
	const struct object *found = find_link(space, name);
	struct space *other;
	struct object link;

	if (!found || found->link.type == LINK_LOOPBACK)
		return;
	link = *found;
	remove_end(space, link.link.name);
	other = rid_is_set(link.link.peer_ns) ? space_get(kernel, link.link.peer_ns) : NULL;
	if (other)
		remove_end(other, link.link.peer_name);
}

static void remove_space(struct kernel *kernel, struct space *space)
{
	for (size_t i = space->objects.count; i-- > 0; i = MIN(i, space->objects.count)) {
		struct object object = space->objects.items[i];

		if (object.kind == OBJECT_LINK)
			remove_link(kernel, space, object.link.name);
	}
	map_take(&kernel->spaces, map_key_rid(space->id));
	space_free(space);
}

static int refuse(const struct object *object, int sys, struct error *error)
{
	return error_sys(error, sys, "%s", object_describe(object).text);
}

/* 1: the same is there already. */
static int check_name(const struct space *space, const struct object *object, struct error *error)
{
	size_t i = find(space, object);

	if (i == space->objects.count)
		return 0;
	if (object_same(&space->objects.items[i], object))
		return 1;
	return error_sys(error, EEXIST, "%s: there is %s", object_describe(object).text,
			 object_describe(&space->objects.items[i]).text);
}

static int check_master(const struct space *space, const struct object *object, struct error *error)
{
	const struct object *master = find_link(space, object->link.master);
	size_t ports = 0;

	if (!object->link.master[0])
		return 0;
	if (!master)
		return refuse(object, ENODEV, error);
	if (master->link.type != LINK_BRIDGE)
		return refuse(object, EOPNOTSUPP, error);
	for (size_t i = 0; i < space->objects.count; i++)
		ports += space->objects.items[i].kind == OBJECT_LINK &&
			 streq(space->objects.items[i].link.master, object->link.master);
	return ports < BRIDGE_PORTS_MAX ? 0 : refuse(object, EXFULL, error);
}

static struct mac choose_mac(struct kernel *kernel, struct mac wanted)
{
	static const struct mac none;
	uint32_t n;

	if (memcmp(&wanted, &none, sizeof(wanted)) != 0)
		return wanted;
	n = ++kernel->next_mac;
	return (struct mac){ { 0x02, 0xfa, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
			       (uint8_t)(n >> 8), (uint8_t)n } };
}

/* The other end as its own namespace has it. */
static struct object other_end(const struct object *object)
{
	struct object other;

	memset(&other, 0, sizeof(other));
	other.kind = OBJECT_LINK;
	other.ns = object->link.peer_ns;
	other.link.type = LINK_VETH;
	other.link.mtu = object->link.mtu;
	other.link.mac = object->link.peer_mac;
	memcpy(other.link.name, object->link.peer_name, sizeof(other.link.name));
	memcpy(other.link.peer_name, object->link.name, sizeof(other.link.peer_name));
	other.link.peer_ns = object->ns;
	other.link.peer_mac = object->link.mac;
	return other;
}

static int put_link(struct kernel *kernel, struct space *space, const struct object *wanted,
		    struct error *error)
{
	struct object object = *wanted, other;
	struct space *peer_space;
	int r;

	r = check_master(space, wanted, error);
	if (r < 0)
		return r;
	if (object.link.type != LINK_LOOPBACK && !object.link.mtu)
		object.link.mtu = DEFAULT_MTU;
	if (object.link.type != LINK_LOOPBACK)
		object.link.mac = choose_mac(kernel, object.link.mac);
	if (object.link.type == LINK_VETH) {
		if (!rid_is_set(object.link.peer_ns) || !object.link.peer_name[0])
			return refuse(wanted, EINVAL, error);
		peer_space = space_get(kernel, object.link.peer_ns);
		if (!peer_space)
			return refuse(wanted, ENOENT, error);
		object.link.peer_mac = choose_mac(kernel, object.link.peer_mac);
		other = other_end(&object);
		if (find_link(peer_space, other.link.name))
			return refuse(wanted, EEXIST, error);
		object_list_add(&peer_space->objects, &other);
	}
	object_list_add(&space->objects, &object);
	return 0;
}

static bool has_address(const struct space *space, struct address address)
{
	for (size_t i = 0; i < space->objects.count; i++)
		if (space->objects.items[i].kind == OBJECT_ADDRESS &&
		    address_equal(space->objects.items[i].address.cidr.address, address))
			return true;
	return false;
}

/* What a thing needs to be there before it. */
static int check_parents(const struct space *space, const struct object *object,
			 struct error *error)
{
	const char *device = object_device(object);
	const struct object *link = find_link(space, device);

	/* "lo" is in every namespace. */
	if (device[0] && !link && !streq(device, "lo"))
		return refuse(object, ENODEV, error);
	if (object->kind == OBJECT_FDB && (!link || !link->link.master[0]))
		return refuse(object, EOPNOTSUPP, error);
	if (object->kind == OBJECT_ROUTE && object->route.type == ROUTE_UNICAST && !device[0])
		return refuse(object, ENODEV, error);
	if (object->kind == OBJECT_ROUTE && address_is_set(object->route.gateway) &&
	    has_address(space, object->route.gateway))
		return refuse(object, EINVAL, error); /* "Nexthop has invalid gateway" */
	if (object->kind == OBJECT_ELEMENT) {
		struct object skeleton;

		memset(&skeleton, 0, sizeof(skeleton));
		skeleton.kind = OBJECT_SKELETON;
		skeleton.ns = object->ns;
		skeleton.skeleton.skeleton = skeleton_of(object->element.map);
		if (find(space, &skeleton) == space->objects.count)
			return refuse(object, ENOENT, error);
	}
	return 0;
}

static int put_space(struct kernel *kernel, const struct object *object, struct error *error)
{
	struct space *space = space_get(kernel, object->ns);

	if (space && object->netns_pid && space->pid != object->netns_pid)
		return refuse(object, EEXIST, error);
	if (space)
		return 0;
	space = xcalloc(1, sizeof(*space));
	space->id = object->ns;
	space->pid = object->netns_pid;
	map_put(&kernel->spaces, map_key_rid(object->ns), space);
	return 0;
}

static int put(struct kernel *kernel, const struct object *object, struct error *error)
{
	struct space *space = space_get(kernel, object->ns);
	int r;

	if (object->kind == OBJECT_NETNS)
		return put_space(kernel, object, error);
	if (!space)
		return refuse(object, ENOENT, error);
	if (object->kind == OBJECT_SYSCTL) {
		size_t i = find(space, object);

		if (i < space->objects.count)
			remove_at(space, i);
		object_list_add(&space->objects, object);
		return 0;
	}
	r = check_name(space, object, error);
	if (r != 0)
		return r < 0 ? r : 0;
	if (object->kind == OBJECT_LINK)
		return put_link(kernel, space, object, error);
	r = check_parents(space, object, error);
	if (r == 0)
		object_list_add(&space->objects, object);
	return r;
}

/* A device that loses its last IPv4 address loses its IPv4 routes (the kernel's fib_disable_ip()).
 */
static void after_address(struct space *space, const struct address_object *address)
{
	for (size_t i = 0; i < space->objects.count; i++) {
		const struct object *object = &space->objects.items[i];

		if (object->kind == OBJECT_ADDRESS &&
		    object->address.cidr.address.family == AF_INET &&
		    streq(object->address.device, address->device))
			return;
	}
	if (address->cidr.address.family == AF_INET)
		remove_dependents(space, address->device, OBJECT_ROUTE);
}

static void remove_elements(struct space *space, enum skeleton skeleton)
{
	for (size_t i = space->objects.count; i-- > 0;) {
		const struct object *object = &space->objects.items[i];

		if (object->kind == OBJECT_ELEMENT && skeleton_of(object->element.map) == skeleton)
			remove_at(space, i);
	}
}

static void delete (struct kernel *kernel, const struct object *object)
{
	struct space *space = space_get(kernel, object->ns);
	size_t i;

	if (!space || object->kind == OBJECT_SYSCTL)
		return;
	if (object->kind == OBJECT_NETNS) {
		remove_space(kernel, space);
		return;
	}
	if (object->kind == OBJECT_LINK) {
		remove_link(kernel, space, object->link.name);
		return;
	}
	i = find(space, object);
	if (i == space->objects.count)
		return;
	/* A route or an address goes only when it is exactly this one; the others by their key. */
	if (object->kind == OBJECT_ROUTE && !object_same(&space->objects.items[i], object))
		return;
	remove_at(space, i);
	if (object->kind == OBJECT_ADDRESS)
		after_address(space, &object->address);
	if (object->kind == OBJECT_SKELETON && has_kind(space, OBJECT_ELEMENT))
		remove_elements(space, object->skeleton.skeleton);
}

static int replace(struct kernel *kernel, const struct change *change, struct error *error)
{
	struct space *space = space_get(kernel, change->before.ns);
	size_t i;

	if (object_same(&change->before, &change->after) && change->after.kind != OBJECT_NETNS)
		return put(kernel, &change->after, error);
	/* A route that isn't quite `before` is replaced all the same. */
	if (space && change->after.kind == OBJECT_ROUTE &&
	    object_compare_key(&change->before, &change->after) == 0) {
		i = find(space, &change->after);
		if (i < space->objects.count)
			remove_at(space, i);
	}
	delete (kernel, &change->before);
	return put(kernel, &change->after, error);
}

static int apply(struct kernel *kernel, const struct change *change, struct error *error)
{
	bool removes = change->after.kind == OBJECT_NONE;
	const struct object *object = removes ? &change->before : &change->after;

	size_t number = kernel->changes++;

	if (kernel->fail_sys && number == kernel->fail_at) {
		int sys = kernel->fail_sys;

		kernel->fail_sys = 0;
		return refuse(object, sys, error);
	}
	if (!removes && kernel->refused && object_compare_key(object, kernel->refused) == 0)
		return refuse(object, ENOBUFS, error);
	if (change->before.kind == OBJECT_NONE && !removes)
		return put(kernel, object, error);
	if (!removes)
		return replace(kernel, change, error);
	if (object->kind != OBJECT_NONE)
		delete (kernel, object);
	return 0;
}

int kernel_transact(struct kernel *kernel, const struct change *changes, size_t count,
		    struct error *error)
{
	struct map before = spaces_copy(&kernel->spaces);
	int r = 0;

	kernel->transactions++;
	for (size_t i = 0; i < count && r == 0; i++)
		r = apply(kernel, &changes[i], error);
	if (r < 0) {
		struct map failed = kernel->spaces;

		kernel->spaces = before;
		before = failed;
	}
	spaces_clear(&before);
	return r;
}

int kernel_dump(struct kernel *kernel, struct rid ns, struct object_list *ret_objects,
		struct error *error)
{
	const struct space *space = space_get(kernel, ns);
	struct object_list objects = { 0 };

	if (!space)
		return error_sys(error, ENOENT, "%s", rid_format(ns).text);
	for (size_t i = 0; i < space->objects.count; i++) {
		struct object object = space->objects.items[i];

		if (object.kind == OBJECT_SYSCTL)
			continue;
		if (object.kind == OBJECT_LINK) {
			memset(object.link.peer_name, 0, sizeof(object.link.peer_name));
			memset(&object.link.peer_ns, 0, sizeof(object.link.peer_ns));
			memset(&object.link.peer_mac, 0, sizeof(object.link.peer_mac));
		}
		object_list_add(&objects, &object);
	}
	*ret_objects = objects;
	return 0;
}

int kernel_read_sysctls(struct kernel *kernel, struct rid ns, struct object_list *sysctls,
			struct error *error)
{
	const struct space *space = space_get(kernel, ns);
	size_t kept = 0;

	if (!space)
		return error_sys(error, ENOENT, "%s", rid_format(ns).text);
	for (size_t i = 0; i < sysctls->count; i++) {
		const size_t at = find(space, &sysctls->items[i]);

		if (at < space->objects.count)
			sysctls->items[kept++] = space->objects.items[at];
	}
	sysctls->count = kept;
	return 0;
}

int kernel_check_netns(struct kernel *kernel, const struct object *netns,
		       enum netns_state *ret_state, struct error *error __attribute__((unused)))
{
	const struct space *space = space_get(kernel, netns->ns);

	*ret_state = !space						  ? NETNS_MISSING
		     : netns->netns_pid && netns->netns_pid != space->pid ? NETNS_OTHER
									  : NETNS_THERE;
	return 0;
}

int kernel_list_netns(struct kernel *kernel, struct rid **ret_ids, size_t *ret_count,
		      struct error *error __attribute__((unused)))
{
	struct rid *ids = NULL;
	size_t count = 0;

	map_for_each (&kernel->spaces, slot)
		*array_grow(&ids, &count) = ((const struct space *)slot->value)->id;
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}

void fake_fail_at(struct kernel *kernel, size_t k, int sys)
{
	kernel->fail_at = kernel->changes + k;
	kernel->fail_sys = sys;
}

void fake_list(struct kernel *kernel, struct rid ns, struct object_list *ret_objects)
{
	const struct space *space = space_get(kernel, ns);

	*ret_objects = (struct object_list){ 0 };
	for (size_t i = 0; space && i < space->objects.count; i++)
		object_list_add(ret_objects, &space->objects.items[i]);
}

void fake_refuse(struct kernel *kernel, const struct object *object)
{
	kernel->refused = object;
}

void fake_set(struct kernel *kernel, const struct object *object)
{
	struct space *space = space_get(kernel, object->ns);

	space->objects.items[find(space, object)] = *object;
}

bool fake_has_netns(struct kernel *kernel, struct rid ns)
{
	return space_get(kernel, ns) != NULL;
}

size_t fake_transactions(const struct kernel *kernel)
{
	return kernel->transactions;
}

size_t fake_changes(const struct kernel *kernel)
{
	return kernel->changes;
}

/* No packets here. */
int kernel_connections(struct kernel *kernel, struct rid ns, struct connection_counts *ret_counts,
		       struct error *error)
{
	*ret_counts = (struct connection_counts){ 0 };
	return space_get(kernel, ns) ? 0 : error_sys(error, ENOENT, "%s", rid_format(ns).text);
}

int kernel_drops(struct kernel *kernel, struct rid ns,
		 struct drop_list *ret_drops __attribute__((unused)), struct error *error)
{
	return space_get(kernel, ns) ? 0 : error_sys(error, ENOENT, "%s", rid_format(ns).text);
}

void kernel_sweep(struct kernel *kernel __attribute__((unused)))
{
}
