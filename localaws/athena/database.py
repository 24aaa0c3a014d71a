"""The DuckDB that runs Athena's queries: one instance, a connection for each query."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb

from localaws.athena import buckets
from localaws.athena.failures import explain
from localaws.athena.iceberg import hashing
from localaws.athena.sql.macros import MACROS
from localaws.athena.sql.python.all import register
from localaws.core.jobs.limits import Limits, default

__all__ = ["Database", "explain", "prepare"]


class Database:
    """Opened at the first query. `folder` takes what does not fit in memory."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or default()
        self._lock = threading.Lock()
        self._root: duckdb.DuckDBPyConnection | None = None

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own: it can be interrupted without touching the others."""
        with self._lock:
            if self._root is None:
                self._root = self._open()
            return self._root.cursor()

    def close(self) -> None:
        with self._lock:
            if self._root is not None:
                self._root.close()
                self._root = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        root = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{self.limits.engine_bytes >> 20}MiB",
                "threads": self.limits.threads,
                "temp_directory": str(self.folder),
                "preserve_insertion_order": "false",
                "order_by_non_integer_literal": "true",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        root.execute("SET GLOBAL TimeZone = 'UTC'")
        prepare(root)
        return root


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds the macros and functions that compiled queries call."""
    register(connection)
    hashing.register(connection)
    buckets.register(connection)
    for macro in MACROS:
        connection.execute(macro)
