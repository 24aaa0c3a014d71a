"""Iceberg tables as the query compiler finds them, and as their readings go to a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from localaws.athena.iceberg import described
from localaws.athena.iceberg.source import POSITION, ROWS, IcebergScan
from localaws.athena.iceberg.state import IcebergTable, load
from localaws.athena.sql.sources import HIDDEN, AsOf, Filter, Found
from localaws.core.aws import LocalAws
from localaws.shapes import Json
from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type

# The value of DuckDB's text that reads no table.
Evaluate = Callable[[str], object]


@dataclass(frozen=True)
class IcebergSource:
    """Which version of which table, and what of it, a scan reads."""

    table: IcebergTable
    kind: str = ROWS
    snapshot_id: int | None = None
    columns: tuple[tuple[str, Type], ...] = ()

    def scan(self, filters: list[Filter]) -> IcebergScan:
        """Raises AwsError if the caller may not read the table's objects."""
        return self.table.scan(
            self.kind, self.snapshot_id, filters=tuple(filters), columns=self.columns
        )


class IcebergTables:
    """Of one statement: it sees each table as it was when the statement first looked."""

    def __init__(self, aws: LocalAws, evaluate: Evaluate) -> None:
        self._aws = aws
        self._evaluate = evaluate
        self._loaded: dict[tuple[str, str], IcebergTable] = {}

    def table(self, entry: Json) -> IcebergTable:
        """Raises QueryError."""
        key = (entry["DatabaseName"], entry["Name"])
        if key not in self._loaded:
            self._loaded[key] = load(self._aws, entry)
        return self._loaded[key]

    def rows(self, entry: Json, as_of: AsOf | None, node: exp.Expression | None) -> Found:
        table = self.table(entry)
        snapshot_id = table.current if as_of is None else self._at(table, as_of, node)
        return Found(
            table.columns(snapshot_id),
            hidden=(*HIDDEN, (POSITION, t.BIGINT)),
            source=IcebergSource(table, snapshot_id=snapshot_id),
        )

    def metadata_table(
        self, entry: Json, kind: str, as_of: AsOf | None, node: exp.Expression | None
    ) -> Found:
        table = self.table(entry)
        if as_of is not None:
            raise QueryError(
                "NOT_SUPPORTED",
                f"Cannot specify end version both in table name and FOR clause: {kind}",
                node,
            )
        columns = described.columns(table, kind)
        source = IcebergSource(table, kind, described.snapshot_of(table, kind), columns)
        return Found(columns, hidden=(), source=source)

    def _at(self, table: IcebergTable, as_of: AsOf, node: exp.Expression | None) -> int:
        try:
            if as_of.kind == "TIMESTAMP":
                micros = self._evaluate(f"epoch_us(({as_of.value.sql}).utc)")
                return table.at(int(str(micros)) // 1000)
            value = self._evaluate(as_of.value.sql)
            if isinstance(value, str):
                return table.ref(value)
            return int(table.snapshot(int(str(value)))["snapshot-id"])
        except QueryError as error:
            raise QueryError(error.code, error.message, node) from None
