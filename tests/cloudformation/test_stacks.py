"""Stacks: created, updated, rolled back, deleted, with truthful events."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation import writes
from localaws.cloudformation.providers.messaging import Queue
from localaws.cloudformation.providers.s3 import Bucket
from localaws.core.aws import LocalAws, start
from localaws.errors import AwsError
from tests.cloudformation.conftest import SERVICES, Stack, body


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def bucket(name: str, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


BAD = {**bucket("No"), "DependsOn": ["Queue", "Lake"]}  # S3 takes no capital letters


def buckets(aws: LocalAws) -> list[str]:
    return [found["Name"] for found in aws.client("s3").list_buckets()["Buckets"]]


def queues(aws: LocalAws) -> list[str]:
    urls = aws.client("sqs").list_queues().get("QueueUrls", [])
    return [url.rsplit("/", 1)[1] for url in urls]


def trust(service: str) -> dict[str, Any]:
    """The policy of a role that the service may assume."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_resources_are_made_after_what_they_need(stack: Stack, aws: LocalAws) -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    template = {
        "Resources": {
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": ref("Lake"), "PolicyDocument": policy},
            },
            "Lake": bucket(
                "lake",
                VersioningConfiguration={"Status": "Enabled"},
                NotificationConfiguration={
                    "EventBridgeConfiguration": {"EventBridgeEnabled": "true"}
                },
                LifecycleConfiguration={
                    "Rules": [{"Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": "7"}]
                },
                Tags=[{"Key": "own", "Value": "1"}],
            ),
            "Uploads": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {"source": ["aws.s3"]},
                    "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
            "Queue": queue(VisibilityTimeout=45),
            "Daily": {
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "ScheduleExpression": "cron(0 8 * * ? *)",
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "Target": {
                        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    },
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": trust("scheduler.amazonaws.com"),
                    "Policies": [
                        {"PolicyName": "p", "PolicyDocument": {**policy, "Statement": [reading]}}
                    ],
                },
            },
            "Logs": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": "/shop", "RetentionInDays": 14},
            },
        },
        "Outputs": {
            "Site": {"Value": {"Fn::GetAtt": ["Lake", "WebsiteURL"]}},
            "Queue": {"Value": ref("Queue"), "Description": "where"},
        },
    }
    assert stack.create(template, Tags=[{"Key": "all", "Value": "2"}]) == "CREATE_COMPLETE"
    order = [name for name, _ in stack.events("CREATE_COMPLETE")]
    for earlier, later in (("Lake", "Policy"), ("Queue", "Uploads"), ("Role", "Daily")):
        assert order.index(earlier) < order.index(later)
    assert order[-1] == "shop"
    assert stack.outputs["Site"] == f"{aws.url}/_aws/website/lake/"
    s3 = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket="lake")["Status"] == "Enabled"
    assert aws.object_store.buckets.tells_eventbridge("lake")
    tags = {tag["Key"] for tag in s3.get_bucket_tagging(Bucket="lake")["TagSet"]}
    assert tags == {"own", "all"}
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    assert [group.get("retentionInDays") for group in groups] == [14]
    assert stack.delete() == "DELETE_COMPLETE"
    assert (buckets(aws), queues(aws)) == ([], [])
    assert aws.client("events").list_rules()["Rules"] == []
    assert aws.client("iam").list_roles()["Roles"] == []


def test_a_subscription_is_made_changed_and_deleted(aws: LocalAws, stack: Stack) -> None:
    def template(**more: Any) -> Any:
        told = {
            "TopicArn": ref("News"),
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
            **more,
        }
        return {
            "Resources": {
                "News": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "News"}},
                "Queue": queue(),
                "Told": {"Type": "AWS::SNS::Subscription", "Properties": told},
            },
            "Outputs": {"Arn": {"Value": ref("Told")}},
        }

    def raw() -> str:
        shown = aws.client("sns").get_subscription_attributes(SubscriptionArn=stack.outputs["Arn"])
        return str(shown["Attributes"]["RawMessageDelivery"])

    assert stack.create(template()) == "CREATE_COMPLETE"
    assert raw() == "false"
    assert stack.update(template(RawMessageDelivery=True)) == "UPDATE_COMPLETE"
    assert raw() == "true"
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.client("sns").list_subscriptions()["Subscriptions"] == []


def test_a_failed_creation_is_rolled_back_and_says_why(stack: Stack, aws: LocalAws) -> None:
    template = {"Resources": {"Queue": queue(), "Lake": bucket("lake"), "Bad": BAD}}
    assert stack.create(template) == "ROLLBACK_COMPLETE"
    assert "The specified bucket is not valid: 'No'" in stack.reason("Bad", "CREATE_FAILED")
    assert "failed to create: [Bad]" in stack.reason("shop", "ROLLBACK_IN_PROGRESS")
    assert (buckets(aws), queues(aws)) == ([], [])
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        stack.update(template)


@pytest.mark.parametrize(
    ("choice", "status", "left"),
    [("DO_NOTHING", "CREATE_FAILED", ["lake"]), ("DELETE", "DELETE_COMPLETE", [])],
)
def test_what_happens_on_failure_can_be_chosen(
    stack: Stack, aws: LocalAws, choice: str, status: str, left: list[str]
) -> None:
    template = {"Resources": {"Queue": queue(), "Lake": bucket("lake"), "Bad": BAD}}
    assert stack.create(template, OnFailure=choice) == status
    assert buckets(aws) == left


def test_an_update_changes_in_place_replaces_adds_and_removes(stack: Stack, aws: LocalAws) -> None:
    stack.create(
        {
            "Resources": {
                "Same": queue(QueueName="same"),
                "Changed": queue(QueueName="changed", DelaySeconds=1),
                "Replaced": queue(QueueName="before"),
                "Removed": queue(QueueName="removed"),
            }
        }
    )
    template = {
        "Resources": {
            "Same": queue(QueueName="same"),
            "Changed": queue(QueueName="changed", DelaySeconds=2),
            "Replaced": queue(QueueName="after"),
            "Added": queue(QueueName="added"),
        }
    }
    assert stack.update(template) == "UPDATE_COMPLETE"
    assert sorted(queues(aws)) == ["added", "after", "changed", "same"]
    after = stack.events()[stack.events().index(("shop", "UPDATE_IN_PROGRESS")) :]
    assert ("Same", "UPDATE_IN_PROGRESS") not in after
    cleanup = after.index(("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert after.index(("Replaced", "UPDATE_COMPLETE")) < cleanup
    assert after.index(("Replaced", "DELETE_COMPLETE")) > cleanup
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.update(template)


def test_a_failed_update_brings_back_what_was(stack: Stack, aws: LocalAws) -> None:
    before = {
        "Resources": {
            "Queue": queue(QueueName="q", DelaySeconds=1),
            "Lake": bucket("lake"),
            "Replaced": queue(QueueName="before"),
        },
        "Outputs": {"Name": {"Value": ref("Replaced")}},
    }
    stack.create(before)
    outputs = stack.outputs
    after = {
        "Resources": {
            "Queue": queue(QueueName="q", DelaySeconds=9),
            "Lake": bucket("lake"),
            "Replaced": queue(QueueName="after"),
            "Bad": {**BAD, "DependsOn": ["Queue", "Replaced"]},
        }
    }
    assert stack.update(after) == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(queues(aws)) == ["before", "q"]
    assert stack.outputs == outputs
    sqs = aws.client("sqs")
    url = stack.physical("Queue")
    delay = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    assert delay["Attributes"]["DelaySeconds"] == "1"
    with pytest.raises(ClientError, match="No updates"):
        stack.update(before)


def test_a_named_resource_cannot_be_replaced_under_its_name(stack: Stack) -> None:
    def table(key: str) -> dict[str, Any]:
        properties = {
            "TableName": "t",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        }
        return {"Resources": {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}

    stack.create(table("a"))
    assert stack.update(table("b")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Rename t and update the stack again" in stack.reason("Table", "UPDATE_FAILED")


def test_retained_resources_stay(stack: Stack, aws: LocalAws) -> None:
    kept = {**bucket("kept"), "DeletionPolicy": "Retain"}
    stack.create({"Resources": {"Kept": kept, "Queue": queue()}})
    assert stack.delete() == "DELETE_COMPLETE"
    assert ("Kept", "DELETE_SKIPPED") in stack.events()
    assert buckets(aws) == ["kept"]


@pytest.mark.parametrize(("policy", "left"), [("Retain", ["new", "old"]), ("Delete", ["new"])])
def test_what_an_update_replaces_stays_if_its_policy_says_so(
    stack: Stack, aws: LocalAws, policy: str, left: list[str]
) -> None:
    def lake(name: str) -> dict[str, Any]:
        return {"Resources": {"Lake": {**bucket(name), "UpdateReplacePolicy": policy}}}

    stack.create(lake("old"))
    assert stack.update(lake("new")) == "UPDATE_COMPLETE"
    assert buckets(aws) == left
    assert (("Lake", "DELETE_SKIPPED") in stack.events()) == (policy == "Retain")
    assert stack.delete() == "DELETE_COMPLETE"
    assert buckets(aws) == left[1:]


def test_a_bucket_with_objects_blocks_the_deletion_by_name(stack: Stack, aws: LocalAws) -> None:
    stack.create({"Resources": {"Lake": bucket("lake"), "Queue": queue()}})
    aws.objects.put("lake", "a", b"")
    assert stack.delete() == "DELETE_FAILED"
    assert "not empty: lake" in stack.reason("Lake", "DELETE_FAILED")
    aws.objects.delete("lake", "a")
    assert stack.delete() == "DELETE_COMPLETE"


def test_change_sets_say_what_will_happen_and_do_it(stack: Stack, aws: LocalAws) -> None:
    client = stack.client

    def change_set(name: str, template: Any, kind: str) -> Any:
        client.create_change_set(
            StackName="shop",
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
        )
        return client.describe_change_set(StackName="shop", ChangeSetName=name)

    first = {"Resources": {"Queue": queue(QueueName="a")}}
    found = change_set("one", first, "CREATE")
    assert [item["ResourceChange"]["Action"] for item in found["Changes"]] == ["Add"]
    assert stack.described["StackStatus"] == "REVIEW_IN_PROGRESS"
    client.execute_change_set(StackName="shop", ChangeSetName="one")
    assert stack.settled() == "CREATE_COMPLETE"

    same = change_set("same", first, "UPDATE")
    assert same["Status"] == "FAILED"
    assert "didn't contain changes" in same["StatusReason"]

    found = change_set("two", {"Resources": {"Queue": queue(QueueName="b")}}, "UPDATE")
    change = found["Changes"][0]["ResourceChange"]
    assert (change["Action"], change["Replacement"]) == ("Modify", "True")
    assert queues(aws) == ["a"]
    client.execute_change_set(StackName="shop", ChangeSetName="two")
    assert stack.settled() == "UPDATE_COMPLETE"
    assert queues(aws) == ["b"]


def kept(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}, **more}


KEPT = {"DeletionPolicy": "RetainExceptOnCreate"}


def importing(stack: Stack, template: Any, *names: str) -> Any:
    """A change set that imports the buckets of these logical names, described."""
    stack.client.create_change_set(
        StackName="shop",
        ChangeSetName="adopt",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::S3::Bucket",
                "LogicalResourceId": name,
                "ResourceIdentifier": {"BucketName": name.lower()},
            }
            for name in names
        ],
    )
    return stack.client.describe_change_set(StackName="shop", ChangeSetName="adopt")


def test_what_an_earlier_stack_kept_is_imported_with_what_it_holds(
    stack: Stack, aws: LocalAws
) -> None:
    template = {"Resources": {"Lake": kept("lake", **KEPT)}}
    stack.create(template)
    aws.client("s3").put_object(Bucket="lake", Key="a", Body=b"a")
    assert stack.delete() == "DELETE_COMPLETE"
    assert stack.create(template) == "ROLLBACK_COMPLETE"
    assert "lake already exists" in stack.reason("Lake", "CREATE_FAILED")
    stack.delete()
    stack.id = ""

    (change,) = importing(stack, template, "Lake")["Changes"]
    assert (change["ResourceChange"]["Action"], change["ResourceChange"]["PhysicalResourceId"]) == (
        *("Import", "lake"),
    )
    stack.client.execute_change_set(StackName="shop", ChangeSetName="adopt")
    assert stack.settled() == "IMPORT_COMPLETE"
    stack.id = stack.described["StackId"]
    versioned = kept("lake", **KEPT)
    versioned["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
    assert stack.update({"Resources": {"Lake": versioned}}) == "UPDATE_COMPLETE"
    assert aws.client("s3").get_bucket_versioning(Bucket="lake")["Status"] == "Enabled"
    assert aws.client("s3").get_object(Bucket="lake", Key="a")["Body"].read() == b"a"

    other = Stack(aws, "other")
    with pytest.raises(other.client.exceptions.ClientError, match="lake is already in stack"):
        importing(other, {"Resources": {"Lake": kept("lake", **KEPT)}}, "Lake")


@pytest.mark.parametrize(
    ("template", "names", "words"),
    [
        ({"Resources": {"Lake": kept("lake")}}, ["Lake"], r"import \[Lake\] must have Deletion"),
        (
            {"Resources": {"Lake": kept("lake", **KEPT), "More": kept("more", **KEPT)}},
            *(["Lake"], "are missing from ResourceToImport list"),
        ),
        (
            {"Resources": {"Lake": kept("lake", **KEPT)}, "Outputs": {"A": {"Value": "a"}}},
            *(["Lake"], r"you cannot modify or add \[Outputs\]"),
        ),
        ({"Resources": {"Lake": kept("lake", **KEPT)}}, ["Lake", "No"], "missing from the templ"),
    ],
)
def test_an_import_does_nothing_else(
    stack: Stack, template: Any, names: list[str], words: str
) -> None:
    with pytest.raises(stack.client.exceptions.ClientError, match=words):
        importing(stack, template, *names)


def test_what_is_not_there_is_not_imported(stack: Stack) -> None:
    importing(stack, {"Resources": {"Lake": kept("lake", **KEPT)}}, "Lake")
    stack.client.execute_change_set(StackName="shop", ChangeSetName="adopt")
    assert stack.settled() == "IMPORT_ROLLBACK_COMPLETE"
    assert stack.client.list_stack_resources(StackName="shop")["StackResourceSummaries"] == []


def test_a_rollback_that_failed_goes_on_when_its_cause_is_gone(
    stack: Stack, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html"""
    stack.create({"Resources": {"Lake": kept("lake")}})
    broken = {
        "Lake": kept("lake", DependsOn="New"),
        "New": kept("new"),
        "Bad": kept("Not A Name", DependsOn="Lake"),
    }
    broken["Lake"]["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
    with pytest.raises(stack.client.exceptions.ClientError, match="can not continue rollback"):
        stack.client.continue_update_rollback(StackName="shop")

    def not_empty(*_: Any) -> None:
        raise AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty")

    with monkeypatch.context() as holding:
        holding.setattr(Bucket, "delete", not_empty)
        assert stack.update({"Resources": broken}) == "UPDATE_ROLLBACK_FAILED"
    assert "[New]" in stack.described["StackStatusReason"]
    with pytest.raises(stack.client.exceptions.ClientError, match="can not be updated"):
        stack.update({"Resources": {"Lake": kept("lake")}})

    stack.client.continue_update_rollback(StackName="shop")
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert [b["Name"] for b in aws.client("s3").list_buckets()["Buckets"]] == ["lake"]


def test_stacks_survive_a_restart(tmp_path: Path) -> None:
    first = start(tmp_path, SERVICES)
    stack = Stack(first)
    stack.create({"Resources": {"Queue": queue()}, "Outputs": {"Url": {"Value": ref("Queue")}}})
    outputs = stack.outputs
    first.stop()
    second = start(tmp_path, SERVICES)
    again = Stack(second)
    assert again.described["StackStatus"] == "CREATE_COMPLETE"
    assert again.outputs == outputs
    again.id = str(again.described["StackId"])
    assert again.delete() == "DELETE_COMPLETE"
    assert queues(second) == []
    second.stop()


CODE = """
import json, urllib.request

def handler(event, context):
    wanted = event["ResourceProperties"]
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "thing-" + wanted["Name"],
              "StackId": event["StackId"], "RequestId": event["RequestId"],
              "LogicalResourceId": event["LogicalResourceId"],
              "Data": {"Upper": wanted["Name"].upper(), "Count": wanted["Count"]}}
    if wanted["Name"] == "bad":
        answer |= {"Status": "FAILED", "Reason": "no bad things"}
    if wanted["Name"] == "crash":
        raise ValueError("boom")
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(),
                                     method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request)
"""


def things(name: str) -> dict[str, Any]:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    return {
        "Resources": {
            "Role": role,
            "Maker": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    **{"Handler": "index.handler", "Runtime": "python3.11"},
                    **{"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": CODE}},
                },
            },
            "Thing": {
                "Type": "Custom::Thing",
                "Properties": {
                    "ServiceToken": {"Fn::GetAtt": ["Maker", "Arn"]},
                    **{"Name": name, "Count": 3},
                },
            },
        },
        "Outputs": {
            "Ref": {"Value": ref("Thing")},
            "Upper": {"Value": {"Fn::Sub": "${Thing.Upper} ${Thing.Count}"}},
        },
    }


def test_a_custom_resource_is_made_by_its_function(server: LocalAws) -> None:
    stack = Stack(server)
    role_document = trust("lambda.amazonaws.com")
    template = things("one")
    template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"] = role_document
    assert stack.create(template) == "CREATE_COMPLETE"
    assert stack.outputs == {"Ref": "thing-one", "Upper": "ONE 3"}
    template["Resources"]["Thing"]["Properties"]["Name"] = "two"
    assert stack.update(template) == "UPDATE_COMPLETE"
    assert stack.outputs == {"Ref": "thing-two", "Upper": "TWO 3"}
    assert ("Thing", "DELETE_COMPLETE") in stack.events()  # thing-one
    for name, reason in (("bad", "no bad things"), ("crash", "boom")):
        template["Resources"]["Thing"]["Properties"]["Name"] = name
        assert stack.update(template) == "UPDATE_ROLLBACK_COMPLETE"
        assert reason in stack.reason("Thing", "UPDATE_FAILED")
        assert stack.outputs["Ref"] == "thing-two"
    assert stack.delete() == "DELETE_COMPLETE"


def test_long_lists_come_in_pages(stack: Stack) -> None:
    names = [f"Queue{number:03}" for number in range(101)]
    outputs = {name: {"Value": "v", "Export": {"Name": f"x{name}"}} for name in names}
    template = {"Resources": {name: queue() for name in names}, "Outputs": outputs}
    assert stack.create(template) == "CREATE_COMPLETE"

    def pages(operation: str, member: str, **given: str) -> list[list[Any]]:
        paginator = stack.client.get_paginator(operation)
        return [page[member] for page in paginator.paginate(**given)]

    resources = pages("list_stack_resources", "StackResourceSummaries", StackName=stack.id)
    assert [len(page) for page in resources] == [100, 1]
    assert [item["LogicalResourceId"] for page in resources for item in page] == names
    exports = pages("list_exports", "Exports")
    assert [len(page) for page in exports] == [100, 1]
    events = pages("describe_stack_events", "StackEvents", StackName=stack.id)
    assert [len(page) for page in events[:2]] == [100, 100]
    every = [event for page in events for event in page]
    assert len({event["EventId"] for event in every}) == len(every) >= 204
    assert every[0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert every[-1]["ResourceStatusReason"] == "User Initiated"
    for operation in (stack.client.list_stacks, stack.client.describe_stacks):
        with pytest.raises(ClientError, match="was not given by this list"):
            operation(NextToken="x")


def test_protection_and_an_operation_at_work_leave_each_other_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack.create({"Resources": {"One": queue()}}) == "CREATE_COMPLETE"
    gate, create = threading.Event(), Queue.create

    def gated(self: Queue, request: Any) -> Any:
        assert gate.wait(60)
        return create(self, request)

    monkeypatch.setattr(Queue, "create", gated)
    both = body({"Resources": {"One": queue(), "Two": queue()}})
    stack.client.update_stack(StackName="shop", TemplateBody=both)
    stack.client.update_termination_protection(StackName="shop", EnableTerminationProtection=True)
    gate.set()
    assert stack.settled() == "UPDATE_COMPLETE"
    assert stack.described["EnableTerminationProtection"]
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is"):
        stack.delete()
    stack.client.update_termination_protection(StackName="shop", EnableTerminationProtection=False)
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="is DELETE_COMPLETE: its termination protection"):
        stack.client.update_termination_protection(
            StackName=stack.id, EnableTerminationProtection=True
        )


def test_of_two_updates_at_once_one_begins(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.create({"Resources": {"One": queue()}})
    both_have_looked, plan = threading.Barrier(2, timeout=60), writes.plan

    def slowly(*given: Any) -> Any:
        planned = plan(*given)
        both_have_looked.wait()
        return planned

    monkeypatch.setattr(writes, "plan", slowly)

    def update(name: str) -> str:
        template = {"Resources": {"One": queue(), name: queue()}}
        try:
            stack.client.update_stack(StackName="shop", TemplateBody=body(template))
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return name

    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(update, ["Left", "Right"]))
    assert stack.settled() == "UPDATE_COMPLETE"
    begun = [name for name in said if name in ("Left", "Right")]
    assert len(begun) == 1
    assert [text for text in said if "another operation on it was quicker" in text]
    assert stack.events("CREATE_COMPLETE")[-1] == (begun[0], "CREATE_COMPLETE")


def test_drift_tells_what_became_of_a_role(stack: Stack, aws: LocalAws) -> None:
    reading, writing = (
        {"Effect": "Allow", "Action": [action], "Resource": ["*"]}
        for action in ("s3:GetObject", "s3:PutObject")
    )

    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    inline = [{"PolicyName": "work", "PolicyDocument": policy(reading, writing)}]
    properties = {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com"), "Policies": inline}
    role = {"Type": "AWS::IAM::Role", "Properties": properties}
    assert stack.create({"Resources": {"Role": role, "Queue": queue()}}) == "CREATE_COMPLETE"

    def drift(logical_id: str = "Role") -> dict[str, Any]:
        found = stack.client.detect_stack_resource_drift(
            StackName="shop", LogicalResourceId=logical_id
        )
        return dict(found["StackResourceDrift"])

    def kept(statement: dict[str, Any]) -> list[Any]:
        return [{"PolicyName": "work", "PolicyDocument": policy(statement)}]

    assert drift()["StackResourceDriftStatus"] == "IN_SYNC"
    iam, name = aws.client("iam"), stack.physical("Role")
    iam.put_role_policy(
        RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy(reading))
    )
    found = drift()
    assert found["StackResourceDriftStatus"] == "MODIFIED"
    assert json.loads(found["ExpectedProperties"])["Policies"] == inline
    assert json.loads(found["ActualProperties"])["Policies"] == kept(reading)
    kinds = {one["DifferenceType"] for one in found["PropertyDifferences"]}
    assert kinds == {"REMOVE", "ADD"}
    iam.delete_role_policy(RoleName=name, PolicyName="work")
    assert json.loads(drift()["ActualProperties"])["Policies"] == []
    iam.delete_role(RoleName=name)
    assert drift()["StackResourceDriftStatus"] == "DELETED"
    with pytest.raises(ClientError, match=r"does not emulate .*AWS::SQS::Queue"):
        drift("Queue")
    with pytest.raises(ClientError, match="Resource Nothing does not exist for stack shop"):
        drift("Nothing")
