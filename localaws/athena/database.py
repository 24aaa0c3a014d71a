"""The DuckDB that runs Athena's queries: one instance, a connection for each query."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb

from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.macros import MACROS
from localaws.athena.sql.python.all import register
from localaws.core.jobs.limits import Limits, default


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
    for macro in MACROS:
        connection.execute(macro)


_CODED = re.compile(
    r"Invalid Input Error: (?:Python exception occurred while executing the UDF: \w+: )?"
    r"([A-Z][A-Z0-9_]{5,}): (.*)",
    re.DOTALL,
)


def explain(
    error: duckdb.Error, query: str = "", *, names: Mapping[str, str] | None = None
) -> QueryError:
    """The error of DuckDB as Athena would put it. `names` are the URIs of local files by path: no
    local path is told."""
    message = str(error)
    of_file = next((uri for path, uri in (names or {}).items() if path in message), None)
    head = message.partition("\n")[0]
    coded = _CODED.fullmatch(message)
    if coded:
        return QueryError(coded[1], coded[2].strip())
    if of_file is not None:
        return QueryError("HIVE_BAD_DATA", f"Malformed data in {of_file}")
    plain = re.sub(r"^[A-Za-z ]+ Error: ", "", head)
    if "ivision by zero" in head:
        return QueryError("DIVISION_BY_ZERO", "Division by zero")
    if "More than one row returned by a subquery" in head:
        return QueryError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if "must appear in the GROUP BY clause" in head or "must appear in the GROUP BY" in message:
        column = re.search(r'column "?([^" ]+)"?', head)
        shown = f"'{column[1]}' " if column else ""
        return QueryError(
            "EXPRESSION_NOT_AGGREGATE",
            f"{shown}must be an aggregate expression or appear in GROUP BY clause",
        )
    if (
        isinstance(error, duckdb.OutOfRangeException)
        or "out of range" in head
        or "Overflow" in head
    ):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", plain)
    if isinstance(error, duckdb.ConversionException):
        return QueryError("INVALID_CAST_ARGUMENT", plain)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError("EXCEEDED_LOCAL_MEMORY_LIMIT", plain)
    if isinstance(error, duckdb.IOException):
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", "Error opening Hive split")
    if "regex" in head.lower() or "perl operator" in head:
        return QueryError(
            "NOT_SUPPORTED", f"localaws does not emulate this regular expression: {plain}"
        )
    return QueryError("GENERIC_INTERNAL_ERROR", plain)
