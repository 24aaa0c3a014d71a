"""A recorded execution run again over another definition, offline, with its tasks' old answers.

The real engine runs the definition in a home that is gone afterwards. Nothing is called: each Task
gets what the recorded Task of the same state got, first the one with the same arguments, then the
next in order. Waits take no time.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.core.aws import LocalAws, start
from localaws.core.service import Service
from localaws.shapes import Json
from localaws.stepfunctions.api import build
from localaws.stepfunctions.errors import TIMEOUT, StateError
from localaws.stepfunctions.integrations.resources import Resource
from localaws.stepfunctions.integrations.runtime import Answer, Integrations, TaskCall

NOT_RECORDED = "NotRecorded"
END_SECONDS = 120.0
SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled")
ENDS = ("Succeeded", "Failed", "TimedOut")


@dataclass(frozen=True)
class RecordedTask:
    """What one attempt of a Task was sent, as JSON text, and what came of it: the `output` (JSON
    text), or `error` and `cause`."""

    state: str
    arguments: str
    output: str | None
    error: str | None
    cause: str | None


@dataclass(frozen=True)
class Replayed:
    """How the replay ended. `steps` as `steps_of` gives them; `notes` tell where the arguments of
    a Task were not the recorded ones, and which answers nobody asked for."""

    status: str
    output: str | None
    error: str | None
    cause: str | None
    steps: list[str]
    notes: list[str] = field(default_factory=list)


def recorded_tasks(events: Iterable[Json]) -> list[RecordedTask]:
    """Every attempt of a Task in a history that has ended, in the order of their schedules."""
    by_id = {event["id"]: event for event in events}
    followers = {
        event["previousEventId"]: event
        for event in by_id.values()
        if event["type"].startswith(("Task", "LambdaFunction"))
        and not event["type"].startswith("TaskState")
    }
    return [
        task
        for event in by_id.values()
        if event["type"] in SCHEDULED and (task := _recorded(event, by_id, followers)) is not None
    ]


def _recorded(
    scheduled: Json, by_id: dict[int, Json], followers: dict[int, Json]
) -> RecordedTask | None:
    entered = scheduled
    while not entered["type"].endswith("StateEntered"):
        entered = by_id[entered["previousEventId"]]
    last: Json | None = followers.get(scheduled["id"])
    while last is not None and not last["type"].endswith(ENDS):
        last = followers.get(last["id"])
    if last is None:
        return None  # it was stopped in the middle
    sent, got = _details(scheduled), _details(last)
    timed_out = last["type"].endswith("TimedOut")
    return RecordedTask(
        state=entered["stateEnteredEventDetails"]["name"],
        arguments=str(sent.get("parameters", sent.get("input", ""))),
        output=got.get("output"),
        error=TIMEOUT if timed_out else got.get("error"),
        cause=got.get("cause"),
    )


def _details(event: Json) -> Json:
    found = (value for key, value in event.items() if key.endswith("EventDetails"))
    details: Json = next(found, {})
    return details


def steps_of(events: Iterable[Json]) -> list[str]:
    """One line for each state that was left, with its output, and for each failure."""
    return list(_steps(events))


def _steps(events: Iterable[Json]) -> Iterator[str]:
    for event in events:
        details = _details(event)
        if event["type"].endswith("StateExited"):
            yield f"{details['name']}: {details.get('output', '')}"
        elif event["type"].endswith(("Failed", "TimedOut")):
            yield f"{event['type']}: {details.get('error')}: {details.get('cause')}"


class RecordedAnswers(Integrations):
    """Answers Tasks from a record; calls nothing."""

    def __init__(self, tasks: Iterable[RecordedTask]) -> None:
        super().__init__(_no_client)
        self._left = list(tasks)
        self._lock = threading.Lock()
        self.notes: list[str] = []

    def check_resource(self, resource: Resource) -> None:
        """Whatever AWS has may be in a definition: nothing of it is called."""

    def start(self, task: TaskCall) -> Answer:
        recorded = self._take(task)
        if recorded is None:
            raise StateError(
                NOT_RECORDED,
                f"The recorded execution has no (further) answer for the Task {task.state!r}.",
                from_task=True,
            )
        if recorded.output is None:
            raise StateError(recorded.error, recorded.cause, from_task=True)
        return Answer(json.loads(recorded.output), final=True)

    def _take(self, task: TaskCall) -> RecordedTask | None:
        with self._lock:
            of_state = [recorded for recorded in self._left if recorded.state == task.state]
            same = [one for one in of_state if _same(one.arguments, task.arguments)]
            chosen = next(iter(same or of_state), None)
            if chosen is not None:
                self._left.remove(chosen)
                if not same:
                    self.notes.append(f"{task.state}: other arguments than those recorded")
            return chosen

    def unused(self) -> list[str]:
        return [f"{task.state}: a recorded answer that nobody asked for" for task in self._left]


def _same(text: str, arguments: Any) -> bool:
    try:
        return bool(json.loads(text) == arguments)
    except ValueError:
        return False


def _no_client(service: str) -> Any:
    raise StateError(NOT_RECORDED, f"A replay is offline: it has no {service}.", from_task=True)


def replay(
    definition: str, text: str, tasks: Iterable[RecordedTask], *, machine: str, name: str
) -> Replayed:
    """Runs the definition on the input. `machine` and `name` are those of the recorded execution,
    so that ARNs in the data stay what they were. Raises InvalidDefinition (ClientError)."""
    answers = RecordedAnswers(tasks)

    def service(aws: LocalAws) -> Service:
        return build(aws, lambda _aws, _resources: answers)

    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        aws = start(Path(folder) / "home", [service], wait_scale=0)
        try:
            return _run(aws.client("stepfunctions"), answers, definition, text, machine, name)
        finally:
            aws.stop()


def _run(
    client: Any, answers: RecordedAnswers, definition: str, text: str, machine: str, name: str
) -> Replayed:
    role = "arn:aws:iam::000000000000:role/replay"
    arn = client.create_state_machine(name=machine, definition=definition, roleArn=role)
    execution = client.start_execution(
        stateMachineArn=arn["stateMachineArn"], name=name, input=text
    )["executionArn"]
    describe: Callable[[], Json] = lambda: client.describe_execution(executionArn=execution)  # noqa: E731
    until = time.monotonic() + END_SECONDS
    while (ended := describe())["status"] == "RUNNING":
        if time.monotonic() > until:
            raise TimeoutError(f"The replay still runs after {END_SECONDS:g} seconds.")
        time.sleep(0.01)
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
    return Replayed(
        ended["status"],
        ended.get("output"),
        ended.get("error"),
        ended.get("cause"),
        steps_of(event for page in pages for event in page["events"]),
        [*dict.fromkeys(answers.notes), *answers.unused()],
    )
