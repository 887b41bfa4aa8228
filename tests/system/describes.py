"""
The Describe calls as tables: what each returns, its refusals, the filters that AWS documents, and
for each filter that can be read off a reply, how.
"""
import dataclasses
from typing import Callable


@dataclasses.dataclass
class Describe:
    """One Describe call of boto3."""
    call: str
    members: str        # the reply's list
    identifier: str     # a member of each
    parameter: str      # the list of ids in the request
    filter: str         # the same as a filter
    prefix: str
    malformed: str
    not_found: str
    text: str           # of not_found
    readable: dict      # filter -> values read off one resource
    documented: str     # every filter of the API's model
    paged: bool = True
    split: Callable = None

    def __str__(self):
        return self.call

    def all(self, client, **arguments):
        reply = getattr(client, self.call)(**arguments)
        return self.entries(reply)

    def entries(self, reply):
        return self.split(reply) if self.split else reply[self.members]

    def ids(self, client, **arguments):
        return {entry[self.identifier] for entry in self.all(client, **arguments)}


def text(value):
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) \
        else str(value)


def at(*path):
    """Reads every value at a path of members, through lists, as text."""
    def read(entry):
        found = [entry]
        for member in path:
            found = [value[member] for value in found if member in value]
            found = [each for value in found
                     for each in (value if isinstance(value, list) else [value])]
        return [text(value) for value in found]
    return read


def tag_values(key):
    return lambda entry: [tag["Value"] for tag in entry.get("Tags", []) if tag["Key"] == key]


COMMON = {"tag:Name": tag_values("Name"), "tag:Suite": tag_values("Suite"),
          "tag-key": at("Tags", "Key"), "owner-id": at("OwnerId")}

IPV6_BLOCKS = {f"ipv6-cidr-block-association.{name}": at("Ipv6CidrBlockAssociationSet", *path)
               for name, path in {"ipv6-cidr-block": ("Ipv6CidrBlock",),
                                  "association-id": ("AssociationId",),
                                  "state": ("Ipv6CidrBlockState", "State")}.items()}

VPCS = Describe(
    "describe_vpcs", "Vpcs", "VpcId", "VpcIds", "vpc-id", "vpc", "InvalidVpcID.Malformed",
    "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist",
    {**COMMON, "cidr": at("CidrBlock"), "is-default": at("IsDefault"), "isDefault": at("IsDefault"),
     "state": at("State"), "dhcp-options-id": at("DhcpOptionsId"), "vpc-id": at("VpcId"),
     "cidr-block-association.cidr-block": at("CidrBlockAssociationSet", "CidrBlock"),
     "cidr-block-association.association-id": at("CidrBlockAssociationSet", "AssociationId"),
     "cidr-block-association.state": at("CidrBlockAssociationSet", "CidrBlockState", "State"),
     "ipv6-cidr-block-association.ipv6-pool": at("Ipv6CidrBlockAssociationSet", "Ipv6Pool"),
     **IPV6_BLOCKS},
    """cidr cidr-block-association.cidr-block cidr-block-association.association-id
    cidr-block-association.state dhcp-options-id ipv6-cidr-block-association.ipv6-cidr-block
    ipv6-cidr-block-association.ipv6-pool ipv6-cidr-block-association.association-id
    ipv6-cidr-block-association.state is-default owner-id state tag-key vpc-id""")

SUBNETS = Describe(
    "describe_subnets", "Subnets", "SubnetId", "SubnetIds", "subnet-id", "subnet",
    "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist",
    {**COMMON, "availability-zone": at("AvailabilityZone"), "vpc-id": at("VpcId"),
     "availabilityZone": at("AvailabilityZone"), "availability-zone-id": at("AvailabilityZoneId"),
     "available-ip-address-count": at("AvailableIpAddressCount"), "cidr-block": at("CidrBlock"),
     "cidrBlock": at("CidrBlock"), "cidr": at("CidrBlock"), "default-for-az": at("DefaultForAz"),
     "defaultForAz": at("DefaultForAz"), "map-public-ip-on-launch": at("MapPublicIpOnLaunch"),
     "enable-dns64": at("EnableDns64"), "ipv6-native": at("Ipv6Native"), "state": at("State"),
     "subnet-arn": at("SubnetArn"), "subnet-id": at("SubnetId"), **IPV6_BLOCKS},
    """availability-zone availability-zone-id available-ip-address-count cidr-block
    customer-owned-ipv4-pool default-for-az enable-dns64 enable-lni-at-device-index
    ipv6-cidr-block-association.ipv6-cidr-block ipv6-cidr-block-association.association-id
    ipv6-cidr-block-association.state ipv6-native map-customer-owned-ip-on-launch
    map-public-ip-on-launch outpost-arn owner-id private-dns-name-options-on-launch.hostname-type
    private-dns-name-options-on-launch.enable-resource-name-dns-a-record
    private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record state subnet-arn
    subnet-id tag-key vpc-id""")

GATEWAYS = Describe(
    "describe_internet_gateways", "InternetGateways", "InternetGatewayId", "InternetGatewayIds",
    "internet-gateway-id", "igw", "InvalidInternetGatewayId.Malformed",
    "InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist",
    {**COMMON, "attachment.state": at("Attachments", "State"),
     "attachment.vpc-id": at("Attachments", "VpcId"),
     "internet-gateway-id": at("InternetGatewayId")},
    "attachment.state attachment.vpc-id internet-gateway-id owner-id tag-key")

ROUTE_TABLES = Describe(
    "describe_route_tables", "RouteTables", "RouteTableId", "RouteTableIds", "route-table-id",
    "rtb", "InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound",
    "The routeTable ID '{}' does not exist",
    {**COMMON, "route-table-id": at("RouteTableId"), "vpc-id": at("VpcId"),
     "association.main": at("Associations", "Main"),
     "association.subnet-id": at("Associations", "SubnetId"),
     "association.route-table-id": at("Associations", "RouteTableId"),
     "association.route-table-association-id": at("Associations", "RouteTableAssociationId"),
     "route.destination-cidr-block": at("Routes", "DestinationCidrBlock"),
     "route.destination-ipv6-cidr-block": at("Routes", "DestinationIpv6CidrBlock"),
     "route.destination-prefix-list-id": at("Routes", "DestinationPrefixListId"),
     "route.gateway-id": at("Routes", "GatewayId"),
     "route.vpc-peering-connection-id": at("Routes", "VpcPeeringConnectionId"),
     "route.nat-gateway-id": at("Routes", "NatGatewayId"),
     "route.instance-id": at("Routes", "InstanceId"),
     "route.origin": at("Routes", "Origin"), "route.state": at("Routes", "State")},
    """association.gateway-id association.route-table-association-id association.route-table-id
    association.subnet-id association.main owner-id route-table-id route.destination-cidr-block
    route.destination-ipv6-cidr-block route.destination-prefix-list-id
    route.egress-only-internet-gateway-id route.gateway-id route.instance-id route.nat-gateway-id
    route.transit-gateway-id route.origin route.state route.vpc-peering-connection-id tag-key
    vpc-id""")

INSTANCES = Describe(
    "describe_instances", "Reservations", "InstanceId", "InstanceIds", "instance-id", "i",
    "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound",
    "The instance ID '{}' does not exist",
    {"tag:Name": tag_values("Name"), "tag:Suite": tag_values("Suite"), "tag-key": at("Tags", "Key"),
     "architecture": at("Architecture"), "availability-zone": at("Placement", "AvailabilityZone"),
     "client-token": at("ClientToken"), "image-id": at("ImageId"), "instance-id": at("InstanceId"),
     "instance-state-name": at("State", "Name"), "instance-state-code": at("State", "Code"),
     "instance-type": at("InstanceType"), "instance.group-id": at("SecurityGroups", "GroupId"),
     "instance.group-name": at("SecurityGroups", "GroupName"), "ip-address": at("PublicIpAddress"),
     "launch-index": at("AmiLaunchIndex"), "monitoring-state": at("Monitoring", "State"),
     "private-dns-name": at("PrivateDnsName"), "private-ip-address": at("PrivateIpAddress"),
     "hypervisor": at("Hypervisor"), "root-device-name": at("RootDeviceName"),
     **{f"block-device-mapping.{name}": at("BlockDeviceMappings", *path)
        for name, path in {"volume-id": ("Ebs", "VolumeId"), "device-name": ("DeviceName",),
                           "status": ("Ebs", "Status"),
                           "delete-on-termination": ("Ebs", "DeleteOnTermination")}.items()},
     "key-name": at("KeyName"),
     "root-device-type": at("RootDeviceType"), "source-dest-check": at("SourceDestCheck"),
     "subnet-id": at("SubnetId"), "tenancy": at("Placement", "Tenancy"), "vpc-id": at("VpcId"),
     "virtualization-type": at("VirtualizationType"),
     "network-interface.network-interface-id": at("NetworkInterfaces", "NetworkInterfaceId"),
     "network-interface.mac-address": at("NetworkInterfaces", "MacAddress"),
     "network-interface.subnet-id": at("NetworkInterfaces", "SubnetId"),
     "network-interface.vpc-id": at("NetworkInterfaces", "VpcId"),
     "network-interface.availability-zone": at("Placement", "AvailabilityZone"),
     "network-interface.attachment.instance-id": at("InstanceId"),
     "network-interface.attachment.instance-owner-id": at("NetworkInterfaces", "OwnerId"),
     "network-interface.status": at("NetworkInterfaces", "Status"),
     "network-interface.addresses.private-ip-address":
         at("NetworkInterfaces", "PrivateIpAddresses", "PrivateIpAddress"),
     "network-interface.addresses.association.public-ip":
         at("NetworkInterfaces", "PrivateIpAddresses", "Association", "PublicIp"),
     "network-interface.association.public-ip":
         at("NetworkInterfaces", "Association", "PublicIp")},
    """affinity architecture availability-zone availability-zone-id
    block-device-mapping.attach-time block-device-mapping.delete-on-termination
    block-device-mapping.device-name block-device-mapping.status block-device-mapping.volume-id
    boot-mode capacity-reservation-id
    capacity-reservation-specification.capacity-reservation-preference
    capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id
capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn
    client-token current-instance-boot-mode dns-name ebs-optimized ena-support
    enclave-options.enabled hibernation-options.configured host-id hypervisor
    iam-instance-profile.arn iam-instance-profile.id image-id instance-id instance-lifecycle
    instance-state-code instance-state-name instance-type instance.group-id instance.group-name
    ip-address ipv6-address kernel-id key-name launch-index launch-time
    maintenance-options.auto-recovery metadata-options.http-endpoint
    metadata-options.http-protocol-ipv4 metadata-options.http-protocol-ipv6
    metadata-options.http-put-response-hop-limit metadata-options.http-tokens
    metadata-options.instance-metadata-tags metadata-options.state monitoring-state
    network-interface.addresses.association.allocation-id
    network-interface.addresses.association.association-id
    network-interface.addresses.association.carrier-ip
    network-interface.addresses.association.customer-owned-ip
    network-interface.addresses.association.ip-owner-id
    network-interface.addresses.association.public-dns-name
    network-interface.addresses.association.public-ip network-interface.addresses.primary
    network-interface.addresses.private-dns-name network-interface.addresses.private-ip-address
    network-interface.association.allocation-id network-interface.association.association-id
    network-interface.association.carrier-ip network-interface.association.customer-owned-ip
    network-interface.association.ip-owner-id network-interface.association.public-dns-name
    network-interface.association.public-ip network-interface.attachment.attach-time
    network-interface.attachment.attachment-id
    network-interface.attachment.delete-on-termination network-interface.attachment.device-index
    network-interface.attachment.instance-id network-interface.attachment.instance-owner-id
    network-interface.attachment.network-card-index network-interface.attachment.status
    network-interface.availability-zone network-interface.deny-all-igw-traffic
    network-interface.description network-interface.group-id network-interface.group-name
    network-interface.ipv4-prefixes.ipv4-prefix network-interface.ipv6-address
    network-interface.ipv6-addresses.ipv6-address
    network-interface.ipv6-addresses.is-primary-ipv6 network-interface.ipv6-native
    network-interface.ipv6-prefixes.ipv6-prefix network-interface.mac-address
    network-interface.network-interface-id network-interface.operator.managed
    network-interface.operator.principal network-interface.outpost-arn
    network-interface.owner-id network-interface.private-dns-name
    network-interface.private-ip-address network-interface.public-dns-name
    network-interface.requester-id network-interface.requester-managed network-interface.status
    network-interface.source-dest-check network-interface.subnet-id network-interface.tag-key
    network-interface.tag-value network-interface.vpc-id
    network-performance-options.bandwidth-weighting operator.managed operator.principal
    outpost-arn owner-id placement-group-name placement-partition-number platform
    platform-details private-dns-name private-dns-name-options.enable-resource-name-dns-a-record
    private-dns-name-options.enable-resource-name-dns-aaaa-record
    private-dns-name-options.hostname-type private-ip-address product-code product-code.type
    ramdisk-id reason requester-id reservation-id root-device-name root-device-type
    source-dest-check spot-instance-request-id state-reason-code state-reason-message subnet-id
    tag-key tenancy tpm-support usage-operation usage-operation-update-time virtualization-type
    vpc-id""",
    split=lambda reply: [entry for reservation in reply["Reservations"]
                         for entry in reservation["Instances"]])

INTERFACES = Describe(
    "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId",
    "NetworkInterfaceIds", "network-interface-id", "eni", "InvalidNetworkInterfaceId.Malformed",
    "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist",
    {"owner-id": at("OwnerId"), "addresses.private-ip-address":
         at("PrivateIpAddresses", "PrivateIpAddress"),
     "addresses.primary": at("PrivateIpAddresses", "Primary"),
     "addresses.association.public-ip": at("PrivateIpAddresses", "Association", "PublicIp"),
     "association.public-ip": at("Association", "PublicIp"),
     "association.ip-owner-id": at("Association", "IpOwnerId"),
     "association.allocation-id": at("Association", "AllocationId"),
     "association.association-id": at("Association", "AssociationId"),
     "addresses.association.owner-id": at("PrivateIpAddresses", "Association", "IpOwnerId"),
     "attachment.attachment-id": at("Attachment", "AttachmentId"),
     "attachment.instance-id": at("Attachment", "InstanceId"),
     "attachment.device-index": at("Attachment", "DeviceIndex"),
     "attachment.status": at("Attachment", "Status"),
     "attachment.delete-on-termination": at("Attachment", "DeleteOnTermination"),
     "availability-zone": at("AvailabilityZone"), "group-id": at("Groups", "GroupId"),
     "mac-address": at("MacAddress"), "network-interface-id": at("NetworkInterfaceId"),
     "private-ip-address": at("PrivateIpAddress"), "requester-managed": at("RequesterManaged"),
     "source-dest-check": at("SourceDestCheck"), "status": at("Status"),
     "subnet-id": at("SubnetId"), "vpc-id": at("VpcId"), "interface-type": at("InterfaceType")},
    """association.allocation-id association.association-id addresses.association.owner-id
    addresses.association.public-ip addresses.primary addresses.private-ip-address
    association.ip-owner-id association.public-ip association.public-dns-name
    attachment.attach-time attachment.attachment-id attachment.delete-on-termination
    attachment.device-index attachment.instance-id attachment.instance-owner-id
    attachment.status availability-zone availability-zone-id description group-id
    ipv6-addresses.ipv6-address interface-type mac-address network-interface-id operator.managed
    operator.principal owner-id private-dns-name private-ip-address requester-id
    requester-managed source-dest-check status subnet-id tag-key vpc-id""")

GROUPS = Describe(
    "describe_security_groups", "SecurityGroups", "GroupId", "GroupIds", "group-id", "sg",
    "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "The security group '{}' does not exist",
    {"owner-id": at("OwnerId"), "description": at("Description"), "group-id": at("GroupId"),
     "group-name": at("GroupName"), "vpc-id": at("VpcId"),
     **{prefix + name: at(member, *path)
        for prefix, member in (("ip-permission.", "IpPermissions"),
                               ("egress.ip-permission.", "IpPermissionsEgress"))
        for name, path in {
            "cidr": ("IpRanges", "CidrIp"), "ipv6-cidr": ("Ipv6Ranges", "CidrIpv6"),
            "group-id": ("UserIdGroupPairs", "GroupId"),
            "user-id": ("UserIdGroupPairs", "UserId"), "protocol": ("IpProtocol",),
            "from-port": ("FromPort",), "to-port": ("ToPort",)}.items()}},
    """description egress.ip-permission.cidr egress.ip-permission.from-port
    egress.ip-permission.group-id egress.ip-permission.group-name egress.ip-permission.ipv6-cidr
    egress.ip-permission.prefix-list-id egress.ip-permission.protocol
    egress.ip-permission.to-port egress.ip-permission.user-id group-id group-name
    ip-permission.cidr ip-permission.from-port ip-permission.group-id ip-permission.group-name
    ip-permission.ipv6-cidr ip-permission.prefix-list-id ip-permission.protocol
    ip-permission.to-port ip-permission.user-id owner-id tag-key vpc-id""")

GROUP_RULES = Describe(
    "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId",
    "SecurityGroupRuleIds", "security-group-rule-id", "sgr",
    "InvalidSecurityGroupRuleId.Malformed", "InvalidSecurityGroupRuleId.NotFound",
    "The security group rule ID '{}' does not exist",
    {"group-id": at("GroupId"), "security-group-rule-id": at("SecurityGroupRuleId")},
    "group-id security-group-rule-id tag-key")

ACLS = Describe(
    "describe_network_acls", "NetworkAcls", "NetworkAclId", "NetworkAclIds", "network-acl-id",
    "acl", "InvalidNetworkAclId.Malformed", "InvalidNetworkAclID.NotFound",
    "The networkAcl ID '{}' does not exist",
    {**COMMON, "default": at("IsDefault"), "network-acl-id": at("NetworkAclId"),
     "vpc-id": at("VpcId"), "association.subnet-id": at("Associations", "SubnetId"),
     "association.association-id": at("Associations", "NetworkAclAssociationId"),
     "association.network-acl-id": at("Associations", "NetworkAclId"),
     "entry.ipv6-cidr": at("Entries", "Ipv6CidrBlock"),
     "entry.icmp.code": at("Entries", "IcmpTypeCode", "Code"),
     "entry.icmp.type": at("Entries", "IcmpTypeCode", "Type"),
     "entry.port-range.from": at("Entries", "PortRange", "From"),
     "entry.port-range.to": at("Entries", "PortRange", "To"),
     "entry.cidr": at("Entries", "CidrBlock"), "entry.protocol": at("Entries", "Protocol"),
     "entry.rule-action": at("Entries", "RuleAction"), "entry.egress": at("Entries", "Egress"),
     "entry.rule-number": at("Entries", "RuleNumber")},
    """association.association-id association.network-acl-id association.subnet-id default
    entry.cidr entry.icmp.code entry.icmp.type entry.ipv6-cidr entry.port-range.from
    entry.port-range.to entry.protocol entry.rule-action entry.egress entry.rule-number
    network-acl-id owner-id tag-key vpc-id""")

DHCP_OPTIONS = Describe(
    "describe_dhcp_options", "DhcpOptions", "DhcpOptionsId", "DhcpOptionsIds", "dhcp-options-id",
    "dopt", "InvalidDhcpOptionsId.Malformed", "InvalidDhcpOptionID.NotFound",
    "The dhcpOption ID '{}' does not exist",
    {**COMMON, "dhcp-options-id": at("DhcpOptionsId"),
     "key": at("DhcpConfigurations", "Key"),
     "value": at("DhcpConfigurations", "Values", "Value")},
    "dhcp-options-id key value owner-id tag-key")

PREFIX_LISTS = Describe(
    "describe_managed_prefix_lists", "PrefixLists", "PrefixListId", "PrefixListIds",
    "prefix-list-id", "pl", "InvalidPrefixListId.Malformed", "InvalidPrefixListID.NotFound",
    "The prefix list ID '{}' does not exist",
    {**COMMON, "prefix-list-id": at("PrefixListId"), "prefix-list-name": at("PrefixListName")},
    "owner-id prefix-list-id prefix-list-name tag-key")

SIDES = {f"{side}-vpc-info.{name}": at(f"{side.title()}VpcInfo", *path)
         for side in ("requester", "accepter")
         for name, path in {"cidr-block": ("CidrBlockSet", "CidrBlock"), "owner-id": ("OwnerId",),
                            "vpc-id": ("VpcId",)}.items()}
PEERINGS = Describe(
    "describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId",
    "VpcPeeringConnectionIds", "vpc-peering-connection-id", "pcx",
    "InvalidVpcPeeringConnectionId.Malformed", "InvalidVpcPeeringConnectionID.NotFound",
    "The vpcPeeringConnection ID '{}' does not exist",
    {**COMMON, **SIDES, "status-code": at("Status", "Code"),
     "status-message": at("Status", "Message"),
     "vpc-peering-connection-id": at("VpcPeeringConnectionId")},
    """accepter-vpc-info.cidr-block accepter-vpc-info.owner-id accepter-vpc-info.vpc-id
    expiration-time requester-vpc-info.cidr-block requester-vpc-info.owner-id
    requester-vpc-info.vpc-id status-code status-message tag-key vpc-peering-connection-id""")
del PEERINGS.readable["owner-id"]  # it has two

ADDRESSES = Describe(
    "describe_addresses", "Addresses", "AllocationId", "AllocationIds", "allocation-id",
    "eipalloc", "InvalidParameterValue", "InvalidAllocationID.NotFound",
    "The allocation ID '{}' does not exist",
    {"tag:Name": tag_values("Name"), "tag:Suite": tag_values("Suite"), "tag-key": at("Tags", "Key"),
     "allocation-id": at("AllocationId"), "association-id": at("AssociationId"),
     "instance-id": at("InstanceId"), "network-border-group": at("NetworkBorderGroup"),
     "network-interface-id": at("NetworkInterfaceId"),
     "network-interface-owner-id": at("NetworkInterfaceOwnerId"),
     "private-ip-address": at("PrivateIpAddress"), "public-ip": at("PublicIp")},
    """allocation-id association-id domain instance-id network-border-group network-interface-id
    network-interface-owner-id private-ip-address public-ip tag-key""", paged=False)

NAT_GATEWAYS = Describe(
    "describe_nat_gateways", "NatGateways", "NatGatewayId", "NatGatewayIds", "nat-gateway-id",
    "nat", "NatGatewayMalformed", "NatGatewayNotFound", "The natGateway ID '{}' does not exist",
    {"tag:Name": tag_values("Name"), "tag:Suite": tag_values("Suite"), "tag-key": at("Tags", "Key"),
     "nat-gateway-id": at("NatGatewayId"), "state": at("State"), "subnet-id": at("SubnetId"),
     "vpc-id": at("VpcId")},
    "nat-gateway-id state subnet-id tag-key vpc-id")

VOLUMES = Describe(
    "describe_volumes", "Volumes", "VolumeId", "VolumeIds", "volume-id", "vol",
    "InvalidVolumeID.Malformed", "InvalidVolume.NotFound", "The volume '{}' does not exist",
    {"tag:Name": tag_values("Name"), "tag:Suite": tag_values("Suite"), "tag-key": at("Tags", "Key"),
     **{f"attachment.{name}": at("Attachments", member)
        for name, member in {"delete-on-termination": "DeleteOnTermination", "device": "Device",
                             "instance-id": "InstanceId", "status": "State"}.items()},
     "availability-zone": at("AvailabilityZone"), "encrypted": at("Encrypted"),
     "multi-attach-enabled": at("MultiAttachEnabled"), "size": at("Size"),
     "snapshot-id": at("SnapshotId"), "status": at("State"), "volume-id": at("VolumeId"),
     "volume-type": at("VolumeType")},
    """attachment.attach-time attachment.delete-on-termination attachment.device
    attachment.instance-id attachment.status availability-zone availability-zone-id create-time
    encrypted fast-restored multi-attach-enabled operator.managed operator.principal size
    snapshot-id status tag-key volume-id volume-type""")

KEY_PAIRS = Describe(
    "describe_key_pairs", "KeyPairs", "KeyPairId", "KeyPairIds", "key-pair-id", "key",
    "InvalidParameterValue", "InvalidKeyPair.NotFound", "The key pair '{}' does not exist",
    {"tag:Name": tag_values("Name"), "tag:Suite": tag_values("Suite"), "tag-key": at("Tags", "Key"),
     "fingerprint": at("KeyFingerprint"), "key-name": at("KeyName"),
     "key-pair-id": at("KeyPairId")},
    "fingerprint key-name key-pair-id tag-key", paged=False)

ALL = [VPCS, SUBNETS, GATEWAYS, ROUTE_TABLES, INSTANCES, INTERFACES, GROUPS, GROUP_RULES, ACLS,
       DHCP_OPTIONS, PREFIX_LISTS, PEERINGS, ADDRESSES, NAT_GATEWAYS,
       VOLUMES, KEY_PAIRS]
