"""Durable JSON documents: what the control planes acknowledge is on disk before they answer."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Documents:
    """JSON documents by (kind, key) in one SQLite file (WAL).

    Every call is its own committed transaction: an answered write survives `kill -9`. Datetimes
    are kept as such (`{"$time": iso}` on disk), so a document is the shape an API returns.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents ("
            " sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,"
            " body TEXT NOT NULL, UNIQUE (kind, key))"
        )

    def put(self, kind: str, key: str, document: Json) -> None:
        """Writes the document; one already there keeps its place in `items`."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, key, _encode(document)),
            )

    def insert(self, kind: str, key: str, document: Json) -> bool:
        """Writes the document only if there is none; False when there was."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO NOTHING",
                (kind, key, _encode(document)),
            )
            return cursor.rowcount == 1

    def get(self, kind: str, key: str) -> Json | None:
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return _decode(row[0]) if row else None

    def delete(self, kind: str, key: str) -> bool:
        """False when there was nothing to delete."""
        with self._lock:
            cursor = self._connection.execute(
                "DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)
            )
            return cursor.rowcount == 1

    def items(self, kind: str) -> list[tuple[str, Json]]:
        """(key, document) of one kind, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, body FROM documents WHERE kind = ? ORDER BY sequence", (kind,)
            ).fetchall()
        return [(key, _decode(body)) for key, body in rows]

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _encode(document: Json) -> str:
    return json.dumps(document, default=_encode_other, separators=(",", ":"))


def _encode_other(value: object) -> Json:
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    raise TypeError(f"A document holds JSON and datetimes, not {type(value).__name__}.")


def _decode(text: str) -> Json:
    document: Json = json.loads(text, object_hook=_decode_other)
    return document


def _decode_other(value: Json) -> object:
    if len(value) == 1 and "$time" in value:
        return datetime.fromisoformat(value["$time"])
    return value
