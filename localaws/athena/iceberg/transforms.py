"""Partition transforms as DuckDB's text, and the hash of bucket.

https://iceberg.apache.org/spec/#partition-transforms. A value is as the format stores it: dates
are days, moments microseconds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import mmh3
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

from localaws.athena.sql.types import Type
from localaws.tables.errors import not_emulated

BUCKET = "iceberg_bucket"  # a function of DuckDB, with the kind of value after its name
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
    return f"CAST({sql} - (({sql} % {step}) + {step}) % {step} AS {_duck(kind)})"


def _duck(kind: Type) -> str:
    if kind.name == "decimal":
        return f"DECIMAL({kind.numbers[0]},{kind.numbers[1]})"
    return kind.name.upper()


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


def _hash(data: bytes) -> int:
    """Of 32 bits, without its sign: https://iceberg.apache.org/spec/#appendix-b-32-bit-hash"""
    return int(mmh3.hash(data)) & 0x7FFFFFFF


def of_number(value: int) -> int:
    return _hash(value.to_bytes(8, "little", signed=True))


def of_decimal(value: str) -> int:
    sign, digits, _ = Decimal(value).as_tuple()
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    length = max(1, ((number + (number < 0)).bit_length() + 8) // 8)
    return _hash(number.to_bytes(length, "big", signed=True))


def of_uuid(value: str) -> int:
    return _hash(UUID(value).bytes)


def register(connection: Any) -> None:
    """Makes BUCKET's functions known to a connection, once."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_functions() WHERE function_name = ?", [f"{BUCKET}_number"]
    ).fetchall()
    if known[0][0]:
        return
    for ending, function, kind in (
        ("number", of_number, "BIGINT"), ("decimal", of_decimal, "VARCHAR"),
        ("bytes", _hash, "BLOB"), ("uuid", of_uuid, "VARCHAR"),
    ):  # fmt: skip
        connection.create_function(f"{BUCKET}_{ending}", function, [kind], "INTEGER")
