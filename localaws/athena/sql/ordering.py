"""ORDER BY, and what ends a query: OFFSET, LIMIT, FETCH FIRST."""

from __future__ import annotations

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type

from .compiler import Compiler, structure
from .equality import is_plain, key
from .grammar import written
from .scope import Column, Scope

structure(exp.Order, takes=("this", "expressions"))
structure(exp.Ordered, takes=("this", "desc", "nulls_first"))
structure(exp.Limit, exp.Offset, takes=("expression",))
structure(exp.Fetch, takes=("direction", "count", "limit_options"))
structure(exp.LimitOptions, takes=("rows", "with_ties"))


def order_by(c: Compiler, node: exp.Order, scope: Scope) -> str:
    """ORDER BY with Trino's place for NULL (last, unless said otherwise) spelled out."""
    items = []
    for item in node.expressions:
        value = c.compile(item.this, scope)
        _check_orderable(value.type, item)
        items.append(f"{value.sql}{direction(item)}")
    return "ORDER BY " + ", ".join(items)


def _check_orderable(kind: Type, node: exp.Expression) -> None:
    if not t.is_orderable(kind):
        raise QueryError(
            "TYPE_MISMATCH",
            f"Type {kind} is not orderable, and therefore cannot be used in ORDER BY: "
            f"{written(node)}",
            node,
        )


def direction(item: exp.Ordered) -> str:
    way = " DESC" if item.args.get("desc") else " ASC"
    return way + (" NULLS FIRST" if item.args.get("nulls_first") else " NULLS LAST")


def tail(
    c: Compiler, sql: str, node: exp.Expression, columns: tuple[Column, ...], scope: Scope | None
) -> str:
    """ORDER BY, OFFSET and LIMIT (or FETCH FIRST)."""
    order, ties = node.args.get("order"), _with_ties(node)
    if order is not None:
        keys = []
        for item in order.expressions:
            place = _place(item.this, columns)
            if place is not None:
                _check_orderable(columns[place - 1].type, item.this)
            if place is None:
                value = c.compile(item.this, scope or Scope())
                _check_orderable(value.type, item.this)
                shown = key(value.sql, value.type)
            elif is_plain(columns[place - 1].type):
                shown = columns[place - 1].sql if ties is not None else str(place)
            else:
                shown = key(columns[place - 1].sql, columns[place - 1].type)
            keys.append(shown + direction(item))
        by = " ORDER BY " + ", ".join(keys)
        if ties is not None:
            return f"{sql} QUALIFY rank() OVER ({by.strip()}) <= {ties}{by}"
        sql += by
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if isinstance(limit, exp.Fetch):
        count = limit.args.get("count")
        sql += f" LIMIT {_whole(count) if count is not None else 1}"
    elif limit is not None and limit.expression.name.upper() != "ALL":
        sql += f" LIMIT {_whole(limit.expression)}"
    if offset is not None:
        sql += f" OFFSET {_whole(offset.expression)}"
    return sql


def _with_ties(node: exp.Expression) -> int | None:
    """How many rows FETCH FIRST ... WITH TIES wants, with those that are equal to the last."""
    limit = node.args.get("limit")
    if not isinstance(limit, exp.Fetch):
        return None
    options = limit.args.get("limit_options")
    if options is None or not options.args.get("with_ties"):
        return None
    if node.args.get("order") is None:
        raise QueryError("MISSING_ORDER_BY", "FETCH FIRST WITH TIES clause requires ORDER BY")
    for part in ("distinct", "offset"):
        if node.args.get(part):
            raise not_emulated(f"FETCH FIRST WITH TIES beside {part.upper()}")
    count = limit.args.get("count")
    return _whole(count) if count is not None else 1


def _place(node: exp.Expression, columns: tuple[Column, ...]) -> int | None:
    """The output column that an ORDER BY key names, by position or by name."""
    if isinstance(node, exp.Literal) and not node.is_string:
        place = int(node.this)
        if not 1 <= place <= len(columns):
            raise QueryError(
                "INVALID_COLUMN_REFERENCE", f"ORDER BY position {place} is not in select list", node
            )
        return place
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        found = [i for i, column in enumerate(columns, 1) if column.name == node.name.lower()]
        return found[0] if len(found) == 1 else None
    return None


def _whole(node: exp.Expression) -> int:
    if not isinstance(node, exp.Literal) or not node.this.isdigit():
        raise QueryError(
            "INVALID_LITERAL",
            f"LIMIT and OFFSET take a whole number, not {written(node)}",
            node,
        )
    return int(node.this)
