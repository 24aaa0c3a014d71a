"""What FROM can name: tables with their columns, views, and the scans that read tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlglot import exp

from . import types as t
from .errors import QueryError
from .scope import Column
from .types import Type

CATALOG = "awsdatacatalog"
HIDDEN = (("$path", t.VARCHAR), ("$file_size", t.BIGINT), ("$file_modified_time", t.TIMESTAMP_TZ))


@dataclass(frozen=True)
class Found:
    """What a name in FROM is: a table's columns (partition keys last), or a view's query."""

    columns: tuple[tuple[str, Type], ...]
    partition_keys: frozenset[str] = frozenset()
    view: str | None = None
    view_columns: tuple[tuple[str, Type], ...] = ()


class Tables(Protocol):
    """Where tables are looked up; raises QueryError (TABLE_NOT_FOUND, SCHEMA_NOT_FOUND)."""

    def find(self, database: str, table: str, node: exp.Expression | None) -> Found: ...


@dataclass
class Scan:
    """One reading of a table: `relation` is a DuckDB view that the engine has to make, `alias` its
    name in the query, `conditions` what partitions must satisfy to be read at all."""

    relation: str
    alias: str
    database: str
    table: str
    partition_keys: frozenset[str]
    conditions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Environment:
    """What names in FROM can be besides tables, and the database of names without one."""

    database: str | None
    ctes: dict[str, tuple[str, tuple[Column, ...]]]
    views: tuple[str, ...] = ()


def renamed(columns: tuple[Column, ...], alias: Any, node: exp.Expression) -> tuple[Column, ...]:
    """The columns under the names of `AS t(a, b)`."""
    labels = (
        [part.name.lower() for part in alias.columns] if isinstance(alias, exp.TableAlias) else []
    )
    if not labels:
        return columns
    if len(labels) != len(columns):
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(labels)} entries but '{alias.name}' has {len(columns)} "
            "columns available",
            node,
        )
    return tuple(replace(c, name=label) for label, c in zip(labels, columns, strict=True))
