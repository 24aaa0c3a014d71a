"""Makes a table of the catalog readable for DuckDB, where its files lie, and counts the bytes.

Only partitions that can satisfy the query are listed, and of Parquet only the columns that the
query names are counted: `Statistics.DataScannedInBytes` is the size of those column chunks, or of
whole text files.
"""

from __future__ import annotations

import functools
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from localaws.athena.sql import types as t
from localaws.athena.sql.errors import QueryError, not_emulated
from localaws.athena.sql.sources import HIDDEN, Scan
from localaws.athena.sql.types import Type
from localaws.athena.sql.values import Value, cast, name, text
from localaws.athena.textfiles import rewrite_open_csv
from localaws.catalog.store import Catalog
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.object_store import StoredObject
from localaws.s3.objects import split_uri

Json = dict[str, Any]
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_FILE = "$file"


@dataclass(frozen=True)
class Located:
    """Files of one partition (or of the whole table), and the partition's values."""

    values: tuple[str, ...]
    files: tuple[StoredObject, ...]


class Scanner:
    """Makes the DuckDB view of a scan. `strict` text reading fails on irregular rows; without it
    such files are rewritten by the exact, slower reader first (see `textfiles`)."""

    def __init__(self, aws: LocalAws, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.aws = aws
        self.connection = connection
        self.folder = folder
        self.strict = True

    def prepare(self, scan: Scan, columns_read: set[str]) -> int:
        """Creates the view `scan.relation`; returns the bytes its files hold of those columns."""
        catalog = Catalog(self.aws)
        table = catalog.table(scan.database, scan.table)
        columns = typed_columns(table)
        keys = [
            (key["Name"].lower(), t.from_hive(key.get("Type") or "string"))
            for key in table.get("PartitionKeys") or []
        ]
        parts = self._partitions(catalog, scan, table, keys)
        files = [file for part in parts for file in part.files]
        reading, scanned = self._reader(table, columns, files, columns_read)
        hidden = columns_read & {label for label, _ in HIDDEN}
        selected = self._with_partitions(reading, columns, keys, parts, bool(hidden))
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.relation} AS {selected}")
        return scanned

    # partitions

    def _partitions(
        self, catalog: Catalog, scan: Scan, table: Json, keys: list[tuple[str, Type]]
    ) -> list[Located]:
        storage = table.get("StorageDescriptor") or {}
        if not keys:
            return [Located((), tuple(self._list(storage.get("Location", ""))))]
        found = catalog.partitions(scan.database, scan.table)
        if scan.conditions and found:
            rows = ", ".join(
                f"({number}, " + ", ".join(text(value) for value in partition["Values"]) + ")"
                for number, partition in enumerate(found)
            )
            labels = ", ".join(f"v{i}" for i in range(len(keys)))
            shown = ", ".join(
                f"{_partition_value(f'v{i}', kind)} AS {name(key)}"
                for i, (key, kind) in enumerate(keys)
            )
            kept = self.connection.execute(
                f"SELECT n FROM (SELECT n, {shown} FROM (VALUES {rows}) AS p(n, {labels})) AS "
                f"{scan.alias} "
                f"WHERE {' AND '.join(scan.conditions)} ORDER BY n"
            ).fetchall()
            found = [found[number] for (number,) in kept]
        return [
            Located(
                tuple(partition["Values"]),
                tuple(self._list((partition.get("StorageDescriptor") or {}).get("Location", ""))),
            )
            for partition in found
        ]

    def _list(self, location: str) -> list[StoredObject]:
        """The data files below a location, in all its folders; `_` and `.` names are hidden."""
        try:
            bucket, prefix = split_uri(location)
            prefix = prefix if not prefix or prefix.endswith("/") else prefix + "/"
            stored = self.aws.objects.list(bucket, prefix)
        except AwsError as error:
            raise QueryError("HIVE_FILESYSTEM_ERROR", f"{location}: {error.message}") from None
        return [
            file
            for file in stored
            if file.bytes
            and not any(part.startswith(("_", ".")) for part in file.key[len(prefix) :].split("/"))
        ]

    def _with_partitions(
        self, reading: str, columns: list[tuple[str, Type]], keys: list[tuple[str, Type]],
        parts: list[Located], hidden: bool,
    ) -> str:  # fmt: skip
        """The files' columns, the partition keys and, if asked for, `"$path"` and its like."""
        own = ", ".join(f"f.{name(label)}" for label, _ in columns)
        filled = [part for part in parts if part.files]
        if not keys and not hidden:
            return f"SELECT {own} FROM ({reading}) AS f"
        if len(filled) <= 1 and not hidden:
            values = filled[0].values if filled else tuple("" for _ in keys)
            rest = ", ".join(
                f"{_partition_value(text(value), kind)} AS {name(key)}"
                for value, (key, kind) in zip(values, keys, strict=True)
            )
            return f"SELECT {', '.join(filter(None, (own, rest)))} FROM ({reading}) AS f"
        rows = [
            "("
            + ", ".join(
                [text(str(file.path)), *(text(value) for value in part.values), text(f"s3://{file.bucket}/{file.key}"),
                 str(file.bytes), f"TIMESTAMPTZ '{file.last_modified.isoformat()}'"]
            )
            + ")"
            for part in filled
            for file in part.files
        ]  # fmt: skip
        labels = ["file", *(f"v{i}" for i in range(len(keys))), "path", "size", "changed"]
        if not rows:
            rows = ["(" + ", ".join(["NULL"] * (len(labels))) + ")"]
        more = [
            f"{_partition_value(f'p.v{i}', kind)} AS {name(key)}"
            for i, (key, kind) in enumerate(keys)
        ]
        more += [
            'CAST(p.path AS VARCHAR) AS "$path"',
            'CAST(p.size AS BIGINT) AS "$file_size"',
            'CAST(p.changed AS TIMESTAMPTZ) AS "$file_modified_time"',
        ]
        return (
            f"SELECT {', '.join(filter(None, (own, *more)))} FROM ({reading}) AS f "
            f"JOIN (VALUES {', '.join(rows)}) AS p({', '.join(labels)}) ON f.{name(_FILE)} = p.file"
        )

    # formats

    def _reader(
        self,
        table: Json,
        columns: list[tuple[str, Type]],
        files: list[StoredObject],
        used: set[str],
    ) -> tuple[str, int]:
        if not files:
            empty = [f"CAST(NULL AS {t.duckdb(kind)}) AS {name(label)}" for label, kind in columns]
            return f"SELECT {', '.join([*empty, f'NULL::VARCHAR AS {name(_FILE)}'])} WHERE false", 0
        storage = table["StorageDescriptor"]
        serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary", "")
        whole = sum(file.bytes for file in files)
        if serde.endswith("ParquetHiveSerDe"):
            return _parquet(columns, files, used)
        if serde.endswith("OpenCSVSerde"):
            return self._open_csv(table, columns, files), whole
        if serde.endswith("LazySimpleSerDe"):
            return self._lazy_simple(table, columns, files), whole
        if serde.endswith("JsonSerDe"):
            return _json(columns, files), whole
        raise not_emulated(
            f"the SerDe {serde or '(none)'} of table {table['DatabaseName']}.{table['Name']}"
        )

    def _open_csv(
        self, table: Json, columns: list[tuple[str, Type]], files: list[StoredObject]
    ) -> str:
        given = (table["StorageDescriptor"]["SerdeInfo"].get("Parameters")) or {}
        mark, quote = given.get("separatorChar", ","), given.get("quoteChar", '"')
        escape = given.get("escapeChar", "\\")
        skip = _header_lines(table)
        paths, plain = [], True
        for file in files:
            if self.strict and not _contains(file.path, file.last_modified.timestamp(), escape):
                paths.append(file.path)
            else:
                plain = False
        labels = [label for label, _ in columns]
        if not plain:
            rewritten = rewrite_open_csv(files, labels, mark, quote, escape, skip, self.folder)
            source = f"SELECT * FROM read_parquet({text(str(rewritten))})"
        else:
            source = _read_csv(
                paths, labels, mark, skip, f"quote={text(quote)}, escape={text(quote)}", labels
            )
        shown = [
            f"{name(label)}"
            if kind.name == "varchar"
            else f"{_open_csv_value(label, kind)} AS {name(label)}"
            for label, kind in columns
        ]
        return f"SELECT {', '.join(shown)}, {name(_FILE)} FROM ({source})"

    def _lazy_simple(
        self, table: Json, columns: list[tuple[str, Type]], files: list[StoredObject]
    ) -> str:
        given = (table["StorageDescriptor"]["SerdeInfo"].get("Parameters")) or {}
        if given.get("escape.delim"):
            raise not_emulated("ESCAPED BY of LazySimpleSerDe")
        mark = given.get("field.delim") or given.get("serialization.format") or "\x01"
        null = given.get("serialization.null.format", "\\N")
        labels = [label for label, _ in columns]
        options = f"quote='', escape='', nullstr={text(null)}, null_padding=true, strict_mode=false"
        source = _read_csv(
            [file.path for file in files], labels, mark, _header_lines(table), options, []
        )
        shown = []
        for label, kind in columns:
            if kind.items:
                raise not_emulated(f"the type {kind} in a text table (column {label})")
            value = Value(name(label), t.VARCHAR)
            shown.append(
                f"{cast(value, kind, attempt=True).sql if kind.name != 'varchar' else value.sql} "
                f"AS {name(label)}"
            )
        return f"SELECT {', '.join(shown)}, {name(_FILE)} FROM ({source})"


def typed_columns(table: Json) -> list[tuple[str, Type]]:
    """The file columns of a catalog table, without partition keys.

    Raises QueryError (HIVE_INVALID_METADATA) for a type that Athena does not know.
    """
    try:
        return [
            (column["Name"].lower(), t.from_hive(column.get("Type") or "string"))
            for column in (table.get("StorageDescriptor") or {}).get("Columns") or []
        ]
    except ValueError as error:
        raise QueryError("HIVE_INVALID_METADATA", f"table {table['Name']}: {error}") from None


def _partition_value(sql: str, kind: Type) -> str:
    known = f"nullif({sql}, {text(NULL_PARTITION)})"
    return known if kind.name == "varchar" else cast(Value(known, t.VARCHAR), kind).sql


def _header_lines(table: Json) -> int:
    for place in (table.get("Parameters"), table["StorageDescriptor"].get("Parameters")):
        if (place or {}).get("skip.header.line.count"):
            return int((place or {})["skip.header.line.count"])
    return 0


def _paths(paths: list[Path]) -> str:
    return "[" + ", ".join(text(_literal_glob(str(path))) for path in paths) + "]"


def _literal_glob(path: str) -> str:
    """DuckDB takes `*`, `?` and `[` in a path as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _read_csv(
    paths: list[Path], labels: list[str], mark: str, skip: int, options: str, not_null: list[str]
) -> str:
    columns = ", ".join(f"{text(label)}: 'VARCHAR'" for label in labels)
    kept = f", force_not_null=[{', '.join(text(label) for label in not_null)}]" if not_null else ""
    return (
        f"SELECT * FROM read_csv({_paths(paths)}, auto_detect=false, header=false, skip={skip}, "
        f"columns={{{columns}}}, delim={text(mark)}, {options}{kept}, filename={text(_FILE)})"
    )


def _open_csv_value(label: str, kind: Type) -> str:
    """A column that is not text: a cell that does not fit is an error, an empty one too.

    https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    """
    column = name(label)
    if kind.name in ("date", "timestamp") or kind.items:
        raise not_emulated(f"the type {kind} in an OpenCSVSerDe table (column {label})")
    value = cast(Value(column, t.VARCHAR), kind, attempt=True).sql
    wrong = (
        f"error('HIVE_BAD_DATA: Error parsing field value ''' || {column} "
        f"|| ''' for field {label}')"
    )
    return f"CASE WHEN {value} IS NULL AND {column} IS NOT NULL THEN {wrong} ELSE {value} END"


@functools.lru_cache(maxsize=4096)
def _contains(path: Path, changed: float, letter: str) -> bool:
    """Whether the file holds the escape character; compressed files count as holding it."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return True
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(letter.encode()) >= 0


def _json(columns: list[tuple[str, Type]], files: list[StoredObject]) -> str:
    shape = ", ".join(f"{text(label)}: {text(t.duckdb(kind))}" for label, kind in columns)
    return (
        f"SELECT * FROM read_json({_paths([file.path for file in files])}, "
        "format='newline_delimited', "
        f"columns={{{shape}}}, filename={text(_FILE)})"
    )


# Parquet


@functools.lru_cache(maxsize=8192)
def _footer(path: Path, changed: float) -> tuple[tuple[tuple[str, str], ...], dict[str, int]]:
    """((column, kind of type), ...) and the bytes of each top-level column's chunks."""
    try:
        file = pq.ParquetFile(path)
    except Exception as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {path.name}: {error}") from None
    columns = tuple(
        (label.lower(), _category(str(kind)))
        for label, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True)
    )
    sizes: dict[str, int] = {}
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group)
        for number in range(rows.num_columns):
            chunk = rows.column(number)
            top = chunk.path_in_schema.split(".")[0].lower()
            sizes[top] = sizes.get(top, 0) + chunk.total_compressed_size
    return columns, sizes


def _category(arrow: str) -> str:
    for start, kind in (
        ("int", "integer"), ("uint", "integer"), ("decimal", "decimal"), ("timestamp", "timestamp"),
        ("date", "date"), ("list", "array"), ("large_list", "array"), ("map", "map"),
        ("struct", "row"), ("string", "varchar"), ("large_string", "varchar"), ("bool", "boolean"),
        ("float", "real"), ("halffloat", "real"), ("double", "double"), ("dictionary", "varchar"),
        ("binary", "varbinary"), ("large_binary", "varbinary"), ("fixed_size_binary", "varbinary"),
    ):  # fmt: skip
        if arrow.startswith(start):
            return kind
    return arrow


_READABLE = {
    ("real", "double"), ("integer", "decimal"), ("varbinary", "varchar"), ("varchar", "varbinary"),
    ("integer", "double"), ("integer", "real"),
}  # fmt: skip


def _parquet(
    columns: list[tuple[str, Type]], files: list[StoredObject], used: set[str]
) -> tuple[str, int]:
    """Columns by name, whatever their case; a column that a file lacks is NULL there."""
    shapes: dict[tuple[tuple[str, str], ...], list[StoredObject]] = {}
    scanned = 0
    for file in files:
        shape, sizes = _footer(file.path, file.last_modified.timestamp())
        shapes.setdefault(shape, []).append(file)
        scanned += sum(size for label, size in sizes.items() if label in used)
    parts = []
    for shape, members in shapes.items():
        there = dict(shape)
        shown = []
        for label, kind in columns:
            if label not in there:
                shown.append(f"CAST(NULL AS {t.duckdb(kind)}) AS {name(label)}")
                continue
            wanted = "integer" if t.is_integer(kind) else kind.name
            if there[label] != wanted and (there[label], wanted) not in _READABLE:
                file = members[0]
                raise QueryError(
                    "HIVE_BAD_DATA",
                    f"Field {label}'s type {there[label].upper()} in parquet file "
                    f"s3://{file.bucket}/{file.key} is incompatible with type {kind} defined in "
                    "table schema",
                )
            shown.append(f"CAST({name(label)} AS {t.duckdb(kind)}) AS {name(label)}")
        shown.append(name(_FILE))
        parts.append(
            f"SELECT {', '.join(shown)} FROM read_parquet({_paths([m.path for m in members])}, "
            f"hive_partitioning=false, filename={text(_FILE)})"
        )
    return " UNION ALL ".join(parts), scanned
