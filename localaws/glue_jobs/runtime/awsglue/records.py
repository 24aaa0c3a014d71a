"""What works on one record after another in Python: functions of scripts, and texts to parse."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from pyspark import RDD, StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from awsglue import gluetypes as glue
from awsglue.places import column
from awsglue.spark_types import to_spark
from awsglue.values import DynamicRecord, absorb, to_record, to_row, type_of, type_of_all

Outcome = tuple[Any, tuple[str, str, str] | None]  # a record, or what went wrong with it
ERROR = glue.StructType(
    [
        glue.Field(
            "error",
            glue.StructType(
                glue.Field(name, glue.SCALARS["string"]) for name in ("msg", "stackTrace", "input")
            ),
        )
    ]
)
_KEPT, _DROPPED = "kept", "dropped"


def frame_of(
    session: SparkSession, outcomes: RDD[Outcome], given: Any = None
) -> tuple[DataFrame, Any, DataFrame]:
    """The good records as a data frame with their schema, and the errors.

    The records are read once and kept: first for the schema (unless it is given), then for rows.
    """
    kept = outcomes.persist(StorageLevel.MEMORY_AND_DISK)
    schema = given or _schema(kept)
    rows = kept.mapPartitions(partial(_rows, schema))
    errors = kept.mapPartitions(_errors)
    return (
        session.createDataFrame(rows, to_spark(schema), verifySchema=False),
        schema,
        session.createDataFrame(errors, to_spark(ERROR), verifySchema=False),
    )


def _schema(outcomes: RDD[Outcome]) -> Any:
    kinds = outcomes.mapPartitions(_kinds).collect()
    found: Any = glue.SCALARS["null"]
    for kind in kinds:
        found = glue.merge(found, kind)
    return found if isinstance(found, glue.StructType) else glue.StructType()


def _kinds(outcomes: Iterable[Outcome]) -> Iterator[Any]:
    yield type_of_all(record for record, error in outcomes if error is None)


def _rows(schema: Any, outcomes: Iterable[Outcome]) -> Iterator[Any]:
    return (to_row(record, schema) for record, error in outcomes if error is None)


def _errors(outcomes: Iterable[Outcome]) -> Iterator[Any]:
    return ((error,) for _, error in outcomes if error is not None)


def error_of(error: BaseException, given: Any) -> Outcome:
    text = given if isinstance(given, str) else json.dumps(given, default=str)
    trace = "".join(traceback.format_exception(error))
    return None, (str(error), trace, text)


# Map


def mapped(
    frame: DataFrame, schema: Any, sparse: bool, function: Callable[[DynamicRecord], Any]
) -> tuple[DataFrame, Any, DataFrame]:
    """The frame of what the function gives for each record; its errors are error records."""
    outcomes = frame.rdd.mapPartitions(partial(_map, schema, sparse, function))
    kept = outcomes.persist(StorageLevel.MEMORY_AND_DISK)
    kinds = kept.mapPartitions(partial(_hinted, schema)).collect()
    found: Any = glue.SCALARS["null"]
    for kind in kinds:
        found = glue.merge(found, kind)
    given = found if isinstance(found, glue.StructType) else glue.StructType()
    return frame_of(frame.sparkSession, kept, given)


def _hinted(hint: Any, outcomes: Iterable[Outcome]) -> Iterator[Any]:
    found: Any = glue.SCALARS["null"]
    for record, error in outcomes:
        if error is None:
            found = glue.merge(found, type_of(record, hint))
    yield _typed_nulls(found, hint)


def _typed_nulls(found: Any, hint: Any) -> Any:
    """A field that the function left null keeps its type."""
    if isinstance(found, glue.NullType) and hint is not None:
        return hint
    if isinstance(found, glue.StructType) and isinstance(hint, glue.StructType):
        known = hint.field_map
        return glue.StructType(
            glue.Field(
                field.name,
                _typed_nulls(
                    field.dataType, known[field.name].dataType if field.name in known else None
                ),
            )
            for field in found.fields
        )
    if isinstance(found, glue.ArrayType) and isinstance(hint, glue.ArrayType):
        return glue.ArrayType(_typed_nulls(found.elementType, hint.elementType))
    return found


def _map(
    schema: Any, sparse: bool, function: Callable[[Any], Any], rows: Iterable[Any]
) -> Iterator[Outcome]:
    for row in rows:
        record = to_record(row, schema, sparse)
        try:
            made = function(record)
            if not made:
                raise ValueError("User-specified function returned None instead of DynamicRecord")
            yield made, None
        except Exception as error:
            yield error_of(error, record)


# Filter


def filtered(
    frame: DataFrame, schema: Any, sparse: bool, function: Callable[[DynamicRecord], Any]
) -> tuple[DataFrame, DataFrame]:
    """The rows for which the function is true, and the errors.

    A KeyError, ValueError or TypeError of the function drops its record without an error
    (awslabs/aws-glue-libs, `DynamicFrame.filter`).
    """
    if not schema.fields:
        return frame, frame.sparkSession.createDataFrame([], to_spark(ERROR))
    judge = F.udf(partial(_judge, schema, sparse, function)).asNondeterministic()
    whole = F.struct(*(column(field.name) for field in schema.fields))
    judged = frame.select("*", judge(whole).alias("__judged"))
    errors = judged.where(~column("__judged").isin(_KEPT, _DROPPED)).select(
        F.struct(
            column("__judged").alias("msg"),
            F.lit("").alias("stackTrace"),
            F.to_json(whole).alias("input"),
        ).alias("error")
    )
    return judged.where(column("__judged") == _KEPT).drop("__judged"), errors


def _judge(schema: Any, sparse: bool, function: Callable[[Any], Any], row: Any) -> str:
    try:
        return _KEPT if function(to_record(row, schema, sparse)) else _DROPPED
    except (KeyError, ValueError, TypeError):
        return _DROPPED
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# Unbox, and functions over partitions


def parsed(
    frame: DataFrame, texts: Any, parse: Callable[[str], Any], given: Any = None
) -> tuple[Any, Any]:
    """The column of what `parse` makes of each text, and its type; a text that it cannot parse
    is null."""
    schema = given
    if schema is None:
        kinds = frame.select(texts.alias("text")).rdd.mapPartitions(partial(_parsed, parse))
        schema = glue.SCALARS["null"]
        for kind in kinds.collect():
            schema = glue.merge(schema, kind)
    function = F.udf(partial(_parse_row, parse, schema), to_spark(schema))
    return function(texts), schema


def _parsed(parse: Callable[[str], Any], rows: Iterable[Any]) -> Iterator[Any]:
    found: Any = glue.SCALARS["null"]
    for row in rows:
        found = absorb(found, _quietly(parse, row[0]))
    yield found


def _parse_row(parse: Callable[[str], Any], schema: Any, text: str | None) -> Any:
    return to_row(_quietly(parse, text), schema)


def _quietly(parse: Callable[[str], Any], text: str | None) -> Any:
    try:
        return None if text is None else parse(text)
    except ValueError:
        return None


def dictionaries(
    schema: Any, sparse: bool, function: Callable[[Any], Any], rows: Iterable[Any]
) -> Iterator[Outcome]:
    """What `mapPartitions`' function makes of a partition."""
    given = (
        {"record": to_record(row, schema, sparse), "isError": False, "errorMessage": ""}
        for row in rows
    )
    for made in function(given):
        if made["isError"]:
            yield error_of(ValueError(made["errorMessage"]), made["record"])
        else:
            yield made["record"], None


def as_json(frame: DataFrame, schema: Any, sparse: bool, most: int) -> list[str]:
    """The first records as JSON texts; a choice as the value that it is."""
    rows = frame.limit(most).collect()
    found = (to_record(row, schema, sparse) for row in rows)
    return [json.dumps(each, default=str, ensure_ascii=False) for each in found]
