"""An execution's events as visits of states, each with its attempts. Pure.

console/static/fold.js does the same for a page that grows event by event, with more of what a
drawing needs; both are held to tests/cases/visits.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from executions.cause import message

Json = dict[str, Any]

ATTEMPT = re.compile(
    r"(Task|LambdaFunction|Activity)"
    r"(Scheduled|Started|Submitted|Succeeded|Failed|TimedOut"
    r"|ScheduleFailed|StartFailed|SubmitFailed)"
)
CONTAINERS = ("Parallel", "Map")
FAILURES = ("failed", "timed out")
MOST_CAUSE = 32_768  # characters, as Step Functions takes them
# What ends an execution that did not succeed.
ENDS = {
    "ExecutionFailed": "failed",
    "ExecutionTimedOut": "timed out",
    "ExecutionAborted": "aborted",
}


@dataclass(eq=False)
class Attempt:
    """One try of a Task: a first one, a retry, or one after a redrive.

    `status`: running, succeeded, failed, timed out, aborted. `request` is what was sent to the
    service, `submitted` what it answered at once, `output` what at the end; as text.
    """

    scheduled: int  # id of the event that began it
    resource_type: str  # "athena", "aws-sdk:s3", "lambda"
    resource: str  # "startQueryExecution.sync"
    started_at: datetime
    redrive: int = 0  # 0: before any redrive, 1: after the first
    request: str | None = None
    submitted: str | None = None
    output: str | None = None
    ended_at: datetime | None = None
    status: str = "running"
    error: str | None = None
    cause: str | None = None

    @property
    def service(self) -> str:
        return self.resource_type.removeprefix("aws-sdk:")

    @property
    def verb(self) -> str:
        """The API action: startQueryExecution. A Task whose resource is a function invokes it."""
        if self.resource.startswith("arn:"):
            return "invoke"
        return self.resource.split(".")[0].split(":")[-1]

    @property
    def waits(self) -> bool:
        """Whether Step Functions waits for what the task starts."""
        return self.resource.endswith((".sync", ".sync:2", ".waitForTaskToken"))


@dataclass(eq=False)
class Visit:
    """A state from its entry to its exit.

    `status`: as an attempt's, and "caught" for one that failed and was left by its Catch.
    `exited_at` is None for a visit that was not left by a StateExited event; `ended_at` also says
    when an error or the end of the execution left it. `scope` is the Parallel or Map around it,
    `item` the `name` of the Map's item, where it has one; `after` the caught visit that led here.
    """

    id: int  # of its StateEntered event
    state: str
    type: str
    entered_at: datetime
    scope: Visit | None = None
    iteration: int | None = None
    item: str | None = None
    after: Visit | None = None
    status: str = "running"
    exited_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: list[Attempt] = field(default_factory=list)
    failed: bool = False
    error: str | None = None
    cause: str | None = None
    output: str | None = None

    @property
    def label(self) -> str:
        """The state as people are told it: with its item."""
        return label(self.state, self.item)

    @property
    def request(self) -> Json | None:
        """What was sent at the last attempt."""
        return mapping(self.attempts[-1].request) if self.attempts else None

    def around(self) -> Iterator[Visit]:
        """The visit itself, and those that hold it, inside out."""
        visit: Visit | None = self
        while visit is not None:
            yield visit
            visit = visit.scope


class History:
    """Visits, in the order of entry, out of events that are added in theirs."""

    def __init__(self, events: Iterable[Json] = ()) -> None:
        self.visits: list[Visit] = []
        self.attempts: dict[int, Attempt] = {}  # by the id of the event that scheduled it
        self.transitions = 0  # billed: every entered state, every further attempt
        self.redrives = 0
        self._owner: dict[int, Visit] = {}  # event id to the visit it belongs to
        self._iterations: dict[int, int] = {}  # MapIterationStarted event id to the index
        self._kinds: dict[int, str] = {}
        for event in events:
            self.add(event)

    def add(self, event: Json) -> Visit | None:
        """The visit that the event belongs to; None for one of the whole execution."""
        number, kind = event["id"], event["type"]
        self._kinds[number] = kind
        before = self._owner.get(event.get("previousEventId", 0))
        details = details_of(event)
        if kind.startswith("Execution"):
            self._execution(event, kind, details)
            return None
        if kind.endswith("StateEntered"):
            visit: Visit | None = self._enter(event, details, before)
        elif kind.endswith("StateExited"):
            visit = self._open(before, name=details["name"])
            if visit is None and before is not None and before.state == details["name"]:
                # After a redrive: a Wait or Choice that was ended with its execution.
                visit = before if before.exited_at is None else None
            visit = visit or self._last_open(details["name"])
            if visit is not None:
                visit.output = details.get("output")
                self._close(visit, event, "caught" if is_failing(visit) else "succeeded")
                visit.exited_at = event["timestamp"]
        elif match := ATTEMPT.fullmatch(kind):
            visit = self._attempt(event, match[1], match[2], details, before)
        else:
            visit = self._within(event, kind, details, before)
        if visit is not None:
            self._owner[number] = visit
        return visit

    def _enter(self, event: Json, details: Json, before: Visit | None) -> Visit:
        previous = event.get("previousEventId", 0)
        begins = self._kinds.get(previous, "") in (
            "ParallelStateStarted", "ParallelStateEntered", "MapStateStarted", "MapStateEntered",
            "MapIterationStarted",
        )  # fmt: skip
        scope = before if begins else before.scope if before else None
        iteration = self._iterations.get(previous)
        if iteration is None and before is not None and scope is before.scope:
            iteration = before.iteration
        if previous in self._iterations:
            name = mapping(details.get("input")).get("name")
            item = name if isinstance(name, str) else None
        else:
            item = before.item if before else None
        visit = Visit(
            event["id"],
            details["name"],
            event["type"].removesuffix("StateEntered"),
            event["timestamp"],
            scope,
            iteration,
            item,
            before if before is not None and not begins and before.status == "caught" else None,
        )
        visit.failed = visit.type == "Fail"
        self.visits.append(visit)
        self.transitions += 1
        return visit

    def _attempt(
        self, event: Json, family: str, what: str, details: Json, before: Visit | None
    ) -> Visit | None:
        visit = before or (self._reopened() if what == "Scheduled" else None)
        if visit is None:
            return None
        attempt = visit.attempts[-1] if visit.attempts else None
        begins = what == "Scheduled" or (
            what == "ScheduleFailed" and (attempt is None or attempt.ended_at is not None)
        )
        if begins:
            self.transitions += attempt is not None
            attempt = self._scheduled(event, family, details)
            visit.attempts.append(attempt)
            for outer in visit.around():  # a redriven state goes on in its visit
                outer.status, outer.ended_at, outer.failed = "running", None, False
        if attempt is None:
            return visit
        if what == "Submitted":
            attempt.submitted = details.get("output")
        elif what == "Succeeded":
            attempt.output = details.get("output")
            attempt.status, attempt.ended_at = "succeeded", event["timestamp"]
            visit.failed = False
        elif what.endswith("Failed") or what == "TimedOut":
            timed_out = what == "TimedOut"
            attempt.status = "timed out" if timed_out else "failed"
            attempt.ended_at = event["timestamp"]
            attempt.error = details.get("error") or ("States.Timeout" if timed_out else None)
            attempt.cause = details.get("cause")
            visit.failed, visit.error, visit.cause = True, attempt.error, attempt.cause
        return visit

    def _scheduled(self, event: Json, family: str, details: Json) -> Attempt:
        kinds = {"LambdaFunction": "lambda", "Activity": "activity"}
        attempt = Attempt(
            event["id"],
            details.get("resourceType") or kinds.get(family, ""),
            details.get("resource") or "",
            event["timestamp"],
            self.redrives,
            details.get("parameters", details.get("input")),
        )
        self.attempts[attempt.scheduled] = attempt
        return attempt

    def _within(self, event: Json, kind: str, details: Json, before: Visit | None) -> Visit | None:
        """Events of a Parallel or Map, and of states that were stopped."""
        if kind.startswith("MapIteration"):
            visit = self._open(before, name=details.get("name")) or self._open(before, type_="Map")
            if kind == "MapIterationStarted":
                self._iterations[event["id"]] = details.get("index", 0)
            return visit
        match = re.fullmatch(r"(Parallel|Map)State(Started|Succeeded|Failed|Aborted)", kind)
        if match is None:
            if kind.endswith("StateAborted") and before is not None:
                self._close(before, event, "aborted")
            return before
        visit = self._open(before, type_=match[1])
        if visit is not None and match[2] == "Failed":
            visit.failed = True
            visit.error, visit.cause = details.get("error"), details.get("cause")
        if visit is not None and match[2] == "Aborted":
            self._close(visit, event, "aborted")
        return visit

    def _execution(self, event: Json, kind: str, details: Json) -> None:
        if kind == "ExecutionRedriven":
            self.redrives += 1
        if kind != "ExecutionSucceeded" and kind not in ENDS:
            return
        for visit in self.visits:
            if visit.ended_at is not None:
                continue
            if kind == "ExecutionSucceeded" or visit.type == "Succeed":
                self._close(visit, event, "succeeded")
                continue
            blameless = not is_failing(visit) and not self._holds_failure(visit)
            status = ENDS[kind]
            self._close(visit, event, "aborted" if status == "failed" and blameless else status)
            if visit.type == "Fail":
                visit.error, visit.cause = details.get("error"), details.get("cause")

    def _close(self, visit: Visit, event: Json, status: str) -> None:
        if status == "aborted" and is_failing(visit):
            status = "failed"
        visit.status, visit.ended_at = status, event["timestamp"]
        for attempt in visit.attempts:
            if attempt.ended_at is None:
                attempt.ended_at = event["timestamp"]
                attempt.status = {"succeeded": "succeeded", "caught": "failed"}.get(
                    status, "aborted"
                )
        if visit.type not in CONTAINERS:
            return
        for inner in self.visits:
            if inner.scope is visit and inner.ended_at is None:
                good = inner.type == "Succeed" or (status == "succeeded" and not inner.failed)
                self._close(inner, event, "succeeded" if good else "aborted")

    def _open(
        self, visit: Visit | None, name: str | None = None, type_: str | None = None
    ) -> Visit | None:
        """The innermost visit around this one that has not ended and has the name, or type."""
        for outer in visit.around() if visit is not None else ():
            if outer.ended_at is None and (outer.state == name or outer.type == type_):
                return outer
        return None

    def _last_open(self, name: str) -> Visit | None:
        return next((v for v in reversed(self.visits) if v.state == name and not v.ended_at), None)

    def _holds_failure(self, container: Visit) -> bool:
        return any(visit.scope is container and is_failing(visit) for visit in self.visits)

    def _reopened(self) -> Visit | None:
        """The task that goes on after a redrive, where no event says which."""
        unsuccessful = (*FAILURES, "aborted")
        return next(
            (v for v in reversed(self.visits) if v.type == "Task" and v.status in unsuccessful),
            None,
        )


def is_failing(visit: Visit) -> bool:
    """Whether the visit's last word so far is a failure."""
    return visit.failed or (bool(visit.attempts) and visit.attempts[-1].status in FAILURES)


def failure_of(visits: list[Visit]) -> Visit | None:
    """The visit that made an execution fail: the last one whose own attempts failed; of a Fail
    state, the one whose caught error it tells; else the last failed one. What failed within a
    caught one was handled, unless a state that the catch led to fails in its name."""
    failed = [visit for visit in visits if visit.status in FAILURES and not _handled(visit)]
    own = [visit for visit in failed if visit.type != "Fail" and visit.attempts]
    told = [v for v in visits if v.status == "caught" and failed and v.error == failed[-1].error]
    candidates = own or told or failed
    return _meant(candidates[-1], visits) if candidates else None


def _handled(visit: Visit) -> bool:
    return any(outer.status == "caught" for outer in visit.around())


def _meant(found: Visit, visits: list[Visit]) -> Visit:
    """The one in whose name `found` failed: as a roll back does, which a Catch led to and which
    ends with the caught error, and its cause first; `found` itself, if that is not so."""
    told = message(found.cause, MOST_CAUSE)
    for visit in reversed(visits):
        if visit.state != found.state or visit.after is None:
            continue
        # Of a container the visit within: its own events need not say the error.
        within = (v for v in reversed(visits) if visit.after in v.around() and v.attempts)
        caught = next(filter(is_failing, within), visit.after)
        begins = (message(caught.cause, MOST_CAUSE), caught.cause or "")
        if caught.error == found.error and told.startswith(begins):
            return caught
    return found


def label(state: str, item: str | None) -> str:
    return state if item is None else f"{state} ({item})"


def details_of(event: Json) -> Json:
    """The one member that says what happened: `stateEnteredEventDetails` and the like."""
    return next((value or {} for key, value in event.items() if key.endswith("EventDetails")), {})


def mapping(text: Any) -> Json:
    """The JSON object that `text` holds; empty when it holds another thing."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def recorded(visit: Visit) -> Json:
    """A visit as an audit record holds it, docs/audit.md."""
    end = visit.exited_at
    return {
        "state": visit.state,
        "item": visit.item,
        "type": visit.type,
        "status": visit.status,
        "entered_at": _iso(visit.entered_at),
        "exited_at": _iso(end) if end else None,
        "seconds": round((end - visit.entered_at).total_seconds(), 3) if end else None,
        "attempts": [
            {
                "resource": f"{attempt.resource_type}:{attempt.resource}",
                "redrive": attempt.redrive,
                "started_at": _iso(attempt.started_at),
                "ended_at": _iso(attempt.ended_at) if attempt.ended_at else None,
                "status": attempt.status,
                "error": attempt.error,
                "cause": attempt.cause,
            }
            for attempt in visit.attempts
        ],
        "request": visit.request,
        "job": job_of(visit),
    }


def job_of(visit: Visit) -> Json | None:
    """{service, id} of the job that a `.sync` task started, as its service names it."""
    attempt = next((a for a in reversed(visit.attempts) if a.submitted is not None), None)
    if attempt is None:
        return None
    member = {"athena": "QueryExecutionId", "glue": "JobRunId", "databrew": "RunId"}
    if attempt.service in member:
        return {
            "service": attempt.service,
            "id": mapping(attempt.submitted)[member[attempt.service]],
        }
    if attempt.service == "sagemaker" and visit.request:
        named = ("TrainingJobName", "HyperParameterTuningJobName")
        name = next((visit.request[one] for one in named if one in visit.request), None)
        return {"service": "sagemaker", "id": name} if name else None
    return None


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")
