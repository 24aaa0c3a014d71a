"""The functions of Athena that this engine has: signature and DuckDB text. Nothing else is let
through, so a DuckDB function that Trino lacks is not reachable.

Meaning: https://trino.io/docs/current/functions.html. In a template `{0}` is an argument; in an
aggregate `{distinct}`, `{order}` and `{tail}` are the places of DISTINCT, ORDER BY, and FILTER and
OVER; `{nulls}` is a window function's IGNORE NULLS.
"""

from __future__ import annotations

Overloads = list[tuple[str, str]]

SCALARS: dict[str, Overloads] = {
    # numbers
    "abs": [("N -> N", "abs({0})")],
    "ceiling": [("double -> double", "ceil({0})")],
    "floor": [("double -> double", "floor({0})")],
    "round": [
        ("double -> double", "round({0})"),
        ("double, integer -> double", "trino_round_to({0}, {1})"),
    ],
    "truncate": [("double -> double", "trunc({0})")],
    "sqrt": [("double -> double", "CASE WHEN {0} < 0 THEN 'NaN'::DOUBLE ELSE sqrt({0}) END")],
    "cbrt": [("double -> double", "cbrt({0})")],
    "exp": [("double -> double", "exp({0})")],
    "ln": [("double -> double", "trino_ln({0})")],
    "log2": [("double -> double", "(trino_ln({0}) / ln(2::DOUBLE))")],
    "log10": [("double -> double", "CASE WHEN {0} > 0 THEN log10({0}) ELSE trino_ln({0}) END")],
    "log": [("double, double -> double", "(trino_ln({1}) / trino_ln({0}))")],
    "power": [("double, double -> double", "power({0}, {1})")],
    "mod": [("N, N -> N", "({0} % {1})")],
    "pi": [("-> double", "pi()")],
    "e": [("-> double", "exp(1::DOUBLE)")],
    "degrees": [("double -> double", "degrees({0})")],
    "radians": [("double -> double", "radians({0})")],
    **{
        name: [("double -> double", f"{name}({{0}})")]
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
    },
    "atan2": [("double, double -> double", "atan2({0}, {1})")],
    "is_nan": [("double -> boolean", "isnan({0})")],
    "is_finite": [("double -> boolean", "isfinite({0})")],
    "is_infinite": [("double -> boolean", "isinf({0})")],
    "nan": [("-> double", "'NaN'::DOUBLE")],
    "infinity": [("-> double", "'Infinity'::DOUBLE")],
    "width_bucket": [
        ("double, double, double, bigint -> bigint", "trino_bucket({0}, {1}, {2}, {3})")
    ],
    "bitwise_and": [("bigint, bigint -> bigint", "({0} & {1})")],
    "bitwise_or": [("bigint, bigint -> bigint", "({0} | {1})")],
    "bitwise_xor": [("bigint, bigint -> bigint", "xor({0}, {1})")],
    "bitwise_not": [("bigint -> bigint", "(~{0})")],
    # text
    "length": [
        ("varchar -> bigint", "length({0})"),
        ("varbinary -> bigint", "octet_length({0})"),
    ],
    "lower": [("varchar -> varchar", "lower({0})")],
    "upper": [("varchar -> varchar", "upper({0})")],
    "trim": [
        ("varchar -> varchar", "trim({0})"),
        ("varchar, varchar -> varchar", "trim({0}, {1})"),
    ],
    "ltrim": [
        ("varchar -> varchar", "ltrim({0})"),
        ("varchar, varchar -> varchar", "ltrim({0}, {1})"),
    ],
    "rtrim": [
        ("varchar -> varchar", "rtrim({0})"),
        ("varchar, varchar -> varchar", "rtrim({0}, {1})"),
    ],
    "substr": [
        ("varchar, bigint -> varchar", "trino_substr({0}, {1}, 2147483647)"),
        ("varchar, bigint, bigint -> varchar", "trino_substr({0}, {1}, {2})"),
    ],
    "replace": [
        ("varchar, varchar -> varchar", "replace({0}, {1}, '')"),
        ("varchar, varchar, varchar -> varchar", "replace({0}, {1}, {2})"),
    ],
    "reverse": [
        ("varchar -> varchar", "reverse({0})"),
        ("array(T) -> array(T)", "list_reverse({0})"),
    ],
    "strpos": [("varchar, varchar -> bigint", "strpos({0}, {1})")],
    "starts_with": [("varchar, varchar -> boolean", "starts_with({0}, {1})")],
    "split": [("varchar, varchar -> array(varchar)", "string_split({0}, {1})")],
    "split_part": [("varchar, varchar, bigint -> varchar", "trino_split_part({0}, {1}, {2})")],
    "lpad": [
        (
            "varchar, bigint, varchar -> varchar",
            "trino_pad({0}, {2}, {1}, lpad({0}, CAST({1} AS INTEGER), {2}))",
        )
    ],
    "rpad": [
        (
            "varchar, bigint, varchar -> varchar",
            "trino_pad({0}, {2}, {1}, rpad({0}, CAST({1} AS INTEGER), {2}))",
        )
    ],
    "chr": [("bigint -> varchar", "chr(CAST({0} AS INTEGER))")],
    "codepoint": [("varchar -> integer", "unicode({0})")],
    "translate": [("varchar, varchar, varchar -> varchar", "translate({0}, {1}, {2})")],
    "levenshtein_distance": [("varchar, varchar -> bigint", "levenshtein({0}, {1})")],
    "hamming_distance": [("varchar, varchar -> bigint", "hamming({0}, {1})")],
    "to_utf8": [("varchar -> varbinary", "encode({0})")],
    "from_utf8": [("varbinary -> varchar", "decode({0})")],
    "to_hex": [("varbinary -> varchar", "hex({0})")],
    "from_hex": [("varchar -> varbinary", "unhex({0})")],
    "to_base64": [("varbinary -> varchar", "to_base64({0})")],
    "from_base64": [("varchar -> varbinary", "from_base64({0})")],
    "md5": [("varbinary -> varbinary", "unhex(md5({0}))")],
    "sha1": [("varbinary -> varbinary", "unhex(sha1({0}))")],
    "sha256": [("varbinary -> varbinary", "unhex(sha256({0}))")],
    "crc32": [("varbinary -> bigint", "trino_crc32({0})")],
    "regexp_like": [("varchar, varchar -> boolean", "regexp_matches({0}, {1})")],
    "regexp_count": [("varchar, varchar -> bigint", "len(regexp_extract_all({0}, {1}))")],
    # conditions and the rest
    "array_join": [
        (
            "array(T), varchar -> varchar",
            "array_to_string(list_filter(CAST({0} AS VARCHAR[]), lambda e: e IS NOT NULL), {1})",
        ),
        (
            "array(T), varchar, varchar -> varchar",
            "array_to_string(list_transform(CAST({0} AS VARCHAR[]), lambda e: coalesce(e, {2})), "
            "{1})",
        ),
    ],
    # dates
    "from_unixtime": [("double -> tz", "to_timestamp({0})")],
    "to_unixtime": [("tz -> double", "epoch({0})")],
    "from_iso8601_date": [("varchar -> date", "CAST({0} AS DATE)")],
    "last_day_of_month": [
        ("date -> date", "last_day({0})"),
        ("timestamp -> date", "last_day({0})"),
    ],
    **{
        name: [
            ("date -> bigint", f"CAST({text}({{0}}) AS BIGINT)"),
            ("timestamp -> bigint", f"CAST({text}({{0}}) AS BIGINT)"),
            ("tz -> bigint", f"CAST({text}({{0}}) AS BIGINT)"),
        ]
        for name, text in (
            ("year", "year"),
            ("quarter", "quarter"),
            ("month", "month"),
            ("week", "week"),
            ("day", "day"),
            ("day_of_week", "isodow"),
            ("day_of_year", "dayofyear"),
            ("year_of_week", "isoyear"),
        )
    },
    **{
        name: [
            ("timestamp -> bigint", f"CAST({text} AS BIGINT)"),
            ("tz -> bigint", f"CAST({text} AS BIGINT)"),
        ]
        for name, text in (
            ("hour", "hour({0})"),
            ("minute", "minute({0})"),
            ("second", "second({0})"),
            ("millisecond", "(millisecond({0}) % 1000)"),
        )
    },
    # JSON
    "json_parse": [("varchar -> json", "trino_json_parse({0})")],
    "json_format": [("json -> varchar", "CAST({0} AS VARCHAR)")],
    "json_extract": [
        ("json, varchar -> json", "json_extract({0}, {1})"),
        ("varchar, varchar -> json", "json_extract(TRY(json({0})), {1})"),
    ],
    "json_extract_scalar": [
        ("json, varchar -> varchar", "trino_json_scalar({0}, {1})"),
        ("varchar, varchar -> varchar", "trino_json_scalar(TRY_CAST({0} AS JSON), {1})"),
    ],
    "json_array_length": [
        (
            "json -> bigint",
            "CASE WHEN json_type({0}) = 'ARRAY' THEN CAST(json_array_length({0}) AS BIGINT) END",
        ),
        (
            "varchar -> bigint",
            "CASE WHEN json_type(TRY_CAST({0} AS JSON)) = 'ARRAY' THEN "
            "CAST(json_array_length({0}) AS BIGINT) END",
        ),
    ],
    # arrays and maps
    "cardinality": [
        ("array(T) -> bigint", "len({0})"),
        ("map(K,V) -> bigint", "CAST(cardinality({0}) AS BIGINT)"),
    ],
    "contains": [("array(T), T -> boolean", "trino_contains({0}, {1})")],
    "element_at": [
        ("array(T), bigint -> T", "trino_element({0}, {1})"),
        ("map(K,V), K -> V", "map_extract_value({0}, {1})"),
    ],
    "array_distinct": [("array(T) -> array(T)", "trino_array_distinct({0})")],
    "array_max": [("array(T) -> T", "CASE WHEN list_count({0}) = len({0}) THEN list_max({0}) END")],
    "array_min": [("array(T) -> T", "CASE WHEN list_count({0}) = len({0}) THEN list_min({0}) END")],
    "array_position": [("array(T), T -> bigint", "CAST(trino_position({0}, {1}) AS BIGINT)")],
    "array_remove": [
        ("array(T), T -> array(T)", "list_filter({0}, lambda e: e IS DISTINCT FROM {1})")
    ],
    "array_sort": [("array(T) -> array(T)", "list_sort({0}, 'ASC', 'NULLS LAST')")],
    "array_intersect": [
        (
            "array(T), array(T) -> array(T)",
            "list_filter(trino_array_distinct({0}), lambda e: list_contains({1}, e))",
        )
    ],
    "array_except": [
        (
            "array(T), array(T) -> array(T)",
            "list_filter(trino_array_distinct({0}), lambda e: NOT list_contains({1}, e))",
        )
    ],
    "array_union": [
        ("array(T), array(T) -> array(T)", "trino_array_distinct(list_concat({0}, {1}))")
    ],
    "arrays_overlap": [("array(T), array(T) -> boolean", "list_has_any({0}, {1})")],
    "flatten": [("array(array(T)) -> array(T)", "flatten({0})")],
    "slice": [("array(T), bigint, bigint -> array(T)", "trino_slice({0}, {1}, {2})")],
    "repeat": [("T, integer -> array(T)", "list_transform(range({1}), lambda e: {0})")],
    "sequence": [
        (
            "bigint, bigint -> array(bigint)",
            "trino_sequence({0}, {1}, CASE WHEN {0} <= {1} THEN 1 ELSE -1 END)",
        ),
        ("bigint, bigint, bigint -> array(bigint)", "trino_sequence({0}, {1}, {2})"),
        ("date, date -> array(date)", "CAST(generate_series({0}, {1}, INTERVAL 1 DAY) AS DATE[])"),
    ],
    "map": [
        ("-> map(K,V)", "MAP {{}}"),
        ("array(K), array(V) -> map(K,V)", "trino_map({0}, {1})"),
    ],
    "map_keys": [("map(K,V) -> array(K)", "map_keys({0})")],
    "map_values": [("map(K,V) -> array(V)", "map_values({0})")],
    "map_concat": [("map(K,V), map(K,V)... -> map(K,V)", "map_concat({all})")],
}

AGGREGATES: dict[str, Overloads] = {
    "count": [("-> bigint", "count(*){tail}"), ("T -> bigint", "count({distinct}{0}){tail}")],
    "count_if": [("boolean -> bigint", "CAST(count_if({0}){tail} AS BIGINT)")],
    "sum": [
        ("bigint -> bigint", "CAST(sum({distinct}{0}){tail} AS BIGINT)"),
        ("real -> real", "CAST(sum({distinct}{0}){tail} AS REAL)"),
        ("double -> double", "sum({distinct}{0}){tail}"),
    ],
    "avg": [("double -> double", "avg({distinct}{0}){tail}")],
    "min": [("T -> T", "min({0}){tail}")],
    "max": [("T -> T", "max({0}){tail}")],
    "min_by": [("T, K -> T", "arg_min_null({0}, {1}){tail}")],
    "max_by": [("T, K -> T", "arg_max_null({0}, {1}){tail}")],
    "arbitrary": [("T -> T", "any_value({0}){tail}")],
    "any_value": [("T -> T", "any_value({0}){tail}")],
    "array_agg": [("T -> array(T)", "list({distinct}{0}{order}){tail}")],
    "approx_distinct": [
        ("T -> bigint", "count(DISTINCT {0}){tail}"),
        ("T, double -> bigint", "count(DISTINCT {0}){tail}"),
    ],
    "approx_percentile": [
        ("bigint, double -> bigint", "quantile_disc({0}, {1}){tail}"),
        ("double, double -> double", "quantile_disc({0}, {1}){tail}"),
        ("bigint, array(double) -> array(bigint)", "quantile_disc({0}, {1}){tail}"),
        ("double, array(double) -> array(double)", "quantile_disc({0}, {1}){tail}"),
    ],
    "bool_and": [("boolean -> boolean", "bool_and({0}){tail}")],
    "bool_or": [("boolean -> boolean", "bool_or({0}){tail}")],
    "every": [("boolean -> boolean", "bool_and({0}){tail}")],
    **{
        name: [("double -> double", f"{name}({{distinct}}{{0}}){{tail}}")]
        for name in ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp")
    },
    **{
        name: [("double, double -> double", f"{name}({{0}}, {{1}}){{tail}}")]
        for name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept")
    },
    "geometric_mean": [("double -> double", "exp(avg(ln({0})){tail})")],
    "histogram": [("T -> map(T,bigint)", "histogram({0}){tail}")],
    "map_agg": [("K, V -> map(K,V)", "trino_map_of(list({{'k': {0}, 'v': {1}}}){tail})")],
}

WINDOWS: dict[str, Overloads] = {
    **{name: [("-> bigint", f"{name}(){{tail}}")] for name in ("row_number", "rank", "dense_rank")},
    **{name: [("-> double", f"{name}(){{tail}}")] for name in ("percent_rank", "cume_dist")},
    "ntile": [("bigint -> bigint", "ntile({0}){tail}")],
    **{
        name: [
            ("T -> T", f"{name}({{0}}{{nulls}}){{tail}}"),
            ("T, bigint -> T", f"{name}({{0}}, {{1}}{{nulls}}){{tail}}"),
            ("T, bigint, T -> T", f"{name}({{0}}, {{1}}, {{2}}{{nulls}}){{tail}}"),
        ]
        for name in ("lag", "lead")
    },
    "first_value": [("T -> T", "first_value({0}{nulls}){tail}")],
    "last_value": [("T -> T", "last_value({0}{nulls}){tail}")],
    "nth_value": [("T, bigint -> T", "nth_value({0}, {1}{nulls}){tail}")],
}

ALIASES = {
    "ceil": "ceiling",
    "pow": "power",
    "substring": "substr",
    "rand": "random",
    "dow": "day_of_week",
    "doy": "day_of_year",
    "yow": "year_of_week",
    "week_of_year": "week",
    "day_of_month": "day",
    "every": "bool_and",
    "char_length": "length",
    "character_length": "length",
    "string_agg": "string_agg",
}

# Functions that Trino has and this engine does not: the error says which of the two lacks it.
# https://trino.io/docs/current/functions/list.html
KNOWN_TO_TRINO = frozenset(
    """
    acos all_match any_match apply approx_most_frequent approx_set array_average array_first
    array_histogram array_last at_timezone bar beta_cdf bing_tile bit_count bitwise_and_agg
    bitwise_left_shift bitwise_or_agg bitwise_right_shift bitwise_right_shift_arithmetic
    bitwise_xor_agg cardinality char2hexint checksum classify color combinations concat_ws
    contains_sequence convex_hull_agg cosine_distance cosine_similarity current_groups
    current_timezone date_parse entropy evaluate_classifier_predictions features from_base
    from_base32 from_base64url from_big_endian_32 from_big_endian_64 from_encoded_polyline
    from_geojson_geometry from_ieee754_32 from_ieee754_64 from_iso8601_timestamp
    from_iso8601_timestamp_nanos from_unixtime_nanos geometry_from_hadoop_shape
    great_circle_distance hash_counts hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512
    human_readable_seconds inverse_beta_cdf inverse_normal_cdf is_json_scalar jaccard_index
    json_array json_array_contains json_array_get json_exists json_object json_query json_size
    json_value kurtosis learn_classifier line_locate_point listagg luhn_check make_set_digest
    map_entries map_from_entries map_union map_zip_with merge merge_set_digest multimap_agg
    multimap_from_entries murmur3 ngrams none_match normal_cdf normalize now numeric_histogram
    objectid_timestamp parse_data_size parse_datetime parse_duration parse_presto_data_size
    qdigest_agg quantile_at_value quantiles_at_values rand random reduce_agg regexp_extract_all
    regexp_position regexp_split regr_count regr_r2 render rgb sha512 shuffle skewness soundex
    split_to_map split_to_multimap spooky_hash_v2_32 spooky_hash_v2_64 st_area st_contains
    st_distance st_point strrpos tdigest_agg theta_sketch_estimate timestamp_objectid
    timezone_hour timezone_minute to_base to_base32 to_base64url to_big_endian_32
    to_big_endian_64 to_geometry to_ieee754_32 to_ieee754_64 to_iso8601 to_milliseconds
    trim_array typeof url_decode url_encode url_extract_fragment url_extract_host
    url_extract_parameter url_extract_path url_extract_port url_extract_protocol
    url_extract_query uuid value_at_quantile values_at_quantiles wilson_interval_lower
    wilson_interval_upper with_timezone word_stem xxhash64 zip
    """.split()  # noqa: SIM905 - a list of a hundred quoted words reads worse
)
