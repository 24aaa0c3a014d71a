"""Orders and lines that are in a database: read when a run's turn has come, before its plan.

`Receive trigger` starts the job, and is asked again until it has ended: no state is for it, and
what it has put below raw/ is planned, checked, cleaned and taken over as any file is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tasks.functions import storage

Json = dict[str, Any]

# Of raw/<table>/: the job's own files, of which no upload is told.
PREFIX = "database_"
UNDER_WAY = ("STARTING", "RUNNING", "STOPPING", "WAITING")


class DatabaseNotRead(Exception):
    """The job that reads the database failed or was stopped; the text is what Glue says."""


def is_from(key: str) -> bool:
    return key.rpartition("/")[2].startswith(PREFIX)


def run_of(glue: Any, job: str, run: Json, execution: Json) -> Json:
    """The job's run for this run, started if there is none: Glue's JobRun, {Id} of a new one. That
    of an execution that was stopped is waited for ({Id} has the job's name then).

    Raises DatabaseNotRead for one that failed after the last redrive."""
    last = _newest(glue, job, run["id"])
    if last is None or _is_old(last, execution):
        try:
            started = glue.start_job_run(JobName=job, Arguments={"--run": run["id"]})
        except glue.exceptions.ConcurrentRunsExceededException:
            return {"Id": job}
        return {"Id": started["JobRunId"]}
    state = last["JobRunState"]
    if state != "SUCCEEDED" and state not in UNDER_WAY:
        raise DatabaseNotRead(f"{job} {last['Id']} is {state}: {last.get('ErrorMessage', '')}")
    return last


def _newest(glue: Any, job: str, run: str) -> Json | None:
    """Glue lists a job's runs from the newest on."""
    for page in glue.get_paginator("get_job_runs").paginate(JobName=job):
        for one in page["JobRuns"]:
            if (one.get("Arguments") or {}).get("--run") == run:
                found: Json = one
                return found
    return None


def _is_old(last: Json, execution: Json) -> bool:
    """Whether it went wrong before the redrive that we are in."""
    again = execution.get("RedriveTime")
    if not again or last["JobRunState"] in ("SUCCEEDED", *UNDER_WAY):
        return False
    started: datetime = last["StartedOn"]
    return started < datetime.fromisoformat(again.replace("Z", "+00:00"))


def told(s3: Any, bucket: str, run: Json, job_run: Json, raw: list[Json]) -> Json:
    """What the run says of the read: {uri, job_run_id, dpu_seconds, url, snapshot, read_at,
    server_version, tables: {name: {rows, last_order_id}}}.

    Raises DatabaseNotRead where raw/ does not hold what was read."""
    key = f"runs/run={run['id']}/database.json"
    document = storage.read_json(s3, bucket, key)
    read = {each["key"]: each["sha256"] for of in document["tables"] for each in of["objects"]}
    there = {entry["key"]: entry["sha256"] for entry in raw if is_from(entry["key"])}
    if read != there:
        other = sorted(key for key in read.keys() | there.keys() if read.get(key) != there.get(key))
        raise DatabaseNotRead(f"raw/ has changed since the database was read: {', '.join(other)}")
    return {
        "uri": f"s3://{bucket}/{key}",
        "job_run_id": job_run["Id"],
        "dpu_seconds": (job_run.get("MaxCapacity") or 0) * (job_run.get("ExecutionTime") or 0),
        **{name: document[name] for name in ("url", "snapshot", "read_at", "server_version")},
        "tables": {
            of["table"]: {name: of[name] for name in ("rows", "last_order_id")}
            for of in document["tables"]
        },
    }
