"""UNNEST."""

from __future__ import annotations

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import name

from .compiler import Compiler, structure
from .scope import Column, Relation, Scope

structure(exp.Unnest, takes=("expressions", "alias", "offset"))


def unnest(c: Compiler, node: exp.Unnest, scope: Scope, *, outer: bool = False) -> str:
    """Arrays side by side, the shorter ones padded with NULL; an array of rows and a map give
    several columns each. `outer`: as LEFT JOIN has it, a row of NULL where all are empty; DuckDB's
    own left join would turn the items' order round."""
    inner = c.fresh("r")
    lists: list[str] = []
    columns: list[tuple[str, Type]] = []  # text over the inner select, type
    fields: dict[int, str] = {}  # names of the columns that are a row's fields
    sizes = []
    for item in node.expressions:
        value = c.compile(item, scope)
        column = f"u{len(lists)}"
        if value.type.name == "map":
            lists += [f"map_keys({value.sql})", f"map_values({value.sql})"]
            columns += [
                (column, value.type.items[0]),
                (f"u{len(lists) - 1}", value.type.items[1]),
            ]
            sizes.append(f"cardinality({value.sql})")
        elif value.type.name == "array":
            inside = value.type.items[0]
            lists.append(value.sql)
            sizes.append(f"len({value.sql})")
            if inside.name == "row":
                fields |= {len(columns) + i: label for i, label in enumerate(inside.names) if label}
                columns += [
                    (f"{column}.{name(t.field_name(inside, i))}", kind)
                    for i, kind in enumerate(inside.items)
                ]
            else:
                columns.append((column, inside))
        else:
            raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {value.type}", node)
    offset = node.args.get("offset")
    longest = f"CAST(greatest({', '.join(sizes)}) AS BIGINT)"
    if outer:
        lists = [f"CASE WHEN {longest} > 0 THEN {items} ELSE [NULL] END" for items in lists]
    texts = [f"unnest({items}) AS u{i}" for i, items in enumerate(lists)]
    if offset:
        texts.append(f"unnest(range(1, {longest} + 1)) AS place")
        columns.append(("place", t.BIGINT))
    alias = node.args.get("alias")
    labels = [part.name.lower() for part in alias.columns] if alias is not None else []
    if isinstance(offset, exp.Identifier) and offset.name.lower() not in labels:
        labels.append(offset.name.lower())
    if labels and len(labels) != len(columns):
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(labels)} entries but there are {len(columns)} columns",
            node,
        )
    out = ", ".join(f"{text} AS c{i}" for i, (text, _) in enumerate(columns))
    qualifier = (alias.name.lower(),) if alias is not None and alias.name else ()
    scope.relations.append(
        Relation(
            qualifier,
            tuple(
                Column(labels[i] if labels else fields.get(i, f"_col{i}"), kind, f"{inner}.c{i}")
                for i, (_, kind) in enumerate(columns)
            ),
        )
    )
    return f"LATERAL (SELECT {out} FROM (SELECT {', '.join(texts)}) AS u) AS {inner}"
