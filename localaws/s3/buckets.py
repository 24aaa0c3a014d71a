"""Buckets and their configurations."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.core.clock import Clock
from localaws.errors import AwsError
from localaws.s3.index import Index, dump
from localaws.s3.names import check_bucket_name

ENABLED = "Enabled"
SUSPENDED = "Suspended"


@dataclass(frozen=True)
class Bucket:
    name: str
    created: datetime
    region: str


class Buckets:
    """The account's buckets; each is a folder `objects/<name>`.

    A configuration is the parameter that its Put operation takes (`VersioningConfiguration`,
    `CORSConfiguration`, ...), kept under that operation's subject ("versioning", "cors", ...).
    """

    def __init__(self, root: Path, index: Index, clock: Clock) -> None:
        self.root = root
        self._clock = clock
        self._index = index

    def create(self, name: str, region: str) -> Bucket:
        """Raises BucketAlreadyOwnedByYou (also in us-east-1, where AWS answers 200 instead)."""
        check_bucket_name(name)
        with self._index.writing():
            if self._index.row("SELECT 1 FROM buckets WHERE name = ?", name):
                raise AwsError(
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already"
                    f" own it: {name}",
                    409,
                )
            (self.root / name).mkdir(exist_ok=True)
            self._index.run(
                "INSERT INTO buckets VALUES (?, ?, ?)",
                *(name, self._clock.now().timestamp(), region),
            )
        return self.get(name)

    def get(self, name: str) -> Bucket:
        """Raises NoSuchBucket."""
        row = self._index.row("SELECT * FROM buckets WHERE name = ?", name)
        if row is None:
            raise AwsError("NoSuchBucket", f"The specified bucket does not exist: {name}", 404)
        return Bucket(row["name"], datetime.fromtimestamp(row["created"], UTC), row["region"])

    def all(self) -> list[Bucket]:
        """Every bucket, by name."""
        rows = self._index.rows("SELECT * FROM buckets ORDER BY name")
        return [
            Bucket(row["name"], datetime.fromtimestamp(row["created"], UTC), row["region"])
            for row in rows
        ]

    def delete(self, name: str) -> None:
        """Raises BucketNotEmpty while there is an object, an old version or a delete marker."""
        self.get(name)
        with self._index.writing():
            if self._index.row("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", name):
                raise AwsError(
                    "BucketNotEmpty", f"The bucket you tried to delete is not empty: {name}", 409
                )
            self._index.run("DELETE FROM buckets WHERE name = ?", name)
            self._index.run("DELETE FROM configurations WHERE bucket = ?", name)
            self._index.run(
                "DELETE FROM parts WHERE upload IN (SELECT id FROM uploads WHERE bucket = ?)", name
            )
            self._index.run("DELETE FROM uploads WHERE bucket = ?", name)
            shutil.rmtree(self.root / name, ignore_errors=True)

    def configuration(self, name: str, kind: str) -> Any | None:
        """The configuration as it was put; None if there is none. Raises NoSuchBucket."""
        self.get(name)
        row = self._index.row(
            "SELECT document FROM configurations WHERE bucket = ? AND kind = ?", name, kind
        )
        return json.loads(row["document"]) if row else None

    def configure(self, name: str, kind: str, document: Any | None) -> None:
        """Writes a configuration; None removes it."""
        self.get(name)
        with self._index.writing():
            if document is None:
                self._index.run(
                    "DELETE FROM configurations WHERE bucket = ? AND kind = ?", name, kind
                )
            else:
                self._index.run(
                    "INSERT OR REPLACE INTO configurations VALUES (?, ?, ?)",
                    *(name, kind, dump(document)),
                )

    def policy_of(self, arn: str) -> str | None:
        """The bucket's policy, by the bucket's ARN or an object's; None if there is none."""
        name = arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        row = self._index.row(
            "SELECT document FROM configurations WHERE bucket = ? AND kind = 'policy'", name
        )
        return str(json.loads(row["document"])) if row else None

    def versioning(self, name: str) -> str | None:
        """ "Enabled", "Suspended", or None where it was never on."""
        found = self.configuration(name, "versioning")
        return found.get("Status") if found else None

    def tells_eventbridge(self, name: str) -> bool:
        found = self.configuration(name, "notification")
        return "EventBridgeConfiguration" in (found or {})
