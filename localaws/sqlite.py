"""One SQLite file: how it is opened, written in transactions, brought up to date and closed."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = sqlite3.Row
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
PRIMARY = 0xFF  # of an error code: the rest says more of the same


class SqliteDatabase:
    """A file in WAL mode behind one connection and one lock.

    A committed transaction survives `kill -9` at any moment, and one that is cut off leaves
    nothing; a power cut may lose the last moments, never consistency (`synchronous=NORMAL`).

    `migrations` are scripts. `PRAGMA user_version` counts those that the file has seen; the others
    run at the opening, each in a transaction of its own. To change a schema, add one at the end.
    A file of before the count exists with version 0, so the first one must bear to run twice.

    Raises ValueError for a file of a newer version than this code, and for a damaged one.
    """

    def __init__(self, file: Path, migrations: Sequence[str], *, named: bool = False) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        if named:
            self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA wal_autocheckpoint = 4000")
            self._migrate(file, migrations)
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise self._told(error) from None
            raise
        self._depth = 0

    def _migrate(self, file: Path, migrations: Sequence[str]) -> None:
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(migrations):
            raise ValueError(
                f"{file} has version {version}, and this localaws knows versions up to"
                f" {len(migrations)}: it was written by a newer one."
            )
        for number, script in enumerate(migrations[version:], version + 1):
            try:
                self._connection.executescript(
                    f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT"
                )
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Keeps other threads out; commits at the end of the block, undoes it on an error.

        A block within a block is undone by itself, and committed with the outermost.
        """
        with self._in_turn():
            begin, commit, undo = (
                ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
                if self._depth == 0
                else (
                    f"SAVEPOINT level{self._depth}",
                    f"RELEASE level{self._depth}",
                    f"ROLLBACK TO level{self._depth}",
                )
            )
            self._connection.execute(begin)
            self._depth += 1
            try:
                yield self._connection
                self._connection.execute(commit)
            except BaseException:
                if self._connection.in_transaction:  # SQLite undoes by itself when a disk is full
                    self._connection.execute(undo)
                    if self._depth > 1:
                        self._connection.execute(commit)
                raise
            finally:
                self._depth -= 1

    def run(self, statement: str, *values: Any) -> int:
        """Runs one write; the number of rows it changed."""
        with self._in_turn():
            return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Tuples; `sqlite3.Row` where the database was opened with `named`."""
        with self._in_turn():
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> Any | None:
        """The first row, if there is one."""
        with self._in_turn():
            return self._connection.execute(statement, values).fetchone()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Damage may show only when its place in the file is read."""
        try:
            with self._lock:
                yield
        except sqlite3.DatabaseError as error:
            raise self._told(error) from None

    def _told(self, error: sqlite3.DatabaseError) -> Exception:
        """The error; where it tells of damage, with the file and what to do about it."""
        if getattr(error, "sqlite_errorcode", 0) & PRIMARY not in DAMAGED:
            return error
        return self._damaged(f"SQLite says: {error}")

    def json(self, text: str, **how: Any) -> Any:
        """What a text of the file holds; `how` as json.loads takes it. Raises ValueError for one
        that is no JSON, which tells of damage that SQLite does not see."""
        try:
            return json.loads(text, **how)
        except ValueError as error:
            raise self._damaged(f"what should be JSON is not: {error}") from None

    def _damaged(self, how: str) -> ValueError:
        name = self._file.name
        return ValueError(
            f"{self._file} is damaged ({how}). Put a copy from a backup in its"
            f" place, or move it away with {name}-wal and {name}-shm and take its name out of"
            " home.json: what it records is gone then, and everything else in the home stays."
        )

    def close(self) -> None:
        with self._lock:
            self._connection.close()
