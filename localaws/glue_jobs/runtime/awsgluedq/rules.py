"""DQDL's rules over a data frame: each gives a metric, whether it passes, and which rows do.

What passes, what a null does and the texts are those of the open evaluator in awslabs/deequ
(`com.amazon.deequ.dqdl`); https://docs.aws.amazon.com/glue/latest/dg/dqdl.html lists the rules.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from awsglue.places import column
from awsglue.refusal import refuse
from awsglue.spark_types import parse as parse_type
from awsglue.spark_types import to_spark
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from awsgluedq.dqdl import Blank, Condition, Duration, Now, ParsingError, Rule

_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "=": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """`rows` says of each row whether it passes; None where the rule is about the whole."""

    passed: bool
    reason: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: Any = None


@dataclass(frozen=True)
class Data:
    """The frame that a rule is about, and those that it may refer to."""

    frame: DataFrame
    others: Mapping[str, DataFrame]


def evaluate(rule: Rule, data: Data) -> Outcome:
    """Raises ParsingError for what is no rule; a rule that is not evaluated here is refused."""
    known = RULES.get(rule.kind)
    if known is None:
        if rule.kind in UNKNOWN:
            refuse(f"the rule {rule.kind} of DQDL", f"It has {', '.join(RULES)}.")
        raise ParsingError(f"Rule Type: {rule.kind} is not valid")
    if known.columns is not None and len(rule.parameters) not in known.columns:
        raise ParsingError(f"Unexpected number of parameters: {rule.kind}")
    if rule.threshold is not None and not known.threshold:
        raise ParsingError(f"Threshold condition not supported for rule type: {rule.kind}")
    if rule.where is not None:
        if not known.where:
            raise ParsingError(f"Where clause is not supported for rule type: {rule.kind}")
        data = Data(data.frame.where(rule.where), data.others)
    for name in rule.parameters if known.checks_columns else ():
        if name not in data.frame.columns:
            return Outcome(False, f"Input data does not include column {name}!")
    return known.evaluate(rule, data)


# Conditions


def holds(condition: Condition, value: float) -> bool:
    """Whether a number meets a condition; `between` is exclusive."""
    operands = condition.operands
    if condition.sign == "between":
        found = operands[0] < value < operands[1]
    elif condition.sign == "in":
        found = value in operands
    elif condition.sign in _SIGNS:
        found = bool(_SIGNS[condition.sign](value, operands[0]))
    else:
        raise ParsingError(f"Unexpected condition {condition.sign} for a number")
    return found is not condition.negated


def _wanted(rule: Rule) -> Condition:
    if rule.condition is None:
        raise ParsingError(f"Unexpected condition for rule of type {rule.kind}")
    return rule.condition


def _metric(rule: Rule, name: str, value: float | None, end: str = "!") -> Outcome:
    """The outcome of a number and the rule's condition."""
    if value is None:
        return Outcome(False, "Empty state for analyzer, all input values were NULL.")
    number = float(value)
    if holds(_wanted(rule), number):
        return Outcome(True, None, {name: number})
    return Outcome(False, _missed(number, end), {name: number})


def _missed(value: float, end: str = "!") -> str:
    return f"Value: {value} does not meet the constraint requirement{end}"


def _one(frame: DataFrame, expression: Any) -> Any:
    return frame.agg(expression).collect()[0][0]


# About the whole


def _row_count(rule: Rule, data: Data) -> Outcome:
    return _metric(rule, "Dataset.*.RowCount", data.frame.count())


def _column_count(rule: Rule, data: Data) -> Outcome:
    return _metric(rule, "Dataset.*.ColumnCount", len(data.frame.columns))


def _column_exists(rule: Rule, data: Data) -> Outcome:
    name = rule.parameters[0]
    if name in data.frame.columns:
        return Outcome(True)
    return Outcome(False, f"Input data does not include column {name}!")


def _names_match(rule: Rule, data: Data) -> Outcome:
    bad = [n for n in data.frame.columns if not re.fullmatch(rule.parameters[0], n)]
    ratio = 1 - len(bad) / max(1, len(data.frame.columns))
    reason = f"Columns that do not match the pattern: {', '.join(bad)}" if bad else None
    return Outcome(not bad, reason, {"Dataset.*.ColumnNamesPatternMatchRatio": ratio})


# Numbers of columns


def _completeness(rule: Rule, data: Data) -> Outcome:
    name = rule.parameters[0]
    value = _share(data.frame, column(name).isNotNull())
    return _metric(rule, f"Column.{name}.Completeness", value)


def _is_complete(rule: Rule, data: Data) -> Outcome:
    name = rule.parameters[0]
    return _always(data.frame, column(name).isNotNull(), f"Column.{name}.Completeness")


def _share(frame: DataFrame, true: Column) -> float | None:
    value: float | None = _one(frame, F.avg(true.cast("double")))
    return value


def _always(frame: DataFrame, true: Column, metric: str) -> Outcome:
    value = _share(frame, true)
    if value is None:
        return Outcome(True, "No rows matched the filter")
    return Outcome(value == 1, None if value == 1 else _missed(value), {metric: value}, true)


def _uniqueness(rule: Rule, data: Data) -> Outcome:
    return _metric(rule, f"{_columns(rule)}.Uniqueness", _once(rule, data)[0])


def _is_unique(rule: Rule, data: Data) -> Outcome:
    value, rows = _once(rule, data)
    missed = None if value in (None, 1) else _missed(value or 0.0)
    return Outcome(missed is None, missed, {f"{_columns(rule)}.Uniqueness": value or 1.0}, rows)


def _is_primary_key(rule: Rule, data: Data) -> Outcome:
    unique = _is_unique(rule, data)
    found = [unique]
    for name in rule.parameters:
        found.append(_always(data.frame, column(name).isNotNull(), f"Column.{name}.Completeness"))
    reasons = [each.reason for each in found if not each.passed and each.reason]
    metrics = {k: v for each in found for k, v in each.metrics.items()}
    return Outcome(not reasons, "\n".join(reasons) or None, metrics)


def _columns(rule: Rule) -> str:
    names = ",".join(rule.parameters)
    return f"Multicolumn.{names}" if len(rule.parameters) > 1 else f"Column.{names}"


def _once(rule: Rule, data: Data) -> tuple[float | None, Any]:
    """The share of rows whose values are those of no other row."""
    keys = [column(name) for name in rule.parameters]
    known = data.frame.where(_all(key.isNotNull() for key in keys))
    counts = known.groupBy(*keys).count().select("count")
    rows = data.frame.count()
    once = counts.where("count = 1").count()
    return (once / rows if rows else None), None


def _all(conditions: Any) -> Any:
    found = F.lit(True)
    for condition in conditions:
        found = found & condition
    return found


def _unique_value_ratio(rule: Rule, data: Data) -> Outcome:
    key = column(rule.parameters[0])
    counts = data.frame.where(key.isNotNull()).groupBy(key).count()
    distinct = counts.count()
    value = counts.where("count = 1").count() / distinct if distinct else None
    return _metric(rule, f"{_columns(rule)}.UniqueValueRatio", value)


def _aggregate(metric: str, make: Callable[[Any], Any]) -> Callable[[Rule, Data], Outcome]:
    def evaluated(rule: Rule, data: Data) -> Outcome:
        name = rule.parameters[0]
        return _metric(rule, f"Column.{name}.{metric}", _one(data.frame, make(column(name))))

    return evaluated


def _entropy(rule: Rule, data: Data) -> Outcome:
    key = column(rule.parameters[0])
    counts = data.frame.where(key.isNotNull()).groupBy(key).count()
    whole = _one(counts, F.sum("count"))
    value = None if not whole else _one(
        counts, F.sum(-F.col("count") / whole * F.log(F.col("count") / whole))
    )  # fmt: skip
    return _metric(rule, f"{_columns(rule)}.Entropy", value)


def _correlation(rule: Rule, data: Data) -> Outcome:
    first, second = (column(name) for name in rule.parameters)
    value = _one(data.frame, F.corr(first, second))
    return _metric(rule, f"{_columns(rule)}.ColumnCorrelation", value)


# Rows


def _column_values(rule: Rule, data: Data) -> Outcome:
    name, condition = rule.parameters[0], _wanted(rule)
    value = column(name)
    rows = _matches(value, condition, dict(data.frame.dtypes)[name])
    metric = "PatternMatch" if condition.sign == "matches" else "ColumnValues.Compliance"
    extreme = _extreme(condition)
    share = _share(data.frame, rows)
    if share is None:
        return Outcome(True, "No rows matched the filter")
    if rule.threshold is not None:
        passed = holds(rule.threshold, share)
        reason = None if passed else _missed(share)
        return Outcome(passed, reason, {f"Column.{name}.{metric}": share}, rows)
    if extreme is None:
        passed = share == 1
        reason = None if passed else _missed(share)
        return Outcome(passed, reason, {f"Column.{name}.{metric}": share}, rows)
    return _extremes(name, condition, data.frame, rows, share == 1, extreme)


def _extreme(condition: Condition) -> tuple[str, ...] | None:
    """Which of Minimum and Maximum decides a comparison with a number."""
    number = isinstance(condition.operands[0], float)
    if not number or condition.negated:
        return None
    return {
        ">": ("Minimum",), ">=": ("Minimum",), "<": ("Maximum",), "<=": ("Maximum",),
        "=": ("Minimum", "Maximum"),
    }.get(condition.sign)  # fmt: skip


def _extremes(
    name: str, condition: Condition, frame: DataFrame, rows: Any, passed: bool, which: Any
) -> Outcome:
    low, high, nulls = frame.agg(
        F.min(column(name)), F.max(column(name)), F.count_if(column(name).isNull())
    ).collect()[0]
    values = {"Minimum": low, "Maximum": high}
    metrics = {f"Column.{name}.{m}": float(values[m]) for m in which if values[m] is not None}
    reasons = [_missed(value) for value in metrics.values() if not holds(condition, value)]
    if nulls and not passed:
        reasons.append("Value: NULL does not meet the constraint requirement!")
    return Outcome(passed, None if passed else "\n".join(reasons), metrics, rows)


def _matches(value: Any, condition: Condition, kind: str) -> Any:
    """For each row whether its value meets the condition, with DQDL's rules for nulls."""
    sign, operands = condition.sign, condition.operands
    if sign == "matches":
        pattern = operands[0]
        true = value.cast("string").rlike(f"^(?:{pattern})$")
        return F.coalesce(~true if condition.negated else true, F.lit(False))
    if sign == "between":
        low, high = (_literal(each) for each in operands)
        inside = (value > low) & (value < high)
        outside = (value <= low) | (value >= high)
        dates = not isinstance(operands[0], float)
        if condition.negated:
            return F.coalesce(outside, F.lit(dates))
        return F.coalesce(inside, F.lit(False))
    if sign == "in":
        true = F.lit(False)
        for each in operands:
            true = true | _equal(value, each)
        negated = condition.negated
    elif sign in ("=", "!="):
        true, negated = _equal(value, operands[0]), (sign == "!=") is not condition.negated
    else:
        if isinstance(operands[0], str) and kind == "string":
            refuse(f"ColumnValues {sign} with a text", "It compares numbers and dates.")
        true = F.coalesce(_SIGNS[sign](value, _literal(operands[0])), F.lit(False))
        negated = condition.negated
    return ~true if negated else true


def _equal(value: Any, other: Any) -> Any:
    if other is None:
        return value.isNull()
    if isinstance(other, Blank):
        return F.coalesce(value.rlike(r"^\s+$"), F.lit(False))
    return F.coalesce(value == _literal(other), F.lit(False))


def _literal(operand: Any) -> Any:
    if isinstance(operand, Now):
        return F.current_timestamp() - F.expr(f"INTERVAL {operand.minutes} MINUTES")
    if isinstance(operand, Duration):
        raise ParsingError("a duration stands where a value belongs")
    return F.lit(operand)


def _column_length(rule: Rule, data: Data) -> Outcome:
    name, condition = rule.parameters[0], _wanted(rule)
    length = F.length(column(name))
    rows = _matches(length, condition, "int")
    low, high, share = data.frame.agg(
        F.min(length), F.max(length), F.avg(rows.cast("double"))
    ).collect()[0]
    metrics = {
        f"Column.{name}.{metric}": float(value)
        for metric, value in (("MaximumLength", high), ("MinimumLength", low))
        if value is not None
    }
    passed = share is None or share == 1
    reasons = [_missed(value) for value in metrics.values() if not holds(condition, value)]
    return Outcome(passed, None if passed else "\n".join(reasons), metrics, rows)


def _data_type(rule: Rule, data: Data) -> Outcome:
    name, condition = rule.parameters[0], _wanted(rule)
    kind = to_spark(parse_type(str(condition.operands[0])))
    value = column(name)
    if "format" in rule.tags:
        refuse("the tag format of ColumnDataType")
    rows = value.isNotNull() & value.cast("string").cast(kind).isNotNull()
    if (condition.sign == "!=") is not condition.negated:
        rows = ~rows
    share = _share(data.frame, rows)
    if share is None:
        return Outcome(True, "No rows matched the filter")
    passed = holds(rule.threshold, share) if rule.threshold else share == 1
    metrics = {f"Column.{name}.ColumnDataType.Compliance": share}
    return Outcome(passed, None if passed else _missed(share, "."), metrics, rows)


def _freshness(rule: Rule, data: Data) -> Outcome:
    name, condition = rule.parameters[0], _wanted(rule)
    minutes = tuple(float(each.minutes) for each in condition.operands)
    now = F.unix_timestamp(F.current_timestamp())
    age = (now - F.unix_timestamp(column(name).cast("timestamp"))) / 60
    rows = _matches(age, Condition(condition.sign, minutes, condition.negated), "double")
    share = _share(data.frame, rows)
    if share is None:
        return Outcome(True, "No rows matched the filter")
    metrics = {f"Column.{name}.DataFreshness.Compliance": share}
    reason = None if share == 1 else f"{share * 100:.2f}% of rows passed"
    return Outcome(share == 1, reason, metrics, rows)


# With SQL, and with other frames


def _custom_sql(rule: Rule, data: Data) -> Outcome:
    if rule.condition is None:
        refuse("CustomSql without a condition", "It compares one number.")
    data.frame.createOrReplaceTempView("primary")
    for name, frame in data.others.items():
        frame.createOrReplaceTempView(name)
    value = data.frame.sparkSession.sql(rule.parameters[0]).collect()[0][0]
    return _metric(rule, "Dataset.*.CustomSQL", value)


def _other(data: Data, name: str) -> DataFrame | Outcome:
    return data.others.get(name) or Outcome(False, f"{name} not found in additional sources")


def _referential_integrity(rule: Rule, data: Data) -> Outcome:
    names = [part.strip() for part in rule.parameters[0].split(",")]
    match = re.fullmatch(r"([^.]+)\.\{?([^}]+)\}?", rule.parameters[1])
    if match is None:
        raise ParsingError(f"{rule.parameters[1]!r} names no columns of a source")
    other = _other(data, match[1])
    if isinstance(other, Outcome):
        return other
    theirs = [part.strip() for part in match[2].split(",")]
    known = other.select(*(column(n).alias(f"__{i}") for i, n in enumerate(theirs))).distinct()
    same = _all(column(n) == F.col(f"__{i}") for i, n in enumerate(names))
    rows = data.frame.count()
    found = data.frame.join(known, same, "left_semi").count()
    value = found / rows if rows else None
    return _metric(rule, f"Column.{match[1]}.ReferentialIntegrity", value, ".")


def _rows_beside(own: DataFrame, other: DataFrame) -> float | None:
    theirs = other.count()
    return own.count() / theirs if theirs else None


def _columns_beside(own: DataFrame, other: DataFrame) -> float:
    theirs = set(other.dtypes)
    return len(set(own.dtypes) & theirs) / max(1, len(theirs))


@dataclass(frozen=True)
class Kind:
    """How a rule is evaluated; `columns` is how many parameters it takes, None for any."""

    evaluate: Callable[[Rule, Data], Outcome]
    columns: tuple[int, ...] | None = (1,)
    where: bool = True
    threshold: bool = False
    checks_columns: bool = True


def _with_another(metric: str, measure: Callable[[DataFrame, DataFrame], float | None]) -> Kind:
    """A rule that measures the data beside another data set, which its parameter names."""

    def evaluated(rule: Rule, data: Data) -> Outcome:
        name = rule.parameters[0]
        other = _other(data, name)
        if isinstance(other, Outcome):
            return other
        return _metric(rule, f"Dataset.{name}.{metric}", measure(data.frame, other), ".")

    return Kind(evaluated, where=False, checks_columns=False)


RULES: dict[str, Kind] = {
    "RowCount": Kind(_row_count, (0,)),
    "ColumnCount": Kind(_column_count, (0,), where=False),
    "Completeness": Kind(_completeness),
    "IsComplete": Kind(_is_complete),
    "Uniqueness": Kind(_uniqueness, None),
    "IsUnique": Kind(_is_unique, None),
    "IsPrimaryKey": Kind(_is_primary_key, None),
    "UniqueValueRatio": Kind(_unique_value_ratio),
    "DistinctValuesCount": Kind(_aggregate("DistinctValuesCount", F.count_distinct)),
    "Entropy": Kind(_entropy),
    "Mean": Kind(_aggregate("Mean", F.avg)),
    "Sum": Kind(_aggregate("Sum", F.sum)),
    "StandardDeviation": Kind(_aggregate("StandardDeviation", F.stddev_pop)),
    "ColumnCorrelation": Kind(_correlation, (2,)),
    "ColumnLength": Kind(_column_length),
    "ColumnValues": Kind(_column_values, threshold=True),
    "ColumnDataType": Kind(_data_type, threshold=True),
    "ColumnExists": Kind(_column_exists, where=False, checks_columns=False),
    "ColumnNamesMatchPattern": Kind(_names_match, where=False, checks_columns=False),
    "DataFreshness": Kind(_freshness),
    "CustomSql": Kind(_custom_sql, where=False, checks_columns=False),
    "ReferentialIntegrity": Kind(_referential_integrity, (2,), where=False, checks_columns=False),
    "RowCountMatch": _with_another("RowCountMatch", _rows_beside),
    "SchemaMatch": _with_another("SchemaMatch", _columns_beside),
}
# DQDL has these too.
UNKNOWN = ("AggregateMatch", "DatasetMatch", "DetectAnomalies", "FileFreshness", "FileMatch",
           "FileSize", "FileUniqueness", "AllStatistics", "Variance")  # fmt: skip
