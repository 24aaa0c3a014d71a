"""The tries of one execution: the first, and one more with every redrive. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from executions.history import History, Visit, details_of, mapping

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


def failed_state(attempt: Try) -> str | None:
    """The state that ended a try: whose last attempt failed with its error, else the last one that
    was entered and not left (where it was stopped, or what no attempt shows).

    A state that was caught, and after which another one failed in its name (`Roll back`), is the
    one that is meant.
    """
    visits = History(attempt.events).visits
    failed = _failed(visits, attempt.error, attempt.cause)
    if failed is None:
        left = [visit.state for visit in visits if visit.exited_at is None]
        return left[-1] if left else None
    entered = next(event for event in attempt.events if event["id"] == failed.id)
    caught = mapping(details_of(entered).get("input")).get("failure")
    if isinstance(caught, dict) and caught.get("Error") == attempt.error:
        before = [visit for visit in visits if visit.id < failed.id]
        failed = _failed(before, caught["Error"], caught.get("Cause")) or failed
    return failed.state


def _failed(visits: list[Visit], error: str | None, cause: str | None) -> Visit | None:
    """The last visit whose last attempt failed with this error and cause."""
    for visit in reversed(visits):
        last = visit.attempts[-1] if visit.attempts else None
        if last is None or last.error != error:
            continue
        if last.status == "timed out" or (last.status == "failed" and last.cause == cause):
            return visit
    return None
