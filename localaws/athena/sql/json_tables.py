"""JSON_TABLE in FROM: the rows come from Python, the columns' types and defaults from here."""

from __future__ import annotations

import json
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.values import Value, text

from .compiler import Compiler, structure
from .json_grammar import JsonBehaviour, JsonInput
from .json_table_grammar import JsonColumn, JsonPlan, JsonTable
from .scope import Column, Scope
from .sql_json import checked_path, document, passed, returned, value_of
from .type_names import from_trino

structure(JsonTable, takes=("input", "path", "name", "passing", "columns", "plan", "strict"))
structure(
    JsonColumn,
    takes=(
        "this", "kind", "to", "format", "path", "wrapper", "quotes", "on_empty", "on_error", "name",
        "columns",
    ),
)  # fmt: skip
structure(JsonPlan, takes=("this", "expressions", "words"))
Spec = dict[str, Any]


def json_table(c: Compiler, node: JsonTable, outer: Scope) -> tuple[str, tuple[Column, ...]]:
    """A query with the table's rows; `outer` has the relations to its left."""
    scope = Scope(outer=outer)
    names, given = passed(c, node.args.get("passing") or [], scope)
    leaves: list[JsonColumn] = []
    spec = _spec(node, names, leaves, bool(node.args.get("strict")))
    spec["plan"] = _plan(node.args.get("plan"), spec)
    strict = str(bool(node.args.get("strict"))).lower()
    rows = (
        f"trino_sql_json_table({document(c, node.args['input'], scope)}, "
        f"{text(json.dumps(spec))}, {given}, {strict})"
    )
    row = c.fresh("p")
    columns, shown = [], []
    for place, leaf in enumerate(leaves, 1):
        value = _leaf(c, leaf, f"{row}[{place}]", scope, bool(node.args.get("strict")))
        alias = c.fresh("c")
        columns.append(Column(leaf.this.name.lower(), value.type, alias))
        shown.append(f"CAST({value.sql} AS {t.duckdb(value.type)}) AS {alias}")
    return f"SELECT {', '.join(shown)} FROM (SELECT unnest({rows}) AS {row})", tuple(columns)


def _spec(node: exp.Expression, names: list[str], leaves: list[JsonColumn], strict: bool) -> Spec:
    """A path with its columns; each column that is no path has its place in `leaves`."""
    columns, nested = [], []
    for column in node.args["columns"]:
        if column.args["kind"] == "nested":
            nested.append(_spec(column, names, leaves, strict))
            continue
        found: Spec = {"at": len(leaves), "kind": column.args["kind"]}
        leaves.append(column)
        if found["kind"] != "ordinality":
            checked_path(column.args["path"], names)
            found["path"] = column.args["path"].this
            found["strict"] = _word(column.args.get("on_error"), strict) == "ERROR"
        if found["kind"] == "query":
            found["wrapper"] = column.args.get("wrapper") or "WITHOUT"
            found["omit"] = column.args.get("quotes") == "OMIT"
            found["empty"] = _word(column.args.get("on_empty"), False)
            found["error"] = _word(column.args.get("on_error"), strict)
        columns.append(found)
    checked_path(node.args["path"], names)
    return {
        "path": node.args["path"].this, "name": node.args.get("name"),
        "columns": columns, "nested": nested,
    }  # fmt: skip


def _word(node: JsonBehaviour | None, strict: bool) -> str:
    return ("ERROR" if strict else "NULL") if node is None else str(node.this)


def _plan(node: JsonPlan | None, spec: Spec) -> Any:
    """["join", child, ...]: what is nested in each path, and how siblings come together."""
    if node is None or node.this == "DEFAULT":
        words = (node.args.get("words") if node is not None else None) or []
        down = "INNER" if "INNER" in words else "OUTER"
        side = "CROSS" if "CROSS" in words else "UNION"
        return _default_plan(spec, down, side, [0])
    paths: dict[str, Spec] = {}
    _number(spec, paths)
    plan = _explicit(node, paths)
    if sorted(_named(plan)) != sorted(paths):
        raise QueryError("INVALID_PLAN", "JSON_TABLE: PLAN has to have every path once", node)
    return plan


def _number(spec: Spec, paths: dict[str, Spec]) -> None:
    if not spec["name"] or spec["name"] in paths:
        raise QueryError("INVALID_PLAN", "JSON_TABLE: with PLAN every path has a name of its own")
    paths[spec["name"]] = spec
    for nested in spec["nested"]:
        _number(nested, paths)


def _default_plan(spec: Spec, down: str, side: str, count: list[int]) -> Any:
    count[0] += 1
    spec["name"] = f"\x00{count[0]}"
    children = [_default_plan(nested, down, side, count) for nested in spec["nested"]]
    if not children:
        return spec["name"]
    together = children[0]
    for child in children[1:]:
        together = [side, together, child]
    return [down, spec["name"], together]


def _explicit(node: JsonPlan, paths: dict[str, Spec]) -> Any:
    if not node.expressions:
        if node.this not in paths:
            raise QueryError("INVALID_PLAN", f"JSON_TABLE: no path is called {node.this}", node)
        return node.this
    return [str(node.this), *(_explicit(side, paths) for side in node.expressions)]


def _named(plan: Any) -> list[str]:
    return [plan] if isinstance(plan, str) else [n for side in plan[1:] for n in _named(side)]


def _leaf(c: Compiler, node: JsonColumn, sql: str, scope: Scope, strict: bool) -> Value:
    if node.args["kind"] == "ordinality":
        return Value(f"CAST({sql} AS BIGINT)", t.BIGINT)
    if node.args["kind"] == "query":
        return returned(sql, JsonInput(this=node.args["to"], format=node.args["format"]))
    return value_of(c, sql, from_trino(node.args["to"]), node, scope, strict=strict)
