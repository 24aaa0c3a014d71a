"""The catalog's types of a result's columns, and which of a table's types take which values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from localaws.databrew.recipe.sql import ident
from localaws.databrew.source import InputError

# DuckDB's types and the catalog's, from the narrowest of each family to the widest.
_SIMPLE = {
    "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INTEGER": "int",
    "BIGINT": "bigint", "FLOAT": "float", "DOUBLE": "double", "VARCHAR": "string", "DATE": "date",
    "TIMESTAMP": "timestamp", "BLOB": "binary",
}  # fmt: skip
_WIDER = (("tinyint", "smallint", "int", "bigint"), ("float", "double"))


def hive_type(name: str, kind: str) -> str:
    """The catalog's type of the column `name`, which is DuckDB's `kind`. Raises InputError."""
    try:
        return _of(duckdb.type(kind))
    except KeyError:
        raise InputError(
            f"Column {name!r} is a {kind}, which no table of the catalog holds."
        ) from None


def _of(kind: Any) -> str:
    if kind.id == "list":
        return f"array<{_of(kind.children[0][1])}>"
    if kind.id == "map":
        (_, key), (_, item) = kind.children
        return f"map<{_of(key)},{_of(item)}>"
    if kind.id == "struct":
        members = ",".join(f"{name.lower()}:{_of(each)}" for name, each in kind.children)
        return f"struct<{members}>"
    if kind.id == "decimal":
        (_, precision), (_, scale) = kind.children
        return f"decimal({precision},{scale})"
    return _SIMPLE[str(kind)]


def shaped(
    sql: str, columns: dict[str, str], table: Sequence[Sequence[str]] | None
) -> tuple[str, dict[str, str], tuple[tuple[str, str], ...]]:
    """The query as the columns of a table of the catalog that is there, `table`, or of a new one
    (None): the query, its columns, and the table's columns with the catalog's types.

    Raises InputError where the table has other columns, or a value could be lost.
    """
    found = {name.lower(): name for name in columns}
    if len(found) < len(columns):
        raise InputError(
            "A table of the catalog has its columns in lower case, where two of these are one:"
            f" {', '.join(columns)}."
        )
    types = {lower: hive_type(name, columns[name]) for lower, name in found.items()}
    if table is None:
        return sql, columns, tuple(types.items())
    wanted = {name.lower(): kind.lower().replace(" ", "") for name, kind in table}
    if wanted.keys() != types.keys():
        raise InputError(
            f"The table has the columns {', '.join(wanted)}, the result {', '.join(types)}."
        )
    kinds = {
        name: _wide_enough(name, types[name], kind) or columns[found[name]]
        for name, kind in wanted.items()
    }
    cells = (
        f"CAST({ident(found[name])} AS {kind}) AS {ident(name)}" for name, kind in kinds.items()
    )
    return f"SELECT {', '.join(cells)} FROM ({sql})", kinds, tuple(wanted.items())


def _wide_enough(name: str, found: str, wanted: str) -> str | None:
    """DuckDB's type that a column of the type `found` becomes in a table's `wanted`, or None
    where they are the same. Raises InputError."""
    if found == wanted:
        return None
    for family in _WIDER:
        if found in family and wanted in family and family.index(found) < family.index(wanted):
            return next(ours for ours, theirs in _SIMPLE.items() if theirs == wanted)
    raise InputError(
        f"Column {name!r} is {found} in the result and {wanted} in the table; CHANGE_DATA_TYPE"
        " makes it the one that is wanted."
    )
