/* objects: emulator/lab/ emulator/api/ emulator/path/ emulator/path/ emulator/http/ emulator/model/ emulator/base/ */
/* libs: yaml-0.1 jansson libmicrohttpd nettle hogweed gmp expat -lresolv */
/*
 * Resource types: the very calls of each, which the API's own table must know; and that every
 * property of every type has an effect, or is refused by its name.
 */
#include "api/actions.h"
#include "lab/type_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static struct node *read_node(const char *text)
{
	struct node *node = NULL;
	struct error error = ERROR_INIT;

	if (text && node_parse(text, strlen(text), &node, &error) < 0)
		fail_msg("%s: %s", text, error.text);
	return node;
}

static const struct action *find_action(const struct type_call *call)
{
	for (const struct action *action = actions; action->name; action++)
		if (streq(action->service, call->service) && streq(action->name, call->action))
			return action;
	fail_msg("there is no action %s", call->action);
	return actions;
}

/* The API takes the call's parameters: it knows their names and shapes, and none is missing. */
static void check_call(const struct type_call *call)
{
	CLEANUP(freep)
	struct param_pair *pairs = xcalloc(call->parameter_count + 1, sizeof(*pairs));
	CLEANUP(params_freep) struct params *params = NULL;
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < call->parameter_count; i++) {
		for (size_t j = 0; j < i; j++)
			if (streq(call->parameters[i].name, call->parameters[j].name))
				fail_msg("%s has two %s", call->action, call->parameters[i].name);
		/* What an earlier reply told may be a number. */
		pairs[i].name = call->parameters[i].name;
		pairs[i].value =
			*call->parameters[i].value == '{' ? "1" : call->parameters[i].value;
	}
	params = params_make(pairs, call->parameter_count);
	if (params_check(params, find_action(call)->parameters, &error) < 0)
		fail_msg("%s: %s", call->action, error.text);
}

/* "Action A=1 B=2 -> yields, keep <- path", a line each. */
static char *text_of(const struct type_calls *calls)
{
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < calls->count; i++) {
		const struct type_call *call = &calls->items[i];

		check_call(call);
		buffer_printf(&text, "%s%s", i ? "\n" : "", call->action);
		for (size_t j = 0; j < call->parameter_count; j++)
			buffer_printf(&text, " %s=%s", call->parameters[j].name,
				      call->parameters[j].value);
		if (call->yields)
			buffer_printf(&text, " -> %s", call->yields);
		if (call->keep)
			buffer_printf(&text, " %s <- %s", call->keep, call->keep_path);
	}
	return buffer_steal(&text);
}

static const struct type *find(const char *name)
{
	CLEANUP(freep) char *whole = xasprintf("AWS::%s%s", strchr(name, ':') ? "" : "EC2::", name);
	const struct type *type = type_find(whole);

	if (!type)
		fail_msg("there is no type %s", whole);
	return type;
}

enum verb {
	CREATE,
	UPDATE,
	DELETE,
	DESCRIBE,
};

static char *calls_of(enum verb verb, const struct type *type, const struct node *before,
		      const struct node *after)
{
	CLEANUP(type_calls_clear) struct type_calls calls = { NULL, 0 };
	struct error error = ERROR_INIT;
	int r;

	if (verb == CREATE)
		r = type_create(type, after, "stack-Name-1", &calls, &error);
	else if (verb == UPDATE)
		r = type_update(type, "x-1", before, after, &calls, &error);
	else if (verb == DELETE)
		r = type_delete(type, "x-1", before, &calls, &error);
	else
		r = type_describe(type, "x-1", before, &calls, &error);
	if (r < 0)
		fail_msg("%s: %s", type_name(type), error.text);
	return text_of(&calls);
}

static const struct row {
	enum verb verb;
	const char *type, *before, *after, *expected;
} expectations[] = {
	{ CREATE, "VPC", NULL, "{CidrBlock: 10.0.0.0/16}",
	  "CreateVpc CidrBlock=10.0.0.0/16 -> vpcId" },
	{ CREATE, "VPC", NULL,
	  "{CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true, EnableDnsSupport: 'true', "
	  "InstanceTenancy: default, Tags: [{Key: Name, Value: lab}, {Key: a, Value: ''}]}",
	  "CreateVpc CidrBlock=10.0.0.0/16 InstanceTenancy=default "
	  "TagSpecification.1.ResourceType=vpc TagSpecification.1.Tag.1.Key=Name "
	  "TagSpecification.1.Tag.1.Value=lab TagSpecification.1.Tag.2.Key=a "
	  "TagSpecification.1.Tag.2.Value= -> vpcId\n"
	  "ModifyVpcAttribute VpcId={id} EnableDnsHostnames.Value=true" },
	{ UPDATE, "VPC",
	  "{CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true, "
	  "Tags: [{Key: a, Value: 1}, {Key: b, Value: 2}, {Key: c, Value: 3}]}",
	  "{CidrBlock: 10.0.0.0/16, EnableDnsSupport: false, "
	  "Tags: [{Key: b, Value: 3}, {Key: c, Value: 3}, {Key: d, Value: 4}]}",
	  "ModifyVpcAttribute VpcId=x-1 EnableDnsSupport.Value=false\n"
	  "ModifyVpcAttribute VpcId=x-1 EnableDnsHostnames.Value=false\n"
	  "DeleteTags ResourceId.1=x-1 Tag.1.Key=a\n"
	  "CreateTags ResourceId.1=x-1 Tag.1.Key=b Tag.1.Value=3 Tag.2.Key=d Tag.2.Value=4" },
	{ UPDATE, "VPC", "{CidrBlock: 10.0.0.0/16, Tags: [{Key: a, Value: 1}]}",
	  "{Tags: [{Key: a, Value: 1}], CidrBlock: 10.0.0.0/16}", "" },
	{ DELETE, "VPC", "{CidrBlock: 10.0.0.0/16}", NULL, "DeleteVpc VpcId=x-1" },
	{ DESCRIBE, "VPC", "{CidrBlock: 10.0.0.0/16}", NULL,
	  "DescribeVpcs VpcId.1=x-1\n"
	  "DescribeNetworkAcls Filter.1.Name=vpc-id Filter.1.Value.1=x-1 Filter.2.Name=default "
	  "Filter.2.Value.1=true\n"
	  "DescribeSecurityGroups Filter.1.Name=vpc-id Filter.1.Value.1=x-1 "
	  "Filter.2.Name=group-name Filter.2.Value.1=default" },

	{ CREATE, "VPCCidrBlock", NULL, "{VpcId: vpc-1, AmazonProvidedIpv6CidrBlock: true}",
	  "AssociateVpcCidrBlock AmazonProvidedIpv6CidrBlock=true VpcId=vpc-1 -> associationId" },
	{ DELETE, "VPCCidrBlock", "{VpcId: vpc-1, CidrBlock: 10.1.0.0/16}", NULL,
	  "DisassociateVpcCidrBlock AssociationId=x-1" },

	{ CREATE, "Subnet", NULL,
	  "{VpcId: vpc-1, CidrBlock: 10.0.1.0/24, AvailabilityZone: us-east-1a, "
	  "MapPublicIpOnLaunch: true, PrivateDnsNameOptionsOnLaunch: "
	  "{HostnameType: resource-name, EnableResourceNameDnsARecord: true}}",
	  "CreateSubnet AvailabilityZone=us-east-1a CidrBlock=10.0.1.0/24 VpcId=vpc-1 -> subnetId\n"
	  "ModifySubnetAttribute SubnetId={id} MapPublicIpOnLaunch.Value=true\n"
	  "ModifySubnetAttribute SubnetId={id} EnableResourceNameDnsARecordOnLaunch.Value=true\n"
	  "ModifySubnetAttribute SubnetId={id} PrivateDnsHostnameTypeOnLaunch=resource-name" },
	{ UPDATE, "Subnet",
	  "{VpcId: vpc-1, CidrBlock: 10.0.1.0/24, MapPublicIpOnLaunch: true, "
	  "PrivateDnsNameOptionsOnLaunch: {HostnameType: resource-name}}",
	  "{VpcId: vpc-1, CidrBlock: 10.0.1.0/24}",
	  "ModifySubnetAttribute SubnetId=x-1 MapPublicIpOnLaunch.Value=false\n"
	  "ModifySubnetAttribute SubnetId=x-1 PrivateDnsHostnameTypeOnLaunch=ip-name" },
	{ UPDATE, "Subnet", "{VpcId: v, CidrBlock: c}",
	  "{VpcId: v, CidrBlock: c, Ipv6CidrBlock: '2600::/64', AssignIpv6AddressOnCreation: true}",
	  "AssociateSubnetCidrBlock SubnetId=x-1 Ipv6CidrBlock=2600::/64\n"
	  "ModifySubnetAttribute SubnetId=x-1 AssignIpv6AddressOnCreation.Value=true" },
	{ UPDATE, "Subnet",
	  "{VpcId: v, CidrBlock: c, Ipv6CidrBlock: '2600::/64', AssignIpv6AddressOnCreation: true}",
	  "{VpcId: v, CidrBlock: c}",
	  "ModifySubnetAttribute SubnetId=x-1 AssignIpv6AddressOnCreation.Value=false\n"
	  "DescribeSubnets SubnetId.1=x-1 association <- subnetSet/item/"
	  "ipv6CidrBlockAssociationSet/item[ipv6CidrBlock=2600::/64]/associationId\n"
	  "DisassociateSubnetCidrBlock AssociationId={association}" },
	{ DELETE, "Subnet", "{VpcId: vpc-1, CidrBlock: 10.0.1.0/24}", NULL,
	  "DeleteSubnet SubnetId=x-1" },
	{ DESCRIBE, "Subnet", "{VpcId: vpc-1, CidrBlock: 10.0.1.0/24}", NULL,
	  "DescribeSubnets SubnetId.1=x-1\n"
	  "DescribeNetworkAcls Filter.1.Name=association.subnet-id Filter.1.Value.1=x-1" },

	{ CREATE, "InternetGateway", NULL, NULL, "CreateInternetGateway -> internetGatewayId" },
	{ DELETE, "InternetGateway", NULL, NULL, "DeleteInternetGateway InternetGatewayId=x-1" },
	{ DESCRIBE, "InternetGateway", NULL, NULL,
	  "DescribeInternetGateways InternetGatewayId.1=x-1" },
	{ CREATE, "VPCGatewayAttachment", NULL, "{VpcId: vpc-1, InternetGatewayId: igw-1}",
	  "AttachInternetGateway InternetGatewayId=igw-1 VpcId=vpc-1 -> =IGW|{VpcId}" },
	{ UPDATE, "VPCGatewayAttachment", "{VpcId: vpc-1, InternetGatewayId: igw-1}",
	  "{VpcId: vpc-1, InternetGatewayId: igw-2}",
	  "DetachInternetGateway InternetGatewayId=igw-1 VpcId=vpc-1\n"
	  "AttachInternetGateway InternetGatewayId=igw-2 VpcId=vpc-1" },
	{ DELETE, "VPCGatewayAttachment", "{VpcId: vpc-1, InternetGatewayId: igw-1}", NULL,
	  "DetachInternetGateway InternetGatewayId=igw-1 VpcId=vpc-1" },

	{ CREATE, "RouteTable", NULL, "{VpcId: vpc-1}",
	  "CreateRouteTable VpcId=vpc-1 ClientToken=stack-Name-1 -> routeTable/routeTableId" },
	{ DELETE, "RouteTable", "{VpcId: vpc-1}", NULL, "DeleteRouteTable RouteTableId=x-1" },
	{ DESCRIBE, "RouteTable", "{VpcId: vpc-1}", NULL,
	  "DescribeRouteTables RouteTableId.1=x-1" },
	{ CREATE, "Route", NULL,
	  "{RouteTableId: rtb-1, DestinationCidrBlock: 0.0.0.0/0, GatewayId: igw-1}",
	  "CreateRoute DestinationCidrBlock=0.0.0.0/0 GatewayId=igw-1 RouteTableId=rtb-1 "
	  "-> ={RouteTableId}|{DestinationCidrBlock}" },
	{ CREATE, "Route", NULL,
	  "{RouteTableId: rtb-1, DestinationIpv6CidrBlock: '::/0', GatewayId: igw-1}",
	  "CreateRoute DestinationIpv6CidrBlock=::/0 GatewayId=igw-1 RouteTableId=rtb-1 "
	  "-> ={RouteTableId}|{DestinationIpv6CidrBlock}" },
	{ UPDATE, "Route",
	  "{RouteTableId: rtb-1, DestinationCidrBlock: 0.0.0.0/0, GatewayId: igw-1}",
	  "{RouteTableId: rtb-1, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: nat-1}",
	  "ReplaceRoute DestinationCidrBlock=0.0.0.0/0 NatGatewayId=nat-1 RouteTableId=rtb-1" },
	{ DELETE, "Route",
	  "{RouteTableId: rtb-1, DestinationPrefixListId: pl-1, NetworkInterfaceId: eni-1}", NULL,
	  "DeleteRoute RouteTableId=rtb-1 DestinationPrefixListId=pl-1" },
	{ CREATE, "SubnetRouteTableAssociation", NULL, "{RouteTableId: rtb-1, SubnetId: subnet-1}",
	  "AssociateRouteTable RouteTableId=rtb-1 SubnetId=subnet-1 -> associationId" },
	{ UPDATE, "SubnetRouteTableAssociation", "{RouteTableId: rtb-1, SubnetId: subnet-1}",
	  "{RouteTableId: rtb-2, SubnetId: subnet-1}",
	  "ReplaceRouteTableAssociation AssociationId=x-1 RouteTableId=rtb-2 "
	  "-> newAssociationId" },
	{ DELETE, "SubnetRouteTableAssociation", "{RouteTableId: rtb-1, SubnetId: subnet-1}", NULL,
	  "DisassociateRouteTable AssociationId=x-1" },

	{ CREATE, "SecurityGroup", NULL, "{GroupDescription: web}",
	  "CreateSecurityGroup GroupDescription=web GroupName=stack-Name-1 -> groupId" },
	{ CREATE, "SecurityGroup", NULL,
	  "{GroupDescription: web, GroupName: Web, VpcId: vpc-1, SecurityGroupIngress: ["
	  "{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0, Description: all},"
	  "{IpProtocol: tcp, FromPort: 22, ToPort: 22, SourceSecurityGroupId: sg-1},"
	  "{IpProtocol: -1, SourceSecurityGroupName: g, SourceSecurityGroupOwnerId: 1, "
	  "Description: d}, {IpProtocol: 58, CidrIpv6: '::/0'}]}",
	  "CreateSecurityGroup GroupDescription=web VpcId=vpc-1 GroupName=Web -> groupId\n"
	  "AuthorizeSecurityGroupIngress GroupId={id} IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=80 IpPermissions.1.ToPort=80 "
	  "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 "
	  "IpPermissions.1.IpRanges.1.Description=all IpPermissions.2.IpProtocol=tcp "
	  "IpPermissions.2.FromPort=22 IpPermissions.2.ToPort=22 "
	  "IpPermissions.2.Groups.1.GroupId=sg-1 IpPermissions.3.IpProtocol=-1 "
	  "IpPermissions.3.Groups.1.GroupName=g IpPermissions.3.Groups.1.Description=d "
	  "IpPermissions.3.Groups.1.UserId=1 IpPermissions.4.IpProtocol=58 "
	  "IpPermissions.4.Ipv6Ranges.1.CidrIpv6=::/0" },
	{ CREATE, "SecurityGroup", NULL,
	  "{GroupDescription: web, SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, "
	  "ToPort: 443, DestinationPrefixListId: pl-1, Description: s3}, "
	  "{IpProtocol: udp, FromPort: 53, ToPort: 53, DestinationSecurityGroupId: sg-2}]}",
	  "CreateSecurityGroup GroupDescription=web GroupName=stack-Name-1 -> groupId\n"
	  "RevokeSecurityGroupEgress GroupId={id} IpPermissions.1.IpProtocol=-1 "
	  "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0\n"
	  "AuthorizeSecurityGroupEgress GroupId={id} IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=443 IpPermissions.1.ToPort=443 "
	  "IpPermissions.1.PrefixListIds.1.PrefixListId=pl-1 "
	  "IpPermissions.1.PrefixListIds.1.Description=s3 IpPermissions.2.IpProtocol=udp "
	  "IpPermissions.2.FromPort=53 IpPermissions.2.ToPort=53 "
	  "IpPermissions.2.Groups.1.GroupId=sg-2\n"
	  "RevokeSecurityGroupEgress GroupId={id} IpPermissions.1.IpProtocol=-1 "
	  "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0" },
	/* What the default rule is already is left as it is. */
	{ CREATE, "SecurityGroup", NULL,
	  "{GroupDescription: web, SecurityGroupEgress: [{IpProtocol: -1, CidrIp: 0.0.0.0/0}]}",
	  "CreateSecurityGroup GroupDescription=web GroupName=stack-Name-1 -> groupId\n"
	  "RevokeSecurityGroupEgress GroupId={id} IpPermissions.1.IpProtocol=-1 "
	  "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0" },
	{ UPDATE, "SecurityGroup",
	  "{GroupDescription: web, SecurityGroupIngress: ["
	  "{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0, Description: all},"
	  "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 10.0.0.0/8}], "
	  "SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 1, ToPort: 2, CidrIp: 10.0.0.0/8}]}",
	  "{GroupDescription: web, SecurityGroupIngress: ["
	  "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0},"
	  "{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0, Description: new}]}",
	  "AuthorizeSecurityGroupIngress GroupId=x-1 IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=443 IpPermissions.1.ToPort=443 "
	  "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0\n"
	  "RevokeSecurityGroupIngress GroupId=x-1 IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=22 IpPermissions.1.ToPort=22 "
	  "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8\n"
	  "UpdateSecurityGroupRuleDescriptionsIngress GroupId=x-1 IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=80 IpPermissions.1.ToPort=80 "
	  "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 "
	  "IpPermissions.1.IpRanges.1.Description=new\n"
	  "AuthorizeSecurityGroupEgress GroupId=x-1 IpPermissions.1.IpProtocol=-1 "
	  "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0\n"
	  "RevokeSecurityGroupEgress GroupId=x-1 IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=2 "
	  "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8" },
	{ DELETE, "SecurityGroup", "{GroupDescription: web}", NULL,
	  "DeleteSecurityGroup GroupId=x-1" },
	{ DESCRIBE, "SecurityGroup", "{GroupDescription: web}", NULL,
	  "DescribeSecurityGroups GroupId.1=x-1" },
	{ CREATE, "SecurityGroupIngress", NULL,
	  "{GroupId: sg-1, IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8, "
	  "Description: d}",
	  "AuthorizeSecurityGroupIngress GroupId=sg-1 IpPermissions.1.IpProtocol=tcp "
	  "IpPermissions.1.FromPort=80 IpPermissions.1.ToPort=80 "
	  "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8 IpPermissions.1.IpRanges.1.Description=d "
	  "-> securityGroupRuleId" },
	{ UPDATE, "SecurityGroupIngress",
	  "{GroupName: g, IpProtocol: -1, CidrIp: 10.0.0.0/8, Description: d}",
	  "{GroupName: g, IpProtocol: -1, CidrIp: 10.0.0.0/8, Description: e}",
	  "UpdateSecurityGroupRuleDescriptionsIngress GroupName=g "
	  "SecurityGroupRuleDescription.1.SecurityGroupRuleId=x-1 "
	  "SecurityGroupRuleDescription.1.Description=e" },
	{ DELETE, "SecurityGroupIngress", "{GroupId: sg-1, IpProtocol: -1}", NULL,
	  "RevokeSecurityGroupIngress GroupId=sg-1 SecurityGroupRuleId.1=x-1" },
	{ CREATE, "SecurityGroupEgress", NULL,
	  "{GroupId: sg-1, IpProtocol: -1, DestinationSecurityGroupId: sg-2}",
	  "AuthorizeSecurityGroupEgress GroupId=sg-1 IpPermissions.1.IpProtocol=-1 "
	  "IpPermissions.1.Groups.1.GroupId=sg-2 -> securityGroupRuleId" },
	{ DELETE, "SecurityGroupEgress", "{GroupId: sg-1, IpProtocol: -1}", NULL,
	  "RevokeSecurityGroupEgress GroupId=sg-1 SecurityGroupRuleId.1=x-1" },

#define LAUNCH "RunInstances MinCount=1 MaxCount=1 ClientToken=stack-Name-1 "
	{ CREATE, "Instance", NULL,
	  "{ImageId: ami-1, InstanceType: t3.micro, SubnetId: subnet-1, KeyName: k, "
	  "SecurityGroupIds: [sg-1, sg-2], UserData: IyEvYmluL3No, SourceDestCheck: false, "
	  "Monitoring: true, AvailabilityZone: us-east-1a, Volumes: [{Device: /dev/sdf, "
	  "VolumeId: vol-1}], CreditSpecification: {CPUCredits: standard}, "
	  "Tags: [{Key: Name, Value: web}]}",
	  LAUNCH "Placement.AvailabilityZone=us-east-1a CreditSpecification.CpuCredits=standard "
		 "ImageId=ami-1 InstanceType=t3.micro KeyName=k Monitoring.Enabled=true "
		 "SecurityGroupId.1=sg-1 SecurityGroupId.2=sg-2 SubnetId=subnet-1 "
		 "TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name "
		 "TagSpecification.1.Tag.1.Value=web UserData=IyEvYmluL3No "
		 "-> instancesSet/item/instanceId\n"
		 "ModifyInstanceAttribute InstanceId={id} SourceDestCheck.Value=false\n"
		 "AttachVolume InstanceId={id} Device=/dev/sdf VolumeId=vol-1" },
	{ CREATE, "Instance", NULL,
	  "{LaunchTemplate: {LaunchTemplateId: lt-1, Version: 2}, NetworkInterfaces: ["
	  "{DeviceIndex: 0, AssociatePublicIpAddress: true, SubnetId: subnet-1, GroupSet: [sg-1], "
	  "PrivateIpAddresses: [{Primary: true, PrivateIpAddress: 10.0.0.4}]}], "
	  "BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: 9, VolumeType: gp3}}, "
	  "{DeviceName: /dev/sdb, NoDevice: {}}]}",
	  LAUNCH "BlockDeviceMapping.1.DeviceName=/dev/sda1 BlockDeviceMapping.1.Ebs.VolumeSize=9 "
		 "BlockDeviceMapping.1.Ebs.VolumeType=gp3 BlockDeviceMapping.2.DeviceName=/dev/sdb "
		 "BlockDeviceMapping.2.NoDevice= LaunchTemplate.LaunchTemplateId=lt-1 "
		 "LaunchTemplate.Version=2 NetworkInterface.1.AssociatePublicIpAddress=true "
		 "NetworkInterface.1.DeviceIndex=0 NetworkInterface.1.SecurityGroupId.1=sg-1 "
		 "NetworkInterface.1.PrivateIpAddresses.1.Primary=true "
		 "NetworkInterface.1.PrivateIpAddresses.1.PrivateIpAddress=10.0.0.4 "
		 "NetworkInterface.1.SubnetId=subnet-1 -> instancesSet/item/instanceId" },
	{ UPDATE, "Instance", "{ImageId: ami-1, InstanceType: t3.micro, UserData: YQ==}",
	  "{ImageId: ami-1, InstanceType: t3.small, Monitoring: true, "
	  "SecurityGroupIds: [sg-1, sg-2], MetadataOptions: {HttpTokens: required}, "
	  "Volumes: [{Device: /dev/sdf, VolumeId: vol-1}]}",
	  "StopInstances InstanceId.1=x-1\n"
	  "ModifyInstanceAttribute InstanceId=x-1 InstanceType.Value=t3.small\n"
	  "ModifyInstanceMetadataOptions InstanceId=x-1 HttpTokens=required\n"
	  "ModifyInstanceAttribute InstanceId=x-1 GroupId.1=sg-1 GroupId.2=sg-2\n"
	  "ModifyInstanceAttribute InstanceId=x-1 UserData.Value=\n"
	  "AttachVolume InstanceId=x-1 Device=/dev/sdf VolumeId=vol-1\n"
	  "MonitorInstances InstanceId.1=x-1\n"
	  "StartInstances InstanceId.1=x-1" },
	{ UPDATE, "Instance",
	  "{ImageId: ami-1, Monitoring: true, Volumes: [{Device: /dev/sdf, VolumeId: vol-1}], "
	  "CreditSpecification: {CPUCredits: standard}}",
	  "{ImageId: ami-1, CreditSpecification: {CPUCredits: unlimited}}",
	  "ModifyInstanceCreditSpecification InstanceCreditSpecification.1.InstanceId=x-1 "
	  "InstanceCreditSpecification.1.CpuCredits=unlimited\n"
	  "DetachVolume InstanceId=x-1 VolumeId=vol-1\n"
	  "UnmonitorInstances InstanceId.1=x-1" },
	{ DELETE, "Instance", "{ImageId: ami-1}", NULL, "TerminateInstances InstanceId.1=x-1" },
	{ DESCRIBE, "Instance", "{ImageId: ami-1}", NULL, "DescribeInstances InstanceId.1=x-1" },

	{ CREATE, "NetworkAcl", NULL, "{VpcId: vpc-1}",
	  "CreateNetworkAcl VpcId=vpc-1 ClientToken=stack-Name-1 -> networkAcl/networkAclId" },
	{ DELETE, "NetworkAcl", "{VpcId: vpc-1}", NULL, "DeleteNetworkAcl NetworkAclId=x-1" },
#define ENTRY "NetworkAclId: acl-1, RuleNumber: 100, Protocol: 6, RuleAction: allow, "
	{ CREATE, "NetworkAclEntry", NULL,
	  "{" ENTRY "CidrBlock: 0.0.0.0/0, PortRange: {From: 80, To: 81}}",
	  "CreateNetworkAclEntry CidrBlock=0.0.0.0/0 NetworkAclId=acl-1 PortRange.From=80 "
	  "PortRange.To=81 Protocol=6 RuleAction=allow RuleNumber=100 Egress=false "
	  "-> ={NetworkAclId}|{RuleNumber}|{Egress}" },
	{ UPDATE, "NetworkAclEntry", "{" ENTRY "CidrBlock: 10.0.0.0/8, Egress: true}",
	  "{" ENTRY "CidrBlock: 0.0.0.0/0, Egress: true}",
	  "ReplaceNetworkAclEntry CidrBlock=0.0.0.0/0 NetworkAclId=acl-1 Protocol=6 "
	  "RuleAction=allow RuleNumber=100 Egress=true" },
	{ DELETE, "NetworkAclEntry", "{" ENTRY "CidrBlock: 0.0.0.0/0}", NULL,
	  "DeleteNetworkAclEntry NetworkAclId=acl-1 RuleNumber=100 Egress=false" },
	{ CREATE, "SubnetNetworkAclAssociation", NULL, "{SubnetId: subnet-1, NetworkAclId: acl-1}",
	  "DescribeNetworkAcls Filter.1.Name=association.subnet-id Filter.1.Value.1=subnet-1 "
	  "association <- networkAclSet/item/associationSet/item[subnetId=subnet-1]/"
	  "networkAclAssociationId\n"
	  "ReplaceNetworkAclAssociation AssociationId={association} NetworkAclId=acl-1 "
	  "-> newAssociationId" },
	{ DELETE, "SubnetNetworkAclAssociation", "{SubnetId: subnet-1, NetworkAclId: acl-1}", NULL,
	  "DescribeSubnets SubnetId.1=subnet-1 vpc <- subnetSet/item/vpcId\n"
	  "DescribeNetworkAcls Filter.1.Name=vpc-id Filter.1.Value.1={vpc} "
	  "Filter.2.Name=default Filter.2.Value.1=true default <- "
	  "networkAclSet/item/networkAclId\n"
	  "ReplaceNetworkAclAssociation AssociationId=x-1 NetworkAclId={default}" },

	{ CREATE, "EIP", NULL, "{Domain: vpc, InstanceId: i-1, Tags: [{Key: a, Value: b}]}",
	  "AllocateAddress Domain=vpc TagSpecification.1.ResourceType=elastic-ip "
	  "TagSpecification.1.Tag.1.Key=a TagSpecification.1.Tag.1.Value=b -> publicIp\n"
	  "AssociateAddress PublicIp={id} InstanceId=i-1" },
	{ UPDATE, "EIP", "{InstanceId: i-1}", "{Tags: [{Key: a, Value: b}]}",
	  "DisassociateAddress PublicIp=x-1\n"
	  "DescribeAddresses PublicIp.1=x-1 tagged <- addressesSet/item/allocationId\n"
	  "CreateTags ResourceId.1={tagged} Tag.1.Key=a Tag.1.Value=b" },
	{ DELETE, "EIP", NULL, NULL, "ReleaseAddress PublicIp=x-1" },
	{ DELETE, "EIP", "{InstanceId: i-1}", NULL,
	  "DisassociateAddress PublicIp=x-1\nReleaseAddress PublicIp=x-1" },
	{ DESCRIBE, "EIP", NULL, NULL, "DescribeAddresses PublicIp.1=x-1" },
	{ CREATE, "EIPAssociation", NULL, "{EIP: 3.0.0.1, NetworkInterfaceId: eni-1}",
	  "AssociateAddress PublicIp=3.0.0.1 NetworkInterfaceId=eni-1 -> associationId" },
	{ CREATE, "EIPAssociation", NULL, "{AllocationId: eipalloc-1, InstanceId: i-1}",
	  "AssociateAddress AllocationId=eipalloc-1 InstanceId=i-1 -> associationId" },
	{ DELETE, "EIPAssociation", "{EIP: 3.0.0.1, InstanceId: i-1}", NULL,
	  "DisassociateAddress AssociationId=x-1" },
	{ CREATE, "NatGateway", NULL, "{SubnetId: subnet-1, AllocationId: eipalloc-1}",
	  "CreateNatGateway AllocationId=eipalloc-1 SubnetId=subnet-1 ClientToken=stack-Name-1 "
	  "-> natGatewayId" },
	{ UPDATE, "NatGateway", "{SubnetId: s, SecondaryPrivateIpAddresses: [10.0.0.5, 10.0.0.6]}",
	  "{SubnetId: s, SecondaryPrivateIpAddresses: [10.0.0.6, 10.0.0.7]}",
	  "UnassignPrivateNatGatewayAddress NatGatewayId=x-1 PrivateIpAddress.1=10.0.0.5\n"
	  "AssignPrivateNatGatewayAddress NatGatewayId=x-1 PrivateIpAddress.1=10.0.0.7" },
	{ UPDATE, "NatGateway", "{SubnetId: s, SecondaryAllocationIds: [a, b]}",
	  "{SubnetId: s, SecondaryAllocationIds: [b, c]}",
	  "DescribeNatGateways NatGatewayId.1=x-1 association <- natGatewaySet/item/"
	  "natGatewayAddressSet/item[allocationId=a]/associationId\n"
	  "DisassociateNatGatewayAddress NatGatewayId=x-1 AssociationId.1={association}\n"
	  "AssociateNatGatewayAddress NatGatewayId=x-1 AllocationId.1=c" },
	{ DELETE, "NatGateway", "{SubnetId: s}", NULL, "DeleteNatGateway NatGatewayId=x-1" },
	{ DESCRIBE, "NatGateway", "{SubnetId: s}", NULL, "DescribeNatGateways NatGatewayId.1=x-1" },
	{ CREATE, "NetworkInterface", NULL,
	  "{SubnetId: subnet-1, GroupSet: [sg-1], SourceDestCheck: false, "
	  "PrivateIpAddresses: [{Primary: true, PrivateIpAddress: 10.0.0.5}]}",
	  "CreateNetworkInterface SecurityGroupId.1=sg-1 PrivateIpAddresses.1.Primary=true "
	  "PrivateIpAddresses.1.PrivateIpAddress=10.0.0.5 SubnetId=subnet-1 "
	  "ClientToken=stack-Name-1 -> networkInterface/networkInterfaceId\n"
	  "ModifyNetworkInterfaceAttribute NetworkInterfaceId={id} SourceDestCheck.Value=false" },
	{ UPDATE, "NetworkInterface", "{SubnetId: s, Description: a}",
	  "{SubnetId: s, GroupSet: [sg-1]}",
	  "ModifyNetworkInterfaceAttribute NetworkInterfaceId=x-1 Description.Value=\n"
	  "ModifyNetworkInterfaceAttribute NetworkInterfaceId=x-1 SecurityGroupId.1=sg-1" },
	{ DELETE, "NetworkInterface", "{SubnetId: s}", NULL,
	  "DeleteNetworkInterface NetworkInterfaceId=x-1" },
#define ATTACHED "{NetworkInterfaceId: eni-1, DeviceIndex: 1, InstanceId: "
	{ CREATE, "NetworkInterfaceAttachment", NULL, ATTACHED "i-1}",
	  "AttachNetworkInterface InstanceId=i-1 NetworkInterfaceId=eni-1 DeviceIndex=1 "
	  "-> attachmentId\n"
	  "ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-1 "
	  "Attachment.AttachmentId={id} Attachment.DeleteOnTermination=true" },
	{ UPDATE, "NetworkInterfaceAttachment", ATTACHED "i-1}", ATTACHED "i-2}",
	  "DetachNetworkInterface AttachmentId=x-1 Force=true\n"
	  "AttachNetworkInterface InstanceId=i-2 NetworkInterfaceId=eni-1 DeviceIndex=1 "
	  "-> attachmentId\n"
	  "ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-1 "
	  "Attachment.AttachmentId={id} Attachment.DeleteOnTermination=true" },
	{ UPDATE, "NetworkInterfaceAttachment", ATTACHED "i-1}",
	  ATTACHED "i-1, DeleteOnTermination: false}",
	  "ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-1 "
	  "Attachment.AttachmentId=x-1 Attachment.DeleteOnTermination=false" },
	{ DELETE, "NetworkInterfaceAttachment", ATTACHED "i-1}", NULL,
	  "DetachNetworkInterface AttachmentId=x-1 Force=true" },

	{ CREATE, "VPCPeeringConnection", NULL, "{VpcId: vpc-1, PeerVpcId: vpc-2}",
	  "CreateVpcPeeringConnection PeerVpcId=vpc-2 VpcId=vpc-1 -> vpcPeeringConnectionId\n"
	  "AcceptVpcPeeringConnection VpcPeeringConnectionId={id}" },
	{ DELETE, "VPCPeeringConnection", "{VpcId: vpc-1, PeerVpcId: vpc-2}", NULL,
	  "DeleteVpcPeeringConnection VpcPeeringConnectionId=x-1" },
	{ CREATE, "DHCPOptions", NULL,
	  "{DomainName: lab.example, DomainNameServers: [10.0.0.2, AmazonProvidedDNS], "
	  "NetbiosNodeType: 2, Tags: [{Key: a, Value: b}]}",
	  "CreateDhcpOptions TagSpecification.1.ResourceType=dhcp-options "
	  "TagSpecification.1.Tag.1.Key=a TagSpecification.1.Tag.1.Value=b "
	  "DhcpConfiguration.1.Key=domain-name DhcpConfiguration.1.Value.1=lab.example "
	  "DhcpConfiguration.2.Key=domain-name-servers DhcpConfiguration.2.Value.1=10.0.0.2 "
	  "DhcpConfiguration.2.Value.2=AmazonProvidedDNS "
	  "DhcpConfiguration.3.Key=netbios-node-type DhcpConfiguration.3.Value.1=2 "
	  "-> dhcpOptionsId" },
	{ DELETE, "DHCPOptions", "{DomainName: a}", NULL, "DeleteDhcpOptions DhcpOptionsId=x-1" },
	{ CREATE, "VPCDHCPOptionsAssociation", NULL, "{VpcId: vpc-1, DhcpOptionsId: dopt-1}",
	  "AssociateDhcpOptions DhcpOptionsId=dopt-1 VpcId=vpc-1 -> ={DhcpOptionsId}|{VpcId}" },
	{ DELETE, "VPCDHCPOptionsAssociation", "{VpcId: vpc-1, DhcpOptionsId: dopt-1}", NULL,
	  "AssociateDhcpOptions DhcpOptionsId=default VpcId=vpc-1" },
#define VERSION                                                                                    \
	"DescribeManagedPrefixLists PrefixListId.1=x-1 version <- prefixListSet/item/version\n"
#define LIST "PrefixListName: l, AddressFamily: IPv4, MaxEntries: 3"
	{ CREATE, "PrefixList", NULL,
	  "{" LIST ", Entries: [{Cidr: 10.0.0.0/8, Description: a}, {Cidr: 11.0.0.0/8}]}",
	  "CreateManagedPrefixList AddressFamily=IPv4 Entry.1.Cidr=10.0.0.0/8 "
	  "Entry.1.Description=a Entry.2.Cidr=11.0.0.0/8 MaxEntries=3 PrefixListName=l "
	  "ClientToken=stack-Name-1 -> prefixListId" },
	{ UPDATE, "PrefixList",
	  "{" LIST ", Entries: [{Cidr: 10.0.0.0/8, Description: a}, {Cidr: 11.0.0.0/8}]}",
	  "{" LIST ", Entries: [{Cidr: 12.0.0.0/8}, {Cidr: 10.0.0.0/8}]}",
	  VERSION "ModifyManagedPrefixList PrefixListId=x-1 CurrentVersion={version} "
		  "RemoveEntry.1.Cidr=10.0.0.0/8 RemoveEntry.2.Cidr=11.0.0.0/8\n" VERSION
		  "ModifyManagedPrefixList PrefixListId=x-1 CurrentVersion={version} "
		  "AddEntry.1.Cidr=12.0.0.0/8 AddEntry.2.Cidr=10.0.0.0/8" },
	{ UPDATE, "PrefixList", "{" LIST ", Entries: [{Cidr: 10.0.0.0/8}]}",
	  "{" LIST ", Entries: [{Cidr: 12.0.0.0/8, Description: a}]}",
	  VERSION "ModifyManagedPrefixList PrefixListId=x-1 CurrentVersion={version} "
		  "RemoveEntry.1.Cidr=10.0.0.0/8 AddEntry.1.Cidr=12.0.0.0/8 "
		  "AddEntry.1.Description=a" },
	{ UPDATE, "PrefixList", "{" LIST ", Entries: [{Cidr: 10.0.0.0/8}, {Cidr: 11.0.0.0/8}]}",
	  "{" LIST ", Entries: [{Cidr: 11.0.0.0/8}, {Cidr: 10.0.0.0/8}]}", "" },
	{ DELETE, "PrefixList", "{" LIST "}", NULL, "DeleteManagedPrefixList PrefixListId=x-1" },
	{ CREATE, "EgressOnlyInternetGateway", NULL, "{VpcId: vpc-1}",
	  "CreateEgressOnlyInternetGateway VpcId=vpc-1 ClientToken=stack-Name-1 "
	  "-> egressOnlyInternetGatewayId" },
	{ DELETE, "EgressOnlyInternetGateway", "{VpcId: vpc-1}", NULL,
	  "DeleteEgressOnlyInternetGateway EgressOnlyInternetGatewayId=x-1" },
	{ CREATE, "FlowLog", NULL,
	  "{ResourceId: vpc-1, ResourceType: VPC, TrafficType: ALL, LogDestinationType: s3, "
	  "LogDestination: 'arn:a', DestinationOptions: {PerHourPartition: true}}",
	  "CreateFlowLogs DestinationOptions.PerHourPartition=true LogDestination=arn:a "
	  "LogDestinationType=s3 ResourceId.1=vpc-1 ResourceType=VPC TrafficType=ALL "
	  "ClientToken=stack-Name-1 -> flowLogIdSet/item" },
	{ DELETE, "FlowLog", "{ResourceId: vpc-1, ResourceType: VPC}", NULL,
	  "DeleteFlowLogs FlowLogId.1=x-1" },
	{ CREATE, "VPCEndpoint", NULL,
	  "{VpcId: vpc-1, ServiceName: s3, RouteTableIds: [rtb-1, rtb-2], "
	  "PolicyDocument: {Statement: [{Effect: Allow}]}}",
	  "CreateVpcEndpoint PolicyDocument={{\"Statement\":[{{\"Effect\":\"Allow\"}]} "
	  "RouteTableId.1=rtb-1 RouteTableId.2=rtb-2 ServiceName=s3 VpcId=vpc-1 "
	  "ClientToken=stack-Name-1 -> vpcEndpoint/vpcEndpointId" },
	{ UPDATE, "VPCEndpoint",
	  "{VpcId: v, ServiceName: s3, RouteTableIds: [rtb-1, rtb-2], PolicyDocument: {}}",
	  "{VpcId: v, ServiceName: s3, RouteTableIds: [rtb-2, rtb-3]}",
	  "ModifyVpcEndpoint VpcEndpointId=x-1 ResetPolicy=true\n"
	  "ModifyVpcEndpoint VpcEndpointId=x-1 AddRouteTableId.1=rtb-3 "
	  "RemoveRouteTableId.1=rtb-1" },
	{ UPDATE, "VPCEndpoint", "{VpcId: v, ServiceName: s3, SubnetIds: [s-1]}",
	  "{VpcId: v, ServiceName: s3}",
	  "ModifyVpcEndpoint VpcEndpointId=x-1 RemoveSubnetId.1=s-1" },
	{ DELETE, "VPCEndpoint", "{VpcId: v, ServiceName: s3}", NULL,
	  "DeleteVpcEndpoints VpcEndpointId.1=x-1" },

	{ CREATE, "LaunchTemplate", NULL,
	  "{LaunchTemplateData: {ImageId: ami-1, SecurityGroupIds: [sg-1], Monitoring: "
	  "{Enabled: true}, TagSpecifications: [{ResourceType: instance, Tags: [{Key: a, "
	  "Value: b}]}], NetworkInterfaces: [{DeviceIndex: 0, Groups: [sg-2]}]}}",
	  "CreateLaunchTemplate LaunchTemplateData.ImageId=ami-1 "
	  "LaunchTemplateData.Monitoring.Enabled=true "
	  "LaunchTemplateData.NetworkInterface.1.DeviceIndex=0 "
	  "LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1=sg-2 "
	  "LaunchTemplateData.SecurityGroupId.1=sg-1 "
	  "LaunchTemplateData.TagSpecification.1.ResourceType=instance "
	  "LaunchTemplateData.TagSpecification.1.Tag.1.Key=a "
	  "LaunchTemplateData.TagSpecification.1.Tag.1.Value=b "
	  "LaunchTemplateName=stack-Name-1 ClientToken=stack-Name-1 -> launchTemplateId" },
	{ UPDATE, "LaunchTemplate", "{LaunchTemplateData: {ImageId: ami-1}}",
	  "{LaunchTemplateData: {ImageId: ami-2}, VersionDescription: two}",
	  "CreateLaunchTemplateVersion LaunchTemplateId=x-1 LaunchTemplateData.ImageId=ami-2 "
	  "VersionDescription=two" },
	{ DELETE, "LaunchTemplate", "{LaunchTemplateData: {}}", NULL,
	  "DeleteLaunchTemplate LaunchTemplateId=x-1" },
	{ CREATE, "Volume", NULL, "{AvailabilityZone: us-east-1a, Size: 8, VolumeType: gp3}",
	  "CreateVolume AvailabilityZone=us-east-1a Size=8 VolumeType=gp3 "
	  "ClientToken=stack-Name-1 -> volumeId" },
	{ UPDATE, "Volume", "{AvailabilityZone: a, Size: 8}",
	  "{AvailabilityZone: a, Size: 9, Iops: 3000, AutoEnableIO: true}",
	  "ModifyVolumeAttribute VolumeId=x-1 AutoEnableIO.Value=true\n"
	  "ModifyVolume VolumeId=x-1 Size=9 Iops=3000" },
	{ DELETE, "Volume", "{AvailabilityZone: a, Size: 8}", NULL, "DeleteVolume VolumeId=x-1" },
	{ CREATE, "VolumeAttachment", NULL, "{Device: /dev/sdf, InstanceId: i-1, VolumeId: vol-1}",
	  "AttachVolume Device=/dev/sdf InstanceId=i-1 VolumeId=vol-1 "
	  "-> ={VolumeId}|{InstanceId}" },
	{ DELETE, "VolumeAttachment", "{Device: /dev/sdf, InstanceId: i-1, VolumeId: vol-1}", NULL,
	  "DetachVolume InstanceId=i-1 VolumeId=vol-1" },
	{ CREATE, "KeyPair", NULL, "{KeyName: k, PublicKeyMaterial: ssh-ed25519 AAAA}",
	  "ImportKeyPair KeyName=k PublicKeyMaterial=c3NoLWVkMjU1MTkgQUFBQQ== -> keyName" },
	{ UPDATE, "KeyPair", "{KeyName: k, PublicKeyMaterial: a, Tags: [{Key: a, Value: b}]}",
	  "{KeyName: k, PublicKeyMaterial: a}",
	  "DescribeKeyPairs KeyName.1=x-1 tagged <- keySet/item/keyPairId\n"
	  "DeleteTags ResourceId.1={tagged} Tag.1.Key=a" },
	{ DELETE, "KeyPair", "{KeyName: k, PublicKeyMaterial: a}", NULL,
	  "DeleteKeyPair KeyName=x-1" },

	/* Of the types that the engine plays: one instance. */
	{ CREATE, "AutoScaling::AutoScalingGroup", NULL,
	  "{MinSize: 1, MaxSize: 2, VPCZoneIdentifier: [s], LaunchTemplate: "
	  "{LaunchTemplateName: lt, Version: 3}}",
	  "RunInstances MinCount=1 MaxCount=1 LaunchTemplate.LaunchTemplateName=lt "
	  "LaunchTemplate.Version=3 -> instancesSet/item/instanceId" },
	{ CREATE, "AutoScaling::LaunchConfiguration", NULL,
	  "{ImageId: ami-1, InstanceType: t3.micro, SecurityGroups: [sg-1], KeyName: k, "
	  "AssociatePublicIpAddress: true, InstanceMonitoring: false, PlacementTenancy: default, "
	  "BlockDeviceMappings: [{DeviceName: /dev/sdb, Ebs: {VolumeSize: 1}}], "
	  "MetadataOptions: {HttpTokens: required}, UserData: YQ==}",
	  "RunInstances MinCount=1 MaxCount=1 NetworkInterface.1.AssociatePublicIpAddress=true "
	  "BlockDeviceMapping.1.DeviceName=/dev/sdb BlockDeviceMapping.1.Ebs.VolumeSize=1 "
	  "ImageId=ami-1 Monitoring.Enabled=false InstanceType=t3.micro KeyName=k "
	  "MetadataOptions.HttpTokens=required Placement.Tenancy=default SecurityGroupId.1=sg-1 "
	  "UserData=YQ== -> instancesSet/item/instanceId" },
};

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		CLEANUP(node_freep) struct node *before = read_node(expectations[i].before);
		CLEANUP(node_freep) struct node *after = read_node(expectations[i].after);
		CLEANUP(freep)
		char *text =
			calls_of(expectations[i].verb, find(expectations[i].type), before, after);

		if (!streq(text, expectations[i].expected))
			fail_msg("%s, row %zu:\n%s\ninstead of:\n%s", expectations[i].type, i, text,
				 expectations[i].expected);
	}
}

/* ---- every property ---- */

#define DEPTH 5

/* Names from a type's property down to the one that is looked at; NULL-ended. */
struct path {
	const char *names[DEPTH + 1];
	size_t depth;
};

static const char *const nowhere[] = { NULL };

static struct node *sample(const struct property *row, const char *const *path);

static struct node *first_word(const char *words)
{
	CLEANUP(freep) char *word = xasprintf("%.*s", (int)strcspn(words, " "), words);

	return node_text_new(word);
}

/* A map of what is required, and of what is on the path. */
static struct node *sample_map(const struct property *rows, const char *const *path)
{
	struct node *map = node_new(NODE_MAP);

	for (; rows && rows->name; rows++) {
		const bool on_path = streq(rows->name, *path);

		if (rows->required && !on_path && rows->lacks)
			node_add(map, rows->name, first_word(rows->lacks));
		else if (rows->required || on_path)
			node_add(map, rows->name, sample(rows, on_path ? path + 1 : nowhere));
		else if (streq(rows->name, "CidrIp")) /* a rule is about somebody */
			node_add(map, rows->name, node_text_new("10.0.0.0/8"));
	}
	return map;
}

/* A value that isn't what it is without it. */
static struct node *sample(const struct property *row, const char *const *path)
{
	struct node *list;

	switch (row->shape) {
	case SHAPE_LIST:
		return read_node("[one]");
	case SHAPE_TAGS:
		return read_node("[{Key: k, Value: v}]");
	case SHAPE_STRUCTURES:
		list = node_new(NODE_LIST);
		node_add(list, NULL, sample_map(row->members, path));
		return list;
	case SHAPE_STRUCTURE:
		return sample_map(row->members, path);
	case SHAPE_TEXTS:
	case SHAPE_JSON:
	case SHAPE_EMPTY:
		return node_new(NODE_MAP);
	case SHAPE_NUMBER:
		return node_text_new("7");
	case SHAPE_FLAG:
		return node_text_new(streq(row->fallback, "true") ? "false" : "true");
	case SHAPE_TEXT:
	case SHAPE_BYTES:
		break;
	}
	return node_text_new("some");
}

/* With one of each set of which one must be given, other than what the path is about. */
static struct node *sample_all(const struct type *type, const struct path *path, size_t depth)
{
	struct path shorter = *path;
	struct node *map;

	shorter.names[depth] = NULL;
	map = sample_map(type->properties, shorter.names);
	for (const char *set = type->one_of; set && *set;) {
		CLEANUP(freep)
		char *words = xasprintf("%.*s", (int)strcspn(set, ";"), set);
		char *rest = NULL, *word = strtok_r(words, " ", &rest);

		if (streq(word, path->names[0]) && rest && *rest)
			word = strtok_r(NULL, " ", &rest);
		for (const struct property *row = type->properties; row->name; row++)
			if (streq(row->name, word) && !node_get(map, word))
				node_add(map, word, sample(row, nowhere));
		set += strcspn(set, ";");
		set += *set == ';';
	}
	return map;
}

static void expect_refusal(const struct type *type, const struct path *path, bool required)
{
	CLEANUP(node_freep) struct node *map = sample_all(type, path, path->depth);
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	struct error error = ERROR_INIT;
	const char *name = path->names[path->depth - 1];

	assert_int_equal(type_check(type, "Resources.A.Properties", map, NULL, &error), -EINVAL);
	assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
	assert_non_null(strstr(error.text, "Resources.A.Properties."));
	assert_non_null(strstr(error.text, name));
	if (required) {
		assert_int_equal(type_check(type, "A", map, &warnings, &error), -EINVAL);
		return;
	}
	assert_int_equal(type_check(type, "Resources.A.Properties", map, &warnings, &error), 0);
	assert_int_equal(warnings.count, 1);
	assert_non_null(strstr(warnings.items[0], name));
	/* It has gone. */
	assert_int_equal(type_check(type, "Resources.A.Properties", map, NULL, &error), 0);
}

static void remove_member(struct node *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (streq(map->items[i]->key, name)) {
			node_freep(&map->items[i]);
			array_remove(map->items, &map->count, i);
			return;
		}
}

/* Each way of it is a call of its own, unless it is another resource. */
static void expect_update(const struct type *type, const struct path *path, const struct node *one,
			  const struct node *other)
{
	CLEANUP(freep) char *there = NULL, *back = NULL;

	if (type_compare(type, one, other) == UPDATE_REPLACED)
		return;
	there = calls_of(UPDATE, type, one, other);
	back = calls_of(UPDATE, type, other, one);
	if (!*there || streq(there, back))
		fail_msg("%s: %s.%s can't be changed: %s", type->name, path->names[0],
			 path->names[path->depth - 1], there);
}

/* The property makes a difference at a creation and at an update. */
static void expect_effect(const struct type *type, const struct path *path)
{
	CLEANUP(node_freep) struct node *with = sample_all(type, path, path->depth);
	CLEANUP(node_freep) struct node *without = sample_all(type, path, path->depth - 1);
	CLEANUP(freep) char *made = NULL, *otherwise = NULL;

	remove_member(without, path->depth == 1 ? path->names[0] : "");
	made = calls_of(CREATE, type, NULL, with);
	otherwise = calls_of(CREATE, type, NULL, without);
	if (streq(made, otherwise))
		fail_msg("%s: %s.%s has no effect", type->name, path->names[0],
			 path->names[path->depth - 1]);
	expect_update(type, path, without, with);
}

/* Another value than the sample is another call, or another resource. */
static void expect_required(const struct type *type, const struct path *path)
{
	CLEANUP(node_freep) struct node *one = sample_all(type, path, path->depth);
	CLEANUP(node_freep) struct node *other = node_copy(one);
	struct node *value = node_get(other, path->names[0]);
	CLEANUP(freep) char *made = NULL, *otherwise = NULL;

	if (path->depth > 1 || value->type != NODE_TEXT)
		return;
	free(value->text);
	value->text = xstrdup("9");
	made = calls_of(CREATE, type, NULL, one);
	otherwise = calls_of(CREATE, type, NULL, other);
	if (streq(made, otherwise))
		fail_msg("%s: %s has no effect", type->name, path->names[0]);
	expect_update(type, path, one, other);
}

/* What the engine plays has effects that no call shows. */
static void walk_properties(const struct type *type, const struct property *rows,
			    const struct path *above)
{
	for (; rows && rows->name; rows++) {
		struct path path = *above;

		assert_true(path.depth < DEPTH);
		path.names[path.depth++] = rows->name;
		if (rows->lacks)
			expect_refusal(type, &path, rows->required);
		else if (rows->members)
			walk_properties(type, rows->members, &path);
		else if (type->played)
			continue;
		else if (rows->required)
			expect_required(type, &path);
		else
			expect_effect(type, &path);
	}
}

static void test_properties(void **state)
{
	const struct type *type;

	(void)state;
	for (size_t i = 0; (type = type_at(i)); i++)
		walk_properties(type, type->properties, &(struct path){ { NULL }, 0 });
	assert_true(type_at(0) && type_find(type_name(type_at(0))) == type_at(0));
	assert_null(type_find("AWS::EC2::Nothing"));
}

/* ---- checks ---- */

static void test_checks(void **state)
{
	static const struct {
		const char *type, *properties, *expected;
	} checks[] = {
		{ "VPC", "{CidrBlock: 10.0.0.0/16}", NULL },
		{ "VPC", "{CidrBlock: {Ref: A}, EnableDnsSupport: {'Fn::Sub': a}}", NULL },
		{ "VPC", "{}", "P (line 1): the property CidrBlock is missing" },
		{ "VPC", "{CidrBlock: a,\n Cidr: b}",
		  "P.Cidr (line 2): AWS::EC2::VPC has no property Cidr" },
		{ "VPC", "{CidrBlock: a, EnableDnsSupport: maybe}",
		  "P.EnableDnsSupport (line 1): true or false is expected" },
		{ "VPC", "{CidrBlock: [a]}", "P.CidrBlock (line 1): a text is expected" },
		{ "VPC", "{CidrBlock: a, Tags: {a: b}}", "P.Tags (line 1): a list is expected" },
		{ "VPC", "{CidrBlock: a, Tags:\n [{Key: b, Valeu: c}]}",
		  "P.Tags.0.Valeu (line 2): AWS::EC2::VPC has no property Valeu" },
		{ "VPC", "{CidrBlock: a, Tags: [{Key: b}]}",
		  "P.Tags.0 (line 1): the property Value is missing" },
		{ "VPC", "{CidrBlock: a, Ipv4IpamPoolId: {Ref: B}}",
		  "P.Ipv4IpamPoolId (line 1): minivpc does not support this property" },
		{ "Subnet", "{CidrBlock: a}", "P (line 1): the property VpcId is missing" },
		{ "Subnet", "{CidrBlock: a, VpcId: b, Ipv6Native: false}", NULL },
		{ "Subnet", "{CidrBlock: a, VpcId: b, Ipv6Native: true}",
		  "P.Ipv6Native (line 1): minivpc does not support the value true of this "
		  "property" },
		{ "SecurityGroup",
		  "{GroupDescription: a, SecurityGroupIngress: [{'Fn::If': [C, {IpProtocol: tcp, "
		  "CidrIP: a}, {Ref: 'AWS::NoValue'}]}]}",
		  "P.SecurityGroupIngress.0.CidrIP (line 1): AWS::EC2::SecurityGroup has no "
		  "property CidrIP" },
		{ "SecurityGroup",
		  "{GroupDescription: a, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 8o}]}",
		  "P.SecurityGroupIngress.0.FromPort (line 1): a number is expected" },
		{ "Route", "{RouteTableId: a, GatewayId: b}",
		  "P (line 1): one of the properties DestinationCidrBlock DestinationIpv6CidrBlock "
		  "DestinationPrefixListId is missing" },
		{ "Route", "{RouteTableId: a, DestinationCidrBlock: b}",
		  "P (line 1): one of the properties EgressOnlyInternetGatewayId GatewayId "
		  "InstanceId NatGatewayId NetworkInterfaceId VpcPeeringConnectionId is missing" },
		{ "Instance", "{ImageId: a, SecurityGroupIds: a}",
		  "P.SecurityGroupIds (line 1): a list is expected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		CLEANUP(node_freep) struct node *properties = read_node(checks[i].properties);
		struct error error = ERROR_INIT;
		int r = type_check(find(checks[i].type), "P", properties, NULL, &error);

		assert_int_equal(r, checks[i].expected ? -EINVAL : 0);
		if (checks[i].expected)
			assert_string_equal(error.text, checks[i].expected);
	}
}

/* What wasn't checked because it was a function is when it has its value. */
static void test_values(void **state)
{
	CLEANUP(node_freep)
	struct node *properties = read_node("{CidrBlock: a, EnableDnsSupport: {Ref: A}}");
	CLEANUP(type_calls_clear) struct type_calls calls = { NULL, 0 };
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(type_create(find("VPC"), properties, "t", &calls, &error), -EINVAL);
	assert_string_equal(error.text, "EnableDnsSupport (line 1): a text is expected");
	assert_int_equal(type_create(find("VPC"), NULL, "t", &calls, &error), -EINVAL);
	assert_string_equal(error.text, "AWS::EC2::VPC: the property CidrBlock is missing");
}

static void test_compare(void **state)
{
	static const struct {
		const char *type, *before, *after;
		enum update expected;
	} steps[] = {
		{ "VPC", "{CidrBlock: a}", "{CidrBlock: a}", UPDATE_IN_PLACE },
		{ "VPC", "{CidrBlock: a}", "{CidrBlock: b}", UPDATE_REPLACED },
		{ "VPC", "{CidrBlock: a}", "{CidrBlock: a, EnableDnsSupport: false}",
		  UPDATE_IN_PLACE },
		{ "Instance", "{ImageId: a, InstanceType: b}", "{ImageId: a, InstanceType: c}",
		  UPDATE_INTERRUPTED },
		{ "Instance", "{ImageId: a, InstanceType: b}", "{ImageId: b, InstanceType: c}",
		  UPDATE_REPLACED },
		/* No call takes groups away. */
		{ "Instance", "{ImageId: a, SecurityGroupIds: [b]}",
		  "{ImageId: a, SecurityGroupIds: [c]}", UPDATE_IN_PLACE },
		{ "Instance", "{ImageId: a, SecurityGroupIds: [b]}", "{ImageId: a}",
		  UPDATE_REPLACED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		CLEANUP(node_freep) struct node *before = read_node(steps[i].before);
		CLEANUP(node_freep) struct node *after = read_node(steps[i].after);

		assert_int_equal(type_compare(find(steps[i].type), before, after),
				 steps[i].expected);
	}
}

/* ---- replies ---- */

static void test_replies(void **state)
{
	/* A map may have a member more than once here: it is no document. */
	CLEANUP(node_freep) struct node *reply = node_new(NODE_MAP);
	struct node *set = node_add(reply, "networkAclSet", node_new(NODE_MAP));
	struct node *item = node_add(set, "item", node_new(NODE_MAP));
	struct node *associations = node_add(item, "associationSet", node_new(NODE_MAP));
	static const struct {
		const char *path, *expected;
	} paths[] = {
		{ "networkAclSet/item/networkAclId", "\"acl-1\"" },
		{ "networkAclSet/item/associationSet/item/subnetId", "\"subnet-1\"" },
		{ "networkAclSet/item/associationSet/item[subnetId={id}]/id", "\"a-2\"" },
		{ "networkAclSet/item/associationSet/item[subnetId=subnet-1]/id", "\"a-1\"" },
		{ "networkAclSet/item/associationSet/item/id#", "[\"a-1\",\"a-2\"]" },
		{ "networkAclSet/item/associationSet/item/id:subnetId#",
		  "[\"a-1:subnet-1\",\"a-2:subnet/2\"]" },
		{ "networkAclSet/item/other#", "[]" },
		{ "networkAclSet/item/other", NULL },
		{ "networkAclSet/item/other?", "\"\"" },
		{ "networkAclSet/item/networkAclId?", "\"acl-1\"" },
		{ "vpcSet/item/vpcId", NULL },
	};

	(void)state;
	for (int i = 1; i <= 2; i++) {
		struct node *one = node_add(associations, "item", node_new(NODE_MAP));

		node_add(one, "id", node_text_new(i == 1 ? "a-1" : "a-2"));
		node_add(one, "subnetId", node_text_new(i == 1 ? "subnet-1" : "subnet/2"));
	}
	node_add(item, "networkAclId", node_text_new("acl-1"));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CLEANUP(node_freep)
		struct node *found = type_reply_find(reply, paths[i].path, "subnet/2");
		CLEANUP(buffer_clear) struct buffer json = BUFFER_INIT;

		if (found)
			node_json(found, &json);
		if (!streq(json.data, paths[i].expected))
			fail_msg("%s: %s", paths[i].path, json.data ? json.data : "nothing");
	}
	{
		CLEANUP(node_freep) struct node *found = type_reply_first(reply, "subnetId");

		assert_string_equal(found->text, "subnet-1");
		assert_null(type_reply_first(reply, "vpcId"));
	}
}

static void test_attributes(void **state)
{
	const struct type *vpc = find("VPC");

	(void)state;
	assert_true(type_has_attribute(vpc, "CidrBlock"));
	assert_false(type_has_attribute(vpc, "Colour"));
	assert_false(type_has_attribute(vpc, NULL));
	assert_null(type_attribute(vpc, NULL));
	assert_null(type_attribute(vpc, "VpcId"));
	assert_string_equal(type_attribute(vpc, "CidrBlock"), "vpcSet/item/cidrBlock");
	assert_string_equal(type_states(find("Instance"))->ready[0], "running");
	assert_null(type_states(find("Route"))->path);
	assert_true(type_is_played(find("CloudFormation::WaitConditionHandle")));
	assert_false(type_is_played(vpc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),	   cmocka_unit_test(test_properties),
		cmocka_unit_test(test_checks),	   cmocka_unit_test(test_values),
		cmocka_unit_test(test_compare),	   cmocka_unit_test(test_replies),
		cmocka_unit_test(test_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
