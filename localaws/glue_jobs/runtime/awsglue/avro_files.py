"""Avro files: their schemas as a frame's, their records as its records, and back.

Version 1.7 has no logical types, 1.8 has decimals, dates and timestamps in milliseconds:
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-avro-home.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from awsglue import gluetypes as glue
from awsglue.records import Outcome
from awsglue.refusal import refuse

Place = tuple[str, str]
VERSIONS = ("1.7", "1.8")
_PLAIN = {"null": "null", "boolean": "boolean", "int": "int", "long": "long", "float": "float",
          "double": "double", "bytes": "binary", "string": "string", "enum": "string",
          "fixed": "binary"}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def reader(version: str) -> Callable[[Iterable[Place]], Iterator[Outcome]]:
    return partial(_records, version)


def schema_of(path: str, version: str) -> Any:
    """The frame's schema for a file."""
    import fastavro

    with open(path, "rb") as file:  # noqa: PTH123
        written = fastavro.reader(file).writer_schema
    kind = _kind(written, version)
    if not isinstance(kind, glue.StructType):
        refuse(f"Avro files of {kind.name}", "It reads records.")
    return kind


def _records(version: str, places: Iterable[Place]) -> Iterator[Outcome]:
    import fastavro

    for path, uri in places:
        with open(path, "rb") as file:  # noqa: PTH123
            found = fastavro.reader(file)
            for record in found:
                made: dict[str, Any] = _value(record, found.writer_schema, version)
                yield {**made, "__file": uri}, None


def _kind(schema: Any, version: str) -> Any:
    if isinstance(schema, list):
        found: Any = glue.SCALARS["null"]
        for each in schema:
            found = glue.merge(found, _kind(each, version))
        return found
    name = schema if isinstance(schema, str) else schema["type"]
    if isinstance(name, dict | list):
        return _kind(name, version)
    if name == "record":
        return glue.StructType(
            glue.Field(field["name"], _kind(field["type"], version)) for field in schema["fields"]
        )
    if name == "array":
        return glue.ArrayType(_kind(schema["items"], version))
    if name == "map":
        return glue.MapType(_kind(schema["values"], version))
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if logical == "decimal":
        if version == "1.7":
            refuse("decimals of Avro in version 1.7", 'Give format_options {"version": "1.8"}.')
        return glue.DecimalType(schema["precision"], schema.get("scale", 0))
    if version == "1.8" and logical in ("date", "timestamp-millis"):
        return glue.SCALARS["date" if logical == "date" else "timestamp"]
    if name not in _PLAIN:
        refuse(f"Avro's named type {name} inside itself")
    return glue.SCALARS[_PLAIN[name]]


def _value(value: Any, schema: Any, version: str) -> Any:
    """The library reads every logical type; those that the version has not are numbers again."""
    if isinstance(schema, list):
        others = [each for each in schema if each != "null"]
        return _value(value, others[0], version) if len(others) == 1 else value
    if value is None or isinstance(schema, str):
        return value
    kind, logical = schema["type"], schema.get("logicalType")
    if kind == "record":
        return {
            field["name"]: _value(value[field["name"]], field["type"], version)
            for field in schema["fields"]
        }
    if kind == "array":
        return [_value(each, schema["items"], version) for each in value]
    if kind == "map":
        return {name: _value(each, schema["values"], version) for name, each in value.items()}
    if logical == "date" and version == "1.7":
        return (value - date(1970, 1, 1)).days
    if isinstance(value, datetime) and not (logical == "timestamp-millis" and version == "1.8"):
        micros = round((value - _EPOCH).total_seconds() * 1e6)
        return micros // 1000 if str(logical).endswith("millis") else micros
    return value


# Writing


def written_schema(kind: Any, version: str, name: str = "topLevelRecord") -> Any:
    """The Avro schema for records of a frame; every field may be null."""
    if isinstance(kind, glue.StructType):
        fields = [
            {
                "name": field.name,
                "type": ["null", written_schema(field.dataType, version, f"{name}_{field.name}")],
                "default": None,
            }
            for field in kind.fields
        ]
        return {"type": "record", "name": name, "fields": fields}
    if isinstance(kind, glue.ArrayType):
        return {"type": "array", "items": ["null", written_schema(kind.elementType, version, name)]}
    if isinstance(kind, glue.MapType):
        return {"type": "map", "values": ["null", written_schema(kind.valueType, version, name)]}
    if version == "1.8" and isinstance(kind, glue.DecimalType):
        logical = {"precision": kind.precision, "scale": kind.scale}
        return {"type": "bytes", "logicalType": "decimal", **logical}
    if version == "1.8" and kind.name in ("date", "timestamp"):
        base, logical_name = (
            ("int", "date") if kind.name == "date" else ("long", "timestamp-micros")
        )
        return {"type": base, "logicalType": logical_name}
    if kind.name in ("byte", "short"):
        return "int"
    plain = {named: avro for avro, named in _PLAIN.items() if avro not in ("enum", "fixed")}
    return plain.get(kind.name, "string")  # 1.7: decimals, dates and timestamps as texts


def writable(value: Any, kind: Any, version: str) -> Any:
    """A record's value as the schema of `written_schema` takes it."""
    if value is None:
        return None
    if isinstance(kind, glue.StructType):
        return {
            field.name: writable(value[field.name], field.dataType, version)
            for field in kind.fields
        }
    if isinstance(kind, glue.ArrayType):
        return [writable(each, kind.elementType, version) for each in value]
    if isinstance(kind, glue.MapType):
        return {name: writable(each, kind.valueType, version) for name, each in value.items()}
    if kind.name == "timestamp" and version == "1.8":
        return value.replace(tzinfo=UTC)
    if version == "1.7" and kind.name in ("date", "timestamp", "decimal"):
        return str(value)
    return value
