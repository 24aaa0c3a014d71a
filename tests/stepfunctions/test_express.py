"""EXPRESS machines: started and forgotten, or waited for; logs are their only history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.logs.api import service as log_service
from localaws.stepfunctions import run as runs
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services
from tests.stepfunctions.test_tasks import GLUE_SYNC, LAMBDA, task

Json = dict[str, Any]
PASS = machine(A={"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id", "c.$": "$$"}})


def synchronously(sfn: Workflows, definition: Json, input_: Any = None, **more: Any) -> Json:
    arn = sfn.create(definition, type="EXPRESS")
    answer: Json = sfn.client.start_sync_execution(
        stateMachineArn=arn, input=json.dumps(input_ or {}), **more
    )
    return answer


def test_a_synchronous_execution_answers_with_its_output_and_its_bill(sfn: Workflows) -> None:
    answer = synchronously(sfn, PASS, {"a": 1}, name="n")
    output = json.loads(answer["output"])

    assert answer["status"] == "SUCCEEDED"
    assert answer["executionArn"] == output["id"]
    assert answer["executionArn"].split(":")[5:8] == ["express", "machine-1", "n"]
    assert "RedriveCount" not in output["c"]["Execution"]
    assert answer["billingDetails"] == {
        "billedMemoryUsedInMB": 64,
        "billedDurationInMilliseconds": 100,
    }
    assert answer["inputDetails"] == answer["outputDetails"] == {"included": True}


def test_a_synchronous_execution_that_fails_is_an_answer_too(sfn: Workflows) -> None:
    answer = synchronously(sfn, machine(A={"Type": "Fail", "Error": "E", "Cause": "c"}))
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "E", "c")
    assert "output" not in answer
    assert answer["outputDetails"] == {"included": True}


def test_metadata_only_leaves_out_what_the_caller_knows(sfn: Workflows) -> None:
    answer = synchronously(sfn, PASS, includedData="METADATA_ONLY")
    assert "input" not in answer
    assert "output" not in answer
    assert answer["outputDetails"] == {"included": False}


def test_an_execution_ends_after_its_time(sfn: Workflows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "EXPRESS_SECONDS", 0.2)
    sfn.jobs.replies["f"] = lambda event: __import__("time").sleep(1)
    answer = synchronously(sfn, machine(A=task(LAMBDA, {"FunctionName": "f"})))
    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")


def test_every_start_of_the_same_name_runs(sfn: Workflows) -> None:
    arn = sfn.create(machine(A=task(LAMBDA, {"FunctionName": "f"})), type="EXPRESS")
    for _ in range(2):
        sfn.client.start_execution(stateMachineArn=arn, name="same")
    sfn.until(lambda: len(sfn.jobs.calls) == 2)


@pytest.mark.parametrize(
    "operation", ["describe_execution", "stop_execution", "get_execution_history"]
)
def test_an_execution_cannot_be_asked_about(sfn: Workflows, operation: str) -> None:
    arn = sfn.create(PASS, type="EXPRESS")
    execution = sfn.client.start_execution(stateMachineArn=arn)["executionArn"]
    with pytest.raises(ClientError, match="'Resource type not valid in this context: express'"):
        getattr(sfn.client, operation)(executionArn=execution)
    with pytest.raises(ClientError, match="not supported by this type of state machine"):
        sfn.client.list_executions(stateMachineArn=arn)


def test_a_standard_machine_is_not_started_synchronously(sfn: Workflows) -> None:
    with pytest.raises(ClientError, match="not supported by this type of state machine") as error:
        sfn.client.start_sync_execution(stateMachineArn=sfn.create(PASS))
    assert error.value.response["Error"]["Code"] == "StateMachineTypeNotSupported"


def test_an_update_is_held_against_the_rules_of_the_type(sfn: Workflows) -> None:
    arn = sfn.create(PASS, type="EXPRESS")
    sync = json.dumps(machine(A=task(GLUE_SYNC, {"JobName": "j"})))
    with pytest.raises(ClientError, match=r"does not support '\.sync' service integration"):
        sfn.client.update_state_machine(stateMachineArn=arn, definition=sync)


def test_retries_parallel_branches_and_maps_run_as_in_a_standard_machine(sfn: Workflows) -> None:
    branch = machine(B={"Type": "Pass", "Parameters": {"v.$": "$"}})
    spread = machine(I={"Type": "Pass"})
    definition = machine(
        P={"Type": "Parallel", "Branches": [branch]},
        M={"Type": "Map", "ItemProcessor": spread, "Retry": [{"ErrorEquals": ["States.ALL"]}]},
    )
    assert json.loads(synchronously(sfn, definition, {"x": 1})["output"]) == [{"v": {"x": 1}}]


def test_an_asynchronous_execution_runs_again_when_the_server_died(
    tmp_path: Path, jobs: Jobs
) -> None:
    aws = start(tmp_path / "home", services(jobs), wait_scale=1)
    sfn = Workflows(aws, jobs)
    definition = machine(
        A=task(LAMBDA, {"FunctionName": "f"}), W={"Type": "Wait", "Seconds": 2},
    )  # fmt: skip
    arn = sfn.create(definition, type="EXPRESS")
    sfn.client.start_execution(stateMachineArn=arn)
    sfn.until(lambda: len(jobs.calls) == 1)
    aws.stop()

    aws = start(tmp_path / "home", services(jobs), wait_scale=0)
    try:
        Workflows(aws, jobs).until(lambda: len(jobs.calls) == 2)
    finally:
        aws.stop()


def test_the_log_group_is_the_history(tmp_path: Path, jobs: Jobs) -> None:
    aws = start(tmp_path / "home", [log_service, *services(jobs)], wait_scale=0)
    try:
        logs, sfn = aws.client("logs"), Workflows(aws, jobs)
        logs.create_log_group(logGroupName="/g")
        group = "arn:aws:logs:us-east-1:000000000000:log-group:/g:*"
        arn = sfn.create(
            PASS,
            type="EXPRESS",
            loggingConfiguration={
                "level": "ALL",
                "includeExecutionData": True,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
            },
        )
        sfn.client.start_sync_execution(stateMachineArn=arn)

        def messages() -> list[Json]:
            events = logs.filter_log_events(logGroupName="/g")["events"]
            return [json.loads(event["message"]) for event in events]

        written = sfn.until(lambda: len(found := messages()) >= 4 and found)
        assert [entry["type"] for entry in written] == [
            "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
        ]  # fmt: skip
        assert ":express:" in written[0]["execution_arn"]
    finally:
        aws.stop()
