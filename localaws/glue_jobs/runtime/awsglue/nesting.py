"""Relationalize: nested records as flat frames that refer to one another.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-Relationalize.html
Names as AWS's own sample prints them
(https://github.com/aws-samples/aws-glue-samples/blob/master/examples/join_and_relationalize.md):
the frame of an array is `<root>_<column>`, its columns `id`, `index` and `<column>.val.<field>`.
"""

from __future__ import annotations

from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from awsglue import gluetypes as glue
from awsglue.choices import has_choice
from awsglue.places import Fields, Value, column, fields_of, members, schema_of
from awsglue.refusal import refuse

_KEY = "__key"
_LONG, _INT = glue.SCALARS["long"], glue.SCALARS["int"]


def relationalize(frame: DataFrame, schema: Any, root: str) -> dict[str, tuple[DataFrame, Any]]:
    """Frames and their schemas by name: the root, then one for each array."""
    if has_choice(schema):
        refuse("Relationalize of a choice", "Resolve it first.")
    found: dict[str, tuple[DataFrame, Any]] = {}
    _flat(frame, schema, root, root, found)
    return found


def _flat(
    frame: DataFrame, schema: Any, name: str, root: str, found: dict[str, tuple[DataFrame, Any]]
) -> None:
    """Adds the frame without its nesting, then those of its arrays."""
    flat = _structs(fields_of(schema))
    arrays = [(label, value) for label, value in flat if isinstance(value.kind, glue.ArrayType)]
    if arrays:
        # A key must be the same in the frame and in its arrays', however often they are computed.
        keyed = frame.withColumn(_KEY, F.monotonically_increasing_id() + 1)
        frame = keyed.persist(StorageLevel.MEMORY_AND_DISK)
    fields = [
        (label, _key(value) if isinstance(value.kind, glue.ArrayType) else value)
        for label, value in flat
    ]
    found[name] = frame.select(_columns(fields)), schema_of(fields)
    for label, value in arrays:
        child = frame.where(value.column.isNotNull()).select(
            column(_KEY).alias("id"), F.posexplode(value.column).alias("index", f"{label}.val")
        )
        inner = glue.StructType(
            [
                glue.Field("id", _LONG),
                glue.Field("index", _INT),
                glue.Field(f"{label}.val", value.kind.elementType),
            ]
        )
        _flat(child, inner, f"{root}_{label}", root, found)


def _key(value: Value) -> Value:
    return Value(F.when(value.column.isNotNull(), column(_KEY)), _LONG)


def _structs(fields: Fields) -> Fields:
    found: Fields = []
    for name, value in fields:
        if isinstance(value.kind, glue.StructType):
            found += [(f"{name}.{below}", each) for below, each in _structs(members(value))]
        elif isinstance(value.kind, glue.MapType):
            refuse(f"Relationalize of the map {name}", "It takes structs and arrays.")
        else:
            found.append((name, value))
    return found


def _columns(fields: Fields) -> list[Any]:
    return [value.column.alias(name) for name, value in fields]
