"""Groups, streams and events in SQLite: what is written costs its own size, whatever is there.

A group's events that are older than its retention are never read, and go with a later write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.sqlite import Row, SqliteDatabase

FILE = "logs.sqlite"
DAY_MS = 86_400_000
SWEEP_MS = 3_600_000
CHUNK_ROWS = 1_000
MIGRATIONS = (
    "CREATE TABLE groups (name TEXT PRIMARY KEY, created_ms INTEGER NOT NULL,"
    " retention_days INTEGER, kms_key TEXT, class TEXT NOT NULL, tags TEXT NOT NULL,"
    " swept_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE streams (id INTEGER PRIMARY KEY AUTOINCREMENT, in_group TEXT NOT NULL"
    " REFERENCES groups (name) ON DELETE CASCADE, name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, first_ms INTEGER, last_ms INTEGER, came_ms INTEGER,"
    " writes INTEGER NOT NULL DEFAULT 0, UNIQUE (in_group, name));"
    "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL"
    " REFERENCES streams (id) ON DELETE CASCADE, time_ms INTEGER NOT NULL,"
    " came_ms INTEGER NOT NULL, message TEXT NOT NULL);"
    "CREATE INDEX events_of_a_stream ON events (stream, time_ms, id)",
)


@dataclass(frozen=True, order=True)
class Place:
    """Where an event stands among others: by its time, then by when it came."""

    time_ms: int
    number: int


@dataclass(frozen=True)
class Event:
    place: Place
    came_ms: int
    message: str
    stream: str


class LogStore:
    """The statements; `with store.writing():` is one transaction."""

    def __init__(self, file: Path) -> None:
        self._database = SqliteDatabase(file, MIGRATIONS, named=True)
        self._database.run("PRAGMA foreign_keys = ON")
        self.run = self._database.run
        self.rows = self._database.rows
        self.row = self._database.row
        self.json = self._database.json
        self.writing = self._database.transaction
        self.close = self._database.close

    def group(self, name: str) -> Row | None:
        return self.row("SELECT * FROM groups WHERE name = ?", name)

    def stream(self, group: str, name: str) -> Row | None:
        return self.row("SELECT * FROM streams WHERE in_group = ? AND name = ?", group, name)

    def streams(self, group: str, prefix: str = "") -> list[Row]:
        return self.rows(
            "SELECT * FROM streams WHERE in_group = ? AND substr(name, 1, ?) = ? ORDER BY name",
            group, len(prefix), prefix,
        )  # fmt: skip

    def add(self, stream: int, events: Sequence[tuple[int, str]], came_ms: int) -> int:
        """Writes (time in ms, message) to a stream; the number of its writes so far."""
        with self.writing() as connection:
            connection.executemany(
                "INSERT INTO events (stream, time_ms, came_ms, message) VALUES (?, ?, ?, ?)",
                [(stream, time_ms, came_ms, message) for time_ms, message in events],
            )
            times = [time_ms for time_ms, _ in events]
            self.run(
                "UPDATE streams SET first_ms = min(ifnull(first_ms, ?1), ?1), came_ms = ?3,"
                " last_ms = max(ifnull(last_ms, ?2), ?2), writes = writes + 1 WHERE id = ?4",
                min(times), max(times), came_ms, stream,
            )  # fmt: skip
            return int(self.rows("SELECT writes FROM streams WHERE id = ?", stream)[0]["writes"])

    def sweep(self, group: Row, now_ms: int) -> None:
        """Drops what the group's retention no longer keeps, at most once an hour."""
        if not group["retention_days"] or now_ms - group["swept_ms"] < SWEEP_MS:
            return
        with self.writing():
            self.run(
                "DELETE FROM events WHERE time_ms < ? AND stream IN"
                " (SELECT id FROM streams WHERE in_group = ?)",
                now_ms - group["retention_days"] * DAY_MS, group["name"],
            )  # fmt: skip
            self.run("UPDATE groups SET swept_ms = ? WHERE name = ?", now_ms, group["name"])

    def events(
        self,
        streams: Sequence[Row],
        between_ms: tuple[int, int],
        beyond: Place | None,
        *,
        newest_first: bool = False,
    ) -> Iterator[Event]:
        """Those of the streams, in the order of their places, `between_ms[0]` inclusive and
        `between_ms[1]` exclusive, beyond a place: after it, or before it if `newest_first`."""
        names = {stream["id"]: stream["name"] for stream in streams}
        order, sign = ("DESC", "<") if newest_first else ("ASC", ">")
        marks = ", ".join(str(number) for number in names)
        while True:
            given = [*between_ms]
            condition = "time_ms >= ? AND time_ms < ?"
            if beyond is not None:
                condition += f" AND (time_ms, id) {sign} (?, ?)"
                given += [beyond.time_ms, beyond.number]
            rows = self.rows(
                f"SELECT * FROM events WHERE stream IN ({marks}) AND {condition}"
                f" ORDER BY time_ms {order}, id {order} LIMIT {CHUNK_ROWS}",
                *given,
            )
            yield from _events(rows, names)
            if len(rows) < CHUNK_ROWS:
                return
            beyond = Place(rows[-1]["time_ms"], rows[-1]["id"])


def _events(rows: Iterable[Row], names: dict[int, str]) -> Iterator[Event]:
    for row in rows:
        place = Place(row["time_ms"], row["id"])
        yield Event(place, row["came_ms"], row["message"], names[row["stream"]])
