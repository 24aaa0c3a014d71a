"""A schema as text, as `printSchema` shows it."""

from __future__ import annotations

from awsglue import gluetypes as glue


def tree(schema: glue.DataType) -> str:
    return "\n".join(["root", *_fields(schema, "")])


def _fields(kind: glue.DataType, indent: str) -> list[str]:
    if isinstance(kind, glue.StructType):
        return [
            line for field in kind.fields for line in _named(field.name, field.dataType, indent)
        ]
    if isinstance(kind, glue.ChoiceType):
        return [line for each in kind.choices for line in _member(each, indent)]
    if isinstance(kind, glue.ArrayType):
        return _named("element", kind.elementType, indent)
    if isinstance(kind, glue.MapType):
        return [f"{indent}|-- keyType: string", *_named("valueType", kind.valueType, indent)]
    return []


def _named(name: str, kind: glue.DataType, indent: str) -> list[str]:
    return [f"{indent}|-- {name}: {kind.name}", *_fields(kind, f"{indent}|    ")]


def _member(kind: glue.DataType, indent: str) -> list[str]:
    return [f"{indent}|-- {kind.name}", *_fields(kind, f"{indent}|    ")]
