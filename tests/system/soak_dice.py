"""The soak's random calls: most of them sensible, a share of them wrong in one place."""
import random

from soak_client import Call
from soak_model import IMAGE, Model
from soak_network import ANYWHERE, KINDS, OWNER_TAG, ZONES

WRONG = 0.06  # of all ids; each of them would be an error
# What a client has at most, so that it changes and deletes as much as it makes.
MOST = {"vpc": 3, "subnet": 8, "igw": 3, "rtb": 10, "sg": 12, "acl": 8, "eni": 16, "i": 5,
        "eipalloc": 5, "nat": 2, "pcx": 4, "pl": 3, "dopt": 3, "vol": 10, "key": 3, "lt": 3,
        "vpce": 3}
WIDTHS = (0, 0, 8, 16, 24, 28, 32)
PROTOCOLS = ("-1", "-1", "tcp", "tcp", "udp", "udp", "icmp", "50")
PORTS = ((0, 65535), (22, 22), (53, 53), (80, 443), (0, 1023), (1024, 65535), (8080, 8080))
TYPES = ((-1, -1), (8, -1), (8, 0), (0, -1), (3, 4))


def call_name(name):
    return "".join(word.capitalize() for word in name.split("_"))


class Dice:
    """A client's choices: the same seed and answers, the same calls."""

    def __init__(self, seed, model: Model, strangers, turn):
        self.random, self.model = random.Random(seed), model
        self.strangers = strangers  # ids of other accounts
        self.turn, self.serial = turn, 0
        self.wrong = False

    def chance(self, share):
        return self.random.random() < share

    def pick(self, kind, **fields):
        """An id; now and then one that is not there, at most one in a call."""
        if not self.wrong and self.chance(WRONG):
            self.wrong = True
            return self.bad(kind)
        found = [key for key, thing in self.model.things[kind].items()
                 if all(thing.get(name) == value for name, value in fields.items())]
        return self.random.choice(found) if found else None

    def bad(self, kind):
        foreign = [key for key in self.strangers if key.rsplit("-", 1)[0] == kind]
        return self.random.choice(
            [f"{kind}-{self.random.randrange(16 ** 17):017x}", f"{kind}-0123456", "banana",
             *self.random.sample(foreign, min(len(foreign), 2))])

    def tags(self, *kinds):
        found = {}
        self.serial += 1
        for number, kind in enumerate(kinds, 1):
            place = f"TagSpecification.{number}"
            found.update({f"{place}.ResourceType": kind, f"{place}.Tag.1.Key": OWNER_TAG,
                          f"{place}.Tag.1.Value": self.model.name, f"{place}.Tag.2.Key": "serial",
                          f"{place}.Tag.2.Value": \
                f"{self.model.name}-{self.turn}-{self.serial}"})
        return found

    def room(self, kind):
        things = self.model.things[kind].values()
        if kind in ("i", "nat", "pcx"):
            things = [thing for thing in things if thing.get("_state") != "terminated" and
                      thing.get("state") != "deleted" and
                      thing.get("_status") in (None, "active", "pending-acceptance")]
        return len(things) < MOST[kind]

    def next(self, weights=None):
        """The next call."""
        weights = weights or WEIGHTS
        while True:
            self.wrong = False
            name = self.random.choices(list(weights), list(weights.values()))[0]
            parameters = getattr(self, name)()
            if parameters is None:
                continue
            parameters = {key: str(value) for key, value in parameters.items()}
            if None in parameters.values() or "None" in parameters.values():
                continue
            return Call(parameters.pop("action", call_name(name)), parameters)

    # VPCs and subnets.

    def create_vpc(self):
        if not self.room("vpc"):
            return None
        cidr = f"10.{self.random.randrange(6)}.0.0/16"
        if self.chance(0.1):
            cidr = self.random.choice(("10.0.0.0/15", "10.0.0.0/29", "10.0.0.0", "banana",
                                       "10.0.0.300/24"))
        return {"CidrBlock": cidr, **self.tags("vpc")}

    def delete_vpc(self):
        return {"VpcId": self.pick("vpc")}

    def modify_vpc_attribute(self):
        name = self.random.choice(("EnableDnsHostnames", "EnableDnsHostnames", "EnableDnsSupport"))
        vpc = self.pick("vpc")
        if not vpc:
            return None
        value = self.chance(0.6)
        thing = self.model.things["vpc"].get(vpc, {"_support": True, "_hostnames": False})
        # Names are switched on only while there is DNS.
        if name == "EnableDnsHostnames" and value and not thing["_support"]:
            value = False
        if name == "EnableDnsSupport" and not value and thing["_hostnames"]:
            value = True
        return {"VpcId": vpc, f"{name}.Value": str(value).lower()}

    def create_subnet(self):
        vpc = self.pick("vpc")
        if not vpc or not self.room("subnet"):
            return None
        net = self.model.things["vpc"].get(vpc, {"cidrBlock": "10.0.0.0/16"})["cidrBlock"]
        first = ".".join(net.split(".")[:2])
        cidr = f"{first}.{self.random.randrange(5)}.{self.random.choice((0, 0, 0, 5))}/24"
        if self.chance(0.15):
            cidr = f"{first}.9.{16 * self.random.randrange(3)}/28"
        if not self.wrong and self.chance(0.08):
            self.wrong = True
            cidr = self.random.choice(("172.16.0.0/24", f"{first}.0.0/29", "10.0.0.0/8", "x"))
        found = {"VpcId": vpc, "CidrBlock": cidr, **self.tags("subnet")}
        if self.chance(0.8):
            found["AvailabilityZone"] = self.random.choice(ZONES[:2])
            if not self.wrong and self.chance(0.03):
                found["AvailabilityZone"] = "us-east-1z"
        return found

    def delete_subnet(self):
        return {"SubnetId": self.pick("subnet")}

    def modify_subnet_attribute(self):
        return {"SubnetId": self.pick("subnet"),
                "MapPublicIpOnLaunch.Value": self.random.choice(("true", "false"))}

    # Gateways, tables, routes.

    def create_internet_gateway(self):
        return self.tags("internet-gateway") if self.room("igw") else None

    def attach_internet_gateway(self):
        return {"InternetGatewayId": self.pick("igw"), "VpcId": self.pick("vpc")}

    def detach_internet_gateway(self):
        return self.attach_internet_gateway()

    def delete_internet_gateway(self):
        return {"InternetGatewayId": self.pick("igw")}

    def create_route_table(self):
        return {"VpcId": self.pick("vpc"), **self.tags("route-table")} if self.room("rtb") else None

    def delete_route_table(self):
        table = self.pick("rtb")
        return None if self.model.endpoint_routes(table) else {"RouteTableId": table}

    def create_vpc_endpoint(self):
        if not self.room("vpce"):
            return None
        vpc = self.pick("vpc")
        fields = {"vpcId": vpc} if vpc in self.model.things["vpc"] and self.chance(0.9) else {}
        tables = {self.pick("rtb", **fields), self.pick("rtb", **fields)} - {None}
        service = self.random.choice(("s3", "dynamodb"))
        return {"VpcId": vpc, "ServiceName": f"com.amazonaws.us-east-1.{service}",
                **{f"RouteTableId.{number}": table
                   for number, table in enumerate(sorted(tables), 1)},
                **self.tags("vpc-endpoint")}

    def delete_vpc_endpoints(self):
        return {"VpcEndpointId.1": self.pick("vpce")}

    def same_vpc(self, kind, other, field):
        """Ids of two kinds, mostly of one VPC."""
        one = self.pick(kind)
        thing = self.model.things[kind].get(one)
        if thing and self.chance(0.9):
            return one, self.pick(other, **{field: thing[field]})
        return one, self.pick(other)

    def associate_route_table(self):
        table, subnet = self.same_vpc("rtb", "subnet", "vpcId")
        return {"RouteTableId": table, "SubnetId": subnet}

    def association(self, kind):
        prefix = {"rtb": "rtbassoc", "acl": "aclassoc"}[kind]
        found = [(key, thing["vpcId"]) for thing in self.model.things[kind].values()
                 for key in thing["_associations"]]
        if not found or self.chance(0.05):
            self.wrong = True
            return f"{prefix}-{self.random.randrange(16 ** 17):017x}", None
        return self.random.choice(found)

    def disassociate_route_table(self):
        return {"AssociationId": self.association("rtb")[0]}

    def replace_route_table_association(self):
        association, vpc = self.association("rtb")
        return {"AssociationId": association,
                "RouteTableId": self.pick("rtb", **({"vpcId": vpc} if vpc else {}))}

    def destination(self, table):
        choices = [ANYWHERE, ANYWHERE, ANYWHERE, "8.8.0.0/16", "192.168.3.7/24"]
        choices += [vpc["cidrBlock"] for vpc in self.model.things["vpc"].values()
                    if vpc["vpcId"] != table.get("vpcId")]
        if not self.wrong and self.chance(0.1):
            self.wrong = True
            return self.random.choice(("banana", "10.0.0.0/33", *[
                str(cidr) for cidr in (self.model.cidrs(table["vpcId"]) if table else ())]))
        return self.random.choice(choices)

    def create_route(self):
        table = self.pick("rtb")
        thing = self.model.things["rtb"].get(table, {})
        destination = self.destination(thing)
        vpc = {"vpcId": thing["vpcId"]} if thing else {}
        kind = self.random.choice(("igw", "igw", "igw", "nat", "pcx", "pcx", "eni"))
        if self.wrong:
            kind = "igw"
        if kind == "igw":
            attached = thing and self.model.attached(thing["vpcId"])
            target = {"GatewayId": attached or None}
            if not self.wrong and self.chance(0.1):
                self.wrong = True
                target = {"GatewayId": self.pick("igw")}
                if target["GatewayId"] == "banana" or str(target["GatewayId"]).endswith("-0123456"):
                    return None
        elif kind == "nat":
            target = {"NatGatewayId": self.pick("nat", state="available", **vpc)}
        elif kind == "eni":
            target = {"NetworkInterfaceId": self.pick("eni", interfaceType="interface", **vpc)}
        else:
            target = {"VpcPeeringConnectionId": self.pick("pcx")}
        if kind != "igw" and None not in target.values():
            key, = target.values()
            known = {"nat": "nat", "eni": "eni", "pcx": "pcx"}[kind]
            if key not in self.model.things[known] and known == "nat":
                return None
            if known == "pcx" and key in self.model.things["pcx"]:
                peering = self.model.things["pcx"][key]
                if thing and thing["vpcId"] not in peering["_vpcs"] or \
                        peering["_status"] not in ("active", "pending-acceptance"):
                    return None
        return {"RouteTableId": table, "DestinationCidrBlock": destination, **target}

    def replace_route(self):
        found = self.create_route()
        if not found or self.wrong or None in found.values():
            return None
        routes = self.model.things["rtb"][found["RouteTableId"]]["_routes"]
        if routes and self.chance(0.8):
            found["DestinationCidrBlock"] = self.random.choice(routes)["destination"]
        elif found["DestinationCidrBlock"] in self.all_cidrs():
            return None
        return found

    def all_cidrs(self):
        return [vpc["cidrBlock"] for vpc in self.model.things["vpc"].values()]

    def delete_route(self):
        table = self.pick("rtb")
        routes = self.model.things["rtb"].get(table, {"_routes": []})["_routes"]
        if routes and self.chance(0.8):
            destination = self.random.choice(routes)["destination"]
        else:
            destination = self.random.choice(
                (ANYWHERE, "10.77.0.0/16", "banana", *self.all_cidrs()))
            if self.wrong:
                destination = ANYWHERE
        return {"RouteTableId": table, "DestinationCidrBlock": destination}

    # Groups and ACLs.

    def create_security_group(self):
        if not self.room("sg"):
            return None
        name = self.random.choice(("web", "Web", "db", "cache", "mail", "log", "default"))
        return {"VpcId": self.pick("vpc"), "GroupName": name, "GroupDescription": "soak",
                **self.tags("security-group")}

    def delete_security_group(self):
        return {"GroupId": self.pick("sg")}

    def cidr(self):
        if self.chance(0.4):
            return ANYWHERE
        address = f"10.{self.random.randrange(6)}.{self.random.randrange(5)}.0"
        if self.chance(0.2):
            address = "8.8.8.8"
        return f"{address}/{self.random.choice(WIDTHS)}"

    def permission(self, group):
        protocol = self.random.choice(PROTOCOLS)
        found = {"IpPermissions.1.IpProtocol": protocol}
        if protocol in ("tcp", "udp", "icmp"):
            first, last = self.random.choice(TYPES if protocol == "icmp" else PORTS)
            if protocol != "icmp" and not self.wrong and self.chance(0.04):
                self.wrong = True
                first, last = 100, 99
            found.update({"IpPermissions.1.FromPort": first, "IpPermissions.1.ToPort": last})
        kind = self.random.choice(("cidr", "cidr", "cidr", "group", "group", "prefixes"))
        vpc = self.model.things["sg"].get(group, {}).get("vpcId")
        if kind == "group":
            peer = self.pick("sg", **({"vpcId": vpc} if vpc else {}))
            found["IpPermissions.1.Groups.1.GroupId"] = peer
        elif kind == "prefixes":
            found["IpPermissions.1.PrefixListIds.1.PrefixListId"] = self.pick("pl")
        else:
            found["IpPermissions.1.IpRanges.1.CidrIp"] = self.cidr()
            if self.chance(0.3):
                found["IpPermissions.1.IpRanges.2.CidrIp"] = "192.0.2.0/24"
        return found

    def authorize(self, way):
        group = self.pick("sg")
        return {"action": f"AuthorizeSecurityGroup{way}", "GroupId": group,
                **self.permission(group)}

    def authorize_ingress(self):
        return self.authorize("Ingress")

    def authorize_egress(self):
        return self.authorize("Egress")

    def revoke(self):
        group = self.pick("sg")
        rules = list(self.model.things["sg"].get(group, {"_rules": {}})["_rules"].values())
        if not rules or self.chance(0.15):
            way = self.random.choice(("Ingress", "Egress"))
            found = self.permission(group)
            if "IpPermissions.1.FromPort" in found and \
                    found["IpPermissions.1.FromPort"] == 100:
                return None
        else:
            egress, protocol, first, last, kind, peer = self.random.choice(rules)
            way = "Egress" if egress else "Ingress"
            member = {"cidr": "IpRanges.1.CidrIp", "group": "Groups.1.GroupId",
                      "prefixes": "PrefixListIds.1.PrefixListId"}[kind]
            found = {"IpPermissions.1.IpProtocol": protocol, f"IpPermissions.1.{member}": peer}
            if protocol in ("tcp", "udp", "icmp"):
                found.update({"IpPermissions.1.FromPort": first, "IpPermissions.1.ToPort": last})
        return {"action": f"RevokeSecurityGroup{way}", "GroupId": group, **found}

    def create_network_acl(self):
        return {"VpcId": self.pick("vpc"), **self.tags("network-acl")} if self.room("acl") else None

    def delete_network_acl(self):
        return {"NetworkAclId": self.pick("acl")}

    def acl_entry(self):
        protocol = self.random.choice(("-1", "-1", "6", "17", "1", "50"))
        found = {"RuleNumber": self.random.choice((1, 50, 90, 99, 100, 101, 200, 32766)),
                 "Protocol": protocol, "Egress": self.random.choice(("true", "false")),
                 "RuleAction": self.random.choice(("allow", "allow", "allow", "deny")),
                 "CidrBlock": ANYWHERE if self.chance(0.5) else self.cidr()}
        if protocol == "1":
            kind, code = self.random.choice(TYPES)
            found.update({"Icmp.Type": kind, "Icmp.Code": code})
        elif protocol in ("6", "17"):
            first, last = self.random.choice(PORTS)
            found.update({"PortRange.From": first, "PortRange.To": last})
        return found

    def create_network_acl_entry(self):
        return {"NetworkAclId": self.pick("acl"), **self.acl_entry()}

    def replace_network_acl_entry(self):
        return self.create_network_acl_entry()

    def delete_network_acl_entry(self):
        acl = self.pick("acl")
        places = list(self.model.things["acl"].get(acl, {"_entries": {}})["_entries"])
        if places and self.chance(0.9):
            egress, number = self.random.choice(places)
        else:
            egress, number = self.chance(0.5), 7777
        return {"NetworkAclId": acl, "RuleNumber": number, "Egress": str(egress).lower()}

    def replace_network_acl_association(self):
        association, vpc = self.association("acl")
        return {"AssociationId": association,
                "NetworkAclId": self.pick("acl", **({"vpcId": vpc} if vpc else {}))}

    # Interfaces and instances.

    def some_groups(self, name, vpc):
        own = [group["groupId"] for group in self.model.of("sg", vpcId=vpc)]
        chosen = self.random.sample(own, min(len(own), self.random.randint(0, 3)))
        if not self.wrong and self.chance(0.03):
            self.wrong = True
            chosen = [self.pick("sg") or "sg-0123456789abcdef0"]
        return {f"{name}.{number}": group for number, group in enumerate(chosen, 1)}

    def asked_address(self, subnet):
        """None mostly; one that is free, used, reserved or elsewhere."""
        if self.wrong or subnet not in self.model.things["subnet"] or self.chance(0.75):
            return {}
        net = self.model.things["subnet"][subnet]["cidrBlock"]
        stem, last = net.split("/")[0].rsplit(".", 1)
        return {"PrivateIpAddress": self.random.choice((
            f"{stem}.{int(last) + self.random.randrange(4, 14)}",
            f"{stem}.{int(last) + self.random.randrange(4, 14)}",
            f"{stem}.{int(last) + 2}", "10.99.0.4"))}

    def create_network_interface(self):
        subnet = self.pick("subnet")
        if not subnet or not self.room("eni"):
            return None
        vpc = self.model.things["subnet"].get(subnet, {}).get("vpcId")
        return {"SubnetId": subnet, "Description": "soak", **self.asked_address(subnet),
                **self.some_groups("SecurityGroupId", vpc), **self.tags("network-interface")}

    def assign_private_ip_addresses(self):
        return {"NetworkInterfaceId": self.own_interface(),
                "SecondaryPrivateIpAddressCount": self.random.choice((1, 1, 2))}

    def unassign_private_ip_addresses(self):
        eni = self.own_interface()
        addresses = self.model.things["eni"].get(eni, {"_addresses": ["10.0.0.4"]})["_addresses"]
        return {"NetworkInterfaceId": eni, "PrivateIpAddress.1": self.random.choice(addresses)}

    def own_interface(self):
        return self.pick("eni", interfaceType="interface")

    def delete_network_interface(self):
        return {"NetworkInterfaceId": self.own_interface()}

    def modify_network_interface_attribute(self):
        eni = self.own_interface()
        vpc = self.model.things["eni"].get(eni, {}).get("vpcId")
        groups = self.some_groups("SecurityGroupId", vpc)
        return {"NetworkInterfaceId": eni, **groups} if groups else None

    def attach_network_interface(self):
        eni, instance = self.own_interface(), self.living()
        things = self.model.things
        if eni in things["eni"] and instance in things["i"] and self.chance(0.7):
            here = things["eni"][eni]
            if here["availabilityZone"] != things["i"][instance]["_zone"]:
                return None
        return {"NetworkInterfaceId": eni, "InstanceId": instance,
                "DeviceIndex": self.random.choice((1, 1, 1, 2))}

    def detach_network_interface(self):
        found = [eni["_attachment"]["attachmentId"] for eni in self.model.things["eni"].values()
                 if eni["_attachment"]]
        return {"AttachmentId": self.random.choice(
            [*found, "eni-attach-0123456789abcdef0"])}

    def run_instances(self):
        subnet = self.pick("subnet")
        if not subnet or not self.room("i"):
            return None
        vpc = self.model.things["subnet"].get(subnet, {}).get("vpcId")
        found = {"SubnetId": subnet, "ImageId": IMAGE, "MinCount": 1, "MaxCount": 1,
                 "InstanceType": self.random.choice(("t3.micro", "t3.small")),
                 **self.asked_address(subnet), **self.some_groups("SecurityGroupId", vpc),
                 **self.tags("instance", "volume")}
        if self.chance(0.3):
            found["KeyName"] = self.random.choice(
                [pair["keyName"] for pair in self.model.things["key"].values()] or [None])
        if not self.wrong and self.chance(0.05):
            name, value = self.random.choice((
                ("InstanceType", "t9.banana"), ("ImageId", "banana"),
                ("MinCount", 2), ("KeyName", "nobody")))
            if "PrivateIpAddress" not in found:
                found[name] = value
        return found

    def living(self):
        """An instance that is not terminated."""
        instance = self.pick("i")
        state = self.model.things["i"].get(instance, {}).get("_state")
        return None if state == "terminated" else instance

    def of_instance(self):
        return {"InstanceId.1": self.pick("i")}

    def start_instances(self):
        return self.of_instance()

    def stop_instances(self):
        return self.of_instance()

    def reboot_instances(self):
        return self.of_instance()

    def terminate_instances(self):
        return self.of_instance()

    def modify_instance_attribute(self):
        instance = self.living()
        vpc = self.model.things["i"].get(instance, {}).get("_vpc")
        if self.chance(0.3):
            return {"InstanceId": instance,
                    "DisableApiTermination.Value": self.random.choice(("true", "false", "false"))}
        groups = self.some_groups("GroupId", vpc)
        return {"InstanceId": instance, **groups} if groups else None

    # Addresses, NAT gateways, peerings.

    def allocate_address(self):
        return {"Domain": "vpc", **self.tags("elastic-ip")} if self.room("eipalloc") else None

    def associate_address(self):
        found = {"AllocationId": self.pick("eipalloc")}
        if self.chance(0.5):
            found["InstanceId"] = self.living()
        else:
            found["NetworkInterfaceId"] = self.own_interface()
        if self.chance(0.2):
            found["AllowReassociation"] = "false"
        return found

    def disassociate_address(self):
        found = [address["associationId"] for address in self.model.things["eipalloc"].values()
                 if address["_at"]]
        return {"AssociationId": self.random.choice([*found, "eipassoc-0123456789abcdef0"])}

    def release_address(self):
        return {"AllocationId": self.pick("eipalloc")}

    def create_nat_gateway(self):
        subnet, address = self.pick("subnet"), self.pick("eipalloc", _at=None)
        if not self.room("nat") or address not in self.model.things["eipalloc"]:
            return None
        thing = self.model.things["subnet"].get(subnet)
        if thing and not (self.model.attached(thing["vpcId"]) and self.model.has_room(thing)):
            return None
        return {"SubnetId": subnet, "AllocationId": address, **self.tags("natgateway")}

    def delete_nat_gateway(self):
        return {"NatGatewayId": self.pick("nat", state="available")}

    def create_vpc_peering_connection(self):
        one, other = self.pick("vpc"), self.pick("vpc")
        if one == other or not self.room("pcx") or self.wrong:
            return None
        return {"VpcId": one, "PeerVpcId": other, **self.tags("vpc-peering-connection")}

    def of_peering(self):
        return {"VpcPeeringConnectionId": self.pick("pcx")}

    def accept_vpc_peering_connection(self):
        return self.of_peering()

    def reject_vpc_peering_connection(self):
        return self.of_peering()

    def delete_vpc_peering_connection(self):
        return self.of_peering()

    # The rest.

    def entries(self, name, count):
        return {f"{name}.{number}.Cidr": f"10.{self.random.randrange(6)}.{number}.0/24"
                for number in range(1, count + 1)}

    def create_managed_prefix_list(self):
        if not self.room("pl"):
            return None
        return {"PrefixListName": self.random.choice("abc"), "AddressFamily": "IPv4",
                "MaxEntries": 3, **self.entries("Entry", self.random.randrange(5)),
                **self.tags("prefix-list")}

    def modify_managed_prefix_list(self):
        prefixes = self.pick("pl")
        thing = self.model.things["pl"].get(prefixes, {"version": "1", "_entries": []})
        found = {"PrefixListId": prefixes, "CurrentVersion": thing["version"]}
        if not self.wrong and self.chance(0.1):
            found["CurrentVersion"] = 77
        cidr = f"10.{self.random.randrange(6)}.{self.random.randrange(9)}.0/24"
        if thing["_entries"] and self.chance(0.5):
            found["RemoveEntry.1.Cidr"] = self.random.choice(thing["_entries"])
        elif cidr not in thing["_entries"]:
            found["AddEntry.1.Cidr"] = cidr
        else:
            return None
        return found

    def delete_managed_prefix_list(self):
        return {"PrefixListId": self.pick("pl")}

    def create_dhcp_options(self):
        if not self.room("dopt"):
            return None
        return {"DhcpConfiguration.1.Key": "domain-name",
                "DhcpConfiguration.1.Value.1": f"{self.random.choice('abc')}.example",
                **self.tags("dhcp-options")}

    def associate_dhcp_options(self):
        options = self.pick("dopt")
        if not self.wrong and self.chance(0.2):
            options = "default"
        return {"VpcId": self.pick("vpc"), "DhcpOptionsId": options}

    def delete_dhcp_options(self):
        return {"DhcpOptionsId": self.pick("dopt")}

    def create_volume(self):
        if not self.room("vol"):
            return None
        return {"AvailabilityZone": self.random.choice(ZONES[:2]), "VolumeType": "gp2",
                "Size": self.random.choice((1, 8, 100)), **self.tags("volume")}

    def loose_volume(self):
        """Not an instance's own disk."""
        volume = self.pick("vol")
        at = self.model.things["vol"].get(volume, {}).get("_at")
        return None if at and at[1] == "/dev/xvda" else volume

    def attach_volume(self):
        return {"VolumeId": self.loose_volume(), "InstanceId": self.living(),
                "Device": self.random.choice(("/dev/sdf", "/dev/sdg"))}

    def detach_volume(self):
        return {"VolumeId": self.loose_volume()}

    def delete_volume(self):
        return {"VolumeId": self.loose_volume()}

    def key_name(self):
        return f"{self.model.name}-{self.random.choice('abc')}"

    def create_key_pair(self):
        if not self.room("key"):
            return None
        return {"KeyName": self.key_name(), "KeyType": "ed25519", **self.tags("key-pair")}

    def delete_key_pair(self):
        return {"KeyName": self.key_name()}

    def create_launch_template(self):
        if not self.room("lt"):
            return None
        return {"LaunchTemplateName": self.key_name(),
                "LaunchTemplateData.InstanceType": "t3.micro", **self.tags("launch-template")}

    def create_launch_template_version(self):
        return {"LaunchTemplateId": self.pick("lt"),
                "LaunchTemplateData.InstanceType": "t3.small"}

    def modify_launch_template(self):
        return {"LaunchTemplateId": self.pick("lt"),
                "SetDefaultVersion": self.random.choice((1, 2, 2, 3))}

    def delete_launch_template(self):
        return {"LaunchTemplateId": self.pick("lt")}

    def something(self):
        kinds = [kind for kind in KINDS if self.model.things[kind] and
                 kind not in ("eni-attach", "nat", "pcx")]
        return self.random.choice(list(self.model.things[self.random.choice(kinds)])) \
            if kinds else None

    def create_tags(self):
        return {"ResourceId.1": self.something(), "Tag.1.Key": self.random.choice("abc"),
                "Tag.1.Value": self.random.choice(("", "x", "<&>", "ü"))}

    def delete_tags(self):
        found = {"ResourceId.1": self.something(), "Tag.1.Key": self.random.choice("abc")}
        if self.chance(0.4):
            found["Tag.1.Value"] = self.random.choice(("", "x"))
        return found


# How often what is called.
WEIGHTS = {
    "create_vpc": 6, "delete_vpc": 2, "modify_vpc_attribute": 3,
    "create_subnet": 8, "delete_subnet": 2, "modify_subnet_attribute": 4,
    "create_internet_gateway": 4, "attach_internet_gateway": 5, "detach_internet_gateway": 1,
    "delete_internet_gateway": 1, "create_route_table": 4, "delete_route_table": 2,
    "associate_route_table": 5, "disassociate_route_table": 2,
    "replace_route_table_association": 3, "create_route": 14, "replace_route": 4,
    "delete_route": 3, "create_security_group": 5, "delete_security_group": 2,
    "authorize_ingress": 12, "authorize_egress": 7, "revoke": 8, "create_network_acl": 3,
    "delete_network_acl": 2, "create_network_acl_entry": 8, "replace_network_acl_entry": 3,
    "delete_network_acl_entry": 4, "replace_network_acl_association": 4,
    "create_network_interface": 4, "delete_network_interface": 3,
    "modify_network_interface_attribute": 4, "attach_network_interface": 3,
    "detach_network_interface": 3, "run_instances": 7, "start_instances": 3, "stop_instances": 2,
    "reboot_instances": 1, "terminate_instances": 2, "modify_instance_attribute": 5,
    "allocate_address": 4, "associate_address": 5, "disassociate_address": 2,
    "release_address": 2, "create_nat_gateway": 4, "delete_nat_gateway": 1,
    "create_vpc_peering_connection": 4, "accept_vpc_peering_connection": 3,
    "reject_vpc_peering_connection": 1, "delete_vpc_peering_connection": 1,
    "create_managed_prefix_list": 2, "modify_managed_prefix_list": 3,
    "delete_managed_prefix_list": 1, "create_dhcp_options": 2, "associate_dhcp_options": 2,
    "delete_dhcp_options": 1, "create_volume": 3, "attach_volume": 3, "detach_volume": 2,
    "delete_volume": 2, "create_tags": 4, "delete_tags": 2,
    "assign_private_ip_addresses": 3, "unassign_private_ip_addresses": 2, "create_key_pair": 2,
    "delete_key_pair": 1, "create_launch_template": 2, "create_launch_template_version": 2,
    "create_vpc_endpoint": 3, "delete_vpc_endpoints": 2, "modify_launch_template": 2,
    "delete_launch_template": 1,
}

# Of them, what may happen at the same time as another: what the model needs to ask nothing about.
RACING = {name: weight for name, weight in WEIGHTS.items() if name not in (
    "create_vpc", "create_subnet", "create_security_group", "run_instances", "start_instances",
    "stop_instances", "reboot_instances", "terminate_instances", "create_nat_gateway",
    "delete_nat_gateway", "disassociate_address", "associate_address",
    "assign_private_ip_addresses", "create_network_interface")}
