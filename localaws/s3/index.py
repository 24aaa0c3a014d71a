"""The durable index of the S3 store: which buckets, objects, versions and uploads there are.

Object bytes are plain files; everything else S3 knows of them is a row here (SQLite, WAL).
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from localaws.sqlite import Row, SqliteDatabase

__all__ = ["Index", "Row", "dump", "successor"]

MIGRATIONS = (
    """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, created REAL NOT NULL, region TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS configurations (
    bucket TEXT NOT NULL, kind TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (bucket, kind));
CREATE TABLE IF NOT EXISTS objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
    latest INTEGER NOT NULL, marker INTEGER NOT NULL,
    path TEXT NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL, mtime_ns INTEGER NOT NULL,
    modified REAL NOT NULL, properties TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS objects_by_version ON objects (bucket, key, version_id);
CREATE UNIQUE INDEX IF NOT EXISTS objects_latest ON objects (bucket, key) WHERE latest = 1;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL,
    started REAL NOT NULL, properties TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL,
    checksums TEXT NOT NULL, modified REAL NOT NULL, PRIMARY KEY (upload, number));
""",
)


class Index:
    """The statements of the other modules; `with index.writing():` is one transaction."""

    def __init__(self, file: Path) -> None:
        self._database = SqliteDatabase(file, MIGRATIONS, named=True)
        self.run = self._database.run
        self.writing = self._database.transaction

    def rows(self, statement: str, *values: Any) -> list[Row]:
        return self._database.rows(statement, *values)

    def row(self, statement: str, *values: Any) -> Row | None:
        return self._database.row(statement, *values)

    def close(self) -> None:
        self._database.close()


def successor(prefix: str) -> str | None:
    """The least text greater than every text that starts with `prefix`; None if there is none."""
    for position in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[position]) + 1
        if 0xD800 <= point <= 0xDFFF:
            point = 0xE000
        if point <= 0x10FFFF:
            return prefix[:position] + chr(point)
    return None


def dump(document: Any) -> str:
    """As JSON; a time is its ISO text."""
    return json.dumps(
        document, separators=(",", ":"), ensure_ascii=False, default=datetime.isoformat
    )
