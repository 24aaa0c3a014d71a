"""The audit record of an execution: found, and every hash in it computed again.

A record is a JSON object (docs/audit.md). It is found by what a task answered,
{"uri": "s3://.../audit/....json", "sha256": ...}, or in the place that the state machine's tag
`audit-records` names, "s3://bucket/audit/".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from executions import hashes
from executions.s3 import body_of, split_uri

Json = dict[str, Any]

TAG = "audit-records"
MOST_LINKS = 1000  # of the chain of records, followed back from this one

# Exit codes of a verification.
HOLDS, NOT_REACHED, DIFFERS = 0, 2, 3


@dataclass(frozen=True)
class Record:
    """One record as it is now. `recorded_sha256` is what its writer told of it, where known."""

    uri: str
    sha256: str
    recorded_sha256: str | None
    content: Json

    @property
    def bucket(self) -> str:
        return split_uri(self.uri)[0]


@dataclass(frozen=True)
class Finding:
    """One recomputed hash: `ok` True or False, or None when the thing cannot be reached.

    `detail`: the hash where it is the same; both where they differ; else why it was not reached.
    """

    kind: str
    what: str
    ok: bool | None
    detail: str = ""


def exit_code(findings: Iterable[Finding]) -> int:
    """0: everything is as recorded, 2: something could not be reached, 3: something differs."""
    results = {finding.ok for finding in findings}
    return DIFFERS if False in results else NOT_REACHED if None in results else HOLDS


# Found


def written(events: list[Json]) -> tuple[str, str | None] | None:
    """(uri, sha256) as the last task that wrote a record answered."""
    for event in reversed(events):
        output = (event.get("taskSucceededEventDetails") or {}).get("output")
        if not isinstance(output, str) or "/audit/" not in output:
            continue
        try:
            answer = _answer(json.loads(output))
        except ValueError:
            continue
        if answer is not None:
            return answer
    return None


def _answer(value: Any) -> tuple[str, str | None] | None:
    if not isinstance(value, dict):
        return None
    uri = value.get("uri")
    if isinstance(uri, str) and "/audit/" in uri and uri.endswith(".json"):
        return uri, value.get("sha256")
    return next((answer for item in value.values() if (answer := _answer(item))), None)


def find(clients: Any, description: Json, events: list[Json]) -> Record | None:
    """The newest record of an execution, by DescribeExecution's answer and its history.

    Raises ClientError when it may not be read.
    """
    answer = written(events)
    ended = description.get("status") == "SUCCEEDED"
    if answer is not None and (ended or description.get("redriveCount", 0) == 0):
        return read(clients("s3"), *answer)
    place = place_of(clients("stepfunctions"), description["stateMachineArn"])
    listed = None
    if place is not None:
        arn, started = description["executionArn"], description.get("startDate")
        listed = search(clients("s3"), *split_uri(place), arn, started)
    if listed is None and answer is not None:
        return read(clients("s3"), *answer)
    return listed


def place_of(step_functions: Any, machine_arn: str) -> str | None:
    """Where this state machine's records are, as its tag tells; None where it has none or tags
    may not be read."""
    from botocore.exceptions import ClientError

    base = ":".join(machine_arn.split(":")[:7])
    try:
        tags = step_functions.list_tags_for_resource(resourceArn=base)["tags"]
    except ClientError:
        return None
    value = next((tag["value"] for tag in tags if tag["key"] == TAG), None)
    return value if value and value.startswith("s3://") else None


def search(
    s3: Any, bucket: str, prefix: str, execution_arn: str, started: datetime | None = None
) -> Record | None:
    """The newest record of an execution below a prefix.

    Keys begin with the start of their execution, 20261129T083412: those are read first, and all
    others, newest first, only when `started` is not known.
    """
    if started is not None:
        stamp = started.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%S")
        keys = sorted(_keys(s3, bucket, f"{prefix}{stamp}"), reverse=True)
        records = [read(s3, f"s3://{bucket}/{key}") for key in keys]
        own = [record for record in records if is_of(record, execution_arn)]
        return max(own, key=lambda record: str(record.content.get("written_at")), default=None)
    for key in sorted(_keys(s3, bucket, prefix), reverse=True):
        record = read(s3, f"s3://{bucket}/{key}")
        if is_of(record, execution_arn):
            return record
    return None


def is_of(record: Record, execution_arn: str) -> bool:
    return (record.content.get("execution") or {}).get("arn") == execution_arn


def read(s3: Any, uri: str, recorded_sha256: str | None = None) -> Record:
    """Raises ValueError when the object is no JSON object."""
    bucket, key = split_uri(uri)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError(f"{uri} holds no record.")
    return Record(uri, hashlib.sha256(body).hexdigest(), recorded_sha256, content)


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (entry["Key"] for entry in page.get("Contents", []))


# Verified


def verify(clients: Any, record: Record, *, most_bytes: int | None = None) -> Iterator[Finding]:
    """Everything the record claims, computed again: itself, raw files and outputs (in the
    recorded versions), the model, the records before it, the definition, SQL texts, recipes.

    Objects beyond `most_bytes` together are not read, and said to be not reached.
    """
    s3, content = clients("s3"), record.content
    if record.recorded_sha256 is not None:
        yield _compare("this record", record.uri, record.sha256, record.recorded_sha256)
    left = most_bytes
    for kind, bucket, entry in _objects(record):
        size = entry.get("bytes") or 0
        if left is not None and size > left:
            yield Finding(kind, entry["key"], None, "not computed again here: too large")
            continue
        left = left - size if left is not None else None
        yield _object(s3, bucket, entry, kind)
    yield from chain(s3, record)
    yield from _definition(clients, content.get("execution") or {})
    for visit in content.get("states") or []:
        yield from _job(clients, visit)


def _objects(record: Record) -> Iterator[tuple[str, str, Json]]:
    """(kind, bucket, {key, bytes, version_id, sha256}) of everything in S3 but other records."""
    for entry in record.content.get("inputs") or []:
        yield "raw file", entry.get("bucket") or record.bucket, entry
    for dataset in record.content.get("outputs") or []:
        for entry in dataset.get("objects") or []:
            yield dataset["dataset"], record.bucket, entry
    model = record.content.get("model")
    if model:
        bucket, key = split_uri(model["uri"])
        yield "model", bucket, {**model, "key": key}


def _object(s3: Any, bucket: str, entry: Json, kind: str) -> Finding:
    from botocore.exceptions import ClientError

    try:
        content = body_of(s3, bucket, entry["key"], entry.get("version_id"))
    except ClientError as error:
        return Finding(kind, entry["key"], None, error.response["Error"]["Code"])
    return _compare(kind, entry["key"], hashes.of_body(content), entry.get("sha256"))


def chain(s3: Any, record: Record) -> Iterator[Finding]:
    """A finding for each record before this one: each holds the hash of the one before it."""
    from botocore.exceptions import ClientError

    content, bucket = record.content, record.bucket
    for _ in range(MOST_LINKS):
        link = content.get("previous")
        if not link:
            return
        try:
            before = read(s3, f"s3://{bucket}/{link['key']}")
        except (ClientError, ValueError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "no JSON"
            yield Finding("previous audit record", link["key"], None, code)
            return
        yield _compare("previous audit record", link["key"], before.sha256, link["sha256"])
        content = before.content


def _definition(clients: Any, execution: Json) -> Iterator[Finding]:
    if execution.get("deployed_definition_sha256"):
        yield _reached(
            "definition",
            str(execution.get("state_machine", "")),
            execution["deployed_definition_sha256"],
            lambda: hashes.of_text(
                clients("stepfunctions").describe_state_machine_for_execution(
                    executionArn=execution["arn"]
                )["definition"]
            ),
        )


def _job(clients: Any, visit: Json) -> Iterator[Finding]:
    figures = visit.get("figures") or {}
    if "sql_sha256" in figures:
        yield _reached(
            "SQL",
            visit["state"],
            figures["sql_sha256"],
            lambda: hashes.of_text(
                clients("athena").get_query_execution(
                    QueryExecutionId=figures["query_execution_id"]
                )["QueryExecution"]["Query"]
            ),
        )
    if "recipe_sha256" in figures:
        yield _reached(
            "recipe",
            f"{figures['recipe']} {figures['recipe_version']}",
            figures["recipe_sha256"],
            lambda: hashes.of_document(
                clients("databrew").describe_recipe(
                    Name=figures["recipe"], RecipeVersion=figures["recipe_version"]
                )["Steps"]
            ),
        )


def _reached(kind: str, what: str, recorded: str, hashed: Callable[[], str]) -> Finding:
    """The hash of what a service still has, or that it is out of reach."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _compare(kind, what, hashed(), recorded)
    except ClientError as error:
        return Finding(kind, what, None, error.response["Error"]["Code"])
    except BotoCoreError as error:
        return Finding(kind, what, None, str(error))


def _compare(kind: str, what: str, now: str, then: str | None) -> Finding:
    if then is None:
        return Finding(kind, what, None, "no hash was recorded")
    same = now == then
    return Finding(kind, what, same, now if same else f"is {now}, recorded {then}")
