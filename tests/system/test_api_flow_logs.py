"""Flow logs: records, of VPCs, subnets and interfaces; nothing is delivered, and they say so."""
import re

import pytest

from lib import names, refused, tag_specification, tags

NOWHERE = "fl-0fedcba9876543210"
ROLE = "arn:aws:iam::123456789012:role/flow-logs"
BUCKET = "arn:aws:s3:::bucket/prefix"
DEFAULT_FORMAT = ("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} "
                  "${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} "
                  "${log-status}")

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def vpc(world):
    return world.vpc("10.1.0.0/16")


def make(ec2, *ids, **more):
    arguments = {"ResourceType": "VPC", "ResourceIds": list(ids), "TrafficType": "ALL",
                 "LogDestinationType": "s3", "LogDestination": BUCKET, **more}
    return ec2.create_flow_logs(**{key: value for key, value in arguments.items() if value})


def create(ec2, *ids, **more):
    reply = make(ec2, *ids, **more)
    assert reply["Unsuccessful"] == []
    return reply["FlowLogIds"]


def read(ec2, *ids, **more):
    if ids:
        more["FlowLogIds"] = list(ids)
    return ec2.describe_flow_logs(**more)["FlowLogs"]


def test_one_comes_and_goes(ec2, vpc):
    [log] = create(ec2, vpc, TagSpecifications=tag_specification("vpc-flow-log", Name="l"))
    assert re.fullmatch("fl-[0-9a-f]{17}", log)
    [shown] = read(ec2, log)
    assert shown.pop("CreationTime").year >= 2024
    assert shown == {
        "FlowLogId": log, "ResourceId": vpc, "TrafficType": "ALL", "FlowLogStatus": "ACTIVE",
        "LogDestinationType": "s3", "LogDestination": BUCKET, "MaxAggregationInterval": 600,
        "LogFormat": DEFAULT_FORMAT, "Tags": tags(Name="l"),
        "DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}
    assert ec2.delete_flow_logs(FlowLogIds=[log])["Unsuccessful"] == []
    assert read(ec2) == []
    refused("InvalidFlowLogId.NotFound", read, ec2, log,
            text=f"The flow log ID '{log}' does not exist")


def test_destinations(ec2, vpc):
    group = {"LogDestinationType": None, "LogDestination": None, "DeliverLogsPermissionArn": ROLE}
    [named] = create(ec2, vpc, **group, LogGroupName="one")
    [shown] = read(ec2, named)
    assert (shown["LogDestinationType"], shown["LogGroupName"]) == ("cloud-watch-logs", "one")
    assert shown["DeliverLogsPermissionArn"] == ROLE and "LogDestination" not in shown
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:two:*"
    [by_arn] = create(ec2, vpc, **{**group, "LogDestinationType": "cloud-watch-logs",
                                   "LogDestination": arn}, MaxAggregationInterval=60,
                      LogFormat="${version} ${tcp-flags}")
    [shown] = read(ec2, by_arn)
    assert (shown["LogGroupName"], shown["LogDestination"]) == ("two", arn)
    assert (shown["MaxAggregationInterval"], shown["LogFormat"]) == (60, "${version} ${tcp-flags}")
    ec2.delete_flow_logs(FlowLogIds=[named, by_arn])
    [parquet] = create(ec2, vpc, DestinationOptions={"FileFormat": "parquet",
                                                     "PerHourPartition": True})
    assert read(ec2, parquet)[0]["DestinationOptions"] == {
        "FileFormat": "parquet", "HiveCompatiblePartitions": False, "PerHourPartition": True}
    [stream] = create(ec2, vpc, LogDestinationType="kinesis-data-firehose",
                      LogDestination="arn:aws:firehose:us-east-1:123456789012:deliverystream/s")
    assert read(ec2, stream)[0]["LogDestinationType"] == "kinesis-data-firehose"


def test_of_what(world, ec2, vpc):
    subnet = world.subnet(vpc, "10.1.1.0/24")
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"][
        "NetworkInterfaceId"]
    create(ec2, vpc)
    create(ec2, subnet, ResourceType="Subnet", TrafficType="REJECT")
    create(ec2, interface, ResourceType="NetworkInterface", TrafficType="ACCEPT")
    assert names(read(ec2), "ResourceId") == [vpc, subnet, interface]
    # Each goes with what it is of.
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_subnet(SubnetId=subnet)
    assert names(read(ec2), "ResourceId") == [vpc]
    ec2.delete_vpc(VpcId=vpc)
    assert read(ec2) == []


def test_what_fails_is_told_beside_what_does_not(world, ec2, vpc):
    other = world.vpc("10.2.0.0/16")
    nowhere = "vpc-0fedcba9876543210"
    reply = make(ec2, vpc, nowhere, other)
    assert len(reply["FlowLogIds"]) == 2
    assert reply["Unsuccessful"] == [{"ResourceId": nowhere, "Error": {
        "Code": "InvalidVpcID.NotFound", "Message": f"The vpc ID '{nowhere}' does not exist"}}]
    reply = ec2.delete_flow_logs(FlowLogIds=[reply["FlowLogIds"][0], NOWHERE])
    assert reply["Unsuccessful"] == [{"ResourceId": NOWHERE, "Error": {
        "Code": "InvalidFlowLogId.NotFound",
        "Message": f"The flow log ID '{NOWHERE}' does not exist"}}]
    assert names(read(ec2), "ResourceId") == [other]


def test_tokens(world, ec2, vpc):
    other = world.vpc("10.2.0.0/16")
    made = create(ec2, vpc, other, ClientToken="t")
    reply = make(ec2, vpc, other, ClientToken="t")
    assert (reply["FlowLogIds"], reply["ClientToken"]) == (made, "t")
    refused("IdempotentParameterMismatch", make, ec2, vpc, ClientToken="t", TrafficType="ACCEPT")


@pytest.mark.parametrize("code,text,change", [
    ("MissingParameter", "The request must contain the parameter TrafficType",
     {"TrafficType": None}),
    ("InvalidParameterValue", None, {"TrafficType": "SOME"}),
    ("InvalidParameterValue", None, {"ResourceType": "Gateway"}),
    ("UnsupportedOperation", None, {"ResourceType": "TransitGateway"}),
    ("InvalidParameterValue", None, {"LogDestinationType": "disk"}),
    ("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.",
     {"LogDestination": None}),
    ("InvalidParameter", "Please only provide LogGroupName or only provide LogDestination.",
     {"LogGroupName": "group"}),
    ("InvalidParameter", "LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
     {"LogDestination": None, "LogGroupName": "group"}),
    ("InvalidParameter",
     "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
     {"LogDestination": None, "LogDestinationType": None, "LogGroupName": "group"}),
    ("InvalidParameter", None, {"LogDestination": "bucket"}),
    ("InvalidParameter", "Invalid Flow Log Max Aggregation Interval",
     {"MaxAggregationInterval": 90}),
    ("InvalidParameter", "Unknown fields provided: ${nothing}",
     {"LogFormat": "${version} ${nothing}"}),
    ("InvalidParameterCombination", None,
     {"LogDestinationType": "kinesis-data-firehose", "DestinationOptions": {
         "FileFormat": "parquet"}, "LogDestination": "arn:aws:firehose:us-east-1:1:x/y"}),
    ("InvalidParameterValue", None, {"DestinationOptions": {"FileFormat": "csv"}}),
    ("InvalidVpcID.Malformed", None, {"ResourceIds": ["subnet-0fedcba9876543210"]}),
])
def test_refusals(ec2, vpc, code, text, change):
    refused(code, make, ec2, vpc, **change, **({"text": text} if text else {}))
    assert read(ec2) == []


def test_one_destination_takes_it_once_and_two_are_the_quota(ec2, vpc):
    create(ec2, vpc)
    refused("FlowLogAlreadyExists", make, ec2, vpc, TrafficType="ACCEPT",
            text="Error. There is an existing Flow Log with the same configuration and log "
                 "destination.")
    create(ec2, vpc, LogDestination="arn:aws:s3:::other")
    refused("FlowLogsLimitExceeded", make, ec2, vpc, LogDestination="arn:aws:s3:::third")


def test_filters_and_pages(world, ec2, vpc):
    other = world.vpc("10.2.0.0/16")
    [first] = create(ec2, vpc, TagSpecifications=tag_specification("vpc-flow-log", Name="one"))
    [second] = create(ec2, other, TrafficType="REJECT", LogDestinationType=None,
                      LogDestination=None, LogGroupName="g", DeliverLogsPermissionArn=ROLE)
    for name, value, expected in [
            ("resource-id", vpc, [first]), ("traffic-type", "REJECT", [second]),
            ("log-destination-type", "s3", [first]), ("log-group-name", "g", [second]),
            ("flow-log-id", second, [second]), ("deliver-log-status", "FAILED", [first, second]),
            ("tag:Name", "one", [first]), ("tag-key", "Name", [first])]:
        found = read(ec2, Filter=[{"Name": name, "Values": [value]}])
        assert names(found, "FlowLogId") == expected, name
    refused("InvalidParameterValue", read, ec2, Filter=[{"Name": "status", "Values": ["x"]}])
    page = ec2.describe_flow_logs(MaxResults=1)
    assert names(page["FlowLogs"], "FlowLogId") == [first]
    rest = ec2.describe_flow_logs(MaxResults=1, NextToken=page["NextToken"])
    assert names(rest["FlowLogs"], "FlowLogId") == [second] and "NextToken" not in rest


def test_they_outlive_the_daemon(own_world):
    ec2 = own_world.ec2
    [log] = create(ec2, own_world.vpc("10.1.0.0/16"), DestinationOptions={"FileFormat": "parquet"})
    before = read(ec2, log)
    own_world.restart()
    assert read(own_world.ec2, log) == before
