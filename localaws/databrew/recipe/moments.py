"""Aggregates that take several of DuckDB's, as SQL over n, a number, and w, the window or filter.

Parameters of lambdas begin with two underscores, as no column does.
Skewness and kurtosis are the population's, as Spark's are; DuckDB's own skewness is a sample's.
"""

from __future__ import annotations

# Spark's collect_list: without nulls, and empty where there is nothing.
FILLED = "coalesce(list_filter(list({c}){w}, lambda __x: __x IS NOT NULL), [])"
# Of several that are the most frequent the smallest: DuckDB's mode takes any.
MODE = (
    "list_sort(list_transform(map_entries(histogram({c}){w}),"
    " lambda __x: {{'n': -CAST(__x.value AS BIGINT), 'v': __x.key}}))[1].v"
)
STANDARD_ERROR_OF_MEAN = "(stddev_samp({n}){w} / sqrt(count({n}){w}))"
KURTOSIS = "kurtosis_pop({n}){w}"
SKEWNESS = (
    "(skewness({n}){w} * (count({n}){w} - 2)"
    " / sqrt(count({n}){w} * CAST(count({n}){w} - 1 AS DOUBLE)))"
)
MEAN_ABSOLUTE_DEVIATION = (
    "list_avg(list_transform(list({n}){w}, lambda __x: abs(__x - list_avg(list({n}){w}))))"
)
