/* A model that was read from disk: see whole.h. */
#include "model/whole.h"

#include <errno.h>

#include "model/acl.h"
#include "model/attachment.h"
#include "model/instance.h"
#include "model/nat_gateway.h"
#include "model/region.h"
#include "model/route.h"

/* ---- what refers to what ---- */

enum need {
	NEED_KIND,  /* unset, or an id of that kind: what it names may be gone by now */
	NEED_THERE, /* unset, or of a resource that is there, of the same account and region */
	NEED_SET,   /* of such a one */
};

struct reference {
	enum kind from;
	const char *path; /* of the stored field: its names, with a dot between them */
	enum kind to;
	enum need need;
};

/* Where a route leads may be of several kinds and gone: routes know that. */
static const struct reference references[] = {
	{ KIND_VPC, "dhcpOptions", KIND_DHCP_OPTIONS, NEED_THERE },
	{ KIND_SUBNET, "vpcId", KIND_VPC, NEED_SET },
	{ KIND_INTERNET_GATEWAY, "vpc", KIND_VPC, NEED_THERE },
	{ KIND_EGRESS_GATEWAY, "vpc", KIND_VPC, NEED_THERE },
	{ KIND_ROUTE_TABLE, "vpcId", KIND_VPC, NEED_SET },
	{ KIND_ROUTE_TABLE, "routeSet.destinationPrefixListId", KIND_PREFIX_LIST, NEED_THERE },
	{ KIND_ROUTE_TABLE, "associationSet.subnetId", KIND_SUBNET, NEED_THERE },
	{ KIND_ROUTE_TABLE, "associationSet.gatewayId", KIND_INTERNET_GATEWAY, NEED_THERE },
	{ KIND_SECURITY_GROUP, "vpcId", KIND_VPC, NEED_SET },
	{ KIND_NETWORK_ACL, "vpcId", KIND_VPC, NEED_SET },
	{ KIND_NETWORK_ACL, "associationSet.subnetId", KIND_SUBNET, NEED_SET },
	{ KIND_VPC_PEERING, "requesterVpcInfo.vpcId", KIND_VPC, NEED_KIND },
	{ KIND_VPC_PEERING, "accepterVpcInfo.vpcId", KIND_VPC, NEED_KIND },
	{ KIND_NAT_GATEWAY, "subnetId", KIND_SUBNET, NEED_KIND },
	{ KIND_NAT_GATEWAY, "vpcId", KIND_VPC, NEED_KIND },
	{ KIND_NAT_GATEWAY, "interface", KIND_NETWORK_INTERFACE, NEED_KIND },
	{ KIND_NAT_GATEWAY, "natGatewayAddressSet.allocationId", KIND_ELASTIC_IP, NEED_KIND },
	{ KIND_SECURITY_GROUP_RULE, "groupId", KIND_SECURITY_GROUP, NEED_SET },
	{ KIND_SECURITY_GROUP_RULE, "prefixListId", KIND_PREFIX_LIST, NEED_THERE },
	{ KIND_SECURITY_GROUP_RULE, "peer", KIND_SECURITY_GROUP, NEED_KIND },
	{ KIND_SECURITY_GROUP_RULE, "peerVpc", KIND_VPC, NEED_KIND },
	{ KIND_SECURITY_GROUP_RULE, "peering", KIND_VPC_PEERING, NEED_KIND },
	{ KIND_NETWORK_INTERFACE, "subnetId", KIND_SUBNET, NEED_SET },
	{ KIND_NETWORK_INTERFACE, "vpcId", KIND_VPC, NEED_SET },
	{ KIND_NETWORK_INTERFACE, "groupSet.groupId", KIND_SECURITY_GROUP, NEED_SET },
	{ KIND_NETWORK_INTERFACE, "natGateway", KIND_NAT_GATEWAY, NEED_THERE },
	{ KIND_NETWORK_INTERFACE, "endpoint", KIND_VPC_ENDPOINT, NEED_THERE },
	{ KIND_NETWORK_INTERFACE, "instanceId", KIND_INSTANCE, NEED_THERE },
	{ KIND_ELASTIC_IP, "networkInterfaceId", KIND_NETWORK_INTERFACE, NEED_THERE },
	{ KIND_INSTANCE, "subnetId", KIND_SUBNET, NEED_THERE },
	{ KIND_INSTANCE, "vpcId", KIND_VPC, NEED_THERE },
	{ KIND_INSTANCE, "interfaces", KIND_NETWORK_INTERFACE, NEED_SET },
	{ KIND_INSTANCE, "volumes", KIND_VOLUME, NEED_SET },
	{ KIND_VOLUME, "instance", KIND_INSTANCE, NEED_THERE },
	{ KIND_VPC_ENDPOINT, "vpcId", KIND_VPC, NEED_SET },
	{ KIND_VPC_ENDPOINT, "groupSet.groupId", KIND_SECURITY_GROUP, NEED_KIND },
	{ KIND_STACK_RESOURCE, "stack", KIND_STACK, NEED_SET },
	{ KIND_STACK_EVENT, "stack", KIND_STACK, NEED_SET },
	{ KIND_CHANGE_SET, "stack", KIND_STACK, NEED_SET },
};

static int broken(const struct resource *resource, const char *path, const char *what,
		  struct error *error)
{
	error_set(error, ERROR_INTERNAL, "%s: %s %s", rid_format(resource->id).text, path, what);
	return -EBADMSG;
}

static int check_id(const struct view *view, const struct reference *reference, struct rid id,
		    struct error *error)
{
	const struct resource *resource = view->resource, *found;

	if (!rid_is_set(id))
		return reference->need == NEED_SET
			       ? broken(resource, reference->path, "names nothing", error)
			       : 0;
	if (id.kind != reference->to)
		return broken(resource, reference->path, "is of another kind", error);
	found = model_get(view->model, NULL, id);
	if (reference->need == NEED_KIND)
		return 0;
	if (!found)
		return broken(resource, reference->path, "is not there", error);
	return found->scope == resource->scope ? 0
					       : broken(resource, reference->path,
							"is of another account or region", error);
}

static const struct field *find(const struct field *fields, const char *name, size_t length)
{
	for (const struct field *field = fields; field->name; field++)
		if ((field->flags & FIELD_STORED) && strlen(field->name) == length &&
		    strncmp(field->name, name, length) == 0)
			return field;
	return NULL;
}

/* All that a path leads to from `view`. */
static int check_path(const struct view *view, const struct field *fields, const char *path,
		      const struct reference *reference, struct error *error)
{
	const char *rest = path + strcspn(path, ".");
	const struct field *field = find(fields, path, (size_t)(rest - path));
	struct view child;
	int r = 0;

	if (!field)
		abort(); /* the table is wrong */
	if (field->type == FIELD_RID) {
		const struct rid *id = (const void *)((const char *)view->object + field->offset);

		return check_id(view, reference, *id, error);
	}
	for (size_t i = 0; r == 0 && field_child(field, view, i, &child); i++)
		r = check_path(&child, field->fields, *rest ? rest + 1 : "", reference, error);
	return r;
}

static int check_references(const struct model *model, const struct scope *scope,
			    struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(references); i++) {
		const struct reference *it = &references[i];

		for_each_resource (struct resource, resource, scope, it->from) {
			const struct view view = { model, resource, resource };

			r = check_path(&view, resource_type(it->from)->fields, it->path, it, error);
			if (r < 0)
				return r;
		}
	}
	return r;
}

/* ---- what is in a list ---- */

/* They are found by their order. */
static int check_order(const struct resource_list *list, struct error *error)
{
	for (size_t i = 1; i < list->count; i++)
		if (list->items[i]->order == list->items[i - 1]->order)
			return broken(list->items[i], "order", "is another one's too", error);
	return 0;
}

static int check_zone(const struct resource *resource, int64_t zone, struct error *error)
{
	const struct region *region = region_find(resource->scope->region);

	return region && zone >= 0 && zone < (int64_t)strlen(region->zones)
		       ? 0
		       : broken(resource, "zone", "is none of its region's", error);
}

static int check_zones(const struct scope *scope, struct error *error)
{
	int r = 0;

	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET)
		r = r < 0 ? r : check_zone(&subnet->resource, subnet->zone, error);
	for_each_resource (struct instance, instance, scope, KIND_INSTANCE)
		r = r < 0 ? r : check_zone(&instance->resource, instance->zone, error);
	for_each_resource (struct volume, volume, scope, KIND_VOLUME)
		r = r < 0 ? r : check_zone(&volume->resource, volume->zone, error);
	return r;
}

/* ---- what two know of each other ---- */

static bool lists(const struct rid_item *items, size_t count, struct rid id)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += rid_equal(items[i].id, id);
	return found == 1;
}

static int check_instance(const struct model *model, const struct instance *instance,
			  struct error *error)
{
	for (size_t i = 0; i < instance->interface_count; i++)
		if (!rid_equal(interface_get(model, instance->interfaces[i].id)->instance,
			       instance->resource.id))
			return broken(&instance->resource, "interfaces",
				      "has one that is not attached", error);
	for (size_t i = 0; i < instance->volume_count; i++)
		if (!rid_equal(volume_get(model, instance->volumes[i].id)->instance,
			       instance->resource.id))
			return broken(&instance->resource, "volumes",
				      "has one that is not attached", error);
	return 0;
}

static int check_interface(const struct model *model, const struct interface *interface,
			   struct error *error)
{
	const struct instance *instance = instance_get(model, interface->instance);

	if (instance &&
	    !lists(instance->interfaces, instance->interface_count, interface->resource.id))
		return broken(&interface->resource, "instanceId", "does not know of it", error);
	if (!rid_equal(subnet_get(model, interface->subnet)->vpc, interface->vpc))
		return broken(&interface->resource, "vpcId", "is not its subnet's", error);
	if (interface->address.family != AF_INET)
		return broken(&interface->resource, "privateIpAddress", "is no address", error);
	for_each_interface_address(
		address, interface) if (interface_at(model, interface->subnet, address) !=
					interface) return broken(&interface->resource,
								 "privateIpAddress",
								 "is another one's too", error);
	return 0;
}

static int check_volume(const struct model *model, const struct volume *volume, struct error *error)
{
	const struct instance *instance = instance_get(model, volume->instance);

	if (instance && (!volume->device ||
			 !lists(instance->volumes, instance->volume_count, volume->resource.id)))
		return broken(&volume->resource, "instance", "does not know of it", error);
	return 0;
}

static int check_nat_gateway(const struct model *model, const struct nat_gateway *gateway,
			     struct error *error)
{
	const struct interface *interface = interface_get(model, gateway->interface);

	if (gateway->state == NAT_AVAILABLE &&
	    (!interface || !rid_equal(interface->nat_gateway, gateway->resource.id) ||
	     !gateway->address_count))
		return broken(&gateway->resource, "interface", "is not its own", error);
	return 0;
}

static int check_pairs(const struct model *model, const struct scope *scope, struct error *error)
{
	int r = 0;

	for_each_resource (struct instance, instance, scope, KIND_INSTANCE)
		r = r < 0 ? r : check_instance(model, instance, error);
	for_each_resource (struct interface, interface, scope, KIND_NETWORK_INTERFACE)
		r = r < 0 ? r : check_interface(model, interface, error);
	for_each_resource (struct volume, volume, scope, KIND_VOLUME)
		r = r < 0 ? r : check_volume(model, volume, error);
	for_each_resource (struct nat_gateway, gateway, scope, KIND_NAT_GATEWAY)
		r = r < 0 ? r : check_nat_gateway(model, gateway, error);
	return r;
}

/* ---- what every VPC and subnet has ---- */

static bool has_main_table(const struct scope *scope, struct rid vpc)
{
	size_t found = 0;

	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		found += rid_equal(table->vpc, vpc) && route_table_is_main(table);
	return found == 1;
}

static int check_networks(const struct scope *scope, struct error *error)
{
	for_each_resource (struct vpc, vpc, scope, KIND_VPC)
		if (!has_main_table(scope, vpc->resource.id))
			return broken(&vpc->resource, "main route table", "is not there", error);
	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET) {
		const struct acl *acl = acl_of(subnet);

		if (!acl || !rid_equal(acl->vpc, subnet->vpc))
			return broken(&subnet->resource, "network ACL", "is not there", error);
	}
	return 0;
}

int model_check(const struct model *model, struct error *error)
{
	for (size_t i = 0; i < model->scope_count; i++) {
		const struct scope *scope = model->scopes[i];
		int r = 0;

		for (enum kind kind = 0; r == 0 && kind < KIND_MAX; kind++)
			r = check_order(&scope->lists[kind], error);
		if (r < 0 || (r = check_references(model, scope, error)) < 0 ||
		    (r = check_zones(scope, error)) < 0 || (r = check_networks(scope, error)) < 0 ||
		    (r = check_pairs(model, scope, error)) < 0)
			return r;
	}
	return 0;
}
