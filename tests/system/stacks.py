"""Templates for the tests of stacks, as dicts, and what can be asked of a stack."""
import json

from botocore.exceptions import ClientError

from lib import IMAGE, wait_for


def ref(name):
    return {"Ref": name}


def get(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


def resource(kind, depends=None, **properties):
    made = {"Type": f"AWS::{kind}", "Properties": properties}
    if depends:
        made["DependsOn"] = depends
    return made


def template(resources, outputs=None, **more):
    made = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **more}
    if outputs:
        made["Outputs"] = {name: value if isinstance(value, dict) and "Value" in value
                           else {"Value": value} for name, value in outputs.items()}
    return made


def network(cidr="10.20"):
    """A VPC with a public subnet, open to pings; its routes say nothing of the attachment."""
    return {
        "Net": resource("EC2::VPC", CidrBlock=f"{cidr}.0.0/16", EnableDnsHostnames=True),
        "Gate": resource("EC2::InternetGateway"),
        "Default": resource("EC2::Route", RouteTableId=ref("Table"), GatewayId=ref("Gate"),
                            DestinationCidrBlock="0.0.0.0/0"),
        "Table": resource("EC2::RouteTable", VpcId=ref("Net")),
        "Attach": resource("EC2::VPCGatewayAttachment", VpcId=ref("Net"),
                           InternetGatewayId=ref("Gate")),
        "Public": resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock=f"{cidr}.1.0/24",
                           MapPublicIpOnLaunch=True),
        "Routed": resource("EC2::SubnetRouteTableAssociation", RouteTableId=ref("Table"),
                           SubnetId=ref("Public")),
        "Group": resource("EC2::SecurityGroup", VpcId=ref("Net"), GroupDescription="pings",
                          SecurityGroupIngress=[{"IpProtocol": "icmp", "FromPort": -1,
                                                 "ToPort": -1, "CidrIp": "0.0.0.0/0"}]),
    }


def web(**more):
    return resource("EC2::Instance", ImageId=IMAGE, InstanceType="t3.micro",
                    SubnetId=ref("Public"), SecurityGroupIds=[ref("Group")], **more)


def status(client, name):
    try:
        return client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError:
        return None


def await_status(client, name, wanted, seconds=30):
    """Until nothing is done with the stack any more."""
    def over():
        found = status(client, name)
        return found if not found or not found.endswith("_IN_PROGRESS") else None
    found = wait_for(over, seconds, f"stack {name}") if status(client, name) else None
    assert found == wanted, (found, {key: why for key, why in reasons(client, name).items()
                                     if key[1].endswith("FAILED")} if found else None)


def create(client, name, body, wanted="CREATE_COMPLETE", **more):
    made = client.create_stack(StackName=name, TemplateBody=json.dumps(body), **more)["StackId"]
    await_status(client, made, wanted)
    return made


def update(client, name, body, wanted="UPDATE_COMPLETE", **more):
    client.update_stack(StackName=name, TemplateBody=json.dumps(body), **more)
    await_status(client, name, wanted)


def delete(client, name, wanted="DELETE_COMPLETE"):
    made = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=name)
    await_status(client, made, wanted)


def physical(client, name):
    """Logical ids and what they are."""
    return {entry["LogicalResourceId"]: entry.get("PhysicalResourceId") for entry in
            client.describe_stack_resources(StackName=name)["StackResources"]
            if entry["ResourceStatus"] not in ("DELETE_COMPLETE", "DELETE_SKIPPED")}


def all_events(client, name):
    """Of all pages, the newest first."""
    pages = client.get_paginator("describe_stack_events").paginate(StackName=name)
    return [event for page in pages for event in page["StackEvents"]]


def events(client, name):
    """(logical id, status), the oldest first."""
    return [(entry["LogicalResourceId"], entry["ResourceStatus"]) for entry in
            reversed(all_events(client, name))]


def reasons(client, name):
    return {(entry["LogicalResourceId"], entry["ResourceStatus"]): entry["ResourceStatusReason"]
            for entry in all_events(client, name)
            if "ResourceStatusReason" in entry}


def outputs(client, name):
    return {entry["OutputKey"]: entry["OutputValue"] for entry in
            client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])}
