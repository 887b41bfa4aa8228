/* VPCs, subnets and internet gateways, and what AWS makes beside them. */
#include "api/actions.h"
#include "api/launch_options.h"
#include "model/defaults.h"
#include "model/egress_gateway.h"
#include "model/gateway.h"
#include "model/subnet.h"

int create_vpc(struct call *call, struct error *error)
{
	const struct block *block;
	struct cidr cidr;
	struct vpc *vpc;
	bool ipv6;
	int r;

	if ((r = call_block_source(call, &ipv6, error)) < 0 ||
	    (r = call_cidr(call, "CidrBlock", &cidr, error)) < 0 ||
	    (r = vpc_create(&call->transaction, call->scope, cidr,
			    call_text(call, "InstanceTenancy"), &vpc, error)) < 0 ||
	    (ipv6 && (r = vpc_associate_ipv6(&call->transaction, vpc, &block, error)) < 0) ||
	    (r = call_tag(call, vpc, error)) < 0)
		return r;
	reply_resource(call, "vpc", vpc);
	return 0;
}

int delete_vpc(struct call *call, struct error *error)
{
	struct vpc *vpc;
	int r;

	if ((r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = vpc_delete(&call->transaction, vpc, error)) < 0)
		return r;
	return reply_true(call);
}

int describe_vpcs(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "vpcSet",
		.kind = KIND_VPC,
		.ids = "VpcId",
		.minimum = 5,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

int describe_vpc_attribute(struct call *call, struct error *error)
{
	const char *attribute = call_text(call, "Attribute");
	const struct vpc *vpc;
	bool value;
	int r;

	if ((r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0)
		return r;
	if (streq(attribute, "enableDnsSupport"))
		value = vpc->dns_support;
	else if (streq(attribute, "enableDnsHostnames"))
		value = vpc->dns_hostnames;
	else if (streq(attribute, "enableNetworkAddressUsageMetrics"))
		value = vpc->address_usage_metrics;
	else
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"Value (%s) for parameter attribute is invalid. Unknown attribute.",
			attribute);
	xml_text(call->xml, "vpcId", rid_format(vpc->resource.id).text);
	xml_open(call->xml, attribute);
	xml_bool(call->xml, "value", value);
	xml_close(call->xml);
	return 0;
}

int modify_vpc_attribute(struct call *call, struct error *error)
{
	bool a, b, c;
	const bool *support = call_optional_bool(call, "EnableDnsSupport.Value", &a);
	const bool *hostnames = call_optional_bool(call, "EnableDnsHostnames.Value", &b);
	const bool *metrics =
		call_optional_bool(call, "EnableNetworkAddressUsageMetrics.Value", &c);
	struct vpc *vpc;
	int r;

	if ((r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = call_check_one((size_t) !!support + !!hostnames + !!metrics, error)) < 0)
		return r;
	if ((support || hostnames) &&
	    (r = vpc_set_dns(&call->transaction, vpc, support, hostnames, error)) < 0)
		return r;
	if (metrics) {
		transaction_edit(&call->transaction, vpc);
		vpc->address_usage_metrics = *metrics;
	}
	return reply_true(call);
}

int create_default_vpc(struct call *call, struct error *error)
{
	struct vpc *vpc;
	int r = default_vpc_create(&call->transaction, call->scope, &vpc, error);

	if (r < 0)
		return r;
	reply_resource(call, "vpc", vpc);
	return 0;
}

/* ---- subnets ---- */

int create_default_subnet(struct call *call, struct error *error)
{
	const char *name = call_text(call, "AvailabilityZone");
	const char *id = call_text(call, "AvailabilityZoneId");
	struct subnet *subnet;
	int r;

	if (call_bool(call, "Ipv6Native", false))
		return ipv6_not_forwarded(error, "a subnet needs an IPv4 block");
	name = name && *name ? name : NULL;
	id = id && *id ? id : NULL;
	if (!name && !id)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter AvailabilityZone or "
				 "AvailabilityZoneId");
	if (name && id)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter AvailabilityZoneId cannot be used with the "
				 "parameter AvailabilityZone");
	if ((r = default_subnet_create(&call->transaction, call->scope, name ? name : id, &subnet,
				       error)) < 0)
		return r;
	reply_resource(call, "subnet", subnet);
	return 0;
}

/* A subnet without IPv4 would carry nothing. */
static int refuse_native(const struct call *call, struct error *error)
{
	if (!call_bool(call, "Ipv6Native", false))
		return 0;
	if (call_text(call, "CidrBlock"))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, "
				 "you cannot set ipv6Native to true.");
	if (!call_text(call, "Ipv6CidrBlock"))
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.");
	return ipv6_not_forwarded(error, "a subnet needs an IPv4 block");
}

int create_subnet(struct call *call, struct error *error)
{
	static const char *const refused[] = { "Ipv4IpamPoolId", "Ipv4NetmaskLength",
					       "Ipv6IpamPoolId", "Ipv6NetmaskLength",
					       "OutpostArn",	 NULL };
	struct subnet_request request = { .cidr_text = call_text(call, "CidrBlock"),
					  .zone = call_text(call, "AvailabilityZone") };
	const struct block *block;
	struct subnet *subnet;
	int r;

	if (!request.zone)
		request.zone = call_text(call, "AvailabilityZoneId");
	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_resource(call, "VpcId", KIND_VPC, &request.vpc, error)) < 0 ||
	    (r = refuse_native(call, error)) < 0 ||
	    (r = call_cidr(call, "CidrBlock", &request.cidr, error)) < 0 ||
	    (r = subnet_create(&call->transaction, &request, &subnet, error)) < 0 ||
	    (call_text(call, "Ipv6CidrBlock") &&
	     (r = call_subnet_block(call, subnet, &block, error)) < 0) ||
	    (r = call_tag(call, subnet, error)) < 0)
		return r;
	subnet_realize(&call->transaction, subnet);
	reply_resource(call, "subnet", subnet);
	return 0;
}

int delete_subnet(struct call *call, struct error *error)
{
	struct subnet *subnet;
	int r;

	if ((r = call_resource(call, "SubnetId", KIND_SUBNET, &subnet, error)) < 0 ||
	    (r = subnet_delete(&call->transaction, subnet, error)) < 0)
		return r;
	return reply_true(call);
}

int describe_subnets(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "subnetSet",
		.kind = KIND_SUBNET,
		.ids = "SubnetId",
		.minimum = 5,
		.maximum = 1000,
		.absent = "customer-owned-ipv4-pool enable-lni-at-device-index outpost-arn",
	};

	return describe_resources(call, &listing, error);
}

int modify_subnet_attribute(struct call *call, struct error *error)
{
	bool a, b, c, d, e;
	const bool *map_public = call_optional_bool(call, "MapPublicIpOnLaunch.Value", &a);
	const bool *name_a =
		call_optional_bool(call, "EnableResourceNameDnsARecordOnLaunch.Value", &b);
	const struct ipv6_attributes ipv6 = {
		.assign_ipv6 = call_optional_bool(call, "AssignIpv6AddressOnCreation.Value", &c),
		.dns64 = call_optional_bool(call, "EnableDns64.Value", &d),
		.resource_name_aaaa = call_optional_bool(
			call, "EnableResourceNameDnsAAAARecordOnLaunch.Value", &e),
	};
	const char *type = call_text(call, "PrivateDnsHostnameTypeOnLaunch");
	static const char *const refused[] = { "MapCustomerOwnedIpOnLaunch.Value",
					       "CustomerOwnedIpv4Pool", "EnableLniAtDeviceIndex",
					       "DisableLniAtDeviceIndex.Value", NULL };
	struct subnet *subnet;
	int r;

	if ((r = call_resource(call, "SubnetId", KIND_SUBNET, &subnet, error)) < 0 ||
	    (r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_check_one((size_t) !!map_public + !!name_a + !!type + !!ipv6.assign_ipv6 +
					!!ipv6.dns64 + !!ipv6.resource_name_aaaa,
				error)) < 0)
		return r;
	if (type && (r = check_hostname_type(type, "privateDnsHostnameTypeOnLaunch", error)) < 0)
		return r;
	if ((r = subnet_set_ipv6(&call->transaction, subnet, &ipv6, error)) < 0)
		return r;
	subnet->map_public_ip = map_public ? *map_public : subnet->map_public_ip;
	subnet->resource_name_a = name_a ? *name_a : subnet->resource_name_a;
	if (type) {
		free(subnet->hostname_type);
		subnet->hostname_type = xstrdup(type);
	}
	return reply_true(call);
}

/* ---- internet gateways ---- */

int create_internet_gateway(struct call *call, struct error *error)
{
	struct gateway *gateway;
	int r;

	if ((r = gateway_create(&call->transaction, call->scope, &gateway, error)) < 0 ||
	    (r = call_tag(call, gateway, error)) < 0)
		return r;
	reply_resource(call, "internetGateway", gateway);
	return 0;
}

static int gateway_call(struct call *call, struct gateway **ret_gateway, struct error *error)
{
	return call_resource(call, "InternetGatewayId", KIND_INTERNET_GATEWAY, ret_gateway, error);
}

int delete_internet_gateway(struct call *call, struct error *error)
{
	struct gateway *gateway;
	int r;

	if ((r = gateway_call(call, &gateway, error)) < 0 ||
	    (r = gateway_delete(&call->transaction, gateway, error)) < 0)
		return r;
	return reply_true(call);
}

int attach_internet_gateway(struct call *call, struct error *error)
{
	struct gateway *gateway;
	struct vpc *vpc;
	int r;

	if ((r = gateway_call(call, &gateway, error)) < 0 ||
	    (r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = gateway_attach(&call->transaction, gateway, vpc, error)) < 0)
		return r;
	return reply_true(call);
}

int detach_internet_gateway(struct call *call, struct error *error)
{
	struct gateway *gateway;
	struct vpc *vpc;
	int r;

	if ((r = gateway_call(call, &gateway, error)) < 0 ||
	    (r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = gateway_detach(&call->transaction, gateway, vpc, error)) < 0)
		return r;
	return reply_true(call);
}

int describe_internet_gateways(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "internetGatewaySet",
		.kind = KIND_INTERNET_GATEWAY,
		.ids = "InternetGatewayId",
		.minimum = 5,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

/* ---- egress-only internet gateways ---- */

int create_egress_only_internet_gateway(struct call *call, struct error *error)
{
	const char *token = call_text(call, "ClientToken");
	struct egress_gateway *gateway;
	struct vpc *vpc;
	int r;

	if ((r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = egress_gateway_create(&call->transaction, vpc, token && *token ? token : NULL,
				       &gateway, error)) < 0 ||
	    (r = call_tag(call, gateway, error)) < 0)
		return r;
	xml_text(call->xml, "clientToken", token);
	reply_resource(call, "egressOnlyInternetGateway", gateway);
	return 0;
}

int delete_egress_only_internet_gateway(struct call *call, struct error *error)
{
	struct egress_gateway *gateway;
	int r = call_resource(call, "EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY, &gateway,
			      error);

	if (r < 0)
		return r;
	transaction_delete(&call->transaction, gateway);
	xml_bool(call->xml, "returnCode", true);
	return 0;
}

int describe_egress_only_internet_gateways(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "egressOnlyInternetGatewaySet",
		.kind = KIND_EGRESS_GATEWAY,
		.ids = "EgressOnlyInternetGatewayId",
		.minimum = 5,
		.maximum = 255,
	};

	return describe_resources(call, &listing, error);
}
