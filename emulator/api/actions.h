/*
 * The handlers behind the action table, one file per family. A handler reads the call's parameters
 * (checked against the action's specification), changes the model in the call's transaction and
 * writes the reply; 0, or a negative errno with what the client is told. Nothing is kept of a call
 * that fails: the dispatcher rolls back.
 */
#pragma once

#include "api/describe.h"

typedef int handler_fn(struct call *call, struct error *error);

handler_fn create_vpc, delete_vpc, describe_vpcs, describe_vpc_attribute, modify_vpc_attribute,
	associate_vpc_cidr_block, disassociate_vpc_cidr_block, associate_subnet_cidr_block,
	disassociate_subnet_cidr_block, assign_ipv6_addresses, create_subnet, delete_subnet,
	describe_subnets, modify_subnet_attribute, create_internet_gateway, delete_internet_gateway,
	attach_internet_gateway, detach_internet_gateway, describe_internet_gateways,
	create_egress_only_internet_gateway, delete_egress_only_internet_gateway,
	describe_egress_only_internet_gateways, create_route_table, delete_route_table,
	describe_route_tables, associate_route_table, disassociate_route_table,
	replace_route_table_association, create_route, replace_route, delete_route,
	describe_security_groups, create_network_acl, delete_network_acl, describe_network_acls,
	create_network_acl_entry, replace_network_acl_entry, delete_network_acl_entry,
	replace_network_acl_association, create_managed_prefix_list, delete_managed_prefix_list,
	describe_managed_prefix_lists, modify_managed_prefix_list,
	restore_managed_prefix_list_version, get_managed_prefix_list_entries,
	get_managed_prefix_list_associations, describe_prefix_lists, describe_dhcp_options,
	describe_network_interfaces, run_instances, describe_instances, describe_instance_status,
	start_instances, stop_instances, reboot_instances, terminate_instances, describe_images,
	describe_instance_types, create_tags, delete_tags, describe_tags, describe_regions,
	describe_availability_zones, get_caller_identity, list_instances, list_drops, list_actions,
	audit, get_instance_process, get_internet_host, get_internet_address, create_internet_host,
	list_internet_hosts, delete_internet_host, create_security_group, delete_security_group,
	describe_security_group_rules, authorize_ingress, authorize_egress, revoke_ingress,
	revoke_egress, modify_security_group_rules, update_descriptions_ingress,
	update_descriptions_egress, describe_security_group_references,
	describe_stale_security_groups, modify_network_interface_attribute,
	describe_network_interface_attribute, modify_instance_attribute,
	modify_instance_metadata_options, get_instance_metadata_defaults,
	modify_instance_metadata_defaults, describe_instance_attribute,
	reset_network_interface_attribute, create_network_interface, delete_network_interface,
	attach_network_interface, detach_network_interface, assign_private_ip_addresses,
	unassign_private_ip_addresses, create_vpc_peering_connection, accept_vpc_peering_connection,
	reject_vpc_peering_connection, delete_vpc_peering_connection,
	describe_vpc_peering_connections, modify_vpc_peering_connection_options, allocate_address,
	associate_address, disassociate_address, release_address, describe_addresses,
	describe_addresses_attribute, modify_address_attribute, reset_address_attribute,
	create_nat_gateway, delete_nat_gateway, describe_nat_gateways, list_nat_gateways,
	associate_nat_gateway_address, disassociate_nat_gateway_address,
	assign_private_nat_gateway_address, unassign_private_nat_gateway_address, register_image,
	deregister_image, describe_image_attribute, modify_image_attribute, import_image,
	list_images, delete_image;

handler_fn trace_path, trace_paths;

handler_fn create_vpc_endpoint, delete_vpc_endpoints, describe_vpc_endpoints, modify_vpc_endpoint,
	describe_vpc_endpoint_services;

handler_fn create_dhcp_options, delete_dhcp_options, associate_dhcp_options, create_default_vpc,
	create_default_subnet, describe_account_attributes, describe_instance_type_offerings,
	create_key_pair, import_key_pair, delete_key_pair, describe_key_pairs, describe_volumes,
	describe_volume_status, describe_volume_attribute, delete_volume,
	describe_instance_credit_specifications, modify_instance_credit_specification,
	monitor_instances, unmonitor_instances, modify_instance_maintenance_options,
	create_launch_template, create_launch_template_version, delete_launch_template,
	modify_launch_template, describe_launch_templates, describe_launch_template_versions,
	delete_launch_template_versions, get_console_output, get_instance_console, create_flow_logs,
	describe_flow_logs, delete_flow_logs, modify_private_dns_name_options, create_volume,
	assume_role, create_account, list_accounts, attach_volume, detach_volume, modify_volume,
	describe_volumes_modifications, get_launch_template_data, modify_volume_attribute,
	get_parameter, get_parameters, get_parameters_by_path;

handler_fn get_topology, get_capture_point;
handler_fn create_fault, list_faults, delete_fault, list_events;

/* By id, or by a Name tag that only one instance has; terminated ones don't count. Of every
 * account and region. */
struct instance;
int find_instance(const struct call *call, const char *text, struct instance **ret,
		  struct error *error);
handler_fn create_stack, update_stack, delete_stack, describe_stacks, list_stacks,
	update_termination_protection, list_exports, list_imports, describe_stack_resources,
	describe_stack_resource, list_stack_resources, describe_stack_events, signal_resource,
	get_template, validate_template, get_template_summary, create_change_set,
	describe_change_set, list_change_sets, delete_change_set, execute_change_set;
