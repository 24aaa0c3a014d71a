"""Whose turn it is to write an Iceberg table: statements of this AWS come one after the other.

Other writers (pyiceberg, Spark) are met at the commit, by the catalog's version of the table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

LOOK_SECONDS = 0.05


class TableLocks:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, str] = {}  # table to job

    def take(self, table: str, job_id: str, check: Callable[[], None]) -> None:
        """Waits for the table; `check` raises if the job is to wait no longer."""
        with self._changed:
            while self._held.get(table, job_id) != job_id:
                check()
                self._changed.wait(LOOK_SECONDS)
            self._held[table] = job_id

    def release(self, job_id: str) -> None:
        """All that the job has."""
        with self._changed:
            self._held = {table: job for table, job in self._held.items() if job != job_id}
            self._changed.notify_all()
