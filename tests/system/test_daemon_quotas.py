"""Quotas that `minivpc serve --quota` raises and lowers."""
import re

from lib import IMAGE, refused, tags

PUBLIC_KEY = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJcfJIcjzJVXEWGYIQkJM6PP2fNuM5yXAUXCGJIk6sVb "
              "somebody").encode()


def entry(number):
    return {"RuleNumber": number, "Protocol": "-1", "RuleAction": "allow", "Egress": False,
            "CidrBlock": "10.0.0.0/8"}


def permissions(count):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
             "IpRanges": [{"CidrIp": "10.0.0.0/8"}]} for port in range(1, count + 1)]


def test_without_any(world):
    """Those by count are off: a world is there to be filled."""
    for number in range(12):
        vpc = world.vpc(f"10.{number}.0.0/16")
        world.gateway(vpc)
        world.elastic_ip()
        world.ec2.create_egress_only_internet_gateway(VpcId=vpc)
    subnet = world.subnet(vpc, "10.11.1.0/24")
    for _ in range(6):
        world.ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")


def test_aws(make_world):
    """`--quota aws`: what a new account has; the default VPC counts; each region is its own."""
    with make_world("--quota", "aws", "--quota", "instances-per-region=2") as world:
        ec2 = world.ec2
        vpcs = [world.vpc(f"10.{number}.0.0/16") for number in range(4)]
        refused("VpcLimitExceeded", world.vpc, text="The maximum number of VPCs has been reached.")
        for _ in range(4):
            world.gateway()
        refused("InternetGatewayLimitExceeded", world.gateway)
        for _ in range(5):
            world.elastic_ip()
        refused("AddressLimitExceeded", ec2.allocate_address,
                text="The maximum number of addresses has been reached.")
        found = ec2.describe_account_attributes()["AccountAttributes"]
        assert {entry["AttributeName"]: entry["AttributeValues"][0]["AttributeValue"]
                for entry in found if "max" in entry["AttributeName"]} == {
                    "max-instances": "2", "max-elastic-ips": "5", "vpc-max-elastic-ips": "5",
                    "vpc-max-security-groups-per-interface": "5"}
        subnet = world.subnet(vpcs[0], "10.0.1.0/24")
        for _ in range(5):
            ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")
        refused("NatGatewayLimitExceeded", ec2.create_nat_gateway, SubnetId=subnet,
                ConnectivityType="private")
        for _ in range(100):
            lists = {"PrefixListName": "near", "AddressFamily": "IPv4", "MaxEntries": 1}
            ec2.create_managed_prefix_list(**lists)
        refused("ResourceLimitExceeded", ec2.create_managed_prefix_list, **lists)

        launch = {"ImageId": IMAGE, "SubnetId": subnet}
        refused("InstanceLimitExceeded", ec2.run_instances, MinCount=3, MaxCount=3, **launch,
                text=re.compile(r"^You have requested more instances \(3\) than your current "
                                r"instance limit of 2 allows"))
        made = ec2.run_instances(MinCount=1, MaxCount=3, **launch)["Instances"]
        assert len(made) == 2
        refused("InstanceLimitExceeded", ec2.run_instances, MinCount=1, MaxCount=1, **launch)
        ec2.terminate_instances(InstanceIds=[made[0]["InstanceId"]])
        world.await_state("terminated", made[0]["InstanceId"])
        world.run_instances(subnet)  # a terminated one doesn't count
        abroad = world.client(region="us-west-2")
        abroad.create_vpc(CidrBlock="10.9.0.0/16")
        ec2.delete_vpc(VpcId=vpcs[3])
        world.vpc("10.9.0.0/16")


def test_each_account_has_its_own(make_world):
    with make_world("--quota", "vpcs-per-region=2") as world:
        world.vpc()
        refused("VpcLimitExceeded", world.vpc)
        world.run("account create", "210987654321")
        exports = world.run("env", "--account", "210987654321").stdout
        key, secret = (re.search(f"{name}='(.*)'", exports)[1] for name in (
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        theirs = world.client(key=key, secret=secret)
        theirs.create_vpc(CidrBlock="10.0.0.0/16")
        refused("VpcLimitExceeded", theirs.create_vpc, CidrBlock="10.0.0.0/16")


def test_by_name(make_world, tmp_path):
    """The codes of those that AWS's own number is too high to reach here."""
    quotas = {"key-pairs-per-region": 1, "launch-templates-per-region": 1, "amis-per-region": 1,
              "egress-only-internet-gateways-per-region": 1, "outstanding-peering-requests": 1,
              "ipv4-cidr-blocks-per-vpc": 2, "ipv6-cidr-blocks-per-vpc": 1,
              "active-peerings-per-vpc": 1, "addresses-per-region": 1,
              "nat-gateways-per-availability-zone": 1}
    with make_world(*(f"--quota={name}={value}" for name, value in quotas.items())) as world:
        ec2 = world.ec2
        one, two, three, four = (world.vpc(f"10.{number}.0.0/16") for number in range(4))
        subnet = world.subnet(one, "10.0.1.0/24")
        instance, = world.run_instances(subnet)
        peer = {"VpcId": one, "PeerVpcId": four}
        template = {"LaunchTemplateData": {"InstanceType": "t3.micro"}}
        for code, call, first, second in [
                ("KeyPairLimitExceeded", ec2.create_key_pair, {"KeyName": "a"}, {"KeyName": "b"}),
                ("KeyPairLimitExceeded", ec2.import_key_pair, None,
                 {"KeyName": "b", "PublicKeyMaterial": PUBLIC_KEY}),
                ("ResourceLimitExceeded", ec2.create_launch_template,
                 {"LaunchTemplateName": "aaa", **template}, {"LaunchTemplateName": "bbb", **template}),
                ("ResourceLimitExceeded", ec2.register_image,
                 {"Name": "aaa", "ImageLocation": f"file://{tmp_path}"},
                 {"Name": "bbb", "ImageLocation": f"file://{tmp_path}"}),
                ("ResourceLimitExceeded", ec2.create_egress_only_internet_gateway,
                 {"VpcId": one}, {"VpcId": two}),
                ("AddressLimitExceeded", ec2.allocate_address, {}, {}),
                ("NatGatewayLimitExceeded", ec2.create_nat_gateway,
                 *[{"SubnetId": subnet, "ConnectivityType": "private"}] * 2),
                ("CidrLimitExceeded", ec2.associate_vpc_cidr_block,
                 {"VpcId": one, "CidrBlock": "10.100.0.0/16"},
                 {"VpcId": one, "CidrBlock": "10.101.0.0/16"}),
                ("CidrLimitExceeded", ec2.associate_vpc_cidr_block,
                 *[{"VpcId": one, "AmazonProvidedIpv6CidrBlock": True}] * 2),
                ("OutstandingVpcPeeringConnectionLimitExceeded",
                 ec2.create_vpc_peering_connection, peer, {"VpcId": two, "PeerVpcId": three})]:
            if first is not None:
                call(**first)
            refused(code, call, **second)
        waiting, = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]
        ec2.accept_vpc_peering_connection(
            VpcPeeringConnectionId=waiting["VpcPeeringConnectionId"])
        refused("ActiveVpcPeeringConnectionPerVpcLimitExceeded",
                ec2.create_vpc_peering_connection, VpcId=one, PeerVpcId=two)
        assert world.instance(instance)["State"]["Name"] == "running"


def test_raised(make_world):
    with make_world("--quota", "vpcs-per-region=7", "--quota", "entries-per-network-acl=22",
                    "--quota", "rules-per-security-group=62", "--quota",
                    "security-groups-per-interface=6") as world:
        ec2 = world.ec2
        vpcs = [world.vpc() for _ in range(6)]  # the default one counts
        refused("VpcLimitExceeded", world.vpc, text="The maximum number of VPCs has been reached.")
        for _ in range(6):
            world.gateway()  # their quota goes with the VPCs
        refused("InternetGatewayLimitExceeded", world.gateway)

        acl = ec2.create_network_acl(VpcId=vpcs[0])["NetworkAcl"]["NetworkAclId"]
        for number in range(1, 22):  # "*" counts
            ec2.create_network_acl_entry(NetworkAclId=acl, **entry(number))
        refused("NetworkAclEntryLimitExceeded", ec2.create_network_acl_entry, NetworkAclId=acl,
                **entry(22))

        groups = [world.security_group(vpcs[0], f"group {n}") for n in range(7)]
        refused("RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress,
                GroupId=groups[0], IpPermissions=permissions(63))
        ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=permissions(62))
        subnet = world.subnet(vpcs[0], "10.0.1.0/24")
        refused("SecurityGroupsPerInterfaceLimitExceeded", ec2.run_instances, ImageId=IMAGE,
                MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=groups)
        instance, = world.run_instances(subnet, SecurityGroupIds=groups[:6])
        assert len(world.instance(instance)["SecurityGroups"]) == 6


def test_lowered(make_world):
    quotas = {"subnets-per-vpc": 2, "network-interfaces-per-region": 2, "routes-per-route-table": 2,
              "entries-per-prefix-list": 9, "tags-per-resource": 1, "prefix-lists-per-region": 1,
              "route-tables-per-vpc": 2, "network-acls-per-vpc": 1,
              "security-groups-per-region": 3}
    with make_world(*(f"--quota={name}={value}" for name, value in quotas.items())) as world:
        ec2 = world.ec2
        # What a region comes with, comes.
        assert len(ec2.describe_subnets()["Subnets"]) == 6
        vpc = world.vpc()
        first = world.subnet(vpc, "10.0.1.0/24")
        world.subnet(vpc, "10.0.2.0/24")
        refused("SubnetLimitExceeded", world.subnet, vpc, "10.0.3.0/24")
        table = world.route_table(vpc)
        refused("RouteTableLimitExceeded", world.route_table, vpc)
        gateway = world.gateway(vpc)
        route = {"RouteTableId": table, "GatewayId": gateway}
        ec2.create_route(DestinationCidrBlock="0.0.0.0/0", **route)  # the local one counts
        refused("RouteLimitExceeded", ec2.create_route, DestinationCidrBlock="192.0.2.0/24", **route)
        refused("NetworkAclLimitExceeded", ec2.create_network_acl, VpcId=vpc)
        world.security_group(vpc)  # two default ones count
        refused("SecurityGroupLimitExceeded", world.security_group, vpc, "another")

        ec2.create_tags(Resources=[vpc], Tags=tags(one="1"))
        refused("TagLimitExceeded", ec2.create_tags, Resources=[vpc], Tags=tags(two="2"))
        lists = {"PrefixListName": "near", "AddressFamily": "IPv4"}
        refused("InvalidParameterValue", ec2.create_managed_prefix_list, MaxEntries=10,
                text="Must specify a max size between 1 and 9", **lists)
        ec2.create_managed_prefix_list(MaxEntries=9, **lists)
        refused("ResourceLimitExceeded",
                ec2.create_managed_prefix_list, MaxEntries=1, **lists)

        launch = {"ImageId": IMAGE, "SubnetId": first}
        refused("NetworkInterfaceLimitExceeded", ec2.run_instances, MinCount=3, MaxCount=3, **launch)
        launched = ec2.run_instances(MinCount=1, MaxCount=3, **launch)["Instances"]
        assert len(launched) == 2
        world.await_state("running", *(entry["InstanceId"] for entry in launched))

        # They are the daemon's, not the world's, and what is there stays.
        world.arguments = ("--quota", "vpcs-per-region=1")
        world.restart()
        refused("VpcLimitExceeded", world.vpc)
        world.subnet(vpc, "10.0.3.0/24")
        world.ec2.create_tags(Resources=[vpc], Tags=tags(two="2"))
        assert len(world.ec2.describe_vpcs()["Vpcs"]) == 2
        world.arguments = ()
        world.restart()
        world.vpc()
