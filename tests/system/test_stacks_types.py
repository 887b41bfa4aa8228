"""Every type of resource in one stack: made, changed in place, replaced, deleted, nothing left."""
import json

import pytest

from lib import IMAGE, api_state, names, tags, wait_for
from stacks import (create, delete, events, get, network, outputs, physical, ref, resource,
                    template, update, web)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbml2cGNNaW5pdnBjTWluaXZwY01pbml2cGNNaW5p"
PUBLIC_AMI = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}"


@pytest.fixture
def client(world):
    return world.client("cloudformation")


def everything():
    ec2 = "EC2::"
    made = {
        **network(),
        "Web": web(KeyName=ref("Key"), UserData={"Fn::Base64": {"Fn::Sub": "#!/bin/sh\necho ${Net}"}}),
        "More": resource(ec2 + "VPCCidrBlock", VpcId=ref("Net"), CidrBlock="10.21.0.0/16"),
        "Second": resource(ec2 + "Subnet", depends="More", VpcId=ref("Net"),
                           CidrBlock="10.21.1.0/24",
                           AvailabilityZone={"Fn::Select": [1, {"Fn::GetAZs": ""}]}),
        "Address": resource(ec2 + "EIP", Domain="vpc", Tags=tags(Name="a")),
        "Nat": resource(ec2 + "NatGateway", SubnetId=ref("Public"),
                        AllocationId=get("Address", "AllocationId")),
        "Inner": resource(ec2 + "RouteTable", VpcId=ref("Net")),
        "Out": resource(ec2 + "Route", RouteTableId=ref("Inner"), NatGatewayId=ref("Nat"),
                        DestinationCidrBlock="0.0.0.0/0"),
        "Inside": resource(ec2 + "SubnetRouteTableAssociation", RouteTableId=ref("Inner"),
                           SubnetId=ref("Second")),
        "Ingress": resource(ec2 + "SecurityGroupIngress", GroupId=ref("Group"), IpProtocol="tcp",
                            FromPort=80, ToPort=80, SourceSecurityGroupId=ref("Group")),
        "Egress": resource(ec2 + "SecurityGroupEgress", GroupId=ref("Group"), IpProtocol="tcp",
                           FromPort=81, ToPort=82, CidrIp="10.0.0.0/8"),
        "Acl": resource(ec2 + "NetworkAcl", VpcId=ref("Net")),
        "EntryIn": resource(ec2 + "NetworkAclEntry", NetworkAclId=ref("Acl"), RuleNumber=100,
                            Protocol=-1, RuleAction="allow", CidrBlock="0.0.0.0/0"),
        "EntryOut": resource(ec2 + "NetworkAclEntry", NetworkAclId=ref("Acl"), RuleNumber=100,
                             Protocol=-1, RuleAction="allow", CidrBlock="0.0.0.0/0", Egress=True),
        "Guarded": resource(ec2 + "SubnetNetworkAclAssociation", SubnetId=ref("Second"),
                            NetworkAclId=ref("Acl")),
        "Card": resource(ec2 + "NetworkInterface", SubnetId=ref("Public"), GroupSet=[ref("Group")],
                         Description="one"),
        "Plug": resource(ec2 + "NetworkInterfaceAttachment", InstanceId=ref("Web"),
                         NetworkInterfaceId=ref("Card"), DeviceIndex="1"),
        "Own": resource(ec2 + "EIP", Domain="vpc"),
        "Owned": resource(ec2 + "EIPAssociation", AllocationId=get("Own", "AllocationId"),
                          NetworkInterfaceId=ref("Card")),
        "Peer": resource(ec2 + "VPC", CidrBlock="10.30.0.0/16"),
        "Peering": resource(ec2 + "VPCPeeringConnection", VpcId=ref("Net"), PeerVpcId=ref("Peer")),
        "Across": resource(ec2 + "Route", RouteTableId=ref("Inner"),
                           DestinationCidrBlock="10.30.0.0/16",
                           VpcPeeringConnectionId=ref("Peering")),
        "Options": resource(ec2 + "DHCPOptions", DomainName="lab.test",
                            DomainNameServers=["AmazonProvidedDNS"]),
        "Optional": resource(ec2 + "VPCDHCPOptionsAssociation", VpcId=ref("Net"),
                             DhcpOptionsId=ref("Options")),
        "List": resource(ec2 + "PrefixList", PrefixListName="mine", AddressFamily="IPv4",
                         MaxEntries=3, Entries=[{"Cidr": "10.40.0.0/16"}]),
        "Launch": resource(ec2 + "LaunchTemplate", LaunchTemplateData={
            "ImageId": PUBLIC_AMI, "InstanceType": "t3.micro"}),
        "Launched": resource(ec2 + "Instance", SubnetId=ref("Public"), LaunchTemplate={
            "LaunchTemplateId": ref("Launch"), "Version": get("Launch", "LatestVersionNumber")}),
        "Key": resource(ec2 + "KeyPair", KeyName="lab", PublicKeyMaterial=KEY),
        "EgressOnly": resource(ec2 + "EgressOnlyInternetGateway", VpcId=ref("Net")),
        "Log": resource(ec2 + "FlowLog", ResourceType="VPC", ResourceId=ref("Net"),
                        TrafficType="ALL", LogDestinationType="s3",
                        LogDestination="arn:aws:s3:::bucket"),
        "Endpoint": resource(ec2 + "VPCEndpoint", VpcId=ref("Net"), ServiceName={
            "Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}, RouteTableIds=[ref("Inner")]),
        "Volume": resource(ec2 + "Volume", AvailabilityZone=get("Web", "AvailabilityZone"), Size=1),
        "Mounted": resource(ec2 + "VolumeAttachment", VolumeId=ref("Volume"),
                            InstanceId=ref("Web"), Device="/dev/sdf"),
        "Word": resource("SSM::Parameter", Type="String", Value="x"),
        "Handle": resource("CloudFormation::WaitConditionHandle"),
    }
    return made


def test_every_type(world, client):
    before = {call: value for call, value in api_state(world).items()
              if call not in ("describe_instances", "describe_nat_gateways", "describe_tags",
                              "describe_vpc_peering_connections")}
    resources = everything()
    told = {"Address": get("Web", "PublicIp"), "Own": ref("Own"), "Web": ref("Web"), "Out": ref("Launched"),
            "Group": get("Net", "DefaultSecurityGroup")}
    made = create(client, "all", template(resources, told))
    found = physical(client, "all")
    assert set(found) == set(resources)
    world.assert_reaches("internet", outputs(client, "all")["Address"])
    world.assert_reaches(found["Launched"], world.internet_address())
    # In place, most of them.
    resources["Net"]["Properties"]["EnableDnsHostnames"] = False
    resources["Public"]["Properties"]["MapPublicIpOnLaunch"] = False
    resources["Group"]["Properties"]["SecurityGroupIngress"].append(
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"})
    resources["Out"]["Properties"]["NatGatewayId"] = {"Ref": "AWS::NoValue"}
    resources["Out"]["Properties"]["GatewayId"] = ref("Gate")
    resources["EntryIn"]["Properties"]["RuleAction"] = "deny"
    resources["Card"]["Properties"]["Description"] = "two"
    resources["List"]["Properties"]["Entries"] = [{"Cidr": "10.41.0.0/16"}, {"Cidr": "10.42.0.0/16"}]
    resources["Launch"]["Properties"]["LaunchTemplateData"]["InstanceType"] = "t3.small"
    resources["Word"]["Properties"]["Value"] = "y"
    for name in ("Gate", "Table", "Acl", "Nat", "Peering", "Options", "Volume"):
        resources[name]["Properties"]["Tags"] = tags(Name="changed")
    # Replaced.
    resources["Egress"]["Properties"]["ToPort"] = 83
    resources["EgressOnly"]["Properties"]["Tags"] = tags(Name="x")
    update(client, "all", template(resources, told))
    after = physical(client, "all")
    assert after["Egress"] != found["Egress"]
    assert {name for name in found if found[name] != after[name]} <= {
        "Egress", "Launched", "EgressOnly"}, (found, after)
    delete(client, "all")
    after = api_state(world)
    assert {call: value for call, value in after.items() if call in before} == before
    assert ("all", "DELETE_COMPLETE") in events(client, made)


def test_all_is_undone(world, client):
    """The same update, with something that fails at the end: all is as before."""
    resources = everything()
    for name in ("Peering", "Across", "Endpoint", "Log", "Launched"):
        del resources[name]
    create(client, "all", template(resources))
    found, before = physical(client, "all"), api_state(world)
    resources["Net"]["Properties"]["EnableDnsHostnames"] = False
    resources["Group"]["Properties"]["SecurityGroupIngress"].append(
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"})
    resources["EntryIn"]["Properties"]["RuleAction"] = "deny"
    resources["Card"]["Properties"]["Description"] = "two"
    for name in ("Gate", "Table", "Acl", "Nat", "Options", "Volume"):
        resources[name]["Properties"]["Tags"] = tags(Name="changed")
    resources["Bad"] = resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.99.0.0/24",
                                depends=["Plug", "Optional", "Guarded", "Mounted"])
    update(client, "all", template(resources), "UPDATE_ROLLBACK_COMPLETE")
    assert physical(client, "all") == found
    state = api_state(world)
    for call in before:
        assert state[call] == before[call], call
    delete(client, "all")


def test_the_default_vpc(world, client):
    """Where a template names no VPC; its group is referred to as if by name."""
    create(client, "plain", template({
        "Group": resource("EC2::SecurityGroup", GroupDescription="pings", SecurityGroupIngress=[
            {"IpProtocol": "icmp", "FromPort": "-1", "ToPort": "-1", "CidrIp": "0.0.0.0/0"}]),
        "Web": resource("EC2::Instance", ImageId=PUBLIC_AMI, InstanceType="t3.micro",
                        SecurityGroups=[ref("Group")])}, {"Address": get("Web", "PublicIp")}))
    world.assert_reaches("internet", outputs(client, "plain")["Address"])
    web_id = physical(client, "plain")["Web"]
    assert names(world.instance(web_id)["SecurityGroups"], "GroupId") == [
        physical(client, "plain")["Group"]]
    delete(client, "plain")


def test_second_blocks_and_addresses(world, client):
    """A subnet's block of IPv6 and a NAT gateway's second addresses come and go in place."""
    block = {"Fn::Select": [0, {"Fn::Cidr": [
        {"Fn::Select": [0, get("Net", "Ipv6CidrBlocks")]}, 1, 64]}]}
    resources = {
        **network(),
        "Six": resource("EC2::VPCCidrBlock", VpcId=ref("Net"), AmazonProvidedIpv6CidrBlock=True),
        "Nat": resource("EC2::NatGateway", SubnetId=ref("Public"),
                        AllocationId=get("One", "AllocationId")),
        **{name: resource("EC2::EIP", Domain="vpc") for name in ("One", "Two", "Three")},
    }
    create(client, "six", template(resources))
    made = physical(client, "six")

    def state():
        subnet = world.ec2.describe_subnets(SubnetIds=[made["Public"]])["Subnets"][0]
        nat = world.ec2.describe_nat_gateways(NatGatewayIds=[made["Nat"]])["NatGateways"][0]
        return (subnet["AssignIpv6AddressOnCreation"],
                [entry["Ipv6CidrBlock"] for entry in subnet["Ipv6CidrBlockAssociationSet"]
                 if entry["Ipv6CidrBlockState"]["State"] == "associated"],
                {entry["PublicIp"] for entry in nat["NatGatewayAddresses"]})

    assert state() == (False, [], {made["One"]})
    resources["Public"] = resource("EC2::Subnet", depends="Six", **{
        **resources["Public"]["Properties"], "Ipv6CidrBlock": block,
        "AssignIpv6AddressOnCreation": True})
    second = resources["Nat"]["Properties"]
    second["SecondaryAllocationIds"] = [get("Two", "AllocationId")]
    update(client, "six", template(resources))
    vpc = world.ec2.describe_vpcs(VpcIds=[made["Net"]])["Vpcs"][0]
    whole = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    assert state() == (True, [whole.replace("/56", "/64")], {made["One"], made["Two"]})
    del resources["Public"]["Properties"]["Ipv6CidrBlock"]
    del resources["Public"]["Properties"]["AssignIpv6AddressOnCreation"]
    second["SecondaryAllocationIds"] = [get("Three", "AllocationId")]
    update(client, "six", template(resources))
    assert physical(client, "six") == made
    wait_for(lambda: state() == (False, [], {made["One"], made["Three"]}), 10, "the second ones")
    delete(client, "six")
