"""The EventBridge events of S3.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from localaws.s3.stored import NULL_VERSION, StoredObject


class Sequencer:
    """Hexadecimal numbers that only grow, also over restarts: they order a key's events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"{self._last:018X}"


def created(found: StoredObject, reason: str, sequencer: str, account: str, region: str) -> Any:
    """`Object Created`; reason PutObject, CopyObject or CompleteMultipartUpload."""
    about = {"key": found.key, "size": found.bytes, "etag": found.etag}
    return _event("Object Created", found, about, {"reason": reason}, sequencer, account, region)


def deleted(
    found: StoredObject, marker: bool, sequencer: str, account: str, region: str
) -> dict[str, Any]:
    """`Object Deleted`; `marker`: a delete marker was made and the bytes are still there."""
    about = {"key": found.key, "etag": found.etag}
    kind = "Delete Marker Created" if marker else "Permanently Deleted"
    more = {"reason": "DeleteObject", "deletion-type": kind}
    return _event("Object Deleted", found, about, more, sequencer, account, region)


def _event(
    kind: str,
    found: StoredObject,
    about: dict[str, Any],
    more: dict[str, Any],
    sequencer: str,
    account: str,
    region: str,
) -> dict[str, Any]:
    if found.version_id != NULL_VERSION:
        about["version-id"] = found.version_id
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": "aws.s3",
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:s3:::{found.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": found.bucket},
            "object": about | {"sequencer": sequencer},
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account,
            "source-ip-address": "127.0.0.1",
            **more,
        },
    }
