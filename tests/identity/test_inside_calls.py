"""What services do for others they do in somebody's name, and a function is asked who may call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.service import Call, Service
from localaws.identity.caller import Caller
from tests.functions.conftest import create

ACCOUNT = "0" * 12
ME = Caller(f"arn:aws:iam::{ACCOUNT}:user/me", ACCOUNT)
ROLES = f"arn:aws:iam::{ACCOUNT}:role/"
SESSIONS = f"arn:aws:sts::{ACCOUNT}:assumed-role/"
WHO = """
import boto3

def handler(event, context):
    identity = boto3.client("sts").get_caller_identity()
    return {"arn": identity["Arn"]}
"""
ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def seen(aws: LocalAws) -> list[tuple[str, str, str | None]]:
    """(caller's ARN, service:operation, via) of each call, whoever made it."""
    calls: list[tuple[str, str, str | None]] = []
    aws.authorize.observers.append(
        lambda caller, service, operation, _: calls.append(
            (caller.arn, f"{service}:{operation}", caller.via)
        )
    )
    return calls


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def test_a_service_cannot_act_in_nobodys_name(tmp_path: Path) -> None:
    def forgetful(aws: LocalAws) -> Service:
        service = Service("glue")

        @service.operation("GetDatabases")
        def get_databases(call: Call) -> dict[str, Any]:
            return dict(aws.client("sts").get_caller_identity())

        return service

    local = start(tmp_path / "home", [forgetful])
    try:
        with pytest.raises(Exception, match="In whose name"):
            local.client("glue").get_databases()
    finally:
        local.stop()


def test_a_query_reads_and_writes_as_who_started_it(
    aws: LocalAws, seen: list[tuple[str, str, str | None]]
) -> None:
    mine = aws.acting(ME)
    mine.client("s3").create_bucket(Bucket="my-lake")
    mine.client("glue").create_database(DatabaseInput={"Name": "d"})
    athena = mine.client("athena")
    seen.clear()
    execution = athena.start_query_execution(
        QueryString="CREATE TABLE t WITH (external_location='s3://my-lake/t/') AS SELECT 1 AS n",
        QueryExecutionContext={"Database": "d"},
        ResultConfiguration={"OutputLocation": "s3://my-lake/results/"},
    )["QueryExecutionId"]

    def state() -> Any:
        status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else None

    assert until(state)["State"] == "SUCCEEDED"
    assert {arn for arn, _, _ in seen} == {ME.arn}
    inside = {operation for _, operation, via in seen if via == "athena.amazonaws.com"}
    assert {"glue:CreateTable", "s3:PutObject"} <= inside
    assert aws.client("glue").get_table(DatabaseName="d", Name="t")["Table"]["CreatedBy"] == ME.arn
    shown = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
    assert "Caller" not in shown


def test_a_crawl_is_its_roles(aws: LocalAws, seen: list[tuple[str, str, str | None]]) -> None:
    mine = aws.acting(ME)
    mine.client("s3").create_bucket(Bucket="my-lake")
    mine.client("s3").put_object(Bucket="my-lake", Key="raw/t/a.csv", Body=b"id,n\n1,2\n3,4\n")
    glue = mine.client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    glue.create_crawler(
        Name="c",
        Role="service-role/crawls",
        DatabaseName="d",
        Targets={"S3Targets": [{"Path": "s3://my-lake/raw/"}]},
    )
    seen.clear()
    glue.start_crawler(Name="c")
    until(lambda: glue.get_crawler(Name="c")["Crawler"]["State"] == "READY")

    crawler = SESSIONS + "crawls/AWS-Crawler"
    assert glue.get_tables(DatabaseName="d")["TableList"][0]["CreatedBy"] == crawler
    did = {operation for arn, operation, _ in seen if arn == crawler}
    assert {"s3:ListObjectsV2", "glue:CreateTable"} <= did
    assert {arn for arn, _, _ in seen} == {ME.arn, crawler}


def test_an_execution_calls_as_its_machines_role(
    aws: LocalAws, seen: list[tuple[str, str, str | None]]
) -> None:
    mine = aws.acting(ME)
    states = mine.client("stepfunctions")
    definition = {
        "StartAt": "Who",
        "States": {
            "Who": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
                "End": True,
            }
        },
    }
    machine = states.create_state_machine(
        name="m", definition=json.dumps(definition), roleArn=ROLES + "machines"
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    output = until(lambda: states.describe_execution(executionArn=execution).get("output"))

    assert json.loads(output)["Arn"].startswith(SESSIONS + "machines/")
    assert (json.loads(output)["Arn"], "sts:GetCallerIdentity", "states.amazonaws.com") in seen


def test_a_function_has_the_keys_of_its_role(server: LocalAws) -> None:
    create(server, "who", WHO, Role=ROLES + "service-role/functions")

    answer = server.client("lambda").invoke(FunctionName="who")

    assert json.loads(answer["Payload"].read()) == {"arn": SESSIONS + "functions/who"}


def test_a_stack_is_made_in_its_makers_name(
    aws: LocalAws, seen: list[tuple[str, str, str | None]]
) -> None:
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    for name, role, expected in (
        ("mine", None, ME.arn),
        ("roles", ROLES + "deploys", SESSIONS + "deploys/AWSCloudFormation"),
    ):
        mine = aws.acting(ME).client("cloudformation")
        seen.clear()
        mine.create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            **({"RoleARN": role} if role else {}),
        )
        mine.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0, "MaxAttempts": 200}
        )
        assert (expected, "sqs:CreateQueue", "cloudformation.amazonaws.com") in seen


@pytest.fixture
def rule(aws: LocalAws) -> Iterator[str]:
    """A rule whose target is a function, with a queue for what it does not take."""
    create(aws, "echo", ECHO)
    aws.client("sqs").create_queue(QueueName="dead")
    events = aws.client("events")
    arn = events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}))["RuleArn"]
    events.put_targets(
        Rule="own",
        Targets=[
            {
                "Id": "1",
                "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:echo",
                "DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"},
            }
        ],
    )
    yield arn


def send(aws: LocalAws) -> None:
    entry = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    aws.client("events").put_events(Entries=[entry])


def dead_letter(aws: LocalAws) -> Any:
    url = aws.client("sqs").get_queue_url(QueueName="dead")["QueueUrl"]
    found = aws.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
    return found.get("Messages")


def log_lines(aws: LocalAws) -> Any:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/echo")
    return groups["logGroups"]


@pytest.mark.parametrize(
    ("source", "let_in"),
    [
        (None, False),
        ("arn:aws:events:us-east-1:000000000000:rule/another", False),
        ("arn:aws:events:us-east-1:000000000000:rule/own", True),
    ],
)
def test_a_rule_invokes_a_function_that_lets_it_in(
    aws: LocalAws, rule: str, source: str | None, let_in: bool
) -> None:
    if source is not None:
        aws.client("lambda").add_permission(
            FunctionName="echo",
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=source,
        )
    send(aws)

    if let_in:
        assert until(lambda: log_lines(aws))
        assert dead_letter(aws) is None
        return
    attributes = until(lambda: dead_letter(aws))[0]["MessageAttributes"]
    assert attributes["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    assert "lambda:InvokeFunction" in attributes["ERROR_MESSAGE"]["StringValue"]
    assert not log_lines(aws)


def test_a_schedule_invokes_a_function_as_its_role(
    aws: LocalAws, seen: list[tuple[str, str, str | None]]
) -> None:
    create(aws, "echo", ECHO)
    aws.client("scheduler").create_schedule(
        Name="s",
        ScheduleExpression="rate(1 minute)",
        StartDate=time.time() - 59.5,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:echo",
            "RoleArn": ROLES + "schedules",
        },
    )
    invoked = until(
        lambda: [arn for arn, operation, _ in seen if operation == "lambda:Invoke"],
        seconds=90,  # where it was created too late for its first time, it comes a minute later
    )
    assert invoked[0].startswith(SESSIONS + "schedules/")
    assert until(lambda: log_lines(aws))  # its own policy is empty: the role's would count
