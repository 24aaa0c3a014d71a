"""ORC and Avro files, which DuckDB does not read, as Parquet files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from localaws.tables.errors import TableError, not_emulated
from localaws.tables.snapshot import DataFile
from localaws.tables.storage import Storage
from localaws.tables.text_files import FILE
from localaws.trino import types as t
from localaws.trino.types import Type

_BATCH = 50_000


def as_parquet(
    file: DataFile, storage: Storage, columns: tuple[tuple[str, Type], ...], folder: Path
) -> DataFile:
    """The file's rows in Parquet, with the path of the file itself in a last column, FILE.

    Raises TableError: HIVE_CANNOT_OPEN_SPLIT, HIVE_BAD_DATA.
    """
    batches = _orc(file) if storage.format == "orc" else _avro(file, storage, columns)
    return _written(file, (_with_path(batch, file) for batch in batches), storage.format, folder)


def orc_as_parquet(file: DataFile, folder: Path) -> DataFile:
    """An ORC file in Parquet, with its own columns. Raises TableError (HIVE_CANNOT_OPEN_SPLIT)."""
    return _written(file, _orc(file), "orc", folder)


def _written(file: DataFile, batches: Iterator[pa.Table], kind: str, folder: Path) -> DataFile:
    """Batch by batch, the first of which says the columns."""
    target = folder / f"{uuid.uuid4().hex}.parquet"
    try:
        first = next(batches)
        with pq.ParquetWriter(target, first.schema) as writer:
            for batch in chain((first,), batches):
                writer.write_table(batch)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, EOFError) as error:
        reason = str(error).replace(file.path, file.uri).partition("\n")[0]
        raise TableError(
            "HIVE_CANNOT_OPEN_SPLIT",
            f"Error opening Hive split {file.uri}: no {kind.upper()}: {reason}",
        ) from None
    return replace(file, path=str(target))


def _with_path(batch: pa.Table, file: DataFile) -> pa.Table:
    return batch.append_column(FILE, pa.array([file.path] * len(batch), pa.string()))


def _orc(file: DataFile) -> Iterator[pa.Table]:
    """Stripe by stripe; of a file without stripes the columns only."""
    stripes = orc.ORCFile(file.path)
    yield stripes.schema.empty_table()
    for number in range(stripes.nstripes):
        yield pa.Table.from_batches([stripes.read_stripe(number)])


def _avro(
    file: DataFile, storage: Storage, columns: tuple[tuple[str, Type], ...]
) -> Iterator[pa.Table]:
    """By the reader's schema that the table has: its defaults stand for what a file lacks."""
    schema = json.loads(storage.schema)
    names = {field["name"].lower(): field["name"] for field in schema.get("fields", ())}
    there = [(label, kind) for label, kind in columns if label in names]
    shape = pa.schema([(label, _arrow(kind, label)) for label, kind in there])
    yield shape.empty_table()
    with Path(file.path).open("rb") as source:
        rows = fastavro.reader(source, reader_schema=schema)
        while batch := list(islice(rows, _BATCH)):
            yield pa.table(
                [
                    pa.array(
                        [_value(row[names[label]], kind) for row in batch], shape.field(i).type
                    )
                    for i, (label, kind) in enumerate(there)
                ],
                schema=shape,
            )


def _value(value: Any, kind: Type) -> Any:
    """Fields of records and keys of maps by their lower-case names, as the catalog has them."""
    if value is None:
        return None
    if kind.name == "array":
        return [_value(item, kind.items[0]) for item in value]
    if kind.name == "map":
        return [(key, _value(item, kind.items[1])) for key, item in value.items()]
    if kind.name == "row":
        lower = {key.lower(): item for key, item in value.items()}
        return {
            t.field_name(kind, i): _value(lower.get(t.field_name(kind, i)), item)
            for i, item in enumerate(kind.items)
        }
    return value.replace(tzinfo=None) if kind.name == "timestamp" else value


_ARROW = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(),
    "bigint": pa.int64(), "real": pa.float32(), "double": pa.float64(), "varchar": pa.string(),
    "char": pa.string(), "varbinary": pa.binary(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}  # fmt: skip


def _arrow(kind: Type, label: str) -> pa.DataType:
    if kind.name == "array":
        return pa.list_(_arrow(kind.items[0], label))
    if kind.name == "map":
        return pa.map_(*(_arrow(item, label) for item in kind.items))
    if kind.name == "row":
        return pa.struct(
            [(t.field_name(kind, i), _arrow(item, label)) for i, item in enumerate(kind.items)]
        )
    if kind.name == "decimal":
        return pa.decimal128(*kind.numbers)
    if kind.name not in _ARROW:
        raise not_emulated(f"the type {kind} in an Avro table (column {label})")
    return _ARROW[kind.name]
