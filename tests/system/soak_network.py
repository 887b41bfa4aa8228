"""
What AWS answers to one client's calls, in plain Python: a second statement of vpcs, subnets, routes,
rules, interfaces, instances and addresses, independent of minivpc's. Calls are given by their
names on the wire, and things are kept as they are described there.

A verb is a generator. It raises Refused where AWS refuses the call; at its first `yield` the call is
granted, and the reply comes in; whatever else it wants to know, it asks by yielding calls. What it
returns is the reply there should have been: see check() and Verb below.
"""
import ipaddress
import re

from soak_client import Call
from soak_values import Any, differences

OWNER_TAG = "soak"  # on everything a client makes: its name
ZONES = [f"us-east-1{letter}" for letter in "abcdef"]
ANYWHERE = "0.0.0.0/0"
TYPES = {"t3.micro": (2, 2), "t3.small": (3, 4)}  # interfaces, addresses of each

# Kind: its word in "The … ID 'x' does not exist", codes of an unknown and of a malformed one.
KINDS = {
    "vpc": ("vpc", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed"),
    "subnet": ("subnet", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed"),
    "igw": ("internetGateway", "InvalidInternetGatewayID.NotFound",
            "InvalidInternetGatewayId.Malformed"),
    "rtb": ("routeTable", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed"),
    "sg": (None, "InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    "acl": ("networkAcl", "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed"),
    "eni": ("networkInterface", "InvalidNetworkInterfaceID.NotFound",
            "InvalidNetworkInterfaceId.Malformed"),
    "i": ("instance", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"),
    "eipalloc": ("allocation", "InvalidAllocationID.NotFound", None),
    "nat": (None, "NatGatewayNotFound", "NatGatewayMalformed"),
    "pcx": ("vpcPeeringConnection", "InvalidVpcPeeringConnectionID.NotFound",
            "InvalidVpcPeeringConnectionId.Malformed"),
    "pl": ("prefix list", "InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed"),
    "dopt": (None, "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed"),
    "vol": (None, "InvalidVolume.NotFound", "InvalidVolumeID.Malformed"),
    "vpce": (None, "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed"),
    "key": (None, "InvalidKeyPair.NotFound", None),
    "lt": (None, "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed"),
    "eni-attach": ("attachment", "InvalidAttachmentID.NotFound", None),
}
ASSOCIATION = "The association ID '{}' does not exist"

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64,
          "stopped": 80}


class Refused(Exception):
    """The answer is an error: its code, and its text where that is known. `also`: or that one."""

    def __init__(self, code, text=None, also=None):
        super().__init__(f"{code}: {text}" + (f", or {also}" if also else ""))
        self.code, self.text, self.also = code, text, also

    def is_answer(self, reply):
        return (reply.code == self.code and self.text in (None, reply.message)) or (
            self.also is not None and self.also.is_answer(reply))


TIME = Any(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MAC = Any("([0-9a-f]{2}:){5}[0-9a-f]{2}")
ZONE_ID = Any(r"use1-az\d")


def new_id(kind):
    return Any(kind + "-[0-9a-f]{17}")


class Again(Call):
    """The same question as before: not too soon."""


def refuse(*refusals):
    """Where several things are wrong, nobody knows which is told: any of them will do."""
    last = None
    for refusal in refusals:
        if refusal:
            refusal.also, last = last, refusal
    if last:
        raise last


def network(text, parameter="cidrBlock"):
    """Host bits are cleared."""
    if not re.fullmatch(r"\d+\.\d+\.\d+\.\d+/\d+", text):
        raise Refused("InvalidParameterValue", f"Value ({text}) for parameter {parameter} is invalid. "
                      "This is not a valid CIDR block.")
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Refused("InvalidParameterValue", f"Value ({text}) for parameter {parameter} is invalid. "
                      "This is not a valid CIDR block.") from None


def numbered(parameters, name):
    """Name.1, Name.2 …"""
    found = []
    while f"{name}.{len(found) + 1}" in parameters:
        found.append(parameters[f"{name}.{len(found) + 1}"])
    return found


def tags_of(parameters, prefix="TagSpecification.1.Tag"):
    found = []
    while f"{prefix}.{len(found) + 1}.Key" in parameters:
        place = f"{prefix}.{len(found) + 1}"
        found.append({"key": parameters[f"{place}.Key"],
                      "value": parameters.get(f"{place}.Value", "")})
    return found


def internal_name(address):
    return f"ip-{address.replace('.', '-')}.ec2.internal"


def dependencies(word, identifier):
    return Refused("DependencyViolation",
                   f"The {word} '{identifier}' has dependencies and cannot be deleted.")


TRUE = {"return": "true"}


class Network:
    """One client's things, in its account: the half of them that makes a network."""

    def __init__(self, name, account):
        self.name, self.account = name, account
        self.things = {kind: {} for kind in KINDS}
        self.default_options = None

    def of(self, kind, **fields):
        """Those whose fields are so."""
        return [thing for thing in self.things[kind].values()
                if all(thing.get(name) == value for name, value in fields.items())]

    def find(self, kind, identifier):
        word, unknown, malformed = KINDS[kind]
        if not re.fullmatch(kind + "-([0-9a-f]{8}|[0-9a-f]{17})", identifier):
            raise Refused(malformed or "InvalidParameterValue",
                          f'Invalid id: "{identifier}" (expecting "{kind}-...")')
        if identifier in self.things[kind]:
            return self.things[kind][identifier]
        text = {"sg": f"The security group '{identifier}' does not exist"}.get(kind)
        if word:
            text = f"The {word} ID '{identifier}' does not exist"
        raise Refused(unknown, text)

    def keep(self, kind, key, thing, reply):
        """A new thing: what could not be foretold is as the reply says."""
        for name, value in thing.items():
            if isinstance(value, Any) and isinstance(reply.get(name), str):
                if value == reply[name]:
                    thing[name] = reply[name]
        if thing[key] in self.things[kind]:
            raise AssertionError(f"{thing[key]} twice")
        self.things[kind][thing[key]] = thing
        return thing

    def drop(self, kind, identifier):
        del self.things[kind][identifier]

    # VPCs.

    def create_vpc(self, p):
        cidr = network(p["CidrBlock"])
        if not 16 <= cidr.prefixlen <= 28:
            raise Refused("InvalidVpc.Range", f"The CIDR '{p['CidrBlock']}' is invalid.")
        reply = (yield)["vpc"]
        vpc = self.keep("vpc", "vpcId", {
            "vpcId": new_id("vpc"), "cidrBlock": str(cidr), "dhcpOptionsId": new_id("dopt"),
            "instanceTenancy": "default", "isDefault": "false", "ownerId": self.account,
            "state": "available", "ipv6CidrBlockAssociationSet": [], "tagSet": tags_of(p),
            "cidrBlockAssociationSet": [{
                "associationId": reply["cidrBlockAssociationSet"][0]["associationId"],
                "cidrBlock": str(cidr), "cidrBlockState": {"state": "associated"}}],
            "_hostnames": False, "_support": True}, reply)
        self.default_options = self.default_options or vpc["dhcpOptionsId"]
        vpc["dhcpOptionsId"] = self.default_options
        yield from self.learn_defaults(vpc)
        return {"vpc": vpc}

    def learn_defaults(self, vpc):
        """The main table, the default group and ACL are there, and empty as AWS has them."""
        where = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc["vpcId"]}
        table, = (yield Call("DescribeRouteTables", where))["routeTableSet"]
        self.things["rtb"][table["routeTableId"]] = {
            "routeTableId": table["routeTableId"], "vpcId": vpc["vpcId"], "ownerId": self.account,
            "propagatingVgwSet": [], "tagSet": [], "_routes": [],
            "_associations": {table["associationSet"][0]["routeTableAssociationId"]: None}}
        group, = (yield Call("DescribeSecurityGroups", where))["securityGroupInfo"]
        own = {"groupId": group["groupId"], "groupName": "default", "vpcId": vpc["vpcId"],
               "groupDescription": "default VPC security group", "ownerId": self.account,
               "tagSet": [], "_rules": {}}
        self.things["sg"][own["groupId"]] = own
        self.things["acl"].update(self.default_acl(
            vpc, (yield Call("DescribeNetworkAcls", where))["networkAclSet"]))
        rules = (yield Call("DescribeSecurityGroupRules", {
            "Filter.1.Name": "group-id", "Filter.1.Value.1": own["groupId"]}))[
                "securityGroupRuleSet"]
        for rule in rules:
            own["_rules"][rule["securityGroupRuleId"]] = (
                rule["isEgress"] == "true", "-1", -1, -1,
                *(("cidr", ANYWHERE) if rule["isEgress"] == "true" else ("group", own["groupId"])))

    def default_acl(self, vpc, described):
        acl, = described
        entries = {(egress, 100): ("-1", None, "allow", ANYWHERE) for egress in (False, True)}
        return {acl["networkAclId"]: {
            "networkAclId": acl["networkAclId"], "vpcId": vpc["vpcId"], "default": "true",
            "ownerId": self.account, "tagSet": [], "_entries": entries, "_associations": {}}}

    def delete_vpc(self, p):
        vpc = self.find("vpc", p["VpcId"])["vpcId"]
        if (self.of("subnet", vpcId=vpc) or self.of("vpce", vpcId=vpc) or
                self.of("eni", vpcId=vpc) or self.attached(vpc) or
                [group for group in self.of("sg", vpcId=vpc) if group["groupName"] != "default"] or
                [table for table in self.of("rtb", vpcId=vpc) if not self.is_main(table)] or
                [acl for acl in self.of("acl", vpcId=vpc) if acl["default"] == "false"] or
                [nat for nat in self.of("nat", vpcId=vpc) if nat["state"] != "deleted"] or
                [peering for peering in self.things["pcx"].values()
                 if vpc in peering["_vpcs"] and peering["_status"] == "active"]):
            raise dependencies("vpc", vpc)
        yield
        for kind in ("sg", "rtb", "acl"):
            for identifier, thing in list(self.things[kind].items()):
                if thing["vpcId"] == vpc:
                    self.drop(kind, identifier)
        for peering in self.things["pcx"].values():
            if vpc in peering["_vpcs"] and peering["_status"] == "pending-acceptance":
                peering["_status"] = "deleted"
        self.drop("vpc", vpc)
        return TRUE

    def modify_vpc_attribute(self, p):
        vpc = self.find("vpc", p["VpcId"])
        support, names = p.get("EnableDnsSupport.Value"), p.get("EnableDnsHostnames.Value")
        yield
        if support is not None:
            vpc["_support"] = support == "true"
        else:
            vpc["_hostnames"] = names == "true"
        return TRUE

    def cidrs(self, vpc):
        return [ipaddress.ip_network(entry["cidrBlock"])
                for entry in self.things["vpc"][vpc]["cidrBlockAssociationSet"]]

    # Subnets.

    def create_subnet(self, p):
        vpc = self.find("vpc", p["VpcId"])
        cidr = network(p["CidrBlock"])
        if not 16 <= cidr.prefixlen <= 28 or not any(
                cidr.subnet_of(block) for block in self.cidrs(vpc["vpcId"])):
            raise Refused("InvalidSubnet.Range", f"The CIDR '{p['CidrBlock']}' is invalid.")
        if any(cidr.overlaps(ipaddress.ip_network(other["cidrBlock"]))
               for other in self.of("subnet", vpcId=vpc["vpcId"])):
            raise Refused("InvalidSubnet.Conflict",
                          f"The CIDR '{p['CidrBlock']}' conflicts with another subnet")
        zone = p.get("AvailabilityZone")
        if zone is not None and zone not in ZONES:
            raise Refused("InvalidParameterValue",
                          f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can "
                          "currently only be created in the following availability zones: " +
                          ", ".join(ZONES) + ".")
        reply = (yield)["subnet"]
        subnet = self.keep("subnet", "subnetId", {
            "subnetId": new_id("subnet"), "vpcId": vpc["vpcId"], "cidrBlock": str(cidr),
            "availabilityZone": zone or Any("us-east-1[a-f]"), "availabilityZoneId": ZONE_ID,
            "ownerId": self.account, "state": "available", "defaultForAz": "false",
            "mapPublicIpOnLaunch": "false", "assignIpv6AddressOnCreation": "false",
            "enableDns64": "false", "ipv6Native": "false", "mapCustomerOwnedIpOnLaunch": "false",
            "ipv6CidrBlockAssociationSet": [], "privateDnsNameOptionsOnLaunch": {
                "hostnameType": "ip-name", "enableResourceNameDnsARecord": "false",
                "enableResourceNameDnsAAAARecord": "false"}, "tagSet": tags_of(p)}, reply)
        subnet["subnetArn"] = f"arn:aws:ec2:us-east-1:{self.account}:subnet/{subnet['subnetId']}"
        acl, = self.of("acl", vpcId=vpc["vpcId"], default="true")
        found, = (yield Call("DescribeNetworkAcls", {
            "Filter.1.Name": "association.subnet-id", "Filter.1.Value.1": subnet["subnetId"]}))[
                "networkAclSet"]
        association, = [entry["networkAclAssociationId"] for entry in found["associationSet"]
                        if entry["subnetId"] == subnet["subnetId"]]
        acl["_associations"][association] = subnet["subnetId"]
        return {"subnet": self.described_subnet(subnet)}

    def delete_subnet(self, p):
        subnet = self.find("subnet", p["SubnetId"])["subnetId"]
        if self.of("eni", subnetId=subnet):
            raise dependencies("subnet", subnet)
        yield
        for kind in ("rtb", "acl"):
            for thing in self.things[kind].values():
                thing["_associations"] = {key: place for key, place in
                                          thing["_associations"].items() if place != subnet}
        self.drop("subnet", subnet)
        return TRUE

    def modify_subnet_attribute(self, p):
        subnet = self.find("subnet", p["SubnetId"])
        yield
        subnet["mapPublicIpOnLaunch"] = p["MapPublicIpOnLaunch.Value"]
        return TRUE

    def described_subnet(self, subnet):
        held = sum(len(eni["_addresses"]) for eni in self.of("eni", subnetId=subnet["subnetId"]))
        size = ipaddress.ip_network(subnet["cidrBlock"]).num_addresses
        return {**subnet, "availableIpAddressCount": str(size - 5 - held)}

    # Internet gateways.

    def create_internet_gateway(self, p):
        reply = (yield)["internetGateway"]
        gateway = self.keep("igw", "internetGatewayId", {
            "internetGatewayId": new_id("igw"), "ownerId": self.account, "tagSet": tags_of(p),
            "attachmentSet": []}, reply)
        return {"internetGateway": gateway}

    def attached(self, vpc):
        """The VPC's gateway's id, or None."""
        for gateway in self.things["igw"].values():
            if any(entry["vpcId"] == vpc for entry in gateway["attachmentSet"]):
                return gateway["internetGatewayId"]
        return None

    def attach_internet_gateway(self, p):
        gateway = self.find("igw", p["InternetGatewayId"])
        vpc = self.find("vpc", p["VpcId"])["vpcId"]
        refuse(gateway["attachmentSet"] and Refused(
            "Resource.AlreadyAssociated",
            f"resource {gateway['internetGatewayId']} is already attached to network "
            f"{gateway['attachmentSet'][0]['vpcId']}"), self.attached(vpc) and Refused(
                "InvalidParameterValue",
                f"Network {vpc} already has an internet gateway attached"))
        yield
        gateway["attachmentSet"] = [{"vpcId": vpc, "state": "available"}]
        return TRUE

    def has_public_addresses(self, vpc):
        return any(self.public_of(eni, address) for eni in self.of("eni", vpcId=vpc)
                   for address in eni["_addresses"])

    def detach_internet_gateway(self, p):
        gateway = self.find("igw", p["InternetGatewayId"])
        vpc = self.find("vpc", p["VpcId"])["vpcId"]
        if not any(entry["vpcId"] == vpc for entry in gateway["attachmentSet"]):
            raise Refused("Gateway.NotAttached", f"resource {gateway['internetGatewayId']} is not "
                          f"attached to network {vpc}")
        if self.has_public_addresses(vpc):
            raise Refused("DependencyViolation",
                          f"Network {vpc} has some mapped public address(es). Please unmap those "
                          "public address(es) before detaching the gateway.")
        yield
        gateway["attachmentSet"] = []
        return TRUE

    def delete_internet_gateway(self, p):
        gateway = self.find("igw", p["InternetGatewayId"])
        if gateway["attachmentSet"]:
            raise dependencies("internetGateway", gateway["internetGatewayId"])
        yield
        self.drop("igw", gateway["internetGatewayId"])
        return TRUE

    # Route tables. Associations: id -> subnet, or None where it is the main one.

    def create_route_table(self, p):
        vpc = self.find("vpc", p["VpcId"])
        reply = (yield)["routeTable"]
        table = self.keep("rtb", "routeTableId", {
            "routeTableId": new_id("rtb"), "vpcId": vpc["vpcId"], "ownerId": self.account,
            "propagatingVgwSet": [], "tagSet": tags_of(p), "_routes": [], "_associations": {}},
            reply)
        return {"routeTable": self.described_table(table)}

    def is_main(self, table):
        return None in table["_associations"].values()

    def table_of(self, subnet):
        """By which it is routed."""
        tables = self.of("rtb", vpcId=self.things["subnet"][subnet]["vpcId"])
        for table in tables:
            if subnet in table["_associations"].values():
                return table
        return next(table for table in tables if self.is_main(table))

    def delete_route_table(self, p):
        table = self.find("rtb", p["RouteTableId"])
        if table["_associations"]:
            raise dependencies("routeTable", table["routeTableId"])
        yield
        self.drop("rtb", table["routeTableId"])
        return TRUE

    def associate_route_table(self, p):
        table = self.find("rtb", p["RouteTableId"])
        subnet = self.find("subnet", p["SubnetId"])["subnetId"]
        if table["vpcId"] != self.things["subnet"][subnet]["vpcId"]:
            raise Refused("InvalidParameterValue")
        old = self.table_of(subnet)
        if subnet in old["_associations"].values():
            if old is table:  # the same once more
                same, = [key for key, place in table["_associations"].items() if place == subnet]
                yield
                return {"associationId": same, "associationState": {"state": "associated"}}
            raise Refused("Resource.AlreadyAssociated",
                          f"the specified association for route table {table['routeTableId']} "
                          "conflicts with an existing association")
        reply = yield
        table["_associations"][reply["associationId"]] = subnet
        return {"associationId": new_id("rtbassoc"), "associationState": {"state": "associated"}}

    def association(self, kind, identifier):
        for thing in self.things[kind].values():
            if identifier in thing["_associations"]:
                return thing
        raise Refused("InvalidAssociationID.NotFound", ASSOCIATION.format(identifier))

    def disassociate_route_table(self, p):
        identifier = p["AssociationId"]
        table = self.association("rtb", identifier)
        if table["_associations"][identifier] is None:
            raise Refused("InvalidParameterValue",
                          f"cannot disassociate the main route table association {identifier}")
        yield
        del table["_associations"][identifier]
        return TRUE

    def replace_route_table_association(self, p):
        old = self.association("rtb", p["AssociationId"])
        table = self.find("rtb", p["RouteTableId"])
        if old["vpcId"] != table["vpcId"]:
            raise Refused("InvalidParameterValue")
        reply = yield
        place = old["_associations"].pop(p["AssociationId"])
        table["_associations"][reply["newAssociationId"]] = place
        return {"newAssociationId": new_id("rtbassoc"), "associationState": {"state": "associated"}}

    # Routes: {destination, target: (field, id)}.

    def target(self, p, vpc):
        """What a route of a table of this VPC may lead to."""
        if "GatewayId" in p:
            gateway = p["GatewayId"]
            if gateway not in self.things["igw"]:
                raise Refused("InvalidGatewayID.NotFound", f"The gateway ID '{gateway}' does not exist")
            if self.attached(vpc) != gateway:
                raise Refused("InvalidParameterValue",
                              f"route table {p['RouteTableId']} and network gateway {gateway} "
                              "belong to different networks")
            return "gatewayId", gateway
        if "NatGatewayId" in p:
            nat = p["NatGatewayId"]
            if self.things["nat"].get(nat, {"state": "deleted"})["state"] == "deleted":
                raise Refused("NatGatewayNotFound")
            return "natGatewayId", nat
        if "NetworkInterfaceId" in p:
            eni = self.find("eni", p["NetworkInterfaceId"])
            return "networkInterfaceId", eni["networkInterfaceId"]
        peering = self.find("pcx", p["VpcPeeringConnectionId"])
        return "vpcPeeringConnectionId", peering["vpcPeeringConnectionId"]

    def create_route(self, p):
        table = self.find("rtb", p["RouteTableId"])
        cidr = network(p["DestinationCidrBlock"], "destinationCidrBlock")
        exists = None
        if cidr in self.cidrs(table["vpcId"]) or self.route(table, cidr):
            exists = Refused("RouteAlreadyExists",
                             f"The route identified by {cidr} already exists.")
        try:
            target = self.target(p, table["vpcId"])
        except Refused as refusal:
            refusal.also = exists
            raise
        if exists:
            raise exists
        if any(cidr.subnet_of(block) for block in self.cidrs(table["vpcId"])):
            raise Refused("InvalidParameterValue",
                          f"The destination CIDR block {cidr} is equal to or more specific than "
                          "one of this VPC's CIDR blocks. This route can target only an interface "
                          "or an instance.")
        yield
        table["_routes"].append({"destination": str(cidr), "target": target})
        return TRUE

    def route(self, table, cidr):
        return next((route for route in table["_routes"] if route["destination"] == str(cidr)),
                    None)

    def replace_route(self, p):
        table = self.find("rtb", p["RouteTableId"])
        cidr = network(p["DestinationCidrBlock"], "destinationCidrBlock")
        target = self.target(p, table["vpcId"])
        route = self.route(table, cidr)
        if not route:
            raise Refused("InvalidParameterValue",
                          f"There is no route defined for '{cidr}' in the route table. Use "
                          "CreateRoute instead.")
        yield
        route["target"] = target
        return TRUE

    def delete_route(self, p):
        table = self.find("rtb", p["RouteTableId"])
        cidr = network(p["DestinationCidrBlock"], "destinationCidrBlock")
        if cidr in self.cidrs(table["vpcId"]):
            raise Refused("InvalidParameterValue", f"cannot remove local route {cidr} in route "
                          f"table {table['routeTableId']}")
        route = self.route(table, cidr)
        if not route:
            raise Refused("InvalidRoute.NotFound", f"no route with destination-cidr-block {cidr} "
                          f"in route table {table['routeTableId']}")
        yield
        table["_routes"].remove(route)
        return TRUE

    def is_active(self, route, vpc):
        kind, target = route["target"]
        if kind == "gatewayId":
            return self.attached(vpc) == target
        if kind == "natGatewayId":
            return self.things["nat"][target]["state"] == "available"
        if kind == "vpcPeeringConnectionId":
            return self.things["pcx"][target]["_status"] == "active"
        eni = self.things["eni"].get(target)
        return bool(eni) and self.is_up(eni)

    def described_route(self, route, vpc):
        kind, target = route["target"]
        found = {"destinationCidrBlock": route["destination"], kind: target,
                 "origin": "CreateRoute",
                 "state": "active" if self.is_active(route, vpc) else "blackhole"}
        if kind == "networkInterfaceId":
            eni = self.things["eni"].get(target)
            if eni and eni["_attachment"]:
                found["instanceId"] = eni["_attachment"]["instanceId"]
                found["instanceOwnerId"] = self.account
        return found

    def described_table(self, table):
        local = [{"destinationCidrBlock": str(block), "gatewayId": "local", "state": "active",
                  "origin": "CreateRouteTable"} for block in self.cidrs(table["vpcId"])]
        return {**table, "routeSet": local + [self.described_route(route, table["vpcId"])
                                              for route in table["_routes"]] +
                self.endpoint_routes(table["routeTableId"]),
                "associationSet": [{
                    "routeTableAssociationId": key, "routeTableId": table["routeTableId"],
                    "associationState": {"state": "associated"},
                    **({"main": "false", "subnetId": place} if place else {"main": "true"})}
                    for key, place in table["_associations"].items()]}

    # Groups. Rules: id -> (egress, protocol, first, last, kind of peer, peer).

    def create_security_group(self, p):
        vpc, name = self.find("vpc", p["VpcId"])["vpcId"], p["GroupName"]
        if name.lower() == "default":
            raise Refused("InvalidGroup.Reserved")
        if any(group["groupName"].lower() == name.lower() for group in self.of("sg", vpcId=vpc)):
            raise Refused("InvalidGroup.Duplicate",
                          f"The security group '{name}' already exists for VPC '{vpc}'")
        reply = yield
        group = self.keep("sg", "groupId", {
            "groupId": new_id("sg"), "groupName": name, "groupDescription": p["GroupDescription"],
            "vpcId": vpc, "ownerId": self.account, "tagSet": tags_of(p), "_rules": {}}, reply)
        rule, = (yield Call("DescribeSecurityGroupRules", {
            "Filter.1.Name": "group-id", "Filter.1.Value.1": group["groupId"]}))[
                "securityGroupRuleSet"]
        group["_rules"][rule["securityGroupRuleId"]] = (True, "-1", -1, -1, "cidr", ANYWHERE)
        return {"groupId": group["groupId"], "tagSet": group["tagSet"],
                "securityGroupArn": self.group_arn(group)}

    def group_arn(self, group):
        return f"arn:aws:ec2:us-east-1:{self.account}:security-group/{group['groupId']}"

    def delete_security_group(self, p):
        group = self.find("sg", p["GroupId"])
        identifier = group["groupId"]
        if group["groupName"] == "default":
            raise Refused("CannotDelete", f'the specified group: "{identifier}" name: "default" '
                          "cannot be deleted by a user")
        if any(identifier in eni["_groups"] for eni in self.things["eni"].values()) or any(
                rule[4:] == ("group", identifier) for other in self.things["sg"].values()
                if other is not group for rule in other["_rules"].values()):
            raise Refused("DependencyViolation", f"resource {identifier} has a dependent object")
        yield
        self.drop("sg", identifier)
        return {"return": "true", "groupId": identifier}

    def rules_named(self, p, egress):
        """Each rule that IpPermissions.1 says, once."""
        place = "IpPermissions.1."
        protocol = p[place + "IpProtocol"]
        first, last = -1, -1
        if protocol in ("tcp", "udp", "icmp"):
            first, last = int(p[place + "FromPort"]), int(p[place + "ToPort"])
        found = []
        for member, kind in (("Groups.{}.GroupId", "group"), ("IpRanges.{}.CidrIp", "cidr"),
                             ("PrefixListIds.{}.PrefixListId", "prefixes")):
            count = 1
            while place + member.format(count) in p:
                peer = p[place + member.format(count)]
                if kind == "cidr":
                    peer = str(ipaddress.ip_network(peer, strict=False))
                else:
                    self.find("sg" if kind == "group" else "pl", peer)
                found.append((egress, protocol, first, last, kind, peer))
                count += 1
        return found

    def authorize(self, p, egress):
        group = self.find("sg", p["GroupId"])
        if p["IpPermissions.1.IpProtocol"] in ("tcp", "udp") and \
                int(p["IpPermissions.1.FromPort"]) > int(p["IpPermissions.1.ToPort"]):
            raise Refused("InvalidParameterValue")
        rules = self.rules_named(p, egress)
        if any(rule in group["_rules"].values() for rule in rules):
            raise Refused("InvalidPermission.Duplicate", self.duplicate(next(
                rule for rule in rules if rule in group["_rules"].values())))
        weight = sum(map(self.weight, rules)) + sum(
            self.weight(rule) for rule in group["_rules"].values() if rule[0] == egress)
        if weight > 60:
            raise Refused("RulesPerSecurityGroupLimitExceeded",
                          "The maximum number of rules per security group has been reached.")
        reply = yield
        expected = []
        for rule in rules:
            made = [found for found in reply["securityGroupRuleSet"]
                    if not differences(self.described_rule(group, new_id("sgr"), rule), found)]
            if made:
                group["_rules"][made[0]["securityGroupRuleId"]] = rule
                expected.append(self.described_rule(group, made[0]["securityGroupRuleId"], rule))
            else:
                expected.append(self.described_rule(group, new_id("sgr"), rule))
        return {"return": "true", "securityGroupRuleSet": expected}

    def weight(self, rule):
        return int(self.things["pl"][rule[5]]["maxEntries"]) if rule[4] == "prefixes" else 1

    def duplicate(self, rule):
        _, protocol, first, last, kind, peer = rule
        if kind == "prefixes" or protocol == "icmp":
            return None
        what = {"-1": "ALL", "tcp": f"TCP, from port: {first}, to port: {last}",
                "udp": f"UDP, from port: {first}, to port: {last}"}.get(
                    protocol, f"protocol: {protocol}")
        return f'the specified rule "peer: {peer}, {what}, ALLOW" already exists'

    def authorize_security_group_ingress(self, p):
        return self.authorize(p, False)

    def authorize_security_group_egress(self, p):
        return self.authorize(p, True)

    def revoke(self, p, egress):
        group = self.find("sg", p["GroupId"])
        rules = self.rules_named(p, egress)
        if any(rule not in group["_rules"].values() for rule in rules):
            raise Refused("InvalidPermission.NotFound",
                          "The specified rule does not exist in this security group.")
        yield
        gone = [self.revoked_rule(group, key, rule) for key, rule in group["_rules"].items()
                if rule in rules]
        group["_rules"] = {key: rule for key, rule in group["_rules"].items() if rule not in rules}
        return {"return": "true", "revokedSecurityGroupRuleSet": gone}

    def revoked_rule(self, group, identifier, rule):
        _, _, _, _, kind, peer = rule
        found = {name: value for name, value in self.described_rule(group, identifier, rule).items()
                 if name in ("groupId", "ipProtocol", "isEgress", "fromPort", "toPort", "cidrIpv4",
                             "prefixListId", "securityGroupRuleId")}
        if kind == "group":
            found["referencedGroupId"] = peer
        return found

    def revoke_security_group_ingress(self, p):
        return self.revoke(p, False)

    def revoke_security_group_egress(self, p):
        return self.revoke(p, True)

    def described_rule(self, group, identifier, rule):
        egress, protocol, first, last, kind, peer = rule
        found = {"groupId": group["groupId"], "groupOwnerId": self.account, "ipProtocol": protocol,
                 "isEgress": str(egress).lower(), "fromPort": str(first), "toPort": str(last),
                 "securityGroupRuleId": identifier, "tagSet": [],
                 "securityGroupRuleArn": Any("arn:aws:ec2:us-east-1:[0-9]{12}:security-group-rule/"
                                             "sgr-[0-9a-f]{17}")}
        if kind == "cidr":
            found["cidrIpv4"] = peer
        elif kind == "prefixes":
            found["prefixListId"] = peer
        else:
            found["referencedGroupInfo"] = {"groupId": peer, "userId": self.account,
                                            "vpcId": self.things["sg"][peer]["vpcId"]}
        return found

    def described_group(self, group):
        """Rules of the same protocol and ports are one permission."""
        sides = {False: {}, True: {}}
        for egress, protocol, first, last, kind, peer in group["_rules"].values():
            permission = sides[egress].setdefault((protocol, first, last), {
                "ipProtocol": protocol, "groups": [], "ipRanges": [], "ipv6Ranges": [],
                "prefixListIds": [],
                **({"fromPort": str(first), "toPort": str(last)}
                   if protocol in ("tcp", "udp", "icmp") else {})})
            if kind == "cidr":
                permission["ipRanges"].append({"cidrIp": peer})
            elif kind == "prefixes":
                permission["prefixListIds"].append({"prefixListId": peer})
            else:
                permission["groups"].append({"groupId": peer, "userId": self.account})
        return {**group, "ipPermissions": list(sides[False].values()),
                "ipPermissionsEgress": list(sides[True].values()),
                "securityGroupArn": self.group_arn(group)}

    # ACLs. Entries: (egress, number) -> (protocol, ports or type and code, action, CIDR).

    def create_network_acl(self, p):
        vpc = self.find("vpc", p["VpcId"])["vpcId"]
        reply = (yield)["networkAcl"]
        acl = self.keep("acl", "networkAclId", {
            "networkAclId": new_id("acl"), "vpcId": vpc, "default": "false",
            "ownerId": self.account, "tagSet": tags_of(p), "_entries": {}, "_associations": {}},
            reply)
        return {"networkAcl": self.described_acl(acl)}

    def delete_network_acl(self, p):
        acl = self.find("acl", p["NetworkAclId"])
        identifier = acl["networkAclId"]
        if acl["default"] == "true":
            raise Refused("InvalidParameterValue", f"cannot delete default network ACL {identifier}")
        if acl["_associations"]:
            raise dependencies("networkAcl", identifier)
        yield
        self.drop("acl", identifier)
        return TRUE

    def entry(self, p):
        """Its place and what it says."""
        detail = None
        if p["Protocol"] in ("6", "17"):
            detail = int(p["PortRange.From"]), int(p["PortRange.To"])
        elif p["Protocol"] == "1":
            detail = int(p["Icmp.Type"]), int(p["Icmp.Code"])
        return (p["Egress"] == "true", int(p["RuleNumber"])), (
            p["Protocol"], detail, p["RuleAction"], str(network(p["CidrBlock"])))

    def create_network_acl_entry(self, p):
        acl = self.find("acl", p["NetworkAclId"])
        place, entry = self.entry(p)
        if place in acl["_entries"] and acl["_entries"][place] != entry:
            raise Refused("NetworkAclEntryAlreadyExists",
                          f"The network acl entry identified by {place[1]} already exists.")
        if place not in acl["_entries"] and sum(
                other[0] == place[0] for other in acl["_entries"]) >= 19:
            raise Refused("NetworkAclEntryLimitExceeded")
        yield
        acl["_entries"][place] = entry
        return TRUE

    def replace_network_acl_entry(self, p):
        acl = self.find("acl", p["NetworkAclId"])
        place, entry = self.entry(p)
        if place not in acl["_entries"]:
            raise Refused("InvalidNetworkAclEntry.NotFound")
        yield
        acl["_entries"][place] = entry
        return TRUE

    def delete_network_acl_entry(self, p):
        acl = self.find("acl", p["NetworkAclId"])
        place = p["Egress"] == "true", int(p["RuleNumber"])
        if place not in acl["_entries"]:
            raise Refused("InvalidNetworkAclEntry.NotFound")
        yield
        del acl["_entries"][place]
        return TRUE

    def replace_network_acl_association(self, p):
        old = self.association("acl", p["AssociationId"])
        acl = self.find("acl", p["NetworkAclId"])
        if old["vpcId"] != acl["vpcId"]:
            raise Refused("InvalidParameterValue")
        reply = yield
        place = old["_associations"].pop(p["AssociationId"])
        acl["_associations"][reply["newAssociationId"]] = place
        return {"newAssociationId": new_id("aclassoc")}

    def acl_of(self, subnet):
        return next(acl for acl in self.things["acl"].values()
                    if subnet in acl["_associations"].values())

    def described_acl(self, acl):
        entries = []
        for (egress, number), (protocol, detail, action, cidr) in acl["_entries"].items():
            entry = {"egress": str(egress).lower(), "ruleNumber": str(number),
                     "protocol": protocol, "ruleAction": action, "cidrBlock": cidr}
            if protocol in ("6", "17"):
                entry["portRange"] = {"from": str(detail[0]), "to": str(detail[1])}
            elif protocol == "1":
                entry["icmpTypeCode"] = {"type": str(detail[0]), "code": str(detail[1])}
            entries.append(entry)
        last = [{"egress": egress, "ruleNumber": "32767", "protocol": "-1", "ruleAction": "deny",
                 "cidrBlock": ANYWHERE} for egress in ("false", "true")]
        return {**acl, "entrySet": entries + last, "associationSet": [
            {"networkAclAssociationId": key, "networkAclId": acl["networkAclId"],
             "subnetId": subnet} for key, subnet in acl["_associations"].items()]}
