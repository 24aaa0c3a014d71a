"""Templates: values, and what is refused before anything is made."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation.template import read, references
from localaws.cloudformation.values import NO_VALUE, TemplateScope
from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from tests.cloudformation.conftest import Stack
from tests.conftest import cases

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Stage": {"Type": "String"}, "Zones": {"Type": "CommaDelimitedList"}},
    "Mappings": {"Sizes": {"test": {"memory": 512}}},
    "Conditions": {
        "IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
        "IsProduction": {"Fn::Not": [{"Condition": "IsTest"}]},
        "Both": {"Fn::And": [{"Condition": "IsTest"}, {"Condition": "IsProduction"}]},
        "Either": {"Fn::Or": [{"Condition": "IsTest"}, {"Condition": "IsProduction"}]},
        "Neither": {"Fn::Not": [{"Condition": "Either"}]},
    },
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
}


def scope() -> TemplateScope:
    def resource(logical_id: str, attribute: str | None) -> str:
        return "bucket-1" if attribute is None else "arn:bucket-1"

    pseudo = {"AWS::Region": "us-east-1", "AWS::AccountId": "000000000000"}
    return TemplateScope(
        read(json.dumps(TEMPLATE)), {"Stage": "test", "Zones": "a, b"}, pseudo, resource
    )


@pytest.mark.parametrize("case", cases("cloudformation_values"), ids=itemgetter("why"))
def test_values(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(AwsError) as caught:
            scope().value(case["value"])
        assert case["error"] in caught.value.message
        return
    found = scope().value(case["value"])
    assert found is NO_VALUE if case.get("none") else found == case["result"]


@pytest.mark.parametrize("case", cases("cloudformation_refused"), ids=itemgetter("why"))
def test_refused_before_anything_is_made(case: dict[str, Any], stack: Stack, aws: LocalAws) -> None:
    template = json.loads(json.dumps(case["template"]))
    template["Resources"] = (
        {
            "First": {"Type": "AWS::S3::Bucket"},
            **template.get("Resources", {}),
        }
        if template.get("Resources")
        else template.get("Resources", {})
    )
    with pytest.raises(ClientError) as caught:
        stack.create(template)
    assert case["error"] in str(caught.value)
    assert aws.client("cloudformation").list_stacks()["StackSummaries"] == []
    assert aws.client("s3").list_buckets()["Buckets"] == []


def test_yaml_with_short_forms_is_the_same_as_json() -> None:
    short = read(
        """
        Resources:
          Queue:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: !Sub "${AWS::StackName}-x"
              RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
              Tags: !If [C, [{Key: a, Value: !Join ["", [b, !Ref Dead]]}], !Ref AWS::NoValue]
          Dead: {Type: AWS::SQS::Queue}
          Policy:
            Type: AWS::SQS::QueuePolicy
            Properties: {Queues: [!Ref Dead], PolicyDocument: {Version: 2012-10-17}}
        Conditions: {C: !Equals [a, a]}
        """
    )
    queue = short.resources["Queue"]["Properties"]
    assert queue["QueueName"] == {"Fn::Sub": "${AWS::StackName}-x"}
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}
    assert set(references(queue)) >= {("Dead", "Arn"), ("Dead", None)}
    assert short.resources["Policy"]["Properties"]["PolicyDocument"]["Version"] == "2012-10-17"
    assert short.depends_on("Queue") == ["Dead"]


def test_iam_needs_an_acknowledgement(stack: Stack) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_IAM\]"):
        stack.create({"Resources": {"Role": role}}, Capabilities=[])
    named = {**role, "Properties": {**role["Properties"], "RoleName": "r"}}  # type: ignore[dict-item]
    with pytest.raises(ClientError, match=r"\[CAPABILITY_NAMED_IAM\]"):
        stack.create({"Resources": {"Role": named}}, Capabilities=["CAPABILITY_IAM"])


def test_hidden_parameters_are_not_shown(stack: Stack) -> None:
    template = {
        "Parameters": {"Secret": {"Type": "String", "NoEcho": True}, "Open": {"Type": "String"}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    }
    stack.create(template, parameters={"Secret": "s3cret", "Open": "o"})
    shown = {item["ParameterKey"]: item["ParameterValue"] for item in stack.described["Parameters"]}
    assert shown == {"Secret": "****", "Open": "o"}


def test_a_template_in_s3(stack: Stack, aws: LocalAws) -> None:
    aws.client("s3").create_bucket(Bucket="code")
    text = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    aws.objects.put("code", "t/template.json", text.encode())
    for number, url in enumerate(
        (
            "https://code.s3.us-east-1.amazonaws.com/t/template.json",
            "https://s3.amazonaws.com/code/t/template.json",
            f"{aws.url}/code/t/template.json",
        )
    ):
        stack.client.create_stack(StackName=f"s{number}", TemplateURL=url)
        assert Stack(aws, f"s{number}").settled() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="S3 error: The specified key does not exist"):
        stack.client.create_stack(StackName="x", TemplateURL=f"{aws.url}/code/none")


@pytest.mark.parametrize(
    ("body", "message"),
    [  # docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        ("Resources: " + "[" * 40_000, "nested more than 100 levels deep"),
        ("Resources: " + "{a: " * 10_000, "nested more than 100 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(280)), "nested more than 100 levels deep"),
        ("\n".join("- " * n + "a" for n in (1, 40_000)), "nested more than 100 levels deep"),
        ('{"Resources": ' + "[" * 40_000, "nested more than 100 levels deep"),
        ('{"Resources": ' + "[" * 500 + "]" * 500 + "}", "nested more than 100 levels deep"),
        ("Mappings: &a {b: c}\nResources: *a", "YAML aliases are not allowed"),
        ("Resources: {}  # " + "x" * 1_000_000, "may not exceed 1000000 bytes in size"),
        (
            json.dumps({"Resources": {f"B{n}": {"Type": "AWS::S3::Bucket"} for n in range(501)}}),
            "Number of resources, 501, is greater than maximum allowed, 500",
        ),
    ],
    ids=["flow", "maps", "indent", "dashes", "json", "closed json", "alias", "size", "resources"],
)
def test_a_template_that_is_a_bomb_is_refused_by_name(body: str, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        read(body)
