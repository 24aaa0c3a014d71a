"""FILTER and OVER."""

from __future__ import annotations

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Value

from .calls import call_arguments, call_by_name, function_name
from .compiler import Compiler, compiles, structure
from .equality import key
from .ordering import order_by
from .scope import Scope

structure(exp.WindowSpec, takes=("kind", "start", "start_side", "end", "end_side"))
structure(exp.IgnoreNulls, exp.RespectNulls, takes=("this",))


@compiles(exp.Filter, takes=("this", "expression"))
def filtered(c: Compiler, node: exp.Filter, scope: Scope) -> Value:
    return _filtered(c, node, scope, "")


def _filtered(c: Compiler, node: exp.Filter, scope: Scope, over: str) -> Value:
    call = node.this
    where = c.condition(node.expression.this, scope, "FILTER expression")
    tail = f" FILTER (WHERE {where}){over}"
    return call_by_name(c, function_name(call), call_arguments(call), call, scope, tail, None)


@compiles(exp.Window, takes=("this", "partition_by", "order", "spec", "alias", "over"))
def window(c: Compiler, node: exp.Window, scope: Scope) -> Value:
    over = " OVER (" + window_definition(c, node, scope) + ")"
    call, nulls = node.this, None
    if isinstance(call, exp.IgnoreNulls | exp.RespectNulls):
        nulls = " IGNORE NULLS" if isinstance(call, exp.IgnoreNulls) else ""
        call = call.this
    if isinstance(call, exp.Filter):
        return _filtered(c, call, scope, over)
    return call_by_name(c, function_name(call), call_arguments(call), call, scope, over, nulls)


def window_definition(c: Compiler, node: exp.Window, scope: Scope) -> str:
    base = node.args.get("alias")
    parts = []
    if base is not None:
        named = c.windows.get(base.name.lower())
        if named is None:
            raise QueryError(
                "INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {base.name}", node
            )
        parts.append(window_definition(c, named, scope))
    if node.args.get("partition_by"):
        values = [c.compile(item, scope) for item in node.args["partition_by"]]
        keys = [key(value.sql, value.type) for value in values]
        parts.append("PARTITION BY " + ", ".join(keys))
    if node.args.get("order"):
        parts.append(order_by(c, node.args["order"], scope))
    spec = node.args.get("spec")
    if spec is not None:
        sides = []
        for side in ("start", "end"):
            bound = spec.args.get(side)
            if bound is None:
                continue
            if bound != "CURRENT ROW" and not spec.args.get(side + "_side"):
                raise QueryError(
                    "SYNTAX_ERROR", "mismatched input. Expecting: 'FOLLOWING', 'PRECEDING'", node
                )
            shown = bound if isinstance(bound, str) else _distance(c, node, bound, scope)
            sides.append(
                f"{shown} {spec.args.get(side + '_side') or ''}".strip().upper()
                if isinstance(bound, str)
                else f"{shown} {spec.args[side + '_side']}"
            )
        parts.append(
            f"{spec.args['kind']} BETWEEN {sides[0]} AND {sides[1]}"
            if len(sides) == 2
            else f"{spec.args['kind']} {sides[0]}"
        )
    return " ".join(parts)


def _distance(c: Compiler, node: exp.Window, bound: exp.Expression, scope: Scope) -> str:
    """How far a frame reaches; over moments DuckDB wants an INTERVAL."""
    value = c.compile(bound, scope)
    sql = value.sql
    if value.constant is None:
        wrong = (
            "fail('INVALID_WINDOW_FRAME: Window frame offset value must not be negative or null')"
        )
        sql = f"CASE WHEN {sql} >= 0 THEN {sql} ELSE {wrong} END"
    order = node.args.get("order")
    sorted_by = c.compile(order.expressions[0].this, scope).type if order is not None else None
    if node.args["spec"].args["kind"] == "RANGE":
        _check_range(node, sorted_by)
    if sorted_by == value.type:  # held alike
        return sql
    if value.type == t.YEAR_INTERVAL:
        return f"to_months({sql})"
    return f"to_milliseconds({sql})" if value.type == t.DAY_INTERVAL else sql


def _check_range(node: exp.Window, sorted_by: Type | None) -> None:
    """A distance in values: there must be a sort key that has some."""
    frame = "Window frame of type RANGE PRECEDING or FOLLOWING requires"
    if sorted_by is None:
        if node.args.get("alias") is not None:  # the named window may sort
            return
        raise QueryError("MISSING_ORDER_BY", f"{frame} single sort item in ORDER BY", node)
    moments = ("date", "timestamp", "time", "interval")
    if not t.is_number(sorted_by) and not sorted_by.name.startswith(moments):
        raise QueryError(
            "TYPE_MISMATCH",
            f"{frame} that sort item type be numeric, datetime or interval (actual: {sorted_by})",
            node,
        )
