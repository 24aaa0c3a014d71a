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


def all_there(values: Iterable[Value], sql: str) -> str:
    """`sql`, and NULL where one of the values is NULL."""
    there = " AND ".join(f"{value.sql} IS NOT NULL" for value in values)
    return f"CASE WHEN {there} THEN {sql} END"
