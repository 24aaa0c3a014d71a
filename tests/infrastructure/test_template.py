"""The template: valid, least privilege, and built the same everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure import deployables, packages, resolved, template
from infrastructure.names import LAKE_ARN, RAW
from infrastructure.template import explained, jobs
from rebuy.validation import template as linting
from rebuy.validation.product import Product
from tasks.functions import source_database
from tasks.states import every_state
from tools import checkov_findings
from workflows import purchase_prediction as workflow

VALUES = {"AWS::StackName": "rebuy", "DatabaseName": "rebuy"}
# Actions that AWS offers no resource for.
UNSCOPED = {
    "application-autoscaling:DescribeScalableTargets",
    "sagemaker:ListModels",
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    *(f"ec2:Describe{name}" for name in ("DhcpOptions", "NetworkInterfaces", "RouteTables")),
    *(f"ec2:Describe{name}" for name in ("SecurityGroups", "Subnets", "VpcAttribute")),
    *(f"ec2:Describe{name}" for name in ("VpcEndpoints", "Vpcs")),
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "glue:GetClassifier",
    "glue:CreateClassifier",
    "glue:UpdateClassifier",
    "glue:DeleteClassifier",
    "databrew:ListJobs",
    "databrew:ListDatasets",
    "databrew:CreateDataset",
    "databrew:CreateProfileJob",
    "databrew:CreateRecipeJob",
    "databrew:CreateRuleset",
    "databrew:ListRulesets",
}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return template.template()["Resources"]


def statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                policy = policy.get("Fn::If", [None, policy])[1]
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement


def test_the_template_passes_cfn_lint() -> None:
    assert list(linting.check(Product.load())) == []


def test_no_role_has_a_wildcard_action(resources: dict[str, Any]) -> None:
    for name, statement in statements(resources):
        assert not [action for action in statement["Action"] if "*" in action], name


def test_only_actions_without_resources_are_granted_on_everything(
    resources: dict[str, Any],
) -> None:
    for name, statement in statements(resources):
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= UNSCOPED, name


def test_only_the_roles_of_jobs_and_of_the_settle_schedule_can_be_passed_on(
    resources: dict[str, Any],
) -> None:
    passed = [s for _, s in statements(resources) if "iam:PassRole" in s["Action"]]
    assert sorted(s["Resource"][0]["Fn::GetAtt"][0] for s in passed) == [
        "DataBrewRole",
        "DataBrewRole",
        "SageMakerRole",
        "SettleRole",
    ]
    assert all("iam:PassedToService" in json.dumps(s["Condition"]) for s in passed)


def test_every_function_has_a_role_and_a_log_group_of_its_own(resources: dict[str, Any]) -> None:
    functions = [n for n, r in resources.items() if r["Type"] == "AWS::Lambda::Function"]
    assert len(functions) == 15
    for name in functions:
        assert resources[name]["Properties"]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        assert resources[f"{name}Logs"]["Type"] == "AWS::Logs::LogGroup"


def test_only_the_site_can_be_read_by_everybody(resources: dict[str, Any]) -> None:
    """And only as a website; behind CloudFront its bucket is as closed as the others."""
    open_to_all = {}
    for kind in ("none", "website", "cloudfront"):
        found = resolved.resources(template.template(), {**VALUES, "SiteKind": kind})
        open_to_all[kind] = [
            name
            for name, one in found.items()
            if one["Type"] == "AWS::S3::BucketPolicy"
            for statement in one["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow" and statement["Principal"] == "*"
        ]
        blocks = [
            one["Properties"]["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"]
            for one in found.values()
            if one["Type"] == "AWS::S3::Bucket"
        ]
        assert blocks.count(False) == (kind == "website")
    assert open_to_all == {"none": [], "website": ["SitePolicy"], "cloudfront": []}


def test_nobody_speaks_with_a_bucket_of_data_in_the_clear(resources: dict[str, Any]) -> None:
    for name in ("RawPolicy", "LakePolicy"):
        (statement,) = resources[name]["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny" and statement["Principal"] == "*"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_every_reason_stands_beside_a_resource(resources: dict[str, Any]) -> None:
    """checkov reads them there; a check without a reason is a finding."""
    told = {
        (skip["id"], skip["comment"])
        for one in resources.values()
        for skip in one.get("Metadata", {}).get("checkov", {}).get("skip", [])
    }
    reasons = {(c, why) for checks in explained.REASONS.values() for c, why in checks.items()}
    assert told == reasons and all(len(why) > 20 for _, why in reasons)


def test_checkov_finds_nothing_without_a_reason_and_no_reason_answers_nothing(
    resources: dict[str, Any],
) -> None:
    """As recorded by tools/checkov_findings.py, with and without the settings that protect. A new
    type of resource is one that checkov has to be shown."""
    recorded = json.loads(checkov_findings.RECORDED.read_text())
    assert checkov_findings.told(recorded["findings"]) == []
    assert checkov_findings.unfounded(list(recorded["findings"].values())) == set()
    assert recorded["types"] == sorted({one["Type"] for one in resources.values()})


def test_services_take_a_role_on_for_this_account_alone(resources: dict[str, Any]) -> None:
    roles = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::IAM::Role"]
    assert len(roles) >= 18
    for role in roles:
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        (service,) = [statement["Principal"]["Service"].partition(".")[0]]
        told = service in ("states", "scheduler", "sagemaker")
        operator = "StringEquals" if told else "StringEqualsIfExists"
        assert statement["Condition"] == {
            operator: {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }
        assert role["PermissionsBoundary"]["Fn::If"][0] == "HasBoundary"


def test_whoever_a_resource_lets_in_is_bound_to_a_source_of_this_account(
    resources: dict[str, Any],
) -> None:
    """A service that anybody can have act is held to the ARN of what may make it act, which has
    the account in it (an ARN of S3 has none, and would need aws:SourceAccount as well)."""
    permissions = [r for r in resources.values() if r["Type"] == "AWS::Lambda::Permission"]
    sources = [one["Properties"]["SourceArn"] for one in permissions]
    for one in resources.values():
        for statement in one["Properties"].get("PolicyDocument", {}).get("Statement", []):
            principal = statement.get("Principal")
            if isinstance(principal, dict) and "Service" in principal:
                (condition,) = statement["Condition"].values()
                sources.append(condition["aws:SourceArn"])
    texts = [json.dumps(source) for source in sources]
    assert len(texts) >= 5
    assert all("Fn::GetAtt" in text or "${AWS::AccountId}" in text for text in texts), texts
    assert "s3:::" not in " ".join(texts)


def test_a_canary_and_a_capture_have_what_they_need_and_others_nothing(
    resources: dict[str, Any],
) -> None:
    def conditional_of(role: str) -> dict[str, Any]:
        return {
            policy["Fn::If"][0]: policy["Fn::If"][1]["PolicyDocument"]["Statement"]
            for policy in resources[role]["Properties"]["Policies"]
            if "Fn::If" in policy
        }

    sets, looks = conditional_of("PutModelLiveRole")["HasCanary"]
    assert sets["Action"] == ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"]
    assert sets["Resource"][0]["Fn::Sub"].endswith(":alarm:${AWS::StackName}--*")
    assert looks["Action"] == ["cloudwatch:DescribeAlarms"]
    conditional = conditional_of("SageMakerRole")
    assert [one["Action"] for one in conditional["HasCanary"]] == [["cloudwatch:DescribeAlarms"]]
    (written,) = conditional["HasCapture"]
    assert written["Action"][0] == "s3:PutObject"
    assert [one["Fn::Sub"] for one in written["Resource"]] == [f"{LAKE_ARN}/captured/*"]
    rules = resources["Lake"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {one["Prefix"]: one["ExpirationInDays"] for one in rules if "Prefix" in one}[
        "captured/"
    ] == 30


def test_every_log_group_forgets_and_every_alarm_is_told(resources: dict[str, Any]) -> None:
    groups = [r for r in resources.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert len(groups) >= 15
    assert all(group["Properties"]["RetentionInDays"] for group in groups)
    alarms = [r for r in resources.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 7
    assert all(a["Properties"]["AlarmActions"] == [{"Ref": "Notifications"}] for a in alarms)


@pytest.mark.parametrize(
    ("kind", "authorization"), [("none", "NONE"), ("iam", "AWS_IAM"), ("jwt", "JWT")]
)
def test_every_route_has_the_chosen_authorizer(kind: str, authorization: str) -> None:
    found = resolved.resources(template.template(), {**VALUES, "ApiAuthorizer": kind})
    routes = [r["Properties"] for r in found.values() if r["Type"].endswith("::Route")]
    assert len(routes) >= 6
    assert {route["AuthorizationType"] for route in routes} == {authorization}
    assert all(("AuthorizerId" in route) == (kind == "jwt") for route in routes)
    assert ("ApiTokens" in found) == (kind == "jwt")


def test_no_output_can_start_the_workflow(resources: dict[str, Any]) -> None:
    """Only the raw bucket is watched, and no role of the stack can write there but the job's that
    reads a database, under names that the trigger looks past."""
    pattern = resources["UploadRule"]["Properties"]["EventPattern"]
    assert pattern["detail"]["bucket"]["name"] == [{"Fn::Sub": RAW}]
    told = [
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::S3::Bucket"
        and "EventBridgeConfiguration" in json.dumps(resource)
    ]
    assert told == ["Raw"]
    writes = ("s3:Put", "s3:Abort", "s3:Delete", "s3:Copy", "s3:Restore", "s3:Replicate")
    written = [
        (name, text["Fn::Sub"])
        for name, statement in statements(resources)
        if any(action.startswith(writes) for action in statement["Action"])
        for text in statement["Resource"]
    ]
    assert written
    elsewhere = [(name, text) for name, text in written if not text.startswith(f"{LAKE_ARN}/")]
    assert {name for name, _ in elsewhere} == {"ReadDatabaseRole"}
    assert all(source_database.is_from(text) for _, text in elsewhere), elsewhere


def test_what_cannot_be_delivered_goes_to_a_queue_that_only_this_stack_can_fill(
    resources: dict[str, Any],
) -> None:
    queue = {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}}
    schedules = [r for r in resources.values() if r["Type"] == "AWS::Scheduler::Schedule"]
    rules = [r for r in resources.values() if r["Type"] == "AWS::Events::Rule"]
    targets = [s["Properties"]["Target"] for s in schedules]
    targets += [target for r in rules for target in r["Properties"]["Targets"]]
    assert len(targets) == 9
    assert all(target["DeadLetterConfig"] == queue for target in targets)
    assert all("RetryPolicy" in s["Properties"]["Target"] for s in schedules)

    (policy,) = [r for r in resources.values() if r["Type"] == "AWS::SQS::QueuePolicy"]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        {"Fn::GetAtt": [name, "Arn"]}
        for name in ("UploadRule", "RunEndedRule", "RunFailedRule", "ModelJudgedRule")
    ]
    senders = {name for name, s in statements(resources) if "sqs:SendMessage" in s["Action"]}
    assert senders == {"ScheduleRole", "SettleRole", "WatchRole", "ExpireRole"}


def test_the_upload_trigger_is_switched_as_a_whole(resources: dict[str, Any]) -> None:
    for name in ("UploadRule", "RunEndedRule", "SettleSchedule"):
        assert resources[name]["Properties"]["State"] == {"Ref": "UploadTrigger"}


def test_the_day_begins_at_eight_in_the_given_time_zone(resources: dict[str, Any]) -> None:
    """`tests/cases/schedules.json` has what that means when the clocks change."""
    assert template.parameters()["ScheduleExpression"]["Default"] == "cron(0 8 * * ? *)"
    assert resources["Schedule"]["Properties"]["ScheduleExpressionTimezone"] == {
        "Ref": "ScheduleTimezone"
    }


def test_packages_are_the_same_bytes_in_every_build() -> None:
    first, second = packages.build(), packages.build()
    assert [package.key for package in first] == [package.key for package in second]


def test_packages_hold_what_their_handlers_import() -> None:
    import io
    import zipfile

    built = {package.parameter: package for package in packages.build()}
    names = zipfile.ZipFile(io.BytesIO(built["FunctionsKey"].content)).namelist()

    assert "tasks/functions/receive_trigger.py" in names
    assert {"sql/checks/orders_are_unique.sql", "sql/check_statements.json"} <= set(names)
    assert "build.json" in names
    assert not [name for name in names if "__pycache__" in name]


def test_another_recipe_makes_another_version_which_the_workflow_runs(
    resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The jobs are the runs': what they run is the version that this deployment has published."""
    for file in jobs.RECIPES.glob("*.json"):
        (tmp_path / file.name).write_text(file.read_text())
    changed = tmp_path / "clean_orders.json"
    changed.write_text(changed.read_text().replace("order_dow", "order_weekday"))
    monkeypatch.setattr(jobs, "RECIPES", tmp_path)

    def hashes(found: dict[str, Any]) -> dict[str, Any]:
        return {name: found[f"{name}Version"]["Properties"]["Hash"] for name in deployables.RECIPES}

    before, after = hashes(resources), hashes(template.template()["Resources"])
    assert {name for name in before if before[name] != after[name]} == {"CleanOrders"}
    given = resources["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    for name in deployables.RECIPES:
        assert given[f"{name}Version"] == {"Fn::GetAtt": [f"{name}Version", "Version"]}


def test_the_alias_is_a_condition_of_starting_it(resources: dict[str, Any]) -> None:
    """StartExecution with an alias is authorised against the state machine's own ARN."""
    machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine"
    starters = {}
    for name, statement in statements(resources):
        if "states:StartExecution" in statement["Action"]:
            starters[name] = statement
    assert set(starters) == {"ScheduleRole", "StartOnUploadRole"}
    for statement in starters.values():
        assert statement["Resource"] == [
            {"Fn::Sub": f"{machine}:${{AWS::StackName}}-purchase-prediction"}
        ]
        assert statement["Condition"] == {"StringEquals": {"states:StateMachineQualifier": "live"}}
    assert not [
        text
        for _, statement in statements(resources)
        for text in statement["Resource"]
        if ":live" in json.dumps(text)
    ]


def test_every_end_that_is_not_well_is_recorded_and_told(resources: dict[str, Any]) -> None:
    """Whatever the upload trigger is set to."""
    rule = resources["RunFailedRule"]["Properties"]
    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"]["detail"] == {
        "stateMachineArn": [{"Ref": "StateMachine"}],
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
    }
    called = [target["Arn"]["Fn::GetAtt"][0] for target in rule["Targets"]]
    assert called == ["WriteAudit", "Notify"]
    permitted = [
        r["Properties"]["FunctionName"]["Ref"]
        for r in resources.values()
        if r["Type"] == "AWS::Lambda::Permission"
        and r["Properties"].get("SourceArn") == {"Fn::GetAtt": ["RunFailedRule", "Arn"]}
    ]
    assert permitted == called


def test_a_state_waits_no_longer_than_its_function_may_take() -> None:
    waits = {}
    for state, body in every_state(workflow.definition()["States"]):
        name = re.fullmatch(r"\$\{(\w+)Arn\}", body.get("Parameters", {}).get("FunctionName", ""))
        if name:
            waits[state] = (body["TimeoutSeconds"], deployables.named(name[1]))
    assert len(waits) >= 9
    for state, (seconds, function) in waits.items():
        assert seconds <= function.timeout_seconds, state
