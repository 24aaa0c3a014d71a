"""Aggregates and window functions: https://trino.io/docs/current/functions/aggregate.html

`{distinct}`, `{order}` and `{tail}` are the places of DISTINCT, ORDER BY, and FILTER
and OVER; `{nulls}` is a window function's IGNORE NULLS.

A row is a function: its signatures, each with the DuckDB text, `{0}` an argument. What begins with
`trino_` is a macro (macros.py) or a Python function (python/). Nothing else is let through, so that
a DuckDB function that Trino lacks is not reachable.
"""

from __future__ import annotations

from ..signatures import Overloads

AGGREGATES: dict[str, Overloads] = {
    "count": [("-> bigint", "count(*){tail}"), ("T -> bigint", "count({distinct}{0}){tail}")],
    "count_if": [("boolean -> bigint", "coalesce(CAST(count_if({0}){tail} AS BIGINT), 0)")],
    "sum": [
        ("bigint -> bigint", "CAST(sum({distinct}{0}){tail} AS BIGINT)"),
        ("real -> real", "CAST(sum({distinct}{0}){tail} AS REAL)"),
        ("double -> double", "sum({distinct}{0}){tail}"),
        ("day -> day", "CAST(sum({distinct}{0}){tail} AS BIGINT)"),
        ("month -> month", "CAST(sum({distinct}{0}){tail} AS INTEGER)"),
    ],
    "avg": [
        ("double -> double", "avg({distinct}{0}){tail}"),
        ("day -> day", "CAST(round(avg({distinct}{0}){tail}) AS BIGINT)"),
        ("month -> month", "CAST(round(avg({distinct}{0}){tail}) AS INTEGER)"),
    ],
    **{
        name: [
            ("O -> O", f"{name}({{0}}){{tail}}"),
            (
                "O, bigint -> array(O)",
                f"{name}({{0}}, trino_count({{1}}, 'second argument of max/min')){{tail}}",
            ),
        ]
        for name in ("min", "max")
    },
    **{
        f"{name}_by": [
            ("T, O -> T", f"arg_{name}_null({{0}}, {{1}}){{tail}}"),
            (
                "T, O, bigint -> array(T)",
                f"list_transform(arg_{name}({{{{'v': {{0}}}}}}, {{1}}, "
                "trino_count({2}, 'third argument of max_by/min_by')){tail}, lambda e: e.v)",
            ),
        ]
        for name in ("min", "max")
    },
    "arbitrary": [("T -> T", "any_value({0}){tail}")],
    "any_value": [("T -> T", "any_value({0}){tail}")],
    "array_agg": [("T -> array(T)", "list({distinct}{0}{order}){tail}")],
    "approx_distinct": [
        ("T -> bigint", "count(DISTINCT {0}){tail}"),
        ("T, double -> bigint", "count(DISTINCT {0}){tail}"),
    ],
    # From the greatest down, since Trino takes the value at floor(share * count).
    "approx_percentile": [
        (signature.format(kind), f"quantile_disc({{0}}, {fractions}){{tail}}")
        for kind in ("bigint", "real", "double")
        for signature, fractions in (
            ("{0}, double -> {0}", "trino_from_top({1})"),
            (
                "{0}, array(double) -> array({0})",
                "list_transform({1}, lambda share: trino_from_top(share))",
            ),
        )
    ],
    "bool_and": [("boolean -> boolean", "bool_and({0}){tail}")],
    "bool_or": [("boolean -> boolean", "bool_or({0}){tail}")],
    "every": [("boolean -> boolean", "bool_and({0}){tail}")],
    **{
        name: [("double -> double", f"{name}({{distinct}}{{0}}){{tail}}")]
        for name in ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp")
    },
    **{
        name: [("double, double -> double", f"trino_finite({name}({{0}}, {{1}}){{tail}})")]
        for name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept")
    },
    "checksum": [
        (
            f"{kind} -> varbinary",
            f"trino_checksum(CAST(sum(coalesce({hashed}, CAST(1 AS UBIGINT))){{tail}} "
            "% 18446744073709551616 AS UBIGINT))",
        )
        for kind, hashed in (
            ("bigint", "trino_hash_of_integer({0})"),
            ("S", "trino_hash_of_bytes(encode({0}))"),
            ("varbinary", "trino_hash_of_bytes({0})"),
        )
    ],
    "geometric_mean": [("double -> double", "exp(avg(ln({0})){tail})")],
    "histogram": [("E -> map(E,bigint)", "histogram({0}){tail}")],
    "map_agg": [("K, V -> map(K,V)", "trino_map_of(list({{'k': {0}, 'v': {1}}}){tail})")],
    "multimap_agg": [
        (
            "K, V -> map(K,array(V))",
            "trino_multimap_of(list({{'key': {0}, 'value': {1}}}{order}){tail})",
        )
    ],
    "map_union": [
        ("map(K,V) -> map(K,V)", "trino_map_union(list(map_entries({0})){tail})"),
    ],
    **{
        f"bitwise_{name}_agg": [("bigint -> bigint", f"bit_{name}({{0}}){{tail}}")]
        for name in ("and", "or", "xor")
    },
    **{
        name: [("double -> double", f"trino_{name}(list({{0}}){{tail}})")]
        for name in ("skewness", "kurtosis")
    },
}

_OFFSET = "trino_at_least({1}, 0, 'Offset must be at least 0')"
WINDOWS: dict[str, Overloads] = {
    **{name: [("-> bigint", f"{name}(){{tail}}")] for name in ("row_number", "rank", "dense_rank")},
    **{name: [("-> double", f"{name}(){{tail}}")] for name in ("percent_rank", "cume_dist")},
    "ntile": [
        (
            "bigint -> bigint",
            "ntile(trino_at_least({0}, 1, 'Buckets must be greater than 0')){tail}",
        )
    ],
    **{
        name: [
            ("T -> T", f"{name}({{0}}{{nulls}}){{tail}}"),
            ("T, bigint -> T", f"{name}({{0}}, {_OFFSET}{{nulls}}){{tail}}"),
            ("T, bigint, T -> T", f"{name}({{0}}, {_OFFSET}, {{2}}{{nulls}}){{tail}}"),
        ]
        for name in ("lag", "lead")
    },
    "first_value": [("T -> T", "first_value({0}{nulls}){tail}")],
    "last_value": [("T -> T", "last_value({0}{nulls}){tail}")],
    "nth_value": [
        (
            "T, bigint -> T",
            "nth_value({0}, trino_at_least({1}, 1, 'Offset must be at least 1'){nulls}){tail}",
        )
    ],
}
