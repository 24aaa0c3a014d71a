"""DuckDB macros of aggregates and window functions."""

from __future__ import annotations

MACROS = (  # each after those it calls
    # The share above a percentile, as a negative (descending) fraction of quantile_disc. As a
    # T-digest of single values, the percentile is the value at floor(share * count): airlift's
    # TDigest.valuesAt. A decimal, and a little above, so that 1/3 of 3 is 1.
    """CREATE MACRO trino_from_top(share) AS CASE
        WHEN share < 0 OR share > 1 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Percentile must be between 0 and 1')
        ELSE -greatest(0.000000000000001, 0.999999999999999 - CAST(share AS DECIMAL(16,15))) END""",
    """CREATE MACRO trino_multimap_of(entries) AS CASE WHEN entries IS NOT NULL
        THEN trino_multimap(list_filter(entries, lambda e: e.key IS NOT NULL)) END""",
    """CREATE MACRO trino_map_union(maps) AS trino_map_of(list_transform(
        flatten(list_filter(maps, lambda m: m IS NOT NULL)),
        lambda e: {'k': e.key, 'v': e.value}))""",
    # Central moments of what is not NULL; undefined below three and four of them.
    """CREATE MACRO trino_moment(items, power) AS list_sum(list_transform(items,
        lambda e: pow(e - list_avg(items), power)))""",
    """CREATE MACRO trino_skewness_of(items) AS CASE WHEN len(items) >= 3
        THEN sqrt(len(items)) * trino_moment(items, 3) / pow(trino_moment(items, 2), 1.5) END""",
    """CREATE MACRO trino_skewness(items) AS
        trino_skewness_of(list_filter(items, lambda e: e IS NOT NULL))""",
    """CREATE MACRO trino_kurtosis_from(items, n) AS CASE WHEN n >= 4
        THEN n * (n + 1) * (n - 1) / ((n - 2) * (n - 3))
            * trino_moment(items, 4) / pow(trino_moment(items, 2), 2)
            - 3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3)) END""",
    """CREATE MACRO trino_kurtosis_of(items) AS
        trino_kurtosis_from(items, CAST(len(items) AS DOUBLE))""",
    """CREATE MACRO trino_kurtosis(items) AS
        trino_kurtosis_of(list_filter(items, lambda e: e IS NOT NULL))""",
    """CREATE MACRO trino_at_least(n, least, wrong) AS CASE
        WHEN n < least THEN fail('INVALID_FUNCTION_ARGUMENT: ' || wrong) ELSE n END""",
    """CREATE MACRO trino_finite(v) AS CASE WHEN isfinite(v) THEN v END""",
    """CREATE MACRO trino_count(n, what) AS CASE
        WHEN n IS NULL OR n <= 0
        THEN fail('INVALID_FUNCTION_ARGUMENT: ' || what || ' must be a positive integer')
        WHEN n > 10000 THEN fail('INVALID_FUNCTION_ARGUMENT: ' || what
            || ' must be less than or equal to 10000; found ' || n)
        ELSE n END""",
)
