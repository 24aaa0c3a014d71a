"""Functions that take functions: transform, filter, reduce and their relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import Value, all_there

from .casts import convert
from .compiler import Compiler, structure
from .scope import Scope

structure(exp.Lambda, takes=("this", "expressions"))
Compiled = Callable[[Compiler, list[Any], Scope], Value]


def _body(c: Compiler, node: Any, scope: Scope, values: list[Value]) -> Value:
    """The lambda's body with its parameters standing for `values`."""
    if not isinstance(node, exp.Lambda) or len(node.expressions) != len(values):
        raise QueryError(
            "TYPE_MISMATCH", f"a lambda with {len(values)} parameters is expected here"
        )
    if node.find(exp.Query):
        raise not_emulated("a subquery in a lambda", node)
    names = [parameter.name.lower() for parameter in node.expressions]
    inner = Scope(outer=scope, locals=dict(zip(names, values, strict=True)))
    return c.compile(node.this, inner)


def _argument(c: Compiler, node: Any, scope: Scope, name: str, function: str) -> Value:
    value = c.compile(node, scope)
    if value.type.name != name:
        raise QueryError(
            "TYPE_MISMATCH", f"Unexpected parameters ({value.type}) for function {function}"
        )
    return value


def transform(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    items = _argument(c, arguments[0], scope, "array", "transform")
    name = c.fresh("p")
    body = _body(c, arguments[1], scope, [Value(name, items.type.items[0])])
    return Value(f"list_transform({items.sql}, lambda {name}: {body.sql})", t.array(body.type))


def filter_(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    items = _argument(c, arguments[0], scope, "array", "filter")
    name = c.fresh("p")
    body = _body(c, arguments[1], scope, [Value(name, items.type.items[0])])
    return Value(
        f"list_filter({items.sql}, lambda {name}: coalesce({body.sql}, false))", items.type
    )


def match(word: str) -> Compiled:
    """any_match, all_match, none_match, with SQL's third truth value."""

    def compile_match(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
        items = _argument(c, arguments[0], scope, "array", f"{word}_match")
        name = c.fresh("p")
        body = _body(c, arguments[1], scope, [Value(name, items.type.items[0])])
        tests = f"list_transform({items.sql}, lambda {name}: {body.sql})"
        decisive = "false" if word == "all" else "true"
        result = {"any": ("true", "false"), "all": ("false", "true"), "none": ("false", "true")}[
            word
        ]
        return Value(
            f"CASE WHEN {items.sql} IS NULL THEN NULL WHEN list_contains({tests}, {decisive}) "
            f"THEN {result[0]} WHEN list_count({tests}) < len({tests}) THEN NULL ELSE {result[1]} "
            "END",
            t.BOOLEAN,
        )

    return compile_match


def reduce_(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    items = _argument(c, arguments[0], scope, "array", "reduce")
    return _body(c, arguments[3], scope, [_folded(c, items, arguments[1:3], scope)])


def reduce_agg(c: Compiler, arguments: list[Any], scope: Scope, tail: str) -> Value:
    """What is not NULL, folded; the function that joins two states has nothing to join here."""
    item = c.compile(arguments[0], scope)
    items = Value(f"list_filter(list({item.sql}){tail}, lambda e: e IS NOT NULL)",
                  t.array(item.type))  # fmt: skip
    folded = _folded(c, items, arguments[1:3], scope)
    _body(c, arguments[3], scope, [Value("NULL", folded.type)] * 2)
    return Value(f"CASE WHEN len({items.sql}) > 0 THEN {folded.sql} END", folded.type)


def _folded(c: Compiler, items: Value, start_and_step: list[Any], scope: Scope) -> Value:
    """The state after the last item. The start decides the state's type, as in Trino; a step of a
    wider type is refused there."""
    start = c.compile(start_and_step[0], scope)
    state, item = c.fresh("p"), c.fresh("p")
    kind: Type = start.type
    for _ in range(2):
        step = _body(
            c,
            start_and_step[1],
            scope,
            [Value(f"{state}.s", kind), Value(f"{item}.e", items.type.items[0])],
        )
        kind = t.common(kind, step.type) or kind
    step = convert(step, kind)
    shape = f"STRUCT(s {t.duckdb(kind)}, e {t.duckdb(items.type.items[0])})"
    first = f"{{'s': {convert(start, kind).sql}, 'e': NULL}}::{shape}"
    rows = f"list_transform({items.sql}, lambda {item}: {{'s': NULL, 'e': {item}}}::{shape})"
    folded = (
        f"list_reduce({rows}, "
        f"lambda {state}, {item}: {{'s': {step.sql}, 'e': NULL}}::{shape}, {first}).s"
    )
    return Value(folded, kind)


def array_first(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    found = filter_(c, arguments, scope)
    return Value(f"list_extract({found.sql}, 1)", found.type.items[0])


def zip_with(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    left = _argument(c, arguments[0], scope, "array", "zip_with")
    right = _argument(c, arguments[1], scope, "array", "zip_with")
    name = c.fresh("p")
    values = [Value(f"{name}[1]", left.type.items[0]), Value(f"{name}[2]", right.type.items[0])]
    body = _body(c, arguments[2], scope, values)
    zipped = f"list_transform(list_zip({left.sql}, {right.sql}), lambda {name}: {body.sql})"
    return Value(all_there([left, right], zipped), t.array(body.type))


def over_map(function: str) -> Compiled:
    """map_filter, transform_keys, transform_values, entry by entry."""

    def compile_map(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
        pairs = _argument(c, arguments[0], scope, "map", function)
        name = c.fresh("p")
        key, item = pairs.type.items
        body = _body(
            c, arguments[1], scope, [Value(f"{name}.key", key), Value(f"{name}.value", item)]
        )
        entries = f"map_entries({pairs.sql})"
        if function == "map_filter":
            kept = f"list_filter({entries}, lambda {name}: coalesce({body.sql}, false))"
            return Value(f"map_from_entries({kept})", pairs.type)
        fields = (
            (body.sql, f"{name}.value")
            if function == "transform_keys"
            else (f"{name}.key", body.sql)
        )
        pair = f"{{'key': {fields[0]}, 'value': {fields[1]}}}"
        new = f"list_transform({entries}, lambda {name}: {pair})"
        kind = (
            t.map_of(body.type, item) if function == "transform_keys" else t.map_of(key, body.type)
        )
        return Value(f"trino_map_of_entries({new})", kind)

    return compile_map


def array_sort(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    """By a comparator: each item's place is the number of items that it comes after."""
    items = _argument(c, arguments[0], scope, "array", "array_sort")
    left, right = c.fresh("p"), c.fresh("p")
    kind = items.type.items[0]
    body = _body(c, arguments[1], scope, [Value(left, kind), Value(right, kind)])
    if not t.is_integer(body.type):
        raise QueryError("TYPE_MISMATCH", f"array_sort: the comparator is {body.type}, not integer")
    wrong = "fail('INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1')"
    order = f"CASE WHEN abs({body.sql}) > 1 THEN {wrong} ELSE {body.sql} END"
    tests = f"list_transform({items.sql}, lambda {right}: {order})"
    rank = f"len(list_filter({tests}, lambda r: r > 0))"
    ranked = f"list_transform({items.sql}, lambda {left}, i: {{'r': {rank}, 'i': i}})"
    return Value(
        f"list_transform(list_sort({ranked}), lambda e: list_extract({items.sql}, e.i))", items.type
    )


def map_zip_with(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    left = _argument(c, arguments[0], scope, "map", "map_zip_with")
    right = _argument(c, arguments[1], scope, "map", "map_zip_with")
    kind = t.common(left.type.items[0], right.type.items[0])
    if kind is None:
        raise QueryError("TYPE_MISMATCH", "map_zip_with takes maps of one type of keys")
    name = c.fresh("p")
    sides = [
        Value(f"map_extract_value({side.sql}, {name})", side.type.items[1])
        for side in (left, right)
    ]
    body = _body(c, arguments[2], scope, [Value(name, kind), *sides])
    keys = f"list_distinct(list_concat(map_keys({left.sql}), map_keys({right.sql})))"
    entry = f"{{'key': {name}, 'value': {body.sql}}}"
    made = f"map_from_entries(list_transform({keys}, lambda {name}: {entry}))"
    return Value(all_there([left, right], made), t.map_of(kind, body.type))


def regexp_replace(c: Compiler, arguments: list[Any], scope: Scope) -> Value:
    """By a function of each match's groups."""
    subject, pattern = (c.compile(item, scope) for item in arguments[:2])
    for value in (subject, pattern):
        if value.type.name not in ("varchar", "char", "unknown"):
            raise QueryError(
                "TYPE_MISMATCH", f"Unexpected parameters ({value.type}) for function regexp_replace"
            )
    found, groups = c.fresh("p"), c.fresh("p")
    body = _body(c, arguments[2], scope, [Value(groups, t.array(t.VARCHAR))])
    new = f"list_transform({found}.groups, lambda {groups}: {convert(body, t.VARCHAR).sql})"
    return Value(
        f"list_transform([trino_regexp_matches({subject.sql}, {pattern.sql})], "
        f"lambda {found}: trino_regexp_joined({found}.between, {new}))[1]",
        t.VARCHAR,
    )


def over_functions(c: Compiler, name: str, arguments: list[Any], scope: Scope, tail: str) -> Value:
    """The call of one of LAMBDAS; `tail` is an aggregate's FILTER and OVER."""
    if len(arguments) != _ARGUMENTS.get(name, 2):
        raise QueryError(
            "FUNCTION_NOT_FOUND",
            f"Unexpected number of parameters ({len(arguments)}) for function {name}",
        )
    if name == "reduce_agg":
        return reduce_agg(c, arguments, scope, tail)
    if tail:
        raise QueryError("FUNCTION_NOT_AGGREGATE", f"{name} is not an aggregate or window function")
    return _SCALARS[name](c, arguments, scope)


_ARGUMENTS = {
    "reduce": 4, "reduce_agg": 4, "zip_with": 3, "map_zip_with": 3, "regexp_replace": 3,
}  # fmt: skip
_SCALARS: dict[str, Compiled] = {
    "transform": transform,
    "filter": filter_,
    "any_match": match("any"),
    "all_match": match("all"),
    "none_match": match("none"),
    "reduce": reduce_,
    "zip_with": zip_with,
    "array_first": array_first,
    "array_sort": array_sort,
    "map_zip_with": map_zip_with,
    "regexp_replace": regexp_replace,
    "map_filter": over_map("map_filter"),
    "transform_keys": over_map("transform_keys"),
    "transform_values": over_map("transform_values"),
}
LAMBDAS = frozenset({*_SCALARS, "reduce_agg"})
