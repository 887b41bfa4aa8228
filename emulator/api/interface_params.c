/* Reading what network interfaces are to be: see interface_params.h. */
#include "api/interface_params.h"

#include "model/attachment.h"
#include "model/fault.h"
#include "model/group.h"
#include "model/region.h"

/* ---- addresses ---- */

int read_address(const char *text, struct address *ret_address, struct error *error)
{
	if (address_parse(text, ret_address) == 0 && ret_address->family == AF_INET)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "invalid value for parameter address: %s", text);
}

int read_listed(const struct call *call, const char *name, struct interface_address **addresses,
		size_t *count, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t given = params_indices(call->params, name, &indices);

	for (size_t i = 0; i < given; i++) {
		struct address address;
		bool known = false;
		int r = read_address(params_get(call->params, "%s.%u", name, indices[i]), &address,
				     error);

		if (r < 0)
			return r;
		for (size_t j = 0; j < *count; j++)
			known |= address_equal((*addresses)[j].address, address);
		if (!known)
			array_grow(addresses, count)->address = address;
	}
	return 0;
}

int call_interface(const struct call *call, struct interface **ret_interface, struct error *error)
{
	int r = call_resource(call, "NetworkInterfaceId", KIND_NETWORK_INTERFACE, ret_interface,
			      error);

	return r < 0 ? r : interface_check_managed(*ret_interface, error);
}

int read_count(const struct call *call, const char *name, size_t *ret_count, struct error *error)
{
	const char *text = call_text(call, name);
	long count = 0;
	int r = 0;

	if (text && *text)
		r = params_int(text, name, 0, 1000000, &count, error);
	*ret_count = (size_t)count;
	return r;
}

static int excludes(const char *one, const char *other, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
			 "The parameter %s cannot be used with the parameter %s", one, other);
}

static int read_requested(const struct call *call, const char *list, unsigned int index,
			  struct interface_request *request, struct error *error)
{
	const char *text = params_get(call->params, "%s.%u.PrivateIpAddress", list, index);
	const char *primary = params_get(call->params, "%s.%u.Primary", list, index);
	struct address address;
	bool is_primary = false;
	int r;

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter %s.%u.PrivateIpAddress",
				 list, index);
	if ((r = read_address(text, &address, error)) < 0 ||
	    (primary && (r = params_bool(primary, "primary", &is_primary, error)) < 0))
		return r;
	if (is_primary && address_is_set(request->address))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Only one primary private IP address can be specified.");
	if (is_primary)
		request->address = address;
	else
		array_grow(&request->secondaries, &request->secondary_count)->address = address;
	return 0;
}

/* A count of 0 overrides what the subnet gives on creation. */
static int check_ipv6(const struct call *call, const char *prefix, const struct subnet *subnet,
		      struct error *error)
{
	if (!subnet->assign_ipv6 || params_get(call->params, "%sIpv6AddressCount", prefix))
		return 0;
	return ipv6_not_forwarded(error, "the subnet '%s' assigns IPv6 addresses on creation",
				  rid_format(subnet->resource.id).text);
}

int read_addresses(const struct call *call, const char *prefix, struct interface_request *request,
		   struct error *error)
{
	CLEANUP(freep) char *list = xasprintf("%sPrivateIpAddresses", prefix);
	CLEANUP(freep) char *more = xasprintf("%sSecondaryPrivateIpAddressCount", prefix);
	const char *primary = params_get(call->params, "%sPrivateIpAddress", prefix);
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, list, &indices);
	int r;

	if ((r = check_ipv6(call, prefix, request->subnet, error)) < 0 ||
	    (primary && *primary && (r = read_address(primary, &request->address, error)) < 0) ||
	    (r = read_count(call, more, &request->more, error)) < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if ((r = read_requested(call, list, indices[i], request, error)) < 0)
			return r;
	return request->more && request->secondary_count ? excludes(more, list, error) : 0;
}

int check_card(const struct call *call, const char *prefix, struct error *error)
{
	const char *type = params_get(call->params, "%sInterfaceType", prefix);
	const char *card = params_get(call->params, "%sNetworkCardIndex", prefix);
	long index;

	if (type && *type && !streq(type, "interface"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The interface type %s is not supported.", type);
	return card && *card ? params_int(card, "networkCardIndex", 0, 0, &index, error) : 0;
}

/* ---- the interfaces of a launch ---- */

/* What asks for more than there is: by name, so that nobody believes it was done. */
static const char *const refused[] = {
	"Ipv4PrefixCount",
	"Ipv4Prefix",
	"AssociateCarrierIpAddress",
	"EnaQueueCount",
	"ConnectionTrackingSpecification.TcpEstablishedTimeout",
	"ConnectionTrackingSpecification.UdpStreamTimeout",
	"ConnectionTrackingSpecification.UdpTimeout",
};

/* What only an interface that is made can be told. */
static const char *const of_new[] = {
	"SubnetId",	      "PrivateIpAddress", "SecurityGroupId",
	"PrivateIpAddresses", "Description",	  "SecondaryPrivateIpAddressCount",
};

static bool is_given(const struct call *call, const char *prefix, const char *name)
{
	CLEANUP(freep) char *whole = xasprintf("%s%s", prefix, name);

	return call_text(call, whole) || call_has_list(call, whole);
}

/* What is missing that would have told where to launch. */
static int no_default_subnet(const struct call *call, const char *zone, struct error *error)
{
	const struct vpc *vpc = vpc_default(call->scope);
	size_t index;

	if (!vpc)
		return error_set(error, ERROR_VPC_ID_NOT_SPECIFIED, "No default VPC for this user");
	if (!zone)
		return error_set(error, ERROR_MISSING_INPUT,
				 "No subnets found for the default VPC '%s'. Please specify a "
				 "subnet.",
				 rid_format(vpc->resource.id).text);
	if (zone_find(region_find(call->scope->region), zone, &index) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid availability zone: [%s]", zone);
	return error_set(error, ERROR_INVALID_INPUT,
			 "No default subnet for availability zone: '%s'.", zone);
}

/* In a zone that is well, if there is one. */
static struct subnet *default_anywhere(const struct call *call)
{
	const struct region *region = region_find(call->scope->region);
	struct subnet *first = subnet_default(call->scope, NULL), *subnet = first;

	for (size_t zone = 0; first && region->zones[zone]; zone++) {
		if (subnet && !fault_of_zone(call_model(call), region->name, subnet->zone))
			return subnet;
		subnet = subnet_default(call->scope, zone_name(region, zone).text);
	}
	return subnet && !fault_of_zone(call_model(call), region->name, subnet->zone) ? subnet
										      : first;
}

/* The subnet named, or the default one (of a zone, when one is asked for). */
static int read_subnet(const struct call *call, const char *prefix, struct subnet **ret_subnet,
		       struct error *error)
{
	CLEANUP(freep) char *name = xasprintf("%sSubnetId", prefix);
	const char *zone = call_text(call, "Placement.AvailabilityZone");
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	int r;

	if (zone && !*zone) /* as Terraform leaves it out */
		zone = NULL;
	if (call_text(call, name)) {
		if ((r = call_resource(call, name, KIND_SUBNET, ret_subnet, error)) < 0)
			return r;
		if (zone && !streq(zone, subnet_zone_name(*ret_subnet, &scratch)))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The subnet '%s' is in the availability zone %s, not %s",
					 call_text(call, name), scratch.data, zone);
		return 0;
	}
	*ret_subnet = zone ? subnet_default(call->scope, zone) : default_anywhere(call);
	return *ret_subnet ? 0 : no_default_subnet(call, zone, error);
}

/* By name, at instance level alone. */
static int read_group_names(const struct call *call, struct interface_request *request,
			    struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t names = params_indices(call->params, "SecurityGroup", &indices);

	for (size_t i = 0; i < names; i++) {
		const char *name = params_get(call->params, "SecurityGroup.%u", indices[i]);
		const struct rid vpc = request->subnet->vpc;
		const struct group *group = group_named(call->scope, vpc, name);

		if (!group)
			return error_subject(error, ERROR_NOT_FOUND, "sg",
					     "The security group '%s' does not exist in VPC '%s'",
					     name, rid_format(vpc).text);
		rid_item_add(&request->groups, &request->group_count, group->resource.id);
	}
	return 0;
}

static int read_new(const struct call *call, const char *prefix, struct interface_request *request,
		    struct error *error)
{
	CLEANUP(freep) char *groups = xasprintf("%sSecurityGroupId", prefix);
	int r;

	if ((r = read_subnet(call, prefix, &request->subnet, error)) < 0 ||
	    (r = read_addresses(call, prefix, request, error)) < 0)
		return r;
	if (*prefix)
		request->description = params_get(call->params, "%sDescription", prefix);
	r = call_groups(call, groups, &request->groups, &request->group_count, error);
	return r < 0 || *prefix ? r : read_group_names(call, request, error);
}

static int read_existing(const struct call *call, const char *prefix, const char *id,
			 struct launch_interface *wanted, struct error *error)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(of_new); i++)
		if (is_given(call, prefix, of_new[i]))
			return excludes(of_new[i], "NetworkInterfaceId", error);
	if (wanted->delete_on_termination)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "DeleteOnTermination can be true only for a network interface "
				 "that the launch makes");
	if ((r = call_find(call, id, KIND_NETWORK_INTERFACE, &wanted->existing, error)) < 0)
		return r;
	wanted->make.subnet = subnet_get(call_model(call), wanted->existing->subnet);
	return 0;
}

static int read_device_index(const struct call *call, const char *prefix, int64_t *ret_index,
			     struct error *error)
{
	const char *text = params_get(call->params, "%sDeviceIndex", prefix);
	long index;
	int r;

	if (!text || !*text)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Each network interface requires a device index.");
	if ((r = params_int(text, "deviceIndex", 0, DEVICE_INDEX_MAX, &index, error)) < 0)
		return r;
	*ret_index = index;
	return 0;
}

static int read_one(const struct call *call, unsigned int number, struct launch_interface *wanted,
		    struct error *error)
{
	CLEANUP(freep) char *prefix = xasprintf("NetworkInterface.%u.", number);
	CLEANUP(freep) char *delete = xasprintf("%sDeleteOnTermination", prefix);
	const char *id = params_get(call->params, "%sNetworkInterfaceId", prefix);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (is_given(call, prefix, refused[i]))
			return error_set(error, ERROR_UNSUPPORTED_OPERATION,
					 "The parameter %s%s is not supported yet.", prefix,
					 refused[i]);
	if ((r = call_refuse_ipv6(call, prefix, error)) < 0 ||
	    (r = check_card(call, prefix, error)) < 0 ||
	    (r = read_device_index(call, prefix, &wanted->device_index, error)) < 0)
		return r;
	wanted->delete_on_termination = call_bool(call, delete, !id);
	return id ? read_existing(call, prefix, id, wanted, error)
		  : read_new(call, prefix, &wanted->make, error);
}

static int read_public(const struct call *call, unsigned int number, struct launch_request *request,
		       bool *storage, struct error *error)
{
	CLEANUP(freep)
	char *name = xasprintf("NetworkInterface.%u.AssociatePublicIpAddress", number);
	const bool *given = call_optional_bool(call, name, storage);

	if (!given)
		return 0;
	if (request->interface_count > 1)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The associatePublicIPAddress parameter cannot be specified when "
				 "launching with multiple network interfaces.");
	if (request->interfaces[0].existing)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The associatePublicIPAddress parameter cannot be specified for a "
				 "network interface with an ID.");
	request->public_address = given;
	return 0;
}

static int compare_devices(const void *a, const void *b)
{
	const struct launch_interface *left = a, *right = b;

	return (int)(left->device_index - right->device_index);
}

/* Sorts them, which the caller's indices are not from then on. */
static int check_devices(struct launch_request *request, struct error *error)
{
	qsort(request->interfaces, request->interface_count, sizeof(*request->interfaces),
	      compare_devices);
	if (request->interfaces[0].device_index != 0)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "When specifying network interfaces, you must include a device "
				 "at index 0.");
	for (size_t i = 1; i < request->interface_count; i++) {
		if (request->interfaces[i].device_index == request->interfaces[i - 1].device_index)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Each network interface requires a unique device index.");
		for (size_t j = 0; j < i; j++)
			if (request->interfaces[i].existing &&
			    request->interfaces[i].existing == request->interfaces[j].existing)
				return attachment_in_use(request->interfaces[i].existing, error);
	}
	return 0;
}

/* What there is only one of can't be given to several instances. */
static int check_single(const struct launch_request *request, struct error *error)
{
	for (size_t i = 0; request->maximum > 1 && i < request->interface_count; i++) {
		const struct launch_interface *wanted = &request->interfaces[i];
		const char *what = NULL;

		if (wanted->existing)
			what = "NetworkInterfaceId";
		else if (address_is_set(wanted->make.address) || wanted->make.secondary_count)
			what = "PrivateIpAddress";
		if (what)
			return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
					 "The parameter %s can only be used with a single instance",
					 what);
	}
	return 0;
}

static int check_level(const struct call *call, struct error *error)
{
	static const struct {
		const char *name, *title;
	} table[] = {
		{ "SubnetId", "subnet ID" },
		{ "PrivateIpAddress", "private IP address" },
		{ "SecurityGroupId", "security groups" },
		{ "SecurityGroup", "security groups" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (is_given(call, "", table[i].name))
			return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
					 "Network interfaces and an instance-level %s may not be "
					 "specified on the same request",
					 table[i].title);
	return 0;
}

int read_launch_interfaces(const struct call *call, struct launch_request *request, bool *storage,
			   struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "NetworkInterface", &indices);
	int r = 0;

	if (!count) {
		struct launch_interface *wanted =
			array_grow(&request->interfaces, &request->interface_count);

		wanted->delete_on_termination = true;
		r = read_new(call, "", &wanted->make, error);
		return r < 0 ? r : check_single(request, error);
	}
	r = check_level(call, error);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = read_one(call, indices[i],
			     array_grow(&request->interfaces, &request->interface_count), error);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = read_public(call, indices[i], request, storage, error);
	if (r < 0 || (r = check_devices(request, error)) < 0)
		return r;
	return check_single(request, error);
}
