"""Every action by the AWS CLI as people spell it, in an order that makes sense, in one world."""
import base64
import json
import re
import types

import pytest
from botocore import xform_name

import minimal
import wire
from commandline import CommandLine
from lib import IMAGE

# Refused always: nothing but IPv4 leaves an instance.
REFUSED = {"assign-ipv6-addresses"}


def tagged(kind, name="x"):
    return ["--tag-specifications", f"ResourceType={kind},Tags=[{{Key=Name,Value={name}}}]"]


def vpcs(aws, at):
    at.vpc = aws.text("ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block",
                      *tagged("vpc", "main"), "--query", "Vpc.VpcId")
    at.other = aws.text("ec2 create-vpc --cidr-block 10.1.0.0/16 --instance-tenancy default "
                        "--query Vpc.VpcId")
    for vpc in (at.vpc, at.other):
        aws("ec2 modify-vpc-attribute --enable-dns-hostnames --vpc-id", vpc)
    aws("ec2 modify-vpc-attribute --vpc-id", at.vpc, "--enable-dns-support", '{"Value":true}')
    assert aws("ec2 describe-vpc-attribute --attribute enableDnsHostnames --vpc-id",
               at.vpc).json["EnableDnsHostnames"] == {"Value": True}
    made = aws.text("ec2 associate-vpc-cidr-block --cidr-block 10.5.0.0/16 --vpc-id", at.vpc,
                    "--query", "CidrBlockAssociation.AssociationId")
    aws("ec2 disassociate-vpc-cidr-block --association-id", made)
    at.subnet = aws.text("ec2 create-subnet --cidr-block 10.0.1.0/24 --availability-zone "
                         "us-east-1a --vpc-id", at.vpc, *tagged("subnet"), "--query",
                         "Subnet.SubnetId")
    at.second = aws.text("ec2 create-subnet --cidr-block 10.0.2.0/24 --vpc-id", at.vpc, "--query",
                         "Subnet.SubnetId")
    aws("ec2 modify-subnet-attribute --map-public-ip-on-launch --subnet-id", at.subnet)
    aws("ec2 modify-subnet-attribute --no-map-public-ip-on-launch --subnet-id", at.second)
    whole = aws.text("ec2 describe-vpcs --vpc-ids", at.vpc, "--query",
                     "Vpcs[].Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock")
    made = aws.text("ec2 associate-subnet-cidr-block --subnet-id", at.second, "--ipv6-cidr-block",
                    whole.replace("/56", "/64"), "--query",
                    "Ipv6CidrBlockAssociation.AssociationId")
    aws("ec2 disassociate-subnet-cidr-block --association-id", made)
    assert aws("ec2 describe-subnets --filters Name=map-public-ip-on-launch,Values=true", "--query",
               f"Subnets[?VpcId=='{at.vpc}'].SubnetId").json == [at.subnet]


def default_vpc(aws, at):
    region = ["--region", "us-west-2"]
    vpc = aws.text("ec2 describe-vpcs --filters Name=is-default,Values=true --query Vpcs[].VpcId",
                   *region)
    zones = aws("ec2 describe-subnets --query Subnets[].[SubnetId,AvailabilityZone]", *region).json
    aws("ec2 delete-subnet --subnet-id", zones[0][0], *region)
    aws("ec2 create-default-subnet --availability-zone", zones[0][1], *region)
    for subnet in aws("ec2 describe-subnets --query Subnets[].SubnetId", *region).json:
        aws("ec2 delete-subnet --subnet-id", subnet, *region)
    gateway = aws.text("ec2 describe-internet-gateways --query",
                       "InternetGateways[].InternetGatewayId", *region)
    aws("ec2 detach-internet-gateway --internet-gateway-id", gateway, "--vpc-id", vpc, *region)
    aws("ec2 delete-internet-gateway --internet-gateway-id", gateway, *region)
    aws("ec2 delete-vpc --vpc-id", vpc, *region)
    assert aws("ec2 create-default-vpc", *region).json["Vpc"]["IsDefault"] is True


def gateways_and_routes(aws, at):
    at.gateway = aws.text("ec2 create-internet-gateway", *tagged("internet-gateway"), "--query",
                          "InternetGateway.InternetGatewayId")
    aws("ec2 attach-internet-gateway --internet-gateway-id", at.gateway, "--vpc-id", at.vpc)
    egress = aws.text("ec2 create-egress-only-internet-gateway --vpc-id", at.vpc, "--query",
                      "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId")
    assert aws.text("ec2 describe-egress-only-internet-gateways --query",
                    "EgressOnlyInternetGateways[].EgressOnlyInternetGatewayId") == egress
    aws("ec2 delete-egress-only-internet-gateway --egress-only-internet-gateway-id", egress)
    at.table = aws.text("ec2 create-route-table --vpc-id", at.vpc, "--query",
                        "RouteTable.RouteTableId")
    route = ["--route-table-id", at.table, "--destination-cidr-block"]
    assert aws("ec2 create-route --gateway-id", at.gateway, *route, "0.0.0.0/0").json == {
        "Return": True}
    aws("ec2 create-route --gateway-id", at.gateway, *route, "192.0.2.0/24")
    aws("ec2 replace-route --local-target", *route, "10.0.0.0/16")
    aws("ec2 delete-route", *route, "192.0.2.0/24")
    made = aws.text("ec2 associate-route-table --route-table-id", at.table, "--subnet-id",
                    at.second, "--query", "AssociationId")
    main = aws.text("ec2 describe-route-tables --filters Name=association.main,Values=true",
                    f"Name=vpc-id,Values={at.vpc}", "--query", "RouteTables[].RouteTableId")
    made = aws.text("ec2 replace-route-table-association --association-id", made,
                    "--route-table-id", main, "--query", "NewAssociationId")
    aws("ec2 disassociate-route-table --association-id", made)
    aws("ec2 associate-route-table --route-table-id", at.table, "--subnet-id", at.subnet)
    spare = aws.text("ec2 create-route-table --vpc-id", at.vpc, "--query",
                     "RouteTable.RouteTableId")
    aws("ec2 delete-route-table --route-table-id", spare)


def groups(aws, at):
    at.group = aws.text("ec2 create-security-group --group-name web --description", "for the web",
                        "--vpc-id", at.vpc, "--query", "GroupId")
    one = ["--group-id", at.group]
    aws("ec2 authorize-security-group-ingress --protocol tcp --port 22 --cidr 198.18.0.0/16", *one)
    aws("ec2 authorize-security-group-ingress --protocol tcp --port 8000-8100 --source-group",
        at.group, *one)
    aws("ec2 authorize-security-group-ingress --protocol icmp --port -1 --cidr 0.0.0.0/0", *one)
    aws("ec2 authorize-security-group-ingress --ip-permissions", "IpProtocol=tcp,FromPort=443,"
        "ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0,Description='the world'}],"
        "Ipv6Ranges=[{CidrIpv6=::/0}]", "IpProtocol=udp,FromPort=53,ToPort=53,"
        f"UserIdGroupPairs=[{{GroupId={at.group}}}]", *one)
    aws("ec2 authorize-security-group-egress --protocol all --cidr 10.0.0.0/8", *one)
    aws("ec2 revoke-security-group-egress --ip-permissions", json.dumps([
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]), *one)
    aws("ec2 revoke-security-group-ingress --protocol tcp --port 22 --cidr 198.18.0.0/16", *one)
    rules = aws("ec2 describe-security-group-rules --filters", f"Name=group-id,Values={at.group}",
                "--query", "SecurityGroupRules[?!IsEgress && CidrIpv4].[SecurityGroupRuleId,"
                "FromPort,Description] | sort_by(@, &[1])").json
    assert [rule[1:] for rule in rules] == [[-1, None], [443, "the world"]]
    aws("ec2 modify-security-group-rules --security-group-rules",
        f"SecurityGroupRuleId={rules[1][0]},SecurityGroupRule={{IpProtocol=tcp,FromPort=444,"
        "ToPort=444,CidrIpv4=0.0.0.0/0}", *one)
    aws("ec2 update-security-group-rule-descriptions-ingress --ip-permissions",
        "IpProtocol=tcp,FromPort=444,ToPort=444,IpRanges=[{CidrIp=0.0.0.0/0,Description=all}]", *one)
    aws("ec2 update-security-group-rule-descriptions-egress --ip-permissions",
        "IpProtocol=-1,IpRanges=[{CidrIp=10.0.0.0/8,Description=ours}]", *one)
    assert aws.text("ec2 describe-security-groups --filters Name=group-name,Values=web", "--query",
                    "SecurityGroups[].IpPermissionsEgress[].IpRanges[].Description") == "ours"
    assert aws("ec2 describe-security-group-references --group-id", at.group).json == {
        "SecurityGroupReferenceSet": []}
    aws("ec2 describe-stale-security-groups --vpc-id", at.vpc)
    spare = aws.text("ec2 create-security-group --group-name x --description x --vpc-id", at.vpc,
                     "--query", "GroupId")
    aws("ec2 delete-security-group --group-id", spare)


def acls(aws, at):
    acl = aws.text("ec2 create-network-acl --vpc-id", at.vpc, "--query", "NetworkAcl.NetworkAclId")
    entry = ["--network-acl-id", acl, "--rule-number"]
    aws("ec2 create-network-acl-entry --ingress --protocol tcp --port-range From=22,To=22 "
        "--cidr-block 0.0.0.0/0 --rule-action allow", *entry, "100")
    aws("ec2 create-network-acl-entry --egress --protocol icmp --icmp-type-code Type=-1,Code=-1 "
        "--cidr-block 0.0.0.0/0 --rule-action deny", *entry, "100")
    aws("ec2 replace-network-acl-entry --ingress --protocol -1 --cidr-block 0.0.0.0/0 "
        "--rule-action allow", *entry, "100")
    aws("ec2 delete-network-acl-entry --egress", *entry, "100")
    made = aws.text("ec2 describe-network-acls --filters",
                    f"Name=association.subnet-id,Values={at.second}", "--query", "NetworkAcls[]."
                    f"Associations[?SubnetId=='{at.second}'].NetworkAclAssociationId[]")
    made = aws.text("ec2 replace-network-acl-association --association-id", made,
                    "--network-acl-id", acl, "--query", "NewAssociationId")
    default = aws.text("ec2 describe-network-acls --filters Name=default,Values=true",
                       f"Name=vpc-id,Values={at.vpc}", "--query", "NetworkAcls[].NetworkAclId")
    aws("ec2 replace-network-acl-association --association-id", made, "--network-acl-id", default)
    aws("ec2 delete-network-acl --network-acl-id", acl)


def lists_and_options(aws, at):
    one = ["--prefix-list-id", aws.text(
        "ec2 create-managed-prefix-list --address-family IPv4 --max-entries 5 --prefix-list-name x "
        "--entries", "Cidr=10.0.0.0/8,Description=ours", "--query", "PrefixList.PrefixListId")]
    aws("ec2 modify-managed-prefix-list --current-version 1 --add-entries",
        "Cidr=192.0.2.0/24,Description=more", *one)
    assert aws.text("ec2 get-managed-prefix-list-entries --target-version 1", *one, "--query",
                    "Entries[].Cidr") == "10.0.0.0/8"
    aws("ec2 restore-managed-prefix-list-version --previous-version 1 --current-version 2", *one)
    aws("ec2 get-managed-prefix-list-associations", *one)
    assert aws.text("ec2 describe-managed-prefix-lists --filters Name=prefix-list-name,Values=x "
                    "--query PrefixLists[].Version") == "3"
    aws("ec2 describe-prefix-lists")
    aws("ec2 delete-managed-prefix-list", *one)
    options = aws.text("ec2 create-dhcp-options --dhcp-configurations",
                       "Key=domain-name-servers,Values=10.2.5.1,10.2.5.2",
                       "Key=domain-name,Values=example.com", "--query", "DhcpOptions.DhcpOptionsId")
    aws("ec2 associate-dhcp-options --dhcp-options-id", options, "--vpc-id", at.vpc)
    assert aws.text("ec2 describe-dhcp-options --filters Name=key,Values=domain-name",
                    "Name=value,Values=example.com", "--query",
                    "DhcpOptions[].DhcpOptionsId") == options
    aws("ec2 associate-dhcp-options --dhcp-options-id default --vpc-id", at.vpc)
    aws("ec2 delete-dhcp-options --dhcp-options-id", options)


def endpoints_and_logs(aws, at):
    aws("ec2 describe-vpc-endpoint-services --filters Name=service-type,Values=Gateway")
    one = aws.text("ec2 create-vpc-endpoint --service-name com.amazonaws.us-east-1.s3 --vpc-id",
                   at.vpc, "--route-table-ids", at.table, "--query", "VpcEndpoint.VpcEndpointId")
    aws("ec2 modify-vpc-endpoint --remove-route-table-ids", at.table, "--vpc-endpoint-id", one)
    assert aws.text("ec2 describe-vpc-endpoints --filters", f"Name=vpc-id,Values={at.vpc}",
                    "--query", "VpcEndpoints[].State") == "available"
    aws("ec2 delete-vpc-endpoints --vpc-endpoint-ids", one)
    log = aws.text("ec2 create-flow-logs --resource-type VPC --traffic-type ALL --resource-ids",
                   at.vpc, "--log-destination-type", "s3", "--log-destination",
                   "arn:aws:s3:::bucket", "--query", "FlowLogIds[]")
    assert aws.text("ec2 describe-flow-logs --filter", f"Name=resource-id,Values={at.vpc}",
                    "--query", "FlowLogs[].FlowLogId") == log
    aws("ec2 delete-flow-logs --flow-log-ids", log)


def keys(aws, at):
    made = aws("ec2 create-key-pair --key-name one --key-type ed25519 --query KeyMaterial "
               "--output text").out
    assert made.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    file = at.folder / "key.pub"
    file.write_text(minimal.PUBLIC)
    aws("ec2 import-key-pair --key-name two --public-key-material", f"fileb://{file}")
    assert aws("ec2 describe-key-pairs --query KeyPairs[].KeyName").json == ["one", "two"]
    aws("ec2 delete-key-pair --key-name two")


def instances(aws, at):
    data = at.folder / "data.sh"
    data.write_text("#!/bin/sh\necho ready >/dev/console\n")
    made = aws("ec2 run-instances --image-id", IMAGE, "--count", "2", "--instance-type", "t3.large",
               "--key-name", "one", "--subnet-id", at.subnet, "--security-group-ids", at.group,
               "--user-data", f"file://{data}", "--metadata-options", "HttpTokens=required",
               "--block-device-mappings", "DeviceName=/dev/sdf,Ebs={VolumeSize=1,VolumeType=gp3}",
               "--associate-public-ip-address", *tagged("instance")).json["Instances"]
    at.instance, second = [each["InstanceId"] for each in made]
    one, many = ["--instance-id", at.instance], ["--instance-ids", at.instance]
    aws("ec2 wait instance-running", *many)
    aws("ec2 terminate-instances --instance-ids", second)
    shown = aws("ec2 describe-instances", *many, "--query", "Reservations[].Instances[] | [0]").json
    assert shown["State"]["Name"] == "running" and shown["PublicIpAddress"]
    assert shown["MetadataOptions"]["HttpTokens"] == "required"
    encoded = aws.text("ec2 describe-instance-attribute --attribute userData", *one, "--query",
                       "UserData.Value")
    assert base64.b64decode(encoded).decode() == data.read_text()
    aws("ec2 modify-instance-attribute --no-source-dest-check", *one)
    aws("ec2 modify-instance-attribute --source-dest-check", *one)
    aws("ec2 modify-instance-attribute --disable-api-termination", *one)
    aws("ec2 modify-instance-attribute --attribute disableApiTermination --value false", *one)
    aws("ec2 modify-instance-attribute --groups", at.group, *one)
    aws("ec2 modify-instance-metadata-options --http-put-response-hop-limit 3 --http-tokens "
        "optional", *one)
    aws("ec2 modify-instance-maintenance-options --auto-recovery disabled", *one)
    aws("ec2 modify-private-dns-name-options --enable-resource-name-dns-a-record", *one)
    aws("ec2 modify-instance-credit-specification --instance-credit-specification",
        f"InstanceId={at.instance},CpuCredits=standard")
    assert aws.text("ec2 describe-instance-credit-specifications", *many, "--query",
                    "InstanceCreditSpecifications[].CpuCredits") == "standard"
    aws("ec2 monitor-instances", *many)
    aws("ec2 unmonitor-instances", *many)
    assert aws.text("ec2 describe-instance-status", *many, "--query",
                    "InstanceStatuses[].InstanceStatus.Status") == "ok"
    assert "InstanceId" in aws("ec2 get-console-output --latest", *one).json
    aws("ec2 reboot-instances", *many)
    aws("ec2 wait instance-running", *many)
    aws("ec2 stop-instances", *many)
    aws("ec2 wait instance-stopped", *many)
    aws("ec2 modify-instance-attribute --instance-type t3.small", *one)
    aws("ec2 start-instances", *many)
    aws("ec2 wait instance-running", *many)


def interfaces(aws, at):
    card = aws.text("ec2 create-network-interface --description", "a card", "--groups", at.group,
                    "--private-ip-address", "10.0.1.50", "--subnet-id", at.subnet, "--query",
                    "NetworkInterface.NetworkInterfaceId")
    one = ["--network-interface-id", card]
    aws("ec2 assign-private-ip-addresses --private-ip-addresses 10.0.1.51 10.0.1.52", *one)
    aws("ec2 unassign-private-ip-addresses --private-ip-addresses 10.0.1.52", *one)
    aws("ec2 assign-private-ip-addresses --secondary-private-ip-address-count 1", *one)
    attachment = aws.text("ec2 attach-network-interface --device-index 1 --instance-id",
                          at.instance, *one, "--query", "AttachmentId")
    aws("ec2 modify-network-interface-attribute --no-source-dest-check", *one)
    aws("ec2 reset-network-interface-attribute --source-dest-check x", *one)
    aws("ec2 modify-network-interface-attribute --attachment",
        f"AttachmentId={attachment},DeleteOnTermination=true", *one)
    assert aws("ec2 describe-network-interface-attribute --attribute description", *one,
               "--query", "Description.Value").json == "a card"
    allocation = aws.text("ec2 allocate-address --domain vpc", *tagged("elastic-ip"), "--query",
                          "AllocationId")
    aws("ec2 modify-address-attribute --domain-name mail.example.com --allocation-id", allocation)
    aws("ec2 describe-addresses-attribute --attribute domain-name --allocation-ids", allocation)
    aws("ec2 reset-address-attribute --attribute domain-name --allocation-id", allocation)
    association = aws.text("ec2 associate-address --private-ip-address 10.0.1.51 --allow-"
                           "reassociation --allocation-id", allocation, *one, "--query",
                           "AssociationId")
    assert aws.text("ec2 describe-addresses --filters", f"Name=network-interface-id,Values={card}",
                    "--query", "Addresses[].PrivateIpAddress") == "10.0.1.51"
    aws("ec2 disassociate-address --association-id", association)
    aws("ec2 detach-network-interface --force --attachment-id", attachment)
    aws("ec2 describe-network-interfaces --filters Name=status,Values=available")
    aws("ec2 delete-network-interface", *one)
    nat = aws.text("ec2 create-nat-gateway --subnet-id", at.subnet, "--allocation-id", allocation,
                   "--query", "NatGateway.NatGatewayId")
    aws("ec2 wait nat-gateway-available --nat-gateway-ids", nat)
    assert aws.text("ec2 describe-nat-gateways --filter Name=state,Values=available", "--query",
                    "NatGateways[].NatGatewayId") == nat
    aws("ec2 delete-nat-gateway --nat-gateway-id", nat)
    aws("ec2 wait nat-gateway-deleted --nat-gateway-ids", nat)
    aws("ec2 release-address --allocation-id", allocation)


def peerings(aws, at):
    one = "--vpc-peering-connection-id"
    ask = ["ec2 create-vpc-peering-connection --query",
           "VpcPeeringConnection.VpcPeeringConnectionId", "--vpc-id", at.vpc, "--peer-vpc-id",
           at.other]
    aws("ec2 reject-vpc-peering-connection", one, aws.text(*ask))
    peering = aws.text(*ask)
    aws("ec2 accept-vpc-peering-connection", one, peering)
    aws("ec2 modify-vpc-peering-connection-options --requester-peering-connection-options",
        "AllowDnsResolutionFromRemoteVpc=true", one, peering)
    assert aws.text("ec2 describe-vpc-peering-connections --filters Name=status-code,Values=active",
                    "--query", "VpcPeeringConnections[].VpcPeeringConnectionId") == peering
    aws("ec2 delete-vpc-peering-connection", one, peering)


def volumes(aws, at):
    volume = aws.text("ec2 create-volume --size 1 --volume-type gp3 --availability-zone us-east-1a "
                      "--encrypted", *tagged("volume"), "--query", "VolumeId")
    one = ["--volume-id", volume]
    aws("ec2 attach-volume --device /dev/sdh --instance-id", at.instance, *one)
    aws("ec2 modify-volume --size 2", *one)
    aws("ec2 describe-volumes-modifications --volume-ids", volume)
    aws("ec2 modify-volume-attribute --auto-enable-io", *one)
    aws("ec2 describe-volume-attribute --attribute autoEnableIO", *one)
    aws("ec2 describe-volume-status --volume-ids", volume)
    assert aws.text("ec2 describe-volumes --volume-ids", volume, "--query",
                    "Volumes[].Attachments[].Device") == "/dev/sdh"
    aws("ec2 detach-volume", *one)
    aws("ec2 delete-volume", *one)


def templates(aws, at):
    data = aws("ec2 get-launch-template-data --instance-id", at.instance, "--query",
               "LaunchTemplateData").json
    assert data["InstanceType"] == "t3.small"
    one = ["--launch-template-id", aws.text(
        "ec2 create-launch-template --launch-template-name web --launch-template-data",
        json.dumps({"ImageId": IMAGE, "InstanceType": "t3.micro"}), "--query",
        "LaunchTemplate.LaunchTemplateId")]
    aws("ec2 create-launch-template-version --source-version 1 --launch-template-data",
        '{"InstanceType":"t3.small"}', *one)
    aws("ec2 modify-launch-template --default-version 2", *one)
    made = aws("ec2 run-instances --launch-template", "LaunchTemplateName=web,Version=$Latest",
               "--subnet-id", at.second, "--query", "Instances[].[InstanceId,InstanceType]").json
    assert made[0][1] == "t3.small"
    aws("ec2 terminate-instances --instance-ids", made[0][0])
    assert aws("ec2 describe-launch-template-versions", *one, "--versions", "$Latest", "$Default",
               "--query", "LaunchTemplateVersions[].VersionNumber").json
    aws("ec2 describe-launch-templates --launch-template-names web")
    aws("ec2 delete-launch-template-versions --versions 1", *one)
    aws("ec2 delete-launch-template", *one)


def images_and_catalogue(aws, at):
    image = aws.text("ec2 register-image --name mine --image-location", str(at.folder), "--query",
                     "ImageId")  # the CLI itself would read a file://
    aws("ec2 modify-image-attribute --image-id", image, "--description", "Value=what it is")
    assert aws("ec2 describe-image-attribute --attribute description --image-id", image).json[
        "Description"] == {"Value": "what it is"}
    assert aws.text("ec2 describe-images --owners self --query Images[].ImageId") == image
    aws("ec2 deregister-image --image-id", image)
    newest = aws.text("ec2 describe-images --owners amazon --filters",
                      "Name=name,Values=al2023-ami-2*-x86_64", "--query",
                      "sort_by(Images,&CreationDate)[-1].ImageId")
    assert newest.startswith("ami-")
    assert aws("ec2 describe-instance-types --instance-types t3.micro --query",
               "InstanceTypes[].VCpuInfo.DefaultVCpus").json == [2]
    aws("ec2 describe-instance-type-offerings --location-type availability-zone --filters",
        "Name=instance-type,Values=t3.micro")
    assert aws("ec2 describe-account-attributes --attribute-names default-vpc").json
    assert aws("ec2 describe-regions --region-names eu-west-1 --query",
               "Regions[].RegionName").json == ["eu-west-1"]
    assert aws("ec2 describe-availability-zones --query AvailabilityZones[0].ZoneName").json == (
        "us-east-1a")
    aws("ec2 create-tags --resources", at.vpc, at.subnet, "--tags", "Key=Stage,Value=",
        'Key=Note,Value="two words"')
    assert aws("ec2 describe-tags --filters", f"Name=resource-id,Values={at.vpc}", "--query",
               "sort(Tags[].Key)").json == ["Name", "Note", "Stage"]
    aws("ec2 delete-tags --resources", at.vpc, "--tags", "Key=Note")
    assert re.fullmatch(r"\d{12}", aws.text("sts get-caller-identity --query Account"))


def the_end(aws, at):
    aws("ec2 terminate-instances --instance-ids", at.instance)
    aws("ec2 wait instance-terminated --instance-ids", at.instance)
    aws("ec2 detach-internet-gateway --internet-gateway-id", at.gateway, "--vpc-id", at.vpc)
    aws("ec2 delete-internet-gateway --internet-gateway-id", at.gateway)
    aws("ec2 delete-subnet --subnet-id", at.second)
    aws("ec2 delete-vpc --vpc-id", at.other)
    aws.refused("DependencyViolation", "ec2 delete-vpc --vpc-id", at.vpc)


STEPS = [vpcs, default_vpc, gateways_and_routes, groups, acls, lists_and_options,
         endpoints_and_logs, keys, instances, interfaces, peerings, volumes, templates,
         images_and_catalogue, the_end]


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    """What the steps leave one another."""
    return types.SimpleNamespace(folder=tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def aws(world):
    with CommandLine(world) as running:
        yield running


@pytest.mark.parametrize("step", STEPS, ids=[step.__name__ for step in STEPS])
def test_step(aws, at, step):
    step(aws, at)


def test_every_command_was_typed(world, aws):
    """What boto3's model has and is answered; older than that this CLI is not."""
    answered = {xform_name(action, "-") for action in world.ec2.meta.service_model.operation_names
                if wire.call(world, action, Nonsense="1").code == "UnknownParameter"}
    assert sorted(answered - aws.used - REFUSED) == []
