"""The soak's model of prefix lists, DHCP options, volumes, key pairs, launch templates and tags."""
from soak_network import (Refused, TIME, TRUE, ZONE_ID, dependencies, network, new_id, numbered,
                          refuse, tags_of)
from soak_values import Any, UNKNOWN


class Rest:
    """Half of a Model, which has find() and the like."""

    # Prefix lists.

    def create_managed_prefix_list(self, p):
        entries = numbered_entries(p, "Entry")
        if len(entries) > int(p["MaxEntries"]):
            raise Refused("PrefixListMaxEntriesExceeded")
        reply = (yield)["prefixList"]
        prefixes = self.keep("pl", "prefixListId", {
            "prefixListId": new_id("pl"), "prefixListName": p["PrefixListName"],
            "addressFamily": "IPv4", "maxEntries": p["MaxEntries"], "ownerId": self.account,
            "state": "create-complete", "version": "1", "tagSet": tags_of(p),
            "_entries": sorted(entries)}, reply)
        return {"prefixList": {**self.described_prefixes(prefixes),
                               "state": Any("create-(complete|in-progress)")}}

    def described_prefixes(self, prefixes):
        return {**prefixes, "prefixListArn": f"arn:aws:ec2:us-east-1:{self.account}:prefix-list/"
                                             f"{prefixes['prefixListId']}"}

    def modify_managed_prefix_list(self, p):
        prefixes = self.find("pl", p["PrefixListId"])
        if p["CurrentVersion"] != prefixes["version"]:
            raise Refused("PrefixListVersionMismatch")
        new = (set(prefixes["_entries"]) - set(numbered_entries(p, "RemoveEntry"))) | \
            set(numbered_entries(p, "AddEntry"))
        if len(new) > int(prefixes["maxEntries"]):
            raise Refused("PrefixListMaxEntriesExceeded")
        yield
        prefixes["_entries"] = sorted(new)
        prefixes["version"] = str(int(prefixes["version"]) + 1)
        prefixes["state"] = "modify-complete"
        return {"prefixList": {**self.described_prefixes(prefixes), "version": UNKNOWN,
                               "state": Any("modify-(complete|in-progress)")}}

    def delete_managed_prefix_list(self, p):
        prefixes = self.find("pl", p["PrefixListId"])
        if any(rule[4:] == ("prefixes", prefixes["prefixListId"])
               for group in self.things["sg"].values() for rule in group["_rules"].values()):
            raise Refused("DependencyViolation")
        yield
        self.drop("pl", prefixes["prefixListId"])
        return {"prefixList": {**self.described_prefixes(prefixes),
                               "state": Any("delete-(complete|in-progress)")}}

    # DHCP options.

    def create_dhcp_options(self, p):
        reply = (yield)["dhcpOptions"]
        options = self.keep("dopt", "dhcpOptionsId", {
            "dhcpOptionsId": new_id("dopt"), "ownerId": self.account, "tagSet": tags_of(p),
            "dhcpConfigurationSet": [{
                "key": p["DhcpConfiguration.1.Key"],
                "valueSet": [{"value": p["DhcpConfiguration.1.Value.1"]}]}]}, reply)
        return {"dhcpOptions": options}

    def associate_dhcp_options(self, p):
        vpc = self.find("vpc", p["VpcId"])
        options = p["DhcpOptionsId"]
        if options != "default":
            options = self.find("dopt", options)["dhcpOptionsId"]
        yield
        vpc["dhcpOptionsId"] = options
        return TRUE

    def delete_dhcp_options(self, p):
        options = self.find("dopt", p["DhcpOptionsId"])["dhcpOptionsId"]
        if self.of("vpc", dhcpOptionsId=options):
            raise dependencies("dhcpOptions", options)
        yield
        self.drop("dopt", options)
        return TRUE

    # Volumes: _at is instance, device, and whether it ends with it.

    def create_volume(self, p):
        reply = yield
        self.keep("vol", "volumeId", {
            "volumeId": new_id("vol"), "availabilityZone": p["AvailabilityZone"],
            "availabilityZoneId": ZONE_ID, "size": p["Size"], "volumeType": "gp2",
            "iops": str(max(100, 3 * int(p["Size"]))), "encrypted": "false",
            "multiAttachEnabled": "false", "createTime": TIME, "tagSet": tags_of(p), "_at": None},
            reply)
        expected = {**self.described_volume(self.things["vol"][reply["volumeId"]]),
                    "status": "creating"}
        del expected["attachmentSet"]
        return expected

    def attach_volume(self, p):
        volume, instance = self.find("vol", p["VolumeId"]), self.find("i", p["InstanceId"])
        if instance["_state"] not in ("running", "stopped"):
            raise Refused("IncorrectInstanceState")
        refuse(volume["_at"] and Refused("VolumeInUse"),
               volume["availabilityZone"] != instance["_zone"] and
               Refused("InvalidVolume.ZoneMismatch"),
               any(other["_at"] and other["_at"][:2] == (instance["instanceId"], p["Device"])
                   for other in self.things["vol"].values()) and Refused("InvalidParameterValue"))
        yield
        volume["_at"] = instance["instanceId"], p["Device"], "false"
        return {"volumeId": volume["volumeId"], "instanceId": instance["instanceId"],
                "device": p["Device"], "status": "attaching", "attachTime": TIME,
                "deleteOnTermination": "false"}

    def detach_volume(self, p):
        volume = self.find("vol", p["VolumeId"])
        if not volume["_at"]:
            raise Refused("IncorrectState")
        at = volume["_at"]
        yield
        volume["_at"] = None
        return {"volumeId": volume["volumeId"], "instanceId": at[0], "device": at[1],
                "status": "detaching", "attachTime": TIME, "deleteOnTermination": at[2]}

    def delete_volume(self, p):
        volume = self.find("vol", p["VolumeId"])
        if volume["_at"]:
            raise Refused("VolumeInUse")
        yield
        self.drop("vol", volume["volumeId"])
        return TRUE

    def described_volume(self, volume):
        found = {**volume, "status": "in-use" if volume["_at"] else "available",
                 "attachmentSet": []}
        if volume["_at"]:
            instance, device, ends = volume["_at"]
            found["attachmentSet"] = [{
                "instanceId": instance, "device": device, "deleteOnTermination": ends,
                "volumeId": volume["volumeId"], "status": "attached", "attachTime": TIME}]
        return found

    # Key pairs.

    def create_key_pair(self, p):
        if self.of("key", keyName=p["KeyName"]):
            raise Refused("InvalidKeyPair.Duplicate",
                          f"The keypair '{p['KeyName']}' already exists.")
        reply = yield
        pair = self.keep("key", "keyPairId", {
            "keyPairId": new_id("key"), "keyName": p["KeyName"], "keyFingerprint": Any(),
            "keyType": "ed25519", "createTime": TIME, "tagSet": tags_of(p)}, reply)
        return {**{name: pair[name] for name in ("keyPairId", "keyName", "keyFingerprint",
                                                 "tagSet")},
                "keyMaterial": Any(r"(?s)-----BEGIN .*-----\s*")}

    def delete_key_pair(self, p):
        """One that is unknown, too."""
        found = self.of("key", keyName=p["KeyName"])
        yield
        for pair in found:
            self.drop("key", pair["keyPairId"])
        return {"return": "true", "keyPairId": found[0]["keyPairId"] if found else UNKNOWN}

    # Launch templates.

    def create_launch_template(self, p):
        name = p["LaunchTemplateName"]
        if self.of("lt", launchTemplateName=name):
            raise Refused("InvalidLaunchTemplateName.AlreadyExistsException")
        reply = (yield)["launchTemplate"]
        template = self.keep("lt", "launchTemplateId", {
            "launchTemplateId": new_id("lt"), "launchTemplateName": name, "createTime": TIME,
            "createdBy": Any(), "defaultVersionNumber": "1", "latestVersionNumber": "1",
            "operator": UNKNOWN, "tagSet": tags_of(p)}, reply)
        return {"launchTemplate": template}

    def create_launch_template_version(self, p):
        template = self.find("lt", p["LaunchTemplateId"])
        yield
        template["latestVersionNumber"] = str(int(template["latestVersionNumber"]) + 1)
        return {"launchTemplateVersion": UNKNOWN}

    def modify_launch_template(self, p):
        template = self.find("lt", p["LaunchTemplateId"])
        if int(p["SetDefaultVersion"]) > int(template["latestVersionNumber"]):
            raise Refused("InvalidLaunchTemplateId.VersionNotFound")
        yield
        template["defaultVersionNumber"] = p["SetDefaultVersion"]
        return {"launchTemplate": template}

    def delete_launch_template(self, p):
        template = self.find("lt", p["LaunchTemplateId"])
        yield
        self.drop("lt", template["launchTemplateId"])
        return {"launchTemplate": template}

    # Gateway endpoints: _tables lead to them.

    def create_vpc_endpoint(self, p):
        vpc = self.find("vpc", p["VpcId"])["vpcId"]
        tables = [self.find("rtb", table)["routeTableId"]
                  for table in numbered(p, "RouteTableId")]
        refuse(any(self.things["rtb"][table]["vpcId"] != vpc for table in tables) and
               Refused("InvalidParameterValue"),
               any(other["serviceName"] == p["ServiceName"] and set(other["_tables"]) & set(tables)
                   for other in self.things["vpce"].values()) and Refused("RouteAlreadyExists"))
        reply = (yield)["vpcEndpoint"]
        endpoint = self.keep("vpce", "vpcEndpointId", {
            "vpcEndpointId": new_id("vpce"), "vpcId": vpc, "serviceName": p["ServiceName"],
            "vpcEndpointType": "Gateway", "state": "available", "ownerId": self.account,
            "privateDnsEnabled": "false", "requesterManaged": "false", "ipAddressType": "ipv4",
            "dnsOptions": {"dnsRecordIpType": "service-defined"}, "serviceRegion": "us-east-1",
            "creationTimestamp": TIME, "policyDocument": Any(r"\{.*\}"), "tagSet": tags_of(p),
            "_tables": tables}, reply)
        return {"vpcEndpoint": self.described_endpoint(endpoint)}

    def described_endpoint(self, endpoint):
        return {**endpoint, "routeTableIdSet": endpoint["_tables"]}

    def delete_vpc_endpoints(self, p):
        identifier = p["VpcEndpointId.1"]
        if identifier in self.things["vpce"]:
            yield
            self.drop("vpce", identifier)
            return {}
        try:
            self.find("vpce", identifier)
        except Refused as refusal:
            if refusal.code == "InvalidVpcEndpointId.Malformed":
                raise
        yield
        return {"unsuccessful": [{"resourceId": identifier, "error": {
            "code": "InvalidVpcEndpoint.NotFound",
            "message": f"The Vpc Endpoint Id '{identifier}' does not exist"}}]}

    def endpoint_routes(self, table):
        """What they put in a table."""
        return [{"destinationPrefixListId": new_id("pl"), "gatewayId": endpoint["vpcEndpointId"],
                 "origin": "CreateRoute", "state": "active"}
                for endpoint in self.things["vpce"].values()
                if table in endpoint["_tables"]]

    # Tags.

    def tagged(self, identifier):
        kind = identifier.rsplit("-", 1)[0]
        if identifier not in self.things.get(kind, ()):
            return self.find(kind, identifier)
        return self.things[kind][identifier]

    def create_tags(self, p):
        thing = self.tagged(p["ResourceId.1"])
        new = tags_of(p, "Tag")
        if any(tag["key"].startswith("aws:") for tag in new):
            raise Refused("InvalidParameterValue")
        keys = {tag["key"] for tag in thing["tagSet"]} | {tag["key"] for tag in new}
        if len(keys) > 50:
            raise Refused("TagLimitExceeded")
        yield
        old = {tag["key"]: tag for tag in thing["tagSet"]}
        old.update({tag["key"]: tag for tag in new})
        thing["tagSet"] = list(old.values())
        return TRUE

    def delete_tags(self, p):
        thing = self.tagged(p["ResourceId.1"])
        key, value = p["Tag.1.Key"], p.get("Tag.1.Value")
        yield
        thing["tagSet"] = [tag for tag in thing["tagSet"] if tag["key"] != key or (
            value is not None and tag["value"] != value)]
        return TRUE


def numbered_entries(p, name):
    found = []
    while f"{name}.{len(found) + 1}.Cidr" in p:
        found.append(str(network(p[f"{name}.{len(found) + 1}.Cidr"])))
    return found
