"""Makes the tables that a query names readable for DuckDB, and counts the bytes.

Only partitions that can satisfy the query are listed, and of Parquet only the columns that the
query names are counted: `Statistics.DataScannedInBytes` is the size of those column chunks, or of
whole text files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from localaws.athena.sql.sources import Scan
from localaws.athena.sql.values import name, text
from localaws.core.aws import LocalAws
from localaws.tables import files, hive
from localaws.tables.catalog import Catalog
from localaws.tables.snapshot import TableSnapshot

Json = dict[str, Any]


class Scanner:
    """Makes the DuckDB view of a scan. `folder` takes files that have to be rewritten first."""

    def __init__(self, aws: LocalAws, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.aws = aws
        self.connection = connection
        self.folder = folder

    def prepare(self, scan: Scan, columns_read: set[str]) -> int:
        """Creates the view `scan.relation`; returns the bytes its files hold of those columns.

        Raises TableError.
        """
        table = self._snapshot(scan)
        selected = hive.relation(table, self._query, self.folder, columns_read)
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.relation} AS {selected}")
        return hive.scanned_bytes(table, columns_read)

    def _snapshot(self, scan: Scan) -> TableSnapshot:
        catalog = Catalog(self.aws)
        table = catalog.table(scan.database, scan.table)
        partitions = []
        if table.get("PartitionKeys"):
            partitions = self._kept(scan, table, catalog.partitions(scan.database, scan.table))
        return files.take(table, partitions, self.aws.objects)

    def _kept(self, scan: Scan, table: Json, partitions: list[Json]) -> list[Json]:
        """The partitions that can satisfy the query."""
        if not scan.conditions or not partitions:
            return partitions
        keys = hive.typed(
            tuple((k["Name"].lower(), k.get("Type") or "string") for k in table["PartitionKeys"]),
            table["Name"],
        )
        rows = ", ".join(
            f"({number}, " + ", ".join(text(value) for value in partition["Values"]) + ")"
            for number, partition in enumerate(partitions)
        )
        labels = ", ".join(f"v{i}" for i in range(len(keys)))
        shown = ", ".join(
            f"{hive.partition_value(f'v{i}', key, kind)} AS {name(key)}"
            for i, (key, kind) in enumerate(keys)
        )
        kept = self._query(
            f"SELECT n FROM (SELECT n, {shown} FROM (VALUES {rows}) AS p(n, {labels})) AS "
            f"{scan.alias} WHERE {' AND '.join(scan.conditions)} ORDER BY n"
        )
        return [partitions[number] for (number,) in kept]

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()
