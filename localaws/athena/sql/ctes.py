"""Common table expressions, also recursive ones.

https://trino.io/docs/current/sql/select.html#with-recursive-clause
"""

from __future__ import annotations

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError

from .compiler import Compiler, Selected, compiles_query
from .rows import reshaped
from .scope import Column, Scope, check_widths
from .sources import renamed

_DEPTH = 10  # Trino's max_recursion_depth, which Athena has no way to change


@compiles_query(exp.CTE, takes=("this", "alias"))
def cte(c: Compiler, node: exp.CTE, outer: Scope | None) -> Selected:
    union = node.this
    recursive = node.parent is not None and node.parent.args.get("recursive")
    if recursive and isinstance(union, exp.Union) and _names(union.expression, node.alias):
        return _recursive(c, node, union, outer)
    sql, columns = c.query(union, outer)
    return sql, renamed(columns, node.args.get("alias"), node)


def _names(query: exp.Expression, label: str) -> bool:
    return any(
        table.name.lower() == label.lower() and not table.args.get("db")
        for table in query.find_all(exp.Table)
    )


def _recursive(c: Compiler, node: exp.CTE, union: exp.Union, outer: Scope | None) -> Selected:
    """As Trino plans it: one step after the other, each over the rows of the one before."""
    alias = node.args.get("alias")
    if alias is None or not alias.columns:
        raise QueryError("MISSING_COLUMN_ALIASES", "missing column aliases in recursive WITH query")
    if union.args.get("with_") or any(
        union.args.get(part) for part in ("order", "limit", "offset")
    ):
        raise QueryError(
            "NOT_SUPPORTED", "immediate ORDER BY, LIMIT or WITH in a recursive query", node
        )
    sql, base = c.query(union.this, outer)
    columns = renamed(base, alias, node)
    names = [c.fresh("w")]
    parts = [f"{names[0]} AS MATERIALIZED ({sql})"]
    for _ in range(_DEPTH + 1):
        c.name(node.alias.lower(), names[-1], columns)
        step, given = c.query(union.expression, outer)
        _check(base, given, node)
        names.append(c.fresh("w"))
        parts.append(f"{names[-1]} AS MATERIALIZED {reshaped(step, given, columns)}")
    too_deep = (
        f"fail('NOT_SUPPORTED: Recursion depth limit exceeded ({_DEPTH}). Use "
        "''max_recursion_depth'' session property to modify the limit.')"
    )
    failing = ", ".join(f"CAST({too_deep} AS {t.duckdb(column.type)})" for column in columns)
    selects = [f"SELECT * FROM {name}" for name in names[:-1]]
    selects.append(f"SELECT {failing} FROM {names[-1]}")
    rows = f"WITH {', '.join(parts)} {' UNION ALL '.join(selects)}"
    if union.args.get("distinct"):
        rows = f"SELECT DISTINCT * FROM ({rows})"
    c.read_whole((*base, *columns))
    return rows, columns


def _check(base: tuple[Column, ...], step: tuple[Column, ...], node: exp.CTE) -> None:
    check_widths(base, step, "base and step relations of recursion have", node)
    for place, (a, b) in enumerate(zip(base, step, strict=True), 1):
        if not t.converts(b.type, a.type) and a.type.name != b.type.name:
            raise QueryError(
                "TYPE_MISMATCH",
                f"recursion step relation output type ({b.type}) is not coercible to recursion "
                f"base relation output type ({a.type}) at column {place}",
                node,
            )
