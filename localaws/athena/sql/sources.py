"""What FROM can name: tables with their columns, views, and the scans that read tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Value

from .scope import Column

CATALOG = "awsdatacatalog"
# A condition that all rows satisfy: column, operator (= < <= > >= in), the constants' texts.
Filter = tuple[str, str, tuple[str, ...]]
HIDDEN = (("$path", t.VARCHAR), ("$file_size", t.BIGINT), ("$file_modified_time", t.TIMESTAMP_TZ))


@dataclass(frozen=True)
class AsOf:
    """FOR TIMESTAMP AS OF, FOR VERSION AS OF: `kind` is TIMESTAMP or VERSION."""

    kind: str
    value: Value


@dataclass(frozen=True)
class Found:
    """What a name in FROM is: a table's columns (partition keys last), or a view's query.

    `source` is what the engine wants to know of the table again when it reads it; with one, values
    come as expressions hold them, and what its rows must satisfy is told (Scan.filters)."""

    columns: tuple[tuple[str, Type], ...]
    partition_keys: frozenset[str] = frozenset()
    view: str | None = None
    view_columns: tuple[tuple[str, Type], ...] = ()
    hidden: tuple[tuple[str, Type], ...] = HIDDEN
    source: Any = None


class Tables(Protocol):
    """Where tables are looked up; raises QueryError (TABLE_NOT_FOUND, SCHEMA_NOT_FOUND)."""

    def find(
        self, database: str, table: str, node: exp.Expression | None, as_of: AsOf | None = None
    ) -> Found: ...


def placed(
    parts: Sequence[str], database: str | None, node: exp.Expression | None
) -> tuple[str, str]:
    """The database and table that a name with dots is, in a session of `database`.

    Raises QueryError (CATALOG_NOT_FOUND, MISSING_SCHEMA_NAME, SYNTAX_ERROR).
    """
    if len(parts) > 3:  # Trino, MetadataUtil.createQualifiedObjectName
        raise QueryError("SYNTAX_ERROR", f"Too many dots in table name: {'.'.join(parts)}")
    if len(parts) == 3:
        if parts[0] != CATALOG:
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' not found", node)
        return parts[1], parts[2]
    if len(parts) == 2:
        return parts[0], parts[1]
    if database is None:
        raise QueryError(
            "MISSING_SCHEMA_NAME",
            "Schema must be specified when session schema is not set",
            node,
        )
    return database, parts[0]


def no_schema(database: str, node: exp.Expression | None = None) -> QueryError:
    return QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist", node)


def no_table(database: str, table: str, node: exp.Expression | None = None) -> QueryError:
    return QueryError(
        "TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{table}' does not exist", node
    )


def no_versions(node: exp.Expression | None) -> QueryError:
    """FOR ... AS OF of a table that is no Iceberg table."""
    return QueryError("NOT_SUPPORTED", "This connector does not support versioned tables", node)


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
    source: Any = None  # see Found.source
    types: dict[str, Type] = field(default_factory=dict)  # of the columns, where there is a source
    filters: list[Filter] = field(default_factory=list)
    whole: bool = False  # rows are missing in the result whatever a condition says: nothing prunes


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
