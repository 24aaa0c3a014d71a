"""JSON, arrays and maps: https://trino.io/docs/current/functions/array.html

A row is a function: its signatures, each with the DuckDB text, `{0}` an argument. What begins with
`trino_` is a macro (macros.py) or a Python function (python/). Nothing else is let through, so that
a DuckDB function that Trino lacks is not reachable.
"""

from __future__ import annotations

from ..signatures import Overloads

NESTED: dict[str, Overloads] = {
    # JSON
    "json_parse": [("varchar -> json", "CAST(trino_json_parse_text({0}) AS JSON)")],
    "json_format": [("json -> varchar", "CAST({0} AS VARCHAR)")],
    "json_extract": [("text, varchar -> json", "CAST(trino_json_extract_text({0}, {1}) AS JSON)")],
    "json_extract_scalar": [("text, varchar -> varchar", "trino_json_scalar({0}, {1})")],
    "json_size": [("text, varchar -> bigint", "trino_json_size({0}, {1})")],
    "json_array_get": [("text, bigint -> json", "CAST(trino_json_array_get({0}, {1}) AS JSON)")],
    "json_array_length": [("text -> bigint", "trino_json_array_length({0})")],
    "is_json_scalar": [("text -> boolean", "trino_is_json_scalar({0})")],
    "json_array_contains": [
        ("text, boolean -> boolean", "trino_json_contains_boolean({0}, {1})"),
        ("text, bigint -> boolean", "trino_json_contains_integer({0}, {1})"),
        ("text, double -> boolean", "trino_json_contains_double({0}, {1})"),
        ("text, varchar -> boolean", "trino_json_contains_text({0}, {1})"),
    ],
    # arrays and maps
    "cardinality": [
        ("array(T) -> bigint", "len({0})"),
        ("map(K,V) -> bigint", "CAST(cardinality({0}) AS BIGINT)"),
    ],
    "contains": [("array(E), E -> boolean", "trino_contains({0}, {1})")],
    "element_at": [
        ("array(T), bigint -> T", "trino_element({0}, {1})"),
        ("map(K,V), K -> V", "map_extract_value({0}, {1})"),
    ],
    "array_distinct": [("array(E) -> array(E)", "trino_array_distinct({0})")],
    "array_max": [("array(O) -> O", "CASE WHEN list_count({0}) = len({0}) THEN list_max({0}) END")],
    "array_min": [("array(O) -> O", "CASE WHEN list_count({0}) = len({0}) THEN list_min({0}) END")],
    "array_position": [("array(E), E -> bigint", "CAST(trino_position({0}, {1}) AS BIGINT)")],
    "array_remove": [
        (
            "array(E), E -> array(E)",
            "CASE WHEN {1} IS NOT NULL THEN list_filter({0}, lambda e: e IS DISTINCT FROM {1}) END",
        )
    ],
    "array_sort": [("array(O) -> array(O)", "list_sort({0}, 'ASC', 'NULLS LAST')")],
    "array_union": [("array(E), array(E) -> array(E)", "trino_array_distinct({0} || {1})")],
    "flatten": [("array(array(T)) -> array(T)", "flatten({0})")],
    "shuffle": [
        (
            "array(T) -> array(T)",
            "list_transform(list_sort(list_transform({0}, lambda e: {{'r': random(), 'e': e}})), "
            "lambda x: x.e)",
        )
    ],
    "slice": [("array(T), bigint, bigint -> array(T)", "trino_slice({0}, {1}, {2})")],
    "map": [
        ("-> map(K,V)", "MAP {{}}"),
        ("array(K), array(V) -> map(K,V)", "trino_map({0}, {1})"),
    ],
    "map_keys": [("map(K,V) -> array(K)", "map_keys({0})")],
    "map_values": [("map(K,V) -> array(V)", "map_values({0})")],
    "map_concat": [
        ("map(K,V), map(K,V)... -> map(K,V)", "trino_no_null([{all}], map_concat({all}))")
    ],
    "array_first": [("array(T) -> T", "list_extract({0}, 1)")],
    "array_last": [("array(T) -> T", "list_extract({0}, -1)")],
    "arrays_overlap": [("array(E), array(E) -> boolean", "trino_overlap({0}, {1})")],
    "array_intersect": [("array(E), array(E) -> array(E)", "trino_intersect({0}, {1})")],
    "array_except": [("array(E), array(E) -> array(E)", "trino_except({0}, {1})")],
    "array_histogram": [("array(E) -> map(E,bigint)", "trino_histogram({0})")],
    "trim_array": [("array(T), bigint -> array(T)", "trino_trim_array({0}, {1})")],
    "contains_sequence": [("array(E), array(E) -> boolean", "trino_contains_sequence({0}, {1})")],
    "ngrams": [("array(T), bigint -> array(array(T))", "trino_ngrams({0}, {1})")],
    "combinations": [("array(T), bigint -> array(array(T))", "trino_combinations({0}, {1})")],
    "array_average": [("array(double) -> double", "list_avg({0})")],
    "repeat": [
        ("S, bigint -> array(S)", "trino_repeat_sized({0}, strlen({0}), {1})"),
        ("T, bigint -> array(T)", "trino_repeat({0}, {1})"),
    ],
    "sequence": [
        (
            "bigint, bigint -> array(bigint)",
            "trino_sequence({0}, {1}, CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)",
        ),
        ("bigint, bigint, bigint -> array(bigint)", "trino_sequence({0}, {1}, {2})"),
        (
            "date, date -> array(date)",
            "trino_date_sequence({0}, {1}, CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)",
        ),
        (
            "date, date, day -> array(date)",
            "trino_date_sequence({0}, {1}, trino_whole_days({2}))",
        ),
        (
            "date, date, month -> array(date)",
            "CAST(trino_month_sequence({0}, {1}, {2}) AS DATE[])",
        ),
        ("W, W, day -> array(W)", "trino_time_sequence({0}, {1}, {2})"),
        ("W, W, month -> array(W)", "trino_month_sequence({0}, {1}, {2})"),
    ],
}
