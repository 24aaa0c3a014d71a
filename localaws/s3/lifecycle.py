"""Lifecycle rules: expiration really happens, looked at when the server starts and every hour.

As S3: an object expires at the first midnight UTC after its age in days is reached.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from localaws.core.clock import Clock
from localaws.s3.index import successor
from localaws.s3.multipart import Uploads
from localaws.s3.objects import Objects
from localaws.s3.stored import StoredObject
from localaws.shapes import Json

PERIOD_SECONDS = 3600.0
logger = logging.getLogger(__name__)


class Lifecycle:
    """The thread that applies the rules of every bucket."""

    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._objects = objects
        self._uploads = Uploads(objects)
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="S3 lifecycle", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.apply(self._clock.now())
            except Exception:
                logger.exception("Lifecycle rules could not be applied")
            self._clock.sleep(PERIOD_SECONDS, self._stopping)

    def apply(self, now: datetime) -> None:
        """Does what the enabled rules of every bucket ask for at `now`."""
        for bucket in self._objects.buckets.all():
            found = self._objects.buckets.configuration(bucket.name, "lifecycle") or {}
            for rule in found.get("Rules", []):
                if rule["Status"] == "Enabled":
                    self._apply(bucket.name, rule, now)

    def _apply(self, bucket: str, rule: Json, now: datetime) -> None:
        expiration = rule.get("Expiration", {})
        if "Days" in expiration or "Date" in expiration:
            for found in self._versions(bucket, rule, "latest = 1 AND marker = 0"):
                if _expired(found.last_modified, expiration, now):
                    self._objects.remove(bucket, found.key)
        if expiration.get("ExpiredObjectDeleteMarker"):
            for found in self._versions(bucket, rule, "latest = 1 AND marker = 1"):
                if len(self._of_key(bucket, found.key)) == 1:
                    self._objects.remove(bucket, found.key, found.version_id)
        if days := rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"):
            keep = rule["NoncurrentVersionExpiration"].get("NewerNoncurrentVersions", 0)
            self._expire_old(bucket, rule, int(days), int(keep), now)
        if days := rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"):
            for upload in self._uploads.all(bucket):
                if upload.key.startswith(prefix_of(rule)) and _due(upload.started, days) <= now:
                    self._uploads.abort(upload)

    def _expire_old(self, bucket: str, rule: Json, days: int, keep: int, now: datetime) -> None:
        """Old versions count their days from when they were replaced."""
        keys = {found.key for found in self._versions(bucket, rule, "latest = 0")}
        for key in sorted(keys):
            versions = self._of_key(bucket, key)  # newest first
            for position in range(1, len(versions)):
                replaced = versions[position - 1].last_modified
                if position > keep and _due(replaced, days) <= now:
                    self._objects.remove(bucket, key, versions[position].version_id)

    def _of_key(self, bucket: str, key: str) -> list[StoredObject]:
        rows = self._objects.index.rows(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? ORDER BY id DESC", bucket, key
        )
        return [StoredObject.of(row, self._objects.root) for row in rows]

    def _versions(self, bucket: str, rule: Json, which: str) -> list[StoredObject]:
        prefix = prefix_of(rule)
        end = successor(prefix)
        rows = self._objects.index.rows(
            f"SELECT * FROM objects WHERE bucket = ? AND {which} AND key >= ?"
            + (" AND key < ?" if end else ""),
            *((bucket, prefix, end) if end else (bucket, prefix)),
        )
        found = [StoredObject.of(row, self._objects.root) for row in rows]
        limits = rule.get("Filter", {})
        limits = limits.get("And", limits)
        more = limits.get("ObjectSizeGreaterThan", -1)
        less = limits.get("ObjectSizeLessThan", 1 << 62)
        return [item for item in found if item.marker or more < item.bytes < less]


def prefix_of(rule: Json) -> str:
    """A rule's prefix, in whichever of its three places."""
    limits = rule.get("Filter", {})
    return str(rule.get("Prefix") or limits.get("And", limits).get("Prefix") or "")


def _due(since: datetime, days: int) -> datetime:
    """The midnight after so many days."""
    reached = since + timedelta(days=days)
    midnight = reached.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == reached else midnight + timedelta(days=1)


def _expired(modified: datetime, expiration: Json, now: datetime) -> bool:
    if "Days" in expiration:
        return _due(modified, int(expiration["Days"])) <= now
    moment = datetime.fromisoformat(str(expiration["Date"]))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now
