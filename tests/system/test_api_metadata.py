"""Options of instance metadata: at launch, of an instance, and an account's defaults."""
import pytest

import wire
from conformance import demand
from lib import IMAGE, refused, tag_specification

ONE = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1}
KEY = ("'team/name' is not a valid tag key. Tag keys must match pattern "
       r"([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')")
NAMESPACE = "{http://ec2.amazonaws.com/doc/2016-11-15/}"


@pytest.fixture
def ec2(world):
    return world.ec2


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")


@pytest.fixture
def launch(world, subnet):
    """Through whatever client the world has by then: it may have been started again."""
    ids = []

    def run(**more):
        created, = world.ec2.run_instances(**ONE, SubnetId=subnet, **more)["Instances"]
        ids.append(created["InstanceId"])
        return created
    yield run
    if ids:
        world.ec2.terminate_instances(InstanceIds=ids)


def options(world, instance):
    return world.instance(instance)["MetadataOptions"]


def test_modify(world, ec2, launch):
    instance = launch()["InstanceId"]
    plain = {"State": "applied", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1,
             "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled",
             "InstanceMetadataTags": "disabled"}
    assert options(world, instance) == plain
    reply = ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required",
                                                 HttpPutResponseHopLimit=64)
    demand(reply, ["InstanceId", ("InstanceMetadataOptions", list(plain))])
    changed = {**plain, "HttpTokens": "required", "HttpPutResponseHopLimit": 64}
    assert (reply["InstanceId"], reply["InstanceMetadataOptions"]) == (instance, changed)
    assert options(world, instance) == changed
    ec2.modify_instance_metadata_options(InstanceId=instance, HttpEndpoint="disabled",
                                         InstanceMetadataTags="enabled",
                                         HttpProtocolIpv6="enabled")
    changed = {**changed, "HttpEndpoint": "disabled", "InstanceMetadataTags": "enabled",
               "HttpProtocolIpv6": "enabled"}
    assert options(world, instance) == changed
    world.restart()
    assert options(world, instance) == changed


def test_modify_refusals(world, ec2, launch):
    instance = launch()["InstanceId"]
    before = options(world, instance)

    def denied(code, text=None, **more):
        refused(code, ec2.modify_instance_metadata_options, InstanceId=instance, text=text, **more)
    denied("InvalidParameterValue", HttpTokens="sometimes",
           text="Value (sometimes) for parameter HttpTokens is invalid.")
    denied("InvalidParameterValue", HttpTokens="required", HttpEndpoint="off")
    for hops in (0, 65, -1):
        denied("InvalidParameterValue", HttpTokens="required", HttpPutResponseHopLimit=hops)
    assert options(world, instance) == before
    refused("InvalidInstanceID.NotFound", ec2.modify_instance_metadata_options,
            InstanceId="i-0fedcba9876543210", HttpTokens="required")
    ec2.terminate_instances(InstanceIds=[instance])
    world.await_state("terminated", instance)
    denied("IncorrectInstanceState", HttpTokens="required")


def test_tags_that_metadata_can_show(world, ec2, launch):
    """A key is a name in a path."""
    odd = tag_specification("instance", **{"team/name": "x"})
    instance = launch(TagSpecifications=odd)["InstanceId"]
    refused("InvalidParameterValue", ec2.modify_instance_metadata_options, InstanceId=instance,
            InstanceMetadataTags="enabled", text=KEY)
    assert options(world, instance)["InstanceMetadataTags"] == "disabled"
    ec2.delete_tags(Resources=[instance], Tags=[{"Key": "team/name"}])
    ec2.modify_instance_metadata_options(InstanceId=instance, InstanceMetadataTags="enabled")
    for key in ("team name", "é", ".", "..", "_index", "team/name"):
        refused("InvalidParameterValue", ec2.create_tags, Resources=[instance],
                Tags=[{"Key": key, "Value": "x"}])
    refused("InvalidParameterValue", launch, TagSpecifications=odd,
            MetadataOptions={"InstanceMetadataTags": "enabled"}, text=KEY)
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "a-Z_0+=,.@:", "Value": "any / thing"}])
    ec2.modify_instance_metadata_options(InstanceId=instance, InstanceMetadataTags="disabled")
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "team/name", "Value": "x"}])


def defaults(world):
    """Debian's boto3 doesn't know these calls yet."""
    reply = wire.call(world, "GetInstanceMetadataDefaults")
    assert reply.status == 200, reply.body
    level = reply.root.find(NAMESPACE + "accountLevel")
    return {member.tag[len(NAMESPACE):]: member.text for member in level}


def modify(world, **wanted):
    reply = wire.call(world, "ModifyInstanceMetadataDefaults", **wanted)
    assert reply.status == 200, reply.body
    assert reply.root.findtext(NAMESPACE + "return") == "true"


def test_account_defaults(world, launch):
    assert defaults(world) == {"managedBy": "account"}
    modify(world, HttpTokens="required", HttpPutResponseHopLimit=2, InstanceMetadataTags="enabled")
    assert defaults(world) == {"httpTokens": "required", "httpPutResponseHopLimit": "2",
                               "instanceMetadataTags": "enabled", "managedBy": "account"}
    world.restart()
    found = launch()["MetadataOptions"]
    assert (found["HttpTokens"], found["HttpPutResponseHopLimit"], found["HttpEndpoint"],
            found["InstanceMetadataTags"]) == ("required", 2, "enabled", "enabled")
    found = launch(MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": 5})[
        "MetadataOptions"]
    assert (found["HttpTokens"], found["HttpPutResponseHopLimit"],
            found["InstanceMetadataTags"]) == ("optional", 5, "enabled")
    modify(world, HttpTokens="no-preference", HttpPutResponseHopLimit="-1",
           InstanceMetadataTags="no-preference")
    assert defaults(world) == {"managedBy": "account"}
    assert launch()["MetadataOptions"]["HttpTokens"] == "optional"


def test_account_defaults_refusals(world):
    for wanted in ({"HttpTokens": "always"}, {"HttpPutResponseHopLimit": "0"},
                   {"HttpPutResponseHopLimit": "65"}, {"HttpEndpoint": "no"}):
        reply = wire.call(world, "ModifyInstanceMetadataDefaults", **wanted)
        assert (reply.status, reply.code) == (400, "InvalidParameterValue"), reply.body
    reply = wire.call(world, "ModifyInstanceMetadataDefaults", HttpTokensEnforced="enabled")
    assert (reply.status, reply.code) == (400, "UnsupportedOperation"), reply.body
    assert defaults(world) == {"managedBy": "account"}
