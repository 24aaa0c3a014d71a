"""A compiled expression, and how one is converted to another type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from localaws.trino import types as t
from localaws.trino.types import Type

# What a column is known by, whatever it is renamed to: the alias of its scan and its name there, or
# OUTPUT and its alias in a subquery.
Source = tuple[str, str]
OUTPUT = ""


@dataclass(frozen=True)
class Value:
    """DuckDB text that yields a value of the Trino type; `constant` is a literal's own value."""

    sql: str
    type: Type
    constant: str | int | float | None = None
    origin: str | None = None  # the scan's column this is, unchanged, if it is one
    source: Source | None = None


NULL = Value("NULL", t.UNKNOWN)


def text(value: str) -> str:
    """The value as a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """The value as a quoted SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


# What Double.parseDouble takes, but for hexadecimal digits: 1d and 1f too.
JAVA_FLOAT = "[ ]*[+-]?(NaN|Infinity|([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?[dDfF]?)[ ]*"


def java_float(sql: str, kind: Type) -> str:
    """The number in a text that is a JAVA_FLOAT."""
    return f"TRY_CAST(rtrim(trim({sql}), 'dDfF') AS {t.duckdb(kind)})"


def all_there(values: Iterable[Value], sql: str) -> str:
    """`sql`, and NULL where one of the values is NULL."""
    there = " AND ".join(f"{value.sql} IS NOT NULL" for value in values)
    return f"CASE WHEN {there} THEN {sql} END"
