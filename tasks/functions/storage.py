"""Objects as the functions read them: listed, hashed and written, always by the same rules."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from executions import hashes
from executions.s3 import body_of, split_uri

RAW_PREFIX = "raw/"
AUDIT_PREFIX = "audit/"


def objects(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Every object below `prefix` that holds something: the S3 listing's entries, by key."""
    yield from (entry for entry in listed(s3, bucket, prefix) if entry["Size"] > 0)


def listed(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """The same with empty ones."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", [])


def raw_objects(s3: Any, bucket: str) -> Iterator[dict[str, Any]]:
    """What counts as raw data: objects below raw/, but for empty and hidden ones."""
    for entry in objects(s3, bucket, RAW_PREFIX):
        if not is_hidden(entry["Key"].removeprefix(RAW_PREFIX)):
            yield entry


def is_hidden(key: str) -> bool:
    """Whether a key below a table's location is no data: a part of it, a folder's too, begins with
    `_` or `.`, or it is a folder itself (it ends in `/`).

    As crawlers and Athena have it (Trino, HiveFileIterator.isHiddenOrWithinHiddenParentDirectory):
    https://docs.aws.amazon.com/athena/latest/ug/tables-location-format.html
    """
    return key.endswith("/") or any(part.startswith(("_", ".")) for part in key.split("/"))


def manifest(s3: Any, run: dict[str, Any]) -> Any:
    """{bucket, objects} that a run was planned with (receive_trigger)."""
    return read_json(s3, *split_uri(run["manifest"]["uri"]))


def describe(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    """{key, version_id, etag, bytes, sha256} of an object as it is now.

    The SHA-256 is the one S3 verified at upload when that covers the whole object; otherwise the
    object is read, in the version that is described.
    """
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    sha256 = stored_sha256(head)
    if sha256 is None:
        sha256 = hashes.of_body(body_of(s3, bucket, key, head.get("VersionId")))
    return {
        "key": key,
        "version_id": head.get("VersionId"),
        "etag": head["ETag"].strip('"'),
        "bytes": head["ContentLength"],
        "sha256": sha256,
    }


def stored_sha256(head: dict[str, Any]) -> str | None:
    """The SHA-256 kept with an object, in hex; None for a checksum of checksums (`...-3`)."""
    checksum = head.get("ChecksumSHA256")
    if not checksum or "-" in checksum or head.get("ChecksumType") == "COMPOSITE":
        return None
    return base64.b64decode(checksum).hex()


def write_json(s3: Any, bucket: str, key: str, document: Any) -> dict[str, Any]:
    """Writes JSON with its checksum attached; {uri, sha256, bytes}."""
    return _put_json(s3, bucket, key, document, {})


def write_json_once(s3: Any, bucket: str, key: str, document: Any) -> dict[str, Any]:
    """The same, unless there is an object of this key already: then {uri, sha256, bytes} of it."""
    try:
        return _put_json(s3, bucket, key, document, {"IfNoneMatch": "*"})
    except s3.exceptions.ClientError as error:
        # 412: it is there; 409: another call is writing it at this moment.
        if error.response["Error"]["Code"] not in (
            "PreconditionFailed",
            "ConditionalRequestConflict",
        ):
            raise
    there = describe(s3, bucket, key)
    return {"uri": f"s3://{bucket}/{key}", "sha256": there["sha256"], "bytes": there["bytes"]}


def _put_json(
    s3: Any, bucket: str, key: str, document: Any, conditions: dict[str, str]
) -> dict[str, Any]:
    body = (json.dumps(document, indent=1, sort_keys=True, default=str) + "\n").encode()
    digest = hashlib.sha256(body)
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=body,
        ContentType="application/json",
        ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
        **conditions,
    )
    return {"uri": f"s3://{bucket}/{key}", "sha256": digest.hexdigest(), "bytes": len(body)}


class DamagedObject(ValueError):
    """An object that a state wrote as JSON is none any more."""


def read_json(s3: Any, bucket: str, key: str) -> Any:
    """Raises DamagedObject, with its address."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        return json.loads(body)
    except ValueError as error:
        raise DamagedObject(
            f"s3://{bucket}/{key} ({len(body)} bytes) is no JSON: {error}"
        ) from error


def audit_records(s3: Any, bucket: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(key, record) of the runs, the newest first; each is read when it is asked for."""
    keys = [entry["Key"] for entry in objects(s3, bucket, AUDIT_PREFIX)]
    for key in sorted(keys, reverse=True):  # they begin with the time at which the run started
        yield key, read_json(s3, bucket, key)
