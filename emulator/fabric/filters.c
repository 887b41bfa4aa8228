/* Security groups and network ACLs as elements: see filters.h. */
#include "fabric/filters.h"

#include "base/hash.h"
#include "fabric/lists.h"
#include "model/fault.h"
#include "model/group.h"
#include "model/peering.h"

/* ---- numbers and bytes ---- */

uint32_t filters_port_id(struct rid interface)
{
	uint32_t id = (uint32_t)(interface.n >> 32 ^ interface.n);

	return id ? id : 1; /* 0 is a connection that nobody tracks */
}

uint32_t filters_port_group(const struct interface *interface)
{
	return address_to_v4(interface->address);
}

bool filters_is_versioned(const struct object *object)
{
	static const bool versioned[ELEMENT_MAP_MAX] = {
		[ELEMENT_SERVICE] = true, [ELEMENT_PEER] = true,   [ELEMENT_OPEN] = true,
		[ELEMENT_NARROW] = true,  [ELEMENT_DENIED] = true, [ELEMENT_EGRESS] = true,
		[ELEMENT_INGRESS] = true, [ELEMENT_WIDE] = true,
	};

	return object->kind == OBJECT_ELEMENT && versioned[object->element.map];
}

/* ---- references ---- */

void reference_list_clear(struct reference_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].groups);
	free(list->items);
	*list = (struct reference_list){ 0 };
}

const struct reference *reference_find(const struct reference_list *list, uint64_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].id == id)
			return &list->items[i];
	return NULL;
}

bool reference_has(const struct reference *reference, const struct interface *interface)
{
	for (size_t i = 0; i < interface->group_count; i++)
		for (size_t j = 0; j < reference->group_count; j++)
			if (rid_equal(interface->groups[i].id, reference->groups[j]))
				return true;
	return false;
}

void reference_list_add(struct reference_list *list, const struct reference *reference)
{
	struct reference *copy;

	if (reference_find(list, reference->id))
		return;
	copy = array_grow(&list->items, &list->count);
	*copy = *reference;
	copy->groups = xmemdup(reference->groups, reference->group_count * sizeof(struct rid));
}

void reference_list_copy(const struct reference_list *list, struct reference_list *ret)
{
	for (size_t i = 0; i < list->count; i++)
		reference_list_add(ret, &list->items[i]);
}

/* ---- what was compiled is kept ---- */

struct compiled {
	uint64_t stamp;		       /* stamp_of() then */
	struct compiled_list lists[2]; /* ingress, egress */
};

struct subnet_references {
	uint64_t stamp; /* of rules and group sets */
	struct reference_list list;
};

struct filters {
	const struct model *model;
	struct map compiled;   /* group set → struct compiled */
	struct map references; /* subnet → struct subnet_references */
};

/* It changes with everything that the set's lists are made of. */
static uint64_t stamp_of(const struct model *model, const struct group_set *set)
{
	uint64_t hash = hash_number(HASH_START, model->changes[KIND_PREFIX_LIST]);

	for (size_t i = 0; i < set->group_count; i++)
		hash = hash_number(hash, group_rules(model, set->groups[i])->revision);
	return hash;
}

struct filters *filters_new(const struct model *model)
{
	struct filters *filters = xcalloc(1, sizeof(*filters));

	filters->model = model;
	return filters;
}

static void compiled_free(struct compiled *compiled)
{
	for (size_t i = 0; i < ARRAY_SIZE(compiled->lists); i++)
		compiled_list_clear(&compiled->lists[i]);
	free(compiled);
}

static void references_free(struct subnet_references *references)
{
	reference_list_clear(&references->list);
	free(references);
}

struct filters *filters_free(struct filters *filters)
{
	if (!filters)
		return NULL;
	map_for_each (&filters->compiled, slot)
		compiled_free(slot->value);
	map_for_each (&filters->references, slot)
		references_free(slot->value);
	map_clear(&filters->compiled);
	map_clear(&filters->references);
	free(filters);
	return NULL;
}

static const struct compiled *compiled_of(struct filters *filters, const struct group_set *set)
{
	struct compiled *compiled = map_get(&filters->compiled, map_key_rid(set->id));
	uint64_t stamp = stamp_of(filters->model, set);

	if (compiled && compiled->stamp == stamp)
		return compiled;
	if (compiled)
		compiled_free(compiled);
	compiled = xcalloc(1, sizeof(*compiled));
	compiled->stamp = stamp;
	for (int egress = 0; egress <= 1; egress++) {
		compile_groups(filters->model, set, egress, &compiled->lists[egress]);
	}
	map_put(&filters->compiled, map_key_rid(set->id), compiled);
	return compiled;
}

uint64_t filters_stamp(const struct model *model)
{
	return model->changes[KIND_SECURITY_GROUP_RULE] + model->changes[KIND_PREFIX_LIST] +
	       model->changes[KIND_GROUP_SET] + model->changes[KIND_SUBNET];
}

static void forget(struct filters *filters, struct rid set)
{
	struct compiled *compiled = map_take(&filters->compiled, map_key_rid(set));

	if (compiled)
		compiled_free(compiled);
}

const struct reference_list *filters_references(struct filters *filters, struct rid subnet)
{
	struct subnet_references *known = map_get(&filters->references, map_key_rid(subnet));
	uint64_t stamp = filters_stamp(filters->model);

	if (known && known->stamp == stamp)
		return &known->list;
	if (!known) {
		known = xcalloc(1, sizeof(*known));
		map_put(&filters->references, map_key_rid(subnet), known);
	}
	reference_list_clear(&known->list);
	known->stamp = stamp;
	for_each_group_set(set, filters->model)
	{
		const struct compiled *compiled;

		if (!rid_equal(set->subnet, subnet))
			continue;
		compiled = compiled_of(filters, set);
		for (int egress = 0; egress <= 1; egress++)
			reference_list_copy(&compiled->lists[egress].references, &known->list);
	}
	return &known->list;
}

/* ---- facets ---- */

static bool is_realized(const struct model *model, struct rid id)
{
	const struct subnet *subnet = subnet_get(model, id);

	return subnet && subnet->realized;
}

/* One part of the lists' elements: those of interval sets, or the others. */
static void want_elements(const struct compiled_list *const lists[2], bool intervals,
			  struct object_list *list)
{
	for (int egress = 0; egress <= 1; egress++)
		for (size_t i = 0; i < lists[egress]->elements.count; i++) {
			const struct object *object = &lists[egress]->elements.items[i];

			if ((object->element.map == ELEMENT_SERVICE ||
			     object->element.map == ELEMENT_PEER) == intervals)
				object_list_add(list, object);
		}
}

/*
 * Both directions of something. First the intervals, which take a batch of their own; last, and in
 * one batch, the two elements that make the lists count.
 */
static void want_lists(const struct compiled_list *const lists[2], struct object turns[2],
		       struct object_list *list)
{
	want_elements(lists, true, list);
	want_elements(lists, false, list);
	for (int egress = 0; egress <= 1; egress++) {
		put_id(turns[egress].element.value, lists[egress]->version);
		object_list_add(list, &turns[egress]);
	}
}

void filters_want_group_set(struct filters *filters, struct rid id, struct object_list *list)
{
	const struct group_set *set = group_set_get(filters->model, id);
	const struct compiled_list *lists[2];
	const struct compiled *compiled;
	struct object turns[2];

	if (!set)
		forget(filters, id);
	if (!set || !is_realized(filters->model, set->subnet))
		return;
	compiled = compiled_of(filters, set);
	for (int egress = 0; egress <= 1; egress++) {
		lists[egress] = &compiled->lists[egress];
		turns[egress] = element_in(set->subnet, egress ? ELEMENT_EGRESS : ELEMENT_INGRESS);
		put_id(turns[egress].element.key, set->id.n);
	}
	want_lists(lists, turns, list);
}

void filters_want_acl(struct filters *filters, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(filters->model, id);
	struct compiled_list compiled[2] = { 0 };
	const struct compiled_list *const lists[2] = { &compiled[0], &compiled[1] };
	struct object turns[2];
	const struct acl *acl;

	if (!subnet || !subnet->realized)
		return;
	acl = acl_of(subnet);
	for (int egress = 0; egress <= 1; egress++) {
		compile_acl(acl, egress, id, &compiled[egress]);
		turns[egress] = element_in(id, ELEMENT_ACL);
		put_number(turns[egress].element.key, (uint32_t)egress);
	}
	want_lists(lists, turns, list);
	for (int egress = 0; egress <= 1; egress++)
		compiled_list_clear(&compiled[egress]);
}

/* Of all its addresses, in one namespace and under one reference. */
static void want_membership(const struct interface *interface, struct rid ns, uint64_t reference,
			    struct object_list *list)
{
	for_each_interface_address(address, interface)
	{
		struct object object = element_in(ns, ELEMENT_MEMBER);

		put_id(object.element.key, reference);
		element_put_address(object.element.key + 8, address);
		object_list_add(list, &object);
	}
}

static void want_member_in(struct filters *filters, const struct interface *interface,
			   const struct subnet *subnet, struct object_list *list)
{
	const struct reference_list *references = filters_references(filters, subnet->resource.id);

	for (size_t i = 0; i < references->count; i++)
		if (reference_has(&references->items[i], interface))
			want_membership(interface, subnet->resource.id, references->items[i].id,
					list);
}

/* What was a peer's is one no more when the peering has gone, though the lists still refer to it.
 */
static void want_memberships(struct filters *filters, const struct interface *interface,
			     struct object_list *list)
{
	CLEANUP(freep) struct vpc **vpcs = NULL;
	size_t count = peering_referable(filters->model, interface->vpc, &vpcs);

	for (size_t i = 0; i < count; i++)
		for_each_resource (struct subnet, subnet, vpcs[i]->resource.scope, KIND_SUBNET)
			if (subnet->realized && rid_equal(subnet->vpc, vpcs[i]->resource.id))
				want_member_in(filters, interface, subnet, list);
}

void filters_want_member(struct filters *filters, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(filters->model, id);

	if (interface)
		want_memberships(filters, interface, list);
}

static void want_sources(const struct interface *interface, enum element_map map,
			 struct object_list *list)
{
	for_each_interface_address(address, interface)
	{
		struct object object = element_in(interface->subnet, map);

		put_number(object.element.key, filters_port_group(interface));
		interface_mac(interface->resource.id, object.element.key + 4);
		element_put_address(object.element.key + 12, address);
		object_list_add(list, &object);
	}
}

void filters_want_interface(struct filters *filters, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(filters->model, id);
	struct object object;

	if (!interface || !is_realized(filters->model, interface->subnet))
		return;
	want_sources(interface, ELEMENT_SOURCE, list);
	if (!fault_darkens(filters->model, interface)) /* it asks for nobody */
		want_sources(interface, ELEMENT_SENDER, list);
	if (!interface->source_dest_check) {
		object = element_in(interface->subnet, ELEMENT_UNCHECKED);
		put_number(object.element.key, filters_port_group(interface));
		object_list_add(list, &object);
	}
	object = element_in(interface->subnet, ELEMENT_PORT);
	put_number(object.element.key, filters_port_group(interface));
	put_id(object.element.value, group_set_id(interface).n);
	put_number(object.element.value + 8, filters_port_id(id));
	object_list_add(list, &object);
	object = element_in(interface->subnet, ELEMENT_TRACKED);
	put_number(object.element.key, filters_port_group(interface));
	put_number(object.element.key + 4, filters_port_id(id));
	object_list_add(list, &object);
}
