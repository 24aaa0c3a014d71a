"""Measured values, a minute each, in SQLite: what they were of, how many, sum, lowest, highest."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FILE = "cloudwatch.sqlite"
MINUTE = 60
# CloudWatch keeps values of one minute for 15 days.
KEPT_SECONDS = 15 * 86_400


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
        self._lock = threading.Lock()
        self._swept = 0
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS points (series TEXT, at INTEGER, count INTEGER, total REAL,"
            " lowest REAL, highest REAL, PRIMARY KEY (series, at)) WITHOUT ROWID"
        )

    def add(
        self, namespace: str, dimensions: dict[str, str], values: dict[str, float], now: datetime
    ) -> None:
        """One measurement of each metric in `values`."""
        minute = int(now.timestamp()) // MINUTE * MINUTE
        with self._lock:
            self._connection.execute("BEGIN")
            for metric, value in values.items():
                self._connection.execute(
                    "INSERT INTO points VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (series, at) DO"
                    " UPDATE SET count = count + 1, total = total + excluded.total,"
                    " lowest = min(lowest, excluded.lowest),"
                    " highest = max(highest, excluded.highest)",
                    (_series(namespace, metric, dimensions), minute, value, value, value),
                )
            if minute != self._swept:
                self._connection.execute(
                    "DELETE FROM points WHERE at < ?", (minute - KEPT_SECONDS,)
                )
                self._swept = minute
            self._connection.execute("COMMIT")

    def between(
        self, namespace: str, metric: str, dimensions: dict[str, str], start: int, end: int
    ) -> Iterator[Point]:
        """The minutes from `start` on and before `end`, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT at, count, total, lowest, highest FROM points"
                " WHERE series = ? AND at >= ? AND at < ? ORDER BY at",
                (_series(namespace, metric, dimensions), start, end),
            ).fetchall()
        yield from (Point(*row) for row in rows)

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _series(namespace: str, metric: str, dimensions: dict[str, str]) -> str:
    return json.dumps([namespace, metric, sorted(dimensions.items())])
