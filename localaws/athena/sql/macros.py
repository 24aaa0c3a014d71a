"""DuckDB macros that behave as the Trino functions they stand in for."""

from __future__ import annotations

from .aggregate_macros import MACROS as _AGGREGATES
from .equality import MACROS as _EQUALITY
from .operators import MACROS as _OPERATORS
from .searching import MACROS as _SEARCHING
from .times import MACROS as _TIMES

_NESTED = (  # each after those it calls
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
            fail('INVALID_FUNCTION_ARGUMENT: Key not present in map: '
                || CAST(wanted AS VARCHAR))
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
    # Code point by code point, where DuckDB keeps an accent with its letter.
    """CREATE MACRO trino_reverse(v) AS CASE WHEN strlen(v) = length(v) THEN reverse(v)
        ELSE trino_reversed(v) END""",
    # Java has no capital of it; DuckDB has the one that is hardly ever written.
    """CREATE MACRO trino_upper(v) AS CASE WHEN contains(v, 'ß') THEN array_to_string(
        list_transform(string_split(v, 'ß'), lambda part: upper(part)), 'ß') ELSE upper(v) END""",
    """CREATE MACRO trino_substr(value, first, size) AS CASE
        WHEN first = 0 OR size <= 0 OR abs(first) > length(value) THEN
            CASE WHEN value IS NULL OR first IS NULL OR size IS NULL THEN NULL ELSE '' END
        ELSE substr(value, first, size) END""",
    """CREATE MACRO trino_split_part(value, mark, place) AS CASE
        WHEN place <= 0 THEN fail('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
        WHEN mark = '' THEN nullif(substr(value, place, 1), '')
        WHEN mark IS NOT NULL THEN list_extract(string_split(value, mark), place) END""",
    """CREATE MACRO trino_decimal_divide(above, below) AS CASE
        WHEN below = 0 THEN fail('DIVISION_BY_ZERO: Division by zero')
        ELSE (CASE WHEN (above < 0) <> (below < 0) THEN -1 ELSE 1 END)
            * ((2 * abs(above) + abs(below)) // (2 * abs(below))) END""",
    # By its digits, so that a real is not shown with a double's.
    """CREATE MACRO trino_number_text(number, digits) AS
        trino_double_text(CAST(digits AS DOUBLE))""",
    """CREATE MACRO trino_bucket_from(value, low, high, parts) AS CASE
        WHEN value < low THEN 0
        WHEN value >= high THEN CAST(parts AS HUGEINT) + 1
        ELSE CAST(trunc(parts * (value - low) / (high - low) + 1) AS BIGINT) END""",
    """CREATE MACRO trino_bucket(value, low, high, parts) AS CASE
        WHEN parts <= 0 THEN fail('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0')
        WHEN isnan(value) THEN fail('INVALID_FUNCTION_ARGUMENT: operand must not be NaN')
        WHEN NOT isfinite(low) THEN fail('INVALID_FUNCTION_ARGUMENT: first bound must be finite')
        WHEN NOT isfinite(high) THEN fail('INVALID_FUNCTION_ARGUMENT: second bound must be finite')
        WHEN low = high THEN fail('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other')
        WHEN parts = 9223372036854775807 AND value >= greatest(low, high) THEN
            fail('NUMERIC_VALUE_OUT_OF_RANGE: Bucket for value '
                || trino_number_text(value, CAST(value AS VARCHAR)) || ' is out of range')
        WHEN low < high THEN trino_bucket_from(value, low, high, parts)
        ELSE parts - trino_bucket_from(value, high, low, parts) + 1 END""",
    """CREATE MACRO trino_bin(value, bins) AS CASE
        WHEN len(bins) = 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array')
        WHEN isnan(value) THEN fail('INVALID_FUNCTION_ARGUMENT: Operand cannot be NaN')
        WHEN len(list_filter(bins, lambda b: NOT isfinite(b))) > 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Bin values must be finite')
        WHEN list_sort(bins) <> bins THEN
            fail('INVALID_FUNCTION_ARGUMENT: Bin values are not sorted in ascending order')
        ELSE CAST(len(list_filter(bins, lambda b: b <= value)) AS BIGINT) END""",
    """CREATE MACRO trino_random(low, high) AS CASE
        WHEN low >= high THEN
            fail('INVALID_FUNCTION_ARGUMENT: start value must be less than stop value')
        ELSE low + CAST(floor(random() * (CAST(high AS DOUBLE) - low)) AS BIGINT) END""",
    # In binary, as Trino does: 133.825 * 100 is less than 13382.5, and rounds to 133.82.
    # https://github.com/trinodb/trino/pull/14620 and pull/25500
    """CREATE MACRO trino_rescaled(value, rescaled, factor) AS CASE
        WHEN isinf(rescaled) THEN value
        WHEN value < 0 THEN -(round(rescaled) / factor) ELSE round(rescaled) / factor END""",
    """CREATE MACRO trino_round_double(value, places) AS
        trino_rescaled(value, abs(value) * pow(10::DOUBLE, places), pow(10::DOUBLE, places))""",
    """CREATE MACRO trino_round_whole(value, places) AS CASE
        WHEN places >= 0 THEN CAST(value AS HUGEINT)
        WHEN places < -18 THEN
            fail('NUMERIC_VALUE_OUT_OF_RANGE: Out of range to round to: ' || places)
        ELSE (CASE WHEN value < 0 THEN -1 ELSE 1 END)
            * ((abs(CAST(value AS HUGEINT)) + CAST(power(10, -places) AS HUGEINT) // 2)
                // CAST(power(10, -places) AS HUGEINT)) * CAST(power(10, -places) AS HUGEINT)
        END""",
    """CREATE MACRO trino_map(keys, items) AS CASE
        WHEN len(keys) <> len(items) THEN
            fail('INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length')
        WHEN list_count(keys) < len(keys) THEN
            fail('INVALID_FUNCTION_ARGUMENT: map key cannot be null')
        WHEN len(list_distinct(keys)) <> len(keys) THEN
            fail('INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed')
        ELSE map(keys, items) END""",
    """CREATE MACRO trino_map_of_entries(entries) AS CASE
        WHEN list_count(list_transform(entries, lambda e: e.key)) < len(entries) THEN
            fail('INVALID_FUNCTION_ARGUMENT: map key cannot be null')
        WHEN len(list_distinct(list_transform(entries, lambda e: e.key))) < len(entries) THEN
            fail('INVALID_FUNCTION_ARGUMENT: Duplicate keys are not allowed')
        ELSE map_from_entries(entries) END""",
    """CREATE MACRO trino_cast_map(entries) AS CASE
        WHEN list_count(list_transform(entries, lambda e: e.key)) < len(entries) THEN
            fail('INVALID_CAST_ARGUMENT: map key is null')
        WHEN len(list_distinct(list_transform(entries, lambda e: e.key))) < len(entries) THEN
            fail('INVALID_CAST_ARGUMENT: duplicate keys')
        ELSE map_from_entries(entries) END""",
    """CREATE MACRO trino_map_of(entries) AS CASE WHEN entries IS NOT NULL THEN map_from_entries(
        list_filter(entries, lambda e, i: e.k IS NOT NULL
            AND list_position(list_transform(entries, lambda x: x.k), e.k) = i)) END""",
    """CREATE MACRO trino_position(items, wanted) AS CASE
        WHEN items IS NULL OR wanted IS NULL THEN NULL
        ELSE coalesce(list_position(items, wanted), 0) END""",
    """CREATE MACRO trino_ln(value) AS CASE WHEN value > 0 THEN ln(value)
        WHEN value = 0 THEN '-Infinity'::DOUBLE WHEN value IS NULL THEN NULL
        ELSE 'NaN'::DOUBLE END""",
    """CREATE MACRO trino_array_distinct(items) AS list_filter(items,
        lambda e, i: CASE WHEN e IS NULL THEN list_count(items[1:i - 1]) = i - 1
            ELSE list_position(items, e) = i END)""",
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

_MORE = (
    # As Java's decoder: the padding may be missing, all of it.
    """CREATE MACRO trino_from_base64(v) AS from_base64(CASE
        WHEN contains(v, '=') OR length(v) % 4 < 2 THEN v
        ELSE rpad(v, CAST(length(v) + 4 - length(v) % 4 AS INTEGER), '=') END)""",
    """CREATE MACRO trino_replace(v, wanted, instead) AS CASE
        WHEN wanted = '' AND v = '' THEN instead
        WHEN wanted = ''
        THEN list_reduce(list_prepend(instead, list_transform(string_split(v, ''),
            lambda part: part || instead)), lambda before, part: before || part)
        ELSE replace(v, wanted, instead) END""",
    """CREATE MACRO trino_split_all(v, mark) AS CASE WHEN mark = ''
        THEN fail('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string')
        WHEN mark IS NOT NULL THEN string_split(v, mark) END""",
    # DuckDB's array_to_string takes a constant only.
    """CREATE MACRO trino_join(items, mark) AS CASE WHEN mark IS NULL THEN NULL
        WHEN len(items) = 0 THEN ''
        ELSE list_reduce(items, lambda before, item: before || mark || item) END""",
    """CREATE MACRO trino_lpad(v, size, filler) AS CASE
        WHEN size < 0 OR size > 2147483647 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]')
        WHEN filler = '' THEN fail('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty')
        ELSE lpad(v, CAST(size AS INTEGER), filler) END""",
    """CREATE MACRO trino_rpad(v, size, filler) AS CASE
        WHEN size < 0 OR size > 2147483647 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]')
        WHEN filler = '' THEN fail('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty')
        ELSE rpad(v, CAST(size AS INTEGER), filler) END""",
    """CREATE MACRO trino_lpad_bytes(v, size, filler) AS
        unhex(trino_lpad(hex(v), size * 2, hex(filler)))""",
    """CREATE MACRO trino_rpad_bytes(v, size, filler) AS
        unhex(trino_rpad(hex(v), size * 2, hex(filler)))""",
    """CREATE MACRO trino_substr_bytes(v, first, size) AS unhex(trino_substr(hex(v),
        CASE WHEN first > 0 THEN 2 * CAST(first AS BIGINT) - 1 ELSE 2 * CAST(first AS BIGINT) END,
        2 * CAST(size AS BIGINT)))""",
    """CREATE MACRO trino_reverse_bytes(v) AS unhex(array_to_string(list_reverse(
        regexp_extract_all(hex(v), '..')), ''))""",
    """CREATE MACRO trino_concat_ws(mark, items) AS CASE WHEN mark IS NOT NULL THEN
        coalesce(array_to_string(list_filter(items, lambda e: e IS NOT NULL), mark), '') END""",
    """CREATE MACRO trino_no_null(items, result) AS
        CASE WHEN list_count(items) = len(items) THEN result END""",
    """CREATE MACRO trino_has_null(items) AS list_count(items) < len(items)""",
    """CREATE MACRO trino_overlap(a, b) AS CASE
        WHEN list_has_any(a, b) THEN true
        WHEN (trino_has_null(a) AND len(b) > 0) OR (trino_has_null(b) AND len(a) > 0) THEN NULL
        ELSE list_has_any(a, b) END""",
    """CREATE MACRO trino_intersect_of(a, b) AS CASE WHEN b IS NOT NULL THEN
        list_filter(trino_array_distinct(a), lambda e:
            CASE WHEN e IS NULL THEN trino_has_null(b) ELSE list_contains(b, e) END) END""",
    # In the order of the longer array, as Trino goes through it.
    """CREATE MACRO trino_intersect(a, b) AS CASE WHEN len(a) < len(b)
        THEN trino_intersect_of(b, a) ELSE trino_intersect_of(a, b) END""",
    """CREATE MACRO trino_except(a, b) AS CASE WHEN b IS NOT NULL THEN
        list_filter(trino_array_distinct(a), lambda e:
            CASE WHEN e IS NULL THEN NOT trino_has_null(b) ELSE NOT list_contains(b, e) END)
        END""",
    """CREATE MACRO trino_histogram(items) AS map_from_entries(list_transform(
        trino_array_distinct(list_filter(items, lambda e: e IS NOT NULL)),
        lambda d: {'key': d,
            'value': CAST(len(list_filter(items, lambda e: e = d)) AS BIGINT)}))""",
    """CREATE MACRO trino_trim_array(items, size) AS CASE
        WHEN size < 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || size)
        WHEN size > len(items) THEN fail('INVALID_FUNCTION_ARGUMENT: size must not exceed array '
            || 'cardinality ' || len(items) || ': ' || size)
        ELSE items[1:len(items) - size] END""",
    """CREATE MACRO trino_contains_sequence(a, b) AS CASE WHEN len(b) = 0 THEN true
        ELSE len(list_filter(range(0, greatest(0, len(a) - len(b) + 1)),
            lambda i: a[i + 1:i + len(b)] = b)) > 0 END""",
    """CREATE MACRO trino_ngrams(items, size) AS CASE
        WHEN size <= 0 THEN fail('INVALID_FUNCTION_ARGUMENT: N must be positive')
        WHEN len(items) <= size THEN [items]
        ELSE list_transform(range(0, len(items) - size + 1),
            lambda i: items[i + 1:i + size]) END""",
    """CREATE MACRO trino_combinations(items, size) AS CASE
        WHEN size < 0 THEN
            fail('INVALID_FUNCTION_ARGUMENT: combination size must not be negative: ' || size)
        WHEN size > 5 THEN
            fail('INVALID_FUNCTION_ARGUMENT: combination size must not exceed 5: ' || size)
        WHEN size > len(items) THEN []
        ELSE list_transform(trino_places(len(items), size),
            lambda c: list_transform(c, lambda i: items[i])) END""",
    # Whatever a CASE decides, DuckDB may compute a constant list before: never one of any length.
    """CREATE MACRO trino_in(items, wanted) AS CASE
        WHEN wanted IS NULL THEN NULL
        WHEN list_contains(items, wanted) THEN true
        WHEN list_count(items) = len(items) THEN false END""",
    """CREATE MACRO trino_bounded(size) AS
        CASE WHEN size BETWEEN 0 AND 10000 THEN CAST(size AS BIGINT) ELSE 0 END""",
    """CREATE MACRO trino_repeat(item, size) AS CASE
        WHEN size < 0 THEN fail('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must '
            || 'be greater than or equal to 0')
        WHEN size > 10000 THEN fail('INVALID_FUNCTION_ARGUMENT: count argument of repeat function '
            || 'must be less than or equal to 10000')
        WHEN size IS NOT NULL
        THEN list_transform(range(trino_bounded(size)), lambda e: item) END""",
    """CREATE MACRO trino_repeat_sized(item, bytes, size) AS CASE
        WHEN size BETWEEN 1 AND 10000 AND bytes > 1000000 // size
        THEN fail('INVALID_FUNCTION_ARGUMENT: '
            || 'result of repeat function must not take more than 1000000 bytes')
        ELSE trino_repeat(item, size) END""",
    """CREATE MACRO trino_multimap(entries) AS map_from_entries(list_transform(
        trino_array_distinct(list_transform(entries, lambda e: e.key)),
        lambda k: {'key': k, 'value': list_transform(
            list_filter(entries, lambda e: e.key = k), lambda e: e.value)}))""",
    """CREATE MACRO trino_check_sequence(first, last, step, size) AS CASE
        WHEN step = 0 THEN fail('INVALID_FUNCTION_ARGUMENT: step must not be zero')
        WHEN size IS NULL THEN false
        WHEN (first < last AND step < 0) OR (first > last AND step > 0) THEN
            fail('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal '
                || 'to start value if step is greater than zero otherwise stop should be less '
                || 'than or equal to start')
        WHEN size > 10000 THEN fail('INVALID_FUNCTION_ARGUMENT: result of sequence function must '
            || 'not have more than 10000 entries')
        ELSE true END""",
    """CREATE MACRO trino_sequence(first, last, step) AS CASE
        WHEN trino_check_sequence(first, last, step,
            (last::HUGEINT - first) // nullif(step, 0) + 1)
        THEN list_transform(range(trino_bounded((last::HUGEINT - first) // nullif(step, 0) + 1)),
            lambda i: CAST(first + i::HUGEINT * step AS BIGINT)) END""",
    """CREATE MACRO trino_date_sequence(first, last, step) AS CASE
        WHEN trino_check_sequence(first, last, step, (last - first) // nullif(step, 0) + 1)
        THEN list_transform(range(trino_bounded((last - first) // nullif(step, 0) + 1)),
            lambda i: CAST(first + to_days(CAST(i * step AS INTEGER)) AS DATE)) END""",
    """CREATE MACRO trino_time_sequence(first, last, step) AS CASE
        WHEN trino_check_sequence(first, last, step,
            (epoch_us(last) - epoch_us(first)) // nullif(step * 1000, 0) + 1)
        THEN list_transform(range(trino_bounded(
                (epoch_us(last) - epoch_us(first)) // nullif(step * 1000, 0) + 1)),
            lambda i: first + to_microseconds(i * step * 1000)) END""",
    """CREATE MACRO trino_month_sequence(first, last, step) AS CASE
        WHEN trino_check_sequence(first, last, step,
            date_diff('month', first, last) // nullif(step, 0) + 1)
        THEN list_filter(list_transform(range(trino_bounded(
                date_diff('month', first, last) // nullif(step, 0) + 1)),
            lambda i: CAST(first + to_months(CAST(i * step AS INTEGER)) AS TIMESTAMP)),
            lambda e: CASE WHEN step > 0 THEN e <= last ELSE e >= last END) END""",
    """CREATE MACRO trino_cosine(a, b) AS CASE
        WHEN NOT trino_has_null(map_values(a)) AND NOT trino_has_null(map_values(b))
        THEN list_sum(list_transform(map_keys(a), lambda k: map_extract_value(a, k)
            * coalesce(map_extract_value(b, k), 0)))
        / (sqrt(list_sum(list_transform(map_values(a), lambda v: v * v)))
            * sqrt(list_sum(list_transform(map_values(b), lambda v: v * v)))) END""",
)

MACROS = (*_TIMES, *_EQUALITY, *_OPERATORS, *_NESTED, *_MORE, *_SEARCHING, *_AGGREGATES)
