"""Tasks: integrations, their histories, errors, timeouts, tokens and cancellation."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.core.clock import Clock
from localaws.errors import AwsError
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services

Json = dict[str, Any]

GLUE_SYNC = "arn:aws:states:::glue:startJobRun.sync"
ATHENA_SYNC = "arn:aws:states:::athena:startQueryExecution.sync"
LAMBDA = "arn:aws:states:::lambda:invoke"
CRAWLER = "arn:aws:states:::aws-sdk:glue:getCrawler"


def task(resource: str, parameters: Json | None = None, **more: Any) -> Json:
    given = {} if parameters is None else {"Parameters": parameters}
    return {"Type": "Task", "Resource": resource, **given, **more}


def test_a_sync_job_writes_the_events_of_aws_in_their_order(sfn: Workflows) -> None:
    done = sfn.run(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))

    assert done.types == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted",
        "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert done.previous == [0, 0, 2, 3, 4, 5, 6, 7]
    scheduled = done.details("TaskScheduled")
    assert scheduled["resourceType"] == "glue"
    assert scheduled["resource"] == "startJobRun.sync"
    assert json.loads(scheduled["parameters"]) == {"JobName": "join"}
    assert scheduled["region"] == "us-east-1"


def test_the_output_of_a_glue_job_is_the_flattened_run_with_millisecond_times(
    sfn: Workflows,
) -> None:
    output = sfn.run(machine(Join=task(GLUE_SYNC, {"JobName": "join"}))).output

    assert output["JobRunState"] == "SUCCEEDED"
    assert output["CompletedOn"] == 1767323045000
    assert list(output) == sorted(output)


def test_an_athena_query_keeps_its_wrapper_and_gets_a_deterministic_token(sfn: Workflows) -> None:
    done = sfn.run(machine(Query=task(ATHENA_SYNC, {"QueryString": "SELECT 1"})))

    assert done.output["QueryExecution"]["Status"]["State"] == "SUCCEEDED"
    token = sfn.jobs.calls[0][1]["ClientRequestToken"]
    assert len(token) == 64
    submitted = json.loads(done.details("TaskSubmitted")["output"])
    assert set(submitted) == {"QueryExecutionId", "SdkHttpMetadata", "SdkResponseMetadata"}


def test_a_failed_job_is_states_task_failed_with_the_described_job_as_cause(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = "FAILED"
    done = sfn.run(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))

    assert (done.status, done.error) == ("FAILED", "States.TaskFailed")
    assert json.loads(done.cause)["ErrorMessage"] == "it broke"
    assert done.types[-2:] == ["TaskFailed", "ExecutionFailed"]


def test_the_end_of_a_job_is_noticed_by_its_signal(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    arn = sfn.begin(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    sfn.until(sfn.has(arn, "TaskSubmitted"))

    ended = time.monotonic()
    sfn.jobs.end("jr_0", "SUCCEEDED")
    done = sfn.wait(arn)

    assert done.status == "SUCCEEDED"
    assert time.monotonic() - ended < 0.5  # the poll alone would take a second


def test_without_a_signal_the_end_is_found_by_polling(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    arn = sfn.begin(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    sfn.until(sfn.has(arn, "TaskSubmitted"))

    sfn.jobs.end("jr_0", "SUCCEEDED", signal=False)

    assert sfn.wait(arn).status == "SUCCEEDED"


def test_stopping_an_execution_stops_its_job(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    arn = sfn.begin(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    sfn.until(sfn.has(arn, "TaskSubmitted"))

    sfn.client.stop_execution(executionArn=arn, error="Stop", cause="enough")
    done = sfn.wait(arn)

    assert (done.status, done.error, done.cause) == ("ABORTED", "Stop", "enough")
    assert (done.types[-1], done.previous[-1]) == ("ExecutionAborted", 0)
    assert sfn.until(lambda: sfn.jobs.stopped) == ["jr_0"]


def test_a_task_that_takes_too_long_times_out_and_its_query_is_stopped(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    query = task(ATHENA_SYNC, {"QueryString": "SELECT 1"}, TimeoutSeconds=1)
    done = sfn.run(machine(Query=query))

    assert (done.status, done.error) == ("FAILED", "States.Timeout")
    assert done.details("TaskTimedOut") == {
        "resourceType": "athena", "resource": "startQueryExecution.sync", "error": "States.Timeout",
    }  # fmt: skip
    assert done.details("TaskScheduled")["timeoutInSeconds"] == 1
    assert sfn.until(lambda: sfn.jobs.stopped) == ["jr_0"]


class Movable(Clock):
    """Stands still until it is moved."""

    ahead = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self.ahead)


def test_tasks_that_time_out_in_the_same_moment_have_all_timed_out(
    tmp_path: Path, jobs: Jobs
) -> None:
    clock = Movable(0)
    aws = start(tmp_path / "still", services(jobs), clock=clock)
    sfn = Workflows(aws, jobs)
    jobs.ends_at_once = None
    query = {"QueryString": "SELECT 1", "WorkGroup": "w"}
    inner = machine(Query=task(ATHENA_SYNC, query, TimeoutSeconds=100))
    arn = sfn.begin(machine(M={"Type": "Map", "ItemProcessor": inner}), [1, 2, 3])
    sfn.until(lambda: [e["type"] for e in sfn.history(arn)].count("TaskSubmitted") == 3, 60)
    clock.ahead = 101.0

    done = sfn.wait(arn, 60)
    assert done.error == "States.Timeout"
    end = done.types.index("TaskTimedOut")
    assert done.types[end : end + 4] == [*["TaskTimedOut"] * 3, "MapIterationFailed"]
    sfn.until(lambda: sorted(jobs.stopped) == ["jr_0", "jr_1", "jr_2"], 60)
    aws.stop()


def test_an_sdk_call_returns_pascal_case_with_iso_times_and_no_metadata(sfn: Workflows) -> None:
    done = sfn.run(machine(Look=task(CRAWLER, {"Name": "raw"})))

    assert done.output == {
        "Crawler": {"CreationTime": "2026-01-02T03:04:05.000Z", "Name": "raw", "State": "READY"}
    }
    assert done.details("TaskScheduled")["resourceType"] == "aws-sdk:glue"
    assert "TaskSubmitted" not in done.types


def test_an_empty_sdk_answer_is_an_empty_object(sfn: Workflows) -> None:
    start = task("arn:aws:states:::aws-sdk:glue:startCrawler", {"Name": "raw"})
    assert sfn.run(machine(Start=start)).output == {}


@pytest.mark.parametrize(
    ("resource", "code", "error"),
    [
        (CRAWLER, "EntityNotFoundException", "Glue.EntityNotFoundException"),
        (CRAWLER, "ThrottlingException", "Glue.GlueException"),
        (CRAWLER, "SomethingNobodyModels", "Glue.GlueException"),
        (GLUE_SYNC, "ConcurrentRunsExceededException", "Glue.ConcurrentRunsExceededException"),
        (GLUE_SYNC, "SomethingNobodyModels", "Glue.AWSGlueException"),
        (ATHENA_SYNC, "TooManyRequestsException", "Athena.TooManyRequestsException"),
        (ATHENA_SYNC, "AccessDeniedException", "Athena.AmazonAthenaException"),
    ],
)
def test_service_errors_have_the_names_of_the_java_sdks(
    sfn: Workflows, resource: str, code: str, error: str
) -> None:
    sfn.jobs.errors.append(AwsError(code, "no"))
    names = {GLUE_SYNC: {"JobName": "j"}, ATHENA_SYNC: {"QueryString": "q"}, CRAWLER: {"Name": "c"}}
    done = sfn.run(machine(Call=task(resource, names[resource])))

    assert done.error == error
    assert done.cause.startswith("no (Service: ")


def test_a_function_gets_json_and_answers_json(sfn: Workflows) -> None:
    sfn.jobs.replies["double"] = lambda event: {"twice": event["n"] * 2}
    invoke = task(LAMBDA, {"FunctionName": "double", "Payload.$": "$"})
    done = sfn.run(machine(Double=invoke), {"n": 21})

    assert done.output["Payload"] == {"twice": 42}
    assert done.output["StatusCode"] == 200
    assert {"ExecutedVersion", "SdkHttpMetadata", "SdkResponseMetadata"} <= set(done.output)


def test_a_functions_own_exception_is_the_error(sfn: Workflows) -> None:
    def fails(event: Json) -> None:
        raise ValueError("bad row")

    sfn.jobs.replies["check"] = fails
    check = task(LAMBDA, {"FunctionName": "check"})
    check["Catch"] = [{"ErrorEquals": ["ValueError"], "ResultPath": "$.error", "Next": "After"}]
    done = sfn.run(machine(Check=check, After={"Type": "Pass"}), {"keep": 1})

    assert done.output["keep"] == 1
    assert done.output["error"]["Error"] == "ValueError"
    assert json.loads(done.output["error"]["Cause"])["errorMessage"] == "bad row"


def test_a_function_arn_as_resource_gives_its_bare_answer_and_lambda_events(sfn: Workflows) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
    done = sfn.run(machine(Echo=task(arn)), {"n": 1})

    assert done.output == {"n": 1}
    assert done.types[2:5] == [
        "LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded",
    ]  # fmt: skip


def test_a_result_above_256_kib_is_data_limit_exceeded_and_states_all_takes_it(
    sfn: Workflows,
) -> None:
    sfn.jobs.replies["big"] = lambda event: "x" * 270_000
    big = task(LAMBDA, {"FunctionName": "big"})
    big["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "After"}]
    done = sfn.run(machine(Big=big, After={"Type": "Pass"}))

    assert done.output["Error"] == "States.DataLimitExceeded"
    assert "'lambda' returned a result with a size exceeding" in done.output["Cause"]


def test_retries_follow_each_other_without_entering_the_state_again(sfn: Workflows) -> None:
    sfn.jobs.errors += [AwsError("ThrottlingException", "slow down")] * 2
    look = task(CRAWLER, {"Name": "raw"})
    look["Retry"] = [{"ErrorEquals": ["Glue.GlueException"], "MaxAttempts": 3}]
    done = sfn.run(machine(Look=look))

    assert done.status == "SUCCEEDED"
    assert done.types == [
        "ExecutionStarted", "TaskStateEntered",
        "TaskScheduled", "TaskStarted", "TaskFailed",
        "TaskScheduled", "TaskStarted", "TaskFailed",
        "TaskScheduled", "TaskStarted", "TaskSucceeded",
        "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip


def test_the_retry_count_is_in_the_context(sfn: Workflows) -> None:
    sfn.jobs.errors.append(AwsError("ThrottlingException", "slow down"))
    look = task(CRAWLER, {"Name.$": "States.Format('raw-{}', $$.State.RetryCount)"})
    look["Retry"] = [{"ErrorEquals": ["States.ALL"]}]
    sfn.run(machine(Look=look))

    assert [params["Name"] for _, params in sfn.jobs.calls] == ["raw-0", "raw-1"]


def test_a_task_token_answers_later(sfn: Workflows) -> None:
    send = task(
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        {"QueueUrl": "http://localhost/q/1", "MessageBody": {"Token.$": "$$.Task.Token"}},
    )
    arn = sfn.begin(machine(Ask=send))
    sfn.until(sfn.has(arn, "TaskSubmitted"))
    token = json.loads(sfn.jobs.calls[0][1]["MessageBody"])["Token"]

    sfn.client.send_task_heartbeat(taskToken=token)
    sfn.client.send_task_success(taskToken=token, output='{"answer": 42}')

    done = sfn.wait(arn)
    assert done.output == {"answer": 42}
    with pytest.raises(sfn.client.exceptions.TaskTimedOut):
        sfn.client.send_task_success(taskToken=token, output="{}")


def test_a_token_may_be_answered_before_its_call_has_returned(sfn: Workflows) -> None:
    def answers(event: Json) -> None:
        sfn.client.send_task_failure(taskToken=event["token"], error="Mine", cause="because")

    sfn.jobs.replies["quick"] = answers
    ask = task(
        "arn:aws:states:::lambda:invoke.waitForTaskToken",
        {"FunctionName": "quick", "Payload": {"token.$": "$$.Task.Token"}},
    )
    done = sfn.run(machine(Ask=ask))

    assert (done.error, done.cause) == ("Mine", "because")
    assert done.types[4:6] == ["TaskSubmitted", "TaskFailed"]


def test_a_missed_heartbeat_is_a_timeout_that_heartbeat_timeout_catches(sfn: Workflows) -> None:
    send = task(
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        {"QueueUrl": "http://localhost/q/1", "MessageBody.$": "$$.Task.Token"},
        HeartbeatSeconds=1,
    )
    send["Catch"] = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "After"}]
    done = sfn.run(machine(Ask=send, After={"Type": "Pass"}))

    assert done.output == {"Error": "States.Timeout", "Cause": ""}
    assert "TaskTimedOut" in done.types


def test_arguments_that_the_api_does_not_take_fail_before_anything_starts(sfn: Workflows) -> None:
    start = task(GLUE_SYNC, {"JobName.$": "$.name"})
    done = sfn.run(machine(Join=start), {"name": 5})

    assert done.error == "States.Runtime"
    assert "could not be used to start the Task" in done.cause
    assert sfn.jobs.calls == []


def test_a_child_execution_is_awaited_and_its_output_parsed(sfn: Workflows) -> None:
    child = sfn.create(machine(Echo={"Type": "Pass", "Parameters": {"got.$": "$.n"}}))
    parent = task(
        "arn:aws:states:::states:startExecution.sync:2",
        {"StateMachineArn": child, "Input": {"n": 7}},
    )
    done = sfn.run(machine(Child=parent))

    assert done.output["Status"] == "SUCCEEDED"
    assert done.output["Output"] == {"got": 7}


def test_a_failed_child_execution_fails_the_task(sfn: Workflows) -> None:
    child = sfn.create(machine(No={"Type": "Fail", "Error": "Child", "Cause": "broke"}))
    parent = task("arn:aws:states:::states:startExecution.sync", {"StateMachineArn": child})
    done = sfn.run(machine(Child=parent))

    assert done.error == "States.TaskFailed"
    assert json.loads(done.cause)["Error"] == "Child"


def test_stopping_the_parent_stops_the_child(sfn: Workflows) -> None:
    child = sfn.create(
        machine(
            Wait={"Type": "Wait", "Timestamp": "2099-01-01T00:00:00Z"},
            W2=task(CRAWLER, {"Name": "x"}),
        )
    )
    sfn.jobs.ends_at_once = None
    grand = sfn.create(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    parent = task("arn:aws:states:::states:startExecution.sync", {"StateMachineArn": grand})
    arn = sfn.begin(machine(Child=parent))
    sfn.until(sfn.has(arn, "TaskSubmitted"))
    sfn.until(lambda: sfn.jobs.calls)

    sfn.client.stop_execution(executionArn=arn)

    assert sfn.until(lambda: sfn.jobs.stopped) == ["jr_0"]
    assert child
