"""A query's columns as those of the table that they are written into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localaws.athena.sql.casts import convert
from localaws.athena.sql.queries import Query
from localaws.athena.sql.scope import Column
from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Value

Columns = Sequence[tuple[str, Type]]


def check_named(labels: Sequence[str], chosen: Sequence[str]) -> None:
    """Raises QueryError for a column of INSERT that the table has not, or that stands twice."""
    for place, label in enumerate(chosen):
        if label not in labels:
            raise QueryError(
                "COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {label}"
            )
        if label in chosen[:place]:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"Insert column name is specified more than once: {label}"
            )


def check_types(given: Sequence[Type], wanted: Sequence[Type]) -> None:
    """Raises QueryError (TYPE_MISMATCH)."""
    if len(wanted) != len(given) or not all(map(assigns, given, wanted)):
        raise QueryError(
            "TYPE_MISMATCH",
            "Insert query has mismatched column types: "
            f"Table: [{', '.join(map(str, wanted))}], Query: [{', '.join(map(str, given))}]",
        )


def assigns(given: Type, wanted: Type) -> bool:
    """Whether a value may be written into a column; the names of a row's fields do not matter."""
    if given.name == wanted.name == "varchar":
        return True
    return _fits(given, wanted)


def _fits(given: Type, wanted: Type) -> bool:
    """The same of what is inside an array, a map or a row, where no text is cut."""
    if t.converts(given, wanted):
        return True
    if given.name == wanted.name and given.items and len(given.items) == len(wanted.items):
        return all(map(_fits, given.items, wanted.items))
    if given.name == wanted.name:
        return given.name in ("timestamp", "timestamp with time zone", "time")
    return t.is_integer(given) and t.is_integer(wanted) and t.common(given, wanted) == wanted


def assigned(sql: str, given: Type, wanted: Type) -> str:
    """The value, which may be written, as one of the column's type. A text loses blanks at its end
    where it is too long, and fails where it would lose more."""
    value = convert(Value(sql, given), wanted).sql
    if given.name != "varchar" or wanted.name != "varchar" or t.converts(given, wanted):
        return value
    cut = f"Cannot truncate non-space characters when casting from {given} to {wanted} on INSERT"
    longest = wanted.numbers[0]
    return (
        f"CASE WHEN length(rtrim({value}, ' ')) > {longest} "
        f"THEN fail('INVALID_CAST_ARGUMENT: {cut}') ELSE substr({value}, 1, {longest}) END"
    )


def reshape(query: Query, chosen: Sequence[str], columns: Columns) -> Query:
    """The query with all of the table's columns, in their order; those not chosen are NULL."""
    places = {label: number for number, label in enumerate(chosen)}
    shown, out = [], []
    for number, (label, kind) in enumerate(columns):
        if label in places:
            source = query.columns[places[label]]
            value = assigned(source.sql, source.type, kind)
        else:
            value = f"CAST(NULL AS {t.duckdb(kind)})"
        shown.append(f"{value} AS i{number}")
        out.append(Column(label, kind, f"i{number}"))
    sql = f"SELECT {', '.join(shown)} FROM ({query.sql})"
    return replace(query, sql=sql, columns=tuple(out))
