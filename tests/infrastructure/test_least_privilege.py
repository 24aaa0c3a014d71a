"""Every statement of every role is needed by a recorded call, and every recorded call is allowed.

The recording is of whole runs; docs/iam.md says how a new one is made.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure import template
from localaws.identity.least_privilege import needless, request_of
from localaws.identity.policy.evaluation import Policies, evaluate
from tests.infrastructure.recorded import policies, uses

POLICIES = policies()
USES = uses()
# Without leave to list, AWS tells a missing object as AccessDenied:
# docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
MISSING = "so that an object that is gone is told as NoSuchKey"
PROFILED = "a run whose input asks for profiles"
# Statements (by their first action) that the recorded runs did not need, and what does.
# docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSGlueServiceRole.html
WORKERS = "what Glue's own policies give its workers, and the local Glue does not ask"
UNSEEN = {
    ("ExpireRole", "sqs:SendMessage"): "a day on which the function could not be called",
    ("StateMachineRole", "logs:CreateLogStream"): "what its guide to logging has",
    ("CrawlerRole", "s3:GetBucketLocation"): WORKERS,
    ("DataBrewRole", "s3:GetBucketLocation"): WORKERS,
    ("JoinFeaturesRole", "s3:GetBucketLocation"): WORKERS,
    ("ReadDatabaseRole", "secretsmanager:GetSecretValue"): "the secret that settings name",
    ("ReadDatabaseRole", "glue:GetConnection"): "the connection that settings ask for",
    ("ReadDatabaseRole", "s3:GetObject"): "a second read, which looks at what is there",
    ("DataBrewRole", "s3:DeleteObject"): "a job run again over its own output",
    ("ReceiveTriggerRole", "databrew:DeleteJob"): "a start after a run that is long over",
    ("ReceiveTriggerRole", "databrew:DeleteDataset"): "a start after a run that is long over",
    ("ReceiveTriggerRole", "databrew:DeleteRuleset"): "a start after a run that is long over",
    ("CheckRawDataRole", "databrew:CreateDataset"): PROFILED,
    ("CheckRawDataRole", "databrew:DescribeDataset"): PROFILED,
    ("CheckRawDataRole", "databrew:DescribeRuleset"): PROFILED,
    ("CheckRawDataRole", "iam:PassRole"): PROFILED,
    ("PinLiveModelRole", "s3:ListBucket"): MISSING,
    ("JudgeModelRole", "s3:ListBucket"): MISSING,
    ("SmokeTestRole", "s3:ListBucket"): MISSING,
    ("RollBackRole", "s3:ListBucket"): MISSING,
    ("StartOnUploadRole", "states:DescribeExecution"): "a start that was not answered",
    ("NotifyRole", "states:ListExecutions"): "a look while the upload trigger is on",
    ("NotifyRole", "s3:ListBucket"): "a look while the upload trigger is on",
}


@pytest.mark.parametrize("role", POLICIES)
def test_what_a_run_asked_is_allowed(role: str) -> None:
    refused = [
        f"{use.action} on {use.resource}"
        for use in USES.get(role, [])
        if not evaluate(request_of(use), Policies(identity=[POLICIES[role]])).allowed
    ]
    assert refused == []


@pytest.mark.parametrize("role", POLICIES)
def test_without_any_one_statement_a_call_of_a_run_is_refused(role: str) -> None:
    spare = [
        statement.text
        for _, statement in needless([POLICIES[role]], USES.get(role, []))
        if (role, first_action(statement.text)) not in UNSEEN
    ]
    assert spare == [], f"{role} has statements that no recorded call needs (docs/iam.md)"


def test_no_name_is_an_asterisk_where_one_is_known() -> None:
    """`*` as a whole resource is for actions that take none; tests/identity knows which."""
    loose: list[str] = []
    for name, one in template.template()["Resources"].items():
        if one["Type"] != "AWS::IAM::Role":
            continue
        for policy in one["Properties"]["Policies"]:
            policy = policy.get("Fn::If", [None, policy])[1]
            for statement in policy["PolicyDocument"]["Statement"]:
                loose += [f"{name}: {text}" for text in texts(statement["Action"]) if "*" in text]
    assert loose == []


def texts(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def first_action(statement: str) -> str:
    return texts(json.loads(statement)["Action"])[0]
