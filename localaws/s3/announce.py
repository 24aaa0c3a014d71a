"""The EventBridge events of S3.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import threading
import uuid

from localaws.core.clock import Clock
from localaws.s3.stored import NULL_VERSION, StoredObject
from localaws.shapes import Json


class Sequencer:
    """Hexadecimal numbers that only grow, also over restarts: they order a key's events."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, int(self._clock.now().timestamp() * 1e9))
            return f"{self._last:018X}"


def created(stored: StoredObject, reason: str, sequencer: str) -> tuple[str, Json]:
    """`Object Created` and its detail; reason PutObject, CopyObject or CompleteMultipartUpload."""
    about = {"key": stored.key, "size": stored.bytes, "etag": stored.etag}
    return "Object Created", _detail(stored, about, {"reason": reason}, sequencer)


def deleted(stored: StoredObject, marker: bool, sequencer: str) -> tuple[str, Json]:
    """`Object Deleted` and its detail; `marker`: a delete marker was made, the bytes are there."""
    about = {"key": stored.key, "etag": stored.etag}
    kind = "Delete Marker Created" if marker else "Permanently Deleted"
    more = {"reason": "DeleteObject", "deletion-type": kind}
    return "Object Deleted", _detail(stored, about, more, sequencer)


def _detail(stored: StoredObject, about: Json, more: Json, sequencer: str) -> Json:
    if stored.version_id != NULL_VERSION:
        about["version-id"] = stored.version_id
    return {
        "version": "0",
        "bucket": {"name": stored.bucket},
        "object": about | {"sequencer": sequencer},
        "request-id": uuid.uuid4().hex[:16].upper(),
        "source-ip-address": "127.0.0.1",
        **more,
    }
