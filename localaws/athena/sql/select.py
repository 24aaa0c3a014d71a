"""SELECT: its items, grouping and clauses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.values import OUTPUT, Source, Value

from . import decorrelation, equality
from .compiler import Compiler, compiles_query, name_parts, structure
from .equality import is_plain
from .grammar import nodes
from .ordering import tail
from .pruning import prune
from .relations import from_clause
from .scope import Column, Scope
from .stars import Item, is_star, star

structure(exp.From, exp.Where, exp.Having, takes=("this",))
_SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)
structure(*_SETS, takes=("expressions",))
structure(exp.Group, takes=("expressions", "all"))
structure(exp.Alias, takes=("this", "alias"))
structure(exp.Aliases, takes=("this", "expressions"))
structure(exp.Distinct, takes=("expressions",))
structure(exp.Star)


@compiles_query(
    exp.Select,
    takes=(
        "with_", "expressions", "from_", "joins", "where", "group", "having", "windows", "distinct",
        "order", "limit", "offset",
    ),
)  # fmt: skip
def select(c: Compiler, node: exp.Select, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
    windows = c.windows
    c.windows = {w.this.name.lower(): w for w in node.args.get("windows") or []}
    scope = Scope(outer=outer, is_query=True, clause="FROM")
    from_sql = from_clause(c, node, scope)
    where = node.args.get("where")
    where_sql = ""
    if where is not None:
        scope.clause = "WHERE"
        where_sql = " WHERE " + c.condition(where.this, scope, "WHERE clause")
        prune(c, where.this, scope)
    scope.clause = "SELECT"
    items = _items(c, node, scope)
    scope.clause = "GROUP BY"
    grouped: dict[str, Value] = {}  # keys that DuckDB would not group as Trino does
    group_sql = _group(c, node.args.get("group"), scope, items, grouped)
    written = items
    items = [
        (label, replace(value, sql=f"any_value({value.sql})") if value.sql in grouped else value, r)
        for label, value, r in items
    ]
    having = node.args.get("having")
    having_sql = ""
    if having is not None:
        scope.clause = "HAVING"
        having_sql = " HAVING " + c.condition(having.this, scope, "HAVING clause")
    distinct = node.args.get("distinct")
    limits = ("group", "having", "distinct", "limit", "offset", "windows")
    plain = (
        any(value.origin for _, value, _ in items)
        and not any(node.args.get(part) for part in limits)
        and not node.find(exp.Window)
    )
    lazy = not any(node.args.get(part) for part in ("distinct", "group", "order"))
    columns, texts = [], []
    for number, (label, value, reads) in enumerate(items):
        alias = c.fresh("c")
        texts.append(f"CAST({value.sql} AS {t.duckdb(value.type)}) AS {alias}")
        columns.append(
            Column(
                label or f"_col{number}",
                value.type,
                alias,
                origin=value.origin if plain else None,
                source=(OUTPUT, alias),
            )
        )
        c.items[OUTPUT, alias] = reads
        if not lazy:
            c.reading.add((OUTPUT, alias))
    word = "SELECT DISTINCT" if distinct else "SELECT"
    if distinct and not all(is_plain(column.type) for column in columns):
        keys = ", ".join(equality.key(value.sql, value.type) for _, value, _ in items)
        word = f"SELECT DISTINCT ON ({keys})"
    sql = f"{word} {', '.join(texts)}{from_sql}{where_sql}{group_sql}{having_sql}"
    aliases = {label: value for label, value, _ in items if label}
    scope.clause = "ORDER BY"
    if distinct:
        _check_distinct(c, node, written, scope)
    sql = tail(c, sql, node, tuple(columns), Scope(outer=scope, locals=aliases))
    scope.clause = ""
    decorrelation.check(c, node, scope, written)
    c.windows = windows
    return sql, tuple(columns)


def _check_distinct(c: Compiler, node: exp.Select, items: list[Item], scope: Scope) -> None:
    """ORDER BY may have what is selected only; a plain name there is an output column first."""
    order = node.args.get("order")
    labels = {label for label, _, _ in items}
    for item in order.expressions if order is not None else []:
        outputs = [
            part
            for part in nodes(item.this)
            if isinstance(part, exp.Column) and len(part.parts) == 1 and part.name.lower() in labels
        ]
        if isinstance(item.this, exp.Literal) or item.this in outputs:
            continue
        selected = {value.sql for _, value, _ in items}
        if outputs or c.compile(item.this, scope).sql not in selected:
            raise QueryError(
                "EXPRESSION_NOT_IN_DISTINCT",
                "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                node,
            )


def _items(c: Compiler, node: exp.Select, scope: Scope) -> list[Item]:
    items: list[Item] = []
    for item in node.expressions:
        reads: set[Source] = set()
        if is_star(item):
            items += star(c, item, scope)
        elif isinstance(item, exp.Alias):
            with c.collecting(reads):
                value = c.compile(item.this, scope)
            items.append((item.alias.lower(), value, reads))
        else:
            with c.collecting(reads):
                value = c.compile(item, scope)
            named = item.unnest()  # parentheses take no name away
            named = named.expression if isinstance(named, exp.Dot) else named
            label = (
                name_parts(named)[-1] if isinstance(named, exp.Column | exp.Identifier) else None
            )
            items.append((label, value, reads))
    return items


def _group(
    c: Compiler,
    node: exp.Group | None,
    scope: Scope,
    items: list[Item],
    grouped: dict[str, Value],
) -> str:
    if node is None:
        return ""
    sets = [item for item in node.expressions if isinstance(item, _SETS)]
    if node.args.get("all") is False and sets:
        raise not_emulated("GROUP BY DISTINCT with ROLLUP, CUBE or GROUPING SETS", sets[0])

    def one(value: Value, place: str) -> str:
        if is_plain(value.type):
            return place or value.sql
        grouped[value.sql] = value
        return equality.key(value.sql, value.type)

    def key(item: Any, ordinal: bool) -> str:
        if isinstance(item, exp.Literal) and not item.is_string:
            place = int(item.this)
            if not 1 <= place <= len(items):
                raise QueryError(
                    "INVALID_COLUMN_REFERENCE",
                    f"GROUP BY position {place} is not in select list",
                    item,
                )
            return one(items[place - 1][1], str(place) if ordinal else "")
        if isinstance(item, exp.Paren):
            return "(" + key(item.this, ordinal) + ")"
        if isinstance(item, exp.Tuple):
            return "(" + ", ".join(key(part, False) for part in item.expressions) + ")"
        if isinstance(item, _SETS):
            return (
                _set_name(item)
                + " ("
                + ", ".join(key(part, False) for part in item.expressions)
                + ")"
            )
        value = c.compile(item, scope)
        _check_fields(value, items, item)
        return one(value, "")

    keys = [key(item, True) for item in node.expressions]
    return " GROUP BY " + ", ".join(keys)


def _check_fields(value: Value, items: list[Item], node: exp.Expression) -> None:
    """Rows whose fields' names differ by capital letters only are one to DuckDB, not to Trino."""
    for _, item, _ in items:
        if item.sql == value.sql and item.type != value.type:
            raise QueryError(
                "EXPRESSION_NOT_AGGREGATE",
                "an expression of the select list must be an aggregate expression or appear in "
                "GROUP BY clause",
                node,
            )


def _set_name(item: exp.Expression) -> str:
    return {exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}.get(type(item), "GROUPING SETS")
