"""Arithmetic and comparison with Trino's types.

Decimal rules: https://trino.io/docs/current/functions/decimal.html#decimal-operators
"""

from __future__ import annotations

from . import types as t
from .errors import QueryError
from .types import Type
from .values import Value, convert

_MOMENTS = ("date", "timestamp", "timestamp with time zone")
_INTERVALS = ("interval day to second", "interval year to month")


def mismatch(operator: str, left: Value, right: Value) -> QueryError:
    return QueryError(
        "TYPE_MISMATCH", f"Cannot apply operator: {left.type} {operator} {right.type}"
    )


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """`left operator right` for + - * / %."""
    if t.UNKNOWN in (left.type, right.type):
        known = left.type if right.type == t.UNKNOWN else right.type
        result = t.INTEGER if known == t.UNKNOWN else known
        return Value(f"CAST(NULL AS {t.duckdb(result)})", result)
    if not (t.is_number(left.type) and t.is_number(right.type)):
        return _with_interval(operator, left, right)
    kind = t.common(left.type, right.type)
    assert kind is not None
    if kind.name == "decimal":
        return _decimal(operator, left, right)
    a, b = convert(left, kind).sql, convert(right, kind).sql
    if t.is_integer(kind):
        sign = "//" if operator == "/" else operator
        return Value(f"({a} {sign} {b})", kind)
    if operator == "%":
        return Value(
            f"CASE WHEN {b} = 0 THEN CAST('NaN' AS {t.duckdb(kind)}) ELSE {a} % {b} END", kind
        )
    return Value(f"({a} {operator} {b})", kind)


def _decimal(operator: str, left: Value, right: Value) -> Value:
    first, second = t.as_decimal(left.type), t.as_decimal(right.type)
    (p1, s1), (p2, s2) = first.numbers, second.numbers
    scale = max(s1, s2)
    if operator in "+-":
        kind = t.decimal(max(p1 - s1, p2 - s2) + scale + 1, scale)
        a, b = convert(left, kind).sql, convert(right, kind).sql
        return Value(f"CAST({a} {operator} {b} AS {t.duckdb(kind)})", kind)
    if operator == "*":
        kind = t.decimal(p1 + p2, s1 + s2)
        if p1 + p2 <= 38:
            a, b = convert(left, first).sql, convert(right, second).sql
            return Value(f"CAST({a} * {b} AS {t.duckdb(kind)})", kind)
        whole = f"({_unscaled(left, s1, s1)} * {_unscaled(right, s2, s2)})"
        return Value(_scaled(whole, kind), kind)
    if operator == "%":
        kind = t.decimal(min(p2 - s2, p1 - s1) + scale, scale)
        a, b = _unscaled(left, s1, scale), _unscaled(right, s2, scale)
        return Value(_scaled(f"({a} % {b})", kind), kind)
    kind = t.decimal(p1 + s2 + max(s2 - s1, 0), scale)
    above = _unscaled(left, s1, scale + s2)
    below = _unscaled(right, s2, s2)
    return Value(_scaled(f"trino_decimal_divide({above}, {below})", kind), kind)


def _unscaled(value: Value, scale: int, wanted: int) -> str:
    """The decimal as a whole number of 10^-wanted."""
    if t.is_integer(value.type):
        return f"(CAST({value.sql} AS HUGEINT) * {10**wanted}::HUGEINT)"
    held = f"CAST({value.sql} AS DECIMAL(38,{scale}))"
    whole = f"CAST(replace(CAST({held} AS VARCHAR), '.', '') AS HUGEINT)"
    return f"({whole} * {10 ** (wanted - scale)}::HUGEINT)" if wanted > scale else whole


def _scaled(whole: str, kind: Type) -> str:
    """The decimal whose unscaled value is `whole`."""
    scale = kind.numbers[1]
    if scale == 0:
        return f"CAST({whole} AS {t.duckdb(kind)})"
    return f"trino_decimal_of({whole}, {scale})::{t.duckdb(kind)}"


def average(total: str, rows: str, kind: Type) -> str:
    """avg of a decimal: the sum by the count, half up, in the scale of the argument."""
    scale = kind.numbers[1]
    above = _unscaled(Value(total, Type("decimal", (38, scale))), scale, scale)
    divided = _scaled(f"trino_decimal_divide({above}, {rows}::HUGEINT)", kind)
    return f"CASE WHEN {rows} > 0 THEN {divided} END"


def _with_interval(operator: str, left: Value, right: Value) -> Value:
    kinds = left.type.name, right.type.name
    if operator in "+-" and kinds[0] in _MOMENTS and kinds[1] in _INTERVALS:
        return Value(f"CAST({left.sql} {operator} {right.sql} AS {t.duckdb(left.type)})", left.type)
    if operator == "+" and kinds[0] in _INTERVALS and kinds[1] in _MOMENTS:
        return Value(f"CAST({right.sql} + {left.sql} AS {t.duckdb(right.type)})", right.type)
    if operator in "+-" and kinds[0] == kinds[1] and kinds[0] in _INTERVALS:
        return Value(f"({left.sql} {operator} {right.sql})", left.type)
    if operator == "*" and kinds[0] in _INTERVALS and t.is_integer(right.type):
        return Value(f"({left.sql} * {right.sql})", left.type)
    if operator == "*" and kinds[1] in _INTERVALS and t.is_integer(left.type):
        return Value(f"({right.sql} * {left.sql})", right.type)
    if operator == "-" and kinds[0] in _MOMENTS and kinds[1] in _MOMENTS:
        kind = t.common(left.type, right.type)
        assert kind is not None
        a, b = convert(left, t.TIMESTAMP).sql, convert(right, t.TIMESTAMP).sql
        return Value(f"({a} - {b})", t.DAY_INTERVAL)
    raise mismatch(operator, left, right)


def comparison(operator: str, left: Value, right: Value) -> Value:
    """= <> < <= > >= and IS [NOT] DISTINCT FROM."""
    kind = t.common(left.type, right.type)
    if kind is None or (kind.name in ("map", "json") and operator not in ("=", "<>")):
        raise mismatch(operator, left, right)
    a, b = convert(left, kind).sql, convert(right, kind).sql
    return Value(f"({a} {operator} {b})", t.BOOLEAN)
