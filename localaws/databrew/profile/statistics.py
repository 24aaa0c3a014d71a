"""The statistics of one column, each as SQL over a sample, under the names of DataBrew's profile.

The rules of the numbers were checked against profiles that DataBrew wrote: natural logarithms in
the entropy, sample deviations, Spark's kurtosis, percentiles by linear interpolation, the bins of
whole numbers. Of a text column the numbers are of the lengths. Missing cells count nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localaws.databrew.recipe import moments
from localaws.databrew.recipe.sql import ident, is_integer, is_number, is_text, missing

Query = Callable[[str], list[tuple[Any, ...]]]
Found = dict[str, Any]

_COMMON = ("MOST_COMMON_VALUES", "DISTINCT_VALUES_COUNT", "UNIQUE_VALUES_COUNT",
           "MISSING_VALUES_COUNT", "ENTROPY")  # fmt: skip
_MEASURES = ("MIN", "MAX", "MEAN", "MEDIAN", "MODE", "STANDARD_DEVIATION", "OUTLIER_DETECTION",
             "VALUE_DISTRIBUTION")  # fmt: skip
_NUMERIC = ("PERCENTILES", "ZEROS_COUNT", "SKEWNESS", "KURTOSIS", "VARIANCE", "SUM", "RANGE",
            "INTER_QUARTILE_RANGE", "MEDIAN_ABSOLUTE_DEVIATION", "MINIMUM_VALUES",
            "MAXIMUM_VALUES", "Z_SCORE_DISTRIBUTION")  # fmt: skip
DEFAULTS = {
    "booleanColumn": _COMMON,
    "stringColumn": (*_COMMON, *_MEASURES),
    "numericColumn": (*_COMMON, *_MEASURES, *_NUMERIC),
}
PARAMETERS = {
    "MOST_COMMON_VALUES": {"sampleSize": "50"},
    "OUTLIER_DETECTION": {"threshold": "3", "sampleSize": "50"},
    "VALUE_DISTRIBUTION": {"binNumber": "20"},
    "MINIMUM_VALUES": {"sampleSize": "5"},
    "MAXIMUM_VALUES": {"sampleSize": "5"},
    "Z_SCORE_DISTRIBUTION": {"binNumber": "20"},
}
_SIMPLE = {
    "TINYINT": "byte",
    "SMALLINT": "short",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
}


@dataclass(frozen=True)
class Column:
    """A column of the view `table` and what is asked of it."""

    name: str
    kind: str
    query: Query
    table: str
    included: frozenset[str]
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def filled(self) -> str:
        return f"{self.table} WHERE NOT {missing(ident(self.name), self.kind)}"

    @property
    def measure(self) -> str:
        """The number that the statistics are of."""
        name = ident(self.name)
        return f"CAST(length({name}) AS BIGINT)" if is_text(self.kind) else name

    @property
    def whole(self) -> bool:
        return is_text(self.kind) or is_integer(self.kind)

    def parameter(self, statistic: str, name: str) -> str | None:
        return {**PARAMETERS.get(statistic, {}), **self.parameters.get(statistic, {})}.get(name)

    def limit(self, statistic: str) -> str:
        size = str(self.parameter(statistic, "sampleSize"))
        return "" if size == "ALL" else f" LIMIT {int(size)}"

    def one(self, expression: str) -> Any:
        return self.query(f"SELECT {expression} FROM {self.filled}")[0][0]


def group(kind: str) -> str | None:
    """Which of DEFAULTS a column has; None for a type that profiles leave out."""
    if kind == "BOOLEAN":
        return "booleanColumn"
    if is_text(kind):
        return "stringColumn"
    if is_number(kind) and not kind.startswith("DECIMAL"):
        return "numericColumn"
    return None


def simple_type(column: Column) -> str:
    """Spark's name of the type; inferred whole numbers are `int` where they fit in one."""
    if column.kind == "BIGINT":
        name = ident(column.name)
        fits = f"coalesce(max({name}) <= 2147483647 AND min({name}) >= -2147483648, true)"
        return "int" if column.one(fits) else "bigint"
    return _SIMPLE.get(column.kind, column.kind.lower())


def statistics(column: Column) -> Found:
    """The statistics that the column asks for, in the order of the profile's file."""
    found: Found = {}
    for name, write in _WRITERS.items():
        if name in column.included:
            found |= write(column)
    return {key: found[key] for key in _KEYS if key in found and found[key] is not None}


def _frequent(column: Column) -> Found:
    name = ident(column.name)
    rows = column.query(
        f"SELECT {name}, count(*) FROM {column.filled} GROUP BY 1 ORDER BY 2 DESC, 1"
        f"{column.limit('MOST_COMMON_VALUES')}"
    )
    return {"mostCommonValues": [{"value": value, "count": count} for value, count in rows]}


def _counts(column: Column) -> tuple[int, int, float | None]:
    """(different values, values that occur once, entropy)."""
    counted = f"SELECT count(*) AS n FROM {column.filled} GROUP BY {ident(column.name)}"
    ((distinct, unique, entropy),) = column.query(
        "SELECT count(*), count(*) FILTER (n = 1),"
        " -sum(n / t * ln(n / t)) FROM (SELECT n, CAST(sum(n) OVER () AS DOUBLE) AS t"
        f" FROM ({counted}))"
    )
    return distinct, unique, None if entropy is None else abs(entropy)


def _missing(column: Column) -> Found:
    absent = missing(ident(column.name), column.kind)
    ((count,),) = column.query(f"SELECT count(*) FROM {column.table} WHERE {absent}")
    return {"missingValuesCount": count}


def _plain(key: str, expression: str) -> Callable[[Column], Found]:
    def write(column: Column) -> Found:
        n = column.measure
        return {key: _finite(column.one(expression.format(v=n, n=f"CAST({n} AS DOUBLE)", w="")))}

    return write


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sum(column: Column) -> Found:
    total = column.one(f"sum({column.measure})")
    return {"sum": int(total) if column.whole and total is not None else _finite(total)}


def _mode(column: Column) -> Found:
    rows = column.query(
        f"SELECT {column.measure}, count(*) FROM {column.filled} GROUP BY 1"
        " ORDER BY 2 DESC, 1 LIMIT 1"
    )
    return {"mode": rows[0][0] if rows else None}


def _percentiles(column: Column) -> Found:
    shares = (5, 25, 75, 95)
    listed = ", ".join(
        f"quantile_cont(CAST({column.measure} AS DOUBLE), {share / 100})" for share in shares
    )
    (row,) = column.query(f"SELECT {listed} FROM {column.filled}")
    return {f"percentile{share}": value for share, value in zip(shares, row, strict=True)}


def _extreme(statistic: str, key: str, order: str) -> Callable[[Column], Found]:
    def write(column: Column) -> Found:
        rows = column.query(
            f"SELECT {column.measure}, count(*) FROM {column.filled} GROUP BY 1"
            f" ORDER BY 1 {order}{column.limit(statistic)}"
        )
        return {key: [{"value": value, "count": count} for value, count in rows]}

    return write


def whole_bounds(low: int, high: int, bins: int) -> list[float]:
    """The lower bounds of the bins of whole numbers: the last ones are one wider."""
    reach = high - low
    if reach < bins:
        return [float(low + place) for place in range(reach + 1)]
    width, wider = divmod(reach, bins)
    bounds = [float(low)]
    for place in range(bins - 1):
        bounds.append(bounds[-1] + width + (1 if place >= bins - wider else 0))
    return bounds


def _even_bounds(low: float, high: float, bins: int) -> list[float]:
    return [low + (high - low) * place / bins for place in range(bins)]


def _bins(
    column: Column, value: str, bounds: list[float], *, first: float | str | None = None
) -> list[Found]:
    """The buckets from each bound to the next; the last one has all that is more."""
    tests = []
    for place, low in enumerate(bounds):
        above = [f"{value} >= {low!r}"] if place else []
        below = [f"{value} < {bounds[place + 1]!r}"] if place + 1 < len(bounds) else []
        tests.append(f"count(*) FILTER ({' AND '.join([*above, *below]) or 'true'})")
    (counts,) = column.query(f"SELECT {', '.join(tests)} FROM {column.filled}")
    lows: list[Any] = [bounds[0] if first is None else first, *bounds[1:]]
    highs: list[Any] = [*bounds[1:], "inf"]
    return [
        {"bucket": [low, high], "count": count}
        for low, high, count in zip(lows, highs, counts, strict=True)
    ]


def _range(column: Column) -> tuple[Any, Any]:
    ((low, high),) = column.query(
        f"SELECT min({column.measure}), max({column.measure}) FROM {column.filled}"
    )
    return low, high


def _distribution(column: Column) -> Found:
    low, high = _range(column)
    if low is None:
        return {"valueDistribution": []}
    if low == high:
        count = column.one("count(*)")
        return {"valueDistribution": [{"bucket": [float(low), float(high)], "count": count}]}
    number = int(str(column.parameter("VALUE_DISTRIBUTION", "binNumber")))
    bounds = whole_bounds(low, high, number) if column.whole else _even_bounds(low, high, number)
    return {"valueDistribution": _bins(column, column.measure, bounds)}


def _moments(column: Column) -> tuple[float, float] | None:
    """Mean and deviation, where there is one."""
    n = f"CAST({column.measure} AS DOUBLE)"
    ((mean, deviation),) = column.query(f"SELECT avg({n}), stddev_samp({n}) FROM {column.filled}")
    return (mean, deviation) if deviation else None


def _outliers(column: Column) -> Found:
    found = _moments(column)
    if found is None:
        return {"zScoreOutliersCount": 0, "zScoreOutliersSample": []}
    mean, deviation = found
    score = f"((CAST({column.measure} AS DOUBLE) - {mean!r}) / {deviation!r})"
    limit = float(str(column.parameter("OUTLIER_DETECTION", "threshold")))
    rows = column.query(
        f"SELECT DISTINCT {column.measure}, {score} FROM {column.filled}"
        f" AND abs({score}) > {limit!r} ORDER BY abs({score}) DESC"
        f"{column.limit('OUTLIER_DETECTION')}"
    )
    result = {
        "zScoreOutliersCount": column.one(f"count(*) FILTER (abs({score}) > {limit!r})"),
        "zScoreOutliersSample": [{"value": value, "zScore": z} for value, z in rows],
    }
    mild = column.parameter("OUTLIER_DETECTION", "mildThreshold")
    if mild is not None:
        between = f"abs({score}) > {float(mild)!r} AND abs({score}) <= {limit!r}"
        result["zScoreMildOutliersCount"] = column.one(f"count(*) FILTER ({between})")
    return result


def _score_distribution(column: Column) -> Found:
    found = _moments(column)
    if found is None:
        return {"zScoreDistribution": []}
    mean, deviation = found
    low, high = ((bound - mean) / deviation for bound in _range(column))
    number = int(str(column.parameter("Z_SCORE_DISTRIBUTION", "binNumber")))
    score = f"((CAST({column.measure} AS DOUBLE) - {mean!r}) / {deviation!r})"
    bins = _bins(column, score, _even_bounds(low, high, number), first="-inf")
    return {"zScoreDistribution": bins}


_WRITERS: dict[str, Callable[[Column], Found]] = {
    "DISTINCT_VALUES_COUNT": lambda column: {"distinctValuesCount": _counts(column)[0]},
    "UNIQUE_VALUES_COUNT": lambda column: {"uniqueValuesCount": _counts(column)[1]},
    "ENTROPY": lambda column: {"entropy": _counts(column)[2]},
    "MOST_COMMON_VALUES": _frequent,
    "MISSING_VALUES_COUNT": _missing,
    "KURTOSIS": _plain("kurtosis", moments.KURTOSIS),
    "MAX": _plain("max", "max({v})"),
    "MEAN": _plain("mean", "avg({n})"),
    "MIN": _plain("min", "min({v})"),
    "SKEWNESS": _plain("skewness", moments.SKEWNESS),
    "STANDARD_DEVIATION": _plain("standardDeviation", "stddev_samp({n})"),
    "SUM": _sum,
    "ZEROS_COUNT": _plain("zerosCount", "count(*) FILTER ({v} = 0)"),
    "VARIANCE": _plain("variance", "var_samp({n})"),
    "RANGE": _plain("range", "max({v}) - min({v})"),
    "PERCENTILES": _percentiles,
    "MEDIAN": _plain("median", "quantile_cont({n}, 0.5)"),
    "INTER_QUARTILE_RANGE": _plain(
        "interquartileRange", "quantile_cont({n}, 0.75) - quantile_cont({n}, 0.25)"
    ),
    "MODE": _mode,
    "MINIMUM_VALUES": _extreme("MINIMUM_VALUES", "minimumValues", "ASC"),
    "MAXIMUM_VALUES": _extreme("MAXIMUM_VALUES", "maximumValues", "DESC"),
    "VALUE_DISTRIBUTION": _distribution,
    "OUTLIER_DETECTION": _outliers,
    "Z_SCORE_DISTRIBUTION": _score_distribution,
    "MEDIAN_ABSOLUTE_DEVIATION": _plain("medianAbsoluteDeviation", "mad({n})"),
}
STATISTICS = frozenset(_WRITERS)
_KEYS = (
    *("distinctValuesCount", "uniqueValuesCount", "entropy", "mostCommonValues"),
    *("missingValuesCount", "kurtosis", "max", "mean", "min", "skewness", "standardDeviation"),
    *("sum", "zerosCount", "variance", "range", "percentile5", "percentile25", "percentile75"),
    *("percentile95", "median", "interquartileRange", "mode", "minimumValues", "maximumValues"),
    *("valueDistribution", "zScoreOutliersCount", "zScoreMildOutliersCount"),
    *("zScoreOutliersSample", "zScoreDistribution", "medianAbsoluteDeviation"),
)
