"""Receive trigger: what a person, an upload or the schedule sent becomes the plan of one run.

One run at a time, in the order of their starts: the list of running executions is what decides, not
a lease that a crash could leave behind.
"""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tasks.functions import databrew_leftovers, increments, source_database, storage
from tasks.functions.run_options import IRRELEVANT, InvalidInput
from tasks.functions.run_plan import plan

Json = dict[str, Any]

MAX_RAW_OBJECTS = 10_000
# Written while packaging: hashes of everything that decides what a run computes.
BUILD = Path(__file__).resolve().parents[2] / "build.json"


def handler(event: Json, context: Any) -> Json:
    """`event`: {execution ($$.Execution), state_machine (ARN)}. Answers `$.run` of the workflow:

    id ([a-z0-9_], part of table and prefix names), name (the same with hyphens), execution,
    trigger {kind, ...}, options, training {threshold, hyperparameters, ranges}, holdout_week,
    started_at, waits_for (the ARN of an earlier run that is in progress, or the run of the job that
    reads the database; else null), and, when it waits for none:
    crawl_not_before, manifest {uri, sha256, objects, bytes} of every raw object as it is now,
    fingerprint (SHA-256 of what decides the result), nothing_new, same_as {execution, record}:
    the last run that went well, if it had the same fingerprint; and, when something is to be done,
    increment (the figures of `increments.plan`) and cleaning_code (SHA-256). A deployment with a
    database has `database`, what was read of it (`source_database.told`).
    """
    import boto3

    run = plan(event["execution"])
    ahead = earlier_run(
        boto3.client("stepfunctions"), event["state_machine"], event["execution"]["Id"]
    )
    if ahead is not None:
        return {**run, "waits_for": ahead}
    job, job_run = os.environ.get("READ_DATABASE_JOB"), {}
    if job:
        job_run = source_database.run_of(boto3.client("glue"), job, run, event["execution"])
        if job_run.get("JobRunState") != "SUCCEEDED":
            return {**run, "waits_for": job_run["Id"]}
    databrew_leftovers.clear(boto3.client("databrew"), os.environ["DATABREW_PREFIX"])
    s3 = boto3.client("s3")
    bucket = os.environ["LAKE_BUCKET"]
    place = os.environ["RAW_BUCKET"]
    raw = manifest(s3, place)
    written = storage.write_json(
        s3, bucket, f"runs/run={run['id']}/manifest.json", {"bucket": place, "objects": raw}
    )
    run["manifest"] = {
        "uri": written["uri"],
        "sha256": written["sha256"],
        "objects": len(raw),
        "bytes": sum(entry["bytes"] for entry in raw),
    }
    if job:
        run["database"] = source_database.told(s3, bucket, run, job_run, raw)
    build = BUILD.read_bytes() if BUILD.exists() else b""
    run["fingerprint"] = fingerprint(raw, run["options"], build)
    last = last_success(s3, bucket)
    same = last is not None and last["fingerprint"] == run["fingerprint"]
    run["same_as"] = last["same_as"] if last is not None and same else None
    # Before the first files came, a daily run has nothing to do either.
    forced = run["options"]["force"] or run["options"]["full"]
    run["nothing_new"] = (same or not raw) and not forced
    if not run["nothing_new"]:
        run["cleaning_code"] = code = increments.cleaning_code(build)
        known = None
        if last is not None and not run["options"]["full"]:
            before = storage.read_json(s3, bucket, last["same_as"]["record"])["run"]["id"]
            known = increments.ledger(boto3.client, bucket, os.environ["DATABASE"], before, code)
        buckets = {"raw": place, "lake": bucket}
        run["increment"] = increments.plan(boto3.client, buckets, run["id"], raw, known)
    # From here on a crawl finds what this run is to read.
    run["crawl_not_before"] = _zulu(datetime.now(timezone.utc))
    return run


def earlier_run(step_functions: Any, machine: str, execution: str) -> str | None:
    """The ARN of the execution that is next before this one, of those in progress: by start, and
    by name among those that started in the same millisecond. A redriven one keeps its start."""
    pages = step_functions.get_paginator("list_executions").paginate(
        stateMachineArn=machine, statusFilter="RUNNING"
    )
    running = {
        entry["executionArn"]: (entry["startDate"], entry["executionArn"])
        for page in pages
        for entry in page["executions"]
    }
    # The list is eventually consistent: one that does not have us yet has us as the newest.
    own = running.get(execution)
    ahead = [order for order in running.values() if own is None or order < own]
    return max(ahead)[1] if ahead else None


def fingerprint(raw: list[Json], chosen: Json, build: bytes) -> str:
    """SHA-256 of what decides a run's result: the raw files' names and bytes (not their versions:
    a file put again as it was is nothing new), the deployed code, and the options."""
    decisive = {
        "raw": [[entry["key"], entry["sha256"]] for entry in raw],
        "build": hashlib.sha256(build).hexdigest(),
        "options": {name: value for name, value in chosen.items() if name not in IRRELEVANT},
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def last_success(s3: Any, bucket: str) -> Json | None:
    """{fingerprint, same_as {execution, record}} of the newest run that went well, by its audit
    record. A run that found nothing new stands for the one that it was the same as."""
    for key, record in storage.audit_records(s3, bucket):
        if record["status"] == "SUCCEEDED":
            run = record["run"]
            itself = {"execution": run["execution"], "record": key}
            earlier = run.get("same_as") if run.get("nothing_new") else None
            return {"fingerprint": run.get("fingerprint"), "same_as": earlier or itself}
    return None


def manifest(s3: Any, bucket: str) -> list[Json]:
    """Every raw object: {key, version_id, etag, bytes, sha256}, by key."""
    keys = [entry["Key"] for entry in storage.raw_objects(s3, bucket)]
    if len(keys) > MAX_RAW_OBJECTS:
        raise InvalidInput(
            f"s3://{bucket}/{storage.RAW_PREFIX} has {len(keys)} objects;"
            f" at most {MAX_RAW_OBJECTS}."
        )
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda key: storage.describe(s3, bucket, key), keys))


def _zulu(time: datetime) -> str:
    told = time.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")
