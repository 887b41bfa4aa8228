"""Single options of instances: CPU credits, monitoring, maintenance; what a launch refuses."""
import pytest

import wire
from lib import IMAGE, refused

NOWHERE = "i-0fedcba9876543210"


@pytest.fixture(scope="module")
def ec2(world):
    return world.ec2


@pytest.fixture(scope="module")
def subnet(world):
    return world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")


@pytest.fixture
def launch(world, ec2, subnet):
    ids = []

    def run(**more):
        reply = ec2.run_instances(**{"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1,
                                     "SubnetId": subnet, "InstanceType": "t3.micro", **more})
        ids.append(reply["Instances"][0]["InstanceId"])
        world.await_state("running", ids[-1])
        return ids[-1]
    yield run
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        world.await_state("terminated", *ids)


def credits(ec2, **arguments):
    found = ec2.describe_instance_credit_specifications(**arguments)
    return {entry["InstanceId"]: entry["CpuCredits"]
            for entry in found["InstanceCreditSpecifications"]}


def test_credits(ec2, launch):
    three, two = launch(), launch(InstanceType="t2.micro")
    standard = launch(CreditSpecification={"CpuCredits": "standard"})
    none = launch(InstanceType="m5.large")
    wanted = {three: "unlimited", two: "standard", standard: "standard"}
    assert credits(ec2, InstanceIds=[three, two, standard]) == wanted
    assert credits(ec2) == {three: "unlimited"}  # without ids, those with unlimited credits
    assert credits(ec2, Filters=[{"Name": "instance-id", "Values": [two]}]) == {}
    refused("InstanceCreditSpecification.NotSupported",
            ec2.describe_instance_credit_specifications, InstanceIds=[none])
    refused("InvalidInstanceID.NotFound", ec2.describe_instance_credit_specifications,
            InstanceIds=[NOWHERE])
    reply = ec2.modify_instance_credit_specification(InstanceCreditSpecifications=[
        {"InstanceId": two, "CpuCredits": "unlimited"},
        {"InstanceId": none, "CpuCredits": "unlimited"}])
    assert reply["SuccessfulInstanceCreditSpecifications"] == [{"InstanceId": two}]
    failed, = reply["UnsuccessfulInstanceCreditSpecifications"]
    assert failed["InstanceId"] == none
    assert failed["Error"]["Code"] == "InstanceCreditSpecification.NotSupported"
    assert credits(ec2, InstanceIds=[two]) == {two: "unlimited"}
    for code, arguments in (
            ("InvalidParameterValue", {"InstanceId": three, "CpuCredits": "none"}),
            ("InvalidInstanceID.NotFound", {"InstanceId": NOWHERE, "CpuCredits": "standard"})):
        refused(code, ec2.modify_instance_credit_specification, InstanceCreditSpecifications=[
            {"InstanceId": two, "CpuCredits": "standard"}, arguments])
    assert credits(ec2, InstanceIds=[two]) == {two: "unlimited"}  # all or none


def test_monitoring(world, ec2, launch):
    instance = launch()
    for call, wanted in ((ec2.monitor_instances, "enabled"),
                         (ec2.unmonitor_instances, "disabled")):
        changed, = call(InstanceIds=[instance])["InstanceMonitorings"]
        assert changed == {"InstanceId": instance, "Monitoring": {"State": wanted}}
        assert world.instance(instance)["Monitoring"] == {"State": wanted}
        refused("InvalidInstanceID.NotFound", call, InstanceIds=[instance, NOWHERE])


def test_maintenance(world, ec2, launch):
    instance = launch(MaintenanceOptions={"AutoRecovery": "disabled"})
    assert world.instance(instance)["MaintenanceOptions"] == {"AutoRecovery": "disabled"}
    reply = ec2.modify_instance_maintenance_options(InstanceId=instance, AutoRecovery="default")
    assert (reply["InstanceId"], reply["AutoRecovery"]) == (instance, "default")
    assert world.instance(instance)["MaintenanceOptions"] == {"AutoRecovery": "default"}
    refused("InvalidParameterValue", ec2.modify_instance_maintenance_options,
            InstanceId=instance, AutoRecovery="always")
    refused("MissingParameter", ec2.modify_instance_maintenance_options, InstanceId=instance)


@pytest.mark.parametrize("code, options", [
    ("UnsupportedOperation", {"IamInstanceProfile": {"Name": "role"}}),
    ("UnsupportedOperation", {"Placement": {"GroupName": "cluster"}}),
    ("UnsupportedOperation", {"Placement": {"HostId": "h-0123456789abcdef0"}}),
    ("UnsupportedOperation", {"InstanceMarketOptions": {"MarketType": "spot"}}),
    ("UnsupportedOperation", {"HibernationOptions": {"Configured": True}}),
    ("UnsupportedOperation", {"EnclaveOptions": {"Enabled": True}}),
    ("UnsupportedOperation", {"CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 1}}),
    ("UnsupportedOperation", {"CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}}),
    ("InvalidParameterValue", {"CreditSpecification": {"CpuCredits": "plenty"}}),
    ("InvalidParameterCombination", {"CreditSpecification": {"CpuCredits": "standard"},
                                     "InstanceType": "m5.large"}),
    ("InvalidParameterValue", {"MaintenanceOptions": {"AutoRecovery": "always"}})])
def test_refused(ec2, subnet, code, options):
    found = refused(code, ec2.run_instances, **{
        "ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet,
        "InstanceType": "t3.micro", **options})
    if code == "UnsupportedOperation":
        assert next(iter(options)) in found.message


def test_what_asks_for_nothing(launch):
    launch(CpuOptions={"CoreCount": 2, "ThreadsPerCore": 1},
           CapacityReservationSpecification={"CapacityReservationPreference": "open"},
           HibernationOptions={"Configured": False}, EnclaveOptions={"Enabled": False},
           PrivateDnsNameOptions={"HostnameType": "ip-name"})


def test_empty_is_absent(world, ec2, subnet):
    """As Terraform leaves out what isn't set."""
    empty = ("Placement.AvailabilityZone", "Placement.Tenancy", "Placement.GroupName",
             "Placement.Affinity", "Placement.HostId", "KeyName", "UserData",
             "IamInstanceProfile.Name", "CreditSpecification.CpuCredits",
             "MetadataOptions.HttpTokens", "InstanceInitiatedShutdownBehavior")
    reply = wire.call(world, "RunInstances", ImageId=IMAGE, MinCount="1", MaxCount="1",
                      SubnetId=subnet, **{name: "" for name in empty})
    assert reply.status == 200, reply.code


def test_a_stopped_one_changes(world, ec2, launch):
    instance = launch(InstanceType="t3.large", UserData="#!/bin/sh\n")
    change, show = ec2.modify_instance_attribute, lambda name: \
        ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    change(InstanceId=instance, InstanceType={"Value": "t2.micro"})
    assert world.instance(instance)["InstanceType"] == "t2.micro"
    assert credits(ec2, InstanceIds=[instance]) == {instance: "standard"}
    change(InstanceId=instance, UserData={"Value": b"other"})
    assert show("userData")["UserData"] == {"Value": "b3RoZXI="}
    change(InstanceId=instance, UserData={"Value": b""})
    assert show("userData")["UserData"] == {}
    change(InstanceId=instance, EbsOptimized={"Value": True})
    assert world.instance(instance)["EbsOptimized"] is True
    refused("InvalidParameterValue", change, InstanceId=instance,
            InstanceType={"Value": "z9.banana"}, text="Invalid value 'z9.banana' for InstanceType.")
    refused("InvalidParameterValue", change, InstanceId=instance,
            UserData={"Value": b"x" * 16385}, text="User data is limited to 16384 bytes")
    ec2.start_instances(InstanceIds=[instance])
    world.await_state("running", instance)
    assert world.instance(instance)["InstanceType"] == "t2.micro"


def test_an_attribute_named_is_the_one_that_changes(world, ec2, launch):
    change, one = ec2.modify_instance_attribute, {"InstanceId": launch()}
    group = world.instance(one["InstanceId"])["SecurityGroups"][0]["GroupId"]
    off = {"SourceDestCheck": {"Value": False}}
    for name in ("banana", "disableApiStop", "groupSet"):
        refused("InvalidParameterCombination", change, **one, **off, Attribute=name)
    refused("MissingParameter", change, **one, **off, Value="false",
            text="The request must contain the parameter attribute")
    assert world.instance(one["InstanceId"])["SourceDestCheck"] is True
    change(**one, **off, Attribute="sourceDestCheck")
    change(**one, Groups=[group], Attribute="groupSet")
    assert world.instance(one["InstanceId"])["SourceDestCheck"] is False


def test_every_attribute_is_answered_or_refused_by_name(world, ec2, launch):
    """Those that the model of the API has, all."""
    instance = launch()
    shape = ec2.meta.service_model.shape_for("InstanceAttributeName")
    known = [*shape.enum, "disableApiStop"]  # newer than the model
    shown = {"kernel": "KernelId", "ramdisk": "RamdiskId", "groupSet": "Groups",
             "blockDeviceMapping": "BlockDeviceMappings"}
    assert len(known) > 15
    for name in known:
        reply = wire.call(world, "DescribeInstanceAttribute", InstanceId=instance, Attribute=name)
        assert reply.status == 200, (name, reply.code)
        tags = [child.tag.split("}")[1] for child in reply.root]
        assert tags == ["requestId", "instanceId", name], tags
        assert shown.get(name, name[0].upper() + name[1:]) in ec2.describe_instance_attribute(
            InstanceId=instance, Attribute=name)
    settable = {"instanceType": "IncorrectInstanceState", "userData": "IncorrectInstanceState",
                "ebsOptimized": "IncorrectInstanceState", "disableApiTermination": None,
                "disableApiStop": None, "sourceDestCheck": None,
                "instanceInitiatedShutdownBehavior": None}
    values = {"instanceType": "t3.small", "userData": "eA==",
              "instanceInitiatedShutdownBehavior": "stop"}
    for name in known:
        reply = wire.call(world, "ModifyInstanceAttribute", InstanceId=instance, Attribute=name,
                          Value=values.get(name, "false"))
        if name not in settable:
            assert reply.code == "UnsupportedOperation" and name in reply.message, name
        else:
            assert reply.code == settable[name], name


def test_a_type_too_small(world, ec2, subnet, launch):
    instance = launch(InstanceType="t3.large")
    for index in (1, 2):
        card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
        ec2.attach_network_interface(NetworkInterfaceId=card["NetworkInterfaceId"],
                                     InstanceId=instance, DeviceIndex=index)
    ec2.stop_instances(InstanceIds=[instance])
    world.await_state("stopped", instance)
    refused("AttachmentLimitExceeded", ec2.modify_instance_attribute, InstanceId=instance,
            InstanceType={"Value": "t3.micro"})
    assert world.instance(instance)["InstanceType"] == "t3.large"
