"""What a running statement has to hand, and what it leaves behind."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from localaws.athena.engine import Engine, explain
from localaws.athena.scan import Scanner
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.queries import Queries, Query
from localaws.athena.tables import CatalogTables
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.tables.catalog import Catalog
from localaws.tables.errors import TableError

Json = dict[str, Any]


class Cancelled(Exception):
    """StopQueryExecution was called, or the work group's byte limit was passed."""


@dataclass
class Outcome:
    """`location` is the result file; `columns` its ColumnInfos; `update_count` rows written."""

    location: str | None = None
    columns: list[Json] = field(default_factory=list)
    update_count: int | None = None
    manifest: str | None = None
    scanned: int = 0


BEGUN = "athena-begun"  # ids of the statements that have begun a change that repeats badly


@dataclass
class Session:
    """One statement's surroundings."""

    aws: LocalAws
    engine: Engine
    folder: Path
    execution_id: str
    database: str
    output: str  # s3://bucket/prefix/ where result files go
    enforced: bool  # by the work group
    byte_limit: int | None
    cancel: threading.Event
    # When the statement was submitted, if a stop of the server cut off its first attempt.
    again: datetime | None = None
    outcome: Outcome = field(default_factory=Outcome)
    connection: duckdb.DuckDBPyConnection | None = None

    def made(self, database: str, name: str) -> bool:
        """Whether the table or view is what this statement's own first attempt made."""
        try:
            return self.catalog.maker(database, name) == self.execution_id
        except AwsError:
            return False

    def made_since(self, database: str, name: str) -> bool:
        """Whether the table or view was made after this statement was first submitted."""
        return self.again is not None and bool(
            self.catalog.table(database, name)["CreateTime"] >= self.again
        )

    def begin_change(self) -> None:
        """Notes that the statement may be carried out: what it changes is as it must be."""
        self.aws.documents.put(BEGUN, self.execution_id, {})

    @property
    def begun(self) -> bool:
        """Whether this statement's own first attempt had got as far as its change."""
        if self.again is None:
            return False
        return self.aws.documents.get(BEGUN, self.execution_id) is not None

    @property
    def catalog(self) -> Catalog:
        return Catalog(self.aws)

    @property
    def tables(self) -> CatalogTables:
        return CatalogTables(self.catalog)

    def compile(self, tree: Any) -> Query:
        return Queries(self.tables, self.database).compile(tree)

    def start(self, query: Query) -> None:
        """Opens the connection, makes the query's tables readable and counts what will be read."""
        self.open()
        assert self.connection is not None
        self._scan(query)
        if self.byte_limit is not None and self.outcome.scanned > self.byte_limit:
            raise Cancelled(
                f"Bytes scanned limit was exceeded: the query reads {self.outcome.scanned} bytes, "
                f"the work group allows {self.byte_limit}"
            )

    def open(self) -> duckdb.DuckDBPyConnection:
        if self.connection is None:
            self.connection = self.engine.connect()
        return self.connection

    def _scan(self, query: Query) -> None:
        assert self.connection is not None
        scanner = Scanner(self.aws, self.connection, self.folder)
        try:
            self.outcome.scanned = sum(
                scanner.prepare(scan, query.columns_read(scan)) for scan in query.scans
            )
        except TableError as error:
            raise QueryError(error.code, error.message) from None
        except duckdb.Error as error:
            raise explain(error) from error

    def run(self, sql: str, query: Query) -> list[tuple[Any, ...]]:
        """Runs compiled text."""
        assert self.connection is not None
        self.check()
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.InterruptException:
            raise Cancelled("Query cancelled by user") from None
        except duckdb.Error as error:
            self.check()
            raise explain(error, query.sql) from error

    def check(self) -> None:
        if self.cancel.is_set():
            raise Cancelled("Query cancelled by user")

    def interrupt(self) -> None:
        self.cancel.set()
        if self.connection is not None:
            self.connection.interrupt()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def failure(error: QueryError) -> Json:
    """AthenaError: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html"""
    data = (
        "DIVISION_BY_ZERO",
        "INVALID_CAST_ARGUMENT",
        "NUMERIC_VALUE_OUT_OF_RANGE",
        "HIVE_BAD_DATA",
        "INVALID_FUNCTION_ARGUMENT",
        "SUBQUERY_MULTIPLE_ROWS",
    )
    system = error.code.startswith(("GENERIC_INTERNAL", "EXCEEDED_"))
    kind = 1001 if error.code in data else 1000
    return {
        "ErrorCategory": 1 if system else 2,
        "ErrorType": 200 if system else kind,
        "Retryable": False,
        "ErrorMessage": str(error),
    }
