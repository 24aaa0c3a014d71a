"""The deployed trigger before a tiny state machine, with the aws CLI: uploads to runs, for real."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infrastructure import packages, template
from infrastructure.grants import allow, role
from infrastructure.names import RAW, STATE_MACHINE
from infrastructure.template import protection, triggers
from infrastructure.words import attribute, ref, resource, sub
from localaws.core.aws import LocalAws
from tasks.functions import run_options, run_plan

RAW_BUCKET = "tiny-raw-000000000000-us-east-1"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:tiny-purchase-prediction"
AWS_CLI = Path(sys.executable).with_name("aws")
SETTLE_SECONDS = 2


def tiny_template() -> dict[str, Any]:
    """The product's own trigger, bucket and function; only the workflow is another one: it waits
    until somebody ends it."""
    work = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {
            "QueueUrl": "${QueueUrl}",
            "MessageBody": {"token.$": "$$.Task.Token"},
        },
        "End": True,
    }
    whole = template.template()
    kept = (
        "Raw",
        "StartOnUpload",
        "StartOnUploadRole",
        "StartOnUploadLogs",
        "StateMachineVersion",
    )
    found = {name: whole["Resources"][name] for name in kept}
    found["StateMachineVersion"]["Properties"].pop("Description")
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {
            **triggers.parameters(),
            **protection.parameters(),
            **{name: whole["Parameters"][name] for name in ("CodeBucket", "FunctionsKey")},
            "PermissionsBoundary": {"Type": "String", "Default": ""},
        },
        "Conditions": {
            "HasBoundary": whole["Conditions"]["HasBoundary"],
            **protection.conditions(),
        },
        "Resources": {
            **found,
            **triggers.undelivered("UploadRule", "RunEndedRule"),
            **triggers.triggers(),
            "Work": resource("AWS::SQS::Queue", {"QueueName": "work"}),
            "MachineRole": role("states", allow(["sqs:SendMessage"], "*")),
            "StateMachine": resource(
                "AWS::StepFunctions::StateMachine",
                {
                    "StateMachineName": sub(STATE_MACHINE),
                    "RoleArn": attribute("MachineRole", "Arn"),
                    "DefinitionString": json.dumps({"StartAt": "Work", "States": {"Work": work}}),
                    "DefinitionSubstitutions": {"QueueUrl": ref("Work")},
                },
            ),
            "StateMachineAlias": whole["Resources"]["StateMachineAlias"],
        },
        "Outputs": {
            "RawBucket": {"Value": sub(RAW)},
            "StateMachineArn": {"Value": ref("StateMachine")},
            "LiveAliasArn": {"Value": ref("StateMachineAlias")},
        },
    }


@dataclass
class Tiny:
    aws: LocalAws

    def cli(self, *arguments: str, program: Path = AWS_CLI, folder: Path | None = None) -> None:
        """A command line, as anybody has it."""
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        command = [str(program), *arguments]
        subprocess.run(command, env=environment, cwd=folder, check=True, timeout=60)

    def runs(self) -> list[dict[str, Any]]:
        """Oldest first, with their inputs."""
        client = self.aws.client("stepfunctions")
        listed = client.list_executions(stateMachineArn=MACHINE)["executions"]
        return [
            client.describe_execution(executionArn=entry["executionArn"]) for entry in listed[::-1]
        ]

    def wait_for(self, what: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, (self.runs(), self.log())
            time.sleep(0.1)

    def end_the_run(self) -> None:
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        token = json.loads(message["Body"])["token"]
        self.aws.client("stepfunctions").send_task_success(taskToken=token, output="{}")

    def rests(self) -> bool:
        """Whether all uploads have been dealt with."""
        found = self.aws.client("scheduler").get_schedule(Name="tiny-settle")
        item = (
            self.aws.client("dynamodb")
            .get_item(TableName="tiny-upload-trigger", Key={"id": {"S": "upload"}})
            .get("Item", {})
        )
        done = item.get("events") == item.get("covered")
        return bool(done and found["ScheduleExpression"] == "rate(1 hour)")

    def log(self) -> list[str]:
        events = self.aws.client("logs").filter_log_events(
            logGroupName="/aws/lambda/tiny-start-on-upload"
        )["events"]
        return [event["message"] for event in events]


@pytest.fixture
def tiny(server: LocalAws) -> Iterator[Tiny]:
    s3, formation = server.client("s3"), server.client("cloudformation")
    s3.create_bucket(Bucket="code")
    code = next(package for package in packages.build() if package.parameter == "FunctionsKey")
    s3.put_object(Bucket="code", Key=code.key, Body=code.content)
    s3.put_object(Bucket="code", Key="template", Body=json.dumps(tiny_template()).encode())
    given = {
        "CodeBucket": "code",
        "FunctionsKey": code.key,
        "SettleSeconds": str(SETTLE_SECONDS),
        "ScheduleState": "DISABLED",
        **dict.fromkeys(protection.parameters(), ""),
    }
    formation.create_stack(
        StackName="tiny",
        TemplateURL=f"{server.url}/code/template",
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    while (stack := formation.describe_stacks(StackName="tiny")["Stacks"][0])[
        "StackStatus"
    ] == "CREATE_IN_PROGRESS":
        time.sleep(0.1)
    assert stack["StackStatus"] == "CREATE_COMPLETE", formation.describe_stack_events(
        StackName="tiny"
    )
    yield Tiny(server)


def test_copied_and_synced_files_give_one_run_each_time(tiny: Tiny, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for name in ("aisles", "departments", "products", "orders", "prior", "train"):
        (raw / name).mkdir(parents=True)
        (raw / name / f"{name}.csv").write_text("a,b\n1,2\n")

    tiny.cli("s3", "cp", "--recursive", str(raw), f"s3://{RAW_BUCKET}/raw/")
    tiny.wait_for(lambda: len(tiny.runs()) == 1)
    (first,) = tiny.runs()
    assert json.loads(first["input"])["upload"]["objects"] == 6
    assert first["stateMachineAliasArn"] == f"{MACHINE}:live"

    # While it runs, the same again changes nothing, and one more file gives one more run.
    tiny.cli("s3", "sync", str(raw), f"s3://{RAW_BUCKET}/raw/")
    (raw / "orders" / "more.csv").write_text("a,b\n3,4\n")
    tiny.cli("s3", "sync", str(raw), f"s3://{RAW_BUCKET}/raw/")
    tiny.wait_for(lambda: any("a run is in progress" in line for line in tiny.log()))
    assert len(tiny.runs()) == 1
    tiny.end_the_run()
    tiny.wait_for(lambda: len(tiny.runs()) == 2)
    assert json.loads(tiny.runs()[1]["input"])["upload"]["objects"] == 7
    tiny.end_the_run()

    # What a run writes is none of raw/, and starts nothing; nor does a run's end.
    s3 = tiny.aws.client("s3")
    for key in ("runs/run=x/manifest.json", "audit/a.json", "models/m.tar.gz", "raws/no.csv"):
        s3.put_object(Bucket=RAW_BUCKET, Key=key, Body=b"{}")
    tiny.wait_for(tiny.rests)
    time.sleep(SETTLE_SECONDS + 1)
    assert len(tiny.runs()) == 2 and tiny.rests()

    # Nor do events that come again.
    event = {"source": "aws.s3", "detail": {"object": {"key": "raw/orders/orders.csv"}}}
    for _ in range(5):
        tiny.aws.client("lambda").invoke(
            FunctionName="tiny-start-on-upload",
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )
    tiny.wait_for(lambda: any("had not seen" in line for line in tiny.log()))
    tiny.wait_for(tiny.rests)
    assert len(tiny.runs()) == 2


def test_every_client_starts_a_run_by_hand(tiny: Tiny, tmp_path: Path) -> None:
    import boto3

    live = f"{MACHINE}:live"
    client = boto3.client(
        "stepfunctions",
        endpoint_url=tiny.aws.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    client.start_execution(stateMachineArn=live)
    client.start_execution(stateMachineArn=live, input="{}")  # as AWS's console sends it
    client.start_execution(stateMachineArn=MACHINE, name="boto3", input='{"publish": "never"}')
    tiny.cli("stepfunctions", "start-execution", "--state-machine-arn", live, "--name", "aws-cli")
    (tmp_path / "rebuy.toml").write_text('stack_name = "tiny"\n')
    rebuy = Path(sys.executable).with_name("rebuy")
    tiny.cli(
        "start", "--name", "rebuy", "--input", '{"train": false}', program=rebuy, folder=tmp_path
    )

    importlib.import_module("tasks.states")  # keeps the SDK's warnings quiet
    from stepfunctions.workflow import Workflow

    workflow = Workflow.attach(MACHINE, client=client)
    workflow.execute(name="sdk", inputs={"threshold": 0.3})

    runs = {run["name"]: json.loads(run["input"]) for run in tiny.runs()}
    assert len(runs) == 6 and list(runs.values()).count({}) == 3
    named = {name: runs[name] for name in ("boto3", "rebuy", "sdk")}
    assert named == {
        "boto3": {"publish": "never"},
        "rebuy": {"train": False},
        "sdk": {"threshold": 0.3},
    }
    for given in runs.values():
        run_options.options(run_plan.recognise(given)[1])
