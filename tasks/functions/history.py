"""An execution's history as a list of state visits, each with its attempts and the job it ran.

Pure: takes the events of GetExecutionHistory, returns data.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

Json = dict[str, Any]

ENDS = {
    "TaskSucceeded": "succeeded",
    "TaskFailed": "failed",
    "TaskTimedOut": "timed out",
    "TaskStartFailed": "failed",
    "TaskSubmitFailed": "failed",
}


def visits(events: list[Json]) -> list[Json]:
    """One entry a visit of a state, in the order of entry:

    {state, type, entered_at, exited_at, seconds, attempts: [{resource, started_at, ended_at,
    status, error, cause}], request, job: {service, id}}. `exited_at` is null for a visit that
    has not ended (the audit's own) or that an error left.
    """
    owner: dict[int, int] = {}  # event id to the id of the StateEntered event it belongs to
    found: dict[int, Json] = {}
    for event in events:
        number, kind = event["id"], event["type"]
        if kind.endswith("StateEntered"):
            owner[number] = number
            found[number] = _entered(event, kind)
            continue
        visit_id = owner.get(event.get("previousEventId", 0))
        if kind.endswith("StateExited"):
            visit_id = _open_visit(found, event["stateExitedEventDetails"]["name"])
        if visit_id is None:
            continue
        owner[number] = visit_id
        _add(found[visit_id], event, kind)
    return list(found.values())


def transitions(events: list[Json]) -> int:
    """Billed state transitions: every entered state and every retried attempt."""
    entered = sum(event["type"].endswith("StateEntered") for event in events)
    scheduled = sum(event["type"] == "TaskScheduled" for event in events)
    tasks = sum(event["type"] == "TaskStateEntered" for event in events)
    return entered + max(0, scheduled - tasks)


def _entered(event: Json, kind: str) -> Json:
    return {
        "state": event["stateEnteredEventDetails"]["name"],
        "type": kind.removesuffix("StateEntered"),
        "entered_at": _iso(event["timestamp"]),
        "exited_at": None,
        "seconds": None,
        "attempts": [],
        "request": None,
        "job": None,
    }


def _add(visit: Json, event: Json, kind: str) -> None:
    time = _iso(event["timestamp"])
    if kind == "TaskScheduled":
        scheduled = event["taskScheduledEventDetails"]
        visit["request"] = json.loads(scheduled["parameters"])
        visit["attempts"].append(
            {
                "resource": f"{scheduled['resourceType']}:{scheduled['resource']}",
                "started_at": time,
                "ended_at": None,
                "status": "running",
                "error": None,
                "cause": None,
            }
        )
    elif kind == "TaskSubmitted":
        submitted = event["taskSubmittedEventDetails"]
        visit["job"] = _job(submitted["resourceType"], json.loads(submitted["output"]), visit)
    elif kind in ENDS and visit["attempts"]:
        details: Json = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
        visit["attempts"][-1] |= {
            "ended_at": time,
            "status": ENDS[kind],
            "error": details.get("error"),
            "cause": details.get("cause"),
        }
    elif kind.endswith("StateExited"):
        visit["exited_at"] = time
        visit["seconds"] = _seconds(visit["entered_at"], time)


def _job(service: str, output: Json, visit: Json) -> Json | None:
    """The job that a `.sync` task started: how its service names it."""
    member = {"athena": "QueryExecutionId", "glue": "JobRunId", "databrew": "RunId"}.get(service)
    if member is not None:
        return {"service": service, "id": output[member]}
    if service == "sagemaker":
        return {"service": service, "id": visit["request"]["TrainingJobName"]}
    return None


def _open_visit(found: dict[int, Json], name: str) -> int | None:
    """The latest visit of this state that has not been left."""
    for number in reversed(found):
        if found[number]["state"] == name and found[number]["exited_at"] is None:
            return number
    return None


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")


def _seconds(start: str, end: str) -> float:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)
