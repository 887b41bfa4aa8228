"""Quotas that `minivpc serve --quota` raises and lowers."""
from lib import IMAGE, refused, tags


def entry(number):
    return {"RuleNumber": number, "Protocol": "-1", "RuleAction": "allow", "Egress": False,
            "CidrBlock": "10.0.0.0/8"}


def permissions(count):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
             "IpRanges": [{"CidrIp": "10.0.0.0/8"}]} for port in range(1, count + 1)]


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
