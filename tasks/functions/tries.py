"""The tries of one execution: the first, and one more with every redrive. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from executions.history import History, Visit, details_of, failure_of, mapping

Json = dict[str, Any]

ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
BEGINS = ("ExecutionStarted", "ExecutionRedriven")


@dataclass(frozen=True)
class Try:
    """`number` from 1; `status` as of an execution, RUNNING with `ended_at` None; `events` is the
    history from the execution's start to the end of this try."""

    number: int
    began_at: datetime
    ended_at: datetime | None
    status: str
    error: str | None
    cause: str | None
    events: list[Json]


def tries_of(events: list[Json]) -> list[Try]:
    """One entry a try, in their order. `events` as GetExecutionHistory gives them, all of them."""
    found: list[Try] = []
    for position, event in enumerate(events):
        if event["type"] in BEGINS:
            began = event["timestamp"]
            found.append(Try(len(found) + 1, began, None, "RUNNING", None, None, events))
        elif event["type"] in ENDS:
            details = details_of(event)
            found[-1] = Try(
                found[-1].number,
                found[-1].began_at,
                event["timestamp"],
                ENDS[event["type"]],
                details.get("error"),
                details.get("cause"),
                events[: position + 1],
            )
    return found


def data_of(events: list[Json]) -> Json:
    """What the workflow knew last: the newest input or output of a state that holds a run; {} when
    no run was planned."""
    for event in reversed(events):
        details = details_of(event)
        data = mapping(details.get("output") if "Exited" in event["type"] else details.get("input"))
        if "State" in event["type"] and isinstance(data.get("run"), dict):
            return data
    return {}


def failed_visit(attempt: Try) -> Visit | None:
    """The visit of a state that ended a try: what failed (`failure_of`), else the last one that was
    entered and not left (where it was stopped)."""
    visits = History(attempt.events).visits
    left = [visit for visit in visits if visit.exited_at is None]
    return failure_of(visits) or (left[-1] if left else None)
