"""Set operations, VALUES and parenthesised queries."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import OUTPUT, Value, name

from .casts import convert
from .compiler import Compiler, compiles_query
from .equality import is_plain
from .ordering import tail
from .scope import Column, Scope, check_widths


@compiles_query(exp.Subquery, takes=("this", "alias", "with_", "order", "limit", "offset"))
def parenthesised(
    c: Compiler, node: exp.Subquery, outer: Scope | None
) -> tuple[str, tuple[Column, ...]]:
    sql, columns = c.query(node.this, outer)
    if node.args.get("order") or node.args.get("limit") or node.args.get("offset"):
        sql = tail(c, f"SELECT * FROM ({sql})", node, columns, outer)
    return sql, columns


@compiles_query(
    exp.Union,
    exp.Except,
    exp.Intersect,
    takes=("with_", "this", "expression", "distinct", "order", "limit", "offset"),
)
def set_operation(c: Compiler, node: Any, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
    beyond = Scope(outer=outer)
    left, left_columns = c.query(node.this, beyond)
    right, right_columns = c.query(node.expression, beyond)
    if beyond.outside:  # no join can stand for it: see decorrelation.py
        raise QueryError("NOT_SUPPORTED", "Given correlated subquery is not supported", node)
    word = type(node).__name__.upper()
    check_widths(left_columns, right_columns, f"{word} query has", node)
    kinds = []
    for number, (a, b) in enumerate(zip(left_columns, right_columns, strict=True)):
        kind = t.common(a.type, b.type)
        if kind is None:
            raise QueryError(
                "TYPE_MISMATCH",
                f"column {number + 1} in {word} query has incompatible types: {a.type}, {b.type}",
                node,
            )
        kinds.append(kind)
    if node.args.get("distinct") or word != "UNION":
        for kind in kinds:
            if not is_plain(kind):
                raise not_emulated(f"{word} of {kind}", node)
    columns = tuple(
        Column(column.name, kind, alias, source=(OUTPUT, alias))
        for column, kind in zip(left_columns, kinds, strict=True)
        for alias in [c.fresh("c")]
    )
    for column, a, b in zip(columns, left_columns, right_columns, strict=True):
        output = (OUTPUT, column.sql)
        c.items[output] = {side.source for side in (a, b) if side.source}
        if word != "UNION" or node.args.get("distinct"):
            c.reading.add(output)  # every column decides which rows there are
    both = f" {word}{'' if node.args.get('distinct') else ' ALL'} ".join(
        reshaped(sql, given, columns)
        for sql, given in ((left, left_columns), (right, right_columns))
    )
    aliases = {column.name: Value(column.sql, column.type) for column in columns}
    return tail(c, f"SELECT * FROM ({both})", node, columns, Scope(locals=aliases)), columns


@compiles_query(exp.Values, takes=("expressions", "alias", "order", "limit", "offset"))
def values(c: Compiler, node: exp.Values, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
    scope = Scope(outer=outer, is_query=True)
    alias = node.args.get("alias")
    single = alias is not None and len(alias.columns) == 1
    rows = [_row(c, row, scope, single) for row in node.expressions]
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise QueryError("TYPE_MISMATCH", "Values rows have mismatched sizes", node)
    kinds: list[Type] = []
    for number in range(width):
        kind = rows[0][number].type
        for row in rows[1:]:
            both = t.common(kind, row[number].type)
            if both is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"Values rows have mismatched types: {kind} vs {row[number].type}",
                    node,
                )
            kind = both
        kinds.append(kind)
    texts = [
        "("
        + ", ".join(
            f"CAST({convert(v, k).sql} AS {t.duckdb(k)})" for v, k in zip(row, kinds, strict=True)
        )
        + ")"
        for row in rows
    ]
    columns = tuple(Column(f"_col{i}", kind, c.fresh("c")) for i, kind in enumerate(kinds))
    names = ", ".join(column.sql for column in columns)
    sql = f"SELECT {names} FROM (VALUES {', '.join(texts)}) AS v({names})"
    return tail(c, sql, node, columns, outer), columns


def _row(c: Compiler, node: Any, scope: Scope, single: bool) -> list[Value]:
    """The columns of a row of VALUES: of 1, of (1, 2), of ROW(1, 2) and of whatever is a row;
    (ROW(1, 2)) under one name is one column."""
    if _is_row(node):
        return [c.compile(item, scope) for item in node.expressions]
    if isinstance(node, exp.Tuple) and (single or len(node.expressions) > 1):
        first = node.expressions[0]
        if len(node.expressions) == 1 and _is_row(first) and len(first.expressions) == 1:
            return _row(c, first, scope, single)
        return [c.compile(item, scope) for item in node.expressions]
    if isinstance(node, exp.Tuple):
        return _row(c, node.expressions[0], scope, single)
    value = c.compile(node, scope)
    if value.type.name != "row":
        return [value]
    return [
        Value(f"({value.sql}).{name(t.field_name(value.type, i))}", kind)
        for i, kind in enumerate(value.type.items)
    ]


def _is_row(node: Any) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == "ROW"


def reshaped(sql: str, given: tuple[Column, ...], wanted: tuple[Column, ...]) -> str:
    """The query with its columns under the names and in the types of others."""
    inside = ", ".join(
        f"CAST({convert(Value(a.sql, a.type), b.type).sql} AS {t.duckdb(b.type)}) AS {b.sql}"
        for a, b in zip(given, wanted, strict=True)
    )
    return f"(SELECT {inside} FROM ({sql}))"
