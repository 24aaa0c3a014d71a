"""The rows of an Iceberg table as a SELECT for DuckDB: columns by their ids, deletes applied."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.expressions import (
    AlwaysTrue,
    And,
    BooleanExpression,
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    LessThan,
    LessThanOrEqual,
)
from pyiceberg.manifest import DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from localaws.athena.iceberg import types
from localaws.athena.iceberg.files import LocalFiles
from localaws.athena.iceberg.source import POSITION, IcebergScan
from localaws.athena.sql.times import ZONED
from localaws.tables import hive, parquet
from localaws.tables.errors import TableError, not_emulated
from localaws.tables.snapshot import DataFile
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text

Run = Callable[[str], list[tuple[Any, ...]]]
PATH, SIZE, MODIFIED = (label for label, _ in hive.HIDDEN)
_FIELD_ID = b"PARQUET:field_id"


@dataclass(frozen=True)
class Physical:
    """A column of a file, or a part of one: its name there and its field id (-1: none)."""

    name: str
    id: int
    parts: tuple[Physical, ...] = ()


@dataclass(frozen=True)
class Reading:
    """DuckDB's text, the bytes that it reads, and the URIs of local files by path."""

    sql: str
    scanned_bytes: int
    names: dict[str, str]


def rows(
    table: Table,
    scan: IcebergScan,
    read: set[str],
    run: Run,
    tasks: Sequence[FileScanTask] | None = None,
) -> Reading:
    """The table's columns as expressions hold them, and those of hive.HIDDEN and POSITION that
    `read` names; of all the snapshot's files that can have such rows, or of `tasks`.

    Raises TableError.
    """
    files: Any = table.io
    schema = schema_of(table, scan.snapshot_id)
    if tasks is None:
        tasks = planned(table, scan.snapshot_id, where(scan.filters, schema, run))
    groups: dict[tuple[Any, ...], list[FileScanTask]] = {}
    mapping = _name_mapping(table)
    scanned = 0
    wanted = {f.field_id for f in schema.fields if f.name.lower() in read}
    for task in tasks:
        file = files.stored(task.file.file_path)
        columns = _columns(file, mapping)
        own = _constants(table, schema, task, columns)
        groups.setdefault((columns, own, bool(task.delete_files)), []).append(task)
        names = {column.name.lower() for column in columns if column.id in wanted}
        scanned += parquet.column_bytes(file, names)
        scanned += sum(d.file_size_in_bytes for d in task.delete_files)
    hidden = [label for label in (PATH, SIZE, MODIFIED, POSITION) if label in read]
    parts = [
        _select(files, schema, columns, dict(own), members, deleted, hidden)
        for (columns, own, deleted), members in groups.items()
    ]
    named = {str(files.file(t.file.file_path)): t.file.file_path for t in tasks}
    named |= {str(files.file(d.file_path)): d.file_path for t in tasks for d in t.delete_files}
    return Reading(" UNION ALL ".join(parts) or _empty(schema, hidden), scanned, named)


def where(
    filters: Iterable[tuple[str, str, tuple[str, ...]]], schema: Schema, run: Run
) -> BooleanExpression:
    """The conditions as pyiceberg has them, for what its metadata says of files."""
    found: BooleanExpression = AlwaysTrue()
    for label, operator, constants in filters:
        field = next((f for f in schema.fields if f.name.lower() == label), None)
        if field is None or not field.field_type.is_primitive:
            continue
        kind = types.trino(as_json(field.field_type))
        if kind.name == ZONED:
            shown = [f"make_timestamptz(epoch_us(({sql}).utc))" for sql in constants]
        else:
            shown = [f"CAST({sql} AS {t.duckdb(kind)})" for sql in constants]
        values = list(run(f"SELECT {', '.join(shown)}")[0]) if shown else []
        # Of 0 and of a text without letters pyiceberg 0.12 knows no bucket.
        if operator not in _OPERATORS or any(value is None or not value for value in values):
            continue
        found = And(found, _OPERATORS[operator](field.name, *values))
    return found


_OPERATORS: dict[str, Callable[..., BooleanExpression]] = {
    "=": EqualTo, "<": LessThan, "<=": LessThanOrEqual, ">": GreaterThan,
    ">=": GreaterThanOrEqual, "in": lambda label, *values: In(term=label, values=set(values)),
}  # fmt: skip


def schema_of(table: Table, snapshot_id: int | None) -> Schema:
    """The current schema; an older snapshot is read in its own."""
    if snapshot_id is None or snapshot_id == table.metadata.current_snapshot_id:
        return table.schema()
    found = table.snapshot_by_id(snapshot_id)
    if found is None or found.schema_id is None:
        return table.schema()
    return table.schemas()[found.schema_id]


def planned(
    table: Table, snapshot_id: int | None, filter_: BooleanExpression | None = None
) -> list[FileScanTask]:
    """The data files of a snapshot, each with the position deletes that may name its rows."""
    if snapshot_id is None:
        return []
    reading = table.scan(row_filter=filter_ or AlwaysTrue(), snapshot_id=snapshot_id)
    try:
        tasks = list(reading.plan_files())
    except (NotImplementedError, ValueError) as error:
        if "equality" in str(error).lower():
            raise not_emulated("Iceberg's equality delete files") from None
        raise
    for task in tasks:
        for file in (task.file, *task.delete_files):
            if file.file_format != FileFormat.PARQUET:
                raise not_emulated(f"Iceberg's files in {file.file_format}; PARQUET is read")
            if file.content == DataFileContent.EQUALITY_DELETES:
                raise not_emulated("Iceberg's equality delete files")
    return sorted(tasks, key=lambda task: task.file.file_path)


def _columns(file: DataFile, mapping: Any) -> tuple[Physical, ...]:
    try:
        columns = _physical_columns(file.version)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).replace(file.path, file.uri)
        raise TableError("ICEBERG_BAD_DATA", f"Not valid Parquet file: {reason}") from None
    if any(column.id >= 0 for column in columns):
        return columns
    return tuple(_mapped(column, mapping) for column in columns)


@functools.lru_cache(maxsize=8192)
def _physical_columns(version: tuple[str, int, str, float]) -> tuple[Physical, ...]:
    return tuple(_physical(field) for field in pq.read_schema(version[0]))


def _physical(field: pa.Field) -> Physical:
    number = int((field.metadata or {}).get(_FIELD_ID, b"-1"))
    kind = field.type
    parts: Iterable[pa.Field] = ()
    if pa.types.is_struct(kind):
        parts = [kind.field(place) for place in range(kind.num_fields)]
    elif pa.types.is_map(kind):
        parts = (kind.key_field, kind.item_field)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parts = (kind.value_field,)
    return Physical(field.name, number, tuple(_physical(part) for part in parts))


def _name_mapping(table: Table) -> Any:
    """`schema.name-mapping.default`, for files that were written without field ids; without it
    they have the ids of the columns of their names."""
    given = table.properties.get("schema.name-mapping.default")
    if given:
        return json.loads(given)
    return json.loads(table.schema().name_mapping.model_dump_json(by_alias=True))


def _mapped(column: Physical, mapping: Any) -> Physical:
    for one in mapping or []:
        if column.name in one.get("names", []):
            parts = tuple(_mapped(part, one.get("fields")) for part in column.parts)
            return Physical(column.name, int(one.get("field-id", -1)), parts)
    return column


def _constants(
    table: Table, schema: Schema, task: FileScanTask, columns: Sequence[Physical]
) -> tuple[tuple[int, Any], ...]:
    """The columns that the file has not and its identity partition tells: field id and value."""
    there = {column.id for column in columns}
    spec = table.specs()[task.file.spec_id]
    return tuple(
        (field.source_id, task.file.partition[number])
        for number, field in enumerate(spec.fields)
        if isinstance(field.transform, IdentityTransform) and field.source_id not in there
    )


def _select(
    files: LocalFiles,
    schema: Schema,
    columns: Sequence[Physical],
    constants: dict[int, Any],
    tasks: Sequence[FileScanTask],
    deleted: bool,
    hidden: Sequence[str],
) -> str:
    by_id = {column.id: column for column in columns}
    shown = []
    for field in schema.fields:
        kind = types.trino(as_json(field.field_type))
        if field.field_id in by_id:
            found = by_id[field.field_id]
            value = held(f"f.{name(found.name)}", field.field_type, found)
        elif field.field_id in constants:
            value = _literal(constants[field.field_id], kind)
        else:
            value = f"CAST(NULL AS {t.duckdb(kind)})"
        shown.append(f"{value} AS {name(field.name.lower())}")
    stored = [files.stored(task.file.file_path) for task in tasks]
    paths = {task.file.file_path: file.path for task, file in zip(tasks, stored, strict=True)}
    options = "hive_partitioning=false, filename='$file'"
    if deleted or POSITION in hidden:
        options += ", file_row_number=true"
    sql = f"FROM read_parquet({hive.paths(stored)}, {options}) AS f"
    if set(hidden) - {POSITION}:
        listed = ", ".join(
            f"({text(paths[task.file.file_path])}, {text(task.file.file_path)}, {file.bytes}, "
            f"to_timestamp({file.modified!r}))"
            for task, file in zip(tasks, stored, strict=True)
        )
        sql += f' JOIN (VALUES {listed}) AS p(file, path, size, changed) ON f."$file" = p.file'
    told = {PATH: "p.path", SIZE: "p.size", MODIFIED: "p.changed", POSITION: "f.file_row_number"}
    shown += [f"{told[label]} AS {name(label)}" for label in hidden]
    if deleted:
        sql += (
            f" ANTI JOIN ({_deletes(files, tasks, paths)}) AS d "
            'ON d.file = f."$file" AND d.pos = f.file_row_number'
        )
    return f"SELECT {', '.join(shown)} {sql}"


def _deletes(files: LocalFiles, tasks: Sequence[FileScanTask], paths: dict[str, str]) -> str:
    """The rows that position delete files name: local file and place in it."""
    uris = {file.file_path for task in tasks for file in task.delete_files}
    listed = ", ".join(f"({text(uri)}, {text(path)})" for uri, path in paths.items())
    stored = [files.stored(uri) for uri in sorted(uris)]
    return (
        f"SELECT v.file, d.pos FROM read_parquet({hive.paths(stored)}, hive_partitioning=false) "
        f"AS d JOIN (VALUES {listed}) AS v(uri, file) ON d.file_path = v.uri"
    )


def held(sql: str, kind: IcebergType, physical: Physical) -> str:
    """A file's value in the table's type, as expressions hold it: parts by their field ids."""
    trino = types.trino(as_json(kind))
    if isinstance(kind, StructType):
        there = {part.id: part for part in physical.parts}
        shown = []
        for field in kind.fields:
            label = name(field.name.lower())
            part = there.get(field.field_id)
            if part is None:
                inner = types.trino(as_json(field.field_type))
                shown.append(f"{label} := CAST(NULL AS {t.duckdb(inner)})")
            else:
                inside = held(f"({sql}).{name(part.name)}", field.field_type, part)
                shown.append(f"{label} := {inside}")
        return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(shown)}) END"
    if isinstance(kind, ListType):
        if not _changes(kind.element_type):
            return f"CAST({sql} AS {t.duckdb(trino)})"
        variable = _variable(sql)
        inside = held(variable, kind.element_type, physical.parts[0])
        return f"list_transform({sql}, lambda {variable}: {inside})"
    if isinstance(kind, MapType):
        if not _changes(kind.key_type) and not _changes(kind.value_type):
            return f"CAST({sql} AS {t.duckdb(trino)})"
        variable = _variable(sql)
        key = held(f"{variable}.key", kind.key_type, physical.parts[0])
        value = held(f"{variable}.value", kind.value_type, physical.parts[1])
        pairs = f"lambda {variable}: struct_pack(k := {key}, v := {value})"
        return f"map_from_entries(list_transform(map_entries({sql}), {pairs}))"
    if trino.name == ZONED:
        return f"trino_at(timezone('UTC', {sql}), 'UTC')"
    return f"CAST({sql} AS {t.duckdb(trino)})"


def _changes(kind: IcebergType) -> bool:
    """Whether more than a cast makes a file's value the engine's."""
    return not kind.is_primitive or types.trino(as_json(kind)).name == ZONED


def _variable(sql: str) -> str:
    """A lambda's parameter that is none of those around it."""
    used = [int(number) for number in re.findall(r"\be(\d+)\b", sql)]
    return f"e{max(used, default=0) + 1}"


def _literal(value: Any, kind: Type) -> str:
    if value is None:
        return f"CAST(NULL AS {t.duckdb(kind)})"
    if kind.name == "date":
        return f"(DATE '1970-01-01' + {int(value)}::INTEGER)"
    if kind.name == "timestamp":
        return f"make_timestamp({int(value)}::BIGINT)"
    if isinstance(value, bytes):
        return f"from_hex({text(value.hex())})"
    if kind.name in (ZONED, "time"):
        raise not_emulated(f"files without their partition column of type {kind}")
    return f"CAST({text(str(value))} AS {t.duckdb(kind)})"


def as_json(kind: IcebergType) -> Any:
    """The type as a metadata file has it."""
    if kind.is_primitive:
        return str(kind)
    return json.loads(kind.model_dump_json(by_alias=True))


def _empty(schema: Schema, hidden: Sequence[str]) -> str:
    kinds = {**dict(hive.HIDDEN), POSITION: "BIGINT"}
    shown = [
        f"CAST(NULL AS {t.duckdb(types.trino(as_json(f.field_type)))}) AS {name(f.name.lower())}"
        for f in schema.fields
    ]
    shown += [f"CAST(NULL AS {kinds[label]}) AS {name(label)}" for label in hidden]
    return f"SELECT {', '.join(shown)} WHERE false"


def stored(sql: str, kind: IcebergType) -> str:
    """A value as expressions hold it, as a file is to have it: the opposite of `held`."""
    trino = types.trino(as_json(kind))
    if isinstance(kind, StructType):
        parts = [
            f"{name(f.name)} := {stored(f'({sql}).{name(f.name.lower())}', f.field_type)}"
            for f in kind.fields
        ]
        return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"
    variable = _variable(sql)
    if isinstance(kind, ListType):
        return f"list_transform({sql}, lambda {variable}: {stored(variable, kind.element_type)})"
    if isinstance(kind, MapType):
        key, value = (
            stored(f"{variable}.{part}", inner)
            for part, inner in (("key", kind.key_type), ("value", kind.value_type))
        )
        pairs = f"lambda {variable}: struct_pack(k := {key}, v := {value})"
        return f"map_from_entries(list_transform(map_entries({sql}), {pairs}))"
    if trino.name == ZONED:
        return f"timezone('UTC', ({sql}).utc)"
    return f"CAST({sql} AS {t.duckdb(trino)})"


def field_ids(fields: Iterable[NestedField]) -> str:
    """DuckDB's FIELD_IDS of a COPY."""

    def one(number: int, kind: IcebergType) -> str:
        inner: list[tuple[str, int, IcebergType]] = []
        if isinstance(kind, StructType):
            inner = [(f.name, f.field_id, f.field_type) for f in kind.fields]
        elif isinstance(kind, ListType):
            inner = [("element", kind.element_id, kind.element_type)]
        elif isinstance(kind, MapType):
            inner = [
                ("key", kind.key_id, kind.key_type), ("value", kind.value_id, kind.value_type),
            ]  # fmt: skip
        if not inner:
            return str(number)
        parts = [f"{name(label)}: {one(id_, part)}" for label, id_, part in inner]
        return f"{{__duckdb_field_id: {number}, {', '.join(parts)}}}"

    return "{" + ", ".join(f"{name(f.name)}: {one(f.field_id, f.field_type)}" for f in fields) + "}"
