"""The CloudFormation API as clients use it: deploy, waiters, change sets, what is refused."""
import json
import re

import pytest

import wire
from lib import refused, tags
from stacks import (all_events, await_status, create, delete, get, network, outputs, physical, ref,
                    resource, status, template, web)

GATE = template({"Gate": resource("EC2::InternetGateway", Tags=tags(Name=ref("Word")))},
                {"Gate": ref("Gate")}, Description="a gateway",
                Parameters={"Word": {"Type": "String", "Default": "x", "AllowedValues": ["x", "y"],
                                     "Description": "its name"},
                            "Secret": {"Type": "String", "Default": "s", "NoEcho": True}})
BODY = json.dumps(GATE)


@pytest.fixture
def client(world):
    client = world.client("cloudformation")
    yield client
    for stack in client.describe_stacks()["Stacks"]:
        client.update_termination_protection(StackName=stack["StackName"],
                                             EnableTerminationProtection=False)
        client.delete_stack(StackName=stack["StackName"])
        await_status(client, stack["StackId"], "DELETE_COMPLETE")


def test_deploy(world, client, tmp_path):
    """What the AWS CLI does with a change set: make, change, find nothing to do, fail."""
    file = tmp_path / "lab.json"
    file.write_text(json.dumps(template({**network(), "Web": web()}, {"Web": ref("Web")})))
    deploy = ["cloudformation", "deploy", "--template-file", str(file), "--stack-name", "lab"]
    world.run("aws", *deploy)
    instance = outputs(client, "lab")["Web"]
    world.assert_reaches("internet", world.public(instance))
    body = template({**network(), "Web": web(Tags=tags(Name="web"))}, {"Web": ref("Web")})
    file.write_text(json.dumps(body))
    assert "Successfully created/updated stack - lab" in world.run(
        "aws", *deploy, "--tags", "Owner=us").stdout
    assert outputs(client, "lab") == {"Web": instance}
    body["Resources"]["Bad"] = resource("EC2::Subnet", VpcId=ref("Net"), CidrBlock="10.99.0.0/24")
    file.write_text(json.dumps(body))
    done = world.run("aws", *deploy, check=False)
    assert done.returncode != 0 and "Failed to create/update the stack" in done.stderr
    assert status(client, "lab") == "UPDATE_ROLLBACK_COMPLETE"


def test_the_cli(world, client, tmp_path):
    """Its waiters, and a template as a file."""
    file = tmp_path / "gate.json"
    file.write_text(BODY)
    aws = world.aws
    made = aws("cloudformation", "create-stack", "--stack-name", "one", "--template-body",
               f"file://{file}", "--parameters", "ParameterKey=Word,ParameterValue=y")["StackId"]
    aws("cloudformation", "wait", "stack-create-complete", "--stack-name", "one")
    found = aws("cloudformation", "describe-stacks", "--stack-name", "one")["Stacks"][0]
    assert found["StackId"] == made and found["Description"] == "a gateway"
    assert {entry["ParameterKey"]: entry["ParameterValue"] for entry in found["Parameters"]} == {
        "Word": "y", "Secret": "****"}
    aws("cloudformation", "update-stack", "--stack-name", "one", "--use-previous-template",
        "--parameters", "ParameterKey=Word,ParameterValue=x")
    aws("cloudformation", "wait", "stack-update-complete", "--stack-name", "one")
    assert aws("cloudformation", "get-template", "--stack-name", "one")["TemplateBody"] == GATE
    assert aws("cloudformation", "validate-template", "--template-body", f"file://{file}")[
        "Description"] == "a gateway"
    aws("cloudformation", "delete-stack", "--stack-name", "one")
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "one")
    assert aws("cloudformation", "list-stacks", "--stack-status-filter", "DELETE_COMPLETE")[
        "StackSummaries"][0]["StackId"] == made


def test_change_sets(client):
    """What would be done is told before, and is what is done."""
    resources = {**network(), "Web": web(), "Old": resource("EC2::InternetGateway")}
    create(client, "lab", template(resources))
    before = physical(client, "lab")
    del resources["Old"]
    resources["New"] = resource("EC2::InternetGateway")
    resources["Net"]["Properties"]["Tags"] = tags(Name="net")
    resources["Group"]["Properties"]["GroupDescription"] = "others"
    client.create_change_set(StackName="lab", ChangeSetName="next", Description="x",
                             TemplateBody=json.dumps(template(resources)))
    client.get_waiter("change_set_create_complete").wait(
        StackName="lab", ChangeSetName="next", WaiterConfig={"Delay": 1})
    found = client.describe_change_set(StackName="lab", ChangeSetName="next")
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    changes = {entry["ResourceChange"]["LogicalResourceId"]: entry["ResourceChange"]
               for entry in found["Changes"]}
    assert {name: (change["Action"], change.get("Replacement"))
            for name, change in changes.items()} == {
        "New": ("Add", None), "Old": ("Remove", None), "Net": ("Modify", "False"),
        "Group": ("Modify", "True"), "Web": ("Modify", "False")}
    assert changes["Group"]["PhysicalResourceId"] == before["Group"]
    assert changes["Group"]["Details"][0]["Target"] == {
        "Attribute": "Properties", "Name": "GroupDescription", "RequiresRecreation": "Always"}
    assert changes["Web"]["Details"][0]["Evaluation"] == "Dynamic"
    assert physical(client, "lab") == before
    listed = client.list_change_sets(StackName="lab")["Summaries"]
    assert [entry["ChangeSetName"] for entry in listed] == ["next"]
    client.execute_change_set(StackName="lab", ChangeSetName="next")
    await_status(client, "lab", "UPDATE_COMPLETE")
    after = physical(client, "lab")
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == {
        "New", "Old", "Group"}
    assert client.describe_stacks(StackName="lab")["Stacks"][0]["ChangeSetId"] == found["ChangeSetId"]
    refused("InvalidChangeSetStatus", client.execute_change_set, StackName="lab",
            ChangeSetName="next")
    client.create_change_set(StackName="lab", ChangeSetName="same",
                             TemplateBody=json.dumps(template(resources)))
    def failed():
        return client.describe_change_set(StackName="lab", ChangeSetName="same")
    while failed()["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        pass
    assert failed()["StatusReason"].startswith("The submitted information didn't contain changes.")
    client.delete_change_set(StackName="lab", ChangeSetName="same")
    refused("ChangeSetNotFound", client.describe_change_set, status=404, StackName="lab",
            ChangeSetName="same")


def test_a_set_that_creates(client):
    client.create_change_set(StackName="new", ChangeSetName="first", ChangeSetType="CREATE",
                             TemplateBody=BODY, Tags=tags(a="b"))
    assert status(client, "new") == "REVIEW_IN_PROGRESS"
    refused("ValidationError", client.get_template, StackName="new")
    refused("ValidationError", client.get_template_summary, StackName="new")
    assert client.describe_stack_resources(StackName="new")["StackResources"] == []
    client.get_waiter("change_set_create_complete").wait(
        StackName="new", ChangeSetName="first", WaiterConfig={"Delay": 1})
    found = client.describe_change_set(StackName="new", ChangeSetName="first")
    assert [entry["ResourceChange"]["Action"] for entry in found["Changes"]] == ["Add"]
    client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    await_status(client, "new", "CREATE_COMPLETE")
    assert client.describe_stacks(StackName="new")["Stacks"][0]["Tags"] == tags(a="b")
    refused("ValidationError", client.create_change_set, StackName="new", ChangeSetName="second",
            ChangeSetType="CREATE", TemplateBody=BODY)


def test_pages_of_events(client):
    """A hundred each, the newest first; what comes meanwhile moves none of them."""
    gates = {f"Gate{i}": resource("EC2::InternetGateway") for i in range(60)}
    create(client, "many", template(gates))
    first = client.describe_stack_events(StackName="many")
    assert len(first["StackEvents"]) == 100
    assert first["StackEvents"][0]["LogicalResourceId"] == "many"
    delete_id = first["StackEvents"][0]["StackId"]
    delete(client, "many")
    second = client.describe_stack_events(StackName=delete_id, NextToken=first["NextToken"])
    assert "NextToken" not in second
    entries = first["StackEvents"] + second["StackEvents"]
    assert len({entry["EventId"] for entry in entries}) == len(entries) >= 122
    assert [entry["Timestamp"] for entry in entries] == sorted(
        (entry["Timestamp"] for entry in entries), reverse=True)
    oldest = entries[-1]
    assert (oldest["LogicalResourceId"], oldest["ResourceStatus"]) == ("many", "CREATE_IN_PROGRESS")
    assert len(all_events(client, delete_id)) > len(entries)
    refused("ValidationError", client.describe_stack_events, StackName=delete_id, NextToken="x")


def test_descriptions(client):
    made = create(client, "one", GATE, ClientRequestToken="t")
    assert client.create_stack(StackName="one", TemplateBody=BODY, ClientRequestToken="t")[
        "StackId"] == made
    refused("TokenAlreadyExistsException", client.create_stack, StackName="two",
            TemplateBody=BODY, ClientRequestToken="t")
    assert re.fullmatch(r"arn:aws:cloudformation:us-east-1:123456789012:stack/one/"
                        r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", made)
    gate = physical(client, "one")["Gate"]
    assert client.describe_stack_resources(PhysicalResourceId=gate)["StackResources"][0][
        "StackName"] == "one"
    assert client.describe_stack_resource(StackName="one", LogicalResourceId="Gate")[
        "StackResourceDetail"]["PhysicalResourceId"] == gate
    listed = client.list_stack_resources(StackName=made)["StackResourceSummaries"]
    assert [(entry["ResourceType"], entry["ResourceStatus"]) for entry in listed] == [
        ("AWS::EC2::InternetGateway", "CREATE_COMPLETE")]
    event = client.describe_stack_events(StackName="one")["StackEvents"][1]
    assert json.loads(event["ResourceProperties"])["Tags"] == [{"Key": "Name", "Value": "x"}]
    found = client.get_template_summary(StackName="one")
    assert found["ResourceTypes"] == ["AWS::EC2::InternetGateway"]
    assert found["Parameters"][0] == {
        "ParameterKey": "Word", "DefaultValue": "x", "ParameterType": "String", "NoEcho": False,
        "Description": "its name", "ParameterConstraints": {"AllowedValues": ["x", "y"]}}
    assert client.validate_template(TemplateBody=BODY)["Parameters"][1]["NoEcho"] is True
    delete(client, "one")
    refused("ValidationError", client.describe_stacks, StackName="one",
            text="Stack with id one does not exist")
    assert client.describe_stacks(StackName=made)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    client.delete_stack(StackName="one")


@pytest.mark.parametrize("call, arguments, code, text", [
    ("create_stack", {"StackName": "1x", "TemplateBody": BODY}, "ValidationError", "stackName"),
    ("create_stack", {"StackName": "x"}, "ValidationError", "Template Body"),
    ("create_stack", {"StackName": "x", "TemplateURL": "https://x"}, "ValidationError",
     "TemplateURL"),
    ("create_stack", {"StackName": "x", "TemplateBody": "{"}, "ValidationError", "."),
    ("create_stack", {"StackName": "x", "TemplateBody": json.dumps(template(
        {"A": resource("EC2::Unheard")}))}, "ValidationError", "AWS::EC2::Unheard"),
    ("create_stack", {"StackName": "x", "TemplateBody": json.dumps(template(
        {"A": resource("EC2::VPC", CidrBlock="10.0.0.0/16", Colour="red")}))}, "ValidationError",
     "Colour"),
    ("create_stack", {"StackName": "x", "TemplateBody": BODY, "Parameters": [
        {"ParameterKey": "Nobody", "ParameterValue": "x"}]}, "ValidationError", "Nobody"),
    ("create_stack", {"StackName": "x", "TemplateBody": BODY, "Parameters": [
        {"ParameterKey": "Word", "ParameterValue": "z"}]}, "ValidationError", "Word"),
    ("create_stack", {"StackName": "x", "TemplateBody": BODY, "StackPolicyBody": "{}"},
     "ValidationError", "StackPolicyBody"),
    ("create_stack", {"StackName": "x", "TemplateBody": BODY, "Tags": [
        {"Key": "aws:x", "Value": "y"}]}, "ValidationError", "aws:"),
    ("create_stack", {"StackName": "x", "TemplateBody": BODY, "OnFailure": "DELETE",
                      "DisableRollback": True}, "ValidationError", "OnFailure"),
    ("update_stack", {"StackName": "x", "TemplateBody": BODY}, "ValidationError",
     "does not exist"),
    ("describe_stack_resources", {}, "ValidationError", "does not exist"),
    ("describe_stack_events", {}, "ValidationError", "must be specified"),
    ("get_template_summary", {}, "ValidationError", "Template Body"),
    ("create_change_set", {"StackName": "x", "ChangeSetName": "c", "TemplateBody": BODY},
     "ValidationError", "does not exist"),
    ("describe_stack_resource", {"StackName": "x", "LogicalResourceId": "y"}, "ValidationError",
     "does not exist"),
    ("describe_stack_events", {"StackName": "x"}, "ValidationError", "does not exist"),
    ("get_template", {"StackName": "x"}, "ValidationError", "does not exist"),
    ("list_imports", {"ExportName": "x"}, "ValidationError", "not imported"),
    ("validate_template", {"TemplateBody": "[]"}, "ValidationError", "."),
])
def test_refused(client, call, arguments, code, text):
    refused(code, getattr(client, call), text=re.compile(text), **arguments)
    assert client.describe_stacks()["Stacks"] == []


def test_names_are_taken(client):
    create(client, "one", GATE)
    refused("AlreadyExistsException", client.create_stack, StackName="one", TemplateBody=BODY,
            text="Stack [one] already exists")


def test_our_own_capability(client):
    """What is lacking is left out where that is asked for."""
    body = json.dumps(template({"Role": resource("IAM::Role", AssumeRolePolicyDocument={}),
                                "Gate": resource("EC2::InternetGateway")}))
    refused("ValidationError", client.create_stack, StackName="x", TemplateBody=body,
            text=re.compile("AWS::IAM::Role"))
    create(client, "skip", json.loads(body), Capabilities=["MINIVPC_SKIP_UNSUPPORTED"])
    assert list(physical(client, "skip")) == ["Gate"]


def test_unsigned_and_unknown(world):
    found = wire.call(world, "DescribeStacks")
    assert found.code == "InvalidAction"
