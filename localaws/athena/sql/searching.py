"""contains, array_position, array_remove and map where DuckDB's equality is not Trino's: of
elements that have elements, and of moments with zones. An unknown equality is an error there.

https://trino.io/docs/current/functions/array.html
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.trino import types as t
from localaws.trino.values import Value

from .equality import equal, is_plain
from .signatures import fit, read

_RESULTS = {
    "contains": (t.BOOLEAN, "trino_contains_of"),
    "array_position": (t.BIGINT, "trino_position_of"),
    "array_remove": (None, "trino_remove_of"),
}


def searching(name: str) -> Callable[[list[Value]], Value | None]:
    """The call, or None where DuckDB compares elements as Trino does."""
    kind, macro = _RESULTS[name]

    def search(arguments: list[Value]) -> Value | None:
        fitted = fit(read("array(T), T -> T"), arguments)
        if fitted is None:
            return None
        (items, wanted), element = fitted
        if is_plain(element) and not element.items:
            return None
        same = equal(Value("x.e", element), Value("x.w", element))
        pair = f"{{'e': e, 'w': {wanted.sql}}}"
        pairs = f"list_transform({items.sql}, lambda e: {pair})"
        test = f"CASE WHEN x.e IS NULL THEN 'null' ELSE coalesce(CAST({same} AS VARCHAR), '?') END"
        tests = f"list_transform({pairs}, lambda x: {test})"
        called = f"{macro}({items.sql}, {tests}, '{name}')"
        sql = f"CASE WHEN {wanted.sql} IS NOT NULL THEN {called} END"
        return Value(sql, kind or items.type)

    return search


def map_(arguments: list[Value]) -> Value | None:
    """map(keys, values) whose keys have elements, none of which may be NULL."""
    fitted = fit(read("array(K), array(T) -> K"), arguments)
    if fitted is None or not fitted[1].items:
        return None
    (keys, items), kind = fitted
    key = Value("k", kind)
    unsure = f"list_contains(list_transform({keys.sql}, lambda k: {equal(key, key)} IS NULL), true)"
    wrong = "fail('INVALID_FUNCTION_ARGUMENT: map key cannot be indeterminate')"
    sql = f"CASE WHEN {unsure} THEN {wrong} ELSE trino_map({keys.sql}, {items.sql}) END"
    return Value(sql, t.map_of(kind, items.type.items[0]))


SEARCHES = {**{name: searching(name) for name in _RESULTS}, "map": map_}

MACROS = (
    """CREATE MACRO trino_unsure(name) AS fail('NOT_SUPPORTED: ' || name
        || ' does not support arrays with elements that are null or contain null')""",
    """CREATE MACRO trino_position_of(items, tests, name) AS CASE
        WHEN tests IS NULL THEN NULL
        WHEN coalesce(list_position(tests, '?'), 0) > 0
            AND list_position(tests, '?') < coalesce(nullif(list_position(tests, 'true'), 0),
                len(tests) + 1) THEN trino_unsure(name)
        ELSE CAST(coalesce(list_position(tests, 'true'), 0) AS BIGINT) END""",
    """CREATE MACRO trino_contains_of(items, tests, name) AS CASE
        WHEN trino_position_of(items, tests, name) > 0 THEN true
        WHEN list_contains(tests, 'null') THEN NULL
        WHEN tests IS NOT NULL THEN false END""",
    """CREATE MACRO trino_remove_of(items, tests, name) AS CASE
        WHEN list_contains(tests, '?') THEN trino_unsure(name)
        ELSE list_filter(items, lambda e, i: tests[i] <> 'true') END""",
)
