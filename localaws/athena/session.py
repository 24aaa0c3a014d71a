"""What a running statement has to hand, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from localaws.athena import buckets
from localaws.athena.iceberg.locks import TableLocks
from localaws.athena.iceberg.lookup import IcebergTables
from localaws.athena.read_plan import (
    BYTE_LIMIT,
    EXPLAIN,
    PrunePlan,
    ReadPlan,
    ReadResult,
    ScanPlan,
)
from localaws.athena.sql.queries import Queries, Query
from localaws.athena.sql.sources import Scan
from localaws.athena.tables import CatalogTables
from localaws.core.aws import LocalAws
from localaws.core.jobs.failures import OutOfMemory, WorkerDied, WorkFailed
from localaws.core.jobs.job import Job
from localaws.shapes import Json
from localaws.tables import files, projection
from localaws.tables.acting import ActingCatalog
from localaws.tables.catalog import Catalog
from localaws.tables.errors import TableError
from localaws.tables.snapshot import Columns
from localaws.trino.errors import QueryError

EXHAUSTED = "EXCEEDED_MEMORY_LIMIT"
# For a node that crashed; clients look for the code and try again:
# https://docs.aws.amazon.com/athena/latest/ug/performance-tuning.html
ENGINE_FAILED = "INTERNAL_ERROR_QUERY_ENGINE"
ENGINE_WORDS = "Amazon Athena experienced an internal error while executing this query"


class ByteLimit(Exception):
    """The query would read more than its work group allows, which cancels it."""


@dataclass(frozen=True)
class Change:
    """One change of the catalog: a method of `Catalog` and what it is called with, and the error
    of a statement whose change comes too late, if it has one of its own."""

    method: Callable[..., None]
    arguments: tuple[Any, ...]
    conflict: QueryError | None = None

    def apply(self, catalog: Catalog) -> None:
        # As the catalog at hand has it: one that acts for a caller asks whether that may.
        method = getattr(type(catalog), self.method.__name__, self.method)
        method(catalog, *self.arguments)


def change(method: Callable[..., None], *arguments: Any) -> Change:
    return Change(method, arguments)


@dataclass
class Effect:
    """`location` is the result file; `columns` its ColumnInfos; `update_count` rows written;
    `changes` are what the catalog is to become, all at once and with the statement's end."""

    location: str | None = None
    columns: list[Json] = field(default_factory=list)
    update_count: int | None = None
    manifest: str | None = None
    changes: list[Change] = field(default_factory=list)
    garbage: list[str] = field(default_factory=list)  # objects that go once the changes are made


@dataclass
class Session:
    """One statement's surroundings. `read` is the only way to rows."""

    aws: LocalAws
    job: Job
    folder: Path  # of this execution alone; gone at its end
    execution_id: str
    work_group: str
    database: str
    output: str  # s3://bucket/prefix/ where result files go
    enforced: bool  # by the work group
    byte_limit: int | None
    scanned_bytes: int = 0
    earlier: Callable[[], Json | None] = lambda: None  # an execution with this one's result
    reused: bool = False
    adopted: list[str] = field(default_factory=list)  # objects that go again if it fails
    locks: TableLocks = field(default_factory=TableLocks)

    @property
    def again(self) -> bool:
        """Whether a stop of the server may have cut off its first attempt."""
        return self.job.again

    @property
    def catalog(self) -> Catalog:
        return ActingCatalog(self.aws)

    @cached_property
    def iceberg(self) -> IcebergTables:
        return IcebergTables(self.aws, self._value)

    @property
    def tables(self) -> CatalogTables:
        return CatalogTables(self.catalog, self.iceberg)

    def compile(self, tree: Any) -> Query:
        return Queries(self.tables, self.database).compile(tree)

    def read(
        self,
        query: Query,
        select: str,
        copy: str | None = None,
        keys: tuple[str, ...] = (),
        *,
        explain: str = "",
    ) -> ReadResult:
        """Runs `select`, a text over the query (see ReadPlan), in a worker. What is only explained
        counts no bytes.

        Raises QueryError, ByteLimit and the job's Cancelled.
        """
        result = self._read(self.plan(query, select, copy, keys, explain=explain))
        if explain != EXPLAIN:
            self.scanned_bytes = result.scanned_bytes
        return result

    def plan(
        self,
        query: Query,
        select: str,
        copy: str | None = None,
        keys: tuple[str, ...] = (),
        *,
        explain: str = "",
    ) -> ReadPlan:
        """What a worker needs to run `select` over the query. Raises QueryError."""
        try:
            scans = tuple(self._scan(scan, query) for scan in query.scans)
        except TableError as error:
            raise QueryError(error.code, error.message) from None
        limit = None if explain == EXPLAIN else self.byte_limit
        return ReadPlan(select, scans, str(self.folder), limit, copy, keys, explain)

    def _value(self, sql: str) -> object:
        return self._read(ReadPlan(f"SELECT {sql}", (), str(self.folder))).values[0][0]

    def _read(self, plan: ReadPlan) -> ReadResult:
        return ReadResult.from_json(self.perform("athena.work:read", plan.to_json()))

    def _scan(self, scan: Scan, query: Query) -> ScanPlan:
        """The scan's table with the files of the partitions that can satisfy the query."""
        if scan.source is not None:
            read = frozenset(query.columns_read(scan))
            return ScanPlan(scan.relation, scan.source.scan(scan.filters), read)
        table = self.catalog.table(scan.database, scan.table)
        keys = tuple(
            (key["Name"].lower(), key.get("Type") or "string")
            for key in table.get("PartitionKeys") or []
        )
        partitions: list[Json] = []

        def prune(
            keys: Columns, values: tuple[tuple[str, ...], ...], conditions: tuple[str, ...]
        ) -> list[int]:
            plan = PrunePlan(keys, values, scan.alias, conditions)
            kept: list[int] = self.perform(
                "athena.work:prune", plan.to_json() | {"folder": self.folder}
            )
            return kept

        if keys and projection.enabled(table):
            projected = projection.Projection(table, self.aws.clock.now())
            partitions = projected.partitions(scan.alias, scan.conditions, prune)
        elif keys:
            partitions = self.catalog.partitions(scan.database, scan.table)
            values = tuple(tuple(partition["Values"]) for partition in partitions)
            if scan.conditions and partitions:
                kept = prune(keys, values, tuple(scan.conditions))
                partitions = [partitions[place] for place in kept]
        snapshot = files.take(table, partitions, self.aws.objects)
        buckets.check(table, snapshot)
        return ScanPlan(scan.relation, snapshot, frozenset(query.columns_read(scan)))

    def perform(self, work: str, request: Json) -> Any:
        """A function of localaws.athena in a worker. Raises QueryError, ByteLimit, Cancelled."""
        try:
            return self.aws.workers.perform(self.job, f"localaws.{work}", request)
        except OutOfMemory:
            raise QueryError(EXHAUSTED, "Query exhausted resources at this scale factor") from None
        except WorkerDied as died:
            raise QueryError(ENGINE_FAILED, f"{ENGINE_WORDS}: {died.message}.") from None
        except WorkFailed as failed:
            if failed.code == BYTE_LIMIT:
                raise ByteLimit(failed.message) from None
            code = failed.code or "GENERIC_INTERNAL_ERROR"
            raise QueryError(code, failed.message) from None


def failure(error: QueryError) -> Json:
    """AthenaError: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html"""
    if error.code == EXHAUSTED:
        return {
            "ErrorCategory": 1,
            "ErrorType": 0,
            "Retryable": False,
            "ErrorMessage": error.message,  # AWS writes no code before it
        }
    category, kind = error.kind
    told = str(error)
    if error.code == "FAILED":  # Hive's own commands fail in words of their own
        told = f"FAILED: {error.message}"
    elif error.code == ENGINE_FAILED:
        told = f"[ErrorCode: {error.code}] {error.message}"
    return {
        "ErrorCategory": category,
        "ErrorType": kind,
        "Retryable": False,
        "ErrorMessage": told,
    }
