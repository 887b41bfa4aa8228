"""
Every reply that a watched boto3 client gets is held against botocore's own model of the operation:
no element that AWS doesn't have, every scalar of its type, lists of <item>s, errors in the EC2
envelope. A violation fails the call that got it.
"""
import re
import xml.etree.ElementTree as ElementTree

STACKS = "{http://cloudformation.amazonaws.com/doc/2010-05-15/}"
NAMESPACE = "{http://ec2.amazonaws.com/doc/2016-11-15/}"
REQUEST_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
SCALARS = {
    "boolean": re.compile(r"true|false"),
    "integer": re.compile(r"-?\d+"),
    "long": re.compile(r"-?\d+"),
    "float": re.compile(r"-?\d+(\.\d+)?"),
    "double": re.compile(r"-?\d+(\.\d+)?"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"),
    "string": re.compile(r".*", re.DOTALL),
    "blob": re.compile(r"[A-Za-z0-9+/=\s]*"),
}

# What the API's model of 2026-08 has and Debian 12's botocore doesn't know yet. Scalars by type;
# "any" is not looked into.
NEWER = {
    "AvailabilityZone": {"groupLongName": "string"},
    "Vpc": {"encryptionControl": "any", "blockPublicAccessStates": "any"},
    "VpcIpv6CidrBlockAssociation": {"ipv6AddressAttribute": "string", "ipSource": "string"},
    "SubnetIpv6CidrBlockAssociation": {"ipv6AddressAttribute": "string", "ipSource": "string"},
    "Subnet": {"blockPublicAccessStates": "any", "type": "string"},
    "CreateRouteTableResult": {"clientToken": "string"},
    "CreateNetworkAclResult": {"clientToken": "string"},
    "RouteTableAssociation": {"publicIpv4Pool": "string"},
    "Instance": {"currentInstanceBootMode": "string", "networkPerformanceOptions": "any",
                 "operator": "any"},
    "InstanceNetworkInterface": {"operator": "any"},
    "NatGatewayAddress": {"isPrimary": "boolean", "status": "string", "associationId": "string",
                          "failureMessage": "string"},
    "InstanceMaintenanceOptions": {"rebootMigration": "string"},
    "CpuOptions": {"amdSevSnp": "string", "nestedVirtualization": "string"},
    "Placement": {"availabilityZoneId": "string"},
    "InstanceStatus": {"availabilityZoneId": "string", "operator": "any",
                       "attachedEbsStatus": "any"},
    "NetworkInterface": {"publicDnsName": "string", "publicIpDnsNameOptions": "any",
                         "operator": "any", "availabilityZoneId": "string",
                         "associatedSubnetSet": "any"},
    "DescribeImagesResult": {"nextToken": "string"},
    "Image": {"deregistrationProtection": "string", "lastLaunchedTime": "string",
              "sourceInstanceId": "string", "sourceImageId": "string",
              "sourceImageRegion": "string", "imageAllowed": "boolean",
              "freeTierEligible": "boolean"},
    "EbsBlockDevice": {"availabilityZone": "string"},
    "VpcEndpoint": {"serviceRegion": "string"},
    "DnsOptions": {"privateDnsOnlyForInboundResolverEndpoint": "boolean"},
    "ServiceDetail": {"serviceRegion": "string"},
    "Volume": {"availabilityZoneId": "string"},
    "InstanceTypeInfo": {"nitroEnclavesSupport": "string", "nitroTpmSupport": "string",
                         "nitroTpmInfo": "any", "phcSupport": "string",
                         "rebootMigrationSupport": "string", "supportedInRegion": "boolean"},
    "ProcessorInfo": {"supportedFeatures": "any", "manufacturer": "string"},
    "NetworkInfo": {"bandwidthWeightings": "any"},
    "NetworkCardInfo": {"baselineBandwidthInGbps": "double", "peakBandwidthInGbps": "double"},
    "SecurityGroup": {"securityGroupArn": "string"},
    "SecurityGroupRule": {"securityGroupRuleArn": "string"},
    "CreateSecurityGroupResult": {"securityGroupArn": "string"},
    "RevokeSecurityGroupIngressResult": {"revokedSecurityGroupRuleSet": "any"},
    "RevokeSecurityGroupEgressResult": {"revokedSecurityGroupRuleSet": "any"},
    "DescribeNetworkInterfaceAttributeResult": {"associatePublicIpAddress": "boolean"},
}

# Operations that answer more than <return>true</return> since.
NEWER_OUTPUT = {"DeleteSecurityGroup": {"groupId": "string"},
                "DeleteKeyPair": {"keyPairId": "string"}}


def watch(client):
    """Checks every reply of this client from now on."""
    model = client.meta.service_model

    def check(event_name, response_dict, exception, **_):
        operation = model.operation_model(event_name.rsplit(".", 1)[1])
        if exception is None:
            check_reply(operation, response_dict)

    def check_stack(event_name, response_dict, exception, **_):
        operation = model.operation_model(event_name.rsplit(".", 1)[1])
        if exception is None:
            check_stack_reply(operation, response_dict)

    if model.service_name == "ec2":
        client.meta.events.register("response-received.ec2", check)
    if model.service_name == "cloudformation":
        client.meta.events.register("response-received.cloudformation", check_stack)


def check_stack_reply(operation, reply):
    """The query protocol: <XResponse><XResult/><ResponseMetadata/>, <ErrorResponse>."""
    root = ElementTree.fromstring(reply["body"])
    assert all(element.tag.startswith(STACKS) for element in root.iter()), root.tag
    for element in root.iter():
        name = element.tag[len(STACKS):]
        element.tag = NAMESPACE + ("item" if name == "member" else name)
    short = [child.tag[len(NAMESPACE):] for child in root]
    if reply["status_code"] >= 300:
        assert (root.tag, short) == (f"{NAMESPACE}ErrorResponse", ["Error", "RequestId"])
        assert [child.tag[len(NAMESPACE):] for child in root[0]] == ["Type", "Code", "Message"]
        return
    assert root.tag == f"{NAMESPACE}{operation.name}Response", root.tag
    if operation.output_shape is None and short == ["ResponseMetadata"]:
        return
    assert short == [f"{operation.name}Result", "ResponseMetadata"], short
    assert REQUEST_ID.fullmatch(root[1][0].text)
    check_structure(operation.output_shape, list(root[0]), operation.name)


def check_reply(operation, reply):
    kind = {name.lower(): value for name, value in reply["headers"].items()}["content-type"]
    assert kind.replace(" ", "") == "text/xml;charset=UTF-8", kind
    body = reply["body"]
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>'), body[:80]
    root = ElementTree.fromstring(body)
    if reply["status_code"] >= 300:
        check_error(root)
    else:
        check_success(operation, root)


def check_error(root):
    """<Response><Errors><Error><Code/><Message/></Error></Errors><RequestID/></Response>"""
    assert root.tag == "Response", root.tag
    assert [child.tag for child in root] == ["Errors", "RequestID"]
    assert REQUEST_ID.fullmatch(root[1].text)
    assert [child.tag for child in root[0]] == ["Error"]
    assert [child.tag for child in root[0][0]] == ["Code", "Message"]
    assert all(child.text for child in root[0][0])


def check_success(operation, root):
    assert root.tag == f"{NAMESPACE}{operation.name}Response", root.tag
    children = list(root)
    identifiers = [child for child in children if child.tag == NAMESPACE + "requestId"]
    assert len(identifiers) == 1 and REQUEST_ID.fullmatch(identifiers[0].text or ""), operation.name
    children.remove(identifiers[0])
    if operation.output_shape is None:
        newer = NEWER_OUTPUT.get(operation.name, {})
        for child in [child for child in children if child.tag[len(NAMESPACE):] in newer]:
            check_scalar(newer[child.tag[len(NAMESPACE):]], child, child.tag)
            children.remove(child)
        assert [(child.tag, child.text) for child in children] == [(NAMESPACE + "return", "true")]
        return
    check_structure(operation.output_shape, children, operation.name)


def check_structure(shape, children, path):
    known = {member.serialization.get("name", name): member
             for name, member in shape.members.items()}
    newer = NEWER.get(shape.name, {})
    seen = set()
    for child in children:
        assert child.tag.startswith(NAMESPACE), f"{path}: {child.tag} in a wrong namespace"
        name = child.tag[len(NAMESPACE):]
        assert name not in seen, f"{path}.{name} twice"
        seen.add(name)
        here = f"{path}.{name}"
        if name in known:
            check_value(known[name], child, here)
        else:
            assert name in newer, f"{here}: unknown to AWS ({shape.name})"
            if newer[name] != "any":
                check_scalar(newer[name], child, here)


def check_value(shape, element, path):
    if shape.type_name == "structure":
        assert not (element.text or "").strip(), f"{path}: text in a structure"
        check_structure(shape, list(element), path)
    elif shape.type_name == "list":
        assert not (element.text or "").strip(), f"{path}: text in a list"
        member = shape.member.serialization.get("name", "item")
        for item in element:
            assert item.tag == NAMESPACE + member, f"{path}: {item.tag} in a list"
            check_value(shape.member, item, path + "[]")
    else:
        check_scalar(shape.type_name, element, path)
        if path.endswith(".nextToken"):
            assert element.text, f"{path}: an empty token"


def check_scalar(kind, element, path):
    assert len(element) == 0, f"{path}: elements in a {kind}"
    assert SCALARS[kind].fullmatch(element.text or ""), f"{path}: {element.text!r} is no {kind}"


def demand(entry, members, path=""):
    """`members` of a parsed reply are there: names, or (name, [members of it])."""
    for member in members:
        name, inner = member if isinstance(member, tuple) else (member, [])
        assert name in entry, f"{path}{name} is missing in {sorted(entry)}"
        values = entry[name] if isinstance(entry[name], list) else [entry[name]]
        if inner:
            assert values, f"{path}{name} is empty"
            for value in values:
                demand(value, inner, f"{path}{name}.")
