"""Durable JSON documents: what the control planes acknowledge is on disk before they answer."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from localaws.shapes import Json
from localaws.sqlite import SqliteDatabase

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS documents ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,"
    " body TEXT NOT NULL, UNIQUE (kind, key))",
)


class Documents:
    """JSON documents by (kind, key) in one SQLite file.

    A call outside of `transaction` and `changing` is its own committed transaction: an answered
    write survives `kill -9`. Datetimes are kept as such (`{"$time": iso}` on disk), so a document
    is the shape an API returns.
    """

    def __init__(self, file: Path) -> None:
        self._database = SqliteDatabase(file, MIGRATIONS)
        self._changes: Counter[str] = Counter()

    def changes(self, kind: str) -> int:
        """How many writes there were to documents of the kind: who keeps what he has made of
        them, makes it anew when this has moved."""
        return self._changes[kind]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything read and written in the block happens at once, or, on an error, not at all.

        Other threads wait meanwhile: do nothing slow in it, and call nobody who may wait for them.
        """
        with self._database.transaction():
            yield

    @contextmanager
    def changing(self, kind: str, key: str, missing: Exception | None = None) -> Iterator[Json]:
        """The document, to be changed in place: it is written at the end of the block.

        One transaction, so of two threads that change a document none is lost; nothing is written
        when the block raises. Without a document: raises `missing`, or KeyError.
        """
        with self._database.transaction():
            document = self.get(kind, key)
            if document is None:
                raise missing or KeyError(f"There is no {kind} {key!r}.")
            yield document
            self.put(kind, key, document)

    def atomic(self, work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        """`work` as one transaction: for what reads a document, or several, and then writes."""

        @functools.wraps(work)
        def inside(*positional: Parameters.args, **named: Parameters.kwargs) -> Result:
            with self.transaction():
                return work(*positional, **named)

        return inside

    def put(self, kind: str, key: str, document: Json) -> None:
        """Writes the document; one already there keeps its place in `items`."""
        self._database.run(
            "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            *(kind, key, _encode(document)),
        )
        self._changes[kind] += 1

    def insert(self, kind: str, key: str, document: Json) -> bool:
        """Writes the document only if there is none; False when there was."""
        inserted = self._database.run(
            "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO NOTHING",
            *(kind, key, _encode(document)),
        )
        self._changes[kind] += 1
        return inserted == 1

    def get(self, kind: str, key: str) -> Json | None:
        row = self._database.row("SELECT body FROM documents WHERE kind = ? AND key = ?", kind, key)
        return self._decode(row[0]) if row else None

    def delete(self, kind: str, key: str) -> bool:
        """False when there was nothing to delete."""
        deleted = self._database.run("DELETE FROM documents WHERE kind = ? AND key = ?", kind, key)
        self._changes[kind] += 1
        return deleted == 1

    def items(self, kind: str) -> list[tuple[str, Json]]:
        """(key, document) of one kind, oldest first."""
        rows = self._database.rows(
            "SELECT key, body FROM documents WHERE kind = ? ORDER BY sequence", kind
        )
        return [(key, self._decode(body)) for key, body in rows]

    def _decode(self, text: str) -> Json:
        document: Json = self._database.json(text, object_hook=_decode_other)
        return document

    def close(self) -> None:
        self._database.close()


def _encode(document: Json) -> str:
    return json.dumps(document, default=_encode_other, separators=(",", ":"))


def _encode_other(value: object) -> Json:
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    raise TypeError(f"A document holds JSON and datetimes, not {type(value).__name__}.")


def _decode_other(value: Json) -> object:
    if len(value) == 1 and "$time" in value:
        return datetime.fromisoformat(value["$time"])
    return value
