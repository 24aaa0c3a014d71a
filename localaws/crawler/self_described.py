"""Files that say themselves what they hold: Parquet, ORC, Avro."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.crawler.schema import Schema

_ARROW = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint",
    "uint8": "smallint", "uint16": "int", "uint32": "bigint", "uint64": "decimal(20,0)",
    "halffloat": "float", "float": "float", "double": "double", "string": "string",
    "large_string": "string", "binary": "binary", "large_binary": "binary", "date32[day]": "date",
}  # fmt: skip
_AVRO = {
    "boolean": "boolean", "int": "int", "long": "bigint", "float": "float", "double": "double",
    "bytes": "binary", "fixed": "binary", "string": "string", "enum": "string",
}  # fmt: skip
_LOGICAL = {
    "date": "date", "timestamp-millis": "timestamp", "timestamp-micros": "timestamp",
}  # fmt: skip


def self_described(path: Path, start: bytes) -> Schema | None:
    """By the file's first bytes; None for one that is of no such format."""
    if start.startswith(b"PAR1"):
        return _parquet(path)
    if start.startswith(b"ORC"):
        return _orc(path)
    return _avro(path) if start.startswith(b"Obj\x01") else None


def _columns(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    pairs = zip(schema.names, schema.types, strict=True)
    return tuple((name.lower(), hive_type(kind)) for name, kind in pairs)


def _parquet(path: Path) -> Schema:
    file = pq.ParquetFile(path)
    return Schema("parquet", _columns(file.schema_arrow), rows=file.metadata.num_rows)


def _orc(path: Path) -> Schema:
    from pyarrow import orc

    file = orc.ORCFile(path)
    return Schema("orc", _columns(file.schema), rows=file.nrows)


def hive_type(kind: pa.DataType) -> str:
    """The catalog's name of a column's type."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_dictionary(kind):
        return hive_type(kind.value_type)
    if pa.types.is_map(kind):
        return f"map<{hive_type(kind.key_type)},{hive_type(kind.item_type)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{hive_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        fields = (kind.field(i) for i in range(kind.num_fields))
        return f"struct<{','.join(f'{f.name.lower()}:{hive_type(f.type)}' for f in fields)}>"
    return _ARROW.get(str(kind), "string")


def _avro(path: Path) -> Schema | None:
    """A record's fields; the schema as it is written goes into the table, as AWS does."""
    import fastavro

    try:
        with path.open("rb") as file:
            blocks = fastavro.block_reader(file)
            schema = json.loads(blocks.metadata["avro.schema"])
            rows = sum(block.num_records for block in blocks)
    except (ValueError, KeyError, EOFError) as error:
        raise OSError(f"no whole Avro file: {error}") from error
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return None
    known: dict[str, Any] = {}
    columns = tuple(
        (each["name"].lower(), _avro_type(each["type"], known)) for each in schema["fields"]
    )
    return Schema("avro", columns, rows=rows, pattern=json.dumps(schema, separators=(",", ":")))


def _avro_type(kind: Any, known: dict[str, Any]) -> str:
    """`known` are the types that have names, as they are met."""
    if isinstance(kind, list):
        given = [each for each in kind if each != "null"]
        return _avro_type(given[0], known) if len(given) == 1 else "string"
    if isinstance(kind, str):
        return _avro_type(known[kind], known) if kind in known else _AVRO.get(kind, "string")
    if "name" in kind:
        known[kind["name"]] = kind
    if kind.get("logicalType") == "decimal":
        return f"decimal({kind['precision']},{kind.get('scale', 0)})"
    if kind.get("logicalType") in _LOGICAL:
        return _LOGICAL[kind["logicalType"]]
    if kind["type"] == "record":
        fields = (f"{f['name'].lower()}:{_avro_type(f['type'], known)}" for f in kind["fields"])
        return f"struct<{','.join(fields)}>"
    if kind["type"] == "array":
        return f"array<{_avro_type(kind['items'], known)}>"
    if kind["type"] == "map":
        return f"map<string,{_avro_type(kind['values'], known)}>"
    return _avro_type(kind["type"], known)
