"""`rebuy redrive` and `rebuy watch`, against small machines in the place of the pipeline."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from configuration.connection import Connection
from configuration.errors import InputError
from configuration.settings import Settings
from localaws.core.aws import LocalAws
from rebuy.cli import runs
from rebuy.cli.app import app
from rebuy.cli.following import Follower

ROLE = "arn:aws:iam::000000000000:role/workflow"
LOOK = {
    "StartAt": "Begin",
    "States": {
        "Begin": {"Type": "Pass", "Result": {"run": {"id": "r1"}}, "Next": "Look"},
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Parameters": {"Bucket": "lake", "Key": "late.json"},
            "ResultSelector": {"body.$": "$.Body"},
            "End": True,
        },
    },
}
TEMPLATE = {
    "Resources": {
        "Lake": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "lake"}},
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"DefinitionString": json.dumps(LOOK), "RoleArn": ROLE},
        },
    },
    "Outputs": {
        "LakeBucket": {"Value": {"Ref": "Lake"}},
        "StateMachineArn": {"Value": {"Ref": "Machine"}},
    },
}


@pytest.fixture
def arn(server: LocalAws) -> str:
    """An execution that failed because an object was not there yet."""
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(StackName="rebuy", TemplateBody=json.dumps(TEMPLATE))
    ended(lambda: cloudformation.describe_stacks(StackName="rebuy")["Stacks"][0]["StackStatus"],
          "CREATE_IN_PROGRESS")  # fmt: skip
    outputs = cloudformation.describe_stacks(StackName="rebuy")["Stacks"][0]["Outputs"]
    machine = {each["OutputKey"]: each["OutputValue"] for each in outputs}["StateMachineArn"]
    stepfunctions = server.client("stepfunctions")
    made: str = stepfunctions.start_execution(stateMachineArn=machine, name="late")["executionArn"]
    describe = lambda: stepfunctions.describe_execution(executionArn=made)["status"]  # noqa: E731
    assert ended(describe, "RUNNING") == "FAILED"
    return made


def ended(status: Any, running: str) -> str:
    until = time.monotonic() + 60
    while (found := str(status())) == running:
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def rebuy(server: LocalAws, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"AWS_ENDPOINT_URL": server.url})


def test_a_failed_execution_is_run_again_from_its_failed_state(server: LocalAws, arn: str) -> None:
    server.client("s3").put_object(Bucket="lake", Key="late.json", Body=b"{}")

    done = rebuy(server, "redrive", "latest", "--wait")

    assert done.exit_code == 0, done.output
    assert done.stdout == f"redriven {arn}\nSUCCEEDED\n"
    assert "Look" in done.stderr and "Begin" not in done.stderr
    history = server.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in history if "State" in event["type"]] == [
        "PassStateEntered", "PassStateExited", "TaskStateEntered", "TaskStateExited"
    ]  # fmt: skip

    again = rebuy(server, "redrive", "late")
    assert again.exit_code == 1
    assert str(again.exception) == (
        f"{arn} is SUCCEEDED: Execution is SUCCEEDED and cannot be redriven."
    )


def test_a_redrive_that_fails_again_shows_the_new_failure_and_exits_with_1(
    server: LocalAws, arn: str
) -> None:
    done = rebuy(server, "redrive", arn, "--wait")

    assert (done.exit_code, done.stdout) == (1, f"redriven {arn}\nFAILED\n")
    assert done.stderr.count("S3.NoSuchKeyException") == 1


def test_a_scaled_wait_says_once_what_it_takes_on_aws(server: LocalAws) -> None:
    waits = {
        "Pause": {"Type": "Wait", "SecondsPath": "$.pause.seconds", "Next": "Again?"},
        "Again?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.never", "IsPresent": True, "Next": "Pause"}],
            "Default": "Short",
        },
        "Short": {"Type": "Wait", "Seconds": 0, "End": True},
    }
    client = server.client("stepfunctions")
    machine = client.create_state_machine(
        name="waits",
        definition=json.dumps({"StartAt": "Pause", "States": waits}),
        roleArn=ROLE,
    )["stateMachineArn"]
    started = client.start_execution(stateMachineArn=machine, input='{"pause": {"seconds": 900}}')
    connection = Connection(Settings(endpoint_url=server.url))

    steps = list(Follower(connection, started["executionArn"], "lake").steps())

    assert [(step.state, step.detail) for step in steps] == [
        ("Pause", "900 s on AWS: waits are scaled here"),
        ("Again?", ""),
        ("Short", ""),
    ]


def test_a_failed_execution_is_replayed_over_a_changed_definition(
    server: LocalAws, arn: str, tmp_path: Path
) -> None:
    catching = json.loads(json.dumps(LOOK))
    catching["States"]["Look"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Calm"}]
    catching["States"]["Calm"] = {"Type": "Pass", "Result": "calm", "End": True}
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(catching))

    done = rebuy(server, "replay", arn, "--definition", str(changed))

    assert done.exit_code == 0, done.output
    assert "recorded: FAILED, replayed: SUCCEEDED" in done.stdout
    assert '+Calm: "calm"' in done.stdout
    same = rebuy(server, "replay", arn)
    assert same.exit_code == 1
    assert "every state did the same" in same.stdout


def test_failures_on_purpose_are_for_a_local_aws_only() -> None:
    connection = Connection(Settings(region="eu-west-1"))
    with pytest.raises(InputError, match=r"--inject is for a local AWS; AWS, region eu-west-1"):
        runs.start(connection, "arn:aws:states:x", "{}", None, ["Look: S3.SlowDown"])


def test_a_failure_on_purpose_is_told_of_by_the_execution(server: LocalAws, arn: str) -> None:
    connection = Connection(Settings(endpoint_url=server.url))
    client = server.client("stepfunctions")
    machine = client.describe_execution(executionArn=arn)["stateMachineArn"]
    started = runs.start(connection, machine, "{}", "hurt", ["Look: S3.SlowDown"])
    describe = lambda: client.describe_execution(executionArn=started)["status"]  # noqa: E731
    assert ended(describe, "RUNNING") == "FAILED"
    described = client.describe_execution(executionArn=started)
    assert (described["error"], described["cause"]) == (
        "S3.SlowDown",
        "Injected: Look: S3.SlowDown",
    )
    assert described["traceHeader"] == "Injected=Look: S3.SlowDown"
    with pytest.raises(InputError, match="--inject: 'Nope' is no Task of the state machine"):
        runs.start(connection, machine, "{}", "no", ["Nope: S3.SlowDown"])
