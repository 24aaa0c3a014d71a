"""Athena SQL over files on this machine, in this process: no server, no catalog, no credentials.

The same parser, compiler, SerDes and DuckDB as behind StartQueryExecution.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.athena.database import Database
from localaws.athena.read_plan import ReadPlan, ScanPlan
from localaws.athena.sql.parsing import parse
from localaws.athena.sql.queries import Queries, Query
from localaws.athena.sql.sources import AsOf, Found, no_table, no_versions
from localaws.athena.work import Work
from localaws.core.jobs.limits import Limits
from localaws.tables import hive
from localaws.tables.snapshot import DataFile, Partition, TableSnapshot
from localaws.tables.storage import Storage


class OfflineTables:
    """Tables that are given rather than looked up."""

    def __init__(self, tables: Sequence[TableSnapshot]) -> None:
        self._tables = {(table.database, table.name): table for table in tables}

    def __getitem__(self, name: tuple[str, str]) -> TableSnapshot:
        return self._tables[name]

    def find(
        self, database: str, table: str, node: exp.Expression | None, as_of: AsOf | None = None
    ) -> Found:
        """Raises QueryError (TABLE_NOT_FOUND)."""
        if as_of is not None:
            raise no_versions(node)
        if (database, table) not in self._tables:
            raise no_table(database, table, node)
        return Found(hive.typed(self._tables[database, table].columns, table))


class Offline:
    """A connection that answers SELECTs over the tables; `opened` makes and closes one."""

    def __init__(self, tables: Sequence[TableSnapshot], work: Work, folder: Path) -> None:
        self._tables = OfflineTables(tables)
        self._work = work
        self._folder = folder

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Raises QueryError for what Athena refuses."""
        query, values = self._answer(sql, None)
        labels = [column.name for column in query.columns]
        return [dict(zip(labels, row, strict=True)) for row in values]

    def answers(self, sql: str, database: str) -> list[list[Any]]:
        """The values alone, with the database of tables that are named without one."""
        return self._answer(sql, database)[1]

    def _answer(self, sql: str, database: str | None) -> tuple[Query, list[list[Any]]]:
        query = Queries(self._tables, database).compile(parse(sql))
        scans = tuple(
            ScanPlan(
                scan.relation,
                self._tables[scan.database, scan.table],
                frozenset(query.columns_read(scan)),
            )
            for scan in query.scans
        )
        select = f"SELECT * FROM ({query.sql})"  # which may begin with a WITH of its own
        return query, self._work.read(ReadPlan(select, scans, str(self._folder))).values


@contextlib.contextmanager
def opened(
    tables: Sequence[TableSnapshot], folder: Path, limits: Limits | None = None
) -> Iterator[Offline]:
    """`folder` takes what has to be rewritten, and what does not fit in memory."""
    database = Database(folder / "spill", limits)
    try:
        yield Offline(tables, Work(database.connect()), folder)
    finally:
        database.close()


def text_table(
    database: str, name: str, columns: Sequence[str], storage: Storage, files: Sequence[Path]
) -> TableSnapshot:
    """A table of strings over files, without partitions."""
    found = []
    for path in files:
        about = path.stat()
        mark = f"{about.st_mtime_ns}"
        found.append(DataFile(str(path), str(path), about.st_size, mark, about.st_mtime))
    typed = tuple((column, "string") for column in columns)
    return TableSnapshot(database, name, typed, (), (Partition((), storage, typed, tuple(found)),))
