"""What the CDK and SAM put into templates, and how they deploy them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.services import factories
from tests.cloudformation.conftest import Stack

VERSION = {
    "Parameters": {
        "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk/version"}
    },
    "Rules": {
        "CheckVersion": {
            "Assertions": [
                {
                    "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}]},
                    "AssertDescription": "CDK bootstrap stack version 3 required.",
                }
            ]
        }
    },
    "Resources": {"Metadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "x"}}},
    "Outputs": {"Version": {"Value": {"Ref": "Version"}}},
}
SERVERLESS = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Machine": {
            "Type": "AWS::Serverless::StateMachine",
            "Properties": {
                "Definition": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
                "Policies": ["AWSLambdaExecute"],
            },
        },
        "Table": {"Type": "AWS::Serverless::SimpleTable"},
    },
}


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", factories(), url="http://127.0.0.1:9", wait_scale=0)
    yield local
    local.stop()


def put(aws: LocalAws, value: str) -> None:
    aws.client("ssm").put_parameter(Name="/cdk/version", Value=value, Type="String", Overwrite=True)


def test_a_parameter_of_the_store_is_looked_up_and_rules_are_held_to(aws: LocalAws) -> None:
    stack = Stack(aws)
    with pytest.raises(ClientError, match=r"Unable to fetch parameters \[/cdk/version\]"):
        stack.create(VERSION)
    put(aws, "2")
    with pytest.raises(ClientError, match="Rule CheckVersion: CDK bootstrap stack version 3"):
        stack.create(VERSION)
    put(aws, "3")
    assert stack.create(VERSION) == "CREATE_COMPLETE"
    (parameter,) = stack.described["Parameters"]
    assert (parameter["ParameterValue"], parameter["ResolvedValue"]) == ("/cdk/version", "3")
    assert stack.described["Outputs"][0]["OutputValue"] == "3"
    put(aws, "4")
    assert stack.update(VERSION) == "UPDATE_COMPLETE"
    assert stack.described["Outputs"][0]["OutputValue"] == "4"


def test_a_sam_template_is_transformed(aws: LocalAws) -> None:
    stack, can = Stack(aws), ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    with pytest.raises(ClientError, match="CAPABILITY_AUTO_EXPAND"):
        stack.create(SERVERLESS, Capabilities=can[:1])
    assert stack.create(SERVERLESS, Capabilities=can) == "CREATE_COMPLETE"
    kinds = {
        one["LogicalResourceId"]: one["ResourceType"]
        for one in stack.client.describe_stack_resources(StackName=stack.name)["StackResources"]
    }
    assert kinds == {
        "Machine": "AWS::StepFunctions::StateMachine",
        "MachineRole": "AWS::IAM::Role",
        "Table": "AWS::DynamoDB::Table",
    }
    original, processed = (
        stack.client.get_template(StackName=stack.name, TemplateStage=stage)["TemplateBody"]
        for stage in ("Original", "Processed")
    )
    assert yaml.safe_load(original)["Transform"] == SERVERLESS["Transform"]
    assert "Transform" not in processed
    assert set(processed["Resources"]) == set(kinds)
    summary = stack.client.get_template_summary(TemplateBody=json.dumps(SERVERLESS))
    assert summary["DeclaredTransforms"] == ["AWS::Serverless-2016-10-31"]


def test_what_sam_finds_wrong_is_said(aws: LocalAws) -> None:
    wrong: Any = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {}}},
    }
    with pytest.raises(ClientError, match=r"Transform .* failed .*\[F\]"):
        Stack(aws).create(wrong, Capabilities=["CAPABILITY_AUTO_EXPAND"])


def test_a_bootstrap_has_a_parameter_and_a_repository(aws: LocalAws) -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    expires = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9}
    rule = {"rulePriority": 1, "selection": expires, "action": {"type": "expire"}}
    template: Any = {
        "Resources": {
            "Version": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Name": "/cdk/version", "Value": 33},
            },
            "Images": {
                "Type": "AWS::ECR::Repository",
                "Properties": {
                    "RepositoryName": "images",
                    "ImageTagMutability": "IMMUTABLE",
                    "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [rule]})},
                    "RepositoryPolicyText": policy,
                },
            },
        },
        "Outputs": {"Uri": {"Value": {"Fn::GetAtt": ["Images", "RepositoryUri"]}}},
    }
    stack, ssm, ecr = Stack(aws), aws.client("ssm"), aws.client("ecr")
    assert stack.create(template) == "CREATE_COMPLETE"
    assert ssm.get_parameter(Name="/cdk/version")["Parameter"]["Value"] == "33"
    (images,) = ecr.describe_repositories()["repositories"]
    assert images["imageTagMutability"] == "IMMUTABLE"
    assert stack.described["Outputs"][0]["OutputValue"] == images["repositoryUri"]
    assert json.loads(ecr.get_repository_policy(repositoryName="images")["policyText"]) == policy

    properties = template["Resources"]["Images"]["Properties"]
    del properties["LifecyclePolicy"]
    properties["ImageTagMutability"] = "MUTABLE"
    template["Resources"]["Version"]["Properties"]["Value"] = "34"
    assert stack.update(template) == "UPDATE_COMPLETE"
    assert ssm.get_parameter(Name="/cdk/version")["Parameter"]["Value"] == "34"
    assert ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "MUTABLE"
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.get_lifecycle_policy(repositoryName="images")
    with pytest.raises(ClientError, match="does not emulate ecr:GetAuthorizationToken"):
        ecr.get_authorization_token()

    assert stack.delete() == "DELETE_COMPLETE"
    assert ecr.describe_repositories()["repositories"] == []


def test_a_stack_is_not_deployed_in_a_mode_that_is_not_here(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match=r"CreateStack, parameter DeploymentConfig.Mode=EXPRESS"):
        Stack(aws).create(VERSION, DeploymentConfig={"Mode": "EXPRESS"})


def test_a_trust_policy_needs_no_version(aws: LocalAws) -> None:
    trust = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    }
    iam = aws.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == trust
    trust["Version"] = "2009-01-01"  # type: ignore[assignment]
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.create_role(RoleName="s", AssumeRolePolicyDocument=json.dumps(trust))
