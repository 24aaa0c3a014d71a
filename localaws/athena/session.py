"""What a running statement has to hand, and what it leaves behind."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.athena.engine import Engine
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.queries import Queries, Query
from localaws.athena.sql.sources import Scan
from localaws.athena.tables import CatalogTables
from localaws.athena.work import Cancelled, PrunePlan, ReadPlan, ReadResult, ScanPlan, Work
from localaws.core.aws import LocalAws
from localaws.tables import files
from localaws.tables.acting import ActingCatalog
from localaws.tables.catalog import Catalog
from localaws.tables.errors import TableError

Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One change of the catalog: a method of `Catalog` and what it is called with."""

    method: Callable[..., None]
    arguments: tuple[Any, ...]

    def apply(self, catalog: Catalog) -> None:
        # As the catalog at hand has it: one that acts for a caller asks whether that may.
        method = getattr(type(catalog), self.method.__name__, self.method)
        method(catalog, *self.arguments)


def change(method: Callable[..., None], *arguments: Any) -> Change:
    return Change(method, arguments)


@dataclass
class Outcome:
    """`location` is the result file; `columns` its ColumnInfos; `update_count` rows written;
    `changes` are what the catalog is to become, all at once and with the statement's end."""

    location: str | None = None
    columns: list[Json] = field(default_factory=list)
    update_count: int | None = None
    manifest: str | None = None
    changes: list[Change] = field(default_factory=list)


@dataclass
class Session:
    """One statement's surroundings. `read` is the only way to rows."""

    aws: LocalAws
    engine: Engine
    folder: Path  # of this execution alone; gone at its end
    execution_id: str
    work_group: str
    database: str
    output: str  # s3://bucket/prefix/ where result files go
    enforced: bool  # by the work group
    byte_limit: int | None
    again: bool = False  # a stop of the server cut off its first attempt
    cancel: threading.Event = field(default_factory=threading.Event)
    scanned_bytes: int = 0
    work: Work | None = None

    @property
    def catalog(self) -> Catalog:
        return ActingCatalog(self.aws)

    @property
    def tables(self) -> CatalogTables:
        return CatalogTables(self.catalog)

    def compile(self, tree: Any) -> Query:
        return Queries(self.tables, self.database).compile(tree)

    def read(
        self,
        query: Query,
        select: str,
        copy: str | None = None,
        keys: tuple[str, ...] = (),
        *,
        counted: bool = True,
    ) -> ReadResult:
        """Runs `select`, a text over the query (see ReadPlan). Raises QueryError, Cancelled."""
        self.check()
        work = self._open()
        try:
            scans = tuple(self._scan(work, scan, query) for scan in query.scans)
        except TableError as error:
            raise QueryError(error.code, error.message) from None
        limit = self.byte_limit if counted else None
        self.check()
        result = work.read(ReadPlan(select, scans, str(self.folder), limit, copy, keys))
        if counted:
            self.scanned_bytes = result.scanned_bytes
        return result

    def _scan(self, work: Work, scan: Scan, query: Query) -> ScanPlan:
        """The scan's table with the files of the partitions that can satisfy the query."""
        table = self.catalog.table(scan.database, scan.table)
        keys = tuple(
            (key["Name"].lower(), key.get("Type") or "string")
            for key in table.get("PartitionKeys") or []
        )
        partitions: list[Json] = []
        if keys:
            known = self.catalog.partitions(scan.database, scan.table)
            values = tuple(tuple(partition["Values"]) for partition in known)
            kept = work.prune(PrunePlan(keys, values, scan.alias, tuple(scan.conditions)))
            partitions = [known[place] for place in kept]
        snapshot = files.take(table, partitions, self.aws.objects)
        return ScanPlan(scan.relation, snapshot, frozenset(query.columns_read(scan)))

    def _open(self) -> Work:
        if self.work is None:
            self.work = Work(self.engine.connect())
        return self.work

    def check(self) -> None:
        if self.cancel.is_set():
            raise Cancelled("Query cancelled by user")

    def interrupt(self) -> None:
        self.cancel.set()
        if self.work is not None:
            self.work.connection.interrupt()

    def close(self) -> None:
        if self.work is not None:
            self.work.connection.close()
            self.work = None
        shutil.rmtree(self.folder, ignore_errors=True)


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
        # Hive's own commands fail in words of their own.
        "ErrorMessage": f"FAILED: {error.message}" if error.code == "FAILED" else str(error),
    }
