"""Failures on purpose: they happen to the states they are meant for, and say so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.stepfunctions import injection
from tests.stepfunctions.conftest import Ended, Workflows, machine
from tests.stepfunctions.test_tasks import GLUE_SYNC, LAMBDA, task

Json = dict[str, Any]

RETRIED = {"Retry": [{"ErrorEquals": ["States.TaskFailed", "States.Timeout"], "MaxAttempts": 2}]}


def run(sfn: Workflows, definition: Json, *injections: str) -> Ended:
    def add(request: Any, **_: Any) -> None:
        request.headers[injection.HEADER] = json.dumps(injections)

    events = sfn.client.meta.events
    events.register("before-sign.sfn.StartExecution", add)
    try:
        arn = sfn.begin(definition)
    finally:
        events.unregister("before-sign.sfn.StartExecution", add)
    return sfn.wait(arn)


def call(**more: Any) -> Json:
    return machine(A=task(LAMBDA, {"FunctionName": "f", "Payload": {"x": 1}}, **more))


def test_the_first_attempts_fail_and_a_retry_gets_through(sfn: Workflows) -> None:
    done = run(sfn, call(**RETRIED), "A: Lambda.TooManyRequestsException x2")

    assert done.status == "SUCCEEDED"
    assert done.types.count("TaskFailed") == 2
    details = done.details("TaskFailed", 1)
    assert details["error"] == "Lambda.TooManyRequestsException"
    assert details["cause"] == "Injected: A: Lambda.TooManyRequestsException x2"
    assert len(sfn.jobs.calls) == 1, "the service was not called for the failures"
    assert done.description["traceHeader"] == "Injected=A: Lambda.TooManyRequestsException x2"


def test_a_redrive_goes_on_without_the_injection(sfn: Workflows) -> None:
    done = run(sfn, call(), "A: Lambda.Unknown")
    assert done.status == "FAILED"
    arn = done.description["executionArn"]
    sfn.client.redrive_execution(executionArn=arn)
    assert sfn.wait(arn).status == "SUCCEEDED"


def test_a_timeout_a_malformed_answer_and_a_delay(sfn: Workflows) -> None:
    timed_out = run(sfn, call(), "A: timeout")
    assert (timed_out.error, timed_out.types[-2]) == ("States.Timeout", "TaskTimedOut")
    malformed = run(sfn, machine(J=task(GLUE_SYNC, {"JobName": "j"})), "J: malformed")
    assert malformed.output == injection.MALFORMED
    assert run(sfn, call(), "A: delay 5").status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("B: Glue.X", "'B' is no Task of the state machine; it has A"),
        ("A: delay soon", "is no injection; it is written 'STATE: Error.Name'"),
        ("A", "is no injection"),
    ],
)
def test_what_cannot_be_injected_is_refused(sfn: Workflows, text: str, problem: str) -> None:
    with pytest.raises(ClientError, match=problem):
        run(sfn, call(), text)


def test_a_job_whose_start_is_answered_too_late_is_stopped(sfn: Workflows) -> None:
    """The call goes on behind the task's timeout: what it began must not run for nobody."""
    sfn.jobs.ends_at_once = None
    slow = machine(J=task(GLUE_SYNC, {"JobName": "j"}, TimeoutSeconds=1))
    sfn.jobs.delay_seconds = 1.5
    done = sfn.wait(sfn.begin(slow))
    assert done.error == "States.Timeout"
    assert sfn.until(lambda: sfn.jobs.stopped) == ["jr_0"]
