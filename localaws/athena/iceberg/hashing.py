"""The hash of Iceberg's partition transform bucket, as functions of DuckDB."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import mmh3

BUCKET = "iceberg_bucket"  # with the kind of value after its name


def of_bytes(data: bytes) -> int:
    """Of 32 bits, without its sign: https://iceberg.apache.org/spec/#appendix-b-32-bit-hash"""
    return int(mmh3.hash(data)) & 0x7FFFFFFF


def of_number(value: int) -> int:
    return of_bytes(value.to_bytes(8, "little", signed=True))


def of_decimal(value: str) -> int:
    sign, digits, _ = Decimal(value).as_tuple()
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    length = max(1, ((number + (number < 0)).bit_length() + 8) // 8)
    return of_bytes(number.to_bytes(length, "big", signed=True))


def of_uuid(value: str) -> int:
    return of_bytes(UUID(value).bytes)


def register(connection: Any) -> None:
    """Makes BUCKET's functions known to the connection, which must stay open as long as they are
    called."""
    for ending, function, kind in (
        ("number", of_number, "BIGINT"), ("decimal", of_decimal, "VARCHAR"),
        ("bytes", of_bytes, "BLOB"), ("uuid", of_uuid, "VARCHAR"),
    ):  # fmt: skip
        connection.create_function(f"{BUCKET}_{ending}", function, [kind], "INTEGER")
