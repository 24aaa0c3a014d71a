"""Receive trigger: what a person, an upload or the schedule sent becomes the plan of one run."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

from tasks.functions import storage

Json = dict[str, Any]

CRAWL_LIMIT = timedelta(hours=1)
RAW_PREFIX = "raw/"
MAX_RAW_OBJECTS = 10_000


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


# name: (default, check). `settle_seconds` is a minimum wait after the crawl; `sample_buckets` of
# the 20 user buckets feed the features; `publish` overrules the comparison with the live model.
OPTIONS: dict[str, tuple[Any, Callable[[str, Any], Any]]] = {
    "settle_seconds": (0, _integer(0, 3600)),
    "sample_buckets": (20, _integer(1, 20)),
    "publish": ("if_better", _one_of("if_better", "always", "never")),
}


def handler(event: Json, context: Any) -> Json:
    """`event`: {input, execution (ARN), name, started_at}. Answers `$.run` of the workflow:

    id ([a-z0-9_], part of table and prefix names), name (the same with hyphens), execution,
    trigger {kind, ...}, options, started_at, crawl_not_before, crawl_deadline, names {...},
    manifest {uri, sha256, objects, bytes} of every raw object as it is now.
    """
    import boto3

    run = plan(event, datetime.now(timezone.utc))
    s3 = boto3.client("s3")
    bucket = os.environ["LAKE_BUCKET"]
    raw = manifest(s3, bucket)
    written = storage.write_json(
        s3, bucket, f"runs/run={run['id']}/manifest.json", {"bucket": bucket, "objects": raw}
    )
    run["manifest"] = {
        "uri": written["uri"],
        "sha256": written["sha256"],
        "objects": len(raw),
        "bytes": sum(entry["bytes"] for entry in raw),
    }
    return run


def plan(event: Json, now: datetime) -> Json:
    """The run, without its manifest. The same execution always gives the same names."""
    trigger, given = recognise(event["input"])
    run_id = identify(event["name"], event["execution"], event["started_at"])
    name = run_id.replace("_", "-")
    started = datetime.fromisoformat(event["started_at"].replace("Z", "+00:00"))
    return {
        "id": run_id,
        "name": name,
        "execution": event["execution"],
        "trigger": trigger,
        "options": options(given),
        "started_at": event["started_at"],
        # Crawlers report whole seconds.
        "crawl_not_before": _zulu(started.replace(microsecond=0)),
        "crawl_deadline": _zulu(now + CRAWL_LIMIT),
        "names": {
            "training_job": f"rebuy-{name}",
            "model": f"rebuy-{name}",
            "endpoint_config": f"rebuy-{name}",
        },
    }


def recognise(given: Any) -> tuple[Json, Json]:
    """(trigger, options as given) of the three kinds of input.

    An S3 "Object Created" event as EventBridge sends it, a schedule's `{"schedule": {...}}`, or a
    person's options. The last two may be combined: a schedule can carry options.
    """
    if not isinstance(given, dict):
        raise InvalidInput(f"The input is {type(given).__name__}; it takes a JSON object.")
    if given.get("detail-type") == "Object Created" and given.get("source") == "aws.s3":
        detail = given.get("detail") or {}
        found = detail.get("object") or {}
        return {
            "kind": "upload",
            "bucket": (detail.get("bucket") or {}).get("name"),
            "key": found.get("key"),
            "version_id": found.get("version-id"),
            "event_id": given.get("id"),
            "time": given.get("time"),
        }, {}
    if "schedule" in given:
        return (
            {"kind": "schedule", "schedule": given["schedule"]},
            {name: value for name, value in given.items() if name != "schedule"},
        )
    return {"kind": "manual"}, given


def options(given: Json) -> Json:
    """Every option with its value; an unknown one is refused by name."""
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise InvalidInput(
            f"Unknown input {', '.join(unknown)}; accepted are {', '.join(sorted(OPTIONS))}."
        )
    return {
        name: check(name, given[name]) if name in given else default
        for name, (default, check) in OPTIONS.items()
    }


def identify(name: str, execution: str, started_at: str) -> str:
    """A run id of at most 40 characters, [a-z0-9_], which no other execution has."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:30].rstrip("_") or "run"
    digest = hashlib.sha256(f"{execution} {started_at}".encode()).hexdigest()[:8]
    return f"{slug}_{digest}"


def manifest(s3: Any, bucket: str) -> list[Json]:
    """Every raw object: {key, version_id, etag, bytes, sha256}, by key."""
    keys = [
        entry["Key"]
        for entry in storage.objects(s3, bucket, RAW_PREFIX)
        if not entry["Key"].rsplit("/", 1)[1].startswith((".", "_"))
    ]
    if len(keys) > MAX_RAW_OBJECTS:
        raise InvalidInput(
            f"s3://{bucket}/{RAW_PREFIX} has {len(keys)} objects; at most {MAX_RAW_OBJECTS}."
        )
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda key: storage.describe(s3, bucket, key), keys))


def _zulu(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
