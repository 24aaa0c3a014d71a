"""Measured values, a minute each, in SQLite: what they were of, how many, sum, lowest, highest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from localaws.sqlite import SqliteDatabase

FILE = "cloudwatch.sqlite"
MINUTE = 60
# CloudWatch keeps values of one minute for 15 days.
KEPT_SECONDS = 15 * 86_400
MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS points (series TEXT, at INTEGER, count INTEGER, total REAL,"
    " lowest REAL, highest REAL, PRIMARY KEY (series, at)) WITHOUT ROWID",
)


@dataclass(frozen=True)
class Point:
    """What was measured in one minute. `at` in seconds since 1970."""

    at: int
    count: int
    total: float
    lowest: float
    highest: float


class Points:
    """Written at every measurement and durable; older ones than 15 days go."""

    def __init__(self, file: Path) -> None:
        self._swept = 0
        self._database = SqliteDatabase(file, MIGRATIONS)

    def add(
        self, namespace: str, dimensions: dict[str, str], values: dict[str, float], now: datetime
    ) -> None:
        """One measurement of each metric in `values`."""
        minute = int(now.timestamp()) // MINUTE * MINUTE
        with self._database.transaction():
            for metric, value in values.items():
                self._database.run(
                    "INSERT INTO points VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (series, at) DO"
                    " UPDATE SET count = count + 1, total = total + excluded.total,"
                    " lowest = min(lowest, excluded.lowest),"
                    " highest = max(highest, excluded.highest)",
                    *(_series(namespace, metric, dimensions), minute, value, value, value),
                )
            if minute != self._swept:
                self._database.run("DELETE FROM points WHERE at < ?", minute - KEPT_SECONDS)
                self._swept = minute

    def between(
        self, namespace: str, metric: str, dimensions: dict[str, str], start: int, end: int
    ) -> Iterator[Point]:
        """The minutes from `start` on and before `end`, oldest first."""
        rows = self._database.rows(
            "SELECT at, count, total, lowest, highest FROM points"
            " WHERE series = ? AND at >= ? AND at < ? ORDER BY at",
            *(_series(namespace, metric, dimensions), start, end),
        )
        yield from (Point(*row) for row in rows)

    def close(self) -> None:
        self._database.close()


def _series(namespace: str, metric: str, dimensions: dict[str, str]) -> str:
    return json.dumps([namespace, metric, sorted(dimensions.items())])
