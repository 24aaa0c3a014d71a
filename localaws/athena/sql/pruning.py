"""What a condition leaves to be read of tables: partitions, and files by their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.values import name

from .casts import convert
from .compiler import Compiler, name_parts
from .grammar import TypedLiteral, nodes
from .scope import Scope
from .sources import Filter, Scan

_OPERATORS = {exp.EQ: "=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_TURNED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
# What stands for one value, whatever the row and the time.
_CONSTANT = (
    exp.Literal, TypedLiteral, exp.DataType, exp.DataTypeParam, exp.Neg, exp.Paren, exp.Cast,
    exp.Interval, exp.IntervalSpan, exp.Var, exp.Add, exp.Sub,
)  # fmt: skip


def prune(c: Compiler, condition: exp.Expression, scope: Scope) -> None:
    """Remembers the conjuncts that look only at one scan's partition keys, and those that compare
    a column of a scan that wants to know them with a constant."""
    scans = [
        scan for scan in c.scans
        if not scan.whole and (scan.partition_keys or scan.source is not None)
    ]  # fmt: skip
    if not scans:
        return
    scope = replace(scope, outer=None)  # a condition inside says nothing of the rows outside
    for conjunct in _conjuncts(condition):
        if conjunct.find(exp.Query, exp.Values, exp.Lambda):
            continue
        reads = [scope.find(name_parts(column), column) for column in conjunct.find_all(exp.Column)]
        found = {read[0].sql: read[0].origin for read in reads if read is not None}
        if not found or len(reads) != sum(read is not None for read in reads):
            continue
        for scan in scans:
            keys = {f"{scan.alias}.{name(key)}" for key in scan.partition_keys}
            if set(found.values()) <= keys:
                at_scan = replace(scope, at_origin=True)
                condition_sql = c.compile(conjunct, at_scan).sql
                scan.conditions.append(condition_sql)
            if scan.source is not None:
                scan.filters.extend(_filters(c, conjunct, scope, scan))


def _conjuncts(condition: Any) -> Iterator[Any]:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        for part in condition.flatten():
            yield from _conjuncts(part)
    else:
        yield condition


def _filters(c: Compiler, conjunct: Any, scope: Scope, scan: Scan) -> Iterator[Filter]:
    operator = _OPERATORS.get(type(conjunct))
    if operator is not None:
        sides = [(conjunct.this, operator, [conjunct.expression])]
        sides += [(conjunct.expression, _TURNED[operator], [conjunct.this])]
    elif isinstance(conjunct, exp.Between):
        low, high = conjunct.args["low"], conjunct.args["high"]
        sides = [(conjunct.this, ">=", [low]), (conjunct.this, "<=", [high])]
    elif isinstance(conjunct, exp.In) and conjunct.expressions:
        sides = [(conjunct.this, "in", conjunct.expressions)]
    else:
        return
    for column, told, constants in sides:
        label = _column(column, scope, scan)
        if label is None or not all(map(_constant, constants)):
            continue
        kind = scan.types[label]
        values = [c.compile(constant, scope) for constant in constants]
        # Only where the constant, not the column, would be converted.
        if all(t.converts(value.type, kind) for value in values):
            yield label, told, tuple(convert(value, kind).sql for value in values)


def _column(node: exp.Expression, scope: Scope, scan: Scan) -> str | None:
    if not isinstance(node, exp.Column):
        return None
    found = scope.find(name_parts(node), node)
    if found is None or found[1] != len(node.parts):
        return None
    for label in scan.types:
        if found[0].origin == f"{scan.alias}.{name(label)}":
            return label
    return None


def _constant(node: exp.Expression) -> bool:
    return all(isinstance(part, _CONSTANT) for part in nodes(node))
