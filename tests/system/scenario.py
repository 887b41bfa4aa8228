"""
What makes, changes and deletes every kind of resource: steps in an order, each with what undoes it.
The steps' calls are one call of the API each, so that it is whole or absent; what was made by one step
is there for those after it.
"""
import base64
import json
import os
import re

from crashes import Refused, found
from lib import IMAGE
from stacks import network, template

KEY = base64.b64encode(b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDWWuPDCyJ0WkaG0UYWvmR3hTLTgpyoJ0MVd"
                       b"9sIYdwbq crash").decode()


class Context:
    """What the steps know of the world: its ids by names of our own."""

    def __init__(self, world):
        self.world = world
        self.ids = {}
        self.failing = False  # something was made to fail, rather than the daemon killed

    def call(self, action, **parameters):
        """A parameter that begins with @ is an id."""
        return self.world.call(action, **{
            name: self.ids[value[1:]] if str(value).startswith("@") else value
            for name, value in parameters.items()})

    def own(self, action, **parameters):
        return self.call(action, service="minivpc", **parameters)

    def stacks(self, action, **parameters):
        return self.call(action, service="cloudformation", **parameters)

    def state(self, identifier):
        """An instance's."""
        reply = self.call("DescribeInstances", InstanceId__1=identifier)
        return re.search(r"<instanceState>.*?<name>([^<]+)<", reply, re.DOTALL)[1]


class Step:
    """
    A call and its undoing. `keep`: names of ours, and the elements of the reply that tell the ids.
    `done` waits for what goes on by itself after the answer, and `undone` after the undoing. What
    `lingers` is shown for a while when it has ended. `loose`: what the call begins ends otherwise
    when it is interrupted, and then the function says whether it did so in order. `again`: an undoing in
    which something fails is to be asked for again, as with CloudFormation. `once`: the undoing
    is several calls, so it isn't tried itself. `fresh`: what it takes next a daemon chooses that knows
    of no earlier ones.
    """

    def __init__(self, name, do, undo, keep=None, done=None, undone=None, lingers=False, loose=None,
                 once=False, again=False, fresh=False):
        self.name, self.lingers, self.loose, self.once = name, lingers, loose, once
        self.fresh = fresh
        self.again = again
        self._do, self._undo, self._keep = do, undo, keep or {}
        self._done, self._undone = done, undone

    def do(self, context):
        reply = self._do(context)
        for name, element in self._keep.items():
            context.ids[name] = found(reply, element)

    def undo(self, context):
        self._undo(context)

    def await_done(self, context, undo):
        wait = self._undone if undo else self._done
        if wait:
            wait(context)


def call(action, **parameters):
    return lambda context: context.call(action, **parameters)


def own(action, **parameters):
    return lambda context: context.own(action, **parameters)


def stacks(action, **parameters):
    return lambda context: context.stacks(action, **parameters)


def nothing(_):
    return ""


def in_state(name, *wanted):
    def wait(context):
        context.world.wait(lambda: context.state("@" + name) in wanted, f"{name} {wanted}")
    return wait


def pair(name, do, undo, *parameters, keep=None, **common):
    """A step whose two calls have parameters in common."""
    more, less = parameters or ({}, {})
    return Step(name, call(do, **common, **more), call(undo, **common, **less), keep=keep)


def made(name, action, undo, element, parameter, fresh=False, **parameters):
    """Something that is created, and deleted by its id."""
    return Step(name, call(action, **parameters), call(undo, **{parameter: "@" + name}),
                keep={name: element}, fresh=fresh)


def association(context, of, subnet):
    """The id of a subnet's association with its network ACL."""
    reply = context.call("DescribeNetworkAcls", Filter__1__Name="association.subnet-id",
                         Filter__1__Value__1=subnet)
    block, = [part for part in reply.split("<item>")
              if context.ids[subnet[1:]] in part and "networkAclAssociationId" in part]
    return found(block, of)


def to_acl(acl):
    def do(context):
        return context.call("ReplaceNetworkAclAssociation", NetworkAclId=acl, AssociationId=association(
            context, "networkAclAssociationId", "@a"))
    return do


def to_default_acl(context):
    reply = context.call("DescribeNetworkAcls", Filter__1__Name="vpc-id",
                         Filter__1__Value__1="@vpc", Filter__2__Name="default",
                         Filter__2__Value__1="true")
    context.ids["default-acl"] = found(reply, "networkAclId")
    return to_acl("@default-acl")(context)


def to_table(table):
    """Whatever the subnet's association is now, it is one with this table."""
    def do(context):
        reply = context.call("DescribeRouteTables", Filter__1__Name="association.subnet-id",
                             Filter__1__Value__1="@a")
        block, = [part for part in reply.split("<item>")
                  if context.ids["a"] in part and "routeTableAssociationId" in part]
        return context.call("ReplaceRouteTableAssociation", RouteTableId=table,
                            AssociationId=found(block, "routeTableAssociationId"))
    return do


def from_table(context):
    """Its association, which the step before has made anew, is no more."""
    reply = context.call("DescribeRouteTables", Filter__1__Name="association.subnet-id",
                         Filter__1__Value__1="@a")
    block, = [part for part in reply.split("<item>")
              if context.ids["a"] in part and "routeTableAssociationId" in part]
    return context.call("DisassociateRouteTable",
                        AssociationId=found(block, "routeTableAssociationId"))


def default_options(context):
    """A VPC's options are the region's again."""
    reply = context.call("DescribeVpcs", Filter__1__Name="is-default", Filter__1__Value__1="true")
    return context.call("AssociateDhcpOptions", VpcId="@vpc",
                        DhcpOptionsId=found(reply, "dhcpOptionsId"))


def default_subnet(context):
    reply = context.call("DescribeSubnets", Filter__1__Name="default-for-az",
                         Filter__1__Value__1="true", Filter__2__Name="availability-zone",
                         Filter__2__Value__1="us-east-1f")
    return context.call("DeleteSubnet", SubnetId=found(reply, "subnetId"))


PING = {"IpPermissions__1__IpProtocol": "icmp", "IpPermissions__1__FromPort": -1,
        "IpPermissions__1__ToPort": -1, "IpPermissions__1__IpRanges__1__CidrIp": "10.0.0.0/8"}
PEERS = {"IpPermissions__1__IpProtocol": "tcp", "IpPermissions__1__FromPort": 80,
         "IpPermissions__1__ToPort": 90, "IpPermissions__1__Groups__1__GroupId": "@group",
         "IpPermissions__1__PrefixListIds__1__PrefixListId": "@prefixes"}
ENTRY = {"NetworkAclId": "@acl", "RuleNumber": 100, "Egress": "false"}
RUN = {"ImageId": IMAGE, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}


BOOTED = "dup2(log, 2) run_script"  # the last that an init does before the script is the shell's


def run(name, count=1, boots=False, **parameters):
    """
    Instances; their ending is one more step backwards. What they boot with (`boots`) begins after the
    answer, in its own time: it is waited for, so that what it passes is the step's.
    """
    wanted = {**RUN, "MinCount": count, "MaxCount": count, **parameters}
    names = [f"{name}{i or ''}" for i in range(count)]

    def do(context):
        context.booted = context.world.control.passed(BOOTED)
        reply = context.call("RunInstances", **wanted)
        context.ids.update(zip(names, re.findall("<instanceId>([^<]+)<", reply)))
        return reply

    def done(context):
        in_state(name, "running")(context)
        control = context.world.control
        if boots:
            context.world.wait(lambda: control.get("fired") or
                               control.passed(BOOTED) >= context.booted + count, f"{name} boots")
    return Step(name, do, call("TerminateInstances", **{
        f"InstanceId__{i + 1}": "@" + one for i, one in enumerate(names)}),
        done=done, undone=in_state(name, "terminated"), lingers=True,
        fresh=True)


def image_path(context):
    """A directory that is an image of one's own."""
    path = os.path.join(context.world.directory, "image")
    os.makedirs(os.path.join(path, "bin"), exist_ok=True)
    return path


def image_archive(context):
    path = image_path(context) + ".tar"
    if not os.path.exists(path):
        os.system(f"tar -C {image_path(context)} -cf {path} .")
    return path


def image_state(context, name):
    reply = context.own("ListImages")
    block = [part for part in reply.split("<item>") if context.ids.get(name) and
             context.ids[name] in part]
    return found(block[0], "state") if block else None


def image_settled(context):
    """Unpacked, or removed: the next one has the same id here, and so the same directory."""
    copy = os.path.join(context.world.state, "images", context.ids.get("unpacked") or "none")
    states = {True: ["available"], False: [None, "failed"]}
    context.world.wait(lambda: image_state(context, "unpacked") in states[os.path.exists(copy)],
                       "the image")


def stack_status(context, name):
    try:
        return found(context.stacks("DescribeStacks", StackName=name), "StackStatus")
    except Refused:
        return None


def stack_over(context, name="crash"):
    def over():
        status = stack_status(context, name)
        return not status or not status.endswith("_IN_PROGRESS")
    context.world.wait(over, "the stack", 30)


def stack_whole(context):
    """Interrupted, it went on, or it was never begun; where a resource failed it was rolled back."""
    stack_over(context)
    status = stack_status(context, "crash")
    assert status in ("CREATE_COMPLETE", None) or context.failing and status == "ROLLBACK_COMPLETE"
    return status


def six_of(context):
    """A /64 of the VPC's /56."""
    block = re.search(r"<ipv6CidrBlock>([^<]+)::/56<", context.call("DescribeVpcs"))[1]
    return context.call("AssociateSubnetCidrBlock", SubnetId="@six", Ipv6CidrBlock=f"{block}::/64")


def requested_again(context):
    """A peering that was accepted is one that is asked for again."""
    context.call("DeleteVpcPeeringConnection", VpcPeeringConnectionId="@peering")
    context.world.forget()
    context.world.control.seed("peering")
    context.call("CreateVpcPeeringConnection", VpcId="@vpc", PeerVpcId="@vpc2")


def account_removed(context):
    """Nothing undoes this but a hand."""
    path = os.path.join(context.world.state, "credentials")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.split("\n[210987654321]")[0])
    context.world.restart()


def begin(context):
    """The simulated Internet comes with the first gateway, and stays."""
    gateway = found(context.call("CreateInternetGateway"), "internetGatewayId")
    context.call("DeleteInternetGateway", InternetGatewayId=gateway)


STEPS = [
    # A network.
    made("dhcp", "CreateDhcpOptions", "DeleteDhcpOptions", "dhcpOptionsId", "DhcpOptionsId",
         DhcpConfiguration__1__Key="domain-name", DhcpConfiguration__1__Value__1="crash.test"),
    made("vpc", "CreateVpc", "DeleteVpc", "vpcId", "VpcId", CidrBlock="10.1.0.0/16"),
    Step("options", call("AssociateDhcpOptions", VpcId="@vpc", DhcpOptionsId="@dhcp"),
         default_options),
    pair("names", "ModifyVpcAttribute", "ModifyVpcAttribute", {"EnableDnsHostnames__Value": "true"},
         {"EnableDnsHostnames__Value": "false"}, VpcId="@vpc"),
    Step("cidr", call("AssociateVpcCidrBlock", VpcId="@vpc", CidrBlock="10.2.0.0/16"),
         call("DisassociateVpcCidrBlock", AssociationId="@cidr"), keep={"cidr": "associationId"}),
    made("a", "CreateSubnet", "DeleteSubnet", "subnetId", "SubnetId", VpcId="@vpc",
         CidrBlock="10.1.1.0/24", AvailabilityZone="us-east-1a"),
    made("b", "CreateSubnet", "DeleteSubnet", "subnetId", "SubnetId", VpcId="@vpc",
         CidrBlock="10.2.1.0/24", AvailabilityZone="us-east-1b"),
    pair("public", "ModifySubnetAttribute", "ModifySubnetAttribute",
         {"MapPublicIpOnLaunch__Value": "true"}, {"MapPublicIpOnLaunch__Value": "false"},
         SubnetId="@b"),
    made("vpc6", "CreateVpc", "DeleteVpc", "vpcId", "VpcId", CidrBlock="10.6.0.0/16",
         AmazonProvidedIpv6CidrBlock="true"),
    made("six", "CreateSubnet", "DeleteSubnet", "subnetId", "SubnetId", VpcId="@vpc6",
         CidrBlock="10.6.1.0/24", AvailabilityZone="us-east-1a"),
    Step("block", six_of, call("DisassociateSubnetCidrBlock", AssociationId="@block"),
         keep={"block": "associationId"}),
    made("gateway", "CreateInternetGateway", "DeleteInternetGateway", "internetGatewayId",
         "InternetGatewayId"),
    pair("attach", "AttachInternetGateway", "DetachInternetGateway", VpcId="@vpc",
         InternetGatewayId="@gateway"),
    made("egress", "CreateEgressOnlyInternetGateway", "DeleteEgressOnlyInternetGateway",
         "egressOnlyInternetGatewayId", "EgressOnlyInternetGatewayId", VpcId="@vpc"),
    made("table", "CreateRouteTable", "DeleteRouteTable", "routeTableId", "RouteTableId",
         VpcId="@vpc"),
    made("other-table", "CreateRouteTable", "DeleteRouteTable", "routeTableId", "RouteTableId",
         VpcId="@vpc"),
    Step("associate", call("AssociateRouteTable", RouteTableId="@table", SubnetId="@a"),
         from_table),
    Step("reassociate", to_table("@other-table"), to_table("@table")),
    Step("back", to_table("@table"), to_table("@other-table")),
    pair("route", "CreateRoute", "DeleteRoute", {"GatewayId": "@gateway"}, {}, RouteTableId="@table",
         DestinationCidrBlock="0.0.0.0/0"),
    # Rules.
    made("prefixes", "CreateManagedPrefixList", "DeleteManagedPrefixList", "prefixListId",
         "PrefixListId", PrefixListName="crash", MaxEntries=10, AddressFamily="IPv4",
         Entry__1__Cidr="10.9.0.0/16", Entry__2__Cidr="10.10.0.0/24"),
    made("group", "CreateSecurityGroup", "DeleteSecurityGroup", "groupId", "GroupId", VpcId="@vpc",
         GroupName="crash", GroupDescription="crash"),
    pair("pings", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", GroupId="@group",
         **PING),
    pair("peers", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", GroupId="@group",
         **PEERS),
    made("acl", "CreateNetworkAcl", "DeleteNetworkAcl", "networkAclId", "NetworkAclId",
         VpcId="@vpc"),
    pair("entry", "CreateNetworkAclEntry", "DeleteNetworkAclEntry", {
        "Protocol": -1, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}, {}, **ENTRY),
    Step("narrower", call("ReplaceNetworkAclEntry", Protocol=6, RuleAction="allow",
                          CidrBlock="10.0.0.0/8", PortRange__From=80, PortRange__To=80, **ENTRY),
         call("ReplaceNetworkAclEntry", Protocol=-1, RuleAction="allow", CidrBlock="0.0.0.0/0",
              **ENTRY)),
    Step("acl-of-a", to_acl("@acl"), to_default_acl),
    # Interfaces and addresses.
    made("eni", "CreateNetworkInterface", "DeleteNetworkInterface", "networkInterfaceId",
         "NetworkInterfaceId", SubnetId="@a", SecurityGroupId__1="@group",
         PrivateIpAddress="10.1.1.20"),
    made("other-group", "CreateSecurityGroup", "DeleteSecurityGroup", "groupId", "GroupId",
         VpcId="@vpc", GroupName="other", GroupDescription="other"),
    pair("groups", "ModifyNetworkInterfaceAttribute", "ModifyNetworkInterfaceAttribute",
         {"SecurityGroupId__2": "@other-group"}, {}, SecurityGroupId__1="@group",
         NetworkInterfaceId="@eni"),
    pair("more", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
         NetworkInterfaceId="@eni", PrivateIpAddress__1="10.1.1.77"),
    pair("unchecked", "ModifyNetworkInterfaceAttribute", "ModifyNetworkInterfaceAttribute",
         {"SourceDestCheck__Value": "false"}, {"SourceDestCheck__Value": "true"},
         NetworkInterfaceId="@eni"),
    made("address", "AllocateAddress", "ReleaseAddress", "allocationId", "AllocationId",
         Domain="vpc", fresh=True),
    Step("associated", call("AssociateAddress", AllocationId="@address", NetworkInterfaceId="@eni"),
         call("DisassociateAddress", AssociationId="@associated"),
         keep={"associated": "associationId"}),
    # Machines.
    made("key", "ImportKeyPair", "DeleteKeyPair", "keyPairId", "KeyPairId", KeyName="crash",
         PublicKeyMaterial=KEY),
    made("template", "CreateLaunchTemplate", "DeleteLaunchTemplate", "launchTemplateId",
         "LaunchTemplateId", LaunchTemplateName="crash",
         LaunchTemplateData__InstanceType="t3.micro"),
    run("instance", SubnetId="@a", SecurityGroupId__1="@group", PrivateIpAddress="10.1.1.10"),
    run("two", count=2, boots=True, SubnetId="@b", KeyName="crash"),
    Step("tag", call("CreateTags", ResourceId__1="@instance", ResourceId__2="@vpc",
                     Tag__1__Key="Name", Tag__1__Value="crash"),
         call("DeleteTags", ResourceId__1="@instance", ResourceId__2="@vpc", Tag__1__Key="Name")),
    Step("attached", call("AttachNetworkInterface", InstanceId="@instance",
                          NetworkInterfaceId="@eni", DeviceIndex=1),
         call("DetachNetworkInterface", AttachmentId="@attached"),
         keep={"attached": "attachmentId"}),
    pair("route-by", "CreateRoute", "DeleteRoute", {"NetworkInterfaceId": "@eni"}, {},
         RouteTableId="@table", DestinationCidrBlock="192.168.0.0/16"),
    Step("stopped", call("StopInstances", InstanceId__1="@instance"),
         call("StartInstances", InstanceId__1="@instance"),
         done=in_state("instance", "stopped"), undone=in_state("instance", "running")),
    Step("started", call("StartInstances", InstanceId__1="@instance"),
         call("StopInstances", InstanceId__1="@instance"),
         done=in_state("instance", "running"), undone=in_state("instance", "stopped")),
    made("volume", "CreateVolume", "DeleteVolume", "volumeId", "VolumeId", Size=1,
         AvailabilityZone="us-east-1a"),
    pair("plugged", "AttachVolume", "DetachVolume", {"Device": "/dev/sdf",
                                                     "InstanceId": "@instance"}, {},
         VolumeId="@volume"),
    Step("image", lambda context: context.own("ImportImage", Name="crash", Path=image_path(context)),
         lambda context: context.own("DeleteImage", Image="crash"), keep={"image": "imageId"}),
    Step("unpacked", lambda context: context.own("ImportImage", Name="packed",
                                                 Path=image_archive(context)),
         lambda context: context.own("DeleteImage", Image="packed"), keep={"unpacked": "imageId"},
         done=image_settled, undone=image_settled,
         loose=lambda context: image_state(context, "unpacked")),
    run("own", ImageId="@unpacked", SubnetId="@a", PrivateIpAddress="10.1.1.11"),
    # Other networks.
    made("allocation", "AllocateAddress", "ReleaseAddress", "allocationId", "AllocationId",
         Domain="vpc", fresh=True),
    Step("nat", call("CreateNatGateway", SubnetId="@a", AllocationId="@allocation",
                     PrivateIpAddress="10.1.1.30"),
         call("DeleteNatGateway", NatGatewayId="@nat"), keep={"nat": "natGatewayId"}, lingers=True),
    made("vpc2", "CreateVpc", "DeleteVpc", "vpcId", "VpcId", CidrBlock="10.3.0.0/16"),
    made("c", "CreateSubnet", "DeleteSubnet", "subnetId", "SubnetId", VpcId="@vpc2",
         CidrBlock="10.3.1.0/24", AvailabilityZone="us-east-1a"),
    Step("peering", call("CreateVpcPeeringConnection", VpcId="@vpc", PeerVpcId="@vpc2"),
         call("DeleteVpcPeeringConnection", VpcPeeringConnectionId="@peering"),
         keep={"peering": "vpcPeeringConnectionId"}, lingers=True),
    Step("accepted", call("AcceptVpcPeeringConnection", VpcPeeringConnectionId="@peering"),
         requested_again, once=True),
    pair("names-too", "ModifyVpcAttribute", "ModifyVpcAttribute",
         {"EnableDnsHostnames__Value": "true"}, {"EnableDnsHostnames__Value": "false"},
         VpcId="@vpc2"),
    pair("resolution", "ModifyVpcPeeringConnectionOptions", "ModifyVpcPeeringConnectionOptions",
         {"RequesterPeeringConnectionOptions__AllowDnsResolutionFromRemoteVpc": "true"},
         {"RequesterPeeringConnectionOptions__AllowDnsResolutionFromRemoteVpc": "false"},
         VpcPeeringConnectionId="@peering"),
    pair("route-to", "CreateRoute", "DeleteRoute", {"VpcPeeringConnectionId": "@peering"}, {},
         RouteTableId="@table", DestinationCidrBlock="10.3.0.0/16"),
    Step("endpoint", call("CreateVpcEndpoint", VpcId="@vpc", ServiceName="com.amazonaws.us-east-1.s3",
                          RouteTableId__1="@table"),
         call("DeleteVpcEndpoints", VpcEndpointId__1="@endpoint"),
         keep={"endpoint": "vpcEndpointId"}),
    Step("interface", call("CreateVpcEndpoint", VpcId="@vpc", VpcEndpointType="Interface",
                           ServiceName="com.amazonaws.us-east-1.ssm", SubnetId__1="@a",
                           SubnetConfiguration__1__SubnetId="@a",
                           SubnetConfiguration__1__Ipv4="10.1.1.40"),
         call("DeleteVpcEndpoints", VpcEndpointId__1="@interface"),
         keep={"interface": "vpcEndpointId"}),
    Step("flow", call("CreateFlowLogs", ResourceId__1="@vpc", ResourceType="VPC",
                      TrafficType="ALL", LogDestinationType="s3",
                      LogDestination="arn:aws:s3:::crash"),
         call("DeleteFlowLogs", FlowLogId__1="@flow"), keep={"flow": "item"}),
    Step("host", own("CreateInternetHost", Name="crash", Address="8.8.8.8"),
         own("DeleteInternetHost", Name="crash")),
    Step("dark", own("CreateFault", Type="az", Target="us-east-1a"),
         own("DeleteFault", Target="us-east-1a")),
    Step("lossy", own("CreateFault", Type="link", Target="@instance", Loss="10"),
         own("DeleteFault", Target="@instance")),
    pair("defaults", "ModifyInstanceMetadataDefaults", "ModifyInstanceMetadataDefaults",
         {"HttpTokens": "required"}, {"HttpTokens": "no-preference"}),
    Step("account", own("CreateAccount", Account="210987654321"), account_removed, once=True),
    # Stacks.
    Step("change-set", stacks("CreateChangeSet", StackName="review", ChangeSetName="one",
                              ChangeSetType="CREATE", TemplateBody=json.dumps(template(network()))),
         stacks("DeleteStack", StackName="review"), lingers=True, fresh=True,
         undone=lambda context: stack_over(context, "review")),
    Step("stack", stacks("CreateStack", StackName="crash",
                         TemplateBody=json.dumps(template(network("10.8")))),
         stacks("DeleteStack", StackName="crash"), done=stack_over, undone=stack_over,
         lingers=True, loose=stack_whole, again=True),
]
