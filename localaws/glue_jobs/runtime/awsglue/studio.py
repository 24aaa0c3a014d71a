"""Glue Studio's own transforms (`gs_...`), which scripts call as methods of frames.

Each takes a data frame and gives one; a dynamic frame has them over its data frame.
https://docs.aws.amazon.com/glue/latest/dg/edit-jobs-transforms.html
"""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as spark

from awsglue.dynamicframe import DynamicFrame
from awsglue.objects import flag
from awsglue.places import column
from awsglue.refusal import only, refuse, warn

# Python's codes of dates as Spark's letters.
_CODES = {
    "a": "EEE", "A": "EEEE", "b": "MMM", "B": "MMMM", "d": "dd", "f": "SSSSSS", "H": "HH",
    "I": "hh", "j": "DDD", "m": "MM", "M": "mm", "p": "a", "S": "ss", "y": "yy", "Y": "yyyy",
    "z": "xx", "Z": "z",
}  # fmt: skip
_PER_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}
_AGGREGATES = ("avg", "count", "first", "last", "max", "mean", "min", "sum", "stddev", "variance")
_ID_DIGITS = 19  # of the largest identifier in a run


def give(name: str) -> None:
    """Frames have the transform from now on."""
    function = _TRANSFORMS[name]
    known = tuple(inspect.signature(function).parameters)[1:]

    def transform(df: DataFrame, *args: Any, **options: Any) -> DataFrame:
        only(name, options, known)
        return function(df, *args, **options)

    def of_frame(frame: DynamicFrame, *args: Any, **options: Any) -> DynamicFrame:
        made = transform(frame.toDF(), *args, **options)
        return DynamicFrame.fromDF(made, frame.glue_ctx, frame.name)

    setattr(DataFrame, name, transform)
    setattr(DynamicFrame, name, of_frame)


def _now(df: DataFrame, colName: str = "timestamp", dateFormat: str | None = None) -> DataFrame:
    now = F.current_timestamp()
    return df.withColumn(colName, F.date_format(now, _pattern(dateFormat)) if dateFormat else now)


def _format_timestamp(
    df: DataFrame, colName: str, dateFormat: str, newColName: str | None = None
) -> DataFrame:
    made = F.date_format(F.col(colName), _pattern(dateFormat))
    return df.withColumn(newColName or _bare(colName), made)


def _to_timestamp(
    df: DataFrame, colName: str, colType: str, newColName: str | None = None
) -> DataFrame:
    """Of numbers the type says what they count; of each value `autodetect` guesses."""
    given = F.col(colName)
    number = given.cast("double")
    if colType in _PER_SECOND:
        made = _moment(number, _PER_SECOND[colType])
    elif colType == "iso":
        made = given.cast("string").cast("timestamp")
    elif colType == "autodetect":
        warn(f"gs_to_timestamp: how AWS guesses is not known; {colName} is guessed by its size.")
        size = F.abs(number)
        made = (
            F.when(number.isNull() | given.cast("string").rlike(r"^\d{4}$"),
                   given.cast("string").cast("timestamp"))
            .when(size < 1e11, _moment(number, 1))
            .when(size < 1e14, _moment(number, 1_000))
            .otherwise(_moment(number, 1_000_000))
        )  # fmt: skip
    else:
        raise ValueError(
            f"colType is {colType}; it is autodetect, iso or {', '.join(_PER_SECOND)}."
        )
    if isinstance(df.select(given).schema[0].dataType, spark.TimestampType):
        made = given
    return df.withColumn(newColName or _bare(colName), made)


def _moment(number: Column, per_second: int) -> Column:
    return F.timestamp_seconds(number / per_second)


def _uuid(df: DataFrame, colName: str = "uuid") -> DataFrame:
    return df.withColumn(colName, F.expr("uuid()"))


def _sequence_id(df: DataFrame, colName: str = "id", unique: bool = False) -> DataFrame:
    """A long for each row; a decimal that begins with the moment where it is to be unique among
    runs."""
    number = F.monotonically_increasing_id()
    if not flag(unique):
        return df.withColumn(colName, number)
    run = int(time.time() * 1000) * 10**_ID_DIGITS
    begin = F.lit(str(run)).cast("decimal(38,0)")
    return df.withColumn(colName, (begin + number.cast("decimal(20,0)")).cast("decimal(38,0)"))


def _concat(
    df: DataFrame, colName: str, colList: Sequence[str] | str, spacer: str = ""
) -> DataFrame:
    """A null is an empty text."""
    texts = [F.coalesce(F.col(name).cast("string"), F.lit("")) for name in _listed(colList)]
    return df.withColumn(colName, F.concat_ws(spacer, *texts))


def _derived(df: DataFrame, colName: str, expr: str) -> DataFrame:
    return df.withColumn(colName, F.expr(expr))


def _explode(df: DataFrame, colName: str, newCol: str, outer: bool = False) -> DataFrame:
    """A row for each element; with `outer` also for an array without any."""
    if isinstance(df.select(F.col(colName)).schema[0].dataType, spark.MapType):
        refuse(f"gs_explode of {colName}, a map", "It takes an array.")
    each = F.explode_outer if flag(outer) else F.explode
    return df.withColumn(newCol, each(F.col(colName)))


def _split(df: DataFrame, colName: str, pattern: str, newColName: str | None = None) -> DataFrame:
    return df.withColumn(newColName or _bare(colName), F.split(F.col(colName), pattern))


def _array_to_cols(
    df: DataFrame, colName: str, colList: Sequence[str] | str, indexes: str | None = None
) -> DataFrame:
    """The elements as columns; `indexes` begin at 1."""
    labels = _listed(colList)
    places = [int(each) for each in _listed(indexes)] if indexes else range(1, len(labels) + 1)
    array = F.col(colName)
    made = [F.get(array, at - 1) for at in places]
    return df.withColumns(dict(zip(labels, made, strict=True)))


def _regex_extract(
    df: DataFrame, colName: str, regex: str, newCols: Sequence[str] | str
) -> DataFrame:
    """A column for each group, or one for all that matches; an empty text without a match."""
    labels = [each.strip() for each in newCols.split(",")] if isinstance(newCols, str) else newCols
    first = 1 if re.compile(regex).groups else 0
    for group, label in enumerate(labels, first):
        if label:
            df = df.withColumn(label, F.regexp_extract(F.col(colName), regex, group))
    return df


def _flatten(df: DataFrame, maxLevels: int = 0, separator: str = ".") -> DataFrame:
    """Fields of structs as columns named by their paths; 0 levels are all there are."""

    def below(name: str, value: Column, kind: Any, level: int) -> list[Column]:
        if not isinstance(kind, spark.StructType) or (maxLevels and level >= int(maxLevels)):
            return [value.alias(name)]
        return [
            each
            for field in kind.fields
            for each in below(
                f"{name}{separator}{field.name}",
                value.getField(field.name),
                field.dataType,
                level + 1,
            )
        ]

    return df.select(
        *(
            each
            for field in df.schema.fields
            for each in below(field.name, column(field.name), field.dataType, 0)
        )
    )


def _null_rows(df: DataFrame, extended: bool = False) -> DataFrame:
    """Without the rows that have nothing but nulls; `extended`: nor empty texts, arrays, maps."""
    kept = F.lit(False)
    for field in df.schema.fields:
        there = column(field.name).isNotNull()
        if flag(extended) and isinstance(field.dataType, spark.StringType):
            there = there & (column(field.name) != "")
        if flag(extended) and isinstance(field.dataType, spark.ArrayType | spark.MapType):
            there = there & (F.size(column(field.name)) > 0)
        kept = kept | there
    return df.where(kept)


def _pivot(df: DataFrame, aggCol: str, aggFunction: str, colList: Sequence[str] | str) -> DataFrame:
    """A column for each value of the one in `colList`; rows that are alike elsewhere are one."""
    labels = _listed(colList)
    if len(labels) != 1:
        refuse("gs_pivot of several columns", "It takes one.")
    if aggFunction not in _AGGREGATES:
        refuse(f"gs_pivot with {aggFunction}", f"It has {', '.join(_AGGREGATES)}.")
    rest = [column(name) for name in df.columns if name not in (aggCol, labels[0])]
    made = getattr(F, aggFunction)(F.col(aggCol))
    return df.groupBy(*rest).pivot(labels[0]).agg(made)


def _repartition(df: DataFrame, numPartitionsStr: str | int | None = None) -> DataFrame:
    """Into as many parts, or as there are cores."""
    number = numPartitionsStr or df.sparkSession.sparkContext.defaultParallelism
    return df.repartition(int(number))


def _listed(given: Sequence[str] | str) -> list[str]:
    """Names in a list, or in a text with commas."""
    return [each.strip() for each in (given.split(",") if isinstance(given, str) else given)]


def _bare(name: str) -> str:
    """A column's name without the backticks of its path."""
    return name[1:-1] if name.startswith("`") and name.endswith("`") else name


def _pattern(given: str) -> str:
    """A format of dates in Spark's letters, whichever it is written in."""

    def letters(code: re.Match[str]) -> str:
        if code[1] not in _CODES:
            raise ValueError(f"{given!r} has %{code[1]}, which Spark has no letters for.")
        return _CODES[code[1]]

    return re.sub(r"%(.)", letters, given)


_TRANSFORMS: dict[str, Callable[..., DataFrame]] = {
    "gs_array_to_cols": _array_to_cols,
    "gs_concat": _concat,
    "gs_derived": _derived,
    "gs_explode": _explode,
    "gs_flatten": _flatten,
    "gs_format_timestamp": _format_timestamp,
    "gs_now": _now,
    "gs_null_rows": _null_rows,
    "gs_pivot": _pivot,
    "gs_regex_extract": _regex_extract,
    "gs_repartition": _repartition,
    "gs_sequence_id": _sequence_id,
    "gs_split": _split,
    "gs_to_timestamp": _to_timestamp,
    "gs_uuid": _uuid,
}
