"""When two values are equal, and which comes first: one place for all of SQL.

NULL inside an array, row or map makes an equality unknown; NaN equals nothing, not even NaN, yet
is not distinct from it; maps are equal whatever the order of their entries; moments are equal
whatever their zones.
"""

from __future__ import annotations

from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import Value, name

from .times import CLOCK_ZONED, ZONED


def is_plain(kind: Type) -> bool:
    """Whether DuckDB's own equality of values is Trino's IS NOT DISTINCT FROM."""
    if kind.name in ("map", ZONED, CLOCK_ZONED):
        return False
    return all(is_plain(item) for item in kind.items)


def is_ordered(kind: Type) -> bool:
    """Whether DuckDB puts values in Trino's order: moments are held with their UTC in front."""
    return kind.name not in ("map", CLOCK_ZONED) and all(is_ordered(item) for item in kind.items)


def key(sql: str, kind: Type) -> str:
    """What DuckDB can sort, group and compare in place of the value."""
    if is_plain(kind):
        return sql
    if kind.name == ZONED:
        return f"({sql}).utc::TIMESTAMP"
    if kind.name == CLOCK_ZONED:
        return f"trino_clock_key({sql})"
    if kind.name == "array":
        return f"list_transform({sql}, lambda e: {key('e', kind.items[0])})"
    if kind.name == "map":
        entry = f"{{'k': {key('e.key', kind.items[0])}, 'v': {key('e.value', kind.items[1])}}}"
        return f"list_sort(list_transform(map_entries({sql}), lambda e: {entry}))"
    fields = ", ".join(
        f"'f{i}': {key(f'({sql}).{name(t.field_name(kind, i))}', item)}"
        for i, item in enumerate(kind.items)
    )
    return f"CASE WHEN {sql} IS NOT NULL THEN {{{fields}}} END"


def equal(left: Value, right: Value) -> str:
    """`left = right` for two values of one type, in three truth values."""
    kind, a, b = left.type, left.sql, right.sql
    if kind.name in ("double", "real"):
        doubt = [f"NOT isnan({v.sql})" for v in (left, right) if v.constant is None][:1]
        if isinstance(left.constant, float) or isinstance(right.constant, float):
            doubt = []
        return f"({' AND '.join([f'{a} = {b}', *doubt])})"
    if not kind.items:
        return f"({key(a, kind)} = {key(b, kind)})"
    return f"list_transform([{{'a': {a}, 'b': {b}}}], lambda x: {_nested('x.a', 'x.b', kind)})[1]"


def _nested(a: str, b: str, kind: Type) -> str:
    if not kind.items:
        return equal(Value(a, kind), Value(b, kind))
    if kind.name == "row":
        fields = [
            _nested(f"({a}).{field}", f"({b}).{field}", item)
            for i, item in enumerate(kind.items)
            for field in [name(t.field_name(kind, i))]
        ]
        known = f"{a} IS NOT NULL AND {b} IS NOT NULL"
        return f"CASE WHEN {known} THEN ({' AND '.join(fields)}) END"
    if kind.name == "array":
        items = _nested("y[1]", "y[2]", kind.items[0])
        tests = f"list_transform(list_zip({a}, {b}), lambda y: {items})"
        return f"CASE WHEN len({a}) <> len({b}) THEN false ELSE trino_all({tests}) END"
    found = f"map_extract_value({b}, y.key)"
    tests = (
        f"list_transform(map_entries({a}), lambda y: {_nested('y.value', found, kind.items[1])})"
    )
    keys = f"list_has_all(map_keys({a}), map_keys({b}))"
    return (
        f"CASE WHEN cardinality({a}) <> cardinality({b}) OR NOT {keys} THEN false "
        f"ELSE trino_all({tests}) END"
    )


def compare(operator: str, left: Value, right: Value) -> str:
    """= <> < <= > >= and IS [NOT] DISTINCT FROM of two values of one type."""
    kind = left.type
    if operator == "=":
        return equal(left, right)
    if operator == "<>":
        return f"(NOT {equal(left, right)})"
    if kind.items and "DISTINCT" not in operator:
        order = f"trino_order({_order('x.a', 'x.b', kind)}) {operator} 0"
        known = f"CASE WHEN x.a IS NOT NULL AND x.b IS NOT NULL THEN {order} END"
        return f"list_transform([{{'a': {left.sql}, 'b': {right.sql}}}], lambda x: {known})[1]"
    a, b = key(left.sql, kind), key(right.sql, kind)
    test = f"{a} {operator} {b}"
    if kind.name in ("double", "real") and "DISTINCT" not in operator:
        # DuckDB puts NaN above every number; it is above `b` only if `a` is NaN itself.
        greater = {">": (left,), ">=": (left, right), "<": (right,), "<=": (left, right)}[operator]
        test += "".join(f" AND NOT isnan({v.sql})" for v in greater if v.constant is None)
    return f"({test})"


def _order(a: str, b: str, kind: Type) -> str:
    """-1, 0 or 1 as `a` is below, equal to or above `b`; 2 or 3 where a NULL inside of an array or
    of a row has to be compared, which Trino refuses."""
    if kind.name == "row":
        fields = []
        for i, item in enumerate(kind.items):
            field = name(t.field_name(kind, i))
            sides = f"({a}).{field}", f"({b}).{field}"
            unknown = " OR ".join(f"{side} IS NULL" for side in sides)
            fields.append(f"CASE WHEN {unknown} THEN 3 ELSE nullif({_order(*sides, item)}, 0) END")
        return f"coalesce({', '.join([*fields, '0'])})"
    if kind.name == "array":
        items = _order("y[1]", "y[2]", kind.items[0])
        tests = (
            f"list_transform(list_zip({a}, {b})[1:least(len({a}), len({b}))], lambda y: "
            f"CASE WHEN y[1] IS NULL OR y[2] IS NULL THEN 2 ELSE {items} END)"
        )
        longer = f"CAST(sign(len({a}) - len({b})) AS INTEGER)"
        return f"coalesce(list_filter({tests}, lambda z: z <> 0)[1], {longer})"
    a, b = key(a, kind), key(b, kind)
    return f"CASE WHEN {a} < {b} THEN -1 WHEN {a} > {b} THEN 1 ELSE 0 END"


MACROS = (
    """CREATE MACRO trino_order(way) AS CASE
        WHEN way = 2 THEN fail('NOT_SUPPORTED: '
            || 'ARRAY comparison not supported for arrays with null elements')
        WHEN way = 3 THEN fail('NOT_SUPPORTED: '
            || 'ROW comparison not supported for fields with null elements')
        ELSE way END""",
    """CREATE MACRO trino_all(tests) AS CASE WHEN tests IS NULL THEN NULL
        WHEN list_contains(tests, false) THEN false
        WHEN list_count(tests) < len(tests) THEN NULL ELSE true END""",
)
