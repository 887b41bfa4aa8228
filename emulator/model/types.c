/* The table of resource types. */
#include "model/acl.h"
#include "model/defaults.h"
#include "model/dhcp.h"
#include "model/egress_gateway.h"
#include "model/elastic_ip.h"
#include "model/fault.h"
#include "model/flow_log.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/internet.h"
#include "model/key_pair.h"
#include "model/launch_template.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/route.h"
#include "model/stack.h"
#include "model/volume.h"
#include "model/vpc_endpoint.h"

static const struct resource_type *const types[KIND_MAX] = {
	[KIND_VPC] = &vpc_type,
	[KIND_SUBNET] = &subnet_type,
	[KIND_INTERNET_GATEWAY] = &gateway_type,
	[KIND_EGRESS_GATEWAY] = &egress_gateway_type,
	[KIND_ROUTE_TABLE] = &route_table_type,
	[KIND_SECURITY_GROUP] = &group_type,
	[KIND_NETWORK_ACL] = &acl_type,
	[KIND_DHCP_OPTIONS] = &dhcp_options_type,
	[KIND_PREFIX_LIST] = &prefix_list_type,
	[KIND_VPC_PEERING] = &peering_type,
	[KIND_NAT_GATEWAY] = &nat_gateway_type,
	[KIND_SECURITY_GROUP_RULE] = &group_rule_type,
	[KIND_NETWORK_INTERFACE] = &interface_type,
	[KIND_ELASTIC_IP] = &elastic_ip_type,
	[KIND_INSTANCE] = &instance_type,
	[KIND_VOLUME] = &volume_type,
	[KIND_LAUNCH_TEMPLATE] = &launch_template_type,
	[KIND_KEY_PAIR] = &key_pair_type,
	[KIND_IMAGE] = &image_type,
	[KIND_FLOW_LOG] = &flow_log_type,
	[KIND_VPC_ENDPOINT] = &vpc_endpoint_type,
	[KIND_STACK] = &stack_type,
	[KIND_STACK_RESOURCE] = &stack_resource_type,
	[KIND_STACK_EVENT] = &stack_event_type,
	[KIND_CHANGE_SET] = &change_set_type,
	[KIND_INTERNET] = &internet_type,
	[KIND_INTERNET_HOST] = &internet_host_type,
	[KIND_FAULT] = &fault_type,
	[KIND_DEFAULTS] = &defaults_type,
};

const struct resource_type *resource_type(enum kind kind)
{
	return types[kind];
}
