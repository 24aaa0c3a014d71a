"""Records as Python values: the type that a value has, and the row that Spark takes for it.

One mechanism for whatever is read or made in Python: JSON, XML, Avro, `Map`, `Unbox`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from awsglue import gluetypes as glue

_NULL = glue.SCALARS["null"]
_SCALARS: dict[type, glue.DataType] = {
    bool: glue.SCALARS["boolean"],
    str: glue.SCALARS["string"],
    float: glue.SCALARS["double"],
    bytes: glue.SCALARS["binary"],
    bytearray: glue.SCALARS["binary"],
    date: glue.SCALARS["date"],
    datetime: glue.SCALARS["timestamp"],
    type(None): _NULL,
}
_INT, _LONG, _BIG = glue.SCALARS["int"], glue.SCALARS["long"], glue.DecimalType(38, 0)
_NARROWER = {float: "float", datetime: "timestamp_ntz"}
_BITS = {"byte": 7, "short": 15, "int": 31, "long": 63}


class DynamicRecord(dict[str, Any]):
    """What functions of a script get: a dict whose members are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def type_of(value: Any, hint: Any = None) -> Any:
    """The schema's type of a value. Where `hint` can hold it as it is, that type is kept: a long
    that a function left alone stays long."""
    kind = type(value)
    if kind is int:
        return _integer(value, hint)
    if hint is not None and hint.name == _NARROWER.get(kind):
        return hint
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(value, Mapping):
        if isinstance(hint, glue.MapType):
            return glue.MapType(type_of_all(value.values(), hint.valueType))
        known = hint.field_map if isinstance(hint, glue.StructType) else {}
        return glue.StructType(
            glue.Field(str(name), type_of(each, known[name].dataType if name in known else None))
            for name, each in value.items()
        )
    if isinstance(value, list | tuple | set):
        inner = hint.elementType if isinstance(hint, glue.ArrayType) else None
        return glue.ArrayType(type_of_all(value, inner))
    if isinstance(value, Decimal):
        if isinstance(hint, glue.DecimalType):
            return hint
        _, digits, exponent = value.as_tuple()
        scale = max(0, -exponent) if isinstance(exponent, int) else 0
        return glue.DecimalType(min(38, max(len(digits), scale + 1)), scale)
    if hasattr(value, "item"):  # a number of numpy
        return type_of(value.item(), hint)
    raise TypeError(f"A {kind.__name__} cannot be in a DynamicRecord: {value!r:.80}")


def _integer(value: int, hint: Any) -> Any:
    size = value.bit_length() if value >= 0 else (~value).bit_length()
    if hint is not None and size <= _BITS.get(hint.name, -1):
        return hint
    return _INT if size <= 31 else _LONG if size <= 63 else _BIG


def type_of_all(values: Iterable[Any], hint: Any = None) -> Any:
    """The type that holds all the values."""
    found: Any = _NULL
    for value in values:
        found = absorb(found, value, hint)
    return found


def absorb(known: Any, value: Any, hint: Any = None) -> Any:
    """The type of what was seen before and this value: `known` itself where that has room."""
    if value is None or _fits(known, value):
        return known
    return glue.merge(known, type_of(value, hint))


def _fits(known: Any, value: Any) -> bool:
    """A quick, careful look: most records are like those before."""
    kind = type(value)
    if kind is dict:
        if known.__class__ is not glue.StructType:
            return False
        fields = known.field_map
        for name, each in value.items():
            field = fields.get(name)
            if field is None or not (each is None or _fits(field.dataType, each)):
                return False
        return True
    if kind is list:
        if known.__class__ is not glue.ArrayType:
            return False
        inner = known.elementType
        return all(each is None or _fits(inner, each) for each in value)
    if kind is int:
        return known is _INT and -(1 << 31) <= value < 1 << 31
    return kind is not type(None) and known is _SCALARS.get(kind)


def to_row(value: Any, kind: Any) -> Any:
    """The value as Spark wants it for `spark_types.to_spark(kind)`: tuples for structs, for a
    choice a tuple with the value at its own type's place."""
    if value is None:
        return None
    if isinstance(kind, glue.StructType):
        return tuple(to_row(value.get(field.name), field.dataType) for field in kind.fields)
    if isinstance(kind, glue.ChoiceType):
        own = [type_of(value, each).name for each in kind.choices]
        places = [each.name == name for each, name in zip(kind.choices, own, strict=True)]
        at = places.index(True)
        return tuple(
            to_row(value, each) if index == at else None for index, each in enumerate(kind.choices)
        )
    if isinstance(kind, glue.ArrayType):
        return [to_row(each, kind.elementType) for each in value]
    if isinstance(kind, glue.MapType):
        return {str(name): to_row(each, kind.valueType) for name, each in value.items()}
    return value.item() if hasattr(value, "item") else value


def to_record(value: Any, kind: Any, sparse: bool = False) -> Any:
    """What a script's function gets for a value in a row of Spark; the reverse of `to_row`.

    `sparse` records come from where a field may be absent (JSON): a null is no field of them.
    """
    if value is None:
        return None
    if isinstance(kind, glue.StructType):
        return DynamicRecord(
            (field.name, to_record(each, field.dataType, sparse))
            for field, each in zip(kind.fields, value, strict=True)
            if not (sparse and each is None)
        )
    if isinstance(kind, glue.ChoiceType):
        for each, member in zip(kind.choices, value, strict=True):
            if member is not None:
                return to_record(member, each, sparse)
        return None
    if isinstance(kind, glue.ArrayType):
        return [to_record(each, kind.elementType, sparse) for each in value]
    if isinstance(kind, glue.MapType):
        return {name: to_record(each, kind.valueType, sparse) for name, each in value.items()}
    return bytes(value) if isinstance(value, bytearray) else value
