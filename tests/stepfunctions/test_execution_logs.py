"""History events in CloudWatch Logs, in the shape and at the levels that AWS documents."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.core.log_shipping import batches
from localaws.stepfunctions.execution_logs import MAX_EVENT_BYTES, message
from localaws.stepfunctions.records import Event
from tests.stepfunctions.conftest import ROLE, machine

Json = dict[str, Any]

GROUP = "/aws/vendedlogs/states/shop"
FAILS = machine(
    Begin={"Type": "Pass"},
    Both={"Type": "Parallel", "Branches": [machine(No={"Type": "Fail", "Error": "Broken"})]},
)


@pytest.fixture
def run(aws: LocalAws) -> Callable[..., tuple[str, list[Json]]]:
    """Runs a machine with this logging; the execution's ARN and its log entries, read once the
    last of them is there."""
    aws.client("logs").create_log_group(logGroupName=GROUP)

    def run_(definition: Json, level: str, *, data: bool = False) -> tuple[str, list[Json]]:
        sfn, logs = aws.client("stepfunctions"), aws.client("logs")
        made = sfn.create_state_machine(
            name=f"m-{level}",
            definition=json.dumps(definition),
            roleArn=ROLE,
            loggingConfiguration=logging(level, data),
        )
        started = sfn.start_execution(stateMachineArn=made["stateMachineArn"], input='{"a":1}')
        arn: str = started["executionArn"]
        until = time.monotonic() + 60
        while time.monotonic() < until:
            entries = [
                json.loads(event["message"])
                for stream in logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
                for event in logs.get_log_events(
                    logGroupName=GROUP, logStreamName=stream["logStreamName"]
                )["events"]
            ]
            if any(entry["type"].startswith("ExecutionFail") for entry in entries):
                return arn, entries
            if any(entry["type"] == "ExecutionSucceeded" for entry in entries):
                return arn, entries
            time.sleep(0.05)
        raise AssertionError(entries)

    return run_


def logging(level: str, data: bool = False, group: str = GROUP) -> Json:
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    return {
        "level": level,
        "includeExecutionData": data,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }


def test_every_event_is_written_with_its_data(run: Any, aws: LocalAws) -> None:
    arn, entries = run(machine(Begin={"Type": "Pass"}), "ALL", data=True)

    history = aws.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    assert [(entry["id"], entry["type"], entry["previous_event_id"]) for entry in entries] == [
        (str(event["id"]), event["type"], str(event["previousEventId"])) for event in history
    ]
    entered = entries[1]
    assert entered == {
        "id": "2",
        "type": "PassStateEntered",
        "details": {"name": "Begin", "input": '{"a":1}', "inputDetails": {"truncated": False}},
        "redrive_count": "0",
        "previous_event_id": "0",
        "event_timestamp": str(round(history[1]["timestamp"].timestamp() * 1000)),
        "execution_arn": arn,
    }
    (stream,) = aws.client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert stream["logStreamName"].startswith("states/m-ALL/")


@pytest.mark.parametrize(
    ("level", "types"),
    [
        (
            "ERROR",
            ["FailStateEntered", "ParallelStateFailed", "ExecutionFailed"],
        ),
        ("FATAL", ["ExecutionFailed"]),
    ],
)
def test_a_level_picks_its_events_and_data_stays_out(
    run: Any, level: str, types: list[str]
) -> None:
    _, entries = run(FAILS, level)

    assert [entry["type"] for entry in entries] == types
    assert "input" not in json.dumps(entries)


def test_a_destination_that_is_not_there_is_refused(aws: LocalAws) -> None:
    sfn = aws.client("stepfunctions")
    definition = json.dumps(machine(Begin={"Type": "Pass"}))
    for configuration, problem in (
        (logging("ALL", group="/none"), "Log Destination not found"),
        ({"level": "ERROR"}, "Must specify exactly one Log Destination"),
    ):
        with pytest.raises(ClientError, match=problem) as error:
            sfn.create_state_machine(
                name="m", definition=definition, roleArn=ROLE, loggingConfiguration=configuration
            )
        assert error.value.response["Error"]["Code"] == "InvalidLoggingConfiguration"


def test_a_large_event_is_cut_and_says_so() -> None:
    class Row:
        arn, redrive_count = "arn", 0

    details = {"name": "Big", "input": "ä" * 200_000, "inputDetails": {"truncated": False}}
    event = Event(2, 0, "PassStateEntered", 1.0, json.dumps({"stateEnteredEventDetails": details}))

    text = message(Row(), event, data=True)  # type: ignore[arg-type]

    assert len(text.encode()) <= MAX_EVENT_BYTES
    assert json.loads(text)["details"]["inputDetails"] == {"truncated": True}
    assert [len(batch) for batch in batches([(0, "x" * 300_000)] * 7)] == [3, 3, 1]
