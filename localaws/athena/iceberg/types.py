"""Iceberg's types as Trino has them, and back.

https://trino.io/docs/current/connector/iceberg.html#iceberg-to-trino-type-mapping, and for what a
CREATE TABLE of Athena takes
https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-supported-data-types.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from localaws.athena.sql.times import ZONED, sized
from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type

UUID = Type("uuid")
_TRINO = {
    "boolean": t.BOOLEAN, "int": t.INTEGER, "long": t.BIGINT, "float": t.REAL, "double": t.DOUBLE,
    "date": t.DATE, "time": sized("time", 6), "timestamp": sized("timestamp", 6),
    "timestamptz": sized(ZONED, 6), "string": t.VARCHAR, "binary": t.VARBINARY, "uuid": UUID,
}  # fmt: skip
_ICEBERG = {
    "boolean": "boolean", "tinyint": "int", "smallint": "int", "integer": "int", "bigint": "long",
    "real": "float", "double": "double", "date": "date", "time": "time", "timestamp": "timestamp",
    ZONED: "timestamptz", "varchar": "string", "varbinary": "binary", "uuid": "uuid",
}  # fmt: skip
_HIVE = {
    "boolean": "boolean", "int": "int", "long": "bigint", "float": "float", "double": "double",
    "date": "date", "timestamp": "timestamp", "timestamptz": "timestamp with time zone",
    "string": "string", "binary": "binary", "time": "time", "uuid": "uuid",
}  # fmt: skip


def trino(kind: Any) -> Type:
    """The type of a metadata file's JSON. Raises QueryError (NOT_SUPPORTED) for one of format 3."""
    if isinstance(kind, str):
        if kind in _TRINO:
            return _TRINO[kind]
        sizes = tuple(int(number) for number in re.findall(r"\d+", kind))
        if kind.startswith("decimal"):
            return t.decimal(*sizes)
        if kind.startswith("fixed"):
            return t.VARBINARY
        raise QueryError("NOT_SUPPORTED", f"localaws does not emulate Iceberg's type {kind}")
    if kind["type"] == "list":
        return t.array(trino(kind["element"]))
    if kind["type"] == "map":
        return t.map_of(trino(kind["key"]), trino(kind["value"]))
    fields = kind["fields"]
    return t.row((trino(f["type"]) for f in fields), (f["name"].lower() for f in fields))


def iceberg(kind: Type, numbers: Iterator[int] | None = None) -> Any:
    """The type as a metadata file's JSON, with fresh field ids below it.

    Raises QueryError (NOT_SUPPORTED) for a type that an Iceberg table cannot have.
    """
    ids = numbers or count(1)
    if kind.name == "decimal":
        return f"decimal({kind.numbers[0]}, {kind.numbers[1]})"
    if kind.name == "array":
        number = next(ids)
        element = iceberg(kind.items[0], ids)
        return {
            "type": "list", "element-id": number, "element": element, "element-required": False,
        }  # fmt: skip
    if kind.name == "map":
        first, second = next(ids), next(ids)
        return {
            "type": "map",
            "key-id": first,
            "key": iceberg(kind.items[0], ids),
            "value-id": second,
            "value": iceberg(kind.items[1], ids),
            "value-required": False,
        }
    if kind.name == "row":
        names = [t.field_name(kind, place) for place in range(len(kind.items))]
        return fields(list(zip(names, kind.items, strict=True)), ids)
    if kind.name not in _ICEBERG:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind}")
    return _ICEBERG[kind.name]


def fields(columns: list[tuple[str, Type]], numbers: Iterator[int] | None = None) -> Any:
    """A struct, or a schema, of these columns."""
    ids = numbers or count(1)
    places = [next(ids) for _ in columns]
    return {
        "type": "struct",
        "fields": [
            {"id": place, "name": label, "required": False, "type": iceberg(kind, ids)}
            for place, (label, kind) in zip(places, columns, strict=True)
        ],
    }


def declared(column: dict[str, str]) -> Type:
    """The type of a column of CREATE TABLE or ADD COLUMNS. Raises QueryError."""
    written = column["Type"]
    refused = re.search(r"\b(tinyint|smallint|char|varchar|time|fixed|uuid)\b", written)
    try:
        kind = t.from_hive(written)
    except ValueError:
        refused = refused or re.match(".*", written)
        kind = t.VARCHAR
    if refused:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {refused.group()}")
    return kind


def hive(kind: Any) -> str:
    """As DESCRIBE and SHOW CREATE TABLE write the type of an Iceberg table."""
    if isinstance(kind, str):
        return _HIVE.get(kind, kind)
    if kind["type"] == "list":
        return f"array<{hive(kind['element'])}>"
    if kind["type"] == "map":
        return f"map<{hive(kind['key'])}, {hive(kind['value'])}>"
    parts = [f"{field['name']}: {hive(field['type'])}" for field in kind["fields"]]
    return f"struct<{', '.join(parts)}>"
