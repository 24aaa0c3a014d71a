"""Receive trigger: what a person, an upload or the schedule sent becomes the plan of one run.

One run at a time, in the order of their starts: the list of running executions is what decides, not
a lease that a crash could leave behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tasks.functions import databrew_leftovers, increments, storage
from training.errors import TrainingError
from training.hyperparameters import TUNABLE, TUNED, read_hyperparameters

Json = dict[str, Any]

MAX_RAW_OBJECTS = 10_000
# Written while packaging: hashes of everything that decides what a run computes.
BUILD = Path(__file__).resolve().parents[2] / "build.json"


class InvalidInput(Exception):
    """The execution's input is not one that this workflow takes."""


def _integer(low: int, high: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidInput(f"{name} is {value!r}; it takes a whole number {low} to {high}.")
        return value

    return check


def _one_of(*accepted: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in accepted:
            raise InvalidInput(f"{name} is {value!r}; it takes one of {', '.join(accepted)}.")
        return str(value)

    return check


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} is {value!r}; it takes true or false.")
    return value


def _optional_boolean(name: str, value: Any) -> bool | None:
    return None if value is None else _boolean(name, value)


def _threshold(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise InvalidInput(f"{name} is {value!r}; it takes a number above 0 and below 1, or null.")
    return float(value)


def _gain(name: str, value: Any) -> float:
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not -0.05 <= value <= 0.05:
        raise InvalidInput(f"{name} is {value!r}; it takes a number from -0.05 to 0.05.")
    return float(value)


def _week(name: str, value: Any) -> str | None:
    if value is not None and not (
        isinstance(value, str) and re.fullmatch(r"20[0-9]{2}-W[0-5][0-9]", value)
    ):
        raise InvalidInput(f'{name} is {value!r}; it takes a week as "2026-W48", or null.')
    return value


def _hyperparameters(name: str, value: Any) -> Json:
    """As training itself checks them (`training.hyperparameters.RULES`)."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is {value!r}; it takes an object.")
    for one, number in value.items():
        if one not in TUNABLE:
            raise InvalidInput(f"{name} has {one!r}; it takes {', '.join(TUNABLE)}.")
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidInput(f"{name}.{one} is {number!r}; it takes a number.")
    try:
        read_hyperparameters({one: str(number) for one, number in value.items()})
    except TrainingError as error:
        raise InvalidInput(f"{name}: {error}") from error
    return value


def _tune(name: str, value: Any) -> Json | None:
    """Every member of TUNE with its value; null for a run that does not tune."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is {value!r}; it takes an object, or null.")
    for one in value:
        if one not in TUNE:
            raise InvalidInput(f"{name} has {one!r}; it takes {', '.join(TUNE)}.")
    return {
        one: check(f"{name}.{one}", value[one]) if one in value else default
        for one, (default, check) in TUNE.items()
    }


def _ranges(name: str, value: Any) -> Json:
    """{hyperparameter: [lowest, highest]}, in place of those of TUNED."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is {value!r}; it takes an object.")
    for one, ends in value.items():
        if one not in TUNED:
            raise InvalidInput(f"{name} has {one!r}; it takes {', '.join(TUNED)}.")
        if not isinstance(ends, list) or len(ends) != 2:
            raise InvalidInput(f"{name}.{one} is {ends!r}; it takes [lowest, highest].")
        for end in ends:
            _hyperparameters(name, {one: end})
        if not ends[0] < ends[1] or (ends[0] <= 0 and TUNED[one][2] == "Logarithmic"):
            raise InvalidInput(
                f"{name}.{one} is {ends!r}; the lowest is not below the highest, or not above 0."
            )
    return value


# name: (default, check). `trials` training jobs, so many at once as `parallel` says.
TUNE: dict[str, tuple[Any, Callable[[str, Any], Any]]] = {
    "trials": (10, _integer(2, 100)),
    "parallel": (2, _integer(1, 10)),
    "strategy": ("Bayesian", _one_of("Bayesian", "Random")),
    "ranges": ({}, _ranges),
}

# name: (default, check). `force`: also when nothing is new (null: only a person's start does).
# `train`: false ends the run with the training sets. `threshold`: of the decision, in place of the
# one that training chooses (null). `hyperparameters` take the place of the workflow's; `tune` looks
# for better ones among those that they leave open. `publish`
# overrules the comparison with the live model. `minimum_gain` is the AUC by which a model must be
# better than it for certain; below 0, so much worse is let through. `holdout_week` chooses which
# kept-aside users judge (null: by the start). `approval` by hand waits for it in the registry.
# `full`: nothing is taken over from the last run, and so also when nothing is new.
# `sample_buckets` of the 20 user buckets feed the features. `settle_seconds` is a minimum wait
# after the crawl.
OPTIONS: dict[str, tuple[Any, Callable[[str, Any], Any]]] = {
    "force": (None, _optional_boolean),
    "full": (False, _boolean),
    "train": (True, _boolean),
    "threshold": (None, _threshold),
    "publish": ("if_better", _one_of("if_better", "always", "never")),
    "hyperparameters": ({}, _hyperparameters),
    "tune": (None, _tune),
    "approval": ("automatic", _one_of("automatic", "by_hand")),
    "minimum_gain": (0.0, _gain),
    "holdout_week": (None, _week),
    "sample_buckets": (20, _integer(1, 20)),
    "settle_seconds": (0, _integer(0, 3600)),
}
IRRELEVANT = ("force", "full", "settle_seconds")  # to what a run computes


def handler(event: Json, context: Any) -> Json:
    """`event`: {execution ($$.Execution), state_machine (ARN)}. Answers `$.run` of the workflow:

    id ([a-z0-9_], part of table and prefix names), name (the same with hyphens), execution,
    trigger {kind, ...}, options, training {threshold, hyperparameters, ranges}, holdout_week,
    started_at, waits_for (the ARN of an earlier run that is in progress, else null), and, when it
    waits for none:
    crawl_not_before, manifest {uri, sha256, objects, bytes} of every raw object as it is now,
    fingerprint (SHA-256 of what decides the result), nothing_new, same_as {execution, record}:
    the last run that went well, if it had the same fingerprint; and, when something is to be done,
    increment (the figures of `increments.plan`) and cleaning_code (SHA-256).
    """
    import boto3

    run = plan(event["execution"])
    ahead = earlier_run(
        boto3.client("stepfunctions"), event["state_machine"], event["execution"]["Id"]
    )
    if ahead is not None:
        return {**run, "waits_for": ahead}
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


def plan(execution: Json) -> Json:
    """The run, without what is decided when its turn has come. `execution` is $$.Execution; the
    same one always gives the same names."""
    trigger, given = recognise(execution["Input"])
    chosen = options(given)
    if chosen["force"] is None:
        chosen["force"] = trigger["kind"] == "manual"
    run_id = identify(execution["Name"], execution["Id"], execution["StartTime"])
    return {
        "id": run_id,
        "name": run_id.replace("_", "-"),
        "execution": execution["Id"],
        "trigger": trigger,
        "options": chosen,
        # Hyperparameters are text.
        "training": {
            "threshold": str(chosen["threshold"] or "best"),
            "hyperparameters": {n: str(v) for n, v in chosen["hyperparameters"].items()},
            "ranges": {
                name: {"MinValue": str(low), "MaxValue": str(high)}
                for name, (low, high) in (chosen["tune"] or {"ranges": {}})["ranges"].items()
            },
        },
        "holdout_week": chosen["holdout_week"] or week_of(execution["StartTime"]),
        "started_at": execution["StartTime"],
        "waits_for": None,
    }


def week_of(started_at: str) -> str:
    """The ISO week of a start (`2026-11-22T08:00:00.250Z`) in UTC, as `2026-W47`."""
    moment = datetime.fromisoformat(started_at.replace("Z", "+00:00")).astimezone(timezone.utc)
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"


def recognise(given: Any) -> tuple[Json, Json]:
    """(trigger, options as given) of the three kinds of input.

    A person's options; the same with `{"upload": {...}}` as the upload trigger sends it, or with
    a schedule's `{"schedule": {...}}`.
    """
    if not isinstance(given, dict):
        raise InvalidInput(f"The input is {type(given).__name__}; it takes a JSON object.")
    kinds = [kind for kind in ("upload", "schedule") if kind in given]
    if len(kinds) > 1:
        raise InvalidInput("The input has upload and schedule; it takes one of them.")
    for kind in kinds:
        rest = {name: value for name, value in given.items() if name != kind}
        return {"kind": kind, kind: given[kind]}, rest
    return {"kind": "manual"}, given


def options(given: Json) -> Json:
    """Every option with its value; an unknown one is refused by name."""
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise InvalidInput(
            f"Unknown input {', '.join(unknown)}; accepted are {', '.join(sorted(OPTIONS))},"
            " and one of schedule, upload."
        )
    chosen = {
        name: check(name, given[name]) if name in given else default
        for name, (default, check) in OPTIONS.items()
    }
    _check_tuning(chosen)
    return chosen


def _check_tuning(chosen: Json) -> None:
    """Whether there is something to tune, and a training to tune it for."""
    if chosen["tune"] is None:
        return
    if not chosen["train"]:
        raise InvalidInput("tune is given with train false; it needs a training.")
    fixed = [name for name in TUNED if name in chosen["hyperparameters"]]
    both = [name for name in fixed if name in chosen["tune"]["ranges"]]
    if both:
        raise InvalidInput(f"hyperparameters and tune.ranges both have {', '.join(both)}.")
    if len(fixed) == len(TUNED):
        raise InvalidInput(f"hyperparameters has all that tune would look for: {', '.join(TUNED)}.")


def identify(name: str, execution: str, started_at: str) -> str:
    """A run id of at most 40 characters, [a-z0-9_], which no other execution has."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:30].rstrip("_") or "run"
    digest = hashlib.sha256(f"{execution} {started_at}".encode()).hexdigest()[:8]
    return f"{slug}_{digest}"


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
