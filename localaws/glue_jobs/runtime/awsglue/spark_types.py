"""A schema's types as Spark's, and back.

Spark has no choice: a choice is a struct with one field for each of its types, named as the type,
of which at most one is not null. That is what `make_struct` gives and what `toDF` shows.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import types as spark

from awsglue import gluetypes as glue
from awsglue.refusal import refuse

_SCALARS = {
    "null": spark.NullType(),
    "unknown": spark.NullType(),
    "binary": spark.BinaryType(),
    "boolean": spark.BooleanType(),
    "byte": spark.ByteType(),
    "short": spark.ShortType(),
    "int": spark.IntegerType(),
    "long": spark.LongType(),
    "float": spark.FloatType(),
    "double": spark.DoubleType(),
    "string": spark.StringType(),
    "date": spark.DateType(),
    "timestamp": spark.TimestampType(),
    "timestamp_ntz": spark.TimestampNTZType(),
}
_FROM = {type(kind): glue.SCALARS[name] for name, kind in _SCALARS.items() if name != "unknown"}
_FROM |= {spark.VarcharType: glue.SCALARS["string"], spark.CharType: glue.SCALARS["string"]}


def to_spark(kind: Any) -> Any:
    """Spark's type that holds the values of `kind`."""
    if isinstance(kind, glue.StructType):
        return spark.StructType(
            [spark.StructField(field.name, to_spark(field.dataType)) for field in kind.fields]
        )
    if isinstance(kind, glue.ChoiceType):
        return spark.StructType(
            [spark.StructField(each.name, to_spark(each)) for each in kind.choices]
        )
    if isinstance(kind, glue.ArrayType):
        return spark.ArrayType(to_spark(kind.elementType))
    if isinstance(kind, glue.MapType):
        return spark.MapType(spark.StringType(), to_spark(kind.valueType))
    if isinstance(kind, glue.DecimalType):
        return spark.DecimalType(kind.precision, kind.scale)
    return _SCALARS[kind.name]


def from_spark(kind: Any) -> Any:
    """The schema's type of a Spark type; refuses those that Glue has no word for."""
    if isinstance(kind, spark.StructType):
        return glue.StructType(
            glue.Field(field.name, from_spark(field.dataType)) for field in kind.fields
        )
    if isinstance(kind, spark.ArrayType):
        return glue.ArrayType(from_spark(kind.elementType))
    if isinstance(kind, spark.MapType):
        return glue.MapType(from_spark(kind.valueType))
    if isinstance(kind, spark.DecimalType):
        return glue.DecimalType(kind.precision, kind.scale)
    found = _FROM.get(type(kind))
    return found if found is not None else refuse(f"a DynamicFrame with {kind.simpleString()}")


def parse(written: str) -> Any:
    """The type that a mapping, a spec or the catalog names: `bigint`, `decimal(10,2)`,
    `array<struct<a:int>>`. Raises ValueError."""
    text = written.strip().lower()
    name = glue.ALIASES.get(text.partition("(")[0].strip())
    if name is not None and name in glue.SCALARS:
        return glue.SCALARS[name]
    if text in glue.SCALARS:
        return glue.SCALARS[text]
    if text == "decimal":
        return glue.DecimalType(10, 2)
    try:
        return from_spark(spark._parse_datatype_string(written.strip()))
    except Exception as error:
        raise ValueError(f"{written!r} is no type: {str(error).splitlines()[0]}") from None
