"""Partition transforms as DuckDB's text.

https://iceberg.apache.org/spec/#partition-transforms. A value is as the format stores it: dates
are days, moments microseconds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    Transform,
    TruncateTransform,
    VoidTransform,
    YearTransform,
)

from localaws.athena.iceberg.hashing import BUCKET
from localaws.tables.errors import not_emulated
from localaws.trino.types import Type, duckdb

_PARTS = {
    YearTransform: "year",
    MonthTransform: "month",
    DayTransform: "day",
    HourTransform: "hour",
}
_EPOCH = {"date": "DATE '1970-01-01'", "timestamp": "TIMESTAMP '1970-01-01'"}
_ZONED_EPOCH = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"


def applied(transform: Transform[Any, Any], sql: str, kind: Type) -> str:
    """The transform of a stored value. Raises TableError for one that is not known."""
    if isinstance(transform, IdentityTransform):
        return stored_number(sql, kind)
    if isinstance(transform, VoidTransform):
        return "NULL"
    part = _PARTS.get(type(transform))
    if part:
        return f"CAST(date_diff('{part}', {_EPOCH.get(kind.name, _ZONED_EPOCH)}, {sql}) AS INTEGER)"
    if isinstance(transform, BucketTransform):
        return f"{_bucketed(sql, kind)} % {transform.num_buckets}"
    if isinstance(transform, TruncateTransform):
        return _truncated(sql, kind, transform.width)
    raise not_emulated(f"Iceberg's partition transform {transform}")


def stored_number(sql: str, kind: Type) -> str:
    """Days, microseconds: a date's or moment's number; any other value is itself."""
    if kind.name == "date":
        return f"CAST({sql} - DATE '1970-01-01' AS INTEGER)"
    if kind.name in ("timestamp", "timestamp with time zone"):
        return f"epoch_us({sql})"
    if kind.name == "time":
        return f"date_diff('microsecond', TIME '00:00:00', {sql})"
    return sql


def _truncated(sql: str, kind: Type, width: int) -> str:
    if kind.name == "varchar":
        return f"left({sql}, {width})"
    if kind.name == "varbinary":
        return f"array_slice({sql}, 1, {width})"
    step = str(width)
    if kind.name == "decimal":
        step = f"CAST('{Decimal(width).scaleb(-kind.numbers[1])}' AS DECIMAL(38,{kind.numbers[1]}))"
    return f"CAST({sql} - (({sql} % {step}) + {step}) % {step} AS {duckdb(kind)})"


def _bucketed(sql: str, kind: Type) -> str:
    if kind.name == "decimal":
        return f"{BUCKET}_decimal(CAST({sql} AS VARCHAR))"
    if kind.name == "varbinary":
        return f"{BUCKET}_bytes({sql})"
    if kind.name == "varchar":
        return f"{BUCKET}_bytes(encode({sql}))"
    if kind.name == "uuid":
        return f"{BUCKET}_uuid(CAST({sql} AS VARCHAR))"
    return f"{BUCKET}_number(CAST({stored_number(sql, kind)} AS BIGINT))"
