"""What takes two frames, or splits one by a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from awsglue import gluetypes as glue
from awsglue.places import Fields, Value, fields_of, find
from awsglue.refusal import refuse
from awsglue.spark_types import to_spark

Typed = tuple[DataFrame, Any]  # a data frame and its schema
_COMPARE = {
    "=": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "<": lambda value, other: value < other,
    "<=": lambda value, other: value <= other,
    ">": lambda value, other: value > other,
    ">=": lambda value, other: value >= other,
}


def join(first: Typed, second: Typed, keys1: Sequence[str], keys2: Sequence[str]) -> Typed:
    """The pairs of records with equal keys; null keys are equal to nothing.

    Both keys stay. A column of the second frame whose name the first has gets a dot in front, as
    scripts of Glue Studio drop it (`` DropFields(paths=["`.id`"]) ``).
    """
    if len(keys1) != len(keys2) or not keys1:
        raise ValueError(f"Join: {list(keys1)} and {list(keys2)} must be as many, at least one.")
    if not first[1].fields or not second[1].fields:  # no records, as where nothing is new
        whole = first if first[1].fields else second
        return whole[0].limit(0), whole[1]
    taken = {field.name for field in first[1].fields}
    left = [(f"l{number}", value) for number, (_, value) in enumerate(fields_of(first[1]))]
    right = [(f"r{number}", value) for number, (_, value) in enumerate(fields_of(second[1]))]
    conditions = []
    one, two = _with_keys(first, left, keys1, "k1"), _with_keys(second, right, keys2, "k2")
    for number in range(len(keys1)):
        conditions.append(F.col(f"k1_{number}") == F.col(f"k2_{number}"))
    both = one.join(two, reduce(lambda a, b: a & b, conditions), "inner")
    names = [field.name for field in first[1].fields]
    names += [f".{f.name}" if f.name in taken else f.name for f in second[1].fields]
    kinds = [field.dataType for field in (*first[1].fields, *second[1].fields)]
    made = both.select(
        *(F.col(own).alias(name) for (own, _), name in zip([*left, *right], names, strict=True))
    )
    return made, glue.StructType(map(glue.Field, names, kinds))


def _with_keys(typed: Typed, fields: Fields, keys: Sequence[str], prefix: str) -> DataFrame:
    found = []
    for number, path in enumerate(keys):
        value = _scalar("Join", fields_of(typed[1]), path)
        found.append(value.column.alias(f"{prefix}_{number}"))
    return typed[0].select(*(value.column.alias(name) for name, value in fields), *found)


def _scalar(what: str, fields: Fields, path: str) -> Value:
    value = find(fields, path)
    if value is None:
        raise ValueError(f"{what}: there is no field {path}; there are {[n for n, _ in fields]}.")
    if isinstance(value.kind, glue.ChoiceType):
        refuse(f"{what} by the choice {path}", "Resolve it first.")
    return value


def without(frame: Typed, other: Typed, keys: Sequence[str]) -> DataFrame:
    """The records whose keys no record of the other frame has."""
    own = [_scalar("mergeDynamicFrame", fields_of(frame[1]), key).column for key in keys]
    theirs = [_scalar("mergeDynamicFrame", fields_of(other[1]), key).column for key in keys]
    marked = frame[0].select("*", *(key.alias(f"__key{n}") for n, key in enumerate(own)))
    known = other[0].select(*(key.alias(f"__other{n}") for n, key in enumerate(theirs))).distinct()
    same = reduce(
        lambda a, b: a & b,
        (F.col(f"__key{n}").eqNullSafe(F.col(f"__other{n}")) for n in range(len(keys))),
    )
    rest = marked.join(known, same, "left_anti")
    return rest.drop(*(f"__key{number}" for number in range(len(keys))))


def union(first: Typed, second: Typed) -> Typed:
    """The records of both; what one has not is null, unequal types are a choice."""
    schema = glue.merge(first[1], second[1])
    frames = [
        df.select(
            *(_as(own.get(field.name), field.dataType).alias(field.name) for field in schema.fields)
        )
        for df, own in (
            (first[0], dict(fields_of(first[1]))),
            (second[0], dict(fields_of(second[1]))),
        )
    ]
    return frames[0].union(frames[1]), schema


def _as(value: Value | None, kind: Any) -> Any:
    """The value where its type is a wider one: a member of a choice, a struct with more fields."""
    spark = to_spark(kind)
    if value is None or isinstance(value.kind, glue.NullType):
        return F.lit(None).cast(spark)
    if value.kind == kind:
        return value.column
    if isinstance(kind, glue.ChoiceType):
        own = (
            {
                each.name: Value(value.column.getField(each.name), each)
                for each in value.kind.choices
            }
            if isinstance(value.kind, glue.ChoiceType)
            else {value.kind.name: value}
        )
        parts = [_as(own.get(each.name), each).alias(each.name) for each in kind.choices]
        return F.when(value.column.isNotNull(), F.struct(*parts))
    if isinstance(kind, glue.StructType):
        inner = {
            field.name: Value(value.column.getField(field.name), field.dataType)
            for field in value.kind.fields
        }
        parts = [_as(inner.get(f.name), f.dataType).alias(f.name) for f in kind.fields]
        return F.when(value.column.isNotNull(), F.struct(*parts))
    if isinstance(kind, glue.ArrayType):
        element = value.kind.elementType
        return F.transform(value.column, lambda each: _as(Value(each, element), kind.elementType))
    return value.column.cast(spark)


def comparison(fields: Fields, wanted: Mapping[str, Mapping[str, Any]]) -> Any:
    """Whether all the comparisons hold: `{"age": {">": 10, "<": 20}}`; a null holds none."""
    found = F.lit(True)
    for path, tests in wanted.items():
        value = _scalar("SplitRows", fields, path)
        for sign, other in tests.items():
            if sign not in _COMPARE:
                raise ValueError(
                    f"SplitRows: {sign!r} is no comparison; {', '.join(_COMPARE)} are."
                )
            found = found & F.coalesce(_COMPARE[sign](value.column, F.lit(other)), F.lit(False))
    return found
