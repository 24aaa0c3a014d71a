"""Values of one type from values of another. What cannot be one becomes null, as in Glue."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F  # noqa: N812

from awsglue import gluetypes as glue
from awsglue.places import Value, members
from awsglue.refusal import refuse
from awsglue.spark_types import parse, to_spark

NESTED = ("struct", "array", "map")  # a mapping may name them without what is in them
_WIDER = (("byte", "short", "int", "long"), ("float", "double"))


def named(written: str) -> Any:
    """The type that is written, or the bare word for a nested one."""
    text = written.strip().lower()
    return text if text in NESTED else parse(written)


def same_kind(kind: Any, wanted: Any) -> bool:
    """Whether values of `kind` are what a mapping or spec means by `wanted`.

    A narrower number counts as the wider one: nothing is lost, and how many bits a number in JSON
    takes is the reader's choice.
    """
    name = wanted if isinstance(wanted, str) else wanted.name
    if kind.name == name:
        return True
    return any(
        kind.name in order and name in order and order.index(kind.name) < order.index(name)
        for order in _WIDER
    )


def cast(value: Value, wanted: Any) -> Value:
    """The value as `wanted`; of a choice, whichever type it has."""
    if isinstance(wanted, str):
        return value if value.kind.name == wanted else nulls(value.kind)
    if isinstance(value.kind, glue.ChoiceType):
        if isinstance(wanted, glue.ChoiceType):
            refuse("a cast to a choice")
        each = [cast(member, wanted) for _, member in members(value) if _castable(member, wanted)]
        return Value(F.coalesce(*(one.column for one in each)), wanted) if each else nulls(wanted)
    if value.kind == wanted:
        return value
    if isinstance(value.kind, glue.NullType):
        return nulls(wanted)
    if not _castable(value, wanted):
        refuse(f"a cast of {value.kind.name} to {wanted.name}")
    return Value(value.column.cast(to_spark(wanted)), wanted)


def _castable(value: Value, wanted: Any) -> bool:
    nested = value.kind.name in (*NESTED, "set")
    return value.kind.name == wanted.name if nested else wanted.name not in (*NESTED, "set")


def only_of(value: Value, wanted: Any) -> Value | None:
    """Those values that are of the type already, the others null; None if none can be."""
    if not isinstance(value.kind, glue.ChoiceType):
        if isinstance(value.kind, glue.NullType) and not isinstance(wanted, str):
            return nulls(wanted)
        return value if same_kind(value.kind, wanted) else None
    fitting = [member for _, member in members(value) if same_kind(member.kind, wanted)]
    if not fitting:
        return None
    if len(fitting) == 1:
        return fitting[0]
    widest = parse(wanted) if isinstance(wanted, str) else wanted
    return Value(F.coalesce(*(cast(each, widest).column for each in fitting)), widest)


def nulls(kind: Any) -> Value:
    return Value(F.lit(None).cast(to_spark(kind)), kind)
