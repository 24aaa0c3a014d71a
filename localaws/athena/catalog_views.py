"""What queries can ask the catalog about itself: information_schema, and `"t$partitions"`.

https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from localaws.athena.sql.sources import CATALOG, Found
from localaws.shapes import Json
from localaws.tables.catalog import Catalog
from localaws.tables.partitions import NULL_PARTITION
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text

Columns = tuple[tuple[str, Type], ...]
INFORMATION_SCHEMA = "information_schema"
PARTITIONS = "partitions"


def information_schema(catalog: Catalog, table: str) -> Found | None:
    """A table of information_schema; None if it has no such."""
    if table == "schemata":
        return _rows(
            _texts("catalog_name", "schema_name"),
            ((CATALOG, database["Name"]) for database in catalog.databases()),
        )
    if table == "tables":
        return _rows(
            _texts("table_catalog", "table_schema", "table_name", "table_type"),
            (
                (CATALOG, found["DatabaseName"], found["Name"], _kind(found))
                for found in _tables(catalog)
            ),
        )
    if table == "columns":
        return _rows(_COLUMNS, _column_rows(catalog))
    return None


def partitions(catalog: Catalog, table: Json, keys: Columns) -> Found:
    """One row a partition of the catalog: its values."""
    listed = catalog.partitions(table["DatabaseName"], table["Name"])
    return _rows(
        keys,
        (
            [None if value == NULL_PARTITION else value for value in partition["Values"]]
            for partition in listed
        ),
    )


def _texts(*labels: str) -> Columns:
    return tuple((label, t.VARCHAR) for label in labels)


_COLUMNS: Columns = (
    *_texts("table_catalog", "table_schema", "table_name", "column_name"),
    ("ordinal_position", t.BIGINT),
    *_texts("column_default", "is_nullable", "data_type", "comment", "extra_info"),
)


def _tables(catalog: Catalog) -> list[Json]:
    return [found for database in catalog.databases() for found in catalog.tables(database["Name"])]


def _kind(table: Json) -> str:
    return "VIEW" if table.get("TableType") == "VIRTUAL_VIEW" else "BASE TABLE"


def _column_rows(catalog: Catalog) -> Iterable[Sequence[str | None]]:
    for table in _tables(catalog):
        listed = (table.get("StorageDescriptor") or {}).get("Columns") or []
        columns = [column for column in listed if not _is_dropped(column)]
        keys = table.get("PartitionKeys") or []
        for place, column in enumerate([*columns, *keys], 1):
            yield (
                CATALOG,
                table["DatabaseName"],
                table["Name"],
                column["Name"],
                str(place),
                None,
                "YES",
                _trino(column.get("Type") or "string"),
                column.get("Comment"),
                "partition key" if place > len(columns) else None,
            )


def _is_dropped(column: Json) -> bool:
    """Iceberg's entries keep the columns that older snapshots have."""
    return (column.get("Parameters") or {}).get("iceberg.field.current") == "false"


def _trino(hive: str) -> str:
    try:
        return str(t.from_hive(hive))
    except ValueError:
        return hive


def _rows(columns: Columns, rows: Iterable[Sequence[str | None]]) -> Found:
    """A query of those rows, as a view has one."""
    values = [
        f"({', '.join('NULL' if cell is None else text(cell) for cell in row)})" for row in rows
    ]
    places = [f"v{number}" for number in range(len(columns))]
    shown = ", ".join(
        f"CAST({place} AS {kind}) AS {name(label)}"
        for place, (label, kind) in zip(places, columns, strict=True)
    )
    empty = f"({', '.join(['NULL'] * len(columns))})"
    sql = f"SELECT {shown} FROM (VALUES {', '.join(values or [empty])}) AS t({', '.join(places)})"
    return Found((), view=sql if values else f"{sql} WHERE false", view_columns=columns)
