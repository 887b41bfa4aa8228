/*
 * Resource types for the tests of templates: lab/type.h's part that templates ask, over a few types
 * of our own, so that what is tested doesn't change with the tables.
 */
#pragma once

#include "lab/type.h"

struct type {
	const char *name;
	const char *properties[8]; /* the first one must be there, but for '?' before it */
	const char *attributes[5];
};

static const struct type double_types[] = {
	{ "AWS::EC2::VPC",
	  { "CidrBlock", "EnableDnsSupport", "EnableDnsHostnames", "InstanceTenancy", "Tags" },
	  { "VpcId", "CidrBlock", "Ipv6CidrBlocks", "DefaultSecurityGroup" } },
	{ "AWS::EC2::Subnet",
	  { "VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch", "Ipv6CidrBlock",
	    "Tags" },
	  { "SubnetId", "AvailabilityZone" } },
	{ "AWS::EC2::InternetGateway", { "?Tags" }, { "InternetGatewayId" } },
	{ "AWS::EC2::VPCGatewayAttachment", { "VpcId", "InternetGatewayId" }, { NULL } },
	{ "AWS::EC2::RouteTable", { "VpcId", "Tags" }, { "RouteTableId" } },
	{ "AWS::EC2::Route",
	  { "RouteTableId", "DestinationCidrBlock", "GatewayId", "NatGatewayId", "InstanceId" },
	  { NULL } },
	{ "AWS::EC2::SubnetRouteTableAssociation", { "SubnetId", "RouteTableId" }, { "Id" } },
	{ "AWS::EC2::NatGateway", { "?SubnetId", "AllocationId", "Tags" }, { "NatGatewayId" } },
	{ "AWS::EC2::EIP", { "?Domain", "InstanceId", "Tags" }, { "AllocationId", "PublicIp" } },
	{ "AWS::EC2::SecurityGroup",
	  { "GroupDescription", "VpcId", "SecurityGroupIngress", "SecurityGroupEgress", "Tags" },
	  { "GroupId", "VpcId" } },
	{ "AWS::EC2::Instance",
	  { "?ImageId", "InstanceType", "SubnetId", "UserData", "SecurityGroupIds",
	    "IamInstanceProfile", "KeyName", "Tags" },
	  { "PrivateIp", "PublicIp", "AvailabilityZone" } },
};

const struct type *type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(double_types); i++)
		if (streq(double_types[i].name, name))
			return &double_types[i];
	return NULL;
}

bool type_has_attribute(const struct type *type, const char *attribute)
{
	for (size_t i = 0; i < ARRAY_SIZE(type->attributes); i++)
		if (type->attributes[i] && streq(type->attributes[i], attribute))
			return true;
	return false;
}

static bool double_has(const struct type *type, const char *property)
{
	for (size_t i = 0; i < ARRAY_SIZE(type->properties); i++) {
		const char *name = type->properties[i];

		if (name && streq(name + (*name == '?'), property))
			return true;
	}
	return false;
}

int type_check(const struct type *type, const char *path, struct node *properties,
	       struct text_lines *ret_warnings, struct error *error)
{
	for (size_t i = 0; i < properties->count; i++) {
		struct node *property = properties->items[i];

		if (double_has(type, property->key))
			continue;
		if (!ret_warnings)
			return error_set(error, ERROR_INVALID_TEMPLATE,
					 "%s.%s (line %u): Encountered unsupported property %s",
					 path, property->key, property->line, property->key);
		text_lines_add(ret_warnings, "%s.%s (line %u): not supported", path, property->key,
			       property->line);
		node_freep(&property);
		array_remove(properties->items, &properties->count, i--);
	}
	if (type->properties[0][0] != '?' && !node_get(properties, type->properties[0]))
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "%s (line %u): Property %s cannot be empty.", path,
				 properties->line, type->properties[0]);
	return 0;
}
