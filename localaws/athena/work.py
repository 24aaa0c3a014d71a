"""What a query does where it reads and writes rows: files in, files and counts out.

It runs in a worker. Nothing here knows the server or its state: a plan says everything, also where
to write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from localaws.athena.database import Database, explain
from localaws.athena.iceberg.source import IcebergScan
from localaws.athena.read_plan import (
    BYTE_LIMIT,
    PrunePlan,
    ReadPlan,
    ReadResult,
    ScanPlan,
    WrittenFile,
)
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.limits import Limits
from localaws.shapes import Json
from localaws.tables import hive, partitions
from localaws.tables.errors import TableError
from localaws.trino.errors import QueryError
from localaws.trino.values import name, text

MAXIMUM_WRITERS = 100  # partitions that one CTAS or INSERT INTO may write
_databases: dict[str, Database] = {}  # by their folder; they stay open for the next statement


def read(request: Json, limits: Limits) -> Json:
    """The ReadResult of a ReadPlan. Raises WorkFailed with Athena's code, or BYTE_LIMIT."""
    plan = ReadPlan.from_json(request)
    with working(Path(plan.folder).parent, limits) as work:
        return asdict(work.read(plan))


def prune(request: Json, limits: Limits) -> list[int]:
    """The places of the partitions that a PrunePlan keeps. Raises WorkFailed."""
    with working(Path(request["folder"]).parent, limits) as work:
        return work.prune(PrunePlan.from_json(request))


@contextmanager
def working(folder: Path, limits: Limits) -> Iterator[Work]:
    """A connection to the engine of this folder. What goes wrong is raised as WorkFailed."""
    if str(folder) not in _databases:
        _databases[str(folder)] = Database(folder / "spill", limits)
    connection = _databases[str(folder)].connect()
    try:
        yield Work(connection)
    except (QueryError, TableError) as error:
        raise WorkFailed(error.code, error.message) from error
    finally:
        connection.close()


@dataclass(frozen=True)
class Prepared:
    """DuckDB's text, the bytes it reads, and the URIs of local files by path."""

    sql: str
    scanned_bytes: int
    names: dict[str, str]


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
        kept = self.run(
            f"SELECT n FROM (SELECT n, {shown} FROM (VALUES {rows}) AS p(n, {labels})) AS "
            f"{plan.alias} WHERE {' AND '.join(plan.conditions)} ORDER BY n"
        )
        return [number for (number,) in kept]

    def read(self, plan: ReadPlan) -> ReadResult:
        """Raises QueryError for what is wrong with the query or its files; WorkFailed, with
        BYTE_LIMIT, when it would read more than the limit."""
        prepared = self.prepare(plan)
        if plan.copy is None:
            sql = f"{plan.explain} {prepared.sql}"
            values = [list(row) for row in self.run(sql, prepared.names)]
            return ReadResult(prepared.scanned_bytes, values=values)
        return self._copy(plan, prepared)

    def prepare(self, plan: ReadPlan) -> Prepared:
        """The plan's text over its tables. Raises as `read` does."""
        folder = Path(plan.folder)
        folder.mkdir(parents=True, exist_ok=True)
        scanned, relations, names = 0, [], dict[str, str]()
        try:
            for scan in plan.scans:
                found = self._relation(scan, folder)
                relations.append(f"{scan.relation} AS NOT MATERIALIZED ({found.sql})")
                scanned += found.scanned_bytes
                names |= found.names
        except TableError as error:
            raise QueryError(error.code, error.message) from None
        if plan.byte_limit is not None and scanned > plan.byte_limit:
            raise WorkFailed(
                BYTE_LIMIT,
                f"Bytes scanned limit was exceeded: the query reads {scanned} bytes, "
                f"the work group allows {plan.byte_limit}",
            )
        sql = f"WITH {', '.join(relations)} {plan.select}" if relations else plan.select
        return Prepared(sql, scanned, names)

    def _relation(self, scan: ScanPlan, folder: Path) -> Prepared:
        read = set(scan.columns_read)
        if isinstance(scan.table, IcebergScan):
            from localaws.athena.iceberg.relation import relation  # takes seconds to import

            return Prepared(*relation(scan.table, read, self.run, folder))
        selected = hive.relation(scan.table, self.run, folder, read)
        names = {file.path: file.uri for file in scan.table.files}
        return Prepared(selected, hive.scanned_bytes(scan.table, read), names)

    def _copy(self, plan: ReadPlan, prepared: Prepared) -> ReadResult:
        target, options = Path(plan.folder) / "out", plan.copy
        if plan.keys:
            labels = ", ".join(name(key) for key in plan.keys)
            options = f"{options}, PARTITION_BY ({labels}), OVERWRITE_OR_IGNORE"
        copied = self.run(
            f"COPY ({prepared.sql}) TO {text(str(target))} ({options})", prepared.names
        )
        files = tuple(
            WrittenFile(
                str(path),
                tuple(partitions.value(part) for part in path.parent.relative_to(target).parts),
            )
            for path in sorted(target.rglob("*"))
            if path.is_file()
        )
        if target.is_file():
            files = (WrittenFile(str(target)),)
        if plan.keys and len({file.values for file in files}) > MAXIMUM_WRITERS:
            raise QueryError(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAXIMUM_WRITERS} open writers for partitions/buckets",
            )
        return ReadResult(prepared.scanned_bytes, int(copied[0][0]), files)

    def run(self, sql: str, names: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.OutOfMemoryException:
            raise OutOfMemory from None
        except duckdb.Error as error:
            raise explain(error, names=names) from None
