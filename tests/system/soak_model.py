"""
The rest of what soak_network.py begins: interfaces, instances, addresses and what goes with them; how
things are described; and check(), which holds a reply against the model.
"""
import ipaddress

from soak_client import Call
from soak_network import (Again, MAC, Network, OWNER_TAG, Refused, STATES, TIME, TRUE, TYPES, ZONE_ID,
                          internal_name, new_id, numbered, refuse, tags_of)
from soak_rest import Rest
from soak_values import Any, UNKNOWN, differences

IMAGE = "ami-0123456789abcdef0"
ROOT = {"size": "8", "volumeType": "gp3", "iops": "3000", "throughput": "125"}


class Model(Network, Rest):
    """One client's things, in its account."""

    def __init__(self, name, account):
        super().__init__(name, account)
        self.gone = []  # instances that were terminated

    # Interfaces.

    def groups_for(self, subnet, named):
        """The VPC's default group where none is named."""
        vpc = subnet["vpcId"]
        if len(named) > 5:
            raise Refused("SecurityGroupsPerInterfaceLimitExceeded")
        for group in named:
            if self.find("sg", group)["vpcId"] != vpc:
                raise Refused("InvalidParameter", f"Security group {group} and subnet "
                              f"{subnet['subnetId']} belong to different networks.")
        return list(named) or [group["groupId"] for group in
                               self.of("sg", vpcId=vpc, groupName="default")]

    def check_free(self, subnet, address):
        """An address that is asked for."""
        cidr = ipaddress.ip_network(subnet["cidrBlock"])
        number = ipaddress.ip_address(address)
        if number not in cidr:
            raise Refused("InvalidParameterValue",
                          f"Address {address} does not fall within the subnet's address range")
        if int(number) - int(cidr.network_address) < 4 or number == cidr.broadcast_address:
            raise Refused("InvalidParameterValue",
                          f"Address {address} is in subnet's reserved address range")
        if self.is_used(subnet, address):
            raise Refused("InvalidIPAddress.InUse", f"Address {address} is in use.")

    def is_used(self, subnet, address):
        return any(address in eni["_addresses"]
                   for eni in self.of("eni", subnetId=subnet["subnetId"]))

    def has_room(self, subnet):
        return int(self.described_subnet(subnet)["availableIpAddressCount"]) > 0

    def new_interface(self, subnet, described, **more):
        """As it is described for the first time: its address is one that was free."""
        address = described["privateIpAddress"]
        self.check_free(subnet, address)
        eni = self.keep("eni", "networkInterfaceId", {
            "networkInterfaceId": new_id("eni"), "subnetId": subnet["subnetId"],
            "vpcId": subnet["vpcId"], "availabilityZone": subnet["availabilityZone"],
            "availabilityZoneId": subnet["availabilityZoneId"], "ownerId": self.account,
            "description": "", "interfaceType": "interface", "macAddress": MAC,
            "requesterManaged": "false", "sourceDestCheck": "true", "tagSet": [],
            "_addresses": [address], "_groups": [], "_attachment": None, "_auto": None,
            "_wants_public": False, **more}, described)
        assert MAC == eni["macAddress"], described
        return eni

    def create_network_interface(self, p):
        subnet = self.find("subnet", p["SubnetId"])
        groups = self.groups_for(subnet, numbered(p, "SecurityGroupId"))
        asked = p.get("PrivateIpAddress")
        if asked:
            self.check_free(subnet, asked)
        elif not self.has_room(subnet):
            raise Refused("InvalidParameterValue",
                          "There aren't sufficient free Ipv4 addresses or prefixes")
        reply = (yield)["networkInterface"]
        eni = self.new_interface(subnet, reply, description=p.get("Description", ""),
                                 tagSet=tags_of(p), _groups=groups)
        if asked:
            assert eni["_addresses"] == [asked], reply
        return {"networkInterface": {**self.described_interface(eni), "status": "pending"}}

    def assign_private_ip_addresses(self, p):
        eni = self.find("eni", p["NetworkInterfaceId"])
        subnet, count = self.things["subnet"][eni["subnetId"]], int(
            p["SecondaryPrivateIpAddressCount"])
        if eni["_attachment"]:
            kind = self.things["i"][eni["_attachment"]["instanceId"]]["instanceType"]
            if len(eni["_addresses"]) + count > TYPES[kind][1]:
                raise Refused("PrivateIpAddressLimitExceeded")
        if int(self.described_subnet(subnet)["availableIpAddressCount"]) < count:
            raise Refused("InsufficientFreeAddressesInSubnet",
                          "The specified subnet does not have enough free addresses to satisfy "
                          "the request.")
        found, = (yield from self.granted_addresses(eni))
        new = [entry["privateIpAddress"] for entry in found["privateIpAddressesSet"]
               if entry["privateIpAddress"] not in eni["_addresses"]]
        assert len(new) == count, found
        for address in new:
            self.check_free(subnet, address)
            eni["_addresses"].append(address)
        return {"networkInterfaceId": eni["networkInterfaceId"],
                "assignedPrivateIpAddressesSet": [{"privateIpAddress": address} for address in new]}

    def granted_addresses(self, eni):
        yield
        return (yield Call("DescribeNetworkInterfaces", {
            "NetworkInterfaceId.1": eni["networkInterfaceId"]}))["networkInterfaceSet"]

    def unassign_private_ip_addresses(self, p):
        eni, address = self.find("eni", p["NetworkInterfaceId"]), p["PrivateIpAddress.1"]
        if address not in eni["_addresses"][1:]:
            raise Refused("InvalidParameterValue")
        yield
        eni["_addresses"].remove(address)
        held = self.elastic(eni, address)
        if held:
            held["_at"] = None
        return TRUE

    def delete_network_interface(self, p):
        eni = self.find("eni", p["NetworkInterfaceId"])
        if eni["_attachment"]:
            raise Refused("InvalidParameterValue", f"Network interface "
                          f"'{eni['networkInterfaceId']}' is currently in use.")
        yield
        self.remove_interface(eni)
        return TRUE

    def remove_interface(self, eni):
        for address in self.things["eipalloc"].values():
            if address["_at"] and address["_at"][0] == eni["networkInterfaceId"]:
                address["_at"] = None
        self.drop("eni", eni["networkInterfaceId"])

    def modify_network_interface_attribute(self, p):
        eni = self.find("eni", p["NetworkInterfaceId"])
        subnet = self.things["subnet"][eni["subnetId"]]
        groups = self.groups_for(subnet, numbered(p, "SecurityGroupId"))
        yield
        eni["_groups"] = groups
        return TRUE

    def interfaces_of(self, instance):
        return sorted((eni for eni in self.things["eni"].values()
                       if eni["_attachment"] and eni["_attachment"]["instanceId"] == instance),
                      key=lambda eni: int(eni["_attachment"]["deviceIndex"]))

    def attach_network_interface(self, p):
        eni = self.find("eni", p["NetworkInterfaceId"])
        instance = self.find("i", p["InstanceId"])
        others = self.interfaces_of(instance["instanceId"])
        limit, most = TYPES[instance["instanceType"]]
        refuse(
            eni["_attachment"] and Refused("InvalidNetworkInterface.InUse",
                                           f"Interface: [{eni['networkInterfaceId']}] in use."),
            len(eni["_addresses"]) > most and Refused("PrivateIpAddressLimitExceeded"),
            (eni["availabilityZone"] != instance["_zone"] or eni["vpcId"] != instance["_vpc"]) and
            Refused("InvalidParameterCombination"),
            any(other["_attachment"]["deviceIndex"] == p["DeviceIndex"] for other in others) and
            Refused("InvalidParameterValue",
                    f"Instance '{instance['instanceId']}' already has an interface attached at "
                    f"device index '{p['DeviceIndex']}'."),
            len(others) >= limit and Refused(
                "AttachmentLimitExceeded", f"Interface count {limit + 1} exceeds the limit for "
                f"{instance['instanceType']}"))
        reply = yield
        eni["_attachment"] = self.attachment(reply["attachmentId"], instance["instanceId"],
                                             p["DeviceIndex"], "false")
        return {"attachmentId": new_id("eni-attach"), "networkCardIndex": "0"}

    def attachment(self, identifier, instance, index, ends):
        return {"attachmentId": identifier, "instanceId": instance, "deviceIndex": index,
                "instanceOwnerId": self.account, "networkCardIndex": "0", "status": "attached",
                "deleteOnTermination": ends, "attachTime": TIME}

    def detach_network_interface(self, p):
        identifier = p["AttachmentId"]
        for eni in self.things["eni"].values():
            if eni["_attachment"] and eni["_attachment"]["attachmentId"] == identifier:
                break
        else:
            raise Refused("InvalidAttachmentID.NotFound",
                          f"The attachment ID '{identifier}' does not exist")
        if eni["_attachment"]["deviceIndex"] == "0":
            raise Refused("OperationNotPermitted", "The network interface at device index 0 and "
                          "networkCard index 0 cannot be detached.")
        yield
        eni["_attachment"] = None
        return TRUE

    def is_up(self, eni):
        """In an instance that runs."""
        return bool(eni["_attachment"]) and \
            self.things["i"][eni["_attachment"]["instanceId"]]["_state"] == "running"

    def elastic(self, eni, address):
        return next((found for found in self.things["eipalloc"].values()
                     if found["_at"] == (eni["networkInterfaceId"], address)), None)

    def public_of(self, eni, address):
        found = self.elastic(eni, address)
        if found:
            return found["publicIp"]
        return eni["_auto"] if address == eni["_addresses"][0] else None

    def public_name(self, eni, address):
        vpc = self.things["vpc"][eni["vpcId"]]
        if not (vpc["_hostnames"] and vpc["_support"]):
            return ""
        return f"ec2-{address.replace('.', '-')}.compute-1.amazonaws.com"

    def association_of(self, eni, address, brief=False):
        public = self.public_of(eni, address)
        if not public:
            return {}
        found = self.elastic(eni, address)
        made = {"publicIp": public, "publicDnsName": self.public_name(eni, public),
                "ipOwnerId": self.account if found else "amazon"}
        if found and not brief:
            made.update(allocationId=found["allocationId"], associationId=found["associationId"])
        return {"association": made}

    def described_interface(self, eni, brief=False):
        first, attachment = eni["_addresses"][0], eni["_attachment"]
        named = brief or self.things["vpc"][eni["vpcId"]]["_hostnames"]

        def name(address):
            return {"privateDnsName": internal_name(address)} if named else {}
        found = {**eni, "privateIpAddress": first, **name(first), "ipv6AddressesSet": [],
                 "status": "in-use" if attachment or eni["requesterManaged"] == "true"
                 else "available",
                 "groupSet": [{"groupId": group, "groupName": self.things["sg"][group]["groupName"]}
                              for group in eni["_groups"]],
                 "privateIpAddressesSet": [{
                     "privateIpAddress": address, **name(address),
                     "primary": str(address == first).lower(),
                     **self.association_of(eni, address, brief)} for address in eni["_addresses"]],
                 **self.association_of(eni, first, brief)}
        if attachment:
            found["attachment"] = attachment
        return found

    # Instances.

    def run_instances(self, p):
        subnet = self.find("subnet", p["SubnetId"])
        groups = self.groups_for(subnet, numbered(p, "SecurityGroupId"))
        if p["InstanceType"] not in TYPES:
            raise Refused("InvalidParameterValue",
                          f"Invalid value '{p['InstanceType']}' for InstanceType.")
        if p["ImageId"] != IMAGE:
            raise Refused("InvalidAMIID.Malformed")
        if int(p["MinCount"]) > int(p["MaxCount"]):
            raise Refused("InvalidParameterValue")
        if "KeyName" in p and not self.of("key", keyName=p["KeyName"]):
            raise Refused("InvalidKeyPair.NotFound",
                          f"The key pair '{p['KeyName']}' does not exist")
        asked = p.get("PrivateIpAddress")
        if asked:
            self.check_free(subnet, asked)
        elif not self.has_room(subnet):
            raise Refused("InsufficientFreeAddressesInSubnet",
                          f"There are not enough free addresses in subnet '{subnet['subnetId']}' "
                          "to satisfy the requested number of instances.")
        reply = yield
        described, = reply["instancesSet"]
        card, = described["networkInterfaceSet"]
        instance = self.keep("i", "instanceId", {
            "instanceId": new_id("i"), "imageId": IMAGE, "instanceType": p["InstanceType"],
            "amiLaunchIndex": "0", "keyName": p.get("KeyName", ""),
            "tagSet": tags_of(p), "_state": "pending",
            "_zone": subnet["availabilityZone"], "_vpc": subnet["vpcId"],
            "_subnet": subnet["subnetId"], "_protected": False, "_stopped_by_user": False,
            "_reservation": reply["reservationId"]}, described)
        eni = self.new_interface(subnet, card, _groups=groups,
                                 _wants_public=subnet["mapPublicIpOnLaunch"] == "true",
                                 _attachment=self.attachment(
                                     card["attachment"]["attachmentId"], instance["instanceId"],
                                     "0", "true"))
        if asked:
            assert eni["_addresses"] == [asked], reply
        root = described["blockDeviceMapping"][0]["ebs"]["volumeId"]
        self.things["vol"][root] = {
            "volumeId": root, "availabilityZone": subnet["availabilityZone"],
            "availabilityZoneId": subnet["availabilityZoneId"], **ROOT, "encrypted": "false",
            "multiAttachEnabled": "false", "createTime": TIME, "snapshotId": UNKNOWN,
            "tagSet": tags_of(p, "TagSpecification.2.Tag"),
            "_at": (instance["instanceId"], "/dev/xvda", "true")}
        expected = {"reservationId": new_id("r"), "ownerId": self.account, "groupSet": [],
                    "instancesSet": [{**self.described_instance(instance), "ipAddress": UNKNOWN,
                                      "networkInterfaceSet": UNKNOWN, "dnsName": UNKNOWN}]}
        yield from self.await_state(instance, "running")
        yield from self.learn_public(eni)
        return expected

    def await_state(self, instance, state):
        call = Again("DescribeInstances", {"InstanceId.1": instance["instanceId"]})
        while True:
            found = (yield call)["reservationSet"][0]["instancesSet"][0]["instanceState"]["name"]
            if found == state:
                break
        instance["_state"] = state

    def learn_public(self, eni):
        """An address that AWS chooses: any but one there is."""
        eni["_auto"] = None
        single = len(self.interfaces_of(eni["_attachment"]["instanceId"])) == 1
        if eni["_wants_public"] and single and not self.elastic(eni, eni["_addresses"][0]):
            found, = (yield Call("DescribeNetworkInterfaces", {
                "NetworkInterfaceId.1": eni["networkInterfaceId"]}))["networkInterfaceSet"]
            eni["_auto"] = found.get("association", {}).get("publicIp", "none")

    def change(self, instance, state, before):
        return {"instanceId": instance["instanceId"],
                "currentState": {"code": str(STATES[state]), "name": state},
                "previousState": {"code": str(STATES[before]), "name": before}}

    def start_instances(self, p):
        instance = self.find("i", p["InstanceId.1"])
        before = instance["_state"]
        if before == "terminated":
            raise Refused("IncorrectInstanceState", f"The instance '{instance['instanceId']}' is "
                          "not in a state from which it can be started.")
        yield
        if before == "running":
            return {"instancesSet": [self.change(instance, before, before)]}
        instance["_stopped_by_user"] = instance["_cut_short"] = False
        yield from self.await_state(instance, "running")
        yield from self.learn_public(self.interfaces_of(instance["instanceId"])[0])
        return {"instancesSet": [self.change(instance, "pending", before)]}

    def see_cut_short(self, call, ask):
        """A start that the daemon died of has failed: the instance is stopped, and says so."""
        instance = self.things["i"].get(call.parameters.get("InstanceId.1"))
        if call.action != "StartInstances" or not instance or instance["_state"] != "stopped":
            return
        found = ask(Call("DescribeInstances", {"InstanceId.1": instance["instanceId"]}))[
            "reservationSet"][0]["instancesSet"][0]
        if found["instanceState"]["name"] == "stopped" and \
                found["stateReason"]["code"] == "Server.InternalError":
            instance["_stopped_by_user"], instance["_cut_short"] = False, True

    def stop_instances(self, p):
        instance = self.find("i", p["InstanceId.1"])
        before = instance["_state"]
        if before == "terminated":
            raise Refused("IncorrectInstanceState")
        yield
        if before == "stopped":
            return {"instancesSet": [self.change(instance, before, before)]}
        instance["_stopped_by_user"] = True
        self.interfaces_of(instance["instanceId"])[0]["_auto"] = None
        yield from self.await_state(instance, "stopped")
        return {"instancesSet": [self.change(instance, "stopping", before)]}

    def reboot_instances(self, p):
        instance = self.find("i", p["InstanceId.1"])
        if instance["_state"] != "running":
            raise Refused("IncorrectInstanceState")
        yield
        return TRUE

    def terminate_instances(self, p):
        instance = self.find("i", p["InstanceId.1"])
        identifier, before = instance["instanceId"], instance["_state"]
        if instance["_protected"] and before != "terminated":
            raise Refused("OperationNotPermitted",
                          f"The instance '{identifier}' may not be terminated. Modify its "
                          "'disableApiTermination' instance attribute and try again.")
        yield
        if before == "terminated":
            return {"instancesSet": [self.change(instance, before, before)]}
        yield from self.await_state(instance, "terminated")
        for eni in self.interfaces_of(identifier):
            if eni["_attachment"]["deleteOnTermination"] == "true":
                self.remove_interface(eni)
            else:
                eni["_attachment"] = None
        for volume in list(self.things["vol"].values()):
            if volume["_at"] and volume["_at"][0] == identifier:
                if volume["_at"][2] == "true":
                    self.drop("vol", volume["volumeId"])
                else:
                    volume["_at"] = None
        instance["_stopped_by_user"] = True
        self.gone.append(identifier)
        if len(self.gone) > 10:
            self.drop("i", self.gone.pop(0))
        # From shutting-down, or at once where it was stopped.
        return {"instancesSet": [self.change(
            instance, "shutting-down", before)] if before == "running" else UNKNOWN}

    def modify_instance_attribute(self, p):
        instance = self.find("i", p["InstanceId"])
        cards = self.interfaces_of(instance["instanceId"])
        groups = numbered(p, "GroupId")
        if instance["_state"] == "terminated":
            raise Refused("IncorrectInstanceState")
        if groups:
            if len(cards) > 1:
                raise Refused("InvalidInstanceID",
                              f"There are multiple interfaces attached to instance "
                              f"'{instance['instanceId']}'. Please specify an interface ID for "
                              "the operation instead.")
            groups = self.groups_for(self.things["subnet"][instance["_subnet"]], groups)
        yield
        if groups:
            cards[0]["_groups"] = groups
        else:
            instance["_protected"] = p["DisableApiTermination.Value"] == "true"
        return TRUE

    def described_instance(self, instance):
        found = {
            **instance, "architecture": "x86_64", "capacityReservationSpecification": {
                "capacityReservationPreference": "open"},
            "cpuOptions": {"coreCount": Any(r"\d"), "threadsPerCore": Any(r"\d")},
            "currentInstanceBootMode": Any(), "dnsName": "", "ebsOptimized": "false",
            "enaSupport": "true", "enclaveOptions": {"enabled": "false"},
            "hibernationOptions": {"configured": "false"}, "hypervisor": "xen",
            "instanceState": {"code": str(STATES[instance["_state"]]), "name": instance["_state"]},
            "launchTime": TIME, "maintenanceOptions": {"autoRecovery": "default"},
            "metadataOptions": {
                "httpEndpoint": "enabled", "httpProtocolIpv6": "disabled",
                "httpPutResponseHopLimit": "1", "httpTokens": "optional",
                "instanceMetadataTags": "disabled", "state": Any("pending|applied")},
            "monitoring": {"state": "disabled"}, "platformDetails": "Linux/UNIX",
            "placement": {"availabilityZone": instance["_zone"], "availabilityZoneId": ZONE_ID,
                          "groupName": "", "tenancy": "default"},
            "privateDnsNameOptions": {"hostnameType": "ip-name",
                                      "enableResourceNameDnsARecord": "false",
                                      "enableResourceNameDnsAAAARecord": "false"},
            "rootDeviceName": "/dev/xvda", "rootDeviceType": "ebs",
            "usageOperation": "RunInstances", "usageOperationUpdateTime": TIME,
            "virtualizationType": "hvm", "blockDeviceMapping": [], "groupSet": [],
            "networkInterfaceSet": [], "privateDnsName": ""}
        if instance["_stopped_by_user"]:
            found["reason"] = Any(r"User initiated \(.* GMT\)")
            found["stateReason"] = {
                "code": "Client.UserInitiatedShutdown",
                "message": "Client.UserInitiatedShutdown: User initiated shutdown"}
        elif instance.get("_cut_short"):
            found["reason"] = "Server.InternalError"
            found["stateReason"] = {"code": "Server.InternalError",
                                    "message": "Server.InternalError: Internal error"}
        if instance["_state"] != "terminated":
            found.update(self.described_parts(instance))
        return found

    def described_parts(self, instance):
        """What an instance has until it is terminated."""
        cards = self.interfaces_of(instance["instanceId"])
        first = self.described_interface(cards[0], brief=True)
        found = {
            "subnetId": instance["_subnet"], "vpcId": instance["_vpc"], "sourceDestCheck": "true",
            "privateIpAddress": first["privateIpAddress"], "groupSet": first["groupSet"],
            "privateDnsName": first["privateDnsName"],
            "networkInterfaceSet": [self.brief(card) for card in cards],
            "blockDeviceMapping": [
                {"deviceName": volume["_at"][1], "ebs": {
                    "volumeId": volume["volumeId"], "status": "attached", "attachTime": TIME,
                    "deleteOnTermination": volume["_at"][2]}}
                for volume in self.things["vol"].values()
                if volume["_at"] and volume["_at"][0] == instance["instanceId"]]}
        if "association" in first:
            found["ipAddress"] = first["association"]["publicIp"]
            found["dnsName"] = first["association"]["publicDnsName"]
        return found

    def brief(self, eni):
        """An interface as it is described within its instance."""
        found = self.described_interface(eni, brief=True)
        for name in ("availabilityZone", "availabilityZoneId", "tagSet", "requesterManaged"):
            del found[name]
        found["attachment"] = {name: value for name, value in eni["_attachment"].items()
                               if name not in ("instanceId", "instanceOwnerId")}
        return found

    # Elastic IPs: _at is interface and private address.

    def allocate_address(self, p):
        reply = yield
        if any(reply["publicIp"] == other["publicIp"]
               for other in self.things["eipalloc"].values()):
            raise AssertionError(f"{reply['publicIp']} twice")
        self.keep("eipalloc", "allocationId", {
            "allocationId": new_id("eipalloc"), "domain": "vpc", "publicIpv4Pool": "amazon",
            "publicIp": Any(r"\d+\.\d+\.\d+\.\d+"), "networkBorderGroup": "us-east-1",
            "tagSet": tags_of(p), "_at": None, "associationId": None}, reply)
        return {"allocationId": new_id("eipalloc"), "domain": "vpc", "publicIpv4Pool": "amazon",
                "publicIp": Any(r"\d+\.\d+\.\d+\.\d+"), "networkBorderGroup": "us-east-1"}

    def is_managed(self, address):
        return bool(address["_at"]) and \
            self.things["eni"][address["_at"][0]]["requesterManaged"] == "true"

    def forbidden(self):
        return Refused("AuthFailure",
                       "You do not have permission to access the specified resource.")

    def associate_address(self, p):
        address = self.find("eipalloc", p["AllocationId"])
        if "InstanceId" in p:
            instance = self.find("i", p["InstanceId"])
            cards = self.interfaces_of(instance["instanceId"])
            if instance["_state"] == "terminated":
                raise Refused("InvalidInstanceID")
            if len(cards) > 1:
                raise Refused("InvalidInstanceID",
                              f"There are multiple interfaces attached to instance "
                              f"'{instance['instanceId']}'. Please specify an interface ID for "
                              "the operation instead.")
            eni = cards[0]
        else:
            eni = self.find("eni", p["NetworkInterfaceId"])
        refuse(self.is_managed(address) and self.forbidden(),
               not self.attached(eni["vpcId"]) and Refused(
                   "Gateway.NotAttached",
                   f"Network {eni['vpcId']} is not attached to any internet gateway"))
        place = eni["networkInterfaceId"], eni["_addresses"][0]
        if address["_at"] and p.get("AllowReassociation") == "false" and address["_at"] != place:
            raise Refused("Resource.AlreadyAssociated",
                          f"resource {address['allocationId']} is already associated with "
                          f"associate-id {address['associationId']}")
        old = self.elastic(eni, place[1])
        if old and old is not address and p.get("AllowReassociation") == "false":
            raise Refused("Resource.AlreadyAssociated")
        reply = yield
        if address["_at"] == place:
            return {"associationId": address["associationId"]}
        before = address["_at"]
        if old:
            old["_at"] = None
        address["_at"], address["associationId"] = place, reply["associationId"]
        eni["_auto"] = None
        if before:
            yield from self.back_to_auto(before)
        return {"associationId": new_id("eipassoc")}

    def back_to_auto(self, place):
        """An instance that was launched with a public address has one again."""
        eni = self.things["eni"].get(place[0])
        if eni and self.is_up(eni) and eni["_attachment"]["deviceIndex"] == "0":
            yield from self.learn_public(eni)

    def disassociate_address(self, p):
        for address in self.things["eipalloc"].values():
            if address["_at"] and address["associationId"] == p["AssociationId"]:
                break
        else:
            raise Refused("InvalidAssociationID.NotFound",
                          f"The association ID '{p['AssociationId']}' does not exist")
        if self.is_managed(address):
            raise self.forbidden()
        yield
        place, address["_at"] = address["_at"], None
        yield from self.back_to_auto(place)
        return TRUE

    def release_address(self, p):
        address = self.find("eipalloc", p["AllocationId"])
        if self.is_managed(address):
            raise self.forbidden()
        if address["_at"]:
            raise Refused("InvalidIPAddress.InUse", f"Address {address['publicIp']} is in use.")
        yield
        self.drop("eipalloc", address["allocationId"])
        return TRUE

    def described_address(self, address):
        found = {name: value for name, value in address.items() if name != "associationId"}
        if address["_at"]:
            eni = self.things["eni"][address["_at"][0]]
            found.update(associationId=address["associationId"], privateIpAddress=address["_at"][1],
                         networkInterfaceId=address["_at"][0],
                         networkInterfaceOwnerId=self.account)
            if eni["_attachment"]:
                found["instanceId"] = eni["_attachment"]["instanceId"]
        return found

    # NAT gateways.

    def create_nat_gateway(self, p):
        subnet = self.find("subnet", p["SubnetId"])
        address = self.find("eipalloc", p["AllocationId"])
        reply = (yield)["natGateway"]
        nat = self.keep("nat", "natGatewayId", {
            "natGatewayId": new_id("nat"), "subnetId": subnet["subnetId"],
            "vpcId": subnet["vpcId"], "connectivityType": "public", "state": "pending",
            "createTime": TIME, "tagSet": tags_of(p)}, reply)
        at = reply["natGatewayAddressSet"][0]
        found, = (yield Call("DescribeNetworkInterfaces", {
            "NetworkInterfaceId.1": at["networkInterfaceId"]}))["networkInterfaceSet"]
        eni = self.new_interface(subnet, found, interfaceType="nat_gateway",
                                 requesterManaged="true", sourceDestCheck="false",
                                 description=f"Interface for NAT Gateway {nat['natGatewayId']}")
        address["_at"] = eni["networkInterfaceId"], eni["_addresses"][0]
        address["associationId"] = at["associationId"]
        nat["_interface"] = eni["networkInterfaceId"]
        expected = {"natGateway": self.described_nat(nat)}
        while nat["state"] != "available":
            nat["state"] = (yield Again("DescribeNatGateways", {
                "NatGatewayId.1": nat["natGatewayId"]}))["natGatewaySet"][0]["state"]
            assert nat["state"] in ("pending", "available"), nat
        expected["natGateway"]["state"] = "pending"
        return expected

    def described_nat(self, nat):
        eni = self.things["eni"][nat["_interface"]]
        address = self.elastic(eni, eni["_addresses"][0])
        return {**nat, "createTime": TIME, "natGatewayAddressSet": [{
            "allocationId": address["allocationId"], "associationId": address["associationId"],
            "isPrimary": "true", "networkInterfaceId": eni["networkInterfaceId"],
            "privateIp": eni["_addresses"][0], "publicIp": address["publicIp"],
            "status": "succeeded"}]}

    def delete_nat_gateway(self, p):
        nat = self.find("nat", p["NatGatewayId"])
        yield
        self.remove_interface(self.things["eni"][nat["_interface"]])
        nat["state"] = "deleted"
        call = Again("DescribeNatGateways", {"NatGatewayId.1": nat["natGatewayId"]})
        while (yield call)["natGatewaySet"][0]["state"] != "deleted":
            pass
        return {"natGatewayId": nat["natGatewayId"]}

    # Peerings.

    def create_vpc_peering_connection(self, p):
        one, other = self.find("vpc", p["VpcId"]), self.find("vpc", p["PeerVpcId"])
        pair = {one["vpcId"], other["vpcId"]}
        if any(set(peering["_vpcs"]) == pair and
               peering["_status"] in ("active", "pending-acceptance")
               for peering in self.things["pcx"].values()):
            raise Refused("VpcPeeringConnectionAlreadyExists")
        reply = (yield)["vpcPeeringConnection"]
        overlap = any(a.overlaps(b) for a in self.cidrs(one["vpcId"])
                      for b in self.cidrs(other["vpcId"]))
        peering = self.keep("pcx", "vpcPeeringConnectionId", {
            "vpcPeeringConnectionId": new_id("pcx"), "tagSet": tags_of(p),
            "_vpcs": (one["vpcId"], other["vpcId"]),
            "_status": "failed" if overlap else "pending-acceptance"}, reply)
        return {"vpcPeeringConnection": {
            **self.described_peering(peering), "status": UNKNOWN, "expirationTime": UNKNOWN}}

    def transition(self, p, allowed, to):
        peering = self.find("pcx", p["VpcPeeringConnectionId"])
        if peering["_status"] not in allowed:
            raise Refused("InvalidStateTransition")
        yield
        peering["_status"] = to
        return peering

    def accept_vpc_peering_connection(self, p):
        peering = yield from self.transition(p, ("pending-acceptance",), "active")
        return {"vpcPeeringConnection": {**self.described_peering(peering), "status": UNKNOWN,
                                         "requesterVpcInfo": UNKNOWN, "accepterVpcInfo": UNKNOWN}}

    def reject_vpc_peering_connection(self, p):
        yield from self.transition(p, ("pending-acceptance",), "rejected")
        return TRUE

    def delete_vpc_peering_connection(self, p):
        yield from self.transition(p, ("pending-acceptance", "active"), "deleted")
        return TRUE

    def described_peering(self, peering):
        sides = {}
        for name, vpc in zip(("requesterVpcInfo", "accepterVpcInfo"), peering["_vpcs"]):
            sides[name] = {"ownerId": self.account, "region": "us-east-1", "vpcId": vpc,
                           "cidrBlock": UNKNOWN, "cidrBlockSet": UNKNOWN,
                           "ipv6CidrBlockSet": [], "peeringOptions": UNKNOWN}
            if peering["_status"] == "active":
                cidrs = [str(cidr) for cidr in self.cidrs(vpc)]
                sides[name].update(cidrBlock=cidrs[0], cidrBlockSet=[
                    {"cidrBlock": cidr} for cidr in cidrs])
        return {**peering, **sides, "status": {"code": peering["_status"], "message": Any()},
                "expirationTime": UNKNOWN}

    # How everything is described.

    def reservation(self, instance):
        return {"reservationId": instance["_reservation"], "ownerId": self.account, "groupSet": [],
                "instancesSet": [self.described_instance(instance)]}

    def views(self):
        """Calls, the reply's member, and all that must be in it."""
        mine = {"Filter.1.Name": f"tag:{OWNER_TAG}", "Filter.1.Value.1": self.name}
        inside = {"Filter.1.Name": "vpc-id", **{
            f"Filter.1.Value.{number}": vpc for number, vpc in enumerate(self.things["vpc"], 1)}}
        living = {"Filter.2.Name": "instance-state-name", "Filter.2.Value.1": "running",
                  "Filter.2.Value.2": "stopped", "Filter.2.Value.3": "pending",
                  "Filter.2.Value.4": "stopping", "Filter.2.Value.5": "shutting-down"}
        there = {"Filter.2.Name": "state", "Filter.2.Value.1": "available",
                 "Filter.2.Value.2": "pending"}
        yield "DescribeVpcs", mine, "vpcSet", list(self.things["vpc"].values())
        yield "DescribeInternetGateways", mine, "internetGatewaySet", list(
            self.things["igw"].values())
        yield "DescribeAddresses", mine, "addressesSet", list(
            map(self.described_address, self.things["eipalloc"].values()))
        yield "DescribeManagedPrefixLists", mine, "prefixListSet", list(
            map(self.described_prefixes, self.things["pl"].values()))
        yield "DescribeDhcpOptions", mine, "dhcpOptionsSet", list(self.things["dopt"].values())
        yield "DescribeKeyPairs", mine, "keySet", list(self.things["key"].values())
        yield "DescribeLaunchTemplates", mine, "launchTemplates", list(self.things["lt"].values())
        yield "DescribeVpcEndpoints", mine, "vpcEndpointSet", list(
            map(self.described_endpoint, self.things["vpce"].values()))
        yield "DescribeVolumes", mine, "volumeSet", list(
            map(self.described_volume, self.things["vol"].values()))
        yield "DescribeVpcPeeringConnections", {
            **mine, "Filter.2.Name": "status-code", "Filter.2.Value.1": "active",
            "Filter.2.Value.2": "pending-acceptance", "Filter.2.Value.3": "initiating-request",
            "Filter.2.Value.4": "provisioning"}, "vpcPeeringConnectionSet", [
                self.described_peering(peering) for peering in self.things["pcx"].values()
                if peering["_status"] in ("active", "pending-acceptance")]
        yield "DescribeInstances", {**mine, **living}, "reservationSet", [
            self.reservation(instance)
            for instance in self.things["i"].values() if instance["_state"] != "terminated"]
        if not self.things["vpc"]:
            return
        for action, member, kind, describe in (
                ("DescribeSubnets", "subnetSet", "subnet", self.described_subnet),
                ("DescribeRouteTables", "routeTableSet", "rtb", self.described_table),
                ("DescribeSecurityGroups", "securityGroupInfo", "sg", self.described_group),
                ("DescribeNetworkAcls", "networkAclSet", "acl", self.described_acl),
                ("DescribeNetworkInterfaces", "networkInterfaceSet", "eni",
                 self.described_interface)):
            yield action, inside, member, list(map(describe, self.things[kind].values()))
        yield "DescribeNatGateways", {**inside, **there}, "natGatewaySet", [
            self.described_nat(nat) for nat in self.things["nat"].values()
            if nat["state"] == "available"]

    def rule_views(self):
        """Rules, group by group, and lists' entries: as many calls as there are of them; and what is
        shown an hour longer."""
        if self.things["pcx"]:
            yield "DescribeVpcPeeringConnections", {
                f"VpcPeeringConnectionId.{number}": key
                for number, key in enumerate(self.things["pcx"], 1)}, \
                "vpcPeeringConnectionSet", list(
                    map(self.described_peering, self.things["pcx"].values()))
        if self.things["i"]:
            yield "DescribeInstances", {
                f"InstanceId.{number}": key for number, key in enumerate(self.things["i"], 1)}, \
                "reservationSet", list(map(self.reservation, self.things["i"].values()))
        for group in self.things["sg"].values():
            yield "DescribeSecurityGroupRules", {
                "Filter.1.Name": "group-id", "Filter.1.Value.1": group["groupId"]}, \
                "securityGroupRuleSet", [self.described_rule(group, key, rule)
                                         for key, rule in group["_rules"].items()]
        for prefixes in self.things["pl"].values():
            yield "GetManagedPrefixListEntries", {"PrefixListId": prefixes["prefixListId"]}, \
                "entrySet", [{"cidr": cidr} for cidr in prefixes["_entries"]]


# A reply and the model.

def check(model, call, reply, ask, lenient=False):
    """
    Whether this is the answer, as lines that say what is wrong; the model then is as after the
    call. `ask` answers the model's own questions with trees. `lenient`: the answer was not heard, and
    the reply has only what it must have had.
    """
    steps = getattr(model, snake(call.action))(call.parameters)
    try:
        next(steps)
    except Refused as refusal:
        if refusal.is_answer(reply):
            return []
        return [f"expected {refusal}", f"got {reply}"]
    if reply.code:
        return ["expected success", f"got {reply}"]
    answer = reply.tree
    try:
        while True:
            answer = ask(steps.send(answer))
    except StopIteration as stop:
        return [] if lenient else differences(stop.value, reply.tree, call.action)


def snake(name):
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)[1:]
