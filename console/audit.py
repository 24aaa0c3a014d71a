"""The audit record of an execution, when it wrote one, and whether its hashes still hold.

Nothing is known of the workflow but this: a task answered {"uri": "s3://.../audit/....json",
"sha256": ...}.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

Json = dict[str, Any]

MOST_RECOMPUTED_BYTES = 2 * 1024**3
CHUNK_BYTES = 4 * 1024 * 1024


def find(events: list[Json]) -> Json | None:
    """{uri, sha256} as the last task that wrote a record answered."""
    for event in reversed(events):
        output = (event.get("taskSucceededEventDetails") or {}).get("output")
        if not isinstance(output, str) or "/audit/" not in output:
            continue
        try:
            found = _written(json.loads(output))
        except ValueError:
            continue
        if found is not None:
            return found
    return None


def _written(answer: Any) -> Json | None:
    if not isinstance(answer, dict):
        return None
    uri = answer.get("uri")
    if isinstance(uri, str) and "/audit/" in uri and uri.endswith(".json"):
        return {"uri": uri, "sha256": answer.get("sha256")}
    return next((found for value in answer.values() if (found := _written(value))), None)


def read(s3: Any, written: Json) -> Json:
    """{uri, sha256, recorded_sha256, record}."""
    bucket, key = written["uri"].removeprefix("s3://").split("/", 1)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return {
        "uri": written["uri"],
        "sha256": hashlib.sha256(body).hexdigest(),
        "recorded_sha256": written["sha256"],
        "record": json.loads(body),
    }


def verify(s3: Any, found: Json) -> list[Json]:
    """[{what, ok, detail}] for the record itself and every object in it that has a key and a
    SHA-256: recomputed in the recorded version. `ok` None: cannot be reached, or too large."""
    bucket = found["uri"].removeprefix("s3://").split("/", 1)[0]
    record = found["record"]
    findings = [_compare("this record", found["sha256"], found["recorded_sha256"])]
    budget = MOST_RECOMPUTED_BYTES
    entries = [(e["key"], e) for e in record.get("inputs") or []]
    for dataset in record.get("outputs") or []:
        entries += [(e["key"], e) for e in dataset.get("objects") or []]
    if record.get("model"):
        entries.append((record["model"]["uri"].split("/", 3)[3], record["model"]))
    if record.get("previous"):
        entries.append((record["previous"]["key"], record["previous"]))
    for key, entry in entries:
        size = entry.get("bytes") or 0
        if size > budget:
            findings.append({"what": key, "ok": None, "detail": "not recomputed here: too large"})
            continue
        budget -= size
        findings.append(_recompute(s3, bucket, key, entry))
    return findings


def _recompute(s3: Any, bucket: str, key: str, entry: Json) -> Json:
    version = {"VersionId": entry["version_id"]} if entry.get("version_id") else {}
    try:
        body = s3.get_object(Bucket=bucket, Key=key, **version)["Body"]
    except ClientError as error:
        return {"what": key, "ok": None, "detail": error.response["Error"]["Code"]}
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(CHUNK_BYTES):
        digest.update(chunk)
    return _compare(key, digest.hexdigest(), entry["sha256"])


def _compare(what: str, now: str, then: str | None) -> Json:
    if then is None:
        return {"what": what, "ok": None, "detail": "no hash was recorded"}
    ok = now == then
    return {"what": what, "ok": ok, "detail": now if ok else f"is {now}, was {then}"}
