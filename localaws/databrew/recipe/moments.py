"""Aggregates that take several of DuckDB's, as SQL over n, a number, and w, the window or filter.

Parameters of lambdas begin with two underscores, as no column does.
Skewness and kurtosis are the population's, as Spark's are; DuckDB's own skewness is a sample's.
"""

from __future__ import annotations

STANDARD_ERROR_OF_MEAN = "(stddev_samp({n}){w} / sqrt(count({n}){w}))"
KURTOSIS = "kurtosis_pop({n}){w}"
SKEWNESS = (
    "(skewness({n}){w} * (count({n}){w} - 2)"
    " / sqrt(count({n}){w} * CAST(count({n}){w} - 1 AS DOUBLE)))"
)
MEAN_ABSOLUTE_DEVIATION = (
    "list_avg(list_transform(list({n}){w}, lambda __x: abs(__x - list_avg(list({n}){w}))))"
)
