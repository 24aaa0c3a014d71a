"""After kill -9 the next start continues what ran; redrive runs only what failed again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.errors import AwsError
from tests.stepfunctions.conftest import ROLE, Jobs, Workflows, machine, services
from tests.stepfunctions.test_tasks import CRAWLER, GLUE_SYNC, task

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]

LONG = machine(
    First={"Type": "Pass", "Result": {"n": 0}},
    Wait={"Type": "Wait", "Seconds": 1},
    Both={
        "Type": "Parallel",
        "Branches": [
            machine(Fast={"Type": "Pass", "Result": "fast"}),
            machine(Slow={"Type": "Wait", "Seconds": 1}, Then={"Type": "Pass", "Result": "slow"}),
        ],
        "ResultPath": "$.both",
    },
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ItemProcessor": machine(
            Pause={"Type": "Wait", "Seconds": 1},
            Item={"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index", "v.$": "$"}},
        ),
        "ResultPath": "$.each",
    },
    Last={"Type": "Pass"},
)
LONG["States"]["First"]["ResultPath"] = "$.first"

CHILD = """
import json, sys, time
from pathlib import Path
from localaws.core.aws import start
from localaws.stepfunctions import api
aws = start(Path(sys.argv[1]), [api.service], wait_scale=0.2)
sfn = aws.client("stepfunctions")
definition = sys.stdin.read()
if definition:
    arn = sfn.create_state_machine(name="long", definition=definition, roleArn=sys.argv[2])
    for number in range(5):
        sfn.start_execution(stateMachineArn=arn["stateMachineArn"], name=f"e{number}",
                            input='{"items": [1, 2, 3, 4, 5]}')
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.35, 0.6])
def test_a_killed_process_loses_no_execution(tmp_path: Path, moment: float) -> None:
    home = tmp_path / "home"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), ROLE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(json.dumps(LONG))
    child.stdin.close()
    assert child.stdout.readline() == "ready\n"
    time.sleep(moment)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()

    aws = start(home, services(Jobs()), wait_scale=0.2)
    try:
        sfn = Workflows(aws, Jobs())
        machine_arn = sfn.client.list_state_machines()["stateMachines"][0]["stateMachineArn"]
        executions = sfn.client.list_executions(stateMachineArn=machine_arn)["executions"]
        assert len(executions) == 5
        for execution in executions:
            done = sfn.wait(execution["executionArn"], seconds=15)
            assert done.status == "SUCCEEDED"
            assert done.output["both"][0] == "fast"
            assert done.output["each"] == [{"i": i, "v": i + 1} for i in range(5)]
            assert [event["id"] for event in done.events] == list(range(1, len(done.events) + 1))
            assert done.types.count("MapIterationSucceeded") == 5
            assert len([t for t in done.types if t.endswith("StateEntered")]) == 18
            assert len([t for t in done.types if t.endswith("StateExited")]) == 18
    finally:
        aws.stop()


def restarted(home: Path, jobs: Jobs, sfn: Workflows) -> Workflows:
    """The same home after a stop, which leaves running executions as a kill does."""
    sfn.aws.stop()
    return Workflows(start(home, services(jobs), wait_scale=0), jobs)


def test_a_job_that_runs_on_is_followed_again_and_not_started_twice(
    sfn: Workflows, tmp_path: Path
) -> None:
    sfn.jobs.ends_at_once = None
    arn = sfn.begin(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    sfn.until(sfn.has(arn, "TaskSubmitted"))

    again = restarted(tmp_path / "home", sfn.jobs, sfn)
    try:
        again.jobs.end("jr_0", "SUCCEEDED")
        done = again.wait(arn)
        assert done.status == "SUCCEEDED"
        assert [name for name, _ in sfn.jobs.calls] == ["StartJobRun"]
        assert done.types.count("TaskSubmitted") == 1
    finally:
        again.aws.stop()


def test_a_job_that_ended_meanwhile_is_noticed(sfn: Workflows, tmp_path: Path) -> None:
    sfn.jobs.ends_at_once = None
    arn = sfn.begin(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    sfn.until(sfn.has(arn, "TaskSubmitted"))
    sfn.jobs.states["jr_0"] = "FAILED"

    again = restarted(tmp_path / "home", sfn.jobs, sfn)
    try:
        assert again.wait(arn).error == "States.TaskFailed"
    finally:
        again.aws.stop()


def test_a_start_that_died_before_its_answer_is_found_again(sfn: Workflows, tmp_path: Path) -> None:
    """The process dies while StartJobRun is under way: the run it began is the task's job."""
    sfn.jobs.ends_at_once = None
    entered, stopped = threading.Event(), threading.Event()
    begin = sfn.jobs.begin

    def dies(operation: str, params: Json) -> str:
        name = begin(operation, params)
        entered.set()
        stopped.wait(60)  # the answer comes after the stop and is lost with the process
        return name

    sfn.jobs.begin = dies  # type: ignore[method-assign]
    arn = sfn.begin(machine(Join=task(GLUE_SYNC, {"JobName": "join"})))
    assert entered.wait(60)
    sfn.jobs.begin = begin  # type: ignore[method-assign]

    again = restarted(tmp_path / "home", sfn.jobs, sfn)
    stopped.set()
    try:
        again.until(again.has(arn, "TaskSubmitted"))
        again.jobs.end("jr_0", "SUCCEEDED")
        done = again.wait(arn)
        assert done.status == "SUCCEEDED"
        assert [name for name, _ in sfn.jobs.calls] == ["StartJobRun"]
        assert done.types.count("TaskStarted") == 1
    finally:
        again.aws.stop()


@pytest.mark.parametrize("answered", [0, 1])
def test_equal_starts_of_one_moment_keep_a_run_each(
    sfn: Workflows, tmp_path: Path, answered: int
) -> None:
    """Two iterations start the same job; the process dies before both answers, or one, came."""
    sfn.jobs.ends_at_once = None
    entered, stopped = threading.Semaphore(0), threading.Event()
    begin = sfn.jobs.begin
    calls = iter(range(2))

    def dies(operation: str, params: Json) -> str:
        name = begin(operation, params)
        entered.release()
        if next(calls) >= answered:
            stopped.wait(60)
        return name

    sfn.jobs.begin = dies  # type: ignore[method-assign]
    join = machine(Join=task(GLUE_SYNC, {"JobName": "join"}))
    arn = sfn.begin(machine(Both={"Type": "Map", "ItemProcessor": join}), [1, 2])
    for _ in range(2):
        assert entered.acquire(timeout=60)
    sfn.until(lambda: [e["type"] for e in sfn.history(arn)].count("TaskSubmitted") == answered)
    sfn.jobs.begin = begin  # type: ignore[method-assign]

    again = restarted(tmp_path / "home", sfn.jobs, sfn)
    stopped.set()
    try:
        again.until(lambda: [e["type"] for e in again.history(arn)].count("TaskSubmitted") == 2)
        for name in ("jr_0", "jr_1"):
            again.jobs.end(name, "SUCCEEDED")
        done = again.wait(arn)
        assert sorted(run["Id"] for run in done.output) == ["jr_0", "jr_1"]
        assert [name for name, _ in sfn.jobs.calls] == ["StartJobRun"] * 2
    finally:
        again.aws.stop()


def test_a_token_stays_valid_over_a_restart(sfn: Workflows, tmp_path: Path) -> None:
    ask = task(
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        {"QueueUrl": "http://localhost/q/1", "MessageBody.$": "$$.Task.Token"},
    )
    arn = sfn.begin(machine(Ask=ask))
    sfn.until(sfn.has(arn, "TaskSubmitted"))

    again = restarted(tmp_path / "home", sfn.jobs, sfn)
    try:
        token = sfn.jobs.calls[0][1]["MessageBody"]
        # At once: a server that has just started knows what it waits for.
        again.client.send_task_heartbeat(taskToken=token)
        again.client.send_task_success(taskToken=token, output='"yes"')
        assert again.wait(arn).output == "yes"
    finally:
        again.aws.stop()


def test_redrive_runs_the_failed_task_again_and_nothing_before_it(sfn: Workflows) -> None:
    sfn.jobs.errors.append(AwsError("EntityNotFoundException", "not yet"))
    arn = sfn.begin(machine(Before={"Type": "Pass"}, Look=task(CRAWLER, {"Name": "raw"})))
    assert sfn.wait(arn).status == "FAILED"
    assert sfn.client.describe_execution(executionArn=arn)["redriveStatus"] == "REDRIVABLE"

    sfn.client.redrive_execution(executionArn=arn)
    sfn.until(lambda: sfn.client.describe_execution(executionArn=arn)["status"] != "RUNNING")
    done = sfn.wait(arn)

    assert done.status == "SUCCEEDED"
    assert done.description["redriveCount"] == 1
    assert done.types == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "TaskStateEntered",
        "TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed",
        "ExecutionRedriven", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "ExecutionSucceeded",
    ]  # fmt: skip
    with pytest.raises(sfn.client.exceptions.ExecutionNotRedrivable):
        sfn.client.redrive_execution(executionArn=arn)


def test_redrive_runs_only_the_failed_iterations_again(sfn: Workflows) -> None:
    def picky(event: Json) -> Any:
        if event == 2 and len(sfn.jobs.calls) < 5:
            raise ValueError("not this one")
        return event * 10

    sfn.jobs.replies["picky"] = picky
    each = {
        "Type": "Map",
        "MaxConcurrency": 1,
        "ItemProcessor": machine(
            Call=task(
                "arn:aws:states:::lambda:invoke", {"FunctionName": "picky", "Payload.$": "$"},
                OutputPath="$.Payload",
            )
        ),
    }  # fmt: skip
    arn = sfn.begin(machine(Each=each), [1, 2, 3])
    assert sfn.wait(arn).error == "ValueError"
    sfn.jobs.calls += [("", {})] * 5

    sfn.client.redrive_execution(executionArn=arn)
    done = sfn.wait(arn)

    assert done.output == [10, 20, 30]
    events = [params["event"] for name, params in sfn.jobs.calls if name == "Invoke"]
    assert events == [1, 2, 2, 3]


def test_the_same_token_is_the_same_redrive(sfn: Workflows) -> None:
    """As AWS has answered, after the first call, and once the redriven execution has ended."""
    sfn.jobs.errors = [AwsError("EntityNotFoundException", "no")] * 2
    arn = sfn.begin(machine(Look=task(CRAWLER, {"Name": "x"})))
    assert sfn.wait(arn, 60).status == "FAILED"

    first = sfn.client.redrive_execution(executionArn=arn, clientToken="t")["redriveDate"]
    assert sfn.wait(arn, 60).status == "FAILED"
    assert sfn.client.redrive_execution(executionArn=arn, clientToken="t")["redriveDate"] == first
    assert sfn.client.describe_execution(executionArn=arn)["redriveCount"] == 1
    sfn.client.redrive_execution(executionArn=arn, clientToken="other")
    assert sfn.wait(arn, 60).status == "SUCCEEDED"
    refused = (
        f"Execution {arn} invalid for redrive as: Execution is SUCCEEDED and cannot be redriven"
    )
    with pytest.raises(sfn.client.exceptions.ExecutionNotRedrivable, match=re.escape(refused)):
        sfn.client.redrive_execution(executionArn=arn, clientToken="third")
