"""What a query does where it reads and writes rows: files in, files and counts out.

Nothing here knows the server or its state: a plan says everything, also where to write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from localaws.athena.engine import explain
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.values import name, text
from localaws.tables import hive, partitions
from localaws.tables.errors import TableError
from localaws.tables.snapshot import Columns, TableSnapshot

MAXIMUM_WRITERS = 100  # partitions that one CTAS or INSERT INTO may write


class Cancelled(Exception):
    """StopQueryExecution was called, or the work group's byte limit was passed."""


@dataclass(frozen=True)
class ScanPlan:
    """A table that the query reads as the view `relation`, and the columns it reads of it."""

    relation: str
    table: TableSnapshot
    columns_read: frozenset[str]


@dataclass(frozen=True)
class ReadPlan:
    """`select` is DuckDB's text over the scans; its result goes into files as `copy` (options of
    DuckDB's COPY) says, or comes back as rows where it says nothing. `keys` are partition keys,
    the last columns: then a file or more for each of their values."""

    select: str
    scans: tuple[ScanPlan, ...]
    folder: str  # for files, and for what is written on the way
    byte_limit: int | None = None
    copy: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class WrittenFile:
    """A file of the result and its values of the partition keys."""

    path: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadResult:
    """`rows` is their number where files were written, `values` the rows where none were."""

    scanned_bytes: int = 0
    rows: int = 0
    files: tuple[WrittenFile, ...] = ()
    values: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class PrunePlan:
    """Partitions by their values, and conditions over them as DuckDB's text, in which `alias` is
    the table."""

    keys: Columns
    values: tuple[tuple[str, ...], ...]
    alias: str
    conditions: tuple[str, ...]


class Work:
    """One query's connection to DuckDB."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def prune(self, plan: PrunePlan) -> list[int]:
        """The places of the partitions that can satisfy the conditions. Raises QueryError."""
        if not plan.conditions or not plan.values:
            return list(range(len(plan.values)))
        try:
            keys = hive.typed(plan.keys, plan.alias)
        except TableError as error:
            raise QueryError(error.code, error.message) from None
        labels = ", ".join(f"v{i}" for i in range(len(keys)))
        shown = ", ".join(
            f"{hive.partition_value(f'v{i}', key, kind)} AS {name(key)}"
            for i, (key, kind) in enumerate(keys)
        )
        rows = ", ".join(
            f"({number}, {', '.join(map(text, values))})"
            for number, values in enumerate(plan.values)
        )
        kept = self._run(
            f"SELECT n FROM (SELECT n, {shown} FROM (VALUES {rows}) AS p(n, {labels})) AS "
            f"{plan.alias} WHERE {' AND '.join(plan.conditions)} ORDER BY n"
        )
        return [number for (number,) in kept]

    def read(self, plan: ReadPlan) -> ReadResult:
        """Raises QueryError for what is wrong with the query or its files, Cancelled when it was
        interrupted or would read more than the limit."""
        folder = Path(plan.folder)
        folder.mkdir(parents=True, exist_ok=True)
        scanned = 0
        try:
            for scan in plan.scans:
                read = set(scan.columns_read)
                selected = hive.relation(scan.table, self._run, folder, read)
                self._run(f"CREATE OR REPLACE TEMP VIEW {scan.relation} AS {selected}")
                scanned += hive.scanned_bytes(scan.table, read)
        except TableError as error:
            raise QueryError(error.code, error.message) from None
        if plan.byte_limit is not None and scanned > plan.byte_limit:
            raise Cancelled(
                f"Bytes scanned limit was exceeded: the query reads {scanned} bytes, "
                f"the work group allows {plan.byte_limit}"
            )
        names = {file.path: file.uri for scan in plan.scans for file in scan.table.files}
        if plan.copy is None:
            return ReadResult(scanned, values=self._run(plan.select, names))
        return self._copy(plan, folder, scanned, names)

    def _copy(
        self, plan: ReadPlan, folder: Path, scanned: int, names: dict[str, str]
    ) -> ReadResult:
        target = folder / "out"
        target.mkdir()
        options, place = plan.copy, target / "data"
        if plan.keys:
            labels = ", ".join(name(key) for key in plan.keys)
            options, place = f"{options}, PARTITION_BY ({labels}), OVERWRITE_OR_IGNORE", target
        copied = self._run(f"COPY ({plan.select}) TO {text(str(place))} ({options})", names)
        files = tuple(
            WrittenFile(
                str(path),
                tuple(partitions.value(part) for part in path.parent.relative_to(target).parts),
            )
            for path in sorted(target.rglob("*"))
            if path.is_file()
        )
        if plan.keys and len({file.values for file in files}) > MAXIMUM_WRITERS:
            raise QueryError(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAXIMUM_WRITERS} open writers for partitions/buckets",
            )
        return ReadResult(scanned, int(copied[0][0]), files)

    def _run(self, sql: str, names: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.InterruptException:
            raise Cancelled("Query cancelled by user") from None
        except duckdb.Error as error:
            raise explain(error, names) from None
