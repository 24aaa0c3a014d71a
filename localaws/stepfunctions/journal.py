"""Executions, their history and the engine's journal, in the SQLite file.

The journal is append-only: each record is the new position of one thread of an execution (a
"frame"), so folding it, last record per frame wins, gives the engine's state. Everything that one
transition changes is one transaction; its effects start after the commit.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from localaws.shapes import Json
from localaws.sqlite import SqliteDatabase
from localaws.stepfunctions.records import Changes, Event, Execution
from localaws.stepfunctions.resources import Resources

MAX_DEFINITIONS = 256  # in memory
EVENT_BITS = 20  # an event's key is its execution's id, shifted, plus its own id
COLUMNS = (
    "id, arn, machine_arn, name, status, input, output, error, cause, started, stopped,"
    " definition, map_run_arn, redrive_count, redriven, about"
)


class Journal:
    """Reads see what is committed; `commit` writes the transitions of one round."""

    def __init__(self, database: SqliteDatabase, resources: Resources) -> None:
        self._database = database
        self._resources = resources
        self._definitions: dict[str, str] = {}  # those in use, by their SHA-256

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction, with the resources' writes in it too; nested use joins it."""
        return self._database.transaction()

    # --- executions --------------------------------------------------------------------------

    def keep_definition(self, text: str) -> str:
        """Keeps a definition for executions to come back to; its SHA-256."""
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        if sha256 in self._definitions:
            return sha256
        with self._database.transaction() as writer:
            writer.execute("INSERT OR IGNORE INTO definitions VALUES (?, ?)", (sha256, text))
        return sha256

    def definition(self, sha256: str) -> str:
        known = self._definitions.get(sha256)
        if known is not None:
            return known
        row = self._database.row("SELECT text FROM definitions WHERE sha256 = ?", sha256)
        if row is None:
            raise LookupError(f"The journal has no definition {sha256}.")
        if len(self._definitions) >= MAX_DEFINITIONS:
            self._definitions.clear()
        self._definitions[sha256] = row[0]
        return self._definitions[sha256]

    def add_execution(self, row: Execution, started: Event) -> Execution:
        """Writes the execution with its first event; `row.id` is ignored and given anew."""
        values = [getattr(row, name) for name in COLUMNS.split(", ")[1:-1]]
        with self._database.transaction() as writer:
            cursor = writer.execute(
                f"INSERT INTO executions ({COLUMNS.removeprefix('id, ')})"
                f" VALUES ({', '.join('?' * (len(values) + 1))})",
                (*values, json.dumps(row.about)),
            )
            row.id = int(cursor.lastrowid or 0)
            self._write_events(writer, row.id, [started])
        return row

    def execution(self, arn: str) -> Execution | None:
        rows = self._database.rows(f"SELECT {COLUMNS} FROM executions WHERE arn = ?", arn)
        return _execution(rows[0]) if rows else None

    def executions(
        self,
        *,
        machine_arn: str | None = None,
        map_run_arn: str | None = None,
        status: str | None = None,
        before: int | None = None,
        limit: int = -1,
    ) -> list[Execution]:
        """Newest first. `before` is an execution id: only older ones."""
        conditions, values = ["1"], list[Any]()
        for column, value in (
            ("machine_arn = ?", machine_arn),
            ("map_run_arn = ?", map_run_arn),
            ("status = ?", status),
            ("id < ?", before),
        ):
            if value is not None:
                conditions.append(column)
                values.append(value)
        rows = self._database.rows(
            f"SELECT {COLUMNS} FROM executions WHERE {' AND '.join(conditions)}"
            " ORDER BY id DESC LIMIT ?",
            *values,
            limit,
        )
        return [_execution(row) for row in rows]

    def outputs(self, map_run_arn: str) -> list[tuple[int, str]]:
        """(index, output) of a map run's executions that succeeded."""
        return self._database.rows(
            "SELECT json_extract(about, '$.parent[2]'), output FROM executions"
            " WHERE map_run_arn = ? AND status = 'SUCCEEDED'",
            map_run_arn,
        )

    def statuses(self, map_run_arn: str) -> dict[str, int]:
        """How many of a map run's executions have each status."""
        return dict(
            self._database.rows(
                "SELECT status, count(*) FROM executions WHERE map_run_arn = ? GROUP BY status",
                map_run_arn,
            )
        )

    def commit(self, changes: Iterable[Changes]) -> None:
        """Writes transitions in one transaction; a row that they start has its id then."""
        changes = list(changes)
        if not changes:
            return
        with self._database.transaction() as writer:
            for change in changes:
                self._write_events(writer, change.execution, change.events)
                if change.records:
                    writer.executemany(
                        "INSERT INTO journal (execution, frame, record) VALUES (?, ?, ?)",
                        [(change.execution, frame, text) for frame, text in change.records],
                    )
                for token, frame in change.tokens:
                    writer.execute(
                        "INSERT OR IGNORE INTO tokens VALUES (?, ?, ?, NULL)",
                        (token, change.execution, frame),
                    )
                if change.ended is not None:
                    writer.execute(
                        "UPDATE executions SET status = ?, output = ?, error = ?, cause = ?,"
                        " stopped = ? WHERE id = ?",
                        (*change.ended, change.execution),
                    )
                for document in change.documents:
                    self._resources.put(document.kind, document.arn, document.parent, document.body)
                for new in change.started:
                    new.row.definition = self.keep_definition(new.definition)
                    self.add_execution(new.row, new.started)
                for execution, time in change.redriven:
                    self.redrive(execution, time)

    @staticmethod
    def _write_events(writer: sqlite3.Connection, execution: int, events: list[Event]) -> None:
        base = execution << EVENT_BITS
        writer.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            [(base | e.id, e.previous, e.type, e.time, e.details) for e in events],
        )

    def redrive(self, execution: int, time: float) -> None:
        """Makes an execution that has ended RUNNING again."""
        with self._database.transaction() as writer:
            writer.execute(
                "UPDATE executions SET status = 'RUNNING', output = NULL, error = NULL,"
                " cause = NULL, stopped = NULL, redrive_count = redrive_count + 1, redriven = ?"
                " WHERE id = ?",
                (time, execution),
            )

    # --- history and journal ------------------------------------------------------------------

    def events(
        self,
        execution: int,
        *,
        first: int = 1,
        last: int = (1 << EVENT_BITS) - 1,
        reverse: bool = False,
        limit: int = -1,
    ) -> list[Event]:
        """Events with ids from `first` to `last`, both included."""
        base = execution << EVENT_BITS
        rows = self._database.rows(
            "SELECT key, previous, type, time, details FROM events WHERE key BETWEEN ? AND ?"
            f" ORDER BY key {'DESC' if reverse else 'ASC'} LIMIT ?",
            base | first,
            base | last,
            limit,
        )
        return [Event(key - base, *rest) for key, *rest in rows]

    def positions(self, execution: int) -> dict[int, Json]:
        """The fold of the journal: each frame's last record, by frame id."""
        rows = self._database.rows(
            "SELECT frame, record FROM journal WHERE execution = ? ORDER BY sequence", execution
        )
        return {frame: self._database.json(record) for frame, record in dict(rows).items()}

    def token(self, token: str) -> tuple[int, int, Json | None] | None:
        """(execution id, frame id, outcome or None) of a task token."""
        rows = self._database.rows(
            "SELECT execution, frame, outcome FROM tokens WHERE token = ?", token
        )
        if not rows:
            return None
        execution, frame, outcome = rows[0]
        return execution, frame, json.loads(outcome) if outcome else None

    def settle_token(self, token: str, outcome: Json) -> bool:
        """Keeps what a task answered by its token; False when it had answered before."""
        with self._database.transaction() as writer:
            cursor = writer.execute(
                "UPDATE tokens SET outcome = ? WHERE token = ? AND outcome IS NULL",
                (json.dumps(outcome), token),
            )
            return cursor.rowcount == 1


def _execution(row: tuple[Any, ...]) -> Execution:
    *values, about = row
    return Execution(*[*values, json.loads(about)])
