"""What the answer that nobody heard must have been, found by describing what came of it."""
from soak_client import Call

# Action: how what it made is described, under which member, and the reply's member that has it.
MADE = {
    "CreateVpc": ("DescribeVpcs", "vpcSet", "vpc"),
    "CreateSubnet": ("DescribeSubnets", "subnetSet", "subnet"),
    "CreateInternetGateway": ("DescribeInternetGateways", "internetGatewaySet", "internetGateway"),
    "CreateRouteTable": ("DescribeRouteTables", "routeTableSet", "routeTable"),
    "CreateSecurityGroup": ("DescribeSecurityGroups", "securityGroupInfo", None),
    "CreateNetworkAcl": ("DescribeNetworkAcls", "networkAclSet", "networkAcl"),
    "CreateNetworkInterface": ("DescribeNetworkInterfaces", "networkInterfaceSet",
                               "networkInterface"),
    "RunInstances": ("DescribeInstances", "reservationSet", None),
    "AllocateAddress": ("DescribeAddresses", "addressesSet", None),
    "CreateNatGateway": ("DescribeNatGateways", "natGatewaySet", "natGateway"),
    "CreateVpcPeeringConnection": ("DescribeVpcPeeringConnections", "vpcPeeringConnectionSet",
                                   "vpcPeeringConnection"),
    "CreateManagedPrefixList": ("DescribeManagedPrefixLists", "prefixListSet", "prefixList"),
    "CreateDhcpOptions": ("DescribeDhcpOptions", "dhcpOptionsSet", "dhcpOptions"),
    "CreateKeyPair": ("DescribeKeyPairs", "keySet", None),
    "CreateLaunchTemplate": ("DescribeLaunchTemplates", "launchTemplates", "launchTemplate"),
    "CreateVpcEndpoint": ("DescribeVpcEndpoints", "vpcEndpointSet", "vpcEndpoint"),
    "CreateVolume": ("DescribeVolumes", "volumeSet", None),
}


def serial_of(call):
    """The tag that only this call's thing has."""
    return next((value for name, value in call.parameters.items()
                 if call.parameters.get(name.replace(".Value", ".Key")) == "serial" and
                 name.endswith(".Value")), None)


def found_reply(model, call, ask):
    """As much of the reply as the model reads; nothing where it reads none."""
    p = call.parameters
    if call.action in MADE:
        action, member, name = MADE[call.action]
        found = ask(Call(action, {"Filter.1.Name": "tag:serial",
                                  "Filter.1.Value.1": serial_of(call)}))[member]
        assert len(found) == 1, found
        return {name: found[0]} if name else found[0]
    if call.action in ("AssociateRouteTable", "ReplaceRouteTableAssociation"):
        table, = ask(Call("DescribeRouteTables", {"RouteTableId.1": p["RouteTableId"]}))[
            "routeTableSet"]
        return new_association(model, "rtb", table, "routeTableAssociationId")
    if call.action == "ReplaceNetworkAclAssociation":
        acl, = ask(Call("DescribeNetworkAcls", {"NetworkAclId.1": p["NetworkAclId"]}))[
            "networkAclSet"]
        return new_association(model, "acl", acl, "networkAclAssociationId")
    if call.action == "AssociateAddress":
        return ask(Call("DescribeAddresses", {"AllocationId.1": p["AllocationId"]}))[
            "addressesSet"][0]
    if call.action == "AttachNetworkInterface":
        return ask(Call("DescribeNetworkInterfaces", {
            "NetworkInterfaceId.1": p["NetworkInterfaceId"]}))["networkInterfaceSet"][0][
                "attachment"]
    if call.action.startswith("AuthorizeSecurityGroup"):
        return ask(Call("DescribeSecurityGroupRules", {
            "Filter.1.Name": "group-id", "Filter.1.Value.1": p["GroupId"]}))
    return {}


def new_association(model, kind, thing, member):
    """The one that the model does not know."""
    known = {key for other in model.things[kind].values() for key in other["_associations"]}
    new, = {entry[member] for entry in thing["associationSet"]} - known
    return {"associationId": new, "newAssociationId": new}
