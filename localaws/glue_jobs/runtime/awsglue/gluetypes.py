"""The types of a DynamicFrame's schema: Spark's, and a choice between several.

Names, constructors and the JSON shape are those of AWS Glue's `awsglue.gluetypes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


class DataType:
    """Two types are equal when they read the same."""

    name = ""

    def __init__(self, properties: Json | None = None) -> None:
        self.properties = properties or {}

    @classmethod
    def typeName(cls) -> str:
        return cls.name

    def jsonValue(self) -> Json:
        return {"dataType": self.name, "properties": self.properties}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and self.jsonValue() == other.jsonValue()

    def __hash__(self) -> int:
        return hash(str(self.jsonValue()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class NullType(DataType):
    name = "null"


class UnknownType(NullType):
    name = "unknown"


class BinaryType(DataType):
    name = "binary"


class BooleanType(DataType):
    name = "boolean"


class ByteType(DataType):
    name = "byte"


class ShortType(DataType):
    name = "short"


class IntegerType(DataType):
    name = "int"


class LongType(DataType):
    name = "long"


class FloatType(DataType):
    name = "float"


class DoubleType(DataType):
    name = "double"


class StringType(DataType):
    name = "string"


class DateType(DataType):
    name = "date"


class TimestampType(DataType):
    name = "timestamp"


class TimestampNTZType(DataType):
    name = "timestamp_ntz"


class DecimalType(DataType):
    name = "decimal"

    def __init__(self, precision: int = 10, scale: int = 2, properties: Json | None = None) -> None:
        super().__init__(properties)
        self.precision, self.scale = precision, scale

    def jsonValue(self) -> Json:
        return {**super().jsonValue(), "precision": self.precision, "scale": self.scale}


class ArrayType(DataType):
    name = "array"

    def __init__(self, elementType: DataType, properties: Json | None = None) -> None:
        super().__init__(properties)
        self.elementType = elementType

    def jsonValue(self) -> Json:
        return {**super().jsonValue(), "elementType": self.elementType.jsonValue()}


class SetType(ArrayType):
    name = "set"


class MapType(DataType):
    """Its keys are strings."""

    name = "map"

    def __init__(self, valueType: DataType, properties: Json | None = None) -> None:
        super().__init__(properties)
        self.valueType = valueType

    def jsonValue(self) -> Json:
        return {**super().jsonValue(), "valueType": self.valueType.jsonValue()}


class Field:
    """A named member of a struct."""

    def __init__(
        self,
        name: str,
        dataType: DataType,
        properties: Json | None = None,
    ) -> None:
        self.name, self.dataType, self.properties = name, dataType, properties or {}

    def jsonValue(self) -> Json:
        return {
            "name": self.name,
            "container": self.dataType.jsonValue(),
            "properties": self.properties,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and self.jsonValue() == other.jsonValue()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.dataType!r})"


class StructType(DataType):
    name = "struct"

    def __init__(self, fields: Iterable[Field] = (), properties: Json | None = None) -> None:
        super().__init__(properties)
        self.fields = list(fields)
        self.field_map = {field.name: field for field in self.fields}

    def __iter__(self) -> Any:
        return iter(self.fields)

    def __repr__(self) -> str:
        return f"StructType({self.fields!r})"

    def jsonValue(self) -> Json:
        return {**super().jsonValue(), "fields": [field.jsonValue() for field in self.fields]}


class ChoiceType(DataType):
    """Values of several types in one place; `choices` has each kind of type once."""

    name = "choice"

    def __init__(self, choices: Iterable[DataType] = (), properties: Json | None = None) -> None:
        super().__init__(properties)
        self.choices = list(choices)

    def __repr__(self) -> str:
        return f"ChoiceType({self.choices!r})"

    def jsonValue(self) -> Json:
        return {**super().jsonValue(), "choices": [each.jsonValue() for each in self.choices]}


SCALARS: dict[str, DataType] = {
    each.name: each()
    for each in (
        NullType, UnknownType, BinaryType, BooleanType, ByteType, ShortType, IntegerType, LongType,
        FloatType, DoubleType, StringType, DateType, TimestampType, TimestampNTZType,
    )
}  # fmt: skip
# As mappings, specs and the catalog spell them.
ALIASES = {
    "bigint": "long",
    "integer": "int",
    "smallint": "short",
    "tinyint": "byte",
    "bool": "boolean",
    "varchar": "string",
    "char": "string",
}


def merge(first: DataType, second: DataType) -> DataType:
    """The type of a place that holds values of both.

    Numbers are not widened: int and long are a choice. Structs have the fields of both, those of
    the first in front (`mergeDataTypes` of awslabs/aws-glue-libs).
    """
    if first is second or isinstance(second, NullType):
        return first
    if isinstance(first, NullType):
        return second
    if isinstance(first, ChoiceType) or isinstance(second, ChoiceType):
        return _choice([*_members(first), *_members(second)])
    if first.name != second.name:
        return ChoiceType([first, second])
    return _same_kind(first, second)


def _same_kind(first: DataType, second: DataType) -> DataType:
    if isinstance(first, StructType) and isinstance(second, StructType):
        fields = dict(first.field_map)
        for field in second.fields:
            known = fields.get(field.name)
            kind = merge(known.dataType, field.dataType) if known else field.dataType
            fields[field.name] = Field(field.name, kind)
        return StructType(fields.values())
    if isinstance(first, ArrayType) and isinstance(second, ArrayType):
        return type(first)(merge(first.elementType, second.elementType))
    if isinstance(first, MapType) and isinstance(second, MapType):
        return MapType(merge(first.valueType, second.valueType))
    if isinstance(first, DecimalType) and isinstance(second, DecimalType):
        scale = max(first.scale, second.scale)
        whole = max(first.precision - first.scale, second.precision - second.scale)
        return DecimalType(min(38, whole + scale), scale)
    return first


def _members(kind: DataType) -> list[DataType]:
    return kind.choices if isinstance(kind, ChoiceType) else [kind]


def _choice(kinds: list[DataType]) -> DataType:
    found: dict[str, DataType] = {}
    for kind in kinds:
        found[kind.name] = _same_kind(found[kind.name], kind) if kind.name in found else kind
    members = list(found.values())
    return members[0] if len(members) == 1 else ChoiceType(members)


def from_json(given: Json) -> DataType:
    """The type of what `jsonValue` gave. Raises ValueError for a name that is no type."""
    name = given["dataType"]
    if name == "struct":
        return StructType(
            Field(field["name"], from_json(field["container"])) for field in given["fields"]
        )
    if name in ("array", "set"):
        kind = SetType if name == "set" else ArrayType
        return kind(from_json(given["elementType"]))
    if name == "map":
        return MapType(from_json(given["valueType"]))
    if name == "choice":
        return ChoiceType(from_json(each) for each in given["choices"])
    if name == "decimal":
        return DecimalType(given["precision"], given["scale"])
    if name not in SCALARS:
        raise ValueError(f"{name!r} is no type of a schema; {', '.join(SCALARS)} are.")
    return SCALARS[name]
