"""`*`, `t.*` and `row.*` in a SELECT list."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.values import Source, Value, name

from .compiler import Compiler
from .scope import Relation, Scope

Item = tuple[str | None, Value, set[Source]]  # the name, the value and what it reads


def is_star(node: Any) -> bool:
    if isinstance(node, exp.Aliases):
        node = node.this
    if isinstance(node, exp.Dot):
        return isinstance(node.expression, exp.Star)
    return isinstance(node, exp.Star) or (
        isinstance(node, exp.Column) and isinstance(node.this, exp.Star)
    )


def star(c: Compiler, node: Any, scope: Scope) -> list[Item]:
    """The items that it stands for, under the names of `AS (a, b)` if it has them."""
    if not isinstance(node, exp.Aliases):
        return _items(c, node, scope)
    items = _items(c, node.this, scope)
    labels = [label.name.lower() for label in node.args["expressions"]]
    if len(labels) != len(items):
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(labels)} entries but relation has {len(items)} columns",
            node,
        )
    return [(label, value, reads)
            for label, (_, value, reads) in zip(labels, items, strict=True)]  # fmt: skip


def _items(c: Compiler, node: Any, scope: Scope) -> list[Item]:
    if isinstance(node, exp.Dot):
        return _fields(c, node.this, scope)
    if isinstance(node, exp.Star):
        if not scope.relations:
            raise QueryError(
                "COLUMN_NOT_FOUND", "SELECT * not allowed in queries without FROM clause", node
            )
        return every_column(scope)
    parts = node.parts[:-1]
    qualifier = tuple(part.name.lower() for part in parts)
    found = scope.find_relations(qualifier)
    if found:
        return _columns(found, None)
    row: Any = exp.Column(this=parts[0]) if len(parts) == 1 else exp.Dot.build(list(parts))
    try:
        return _fields(c, row, scope)
    except QueryError as error:
        if error.code != "COLUMN_NOT_FOUND":
            raise
        shown = ".".join(qualifier)
        raise QueryError(
            "INVALID_COLUMN_REFERENCE", f"Unable to resolve reference {shown}", node
        ) from None


def every_column(scope: Scope) -> list[Item]:
    """What `*` stands for."""
    return _columns(scope.relations, scope)


def _columns(relations: list[Relation], scope: Scope | None) -> list[Item]:
    """Every column of the relations; in front those that JOIN ... USING has merged in `scope`."""
    merged = [] if scope is None else scope.merged
    chosen = [*merged] + [
        column for relation in relations for column in relation.columns if not column.hidden
    ]
    return [
        (c.name, Value(c.sql, c.type, origin=c.origin), {c.source} if c.source else set())
        for c in chosen
    ]


def _fields(c: Compiler, node: exp.Expression, scope: Scope) -> list[Item]:
    reads: set[Source] = set()
    with c.collecting(reads):
        value = c.compile(node, scope)
    if value.type.name != "row":
        raise QueryError("TYPE_MISMATCH", f"Cannot expand {value.type} with .*", node)
    return [
        (label, Value(f"({value.sql}).{name(t.field_name(value.type, i))}", kind), set(reads))
        for i, (label, kind) in enumerate(zip(value.type.names, value.type.items, strict=True))
    ]
