/* Elastic IPs: see elastic_ip.h. */
#include "model/elastic_ip.h"

#include "model/gateway.h"
#include "model/instance.h"
#include "model/internet.h"

/* ---- what clients see ---- */

static const char *get_border_group(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return view->resource->scope->region;
}

static const char *get_instance(const struct view *view, struct buffer *scratch)
{
	const struct elastic_ip *elastic_ip = view->object;
	const struct interface *interface = interface_get(view->model, elastic_ip->interface);

	return interface && rid_is_set(interface->instance)
		       ? get_print(scratch, "%s", rid_format(interface->instance).text)
		       : NULL;
}

static const char *get_interface_owner(const struct view *view, struct buffer *scratch)
{
	return rid_is_set(((const struct elastic_ip *)view->object)->interface)
		       ? get_owner(view, scratch)
		       : NULL;
}

static const struct field fields[] = {
	RESOURCE_FIELDS(struct elastic_ip),
	FIELD_OF(struct elastic_ip, address, FIELD_ADDRESS, "publicIp", "public-ip", FIELD_BOTH),
	FIELD_GET_OF(get_id, "allocationId", "allocation-id"),
	FIELD_CONST_OF("vpc", "domain", "domain"),
	FIELD_CONST_OF("amazon", "publicIpv4Pool", NULL),
	FIELD_GET_OF(get_border_group, "networkBorderGroup", "network-border-group"),
	FIELD_OF(struct elastic_ip, association, FIELD_RID, "associationId", "association-id",
		 FIELD_BOTH),
	FIELD_GET_OF(get_instance, "instanceId", "instance-id"),
	FIELD_OF(struct elastic_ip, interface, FIELD_RID, "networkInterfaceId",
		 "network-interface-id", FIELD_BOTH),
	FIELD_GET_OF(get_interface_owner, "networkInterfaceOwnerId", "network-interface-owner-id"),
	FIELD_OF(struct elastic_ip, private_address, FIELD_ADDRESS, "privateIpAddress",
		 "private-ip-address", FIELD_BOTH),
	FIELD_OF(struct elastic_ip, domain_name, FIELD_TEXT, "domainName", NULL, FIELD_STORED),
	FIELD_END,
};

const struct field elastic_ip_attribute_fields[] = {
	FIELD_OF(struct elastic_ip, address, FIELD_ADDRESS, "publicIp", NULL, FIELD_SHOWN),
	FIELD_GET_OF(get_id, "allocationId", NULL),
	FIELD_OF(struct elastic_ip, domain_name, FIELD_TEXT, "ptrRecord", NULL, FIELD_SHOWN),
	FIELD_END,
};

/* ---- indexes ---- */

static struct map_key place_key(struct rid interface, struct address private_address)
{
	return (struct map_key){ interface.n, address_to_v4(private_address) };
}

struct elastic_ip *elastic_ip_at(const struct model *model, struct rid interface,
				 struct address private_address)
{
	return map_get(&model->elastic_ips, place_key(interface, private_address));
}

static void index_elastic_ip(struct model *model, struct resource *resource, bool add)
{
	struct elastic_ip *elastic_ip = (struct elastic_ip *)resource;
	const struct map_key key = place_key(elastic_ip->interface, elastic_ip->private_address);

	if (!address_is_set(elastic_ip->address))
		return;
	(add ? internet_hold_public : internet_let_go_public)(model, elastic_ip->address, resource);
	if (!rid_is_set(elastic_ip->association))
		return;
	if (add)
		map_put(&model->elastic_ips, key, elastic_ip);
	else if (map_get(&model->elastic_ips, key) == elastic_ip)
		map_take(&model->elastic_ips, key);
}

const struct resource_type elastic_ip_type = {
	.kind = KIND_ELASTIC_IP,
	.size = sizeof(struct elastic_ip),
	.fields = fields,
	.tag_type = "elastic-ip",
	.index = index_elastic_ip,
};

struct elastic_ip *elastic_ip_get(const struct model *model, struct rid id)
{
	return (struct elastic_ip *)model_get(model, NULL, id);
}

struct elastic_ip *elastic_ip_find(const struct scope *scope, struct rid association)
{
	for_each_resource (struct elastic_ip, elastic_ip, scope, KIND_ELASTIC_IP)
		if (rid_equal(elastic_ip->association, association))
			return elastic_ip;
	return NULL;
}

/* ---- allocate, release ---- */

int elastic_ip_allocate(struct transaction *transaction, struct scope *scope,
			struct elastic_ip **ret_elastic_ip, struct error *error)
{
	struct model *model = transaction->model;
	struct elastic_ip *elastic_ip;
	struct address address;
	int r;

	if ((r = quota_check(model, QUOTA_ADDRESSES, scope->lists[KIND_ELASTIC_IP].count + 1,
			     error)) < 0 ||
	    (r = internet_choose_public(model, &address, error)) < 0)
		return r;
	elastic_ip = transaction_create(transaction, scope, KIND_ELASTIC_IP);
	elastic_ip->address = address;
	internet_hold_public(model, address, &elastic_ip->resource);
	*ret_elastic_ip = elastic_ip;
	return 0;
}

int elastic_ip_release(struct transaction *transaction, struct elastic_ip *elastic_ip,
		       struct error *error)
{
	if (rid_is_set(elastic_ip->association))
		return error_set(error, ERROR_ADDRESS_IN_USE, "Address %s is in use.",
				 address_format(elastic_ip->address).text);
	if (elastic_ip->domain_name)
		return error_set(error, ERROR_ADDRESS_LOCKED,
				 "The address with allocation id [%s] cannot be released because "
				 "it is locked to your account",
				 rid_format(elastic_ip->resource.id).text);
	transaction_delete(transaction, elastic_ip);
	return 0;
}

void elastic_ip_set_domain_name(struct transaction *transaction, struct elastic_ip *elastic_ip,
				const char *name)
{
	transaction_edit(transaction, elastic_ip);
	free(elastic_ip->domain_name);
	elastic_ip->domain_name = xstrdup_null(name);
}

/* ---- associate, disassociate ---- */

static void place(struct transaction *transaction, struct elastic_ip *elastic_ip,
		  struct rid association, struct rid interface, struct address private_address)
{
	transaction_edit(transaction, elastic_ip);
	index_elastic_ip(transaction->model, &elastic_ip->resource, false);
	elastic_ip->association = association;
	elastic_ip->interface = interface;
	elastic_ip->private_address = private_address;
	index_elastic_ip(transaction->model, &elastic_ip->resource, true);
}

static void withdraw(struct transaction *transaction, struct elastic_ip *elastic_ip)
{
	const struct rid none = { KIND_NONE, 0 };

	place(transaction, elastic_ip, none, none, (struct address){ 0 });
}

/* An Elastic IP has left the interface. */
static void renew_public(struct transaction *transaction, struct rid id)
{
	const struct model *model = transaction->model;
	struct interface *interface = interface_get(model, id);
	const struct instance *instance =
		interface ? instance_get(model, interface->instance) : NULL;
	struct error none_left = ERROR_INIT;

	/* When there is none left, it goes without. */
	if (instance && instance->state == INSTANCE_RUNNING &&
	    instance_may_have_public(model, instance))
		interface_assign_public(transaction, interface, &none_left);
}

static int check_place(const struct model *model, const struct interface *interface,
		       struct address private_address, struct error *error)
{
	bool known = false;

	for_each_interface_address(address, interface) known |=
		address_equal(address, private_address);
	if (!known)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Address %s is not assigned to interface %s",
				 address_format(private_address).text,
				 rid_format(interface->resource.id).text);
	if (!gateway_of(vpc_get(model, interface->vpc)))
		return error_set(error, ERROR_GATEWAY_NOT_ATTACHED,
				 "Network %s is not attached to any internet gateway",
				 rid_format(interface->vpc).text);
	return 0;
}

static int check_unassociated(struct rid what, const struct elastic_ip *elastic_ip,
			      struct error *error)
{
	if (!elastic_ip || !rid_is_set(elastic_ip->association))
		return 0;
	return error_set(error, ERROR_ALREADY_ASSOCIATED,
			 "resource %s is already associated with associate-id %s",
			 rid_format(what).text, rid_format(elastic_ip->association).text);
}

int elastic_ip_associate(struct transaction *transaction, struct elastic_ip *elastic_ip,
			 struct interface *interface, struct address private_address, bool may_move,
			 struct error *error)
{
	struct model *model = transaction->model;
	const struct rid id = interface->resource.id, old = elastic_ip->interface;
	const struct address address =
		address_is_set(private_address) ? private_address : interface->address;
	struct elastic_ip *other = elastic_ip_at(model, id, address);
	int r = check_place(model, interface, address, error);

	if (r < 0 || other == elastic_ip)
		return r;
	if (!may_move &&
	    ((r = check_unassociated(elastic_ip->resource.id, elastic_ip, error)) < 0 ||
	     (r = check_unassociated(id, other, error)) < 0))
		return r;
	if (other)
		withdraw(transaction, other);
	place(transaction, elastic_ip, rid_new(KIND_ADDRESS_ASSOCIATION), id, address);
	if (address_equal(address, interface->address))
		interface_release_public(transaction, interface);
	renew_public(transaction, old);
	vpc_realize(transaction, vpc_get(model, interface->vpc));
	return 0;
}

void elastic_ip_disassociate(struct transaction *transaction, struct elastic_ip *elastic_ip)
{
	const struct rid old = elastic_ip->interface;

	if (!rid_is_set(elastic_ip->association))
		return;
	withdraw(transaction, elastic_ip);
	renew_public(transaction, old);
}

void elastic_ip_follow(struct transaction *transaction, struct elastic_ip *elastic_ip,
		       const struct interface *interface)
{
	place(transaction, elastic_ip, elastic_ip->association, interface->resource.id,
	      elastic_ip->private_address);
}
