/*
 * The handlers behind the action table, one file per family.
 */
#pragma once

#include "api/describe.h"

#define HANDLERS(X)                                                                                            \
	X(create_vpc)                                                                                          \
	X(delete_vpc)                                                                                          \
	X(describe_vpcs) X(describe_vpc_attribute) X(modify_vpc_attribute) X(create_subnet) X(                 \
		delete_subnet) X(describe_subnets) X(modify_subnet_attribute) X(create_internet_gateway)       \
		X(delete_internet_gateway) X(attach_internet_gateway) X(detach_internet_gateway) X(            \
			describe_internet_gateways) X(create_route_table) X(delete_route_table)                \
			X(describe_route_tables) X(associate_route_table) X(disassociate_route_table) X(       \
				replace_route_table_association) X(create_route) X(replace_route)              \
				X(delete_route) X(describe_security_groups) X(describe_network_acls) X(        \
					describe_dhcp_options) X(describe_network_interfaces)                  \
					X(run_instances) X(describe_instances) X(                              \
						describe_instance_status) X(start_instances) X(stop_instances) \
						X(reboot_instances) X(terminate_instances) X(                  \
							describe_images) X(describe_instance_types)            \
							X(create_tags) X(delete_tags) X(                       \
								describe_tags) X(describe_regions)             \
								X(describe_availability_zones) X(              \
									get_caller_identity) X(list_instances) \
									X(get_instance_process) X(             \
										get_internet_host)             \
										X(get_internet_address)

#define DECLARE(name) int name(struct call *call, struct error *error);
HANDLERS(DECLARE)
#undef DECLARE
