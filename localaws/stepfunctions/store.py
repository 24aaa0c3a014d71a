"""What Step Functions keeps: machines, executions, their history and the engine's journal.

The journal is append-only: each record is the new position of one thread of an execution (a
"frame"), so folding it, last record per frame wins, gives the engine's state. Events and journal
records of one transition are one transaction; its effect starts after the commit.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.core.sqlite import Database

Json = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, arn TEXT NOT NULL UNIQUE,
  parent TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS resources_by_parent ON resources (kind, parent);
CREATE TABLE IF NOT EXISTS definitions (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS executions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE, machine_arn TEXT NOT NULL,
  name TEXT NOT NULL, status TEXT NOT NULL, input TEXT NOT NULL, output TEXT, error TEXT,
  cause TEXT, started REAL NOT NULL, stopped REAL, definition TEXT NOT NULL, map_run_arn TEXT,
  redrive_count INTEGER NOT NULL DEFAULT 0, redriven REAL, about TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS executions_by_machine ON executions (machine_arn, id);
CREATE INDEX IF NOT EXISTS executions_by_map_run ON executions (map_run_arn, id);
CREATE INDEX IF NOT EXISTS executions_by_status ON executions (status, id);
CREATE TABLE IF NOT EXISTS events (
  key INTEGER PRIMARY KEY, previous INTEGER NOT NULL, type TEXT NOT NULL, time REAL NOT NULL,
  details TEXT);
CREATE TABLE IF NOT EXISTS journal (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, execution INTEGER NOT NULL, frame INTEGER NOT NULL,
  record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journal_by_execution ON journal (execution, sequence);
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, execution INTEGER NOT NULL, frame INTEGER NOT NULL, outcome TEXT);
"""
ACTIVITY = "activity"  # the kind of an activity's resource
EVENT_BITS = 20  # an event's key is its execution's id, shifted, plus its own id
COLUMNS = (
    "id, arn, machine_arn, name, status, input, output, error, cause, started, stopped,"
    " definition, map_run_arn, redrive_count, redriven, about"
)


@dataclass(frozen=True)
class Event:
    """One history event; `details` is its API-shaped details member, as JSON text."""

    id: int
    previous: int
    type: str
    time: float
    details: str | None


@dataclass
class Execution:
    """One row of executions; times are epoch seconds. `about` holds what does not change:
    role, version and alias ARN, revision, trace header, the parent of a child workflow."""

    id: int
    arn: str
    machine_arn: str
    name: str
    status: str
    input: str
    output: str | None
    error: str | None
    cause: str | None
    started: float
    stopped: float | None
    definition: str
    map_run_arn: str | None
    redrive_count: int
    redriven: float | None
    about: Json


@dataclass
class Changes:
    """What one transition of one execution writes."""

    execution: int
    events: list[Event] = field(default_factory=list)
    records: list[tuple[int, str]] = field(default_factory=list)
    tokens: list[tuple[str, int]] = field(default_factory=list)
    ended: tuple[str, str | None, str | None, str | None, float] | None = None


class Store:
    """All reads and writes. Writes go one at a time; reads see what is committed."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, (SCHEMA,))
        self.transaction = self._database.transaction
        self.close = self._database.close

    def _rows(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        return self._database.rows(sql, *values)

    # --- machines, versions, aliases, map runs ---------------------------------------------

    def put(self, kind: str, arn: str, parent: str, body: Json) -> None:
        with self.transaction() as writer:
            writer.execute(
                "INSERT INTO resources (kind, arn, parent, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (arn) DO UPDATE SET body = excluded.body",
                (kind, arn, parent, json.dumps(body)),
            )

    def get(self, kind: str, arn: str) -> Json | None:
        rows = self._rows("SELECT body FROM resources WHERE kind = ? AND arn = ?", (kind, arn))
        return json.loads(rows[0][0]) if rows else None

    def claim(self, job: str, owner: str) -> bool:
        """Whether the job is the owner's: what is nobody's becomes it."""
        with self.transaction() as writer:
            writer.execute(
                "INSERT OR IGNORE INTO resources (kind, arn, parent, body)"
                " VALUES ('job', ?, '', ?)",
                (job, json.dumps({"owner": owner})),
            )
        return self.get("job", job) == {"owner": owner}

    def resources(self, kind: str, parent: str | None = None) -> list[Json]:
        """Oldest first; all of a kind, or those below one parent ARN."""
        if parent is None:
            rows = self._rows(
                "SELECT body FROM resources WHERE kind = ? ORDER BY sequence", (kind,)
            )
        else:
            rows = self._rows(
                "SELECT body FROM resources WHERE kind = ? AND parent = ? ORDER BY sequence",
                (kind, parent),
            )
        return [json.loads(body) for (body,) in rows]

    def delete(self, arn: str) -> None:
        with self.transaction() as writer:
            writer.execute("DELETE FROM resources WHERE arn = ?", (arn,))

    def keep_definition(self, sha256: str, text: str) -> None:
        with self.transaction() as writer:
            writer.execute("INSERT OR IGNORE INTO definitions VALUES (?, ?)", (sha256, text))

    def definition(self, sha256: str) -> str:
        text: str = self._rows("SELECT text FROM definitions WHERE sha256 = ?", (sha256,))[0][0]
        return text

    # --- executions ---------------------------------------------------------------------------

    def add_execution(self, row: Execution, started: Event) -> Execution:
        """Writes the execution with its first event; `row.id` is ignored and given anew."""
        values = [getattr(row, name) for name in COLUMNS.split(", ")[1:-1]]
        with self.transaction() as writer:
            cursor = writer.execute(
                f"INSERT INTO executions ({COLUMNS.removeprefix('id, ')})"
                f" VALUES ({', '.join('?' * (len(values) + 1))})",
                (*values, json.dumps(row.about)),
            )
            row.id = int(cursor.lastrowid or 0)
            self._write_events(writer, row.id, [started])
        return row

    def execution(self, arn: str) -> Execution | None:
        rows = self._rows(f"SELECT {COLUMNS} FROM executions WHERE arn = ?", (arn,))
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
        rows = self._rows(
            f"SELECT {COLUMNS} FROM executions WHERE {' AND '.join(conditions)}"
            " ORDER BY id DESC LIMIT ?",
            (*values, limit),
        )
        return [_execution(row) for row in rows]

    def outputs(self, map_run_arn: str) -> list[tuple[int, str]]:
        """(index, output) of a map run's executions that succeeded."""
        return self._rows(
            "SELECT json_extract(about, '$.parent[2]'), output FROM executions"
            " WHERE map_run_arn = ? AND status = 'SUCCEEDED'",
            (map_run_arn,),
        )

    def statuses(self, map_run_arn: str) -> dict[str, int]:
        """How many of a map run's executions have each status."""
        return dict(
            self._rows(
                "SELECT status, count(*) FROM executions WHERE map_run_arn = ? GROUP BY status",
                (map_run_arn,),
            )
        )

    def commit(self, changes: Iterable[Changes]) -> None:
        """Writes transitions in one transaction."""
        with self.transaction() as writer:
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

    @staticmethod
    def _write_events(writer: sqlite3.Connection, execution: int, events: list[Event]) -> None:
        base = execution << EVENT_BITS
        writer.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            [(base | e.id, e.previous, e.type, e.time, e.details) for e in events],
        )

    def redrive(self, execution: int, time: float) -> None:
        with self.transaction() as writer:
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
        rows = self._rows(
            "SELECT key, previous, type, time, details FROM events WHERE key BETWEEN ? AND ?"
            f" ORDER BY key {'DESC' if reverse else 'ASC'} LIMIT ?",
            (base | first, base | last, limit),
        )
        return [Event(key - base, *rest) for key, *rest in rows]

    def journal(self, execution: int) -> dict[int, Json]:
        """The fold of the journal: each frame's last record, by frame id."""
        rows = self._rows(
            "SELECT frame, record FROM journal WHERE execution = ? ORDER BY sequence", (execution,)
        )
        return {frame: json.loads(record) for frame, record in dict(rows).items()}

    def token(self, token: str) -> tuple[int, int, Json | None] | None:
        """(execution id, frame id, outcome or None) of a task token."""
        rows = self._rows("SELECT execution, frame, outcome FROM tokens WHERE token = ?", (token,))
        if not rows:
            return None
        execution, frame, outcome = rows[0]
        return execution, frame, json.loads(outcome) if outcome else None

    def settle_token(self, token: str, outcome: Json) -> bool:
        """Keeps what a task answered by its token; False when it had answered before."""
        with self.transaction() as writer:
            cursor = writer.execute(
                "UPDATE tokens SET outcome = ? WHERE token = ? AND outcome IS NULL",
                (json.dumps(outcome), token),
            )
            return cursor.rowcount == 1


def _execution(row: tuple[Any, ...]) -> Execution:
    *values, about = row
    return Execution(*[*values, json.loads(about)])
