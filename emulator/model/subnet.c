/* Subnets: see subnet.h. */
#include "model/subnet.h"

#include "model/acl.h"
#include "model/fault.h"
#include "model/flow_log.h"
#include "model/interface.h"
#include "model/region.h"
#include "model/route.h"

#define IPV6_LENGTH	   64
#define RESERVED_ADDRESSES 5 /* network, router, DNS, future, last: VPC guide, "subnet sizing" */

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	return zone_name_of(view->resource->scope, ((const struct subnet *)view->object)->zone,
			    scratch);
}

static const char *get_zone_id(const struct view *view, struct buffer *scratch)
{
	return zone_id_of(view->resource->scope, ((const struct subnet *)view->object)->zone,
			  scratch);
}

static const char *get_free(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "%lld",
			 (long long)subnet_free_addresses(view->model, view->object));
}

static const char *get_arn(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "arn:aws:ec2:%s:%s:subnet/%s", view->resource->scope->region,
			 view->resource->scope->account, rid_format(view->resource->id).text);
}

#define DNS_FILTER "private-dns-name-options-on-launch."

static const struct field name_fields[] = {
	FIELD_OF(struct subnet, hostname_type, FIELD_TEXT, "hostnameType",
		 DNS_FILTER "hostname-type", FIELD_BOTH),
	FIELD_OF(struct subnet, resource_name_a, FIELD_BOOL, "enableResourceNameDnsARecord",
		 DNS_FILTER "enable-resource-name-dns-a-record", FIELD_BOTH),
	FIELD_OF(struct subnet, resource_name_aaaa, FIELD_BOOL, "enableResourceNameDnsAAAARecord",
		 DNS_FILTER "enable-resource-name-dns-aaaa-record", FIELD_BOTH),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct subnet),
	FIELD_GET_OF(get_id, "subnetId", "subnet-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_GET_OF(get_arn, "subnetArn", "subnet-arn"),
	FIELD_OF(struct subnet, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_OF(struct subnet, cidr, FIELD_CIDR, "cidrBlock", "cidr-block cidr cidrBlock",
		 FIELD_BOTH),
	FIELD_CONST_OF("available", "state", "state"),
	FIELD_GET_OF(get_free, "availableIpAddressCount", "available-ip-address-count"),
	FIELD_OF(struct subnet, zone, FIELD_INT, "zone", NULL, FIELD_STORED),
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone availabilityZone"),
	FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id availabilityZoneId"),
	FIELD_OF(struct subnet, default_for_az, FIELD_BOOL, "defaultForAz",
		 "default-for-az defaultForAz", FIELD_BOTH),
	FIELD_OF(struct subnet, map_public_ip, FIELD_BOOL, "mapPublicIpOnLaunch",
		 "map-public-ip-on-launch", FIELD_BOTH),
	FIELD_CONST_OF("false", "mapCustomerOwnedIpOnLaunch", "map-customer-owned-ip-on-launch"),
	FIELD_OF(struct subnet, assign_ipv6, FIELD_BOOL, "assignIpv6AddressOnCreation", NULL,
		 FIELD_BOTH),
	FIELD_OF(struct subnet, dns64, FIELD_BOOL, "enableDns64", "enable-dns64", FIELD_BOTH),
	FIELD_CONST_OF("false", "ipv6Native", "ipv6-native"),
	FIELD_LIST_OF(struct subnet, ipv6_cidrs, ipv6_cidr_count, subnet_block_fields,
		      "ipv6CidrBlockAssociationSet", FIELD_BOTH),
	{ .name = "privateDnsNameOptionsOnLaunch",
	  .type = FIELD_STRUCT, /* at offset 0: its fields are the subnet's own */
	  .flags = FIELD_BOTH,
	  .fields = name_fields },
	FIELD_OF(struct subnet, realized, FIELD_BOOL, "realized", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type subnet_type = {
	.kind = KIND_SUBNET,
	.size = sizeof(struct subnet),
	.fields = fields,
	.tag_type = "subnet",
};

struct subnet *subnet_get(const struct model *model, struct rid id)
{
	return (struct subnet *)model_get(model, NULL, id);
}

const char *subnet_zone_name(const struct subnet *subnet, struct buffer *scratch)
{
	return zone_name_of(subnet->resource.scope, subnet->zone, scratch);
}

struct address subnet_router(const struct subnet *subnet)
{
	return address_add(subnet->cidr.address, 1);
}

int64_t subnet_free_addresses(const struct model *model, const struct subnet *subnet)
{
	return (int64_t)cidr_size(subnet->cidr) - RESERVED_ADDRESSES -
	       interface_addresses_in(model, subnet->resource.id);
}

void subnet_realize(struct transaction *transaction, struct subnet *subnet)
{
	vpc_realize(transaction, vpc_get(transaction->model, subnet->vpc));
	if (subnet->realized)
		return;
	transaction_edit(transaction, subnet);
	subnet->realized = true;
}

struct subnet *subnet_default(const struct scope *scope, const char *zone)
{
	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET) {
		CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

		if (subnet->default_for_az &&
		    (!zone || streq(zone, subnet_zone_name(subnet, &scratch))))
			return subnet;
	}
	return NULL;
}

static int check_cidr(const struct model *model, const struct subnet_request *request,
		      struct error *error)
{
	struct cidr cidr = cidr_canonical(request->cidr);
	const struct vpc *vpc = request->vpc;
	size_t siblings = 0;
	bool inside = false;

	for (size_t i = 0; i < vpc->cidr_count; i++)
		inside |= cidr_covers(vpc->cidrs[i].cidr, cidr);
	if (cidr.address.family != AF_INET || cidr.length < 16 || cidr.length > 28 || !inside)
		return error_set(error, ERROR_SUBNET_RANGE, "The CIDR '%s' is invalid.",
				 request->cidr_text);
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET) {
		if (!rid_equal(subnet->vpc, vpc->resource.id))
			continue;
		siblings++;
		if (cidr_overlaps(subnet->cidr, cidr))
			return error_set(error, ERROR_SUBNET_CONFLICT,
					 "The CIDR '%s' conflicts with another subnet",
					 request->cidr_text);
	}
	return quota_check(model, QUOTA_SUBNETS, siblings + 1, error);
}

bool subnet_is_within(const struct subnet *subnet, struct cidr cidr)
{
	for (size_t i = 0; i < subnet->ipv6_cidr_count; i++)
		if (cidr_covers(cidr, subnet->ipv6_cidrs[i].cidr))
			return true;
	return cidr_covers(cidr, subnet->cidr);
}

static int find_zone(const struct subnet_request *request, size_t *ret_zone, struct error *error)
{
	const struct region *region = region_find(request->vpc->resource.scope->region);
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	if (!request->zone) {
		*ret_zone = 0;
		return 0;
	}
	if (zone_find(region, request->zone, ret_zone) == 0)
		return 0;
	for (size_t zone = 0; region->zones[zone]; zone++)
		buffer_printf(&names, "%s%s", zone ? ", " : "", zone_name(region, zone).text);
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter availabilityZone is invalid. Subnets can "
			 "currently only be created in the following availability zones: %s.",
			 request->zone, names.data);
}

int subnet_create(struct transaction *transaction, const struct subnet_request *request,
		  struct subnet **ret_subnet, struct error *error)
{
	struct subnet *subnet;
	size_t zone;
	int r;

	if ((r = check_cidr(transaction->model, request, error)) < 0 ||
	    (r = find_zone(request, &zone, error)) < 0)
		return r;
	subnet = transaction_create(transaction, request->vpc->resource.scope, KIND_SUBNET);
	subnet->vpc = request->vpc->resource.id;
	subnet->cidr = cidr_canonical(request->cidr);
	subnet->zone = (int64_t)zone;
	subnet->hostname_type = xstrdup("ip-name");
	acl_associate_default(transaction, request->vpc, subnet->resource.id);
	*ret_subnet = subnet;
	return 0;
}

int subnet_delete(struct transaction *transaction, struct subnet *subnet, struct error *error)
{
	if (interface_addresses_in(transaction->model, subnet->resource.id) > 0)
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "The subnet '%s' has dependencies and cannot be deleted.",
				 rid_format(subnet->resource.id).text);
	route_table_forget(transaction, subnet->resource.scope, subnet->resource.id);
	acl_forget_subnet(transaction, subnet->resource.scope, subnet->resource.id);
	flow_logs_forget(transaction, &subnet->resource);
	faults_forget(transaction, subnet->resource.id);
	transaction_delete(transaction, subnet);
	return 0;
}

/* ---- IPv6 blocks ---- */

static int check_ipv6(const struct vpc *vpc, struct cidr cidr, const char *text,
		      struct error *error)
{
	bool inside = false;

	for (size_t i = 0; i < vpc->ipv6_cidr_count; i++)
		inside |= cidr_covers(vpc->ipv6_cidrs[i].cidr, cidr);
	if (cidr.length != IPV6_LENGTH || !inside)
		return error_set(error, ERROR_SUBNET_RANGE, "The CIDR '%s' is invalid.", text);
	/* All are of one size: to overlap is to be equal. */
	for_each_resource (struct subnet, subnet, vpc->resource.scope, KIND_SUBNET)
		if (rid_equal(subnet->vpc, vpc->resource.id) && subnet_is_within(subnet, cidr))
			return error_set(error, ERROR_SUBNET_CONFLICT,
					 "The CIDR '%s' conflicts with another subnet", text);
	return 0;
}

int subnet_associate(struct transaction *transaction, struct subnet *subnet, struct cidr cidr,
		     const char *text, const struct block **ret_block, struct error *error)
{
	int r;

	cidr = cidr_canonical(cidr);
	if (subnet->ipv6_cidr_count)
		return error_set(error, ERROR_CIDR_LIMIT,
				 "This subnet '%s' has met its maximum number of allowed IPv6 "
				 "CIDRs: 1",
				 rid_format(subnet->resource.id).text);
	if ((r = check_ipv6(vpc_get(transaction->model, subnet->vpc), cidr, text, error)) < 0)
		return r;
	transaction_edit(transaction, subnet);
	*ret_block = block_add(&subnet->ipv6_cidrs, &subnet->ipv6_cidr_count,
			       KIND_SUBNET_CIDR_ASSOCIATION, cidr);
	return 0;
}

/* The attributes that need a block, by AWS's names. */
static const struct {
	const char *name;
	size_t wanted;	/* of struct ipv6_attributes */
	size_t current; /* of struct subnet */
} attributes_table[] = {
#define ATTRIBUTE(name, member)                                                                    \
	{                                                                                          \
		(name), offsetof(struct ipv6_attributes, member), offsetof(struct subnet, member)  \
	}
	ATTRIBUTE("assign-ipv6-address-on-creation", assign_ipv6),
	ATTRIBUTE("enable-dns64", dns64),
	ATTRIBUTE("enable-resource-name-dns-aaaa-record-on-launch", resource_name_aaaa),
#undef ATTRIBUTE
};

int subnet_disassociate(struct transaction *transaction, struct subnet *subnet, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes_table); i++)
		if (*(const bool *)((const char *)subnet + attributes_table[i].current))
			return error_set(error, ERROR_CIDR_IN_USE,
					 "The subnet IPv6 CIDR block with association ID %s may "
					 "not be disassociated, because its subnet has %s set to "
					 "true.",
					 rid_format(subnet->ipv6_cidrs[0].association).text,
					 attributes_table[i].name);
	transaction_edit(transaction, subnet);
	array_remove(subnet->ipv6_cidrs, &subnet->ipv6_cidr_count, 0);
	return 0;
}

struct subnet *subnet_find_association(const struct scope *scope, struct rid association,
				       const struct block **ret_block)
{
	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET)
		if ((*ret_block =
			     block_find(subnet->ipv6_cidrs, subnet->ipv6_cidr_count, association)))
			return subnet;
	return NULL;
}

int subnet_set_ipv6(struct transaction *transaction, struct subnet *subnet,
		    const struct ipv6_attributes *attributes, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes_table); i++) {
		const bool *wanted = *(const bool *const *)((const char *)attributes +
							    attributes_table[i].wanted);

		if (wanted && *wanted && !subnet->ipv6_cidr_count)
			return error_set(
				error, ERROR_INVALID_PARAMETER_VALUE,
				"Invalid value 'true' for %s. Cannot set %s to true unless "
				"the subnet (%s) has an IPv6 CIDR block associated with "
				"it.",
				attributes_table[i].name, attributes_table[i].name,
				rid_format(subnet->resource.id).text);
	}
	transaction_edit(transaction, subnet);
	for (size_t i = 0; i < ARRAY_SIZE(attributes_table); i++) {
		const bool *wanted = *(const bool *const *)((const char *)attributes +
							    attributes_table[i].wanted);

		if (wanted)
			*(bool *)((char *)subnet + attributes_table[i].current) = *wanted;
	}
	return 0;
}
