"""DuckDB macros that behave as the Trino functions they stand in for."""

from __future__ import annotations

MACROS = (  # each after those it calls
    """CREATE MACRO trino_subscript(items, place) AS CASE
        WHEN place = 0 THEN fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN place < 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || place)
        WHEN place > len(items) THEN fail('INVALID_FUNCTION_ARGUMENT: Array subscript must be '
            || 'less than or equal to array length: ' || place || ' > ' || len(items))
        ELSE list_extract(items, place) END""",
    """CREATE MACRO trino_element(items, place) AS CASE
        WHEN place = 0 THEN fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        ELSE list_extract(items, place) END""",
    """CREATE MACRO trino_key(pairs, wanted) AS CASE
        WHEN pairs IS NULL THEN NULL
        WHEN NOT map_contains(pairs, wanted) THEN
            fail('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || wanted)
        ELSE map_extract_value(pairs, wanted) END""",
    """CREATE MACRO trino_contains(items, wanted) AS CASE
        WHEN list_contains(items, wanted) THEN true
        WHEN wanted IS NULL OR list_count(items) < len(items) THEN NULL
        ELSE list_contains(items, wanted) END""",
    """CREATE MACRO trino_slice(items, first, size) AS CASE
        WHEN first = 0 THEN fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN size < 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0')
        WHEN abs(first) > len(items) OR size = 0 THEN items[1:0]
        WHEN first > 0 THEN items[first:first + size - 1]
        ELSE items[len(items) + first + 1:least(len(items), len(items) + first + size)] END""",
    """CREATE MACRO trino_substr(value, first, size) AS CASE
        WHEN first = 0 OR size <= 0 OR abs(first) > length(value) THEN
            CASE WHEN value IS NULL OR first IS NULL OR size IS NULL THEN NULL ELSE '' END
        ELSE substr(value, first, size) END""",
    """CREATE MACRO trino_split_part(value, mark, place) AS CASE
        WHEN place <= 0 THEN fail('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
        ELSE list_extract(string_split(value, mark), place) END""",
    """CREATE MACRO trino_pad(value, filler, size, padded) AS CASE
        WHEN size < 0 OR length(filler) = 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty') ELSE padded END""",
    """CREATE MACRO trino_decimal_divide(above, below) AS CASE
        WHEN below = 0 THEN fail('DIVISION_BY_ZERO: Division by zero')
        ELSE (CASE WHEN (above < 0) <> (below < 0) THEN -1 ELSE 1 END)
            * ((2 * abs(above) + abs(below)) // (2 * abs(below))) END""",
    """CREATE MACRO trino_round_to(value, places) AS CASE
        WHEN isnan(value) OR isinf(value) THEN value
        ELSE round(value, CAST(places AS INTEGER)) END""",
    """CREATE MACRO trino_months(earlier, later) AS date_sub('month', earlier, later)""",
    """CREATE MACRO trino_log(base, value) AS ln(value) / ln(base)""",
    """CREATE MACRO trino_bucket(value, low, high, parts) AS CASE
        WHEN parts <= 0 THEN fail('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0')
        WHEN low = high THEN fail('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other')
        WHEN low < high AND value < low THEN 0
        WHEN low < high AND value >= high THEN parts + 1
        WHEN low > high AND value > low THEN 0
        WHEN low > high AND value <= high THEN parts + 1
        ELSE CAST(floor(parts * (value - low) / (high - low)) AS BIGINT) + 1 END""",
    """CREATE MACRO trino_map(keys, items) AS CASE
        WHEN len(keys) <> len(items) THEN
            fail('INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length')
        WHEN len(list_distinct(keys)) <> len(keys) THEN
            fail('INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed')
        ELSE map(keys, items) END""",
    """CREATE MACRO trino_map_of(entries) AS CASE WHEN entries IS NOT NULL THEN map_from_entries(
        list_filter(entries, lambda e, i: e.k IS NOT NULL
            AND list_position(list_transform(entries, lambda x: x.k), e.k) = i)) END""",
    """CREATE MACRO trino_sequence(first, last, step) AS CASE
        WHEN step = 0 THEN fail('INVALID_FUNCTION_ARGUMENT: step must not be zero')
        WHEN (last - first) * sign(step) < 0 THEN fail('INVALID_FUNCTION_ARGUMENT: sequence stop '
            || 'value should be greater than or equal to start value if step is greater than zero')
        ELSE generate_series(first, last, step) END""",
    """CREATE MACRO trino_json_scalar(document, path) AS CASE
        WHEN json_type(document, path) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL
        ELSE json_extract_string(document, path) END""",
    """CREATE MACRO trino_position(items, wanted) AS CASE
        WHEN items IS NULL OR wanted IS NULL THEN NULL
        ELSE coalesce(list_position(items, wanted), 0) END""",
    """CREATE MACRO trino_point(digits, scale) AS
        substr(digits, 1, length(digits) - scale) || '.' || right(digits, scale)""",
    """CREATE MACRO trino_decimal_of(whole, scale) AS
        CASE WHEN whole < 0 THEN '-' ELSE '' END || trino_point(
            lpad(CAST(abs(whole) AS VARCHAR),
                CAST(greatest(length(CAST(abs(whole) AS VARCHAR)), scale + 1) AS INTEGER), '0'),
            scale)""",
    """CREATE MACRO trino_ln(value) AS CASE WHEN value > 0 THEN ln(value)
        WHEN value = 0 THEN '-Infinity'::DOUBLE WHEN value IS NULL THEN NULL
        ELSE 'NaN'::DOUBLE END""",
    """CREATE MACRO trino_array_distinct(items) AS list_filter(items,
        lambda e, i: CASE WHEN e IS NULL THEN list_count(items[1:i - 1]) = i - 1
            ELSE list_position(items, e) = i END)""",
    """CREATE MACRO trino_json_parse(document) AS CASE
        WHEN document IS NULL THEN NULL
        WHEN json_valid(document) THEN json(document)
        ELSE fail('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '''
            || document || '''') END""",
    """CREATE MACRO trino_parse_time(value, pattern) AS CASE
        WHEN value IS NULL THEN NULL
        WHEN try_strptime(value, pattern) IS NULL THEN
            fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || value || '"')
        ELSE strptime(value, pattern) END""",
    """CREATE MACRO trino_extract(value, pattern, part) AS CASE
        WHEN regexp_matches(value, pattern) THEN regexp_extract(value, pattern, part) END""",
    """CREATE MACRO trino_scientific_join(minus, whole, fraction, power) AS CASE
        WHEN ltrim(whole || fraction, '0') = '' THEN minus || '0.0E0'
        ELSE minus || substr(ltrim(whole || fraction, '0'), 1, 1) || '.' || CASE
            WHEN rtrim(substr(ltrim(whole || fraction, '0'), 2), '0') = '' THEN '0'
            ELSE rtrim(substr(ltrim(whole || fraction, '0'), 2), '0') END
            || 'E' || CAST(power + length(whole) - 1
                - (length(whole || fraction) - length(ltrim(whole || fraction, '0'))) AS VARCHAR)
        END""",
    """CREATE MACRO trino_scientific_parts(minus, plain, power) AS trino_scientific_join(
        minus,
        string_split(plain, '.')[1],
        coalesce(string_split(plain, '.')[2], ''),
        power)""",
    """CREATE MACRO trino_scientific_text(digits) AS trino_scientific_parts(
        CASE WHEN starts_with(digits, '-') THEN '-' ELSE '' END,
        string_split(lower(ltrim(digits, '-')), 'e')[1],
        CAST(coalesce(string_split(lower(digits), 'e')[2], '0') AS INTEGER))""",
    # 1.0E0: the digits of the shortest form, put in scientific notation as Java's DecimalFormat.
    """CREATE MACRO trino_scientific(number, digits) AS CASE
        WHEN isnan(number) THEN 'NaN'
        WHEN isinf(number) THEN CASE WHEN number > 0 THEN 'Infinity' ELSE '-Infinity' END
        ELSE trino_scientific_text(digits) END""",
)
