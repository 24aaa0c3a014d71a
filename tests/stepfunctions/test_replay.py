"""A recorded execution over another definition: the tasks' old answers, offline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.stepfunctions.replay import Replayed, recorded_tasks, replay
from tests.stepfunctions.conftest import Ended, Jobs, Workflows, machine, services
from tests.stepfunctions.test_tasks import GLUE_SYNC, LAMBDA, task

Json = dict[str, Any]
Record = Callable[..., Ended]


@pytest.fixture
def record(tmp_path: Path, jobs: Jobs) -> Record:
    """Runs a definition for real, and stops the local AWS: a process has one at a time."""

    def once(definition: Json, input_: Any = None) -> Ended:
        aws = start(tmp_path / "home", services(jobs), wait_scale=0)
        try:
            return Workflows(aws, jobs).run(definition, input_)
        finally:
            aws.stop()

    return once


def again(definition: Json, recorded: Ended) -> Replayed:
    tasks = recorded_tasks(recorded.events)
    text = recorded.description["input"]
    return replay(json.dumps(definition), text, tasks, machine="m", name="n")


def call(value: Any, **more: Any) -> Json:
    return task(LAMBDA, {"FunctionName": "f", "Payload": value}, **more)


def test_the_old_answers_go_through_a_new_definition(record: Record, jobs: Jobs) -> None:
    jobs.replies["f"] = lambda event: {"n": event["n"] * 2}
    recorded = record(machine(A=call({"n": 2}), J=task(GLUE_SYNC, {"JobName": "j"})))
    calls = len(jobs.calls)
    new = machine(
        A=call({"n": 2}, OutputPath="$.Payload"),
        W={"Type": "Wait", "Seconds": 3600},
        J=task(GLUE_SYNC, {"JobName": "j"}, ResultPath="$.job"),
        C={"Type": "Pass", "Parameters": {"n.$": "$.n", "id.$": "$.job.Id"}},
    )

    replayed = again(new, recorded)

    assert (replayed.status, json.loads(replayed.output or "")) == (
        "SUCCEEDED",
        {"n": 4, "id": "jr_1"},
    )
    assert len(jobs.calls) == calls, "nothing was called"
    assert replayed.notes == []


def test_failures_are_answers_too(record: Record, jobs: Jobs) -> None:
    def fail(event: Any) -> Any:
        raise ValueError("no")

    jobs.replies["f"] = fail
    recorded = record(machine(A=call(1)))
    assert recorded.status == "FAILED"

    caught = machine(
        A=call(1, Catch=[{"ErrorEquals": ["ValueError"], "Next": "B"}]), B={"Type": "Pass"}
    )
    assert again(caught, recorded).status == "SUCCEEDED"
    retried = again(machine(A=call(1, Retry=[{"ErrorEquals": ["ValueError"]}])), recorded)
    assert (retried.status, retried.error) == ("FAILED", "NotRecorded")


def test_each_iteration_gets_its_own_answer(record: Record, jobs: Jobs) -> None:
    jobs.replies["f"] = lambda event: event + 100
    inner = machine(A=task(LAMBDA, {"FunctionName": "f", "Payload.$": "$"}, OutputPath="$.Payload"))
    definition = machine(M={"Type": "Map", "ItemProcessor": inner})
    recorded = record(definition, [3, 1, 2])
    assert json.loads(again(definition, recorded).output or "") == [103, 101, 102]


def test_what_changed_is_noted(record: Record, jobs: Jobs) -> None:
    recorded = record(machine(A=call(1), B=call(2)))
    replayed = again(machine(A=call(7)), recorded)
    assert replayed.notes == [
        "A: other arguments than those recorded",
        "B: a recorded answer that nobody asked for",
    ]
    assert again(machine(N=call(1)), recorded).error == "NotRecorded"
